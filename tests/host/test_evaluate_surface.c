/* SPDX-License-Identifier: Apache-2.0
 * The evaluator's surface figures on shapes whose answers are known. */
#include "align.h"
#include "seen.h"
#include "shapes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UM 1e-3

static void near(double is, double should, double tolerance)
{
	if (!(fabs(is - should) <= tolerance))
		fail_msg("%.9g is not within %.3g of %.9g", is, tolerance, should);
}

static rigid motion(double angle, double x, double y, double z)
{
	const double w[3] = {0.6 * angle, -0.48 * angle, 0.64 * angle}, v[3] = {x, y, z}, centre[3] = {0, 13, 3};
	return rigid_small(w, v, centre);
}

static void change_rigid(void *user, double p[3], const double normal[3])
{
	(void)normal;
	double moved[3];
	rigid_point(user, p, moved);
	memcpy(p, moved, sizeof(moved));
}

static void change_offset(void *user, double p[3], const double normal[3])
{
	for (int i = 0; i < 3; i++)
		p[i] += *(double *)user * normal[i];
}

/* ---- algebra ---------------------------------------------------------------------------------------------------- */

static void test_rigid(void **state)
{
	(void)state;
	for (int k = 0; k < 40; k++) {
		const double angle = 3.14159265358979 * k / 39;
		const rigid a = motion(angle, 1, -2, 3), inverse = rigid_inverse(&a),
			    back = rigid_compose(&inverse, &a);
		double q[4];
		near(rigid_angle(&a), angle, 1e-12);
		near(rigid_angle(&back), 0, 1e-12);
		near(vec_length(back.t), 0, 1e-12);
		rigid_to_quaternion(&a, q);
		const rigid again = rigid_from_quaternion(a.t, q);
		for (int i = 0; i < 9; i++)
			near(again.r[i], a.r[i], 1e-12);
	}
	const rigid none = rigid_identity(), whole = motion(1, 2, 0, 0), half = rigid_between(&none, &whole, 0.5);
	near(rigid_angle(&half), 0.5, 1e-12);
	near(half.t[0], 0.5 * whole.t[0], 1e-12);
}

static void test_rigid_fit(void **state)
{
	(void)state;
	double from[9][3], to[9][3];
	const rigid truth = motion(2.9, 40, -7, 5);
	rigid found;
	for (int i = 0; i < 9; i++) {
		from[i][0] = i;
		from[i][1] = (i * i) % 5;
		from[i][2] = (i * 7) % 4;
		rigid_point(&truth, from[i], to[i]);
	}
	assert_true(rigid_fit((const double(*)[3])from, (const double(*)[3])to, 9, &found));
	for (int i = 0; i < 9; i++)
		near(found.r[i], truth.r[i], 1e-12);
	near(vec_distance(found.t, truth.t), 0, 1e-11);
	assert_false(rigid_fit((const double(*)[3])from, (const double(*)[3])to, 2, &found));
	for (int i = 0; i < 9; i++)
		from[i][1] = from[i][2] = 0; /* on a line */
	assert_false(rigid_fit((const double(*)[3])from, (const double(*)[3])to, 9, &found));
}

static void test_stats(void **state)
{
	(void)state;
	double values[200];
	for (int i = 0; i < 200; i++)
		values[i] = 200 - i;
	const stats s = stats_of(values, 200);
	near(s.mean, 100.5, 1e-12);
	near(s.median, 100, 0);
	near(s.p95, 190, 0);
	near(s.p99, 198, 0);
	near(s.max, 200, 0);
	assert_int_equal(stats_of(values, 0).count, 0);
	near(stats_of(values, 1).p99, 1, 0);
}

/* ---- closest point
 * --------------------------------------------------------------------------------------------------- */

static double random_between(uint64_t *seed, double low, double high)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return low + (high - low) * (double)(*seed >> 11) / 9007199254740992.0;
}

