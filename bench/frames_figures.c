/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "file.h"
#include "frames_summary.h"
#include "json.h"

#define MEGA 1e6
#define GIGA 1e9
#define MICRO 1e3 /* us in a ms */

/* ---- tables ---- */

static void print_times(const char *name, const frames_times *t)
{
	printf("  %-18s %9.3f %9.3f %9.3f %9.3f   medians of the runs %.3f to %.3f\n", name, t->run.median, t->run.p95,
		t->run.p99, t->run.max, t->run_median_min, t->run_median_max);
	printf("  %-18s %9.3f %9.3f %9.3f %9.3f   p99 %.2f x the median above, %.2f x its own\n", "  least of runs",
		t->least_q.median, t->least_q.p95, t->least_q.p99, t->least_q.max, t->p99_to_median,
		t->least_q.p99 / t->least_q.median);
}

static void print_stages(const frames_result *r, const frames_summary *s)
{
	double sum_ms = 0.0;
	for (int i = 0; i < ENM_STAGE_COUNT; i++) {
		const quantiles *q = &s->stages[i];
		sum_ms += q->median;
		printf("  %-18s %9.3f %9.3f %9.3f %9.3f\n", enm_stage_name((enm_stage)i), q->median, q->p95, q->p99,
			q->max);
	}
	printf("  %-18s %9.3f\n", "all stages", sum_ms);
	if (!r->context.event_times_trusted)
		printf("  (stages by the wall clock: this driver's event times mean nothing)\n");
}

static void print_floors(const frames_result *r, const frames_summary *s)
{
	const device_rates *rates = &r->rates;
	printf("\nrates     copy %.2f GB/s (%.0f MiB), %.2f GB/s (%.0f KiB, cached); empty launch %.2f us in a queue, "
	       "%.2f us "
	       "waited for\n",
		rates->copy_bytes_s / GIGA, (double)rates->copy_bytes / 1048576.0, rates->cached_bytes_s / GIGA,
		(double)rates->cached_bytes / 1024.0, MICRO * rates->launch_ms, MICRO * rates->round_trip_ms);
	if (!r->has_stages)
		return;
	printf("\n  %-10s %9s %9s %9s %9s %9s %9s %9s %9s\n", "stage", "MB", "Mop", "launches", "floor ms", "cached ms",
		"ms", "x floor", "Gop/s");
	for (int i = 0; i < ENM_STAGE_COUNT; i++) {
		const frames_floor *f = &s->floors[i];
		if (f->there)
			printf("  %-10s %9.3f %9.2f %9.0f %9.3f %9.3f %9.3f %9.2f %9.2f\n",
				enm_stage_name((enm_stage)i), f->must.bytes / MEGA, f->must.operations / MEGA,
				f->must.launches, f->floor_ms, f->cached_ms, f->measured_ms, f->ratio,
				1e-6 * f->must.operations / f->measured_ms);
	}
}

static void print_growth(const frames_summary *s)
{
	const size_t step = s->part_count > 10 ? 2 : 1;
	printf("\n  %-14s %12s %12s %12s %12s %16s\n", "frames", "serial ms", "CPU ms", "in view", "used",
		"us/block in view");
	for (size_t i = 0; i < s->part_count; i += step) {
		const frames_part *p = &s->parts[i];
		printf("  %6zu to %4zu %12.3f %12.3f %12.0f %12.0f %16.3f\n", p->first, p->end - 1, p->serial_ms,
			p->cpu_ms, p->blocks_in_view, p->blocks_used, MICRO * p->serial_ms / p->blocks_in_view);
	}
	printf("  %s: %.3f ms, and per 1,000: %.3f ms blocks in view, %.4f out of view (%.1f %% of the mean frame), "
	       "%.3f added, "
	       "%.4f samples\n",
		s->cost_is_cpu ? "CPU time" : "serial time", s->fit.base_ms, s->fit.in_view_ms, s->fit.out_of_view_ms,
		100.0 * s->fit.out_of_view_share, s->fit.added_ms, s->fit.samples_ms);
}

