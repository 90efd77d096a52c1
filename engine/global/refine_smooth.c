/* SPDX-License-Identifier: Apache-2.0
 *
 * A hand turns smoothly. What a frame's readings leave open of its turn, which is what an arch pinned at one frame feels, the frames before and after it tell: the
 * angular acceleration stays as it is, but for white noise. Its strength, which differs by axis and from one moment to another, is fitted to the turns found so
 * far: so that these are likely, given what comparisons leave open of each (type II maximum likelihood; MacKay, Neural Computation 4, 1992). Where a hand trembles or
 * jerks that says next to nothing. Turns only: where the place is that a camera looks at, its readings tell better than any hand, and the move follows the turn by
 * what they say of both. */
#include "global/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "global/refine_matrix.h"

#define APART_MOST_S 0.15 /* of successive nodes; between others a hand has had the time to do anything */
#define APART_LEAST_S ((double)ENM_K_VELOCITY_TELLS_S)
#define EVEN 1.6 /* the longest of three intervals, by the shortest */

/* Changes that have their unsteadiness in common, and as many before and after them from which it is fitted too. */
#define STRETCH 15u
#define FITTED_MOST (3u * STRETCH)

/* Variances tried, of a change by the hand, in parts of what noise alone would make it: half a decade apart. Few changes cannot tell small ones apart, and a hand
 * that is held for too steady is worse than the opposite: the greatest that is within a sigma (1 of -2 log) of the likeliest. */
#define TRIED 19
#define TRIED_LEAST 1e-7
#define LIKELY 1.0

/* A tremor is a tone, and no white noise: few changes would be more likely by less of it. What is left then hangs together from change to change, more than white
 * noise does in 99 of 100 cases (Box and Pierce, J. Am. Stat. Assoc. 65, 1970), and nothing is told. */
#define WHITE_LAGS 6u
#define WHITE_MOST 16.8

/* A change beyond so many sigmas, by the noise or by the median of those about it, is a jerk by itself, as when the wand touches a tooth: it is told nothing. */
#define JERK_SIGMAS 3.0
#define MEDIAN_OF_SQUARES 0.4549 /* of normal deviates */

/* How the angular acceleration (by axis, rad/s3) changes over four successive nodes: to first order, the sum of share * turn. */
typedef struct change {
	uint32_t first;
	double share[SOLVE_TURNS], jerk[3];
} change;

typedef struct smoothing {
	const refine_run *run;
	change *changes;
	size_t count;
	double (*noise)[3]; /* variance of each node's turn by its comparisons */
} smoothing;

static double time_s(const refine_run *run, uint32_t node)
{
	const store_frame *frames = run->store->frames;
	const uint64_t now = (uint64_t)frames[run->node[node].frame].time_ns, first = (uint64_t)frames[run->node[0].frame].time_ns;
	return 1e-9 * (double)(int64_t)(now - first);
}

static bool follows(const refine_run *run, uint32_t n)
{
	const refine_node *a = &run->node[n - 1], *b = &run->node[n];
	const double apart_s = time_s(run, n) - time_s(run, n - 1);
	return !a->out && !b->out && a->part == b->part && apart_s >= APART_LEAST_S && apart_s <= APART_MOST_S;
}

/* A tremor is a tone only where frames come evenly. */
static bool is_even(const double *apart_s)
{
	const double least = fmin(apart_s[0], fmin(apart_s[1], apart_s[2])), most = fmax(apart_s[0], fmax(apart_s[1], apart_s[2]));
	return most <= EVEN * least;
}

