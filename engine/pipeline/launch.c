/* SPDX-License-Identifier: Apache-2.0
 *
 * The way of a frame. The only file that knows the order of the stages:
 *
 *     upload -> depth -> track -> gate -> allocate -> fuse -> keyframe -> (view) -> (relocate) -> report
 *
 * All of them are launched into one in-order queue without waiting, but for the upload, which has a queue of its own
 * and is waited for on the device; what a stage decides (verdict, counts) stays on the device, and the host reads one
 * report a frame.
 */
#include "pipeline/launch.h"

#include "core/constants.h"
#include "pipeline/frame.h"

void launch_drop_recordings(session_slot *slot)
{
	for (int i = 0; i < 4; i++)
		gpu_recording_destroy(&slot->recordings[i / 2][i % 2]);
}

static enm_result begin_stage(enm_session *s, session_slot *slot, enm_stage stage)
{
	return slot->profile != NULL ? gpu_profile_stage(s->queue, slot->profile, (uint32_t)stage) : ENM_OK;
}

/* Sends the slot's input. The slot's last frame, which used it, is done; that of the other slot may be worked on
 * meanwhile. */
static enm_result upload(enm_session *s, session_slot *slot, const frame_kind *kind)
{
	gpu_buffer *input = &s->depth.input[slot - s->slots];
	const size_t bytes = depth_input_bytes(&s->depth, kind->format, kind->color);
	gpu_queue *queue = s->ways.overlap ? s->uploads : s->queue;
	gpu_event *arrived = NULL;
	enm_result result = ENM_OK;
	if (slot->profile != NULL)
		result = gpu_profile_stage(queue, slot->profile, ENM_STAGE_UPLOAD);
	if (result == ENM_OK)
		result = gpu_write(queue, input, 0, slot->staging.host, bytes, s->ways.overlap ? &arrived : NULL);
	if (!s->ways.overlap)
		return result;
	if (result == ENM_OK)
		result = gpu_flush(s->uploads);
	if (result == ENM_OK)
		result = gpu_queue_wait(s->queue, arrived);
	gpu_event_release(&arrived);
	return result;
}

/* Everything that happens to a frame on the device: the same commands for each frame of a kind in a slot, until the
 * model grows. */
static enm_result launch_stages(enm_session *s, session_slot *slot, const frame_kind *kind)
{
	const uint32_t index = (uint32_t)(slot - s->slots);
	const gpu_buffer *state = &s->track.state;
	const size_t color_offset = kind->color ? depth_color_offset(&s->depth, kind->format) : 0;
	enm_result result = begin_stage(s, slot, ENM_STAGE_DEPTH);
	if (result == ENM_OK)
		result = depth_run(&s->depth, s->queue, index, kind->format);
	if (result == ENM_OK)
		result = begin_stage(s, slot, ENM_STAGE_TRACK);
	if (result == ENM_OK)
		result = track_predict(&s->track, s->queue, &s->depth, index);
	if (result == ENM_OK)
		result = foreign_hide(&s->foreign, s->queue, &s->depth, &s->model, state, index);
	if (result == ENM_OK)
		result = track_align(&s->track, s->queue, &s->depth, &s->model, &s->view, index, color_offset);
	if (result == ENM_OK && slot->may_begin_anew)
		result = fuse_forget(&s->fuse, s->queue, &s->model, state);
	if (result == ENM_OK && slot->may_begin_anew)
		result = foreign_forget(&s->foreign, s->queue, state);
	if (result == ENM_OK)
		result = begin_stage(s, slot, ENM_STAGE_ALLOCATE);
	if (result == ENM_OK)
		result = allocate_run(&s->allocate, s->queue, &s->depth, &s->model, state);
	if (result == ENM_OK)
		result = begin_stage(s, slot, ENM_STAGE_FUSE);
	if (result == ENM_OK)
		result = fuse_run(&s->fuse, s->queue, &s->depth, &s->model, state, index, color_offset);
	if (result == ENM_OK && s->def.recover)
		result = keyframes_run(&s->keyframes, s->queue, &s->depth, state);
	if (result == ENM_OK)
		result = foreign_learn(&s->foreign, s->queue, &s->depth, &s->model, state);
	if (result == ENM_OK)
		result = begin_stage(s, slot, ENM_STAGE_VIEW);
	if (result == ENM_OK && s->def.tracker == ENM_TRACKER_RAYCAST)
		result = view_follow(&s->view, s->queue, &s->depth, &s->model, state);
	if (result == ENM_OK && slot->profile != NULL)
		result = gpu_profile_stage(s->queue, NULL, 0);
	return result;
}

