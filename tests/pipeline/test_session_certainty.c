/* SPDX-License-Identifier: Apache-2.0
 * What a refined scan tells of its own errors: they are about what poses err by, they do not depend on how the model is held where they
 * must not, and nothing is told where nothing is known. */
#include "scan.h"

#include <math.h>

/* Noise as scanners have it: of 20 um, half of its variance shared by neighbours. */
#define SIGMA_UM 20.0
#define SHARED_PX 7u /* between places that have nothing in common */

static uint64_t random_state;

/* Nearly normal, of variance 1. */
static double next_normal(void)
{
	double sum = -6.0;
	for (int i = 0; i < 12; i++) {
		random_state = random_state * 6364136223846793005u + 1442695040888963407u;
		sum += (double)(random_state >> 40) / 16777216.0;
	}
	return sum;
}

static void add_noise(const uint16_t *from, uint16_t *to)
{
	enum { ACROSS = SCAN_WIDTH / SHARED_PX + 2, DOWN = SCAN_HEIGHT / SHARED_PX + 2 };
	double grid[DOWN * ACROSS];
	for (int i = 0; i < DOWN * ACROSS; i++)
		grid[i] = next_normal();
	for (uint32_t i = 0; i < SCAN_PIXELS; i++) {
		const uint32_t x = i % SCAN_WIDTH, y = i / SCAN_WIDTH;
		const double fx = (double)(x % SHARED_PX) / SHARED_PX, fy = (double)(y % SHARED_PX) / SHARED_PX, *g = grid + y / SHARED_PX * ACROSS + x / SHARED_PX;
		const double w[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
		const double shared = (w[0] * g[0] + w[1] * g[1] + w[2] * g[ACROSS] + w[3] * g[ACROSS + 1]) / sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2] + w[3] * w[3]);
		to[i] = (uint16_t)(from[i] == 0 ? 0 : from[i] + lrint(SIGMA_UM * sqrt(0.5) * (shared + next_normal())));
	}
}

/* One for all tests; whoever changes it takes it away. */
static enm_session *kept;

static void take_away(void)
{
	enm_session_destroy(&kept);
}

static enm_session *refined(void)
{
	enm_session_def def = the_scan.def;
	enm_refine_def how = enm_refine_def_default();
	enm_refine_result r;
	static uint16_t depth[SCAN_PIXELS];
	if (kept != NULL)
		return kept;
	def.color = false;
	def.keep_frames = true;
	random_state = 7;
	kept = scan_session(&def);
	for (int n = 0; n < SCAN_FRAMES; n++) {
		const enm_frame smooth = scan_frame(n), rough = {.depth = depth, .time_ns = (int64_t)n * SCAN_PERIOD_NS};
		add_noise(smooth.depth, depth);
		WANT(ENM_OK, enm_session_push(kept, &rough, NULL));
		WANT(ENM_OK, enm_session_flush(kept));
	}
	WANT(ENM_OK, enm_session_finish(kept));
	WANT(ENM_OK, enm_session_refine(kept, &how, &r));
	return kept;
}

static enm_mesh *mesh_of(enm_session *s)
{
	const enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh;
	WANT(ENM_OK, enm_session_mesh(s, &def, &mesh));
	return mesh;
}

/* A vertex that many frames saw, near the place. */
static void vertex_near(const enm_mesh *mesh, double x, double y, double out[3])
{
	enm_mesh_data m;
	double best = INFINITY;
	WANT(ENM_OK, enm_mesh_get(mesh, &m));
	for (size_t v = 0; v < m.vertex_count; v++) {
		const float *p = m.positions_mm + 3 * v;
		const double d = hypot((double)p[0] - x, (double)p[1] - y);
		if (m.views[v] < 5 || d >= best)
			continue;
		best = d;
		for (int i = 0; i < 3; i++)
			out[i] = (double)p[i];
	}
	assert_true(best < 2.0);
}

