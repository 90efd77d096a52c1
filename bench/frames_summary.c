/* SPDX-License-Identifier: Apache-2.0 */
#include "frames_summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- quantiles ---- */

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

/* `values` in order, in memory of its own. */
static host_status sorted(const double *values, size_t count, double **out)
{
	*out = malloc((count ? count : 1) * sizeof(**out));
	if (!*out)
		return host_fail_memory("sorted times");
	memcpy(*out, values, count * sizeof(**out));
	qsort(*out, count, sizeof(**out), compare);
	return HOST_OK;
}

static double nearest_rank(const double *in_order, size_t count, size_t percent)
{
	size_t rank = (percent * count + 99) / 100;
	return in_order[rank ? rank - 1 : 0];
}

static host_status quantiles_of(const double *values, size_t count, quantiles *out)
{
	double *in_order;
	host_status status = sorted(values, count, &in_order);
	if (status)
		return status;
	*out = (quantiles){nearest_rank(in_order, count, 50), nearest_rank(in_order, count, 95),
		nearest_rank(in_order, count, 99), nearest_rank(in_order, count, 100)};
	free(in_order);
	return HOST_OK;
}

host_status frames_percentiles(const double *values, size_t count, double out[FRAMES_PERCENTILES])
{
	double *in_order;
	host_status status = sorted(values, count, &in_order);
	for (size_t i = 0; !status && i < FRAMES_PERCENTILES; i++)
		out[i] = nearest_rank(in_order, count, i);
	free(in_order);
	return status;
}

/* ---- all runs of a kind ---- */

static host_status summarize_times(const frames_pass *passes, size_t repeats, size_t count, frames_times *out)
{
	quantiles *runs = calloc(repeats, sizeof(*runs));
	double *medians = calloc(repeats, sizeof(*medians));
	out->least = malloc(count * sizeof(*out->least));
	out->least_cpu = malloc(count * sizeof(*out->least_cpu));
	host_status status = runs && medians && out->least && out->least_cpu ? HOST_OK : host_fail_memory("the times");
	for (size_t i = 0; i < repeats && !status; i++) {
		status = quantiles_of(passes[i].ms, count, &runs[i]);
		medians[i] = runs[i].median;
		const double cpu_ms = 1e3 * passes[i].cpu_s / (double)count;
		out->cpu_ms = i == 0 ? cpu_ms : fmin(out->cpu_ms, cpu_ms);
		for (size_t n = 0; n < count; n++) {
			out->least[n] = i == 0 ? passes[i].ms[n] : fmin(out->least[n], passes[i].ms[n]);
			out->least_cpu[n] = i == 0 ? passes[i].cpu_ms[n] : fmin(out->least_cpu[n], passes[i].cpu_ms[n]);
		}
	}
	if (!status) {
		qsort(medians, repeats, sizeof(*medians), compare);
		const double middle = nearest_rank(medians, repeats, 50);
		for (size_t i = repeats; i-- > 0;)
			out->run = !(runs[i].median < middle) && !(runs[i].median > middle) ? runs[i] : out->run;
		out->run_median_min = medians[0];
		out->run_median_max = medians[repeats - 1];
		status = quantiles_of(out->least, count, &out->least_q);
		out->p99_to_median = out->least_q.p99 / out->run.median;
	}
	free(runs);
	free(medians);
	return status;
}

static host_status summarize_fps(const frames_result *r, size_t count, frames_summary *out)
{
	double *fps = calloc(r->repeats, sizeof(*fps));
	if (!fps)
		return host_fail_memory("the runs");
	for (size_t i = 0; i < r->repeats; i++)
		fps[i] = (double)count / r->pipelined[i].wall_s;
	qsort(fps, r->repeats, sizeof(*fps), compare);
	out->fps_median = nearest_rank(fps, r->repeats, 50);
	out->fps_min = fps[0];
	out->fps_max = fps[r->repeats - 1];
	free(fps);
	return HOST_OK;
}

/* ---- numbers of the reports ---- */

typedef double (*report_number)(const enm_report *report);

static double number_samples(const enm_report *report)
{
	return report->samples;
}

static double number_iterations(const enm_report *report)
{
	return report->iterations;
}

static double number_in_view(const enm_report *report)
{
	return report->blocks_in_view;
}

static double number_added(const enm_report *report)
{
	return report->blocks_added;
}

static double number_used(const enm_report *report)
{
	return report->blocks_used;
}

/* Of the reports [first, end); `values` has room for them. */
static host_status median_number(
	const enm_report *reports, size_t first, size_t end, report_number number, double *values, double *out)
{
	quantiles q = {0};
	for (size_t i = first; i < end; i++)
		values[i - first] = number(&reports[i]);
	host_status status = quantiles_of(values, end - first, &q);
	*out = q.median;
	return status;
}

static host_status stage_quantiles(
	const enm_report *reports, size_t first, size_t end, int stage, double *values, quantiles *out)
{
	for (size_t i = first; i < end; i++)
		values[i - first] = (double)reports[i].stage_ms[stage];
	return quantiles_of(values, end - first, out);
}

