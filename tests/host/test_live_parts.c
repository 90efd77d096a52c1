/* SPDX-License-Identifier: Apache-2.0
 * The parts of a live scan, each by itself: policy, queue, capture, the watch, fates in recordings, the session's
 * folder. */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "dataset.h"
#include "live/capture.h"
#include "live/policy.h"
#include "live/queue.h"
#include "live/session.h"
#include "live/watch.h"
#include "reader.h"
#include "recorder.h"
#include "scan.h"
#include "scratch.h"
#include "source.h"

#define WIDTH 20u
#define HEIGHT 16u
#define PIXELS ((size_t)WIDTH * HEIGHT)

static void wait_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&t, NULL);
}

/* ---- policy ---- */

static void burst_follows_the_rate(void **state)
{
	(void)state;
	assert_int_equal(live_policy_for(30.0).burst, 15);
	assert_int_equal(live_policy_for(1.0).burst, 8);
	assert_int_equal(live_policy_for(1e4).burst, 64);
	for (double fps = 0.5; fps < 500.0; fps *= 1.7)
		assert_true(live_policy_for(fps).calm < live_policy_for(fps).burst);
}

/* A device that takes `busy_s` for each frame, for `frames` that come at `fps`: how many are skipped, how many wait at
 * most. */
typedef struct load {
	uint32_t skipped, skipped_in_a_row_max, waiting_max, waiting_late_max;
} load;

static load simulate(double fps, double busy_s, double stall_s, uint32_t frames)
{
	const live_policy policy = live_policy_for(fps);
	live_backlog backlog = {0};
	load l = {0};
	uint32_t waiting = 0;
	double free_s = stall_s; /* when the device is free again */
	for (uint32_t i = 0; i < frames; i++) {
		const double now_s = i / fps;
		for (; waiting && free_s <= now_s; waiting--)
			free_s += busy_s;
		if (!waiting)
			free_s = fmax(free_s, now_s);
		waiting++;
		const uint32_t drop = live_policy_drop(&policy, &backlog, waiting, now_s);
		assert_true(drop <= LIVE_DROP_MAX && drop < waiting);
		waiting -= drop;
		l.skipped += drop;
		l.skipped_in_a_row_max = drop > l.skipped_in_a_row_max ? drop : l.skipped_in_a_row_max;
		l.waiting_max = waiting > l.waiting_max ? waiting : l.waiting_max;
		if (now_s > 3.0)
			l.waiting_late_max = waiting > l.waiting_late_max ? waiting : l.waiting_late_max;
		assert_true(waiting <= policy.burst);
	}
	return l;
}

static void a_device_that_keeps_up_skips_nothing(void **state)
{
	(void)state;
	const load l = simulate(30.0, 0.030, 0.0, 3000);
	assert_int_equal(l.skipped, 0);
	assert_true(l.waiting_max <= 2);
}

static void a_hiccup_is_waited_for(void **state)
{
	(void)state;
	const load l = simulate(30.0, 0.015, 0.4, 3000);
	assert_int_equal(l.skipped, 0);
	assert_true(l.waiting_max > 8);
}

static void twice_the_load_skips_every_second(void **state)
{
	(void)state;
	const load l = simulate(60.0, 1.0 / 30.0, 0.0, 6000);
	assert_in_range(l.skipped, 2900, 3100);
	assert_int_equal(l.waiting_late_max, live_policy_for(60.0).calm); /* and so the latency is bounded */
}

static void a_long_stall_skips_the_oldest(void **state)
{
	(void)state;
	const load l = simulate(30.0, 0.010, 3.0, 300);
	assert_in_range(l.skipped, 70, 95);
}

static void the_display_goes_first(void **state)
{
	(void)state;
	assert_true(live_policy_shows(0, 0.0));
	assert_false(live_policy_shows(1, 0.9));
	assert_true(live_policy_shows(5, 1.1));
}

/* ---- queue ---- */

