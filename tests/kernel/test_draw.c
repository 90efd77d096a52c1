/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/picture.h"
#include "core/pose.h"
#include "reference/draw.h"
#include "surface/draw.h"

#define MESHES 2

typedef struct rig {
	draw_stage stage;
	enm_mesh *meshes[MESHES];
	draw_mesh drawn[MESHES];
	draw_item items[MESHES];
	uint32_t count;
} rig;

static void rig_open(rig *r)
{
	memset(r, 0, sizeof(*r));
	CHECK(draw_create(test.device, &r->stage));
}

/* Takes the mesh. */
static void rig_add(rig *r, enm_mesh *mesh, const enm_pose *eye_from_mesh)
{
	const uint32_t i = r->count++;
	assert_true(i < MESHES);
	r->meshes[i] = mesh;
	CHECK(draw_mesh_create(&test.budget, test.queue, mesh, &r->drawn[i]));
	r->items[i] = (draw_item){&r->drawn[i], pose_to_device(eye_from_mesh)};
}

static void rig_close(rig *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		draw_mesh_destroy(&r->drawn[i]);
		enm_mesh_destroy(&r->meshes[i]);
	}
	draw_destroy(&r->stage);
}

static uint32_t *find(rig *r, const enm_k_view *view)
{
	uint32_t *numbers = support_alloc((size_t)view->width * (size_t)view->height, 4);
	CHECK(draw_find(&r->stage, &test.budget, test.queue, view, r->items, r->count, numbers));
	return numbers;
}

static uint8_t *render(rig *r, const enm_view_def *def)
{
	const enm_k_view view = picture_view(def);
	uint8_t *rgba = support_alloc((size_t)def->width * def->height, 4);
	CHECK(draw_render(&r->stage, &test.budget, test.queue, &view, r->items, r->count, rgba));
	return rgba;
}

static enm_mesh *make_mesh(const float *positions, size_t vertices, const uint32_t *triangles, size_t triangle_count)
{
	const enm_mesh_data data = {
		.vertex_count = vertices, .triangle_count = triangle_count, .positions_mm = positions, .triangles = triangles};
	enm_mesh *mesh;
	CHECK(enm_mesh_create(&data, &mesh));
	return mesh;
}

/* Triangles of all sizes around the eye: specks, slivers, some through the near plane, behind the eye, larger than the picture, and of no area. */
static enm_mesh *random_mesh(uint64_t seed, uint32_t triangles)
{
	support_random random = {seed};
	float *positions = support_alloc((size_t)triangles * 9, sizeof(*positions));
	uint32_t *corners = support_alloc((size_t)triangles * 3, sizeof(*corners));
	for (uint32_t t = 0; t < triangles; t++) {
		const double size = pow(10.0, random_in(&random, -2.0, t % 7 == 0 ? 2.0 : 0.7)), far = random_in(&random, -10.0, 60.0);
		const double at[3] = {random_in(&random, -0.5, 0.5) * fabs(far), random_in(&random, -0.5, 0.5) * fabs(far), far};
		for (uint32_t k = 0; k < 9; k++)
			positions[9 * t + k] = (float)(at[k % 3] + random_in(&random, -size, size));
		for (uint32_t k = 0; k < 3; k++)
			corners[3 * t + k] = t % 23 == 5 && k == 2 ? 3 * t : 3 * t + k; /* of no area: a corner twice */
	}
	enm_mesh *mesh = make_mesh(positions, (size_t)triangles * 3, corners, triangles);
	free(positions);
	free(corners);
	return mesh;
}

static ref_draw_view reference_view(const enm_k_view *v)
{
	ref_draw_view out = {(double)v->focal, (double)v->cx, (double)v->cy, (double)v->near_mm, v->orthographic != 0, v->cut != 0, {0}, (double)v->cut_mm};
	for (int k = 0; k < 3; k++)
		out.cut_normal[k] = (double)v->cut_normal[k];
	return out;
}

