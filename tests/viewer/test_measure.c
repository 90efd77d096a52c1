/* SPDX-License-Identifier: Apache-2.0
 * The arithmetic of measuring, on bodies with known answers; uncertainties against thousands of noisy repetitions. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "cut.h"
#include "measure.h"
#include "vector.h"

#define REPEATS 20000
#define RADIUS 10.0

static unsigned seed;

static double uniform(void)
{
	seed = seed * 1664525u + 1013904223u;
	return ((double)(seed >> 8) + 0.5) / 16777216.0;
}

static double gauss(void)
{
	return sqrt(-2.0 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static mark_point some_point(double sigma_um)
{
	mark_point p = {.sigma_um = sigma_um};
	do
		for (int k = 0; k < 3; k++)
			p.normal[k] = 2.0 * uniform() - 1.0;
	while (!vector_normalize(p.normal));
	for (int k = 0; k < 3; k++)
		p.position_mm[k] = 20.0 * uniform();
	return p;
}

static mark_point moved(const mark_point *p)
{
	mark_point out = *p;
	vector_combine(1.0, p->position_mm, 1e-3 * p->sigma_um * gauss(), p->normal, out.position_mm);
	return out;
}

static measure_figure figure_of(int what, const mark_point p[4])
{
	return what == 0 ? measure_distance(&p[0], &p[1]) : what == 1 ? measure_angle(&p[0], &p[1], &p[2]) : measure_length(p, 4);
}

static void uncertainty_is_that_of_repetitions(void **state)
{
	(void)state;
	seed = 7;
	for (int what = 0; what < 3; what++) {
		mark_point p[4], noisy[4];
		for (int i = 0; i < 4; i++)
			p[i] = some_point(5.0 + 10.0 * i);
		measure_figure truth = figure_of(what, p);
		double sum2 = 0.0;
		for (int r = 0; r < REPEATS; r++) {
			for (int i = 0; i < 4; i++)
				noisy[i] = moved(&p[i]);
			double off = figure_of(what, noisy).value - truth.value;
			sum2 += off * off;
		}
		assert_true(truth.sigma > 0.0);
		assert_true(fabs(sqrt(sum2 / REPEATS) / truth.sigma - 1.0) < 0.03);
		p[1].sigma_um = (double)NAN;
		assert_true(isnan(figure_of(what, p).sigma));
	}
}

static void figures_of_known_points(void **state)
{
	(void)state;
	const mark_point a = {.position_mm = {3, 0, 0}, .normal = {1, 0, 0}, .sigma_um = 10}, o = {.normal = {0, 0, 1}, .sigma_um = 10};
	const mark_point b = {.position_mm = {0, 4, 0}, .normal = {0, 1, 0}, .sigma_um = 10};
	measure_figure f = measure_distance(&a, &b);
	assert_true(fabs(f.value - 5.0) < 1e-12 && fabs(f.sigma - 0.01) < 1e-12); /* 0.6 and 0.8 of 10 um */
	f = measure_angle(&a, &o, &b);
	assert_true(fabs(f.value - 1.5707963267948966) < 1e-12 && f.sigma < 1e-12); /* all noise is along the arms or across their plane */
	assert_true(measure_angle(&a, &a, &b).value == 0.0);
	const mark_point opposite = {.position_mm = {-1, 0, 0}, .normal = {0, 0, 1}, .sigma_um = 10};
	f = measure_angle(&a, &o, &opposite);
	assert_true(fabs(f.value - 3.141592653589793) < 1e-12 && isfinite(f.sigma));
	assert_true(measure_length(&a, 1).value == 0.0);
}

static void nearest_place_of_a_ball(void **state)
{
	(void)state;
	const double centre[3] = {1, 2, 3};
	enm_mesh *ball = body_ball(centre, RADIUS, 90, 8.0f);
	enm_mesh_data mesh;
	assert_int_equal(enm_mesh_get(ball, &mesh), ENM_OK);
	seed = 3;
	for (int i = 0; i < 40; i++) {
		mark_point from = some_point(0.0), at;
		vector_combine(1.0, centre, RADIUS * (0.3 + 1.4 * uniform()), from.normal, from.position_mm);
		assert_true(measure_nearest(&mesh, from.position_mm, &at));
		double off[3];
		vector_combine(1.0, from.position_mm, -1.0, centre, off);
		double wanted = fabs(sqrt(vector_dot(off, off)) - RADIUS);
		assert_true(fabs(measure_distance(&from, &at).value - wanted) < 0.004); /* a facet's depth is 1.5 um, seen obliquely */
		assert_true(fabs(at.sigma_um - 8.0) < 1e-4);
		assert_int_equal(at.views, 9);
	}
	enm_mesh_destroy(&ball);
}

