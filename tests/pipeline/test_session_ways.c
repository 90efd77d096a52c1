/* SPDX-License-Identifier: Apache-2.0
 * The same frames one by one, overlapping, as single launches and as recordings: reports, voxels and mesh are the same
 * bits. And what a steady frame must not do: wait for the device, make buffers, ask for host memory.
 */
#include "scan.h"

#include <stdatomic.h>
#include <stdio.h>

#include "core/context.h"
#include "gpu/internal.h"
#include "pipeline/session.h"

/* ---- host memory that the engine asks for ---- */

static atomic_int asked;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	atomic_fetch_add(&asked, 1);
	return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	atomic_fetch_add(&asked, 1);
	return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
	atomic_fetch_add(&asked, 1);
	return __real_realloc(old, bytes);
}

/* ---- the same in every way ---- */

/* Stage times would send everything one by one through one queue. */
static enm_session_def untimed(void)
{
	enm_session_def def = the_scan.def;
	def.stage_times = false;
	return def;
}

typedef struct result {
	outcome seen;
	uint32_t *voxels;
	size_t bytes;
} result;

static const session_ways PLAIN = {.serial = true};

/* Readings in both formats, with and without colour: each kind of frame has a recording of its own. */
static enm_frame mixed_frame(int i, float *floats)
{
	enm_frame frame = scan_frame(i);
	const uint16_t *readings = frame.depth;
	if (i % 5 == 3)
		frame.color_rgb = NULL;
	if (i % 3 == 2) {
		for (uint32_t p = 0; p < SCAN_PIXELS; p++)
			floats[p] = (float)((double)readings[p] * the_scan.def.depth_mm_per_unit);
		frame.depth = floats;
		frame.depth_format = ENM_DEPTH_F32_MM;
	}
	return frame;
}

static result run(const enm_session_def *def, session_ways ways, bool with_reset)
{
	result r = {0};
	static float floats[SCAN_PIXELS];
	enm_session *s = scan_session(def);
	s->ways = ways;
	for (int round = 0; round < (with_reset ? 2 : 1); round++) {
		if (round > 0)
			WANT(ENM_OK, enm_session_reset(s));
		for (int i = 0; i < SCAN_FRAMES; i++) {
			const enm_frame frame = mixed_frame(i, floats);
			WANT(ENM_OK, enm_session_push(s, &frame, NULL));
			if (ways.serial)
				assert_int_equal(s->slots[i % 2].busy, true); /* not read, though done */
		}
		WANT(ENM_OK, enm_session_flush(s));
		for (int i = 0; i < SCAN_FRAMES; i++)
			WANT(ENM_OK, enm_session_next_report(s, &r.seen.reports[i]));
	}
	assert_true(s->ways.record == ways.record); /* nothing was given up on the way */
	for (int i = 0; i < 8; i++) {
		const gpu_recording *kept = s->slots[i / 4].recordings[i / 2 % 2][i % 2];
		assert_true((kept != NULL) == ways.record);
	}
	outcome_mesh(s, &r.seen);
	r.bytes = (size_t)r.seen.reports[SCAN_FRAMES - 1].blocks_used * ENM_K_BLOCK_WORDS * 4;
	r.voxels = malloc(r.bytes);
	assert_non_null(r.voxels);
	WANT(ENM_OK, gpu_read(s->queue, &s->model.voxels, 0, r.voxels, r.bytes, NULL));
	WANT(ENM_OK, gpu_finish(s->queue));
	enm_session_destroy(&s);
	return r;
}

static void drop(result *r)
{
	outcome_drop(&r->seen);
	free(r->voxels);
}

static void assert_same(const result *a, const result *b)
{
	assert_same_outcome(&a->seen, &b->seen);
	assert_int_equal(a->bytes, b->bytes);
	assert_memory_equal(a->voxels, b->voxels, a->bytes);
}

