/* SPDX-License-Identifier: Apache-2.0
 * What proves where an island lies (kernels/judge.cl, join.h), and what becomes of it then (kernels/island.cl). */
#include "support.h"

#include <math.h>
#include <string.h>

#include "core/pose.h"
#include "global/island.h"
#include "global/relocate.h"
#include "pipeline/stage.h"

#define VOXEL_MM 0.1
#define MIDDLE_MM 614.4 /* of the blocks where islands lie */
#define PROOFS 3        /* JOIN_FRAMES of island.cl */

typedef struct rig {
	enm_session_def def;
	keyframes_stage keyframes;
	relocate_stage relocate;
	island_stage island;
	gpu_buffer state;
} rig;

static void set_recovery(rig *r, const enm_k_recovery *recovery)
{
	support_write(&r->keyframes.recovery, recovery, sizeof(*recovery));
}

#define OURS 2 /* place of the island looked at; others are open beside it */

static rig make_rig(void)
{
	rig r = {.def = support_def(35, 27)};
	const enm_pose eye = enm_pose_identity();
	const enm_k_track track = support_state(&eye, ENM_K_VERDICT_LOST);
	const enm_k_recovery open = {.keyframes = 20, .islands = {[0] = {.id = 5, .frames = 9}, [OURS] = {.id = 2, .frames = 12}, [3] = {.id = 4}}};
	CHECK(keyframes_create(&test.budget, &r.def, &r.keyframes));
	CHECK(keyframes_clear(&r.keyframes, test.queue));
	CHECK(relocate_create(&test.budget, &r.def, &r.relocate));
	CHECK(island_create(&test.budget, &r.def, &r.island));
	support_state_create(&r.state, &track);
	set_recovery(&r, &open);
	return r;
}

static void drop_rig(rig *r)
{
	gpu_buffer_destroy(&r->state);
	island_destroy(&r->island);
	relocate_destroy(&r->relocate);
	keyframes_destroy(&r->keyframes);
}

static enm_k_recovery get_recovery(const rig *r)
{
	enm_k_recovery recovery;
	support_read(&r->keyframes.recovery, &recovery, sizeof(recovery));
	return recovery;
}

static enm_k_track get_state(const rig *r)
{
	enm_k_track state;
	support_read(&r->state, &state, sizeof(state));
	return state;
}

static ref_pose pose_of(const enm_k_pose *pose)
{
	ref_pose out;
	for (int i = 0; i < 9; i++)
		out.r[i] = (double)pose->r[i];
	for (int i = 0; i < 3; i++)
		out.t[i] = (double)pose->t[i];
	return out;
}

/* Where an island lies: it is turned a lot, and moved from its end of the volume to near the scan. */
static ref_pose place_of_island(double off_mm, double off_rad)
{
	const enm_pose turn = ref_pose_make(0.4, -0.3, 0.9 + off_rad, 0, 0, 0);
	const double middle[3] = {-MIDDLE_MM, 0, 0}, home[3] = {12 + off_mm, -5, 2};
	ref_pose out = ref_pose_from(&turn);
	double moved[3];
	ref_pose_rotate(&out, middle, moved);
	for (int i = 0; i < 3; i++)
		out.t[i] = home[i] - moved[i];
	return out;
}

/* The n-th view of an island. */
static enm_k_track island_frame_at(int n)
{
	const enm_pose view = ref_pose_make(0.02 * n, 0.1, -0.05, -MIDDLE_MM + 0.7 * n, 0.2 * n, 0.1);
	enm_k_track s = support_state(&view, ENM_K_VERDICT_TRACKED);
	s.frames = 60 + 3 * (uint32_t)n;
	s.tracked = 40;
	s.island = 2;
	s.islands = 5;
	s.islands_open = 3;
	s.island_place = OURS;
	return s;
}

static ref_pose inverse(const ref_pose *p)
{
	ref_pose out;
	for (int i = 0; i < 3; i++) {
		out.t[i] = 0.0;
		for (int j = 0; j < 3; j++) {
			out.r[3 * i + j] = p->r[3 * j + i];
			out.t[i] -= p->r[3 * j + i] * p->t[j];
		}
	}
	return out;
}

static enm_k_pose rounded(const ref_pose *pose)
{
	enm_k_pose out = {{0}, {0}, {0}};
	for (int i = 0; i < 9; i++)
		out.r[i] = (float)pose->r[i];
	for (int i = 0; i < 3; i++)
		out.t[i] = (float)pose->t[i];
	return out;
}

