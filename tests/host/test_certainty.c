/* SPDX-License-Identifier: Apache-2.0
 * `enamel replay --refine` with what it keeps and is told: calibrations, distances, an object of known size. */
#include "cmocka_all.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "camera.h"
#include "process.h"
#include "scan.h"
#include "scratch.h"

#define FEW 12
#define MANY 40 /* tell the astigmatism */

static char program[] = ENAMEL_PROGRAM;

#define REFINE(...)                                                                                                    \
	process_run((char *[]){program, "replay", path("scan"), "--voxel-mm", "0.2", "--out", path("a.ply"), "--refine", "standard", __VA_ARGS__, NULL})

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

static void make_scan(size_t frames)
{
	const scan_def def = {.folder = "scan", .pictures = frames, .frames = frames};
	scan_make(&def);
}

static void assert_code(const process_result *r, int code)
{
	if (r->code != code)
		print_error("exit code %d, wanted %d: %s\n", r->code, code, r->err);
	assert_int_equal(r->code, code);
}

static json_t *read_refined(const char *name)
{
	json_t *report = json_load_file(path(name), 0, NULL), *refined = json_incref(json_object_get(report, "refine"));
	assert_non_null(refined);
	json_decref(report);
	return refined;
}

static double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	assert_true(json_is_number(value));
	return json_number_value(value);
}

/* What REPORT.md promises of `certainty` and `distances`. */
static void certainty_is_told(void **state)
{
	(void)state;
	make_scan(FEW);
	scratch_text("points.json", "{\"landmarks\": {\"left\": [-2, 0, 0], \"right\": [3, 0, 0], \"nowhere\": [0, 0, 50]}}");
	const process_result *r = REFINE("--report", path("a.json"), "--start-at-truth", "--distances", path("points.json"), "--certificate", path("a.png"));
	assert_code(r, 0);
	json_t *refined = read_refined("a.json");
	const json_t *certainty = json_object_get(refined, "certainty"), *places = json_object_get(certainty, "places");
	assert_true(json_array_size(places) >= 3 && json_array_size(places) <= 12);
	double before_mm = -1.0;
	for (size_t i = 0; i < json_array_size(places); i++) {
		const json_t *p = json_array_get(places, i);
		assert_true(number_of(p, "from_start_mm") >= before_mm && number_of(p, "sigma_um") > 0.0 && number_of(p, "frames") >= 1.0);
		assert_int_equal(json_array_size(json_object_get(p, "at_mm")), 3);
		before_mm = number_of(p, "from_start_mm");
	}
	assert_true(number_of(certainty, "surface_um_median") > 0.0 && number_of(certainty, "surface_um_p95") >= number_of(certainty, "surface_um_median"));
	assert_true(number_of(certainty, "scale_sigma_percent") == 0.05 && json_is_false(json_object_get(certainty, "scale_referenced")));
	assert_true(number_of(certainty, "wall_s") >= 0.0);
	/* twelve frames of 160 x 120 that look straight on tell no bow */
	assert_non_null(strstr(json_string_value(json_object_get(refined, "warning")), "bow to +-"));
	assert_non_null(strstr(json_string_value(json_object_get(refined, "warning")), "tilt the wand over one quadrant to fix"));
	assert_non_null(strstr(r->err, "tilt the wand over one quadrant"));
	assert_null(json_object_get(refined, "calibration"));
	assert_null(json_object_get(refined, "scale_reference"));
	/* none of the points lies on the surface, which is 13 mm away */
	const json_t *distances = json_object_get(refined, "distances");
	assert_true(number_of(distances, "not_seen") == 3.0 && json_array_size(json_object_get(distances, "list")) == 0);
	json_t *points = json_pack("{s:{s:o,s:o}}", "landmarks", "a", json_incref(json_object_get(json_array_get(places, 0), "at_mm")), "b",
		json_incref(json_object_get(json_array_get(places, 1), "at_mm")));
	assert_int_equal(json_dump_file(points, path("points.json"), 0), 0);
	json_decref(points);
	json_decref(refined);
	r = REFINE("--report", path("a.json"), "--start-at-truth", "--distances", path("points.json"));
	assert_code(r, 0);
	refined = read_refined("a.json");
	const json_t *one = json_array_get(json_object_get(json_object_get(refined, "distances"), "list"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "from")), "a");
	assert_string_equal(json_string_value(json_object_get(one, "to")), "b");
	assert_true(number_of(one, "mm") > 0.5 && number_of(one, "sigma_um") > 2.0);
	const double scale_um = 0.5 * number_of(one, "mm");
	assert_true(fabs(number_of(one, "sigma_with_scale_um") - hypot(number_of(one, "sigma_um"), scale_um)) < 1e-6);
	assert_non_null(strstr(r->out, "distance: a to b "));
	json_decref(refined);
}

