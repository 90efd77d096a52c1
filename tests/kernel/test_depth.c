/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/constants.h"
#include "gpu/guard.h"
#include "reference/depth.h"

typedef struct outputs {
	float *filtered, *normals; /* normals: four a pixel, the last is the weight */
} outputs;

static outputs read_outputs(const depth_stage *s)
{
	outputs o = {support_alloc(s->pixels, 4), support_alloc(s->pixels, 16)};
	support_pixels(s, o.filtered, o.normals);
	return o;
}

static void free_outputs(outputs *o)
{
	free(o->filtered);
	free(o->normals);
}

static outputs run(const enm_session_def *def, const float *depth)
{
	depth_stage stage;
	support_depth(&stage, def, depth);
	outputs o = read_outputs(&stage);
	depth_destroy(&stage);
	return o;
}

/* ---- conversion ---- */

/* Each value fills a patch of 8x8 pixels, whose middle is then fitted from it alone. */
#define PATCH 8

static void u16_units_and_range(void **state)
{
	(void)state;
	const uint16_t given[] = {0, 1, 1999, 2001, 13000, 39999, 40001, 65535};
	const double wanted[] = {0, 0, 0, 2.001, 13.0, 39.999, 0, 0};
	const uint32_t width = PATCH * 8 + 1, height = 17;
	enm_session_def def = support_def(width, height);
	depth_stage stage;
	uint16_t raw[(PATCH * 8 + 1) * 17] = {0};
	for (uint32_t i = 0; i < width * height; i++)
		raw[i] = i % width < PATCH * 8 ? given[i % width / PATCH] : 0;
	CHECK(depth_create(&test.budget, test.queue, &def, &stage));
	CHECK(gpu_write(test.queue, &stage.input[1], ENM_K_INPUT_DEPTH, raw, sizeof(raw), NULL));
	CHECK(depth_run(&stage, test.queue, 1, ENM_DEPTH_U16));
	outputs o = read_outputs(&stage);
	for (uint32_t i = 0; i < 8; i++)
		assert_near(o.filtered[8 * width + i * PATCH + 4], wanted[i], 1e-5);
	free_outputs(&o);
	depth_destroy(&stage);
}

static void f32_drops_what_is_no_reading(void **state)
{
	(void)state;
	const float given[] = {
		NAN, INFINITY, -INFINITY, -13.0f, 0.0f, -0.0f, 1.999f, 2.0f, 40.0f, 40.001f, 1e30f, 1e-40f};
	const float wanted[] = {0, 0, 0, 0, 0, 0, 0, 2.0f, 40.0f, 0, 0, 0};
	const uint32_t width = PATCH * 12, height = 16;
	enm_session_def def = support_def(width, height);
	float raw[PATCH * 12 * 16];
	for (uint32_t i = 0; i < width * height; i++)
		raw[i] = given[i % width / PATCH];
	outputs o = run(&def, raw);
	for (uint32_t i = 0; i < 12; i++)
		assert_true(o.filtered[8 * width + i * PATCH + 4] == wanted[i]);
	for (uint32_t i = 0; i < width * height; i++)
		assert_true(o.filtered[i] >= 0.0f && isfinite(o.normals[4 * i + 3]));
	free_outputs(&o);
}

/* The residual is of the second order, so that a fit of the second order keeps it. */
static void residual_is_subtracted(void **state)
{
	(void)state;
	enm_session_def def = support_def(33, 31);
	def.camera.residual = (enm_depth_residual){.bow_um = 40,
		.astigmatism_um = -15,
		.twist_um = 25,
		.tilt_x_um = 7,
		.tilt_y_um = -9,
		.constant_um = 100};
	float raw[33 * 31];
	for (int i = 0; i < 33 * 31; i++)
		raw[i] = 12.0f;
	outputs o = run(&def, raw);
	/* by hand: the centre has the constant alone, the place near the corner all terms */
	const double x = 2.0 * 30 / 32 - 1, y = 2.0 * 28 / 30 - 1;
	const double by_hand = 100 + 40 * (x * x + y * y) - 15 * (x * x - y * y) + 25 * x * y + 7 * x - 9 * y;
	assert_near(o.filtered[15 * 33 + 16], 12.0 - 0.100, 4e-6);
	assert_near(o.filtered[28 * 33 + 30], 12.0 - 0.001 * by_hand, 4e-6);
	for (uint32_t py = 2; py < 29; py++)
		for (uint32_t px = 2; px < 31; px++)
			assert_near(o.filtered[py * 33 + px], ref_depth_convert(&def, 12.0, px, py), 4e-6);
	free_outputs(&o);
}

