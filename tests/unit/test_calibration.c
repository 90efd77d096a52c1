/* SPDX-License-Identifier: Apache-2.0
 * Calibrations that are kept: what the file says and refuses, and how a scan is held against one. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calibration.h"
#include "file.h"
#include "scratch.h"

#define HEAD                                                                                                           \
	"{\"width\":32,\"height\":24,\"intrinsic_matrix\":[40,0,0,0,40,0,15.5,11.5,1],\"depth_scale\":1000,"                \
	"\"depth_unit\":\"mm\",\"row_time_s\":0.0001,\"distortion\":[0.1,0,0,0,0]"
#define RESIDUAL ",\"depth_residual\":{\"bow_um\":5}"

static camera_file good(void)
{
	camera_file file;
	assert_int_equal(camera_parse("camera.json", HEAD RESIDUAL "}", &file), HOST_OK);
	assert_false(file.kept.known);
	return file;
}

/* Terms known to so many um, bow and constant with something in common. */
static void set_covariance(double *out, double sigma)
{
	memset(out, 0, 36 * sizeof *out);
	for (int i = 0; i < 6; i++)
		out[7 * i] = sigma * sigma;
	out[5] = out[30] = 0.5 * sigma * sigma;
}

static void what_is_kept_is_read_again(void **state)
{
	(void)state;
	const camera_file file = good();
	camera_file again;
	enm_refine_result found = {.residual = {4.5f, 1.0f, -2.0f, 0.25f, 0.0f, 3.0f}, .frames_compared = 321};
	set_covariance(found.covariance_um2, 0.3);
	assert_int_equal(calibration_keep(scratch_path("kept.json"), &file, &found, 0.0, 0.0), HOST_OK);
	assert_int_equal(camera_read(scratch_path("kept.json"), &again), HOST_OK);
	assert_memory_equal(&again.camera.residual, &found.residual, sizeof found.residual);
	assert_true(again.kept.known && again.kept.frames == 321 && strlen(again.kept.date) == 20);
	for (int i = 0; i < 36; i++)
		assert_true(fabs(again.kept.covariance_um2[i] - found.covariance_um2[i]) < 1e-9);
	/* all else stays */
	assert_true(again.depth_scale == 1000.0 && again.row_time_s == file.row_time_s && again.camera.distortion[0] == 0.1);
	assert_true(again.kept.gain_sigma_percent == 0.0);
	/* a gain goes into the scale, and what a later scan without a reference knows of it stays */
	assert_int_equal(calibration_keep(scratch_path("kept.json"), &again, &found, 0.05, 0.01), HOST_OK);
	assert_int_equal(camera_read(scratch_path("kept.json"), &again), HOST_OK);
	assert_true(fabs(again.depth_scale - 1000.5) < 1e-9 && again.camera.fx == 40.0);
	assert_int_equal(calibration_keep(scratch_path("kept.json"), &again, &found, 0.0, 0.0), HOST_OK);
	assert_int_equal(camera_read(scratch_path("kept.json"), &again), HOST_OK);
	assert_true(fabs(again.depth_scale - 1000.5) < 1e-9);
	assert_true(again.kept.gain_percent == 0.05 && again.kept.gain_sigma_percent == 0.01);
	/* a residual of nothing is something that is known */
	found.residual = (enm_depth_residual){0};
	assert_int_equal(calibration_keep(scratch_path("none.json"), &file, &found, 0.0, 0.0), HOST_OK);
	assert_int_equal(camera_read(scratch_path("none.json"), &again), HOST_OK);
	assert_true(again.kept.known && again.camera.residual.bow_um == 0.0f);
}

static void what_cannot_be_kept_is_not(void **state)
{
	(void)state;
	const camera_file file = good();
	enm_refine_result found = {.residual = {.twist_um = NAN}};
	set_covariance(found.covariance_um2, 0.3);
	assert_int_equal(calibration_keep(scratch_path("bad.json"), &file, &found, 0.0, 0.0), HOST_DATA);
	assert_failure_ends("bad.json: depth_residual: twist_um is not finite: not written");
	found.residual.twist_um = 0.0f;
	assert_int_equal(calibration_keep(scratch_path("no/such/bad.json"), &file, &found, 0.0, 0.0), HOST_IO);
	assert_true(access(scratch_path("bad.json"), F_OK) != 0);
}

static void rejects(const char *fields, const char *end)
{
	char text[4096];
	camera_file file;
	snprintf(text, sizeof text, HEAD "%s}", fields);
	assert_int_equal(camera_parse("camera.json", text, &file), HOST_USAGE);
	assert_failure_ends(end);
}

/* A file's covariance with a number in row 1, column 0, and one on the diagonal. */
static const char *covariance_text(double off, double last)
{
	static char text[1024];
	size_t length = (size_t)snprintf(text, sizeof text, RESIDUAL ",\"depth_residual_covariance_um2\":[");
	for (int i = 0; i < 36; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "%s%g", i ? "," : "", i == 6 ? off : i == 35 ? last : i % 7 == 0 ? 1.0 : 0.0);
	snprintf(text + length, sizeof text - length, "]");
	return text;
}

