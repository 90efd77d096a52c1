/* SPDX-License-Identifier: Apache-2.0
 * Order between queues, proven by what is in the buffers, and recordings, compared bit for bit with plain commands. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gpu/internal.h"

#define ITEMS 4096u
#define REPLAYS 100u

typedef struct world {
	gpu_device *device;
	gpu_queue *first, *second;
	gpu_budget budget;
	gpu_kernel kernel;
	gpu_buffer a, b, c;
} world;

static world w;

/* x' = x * 1664525 + offset: different each time it runs, so that a run too many or too few shows. */
static const char SOURCE[] = "__kernel void shift(__global uint *values, uint offset, uint count)\n"
			     "{\n"
			     "	uint i = get_global_id(0);\n"
			     "	if (i < count)\n"
			     "		values[i] = values[i] * 1664525u + offset;\n"
			     "}\n";

static int open_world(void **state)
{
	if (fixture_folder_setup(state) != 0)
		return -1;
	memset(&w, 0, sizeof(w));
	fixture_make_folder("kernels");
	fixture_text("kernels/shift.cl", SOURCE);
	enm_context_def def = fixture_def(NULL);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = "";
	assert_ok(gpu_device_open(&def, &w.device));
	w.budget.device = w.device;
	assert_ok(gpu_queue_create(w.device, &w.first));
	assert_ok(gpu_queue_create(w.device, &w.second));
	assert_ok(gpu_kernel_create(w.device, "shift", "shift", "uint*,uint,uint", &w.kernel));
	assert_ok(gpu_buffer_create(&w.budget, "a", ITEMS * 4, &w.a));
	assert_ok(gpu_buffer_create(&w.budget, "b", ITEMS * 4, &w.b));
	assert_ok(gpu_buffer_create(&w.budget, "c", ITEMS * 4, &w.c));
	return 0;
}

static int close_world(void **state)
{
	gpu_queue_destroy(&w.first);
	gpu_queue_destroy(&w.second);
	gpu_buffer_destroy(&w.a);
	gpu_buffer_destroy(&w.b);
	gpu_buffer_destroy(&w.c);
	gpu_kernel_destroy(&w.kernel);
	gpu_device_release(&w.device);
	assert_int_equal(gpu_fault_objects(), 0);
	return fixture_folder_teardown(state);
}

static void rest(long ms)
{
	const struct timespec t = {.tv_nsec = ms * 1000000};
	nanosleep(&t, NULL);
}

/* ---- order ---- */

/* The first queue is held up by an event that the test sets off. The second waits for a mark in the first, and must
 * neither run before nor see what was there before. */
static void a_queue_waits_for_another(void **state)
{
	(void)state;
	uint32_t got[ITEMS] = {0};
	gpu_event *mark = NULL, *read = NULL;
	bool done = true;
	cl_int status = CL_SUCCESS;
	if (strcmp(gpu_device_get_info(w.device)->platform, "Oclgrind") == 0)
		skip(); /* runs a queue only when somebody waits for it */
	cl_event held = clCreateUserEvent(w.device->context, &status);
	assert_non_null(held);
	assert_ok(gpu_fill(w.first, &w.a, 0, 1, w.a.bytes));
	assert_ok(gpu_finish(w.first));
	assert_ok(gpu_queue_wait(w.first, (gpu_event *)held));
	assert_ok(gpu_fill(w.first, &w.a, 0, 2, w.a.bytes));
	assert_ok(gpu_queue_mark(w.first, &mark));
	assert_non_null(mark);
	assert_ok(gpu_flush(w.first));
	assert_ok(gpu_queue_wait(w.second, mark));
	assert_ok(gpu_copy(w.second, &w.a, 0, &w.b, 0, w.a.bytes));
	assert_ok(gpu_read(w.second, &w.b, 0, got, sizeof(got), &read));
	assert_ok(gpu_flush(w.second));
	rest(50);
	assert_ok(gpu_event_done(read, &done));
	assert_false(done);
	assert_ok(gpu_event_done(mark, &done));
	assert_false(done);
	assert_int_equal(clSetUserEventStatus(held, CL_COMPLETE), CL_SUCCESS);
	assert_ok(gpu_event_wait(read));
	for (uint32_t i = 0; i < ITEMS; i++)
		assert_int_equal(got[i], 2);
	gpu_event_release(&mark);
	gpu_event_release(&read);
	clReleaseEvent(held);
}

