/* SPDX-License-Identifier: Apache-2.0
 * Where the way back is not found: when an island begins, and what is left of it. What joins it: test_join.c. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/constants.h"
#include "core/pose.h"
#include "global/island.h"

#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4
#define MIDDLE_MM 614.4 /* of the blocks where islands lie */
#define ISLAND_MM 409.6 /* that each has in y */
#define PATIENCE 3      /* ISLAND_PATIENCE of island.cl */
#define AFTER 4u        /* lost frames: fewer than a session waits for */
#define READINGS_MIN 100u

static const ref_scene bumps = {REF_BUMPS, 13.0, 0.7, 1.1, 0.9};

typedef struct rig {
	enm_session_def def;
	depth_stage depth;
	model model;
	allocate_stage allocate;
	fuse_stage fuse;
	keyframes_stage keyframes;
	island_stage island;
	gpu_buffer state;
} rig;

static rig make_rig(uint32_t capacity)
{
	rig r = {.def = support_def(support_size(65, 35), support_size(49, 27))};
	const enm_pose eye = enm_pose_identity();
	const enm_k_track track = support_state(&eye, ENM_K_VERDICT_LOST);
	float *raw = support_alloc((size_t)r.def.camera.width * r.def.camera.height, 4);
	ref_scene_render(&bumps, &r.def.camera, &eye, 60.0, raw);
	support_depth(&r.depth, &r.def, raw);
	support_model_create(&r.model, capacity, 8192, VOXEL_MM, TRUNCATION_MM);
	r.model.volume.island_side = -1;
	CHECK(allocate_create(&test.budget, test.queue, &r.def, &r.model, &r.allocate));
	CHECK(fuse_create(&test.budget, test.queue, &r.model, &r.fuse));
	CHECK(keyframes_create(&test.budget, &r.def, &r.keyframes));
	CHECK(keyframes_clear(&r.keyframes, test.queue));
	CHECK(island_create(&test.budget, &r.def, &r.island));
	support_state_create(&r.state, &track);
	free(raw);
	return r;
}

static void drop_rig(rig *r)
{
	gpu_buffer_destroy(&r->state);
	island_destroy(&r->island);
	keyframes_destroy(&r->keyframes);
	fuse_destroy(&r->fuse);
	allocate_destroy(&r->allocate);
	model_destroy(&r->model);
	depth_destroy(&r->depth);
}

static enm_k_recovery get_recovery(const rig *r)
{
	enm_k_recovery recovery;
	support_read(&r->keyframes.recovery, &recovery, sizeof(recovery));
	return recovery;
}

static void set_recovery(rig *r, const enm_k_recovery *recovery)
{
	support_write(&r->keyframes.recovery, recovery, sizeof(*recovery));
}

static enm_k_track get_state(const rig *r)
{
	enm_k_track state;
	support_read(&r->state, &state, sizeof(state));
	return state;
}

static void assert_pose(const enm_k_pose *got, const ref_pose *wanted)
{
	for (int i = 0; i < 9; i++)
		assert_near(got->r[i], wanted->r[i], 1e-6);
	for (int i = 0; i < 3; i++) /* floats near 600 */
		assert_near(got->t[i], wanted->t[i], 3e-4);
}

/* ---- the beginning ---- */

/* A frame that is lost, with readings, after frames that were tracked. */
static enm_k_track lost_frame(void)
{
	const enm_pose away = ref_pose_make(0.1, 0.2, -0.1, -3, 2, 1);
	enm_k_track s = support_state(&away, ENM_K_VERDICT_LOST);
	s.tracked = 30;
	s.frames = 40;
	s.missed = s.lost = 9;
	s.since_last_s = 0.3f;
	s.reason = ENM_K_REASON_NO_OVERLAP;
	s.valid_readings = READINGS_MIN;
	for (int i = 0; i < 6; i++)
		s.velocity[i] = s.skew[i] = 0.5f;
	return s;
}

