/* SPDX-License-Identifier: Apache-2.0
 * Kernels do 1, 2, 4 or 8 neighbours at once (kernels/lanes.h): poses, voxels and mesh are the same bits with each. */
#include "scan.h"

/* The scan through a pinhole and behind a lens, whose rays come from their table. */
typedef struct scans {
	outcome pinhole, lens;
} scans;

static outcome run(bool lens)
{
	outcome out = {0};
	enm_session_def def = the_scan.def;
	def.camera.distortion[0] = lens ? 1e-4 : 0.0;
	enm_session *session = scan_session(&def);
	scan_run(session, 0, SCAN_FRAMES, &out);
	outcome_mesh(session, &out);
	enm_session_destroy(&session);
	assert_int_equal(out.reports[SCAN_FRAMES - 1].verdict, ENM_VERDICT_TRACKED);
	return out;
}

/* In a context whose kernels are built for a number of lanes. */
static scans run_with(const char *lanes)
{
	enm_context *kept = the_context;
	enm_context_def def = enm_context_def_default();
	enm_device_info device;
	WANT(ENM_OK, enm_context_device(kept, &device));
	def.device_index = (int32_t)device.index;
	assert_int_equal(setenv("ENAMEL_LANES", lanes, 1), 0);
	WANT(ENM_OK, enm_context_create(&def, &the_context));
	assert_int_equal(unsetenv("ENAMEL_LANES"), 0);
	const scans out = {run(false), run(true)};
	enm_context_destroy(&the_context);
	the_context = kept;
	return out;
}

static void drop(scans *s)
{
	outcome_drop(&s->pinhole);
	outcome_drop(&s->lens);
}

static void lanes_change_no_bit(void **state)
{
	(void)state;
	static const char *const others[] = {"1", "2", "4"};
	scans eight = run_with("8");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		scans other = run_with(others[i]);
		assert_same_outcome(&eight.pinhole, &other.pinhole);
		assert_same_outcome(&eight.lens, &other.lens);
		drop(&other);
	}
	drop(&eight);
}

SCAN_TEST_MAIN(cmocka_unit_test(lanes_change_no_bit))
