/* SPDX-License-Identifier: Apache-2.0
 * Sessions of live scans: killed at any moment and built again, continued, refined.
 * ENAMEL_TEST_SLOW=1 kills 200 times. */
#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "camera.h"
#include "live_run.h"
#include "reader.h"
#include "scan.h"
#include "scratch.h"

#define LISTED 4000 /* more than any scan here lives to see */

static char program[] = ENAMEL_PROGRAM;

static uint32_t random_state = 7;

static uint32_t draw(uint32_t below)
{
	random_state = 1664525u * random_state + 1013904223u;
	return (random_state >> 8) % below;
}

static void make_scan(size_t frames)
{
	const scan_def def = {.folder = "scan", .pictures = 12, .frames = frames};
	scan_make(&def);
}

static void kill_scan(size_t bytes, uint32_t after_ms)
{
	pid_t child = start_silent((char *[]){program, "live", "--source", folder_source("scan"), "--session",
		path("s"), "--fps", "40", "--voxel-mm", "0.2", NULL});
	wait_for_bytes("s/scan.enmrec", bytes);
	wait_ms(after_ms);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(wait_for_end(child), 128 + SIGKILL);
}

static void assert_state(const char *state, size_t recordings)
{
	json_t *session = read_json("s/session.json");
	assert_string_equal(text_at(session, "state"), state);
	assert_int_equal(json_array_size(json_object_get(session, "recordings")), recordings);
	json_decref(session);
}

static void move(const char *from, const char *to)
{
	assert_int_equal(rename(path(from), path(to)), 0);
}

/* Killed, built again, continued, and built again: the same bits as the scan that went on. */
static void a_killed_scan_goes_on(void **state)
{
	(void)state;
	make_scan(LISTED);
	kill_scan(60000, 0);
	assert_state("running", 1);
	assert_done(process_run((char *[]){program, "resume", path("s"), NULL}));
	assert_state("complete", 1);
	assert_true(scratch_size("s/mesh.ply") > 1000);
	move("s/mesh.ply", "once.ply");
	assert_done(process_run((char *[]){program, "replay", path("s/scan.enmrec"), "--out", path("r.ply"), NULL}));
	assert_same("once.ply", "r.ply"); /* a cut recording, too, is replayed alike */

	assert_done(process_run((char *[]){program, "resume", path("s"), "--source", folder_source("scan"), "--fps",
		"20", "--duration", "2", NULL}));
	assert_state("complete", 2);
	json_t *report = read_json("s/report.json");
	assert_true(integer_at(report, "live.rebuilt") > 3);
	assert_in_range(integer_at(report, "live.captured"), 2, 41);
	assert_int_equal(frames_of_whole("s/scan-2.enmrec"), integer_at(report, "live.recorded"));
	json_decref(report);
	move("s/mesh.ply", "on.ply");
	move("s/trajectory.txt", "on.txt");
	assert_done(process_run((char *[]){program, "resume", path("s"), NULL}));
	assert_same("on.ply", "s/mesh.ply");
	assert_same("on.txt", "s/trajectory.txt");
}

static void another_camera_is_refused(void **state)
{
	(void)state;
	make_scan(20);
	assert_done(process_run((char *[]){
		program, "live", "--source", folder_source("scan"), "--session", path("s"), "--fps", "40", NULL}));
	FILE *f = fopen(scratch_path("scan/camera.json"), "r");
	char text[4096];
	assert_non_null(f);
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	fclose(f);
	char *scale = strstr(text, "1000");
	assert_non_null(scale);
	*scale = '2';
	scratch_text("scan/camera.json", text);
	const process_result *r =
		process_run((char *[]){program, "resume", path("s"), "--source", folder_source("scan"), NULL});
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "its camera is not that of the session"));
	assert_state("complete", 1);
}

