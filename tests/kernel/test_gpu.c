/* SPDX-License-Identifier: Apache-2.0
 * The device layer on a real device: listing, memory and its bound, copies, kernels and their checks, profile. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct world {
	gpu_device *device;
	gpu_queue *queue;
	fixture_log log;
} world;

static world w;

static int open_world(void **state)
{
	(void)state;
	enm_context_def def = fixture_def(&w.log);
	if (gpu_device_open(&def, &w.device) != ENM_OK || gpu_queue_create(w.device, &w.queue) != ENM_OK) {
		print_error("%s\n", enm_last_error());
		return -1;
	}
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	gpu_queue_destroy(&w.queue);
	gpu_device_release(&w.device);
	return 0;
}

/* ---- devices and contexts ---- */

static void lists_devices(void **state)
{
	(void)state;
	enm_device_info devices[8];
	size_t count = 0, again = 0;
	assert_ok(enm_devices(NULL, 0, &count));
	assert_true(count >= 1);
	memset(devices, 0xee, sizeof(devices));
	assert_ok(enm_devices(devices, 1, &again));
	assert_int_equal(again, count);
	assert_int_equal(devices[1].index, 0xeeeeeeeeu); /* beyond the capacity */
	assert_ok(enm_devices(devices, 8, &count));
	for (size_t i = 0; i < count && i < 8; i++) {
		assert_int_equal(devices[i].index, i);
		assert_true(devices[i].name[0] != '\0' && devices[i].platform[0] != '\0');
		assert_true(devices[i].usable == (devices[i].reason[0] == '\0'));
		assert_true(devices[i].memory_bytes > 0 && devices[i].work_group_max > 0);
	}
	assert_result(enm_devices(NULL, 1, &count), ENM_E_ARGUMENT);
	assert_int_equal(count, 0);
	assert_result(enm_devices(devices, 8, NULL), ENM_E_ARGUMENT);
}

static void refuse_def(enm_context_def def, enm_result expected, const char *text)
{
	enm_context *context = (enm_context *)&def;
	assert_result(enm_context_create(&def, &context), expected);
	assert_null(context);
	assert_error_has(text);
}

static void refuses_bad_definitions(void **state)
{
	(void)state;
	enm_context *context;
	enm_context_def def = enm_context_def_default();
	assert_result(enm_context_create(&def, NULL), ENM_E_ARGUMENT);
	assert_result(enm_context_create(NULL, &context), ENM_E_ARGUMENT);
	def.cookie = 0;
	refuse_def(def, ENM_E_ARGUMENT, "def.cookie");
	def = enm_context_def_default();
	def.device_index = -2;
	refuse_def(def, ENM_E_ARGUMENT, "def.device_index is -2");
	def.device_index = 1000;
	refuse_def(def, ENM_E_NO_DEVICE, "device_index 1000");
	def = enm_context_def_default();
	def.device_name = "no such device";
	refuse_def(def, ENM_E_NO_DEVICE, "'no such device'");
	def = enm_context_def_default();
	def.device_kind = (enm_device_kind)4;
	refuse_def(def, ENM_E_ARGUMENT, "def.device_kind is 4");
	def = enm_context_def_default();
	def.log_level = (enm_log_level)9;
	refuse_def(def, ENM_E_ARGUMENT, "def.log_level is 9");
}

static void a_context_tells_of_itself(void **state)
{
	(void)state;
	enm_context *context;
	enm_device_info info;
	enm_context_stats stats;
	bool passed = false;
	enm_context_def def = fixture_def(NULL);
	assert_ok(enm_context_create(&def, &context));
	assert_ok(enm_context_device(context, &info));
	assert_string_equal(info.name, gpu_device_get_info(w.device)->name);
	assert_ok(enm_context_get_stats(context, &stats));
	assert_true(stats.startup_ms > 0.0);
	assert_true(stats.programs_built + stats.programs_cached >= 1);
	enm_result result = enm_context_self_check(context, &passed);
	assert_ok(result);
	if (!passed)
		print_error("%s\n", enm_last_error());
	assert_true(passed);
	assert_result(enm_context_device(NULL, &info), ENM_E_ARGUMENT);
	assert_result(enm_context_device(context, NULL), ENM_E_ARGUMENT);
	assert_result(enm_context_get_stats(NULL, &stats), ENM_E_ARGUMENT);
	assert_result(enm_context_get_stats(context, NULL), ENM_E_ARGUMENT);
	assert_result(enm_context_self_check(NULL, &passed), ENM_E_ARGUMENT);
	assert_result(enm_context_self_check(context, NULL), ENM_E_ARGUMENT);
	enm_context_destroy(&context);
	assert_null(context);
	enm_context_destroy(&context);
	enm_context_destroy(NULL);
}

