/* SPDX-License-Identifier: Apache-2.0
 * Sessions that something foreign moves through: it stays out of the model, is taken out where it got in, and becomes part of it
 * where nobody asked for better. Built a second time against an engine that has no such module. */
#include "scan.h"

#include <math.h>

#define BODY_MM 9.0   /* of the wall's 12.3 to 13.7 */
#define BETWEEN_MM 10.8 /* what is nearer is the body's */

/* The hand goes to and fro over the scan's path. */
static int there_and_back(int n)
{
	const int turn = n % (2 * (SCAN_FRAMES - 1));
	return turn < SCAN_FRAMES ? turn : 2 * (SCAN_FRAMES - 1) - turn;
}

/* The n-th frame, from a place of the scan's path, with a body before columns [from, to): as high as the picture where it comes from the left, else in its middle. */
static enm_report push_from(enm_session *session, int n, int place, uint32_t from, uint32_t to)
{
	uint16_t *depth = malloc(SCAN_PIXELS * sizeof(*depth));
	enm_frame frame = scan_frame(place);
	assert_non_null(depth);
	memcpy(depth, frame.depth, SCAN_PIXELS * sizeof(*depth));
	const uint32_t top = from > 0 ? 30 : 0, bottom = SCAN_HEIGHT - top;
	for (uint32_t i = 0; i < SCAN_PIXELS; i++)
		if (i % SCAN_WIDTH >= from && i % SCAN_WIDTH < to && i / SCAN_WIDTH >= top && i / SCAN_WIDTH < bottom)
			depth[i] = (uint16_t)(1000 * BODY_MM + i % 7);
	frame.depth = depth;
	frame.time_ns = (int64_t)n * SCAN_PERIOD_NS;
	const enm_report report = scan_push(session, &frame);
	free(depth);
	return report;
}

static enm_report push_with_body(enm_session *session, int n, uint32_t from, uint32_t to)
{
	return push_from(session, n, there_and_back(n), from, to);
}

static enm_session *open_session(bool foreign_bodies)
{
	enm_session_def def = the_scan.def;
	def.foreign_bodies = foreign_bodies;
	return scan_session(&def);
}

/* Vertices of the model as it is now that are nearer to the wand than the wall is. */
static size_t vertices_of_body(enm_session *session)
{
	const enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data data;
	size_t count = 0;
	WANT(ENM_OK, enm_session_mesh(session, &def, &mesh));
	WANT(ENM_OK, enm_mesh_get(mesh, &data));
	assert_true(data.vertex_count > 1000);
	for (size_t i = 0; i < data.vertex_count; i++)
		count += (double)data.positions_mm[3 * i + 2] < BETWEEN_MM;
	enm_mesh_destroy(&mesh);
	return count;
}

#if ENM_FOREIGN

/* Frames after which the space before the wall is known to be empty. */
#define CLEAR_FRAMES 20
#define BODY_FRAMES 12

/* A body comes in from the left to a third of the picture. */
static uint32_t edge_after(int frames)
{
	return (uint32_t)(8 * frames < 52 ? 8 * frames : 52);
}

static void scan_and_be_disturbed(enm_session *session, bool tracked)
{
	for (int n = 0; n < CLEAR_FRAMES; n++)
		assert_int_equal(push_with_body(session, n, 0, 0).verdict, ENM_VERDICT_TRACKED);
	for (int n = 0; n < BODY_FRAMES; n++) {
		const enm_report report = push_with_body(session, CLEAR_FRAMES + n, 0, edge_after(n));
		const ref_pose found = ref_pose_from(&report.world_from_camera);
		const ref_pose truth = ref_pose_from(&the_scan.truth[there_and_back(CLEAR_FRAMES + n)]);
		assert_true(!tracked || report.verdict == ENM_VERDICT_TRACKED);
		assert_true(!tracked || ref_pose_shift(&found, &truth) < 0.05);
	}
}

static void a_body_stays_out_of_the_model(void **state)
{
	(void)state;
	assert_true(the_scan.def.foreign_bodies);
	enm_session *session = open_session(true);
	scan_and_be_disturbed(session, true);
	assert_int_equal(vertices_of_body(session), 0);
	enm_session_destroy(&session);
}

#define TREMBLES_MM 0.2
#define TREMBLES_HZ 9.0

