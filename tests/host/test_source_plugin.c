/* SPDX-License-Identifier: Apache-2.0
 * The plugin source: an example plugin, and one that does all wrong that can be noticed. */
#include "cmocka_all.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"
#include "source.h"

#define PIXELS_MAX (64 * 48)
#define WAIT_S 0.2

static uint16_t depth[PIXELS_MAX];
static uint8_t rgb[3 * PIXELS_MAX];
static source_frame frame;
static source opened;

static int setup(void **state)
{
	frame = (source_frame){.depth = depth, .rgb = rgb};
	memset(&opened, 0, sizeof opened);
	return scratch_setup(state);
}

static host_status open_file(const char *file, const char *text, double fps)
{
	char what[SCRATCH_PATH_MAX + 64];
	snprintf(what, sizeof what, "%s%s%s", file, *text ? "," : "", text);
	const source_open_def def = {what, fps, 30.0, 0.0, NULL};
	return source_open_plugin(&def, &opened);
}

static void must_open(const char *file, const char *text)
{
	if (open_file(file, text, 0.0))
		fail_msg("%s", host_error_text());
}

static void close_source(void)
{
	opened.ops->destroy(opened.state);
	memset(&opened, 0, sizeof opened);
}

/* The library must not stay loaded, or a mended plugin could not be opened without a restart. */
static void assert_unloaded(const char *file)
{
	assert_null(dlopen(file, RTLD_NOW | RTLD_NOLOAD));
}

static source_state next(void)
{
	source_state got = SOURCE_WAIT;
	for (int i = 0; i < 100 && got == SOURCE_WAIT; i++)
		got = opened.ops->next(opened.state, WAIT_S, &frame);
	return got;
}

static void assert_notice_holds(const char *wanted)
{
	char text[SOURCE_REASON_BYTES];
	if (!opened.ops->notice(opened.state, text))
		fail_msg("no notice, expected \"%s\"", wanted);
	if (!strstr(text, wanted))
		fail_msg("notice \"%s\", expected \"%s\"", text, wanted);
}

static int64_t reported(const char *key)
{
	json_t *report = opened.ops->report(opened.state);
	assert_non_null(report);
	const json_t *value = json_object_get(report, key);
	assert_true(json_is_integer(value));
	int64_t number = json_integer_value(value);
	json_decref(report);
	return number;
}

static void the_example_delivers(void **state)
{
	(void)state;
	must_open(PLUGIN_WAVES, "frames=5,color");
	assert_string_equal(opened.ops->kind, "plugin");
	assert_int_equal(opened.facts.camera.camera.width, 64);
	assert_int_equal(opened.facts.camera.camera.height, 48);
	assert_true(opened.facts.camera.fps == 30.0);
	assert_true(opened.facts.depth_mm_per_unit == 0.01);
	assert_true(opened.facts.has_color);
	assert_true(opened.facts.paced);
	assert_non_null(strstr(opened.facts.camera_json, "\"intrinsic_matrix\""));
	double last_s = 0.0;
	for (uint64_t i = 0; i < 5; i++) {
		double height_mm = sin(0.1 * (double)i);
		assert_int_equal(next(), SOURCE_FRAME);
		assert_int_equal(frame.number, i);
		assert_true(frame.time_s > last_s && frame.arrived_s >= frame.time_s);
		assert_true(frame.has_color);
		assert_int_equal(depth[0], lround(100.0 * (14.0 + height_mm)));
		assert_int_equal(rgb[2], lround(128.0 + 100.0 * height_mm));
		last_s = frame.time_s;
	}
	assert_int_equal(next(), SOURCE_END);
	assert_int_equal(next(), SOURCE_END);
	assert_int_equal(reported("frames"), 5);
	assert_int_equal(reported("lost_before"), 0);
	json_t *report = opened.ops->report(opened.state);
	assert_string_equal(json_string_value(json_object_get(report, "name")), "Waves 1.0");
	json_decref(report);
	close_source();
	assert_unloaded(PLUGIN_WAVES);
}