static ref_draw_mesh reference_mesh(const rig *r, uint32_t i)
{
	ref_draw_mesh m = {.positions_mm = r->meshes[i]->positions_mm, .triangles = r->meshes[i]->triangles, .triangle_count = r->drawn[i].triangles};
	for (int k = 0; k < 9; k++)
		m.eye_from_mesh.r[k] = (double)r->items[i].eye_from_mesh.r[k];
	for (int k = 0; k < 3; k++)
		m.eye_from_mesh.t[k] = (double)r->items[i].eye_from_mesh.t[k];
	return m;
}

/* A hair: single precision of coordinates up to 100 mm. */
#define HAIR_MM 3e-5
#define DEPTH_MM 2e-4

/* The device's triangle must be one that the ray meets, or passes by a hair, and no triangle that it surely meets may be nearer. */
static void check_pixel(rig *r, const ref_draw_view *view, double x, double y, uint32_t number)
{
	double sure_mm = INFINITY, found_mm = NAN, found_error_mm = 0.0;
	for (uint32_t i = 0, first = 0; i < r->count; first += r->drawn[i++].triangles) {
		const ref_draw_mesh mesh = reference_mesh(r, i);
		for (uint32_t t = 0; t < mesh.triangle_count; t++) {
			ref_draw_pass pass;
			if (ref_draw_meet(view, &mesh, t, x, y, DEPTH_MM, &pass) && pass.inside_mm > HAIR_MM)
				sure_mm = fmin(sure_mm, pass.depth_mm + DEPTH_MM + pass.depth_error_mm);
			if (first + t == number && ref_draw_meet(view, &mesh, t, x, y, -DEPTH_MM, &pass) && pass.inside_mm > -HAIR_MM) {
				found_mm = pass.depth_mm;
				found_error_mm = pass.depth_error_mm;
			}
		}
	}
	if (number == ENM_K_DRAW_NONE) {
		assert_true(isinf(sure_mm));
		return;
	}
	assert_true(!isnan(found_mm));
	assert_true(found_mm <= sure_mm + DEPTH_MM + found_error_mm);
}

static void check_random(const enm_view_def *def, uint64_t seed)
{
	rig r;
	rig_open(&r);
	const enm_pose poses[MESHES] = {enm_pose_identity(), ref_pose_make(0.3, -0.2, 0.1, 1.0, -2.0, 3.0)};
	for (uint32_t i = 0; i < MESHES; i++)
		rig_add(&r, random_mesh(seed + i, support_size(257, 65) + i), &poses[i]);
	const enm_k_view view = picture_view(def);
	const ref_draw_view reference = reference_view(&view);
	uint32_t *numbers = find(&r, &view), *again = find(&r, &view), covered = 0;
	for (uint32_t i = 0; i < def->width * def->height; i++) {
		check_pixel(&r, &reference, (double)(i % def->width), (double)(i / def->width), numbers[i]);
		covered += numbers[i] != ENM_K_DRAW_NONE;
	}
	assert_true(covered > def->width * def->height / 10);
	assert_memory_equal(numbers, again, (size_t)def->width * def->height * 4);
	free(numbers);
	free(again);
	rig_close(&r);
}

static void nearest_triangles_are_the_references(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= support_size(6, 2); seed++) {
		enm_view_def def = enm_view_def_default(support_size(83, 21), support_size(47, 13));
		def.orthographic = seed % 2 == 0;
		def.focal_pixels = def.orthographic ? def.width / 50.0 : 1.2 * def.width;
		def.cut = seed % 3 == 0;
		def.cut_normal[0] = 0.6;
		def.cut_normal[2] = -0.8;
		def.cut_mm = -20.0;
		check_random(&def, 100 * seed);
	}
}

/* A wall of squares whose corners and edges lie exactly in pixels' middles: whoever tests edges carelessly leaves holes. */
static enm_mesh *wall(uint32_t squares, double edge_mm, double z_mm)
{
	const uint32_t side = squares + 1;
	float *positions = support_alloc((size_t)side * side * 3, sizeof(*positions));
	uint32_t *triangles = support_alloc((size_t)squares * squares * 6, sizeof(*triangles)), *t = triangles;
	for (uint32_t i = 0; i < side * side; i++) {
		positions[3 * i] = (float)((i % side - 0.5 * squares) * edge_mm);
		positions[3 * i + 1] = (float)((i / side - 0.5 * squares) * edge_mm);
		positions[3 * i + 2] = (float)z_mm;
	}
	for (uint32_t i = 0; i < squares * squares; i++) {
		const uint32_t a = i / squares * side + i % squares, b = a + 1, c = a + side, d = c + 1;
		const uint32_t six[6] = {a, c, b, b, c, d}; /* the front is towards -z */
		memcpy(t, six, sizeof(six));
		t += 6;
	}
	enm_mesh *mesh = make_mesh(positions, (size_t)side * side, triangles, (size_t)squares * squares * 2);
	free(positions);
	free(triangles);
	return mesh;
}