static enm_k_track begin_with(rig *r, const enm_k_track *from, int32_t smooth_too, enm_k_track *out_placed)
{
	const uint32_t after = AFTER, readings_min = READINGS_MIN;
	support_write(&r->state, from, sizeof(*from));
	const gpu_arg args[] = {GPU_VALUE(r->model.volume), GPU_VALUE(after), GPU_VALUE(readings_min), GPU_VALUE(smooth_too),
		GPU_BUFFER(&r->state), GPU_BUFFER(&r->keyframes.recovery), GPU_BUFFER(&r->island.placed)};
	CHECK(gpu_launch(test.queue, &r->island.k_begin, GPU_RANGE_1D(1, 1), args, 7));
	support_read(&r->island.placed, out_placed, sizeof(*out_placed));
	return get_state(r);
}

static enm_k_track begin(rig *r, const enm_k_track *from, enm_k_track *out_placed)
{
	return begin_with(r, from, 0, out_placed);
}

/* The island `number` has begun at `place`, and so many are open. */
static void assert_begun(const rig *r, const enm_k_track *s, const enm_k_track *placed, uint32_t number, uint32_t place, uint32_t open,
	uint32_t events)
{
	ref_pose wanted = {{1, 0, 0, 0, 1, 0, 0, 0, 1}, {MIDDLE_MM * r->model.volume.island_side, (place - 1.5) * ISLAND_MM, 0}};
	const enm_k_island island = get_recovery(r).islands[place];
	assert_int_equal(island.id, number);
	assert_int_equal(island.frames, 1);
	assert_int_equal(island.joined, 0);
	assert_int_equal(s->island_place, place);
	assert_int_equal(s->islands_open, open);
	assert_pose(&s->world_from_camera, &wanted);
	assert_memory_equal(&s->last, &s->world_from_camera, sizeof(s->last));
	assert_memory_equal(&s->predicted, &s->world_from_camera, sizeof(s->last));
	for (int i = 0; i < 6; i++)
		assert_true(s->velocity[i] == 0.0f && s->skew[i] == 0.0f);
	assert_true(s->since_last_s == 0.0f);
	assert_int_equal(s->missed + s->lost + s->searched, 0);
	assert_int_equal(s->verdict, ENM_K_VERDICT_TRACKED);
	assert_int_equal(s->reason, ENM_K_REASON_FIRST);
	assert_int_equal(s->events, events);
	assert_int_equal(s->island, number);
	assert_int_equal(s->islands, number);
	assert_int_equal(s->island_frames, 1);
	assert_memory_equal(placed, s, sizeof(*s)); /* fused as it stands */
}

static void island_begins_when_the_search_has_lasted(void **state)
{
	(void)state;
	for (int side = -1; side <= 1; side += 2) {
		rig r = make_rig(16);
		r.model.volume.island_side = side;
		const enm_k_recovery full = {.keyframes = KEYFRAMES, .islands = {{.joined = 2}}, .forget = 1};
		enm_k_track s = lost_frame(), placed;
		set_recovery(&r, &full);
		enm_k_track full_view = s;
		full_view.valid_readings = 2 * READINGS_MIN;
		assert_int_equal(begin(&r, &full_view, &placed).searched, 3);
		full_view.valid_readings--;
		assert_int_equal(begin(&r, &full_view, &placed).searched, 1);
		for (uint32_t n = 1; n < AFTER; n++) {
			const enm_k_track before = s;
			s = begin(&r, &before, &placed);
			assert_int_equal(s.searched, n);
			enm_k_track counted = before;
			counted.searched = n; /* and nothing else has changed */
			assert_memory_equal(&s, &counted, sizeof(s));
			counted.verdict = ENM_K_VERDICT_NONE; /* nothing is fused */
			assert_memory_equal(&placed, &counted, sizeof(s));
			assert_int_equal(get_recovery(&r).forget, 0);
			assert_int_equal(get_recovery(&r).islands[0].joined, 2);
		}
		const enm_k_track last = s;
		s = begin(&r, &last, &placed);
		assert_begun(&r, &s, &placed, 1, 0, 1, ENM_K_EVENT_ISLAND_BEGUN);
		const enm_k_recovery recovery = get_recovery(&r);
		assert_int_equal(recovery.keyframes, KEYFRAMES);
		assert_int_equal(recovery.forget, 0);
		drop_rig(&r);
	}
}