static void compare_ways(const enm_session_def *def)
{
	static const session_ways others[] = {
		{.overlap = false},
		{.overlap = true},
		{.record = true, .serial = true},
		{.record = true},
		{.overlap = true, .record = true},
	};
	result plain = run(def, PLAIN, false);
	int tracked = 0;
	for (int i = 0; i < SCAN_FRAMES; i++)
		tracked += plain.seen.reports[i].verdict == ENM_VERDICT_TRACKED;
	assert_true(tracked == SCAN_FRAMES);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].record && !gpu_can_record(context_device(the_context)))
			continue;
		result other = run(def, others[i], i % 2 == 1);
		assert_same(&plain, &other);
		drop(&other);
	}
	drop(&plain);
}

/* With stage times too, where events give them. */
static void ways_give_the_same_bits_timed(void **state)
{
	(void)state;
	result plain = run(&the_scan.def, PLAIN, false);
	result overlapping = run(&the_scan.def, (session_ways){.overlap = true}, false);
	assert_same(&plain, &overlapping);
	double upload_ms = 0.0;
	for (int i = 0; i < SCAN_FRAMES; i++)
		upload_ms += (double)overlapping.seen.reports[i].stage_ms[ENM_STAGE_UPLOAD];
	assert_true(upload_ms > 0.0);
	drop(&plain);
	drop(&overlapping);
}

static void ways_give_the_same_bits(void **state)
{
	(void)state;
	const enm_session_def def = untimed();
	compare_ways(&def);
}

static void ways_give_the_same_bits_by_raycast(void **state)
{
	(void)state;
	enm_session_def def = untimed();
	def.tracker = ENM_TRACKER_RAYCAST;
	compare_ways(&def);
}

/* Every value of every setting, the others as they are. */
static void settings_give_the_same_bits(void **state)
{
	(void)state;
	gpu_device *device = context_device(the_context);
	const enm_session_def def = untimed();
	result plain = run(&def, PLAIN, false);
	for (int i = 0; i < GPU_TUNING_COUNT; i++) {
		uint32_t values[GPU_TUNING_CANDIDATES_MAX];
		const uint32_t count = gpu_tuning_candidates(device, (gpu_tuning)i, values);
		const uint32_t before = gpu_tuning_get(device, (gpu_tuning)i);
		for (uint32_t v = 0; v < count; v++) {
			gpu_tuning_set(device, (gpu_tuning)i, values[v]);
			assert_int_equal(gpu_tuning_get(device, (gpu_tuning)i), values[v]);
			enm_session *s = scan_session(&def);
			const session_ways ways = s->ways; /* as a session would have them */
			enm_session_destroy(&s);
			result tuned = run(&def, ways, false);
			assert_same(&plain, &tuned);
			drop(&tuned);
		}
		gpu_tuning_set(device, (gpu_tuning)i, before);
	}
	drop(&plain);
}

/* One that fails changes nothing. */
static void failed_tuning_changes_no_setting(void **state)
{
	(void)state;
	gpu_device *device = context_device(the_context);
	const bool measured = gpu_tuning_measured(device);
	uint32_t before[GPU_TUNING_COUNT];
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		before[i] = gpu_tuning_get(device, (gpu_tuning)i);
	gpu_fault_arm(300);
	const enm_result failed = enm_context_tune(the_context);
	gpu_fault_arm(0);
	assert_true(failed < 0);
	assert_int_equal(gpu_tuning_measured(device), measured);
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		assert_int_equal(gpu_tuning_get(device, (gpu_tuning)i), before[i]);
}

/* Ten seconds of it, with ENAMEL_TEST_SLOW=1, in a context without a cache's folder, lest other tests use what was found; that is as may
 * be. */