/* Has the judge see a frame of the island at the place on the first model that `place` gives it, or a frame of the first model at the place that it
 * has on the island; NULL: where it is. */
static enm_k_recovery prove_at(rig *r, const enm_k_track *frame, const ref_pose *place, const enm_k_candidate *as)
{
	enm_k_candidate picks[ENM_K_PICKS];
	enm_k_recovery recovery = get_recovery(r);
	const float voxel_mm = (float)VOXEL_MM, sigma_per_mm2 = 1e-4f;
	const ref_pose view = pose_of(&frame->world_from_camera);
	ref_pose found = view;
	if (place != NULL) {
		const ref_pose there = frame->island != 0 ? *place : inverse(place);
		found = ref_pose_multiply(&there, &view);
	}
	recovery.wanted = recovery.joining = 1;
	recovery.at_island = frame->island;
	recovery.pivot_mm = 13.0f;
	memset(picks, 0, sizeof(picks));
	picks[7] = (enm_k_candidate){.world_from_camera = rounded(&found),
		.island = frame->island != 0 ? 0 : 2,
		.support = 0.8f,
		.overlap = as->overlap,
		.inliers = as->inliers,
		.free_share = 0.002f,
		.rms_mm = 0.015f,
		.least_eigenvalue = as->least_eigenvalue != 0.0f ? as->least_eigenvalue : 0.03f,
		.step = 0.01f,
		.patch_mm = as->patch_mm};
	set_recovery(r, &recovery);
	support_write(&r->state, frame, sizeof(*frame));
	support_write(&r->relocate.picks, picks, sizeof(picks));
	const gpu_arg args[] = {GPU_VALUE(voxel_mm), GPU_VALUE(sigma_per_mm2), GPU_BUFFER(&r->relocate.picks),
		GPU_BUFFER(&r->state), GPU_BUFFER(&r->keyframes.recovery)};
	CHECK(gpu_launch(test.queue, &r->relocate.k_judge, GPU_RANGE_1D(1, 1), args, 5));
	const enm_k_track after = get_state(r);
	assert_memory_equal(&after, frame, sizeof(after)); /* a proof moves nothing: the frame stays where it was tracked */
	return get_recovery(r);
}

static enm_k_recovery prove_by(rig *r, const enm_k_track *frame, const ref_pose *place, float overlap, float inliers)
{
	return prove_at(r, frame, place, &(enm_k_candidate){.overlap = overlap, .inliers = inliers, .patch_mm = 0.006f});
}

/* NULL: no good place is found. */
static enm_k_recovery prove(rig *r, const enm_k_track *frame, const ref_pose *place)
{
	return prove_by(r, frame, place, 0.9f, place != NULL ? 0.9f : 0.5f);
}

static enm_k_track settle(rig *r, const enm_k_track *from)
{
	support_write(&r->state, from, sizeof(*from));
	const gpu_arg args[] = {GPU_BUFFER(&r->state), GPU_BUFFER(&r->keyframes.recovery)};
	CHECK(gpu_launch(test.queue, &r->island.k_settle, GPU_RANGE_1D(1, 1), args, 2));
	return get_state(r);
}

static void three_that_agree_join_the_island(void **state)
{
	(void)state;
	rig r = make_rig();
	const ref_pose place = place_of_island(0, 0);
	for (int n = 1; n <= PROOFS; n++) {
		const enm_k_track frame = island_frame_at(n);
		enm_k_recovery recovery = prove(&r, &frame, &place);
		assert_int_equal(recovery.islands[OURS].joined, n);
		/* where it lies is told by a product with poses 600 mm away, in floats; what counts is where it puts the view */
		const ref_pose told = pose_of(&recovery.islands[OURS].first_from_island), view = pose_of(&frame.world_from_camera),
			       wanted = ref_pose_multiply(&place, &view), got = ref_pose_multiply(&told, &view);
		assert_near(ref_pose_shift(&got, &wanted), 0.0, 2e-3);
		assert_near(ref_pose_angle(&got, &wanted), 0.0, 1e-5);
		const enm_k_track after = settle(&r, &frame);
		if (n < PROOFS) {
			assert_memory_equal(&after, &frame, sizeof(after));
			const enm_k_recovery untouched = get_recovery(&r);
			assert_memory_equal(&untouched, &recovery, sizeof(recovery));
			continue;
		}
		const ref_pose joined = pose_of(&after.world_from_camera);
		assert_near(ref_pose_shift(&joined, &wanted), 0.0, 2e-3);
		assert_near(ref_pose_angle(&joined, &wanted), 0.0, 1e-5);
		assert_memory_equal(&after.last, &after.world_from_camera, sizeof(after.last));
		assert_memory_equal(&after.first_from_island, &recovery.islands[OURS].first_from_island, sizeof(after.first_from_island));
		assert_int_equal(after.events, ENM_K_EVENT_ISLAND_JOINED | ENM_K_EVENT_RECOVERED);
		assert_int_equal(after.island, 0);
		assert_int_equal(after.islands_open, 2);
		assert_int_equal(after.islands, 5);
		assert_int_equal(after.verdict, ENM_K_VERDICT_TRACKED);
		recovery = get_recovery(&r);
		assert_int_equal(after.joined, 2);
		assert_int_equal(after.joined_from, 2);
		assert_int_equal(recovery.islands[OURS].id + recovery.islands[OURS].joined, 0);
		assert_int_equal(recovery.islands[0].id, 5);
		assert_int_equal(recovery.forget, 1u << OURS);
	}
	drop_rig(&r);
}