/* Frames that say nothing of a loss, or could not be built on. */
static void nothing_else_begins_an_island(void **state)
{
	(void)state;
	rig r = make_rig(16);
	for (int i = 0; i < 6; i++) {
		const enm_k_recovery none = {.keyframes = 5};
		enm_k_track s = lost_frame(), placed;
		s.searched = AFTER - 1;
		r.model.volume.island_side = i == 5 ? 0 : -1;
		if (i == 0)
			s.verdict = ENM_K_VERDICT_TRACKED;
		if (i == 1)
			s.verdict = ENM_K_VERDICT_WEAK;
		if (i == 2)
			s.tracked = 0;
		if (i == 3)
			s.probation = 1;
		if (i == 4)
			s.valid_readings = READINGS_MIN - 1;
		set_recovery(&r, &none);
		enm_k_track wanted = s;
		const enm_k_track got = begin(&r, &s, &placed);
		/* what is not lost ends the count, what is lost without showing anything does not count */
		wanted.searched = i < 2 ? 0 : i < 5 ? AFTER - 1 : AFTER;
		assert_memory_equal(&got, &wanted, sizeof(got));
		wanted.verdict = ENM_K_VERDICT_NONE; /* the frame was fused before, if at all */
		assert_memory_equal(&placed, &wanted, sizeof(placed));
		const enm_k_recovery after = get_recovery(&r);
		assert_memory_equal(&after, &none, sizeof(after));
	}
	drop_rig(&r);
}

/* On a shape that fixes no pose nothing is built, unless colour may fix it; the count goes on, so that the first better view begins. */
static void smooth_shapes_begin_no_island_without_colour(void **state)
{
	(void)state;
	rig r = make_rig(16);
	for (int smooth_too = 0; smooth_too < 2; smooth_too++) {
		const enm_k_recovery none = {.keyframes = 5};
		enm_k_track s = lost_frame(), placed;
		set_recovery(&r, &none);
		s.searched = AFTER - 1;
		s.held = 1;
		enm_k_track got = begin_with(&r, &s, smooth_too, &placed);
		if (smooth_too) {
			assert_begun(&r, &got, &placed, 1, 0, 1, ENM_K_EVENT_ISLAND_BEGUN);
			continue;
		}
		s.searched = AFTER;
		assert_memory_equal(&got, &s, sizeof(s));
		s.held = 0;
		got = begin_with(&r, &s, smooth_too, &placed);
		assert_begun(&r, &got, &placed, 1, 0, 1, ENM_K_EVENT_ISLAND_BEGUN);
	}
	drop_rig(&r);
}

/* A loss on an island begins another beside it, as a loss on the first model does. */
static void islands_lie_side_by_side(void **state)
{
	(void)state;
	rig r = make_rig(16);
	const enm_k_recovery none = {.keyframes = 20};
	set_recovery(&r, &none);
	for (uint32_t n = 1; n <= ENM_K_ISLANDS; n++) {
		enm_k_track s = lost_frame(), placed;
		s.island = s.islands = s.islands_open = n - 1;
		s.island_place = n > 1 ? n - 2 : 0;
		s.island_frames = 20 + n;
		s.searched = AFTER - 1;
		const enm_k_track before = s;
		s = begin(&r, &before, &placed);
		assert_begun(&r, &s, &placed, n, n - 1, n, ENM_K_EVENT_ISLAND_BEGUN);
		const enm_k_recovery after = get_recovery(&r);
		assert_int_equal(after.forget, 0);
		for (uint32_t k = 0; k + 1 < n; k++) { /* how long each was by then is noted */
			assert_int_equal(after.islands[k].id, k + 1);
			assert_int_equal(after.islands[k].frames, 22 + k);
		}
	}
	drop_rig(&r);
}

/* Islands 1 to 4 are open, that of the frame in hand at the place 1. */
static void open_all(rig *r, enm_k_track *s, uint32_t frames)
{
	const enm_k_recovery open = {.keyframes = 20, .islands = {{.id = 1, .frames = 30, .joined = 2}, {.id = 2, .frames = 40, .joined = 2},
							  {.id = 3, .frames = 20, .joined = 2}, {.id = 4, .frames = 90, .joined = 2}}};
	set_recovery(r, &open);
	s->island = 2;
	s->islands = s->islands_open = 4;
	s->island_place = 1;
	s->island_frames = frames;
}

