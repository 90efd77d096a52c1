/* SPDX-License-Identifier: Apache-2.0
 * A simulated scan in real time, for machines without a scanner. All frames are rendered and in memory before the first
 * is due, so that neither disk nor decoding is in what is measured. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carry.h"
#include "dataset.h"
#include "folder.h"
#include "pace.h"
#include "program.h"
#include "source.h"

#define ARGUMENTS_MAX 64
#define SECONDS_MAX 10.0 /* rendered; a longer scan goes back and forth over them */
#define BYTES_MAX ((size_t)2 << 30)

typedef struct simulator {
	camera_file camera;
	char *camera_json;
	uint16_t *depth; /* of all frames */
	uint8_t *rgb;    /* the same, or NULL */
	size_t frames, pixels;
	source_pace pace;
	uint64_t given;
} simulator;

/* There and back: 0 1 2 3 2 1 0 1 ..., so that the camera never jumps. */
static size_t picture_of(const simulator *s, uint64_t number)
{
	if (s->frames < 2)
		return 0;
	const uint64_t period = 2 * (uint64_t)s->frames - 2, at = number % period;
	return (size_t)(at < s->frames ? at : period - at);
}

static source_state next_frame(void *state, double timeout_s, source_frame *out)
{
	simulator *s = state;
	const double at_s = (double)s->given / s->camera.fps;
	if (!source_pace_wait(&s->pace, at_s, timeout_s, &out->arrived_s))
		return SOURCE_WAIT;
	const size_t picture = picture_of(s, s->given);
	memcpy(out->depth, s->depth + picture * s->pixels, s->pixels * sizeof *out->depth);
	out->has_color = s->rgb != NULL;
	if (s->rgb)
		memcpy(out->rgb, s->rgb + 3 * picture * s->pixels, 3 * s->pixels);
	out->number = s->given++;
	out->time_s = at_s;
	return SOURCE_FRAME;
}

static bool notice(void *state, char text[SOURCE_REASON_BYTES])
{
	(void)state;
	(void)text;
	return false;
}

static json_t *report(void *state)
{
	const simulator *s = state;
	return source_pace_report(&s->pace, s->given, "pictures", s->frames);
}

static void destroy(void *state)
{
	simulator *s = state;
	free(s->camera_json);
	free(s->depth);
	free(s->rgb);
	free(s);
}

static const source_ops ops = {"simulator", next_frame, notice, report, destroy};

static host_status load_frames(simulator *s, const dataset *d)
{
	const size_t bytes = s->pixels * (d->has_color ? 5 : 2);
	dataset_reading reading;
	if (d->frame_count > BYTES_MAX / bytes)
		return host_fail(HOST_USAGE, "--source: sim: %zu frames of %ux%u are more than 2 GiB: give --frames N",
			d->frame_count, d->camera.camera.width, d->camera.camera.height);
	s->depth = malloc(d->frame_count * s->pixels * sizeof *s->depth);
	s->rgb = d->has_color ? malloc(3 * d->frame_count * s->pixels) : NULL;
	if (!s->depth || (d->has_color && !s->rgb))
		return host_fail_memory("the simulated frames");
	for (size_t i = 0; i < d->frame_count; i++) {
		uint8_t *rgb = s->rgb ? s->rgb + 3 * s->frames * s->pixels : NULL;
		dataset_load_frame(d, i, s->depth + s->frames * s->pixels, rgb, &reading);
		if (!reading.usable || (s->rgb && !reading.has_color))
			return host_fail_file(HOST_IO, d->frames[i].depth, "%s",
				*reading.reason ? reading.reason : reading.color_reason);
		s->frames++;
	}
	return HOST_OK;
}

