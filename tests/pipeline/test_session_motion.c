/* SPDX-License-Identifier: Apache-2.0
 * What a session makes of surfaces that do not fix the pose, and of motions that the caller tells. */
#include "scan.h"

#include <math.h>

static const enm_camera *camera(void)
{
	return &the_scan.def.camera;
}

static enm_session *session_at(const enm_pose *start)
{
	enm_session_def def = the_scan.def;
	def.color = false;
	def.start_world_from_camera = *start;
	return scan_session(&def);
}

/* A frame of a scene from a pose, with noise of 10 um, pushed and reported. `scene` may be NULL: no readings. */
static enm_report push_view(enm_session *s, const ref_scene *scene, const enm_pose *pose, int frame, const enm_motion *motion)
{
	static float exact[SCAN_PIXELS];
	static uint16_t readings[SCAN_PIXELS];
	uint64_t random = 77u + (uint64_t)frame;
	memset(exact, 0, sizeof(exact));
	if (scene != NULL)
		ref_scene_render(scene, camera(), pose, 30.0, exact);
	for (uint32_t i = 0; i < SCAN_PIXELS; i++) {
		double sum = -6.0;
		for (int k = 0; k < 12; k++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			sum += (double)(random >> 33) / 2147483648.0;
		}
		readings[i] = exact[i] > 0.0f ? (uint16_t)lrint(1000.0 * ((double)exact[i] + 0.010 * sum)) : 0;
	}
	const enm_frame f = {.depth = readings, .time_ns = (int64_t)frame * SCAN_PERIOD_NS, .motion = motion};
	return scan_push(s, &f);
}

/* ---- what is not determined ---- */

static const ref_scene plane = {REF_PLANE, 0, 0, -1, -13.0}, ridge = {REF_CYLINDER, 0.5, 0, 17.0, 5.0},
		       ball = {REF_SPHERE, 0.4, -0.3, 16.0, 4.0}, corner = {REF_CORNER, 0.2, 0.1, 11.5, 0.4};

/* The first look tells what its shape would leave open on any model: `held` directions. */
static enm_report second_look(const ref_scene *scene, uint32_t held)
{
	const enm_pose start = enm_pose_identity();
	enm_session *s = session_at(&start);
	enm_report r = push_view(s, scene, &start, 0, NULL);
	assert_int_equal(r.reason, ENM_REASON_FIRST);
	assert_int_equal(r.held, held);
	for (int f = 1; f < 4; f++)
		r = push_view(s, scene, &start, f, NULL);
	enm_session_destroy(&s);
	return r;
}

static double norm(const float v[3])
{
	return sqrt((double)(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]));
}

/* A motion of the camera by (turn about the view's middle at `depth`, move), and how far it carries the scene off itself in the view:
 * the root mean square of the points' motion along the normal. */
static double carries_off(const ref_scene *scene, const enm_report *r, double depth)
{
	const enm_pose eye = enm_pose_identity();
	static float seen[SCAN_PIXELS];
	double sum = 0.0, size = 0.0;
	int count = 0;
	ref_scene_render(scene, camera(), &eye, 30.0, seen);
	for (uint32_t y = 0; y < SCAN_HEIGHT; y += 8) {
		for (uint32_t x = 0; x < SCAN_WIDTH; x += 8) {
			const double z = (double)seen[y * SCAN_WIDTH + x];
			double ray[2], n[3], swing[3];
			if (z == 0.0)
				continue;
			ref_ray(camera(), x, y, ray);
			const double p[3] = {ray[0] * z, ray[1] * z, z}, arm[3] = {p[0], p[1], z - depth};
			const double turn[3] = {(double)r->held_turn[0], (double)r->held_turn[1], (double)r->held_turn[2]};
			ref_scene_normal(scene, p, n);
			ref_cross(turn, arm, swing);
			for (int i = 0; i < 3; i++) {
				swing[i] = swing[i] * 2.0 / depth + (double)r->held_move[i];
				size += swing[i] * swing[i];
			}
			sum += ref_dot(swing, n) * ref_dot(swing, n);
			count++;
		}
	}
	assert_true(count > 50 && size > 0.0);
	return sqrt(sum / size);
}