/* Where all places are taken the loss must last longer, and the island of the fewest frames goes. */
static void the_least_island_makes_room_for_the_next(void **state)
{
	(void)state;
	rig r = make_rig(16);
	enm_k_track s = lost_frame(), placed;
	s.searched = AFTER * PATIENCE - 2;
	open_all(&r, &s, 50);
	const enm_k_track first = s;
	s = begin(&r, &first, &placed);
	assert_int_equal(s.verdict, ENM_K_VERDICT_LOST);
	assert_int_equal(s.searched, AFTER * PATIENCE - 1);
	assert_int_equal(get_recovery(&r).keyframes, 20);
	const enm_k_track second = s;
	s = begin(&r, &second, &placed);
	assert_begun(&r, &s, &placed, 5, 2, 4, ENM_K_EVENT_ISLAND_BEGUN | ENM_K_EVENT_ISLAND_DROPPED);
	const enm_k_recovery after = get_recovery(&r);
	assert_int_equal(after.keyframes, 20); /* those of the old one are free */
	assert_int_equal(s.dropped, 3);
	assert_int_equal(after.forget, 1u << 2);
	assert_int_equal(after.islands[1].frames, 50);
	assert_int_equal(after.islands[1].joined, 2);
	drop_rig(&r);
}

/* As of a body that covered the view for a moment: it is given up as soon as the first one would begin, by full views in a third of the frames. */
static void an_island_of_few_frames_is_not_waited_for(void **state)
{
	(void)state;
	for (uint32_t more = 0; more < 2; more++) {
		rig r = make_rig(16);
		enm_k_track s = lost_frame(), placed;
		s.valid_readings = 2 * READINGS_MIN;
		s.searched = AFTER - 3;
		open_all(&r, &s, ENM_K_YOUNG_FRAMES + more);
		const enm_k_track before = s;
		s = begin(&r, &before, &placed);
		if (more == 0)
			assert_begun(&r, &s, &placed, 5, 1, 4, ENM_K_EVENT_ISLAND_BEGUN | ENM_K_EVENT_ISLAND_DROPPED);
		else
			assert_int_equal(s.searched, AFTER - 2);
		drop_rig(&r);
	}
}

/* One that nothing is found on for long is given up, and no other with it. */
static void an_island_that_is_left_for_long_is_given_up(void **state)
{
	(void)state;
	const uint32_t most = 300 + 10 * 30;
	for (int i = 0; i < 5; i++) {
		rig r = make_rig(16);
		const enm_k_recovery open = {.keyframes = 20, .islands = {{.id = 1, .frames = 40, .away = most}, {.id = 2, .frames = 30, .away = i == 1 ? most - 1 : most},
								  {.id = 4, .frames = 30, .away = most}}};
		enm_k_track s = lost_frame(), placed;
		set_recovery(&r, &open);
		s.verdict = i == 2 ? ENM_K_VERDICT_WEAK : ENM_K_VERDICT_TRACKED;
		s.islands = s.islands_open = 3;
		s.island = i == 3 ? 2 : 0;
		s.island_place = 1;
		s.island_frames = 31;
		const enm_k_track after = begin(&r, &s, &placed);
		enm_k_recovery got = get_recovery(&r);
		assert_int_equal(got.islands[0].id, 1);
		const bool searched_for = i != 2 && i != 3; /* by a frame that is tracked, on the first model */
		assert_int_equal(got.islands[0].away, searched_for ? most + 1 : most);
		const uint32_t gone = !searched_for ? 0 : i == 1 ? 4 : 2;
		assert_int_equal(after.events, gone != 0 ? ENM_K_EVENT_ISLAND_DROPPED : 0);
		assert_int_equal(after.dropped, gone);
		assert_int_equal(after.islands_open, gone != 0 ? 2 : 3);
		assert_int_equal(got.forget, gone == 2 ? 1u << 1 : gone == 4 ? 1u << 2 : 0);
		assert_int_equal(got.islands[1].id, gone == 2 ? 0 : 2);
		assert_int_equal(got.islands[1].away, gone == 2 ? most + 1 : i == 3 ? 0 : most);
		assert_int_equal(got.islands[2].id, gone == 4 ? 0 : 4);
		if (gone == 2) { /* the other goes with the next frame */
			const enm_k_track next = begin(&r, &s, &placed);
			got = get_recovery(&r);
			assert_int_equal(next.dropped, 4);
			assert_int_equal(got.forget, 1u << 2);
		}
		drop_rig(&r);
	}
}

