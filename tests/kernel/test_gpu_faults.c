/* SPDX-License-Identifier: Apache-2.0
 * Every OpenCL call fails once, in the way from opening a device to reading a result. Each time either one line says
 * so, or the call was one that need not succeed and the result is right; and nothing stays behind: OpenCL's objects are
 * counted here, host memory is for the sanitizer's leak check. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS 256u
#define CALLS_MAX 2000u
#define SELF_CHECK_CALLS_MAX 20000u

static const char SOURCE[] = "__kernel void twice(__global const int *in, __global int *out, uint count)\n"
			     "{\n"
			     "	uint i = get_global_id(0);\n"
			     "	if (i < count)\n"
			     "		out[i] = 2 * in[i];\n"
			     "}\n";

typedef struct work {
	gpu_device *device;
	gpu_queue *queue, *other;
	gpu_recording *recording;
	gpu_budget budget;
	gpu_buffer in, out, copy;
	gpu_staging staging;
	gpu_profile *profile;
	gpu_kernel kernel;
	gpu_event *event, *mark;
	int32_t result[ITEMS], recorded[ITEMS];
} work;

static enm_result set_up(work *w, const enm_context_def *def)
{
	enm_result result = gpu_device_open(def, &w->device);
	if (result != ENM_OK)
		return result;
	w->budget.device = w->device;
	result = gpu_queue_create(w->device, &w->queue);
	if (result == ENM_OK)
		result = gpu_queue_create(w->device, &w->other);
	if (result == ENM_OK)
		result = gpu_buffer_create(&w->budget, "in", sizeof(w->result), &w->in);
	if (result == ENM_OK)
		result = gpu_buffer_create(&w->budget, "out", sizeof(w->result), &w->out);
	if (result == ENM_OK)
		result = gpu_buffer_create(&w->budget, "copy", sizeof(w->result), &w->copy);
	if (result == ENM_OK)
		result = gpu_staging_create(w->device, sizeof(w->result), &w->staging);
	if (result == ENM_OK)
		result = gpu_profile_create(w->device, 2, &w->profile);
	if (result == ENM_OK)
		result = gpu_kernel_create(w->device, "twice", "twice", "int*,int*,uint", &w->kernel);
	return result;
}

static enm_result compute(work *w)
{
	uint32_t count = ITEMS;
	float stage_ms[2];
	bool done = false;
	int32_t *values = w->staging.host;
	const gpu_arg args[] = {GPU_BUFFER(&w->in), GPU_BUFFER(&w->out), GPU_VALUE(count)};
	for (uint32_t i = 0; i < ITEMS; i++)
		values[i] = (int32_t)i - 100;
	enm_result result = gpu_profile_stage(w->queue, w->profile, 0);
	if (result == ENM_OK)
		result = gpu_write(w->queue, &w->in, 0, w->staging.host, sizeof(w->result), &w->event);
	if (result == ENM_OK)
		result = gpu_fill(w->queue, &w->out, 0, 0, sizeof(w->result));
	if (result == ENM_OK)
		result = gpu_profile_stage(w->queue, w->profile, 1);
	if (result == ENM_OK)
		result = gpu_launch(w->queue, &w->kernel, GPU_RANGE_1D(ITEMS, 64), args, 3);
	if (result == ENM_OK)
		result = gpu_copy(w->queue, &w->out, 0, &w->copy, 0, sizeof(w->result));
	if (result == ENM_OK)
		result = gpu_flush(w->queue);
	if (result == ENM_OK)
		result = gpu_event_wait(w->event);
	if (result == ENM_OK)
		result = gpu_event_done(w->event, &done);
	if (result == ENM_OK)
		result = gpu_read(w->queue, &w->copy, 0, w->result, sizeof(w->result), NULL);
	if (result == ENM_OK)
		result = gpu_profile_stage(w->queue, NULL, 0);
	if (result == ENM_OK)
		result = gpu_finish(w->queue);
	if (result == ENM_OK)
		result = gpu_profile_collect(w->profile, stage_ms);
	return result;
}

/* The same by a recording, in another queue that waits for this one. */
static enm_result compute_recorded(work *w)
{
	uint32_t count = ITEMS;
	const gpu_arg args[] = {GPU_BUFFER(&w->in), GPU_BUFFER(&w->out), GPU_VALUE(count)};
	if (!gpu_can_record(w->device))
		return gpu_read(w->queue, &w->copy, 0, w->recorded, sizeof(w->recorded), NULL);
	enm_result result = gpu_record_begin(w->other);
	if (result != ENM_OK)
		return result;
	result = gpu_fill(w->other, &w->out, 0, 0, sizeof(w->result));
	if (result == ENM_OK)
		result = gpu_launch(w->other, &w->kernel, GPU_RANGE_1D(ITEMS, 64), args, 3);
	if (result == ENM_OK)
		result = gpu_copy(w->other, &w->out, 0, &w->copy, 0, sizeof(w->result));
	if (result != ENM_OK) {
		assert_int_equal(gpu_record_end(w->other, NULL), ENM_OK);
		return result;
	}
	result = gpu_record_end(w->other, &w->recording);
	if (result == ENM_OK)
		result = gpu_replay(w->other, w->recording);
	if (result == ENM_OK)
		result = gpu_read(w->other, &w->copy, 0, w->recorded, sizeof(w->recorded), NULL);
	return result;
}

