/* SPDX-License-Identifier: Apache-2.0 */
#include "surface/live.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/defaults.h"
#include "core/error.h"
#include "pipeline/session.h"
#include "pipeline/stage.h"
#include "surface/slice.h"

/* A vertex of the header is what the device writes: nothing is converted. */
_Static_assert(sizeof(enm_patch_vertex) == sizeof(enm_k_vertex), "vertices are copied as they are");
_Static_assert(offsetof(enm_patch_vertex, rgb) == offsetof(enm_k_vertex, color_views), "red is the lowest byte");

/* Room for a listed block's share: blocks with a surface have half as much again on average, and half of them have
 * none. */
#define VERTICES_PER_BLOCK 48u
#define TRIANGLES_PER_BLOCK 96u
#define BYTES_PER_BLOCK                                                                                                \
	(SLICE_BYTES_BLOCK + VERTICES_PER_BLOCK * sizeof(enm_k_vertex) + TRIANGLES_PER_BLOCK * SLICE_BYTES_TRIANGLE)
/* Besides: whatever one block may have, so that each slice gets on. */
#define BYTES_LEAST                                                                                                    \
	(CASES_BYTES + sizeof(enm_k_surface) + SLICE_BLOCK_VERTICES * sizeof(enm_k_vertex) +                           \
		SLICE_BLOCK_TRIANGLES * SLICE_BYTES_TRIANGLE)

#define NEVER UINT64_MAX

struct live_surface {
	enm_surface_def def;
	surface_slice slice;
	gpu_kernel k_mark, k_bits, k_list, k_done;
	gpu_buffer waiting; /* uint a block, as kernels/live.cl says */
	gpu_buffer bits;
	uint8_t *shown; /* a byte a block: the caller has triangles of it */
	/* the slice under way */
	gpu_event *event; /* of the last read */
	bool busy;
	bool cleared;           /* the caller has yet to be told that everything begins anew */
	uint64_t frames_asked;  /* frames pushed when the last look was considered */
	uint64_t frames_looked; /* frames pushed when blocks were last looked over */
	int64_t looked_ns;      /* and when that was */
	uint32_t left;          /* blocks that the last finished slice has left */
	enm_k_surface state;
	enm_k_piece *pieces;
	enm_k_vertex *vertices;
	uint16_t *triangles;
};

struct enm_surface {
	enm_surface_data data;
	enm_patch *patches;
	enm_patch_vertex *vertices;
	uint16_t *triangles;
};

/* ---- create and destroy ---- */

void live_destroy(live_surface **live)
{
	if (live == NULL || *live == NULL)
		return;
	live_surface *l = *live;
	gpu_kernel *kernels[] = {&l->k_mark, &l->k_bits, &l->k_list, &l->k_done};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	gpu_event_release(&l->event);
	gpu_buffer_destroy(&l->waiting);
	gpu_buffer_destroy(&l->bits);
	slice_destroy(&l->slice);
	free(l->shown);
	free(l->pieces);
	free(l->vertices);
	free(l->triangles);
	free(l);
	*live = NULL;
}

enm_result live_reset(live_surface *l, gpu_queue *queue)
{
	if (l == NULL)
		return ENM_OK;
	gpu_event_release(&l->event);
	l->busy = false;
	l->cleared = true;
	l->frames_looked = NEVER;
	l->left = 0;
	memset(l->shown, 0, l->waiting.bytes / 4);
	enm_result result = gpu_fill(queue, &l->waiting, 0, 0, l->waiting.bytes);
	if (result == ENM_OK)
		result = gpu_fill(queue, &l->slice.state, 0, 0, l->slice.state.bytes);
	return result;
}

static slice_size size_for(uint64_t bytes_max)
{
	const uint32_t blocks = (uint32_t)((bytes_max - BYTES_LEAST) / BYTES_PER_BLOCK);
	return (slice_size){blocks, SLICE_BLOCK_VERTICES + blocks * VERTICES_PER_BLOCK,
		SLICE_BLOCK_TRIANGLES + blocks * TRIANGLES_PER_BLOCK};
}

