/* SPDX-License-Identifier: Apache-2.0
 * The surface while scanning: the patches against the mesh, and that nobody notices. */
#include "scan.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

/* What a viewer keeps: the last patch of each id. */
typedef struct kept {
	uint32_t id;
	enm_patch_vertex *vertices;
	uint16_t *triangles;
	uint32_t vertex_count, triangle_count;
} kept;

typedef struct viewer {
	kept *patches;
	size_t count, room;
	uint64_t frames, complete;
	uint32_t updates, full, cleared, emptied;
} viewer;

static void forget(viewer *v)
{
	for (size_t i = 0; i < v->count; i++) {
		free(v->patches[i].vertices);
		free(v->patches[i].triangles);
	}
	v->count = 0;
}

static void viewer_drop(viewer *v)
{
	forget(v);
	free(v->patches);
	memset(v, 0, sizeof(*v));
}

static void *copy_of(const void *from, size_t bytes)
{
	void *to = malloc(bytes + 1);
	assert_non_null(to);
	if (bytes > 0)
		memcpy(to, from, bytes);
	return to;
}

static kept *place_for(viewer *v, uint32_t id)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->patches[i].id == id)
			return &v->patches[i];
	if (v->count == v->room) {
		v->room = 2 * v->room + 64;
		v->patches = realloc(v->patches, v->room * sizeof(*v->patches));
		assert_non_null(v->patches);
	}
	v->patches[v->count] = (kept){.id = id};
	return &v->patches[v->count++];
}

static void take(viewer *v, const enm_surface *surface)
{
	enm_surface_data d;
	WANT(ENM_OK, enm_surface_get(surface, &d));
	assert_true(d.frames_complete <= d.frames);
	if (d.cleared) {
		forget(v);
		v->cleared++;
	} else {
		assert_true(d.frames >= v->frames && d.frames_complete >= v->complete);
	}
	for (size_t i = 0; i < d.patch_count; i++) {
		const enm_patch *p = &d.patches[i];
		assert_true(p->vertex_first + (size_t)p->vertex_count <= d.vertex_count);
		assert_true(p->triangle_first + (size_t)p->triangle_count <= d.triangle_count);
		for (size_t k = 3 * (size_t)p->triangle_first; k < 3 * ((size_t)p->triangle_first + p->triangle_count);
			k++)
			assert_true(d.triangles[k] < p->vertex_count);
		kept *to = place_for(v, p->id);
		if (p->triangle_count == 0) {
			assert_true(to->triangle_count > 0); /* only what was there can go */
			v->emptied++;
		}
		free(to->vertices);
		free(to->triangles);
		to->vertices = copy_of(d.vertices + p->vertex_first, p->vertex_count * sizeof(*d.vertices));
		to->triangles = copy_of(d.triangles + 3 * p->triangle_first, p->triangle_count * (size_t)6);
		to->vertex_count = p->vertex_count;
		to->triangle_count = p->triangle_count;
	}
	v->frames = d.frames;
	v->complete = d.frames_complete;
	v->updates++;
}

static enm_result look(viewer *v, enm_session *s, const enm_surface_def *def)
{
	enm_surface *surface = NULL;
	const enm_result result = enm_session_surface_update(s, def, &surface);
	if (result != ENM_OK && result != ENM_FULL && result != ENM_EMPTY)
		scan_want(ENM_OK, result, "enm_session_surface_update", __FILE__, __LINE__);
	assert_true((surface != NULL) == (result != ENM_EMPTY));
	v->full += result == ENM_FULL;
	if (surface != NULL)
		take(v, surface);
	enm_surface_destroy(&surface);
	assert_null(surface);
	return result;
}

/* Looks at every frame. */
static enm_surface_def eager_def(void)
{
	enm_surface_def def = enm_surface_def_default();
	def.apart_ms = 0.0;
	return def;
}

/* Until the surface holds `frames` frames. Frames are done when it begins, so that all there is to wait for is a slice.
 */
static void catch_up(viewer *v, enm_session *s, const enm_surface_def *def, uint64_t frames)
{
	const struct timespec nap = {0, 200000};
	for (int i = 0; v->updates == 0 || v->complete < frames; i++) {
		assert_true(i < 300000); /* a minute and more */
		if (look(v, s, def) == ENM_EMPTY)
			nanosleep(&nap, NULL);
	}
}

/* ---- patches against the mesh ---- */

typedef struct corner_set {
	enm_patch_vertex v[3];
} corner_set;

static int compare_triangles(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(corner_set));
}

