/* SPDX-License-Identifier: Apache-2.0
 *
 * Solves for the poses of a whole scan together with the session's depth residual. A bow of 5 um over a view bends an
 * arch by 0.3 mm; poses alone, however well they fit one another, converge to the bent arch.
 *
 *     maps of the frames -> who sees the same -> (compare, solve) x rounds -> poses of all frames -> the model, again
 */
#include "global/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/defaults.h"
#include "core/error.h"
#include "pipeline/motion.h"
#include "pipeline/stage.h"

/* By level. The error of poses falls with the square root of the samples used. */
static const refine_effort efforts[] = {{3, 8, 512, REFINE_BATCH}, {1, 20, 1024, REFINE_BATCH}, {1, 32, 2048, REFINE_BATCH}};
#define MAP_ACROSS 160u /* samples of a map across the picture */

/* The fit over 7x7 readings leaves so much of their noise: what neighbours share it does not average. */
#define FIT_NOISE 0.7

#define OVERLAP_GATE 20.0

double refine_clock_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool refine_goes_on(const refine_run *run, const char *what, double done)
{
	return run->def->on_progress == NULL || run->def->on_progress(run->def->user, what, done);
}

/* ---- maps ---- */

static enm_result create_kernels(refine_run *run)
{
	gpu_device *device = run->session->budget.device;
	const stage_kernel map[] = {
		{&run->k_map, "refine_map", "enm_k_camera,enm_k_refine,int,uint,int,float2*,uchar*,uchar*,uint2*"},
		{&run->k_rays, "refine_rays", "enm_k_camera,enm_k_refine,float2*,float2*"},
	};
	const stage_kernel compare[] = {
		{&run->k_overlap, "refine_overlap",
			"enm_k_camera,enm_k_refine,float2*,uint2*,enm_k_node*,enm_k_pair*,float*"},
		{&run->k_sum, "refine_sum", "enm_k_camera,enm_k_refine,float2*,uint2*,enm_k_node*,enm_k_pair*,float*"},
	};
	enm_result result = stage_create_kernels(device, "refine_map", map, STAGE_COUNT(map));
	return result == ENM_OK ? stage_create_kernels(device, "refine", compare, STAGE_COUNT(compare)) : result;
}

static void choose_sizes(refine_run *run)
{
	const enm_session *s = run->session;
	const enm_k_camera *c = &run->camera;
	const float residual[] = {
		c->bow_mm, c->astigmatism_mm, c->twist_mm, c->tilt_x_mm, c->tilt_y_mm, c->constant_mm};
	uint32_t stride = s->def.camera.width > MAP_ACROSS ? s->def.camera.width / MAP_ACROSS : 1;
	if (stride > s->def.camera.height / 2)
		stride = s->def.camera.height / 2; /* two rows at least, to read between */
	run->sizes = (enm_k_refine){
		.sigma_per_mm2 = (float)FIT_NOISE * c->sigma_per_mm2,
		.stride = (int32_t)stride,
		.columns = (int32_t)((s->def.camera.width + stride - 1) / stride),
		.rows = (int32_t)((s->def.camera.height + stride - 1) / stride),
		.samples = run->effort.samples,
		.seed = run->def->seed,
	};
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++)
		run->residual_mm[i] = (double)residual[i];
}

static size_t map_bytes(const refine_run *run)
{
	return (size_t)run->sizes.columns * (size_t)run->sizes.rows * 8;
}

