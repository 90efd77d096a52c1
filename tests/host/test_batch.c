/* SPDX-License-Identifier: Apache-2.0
 * `enamel batch` from end to end: results as one by one, whatever fails, is killed or interrupted beside them.
 * With ENAMEL_TEST_SLOW set, 200 datasets. */
#define _DEFAULT_SOURCE /* mount, usleep */
#include "cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "json.h"
#include "process.h"
#include "scan.h"
#include "scratch.h"

#define FRAMES 6
#define LONG_FRAMES 40000 /* minutes: no test waits for its end */
#define WAIT_S 90.0

static char program[] = ENAMEL_PROGRAM;

#define BATCH(...) process_run((char *[]){program, "batch", __VA_ARGS__, NULL})

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

static void make_scan(const char *folder, size_t frames)
{
	const scan_def def = {.folder = folder, .pictures = FRAMES, .frames = frames};
	scan_make(&def);
}

/* In the place of what was there. */
static void replace_by_scan(const char *folder, size_t frames)
{
	char before[64];
	snprintf(before, sizeof before, "%s-before", folder);
	assert_int_equal(rename(scratch_path(folder), scratch_path(before)), 0);
	make_scan(folder, frames);
}

static void assert_code(const process_result *r, int code)
{
	if (r->code != code)
		fail_msg("exit code %d instead of %d: %s", r->code, code, r->err);
}

static json_t *read_table(void)
{
	json_t *root;
	if (json_file_read(scratch_path("out/batch.json"), &root))
		fail_msg("%s", host_error_text());
	return root;
}

static const json_t *item_of(const json_t *table, const char *name)
{
	const json_t *items = json_object_get(table, "items");
	for (size_t i = 0; i < json_array_size(items); i++)
		if (!strcmp(json_string_value(json_object_get(json_array_get(items, i), "name")), name))
			return json_array_get(items, i);
	fail_msg("the table has no %s", name);
	return NULL;
}

static const char *text_of(const json_t *item, const char *key)
{
	const char *text = json_string_value(json_object_get(item, key));
	return text ? text : "";
}

static json_int_t count_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_integer(value))
		fail_msg("no whole number %s", key);
	return json_integer_value(value);
}

static void assert_item(const json_t *table, const char *name, const char *state, const char *reason)
{
	const json_t *item = item_of(table, name);
	assert_string_equal(text_of(item, "state"), state);
	if (!*reason)
		assert_true(json_is_null(json_object_get(item, "reason")));
	else if (!strstr(text_of(item, "reason"), reason))
		fail_msg("%s: \"%s\" holds no \"%s\"", name, text_of(item, "reason"), reason);
}

static void assert_same_file(const char *a, const char *b)
{
	uint8_t *left, *right;
	size_t left_size, right_size;
	assert_int_equal(file_read(scratch_path(a), 1 << 28, &left, &left_size), HOST_OK);
	assert_int_equal(file_read(scratch_path(b), 1 << 28, &right, &right_size), HOST_OK);
	assert_int_equal(left_size, right_size);
	assert_true(left_size > 0);
	assert_memory_equal(left, right, left_size);
	free(left);
	free(right);
}

static bool is_there(const char *name)
{
	return !access(scratch_path(name), F_OK);
}

static ino_t inode_of(const char *name)
{
	struct stat info;
	assert_int_equal(stat(scratch_path(name), &info), 0);
	return info.st_ino;
}

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Waits until the file holds the text. */
static void await_text(const char *name, const char *text)
{
	for (const double begun_s = now_s(); now_s() - begun_s < WAIT_S; usleep(10000)) {
		uint8_t *bytes = NULL;
		size_t size;
		const bool found = is_there(name) && !file_read(scratch_path(name), 1 << 20, &bytes, &size) &&
				   strstr((const char *)bytes, text);
		free(bytes);
		if (found)
			return;
	}
	fail_msg("%s never said \"%s\"", name, text);
}

/* A child of the process that is not `known`; waits for one. */
static pid_t await_child(pid_t parent, pid_t known)
{
	char list[64];
	snprintf(list, sizeof list, "/proc/%d/task/%d/children", (int)parent, (int)parent);
	for (const double begun_s = now_s(); now_s() - begun_s < WAIT_S; usleep(2000)) {
		FILE *f = fopen(list, "r");
		int id = 0, found = 0;
		while (f && fscanf(f, "%d", &id) == 1)
			if (id != known)
				found = id;
		if (f)
			fclose(f);
		if (found)
			return found;
	}
	fail_msg("the batch started no worker");
	return 0;
}