/* An error larger than the reading leaves no reading behind the camera. */
static void residual_never_gives_negative_depth(void **state)
{
	(void)state;
	enm_session_def def = support_def(16, 16);
	def.camera.residual.constant_um = 5000;
	float raw[256];
	for (int i = 0; i < 256; i++)
		raw[i] = 3.0f;
	outputs o = run(&def, raw);
	for (int i = 0; i < 256; i++)
		assert_true(o.filtered[i] == 0.0f);
	free_outputs(&o);
}

/* ---- rays ---- */

static void rays_invert_the_projection(void **state)
{
	(void)state;
	enm_session_def def = support_def(support_size(161, 33), support_size(119, 21));
	const double distortion[5] = {-0.18, 0.06, 0.0012, -0.0007, -0.01};
	memcpy(def.camera.distortion, distortion, sizeof(distortion));
	const uint32_t w = def.camera.width, h = def.camera.height;
	float *rays = support_alloc(w * h, 8);
	depth_stage stage;
	CHECK(depth_create(&test.budget, test.queue, &def, &stage));
	support_read(&stage.rays, rays, w * h * 8);
	for (uint32_t i = 0; i < w * h; i++) {
		double pixel[2], ray[2];
		const double p[3] = {(double)rays[2 * i], (double)rays[2 * i + 1], 1.0};
		ref_project(&def.camera, p, pixel);
		/* floats of size 1 carry 6e-8; times a focal length of 200, and some for the iteration */
		assert_near(pixel[0], i % w, 2e-4);
		assert_near(pixel[1], i / w, 2e-4);
		ref_ray(&def.camera, i % w, i / w, ray);
		assert_near(p[0], ray[0], 1e-6);
		assert_near(p[1], ray[1], 1e-6);
	}
	depth_destroy(&stage);
	free(rays);
}

/* ---- fit ---- */

static float *rough_picture(const enm_session_def *def, uint64_t seed);

static void plane_in_front_is_exact(void **state)
{
	(void)state;
	enm_session_def def = support_def(33, 29);
	float raw[33 * 29];
	for (int i = 0; i < 33 * 29; i++)
		raw[i] = 13.0f;
	outputs o = run(&def, raw);
	for (int y = 0; y < 29; y++) {
		for (int x = 0; x < 33; x++) {
			const int i = y * 33 + x;
			const bool border = x < 2 || y < 2 || x > 30 || y > 26;
			assert_true(o.filtered[i] == (border ? 0.0f : 13.0f));
			assert_near(o.normals[4 * i + 2], border ? 0.0 : -1.0, 1e-6);
		}
	}
	assert_near(o.normals[4 * (14 * 33 + 16) + 3], 1.0, 2e-3); /* reference distance, straight on: weight 1 */
	free_outputs(&o);
}