static void shared_edges_leave_no_gap(void **state)
{
	(void)state;
	const uint32_t squares = support_size(32, 12);
	for (int k = 0; k < 4; k++) {
		/* edges in pixels' middles; then every ray through one of a tilted wall that reaches behind the eye */
		const enm_pose pose = k < 2 ? enm_pose_identity() : ref_pose_make(0.0, 1.2, 0.1, 0.3, 0.2, 6.0);
		enm_view_def def = enm_view_def_default(2 * squares - 3, 2 * squares - 5);
		rig r;
		rig_open(&r);
		rig_add(&r, wall(squares, k < 2 ? 0.25 : 4.0, k < 2 ? 8.0 : 0.0), &pose);
		def.orthographic = k % 2 == 1;
		def.focal_pixels = def.orthographic ? 8.0 : 64.0;
		const enm_k_view view = picture_view(&def);
		const ref_draw_view reference = reference_view(&view);
		const ref_draw_mesh mesh = reference_mesh(&r, 0);
		uint32_t *numbers = find(&r, &view), wanted = 0;
		for (uint32_t i = 0; i < def.width * def.height; i++) {
			/* inside the whole wall: its two outer triangles tell where its plane is met */
			ref_draw_pass pass;
			const bool met = ref_draw_meet(&reference, &mesh, 0, i % def.width, i / def.width, 1e-3, &pass) && pass.depth_mm < 40.0;
			wanted += met;
			assert_true(!met || numbers[i] != ENM_K_DRAW_NONE);
		}
		assert_true(wanted > def.width * def.height / 4);
		free(numbers);
		rig_close(&r);
	}
}

/* The same triangles in another order: the same depths, and so the same picture. Of triangles in one place the first is seen. */
static void order_is_of_no_consequence(void **state)
{
	(void)state;
	enm_view_def def = enm_view_def_default(61, 37);
	enm_mesh *mesh = random_mesh(77, 200), *turned = random_mesh(77, 200);
	for (uint32_t t = 0; t < 100; t++)
		for (uint32_t k = 0; k < 3; k++) {
			const uint32_t swap = turned->triangles[3 * t + k];
			turned->triangles[3 * t + k] = turned->triangles[3 * (199 - t) + k];
			turned->triangles[3 * (199 - t) + k] = swap;
		}
	const enm_pose here = enm_pose_identity();
	rig a, b;
	rig_open(&a);
	rig_open(&b);
	rig_add(&a, mesh, &here);
	rig_add(&b, turned, &here);
	uint8_t *first = render(&a, &def), *second = render(&b, &def);
	assert_memory_equal(first, second, (size_t)def.width * def.height * 4);
	rig_add(&a, random_mesh(77, 200), &here); /* all of it again */
	const enm_k_view view = picture_view(&def);
	uint32_t *numbers = find(&a, &view), covered = 0;
	for (uint32_t i = 0; i < def.width * def.height; i++) {
		assert_true(numbers[i] == ENM_K_DRAW_NONE || numbers[i] < 200);
		covered += numbers[i] != ENM_K_DRAW_NONE;
	}
	assert_true(covered > 200);
	free(first);
	free(second);
	free(numbers);
	rig_close(&a);
	rig_close(&b);
}

/* ---- how it is painted ---- */

