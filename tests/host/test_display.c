/* SPDX-License-Identifier: Apache-2.0
 * Displays that go away, and such as cannot do what the viewer needs. Starts displays of its own. */
#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jaw.h"
#include "live_run.h"
#include "scan.h"
#include "scratch.h"
#include "screen.h"

#define GONE "the display has gone away"

static char program[] = ENAMEL_PROGRAM;

static void make_scan(size_t frames)
{
	const scan_def def = {.folder = "scan", .pictures = 12, .frames = frames};
	scan_make(&def);
}

static void make_model(void)
{
	enm_mesh *mesh = jaw_create(0.0, true);
	assert_int_equal(enm_mesh_save(mesh, scratch_path("jaw.ply"), 1.0), ENM_OK);
	enm_mesh_destroy(&mesh);
}

/* How many lines hold the text. */
static unsigned count_lines(const char *all, const char *text)
{
	unsigned count = 0;
	for (const char *at = strstr(all, text); at; at = strstr(at + 1, text))
		count++;
	return count;
}

/* Takes the display away while the program that was started shows a window. */
static const process_result *lose_display(screen *s)
{
	screen_wait_for_window(s);
	screen_kill(s);
	return process_finish();
}

static void a_replay_goes_on_without_its_display(void **state)
{
	(void)state;
	make_scan(60);
	screen s = screen_open(NULL);
	process_start((char *[]){program, "replay", path("scan"), "--out", path("seen.ply"), "--voxel-mm", "0.2", "--view", NULL});
	const process_result *r = lose_display(&s);
	assert_code(r, 0);
	assert_int_equal(count_lines(r->err, "warning: --view: " GONE ": going on without a window\n"), 1);
	assert_int_equal(count_lines(r->err, "warning"), 1);
	assert_null(strstr(r->err, "X connection"));
	/* and nothing of it is in the model */
	assert_code(process_run((char *[]){program, "replay", path("scan"), "--out", path("alone.ply"), "--voxel-mm", "0.2", NULL}), 0);
	assert_same("seen.ply", "alone.ply");
}

static void a_live_scan_goes_on_without_its_display(void **state)
{
	(void)state;
	make_scan(60);
	screen s = screen_open(NULL);
	process_start((char *[]){program, "live", "--source", folder_source("scan"), "--session", path("s"), "--fps", "10",
		"--voxel-mm", "0.2", "--view", NULL});
	const process_result *r = lose_display(&s);
	assert_done(r);
	assert_int_equal(count_lines(r->err, "--view: " GONE ": going on without a window\n"), 1);
	assert_true(scratch_size("s/mesh.ply") > 1000);
}

static void a_look_ends_with_its_display(void **state)
{
	(void)state;
	make_model();
	make_scan(4000);
	screen s = screen_open(NULL);
	process_start((char *[]){program, "view", path("jaw.ply"), "--screenshot", path("p.png"), NULL});
	lose_display(&s);
	assert_one_line(3, "view: " GONE);
	assert_int_not_equal(access(scratch_path("p.png"), F_OK), 0);
	/* of a scan that is replayed for the look only, the rest is not done */
	s = screen_open(NULL);
	process_start((char *[]){program, "view", path("scan"), NULL});
	const process_result *r = lose_display(&s);
	assert_code(r, 3);
	assert_int_equal(count_lines(r->err, "view: " GONE "\n"), 1);
}

static void closing_a_look_ends_its_replay(void **state)
{
	(void)state;
	make_scan(40000); /* hours */
	screen s = screen_open(NULL);
	process_start((char *[]){program, "view", path("scan"), NULL});
	screen_wait_for_window(&s);
	screen_press(&s, 'q');
	const process_result *r = process_finish();
	screen_kill(&s);
	assert_code(r, 0);
	assert_non_null(strstr(r->out, "interrupted"));
}