/* Tracking has come back to the first model: its frames are found on the island, which joins it where it stands. */
static void frames_of_the_first_model_prove_too(void **state)
{
	(void)state;
	rig r = make_rig();
	const ref_pose place = place_of_island(0, 0);
	for (int n = 1; n <= PROOFS; n++) {
		enm_k_track frame = island_frame_at(n);
		const ref_pose on_island = pose_of(&frame.world_from_camera), here = ref_pose_multiply(&place, &on_island);
		frame.world_from_camera = frame.last = rounded(&here);
		frame.island = 0;
		const enm_k_recovery recovery = prove(&r, &frame, &place);
		assert_int_equal(recovery.islands[OURS].joined, n);
		const ref_pose told = pose_of(&recovery.islands[OURS].first_from_island), got = ref_pose_multiply(&told, &on_island);
		assert_near(ref_pose_shift(&got, &here), 0.0, 2e-3);
		assert_near(ref_pose_angle(&got, &here), 0.0, 1e-5);
		const enm_k_track after = settle(&r, &frame);
		if (n < PROOFS) {
			assert_memory_equal(&after, &frame, sizeof(after));
			continue;
		}
		assert_memory_equal(&after.world_from_camera, &frame.world_from_camera, sizeof(after.world_from_camera));
		assert_memory_equal(&after.first_from_island, &recovery.islands[OURS].first_from_island, sizeof(after.first_from_island));
		assert_int_equal(after.events, ENM_K_EVENT_ISLAND_JOINED); /* nothing was lost */
		assert_int_equal(after.joined, 2);
		assert_int_equal(after.joined_from, 0);
		assert_int_equal(after.islands_open, 2);
		assert_int_equal(get_recovery(&r).forget, 1u << OURS);
	}
	drop_rig(&r);
}