/* Against a fine sampling of the triangle: nothing sampled is nearer, and something is as near. */
static void nearest_place_of_any_triangle(void **state)
{
	(void)state;
	seed = 11;
	for (int i = 0; i < 300; i++) {
		float p[9];
		const uint32_t corners[3] = {0, 1, 2};
		enm_mesh_data mesh = {.vertex_count = 3, .triangle_count = 1, .positions_mm = p, .triangles = corners};
		for (int k = 0; k < 9; k++)
			p[k] = (float)(6.0 * uniform() - 3.0);
		const mark_point from = some_point(0.0);
		mark_point at;
		assert_true(measure_nearest(&mesh, from.position_mm, &at));
		double best = INFINITY;
		for (int u = 0; u <= 60; u++) {
			for (int v = 0; v + u <= 60; v++) {
				const double weights[3] = {1.0 - (u + v) / 60.0, u / 60.0, v / 60.0};
				mark_point sample = measure_place(&mesh, 0, weights);
				best = fmin(best, measure_distance(&from, &sample).value);
			}
		}
		double found = measure_distance(&from, &at).value;
		assert_true(found <= best + 1e-9 && found > best - 0.15);
		assert_true(isnan(at.sigma_um) && at.views == 0);
	}
	const enm_mesh_data none = {0};
	mark_point at;
	const double origin[3] = {0};
	assert_false(measure_nearest(&none, origin, &at));
}

static mark_point on_ball(const enm_mesh_data *mesh, double radius, double polar, double turn)
{
	const double p[3] = {radius * sin(polar) * cos(turn), radius * sin(polar) * sin(turn), radius * cos(polar)};
	mark_point at;
	assert_true(measure_nearest(mesh, p, &at));
	return at;
}

static void path_on_a_ball_is_an_arc(void **state)
{
	(void)state;
	const double centre[3] = {0};
	enm_mesh *ball = body_ball(centre, RADIUS, 120, 5.0f);
	enm_mesh_data mesh;
	assert_int_equal(enm_mesh_get(ball, &mesh), ENM_OK);
	static const double ways[][4] = {{0.4, 0.1, 1.3, 0.9}, {1.0, 3.0, 1.1, -1.7}, {0.02, 0.0, 0.02, 3.1}, {1.5, 0.0, 1.5, 0.001}};
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		mark_point a = on_ball(&mesh, RADIUS, ways[i][0], ways[i][1]), b = on_ball(&mesh, RADIUS, ways[i][2], ways[i][3]);
		cut_curve curve = {0};
		assert_int_equal(cut_path(&mesh, &a, &b, &curve), CUT_OK);
		double chord = measure_distance(&a, &b).value;
		double arc = 2.0 * RADIUS * asin(0.5 * chord / RADIUS);
		measure_figure f = measure_length(curve.points, curve.count);
		assert_true(fabs(f.value - arc) < 0.002 * arc + 0.005);
		assert_true(f.value >= chord - 1e-9 && isfinite(f.sigma));
		free(curve.points);
	}
	enm_mesh_destroy(&ball);
}

static void path_ends_at_a_slit(void **state)
{
	(void)state;
	for (int slit = 0; slit < 2; slit++) {
		enm_mesh *plate = body_plate(20.0, 21, slit);
		enm_mesh_data mesh;
		assert_int_equal(enm_mesh_get(plate, &mesh), ENM_OK);
		const double from[3] = {-6, 1, 0}, to[3] = {7, -2, 0};
		mark_point a, b;
		assert_true(measure_nearest(&mesh, from, &a) && measure_nearest(&mesh, to, &b));
		cut_curve curve = {0};
		assert_int_equal(cut_path(&mesh, &a, &b, &curve), slit ? CUT_APART : CUT_OK);
		assert_int_equal(curve.count > 20, !slit);
		if (!slit)
			assert_true(fabs(measure_length(curve.points, curve.count).value - sqrt(169.0 + 9.0)) < 1e-5);
		assert_int_equal(cut_path(&mesh, &a, &a, &curve), CUT_APART); /* a point spans no plane */
		free(curve.points);
		enm_mesh_destroy(&plate);
	}
}