/* Even where others are free: lost frames would be found on it. */
static void an_island_of_few_frames_gives_way(void **state)
{
	(void)state;
	rig r = make_rig(16);
	const enm_k_recovery open = {.keyframes = 20, .islands = {{.id = 1, .frames = 30}, {.id = 2, .frames = ENM_K_YOUNG_FRAMES}}};
	enm_k_track s = lost_frame(), placed;
	s.islands = s.islands_open = 2;
	s.searched = AFTER - 1;
	set_recovery(&r, &open);
	const enm_k_track before = s;
	s = begin(&r, &before, &placed);
	assert_begun(&r, &s, &placed, 3, 1, 2, ENM_K_EVENT_ISLAND_BEGUN | ENM_K_EVENT_ISLAND_DROPPED);
	assert_int_equal(s.dropped, 2);
	assert_int_equal(get_recovery(&r).forget, 1u << 1);
	drop_rig(&r);
}

/* A model of a few frames that no other agrees with is forgotten, and the scan begins with this one where the last was. */
static void young_scan_begins_again(void **state)
{
	(void)state;
	for (uint32_t tracked = 1; tracked <= 6; tracked += 5) {
		rig r = make_rig(16);
		const enm_k_recovery some = {.keyframes = 3};
		enm_k_track before = lost_frame(), placed;
		before.tracked = tracked;
		before.searched = AFTER - 1;
		set_recovery(&r, &some);
		const enm_k_track s = begin(&r, &before, &placed);
		assert_int_equal(s.verdict, ENM_K_VERDICT_TRACKED);
		assert_int_equal(s.reason, ENM_K_REASON_FIRST);
		if (tracked > ENM_K_YOUNG_FRAMES) {
			assert_int_equal(s.events, ENM_K_EVENT_ISLAND_BEGUN);
			drop_rig(&r);
			continue;
		}
		assert_int_equal(s.events, ENM_K_EVENT_BEGUN_AGAIN | ENM_K_EVENT_BEGUN_ANEW | ENM_K_EVENT_RECOVERED);
		assert_int_equal(s.tracked, 1);
		assert_int_equal(s.island + s.islands_open + s.islands, 0);
		assert_int_equal(s.missed + s.lost + s.searched, 0);
		assert_memory_equal(&s.world_from_camera, &before.world_from_camera, sizeof(s.world_from_camera));
		assert_int_equal(get_recovery(&r).keyframes, 0);
		assert_memory_equal(&placed, &s, sizeof(s));
		drop_rig(&r);
	}
}

/* ---- what is left ---- */

#define PLACE 1u /* of the island that goes, from y = -512 to -1 */

/* Fills the model with `count` blocks, each `island_every`-th of the island at PLACE, the others on the first model or on islands to either side. */
static void fill_model(rig *r, uint32_t count, int side, uint32_t island_every)
{
	ref_volume v;
	ref_volume_create(&v, count + 1, VOXEL_MM, TRUNCATION_MM);
	for (uint32_t i = 0; i < count; i++) {
		const int n = (int)i, far = side * (i % 3 == 0 ? ENM_K_ISLAND_FIRST : i % 3 == 1 ? ENM_K_ISLAND_MIDDLE : 1000);
		/* next to where islands begin, at the other end of the volume, and next to the island in y */
		const int others[4][2] = {{(ENM_K_ISLAND_FIRST - 1) * side, n - 20}, {-900 * side, n - 20}, {far, n}, {far, -513 - n}};
		const int *at = i % island_every == 0 ? (const int[2]){far, i % 2 == 0 ? -512 + n : -1 - n} : others[i / 2 % 4];
		const uint32_t block = ref_volume_add(&v, ref_key(at[0], at[1], 3));
		for (uint32_t k = 0; k < ENM_K_BLOCK_VOXELS; k++)
			v.voxels[(size_t)block * ENM_K_BLOCK_VOXELS + k] = (enm_k_voxel){.sdf = (int16_t)(k + 1), .weight = 7, .red = 9, .views = 2};
	}
	if (count > 0)
		support_model_load(&r->model, &v);
	ref_volume_destroy(&v);
	/* what was taken away is told to those who follow the surface */
	uint32_t *changed = support_alloc(r->model.volume.capacity, 4);
	for (uint32_t i = 0; i < r->model.volume.capacity; i++)
		changed[i] = 17;
	support_write(&r->model.changed, changed, (size_t)r->model.volume.capacity * 4);
	free(changed);
}