/* How far a frame is from where it should be, in its own camera's frame, the first frame held where it should be. */
static void pose_error(const ref_pose *found, const ref_pose *truth, double out[6])
{
	double spot[4][3];
	for (int k = 0; k < 4; k++) { /* of the origin and of three points 10 mm along the axes */
		const double p[3] = {k == 1 ? 10.0 : 0.0, k == 2 ? 10.0 : 0.0, k == 3 ? 10.0 : 0.0};
		double a[3], b[3];
		ref_pose_apply(found, p, a);
		ref_pose_apply(truth, p, b);
		for (int i = 0; i < 3; i++)
			spot[k][i] = a[i] - b[i];
	}
	double axes[3][3];
	for (int k = 0; k < 3; k++) {
		const double origin[3] = {0, 0, 0}, p[3] = {k == 0, k == 1, k == 2};
		double a[3], b[3];
		ref_pose_apply(truth, p, a);
		ref_pose_apply(truth, origin, b);
		for (int i = 0; i < 3; i++)
			axes[k][i] = a[i] - b[i];
	}
	memset(out, 0, 6 * sizeof(*out));
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 3; i++) {
			out[3 + k] += axes[k][i] * spot[0][i];
			/* a turn about axis k moves the point on the next axis along the one after it */
			out[k] += axes[(k + 2) % 3][i] * (spot[1 + (k + 1) % 3][i] - spot[0][i]) / 10.0;
		}
}

static double normalised(const double *covariance, const double *error)
{
	double l[36], y[6], sum = 0.0;
	for (int i = 0; i < 6; i++) {
		y[i] = error[i];
		for (int j = 0; j <= i; j++) {
			double t = covariance[6 * i + j];
			for (int k = 0; k < j; k++)
				t -= l[6 * i + k] * l[6 * j + k];
			l[6 * i + j] = i == j ? sqrt(t) : t / l[7 * j];
		}
		for (int j = 0; j < i; j++)
			y[i] -= l[6 * i + j] * y[j];
		y[i] /= l[7 * i];
		sum += y[i] * y[i];
	}
	return sum / 6.0;
}

static void poses_err_as_they_tell(void **state)
{
	(void)state;
	enm_session *s = refined();
	double all = 0.0, covariance[36], by_30[36];
	enm_pose pose;
	for (int n = 1; n < SCAN_FRAMES; n++) {
		double error[6];
		WANT(ENM_OK, enm_session_pose(s, (uint64_t)n, &pose, NULL));
		WANT(ENM_OK, enm_session_pose_covariance(s, (uint64_t)n, ENM_PIN_FIRST, covariance));
		const ref_pose found = ref_pose_from(&pose), truth = ref_pose_from(&the_scan.truth[n]);
		pose_error(&found, &truth, error); /* the scan begins at its true pose, which stays */
		all += normalised(covariance, error) / (SCAN_FRAMES - 1);
	}
	print_message("errors of poses, squared, in their unit: %.2f\n", all);
	assert_true(all > 0.1 && all < 3.0);
	/* the first frame does not move against itself, but against all of them together */
	WANT(ENM_OK, enm_session_pose_covariance(s, 0, ENM_PIN_FIRST, covariance));
	WANT(ENM_OK, enm_session_pose_covariance(s, 0, ENM_PIN_FIRST_30, by_30));
	for (int i = 0; i < 6; i++)
		assert_true(fabs(covariance[7 * i]) < 1e-9 * by_30[7 * i] + 1e-15 && by_30[7 * i] > 0.0);
}

static void distances_do_not_feel_how_the_model_is_held(void **state)
{
	(void)state;
	enm_session *s = refined();
	enm_mesh *mesh = mesh_of(s);
	double points[6], mm, sigma, swapped, back, by[3], three[9], gradients[6];
	uint32_t frames[3];
	vertex_near(mesh, -2.0, 0.0, points);
	vertex_near(mesh, 4.0, 1.0, points + 3);
	WANT(ENM_OK, enm_session_distance(s, points, points + 3, &mm, &sigma));
	WANT(ENM_OK, enm_session_distance(s, points + 3, points, &back, &swapped));
	assert_true(fabs(mm - back) < 1e-12 && fabs(sigma - swapped) < 1e-6 * sigma && sigma > 0.1 && sigma < 50.0);
	for (int i = 0; i < 3; i++) {
		gradients[3 + i] = (points[3 + i] - points[i]) / mm;
		gradients[i] = -gradients[3 + i];
	}
	/* as a quantity, and made of those of its ends, which have something in common */
	const enm_quantity distance = {points, gradients, 2}, parts[3] = {{points, gradients, 1}, {points + 3, gradients + 3, 1}, {points, gradients, 2}};
	WANT(ENM_OK, enm_session_covariance(s, ENM_PIN_FIRST, &distance, 1, &by[0], NULL));
	WANT(ENM_OK, enm_session_covariance(s, ENM_PIN_FIRST_30, &distance, 1, &by[1], NULL));
	WANT(ENM_OK, enm_session_covariance(s, ENM_PIN_WHOLE, &distance, 1, &by[2], NULL));
	assert_true(fabs(1e3 * sqrt(by[2]) - sigma) < 1e-6 * sigma && fabs(by[1] - by[0]) < 1e-4 * by[0]);
	assert_true(by[2] < by[0] && by[2] > 0.49 * by[0]); /* the part of the poses is half of what single frames err by */
	WANT(ENM_OK, enm_session_covariance(s, ENM_PIN_FIRST_30, parts, 3, three, frames));
	assert_true(fabs(three[0] + three[4] + 2.0 * three[1] - three[8]) < 1e-4 * three[8] && three[1] == three[3]);
	assert_true(frames[0] >= 5 && frames[0] <= SCAN_FRAMES && frames[2] == (frames[0] < frames[1] ? frames[0] : frames[1]));
	/* a point that nobody saw */
	const double nowhere[3] = {points[0], points[1], points[2] + 3.0};
	WANT(ENM_EMPTY, enm_session_distance(s, points, nowhere, &mm, &sigma));
	assert_true(mm == 0.0 && sigma == 0.0);
	enm_mesh_destroy(&mesh);
}

