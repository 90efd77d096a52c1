/* SPDX-License-Identifier: Apache-2.0
 * enamel-driver-example: plays a dataset through the socket. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "json.h"
#include "process.h"
#include "scan.h"
#include "scratch.h"
#include "socket_rig.h"

#define FRAMES 6u

static uint16_t depth[SCAN_WIDTH * SCAN_HEIGHT], wanted[SCAN_WIDTH * SCAN_HEIGHT];
static uint8_t rgb[3 * SCAN_WIDTH * SCAN_HEIGHT], wanted_rgb[3 * SCAN_WIDTH * SCAN_HEIGHT];

/* One scan for all tests. */
static int make_scan(void **state)
{
	const scan_def def = {.folder = "scan", .pictures = FRAMES, .frames = FRAMES, .color = true};
	if (scratch_setup(state))
		return -1;
	scan_make(&def);
	return 0;
}

static void open_source(source *s)
{
	const source_open_def def = {.what = rig_path(), .timeout_s = 60.0};
	if (source_open_socket(&def, s))
		fail_msg("%s", host_error_text());
}

static source_state take(source *s, source_frame *f)
{
	*f = (source_frame){.depth = depth, .rgb = rgb};
	return s->ops->next(s->state, 60.0, f);
}

static int64_t figure(const char *text, const char *key)
{
	json_t *root;
	assert_int_equal(json_text_read("figures", text, strlen(text), &root), HOST_OK);
	const json_t *value = json_object_get(root, key);
	const int64_t number = json_is_true(value) ? 1 : json_integer_value(value);
	json_decref(root);
	return number;
}

/* Forward, backward, forward: the pictures are those of the folder to the bit, the camera is its text. */
static void plays_a_folder(void **state)
{
	(void)state;
	source s;
	source_frame f;
	dataset data;
	dataset_reading reading;
	char *const argv[] = {DRIVER_PROGRAM, (char *)(uintptr_t)scratch_path("scan"), "--socket",
		(char *)(uintptr_t)rig_path(), "--fps", "100", "--loop", "3", "--slots", "32", "--timeout", "60",
		"--json", NULL};
	assert_int_equal(dataset_open(scratch_path("scan"), NULL, &data), HOST_OK);
	process_start(argv);
	open_source(&s);
	assert_int_equal(s.facts.camera.camera.width, SCAN_WIDTH);
	assert_true(s.facts.has_color && s.facts.camera.fps == 100.0);
	assert_true(s.facts.depth_mm_per_unit == data.depth_mm_per_unit);
	uint64_t taken = 0, last = 0;
	while (take(&s, &f) == SOURCE_FRAME) {
		const uint64_t at = f.number % FRAMES, i = f.number / FRAMES % 2 ? FRAMES - 1 - at : at;
		dataset_read_frame(&data, (size_t)i, wanted, wanted_rgb, &reading);
		assert_true(reading.usable && f.has_color);
		assert_memory_equal(depth, wanted, sizeof wanted);
		assert_memory_equal(rgb, wanted_rgb, sizeof wanted_rgb);
		assert_true(f.time_s == (double)f.number / 100.0);
		last = f.number;
		taken++;
	}
	assert_true(last < 3 * FRAMES);
	const process_result *r = process_finish();
	assert_int_equal(r->code, 0);
	assert_int_equal(figure(r->out, "frames_due"), 3 * FRAMES);
	assert_int_equal(figure(r->out, "frames_sent"), (int64_t)taken);
	assert_int_equal(figure(r->out, "frames_sent") + figure(r->out, "frames_without_slot"), 3 * FRAMES);
	assert_int_equal(figure(r->out, "frames_left_out_by_host"), 0);
	assert_int_equal(figure(r->out, "slots"), 32);
	rig_close(&s);
	dataset_close(&data);
}

/* A host that takes nothing costs frames, which are counted; one that ends is the end. */
static void counts_what_is_lost(void **state)
{
	(void)state;
	source s;
	source_frame f;
	char *const argv[] = {DRIVER_PROGRAM, (char *)(uintptr_t)scratch_path("scan"), "--socket",
		(char *)(uintptr_t)rig_path(), "--fps", "200", "--loop", "1000000", "--slots", "2", "--timeout", "60",
		"--json", NULL};
	process_start(argv);
	open_source(&s);
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(&s, &f), SOURCE_FRAME);
	while (f.number < 10) /* the driver went on while nobody looked */
		assert_int_equal(take(&s, &f), SOURCE_FRAME);
	rig_close(&s);
	const process_result *r = process_finish();
	assert_int_equal(r->code, 0);
	assert_int_equal(figure(r->out, "ended_by_host"), 1);
	assert_true(figure(r->out, "frames_due") >= 10);
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	char *folder = (char *)(uintptr_t)scratch_path("scan"), *path = (char *)(uintptr_t)rig_path();
	const struct {
		char *const argv[8];
		int code;
		const char *text;
	} cases[] = {
		{{DRIVER_PROGRAM, folder, NULL}, 2, "--socket: missing"},
		{{DRIVER_PROGRAM, "--socket", path, NULL}, 2, "too few arguments"},
		{{DRIVER_PROGRAM, path, "--socket", path, NULL}, 2, path},
		{{DRIVER_PROGRAM, folder, "--socket", path, "--frames", "6:", NULL}, 2, "--frames: begins at 6"},
		{{DRIVER_PROGRAM, folder, "--socket", path, "--fps", "0", NULL}, 2, "--fps: 0 is not within"},
		{{DRIVER_PROGRAM, folder, "--socket", path, "--timeout", "0", NULL}, 4, "path: no host at"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		process_run(cases[i].argv);
		assert_one_line(cases[i].code, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plays_a_folder),
		cmocka_unit_test(counts_what_is_lost),
		cmocka_unit_test(says_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, make_scan, scratch_teardown);
}
