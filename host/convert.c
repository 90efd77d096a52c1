/* SPDX-License-Identifier: Apache-2.0
 * `enamel convert`: folder to recording and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carry.h"
#include "command.h"
#include "file.h"
#include "folder.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "progress.h"
#include "unfold.h"

static const char about[] =
	"Makes a recording of a dataset folder, or a folder with camera.json of a recording. Pixels and times stay as\n"
	"they are, to the bit, and so do the files beside them (groundtruth.txt, truth.ply, ...); JPEG colour becomes\n"
	"PNG. OUT appears whole or not at all. Ends with 1 when something had to be left out, which is named.";

typedef struct convert_options {
	const char *in, *out, *camera;
	int64_t level;
	bool force, strict, json;
} convert_options;

typedef struct convert_result {
	size_t frames, colors, files, left_out;
} convert_result;

#define RECORDING_EXTENSION ".enmrec"

static host_status write_frames(const convert_options *o, const dataset *d, writer *w, convert_result *out)
{
	carry_buffer buffer = {0};
	const volatile sig_atomic_t *stop = interrupt_watch();
	host_status status = carry_buffer_make(d, &buffer);
	for (size_t i = 0; !status && i < d->frame_count; i++) {
		recording_frame frame;
		size_t left_out = 0;
		if (*stop) {
			status = host_fail(HOST_INTERRUPTED, "interrupted; nothing is written");
		} else if (carry_frame(d, i, &buffer, &frame, &left_out)) {
			status = writer_frame(w, &frame);
			out->colors += frame.rgb != NULL;
		} else {
			left_out++;
		}
		out->left_out += left_out;
		if (!status && left_out && o->strict)
			status = host_fail_file(HOST_USAGE, d->frames[i].depth, "cannot be read whole (--strict)");
		progress_show("%zu of %zu frames", i + 1, d->frame_count);
	}
	carry_buffer_free(&buffer);
	return status;
}

static host_status fill_recording(
	const convert_options *o, const dataset *d, const writer_def *def, convert_result *out)
{
	writer *w;
	writer_stats stats;
	char text[512];
	host_status status = writer_create(def, &w);
	if (status)
		return status;
	status = carry_files(d, w);
	out->files = (size_t)writer_so_far(w)->packets - 1; /* all but the header */
	if (!status)
		status = write_frames(o, d, w, out);
	if (!status && !writer_so_far(w)->frames)
		status = host_fail_file(HOST_DATA, o->in, "no frame can be read");
	snprintf(text, sizeof text, "%s", host_error_text());
	host_status closed = writer_close(&w, 0, &stats);
	out->frames = (size_t)stats.frames;
	return status ? host_fail(status, "%s", text) : closed;
}

static host_status to_recording(const convert_options *o, convert_result *out)
{
	dataset d;
	carry_header header = {0};
	file_output output = {0};
	host_status status = dataset_open(o->in, o->camera, &d);
	if (status)
		return status;
	if (*d.note)
		host_say("%s", d.note);
	status = carry_header_make(&d, o->camera, &header);
	if (!status)
		status = file_begin(o->out, &output);
	if (!status) {
		writer_def def = carry_writer_def(&d, &header);
		def.descriptor = fileno(output.stream);
		def.path = o->out;
		def.sync_s = -1.0;
		def.level = (int)o->level;
		status = fill_recording(o, &d, &def, out);
	}
	if (!status)
		status = file_commit(&output);
	file_abandon(&output);
	carry_header_free(&header);
	dataset_close(&d);
	return status;
}