static void a_mesh_is_rated(void **state)
{
	(void)state;
	enm_session *s = refined();
	enm_mesh *mesh = mesh_of(s), *copy;
	enm_mesh_data m;
	enm_place places[8];
	size_t count;
	WANT(ENM_OK, enm_mesh_get(mesh, &m));
	assert_null(m.placed_sigma_um);
	WANT(ENM_OK, enm_session_rate_mesh(s, ENM_PIN_FIRST, mesh, places, 8, &count));
	WANT(ENM_OK, enm_mesh_get(mesh, &m));
	assert_true(count >= 4 && count <= 8 && m.placed_sigma_um != NULL);
	double farthest = 0.0, there = 0.0;
	for (size_t i = 0; i < count; i++) {
		const double *c = places[i].covariance_um2, d = hypot(places[i].at_mm[0] - places[0].at_mm[0], places[i].at_mm[1] - places[0].at_mm[1]);
		assert_true(c[0] > 0.0 && c[4] > 0.0 && c[8] > 0.0 && c[1] == c[3] && places[i].frames > 0);
		there = d > farthest ? c[0] + c[4] + c[8] : there;
		farthest = d > farthest ? d : farthest;
	}
	assert_true(there > places[0].covariance_um2[0] + places[0].covariance_um2[4] + places[0].covariance_um2[8]);
	for (size_t v = 0; v < m.vertex_count; v++)
		assert_true(m.placed_sigma_um[v] >= m.sigma_um[v] && m.placed_sigma_um[v] < m.sigma_um[v] + 100.0f);
	WANT(ENM_OK, enm_mesh_create(&m, &copy));
	enm_mesh_data c;
	WANT(ENM_OK, enm_mesh_get(copy, &c));
	assert_memory_equal(c.placed_sigma_um, m.placed_sigma_um, m.vertex_count * sizeof(float));
	enm_mesh_destroy(&copy);
	/* once more, from fewer places */
	WANT(ENM_OK, enm_session_rate_mesh(s, ENM_PIN_FIRST_30, mesh, places, 1, &count));
	assert_int_equal(count, 1);
	enm_mesh_destroy(&mesh);
}

#define SPOILT 0x5A

/* The first `zeros` bytes are 0, and the others as they were spoilt; spoils them all again. */
static void assert_cleared(void *out, size_t zeros, size_t bytes)
{
	const unsigned char *b = out;
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(b[i], i < zeros ? 0 : SPOILT);
	memset(out, SPOILT, bytes);
}

