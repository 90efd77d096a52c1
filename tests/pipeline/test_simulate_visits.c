/* SPDX-License-Identifier: Apache-2.0
 * Lift-offs and where the wand comes back, other bodies, and what the frames were shown. */
#include "test_simulate.h"

#include "config.h"
#include "rng.h"
#include "timing.h"
#include "views.h"

/* A scan's bodies, path and views, without its frames. */
typedef struct tour {
	sim_config config;
	body home, other;
	caster *home_rays, *other_rays;
	wand_path way;
	foreign_plan foreign;
	timed_frames timed;
	view_list seen;
	frame_scene scene;
} tour;

static double surface_distance(const void *user, v3 from, v3 direction)
{
	caster_hit hit;
	return caster_meets(user, from, direction, 1e3, &hit) ? hit.t : -1;
}

static int scenario_named(const char *name)
{
	for (int i = 0; sim_scenarios[i]; i++)
		if (!strcmp(sim_scenarios[i], name))
			return i;
	fail();
	return 0;
}

static void tour_open(tour *t, const char *scenario, uint64_t seed)
{
	char error[BODY_ERROR_BYTES];
	*t = (tour){.config = config_of_scenario(scenario_named(scenario))};
	sim_config *c = &t->config;
	arch_def arch = {.seed = seed, .toothless = c->toothless, .smooth = c->smooth, .cell_mm = 0.4};
	assert_true(body_from_arch(&arch, &t->home, error));
	t->home_rays = caster_create(&t->home, error);
	assert_non_null(t->home_rays);
	if (c->path.reentry == REENTRY_MIRRORED || c->path.reentry == REENTRY_OTHER_JAW) {
		arch.seed = seed + 1;
		assert_true(c->path.reentry == REENTRY_MIRRORED ? body_mirror(&t->home, &t->other)
								: body_from_arch(&arch, &t->other, error));
		t->other_rays = caster_create(&t->other, error);
		assert_non_null(t->other_rays);
	}
	c->path.seed = seed, c->path.surface_mm = surface_distance, c->path.surface_user = t->home_rays;
	assert_true(path_build(&c->path, &t->home.line, &t->way, error));
	assert_true(timing_make(c, path_duration_s(&t->way), &t->timed));
	t->scene = (frame_scene){.rays = t->home_rays,
		.other_rays = t->other_rays,
		.wrong_visits = path_goes_wrong(c->path.reentry) ? c->path.lift_offs - 1 : 0,
		.way = &t->way,
		.foreign = &t->foreign,
		.errors = &c->errors,
		.width = WIDTH,
		.height = HEIGHT,
		.fx = 240,
		.fy = 240,
		.cx = 159.5,
		.cy = 119.5,
		.stand_off_mm = 13};
	assert_true(views_make(&t->scene, &t->timed, &t->seen));
}

static void tour_close(tour *t)
{
	views_free(&t->seen);
	timing_free(&t->timed);
	path_free(&t->way);
	caster_destroy(t->home_rays);
	caster_destroy(t->other_rays);
	body_free(&t->home);
	body_free(&t->other);
}

/* The views from a re-entry to the next lift-off: the mean share that is known, and how many there are. */
static double known_after(const tour *t, const reentry *r, double until_s, int *out_frames)
{
	double sum = 0;
	*out_frames = 0;
	for (size_t i = 0; i < t->seen.count; i++)
		if (t->timed.frames[i].time_s >= r->back_s && t->timed.frames[i].time_s < until_s) {
			assert_true(t->seen.views[i].in_range >= VIEW_BACK_SHARE);
			sum += t->seen.views[i].known, ++*out_frames;
		}
	return sum / *out_frames;
}

static double next_lift_s(const tour *t, size_t i)
{
	return i + 1 < t->seen.reentry_count ? t->seen.reentries[i + 1].lifted_s : 1e9;
}

static void the_wand_comes_back_to_what_was_scanned(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++) {
		tour t;
		tour_open(&t, "re-entries", seed);
		assert_int_equal(t.seen.reentry_count, t.config.path.lift_offs);
		for (size_t i = 0; i < t.seen.reentry_count; i++) {
			const reentry *r = &t.seen.reentries[i];
			int frames;
			assert_int_equal(r->visit, i + 1);
			assert_true(r->back_s - r->lifted_s > 0.5 && r->back_s - r->lifted_s < 12);
			assert_true(known_after(&t, r, r->back_s + 0.5, &frames) > 0.6);
			known_after(&t, r, next_lift_s(&t, i), &frames);
			assert_true(frames >= 25);
		}
		tour_close(&t);
	}
}

/* While lifted off the wand has nothing in range for a while: it cannot be followed. */
static void nothing_is_in_range_while_lifted_off(void **state)
{
	(void)state;
	tour t;
	tour_open(&t, "re-entries", 3);
	for (size_t i = 0; i < t.seen.reentry_count; i++) {
		const reentry *r = &t.seen.reentries[i];
		double least = 1;
		for (size_t k = 0; k < t.seen.count; k++)
			if (t.timed.frames[k].time_s >= r->lifted_s && t.timed.frames[k].time_s < r->back_s)
				least = fmin(least, t.seen.views[k].in_range);
		assert_true(least == 0);
	}
	tour_close(&t);
}

