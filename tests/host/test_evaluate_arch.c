/* SPDX-License-Identifier: Apache-2.0
 * The evaluator's figures along an arch and between landmarks, on shapes whose answers are known by hand. */
#include "along.h"
#include "measures.h"
#include "shapes.h"

#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UM 1e-3

enum { SAMPLES = 40000 };

static void near(double is, double should, double tolerance)
{
	if (!(fabs(is - should) <= tolerance))
		fail_msg("%.9g is not within %.3g of %.9g", is, tolerance, should);
}

/* ---- a bar ------------------------------------------------------------------------------------------------------ */

#define BAR_MM 60.0

/* A bar from x = 0 to 60 mm with bumps along its crest, so that no piece of it may slide. */
static void place_bar(void *user, double u, double v, double out[3])
{
	(void)user;
	const double across = 2 * v - 1;
	out[0] = BAR_MM * u;
	out[1] = 5 * across;
	out[2] = 5 * (1 - across * across * across * across) + 0.8 * sin(1.9 * out[0]) * cos(3 * across);
}

/* Bent like a beam that is held at x = 0, its sections staying flat, and stretched evenly: 0.3 mm up and 0.12 mm on at
 * its free end. */
#define RISE_MM 0.3
#define STRETCH_MM 0.12

static double slope_at(double x_mm)
{
	return 2 * RISE_MM * x_mm / (BAR_MM * BAR_MM);
}

static void change_bar(void *user, double p[3], const double normal[3])
{
	(void)user;
	(void)normal;
	const double share = p[0] / BAR_MM; /* before the bend */
	p[0] += STRETCH_MM * share - slope_at(p[0]) * p[2];
	p[2] += RISE_MM * share * share;
}

typedef struct bar_scan {
	surface truth, recon;
	samples s;
	float *signed_mm[2];
	rigid placements[2];
} bar_scan;

/* Laid as its held end says; `fit`: the first placement by best fit instead. */
static void open_bar(bar_scan *b, shape_place place, enm_mesh *recon, bool fit)
{
	const rigid here = rigid_identity();
	alignment a = {.truth_from_recon = here};
	b->truth = shape_open(shape_grid(601, 81, place, NULL, NULL));
	b->recon = shape_open(recon != NULL ? recon : shape_changed(&b->truth, change_bar, NULL));
	assert_int_equal(samples_create(&b->truth, SAMPLES, &b->s), HOST_OK);
	if (fit)
		assert_int_equal(align_best_fit(&b->recon, &b->truth, &here, 1, &a), HOST_OK);
	b->placements[0] = a.truth_from_recon;
	b->placements[1] = here;
	for (int k = 0; k < 2; k++) {
		b->signed_mm[k] = malloc(SAMPLES * sizeof(float));
		assert_non_null(b->signed_mm[k]);
		samples_measure(&b->s, &b->recon, &b->placements[k], b->signed_mm[k]);
	}
}

static void close_bar(bar_scan *b)
{
	surface_close(&b->truth);
	surface_close(&b->recon);
	samples_destroy(&b->s);
	free(b->signed_mm[0]);
	free(b->signed_mm[1]);
}

static void measure_bar(const bar_scan *b, const double *start, arch_error *out)
{
	static const double down[3] = {0, 0, -1};
	const float *signed_mm[2] = {b->signed_mm[0], b->signed_mm[1]};
	const along_def def = {.samples = &b->s,
		.truth = &b->truth,
		.recon = &b->recon,
		.placements = b->placements,
		.signed_mm = signed_mm,
		.placement_count = 2,
		.looking = down,
		.start = start};
	assert_int_equal(along_measure(&def, out), HOST_OK);
}

/* By how much the change moves the surface outward or inward, on average over what lies beyond `from_mm`. */
static double mean_along_normals(const samples *s, double from_mm)
{
	double sum = 0, count = 0;
	for (size_t i = 0; i < s->count; i++) {
		double p[3], d[3];
		if (s->points[i][0] < from_mm)
			continue;
		memcpy(p, s->points[i], sizeof(p));
		change_bar(NULL, p, s->normals[i]);
		vec_sub(p, s->points[i], d);
		sum += fabs(vec_dot(d, s->normals[i]));
		count++;
	}
	return sum / count;
}