static void tuning_finds_settings(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	enm_context *context = NULL;
	if (getenv("ENAMEL_TEST_SLOW") == NULL)
		skip();
	def.device_name = getenv("ENAMEL_TEST_DEVICE");
	def.cache_dir = "";
	WANT(ENM_OK, enm_context_create(&def, &context));
	gpu_device *device = context_device(context);
	assert_false(gpu_tuning_measured(device));
	WANT(ENM_OK, enm_context_tune(context));
	assert_true(gpu_tuning_measured(device));
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		print_message("%s %u\n", gpu_tuning_name((gpu_tuning)i), gpu_tuning_get(device, (gpu_tuning)i));
	enm_session *s = NULL;
	WANT(ENM_OK, enm_session_create(context, &the_scan.def, &s));
	const enm_frame frame = scan_frame(0);
	assert_int_equal(scan_push(s, &frame).verdict, ENM_VERDICT_TRACKED);
	enm_session_destroy(&s);
	enm_context_destroy(&context);
}

/* Recordings made before the model grew would use its old buffers. */
static void recordings_follow_the_model(void **state)
{
	(void)state;
	const session_ways recorded = {.overlap = true, .record = true};
	uint64_t generations[2];
	outcome seen[2];
	if (!gpu_can_record(context_device(the_context)))
		skip();
	enm_session_def def = untimed();
	def.voxel_mm = 0.025;
	def.truncation_mm = 0.3;
	for (int k = 0; k < 2; k++) {
		enm_session *s = scan_session(&def);
		s->ways = k == 0 ? PLAIN : recorded;
		scan_run(s, 0, SCAN_FRAMES, &seen[k]);
		outcome_mesh(s, &seen[k]);
		generations[k] = s->model.generation;
		enm_session_destroy(&s);
	}
	print_message("%u blocks, grown %d times\n", seen[0].reports[SCAN_FRAMES - 1].blocks_used, (int)generations[0]);
	assert_true(generations[0] > 0);
	assert_int_equal(generations[0], generations[1]);
	assert_same_outcome(&seen[0], &seen[1]);
	outcome_drop(&seen[0]);
	outcome_drop(&seen[1]);
}

/* A driver that has the extension and refuses to record: the session goes on. */
static void refused_recording_keeps_the_session(void **state)
{
	(void)state;
	if (!gpu_can_record(context_device(the_context)))
		skip();
	const enm_session_def def = untimed();
	enm_session *s = scan_session(&def);
	s->ways = (session_ways){.record = true};
	const enm_frame frame = scan_frame(0);
	gpu_fault_arm(2); /* the first sends the input */
	const enm_report report = scan_push(s, &frame);
	gpu_fault_arm(0);
	assert_int_equal(report.verdict, ENM_VERDICT_TRACKED);
	assert_false(s->ways.record);
	enm_session_destroy(&s);
}

/* ---- what overlaps ---- */

/* The frames' queue is held up by an event that the test sets off: what happens all the same does not wait for it. */
static void a_held_frame_holds_up_neither_upload_nor_report(void **state)
{
	(void)state;
	gpu_device *device = context_device(the_context);
	cl_int status = CL_SUCCESS;
	gpu_event *uploaded = NULL;
	enm_report report;
	bool done = false;
	if (strcmp(gpu_device_get_info(device)->platform, "Oclgrind") == 0)
		skip(); /* runs a queue only when somebody waits for it */
	const enm_session_def def = untimed();
	enm_session *s = scan_session(&def);
	s->ways = (session_ways){.overlap = true};
	cl_event held = clCreateUserEvent(device->context, &status);
	assert_non_null(held);
	enm_frame frame = scan_frame(0);
	WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	WANT(ENM_OK, gpu_queue_wait(s->queue, (gpu_event *)held));
	frame = scan_frame(1);
	WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	WANT(ENM_OK, gpu_queue_mark(s->uploads, &uploaded));
	WANT(ENM_OK, gpu_event_wait(uploaded)); /* for ever, if it were behind the frame */
	enm_result told = ENM_EMPTY;
	while (told == ENM_EMPTY) /* likewise */
		told = enm_session_next_report(s, &report);
	WANT(ENM_OK, told);
	assert_int_equal(report.frame_id, 0);
	WANT(ENM_EMPTY, enm_session_next_report(s, &report));
	WANT(ENM_OK, gpu_event_done(s->slots[1].event, &done));
	assert_false(done);
	assert_int_equal(clSetUserEventStatus(held, CL_COMPLETE), CL_SUCCESS);
	WANT(ENM_OK, enm_session_flush(s));
	WANT(ENM_OK, enm_session_next_report(s, &report));
	assert_int_equal(report.frame_id, 1);
	gpu_event_release(&uploaded);
	clReleaseEvent(held);
	enm_session_destroy(&s);
}

