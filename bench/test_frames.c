/* SPDX-License-Identifier: Apache-2.0
 * What enamel-frames makes of its runs, on made-up ones with known answers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frames_summary.h"

#define COUNT 200u
#define REPEATS 3u

/* cmocka 1.1 compares floats only. */
#define assert_near(a, b, tolerance) assert_true(fabs((double)(a) - (double)(b)) <= (tolerance))

typedef struct made_up {
	frames_input in;
	frames_pass pipelined[REPEATS], serial[REPEATS];
	frames_result r;
	frames_summary s;
} made_up;

static void make_pass(frames_pass *p)
{
	memset(p, 0, sizeof(*p));
	p->ms = calloc(COUNT, sizeof(*p->ms));
	p->cpu_ms = calloc(COUNT, sizeof(*p->cpu_ms));
	p->reports = calloc(COUNT, sizeof(*p->reports));
	assert_true(p->ms && p->cpu_ms && p->reports);
	p->wall_s = 1.0;
	p->cpu_s = 0.5;
}

static void free_pass(frames_pass *p)
{
	free(p->ms);
	free(p->cpu_ms);
	free(p->reports);
}

/* Serial frame n costs 2 ms, and per 1,000: 3 ms blocks in view, 0.5 ms out of view, 40 ms blocks added, 0.1 ms
 * samples; run k takes `slow` ms more of every third frame, from the k-th on. */
static made_up *make(double slow_ms)
{
	made_up *m = calloc(1, sizeof(*m));
	assert_non_null(m);
	m->in.count = COUNT;
	m->in.pixels = 76800;
	m->r = (frames_result){.repeats = REPEATS, .pipelined = m->pipelined, .serial = m->serial};
	m->r.device.kind = ENM_DEVICE_GPU;
	for (size_t k = 0; k < REPEATS; k++) {
		make_pass(&m->pipelined[k]);
		make_pass(&m->serial[k]);
		m->pipelined[k].wall_s = 1.0 + (double)k;
		for (size_t n = 0; n < COUNT; n++) {
			enm_report *report = &m->serial[k].reports[n];
			report->blocks_in_view = (uint32_t)(1000 + 300 * (n % 7));
			report->blocks_used = (uint32_t)(3000 + 50 * n);
			report->blocks_added = (uint32_t)(n % 5);
			report->samples = 9000;
			report->iterations = (uint32_t)(2 + n % 3);
			const double in_view = report->blocks_in_view, out = report->blocks_used - in_view;
			m->serial[k].ms[n] = 2.0 + 0.003 * in_view + 0.0005 * out + 0.04 * report->blocks_added +
					     0.9 * report->iterations + (n % REPEATS == k ? slow_ms : 0.0);
			m->pipelined[k].ms[n] = (double)(n + 1);
		}
	}
	assert_int_equal(frames_summarize(&m->in, &m->r, &m->s), HOST_OK);
	return m;
}

static void drop(made_up *m)
{
	for (size_t k = 0; k < REPEATS; k++) {
		free_pass(&m->pipelined[k]);
		free_pass(&m->serial[k]);
	}
	frames_summary_free(&m->s);
	free(m);
}

static void test_quantiles_are_nearest_ranks(void **state)
{
	(void)state;
	made_up *m = make(0.0);
	double percentiles[FRAMES_PERCENTILES];
	assert_near(m->s.latency.run.median, 100.0, 0.0);
	assert_near(m->s.latency.run.p99, 198.0, 0.0);
	assert_near(m->s.latency.least_q.max, 200.0, 0.0);
	assert_near(m->s.latency.p99_to_median, 1.98, 1e-12);
	assert_int_equal(frames_percentiles(m->s.latency.least, COUNT, percentiles), HOST_OK);
	assert_near(percentiles[0], 1.0, 0.0);
	assert_near(percentiles[50], 100.0, 0.0);
	assert_near(percentiles[100], 200.0, 0.0);
	assert_near(m->s.fps_min, COUNT / 3.0, 1e-9);
	assert_near(m->s.fps_median, COUNT / 2.0, 1e-9);
	assert_near(m->s.fps_max, COUNT, 1e-9);
	drop(m);
}

/* A frame that was slow in one run only is not slow. */
static void test_least_of_runs(void **state)
{
	(void)state;
	made_up *quiet = make(0.0), *busy = make(100.0);
	assert_true(busy->s.serial.run.max > 100.0);
	assert_near(busy->s.serial.least_q.max, quiet->s.serial.least_q.max, 1e-9);
	assert_near(busy->s.serial.least_q.p99, quiet->s.serial.least_q.p99, 1e-9);
	drop(quiet);
	drop(busy);
}

static void test_fit_finds_the_costs(void **state)
{
	(void)state;
	made_up *m = make(0.0);
	assert_false(m->s.cost_is_cpu);
	assert_near(m->s.fit.base_ms, 2.0, 1e-6);
	assert_near(m->s.fit.in_view_ms, 3.0, 1e-6);
	assert_near(m->s.fit.out_of_view_ms, 0.5, 1e-6);
	assert_near(m->s.fit.added_ms, 40.0, 1e-6);
	assert_near(m->s.fit.samples_ms, 0.1, 1e-6);
	assert_true(m->s.fit.out_of_view_share > 0.1 && m->s.fit.out_of_view_share < 0.6);
	drop(m);
}

