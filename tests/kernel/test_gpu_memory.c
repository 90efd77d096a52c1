/* SPDX-License-Identifier: Apache-2.0
 * Buffers that grow in place, and whether that costs nothing. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gpu/internal.h"

typedef struct world {
	gpu_device *device;
	gpu_queue *queue;
} world;

static world w;

static int open_world(void **state)
{
	if (fixture_folder_setup(state) != 0)
		return -1;
	fixture_make_folder("kernels"); /* none is needed, and building all would take the longest */
	fixture_text("kernels/nothing.cl", "__kernel void nothing(__global uint *a)\n{\n	a[0] = 0;\n}\n");
	enm_context_def def = fixture_def(NULL);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = "";
	assert_ok(gpu_device_open(&def, &w.device));
	assert_ok(gpu_queue_create(w.device, &w.queue));
	return 0;
}

static int close_world(void **state)
{
	gpu_queue_destroy(&w.queue);
	gpu_device_release(&w.device);
	return fixture_folder_teardown(state);
}

static void buffers_grow_in_place(void **state)
{
	(void)state;
	const bool lazy = w.device->lazy;
	gpu_budget budget = {.device = w.device, .bytes_max = 100000};
	gpu_buffer a, none = {0};
	uint8_t sent[8192], got[8192];
	enm_context_stats before, after;
	gpu_device_get_stats(w.device, &before);
	memset(sent, 0x5c, sizeof(sent));
	w.device->lazy = true; /* works on any device; what it costs differs */
	assert_ok(gpu_buffer_reserve(&budget, "a", 4096, (size_t)1 << 20, &a));
	assert_int_equal(budget.bytes, 4096);
	assert_result(gpu_write(w.queue, &a, 0, sent, sizeof(sent), NULL), ENM_E_ARGUMENT); /* not yet */
	assert_ok(gpu_write(w.queue, &a, 0, sent, 4096, NULL));
	assert_ok(gpu_buffer_extend(&a, "a", 8192)); /* while it is under way */
	assert_ok(gpu_copy(w.queue, &a, 0, &a, 4096, 4096));
	assert_ok(gpu_read(w.queue, &a, 0, got, sizeof(got), NULL));
	assert_ok(gpu_finish(w.queue));
	assert_memory_equal(got, sent, sizeof(sent));
	assert_int_equal(budget.bytes, 8192);
	assert_int_equal(budget.allocations, 1);
	assert_ok(gpu_buffer_extend(&a, "a", 8192));
	assert_result(gpu_buffer_extend(&a, "a", 8191), ENM_E_ARGUMENT);
	assert_result(gpu_buffer_extend(&none, "none", 1), ENM_E_ARGUMENT);
	assert_result(gpu_buffer_extend(NULL, "none", 1), ENM_E_ARGUMENT);
	assert_result(gpu_buffer_extend(&a, "a", 100001), ENM_E_CAPACITY);
	assert_error_has("exceed the bound");
	assert_result(gpu_buffer_extend(&a, "a", ((size_t)1 << 20) + 1), ENM_E_CAPACITY);
	assert_error_has("buffer a: ");
	assert_error_has("reserved");
	assert_int_equal(a.bytes, 8192);
	gpu_buffer_destroy(&a);
	w.device->lazy = false; /* nothing is reserved */
	assert_ok(gpu_buffer_reserve(&budget, "a", 4096, (size_t)1 << 20, &a));
	assert_result(gpu_buffer_extend(&a, "a", 4097), ENM_E_CAPACITY);
	gpu_buffer_destroy(&a);
	w.device->lazy = lazy;
	assert_int_equal(budget.bytes, 0);
	gpu_device_get_stats(w.device, &after);
	assert_int_equal(after.device_bytes, before.device_bytes);
}

static uint64_t resident(void)
{
	unsigned long long all = 0, pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%llu %llu", &all, &pages), 2);
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What a lazy device promises; PoCL keeps it, but for the sanitizers' builds. */
static void reserving_costs_no_memory(void **state)
{
	(void)state;
	gpu_budget budget = {.device = w.device};
	gpu_buffer a;
	const uint64_t before = resident();
#if !defined(__SANITIZE_ADDRESS__)
	if (strcmp(gpu_device_get_info(w.device)->platform, "Portable Computing Language") == 0)
		assert_true(gpu_device_is_lazy(w.device));
#endif
	if (!gpu_device_is_lazy(w.device))
		skip();
	assert_ok(gpu_buffer_reserve(&budget, "a", 4096, (size_t)512 << 20, &a));
	assert_ok(gpu_fill(w.queue, &a, 0, 1, 4096));
	assert_ok(gpu_finish(w.queue));
	assert_true(resident() < before + ((uint64_t)64 << 20));
	gpu_buffer_destroy(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_grow_in_place),
		cmocka_unit_test(reserving_costs_no_memory),
	};
	return cmocka_run_group_tests(tests, open_world, close_world);
}
