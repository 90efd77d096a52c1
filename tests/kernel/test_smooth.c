/* SPDX-License-Identifier: Apache-2.0
 * What the refinement takes of a hand's steadiness (engine/global/refine_smooth.c): turns with less noise where it is steady, none that are worse where it is not.
 * It runs on the host alone. */
#include <math.h>
#include <string.h>

#include "global/refine.h"
#include "support.h"

#define NODES 400u
#define PERIOD_S (1.0 / 30.0)
#define NOISE_RAD 0.35e-3 /* what comparisons leave of a turn */
#define PI 3.14159265358979323846

typedef struct hand {
	double shake_rad, shake_hz; /* it trembles, */
	double from_s;              /* from here on */
	double jitter_s;            /* of frames' moments */
	double kink_rad_s;          /* the turning rate changes by so much at once, in the middle */
	double missing;             /* share of the frames */
} hand;

typedef struct rig {
	refine_run run;
	frame_store store;
	refine_node node[NODES];
	store_frame frame[NODES];
	rigid truth[NODES];
	solve_system system;
} rig;

/* Turns faster and slower over seconds, about all axes. */
static rigid place_of(const hand *h, double t)
{
	const double shake = t >= h->from_s ? h->shake_rad * sin(2.0 * PI * h->shake_hz * t) : 0.0;
	const rigid start = {{0, -1, 0, 1, 0, 0, 0, 0, 1}, {20, -30, 5}};
	const double kinked = h->kink_rad_s * fmax(t - 0.5 * NODES * PERIOD_S, 0.0);
	const double step[6] = {0.3 * sin(0.9 * t) + shake + kinked, 0.4 * cos(1.1 * t), 0.2 * t - 0.9 * shake, 8.0 * t, 3.0 * sin(t), 0.0};
	return rigid_moved(&start, step);
}

/* Poses with noise, which comparisons agree with: nothing else is known of them. */
static rig *rig_open(const hand *h)
{
	rig *r = support_alloc(1, sizeof(*r));
	support_random random = {41};
	r->store.frames = r->frame;
	r->store.count = r->run.node_count = NODES;
	r->run.store = &r->store;
	r->run.node = r->node;
	CHECK(solve_create(NODES, 1, &r->system));
	uint32_t frame = 0;
	for (uint32_t n = 0; n < NODES; n++, frame++) {
		while (random_in(&random, 0, 1) < h->missing)
			frame++;
		const double t = PERIOD_S * frame + h->jitter_s * random_in(&random, -1, 1);
		double off[6] = {0};
		for (int axis = 0; axis < 3; axis++)
			off[axis] = NOISE_RAD * random_normal(&random);
		r->frame[n].time_ns = INT64_C(7000000000) + (int64_t)(1e9 * t);
		r->truth[n] = place_of(h, t);
		r->node[n].frame = n;
		r->node[n].pose = rigid_moved(&r->truth[n], off);
		for (size_t i = 0; i < 6; i++)
			r->system.diagonal[36 * n + 7 * i] = i < 3 ? 1.0 / (NOISE_RAD * NOISE_RAD) : 1e6;
	}
	return r;
}

static void rig_close(rig *r)
{
	solve_destroy(&r->system);
	free(r);
}

/* Solves with what is known of the hand, and moves the poses. */
static uint32_t smooth(rig *r, double information)
{
	double *steps = support_alloc(6 * NODES, sizeof(*steps));
	bool *anchor = support_alloc(NODES, sizeof(*anchor));
	rigid *poses = support_alloc(NODES, sizeof(*poses));
	solve_prior prior = {.information = information};
	solve_answer answer = {.steps = steps};
	for (int i = 0; i < 6; i++)
		prior.weight[7 * i] = 1.0;
	for (uint32_t n = 0; n < NODES; n++)
		poses[n] = r->node[n].pose;
	CHECK(refine_add_smoothness(&r->run, information, &r->system));
	CHECK(solve_run(&r->system, poses, anchor, &prior, &answer));
	for (uint32_t n = 0; n < NODES; n++)
		r->node[n].pose = rigid_moved(&poses[n], steps + 6 * n);
	free(steps);
	free(anchor);
	free(poses);
	return answer.iterations;
}

