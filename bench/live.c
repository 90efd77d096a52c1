/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"
#include "options.h"

#define BEHIND_LIMIT_MS 100.0
#define RATES 3
#define REPEATS_MAX 20

static const char about[] = "Scans frames that lie in memory with and without following the surface, in turns: as a "
			    "scanner gives them (30 and 60\n"
			    "frames/s) and as fast as they go. Ends with 1 when the patches are not the mesh in the "
			    "end. What the figures mean:\n"
			    "bench/README.md.";

static const double rates[RATES] = {30.0, 60.0, 0.0};
static const char *const names[RATES] = {"at_30", "at_60", "fast"};

typedef struct live_options {
	frames_options input;
	const char *commit, *date;
	int64_t repeats, bytes_kib;
} live_options;

/* All runs of one rate. */
typedef struct live_case {
	double rate;
	live_run with[REPEATS_MAX], without[REPEATS_MAX];
	size_t repeats;
} live_case;

/* ---- figures ---- */

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* By nearest rank; sorts. */
static double quantile(double *values, size_t count, double share)
{
	if (count == 0)
		return 0.0;
	qsort(values, count, sizeof(*values), compare);
	size_t rank = (size_t)(share * (double)count + 0.999999);
	return values[rank > 0 ? rank - 1 : 0];
}

/* Each frame's least time over the runs. */
static void least_frames(const live_run *runs, size_t repeats, size_t frames, double *out)
{
	for (size_t i = 0; i < frames; i++) {
		out[i] = runs[0].frame_ms[i];
		for (size_t k = 1; k < repeats; k++)
			out[i] = runs[k].frame_ms[i] < out[i] ? runs[k].frame_ms[i] : out[i];
	}
}

/* How far behind the surface was, of all runs together. Returns their number. */
static size_t all_behind(const live_case *c, double *out)
{
	size_t n = 0;
	for (size_t k = 0; k < c->repeats; k++) {
		memcpy(out + n, c->with[k].behind_ms, c->with[k].behind_count * sizeof(*out));
		n += c->with[k].behind_count;
	}
	return n;
}

static double median_of(const live_run *runs, size_t repeats, double (*of)(const live_run *))
{
	double values[REPEATS_MAX];
	for (size_t k = 0; k < repeats; k++)
		values[k] = of(&runs[k]);
	return quantile(values, repeats, 0.5);
}

static double wall_of(const live_run *r)
{
	return r->wall_s;
}

static double cpu_of(const live_run *r)
{
	return r->cpu_s;
}

static json_t *side_json(const live_run *runs, size_t repeats, size_t frames, double *work, bool *ok)
{
	json_t *side = json_object();
	least_frames(runs, repeats, frames, work);
	json_put(side, "frame_ms_median", json_finite(quantile(work, frames, 0.5)), ok);
	json_put(side, "frame_ms_p99", json_finite(quantile(work, frames, 0.99)), ok);
	json_put(side, "frames_s", json_finite((double)frames / median_of(runs, repeats, wall_of)), ok);
	json_put(side, "cpu_ms_a_frame", json_finite(1e3 * median_of(runs, repeats, cpu_of) / (double)frames), ok);
	json_put(side, "device_bytes", json_integer((json_int_t)runs[0].device_bytes), ok);
	return side;
}

static json_t *case_json(const live_case *c, size_t frames, double *work, bool *ok)
{
	json_t *root = json_object(), *behind = json_object();
	uint64_t update_bytes = 0, updates = 0, full = 0, patches = 0;
	size_t n = all_behind(c, work), in_time = 0;
	for (size_t k = 0; k < c->repeats; k++) {
		const live_run *r = &c->with[k];
		update_bytes = r->update_bytes_peak > update_bytes ? r->update_bytes_peak : update_bytes;
		updates += r->updates;
		full += r->full;
		patches += r->patches;
	}
	for (size_t i = 0; i < n; i++)
		in_time += work[i] <= BEHIND_LIMIT_MS;
	json_put(behind, "median_ms", json_finite(quantile(work, n, 0.5)), ok);
	json_put(behind, "p99_ms", json_finite(quantile(work, n, 0.99)), ok);
	json_put(behind, "max_ms", json_finite(quantile(work, n, 1.0)), ok);
	json_put(behind, "share_within_100_ms", json_finite(n ? (double)in_time / (double)n : 0.0), ok);
	json_put(behind, "frames", json_integer((json_int_t)n), ok);
	json_put(root, "rate", c->rate > 0.0 ? json_finite(c->rate) : json_null(), ok);
	json_put(root, "behind", behind, ok);
	json_put(root, "without", side_json(c->without, c->repeats, frames, work, ok), ok);
	json_put(root, "with", side_json(c->with, c->repeats, frames, work, ok), ok);
	json_put(root, "updates_a_run", json_finite((double)updates / (double)c->repeats), ok);
	json_put(root, "updates_cut_short", json_finite((double)full / (double)c->repeats), ok);
	json_put(root, "patches_a_run", json_finite((double)patches / (double)c->repeats), ok);
	json_put(root, "update_bytes_peak", json_integer((json_int_t)update_bytes), ok);
	json_put(root, "patch_bytes_peak", json_integer((json_int_t)c->with[0].bytes_peak), ok);
	return root;
}