static void forget(rig *r, uint32_t wanted, size_t groups)
{
	const enm_k_recovery recovery = {.forget = wanted};
	const enm_pose eye = enm_pose_identity();
	enm_k_track track = support_state(&eye, ENM_K_VERDICT_TRACKED);
	track.frames = 72;
	set_recovery(r, &recovery);
	support_write(&r->state, &track, sizeof(track));
	const gpu_arg args[] = {GPU_VALUE(r->model.volume), GPU_BUFFER(&r->state), GPU_BUFFER(&r->keyframes.recovery),
		GPU_BUFFER(&r->model.blocks), GPU_BUFFER(&r->model.keys), GPU_BUFFER(&r->model.voxels), GPU_BUFFER(&r->model.changed)};
	CHECK(gpu_launch(test.queue, &r->island.k_forget, GPU_RANGE_1D(64 * groups, 64), args, 7));
}

/* Blocks of the island hold nothing any more, and all others what they held. */
static void assert_forgotten(const rig *r, uint32_t count, uint32_t island_every)
{
	const uint32_t capacity = r->model.volume.capacity, none[ENM_K_BLOCK_WORDS] = {0};
	uint32_t *words = support_alloc((size_t)count * ENM_K_BLOCK_WORDS + 1, 4), *changed = support_alloc(capacity, 4);
	support_read(&r->model.voxels, words, (size_t)count * ENM_K_BLOCK_WORDS * 4);
	support_read(&r->model.changed, changed, (size_t)capacity * 4);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t *block = words + (size_t)i * ENM_K_BLOCK_WORDS;
		const bool gone = island_every != 0 && i % island_every == 0;
		assert_int_equal(changed[i], gone ? 72 : 17);
		if (gone)
			assert_memory_equal(block, none, sizeof(none));
		for (uint32_t k = 0; k < ENM_K_BLOCK_VOXELS && !gone; k++) {
			assert_int_equal(block[k], (k + 1) | 7u << 16);
			assert_int_equal(block[ENM_K_PLANE_COLOR + k], 9u | 2u << 24);
		}
	}
	for (uint32_t i = count; i < capacity; i++)
		assert_int_equal(changed[i], 17);
	free(words);
	free(changed);
}

static void island_leaves_nothing_behind(void **state)
{
	(void)state;
	const uint32_t most = support_size(150, 20);
	const struct {
		uint32_t count, every; /* blocks, and every so many an island's */
	} cases[] = {{0, 1}, {1, 1}, {most - 3, 3}, {most, 2}, {most, 1}}; /* none, and as many as there is room for */
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int side = -1; side <= 1; side += 2) {
			rig r = make_rig(most);
			r.model.volume.island_side = side;
			fill_model(&r, cases[i].count, side, cases[i].every);
			forget(&r, 0, 2);
			assert_forgotten(&r, cases[i].count, 0); /* nobody asked */
			if (cases[i].every == 1) { /* none of these is of another */
				forget(&r, 15u & ~(1u << PLACE), 2);
				assert_forgotten(&r, cases[i].count, 0);
			}
			forget(&r, 1u << PLACE, i % 2 == 0 ? 3 : 1);
			assert_forgotten(&r, cases[i].count, cases[i].every);
			drop_rig(&r);
		}
	}
}

/* ---- the stage ---- */

static uint32_t run(rig *r, const enm_k_track *track, enm_k_track *out_after)
{
	enm_k_blocks blocks;
	support_write(&r->state, track, sizeof(*track));
	CHECK(island_run(&r->island, test.queue, &r->depth, &r->model, &r->allocate, &r->fuse, &r->keyframes, &r->state, 0, 0));
	*out_after = get_state(r);
	support_read(&r->model.blocks, &blocks, sizeof(blocks));
	return blocks.used;
}