static void open_directions_are_told(void **state)
{
	(void)state;
	const struct {
		const ref_scene *scene;
		uint32_t held;
		double depth;
	} cases[] = {{&plane, 3, 13.0}, {&ridge, 2, 12.5}, {&ball, 3, 12.5}, {&corner, 0, 13.0}};
	for (int i = 0; i < 4; i++) {
		const enm_report r = second_look(cases[i].scene, cases[i].held);
		char text[200];
		enm_report_text(&r, text, sizeof(text));
		print_message("scene %d: held %u, least eigenvalue %.5f, %s\n", i, r.held, (double)r.least_eigenvalue, text);
		assert_int_equal(r.held, cases[i].held);
		if (cases[i].held == 0) {
			assert_int_equal(r.verdict, ENM_VERDICT_TRACKED);
			assert_string_equal(text, "tracked");
			assert_true(norm(r.held_turn) == 0.0 && norm(r.held_move) == 0.0);
			continue;
		}
		assert_int_equal(r.verdict, ENM_VERDICT_WEAK);
		assert_int_equal(r.reason, ENM_REASON_DEGENERATE);
		assert_non_null(strstr(text, "is not determined"));
		/* a unit vector of turn (times the lever) and move that slides the scene along itself */
		assert_true(fabs(hypot(norm(r.held_turn), norm(r.held_move)) - 1.0) < 1e-3);
		assert_true(carries_off(cases[i].scene, &r, cases[i].depth) < 0.12);
		/* and what is not known has a wide covariance: there, that of a prediction */
		double widest = 0.0;
		for (int k = 0; k < 3; k++)
			widest = fmax(widest, (double)r.covariance[7 * (3 + k)]);
		assert_true(sqrt(widest) > 0.1);
	}
}

/* Where all is known, all is known well. */
static void covariance_is_small_where_the_surface_fixes_the_pose(void **state)
{
	(void)state;
	const enm_report r = second_look(&corner, 0);
	for (int a = 0; a < 6; a++) {
		const double sigma = sqrt((double)r.covariance[7 * a]);
		assert_true(sigma > 0.0 && sigma < (a < 3 ? 2e-3 : 0.02));
		for (int b = 0; b < 6; b++) {
			const double both = sqrt((double)(r.covariance[7 * a] * r.covariance[7 * b]));
			assert_true(fabs((double)(r.covariance[6 * a + b] - r.covariance[6 * b + a])) < 1e-4 * both);
			assert_true(fabs((double)r.covariance[6 * a + b]) <= 1.0001 * both);
		}
	}
	const enm_pose start = enm_pose_identity();
	enm_session *s = session_at(&start);
	const enm_report first = push_view(s, &corner, &start, 0, NULL), none = push_view(s, NULL, &start, 1, NULL);
	for (int i = 0; i < 36; i++) /* nothing was measured */
		assert_true(first.covariance[i] == 0.0f && none.covariance[i] == 0.0f);
	enm_session_destroy(&s);
}

/* ---- what the caller tells ---- */

/* From the pose at frame - 1 to that at `frame`, with these sigmas. */
static enm_motion told(enm_pose (*path)(int), int frame, double turn_sigma_rad, double move_sigma_mm)
{
	const enm_pose before = path(frame - 1), now = path(frame);
	const ref_pose a = ref_pose_from(&before), b = ref_pose_from(&now);
	enm_motion m = {{0}, {0}, {0}};
	double r[9];
	ref_pose_apply_back(&a, b.t, m.move_mm);
	for (int i = 0; i < 9; i++)
		r[i] = a.r[i / 3] * b.r[i % 3] + a.r[3 + i / 3] * b.r[3 + i % 3] + a.r[6 + i / 3] * b.r[6 + i % 3];
	const double sine2[3] = {r[7] - r[5], r[2] - r[6], r[3] - r[1]}, length = ref_length(sine2);
	for (int i = 0; i < 3; i++) {
		m.turn_rad[i] = length > 0.0 ? sine2[i] / length * asin(fmin(1.0, 0.5 * length)) : 0.0;
		m.information[7 * i] = turn_sigma_rad > 0.0 ? 1.0 / (turn_sigma_rad * turn_sigma_rad) : 0.0;
		m.information[7 * (3 + i)] = move_sigma_mm > 0.0 ? 1.0 / (move_sigma_mm * move_sigma_mm) : 0.0;
	}
	return m;
}