static host_status to_folder(const convert_options *o, convert_result *out)
{
	recording *r;
	folder_output folder = {0};
	char *camera = NULL;
	size_t size;
	unfold_stats stats = {0};
	host_status status = recording_open(o->in, RECORDING_CHECK, NULL, &r);
	if (status)
		return status;
	if (o->camera)
		status = file_read(o->camera, 1 << 20, (uint8_t **)&camera, &size);
	if (!status)
		status = folder_begin(o->out, o->force, &folder);
	if (!status)
		status = unfold(r, camera, folder.temporary, interrupt_watch(), &stats);
	for (size_t i = 0; i < r->damage_count; i++) {
		char text[256];
		recording_damage_text(&r->damages[i], text, sizeof text);
		host_warn("%s: %s", o->in, text);
	}
	*out = (convert_result){stats.frames, stats.colors, stats.files, stats.left_out + r->damage_count};
	if (!status && !stats.frames)
		status = host_fail_file(HOST_DATA, o->in, "no frame can be read");
	if (!status && out->left_out && o->strict)
		status = host_fail_file(HOST_USAGE, o->in, "cannot be read whole (--strict)");
	if (!status)
		status = folder_commit(&folder);
	folder_abandon(&folder);
	free(camera);
	recording_close(&r);
	return status;
}

static host_status print_result(const convert_options *o, const convert_result *c)
{
	bool ok = true;
	if (!o->json) {
		printf("%s: %zu frames, %zu with colour, %zu other files\n", o->out, c->frames, c->colors, c->files);
		return HOST_OK;
	}
	json_t *root = json_object();
	json_put(root, "out", json_foreign(o->out), &ok);
	json_put(root, "frames", json_integer((json_int_t)c->frames), &ok);
	json_put(root, "colors", json_integer((json_int_t)c->colors), &ok);
	json_put(root, "files", json_integer((json_int_t)c->files), &ok);
	json_put(root, "left_out", json_integer((json_int_t)c->left_out), &ok);
	host_status status = ok ? json_print(root, stdout) : host_fail_memory("the report");
	json_decref(root);
	return status;
}

static host_status convert_run(const convert_options *o)
{
	convert_result result = {0};
	bool forward = file_is_folder(o->in);
	host_status status = HOST_OK;
	if (!file_exists(o->in))
		return host_fail_file(HOST_USAGE, o->in, "missing");
	if (!forward && path_has_extension(o->out, RECORDING_EXTENSION))
		return host_fail(HOST_USAGE, "'%s' is to become a recording, but '%s' is no folder", o->out, o->in);
	if (forward && !path_has_extension(o->out, RECORDING_EXTENSION))
		return host_fail(HOST_USAGE, "'%s' is a folder, and '%s' does not end in .enmrec", o->in, o->out);
	if (forward)
		status = file_check_output(o->out);
	progress_begin(!o->json);
	if (!status)
		status = forward ? to_recording(o, &result) : to_folder(o, &result);
	progress_end();
	if (!status)
		status = print_result(o, &result);
	if (!status && result.left_out)
		status = host_fail_file(
			HOST_DATA, o->in, "not all could be read; left out and named above: %zu", result.left_out);
	return status;
}

int command_convert(int argc, char **argv)
{
	convert_options o = {.level = 1};
	option_def table[] = {
		{"camera", OPTION_TEXT, &o.camera, 0, 0, "FILE", "this camera.json instead of the dataset's", NULL,
			false},
		{"level", OPTION_INTEGER, &o.level, -7, 19, "L", "of zstd, the larger the slower (default 1)", NULL,
			false},
		{"force", OPTION_FLAG, &o.force, 0, 0, NULL, "replace a dataset folder that is there", NULL, false},
		{"strict", OPTION_FLAG, &o.strict, 0, 0, NULL, "write nothing when something cannot be read", NULL,
			false},
		{"json", OPTION_FLAG, &o.json, 0, 0, NULL, "print what was done as JSON on stdout", NULL, false},
	};
	options_def def = {
		"FOLDER OUT.enmrec | FILE.enmrec FOLDER [options]", about, table, sizeof table / sizeof *table, 2, 2};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	o.in = parsed.positional[0];
	o.out = parsed.positional[1];
	if (!status)
		status = convert_run(&o);
	return status ? host_report_failure(status) : HOST_OK;
}
