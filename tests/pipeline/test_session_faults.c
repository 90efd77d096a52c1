/* SPDX-License-Identifier: Apache-2.0
 * The n-th OpenCL call fails, for n = 1, 2, 3, ... until nothing does: each failure is a negative result with a text,
 * and nothing is leaked or left running. The leak checker of the sanitizer build and the device's byte count look on.
 */
#include "scan.h"

#include "gpu/gpu.h"

/* Everything a user does, up to the first failure. */
static enm_result use(void)
{
	enm_session_def def = the_scan.def;
	const char *record = getenv("ENAMEL_COMMAND_BUFFERS");
	enm_session *s = NULL;
	enm_mesh *mesh = NULL;
	uint8_t rgba[16 * 12 * 4];
	double low[3], high[3];
	enm_report report;
	def.stage_times = record == NULL; /* with them, nothing is recorded */
	def.voxel_mm = 0.2;               /* fewer blocks to go through */
	def.truncation_mm = 0.8;
	def.device_bytes_max = 64u << 20;
	enm_mesh_def mesh_def = enm_mesh_def_default();
	mesh_def.views_min = 1;
	const enm_view_def view = enm_view_def_default(16, 12);
	const enm_surface_def surface_def = enm_surface_def_default();
	enm_surface *surface = NULL;
	enm_result result = enm_session_create(the_context, &def, &s);
	for (int i = 0; i < 3 && result == ENM_OK; i++) {
		const enm_frame frame = scan_frame(i);
		result = enm_session_push(s, &frame, NULL);
		if (result == ENM_OK && i == 1)
			result = enm_session_next_report(s, &report);
		if (result == ENM_EMPTY)
			result = ENM_OK;
	}
	if (result == ENM_OK)
		result = enm_session_flush(s);
	for (int i = 0; i < 2 && result == ENM_OK; i++) { /* has a slice made, and takes it */
		result = enm_session_surface_update(s, &surface_def, &surface);
		enm_surface_destroy(&surface);
		if (result == ENM_OK || result == ENM_EMPTY || result == ENM_FULL)
			result = enm_session_bounds(s, low, high); /* waits */
	}
	if (result == ENM_OK)
		result = enm_session_render(s, &view, rgba, sizeof(rgba));
	if (result == ENM_OK)
		result = enm_session_mesh(s, &mesh_def, &mesh);
	if (result == ENM_OK)
		result = enm_session_bounds(s, low, high);
	if (result == ENM_OK)
		result = enm_session_reset(s);
	enm_mesh_destroy(&mesh);
	enm_session_destroy(&s);
	return result;
}

static uint64_t device_bytes(void)
{
	enm_context_stats stats;
	WANT(ENM_OK, enm_context_get_stats(the_context, &stats));
	return stats.device_bytes;
}

/* `first`: so many of the calls fail in turn; then a sample, or each with $ENAMEL_TEST_SLOW. `least`: of them cannot be made up for. */
static void fail_each_call(uint64_t first, uint64_t least)
{
	WANT(ENM_OK, use());
	gpu_fault_arm(0);
	WANT(ENM_OK, use());
	const uint64_t calls = gpu_fault_calls();
	const int64_t objects = gpu_fault_objects();
	uint64_t failed = 0;
	assert_true(calls > 100);
	const uint64_t step = getenv("ENAMEL_TEST_SLOW") != NULL ? 1 : 17;
	for (uint64_t n = 1; n <= calls + 1; n += n < first ? 1 : step) {
		gpu_fault_arm(n);
		const enm_result result = use();
		const bool hit = gpu_fault_calls() >= n;
		gpu_fault_arm(0);
		assert_int_equal(device_bytes(), 0);
		assert_int_equal(gpu_fault_objects(), objects);
		if (result == ENM_OK) {
			/* a release may fail without anyone being hurt; past the last call nothing fails */
			continue;
		}
		assert_true(hit);
		assert_true(result == ENM_E_DEVICE || result == ENM_E_CAPACITY || result == ENM_E_MEMORY);
		assert_true(enm_last_error()[0] != '\0');
		failed++;
	}
	print_message("%llu calls, %llu failures seen\n", (unsigned long long)calls, (unsigned long long)failed);
	assert_true(failed > least);
	WANT(ENM_OK, use()); /* the context came through all of it */
}

static void every_call_may_fail(void **state)
{
	(void)state;
	fail_each_call(100, 100); /* these make the session */
}

/* The calls of a session that records its launches; a recording that fails is made up for by single launches. */
static void every_call_may_fail_while_recording(void **state)
{
	(void)state;
	assert_int_equal(setenv("ENAMEL_COMMAND_BUFFERS", "1", 1), 0);
	fail_each_call(1, 40);
	unsetenv("ENAMEL_COMMAND_BUFFERS");
}