/* The least distance over a fine net of each triangle bounds the exact one from above. */
static void test_closest_point(void **state)
{
	(void)state;
	surface s = shape_open(shape_grid(9, 5, shape_arch, NULL, NULL));
	uint64_t seed = 7;
	for (int k = 0; k < 60; k++) {
		const double p[3] = {
			random_between(&seed, -30, 30), random_between(&seed, -5, 30), random_between(&seed, -5, 12)};
		double best = INFINITY;
		for (size_t t = 0; t < s.data.triangle_count; t++)
			for (int a = 0; a <= 60; a++)
				for (int b = 0; a + b <= 60; b++) {
					double q[3] = {0}, corner[3];
					const double w[3] = {a / 60.0, b / 60.0, (60 - a - b) / 60.0};
					for (size_t c = 0; c < 3; c++) {
						surface_vertex(&s, s.data.triangles[3 * t + c], corner);
						for (int i = 0; i < 3; i++)
							q[i] += w[c] * corner[i];
					}
					best = fmin(best, vec_distance(p, q));
				}
		surface_hit hit;
		assert_true(surface_closest(&s, p, INFINITY, &hit));
		near(vec_distance(p, hit.point), hit.distance_mm, 1e-9);
		assert_true(hit.distance_mm <= best + 1e-9);
		near(hit.distance_mm, best, 0.2);
		const double exact = hit.distance_mm;
		assert_false(surface_closest(&s, p, 0.99 * exact, &hit));
		assert_true(surface_near(&s, p, exact + 1e-3, &hit));
		near(hit.distance_mm, exact, 1e-9);
		assert_true(surface_near(&s, p, 0.5 * exact, &hit));
		near(vec_distance(p, hit.point), hit.distance_mm, 1e-9);
		assert_true(hit.distance_mm >= exact - 1e-9 && hit.distance_mm <= 1.1 * exact + 1e-3);
	}
	surface_close(&s);
}

/* ---- best-fit and trueness -------------------------------------------------------------------------------------- */

static alignment best_fit(const surface *recon, const surface *truth)
{
	const rigid start = rigid_identity();
	alignment a;
	if (align_best_fit(recon, truth, &start, 1, &a) != HOST_OK)
		fail_msg("%s", host_error_text());
	return a;
}

static trueness score(const surface *recon, const surface *truth, const rigid *truth_from_recon)
{
	trueness t;
	assert_int_equal(score_trueness(recon, truth, truth_from_recon, NULL, &t), HOST_OK);
	return t;
}

static void test_moved_truth_fits_back(void **state)
{
	(void)state;
	surface truth = shape_open(shape_grid(300, 60, shape_arch, NULL, NULL));
	static const double motions[][4] = {{0.002, 0.01, 0, 0}, {0.03, 0.5, -0.3, 0.2}, {0.1, 1.5, -1, 1}};
	for (int k = 0; k < 3; k++) {
		rigid recon_from_truth = motion(motions[k][0], motions[k][1], motions[k][2], motions[k][3]);
		surface recon = shape_open(shape_changed(&truth, change_rigid, &recon_from_truth));
		const alignment a = best_fit(&recon, &truth);
		assert_true(a.converged);
		const trueness fitted = score(&recon, &truth, &a.truth_from_recon);
		near(fitted.distance_mm.max, 0, 0.05 * UM);
		const rigid rest = rigid_compose(&a.truth_from_recon, &recon_from_truth);
		near(rigid_angle(&rest), 0, 1e-6);
		/* Pinned by a pose that knows the motion, it lies right too; as placed it does not. */
		const rigid pinned = rigid_inverse(&recon_from_truth), none = rigid_identity();
		near(score(&recon, &truth, &pinned).distance_mm.max, 0, 0.05 * UM);
		assert_true(score(&recon, &truth, &none).distance_mm.mean > 3 * UM);
		surface_close(&recon);
	}
	surface_close(&truth);
}

static void test_plate_lifted(void **state)
{
	(void)state;
	surface truth = shape_open(shape_grid(21, 21, shape_plate, NULL, NULL));
	rigid up = rigid_identity();
	up.t[2] = 0.1;
	surface recon = shape_open(shape_changed(&truth, change_rigid, &up));
	const rigid none = rigid_identity();
	trueness t = score(&recon, &truth, &none);
	near(t.distance_mm.mean, 0.1, 1e-6);
	near(t.distance_mm.p99, 0.1, 1e-6);
	near(t.bias_mm, 0.1, 1e-6);
	rigid down = rigid_identity();
	down.t[2] = -0.3;
	t = score(&recon, &truth, &down);
	near(t.bias_mm, -0.2, 1e-6);
	down.t[2] = -3.1; /* 3 mm below: counted as 2 */
	t = score(&recon, &truth, &down);
	near(t.distance_mm.mean, 2, 1e-6);
	near(t.bias_mm, -2, 1e-6);
	near(t.over_max_share, 1, 0);
	surface_close(&recon);
	surface_close(&truth);
}