static double number(const json_t *object, const char *outer, const char *inner)
{
	return json_number_value(json_object_get(json_object_get(object, outer), inner));
}

static void print_case(const json_t *c)
{
	const double rate = json_number_value(json_object_get(c, "rate"));
	char name[32] = "flat out";
	if (rate > 0.0)
		snprintf(name, sizeof(name), "%.0f/s", rate);
	printf("%-9s %8.1f %8.1f %8.1f %7.1f%% %9.2f %7.2f %9.2f %7.2f %9.1f %7.3f %8.2f %7.3f\n", name,
		number(c, "behind", "median_ms"), number(c, "behind", "p99_ms"), number(c, "behind", "max_ms"),
		100.0 * number(c, "behind", "share_within_100_ms"), number(c, "without", "frame_ms_median"),
		number(c, "with", "frame_ms_median") / number(c, "without", "frame_ms_median"),
		number(c, "without", "frame_ms_p99"),
		number(c, "with", "frame_ms_p99") / number(c, "without", "frame_ms_p99"),
		number(c, "without", "frames_s"), number(c, "with", "frames_s") / number(c, "without", "frames_s"),
		number(c, "without", "cpu_ms_a_frame"),
		number(c, "with", "cpu_ms_a_frame") / number(c, "without", "cpu_ms_a_frame"));
}

static host_status write_figures(
	const live_options *o, const frames_input *in, enm_context *context, const live_case *cases, bool same)
{
	bool ok = true;
	enm_device_info device;
	json_t *root = json_object();
	double *work = calloc(in->count * REPEATS_MAX + 1, sizeof(*work));
	if (!work || enm_context_device(context, &device) != ENM_OK) {
		json_decref(root);
		free(work);
		return host_fail_memory("the figures");
	}
	json_put(root, "version", json_string(enm_version()), &ok);
	json_put(root, "device", json_string(device.name), &ok);
	json_put(root, "platform", json_string(device.platform), &ok);
	json_put(root, "driver", json_string(device.driver), &ok);
	if (o->commit)
		json_put(root, "commit", json_string(o->commit), &ok);
	if (o->date)
		json_put(root, "date", json_string(o->date), &ok);
	json_put(root, "frames", json_integer((json_int_t)in->count), &ok);
	json_put(root, "voxel_mm", json_finite(in->def.voxel_mm), &ok);
	json_put(root, "repeats", json_integer((json_int_t)cases[0].repeats), &ok);
	json_put(root, "bytes_max", json_integer((json_int_t)(o->bytes_kib << 10)), &ok);
	json_put(root, "patches_are_the_mesh", json_boolean(same), &ok);
	printf("%-9s %8s %8s %8s %8s %9s %7s %9s %7s %9s %7s %8s %7s\n", "frames", "behind", "p99", "max", "<=100ms",
		"frame ms", "ratio", "p99 ms", "ratio", "frames/s", "ratio", "CPU ms", "ratio");
	for (int i = 0; i < RATES; i++) {
		json_t *row = case_json(&cases[i], in->count, work, &ok);
		print_case(row);
		json_put(root, names[i], row, &ok);
	}
	printf("patches   %.2f MB at most in one update, %.2f MB all together; the device %.2f MB more; %s the mesh\n",
		1e-6 * (double)cases[0].with[0].update_bytes_peak, 1e-6 * (double)cases[0].with[0].bytes_peak,
		1e-6 * ((double)cases[0].with[0].device_bytes - (double)cases[0].without[0].device_bytes),
		same ? "they are" : "NOT");
	free(work);
	host_status status = ok ? HOST_OK : host_fail_memory("the figures");
	if (!status && o->input.json)
		status = json_file_write(o->input.json, root);
	json_decref(root);
	return status;
}

