/* SPDX-License-Identifier: Apache-2.0
 * Parts of the process that need no device: quantiles, the reading thread, scale, the preview's axes. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "preview.h"
#include "scale.h"
#include "scan.h"
#include "scratch.h"
#include "read_ahead.h"
#include "statistic.h"
#include "stitch.h"

static void quantiles_are_of_nearest_rank(void **state)
{
	(void)state;
	samples s = {0};
	quantiles q = samples_quantiles(&s);
	assert_true(isnan(q.median) && isnan(q.max));
	for (int i = 100; i >= 1; i--)
		assert_int_equal(samples_add(&s, i), HOST_OK);
	q = samples_quantiles(&s);
	assert_true(q.median == 50 && q.p95 == 95 && q.p99 == 99 && q.max == 100);
	samples_free(&s);
	assert_int_equal(samples_add(&s, 7), HOST_OK);
	assert_int_equal(samples_add(&s, 9), HOST_OK);
	q = samples_quantiles(&s);
	assert_true(q.median == 7 && q.p95 == 9 && q.max == 9);
	samples_free(&s);
}

/* All frames come once, in order, whether the engine pauses or not. */
static void read_all(const dataset *d, bool shares_cpu)
{
	read_ahead *s;
	const read_ahead_frame *f;
	const read_ahead_def def = {d, 3, d->frame_count, false, shares_cpu};
	assert_int_equal(read_ahead_create(&def, &s), HOST_OK);
	size_t expected = 3, waits = 0;
	for (;;) {
		bool idle = waits % 2 == 1;
		read_ahead_state state = read_ahead_next(s, idle, 0.5, &f);
		if (state == READ_AHEAD_END)
			break;
		if (state == READ_AHEAD_WAIT) {
			assert_true(++waits < 1000);
			continue;
		}
		assert_int_equal(f->index, expected++);
		assert_true(f->reading.usable);
		assert_true(f->depth[0] > 0);
		read_ahead_release(s);
		if (shares_cpu)
			waits = waits / 2 * 2;
	}
	assert_int_equal(expected, d->frame_count);
	assert_true(read_ahead_read_s(s) > 0.0);
	read_ahead_destroy(&s);
	assert_null(s);
	read_ahead_destroy(&s);
}

static void frames_come_in_order(void **state)
{
	(void)state;
	dataset d;
	const scan_def scan = {.folder = "scan", .pictures = 5, .frames = 150};
	scan_make(&scan);
	assert_int_equal(dataset_open(scratch_path("scan"), NULL, &d), HOST_OK);
	read_all(&d, false);
	read_all(&d, true);
	/* Stopping early must not hang, whatever the thread is waiting for. */
	for (int shares_cpu = 0; shares_cpu < 2; shares_cpu++) {
		read_ahead *s;
		const read_ahead_frame *f;
		const read_ahead_def def = {&d, 0, d.frame_count, false, shares_cpu};
		assert_int_equal(read_ahead_create(&def, &s), HOST_OK);
		(void)read_ahead_next(s, true, 0.2, &f);
		read_ahead_destroy(&s);
	}
	dataset_close(&d);
}

static void scale_follows_the_data(void **state)
{
	(void)state;
	dataset d;
	size_t index;
	double median_mm;
	const scan_def scan = {.folder = "scan", .pictures = 4, .frames = 4};
	scan_make(&scan);
	scratch_text("scan/depth/0.png", "");
	scratch_depth("scan/depth/1.png", SCAN_WIDTH, SCAN_HEIGHT, 0, 14200);
	assert_int_equal(dataset_open(scratch_path("scan"), NULL, &d), HOST_OK);
	assert_int_equal(scale_find(&d, 0, 4, &index, &median_mm), HOST_OK);
	assert_int_equal(index, 1);
	assert_true(fabs(median_mm - 14.2) < 1e-9);
	assert_int_equal(scale_find(&d, 0, 1, &index, &median_mm), HOST_DATA);
	assert_failure_ends("scan: no frame can be used: depth/0.png: is empty");
	dataset_close(&d);
}

static void times_start_at_zero(void **state)
{
	(void)state;
	dataset_frame frames[2] = {{.time_s = 150.0}, {.time_s = 153.0}};
	dataset d = {.layout = DATASET_SEVEN_SCENES, .frames = frames, .frame_count = 2};
	d.camera.fps = 30.0;
	assert_int_equal(stitch_time_ns(&d, 0, 0), 0);
	assert_int_equal(stitch_time_ns(&d, 0, 1), 100000000);
	d.layout = DATASET_TUM;
	assert_int_equal(stitch_time_ns(&d, 0, 1), 3000000000);
}

/* A horseshoe in a turned frame: open towards -y, occlusal towards +z, before the turn. */
#define HORSESHOE_POINTS 400

static void turn(const double p[3], double out[3])
{
	const double c = cos(0.7), s = sin(0.7), e = cos(-1.1), f = sin(-1.1);
	double x = c * p[0] - s * p[1], y = s * p[0] + c * p[1], z = p[2];
	out[0] = x;
	out[1] = e * y - f * z;
	out[2] = f * y + e * z;
}