/* A proof that says otherwise than those before takes from them, and where it leaves nothing the count begins anew, with what it says. */
static void proofs_that_disagree_count_against(void **state)
{
	(void)state;
	/* bounds: 0.0975 mm of the view and 0.0075 rad; the turn is about the world's home, and moves the view on top of it */
	const struct {
		double off_mm, off_rad;
		bool agrees;
	} cases[] = {{0.09, 0, true}, {0.105, 0, false}, {-0.105, 0, false}, {0, 0.0065, true}, {0, 0.0085, false}, {9, 0, false}, {0, 3.1, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		rig r = make_rig();
		const ref_pose here = place_of_island(0, 0);
		ref_pose there = place_of_island(cases[i].off_mm, cases[i].off_rad);
		const enm_k_track one = island_frame_at(1), two = island_frame_at(2), three = island_frame_at(3), four = island_frame_at(4),
				  five = island_frame_at(5);
		const ref_pose view = pose_of(&three.world_from_camera);
		double pivot[3], was[3], is[3];
		ref_pose_apply(&view, (double[3]){0, 0, 13}, pivot);
		ref_pose_apply(&here, pivot, was);
		ref_pose_apply(&there, pivot, is);
		for (int k = 0; k < 3 && cases[i].off_rad != 0.0; k++) /* a turn about the middle of this view alone */
			there.t[k] += was[k] - is[k];
		prove(&r, &one, &here);
		const enm_k_island second = prove(&r, &two, &here).islands[OURS], third = prove(&r, &three, &there).islands[OURS];
		assert_int_equal(second.joined, 2);
		assert_int_equal(third.joined, cases[i].agrees ? 3 : 2);
		assert_near(third.join_overlap, cases[i].agrees ? 2.7 : 0.9, 1e-5);
		const ref_pose told = pose_of(&third.first_from_island), got = ref_pose_multiply(&told, &view), wanted = ref_pose_multiply(&there, &view),
			       before = ref_pose_multiply(&here, &view);
		if (cases[i].agrees) { /* the mean of three that overlap alike */
			assert_near(ref_pose_shift(&got, &wanted), ref_pose_shift(&before, &wanted) * 2.0 / 3.0, 2e-3);
			assert_near(ref_pose_angle(&got, &wanted), ref_pose_angle(&before, &wanted) * 2.0 / 3.0, 2e-5);
		} else {
			assert_memory_equal(&third.first_from_island, &second.first_from_island, sizeof(third.first_from_island));
		}
		const enm_k_track settled = settle(&r, &three);
		assert_int_equal(settled.island, cases[i].agrees ? 0 : 2);
		if (!cases[i].agrees) { /* as much has been said against it now */
			const enm_k_island anew = prove(&r, &four, &there).islands[OURS];
			const ref_pose last = pose_of(&four.world_from_camera), says = pose_of(&anew.first_from_island), at = ref_pose_multiply(&says, &last),
				       there_at = ref_pose_multiply(&there, &last);
			assert_int_equal(anew.joined, 1);
			assert_near(anew.join_overlap, 0.9, 1e-5);
			assert_near(ref_pose_shift(&at, &there_at), 0.0, 2e-3);
			assert_int_equal(prove(&r, &five, &there).islands[OURS].joined, 2);
		}
		drop_rig(&r);
	}
}

/* A hand that holds still proves nothing by it; nor is what it said in another view forgotten. */
static void the_same_view_proves_nothing_new(void **state)
{
	(void)state;
	rig r = make_rig();
	const ref_pose place = place_of_island(0, 0);
	for (int on_first = 0; on_first < 2; on_first++) {
		for (int n = 1; n <= 6; n++) {
			enm_k_track frame = island_frame_at((n + 1) / 2);
			const ref_pose on_island = pose_of(&frame.world_from_camera), here = ref_pose_multiply(&place, &on_island);
			if (on_first) {
				frame.world_from_camera = rounded(&here);
				frame.island = 0;
			}
			const enm_k_island island = prove(&r, &frame, &place).islands[OURS];
			assert_int_equal(island.joined, (n + 1) / 2);
			assert_near(island.join_overlap, 0.9 * ((n + 1) / 2), 1e-5);
		}
		const ref_pose elsewhere = place_of_island(3, 0);
		for (int n = 0; n < 3; n++) { /* what speaks against it does so once, too */
			const enm_k_track frame = island_frame_at(9);
			const enm_k_island island = prove(&r, &frame, &elsewhere).islands[OURS];
			assert_int_equal(island.joined, 3);
			assert_near(island.join_overlap, 1.8, 1e-5);
		}
		enm_k_recovery anew = get_recovery(&r);
		anew.islands[OURS].joined = 0;
		set_recovery(&r, &anew);
	}
	drop_rig(&r);
}

/* A search that finds no good place says nothing. */
static void poor_places_prove_nothing(void **state)
{
	(void)state;
	rig r = make_rig();
	const ref_pose place = place_of_island(0, 0);
	const enm_k_track frame = island_frame_at(1);
	assert_int_equal(prove(&r, &frame, NULL).islands[OURS].joined, 0);
	const enm_k_recovery one = prove(&r, &frame, &place), still = prove(&r, &frame, NULL);
	assert_int_equal(still.islands[OURS].joined, 1);
	assert_memory_equal(&still.islands, &one.islands, sizeof(one.islands));
	drop_rig(&r);
}

/* Little overlap says something where the frame lies well; where one has been found that agrees, a frame that lies less well says something too. */
static void views_that_share_little_prove_by_their_number(void **state)
{
	(void)state;
	const struct {
		float overlap, inliers;
		bool first, agreeing, other; /* counts as the first proof, as one that agrees, against one that does not */
	} cases[] = {{0.16f, 0.80f, true, true, true}, {0.14f, 0.95f, false, false, false}, {0.16f, 0.76f, false, true, false}, {0.16f, 0.74f, false, false, false},
		{0.25f, 0.76f, true, true, true}, {NAN, 0.9f, false, false, false}, {0.2f, NAN, false, false, false}};
	const ref_pose place = place_of_island(0, 0), elsewhere = place_of_island(3, 0);
	const enm_k_track one = island_frame_at(1), two = island_frame_at(2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int known = 0; known < 3; known++) {
			rig r = make_rig();
			if (known > 0)
				prove(&r, &one, known == 1 ? &place : &elsewhere);
			const uint32_t joined = prove_by(&r, &two, &place, cases[i].overlap, cases[i].inliers).islands[OURS].joined;
			const bool counts = known == 0 ? cases[i].first : known == 1 ? cases[i].agreeing : cases[i].other;
			assert_int_equal(joined, known == 0 ? counts : known == 1 ? 1 + counts : 1);
			const enm_k_island island = get_recovery(&r).islands[OURS];
			if (known == 2)
				assert_near(island.join_overlap, 0.9 - (counts ? (double)cases[i].overlap : 0.0), 1e-5);
			drop_rig(&r);
		}
	}
	/* nothing is proved where patches differ nearly as much as is refused */
	rig near_refused = make_rig();
	assert_int_equal(prove_at(&near_refused, &one, &place, &(enm_k_candidate){.overlap = 0.4f, .inliers = 0.9f, .patch_mm = 0.0091f}).islands[OURS].joined, 0);
	assert_int_equal(prove_at(&near_refused, &one, &place, &(enm_k_candidate){.overlap = 0.4f, .inliers = 0.9f, .patch_mm = 0.0089f}).islands[OURS].joined, 1);
	assert_int_equal(prove_at(&near_refused, &two, &place, &(enm_k_candidate){.overlap = 0.95f, .inliers = 0.9f, .patch_mm = 0.006f, .least_eigenvalue = 0.0099f})
				 .islands[OURS]
				 .joined,
		1); /* nor on a shape that slides */
	drop_rig(&near_refused);
	/* and by how much they share in all, of places that are nearly refused by a part of that */
	for (int poor = 0; poor < 2; poor++) {
		rig r = make_rig();
		const int enough = poor ? 11 : 6;
		for (int n = 1; n <= enough; n++) {
			const enm_k_track frame = island_frame_at(n);
			const enm_k_recovery recovery = prove_at(&r, &frame, &place, &(enm_k_candidate){.overlap = 0.19f, .inliers = 0.9f, .patch_mm = poor ? 0.0075f : 0.006f});
			assert_int_equal(recovery.islands[OURS].joined, n);
			assert_int_equal(settle(&r, &frame).events != 0, n == enough);
		}
		drop_rig(&r);
	}
}

