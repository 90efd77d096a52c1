/* SPDX-License-Identifier: Apache-2.0
 * The simulator's parts by themselves: random numbers, surface nets, teeth, scan line, path. */
#include "test_simulate.h"

#include "config.h"
#include "nets.h"
#include "rng.h"
#include "teeth.h"
#include "timing.h"
#include "tremor.h"

static void random_numbers_have_their_moments(void **state)
{
	(void)state;
	enum { COUNT = 200000 };
	uint64_t key = rng_key(1, RNG_WHITE, 5);
	double sum = 0, squares = 0, normal = 0, normal_squares = 0, lag = 0;
	for (uint64_t i = 0; i < COUNT; i++) {
		double u = rng_uniform(key, i), n = rng_normal(key, i);
		assert_true(u > 0 && u < 1);
		sum += u, squares += u * u, normal += n, normal_squares += n * n;
		lag += (u - 0.5) * (rng_uniform(key, i + 1) - 0.5);
	}
	assert_true(fabs(sum / COUNT - 0.5) < 0.003);
	assert_true(fabs(squares / COUNT - 1.0 / 3) < 0.003);
	assert_true(fabs(normal / COUNT) < 0.01);
	assert_true(fabs(normal_squares / COUNT - 1) < 0.015);
	assert_true(fabs(lag / COUNT) < 0.001);
	assert_true(rng_key(1, RNG_WHITE, 5) != rng_key(1, RNG_WHITE, 6));
	assert_true(rng_key(1, RNG_WHITE, 5) != rng_key(1, RNG_MIXED, 5));
	assert_true(rng_key(1, RNG_WHITE, 5) != rng_key(2, RNG_WHITE, 5));
}

static void fields_have_unit_variance_and_length(void **state)
{
	(void)state;
	float *out = malloc(PIXELS * sizeof(float));
	float *scratch = malloc(error_field_scratch(WIDTH, HEIGHT) * sizeof(float));
	assert_true(out && scratch);
	for (int length = 0; length <= 6; length += 3) {
		double squares = 0, lagged = 0, count = 0, lags = 0;
		for (uint64_t round = 0; round < 12; round++) {
			error_field(rng_key(3, RNG_CORRELATED, round), WIDTH, HEIGHT, length, out, scratch);
			size_t lag = length ? (size_t)length : 1;
			for (size_t y = 0; y < HEIGHT; y++)
				for (size_t x = 0; x < WIDTH; x++) {
					double value = (double)out[y * WIDTH + x];
					squares += value * value, count++;
					if (x + lag < WIDTH)
						lagged += value * (double)out[y * WIDTH + x + lag], lags++;
				}
		}
		assert_true(fabs(squares / count - 1) < 0.04);
		assert_true(fabs(lagged / lags - (length ? exp(-1) : 0)) < 0.04);
	}
	free(out);
	free(scratch);
}

/* A millirad by each axis, to and fro as often as asked, and on the lever of the hand a tenth of a millimetre across the wand. */
static void a_tremor_is_as_large_and_fast_as_asked(void **state)
{
	(void)state;
	enum { COUNT = 60000 };
	const tremor asked = {.turn_mrad = 1, .hertz = 9, .seed = 4}, none = {.hertz = 9, .seed = 4};
	const pose still = {{3, -4, 5}, quat_unit((quat){0.3, -0.2, 0.5, 0.7})};
	double squares[3] = {0}, moves = 0, last[3] = {0};
	int passages[3] = {0};
	for (int i = 0; i < COUNT; i++) {
		const pose p = tremor_at(&asked, still, i * 1e-3), same = tremor_at(&none, still, i * 1e-3);
		assert_memory_equal(&same, &still, sizeof still);
		const quat turn = quat_product((quat){-still.q.x, -still.q.y, -still.q.z, still.q.w}, p.q);
		const double now[3] = {2 * turn.x, 2 * turn.y, 2 * turn.z};
		for (int axis = 0; axis < 3; axis++) {
			squares[axis] += now[axis] * now[axis];
			passages[axis] += now[axis] > 0 && last[axis] <= 0;
			last[axis] = now[axis];
		}
		moves += v3_dot(v3_sub(p.t_mm, still.t_mm), v3_sub(p.t_mm, still.t_mm));
	}
	for (int axis = 0; axis < 3; axis++) {
		assert_true(fabs(sqrt(squares[axis] / COUNT) - 1e-3) < 3e-5);
		assert_true(fabs(passages[axis] / 60.0 - 9 * (0.85 + 0.15 * axis)) < 1.0);
	}
	assert_true(fabs(sqrt(moves / COUNT) - 0.1 * sqrt(2)) < 5e-3);
	const tremor other = {.turn_mrad = 1, .hertz = 9, .seed = 5};
	assert_true(tremor_at(&other, still, 0.3).q.x != tremor_at(&asked, still, 0.3).q.x);
}

static double ball_distance(const void *user, v3 p)
{
	return v3_length(p) - *(const double *)user;
}

static bool keep_all(const void *user, v3 p)
{
	(void)user;
	(void)p;
	return true;
}

