/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "json.h"
#include "prepare.h"
#include "statistic.h"

#define TRACKED_SHARE_MIN 0.5

double report_fps(const replay_facts *f)
{
	const stitch_result *r = f->result;
	return r->engine_s > 0.0 ? (double)(r->tracked + r->weak + r->lost) / r->engine_s : 0.0;
}

static size_t frames_taken(const stitch_result *r)
{
	return r->tracked + r->weak + r->lost + r->left_out.count;
}

/* ru_maxrss is in KiB on Linux. */
static json_int_t host_bytes_peak(void)
{
	struct rusage usage;
	return getrusage(RUSAGE_SELF, &usage) ? 0 : (json_int_t)usage.ru_maxrss * 1024;
}

json_t *report_quantiles(samples *s, bool *ok)
{
	quantiles q = samples_quantiles(s);
	json_t *object = json_object();
	json_put(object, "median", json_finite(q.median), ok);
	json_put(object, "p95", json_finite(q.p95), ok);
	json_put(object, "p99", json_finite(q.p99), ok);
	json_put(object, "max", json_finite(q.max), ok);
	samples_free(s);
	return object;
}

/* A frame's own time begins when the one before it is done, since frames overlap in the engine. */
static void put_frame_times(json_t *root, const stitch_result *r, bool *ok)
{
	samples frame_ms = {0}, latency_ms = {0};
	double previous_s = 0.0;
	for (size_t i = 0; i < r->frame_count; i++) {
		const stitch_frame *f = &r->frames[i];
		if (!f->reported)
			continue;
		double begin_s = fmax(f->pushed_s, previous_s);
		*ok = *ok && !samples_add(&frame_ms, 1e3 * fmax(0.0, f->done_s - begin_s)) &&
		      !samples_add(&latency_ms, (double)f->report.latency_ms);
		previous_s = fmax(previous_s, f->done_s);
	}
	json_put(root, "frame_ms", report_quantiles(&frame_ms, ok), ok);
	json_put(root, "latency_ms", report_quantiles(&latency_ms, ok), ok);
}

static void put_stage_times(json_t *root, const replay_facts *f, bool *ok)
{
	json_t *stages = json_object();
	for (int stage = 0; stage < ENM_STAGE_COUNT; stage++) {
		samples s = {0};
		for (size_t i = 0; i < f->result->frame_count; i++)
			if (f->result->frames[i].reported)
				*ok = *ok && !samples_add(&s, (double)f->result->frames[i].report.stage_ms[stage]);
		json_put(stages, enm_stage_name((enm_stage)stage), report_quantiles(&s, ok), ok);
	}
	samples mesh = {0};
	if (f->mesh_ms > 0.0)
		*ok = *ok && !samples_add(&mesh, f->mesh_ms);
	json_put(stages, "mesh", report_quantiles(&mesh, ok), ok);
	json_put(root, "stages_ms", stages, ok);
}

static json_t *left_out_json(const dataset *d, const stitch_left_out_list *list, bool color, bool *ok)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++) {
		const dataset_frame *f = &d->frames[list->entries[i].index];
		json_t *entry = json_object();
		json_put(entry, "file", json_foreign(color ? f->color : f->depth), ok);
		json_put(entry, "reason", json_foreign(list->entries[i].reason), ok);
		*ok = !json_array_append_new(array, entry) && *ok;
	}
	return array;
}

static json_t *not_tracked_json(const replay_facts *f, bool *ok)
{
	json_t *array = json_array();
	for (size_t i = 0; i < f->result->frame_count; i++) {
		const stitch_frame *frame = &f->result->frames[i];
		if (!frame->reported || frame->report.verdict == ENM_VERDICT_TRACKED)
			continue;
		json_t *entry = json_object();
		char text[256];
		enm_report_text(&frame->report, text, sizeof text);
		json_put(entry, "file", json_foreign(f->data->frames[frame->index].depth), ok);
		json_put(entry, "time_s", json_finite(f->data->frames[frame->index].time_s), ok);
		json_put(
			entry, "verdict", json_string(frame->report.verdict == ENM_VERDICT_WEAK ? "weak" : "lost"), ok);
		json_put(entry, "reason", json_string(enm_reason_text(frame->report.reason)), ok);
		json_put(entry, "overlap", json_finite((double)frame->report.overlap), ok);
		json_put(entry, "inliers", json_finite((double)frame->report.inliers), ok);
		json_put(entry, "rms_mm", json_finite((double)frame->report.rms_mm), ok);
		json_put(entry, "held", json_integer(frame->report.held), ok);
		json_put(entry, "text", json_string(text), ok);
		*ok = !json_array_append_new(array, entry) && *ok;
	}
	return array;
}

