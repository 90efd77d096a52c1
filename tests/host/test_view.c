/* SPDX-License-Identifier: Apache-2.0
 * `enamel replay --view` and `enamel view`. Runs under xvfb-run. */
#include "cmocka_all.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image.h"
#include "process.h"
#include "scan.h"
#include "scratch.h"
#include "view.h"

#define FRAMES 12

static char program[] = ENAMEL_PROGRAM;

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

static void make_scan(size_t frames)
{
	const scan_def def = {.folder = "scan", .pictures = FRAMES, .frames = frames};
	scan_make(&def);
}

static void assert_code(const process_result *r, int code)
{
	if (r->code != code)
		fail_msg("exit code %d instead of %d: %s", r->code, code, r->err);
}

/* How many pixels differ clearly from the one in the upper left corner. */
static size_t count_drawn(const char *name)
{
	uint32_t width, height;
	assert_int_equal(image_read_size(scratch_path(name), &width, &height), HOST_OK);
	size_t pixels = (size_t)width * height, drawn = 0;
	uint8_t *rgb = malloc(3 * pixels);
	assert_non_null(rgb);
	assert_int_equal(image_read_rgb(scratch_path(name), width, height, rgb), HOST_OK);
	for (size_t i = 0; i < pixels; i++)
		drawn += abs(rgb[3 * i] - rgb[0]) + abs(rgb[3 * i + 1] - rgb[1]) + abs(rgb[3 * i + 2] - rgb[2]) > 60;
	free(rgb);
	return drawn * 100 / pixels;
}

static void the_model_is_shown(void **state)
{
	(void)state;
	make_scan(FRAMES);
	char *const argv[] = {program, "replay", path("scan"), "--out", path("m.ply"), "--voxel-mm", "0.2", "--view",
		"--view-close-s", "0.2", "--view-screenshot", path("w.png"), NULL};
	assert_code(process_run(argv), 0);
	assert_true(count_drawn("w.png") > 10);
	assert_int_equal(access(scratch_path("m.ply"), R_OK), 0);
}

/* The same bits with a viewer beside it, whose pictures come between the frames. */
static void looking_changes_nothing(void **state)
{
	(void)state;
	make_scan(FRAMES);
	char *const seen[] = {program, "replay", path("scan"), "--out", path("a.stl"), "--voxel-mm", "0.2", "--view",
		"--view-close-s", "0.2", NULL};
	assert_code(process_run(seen), 0);
	char *const alone[] = {program, "replay", path("scan"), "--out", path("b.stl"), "--voxel-mm", "0.2", NULL};
	assert_code(process_run(alone), 0);
	char *const compare[] = {(char[]){"/usr/bin/cmp"}, path("a.stl"), path("b.stl"), NULL};
	assert_code(process_run(compare), 0);
}

static void interrupt_closes_the_window(void **state)
{
	(void)state;
	make_scan(40000);
	char *const argv[] = {
		program, "replay", path("scan"), "--out", path("m.ply"), "--voxel-mm", "0.2", "--view", NULL};
	assert_code(process_run_and_signal(argv, "enamel replay: device: ", 1500, SIGINT), 130);
	assert_int_equal(access(scratch_path("m.ply"), R_OK), 0);
}

static void no_display_is_survived(void **state)
{
	(void)state;
	make_scan(FRAMES);
	const char *display = getenv("DISPLAY");
	char *before = strdup(display ? display : "");
	unsetenv("DISPLAY");
	char *const argv[] = {
		program, "replay", path("scan"), "--out", path("m.ply"), "--voxel-mm", "0.2", "--view", NULL};
	const process_result *r = process_run(argv);
	setenv("DISPLAY", before, 1);
	free(before);
	assert_code(r, 0);
	assert_non_null(strstr(r->err, "warning: --view: "));
	assert_non_null(strstr(r->err, ": going on without a window\n"));
}

static bool no_threads;

int __real_pthread_create(pthread_t *out, const pthread_attr_t *how, void *(*run)(void *user), void *user);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *how, void *(*run)(void *user), void *user);

int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *how, void *(*run)(void *user), void *user)
{
	return no_threads ? EAGAIN : __real_pthread_create(out, how, run, user);
}

static host_status count_work(void *user, view *v)
{
	assert_null(v);
	++*(int *)user;
	return host_fail(HOST_DATA, "the work's own");
}

