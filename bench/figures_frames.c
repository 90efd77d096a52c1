/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

/* Ratios are measured on machines that do other work too: a cost that seems to grow by this much more is called equal.
 */
#define TOLERANCE 1.1

static const char *const stages[] = {"upload", "depth", "track", "allocate", "fuse", "view"};
#define STAGE_COUNT (sizeof(stages) / sizeof(*stages))

static host_status write_result(const char *out_path, json_t *root, bool ok)
{
	host_status status = ok ? json_file_write(out_path, root) : host_fail_memory("the result");
	json_decref(root);
	return status;
}

/* ---- frames: results in one file ---- */

/* A run without what the head of the file says for all. */
static json_t *run_json(const json_t *run, bool *ok)
{
	static const char *const in_head[] = {"version", "device", "platform", "driver"};
	json_t *copy = json_deep_copy(run);
	for (size_t i = 0; copy && i < sizeof(in_head) / sizeof(*in_head); i++)
		json_object_del(copy, in_head[i]);
	if (!copy)
		*ok = false;
	return copy;
}

static void print_run(const json_t *run)
{
	printf("%-20s %4.0fx%-4.0f %8g %8.1f %10.3f %10.3f %9.2f %12.3f\n", figures_text(run, "dataset"),
		figures_number(run, "width"), figures_number(run, "height"), figures_number(run, "voxel_mm"),
		figures_number(run, "fps.median"), figures_number(run, "serial_ms.run.median"),
		figures_number(run, "serial_ms.least.p99"), figures_number(run, "serial_ms.p99_least_to_median_run"),
		figures_number(run, "latency_ms.run.median"));
}

host_status figures_frames(const figures_origin *origin, const char *out_path, json_t *const *runs, size_t count)
{
	bool ok = true;
	json_t *root = figures_head(origin, runs[0], &ok), *rows = json_array();
	printf("%-20s %9s %8s %8s %10s %10s %9s %12s\n", "dataset", "pixels", "voxel", "frames/s", "serial ms",
		"p99 ms", "p99/med.", "latency ms");
	for (size_t i = 0; i < count; i++) {
		print_run(runs[i]);
		if (json_array_append_new(rows, run_json(runs[i], &ok)))
			ok = false;
	}
	json_put(root, "runs", rows, &ok);
	return write_result(out_path, root, ok);
}

/* ---- scaling: cases against the first ---- */

/* The rounds of a case are those runs that have its label. */
typedef struct rounds {
	json_t *const *runs;
	size_t count;
	const char *label;
} rounds;

/* The least over the rounds, or NaN: what other programs take of the machine only adds. */
static double least_at(const rounds *c, const char *path)
{
	double least = (double)NAN;
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(figures_text(c->runs[i], "label"), c->label))
			least = fmin(least, figures_number(c->runs[i], path)); /* NaN gives way */
	return least;
}

typedef struct cost {
	double pixels, voxel_mm, in_view, used, serial_ms, cpu_ms, stage_ms[STAGE_COUNT];
	bool by_cpu; /* CPU time is the cost: it does not count what other programs take */
} cost;

static cost cost_of(const rounds *c)
{
	cost k = {
		.pixels = least_at(c, "work.pixels"),
		.voxel_mm = least_at(c, "voxel_mm"),
		.in_view = least_at(c, "work.blocks_in_view"),
		.used = least_at(c, "work.blocks_used_last"),
		.by_cpu = json_is_true(figures_at(c->runs[0], "device_is_cpu")),
		.serial_ms = least_at(c, "serial_ms.least.median"),
		.cpu_ms = least_at(c, "serial_ms.cpu_ms_a_frame"),
	};
	for (size_t i = 0; i < STAGE_COUNT; i++) {
		char path[64];
		snprintf(path, sizeof(path), "stages_ms.%s.median", stages[i]);
		k.stage_ms[i] = least_at(c, path);
	}
	return k;
}

/* What a case may cost at the most, as a multiple of the base: no more than its pixels, or the surface in view. */
static double bound_of(const cost *base, const cost *k)
{
	return fmax(k->pixels / base->pixels, k->in_view / base->in_view);
}

static void print_case(const char *label, const cost *base, const cost *k)
{
	const double by_wall = k->serial_ms / base->serial_ms, by_cpu = k->cpu_ms / base->cpu_ms;
	const double grown = k->by_cpu ? by_cpu : by_wall, bound = bound_of(base, k);
	printf("%-20s %8.0f %8g %8.0f %8.0f %10.3f %8.3f %7.2f %7.2f %7.2f %7.2f", label, k->pixels, k->voxel_mm,
		k->in_view, k->used, k->serial_ms, k->cpu_ms, by_wall, by_cpu, k->used / base->used, bound);
	printf("  %s\n", base == k ? "base" : grown <= TOLERANCE * bound ? "holds" : "grows faster");
}

/* How the stages grew: what the one that costs too much is. */
static void print_stages(const char *label, const cost *base, const cost *k)
{
	printf("%-20s", label);
	for (size_t i = 0; i < STAGE_COUNT; i++)
		if (base->stage_ms[i] > 0.0)
			printf("  %s %.3f ms", stages[i], k->stage_ms[i]);
	printf("\n");
	if (base == k)
		return;
	printf("%-20s", "  x base");
	for (size_t i = 0; i < STAGE_COUNT; i++)
		if (base->stage_ms[i] > 0.0)
			printf("  %s %.2f", stages[i], k->stage_ms[i] / base->stage_ms[i]);
	printf("\n");
}