static void make_horseshoe(float *positions, float *normals)
{
	for (int i = 0; i < HORSESHOE_POINTS; i++) {
		double share = (i / 4 + 0.5) / (HORSESHOE_POINTS / 4.0), angle = share * 3.14159265,
		       legs = fabs(share - 0.5);
		const double p[3] = {
			30.0 * cos(angle), 25.0 * sin(angle) - (legs > 0.4 ? 60.0 * (legs - 0.4) : 0.0), i % 4 * 1.5};
		const double n[3] = {0.0, 0.0, 1.0};
		double q[3], m[3];
		turn(p, q);
		turn(n, m);
		for (int k = 0; k < 3; k++) {
			positions[3 * i + k] = (float)(q[k] + 100.0);
			normals[3 * i + k] = (float)m[k];
		}
	}
}

static double dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void views_know_an_arch(void **state)
{
	(void)state;
	static float positions[3 * HORSESHOE_POINTS], normals[3 * HORSESHOE_POINTS];
	make_horseshoe(positions, normals);
	const enm_mesh_data mesh = {.vertex_count = HORSESHOE_POINTS, .positions_mm = positions, .normals = normals};
	preview_axes axes;
	assert_int_equal(preview_find_axes(&mesh, NULL, &axes), HOST_OK);
	double up[3], front[3], right[3];
	turn((const double[3]){0, 0, 1}, up);
	turn((const double[3]){0, 1, 0}, front);
	turn((const double[3]){1, 0, 0}, right);
	assert_true(dot(axes.axis[2], up) > 0.95);
	assert_true(dot(axes.axis[1], front) > 0.95);
	assert_true(dot(axes.axis[0], right) > 0.95);
	for (int side = 0; side < PREVIEW_SIDES; side++) {
		static const uint32_t size[2] = {PREVIEW_TILE_WIDTH, PREVIEW_TILE_HEIGHT};
		enm_view_def view = preview_view(&mesh, &axes, (preview_side)side, size, true);
		const double *q = view.world_from_eye.q_xyzw;
		assert_true(view.orthographic && view.focal_pixels > 0.0);
		assert_true(fabs(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3] - 1.0) < 1e-9);
		/* Every vertex lies before the eye and within the tile. */
		const double z[3] = {2 * (q[0] * q[2] + q[3] * q[1]), 2 * (q[1] * q[2] - q[3] * q[0]),
			1 - 2 * (q[0] * q[0] + q[1] * q[1])};
		const double x[3] = {1 - 2 * (q[1] * q[1] + q[2] * q[2]), 2 * (q[0] * q[1] + q[3] * q[2]),
			2 * (q[0] * q[2] - q[3] * q[1])};
		for (int i = 0; i < HORSESHOE_POINTS; i++) {
			double p[3];
			for (int k = 0; k < 3; k++)
				p[k] = (double)positions[3 * i + k] - view.world_from_eye.t_mm[k];
			assert_true(dot(p, z) > 0.0);
			assert_true(fabs(dot(p, x)) * view.focal_pixels <= 0.5 * PREVIEW_TILE_WIDTH);
		}
		/* The same in perspective, where it fills all but a rim of the picture. */
		view = preview_view(&mesh, &axes, (preview_side)side, size, false);
		double most = 0.0;
		for (int i = 0; i < HORSESHOE_POINTS; i++) {
			double p[3];
			for (int k = 0; k < 3; k++)
				p[k] = (double)positions[3 * i + k] - view.world_from_eye.t_mm[k];
			const double y[3] = {2 * (q[0] * q[1] - q[3] * q[2]), 1 - 2 * (q[0] * q[0] + q[2] * q[2]),
				2 * (q[1] * q[2] + q[3] * q[0])};
			assert_true(dot(p, z) > 0.0);
			most = fmax(most, fabs(dot(p, x) / dot(p, z)) * view.focal_pixels / (0.5 * PREVIEW_TILE_WIDTH));
			most = fmax(most, fabs(dot(p, y) / dot(p, z)) * view.focal_pixels / (0.5 * PREVIEW_TILE_HEIGHT));
		}
		assert_true(most > 0.9 && most < 0.95);
	}
	/* told which way is up, though it is not that of the least spread */
	const double given[3] = {right[0], right[1], right[2]};
	assert_int_equal(preview_find_axes(&mesh, given, &axes), HOST_OK);
	assert_true(dot(axes.axis[2], given) > 1.0 - 1e-9);
	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++)
			assert_true(fabs(dot(axes.axis[a], axes.axis[b]) - (a == b)) < 1e-9);
	const enm_mesh_data empty = {0};
	assert_int_equal(preview_find_axes(&empty, NULL, &axes), HOST_DATA);
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_of_nearest_rank),
		SCRATCH_TEST(frames_come_in_order),
		SCRATCH_TEST(scale_follows_the_data),
		cmocka_unit_test(times_start_at_zero),
		cmocka_unit_test(views_know_an_arch),
	};
	return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