static void sort_triangles(corner_set *t, size_t count)
{
	for (size_t i = 0; i < count; i++) { /* the least corner first, the turn kept */
		int least = 0;
		for (int c = 1; c < 3; c++)
			if (memcmp(&t[i].v[c], &t[i].v[least], sizeof(t[i].v[0])) < 0)
				least = c;
		const corner_set old = t[i];
		for (int c = 0; c < 3; c++)
			t[i].v[c] = old.v[(least + c) % 3];
	}
	qsort(t, count, sizeof(*t), compare_triangles);
}

static corner_set *triangles_of_patches(const viewer *v, size_t *out_count)
{
	size_t count = 0, at = 0;
	for (size_t i = 0; i < v->count; i++)
		count += v->patches[i].triangle_count;
	corner_set *t = calloc(count + 1, sizeof(*t));
	assert_non_null(t);
	for (size_t i = 0; i < v->count; i++) {
		const kept *p = &v->patches[i];
		for (uint32_t k = 0; k < p->triangle_count; k++, at++)
			for (int c = 0; c < 3; c++)
				t[at].v[c] = p->vertices[p->triangles[3 * k + (uint32_t)c]];
	}
	*out_count = count;
	return t;
}

static corner_set *triangles_of_mesh(enm_session *s, uint32_t views_min, size_t *out_count)
{
	enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data d;
	def.views_min = views_min;
	def.island_triangles_min = 0;
	WANT(ENM_OK, enm_session_mesh(s, &def, &mesh));
	WANT(ENM_OK, enm_mesh_get(mesh, &d));
	corner_set *t = calloc(d.triangle_count + 1, sizeof(*t));
	assert_non_null(t);
	for (size_t i = 0; i < d.triangle_count; i++) {
		for (size_t c = 0; c < 3; c++) {
			const size_t from = d.triangles[3 * i + c];
			enm_patch_vertex *to = &t[i].v[c];
			memcpy(to->position_mm, d.positions_mm + 3 * from, 12);
			memcpy(to->normal, d.normals + 3 * from, 12);
			memcpy(to->rgb, d.colors_rgb + 3 * from, 3);
			to->sigma_um = d.sigma_um[from];
			to->views = (uint8_t)d.views[from];
		}
	}
	*out_count = d.triangle_count;
	enm_mesh_destroy(&mesh);
	return t;
}

/* The same triangles, with the same bits in all that a vertex has. */
static void assert_patches_are_the_mesh(const viewer *v, enm_session *s, uint32_t views_min)
{
	size_t patches = 0, mesh = 0;
	corner_set *a = triangles_of_patches(v, &patches), *b = triangles_of_mesh(s, views_min, &mesh);
	assert_int_equal(patches, mesh);
	assert_true(mesh > 1000);
	sort_triangles(a, patches);
	sort_triangles(b, mesh);
	size_t differ = 0;
	for (size_t i = 0; i < mesh; i++)
		differ += memcmp(&a[i], &b[i], sizeof(a[i])) != 0;
	if (differ > 0)
		print_error("%zu of %zu triangles differ\n", differ, mesh);
	assert_int_equal(differ, 0);
	free(a);
	free(b);
}

static void push(enm_session *s, int index)
{
	const enm_frame frame = scan_frame(index);
	WANT(ENM_OK, enm_session_push(s, &frame, NULL));
}

/* Frames from 0 to the end, with a look after each. */
static void follow(viewer *v, enm_session *s, const enm_surface_def *def, int frames)
{
	for (int i = 0; i < frames; i++) {
		push(s, i);
		look(v, s, def);
	}
	WANT(ENM_OK, enm_session_flush(s));
	catch_up(v, s, def, (uint64_t)frames);
}

/* In slices of the least size, at every turn of the scan. */
static void patches_are_the_mesh(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_surface_def def = eager_def();
	viewer v = {0};
	def.bytes_max = 256 << 10;
	for (int i = 0; i < SCAN_FRAMES; i++) {
		push(s, i);
		look(&v, s, &def);
		if (i % 8 != 3)
			continue;
		WANT(ENM_OK, enm_session_flush(s));
		catch_up(&v, s, &def, (uint64_t)i + 1);
		assert_patches_are_the_mesh(&v, s, def.views_min);
	}
	WANT(ENM_OK, enm_session_flush(s));
	catch_up(&v, s, &def, SCAN_FRAMES);
	assert_patches_are_the_mesh(&v, s, def.views_min);
	assert_int_equal(v.cleared, 1);
	assert_true(v.full > 10); /* hundreds of blocks in slices of dozens */
	assert_int_equal(look(&v, s, &def), ENM_EMPTY);
	viewer_drop(&v);
	enm_session_destroy(&s);
}

