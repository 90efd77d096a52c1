/* SPDX-License-Identifier: Apache-2.0
 * `enamel live` from end to end: complete scans, an engine that is too slow or hangs, signals, a full disk, bad input.
 */
#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "live/live.h"
#include "live_run.h"
#include "reader.h"
#include "scan.h"
#include "scratch.h"

#define FRAMES 60

static char program[] = ENAMEL_PROGRAM;

static void make_scan(size_t frames)
{
	const scan_def def = {.folder = "scan", .pictures = 12, .frames = frames};
	scan_make(&def);
}

/* ---- engines that are not what they should be ---- */

static unsigned pushes;

static enm_result slow_push(enm_session *session, const enm_frame *frame, uint64_t *out_id)
{
	wait_ms(100);
	return enm_session_push(session, frame, out_id);
}

static enm_result hanging_push(enm_session *session, const enm_frame *frame, uint64_t *out_id)
{
	if (++pushes < 8)
		return enm_session_push(session, frame, out_id);
	for (;;)
		pause();
}

static enm_result hanging_finish(enm_session *session)
{
	while (session)
		pause();
	return ENM_E_DEVICE;
}

static enm_result failing_push(enm_session *session, const enm_frame *frame, uint64_t *out_id)
{
	return ++pushes < 8 ? enm_session_push(session, frame, out_id) : ENM_E_DEVICE;
}

static const feed_engine slow = {slow_push, enm_session_next_report, enm_session_flush, enm_session_finish};
static const feed_engine hanging = {hanging_push, enm_session_next_report, enm_session_flush, enm_session_finish};
static const feed_engine hanging_at_the_end = {enm_session_push, enm_session_next_report, enm_session_flush, hanging_finish};
static const feed_engine failing = {failing_push, enm_session_next_report, enm_session_flush, enm_session_finish};

/* In a process of its own; its exit code. */
static int live_with(const feed_engine *engine, double fps, double hang_s, rlim_t file_bytes_max)
{
	const live_options o = {.source = folder_source("scan"),
		.session = path("s"),
		.fps = fps,
		.hang_s = hang_s,
		.record_queue = 4096,
		.settings = {.voxel_mm = 0.2}};
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		const struct rlimit limit = {file_bytes_max, file_bytes_max};
		signal(SIGXFSZ, SIG_IGN);
		if (file_bytes_max)
			setrlimit(RLIMIT_FSIZE, &limit);
		const host_status status = live_run(&o, engine);
		_exit(status ? host_report_failure(status) : 0);
	}
	return wait_for_end(child);
}

/* The recording is complete, what was skipped is counted and named, and a replay gives the same bits. */
static void what_is_skipped_live_is_skipped_in_replay(void **state)
{
	(void)state;
	make_scan(90);
	const int code = live_with(&slow, 30.0, 60.0, 0);
	assert_in_range(code, 0, 1);
	json_t *report = read_json("s/report.json");
	const json_int_t skipped = integer_at(report, "skipped");
	assert_true(skipped > 10);
	assert_int_equal(integer_at(report, "live.skipped"), skipped);
	assert_int_equal(integer_at(report, "live.captured"), 90);
	assert_int_equal(integer_at(report, "live.recorded"), 90);
	assert_int_equal(integer_at(report, "frames"), 90 - skipped);
	assert_true(integer_at(report, "live.queues.engine_max") <= integer_at(report, "live.queues.engine_bound"));
	json_decref(report);
	assert_int_equal(frames_of_whole("s/scan.enmrec"), 90);

	assert_code(process_run((char *[]){program, "replay", path("s/scan.enmrec"), "--out", path("r.ply"),
			    "--trajectory", path("r.txt"), "--report", path("r.json"), NULL}),
		code);
	assert_same("s/mesh.ply", "r.ply");
	assert_same("s/trajectory.txt", "r.txt");
	report = read_json("r.json");
	assert_int_equal(integer_at(report, "skipped"), skipped);
	assert_true(json_real_value(json_object_get(report, "voxel_mm")) == 0.2); /* as the scan was defined */
	json_decref(report);

	assert_done(process_run((char *[]){program, "replay", path("s/scan.enmrec"), "--out", path("a.ply"), "--report",
		path("a.json"), "--all-frames", NULL}));
	report = read_json("a.json");
	assert_int_equal(integer_at(report, "skipped"), 0);
	assert_int_equal(integer_at(report, "frames"), 90);
	json_decref(report);

	static char text[1 << 16];
	size_t named = 0;
	FILE *f = fopen(scratch_path("s/events.jsonl"), "r");
	while (fgets(text, sizeof text, f)) {
		json_t *event = json_loads(text, 0, NULL);
		assert_non_null(event);
		if (!strcmp(text_at(event, "event"), "skipped"))
			named += json_array_size(json_object_get(event, "frames"));
		json_decref(event);
	}
	fclose(f);
	assert_int_equal(named, skipped);
}