static void a_refused_call_leaves_zeros_and_writes_no_further(void **state)
{
	(void)state;
	enm_session *s = refined();
	enm_mesh *mesh = mesh_of(s);
	double points[3], covariance[37], mm[1], sigma[1];
	uint32_t frames[3];
	enm_place places[3];
	size_t count;
	const double gradient[3] = {1, 0, 0};
	const enm_pin no_pin = (enm_pin)3;
	vertex_near(mesh, 0.0, 0.0, points);
	const enm_quantity good[2] = {{points, gradient, 1}, {points, gradient, 1}}, second_bad[2] = {{points, gradient, 1}, {points, NULL, 1}};
	memset(covariance, SPOILT, sizeof(covariance));
	memset(mm, SPOILT, sizeof(mm));
	memset(sigma, SPOILT, sizeof(sigma));
	memset(frames, SPOILT, sizeof(frames));
	memset(places, SPOILT, sizeof(places));

	const struct {
		const enm_session *session;
		enm_pin pin;
		const enm_quantity *quantities;
		size_t count, sized; /* sized: of which the room is known */
	} refused[] = {{NULL, ENM_PIN_FIRST, good, 2, 2}, {s, no_pin, good, 2, 2}, {s, ENM_PIN_FIRST, NULL, 2, 2}, {s, ENM_PIN_FIRST, second_bad, 2, 2},
		{s, ENM_PIN_FIRST, good, 0, 0}, {s, ENM_PIN_FIRST, good, 257, 0}, {s, ENM_PIN_FIRST, good, SIZE_MAX, 0}};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const size_t n = refused[i].sized;
		WANT(ENM_E_ARGUMENT, enm_session_covariance(refused[i].session, refused[i].pin, refused[i].quantities, refused[i].count, covariance, frames));
		assert_cleared(covariance, n * n * sizeof(*covariance), sizeof(covariance));
		assert_cleared(frames, n * sizeof(*frames), sizeof(frames));
	}
	WANT(ENM_E_ARGUMENT, enm_session_covariance(s, ENM_PIN_FIRST, good, 2, NULL, frames));
	assert_cleared(frames, 2 * sizeof(*frames), sizeof(frames));

	WANT(ENM_E_ARGUMENT, enm_session_pose_covariance(NULL, 0, ENM_PIN_FIRST, covariance));
	assert_cleared(covariance, 36 * sizeof(*covariance), sizeof(covariance));
	WANT(ENM_E_ARGUMENT, enm_session_pose_covariance(s, 0, no_pin, covariance));
	assert_cleared(covariance, 36 * sizeof(*covariance), sizeof(covariance));
	WANT(ENM_E_ARGUMENT, enm_session_pose_covariance(s, SCAN_FRAMES, ENM_PIN_FIRST, covariance));
	assert_cleared(covariance, 36 * sizeof(*covariance), sizeof(covariance));

	WANT(ENM_E_ARGUMENT, enm_session_distance(s, points, NULL, mm, sigma));
	assert_cleared(mm, sizeof(mm), sizeof(mm));
	assert_cleared(sigma, sizeof(sigma), sizeof(sigma));
	WANT(ENM_E_ARGUMENT, enm_session_distance(s, points, points, NULL, sigma));
	assert_cleared(sigma, sizeof(sigma), sizeof(sigma));

	count = 7;
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(s, ENM_PIN_FIRST, NULL, places, 2, &count));
	assert_cleared(places, 2 * sizeof(*places), sizeof(places));
	assert_int_equal(count, 0);
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(NULL, ENM_PIN_FIRST, mesh, places, 2, &count));
	assert_cleared(places, 2 * sizeof(*places), sizeof(places));
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(s, no_pin, mesh, places, 2, &count)); /* found out when places are chosen */
	assert_cleared(places, 2 * sizeof(*places), sizeof(places));
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(s, ENM_PIN_FIRST, mesh, places, 0, &count));
	assert_cleared(places, 0, sizeof(places));
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(s, ENM_PIN_FIRST, mesh, places, 65, &count));
	assert_cleared(places, 0, sizeof(places));
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(s, ENM_PIN_FIRST, mesh, NULL, 2, &count));
	enm_mesh_destroy(&mesh);
}