/* Predictions are off by more than readings may lie before the model, several times in a row. */
static void a_hand_that_trembles_is_no_body(void **state)
{
	(void)state;
	enm_session *session = open_session(true);
	float *exact = malloc(SCAN_PIXELS * sizeof(*exact));
	uint16_t *depth = malloc(SCAN_PIXELS * sizeof(*depth));
	assert_true(exact != NULL && depth != NULL);
	for (int n = 0; n < 60; n++) {
		enm_pose pose = the_scan.truth[there_and_back(n)];
		pose.t_mm[2] += TREMBLES_MM * sin(2.0 * 3.14159265358979 * TREMBLES_HZ * n * 1e-9 * SCAN_PERIOD_NS);
		ref_scene_render(&the_scan.scene, &the_scan.def.camera, &pose, 60.0, exact);
		for (uint32_t i = 0; i < SCAN_PIXELS; i++)
			depth[i] = (uint16_t)lrint(1000.0 * (double)exact[i]);
		enm_frame frame = scan_frame(0);
		frame.depth = depth;
		frame.time_ns = (int64_t)n * SCAN_PERIOD_NS;
		const enm_report report = scan_push(session, &frame);
		assert_int_equal(report.verdict, ENM_VERDICT_TRACKED);
		assert_true(n == 0 || report.samples > SCAN_PIXELS * 9 / 10);
	}
	free(exact);
	free(depth);
	enm_session_destroy(&session);
}

static void switched_off_it_becomes_part_of_it(void **state)
{
	(void)state;
	enm_session *session = open_session(false);
	scan_and_be_disturbed(session, false);
	assert_true(vertices_of_body(session) > 500);
	enm_session_destroy(&session);
}

static void what_was_there_from_the_start_goes_when_it_is_seen_through(void **state)
{
	(void)state;
	enm_session *session = open_session(true);
	/* body and hand rest */
	for (int n = 0; n < 4; n++)
		assert_int_equal(push_from(session, n, 0, 50, 110).verdict, ENM_VERDICT_TRACKED);
	assert_true(vertices_of_body(session) > 500);
	for (int n = 4; n < 30; n++)
		assert_int_equal(push_from(session, n, there_and_back(n - 4), 0, 0).verdict, ENM_VERDICT_TRACKED);
	assert_int_equal(vertices_of_body(session), 0);
	enm_session_destroy(&session);
}

static void after_a_reset_nothing_is_known(void **state)
{
	(void)state;
	enm_session *session = open_session(true);
	for (int n = 0; n < CLEAR_FRAMES; n++)
		push_with_body(session, n, 0, 0);
	WANT(ENM_OK, enm_session_reset(session));
	/* what had been empty is not any more */
	for (int n = 0; n < 4; n++)
		assert_int_equal(push_with_body(session, n, 0, 52).verdict, ENM_VERDICT_TRACKED);
	assert_true(vertices_of_body(session) > 500);
	enm_session_destroy(&session);
}

static void the_same_frames_give_the_same_bits(void **state)
{
	(void)state;
	enm_report first[CLEAR_FRAMES + BODY_FRAMES];
	for (int run = 0; run < 2; run++) {
		enm_session *session = open_session(true);
		for (int n = 0; n < CLEAR_FRAMES + BODY_FRAMES; n++) {
			const uint32_t to = n < CLEAR_FRAMES ? 0 : edge_after(n - CLEAR_FRAMES);
			const enm_report report = push_with_body(session, n, 0, to);
			if (run == 0)
				first[n] = report;
			assert_memory_equal(&report.world_from_camera, &first[n].world_from_camera, sizeof(enm_pose));
			assert_int_equal(report.blocks_used, first[n].blocks_used);
		}
		enm_session_destroy(&session);
	}
}

SCAN_TEST_MAIN(cmocka_unit_test(a_body_stays_out_of_the_model), cmocka_unit_test(switched_off_it_becomes_part_of_it), cmocka_unit_test(a_hand_that_trembles_is_no_body),
	cmocka_unit_test(what_was_there_from_the_start_goes_when_it_is_seen_through), cmocka_unit_test(after_a_reset_nothing_is_known),
	cmocka_unit_test(the_same_frames_give_the_same_bits))

#else

static void a_library_without_says_so(void **state)
{
	(void)state;
	enm_session_def def = the_scan.def;
	enm_session *session = (enm_session *)&def;
	assert_false(def.foreign_bodies);
	def.foreign_bodies = true;
	WANT(ENM_E_ARGUMENT, enm_session_create(the_context, &def, &session));
	assert_null(session);
	assert_non_null(strstr(enm_last_error(), "ENAMEL_FOREIGN"));
}

static void and_scans_as_if_nothing_were_foreign(void **state)
{
	(void)state;
	enm_session *session = open_session(false);
	for (int n = 0; n < 8; n++)
		assert_int_equal(push_with_body(session, n, 0, 0).verdict, ENM_VERDICT_TRACKED);
	assert_int_equal(vertices_of_body(session), 0);
	for (int n = 8; n < 12; n++)
		push_with_body(session, n, 0, 40);
	assert_true(vertices_of_body(session) > 500);
	WANT(ENM_OK, enm_session_reset(session));
	assert_int_equal(push_with_body(session, 0, 0, 0).verdict, ENM_VERDICT_TRACKED);
	enm_session_destroy(&session);
}

SCAN_TEST_MAIN(cmocka_unit_test(a_library_without_says_so), cmocka_unit_test(and_scans_as_if_nothing_were_foreign))

#endif