static void test_offset_is_bias(void **state)
{
	(void)state;
	double offset_mm = 30 * UM;
	surface arch = shape_open(shape_grid(400, 80, shape_arch, NULL, NULL));
	surface thick = shape_open(shape_changed(&arch, change_offset, &offset_mm));
	const rigid none = rigid_identity();
	trueness t = score(&thick, &arch, &none);
	near(t.bias_mm, 30 * UM, 0.5 * UM);
	near(t.distance_mm.mean, 30 * UM, 0.5 * UM);
	near(t.distance_mm.p95, 30 * UM, 0.5 * UM);
	surface_close(&thick);
	surface_close(&arch);

	/* A closed body cannot shift its bias away. */
	static const double centres[4][3] = {{0, 0, 0}, {9, 2, 1}, {3, 11, -1}, {4, 5, 9}};
	surface balls = shape_open(shape_spheres(centres, 4, 4));
	offset_mm = -30 * UM;
	surface thin = shape_open(shape_changed(&balls, change_offset, &offset_mm));
	const alignment a = best_fit(&thin, &balls);
	t = score(&thin, &balls, &a.truth_from_recon);
	near(t.bias_mm, -30 * UM, 1 * UM); /* the facets are 2 um deep */
	surface_close(&thin);
	surface_close(&balls);
}

/* Right where the scan began, 0.3 mm too high and too far out at the other end, as drift does. */
static void change_bend(void *user, double p[3], const double normal[3])
{
	(void)user;
	(void)normal;
	const double share = (p[0] + 27) / 54;
	p[0] += 0.3 * share * share * share;
	p[2] += 0.3 * share * share;
}

static void test_bent_arch(void **state)
{
	(void)state;
	surface truth = shape_open(shape_grid(300, 60, shape_arch, NULL, NULL));
	surface bent = shape_open(shape_changed(&truth, change_bend, NULL));
	const rigid none = rigid_identity();
	const trueness placed = score(&bent, &truth, &none);
	double sum = 0;
	for (size_t v = 0; v < truth.data.vertex_count; v++) {
		double p[3], q[3], d[3];
		surface_vertex(&truth, v, p);
		surface_vertex(&bent, v, q);
		vec_sub(q, p, d);
		sum += fabs(vec_dot(d, truth.normals[v]));
	}
	near(placed.distance_mm.mean / (sum / (double)truth.data.vertex_count), 1, 0.05);
	const alignment a = best_fit(&bent, &truth);
	const trueness fitted = score(&bent, &truth, &a.truth_from_recon);
	assert_true(a.converged);
	assert_true(fitted.distance_mm.mean > 10 * UM && fitted.distance_mm.mean < placed.distance_mm.mean);
	surface_close(&bent);
	surface_close(&truth);
}

/* ---- seen and complete ------------------------------------------------------------------------------------------ */

/* `share` of the rows are missing: a band across the plate, its middle at v = 0.5. */
static bool keep_outside_band(void *user, double u, double v)
{
	(void)u;
	return fabs(v - 0.5) > 0.5 * *(double *)user;
}

static void test_hole_lowers_completeness(void **state)
{
	(void)state;
	surface truth = shape_open(shape_grid(51, 201, shape_plate, NULL, NULL));
	double share = 0.2;
	surface recon = shape_open(shape_grid(51, 201, shape_plate, keep_outside_band, &share));
	samples s;
	completeness c;
	const rigid none = rigid_identity();
	assert_int_equal(samples_create(&truth, 40000, &s), HOST_OK);
	assert_int_equal(s.count, 40000);
	assert_int_equal(score_completeness(&s, &recon, &none, &c), HOST_OK);
	/* The band is 4 mm wide; 0.1 and 0.05 mm along both its edges still count. */
	near(c.seen.share_100um, 1 - (4 - 0.2) / 20, 0.001);
	near(c.seen.share_50um, 1 - (4 - 0.1) / 20, 0.001);
	/* Were the band not seen but in view, it would be missing of what is in view only. */
	for (size_t i = 0; i < s.count; i++)
		s.seen[i] = fabs(s.points[i][1]) > 2;
	assert_int_equal(score_completeness(&s, &recon, &none, &c), HOST_OK);
	near(c.seen.share_50um, 1, 0);
	near(c.in_view.share_50um, 1 - (4 - 0.1) / 20, 0.001);
	assert_int_equal(score_completeness(&s, &truth, &none, &c), HOST_OK);
	near(c.in_view.share_50um, 1, 0);
	samples_destroy(&s);
	surface_close(&recon);
	surface_close(&truth);
}

