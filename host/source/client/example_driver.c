/* SPDX-License-Identifier: Apache-2.0
 * enamel-driver-example: a scanner that is a dataset. Shows how a driver is written (feed() is all of it), and tests a
 * live scan without a scanner. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "dataset.h"
#include "enamel_driver.h"
#include "file.h"
#include "json.h"
#include "options.h"
#include "reader.h"

#define MEMORY_MAX ((size_t)4 << 30)
#define CAMERA_BYTES_MAX ((size_t)60000)

static const char about[] =
	"Plays a dataset (folder or recording) to a host, at a steady rate and from memory, as a scanner delivers its\n"
	"frames. Played again, it runs backward, then forward again, so that the scanner never jumps. A frame that is\n"
	"due while the host has given back no slot is lost and counted. Times are those of a clock at the rate, from 0.";

typedef struct example_options {
	const char *folder, *socket;
	double fps, duration_s, timeout_s;
	int64_t loop, slots, frames[2];
	bool json, stay;
} example_options;

typedef struct example {
	const example_options *o;
	dataset data;
	char *camera_json;
	size_t first, count; /* frames of the dataset that are played */
	uint16_t *depth;     /* of all of them */
	uint8_t *rgb;        /* NULL without colour */
	bool *has_color, *usable;
	double fps;
	enm_driver *driver;
	enm_driver_facts facts; /* at the end */
	uint64_t due, sent, lost;
	double late_max_s, wall_s;
	bool ended_by_host;
} example;

/* ---- the dataset ------------------------------------------------------------------------------------------------ */

/* Word for word where there is a text of it, so that no digit gets lost. */
static host_status read_camera(example *e)
{
	char path[FILE_PATH_MAX];
	uint8_t *bytes;
	size_t size;
	if (e->data.recording && e->data.recording->camera) {
		e->camera_json = strdup(e->data.recording->camera);
		return e->camera_json ? HOST_OK : host_fail_memory("the camera");
	}
	if (e->data.layout != DATASET_FOLDER)
		return camera_to_text(&e->data.camera, &e->camera_json);
	host_status status = path_join(e->o->folder, "camera.json", path);
	if (!status)
		status = file_read(path, CAMERA_BYTES_MAX, &bytes, &size);
	if (!status)
		e->camera_json = (char *)bytes;
	return status;
}

static host_status allocate(example *e)
{
	const size_t pixels = (size_t)e->data.camera.camera.width * e->data.camera.camera.height;
	const size_t bytes = e->count * pixels * (e->data.has_color ? 5 : 2);
	if (bytes > MEMORY_MAX)
		return host_fail_file(HOST_USAGE, e->o->folder,
			"needs %.1f GB of memory, and 4 is the most: take --frames", 1e-9 * (double)bytes);
	e->depth = malloc(e->count * pixels * sizeof *e->depth);
	e->rgb = e->data.has_color ? malloc(3 * e->count * pixels) : NULL;
	e->usable = calloc(e->count, sizeof *e->usable);
	e->has_color = calloc(e->count, sizeof *e->has_color);
	if (!e->depth || (e->data.has_color && !e->rgb) || !e->usable || !e->has_color)
		return host_fail_memory("the frames");
	return HOST_OK;
}

static host_status read_frames(example *e)
{
	const size_t pixels = (size_t)e->data.camera.camera.width * e->data.camera.camera.height;
	size_t usable = 0;
	for (size_t i = 0; i < e->count; i++) {
		dataset_reading reading;
		dataset_read_frame(&e->data, e->first + i, e->depth + i * pixels,
			e->rgb ? e->rgb + 3 * i * pixels : NULL, &reading);
		e->usable[i] = reading.usable;
		e->has_color[i] = reading.has_color;
		usable += reading.usable;
		if (!reading.usable)
			host_warn("frame %zu is not played: %s", e->first + i, reading.reason);
	}
	return usable ? HOST_OK : host_fail_file(HOST_USAGE, e->o->folder, "has no frame that can be played");
}

