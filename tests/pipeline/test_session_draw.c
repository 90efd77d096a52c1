/* SPDX-License-Identifier: Apache-2.0
 * Drawings through the public interface: a scan's mesh looks as its volume does, what is picked is exact, and bad arguments change nothing. */
#include "scan.h"

#include <math.h>

#define WIDTH 160u
#define HEIGHT 120u
#define BYTES ((size_t)WIDTH * HEIGHT * 4)

/* ---- the volume and its mesh ---- */

typedef struct scanned {
	enm_session *session;
	enm_mesh *mesh;
	enm_drawing *drawing;
	uint32_t id;
	enm_view_def view; /* from a little behind the first camera */
} scanned;

static scanned scan_it(void)
{
	scanned s = {.session = scan_session(&the_scan.def), .view = enm_view_def_default(WIDTH, HEIGHT)};
	outcome o = {0};
	enm_mesh_def def = enm_mesh_def_default();
	def.views_min = 1; /* a picture of the volume shows all that was seen */
	def.island_triangles_min = 0;
	scan_run(s.session, 0, SCAN_FRAMES, &o);
	outcome_drop(&o);
	WANT(ENM_OK, enm_session_mesh(s.session, &def, &s.mesh));
	WANT(ENM_OK, enm_drawing_create(the_context, 0, &s.drawing));
	WANT(ENM_OK, enm_drawing_add(s.drawing, s.mesh, NULL, &s.id));
	s.view.world_from_eye = ref_pose_make(0.1, -0.05, 0.0, 0.0, 0.0, -2.0);
	s.view.focal_pixels = 1.2 * WIDTH;
	return s;
}

static void drop(scanned *s)
{
	enm_drawing_destroy(&s->drawing);
	enm_mesh_destroy(&s->mesh);
	enm_session_destroy(&s->session);
}

/* Mean difference of the colours where both have the model; fails where their outlines differ by more than a few pixels. */
static double compare(const uint8_t *a, const uint8_t *b)
{
	double sum = 0.0;
	size_t both = 0, one = 0;
	for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
		both += a[4 * i + 3] && b[4 * i + 3];
		one += (a[4 * i + 3] != 0) != (b[4 * i + 3] != 0);
		for (size_t k = 0; k < 3 && a[4 * i + 3] && b[4 * i + 3]; k++)
			sum += fabs((double)a[4 * i + k] - (double)b[4 * i + k]) / 3.0;
	}
	assert_true(both > WIDTH * HEIGHT / 4);
	assert_true(one < both / 25);
	return sum / (double)both;
}

static void mesh_looks_as_the_volume(void **state)
{
	(void)state;
	static uint8_t volume[BYTES], mesh[BYTES], again[BYTES];
	const enm_shade shades[] = {ENM_SHADE_CLAY, ENM_SHADE_COLOR, ENM_SHADE_VIEWS, ENM_SHADE_QUALITY, ENM_SHADE_INCIDENCE, ENM_SHADE_FLAGS};
	scanned s = scan_it();
	for (size_t i = 0; i < 2 * sizeof(shades) / sizeof(shades[0]); i++) {
		s.view.shade = shades[i / 2];
		s.view.orthographic = i % 2 == 1;
		s.view.focal_pixels = i % 2 == 1 ? WIDTH / 16.0 : 1.2 * WIDTH;
		s.view.cut = i % 4 == 1;
		s.view.cut_normal[0] = 0.8;
		s.view.cut_normal[1] = 0.6;
		s.view.cut_mm = 1.0;
		WANT(ENM_OK, enm_session_render(s.session, &s.view, volume, BYTES));
		WANT(ENM_OK, enm_drawing_render(s.drawing, &s.view, mesh, BYTES));
		WANT(ENM_OK, enm_drawing_render(s.drawing, &s.view, again, BYTES));
		assert_memory_equal(mesh, again, BYTES);
		const double apart = compare(volume, mesh);
		print_message("shade %d: %.2f of 255 apart\n", (int)s.view.shade, apart);
		assert_true(apart < 6.0);
	}
	drop(&s);
}