static void a_device_that_hangs_leaves_the_recording(void **state)
{
	(void)state;
	make_scan(4000);
	assert_int_equal(live_with(&hanging, 60.0, 2.0, 0), 3);
	assert_true(frames_of_whole("s/scan.enmrec") > 8);
	json_t *session = read_json("s/session.json");
	assert_string_equal(text_at(session, "state"), "hung");
	json_decref(session);
	assert_done(process_run((char *[]){program, "resume", path("s"), NULL}));
	assert_true(scratch_size("s/mesh.ply") > 1000);
}

static void a_device_that_hangs_at_the_end_leaves_the_recording(void **state)
{
	(void)state;
	make_scan(FRAMES);
	assert_int_equal(live_with(&hanging_at_the_end, 60.0, 2.0, 0), 3);
	assert_int_equal(frames_of_whole("s/scan.enmrec"), FRAMES);
	json_t *session = read_json("s/session.json");
	assert_string_equal(text_at(session, "state"), "hung");
	assert_int_equal(integer_at(session, "frames"), FRAMES);
	json_decref(session);
	assert_done(process_run((char *[]){program, "resume", path("s"), NULL}));
	assert_true(scratch_size("s/mesh.ply") > 1000);
}

static void a_device_that_fails_leaves_what_was_done(void **state)
{
	(void)state;
	make_scan(4000);
	assert_int_equal(live_with(&failing, 60.0, 60.0, 0), 3);
	assert_true(frames_of_whole("s/scan.enmrec") >= 8);
	json_t *session = read_json("s/session.json"), *report = read_json("s/report.json");
	assert_string_equal(text_at(session, "state"), "failed");
	assert_int_equal(integer_at(report, "frames"), 7);
	assert_true(scratch_size("s/mesh.ply") > 1000);
	json_decref(session);
	json_decref(report);
}

static void a_full_disk_ends_the_scan_with_4(void **state)
{
	(void)state;
	make_scan(4000);
	assert_int_equal(live_with(&feed_engine_real, 60.0, 60.0, 200000), 4);
	recording *r;
	assert_int_equal(recording_open(scratch_path("s/scan.enmrec"), RECORDING_CHECK, NULL, &r), HOST_OK);
	assert_true(r->frame_count > 3 && r->damage_count == 0);
	json_t *report = read_json("s/report.json"), *session = read_json("s/session.json");
	const json_int_t recorded = integer_at(report, "live.recorded"), not_written = integer_at(report, "live.not_written");
	assert_int_equal(recorded, r->frame_count);
	assert_int_equal(integer_at(session, "frames"), r->frame_count);
	assert_true(not_written > 0);
	assert_int_equal(integer_at(report, "live.captured"),
		recorded + not_written + integer_at(report, "live.refused") + integer_at(report, "live.without_time"));
	json_decref(report);
	json_decref(session);
	recording_close(&r);
}

/* The program takes a bound on the size of files for a full disk, rather than die of it. */
static void a_bound_on_files_ends_the_scan_with_4(void **state)
{
	(void)state;
	char command[2048];
	make_scan(4000);
	snprintf(command, sizeof command, "ulimit -f 400; exec '%s' live --source '%s' --session '%s' --fps 40 --voxel-mm 0.2",
		program, folder_source("scan"), path("s"));
	assert_code(process_run((char *[]){(char[]){"/bin/sh"}, (char[]){"-c"}, command, NULL}), 4);
	json_t *session = read_json("s/session.json");
	assert_string_equal(text_at(session, "state"), "failed");
	json_decref(session);
}

