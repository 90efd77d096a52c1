/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/pose.h"
#include "pipeline/view.h"

#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4
#define SHADE_NORMAL 3

typedef struct rig {
	enm_session_def def;
	model model;
	depth_stage depth;
	view_stage view;
	gpu_buffer state;
} rig;

/* Half a unit in the last of 11 bits, of a component of a unit vector; and by how much three of them tilt or stretch
 * one. */
#define HALF_STEP ldexp(1.0, -12)
#define HALF_TILT (sqrt(3.0) * HALF_STEP)

static rig make_rig(const ref_scene *scene, const double low[3], const double high[3], const enm_pose *pose)
{
	rig r = {.def = support_def(support_size(163, 33), support_size(117, 27))};
	ref_volume volume;
	const enm_k_track state = support_state(pose, ENM_K_VERDICT_TRACKED);
	r.def.tracker = ENM_TRACKER_RAYCAST;
	ref_volume_create(&volume, 8192, VOXEL_MM, TRUNCATION_MM);
	ref_volume_fill(&volume, scene, low, high, 9, 640);
	for (uint32_t i = 0; i < volume.count * ENM_K_BLOCK_VOXELS; i++)
		volume.voxels[i].red = volume.voxels[i].weight > 0 ? 200 : 0;
	support_model_create(&r.model, volume.count, 256, VOXEL_MM, TRUNCATION_MM);
	support_model_load(&r.model, &volume);
	CHECK(depth_create(&test.budget, test.queue, &r.def, &r.depth));
	CHECK(view_create(&test.budget, test.queue, &r.def, false, &r.view));
	support_state_create(&r.state, &state);
	ref_volume_destroy(&volume);
	return r;
}

static void drop_rig(rig *r)
{
	gpu_buffer_destroy(&r->state);
	view_destroy(&r->view);
	depth_destroy(&r->depth);
	model_destroy(&r->model);
}

/* The same with the raycast's normals in the other storage. */
static void remake_view(rig *r, bool halves)
{
	view_destroy(&r->view);
	CHECK(view_create(&test.budget, test.queue, &r->def, halves, &r->view));
}

static const double low[3] = {-8, -8, 8}, high[3] = {8, 8, 20};

/* Each point lies on the scene, each normal is the scene's, and where the true ray meets the model's middle there is
 * one. */
static void check_points(rig *r, const ref_scene *scene, const enm_pose *eye, double distance_mm, double cosine_min)
{
	const size_t n = (size_t)r->view.width * r->view.height;
	const ref_pose pose = ref_pose_from(eye);
	float *points = support_alloc(n, 16), *normals = support_alloc(n, 16),
	      *truth = support_alloc(r->depth.pixels, 4);
	size_t hits = 0, wanted = 0;
	CHECK(view_follow(&r->view, test.queue, &r->depth, &r->model, &r->state));
	support_read(&r->view.points, points, n * 16);
	support_normals(&r->view, normals);
	ref_scene_render(scene, &r->def.camera, eye, 60.0, truth);
	for (size_t i = 0; i < n; i++) {
		const size_t stride = (size_t)r->view.stride, x = i % r->view.width * stride + stride / 2,
			     y = i / r->view.width * stride + stride / 2;
		const double z = (double)truth[y * r->def.camera.width + x],
			     p[3] = {(double)points[4 * i], (double)points[4 * i + 1], (double)points[4 * i + 2]};
		double ray[3] = {0, 0, 1}, world[3], normal[3];
		ref_ray(&r->def.camera, (double)x, (double)y, ray);
		const double q[3] = {ray[0] * z, ray[1] * z, z};
		ref_pose_apply(&pose, q, world);
		/* well inside the volume, and not grazing */
		const bool sure =
			z > 0 && fabs(world[0]) < 6.5 && fabs(world[1]) < 6.5 && world[2] > 9 && world[2] < 18;
		ref_scene_normal(scene, world, normal);
		double view_ray[3];
		ref_pose_rotate(&pose, ray, view_ray);
		const bool steep = sure && -ref_dot(normal, view_ray) / ref_length(ray) < 0.35;
		wanted += sure && !steep;
		hits += sure && !steep && points[4 * i + 3] == 1.0f;
		if (points[4 * i + 3] == 0.0f || steep)
			continue;
		assert_near(ref_scene_distance(scene, p), 0.0, distance_mm);
		const double given[3] = {
			(double)normals[4 * i], (double)normals[4 * i + 1], (double)normals[4 * i + 2]};
		assert_near(ref_length(given), 1.0, r->view.halves ? HALF_TILT : 1e-5);
		ref_scene_normal(scene, p, normal);
		assert_true(ref_dot(given, normal) > cosine_min);
	}
	assert_true(wanted > n / 10);
	assert_int_equal(hits, wanted);
	free(points);
	free(normals);
	free(truth);
}

