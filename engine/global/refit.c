/* SPDX-License-Identifier: Apache-2.0
 * Fuses the frames that were kept once more, as they would have been fused by these poses, into a model of its own. */
#include "global/refine.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/* Frames under way at a time, each with memory for what is uploaded of it. */
#define AT_ONCE ENM_FRAMES_IN_FLIGHT

/* What a frame's commands read while they run. */
typedef struct on_its_way {
	enm_k_track state;
	enm_k_blocks blocks;
	uint8_t hidden[ENM_K_FOREIGN_TILES];
	uint8_t *input;
	gpu_event *event;
	bool busy;
} on_its_way;

/* All of a session that frames build up. */
struct refit {
	model model;
	fuse_stage fuse;
	foreign_stage foreign;
	keyframes_stage keyframes;
	depth_stage depth; /* the session's, with another camera, and inputs of its own, since frames may be under way */
	enm_k_camera camera;
	gpu_buffer state;  /* enm_k_track by which a frame is fused */
	bool in_place;     /* these are the session's own: there was no room for a second model */
	on_its_way ways[AT_ONCE];
	uint32_t fused;
	bool refused; /* a block, and there was no more room to be had */
};

/* The model, unless it is the session's own. */
static void drop_model(enm_session *s, refit *r)
{
	if (r->in_place)
		return;
	foreign_destroy(&r->foreign);
	if (s->def.recover)
		keyframes_destroy(&r->keyframes);
	fuse_destroy(&r->fuse);
	model_destroy(&r->model);
}

/* All but the model. */
static void drop_ways(refit *r)
{
	gpu_buffer_destroy(&r->state);
	for (int i = 0; i < AT_ONCE; i++) {
		gpu_event_release(&r->ways[i].event);
		gpu_buffer_destroy(&r->depth.input[i]);
		free(r->ways[i].input);
	}
}

void refit_destroy(enm_session *s, refit **address)
{
	refit *r = *address;
	if (r == NULL)
		return;
	drop_model(s, r);
	drop_ways(r);
	free(r);
	*address = NULL;
}

static enm_result create_second(enm_session *s, uint32_t blocks, refit *r)
{
	gpu_budget *budget = &s->budget;
	enm_result result = model_create(budget, s->queue, &s->def, 0, &r->model);
	if (result == ENM_OK)
		result = model_grow(&r->model, s->queue, blocks);
	/* not all of a bound that two models share is free for the second yet; what it has now must do */
	if (result == ENM_OK && r->model.volume.capacity < blocks)
		result = error_set(ENM_E_CAPACITY, "a second model of %u blocks has no room", blocks);
	if (result == ENM_OK)
		result = fuse_create(budget, s->queue, &r->model, &r->fuse);
	if (result == ENM_OK)
		result = foreign_create(budget, s->queue, &s->def, &r->foreign);
	if (result == ENM_OK && s->def.recover)
		result = keyframes_create(budget, &s->def, &r->keyframes);
	if (result == ENM_OK && s->def.recover)
		result = keyframes_clear(&r->keyframes, s->queue);
	return result;
}

/* The session's own, emptied. */
static enm_result take_first(enm_session *s, refit *r)
{
	r->in_place = true;
	enm_result result = model_clear(&s->model, s->queue);
	if (result == ENM_OK)
		result = fuse_clear(&s->fuse, s->queue);
	if (result == ENM_OK)
		result = foreign_clear(&s->foreign, s->queue);
	if (result == ENM_OK && s->def.recover)
		result = keyframes_clear(&s->keyframes, s->queue);
	r->model = s->model;
	r->fuse = s->fuse;
	r->foreign = s->foreign;
	r->keyframes = s->keyframes;
	return result;
}

static enm_result create_ways(enm_session *s, refit *r)
{
	const size_t bytes = depth_input_bytes(&s->depth, ENM_DEPTH_F32_MM, s->def.color);
	enm_result result = gpu_buffer_create(&s->budget, "frame fused again", sizeof(enm_k_track), &r->state);
	for (int i = 0; i < AT_ONCE && result == ENM_OK; i++) {
		r->ways[i].input = malloc(bytes);
		if (r->ways[i].input == NULL)
			result = error_set(ENM_E_MEMORY, "refinement: no host memory for frames on their way");
		else
			result = gpu_buffer_create(&s->budget, "frame fused again", bytes, &r->depth.input[i]);
	}
	return result;
}