static void queue_keeps_order_and_never_runs_dry(void **state)
{
	(void)state;
	const live_policy policy = {.burst = 4, .calm = 2, .patience_s = 1e9};
	live_queue *q;
	live_dropped dropped[LIVE_DROP_MAX];
	assert_int_equal(live_queue_create(WIDTH, HEIGHT, true, &policy, &q), HOST_OK);
	live_frame *held, *f;
	uint64_t next_dropped = 1;
	f = live_queue_blank(q);
	f->from.number = 0;
	assert_int_equal(live_queue_put(q, f, 0.0, dropped), 0);
	assert_int_equal(live_queue_take(q, 0.0, &held), LIVE_QUEUE_FRAME);
	assert_int_equal(held->from.number, 0);
	for (uint64_t i = 1; i <= 20; i++) { /* with one frame held all the while */
		f = live_queue_blank(q);
		assert_non_null(f);
		assert_non_null(f->from.rgb);
		f->from.number = i;
		f->time_s = (double)i;
		const uint32_t count = live_queue_put(q, f, 0.0, dropped);
		assert_int_equal(count, i > 4 ? 1 : 0);
		if (count)
			assert_int_equal(dropped[0].number, next_dropped++);
	}
	live_queue_give_back(q, held);
	for (uint64_t i = 17; i <= 20; i++) {
		assert_int_equal(live_queue_take(q, 0.0, &f), LIVE_QUEUE_FRAME);
		assert_int_equal(f->from.number, i);
		live_queue_give_back(q, f);
	}
	assert_int_equal(live_queue_take(q, 0.0, &f), LIVE_QUEUE_WAIT);
	live_queue_end(q);
	assert_int_equal(live_queue_take(q, 1e3, &f), LIVE_QUEUE_END);
	const live_queue_stats s = live_queue_look(q);
	assert_int_equal(s.skipped, 16);
	assert_int_equal(s.waiting_max, 4);
	live_queue_destroy(&q);
	assert_null(q);
}

/* ---- fates in recordings ---- */

static ssize_t slow_write(int descriptor, const void *bytes, size_t size, off_t offset)
{
	wait_ms(15);
	return pwrite(descriptor, bytes, size, offset);
}

static ssize_t no_write(int descriptor, const void *bytes, size_t size, off_t offset)
{
	if (offset < 6000)
		return pwrite(descriptor, bytes, size, offset);
	errno = ENOSPC;
	return -1;
}

static recorder *begin_recording(const char *name, uint32_t queue_frames, const recording_system *system)
{
	static const char camera[] =
		"{\"width\": 20, \"height\": 16, \"intrinsic_matrix\": [20, 0, 0, 0, 20, 0, 9.5, 7.5, 1], "
		"\"depth_scale\": 1000, \"depth_unit\": \"mm\"}";
	writer_def def = writer_def_default();
	recorder *r;
	def.descriptor = open(scratch_path(name), O_WRONLY | O_CREAT | O_EXCL, 0666);
	def.path = name;
	def.header = (recording_header){camera, "{}", "test"};
	def.width = WIDTH;
	def.height = HEIGHT;
	def.system = system;
	recorder_def queue = {.width = WIDTH, .height = HEIGHT, .queue_frames = queue_frames};
	assert_int_equal(writer_create(&def, &queue.writer), HOST_OK);
	assert_int_equal(recorder_create(&queue, &r), HOST_OK);
	return r;
}

static void push_frame(recorder *r, uint64_t number)
{
	static uint16_t depth[PIXELS];
	for (size_t p = 0; p < PIXELS; p++)
		depth[p] = (uint16_t)(13000 + p + number);
	const recording_frame frame = {
		.number = number, .time_s = 0.1 * (double)number, .width = WIDTH, .height = HEIGHT, .depth = depth};
	assert_int_equal(recorder_push(r, &frame, 10.0), RECORDER_TAKEN);
}

static void replay_is_told_what_was_skipped(void **state)
{
	(void)state;
	dataset d;
	recorder *r = begin_recording("a.enmrec", 8, NULL);
	recorder_stats stats;
	for (uint64_t i = 0; i < 30; i++) {
		push_frame(r, i);
		if (i == 29)
			break; /* under way when it ended: taken as pushed */
		packet_fate fate = {.number = i,
			.time_s = 0.1 * (double)i,
			.fate = i % 3 == 1 ? FATE_SKIPPED : FATE_PUSHED,
			.verdict = 2};
		fate.q_xyzw[3] = 1.0;
		assert_true(recorder_note(r, &fate));
	}
	assert_int_equal(recorder_close(&r, &stats), HOST_OK);
	assert_int_equal(stats.notes_refused, 0);
	assert_in_range(stats.notes_max, 1, 29);
	assert_int_equal(dataset_open(scratch_path("a.enmrec"), NULL, &d), HOST_OK);
	assert_int_equal(d.frame_count, 30);
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(d.frames[i].skipped, i % 3 == 1);
	dataset_take_skipped(&d);
	for (size_t i = 0; i < 30; i++)
		assert_false(d.frames[i].skipped);
	dataset_close(&d);
}