static void wrong_places_are_none_of_what_was_scanned(void **state)
{
	(void)state;
	static const char *const NAMES[] = {"other-jaw", "mirrored-arch", "opposite-side"};
	for (int n = 0; n < 3; n++) {
		tour t;
		int frames;
		tour_open(&t, NAMES[n], 4);
		assert_int_equal(t.seen.reentry_count, t.config.path.lift_offs);
		for (size_t i = 0; i + 1 < t.seen.reentry_count; i++)
			assert_true(known_after(&t, &t.seen.reentries[i], next_lift_s(&t, i), &frames) < 0.1);
		assert_true(known_after(&t, &t.seen.reentries[t.seen.reentry_count - 1], 1e9, &frames) > 0.6);
		for (size_t i = 0; i < t.seen.count; i++) {
			const frame_view *v = &t.seen.views[i];
			bool away = v->visit >= 1 && v->visit < t.config.path.lift_offs;
			assert_int_equal(v->other, away && t.other_rays != NULL);
		}
		tour_close(&t);
	}
}

static void a_mirrored_body_is_the_other_hand(void **state)
{
	(void)state;
	char error[BODY_ERROR_BYTES];
	arch_def arch = {.seed = 2, .cell_mm = 0.9};
	body b, image;
	assert_true(body_from_arch(&arch, &b, error));
	assert_true(body_mirror(&b, &image));
	caster *there = caster_create(&b, error), *here = caster_create(&image, error);
	size_t met = 0;
	for (uint64_t i = 0; i < 500; i++) {
		double x = rng_between(7, 2 * i, -30, 30), y = rng_between(7, 2 * i + 1, -10, 45);
		caster_hit a, m;
		bool hit = caster_meets(there, v3_make(x, y, 40), v3_make(0, 0, -1), 100, &a);
		assert_int_equal(hit, caster_meets(here, v3_make(-x, y, 40), v3_make(0, 0, -1), 100, &m));
		if (!hit)
			continue;
		met++;
		assert_true(fabs(a.t - m.t) < 1e-4);
		assert_true(fabs(a.smooth.x + m.smooth.x) < 1e-3 && fabs(a.smooth.z - m.smooth.z) < 1e-3);
	}
	assert_true(met > 100);
	for (size_t i = 0; i < image.triangle_count; i++) { /* corners counter-clockwise again, seen from outside */
		const uint32_t *from = b.triangles + 3 * i, *to = image.triangles + 3 * i;
		assert_true(to[0] == from[0] && to[1] == from[2] && to[2] == from[1]);
	}
	caster_destroy(there);
	caster_destroy(here);
	body_free(&b);
	body_free(&image);
}

/* A matrix made of known directions and values gives the least of them back. */
static void the_least_eigenvalue_is_found(void **state)
{
	(void)state;
	double axes[6][6], a[6][6] = {{0}}, found[6];
	for (int i = 0; i < 6; i++) { /* Gram and Schmidt on random rows */
		for (int k = 0; k < 6; k++)
			axes[i][k] = rng_between(5, (uint64_t)(6 * i + k), -1, 1);
		for (int j = 0; j <= i; j++) {
			double dot = 0;
			for (int k = 0; k < 6; k++)
				dot += axes[i][k] * axes[j][k];
			for (int k = 0; k < 6; k++)
				axes[i][k] = j < i ? axes[i][k] - dot * axes[j][k] : axes[i][k] / sqrt(dot);
		}
	}
	for (int i = 0; i < 6; i++)
		for (int r = 0; r < 6; r++)
			for (int c = 0; c < 6; c++)
				a[r][c] += (i == 3 ? 0.002 : 0.1 + i) * axes[i][r] * axes[i][c];
	assert_true(fabs(view_least_eigenvalue(a, found) - 0.002) < 1e-12);
	double along = 0;
	for (int k = 0; k < 6; k++)
		along += found[k] * axes[3][k];
	assert_true(fabs(fabs(along) - 1) < 1e-9);
}

/* A plane seen straight on can be slid along and turned about its normal. */
static void a_plane_leaves_three_directions_free(void **state)
{
	(void)state;
	stage s;
	error_def clean = error_def_clean();
	stage_plane(&s, 0, &clean);
	timed_frame frame = {0, 0};
	timed_frames timed = {.frames = &frame, .count = 1};
	view_list seen;
	assert_true(views_make(&s.scene, &timed, &seen));
	assert_true(seen.views[0].in_range == 1 && seen.views[0].known == 0);
	assert_true(fabs(seen.views[0].eigenvalue) < 1e-9);
	const double *w = seen.views[0].weakest; /* neither tilts the plane nor moves it away */
	assert_true(fabs(w[0]) < 1e-4 && fabs(w[1]) < 1e-4 && fabs(w[5]) < 1e-4);
	views_free(&seen);
	stage_close(&s);
}

/* The smooth ridge leaves a direction open nearly everywhere, teeth leave none. */
static void a_smooth_ridge_is_degenerate(void **state)
{
	(void)state;
	static const char *const NAMES[] = {"smooth-ridge", "none"};
	for (int n = 0; n < 2; n++) {
		tour t;
		tour_open(&t, NAMES[n], 2);
		size_t open = 0, all = 0;
		for (size_t i = 0; i < t.seen.count; i++, all++)
			open += t.seen.views[i].eigenvalue < 1e-3;
		assert_true(n ? open == 0 : open > all * 6 / 10);
		tour_close(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wand_comes_back_to_what_was_scanned),
		cmocka_unit_test(nothing_is_in_range_while_lifted_off),
		cmocka_unit_test(wrong_places_are_none_of_what_was_scanned),
		cmocka_unit_test(a_mirrored_body_is_the_other_hand),
		cmocka_unit_test(the_least_eigenvalue_is_found),
		cmocka_unit_test(a_smooth_ridge_is_degenerate),
		cmocka_unit_test(a_plane_leaves_three_directions_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