void frames_print(const frames_options *o, const frames_input *in, const frames_result *r, const frames_summary *s)
{
	const enm_session_stats *stats = &r->pipelined[r->repeats - 1].stats;
	printf("device    %s (%s, driver %s)\n", r->device.name, r->device.platform, r->device.driver);
	printf("dataset   %s: %zu frames of %ux%u%s, voxel %g mm, truncation %g mm\n", path_base(o->folder), in->count,
		in->def.camera.width, in->def.camera.height, in->def.color ? " with colour" : "", in->def.voxel_mm,
		in->def.truncation_mm);
	printf("tracked   %zu (%zu fused), %zu weak, %zu lost, %zu left out; all runs agree\n", s->tracked, s->fused,
		s->weak, s->lost, in->left_out);
	printf("frames/s  %.1f (%zu runs: %.1f to %.1f), two frames under way\n", s->fps_median, r->repeats, s->fps_min,
		s->fps_max);
	printf("CPU time  %.3f ms a frame two under way, %.3f ms one by one (the process's, least of the runs)\n",
		s->latency.cpu_ms, s->serial.cpu_ms);
	printf("memory    device %.1f MB, host %.1f MB at the peak, of which the frames %.1f MB\n",
		(double)stats->device_bytes_peak / MEGA, (double)r->host_bytes_peak / MEGA, (double)in->bytes / MEGA);
	printf("\n  %-18s %9s %9s %9s %9s\n", "ms", "median", "p95", "p99", "max");
	print_times("serial", &s->serial);
	print_times("pipelined latency", &s->latency);
	if (r->has_stages)
		print_stages(r, s);
	print_growth(s);
	if (r->has_rates)
		print_floors(r, s);
}

/* ---- JSON ---- */

static json_t *quantiles_json(const quantiles *q, bool *ok)
{
	json_t *object = json_object();
	json_put(object, "median", json_finite(q->median), ok);
	json_put(object, "p95", json_finite(q->p95), ok);
	json_put(object, "p99", json_finite(q->p99), ok);
	json_put(object, "max", json_finite(q->max), ok);
	return object;
}

static json_t *times_json(const frames_times *t, size_t count, bool *ok)
{
	double percentiles[FRAMES_PERCENTILES];
	json_t *object = json_object();
	json_put(object, "run", quantiles_json(&t->run, ok), ok);
	json_put(object, "run_median_min", json_finite(t->run_median_min), ok);
	json_put(object, "run_median_max", json_finite(t->run_median_max), ok);
	json_put(object, "least", quantiles_json(&t->least_q, ok), ok);
	json_put(object, "p99_least_to_median_run", json_finite(t->p99_to_median), ok);
	json_put(object, "p99_least_to_median_least", json_finite(t->least_q.p99 / t->least_q.median), ok);
	json_put(object, "cpu_ms_a_frame", json_finite(t->cpu_ms), ok);
	if (frames_percentiles(t->least, count, percentiles))
		*ok = false;
	else
		json_put(object, "least_percentiles", json_numbers(percentiles, FRAMES_PERCENTILES), ok);
	return object;
}

static json_t *fps_json(const frames_result *r, const frames_summary *s, bool *ok)
{
	json_t *fps = json_object();
	json_put(fps, "median", json_finite(s->fps_median), ok);
	json_put(fps, "min", json_finite(s->fps_min), ok);
	json_put(fps, "max", json_finite(s->fps_max), ok);
	json_put(fps, "runs", json_integer((json_int_t)r->repeats), ok);
	return fps;
}

static json_t *stages_json(const frames_summary *s, bool *ok)
{
	json_t *stages = json_object();
	for (int i = 0; i < ENM_STAGE_COUNT; i++)
		json_put(stages, enm_stage_name((enm_stage)i), quantiles_json(&s->stages[i], ok), ok);
	return stages;
}

