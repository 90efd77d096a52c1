/* SPDX-License-Identifier: Apache-2.0
 * enamel-evaluate: measures a reconstruction against the truth. `enamel evaluate` starts it. */
#include "deviation.h"
#include "repeats.h"

#include "file.h"
#include "json.h"
#include "options.h"
#include "progress.h"

#include <string.h>

typedef struct outputs {
	const char *report_path, *picture_path, *arch_path;
	const char *deviation_path; /* nothing else is made then */
	double mm_per_unit;         /* of the meshes; 0: 1 */
	bool json;
} outputs;

static host_status check_outputs(const outputs *out)
{
	const char *const paths[] = {out->report_path, out->picture_path, out->arch_path};
	host_status status = HOST_OK;
	for (size_t i = 0; status == HOST_OK && i < sizeof(paths) / sizeof(paths[0]); i++)
		if (paths[i] != NULL)
			status = file_check_output(paths[i]);
	return status;
}

static host_status check(const request *r, const outputs *out)
{
	if (r->truth_path == NULL && r->dataset_path == NULL)
		return host_fail(HOST_USAGE, "nothing to compare with: give --dataset DIR or a second mesh");
	if (r->truth_path != NULL && r->dataset_path != NULL)
		return host_fail(HOST_USAGE, "--dataset: not together with a second mesh or --truth");
	if (r->dataset_path == NULL && r->trajectory_path != NULL)
		return host_fail(HOST_USAGE, "--trajectory: needs --dataset, which has the true poses");
	if (r->fused_path != NULL && r->trajectory_path == NULL)
		return host_fail(HOST_USAGE, "--fused: needs --trajectory");
	if (out->picture_path != NULL && !path_has_extension(out->picture_path, ".png"))
		return host_fail(HOST_USAGE, "--picture: '%s' does not end in .png", out->picture_path);
	if (out->arch_path != NULL && !path_has_extension(out->arch_path, ".png"))
		return host_fail(HOST_USAGE, "--arch-picture: '%s' does not end in .png", out->arch_path);
	return check_outputs(out);
}

static host_status write_report(const outputs *out, json_t *json)
{
	host_status status = json != NULL ? HOST_OK : host_fail_memory("the report");
	if (status == HOST_OK && out->report_path != NULL)
		status = json_file_write(out->report_path, json);
	if (status == HOST_OK && out->json)
		status = json_print(json, stdout);
	json_decref(json);
	return status;
}

static host_status write_out(const outputs *out, const inputs *in, const evaluation *e)
{
	host_status status = HOST_OK;
	if (out->picture_path != NULL && !e->has_surface)
		return host_fail(HOST_DATA, "--picture: there is no true surface to draw the distance from");
	if (out->arch_path != NULL && !e->has_along)
		return host_fail(HOST_DATA, "--arch-picture: there are no figures along the arch: %s",
			e->along.reason != NULL ? e->along.reason : "no true surface, or a room");
	if (out->picture_path != NULL) {
		progress_show("picture");
		status = picture_write(out->picture_path, in, e);
	}
	if (status == HOST_OK && out->arch_path != NULL)
		status = along_picture_write(out->arch_path, e);
	progress_end();
	if (status == HOST_OK && (out->json || out->report_path != NULL))
		status = write_report(out, report_json(in, e));
	if (status == HOST_OK && !out->json)
		report_print(in, e);
	return status;
}

static host_status run(const request *r, const outputs *out)
{
	static inputs in;
	static evaluation e;
	host_status status = check(r, out);
	if (status != HOST_OK)
		return status;
	progress_begin(!out->json);
	progress_show("reading");
	status = inputs_read(r, &in);
	if (status == HOST_OK && in.has_dataset && in.dataset.note[0] != '\0')
		host_say("%s", in.dataset.note);
	if (status == HOST_OK)
		status = evaluation_run(&in, &e);
	if (status == HOST_OK)
		status = write_out(out, &in, &e);
	progress_end();
	evaluation_free(&e);
	inputs_free(&in);
	return status;
}

/* ---- repeats ---------------------------------------------------------------------------------------------------- */

static host_status check_repeats(const repeats_request *r, const outputs *out)
{
	const request *reference = &r->reference;
	if (r->count < 2)
		return host_fail(
			HOST_USAGE, "--repeats: needs at least 2 models of the same object, not %zu", r->count);
	if (reference->truth_path != NULL && reference->dataset_path != NULL)
		return host_fail(HOST_USAGE, "--truth: not together with --dataset");
	if (reference->trajectory_path != NULL || reference->fused_path != NULL)
		return host_fail(HOST_USAGE,
			"--repeats: not together with --trajectory and --fused; a folder may hold trajectory.txt");
	if (out->picture_path != NULL || out->arch_path != NULL)
		return host_fail(HOST_USAGE, "--repeats: not together with pictures, which are of one model");
	return check_outputs(out);
}

static host_status run_repeats(const repeats_request *wanted, const outputs *out)
{
	static repeats r;
	host_status status = check_repeats(wanted, out);
	if (status != HOST_OK)
		return status;
	progress_begin(!out->json);
	status = repeats_run(wanted, &r);
	progress_end();
	if (status == HOST_OK && (out->json || out->report_path != NULL))
		status = write_report(out, repeats_json(&r));
	if (status == HOST_OK && !out->json)
		repeats_print(&r);
	repeats_free(&r);
	return status;
}

/* ---- deviation for pictures -------------------------------------------------------------------------------------- */