/* Divided differences of the turns, of which the first come from pose to pose. False where frames did not come evenly. */
static bool change_at(const refine_run *run, uint32_t first, change *out)
{
	double apart_s[3], velocity[3][6], by_velocity[3];
	for (uint32_t i = 0; i < 3; i++) {
		apart_s[i] = time_s(run, first + i + 1) - time_s(run, first + i);
		rigid_step_between(&run->node[first + i].pose, &run->node[first + i + 1].pose, velocity[i]);
	}
	const double early = 2.0 / (apart_s[0] + apart_s[1]), late = 2.0 / (apart_s[1] + apart_s[2]),
		     all = 3.0 / (apart_s[0] + apart_s[1] + apart_s[2]);
	if (!is_even(apart_s))
		return false;
	by_velocity[0] = early * all;
	by_velocity[1] = -(early + late) * all;
	by_velocity[2] = late * all;
	*out = (change){.first = first};
	for (int i = 0; i < 3; i++) {
		by_velocity[i] /= apart_s[i];
		out->share[i] -= by_velocity[i];
		out->share[i + 1] += by_velocity[i];
		for (int axis = 0; axis < 3; axis++)
			out->jerk[axis] += by_velocity[i] * velocity[i][axis];
	}
	return true;
}

static void find_changes(smoothing *s)
{
	uint32_t in_a_row = 0;
	for (uint32_t n = 0; n < s->run->node_count; n++) {
		in_a_row = n > 0 && follows(s->run, n) ? in_a_row + 1 : 1;
		if (in_a_row >= SOLVE_TURNS && change_at(s->run, n + 1 - SOLVE_TURNS, &s->changes[s->count]))
			s->count++;
	}
}

/* A node whose turn comparisons do not fix has no noise of its own: the solve will say so. */
static void find_noise(smoothing *s, const solve_system *system, double information)
{
	for (uint32_t n = 0; n < s->run->node_count; n++) {
		double covariance[36];
		const bool fixed = matrix_invert(6, system->diagonal + 36 * (size_t)n, covariance);
		for (int axis = 0; axis < 3; axis++)
			s->noise[n][axis] = fixed ? covariance[7 * axis] / information : 0.0;
	}
}

/* What the noise of the nodes that two changes share makes of both. */
static double covariance_by_noise(const smoothing *s, const change *a, const change *b, int axis)
{
	double sum = 0.0;
	for (uint32_t i = b->first - a->first; i < SOLVE_TURNS; i++)
		sum += a->share[i] * b->share[a->first + i - b->first] * s->noise[a->first + i][axis];
	return sum;
}

static bool is_jerk(const smoothing *s, size_t i, int axis)
{
	const size_t from = i >= STRETCH ? i - STRETCH : 0, to = i + STRETCH < s->count ? i + STRETCH : s->count;
	double squares[2 * STRETCH];
	for (size_t k = from; k < to; k++)
		squares[k - from] = s->changes[k].jerk[axis] * s->changes[k].jerk[axis];
	const change *c = &s->changes[i];
	const double usual = fmax(refine_median(squares, to - from) / MEDIAN_OF_SQUARES, covariance_by_noise(s, c, c, axis));
	return c->jerk[axis] * c->jerk[axis] > JERK_SIGMAS * JERK_SIGMAS * usual;
}

static void drop_jerks(smoothing *s, bool *jerk)
{
	size_t kept = 0;
	for (size_t i = 0; i < s->count; i++)
		jerk[i] = is_jerk(s, i, 0) || is_jerk(s, i, 1) || is_jerk(s, i, 2);
	for (size_t i = 0; i < s->count; i++)
		if (!jerk[i] && !(i > 0 && jerk[i - 1]) && !(i + 1 < s->count && jerk[i + 1])) /* one comes as two, to and fro */
			s->changes[kept++] = s->changes[i];
	s->count = kept;
}

/* -2 log of the likelihood of changes of an axis, if the hand makes each of them with a variance: a Cholesky factor of their covariance, in which only those that
 * share nodes have a place, row by row. `out_white`: what of each is news. */
