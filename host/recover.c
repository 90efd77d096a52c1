/* SPDX-License-Identifier: Apache-2.0
 * `enamel recover` and `enamel cut`: a recording's whole packets into a new file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camera.h"
#include "command.h"
#include "copy.h"
#include "file.h"
#include "json.h"
#include "options.h"

static const char recover_about[] =
	"Writes a repaired copy: every packet that is whole, with header and index. Says what was lost, and ends\n"
	"with 0 when a copy was written. The copy appears whole or not at all; the original is not touched.";

static const char cut_about[] =
	"Writes the part of a recording between two times, in seconds since its first frame, with all files that it\n"
	"carries. Nothing is packed anew.";

static host_status check_output(const char *in, const char *out)
{
	if (!path_has_extension(out, ".enmrec"))
		return host_fail(HOST_USAGE, "'%s' does not end in .enmrec", out);
	if (!strcmp(in, out))
		return host_fail(HOST_USAGE, "'%s' is given twice: the original stays as it is", in);
	return file_check_output(out);
}

/* The text of --camera, once it is known to be one. */
static host_status read_camera(const char *path, char **out)
{
	camera_file camera;
	size_t size;
	*out = NULL;
	host_status status = path ? camera_read(path, &camera) : HOST_OK;
	return status || !path ? status : file_read(path, 1 << 20, (uint8_t **)out, &size);
}

static host_status print_json(const recording *r, const copy_def *def, const copy_stats *s)
{
	bool ok = true;
	json_t *root = json_object(), *list = json_array();
	for (size_t i = 0; i < r->damage_count; i++) {
		char text[256];
		recording_damage_text(&r->damages[i], text, sizeof text);
		ok = !json_array_append_new(list, json_string(text)) && ok;
	}
	json_put(root, "file", json_foreign(def->path), &ok);
	json_put(root, "frames", json_integer((json_int_t)s->frames), &ok);
	json_put(root, "bytes", json_integer((json_int_t)s->bytes), &ok);
	json_put(root, "was_closed", json_boolean(r->closed), &ok);
	json_put(root, "packets_lost", json_integer((json_int_t)(recording_lost_packets(r) + s->unreadable)), &ok);
	json_put(root, "bytes_lost", json_integer((json_int_t)recording_lost_bytes(r)), &ok);
	json_put(root, "damages", list, &ok);
	host_status status = ok ? json_print(root, stdout) : host_fail_memory("the report");
	json_decref(root);
	return status;
}

static void print_text(const recording *r, const copy_def *def, const copy_stats *s)
{
	for (size_t i = 0; i < r->damage_count; i++) {
		char text[256];
		recording_damage_text(&r->damages[i], text, sizeof text);
		printf("%s: %s\n", r->path, text);
	}
	if (!r->closed)
		printf("%s: was not closed\n", r->path);
	printf("%s: %llu frames, %.1f MB; %llu packets lost\n", def->path, (unsigned long long)s->frames,
		1e-6 * (double)s->bytes, (unsigned long long)(recording_lost_packets(r) + s->unreadable));
}

/* Cutting trusts a good index, recovering reads every byte. */
static host_status copy_run(const char *in, const char *camera_path, recording_open_mode mode, copy_def *def, bool json)
{
	recording *r = NULL;
	char *camera = NULL;
	copy_stats stats;
	host_status status = check_output(in, def->path);
	if (!status)
		status = read_camera(camera_path, &camera);
	if (!status)
		status = recording_open(in, mode, NULL, &r);
	def->camera = camera;
	if (!status)
		status = recording_copy(r, def, &stats);
	if (!status && json)
		status = print_json(r, def, &stats);
	else if (!status)
		print_text(r, def, &stats);
	recording_close(&r);
	free(camera);
	return status;
}

int command_recover(int argc, char **argv)
{
	const char *camera = NULL;
	bool json = false;
	option_def table[] = {
		{"camera", OPTION_TEXT, &camera, 0, 0, "FILE", "a camera.json, where every copy of the header is lost",
			NULL, false},
		{"json", OPTION_FLAG, &json, 0, 0, NULL, "print what was lost as JSON on stdout", NULL, false},
	};
	options_def def = {
		"FILE.enmrec OUT.enmrec [options]", recover_about, table, sizeof table / sizeof *table, 2, 2};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	copy_def copy = {.path = parsed.positional[1], .from_s = (double)-INFINITY, .to_s = (double)INFINITY};
	if (!status)
		status = copy_run(parsed.positional[0], camera, RECORDING_CHECK, &copy, json);
	return status ? host_report_failure(status) : HOST_OK;
}

int command_cut(int argc, char **argv)
{
	copy_def copy = {.from_s = 0.0, .to_s = (double)INFINITY};
	bool json = false;
	option_def table[] = {
		{"from", OPTION_NUMBER, &copy.from_s, 0, 1e9, "S", "begin with the frame at this time (default 0)",
			NULL, false},
		{"to", OPTION_NUMBER, &copy.to_s, 0, 1e9, "S", "end before the frame at this time (default: the end)",
			NULL, false},
		{"json", OPTION_FLAG, &json, 0, 0, NULL, "print what was done as JSON on stdout", NULL, false},
	};
	options_def def = {"FILE.enmrec OUT.enmrec [options]", cut_about, table, sizeof table / sizeof *table, 2, 2};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	if (!status && !(copy.from_s < copy.to_s))
		status = host_fail(
			HOST_USAGE, "--from, --to: nothing lies from %g to before %g", copy.from_s, copy.to_s);
	copy.path = parsed.positional[1];
	if (!status)
		status = copy_run(parsed.positional[0], NULL, RECORDING_BY_INDEX, &copy, json);
	return status ? host_report_failure(status) : HOST_OK;
}