/* What runs beside the work relies on its being done. */
static void no_thread_is_survived(void **state)
{
	(void)state;
	static const volatile sig_atomic_t never;
	const view_options options = {.stop = &never, .close_after_s = 0.1};
	int done = 0;
	no_threads = true;
	const host_status status = view_run(&options, NULL, count_work, &done);
	no_threads = false;
	assert_int_equal(status, HOST_DATA);
	assert_string_equal(host_error_text(), "the work's own");
	assert_int_equal(done, 1);
}

static void view_options_want_view(void **state)
{
	(void)state;
	char *const argv[] = {program, "replay", "x", "--out", path("m.ply"), "--view-close-s", "1", NULL};
	process_run(argv);
	assert_one_line(2, "--view-screenshot, --view-close-s: wanted only with --view");
}

/* A ball of eight faces, with its normals outward. */
static void make_model(const char *name)
{
	static const float positions[18] = {5, 0, 0, -5, 0, 0, 0, 5, 0, 0, -5, 0, 0, 0, 5, 0, 0, -5};
	static const uint32_t triangles[24] = {0, 2, 4, 2, 1, 4, 1, 3, 4, 3, 0, 4, 2, 0, 5, 1, 2, 5, 3, 1, 5, 0, 3, 5};
	const enm_mesh_data data = {.vertex_count = 6, .triangle_count = 8, .positions_mm = positions, .triangles = triangles};
	enm_mesh *mesh = NULL;
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	assert_int_equal(enm_mesh_save(mesh, scratch_path(name), 1.0), ENM_OK);
	enm_mesh_destroy(&mesh);
}

static void a_model_is_looked_at(void **state)
{
	(void)state;
	make_model("m.stl");
	char *const argv[] = {program, "view", path("m.stl"), path("m.stl"), "--size", "500x400", "--orthographic", "--light",
		"--exit-after", "0.2", "--screenshot", path("m.png"), NULL};
	assert_code(process_run(argv), 0);
	uint32_t width, height;
	assert_int_equal(image_read_size(scratch_path("m.png"), &width, &height), HOST_OK);
	assert_true(width == 500 && height == 400);
	assert_true(count_drawn("m.png") > 10);
	char *const views[] = {program, "view", path("m.stl"), "--shade", "views", "--exit-after", "0.2", NULL};
	process_run(views);
	assert_one_line(2, "m.stl: has no values for this --shade");
	char *const deviation[] = {program, "view", path("m.stl"), "--shade", "deviation", "--exit-after", "0.2", NULL};
	process_run(deviation);
	assert_one_line(2, "--shade deviation: from what? (wanted --compare FILE)");
	char *const three[] = {program, "view", path("m.stl"), path("m.stl"), "--compare", path("m.stl"), NULL};
	process_run(three);
	assert_one_line(2, "--compare: wanted only with one mesh file");
	char *const compared[] = {program, "view", path("m.stl"), "--compare", path("m.stl"), "--exit-after", "0.2", NULL};
	assert_code(process_run(compared), 0);
	scratch_text("m.stl.marks.json", "{}");
	char *const marked[] = {program, "view", path("m.stl"), "--exit-after", "0.2", NULL};
	process_run(marked);
	assert_one_line(2, "m.stl.marks.json: format: missing");
}

static void a_scan_is_replayed_and_looked_at(void **state)
{
	(void)state;
	make_scan(FRAMES);
	char *const argv[] = {program, "view", path("scan"), "--exit-after", "0.2", "--screenshot", path("w.png"), NULL};
	assert_code(process_run(argv), 0);
	assert_true(count_drawn("w.png") > 10);
	assert_int_equal(scratch_count(""), 2); /* scan and picture: nothing else is left */
}

static void no_display_ends_the_look(void **state)
{
	(void)state;
	make_model("m.stl");
	const char *display = getenv("DISPLAY");
	char *before = strdup(display ? display : "");
	unsetenv("DISPLAY");
	char *const argv[] = {program, "view", path("m.stl"), NULL};
	process_run(argv);
	setenv("DISPLAY", before, 1);
	free(before);
	assert_one_line(3, "view: no display for the viewer's window: ");
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(the_model_is_shown),
		SCRATCH_TEST(looking_changes_nothing),
		SCRATCH_TEST(interrupt_closes_the_window),
		SCRATCH_TEST(no_display_is_survived),
		cmocka_unit_test(no_thread_is_survived),
		SCRATCH_TEST(view_options_want_view),
		SCRATCH_TEST(a_model_is_looked_at),
		SCRATCH_TEST(a_scan_is_replayed_and_looked_at),
		SCRATCH_TEST(no_display_ends_the_look),
	};
	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
