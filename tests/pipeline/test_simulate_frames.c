/* SPDX-License-Identifier: Apache-2.0
 * Frames against closed formulas: clean ones to the micrometre, and each error term alone by its statistics. */
#include "test_simulate.h"

#include "phantom_centres.h"

static double sphere_depth_mm(pose camera, uint32_t u, uint32_t v)
{
	v3 d = quat_rotate(camera.q, v3_make((u - 159.5) / 240, (v - 119.5) / 240, 1));
	double best = 1e9;
	for (size_t i = 0; i < phantom_sphere_count; i++) {
		const double *c = phantom_centres_mm + 3 * i; /* the program holds them as floats */
		v3 to = v3_sub(camera.t_mm, v3_make((double)(float)c[0], (double)(float)c[1], (double)(float)c[2]));
		double a = v3_dot(d, d), half = v3_dot(to, d), root = half * half - a * (v3_dot(to, to) - 6.25);
		double t = root > 0 ? (-half - sqrt(root)) / a : 1e9;
		if (t > 0 && t < best)
			best = t;
	}
	return best;
}

static void phantom_is_exact(void **state)
{
	(void)state;
	stage s = {0};
	char error[BODY_ERROR_BYTES];
	error_def clean = error_def_clean();
	assert_true(body_from_phantom(&s.b, error));
	assert_int_equal(s.b.sphere_count, 330);
	curve_place place = curve_at(&s.b.line, 0.3 * curve_length_mm(&s.b.line));
	v3 z = v3_unit(v3_make(0.1, 0.15, -1)), x = v3_unit(v3_mad(place.tangent, z, -v3_dot(place.tangent, z)));
	pose camera = {v3_mad(place.point, z, -14), quat_from_axes(x, v3_cross(z, x), z)};
	stage_body(&s, camera, &clean);
	size_t readings = frame_make(&s.scene, 0, 0, &s.work), compared = 0, silhouette = 0;
	for (uint32_t v = 0; v < HEIGHT; v += 3)
		for (uint32_t u = 0; u < WIDTH; u += 3) {
			double truth = sphere_depth_mm(camera, u, v), depth = s.work.depth_um[v * WIDTH + u] / 1000.0;
			bool seen = truth > 3 && truth < 27;
			if (seen && depth > 0 && fabs(depth - truth) <= 0.001)
				compared++;
			else if (seen || depth > 0)
				silhouette++; /* a ray that grazes a sphere may go either way in float */
		}
	assert_true(readings > PIXELS / 3);
	assert_true(compared > 3000);
	assert_true(silhouette * 1000 <= compared);
	stage_close(&s);
}

static void plane_is_exact(void **state)
{
	(void)state;
	const double degrees[3] = {0, 35, 60};
	error_def clean = error_def_clean();
	for (int i = 0; i < 3; i++) {
		stage s;
		stage_plane(&s, degrees[i], &clean);
		frame_make(&s.scene, 0, 0, &s.work);
		for (uint32_t at = 0; at < PIXELS; at++) {
			double truth = plane_depth_mm(degrees[i], at % WIDTH, at / WIDTH);
			if (truth < 26.9 && truth > 3.1)
				assert_true(fabs(s.work.depth_um[at] / 1000.0 - truth) <= 0.001);
		}
		stage_close(&s);
	}
}

/* Mean and standard deviation of depth - truth in um over readings of `frames` frames. */
static void statistics(
	stage *s, double degrees, int frames, double *out_mean, double *out_sigma, double *out_share, double *out_lag)
{
	double sum = 0, squares = 0, count = 0, lag = 0, lags = 0;
	for (int f = 0; f < frames; f++) {
		frame_make(&s->scene, (uint64_t)f, 0, &s->work);
		double before = (double)NAN;
		for (uint32_t at = 0; at < PIXELS; at++) {
			double truth = plane_depth_mm(degrees, at % WIDTH, at / WIDTH);
			double off = s->work.depth_um[at] ? s->work.depth_um[at] - 1000 * truth : (double)NAN;
			if (!isnan(off))
				sum += off, squares += off * off, count++;
			if (!isnan(off) && !isnan(before) && at % WIDTH)
				lag += off * before, lags++;
			before = off;
		}
	}
	*out_mean = sum / count;
	*out_sigma = sqrt(squares / count - *out_mean * *out_mean);
	*out_share = count / ((double)PIXELS * frames);
	*out_lag = lag / lags / (squares / count);
}