static host_status run_deviation(const request *r, const outputs *out)
{
	if (r->truth_path == NULL)
		return host_fail(HOST_USAGE, "--deviation: wants two meshes");
	if (r->dataset_path != NULL || r->trajectory_path != NULL || r->fused_path != NULL || r->features_path != NULL || out->json ||
		out->report_path != NULL || out->picture_path != NULL || out->arch_path != NULL)
		return host_fail(HOST_USAGE, "--deviation: together with nothing but --mm-per-unit");
	host_status status = file_check_output(out->deviation_path);
	return status == HOST_OK ? deviation_write(r->recon_path, r->truth_path, out->mm_per_unit > 0 ? out->mm_per_unit : 1, out->deviation_path) : status;
}

/* ---- command line ----------------------------------------------------------------------------------------------- */

static host_status start(request *r, bool is_repeats, const options_result *parsed, const outputs *out)
{
	if (is_repeats && (out->deviation_path != NULL || out->mm_per_unit > 0))
		return host_fail(HOST_USAGE, "--deviation, --mm-per-unit: not together with --repeats");
	if (is_repeats) {
		repeats_request wanted = {.count = parsed->positional_count, .reference = *r};
		for (size_t k = 0; k < parsed->positional_count; k++)
			wanted.paths[k] = parsed->positional[k];
		return run_repeats(&wanted, out);
	}
	if (parsed->positional_count > 2)
		return host_fail(
			HOST_USAGE, "too many arguments: '%s' (several models need --repeats)", parsed->positional[2]);
	if (parsed->positional_count > 1 && r->truth_path != NULL)
		return host_fail(HOST_USAGE, "--truth: not together with a second mesh");
	r->recon_path = parsed->positional[0];
	r->truth_path = parsed->positional_count > 1 ? parsed->positional[1] : r->truth_path;
	if (out->deviation_path != NULL)
		return run_deviation(r, out);
	if (out->mm_per_unit > 0)
		return host_fail(HOST_USAGE, "--mm-per-unit: wanted only with --deviation");
	return run(r, out);
}

static const char about[] =
	"Measures a reconstructed mesh and trajectory against the truth: trueness (best-fit and pinned\n"
	"at the start), completeness of the surface seen, distances between landmarks and phantom\n"
	"spheres, error along the arch, trajectory error, wrong poses. With --repeats: trueness and precision\n"
	"over several models of one object, with or without a truth. Exit code: 0 done, 1 nothing comparable, 2 wrong "
	"usage\n"
	"or unreadable input, 4 I/O.";

_Static_assert(REPEATS_MAX <= OPTIONS_POSITIONAL_MAX, "all repeats fit on the command line");

int main(int argc, char **argv)
{
	request r = {0};
	outputs out = {0};
	bool is_repeats = false;
	option_def options[] = {
		{"dataset", OPTION_TEXT, &r.dataset_path, 0, 0, "DIR",
			"the recorded scan, with truth.ply, groundtruth.txt or both", NULL, false},
		{"truth", OPTION_TEXT, &r.truth_path, 0, 0, "FILE", "the true surface, where there is no dataset", NULL,
			false},
		{"landmarks", OPTION_TEXT, &r.features_path, 0, 0, "FILE",
			"landmarks, spheres and margin in the form of truth.json, in place of the dataset's", NULL,
			false},
		{"repeats", OPTION_FLAG, &is_repeats, 0, 0, NULL,
			"all arguments are models of the same object (or folders with scan.ply and trajectory.txt)",
			NULL, false},
		{"trajectory", OPTION_TEXT, &r.trajectory_path, 0, 0, "FILE", "the poses found, in TUM form", NULL,
			false},
		{"fused", OPTION_TEXT, &r.fused_path, 0, 0, "FILE",
			"report of the replay that says which frames were fused (else all tracked)", NULL, false},
		{"camera", OPTION_TEXT, &r.camera_path, 0, 0, "FILE", "camera.json to use in place of the dataset's",
			NULL, false},
		{"depth-min-mm", OPTION_NUMBER, &r.depth_min_mm, 1e-3, 1e6, "MM",
			"near end of the camera's depth range (else from the readings)", NULL, false},
		{"depth-max-mm", OPTION_NUMBER, &r.depth_max_mm, 1e-3, 1e6, "MM", "far end of it", NULL, false},
		{"report", OPTION_TEXT, &out.report_path, 0, 0, "FILE", "write all figures as JSON", NULL, false},
		{"picture", OPTION_TEXT, &out.picture_path, 0, 0, "FILE",
			"write a PNG of the deviation seen from four sides", NULL, false},
		{"arch-picture", OPTION_TEXT, &out.arch_path, 0, 0, "FILE", "write a PNG of the error along the arch",
			NULL, false},
		{"deviation", OPTION_TEXT, &out.deviation_path, 0, 0, "FILE",
			"with a second mesh, as both lie: write how far off it each vertex is, and nothing else (float32 um, NaN beyond 2 mm)", NULL, false},
		{"mm-per-unit", OPTION_NUMBER, &out.mm_per_unit, 1e-6, 1e6, "N", "with --deviation: of the meshes (1)", NULL, false},
		{"json", OPTION_FLAG, &out.json, 0, 0, NULL, "print the figures as JSON and nothing else", NULL, false},
	};
	options_def def = {
		.usage = "RECON --dataset DIR [options] | RECON TRUTH [options] | --repeats RECON RECON... [options]",
		.about = about,
		.options = options,
		.option_count = sizeof(options) / sizeof(options[0]),
		.positional_min = 1,
		.positional_max = REPEATS_MAX,
	};
	options_result parsed;
	host_set_program("enamel evaluate");
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (status == HOST_OK && parsed.help) {
		options_print_help(&def, stdout);
		return 0;
	}
	if (status == HOST_OK)
		status = start(&r, is_repeats, &parsed, &out);
	return status == HOST_OK ? 0 : host_report_failure(status);
}