/* "m.ply" and 3 become "m-kept-3.ply". */
static const char *kept_name(const char *stem, int number)
{
	static char name[64];
	snprintf(name, sizeof name, "%s-kept-%d.ply", stem, number);
	return name;
}

static bool is_kept(const char *stem, int number)
{
	return !access(scratch_path(kept_name(stem, number)), R_OK);
}

/* Presses K until a model is kept: at first there is none, and a key may come before the window listens. */
static void keep_first(const screen *s, const char *stem)
{
	for (int i = 0; i < 40 && !is_kept(stem, 1); i++) {
		screen_press(s, 'k');
		for (int k = 0; k < 30 && !is_kept(stem, 1); k++)
			wait_ms(100);
	}
	assert_true(is_kept(stem, 1));
}

static void keep_one_more(const screen *s, const char *stem, int number)
{
	screen_press(s, 'k');
	for (int k = 0; k < 1000 && !is_kept(stem, number); k++)
		wait_ms(100);
	assert_true(is_kept(stem, number));
}

/* Pauses, keeps the model twice, which must be the same, and goes on. */
static void keep_twice_paused(const screen *s, const char *stem)
{
	char first[64];
	keep_first(s, stem);
	screen_press(s, ' ');
	wait_ms(3000);
	int number = 2;
	while (is_kept(stem, number)) /* by a key from before */
		number++;
	keep_one_more(s, stem, number);
	snprintf(first, sizeof first, "%s", kept_name(stem, number));
	wait_ms(500);
	keep_one_more(s, stem, number + 1);
	assert_same(first, kept_name(stem, number + 1));
	screen_press(s, ' ');
	wait_ms(3000);
}

static void models_are_kept_while_a_replay_waits(void **state)
{
	(void)state;
	make_scan(4000);
	screen s = screen_open(NULL);
	const pid_t program_id = process_start((char *[]){program, "replay", path("scan"), "--out", path("m.ply"), "--voxel-mm", "0.2", "--view", NULL});
	screen_wait_for_window(&s);
	keep_twice_paused(&s, "m");
	kill(program_id, SIGINT);
	const process_result *r = process_finish();
	screen_kill(&s);
	assert_code(r, 130);
	assert_int_equal(count_lines(r->err, "kept as m-kept-1.ply\n"), 1);
	/* it went on since */
	assert_int_not_equal(process_run((char *[]){(char[]){"/usr/bin/cmp"}, path("m-kept-2.ply"), path("m.ply"), NULL})->code, 0);
}

static void a_live_scan_waits_and_is_kept_as_it_is(void **state)
{
	(void)state;
	make_scan(600);
	screen s = screen_open(NULL);
	const pid_t program_id = process_start((char *[]){program, "live", "--source", folder_source("scan"), "--session", path("s"), "--fps", "10",
		"--voxel-mm", "0.2", "--view", NULL});
	screen_wait_for_window(&s);
	keep_twice_paused(&s, "s/mesh");
	kill(program_id, SIGINT);
	const process_result *r = process_finish();
	screen_kill(&s);
	assert_done(r);
	assert_int_equal(count_lines(r->err, "kept as mesh-kept-1.ply\n"), 1);
	json_t *report = read_json("s/report.json");
	assert_true(integer_at(report, "live.paused") > 0);
	json_decref(report);
	/* and a replay leaves out the same frames */
	assert_done(process_run((char *[]){program, "replay", path("s/scan.enmrec"), "--out", path("again.ply"), "--voxel-mm", "0.2", NULL}));
	assert_same("s/mesh.ply", "again.ply");
}

static bool is_there(const char *name)
{
	return !access(scratch_path(name), F_OK);
}

static bool has_begun(const char *session)
{
	char name[64];
	snprintf(name, sizeof name, "%s/scan.enmrec", session);
	return is_there(name) && scratch_size(name) > 20000; /* some frames */
}

static void wait_to_begin(const char *session)
{
	for (int k = 0; k < 600 && !has_begun(session); k++)
		wait_ms(100);
	assert_true(has_begun(session));
}

