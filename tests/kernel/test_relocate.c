/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pose.h"
#include "global/relocate.h"
#include "reference/relocate.h"

#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4
#define FIND_GATE_LEAST 0.03 /* of relocate.cl, in mean depths */
#define RATE_GATE 0.5 /* likewise */
#define SAME_SHIFT 0.05      /* of recovery.h */
#define SAME_TURN 0.06

static const ref_scene bumps = {REF_BUMPS, 13.0, 0.7, 1.1, 0.9};

/* A model, a keyframe or more of it, and a frame that is lost. */
typedef struct rig {
	enm_session_def def;
	ref_volume volume;
	depth_stage depth; /* of the frame */
	model model;
	track_stage track;
	keyframes_stage keyframes;
	relocate_stage relocate;
	float *filtered, *normals, *kept_filtered, *kept_normals; /* of the frame and of the keyframe made last */
} rig;

static void picture(const rig *r, const ref_scene *scene, const enm_pose *pose, depth_stage *out_depth)
{
	float *raw = support_alloc((size_t)r->def.camera.width * r->def.camera.height, 4);
	ref_scene_render(scene, &r->def.camera, pose, 60.0, raw);
	support_depth(out_depth, &r->def, raw);
	free(raw);
}

static void keep(rig *r, const enm_pose *pose)
{
	depth_stage depth;
	const enm_k_track track = support_state(pose, ENM_K_VERDICT_TRACKED);
	picture(r, &bumps, pose, &depth);
	support_write(&r->track.state, &track, sizeof(track));
	CHECK(keyframes_run(&r->keyframes, test.queue, &depth, &r->track.state));
	support_pixels(&depth, r->kept_filtered, r->kept_normals);
	depth_destroy(&depth);
}

static void lose(rig *r)
{
	enm_k_track track = support_state(&(enm_pose){.t_mm = {-3, 2, 1}, .q_xyzw = {0, 0, 0, 1}}, ENM_K_VERDICT_LOST);
	track.tracked = 30;
	track.frames = 40;
	track.missed = 9;
	track.since_last_s = 0.3f;
	track.valid_readings = r->depth.pixels / 2;
	support_write(&r->track.state, &track, sizeof(track));
}

/* A model of the bumps, a keyframe at `kept`, and a frame of `scene` at `truth`. */
static rig make_rig(const ref_scene *scene, const enm_pose *kept, const enm_pose *truth)
{
	rig r = {.def = support_def(support_size(161, 35), support_size(119, 27))};
	const size_t n = (size_t)r.def.camera.width * r.def.camera.height;
	const double reach = support_size(90, 68) * 0.1, low[3] = {-reach, -reach, 9}, high[3] = {reach, reach, 17};
	ref_volume_create(&r.volume, 8192, VOXEL_MM, TRUNCATION_MM);
	ref_volume_fill(&r.volume, &bumps, low, high, 9, 640);
	support_model_create(&r.model, r.volume.count + 1, 4096, VOXEL_MM, TRUNCATION_MM);
	support_model_load(&r.model, &r.volume);
	CHECK(track_create(&test.budget, &r.def, &r.track));
	CHECK(keyframes_create(&test.budget, &r.def, &r.keyframes));
	CHECK(relocate_create(&test.budget, &r.def, &r.relocate));
	CHECK(keyframes_clear(&r.keyframes, test.queue));
	float **pictures[] = {&r.filtered, &r.kept_filtered, &r.normals, &r.kept_normals};
	for (int i = 0; i < 4; i++)
		*pictures[i] = support_alloc(n, i < 2 ? 4 : 16);
	keep(&r, kept);
	picture(&r, scene, truth, &r.depth);
	support_pixels(&r.depth, r.filtered, r.normals);
	lose(&r);
	return r;
}

static void drop_rig(rig *r)
{
	relocate_destroy(&r->relocate);
	keyframes_destroy(&r->keyframes);
	track_destroy(&r->track);
	model_destroy(&r->model);
	depth_destroy(&r->depth);
	ref_volume_destroy(&r->volume);
	float *pictures[] = {r->filtered, r->normals, r->kept_filtered, r->kept_normals};
	for (int i = 0; i < 4; i++)
		free(pictures[i]);
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
	support_read(&r->track.state, &state, sizeof(state));
	return state;
}

