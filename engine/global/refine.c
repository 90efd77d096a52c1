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

/* Residuals count up to so many of their own sigmas (two fits; 20 um 14 mm away): 0.25 mm at first, since passes may
 * have drifted apart. In the end it is where Tukey's biweight loses a twentieth to Gaussian noise: at three sigmas the
 * bow was half a micrometre off, and poses a fifth. */
static const double gates[] = {12.0, 8.0, 6.0, 5.0, 5.0};
#define ROUNDS (sizeof(gates) / sizeof(gates[0]))
/* One pair in so many: the first rounds lead where the last ones measure. */
static const uint32_t strides[ROUNDS] = {4, 4, 2, 1, 1};
#define OVERLAP_GATE 20.0

/* Of the nodes' usual share of comparisons that agree; what agrees less shows something that moves. */
#define AGREES_LEAST 0.6
#define COMPARED_LEAST 100.0 /* samples; fewer fix no pose */

static double now_s(void)
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
		{&run->k_map, "refine_map", "enm_k_camera,enm_k_refine,int,uint,int,float2*,uchar*,uchar*,uint2*"}};
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
	const uint32_t stride = s->def.camera.width > MAP_ACROSS ? s->def.camera.width / MAP_ACROSS : 1;
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
		n->pose = n->before = rigid_from_device(&store->frames[n->frame].track.world_from_camera);
		memcpy(n->skew, store->frames[n->frame].track.skew, sizeof(n->skew));
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

static enm_result write_nodes(refine_run *run)
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
		result = gpu_launch(run->queue, &run->k_map,
			GPU_RANGE_2D((size_t)run->sizes.columns, (size_t)run->sizes.rows, 32, 2), args,
			STAGE_COUNT(args));
	return result == ENM_OK ? gpu_flush(run->queue) : result;
}

static enm_result make_maps(refine_run *run)
{
	gpu_event *event[ENM_FRAMES_IN_FLIGHT] = {NULL};
	enm_result result = write_nodes(run);
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

/* ---- compare ---- */

static void set_gate(refine_run *run, double sigmas)
{
	run->sizes.gate = (float)sigmas;
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++)
		run->sizes.residual_mm[i] = (float)run->residual_mm[i];
}

enm_result refine_run_batch(
	refine_run *run, gpu_kernel *kernel, enm_k_pair *pairs, uint32_t count, size_t bytes_each, void *out)
{
	const enm_session *s = run->session;
	for (uint32_t n = 0; n < count; n++) {
		/* in double: the small difference of two places in the world */
		const rigid back = rigid_inverse(&run->node[pairs[n].second].pose),
			    between = rigid_after(&back, &run->node[pairs[n].first].pose);
		pairs[n].second_from_first = rigid_to_device(&between);
	}
	const gpu_arg args[] = {GPU_VALUE(run->camera), GPU_VALUE(run->sizes), GPU_BUFFER(&s->depth.rays),
		GPU_BUFFER(&run->maps), GPU_BUFFER(&run->nodes), GPU_BUFFER(&run->batch), GPU_BUFFER(&run->sums)};
	enm_result result = gpu_write(run->queue, &run->batch, 0, pairs, count * sizeof(*pairs), NULL);
	if (result == ENM_OK)
		result = gpu_launch(run->queue, kernel,
			GPU_RANGE_1D((size_t)count * ENM_K_REFINE_GROUP, ENM_K_REFINE_GROUP), args, STAGE_COUNT(args));
	if (result == ENM_OK)
		result = gpu_read(run->queue, &run->sums, 0, out, count * bytes_each, NULL);
	enm_result finished = gpu_finish(run->queue);
	return result != ENM_OK ? result : finished;
}

static void note_pair(refine_run *run, const enm_k_pair *pair, const float *sums)
{
	refine_node *both[] = {&run->node[pair->first], &run->node[pair->second]};
	for (int i = 0; i < 2; i++) {
		both[i]->inliers += (double)sums[ENM_K_REFINE_INLIERS];
		both[i]->offered += (double)sums[ENM_K_REFINE_OFFERED];
	}
}

/* Neighbours in time tie a scan together, and are never left out. */
static bool is_used(const refine_run *run, uint32_t n, uint32_t stride)
{
	const enm_k_pair *p = &run->pairs[n];
	return !run->node[p->first].out && !run->node[p->second].out && (n % stride == 0 || p->second == p->first + 1);
}

