/* SPDX-License-Identifier: Apache-2.0
 * A device's settings: what they are without and with a file, and that no doubtful file is believed. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gpu/internal.h"

static const char SOURCE[] = "__kernel void nothing(__global uint *values)\n"
			     "{\n"
			     "	values[get_global_id(0)] = 0;\n"
			     "}\n";

static gpu_device *open_device(fixture_log *log, const char *cache)
{
	gpu_device *device = NULL;
	enm_context_def def = fixture_def(log);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = cache;
	assert_ok(gpu_device_open(&def, &device));
	return device;
}

static int begin(void **state)
{
	if (fixture_folder_setup(state) != 0)
		return -1;
	fixture_make_folder("kernels");
	fixture_text("kernels/nothing.cl", SOURCE);
	return 0;
}

/* One that differs from the initial one in all that can differ. */
static uint32_t other_value(const gpu_device *device, gpu_tuning which)
{
	uint32_t values[GPU_TUNING_CANDIDATES_MAX];
	const uint32_t count = gpu_tuning_candidates(device, which, values);
	assert_true(count >= 1 && count <= GPU_TUNING_CANDIDATES_MAX);
	for (uint32_t i = 0; i < count; i++)
		if (values[i] != gpu_tuning_initial(device, which))
			return values[i];
	return values[0];
}

static void assert_initial(const gpu_device *device)
{
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		assert_int_equal(gpu_tuning_get(device, (gpu_tuning)i), gpu_tuning_initial(device, (gpu_tuning)i));
	assert_false(gpu_tuning_measured(device));
}

/* Leaves a good file in "cache"; its name inside the folder goes to `out_name`. */
static void leave_file(char out_name[300])
{
	char name[256];
	gpu_device *device = open_device(NULL, fixture_path("cache"));
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		gpu_tuning_set(device, (gpu_tuning)i, other_value(device, (gpu_tuning)i));
	assert_ok(gpu_tuning_save(device));
	gpu_device_release(&device);
	assert_int_equal(fixture_count("cache", ".txt", name), 1);
	assert_int_equal(fixture_count("cache", ".tmp", NULL), 0);
	snprintf(out_name, 300, "cache/%s", name);
}

static void settings_are_kept(void **state)
{
	(void)state;
	fixture_log log;
	char name[300];
	gpu_device *device = open_device(NULL, fixture_path("cache"));
	assert_initial(device);
	gpu_tuning_set(device, GPU_TUNING_FUSE_GROUPS, 12345); /* no candidate */
	assert_initial(device);
	gpu_device_release(&device);
	leave_file(name);
	device = open_device(&log, fixture_path("cache"));
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		assert_int_equal(gpu_tuning_get(device, (gpu_tuning)i), other_value(device, (gpu_tuning)i));
	assert_true(gpu_tuning_measured(device));
	assert_int_equal(log.counts[ENM_LOG_WARNING], 0);
	gpu_device_release(&device);
	device = open_device(NULL, fixture_path("another"));
	assert_initial(device);
	gpu_device_release(&device);
	device = open_device(NULL, ""); /* nowhere to keep anything */
	assert_initial(device);
	assert_ok(gpu_tuning_save(device));
	gpu_device_release(&device);
}

static void expect_miss(const char *name, const char *text, size_t size, const char *reason)
{
	fixture_log log;
	fixture_write(name, text, size);
	gpu_device *device = open_device(&log, fixture_path("cache"));
	assert_initial(device);
	assert_int_equal(log.counts[ENM_LOG_WARNING], 1);
	fixture_assert_has(log.first_warning, reason, __FILE__, __LINE__);
	gpu_device_release(&device);
}

/* With a right checksum, as somebody's editor would not make it. */
static void expect_miss_summed(const char *name, const char *lines, const char *reason)
{
	static const char digits[] = "0123456789abcdef";
	char text[4096];
	const size_t size = strlen(lines);
	assert_true(size < sizeof(text) - 32);
	memcpy(text, lines, size);
	uint64_t sum = gpu_tuning_sum(text, size);
	memcpy(text + size, "sum ", 4);
	for (int i = 15; i >= 0; i--, sum >>= 4)
		text[size + 4 + (size_t)i] = digits[sum & 15];
	text[size + 20] = '\n';
	expect_miss(name, text, size + 21, reason);
}

