/* SPDX-License-Identifier: Apache-2.0
 * The evaluator's landmarks and spheres on shapes whose answers are known. */
#include "marks.h"
#include "shapes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UM 1e-3

static void near(double is, double should, double tolerance)
{
	if (!(fabs(is - should) <= tolerance))
		fail_msg("%.9g is not within %.3g of %.9g", is, tolerance, should);
}

/* The right leg of the arch stands 0.1 mm too far out. */
static void change_right_leg(void *user, double p[3], const double normal[3])
{
	(void)user;
	(void)normal;
	p[0] += p[0] > 15 ? 0.1 : p[0] > 10 ? 0.02 * (p[0] - 10) : 0;
}

static void test_landmarks(void **state)
{
	(void)state;
	surface truth = shape_open(shape_grid(400, 80, shape_arch, NULL, NULL));
	surface recon = shape_open(shape_changed(&truth, change_right_leg, NULL));
	landmark marks[4] = {{.name = "36_mb"}, {.name = "46_mb"}, {.name = "46_db"}, {.name = "far"}};
	shape_arch(NULL, 0.1, 0.5, marks[0].truth);
	shape_arch(NULL, 0.9, 0.5, marks[1].truth);
	shape_arch(NULL, 0.85, 0.5, marks[2].truth);
	marks[3].truth[2] = 100;
	samples s;
	size_t pair[2];
	assert_int_equal(samples_create(&truth, 100000, &s), HOST_OK);
	const rigid none = rigid_identity();
	assert_int_equal(landmarks_find(marks, 4, &s, &recon, &none), HOST_OK);
	assert_true(marks[0].found && marks[1].found && marks[2].found);
	assert_false(marks[3].found);
	assert_true(landmarks_molars(marks, 4, pair));
	assert_int_equal(pair[0], 0);
	assert_int_equal(pair[1], 1);
	near(marks[1].place[0] - marks[1].truth[0], 0.1, 2 * UM);
	const double is = vec_distance(marks[0].place, marks[1].place),
		     should = vec_distance(marks[0].truth, marks[1].truth);
	near(is - should, 0.1, 2 * UM);
	samples_destroy(&s);
	surface_close(&recon);
	surface_close(&truth);
}

static void change_scale(void *user, double p[3], const double normal[3])
{
	(void)normal;
	for (int i = 0; i < 3; i++)
		p[i] *= *(double *)user;
}

static pair_errors compare_spheres(const sphere *spheres, size_t count)
{
	double places[8][3], truth[8][3];
	pair_errors e;
	for (size_t k = 0; k < count; k++) {
		assert_true(spheres[k].found);
		memcpy(places[k], spheres[k].place, sizeof(places[k]));
		memcpy(truth[k], spheres[k].centre, sizeof(truth[k]));
	}
	assert_int_equal(compare_pairs((const double(*)[3])places, (const double(*)[3])truth, count, &e), HOST_OK);
	return e;
}

static void test_spheres(void **state)
{
	(void)state;
	/* Four that stand alone, and two that overlap. */
	static const double centres[6][3] = {
		{0, 0, 0}, {20, 0, 0}, {20, 20, 1}, {0, 20, 2}, {-9, 5, 0}, {-9, 8.5, 0.5}};
	double moved[6][3];
	sphere spheres[6] = {0};
	memcpy(moved, centres, sizeof(moved));
	for (int k = 0; k < 6; k++) {
		memcpy(spheres[k].centre, centres[k], sizeof(centres[k]));
		spheres[k].radius_mm = 2.5;
	}
	const rigid none = rigid_identity();
	moved[1][0] += 0.05;
	surface shifted = shape_open(shape_spheres((const double(*)[3])moved, 6, 2.5));
	assert_int_equal(spheres_fit(spheres, 6, &shifted, &none), HOST_OK);
	pair_errors e = compare_spheres(spheres, 6);
	assert_int_equal(e.error_mm.count, 15);
	near(e.error_mm.max, 0.05, 0.2 * UM);
	near(spheres[1].place[0], 20.05, 0.1 * UM);
	near(spheres[4].place[1], 5, 0.1 * UM);
	near(spheres[5].fitted_radius_mm, 2.5, 0.1 * UM);
	surface_close(&shifted);

	surface plain = shape_open(shape_spheres(centres, 6, 2.5));
	double factor = 1.001;
	surface larger = shape_open(shape_changed(&plain, change_scale, &factor));
	assert_int_equal(spheres_fit(spheres, 6, &larger, &none), HOST_OK);
	e = compare_spheres(spheres, 6);
	near(e.scale, 1.001, 1e-6);
	near(spheres[0].fitted_radius_mm, 2.5025, 0.1 * UM);
	surface_close(&larger);
	surface_close(&plain);
}

/* Moves what is below a cap's rim out of reach. */
static void keep_cap(void *user, double p[3], const double normal[3])
{
	(void)normal;
	if (p[2] < 2.5 * cos(*(double *)user))
		p[2] -= 5.0;
}

/* A small cap tells a radius and a centre only together. */
static void test_small_caps_are_no_spheres(void **state)
{
	(void)state;
	static const double centre[1][3] = {{0, 0, 0}};
	const double degree = 3.14159265358979 / 180.0;
	const struct {
		double rim;
		bool found;
	} caps[] = {{80 * degree, true}, {62 * degree, true}, {50 * degree, false}, {20 * degree, false}};
	const rigid none = rigid_identity();
	surface whole = shape_open(shape_spheres(centre, 1, 2.5));
	for (size_t i = 0; i < sizeof(caps) / sizeof(*caps); i++) {
		sphere one = {.radius_mm = 2.5};
		double rim = caps[i].rim;
		surface cap = shape_open(shape_changed(&whole, keep_cap, &rim));
		assert_int_equal(spheres_fit(&one, 1, &cap, &none), HOST_OK);
		assert_int_equal(one.found, caps[i].found);
		surface_close(&cap);
	}
	surface_close(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_landmarks),
		cmocka_unit_test(test_spheres),
		cmocka_unit_test(test_small_caps_are_no_spheres),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
