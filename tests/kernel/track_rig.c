/* SPDX-License-Identifier: Apache-2.0 */
#include "track_rig.h"

#include <stdlib.h>

#include "core/pose.h"

const ref_scene track_scenes[4] = {
	{REF_BUMPS, 13.0, 0.7, 1.1, 0.9},
	{REF_SPHERE, 0.3, -0.2, 16.0, 3.5},
	{REF_CORNER, 0.2, 0.1, 11.5, 0.4},
	{REF_PLANE, 0.3, -0.2, -0.9327379, -0.9327379 * 13.0},
};

track_rig track_rig_rows(const ref_scene *scene, const enm_pose *truth, enm_tracker tracker, double row_time_s)
{
	track_rig r = {.def = support_def(support_size(161, 35), support_size(119, 27))};
	r.def.tracker = tracker;
	r.def.row_time_s = row_time_s;
	const uint32_t n = r.def.camera.width * r.def.camera.height;
	const double reach = support_size(80, 65) * 0.1, low[3] = {-reach, -reach, 9}, high[3] = {reach, reach, 17};
	float *raw = support_alloc(n, 4);
	ref_volume_create(&r.volume, 4096, TRACK_VOXEL_MM, TRACK_TRUNCATION_MM);
	ref_volume_fill(&r.volume, scene, low, high, 9, 640);
	support_model_create(&r.model, r.volume.count + 1, 4096, TRACK_VOXEL_MM, TRACK_TRUNCATION_MM);
	support_model_load(&r.model, &r.volume);
	ref_scene_render(scene, &r.def.camera, truth, 60.0, raw);
	support_depth(&r.depth, &r.def, raw);
	CHECK(track_create(&test.budget, &r.def, &r.track));
	CHECK(view_create(&test.budget, test.queue, &r.def, false, &r.view));
	r.filtered = support_alloc(n, 4);
	r.normals = support_alloc(n, 16);
	support_pixels(&r.depth, r.filtered, r.normals);
	free(raw);
	return r;
}

track_rig track_rig_make(const ref_scene *scene, const enm_pose *truth, enm_tracker tracker)
{
	return track_rig_rows(scene, truth, tracker, 0.0);
}

void track_rig_view(track_rig *r, bool halves)
{
	view_destroy(&r->view);
	CHECK(view_create(&test.budget, test.queue, &r->def, halves, &r->view));
}

void track_rig_drop(track_rig *r)
{
	view_destroy(&r->view);
	track_destroy(&r->track);
	model_destroy(&r->model);
	depth_destroy(&r->depth);
	ref_volume_destroy(&r->volume);
	free(r->filtered);
	free(r->normals);
}

void track_rig_set(track_rig *r, const enm_pose *pose, double gate_mm)
{
	enm_k_track state = support_state(pose, ENM_K_VERDICT_LOST);
	state.pivot_mm = 13.0f;
	state.gate_mm = (float)gate_mm;
	support_write(&r->track.state, &state, sizeof(state));
}

enm_k_track track_rig_get(const track_rig *r)
{
	enm_k_track state;
	support_read(&r->track.state, &state, sizeof(state));
	return state;
}

enm_k_track track_rig_predict(track_rig *r, const enm_k_track *from, const enm_k_input *input, float half_exposure_s)
{
	const float pivot_mm = 13.0f;
	support_write(&r->track.state, from, sizeof(*from));
	support_write(&r->depth.input[1], input, sizeof(*input));
	const gpu_arg args[] = {GPU_BUFFER(&r->track.state), GPU_BUFFER(&r->depth.input[1]), GPU_VALUE(pivot_mm),
		GPU_VALUE(half_exposure_s)};
	CHECK(gpu_launch(test.queue, &r->track.k_predict, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, 4));
	return track_rig_get(r);
}

void track_assert_pose(const enm_k_pose *got, const ref_pose *wanted, double angle, double shift_mm)
{
	for (int i = 0; i < 9; i++)
		assert_near(got->r[i], wanted->r[i], angle);
	for (int i = 0; i < 3; i++)
		assert_near(got->t[i], wanted->t[i], shift_mm);
}
