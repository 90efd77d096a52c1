/* SPDX-License-Identifier: Apache-2.0 */
#include "cmocka_all.h"

#include <math.h>

#include "scratch.h"
#include "trajectory.h"

static void rejects(const char *text, const char *reason)
{
	trajectory t;
	scratch_text("t.txt", text);
	assert_int_equal(trajectory_read(scratch_path("t.txt"), 1.0, &t), HOST_USAGE);
	assert_failure_ends(reason);
	assert_null(t.poses);
}

static void rejects_bad_lines(void **state)
{
	(void)state;
	const char *columns = "t.txt: line 2: expected 8 columns: time tx ty tz qx qy qz qw";
	rejects("# head\n0 0 0 0 0 0 0\n", columns);
	rejects("# head\n0 0 0 0 0 0 0 1 2\n", columns);
	rejects("0 0 0 0 0 0 0 1\n\n0 nan 0 0 0 0 0 1\n", "t.txt: line 3: NaN or infinity");
	rejects("0 inf 0 0 0 0 0 1", "t.txt: line 1: NaN or infinity");
	rejects("0 0 0 0 0 0 0 1e999", "t.txt: line 1: NaN or infinity");
	rejects("0 x 0 0 0 0 0 1", "t.txt: line 1: not a number");
	rejects("0 1,5 0 0 0 0 0 1", "t.txt: line 1: not a number");
	rejects("0 0 0 0 0 0 0 1.01", "t.txt: line 1: quaternion is not of unit length");
	rejects("0 0 0 0 0 0 0 0", "t.txt: line 1: quaternion is not of unit length");
	rejects("1 0 0 0 0 0 0 1\n0.5 0 0 0 0 0 0 1\n", "t.txt: line 2: time runs backward");
	rejects("# nothing\n", "t.txt: holds no pose");
	rejects("", "t.txt: holds no pose");
	trajectory t;
	scratch_write("t.txt", "0 0\0 0", 6);
	assert_int_equal(trajectory_read(scratch_path("t.txt"), 1.0, &t), HOST_USAGE);
	assert_failure_ends("t.txt: is no text");
	assert_int_equal(trajectory_read(scratch_path("none.txt"), 1.0, &t), HOST_USAGE);
	assert_failure_ends("none.txt: missing");
}

static void comes_back_in_its_unit(void **state)
{
	(void)state;
	trajectory t, back;
	scratch_text("t.txt", "# x\r\n 1.5 1 2 3 0 0 0 0.9995\r\n2.5\t-1 0 0 1 0 0 0");
	assert_int_equal(trajectory_read(scratch_path("t.txt"), 1000.0, &t), HOST_OK);
	assert_int_equal(t.count, 2);
	assert_true(t.poses[0].world_from_camera.t_mm[2] == 3000.0);
	assert_true(t.poses[0].world_from_camera.q_xyzw[3] == 1.0);
	assert_int_equal(trajectory_write(scratch_path("u.txt"), 1000.0, &t), HOST_OK);
	assert_int_equal(trajectory_read(scratch_path("u.txt"), 1000.0, &back), HOST_OK);
	assert_int_equal(back.count, 2);
	assert_memory_equal(t.poses, back.poses, 2 * sizeof *t.poses);
	trajectory_free(&t);
	trajectory_free(&back);
}

static void finds_the_nearest(void **state)
{
	(void)state;
	trajectory t = {0};
	const enm_pose pose = {{0, 0, 0}, {0, 0, 0, 1}};
	assert_null(trajectory_nearest(&t, 0.0, 1.0));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(trajectory_append(&t, i * 0.1, &pose), HOST_OK);
	assert_ptr_equal(trajectory_nearest(&t, 0.26, 0.05), &t.poses[3]);
	assert_ptr_equal(trajectory_nearest(&t, 0.24, 0.05), &t.poses[2]);
	assert_ptr_equal(trajectory_nearest(&t, -0.01, 0.05), &t.poses[0]);
	assert_ptr_equal(trajectory_nearest(&t, 99.91, 0.05), &t.poses[999]);
	assert_null(trajectory_nearest(&t, 0.25, 0.02));
	assert_null(trajectory_nearest(&t, 101.0, 0.5));
	trajectory_free(&t);
}

static void multiply(const double q[4], const double v[3], double out[3])
{
	double x = q[0], y = q[1], z = q[2], w = q[3];
	out[0] = (1 - 2 * (y * y + z * z)) * v[0] + 2 * (x * y - z * w) * v[1] + 2 * (x * z + y * w) * v[2];
	out[1] = 2 * (x * y + z * w) * v[0] + (1 - 2 * (x * x + z * z)) * v[1] + 2 * (y * z - x * w) * v[2];
	out[2] = 2 * (x * z - y * w) * v[0] + 2 * (y * z + x * w) * v[1] + (1 - 2 * (x * x + y * y)) * v[2];
}

static void matrices_become_poses(void **state)
{
	(void)state;
	static const double axes[6][4] = {
		{0, 0, 0, 1}, {1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0.5, 0.5, 0.5, 0.5}, {0.48, -0.6, 0.64, 0.0}};
	for (int i = 0; i < 6; i++) {
		double m[16] = {0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1};
		for (int c = 0; c < 3; c++) {
			const double unit[3] = {c == 0, c == 1, c == 2};
			double column[3];
			multiply(axes[i], unit, column);
			for (int r = 0; r < 3; r++)
				m[4 * r + c] = column[r];
		}
		enm_pose pose;
		assert_true(pose_from_matrix(m, 1000.0, &pose));
		assert_true(pose.t_mm[2] == 3000.0);
		double dot = 0.0;
		for (int k = 0; k < 4; k++)
			dot += pose.q_xyzw[k] * axes[i][k];
		assert_true(fabs(fabs(dot) - 1.0) < 1e-12);
		m[0] += 0.01;
		assert_false(pose_from_matrix(m, 1.0, &pose));
		m[0] = (double)NAN;
		assert_false(pose_from_matrix(m, 1.0, &pose));
	}
	const double mirrored[16] = {-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
	enm_pose pose;
	assert_false(pose_from_matrix(mirrored, 1.0, &pose));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rejects_bad_lines, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(comes_back_in_its_unit, scratch_setup, scratch_teardown),
		cmocka_unit_test(finds_the_nearest),
		cmocka_unit_test(matrices_become_poses),
	};
	return cmocka_run_group_tests_name("trajectory", tests, NULL, NULL);
}
