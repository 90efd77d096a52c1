/* SPDX-License-Identifier: Apache-2.0
 * The cache of built programs: what is a hit, what is a miss, and that no file in it can do harm. */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ONE[] =
	"#include \"shared.h\"\n__kernel void one(__global int *out) { out[get_global_id(0)] = SHARED; }\n";
static const char TWO[] = "__kernel void two(__global int *out) { out[get_global_id(0)] = 2; }\n";

static int setup(void **state)
{
	int failed = fixture_folder_setup(state);
	if (failed == 0) {
		fixture_make_folder("kernels");
		fixture_text("kernels/one.cl", ONE);
		fixture_text("kernels/two.cl", TWO);
		fixture_text("kernels/shared.h", "#define SHARED 7\n");
	}
	return failed;
}

static gpu_device *open_cached(const char *cache, fixture_log *log)
{
	gpu_device *device = NULL;
	enm_context_def def = fixture_def(log);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = cache;
	assert_ok(gpu_device_open(&def, &device));
	return device;
}

static int launch_one(gpu_device *device)
{
	gpu_queue *queue;
	gpu_kernel kernel;
	gpu_buffer buffer;
	gpu_budget budget = {.device = device};
	int32_t value = 0;
	assert_ok(gpu_queue_create(device, &queue));
	assert_ok(gpu_kernel_create(device, "one", "one", "int*", &kernel));
	assert_ok(gpu_buffer_create(&budget, "out", 64 * sizeof(value), &buffer));
	const gpu_arg args[] = {GPU_BUFFER(&buffer)};
	assert_ok(gpu_launch(queue, &kernel, GPU_RANGE_1D(64, 64), args, 1));
	assert_ok(gpu_read(queue, &buffer, 0, &value, sizeof(value), NULL));
	assert_ok(gpu_finish(queue));
	gpu_buffer_destroy(&buffer);
	gpu_kernel_destroy(&kernel);
	gpu_queue_destroy(&queue);
	return value;
}

/* Opens, launches, closes; checks what was built and loaded, and the number of warnings. */
static void expect(const char *cache, uint32_t built, uint32_t cached, int warnings, const char *warning)
{
	fixture_log log;
	enm_context_stats stats;
	gpu_device *device = open_cached(cache, &log);
	gpu_device_get_stats(device, &stats);
	assert_int_equal(stats.programs_built, built);
	assert_int_equal(stats.programs_cached, cached);
	assert_int_equal(launch_one(device), 7);
	gpu_device_release(&device);
	assert_int_equal(log.counts[ENM_LOG_WARNING], warnings);
	if (warning != NULL)
		fixture_assert_has(log.first_warning, warning, __FILE__, __LINE__);
}

static void is_written_at_the_end_and_read_at_the_next_start(void **state)
{
	(void)state;
	const char *cache = fixture_path("deep/er/cache"); /* made, parents too */
	expect(cache, 2, 0, 0, NULL);
	assert_int_equal(fixture_count("deep/er/cache", ".bin", NULL), 2);
	assert_int_equal(fixture_count("deep/er/cache", "", NULL), 2); /* no temporary names left */
	expect(cache, 0, 2, 0, NULL);
}

static void knows_a_changed_header_and_only_builds_what_it_touches(void **state)
{
	(void)state;
	const char *cache = fixture_path("cache");
	expect(cache, 2, 0, 0, NULL);
	fixture_text("kernels/shared.h", "#define SHARED 7 /* the same, in other bytes */\n");
	expect(cache, 1, 1, 0, NULL);
	fixture_text("kernels/shared.h", "#define SHARED 7\n");
	expect(cache, 0, 2, 0, NULL);
}

static void can_be_turned_off(void **state)
{
	(void)state;
	assert_int_equal(setenv("ENAMEL_CACHE_DIR", fixture_path("cache"), 1), 0);
	expect("", 2, 0, 0, NULL);
	assert_int_equal(fixture_count("cache", "", NULL), 0);
	expect(NULL, 2, 0, 0, NULL);
	assert_int_equal(fixture_count("cache", ".bin", NULL), 2);
	expect(NULL, 0, 2, 0, NULL);
}

static void stands_where_the_environment_says(void **state)
{
	(void)state;
	char *home = getenv("HOME") != NULL ? strdup(getenv("HOME")) : NULL;
	assert_int_equal(unsetenv("ENAMEL_CACHE_DIR"), 0);
	assert_int_equal(setenv("XDG_CACHE_HOME", fixture_path("xdg"), 1), 0);
	expect(NULL, 2, 0, 0, NULL);
	assert_int_equal(fixture_count("xdg/enamel", ".bin", NULL), 2);
	assert_int_equal(setenv("XDG_CACHE_HOME", "relative", 1), 0); /* to be ignored */
	assert_int_equal(setenv("HOME", fixture_path(""), 1), 0);
	expect(NULL, 2, 0, 0, NULL);
	assert_int_equal(fixture_count(".cache/enamel", ".bin", NULL), 2);
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	expect(NULL, 2, 0, 0, NULL);
	if (home != NULL)
		setenv("HOME", home, 1);
	free(home);
}

/* ---- damage ---- */

static unsigned char original[1 << 20], damaged[1 << 20];
static size_t original_size;
static char victim[128];

/* Fills the cache and keeps one.cl's file. */
static void fill_cache(void)
{
	fixture_log log;
	expect(fixture_path("cache"), 2, 0, 0, NULL);
	gpu_device *device = open_cached(fixture_path("cache"), &log);
	snprintf(victim, sizeof(victim), "cache/one-%s.bin", gpu_program_find(device, "one")->key);
	gpu_device_release(&device);
	original_size = fixture_read(victim, original, sizeof(original));
	assert_true(original_size > 64 && original_size < sizeof(original));
}