static void test_bent_bar(void **state)
{
	(void)state;
	static bar_scan b;
	static arch_error a;
	const double start[3] = {2, 0, 20};
	open_bar(&b, place_bar, NULL, true);
	measure_bar(&b, start, &a);
	assert_null(a.reason);
	near(a.length_mm, BAR_MM, 2);
	assert_true(a.count >= 11 && a.count <= 12 && a.has_start && a.start_mm < 4);
	for (size_t k = 0; k < a.count; k++) {
		const along_piece *p = &a.pieces[k];
		assert_int_equal(p->patch.state, PATCH_PLACED);
		const double x = p->centre[0] / BAR_MM;
		near(p->shift_mm[1][0], STRETCH_MM * x - slope_at(p->centre[0]) * p->centre[2], 3 * UM);
		near(p->shift_mm[1][1], 0, 2 * UM);
		near(p->shift_mm[1][2], RISE_MM * x * x, 3 * UM);
		near(p->turn_rad[1], slope_at(p->centre[0]), 0.3e-3);
		/* Best-fit hides what pinning shows. */
		assert_true(p->distance_mm[0].mean < 0.06);
	}
	const along_piece *first = &a.pieces[0], *last = &a.pieces[a.count - 1];
	near(last->distance_mm[1].mean, mean_along_normals(&b.s, last->from_mm), 5 * UM);
	assert_true(first->distance_mm[1].mean < 0.01);
	size_t worst;
	double shift_mm;
	assert_true(along_worst(&a, 1, &worst, &shift_mm));
	assert_int_equal(worst, a.count - 1);
	assert_true(shift_mm > 0.28);
	/* Between the ends, however the whole is laid: the middles of the outermost pieces. */
	assert_true(a.has_ends);
	const double apart = (last->centre[0] - first->centre[0]) / BAR_MM;
	near(a.ends_true_mm, last->centre[0] - first->centre[0], 0.1);
	const double leant_mm =
		slope_at(last->centre[0]) * last->centre[2] - slope_at(first->centre[0]) * first->centre[2];
	near(a.ends_error_mm, STRETCH_MM * apart - leant_mm, 4 * UM);
	near(a.ends_turn_rad, slope_at(last->centre[0] - first->centre[0]), 0.3e-3);

	/* The same, scanned from the other end: the arch is counted from there, and "along" is the other way. */
	const double other[3] = {BAR_MM, 0, 20};
	static arch_error back;
	measure_bar(&b, other, &back);
	near(vec_distance(back.pieces[0].centre, last->centre), 0, 0.3);
	near(back.pieces[0].shift_mm[1][0], -last->shift_mm[1][0], 3 * UM);
	close_bar(&b);
}

static bool keep_half(void *user, double u, double v)
{
	(void)user;
	(void)v;
	return u < 0.5;
}

/* Pieces that the reconstruction does not have, or that no frame saw, are said to be so. */
static void test_half_a_bar(void **state)
{
	(void)state;
	static bar_scan b;
	static arch_error a;
	const double start[3] = {0, 0, 20};
	open_bar(&b, place_bar, shape_grid(601, 81, place_bar, keep_half, NULL), false);
	for (size_t i = 0; i < b.s.count; i++)
		b.s.seen[i] = b.s.points[i][0] > 10;
	for (int k = 0; k < 2; k++)
		samples_measure(&b.s, &b.recon, &b.placements[k], b.signed_mm[k]);
	measure_bar(&b, start, &a);
	for (size_t k = 0; k < a.count; k++) {
		const along_piece *p = &a.pieces[k];
		const bool unseen = p->to_mm<8, missing = p->from_mm> 32, there = p->from_mm > 12 && p->to_mm < 28;
		if (unseen && !(p->seen == 0 && p->distance_mm[0].count == 0))
			fail_msg("%g to %g mm: %zu seen, %zu distances", p->from_mm, p->to_mm, p->seen,
				p->distance_mm[0].count);
		if (unseen || missing)
			assert_int_equal(p->patch.state, PATCH_NOT_SEEN);
		if (there) {
			assert_int_equal(p->patch.state, PATCH_PLACED);
			near(vec_length(p->shift_mm[1]), 0, 0.1 * UM);
		}
	}
	assert_true(a.has_ends);
	near(a.ends_error_mm, 0, 0.1 * UM);
	close_bar(&b);
}