/* A scan that is refined, with room for a second model or without. */
static enm_result refine_once(uint64_t device_bytes_max)
{
	enm_session_def def = the_scan.def;
	enm_refine_def how = enm_refine_def_default();
	enm_refine_result refined;
	enm_session *s = NULL;
	def.keep_frames = true;
	def.stage_times = false;
	def.voxel_mm = 0.2;
	def.truncation_mm = 0.8;
	def.device_bytes_max = device_bytes_max;
	enm_result result = enm_session_create(the_context, &def, &s);
	for (int i = 0; i < 3 && result == ENM_OK; i++) {
		const enm_frame frame = scan_frame(i);
		result = enm_session_push(s, &frame, NULL);
	}
	if (result == ENM_OK)
		result = enm_session_finish(s);
	if (result == ENM_OK)
		result = enm_session_refine(s, &how, &refined);
	enm_session_destroy(&s);
	return result;
}

static void every_call_of_a_refinement_may_fail(void **state)
{
	(void)state;
	const uint64_t bounds[] = {256u << 20, 64u << 20};
	for (int i = 0; i < 2; i++) {
		WANT(ENM_OK, refine_once(bounds[i]));
		gpu_fault_arm(0);
		WANT(ENM_OK, refine_once(bounds[i]));
		const uint64_t calls = gpu_fault_calls(), step = getenv("ENAMEL_TEST_SLOW") != NULL ? 1 : 41;
		const int64_t objects = gpu_fault_objects();
		uint64_t failed = 0;
		/* those before, of the session itself, have failed above */
		for (uint64_t n = calls / 4; n <= calls + 1; n += step) {
			gpu_fault_arm(n);
			const enm_result result = refine_once(bounds[i]);
			gpu_fault_arm(0);
			assert_int_equal(device_bytes(), 0);
			assert_int_equal(gpu_fault_objects(), objects);
			assert_true(result == ENM_OK || (result < 0 && enm_last_error()[0] != '\0'));
			failed += result < 0;
		}
		print_message("%llu calls, %llu failures seen\n", (unsigned long long)calls, (unsigned long long)failed);
		assert_true(failed > 10);
		WANT(ENM_OK, refine_once(bounds[i]));
	}
}

/* A session that has failed says so from then on, and what it had finished stays readable. */
static void failed_session_stays_failed(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_frame frame = scan_frame(0);
	enm_report report;
	WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	WANT(ENM_OK, enm_session_flush(s));
	frame = scan_frame(1);
	gpu_fault_arm(1); /* which sends the frame */
	assert_true(enm_session_push(s, &frame, NULL) < 0);
	gpu_fault_arm(0);
	frame = scan_frame(2);
	WANT(ENM_E_DEVICE, enm_session_push(s, &frame, NULL));
	WANT(ENM_E_DEVICE, enm_session_reset(s));
	for (int i = 0; i < 2; i++) {
		WANT(ENM_E_DEVICE, enm_session_finish(s));
		assert_non_null(strstr(enm_last_error(), "has failed before"));
	}
	WANT(ENM_OK, enm_session_flush(s)); /* nothing is under way any more */
	WANT(ENM_OK, enm_session_next_report(s, &report));
	assert_int_equal(report.verdict, ENM_VERDICT_TRACKED);
	WANT(ENM_EMPTY, enm_session_next_report(s, &report));
	enm_session_destroy(&s);
	assert_int_equal(device_bytes(), 0);
}

/* Each call of finish fails once: then the session has failed, whatever it was that did. */
static void finish_that_fails_is_the_end(void **state)
{
	(void)state;
	uint64_t failed = 0;
	bool more = true;
	for (uint64_t n = 1; more; n++) {
		enm_session *s = scan_session(&the_scan.def);
		const enm_frame frame = scan_frame(0), next = scan_frame(1);
		enm_report report;
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
		gpu_fault_arm(n);
		const enm_result result = enm_session_finish(s);
		more = gpu_fault_calls() >= n;
		gpu_fault_arm(0);
		if (result != ENM_OK) {
			assert_true(more);
			WANT(result, enm_session_finish(s));
			WANT(result, enm_session_push(s, &next, NULL));
			failed++;
		} else {
			WANT(ENM_OK, enm_session_next_report(s, &report));
			WANT(ENM_OK, enm_session_push(s, &next, NULL));
		}
		enm_session_destroy(&s);
		assert_int_equal(device_bytes(), 0);
	}
	assert_true(failed >= 2); /* the frame's event, and the queue */
}

SCAN_TEST_MAIN(cmocka_unit_test(every_call_may_fail), cmocka_unit_test(every_call_may_fail_while_recording),
	cmocka_unit_test(every_call_of_a_refinement_may_fail),
	cmocka_unit_test(failed_session_stays_failed), cmocka_unit_test(finish_that_fails_is_the_end))
