/* SPDX-License-Identifier: Apache-2.0
 * Sessions of any definition, fed with anything in any order: nothing crashes, nothing hangs, and what is reported are numbers.
 * $ENAMEL_TEST_SEEDS: how many sessions; $ENAMEL_TEST_SEED: the first one's seed. */
#include "scan.h"

#include <math.h>
#include <stdio.h>

#define SIDE_MOST 72u
#define PIXELS_MOST (SIDE_MOST * SIDE_MOST)

static uint64_t state_of_random;

/* splitmix64 (Steele, Lea and Flood 2014) */
static uint64_t bits(void)
{
	uint64_t z = (state_of_random += 0x9E3779B97F4A7C15u);
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static double in(double low, double high)
{
	return low + (high - low) * (double)(bits() >> 11) / 9007199254740992.0;
}

static bool one_in(uint32_t n)
{
	return bits() % n == 0;
}

static double power(double low, double high)
{
	return pow(10.0, in(low, high));
}

static enm_session_def random_def(void)
{
	const uint32_t width = 16 + (uint32_t)(bits() % (SIDE_MOST - 15)), height = 16 + (uint32_t)(bits() % (SIDE_MOST - 15));
	const enm_camera camera = {.width = width, .height = height, .fx = width * in(0.6, 2.0), .fy = width * in(0.6, 2.0),
		.cx = width * in(0.2, 0.8), .cy = height * in(0.2, 0.8)};
	enm_session_def def = enm_session_def_default(&camera, one_in(4) ? ENM_SCALE_ROOM : ENM_SCALE_TOOTH);
	if (one_in(3))
		for (int i = 0; i < 5; i++)
			def.camera.distortion[i] = in(-0.3, 0.3);
	if (!one_in(3))
		def.row_time_s = one_in(3) ? power(-320.0, -9.0) : in(0.0, 0.1 / height);
	if (one_in(3))
		def.voxel_mm *= in(0.5, 8.0);
	def.truncation_mm = def.voxel_mm * in(2.0, 16.0);
	if (one_in(4))
		def.depth_sigma_mm *= power(-3.0, 3.0);
	def.tracker = one_in(4) ? ENM_TRACKER_RAYCAST : ENM_TRACKER_FIELD;
	def.color = one_in(2);
	def.recover = one_in(2);
	def.foreign_bodies = one_in(2);
	def.device_bytes_max = (uint64_t)256 << 20;
	if (one_in(3))
		def.start_world_from_camera = ref_pose_make(in(-3, 3), in(-3, 3), in(-3, 3), in(-1e3, 1e3), in(-1e3, 1e3), in(-1e2, 1e2));
	return def;
}

/* A motion: small, large, or nonsense. */
static enm_motion random_motion(void)
{
	enm_motion m = {{0}, {0}, {0}};
	const double scale = power(-3.0, 4.0), turn = power(-4.0, 0.5), move = power(-3.0, 5.9);
	for (int i = 0; i < 3; i++) {
		m.turn_rad[i] = in(-turn, turn);
		m.move_mm[i] = in(-move, move);
	}
	for (uint64_t rows = bits() % 8; rows > 0; rows--) {
		double j[6];
		for (int a = 0; a < 6; a++)
			j[a] = scale * in(-1, 1) * (a < 3 ? 100.0 : 1.0);
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < 6; b++)
				m.information[6 * a + b] += j[a] * j[b];
	}
	if (one_in(8))
		m.information[bits() % 36] = one_in(2) ? (double)NAN : in(-1e15, 1e15);
	if (one_in(20))
		m.turn_rad[bits() % 3] = one_in(2) ? (double)INFINITY : 7.0;
	return m;
}

/* A bumpy wall, which a camera that moves sees; or parts of it, noise, or what is no depth. */
static void random_depth(const enm_session_def *def, double shift, float *mm)
{
	const uint32_t width = def->camera.width, n = width * def->camera.height;
	const double far = def->depth_sigma_at_mm, rough = one_in(5) ? far : def->depth_sigma_mm;
	const uint64_t kind = bits() % 10;
	for (uint32_t i = 0; i < n; i++) {
		const double x = i % width / (double)width + shift, y = i / width / (double)width;
		mm[i] = (float)(far * (1.0 + 0.06 * sin(11.0 * x) * cos(9.0 * y)) + (kind < 3 ? in(-rough, rough) : 0.0));
		if (kind == 8)
			mm[i] = (float)in(-far, 3.0 * far);
		else if (kind == 9)
			mm[i] = one_in(3) ? NAN : one_in(3) ? INFINITY : one_in(2) ? -0.0f : 3e38f;
		else if (kind == 7 && i > n / 3)
			mm[i] = 0.0f;
	}
}

static void assert_numbers(const float *values, int count, const char *what, uint64_t seed)
{
	for (int i = 0; i < count; i++)
		if (!isfinite(values[i]))
			fail_msg("seed %llu: %s[%d] is %g", (unsigned long long)seed, what, i, (double)values[i]);
}