/* Smooth along its length: a piece in the middle may slide. */
static void place_rail(void *user, double u, double v, double out[3])
{
	place_bar(user, u, v, out);
	const double across = 2 * v - 1;
	out[2] = 5 * (1 - across * across * across * across);
}

static void test_rail_slides(void **state)
{
	(void)state;
	static bar_scan b;
	static arch_error a;
	open_bar(&b, place_rail, shape_grid(601, 81, place_rail, NULL, NULL), false);
	measure_bar(&b, NULL, &a);
	for (size_t k = 0; k < a.count; k++)
		assert_int_equal(a.pieces[k].patch.state, PATCH_SLIDES);
	assert_false(a.has_ends || a.has_start);
	size_t worst;
	double shift_mm;
	assert_false(along_worst(&a, 0, &worst, &shift_mm));
	close_bar(&b);
}

/* Closed bodies do not say which way is up; it is said why there are no figures. */
static void test_no_line(void **state)
{
	(void)state;
	static const double centre[1][3] = {{0, 0, 0}};
	surface ball = shape_open(shape_spheres(centre, 1, 5));
	samples s;
	static arch_error a;
	const rigid here = rigid_identity();
	static float signed_mm[SAMPLES];
	const float *distances[1] = {signed_mm};
	assert_int_equal(samples_create(&ball, SAMPLES, &s), HOST_OK);
	const along_def def = {.samples = &s,
		.truth = &ball,
		.recon = &ball,
		.placements = &here,
		.signed_mm = distances,
		.placement_count = 1};
	assert_int_equal(along_measure(&def, &a), HOST_OK);
	assert_non_null(strstr(a.reason, "closed"));
	assert_int_equal(a.count, 0);
	samples_destroy(&s);
	surface_close(&ball);
}

/* ---- measures --------------------------------------------------------------------------------------------------- */

/* Canines and molars of the arch; the names are those of a lower jaw, whose right side is at x above 0 here. */
static size_t name_arch(landmark out[6])
{
	static const struct {
		const char *name;
		double u;
	} marks[6] = {{"46_mb", 0.93}, {"43_c", 0.62}, {"33_c", 0.38}, {"36_mb", 0.07}, {"34_b", 0.3}, {"44_b", 0.7}};
	memset(out, 0, 6 * sizeof(*out));
	for (int i = 0; i < 6; i++) {
		out[i].name = marks[i].name;
		shape_arch(NULL, marks[i].u, 0.4, out[i].truth);
	}
	return 6;
}

/* The right leg is turned outward and up as a whole, about a hinge at x = 12 mm that gives way over 2 mm. */
static void change_leg(void *user, double p[3], const double normal[3])
{
	(void)user;
	(void)normal;
	const double hinge[3] = {12, 13, 0}, zero[3] = {0, 0, 0};
	const double share = fmin(fmax((p[0] - 12) / 2, 0), 1);
	const double turn[3] = {0.004 * share, -0.015 * share, -0.01 * share};
	const rigid moved = rigid_small(turn, zero, hinge);
	rigid_point(&moved, p, p);
}

static const measure *named(const measure *measures, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(measures[i].name, name) == 0)
			return &measures[i];
	fail_msg("no measure %s", name);
	return NULL;
}

static void find_marks(const surface *truth, const surface *recon, landmark *marks, size_t count)
{
	const rigid here = rigid_identity();
	samples s;
	assert_int_equal(samples_create(truth, 100000, &s), HOST_OK);
	assert_int_equal(landmarks_find(marks, count, &s, recon, &here), HOST_OK);
	samples_destroy(&s);
}