/* Of the same pictures, but twice as large. */
static void make_large_recording(const char *name)
{
	char picture[64];
	const scan_def def = {.folder = "large", .pictures = 3, .frames = 3};
	camera_file camera;
	scan_make(&def);
	assert_int_equal(camera_read(scratch_path("large/camera.json"), &camera), HOST_OK);
	camera.camera.width *= 2;
	camera.camera.height *= 2;
	assert_int_equal(camera_write(scratch_path("large/camera.json"), &camera), HOST_OK);
	for (int i = 0; i < 3; i++) {
		snprintf(picture, sizeof picture, "large/depth/%d.png", i);
		scratch_depth(picture, 2 * SCAN_WIDTH, 2 * SCAN_HEIGHT, 13000, 13000);
	}
	assert_done(process_run((char *[]){program, "convert", path("large"), path(name), NULL}));
}

static void write_list(const char *const *names, size_t count)
{
	json_t *session = read_json("s/session.json"), *list = json_array();
	for (size_t i = 0; i < count; i++)
		assert_int_equal(json_array_append_new(list, json_pack("{s:s}", "file", names[i])), 0);
	assert_int_equal(json_object_set_new(session, "recordings", list), 0);
	assert_int_equal(json_dump_file(session, scratch_path("s/session.json"), 0), 0);
	json_decref(session);
}

/* Whoever gives a session away can put anything into its folder. */
static void recordings_of_something_else_are_left_out(void **state)
{
	(void)state;
	make_scan(20);
	assert_done(process_run((char *[]){
		program, "live", "--source", folder_source("scan"), "--session", path("s"), "--fps", "40", NULL}));
	move("s/mesh.ply", "before.ply");
	make_large_recording("s/large.enmrec");
	move("scan", "s/folder.enmrec");
	write_list((const char *[]){"folder.enmrec", "scan.enmrec", "large.enmrec"}, 3);
	const process_result *r = process_run((char *[]){program, "resume", path("s"), NULL});
	assert_done(r);
	assert_non_null(strstr(r->err, "s/folder.enmrec: is no recording"));
	assert_non_null(strstr(r->err, "s/large.enmrec: its camera is not that of the recordings before it"));
	assert_same("before.ply", "s/mesh.ply");
}

static void a_missing_recording_is_told(void **state)
{
	(void)state;
	make_scan(20);
	assert_done(process_run((char *[]){
		program, "live", "--source", folder_source("scan"), "--session", path("s"), "--fps", "40", NULL}));
	assert_int_equal(unlink(scratch_path("s/scan.enmrec")), 0);
	const process_result *r = process_run((char *[]){program, "resume", path("s"), NULL});
	assert_code(r, 1);
	assert_non_null(strstr(r->err, "left out: "));
	assert_non_null(strstr(r->err, "no frame of the session can be used"));
}

static void a_session_is_refined_whole_or_not_at_all(void **state)
{
	(void)state;
	make_scan(30);
	assert_done(process_run((char *[]){program, "live", "--source", folder_source("scan"), "--session", path("s"),
		"--fps", "20", "--voxel-mm", "0.2", NULL}));
	assert_done(process_run((char *[]){program, "refine", path("s"), "--level", "low", NULL}));
	assert_true(
		scratch_size("s/refined-low/mesh.ply") > 1000 && scratch_size("s/refined-low/trajectory.txt") > 100);
	assert_int_equal(scratch_count("s/refined-low"), 3);
	json_t *report = read_json("s/refined-low/report.json");
	assert_string_equal(text_at(report, "refine.outcome"), "refined");
	json_decref(report);
	const size_t entries = scratch_count("s");
	const process_result *r = process_run((char *[]){program, "refine", path("s"), "--level", "low", NULL});
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "is there already"));
	assert_int_equal(scratch_count("s"), entries);
}

static const process_result *refine_low(void)
{
	return process_run((char *[]){program, "refine", path("s"), "--level", "low", NULL});
}