static json_t *work_json(const frames_summary *s, bool *ok)
{
	json_t *work = json_object();
	json_put(work, "pixels", json_finite(s->work.pixels), ok);
	json_put(work, "samples", json_finite(s->work.samples), ok);
	json_put(work, "iterations", json_finite(s->work.iterations), ok);
	json_put(work, "blocks_in_view", json_finite(s->work.blocks_in_view), ok);
	json_put(work, "blocks_added", json_finite(s->work.blocks_added), ok);
	json_put(work, "blocks_used", json_finite(s->work.blocks_used), ok);
	json_put(work, "blocks_used_last", json_finite(s->blocks_used_last), ok);
	return work;
}

static json_t *parts_json(const frames_result *r, const frames_summary *s, bool *ok)
{
	json_t *parts = json_array();
	for (size_t i = 0; i < s->part_count; i++) {
		const frames_part *p = &s->parts[i];
		json_t *part = json_object();
		json_put(part, "first", json_integer((json_int_t)p->first), ok);
		json_put(part, "end", json_integer((json_int_t)p->end), ok);
		json_put(part, "serial_ms", json_finite(p->serial_ms), ok);
		json_put(part, "cpu_ms", json_finite(p->cpu_ms), ok);
		json_put(part, "blocks_in_view", json_finite(p->blocks_in_view), ok);
		json_put(part, "blocks_used", json_finite(p->blocks_used), ok);
		for (int k = 0; k < ENM_STAGE_COUNT && r->has_stages; k++) {
			char key[32];
			snprintf(key, sizeof(key), "%s_ms", enm_stage_name((enm_stage)k));
			json_put(part, key, json_finite(p->stage_ms[k]), ok);
		}
		if (json_array_append_new(parts, part))
			*ok = false;
	}
	return parts;
}

static json_t *fit_json(const frames_summary *s, bool *ok)
{
	const frames_fit *fit = &s->fit;
	json_t *object = json_object();
	json_put(object, "of", json_string(s->cost_is_cpu ? "cpu_ms" : "serial_ms"), ok);
	json_put(object, "base_ms", json_finite(fit->base_ms), ok);
	json_put(object, "per_1000_blocks_in_view_ms", json_finite(fit->in_view_ms), ok);
	json_put(object, "per_1000_blocks_out_of_view_ms", json_finite(fit->out_of_view_ms), ok);
	json_put(object, "per_1000_blocks_added_ms", json_finite(fit->added_ms), ok);
	json_put(object, "per_1000_samples_ms", json_finite(fit->samples_ms), ok);
	json_put(object, "out_of_view_share", json_finite(fit->out_of_view_share), ok);
	return object;
}

static json_t *rates_json(const device_rates *rates, bool *ok)
{
	json_t *object = json_object();
	json_put(object, "copy_gb_s", json_finite(rates->copy_bytes_s / GIGA), ok);
	json_put(object, "copy_bytes", json_integer((json_int_t)rates->copy_bytes), ok);
	json_put(object, "cached_gb_s", json_finite(rates->cached_bytes_s / GIGA), ok);
	json_put(object, "cached_bytes", json_integer((json_int_t)rates->cached_bytes), ok);
	json_put(object, "launch_us", json_finite(MICRO * rates->launch_ms), ok);
	json_put(object, "round_trip_us", json_finite(MICRO * rates->round_trip_ms), ok);
	return object;
}

static json_t *floors_json(const frames_summary *s, bool *ok)
{
	json_t *floors = json_object();
	for (int i = 0; i < ENM_STAGE_COUNT; i++) {
		const frames_floor *f = &s->floors[i];
		if (!f->there)
			continue;
		json_t *floor = json_object();
		json_put(floor, "bytes", json_finite(f->must.bytes), ok);
		json_put(floor, "operations", json_finite(f->must.operations), ok);
		json_put(floor, "launches", json_finite(f->must.launches), ok);
		json_put(floor, "floor_ms", json_finite(f->floor_ms), ok);
		json_put(floor, "floor_cached_ms", json_finite(f->cached_ms), ok);
		json_put(floor, "measured_ms", json_finite(f->measured_ms), ok);
		json_put(floor, "measured_to_floor", json_finite(f->ratio), ok);
		json_put(floors, enm_stage_name((enm_stage)i), floor, ok);
	}
	return floors;
}

