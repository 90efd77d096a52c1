/* SPDX-License-Identifier: Apache-2.0
 * Where all frames are when those compared have been solved for, and the model made of them. */
#include "global/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/* Moves a frame as the nodes before and after it were moved, by its time between them. */
static rigid follow(const refine_run *run, const refine_node *before, const refine_node *after, const store_frame *f)
{
	const store_frame *frames = run->store->frames;
	const rigid pose = rigid_from_device(&f->world_from_camera);
	double a[6], b[6];
	rigid_step_between(&before->before, &before->pose, a);
	rigid_step_between(&after->before, &after->pose, b);
	const double from_s = (double)frames[before->frame].time_ns, to_s = (double)frames[after->frame].time_ns;
	const double share =
		to_s > from_s ? fmin(fmax(((double)f->time_ns - from_s) / (to_s - from_s), 0.0), 1.0) : 0.0;
	for (int i = 0; i < 6; i++)
		a[i] += share * (b[i] - a[i]);
	return rigid_moved(&pose, a);
}

/* Of places on the model this far apart, in view depths, one's say for the other falls to 0.6, and ends at three times that. */
#define VIEW_REACH 0.25

/* What a view looks at. */
static void view_middle(const rigid *pose, double pivot_mm, double out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = pose->t[i] + pose->r[3 * i + 2] * pivot_mm;
}

/* How much a node says of where a frame belongs that was tracked on the model as it was: the same piece of the model has moved alike, whoever looks at
 * it. */
static double say_of(const double node[3], const double frame[3], double pivot_mm)
{
	double far = 0.0;
	for (int i = 0; i < 3; i++)
		far += (node[i] - frame[i]) * (node[i] - frame[i]);
	far /= pivot_mm * pivot_mm * VIEW_REACH * VIEW_REACH;
	return far < 9.0 ? exp(-0.5 * far) : 0.0;
}

/* How a node's piece of the model has moved. */
typedef struct node_move {
	rigid move;
	double middle[3]; /* of its view, before */
} node_move;

/* Where a frame belongs that came after those compared: as the nodes that see the same place were moved, and as the frame before it. */
static rigid follow_views(const refine_run *run, const node_move *moves, const rigid *move_before, const store_frame *f)
{
	const double pivot_mm = fmax((double)f->pivot_mm, 1e-3);
	const rigid pose = rigid_from_device(&f->world_from_camera), with = rigid_after(move_before, &pose);
	double sum[6], weight = 1.0, step[6], middle[3];
	rigid_step_between(&pose, &with, sum);
	view_middle(&pose, pivot_mm, middle);
	for (uint32_t n = 0; n < run->node_count; n++) {
		const double say = run->node[n].out ? 0.0 : say_of(moves[n].middle, middle, pivot_mm);
		if (say <= 0.0)
			continue;
		const rigid moved = rigid_after(&moves[n].move, &pose);
		rigid_step_between(&pose, &moved, step);
		weight += say;
		for (int i = 0; i < 6; i++)
			sum[i] += say * step[i];
	}
	for (int i = 0; i < 6; i++)
		sum[i] /= weight;
	return rigid_moved(&pose, sum);
}

static rigid move_between(const rigid *before, const rigid *after)
{
	const rigid back = rigid_inverse(before);
	return rigid_after(after, &back);
}