/* Ended where its outputs are written, by a limit that only its state is below; then with what is left. */
static void an_interrupted_refinement_goes_on(void **state)
{
	(void)state;
	char command[1024];
	make_scan(30);
	assert_done(process_run((char *[]){program, "live", "--source", folder_source("scan"), "--session", path("s"),
		"--fps", "20", "--voxel-mm", "0.2", NULL}));
	assert_done(refine_low()); /* and the kernels are kept */
	assert_int_not_equal(access(path("s/refined-low.state"), F_OK), 0);
	move("s/refined-low", "whole");
	snprintf(command, sizeof(command), "ulimit -f 8; exec '%s' refine '%s' --level low", program, path("s"));
	assert_code(process_run((char *[]){(char[]){"/bin/sh"}, (char[]){"-c"}, command, NULL}), 4);
	assert_int_not_equal(access(path("s/refined-low"), F_OK), 0);
	assert_true(scratch_size("s/refined-low.state") > 500);
	assert_done(refine_low());
	json_t *report = read_json("s/refined-low/report.json");
	assert_true(json_is_true(json_object_get(json_object_get(report, "refine"), "gone_on")));
	json_decref(report);
	assert_same("s/refined-low/mesh.ply", "whole/mesh.ply");
	assert_same("s/refined-low/trajectory.txt", "whole/trajectory.txt");
	assert_int_not_equal(access(path("s/refined-low.state"), F_OK), 0);
	/* what is of something else is named, and does no harm */
	move("s/refined-low", "second");
	scratch_text("s/refined-low.state", "ENMREFI2, but no more than that");
	const process_result *r = refine_low();
	assert_done(r);
	assert_non_null(strstr(r->err, "refined-low.state: state: "));
	assert_non_null(strstr(r->err, "begins anew"));
	assert_same("s/refined-low/mesh.ply", "whole/mesh.ply");
}

/* Every kill leaves what was recorded, but for the packet under way; each is built again. */
static void killed_at_any_moment(void **state)
{
	(void)state;
	const char *wish = getenv("ENAMEL_TEST_SLOW");
	const size_t rounds = wish && *wish == '1' ? 200 : 4;
	size_t cut = 0, empty = 0, most = 0;
	make_scan(LISTED);
	for (size_t round = 0; round < rounds; round++) {
		recording *r;
		kill_scan(0, draw(1500));
		if (recording_open(scratch_path("s/scan.enmrec"), RECORDING_CHECK, NULL, &r))
			fail_msg("%s", host_error_text());
		assert_true(r->damage_count <= 1 && recording_lost_packets(r) <= 1);
		assert_true(!r->damage_count || r->damages[0].at_end);
		const size_t frames = r->frame_count;
		cut += r->damage_count;
		empty += !frames;
		most = frames > most ? frames : most;
		recording_close(&r);
		const process_result *built = process_run((char *[]){program, "resume", path("s"), NULL});
		if (frames > 4) { /* as many as see a surface */
			json_t *report = read_json("s/report.json");
			assert_done(built);
			assert_int_equal(integer_at(report, "frames") + integer_at(report, "skipped"), frames);
			json_decref(report);
		} else {
			assert_done(built);
		}
		assert_code(process_run((char *[]){(char[]){"/bin/rm"}, (char[]){"-r"}, path("s"), NULL}), 0);
	}
	print_message("%zu kills, %zu left a packet cut, %zu no frame, at most %zu frames were recorded\n", rounds, cut,
		empty, most);
	assert_true(most > 1);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(a_killed_scan_goes_on),
		WITH_FOLDER(another_camera_is_refused),
		WITH_FOLDER(recordings_of_something_else_are_left_out),
		WITH_FOLDER(a_missing_recording_is_told),
		WITH_FOLDER(a_session_is_refined_whole_or_not_at_all),
		WITH_FOLDER(an_interrupted_refinement_goes_on),
		WITH_FOLDER(killed_at_any_moment),
	};
	return cmocka_run_group_tests_name("live_session", tests, NULL, NULL);
}