/* ---- runs ---- */

static host_status run_cases(
	const live_options *o, const frames_input *in, enm_context *context, live_case *cases, bool *out_same)
{
	enm_surface_def def = enm_surface_def_default();
	live_run first;
	def.bytes_max = (uint64_t)o->bytes_kib << 10;
	/* compiles the kernels, and looks whether the patches are right */
	host_status status = live_run_once(context, in, 0.0, &def, true, &first);
	*out_same = !status && first.same;
	if (!status)
		live_run_free(&first);
	for (int64_t k = 0; k < o->repeats && !status; k++) {
		for (int i = 0; i < RATES && !status; i++) {
			live_case *c = &cases[i];
			c->rate = rates[i];
			status = live_run_once(context, in, rates[i], NULL, false, &c->without[k]);
			if (!status)
				status = live_run_once(context, in, rates[i], &def, false, &c->with[k]);
			c->repeats = (size_t)k + 1;
		}
	}
	return status;
}

static host_status run(const live_options *o)
{
	frames_input in;
	enm_context_def context_def = enm_context_def_default();
	enm_context *context = NULL;
	bool same = false;
	live_case *cases = calloc(RATES, sizeof(*cases));
	host_status status = cases ? frames_input_load(&o->input, &in) : host_fail_memory("the runs");
	if (status) {
		free(cases);
		return status;
	}
	context_def.device_name = o->input.device;
	if (enm_context_create(&context_def, &context) != ENM_OK)
		status = host_fail(HOST_DEVICE, "%s", enm_last_error());
	if (!status)
		status = run_cases(o, &in, context, cases, &same);
	if (!status)
		status = write_figures(o, &in, context, cases, same);
	if (!status && !same)
		status = host_fail(HOST_DATA, "the patches are not the mesh");
	for (int i = 0; i < RATES; i++)
		for (int k = 0; k < REPEATS_MAX; k++) {
			live_run_free(&cases[i].with[k]);
			live_run_free(&cases[i].without[k]);
		}
	free(cases);
	enm_context_destroy(&context);
	frames_input_free(&in);
	return status;
}

int main(int argc, char **argv)
{
	live_options o = {.input = {.frames = {0, INT64_MAX}, .color = FRAMES_AUTO},
		.repeats = 3,
		.bytes_kib = (int64_t)(enm_surface_def_default().bytes_max >> 10)};
	option_def table[] = {
		{"frames", OPTION_RANGE, o.input.frames, 0, 0, "A:B", "frames A to B only, from 0, B not included",
			NULL, false},
		{"repeats", OPTION_INTEGER, &o.repeats, 1, REPEATS_MAX, "N", "runs of each kind (default 3)", NULL,
			false},
		{"voxel-mm", OPTION_NUMBER, &o.input.voxel_mm, 1e-3, 1e3, "MM",
			"edge of a voxel (0.1 for teeth, 10 for rooms)", NULL, false},
		{"bytes-kib", OPTION_INTEGER, &o.bytes_kib, 256, 8192, "N",
			"of an update (enm_surface_def.bytes_max), in KiB", NULL, false},
		{"device", OPTION_TEXT, &o.input.device, 0, 0, "NAME", "part of a device's name", NULL, false},
		{"commit", OPTION_TEXT, &o.commit, 0, 0, "TEXT", "what was built, for the result", NULL, false},
		{"date", OPTION_TEXT, &o.date, 0, 0, "TEXT", "for the result", NULL, false},
		{"json", OPTION_TEXT, &o.input.json, 0, 0, "FILE", "the figures as JSON", NULL, false},
	};
	options_def def = {"DATASET [options]", about, table, sizeof(table) / sizeof(*table), 1, 1};
	options_result parsed;
	host_set_program("enamel-live");
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	if (!status && o.input.json)
		status = file_check_output(o.input.json);
	if (!status) {
		o.input.folder = parsed.positional[0];
		status = run(&o);
	}
	return status ? host_report_failure(status) : HOST_OK;
}