/* The plane of each pixel passes through its reading, however the normal was rounded. */
static void planes_pass_through_their_readings(void **state)
{
	(void)state;
	enm_session_def def = support_def(support_size(97, 33), support_size(75, 25));
	const uint32_t n = def.camera.width * def.camera.height;
	float *raw = rough_picture(&def, 31);
	depth_stage stage;
	support_depth(&stage, &def, raw);
	outputs o = read_outputs(&stage);
	uint32_t *map = support_alloc(n, 16), readings = 0;
	support_read(&stage.pixel_map, map, n * 16);
	for (uint32_t i = 0; i < n; i++) {
		float offset;
		double ray[2];
		memcpy(&offset, &map[4 * i + 1], 4);
		ref_ray(&def.camera, i % def.camera.width, i / def.camera.width, ray);
		const float *normal = o.normals + 4 * i;
		const double z = (double)o.filtered[i];
		const double along = z * ((double)normal[0] * ray[0] + (double)normal[1] * ray[1] + (double)normal[2]);
		assert_near(along + (double)offset, 0.0, 3e-6); /* floats near 15 */
		assert_true((normal[3] > 0.0f) == (z > 0.0));
		readings += z > 0.0;
	}
	assert_true(readings > n / 2);
	free(map);
	free(raw);
	free_outputs(&o);
	depth_destroy(&stage);
}

static void tilted_plane_gives_its_normal(void **state)
{
	(void)state;
	enm_session_def def = support_def(support_size(97, 33), support_size(75, 25));
	const double tilt[] = {10, 30, 45, -30}, pi = acos(-1.0);
	for (int t = 0; t < 4; t++) {
		const double a = tilt[t] * pi / 180;
		const ref_scene scene = {REF_PLANE, sin(a) * 0.6, sin(a) * 0.8, -cos(a), -cos(a) * 13.0};
		const enm_pose pose = enm_pose_identity();
		float *raw = support_alloc(def.camera.width * def.camera.height, 4);
		ref_scene_render(&scene, &def.camera, &pose, 60.0, raw);
		outputs o = run(&def, raw);
		const uint32_t i = def.camera.height / 2 * def.camera.width + def.camera.width / 2;
		assert_near(o.filtered[i], raw[i], test.small ? 3e-4 : 5e-5); /* a hyperbola's fourth order */
		/* depth along the pixels is a hyperbola, the fit's slope that of its chord: an error of the third order
		 */
		assert_near(o.normals[4 * i], scene.a, 2e-3);
		assert_near(o.normals[4 * i + 1], scene.b, 2e-3);
		assert_near(o.normals[4 * i + 2], scene.c, 2e-3);
		free_outputs(&o);
		free(raw);
	}
}

static void quadratic_is_kept_at_the_centre(void **state)
{
	(void)state;
	enm_session_def def = support_def(31, 27);
	float raw[31 * 27];
	for (int y = 0; y < 27; y++)
		for (int x = 0; x < 31; x++)
			raw[y * 31 + x] =
				(float)(13.0 + 0.02 * (x - 15) - 0.01 * (y - 13) + 4e-3 * (x - 15) * (x - 15) -
					2e-3 * (y - 13) * (x - 15) + 3e-3 * (y - 13) * (y - 13));
	outputs o = run(&def, raw);
	for (int y = 3; y < 24; y++)
		for (int x = 3; x < 28; x++)
			assert_near(o.filtered[y * 31 + x], raw[y * 31 + x], 1e-5);
	free_outputs(&o);
}

static void step_is_not_mixed(void **state)
{
	(void)state;
	enm_session_def def = support_def(41, 33);
	float raw[41 * 33];
	for (int y = 0; y < 33; y++)
		for (int x = 0; x < 41; x++)
			raw[y * 41 + x] = x + y / 3 < 24 ? 11.0f : 13.5f;
	outputs o = run(&def, raw);
	int kept = 0;
	for (int i = 0; i < 41 * 33; i++) {
		const float z = o.filtered[i];
		if (z == 0.0f)
			continue;
		kept++;
		assert_near(z, raw[i], 1e-5);
		assert_near(o.normals[4 * i + 2], -1.0, 1e-5);
	}
	assert_true(kept > 37 * 29 * 9 / 10);
	free_outputs(&o);
}

/* A veil of mixed readings over a step, up to two pixels wide: what lies between both surfaces is on neither and has
 * too few like it. */
