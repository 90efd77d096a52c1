/* SPDX-License-Identifier: Apache-2.0
 * Trueness and precision over repeats: on shapes whose answers are known by hand, and by the program. */
#include "repeats.h"
#include "shapes.h"

#include "cmocka_all.h"
#include "scratch.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define UM 1e-3

static void near(double is, double should, double tolerance)
{
	if (!(fabs(is - should) <= tolerance))
		fail_msg("%.9g is not within %.3g of %.9g", is, tolerance, should);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static void test_spread(void **state)
{
	(void)state;
	const double values[5] = {4, 7, (double)NAN, 13, 16};
	const spread s = spread_of(values, 5);
	assert_int_equal(s.count, 4);
	near(s.mean, 10, 1e-12);
	near(s.sd, sqrt(30), 1e-12); /* (36 + 9 + 9 + 36) / 3 */
	near(s.worst, 16, 0);
	near(spread_of(values, 1).sd, 0, 0);
	assert_int_equal(spread_of(values + 2, 1).count, 0);
	const repeated with = repeated_of("x", false, values, 5, 9), without = repeated_of("x", false, values, 5, NAN);
	near(with.mean - with.truth, 1, 1e-12);
	near(with.worst, 7, 1e-12);
	near(without.worst, 6, 1e-12);
	near(without.sd, sqrt(30), 1e-12);
}

/* ---- two surfaces ----------------------------------------------------------------------------------------------- */

static one_repeat repeat_of(enm_mesh *mesh)
{
	one_repeat r = {.recon = shape_open(mesh)};
	assert_int_equal(repeat_find_rim(&r), HOST_OK);
	return r;
}

static void close_repeat(one_repeat *r)
{
	surface_close(&r->recon);
	free(r->rim);
}

static bool keep_left(void *user, double u, double v)
{
	(void)v;
	return u < *(const double *)user;
}

/* Half of a plate over a whole one, 30 um higher: what the half has not is not held against the whole. */
static void test_rim_is_left_out(void **state)
{
	(void)state;
	double half = 0.5;
	one_repeat whole = repeat_of(shape_grid(101, 101, shape_plate, NULL, NULL));
	one_repeat part = repeat_of(shape_grid(101, 101, shape_plate, keep_left, &half));
	assert_true(whole.rim[0] && whole.rim[50] && whole.rim[101 * 100 + 3] && !whole.rim[101 * 50 + 50]);
	assert_true(part.rim[101 * 50 + 50] && !part.rim[101 * 50 + 49]);
	rigid up = rigid_identity();
	up.t[2] = 30 * UM;
	repeat_pair pair;
	assert_int_equal(repeats_compare(&part, &whole, &up, &pair), HOST_OK);
	near(pair.distance_mm.rms, 30 * UM, 0.01 * UM);
	near(pair.distance_mm.max, 30 * UM, 0.01 * UM);
	/* 51 of 101 columns, of the part's all, of the whole's those over the part. */
	near(pair.overlap_share, 2 * 51 / (51.0 + 101), 0.001);
	near(pair.same_share, 1, 0);
	up.t[2] = 0.4;
	assert_int_equal(repeats_compare(&part, &whole, &up, &pair), HOST_OK);
	near(pair.same_share, 0, 0);
	close_repeat(&whole);
	close_repeat(&part);
}

static void change_rigid(void *user, double p[3], const double normal[3])
{
	(void)normal;
	rigid_point(user, p, p);
}

/* A world of its own, far away and turned about: the shapes tell. */
static void test_other_world(void **state)
{
	(void)state;
	const double turn[3] = {0.4, -1.9, 0.7}, shift[3] = {70, -30, 15}, zero[3] = {0, 0, 0};
	rigid there = rigid_small(turn, shift, zero), start = rigid_identity(), found;
	double most = 0.9, share;
	surface arch = shape_open(shape_grid(160, 40, shape_arch, NULL, NULL));
	surface part = shape_open(shape_grid(160, 40, shape_arch, keep_left, &most));
	surface moved = shape_open(shape_changed(&part, change_rigid, &there));
	assert_int_equal(repeats_align(&moved, &arch, &start, 1, &found, &share), HOST_OK);
	assert_true(share > 0.95);
	assert_true(repeats_refine(&moved, &arch, &found));
	const rigid rest = rigid_compose(&found, &there);
	near(rigid_angle(&rest), 0, 1e-5);
	near(vec_length(rest.t), 0, 0.5 * UM);
	surface_close(&moved);
	surface_close(&part);
	surface_close(&arch);
}

/* ---- the program ------------------------------------------------------------------------------------------------ */

static char output[65536];

static int evaluate(const char *arguments)
{
	char command[4096];
	snprintf(command, sizeof(command), "cd '%s' && '%s' %s 2>&1", scratch_folder(), EVALUATE_PROGRAM, arguments);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	output[fread(output, 1, sizeof(output) - 1, pipe)] = '\0';
	const int status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(const char *arguments, int code, const char *text)
{
	const int got = evaluate(arguments);
	if (got != code || strstr(output, text) == NULL)
		fail_msg("%s: exit code %d, wanted %d and '%s' in: %s", arguments, got, code, text, output);
}

static void refuse(const char *arguments, int code, const char *text)
{
	expect(arguments, code, text);
	const char *newline = strchr(output, '\n');
	if (newline == NULL || newline[1] != '\0')
		fail_msg("more than one line: %s", output);
}

static void save(enm_mesh *mesh, const char *name)
{
	if (enm_mesh_save(mesh, scratch_path(name), 1) != ENM_OK)
		fail_msg("%s", enm_last_error());
	enm_mesh_destroy(&mesh);
}

/* One leg of the arch stands farther out by so many mm. */
static void change_leg(void *user, double p[3], const double normal[3])
{
	(void)normal;
	p[0] += *(const double *)user * fmin(fmax((p[0] - 10) / 4, 0), 1);
}

/* A truth, its landmarks, and three repeats whose right leg stands 60, 100 and 110 um too far out. */
static void write_repeats(void)
{
	static const double out_mm[3] = {60 * UM, 100 * UM, 110 * UM};
	surface arch = shape_open(shape_grid(160, 40, shape_arch, NULL, NULL));
	double a[3], b[3];
	char text[512];
	shape_arch(NULL, 0.93, 0.5, a);
	shape_arch(NULL, 0.07, 0.5, b);
	snprintf(text, sizeof(text), "{\"landmarks\": {\"46_mb\": [%.6f,%.6f,%.6f], \"36_mb\": [%.6f,%.6f,%.6f]}}",
		a[0], a[1], a[2], b[0], b[1], b[2]);
	scratch_text("marks.json", text);
	for (int k = 0; k < 3; k++) {
		char name[16];
		double mm = out_mm[k];
		snprintf(name, sizeof(name), "r%d.ply", k);
		save(shape_changed(&arch, change_leg, &mm), name);
	}
	surface_close(&arch);
	save(shape_grid(160, 40, shape_arch, NULL, NULL), "truth.ply");
}

static double figure(const json_t *at, const char *key)
{
	if (!json_is_number(json_object_get(at, key)))
		fail_msg("%s is no number in: %s", key, output);
	return json_number_value(json_object_get(at, key));
}

static const json_t *width_of(const json_t *root)
{
	const json_t *measures = json_object_get(root, "measures"), *one = json_array_get(measures, 0);
	assert_int_equal(json_array_size(measures), 1);
	assert_string_equal(json_string_value(json_object_get(one, "name")), "inter_molar");
	return one;
}

static void test_trueness_and_precision(void **state)
{
	(void)state;
	write_repeats();
	expect("--repeats r0.ply r1.ply r2.ply --truth truth.ply --landmarks marks.json --json --report r.json", 0,
		"{");
	json_t *root = json_loads(output, 0, NULL), *report = json_load_file(scratch_path("r.json"), 0, NULL);
	assert_non_null(root);
	assert_true(json_equal(root, report));
	const json_t *width = width_of(root);
	near(figure(width, "repeats"), 3, 0);
	near(figure(width, "trueness_um"), 90, 3);
	near(figure(width, "precision_um"), sqrt((30 * 30 + 10 * 10 + 20 * 20) / 2.0), 1);
	near(figure(width, "worst_um"), 110, 3);
	const json_t *precision = json_object_get(root, "precision"), *from_truth = json_object_get(root, "trueness");
	near(figure(precision, "pairs"), 3, 0);
	/* Repeats 1 and 2 differ by 10 um in one leg, 0 and 2 by 50. */
	const json_t *list = json_object_get(precision, "list");
	const double far_um = figure(json_array_get(list, 1), "rms_um"),
		     near_um = figure(json_array_get(list, 2), "rms_um");
	assert_true(figure(precision, "worst_pair") == 1 && far_um > 5 && far_um < 25);
	near(near_um / far_um, 0.2, 0.02);
	near(figure(json_array_get(list, 0), "overlap_percent"), 100, 5); /* the rim moves sideways */
	assert_true(figure(json_object_get(from_truth, "best_fit_mean"), "mean_um") > 5);
	assert_true(json_is_null(json_object_get(from_truth, "pinned_first_mean")));
	assert_true(figure(json_object_get(from_truth, "as_placed_mean"), "worst_um") > 15);
	json_decref(report);
	json_decref(root);
	expect("--repeats r0.ply r1.ply r2.ply --truth truth.ply --landmarks marks.json", 0, "inter_molar, um");
}

/* Precision needs no truth; landmarks are then those of the first repeat. */
static void test_without_truth(void **state)
{
	(void)state;
	write_repeats();
	expect("--repeats r0.ply r1.ply r2.ply --landmarks marks.json --json", 0, "{");
	json_t *root = json_loads(output, 0, NULL);
	assert_non_null(root);
	const json_t *width = width_of(root);
	near(figure(width, "precision_um"), sqrt((30 * 30 + 10 * 10 + 20 * 20) / 2.0), 1);
	assert_true(json_is_null(json_object_get(width, "trueness_um")));
	assert_true(json_is_null(json_object_get(root, "trueness")) && json_is_null(json_object_get(root, "truth")));
	json_decref(root);
	expect("--repeats r0.ply r1.ply", 0, "no truth: precision alone");
}

/* A repeat that lacks the right leg has no width: said, not guessed; the others' counts. */
static void test_landmark_not_seen(void **state)
{
	(void)state;
	double most = 0.8;
	write_repeats();
	save(shape_grid(160, 40, shape_arch, keep_left, &most), "short.ply");
	expect("--repeats r0.ply short.ply r1.ply --truth truth.ply --landmarks marks.json --json", 0, "{");
	json_t *root = json_loads(output, 0, NULL);
	assert_non_null(root);
	near(figure(width_of(root), "repeats"), 2, 0);
	near(figure(width_of(root), "trueness_um"), 80, 3);
	const json_t *missing =
		json_object_get(json_array_get(json_object_get(root, "repeats"), 1), "landmarks_not_seen");
	assert_int_equal(json_array_size(missing), 1);
	assert_string_equal(json_string_value(json_array_get(missing, 0)), "46_mb");
	json_decref(root);
	expect("--repeats r0.ply short.ply --truth truth.ply --landmarks marks.json", 0, "repeat 2: 46_mb not seen");
}

/* Folders bring a trajectory, and with it pinned figures. */
static void test_folders(void **state)
{
	(void)state;
	write_repeats();
	for (int k = 0; k < 2; k++) {
		char name[32], from[4200];
		snprintf(name, sizeof(name), "run%d", k);
		scratch_make_folder(name);
		snprintf(from, sizeof(from), "%s", scratch_path(k == 0 ? "r0.ply" : "r1.ply"));
		snprintf(name, sizeof(name), "run%d/scan.ply", k);
		assert_int_equal(rename(from, scratch_path(name)), 0);
		snprintf(name, sizeof(name), "run%d/trajectory.txt", k);
		scratch_text(name, "0 0 0 0 0 0 0 1\n0.1 1 0 0 0 0 0 1\n");
		snprintf(name, sizeof(name), "run%d/groundtruth.txt", k);
		scratch_text(
			name, "0 0 0 0.05 0 0 0 1\n0.1 1 0 0.05 0 0 0 1\n"); /* 50 um higher than the replay says */
	}
	expect("--repeats run0 run1 --truth truth.ply --json", 0, "{");
	json_t *root = json_loads(output, 0, NULL);
	const json_t *from_truth = json_object_get(root, "trueness");
	near(figure(json_object_get(from_truth, "pinned_first_mean"), "repeats"), 2, 0);
	assert_true(figure(json_object_get(from_truth, "pinned_first_mean"), "mean_um") > 25);
	assert_true(json_is_null(json_object_get(from_truth, "as_placed_mean")));
	json_decref(root);
	scratch_text("run1/trajectory.txt", "0 0 0 nan 0 0 0 1\n");
	refuse("--repeats run0 run1 --truth truth.ply", 2, "run1/trajectory.txt: line 1");
	scratch_text("run1/trajectory.txt", "0 0 0 0 0 0 0 1\n");
	assert_int_equal(remove(scratch_path("run1/scan.ply")), 0);
	refuse("--repeats run0 run1 --truth truth.ply", 2, "run1/scan.ply");
}

/* From end to end: the names of the simulator's landmarks are those that are measured, and what a short scan did not
 * see has no figure, while models that have all of it do. */
static void test_simulated_arch(void **state)
{
	(void)state;
	char command[4096];
	snprintf(command, sizeof(command),
		"cd '%s' && '%s' arch --seed 5 --to-percent 6 --speed-mm-s 12 --size 80x60 --cell-mm 0.35 --clean sim "
		">sim.log 2>&1",
		scratch_folder(), SIMULATE_PROGRAM);
	assert_int_equal(system(command), 0);
	expect("sim/truth.ply --dataset sim --arch-picture arch.png --json", 0, "{");
	json_t *root = json_loads(output, 0, NULL);
	assert_non_null(root);
	const json_t *landmarks = json_object_get(root, "landmarks"),
		     *measures = json_object_get(landmarks, "measures"), *one;
	size_t i;
	assert_int_equal(json_array_size(measures), 10);
	json_array_foreach(measures, i, one)
	{
		assert_false(json_is_number(json_object_get(one, "measured_mm")));
		assert_false(json_is_number(json_object_get(one, "measured_degrees")));
		assert_true(json_array_size(json_object_get(one, "missing")) > 0);
	}
	json_array_foreach(json_object_get(landmarks, "marks"), i,
		one) if (strcmp(json_string_value(json_object_get(one, "name")), "33_c") == 0)
		assert_string_equal(json_string_value(json_object_get(one, "state")), "not seen");
	const json_t *pieces = json_object_get(json_object_get(root, "along"), "pieces");
	assert_true(json_array_size(pieces) > 15);
	assert_true(scratch_size("arch.png") > 1000);
	json_decref(root);

	expect("--repeats sim/truth.ply sim/truth.ply --dataset sim --json", 0, "{");
	root = json_loads(output, 0, NULL);
	measures = json_object_get(root, "measures");
	assert_int_equal(json_array_size(measures), 10);
	json_array_foreach(measures, i, one)
	{
		const bool is_angle = strcmp(json_string_value(json_object_get(one, "kind")), "angle") == 0;
		near(figure(one, "repeats"), 2, 0);
		near(figure(one, is_angle ? "trueness_mrad" : "trueness_um"), 0, 0.01);
		near(figure(one, is_angle ? "precision_mrad" : "precision_um"), 0, 0.01);
	}
	json_decref(root);
	/* A toothless one has no landmarks, and nothing is made up. */
	scratch_text("sim/truth.json", "{}");
	expect("--repeats sim/truth.ply sim/truth.ply --dataset sim --json", 0, "\"measures\": []");
}

static void place_other(void *user, double u, double v, double out[3])
{
	(void)user;
	shape_arch(NULL, u, v, out);
	out[1] *= 1.3;
	out[2] = 0.4 * out[2] + 2 * sin(0.9 * out[0]);
}

static void test_bad_repeats(void **state)
{
	(void)state;
	write_repeats();
	save(shape_grid(160, 40, place_other, NULL, NULL), "other.ply");
	refuse("--repeats r0.ply", 2, "--repeats: needs at least 2 models of the same object, not 1");
	refuse("--repeats r0.ply other.ply", 1, "not the same object, or no overlap");
	refuse("--repeats r0.ply other.ply --truth truth.ply", 1, "other.ply: only");
	refuse("--repeats r0.ply none.ply", 2, "none.ply");
	scratch_text("bare.ply",
		"ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nproperty float y\nproperty float z\n"
		"element face 0\nproperty list uchar int vertex_indices\nend_header\n");
	refuse("--repeats r0.ply bare.ply", 2, "bare.ply: holds no triangles");
	refuse("--repeats r0.ply r1.ply --truth none.ply", 2, "none.ply");
	refuse("--repeats r0.ply r1.ply --dataset nowhere", 2, "nowhere");
	refuse("--repeats r0.ply r1.ply --truth truth.ply --dataset nowhere", 2,
		"--truth: not together with --dataset");
	refuse("--repeats r0.ply r1.ply --trajectory t.txt", 2, "--repeats: not together with --trajectory");
	refuse("--repeats r0.ply r1.ply --picture p.png", 2, "--repeats: not together with pictures");
	refuse("--repeats r0.ply r1.ply --report none/r.json", 4, "none/r.json");
	refuse("--repeats r0.ply r1.ply --landmarks none.json", 2, "none.json");
	scratch_text("bad.json", "{\"landmarks\": {\"a\": [1, 2]}}");
	refuse("--repeats r0.ply r1.ply --landmarks bad.json", 2, "landmarks.a");
	scratch_text("bad.json", "{}");
	refuse("--repeats r0.ply r1.ply --landmarks bad.json", 2, "holds neither landmarks nor spheres nor a margin");
	refuse("r0.ply r1.ply r2.ply", 2, "several models need --repeats");
	refuse("r0.ply r1.ply --truth truth.ply", 2, "--truth: not together with a second mesh");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_rim_is_left_out),
		cmocka_unit_test(test_other_world),
		cmocka_unit_test_setup_teardown(test_trueness_and_precision, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_without_truth, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_landmark_not_seen, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_folders, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_simulated_arch, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(test_bad_repeats, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