/* What the depth pictures of the camera below hold: `depth_mm` from column `first_column` on, nothing before; the first
 * `unreadable` frames cannot be read. */
typedef struct pictures {
	double depth_mm;
	size_t first_column, unreadable;
} pictures;

enum { PICTURE_SIZE = 100 };

static bool give_picture(void *user, size_t index, uint16_t *out_depth)
{
	const pictures *p = user;
	for (size_t i = 0; i < PICTURE_SIZE * PICTURE_SIZE; i++)
		out_depth[i] = i % PICTURE_SIZE < p->first_column ? 0 : (uint16_t)(1e3 * p->depth_mm + 0.5);
	return index >= p->unreadable;
}

typedef struct shares {
	double seen, in_view;
	size_t unread;
} shares;

/* A camera at (x, 0, 20) that looks straight down on the plate, `frames` times. */
static shares look_down(
	const surface *truth, double x, const double range_mm[2], size_t frames, double tilt, pictures held)
{
	view_frame view[4];
	viewing v = {
		.camera = {.width = PICTURE_SIZE, .height = PICTURE_SIZE, .fx = 200, .fy = 200, .cx = 49.5, .cy = 49.5},
		.depth_min_mm = range_mm[0],
		.depth_max_mm = range_mm[1],
		.depth_mm_per_unit = 1e-3,
		.frames = view,
		.frame_count = frames,
		.read_depth = give_picture,
		.user = &held};
	const double w[3] = {tilt, 0, 0}, zero[3] = {0, 0, 0};
	const rigid tilted = rigid_small(w, zero, zero);
	const rigid down = {.r = {1, 0, 0, 0, -1, 0, 0, 0, -1}, .t = {x, 0, 20}};
	for (size_t i = 0; i < 4; i++)
		view[i] = (view_frame){i, rigid_compose(&tilted, &down)}; /* around the plate's middle */
	samples s;
	seen_frames used;
	assert_int_equal(samples_create(truth, 40000, &s), HOST_OK);
	assert_int_equal(samples_mark_seen(&s, truth, &v, &used), HOST_OK);
	assert_int_equal(used.used, frames);
	for (size_t i = 0; i < s.count; i++)
		assert_true(s.in_view[i] || !s.seen[i]);
	const shares out = {
		(double)s.seen_count / (double)s.count, (double)s.in_view_count / (double)s.count, used.unread};
	samples_destroy(&s);
	return out;
}

static double in_view_share(const surface *truth, double x, double near_mm, double far_mm, size_t frames, double tilt)
{
	const double range_mm[2] = {near_mm, far_mm};
	return look_down(truth, x, range_mm, frames, tilt, (pictures){.unreadable = 4}).in_view;
}

static void test_what_is_in_view(void **state)
{
	(void)state;
	surface plate = shape_open(shape_grid(51, 51, shape_plate, NULL, NULL));
	/* The window is 100 pixels wide: 10 mm at a distance of 20 mm, a quarter of the plate. */
	near(in_view_share(&plate, 0, 5, 30, 3, 0), 0.25, 0.002);
	near(in_view_share(&plate, 10, 5, 30, 3, 0), 0.125, 0.002);
	near(in_view_share(&plate, 0, 5, 30, 2, 0), 0, 0);
	near(in_view_share(&plate, 0, 5, 30, 0, 0), 0, 0);
	near(in_view_share(&plate, 0, 5, 19, 3, 0), 0, 0);
	near(in_view_share(&plate, 0, 21, 30, 3, 0), 0, 0);
	assert_true(in_view_share(&plate, 0, 5, 40, 3, 1.2) > 0.1); /* cosine 0.36 in the middle */
	near(in_view_share(&plate, 0, 5, 40, 3, 1.56), 0, 0);
	surface_close(&plate);
}

