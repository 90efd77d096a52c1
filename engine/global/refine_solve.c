/* SPDX-License-Identifier: Apache-2.0
 *
 * The terms border a sparse matrix of frames, A, and are taken out first (Schur): A is solved for its gradient and for
 * the six columns of the border at once, by conjugate gradients. Frames see each other along the jaw only, and so A is
 * stiff: it is solved in two levels (Nicolaides 1987), a frame's own block with what ties its turn to those of its
 * successors, and rigid motions of groups of successive frames, which carry what is slow, the bending of the arch. The iterations hardly grow with the number of frames, and
 * the time with the number of pairs; a factor of A would fill in with the random pairs. */
#include "global/refine_solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "global/refine_matrix.h"

#define NODE_TURNS ((SOLVE_TURNS - 1) * 3)
#define GROUPS_MOST 64u
#define GROUP_NODES_LEAST 4u
#define ITERATIONS_MOST 400u
#define PRECISION 1e-10 /* of the residual's length; the Schur complement is a small difference of large numbers */
#define PRECISION_COLUMNS 1e-5 /* enough for a variance to a thousandth */

enm_result solve_create(uint32_t nodes, uint32_t pairs_max, solve_system *out)
{
	memset(out, 0, sizeof(*out));
	out->nodes = nodes;
	out->pairs_max = pairs_max;
	out->diagonal = malloc((size_t)nodes * 36 * sizeof(double));
	out->border = malloc((size_t)nodes * 36 * sizeof(double));
	out->gradient = malloc((size_t)nodes * 6 * sizeof(double));
	out->off = malloc((size_t)pairs_max * 36 * sizeof(double));
	out->first = malloc((size_t)pairs_max * sizeof(uint32_t));
	out->second = malloc((size_t)pairs_max * sizeof(uint32_t));
	out->turns = malloc((size_t)nodes * NODE_TURNS * sizeof(double));
	if (out->diagonal == NULL || out->border == NULL || out->gradient == NULL || out->off == NULL ||
		out->first == NULL || out->second == NULL || out->turns == NULL) {
		solve_destroy(out);
		return error_set(
			ENM_E_MEMORY, "refinement: no host memory for %u frames and %u pairs", nodes, pairs_max);
	}
	solve_clear(out);
	return ENM_OK;
}

void solve_destroy(solve_system *s)
{
	free(s->diagonal);
	free(s->border);
	free(s->gradient);
	free(s->off);
	free(s->first);
	free(s->second);
	free(s->turns);
	memset(s, 0, sizeof(*s));
}

void solve_clear(solve_system *s)
{
	memset(s->diagonal, 0, (size_t)s->nodes * 36 * sizeof(double));
	memset(s->border, 0, (size_t)s->nodes * 36 * sizeof(double));
	memset(s->gradient, 0, (size_t)s->nodes * 6 * sizeof(double));
	memset(s->turns, 0, (size_t)s->nodes * NODE_TURNS * sizeof(double));
	memset(s->corner, 0, sizeof(s->corner));
	memset(s->corner_gradient, 0, sizeof(s->corner_gradient));
	s->cost = s->inliers = s->offered = 0.0;
	s->pairs = 0;
}

static double *next_pair(solve_system *s, uint32_t first, uint32_t second)
{
	double *off = s->off + 36 * (size_t)s->pairs;
	s->first[s->pairs] = first;
	s->second[s->pairs++] = second;
	return memset(off, 0, 36 * sizeof(*off));
}

/* Where the product of two columns lies in a pair's sums. */
static size_t product(size_t a, size_t b)
{
	const size_t low = a < b ? a : b, high = a < b ? b : a;
	return low * ENM_K_REFINE_COLUMNS - low * (low + 1) / 2 + high;
}

static void add_block(double *block, const float *sums, size_t rows, size_t columns)
{
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < 6; j++)
			block[6 * i + j] += (double)sums[product(rows + i, columns + j)];
}