/* Voxels that were seen, where islands lie and elsewhere. */
static void count_seen(const rig *r, uint32_t out_seen[2])
{
	ref_volume v;
	ref_volume_create(&v, r->model.volume.capacity, VOXEL_MM, TRUNCATION_MM);
	support_model_read(&r->model, &v);
	out_seen[0] = out_seen[1] = 0;
	for (uint32_t b = 0; b < v.count; b++) {
		int at[3];
		ref_block_of_key(v.keys[b], at);
		for (uint32_t k = 0; k < ENM_K_BLOCK_VOXELS; k++)
			out_seen[at[0] <= -ENM_K_ISLAND_FIRST] += v.voxels[(size_t)b * ENM_K_BLOCK_VOXELS + k].weight > 0;
	}
	ref_volume_destroy(&v);
}

/* The frame that begins an island is its first surface and its first keyframe, which wait while tracking is back on the first model; when the
 * island is joined its surface goes. */
static void frame_that_begins_is_fused_and_forgotten(void **state)
{
	(void)state;
	rig r = make_rig(4096);
	uint32_t seen[2];
	enm_k_track s = lost_frame(), after;
	s.valid_readings = r.island.readings_min;
	s.searched = ISLAND_AFTER_LOST - 2;
	assert_int_equal(run(&r, &s, &after), 0);
	assert_int_equal(after.verdict, ENM_K_VERDICT_LOST);
	assert_int_equal(get_recovery(&r).keyframes, 0);
	assert_true(run(&r, &after, &s) > 10);
	assert_int_equal(s.verdict, ENM_K_VERDICT_TRACKED);
	count_seen(&r, seen);
	assert_int_equal(seen[0], 0);
	assert_true(seen[1] > 1000);
	enm_k_keyframe kept;
	assert_int_equal(get_recovery(&r).keyframes, 1);
	support_read(&r.keyframes.keyframes, &kept, sizeof(kept));
	assert_int_equal(kept.island, 1);
	s.island = 0; /* found again without it */
	s.events = 0;
	run(&r, &s, &after);
	assert_int_equal(after.events, 0);
	assert_int_equal(after.islands_open, 1);
	count_seen(&r, seen);
	assert_true(seen[1] > 1000);
	enm_k_recovery proven = get_recovery(&r);
	proven.islands[0].joined = 3;
	proven.islands[0].join_overlap = 2.0f;
	support_write(&r.keyframes.recovery, &proven, sizeof(proven));
	run(&r, &after, &s);
	assert_int_equal(s.events, ENM_K_EVENT_ISLAND_JOINED);
	assert_int_equal(s.islands_open, 0);
	count_seen(&r, seen);
	assert_int_equal(seen[0] + seen[1], 0);
	drop_rig(&r);
}

static enm_k_blocks get_blocks(const rig *r)
{
	enm_k_blocks blocks;
	support_read(&r->model.blocks, &blocks, sizeof(blocks));
	return blocks;
}

/* The first frame of an island by rows goes with what was fused of it, and the first model stays. */
static void island_that_begins_anew_leaves_the_first_model(void **state)
{
	(void)state;
	const uint32_t most = support_size(60, 20);
	rig r = make_rig(most);
	enm_k_track s = lost_frame();
	char input[8] = {0};
	const island_frame frame = {.input = input, .bytes = sizeof(input)};
	s.frames = 72;
	s.verdict = ENM_K_VERDICT_TRACKED;
	s.events = ENM_K_EVENT_BEGUN_ANEW;
	s.island = s.islands_open = s.islands = 1;
	s.island_place = PLACE;
	fill_model(&r, most, -1, 2);
	support_write(&r.state, &s, sizeof(s));
	CHECK(fuse_forget(&r.fuse, test.queue, &r.model, &r.state));
	assert_forgotten(&r, most, 2);
	s.events = 0;
	CHECK(island_note(&r.island, &s, 71, &frame));
	assert_int_equal(r.island.open[0].count, 1);
	s.events = ENM_K_EVENT_BEGUN_ANEW;
	CHECK(island_note(&r.island, &s, 72, &frame));
	assert_int_equal(r.island.open[0].count, 1); /* the second alone */
	s.events = 0;
	CHECK(island_note(&r.island, &s, 73, &frame));
	assert_int_equal(r.island.open[0].count, 2);
	/* another one may be given up with the very frame */
	s.island = 7;
	CHECK(island_note(&r.island, &s, 74, &frame));
	assert_int_equal(r.island.open[1].count, 1);
	s.island = 1;
	s.events = ENM_K_EVENT_BEGUN_ANEW | ENM_K_EVENT_ISLAND_DROPPED;
	s.dropped = 7;
	CHECK(island_note(&r.island, &s, 75, &frame));
	assert_int_equal(r.island.open[0].count, 1);
	assert_int_equal(r.island.open[1].count, 0);
	drop_rig(&r);
}