static void noise_has_its_sigma(void **state)
{
	(void)state;
	error_def e = error_def_clean();
	stage s;
	double mean, sigma, share, lag;
	e.noise_um = 20;
	stage_plane(&s, 0, &e);
	statistics(&s, 0, 6, &mean, &sigma, &share, &lag);
	/* over the flat field the incidence cosine runs from 1 to 0.77 */
	assert_true(fabs(mean) < 0.5);
	assert_true(sigma > 20 && sigma < 24);
	assert_true(fabs(lag) < 0.03 && share == 1);
	s.errors.correlated_percent = 100;
	statistics(&s, 0, 6, &mean, &sigma, &share, &lag);
	assert_true(sigma > 19.5 && sigma < 24.5);
	assert_true(lag > 0.85 && lag < 0.99);
	s.errors.correlated_percent = 50;
	statistics(&s, 0, 6, &mean, &sigma, &share, &lag);
	assert_true(lag > 0.4 && lag < 0.55);
	s.scene.stand_off_mm = 6.5; /* the same plane at twice the stand-off */
	statistics(&s, 0, 4, &mean, &sigma, &share, &lag);
	assert_true(sigma > 79 && sigma < 97);
	stage_close(&s);
}

static void residual_and_gain_are_what_truth_says(void **state)
{
	(void)state;
	error_def e = error_def_clean();
	stage s;
	e.bow_um = 50;
	e.residual_um = 30;
	stage_plane(&s, 0, &e);
	assert_true(s.scene.residual.bow_um == 50.0f && s.scene.residual.twist_um != 0.0f);
	frame_make(&s.scene, 0, 0, &s.work);
	for (uint32_t at = 0; at < PIXELS; at++) {
		const enm_depth_residual *r = &s.scene.residual;
		double x = (at % WIDTH) / 159.5 - 1, y = at / WIDTH / 119.5 - 1;
		double um = (double)r->constant_um + (double)r->tilt_x_um * x + (double)r->tilt_y_um * y +
			    (double)r->bow_um * (x * x + y * y) + (double)r->astigmatism_um * (x * x - y * y) +
			    (double)r->twist_um * x * y;
		assert_true(fabs(s.work.depth_um[at] - 13000 - um) <= 1);
	}
	stage_close(&s);
	e = error_def_clean();
	e.gain_percent = 0.5;
	stage_plane(&s, 20, &e);
	frame_make(&s.scene, 0, 0, &s.work);
	for (uint32_t at = 0; at < PIXELS; at += 7)
		assert_true(fabs(s.work.depth_um[at] - 1005 * plane_depth_mm(20, at % WIDTH, at / WIDTH)) <= 1);
	stage_close(&s);
}

static void dropout_has_its_rate_and_clumps(void **state)
{
	(void)state;
	error_def e = error_def_clean();
	stage s;
	double mean, sigma, share, lag, alone = 0, lost = 0;
	e.dropout_percent = 3;
	stage_plane(&s, 0, &e);
	statistics(&s, 0, 12, &mean, &sigma, &share, &lag);
	assert_true(fabs(100 * (1 - share) - 3) < 0.5);
	assert_true(fabs(mean) < 0.5);
	for (uint32_t at = WIDTH + 1; at + WIDTH + 1 < PIXELS; at++)
		if (!s.work.depth_um[at]) {
			const uint16_t *d = s.work.depth_um + at;
			lost++;
			alone += d[-1] && d[1] && d[-(int)WIDTH] && d[WIDTH];
		}
	assert_true(lost > 500 && alone < 0.2 * lost);
	stage_close(&s);
	e = error_def_clean();
	e.grazing_degrees = 70;
	const double degrees[3] = {60, 70, 78}; /* kept: 1 - 1 / (1 + exp(-(angle - 70) / 4)) */
	const double expected[3] = {0.924, 0.5, 0.119};
	for (int i = 0; i < 3; i++) {
		stage_plane(&s, degrees[i], &e);
		double seen = 0, all = 0;
		for (uint64_t f = 0; f < 8; f++) {
			frame_make(&s.scene, f, 0, &s.work);
			for (uint32_t v = 100; v < 140; v++)
				for (uint32_t u = 155; u < 165;
					u++) /* about the axis, where the incidence is the plane's lean */
					seen += s.work.depth_um[v * WIDTH + u] != 0, all++;
		}
		assert_true(fabs(seen / all - expected[i]) < 0.08);
		stage_close(&s);
	}
}

