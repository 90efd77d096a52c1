/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <stdio.h>
#include <stdlib.h>

#include "json.h"

#define MEGA 1e6

typedef struct by_fps {
	double fps;
	const json_t *report;
} by_fps;

static int compare(const void *a, const void *b)
{
	double x = ((const by_fps *)a)->fps, y = ((const by_fps *)b)->fps;
	return (x > y) - (x < y);
}

static void print_row(const char *name, const json_t *report, const char *path)
{
	const json_t *figures = figures_at(report, path);
	if (figures == NULL)
		return;
	printf("  %-12s %9.3f %9.3f %9.3f %9.3f\n", name, figures_number(figures, "median"),
		figures_number(figures, "p95"), figures_number(figures, "p99"), figures_number(figures, "max"));
}

static void print_table(const char *dataset, const json_t *cold, const json_t *warm, const by_fps *runs, size_t count)
{
	const json_t *r = runs[count / 2].report;
	printf("device    %s (%s, driver %s)\n", figures_text(r, "device"), figures_text(r, "platform"),
		figures_text(r, "driver"));
	printf("dataset   %s: %.0f frames, voxel %g mm, truncation %g mm\n", dataset, figures_number(r, "frames"),
		figures_number(r, "voxel_mm"), figures_number(r, "truncation_mm"));
	printf("tracked   %.0f (%.0f fused), %.0f weak, %.0f lost, %.0f left out\n", figures_number(r, "tracked"),
		figures_number(r, "fused"), figures_number(r, "weak"), figures_number(r, "lost"),
		figures_number(r, "left_out"));
	printf("frames/s  %.1f (%zu runs: %.1f to %.1f)\n", runs[count / 2].fps, count, runs[0].fps,
		runs[count - 1].fps);
	printf("start     three frames, from the process's start to their mesh: cold %.2f s, warm %.3f s\n",
		figures_number(cold, "wall_s"), figures_number(warm, "wall_s"));
	printf("          first frame handed over: cold %.2f s (%.0f programs built), warm %.3f s (%.0f built)\n",
		1e-3 * figures_number(cold, "startup_ms"), figures_number(cold, "programs_built"),
		1e-3 * figures_number(warm, "startup_ms"), figures_number(warm, "programs_built"));
	printf("memory    device %.1f MB, host %.1f MB at the peak\n", figures_number(r, "device_bytes_peak") / MEGA,
		figures_number(r, "host_bytes_peak") / MEGA);
	printf("\n  %-12s %9s %9s %9s %9s\n", "ms", "median", "p95", "p99", "max");
	print_row("frame", r, "frame_ms");
	print_row("latency", r, "latency_ms");
	const char *name;
	json_t *stage;
	json_t *stages = json_object_get(r, "stages_ms");
	json_object_foreach(stages, name, stage) print_row(name, stage, "");
	if (json_is_false(figures_at(r, "event_times_trusted")))
		printf("  (stages by the wall clock: this driver's event times mean nothing)\n");
}

static json_t *fps_json(const by_fps *runs, size_t count, bool *ok)
{
	json_t *fps = json_object();
	json_put(fps, "median", json_finite(runs[count / 2].fps), ok);
	json_put(fps, "min", json_finite(runs[0].fps), ok);
	json_put(fps, "max", json_finite(runs[count - 1].fps), ok);
	json_put(fps, "runs", json_integer((json_int_t)count), ok);
	return fps;
}

static json_t *start_json(const json_t *cold, const json_t *warm, const char *key, bool *ok)
{
	json_t *start = json_object();
	json_put(start, "cold", json_finite(figures_number(cold, key)), ok);
	json_put(start, "warm", json_finite(figures_number(warm, key)), ok);
	return start;
}

static json_t *result_json(const figures_origin *origin, const char *dataset, const json_t *cold, const json_t *warm,
	const by_fps *runs, size_t count, bool *ok)
{
	static const char *const copied[] = {"frames", "tracked", "fused", "weak", "lost", "left_out", "voxel_mm",
		"truncation_mm", "frame_ms", "latency_ms", "stages_ms", "event_times_trusted", "device_bytes_peak",
		"host_bytes_peak"};
	const json_t *r = runs[count / 2].report;
	json_t *root = figures_head(origin, r, ok);
	json_put(root, "dataset", json_string(dataset), ok);
	json_put(root, "fps", fps_json(runs, count, ok), ok);
	json_put(root, "startup_ms", start_json(cold, warm, "startup_ms", ok), ok);
	json_put(root, "three_frames_s", start_json(cold, warm, "wall_s", ok), ok);
	for (size_t i = 0; i < sizeof(copied) / sizeof(*copied); i++) {
		json_t *value = json_deep_copy(figures_at(r, copied[i]));
		json_put(root, copied[i], value != NULL ? value : json_null(), ok);
	}
	return root;
}

host_status figures_speed(
	const figures_origin *origin, const char *dataset, const char *out_path, json_t *const *reports, size_t count)
{
	by_fps *runs = calloc(count, sizeof(*runs));
	if (runs == NULL || count < 3) {
		free(runs);
		return host_fail_memory("the reports");
	}
	for (size_t i = 2; i < count; i++)
		runs[i - 2] = (by_fps){.fps = figures_number(reports[i], "fps"), .report = reports[i]};
	qsort(runs, count - 2, sizeof(*runs), compare);
	print_table(dataset, reports[0], reports[1], runs, count - 2);
	bool ok = true;
	json_t *root = result_json(origin, dataset, reports[0], reports[1], runs, count - 2, &ok);
	host_status status = ok ? json_file_write(out_path, root) : host_fail_memory("the result");
	json_decref(root);
	free(runs);
	return status;
}
