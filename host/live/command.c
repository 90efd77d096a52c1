/* SPDX-License-Identifier: Apache-2.0
 * `enamel live`, `resume` and `refine`: options and checks. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "file.h"
#include "live/live.h"
#include "options.h"
#include "refine.h"
#include "view.h"

static const char about_live[] =
	"Stitches frames as they come, and records them. The session's folder must not be there yet, or be empty; it\n"
	"gets the recording, events, poses, mesh and report. Ends with the source, after --duration, or by Ctrl-C,\n"
	"always in order. Sources: folder:DATASET (also a recording) in real time, sim[:ARGUMENTS of enamel simulate],\n"
	"socket:PATH[,uid=N], where a scanner's driver connects, v4l2:DEVICE,camera=FILE and plugin:FILE.so[,TEXT];\n"
	"host/source/README.md tells of all. What there is no time for is skipped in this order: pictures in the window,\n"
	"then the tracking of single frames, which is counted and named; never the recording.";

static const char about_resume[] =
	"Builds the model of a session again from its recordings, also after a crash, and writes its outputs. With\n"
	"--source the scan goes on, into a further recording; --fps, --duration, --wait and --view are for that.";

static const char about_refine[] =
	"Solves all poses of a session and the depth's systematic error together, from its recordings. What comes out\n"
	"appears whole or not at all, in the session's folder, as refined-LEVEL. What was interrupted goes on from the last round.";

static const char *const trackers[] = {"field", "raycast", NULL};

typedef struct wishes {
	live_options o;
	int64_t record_queue;
} wishes;

static wishes wishes_default(void)
{
	return (wishes){.o = {.hang_s = LIVE_HANG_S}, .record_queue = LIVE_RECORD_QUEUE};
}

#define OPTIONS_SHARED 17
#define OPTIONS_LIVE 8

static void fill_shared(wishes *w, option_def table[OPTIONS_SHARED])
{
	live_options *o = &w->o;
	const option_def shared[OPTIONS_SHARED] = {
		{"source", OPTION_TEXT, &o->source, 0, 0, "KIND[:WHAT]", "where the frames come from", NULL, false},
		{"fps", OPTION_NUMBER, &o->fps, 0.01, 1e4, "HZ", "frames a second, where the source can choose", NULL,
			false},
		{"duration", OPTION_NUMBER, &o->duration_s, 0.01, 1e6, "S", "end this long after the first frame", NULL,
			false},
		{"wait", OPTION_NUMBER, &o->wait_s, 0.01, 1e6, "S", "for the source to be there (default 60)", NULL,
			false},
		{"hang-s", OPTION_NUMBER, &o->hang_s, 0.1, 1e4, "S",
			"without a frame done until the device counts as hung (default 10)", NULL, false},
		{"record-queue", OPTION_INTEGER, &w->record_queue, 1, 4096, "N",
			"frames that may wait to be written (default 64)", NULL, false},
		{"device", OPTION_TEXT, &o->device, 0, 0, "N|NAME", "index of 'enamel devices', or part of a name",
			NULL, false},
		{"out", OPTION_TEXT, &o->files.out, 0, 0, "FILE", "the mesh (default SESSION/mesh.ply)", NULL, false},
		{"also", OPTION_TEXT, &o->files.also, 0, 0, "FILE", "the mesh once more, say as .stl", NULL, false},
		{"report", OPTION_TEXT, &o->files.report, 0, 0, "FILE", "what happened (default SESSION/report.json)",
			NULL, false},
		{"preview", OPTION_TEXT, &o->files.preview, 0, 0, "FILE", "four shaded views in one PNG", NULL, false},
		{"certificate", OPTION_TEXT, &o->files.certificate, 0, 0, "FILE",
			"a page as PNG that says how far the scan can be trusted", NULL, false},
		{"view", OPTION_FLAG, &o->view, 0, 0, NULL, "show the growing model in a window", NULL, false},
		{"view-size", OPTION_SIZE, o->view_size, 1, 8192, "WxH", "with --view: pixels of the window (1280x840)", NULL, false},
		{"view-screenshot", OPTION_TEXT, &o->view_screenshot, 0, 0, "FILE",
			"with --view: a PNG of the window when it closes", NULL, false},
		{"view-close-s", OPTION_NUMBER, &o->view_close_s, 0.01, 1e6, "S",
			"with --view: close the window this long after the work is done", NULL, false},
		{"json", OPTION_FLAG, &o->files.json, 0, 0, NULL, "print the report on stdout and nothing else", NULL,
			false},
	};
	memcpy(table, shared, sizeof shared);
}

static void fill_live(wishes *w, option_def table[OPTIONS_LIVE])
{
	scan_settings *s = &w->o.settings;
	const option_def live[OPTIONS_LIVE] = {
		{"session", OPTION_TEXT, &w->o.session, 0, 0, "FOLDER", "what is kept of the scan", NULL, false},
		{"voxel-mm", OPTION_NUMBER, &s->voxel_mm, 1e-3, 1e3, "MM",
			"edge of a voxel (0.1 for teeth, 10 for rooms)", NULL, false},
		{"truncation-mm", OPTION_NUMBER, &s->truncation_mm, 2e-3, 1.6e4, "MM",
			"half width of the band around the surface, 2 to 16 voxels", NULL, false},
		{"no-recover", OPTION_FLAG, &s->no_recover, 0, 0, NULL, "after a loss wait where it was lost", NULL,
			false},
		{"close-loops", OPTION_CHOICE, &s->close_loops, 0, 0, "WHEN",
			"solve poses and the depth's systematic error together: scanning (default), end (default on a CPU) or never", loops_names, false},
		{"keep-foreign", OPTION_FLAG, &s->keep_foreign, 0, 0, NULL,
			"let what moves through the view become part of the model", NULL, false},
		{"tracker", OPTION_CHOICE, &s->tracker, 0, 0, "NAME", "field (default), or raycast for comparison",
			trackers, false},
		{"trajectory", OPTION_TEXT, &w->o.files.trajectory, 0, 0, "FILE",
			"poses (default SESSION/trajectory.txt)", NULL, false},
	};
	memcpy(table, live, sizeof live);
}

static bool is_mesh(const char *path)
{
	return path_has_extension(path, ".ply") || path_has_extension(path, ".stl") || path_has_extension(path, ".obj");
}

static host_status check_files(const live_options *o)
{
	const char *const paths[] = {o->files.out, o->files.also, o->files.report, o->files.trajectory,
		o->files.preview, o->files.certificate, o->view_screenshot};
	host_status status = HOST_OK;
	for (size_t i = 0; i < 2; i++)
		if (paths[i] && !is_mesh(paths[i]))
			return host_fail(HOST_USAGE, "%s: '%s' ends in none of .ply, .stl, .obj",
				i ? "--also" : "--out", paths[i]);
	for (size_t i = 4; i < 7; i++)
		if (paths[i] && !path_has_extension(paths[i], ".png"))
			return host_fail(HOST_USAGE, "'%s' does not end in .png", paths[i]);
	for (size_t i = 0; !status && i < sizeof paths / sizeof *paths; i++)
		if (paths[i])
			status = file_check_output(paths[i]);
	return status;
}

static host_status check(wishes *w)
{
	const live_options *o = &w->o;
	w->o.record_queue = (uint32_t)w->record_queue;
	if (!o->view && (o->view_screenshot || o->view_close_s > 0.0))
		return host_fail(HOST_USAGE, "--view-screenshot, --view-close-s: wanted only with --view");
	if (!o->view && o->view_size[0])
		return host_fail(HOST_USAGE, "--view-size: wanted only with --view");
	if (o->view && !view_is_built())
		return host_fail(HOST_USAGE, "--view: this enamel was built without the viewer");
	if (!o->source && (o->view || o->fps > 0.0 || o->duration_s > 0.0 || o->wait_s > 0.0))
		return host_fail(HOST_USAGE, "--view, --fps, --duration, --wait: wanted only with --source");
	return check_files(o);
}

int command_live(int argc, char **argv)
{
	wishes w = wishes_default();
	option_def table[OPTIONS_SHARED + OPTIONS_LIVE];
	fill_shared(&w, table);
	fill_live(&w, table + OPTIONS_SHARED);
	options_def def = {"--source KIND[:WHAT] --session FOLDER [options]", about_live, table,
		OPTIONS_SHARED + OPTIONS_LIVE, 0, 0};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	if (!status && !w.o.source)
		status = host_fail(HOST_USAGE, "--source: missing (wanted KIND[:WHAT], such as folder:DATASET or sim)");
	if (!status && !w.o.session)
		status = host_fail(HOST_USAGE, "--session: missing (wanted a folder for the scan)");
	if (!status)
		status = check(&w);
	if (!status)
		status = live_run(&w.o, &feed_engine_real);
	return status ? host_report_failure(status) : HOST_OK;
}

int command_resume(int argc, char **argv)
{
	wishes w = wishes_default();
	option_def table[OPTIONS_SHARED];
	fill_shared(&w, table);
	options_def def = {"SESSION [--source KIND[:WHAT]] [options]", about_resume, table, OPTIONS_SHARED, 1, 1};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	w.o.session = parsed.positional[0];
	if (!status)
		status = check(&w);
	if (!status)
		status = live_resume(&w.o, &feed_engine_real);
	return status ? host_report_failure(status) : HOST_OK;
}

int command_refine(int argc, char **argv)
{
	live_refine_options o = {.level = ENM_REFINE_STANDARD};
	option_def table[] = {
		{"level", OPTION_CHOICE, &o.level, 0, 0, "LEVEL", "low, standard (default) or high", refine_levels,
			false},
		{"device", OPTION_TEXT, &o.device, 0, 0, "N|NAME", "index of 'enamel devices', or part of a name", NULL,
			false},
		{"certificate", OPTION_FLAG, &o.certificate, 0, 0, NULL,
			"also a page as PNG that says how far the scan can be trusted", NULL, false},
		{"json", OPTION_FLAG, &o.json, 0, 0, NULL, "print the report on stdout and nothing else", NULL, false},
	};
	options_def def = {"SESSION [options]", about_refine, table, sizeof table / sizeof *table, 1, 1};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	o.session = parsed.positional[0];
	if (!status)
		status = live_refine(&o);
	return status ? host_report_failure(status) : HOST_OK;
}