static void a_wished_rate_is_kept(void **state)
{
	(void)state;
	assert_int_equal(open_file(PLUGIN_WAVES, "frames=1", 200.0), HOST_OK);
	assert_true(opened.facts.camera.fps == 200.0);
	assert_false(opened.facts.has_color);
	frame.rgb = NULL;
	assert_int_equal(next(), SOURCE_FRAME);
	assert_false(frame.has_color);
	close_source();
	assert_int_equal(open_file(PLUGIN_HOSTILE, "", 30.0), HOST_USAGE);
	assert_failure_ends("hostile.so: fps: delivers 20 frames/s, --fps says 30");
	assert_unloaded(PLUGIN_HOSTILE);
}

static void other_files_are_no_plugins(void **state)
{
	(void)state;
	assert_int_equal(open_file("", "", 0.0), HOST_USAGE);
	assert_failure_ends("plugin: file: its name is empty");
	assert_int_equal(open_file(scratch_path("no.so"), "text", 0.0), HOST_USAGE);
	assert_failure_ends("no.so: missing");
	assert_int_equal(open_file(scratch_folder(), "", 0.0), HOST_USAGE);
	assert_failure_ends(": is no file");
	scratch_text("text.so", "no library\n");
	assert_int_equal(open_file(scratch_path("text.so"), "", 0.0), HOST_USAGE);
	assert_non_null(strstr(host_error_text(), "text.so: cannot be loaded: "));
	assert_int_equal(open_file(PLUGIN_NONE, "", 0.0), HOST_USAGE);
	assert_failure_ends("none.so: is no plugin: it exports no function enamel_plugin");
	assert_unloaded(PLUGIN_NONE);
	char *name = malloc(5001);
	memset(name, 'x', 5000);
	name[5000] = 0;
	const source_open_def def = {name, 0.0, 1.0, 0.0, NULL};
	assert_int_equal(source_open_plugin(&def, &opened), HOST_USAGE);
	assert_failure_ends("plugin: file: its name is too long");
	free(name);
	assert_null(opened.ops);
}

/* The loader would look for such a name in the system's folders. */
static void a_name_without_a_folder_is_here(void **state)
{
	(void)state;
	char before[SCRATCH_PATH_MAX];
	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(symlink(PLUGIN_WAVES, scratch_path("waves-here.so")), 0);
	assert_int_equal(chdir(scratch_folder()), 0);
	host_status status = open_file("waves-here.so", "frames=1", 0.0);
	assert_int_equal(chdir(before), 0);
	assert_int_equal(status, HOST_OK);
	close_source();
}

static void bad_tables_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *wrong, *end;
	} cases[] = {
		{"none", "hostile.so: does not serve version 1 of the plugin interface"},
		{"version", "hostile.so: is for version 2 of the plugin interface, not 1"},
		{"size", "hostile.so: its table has 32 bytes, version 1 has 40"},
		{"name", "hostile.so: its table has no name"},
		{"open", "hostile.so: its table has no open"},
		{"next", "hostile.so: its table has no next"},
		{"close", "hostile.so: its table has no close"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		setenv("ENAMEL_TEST_PLUGIN", cases[i].wrong, 1);
		host_status status = open_file(PLUGIN_HOSTILE, "", 0.0);
		unsetenv("ENAMEL_TEST_PLUGIN");
		assert_int_equal(status, HOST_USAGE);
		assert_failure_ends(cases[i].end);
		assert_null(opened.ops);
		assert_unloaded(PLUGIN_HOSTILE);
	}
}