/* ---- what a steady frame does not do ---- */

static void count_steady_frames(session_ways ways)
{
	const enm_session_def def = untimed();
	enm_session *s = scan_session(&def);
	enm_session_stats before, after;
	enm_report report;
	int asked_in_push = 0;
	s->ways = ways;
	for (int i = 0; i < SCAN_FRAMES; i++) {
		const enm_frame frame = scan_frame(i);
		if (i == 4)
			WANT(ENM_OK, enm_session_get_stats(s, &before));
		const int asked_before = atomic_load(&asked);
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
		if (i >= 4)
			asked_in_push += atomic_load(&asked) - asked_before;
		/* wait for the frame before this one, not for this one */
		while (i > 0 && enm_session_next_report(s, &report) == ENM_EMPTY)
			;
	}
	WANT(ENM_OK, enm_session_flush(s));
	WANT(ENM_OK, enm_session_get_stats(s, &after));
	assert_int_equal(after.device_calls_blocking, 0);
	assert_int_equal(after.device_allocations - before.device_allocations, 0);
	assert_int_equal(asked_in_push, 0);
	assert_int_equal(after.frames_tracked, SCAN_FRAMES);
	enm_session_destroy(&s);
}

static void steady_frames_wait_and_allocate_nothing(void **state)
{
	(void)state;
	const int before = atomic_load(&asked);
	enm_session *s = scan_session(&the_scan.def);
	assert_true(atomic_load(&asked) > before); /* the count works */
	enm_session_destroy(&s);
	count_steady_frames((session_ways){.overlap = true});
	count_steady_frames((session_ways){0});
	if (gpu_can_record(context_device(the_context)))
		count_steady_frames((session_ways){.overlap = true, .record = true});
}

static void the_environment_chooses(void **state)
{
	(void)state;
	assert_int_equal(setenv("ENAMEL_SERIAL", "1", 1), 0);
	enm_session *s = scan_session(&the_scan.def);
	assert_true(s->ways.serial && !s->ways.overlap);
	enm_session_destroy(&s);
	unsetenv("ENAMEL_SERIAL");
	assert_int_equal(setenv("ENAMEL_COMMAND_BUFFERS", "1", 1), 0);
	s = scan_session(&the_scan.def);
	assert_true(s->ways.record == gpu_can_record(context_device(the_context)));
	assert_false(s->ways.serial);
	enm_session_destroy(&s);
	unsetenv("ENAMEL_COMMAND_BUFFERS");
}

SCAN_TEST_MAIN(cmocka_unit_test(ways_give_the_same_bits), cmocka_unit_test(ways_give_the_same_bits_timed),
	cmocka_unit_test(ways_give_the_same_bits_by_raycast), cmocka_unit_test(settings_give_the_same_bits),
	cmocka_unit_test(recordings_follow_the_model), cmocka_unit_test(refused_recording_keeps_the_session),
	cmocka_unit_test(a_held_frame_holds_up_neither_upload_nor_report),
	cmocka_unit_test(steady_frames_wait_and_allocate_nothing), cmocka_unit_test(the_environment_chooses),
	cmocka_unit_test(failed_tuning_changes_no_setting), cmocka_unit_test(tuning_finds_settings))