static void assert_nothing_half(void)
{
	const char *const halves[] = {"out/.a.part", "out/.b.part", "out/.a.old", "out/.b.old"};
	for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
		assert_false(is_there(halves[i]));
}

/* ---- results ---- */

static void replay_alone(const char *scan, const char *mesh, const char *poses)
{
	assert_code(process_run((char *[]){
			    program, "replay", path(scan), "--out", path(mesh), "--trajectory", path(poses), NULL}),
		0);
}

static void one_failure_stops_nothing(void **state)
{
	(void)state;
	make_scan("a", FRAMES);
	make_scan("useless", 2);
	scratch_text("useless/depth/0.png", "");
	scratch_text("useless/depth/1.png", "");
	scratch_make_folder("broken");
	scratch_text("list.txt",
		"broken\na\n# twice beside itself\na --name b\nnone\nuseless\na --frames 0:3 --name short\n");
	const process_result *r = BATCH(path("list.txt"), "--out", path("out"), "--workers", "2");
	assert_code(r, 1);
	assert_non_null(strstr(r->err, "of 6 datasets 2 failed and 1 were not good enough"));
	assert_non_null(strstr(r->out, "3 done, 1 poor, 2 failed, 0 not run\n"));
	json_t *table = read_table();
	assert_int_equal(count_of(table, "done"), 3);
	assert_int_equal(json_array_size(json_object_get(table, "items")), 6);
	assert_item(table, "broken", "failed", "no known layout");
	assert_item(table, "none", "failed", "none: missing");
	assert_item(table, "useless", "poor", "no frame can be used");
	assert_item(table, "a", "done", "");
	assert_int_equal(count_of(item_of(table, "broken"), "code"), 2);
	assert_int_equal(count_of(item_of(table, "a"), "tracked"), FRAMES);
	assert_int_equal(count_of(item_of(table, "short"), "frames"), 3);
	json_decref(table);
	replay_alone("a", "alone.ply", "alone.txt");
	assert_same_file("alone.ply", "out/a/mesh.ply");
	assert_same_file("alone.txt", "out/a/trajectory.txt");
	assert_same_file("alone.ply", "out/b/mesh.ply");
	assert_same_file("alone.txt", "out/b/trajectory.txt");
	assert_true(is_there("out/failed/broken.log") && is_there("out/useless/result.json"));
	assert_false(is_there("out/broken") || is_there("out/none"));
	assert_nothing_half();
}

static void recordings_are_items(void **state)
{
	(void)state;
	make_scan("a", FRAMES);
	assert_code(process_run((char *[]){program, "convert", path("a"), path("b.enmrec"), NULL}), 0);
	scratch_text("list.txt", "a\nb.enmrec\n");
	assert_code(BATCH(path("list.txt"), "--out", path("out")), 0);
	assert_same_file("out/a/mesh.ply", "out/b/mesh.ply");
	assert_same_file("out/a/trajectory.txt", "out/b/trajectory.txt");
}

static void finished_items_are_kept(void **state)
{
	(void)state;
	make_scan("a", FRAMES);
	scratch_make_folder("b");
	scratch_text("list.txt", "a\nb\n");
	assert_code(BATCH(path("list.txt"), "--out", path("out")), 1);
	assert_true(is_there("out/failed/b.log"));
	const ino_t first = inode_of("out/a/result.json");
	replace_by_scan("b", FRAMES);
	const process_result *r = BATCH(path("list.txt"), "--out", path("out"), "--json");
	assert_code(r, 0);
	json_t *table = read_table(), *printed = json_loads(r->out, 0, NULL);
	assert_true(json_equal(table, printed));
	assert_true(json_is_true(json_object_get(item_of(table, "a"), "earlier")));
	assert_true(json_is_false(json_object_get(item_of(table, "b"), "earlier")));
	assert_int_equal(count_of(item_of(table, "a"), "tracked"), FRAMES);
	assert_int_equal(inode_of("out/a/result.json"), first);
	assert_false(is_there("out/failed/b.log"));
	json_decref(table);
	json_decref(printed);
	assert_code(BATCH(path("list.txt"), "--out", path("out"), "--again", "--device", "all"), 0);
	assert_int_not_equal(inode_of("out/a/result.json"), first);
	assert_nothing_half();
}