static void picks_of_both_agree(void **state)
{
	(void)state;
	scanned s = scan_it();
	double worst_mm = 0.0;
	size_t hits = 0;
	for (int i = 0; i < 40; i++) {
		enm_hit volume, mesh;
		const double x = WIDTH * (0.3 + 0.4 * (i % 7) / 6.0) + 0.37, y = HEIGHT * (0.3 + 0.4 * (i / 7) / 5.0) - 0.21;
		const enm_result a = enm_session_pick(s.session, &s.view, x, y, &volume), b = enm_drawing_pick(s.drawing, &s.view, x, y, &mesh);
		if (a != ENM_OK || b != ENM_OK)
			continue;
		double apart[3];
		for (int k = 0; k < 3; k++)
			apart[k] = volume.position_mm[k] - mesh.position_mm[k];
		worst_mm = fmax(worst_mm, ref_length(apart));
		hits++;
		assert_true(ref_dot(volume.normal, mesh.normal) > 0.95 && fabs(ref_length(mesh.normal) - 1.0) < 1e-6);
		assert_true(fabs(volume.depth_mm - mesh.depth_mm) < 0.02);
		assert_true(mesh.mesh == s.id && volume.mesh == 0 && volume.triangle == UINT32_MAX);
		assert_true(!mesh.from_behind && !volume.from_behind);
		assert_true(volume.views > 0 && mesh.views > 0 && volume.sigma_um > 0.0f);
		assert_true(fabsf(volume.sigma_um - mesh.sigma_um) < 0.2f * mesh.sigma_um);
	}
	print_message("%zu picks, %.1f um apart at most\n", hits, 1e3 * worst_mm);
	assert_true(hits >= 35 && worst_mm < 0.01);
	enm_hit hit;
	WANT(ENM_EMPTY, enm_session_pick(s.session, &s.view, -1e5, 0.0, &hit));
	assert_int_equal(hit.triangle, 0);
	drop(&s);
}

/* ---- made-up meshes ---- */

/* A triangle in the plane z = 10 + 0.1 x, the front towards -z. */
static enm_mesh *one_triangle(void)
{
	static const float positions[9] = {-4, -4, 9.6f, -4, 4, 9.6f, 4, 0, 10.4f};
	static const uint32_t triangles[3] = {0, 1, 2};
	static const uint16_t views[3] = {3, 30, 300};
	static const float sigma_um[3] = {1, 2, 4};
	const enm_mesh_data data = {
		.vertex_count = 3, .triangle_count = 1, .positions_mm = positions, .triangles = triangles, .views = views, .sigma_um = sigma_um};
	enm_mesh *mesh;
	WANT(ENM_OK, enm_mesh_create(&data, &mesh));
	return mesh;
}

static void what_is_picked_is_exact(void **state)
{
	(void)state;
	enm_drawing *d;
	enm_mesh *mesh = one_triangle();
	uint32_t id;
	WANT(ENM_OK, enm_drawing_create(the_context, 0, &d));
	/* far from the origin: single precision would be off by 60 um there */
	const enm_pose far = ref_pose_make(0.2, 0.3, -0.1, 1000.0, -2000.0, 500.0);
	const ref_pose world = ref_pose_from(&far);
	WANT(ENM_OK, enm_drawing_add(d, mesh, &far, &id));
	enm_mesh_destroy(&mesh); /* the drawing has its own */
	enm_view_def view = enm_view_def_default(WIDTH, HEIGHT);
	view.world_from_eye = far;
	for (int i = 0; i < 2; i++) {
		view.orthographic = i == 1;
		view.focal_pixels = i == 1 ? 8.0 : 100.0;
		const double x = 0.5 * (WIDTH - 1) + 3.3, y = 0.5 * (HEIGHT - 1) - 1.7;
		enm_hit hit;
		WANT(ENM_OK, enm_drawing_pick(d, &view, x, y, &hit));
		/* where the ray meets the plane, with the corners' heights as single precision has them */
		const double low = (double)9.6f, rise = ((double)10.4f - low) / 8.0, u = 3.3 / view.focal_pixels, v = -1.7 / view.focal_pixels;
		const double z = i == 1 ? low + rise * (u + 4.0) : (low + 4.0 * rise) / (1.0 - rise * u);
		const double local[3] = {i == 1 ? u : u * z, i == 1 ? v : v * z, z};
		double truth[3], apart[3];
		ref_pose_apply(&world, local, truth);
		for (int k = 0; k < 3; k++)
			apart[k] = truth[k] - hit.position_mm[k];
		assert_true(ref_length(apart) < 1e-9 && fabs(hit.depth_mm - z) < 1e-9);
		assert_true(fabs(hit.barycentric[0] + hit.barycentric[1] + hit.barycentric[2] - 1.0) < 1e-12);
		assert_true(fabs(4.0 * (hit.barycentric[2] - hit.barycentric[0] - hit.barycentric[1]) - local[0]) < 1e-6);
		assert_true(hit.mesh == id && hit.triangle == 0 && !hit.from_behind);
		assert_true(hit.views > 3 && hit.views < 255 && hit.sigma_um > 1.0f && hit.sigma_um < 4.0f);
	}
	enm_drawing_destroy(&d);
}

