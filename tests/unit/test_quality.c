/* SPDX-License-Identifier: Apache-2.0
 * What a surface tells of itself, on a sheet whose figures are known. */
#include <math.h>

#include "cmocka_all.h"
#include "quality.h"

#define SIDE 10

/* A sheet of SIDE x SIDE cells of 1 mm without four in the middle. The first row of vertices was seen by 2 frames, the others by 40; sigma is 5 um, 80 in
 * the last row. */
static enm_mesh *make_sheet(void)
{
	static float positions[(SIDE + 1) * (SIDE + 1) * 3], sigma[(SIDE + 1) * (SIDE + 1)];
	static uint16_t views[(SIDE + 1) * (SIDE + 1)];
	static uint32_t triangles[SIDE * SIDE * 6];
	size_t count = 0;
	for (int i = 0; i < (SIDE + 1) * (SIDE + 1); i++) {
		const int x = i % (SIDE + 1), y = i / (SIDE + 1);
		positions[3 * i] = (float)x;
		positions[3 * i + 1] = (float)y;
		views[i] = y == 0 ? 2 : 40;
		sigma[i] = y == SIDE ? 80.0f : 5.0f;
		const bool hole = x >= 4 && x < 6 && y >= 4 && y < 6;
		const uint32_t a = (uint32_t)i, b = a + 1, c = a + SIDE + 1, d = c + 1, corners[] = {a, b, c, b, d, c};
		for (int k = 0; k < 6 && x < SIDE && y < SIDE && !hole; k++)
			triangles[count++] = corners[k];
	}
	const enm_mesh_data data = {.vertex_count = (SIDE + 1) * (SIDE + 1),
		.triangle_count = count / 3,
		.positions_mm = positions,
		.views = views,
		.sigma_um = sigma,
		.triangles = triangles};
	enm_mesh *mesh = NULL;
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	return mesh;
}

static void assert_close(double got, double wanted)
{
	if (fabs(got - wanted) > 1e-6)
		fail_msg("%.9g is not %.9g", got, wanted);
}

static void a_sheet_is_measured(void **state)
{
	(void)state;
	enm_mesh *mesh = make_sheet();
	quality q = {0};
	assert_int_equal(quality_measure(mesh, 0.1, &q), HOST_OK);
	assert_close(q.area_mm2, 96.0);
	assert_close(q.area_few_mm2, 10.0); /* the cells with a corner in the first row */
	assert_close(q.views_median, 40.0);
	assert_close(q.sigma_um_median, 5.0);
	assert_close(q.sigma_um_p95, 80.0); /* the last tenth */
	assert_int_equal(q.gap_count, 1);
	assert_int_equal(q.piece_count, 1);
	assert_close(q.gap_area_mm2, 4.0);
	assert_close(q.rim_mm, 40.0);
	assert_close(q.gap_min_mm, 1.5);
	quality_free(&q);
	assert_null(q.borders);
	/* a gap of 8 mm around is below 15 voxels of 0.6 mm, the rim is not */
	assert_int_equal(quality_measure(mesh, 0.6, &q), HOST_OK);
	assert_int_equal(q.gap_count, 0);
	assert_int_equal(q.piece_count, 1);
	quality_free(&q);
	enm_mesh_destroy(&mesh);
}

static void nothing_is_all_zero(void **state)
{
	(void)state;
	const enm_mesh_data data = {0};
	enm_mesh *mesh = NULL;
	quality q = {0};
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	assert_int_equal(quality_measure(mesh, 0.1, &q), HOST_OK);
	assert_true(q.area_mm2 == 0.0 && q.gap_count == 0 && q.piece_count == 0 && q.borders == NULL);
	quality_free(&q);
	enm_mesh_destroy(&mesh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sheet_is_measured),
		cmocka_unit_test(nothing_is_all_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
