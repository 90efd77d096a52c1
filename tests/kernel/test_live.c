/* SPDX-License-Identifier: Apache-2.0
 * Which blocks the live surface makes anew (kernels/live.cl), and that nothing is written past its place. */
#include "support.h"

#include <string.h>
#include <time.h>

#include "pipeline/session.h"
#include "surface/slice.h"

#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4

/* A session that has nothing but a model and a tracker's count of frames. */
typedef struct rig {
	enm_session session;
	ref_volume volume;
	uint32_t *changed;
	enm_k_track track;
	enm_surface_def def;
} rig;

static void say_changed(rig *r, uint32_t frames)
{
	r->track.frames = frames;
	r->session.frames_pushed = frames;
	support_write(&r->session.track.state, &r->track, sizeof(r->track));
	support_write(&r->session.model.changed, r->changed, r->volume.count * 4);
}

static void rig_open(rig *r, double radius_mm)
{
	const ref_scene sphere = {REF_SPHERE, 0.03, -0.02, 0.05, radius_mm};
	const double reach = radius_mm + 1.0;
	const double low[3] = {-reach, -reach, -reach}, high[3] = {reach, reach, reach};
	memset(r, 0, sizeof(*r));
	ref_volume_create(&r->volume, 2048, VOXEL_MM, TRUNCATION_MM);
	ref_volume_fill(&r->volume, &sphere, low, high, 9, 640);
	r->volume.capacity = r->volume.count;
	r->session.budget = test.budget;
	r->session.queue = test.queue;
	support_model_create(&r->session.model, r->volume.count, 256, VOXEL_MM, TRUNCATION_MM);
	support_model_load(&r->session.model, &r->volume);
	if (r->session.model.changed.mem == NULL)
		CHECK(gpu_buffer_create(&test.budget, "block changes", r->volume.count * 4, &r->session.model.changed));
	r->session.depth.camera.sigma_ref_mm = 0.02f;
	const enm_pose eye = enm_pose_identity();
	r->track = support_state(&eye, ENM_K_VERDICT_TRACKED);
	support_state_create(&r->session.track.state, &r->track);
	r->changed = support_alloc(r->volume.count, 4);
	for (uint32_t b = 0; b < r->volume.count; b++)
		r->changed[b] = 1;
	say_changed(r, 1);
	r->def = enm_surface_def_default();
	r->def.bytes_max = 256 << 10;
	r->def.apart_ms = 0.0;
}

static void rig_close(rig *r)
{
	live_destroy(&r->session.live);
	gpu_buffer_destroy(&r->session.track.state);
	gpu_buffer_destroy(&r->session.model.changed);
	model_destroy(&r->session.model);
	free(r->changed);
	ref_volume_destroy(&r->volume);
}

/* The next update. */
static enm_surface *next_update(rig *r, enm_result *out_result)
{
	enm_surface *surface = NULL;
	const struct timespec nap = {0, 1000000};
	for (int i = 0; surface == NULL && i < 3000; i++) { /* drivers may call a read done a little after it is */
		if (i > 1)
			nanosleep(&nap, NULL);
		*out_result = enm_session_surface_update(&r->session, &r->def, &surface);
		assert_true(*out_result >= 0);
		CHECK(gpu_finish(test.queue));
	}
	return surface;
}

static enm_surface_data data_of(const enm_surface *surface)
{
	enm_surface_data d;
	CHECK(enm_surface_get(surface, &d));
	return d;
}

static uint32_t block_of(const rig *r, uint32_t id)
{
	for (uint32_t b = 0; b < r->volume.count; b++)
		if (r->volume.keys[b] == id)
			return b;
	fail_msg("no block has the id %u", id);
	return 0;
}

/* Adds up the triangles of updates until all is shown; `seen` counts the updates each block is in. */
static size_t show_all(rig *r, uint64_t frames, uint32_t *seen, int *out_updates)
{
	size_t triangles = 0;
	uint64_t complete = 0;
	for (*out_updates = 0; complete < frames; ++*out_updates) {
		enm_result result;
		assert_true(*out_updates < 1000);
		enm_surface *surface = next_update(r, &result);
		if (surface == NULL)
			fail_msg("no update, and %llu frames are shown", (unsigned long long)complete);
		const enm_surface_data d = data_of(surface);
		complete = d.frames_complete;
		assert_int_equal(result, complete < frames ? ENM_FULL : ENM_OK);
		assert_int_equal(d.cleared, *out_updates == 0 && frames == 1);
		triangles += d.triangle_count;
		for (size_t i = 0; i < d.patch_count; i++)
			seen[block_of(r, d.patches[i].id)]++;
		enm_surface_destroy(&surface);
	}
	return triangles;
}