static void veil_at_a_step_is_dropped(void **state)
{
	(void)state;
	const float veil[][2] = {{11.8f, 0.0f}, {11.8f, 12.6f}, {12.3f, 12.3f}};
	/* a pixel is some 0.15 mm at 11 mm, so that readings 0.8 mm apart are not of one surface */
	enm_session_def def = support_def(65, 49);
	float raw[65 * 49];
	for (int k = 0; k < 3; k++) {
		const int width = veil[k][1] > 0.0f ? 2 : 1;
		for (int i = 0; i < 65 * 49; i++) {
			const int x = i % 65;
			raw[i] = x < 30 ? 11.0f : x < 30 + width ? veil[k][x - 30] : 13.5f;
		}
		outputs o = run(&def, raw);
		for (int y = 2; y < 47; y++) {
			for (int x = 2; x < 63; x++) {
				const bool mixed = x >= 30 && x < 30 + width;
				assert_true(o.filtered[y * 65 + x] == (mixed ? 0.0f : raw[y * 65 + x]));
			}
		}
		free_outputs(&o);
	}
}

/* A ridge of 0.3 mm, five pixels wide and 2 mm above the ground, stays whole; only its middle is averaged. */
static void thin_ridge_is_kept(void **state)
{
	(void)state;
	enm_session_def def = support_def(80, 60);
	def.camera.fx = def.camera.fy = 220; /* 0.059 mm a pixel at 13 mm */
	float raw[80 * 60];
	for (int i = 0; i < 80 * 60; i++)
		raw[i] = i % 80 >= 40 && i % 80 < 45 ? 13.0f : 15.0f;
	outputs o = run(&def, raw);
	for (int y = 2; y < 58; y++) {
		for (int x = 40; x < 45; x++) {
			const int i = y * 80 + x;
			assert_near(o.filtered[i], 13.0, 1e-5);
			assert_near(o.normals[4 * i + 2], -1.0, 1e-5);
			assert_true(x == 42 ? o.normals[4 * i + 3] > 0.99f : o.normals[4 * i + 3] < 0.2f);
		}
	}
	free_outputs(&o);
}

/* Readings within two pixels of a highlight's blind core, where it biases them, weigh at most a fifth of the others. */
static void ring_of_a_highlight_weighs_little(void **state)
{
	(void)state;
	enm_session_def def = support_def(65, 49);
	float raw[65 * 49];
	for (int i = 0; i < 65 * 49; i++) {
		const int dx = i % 65 - 32, dy = i / 65 - 24, r2 = dx * dx + dy * dy;
		raw[i] = r2 <= 4 ? 0.0f : r2 <= 16 ? 12.96f : 13.0f;
	}
	outputs o = run(&def, raw);
	const double whole = (double)o.normals[4 * (24 * 65 + 10) + 3];
	int ring = 0;
	for (int y = 2; y < 47; y++) {
		for (int x = 2; x < 63; x++) {
			const int i = y * 65 + x, dx = x - 32, dy = y - 24, r2 = dx * dx + dy * dy;
			if (r2 <= 4 || r2 > 16)
				continue;
			ring++;
			assert_true((double)o.normals[4 * i + 3] < 0.2 * whole);
		}
	}
	assert_int_equal(ring, 36);
	free_outputs(&o);
}

static void noise_is_averaged(void **state)
{
	(void)state;
	enm_session_def def = support_def(support_size(120, 40), support_size(90, 30));
	support_random random = {11};
	const uint32_t n = def.camera.width * def.camera.height;
	float *raw = support_alloc(n, 4);
	for (uint32_t i = 0; i < n; i++)
		raw[i] = (float)(13.0 + def.depth_sigma_mm * random_normal(&random));
	outputs o = run(&def, raw);
	double sum = 0, count = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (o.filtered[i] > 0.0f) {
			sum += ((double)o.filtered[i] - 13.0) * ((double)o.filtered[i] - 13.0);
			count++;
		}
	}
	/* the quadratic's noise gain is sqrt(27/175) = 0.39 */
	assert_true(sqrt(sum / count) < 0.5 * def.depth_sigma_mm);
	free_outputs(&o);
	free(raw);
}