/* Counts that never change have no slope; counts that go together, or few frames, give no fit. */
static void test_fit_says_when_it_cannot_tell(void **state)
{
	(void)state;
	static enm_report reports[COUNT];
	static double costs[COUNT];
	for (size_t n = 0; n < COUNT; n++) {
		reports[n].blocks_in_view = (uint32_t)(1000 + 10 * n);
		reports[n].blocks_used = reports[n].blocks_in_view + 5000;
		costs[n] = 1.0 + 0.002 * reports[n].blocks_in_view;
	}
	frames_fit fit = frames_fit_make(reports, costs, COUNT, 3.0);
	assert_near(fit.in_view_ms, 2.0, 1e-6);
	assert_near(fit.out_of_view_ms, 0.0, 0.0);
	assert_true(isnan(frames_fit_make(reports, costs, 20, 3.0).base_ms));
	for (size_t n = 0; n < COUNT; n++)
		reports[n].blocks_used = 3 * reports[n].blocks_in_view;
	assert_true(isnan(frames_fit_make(reports, costs, COUNT, 3.0).base_ms));
}

static void test_parts_cover_the_scan(void **state)
{
	(void)state;
	made_up *m = make(0.0);
	size_t next = 0;
	for (size_t i = 0; i < m->s.part_count; i++) {
		assert_int_equal(m->s.parts[i].first, next);
		next = m->s.parts[i].end;
	}
	assert_int_equal(next, COUNT);
	assert_near(m->s.blocks_used_last, 3000 + 50 * (COUNT - 1), 0.0);
	drop(m);
}

static void test_reports_that_differ_are_found(void **state)
{
	(void)state;
	const enm_report base = {
		.frame_id = 3, .samples = 7, .blocks_used = 9, .world_from_camera = {{1, 2, 3}, {0, 0, 0, 1}}};
	enm_report other = base;
	assert_null(frames_difference(&base, &other));
	other.latency_ms = 12.0f; /* times may differ */
	other.stage_ms[2] = 1.0f;
	assert_null(frames_difference(&base, &other));
	other.world_from_camera.t_mm[1] = 2.0000000000000004; /* the next number */
	assert_string_equal(frames_difference(&base, &other), "pose");
	other = base;
	other.world_from_camera.t_mm[0] = -0.0;
	enm_report zero = base;
	zero.world_from_camera.t_mm[0] = 0.0;
	assert_string_equal(frames_difference(&zero, &other), "pose");
	other = base;
	other.verdict = ENM_VERDICT_LOST;
	assert_string_equal(frames_difference(&base, &other), "verdict");
	other = base;
	other.blocks_used++;
	assert_string_equal(frames_difference(&base, &other), "blocks");
	other = base;
	other.iterations++;
	assert_string_equal(frames_difference(&base, &other), "iterations");
	other = base;
	other.frame_id++;
	assert_string_equal(frames_difference(&base, &other), "id");
}

static floor_work small_work(void)
{
	return (floor_work){.pixels = 1000,
		.raw_bytes = 2,
		.samples = 100,
		.iterations = 4,
		.blocks_in_view = 10,
		.blocks_added = 2,
		.blocks_used = 640};
}

/* By hand, from the table in README.md. */
static void test_floors(void **state)
{
	(void)state;
	const floor_work w = small_work();
	assert_near(floor_upload(&w).bytes, 4000.0, 1e-9);
	assert_near(floor_depth(&w).bytes, 1000.0 * 26.0625, 1e-9);
	assert_near(floor_depth(&w).operations, 570e3, 1e-6);
	assert_near(floor_track(&w).bytes, 250.0 * 64.0, 1e-9);
	assert_near(floor_allocate(&w).bytes, 250.0 * 56.0 + 24.0, 1e-9);
	assert_near(floor_fuse(&w).bytes, 512.0 * 18.0 * 6.0 + 16000.0 + 400.0 + 120.0, 1e-9);
	const floor_stage upload = floor_upload(&w);
	assert_near(floor_ms(&upload, 4e6, 0.25), 1.25, 1e-12);
}

static void test_floors_follow_their_counts(void **state)
{
	(void)state;
	const floor_work w = small_work();
	floor_work colored = w, larger = w;
	floor_stage a, b;
	colored.color = true;
	larger.blocks_used *= 2;
	assert_true(floor_upload(&colored).bytes > floor_upload(&w).bytes);
	assert_true(floor_fuse(&colored).operations > floor_fuse(&w).operations);
	assert_true(floor_fuse(&larger).bytes > floor_fuse(&w).bytes);
	for (int stage = 0; stage < ENM_STAGE_COUNT; stage++) {
		if (!floor_of((enm_stage)stage, &w, &a))
			continue;
		assert_true(a.bytes > 0.0 && a.launches >= 1.0);
		/* out of view costs nothing but in the choice of what is in view */
		assert_true(floor_of((enm_stage)stage, &larger, &b) && (stage == ENM_STAGE_FUSE || b.bytes <= a.bytes));
	}
	assert_false(floor_of(ENM_STAGE_VIEW, &w, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantiles_are_nearest_ranks),
		cmocka_unit_test(test_least_of_runs),
		cmocka_unit_test(test_fit_finds_the_costs),
		cmocka_unit_test(test_fit_says_when_it_cannot_tell),
		cmocka_unit_test(test_parts_cover_the_scan),
		cmocka_unit_test(test_reports_that_differ_are_found),
		cmocka_unit_test(test_floors),
		cmocka_unit_test(test_floors_follow_their_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
