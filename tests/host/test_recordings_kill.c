/* SPDX-License-Identifier: Apache-2.0
 * A recording process that is killed at any moment: what it had written is there, recovered and replayed.
 * ENAMEL_TEST_SLOW=1 kills twenty times as often. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "cmocka_all.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataset.h"
#include "process.h"
#include "reader.h"
#include "recorder.h"
#include "scan.h"
#include "scratch.h"

#define PICTURES 8
#define LISTED 4000 /* more than any round lives to see */
#define PIXELS ((size_t)SCAN_WIDTH * SCAN_HEIGHT)
#define KILL_WITHIN_MS 700
#define REPLAYED 10 /* frames */

static char program[] = ENAMEL_PROGRAM;

static uint32_t random_state = 99;

static uint32_t draw(uint32_t below)
{
	random_state = 1664525u * random_state + 1013904223u;
	return (random_state >> 8) % below;
}

static size_t rounds(void)
{
	const char *wish = getenv("ENAMEL_TEST_SLOW");
	return wish && *wish == '1' ? 200 : 10;
}

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

static void wait_ms(uint32_t ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&t, NULL);
}

static pid_t start(char *const argv[])
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	return child;
}

static void end(pid_t child)
{
	int status;
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status)); /* it had not ended by itself */
}

/* Waits until the file has content: a process that is killed before it has opened it proves nothing. */
static void wait_for_file(const char *name)
{
	for (int i = 0; i < 60000; i++, wait_ms(1))
		if (!access(scratch_path(name), F_OK) && scratch_size(name) > 0)
			return;
	fail_msg("nothing was recorded");
}

static void assert_code(const process_result *r, int code)
{
	if (r->code != code)
		fail_msg("exit code %d instead of %d: %s%s", r->code, code, r->out, r->err);
}

/* Frames 0, 1, 2, ... without a gap, each with the pixels of the folder; returns how many. */
static size_t assert_first_frames(const dataset *folder, const char *name)
{
	static uint16_t depth[2][PIXELS];
	recording *r;
	if (recording_open(scratch_path(name), RECORDING_CHECK, NULL, &r))
		fail_msg("%s", host_error_text());
	size_t frames = 0;
	for (size_t i = 0; i < r->entry_count; i++) {
		recording_picture p;
		dataset_reading reading;
		if (r->entries[i].type != PACKET_FRAME)
			continue;
		assert_int_equal(recording_read_frame(r, i, SCAN_WIDTH, SCAN_HEIGHT, depth[0], NULL, &p), HOST_OK);
		assert_int_equal(p.number, frames);
		dataset_read_frame(folder, frames, depth[1], NULL, &reading);
		assert_true(reading.usable && p.time_s == folder->frames[frames].time_s);
		assert_memory_equal(depth[0], depth[1], sizeof depth[0]);
		frames++;
	}
	assert_true(r->closed && r->damage_count == 0);
	recording_close(&r);
	return frames;
}

static void replay(const char *name)
{
	assert_code(process_run((char *[]){program, "replay", path(name), "--out", path("m.ply"), "--frames", "0:10",
			    "--voxel-mm", "0.2", NULL}),
		0);
}

static void recording_process_killed(void **state)
{
	(void)state;
	const scan_def def = {.folder = "scan", .pictures = PICTURES, .frames = LISTED};
	scan_make(&def);
	dataset folder;
	assert_int_equal(dataset_open(scratch_path("scan"), NULL, &folder), HOST_OK);
	size_t cut = 0, most = 0, replays = 0;
	for (size_t round = 0; round < rounds(); round++) {
		pid_t child = start((char *[]){program, "record", path("scan"), "--out", path("a.enmrec"), "--sync-s",
			round % 2 ? "1" : "0", NULL});
		wait_for_file("a.enmrec");
		wait_ms(draw(KILL_WITHIN_MS));
		end(child);
		recording *r;
		if (recording_open(scratch_path("a.enmrec"), RECORDING_CHECK, NULL, &r))
			fail_msg("%s", host_error_text());
		assert_true(r->damage_count <= 1 && recording_lost_packets(r) <= 1);
		assert_true(!r->damage_count || r->damages[0].at_end);
		assert_false(r->closed);
		size_t frames = r->frame_count;
		cut += r->damage_count;
		most = frames > most ? frames : most;
		recording_close(&r);
		const process_result *mended =
			process_run((char *[]){program, "recover", path("a.enmrec"), path("b.enmrec"), NULL});
		assert_code(mended, frames ? 0 : 1);
		if (frames) {
			assert_int_equal(assert_first_frames(&folder, "b.enmrec"), frames);
			if (frames >= REPLAYED && (rounds() > 10 || replays++ == 0)) /* fewer may show no place often enough for a surface */
				replay("b.enmrec");
			assert_int_equal(unlink(scratch_path("b.enmrec")), 0);
		}
		assert_int_equal(unlink(scratch_path("a.enmrec")), 0);
	}
	print_message("%zu kills, %zu left a packet cut, at most %zu frames were recorded\n", rounds(), cut, most);
	assert_true(most > 20);
	dataset_close(&folder);
}