static enm_result push_depth(enm_session *s, int index, float mm)
{
	float *depth = malloc(SCAN_PIXELS * sizeof(*depth));
	assert_non_null(depth);
	for (uint32_t i = 0; i < SCAN_PIXELS; i++)
		depth[i] = mm;
	enm_frame frame = scan_frame(index);
	frame.depth = depth;
	frame.depth_format = ENM_DEPTH_F32_MM;
	const enm_result result = enm_session_push(s, &frame, NULL);
	free(depth);
	return result;
}

/* Frames that are not fused: the surface holds them without having changed. */
static void lost_frames_change_nothing(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	const enm_surface_def def = eager_def();
	viewer v = {0};
	follow(&v, s, &def, 10);
	const size_t patches = v.count;
	const uint32_t updates = v.updates;
	for (int i = 10; i < 13; i++)
		WANT(ENM_OK, push_depth(s, i, 0.0f));
	WANT(ENM_OK, enm_session_flush(s));
	catch_up(&v, s, &def, 13);
	assert_int_equal(v.count, patches);
	assert_true(v.updates > updates);
	push(s, 13);
	WANT(ENM_OK, enm_session_flush(s));
	catch_up(&v, s, &def, 14);
	assert_patches_are_the_mesh(&v, s, def.views_min);
	viewer_drop(&v);
	enm_session_destroy(&s);
}

/* A surface that was there and is seen through later goes. */
static void what_goes_is_said(void **state)
{
	(void)state;
	enm_session_def session_def = the_scan.def;
	enm_session *s = scan_session(&session_def);
	enm_surface_def def = eager_def();
	viewer v = {0};
	def.views_min = 1;
	follow(&v, s, &def, 3);
	const size_t before = v.count;
	assert_true(before > 100);
	/* fewer views than wanted: with another definition nothing is left of it */
	def.views_min = 4;
	catch_up(&v, s, &def, 3);
	look(&v, s, &def);
	while (v.cleared < 2)
		look(&v, s, &def);
	assert_int_equal(v.count, 0);
	push(s, 3);
	WANT(ENM_OK, enm_session_flush(s));
	catch_up(&v, s, &def, 4);
	assert_true(v.count > 100);
	assert_patches_are_the_mesh(&v, s, 4);
	viewer_drop(&v);
	enm_session_destroy(&s);
}

/* Something in the way, 3 mm before the rest, that later frames see through: it is carved away by readings far behind
 * it, which change its surface without being near one. */
static void what_is_seen_through_goes(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_surface_def def = eager_def();
	viewer v = {0};
	uint16_t *depth = malloc(SCAN_PIXELS * sizeof(*depth));
	assert_non_null(depth);
	def.views_min = 1;
	for (int i = 0; i < 20; i++) {
		enm_frame frame = scan_frame(i);
		memcpy(depth, frame.depth, SCAN_PIXELS * sizeof(*depth));
		for (uint32_t p = 0; p < SCAN_PIXELS && i < 3; p++)
			if (p % SCAN_WIDTH < 70 && p % SCAN_WIDTH > 40 && p / SCAN_WIDTH > 40 && p / SCAN_WIDTH < 70)
				depth[p] = (uint16_t)(depth[p] - 3000);
		frame.depth = depth;
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
		WANT(ENM_OK, enm_session_flush(s));
		catch_up(&v, s, &def, (uint64_t)i + 1);
		if (i > 2)
			assert_patches_are_the_mesh(&v, s, 1);
	}
	enm_report report;
	for (int i = 0; i < 20; i++) {
		WANT(ENM_OK, enm_session_next_report(s, &report));
		assert_true(report.fused);
	}
	assert_true(v.emptied > 0);
	free(depth);
	viewer_drop(&v);
	enm_session_destroy(&s);
}

static void reset_begins_anew(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	const enm_surface_def def = eager_def();
	viewer v = {0};
	assert_int_equal(look(&v, s, &def), ENM_EMPTY); /* and has an empty one made */
	catch_up(&v, s, &def, 0);
	assert_int_equal(v.count, 0);
	assert_int_equal(v.cleared, 1);
	follow(&v, s, &def, 6);
	push(s, 6);
	look(&v, s, &def); /* a slice is under way, perhaps */
	WANT(ENM_OK, enm_session_reset(s));
	look(&v, s, &def);
	while (v.cleared < 2)
		look(&v, s, &def);
	assert_int_equal(v.count, 0);
	assert_int_equal(v.complete, 0);
	follow(&v, s, &def, 9);
	assert_int_equal(v.cleared, 2);
	assert_patches_are_the_mesh(&v, s, def.views_min);
	viewer_drop(&v);
	enm_session_destroy(&s);
}