/* A step: a plane and a smaller one 3 mm before it over half of the view. */
static void stage_step(stage *s, const error_def *errors)
{
	*s = (stage){0};
	s->b.vertex_count = 8, s->b.triangle_count = 4;
	s->b.positions_mm = malloc(24 * sizeof(float));
	s->b.colors_rgb = calloc(24, 1);
	s->b.triangles = malloc(12 * sizeof(uint32_t));
	assert_true(s->b.positions_mm && s->b.colors_rgb && s->b.triangles);
	for (int i = 0; i < 8; i++) {
		int k = i % 4, near = i / 4;
		float *p = s->b.positions_mm + 3 * i;
		p[0] = k == 1 || k == 2 ? (near ? 0.0f : 60.0f) : -60.0f;
		p[1] = k >= 2 ? -60.0f : 60.0f;
		p[2] = near ? -3.0f : 0.0f;
	}
	const uint32_t triangles[12] = {0, 1, 2, 0, 2, 3, 4, 5, 6, 4, 6, 7};
	memcpy(s->b.triangles, triangles, sizeof triangles);
	assert_true(body_finish_surface(&s->b));
	stage_body(s, (pose){{0, 0, -13}, {0, 0, 0, 1}}, errors);
}

static void a_step_casts_shadow_and_mixes(void **state)
{
	(void)state;
	error_def e = error_def_clean();
	stage s;
	e.projector_mm = 5;
	stage_step(&s, &e);
	frame_make(&s.scene, 0, 0, &s.work);
	for (uint32_t at = 0; at < PIXELS; at++)
		assert_true(s.work.depth_um[at] != 0); /* lit from the open side: no shadow */
	stage_close(&s);
	stage_step(&s, &e);
	for (size_t i = 0; i < s.way.count; i++) /* turned about the axis: the projector is on the other side */
		s.way.controls[i].q = (quat){0, 0, 1, 0};
	frame_make(&s.scene, 0, 0, &s.work);
	size_t dark = 0;
	for (uint32_t u = 0; u < WIDTH; u++)
		dark += !s.work.depth_um[120 * WIDTH + u];
	/* the light from x = -5, height 13 over the far plane, passes the edge at x = 0, height 3: dark for 1.5 mm
	 * = 27.7 px */
	assert_in_range(dark, 26, 30);
	stage_close(&s);
	e = error_def_clean();
	e.mixed_percent = 40;
	stage_step(&s, &e);
	size_t lost = 0, between = 0, edge = 0;
	for (uint64_t f = 0; f < 20; f++) {
		frame_make(&s.scene, f, 0, &s.work);
		for (uint32_t v = 0; v < HEIGHT; v++) {
			edge++;
			for (uint32_t u = 0; u < WIDTH; u++) {
				uint16_t d = s.work.depth_um[v * WIDTH + u];
				lost += d == 0, between += d > 10002 && d < 12998;
			}
		}
	}
	assert_true(fabs((double)lost / (double)edge - 0.4) < 0.04);
	assert_true(fabs((double)between / (double)edge - 0.6) < 0.04);
	stage_close(&s);
}

static void a_footprint_rounds_a_step(void **state)
{
	(void)state;
	/* of the 13 pixels within two, so many lie beyond the step of 3 mm */
	const int beyond[6] = {0, 1, 4, 9, 12, 13};
	error_def e = error_def_clean();
	stage s;
	stage_step(&s, &e);
	frame_make(&s.scene, 0, 0, &s.work);
	const bool left = s.work.depth_um[120 * WIDTH] < 11000; /* the near side */
	uint32_t first = 0;
	while (s.work.depth_um[120 * WIDTH + first] == s.work.depth_um[120 * WIDTH])
		first++;
	assert_in_range(first, 10, WIDTH - 10);
	s.errors.mixed_px = 2;
	frame_make(&s.scene, 0, 0, &s.work);
	for (uint32_t k = 0; k < 6; k++) {
		const int far = left ? beyond[k] : 13 - beyond[k];
		assert_true(fabs(s.work.depth_um[120 * WIDTH + first - 3 + k] - (10000 + 3000.0 * far / 13)) <= 1.5);
	}
	s.errors.mixed_percent = 40;
	size_t lost = 0, frames = 10;
	for (uint64_t f = 0; f < frames; f++) {
		frame_make(&s.scene, f, 0, &s.work);
		for (uint32_t at = 0; at < PIXELS; at++) {
			assert_true(s.work.depth_um[at] || (at % WIDTH >= first - 2 && at % WIDTH <= first + 1));
			lost += s.work.depth_um[at] == 0;
		}
	}
	assert_true(fabs((double)lost / (double)(frames * HEIGHT * 4) - 0.4) < 0.03);
	stage_close(&s);
}