static json_t *ratios_json(const cost *base, const cost *k, bool *ok)
{
	json_t *ratios = json_object(), *by_stage = json_object();
	for (size_t i = 0; i < STAGE_COUNT; i++)
		json_put(by_stage, stages[i], json_finite(k->stage_ms[i] / base->stage_ms[i]), ok);
	json_put(ratios, "pixels", json_finite(k->pixels / base->pixels), ok);
	json_put(ratios, "blocks_in_view", json_finite(k->in_view / base->in_view), ok);
	json_put(ratios, "blocks_used_last", json_finite(k->used / base->used), ok);
	json_put(ratios, "serial_ms", json_finite(k->serial_ms / base->serial_ms), ok);
	json_put(ratios, "cpu_ms", json_finite(k->cpu_ms / base->cpu_ms), ok);
	json_put(ratios, "stages_ms", by_stage, ok);
	json_put(ratios, "bound", json_finite(bound_of(base, k)), ok);
	return ratios;
}

/* The round that cost least. */
static const json_t *best_round(const rounds *c, const cost *k)
{
	const json_t *best = NULL;
	for (size_t i = 0; i < c->count; i++) {
		const char *path = k->by_cpu ? "serial_ms.cpu_ms_a_frame" : "serial_ms.least.median";
		if (strcmp(figures_text(c->runs[i], "label"), c->label))
			continue;
		if (!best || figures_number(c->runs[i], path) < figures_number(best, path))
			best = c->runs[i];
	}
	return best;
}

/* The case's best round as it was measured, with the least of all rounds beside it. */
static json_t *case_json(const rounds *c, const cost *base, const cost *k, bool *ok)
{
	static const char *const copied[] = {"dataset", "width", "height", "frames", "voxel_mm", "truncation_mm",
		"tracked", "lost", "work", "parts", "fit"};
	const json_t *best = best_round(c, k);
	json_t *row = json_object(), *by_stage = json_object();
	size_t round_count = 0;
	for (size_t i = 0; i < c->count; i++)
		round_count += !strcmp(figures_text(c->runs[i], "label"), c->label);
	json_put(row, "label", json_string(c->label), ok);
	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++) {
		json_t *value = json_deep_copy(figures_at(best, copied[i]));
		json_put(row, copied[i], value ? value : json_null(), ok);
	}
	for (size_t i = 0; i < STAGE_COUNT; i++)
		json_put(by_stage, stages[i], json_finite(k->stage_ms[i]), ok);
	json_put(row, "rounds", json_integer((json_int_t)round_count), ok);
	json_put(row, "serial_ms", json_finite(k->serial_ms), ok);
	json_put(row, "cpu_ms_a_frame", json_finite(k->cpu_ms), ok);
	json_put(row, "stages_ms", by_stage, ok);
	json_put(row, "to_base", ratios_json(base, k, ok), ok);
	return row;
}

/* Whether no run before this one has its label. */
static bool is_first_of_label(json_t *const *runs, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(figures_text(runs[j], "label"), figures_text(runs[i], "label")))
			return false;
	return true;
}

static void print_fit(const char *label, const json_t *run)
{
	printf("%-20s %8.3f ms, and per 1,000 blocks: %.3f ms in view, %.4f ms out of view, which is %.1f %% of the "
	       "mean frame\n",
		label, figures_number(run, "fit.base_ms"), figures_number(run, "fit.per_1000_blocks_in_view_ms"),
		figures_number(run, "fit.per_1000_blocks_out_of_view_ms"),
		100.0 * figures_number(run, "fit.out_of_view_share"));
}

host_status figures_scaling(const figures_origin *origin, const char *out_path, json_t *const *runs, size_t count)
{
	bool ok = true;
	const cost base = cost_of(&(rounds){runs, count, figures_text(runs[0], "label")});
	json_t *root = figures_head(origin, runs[0], &ok), *rows = json_array();
	if (base.by_cpu)
		printf("(the device is the CPU: cost is CPU time)\n");
	printf("%-20s %8s %8s %8s %8s %10s %8s %7s %7s %7s %7s\n", "case", "pixels", "voxel", "in view", "used",
		"serial ms", "CPU ms", "x base", "x CPU", "x used", "bound");
	for (int pass = 0; pass < 3; pass++) { /* costs, stages, growth within a scan */
		for (size_t i = 0; i < count; i++) {
			const rounds c = {runs, count, figures_text(runs[i], "label")};
			if (!is_first_of_label(runs, i))
				continue;
			const cost own = cost_of(&c), *k = i == 0 ? &base : &own;
			if (pass == 0)
				print_case(c.label, &base, k);
			else if (pass == 1)
				print_stages(c.label, &base, k);
			else
				print_fit(c.label, best_round(&c, k));
			if (pass == 0 && json_array_append_new(rows, case_json(&c, &base, k, &ok)))
				ok = false;
		}
		printf("\n");
	}
	json_put(root, "cases", rows, &ok);
	return write_result(out_path, root, ok);
}