static void check_report(const enm_report *r, uint64_t seed)
{
	double q2 = 0.0;
	char text[64];
	for (int i = 0; i < 4; i++)
		q2 += r->world_from_camera.q_xyzw[i] * r->world_from_camera.q_xyzw[i];
	for (int i = 0; i < 3; i++)
		if (!isfinite(r->world_from_camera.t_mm[i]))
			fail_msg("seed %llu: t_mm[%d] is %g", (unsigned long long)seed, i, r->world_from_camera.t_mm[i]);
	if (!(fabs(q2 - 1.0) < 1e-6))
		fail_msg("seed %llu: a quaternion of square %g", (unsigned long long)seed, q2);
	assert_numbers(r->covariance, 36, "covariance", seed);
	for (int i = 0; i < 6; i++)
		assert_true(r->covariance[7 * i] >= 0.0f);
	assert_numbers(r->velocity_turn, 3, "velocity_turn", seed);
	assert_numbers(r->velocity_move, 3, "velocity_move", seed);
	assert_numbers(r->held_turn, 3, "held_turn", seed);
	assert_numbers(r->held_move, 3, "held_move", seed);
	assert_true(r->held <= 6 && r->verdict <= ENM_VERDICT_LOST && r->reason <= ENM_REASON_RECOVERING);
	assert_true(!r->fused || r->verdict == ENM_VERDICT_TRACKED);
	enm_report_text(r, text, sizeof(text));
	assert_true(text[0] != '\0');
}

static void want_good_or(enm_result other, enm_result got, uint64_t seed)
{
	if (got < 0 && got != other)
		fail_msg("seed %llu: %s (%s)", (unsigned long long)seed, enm_result_name(got), enm_last_error());
}

/* Whatever else one may ask a session for. */
static void ask_something(enm_session *s, uint64_t seed)
{
	const enm_mesh_def mesh_def = enm_mesh_def_default();
	const enm_surface_def surface_def = enm_surface_def_default();
	enm_mesh *mesh = NULL;
	enm_surface *surface = NULL;
	enm_report report;
	double low[3], high[3];
	switch (bits() % 8) {
	case 0: want_good_or(ENM_OK, enm_session_mesh(s, &mesh_def, &mesh), seed); break;
	case 1:
	case 2: want_good_or(ENM_OK, enm_session_surface_update(s, &surface_def, &surface), seed); break;
	case 3: want_good_or(ENM_OK, enm_session_bounds(s, low, high), seed); break;
	case 4: want_good_or(ENM_OK, enm_session_flush(s), seed); break;
	case 5: want_good_or(ENM_OK, one_in(4) ? enm_session_reset(s) : ENM_OK, seed); break;
	default:
		while (enm_session_next_report(s, &report) == ENM_OK)
			check_report(&report, seed);
	}
	enm_mesh_destroy(&mesh);
	enm_surface_destroy(&surface);
}

static void push_anything(enm_session *s, const enm_session_def *def, int64_t *time_ns, double shift, uint64_t seed)
{
	static float mm[PIXELS_MOST];
	static uint16_t units[PIXELS_MOST];
	static uint8_t color[3 * PIXELS_MOST];
	const enm_motion motion = random_motion();
	enm_frame frame = {.depth = mm, .depth_format = ENM_DEPTH_F32_MM, .time_ns = *time_ns};
	random_depth(def, shift, mm);
	if (one_in(3)) {
		for (uint32_t i = 0; i < def->camera.width * def->camera.height; i++) {
			const double unit = (double)mm[i] / def->depth_mm_per_unit;
			units[i] = unit >= 0.0 && unit < 65535.0 ? (uint16_t)unit : 0;
		}
		frame.depth = units;
		frame.depth_format = ENM_DEPTH_U16;
	}
	for (uint32_t i = 0; i < 3 * PIXELS_MOST; i += 7)
		color[i] = (uint8_t)(i >> 3);
	frame.color_rgb = one_in(2) ? color : NULL;
	frame.motion = one_in(2) ? &motion : NULL;
	const enm_result result = enm_session_push(s, &frame, NULL);
	want_good_or(ENM_E_ARGUMENT, result, seed);
	if (result == ENM_E_ARGUMENT)
		assert_non_null(strstr(enm_last_error(), "motion."));
	const int64_t gaps[] = {33333333, 33333333, 33333333, 1, 1000, 2000000000, INT64_C(4000000000000000)};
	*time_ns += gaps[bits() % 7];
}

static void fuzz(uint64_t seed)
{
	state_of_random = seed;
	const enm_session_def def = random_def();
	enm_session *s = NULL;
	enm_report report;
	int64_t time_ns = 1;
	double shift = 0.0;
	const enm_result made = enm_session_create(the_context, &def, &s);
	if (made == ENM_E_CAPACITY || made == ENM_E_ARGUMENT) /* some definitions want more than they are allowed */
		return;
	want_good_or(ENM_OK, made, seed);
	for (int n = 0; n < 30; n++) {
		shift += one_in(10) ? 0.5 : in(0.0, 0.01);
		push_anything(s, &def, &time_ns, shift, seed);
		if (one_in(3))
			ask_something(s, seed);
	}
	want_good_or(ENM_OK, enm_session_flush(s), seed);
	while (enm_session_next_report(s, &report) == ENM_OK)
		check_report(&report, seed);
	enm_session_destroy(&s);
}

static void anything_is_survived(void **state)
{
	(void)state;
	const char *count = getenv("ENAMEL_TEST_SEEDS"), *first = getenv("ENAMEL_TEST_SEED");
	const uint64_t from = first != NULL ? strtoull(first, NULL, 10) : 1, seeds = count != NULL ? strtoull(count, NULL, 10) : 12;
	for (uint64_t seed = from; seed < from + seeds; seed++)
		fuzz(seed);
}

SCAN_TEST_MAIN(cmocka_unit_test(anything_is_survived))
