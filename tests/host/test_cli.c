/* SPDX-License-Identifier: Apache-2.0
 * Usage, exit codes and messages of the process, as far as they need no device. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "scan.h"
#include "scratch.h"

static char program[] = ENAMEL_PROGRAM;

#define RUN(...) process_run((char *[]){program, __VA_ARGS__, NULL})
#define REPLAY(...) RUN("replay", __VA_ARGS__)

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

static void every_command_has_help(void **state)
{
	(void)state;
	assert_int_equal(RUN("--help")->code, 0);
	const process_result *version = RUN("--version");
	assert_int_equal(version->code, 0);
	assert_int_equal(strncmp(version->out, "enamel ", 7), 0);
	char *const commands[] = {"devices", "replay", "batch"};
	for (int i = 0; i < 3; i++) {
		const process_result *r = RUN(commands[i], "--help");
		assert_int_equal(r->code, 0);
		assert_non_null(strstr(r->out, "--json"));
		assert_string_equal(r->err, "");
	}
}

static void wrong_commands(void **state)
{
	(void)state;
	process_run((char *[]){program, NULL});
	assert_one_line(2, "enamel: no command given");
	RUN("stitch");
	assert_one_line(2, "enamel: unknown command 'stitch'");
	RUN("devices", "--all");
	assert_one_line(2, "enamel devices: unknown option '--all'");
	RUN("devices", "--device");
	assert_one_line(2, "enamel devices: ");
	RUN("devices", "--tune", "--device", "no such device");
	assert_one_line(3, "enamel devices: no usable device is called 'no such device'");
	RUN("devices", "gpu");
	assert_one_line(2, "enamel devices: unexpected argument 'gpu'");
}

static void wrong_replay_options(void **state)
{
	(void)state;
	char *out = path("m.ply");
	REPLAY("--out", out);
	assert_one_line(2, "enamel replay: too few arguments");
	REPLAY("x");
	assert_one_line(2, "enamel replay: --out: missing");
	REPLAY("x", "--out");
	assert_one_line(2, "enamel replay: --out: no value given");
	REPLAY("x", "--out", out, "--voxel", "1");
	assert_one_line(2, "enamel replay: unknown option '--voxel'");
	REPLAY("x", "--out", out, "--voxel-mm", "0");
	assert_one_line(2, "enamel replay: --voxel-mm: 0 is not within 0.001 to 1000");
	REPLAY("x", "--out", out, "--frames", "9:3");
	assert_one_line(2, "enamel replay: --frames: 9:3 is empty");
	REPLAY("x", "--out", path("m.xyz"));
	assert_one_line(2, "ends in none of .ply, .stl, .obj");
	REPLAY("x", "--out", out, "--preview", path("p.jpg"));
	assert_one_line(2, "does not end in .png");
	REPLAY("x", "--out", out, "--certificate", path("c.pdf"));
	assert_one_line(2, "--certificate: ");
	REPLAY("x", "--out", out, "--report", out);
	assert_one_line(2, "is given for two outputs");
}

static void outputs_are_checked_first(void **state)
{
	(void)state;
	REPLAY("x", "--out", path("none/m.ply"));
	assert_one_line(4, "none/m.ply: cannot write: folder '");
	REPLAY("x", "--out", path("m.ply"), "--trajectory", path("none/t.txt"));
	assert_one_line(4, "none/t.txt: cannot write: folder '");
	REPLAY("x", "--out", path("m.ply"), "--frame-log", path("none/f.tsv"));
	assert_one_line(4, "none/f.tsv: cannot write: folder '");
	scratch_make_folder("folder.ply");
	REPLAY("x", "--out", path("folder.ply"));
	assert_one_line(4, "folder.ply: cannot write: is a folder");
	REPLAY("x", "--out", "/proc/m.ply");
	assert_one_line(4, "/proc/m.ply: cannot write: folder '/proc'");
	assert_int_equal(scratch_count("."), 1);
}

static void wrong_datasets(void **state)
{
	(void)state;
	REPLAY(path("none"), "--out", path("m.ply"));
	assert_one_line(2, "none: missing");
	scratch_make_folder("empty");
	REPLAY(path("empty"), "--out", path("m.ply"));
	assert_one_line(2, "empty: no known layout");
	const scan_def def = {.folder = "scan", .pictures = 2, .frames = 2};
	scan_make(&def);
	REPLAY(path("scan"), "--out", path("m.ply"), "--frames", "2:3");
	assert_one_line(2, "--frames: begins at 2, but ");
	REPLAY(path("scan"), "--out", path("m.ply"), "--camera", path("none.json"));
	assert_one_line(2, "none.json: missing");
	scratch_text("scan/camera.json", "{\"width\": 160}");
	REPLAY(path("scan"), "--out", path("m.ply"));
	assert_one_line(2, "camera.json: height: missing");
	unlink(scratch_path("scan/camera.json"));
	REPLAY(path("scan"), "--out", path("m.ply"));
	assert_one_line(2, "camera.json: missing, no --camera FILE given");
}

static void useless_frames(void **state)
{
	(void)state;
	const scan_def def = {.folder = "scan", .pictures = 1, .frames = 3};
	scan_make(&def);
	scratch_text("scan/depth/0.png", "");
	REPLAY(path("scan"), "--out", path("m.ply"));
	assert_one_line(1, "scan: no frame can be used: depth/0.png: is empty");
	assert_false(access(scratch_path("m.ply"), F_OK) == 0);
}

static void no_driver_at_all(void **state)
{
	(void)state;
	const scan_def def = {.folder = "scan", .pictures = 1, .frames = 1};
	scan_make(&def);
	scratch_make_folder("drivers");
	const char *inherited = getenv("OCL_ICD_VENDORS");
	char *before = inherited ? strdup(inherited) : NULL;
	setenv("OCL_ICD_VENDORS", scratch_path("drivers"), 1);
	const process_result *r = RUN("devices");
	assert_int_equal(r->code, 3);
	assert_non_null(strstr(r->out, "OpenCL devices: none"));
	assert_null(strstr(r->out, "computes, unless"));
	assert_one_line(3, "enamel devices: no OpenCL device");
	r = RUN("devices", "--json");
	assert_int_equal(r->code, 3);
	assert_non_null(strstr(r->out, "\"devices\": []"));
	assert_non_null(strstr(r->out, "\"reason\": \"no device is usable\""));
	r = REPLAY(path("scan"), "--out", path("m.ply"));
	if (before)
		setenv("OCL_ICD_VENDORS", before, 1);
	else
		unsetenv("OCL_ICD_VENDORS");
	free(before);
	assert_int_equal(r->code, 3);
	assert_non_null(strstr(r->err, "enamel replay: "));
	assert_false(access(scratch_path("m.ply"), F_OK) == 0);
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_help),
		cmocka_unit_test(wrong_commands),
		SCRATCH_TEST(wrong_replay_options),
		SCRATCH_TEST(outputs_are_checked_first),
		SCRATCH_TEST(wrong_datasets),
		SCRATCH_TEST(useless_frames),
		SCRATCH_TEST(no_driver_at_all),
	};
	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