static enm_result create_host(live_surface *l, uint32_t blocks_max)
{
	const slice_size size = l->slice.size;
	l->shown = calloc(blocks_max, 1);
	l->pieces = malloc(size.blocks * sizeof(*l->pieces));
	l->vertices = malloc(size.vertices * sizeof(*l->vertices));
	l->triangles = malloc((size_t)size.triangles * SLICE_BYTES_TRIANGLE);
	if (l->shown == NULL || l->pieces == NULL || l->vertices == NULL || l->triangles == NULL)
		return error_set(ENM_E_MEMORY, "live surface: no host memory");
	return ENM_OK;
}

static enm_result create_device(live_surface *l, gpu_budget *budget, gpu_queue *queue, uint32_t blocks_max)
{
	const stage_kernel kernels[] = {
		{&l->k_mark, "live_mark", "enm_k_volume,enm_k_blocks*,enm_k_surface*,uint*,uint*,uint2*,uint*"},
		{&l->k_bits, "live_bits", "enm_k_blocks*,uint*,uint*"},
		{&l->k_list, "live_list", "uint,uint,enm_k_track*,enm_k_blocks*,uint*,uint*,enm_k_surface*,uint*"},
		{&l->k_done, "live_done", "enm_k_surface*,uint*,uint*"},
	};
	const stage_buffer buffers[] = {
		{&l->waiting, "waiting blocks", (size_t)blocks_max * 4},
		{&l->bits, "waiting bits", ((size_t)blocks_max + 31) / 32 * 4},
	};
	enm_result result = slice_create(budget, queue, size_for(l->def.bytes_max), &l->slice);
	if (result == ENM_OK)
		result = stage_create_kernels(budget->device, "live", kernels, STAGE_COUNT(kernels));
	if (result == ENM_OK)
		result = stage_create_buffers(budget, buffers, STAGE_COUNT(buffers));
	return result;
}

static enm_result live_create(enm_session *s, const enm_surface_def *def)
{
	live_surface *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return error_set(ENM_E_MEMORY, "live surface: no host memory");
	l->def = *def;
	view_drop_picture(&s->view); /* the next picture finds the room that is left */
	enm_result result = create_device(l, &s->budget, s->queue, s->model.blocks_max);
	if (result == ENM_OK)
		result = create_host(l, s->model.blocks_max);
	if (result == ENM_OK)
		result = live_reset(l, s->queue);
	if (result == ENM_OK) {
		s->live = l;
		return ENM_OK;
	}
	char text[512];
	snprintf(text, sizeof(text), "%s", enm_last_error());
	if (gpu_finish(s->queue) != ENM_OK) /* the table of cases may be on its way */
		(void)error_set(result, "%s", text);
	live_destroy(&l);
	return result;
}

/* ---- a slice ---- */

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* There are frames that have not been looked at, and it is time. Best is right after a push, when the next frame is
 * farthest; where none comes, the last ones wait no longer than twice as long. */
static bool look_is_due(live_surface *l, const enm_session *s)
{
	const bool after_push = l->frames_asked != s->frames_pushed;
	l->frames_asked = s->frames_pushed;
	if (l->frames_looked == NEVER)
		return true;
	const double apart_ms = l->def.apart_ms * (after_push ? 1.0 : 2.0);
	return l->frames_looked != s->frames_pushed && (double)(now_ns() - l->looked_ns) >= 1e6 * apart_ms;
}

/* Whether the next frame is due before long, by the time between the last two: it shall not wait for a slice that could
 * have come earlier or can come later. */
static bool frame_is_near(const enm_session *s)
{
	const int64_t longest_ns = 100000000;
	if (s->frames_pushed < 2)
		return false;
	const int64_t last_ns = s->slots[(s->frames_pushed - 1) % ENM_FRAMES_IN_FLIGHT].pushed_ns;
	const int64_t apart_ns = last_ns - s->slots[(s->frames_pushed - 2) % ENM_FRAMES_IN_FLIGHT].pushed_ns;
	const int64_t period_ns = apart_ns < longest_ns ? apart_ns : longest_ns, age_ns = now_ns() - last_ns;
	return 2 * age_ns > period_ns && 2 * age_ns < 3 * period_ns;
}