static void fates_survive_their_bytes(void **state)
{
	(void)state;
	uint8_t bytes[FATES_BYTES + 2 * FATE_BYTES];
	uint32_t count;
	packet_fate back, fates[2] = {{.number = 7,
					      .time_s = 1.25,
					      .fate = FATE_PUSHED,
					      .verdict = 1,
					      .reason = 5,
					      .events = 9,
					      .island = 3},
				  {.number = 1ull << 60, .time_s = -3.0, .fate = FATE_LEFT_OUT}};
	for (int i = 0; i < 3; i++)
		fates[0].t_mm[i] = 0.1 * i - 7.0;
	for (int i = 0; i < 4; i++)
		fates[0].q_xyzw[i] = 0.5;
	packet_fates_put(bytes, fates, 2);
	assert_true(packet_fates_count(bytes, sizeof bytes, &count));
	assert_int_equal(count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		memset(&back, 0, sizeof back);
		packet_fates_get(bytes, i, &back);
		assert_memory_equal(&back, &fates[i], sizeof back);
	}
	assert_false(packet_fates_count(bytes, sizeof bytes - 1, &count));
	assert_false(packet_fates_count(bytes, 4, &count));
	bytes[0] = 3;
	assert_false(packet_fates_count(bytes, sizeof bytes, &count));
	bytes[4] = 0; /* entries too short to be any */
	assert_false(packet_fates_count(bytes, sizeof bytes, &count));
}

/* ---- capture ---- */

typedef struct made {
	uint64_t frames, at, jump_at;
	double bad_time_at; /* number of a frame whose time is no number; below 0: none */
} made;

static source_state next_made(void *user, double timeout_s, source_frame *f)
{
	made *m = user;
	(void)timeout_s;
	if (m->at == m->frames)
		return SOURCE_END;
	for (size_t p = 0; p < PIXELS; p++)
		f->depth[p] = m->at == 2 ? 0 : (uint16_t)(13000 + p);
	f->has_color = false;
	f->number = m->at + (m->at >= m->jump_at ? 10 : 0);
	f->time_s = m->at == 4 ? 0.05 : (double)m->at == m->bad_time_at ? (double)NAN : 0.1 * (double)m->at;
	f->arrived_s = clock_s();
	if (m->at == 9)
		f->time_s = 5e9; /* so many nanoseconds cannot be counted */
	m->at++;
	return SOURCE_FRAME;
}

static bool no_notice(void *user, char text[SOURCE_REASON_BYTES])
{
	(void)user;
	(void)text;
	return false;
}

static const source_ops made_ops = {"made", next_made, no_notice, NULL, NULL};

typedef struct capturing {
	source source;
	made made;
	dataset data;
	size_t capacity;
	stitch_left_out_list left_out;
	live_queue *queue;
	live_events events;
	live_capture capture;
} capturing;

static volatile sig_atomic_t never;

static void begin_capturing(capturing *c, recorder *r, uint64_t frames)
{
	const live_policy policy = live_policy_for(30.0);
	memset(c, 0, sizeof *c);
	c->made = (made){.frames = frames, .jump_at = 8, .bad_time_at = 6.0};
	c->source = (source){.ops = &made_ops,
		.state = &c->made,
		.facts = {.camera = {.camera = {.width = WIDTH, .height = HEIGHT}}}};
	assert_int_equal(live_queue_create(WIDTH, HEIGHT, false, &policy, &c->queue), HOST_OK);
	assert_int_equal(live_events_open(scratch_path("events.jsonl"), &c->events), HOST_OK);
	const live_capture_def def = {.source = &c->source,
		.recorder = r,
		.queue = c->queue,
		.events = &c->events,
		.data = &c->data,
		.capacity = &c->capacity,
		.left_out = &c->left_out,
		.stop = &never};
	assert_int_equal(live_capture_start(&def, &c->capture), HOST_OK);
}

static void end_capturing(capturing *c)
{
	free(c->left_out.entries);
	live_queue_destroy(&c->queue);
	live_events_close(&c->events);
	dataset_close(&c->data);
}

