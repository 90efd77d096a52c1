/* SPDX-License-Identifier: Apache-2.0
 * Gaps of a model while it grows: patches joined, on sheets whose borders are known and on a session's surface. */
#include "cmocka_all.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scan_gaps.h"

/* ---- sheets ---- */

#define VOXEL_MM 0.1
#define CELLS 8u /* of a patch, along each side */

/* What an update holds of a sheet of two patches side by side at about z = 0.05: vertices lie on the upright edges of the grid. */
typedef struct sheet {
	enm_patch patches[2];
	enm_patch_vertex vertices[2 * (CELLS + 1) * (CELLS + 1)];
	uint16_t triangles[2 * 6 * CELLS * CELLS];
	enm_surface_data data;
} sheet;

/* Adds the patch with number `id`, at `up` of a voxel; its cells within `hole` of the border between the two are left out. */
static void add_patch(sheet *s, uint32_t id, double up, double hole)
{
	enm_surface_data *d = &s->data;
	enm_patch *p = &s->patches[d->patch_count++];
	*p = (enm_patch){.id = id, .vertex_first = (uint32_t)d->vertex_count, .triangle_first = (uint32_t)d->triangle_count};
	for (uint32_t i = 0; i < (CELLS + 1) * (CELLS + 1); i++) {
		const double at[3] = {id * CELLS + i % (CELLS + 1), i / (CELLS + 1), up};
		for (int k = 0; k < 3; k++)
			s->vertices[d->vertex_count + i].position_mm[k] = (float)at[k] * (float)VOXEL_MM;
	}
	for (uint32_t c = 0; c < CELLS * CELLS; c++) {
		const uint32_t x = c % CELLS, y = c / CELLS, from = y * (CELLS + 1) + x;
		const double off = fabs(id * CELLS + x + 0.5 - CELLS);
		if (off < hole && y >= 2 && y < 6)
			continue;
		const uint32_t six[6] = {from, from + 1, from + CELLS + 2, from, from + CELLS + 2, from + CELLS + 1};
		for (int k = 0; k < 6; k++)
			s->triangles[3 * d->triangle_count + (size_t)k] = (uint16_t)six[k];
		d->triangle_count += 2;
	}
	p->vertex_count = (CELLS + 1) * (CELLS + 1);
	p->triangle_count = (uint32_t)d->triangle_count - p->triangle_first;
	d->vertex_count += p->vertex_count;
	d->patches = s->patches;
	d->vertices = s->vertices;
	d->triangles = s->triangles;
}

static size_t borders_of(const scan_patches *p, enm_gap out[8])
{
	size_t count = 0;
	enm_mesh *mesh = scan_patches_join(p, VOXEL_MM);
	assert_non_null(mesh);
	assert_int_equal(enm_mesh_gaps(mesh, 0.0, out, 8, &count), ENM_OK);
	enm_mesh_destroy(&mesh);
	return count;
}

static void patches_are_joined_along_the_grid(void **state)
{
	(void)state;
	static sheet s;
	enm_gap gaps[8];
	scan_patches *p = scan_patches_create();
	assert_non_null(p);
	assert_null(scan_patches_join(p, VOXEL_MM));
	/* a hole of 4 x 4 cells over the border, and vertices that later frames have moved by a tenth of a voxel on one side of it */
	memset(&s, 0, sizeof s);
	add_patch(&s, 0, 0.5, 2.0);
	add_patch(&s, 1, 0.6, 2.0);
	assert_true(scan_patches_take(p, &s.data));
	assert_int_equal(borders_of(p, gaps), 2);
	assert_true(!gaps[0].rim && fabs(gaps[0].length_mm - 1.6) < 0.05);
	assert_true(gaps[1].rim && fabs(gaps[1].length_mm - 4.8) < 0.05);
	/* an update takes the place of the patch with its id: half of the hole is closed */
	memset(&s, 0, sizeof s);
	add_patch(&s, 1, 0.5, 0.0);
	assert_true(scan_patches_take(p, &s.data));
	assert_int_equal(borders_of(p, gaps), 2);
	assert_true(fabs(gaps[0].length_mm - 1.2) < 0.01);
	memset(&s, 0, sizeof s);
	add_patch(&s, 0, 0.5, 0.0);
	assert_true(scan_patches_take(p, &s.data));
	assert_int_equal(borders_of(p, gaps), 1);
	/* a patch goes, then all of them */
	s.patches[0].triangle_count = s.patches[0].vertex_count = 0;
	assert_true(scan_patches_take(p, &s.data));
	assert_int_equal(borders_of(p, gaps), 1);
	assert_true(fabs(gaps[0].length_mm - 3.2) < 0.01);
	const enm_surface_data nothing = {.cleared = true};
	assert_true(scan_patches_take(p, &nothing));
	assert_null(scan_patches_join(p, VOXEL_MM));
	scan_patches_destroy(&p);
	assert_null(p);
}

/* ---- a session ---- */