static void bad_openings_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *end;
	} cases[] = {
		{"off", "hostile.so: open: the scanner is  [1moff?"},
		{"mute", "hostile.so: open: failed and does not say why"},
		{"endless-error", "xxxxxxxxxxxxxxxxxxxxxxxxxxx"},
		{"nonsense-open", "hostile.so: open: returned -5, which means nothing"},
		{"no-camera", "hostile.so: camera_json: missing"},
		{"endless-camera", "hostile.so: camera_json: has no end within 1 MiB"},
		{"bad-camera", "hostile.so: camera_json: line 1: '}' expected near end of file"},
		{"part-camera", "hostile.so: camera_json: intrinsic_matrix: missing"},
		{"other-size", "hostile.so: width, height: 32x25, but camera_json says 32x24"},
		{"has-color", "hostile.so: has_color: 7 is neither 0 nor 1"},
		{"is-paced", "hostile.so: paced: 7 is neither 0 nor 1"},
		{"not-reserved", "hostile.so: reserved: 1 is not 0"},
		{"no-fps", "hostile.so: fps: 0 is not within 0.001 to 100000"},
		{"nan-fps", "hostile.so: fps: nan is not within 0.001 to 100000"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(open_file(PLUGIN_HOSTILE, cases[i].text, 0.0), HOST_USAGE);
		assert_failure_ends(cases[i].end);
		assert_null(opened.ops);
		assert_unloaded(PLUGIN_HOSTILE); /* and its close did not abort */
	}
	assert_int_equal(open_file(PLUGIN_WAVES, "frames=3,tides", 0.0), HOST_USAGE);
	assert_failure_ends("waves.so: open: 'frames=3,tides': expected frames=N or color");
}

static void opening_waits_and_can_be_ended(void **state)
{
	(void)state;
	volatile sig_atomic_t stop = 1;
	const source_open_def def = {PLUGIN_HOSTILE ",never-ready", 0.0, 0.0, 0.0, &stop};
	assert_int_equal(source_open_plugin(&def, &opened), HOST_INTERRUPTED);
	assert_failure_ends("hostile.so: interrupted before the scanner was ready");
	const source_open_def soon = {PLUGIN_HOSTILE ",never-ready", 0.0, 0.1, 0.0, NULL};
	assert_int_equal(source_open_plugin(&soon, &opened), HOST_USAGE);
	assert_failure_ends("hostile.so: open: the scanner is not ready within 0.1 s");
	must_open(PLUGIN_HOSTILE, "ready-third");
	close_source();
	must_open(PLUGIN_HOSTILE, "slow-open");
	assert_notice_holds("hostile.so: open took ");
	assert_int_equal(reported("overstayed"), 1);
	close_source();
}

/* The next notice, but those of a machine that is too busy to come back in time. */
static bool next_notice(char text[SOURCE_REASON_BYTES])
{
	bool any;
	do {
		any = opened.ops->notice(opened.state, text);
	} while (any && strstr(text, "all else waited"));
	return any;
}

/* Nine frames of which the fifth is bad: it alone is missing, told once, counted under `key`. */
static void check_left_out(const char *text, const char *key, const char *reason)
{
	char notice[SOURCE_REASON_BYTES];
	must_open(PLUGIN_HOSTILE, text);
	for (uint64_t i = 1; i < 10; i++) {
		if (i == 5)
			continue;
		assert_int_equal(next(), SOURCE_FRAME);
		assert_int_equal(frame.number, i);
		assert_true(frame.time_s == 0.05 * (double)i);
		assert_int_equal(depth[7], i * 100 + 7);
	}
	assert_true(next_notice(notice));
	assert_non_null(strstr(notice, reason));
	assert_false(next_notice(notice));
	assert_int_equal(reported(key), 1);
	assert_int_equal(reported("frames"), 8);
	assert_int_equal(reported("lost_before"), 1);
	close_source();
	assert_unloaded(PLUGIN_HOSTILE);
}