static void capture_counts_what_is_wrong(void **state)
{
	(void)state;
	capturing c;
	recorder *r = begin_recording("a.enmrec", 64, NULL);
	uint16_t median;
	begin_capturing(&c, r, 12);
	assert_true(live_capture_wait_first(&c.capture, &median));
	assert_int_equal(median, 13000 + PIXELS / 2 - 1);
	assert_int_equal(live_capture_join(&c.capture), HOST_OK);
	assert_int_equal(recorder_close(&r, NULL), HOST_OK);
	const live_capture_counts *n = &c.capture.counts;
	assert_int_equal(n->captured, 12);
	assert_int_equal(n->no_time, 2);
	assert_int_equal(n->recorded, 10);
	assert_int_equal(n->left_out, 2); /* one without a reading, one whose time runs backward */
	assert_int_equal(n->lost_before, 10);
	assert_int_equal(n->end, LIVE_END_SOURCE);
	assert_int_equal(c.left_out.count, 2);
	assert_int_equal(c.left_out.entries[0].index, 2);
	assert_int_equal(c.left_out.entries[1].index, 4);
	assert_int_equal(live_queue_look(c.queue).waiting, 8);
	assert_int_equal(c.data.frame_count, 10);
	end_capturing(&c);
	/* A replay leaves the same frames out. */
	dataset d;
	assert_int_equal(dataset_open(scratch_path("a.enmrec"), NULL, &d), HOST_OK);
	assert_int_equal(d.frame_count, 10);
	uint16_t depth[PIXELS];
	for (size_t i = 0; i < 10; i++) {
		dataset_reading reading;
		dataset_read_frame(&d, i, depth, NULL, &reading);
		assert_int_equal(reading.usable, i != 2 && i != 4);
	}
	dataset_close(&d);
}

/* What the recording has no room for does not go to the engine either. */
static void refused_frames_are_counted_and_named(void **state)
{
	(void)state;
	static const recording_system slow = {slow_write, pread, fdatasync, ftruncate};
	capturing c;
	recorder_stats stats;
	recorder *r = begin_recording("a.enmrec", 1, &slow);
	begin_capturing(&c, r, 12);
	assert_int_equal(live_capture_join(&c.capture), HOST_OK);
	assert_int_equal(recorder_close(&r, &stats), HOST_OK);
	const live_capture_counts *n = &c.capture.counts;
	assert_true(n->refused > 0 && n->recorded > 0);
	assert_int_equal(n->refused + n->recorded + n->no_time, n->captured);
	assert_int_equal(stats.written.frames, n->recorded);
	assert_int_equal(c.data.frame_count, n->recorded);
	assert_int_equal(live_queue_look(c.queue).waiting + n->left_out, n->recorded);
	end_capturing(&c);
	static char text[1 << 16];
	FILE *f = fopen(scratch_path("events.jsonl"), "r");
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	fclose(f);
	size_t named = 0;
	for (const char *at = text; (at = strstr(at, "\"refused\"")); at++)
		named++;
	assert_int_equal(named, n->refused);
}

static void a_full_disk_ends_the_capture(void **state)
{
	(void)state;
	static const recording_system full = {no_write, pread, fdatasync, ftruncate};
	capturing c;
	recorder_stats stats;
	recorder *r = begin_recording("a.enmrec", 64, &full);
	begin_capturing(&c, r, UINT64_MAX); /* nothing else would end it */
	const host_status status = live_capture_join(&c.capture);
	assert_int_equal(status, HOST_IO);
	assert_non_null(strstr(host_error_text(), "cannot write after"));
	assert_int_equal(c.capture.counts.end, LIVE_END_FAILURE);
	assert_int_equal(recorder_close(&r, &stats), HOST_IO);
	assert_true(stats.written.frames < c.capture.counts.recorded); /* the one that failed, and those that waited for it */
	end_capturing(&c);
}

/* ---- watch ---- */

static atomic_int hangs;

static void count_hang(void *user)
{
	live_watch *w = user;
	atomic_fetch_add(&hangs, 1);
	w->busy = false; /* a real one does not return */
}