static void settling_waits_for_a_tracked_frame(void **state)
{
	(void)state;
	rig r = make_rig();
	enm_k_recovery proven = get_recovery(&r);
	const ref_pose place = place_of_island(0, 0);
	proven.islands[OURS].joined = PROOFS;
	proven.islands[OURS].join_overlap = 2.0f;
	proven.islands[OURS].first_from_island = rounded(&place);
	for (uint32_t verdict = ENM_K_VERDICT_TRACKED; verdict <= ENM_K_VERDICT_LOST; verdict++) {
		for (int of_island = 0; of_island < 2; of_island++) {
			for (int open = 0; open < 2; open++) {
				enm_k_track s = island_frame_at(1);
				s.verdict = verdict;
				s.island = of_island ? 2 : 0;
				s.islands_open = open ? 3 : 0;
				set_recovery(&r, &proven);
				const enm_k_track after = settle(&r, &s);
				const enm_k_recovery recovery = get_recovery(&r);
				if (verdict != ENM_K_VERDICT_TRACKED || !open) {
					assert_memory_equal(&after, &s, sizeof(s));
					assert_memory_equal(&recovery, &proven, sizeof(proven));
					continue;
				}
				assert_int_equal(after.events, ENM_K_EVENT_ISLAND_JOINED | (of_island ? ENM_K_EVENT_RECOVERED : 0));
				assert_int_equal(after.joined_from, s.island);
				assert_int_equal(after.islands_open, 2);
				assert_int_equal(recovery.forget, 1u << OURS);
				if (!of_island) /* tracking has come back without it: the pose is the first model's already */
					assert_memory_equal(&after.world_from_camera, &s.world_from_camera, sizeof(s.world_from_camera));
			}
		}
	}
	drop_rig(&r);
}