static void results_of_others_are_not_taken(void **state)
{
	(void)state;
	make_scan("a", FRAMES);
	scratch_text("list.txt", "a\n");
	assert_code(BATCH(path("list.txt"), "--out", path("out")), 0);
	json_t *result = json_load_file(scratch_path("out/a/result.json"), 0, NULL);
	assert_non_null(strstr(json_string_value(json_object_get(result, "computed_on")), ", ")); /* device, driver */
	json_object_set_new(result, "computed_on", json_string("another device, 1.0"));
	char *changed = json_dumps(result, 0);
	scratch_text("out/a/result.json", changed);
	free(changed);
	json_decref(result);
	BATCH(path("list.txt"), "--out", path("out"));
	assert_one_line(2, "out/a: is the result of another dataset, options, device, driver or version (--again replaces it)");
	assert_code(BATCH(path("list.txt"), "--out", path("out"), "--again"), 0);
	scratch_text("list.txt", "a --frames 0:4\n");
	BATCH(path("list.txt"), "--out", path("out"));
	assert_one_line(2, "out/a: is the result of another dataset, options, device, driver or version (--again replaces it)");
	scratch_text("list.txt", "a --device 0\n");
	BATCH(path("list.txt"), "--out", path("out"));
	assert_one_line(2, "list.txt: line 1: --device: not allowed in a manifest");
	scratch_text("list.txt", "a\n");
	BATCH(path("list.txt"), "--out", path("out"), "--device", "0");
	assert_one_line(2, "out/a: is the result of another");
	scratch_text("list.txt", "a --frames 0:4\n");
	assert_code(BATCH(path("list.txt"), "--out", path("out"), "--again"), 0);
	json_t *table = read_table();
	assert_int_equal(count_of(item_of(table, "a"), "frames"), 4);
	json_decref(table);
	scratch_text("out/a/result.json", "{}");
	BATCH(path("list.txt"), "--out", path("out"));
	assert_one_line(2, "out/a: is the result of another");
	unlink(scratch_path("out/a/result.json"));
	BATCH(path("list.txt"), "--out", path("out"), "--again");
	assert_one_line(2, "out/a: is in the way, and no result of a batch (result.json: missing)");
	assert_true(is_there("out/a/mesh.ply"));
}

/* ---- killed and interrupted ---- */

static void a_killed_worker_is_tried_once_more(void **state)
{
	(void)state;
	make_scan("a", FRAMES);
	make_scan("b", FRAMES);
	scratch_text("list.txt", "a\nb\n");
	const pid_t id = process_start((char *[]){program, "batch", path("list.txt"), "--out", path("out"), NULL});
	kill(await_child(id, 0), SIGKILL);
	const process_result *r = process_finish();
	assert_code(r, 0);
	assert_non_null(strstr(r->err, "enamel batch: warning: a: its worker was ended by signal 9 (Killed)"));
	json_t *table = read_table();
	assert_int_equal(count_of(item_of(table, "a"), "tries"), 2);
	assert_int_equal(count_of(item_of(table, "b"), "tries"), 1);
	assert_item(table, "a", "done", "");
	json_decref(table);
	replay_alone("a", "alone.ply", "alone.txt");
	assert_same_file("alone.ply", "out/a/mesh.ply");
	assert_nothing_half();
}

static void a_worker_killed_twice_is_reported(void **state)
{
	(void)state;
	make_scan("a", LONG_FRAMES);
	make_scan("b", FRAMES);
	scratch_text("list.txt", "a\nb\n");
	const pid_t id = process_start((char *[]){program, "batch", path("list.txt"), "--out", path("out"), NULL});
	await_text("out/.a.part/log.txt", "device: ");
	const pid_t first = await_child(id, 0);
	kill(first, SIGKILL);
	/* b, which is short, comes between. */
	for (const double begun_s = now_s(); !is_there("out/b") && now_s() - begun_s < WAIT_S;)
		usleep(10000);
	await_text("out/.a.part/log.txt", "device: ");
	kill(await_child(id, first), SIGTERM); /* PoCL survives a SIGSEGV that is sent */
	const process_result *r = process_finish();
	assert_code(r, 1);
	json_t *table = read_table();
	assert_item(table, "a", "failed", "its worker was ended by signal 15 (Terminated), 2 times");
	assert_int_equal(count_of(item_of(table, "a"), "code"), 143);
	assert_item(table, "b", "done", "");
	json_decref(table);
	assert_true(is_there("out/failed/a.log"));
	assert_nothing_half();
}

