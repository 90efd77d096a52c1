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
	const store_frame *frames = run->session->store.frames;
	const rigid pose = rigid_from_device(&f->track.world_from_camera);
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

/* Motions while rows were exposed, by the poses found. */
static void place_skews(const refine_run *run, refit_frame *out)
{
	const frame_store *store = &run->session->store;
	for (size_t i = 0; i < store->count; i++)
		memcpy(out[i].skew, store->frames[i].track.skew, sizeof(out[i].skew));
	for (size_t k = 1; k + 1 < run->usable_count && run->session->depth.camera.rolling; k++) {
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

/* Poses of all frames, those that are not usable too: they are where their neighbours in time have gone. */
static void place_frames(const refine_run *run, refit_frame *out)
{
	const frame_store *store = &run->session->store;
	uint32_t next = 0;
	const refine_node *before = NULL, *nodes = run->node;
	for (size_t i = 0; i < store->count; i++) {
		const store_frame *f = &store->frames[i];
		while (next < run->node_count && (nodes[next].out || nodes[next].frame < i))
			next++;
		const refine_node *after = next < run->node_count ? &nodes[next] : before;
		const refine_node *at = after != NULL && after->frame == i ? after : NULL;
		out[i].frame = i;
		out[i].fused = store_usable(f) && !f->bent;
		if (at != NULL)
			before = at;
		const rigid pose = at != NULL ? at->pose : follow(run, before != NULL ? before : after, after, f);
		out[i].world_from_camera = rigid_to_device(&pose);
	}
	place_skews(run, out);
	/* what lies next to a frame that was left out, in between or alone, shows the same */
	for (uint32_t n = 0; n < run->node_count; n++) {
		const bool next_out = n + 1 == run->node_count || nodes[n + 1].out;
		const size_t end = n + 1 < run->node_count ? nodes[n + 1].frame : store->count;
		for (size_t i = nodes[n].frame; nodes[n].out && i < end; i++)
			out[i].fused = out[i].fused && i != nodes[n].frame && !next_out;
	}
}

static enm_k_camera camera_with(const enm_k_camera *camera, const double *residual_mm)
{
	enm_k_camera c = *camera;
	c.bow_mm = (float)residual_mm[0];
	c.astigmatism_mm = (float)residual_mm[1];
	c.twist_mm = (float)residual_mm[2];
	c.tilt_x_mm = (float)residual_mm[3];
	c.tilt_y_mm = (float)residual_mm[4];
	c.constant_mm = (float)residual_mm[5];
	return c;
}

enm_result refine_fuse_again(const refine_run *run, uint64_t *out_left_out)
{
	enm_session *s = run->session;
	frame_store *store = &s->store;
	refit_frame *frames = malloc(store->count * sizeof(*frames));
	if (frames == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %zu frames", store->count);
	const enm_k_camera camera = camera_with(&s->depth.camera, run->residual_mm);
	place_frames(run, frames);
	enm_result result = refit_run(s, run, frames, store->count, &camera);
	for (size_t i = 0; i < store->count && result == ENM_OK; i++) {
		store_frame *f = &store->frames[i];
		if (f->apart || f->track.island != 0)
			continue;
		f->track.world_from_camera = frames[i].world_from_camera;
		memcpy(f->track.skew, frames[i].skew, sizeof(frames[i].skew));
		f->left_out = !frames[i].fused;
		*out_left_out += f->left_out && store_usable(f) && !f->bent;
	}
	free(frames);
	return result;
}
