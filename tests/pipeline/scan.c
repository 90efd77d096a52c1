/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <math.h>
#include <stdio.h>

scan the_scan;
enm_context *the_context;

/* splitmix64 (Steele, Lea and Flood 2014), twelve of them added for a normal one. */
static double noise(uint64_t *state)
{
	double sum = -6.0;
	for (int i = 0; i < 12; i++) {
		uint64_t z = (*state += 0x9E3779B97F4A7C15u);
		z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
		z = (z ^ z >> 27) * 0x94D049BB133111EBu;
		sum += (double)((z ^ z >> 31) >> 32) / 4294967296.0;
	}
	return sum;
}

static void print_log(void *user, enm_log_level level, const char *text)
{
	(void)user;
	(void)level;
	fprintf(stderr, "%s\n", text);
}

/* A hand that moves at 4 mm/s and turns a little. */
static enm_pose path(int i)
{
	const double t = i / (double)SCAN_FRAMES;
	return ref_pose_make(
		0.06 * sin(3 * t), 0.08 * t, 0.10 * sin(2 * t), 3.2 * t, 0.5 * sin(4 * t), 0.3 * sin(5 * t));
}

/* A frame is rendered when it is first asked for. Not by two threads at once. */
static void render(int f)
{
	uint64_t random = 42u + (uint64_t)f;
	float *exact = malloc(SCAN_PIXELS * sizeof(*exact));
	the_scan.depth[f] = malloc(SCAN_PIXELS * sizeof(uint16_t));
	if (exact == NULL || the_scan.depth[f] == NULL)
		abort();
	ref_scene_render(&the_scan.scene, &the_scan.def.camera, &the_scan.truth[f], 60.0, exact);
	for (uint32_t i = 0; i < SCAN_PIXELS; i++)
		the_scan.depth[f][i] = (uint16_t)lrint(1000.0 * ((double)exact[i] + 0.010 * noise(&random)));
	free(exact);
}

static int prepare(void)
{
	the_scan.color = malloc(3 * SCAN_PIXELS);
	if (the_scan.color == NULL)
		return -1;
	for (uint32_t i = 0; i < 3 * SCAN_PIXELS; i++)
		the_scan.color[i] = (uint8_t)(60 + i % 3 * 50);
	for (int f = 0; f < SCAN_FRAMES; f++)
		the_scan.truth[f] = path(f);
	return 0;
}

int scan_open(void **state)
{
	(void)state;
	const enm_camera camera = {
		.width = SCAN_WIDTH, .height = SCAN_HEIGHT, .fx = 176, .fy = 176, .cx = 79.7, .cy = 59.2};
	enm_context_def def = enm_context_def_default();
	def.device_name = getenv("ENAMEL_TEST_DEVICE");
	def.log = print_log;
	the_scan.scene = (ref_scene){REF_BUMPS, 13.0, 0.7, 1.1, 0.9};
	the_scan.def = enm_session_def_default(&camera, ENM_SCALE_TOOTH);
	the_scan.def.color = true;
	the_scan.def.start_world_from_camera = path(0);
	if (prepare() != 0)
		return -1;
	if (enm_context_create(&def, &the_context) != ENM_OK) {
		fprintf(stderr, "%s\n", enm_last_error());
		return -1;
	}
	return 0;
}

int scan_close(void **state)
{
	(void)state;
	enm_context_destroy(&the_context);
	for (int f = 0; f < SCAN_FRAMES; f++)
		free(the_scan.depth[f]);
	free(the_scan.color);
	return 0;
}

void scan_want(enm_result wanted, enm_result got, const char *call, const char *file, int line)
{
	if (wanted == got)
		return;
	print_error("%s: %s, not %s (%s)\n", call, enm_result_name(got), enm_result_name(wanted), enm_last_error());
	_fail(file, line);
}

enm_session *scan_session(const enm_session_def *def)
{
	enm_session *session = NULL;
	WANT(ENM_OK, enm_session_create(the_context, def, &session));
	return session;
}

enm_frame scan_frame(int index)
{
	if (the_scan.depth[index] == NULL)
		render(index);
	return (enm_frame){.depth = the_scan.depth[index],
		.color_rgb = the_scan.color,
		.time_ns = (int64_t)index * SCAN_PERIOD_NS};
}

const uint16_t *scan_bent_frame(int n)
{
	static uint16_t *kept[SCAN_FRAMES];
	const enm_frame frame = scan_frame(n);
	const uint16_t *straight = frame.depth;
	if (kept[n] != NULL)
		return kept[n];
	kept[n] = malloc(SCAN_PIXELS * sizeof(uint16_t));
	assert_non_null(kept[n]);
	for (uint32_t i = 0; i < SCAN_PIXELS; i++) {
		const double x = 2.0 * (i % SCAN_WIDTH) / (SCAN_WIDTH - 1.0) - 1.0,
			     y = 2.0 * (double)(i / SCAN_WIDTH) / (SCAN_HEIGHT - 1.0) - 1.0;
		kept[n][i] = (uint16_t)(straight[i] + lrint(SCAN_BOW_UM * (x * x + y * y) + SCAN_TWIST_UM * x * y));
	}
	return kept[n];
}

enm_report scan_push(enm_session *session, const enm_frame *frame)
{
	enm_report report;
	WANT(ENM_OK, enm_session_push(session, frame, NULL));
	WANT(ENM_OK, enm_session_flush(session));
	WANT(ENM_OK, enm_session_next_report(session, &report));
	return report;
}

void scan_run(enm_session *session, int from, int to, outcome *out)
{
	for (int i = from; i < to; i++) {
		const enm_frame frame = scan_frame(i);
		WANT(ENM_OK, enm_session_push(session, &frame, NULL));
	}
	WANT(ENM_OK, enm_session_flush(session));
	for (int i = from; i < to; i++)
		WANT(ENM_OK, enm_session_next_report(session, &out->reports[i]));
}

void outcome_mesh(enm_session *session, outcome *out)
{
	const enm_mesh_def def = enm_mesh_def_default();
	WANT(ENM_OK, enm_session_mesh(session, &def, &out->mesh));
}

void outcome_drop(outcome *o)
{
	enm_mesh_destroy(&o->mesh);
}

void assert_same_outcome(const outcome *a, const outcome *b)
{
	enm_mesh_data m, n;
	for (int i = 0; i < SCAN_FRAMES; i++) {
		assert_memory_equal(
			&a->reports[i].world_from_camera, &b->reports[i].world_from_camera, sizeof(enm_pose));
		assert_int_equal(a->reports[i].verdict, b->reports[i].verdict);
		assert_int_equal(a->reports[i].blocks_used, b->reports[i].blocks_used);
	}
	WANT(ENM_OK, enm_mesh_get(a->mesh, &m));
	WANT(ENM_OK, enm_mesh_get(b->mesh, &n));
	assert_int_equal(m.vertex_count, n.vertex_count);
	assert_int_equal(m.triangle_count, n.triangle_count);
	assert_memory_equal(m.positions_mm, n.positions_mm, 12 * m.vertex_count);
	assert_memory_equal(m.normals, n.normals, 12 * m.vertex_count);
	assert_memory_equal(m.colors_rgb, n.colors_rgb, 3 * m.vertex_count);
	assert_memory_equal(m.views, n.views, 2 * m.vertex_count);
	assert_memory_equal(m.sigma_um, n.sigma_um, 4 * m.vertex_count);
	assert_memory_equal(m.triangles, n.triangles, 12 * m.triangle_count);
}