/* One press asks, the second one within four seconds is the answer. */
static void ask_for_another(const screen *s, const char *session)
{
	for (int i = 0; i < 20 && !is_there(session); i++) {
		screen_press(s, 'n');
		wait_ms(300);
		screen_press(s, 'n');
		for (int k = 0; k < 50 && !is_there(session); k++)
			wait_ms(100);
	}
	wait_to_begin(session);
}

static void assert_scanned(const char *session, const char *ended_by)
{
	char name[64];
	snprintf(name, sizeof name, "%s/session.json", session);
	json_t *root = read_json(name);
	assert_string_equal(text_at(root, "state"), "complete");
	assert_string_equal(text_at(root, "ended_by"), ended_by);
	const json_int_t frames = integer_at(root, "frames");
	json_decref(root);
	snprintf(name, sizeof name, "%s/scan.enmrec", session);
	assert_int_equal(frames_of_whole(name), frames);
	snprintf(name, sizeof name, "%s/report.json", session);
	root = read_json(name);
	assert_int_equal(integer_at(root, "live.recorded"), frames);
	json_decref(root);
}

static void one_scan_follows_another(void **state)
{
	(void)state;
	make_scan(4000);
	scratch_text("s-2", ""); /* whatever it is, it is not touched */
	screen s = screen_open(NULL);
	const pid_t program_id = process_start((char *[]){program, "live", "--source", folder_source("scan"), "--session", path("s"), "--fps", "10",
		"--voxel-mm", "0.2", "--out", path("mine.ply"), "--view", NULL});
	screen_wait_for_window(&s);
	wait_to_begin("s");
	ask_for_another(&s, "s-3");
	kill(program_id, SIGINT);
	const process_result *r = process_finish();
	screen_kill(&s);
	assert_done(r);
	assert_scanned("s", "new scan");
	assert_scanned("s-3", "signal");
	assert_true(scratch_size("mine.ply") > 1000 && scratch_size("s-3/mesh.ply") > 1000);
	assert_int_equal(scratch_size("s-2"), 0);
	/* each is a scan of its own */
	assert_done(process_run((char *[]){program, "replay", path("s-3/scan.enmrec"), "--out", path("again.ply"), "--voxel-mm", "0.2", NULL}));
	assert_same("s-3/mesh.ply", "again.ply");
}

static void old_opengl_is_named(void **state)
{
	(void)state;
	make_model();
	make_scan(12);
	screen s = screen_open(NULL);
	setenv("MESA_GL_VERSION_OVERRIDE", "2.1", 1);
	process_run((char *[]){program, "view", path("jaw.ply"), NULL});
	assert_one_line(3, "view: cannot open the viewer's window with OpenGL 3.3: ");
	const process_result *r =
		process_run((char *[]){program, "replay", path("scan"), "--out", path("m.ply"), "--voxel-mm", "0.2", "--view", NULL});
	unsetenv("MESA_GL_VERSION_OVERRIDE");
	screen_kill(&s);
	assert_code(r, 0);
	assert_int_equal(count_lines(r->err, "with OpenGL 3.3: "), 1);
	assert_int_equal(count_lines(r->err, ": going on without a window\n"), 1);
	assert_true(scratch_size("m.ply") > 1000);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(a_replay_goes_on_without_its_display),
		WITH_FOLDER(a_live_scan_goes_on_without_its_display),
		WITH_FOLDER(a_look_ends_with_its_display),
		WITH_FOLDER(closing_a_look_ends_its_replay),
		WITH_FOLDER(models_are_kept_while_a_replay_waits),
		WITH_FOLDER(a_live_scan_waits_and_is_kept_as_it_is),
		WITH_FOLDER(one_scan_follows_another),
		WITH_FOLDER(old_opengl_is_named),
	};
	return cmocka_run_group_tests_name("display", tests, NULL, NULL);
}