/* A frame that was fused where it was tracked is told of as it was, whether the model had room or not, and is not fused again. */
static void counts_of_a_frame_stand_when_nothing_begins(void **state)
{
	(void)state;
	const uint32_t rooms[] = {4096, 20};
	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		rig r = make_rig(rooms[i]);
		const enm_pose eye = enm_pose_identity();
		enm_k_track s = support_state(&eye, ENM_K_VERDICT_TRACKED), after;
		const size_t bytes = (size_t)rooms[i] * ENM_K_BLOCK_WORDS * 4;
		uint32_t *voxels = support_alloc(bytes, 2), *again = voxels + bytes / 4;
		s.tracked = 30;
		s.islands_open = 1;
		support_write(&r.state, &s, sizeof(s));
		CHECK(allocate_run(&r.allocate, test.queue, &r.depth, &r.model, &r.state));
		CHECK(fuse_run(&r.fuse, test.queue, &r.depth, &r.model, &r.state, 0, 0));
		const enm_k_blocks fused = get_blocks(&r);
		assert_true(fused.wanted > 20 && fused.in_view > 10 && fused.added == fused.used);
		assert_int_equal(fused.full, i);
		support_read(&r.model.voxels, voxels, (size_t)fused.used * ENM_K_BLOCK_WORDS * 4);
		run(&r, &s, &after);
		const enm_k_blocks told = get_blocks(&r);
		assert_int_equal(told.used, fused.used);
		assert_int_equal(told.base, fused.base);
		assert_int_equal(told.added, fused.added);
		assert_int_equal(told.wanted, fused.wanted);
		assert_int_equal(told.in_view, fused.in_view);
		assert_int_equal(told.full, fused.full);
		support_read(&r.model.voxels, again, (size_t)fused.used * ENM_K_BLOCK_WORDS * 4);
		assert_memory_equal(voxels, again, (size_t)fused.used * ENM_K_BLOCK_WORDS * 4);
		free(voxels);
		drop_rig(&r);
	}
}

/* A full model takes no island in, and is left as it is. */
static void full_model_has_no_room_for_an_island(void **state)
{
	(void)state;
	enum { ROOM = 30 };
	rig r = make_rig(ROOM);
	uint32_t before[2], seen[2];
	enm_k_track s = lost_frame(), after;
	fill_model(&r, ROOM, -1, ROOM + 1);
	count_seen(&r, before);
	forget(&r, 0, 1); /* no keyframes, nothing to forget */
	s.valid_readings = r.island.readings_min;
	s.searched = ISLAND_AFTER_LOST - 1;
	assert_int_equal(run(&r, &s, &after), ROOM);
	assert_int_equal(after.events & ENM_K_EVENT_ISLAND_BEGUN, ENM_K_EVENT_ISLAND_BEGUN);
	enm_k_blocks blocks;
	support_read(&r.model.blocks, &blocks, sizeof(blocks));
	assert_int_equal(blocks.full, 1);
	assert_int_equal(blocks.added, 0);
	count_seen(&r, seen);
	assert_int_equal(seen[0], before[0]);
	assert_int_equal(seen[1], before[1]);
	drop_rig(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(island_begins_when_the_search_has_lasted), KERNEL_TEST(nothing_else_begins_an_island),
	KERNEL_TEST(smooth_shapes_begin_no_island_without_colour), KERNEL_TEST(islands_lie_side_by_side),
	KERNEL_TEST(the_least_island_makes_room_for_the_next), KERNEL_TEST(an_island_of_few_frames_is_not_waited_for), KERNEL_TEST(an_island_of_few_frames_gives_way), KERNEL_TEST(an_island_that_is_left_for_long_is_given_up), KERNEL_TEST(young_scan_begins_again),
	KERNEL_TEST(island_leaves_nothing_behind),
	KERNEL_TEST(frame_that_begins_is_fused_and_forgotten), KERNEL_TEST(counts_of_a_frame_stand_when_nothing_begins), KERNEL_TEST(island_that_begins_anew_leaves_the_first_model),
	KERNEL_TEST(full_model_has_no_room_for_an_island))