static void watch_tells_work_from_a_hang(void **state)
{
	(void)state;
	bool ok = true;
	live_watch w = {.hang_s = 1.0, .on_hang = count_hang, .user = &w};
	assert_int_equal(live_watch_begin(&w), HOST_OK);
	for (int i = 0; i < 10; i++, wait_ms(150))
		live_watch_mark(&w, true, true);
	live_watch_mark(&w, false, false);
	wait_ms(1500);
	assert_int_equal(atomic_load(&hangs), 0); /* with nothing to do it may take all the time */
	live_watch_mark(&w, true, false);
	for (int i = 0; i < 600 && !atomic_load(&hangs); i++)
		wait_ms(20);
	assert_int_equal(atomic_load(&hangs), 1);
	json_t *memory = live_watch_json(&w, &ok);
	assert_true(ok && json_array_size(json_object_get(memory, "resident_bytes")) >= 3);
	assert_true(json_real_value(json_object_get(memory, "max_bytes")) > 1e5);
	json_decref(memory);
	live_watch_end(&w);
}

/* A process that was stopped for an hour has seen two looks of it. */
static void watch_counts_what_it_sees_pass(void **state)
{
	(void)state;
	live_watch w = {.hang_s = 1.0, .busy = true};
	assert_false(live_watch_look(&w, 0.2));
	assert_false(live_watch_look(&w, 3600.0));
	w.paused = true;
	for (int i = 1; i < 50; i++)
		assert_false(live_watch_look(&w, 3600.0 + 0.2 * i));
	w.paused = false;
	assert_false(live_watch_look(&w, 3610.0));
	assert_false(live_watch_look(&w, 3610.1));
	w.busy = false;
	assert_false(live_watch_look(&w, 3620.0));
	w.busy = true;
	assert_true(live_watch_look(&w, 3620.3));
}

/* ---- events ---- */

/* Each line of the file, "*" for one that is no JSON. */
static void assert_events(const char *expected)
{
	char line[512], names[512] = "";
	FILE *f = fopen(scratch_path("events.jsonl"), "r");
	while (fgets(line, sizeof line, f)) {
		json_t *event = json_loads(line, 0, NULL);
		strcat(names, event ? json_string_value(json_object_get(event, "event")) : "*");
		strcat(names, " ");
		json_decref(event);
	}
	fclose(f);
	assert_string_equal(names, expected);
}

/* What a full disk or a kill cut off spoils no other line. */
static void a_cut_event_stands_alone(void **state)
{
	(void)state;
	live_events e;
	struct rlimit all, little;
	scratch_text("events.jsonl", "{\"event\": \"kill");
	assert_int_equal(live_events_open(scratch_path("events.jsonl"), &e), HOST_OK);
	live_event_text(&e, "first", "a\xff");
	live_events_flush(&e);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	little = all;
	little.rlim_cur = scratch_size("events.jsonl") + 20;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	live_event_text(&e, "cut", "off");
	live_event_text(&e, "lost", "");
	live_events_flush(&e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	live_event_text(&e, "second", "");
	live_event_text(&e, "third", "");
	live_events_close(&e);
	assert_events("* first * second third ");
}

/* The reader of the file's other end sleeps: it is a pipe, put there once it was found to be a file. */
static void nobody_waits_for_the_disk(void **state)
{
	(void)state;
	live_events e;
	int ends[2];
	assert_int_equal(live_events_open(scratch_path("events.jsonl"), &e), HOST_OK);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], e.descriptor), e.descriptor);
	close(ends[1]);
	static char reason[400];
	memset(reason, 'r', sizeof reason - 1);
	const double begun_s = clock_s();
	for (int i = 0; i < LIVE_EVENTS_WAITING + 500; i++) /* the pipe takes some 150 */
		live_event_text(&e, "refused", reason);
	assert_true(clock_s() - begun_s < 5.0);
	FILE *f = fdopen(ends[0], "r");
	unsigned long refused = 0, left_out = 0;
	char line[1024];
	while (refused + left_out < LIVE_EVENTS_WAITING + 500 && fgets(line, sizeof line, f)) {
		json_t *event = json_loads(line, 0, NULL);
		assert_non_null(event);
		const bool one = !strcmp(json_string_value(json_object_get(event, "event")), "refused");
		refused += one;
		left_out += one ? 0 : (unsigned long)json_integer_value(json_object_get(event, "count"));
		json_decref(event);
	}
	assert_true(left_out > 0 && refused >= LIVE_EVENTS_WAITING);
	assert_int_equal(refused + left_out, LIVE_EVENTS_WAITING + 500);
	live_events_close(&e);
	fclose(f);
}