static enm_result launch_list(live_surface *l, enm_session *s, bool look)
{
	const uint32_t looked = look;
	const model *m = &s->model;
	const gpu_arg mark[] = {GPU_VALUE(m->volume), GPU_BUFFER(&m->blocks), GPU_BUFFER(&l->slice.state),
		GPU_BUFFER(&m->changed), GPU_BUFFER(&m->keys), GPU_BUFFER(&m->table), GPU_BUFFER(&l->waiting)};
	const gpu_arg bits[] = {GPU_BUFFER(&m->blocks), GPU_BUFFER(&l->waiting), GPU_BUFFER(&l->bits)};
	const gpu_arg list[] = {GPU_VALUE(l->slice.size.blocks), GPU_VALUE(looked), GPU_BUFFER(&s->track.state),
		GPU_BUFFER(&m->blocks), GPU_BUFFER(&l->bits), GPU_BUFFER(&l->waiting), GPU_BUFFER(&l->slice.state),
		GPU_BUFFER(&l->slice.list)};
	enm_result result = ENM_OK;
	if (look)
		result =
			gpu_launch(s->queue, &l->k_mark, GPU_RANGE_1D(m->volume.capacity, 64), mark, STAGE_COUNT(mark));
	if (result == ENM_OK)
		result = gpu_launch(s->queue, &l->k_bits, GPU_RANGE_1D((m->volume.capacity + 31) / 32, 64), bits,
			STAGE_COUNT(bits));
	if (result == ENM_OK)
		result = gpu_launch(s->queue, &l->k_list, GPU_RANGE_1D(64, 64), list, STAGE_COUNT(list));
	return result;
}

static enm_result read_back(live_surface *l, gpu_queue *queue)
{
	const surface_slice *c = &l->slice;
	enm_result result = gpu_read(queue, &c->state, 0, &l->state, sizeof(l->state), NULL);
	if (result == ENM_OK)
		result = gpu_read(queue, &c->pieces, 0, l->pieces, c->pieces.bytes, NULL);
	if (result == ENM_OK)
		result = gpu_read(queue, &c->vertices, 0, l->vertices, c->vertices.bytes, NULL);
	if (result == ENM_OK)
		result = gpu_read(queue, &c->triangles, 0, l->triangles, c->triangles.bytes, &l->event);
	return result;
}

static enm_result start(live_surface *l, enm_session *s, bool look)
{
	const gpu_arg done[] = {GPU_BUFFER(&l->slice.state), GPU_BUFFER(&l->slice.list), GPU_BUFFER(&l->waiting)};
	enm_result result = launch_list(l, s, look);
	if (result == ENM_OK)
		result = slice_count(&l->slice, s->queue, &s->model, l->def.views_min);
	if (result == ENM_OK)
		result = slice_make(&l->slice, s->queue, &s->model, s->depth.camera.sigma_ref_mm);
	if (result == ENM_OK)
		result = gpu_launch(s->queue, &l->k_done, GPU_RANGE_1D(64, 64), done, STAGE_COUNT(done));
	if (result == ENM_OK)
		result = read_back(l, s->queue);
	if (result == ENM_OK)
		result = gpu_flush(s->queue);
	if (result == ENM_OK)
		l->busy = true;
	if (result == ENM_OK && look) {
		l->frames_looked = s->frames_pushed;
		l->looked_ns = now_ns();
	}
	return result;
}

/* ---- what a slice brought ---- */

static enm_result surface_alloc(const live_surface *l, enm_surface **out_surface)
{
	enm_surface *u = calloc(1, sizeof(*u));
	*out_surface = u;
	if (u == NULL)
		return error_set(ENM_E_MEMORY, "live surface: no host memory");
	u->patches = malloc((l->state.done + (size_t)1) * sizeof(*u->patches));
	u->vertices = malloc((l->state.vertices + (size_t)1) * sizeof(*u->vertices));
	u->triangles = malloc((l->state.triangles + (size_t)1) * SLICE_BYTES_TRIANGLE);
	if (u->patches != NULL && u->vertices != NULL && u->triangles != NULL)
		return ENM_OK;
	enm_surface_destroy(out_surface);
	return error_set(ENM_E_MEMORY, "live surface: no host memory");
}

