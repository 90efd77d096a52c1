/* SPDX-License-Identifier: Apache-2.0 */
#include "global/island.h"

#include <stdlib.h>
#include <string.h>

#include "core/constants.h"
#include "core/error.h"
#include "pipeline/stage.h"

enm_result island_create(gpu_budget *budget, const enm_session_def *def, island_stage *out_stage)
{
	island_stage *s = out_stage;
	memset(s, 0, sizeof(*s));
	s->groups = (size_t)gpu_tuning_get(budget->device, GPU_TUNING_FUSE_GROUPS) *
		    gpu_device_get_info(budget->device)->compute_units;
	s->readings_min = (uint32_t)(ISLAND_READINGS_SHARE * def->camera.width * def->camera.height);
	const stage_kernel kernels[] = {
		{&s->k_begin, "island_begin", "enm_k_volume,uint,uint,int,enm_k_track*,enm_k_recovery*,enm_k_track*"},
		{&s->k_settle, "island_settle", "enm_k_track*,enm_k_recovery*"},
		{&s->k_forget, "island_forget",
			"enm_k_volume,enm_k_track*,enm_k_recovery*,enm_k_blocks*,uint*,uint*,uint*"},
	};
	const stage_buffer buffers[] = {{&s->placed, "placed frame", sizeof(enm_k_track)}};
	enm_result result = stage_create_kernels(budget->device, "island", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK)
		result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	if (result != ENM_OK)
		island_destroy(s);
	return result;
}

/* ---- frames kept ---- */

static void drop_frames(island_frames *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->frames[i].input);
	free(f->frames);
	memset(f, 0, sizeof(*f));
}

void island_clear(island_stage *s)
{
	for (size_t i = 0; i < STAGE_COUNT(s->open); i++)
		drop_frames(&s->open[i]);
	drop_frames(&s->joined);
	s->fused = 0;
	s->free_from = 0;
}

void island_destroy(island_stage *s)
{
	gpu_kernel *kernels[] = {&s->k_begin, &s->k_settle, &s->k_forget};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	gpu_buffer_destroy(&s->placed);
	island_clear(s);
}

static enm_result reserve(island_frames *f, size_t count)
{
	if (count <= f->capacity)
		return ENM_OK;
	const size_t capacity = count > 2 * f->capacity ? count : 2 * f->capacity;
	island_frame *frames = realloc(f->frames, capacity * sizeof(*frames));
	if (frames == NULL)
		return error_set(ENM_E_MEMORY, "frames of an island: no host memory");
	f->frames = frames;
	f->capacity = capacity;
	return ENM_OK;
}

/* The frames of an island that is open, or with 0 a list that is free; NULL: there is none. */
static island_frames *frames_of(island_stage *s, uint32_t island)
{
	for (size_t i = 0; i < STAGE_COUNT(s->open); i++)
		if (s->open[i].island == island)
			return &s->open[i];
	return NULL;
}

static void drop_island(island_stage *s, uint32_t island)
{
	island_frames *frames = frames_of(s, island);
	if (frames != NULL)
		drop_frames(frames);
}

/* `fuse_from`: see island_frame. */
static enm_result keep_frame(island_frames *f, const enm_k_track *track, const island_frame *frame, uint64_t fuse_from)
{
	const size_t hidden_bytes = frame->hidden != NULL ? frame->hidden_bytes : 0;
	if (f->bytes + frame->bytes + hidden_bytes > ISLAND_BYTES_MAX)
		return ENM_OK;
	enm_result result = reserve(f, f->count + 1);
	if (result != ENM_OK)
		return result;
	island_frame kept = *frame;
	kept.input = malloc(frame->bytes + sizeof(*track) + hidden_bytes); /* behind it the state by which it is fused, and what was hidden */
	if (kept.input == NULL)
		return error_set(ENM_E_MEMORY, "frame of an island: no host memory for %zu bytes", frame->bytes);
	memcpy(kept.input, frame->input, frame->bytes);
	if (hidden_bytes > 0)
		kept.hidden = memcpy((char *)kept.input + frame->bytes + sizeof(*track), frame->hidden, hidden_bytes);
	kept.placed = *track;
	kept.fuse_from = fuse_from;
	f->frames[f->count++] = kept;
	f->bytes += frame->bytes + hidden_bytes;
	return ENM_OK;
}