static void test_measures_of_a_bent_arch(void **state)
{
	(void)state;
	static const char *const names[] = {"inter_canine", "inter_molar", "side_right", "side_left", "diagonal_right",
		"diagonal_left", "cross_arch", "twist"};
	surface truth = shape_open(shape_grid(500, 80, shape_arch, NULL, NULL));
	surface recon = shape_open(shape_changed(&truth, change_leg, NULL));
	landmark marks[6], bent[6];
	measure measures[MEASURES_MAX];
	const size_t count = measures_of(marks, name_arch(marks), measures);
	assert_int_equal(count, sizeof(names) / sizeof(names[0]) + 1); /* and the premolars, which lie on the hinge */
	find_marks(&truth, &recon, marks, 6);
	name_arch(bent);
	for (int i = 0; i < 6; i++)
		change_leg(NULL, bent[i].truth, NULL);
	for (size_t i = 0; i + 1 < count; i++) {
		const measure *m = named(measures, count, names[i]);
		double is;
		assert_true(measure_take(m, marks, &is));
		const double should = measure_true(m, bent), change = should - measure_true(m, marks);
		near(is, should, m->kind == MEASURE_DISTANCE ? 4 * UM : 0.2e-3);
		if (strcmp(m->name, "twist") == 0 || strcmp(m->name, "inter_molar") == 0)
			assert_true(fabs(change) > (m->kind == MEASURE_DISTANCE ? 0.08 : 2e-3));
	}
	surface_close(&recon);
	surface_close(&truth);
}

/* By hand: a square of 10 mm, one side of which is tilted by 0.1. */
static void test_angles_by_hand(void **state)
{
	(void)state;
	landmark marks[4] = {{.name = "13_c", .truth = {-5, 0, 0}, .found = true},
		{.name = "23_c", .truth = {5, 0, 0}, .found = true},
		{.name = "17_mb", .truth = {-5, -10, 0}, .found = true},
		{.name = "27_mb", .truth = {5, -10, 0}, .found = true}};
	measure measures[MEASURES_MAX];
	const size_t count = measures_of(marks, 4, measures);
	assert_int_equal(count, 8); /* second molars stand for the first, and are not there twice */
	for (int i = 0; i < 4; i++)
		memcpy(marks[i].place, marks[i].truth, sizeof(marks[i].place));
	marks[2].place[2] = -0.5;
	marks[3].place[2] = 0.5;
	double is;
	near(measure_true(named(measures, count, "cross_arch"), marks), 2 * atan(0.5), 1e-12);
	near(measure_true(named(measures, count, "twist"), marks), 0, 1e-12);
	assert_true(measure_take(named(measures, count, "twist"), marks, &is));
	near(fabs(is), atan(0.1), 1e-12);
	assert_true(measure_take(named(measures, count, "inter_molar"), marks, &is));
	near(is, sqrt(101), 1e-12);
	marks[2].found = false;
	assert_false(measure_take(named(measures, count, "inter_molar"), marks, &is));
	assert_true(measure_take(named(measures, count, "inter_canine"), marks, &is));
	assert_int_equal(measures_of(marks, 1, measures), 0);
}

static bool keep_left(void *user, double u, double v)
{
	(void)user;
	(void)v;
	return u < 0.8;
}

/* What the reconstruction does not cover is not seen; what its shape does not fix slides; neither gets a place. */
static void test_landmarks_without_place(void **state)
{
	(void)state;
	surface truth = shape_open(shape_grid(500, 80, shape_arch, NULL, NULL));
	surface part = shape_open(shape_grid(500, 80, shape_arch, keep_left, NULL));
	landmark marks[6];
	name_arch(marks);
	find_marks(&truth, &part, marks, 6);
	assert_int_equal(marks[0].patch.state, PATCH_NOT_SEEN);
	assert_false(marks[0].found);
	for (int i = 1; i < 6; i++)
		assert_int_equal(marks[i].patch.state, PATCH_PLACED);
	surface_close(&part);
	surface_close(&truth);

	surface plate = shape_open(shape_grid(101, 101, shape_plate, NULL, NULL));
	landmark flat = {.name = "36_mb"};
	find_marks(&plate, &plate, &flat, 1);
	assert_int_equal(flat.patch.state, PATCH_SLIDES);
	assert_false(flat.found);
	surface_close(&plate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bent_bar),
		cmocka_unit_test(test_half_a_bar),
		cmocka_unit_test(test_rail_slides),
		cmocka_unit_test(test_no_line),
		cmocka_unit_test(test_measures_of_a_bent_arch),
		cmocka_unit_test(test_angles_by_hand),
		cmocka_unit_test(test_landmarks_without_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
