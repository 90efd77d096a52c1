/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign_rig.h"

#include <stdlib.h>
#include <string.h>

#include "core/pose.h"

/* Every frame comes in a tick of its own (kernels/foreign.h). */
#define FRAME_S 0.08f

foreign_rig foreign_rig_make(int width, int height, bool on)
{
	foreign_rig r = {.def = support_def((uint32_t)width, (uint32_t)height), .width = width, .height = height, .dt_s = FRAME_S};
	const enm_pose eye = enm_pose_identity();
	r.def.voxel_mm = VOXEL_MM;
	r.def.truncation_mm = TRUNCATION_MM;
	r.def.foreign_bodies = on;
	r.picture = support_alloc((size_t)width * (size_t)height, 4);
	r.seen = support_alloc((size_t)width * (size_t)height, 4);
	support_model_create(&r.model, 3000, 1u << 16, VOXEL_MM, TRUNCATION_MM);
	CHECK(depth_create(&test.budget, test.queue, &r.def, &r.depth));
	CHECK(allocate_create(&test.budget, test.queue, &r.def, &r.model, &r.allocate));
	CHECK(fuse_create(&test.budget, test.queue, &r.model, &r.fuse));
	CHECK(foreign_create(&test.budget, test.queue, &r.def, &r.foreign));
	r.track = support_state(&eye, ENM_K_VERDICT_TRACKED);
	r.track.tracked = r.track.frames = 0;
	support_state_create(&r.state, &r.track);
	return r;
}

void foreign_rig_drop(foreign_rig *r)
{
	gpu_buffer_destroy(&r->state);
	foreign_destroy(&r->foreign);
	fuse_destroy(&r->fuse);
	allocate_destroy(&r->allocate);
	depth_destroy(&r->depth);
	model_destroy(&r->model);
	free(r->picture);
	free(r->seen);
}

void foreign_rig_paint(foreign_rig *r, int from, int to, double depth_mm)
{
	for (int y = 0; y < r->height; y++)
		for (int x = from; x < to; x++)
			r->picture[y * r->width + x] = (float)depth_mm;
}

void foreign_rig_look(foreign_rig *r, uint32_t verdict)
{
	const size_t pixels = (size_t)r->depth.pixels;
	uint32_t *map = support_alloc(pixels, 16);
	const enm_k_input input = {.dt_s = r->dt_s};
	r->track.frames++;
	r->track.verdict = verdict;
	support_write(&r->state, &r->track, sizeof(r->track));
	CHECK(gpu_write(test.queue, &r->depth.input[0], 0, &input, sizeof(input), NULL));
	CHECK(gpu_write(test.queue, &r->depth.input[0], ENM_K_INPUT_DEPTH, r->picture, pixels * 4, NULL));
	CHECK(depth_run(&r->depth, test.queue, 0, ENM_DEPTH_F32_MM));
	CHECK(foreign_hide(&r->foreign, test.queue, &r->depth, &r->model, &r->state, 0));
	support_read(&r->depth.pixel_map, map, pixels * 16);
	for (size_t i = 0; i < pixels; i++)
		memcpy(&r->seen[i], &map[4 * i], 4);
	CHECK(allocate_run(&r->allocate, test.queue, &r->depth, &r->model, &r->state));
	CHECK(fuse_run(&r->fuse, test.queue, &r->depth, &r->model, &r->state, 0, 0));
	CHECK(foreign_learn(&r->foreign, test.queue, &r->depth, &r->model, &r->state));
	support_read(&r->state, &r->track, sizeof(r->track));
	if (verdict == ENM_K_VERDICT_TRACKED)
		r->track.tracked++;
	free(map);
}

void foreign_rig_look_times(foreign_rig *r, int frames)
{
	for (int i = 0; i < frames; i++)
		foreign_rig_look(r, ENM_K_VERDICT_TRACKED);
}

double foreign_rig_share_left(const foreign_rig *r, int from, int to)
{
	int left = 0, count = 0;
	for (int y = 4; y < r->height - 4; y++)
		for (int x = from; x < to; x++) {
			left += r->seen[y * r->width + x] > 0.0f;
			count++;
		}
	return (double)left / count;
}

float foreign_rig_share_found(const foreign_rig *r)
{
	enm_k_foreign_frame frame;
	support_read(&r->foreign.frame, &frame, sizeof(frame));
	return frame.share;
}

int foreign_rig_surface_between(const foreign_rig *r, double near_mm, double far_mm)
{
	ref_volume v;
	int count = 0;
	ref_volume_create(&v, r->model.volume.capacity, VOXEL_MM, TRUNCATION_MM);
	support_model_read(&r->model, &v);
	for (int z = (int)(near_mm / VOXEL_MM); z <= (int)(far_mm / VOXEL_MM); z++)
		for (int y = -15; y <= 15; y++)
			for (int x = -15; x <= 15; x++) {
				const enm_k_voxel *voxel = ref_volume_at(&v, x, y, z);
				count += voxel != NULL && voxel->weight > 0 && abs(voxel->sdf) < 16384;
			}
	ref_volume_destroy(&v);
	return count;
}
