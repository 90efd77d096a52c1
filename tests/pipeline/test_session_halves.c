/* SPDX-License-Identifier: Apache-2.0
 * The raycast tracker with its picture's normals in floats and in 16-bit halves: both track, close together, each the
 * same in every run. The other tracker has no such picture.
 */
#include "scan.h"

#include <math.h>

typedef struct run {
	outcome seen;
	uint64_t device_bytes;
} run;

/* `halves`: "1", "0", or NULL for what the device is best at. */
static run scan_with(const char *halves, enm_tracker tracker)
{
	run r = {0};
	enm_session_stats stats;
	enm_session_def def = the_scan.def;
	def.tracker = tracker;
	unsetenv("ENAMEL_HALF");
	if (halves != NULL)
		assert_int_equal(setenv("ENAMEL_HALF", halves, 1), 0);
	enm_session *s = scan_session(&def);
	unsetenv("ENAMEL_HALF");
	scan_run(s, 0, SCAN_FRAMES, &r.seen);
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	r.device_bytes = stats.device_bytes;
	outcome_mesh(s, &r.seen);
	enm_session_destroy(&s);
	return r;
}

/* By the raycast tracker, which most tests want; it stays until the end. */
static run *usual[2];

static const run *usual_scan(int halves)
{
	if (usual[halves] == NULL) {
		usual[halves] = malloc(sizeof(run));
		assert_non_null(usual[halves]);
		*usual[halves] = scan_with(halves ? "1" : "0", ENM_TRACKER_RAYCAST);
	}
	return usual[halves];
}

static int close_all(void **state)
{
	for (int i = 0; i < 2; i++) {
		if (usual[i] != NULL)
			outcome_drop(&usual[i]->seen);
		free(usual[i]);
	}
	return scan_close(state);
}

static void both_track_close_together(void **state)
{
	(void)state;
	const run *floats = usual_scan(0), *halves = usual_scan(1);
	double apart_um = 0.0, turned_mrad = 0.0, off_um = 0.0;
	int differ = 0;
	for (int i = 0; i < SCAN_FRAMES; i++) {
		const enm_report *f = &floats->seen.reports[i], *h = &halves->seen.reports[i];
		const ref_pose a = ref_pose_from(&f->world_from_camera), b = ref_pose_from(&h->world_from_camera),
			       truth = ref_pose_from(&the_scan.truth[i]);
		assert_int_equal(f->verdict, ENM_VERDICT_TRACKED);
		assert_int_equal(h->verdict, ENM_VERDICT_TRACKED);
		apart_um = fmax(apart_um, 1000.0 * ref_pose_shift(&a, &b));
		turned_mrad = fmax(turned_mrad, 1000.0 * ref_pose_angle(&a, &b));
		off_um = fmax(off_um, 1000.0 * ref_pose_shift(&b, &truth));
		differ += memcmp(&f->world_from_camera, &h->world_from_camera, sizeof(enm_pose)) != 0;
	}
	print_message("apart by up to %.3f um and %.4f mrad, %.1f um off\n", apart_um, turned_mrad, off_um);
	assert_true(differ > SCAN_FRAMES / 2); /* or the environment chose nothing */
	assert_true(apart_um < 2.0);
	assert_true(turned_mrad < 0.1);
	assert_true(off_um < 100.0);
}

static void halves_take_half_the_bytes(void **state)
{
	(void)state;
	/* of a picture as large as the camera's, 16 bytes a pixel */
	assert_int_equal(usual_scan(0)->device_bytes - usual_scan(1)->device_bytes, 8 * SCAN_PIXELS);
}

static void each_is_the_same_in_every_run(void **state)
{
	(void)state;
	const char *const ways[] = {"0", "1"};
	for (int i = 0; i < 2; i++) {
		run again = scan_with(ways[i], ENM_TRACKER_RAYCAST);
		assert_same_outcome(&usual_scan(i)->seen, &again.seen);
		outcome_drop(&again.seen);
	}
}

/* Without a wish, or with one that is none, the device decides. */
static void the_device_decides(void **state)
{
	(void)state;
	const char *const wishes[] = {NULL, "", "yes"};
	enm_device_info device;
	WANT(ENM_OK, enm_context_device(the_context, &device));
	const run *wanted = usual_scan(device.fp16);
	for (int i = 0; i < 3; i++) {
		run chosen = scan_with(wishes[i], ENM_TRACKER_RAYCAST);
		assert_int_equal(chosen.device_bytes, wanted->device_bytes);
		assert_same_outcome(&chosen.seen, &wanted->seen);
		outcome_drop(&chosen.seen);
	}
}

static void the_field_tracker_knows_no_halves(void **state)
{
	(void)state;
	run floats = scan_with("0", ENM_TRACKER_FIELD), halves = scan_with("1", ENM_TRACKER_FIELD);
	assert_int_equal(floats.device_bytes, halves.device_bytes);
	assert_same_outcome(&floats.seen, &halves.seen);
	outcome_drop(&floats.seen);
	outcome_drop(&halves.seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_track_close_together),
		cmocka_unit_test(halves_take_half_the_bytes),
		cmocka_unit_test(each_is_the_same_in_every_run),
		cmocka_unit_test(the_device_decides),
		cmocka_unit_test(the_field_tracker_knows_no_halves),
	};
	if (getenv("ENAMEL_TEST_FILTER") != NULL)
		cmocka_set_test_filter(getenv("ENAMEL_TEST_FILTER"));
	return cmocka_run_group_tests(tests, scan_open, close_all);
}
