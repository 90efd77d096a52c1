/* SPDX-License-Identifier: Apache-2.0
 * `enamel replay`: options and checks. What it does then is in replay_run.c. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "file.h"
#include "options.h"
#include "prepare.h"
#include "refine.h"
#include "replay.h"
#include "view.h"

static const char about[] =
	"Stitches a recorded dataset: a recording (*.enmrec), or a folder with camera.json, of TUM RGB-D or 7-Scenes,\n"
	"in mm or m (host/DATASET.md).\n"
	"Mesh by extension: .ply (binary, with normals, colour and quality), .stl or .obj, in the dataset's unit.\n"
	"Damaged frames are named and left out. Voxel and truncation follow the data's scale if not given.";

/* The choices of --tracker, in the order of enm_tracker. */
static const char *const trackers[] = {"field", "raycast", NULL};

static bool is_mesh(const char *path)
{
	return path_has_extension(path, ".ply") || path_has_extension(path, ".stl") || path_has_extension(path, ".obj");
}

static host_status check_outputs(const replay_options *o)
{
	const char *const paths[] = {o->out, o->also, o->trajectory, o->frame_log, o->report, o->preview, o->certificate, o->view_screenshot, o->keep_calibration};
	const size_t count = sizeof paths / sizeof *paths;
	if (!o->out)
		return host_fail(HOST_USAGE, "--out: missing (wanted FILE ending in .ply, .stl or .obj)");
	if (!is_mesh(o->out))
		return host_fail(HOST_USAGE, "--out: '%s' ends in none of .ply, .stl, .obj", o->out);
	if (o->also && !is_mesh(o->also))
		return host_fail(HOST_USAGE, "--also: '%s' ends in none of .ply, .stl, .obj", o->also);
	if (o->preview && !path_has_extension(o->preview, ".png"))
		return host_fail(HOST_USAGE, "--preview: '%s' does not end in .png", o->preview);
	if (o->certificate && !path_has_extension(o->certificate, ".png"))
		return host_fail(HOST_USAGE, "--certificate: '%s' does not end in .png", o->certificate);
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < count; i++) {
		for (size_t j = 0; !status && paths[i] && j < i; j++)
			if (paths[j] && !strcmp(paths[i], paths[j]))
				status = host_fail(HOST_USAGE, "'%s' is given for two outputs", paths[i]);
		if (!status && paths[i])
			status = file_check_output(paths[i]);
	}
	return status;
}

static host_status check_refine(const replay_options *o)
{
	if ((o->keep_calibration || o->scale_reference || o->distances) && o->refine < 0)
		return host_fail(HOST_USAGE, "--keep-calibration, --scale-reference, --distances: wanted only with --refine");
	if (o->poses_only && o->refine < 0)
		return host_fail(HOST_USAGE, "--poses-only: wanted only with --refine");
	if (o->poses_only && o->keep_calibration)
		return host_fail(HOST_USAGE, "--poses-only: finds no systematic error for --keep-calibration");
	return HOST_OK;
}

static host_status check_viewer(const replay_options *o)
{
	if (!o->view && (o->view_screenshot || o->view_close_s > 0.0))
		return host_fail(HOST_USAGE, "--view-screenshot, --view-close-s: wanted only with --view");
	if (!o->view && o->view_size[0])
		return host_fail(HOST_USAGE, "--view-size: wanted only with --view");
	if (o->view && !view_is_built())
		return host_fail(HOST_USAGE, "--view: this enamel was built without the viewer");
	if (o->view_screenshot && !path_has_extension(o->view_screenshot, ".png"))
		return host_fail(HOST_USAGE, "--view-screenshot: '%s' does not end in .png", o->view_screenshot);
	return HOST_OK;
}