/* ---- nobody notices ---- */

/* Poses, reports and the mesh are the same bits with the surface followed, by slices small and large. */
static void following_does_not_change_the_scan(void **state)
{
	(void)state;
	const uint64_t sizes[] = {256 << 10, 8 << 20};
	outcome plain = {0};
	enm_session *s = scan_session(&the_scan.def);
	scan_run(s, 0, SCAN_FRAMES, &plain);
	outcome_mesh(s, &plain);
	enm_session_destroy(&s);
	for (int k = 0; k < 2; k++) {
		enm_surface_def def = eager_def();
		outcome followed = {0};
		viewer v = {0};
		def.bytes_max = sizes[k];
		s = scan_session(&the_scan.def);
		follow(&v, s, &def, SCAN_FRAMES);
		for (int i = 0; i < SCAN_FRAMES; i++)
			WANT(ENM_OK, enm_session_next_report(s, &followed.reports[i]));
		outcome_mesh(s, &followed);
		assert_same_outcome(&plain, &followed);
		outcome_drop(&followed);
		viewer_drop(&v);
		enm_session_destroy(&s);
	}
	outcome_drop(&plain);
}

/* A look that is not due is not taken; what the last frames changed is shown when it is. */
static void looks_are_apart(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_surface_def def = enm_surface_def_default();
	viewer v = {0};
	def.apart_ms = 300.0;
	push(s, 0);
	WANT(ENM_OK, enm_session_flush(s));
	catch_up(&v, s, &def, 1);
	struct timespec begin, end;
	push(s, 1);
	WANT(ENM_OK, enm_session_flush(s));
	catch_up(&v, s, &def, 2);
	clock_gettime(CLOCK_MONOTONIC, &begin); /* after the second look */
	push(s, 2);
	WANT(ENM_OK, enm_session_flush(s));
	catch_up(&v, s, &def, 3);
	push(s, 3);
	WANT(ENM_OK, enm_session_flush(s));
	catch_up(&v, s, &def, 4);
	clock_gettime(CLOCK_MONOTONIC, &end);
	const double ms = 1e3 * (double)(end.tv_sec - begin.tv_sec) + 1e-6 * (double)(end.tv_nsec - begin.tv_nsec);
	assert_true(ms >= 300.0); /* from the third look to the fourth */
	assert_patches_are_the_mesh(&v, s, def.views_min);
	viewer_drop(&v);
	enm_session_destroy(&s);
}

/* A model that grows, to its bound: what is followed takes nothing from it, and stays within what it was given. */
static void growing_to_the_bound(void **state)
{
	(void)state;
	enm_session_def session_def = the_scan.def;
	session_def.voxel_mm = 0.02;
	session_def.truncation_mm = 0.24;
	session_def.device_bytes_max = (uint64_t)100 << 20;
	session_def.foreign_bodies = false; /* their grid would leave the model no room to grow */
	enum { FRAMES = 8 };
	uint64_t used[2], capacity[2];
	enm_pose last[2];
	for (int followed = 0; followed < 2; followed++) {
		enm_session *s = scan_session(&session_def);
		enm_surface_def def = eager_def();
		enm_session_stats before, stats;
		enm_report report;
		viewer v = {0};
		def.bytes_max = 8 << 20;
		WANT(ENM_OK, enm_session_get_stats(s, &before));
		for (int i = 0; i < FRAMES; i++) {
			const enm_frame frame = scan_frame(i);
			const enm_result result = enm_session_push(s, &frame, NULL);
			assert_true(result == ENM_OK || result == ENM_FULL);
			if (followed)
				look(&v, s, &def);
			if (i == 0 && followed) {
				WANT(ENM_OK, enm_session_get_stats(s, &stats));
				assert_true(stats.device_bytes > before.device_bytes);
				assert_true(stats.device_bytes - before.device_bytes <= def.bytes_max + 5 * 25000);
			}
			WANT(ENM_OK, enm_session_flush(s));
			WANT(ENM_OK, enm_session_next_report(s, &report));
		}
		if (followed) {
			catch_up(&v, s, &def, FRAMES);
			assert_patches_are_the_mesh(&v, s, def.views_min);
		}
		WANT(ENM_OK, enm_session_get_stats(s, &stats));
		assert_true(stats.device_bytes_peak <= session_def.device_bytes_max);
		used[followed] = stats.blocks_used;
		capacity[followed] = stats.blocks_capacity;
		last[followed] = report.world_from_camera;
		viewer_drop(&v);
		enm_session_destroy(&s);
	}
	assert_true(capacity[0] > 16384); /* it has grown */
	assert_int_equal(used[0], used[1]);
	assert_int_equal(capacity[0], capacity[1]);
	assert_memory_equal(&last[0], &last[1], sizeof(last[0]));
}