static host_status load(simulator *s, const char *folder)
{
	dataset d;
	carry_header header = {0};
	host_status status = dataset_open(folder, NULL, &d);
	if (status)
		return status;
	status = carry_header_make(&d, NULL, &header);
	s->camera = d.camera;
	s->camera_json = header.camera;
	header.camera = NULL;
	s->pixels = (size_t)d.camera.camera.width * d.camera.camera.height;
	if (!status)
		status = load_frames(s, &d);
	carry_header_free(&header);
	dataset_close(&d);
	return status;
}

static bool is_given(char **arguments, int count, const char *option)
{
	const size_t length = strlen(option);
	for (int i = 0; i < count; i++)
		if (!strncmp(arguments[i], option, length) &&
			(arguments[i][length] == 0 || arguments[i][length] == '='))
			return true;
	return false;
}

/* The arguments between spaces, then the folder, then what is not given: rate and number of frames. */
static host_status simulate(const source_open_def *def, char *words, char *folder)
{
	char *argv[ARGUMENTS_MAX + 8], *rest = NULL, fps_text[32], frames_text[32];
	static char fps_option[] = "--fps", frames_option[] = "--frames", force[] = "--force", body[] = "arch";
	const double fps = def->fps > 0.0 ? def->fps : 30.0;
	const double seconds = def->duration_s > 0.0 && def->duration_s < SECONDS_MAX ? def->duration_s : SECONDS_MAX;
	int count = 1;
	argv[count++] = body;
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (count == ARGUMENTS_MAX)
			return host_fail(HOST_USAGE, "--source: sim: more than %d arguments", ARGUMENTS_MAX - 2);
		if (count == 2 && argv[1] == body && *word != '-')
			argv[1] = word; /* the body comes first */
		else
			argv[count++] = word;
	}
	if (def->fps > 0.0 && is_given(argv + 1, count - 1, fps_option))
		return host_fail(HOST_USAGE, "--source: sim: the rate is given by both --fps and its own arguments");
	snprintf(fps_text, sizeof fps_text, "%.17g", fps);
	snprintf(frames_text, sizeof frames_text, "%.0f", seconds * fps < 2.0 ? 2.0 : seconds * fps);
	if (def->fps > 0.0) {
		argv[count++] = fps_option;
		argv[count++] = fps_text;
	}
	if (!is_given(argv + 1, count - 1, frames_option)) {
		argv[count++] = frames_option;
		argv[count++] = frames_text;
	}
	argv[count++] = force;
	for (int i = count; i > 2; i--) /* the folder is the second positional, behind the body */
		argv[i] = argv[i - 1];
	argv[2] = folder;
	argv[count + 1] = NULL;
	return program_simulate(argv, def->stop);
}

static host_status render(const source_open_def *def, simulator *s)
{
	folder_output place;
	char path[FILE_PATH_MAX], folder[FILE_PATH_MAX], *words = strdup(def->what);
	const char *temporary = getenv("TMPDIR");
	if (!words)
		return host_fail_memory("a source of frames");
	host_status status = path_join(temporary && *temporary ? temporary : "/tmp", "enamel-live", path);
	if (!status)
		status = folder_begin_temporary(path, &place);
	if (status) {
		free(words);
		return status;
	}
	host_say("source: simulating (all frames are rendered before the first is due)");
	status = path_join(place.temporary, "scan", folder);
	if (!status)
		status = simulate(def, words, folder);
	if (!status)
		status = load(s, folder);
	folder_abandon(&place);
	free(words);
	return status;
}

host_status source_open_simulator(const source_open_def *def, source *out)
{
	simulator *s = calloc(1, sizeof *s);
	if (!s)
		return host_fail_memory("a source of frames");
	host_status status = render(def, s);
	if (status) {
		destroy(s);
		return status;
	}
	out->ops = &ops;
	out->state = s;
	out->facts = (source_facts){.camera = s->camera,
		.camera_json = s->camera_json,
		.depth_mm_per_unit = s->camera.mm_per_unit / s->camera.depth_scale,
		.has_color = s->rgb != NULL};
	return HOST_OK;
}
