/* SPDX-License-Identifier: Apache-2.0
 * Spheres of a known object found in a surface, and files that tell of objects and points. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "distances.h"
#include "scale_reference.h"
#include "scratch.h"
#include "spheres.h"

#define RADIUS 2.5
#define KNOWN 12
#define RINGS 20
#define AROUND 60
#define CAP (RINGS * AROUND)

/* An object without symmetry, in its own frame. */
static const double known_mm[KNOWN][3] = {{0, 0, 0}, {7, 1, 0.5}, {14, -2, 1}, {21, 1, 3}, {29, 5, 2}, {34, 12, 0}, {36, 20, 1}, {33, 28, 3}, {27, 35, 1},
	{18, 38, 2}, {6, 33, 0}, {-4, 17, 4}};

/* A half-sphere on the side of +z, with a bump where `rough` is above 0, of a sphere that is placed in the world. */
static size_t add_cap(const double centre[3], double radius, double rough, float *positions, float *normals)
{
	size_t count = 0;
	for (int ring = 0; ring < RINGS; ring++)
		for (int i = 0; i < AROUND; i++, count++) {
			const double down = 1.3 * (ring + 0.5) / RINGS, turn = 6.283185307 * i / AROUND;
			const double n[3] = {sin(down) * cos(turn), sin(down) * sin(turn), cos(down)};
			const double out = radius + rough * sin(12.0 * turn) * sin(9.0 * down);
			for (int k = 0; k < 3; k++) {
				positions[3 * count + (size_t)k] = (float)(centre[k] + out * n[k]);
				normals[3 * count + (size_t)k] = (float)n[k];
			}
		}
	return count;
}

/* Turned by 0.7 about z, moved, and longer by the gain. */
static void place(const double p[3], double gain, double out[3])
{
	out[0] = (1.0 + gain) * (cos(0.7) * p[0] - sin(0.7) * p[1]) + 10.0;
	out[1] = (1.0 + gain) * (sin(0.7) * p[0] + cos(0.7) * p[1]) - 20.0;
	out[2] = (1.0 + gain) * p[2] + 3.0;
}

static void spheres_are_found_and_known(void **state)
{
	(void)state;
	static float positions[3 * CAP * (KNOWN + 2)], normals[3 * CAP * (KNOWN + 2)];
	enm_mesh_data mesh = {.positions_mm = positions, .normals = normals};
	const double strange[3] = {50, 50, 0};
	double at[3];
	for (size_t i = 2; i < KNOWN; i++) { /* two were not scanned */
		place(known_mm[i], 0.001, at);
		mesh.vertex_count += add_cap(at, RADIUS, 0.01, positions + 3 * mesh.vertex_count, normals + 3 * mesh.vertex_count);
	}
	mesh.vertex_count += add_cap(strange, RADIUS, 0.01, positions + 3 * mesh.vertex_count, normals + 3 * mesh.vertex_count);
	const double larger[3] = {60, 60, 0};
	mesh.vertex_count += add_cap(larger, 1.3 * RADIUS, 0.0, positions + 3 * mesh.vertex_count, normals + 3 * mesh.vertex_count);
	sphere_fit *fits;
	size_t count, of[KNOWN + 1], right = 0;
	assert_int_equal(spheres_find(&mesh, RADIUS, &fits, &count), HOST_OK);
	assert_int_equal(count, KNOWN - 1); /* ten of the object, and a strange one; not the larger one */
	assert_int_equal(spheres_match(fits, count, known_mm, KNOWN, of), KNOWN - 2);
	for (size_t i = 0; i < count; i++) {
		if (of[i] == SIZE_MAX)
			continue;
		place(known_mm[of[i]], 0.001, at);
		assert_true(of[i] >= 2 && fabs(fits[i].radius_mm - RADIUS) < 2e-3);
		for (int k = 0; k < 3; k++)
			right += fabs(fits[i].centre_mm[k] - at[k]) < 2e-3;
		assert_true(fits[i].top_mm[2] > fits[i].centre_mm[2] + 0.8 * RADIUS);
	}
	assert_int_equal(right, 3 * (KNOWN - 2));
	/* two of them are told by their distance, if no others have it; half an object of another shape is none */
	assert_int_equal(spheres_match(fits, count, (const double[][3]){{0, 0, 0}, {0, 0, 200}}, 2, of), 0);
	assert_int_equal(spheres_match(fits, count, (const double[][3]){{0, 0, 0}, {0, 0, 11}, {0, 13, 0}}, 3, of), 0);
	free(fits);
}