/* A scan by rows forgets its first frame with the second: patches that only the first one had go. */
static void beginning_anew_is_followed(void **state)
{
	(void)state;
	enm_session_def session_def = the_scan.def;
	session_def.row_time_s = 0.5 / 30.0 / SCAN_HEIGHT;
	enm_session *s = scan_session(&session_def);
	enm_surface_def def = eager_def();
	enm_mesh_def twice = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	viewer v = {0};
	const int frames[] = {0, 3, 5, 7, 8};
	def.views_min = 1;
	for (uint64_t i = 0; i < 5; i++) {
		push(s, frames[i]);
		look(&v, s, &def);
		WANT(ENM_OK, enm_session_flush(s));
		catch_up(&v, s, &def, i + 1);
		assert_patches_are_the_mesh(&v, s, 1);
		/* nothing has been seen twice yet */
		if (i == 1)
			WANT(ENM_EMPTY, enm_session_mesh(s, &(enm_mesh_def){twice.cookie, 2, 0}, &mesh));
		enm_mesh_destroy(&mesh);
	}
	assert_int_equal(v.cleared, 1);
	assert_true(v.emptied > 0);
	viewer_drop(&v);
	enm_session_destroy(&s);
}

/* ---- bad arguments ---- */

static void bad_arguments_are_named(void **state)
{
	(void)state;
	enm_session *s = scan_session(&the_scan.def);
	enm_surface *surface = (enm_surface *)&surface;
	const enm_surface_def good = enm_surface_def_default();
	enm_surface_def bad = good;
	enm_surface_data data;
	WANT(ENM_E_ARGUMENT, enm_session_surface_update(NULL, &good, &surface));
	assert_null(surface);
	WANT(ENM_E_ARGUMENT, enm_session_surface_update(s, &good, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_surface_update(s, NULL, &surface));
	bad.cookie = 0;
	WANT(ENM_E_ARGUMENT, enm_session_surface_update(s, &bad, &surface));
	assert_non_null(strstr(enm_last_error(), "enm_surface_def_default"));
	const uint32_t views[] = {0, 256, UINT32_MAX};
	for (int i = 0; i < 3; i++) {
		bad = good;
		bad.views_min = views[i];
		WANT(ENM_E_ARGUMENT, enm_session_surface_update(s, &bad, &surface));
		assert_non_null(strstr(enm_last_error(), "views_min"));
	}
	const uint64_t bytes[] = {0, (256 << 10) - 1, (8 << 20) + 1, UINT64_MAX};
	for (int i = 0; i < 4; i++) {
		bad = good;
		bad.bytes_max = bytes[i];
		WANT(ENM_E_ARGUMENT, enm_session_surface_update(s, &bad, &surface));
		assert_non_null(strstr(enm_last_error(), "bytes_max"));
	}
	const double apart[] = {-1.0, 1001.0, (double)NAN, (double)INFINITY};
	for (int i = 0; i < 4; i++) {
		bad = good;
		bad.apart_ms = apart[i];
		WANT(ENM_E_ARGUMENT, enm_session_surface_update(s, &bad, &surface));
		assert_non_null(strstr(enm_last_error(), "apart_ms"));
	}
	memset(&data, 1, sizeof(data));
	WANT(ENM_E_ARGUMENT, enm_surface_get(NULL, &data));
	assert_int_equal(data.patch_count, 0);
	assert_null(data.patches);
	enm_surface_destroy(NULL);
	enm_surface_destroy(&surface);
	/* a good one is made, and outlives its session */
	while (surface == NULL)
		assert_true(enm_session_surface_update(s, &good, &surface) >= 0);
	WANT(ENM_E_ARGUMENT, enm_surface_get(surface, NULL));
	enm_session_destroy(&s);
	WANT(ENM_OK, enm_surface_get(surface, &data));
	assert_true(data.cleared);
	enm_surface_destroy(&surface);
}

SCAN_TEST_MAIN(cmocka_unit_test(patches_are_the_mesh), cmocka_unit_test(lost_frames_change_nothing),
	cmocka_unit_test(what_goes_is_said), cmocka_unit_test(what_is_seen_through_goes),
	cmocka_unit_test(reset_begins_anew), cmocka_unit_test(following_does_not_change_the_scan),
	cmocka_unit_test(looks_are_apart), cmocka_unit_test(growing_to_the_bound),
	cmocka_unit_test(beginning_anew_is_followed), cmocka_unit_test(bad_arguments_are_named))