static void results_and_statuses_have_names(void **state)
{
	(void)state;
	assert_string_equal(enm_result_name(ENM_OK), "ENM_OK");
	assert_string_equal(enm_result_name(ENM_E_FORMAT), "ENM_E_FORMAT");
	assert_string_equal(enm_result_name((enm_result)77), "unknown result");
	assert_string_equal(gpu_status_name(CL_INVALID_ARG_SIZE), "CL_INVALID_ARG_SIZE");
	assert_string_equal(gpu_status_name(-9999), "unknown status");
	char version[32];
	snprintf(version, sizeof(version), "%d.%d.%d", ENM_VERSION_MAJOR, ENM_VERSION_MINOR, ENM_VERSION_PATCH);
	assert_string_equal(enm_version(), version);
}

static void own_kernels_build_without_a_warning(void **state)
{
	(void)state;
	if (strstr(gpu_device_get_info(w.device)->platform, "Portable Computing Language") == NULL)
		skip(); /* other drivers may warn about their own headers */
	fixture_log log;
	gpu_device *device;
	enm_context_def def = fixture_def(&log);
	def.cache_dir = "";
	gpu_program *program;
	assert_ok(gpu_device_open(&def, &device));
	assert_ok(gpu_program_need(device, "selfcheck", &program)); /* these two are built on demand */
	assert_ok(gpu_program_need(device, "draw", &program));
	for (uint32_t i = 0; i < device->program_count; i++)
		assert_non_null(device->programs[i].handle);
	assert_int_equal(device->stats.programs_built, device->program_count);
	gpu_device_release(&device);
	assert_false(log.without_werror);
	assert_int_equal(log.counts[ENM_LOG_ERROR] + log.counts[ENM_LOG_WARNING], 0);
}

/* ---- memory ---- */

static void memory_is_counted_and_bounded(void **state)
{
	(void)state;
	gpu_budget budget = {.device = w.device, .bytes_max = 1000};
	gpu_buffer a, b;
	enm_context_stats before, during;
	gpu_device_get_stats(w.device, &before);
	assert_ok(gpu_buffer_create(&budget, "a", 600, &a));
	assert_result(gpu_buffer_create(&budget, "b", 401, &b), ENM_E_CAPACITY);
	assert_error_has("buffer b: ");
	assert_null(b.mem);
	assert_ok(gpu_buffer_create(&budget, "b", 400, &b));
	assert_int_equal(budget.bytes, 1000);
	gpu_device_get_stats(w.device, &during);
	assert_int_equal(during.device_bytes - before.device_bytes, 1000);
	gpu_buffer_destroy(&a);
	gpu_buffer_destroy(&a); /* zeroed: nothing happens */
	gpu_buffer_destroy(NULL);
	assert_int_equal(budget.bytes, 400);
	assert_int_equal(budget.bytes_peak, 1000);
	assert_int_equal(budget.allocations, 2);
	gpu_buffer_destroy(&b);
	assert_int_equal(budget.bytes, 0);
	assert_result(gpu_buffer_create(&budget, "none", 0, &a), ENM_E_ARGUMENT);
	budget.bytes_max = 0;
	assert_result(gpu_buffer_create(&budget, "huge", SIZE_MAX - 3, &a), ENM_E_CAPACITY);
	assert_error_has("buffer huge: ");
	assert_error_has("largest allocation");
	gpu_device_get_stats(w.device, &during);
	assert_int_equal(during.device_bytes, before.device_bytes);
}