/* One square of 2 mm, seen along the axis from 10 mm. */
static uint8_t *render_square(const enm_view_def *def, bool from_behind, float views, float sigma_um, const float *value_um)
{
	rig r;
	enm_mesh *mesh = wall(1, 2.0, 10.0);
	mesh->views = support_alloc(4, sizeof(*mesh->views));
	mesh->sigma_um = support_alloc(4, sizeof(*mesh->sigma_um));
	mesh->colors_rgb = support_alloc(4, 3);
	for (size_t i = 0; i < 4; i++) {
		mesh->views[i] = (uint16_t)views;
		mesh->sigma_um[i] = sigma_um;
		memcpy(&mesh->colors_rgb[3 * i], (const uint8_t[3]){200, 20, 0}, 3);
	}
	const enm_pose pose = from_behind ? ref_pose_make(0.0, acos(-1.0), 0.0, 0.0, 0.0, 20.0) : enm_pose_identity();
	rig_open(&r);
	rig_add(&r, mesh, &pose);
	if (value_um != NULL)
		CHECK(draw_mesh_values(&test.budget, test.queue, &r.drawn[0], value_um));
	uint8_t *rgba = render(&r, def);
	rig_close(&r);
	return rgba;
}

static enm_view_def square_def(enm_shade shade)
{
	enm_view_def def = enm_view_def_default(33, 33);
	def.orthographic = true;
	def.focal_pixels = 12.0;
	def.shade = shade;
	return def;
}

static const uint8_t *middle(const uint8_t *rgba)
{
	return rgba + 4 * (16 * 33 + 16);
}

/* How bright maps are where the surface faces the eye: kernels/shade.h. */
static double map_light(void)
{
	const double key = 0.7 / sqrt(0.4 * 0.4 + 0.6 * 0.6 + 0.7 * 0.7);
	return 0.45 + 0.55 * (0.15 + 0.45 * key + 0.40);
}

static void check_legend(const enm_view_def *def, const uint8_t *pixel, double value)
{
	uint8_t rgb[3];
	CHECK(enm_view_legend_color(def, value, rgb));
	for (int k = 0; k < 3; k++)
		assert_near(pixel[k], map_light() * rgb[k], 1.6);
}

static void maps_are_those_of_the_legend(void **state)
{
	(void)state;
	for (int i = 0; i <= (int)support_size(40, 8); i++) {
		const double share = i / (double)support_size(40, 8) * 1.2 - 0.1; /* beyond both ends too */
		enm_view_def def = square_def(ENM_SHADE_QUALITY);
		def.shade_low = i % 2 ? 0.0 : 3.0;
		def.shade_high = i % 2 ? 0.0 : 11.0;
		const double sigma = i % 2 ? 20.0 * share : 3.0 + 8.0 * share;
		uint8_t *rgba = render_square(&def, false, 9, (float)sigma, NULL);
		check_legend(&def, middle(rgba), sigma);
		free(rgba);
		def = square_def(ENM_SHADE_VIEWS);
		const double views = fmax(1.0, round(40.0 * share));
		rgba = render_square(&def, false, (float)views, 5.0f, NULL);
		check_legend(&def, middle(rgba), views);
		free(rgba);
		def = square_def(ENM_SHADE_DEVIATION);
		const float um = (float)(-100.0 + 200.0 * share), values[4] = {um, um, um, um};
		rgba = render_square(&def, false, 9, 5.0f, values);
		check_legend(&def, middle(rgba), (double)um);
		free(rgba);
	}
}

static void flags_are_those_of_the_legend(void **state)
{
	(void)state;
	enm_view_def def = square_def(ENM_SHADE_FLAGS);
	const struct {
		float views, sigma_um;
		double flags;
	} places[] = {{5, 10, 0}, {4, 10, ENM_FLAG_FEW_VIEWS}, {5, 10.5f, ENM_FLAG_LOW_CONFIDENCE}, {1, 99, 3}, {0, NAN, 0}};
	enm_legend legend;
	CHECK(enm_view_legend(&def, &legend));
	assert_int_equal(legend.kind, ENM_LEGEND_KINDS);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint8_t *rgba = render_square(&def, false, places[i].views, places[i].sigma_um, NULL);
		check_legend(&def, middle(rgba), places[i].flags);
		for (uint32_t e = 0; e < legend.entry_count; e++)
			if (legend.entries[e].flags == (uint32_t)places[i].flags)
				for (int k = 0; k < 3; k++)
					assert_near(middle(rgba)[k], map_light() * legend.entries[e].rgb[k], 1.6);
		free(rgba);
	}
}

