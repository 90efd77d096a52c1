/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/frame.h"

#include <string.h>

#include "core/error.h"
#include "core/pose.h"
#include "pipeline/motion.h"

/* ---- in ---- */

enm_result input_check(const enm_session *s, const enm_frame *f)
{
	const enm_camera *c = &s->def.camera;
	if (f == NULL || f->depth == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_push: frame or its depth is NULL");
	if (f->depth_format != ENM_DEPTH_U16 && f->depth_format != ENM_DEPTH_F32_MM)
		return error_set(ENM_E_ARGUMENT, "depth_format: %d is none", (int)f->depth_format);
	size_t depth_row = c->width * (f->depth_format == ENM_DEPTH_U16 ? sizeof(uint16_t) : sizeof(float));
	if (f->depth_stride_bytes != 0 && f->depth_stride_bytes < depth_row)
		return error_set(ENM_E_ARGUMENT, "depth_stride_bytes: %zu is less than a row of %zu",
			f->depth_stride_bytes, depth_row);
	if (f->color_rgb != NULL && f->color_stride_bytes != 0 && f->color_stride_bytes < 3 * (size_t)c->width)
		return error_set(ENM_E_ARGUMENT, "color_stride_bytes: %zu is less than a row of %zu",
			f->color_stride_bytes, 3 * (size_t)c->width);
	if (s->frames_pushed > 0 && f->time_ns <= s->last_time_ns)
		return error_set(ENM_E_ARGUMENT, "time_ns: %lld is not after the previous frame's %lld",
			(long long)f->time_ns, (long long)s->last_time_ns);
	return motion_check(f->motion);
}

static void copy_rows(void *to, const void *from, size_t row_bytes, size_t stride_bytes, size_t rows)
{
	if (stride_bytes == 0 || stride_bytes == row_bytes) {
		memcpy(to, from, row_bytes * rows);
		return;
	}
	for (size_t r = 0; r < rows; r++)
		memcpy((char *)to + r * row_bytes, (const char *)from + r * stride_bytes, row_bytes);
}

void input_stage(enm_session *s, session_slot *slot, const frame_kind *kind, const enm_frame *f, float dt_s)
{
	const size_t width = s->def.camera.width, rows = s->def.camera.height;
	const size_t depth_row = width * (kind->format == ENM_DEPTH_U16 ? sizeof(uint16_t) : sizeof(float));
	char *staged = slot->staging.host;
	const enm_k_input header = motion_to_device(f->motion, dt_s);
	memcpy(staged, &header, sizeof(header));
	copy_rows(staged + ENM_K_INPUT_DEPTH, f->depth, depth_row, f->depth_stride_bytes, rows);
	if (kind->color)
		copy_rows(staged + depth_color_offset(&s->depth, kind->format), f->color_rgb, 3 * width,
			f->color_stride_bytes, rows);
}

/* ---- out ---- */

bool report_is_full(const session_slot *slot)
{
	const enm_k_blocks *b = &slot->report->blocks;
	return b->full != 0 && !(slot->may_grow && b->wanted > b->added);
}

enm_report report_of_slot(const session_slot *slot)
{
	const enm_k_track *t = &slot->report->track;
	const enm_k_blocks *b = &slot->report->blocks;
	const bool tracked = t->verdict == ENM_K_VERDICT_TRACKED;
	enm_report report = {
		.frame_id = slot->frame_id,
		.time_ns = slot->time_ns,
		.verdict = (enm_verdict)t->verdict,
		.reason = (enm_reason)t->reason,
		.fused = tracked,
		.full = report_is_full(slot),
		.world_from_camera = report_pose(t),
		.valid_readings = t->valid_readings,
		.samples = t->samples,
		.overlap = t->overlap,
		.inliers = t->inliers,
		.rms_mm = t->rms_mm,
		.least_eigenvalue = t->least_eigenvalue,
		.iterations = t->iterations,
		.held = t->held,
		.events = t->events & 0xFFFFu,
		.blocks_used = b->used,
		.blocks_added = b->added,
		.blocks_in_view = b->in_view,
		.island = t->island,
	};
	if ((t->events & ENM_K_EVENT_ISLAND_JOINED) != 0) {
		report.joined_island = t->joined;
		report.first_from_island = pose_from_device(&t->first_from_island);
	}
	if ((t->events & ENM_K_EVENT_ISLAND_DROPPED) != 0)
		report.dropped_island = t->dropped;
	report_motion(t, &report);
	return report;
}