static void assert_pose_near(const enm_pose *got, const enm_pose *wanted, double angle, double shift_mm, const char *what)
{
	const ref_pose a = ref_pose_from(got), b = ref_pose_from(wanted);
	if (!(ref_pose_angle(&a, &b) <= angle && ref_pose_shift(&a, &b) <= shift_mm))
		fail_msg("%s: off by %.5f rad and %.4f mm", what, ref_pose_angle(&a, &b), ref_pose_shift(&a, &b));
}

/* A turn of 9 degrees from one frame to the next: 2 mm in the picture, where the field reaches 0.4. */
static enm_pose jerk(int frame)
{
	return frame < 3 ? enm_pose_identity() : ref_pose_make(0.05, 0.14, 0.05, 0.05, 0, 0);
}

static void gyroscope_carries_over_a_jerk(void **state)
{
	(void)state;
	for (int with = 0; with < 2; with++) {
		const enm_pose start = jerk(0), end = jerk(4);
		enm_session *s = session_at(&start);
		enm_report r = push_view(s, &the_scan.scene, &start, 0, NULL);
		for (int f = 1; f < 5; f++) {
			const enm_pose pose = jerk(f);
			const enm_motion motion = told(jerk, f, 1e-3, 0.0);
			r = push_view(s, &the_scan.scene, &pose, f, with ? &motion : NULL);
			if (f == 3)
				assert_int_equal(r.verdict == ENM_VERDICT_TRACKED, with);
		}
		if (with)
			assert_pose_near(&r.world_from_camera, &end, 3e-3, 0.03, "after the jerk");
		enm_session_destroy(&s);
	}
}

/* A gyroscope that is wrong by five of its sigmas does not bend a pose that the surface fixes. */
static void surface_wins_over_a_poor_gyroscope(void **state)
{
	(void)state;
	enm_session *s = session_at(&(enm_pose){.q_xyzw = {0, 0, 0, 1}});
	const enm_pose rest = enm_pose_identity();
	enm_report r = push_view(s, &the_scan.scene, &rest, 0, NULL);
	for (int f = 1; f < 6; f++) {
		enm_motion motion = {.turn_rad = {0.01, -0.01, 0.0}};
		for (int i = 0; i < 3; i++)
			motion.information[7 * i] = 1.0 / (0.002 * 0.002);
		r = push_view(s, &the_scan.scene, &rest, f, &motion);
		assert_int_equal(r.verdict, ENM_VERDICT_TRACKED);
	}
	assert_pose_near(&r.world_from_camera, &rest, 4e-3, 0.04, "at rest");
	enm_session_destroy(&s);
}

/* Along a plane, about its normal, and towards it. */
static enm_pose slide(int frame)
{
	return ref_pose_make(0, 0, 0.004 * frame, 0.15 * frame, -0.1 * frame, 0.05 * sin(0.5 * frame));
}

/* The plane says how far it is, and the caller all else. */
static void plane_slides_as_told(void **state)
{
	(void)state;
	for (int with = 0; with < 2; with++) {
		const enm_pose start = slide(0), end = slide(9);
		enm_session *s = session_at(&start);
		enm_report r = push_view(s, &plane, &start, 0, NULL);
		for (int f = 1; f < 10; f++) {
			const enm_pose pose = slide(f);
			enm_motion motion = told(slide, f, 1e-3, 0.01);
			motion.move_mm[2] += 0.05; /* wrong where the plane knows better */
			r = push_view(s, &plane, &pose, f, with ? &motion : NULL);
			assert_int_equal(r.verdict, ENM_VERDICT_WEAK);
			assert_int_equal(r.reason, ENM_REASON_DEGENERATE);
			assert_false(r.fused);
		}
		const double *at = r.world_from_camera.t_mm;
		assert_true(fabs(at[2] - end.t_mm[2]) < 0.03);
		if (with)
			assert_pose_near(&r.world_from_camera, &end, 4e-3, 0.05, "slid");
		else
			assert_true(hypot(at[0], at[1]) < 0.3); /* of 1.6: nobody knew */
		enm_session_destroy(&s);
	}
}