#define WIDTH 240
#define HEIGHT 180
#define FRAMES 24
#define PATIENCE_S 120

typedef struct heard {
	pthread_mutex_t lock;
	enm_gap gaps[64];
	size_t count, lists;
} heard;

static void hear(void *user, const enm_gap *gaps, size_t count)
{
	heard *h = user;
	pthread_mutex_lock(&h->lock);
	h->count = 0;
	for (size_t i = 0; i < count && h->count < 64; i++)
		if (!gaps[i].rim)
			h->gaps[h->count++] = gaps[i];
	h->lists++;
	pthread_mutex_unlock(&h->lock);
}

/* A wavy surface 14 mm away, without readings about the place (1, 0). */
static float depth_at(const enm_camera *camera, int u, int v, double moved_mm)
{
	const double to_x = (u - camera->cx) / camera->fx, to_y = (v - camera->cy) / camera->fy;
	double z = 14.0;
	for (int i = 0; i < 16; i++)
		z = 14.0 + 0.4 * sin(0.9 * (z * to_x + moved_mm)) * cos(0.7 * z * to_y);
	return hypot(z * to_x + moved_mm - 1.0, z * to_y) < 0.9 ? 0.0f : (float)z;
}

static void push_frames(enm_session *session, const enm_camera *camera, scan_gaps *g)
{
	static float depth_mm[WIDTH * HEIGHT];
	for (int i = 0; i < FRAMES; i++) {
		const enm_frame frame = {.depth = depth_mm, .depth_format = ENM_DEPTH_F32_MM, .time_ns = i * INT64_C(33333333)};
		for (int p = 0; p < WIDTH * HEIGHT; p++)
			depth_mm[p] = depth_at(camera, p % WIDTH, p / WIDTH, 0.05 * i);
		assert_int_equal(enm_session_push(session, &frame, NULL), ENM_OK);
		assert_int_equal(scan_gaps_follow(g, session, 0.1), HOST_OK);
	}
	assert_int_equal(enm_session_flush(session), ENM_OK);
}

/* Of the finished model, at least as long as those that a scan is told of. */
static size_t gaps_of(enm_session *session, enm_gap out[64])
{
	enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	size_t count, gaps = 0;
	def.island_triangles_min = 0;
	assert_int_equal(enm_session_mesh(session, &def, &mesh), ENM_OK);
	assert_int_equal(enm_mesh_gaps(mesh, SCAN_GAPS_MIN_VOXELS * 0.1, out, 64, &count), ENM_OK);
	enm_mesh_destroy(&mesh);
	for (size_t i = 0; i < count; i++)
		gaps += !out[i].rim; /* the first ones */
	return gaps;
}

static void gaps_of_a_scan_are_those_of_its_mesh(void **state)
{
	(void)state;
	const enm_camera camera = {.width = WIDTH, .height = HEIGHT, .fx = 200, .fy = 200, .cx = 0.5 * (WIDTH - 1), .cy = 0.5 * (HEIGHT - 1)};
	const enm_context_def context_def = enm_context_def_default();
	const enm_session_def def = enm_session_def_default(&camera, ENM_SCALE_TOOTH);
	enm_context *context = NULL;
	enm_session *session = NULL;
	scan_gaps *g = NULL;
	static heard h = {.lock = PTHREAD_MUTEX_INITIALIZER};
	enm_gap wanted[64];
	assert_true(fabs(def.voxel_mm - 0.1) < 1e-9);
	assert_int_equal(enm_context_create(&context_def, &context), ENM_OK);
	assert_int_equal(enm_session_create(context, &def, &session), ENM_OK);
	assert_int_equal(scan_gaps_create(hear, &h, &g), HOST_OK);
	push_frames(session, &camera, g);
	const size_t count = gaps_of(session, wanted);
	assert_true(count >= 1 && wanted[0].length_mm > 4.0);
	bool same = false;
	for (time_t end = time(NULL) + PATIENCE_S; !same && time(NULL) < end;) {
		assert_int_equal(scan_gaps_follow(g, session, 0.1), HOST_OK);
		nanosleep(&(struct timespec){0, 20000000}, NULL);
		pthread_mutex_lock(&h.lock);
		same = h.count == count && fabs(h.gaps[0].length_mm - wanted[0].length_mm) < 0.01 &&
		       fabs(h.gaps[0].centre_mm[0] - wanted[0].centre_mm[0]) < 0.01;
		pthread_mutex_unlock(&h.lock);
	}
	scan_gaps_destroy(&g);
	if (!same)
		fail_msg("%zu gaps, the longest %g mm, instead of %zu and %g", h.count, h.count ? h.gaps[0].length_mm : 0.0, count, wanted[0].length_mm);
	scan_gaps_destroy(&g);
	enm_session_destroy(&session);
	enm_context_destroy(&context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patches_are_joined_along_the_grid),
		cmocka_unit_test(gaps_of_a_scan_are_those_of_its_mesh),
	};
	return cmocka_run_group_tests_name("scan_gaps", tests, NULL, NULL);
}
