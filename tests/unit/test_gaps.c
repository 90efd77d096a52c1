/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "enamel.h"

#define SIDE 20 /* cells along an edge of the sheet */

/* Whether the sheet has the cell. */
typedef bool (*sheet_cells)(int x, int y);

static bool whole(int x, int y)
{
	(void)x;
	(void)y;
	return true;
}

/* A square of 3 x 3 cells, one of 2 x 5, and one cell that touches the latter in a corner. */
static bool with_holes(int x, int y)
{
	const bool square = x >= 3 && x < 6 && y >= 4 && y < 7, slot = x >= 10 && x < 12 && y >= 9 && y < 14, corner = x == 12 && y == 14;
	return !square && !slot && !corner;
}

/* Two pieces: a strip of one cell is missing between them, and a cell in the second. */
static bool in_two(int x, int y)
{
	return x != 8 && !(x == 14 && y == 10);
}

/* A sheet of cells of 0.5 mm on the slope z = x / 2, its vertices shared. `up`: seen from above. */
static enm_mesh *make_sheet(sheet_cells has, bool up)
{
	float positions[(SIDE + 1) * (SIDE + 1) * 3];
	uint32_t triangles[SIDE * SIDE * 6];
	size_t count = 0;
	for (int i = 0; i < (SIDE + 1) * (SIDE + 1); i++) {
		positions[3 * i] = 0.5f * (float)(i % (SIDE + 1));
		positions[3 * i + 1] = 0.5f * (float)(i / (SIDE + 1));
		positions[3 * i + 2] = 0.5f * positions[3 * i];
	}
	for (int i = 0; i < SIDE * SIDE; i++) {
		const uint32_t x = (uint32_t)(i % SIDE), y = (uint32_t)(i / SIDE), a = y * (SIDE + 1) + x, b = a + 1, c = a + SIDE + 1, d = c + 1;
		const uint32_t corners[] = {a, up ? b : c, up ? c : b, b, up ? d : c, up ? c : d};
		for (int k = 0; k < 6 && has((int)x, (int)y); k++)
			triangles[count++] = corners[k];
	}
	const enm_mesh_data data = {.vertex_count = (SIDE + 1) * (SIDE + 1),
		.triangle_count = count / 3,
		.positions_mm = positions,
		.triangles = triangles};
	enm_mesh *mesh = NULL;
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	return mesh;
}

static const double stretch = 1.118033988749895; /* of the slope, along x */

static void assert_close(double got, double wanted)
{
	if (fabs(got - wanted) > 1e-5)
		fail_msg("%.9g is not %.9g", got, wanted);
}

static void a_whole_sheet_has_a_rim_alone(void **state)
{
	(void)state;
	for (int up = 0; up < 2; up++) {
		enm_mesh *mesh = make_sheet(whole, up);
		enm_gap gap;
		size_t count = 0;
		assert_int_equal(enm_mesh_gaps(mesh, 0.0, &gap, 1, &count), ENM_OK);
		assert_int_equal(count, 1);
		assert_true(gap.rim);
		assert_close(gap.length_mm, 20.0 * (1.0 + stretch));
		assert_close(gap.area_mm2, 100.0 * stretch);
		assert_close(gap.centre_mm[0], 5.0);
		assert_close(gap.centre_mm[2], 2.5);
		/* a rim's lid closes the sheet to a body, and looks out of its other side */
		assert_close(gap.normal[2], (up ? -1.0 : 1.0) / stretch);
		assert_close(gap.width_mm, 10.0 * sqrt(1.0 + stretch * stretch));
		enm_mesh_destroy(&mesh);
	}
}