static void weight_falls_with_incidence_and_distance(void **state)
{
	(void)state;
	enm_session_def def = support_def(65, 49);
	const double pi = acos(-1.0), cases[][2] = {{0, 13}, {40, 13}, {70, 13}, {74, 13}, {74, 20}, {74, 30}};
	const enm_pose pose = enm_pose_identity();
	float raw[65 * 49];
	double before = INFINITY;
	for (int i = 0; i < 6; i++) {
		const double a = cases[i][0] * pi / 180;
		const ref_scene scene = {REF_PLANE, sin(a), 0, -cos(a), -cos(a) * cases[i][1]};
		ref_scene_render(&scene, &def.camera, &pose, 60.0, raw);
		outputs o = run(&def, raw);
		const double weight = (double)o.normals[4 * (24 * 65 + 32) + 3];
		/* the noise along the normal does not grow with incidence; only what is grazing weighs less */
		assert_true(weight > 0.0 && (i == 1 ? fabs(weight - before) < 0.03 : weight < before));
		before = weight;
		free_outputs(&o);
	}
}

static void all_zero_and_all_maximum(void **state)
{
	(void)state;
	enm_session_def def = support_def(19, 23);
	const float fill[] = {0.0f, 40.0f, 1e9f};
	for (int f = 0; f < 3; f++) {
		float raw[19 * 23];
		for (int i = 0; i < 19 * 23; i++)
			raw[i] = fill[f];
		outputs o = run(&def, raw);
		for (int i = 0; i < 19 * 23; i++)
			assert_true(o.filtered[i] == 0.0f || (f == 1 && o.filtered[i] == 40.0f));
		free_outputs(&o);
	}
}

/* Bumps with noise, holes and outliers. */
static float *rough_picture(const enm_session_def *def, uint64_t seed)
{
	support_random random = {seed};
	const enm_pose pose = ref_pose_make(0.2, -0.1, 0.3, 0.5, -0.3, 0.1);
	const ref_scene scene = {REF_BUMPS, 13.0, 1.2, 0.9, 1.1};
	const uint32_t n = def->camera.width * def->camera.height;
	float *raw = support_alloc(n, 4);
	ref_scene_render(&scene, &def->camera, &pose, 60.0, raw);
	for (uint32_t i = 0; i < n; i++) {
		const double lot = random_in(&random, 0, 1);
		raw[i] += (float)(0.02 * random_normal(&random));
		if (lot < 0.04)
			raw[i] = 0.0f;
		else if (lot < 0.05)
			raw[i] += (float)random_in(&random, -3, 3);
	}
	return raw;
}

static void compare_with_reference(const enm_session_def *def, const float *raw, const outputs *o)
{
	uint32_t unsure = 0, n = def->camera.width * def->camera.height;
	for (uint32_t i = 0; i < n; i++) {
		const ref_depth_fit fit = ref_depth_fit_at(def, raw, i % def->camera.width, i / def->camera.width);
		if (fit.unsure) {
			unsure++;
			continue;
		}
		/* sums of 25 floats below 1 mm; slopes of mm a pixel divided by 0.05 mm a pixel */
		assert_near(o->filtered[i], fit.depth_mm, 5e-6);
		for (int k = 0; k < 3; k++)
			assert_near(o->normals[4 * i + (uint32_t)k], fit.normal[k], 1.2e-4);
		/* in steps of 1/16384, of which a usable reading has one at least */
		assert_near(o->normals[4 * i + 3], fit.weight, 1e-3 * fit.weight + 7e-5);
	}
	assert_true(unsure < n / 50 + 5);
}

static void random_pictures_agree_with_reference(void **state)
{
	(void)state;
	const uint32_t sizes[][2] = {{16, 16}, {37, 19}, {131, 77}};
	for (uint32_t i = 0; i < support_size(3, 2); i++) {
		enm_session_def def = support_def(sizes[i][0], sizes[i][1]);
		def.camera.distortion[0] = i == 1 ? -0.1 : 0.0;
		def.camera.distortion[2] = i == 1 ? 0.001 : 0.0;
		float *raw = rough_picture(&def, 100 + i);
		outputs o = run(&def, raw), again = run(&def, raw);
		const uint32_t n = sizes[i][0] * sizes[i][1];
		compare_with_reference(&def, raw, &o);
		assert_memory_equal(o.filtered, again.filtered, n * 4);
		assert_memory_equal(o.normals, again.normals, n * 16);
		free_outputs(&o);
		free_outputs(&again);
		free(raw);
	}
}