/* All pairs of nodes that are not out, one in `stride` of them. */
static enm_result compare(refine_run *run, solve_system *system, uint32_t stride, double from, double to)
{
	float *sums = malloc(REFINE_BATCH * ENM_K_REFINE_SUMS * sizeof(*sums));
	enm_k_pair *batch = malloc(REFINE_BATCH * sizeof(*batch));
	enm_result result = ENM_OK;
	if (sums == NULL || batch == NULL)
		result = error_set(ENM_E_MEMORY, "refinement: no host memory for pairs");
	solve_clear(system);
	for (uint32_t i = 0; i < run->node_count; i++)
		run->node[i].inliers = run->node[i].offered = 0.0;
	for (uint32_t n = 0; n < run->pair_count && result == ENM_OK;) {
		uint32_t count = 0;
		for (; n < run->pair_count && count < run->effort.batch; n++)
			if (is_used(run, n, stride))
				batch[count++] = run->pairs[n];
		if (count > 0)
			result = refine_run_batch(
				run, &run->k_sum, batch, count, ENM_K_REFINE_SUMS * sizeof(*sums), sums);
		for (uint32_t i = 0; i < count && result == ENM_OK; i++) {
			solve_add(system, batch[i].first, batch[i].second, sums + (size_t)i * ENM_K_REFINE_SUMS);
			note_pair(run, &batch[i], sums + (size_t)i * ENM_K_REFINE_SUMS);
		}
		if (result == ENM_OK && !refine_goes_on(run, "comparing", from + (to - from) * n / run->pair_count))
			result = ENM_CANCELLED;
	}
	free(sums);
	free(batch);
	return result;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Takes out nodes that agree too little with others, or were hardly compared. True where there were any. */
static enm_result leave_out(refine_run *run, bool *out_any)
{
	double *shares = malloc(run->node_count * sizeof(*shares));
	size_t count = 0;
	*out_any = false;
	if (shares == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", run->node_count);
	for (uint32_t i = 0; i < run->node_count; i++)
		if (run->node[i].offered >= COMPARED_LEAST)
			shares[count++] = run->node[i].inliers / run->node[i].offered;
	qsort(shares, count, sizeof(*shares), by_size);
	const double least = count > 0 ? AGREES_LEAST * shares[count / 2] : 0.0;
	for (uint32_t i = 0; i < run->node_count; i++) {
		refine_node *n = &run->node[i];
		if (n->out || (n->offered >= COMPARED_LEAST && n->inliers >= least * n->offered))
			continue;
		n->out = *out_any = true;
	}
	free(shares);
	return ENM_OK;
}

/* ---- rows exposed one after the other ---- */

/* Frames before and after that together are farther apart say too little of the motion in between. */
#define SKEW_SPAN_S 0.1

bool refine_skew(double half_exposure_s, const rigid poses[3], const int64_t times_ns[3], float out_skew[6])
{
	const double before = 1e-9 * (double)(times_ns[1] - times_ns[0]),
		     after = 1e-9 * (double)(times_ns[2] - times_ns[1]);
	double to_last[6], to_next[6];
	if (before + after > SKEW_SPAN_S)
		return false;
	rigid_step_between(&poses[1], &poses[0], to_last);
	rigid_step_between(&poses[1], &poses[2], to_next);
	for (int i = 0; i < 6; i++) { /* exact where the acceleration is constant */
		const double velocity = (before * before * to_next[i] - after * after * to_last[i]) /
					(before * after * (before + after));
		out_skew[i] = (float)(velocity * half_exposure_s);
	}
	return true;
}

/* The tracker had to tell a frame's motion by what came before it; a path that is known on both sides tells it better.
 */
static enm_result update_skews(refine_run *run)
{
	const store_frame *frames = run->store->frames;
	for (uint32_t i = 1; i + 1 < run->node_count; i++) {
		const refine_node *n = &run->node[i];
		const rigid poses[] = {n[-1].pose, n->pose, n[1].pose};
		const int64_t times_ns[] = {
			frames[n[-1].frame].time_ns, frames[n->frame].time_ns, frames[n[1].frame].time_ns};
		if (!n[-1].out && !n->out && !n[1].out)
			(void)refine_skew(
				(double)run->session->track.half_exposure_s, poses, times_ns, run->node[i].skew);
	}
	return write_nodes(run);
}

/* ---- solve ---- */

static enm_result solve(refine_run *run, solve_system *system, double *steps, enm_refine_result *out)
{
	bool *anchor = malloc(run->node_count * sizeof(*anchor));
	rigid *poses = malloc(run->node_count * sizeof(*poses));
	solve_prior prior;
	solve_answer answer = {.steps = steps};
	enm_result result = ENM_OK;
	if (anchor == NULL || poses == NULL)
		result = error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", run->node_count);
	for (uint32_t i = 0; i < run->node_count && result == ENM_OK; i++) {
		anchor[i] = run->node[i].part == i;
		poses[i] = run->node[i].pose;
	}
	refine_set_prior(run, system, &prior);
	refine_add_motions(run, system);
	if (result == ENM_OK)
		result = solve_run(system, poses, anchor, &prior, &answer);
	for (uint32_t i = 0; i < run->node_count && result == ENM_OK; i++)
		if (!run->node[i].out)
			run->node[i].pose = rigid_moved(&run->node[i].pose, steps + 6 * (size_t)i);
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS && result == ENM_OK; i++)
		run->residual_mm[i] += answer.terms_mm[i];
	for (int i = 0; i < 36 && result == ENM_OK; i++)
		out->covariance_um2[i] = 1e6 * answer.covariance[i];
	memcpy(run->known->terms, answer.covariance, sizeof(run->known->terms));
	run->known->information = prior.information;
	out->iterations += result == ENM_OK ? answer.iterations : 0;
	free(anchor);
	free(poses);
	return result;
}

static double misfit(const solve_system *system)
{
	return system->inliers > 0.0 ? sqrt(system->cost / system->inliers) : 0.0;
}

static float inlier_share(const solve_system *system)
{
	return system->offered > 0.0 ? (float)(system->inliers / system->offered) : 0.0f;
}

/* Every eighth pair by the last gate, which tells how well the frames agree as they are. */
#define LOOK_STRIDE 8u

static enm_result run_rounds(refine_run *run, enm_refine_result *out)
{
	solve_system system;
	double *steps = malloc((size_t)run->node_count * 6 * sizeof(*steps));
	enm_result result = solve_create(run->node_count, run->pair_count + run->node_count, &system);
	if (result == ENM_OK && steps == NULL)
		result = error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", run->node_count);
	set_gate(run, gates[ROUNDS - 1]);
	if (result == ENM_OK)
		result = compare(run, &system, LOOK_STRIDE, 0.25, 0.26);
	out->misfit_before = misfit(&system);
	out->inliers_before = inlier_share(&system);
	for (size_t round = 0; round < ROUNDS && result == ENM_OK; round++) {
		const double from = 0.26 + 0.48 * (double)round / (double)ROUNDS;
		double begun_s = now_s();
		bool any = true;
		set_gate(run, gates[round]);
		if (round > 0 && run->camera.rolling)
			result = update_skews(run);
		if (result == ENM_OK)
			result = compare(run, &system, strides[round], from, from + 0.4 / (double)ROUNDS);
		if (result == ENM_OK)
			result = leave_out(run, &any);
		if (result == ENM_OK && any) { /* without these */
			refine_find_parts(run);
			result = compare(run, &system, strides[round], from, from + 0.4 / (double)ROUNDS);
		}
		out->compare_s += now_s() - begun_s;
		begun_s = now_s();
		if (result == ENM_OK)
			result = solve(run, &system, steps, out);
		out->solve_s += now_s() - begun_s;
		out->rounds++;
	}
	set_gate(run, gates[ROUNDS - 1]);
	if (result == ENM_OK)
		result = refine_keep_known(run, &system);
	if (result == ENM_OK)
		result = solve_create(run->node_count, run->pair_count / LOOK_STRIDE + run->node_count + 1, &system);
	if (result == ENM_OK)
		result = compare(run, &system, LOOK_STRIDE, 0.74, 0.75);
	out->misfit_after = misfit(&system);
	out->inliers_after = inlier_share(&system);
	solve_destroy(&system);
	free(steps);
	return result;
}

/* ---- all of it ---- */

static enm_result place_and_fuse(refine_run *run, enm_refine_result *out)
{
	const double begun_s = now_s();
	enm_result result = refine_fuse_again(run, &out->frames_left_out);
	out->fuse_s = now_s() - begun_s;
	return result;
}

void refine_release_device(refine_run *run)
{
	gpu_kernel *kernels[] = {&run->k_map, &run->k_overlap, &run->k_sum};
	gpu_buffer *buffers[] = {&run->maps, &run->nodes, &run->batch, &run->sums, &run->hidden[0], &run->hidden[1], &run->input[0],
		&run->input[1]};
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
}

enm_result refine_open(refine_run *run, enm_refine_result *out)
{
	choose_sizes(run);
	set_gate(run, OVERLAP_GATE);
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
		result = create_buffers(run);
	out->device_bytes = run->session->budget.bytes - before;
	return result;
}

enm_result refine_solve(refine_run *run, enm_refine_result *out)
{
	const double begun_s = now_s();
	enm_result result = make_maps(run);
	if (result == ENM_OK)
		result = refine_choose_pairs(run);
	if (result == ENM_OK && run->pair_count == 0)
		result = ENM_EMPTY;
	out->compare_s = now_s() - begun_s;
	return result == ENM_OK ? run_rounds(run, out) : result;
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
	for (uint32_t i = 0; i < run->node_count; i++)
		out->frames_compared += !run->node[i].out;
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
	mend_cancel(session); /* all of that is done here, and better */
	result = session_settle(session);
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
	if (f->track.verdict != ENM_K_VERDICT_TRACKED || f->apart || f->track.island != 0)
		return ENM_EMPTY;
	*out_pose = report_pose(&f->track);
	if (out_fused != NULL)
		*out_fused = !f->bent && !f->left_out;
	return ENM_OK;
}