const report_event report_events[REPORT_EVENTS] = {{ENM_EVENT_LOST, "lost"}, {ENM_EVENT_RECOVERED, "recovered"},
	{ENM_EVENT_ISLAND_BEGUN, "island begun"}, {ENM_EVENT_ISLAND_JOINED, "island joined"},
	{ENM_EVENT_ISLAND_DROPPED, "island dropped"}, {ENM_EVENT_BEGUN_AGAIN, "begun again"},
	{ENM_EVENT_CORRECTED, "corrected"}};

static json_t *events_json(const replay_facts *f, bool *ok)
{
	json_t *array = json_array();
	for (size_t i = 0; i < f->result->frame_count; i++) {
		const stitch_frame *frame = &f->result->frames[i];
		for (size_t n = 0; n < REPORT_EVENTS && frame->reported; n++) {
			if (!(frame->report.events & report_events[n].bit))
				continue;
			json_t *entry = json_object();
			json_put(entry, "time_s", json_finite(f->data->frames[frame->index].time_s), ok);
			json_put(entry, "event", json_string(report_events[n].name), ok);
			*ok = !json_array_append_new(array, entry) && *ok;
		}
	}
	return array;
}

/* In the dataset's clock, as the trajectory has them. */
static json_t *fused_times_json(const replay_facts *f, bool *ok)
{
	json_t *array = json_array();
	for (size_t i = 0; i < f->result->frame_count; i++) {
		const stitch_frame *frame = &f->result->frames[i];
		if (frame->reported && frame->report.fused && !frame->apart)
			*ok = !json_array_append_new(array, json_finite(f->data->frames[frame->index].time_s)) && *ok;
	}
	return array;
}

static json_t *count_json(size_t count)
{
	return json_integer((json_int_t)count);
}

static void put_settings(json_t *root, const replay_facts *f, bool *ok)
{
	json_put(root, "version", json_string(enm_version()), ok);
	json_put(root, "dataset", json_foreign(f->data->folder), ok);
	json_put(root, "layout", json_string(dataset_layout_name(f->data->layout)), ok);
	json_put(root, "unit", json_string(f->data->unit), ok);
	json_put(root, "scale", json_string(f->scale == ENM_SCALE_TOOTH ? "tooth" : "room"), ok);
	json_put(root, "voxel_mm", json_finite(f->session_def.voxel_mm), ok);
	json_put(root, "truncation_mm", json_finite(f->session_def.truncation_mm), ok);
	json_put(root, "tracker", json_string(f->session_def.tracker == ENM_TRACKER_RAYCAST ? "raycast" : "field"), ok);
	json_put(root, "color", json_boolean(f->session_def.color), ok);
	json_put(root, "row_time_s", json_finite(f->session_def.row_time_s), ok);
	json_put(root, "recover", json_boolean(f->session_def.recover), ok);
	json_put(root, "foreign_bodies", json_boolean(f->session_def.foreign_bodies), ok);
	json_put(root, "close_loops", json_string(loops_names[prepare_loops(&f->session_def)]), ok);
	json_put(root, "corrections", json_integer((json_int_t)f->session.corrections), ok);
	json_put(root, "corrections_dropped", json_integer((json_int_t)f->session.corrections_dropped), ok);
	json_put(root, "device", json_foreign(f->device.name), ok);
	json_put(root, "platform", json_foreign(f->device.platform), ok);
	json_put(root, "driver", json_foreign(f->device.driver), ok);
}

static void put_counts(json_t *root, const replay_facts *f, bool *ok)
{
	const stitch_result *r = f->result;
	json_put(root, "interrupted", json_boolean(r->interrupted), ok);
	json_put(root, "frames", count_json(frames_taken(r)), ok);
	json_put(root, "tracked", count_json(r->tracked), ok);
	json_put(root, "weak", count_json(r->weak), ok);
	json_put(root, "lost", count_json(r->lost), ok);
	json_put(root, "left_out", count_json(r->left_out.count), ok);
	json_put(root, "skipped", count_json(r->skipped), ok);
	json_put(root, "fused", count_json(r->fused - r->apart), ok);
	json_put(root, "apart", count_json(r->apart), ok);
}

static void put_sizes(json_t *root, const replay_facts *f, bool *ok)
{
	json_put(root, "device_bytes_peak", count_json(f->session.device_bytes_peak), ok);
	json_put(root, "host_bytes_peak", json_integer(host_bytes_peak()), ok);
	json_put(root, "blocks_used", count_json(f->session.blocks_used), ok);
	json_put(root, "model_full", json_boolean(f->result->full), ok);
	json_put(root, "vertices", count_json(f->mesh.vertex_count), ok);
	json_put(root, "triangles", count_json(f->mesh.triangle_count), ok);
	json_put(root, "islands_removed", json_integer(f->mesh.islands_removed), ok);
	json_put(root, "surface", quality_json(&f->surface, ok), ok);
}

