/* SPDX-License-Identifier: Apache-2.0
 * `enamel live --view`. Runs under xvfb-run. */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "live_run.h"
#include "scan.h"
#include "scratch.h"

static char program[] = ENAMEL_PROGRAM;

static const process_result *live(void)
{
	return process_run((char *[]){program, "live", "--source", folder_source("scan"), "--session", path("s"),
		"--fps", "10", "--voxel-mm", "0.2", "--view", "--view-size", "640x480", "--view-close-s", "0.2", "--view-screenshot",
		path("w.png"), NULL});
}

static void the_model_is_shown_and_how_late(void **state)
{
	(void)state;
	const scan_def def = {.folder = "scan", .pictures = 12, .frames = 30};
	scan_make(&def);
	assert_done(live());
	json_t *report = read_json("s/report.json");
	const json_t *screen =
		json_object_get(json_object_get(json_object_get(report, "live"), "latency_ms"), "screen");
	assert_true(integer_at(report, "live.shows") > 0);
	const json_t *pixels = json_object_get(json_object_get(report, "live"), "shown_pixels");
	assert_true(json_number_value(pixels) > 0.0 && json_number_value(pixels) <= 640.0 * 480.0);
	assert_true(json_number_value(json_object_get(screen, "median")) > 0.0);
	assert_true(scratch_size("w.png") > 1000);
	json_decref(report);
}

static void without_a_display_the_scan_goes_on(void **state)
{
	(void)state;
	const scan_def def = {.folder = "scan", .pictures = 12, .frames = 12};
	scan_make(&def);
	unsetenv("DISPLAY");
	unsetenv("WAYLAND_DISPLAY");
	const process_result *r = live();
	assert_done(r);
	assert_non_null(strstr(r->err, "going on without a window"));
	assert_true(scratch_size("s/mesh.ply") > 1000);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(the_model_is_shown_and_how_late),
		WITH_FOLDER(without_a_display_the_scan_goes_on),
	};
	return cmocka_run_group_tests_name("live_view", tests, NULL, NULL);
}