/* ---- the whole scan and its parts ---- */

static host_status summarize_reports(const frames_input *in, const frames_result *r, double *values, frames_summary *s)
{
	const enm_report *reports = r->serial[0].reports;
	const struct {
		report_number number;
		double *out;
	} medians[] = {{number_samples, &s->work.samples}, {number_iterations, &s->work.iterations},
		{number_in_view, &s->work.blocks_in_view}, {number_added, &s->work.blocks_added},
		{number_used, &s->work.blocks_used}};
	host_status status = HOST_OK;
	for (size_t i = 0; i < in->count; i++) {
		s->tracked += reports[i].verdict == ENM_VERDICT_TRACKED;
		s->weak += reports[i].verdict == ENM_VERDICT_WEAK;
		s->lost += reports[i].verdict == ENM_VERDICT_LOST;
		s->fused += reports[i].fused;
	}
	for (size_t i = 0; i < sizeof(medians) / sizeof(*medians) && !status; i++)
		status = median_number(reports, 0, in->count, medians[i].number, values, medians[i].out);
	s->blocks_used_last = reports[in->count - 1].blocks_used;
	s->work.pixels = (double)in->pixels;
	s->work.raw_bytes = sizeof(*in->depth);
	s->work.color = in->def.color;
	for (int stage = 0; stage < ENM_STAGE_COUNT && !status && r->has_stages; stage++)
		status = stage_quantiles(r->stages.reports, 0, in->count, stage, values, &s->stages[stage]);
	return status;
}

static host_status summarize_part(const frames_result *r, double *values, const frames_times *serial, frames_part *part)
{
	const enm_report *reports = r->serial[0].reports;
	quantiles q;
	host_status status = quantiles_of(serial->least + part->first, part->end - part->first, &q);
	part->serial_ms = q.median;
	if (!status)
		status = quantiles_of(serial->least_cpu + part->first, part->end - part->first, &q);
	part->cpu_ms = q.median;
	if (!status)
		status = median_number(reports, part->first, part->end, number_used, values, &part->blocks_used);
	if (!status)
		status = median_number(reports, part->first, part->end, number_in_view, values, &part->blocks_in_view);
	for (int stage = 0; stage < ENM_STAGE_COUNT && !status && r->has_stages; stage++) {
		status = stage_quantiles(r->stages.reports, part->first, part->end, stage, values, &q);
		part->stage_ms[stage] = q.median;
	}
	return status;
}

static host_status summarize_parts(const frames_input *in, const frames_result *r, double *values, frames_summary *s)
{
	host_status status = HOST_OK;
	s->part_count = in->count < FRAMES_PARTS ? in->count : FRAMES_PARTS;
	for (size_t i = 0; i < s->part_count && !status; i++) {
		s->parts[i].first = i * in->count / s->part_count;
		s->parts[i].end = (i + 1) * in->count / s->part_count;
		status = summarize_part(r, values, &s->serial, &s->parts[i]);
	}
	return status;
}

/* ---- floors ---- */

static void summarize_floors(const frames_result *r, frames_summary *s)
{
	for (int i = 0; i < ENM_STAGE_COUNT; i++) {
		frames_floor *f = &s->floors[i];
		f->there = floor_of((enm_stage)i, &s->work, &f->must);
		if (!f->there)
			continue;
		f->floor_ms = floor_ms(&f->must, r->rates.copy_bytes_s, r->rates.launch_ms);
		f->cached_ms = floor_ms(&f->must, r->rates.cached_bytes_s, r->rates.launch_ms);
		f->measured_ms = s->stages[i].median;
		f->ratio = f->measured_ms / f->floor_ms;
	}
}

host_status frames_summarize(const frames_input *in, const frames_result *r, frames_summary *out)
{
	memset(out, 0, sizeof(*out));
	double *values = malloc(in->count * sizeof(*values));
	host_status status = values ? HOST_OK : host_fail_memory("the figures");
	if (!status)
		status = summarize_fps(r, in->count, out);
	if (!status)
		status = summarize_times(r->serial, r->repeats, in->count, &out->serial);
	if (!status)
		status = summarize_times(r->pipelined, r->repeats, in->count, &out->latency);
	if (!status)
		status = summarize_reports(in, r, values, out);
	if (!status)
		status = summarize_parts(in, r, values, out);
	if (!status) {
		out->cost_is_cpu = r->device.kind == ENM_DEVICE_CPU;
		const double *costs = out->cost_is_cpu ? out->serial.least_cpu : out->serial.least;
		quantiles q = {0};
		status = quantiles_of(costs, in->count, &q);
		out->fit = frames_fit_make(r->serial[0].reports, costs, in->count, q.median);
		if (r->has_rates && r->has_stages)
			summarize_floors(r, out);
	}
	free(values);
	return status;
}

void frames_summary_free(frames_summary *s)
{
	free(s->serial.least);
	free(s->serial.least_cpu);
	free(s->latency.least);
	free(s->latency.least_cpu);
	memset(s, 0, sizeof(*s));
}