static void profile_of_a_ball_is_a_circle(void **state)
{
	(void)state;
	const double centre[3] = {0}, a[3] = {3, 1, 2}, b[3] = {-1, 4, 2}, direction[3] = {0, 0, 1};
	enm_mesh *ball = body_ball(centre, RADIUS, 120, 5.0f);
	enm_mesh_data mesh;
	cut_plane plane;
	cut_curve curve = {0};
	assert_int_equal(enm_mesh_get(ball, &mesh), ENM_OK);
	assert_false(cut_plane_through(a, a, direction, &plane));
	assert_true(cut_plane_through(a, b, direction, &plane));
	assert_int_equal(cut_profile(&mesh, &plane, &curve), CUT_OK);
	double length = 0.0, wanted = sqrt(RADIUS * RADIUS - plane.offset_mm * plane.offset_mm);
	for (size_t i = 0; i + 1 < curve.count; i += 2) {
		const double *p = curve.points[i].position_mm;
		assert_true(fabs(vector_dot(plane.normal, p) - plane.offset_mm) < 1e-5);
		assert_true(fabs(sqrt(vector_dot(p, p)) - RADIUS) < 0.003);
		length += measure_length(&curve.points[i], 2).value;
	}
	assert_true(fabs(length / (6.283185307179586 * wanted) - 1.0) < 0.001);
	free(curve.points);
	enm_mesh_destroy(&ball);
}

static void through_a_ball_is_its_diameter(void **state)
{
	(void)state;
	const double centre[3] = {0};
	enm_mesh *ball = body_ball(centre, RADIUS, 90, 5.0f), *plate = body_plate(20.0, 5, false);
	enm_mesh_data mesh, flat;
	assert_int_equal(enm_mesh_get(ball, &mesh), ENM_OK);
	assert_int_equal(enm_mesh_get(plate, &flat), ENM_OK);
	mark_point from = on_ball(&mesh, RADIUS, 0.7, 0.3), at;
	assert_true(measure_through(&mesh, &from, &at));
	assert_true(fabs(measure_distance(&from, &at).value - 2.0 * RADIUS) < 0.01);
	assert_true(measure_nearest(&flat, centre, &from));
	assert_false(measure_through(&flat, &from, &at));
	enm_mesh_destroy(&ball);
	enm_mesh_destroy(&plate);
}

static void marks_are_kept_in_order(void **state)
{
	(void)state;
	mark_list list = {0};
	mark m = {.kind = MARK_DISTANCE, .point_count = 2, .value = 12.3456, .value_sigma = 0.0061};
	char text[MARK_TEXT_BYTES];
	mark_text(&m, text);
	assert_string_equal(text, "12.346 mm \302\261 0.006");
	m.value_sigma = 1e-5;
	mark_text(&m, text);
	assert_string_equal(text, "12.346 mm \302\261 <0.001");
	m.value_sigma = (double)NAN;
	mark_text(&m, text);
	assert_string_equal(text, "12.346 mm");
	m.kind = MARK_ANGLE;
	m.value = 0.5;
	m.value_sigma = 0.001;
	mark_text(&m, text);
	assert_string_equal(text, "28.65\302\260 \302\261 0.06");
	for (m.number = 1; m.number <= MARKS_MAX; m.number++)
		assert_true(mark_list_add(&list, &m));
	assert_false(mark_list_add(&list, &m));
	mark_list_remove(&list, 0);
	mark_list_remove(&list, MARKS_MAX); /* none there */
	assert_int_equal(list.count, MARKS_MAX - 1);
	assert_int_equal(list.entries[0].number, 2);
	free(list.entries);
	for (int k = 0; k < MARK_KINDS; k++) {
		mark_kind kind;
		assert_true(mark_kind_of(mark_kind_name((mark_kind)k), &kind) && kind == (mark_kind)k);
		assert_true(mark_points_least(kind) >= 2 && mark_points_most(kind) >= mark_points_least(kind));
	}
	assert_string_equal(mark_kind_name((mark_kind)99), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uncertainty_is_that_of_repetitions),
		cmocka_unit_test(figures_of_known_points),
		cmocka_unit_test(nearest_place_of_a_ball),
		cmocka_unit_test(nearest_place_of_any_triangle),
		cmocka_unit_test(path_on_a_ball_is_an_arc),
		cmocka_unit_test(path_ends_at_a_slit),
		cmocka_unit_test(profile_of_a_ball_is_a_circle),
		cmocka_unit_test(through_a_ball_is_its_diameter),
		cmocka_unit_test(marks_are_kept_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