static double unlikeliness(const smoothing *s, size_t from, size_t to, int axis, double by_hand, double *out_white)
{
	double factor[FITTED_MOST][SOLVE_TURNS], *white = out_white, sum = 0.0; /* factor[i][k] is of row i, column i - k */
	for (size_t i = 0; i < to - from; i++) {
		const change *c = &s->changes[from + i];
		white[i] = c->jerk[axis];
		for (size_t k = i < SOLVE_TURNS - 1 ? i : SOLVE_TURNS - 1; k > 0; k--) {
			const change *before = c - k;
			double m = before->first + SOLVE_TURNS > c->first ? covariance_by_noise(s, before, c, axis) : 0.0;
			for (size_t j = k + 1; j < SOLVE_TURNS && j <= i; j++)
				m -= factor[i][j] * factor[i - k][j - k];
			factor[i][k] = m / factor[i - k][0];
			white[i] -= factor[i][k] * white[i - k];
		}
		double variance = by_hand + covariance_by_noise(s, c, c, axis);
		for (size_t k = 1; k < SOLVE_TURNS && k <= i; k++)
			variance -= factor[i][k] * factor[i][k];
		factor[i][0] = sqrt(variance);
		white[i] /= factor[i][0];
		sum += log(variance) + white[i] * white[i];
	}
	return sum;
}

static bool is_white(const double *white, size_t count)
{
	double all = 0.0, together = 0.0;
	for (size_t i = 0; i < count; i++)
		all += white[i] * white[i];
	for (size_t lag = 1; lag <= WHITE_LAGS; lag++) {
		double sum = 0.0;
		for (size_t i = lag; i < count; i++)
			sum += white[i] * white[i - lag];
		together += sum * sum;
	}
	return (double)count * together <= WHITE_MOST * all * all;
}

/* The variance by the hand of changes from `from` to `to`, which are fitted; infinite where that is no way to describe them, or
 * where the hand does more than all that is tried. */
static double fit_hand(const smoothing *s, size_t from, size_t to, int axis)
{
	double by_noise = 0.0, tried[TRIED], found[TRIED], white[FITTED_MOST], least = (double)INFINITY;
	for (size_t i = from; i < to; i++)
		by_noise += covariance_by_noise(s, &s->changes[i], &s->changes[i], axis) / (double)(to - from);
	for (int i = 0; i < TRIED; i++) {
		tried[i] = by_noise * TRIED_LEAST * pow(10.0, 0.5 * i);
		found[i] = unlikeliness(s, from, to, axis, tried[i], white);
		least = fmin(least, found[i]);
	}
	int chosen = TRIED - 1;
	while (chosen > 0 && !(found[chosen] <= least + LIKELY))
		chosen--;
	(void)unlikeliness(s, from, to, axis, tried[chosen], white);
	return chosen < TRIED - 1 && is_white(white, to - from) ? tried[chosen] : (double)INFINITY;
}

static void add_stretch(const smoothing *s, size_t from, double information, solve_system *system)
{
	const size_t end = from + STRETCH < s->count ? from + STRETCH : s->count, fit_from = from >= STRETCH ? from - STRETCH : 0,
		     fit_end = end + STRETCH < s->count ? end + STRETCH : s->count;
	double weight[3];
	for (int axis = 0; axis < 3; axis++) {
		const double by_hand = fit_hand(s, fit_from, fit_end, axis);
		weight[axis] = by_hand > 0.0 ? 1.0 / (by_hand * information) : 0.0;
	}
	for (size_t i = from; i < end; i++)
		solve_add_turns(system, s->changes[i].first, s->changes[i].share, s->changes[i].jerk, weight);
}

enm_result refine_add_smoothness(const refine_run *run, double information, solve_system *system)
{
	smoothing s = {.run = run, .changes = malloc(run->node_count * sizeof(*s.changes)), .noise = malloc(run->node_count * sizeof(*s.noise))};
	bool *jerk = malloc(run->node_count * sizeof(*jerk));
	enm_result result = ENM_OK;
	if (s.changes == NULL || s.noise == NULL || jerk == NULL)
		result = error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", run->node_count);
	else {
		find_changes(&s);
		find_noise(&s, system, information);
		drop_jerks(&s, jerk);
		for (size_t i = 0; i < s.count; i += STRETCH)
			add_stretch(&s, i, information, system);
	}
	free(s.changes);
	free(s.noise);
	free(jerk);
	return result;
}