int command_replay(int argc, char **argv)
{
	replay_options o = {.frames = {0, INT64_MAX}, .tracker = -1, .refine = -1};
	option_def table[] = {
		{"out", OPTION_TEXT, &o.out, 0, 0, "FILE", "the mesh: .ply, .stl or .obj", NULL, false},
		{"also", OPTION_TEXT, &o.also, 0, 0, "FILE", "the mesh once more, say as .stl", NULL, false},
		{"trajectory", OPTION_TEXT, &o.trajectory, 0, 0, "FILE", "poses of the tracked frames, TUM form", NULL,
			false},
		{"frame-log", OPTION_TEXT, &o.frame_log, 0, 0, "FILE", "what the engine found, a line for each frame",
			NULL, false},
		{"report", OPTION_TEXT, &o.report, 0, 0, "FILE", "what happened, as JSON (schema: host/REPORT.md)",
			NULL, false},
		{"preview", OPTION_TEXT, &o.preview, 0, 0, "FILE", "four shaded views in one PNG", NULL, false},
		{"certificate", OPTION_TEXT, &o.certificate, 0, 0, "FILE", "a page as PNG that says how far the scan can be trusted", NULL, false},
		{"voxel-mm", OPTION_NUMBER, &o.voxel_mm, 1e-3, 1e3, "MM",
			"edge of a voxel (0.1 for teeth, 10 for rooms)", NULL, false},
		{"truncation-mm", OPTION_NUMBER, &o.truncation_mm, 2e-3, 1.6e4, "MM",
			"half width of the band around the surface, 2 to 16 voxels", NULL, false},
		{"device", OPTION_TEXT, &o.device, 0, 0, "N|NAME", "index of 'enamel devices', or part of a name", NULL,
			false},
		{"start-at-truth", OPTION_FLAG, &o.start_at_truth, 0, 0, NULL,
			"begin at the true pose of the first frame", NULL, false},
		{"frames", OPTION_RANGE, o.frames, 0, 0, "A:B", "frames A to B only, from 0, B not included", NULL,
			false},
		{"camera", OPTION_TEXT, &o.camera, 0, 0, "FILE", "this camera.json instead of the dataset's", NULL,
			false},
		{"strict", OPTION_FLAG, &o.strict, 0, 0, NULL, "stop at a frame that cannot be read", NULL, false},
		{"no-recover", OPTION_FLAG, &o.no_recover, 0, 0, NULL,
			"after a loss wait where it was lost, instead of looking for the way back", NULL, false},
		{"keep-foreign", OPTION_FLAG, &o.keep_foreign, 0, 0, NULL,
			"let what moves through the view (tongue, cheek, finger) become part of the model", NULL,
			false},
		{"all-frames", OPTION_FLAG, &o.all_frames, 0, 0, NULL,
			"of a live scan's recording also the frames that were skipped then", NULL, false},
		{"tracker", OPTION_CHOICE, &o.tracker, 0, 0, "NAME", "field (default), or raycast for comparison",
			trackers, false},
		{"refine", OPTION_CHOICE, &o.refine, 0, 0, "LEVEL",
			"at the end solve all poses and the depth's systematic error together: low, standard or high", refine_levels, false},
		{"poses-only", OPTION_FLAG, &o.poses_only, 0, 0, NULL,
			"with --refine: solve the poses alone, and take the depth's systematic error to be what the camera file says", NULL, false},
		{"close-loops", OPTION_CHOICE, &o.close_loops, 0, 0, "WHEN",
			"solve poses and the depth's systematic error together, which keeps a jaw from bending: scanning (default), end or never", loops_names, false},
		{"spill", OPTION_TEXT, &o.spill, 0, 0, "FILE", "for frames kept beyond 1 GiB of memory; removed at the end (default: beside --out)", NULL, false},
		{"keep-calibration", OPTION_TEXT, &o.keep_calibration, 0, 0, "FILE",
			"with --refine: a camera.json with the systematic error found, for --camera of later scans", NULL, false},
		{"scale-reference", OPTION_TEXT, &o.scale_reference, 0, 0, "FILE", "with --refine: JSON of spheres of known places in the scan; tells the error of scale", NULL,
			false},
		{"distances", OPTION_TEXT, &o.distances, 0, 0, "FILE", "with --refine: JSON of named points; the distances between them, and how sure they are", NULL, false},
		{"view", OPTION_FLAG, &o.view, 0, 0, NULL, "show the growing model in a window", NULL, false},
		{"view-size", OPTION_SIZE, o.view_size, 1, 8192, "WxH", "with --view: pixels of the window (1280x840)", NULL, false},
		{"view-screenshot", OPTION_TEXT, &o.view_screenshot, 0, 0, "FILE",
			"with --view: a PNG of the window when it closes", NULL, false},
		{"view-close-s", OPTION_NUMBER, &o.view_close_s, 0.01, 1e6, "S",
			"with --view: close the window this long after the work is done", NULL, false},
		{"json", OPTION_FLAG, &o.json, 0, 0, NULL, "print the report on stdout and nothing else", NULL, false},
	};
	options_def def = {"DATASET --out FILE [options]", about, table, sizeof table / sizeof *table, 1, 1};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	o.folder = parsed.positional[0];
	if (!status)
		status = check_viewer(&o);
	if (!status)
		status = check_refine(&o);
	if (!status)
		status = check_outputs(&o);
	if (!status)
		status = replay_run(&o);
	return status ? host_report_failure(status) : HOST_OK;
}