static void bad_files_are_refused(void **state)
{
	(void)state;
	rejects(",\"depth_residual_covariance_um2\":[1]", "depth_residual_covariance_um2: there is no depth_residual that it could be of");
	rejects(RESIDUAL ",\"depth_residual_covariance_um2\":[1]", "depth_residual_covariance_um2: expected 36 numbers");
	rejects(covariance_text(0.5, 1.0), "depth_residual_covariance_um2: not symmetric in row 0, column 1");
	rejects(covariance_text(0.0, -1.0), "depth_residual_covariance_um2: not positive, which a covariance is");
	rejects(covariance_text(0.0, 0.0), "depth_residual_covariance_um2: not positive, which a covariance is");
	rejects(covariance_text(0.0, 1e13), "row 5, column 5: 1e+13 is no variance of a scanner");
	rejects(",\"depth_residual\":{\"bow_um\":1e7}", "bow_um: 10000000 is not within -1000000 to 1000000");
	rejects(RESIDUAL ",\"calibration\":{\"gain_percent\":11}", "gain_percent: 11 is not within -10 to 10");
	rejects(RESIDUAL ",\"calibration\":3", "calibration: expected an object {...}");
	camera_file file;
	assert_int_equal(camera_parse("camera.json", HEAD ",\"depth_residual\":{\"bow_um\":NaN}}", &file), HOST_USAGE);
	assert_int_equal(camera_parse("camera.json", HEAD ",\"depth_residual\":{\"bow_um\":1e999}}", &file), HOST_USAGE);
}

/* ---- a scan against a file ---- */

/* What a scan that finds `own` by itself, each term to `sigma`, ends with when the file's residual goes in as it does. */
static calibration_check held_against(const camera_file *file, const double *own, double sigma)
{
	enm_refine_def def = enm_refine_def_default();
	enm_refine_result found = {.parts = 1};
	calibration_check check;
	float um[6];
	calibration_prior(file, &def);
	for (int i = 0; i < 6; i++) { /* the file's terms have nothing in common */
		const double before = 1.0 / def.prior_covariance_um2[7 * i], data = 1.0 / (sigma * sigma);
		found.covariance_um2[7 * i] = 1.0 / (before + data);
		um[i] = (float)((before * calibration_term_um(&file->camera.residual, i) + data * own[i]) / (before + data));
	}
	found.residual = (enm_depth_residual){um[0], um[1], um[2], um[3], um[4], um[5]};
	calibration_compare(file, &def, &found, &check);
	return check;
}

static void drift_is_told_in_the_scans_own_terms(void **state)
{
	(void)state;
	camera_file file = good();
	char text[512];
	double own[6] = {8.2, 0, 0, 0, 0, 0};
	calibration_check c = held_against(&file, own, 0.3);
	assert_int_equal(c.verdict, CALIBRATION_NONE); /* the file says nothing of its sureness */
	calibration_text(&c, text, sizeof text);
	assert_string_equal(text, "");
	file.kept.known = true;
	for (int i = 0; i < 6; i++)
		file.kept.covariance_um2[7 * i] = 0.09;
	c = held_against(&file, own, 0.3);
	assert_int_equal(c.verdict, CALIBRATION_DRIFTED);
	assert_true(fabs(c.drift_um[0] - 3.2) < 1e-3); /* not what the file's own weight has left of it */
	/* 3.2 of the root of 0.3, 0.3 and what may change between sessions, 0.5 */
	assert_true(fabs(c.drift_sigma[0] - 3.2 / sqrt(0.09 + 0.09 + 0.25)) < 1e-3);
	assert_true(fabs(c.chi_squared - c.drift_sigma[0] * c.drift_sigma[0]) < 1e-2 && c.limit == 22.46);
	calibration_text(&c, text, sizeof text);
	assert_non_null(strstr(text, "calibration drifted by bow +3.2 um (4.9 sigma)"));
	own[0] = 5.9;
	c = held_against(&file, own, 0.3);
	assert_int_equal(c.verdict, CALIBRATION_HOLDS);
	own[0] = -20.0;
	c = held_against(&file, own, 0.3);
	assert_int_equal(c.verdict, CALIBRATION_FOREIGN);
	calibration_text(&c, text, sizeof text);
	assert_non_null(strstr(text, "is not this scanner's"));
	/* a scan that tells a term to 6 um, or a tilt to 1.5, has nothing to hold against the file */
	own[0] = 8.2;
	c = held_against(&file, own, 1.5);
	assert_true(c.told[0] && !c.told[3] && !c.told[4] && c.told[5] && c.limit == 18.47);
	c = held_against(&file, own, 6.0);
	assert_int_equal(c.verdict, CALIBRATION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_kept_is_read_again, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_kept_is_not, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(bad_files_are_refused, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(drift_is_told_in_the_scans_own_terms, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