static void events_go_to_a_file_only(void **state)
{
	(void)state;
	live_events e;
	scratch_text("victim", "mine");
	assert_int_equal(symlink(scratch_path("victim"), scratch_path("link")), 0);
	assert_int_equal(live_events_open(scratch_path("link"), &e), HOST_USAGE);
	assert_failure_ends("link: is a symbolic link");
	live_events_close(&e);
	assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
	assert_int_equal(live_events_open(scratch_path("pipe"), &e), HOST_USAGE);
	assert_failure_ends("pipe: is not a file");
	live_events_close(&e);
	assert_int_equal(scratch_size("victim"), 4);
}

/* ---- session ---- */

static const scan_settings some_settings = {
	.voxel_mm = 0.2, .truncation_mm = 0.9, .tracker = ENM_TRACKER_RAYCAST, .no_recover = true};

static void session_remembers(void **state)
{
	(void)state;
	live_session s, t;
	char path[FILE_PATH_MAX];
	assert_int_equal(live_session_create(scratch_path("s"), "sim", "device", &some_settings, true, &s), HOST_OK);
	assert_int_equal(live_session_add_recording(&s, path), HOST_OK);
	assert_string_equal(path_base(path), "scan.enmrec");
	assert_int_equal(live_session_add_recording(&s, path), HOST_OK);
	assert_string_equal(path_base(path), "scan-2.enmrec");
	assert_int_equal(live_session_open(scratch_path("s"), &t), HOST_USAGE);
	assert_failure_ends("the session is running: another process uses it");
	live_session_close(&t);
	live_session_close(&s);
	assert_int_equal(live_session_open(scratch_path("s"), &t), HOST_OK);
	assert_int_equal(live_session_recordings(&t), 2);
	assert_true(t.color && t.settings.no_recover && !t.settings.keep_foreign);
	assert_true(t.settings.voxel_mm == 0.2 && t.settings.truncation_mm == 0.9 &&
		    t.settings.tracker == ENM_TRACKER_RAYCAST);
	live_session_close(&t);
	assert_int_equal(live_session_create(scratch_path("s"), "sim", "device", &some_settings, true, &t), HOST_USAGE);
	assert_failure_ends("is not empty: a new session wants a folder of its own");
	live_session_close(&t);
}

static void a_lock_is_a_file(void **state)
{
	(void)state;
	live_session s;
	scratch_make_folder("s");
	assert_int_equal(live_session_create(scratch_path("s"), "sim\xe4", "device", &some_settings, true, &s), HOST_OK);
	live_session_close(&s);
	assert_int_equal(unlink(scratch_path("s/lock")), 0);
	assert_int_equal(symlink("/nowhere", scratch_path("s/lock")), 0);
	assert_int_equal(live_session_open(scratch_path("s"), &s), HOST_USAGE);
	assert_failure_ends("s/lock: is a symbolic link");
	live_session_close(&s);
}

static void expect_bad_session(const char *text, const char *end)
{
	live_session s;
	scratch_text("bad/session.json", text);
	assert_int_equal(live_session_open(scratch_path("bad"), &s), HOST_USAGE);
	assert_failure_ends(end);
	live_session_close(&s);
}

#define HEAD "{\"format\": \"enamel session\", \"version\": 1, "

static void bad_sessions_are_refused(void **state)
{
	(void)state;
	live_session s;
	assert_int_equal(live_session_open(scratch_path("none"), &s), HOST_USAGE);
	assert_failure_ends("is no session: it has no session.json");
	live_session_close(&s);
	scratch_make_folder("bad");
	expect_bad_session(
		"{\"format\": \"something\", \"version\": 1}", "format: 'something' is not 'enamel session'");
	expect_bad_session("{\"format\": \"enamel session\", \"version\": 2}",
		"version: 2 is later than 1, the latest that this program reads");
	expect_bad_session(HEAD "\"recordings\": 3}", "recordings: wanted a list of at most 99");
	expect_bad_session(HEAD "\"recordings\": [{\"file\": \"../x\"}]}",
		"recordings: entry 0: file: wanted a name without a slash");
	expect_bad_session(HEAD "\"recordings\": []}", "settings: missing");
	expect_bad_session(HEAD
		"\"recordings\": [], \"settings\": {\"voxel_mm\": 0, \"truncation_mm\": 0, \"tracker\": \"x\"}}",
		"settings: tracker: 'x' is neither field nor raycast");
	expect_bad_session(HEAD
		"\"recordings\": [], \"settings\": {\"voxel_mm\": 0, \"truncation_mm\": 0, \"tracker\": \"field\"}}",
		"settings: recover: wanted true or false");
}

