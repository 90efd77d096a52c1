/* SPDX-License-Identifier: Apache-2.0
 * Pictures of `enamel render` against those that people have looked at, and the measure that tells them apart. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "jaw.h"
#include "likeness.h"
#include "process.h"
#include "scratch.h"

#define SIZE "240x180"

static char program[] = ENAMEL_PROGRAM;

#define RENDER(...) assert_done(process_run((char *[]){program, "render", __VA_ARGS__, "--size", SIZE, "--out", path("p.png"), NULL}))

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

static void assert_done(const process_result *r)
{
	if (r->code != 0)
		fail_msg("exit code %d: %s", r->code, r->err);
}

static void make_jaw(const char *name, double raised_um, bool gap)
{
	enm_mesh *mesh = jaw_create(raised_um, gap);
	assert_int_equal(enm_mesh_save(mesh, scratch_path(name), 1.0), ENM_OK);
	enm_mesh_destroy(&mesh);
}

static void pictures_look_as_they_did(void **state)
{
	(void)state;
	make_jaw("jaw.ply", 0.0, true);
	RENDER(path("jaw.ply"));
	likeness_check(scratch_path("p.png"), "clay");
	RENDER(path("jaw.ply"), "--view", "buccal-left", "--shade", "color", "--orthographic", "--scale-bar");
	likeness_check(scratch_path("p.png"), "color");
	RENDER(path("jaw.ply"), "--view", "lingual", "--shade", "views", "--range", "1:33");
	likeness_check(scratch_path("p.png"), "views");
	RENDER(path("jaw.ply"), "--shade", "quality", "--cut", "right:6");
	likeness_check(scratch_path("p.png"), "quality");
	RENDER(path("jaw.ply"), "--view", "buccal-right", "--shade", "incidence");
	likeness_check(scratch_path("p.png"), "incidence");
	RENDER(path("jaw.ply"), "--shade", "flags");
	likeness_check(scratch_path("p.png"), "flags");
	make_jaw("raised.ply", 80.0, false);
	RENDER(path("raised.ply"), "--compare", path("jaw.ply"));
	likeness_check(scratch_path("p.png"), "deviation");
}

/* Of the reference "quality" and what else might have been drawn. */
static likeness against_quality(const char *option, const char *value)
{
	uint32_t width, height;
	if (value)
		RENDER(path("jaw.ply"), "--shade", "quality", "--cut", "right:6", (char *)(uintptr_t)option, (char *)(uintptr_t)value);
	else
		RENDER(path("jaw.ply"), "--shade", "quality", "--cut", "right:6", (char *)(uintptr_t)option);
	uint8_t *other = likeness_read(scratch_path("p.png"), &width, &height);
	uint8_t *known = likeness_read(REFERENCE_FOLDER "/quality.png", &width, &height);
	const likeness l = likeness_of(other, known, width, height);
	free(other);
	free(known);
	return l;
}

static void what_people_would_see_is_seen(void **state)
{
	(void)state;
	make_jaw("jaw.ply", 0.0, true);
	assert_false(likeness_is_same(against_quality("--range", "0:24")));
	assert_false(likeness_is_same(against_quality("--shade", "incidence")));
	assert_false(likeness_is_same(against_quality("--cut", "right:5")));
	assert_false(likeness_is_same(against_quality("--orthographic", NULL)));
	make_jaw("jaw.ply", 0.0, false);
	assert_false(likeness_is_same(against_quality("--view", "occlusal")));
}

/* Every pixel times `factor`, and up to `noise` levels more or less. */
static likeness after(const uint8_t *rgb, size_t bytes, uint32_t width, uint32_t height, double factor, int noise)
{
	uint32_t random = 1;
	uint8_t *other = malloc(bytes);
	assert_non_null(other);
	for (size_t i = 0; i < bytes; i++) {
		random = random * 1664525u + 1013904223u;
		const double level = round(factor * rgb[i]) + (int)(random >> 16) % (2 * noise + 1) - noise;
		other[i] = (uint8_t)(level < 0.0 ? 0.0 : level > 255.0 ? 255.0 : level);
	}
	const likeness l = likeness_of(rgb, other, width, height);
	free(other);
	return l;
}

static void lights_count_and_roundings_do_not(void **state)
{
	(void)state;
	uint32_t width, height;
	uint8_t *rgb = likeness_read(REFERENCE_FOLDER "/clay.png", &width, &height);
	const size_t bytes = (size_t)width * height * 3;
	assert_true(likeness_is_same(after(rgb, bytes, width, height, 1.0, 0)));
	assert_true(likeness_is_same(after(rgb, bytes, width, height, 1.0, 1)));
	assert_false(likeness_is_same(after(rgb, bytes, width, height, 0.93, 0)));
	assert_false(likeness_is_same(after(rgb, bytes, width, height, 1.07, 0)));
	/* a patch as large as a letter, in another colour */
	uint8_t *other = malloc(bytes);
	assert_non_null(other);
	memcpy(other, rgb, bytes);
	for (uint32_t y = 40; y < 52; y++)
		memset(other + 3 * ((size_t)y * width + 70), 255, 3 * 12);
	assert_false(likeness_is_same(likeness_of(rgb, other, width, height)));
	free(other);
	free(rgb);
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(pictures_look_as_they_did),
		SCRATCH_TEST(what_people_would_see_is_seen),
		cmocka_unit_test(lights_count_and_roundings_do_not),
	};
	const char *renew = getenv("ENAMEL_RENEW_REFERENCES");
	return renew ? cmocka_run_group_tests_name("pictures", ((const struct CMUnitTest[]){SCRATCH_TEST(pictures_look_as_they_did)}), NULL, NULL)
		     : cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