static void copies_bring_back_what_was_sent(void **state)
{
	(void)state;
	gpu_budget budget = {.device = w.device};
	gpu_buffer a, b;
	gpu_event *written = (gpu_event *)&budget, *read = NULL;
	uint8_t sent[1001], got[1001];
	bool done = false;
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 31);
	memset(got, 0, sizeof(got));
	assert_ok(gpu_buffer_create(&budget, "a", 1008, &a));
	assert_ok(gpu_buffer_create(&budget, "b", 1008, &b));
	assert_ok(gpu_fill(w.queue, &b, 0, 0x11223344u, 1008));
	assert_ok(gpu_write(w.queue, &a, 3, sent, sizeof(sent), &written));
	assert_non_null(written);
	assert_ok(gpu_copy(w.queue, &a, 3, &b, 2, 999));
	assert_ok(gpu_read(w.queue, &b, 0, got, sizeof(got), &read));
	assert_ok(gpu_flush(w.queue));
	assert_ok(gpu_event_wait(read));
	assert_ok(gpu_event_wait(written)); /* rusticl does not call it done just because a later one is */
	assert_ok(gpu_event_done(written, &done));
	assert_true(done);
	assert_int_equal(got[0], 0x44);
	assert_int_equal(got[1], 0x33);
	assert_memory_equal(got + 2, sent, 999);
	gpu_event_release(&written);
	gpu_event_release(&read);
	gpu_event_release(&read);
	assert_ok(gpu_event_wait(NULL));
	gpu_buffer_destroy(&a);
	gpu_buffer_destroy(&b);
}

static void copies_stay_inside(void **state)
{
	(void)state;
	gpu_budget budget = {.device = w.device};
	gpu_buffer a, none = {0};
	gpu_event *event = (gpu_event *)&budget;
	uint32_t value[4] = {0};
	assert_ok(gpu_buffer_create(&budget, "a", 16, &a));
	assert_result(gpu_write(w.queue, &a, 1, value, 16, NULL), ENM_E_ARGUMENT);
	assert_error_has("write: 16 bytes at 1 exceed the buffer's 16");
	assert_result(gpu_read(w.queue, &a, SIZE_MAX, value, 16, NULL), ENM_E_ARGUMENT);
	assert_result(gpu_fill(w.queue, &a, 16, 0, 4), ENM_E_ARGUMENT);
	assert_result(gpu_fill(w.queue, &a, 2, 0, 4), ENM_E_ARGUMENT);
	assert_result(gpu_copy(w.queue, &a, 0, &a, 8, 12), ENM_E_ARGUMENT);
	assert_result(gpu_write(w.queue, &none, 0, value, 4, NULL), ENM_E_ARGUMENT);
	assert_result(gpu_read(w.queue, NULL, 0, value, 4, NULL), ENM_E_ARGUMENT);
	assert_ok(gpu_write(w.queue, &a, 16, value, 0, &event)); /* nothing to do is done */
	assert_null(event);
	assert_ok(gpu_finish(w.queue));
	gpu_buffer_destroy(&a);
}

static void staging_memory_is_the_hosts(void **state)
{
	(void)state;
	gpu_budget budget = {.device = w.device};
	gpu_staging staging;
	gpu_buffer a;
	int32_t got[64];
	assert_ok(gpu_staging_create(w.device, sizeof(got), &staging));
	assert_ok(gpu_buffer_create(&budget, "a", sizeof(got), &a));
	for (int32_t i = 0; i < 64; i++)
		((int32_t *)staging.host)[i] = i * i;
	assert_ok(gpu_write(w.queue, &a, 0, staging.host, sizeof(got), NULL));
	assert_ok(gpu_read(w.queue, &a, 0, got, sizeof(got), NULL));
	assert_ok(gpu_finish(w.queue));
	assert_memory_equal(got, staging.host, sizeof(got));
	assert_int_equal(budget.bytes, sizeof(got));
	gpu_buffer_destroy(&a);
	gpu_staging_destroy(&staging);
	gpu_staging_destroy(&staging);
	assert_result(gpu_staging_create(w.device, 0, &staging), ENM_E_ARGUMENT);
}

/* ---- kernels ---- */

static void refuse_kernel(
	const char *program, const char *name, const char *signature, enm_result expected, const char *text)
{
	gpu_kernel kernel;
	assert_result(gpu_kernel_create(w.device, program, name, signature, &kernel), expected);
	assert_null(kernel.handle);
	assert_error_has(text);
}