static void jaws_are_shown_hidden_placed_and_removed(void **state)
{
	(void)state;
	static uint8_t rgba[BYTES];
	enm_drawing *d;
	enm_mesh *mesh = one_triangle();
	uint32_t near, far;
	double low[3], high[3];
	enm_hit hit;
	enm_view_def view = enm_view_def_default(WIDTH, HEIGHT);
	const enm_pose back = ref_pose_make(0, 0, 0, 0, 0, 5), ahead = ref_pose_make(0, 0, 0, 0, 0, -5);
	const double x = 0.5 * (WIDTH - 1), y = 0.5 * (HEIGHT - 1);
	WANT(ENM_OK, enm_drawing_create(the_context, 0, &d));
	WANT(ENM_EMPTY, enm_drawing_bounds(d, low, high));
	WANT(ENM_OK, enm_drawing_render(d, &view, rgba, BYTES));
	assert_true(rgba[0] == view.background_rgb[0] && rgba[BYTES - 1] == 0);
	WANT(ENM_EMPTY, enm_drawing_pick(d, &view, x, y, &hit));
	WANT(ENM_OK, enm_drawing_add(d, mesh, NULL, &near));
	WANT(ENM_OK, enm_drawing_add(d, mesh, &back, &far));
	assert_true(near == 1 && far == 2);
	WANT(ENM_OK, enm_drawing_pick(d, &view, x, y, &hit));
	assert_int_equal(hit.mesh, near);
	WANT(ENM_OK, enm_drawing_show(d, near, false));
	WANT(ENM_OK, enm_drawing_pick(d, &view, x, y, &hit));
	assert_true(hit.mesh == far && hit.triangle == 0 && fabs(hit.depth_mm - 15.0) < 1e-6);
	WANT(ENM_OK, enm_drawing_bounds(d, low, high));
	assert_true(fabs(low[2] - 14.6) < 1e-6 && fabs(high[2] - 15.4) < 1e-6 && fabs(low[0] + 4) < 1e-6);
	WANT(ENM_OK, enm_drawing_show(d, near, true));
	WANT(ENM_OK, enm_drawing_place(d, far, &ahead));
	WANT(ENM_OK, enm_drawing_pick(d, &view, x, y, &hit));
	assert_true(hit.mesh == far && fabs(hit.depth_mm - 5.0) < 1e-6);
	enm_drawing_stats stats;
	WANT(ENM_OK, enm_drawing_get_stats(d, &stats));
	assert_true(stats.meshes == 2 && stats.meshes_visible == 2 && stats.triangles == 2 && stats.vertices == 6 && stats.device_bytes > 0);
	WANT(ENM_OK, enm_drawing_remove(d, near));
	WANT(ENM_E_ARGUMENT, enm_drawing_show(d, near, true));
	WANT(ENM_OK, enm_drawing_pick(d, &view, x, y, &hit));
	assert_int_equal(hit.mesh, far);
	WANT(ENM_OK, enm_drawing_add(d, mesh, NULL, &near));
	assert_int_equal(near, 3); /* names are not used again */
	enm_mesh_destroy(&mesh);
	enm_drawing_destroy(&d);
	assert_null(d);
	enm_drawing_destroy(&d);
}

static void what_it_has_is_told(void **state)
{
	(void)state;
	static const float deviation_um[3] = {1, 2, 3};
	enm_drawing *d;
	enm_mesh *mesh = one_triangle();
	uint32_t id;
	bool has;
	const struct {
		enm_shade shade;
		bool has;
	} wanted[] = {{ENM_SHADE_CLAY, true}, {ENM_SHADE_COLOR, false}, {ENM_SHADE_VIEWS, true}, {ENM_SHADE_NORMAL, true}, {ENM_SHADE_QUALITY, true},
		{ENM_SHADE_INCIDENCE, true}, {ENM_SHADE_FLAGS, true}, {ENM_SHADE_DEVIATION, false}};
	WANT(ENM_OK, enm_drawing_create(the_context, 0, &d));
	WANT(ENM_OK, enm_drawing_add(d, mesh, NULL, &id));
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		WANT(ENM_OK, enm_drawing_has(d, id, wanted[i].shade, &has));
		assert_true(has == wanted[i].has);
	}
	WANT(ENM_E_ARGUMENT, enm_drawing_set_deviation(d, id, deviation_um, 2));
	WANT(ENM_E_ARGUMENT, enm_drawing_set_deviation(d, id, NULL, 3));
	WANT(ENM_OK, enm_drawing_set_deviation(d, id, deviation_um, 3));
	WANT(ENM_OK, enm_drawing_has(d, id, ENM_SHADE_DEVIATION, &has));
	assert_true(has);
	WANT(ENM_OK, enm_drawing_set_deviation(d, id, NULL, 0));
	WANT(ENM_OK, enm_drawing_has(d, id, ENM_SHADE_DEVIATION, &has));
	assert_true(!has);
	enm_mesh_destroy(&mesh);
	enm_drawing_destroy(&d);
}