static void tiles_bound_their_readings(void **state)
{
	(void)state;
	enm_session_def def = support_def(53, 35);
	float *raw = rough_picture(&def, 5);
	depth_stage stage;
	support_depth(&stage, &def, raw);
	outputs o = read_outputs(&stage);
	assert_int_equal(stage.tiles_x, (53 + DEPTH_TILE - 1) / DEPTH_TILE);
	float *tiles = support_alloc(stage.tiles_x * stage.tiles_y, 16);
	support_read(&stage.tiles, tiles, (size_t)stage.tiles_x * stage.tiles_y * 16);
	for (uint32_t t = 0; t < stage.tiles_x * stage.tiles_y; t++) {
		float nearest = INFINITY, farthest = 0.0f, count = 0.0f;
		for (uint32_t i = 0; i < 53 * 35; i++) {
			if (o.filtered[i] == 0.0f || i % 53 / DEPTH_TILE != t % stage.tiles_x ||
				i / 53 / DEPTH_TILE != t / stage.tiles_x)
				continue;
			nearest = fminf(nearest, o.filtered[i]);
			farthest = fmaxf(farthest, o.filtered[i]);
			count++;
		}
		assert_true(tiles[4 * t] == (count > 0.0f ? nearest : 0.0f) && tiles[4 * t + 1] == farthest &&
			    tiles[4 * t + 2] == count);
	}
	free(tiles);
	free_outputs(&o);
	free(raw);
	depth_destroy(&stage);
}

/* The tests' own net: a kernel that is told of more pixels than its buffer holds must be caught. */
static void guard_bands_catch_a_write_behind_the_end(void **state)
{
	(void)state;
	enm_session_def def = support_def(40, 30);
	const char *damaged = NULL;
	if (!test.guards)
		skip();
	depth_stage stage;
	CHECK(depth_create(&test.budget, test.queue, &def, &stage));
	enm_k_camera larger = stage.camera;
	larger.height++;
	const gpu_arg args[] = {GPU_VALUE(larger), GPU_BUFFER(&stage.rays)};
	CHECK(gpu_launch(test.queue, &stage.k_rays, GPU_RANGE_2D(40, 31, 64, 1), args, 2));
	CHECK(gpu_finish(test.queue));
	CHECK(gpu_guard_check(test.device, &damaged));
	assert_string_equal(damaged, "rays");
	gpu_guard_enable(false);
	depth_destroy(&stage);
	CHECK(gpu_guard_check(test.device, &damaged));
	gpu_guard_enable(true);
}

KERNEL_TEST_MAIN(KERNEL_TEST(guard_bands_catch_a_write_behind_the_end), KERNEL_TEST(u16_units_and_range),
	KERNEL_TEST(f32_drops_what_is_no_reading), KERNEL_TEST(residual_is_subtracted),
	KERNEL_TEST(residual_never_gives_negative_depth), KERNEL_TEST(planes_pass_through_their_readings), KERNEL_TEST(rays_invert_the_projection),
	KERNEL_TEST(plane_in_front_is_exact), KERNEL_TEST(tilted_plane_gives_its_normal),
	KERNEL_TEST(quadratic_is_kept_at_the_centre), KERNEL_TEST(step_is_not_mixed), KERNEL_TEST(veil_at_a_step_is_dropped),
	KERNEL_TEST(thin_ridge_is_kept), KERNEL_TEST(ring_of_a_highlight_weighs_little), KERNEL_TEST(noise_is_averaged),
	KERNEL_TEST(weight_falls_with_incidence_and_distance), KERNEL_TEST(all_zero_and_all_maximum),
	KERNEL_TEST(random_pictures_agree_with_reference), KERNEL_TEST(tiles_bound_their_readings))