static void gaps_come_before_the_rim_with_place_and_size(void **state)
{
	(void)state;
	enm_mesh *mesh = make_sheet(with_holes, true);
	enm_gap gaps[8];
	size_t count = 0;
	assert_int_equal(enm_mesh_gaps(mesh, 0.0, gaps, 8, &count), ENM_OK);
	assert_int_equal(count, 3);
	/* the slot and the cell at its corner are one */
	assert_close(gaps[0].length_mm, 2.0 * (2.5 + 1.0 * stretch) + 2.0 * (0.5 + 0.5 * stretch));
	assert_close(gaps[0].area_mm2, (2.5 + 0.25) * stretch);
	assert_close(gaps[1].length_mm, 3.0 * (1.0 + stretch));
	assert_close(gaps[1].area_mm2, 2.25 * stretch);
	assert_close(gaps[1].centre_mm[0], 2.25);
	assert_close(gaps[1].centre_mm[1], 2.75);
	assert_close(gaps[1].normal[0], -0.5 / stretch);
	assert_close(gaps[1].normal[2], 1.0 / stretch);
	assert_close(gaps[1].width_mm, 1.5 * sqrt(1.0 + stretch * stretch));
	assert_false(gaps[0].rim || gaps[1].rim);
	assert_true(gaps[2].rim);
	enm_mesh_destroy(&mesh);
}

static void each_piece_has_its_rim(void **state)
{
	(void)state;
	enm_mesh *mesh = make_sheet(in_two, true);
	enm_gap gaps[8];
	size_t count = 0;
	assert_int_equal(enm_mesh_gaps(mesh, 0.0, gaps, 8, &count), ENM_OK);
	assert_int_equal(count, 3);
	assert_false(gaps[0].rim);
	assert_close(gaps[0].area_mm2, 0.25 * stretch);
	assert_true(gaps[1].rim && gaps[2].rim && gaps[1].length_mm > gaps[2].length_mm);
	enm_mesh_destroy(&mesh);
}

static void the_short_and_the_many_are_told(void **state)
{
	(void)state;
	enm_mesh *mesh = make_sheet(with_holes, true);
	enm_gap one;
	size_t count = 0;
	assert_int_equal(enm_mesh_gaps(mesh, 6.5, NULL, 0, &count), ENM_FULL);
	assert_int_equal(count, 2);
	assert_int_equal(enm_mesh_gaps(mesh, 0.0, &one, 1, &count), ENM_FULL);
	assert_int_equal(count, 3);
	assert_false(one.rim);
	assert_int_equal(enm_mesh_gaps(mesh, 1000.0, NULL, 0, &count), ENM_OK);
	assert_int_equal(count, 0);
	enm_mesh_destroy(&mesh);
}

static void a_closed_or_empty_mesh_has_none(void **state)
{
	(void)state;
	const float corners[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
	const uint32_t sides[] = {0, 2, 1, 0, 1, 3, 1, 2, 3, 2, 0, 3};
	const enm_mesh_data closed = {.vertex_count = 4, .triangle_count = 4, .positions_mm = corners, .triangles = sides};
	const enm_mesh_data empty = {0};
	const enm_mesh_data *both[] = {&closed, &empty};
	for (int i = 0; i < 2; i++) {
		enm_mesh *mesh = NULL;
		size_t count = 9;
		assert_int_equal(enm_mesh_create(both[i], &mesh), ENM_OK);
		assert_int_equal(enm_mesh_gaps(mesh, 0.0, NULL, 0, &count), ENM_OK);
		assert_int_equal(count, 0);
		enm_mesh_destroy(&mesh);
	}
}

static void bad_arguments_are_refused(void **state)
{
	(void)state;
	enm_mesh *mesh = make_sheet(whole, true);
	size_t count = 7;
	assert_int_equal(enm_mesh_gaps(mesh, 0.0, NULL, 0, NULL), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_gaps(NULL, 0.0, NULL, 0, &count), ENM_E_ARGUMENT);
	assert_int_equal(count, 0);
	assert_int_equal(enm_mesh_gaps(mesh, 0.0, NULL, 3, &count), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_gaps(mesh, -1.0, NULL, 0, &count), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_gaps(mesh, (double)NAN, NULL, 0, &count), ENM_E_ARGUMENT);
	assert_true(strstr(enm_last_error(), "length_min_mm") != NULL);
	enm_mesh_destroy(&mesh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_sheet_has_a_rim_alone),
		cmocka_unit_test(gaps_come_before_the_rim_with_place_and_size),
		cmocka_unit_test(each_piece_has_its_rim),
		cmocka_unit_test(the_short_and_the_many_are_told),
		cmocka_unit_test(a_closed_or_empty_mesh_has_none),
		cmocka_unit_test(bad_arguments_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