static void nets_close_a_ball(void **state)
{
	(void)state;
	static const double RADIUS = 5;
	nets_def def = {{-6.1, -6.1, -6.1}, {6.1, 6.1, 6.1}, 0.3, 1.1, ball_distance, keep_all, &RADIUS};
	nets_mesh m;
	assert_true(nets_build(&def, &m));
	assert_int_equal((int)m.vertex_count - (int)m.triangle_count / 2, 2); /* Euler: a closed sphere */
	double volume = 0;
	for (size_t t = 0; t < m.triangle_count; t++) {
		v3 p[3];
		for (size_t k = 0; k < 3; k++) {
			const float *f = m.positions_mm + 3 * m.triangles[3 * t + k];
			p[k] = v3_make((double)f[0], (double)f[1], (double)f[2]);
			assert_true(fabs(v3_length(p[k]) - RADIUS) < 0.02);
		}
		volume += v3_dot(p[0], v3_cross(p[1], p[2])) / 6;
	}
	assert_true(fabs(volume - 4.0 / 3 * SIM_PI * 125) < 5); /* positive: triangles face outwards */
	nets_free(&m);
}

static void arch_has_its_teeth(void **state)
{
	(void)state;
	arch_def def = {.seed = 4, .cell_mm = 0.4};
	body b;
	char error[BODY_ERROR_BYTES];
	assert_true(body_from_arch(&def, &b, error));
	assert_int_equal(b.landmark_count, 34); /* 6 edges and tips, 2 x (2 + 3 + 5 + 4) cusps */
	bool molar = false;
	for (size_t i = 0; i < b.landmark_count; i++) {
		molar = molar || (!strcmp(b.landmarks[i].name, "36_mb") && b.landmarks[i].at_mm.x < 0);
		assert_true(b.landmarks[i].at_mm.z > 5 && b.landmarks[i].at_mm.z < 12);
	}
	assert_true(molar);
	assert_int_equal(b.margin_count, 0);
	assert_true(curve_length_mm(&b.line) > 95 && curve_length_mm(&b.line) < 120);
	body_free(&b);
	def = (arch_def){.seed = 4, .cell_mm = 0.4, .prepared_fdi = 36};
	assert_true(body_from_arch(&def, &b, error));
	assert_int_equal(b.landmark_count, 29);
	assert_int_equal(b.margin_count, 120);
	tooth teeth[TEETH_COUNT];
	teeth_layout(4, 36, teeth);
	for (size_t i = 0; i < b.margin_count;
		i++) /* the margin lies on the stump: its sharp edge is at most rounded by k / 4 */
		assert_true(fabs(tooth_distance(&teeth[5], b.margin_mm[i])) < 0.09);
	body_free(&b);
}

static void curve_follows_a_plain_arch(void **state)
{
	(void)state;
	arch_def def = {.seed = 1, .cell_mm = 0.6};
	body b;
	curve found;
	const char *reason = "";
	char error[BODY_ERROR_BYTES];
	assert_true(body_from_arch(&def, &b, error));
	assert_true(curve_from_surface(
		b.positions_mm, b.vertex_count, b.triangles, b.triangle_count, v3_make(0, 0, 0), &found, &reason));
	assert_true(found.up.z > 0.95);
	assert_true(curve_length_mm(&found) > 85 && curve_length_mm(&found) < 150);
	double worst = 0;
	for (size_t i = 80; i + 80 < found.count; i++) { /* the ends run out over the gum behind */
		double least = 1e9;
		for (size_t j = 0; j < b.line.count; j++)
			least = fmin(least,
				hypot(found.points[i].x - b.line.points[j].x, found.points[i].y - b.line.points[j].y));
		worst = fmax(worst, least);
		assert_true(v3_dot(found.buccal[i], found.points[i]) > 0);
	}
	assert_true(worst < 4);
	curve_free(&found);
	body_free(&b);
}

static void simple_line(curve *line)
{
	v3 points[121], tangent;
	for (int i = 0; i < 121; i++) {
		teeth_arch_point(52 * (i / 60.0 - 1), &points[i], &tangent);
		points[i].z = 6;
	}
	assert_true(curve_from_polyline(points, 121, v3_make(0, 0, 1), v3_make(0, 0, 0), 4, line));
}

static void every_scenario_keeps_its_limits(void **state)
{
	(void)state;
	curve line;
	char error[PATH_ERROR_BYTES] = "";
	simple_line(&line);
	for (int scenario = 0; sim_scenarios[scenario]; scenario++)
		for (uint64_t seed = 1; seed <= 3; seed++) {
			sim_config c = config_of_scenario(scenario);
			wand_path way;
			c.path.seed = seed;
			assert_true(path_build(&c.path, &line, &way, error));
			double end = path_duration_s(&way), h = 1.0 / 500;
			assert_true(fabs(way.mean_speed_mm_s / c.path.speed_mm_s - 1) < 0.1);
			for (double t = 0; t + h < end; t += h) { /* measured again, apart from the path's own check */
				pose a = path_at(&way, t), b = path_at(&way, t + h);
				assert_true(v3_length(v3_sub(b.t_mm, a.t_mm)) / h < 30.5);
				assert_true(quat_angle_between(a.q, b.q) / h < radians(91.5));
			}
			path_free(&way);
		}
	curve_free(&line);
}