/* Latin-1 is a path, too. */
static void a_name_that_is_no_utf8_loses_nothing(void **state)
{
	(void)state;
	make_scan(20);
	assert_done(process_run((char *[]){program, "live", "--source", folder_source("scan"), "--session", path("K\xe4""fer"),
		"--fps", "30", "--voxel-mm", "0.2", NULL}));
	json_t *report = read_json("K\xe4""fer/report.json");
	assert_non_null(strstr(text_at(report, "live.session"), "/K\\xe4fer"));
	assert_non_null(strstr(text_at(report, "dataset"), "/K\\xe4fer"));
	json_decref(report);
	assert_true(scratch_size("K\xe4""fer/mesh.ply") > 1000);
}

/* ---- the program ---- */

static void a_scan_is_complete(void **state)
{
	(void)state;
	make_scan(FRAMES);
	const process_result *r = process_run(
		(char *[]){program, "live", "--source", folder_source("scan"), "--session", path("s"), "--fps", "15",
			"--voxel-mm", "0.2", "--json", "--preview", path("p.png"), "--also", path("m.stl"), NULL});
	assert_done(r);
	json_t *report = json_loads(r->out, 0, NULL), *session = read_json("s/session.json");
	assert_non_null(report);
	assert_int_equal(integer_at(report, "live.captured"), FRAMES);
	assert_int_equal(integer_at(report, "live.recorded"), FRAMES);
	assert_int_equal(integer_at(report, "live.refused"), 0);
	assert_string_equal(text_at(report, "live.ended_by"), "source");
	assert_string_equal(text_at(session, "state"), "complete");
	assert_string_equal(text_at(session, "source"), folder_source("scan"));
	const json_t *pose = json_object_get(json_object_get(json_object_get(report, "live"), "latency_ms"), "pose");
	const double median = json_real_value(json_object_get(pose, "median")),
		     max = json_real_value(json_object_get(pose, "max"));
	assert_true(median > 0.0 && median <= max);
	json_decref(report);
	json_decref(session);
	assert_int_equal(frames_of_whole("s/scan.enmrec"), FRAMES);
	const char *const files[] = {
		"s/mesh.ply", "s/trajectory.txt", "s/report.json", "s/events.jsonl", "p.png", "m.stl"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		assert_true(scratch_size(files[i]) > 0);
	assert_int_equal(scratch_count("s"), 7); /* nothing temporary is left */
}

static void duration_ends_a_simulated_scan(void **state)
{
	(void)state;
	scratch_make_folder("tmp");
	setenv("TMPDIR", scratch_path("tmp"), 1);
	const process_result *r =
		process_run((char *[]){program, "live", "--source", "sim:phantom --frames 5 --size 96x72 --clean",
			"--session", path("s"), "--fps", "10", "--duration", "2", "--json", NULL});
	unsetenv("TMPDIR");
	assert_done(r);
	json_t *report = json_loads(r->out, 0, NULL);
	assert_string_equal(text_at(report, "live.ended_by"), "duration");
	assert_in_range(integer_at(report, "live.captured"), 2, 21);
	assert_int_equal(integer_at(report, "live.source_counts.pictures"), 5);
	json_decref(report);
	assert_int_equal(scratch_count("tmp"), 0);
}

static void end_by(int signal_number)
{
	make_scan(4000);
	pid_t child = start_silent((char *[]){program, "live", "--source", folder_source("scan"), "--session",
		path("s"), "--fps", "20", "--voxel-mm", "0.2", NULL});
	wait_for_bytes("s/scan.enmrec", 60000);
	assert_int_equal(kill(child, signal_number), 0);
	assert_in_range(wait_for_end(child), 0, 1);
	json_t *report = read_json("s/report.json"), *session = read_json("s/session.json");
	assert_string_equal(text_at(report, "live.ended_by"), "signal");
	assert_string_equal(text_at(session, "state"), "complete");
	assert_int_equal(frames_of_whole("s/scan.enmrec"), integer_at(report, "live.recorded"));
	assert_true(scratch_size("s/mesh.ply") > 1000);
	json_decref(report);
	json_decref(session);
}

static void interrupt_ends_in_order(void **state)
{
	(void)state;
	end_by(SIGINT);
}

static void terminate_ends_in_order(void **state)
{
	(void)state;
	end_by(SIGTERM);
}

static void no_usable_frame_is_told(void **state)
{
	(void)state;
	make_scan(12);
	for (int i = 0; i < 12; i++) {
		char name[64];
		snprintf(name, sizeof name, "scan/depth/%d.png", i);
		scratch_depth(name, SCAN_WIDTH, SCAN_HEIGHT, 0, 0);
	}
	const process_result *r = process_run(
		(char *[]){program, "live", "--source", folder_source("scan"), "--session", path("s"), NULL});
	assert_code(r, 1);
	assert_non_null(strstr(r->err, "no frame came that can be used"));
	json_t *session = read_json("s/session.json");
	assert_string_equal(text_at(session, "state"), "failed");
	json_decref(session);
}

static void expect_usage(char *const argv[], const char *text)
{
	process_run(argv);
	assert_one_line(2, text);
}

static void bad_arguments_are_refused(void **state)
{
	(void)state;
	char *const commands[] = {"live", "resume", "refine"};
	for (size_t i = 0; i < 3; i++) {
		const process_result *help = process_run((char *[]){program, commands[i], "--help", NULL});
		assert_code(help, 0);
		assert_non_null(strstr(help->out, "--json"));
	}
	scratch_make_folder("full");
	scratch_text("full/a", "a");
	scratch_text("file", "a");
	expect_usage((char *[]){program, "live", "--session", path("s"), NULL}, "--source: missing");
	expect_usage((char *[]){program, "live", "--source", "sim", NULL}, "--session: missing");
	expect_usage((char *[]){program, "live", "--source", "sim", "--session", path("full"), NULL}, "is not empty");
	expect_usage((char *[]){program, "live", "--source", "sim", "--session", path("file"), NULL},
		"exists and is no folder");
	expect_usage((char *[]){program, "live", "--source", "sim", "--session", path("s"), "--out", "a.txt", NULL},
		"--out: 'a.txt' ends in none");
	expect_usage((char *[]){program, "live", "--source", "sim", "--session", path("s"), "--duration", "-1", NULL},
		"--duration");
	expect_usage(
		(char *[]){program, "live", "--source", "sim", "--session", path("s"), "--view-close-s", "1", NULL},
		"wanted only with --view");
	expect_usage((char *[]){program, "live", "more", "--source", "sim", "--session", path("s"), NULL}, "more");
	expect_usage((char *[]){program, "resume", path("none"), NULL}, "is no session");
	expect_usage((char *[]){program, "resume", NULL}, "SESSION");
	expect_usage((char *[]){program, "resume", path("none"), "--fps", "3", NULL}, "wanted only with --source");
	expect_usage((char *[]){program, "refine", path("none"), NULL}, "is no session");
	expect_usage((char *[]){program, "refine", path("none"), "--level", "best", NULL}, "--level");
	const process_result *r =
		process_run((char *[]){program, "live", "--source", "film", "--session", path("s"), NULL});
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "begins with none of the kinds"));
	assert_true(access(scratch_path("s"), F_OK) != 0); /* what never began leaves nothing */
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(what_is_skipped_live_is_skipped_in_replay),
		WITH_FOLDER(a_device_that_hangs_leaves_the_recording),
		WITH_FOLDER(a_device_that_hangs_at_the_end_leaves_the_recording),
		WITH_FOLDER(a_device_that_fails_leaves_what_was_done),
		WITH_FOLDER(a_full_disk_ends_the_scan_with_4),
		WITH_FOLDER(a_bound_on_files_ends_the_scan_with_4),
		WITH_FOLDER(a_name_that_is_no_utf8_loses_nothing),
		WITH_FOLDER(a_scan_is_complete),
		WITH_FOLDER(duration_ends_a_simulated_scan),
		WITH_FOLDER(interrupt_ends_in_order),
		WITH_FOLDER(terminate_ends_in_order),
		WITH_FOLDER(no_usable_frame_is_told),
		WITH_FOLDER(bad_arguments_are_refused),
	};
	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