static void multiply(const enm_k_pose *a, const enm_k_pose *b, enm_k_pose *out)
{
	enm_k_pose p = *a;
	for (int i = 0; i < 3; i++) {
		double t = (double)a->t[i];
		for (int j = 0; j < 3; j++) {
			double r = 0.0;
			for (int k = 0; k < 3; k++)
				r += (double)a->r[i * 3 + k] * (double)b->r[k * 3 + j];
			p.r[i * 3 + j] = (float)r;
			t += (double)a->r[i * 3 + j] * (double)b->t[j];
		}
		p.t[i] = (float)t;
	}
	*out = p;
}

/* The frames kept are to be fused into the first model, behind those that still wait for that. */
static enm_result join(island_stage *s, const enm_k_track *track, uint64_t frame_id)
{
	island_frames *open = frames_of(s, track->joined);
	if (open == NULL) /* none of its frames was kept */
		return ENM_OK;
	enm_result result = reserve(&s->joined, s->joined.count + open->count);
	if (result != ENM_OK)
		return result;
	/* the newest first, where the camera is */
	for (size_t i = open->count; i-- > 0;) {
		island_frame *f = &open->frames[i];
		f->fuse_from = frame_id + ENM_FRAMES_IN_FLIGHT;
		multiply(&track->first_from_island, &f->placed.world_from_camera, &f->placed.world_from_camera);
		f->placed.island = f->placed.islands_open = 0;
		s->joined.frames[s->joined.count++] = *f;
	}
	s->joined.bytes += open->bytes;
	open->count = 0; /* their inputs have a new owner */
	drop_frames(open);
	return ENM_OK;
}

enm_result island_note(island_stage *s, const enm_k_track *track, uint64_t frame_id, const island_frame *frame)
{
	enm_result result = ENM_OK;
	if (s->joined.count > 0 && s->fused == s->joined.count && frame_id >= s->free_from) {
		drop_frames(&s->joined);
		s->fused = 0;
	}
	if ((track->events & ENM_K_EVENT_ISLAND_DROPPED) != 0)
		drop_island(s, track->dropped);
	if (track->island != 0 && (track->events & ENM_K_EVENT_BEGUN_ANEW) != 0)
		drop_island(s, track->island);
	if ((track->events & ENM_K_EVENT_ISLAND_JOINED) != 0) {
		result = join(s, track, frame_id);
		if (result == ENM_OK && track->joined_from != 0) /* this one was fused on the island */
			result = keep_frame(&s->joined, track, frame, frame_id + ENM_FRAMES_IN_FLIGHT);
	} else if (track->island != 0 && track->verdict == ENM_K_VERDICT_TRACKED) {
		island_frames *open = frames_of(s, track->island);
		open = open != NULL ? open : frames_of(s, 0);
		if (open == NULL)
			return error_set(ENM_E_DEVICE, "island %u: more islands are open than can be", (unsigned)track->island);
		open->island = track->island;
		result = keep_frame(open, track, frame, 0);
	}
	return result;
}

bool island_is_open(const island_stage *s)
{
	for (size_t i = 0; i < STAGE_COUNT(s->open); i++)
		if (s->open[i].count > 0)
			return true;
	return false;
}

/* ---- on the device ---- */