static void highlights_are_blind_with_a_biased_ring(void **state)
{
	(void)state;
	error_def e = error_def_clean();
	stage s;
	e.highlight_degrees = 3;
	e.highlight_um = 40;
	stage_plane(&s, 0, &e);
	size_t blind = 0, ring = 0;
	frame_make(&s.scene, 0, 0, &s.work);
	for (uint32_t at = 0; at < PIXELS; at++) {
		int off = s.work.depth_um[at] - 13000;
		blind += s.work.depth_um[at] == 0;
		ring += s.work.depth_um[at] && off < -1;
		assert_true(!s.work.depth_um[at] || (off <= 0 && off >= -40));
	}
	/* discs of about 3 and 6 degrees around the axis: 12.6 and 25.2 px */
	assert_in_range(blind, 200, 1000);
	assert_in_range(ring, 600, 3000);
	stage_close(&s);
}

static void saliva_fills_hollows_only(void **state)
{
	(void)state;
	error_def e = error_def_clean();
	stage s;
	e.saliva_um = 200;
	stage_plane(&s, 0, &e);
	for (int i = 0; i < 4; i++)
		s.b.hollow_mm[i] = 0;
	frame_make(&s.scene, 0, 0, &s.work);
	assert_int_equal(s.work.depth_um[120 * WIDTH + 160], 13000);
	for (int i = 0; i < 4; i++)
		s.b.hollow_mm[i] = 1;
	frame_make(&s.scene, 0, 0, &s.work);
	int least = 1000, most = 0;
	for (uint32_t at = 0; at < PIXELS; at++) {
		int film = 13000 - s.work.depth_um[at];
		least = film < least ? film : least, most = film > most ? film : most;
	}
	assert_true(least >= 35 && most <= 205 && most - least > 50);
	stage_close(&s);
}

static void foreign_bodies_come_and_go(void **state)
{
	(void)state;
	error_def clean = error_def_clean();
	stage s;
	stage_plane(&s, 0, &clean);
	foreign_def def = {.way = &s.way, .end_s = 60, .percent = 20, .speed_mm_s = 25, .stand_off_mm = 13, .seed = 3};
	assert_true(foreign_make(&def, &s.foreign));
	size_t visited = 0, covered = 0, all = 0;
	v3 last = {0, 0, 0};
	bool was = false;
	for (double t = 0; t < 60; t += 1.0 / 30) {
		foreign_body guest;
		bool is = foreign_at(&s.foreign, t, &guest);
		if (is && was) /* moves, but does not jump: at most 25 mm/s */
			assert_true(v3_length(v3_sub(guest.centre_mm, last)) * 30 < 26);
		if (is)
			last = guest.centre_mm;
		was = is;
		visited += is, all++;
		if (t < 1)
			assert_false(is);
	}
	assert_true(fabs((double)visited / (double)all - 0.2 * 59 / 60) < 0.03);
	for (size_t i = 0; i < s.foreign.count; i++) {
		const foreign_visit *visit = &s.foreign.visits[i];
		frame_make(&s.scene, i, 0.5 * (visit->from_s + visit->to_s), &s.work);
		size_t nearer = 0;
		for (uint32_t at = 0; at < PIXELS; at++)
			nearer += s.work.depth_um[at] < 12990;
		covered += nearer > PIXELS / 50;
	}
	assert_true(covered * 10 >= s.foreign.count * 7);
	stage_close(&s);
}

static size_t pixels_covered(stage *s, double time_s)
{
	size_t nearer = 0;
	frame_make(&s->scene, 0, time_s, &s->work);
	for (uint32_t at = 0; at < PIXELS; at++)
		nearer += s->work.depth_um[at] < 12990;
	return nearer;
}