/* Of the turns from a node on, rms by axis and node. */
static double error_rad(const rig *r, uint32_t from, uint32_t to)
{
	double sum = 0.0;
	for (uint32_t n = from; n < to; n++) {
		double off[6];
		rigid_step_between(&r->truth[n], &r->node[n].pose, off);
		sum += (off[0] * off[0] + off[1] * off[1] + off[2] * off[2]) / 3.0;
	}
	return sqrt(sum / (to - from));
}

static void a_steady_hand_takes_noise_away(void **state)
{
	(void)state;
	const hand steady = {.from_s = INFINITY}, jittered = {.from_s = INFINITY, .jitter_s = 0.004};
	const hand *hands[] = {&steady, &jittered};
	for (int i = 0; i < 2; i++) {
		rig *r = rig_open(hands[i]);
		const double before = error_rad(r, 0, NODES);
		assert_true(smooth(r, 1.0) < 100);
		const double after = error_rad(r, 0, NODES);
		print_message("turns: %.3f mrad before, %.3f after\n", 1e3 * before, 1e3 * after);
		assert_true(after < 0.5 * before);
		rig_close(r);
	}
}

/* Comparisons that say less than their number tells leave more noise. */
static void it_knows_how_much_noise_there_is(void **state)
{
	(void)state;
	const hand steady = {.from_s = INFINITY};
	rig *r = rig_open(&steady);
	for (size_t i = 0; i < 36 * NODES; i++)
		r->system.diagonal[i] /= 0.05;
	const double before = error_rad(r, 0, NODES);
	(void)smooth(r, 0.05);
	assert_true(error_rad(r, 0, NODES) < 0.5 * before);
	rig_close(r);
}

static void a_trembling_hand_is_left_alone(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		const hand trembling = {.shake_rad = (double[]){0.5e-3, 1e-3, 5e-3}[i % 3], .shake_hz = i < 3 ? 9.0 : 5.0};
		rig *r = rig_open(&trembling);
		const double before = error_rad(r, 0, NODES);
		(void)smooth(r, 1.0);
		const double after = error_rad(r, 0, NODES);
		print_message("%.1f mrad at %.0f Hz: %.3f mrad before, %.3f after\n", 1e3 * trembling.shake_rad, trembling.shake_hz, 1e3 * before, 1e3 * after);
		assert_true(after < 1.03 * before);
		rig_close(r);
	}
}

/* Frames that are missing make of a tone what is none. */
static void a_trembling_hand_is_left_alone_where_frames_are_missing(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		const hand trembling = {.shake_rad = i % 2 ? 0.7e-3 : 0.5e-3, .shake_hz = 9.0, .missing = i < 2 ? 0.1 : 0.3};
		rig *r = rig_open(&trembling);
		const double before = error_rad(r, 0, NODES);
		(void)smooth(r, 1.0);
		const double after = error_rad(r, 0, NODES);
		print_message("%.0f %% missing: %.3f mrad before, %.3f after\n", 100 * trembling.missing, 1e3 * before, 1e3 * after);
		assert_true(after < 1.12 * before);
		rig_close(r);
	}
}

