/* SPDX-License-Identifier: Apache-2.0
 * A plugin that does wrong what its text, or for its table the environment, says. */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enamel_plugin.h"

#ifndef PLUGIN_WITHOUT_ENTRY

#define WIDTH 32
#define HEIGHT 24

static const char camera[] = "{\"width\": 32, \"height\": 24, \"intrinsic_matrix\": [40, 0, 0, 0, 40, 0, 15.5, 11.5, "
			     "1], \"depth_scale\": 50, "
			     "\"depth_unit\": \"mm\"}";

static struct state {
	char what[64];
	uint64_t calls;
	int is_open;
} state;

static void sleep_s(double duration_s)
{
	const struct timespec t = {(time_t)duration_s, (long)(1e9 * fmod(duration_s, 1.0))};
	nanosleep(&t, NULL);
}

static int is(const char *what)
{
	return !strcmp(state.what, what);
}

static void fill_error(char *error, const char *text)
{
	snprintf(error, ENAMEL_PLUGIN_ERROR_BYTES, "%s", text);
}

static int32_t fail_to_open(char *error)
{
	if (is("mute"))
		return ENAMEL_PLUGIN_FAILED;
	if (is("endless-error"))
		memset(error, 'x', ENAMEL_PLUGIN_ERROR_BYTES); /* no end */
	else
		fill_error(error, "the scanner\nis \033[1moff\xff");
	return ENAMEL_PLUGIN_FAILED;
}

static void spoil_facts(enamel_plugin_facts *facts)
{
	static char endless[(1 << 20) + 2];
	memset(endless, ' ', sizeof endless - 1);
	if (is("no-camera"))
		facts->camera_json = NULL;
	if (is("endless-camera"))
		facts->camera_json = endless;
	if (is("bad-camera"))
		facts->camera_json = "{\"width\": 32";
	if (is("part-camera"))
		facts->camera_json = "{\"width\": 32, \"height\": 24}";
	if (is("other-size"))
		facts->height = 25;
	if (is("has-color"))
		facts->has_color = 7;
	if (is("is-paced"))
		facts->paced = 7;
	if (is("not-reserved"))
		facts->reserved = 1;
	if (is("no-fps"))
		facts->fps = 0.0;
	if (is("nan-fps"))
		facts->fps = (double)NAN;
}

static int32_t hostile_open(
	const char *text, double fps, double timeout_s, void **out_handle, enamel_plugin_facts *out_facts, char *error)
{
	(void)fps;
	(void)timeout_s;
	if (state.is_open)
		abort();
	uint64_t calls = state.calls;
	state = (struct state){.calls = calls + 1};
	snprintf(state.what, sizeof state.what, "%s", text);
	if (is("off") || is("mute") || is("endless-error"))
		return fail_to_open(error);
	if (is("nonsense-open"))
		return -5;
	if (is("never-ready") || (is("ready-third") && state.calls < 3))
		return ENAMEL_PLUGIN_WAIT;
	if (is("slow-open"))
		sleep_s(0.5);
	state.is_open = 1;
	state.calls = 0;
	*out_handle = &state;
	*out_facts = (enamel_plugin_facts){
		out_facts->size, WIDTH, HEIGHT, is("rgb") || is("color-flag"), 0, 0, 20.0, camera};
	spoil_facts(out_facts);
	return ENAMEL_PLUGIN_OK;
}

/* Each fifth frame is a bad one. */
static void spoil_frame(enamel_plugin_frame *frame)
{
	if (state.calls % 5)
		return;
	if (is("number-back"))
		frame->number -= 3;
	if (is("number-leap"))
		frame->number = UINT64_MAX;
	if (is("time-back"))
		frame->time_s -= 1.0;
	if (is("time-nan"))
		frame->time_s = (double)NAN;
	if (is("time-far"))
		frame->time_s = 1e300;
	if (is("time-long-ago"))
		frame->time_s = -1e300;
	if (is("color-flag"))
		frame->has_color = 2;
	if (is("denied-color"))
		frame->has_color = 1;
	if (is("sleeps"))
		sleep_s(0.5);
	if (is("other-memory")) {
		frame->depth = NULL;
		frame->rgb = (uint8_t *)frame;
		frame->size = UINT32_MAX;
	}
}

static int32_t hostile_next(void *handle, double timeout_s, enamel_plugin_frame *frame, char *error)
{
	if (handle != &state || !state.is_open || (frame->rgb && !is("rgb") && !is("color-flag")))
		abort();
	uint64_t call = ++state.calls;
	if (is("early") && call % 3)
		return ENAMEL_PLUGIN_WAIT;
	if (is("silent")) {
		sleep_s(timeout_s);
		return ENAMEL_PLUGIN_WAIT;
	}
	if (call == 4 && is("fails")) {
		fill_error(error, "the cable\tis out");
		return ENAMEL_PLUGIN_FAILED;
	}
	if (call == 4 && is("nonsense"))
		return 77;
	if (call == 4 && is("ends"))
		return ENAMEL_PLUGIN_END;
	if (call > 4 && (is("fails") || is("nonsense") || is("ends")))
		abort(); /* asked again */
	for (int i = 0; i < WIDTH * HEIGHT; i++)
		frame->depth[i] = (uint16_t)(call * 100 + (uint64_t)i);
	if (frame->rgb)
		memset(frame->rgb, (int)call, 3 * WIDTH * HEIGHT);
	frame->has_color = frame->rgb != NULL;
	frame->number = call;
	frame->time_s = 0.05 * (double)call;
	spoil_frame(frame);
	return ENAMEL_PLUGIN_OK;
}

static void hostile_close(void *handle)
{
	if (handle != &state || !state.is_open)
		abort();
	state.is_open = 0;
}

const enamel_plugin_table *enamel_plugin(uint32_t host_version)
{
	static enamel_plugin_table table;
	table = (enamel_plugin_table){
		host_version, sizeof table, "Hostile\033 \xff", hostile_open, hostile_next, hostile_close};
	const char *wrong = getenv("ENAMEL_TEST_PLUGIN");
	if (!wrong)
		return &table;
	if (!strcmp(wrong, "none"))
		return NULL;
	if (!strcmp(wrong, "version"))
		table.version++;
	if (!strcmp(wrong, "size"))
		table.size -= 8;
	if (!strcmp(wrong, "name"))
		table.name = NULL;
	if (!strcmp(wrong, "open"))
		table.open = NULL;
	if (!strcmp(wrong, "next"))
		table.next = NULL;
	if (!strcmp(wrong, "close"))
		table.close = NULL;
	return &table;
}

#endif