/* Patches of the blocks that have triangles, and of those that had some. */
static void copy_patches(live_surface *l, enm_surface *u)
{
	enm_surface_data *d = &u->data;
	size_t vertex = 0, triangle = 0;
	for (uint32_t i = 0; i < l->state.done; i++) {
		const enm_k_piece *p = &l->pieces[i];
		const uint32_t vertices = p->triangles > 0 ? p->vertices : 0;
		if (p->triangles > 0 || l->shown[p->block] != 0) {
			u->patches[d->patch_count++] = (enm_patch){.id = p->key,
				.vertex_first = (uint32_t)d->vertex_count,
				.vertex_count = vertices,
				.triangle_first = (uint32_t)d->triangle_count,
				.triangle_count = p->triangles};
			memcpy(u->vertices + d->vertex_count, l->vertices + vertex, vertices * sizeof(*u->vertices));
			memcpy(u->triangles + 3 * d->triangle_count, l->triangles + 3 * triangle,
				(size_t)p->triangles * SLICE_BYTES_TRIANGLE);
			d->vertex_count += vertices;
			d->triangle_count += p->triangles;
		}
		l->shown[p->block] = p->triangles > 0;
		vertex += p->vertices;
		triangle += p->triangles;
	}
}

static enm_result collect(live_surface *l, enm_surface **out_surface)
{
	enm_surface *u = NULL;
	enm_result result = surface_alloc(l, &u);
	if (result != ENM_OK)
		return result; /* and the slice is still there to be collected */
	copy_patches(l, u);
	u->data.cleared = l->cleared;
	u->data.frames = l->state.frames;
	u->data.frames_complete = l->state.left > 0 ? l->state.oldest - 1 : l->state.frames;
	u->data.patches = u->patches;
	u->data.vertices = u->vertices;
	u->data.triangles = u->triangles;
	gpu_event_release(&l->event);
	l->busy = false;
	l->cleared = false;
	l->left = l->state.left;
	*out_surface = u;
	return l->left > 0 ? ENM_FULL : ENM_OK;
}

/* ---- the public calls ---- */

/* Makes what the definition asks for; what another one asked for ends. */
static enm_result follow(enm_session *s, const enm_surface_def *def)
{
	const live_surface *l = s->live;
	if (l != NULL && l->waiting.bytes / 4 >= s->model.blocks_max && l->def.views_min == def->views_min && l->def.bytes_max == def->bytes_max &&
		!(l->def.apart_ms < def->apart_ms || l->def.apart_ms > def->apart_ms))
		return ENM_OK;
	if (l != NULL) {
		enm_result result = gpu_finish(s->queue); /* copies may be on their way */
		if (result != ENM_OK)
			return result;
		live_destroy(&s->live);
	}
	return live_create(s, def);
}

static enm_result update(enm_session *s, enm_surface **out_surface)
{
	live_surface *l = s->live;
	enm_result result = ENM_EMPTY;
	if (l->busy) {
		bool done = false;
		enm_result asked = gpu_event_done(l->event, &done);
		if (asked != ENM_OK)
			return s->failed = asked;
		result = done ? collect(l, out_surface) : ENM_EMPTY;
	}
	if (result < 0 || l->busy || frame_is_near(s))
		return result;
	const bool look = look_is_due(l, s);
	if (l->left == 0 && !look)
		return result;
	enm_result started = start(l, s, look);
	if (started == ENM_OK)
		return result;
	enm_surface_destroy(out_surface);
	return s->failed = started;
}

enm_result enm_session_surface_update(enm_session *session, const enm_surface_def *def, enm_surface **out_surface)
{
	if (out_surface == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_surface_update: out_surface is NULL");
	*out_surface = NULL;
	if (session == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_surface_update: session is NULL");
	enm_result result = surface_def_check(def);
	if (result == ENM_OK && session->failed != ENM_OK)
		result = error_set(session->failed, "the session has failed before and cannot go on");
	if (result == ENM_OK)
		result = follow(session, def);
	if (result == ENM_E_DEVICE)
		session->failed = result;
	return result == ENM_OK ? update(session, out_surface) : result;
}

enm_result enm_surface_get(const enm_surface *surface, enm_surface_data *out_data)
{
	if (out_data == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_surface_get: out_data is NULL");
	*out_data = (enm_surface_data){0};
	if (surface == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_surface_get: surface is NULL");
	*out_data = surface->data;
	return ENM_OK;
}

void enm_surface_destroy(enm_surface **surface)
{
	if (surface == NULL || *surface == NULL)
		return;
	free((*surface)->patches);
	free((*surface)->vertices);
	free((*surface)->triangles);
	free(*surface);
	*surface = NULL;
}