static void put_head(json_t *root, const frames_options *o, const frames_input *in, const frames_result *r, bool *ok)
{
	json_put(root, "version", json_string(enm_version()), ok);
	json_put(root, "device", json_string(r->device.name), ok);
	json_put(root, "platform", json_string(r->device.platform), ok);
	json_put(root, "driver", json_string(r->device.driver), ok);
	json_put(root, "device_is_cpu", json_boolean(r->device.kind == ENM_DEVICE_CPU), ok);
	json_put(root, "dataset", json_string(path_base(o->folder)), ok);
	json_put(root, "label", o->label ? json_string(o->label) : json_null(), ok);
	json_put(root, "width", json_integer(in->def.camera.width), ok);
	json_put(root, "height", json_integer(in->def.camera.height), ok);
	json_put(root, "frames", json_integer((json_int_t)in->count), ok);
	json_put(root, "left_out", json_integer((json_int_t)in->left_out), ok);
	json_put(root, "voxel_mm", json_finite(in->def.voxel_mm), ok);
	json_put(root, "truncation_mm", json_finite(in->def.truncation_mm), ok);
	json_put(root, "color", json_boolean(in->def.color), ok);
	json_put(root, "session_per_run", json_boolean(!o->reset), ok);
}

json_t *frames_json(const frames_options *o, const frames_input *in, const frames_result *r, const frames_summary *s)
{
	const enm_session_stats *stats = &r->pipelined[r->repeats - 1].stats;
	bool ok = true;
	json_t *root = json_object();
	put_head(root, o, in, r, &ok);
	json_put(root, "tracked", json_integer((json_int_t)s->tracked), &ok);
	json_put(root, "fused", json_integer((json_int_t)s->fused), &ok);
	json_put(root, "weak", json_integer((json_int_t)s->weak), &ok);
	json_put(root, "lost", json_integer((json_int_t)s->lost), &ok);
	json_put(root, "fps", fps_json(r, s, &ok), &ok);
	json_put(root, "serial_ms", times_json(&s->serial, in->count, &ok), &ok);
	json_put(root, "latency_ms", times_json(&s->latency, in->count, &ok), &ok);
	if (r->has_stages)
		json_put(root, "stages_ms", stages_json(s, &ok), &ok);
	json_put(root, "event_times_trusted", json_boolean(r->context.event_times_trusted), &ok);
	json_put(root, "work", work_json(s, &ok), &ok);
	json_put(root, "parts", parts_json(r, s, &ok), &ok);
	json_put(root, "fit", fit_json(s, &ok), &ok);
	if (r->has_rates)
		json_put(root, "rates", rates_json(&r->rates, &ok), &ok);
	if (r->has_rates && r->has_stages)
		json_put(root, "floors", floors_json(s, &ok), &ok);
	json_put(root, "calls_blocking", json_integer((json_int_t)stats->device_calls_blocking), &ok);
	json_put(root, "device_allocations", json_integer((json_int_t)stats->device_allocations), &ok);
	json_put(root, "device_bytes_peak", json_integer((json_int_t)stats->device_bytes_peak), &ok);
	json_put(root, "host_bytes_peak", json_integer((json_int_t)r->host_bytes_peak), &ok);
	json_put(root, "frames_bytes", json_integer((json_int_t)in->bytes), &ok);
	if (!ok) {
		json_decref(root);
		root = NULL;
	}
	return root;
}

json_t *frames_figures(const frames_options *o, const frames_input *in, const frames_result *r)
{
	frames_summary s;
	json_t *root = NULL;
	if (!frames_summarize(in, r, &s)) {
		frames_print(o, in, r, &s);
		root = frames_json(o, in, r, &s);
	}
	frames_summary_free(&s);
	return root;
}