static host_status load(example *e)
{
	const example_options *o = e->o;
	host_status status = dataset_open(o->folder, NULL, &e->data);
	if (status)
		return status;
	if ((uint64_t)o->frames[0] >= e->data.frame_count)
		return host_fail(HOST_USAGE, "--frames: begins at %lld, but %s has %zu frames", (long long)o->frames[0],
			o->folder, e->data.frame_count);
	e->first = (size_t)o->frames[0];
	e->count =
		((uint64_t)o->frames[1] < e->data.frame_count ? (size_t)o->frames[1] : e->data.frame_count) - e->first;
	status = read_camera(e);
	if (!status)
		status = allocate(e);
	return status ? status : read_frames(e);
}

static void unload(example *e)
{
	free(e->camera_json);
	free(e->depth);
	free(e->rgb);
	free(e->usable);
	free(e->has_color);
	dataset_close(&e->data);
}

/* ---- the driver ------------------------------------------------------------------------------------------------- */

static host_status fail_driver(enm_driver_result result, const char *text)
{
	return host_fail(result == ENM_DRIVER_E_ARGUMENT ? HOST_USAGE : HOST_IO, "%s", text);
}

static host_status connect_to_host(example *e)
{
	char why[ENM_DRIVER_TEXT_BYTES];
	const enm_camera *c = &e->data.camera.camera;
	const double fps = e->o->fps > 0.0 ? e->o->fps : e->data.camera.fps;
	const enm_driver_def def = {.path = e->o->socket,
		.camera_json = e->camera_json,
		.width = c->width,
		.height = c->height,
		.has_color = e->data.has_color,
		.fps = fps,
		.slots = (uint32_t)e->o->slots,
		.timeout_s = e->o->timeout_s};
	const enm_driver_result result = enm_driver_open(&def, &e->driver, why);
	if (result != ENM_DRIVER_OK)
		return fail_driver(result, why);
	const double wanted = enm_driver_get_facts(e->driver)->wanted_fps;
	e->fps = e->o->fps > 0.0 || !(wanted >= 0.01 && wanted <= fps) ? fps : wanted;
	return HOST_OK;
}

/* Waits for the moment at which a frame is due, letting the host know that we live. */
static enm_driver_result keep_pace(example *e, double due_s)
{
	enm_driver_result result = ENM_DRIVER_OK;
	for (double ahead_s; (ahead_s = due_s - clock_s()) > 0.0 && result == ENM_DRIVER_OK;) {
		const double step_s = fmin(ahead_s, 0.2);
		nanosleep(&(struct timespec){0, (long)(step_s * 1e9)}, NULL);
		result = ahead_s > 0.2 ? enm_driver_alive(e->driver) : ENM_DRIVER_OK;
	}
	e->late_max_s = fmax(e->late_max_s, clock_s() - due_s);
	return result;
}

static enm_driver_result deliver(example *e, size_t i, uint64_t number)
{
	const size_t pixels = (size_t)e->data.camera.camera.width * e->data.camera.camera.height;
	enm_driver_slot slot;
	const enm_driver_result result = enm_driver_acquire(e->driver, 0.0, &slot);
	if (result == ENM_DRIVER_NO_SLOT) {
		e->lost++;
		return ENM_DRIVER_OK;
	}
	if (result != ENM_DRIVER_OK)
		return result;
	memcpy(slot.depth, e->depth + i * pixels, pixels * sizeof *slot.depth);
	if (e->has_color[i])
		memcpy(slot.rgb, e->rgb + 3 * i * pixels, 3 * pixels);
	e->sent++;
	return enm_driver_submit(e->driver, &slot, number, (double)number / e->fps, e->has_color[i]);
}

static enm_driver_result feed(example *e)
{
	const example_options *o = e->o;
	const uint64_t end =
		o->duration_s > 0.0 ? (uint64_t)ceil(o->duration_s * e->fps) : (uint64_t)o->loop * e->count;
	const double begun_s = clock_s();
	enm_driver_result result = ENM_DRIVER_OK;
	for (uint64_t n = 0; n < end && result == ENM_DRIVER_OK; n++) {
		const size_t at = (size_t)(n % e->count);
		const size_t i = n / e->count % 2 ? e->count - 1 - at : at;
		result = keep_pace(e, begun_s + (double)n / e->fps);
		e->due = n + 1;
		if (result == ENM_DRIVER_OK && e->usable[i])
			result = deliver(e, i, n);
	}
	e->wall_s = clock_s() - begun_s;
	return result;
}