static void signatures_are_checked(void **state)
{
	(void)state;
	refuse_kernel("nothing", "x", "", ENM_E_BUILD, "there is no program nothing.cl");
	refuse_kernel("selfcheck", "x", "", ENM_E_BUILD, "selfcheck.cl: has no kernel x");
	refuse_kernel("selfcheck", "selfcheck_integer", "uint*,uint*", ENM_E_ARGUMENT,
		"has 3 arguments, the signature has 2");
	refuse_kernel("selfcheck", "selfcheck_integer", "", ENM_E_ARGUMENT, "has 3 arguments, the signature has 0");
	refuse_kernel(
		"selfcheck", "selfcheck_integer", "uint*,uint*,thing", ENM_E_ARGUMENT, "type 'thing' is not known");
	gpu_kernel kernel;
	assert_ok(gpu_kernel_create(
		w.device, "selfcheck", "selfcheck_struct", "const enm_k_pose , enm_k_voxel *, float*", &kernel));
	gpu_kernel_destroy(&kernel);
	gpu_kernel_destroy(&kernel);
	char type[8];
	assert_ok(gpu_kernel_create(w.device, "selfcheck", "selfcheck_integer", "uint*,uint*,uint", &kernel));
	bool told =
		clGetKernelArgInfo(kernel.handle, 0, CL_KERNEL_ARG_TYPE_NAME, sizeof(type), type, NULL) == CL_SUCCESS;
	gpu_kernel_destroy(&kernel);
	if (!told)
		return; /* the driver does not tell types */
	refuse_kernel("selfcheck", "selfcheck_integer", "uint*,int*,uint", ENM_E_ARGUMENT,
		"argument 1 is 'uint*', the signature says 'int*'");
	refuse_kernel("selfcheck", "selfcheck_integer", "uint*,uint*,float", ENM_E_ARGUMENT,
		"argument 2 is 'uint', the signature says 'float'");
	refuse_kernel(
		"selfcheck", "selfcheck_struct", "enm_k_camera,enm_k_voxel*,float*", ENM_E_ARGUMENT, "'enm_k_camera'");
}

static void launches_are_checked(void **state)
{
	(void)state;
	gpu_budget budget = {.device = w.device};
	gpu_kernel kernel, local, none = {0};
	gpu_buffer a, empty = {0};
	uint32_t count = 0;
	uint64_t wide = 0;
	const gpu_range range = GPU_RANGE_1D(64, 64);
	assert_ok(gpu_buffer_create(&budget, "a", 8192, &a));
	assert_ok(gpu_kernel_create(w.device, "selfcheck", "selfcheck_integer", "uint*,uint*,uint", &kernel));
	assert_ok(gpu_kernel_create(w.device, "selfcheck", "selfcheck_local", "int*,int*,int*", &local));
	const gpu_arg good[] = {GPU_BUFFER(&a), GPU_BUFFER(&a), GPU_VALUE(count)};
	const gpu_arg swapped[] = {GPU_BUFFER(&a), GPU_VALUE(count), GPU_BUFFER(&a)};
	const gpu_arg too_wide[] = {GPU_BUFFER(&a), GPU_BUFFER(&a), GPU_VALUE(wide)};
	const gpu_arg no_memory[] = {GPU_BUFFER(&a), GPU_BUFFER(&empty), GPU_VALUE(count)};
	const gpu_arg not_local[] = {GPU_BUFFER(&a), GPU_BUFFER(&a), GPU_LOCAL(0)};
	assert_result(gpu_launch(w.queue, &none, range, good, 3), ENM_E_ARGUMENT);
	assert_result(gpu_launch(w.queue, &kernel, range, good, 2), ENM_E_ARGUMENT);
	assert_error_has("launch selfcheck_integer: 2 arguments given, (uint*,uint*,uint) wanted");
	assert_result(gpu_launch(w.queue, &kernel, range, swapped, 3), ENM_E_ARGUMENT);
	assert_error_has("argument 1 of (uint*,uint*,uint): a value given");
	assert_result(gpu_launch(w.queue, &kernel, range, too_wide, 3), ENM_E_ARGUMENT);
	assert_error_has("argument 2 of (uint*,uint*,uint): 8 bytes given, 4 wanted");
	assert_result(gpu_launch(w.queue, &kernel, range, no_memory, 3), ENM_E_ARGUMENT);
	assert_error_has("a buffer without memory");
	assert_result(gpu_launch(w.queue, &local, range, not_local, 3), ENM_E_ARGUMENT);
	assert_error_has("local memory of no bytes");
	assert_result(gpu_launch(w.queue, &kernel, GPU_RANGE_1D(0, 64), good, 3), ENM_E_ARGUMENT);
	assert_result(gpu_launch(w.queue, &kernel, GPU_RANGE_1D(64, 0), good, 3), ENM_E_ARGUMENT);
	assert_result(gpu_launch(w.queue, &kernel, GPU_RANGE_2D(64, 0, 8, 8), good, 3), ENM_E_ARGUMENT);
	assert_result(gpu_launch(w.queue, &kernel, GPU_RANGE_1D(64, 1u << 20), good, 3), ENM_E_ARGUMENT);
	assert_error_has("groups of 1048576, the device allows");
	assert_ok(gpu_launch(w.queue, &kernel, range, good, 3));
	assert_ok(gpu_finish(w.queue));
	gpu_kernel_destroy(&local);
	gpu_kernel_destroy(&kernel);
	gpu_buffer_destroy(&a);
}

