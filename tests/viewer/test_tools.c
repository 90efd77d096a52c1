/* SPDX-License-Identifier: Apache-2.0
 * From picked places to marks, without a window. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "measure.h"
#include "tools.h"

#define ID_FIRST 7
#define ID_SECOND 9
#define RADIUS 5.0

typedef struct bench {
	enm_mesh *meshes[2];
	viewer_source source;
	tools tools;
} bench;

static const double ahead[3] = {0, 0, -1};

/* A ball around the origin, and another one 12 mm to the right. */
static void open_bench(bench *b, uint32_t bodies)
{
	const double centres[2][3] = {{0, 0, 0}, {12, 0, 0}};
	memset(b, 0, sizeof *b);
	b->source.body_count = bodies;
	for (uint32_t i = 0; i < bodies; i++) {
		b->meshes[i] = body_ball(centres[i], RADIUS, 60, 4.0f);
		assert_non_null(b->meshes[i]);
		b->source.bodies[i] = (viewer_body){b->meshes[i], i ? ID_SECOND : ID_FIRST};
	}
	assert_true(tools_init(&b->tools, NULL));
	tools_use(&b->tools, &b->source, 0);
}

static void close_bench(bench *b)
{
	tools_free(&b->tools);
	for (int i = 0; i < 2; i++)
		enm_mesh_destroy(&b->meshes[i]);
}

/* Clicks on the surface of the first ball nearest to a point. */
static void click(bench *b, double x, double y, double z)
{
	const double at[3] = {x, y, z};
	mark_point p = {.sigma_um = 4.0, .normal = {0, 0, 1}};
	enm_mesh_data mesh;
	memcpy(p.position_mm, at, sizeof at);
	if (b->source.body_count) {
		assert_int_equal(enm_mesh_get(b->meshes[0], &mesh), ENM_OK);
		assert_true(measure_nearest(&mesh, at, &p));
	}
	enm_hit hit = {.mesh = ID_FIRST, .triangle = p.triangle, .sigma_um = (float)p.sigma_um, .views = p.views};
	memcpy(hit.position_mm, p.position_mm, sizeof hit.position_mm);
	memcpy(hit.normal, p.normal, sizeof hit.normal);
	tools_point(&b->tools, &hit, ahead);
}

static const mark *last(const bench *b)
{
	assert_true(b->tools.marks.count > 0);
	return &b->tools.marks.entries[b->tools.marks.count - 1];
}

static void each_tool_makes_its_mark(void **state)
{
	(void)state;
	bench b;
	open_bench(&b, 2);
	click(&b, 0, 0, RADIUS); /* no tool is in hand */
	assert_int_equal(b.tools.pending.point_count, 0);

	tools_choose(&b.tools, MARK_DISTANCE);
	click(&b, 0, 0, RADIUS);
	click(&b, 0, 0, -RADIUS);
	assert_true(fabs(last(&b)->value - 2.0 * RADIUS) < 1e-5);
	assert_true(fabs(last(&b)->value_sigma - 0.004 * sqrt(2.0)) < 1e-5);

	tools_choose(&b.tools, MARK_ANGLE);
	click(&b, RADIUS, 0, 0);
	click(&b, 0, 0, RADIUS);
	click(&b, -RADIUS, 0, 0);
	assert_true(fabs(last(&b)->value - 1.5707963) < 1e-3);

	tools_choose(&b.tools, MARK_SURFACE);
	click(&b, RADIUS, 0, 0); /* the balls are 2 mm apart */
	assert_int_equal(last(&b)->kind, MARK_SURFACE);
	assert_true(fabs(last(&b)->value - 2.0) < 2e-3);
	assert_int_equal(last(&b)->points[1].body, 1);

	tools_choose(&b.tools, MARK_PATH);
	click(&b, RADIUS, 0, 0.01);
	click(&b, 0, 0, RADIUS);
	click(&b, 0, RADIUS, 0.01);
	assert_int_equal(b.tools.marks.count, 3);
	tools_finish(&b.tools);
	assert_true(fabs(last(&b)->value / (3.14159265 * RADIUS) - 1.0) < 0.003);
	assert_true(b.tools.curves[3].count > 40);

	tools_choose(&b.tools, MARK_SECTION);
	click(&b, -3, 0, 4);
	click(&b, 3, 0, 4);
	assert_true(fabs(last(&b)->value - 6.0) < 0.01);
	assert_true(b.tools.curves[4].count > 400); /* of both balls */
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(b.tools.marks.entries[i].number, i + 1);
	close_bench(&b);
}

static void one_body_is_measured_through(void **state)
{
	(void)state;
	bench b;
	open_bench(&b, 1);
	tools_choose(&b.tools, MARK_SURFACE);
	click(&b, 0, 0, RADIUS);
	assert_true(fabs(last(&b)->value - 2.0 * RADIUS) < 0.01);
	assert_int_equal(last(&b)->points[1].body, 0);
	close_bench(&b);
}