/* At rest, then 1.8 mm while nothing is seen. */
static enm_pose blind(int frame)
{
	const int moved = frame < 3 ? 0 : frame > 6 ? 4 : frame - 2;
	return ref_pose_make(0.01 * moved, 0, 0.02 * moved, 0.4 * moved, -0.2 * moved, 0.05 * moved);
}

/* Frames without readings carry the motion that was told with them. */
static void motion_is_followed_blindly(void **state)
{
	(void)state;
	for (int with = 0; with < 2; with++) {
		const enm_pose start = blind(0), end = blind(7);
		enm_session *s = session_at(&start);
		enm_report r = push_view(s, &the_scan.scene, &start, 0, NULL);
		for (int f = 1; f < 8; f++) {
			const enm_pose pose = blind(f);
			const enm_motion motion = told(blind, f, 1e-3, 0.01);
			r = push_view(s, f >= 3 && f < 7 ? NULL : &the_scan.scene, &pose, f, with ? &motion : NULL);
			if (f >= 3 && f < 7)
				assert_int_equal(r.verdict, ENM_VERDICT_LOST);
		}
		assert_int_equal(r.verdict == ENM_VERDICT_TRACKED, with);
		if (with) {
			assert_int_equal(r.events & ENM_EVENT_RECOVERED, ENM_EVENT_RECOVERED);
			assert_pose_near(&r.world_from_camera, &end, 3e-3, 0.03, "seen again");
		}
		enm_session_destroy(&s);
	}
}

/* A motion of no information changes no bit. */
static void motion_of_no_information_says_nothing(void **state)
{
	(void)state;
	const enm_motion nothing = {.turn_rad = {0.3, 0.2, 0.1}, .move_mm = {5, 6, 7}};
	enm_report reports[2];
	for (int with = 0; with < 2; with++) {
		enm_session *s = session_at(&the_scan.truth[0]);
		for (int f = 0; f < 5; f++) {
			enm_frame frame = scan_frame(f);
			frame.motion = with ? &nothing : NULL;
			reports[with] = scan_push(s, &frame);
			assert_int_equal(reports[with].verdict, ENM_VERDICT_TRACKED);
		}
		enm_session_destroy(&s);
	}
	assert_memory_equal(&reports[0].world_from_camera, &reports[1].world_from_camera, sizeof(enm_pose));
}

/* ---- times ---- */

/* Every fourth picture is followed at once by another: the same, or the next one, which comes again in its turn. */
static void frames_in_a_burst_do_no_harm(void **state)
{
	(void)state;
	const int64_t later_ns[] = {1, 1000, 1000000, 5000000};
	enm_session_def def = the_scan.def;
	def.color = false;
	for (int next = 0; next < 2; next++) {
		for (int g = 0; g < 4; g++) {
			enm_session *s = scan_session(&def);
			for (int i = 0; i < SCAN_FRAMES / 2; i++) {
				enm_frame f = scan_frame(i);
				assert_int_equal(scan_push(s, &f).verdict, ENM_VERDICT_TRACKED);
				if (i % 4 != 3)
					continue;
				f.depth = scan_frame(i + next).depth;
				f.time_ns += later_ns[g];
				assert_int_equal(scan_push(s, &f).verdict, ENM_VERDICT_TRACKED);
			}
			enm_session_destroy(&s);
		}
	}
}

SCAN_TEST_MAIN(cmocka_unit_test(open_directions_are_told), cmocka_unit_test(covariance_is_small_where_the_surface_fixes_the_pose),
	cmocka_unit_test(gyroscope_carries_over_a_jerk), cmocka_unit_test(surface_wins_over_a_poor_gyroscope),
	cmocka_unit_test(plane_slides_as_told), cmocka_unit_test(motion_is_followed_blindly),
	cmocka_unit_test(motion_of_no_information_says_nothing),
	cmocka_unit_test(frames_in_a_burst_do_no_harm))