/* ---- what is refused ---- */

static void too_much_is_refused(void **state)
{
	(void)state;
	static uint8_t rgba[BYTES];
	enm_drawing *d;
	enm_mesh *mesh = one_triangle();
	const enm_view_def view = enm_view_def_default(WIDTH, HEIGHT);
	uint32_t id;
	WANT(ENM_OK, enm_drawing_create(the_context, 100, &d));
	WANT(ENM_E_CAPACITY, enm_drawing_add(d, mesh, NULL, &id));
	assert_int_equal(id, 0);
	assert_non_null(strstr(enm_last_error(), "3 vertices and 1 triangles"));
	WANT(ENM_E_CAPACITY, enm_drawing_render(d, &view, rgba, BYTES));
	enm_drawing_destroy(&d);
	WANT(ENM_OK, enm_drawing_create(the_context, BYTES / 2 * 7, &d));
	WANT(ENM_OK, enm_drawing_add(d, mesh, NULL, &id));
	WANT(ENM_OK, enm_drawing_render(d, &view, rgba, BYTES)); /* three words a pixel */
	enm_mesh_destroy(&mesh);
	enm_drawing_destroy(&d);
}

static void check_bad_views(enm_drawing *d, enm_session *s, const enm_view_def *bad, const char *field)
{
	static uint8_t rgba[BYTES];
	enm_hit hit;
	enm_legend legend;
	uint8_t rgb[3];
	WANT(ENM_E_ARGUMENT, enm_drawing_render(d, bad, rgba, BYTES));
	assert_non_null(strstr(enm_last_error(), field));
	WANT(ENM_E_ARGUMENT, enm_session_render(s, bad, rgba, BYTES));
	WANT(ENM_E_ARGUMENT, enm_drawing_pick(d, bad, 0, 0, &hit));
	WANT(ENM_E_ARGUMENT, enm_session_pick(s, bad, 0, 0, &hit));
	WANT(ENM_E_ARGUMENT, enm_view_legend(bad, &legend));
	WANT(ENM_E_ARGUMENT, enm_view_legend_color(bad, 0, rgb));
}

static void bad_views_are_refused(void **state)
{
	(void)state;
	enm_drawing *d;
	enm_session *s = scan_session(&the_scan.def);
	const enm_view_def good = enm_view_def_default(WIDTH, HEIGHT);
	WANT(ENM_OK, enm_drawing_create(the_context, 0, &d));
#define BAD_VIEW(name, change)                                                                                         \
	do {                                                                                                           \
		enm_view_def v = good;                                                                                 \
		change;                                                                                                \
		check_bad_views(d, s, &v, name);                                                                       \
	} while (0)
	BAD_VIEW("not made by", v.cookie = 1);
	BAD_VIEW("size", v.width = 0);
	BAD_VIEW("size", v.height = 8193);
	BAD_VIEW("focal_pixels", v.focal_pixels = NAN);
	BAD_VIEW("world_from_eye", v.world_from_eye.t_mm[1] = NAN);
	BAD_VIEW("world_from_eye", v.world_from_eye.q_xyzw[3] = 0.5);
	BAD_VIEW("shade", v.shade = (enm_shade)8);
	BAD_VIEW("shade", v.shade = (enm_shade)-1);
	BAD_VIEW("shade_low", v.shade_low = NAN);
	BAD_VIEW("shade_low", v.shade_low = 3);
	BAD_VIEW("shade_low", v.shade_high = INFINITY);
	BAD_VIEW("cut_normal", v.cut = true);
	BAD_VIEW("cut_normal", v.cut = true; v.cut_normal[0] = NAN);
	BAD_VIEW("cut_mm", v.cut = true; v.cut_normal[0] = 1; v.cut_mm = NAN);
#undef BAD_VIEW
	enm_drawing_destroy(&d);
	enm_session_destroy(&s);
}