static const char RANGES[] = "__kernel void where(__global uint *out, uint width, uint height)\n"
			     "{\n"
			     "	uint x = get_global_id(0), y = get_global_id(1);\n"
			     "	if (x == 0 && y == 0)\n"
			     "		out[0] = (uint)(get_global_size(0) * 1000 + get_global_size(1));\n"
			     "	if (x < width && y < height)\n"
			     "		out[1 + y * width + x] = y * 100 + x;\n"
			     "}\n";

static void ranges_are_rounded_up(void **state)
{
	(void)state;
	gpu_device *device;
	gpu_queue *queue;
	gpu_kernel kernel;
	gpu_buffer out;
	uint32_t width = 13, height = 7, got[1 + 13 * 7];
	fixture_make_folder("kernels");
	fixture_text("kernels/where.cl", RANGES);
	enm_context_def def = fixture_def(NULL);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = "";
	assert_ok(gpu_device_open(&def, &device));
	gpu_budget budget = {.device = device};
	assert_ok(gpu_queue_create(device, &queue));
	assert_ok(gpu_kernel_create(device, "where", "where", "uint*,uint,uint", &kernel));
	assert_ok(gpu_buffer_create(&budget, "out", sizeof(got), &out));
	const gpu_arg args[] = {GPU_BUFFER(&out), GPU_VALUE(width), GPU_VALUE(height)};
	assert_ok(gpu_launch(queue, &kernel, GPU_RANGE_2D(width, height, 8, 4), args, 3));
	assert_ok(gpu_read(queue, &out, 0, got, sizeof(got), NULL));
	assert_ok(gpu_finish(queue));
	assert_int_equal(got[0], 16 * 1000 + 8);
	for (uint32_t i = 0; i < width * height; i++)
		assert_int_equal(got[1 + i], i / width * 100 + i % width);
	assert_ok(gpu_launch(queue, &kernel, GPU_RANGE_1D(65, 64), args, 3));
	assert_ok(gpu_read(queue, &out, 0, got, sizeof(got), NULL));
	assert_ok(gpu_finish(queue));
	assert_int_equal(got[0], 128 * 1000 + 1);
	gpu_buffer_destroy(&out);
	gpu_kernel_destroy(&kernel);
	gpu_queue_destroy(&queue);
	gpu_device_release(&device);
}

/* ---- threads ---- */

/* One thread's work on the shared device; NULL when all went well. */
static void *work_alone(void *unused)
{
	(void)unused;
	static char failed;
	uint32_t in[64], out[8 * 64], count = 64;
	gpu_queue *queue = NULL;
	gpu_kernel kernel = {0};
	gpu_buffer a = {0}, b = {0};
	gpu_budget budget = {.device = w.device};
	for (uint32_t i = 0; i < 64; i++)
		in[i] = i * i;
	enm_result result = gpu_queue_create(w.device, &queue);
	if (result == ENM_OK)
		result = gpu_kernel_create(w.device, "selfcheck", "selfcheck_integer", "uint*,uint*,uint", &kernel);
	for (int round = 0; round < 20 && result == ENM_OK; round++) {
		result = gpu_buffer_create(&budget, "a", sizeof(in), &a);
		if (result == ENM_OK)
			result = gpu_buffer_create(&budget, "b", sizeof(out), &b);
		const gpu_arg args[] = {GPU_BUFFER(&a), GPU_BUFFER(&b), GPU_VALUE(count)};
		if (result == ENM_OK)
			result = gpu_write(queue, &a, 0, in, sizeof(in), NULL);
		if (result == ENM_OK)
			result = gpu_launch(queue, &kernel, GPU_RANGE_1D(64, 64), args, 3);
		if (result == ENM_OK)
			result = gpu_read(queue, &b, 0, out, sizeof(out), NULL);
		if (result == ENM_OK)
			result = gpu_finish(queue);
		for (uint32_t i = 0; i < 64 && result == ENM_OK; i++)
			if (out[8 * i] != in[i] * 2654435761u + 12345u)
				result = ENM_E_DEVICE;
		gpu_buffer_destroy(&a);
		gpu_buffer_destroy(&b);
	}
	gpu_kernel_destroy(&kernel);
	gpu_queue_destroy(&queue);
	return result == ENM_OK ? NULL : &failed;
}