static void hidden_bodies_are_left_out(void **state)
{
	(void)state;
	bench b;
	open_bench(&b, 2);
	tools_choose(&b.tools, MARK_SECTION);
	click(&b, -3, 0, 4);
	click(&b, 3, 0, 4);
	size_t both = b.tools.curves[0].count;
	double value = last(&b)->value;
	tools_use(&b.tools, &b.source, 2);
	assert_true(fabs(2.0 * (double)b.tools.curves[0].count / (double)both - 1.0) < 0.02);
	assert_true(last(&b)->value == value);
	tools_choose(&b.tools, MARK_SURFACE);
	click(&b, RADIUS, 0, 0);
	assert_true(fabs(last(&b)->value - 2.0 * RADIUS) < 0.01); /* the other one does not count */
	close_bench(&b);
}

static void what_cannot_be_measured_is_said(void **state)
{
	(void)state;
	bench b;
	open_bench(&b, 0);
	static const int kinds[] = {MARK_PATH, MARK_SECTION, MARK_SURFACE};
	for (size_t i = 0; i < 3; i++) {
		tools_choose(&b.tools, kinds[i]);
		click(&b, 0, 0, 1);
		click(&b, 1, 0, 1);
		tools_finish(&b.tools);
		assert_non_null(strstr(b.tools.message, "once the scan is over"));
	}
	assert_int_equal(b.tools.marks.count, 0);
	tools_choose(&b.tools, MARK_DISTANCE); /* needs no mesh */
	click(&b, 0, 0, 1);
	click(&b, 3, 0, 1);
	assert_true(fabs(last(&b)->value - 3.0) < 1e-12);
	tools_miss(&b.tools);
	assert_non_null(strstr(b.tools.message, "no surface"));
	close_bench(&b);

	open_bench(&b, 1);
	tools_choose(&b.tools, MARK_SECTION);
	click(&b, 0, 0, RADIUS);
	click(&b, 0, 0, -RADIUS);
	assert_non_null(strstr(b.tools.message, "behind one another"));
	assert_int_equal(b.tools.pending.point_count, 1); /* the first one stays */
	close_bench(&b);
}

static void undo_and_erase(void **state)
{
	(void)state;
	bench b;
	open_bench(&b, 1);
	tools_choose(&b.tools, MARK_DISTANCE);
	for (int i = 0; i < 3; i++) {
		click(&b, 0, 0, RADIUS);
		click(&b, i - 1.0, 1, -RADIUS);
	}
	click(&b, 0, 0, RADIUS);
	tools_undo(&b.tools); /* the point */
	assert_int_equal(b.tools.pending.point_count, 0);
	assert_int_equal(b.tools.marks.count, 3);
	tools_erase(&b.tools, 2);
	tools_erase(&b.tools, 2); /* no such mark any more */
	assert_int_equal(b.tools.marks.count, 2);
	tools_undo(&b.tools);
	assert_int_equal(b.tools.marks.count, 3);
	assert_int_equal(b.tools.marks.entries[1].number, 2);
	for (int i = 0; i < 5; i++)
		tools_undo(&b.tools);
	assert_int_equal(b.tools.marks.count, 0);
	close_bench(&b);
}

static void copies_for_the_window_stand_alone(void **state)
{
	(void)state;
	bench b;
	open_bench(&b, 1);
	tools_choose(&b.tools, MARK_PATH);
	click(&b, RADIUS, 0, 0.01);
	click(&b, 0, 0, RADIUS);
	tools_finish(&b.tools);
	tools_shown *shown = tools_show(&b.tools);
	assert_non_null(shown);
	mark_list marks = {0};
	assert_true(mark_list_add(&marks, last(&b)));
	close_bench(&b);
	assert_int_equal(shown->marks.count, 1);
	assert_true(shown->curves[0].count > 20 && shown->tool == MARK_PATH);
	tools_shown_free(&shown);

	/* Marks from a file have their curves as soon as there is a mesh. */
	open_bench(&b, 1);
	tools_free(&b.tools);
	assert_true(tools_init(&b.tools, &marks));
	assert_int_equal(b.tools.curves[0].count, 0);
	tools_use(&b.tools, &b.source, 0);
	assert_true(b.tools.curves[0].count > 20);
	assert_false(b.tools.edited);
	assert_int_equal(b.tools.next_number, 2);
	free(marks.entries);
	close_bench(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_tool_makes_its_mark),
		cmocka_unit_test(one_body_is_measured_through),
		cmocka_unit_test(hidden_bodies_are_left_out),
		cmocka_unit_test(what_cannot_be_measured_is_said),
		cmocka_unit_test(undo_and_erase),
		cmocka_unit_test(copies_for_the_window_stand_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