void solve_add(solve_system *s, uint32_t first, uint32_t second, const float *sums)
{
	const size_t terms = 12, residual = 18;
	double *off = next_pair(s, first, second);
	add_block(off, sums, 0, 6);
	add_block(s->diagonal + 36 * (size_t)first, sums, 0, 0);
	add_block(s->diagonal + 36 * (size_t)second, sums, 6, 6);
	add_block(s->border + 36 * (size_t)first, sums, 0, terms);
	add_block(s->border + 36 * (size_t)second, sums, 6, terms);
	add_block(s->corner, sums, terms, terms);
	for (size_t i = 0; i < 6; i++) {
		s->gradient[6 * (size_t)first + i] += (double)sums[product(i, residual)];
		s->gradient[6 * (size_t)second + i] += (double)sums[product(6 + i, residual)];
		s->corner_gradient[i] += (double)sums[product(terms + i, residual)];
	}
	s->cost += (double)sums[product(residual, residual)];
	s->inliers += (double)sums[ENM_K_REFINE_INLIERS];
	s->offered += (double)sums[ENM_K_REFINE_OFFERED];
}

void solve_step_seen(const rigid *second_from_first, double *out)
{
	const double *r = second_from_first->r, *t = second_from_first->t;
	memset(out, 0, 36 * sizeof(*out));
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++) {
			const int a = (i + 1) % 3, b = (i + 2) % 3;
			out[6 * i + j] = out[6 * (3 + i) + 3 + j] = r[3 * i + j];
			out[6 * (3 + i) + j] = t[a] * r[3 * b + j] - t[b] * r[3 * a + j];
		}
}

/* out = a' m, both 6x6 */
static void product_before(const double *a, const double *m, double *out)
{
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			out[6 * i + j] = 0.0;
			for (int k = 0; k < 6; k++)
				out[6 * i + j] += a[6 * k + i] * m[6 * k + j];
		}
}

void solve_add_motion(solve_system *s, uint32_t first, uint32_t second, const double seen[36], const double off[6], const double information[36])
{
	double *block = next_pair(s, first, second), *gradient[] = {s->gradient + 6 * (size_t)first, s->gradient + 6 * (size_t)second};
	product_before(seen, information, block);
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < 6; j++) {
			for (size_t k = 0; k < 6; k++)
				s->diagonal[36 * (size_t)first + 6 * i + j] += block[6 * i + k] * seen[6 * k + j];
			s->diagonal[36 * (size_t)second + 6 * i + j] += information[6 * i + j];
			gradient[0][i] -= block[6 * i + j] * off[j];
			gradient[1][i] += information[6 * i + j] * off[j];
		}
	for (size_t i = 0; i < 36; i++)
		block[i] = -block[i];
}

void solve_add_turns(solve_system *s, uint32_t first, const double share[SOLVE_TURNS], const double off[3], const double weight[3])
{
	for (size_t a = 0; a < SOLVE_TURNS; a++)
		for (size_t axis = 0; axis < 3; axis++) {
			const size_t node = first + a;
			s->diagonal[36 * node + 7 * axis] += share[a] * share[a] * weight[axis];
			s->gradient[6 * node + axis] += share[a] * weight[axis] * off[axis];
			for (size_t later = 1; a + later < SOLVE_TURNS; later++)
				s->turns[NODE_TURNS * node + 3 * (later - 1) + axis] += share[a] * share[a + later] * weight[axis];
		}
}

/* ---- the two levels ---- */

typedef struct level {
	uint32_t groups, group_nodes;
	double *band;   /* factor of the nodes' own blocks and what ties their turns, MATRIX_BAND a row: the diagonal last */
	double *lift;   /* 6x6 a node: its unknowns by a rigid motion of its group */
	double *coarse; /* factor of the matrix of the groups' motions */
	double *coarse_b;
} level;

static void level_destroy(level *l)
{
	free(l->band);
	free(l->lift);
	free(l->coarse);
	free(l->coarse_b);
}

/* A motion (turn, move) of a group about a point in the world, as each camera feels it in its own frame. */
static void make_lift(const rigid *pose, const double *about, double *lift)
{
	const double d[3] = {pose->t[0] - about[0], pose->t[1] - about[1], pose->t[2] - about[2]};
	memset(lift, 0, 36 * sizeof(*lift));
	for (int axis = 0; axis < 3; axis++) {
		const double w[3] = {axis == 0, axis == 1, axis == 2};
		const double v[3] = {w[1] * d[2] - w[2] * d[1], w[2] * d[0] - w[0] * d[2], w[0] * d[1] - w[1] * d[0]};
		for (int i = 0; i < 3; i++) {
			const double *column = pose->r + i; /* the rotation's transpose, row i */
			lift[6 * i + axis] = column[3 * axis];
			lift[6 * (3 + i) + axis] = column[0] * v[0] + column[3] * v[1] + column[6] * v[2];
			lift[6 * (3 + i) + 3 + axis] = column[3 * axis];
		}
	}
}

