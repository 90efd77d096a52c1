/* SPDX-License-Identifier: Apache-2.0
 * The sparse least squares of the refinement: six unknowns a frame (turn in rad, move in mm, in its camera's own
 * frame), and the terms of the depth residual (mm), which all frames share. */
#ifndef ENM_REFINE_SOLVE_H
#define ENM_REFINE_SOLVE_H

#include "global/rigid.h"

#define SOLVE_TERMS ENM_K_RESIDUAL_TERMS
#define SOLVE_TURNS 4u /* successive nodes whose turns can be tied to one another */

typedef struct solve_system {
	uint32_t nodes, pairs, pairs_max;
	double *diagonal;         /* 6x6 a node */
	double *border;           /* 6x6 a node: its unknowns with the terms */
	double *gradient;         /* 6 a node */
	double *off;              /* 6x6 a pair: the first node's unknowns with the second's */
	uint32_t *first, *second; /* of each pair, in any order */
	double *turns;            /* SOLVE_TURNS - 1 by 3 a node: by each axis, its turn with those of the nodes that follow */
	double corner[36], corner_gradient[6];
	double cost, inliers, offered; /* sums over all pairs */
} solve_system;

ENM_MUST_CHECK enm_result solve_create(uint32_t nodes, uint32_t pairs_max, solve_system *out_system);
void solve_destroy(solve_system *system);

void solve_clear(solve_system *system);

/* Adds what a pair says (ENM_K_REFINE_SUMS values). */
void solve_add(solve_system *system, uint32_t first, uint32_t second, const float *sums);

/* How a step of the first, in its own frame, moves it in the frame of the second (6x6). */
void solve_step_seen(const rigid *second_from_first, double *out_seen);

/* Adds what is known of where `second` is from `first`: it is `off` from there (a step in its own frame), of which the `information` is known. `seen`: the first's
 * steps, seen from the second. No part of cost, inliers and offered. */
void solve_add_motion(
	solve_system *system, uint32_t first, uint32_t second, const double seen[36], const double off[6], const double information[36]);

/* Adds what is known of the turns of SOLVE_TURNS nodes from `first` on: by each axis, the sum of share * turn, in the nodes' own frames, is `off` too much, of
 * which the `weight` is known. No part of cost, inliers and offered. */
void solve_add_turns(solve_system *system, uint32_t first, const double share[SOLVE_TURNS], const double off[3], const double weight[3]);

/* What is known before: of the terms, their information in 1/mm2 (the inverse of a covariance, row by row) and how far
 * the present values are off its mean. `information`: by how much less the readings say than their number tells. */
typedef struct solve_prior {
	double weight[SOLVE_TERMS * SOLVE_TERMS], off_mm[SOLVE_TERMS];
	double information;
} solve_prior;

typedef struct solve_answer {
	double *steps;                /* 6 a node, the caller's memory */
	double terms_mm[SOLVE_TERMS]; /* to be added to the residual */
	double covariance[36];        /* of the terms, mm2 */
	uint32_t iterations;
} solve_answer;

/* Fixes the first node of every part that hangs together where it is (`anchor` of each node: whether it is such a one).
 */
ENM_MUST_CHECK enm_result solve_run(solve_system *system, const rigid *poses, const bool *anchor,
	const solve_prior *prior, solve_answer *out_answer);

/* Columns of the inverse of the frames' own matrix (without the terms) of a system that solve_run has solved: out_x = A^-1 b,
 * both with 6 values a node, a column after the other. Eight columns at a time
 * cost about what the solve of a round does. */
ENM_MUST_CHECK enm_result solve_columns(
	const solve_system *system, const rigid *poses, size_t columns, const double *b, double *out_x);

#endif
