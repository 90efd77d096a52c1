/* SPDX-License-Identifier: Apache-2.0
 * What a session makes of surfaces whose shape does not fix the pose, with and without a texture. */
#include "scan.h"

#include <math.h>

#define VIEWS 16

/* A plane in colour, seen by a wand that slides along it. */
typedef struct show {
	double texture;  /* how much of it there is: 0 for a plain one */
	double exposure; /* brightest frames by the darkest ones */
	double shading;  /* how much darker the rim is, which moves with the wand */
	bool color;
} show;

static uint64_t bits(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static double spread(uint64_t *state)
{
	double sum = -6.0;
	for (int k = 0; k < 12; k++)
		sum += (double)bits(state) / 2147483648.0;
	return sum;
}

static enm_pose view_pose(int i)
{
	return ref_pose_make(0.004 * sin(0.5 * i), 0.003 * i / VIEWS, 0.02 * sin(0.3 * i), 0.15 * i, 0.6 * sin(0.25 * i), 0.1 * sin(0.4 * i));
}

/* Dark lines on a lighter ground. */
static double texture_at(const double p[3])
{
	const double a = sin(2.1 * p[0] + 1.3 * sin(1.1 * p[1])), b = sin(1.9 * p[1] - 1.2 * sin(0.9 * p[0]));
	return exp(-16.0 * a * a) + 0.8 * exp(-16.0 * b * b);
}

static void render(const show *how, int i, uint16_t *depth, uint8_t *color)
{
	static float exact[SCAN_PIXELS];
	static const ref_scene plane = {REF_PLANE, 0, 0, -1, -13.0};
	const enm_camera *camera = &the_scan.def.camera;
	const enm_pose at = view_pose(i);
	const ref_pose pose = ref_pose_from(&at);
	uint64_t random = 991u + (uint64_t)i;
	const double exposed = pow(how->exposure, 0.5 * sin(1.1 * i));
	ref_scene_render(&plane, camera, &at, 30.0, exact);
	for (uint32_t k = 0; k < SCAN_PIXELS; k++) {
		const double z = (double)exact[k];
		double ray[2], p[3];
		ref_ray(camera, k % SCAN_WIDTH, k / SCAN_WIDTH, ray);
		const double seen[3] = {ray[0] * z, ray[1] * z, z};
		ref_pose_apply(&pose, seen, p);
		const double light = exposed * (1.0 - how->shading * (ray[0] * ray[0] + ray[1] * ray[1]));
		const double grey = light * 130.0 * (1.0 - 0.5 * how->texture * texture_at(p)) + 2.0 * spread(&random);
		depth[k] = (uint16_t)lrint(1000.0 * (z + 0.010 * spread(&random)));
		for (int c = 0; c < 3; c++)
			color[3 * k + (uint32_t)c] = (uint8_t)lrint(fmin(fmax(grey * (c == 0 ? 1.2 : 0.9), 1.0), 255.0));
	}
}

static void scan_plane(const show *how, enm_report out[VIEWS])
{
	static uint16_t depth[SCAN_PIXELS];
	static uint8_t color[3 * SCAN_PIXELS];
	enm_session_def def = the_scan.def;
	def.color = how->color;
	def.start_world_from_camera = view_pose(0);
	enm_session *s = scan_session(&def);
	for (int i = 0; i < VIEWS; i++) {
		render(how, i, depth, color);
		const enm_frame f = {
			.depth = depth, .color_rgb = how->color ? color : NULL, .time_ns = (int64_t)i * SCAN_PERIOD_NS};
		out[i] = scan_push(s, &f);
	}
	enm_session_destroy(&s);
}

static int count(const enm_report reports[VIEWS], enm_verdict verdict)
{
	int n = 0;
	for (int i = 0; i < VIEWS; i++)
		n += reports[i].verdict == verdict;
	return n;
}

/* How far the worst tracked pose is from the truth. */
static double off_um(const enm_report reports[VIEWS])
{
	double worst = 0.0;
	for (int i = 0; i < VIEWS; i++) {
		const enm_pose truth = view_pose(i);
		const ref_pose a = ref_pose_from(&reports[i].world_from_camera), b = ref_pose_from(&truth);
		if (reports[i].verdict == ENM_VERDICT_TRACKED)
			worst = fmax(worst, 1000.0 * ref_pose_shift(&a, &b));
	}
	return worst;
}

static void texture_is_tracked(void **state)
{
	(void)state;
	const show shows[] = {{1, 1, 0, true}, {1, 2, 0, true}, {1, 2, 1.2, true}};
	for (int i = 0; i < 3; i++) {
		enm_report reports[VIEWS];
		scan_plane(&shows[i], reports);
		print_message("%d of %d tracked, %.1f um off\n", count(reports, ENM_VERDICT_TRACKED), VIEWS, off_um(reports));
		assert_int_equal(count(reports, ENM_VERDICT_TRACKED), VIEWS);
		assert_true(off_um(reports) < 60.0);
	}
}

/* Neither noise, nor exposure, nor a light that moves with the wand is a texture. */
static void what_is_no_texture_is_not_believed(void **state)
{
	(void)state;
	const show shows[] = {{1, 1, 0, false}, {0, 1, 0, true}, {0, 2, 0, true}, {0, 2, 1.2, true}};
	for (int i = 0; i < 4; i++) {
		enm_report reports[VIEWS];
		scan_plane(&shows[i], reports);
		assert_int_equal(reports[0].reason, ENM_REASON_FIRST);
		assert_int_equal(count(reports, ENM_VERDICT_TRACKED), 1);
		for (int k = 1; k < 4; k++) {
			assert_int_equal(reports[k].verdict, ENM_VERDICT_WEAK);
			assert_int_equal(reports[k].reason, ENM_REASON_DEGENERATE);
			assert_int_equal(reports[k].held, 3);
		}
	}
}

static void each_run_is_the_same(void **state)
{
	(void)state;
	const show how = {1, 2, 1.2, true};
	enm_report a[VIEWS], b[VIEWS];
	scan_plane(&how, a);
	scan_plane(&how, b);
	for (int i = 0; i < VIEWS; i++) {
		assert_memory_equal(&a[i].world_from_camera, &b[i].world_from_camera, sizeof(enm_pose));
		assert_int_equal(a[i].verdict, b[i].verdict);
		assert_int_equal(a[i].iterations, b[i].iterations);
	}
}

SCAN_TEST_MAIN(cmocka_unit_test(texture_is_tracked), cmocka_unit_test(what_is_no_texture_is_not_believed),
	cmocka_unit_test(each_run_is_the_same))