static void an_interrupt_can_be_resumed(void **state)
{
	(void)state;
	make_scan("a", FRAMES);
	make_scan("b", LONG_FRAMES);
	make_scan("c", FRAMES);
	scratch_text("list.txt", "a\nb\nc\n");
	const pid_t id = process_start((char *[]){program, "batch", path("list.txt"), "--out", path("out"), NULL});
	await_text("out/.b.part/log.txt", "device: ");
	BATCH(path("list.txt"), "--out", path("out"));
	assert_one_line(4, "out: another batch is at work in it");
	kill(id, SIGINT);
	(void)process_finish();
	json_t *table = read_table();
	assert_true(json_is_true(json_object_get(table, "interrupted")));
	assert_int_equal(count_of(table, "not_run"), 2);
	assert_item(table, "a", "done", "");
	assert_item(table, "b", "not run", "");
	json_decref(table);
	assert_nothing_half();
	assert_false(is_there("out/b"));
	replace_by_scan("b", FRAMES);
	assert_code(BATCH(path("list.txt"), "--out", path("out")), 0);
}

/* Whatever the batch does at that moment, an interrupt ends it in order: workers that end every few ms leave it little
 * time to wait in. */
static void an_interrupt_may_come_at_any_time(void **state)
{
	(void)state;
	char text[40 * 8] = "";
	for (int i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "n%d\n", i);
	scratch_text("list.txt", text);
	for (int i = 0; i < 12; i++) {
		const pid_t id = process_start(
			(char *[]){program, "batch", path("list.txt"), "--out", path("out"), "--workers", "4", NULL});
		while (!is_there("out/failed/n0.log"))
			usleep(1000);
		usleep((useconds_t)(i * 3700));
		kill(id, SIGINT);
		const int code = process_finish()->code;
		json_t *table = read_table();
		assert_int_equal(count_of(table, "failed") + count_of(table, "not_run"), 40);
		assert_int_equal(code, count_of(table, "not_run") ? 130 : 1);
		json_decref(table);
		unlink(scratch_path("out/batch.json"));
		unlink(scratch_path("out/failed/n0.log"));
	}
}

/* Nothing lives on behind a batch that is killed itself, and what it left half is done anew. */
static void a_killed_batch_can_be_resumed(void **state)
{
	(void)state;
	make_scan("a", LONG_FRAMES);
	scratch_text("list.txt", "a\n");
	const pid_t id = process_start((char *[]){program, "batch", path("list.txt"), "--out", path("out"), NULL});
	await_text("out/.a.part/log.txt", "device: ");
	const pid_t worker = await_child(id, 0);
	kill(id, SIGKILL);
	assert_int_equal(process_finish()->code, 128 + SIGKILL);
	for (const double begun_s = now_s(); !kill(worker, 0) && now_s() - begun_s < WAIT_S;)
		usleep(10000);
	assert_int_equal(kill(worker, 0), -1);
	assert_true(is_there("out/.a.part"));
	assert_false(is_there("out/batch.json"));
	replace_by_scan("a", FRAMES);
	assert_code(BATCH(path("list.txt"), "--out", path("out")), 0);
	assert_nothing_half();
}

/* ---- wrong usage ---- */

static void wrong_usage_is_named(void **state)
{
	(void)state;
	scratch_text("list.txt", "a\n");
	BATCH("--out", path("out"));
	assert_one_line(2, "enamel batch: too few arguments");
	BATCH(path("list.txt"));
	assert_one_line(2, "enamel batch: --out: missing (wanted FOLDER)");
	BATCH(path("none"), "--out", path("out"));
	assert_one_line(2, "none: missing");
	BATCH(path("list.txt"), "--out", path("out"), "--workers", "0");
	assert_one_line(2, "--workers: 0 is not within 1 to 64");
	BATCH(path("list.txt"), "--out", path("out"), "--device", "no such device");
	assert_one_line(3, "--device: no usable device is called 'no such device'");
	BATCH(path("list.txt"), "--out", path("out"), "--device", "0,99");
	assert_one_line(3, "--device: no usable device is called '99'");
	BATCH(path("list.txt"), "--out", path("out"), "--device", "0,,0");
	assert_one_line(2, "--device: '0,,0' holds an empty or an overlong name");
	BATCH(path("list.txt"), "--out", "/proc/out");
	assert_one_line(4, "/proc/out: cannot make folder");
	BATCH(path("list.txt"), "--out", path("no/where"));
	assert_one_line(4, "no/where: cannot make folder");
	BATCH(path("list.txt"), "--out", path("list.txt"));
	assert_one_line(4, "list.txt: cannot make folder: a file is there");
	assert_false(is_there("out"));
	scratch_text("list.txt", "# none\n");
	BATCH(path("list.txt"), "--out", path("out"));
	assert_one_line(2, "list.txt: names no dataset");
	scratch_make_folder("out");
	scratch_make_folder("out/batch.json");
	scratch_text("list.txt", "a\n");
	BATCH(path("list.txt"), "--out", path("out"));
	assert_one_line(4, "batch.json: cannot write: is a folder");
	assert_int_equal(BATCH("--help")->code, 0);
}