/* They come from outside the view and leave it again, never faster than asked for, and some of them rest in between. */
static void foreign_bodies_may_rest(void **state)
{
	(void)state;
	error_def clean = error_def_clean();
	stage s;
	stage_plane(&s, 0, &clean);
	foreign_def def = {.way = &s.way,
		.end_s = 100,
		.percent = 30,
		.speed_mm_s = 40,
		.stand_off_mm = 13,
		.view_mm = {13 * 160 / 240.0, 13 * 120 / 240.0},
		.rests = true,
		.seed = 5};
	assert_true(foreign_make(&def, &s.foreign));
	size_t rested = 0, covered = 0, all = 0, sum = 0;
	double last_s = 1;
	for (size_t i = 0; i < s.foreign.count; i++) {
		const foreign_visit *v = &s.foreign.visits[i];
		assert_true(v->from_s >= last_s && v->to_s > v->from_s && v->to_s <= 100);
		last_s = v->to_s;
		assert_int_equal(pixels_covered(&s, v->from_s), 0);
		assert_int_equal(pixels_covered(&s, v->to_s - 1e-4), 0);
		size_t most = pixels_covered(&s, 0.5 * (v->rest_from_s + v->rest_to_s));
		assert_true(most > PIXELS / 100);
		sum += most;
		rested += v->rest_to_s - v->rest_from_s > 0.2;
		foreign_body a, b;
		for (double t = v->from_s; t + 0.01 < v->to_s; t += 0.01) {
			assert_true(foreign_at(&s.foreign, t, &a) && foreign_at(&s.foreign, t + 0.005, &b));
			assert_true(v3_length(v3_sub(b.centre_mm, a.centre_mm)) / 0.005 < 40.1);
			if (t > v->rest_from_s && t + 0.005 < v->rest_to_s)
				assert_true(v3_length(v3_sub(b.centre_mm, a.centre_mm)) < 1e-9);
		}
	}
	assert_true(rested > s.foreign.count / 5 && rested < s.foreign.count * 4 / 5);
	assert_true(sum > s.foreign.count * PIXELS / 6);
	for (double t = 1; t < 100; t += 0.4)
		covered += pixels_covered(&s, t) > 0, all++;
	assert_true(fabs((double)covered / (double)all - 0.3) < 0.08);
	stage_close(&s);
}

/* The exposure changes the colour's brightness and nothing else, slowly and within its bounds. */
static void exposure_wanders(void **state)
{
	(void)state;
	error_def clean = error_def_clean();
	stage s;
	stage_plane(&s, 0, &clean);
	s.scene.color = true;
	memset(s.b.colors_rgb, 120, 3 * s.b.vertex_count);
	size_t middle = 3 * ((size_t)(HEIGHT / 2) * WIDTH + 40);
	frame_make(&s.scene, 1, 0, &s.work);
	double plain = s.work.color_rgb[middle] - 2.0, least = 1e9, most = 0, last = 0;
	uint16_t depth = s.work.depth_um[middle / 3];
	s.scene.exposure = 1.4;
	for (int i = 0; i < 120; i++) { /* ten seconds, two frames out of five */
		frame_make(&s.scene, 1, (i / 2 * 5 + i % 2) / 30.0, &s.work);
		double gain = (s.work.color_rgb[middle] - 2.0) / plain;
		assert_true(i % 2 == 0 || fabs(gain - last) < 0.06);
		assert_int_equal(s.work.depth_um[middle / 3], depth);
		least = fmin(least, gain), most = fmax(most, gain), last = gain;
	}
	assert_true(least > 0.68 && least < 0.8 && most > 1.25 && most < 1.44);
	stage_close(&s);
}

static void rows_are_exposed_one_after_the_other(void **state)
{
	(void)state;
	error_def clean = error_def_clean();
	stage s;
	stage_plane(&s, 0, &clean);
	for (size_t i = 0; i < s.way.count; i++) /* straight back, 0.1 mm a control, a control each 10 s */
		s.way.controls[i].t_mm.z = -13 - 0.1 * (double)i;
	s.scene.row_time_s = 0.05;
	frame_make(&s.scene, 0, 20, &s.work);
	for (uint32_t v = 0; v < HEIGHT; v++) {
		double z = 13.2 + 0.01 * (v * 0.05);
		assert_true(fabs(s.work.depth_um[v * WIDTH + 5] / 1000.0 - z) < 0.002);
	}
	stage_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phantom_is_exact),
		cmocka_unit_test(plane_is_exact),
		cmocka_unit_test(noise_has_its_sigma),
		cmocka_unit_test(residual_and_gain_are_what_truth_says),
		cmocka_unit_test(dropout_has_its_rate_and_clumps),
		cmocka_unit_test(a_step_casts_shadow_and_mixes),
		cmocka_unit_test(highlights_are_blind_with_a_biased_ring),
		cmocka_unit_test(saliva_fills_hollows_only),
		cmocka_unit_test(a_footprint_rounds_a_step),
		cmocka_unit_test(foreign_bodies_come_and_go),
		cmocka_unit_test(foreign_bodies_may_rest),
		cmocka_unit_test(exposure_wanders),
		cmocka_unit_test(rows_are_exposed_one_after_the_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