static void threads_share_a_device(void **state)
{
	(void)state;
	pthread_t threads[4];
	enm_context_stats before, after;
	if (strcmp(gpu_device_get_info(w.device)->platform, "Oclgrind") == 0) {
		print_message("skipped: Oclgrind itself is not made for threads\n");
		skip();
	}
	gpu_device_get_stats(w.device, &before);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work_alone, NULL), 0);
	for (int i = 0; i < 4; i++) {
		void *failed = NULL;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	gpu_device_get_stats(w.device, &after);
	assert_int_equal(after.device_bytes, before.device_bytes);
}

/* ---- profile ---- */

static void measure(gpu_device *device, gpu_queue *queue)
{
	gpu_budget budget = {.device = device};
	gpu_profile *profile;
	gpu_buffer a;
	gpu_event *event = NULL;
	uint32_t value;
	float ms[3] = {-1, -1, -1};
	assert_ok(gpu_profile_create(device, 3, &profile));
	assert_ok(gpu_buffer_create(&budget, "a", 4u << 20, &a));
	for (int round = 0; round < 2; round++) {
		assert_ok(gpu_profile_stage(queue, profile, 0));
		for (int i = 0; i < 100; i++) /* more events than there is room for at first */
			assert_ok(gpu_fill(queue, &a, 0, 1, 4096));
		assert_ok(gpu_profile_stage(queue, profile, 2));
		assert_ok(gpu_fill(queue, &a, 0, 2, 4u << 20));
		assert_ok(gpu_read(queue, &a, 0, &value, sizeof(value), &event));
		assert_ok(gpu_profile_stage(queue, NULL, 0));
		assert_ok(gpu_fill(queue, &a, 0, 3, 4u << 20)); /* not measured */
		assert_ok(gpu_event_wait(event));
		gpu_event_release(&event);
		assert_ok(gpu_profile_collect(profile, ms));
		assert_true(ms[0] > 0.0f && ms[0] < 10000.0f);
		assert_true(ms[1] == 0.0f);
		assert_true(ms[2] > 0.0f && ms[2] < 10000.0f);
	}
	assert_ok(gpu_profile_collect(profile, ms)); /* emptied by the last one */
	assert_true(ms[0] == 0.0f && ms[2] == 0.0f);
	assert_result(gpu_profile_stage(queue, profile, 3), ENM_E_ARGUMENT);
	assert_ok(gpu_profile_stage(queue, profile, 1)); /* events unread at the end */
	assert_ok(gpu_fill(queue, &a, 0, 4, 4096));
	assert_ok(gpu_profile_stage(queue, NULL, 0));
	assert_ok(gpu_finish(queue));
	gpu_profile_destroy(&profile);
	gpu_profile_destroy(&profile);
	gpu_buffer_destroy(&a);
}

static void stages_are_measured(void **state)
{
	(void)state;
	measure(w.device, w.queue);
}

static void stages_are_measured_by_the_wall_where_events_lie(void **state)
{
	(void)state;
	const bool trusted = w.device->stats.event_times_trusted;
	w.device->stats.event_times_trusted = false;
	measure(w.device, w.queue);
	w.device->stats.event_times_trusted = trusted;
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_devices),
		TEST(refuses_bad_definitions),
		TEST(a_context_tells_of_itself),
		TEST(results_and_statuses_have_names),
		TEST(own_kernels_build_without_a_warning),
		TEST(memory_is_counted_and_bounded),
		TEST(copies_bring_back_what_was_sent),
		TEST(copies_stay_inside),
		TEST(staging_memory_is_the_hosts),
		TEST(signatures_are_checked),
		TEST(launches_are_checked),
		cmocka_unit_test_setup_teardown(ranges_are_rounded_up, fixture_folder_setup, fixture_folder_teardown),
		TEST(threads_share_a_device),
		TEST(stages_are_measured),
		TEST(stages_are_measured_by_the_wall_where_events_lie),
	};
	return cmocka_run_group_tests(tests, open_world, close_world);
}