static host_status play(example *e)
{
	host_status status = connect_to_host(e);
	if (status)
		return status;
	host_say("plays %zu frames to %s at %g a second", e->count, e->o->socket, e->fps);
	const enm_driver_result result = feed(e);
	if (result < 0)
		status = fail_driver(result, enm_driver_text(e->driver));
	e->ended_by_host = result == ENM_DRIVER_OVER;
	e->facts = *enm_driver_get_facts(e->driver);
	enm_driver_close(&e->driver, !e->o->stay);
	return status;
}

/* ---- figures ---------------------------------------------------------------------------------------------------- */

static host_status print_json(const example *e)
{
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "socket", json_foreign(e->o->socket), &ok);
	json_put(root, "fps", json_finite(e->fps), &ok);
	json_put(root, "slots", json_integer(e->facts.slots), &ok);
	json_put(root, "frames_due", json_integer((json_int_t)e->due), &ok);
	json_put(root, "frames_sent", json_integer((json_int_t)e->sent), &ok);
	json_put(root, "frames_without_slot", json_integer((json_int_t)e->lost), &ok);
	json_put(root, "frames_left_out_by_host", json_integer((json_int_t)e->facts.left_out), &ok);
	json_put(root, "late_max_ms", json_finite(1e3 * e->late_max_s), &ok);
	json_put(root, "wall_s", json_finite(e->wall_s), &ok);
	json_put(root, "ended_by_host", json_boolean(e->ended_by_host), &ok);
	host_status status = ok ? json_print(root, stdout) : host_fail_memory("the figures");
	json_decref(root);
	return status;
}

static void print_text(const example *e)
{
	printf("%llu frames due, %llu sent, %llu without a free slot, %llu left out by the host; %.2f s, at most %.1f "
	       "ms late\n",
		(unsigned long long)e->due, (unsigned long long)e->sent, (unsigned long long)e->lost,
		(unsigned long long)e->facts.left_out, e->wall_s, 1e3 * e->late_max_s);
}

static host_status run(const example_options *o)
{
	example e = {.o = o};
	host_status status = load(&e);
	if (!status)
		status = play(&e);
	if (!status && o->json)
		status = print_json(&e);
	else if (!status)
		print_text(&e);
	unload(&e);
	return status;
}

int main(int argc, char **argv)
{
	example_options o = {.loop = 1, .timeout_s = 30.0, .frames = {0, INT64_MAX}};
	option_def table[] = {
		{"socket", OPTION_TEXT, &o.socket, 0, 0, "PATH", "where the host made its socket", NULL, false},
		{"fps", OPTION_NUMBER, &o.fps, 0.01, 1e5, "HZ", "rate (default: the host's wish, else the dataset's)",
			NULL, false},
		{"loop", OPTION_INTEGER, &o.loop, 1, 1e6, "N", "play it so often (default 1)", NULL, false},
		{"duration", OPTION_NUMBER, &o.duration_s, 0.01, 1e6, "S", "play for so long, however often", NULL,
			false},
		{"frames", OPTION_RANGE, o.frames, 0, 0, "A:B", "frames A to B only, from 0, B not included", NULL,
			false},
		{"slots", OPTION_INTEGER, &o.slots, 0, 32, "N", "slots to ask for (default: as the host likes)", NULL,
			false},
		{"timeout", OPTION_NUMBER, &o.timeout_s, 0, 1e6, "S", "wait so long for the host (default 30)", NULL,
			false},
		{"stay", OPTION_FLAG, &o.stay, 0, 0, NULL, "do not end the scan: go as a driver that died", NULL,
			false},
		{"json", OPTION_FLAG, &o.json, 0, 0, NULL, "print the figures as JSON on stdout", NULL, false},
	};
	options_def def = {"DATASET --socket PATH [options]", about, table, sizeof table / sizeof *table, 1, 1};
	options_result parsed;
	host_set_program("enamel-driver-example");
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	o.folder = parsed.positional[0];
	if (!status && !o.socket)
		status = host_fail(HOST_USAGE, "--socket: missing (wanted PATH)");
	if (!status)
		status = run(&o);
	return status ? host_report_failure(status) : HOST_OK;
}