static void points_lie_on_the_surface(void **state)
{
	(void)state;
	const ref_scene scenes[] = {
		{REF_PLANE, 0.3, -0.2, -0.9327379, -0.9327379 * 13.0},
		{REF_SPHERE, 0.3, -0.2, 14.0, 3.0},
		{REF_BUMPS, 13.0, 0.7, 1.1, 0.9},
	};
	/* a plane is linear between voxels; a sphere of 3 mm bends by 0.1^2 / (8 * 3) = 0.4 um in a voxel, the bumps by
	 * more; the gradient within a cell turns by half of that bend a voxel */
	const double distance_mm[] = {1e-3, 2e-3, 6e-3}, cosine_min[] = {0.99999, 0.999, 0.985};
	for (uint32_t i = 0; i < support_size(3, 2); i++) {
		const enm_pose eye = ref_pose_make(0.05, -0.04, 0.3, 0.2, 0.1, -0.1);
		rig r = make_rig(&scenes[i], low, high, &eye);
		check_points(&r, &scenes[i], &eye, distance_mm[i], cosine_min[i]);
		remake_view(&r, true);
		/* the length may be off too */
		check_points(
			&r, &scenes[i], &eye, distance_mm[i], cos(acos(cosine_min[i]) + HALF_TILT) * (1.0 - HALF_TILT));
		drop_rig(&r);
	}
}

/* Half the bytes; the points are the same, and each component of a normal is the nearest half. */
static void halves_are_the_floats_rounded(void **state)
{
	(void)state;
	const ref_scene bumps = {REF_BUMPS, 13.0, 0.7, 1.1, 0.9};
	const enm_pose eye = ref_pose_make(0.05, -0.04, 0.3, 0.2, 0.1, -0.1);
	rig r = make_rig(&bumps, low, high, &eye);
	const size_t n = (size_t)r.view.width * r.view.height;
	float *points[2], *normals[2];
	size_t rounded = 0;
	for (int halves = 0; halves < 2; halves++) {
		remake_view(&r, halves == 1);
		assert_int_equal(r.view.points.bytes, n * 16);
		assert_int_equal(r.view.normals.bytes, n * (halves == 1 ? 8 : 16));
		points[halves] = support_alloc(n, 16);
		normals[halves] = support_alloc(n, 16);
		CHECK(view_follow(&r.view, test.queue, &r.depth, &r.model, &r.state));
		support_read(&r.view.points, points[halves], n * 16);
		support_normals(&r.view, normals[halves]);
	}
	assert_memory_equal(points[0], points[1], n * 16);
	for (size_t i = 0; i < 4 * n; i++) {
		const double exact = (double)normals[0][i];
		/* half a step of the exponent's, which below 2^-14 is that of the least one */
		assert_near(normals[1][i], exact, fmax(ldexp(fabs(exact), -11), ldexp(1.0, -25)));
		rounded += normals[1][i] != normals[0][i];
	}
	assert_true(rounded > n); /* the floats have more than 11 bits */
	for (int halves = 0; halves < 2; halves++) {
		free(points[halves]);
		free(normals[halves]);
	}
	drop_rig(&r);
}

static enm_view_def picture_def(uint32_t width, uint32_t height)
{
	enm_view_def def = enm_view_def_default(width, height);
	def.shade = (enm_shade)SHADE_NORMAL;
	def.background_rgb[0] = 1;
	def.background_rgb[1] = 2;
	def.background_rgb[2] = 3;
	return def;
}

static uint8_t *render(rig *r, const enm_view_def *def)
{
	uint8_t *rgba = support_alloc((size_t)def->width * def->height, 4);
	CHECK(view_render(&r->view, &test.budget, test.queue, &r->model, &r->state, def, rgba));
	return rgba;
}

static void assert_background(const uint8_t *p)
{
	assert_true(p[0] == 1 && p[1] == 2 && p[2] == 3 && p[3] == 0);
}