enm_result refine_place_later(const refine_run *run, const frame_store *store, size_t first, size_t end, refit_frame *out)
{
	node_move *moves = malloc((run->node_count + 1) * sizeof(*moves));
	if (moves == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", run->node_count);
	for (uint32_t n = 0; n < run->node_count; n++) {
		const refine_node *node = &run->node[n];
		moves[n].move = move_between(&node->before, &node->pose);
		view_middle(&node->before, (double)run->store->frames[node->frame].pivot_mm, moves[n].middle);
	}
	rigid before = {.r = {1, 0, 0, 0, 1, 0, 0, 0, 1}};
	for (size_t i = first > 0 ? first - 1 : 0; i < end; i++) {
		const store_frame *f = &store->frames[i];
		const rigid old = rigid_from_device(&f->world_from_camera);
		if (i >= first) {
			const rigid pose = follow_views(run, moves, &before, f);
			out[i].frame = i;
			out[i].fused = store_usable(f) && !f->bent;
			out[i].as_tracked = i >= run->store->count;
			out[i].world_from_camera = rigid_to_device(&pose);
			memcpy(out[i].skew, f->skew, sizeof(out[i].skew));
		}
		const rigid now = rigid_from_device(&out[i].world_from_camera);
		before = move_between(&old, &now);
	}
	free(moves);
	return ENM_OK;
}

/* Motions while rows were exposed, by the poses found. */
static void place_skews(const refine_run *run, const frame_store *store, refit_frame *out)
{
	for (size_t i = 0; i < store->count; i++)
		memcpy(out[i].skew, store->frames[i].skew, sizeof(out[i].skew));
	for (size_t k = 1; k + 1 < run->usable_count && run->camera.rolling; k++) {
		const size_t at[] = {run->usable[k - 1], run->usable[k], run->usable[k + 1]};
		rigid poses[3];
		int64_t times_ns[3];
		for (int i = 0; i < 3; i++) {
			poses[i] = rigid_from_device(&out[at[i]].world_from_camera);
			times_ns[i] = store->frames[at[i]].time_ns;
		}
		(void)refine_skew((double)run->session->track.half_exposure_s, poses, times_ns, out[at[1]].skew);
	}
}

enm_result refine_place(const refine_run *run, const frame_store *store, refit_frame *out)
{
	uint32_t next = 0;
	const refine_node *before = NULL, *nodes = run->node;
	size_t later = store->count; /* the first frame behind all nodes */
	for (size_t i = 0; i < store->count; i++) {
		const store_frame *f = &store->frames[i];
		while (next < run->node_count && (nodes[next].out || nodes[next].frame < i))
			next++;
		out[i].frame = i;
		out[i].fused = store_usable(f) && !f->bent;
		out[i].as_tracked = false;
		if (next == run->node_count) {
			later = later < i ? later : i;
			continue;
		}
		const refine_node *after = &nodes[next], *at = after->frame == i ? after : NULL;
		if (at != NULL)
			before = at;
		const rigid pose = at != NULL ? at->pose : follow(run, before != NULL ? before : after, after, f);
		out[i].world_from_camera = rigid_to_device(&pose);
	}
	enm_result result = refine_place_later(run, store, later, store->count, out);
	place_skews(run, store, out);
	/* what lies next to a frame that was left out, in between or alone, shows the same */
	for (uint32_t n = 0; n < run->node_count; n++) {
		const bool next_out = n + 1 == run->node_count || nodes[n + 1].out;
		const size_t end = n + 1 < run->node_count ? nodes[n + 1].frame : run->store->count;
		for (size_t i = nodes[n].frame; nodes[n].out && i < end; i++)
			out[i].fused = out[i].fused && i != nodes[n].frame && !next_out;
	}
	return result;
}

enm_k_camera refine_camera(const refine_run *run)
{
	enm_k_camera c = run->camera;
	c.bow_mm = (float)run->residual_mm[0];
	c.astigmatism_mm = (float)run->residual_mm[1];
	c.twist_mm = (float)run->residual_mm[2];
	c.tilt_x_mm = (float)run->residual_mm[3];
	c.tilt_y_mm = (float)run->residual_mm[4];
	c.constant_mm = (float)run->residual_mm[5];
	return c;
}

uint64_t refine_keep_poses(frame_store *store, const refit_frame *frames)
{
	uint64_t left_out = 0;
	store->chain++; /* the next frame's place beside the last one is not what tracking told */
	for (size_t i = 0; i < store->count; i++) {
		store_frame *f = &store->frames[i];
		if (f->apart || f->island != 0)
			continue;
		f->world_from_camera = frames[i].world_from_camera;
		memcpy(f->skew, frames[i].skew, sizeof(frames[i].skew));
		f->left_out = !frames[i].fused;
		left_out += f->left_out && store_usable(f) && !f->bent;
	}
	return left_out;
}

enm_result refine_fuse_again(const refine_run *run, uint64_t *out_left_out)
{
	enm_session *s = run->session;
	frame_store *store = &s->store;
	refit_frame *frames = malloc(store->count * sizeof(*frames));
	if (frames == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %zu frames", store->count);
	const enm_k_camera camera = refine_camera(run);
	enm_result result = refine_place(run, store, frames);
	if (result == ENM_OK)
		result = refit_run(s, run, frames, store->count, &camera);
	if (result == ENM_OK)
		*out_left_out += refine_keep_poses(store, frames);
	free(frames);
	return result;
}