/* The plate with a lid of half its width 5 mm above it. */
static void place_lid(void *user, double u, double v, double out[3])
{
	(void)user;
	if (v < 0.5) {
		shape_plate(NULL, u, 2 * v, out);
	} else {
		shape_plate(NULL, 0.5 * u, 2 * v - 1, out);
		out[2] = 5;
	}
}

static bool keep_apart(void *user, double u, double v)
{
	(void)user;
	(void)u;
	return fabs(v - 0.5) > 0.01;
}

static void test_what_is_hidden(void **state)
{
	(void)state;
	surface s = shape_open(shape_grid(51, 102, place_lid, keep_apart, NULL));
	/* Window on the plate: 10 x 10 mm of which the half under the lid is hidden; on the lid: 7.5 mm wide, half of
	 * it. */
	const double area_mm2 = 20 * 20 + 10 * 20;
	near(in_view_share(&s, 0, 5, 30, 3, 0), (10 * 5 + 7.5 * 3.75) / area_mm2, 0.004);
	surface_close(&s);
}

/* The plate fills the depth pictures at 20 mm; the window on it is a quarter of its area. */
static void test_what_was_seen(void **state)
{
	(void)state;
	static const double range_mm[2] = {5, 30};
	surface plate = shape_open(shape_grid(51, 51, shape_plate, NULL, NULL));
	shares s = look_down(&plate, 0, range_mm, 3, 0, (pictures){.depth_mm = 20});
	near(s.seen, 0.25, 0.002);
	near(s.in_view, 0.25, 0.002);
	assert_int_equal(s.unread, 0);
	/* A part without reading: columns 0 to 59 of 100. */
	s = look_down(&plate, 0, range_mm, 3, 0, (pictures){.depth_mm = 20, .first_column = 60});
	near(s.seen, 0.4 * 0.25, 0.002);
	near(s.in_view, 0.25, 0.002);
	/* Readings that agree with the plate within 2 % of 20 mm, and others. */
	near(look_down(&plate, 0, range_mm, 3, 0, (pictures){.depth_mm = 20.39}).seen, 0.25, 0.002);
	near(look_down(&plate, 0, range_mm, 3, 0, (pictures){.depth_mm = 20.41}).seen, 0, 0);
	near(look_down(&plate, 0, range_mm, 3, 0, (pictures){.depth_mm = 19.59}).seen, 0, 0);
	/* Four frames, of which one, then two cannot be read. */
	s = look_down(&plate, 0, range_mm, 4, 0, (pictures){.depth_mm = 20, .unreadable = 1});
	near(s.seen, 0.25, 0.002);
	assert_int_equal(s.unread, 1);
	s = look_down(&plate, 0, range_mm, 4, 0, (pictures){.depth_mm = 20, .unreadable = 2});
	near(s.seen, 0, 0);
	near(s.in_view, 0.25, 0.002);
	assert_int_equal(s.unread, 2);
	surface_close(&plate);

	/* A reading of the lid is none of the plate below it. */
	surface lid = shape_open(shape_grid(51, 102, place_lid, keep_apart, NULL));
	s = look_down(&lid, 0, range_mm, 3, 0, (pictures){.depth_mm = 15});
	near(s.seen, 7.5 * 3.75 / 600, 0.004);
	near(s.in_view, (10 * 5 + 7.5 * 3.75) / 600, 0.004);
	surface_close(&lid);
}

/* ---- landmarks and spheres
 * ------------------------------------------------------------------------------------------- */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rigid),
		cmocka_unit_test(test_rigid_fit),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_closest_point),
		cmocka_unit_test(test_moved_truth_fits_back),
		cmocka_unit_test(test_plate_lifted),
		cmocka_unit_test(test_offset_is_bias),
		cmocka_unit_test(test_bent_arch),
		cmocka_unit_test(test_hole_lowers_completeness),
		cmocka_unit_test(test_what_is_in_view),
		cmocka_unit_test(test_what_is_hidden),
		cmocka_unit_test(test_what_was_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