/* out += a' m b, all 6x6, at (row, column) of a matrix of n columns. */
static void add_product(const double *a, const double *m, const double *b, double *out, size_t n)
{
	double half[36];
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			half[6 * i + j] = 0.0;
			for (int k = 0; k < 6; k++)
				half[6 * i + j] += m[6 * i + k] * b[6 * k + j];
		}
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < 6; j++)
			for (size_t k = 0; k < 6; k++)
				out[i * n + j] += a[6 * k + i] * half[6 * k + j];
}

static double turn_with(const solve_system *s, size_t node, size_t later, size_t axis)
{
	return s->turns[NODE_TURNS * node + 3 * (later - 1) + axis];
}

static void add_coarse_pair(level *l, size_t i, size_t j, const double *off)
{
	const size_t n = 6 * (size_t)l->groups, a = 6 * (i / l->group_nodes), b = 6 * (j / l->group_nodes);
	double block[36] = {0};
	add_product(l->lift + 36 * i, off, l->lift + 36 * j, block, 6);
	for (size_t r = 0; r < 6; r++)
		for (size_t c = 0; c < 6; c++) {
			l->coarse[(a + r) * n + b + c] += block[6 * r + c];
			l->coarse[(b + c) * n + a + r] += block[6 * r + c];
		}
}

static void make_coarse(const solve_system *s, level *l)
{
	const size_t n = 6 * (size_t)l->groups;
	memset(l->coarse, 0, n * n * sizeof(double));
	for (size_t i = 0; i < s->nodes; i++) {
		const size_t at = 6 * (i / l->group_nodes);
		add_product(l->lift + 36 * i, s->diagonal + 36 * i, l->lift + 36 * i, l->coarse + at * n + at, n);
	}
	for (size_t p = 0; p < s->pairs; p++)
		add_coarse_pair(l, s->first[p], s->second[p], s->off + 36 * p);
	for (size_t i = 0; i < s->nodes; i++)
		for (size_t later = 1; later < SOLVE_TURNS && i + later < s->nodes; later++) {
			double off[36] = {0};
			for (size_t axis = 0; axis < 3; axis++)
				off[7 * axis] = turn_with(s, i, later, axis);
			add_coarse_pair(l, i, i + later, off);
		}
}

/* What is tied most firmly. A steady hand ties turns by far more than comparisons fix each of them, which nodes' own blocks alone would take hundreds of iterations for. */
static void fill_band(const solve_system *s, double *band)
{
	memset(band, 0, (size_t)s->nodes * 6 * MATRIX_BAND * sizeof(double));
	for (size_t i = 0; i < s->nodes; i++) {
		for (size_t r = 0; r < 6; r++)
			for (size_t c = 0; c <= r; c++)
				band[(6 * i + r) * MATRIX_BAND + MATRIX_BAND - 1 - (r - c)] = s->diagonal[36 * i + 6 * r + c];
		for (size_t later = 1; later < SOLVE_TURNS && i + later < s->nodes; later++)
			for (size_t axis = 0; axis < 3; axis++)
				band[(6 * (i + later) + axis) * MATRIX_BAND + MATRIX_BAND - 1 - 6 * later] = turn_with(s, i, later, axis);
	}
}