json_t *report_json(const replay_facts *f)
{
	bool ok = true;
	json_t *root = json_object();
	put_settings(root, f, &ok);
	put_counts(root, f, &ok);
	json_put(root, "fps", json_finite(report_fps(f)), &ok);
	json_put(root, "startup_ms", json_finite(f->startup_ms), &ok);
	json_put(root, "wall_s", json_finite(f->wall_s), &ok);
	json_put(root, "engine_s", json_finite(f->result->engine_s), &ok);
	json_put(root, "read_s", json_finite(f->result->read_s), &ok);
	put_frame_times(root, f->result, &ok);
	put_stage_times(root, f, &ok);
	json_put(root, "event_times_trusted", json_boolean(f->context.event_times_trusted), &ok);
	json_put(root, "programs_built", json_integer(f->context.programs_built), &ok);
	json_put(root, "programs_cached", json_integer(f->context.programs_cached), &ok);
	put_sizes(root, f, &ok);
	json_put(root, "frames_left_out", left_out_json(f->data, &f->result->left_out, false, &ok), &ok);
	json_put(root, "colors_left_out", left_out_json(f->data, &f->result->colors_left_out, true, &ok), &ok);
	json_put(root, "frames_not_tracked", not_tracked_json(f, &ok), &ok);
	json_put(root, "events", events_json(f, &ok), &ok);
	json_put(root, "fused_times_s", fused_times_json(f, &ok), &ok);
	if (f->refine.wanted)
		json_put(root, "refine", refine_json(&f->refine, &ok), &ok);
	if (f->live)
		json_put(root, "live", json_incref(f->live), &ok);
	if (ok)
		return root;
	json_decref(root);
	return NULL;
}

void report_print(const replay_facts *f)
{
	const stitch_result *r = f->result;
	printf("frames:   %zu: %zu tracked (%zu fused, %zu apart), %zu weak, %zu lost, %zu left out%s\n", frames_taken(r),
		r->tracked, r->fused - r->apart, r->apart, r->weak, r->lost, r->left_out.count, r->interrupted ? "; interrupted" : "");
	if (r->skipped)
		printf("skipped:  %zu frames beside these were left untracked: the device could not keep up, or the scan was paused\n", r->skipped);
	printf("speed:    %.1f frames/s (%.2f s in the engine, %.2f s reading files, %.2f s in all), first frame after "
	       "%.0f ms\n",
		report_fps(f), r->engine_s, r->read_s, f->wall_s, f->startup_ms);
	printf("memory:   %.1f MB on the device, %.1f MB on the host%s\n", 1e-6 * (double)f->session.device_bytes_peak,
		1e-6 * (double)host_bytes_peak(), r->full ? "; the model reached its bound" : "");
	refine_print(&f->refine);
	printf("mesh:     %zu vertices, %zu triangles, %u islands removed\n", f->mesh.vertex_count,
		f->mesh.triangle_count, f->mesh.islands_removed);
	printf("surface:  %.0f mm2, %zu gaps (%.1f mm2), %.1f um noise (median)\n", f->surface.area_mm2, f->surface.gap_count,
		f->surface.gap_area_mm2, f->surface.sigma_um_median);
}

/* The reason given for most of the frames that were not tracked. */
static const char *main_reason(const stitch_result *r)
{
	size_t counts[ENM_REASON_RECOVERING + 1] = {0}, best = 0;
	for (size_t i = 0; i < r->frame_count; i++) {
		const enm_report *report = &r->frames[i].report;
		if (r->frames[i].reported && report->verdict != ENM_VERDICT_TRACKED && (int)report->reason >= 0 &&
			report->reason <= ENM_REASON_RECOVERING)
			counts[report->reason]++;
	}
	for (size_t i = 1; i <= ENM_REASON_RECOVERING; i++)
		if (counts[i] > counts[best])
			best = i;
	return counts[best] ? enm_reason_text((enm_reason)best) : "frames left out";
}

host_status report_judge(const replay_facts *f)
{
	const stitch_result *r = f->result;
	const char *folder = f->data->folder;
	size_t frames = frames_taken(r);
	if (!r->tracked)
		return host_fail_file(HOST_DATA, folder, "no frame was tracked (mostly: %s)", main_reason(r));
	if (r->tracked == 1 && frames > 1)
		return host_fail_file(
			HOST_DATA, folder, "nothing was tracked beyond the first frame (mostly: %s)", main_reason(r));
	if ((double)r->tracked < TRACKED_SHARE_MIN * (double)frames)
		return host_fail_file(HOST_DATA, folder, "only %zu of %zu frames were tracked (mostly: %s)", r->tracked,
			frames, main_reason(r));
	if (!f->mesh.triangle_count)
		return host_fail_file(HOST_DATA, folder, "the model has no surface: too few frames saw the same place");
	return HOST_OK;
}