/* To and fro, with no wait of the host before the end and each event let go as soon as it has been waited for. */
static void queues_take_turns(void **state)
{
	(void)state;
	uint32_t got[ITEMS] = {0}, expected = 5;
	const uint32_t count = ITEMS;
	assert_ok(gpu_fill(w.first, &w.a, 0, expected, w.a.bytes));
	for (uint32_t turn = 0; turn < 50; turn++) {
		gpu_queue *from = turn % 2 == 0 ? w.first : w.second, *to = turn % 2 == 0 ? w.second : w.first;
		gpu_event *mark = NULL;
		const gpu_arg args[] = {GPU_BUFFER(&w.a), GPU_VALUE(turn), GPU_VALUE(count)};
		assert_ok(gpu_launch(from, &w.kernel, GPU_RANGE_1D(ITEMS, 64), args, 3));
		assert_ok(gpu_queue_mark(from, &mark));
		assert_ok(gpu_flush(from));
		assert_ok(gpu_queue_wait(to, mark));
		gpu_event_release(&mark);
		expected = expected * 1664525u + turn;
	}
	assert_ok(gpu_read(w.first, &w.a, 0, got, sizeof(got), NULL));
	assert_ok(gpu_finish(w.first));
	for (uint32_t i = 0; i < ITEMS; i++)
		assert_int_equal(got[i], expected);
	assert_ok(gpu_queue_wait(w.first, NULL)); /* nothing to wait for */
	assert_ok(gpu_finish(w.first));
}

/* ---- recordings ---- */

/* Once for a recording, once as plain commands. */
static void give_commands(gpu_queue *queue)
{
	const uint32_t count = ITEMS, offset = 77, other = 78;
	const gpu_arg args[] = {GPU_BUFFER(&w.a), GPU_VALUE(offset), GPU_VALUE(count)};
	const gpu_arg others[] = {GPU_BUFFER(&w.b), GPU_VALUE(other), GPU_VALUE(count)};
	assert_ok(gpu_launch(queue, &w.kernel, GPU_RANGE_1D(ITEMS, 64), args, 3));
	assert_ok(gpu_copy(queue, &w.a, 0, &w.b, 64, ITEMS * 2));
	assert_ok(gpu_fill(queue, &w.b, 0, 9, 32));
	assert_ok(gpu_launch(queue, &w.kernel, GPU_RANGE_1D(ITEMS, 32), others, 3));
	assert_ok(gpu_copy(queue, &w.b, 8, &w.a, 4, ITEMS));
}

static void begin_with(gpu_queue *queue, uint32_t value)
{
	assert_ok(gpu_fill(queue, &w.a, 0, value, w.a.bytes));
	assert_ok(gpu_fill(queue, &w.b, 0, ~value, w.b.bytes));
}

static void a_recording_gives_the_bits_of_plain_commands(void **state)
{
	(void)state;
	static uint32_t plain[ITEMS], recorded[ITEMS], untouched[ITEMS];
	gpu_recording *recording = NULL;
	if (!gpu_can_record(w.device))
		skip();
	begin_with(w.first, 3);
	for (uint32_t i = 0; i < REPLAYS; i++)
		give_commands(w.first);
	assert_ok(gpu_read(w.first, &w.b, 0, plain, sizeof(plain), NULL));
	begin_with(w.first, 3);
	assert_ok(gpu_record_begin(w.first));
	give_commands(w.first);
	assert_ok(gpu_record_end(w.first, &recording));
	assert_non_null(recording);
	assert_ok(gpu_read(w.first, &w.b, 0, untouched, sizeof(untouched), NULL));
	for (uint32_t i = 0; i < REPLAYS; i++) /* several under way at once, arguments set otherwise in between */
		assert_ok(gpu_replay(w.first, recording));
	assert_ok(gpu_read(w.first, &w.b, 0, recorded, sizeof(recorded), NULL));
	assert_ok(gpu_finish(w.first));
	for (uint32_t i = 0; i < ITEMS; i++)
		assert_int_equal(untouched[i], ~3u); /* recording runs nothing */
	assert_memory_equal(recorded, plain, sizeof(plain));
	gpu_recording_destroy(&recording);
	gpu_recording_destroy(&recording);
}