static void nothing_is_found_where_there_is_nothing(void **state)
{
	(void)state;
	sphere_fit *fits;
	size_t count;
	const enm_mesh_data empty = {.vertex_count = 0};
	assert_int_equal(spheres_find(&empty, RADIUS, &fits, &count), HOST_OK);
	assert_int_equal(count, 0);
	free(fits);
	const float one[3] = {0, 0, 0};
	const enm_mesh_data bare = {.vertex_count = 1, .positions_mm = one};
	assert_int_equal(spheres_find(&bare, RADIUS, &fits, &count), HOST_DATA);
	free(fits);
}

static void rejects_reference(const char *text, const char *end)
{
	scale_reference r;
	scratch_text("reference.json", text);
	assert_int_equal(reference_read(scratch_path("reference.json"), &r), HOST_USAGE);
	assert_failure_ends(end);
	assert_null(r.centres_mm);
}

static void references_are_read(void **state)
{
	(void)state;
	scale_reference r;
	scratch_text("reference.json", "{\"spheres\": [[0,0,0,2.5],[10,0,0,2.5],[0,20,0,2.5]], \"sigma_um\": 2}");
	assert_int_equal(reference_read(scratch_path("reference.json"), &r), HOST_OK);
	assert_true(r.count == 3 && r.radius_mm == 2.5 && r.centres_mm[2][1] == 20.0 && r.sigma_um == 2.0);
	reference_free(&r);
	rejects_reference("{}", "reference.json: spheres: missing, or no list");
	rejects_reference("{\"spheres\": [[0,0,0,2.5]]}", "spheres: 1 are not 2 to 1024");
	rejects_reference("{\"spheres\": [[0,0,0,2.5],[1,2,3]]}", "spheres: sphere 1: expected [x, y, z, radius]");
	rejects_reference("{\"spheres\": [[0,0,0,2.5],[1,\"2\",3,2.5]]}", "spheres: sphere 1: number 1 is none within 10000 mm");
	rejects_reference("{\"spheres\": [[0,0,0,-1],[1,2,3,2.5]]}", "spheres: sphere 0: a radius of -1 mm is below 0.1 mm");
	rejects_reference("{\"spheres\": [[0,0,0,2.5],[9,2,3,2]]}", "spheres: sphere 1: its radius is 2 mm, that of the first 2.5: one radius is wanted");
	rejects_reference("{\"spheres\": [[0,0,0,2.5],[0,0,0,2.5]]}", "spheres: sphere 1 is the same as sphere 0");
	rejects_reference("{\"spheres\": [[0,0,0,2.5],[9,0,0,2.5]], \"sigma_um\": -1}", "sigma_um: -1 is not within 0 to 1000");
	assert_int_equal(reference_read(scratch_path("none.json"), &r), HOST_USAGE);
}

static void rejects_points(const char *text, const char *end)
{
	distance_facts d;
	scratch_text("points.json", text);
	assert_int_equal(distances_read(scratch_path("points.json"), &d), HOST_USAGE);
	assert_failure_ends(end);
}

static void points_are_read(void **state)
{
	(void)state;
	distance_facts d;
	double sigma, covariance[36] = {0};
	scratch_text("points.json", "{\"landmarks\": {\"36_mb\": [3,0,0], \"46_mb\": [0,4,0]}}");
	assert_int_equal(distances_read(scratch_path("points.json"), &d), HOST_OK);
	assert_int_equal(d.count, 2);
	assert_string_equal(d.points[1].name, "46_mb");
	/* moved along the line by 0.05 mm in x (first) and 0.1 mm in y (second), together in part */
	covariance[0] = 0.0025;
	covariance[28] = 0.01;
	covariance[4] = covariance[24] = 0.002;
	d.covariance_mm2 = covariance;
	assert_true(fabs(distance_between(&d, 0, 1, &sigma) - 5.0) < 1e-9);
	const double wanted = 0.36 * 2500.0 + 0.64 * 10000.0 + 2.0 * 0.6 * 0.8 * 2000.0 + 8.0;
	assert_true(fabs(sigma * sigma - wanted) < 1e-6);
	rejects_points("{}", "points.json: landmarks: missing, or no object");
	rejects_points("{\"landmarks\": {\"a\": [0,0,0]}}", "landmarks: 1 are not 2 to 64");
	rejects_points("{\"landmarks\": {\"a\": [0,0,0], \"b\": [1]}}", "landmarks.b: expected 3 numbers");
	rejects_points("{\"landmarks\": {\"a\": [0,0,0], \"a name that is too long to be kept\": [1,2,3]}}", "is longer than 31 letters");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(spheres_are_found_and_known, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(nothing_is_found_where_there_is_nothing, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(references_are_read, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(points_are_read, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