/* The child records and tells through shared memory how many frames were written when it asked last. */
static void record_forever(const char *file, atomic_uint_fast64_t *written)
{
	static uint16_t depth[PIXELS];
	writer_def def = writer_def_default();
	def.descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL, 0666);
	def.header = (recording_header){"{}", "{}", "test"};
	def.width = SCAN_WIDTH;
	def.height = SCAN_HEIGHT;
	recorder_def queue = {.width = SCAN_WIDTH, .height = SCAN_HEIGHT, .queue_frames = 8};
	recorder *r;
	if (writer_create(&def, &queue.writer) || recorder_create(&queue, &r))
		_exit(1);
	for (uint64_t i = 0;; i++) {
		for (size_t p = 0; p < PIXELS; p++)
			depth[p] = (uint16_t)(13000 + (p * 31 + i * 7) % 97);
		const recording_frame frame = {.number = i,
			.time_s = 0.01 * (double)i,
			.width = SCAN_WIDTH,
			.height = SCAN_HEIGHT,
			.depth = depth};
		if (recorder_push(r, &frame, 60.0) != RECORDER_TAKEN)
			_exit(1);
		atomic_store(written, recorder_written(r));
	}
}

static void what_was_told_as_written_is_there(void **state)
{
	(void)state;
	atomic_uint_fast64_t *written =
		mmap(NULL, sizeof *written, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(written != MAP_FAILED);
	for (size_t round = 0; round < rounds(); round++) {
		atomic_store(written, 0);
		fflush(NULL);
		pid_t child = fork();
		assert_true(child >= 0);
		if (!child)
			record_forever(scratch_path("a.enmrec"), written);
		wait_for_file("a.enmrec");
		wait_ms(draw(200));
		end(child);
		recording *r;
		if (recording_open(scratch_path("a.enmrec"), RECORDING_CHECK, NULL, &r))
			fail_msg("%s", host_error_text());
		assert_true(r->frame_count >= atomic_load(written));
		assert_true(recording_lost_packets(r) <= 1);
		recording_close(&r);
		assert_int_equal(unlink(scratch_path("a.enmrec")), 0);
	}
	munmap(written, sizeof *written);
}

/* Ctrl-C ends in order: what was offered is recorded, with an index. */
static void interrupted_process_closes(void **state)
{
	(void)state;
	const scan_def def = {.folder = "scan", .pictures = PICTURES, .frames = LISTED};
	scan_make(&def);
	pid_t child =
		start((char *[]){program, "record", path("scan"), "--out", path("a.enmrec"), "--fps", "30", NULL});
	wait_for_file("a.enmrec");
	wait_ms(300);
	int status;
	assert_int_equal(kill(child, SIGINT), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 130);
	recording *r;
	assert_int_equal(recording_open(scratch_path("a.enmrec"), RECORDING_BY_INDEX, NULL, &r), HOST_OK);
	assert_true(r->by_index && r->frame_count < LISTED);
	recording_close(&r);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(recording_process_killed),
		WITH_FOLDER(interrupted_process_closes),
		WITH_FOLDER(what_was_told_as_written_is_there),
	};
	return cmocka_run_group_tests_name("recordings_kill", tests, NULL, NULL);
}