static void bad_arguments_are_refused(void **state)
{
	(void)state;
	static uint8_t rgba[BYTES];
	enm_drawing *d = NULL;
	enm_session *s = scan_session(&the_scan.def);
	enm_mesh *mesh = one_triangle();
	const enm_view_def view = enm_view_def_default(WIDTH, HEIGHT);
	enm_pose bad = enm_pose_identity();
	uint32_t id = 7;
	enm_hit hit;
	enm_legend legend;
	double low[3], high[3];
	bool has;
	bad.q_xyzw[0] = NAN;
	WANT(ENM_E_ARGUMENT, enm_drawing_create(NULL, 0, &d));
	WANT(ENM_E_ARGUMENT, enm_drawing_create(the_context, 0, NULL));
	WANT(ENM_OK, enm_drawing_create(the_context, 0, &d));
	WANT(ENM_E_ARGUMENT, enm_drawing_add(NULL, mesh, NULL, &id));
	WANT(ENM_E_ARGUMENT, enm_drawing_add(d, NULL, NULL, &id));
	WANT(ENM_E_ARGUMENT, enm_drawing_add(d, mesh, NULL, NULL));
	WANT(ENM_E_ARGUMENT, enm_drawing_add(d, mesh, &bad, &id));
	assert_int_equal(id, 0);
	WANT(ENM_OK, enm_drawing_add(d, mesh, NULL, &id));
	WANT(ENM_E_ARGUMENT, enm_drawing_place(d, id, NULL));
	WANT(ENM_E_ARGUMENT, enm_drawing_place(d, id, &bad));
	WANT(ENM_E_ARGUMENT, enm_drawing_place(d, 0, NULL));
	WANT(ENM_E_ARGUMENT, enm_drawing_remove(d, 99));
	WANT(ENM_E_ARGUMENT, enm_drawing_remove(NULL, id));
	WANT(ENM_E_ARGUMENT, enm_drawing_has(d, id, ENM_SHADE_CLAY, NULL));
	WANT(ENM_E_ARGUMENT, enm_drawing_has(d, id, (enm_shade)9, &has));
	WANT(ENM_E_ARGUMENT, enm_drawing_render(NULL, &view, rgba, BYTES));
	WANT(ENM_E_ARGUMENT, enm_drawing_render(d, NULL, rgba, BYTES));
	WANT(ENM_E_ARGUMENT, enm_drawing_render(d, &view, NULL, BYTES));
	WANT(ENM_E_ARGUMENT, enm_drawing_render(d, &view, rgba, BYTES - 1));
	WANT(ENM_E_ARGUMENT, enm_drawing_pick(d, &view, NAN, 0, &hit));
	WANT(ENM_E_ARGUMENT, enm_drawing_pick(d, &view, 0, 2e6, &hit));
	WANT(ENM_E_ARGUMENT, enm_drawing_pick(d, &view, 0, 0, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_pick(NULL, &view, 0, 0, &hit));
	WANT(ENM_E_ARGUMENT, enm_session_pick(s, &view, INFINITY, 0, &hit));
	WANT(ENM_E_ARGUMENT, enm_drawing_bounds(NULL, low, high));
	WANT(ENM_E_ARGUMENT, enm_drawing_get_stats(d, NULL));
	WANT(ENM_E_ARGUMENT, enm_view_legend(&view, NULL));
	WANT(ENM_E_ARGUMENT, enm_view_legend_color(&view, 0, NULL));
	WANT(ENM_OK, enm_view_legend(&view, &legend));
	assert_int_equal(legend.kind, ENM_LEGEND_NONE);
	enm_mesh_destroy(&mesh);
	enm_drawing_destroy(&d);
	enm_session_destroy(&s);
}

SCAN_TEST_MAIN(cmocka_unit_test(mesh_looks_as_the_volume), cmocka_unit_test(picks_of_both_agree), cmocka_unit_test(what_is_picked_is_exact),
	cmocka_unit_test(jaws_are_shown_hidden_placed_and_removed), cmocka_unit_test(what_it_has_is_told), cmocka_unit_test(too_much_is_refused),
	cmocka_unit_test(bad_views_are_refused), cmocka_unit_test(bad_arguments_are_refused))