static enm_result level_create(const solve_system *s, const rigid *poses, level *l)
{
	memset(l, 0, sizeof(*l));
	const uint32_t wanted = (s->nodes + GROUPS_MOST - 1) / GROUPS_MOST;
	l->group_nodes = wanted > GROUP_NODES_LEAST ? wanted : GROUP_NODES_LEAST;
	l->groups = (s->nodes + l->group_nodes - 1) / l->group_nodes;
	const size_t n = 6 * (size_t)l->groups;
	l->band = malloc((size_t)s->nodes * 6 * MATRIX_BAND * sizeof(double));
	l->lift = malloc((size_t)s->nodes * 36 * sizeof(double));
	l->coarse = malloc(n * n * sizeof(double));
	l->coarse_b = malloc(n * MATRIX_COLUMNS * sizeof(double));
	if (l->band == NULL || l->lift == NULL || l->coarse == NULL || l->coarse_b == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", s->nodes);
	for (size_t i = 0; i < s->nodes; i++)
		make_lift(&poses[i], poses[i / l->group_nodes * l->group_nodes].t, l->lift + 36 * i);
	fill_band(s, l->band);
	const size_t fixed = matrix_factor_band(6 * (size_t)s->nodes, l->band);
	if (fixed < 6 * (size_t)s->nodes)
		return error_set(ENM_E_ARGUMENT, "refinement: frame %zu is not fixed by those it was compared with", fixed / 6);
	make_coarse(s, l);
	if (!matrix_factor(n, l->coarse))
		return error_set(ENM_E_ARGUMENT, "refinement: the frames do not fix one another");
	return ENM_OK;
}

/* out = M^-1 in */
static void precondition(const solve_system *s, const level *l, const double *in, double *out)
{
	const size_t width = 6 * MATRIX_COLUMNS;
	memset(l->coarse_b, 0, (size_t)l->groups * width * sizeof(double));
	for (size_t i = 0; i < s->nodes; i++) {
		double *to = l->coarse_b + i / l->group_nodes * width;
		for (size_t k = 0; k < 6; k++)
			for (size_t j = 0; j < 6; j++)
				for (size_t c = 0; c < MATRIX_COLUMNS; c++)
					to[MATRIX_COLUMNS * j + c] +=
						l->lift[36 * i + 6 * k + j] * in[i * width + MATRIX_COLUMNS * k + c];
	}
	matrix_substitute(6 * (size_t)l->groups, l->coarse, l->coarse_b);
	memcpy(out, in, (size_t)s->nodes * width * sizeof(double));
	matrix_substitute_band(6 * (size_t)s->nodes, l->band, out);
	for (size_t i = 0; i < s->nodes; i++) {
		const double *from = l->coarse_b + i / l->group_nodes * width;
		for (size_t k = 0; k < 6; k++)
			for (size_t j = 0; j < 6; j++)
				for (size_t c = 0; c < MATRIX_COLUMNS; c++)
					out[i * width + MATRIX_COLUMNS * k + c] +=
						l->lift[36 * i + 6 * k + j] * from[MATRIX_COLUMNS * j + c];
	}
}

/* ---- conjugate gradients ---- */

static void add_turns(const solve_system *s, const double *x, double *y)
{
	const size_t width = 6 * MATRIX_COLUMNS;
	for (size_t i = 0; i < s->nodes; i++)
		for (size_t later = 1; later < SOLVE_TURNS && i + later < s->nodes; later++)
			for (size_t axis = 0; axis < 3; axis++) {
				const double t = turn_with(s, i, later, axis);
				const size_t a = i * width + MATRIX_COLUMNS * axis, b = a + later * width;
				for (size_t c = 0; c < MATRIX_COLUMNS; c++) {
					y[a + c] += t * x[b + c];
					y[b + c] += t * x[a + c];
				}
			}
}

static void multiply(const solve_system *s, const double *x, double *y)
{
	const size_t width = 6 * MATRIX_COLUMNS;
	memset(y, 0, (size_t)s->nodes * width * sizeof(double));
	for (size_t i = 0; i < s->nodes; i++)
		for (size_t r = 0; r < 6; r++)
			for (size_t k = 0; k < 6; k++)
				for (size_t c = 0; c < MATRIX_COLUMNS; c++)
					y[i * width + MATRIX_COLUMNS * r + c] +=
						s->diagonal[36 * i + 6 * r + k] * x[i * width + MATRIX_COLUMNS * k + c];
	for (size_t p = 0; p < s->pairs; p++) {
		const double *off = s->off + 36 * p, *xi = x + s->first[p] * width, *xj = x + s->second[p] * width;
		double *yi = y + s->first[p] * width, *yj = y + s->second[p] * width;
		for (size_t r = 0; r < 6; r++)
			for (size_t k = 0; k < 6; k++)
				for (size_t c = 0; c < MATRIX_COLUMNS; c++) {
					yi[MATRIX_COLUMNS * r + c] += off[6 * r + k] * xj[MATRIX_COLUMNS * k + c];
					yj[MATRIX_COLUMNS * k + c] += off[6 * r + k] * xi[MATRIX_COLUMNS * r + c];
				}
	}
	add_turns(s, x, y);
}

static void dot_columns(size_t rows, const double *a, const double *b, double *out)
{
	memset(out, 0, MATRIX_COLUMNS * sizeof(*out));
	for (size_t i = 0; i < rows; i++)
		for (size_t c = 0; c < MATRIX_COLUMNS; c++)
			out[c] += a[MATRIX_COLUMNS * i + c] * b[MATRIX_COLUMNS * i + c];
}

/* a += scale b, with a scale for each column. */
static void add_columns(size_t rows, const double *scale, const double *b, double *a)
{
	for (size_t i = 0; i < rows; i++)
		for (size_t c = 0; c < MATRIX_COLUMNS; c++)
			a[MATRIX_COLUMNS * i + c] += scale[c] * b[MATRIX_COLUMNS * i + c];
}

static bool all_small(const double *squares, const double *of, double precision)
{
	bool small = true;
	for (int c = 0; c < MATRIX_COLUMNS; c++)
		small = small && squares[c] <= precision * precision * of[c];
	return small;
}

/* Solves A x = b; `b` becomes what is left of it. `work`: three times as long as b. */
static uint32_t conjugate(
	const solve_system *s, const level *l, double precision, double *b, double *x, double *work)
{
	const size_t rows = 6 * (size_t)s->nodes, length = rows * MATRIX_COLUMNS;
	double *direction = work, *image = work + length, *better = work + 2 * length;
	double first[MATRIX_COLUMNS], left[MATRIX_COLUMNS], energy[MATRIX_COLUMNS], before[MATRIX_COLUMNS], along[MATRIX_COLUMNS], scale[MATRIX_COLUMNS];
	uint32_t n = 0;
	memset(x, 0, length * sizeof(*x));
	dot_columns(rows, b, b, first);
	precondition(s, l, b, direction);
	dot_columns(rows, b, direction, energy);
	for (bool done = false; !done && n < ITERATIONS_MOST; n++) {
		multiply(s, direction, image);
		dot_columns(rows, direction, image, along);
		for (int c = 0; c < MATRIX_COLUMNS; c++)
			scale[c] = along[c] > 0.0 ? energy[c] / along[c] : 0.0;
		add_columns(rows, scale, direction, x);
		for (int c = 0; c < MATRIX_COLUMNS; c++)
			scale[c] = -scale[c];
		add_columns(rows, scale, image, b);
		dot_columns(rows, b, b, left);
		done = all_small(left, first, precision);
		precondition(s, l, b, better);
		memcpy(before, energy, sizeof(before));
		dot_columns(rows, b, better, energy);
		for (int c = 0; c < MATRIX_COLUMNS; c++)
			scale[c] = before[c] > 0.0 ? energy[c] / before[c] : 0.0;
		for (size_t i = 0; i < rows; i++)
			for (size_t c = 0; c < MATRIX_COLUMNS; c++)
				direction[MATRIX_COLUMNS * i + c] =
					better[MATRIX_COLUMNS * i + c] + scale[c] * direction[MATRIX_COLUMNS * i + c];
	}
	return n;
}

/* ---- all of it ---- */

/* The terms from what is left of them when the frames have followed: x has the frames' answers to the gradient (column
 * 0) and to each term. */
static bool solve_terms(const solve_system *s, const double *x, const solve_prior *prior, solve_answer *out)
{
	double schur[36], right[6];
	for (size_t i = 0; i < 6; i++) {
		right[i] = -s->corner_gradient[i];
		memcpy(schur + 6 * i, s->corner + 6 * i, 6 * sizeof(double));
	}
	for (size_t n = 0; n < 6 * (size_t)s->nodes; n++)
		for (size_t i = 0; i < 6; i++) {
			const double b = s->border[6 * n + i];
			right[i] += b * x[MATRIX_COLUMNS * n];
			for (size_t j = 0; j < 6; j++)
				schur[6 * i + j] -= b * x[MATRIX_COLUMNS * n + 1 + j];
		}
	for (size_t i = 0; i < 6; i++) {
		right[i] *= prior->information;
		for (size_t j = 0; j < 6; j++) {
			right[i] -= prior->weight[6 * i + j] * prior->off_mm[j];
			schur[6 * i + j] = prior->information * schur[6 * i + j] + prior->weight[6 * i + j];
		}
	}
	if (!matrix_invert(6, schur, out->covariance))
		return false;
	for (size_t i = 0; i < 6; i++) {
		out->terms_mm[i] = 0.0;
		for (size_t j = 0; j < 6; j++)
			out->terms_mm[i] += out->covariance[6 * i + j] * right[j];
	}
	return true;
}

/* A place is known before to 0.02 rad and 0.3 mm: nothing beside what comparisons tell, but what a round leaves hanging alone stays where it is. */
#define TURN_KNOWN (1.0 / (0.02 * 0.02))
#define MOVE_KNOWN (1.0 / (0.3 * 0.3))

/* An anchor is held as firmly by its place as by its neighbours, which fixes the whole and bends nothing. */
static void hold(solve_system *s, const bool *anchor)
{
	for (size_t i = 0; i < s->nodes; i++) {
		double *block = s->diagonal + 36 * i;
		for (size_t k = 0; k < 36; k++)
			block[k] *= anchor[i] ? 2.0 : 1.0;
		for (size_t k = 0; k < 6; k++)
			block[7 * k] += k < 3 ? TURN_KNOWN : MOVE_KNOWN;
	}
}

enm_result solve_run(
	solve_system *s, const rigid *poses, const bool *anchor, const solve_prior *prior, solve_answer *out)
{
	const size_t rows = 6 * (size_t)s->nodes, length = rows * MATRIX_COLUMNS;
	level l;
	double *memory = calloc(5 * length, sizeof(*memory)), *b = memory, *x = b + length;
	hold(s, anchor);
	enm_result result = memory != NULL ? level_create(s, poses, &l) : ENM_OK;
	if (memory == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", s->nodes);
	for (size_t n = 0; n < rows; n++) {
		b[MATRIX_COLUMNS * n] = s->gradient[n];
		for (size_t c = 0; c < 6; c++)
			b[MATRIX_COLUMNS * n + 1 + c] = s->border[6 * n + c];
	}
	if (result == ENM_OK)
		out->iterations = conjugate(s, &l, PRECISION, b, x, x + length);
	if (result == ENM_OK && !solve_terms(s, x, prior, out))
		result = error_set(ENM_E_ARGUMENT, "refinement: the terms of the residual cannot be told apart");
	for (size_t n = 0; n < rows && result == ENM_OK; n++) {
		out->steps[n] = -x[MATRIX_COLUMNS * n];
		for (size_t c = 0; c < 6; c++)
			out->steps[n] -= x[MATRIX_COLUMNS * n + 1 + c] * out->terms_mm[c];
	}
	level_destroy(&l);
	free(memory);
	return result;
}

enm_result solve_columns(const solve_system *s, const rigid *poses, size_t columns, const double *from, double *to)
{
	const size_t rows = 6 * (size_t)s->nodes, length = rows * MATRIX_COLUMNS;
	level l;
	double *memory = calloc(5 * length, sizeof(*memory)), *b = memory, *x = b + length;
	if (memory == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", s->nodes);
	enm_result result = level_create(s, poses, &l);
	for (size_t first = 0; first < columns && result == ENM_OK; first += MATRIX_COLUMNS) {
		const size_t count = columns - first < MATRIX_COLUMNS ? columns - first : MATRIX_COLUMNS;
		memset(b, 0, length * sizeof(*b));
		for (size_t n = 0; n < rows; n++)
			for (size_t c = 0; c < count; c++)
				b[MATRIX_COLUMNS * n + c] = from[(first + c) * rows + n];
		(void)conjugate(s, &l, PRECISION_COLUMNS, b, x, x + length);
		for (size_t n = 0; n < rows; n++)
			for (size_t c = 0; c < count; c++)
				to[(first + c) * rows + n] = x[MATRIX_COLUMNS * n + c];
	}
	level_destroy(&l);
	free(memory);
	return result;
}
