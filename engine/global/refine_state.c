/* SPDX-License-Identifier: Apache-2.0
 *
 * What a refinement can be gone on from: where the frames compared are after a round, in full precision, so that nothing of the rest tells that it was interrupted.
 * Maps and pairs are made again. Bytes in the order of the machine; a header, the frames, a checksum. */
#include "global/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/error.h"

#define MAGIC "ENMREFI2"

typedef struct state_head {
	char magic[8];
	uint64_t of; /* the frames and the definition */
	uint32_t rounds, iterations, nodes, pad;
	double residual_mm[ENM_K_RESIDUAL_TERMS];
} state_head;

typedef struct state_node {
	double r[9], t[3];
	float skew[6];
	uint32_t out, pad;
} state_node;

_Static_assert(sizeof(state_head) == 80 && sizeof(state_node) == 128, "no padding, whose bytes nobody sets");

static size_t state_bytes(uint32_t nodes)
{
	return sizeof(state_head) + (size_t)nodes * sizeof(state_node) + sizeof(uint64_t);
}

/* Of all that the rounds begin with. */
static uint64_t fingerprint(const refine_run *run)
{
	XXH64_hash_t h = XXH64(&run->camera, sizeof(run->camera), run->def->seed);
	const int32_t numbers[] = {(int32_t)run->effort.step, (int32_t)run->effort.partners, run->effort.samples};
	h = XXH64(numbers, sizeof(numbers), h);
	h = XXH64(run->prior, sizeof(run->prior), h);
	for (uint32_t i = 0; i < run->node_count; i++) {
		const store_frame *f = &run->store->frames[run->node[i].frame];
		h = XXH64(&f->id, sizeof(f->id), h);
		h = XXH64(&run->node[i].before, sizeof(run->node[i].before), h);
		h = XXH64(f->skew, sizeof(f->skew), h);
	}
	return h;
}

enm_result refine_give_state(const refine_run *run, uint32_t rounds, uint32_t iterations)
{
	if (run->def->on_state == NULL)
		return ENM_OK;
	const size_t bytes = state_bytes(run->node_count);
	uint8_t *state = calloc(1, bytes);
	if (state == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for its state");
	state_head head = {.of = fingerprint(run), .rounds = rounds, .iterations = iterations, .nodes = run->node_count};
	memcpy(head.magic, MAGIC, sizeof(head.magic));
	memcpy(head.residual_mm, run->residual_mm, sizeof(head.residual_mm));
	memcpy(state, &head, sizeof(head));
	for (uint32_t i = 0; i < run->node_count; i++) {
		const refine_node *from = &run->node[i];
		state_node node = {.out = from->out};
		memcpy(node.r, from->pose.r, sizeof(node.r));
		memcpy(node.t, from->pose.t, sizeof(node.t));
		memcpy(node.skew, from->skew, sizeof(node.skew));
		memcpy(state + sizeof(head) + i * sizeof(node), &node, sizeof(node));
	}
	const uint64_t sum = XXH64(state, bytes - sizeof(sum), 0);
	memcpy(state + bytes - sizeof(sum), &sum, sizeof(sum));
	run->def->on_state(run->def->user, state, bytes);
	free(state);
	return ENM_OK;
}

/* A checksum keeps accidents out, not whoever wrote the bytes: what would lead out of an array, or never end, must not get in. */
#define NUMBER_MOST 1e6
#define ROTATION_WITHIN 1e-4

/* False for NaN. */
static bool are_numbers(const double *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!(fabs(numbers[i]) <= NUMBER_MOST))
			return false;
	return true;
}

static bool is_rotation(const double r[9])
{
	const double across[3] = {r[1] * r[5] - r[2] * r[4], r[2] * r[3] - r[0] * r[5], r[0] * r[4] - r[1] * r[3]};
	for (int i = 0; i < 3; i++)
		for (int k = 0; k <= i; k++) {
			const double dot = r[3 * i] * r[3 * k] + r[3 * i + 1] * r[3 * k + 1] + r[3 * i + 2] * r[3 * k + 2];
			if (!(fabs(dot - (i == k)) <= ROTATION_WITHIN))
				return false;
		}
	return across[0] * r[6] + across[1] * r[7] + across[2] * r[8] > 0.0; /* no mirror */
}

static bool is_place(const state_node *n)
{
	bool good = are_numbers(n->r, 9) && are_numbers(n->t, 3) && is_rotation(n->r);
	for (int i = 0; i < 6; i++)
		good = good && fabsf(n->skew[i]) <= (float)NUMBER_MOST;
	return good;
}

enm_result refine_check_state(const refine_run *run)
{
	const uint8_t *state = run->def->state;
	const size_t bytes = run->def->state_bytes;
	state_head head;
	uint64_t sum;
	if (state == NULL)
		return ENM_OK;
	if (bytes < sizeof(head) + sizeof(sum))
		return error_set(ENM_E_ARGUMENT, "state: %zu bytes are too few", bytes);
	memcpy(&head, state, sizeof(head));
	memcpy(&sum, state + bytes - sizeof(sum), sizeof(sum));
	if (memcmp(head.magic, MAGIC, sizeof(head.magic)) != 0)
		return error_set(ENM_E_ARGUMENT, "state: not one of a refinement, or of another version");
	if (sum != XXH64(state, bytes - sizeof(sum), 0))
		return error_set(ENM_E_ARGUMENT, "state: damaged (checksum)");
	if (head.of != fingerprint(run) || bytes != state_bytes(run->node_count))
		return error_set(ENM_E_ARGUMENT, "state: of other frames, or of another definition");
	if (head.nodes != run->node_count || head.rounds < 1 || head.rounds >= REFINE_ROUNDS)
		return error_set(ENM_E_ARGUMENT, "state: %u frames after round %u, wanted %u after 1 to %u", head.nodes,
			head.rounds, run->node_count, REFINE_ROUNDS - 1);
	if (!are_numbers(head.residual_mm, ENM_K_RESIDUAL_TERMS))
		return error_set(ENM_E_ARGUMENT, "state: a residual that is none");
	for (uint32_t i = 0; i < run->node_count; i++) {
		state_node node;
		memcpy(&node, state + sizeof(head) + i * sizeof(node), sizeof(node));
		if (!is_place(&node))
			return error_set(ENM_E_ARGUMENT, "state: frame %u: a pose that is none", i);
	}
	return ENM_OK;
}

void refine_take_state(refine_run *run, uint32_t *out_rounds, uint32_t *out_iterations)
{
	const uint8_t *state = run->def->state;
	state_head head;
	if (state == NULL)
		return;
	memcpy(&head, state, sizeof(head));
	memcpy(run->residual_mm, head.residual_mm, sizeof(run->residual_mm));
	for (uint32_t i = 0; i < run->node_count; i++) {
		refine_node *to = &run->node[i];
		state_node node;
		memcpy(&node, state + sizeof(head) + i * sizeof(node), sizeof(node));
		memcpy(to->pose.r, node.r, sizeof(node.r));
		memcpy(to->pose.t, node.t, sizeof(node.t));
		memcpy(to->skew, node.skew, sizeof(node.skew));
		to->out = node.out != 0;
	}
	refine_find_parts(run);
	*out_rounds = head.rounds;
	*out_iterations = head.iterations;
}