static void a_path_too_fast_is_refused(void **state)
{
	(void)state;
	curve line;
	wand_path way;
	char error[PATH_ERROR_BYTES] = "";
	simple_line(&line);
	path_def def = config_of_scenario(0).path;
	def.speed_mm_s = 60;
	assert_false(path_build(&def, &line, &way, error));
	assert_non_null(strstr(error, "speed reaches"));
	assert_null(way.controls);
	def.speed_mm_s = 8;
	def.limits.acceleration_mm_s2 = 5;
	assert_false(path_build(&def, &line, &way, error));
	assert_non_null(strstr(error, "acceleration"));
	def = config_of_scenario(0).path;
	def.from_share = 0.5, def.to_share = 0.5001, def.kind = PATH_OCCLUSAL;
	assert_false(path_build(&def, &line, &way, error));
	assert_non_null(strstr(error, "too short"));
	curve_free(&line);
}

static void time_has_gaps_and_jitter(void **state)
{
	(void)state;
	sim_config c = config_of_scenario(0);
	timed_frames plain, rough;
	assert_true(timing_make(&c, 60, &plain));
	assert_int_equal(plain.count, 1801);
	assert_int_equal(plain.missing, 0);
	c.timing = (timing_def){.missing_percent = 5, .bursts = 3, .jitter_ms = 2};
	assert_true(timing_make(&c, 60, &rough));
	double squares = 0, gap = 0;
	for (size_t i = 1; i < rough.count; i++) {
		double off = rough.frames[i].time_s - (double)rough.frames[i].number / 30;
		assert_true(rough.frames[i].time_s > rough.frames[i - 1].time_s);
		squares += off * off;
		gap = fmax(gap, rough.frames[i].time_s - rough.frames[i - 1].time_s);
	}
	assert_true(fabs(sqrt(squares / (double)rough.count) - 0.002) < 0.0004);
	assert_true(gap > 0.2 && gap < 2.2);
	assert_true(rough.missing > 60 && rough.missing < 60 + 3 * 60 + 60);
	assert_in_range(
		rough.missing + rough.count, plain.count - 1, plain.count); /* the last may jitter off the path */
	timing_free(&plain);
	timing_free(&rough);
}

/* Repeated and late frames: every frame is listed, some twice; what is late is behind or stamped late by less than a
 * frame, and the moments grow. */
static void frames_are_listed_twice_or_late(void **state)
{
	(void)state;
	sim_config c = config_of_scenario(0);
	timed_frames t;
	assert_true(timing_make(&c, 60, &t));
	assert_int_equal(t.line_count, t.count);
	assert_int_equal(t.moment_count, t.count);
	assert_int_equal(t.duplicates + t.late, 0);
	timing_free(&t);
	c.timing = (timing_def){.duplicate_percent = 5, .late_percent = 6, .jitter_ms = 2};
	assert_true(timing_make(&c, 60, &t));
	assert_int_equal(t.line_count, t.count + t.duplicates);
	assert_true(t.duplicates > 60 && t.duplicates < 120 && t.late > 70 && t.late < 150);
	size_t same = 0, behind = 0, stamped = 0, twice = 0;
	uint8_t *seen = calloc(t.count, 1);
	for (size_t i = 0; i < t.line_count; i++) {
		const timed_line *l = &t.lines[i];
		double off = l->stamp_s - t.frames[l->frame].time_s;
		assert_true(off >= 0 && off < 1 / c.fps);
		twice += seen[l->frame];
		same += seen[l->frame] && off == 0;
		stamped += !seen[l->frame] && off > 0;
		behind += i && l->stamp_s < t.lines[i - 1].stamp_s;
		seen[l->frame] = 1;
	}
	assert_int_equal(twice, t.duplicates);
	assert_int_equal(t.moment_count, t.line_count - same);
	assert_true(same > twice / 4 && same < twice * 3 / 4);
	assert_true(stamped > t.late / 4 && stamped < t.late * 3 / 4);
	assert_true(behind > t.late / 4 && behind < t.late * 3 / 4);
	for (size_t i = 1; i < t.moment_count; i++)
		assert_true(t.moments[i].stamp_s > t.moments[i - 1].stamp_s);
	free(seen);
	timing_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_numbers_have_their_moments),
		cmocka_unit_test(fields_have_unit_variance_and_length),
		cmocka_unit_test(a_tremor_is_as_large_and_fast_as_asked),
		cmocka_unit_test(nets_close_a_ball),
		cmocka_unit_test(arch_has_its_teeth),
		cmocka_unit_test(curve_follows_a_plain_arch),
		cmocka_unit_test(every_scenario_keeps_its_limits),
		cmocka_unit_test(a_path_too_fast_is_refused),
		cmocka_unit_test(time_has_gaps_and_jitter),
		cmocka_unit_test(frames_are_listed_twice_or_late),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