static void what_is_not_known_is_clay(void **state)
{
	(void)state;
	const enm_shade shades[] = {ENM_SHADE_VIEWS, ENM_SHADE_QUALITY, ENM_SHADE_DEVIATION};
	const float holes[4] = {NAN, 1, 2, NAN};
	for (size_t i = 0; i < 3; i++) {
		const enm_view_def def = square_def(shades[i]);
		uint8_t *rgba = render_square(&def, false, 0, NAN, i == 2 ? holes : NULL);
		check_legend(&def, middle(rgba), NAN);
		free(rgba);
	}
}

static void behind_is_darker_and_colors_are_the_meshes(void **state)
{
	(void)state;
	enm_view_def def = square_def(ENM_SHADE_COLOR);
	uint8_t *front = render_square(&def, false, 9, 5.0f, NULL), *behind = render_square(&def, true, 9, 5.0f, NULL);
	assert_true(middle(front)[0] > 140 && middle(front)[1] < 60 && middle(front)[3] == 255);
	assert_true(middle(behind)[0] < 0.65 * middle(front)[0] && middle(behind)[0] > 40 && middle(behind)[3] == 255);
	assert_true(front[0] == def.background_rgb[0] && front[3] == 0);
	free(front);
	free(behind);
	def = square_def(ENM_SHADE_INCIDENCE);
	front = render_square(&def, false, 9, 5.0f, NULL);
	check_legend(&def, middle(front), 0.0);
	free(front);
	def = square_def(ENM_SHADE_NORMAL);
	front = render_square(&def, false, 9, 5.0f, NULL);
	assert_near(middle(front)[0], 127.5, 1);
	assert_near(middle(front)[2], 255, 1);
	free(front);
}

static void cut_leaves_a_line(void **state)
{
	(void)state;
	enm_view_def def = square_def(ENM_SHADE_CLAY);
	uint8_t *whole = render_square(&def, false, 9, 5.0f, NULL);
	def.cut = true;
	def.cut_normal[0] = 1.0;
	def.cut_mm = 0.25; /* 3 pixels right of the middle */
	uint8_t *cut = render_square(&def, false, 9, 5.0f, NULL);
	const uint8_t *a = whole + 4 * 16 * 33, *b = cut + 4 * 16 * 33;
	assert_memory_equal(a + 4 * 10, b + 4 * 10, 4);
	assert_true(a[4 * 22 + 3] == 255 && b[4 * 22 + 3] == 0);
	assert_int_equal(b[4 * 20 + 3], 0);
	assert_int_equal(b[4 * 19 + 3], 255);
	assert_near(b[4 * 19], 0.80 * 255, 1); /* the colour of cuts */
	assert_near(b[4 * 19 + 1], 0.47 * 255, 1);
	free(whole);
	free(cut);
}

static void nothing_is_background(void **state)
{
	(void)state;
	const enm_view_def def = enm_view_def_default(17, 3);
	const enm_pose here = enm_pose_identity();
	rig r;
	rig_open(&r);
	uint8_t *none = render(&r, &def);
	rig_add(&r, make_mesh(NULL, 0, NULL, 0), &here);
	uint8_t *empty = render(&r, &def);
	for (uint32_t i = 0; i < 17 * 3; i++)
		assert_true(none[4 * i] == def.background_rgb[0] && none[4 * i + 3] == 0);
	assert_memory_equal(none, empty, 17 * 3 * 4);
	free(none);
	free(empty);
	rig_close(&r);
}

KERNEL_TEST_MAIN(KERNEL_TEST(nearest_triangles_are_the_references), KERNEL_TEST(shared_edges_leave_no_gap), KERNEL_TEST(order_is_of_no_consequence),
	KERNEL_TEST(maps_are_those_of_the_legend), KERNEL_TEST(flags_are_those_of_the_legend), KERNEL_TEST(what_is_not_known_is_clay),
	KERNEL_TEST(behind_is_darker_and_colors_are_the_meshes), KERNEL_TEST(cut_leaves_a_line), KERNEL_TEST(nothing_is_background))