/* Without a model yet. */
static enm_result create_empty(enm_session *s, const enm_k_camera *camera, refit **out_refit)
{
	refit *r = calloc(1, sizeof(*r));
	*out_refit = r;
	if (r == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory");
	r->depth = s->depth;
	memset(r->depth.input, 0, sizeof(r->depth.input));
	r->camera = *camera;
	view_drop_picture(&s->view);
	return create_ways(s, r);
}

enm_result refit_create(enm_session *s, const enm_k_camera *camera, uint32_t blocks, refit **out_refit)
{
	enm_result result = create_empty(s, camera, out_refit);
	if (result == ENM_OK)
		result = create_second(s, blocks, *out_refit);
	if (result != ENM_OK) {
		enm_result finished = gpu_finish(s->queue);
		refit_destroy(s, out_refit);
		result = finished != ENM_OK ? finished : result;
	}
	return result;
}

/* In the session's own model, emptied. Once that has begun, `out_refit` is there even after an error. */
static enm_result create_in_place(enm_session *s, const enm_k_camera *camera, refit **out_refit)
{
	enm_result result = create_empty(s, camera, out_refit);
	if (result == ENM_OK)
		return take_first(s, *out_refit);
	enm_result finished = gpu_finish(s->queue);
	refit_destroy(s, out_refit);
	return finished != ENM_OK ? finished : result;
}

/* A block that there is no room for yet is asked for again by the next frames. */
static void note_refused(refit *r, const enm_k_blocks *blocks)
{
	r->refused = r->refused || (blocks->full != 0 && r->model.volume.capacity >= r->model.blocks_max);
}

enm_result refit_is_whole(enm_session *s, refit *r, bool *out_whole)
{
	enm_k_blocks blocks;
	enm_result result = gpu_read(s->queue, &r->model.blocks, 0, &blocks, sizeof(blocks), NULL);
	enm_result finished = gpu_finish(s->queue);
	result = result != ENM_OK ? result : finished;
	if (result == ENM_OK)
		note_refused(r, &blocks);
	*out_whole = result == ENM_OK && !r->refused;
	return result;
}

/* Makes room by what the frame AT_ONCE before this one wanted. */
static enm_result make_room(enm_session *s, refit *r, const enm_k_blocks *blocks)
{
	note_refused(r, blocks);
	const uint32_t wanted = blocks->base + blocks->wanted;
	if (!model_is_short(&r->model, wanted))
		return ENM_OK;
	enm_result result = model_grow(&r->model, s->queue, wanted);
	return result == ENM_OK ? fuse_resize(&r->fuse, &s->budget, s->queue, &r->model) : result;
}

static enm_result launch(enm_session *s, refit *r, const store_frame *f, const uint8_t *hidden, uint32_t slot)
{
	gpu_queue *queue = s->queue;
	const gpu_buffer *state = &r->state;
	enm_result result = depth_run(&r->depth, queue, slot, f->format);
	if (result == ENM_OK)
		result = foreign_hide_again(&r->foreign, queue, &r->depth, &r->model, state, slot, hidden);
	if (result == ENM_OK)
		result = allocate_run(&s->allocate, queue, &r->depth, &r->model, state);
	if (result == ENM_OK)
		result = fuse_run(&r->fuse, queue, &r->depth, &r->model, state, slot, f->color_offset);
	if (result == ENM_OK && s->def.recover)
		result = keyframes_run(&r->keyframes, queue, &r->depth, state);
	if (result == ENM_OK)
		result = foreign_learn(&r->foreign, queue, &r->depth, &r->model, state);
	return result;
}

enm_result refit_fuse(enm_session *s, refit *r, const refit_frame *frame)
{
	const uint32_t slot = r->fused++ % AT_ONCE;
	on_its_way *way = &r->ways[slot];
	const store_frame *f = &s->store.frames[frame->frame];
	enm_result result = way->busy ? gpu_event_wait(way->event) : ENM_OK;
	gpu_event_release(&way->event);
	if (result == ENM_OK && way->busy)
		result = make_room(s, r, &way->blocks);
	way->busy = false;
	if (result == ENM_OK)
		result = store_read(&s->store, f, 0, store_input_bytes(f), way->input);
	if (result == ENM_OK && f->hidden_offset > 0)
		result = store_read(&s->store, f, f->hidden_offset, f->bytes - f->hidden_offset, way->hidden);
	if (result != ENM_OK)
		return result;
	way->state = store_track(f);
	way->state.world_from_camera = way->state.predicted = frame->world_from_camera;
	memcpy(way->state.skew, frame->skew, sizeof(frame->skew));
	way->state.verdict = ENM_K_VERDICT_TRACKED;
	r->depth.camera = frame->as_tracked ? s->depth.camera : r->camera;
	result = gpu_write(s->queue, &r->depth.input[slot], 0, way->input, store_input_bytes(f), NULL);
	if (result == ENM_OK)
		result = gpu_write(s->queue, &r->state, 0, &way->state, sizeof(way->state), NULL);
	if (result == ENM_OK)
		result = launch(s, r, f, way->hidden, slot);
	if (result == ENM_OK)
		result = gpu_read(s->queue, &r->model.blocks, 0, &way->blocks, sizeof(way->blocks), &way->event);
	way->busy = result == ENM_OK;
	return result == ENM_OK ? gpu_flush(s->queue) : result;
}

static enm_result fuse_all(enm_session *s, refit *r, const refine_run *run, const refit_frame *frames, size_t count)
{
	enm_result result = ENM_OK;
	for (size_t i = 0; i < count && result == ENM_OK; i++) {
		if (!frames[i].fused)
			continue;
		result = refit_fuse(s, r, &frames[i]);
		if (result == ENM_OK && r->fused % 8 == 0 &&
			!refine_goes_on(run, "fusing", 0.75 + 0.25 * (double)i / (double)count) && !r->in_place)
			result = ENM_CANCELLED;
	}
	enm_result finished = gpu_finish(s->queue);
	return result != ENM_OK ? result : finished;
}

/* ENM_E_CAPACITY where a block was refused for good. */
static enm_result fuse_whole(enm_session *s, refit *r, const refine_run *run, const refit_frame *frames, size_t count)
{
	bool whole = true;
	enm_result result = fuse_all(s, r, run, frames, count);
	if (result == ENM_OK)
		result = refit_is_whole(s, r, &whole);
	return result != ENM_OK || whole ? result : error_set(ENM_E_CAPACITY, "a second model has no room");
}

/* ---- the session, from then on ---- */

/* Moves the tracker's poses by what its last frame was moved by. One on an island is lost, and where that was tells nothing of where it is. */
static void move_poses(const frame_store *store, const refit_frame *last, enm_k_track *state)
{
	const rigid old = rigid_from_device(&store->frames[last->frame].world_from_camera);
	const rigid moved = rigid_from_device(&last->world_from_camera), back = rigid_inverse(&old), by = rigid_after(&moved, &back);
	enm_k_pose *poses[] = {&state->world_from_camera, &state->predicted, &state->last};
	for (int i = 0; i < 3; i++) {
		const rigid pose = rigid_from_device(poses[i]), placed = state->island != 0 ? moved : rigid_after(&by, &pose);
		*poses[i] = rigid_to_device(&placed);
	}
}

static void lose_island(enm_k_track *state)
{
	state->verdict = ENM_K_VERDICT_LOST;
	state->lost = state->lost > 0 ? state->lost : 1;
	state->missed = state->missed > ENM_K_MISSED_FRAMES ? state->missed : ENM_K_MISSED_FRAMES + 1;
	state->probation = 0;
	memset(state->velocity, 0, sizeof(state->velocity));
}

/* The tracker goes on from where its last frame is by now; the new model has no islands. */
static enm_result move_tracker(enm_session *s, const refit_frame *frames, size_t count)
{
	enm_k_track state;
	enm_result result = gpu_read(s->queue, &s->track.state, 0, &state, sizeof(state), NULL);
	if (result == ENM_OK)
		result = gpu_finish(s->queue);
	if (result != ENM_OK)
		return result;
	const refit_frame *last = NULL;
	for (size_t i = 0; i < count; i++)
		if (store_usable(&s->store.frames[frames[i].frame]))
			last = &frames[i];
	if (last != NULL)
		move_poses(&s->store, last, &state);
	if (state.island != 0)
		lose_island(&state);
	state.island = state.islands_open = 0;
	memset(state.information, 0, sizeof(state.information)); /* was of another pose, on another model */
	result = gpu_write(s->queue, &s->track.state, 0, &state, sizeof(state), NULL);
	enm_result finished = gpu_finish(s->queue); /* `state` is about to go */
	return result != ENM_OK ? result : finished;
}

/* Puts what was built in the place of what the session had. */
static void take_over(enm_session *s, refit *r)
{
	const uint32_t blocks_max = s->model.blocks_max;
	const uint64_t generation = s->model.generation;
	if (!r->in_place) {
		model_destroy(&s->model);
		fuse_destroy(&s->fuse);
		foreign_destroy(&s->foreign);
		if (s->def.recover)
			keyframes_destroy(&s->keyframes);
	}
	s->model = r->model;
	s->fuse = r->fuse;
	s->foreign = r->foreign;
	s->keyframes = r->keyframes;
	if (!r->in_place) /* that bound was for one */
		s->model.blocks_max = blocks_max > s->model.volume.capacity ? blocks_max : s->model.volume.capacity;
	s->model.generation = (generation > r->model.generation ? generation : r->model.generation) +
			      1; /* launches recorded before are stale */
	s->depth.camera = r->camera;
	island_clear(&s->island);
}

/* The frames to come grow the model by what it holds now. */
static enm_result tell_blocks(enm_session *s)
{
	enm_k_blocks blocks;
	enm_result result = gpu_read(s->queue, &s->model.blocks, 0, &blocks, sizeof(blocks), NULL);
	enm_result finished = gpu_finish(s->queue);
	for (int i = 0; i < ENM_FRAMES_IN_FLIGHT && result == ENM_OK && finished == ENM_OK; i++)
		s->slots[i].report->blocks = blocks;
	return result != ENM_OK ? result : finished;
}

enm_result refit_take(enm_session *s, refit **address, const refit_frame *frames, size_t count)
{
	refit *r = *address;
	enm_result result = foreign_go_on(&r->foreign, s->queue, &s->foreign);
	if (result == ENM_OK)
		result = move_tracker(s, frames, count); /* which waits: what was copied from is about to go */
	if (result != ENM_OK)
		return result;
	take_over(s, r);
	if (s->def.tracker == ENM_TRACKER_RAYCAST) /* the next frame is aligned to what is seen of this model */
		result = view_follow(&s->view, s->queue, &s->depth, &s->model, &s->track.state);
	if (result == ENM_OK)
		result = tell_blocks(s);
	drop_ways(r);
	free(r);
	*address = NULL;
	return result == ENM_OK ? live_reset(s->live, s->queue) : result;
}

enm_result refit_run(
	enm_session *s, const refine_run *run, const refit_frame *frames, size_t count, const enm_k_camera *camera)
{
	refit *r = NULL;
	enm_k_blocks blocks;
	enm_result result = gpu_read(s->queue, &s->model.blocks, 0, &blocks, sizeof(blocks), NULL);
	enm_result finished = gpu_finish(s->queue);
	result = result != ENM_OK ? result : finished;
	if (result == ENM_OK)
		result = refit_create(s, camera, blocks.used, &r);
	if (result == ENM_OK)
		result = fuse_whole(s, r, run, frames, count);
	if (result == ENM_E_CAPACITY) {
		gpu_log(s->budget.device, ENM_LOG_INFO, "the model is fused again in place: %s", enm_last_error());
		result = gpu_finish(s->queue);
		refit_destroy(s, &r);
		if (result == ENM_OK)
			result = create_in_place(s, camera, &r);
		if (result == ENM_OK)
			result = fuse_all(s, r, run, frames, count);
	}
	if (result == ENM_OK)
		result = refit_take(s, &r, frames, count);
	if (r != NULL) {
		finished = gpu_finish(s->queue);
		if (r->in_place) { /* what was emptied is not to be had back */
			s->model = r->model;
			s->fuse = r->fuse;
			result = s->failed = ENM_E_DEVICE;
		}
		refit_destroy(s, &r);
	}
	return result;
}