enm_result island_run(island_stage *s, gpu_queue *queue, const depth_stage *d, const model *m, allocate_stage *allocate,
	fuse_stage *fuse, keyframes_stage *k, const gpu_buffer *state, uint32_t slot, size_t color_offset)
{
	const uint32_t after = ISLAND_AFTER_LOST;
	const int32_t smooth_too = color_offset != 0;
	const gpu_arg begin[] = {GPU_VALUE(m->volume), GPU_VALUE(after), GPU_VALUE(s->readings_min), GPU_VALUE(smooth_too), GPU_BUFFER(state),
		GPU_BUFFER(&k->recovery), GPU_BUFFER(&s->placed)};
	const gpu_arg settle[] = {GPU_BUFFER(state), GPU_BUFFER(&k->recovery)};
	const gpu_arg forget[] = {GPU_VALUE(m->volume), GPU_BUFFER(state), GPU_BUFFER(&k->recovery),
		GPU_BUFFER(&m->blocks), GPU_BUFFER(&m->keys), GPU_BUFFER(&m->voxels), GPU_BUFFER(&m->changed)};
	const gpu_range one = GPU_RANGE_1D(1, 1);
	enm_result result = gpu_launch(queue, &s->k_begin, one, begin, STAGE_COUNT(begin));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_settle, one, settle, STAGE_COUNT(settle));
	if (result == ENM_OK)
		result = gpu_launch(queue, &s->k_forget, GPU_RANGE_1D(64 * s->groups, 64), forget, STAGE_COUNT(forget));
	if (result == ENM_OK)
		result = fuse_forget(fuse, queue, m, &s->placed);
	if (result == ENM_OK)
		result = allocate_run(allocate, queue, d, m, &s->placed);
	if (result == ENM_OK)
		result = fuse_run(fuse, queue, d, m, &s->placed, slot, color_offset);
	if (result == ENM_OK)
		result = keyframes_run(k, queue, d, &s->placed);
	return result;
}

bool island_waits(const island_stage *s, uint64_t next_frame_id)
{
	return s->fused < s->joined.count && next_frame_id >= s->joined.frames[s->fused].fuse_from;
}

uint32_t island_expects(const island_stage *s, uint64_t next_frame_id, size_t most)
{
	uint32_t blocks = 0;
	for (size_t i = s->fused; i < s->joined.count && i - s->fused < most && next_frame_id >= s->joined.frames[i].fuse_from; i++)
		blocks += s->joined.frames[i].blocks;
	return blocks;
}

enm_result island_fuse(island_stage *s, gpu_queue *queue, depth_stage *d, const model *m, foreign_stage *foreign,
	allocate_stage *allocate, fuse_stage *fuse, keyframes_stage *k, uint64_t next_frame_id)
{
	const uint32_t slot = DEPTH_INPUT_KEPT;
	island_frame *f = &s->joined.frames[s->fused];
	f->placed.verdict = ENM_K_VERDICT_TRACKED;
	f->placed.frames = (uint32_t)(next_frame_id + 1); /* as if it were the frame to come: whoever follows changes sees it */
	/* the commands read it after this returns, when the list may have moved */
	void *placed = (char *)f->input + f->bytes;
	memcpy(placed, &f->placed, sizeof(f->placed));
	enm_result result = gpu_write(queue, &d->input[slot], 0, f->input, f->bytes, NULL);
	if (result == ENM_OK)
		result = gpu_write(queue, &s->placed, 0, placed, sizeof(f->placed), NULL);
	if (result == ENM_OK)
		result = depth_run(d, queue, slot, f->format);
	if (result == ENM_OK && f->hidden != NULL)
		result = foreign_hide_kept(foreign, queue, d, &s->placed, f->hidden);
	if (result == ENM_OK)
		result = allocate_run(allocate, queue, d, m, &s->placed);
	if (result == ENM_OK)
		result = fuse_run(fuse, queue, d, m, &s->placed, slot, f->color_offset);
	if (result == ENM_OK)
		result = keyframes_run(k, queue, d, &s->placed);
	s->fused++;
	s->free_from = next_frame_id; /* its report comes behind these commands */
	return result;
}