static void nothing_is_told_of_a_scan_that_was_not_refined(void **state)
{
	(void)state;
	enm_session *s = refined();
	enm_mesh *mesh = mesh_of(s);
	double points[3], covariance[36], mm, sigma;
	enm_place place;
	const double gradient[3] = {1, 0, 0}, bad[3] = {NAN, 0, 0};
	vertex_near(mesh, 0.0, 0.0, points);
	const enm_quantity good = {points, gradient, 1}, none = {points, gradient, 0}, odd = {bad, gradient, 1}, half = {points, NULL, 1};
	WANT(ENM_E_ARGUMENT, enm_session_covariance(NULL, ENM_PIN_FIRST, &good, 1, covariance, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_covariance(s, (enm_pin)3, &good, 1, covariance, NULL));
	assert_non_null(strstr(enm_last_error(), "pin"));
	WANT(ENM_E_ARGUMENT, enm_session_covariance(s, ENM_PIN_FIRST, NULL, 1, covariance, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_covariance(s, ENM_PIN_FIRST, &good, 0, covariance, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_covariance(s, ENM_PIN_FIRST, &good, 257, covariance, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_covariance(s, ENM_PIN_FIRST, &none, 1, covariance, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_covariance(s, ENM_PIN_FIRST, &half, 1, covariance, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_covariance(s, ENM_PIN_FIRST, &odd, 1, covariance, NULL));
	assert_non_null(strstr(enm_last_error(), "not finite"));
	WANT(ENM_E_ARGUMENT, enm_session_distance(s, points, NULL, &mm, &sigma));
	WANT(ENM_E_ARGUMENT, enm_session_pose_covariance(s, 0, ENM_PIN_FIRST, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_pose_covariance(s, SCAN_FRAMES, ENM_PIN_FIRST, covariance));
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(s, ENM_PIN_FIRST, NULL, &place, 1, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(s, ENM_PIN_FIRST, mesh, &place, 0, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(s, ENM_PIN_FIRST, mesh, &place, 65, NULL));
	WANT(ENM_OK, enm_session_reset(s));
	WANT(ENM_E_ARGUMENT, enm_session_covariance(s, ENM_PIN_FIRST, &good, 1, covariance, NULL));
	assert_non_null(strstr(enm_last_error(), "not refined"));
	WANT(ENM_E_ARGUMENT, enm_session_rate_mesh(s, ENM_PIN_FIRST, mesh, &place, 1, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_pose_covariance(s, 0, ENM_PIN_FIRST, covariance));
	enm_mesh_destroy(&mesh);
	take_away();
}

static void what_was_known_before_goes_in_whole(void **state)
{
	(void)state;
	enm_session *s = refined();
	enm_refine_def def = enm_refine_def_default();
	enm_refine_result a, b;
	const double sigma[6] = {10, 10, 10, 2, 2, 5};
	WANT(ENM_OK, enm_session_refine(s, &def, &a)); /* as it was refined before, from where that has led */
	/* the usual prior, as a covariance */
	for (int i = 0; i < 6; i++)
		def.prior_covariance_um2[7 * i] = sigma[i] * sigma[i];
	WANT(ENM_OK, enm_session_refine(s, &def, &b));
	for (int i = 0; i < 36; i++)
		assert_true(fabs(a.covariance_um2[i] - b.covariance_um2[i]) < 1e-2 * sqrt(a.covariance_um2[7 * (i / 6)] * a.covariance_um2[7 * (i % 6)]));
	/* bow and constant known by their sum alone: one of them tells the other */
	def.prior_covariance_um2[5] = def.prior_covariance_um2[30] = -0.99 * 10.0 * 5.0;
	WANT(ENM_OK, enm_session_refine(s, &def, &b));
	assert_true(b.covariance_um2[35] < 0.5 * a.covariance_um2[35] && b.covariance_um2[5] < 0.0);
	def.prior_covariance_um2[30] = 0.0;
	WANT(ENM_E_ARGUMENT, enm_session_refine(s, &def, &b));
	assert_non_null(strstr(enm_last_error(), "prior_covariance_um2: not symmetric in row 0, column 5"));
	def.prior_covariance_um2[30] = def.prior_covariance_um2[5] = 60.0;
	WANT(ENM_E_ARGUMENT, enm_session_refine(s, &def, &b));
	assert_non_null(strstr(enm_last_error(), "prior_covariance_um2: not positive"));
	def.prior_covariance_um2[0] = NAN;
	WANT(ENM_E_ARGUMENT, enm_session_refine(s, &def, &b));
	/* what an earlier refinement has left is there still */
	double covariance[36];
	WANT(ENM_OK, enm_session_pose_covariance(s, 3, ENM_PIN_FIRST, covariance));
	take_away();
}

SCAN_TEST_MAIN(cmocka_unit_test(poses_err_as_they_tell), cmocka_unit_test(distances_do_not_feel_how_the_model_is_held),
	cmocka_unit_test(a_mesh_is_rated), cmocka_unit_test(a_refused_call_leaves_zeros_and_writes_no_further),
	cmocka_unit_test(nothing_is_told_of_a_scan_that_was_not_refined), cmocka_unit_test(what_was_known_before_goes_in_whole))