static enm_k_track run(rig *r)
{
	CHECK(relocate_run(&r->relocate, test.queue, &r->depth, &r->model, &r->keyframes, &r->track));
	return get_state(r);
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

static double shift_of_view(const ref_pose *a, const ref_pose *b)
{
	return sqrt(ref_views_apart(a, b, 13.0, 1.0, 1e9));
}

/* ---- finding ---- */

/* From a view 2 mm and 10 degrees off to within the reach of the model's distances. */
static void find_comes_near_and_says_how_well(void **state)
{
	(void)state;
	const enm_pose kept = ref_pose_make(0.02, -0.03, 0.05, 0.1, -0.1, 0.05);
	const enm_pose truth = ref_pose_make(0.10, -0.12, 0.13, 1.2, 0.9, -1.3);
	rig r = make_rig(&bumps, &kept, &truth);
	run(&r);
	enm_k_candidate found, again;
	support_read(&r.relocate.candidates, &found, sizeof(found));
	const ref_pose got = pose_of(&found.world_from_camera), wanted = ref_pose_from(&truth),
		       home = ref_pose_from(&kept);
	if (!test.small) { /* a few pixels do not show the way */
		assert_near(shift_of_view(&got, &wanted), 0.0, 0.2);
		assert_near(ref_pose_angle(&got, &wanted), 0.0, 0.02);
	}
	/* how well it fits, by the reference at the pose that was found; the picks' pass has taken the device's number
	 */
	support_read(&r.relocate.picks, &again, sizeof(again));
	assert_int_equal(again.island, 0);
	ref_pose back = {{0}, {0}}, kept_from_camera;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			back.r[3 * i + j] = home.r[3 * j + i];
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			back.t[i] -= back.r[3 * i + j] * home.t[j];
	kept_from_camera = ref_pose_multiply(&back, &got);
	const ref_frame frame = {&r.def.camera, r.filtered, r.normals, NULL},
			place = {&r.def.camera, r.kept_filtered, r.kept_normals, NULL};
	int unsure;
	const enm_k_recovery recovery = get_recovery(&r);
	const double fits = ref_keyframe_support(&frame, &place, r.relocate.find.stride, r.keyframes.grid.stride,
		&kept_from_camera, FIND_GATE_LEAST * (double)recovery.pivot_mm, &unsure);
	const double samples = (double)(r.def.camera.width / (uint32_t)r.relocate.find.stride) *
			       (r.def.camera.height / (uint32_t)r.relocate.find.stride);
	assert_true(fits > (test.small ? 0.05 : 0.5));
	assert_int_equal(recovery.keyframes, 1);
	/* the pass over the picks has set the candidate's own to 0: ask find alone */
	const gpu_arg args[] = {GPU_VALUE(r.depth.camera), GPU_VALUE(r.keyframes.grid), GPU_VALUE(r.relocate.find),
		GPU_BUFFER(&r.depth.rays), GPU_BUFFER(&r.depth.pixel_map), GPU_BUFFER(&r.keyframes.recovery),
		GPU_BUFFER(&r.keyframes.keyframes), GPU_BUFFER(&r.keyframes.maps), GPU_BUFFER(&r.relocate.candidates)};
	CHECK(gpu_launch(test.queue, &r.relocate.k_find, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, 9));
	support_read(&r.relocate.candidates, &again, sizeof(again));
	assert_memory_equal(&again.world_from_camera, &found.world_from_camera, sizeof(found.world_from_camera));
	assert_near(again.support, fits, (unsure + 1.0) / samples);
	drop_rig(&r);
}

/* Where nothing is seen of the keyframe the starts stay what they are: shifts of the view by 5 and 9 mm (at 14 mm), turns of 30 degrees about its middle. */
static void a_tracked_frame_starts_from_all_sides(void **state)
{
	(void)state;
	enum { ALL = 18 };
	const double near = 0.35, far = 0.63, tilt = asin(0.5);
	const struct {
		double x, y, turn;
	} starts[ALL] = {{0, 0, 0}, {near, 0, 0}, {-near, 0, 0}, {0, near, 0}, {0, -near, 0}, {0, 0, acos(-1.0)}, {far, 0, 0}, {-far, 0, 0}, {0, far, 0}, {0, -far, 0},
		{0, 0, tilt}, {0, 0, tilt}, {0, 0, tilt}, {0, 0, tilt}, {near, near, 0}, {-near, near, 0}, {near, -near, 0}, {-near, -near, 0}};
	const enm_pose kept = ref_pose_make(0.02, -0.03, 0.05, 0.1, -0.1, 0.05);
	rig r = make_rig(&bumps, &kept, &kept);
	const ref_pose home = ref_pose_from(&kept);
	enm_k_recovery recovery = {.keyframes = 1, .wanted = 1, .joining = 1, .at_island = 2, .pivot_mm = 13.0f, .candidates = ALL, .serve = 1};
	enm_k_candidate found[ALL];
	enm_k_keyframe header;
	CHECK(gpu_fill(test.queue, &r.keyframes.maps, 0, 0, r.keyframes.maps.bytes));
	support_read(&r.keyframes.keyframes, &header, sizeof(header));
	support_write(&r.keyframes.recovery, &recovery, sizeof(recovery));
	const gpu_arg args[] = {GPU_VALUE(r.depth.camera), GPU_VALUE(r.keyframes.grid), GPU_VALUE(r.relocate.find),
		GPU_BUFFER(&r.depth.rays), GPU_BUFFER(&r.depth.pixel_map), GPU_BUFFER(&r.keyframes.recovery),
		GPU_BUFFER(&r.keyframes.keyframes), GPU_BUFFER(&r.keyframes.maps), GPU_BUFFER(&r.relocate.candidates)};
	CHECK(gpu_launch(test.queue, &r.relocate.k_find, GPU_RANGE_1D(ALL * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, 9));
	support_read(&r.relocate.candidates, found, sizeof(found));
	for (int i = 0; i < ALL; i++) {
		const ref_pose got = pose_of(&found[i].world_from_camera);
		double middle[3], wanted[3];
		ref_pose_apply(&got, (double[3]){0, 0, 13}, middle);
		ref_pose_apply(&home, (double[3]){13 * starts[i].x, 13 * starts[i].y, (double)header.pivot_mm}, wanted);
		for (int a = 0; a < 3; a++)
			assert_near(middle[a], wanted[a], 1e-4);
		assert_near(ref_pose_angle(&got, &home), starts[i].turn, 1e-3);
		for (int k = 10; k < i && i < 14; k++) { /* each to another side */
			const ref_pose before = pose_of(&found[k].world_from_camera);
			assert_true(ref_pose_angle(&got, &before) > 0.5);
		}
		assert_true(found[i].support == 0.0f);
	}
	drop_rig(&r);
}

static enm_k_candidate random_candidate(support_random *random, uint32_t island)
{
	/* few places, each of them found by several */
	const double place = floor(random_in(random, 0, 12)), near = 0.6;
	const enm_pose pose = ref_pose_make(0.3 * place + random_in(random, -near, near) * 0.06,
		random_in(random, -near, near) * 0.06, 0, 2.0 * place + random_in(random, -near, near),
		random_in(random, -near, near), random_in(random, -near, near));
	enm_k_candidate c = {.world_from_camera = pose_to_device(&pose), .island = island};
	/* coarse steps, so that some are equal; and some have none */
	c.support = (float)floor(random_in(random, 0, 8)) / 8.0f;
	return c;
}

static void picks_are_the_best_that_are_different(void **state)
{
	(void)state;
	enum { MOST = 200 };
	const enm_pose pose = enm_pose_identity();
	rig r = make_rig(&bumps, &pose, &pose);
	support_random random = {11};
	const int counts[] = {1, 5, 63, 64, 65, MOST};
	for (uint32_t n = 0; n < support_size(6, 2); n++) {
		enm_k_candidate candidates[MOST], picks[ENM_K_PICKS];
		ref_pose places[MOST];
		float fits[MOST];
		int wanted[ENM_K_PICKS];
		for (int i = 0; i < counts[n]; i++) {
			candidates[i] = random_candidate(&random, (uint32_t)i);
			places[i] = pose_of(&candidates[i].world_from_camera);
			fits[i] = candidates[i].support;
		}
		const enm_k_recovery recovery = {.candidates = (uint32_t)counts[n], .wanted = 1, .pivot_mm = 13.0f};
		const int count =
			ref_pick(places, fits, counts[n], 13.0, SAME_SHIFT * 13.0, SAME_TURN, ENM_K_PICKS, wanted);
		support_write(&r.keyframes.recovery, &recovery, sizeof(recovery));
		support_write(&r.relocate.candidates, candidates, (size_t)counts[n] * sizeof(*candidates));
		const gpu_arg args[] = {GPU_BUFFER(&r.keyframes.recovery), GPU_BUFFER(&r.relocate.candidates),
			GPU_BUFFER(&r.relocate.picks)};
		CHECK(gpu_launch(
			test.queue, &r.relocate.k_pick, GPU_RANGE_1D(ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, 3));
		support_read(&r.relocate.picks, picks, sizeof(picks));
		for (int i = 0; i < ENM_K_PICKS; i++) {
			if (i < count)
				assert_memory_equal(&picks[i], &candidates[wanted[i]], sizeof(picks[i]));
			else
				assert_true(picks[i].support == 0.0f && picks[i].overlap == 0.0f && picks[i].inliers == 0.0f);
		}
	}
	drop_rig(&r);
}

/* ---- rating ---- */

/* Candidates at places right and wrong, as place_rate leaves them. */
static void rate(rig *r, const enm_pose *places, uint32_t count, enm_k_candidate *out_rated)
{
	const enm_k_recovery recovery = {.keyframes = 1, .wanted = 1, .pivot_mm = 13.0f, .candidates = count};
	for (uint32_t i = 0; i < count; i++)
		out_rated[i] = (enm_k_candidate){.world_from_camera = pose_to_device(&places[i]), .support = 0.1f};
	support_write(&r->keyframes.recovery, &recovery, sizeof(recovery));
	support_write(&r->relocate.candidates, out_rated, count * sizeof(*out_rated));
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(r->model.volume), GPU_VALUE(r->relocate.find),
		GPU_BUFFER(&r->depth.rays), GPU_BUFFER(&r->depth.pixel_map), GPU_BUFFER(&r->model.table),
		GPU_BUFFER(&r->model.voxels), GPU_BUFFER(&r->keyframes.recovery), GPU_BUFFER(&r->relocate.candidates)};
	CHECK(gpu_launch(test.queue, &r->relocate.k_rate,
		GPU_RANGE_1D((size_t)count * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, 9));
	support_read(&r->relocate.candidates, out_rated, count * sizeof(*out_rated));
}

static void places_are_rated_like_the_reference(void **state)
{
	(void)state;
	const enm_pose truth = ref_pose_make(0.05, -0.08, 0.1, 0.2, -0.1, 0.1);
	const enm_pose places[] = {truth, ref_pose_make(0.05, -0.08, 0.1, 0.2, -0.1, -0.05),
		ref_pose_make(0.07, -0.06, 0.12, 0.9, 0.6, 0.1), ref_pose_make(0.05, -0.08, 0.1, 0.2, -0.1, -2.0),
		ref_pose_make(0.05, -0.08, 0.1, 40, 0, 0)};
	enum { COUNT = 5 };
	enm_k_candidate rated[COUNT];
	rig r = make_rig(&bumps, &truth, &truth);
	rate(&r, places, COUNT, rated);
	const ref_frame frame = {&r.def.camera, r.filtered, r.normals, NULL};
	const ref_alignment how = {.stride = r.relocate.find.stride, .gate_mm = RATE_GATE * TRUNCATION_MM, .pivot_mm = 13.0};
	for (int i = 0; i < COUNT; i++) {
		const ref_pose pose = ref_pose_from(&places[i]);
		ref_sums sums;
		ref_track_sums(&frame, &r.volume, &how, &pose, &sums);
		const double quality = sums.s[ENM_K_SUM_QUALITY], offered = sums.s[ENM_K_SUM_OFFERED];
		const double agree = quality > 0.0 ? sums.s[ENM_K_SUM_MODEL] * sums.s[ENM_K_SUM_WEIGHT] / quality : 0.0;
		assert_near(rated[i].support, fmax(agree - sums.s[ENM_K_SUM_FREE], 0.0) / offered,
			(2.0 * sums.unsure + 2.0) / offered + 2e-3);
	}
	assert_true(rated[0].support > 0.9f && rated[0].support > rated[2].support + 0.1f);
	assert_true(rated[3].support == 0.0f); /* in front of the surface, where nothing is */
	assert_true(rated[4].support == 0.0f); /* where nobody has been */
	drop_rig(&r);
}

/* ---- placing ---- */

static void refine(rig *r, const enm_pose *from, enm_k_candidate *out_pick)
{
	enm_k_candidate picks[ENM_K_PICKS];
	const enm_k_recovery recovery = {.keyframes = 1, .wanted = 1, .pivot_mm = 13.0f};
	memset(picks, 0, sizeof(picks));
	picks[3].world_from_camera = pose_to_device(from);
	picks[3].support = 0.5f;
	support_write(&r->keyframes.recovery, &recovery, sizeof(recovery));
	support_write(&r->relocate.picks, picks, sizeof(picks));
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(r->model.volume), GPU_VALUE(r->relocate.refine),
		GPU_VALUE(r->relocate.judge), GPU_BUFFER(&r->depth.rays), GPU_BUFFER(&r->depth.pixel_map),
		GPU_BUFFER(&r->model.table), GPU_BUFFER(&r->model.voxels), GPU_BUFFER(&r->keyframes.recovery),
		GPU_BUFFER(&r->relocate.picks)};
	CHECK(gpu_launch(test.queue, &r->relocate.k_refine,
		GPU_RANGE_1D(ENM_K_PICKS * ENM_K_TRACK_GROUP, ENM_K_TRACK_GROUP), args, 10));
	support_read(&r->relocate.picks, picks, sizeof(picks));
	*out_pick = picks[3];
	assert_true(picks[0].support == 0.0f); /* no place, no work */
}

static void assert_measured(const rig *r, const enm_k_candidate *pick)
{
	const ref_frame frame = {&r->def.camera, r->filtered, r->normals, NULL};
	const ref_alignment how = {.stride = r->relocate.judge.stride, .gate_mm = 0.8 * VOXEL_MM, .pivot_mm = 13.0};
	const ref_pose pose = pose_of(&pick->world_from_camera);
	ref_sums sums;
	ref_track_sums(&frame, &r->volume, &how, &pose, &sums);
	const double offered = sums.s[ENM_K_SUM_OFFERED], slack = (sums.unsure + 2.0) / offered;
	const double inliers = sums.s[ENM_K_SUM_WEIGHT] / sums.s[ENM_K_SUM_QUALITY];
	const double overlap = sums.s[ENM_K_SUM_MODEL] / offered;
	assert_near(pick->overlap, overlap, slack);
	assert_near(pick->free_share, sums.s[ENM_K_SUM_FREE] / offered, slack);
	assert_near(pick->inliers, inliers, slack + 2e-3);
	assert_near(pick->support, overlap * fmax(2.0 * inliers - 1.0, 0.0), 4 * slack + 4e-3); /* for it, less against it */
	assert_near(pick->rms_mm, sqrt(sums.s[ENM_K_SUM_COST] / sums.s[ENM_K_SUM_WEIGHT]), 1e-3);
	assert_near(pick->patch_mm, ref_patch_rms(&frame, &r->volume, &how, &pose, 16), 1e-3);
}

static void refine_comes_home_and_measures_like_the_reference(void **state)
{
	(void)state;
	const enm_pose truth = ref_pose_make(0.05, -0.08, 0.1, 0.2, -0.1, 0.1);
	const enm_pose off = ref_pose_make(0.06, -0.07, 0.108, 0.35, -0.22, 0.2);
	const ref_pose wanted = ref_pose_from(&truth);
	rig r = make_rig(&bumps, &truth, &truth);
	enm_k_candidate pick, again;
	refine(&r, &off, &pick);
	refine(&r, &off, &again);
	assert_memory_equal(&pick, &again, sizeof(pick));
	const ref_pose got = pose_of(&pick.world_from_camera);
	assert_near(shift_of_view(&got, &wanted), 0.0, test.small ? 0.08 : 0.03);
	assert_near(ref_pose_angle(&got, &wanted), 0.0, test.small ? 8e-3 : 3e-3);
	assert_true(pick.inliers > 0.9f && pick.patch_mm < 0.01f && pick.step < 0.1f);
	assert_measured(&r, &pick);
	drop_rig(&r);
}

/* Much alike and yet another: the mean residual of patches tells. */
static void another_shape_shows_in_its_patches(void **state)
{
	(void)state;
	const enm_pose truth = ref_pose_make(0.05, -0.08, 0.1, 0.2, -0.1, 0.1);
	const ref_scene alike = {REF_BUMPS, 13.0, 0.76, 1.1, 0.9};
	rig r = make_rig(&alike, &truth, &truth);
	enm_k_candidate pick;
	refine(&r, &truth, &pick);
	assert_measured(&r, &pick);
	assert_true(pick.overlap > 0.8f && pick.patch_mm > 0.012f);
	drop_rig(&r);
}

/* ---- the verdict ---- */

static void set_pick(enm_k_candidate *pick, double x_mm, double fits)
{
	const enm_pose pose = ref_pose_make(0.1, 0.2, 0.3, x_mm, 5, 6);
	*pick = (enm_k_candidate){.world_from_camera = pose_to_device(&pose),
		.support = (float)fits,
		.overlap = 0.9f,
		.inliers = 0.9f,
		.free_share = 0.002f,
		.rms_mm = 0.015f,
		.least_eigenvalue = 0.03f,
		.step = 0.01f,
		.patch_mm = 0.006f};
}

/* As the search of the frame in hand goes on from those before. */
static enm_k_track judge_next(rig *r, const enm_k_candidate picks[ENM_K_PICKS])
{
	const float voxel_mm = (float)VOXEL_MM, sigma_per_mm2 = 1e-4f;
	support_write(&r->relocate.picks, picks, ENM_K_PICKS * sizeof(*picks));
	const gpu_arg args[] = {GPU_VALUE(voxel_mm), GPU_VALUE(sigma_per_mm2), GPU_BUFFER(&r->relocate.picks),
		GPU_BUFFER(&r->track.state), GPU_BUFFER(&r->keyframes.recovery)};
	CHECK(gpu_launch(test.queue, &r->relocate.k_judge, GPU_RANGE_1D(1, 1), args, 5));
	return get_state(r);
}

static void begin_search(rig *r)
{
	const enm_k_recovery recovery = {.keyframes = 1, .wanted = 1, .pivot_mm = 13.0f};
	support_write(&r->keyframes.recovery, &recovery, sizeof(recovery));
}

static enm_k_track judge(rig *r, const enm_k_candidate picks[ENM_K_PICKS])
{
	lose(r);
	begin_search(r);
	return judge_next(r, picks);
}

static bool taken(rig *r, const enm_k_candidate picks[ENM_K_PICKS])
{
	const enm_k_track before = (lose(r), get_state(r)), after = judge(r, picks);
	if (after.verdict == ENM_K_VERDICT_LOST) { /* nothing has changed */
		assert_memory_equal(&before, &after, sizeof(after));
		return false;
	}
	assert_int_equal(after.verdict, ENM_K_VERDICT_WEAK);
	assert_int_equal(after.reason, ENM_K_REASON_RECOVERING);
	assert_int_equal(after.probation, 1);
	return true;
}

static void each_bound_refuses(void **state)
{
	(void)state;
	const enm_pose pose = enm_pose_identity();
	rig r = make_rig(&bumps, &pose, &pose);
	enm_k_candidate good[ENM_K_PICKS] = {0}, bad[ENM_K_PICKS];
	set_pick(&good[2], 4.0, 0.8);
	set_pick(&good[5], 9.0, 0.3);
	assert_true(taken(&r, good));
	const enm_k_track state_taken = judge(&r, good);
	assert_memory_equal(&state_taken.last, &good[2].world_from_camera, sizeof(good[2].world_from_camera));
	assert_memory_equal(
		&state_taken.world_from_camera, &good[2].world_from_camera, sizeof(good[2].world_from_camera));
	assert_true(state_taken.since_last_s == 0.0f && state_taken.velocity[3] == 0.0f);
	float *fields[] = {&bad[2].overlap, &bad[2].inliers, &bad[2].free_share, &bad[2].least_eigenvalue, &bad[2].step,
		&bad[2].patch_mm};
	const float values[] = {0.2f, 0.5f, 0.04f, 0.001f, 0.5f, 0.02f};
	for (int i = 0; i < 6; i++) {
		for (int k = 0; k < 2; k++) { /* and what is no number agrees with nothing */
			memcpy(bad, good, sizeof(bad));
			*fields[i] = k == 0 ? values[i] : NAN;
			assert_false(taken(&r, bad));
		}
	}
	/* another place that fits nearly as well; the same place again is none */
	memcpy(bad, good, sizeof(bad));
	set_pick(&bad[5], 9.0, 0.6);
	assert_false(taken(&r, bad));
	set_pick(&bad[5], 4.3, 0.6);
	assert_true(taken(&r, bad));
	/* nor may more of the frame agree elsewhere, whatever speaks against that place */
	memcpy(bad, good, sizeof(bad));
	bad[5].support = 0.0f;
	bad[5].overlap = 1.0f;
	bad[5].inliers = 0.5f;
	bad[2].overlap = 0.5f;
	assert_false(taken(&r, bad));
	bad[5].inliers = 0.4f;
	assert_true(taken(&r, bad));
	/* the frame may lie on two models in its right place, but only where it lies well on both */
	memcpy(bad, good, sizeof(bad));
	set_pick(&bad[5], 9.0, 0.6);
	bad[5].island = 3;
	assert_true(taken(&r, bad));
	bad[5].inliers = 0.77f;
	assert_false(taken(&r, bad));
	set_pick(&bad[5], 9.0, 0.6);
	bad[5].island = 3;
	bad[2].free_share = 0.01f;
	assert_false(taken(&r, bad));
	/* nothing found: what the picks of an earlier frame hold is none of this one's */
	memcpy(bad, good, sizeof(bad));
	bad[2].support = bad[5].support = 0.0f;
	assert_false(taken(&r, bad));
	memset(bad, 0, sizeof(bad));
	assert_false(taken(&r, bad));
	drop_rig(&r);
}

/* A lost frame that comes `frames` after the one that lose() makes, found at `x_mm` where it overlaps by `overlap`. */
static enm_k_track judge_little(rig *r, uint32_t frames, double x_mm, double overlap)
{
	enm_k_candidate picks[ENM_K_PICKS] = {0};
	lose(r);
	enm_k_track track = get_state(r);
	track.frames += frames;
	track.period_s = 0.03f;
	support_write(&r->track.state, &track, sizeof(track));
	set_pick(&picks[3], x_mm, 0.8 * overlap);
	picks[3].overlap = (float)overlap;
	return judge_next(r, picks);
}

static bool little_is_taken(rig *r, uint32_t frames, double x_mm, double overlap)
{
	const enm_k_track t = judge_little(r, frames, x_mm, overlap);
	assert_true(t.verdict == ENM_K_VERDICT_LOST || (t.verdict == ENM_K_VERDICT_WEAK && t.reason == ENM_K_REASON_RECOVERING));
	return t.verdict == ENM_K_VERDICT_WEAK;
}

/* Views that see little of what is there are believed where frames in a row say the same. */
static void little_overlap_takes_frames_in_a_row(void **state)
{
	(void)state;
	const enm_pose pose = enm_pose_identity();
	rig r = make_rig(&bumps, &pose, &pose);
	begin_search(&r);
	assert_false(little_is_taken(&r, 0, 4.0, 0.31));
	assert_false(little_is_taken(&r, 1, 4.3, 0.31));
	const enm_k_track taken_up = judge_little(&r, 2, 4.6, 0.31);
	assert_int_equal(taken_up.verdict, ENM_K_VERDICT_WEAK);
	assert_int_equal(taken_up.probation, 1); /* the trial only begins */
	assert_true(taken_up.found_overlap == 0.31f);
	const float *v = taken_up.velocity + 3; /* 0.3 mm in 0.03 s */
	assert_near(sqrt((double)(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])), 10.0, 1e-3);
	begin_search(&r);
	assert_false(little_is_taken(&r, 0, 4.0, 0.34));
	begin_search(&r);
	assert_true(little_is_taken(&r, 0, 4.0, 0.36));
	/* the less each sees, the more are asked; too little says nothing, however often */
	begin_search(&r);
	for (uint32_t i = 0; i < 3; i++)
		assert_false(little_is_taken(&r, i, 4.0, 0.25));
	assert_true(little_is_taken(&r, 3, 4.0, 0.25));
	begin_search(&r);
	for (uint32_t i = 0; i < 9; i++)
		assert_false(little_is_taken(&r, i, 4.0, 0.23));
	/* a frame that was not found, or elsewhere, begins it anew */
	begin_search(&r);
	assert_false(little_is_taken(&r, 0, 4.0, 0.31));
	assert_false(little_is_taken(&r, 1, 4.0, 0.31));
	assert_false(little_is_taken(&r, 3, 4.0, 0.31));
	assert_false(little_is_taken(&r, 4, 4.0, 0.31));
	assert_false(little_is_taken(&r, 5, 9.0, 0.31));
	drop_rig(&r);
}

/* Where the tracker never agrees, the place is none: else no island would begin. */
static void places_found_in_vain_are_given_up(void **state)
{
	(void)state;
	const enm_pose pose = enm_pose_identity();
	rig r = make_rig(&bumps, &pose, &pose);
	begin_search(&r);
	for (uint32_t i = 0; i < 12; i++)
		assert_true(little_is_taken(&r, i, 4.0, 0.5));
	assert_false(little_is_taken(&r, 12, 4.0, 0.5));
	assert_true(little_is_taken(&r, 20, 4.0, 0.5));
	drop_rig(&r);
}

/* ---- the whole search ---- */

static void lost_frame_is_put_where_it_belongs(void **state)
{
	(void)state;
	if (test.small)
		skip(); /* a few pixels fit anywhere */
	const enm_pose kept = ref_pose_make(0.02, -0.03, 0.05, 0.1, -0.1, 0.05);
	const enm_pose truth = ref_pose_make(0.08, -0.1, 0.12, 1.0, 0.8, -1.0), aside = ref_pose_make(0, 0, 0, 4, 3, 0);
	const ref_pose wanted = ref_pose_from(&truth);
	rig r = make_rig(&bumps, &kept, &truth);
	keep(&r, &aside);
	lose(&r);
	const enm_k_track first = run(&r);
	lose(&r);
	enm_k_recovery forgotten = get_recovery(&r);
	assert_int_equal(forgotten.agreed, 1);
	forgotten.agreed = forgotten.searches = 0;
	support_write(&r.keyframes.recovery, &forgotten, sizeof(forgotten));
	const enm_k_track second = run(&r);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_int_equal(first.verdict, ENM_K_VERDICT_WEAK);
	assert_int_equal(first.reason, ENM_K_REASON_RECOVERING);
	const ref_pose got = pose_of(&first.last);
	assert_near(shift_of_view(&got, &wanted), 0.0, 0.03);
	assert_near(ref_pose_angle(&got, &wanted), 0.0, 3e-3);
	/* the next frame, which the tracker could not follow, is found near by: they agree, and tell how fast it is */
	enm_k_track next = first;
	next.verdict = ENM_K_VERDICT_LOST;
	next.probation = 0;
	next.frames++;
	next.since_last_s = 0.04f;
	support_write(&r.track.state, &next, sizeof(next));
	assert_int_equal(run(&r).probation, 2);
	drop_rig(&r);
}

static void others_pass_untouched(void **state)
{
	(void)state;
	const enm_pose pose = enm_pose_identity();
	rig r = make_rig(&bumps, &pose, &pose);
	for (int i = 0; i < 7; i++) {
		lose(&r);
		enm_k_track track = get_state(&r);
		if (i == 0)
			track.verdict = ENM_K_VERDICT_TRACKED;
		if (i == 1)
			track.probation = 2;
		if (i == 2)
			track.valid_readings = r.relocate.readings_min - 1;
		if (i == 3)
			track.tracked = 0;
		if (i == 4 || i == 5) {
			track.verdict = ENM_K_VERDICT_WEAK;
			track.reason = i == 4 ? ENM_K_REASON_DEGENERATE : ENM_K_REASON_FEW_READINGS;
		}
		if (i == 6)
			CHECK(keyframes_clear(&r.keyframes, test.queue));
		support_write(&r.track.state, &track, sizeof(track));
		const enm_k_track after = run(&r);
		assert_memory_equal(&after, &track, sizeof(after));
		assert_int_equal(get_recovery(&r).searches, 0);
	}
	drop_rig(&r);
}

/* Too few readings to be sure of a pose are no doubt about where it is, unless frames were lost before. */
static void weak_frames_are_searched_for_where_in_doubt(void **state)
{
	(void)state;
	const enm_pose pose = enm_pose_identity();
	rig r = make_rig(&bumps, &pose, &pose);
	const struct {
		uint32_t reason, lost;
	} doubtful[] = {{ENM_K_REASON_FEW_READINGS, 1}, {ENM_K_REASON_FEW_INLIERS, 0}, {ENM_K_REASON_DIVERGED, 0}};
	for (uint32_t i = 0; i < 3; i++) {
		lose(&r);
		enm_k_track track = get_state(&r);
		track.verdict = ENM_K_VERDICT_WEAK;
		track.reason = doubtful[i].reason;
		track.lost = doubtful[i].lost;
		support_write(&r.track.state, &track, sizeof(track));
		run(&r);
		assert_int_equal(get_recovery(&r).searches, i + 1);
	}
	drop_rig(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(find_comes_near_and_says_how_well), KERNEL_TEST(a_tracked_frame_starts_from_all_sides), KERNEL_TEST(picks_are_the_best_that_are_different),
	KERNEL_TEST(places_are_rated_like_the_reference),
	KERNEL_TEST(refine_comes_home_and_measures_like_the_reference), KERNEL_TEST(another_shape_shows_in_its_patches),
	KERNEL_TEST(each_bound_refuses), KERNEL_TEST(little_overlap_takes_frames_in_a_row), KERNEL_TEST(places_found_in_vain_are_given_up), KERNEL_TEST(lost_frame_is_put_where_it_belongs),
	KERNEL_TEST(others_pass_untouched), KERNEL_TEST(weak_frames_are_searched_for_where_in_doubt))