/* Arguments are those of the time of recording, whatever the kernel is launched with later. */
static void a_recording_keeps_its_arguments(void **state)
{
	(void)state;
	uint32_t got[ITEMS];
	const uint32_t count = ITEMS, offset = 10, later = 1000;
	gpu_recording *recording = NULL;
	const gpu_arg args[] = {GPU_BUFFER(&w.a), GPU_VALUE(offset), GPU_VALUE(count)};
	const gpu_arg other[] = {GPU_BUFFER(&w.c), GPU_VALUE(later), GPU_VALUE(count)};
	if (!gpu_can_record(w.device))
		skip();
	assert_ok(gpu_fill(w.first, &w.a, 0, 0, w.a.bytes));
	assert_ok(gpu_fill(w.first, &w.c, 0, 0, w.c.bytes));
	assert_ok(gpu_record_begin(w.first));
	assert_ok(gpu_launch(w.first, &w.kernel, GPU_RANGE_1D(ITEMS, 64), args, 3));
	assert_ok(gpu_record_end(w.first, &recording));
	assert_ok(gpu_launch(w.first, &w.kernel, GPU_RANGE_1D(ITEMS, 64), other, 3));
	assert_ok(gpu_replay(w.first, recording));
	assert_ok(gpu_read(w.first, &w.a, 0, got, sizeof(got), NULL));
	assert_ok(gpu_finish(w.first));
	for (uint32_t i = 0; i < ITEMS; i++)
		assert_int_equal(got[i], offset);
	gpu_recording_destroy(&recording);
}

static void misuse_is_refused(void **state)
{
	(void)state;
	uint32_t value = 0;
	gpu_recording *recording = NULL;
	gpu_event *event = NULL;
	gpu_profile *profile = NULL;
	assert_result(gpu_record_end(w.first, &recording), ENM_E_ARGUMENT);
	assert_error_has("never begun");
	assert_result(gpu_replay(w.first, NULL), ENM_E_ARGUMENT);
	if (!gpu_can_record(w.device)) {
		assert_result(gpu_record_begin(w.first), ENM_E_DEVICE);
		assert_error_has("has no command buffers");
		return;
	}
	assert_ok(gpu_profile_create(w.device, 1, &profile));
	assert_ok(gpu_profile_stage(w.first, profile, 0));
	assert_result(gpu_record_begin(w.first), ENM_E_ARGUMENT);
	assert_error_has("not while stages are measured");
	assert_ok(gpu_profile_stage(w.first, NULL, 0));
	assert_ok(gpu_record_begin(w.first));
	assert_result(gpu_record_begin(w.first), ENM_E_ARGUMENT);
	assert_result(gpu_write(w.first, &w.a, 0, &value, 4, NULL), ENM_E_ARGUMENT);
	assert_error_has("write: not while recording");
	assert_result(gpu_read(w.first, &w.a, 0, &value, 4, NULL), ENM_E_ARGUMENT);
	assert_result(gpu_queue_mark(w.first, &event), ENM_E_ARGUMENT);
	assert_result(gpu_queue_wait(w.first, NULL), ENM_E_ARGUMENT);
	assert_result(gpu_replay(w.first, NULL), ENM_E_ARGUMENT);
	assert_result(gpu_profile_stage(w.first, profile, 0), ENM_E_ARGUMENT);
	assert_ok(gpu_fill(w.first, &w.a, 0, 0, 4));
	assert_ok(gpu_record_end(w.first, &recording));
	assert_result(gpu_replay(w.second, recording), ENM_E_ARGUMENT);
	assert_error_has("of another queue");
	assert_ok(gpu_profile_stage(w.first, profile, 0));
	assert_result(gpu_replay(w.first, recording), ENM_E_ARGUMENT);
	assert_ok(gpu_profile_stage(w.first, NULL, 0));
	assert_ok(gpu_record_begin(w.first));
	assert_ok(gpu_record_end(w.first, NULL)); /* dropped */
	assert_ok(gpu_record_begin(w.second));    /* still going on when the queue is destroyed */
	gpu_recording_destroy(&recording);
	gpu_profile_destroy(&profile);
}

/* PoCL here has them, so that a change that loses them shows. */
static void recordings_are_found_and_can_be_forbidden(void **state)
{
	(void)state;
	gpu_device *device = NULL;
	const enm_device_info *info = gpu_device_get_info(w.device);
	if (strcmp(info->platform, "Portable Computing Language") == 0 && strcmp(info->driver, "3.1") == 0)
		assert_true(gpu_can_record(w.device));
	enm_context_def def = fixture_def(NULL);
	def.kernel_dir = fixture_path("kernels");
	def.cache_dir = "";
	assert_int_equal(setenv("ENAMEL_COMMAND_BUFFERS", "0", 1), 0);
	assert_ok(gpu_device_open(&def, &device));
	unsetenv("ENAMEL_COMMAND_BUFFERS");
	assert_false(gpu_can_record(device));
	gpu_device_release(&device);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_queue_waits_for_another),
		TEST(queues_take_turns),
		TEST(a_recording_gives_the_bits_of_plain_commands),
		TEST(a_recording_keeps_its_arguments),
		TEST(misuse_is_refused),
		TEST(recordings_are_found_and_can_be_forbidden),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