/* Whoever starts it may have SIGCHLD ignored, and a list may be in Latin-1. */
static void what_comes_from_outside_is_survived(void **state)
{
	(void)state;
	make_scan("K\xe4""fer", FRAMES);
	scratch_text("list.txt", "K\xe4""fer --name=a\nnone-\xff --name=b\n");
	assert_code(process_run((char *[]){(char[]){"/usr/bin/env"}, (char[]){"--ignore-signal=CHLD"}, program, "batch",
			    path("list.txt"), "--out", path("out"), NULL}), 1);
	json_t *table = read_table();
	assert_item(table, "a", "done", "");
	assert_item(table, "b", "failed", "none-\\xff");
	const char *dataset = text_of(item_of(table, "a"), "dataset");
	assert_non_null(strstr(dataset, "K\\xe4fer"));
	json_decref(table);
	assert_code(BATCH(path("list.txt"), "--out", path("out")), 1); /* what is done is known again */
	table = read_table();
	assert_true(json_is_true(json_object_get(item_of(table, "a"), "earlier")));
	json_decref(table);
}

static void a_full_disk_leaves_no_table(void **state)
{
	(void)state;
	scratch_make_folder("out");
	scratch_text("list.txt", "none\n");
	if (mount("tmpfs", scratch_path("out"), "tmpfs", 0, "size=16k,mode=0777")) {
		print_message("skipped: no tmpfs can be mounted here\n");
		skip();
	}
	char *filling = calloc(1, 1 << 16);
	FILE *f = fopen(scratch_path("out/filling"), "w");
	(void)fwrite(filling, 1, 1 << 16, f);
	fclose(f);
	free(filling);
	const int code = BATCH(path("list.txt"), "--out", path("out"))->code;
	const bool table = is_there("out/batch.json") || is_there("out/batch.txt");
	const size_t left = scratch_count("out");
	umount(scratch_path("out"));
	assert_int_equal(code, 4);
	assert_false(table);
	assert_true(left <= 3); /* the filling, the lock, the folder of logs */
}

/* ---- many ---- */

#define MANY 200

static void many_with_one_worker_killed(void **state)
{
	(void)state;
	char text[MANY * 16] = "", name[64];
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "s%d", i);
		const scan_def def = {.folder = name, .pictures = 3, .frames = 3 + (size_t)i % 3};
		scan_make(&def);
		snprintf(text + strlen(text), sizeof text - strlen(text), "s%d\n", i);
	}
	scratch_text("list.txt", text);
	const pid_t id = process_start(
		(char *[]){program, "batch", path("list.txt"), "--out", path("out"), "--workers", "2", NULL});
	await_text("out/s7/result.json", "\n");
	kill(await_child(id, 0), SIGKILL);
	assert_code(process_finish(), 0);
	json_t *table = read_table();
	assert_int_equal(count_of(table, "done"), MANY);
	json_int_t tries = 0;
	for (size_t i = 0; i < MANY; i++)
		tries += count_of(json_array_get(json_object_get(table, "items"), i), "tries");
	assert_int_equal(tries, MANY + 1);
	json_decref(table);
	/* Scans of the same length are the same scan. */
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "s%d", i);
		replay_alone(name, "alone.ply", "alone.txt");
		for (int k = i; k < MANY; k += 3) {
			snprintf(name, sizeof name, "out/s%d/mesh.ply", k);
			assert_same_file("alone.ply", name);
			snprintf(name, sizeof name, "out/s%d/trajectory.txt", k);
			assert_same_file("alone.txt", name);
		}
	}
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest slow[] = {SCRATCH_TEST(many_with_one_worker_killed)};
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(wrong_usage_is_named),
		SCRATCH_TEST(one_failure_stops_nothing),
		SCRATCH_TEST(recordings_are_items),
		SCRATCH_TEST(finished_items_are_kept),
		SCRATCH_TEST(results_of_others_are_not_taken),
		SCRATCH_TEST(a_killed_worker_is_tried_once_more),
		SCRATCH_TEST(a_worker_killed_twice_is_reported),
		SCRATCH_TEST(an_interrupt_can_be_resumed),
		SCRATCH_TEST(an_interrupt_may_come_at_any_time),
		SCRATCH_TEST(a_killed_batch_can_be_resumed),
		SCRATCH_TEST(what_comes_from_outside_is_survived),
		SCRATCH_TEST(a_full_disk_leaves_no_table),
	};
	if (getenv("ENAMEL_TEST_SLOW"))
		return cmocka_run_group_tests_name("batch, slow", slow, NULL, NULL);
	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