/* A jerk by itself does not move the frames about it, and one that goes on is beyond all that is tried. */
static void jerks_tell_nothing(void **state)
{
	(void)state;
	const double kinks_rad_s[] = {0.1, 0.3, 1.0};
	for (int i = 0; i < 3; i++) {
		const hand kinked = {.from_s = (double)INFINITY, .kink_rad_s = kinks_rad_s[i]};
		rig *r = rig_open(&kinked);
		const double before = error_rad(r, NODES / 2 - 2, NODES / 2 + 2);
		(void)smooth(r, 1.0);
		const double after = error_rad(r, NODES / 2 - 2, NODES / 2 + 2);
		print_message("a kink of %.1f rad/s: %.3f mrad before, %.3f after\n", kinks_rad_s[i], 1e3 * before, 1e3 * after);
		assert_true(after < 1.7 * NOISE_RAD);
		rig_close(r);
	}
	const hand steady = {.from_s = (double)INFINITY};
	rig *r = rig_open(&steady);
	support_random random = {3};
	for (uint32_t n = 0; n < NODES; n++) { /* by far more than noise, and not known to be any */
		const double turn[6] = {30 * NOISE_RAD * random_normal(&random), 0, 0, 0, 0, 0};
		r->truth[n] = rigid_moved(&r->truth[n], turn);
		r->node[n].pose = rigid_moved(&r->node[n].pose, turn);
	}
	CHECK(refine_add_smoothness(&r->run, 1.0, &r->system));
	for (uint32_t n = 0; n + 1 < NODES; n++)
		assert_true(r->system.turns[9 * n] == 0.0);
	rig_close(r);
}

static void a_hand_may_be_steady_now_and_tremble_later(void **state)
{
	(void)state;
	const hand both = {.shake_rad = 5e-3, .shake_hz = 9.0, .from_s = 200 * PERIOD_S};
	rig *r = rig_open(&both);
	const double steady = error_rad(r, 0, 160), trembling = error_rad(r, 190, NODES);
	(void)smooth(r, 1.0);
	assert_true(error_rad(r, 0, 160) < 0.5 * steady);
	assert_true(error_rad(r, 190, NODES) < 1.03 * trembling);
	rig_close(r);
}

static bool tied(const rig *r, uint32_t a, uint32_t b)
{
	const double *turns = &r->system.turns[9 * a + 3 * (b - a - 1)];
	return turns[0] != 0.0 || turns[1] != 0.0 || turns[2] != 0.0;
}

/* Over a gap, by a frame that agrees with none, from part to part, and between frames of one moment. */
static void nothing_is_tied_that_does_not_follow(void **state)
{
	(void)state;
	const hand steady = {.from_s = INFINITY};
	rig *r = rig_open(&steady);
	for (uint32_t n = 50; n < NODES; n++)
		r->frame[n].time_ns += 200000000;
	r->node[100].out = true;
	for (uint32_t n = 150; n < NODES; n++)
		r->node[n].part = 150;
	for (uint32_t n = 200; n < NODES; n++)
		r->frame[n].time_ns -= 32333333;
	CHECK(refine_add_smoothness(&r->run, 1.0, &r->system));
	for (uint32_t n = 0; n + 3 < NODES; n++)
		for (uint32_t later = 1; later <= 3; later++) {
			const uint32_t to = n + later;
			const bool over = (n < 50 && to >= 50) || (n <= 100 && to >= 100) || (n < 150 && to >= 150) || (n < 200 && to >= 200);
			if (tied(r, n, to) == over)
				fail_msg("frames %u and %u: %s", n, to, over ? "tied" : "not tied");
		}
	rig_close(r);
}

static void few_nodes_are_no_matter(void **state)
{
	(void)state;
	const hand steady = {.from_s = INFINITY};
	rig *r = rig_open(&steady);
	r->run.node_count = 3;
	CHECK(refine_add_smoothness(&r->run, 1.0, &r->system));
	for (uint32_t n = 0; n < 3; n++)
		assert_false(tied(r, n, n + 1));
	r->run.node_count = 4;
	CHECK(refine_add_smoothness(&r->run, 1.0, &r->system));
	assert_true(tied(r, 0, 3));
	rig_close(r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(a_steady_hand_takes_noise_away), KERNEL_TEST(it_knows_how_much_noise_there_is), KERNEL_TEST(a_trembling_hand_is_left_alone),
	KERNEL_TEST(a_hand_may_be_steady_now_and_tremble_later), KERNEL_TEST(jerks_tell_nothing),
	KERNEL_TEST(a_trembling_hand_is_left_alone_where_frames_are_missing), KERNEL_TEST(nothing_is_tied_that_does_not_follow), KERNEL_TEST(few_nodes_are_no_matter))
