/* SPDX-License-Identifier: Apache-2.0
 * Kernels do 1, 2, 4 or 8 neighbours at once (kernels/lanes.h): poses, voxels, mesh, pictures and what refinement makes of them are the
 * same bits with each. */
#include <stdlib.h>
#include <string.h>

#include "scan.h"

#define WIDTH 101 /* no multiple of 2, 4 or 8 */
#define HEIGHT 67

/* The scan through a pinhole, refined in the end, behind a lens, whose rays come from their table, and tracked by what is seen from the last pose. */
typedef struct scans {
	outcome pinhole, lens, raycast;
	uint8_t pictures[2][WIDTH * HEIGHT * 4];
} scans;

/* From where the wand was, and from the far side of the surface, cut, in a shade that shows each voxel hit. */
static void draw(enm_session *session, const enm_report *last, uint8_t out_rgba[2][WIDTH * HEIGHT * 4])
{
	const double *q = last->world_from_camera.q_xyzw;
	const double ahead[3] = {2.0 * (q[0] * q[2] + q[1] * q[3]), 2.0 * (q[1] * q[2] - q[0] * q[3]), 1.0 - 2.0 * (q[0] * q[0] + q[1] * q[1])};
	enm_view_def view = enm_view_def_default(WIDTH, HEIGHT);
	view.world_from_eye = last->world_from_camera;
	view.focal_pixels = WIDTH;
	for (int side = 0; side < 2; side++) {
		WANT(ENM_OK, enm_session_render(session, &view, out_rgba[side], WIDTH * HEIGHT * 4));
		size_t model = 0;
		for (size_t i = 0; i < WIDTH * HEIGHT; i++)
			model += out_rgba[side][4 * i + 3] != 0;
		assert_in_range(model, WIDTH * HEIGHT / 8, WIDTH * HEIGHT - 1);
		/* half a turn about the eye's y, and past the surface */
		view.world_from_eye.q_xyzw[0] = -q[2];
		view.world_from_eye.q_xyzw[1] = q[3];
		view.world_from_eye.q_xyzw[2] = q[0];
		view.world_from_eye.q_xyzw[3] = -q[1];
		for (int i = 0; i < 3; i++)
			view.world_from_eye.t_mm[i] += 30.0 * ahead[i];
		view.shade = ENM_SHADE_VIEWS;
		view.cut = true;
		view.cut_normal[0] = 1.0;
		view.cut_mm = view.world_from_eye.t_mm[0] + 3.0;
	}
}

static outcome run(bool lens, enm_tracker tracker, uint8_t out_rgba[2][WIDTH * HEIGHT * 4])
{
	outcome out = {0};
	enm_session_def def = the_scan.def;
	def.camera.distortion[0] = lens ? 1e-4 : 0.0;
	def.tracker = tracker;
	def.keep_frames = out_rgba != NULL;
	enm_session *session = scan_session(&def);
	scan_run(session, 0, SCAN_FRAMES, &out);
	if (out_rgba) {
		const enm_refine_def refine = enm_refine_def_default();
		enm_refine_result refined;
		draw(session, &out.reports[SCAN_FRAMES - 1], out_rgba);
		WANT(ENM_OK, enm_session_refine(session, &refine, &refined));
		assert_int_equal(refined.frames_compared, SCAN_FRAMES);
	}
	outcome_mesh(session, &out);
	enm_session_destroy(&session);
	assert_int_equal(out.reports[SCAN_FRAMES - 1].verdict, ENM_VERDICT_TRACKED);
	return out;
}

/* In a context whose kernels are built for a number of lanes. */
static scans *run_with(const char *lanes)
{
	enm_context *kept = the_context;
	enm_context_def def = enm_context_def_default();
	enm_device_info device;
	WANT(ENM_OK, enm_context_device(kept, &device));
	def.device_index = (int32_t)device.index;
	assert_int_equal(setenv("ENAMEL_LANES", lanes, 1), 0);
	WANT(ENM_OK, enm_context_create(&def, &the_context));
	assert_int_equal(unsetenv("ENAMEL_LANES"), 0);
	scans *out = malloc(sizeof(*out));
	assert_non_null(out);
	out->pinhole = run(false, ENM_TRACKER_FIELD, out->pictures);
	out->lens = run(true, ENM_TRACKER_FIELD, NULL);
	out->raycast = run(false, ENM_TRACKER_RAYCAST, NULL);
	enm_context_destroy(&the_context);
	the_context = kept;
	return out;
}

static void drop(scans *s)
{
	outcome_drop(&s->pinhole);
	outcome_drop(&s->lens);
	outcome_drop(&s->raycast);
	free(s);
}

static void lanes_change_no_bit(void **state)
{
	(void)state;
	static const char *const others[] = {"1", "2", "4"};
	scans *eight = run_with("8");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		scans *other = run_with(others[i]);
		assert_same_outcome(&eight->pinhole, &other->pinhole);
		assert_same_outcome(&eight->lens, &other->lens);
		assert_same_outcome(&eight->raycast, &other->raycast);
		assert_memory_equal(eight->pictures, other->pictures, sizeof(other->pictures));
		drop(other);
	}
	drop(eight);
}

SCAN_TEST_MAIN(cmocka_unit_test(lanes_change_no_bit))
