/* SPDX-License-Identifier: Apache-2.0
 * An example plugin for `enamel live --source plugin:FILE.so[,frames=N][,color]`: a scanner that sees waves.
 *
 *     cc -shared -fPIC -fvisibility=hidden -I WHERE/include/enamel plugin_waves.c -lm -o waves.so
 */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enamel_plugin.h"

#define WIDTH 64
#define HEIGHT 48
#define UNITS_PER_MM 100.0

typedef struct waves {
	char camera[256];
	double period_s, first_s; /* between frames; when the first is due */
	uint64_t number, end;     /* of the next frame; of the last but one, UINT64_MAX for none */
	int color;
} waves;

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void sleep_s(double duration_s)
{
	const struct timespec t = {(time_t)duration_s, (long)(1e9 * fmod(duration_s, 1.0))};
	nanosleep(&t, NULL);
}

/* 0 when a word of the text is not understood. */
static int read_text(const char *text, waves *w)
{
	while (*text) {
		size_t length = strcspn(text, ",");
		char *end = NULL;
		if (length == 5 && !memcmp(text, "color", length))
			w->color = 1;
		else if (strncmp(text, "frames=", 7) || (w->end = strtoull(text + 7, &end, 10), end != text + length))
			return 0;
		text += length + (text[length] == ',');
	}
	return 1;
}

static int32_t waves_open(
	const char *text, double fps, double timeout_s, void **out_handle, enamel_plugin_facts *out_facts, char *error)
{
	(void)timeout_s; /* a scanner would be waited for */
	waves *w = calloc(1, sizeof *w);
	if (!w) {
		snprintf(error, ENAMEL_PLUGIN_ERROR_BYTES, "out of memory");
		return ENAMEL_PLUGIN_FAILED;
	}
	w->end = UINT64_MAX;
	if (!read_text(text, w)) {
		snprintf(error, ENAMEL_PLUGIN_ERROR_BYTES, "'%s': expected frames=N or color", text);
		free(w);
		return ENAMEL_PLUGIN_FAILED;
	}
	out_facts->width = WIDTH;
	out_facts->height = HEIGHT;
	out_facts->has_color = (uint32_t)w->color;
	out_facts->paced = 1;
	out_facts->fps = fps > 0.0 ? fps : 30.0;
	snprintf(w->camera, sizeof w->camera,
		"{\"width\": %d, \"height\": %d, \"intrinsic_matrix\": [60, 0, 0, 0, 60, 0, 31.5, 23.5, 1], "
		"\"depth_scale\": %g, "
		"\"depth_unit\": \"mm\", \"fps\": %g}",
		WIDTH, HEIGHT, UNITS_PER_MM, out_facts->fps);
	out_facts->camera_json = w->camera;
	w->period_s = 1.0 / out_facts->fps;
	w->first_s = now_s() + w->period_s;
	*out_handle = w;
	return ENAMEL_PLUGIN_OK;
}

static void draw(const waves *w, enamel_plugin_frame *frame)
{
	for (int y = 0; y < HEIGHT; y++)
		for (int x = 0; x < WIDTH; x++) {
			double height_mm = sin(0.2 * x + 0.1 * (double)w->number) * cos(0.2 * y);
			frame->depth[y * WIDTH + x] = (uint16_t)lround(UNITS_PER_MM * (14.0 + height_mm));
			if (w->color)
				memset(frame->rgb + 3 * (y * WIDTH + x), (int)lround(128.0 + 100.0 * height_mm), 3);
		}
	frame->has_color = (uint32_t)w->color;
}

static int32_t waves_next(void *handle, double timeout_s, enamel_plugin_frame *frame, char *error)
{
	(void)error;
	waves *w = handle;
	if (w->number == w->end)
		return ENAMEL_PLUGIN_END;
	double due_s = w->first_s + w->period_s * (double)w->number;
	double wait_s = due_s - now_s();
	if (wait_s > 0.0)
		sleep_s(fmin(wait_s, timeout_s));
	if (wait_s > timeout_s)
		return ENAMEL_PLUGIN_WAIT;
	draw(w, frame);
	frame->number = w->number++;
	frame->time_s = due_s;
	return ENAMEL_PLUGIN_OK;
}

static void waves_close(void *handle)
{
	free(handle);
}

const enamel_plugin_table *enamel_plugin(uint32_t host_version)
{
	static const enamel_plugin_table table = {
		ENAMEL_PLUGIN_VERSION, sizeof table, "Waves 1.0", waves_open, waves_next, waves_close};
	return host_version >= ENAMEL_PLUGIN_VERSION ? &table : NULL;
}