/* Where one proof has told where an island lies, the next frame searched for is tried there, from either side; from the first model on every such island. */
static void a_proof_tells_where_to_try_the_next(void **state)
{
	(void)state;
	rig r = make_rig();
	const ref_pose place = place_of_island(0, 0), elsewhere = place_of_island(7, 0.4);
	const float tile[4] = {12.0f, 14.0f, 16.0f, 0.0f};
	const uint32_t readings_min = 20;
	const int32_t tile_count = 1;
	gpu_buffer tiles = {0};
	const stage_buffer buffer = {&tiles, "tiles", sizeof(tile)};
	CHECK(stage_create_buffers(&test.budget, &buffer, 1));
	support_write(&tiles, tile, sizeof(tile));
	/* twelve of the first model, four of ours, three of others, and one of an island that is no more */
	enm_k_keyframe keyframes[20];
	const uint32_t islands[8] = {5, 2, 2, 3, 2, 4, 2, 5};
	memset(keyframes, 0, sizeof(keyframes));
	for (int i = 0; i < 8; i++)
		keyframes[2 * i + 1].island = islands[i];
	support_write(&r.keyframes.keyframes, keyframes, sizeof(keyframes));
	for (int island = 0; island < 2; island++) {
		for (uint32_t joined = 0; joined < 2; joined++) {
			enm_k_track frame = island_frame_at(1);
			enm_k_recovery recovery = get_recovery(&r);
			const ref_pose on_island = pose_of(&frame.world_from_camera), on_first = ref_pose_multiply(&place, &on_island);
			frame.island = island == 0 ? 0 : 2;
			frame.world_from_camera = rounded(island == 0 ? &on_first : &on_island);
			frame.valid_readings = 1000;
			frame.frames = 66; /* on either side it is its turn */
			recovery.islands[OURS].joined = recovery.islands[0].joined = joined;
			recovery.islands[OURS].first_from_island = rounded(&place);
			recovery.islands[0].first_from_island = rounded(&elsewhere);
			memset(&recovery.islands[OURS].told, 0, sizeof(recovery.islands[OURS].told));
			set_recovery(&r, &recovery);
			support_write(&r.state, &frame, sizeof(frame));
			const gpu_arg args[] = {GPU_VALUE(readings_min), GPU_VALUE(tile_count), GPU_BUFFER(&tiles), GPU_BUFFER(&r.state),
				GPU_BUFFER(&r.keyframes.keyframes), GPU_BUFFER(&r.keyframes.recovery)};
			CHECK(gpu_launch(test.queue, &r.relocate.k_begin, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, 6));
			const enm_k_recovery after = get_recovery(&r);
			const ref_pose told = pose_of(&after.islands[OURS].told), wanted = island == 0 ? on_island : on_first;
			assert_int_equal(after.joining, 1);
			const uint32_t told_by = joined == 0 ? 0 : island == 0 ? 2 : 1;
			assert_int_equal(after.told, told_by);
			/* all starts from each keyframe on the other side */
			assert_int_equal(after.serve, island == 0 ? 7 : 12);
			assert_int_equal(after.candidates, 18 * after.serve + told_by);
			for (uint32_t i = 0; i < after.serve; i++) {
				const uint32_t of = keyframes[after.serving[i]].island;
				assert_true(after.serving[i] < 20 && (i == 0 || after.serving[i] > after.serving[i - 1]));
				assert_true(island == 0 ? of == 2 || of == 4 || of == 5 : of == 0);
			}
			if (joined == 0) {
				assert_memory_equal(&after.islands, &recovery.islands, sizeof(after.islands));
				continue;
			}
			assert_near(ref_pose_shift(&told, &wanted), 0.0, 2e-3);
			assert_near(ref_pose_angle(&told, &wanted), 0.0, 1e-5);
			const ref_pose other = pose_of(&after.islands[0].told), out = inverse(&elsewhere), there = ref_pose_multiply(&out, &on_first);
			assert_int_equal(after.told_at[told_by - 1], OURS);
			assert_true(island != 0 || (after.told_at[0] == 0 && ref_pose_shift(&other, &there) < 2e-3));
		}
	}
	gpu_buffer_destroy(&tiles);
	drop_rig(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(three_that_agree_join_the_island), KERNEL_TEST(a_proof_tells_where_to_try_the_next), KERNEL_TEST(frames_of_the_first_model_prove_too), KERNEL_TEST(proofs_that_disagree_count_against), KERNEL_TEST(the_same_view_proves_nothing_new),
	KERNEL_TEST(poor_places_prove_nothing), KERNEL_TEST(views_that_share_little_prove_by_their_number), KERNEL_TEST(settling_waits_for_a_tracked_frame))