static size_t triangles_of_mesh(rig *r)
{
	enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data d;
	def.island_triangles_min = 0;
	CHECK(enm_session_mesh(&r->session, &def, &mesh));
	CHECK(enm_mesh_get(mesh, &d));
	const size_t n = d.triangle_count;
	enm_mesh_destroy(&mesh);
	return n;
}

static void each_block_comes_once(void **state)
{
	(void)state;
	rig r;
	int updates;
	rig_open(&r, support_size(30, 9) * 0.1);
	uint32_t *seen = support_alloc(r.volume.count, 4);
	assert_int_equal(show_all(&r, 1, seen, &updates), triangles_of_mesh(&r));
	for (uint32_t b = 0; b < r.volume.count; b++)
		assert_true(seen[b] <= 1);
	assert_true(updates >= (test.small ? 1 : 5));
	enm_surface *none = NULL;
	for (int i = 0; i < 3; i++)
		assert_int_equal(enm_session_surface_update(&r.session, &r.def, &none), ENM_EMPTY);
	free(seen);
	rig_close(&r);
}

/* A block that has changed brings those of its neighbours that have a surface, and no others. */
static void neighbours_come_along(void **state)
{
	(void)state;
	rig r;
	int updates;
	rig_open(&r, 0.9);
	uint32_t *before = support_alloc(r.volume.count, 4), *seen = support_alloc(r.volume.count, 4), expected = 0;
	show_all(&r, 1, before, &updates);
	const uint32_t block = r.volume.count / 3;
	int centre[3];
	ref_block_of_key(r.volume.keys[block], centre);
	r.changed[block] = 2;
	say_changed(&r, 2);
	show_all(&r, 2, seen, &updates);
	for (uint32_t b = 0; b < r.volume.count; b++) {
		int at[3];
		ref_block_of_key(r.volume.keys[b], at);
		const bool near =
			abs(at[0] - centre[0]) <= 1 && abs(at[1] - centre[1]) <= 1 && abs(at[2] - centre[2]) <= 1;
		assert_int_equal(seen[b], near && before[b] > 0 ? 1 : 0);
		expected += seen[b];
	}
	assert_true(expected > 3);
	free(before);
	free(seen);
	rig_close(&r);
}

static void what_has_gone_is_told_once(void **state)
{
	(void)state;
	rig r;
	int updates;
	rig_open(&r, 0.9);
	uint32_t *before = support_alloc(r.volume.count, 4), *seen = support_alloc(r.volume.count, 4);
	show_all(&r, 1, before, &updates);
	for (uint32_t i = 0; i < r.volume.count * ENM_K_BLOCK_VOXELS; i++)
		r.volume.voxels[i].weight = 0;
	support_model_load(&r.session.model, &r.volume);
	for (uint32_t frame = 2; frame < 4; frame++) {
		for (uint32_t b = 0; b < r.volume.count; b++)
			r.changed[b] = frame;
		say_changed(&r, frame);
		memset(seen, 0, r.volume.count * 4);
		assert_int_equal(show_all(&r, frame, seen, &updates), 0);
		for (uint32_t b = 0; b < r.volume.count; b++)
			assert_int_equal(seen[b], frame == 2 ? before[b] : 0);
	}
	free(before);
	free(seen);
	rig_close(&r);
}

/* Everything changes with every frame, and a slice is a part of it: all blocks get their turn. */
static void each_block_gets_its_turn(void **state)
{
	(void)state;
	rig r;
	int updates;
	rig_open(&r, support_size(25, 9) * 0.1);
	uint32_t *all = support_alloc(r.volume.count, 4), *seen = support_alloc(r.volume.count, 4);
	show_all(&r, 1, all, &updates);
	uint64_t complete = 0;
	for (uint32_t frame = 2; frame < 2 + 3 * (uint32_t)updates; frame++) {
		enm_result result;
		for (uint32_t b = 0; b < r.volume.count; b++)
			r.changed[b] = frame;
		say_changed(&r, frame);
		enm_surface *surface = next_update(&r, &result);
		assert_non_null(surface);
		const enm_surface_data d = data_of(surface);
		assert_true(d.frames_complete >= complete);
		complete = d.frames_complete;
		for (size_t i = 0; i < d.patch_count; i++)
			seen[block_of(&r, d.patches[i].id)]++;
		enm_surface_destroy(&surface);
	}
	for (uint32_t b = 0; b < r.volume.count; b++)
		assert_true(all[b] == 0 || (seen[b] >= 2 && seen[b] <= 3 + (uint32_t)updates));
	/* what is shown follows what changes at the distance of one turn */
	assert_true(complete + 2 * (uint64_t)updates + 2 >= 2 + 3 * (uint64_t)updates);
	free(all);
	free(seen);
	rig_close(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(each_block_comes_once), KERNEL_TEST(neighbours_come_along),
	KERNEL_TEST(what_has_gone_is_told_once), KERNEL_TEST(each_block_gets_its_turn))
