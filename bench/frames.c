/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <stdio.h>
#include <string.h>

#include "file.h"
#include "json.h"
#include "options.h"

static const char about[] =
	"Times the frame loop on frames that lie in memory, again and again, as a stream (two frames under way) and "
	"one by\n"
	"one, and measures the device's copies and empty launches beside it. Each run is a scan of its own. Ends with "
	"1\n"
	"when two runs do not give the same poses, bit for bit. What the figures mean: bench/README.md.";

static const char *const switches[] = {"off", "on", NULL};
static const char *const color_switches[] = {"off", "on", "auto", NULL};

static host_status run(const frames_options *o)
{
	frames_input in;
	frames_result r = {0};
	json_t *root = NULL;
	host_status status = o->json ? file_check_output(o->json) : HOST_OK;
	if (!status)
		status = frames_input_load(o, &in);
	if (status)
		return status;
	status = frames_run(o, &in, &r);
	if (!status) {
		root = frames_figures(o, &in, &r);
		status = root ? HOST_OK : host_fail_memory("the figures");
	}
	if (!status && o->json)
		status = json_file_write(o->json, root);
	json_decref(root);
	frames_result_free(&r);
	frames_input_free(&in);
	return status;
}

int main(int argc, char **argv)
{
	frames_options o = {.frames = {0, INT64_MAX},
		.repeats = 5,
		.warm_up = 30,
		.color = FRAMES_AUTO,
		.stage_times = FRAMES_ON,
		.rates = FRAMES_ON};
	option_def table[] = {
		{"frames", OPTION_RANGE, o.frames, 0, 0, "A:B", "frames A to B only, from 0, B not included", NULL,
			false},
		{"repeats", OPTION_INTEGER, &o.repeats, 1, 99, "N", "runs of each kind (default 5)", NULL, false},
		{"voxel-mm", OPTION_NUMBER, &o.voxel_mm, 1e-3, 1e3, "MM",
			"edge of a voxel (0.1 for teeth, 10 for rooms)", NULL, false},
		{"truncation-mm", OPTION_NUMBER, &o.truncation_mm, 2e-3, 1.6e4, "MM",
			"half width of the band around the surface, 2 to 16 voxels", NULL, false},
		{"device", OPTION_TEXT, &o.device, 0, 0, "N|NAME", "index of 'enamel devices', or part of a name", NULL,
			false},
		{"color", OPTION_CHOICE, &o.color, 0, 0, "WHEN", "on, off, auto: where the dataset has it (default)",
			color_switches, false},
		{"stage-times", OPTION_CHOICE, &o.stage_times, 0, 0, "WHEN",
			"on (default), off: a run more, with device times per stage", switches, false},
		{"rates", OPTION_CHOICE, &o.rates, 0, 0, "WHEN",
			"on (default), off: measure copies and launches, and give the stages' floors", switches, false},
		{"warm-up", OPTION_INTEGER, &o.warm_up, 0, 10000, "N", "frames before anything counts (default 30)",
			NULL, false},
		{"reset", OPTION_FLAG, &o.reset, 0, 0, NULL,
			"empty one session for each run instead of making a new one", NULL, false},
		{"label", OPTION_TEXT, &o.label, 0, 0, "TEXT", "a name for this case in the result", NULL, false},
		{"json", OPTION_TEXT, &o.json, 0, 0, "FILE", "the figures as JSON", NULL, false},
	};
	options_def def = {"DATASET [options]", about, table, sizeof(table) / sizeof(*table), 1, 1};
	options_result parsed;
	host_set_program("enamel-frames");
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	if (!status) {
		o.folder = parsed.positional[0];
		status = run(&o);
	}
	return status ? host_report_failure(status) : HOST_OK;
}