static void a_calibration_is_kept_and_held_against(void **state)
{
	(void)state;
	camera_file kept;
	make_scan(MANY);
	const process_result *r = REFINE("--keep-calibration", path("kept.json"));
	assert_code(r, 0);
	assert_int_equal(camera_read(path("kept.json"), &kept), HOST_OK);
	assert_true(kept.kept.known && kept.kept.frames == MANY && kept.camera.width == SCAN_WIDTH && kept.depth_scale == 1000.0);
	/* the next session starts from it, and ends surer */
	const double variance = kept.kept.covariance_um2[0];
	r = REFINE("--camera", path("kept.json"), "--keep-calibration", path("next.json"), "--report", path("a.json"));
	assert_code(r, 0);
	assert_int_equal(camera_read(path("next.json"), &kept), HOST_OK);
	assert_true(kept.kept.covariance_um2[0] < variance);
	json_t *refined = read_refined("a.json");
	const json_t *check = json_object_get(refined, "calibration");
	assert_true(check == NULL || strcmp(json_string_value(json_object_get(check, "verdict")), "holds") == 0);
	assert_null(strstr(r->err, "calibration"));
	json_decref(refined);
	/* one that is far from anything: terms known to a um, an astigmatism of 120 */
	memset(kept.kept.covariance_um2, 0, sizeof kept.kept.covariance_um2);
	for (int i = 0; i < 6; i++)
		kept.kept.covariance_um2[7 * i] = 1.0;
	kept.camera.residual.astigmatism_um = 120.0f;
	assert_int_equal(camera_write(path("wrong.json"), &kept), HOST_OK);
	r = REFINE("--camera", path("wrong.json"), "--report", path("a.json"));
	assert_code(r, 0);
	refined = read_refined("a.json");
	check = json_object_get(refined, "calibration");
	assert_string_equal(json_string_value(json_object_get(check, "verdict")), "not this scanner's");
	assert_true(number_of(check, "chi_squared") > number_of(check, "limit"));
	assert_true(fabs(number_of(json_object_get(json_object_get(check, "drift"), "astigmatism_um"), "value")) > 10.0);
	assert_non_null(strstr(r->err, "not this scanner's"));
	json_decref(refined);
	/* and one of another size */
	kept.camera.width = 320;
	assert_int_equal(camera_write(path("wrong.json"), &kept), HOST_OK);
	r = REFINE("--camera", path("wrong.json"));
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "camera: width, height: 320x120, but the depth pictures are 160x120"));
}

static void what_is_wanted_is_said(void **state)
{
	(void)state;
	make_scan(FEW);
	scratch_text("spheres.json", "{\"spheres\": [[0,0,0,2.5],[10,0,0,2.5],[0,20,0,2.5]]}");
	scratch_text("bad.json", "{\"spheres\": 3}");
	char *const alone[][2] = {{"--keep-calibration", path("kept.json")}, {"--scale-reference", path("spheres.json")}, {"--distances", path("spheres.json")}};
	for (int i = 0; i < 3; i++) {
		const process_result *r = process_run((char *[]){program, "replay", path("scan"), "--out", path("b.ply"), alone[i][0], alone[i][1], NULL});
		assert_code(r, 2);
		assert_non_null(strstr(r->err, "wanted only with --refine"));
	}
	const process_result *r = REFINE("--scale-reference", path("bad.json"));
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "bad.json: spheres: missing, or no list"));
	r = REFINE("--distances", path("bad.json"));
	assert_code(r, 2);
	assert_non_null(strstr(r->err, "bad.json: landmarks: missing, or no object"));
	r = REFINE("--keep-calibration", path("no/such/kept.json"));
	assert_code(r, 4);
	assert_true(access(path("a.ply"), F_OK) != 0); /* said before the work */
	/* an object that is not there is said, and all else is written */
	r = REFINE("--scale-reference", path("spheres.json"), "--keep-calibration", path("kept.json"), "--report", path("a.json"));
	assert_code(r, 1);
	assert_non_null(strstr(r->err, "--scale-reference: of "));
	assert_true(access(path("a.ply"), F_OK) == 0);
	json_t *refined = read_refined("a.json");
	assert_true(json_is_null(json_object_get(json_object_get(refined, "scale_reference"), "gain_percent")));
	json_decref(refined);
	camera_file kept;
	assert_int_equal(camera_read(path("kept.json"), &kept), HOST_OK);
	assert_true(kept.kept.gain_sigma_percent == 0.0 && kept.depth_scale == 1000.0);
	/* a frame alone is not refined, and so there is nothing to keep */
	r = REFINE("--keep-calibration", path("one.json"), "--frames", "0:1");
	assert_true(r->code != 0 && access(path("one.json"), F_OK) != 0);
}

/* Simulated, refined and measured: a minute and more of CPU, for the slow runs. */
static void a_phantom_tells_the_gain(void **state)
{
	(void)state;
	if (getenv("ENAMEL_TEST_SLOW") == NULL)
		skip();
	const process_result *r = process_run((char *[]){program, "simulate", "phantom", path("phantom"), "--path", "passes", "--to-percent", "35", "--fps", "15",
		"--size", "160x120", "--gain-percent", "0.4", "--seed", "3", NULL});
	assert_code(r, 0);
	r = process_run((char *[]){program, "replay", path("phantom"), "--out", path("a.ply"), "--report", path("a.json"), "--refine", "standard",
		"--scale-reference", path("phantom/truth.json"), "--keep-calibration", path("kept.json"), NULL});
	assert_code(r, 0);
	json_t *refined = read_refined("a.json");
	const json_t *scale = json_object_get(refined, "scale_reference");
	const double gain = number_of(scale, "gain_percent"), sigma = number_of(scale, "sigma_percent");
	print_message("%.0f spheres: %.4f +- %.4f %%\n", number_of(scale, "spheres_matched"), gain, sigma);
	assert_true(number_of(scale, "spheres_matched") >= 20.0 && sigma > 0.0 && sigma < 0.1);
	assert_true(fabs(gain - 0.4) < 3.0 * sigma);
	assert_true(json_is_true(json_object_get(json_object_get(refined, "certainty"), "scale_referenced")));
	camera_file kept;
	assert_int_equal(camera_read(path("kept.json"), &kept), HOST_OK);
	assert_true(fabs(kept.depth_scale - 1000.0 * (1.0 + 0.01 * gain)) < 1e-6 && kept.kept.gain_sigma_percent == sigma);
	json_decref(refined);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(certainty_is_told, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_calibration_is_kept_and_held_against, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_wanted_is_said, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_phantom_tells_the_gain, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("certainty", tests, NULL, NULL);
}