/* A sphere of 3 mm under 20 pixels a mm has an outline of 60 pixels and normals of its own. */
static void orthographic_sphere(void **state)
{
	(void)state;
	const ref_scene sphere = {REF_SPHERE, 0, 0, 14, 3};
	const enm_pose eye = enm_pose_identity();
	rig r = make_rig(&sphere, low, high, &eye);
	enm_view_def def = picture_def(support_size(161, 41), support_size(141, 37));
	const double scale = support_size(20, 5);
	def.orthographic = true;
	def.focal_pixels = scale;
	uint8_t *rgba = render(&r, &def), *again = render(&r, &def);
	for (uint32_t y = 0; y < def.height; y++) {
		for (uint32_t x = 0; x < def.width; x++) {
			const double mx = (x - 0.5 * (def.width - 1)) / scale,
				     my = (y - 0.5 * (def.height - 1)) / scale, away = hypot(mx, my);
			const uint8_t *p = rgba + 4 * (y * def.width + x);
			if (away > 3.05)
				assert_background(p);
			if (away > 2.7)
				continue;
			/* the normal in the eye's frame, shown with y and z turned: 8 bits, and a voxel's width of bend
			 */
			assert_int_equal(p[3], 255);
			assert_near(p[0], 255 * (0.5 + 0.5 * mx / 3), 3.5);
			assert_near(p[1], 255 * (0.5 - 0.5 * my / 3), 3.5);
			assert_near(p[2], 255 * (0.5 + 0.5 * sqrt(1 - away * away / 9)), 4.5);
		}
	}
	assert_memory_equal(rgba, again, (size_t)def.width * def.height * 4);
	free(rgba);
	free(again);
	drop_rig(&r);
}

static void perspective_from_another_side(void **state)
{
	(void)state;
	const ref_scene sphere = {REF_SPHERE, 0, 0, 14, 3};
	/* 12 mm aside, looking back along -x: the camera's z is the world's -x */
	const enm_pose eye = ref_pose_make(0, -acos(-1.0) / 2, 0, 12, 0, 14);
	rig r = make_rig(&sphere, low, high, &eye);
	enm_view_def def = picture_def(support_size(121, 33), support_size(121, 33));
	def.world_from_eye = eye;
	def.focal_pixels = 1.5 * def.width;
	uint8_t *rgba = render(&r, &def);
	const uint8_t *middle = rgba + 4 * (def.height / 2 * def.width + def.width / 2);
	assert_near(middle[0], 127.5, 3);
	assert_near(middle[1], 127.5, 3);
	assert_near(middle[2], 255, 2);
	assert_background(rgba);
	assert_background(rgba + 4 * ((size_t)def.width * def.height - 1));
	/* the outline: tan(asin(3 / 12)) */
	const double outline = def.focal_pixels * tan(asin(0.25));
	uint32_t covered = 0;
	for (uint32_t i = 0; i < def.width * def.height; i++)
		covered += rgba[4 * i + 3] == 255;
	assert_near(covered, acos(-1.0) * outline * outline, 0.05 * covered + 20);
	free(rgba);
	drop_rig(&r);
}

static void shades_differ_and_away_is_background(void **state)
{
	(void)state;
	const ref_scene sphere = {REF_SPHERE, 0, 0, 14, 3};
	const enm_pose eye = enm_pose_identity();
	rig r = make_rig(&sphere, low, high, &eye);
	enm_view_def def = picture_def(17, 9);
	def.focal_pixels = 20;
	for (int shade = 0; shade < 4; shade++) {
		def.shade = (enm_shade)shade;
		uint8_t *rgba = render(&r, &def);
		const uint8_t *p = rgba + 4 * (4 * 17 + 8);
		assert_int_equal(p[3], 255);
		if (shade == 1) /* the model is red */
			assert_true(p[0] > 100 && p[1] < p[0] / 2 && p[2] < p[0] / 2);
		free(rgba);
	}
	def.world_from_eye = ref_pose_make(0, acos(-1.0), 0, 0, 0, 0); /* looking away */
	uint8_t *rgba = render(&r, &def);
	for (int i = 0; i < 17 * 9; i++)
		assert_background(rgba + 4 * i);
	free(rgba);
	drop_rig(&r);
}

static void empty_model_is_background(void **state)
{
	(void)state;
	const ref_scene sphere = {REF_SPHERE, 0, 0, 14, 3};
	const enm_pose eye = enm_pose_identity();
	rig r = make_rig(&sphere, low, high, &eye);
	CHECK(model_clear(&r.model, test.queue));
	const enm_view_def def = picture_def(33, 1);
	uint8_t *rgba = render(&r, &def);
	for (int i = 0; i < 33; i++)
		assert_background(rgba + 4 * i);
	free(rgba);
	drop_rig(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(points_lie_on_the_surface), KERNEL_TEST(halves_are_the_floats_rounded),
	KERNEL_TEST(orthographic_sphere), KERNEL_TEST(perspective_from_another_side),
	KERNEL_TEST(shades_differ_and_away_is_background), KERNEL_TEST(empty_model_is_background))