static void bad_frames_are_left_out(void **state)
{
	(void)state;
	check_left_out("number-back", "bad_number", "frame 2 is left out: its number is not above the one before");
	check_left_out("number-leap", "bad_number",
		"frame 18446744073709551615 is left out: its number is more than a million above the one before");
	check_left_out("time-back", "bad_time", "frame 5 is left out: its time is not later than the one before");
	check_left_out("time-nan", "bad_time", "frame 5 is left out: its time is no number of seconds");
	check_left_out("time-far", "bad_time", "frame 5 is left out: its time is no number of seconds");
	check_left_out("time-long-ago", "bad_time", "frame 5 is left out: its time is no number of seconds");
	check_left_out("color-flag", "bad_color", "frame 5 is left out: its has_color is neither 0 nor 1");
	check_left_out("denied-color", "bad_color", "frame 5 is left out: it has colour, which the facts denied");
}

static void pointers_of_a_frame_are_the_hosts(void **state)
{
	(void)state;
	must_open(PLUGIN_HOSTILE, "other-memory");
	for (uint64_t i = 1; i < 10; i++) {
		assert_int_equal(next(), SOURCE_FRAME);
		assert_int_equal(depth[7], i * 100 + 7);
	}
	assert_ptr_equal(frame.depth, depth);
	assert_ptr_equal(frame.rgb, rgb);
	close_source();
	must_open(PLUGIN_HOSTILE, "rgb");
	assert_int_equal(next(), SOURCE_FRAME);
	assert_true(frame.has_color);
	assert_int_equal(rgb[3 * 32 * 24 - 1], 1);
	close_source();
}

static void endings_are_for_good(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		source_state state;
		const char *end;
	} cases[] = {
		{"ends", SOURCE_END, NULL},
		{"fails", SOURCE_FAILED, "hostile.so: next: the cable is out"},
		{"nonsense", SOURCE_FAILED, "hostile.so: next: returned 77, which means nothing"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		must_open(PLUGIN_HOSTILE, cases[i].text);
		for (int f = 0; f < 3; f++)
			assert_int_equal(next(), SOURCE_FRAME);
		for (int again = 0; again < 3; again++) {
			(void)host_fail(HOST_IO, "something else");
			assert_int_equal(next(), cases[i].state);
			if (cases[i].end)
				assert_failure_ends(cases[i].end);
		}
		close_source();
	}
}

static void waiting_is_waited(void **state)
{
	(void)state;
	must_open(PLUGIN_HOSTILE, "early"); /* asked again within the same call */
	assert_int_equal(opened.ops->next(opened.state, 10.0, &frame), SOURCE_FRAME);
	assert_int_equal(frame.number, 3);
	close_source();
	must_open(PLUGIN_HOSTILE, "silent");
	double began_s = clock_s();
	assert_int_equal(opened.ops->next(opened.state, 0.05, &frame), SOURCE_WAIT);
	assert_true(clock_s() - began_s >= 0.05);
	assert_int_equal(opened.ops->next(opened.state, 0.0, &frame), SOURCE_WAIT);
	close_source();
}

static void a_call_that_overstays_is_told(void **state)
{
	(void)state;
	must_open(PLUGIN_HOSTILE, "sleeps");
	for (uint64_t i = 1; i < 10; i++) {
		assert_int_equal(opened.ops->next(opened.state, 0.01, &frame), SOURCE_FRAME);
		assert_int_equal(frame.number, i);
	}
	assert_notice_holds(" s instead of at most 0.01 s; all else waited for it");
	assert_true(reported("overstayed") >= 1);
	close_source();
}

#define SOURCE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(the_example_delivers),
		SOURCE_TEST(a_wished_rate_is_kept),
		SOURCE_TEST(other_files_are_no_plugins),
		SOURCE_TEST(a_name_without_a_folder_is_here),
		SOURCE_TEST(bad_tables_are_named),
		SOURCE_TEST(bad_openings_are_named),
		SOURCE_TEST(opening_waits_and_can_be_ended),
		SOURCE_TEST(bad_frames_are_left_out),
		SOURCE_TEST(pointers_of_a_frame_are_the_hosts),
		SOURCE_TEST(endings_are_for_good),
		SOURCE_TEST(waiting_is_waited),
		SOURCE_TEST(a_call_that_overstays_is_told),
	};
	return cmocka_run_group_tests_name("plugin", tests, NULL, NULL);
}