/* The same as one command. Where that cannot be had after all, the session goes on with single launches. */
static enm_result run_stages(enm_session *s, session_slot *slot, const frame_kind *kind)
{
	gpu_recording **kept = &slot->recordings[kind->format][kind->color];
	if (!s->ways.record || slot->profile != NULL || slot->may_begin_anew)
		return launch_stages(s, slot, kind);
	if (slot->generation != s->model.generation)
		launch_drop_recordings(slot);
	slot->generation = s->model.generation;
	if (*kept == NULL) {
		enm_result result = gpu_record_begin(s->queue);
		if (result == ENM_OK) {
			result = launch_stages(s, slot, kind);
			enm_result ended = gpu_record_end(s->queue, result == ENM_OK ? kept : NULL);
			result = result != ENM_OK ? result : ended;
		}
		if (result != ENM_OK) {
			gpu_log(s->budget.device, ENM_LOG_WARNING, "frames are launched one by one: %s",
				enm_last_error());
			s->ways.record = false;
			return launch_stages(s, slot, kind);
		}
	}
	return gpu_replay(s->queue, *kept);
}

bool launch_may_be_lost(const enm_session *s, const session_slot *slot)
{
	const enm_k_track *t = &slot->report->track;
	return s->def.recover && s->frames_pushed >= ENM_FRAMES_IN_FLIGHT &&
	       (t->verdict == ENM_K_VERDICT_LOST || t->missed > RELOCATE_AFTER_MISSED || t->islands_open != 0);
}

/* Looks for the frame's place on the model, and builds another where it is not found. */
static enm_result relocate(enm_session *s, session_slot *slot)
{
	const gpu_buffer *state = &s->track.state;
	enm_result result = begin_stage(s, slot, ENM_STAGE_TRACK);
	if (result == ENM_OK)
		result = relocate_run(&s->relocate, s->queue, &s->depth, &s->model, &s->keyframes, &s->track);
	if (result == ENM_OK)
		result = island_run(&s->island, s->queue, &s->depth, &s->model, &s->allocate, &s->fuse, &s->keyframes, state,
			(uint32_t)(slot - s->slots), slot->color_offset);
	if (result == ENM_OK)
		result = foreign_forget(&s->foreign, s->queue, &s->island.placed);
	if (result == ENM_OK && s->def.tracker == ENM_TRACKER_RAYCAST)
		result = view_follow(&s->view, s->queue, &s->depth, &s->model, state);
	if (result == ENM_OK && slot->profile != NULL)
		result = gpu_profile_stage(s->queue, NULL, 0);
	return result;
}

enm_result launch_frame(enm_session *s, session_slot *slot, const enm_frame *f, float dt_s)
{
	/* by the slot's last report; and after a gap a hand may be anywhere */
	const bool look = launch_may_be_lost(s, slot) || (s->def.recover && dt_s > ENM_K_GAP_S);
	const frame_kind kind = {f->depth_format, s->def.color && f->color_rgb != NULL};
	input_stage(s, slot, &kind, f, dt_s);
	slot->format = kind.format;
	slot->input_bytes = depth_input_bytes(&s->depth, kind.format, kind.color);
	slot->color_offset = kind.color ? depth_color_offset(&s->depth, kind.format) : 0;
	enm_result result = upload(s, slot, &kind);
	if (result == ENM_OK)
		result = run_stages(s, slot, &kind);
	if (result == ENM_OK && look)
		result = relocate(s, slot);
	if (result == ENM_OK)
		result =
			gpu_read(s->queue, &s->track.state, 0, &slot->report->track, sizeof(slot->report->track), NULL);
	if (result == ENM_OK && slot->hidden != NULL)
		result = foreign_read(&s->foreign, s->queue, slot->hidden);
	if (result == ENM_OK)
		result = gpu_read(s->queue, &s->model.blocks, 0, &slot->report->blocks, sizeof(slot->report->blocks),
			&slot->event);
	if (result == ENM_OK)
		result = s->ways.serial ? gpu_finish(s->queue) : gpu_flush(s->queue);
	return result;
}