/* ---- sources ---- */

static void unknown_sources_are_refused(void **state)
{
	(void)state;
	source s = {0};
	const source_open_def def = {.stop = &never};
	assert_int_equal(source_open("film:a", &def, &s), HOST_USAGE);
	assert_non_null(strstr(host_error_text(), "--source: 'film:a' begins with none of the kinds folder, sim"));
	assert_int_equal(source_open("folder:", &def, &s), HOST_USAGE);
	assert_failure_ends("nothing stands behind the colon");
	assert_int_equal(source_open("folder", &def, &s), HOST_USAGE);
	assert_int_equal(source_open("folders:x", &def, &s), HOST_USAGE);
	assert_int_equal(source_open("folder:/does/not/exist", &def, &s), HOST_USAGE);
	assert_failure_ends("/does/not/exist: missing");
	assert_null(s.ops);
	source_close(&s);
}

static void a_folder_comes_in_real_time(void **state)
{
	(void)state;
	const scan_def scan = {.folder = "scan", .pictures = 4, .frames = 6};
	source s = {0};
	char text[SOURCE_REASON_BYTES], what[SCRATCH_PATH_MAX + 16];
	scan_make(&scan);
	scratch_text("scan/depth/1.png", "no picture");
	snprintf(what, sizeof what, "folder:%s", scratch_path("scan"));
	const source_open_def def = {.stop = &never, .fps = 10.0};
	assert_int_equal(source_open(what, &def, &s), HOST_OK);
	assert_true(s.facts.camera.fps == 10.0 && !s.facts.has_color && s.facts.camera_json);
	static uint16_t depth[SCAN_WIDTH * SCAN_HEIGHT];
	source_frame f = {.depth = depth};
	source_state found;
	double first_s = 0.0;
	size_t frames = 0, notices = 0;
	while ((found = s.ops->next(s.state, 0.02, &f)) != SOURCE_END) {
		notices += s.ops->notice(s.state, text);
		if (found != SOURCE_FRAME)
			continue;
		first_s = frames ? first_s : f.arrived_s;
		assert_true(clock_s() >= first_s + 0.1 * (double)f.number - 1e-4);
		assert_true(fabs(f.time_s - 0.1 * (double)f.number) < 1e-9);
		assert_true(depth[0] != 0);
		frames++;
	}
	assert_int_equal(notices, 2); /* frames 1 and 5 show the same picture */
	assert_int_equal(frames, 4);
	source_close(&s);
	assert_null(s.ops);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_follows_the_rate),
		cmocka_unit_test(a_device_that_keeps_up_skips_nothing),
		cmocka_unit_test(a_hiccup_is_waited_for),
		cmocka_unit_test(twice_the_load_skips_every_second),
		cmocka_unit_test(a_long_stall_skips_the_oldest),
		cmocka_unit_test(the_display_goes_first),
		cmocka_unit_test(queue_keeps_order_and_never_runs_dry),
		WITH_FOLDER(replay_is_told_what_was_skipped),
		cmocka_unit_test(fates_survive_their_bytes),
		WITH_FOLDER(capture_counts_what_is_wrong),
		WITH_FOLDER(refused_frames_are_counted_and_named),
		WITH_FOLDER(a_full_disk_ends_the_capture),
		cmocka_unit_test(watch_tells_work_from_a_hang),
		cmocka_unit_test(watch_counts_what_it_sees_pass),
		WITH_FOLDER(a_cut_event_stands_alone),
		WITH_FOLDER(events_go_to_a_file_only),
		WITH_FOLDER(nobody_waits_for_the_disk),
		WITH_FOLDER(a_lock_is_a_file),
		WITH_FOLDER(session_remembers),
		WITH_FOLDER(bad_sessions_are_refused),
		WITH_FOLDER(unknown_sources_are_refused),
		WITH_FOLDER(a_folder_comes_in_real_time),
	};
	return cmocka_run_group_tests_name("live_parts", tests, NULL, NULL);
}
