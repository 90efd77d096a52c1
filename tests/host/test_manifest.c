/* SPDX-License-Identifier: Apache-2.0
 * The list of `enamel batch`: what a line may be, and what each wrong one is told. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch/manifest.h"
#include "scratch.h"

static manifest list;

static host_status read_text(const char *text)
{
	scratch_text("list.txt", text);
	return manifest_read(scratch_path("list.txt"), &list);
}

static void assert_refused(const char *text, const char *end)
{
	const host_status status = read_text(text);
	manifest_free(&list);
	if (status != HOST_USAGE)
		fail_msg("'%s' gives %d", text, status);
	assert_failure_ends(end);
}

static void lines_are_read(void **state)
{
	(void)state;
	assert_int_equal(read_text("# a comment\n\n  \t\nscans/upper-1\r\n"
				   "\tscans/upper-2/ --frames 0:500   --voxel-mm=0.1 # why\n"
				   "\"scans/lower jaw\" --camera \"our camera.json\" --strict --name lower\n"
				   "--name=last /data/rec.enmrec --camera /abs.json\n"
				   "rec2.ENMREC"),
		HOST_OK);
	assert_int_equal(list.count, 5);
	const char *const names[] = {"upper-1", "upper-2", "lower", "last", "rec2"};
	const size_t lines[] = {4, 5, 6, 7, 8};
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(list.items[i].name, names[i]);
		assert_int_equal(list.items[i].line, lines[i]);
	}
	const manifest_item *second = &list.items[1], *third = &list.items[2], *fourth = &list.items[3];
	assert_int_equal(second->option_count, 2);
	assert_string_equal(second->options[0], "--frames=0:500");
	assert_string_equal(second->options[1], "--voxel-mm=0.1");
	assert_string_equal(second->dataset, "scans/upper-2/");
	assert_int_equal(second->argument_count, 4);
	assert_string_equal(second->arguments[0], "--frames=0:500");
	assert_string_equal(second->arguments[2], "--");
	assert_string_equal(second->arguments[3], scratch_path("scans/upper-2/"));
	assert_string_equal(third->options[0], "--camera=our camera.json");
	char camera[600];
	snprintf(camera, sizeof camera, "--camera=%s", scratch_path("our camera.json"));
	assert_string_equal(third->arguments[0], camera);
	assert_string_equal(third->arguments[1], "--strict");
	assert_string_equal(third->arguments[3], scratch_path("scans/lower jaw"));
	assert_string_equal(fourth->arguments[0], "--camera=/abs.json");
	assert_string_equal(fourth->arguments[2], "/data/rec.enmrec");
	assert_null(fourth->arguments[fourth->argument_count]);
	manifest_free(&list);
}

static void many_lines_are_read(void **state)
{
	(void)state;
	char *text = malloc(1000 * 8 + 1), *at = text;
	for (int i = 0; i < 1000; i++)
		at += sprintf(at, "s%d\n", i);
	assert_int_equal(read_text(text), HOST_OK);
	assert_int_equal(list.count, 1000);
	assert_string_equal(list.items[999].name, "s999");
	manifest_free(&list);
	free(text);
}

static void wrong_lines_are_named(void **state)
{
	(void)state;
	assert_refused("", "list.txt: names no dataset");
	assert_refused("# nothing\n\n", "list.txt: names no dataset");
	assert_refused("a\n--strict\n", "list.txt: line 2: no dataset");
	assert_refused("a b\n", "list.txt: line 1: more than one dataset");
	assert_refused("a \"b\n", "list.txt: line 1: a double quote has no end");
	assert_refused("a --out x.ply\n", "list.txt: line 1: --out: not allowed in a manifest (the batch names the "
					  "outputs and gives out the device)");
	assert_refused("a --out=x.ply\n",
		"line 1: --out: not allowed in a manifest (the batch names the outputs and gives out the device)");
	const char *const own[] = {"also x.stl", "trajectory t", "frame-log f", "report r", "preview p.png",
		"certificate c.png", "device 0", "json", "view", "view-screenshot s.png", "view-close-s 1", "view-size 9x9", "help"};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		char line[80];
		snprintf(line, sizeof line, "a --%s\n", own[i]);
		assert_refused(
			line, "not allowed in a manifest (the batch names the outputs and gives out the device)");
	}
	assert_refused("a --voxel 1\n", "line 1: unknown option '--voxel' (--help lists them)");
	assert_refused("a\nb -x\n", "line 2: unknown option '-x' (--help lists them)");
	assert_refused("a --voxel-mm 0\n", "line 1: --voxel-mm: 0 is not within 0.001 to 1000");
	assert_refused("a --frames 9:3\n", "line 1: --frames: 9:3 is empty: wanted 0 <= A < B (B is not included)");
	assert_refused("a --camera\n", "line 1: --camera: no value given (wanted FILE)");
	assert_refused("a --tracker magic\n", "line 1: --tracker: 'magic' is none of field, raycast");
	assert_refused("\"\"\n", "line 1: argument 1 is empty");
}

static void wrong_names_are_named(void **state)
{
	(void)state;
	assert_refused(".\n", "line 1: '.' cannot be the name of a result (--name gives another)");
	assert_refused("/\n", "line 1: '' cannot be the name of a result (--name gives another)");
	assert_refused("..\n", "line 1: '..' cannot be the name of a result (--name gives another)");
	assert_refused("a --name b/c\n", "line 1: 'b/c' cannot be the name of a result (--name gives another)");
	assert_refused("x/failed\n", "line 1: 'failed' cannot be the name of a result (--name gives another)");
	assert_refused(
		"a --name batch.json\n", "line 1: 'batch.json' cannot be the name of a result (--name gives another)");
	assert_refused("a\001b\n", "line 1: 'a b' cannot be the name of a result (--name gives another)");
	assert_refused("x/a\nb\ny/a\n", "line 3: the name 'a' is that of line 1 (--name gives another)");
	assert_refused("a\nb\na --strict\n", "line 3: the name 'a' is that of line 1 (--name gives another)");
	assert_refused("b\na --strict\nc\n a  --strict # again\n", "line 4: repeats line 2");
	char line[300];
	memset(line, 'n', 250);
	strcpy(line + 250, "\n");
	assert_int_equal(read_text(line), HOST_USAGE);
	manifest_free(&list);
}

static void wrong_files_are_named(void **state)
{
	(void)state;
	assert_int_equal(manifest_read(scratch_path("none"), &list), HOST_USAGE);
	assert_failure_ends("none: missing");
	scratch_make_folder("folder");
	assert_int_equal(manifest_read(scratch_path("folder"), &list), HOST_USAGE);
	assert_failure_ends("folder: is not a file");
	scratch_write("binary", "a\nb\0c\nd\n", 8);
	assert_int_equal(manifest_read(scratch_path("binary"), &list), HOST_USAGE);
	assert_failure_ends("binary: line 2: holds a zero byte: is this a text?");
	manifest_free(&list);
	char many[300] = "a";
	for (int i = 0; i < 64; i++)
		strcat(many, " x");
	assert_refused(many, "line 1: too many words");
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(lines_are_read),
		SCRATCH_TEST(many_lines_are_read),
		SCRATCH_TEST(wrong_lines_are_named),
		SCRATCH_TEST(wrong_names_are_named),
		SCRATCH_TEST(wrong_files_are_named),
	};
	return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