static enm_result compute_elsewhere(work *w)
{
	memset(w->recorded, 0, sizeof(w->recorded));
	enm_result result = gpu_queue_mark(w->queue, &w->mark);
	if (result == ENM_OK)
		result = gpu_flush(w->queue);
	if (result == ENM_OK)
		result = gpu_queue_wait(w->other, w->mark);
	if (result == ENM_OK)
		result = compute_recorded(w);
	enm_result finished = gpu_finish(w->queue);
	enm_result finished_too = gpu_finish(w->other);
	result = result != ENM_OK ? result : finished;
	return result != ENM_OK ? result : finished_too;
}

static void tear_down(work *w)
{
	gpu_queue_destroy(&w->queue); /* first: they wait for what uses the rest */
	gpu_queue_destroy(&w->other);
	gpu_recording_destroy(&w->recording);
	gpu_event_release(&w->event);
	gpu_event_release(&w->mark);
	gpu_kernel_destroy(&w->kernel);
	gpu_profile_destroy(&w->profile);
	gpu_staging_destroy(&w->staging);
	gpu_buffer_destroy(&w->copy);
	gpu_buffer_destroy(&w->out);
	gpu_buffer_destroy(&w->in);
	assert_int_equal(w->budget.bytes, 0);
	if (w->device != NULL) {
		enm_context_stats stats;
		gpu_device_get_stats(w->device, &stats);
		assert_int_equal(stats.device_bytes, 0);
	}
	gpu_device_release(&w->device);
	assert_int_equal(gpu_fault_objects(), 0);
}

static void check_result(const work *w)
{
	for (uint32_t i = 0; i < ITEMS; i++) {
		assert_int_equal(w->result[i], 2 * ((int32_t)i - 100));
		assert_int_equal(w->recorded[i], w->result[i]);
	}
}

/* One run with the n-th call failing; true when there is no n-th call. */
static bool run(const enm_context_def *def, uint64_t n, uint32_t *failures)
{
	work w;
	memset(&w, 0, sizeof(w));
	error_clear();
	gpu_fault_arm(n);
	enm_result result = set_up(&w, def);
	if (result == ENM_OK)
		result = compute(&w);
	if (result == ENM_OK)
		result = compute_elsewhere(&w);
	if (result == ENM_OK)
		check_result(&w);
	else {
		assert_true(result < 0);
		assert_true(enm_last_error()[0] != '\0');
		assert_true(gpu_fault_calls() >= n); /* it was the fault that did it */
		++*failures;
	}
	tear_down(&w);
	uint64_t calls = gpu_fault_calls();
	gpu_fault_arm(0);
	return calls < n;
}

static void fail_each_call(const enm_context_def *def)
{
	uint32_t failures = 0;
	uint64_t n = 1;
	while (n < CALLS_MAX && !run(def, n, &failures))
		n++;
	assert_true(n < CALLS_MAX);
	assert_true(failures > 20); /* else the hook is not in its place */
	print_message("%u of %u faults were failures\n", failures, (unsigned)n - 1);
}

static enm_context_def make_def(const char *cache)
{
	enm_context_def def = fixture_def(NULL);
	fixture_make_folder("kernels");
	fixture_text("kernels/twice.cl", SOURCE);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = cache;
	return def;
}

static void without_a_cache(void **state)
{
	(void)state;
	enm_context_def def = make_def("");
	fail_each_call(&def);
}

static void with_a_cache(void **state)
{
	(void)state;
	enm_context_def def = make_def(fixture_path("cache"));
	fail_each_call(&def);
}

static void the_text_names_call_and_kernel(void **state)
{
	(void)state;
	work w;
	uint32_t count = ITEMS;
	memset(&w, 0, sizeof(w));
	enm_context_def def = make_def("");
	assert_ok(set_up(&w, &def));
	const gpu_arg args[] = {GPU_BUFFER(&w.in), GPU_BUFFER(&w.out), GPU_VALUE(count)};
	gpu_fault_arm(4); /* three arguments come first */
	assert_result(gpu_launch(w.queue, &w.kernel, GPU_RANGE_1D(ITEMS, 64), args, 3), ENM_E_DEVICE);
	assert_string_equal(enm_last_error(), "clEnqueueNDRangeKernel twice: CL_OUT_OF_RESOURCES (-5)");
	gpu_fault_arm(0);
	tear_down(&w);
}

static void a_self_check_survives_faults(void **state)
{
	(void)state;
	enm_context *context;
	enm_context_def def = fixture_def(NULL);
	assert_ok(enm_context_create(&def, &context));
	bool passed = false;
	uint64_t n = 1, calls = 0;
	for (; n < SELF_CHECK_CALLS_MAX; n += n < 40 ? 1 : n < 200 ? 7 : 199) { /* the later ones belong to a session, whose faults are tested elsewhere */
		gpu_fault_arm(n);
		enm_result result = enm_context_self_check(context, &passed);
		calls = gpu_fault_calls();
		gpu_fault_arm(0);
		assert_true(result == ENM_OK ? passed : !passed && enm_last_error()[0] != '\0');
		if (calls < n)
			break;
	}
	assert_true(n < SELF_CHECK_CALLS_MAX && passed);
	enm_context_destroy(&context);
	assert_int_equal(gpu_fault_objects(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_folder_setup, fixture_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_cache),
		TEST(with_a_cache),
		TEST(the_text_names_call_and_kernel),
		cmocka_unit_test(a_self_check_survives_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