static void doubtful_files_are_misses(void **state)
{
	(void)state;
	char name[300], text[4096], bad[4096];
	leave_file(name);
	const size_t size = fixture_read(name, (unsigned char *)text, sizeof(text));
	assert_true(size > 40 && size < 1000);
	for (size_t i = 0; i < size; i++) { /* any byte changed */
		memcpy(bad, text, size);
		bad[i] ^= 1;
		expect_miss(name, bad, size, "tuning-");
	}
	for (size_t length = 1; length < size; length += 7)
		expect_miss(name, text, length, "tuning-");
	expect_miss(name, "", 0, "damaged (size)");
	memset(bad, 'x', sizeof(bad));
	expect_miss(name, bad, sizeof(bad), "damaged (size)");
	memcpy(bad, text, size);
	bad[20] = '\0';
	expect_miss(name, bad, size, "tuning-");
	expect_miss_summed(name, "enamel tuning 1\n", "incomplete");
	expect_miss_summed(name, "enamel tuning 1\nupload_queue 1\ncommand_buffers 0\n", "incomplete");
	expect_miss_summed(name, "enamel tuning 1\nupload_queue 1\nupload_queue 1\n", "damaged");
	expect_miss_summed(name, "enamel tuning 1\nupload_queue 7\n", "damaged");
	expect_miss_summed(name, "enamel tuning 1\nupload_queue\n", "damaged");
	expect_miss_summed(name, "enamel tuning 1\nupload_queue \n", "damaged");
	expect_miss_summed(name, "enamel tuning 1\nupload_queue 4294967297\n", "damaged");
	expect_miss_summed(name, "enamel tuning 1\nupload_queue -1\n", "damaged");
	expect_miss_summed(name, "enamel tuning 1\nsomething 1\n", "damaged");
	expect_miss_summed(name, "enamel tuning 2\nupload_queue 1\n", "not of this version");
	fixture_write(name, text, size);
	assert_int_equal(chmod(fixture_path(name), 0622), 0);
	expect_miss(name, text, size, "can be written by other users");
}

static void the_environment_is_obeyed(void **state)
{
	(void)state;
	fixture_log log;
	assert_int_equal(setenv("ENAMEL_TUNING", "upload_queue=0,fuse_groups=64", 1), 0);
	gpu_device *device = open_device(&log, "");
	assert_int_equal(gpu_tuning_get(device, GPU_TUNING_UPLOAD_QUEUE), 0);
	assert_int_equal(gpu_tuning_get(device, GPU_TUNING_FUSE_GROUPS), 64);
	assert_int_equal(log.counts[ENM_LOG_WARNING], 0);
	gpu_device_release(&device);
	assert_int_equal(setenv("ENAMEL_TUNING", "nonsense,upload_queue=9,upload_queue=0", 1), 0);
	device = open_device(&log, "");
	unsetenv("ENAMEL_TUNING");
	assert_int_equal(gpu_tuning_get(device, GPU_TUNING_UPLOAD_QUEUE), 0);
	assert_int_equal(log.counts[ENM_LOG_WARNING], 2);
	gpu_device_release(&device);
}

static void settings_can_be_read_without_opening(void **state)
{
	(void)state;
	char name[300];
	enm_tuning settings[GPU_TUNING_COUNT + 1];
	size_t count = 99;
	leave_file(name);
	gpu_device *device = open_device(NULL, fixture_path("cache"));
	const uint32_t index = gpu_device_get_info(device)->index;
	memset(settings, 0xee, sizeof(settings));
	assert_ok(enm_device_tuning(index, fixture_path("cache"), settings, GPU_TUNING_COUNT, &count));
	assert_int_equal(count, GPU_TUNING_COUNT);
	for (int i = 0; i < GPU_TUNING_COUNT; i++) {
		assert_string_equal(settings[i].name, gpu_tuning_name((gpu_tuning)i));
		assert_int_equal(settings[i].value, gpu_tuning_get(device, (gpu_tuning)i));
		assert_int_equal(settings[i].initial, gpu_tuning_initial(device, (gpu_tuning)i));
		assert_true(settings[i].measured);
	}
	assert_int_equal(settings[GPU_TUNING_COUNT].value, 0xeeeeeeeeu); /* beyond the capacity */
	gpu_device_release(&device);
	assert_ok(enm_device_tuning(index, "", settings, 1, &count));
	assert_int_equal(count, GPU_TUNING_COUNT);
	assert_false(settings[0].measured);
	assert_ok(enm_device_tuning(index, "", NULL, 0, &count));
	assert_result(enm_device_tuning(index, "", NULL, 1, &count), ENM_E_ARGUMENT);
	assert_int_equal(count, 0);
	assert_result(enm_device_tuning(index, "", settings, 1, NULL), ENM_E_ARGUMENT);
	assert_result(enm_device_tuning(1000, "", settings, 1, &count), ENM_E_ARGUMENT);
	assert_error_has("device_index 1000");
	assert_result(enm_context_tune(NULL), ENM_E_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, fixture_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(settings_are_kept),
		TEST(doubtful_files_are_misses),
		TEST(the_environment_is_obeyed),
		TEST(settings_can_be_read_without_opening),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