/* Which frames can be fused, and which of them are compared: as many as the level wants and memory has room for. */
static enm_result choose_nodes(refine_run *run)
{
	const frame_store *store = run->store;
	const gpu_budget *budget = &run->session->budget;
	run->usable = malloc((store->count + 1) * sizeof(*run->usable));
	if (run->usable == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %zu frames", store->count);
	for (size_t i = 0; i < store->count; i++)
		if (store_usable(&store->frames[i]) && !store->frames[i].bent)
			run->usable[run->usable_count++] = i;
	uint64_t room = gpu_device_get_info(budget->device)->largest_allocation_bytes;
	if (budget->bytes_max != 0 && room > budget->bytes_max - budget->bytes)
		room = budget->bytes_max - budget->bytes;
	const uint64_t most = room / 8 * 7 / map_bytes(run); /* an eighth for what comes with them */
	size_t step = run->effort.step;
	while (step < run->usable_count && (run->usable_count - 1) / step + 1 > most)
		step++;
	if (run->usable_count < 2)
		return ENM_EMPTY;
	if (most < 2)
		return error_set(ENM_E_CAPACITY,
			"refinement: %.1f MB of the device's memory are free, which is too little for two frames",
			1e-6 * (double)room);
	run->node = calloc((run->usable_count - 1) / step + 1, sizeof(*run->node));
	if (run->node == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %zu frames", run->usable_count / step);
	for (size_t i = 0; i < run->usable_count; i += step) {
		refine_node *n = &run->node[run->node_count++];
		n->frame = run->usable[i];
		n->pose = n->before = rigid_from_device(&store->frames[n->frame].world_from_camera);
		memcpy(n->skew, store->frames[n->frame].skew, sizeof(n->skew));
	}
	return ENM_OK;
}

static enm_result create_buffers(refine_run *run)
{
	const size_t tiles = foreign_tiles(&run->session->foreign);
	const size_t input = depth_input_bytes(&run->session->depth, ENM_DEPTH_F32_MM, run->session->def.color);
	const stage_buffer buffers[] = {
		{&run->input[0], "frame compared", input},
		{&run->input[1], "frame compared", input},
		{&run->maps, "maps of frames", run->node_count * map_bytes(run)},
		{&run->rays, "rays of a map", map_bytes(run)},
		{&run->nodes, "frames compared", run->node_count * sizeof(enm_k_node)},
		{&run->hidden[0], "tiles hidden", tiles > 0 ? tiles : 16},
		{&run->hidden[1], "tiles hidden", tiles > 0 ? tiles : 16},
		{&run->batch, "pairs of frames", REFINE_BATCH * sizeof(enm_k_pair)},
		{&run->sums, "sums of pairs", REFINE_BATCH * ENM_K_REFINE_SUMS * sizeof(float)},
	};
	for (int i = 0; i < ENM_FRAMES_IN_FLIGHT; i++) {
		run->hidden_tiles[i] = malloc(tiles + 1);
		run->input_bytes[i] = malloc(input);
		if (run->hidden_tiles[i] == NULL || run->input_bytes[i] == NULL)
			return error_set(ENM_E_MEMORY, "refinement: no host memory for frames on their way");
	}
	return stage_create_buffers(&run->session->budget, buffers, STAGE_COUNT(buffers));
}

enm_result refine_write_nodes(refine_run *run)
{
	enm_k_node *nodes = calloc(run->node_count, sizeof(*nodes));
	if (nodes == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", run->node_count);
	for (uint32_t i = 0; i < run->node_count; i++)
		memcpy(nodes[i].skew, run->node[i].skew, sizeof(nodes[i].skew));
	enm_result result = gpu_write(run->queue, &run->nodes, 0, nodes, run->node_count * sizeof(*nodes), NULL);
	enm_result finished = gpu_finish(run->queue);
	free(nodes);
	return result != ENM_OK ? result : finished;
}

static gpu_range map_range(const refine_run *run)
{
	return GPU_RANGE_2D((size_t)run->sizes.columns, (size_t)run->sizes.rows, 32, 2);
}

static enm_result make_map(refine_run *run, uint32_t n, gpu_event **event)
{
	const enm_session *s = run->session;
	const store_frame *f = &run->store->frames[run->node[n].frame];
	const uint32_t slot = n % ENM_FRAMES_IN_FLIGHT;
	const int format = f->format == ENM_DEPTH_U16 ? ENM_K_DEPTH_U16 : ENM_K_DEPTH_F32;
	const int tile = f->hidden_offset > 0 ? foreign_tile(&s->foreign) : 0;
	const size_t bytes = store_input_bytes(f);
	enm_result result = gpu_event_wait(event[slot]);
	gpu_event_release(&event[slot]);
	if (result == ENM_OK)
		result = store_read(run->store, f, 0, bytes, run->input_bytes[slot]);
	if (result == ENM_OK && tile > 0)
		result = store_read(run->store, f, bytes, f->bytes - bytes, run->hidden_tiles[slot]);
	if (result == ENM_OK && tile > 0)
		result = gpu_write(run->queue, &run->hidden[slot], 0, run->hidden_tiles[slot], f->bytes - bytes, NULL);
	if (result == ENM_OK)
		result = gpu_write(run->queue, &run->input[slot], 0, run->input_bytes[slot], bytes, &event[slot]);
	const gpu_arg args[] = {GPU_VALUE(run->camera), GPU_VALUE(run->sizes), GPU_VALUE(format), GPU_VALUE(n),
		GPU_VALUE(tile), GPU_BUFFER(&s->depth.rays), GPU_BUFFER(&run->input[slot]),
		GPU_BUFFER(&run->hidden[slot]), GPU_BUFFER(&run->maps)};
	if (result == ENM_OK)
		result = gpu_launch(run->queue, &run->k_map, map_range(run), args, STAGE_COUNT(args));
	return result == ENM_OK ? gpu_flush(run->queue) : result;
}

static enm_result make_rays(refine_run *run)
{
	const gpu_arg args[] = {GPU_VALUE(run->camera), GPU_VALUE(run->sizes), GPU_BUFFER(&run->session->depth.rays), GPU_BUFFER(&run->rays)};
	return gpu_launch(run->queue, &run->k_rays, map_range(run), args, STAGE_COUNT(args));
}

static enm_result make_maps(refine_run *run)
{
	gpu_event *event[ENM_FRAMES_IN_FLIGHT] = {NULL};
	enm_result result = refine_write_nodes(run);
	if (result == ENM_OK)
		result = make_rays(run);
	for (uint32_t n = 0; n < run->node_count && result == ENM_OK; n++) {
		result = make_map(run, n, event);
		if (result == ENM_OK && n % 8 == 0 && !refine_goes_on(run, "maps", 0.2 * n / run->node_count))
			result = ENM_CANCELLED;
	}
	enm_result finished = gpu_finish(run->queue);
	for (int i = 0; i < ENM_FRAMES_IN_FLIGHT; i++)
		gpu_event_release(&event[i]);
	return result != ENM_OK ? result : finished;
}

/* ---- all of it ---- */

static enm_result place_and_fuse(refine_run *run, enm_refine_result *out)
{
	const double begun_s = refine_clock_s();
	enm_result result = refine_fuse_again(run, &out->frames_left_out);
	out->fuse_s = refine_clock_s() - begun_s;
	return result;
}

void refine_release_device(refine_run *run)
{
	gpu_kernel *kernels[] = {&run->k_map, &run->k_rays, &run->k_overlap, &run->k_sum};
	gpu_buffer *buffers[] = {&run->maps, &run->rays, &run->nodes, &run->batch, &run->sums, &run->hidden[0], &run->hidden[1], &run->input[0],
		&run->input[1]};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
}

enm_result refine_open(refine_run *run, enm_refine_result *out)
{
	choose_sizes(run);
	view_drop_picture(&run->session->view); /* what is compared must not hang on what was looked at */
	refine_set_gate(run, OVERLAP_GATE);
	run->known = calloc(1, sizeof(*run->known));
	enm_result result = run->known != NULL ? refine_choose_prior(run) : error_set(ENM_E_MEMORY, "refinement: no host memory");
	if (result == ENM_OK)
		result = choose_nodes(run);
	out->frames = run->usable_count;
	out->frames_not_kept = run->store->not_kept;
	if (result == ENM_OK)
		result = create_kernels(run);
	const uint64_t before = run->session->budget.bytes;
	if (result == ENM_OK)
		result = refine_check_state(run);
	if (result == ENM_OK)
		result = create_buffers(run);
	out->device_bytes = run->session->budget.bytes - before;
	return result;
}

enm_result refine_solve(refine_run *run, enm_refine_result *out)
{
	const double begun_s = refine_clock_s();
	enm_result result = make_maps(run);
	if (result == ENM_OK)
		result = refine_choose_pairs(run);
	if (result == ENM_OK && run->pair_count == 0)
		result = ENM_EMPTY;
	out->compare_s = refine_clock_s() - begun_s;
	return result == ENM_OK ? refine_run_rounds(run, out) : result;
}

void refine_close(refine_run *run)
{
	refine_release_device(run);
	for (int i = 0; i < ENM_FRAMES_IN_FLIGHT; i++) {
		free(run->hidden_tiles[i]);
		free(run->input_bytes[i]);
	}
	free(run->usable);
	free(run->node);
	free(run->pairs);
	certainty_drop(&run->known);
	memset(run, 0, sizeof(*run));
}

/* What will be asked of how well the model is known. */
static void keep_certainty(refine_run *run)
{
	certainty_drop(&run->session->certainty);
	run->session->certainty = run->known;
	run->known = NULL;
}

void refine_tell(const refine_run *run, enm_refine_result *out)
{
	out->frames_compared = refine_nodes_in(run);
	out->pairs = run->pair_count;
	out->parts = run->parts;
	out->seed = run->def->seed;
	refine_tell_residual(run, out);
}

enm_result enm_session_refine(enm_session *session, const enm_refine_def *def, enm_refine_result *out_result)
{
	if (out_result != NULL)
		memset(out_result, 0, sizeof(*out_result));
	if (session == NULL || out_result == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_refine: session or out_result is NULL");
	enm_result result = refine_def_check(def);
	if (result != ENM_OK)
		return result;
	if (!session->store.on)
		return error_set(ENM_E_ARGUMENT, "enm_session_refine: the session was created without keep_frames");
	if (session->failed != ENM_OK)
		return error_set(session->failed, "the session has failed before and cannot go on");
	(void)mend_yield(session); /* all of that is done here, and better */
	result = session_settle(session, false);
	if (result < 0) /* what the bound refused of islands is fused anew with all else */
		return result;
	refine_run run = {.session = session,
		.queue = session->queue,
		.store = &session->store,
		.camera = session->depth.camera,
		.def = def,
		.effort = efforts[def->level]};
	enm_refine_result found;
	memset(&found, 0, sizeof(found));
	result = refine_open(&run, &found);
	if (result == ENM_OK)
		result = refine_solve(&run, &found);
	refine_release_device(&run); /* the second model needs the room */
	if (result == ENM_OK)
		result = place_and_fuse(&run, &found);
	if (result == ENM_OK) {
		mend_is_done(session);
		keep_certainty(&run);
		refine_tell(&run, &found);
		*out_result = found;
	}
	if (result == ENM_E_DEVICE)
		session->failed = result;
	refine_close(&run);
	return result;
}

enm_result enm_session_pose(const enm_session *session, uint64_t frame_id, enm_pose *out_pose, bool *out_fused)
{
	if (out_pose != NULL)
		*out_pose = enm_pose_identity();
	if (out_fused != NULL)
		*out_fused = false;
	if (session == NULL || out_pose == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_pose: session or out_pose is NULL");
	if (!session->store.on)
		return error_set(ENM_E_ARGUMENT, "enm_session_pose: the session was created without keep_frames");
	if (frame_id >= session->store.count)
		return error_set(ENM_E_ARGUMENT, "frame_id: %llu is not below the %zu frames that are done",
			(unsigned long long)frame_id, session->store.count);
	const store_frame *f = &session->store.frames[frame_id];
	if (f->verdict != ENM_K_VERDICT_TRACKED || f->apart || f->island != 0)
		return ENM_EMPTY;
	const enm_k_track track = store_track(f);
	*out_pose = report_pose(&track);
	if (out_fused != NULL)
		*out_fused = !f->bent && !f->left_out;
	return ENM_OK;
}