static void expect_rebuilt(const void *bytes, size_t size, const char *reason)
{
	fixture_write(victim, bytes, size);
	expect(fixture_path("cache"), 1, 1, 1, reason);
	expect(fixture_path("cache"), 0, 2, 0, NULL); /* mended */
}

static void a_truncated_file_is_a_miss(void **state)
{
	(void)state;
	fill_cache();
	const size_t sizes[] = {0, 1, 16, 71, 72, 73, original_size / 2, original_size - 1};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		expect_rebuilt(original, sizes[i], "truncated");
	memcpy(damaged, original, original_size);
	damaged[original_size] = 0;
	expect_rebuilt(damaged, original_size + 1, "too long");
}

static void a_flipped_bit_is_a_miss(void **state)
{
	(void)state;
	fill_cache();
	const size_t places[] = {0, 8, 12, 16, 47, 48, 55, 56, 71, 72, original_size / 2, original_size - 1};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memcpy(damaged, original, original_size);
		damaged[places[i]] ^= 0x10;
		expect_rebuilt(damaged, original_size, "building again");
	}
}

static void another_version_is_a_miss(void **state)
{
	(void)state;
	fill_cache();
	memcpy(damaged, original, original_size);
	damaged[8]++;
	expect_rebuilt(damaged, original_size, "written by another version");
	expect_rebuilt("#!/bin/sh\necho this is no cache file, and longer than its header would have to be, by far\n",
		87, "not a kernel cache file");
}

static void a_file_others_may_write_is_a_miss(void **state)
{
	(void)state;
	fill_cache();
	assert_int_equal(chmod(fixture_path(victim), 0666), 0);
	expect(fixture_path("cache"), 1, 1, 1, "can be written by other users");
	expect(fixture_path("cache"), 0, 2, 0, NULL);
}

/* The checksum is right, the driver must find out by itself. */
static void a_binary_the_driver_refuses_is_a_miss(void **state)
{
	(void)state;
	fixture_log log;
	gpu_device *device = open_cached(fixture_path("cache"), &log);
	if (strcmp(gpu_device_get_info(device)->platform, "rusticl") == 0) {
		print_message("skipped: rusticl (22.3) ends the process at such a binary\n");
		gpu_device_release(&device);
		skip();
	}
	gpu_cache_save(device, gpu_program_find(device, "one"), (const unsigned char *)"nonsense", 8);
	gpu_program_find(device, "one")->saved = true;
	gpu_device_release(&device);
	expect(fixture_path("cache"), 1, 1, 1, "the driver refuses the cached binary");
	expect(fixture_path("cache"), 0, 2, 0, NULL);
}

/* ---- folders that cannot be used ---- */

static void a_folder_that_cannot_be_made_is_a_warning(void **state)
{
	(void)state;
	fixture_text("file", "no folder\n");
	expect(fixture_path("file/cache"), 2, 0, 1, "cannot be made: Not a directory");
}

/* Read-only in a way that also holds for root. */
static void a_read_only_folder_is_a_warning(void **state)
{
	(void)state;
	expect("/proc/self", 2, 0, 1, "kernel cache: /proc/self/");
}

static void a_read_only_folder_is_still_read(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		print_message("skipped: root may write into any folder\n");
		skip();
	}
	fill_cache();
	assert_int_equal(chmod(fixture_path("cache"), 0500), 0);
	expect(fixture_path("cache"), 0, 2, 0, NULL);
	fixture_text("kernels/two.cl", "__kernel void two(__global int *out) { out[get_global_id(0)] = 3; }\n");
	expect(fixture_path("cache"), 1, 1, 1, "Permission denied");
	assert_int_equal(chmod(fixture_path("cache"), 0700), 0);
}

static void old_files_are_pruned(void **state)
{
	(void)state;
	char name[FIXTURE_PATH_MAX];
	fill_cache();
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "cache/one-%032d.bin", i);
		fixture_text(name, "old");
		const struct timespec then[2] = {{.tv_sec = 1000 + i}, {.tv_sec = 1000 + i}};
		assert_int_equal(utimensat(AT_FDCWD, fixture_path(name), then, 0), 0);
	}
	fixture_text("cache/one-of-mine.txt", "mine");
	assert_int_equal(unlink(fixture_path(victim)), 0);
	expect(fixture_path("cache"), 1, 1, 0, NULL);
	assert_int_equal(fixture_count("cache", ".bin", NULL), 8 + 1);
	assert_int_equal(fixture_count("cache", ".txt", NULL), 1);
	assert_int_equal(fixture_count("cache", "03.bin", NULL), 0);
	assert_int_equal(fixture_count("cache", "0011.bin", NULL), 1);
	expect(fixture_path("cache"), 0, 2, 0, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_written_at_the_end_and_read_at_the_next_start),
		TEST(knows_a_changed_header_and_only_builds_what_it_touches),
		TEST(can_be_turned_off),
		TEST(stands_where_the_environment_says),
		TEST(a_truncated_file_is_a_miss),
		TEST(a_flipped_bit_is_a_miss),
		TEST(another_version_is_a_miss),
		TEST(a_file_others_may_write_is_a_miss),
		TEST(a_binary_the_driver_refuses_is_a_miss),
		TEST(a_folder_that_cannot_be_made_is_a_warning),
		TEST(a_read_only_folder_is_a_warning),
		TEST(a_read_only_folder_is_still_read),
		TEST(old_files_are_pruned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
