/* SPDX-License-Identifier: Apache-2.0
 * The rounds of the refinement: compare, leave out, solve, each by a closer gate than the one before. */
#include "global/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "pipeline/stage.h"

/* Residuals count up to so many of their own sigmas (two fits; 20 um 14 mm away): 0.25 mm at first, since passes may
 * have drifted apart. In the end it is where Tukey's biweight loses a twentieth to Gaussian noise: at three sigmas the
 * bow was half a micrometre off, and poses a fifth. */
static const double gates[REFINE_ROUNDS] = {12.0, 8.0, 6.0, 5.0, 5.0};
/* One pair in so many: the first rounds lead where the last ones measure. */
static const uint32_t strides[REFINE_ROUNDS] = {4, 4, 2, 1, 1};

/* Of the nodes' usual share of comparisons that agree; what agrees less shows something that moves. */
#define AGREES_LEAST 0.6
#define COMPARED_LEAST 100.0 /* samples; fewer fix no pose */

/* ---- compare ---- */

void refine_set_gate(refine_run *run, double sigmas)
{
	run->sizes.gate = (float)sigmas;
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++)
		run->sizes.residual_mm[i] = (float)run->residual_mm[i];
}

enm_result refine_run_batch(
	refine_run *run, gpu_kernel *kernel, enm_k_pair *pairs, uint32_t count, size_t bytes_each, void *out)
{
	for (uint32_t n = 0; n < count; n++) {
		/* in double: the small difference of two places in the world */
		const rigid back = rigid_inverse(&run->node[pairs[n].second].pose),
			    between = rigid_after(&back, &run->node[pairs[n].first].pose);
		pairs[n].second_from_first = rigid_to_device(&between);
	}
	const gpu_arg args[] = {GPU_VALUE(run->camera), GPU_VALUE(run->sizes), GPU_BUFFER(&run->rays),
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

double refine_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}

uint32_t refine_nodes_in(const refine_run *run)
{
	uint32_t nodes = 0;
	for (uint32_t i = 0; i < run->node_count; i++)
		nodes += !run->node[i].out;
	return nodes;
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
	const double least = count > 0 ? AGREES_LEAST * refine_median(shares, count) : 0.0;
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
#define SKEW_APART_S ((double)ENM_K_VELOCITY_TELLS_S) /* of frames that follow each other sooner noise would pass for motion */

bool refine_skew(double half_exposure_s, const rigid poses[3], const int64_t times_ns[3], float out_skew[6])
{
	const double before = 1e-9 * (double)((uint64_t)times_ns[1] - (uint64_t)times_ns[0]),
		     after = 1e-9 * (double)((uint64_t)times_ns[2] - (uint64_t)times_ns[1]);
	double to_last[6], to_next[6];
	if (before + after > SKEW_SPAN_S || before < SKEW_APART_S || after < SKEW_APART_S)
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
	return refine_write_nodes(run);
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
	if (result == ENM_OK && out->rounds + 1 == REFINE_ROUNDS) /* what it is fitted to knows nothing of it */
		result = refine_add_smoothness(run, prior.information, system);
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

static enm_result run_round(refine_run *run, uint32_t round, solve_system *system, double *steps, enm_refine_result *out)
{
	const double from = 0.26 + 0.48 * round / REFINE_ROUNDS, to = from + 0.4 / REFINE_ROUNDS;
	double begun_s = refine_clock_s();
	bool any = true;
	enm_result result = ENM_OK;
	refine_set_gate(run, gates[round]);
	if (round > 0 && run->camera.rolling)
		result = update_skews(run);
	if (result == ENM_OK)
		result = compare(run, system, strides[round], from, to);
	if (result == ENM_OK)
		result = leave_out(run, &any);
	if (result == ENM_OK && any) { /* without these */
		refine_find_parts(run);
		result = compare(run, system, strides[round], from, to);
	}
	out->compare_s += refine_clock_s() - begun_s;
	begun_s = refine_clock_s();
	if (result == ENM_OK)
		result = solve(run, system, steps, out);
	out->solve_s += refine_clock_s() - begun_s;
	out->rounds++;
	if (result == ENM_OK && out->rounds < REFINE_ROUNDS)
		result = refine_give_state(run, out->rounds, out->iterations);
	return result;
}

enm_result refine_run_rounds(refine_run *run, enm_refine_result *out)
{
	solve_system system;
	double *steps = malloc((size_t)run->node_count * 6 * sizeof(*steps));
	enm_result result = solve_create(run->node_count, run->pair_count + run->node_count, &system);
	if (result == ENM_OK && steps == NULL)
		result = error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", run->node_count);
	refine_set_gate(run, gates[REFINE_ROUNDS - 1]);
	if (result == ENM_OK)
		result = compare(run, &system, LOOK_STRIDE, 0.25, 0.26);
	out->misfit_before = misfit(&system);
	out->inliers_before = inlier_share(&system);
	refine_take_state(run, &out->rounds, &out->iterations);
	if (result == ENM_OK && out->rounds > 0)
		result = refine_write_nodes(run);
	while (out->rounds < REFINE_ROUNDS && result == ENM_OK)
		result = run_round(run, out->rounds, &system, steps, out);
	refine_set_gate(run, gates[REFINE_ROUNDS - 1]);
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
