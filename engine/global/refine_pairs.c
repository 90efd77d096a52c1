/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is compared with whom: random partners among all frames that see the same place, whenever they were taken. The
 * nearest views only would leave the arch as soft as the scan was; random ones tie passes to one another and bridge
 * what is far apart. */
#include "global/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define OVERLAP_LEAST 0.25f
#define CANDIDATES_EACH 3u /* that are looked at for one partner */
/* Views whose middles lie farther apart than this share of a view, or that look from more than 80 degrees apart, share
 * too little. */
#define REACH 0.75
#define COSINE_LEAST 0.17

typedef struct candidates {
	enm_k_pair *pairs;
	float *shares;
	uint32_t count, capacity;
} candidates;

/* A sequence of random numbers (Steele et al. 2014, "splitmix"). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15u;
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static bool may_overlap(const rigid *a, const rigid *b, double pivot_mm, double reach_mm)
{
	double apart = 0.0, cosine = 0.0;
	for (int i = 0; i < 3; i++) {
		const double d = a->t[i] + a->r[3 * i + 2] * pivot_mm - b->t[i] - b->r[3 * i + 2] * pivot_mm;
		apart += d * d;
		cosine += a->r[3 * i + 2] * b->r[3 * i + 2];
	}
	return apart < reach_mm * reach_mm && cosine > COSINE_LEAST;
}

static void add_candidate(candidates *c, uint32_t first, uint32_t second)
{
	enm_k_pair *p = &c->pairs[c->count++];
	memset(p, 0, sizeof(*p));
	p->first = first;
	p->second = second;
}

/* The next frame, and random others: a shuffle that ends when there are enough. */
static void list_candidates(const refine_run *run, uint32_t i, double pivot_mm, uint32_t *others, candidates *c)
{
	const enm_camera *camera = &run->session->def.camera;
	const double reach_mm = REACH * pivot_mm * camera->width / camera->fx;
	uint64_t random = (uint64_t)run->def->seed << 32 ^ i;
	uint32_t near = 0;
	for (uint32_t j = 0; j < run->node_count; j++)
		if (j != i && j != i + 1 && may_overlap(&run->node[i].pose, &run->node[j].pose, pivot_mm, reach_mm))
			others[near++] = j;
	if (i + 1 < run->node_count)
		add_candidate(c, i, i + 1);
	for (uint32_t n = 0; n < near && n < CANDIDATES_EACH * run->effort.partners; n++) {
		const uint32_t other = n + (uint32_t)(next_random(&random) % (near - n)), chosen = others[other];
		others[other] = others[n];
		add_candidate(c, i, chosen);
	}
}

static int by_nodes(const void *a, const void *b)
{
	const enm_k_pair *p = a, *q = b;
	if (p->first != q->first)
		return p->first < q->first ? -1 : 1;
	return p->second != q->second ? (p->second < q->second ? -1 : 1) : 0;
}

/* Of each frame's candidates the first that overlap; each pair once. */
static void keep_partners(refine_run *run, const candidates *c)
{
	uint32_t kept = 0;
	for (uint32_t n = 0, taken = 0; n < c->count; n++) {
		const enm_k_pair *p = &c->pairs[n];
		taken = n > 0 && c->pairs[n - 1].first == p->first ? taken : 0;
		if (taken >= run->effort.partners || !(c->shares[n] >= OVERLAP_LEAST))
			continue;
		taken++;
		run->pairs[kept] = *p;
		run->pairs[kept].first = p->first < p->second ? p->first : p->second;
		run->pairs[kept++].second = p->first < p->second ? p->second : p->first;
	}
	qsort(run->pairs, kept, sizeof(*run->pairs), by_nodes);
	run->pair_count = 0;
	for (uint32_t n = 0; n < kept; n++)
		if (n == 0 || by_nodes(&run->pairs[n], &run->pairs[n - 1]) != 0)
			run->pairs[run->pair_count++] = run->pairs[n];
}

static uint32_t root_of(refine_node *node, uint32_t i)
{
	while (node[i].part != i)
		i = node[i].part = node[node[i].part].part;
	return i;
}

void refine_find_parts(refine_run *run)
{
	for (uint32_t i = 0; i < run->node_count; i++)
		run->node[i].part = i;
	for (uint32_t n = 0; n < run->pair_count; n++) {
		const uint32_t a = run->pairs[n].first, b = run->pairs[n].second;
		if (run->node[a].out || run->node[b].out)
			continue;
		const uint32_t p = root_of(run->node, a), q = root_of(run->node, b);
		run->node[p < q ? q : p].part = p < q ? p : q; /* a part is called by its first node */
	}
	run->parts = 0;
	for (uint32_t i = 0; i < run->node_count; i++) {
		run->node[i].part = root_of(run->node, i);
		run->parts += run->node[i].part == i && !run->node[i].out;
	}
}

static enm_result ask_overlaps(refine_run *run, candidates *c)
{
	enm_result result = ENM_OK;
	for (uint32_t n = 0; n < c->count && result == ENM_OK; n += run->effort.batch) {
		const uint32_t count = c->count - n < run->effort.batch ? c->count - n : run->effort.batch;
		result = refine_run_batch(run, &run->k_overlap, c->pairs + n, count, sizeof(float), c->shares + n);
		if (result == ENM_OK && !refine_goes_on(run, "overlaps", 0.2 + 0.05 * n / c->count))
			result = ENM_CANCELLED;
	}
	return result;
}

enm_result refine_choose_pairs(refine_run *run)
{
	const uint32_t each = CANDIDATES_EACH * run->effort.partners + 1;
	candidates c = {.capacity = run->node_count * each};
	uint32_t *others = malloc(run->node_count * sizeof(*others));
	c.pairs = malloc((size_t)c.capacity * sizeof(*c.pairs));
	c.shares = malloc((size_t)c.capacity * sizeof(*c.shares));
	run->pairs = malloc((size_t)run->node_count * run->effort.partners * sizeof(*run->pairs));
	enm_result result = ENM_OK;
	if (others == NULL || c.pairs == NULL || c.shares == NULL || run->pairs == NULL)
		result = error_set(ENM_E_MEMORY, "refinement: no host memory for pairs of %u frames", run->node_count);
	for (uint32_t i = 0; i < run->node_count && result == ENM_OK; i++) {
		const float pivot_mm = run->store->frames[run->node[i].frame].pivot_mm;
		list_candidates(run, i, (double)pivot_mm, others, &c);
	}
	if (result == ENM_OK)
		result = ask_overlaps(run, &c);
	if (result == ENM_OK) {
		keep_partners(run, &c);
		refine_find_parts(run);
	}
	free(others);
	free(c.pairs);
	free(c.shares);
	return result;
}
