/* SPDX-License-Identifier: Apache-2.0
 *
 * Three spheres that were found tell, by their distances, which three of the object they may be, and so where all others would be; the guess
 * that explains the most of them is taken. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spheres.h"

#define AGREES_MM 0.1      /* distances between two centres: bending and gain over the span of three */
#define AGREES_SHARE 0.004 /* and of the distance */
#define PLACED_MM 0.8      /* of a sphere from where three others tell that it is */
#define TRIPLES_MAX 24u

static double distance(const double *a, const double *b)
{
	return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

static bool agrees(double found, double known)
{
	return fabs(found - known) < AGREES_MM + AGREES_SHARE * known;
}

/* Axes of three points: the first edge, the second one square to it, their product. False where they lie in a line. */
static bool axes_of(const double *a, const double *b, const double *c, double out[3][3])
{
	double along = 0.0, ab = distance(a, b), length = 0.0;
	for (int i = 0; i < 3; i++)
		out[0][i] = (b[i] - a[i]) / ab;
	for (int i = 0; i < 3; i++)
		along += out[0][i] * (c[i] - a[i]);
	for (int i = 0; i < 3; i++) {
		out[1][i] = c[i] - a[i] - along * out[0][i];
		length += out[1][i] * out[1][i];
	}
	length = sqrt(length);
	for (int i = 0; i < 3; i++)
		out[1][i] /= length > 0.0 ? length : 1.0;
	for (int i = 0; i < 3; i++)
		out[2][i] = out[0][(i + 1) % 3] * out[1][(i + 2) % 3] - out[0][(i + 2) % 3] * out[1][(i + 1) % 3];
	return ab > 0.0 && length > 0.2 * ab;
}

typedef struct matcher {
	const sphere_fit *fits;
	size_t count;
	const double (*known)[3];
	size_t known_count;
	size_t *guess, *best;
	size_t best_count;
} matcher;

/* Places all that were found by three of them, and counts the known ones that lie there. */
static void try_placement(matcher *m, const size_t found[3], const size_t known[3])
{
	double from[3][3], to[3][3];
	size_t count = 0;
	const double *origin = m->fits[found[0]].centre_mm, *target = m->known[known[0]];
	if (!axes_of(origin, m->fits[found[1]].centre_mm, m->fits[found[2]].centre_mm, from) ||
		!axes_of(target, m->known[known[1]], m->known[known[2]], to))
		return;
	for (size_t f = 0; f < m->count; f++) {
		double p[3] = {target[0], target[1], target[2]}, nearest = PLACED_MM;
		for (int k = 0; k < 3; k++) {
			double part = 0.0;
			for (int i = 0; i < 3; i++)
				part += from[k][i] * (m->fits[f].centre_mm[i] - origin[i]);
			for (int i = 0; i < 3; i++)
				p[i] += part * to[k][i];
		}
		m->guess[f] = SIZE_MAX;
		for (size_t k = 0; k < m->known_count; k++) {
			const double d = distance(p, m->known[k]);
			m->guess[f] = d < nearest ? k : m->guess[f];
			nearest = fmin(nearest, d);
		}
		count += m->guess[f] != SIZE_MAX;
	}
	if (count > m->best_count) {
		m->best_count = count;
		memcpy(m->best, m->guess, m->count * sizeof *m->best);
	}
}

static void try_triple(matcher *m, const size_t found[3])
{
	const double a = distance(m->fits[found[0]].centre_mm, m->fits[found[1]].centre_mm),
		     b = distance(m->fits[found[0]].centre_mm, m->fits[found[2]].centre_mm),
		     c = distance(m->fits[found[1]].centre_mm, m->fits[found[2]].centre_mm);
	for (size_t p = 0; p < m->known_count; p++)
		for (size_t q = 0; q < m->known_count; q++)
			for (size_t r = 0; q != p && agrees(a, distance(m->known[p], m->known[q])) && r < m->known_count; r++)
				if (r != p && r != q && agrees(b, distance(m->known[p], m->known[r])) && agrees(c, distance(m->known[q], m->known[r])))
					try_placement(m, found, (const size_t[3]){p, q, r});
}

/* Two spheres have one distance; it is told apart from others by being the likeliest by far. */
static size_t match_two(matcher *m)
{
	const double known = distance(m->known[0], m->known[1]);
	size_t likely = 0, pair[2] = {0, 0};
	for (size_t a = 0; a < m->count; a++)
		for (size_t b = a + 1; b < m->count; b++)
			if (agrees(distance(m->fits[a].centre_mm, m->fits[b].centre_mm), known)) {
				likely++;
				pair[0] = a;
				pair[1] = b;
			}
	if (likely != 1)
		return 0;
	m->best[pair[0]] = 0;
	m->best[pair[1]] = 1;
	return 2;
}

/* The sphere that is nearest to a third, or two thirds, of how far any is, from `at`. */
static size_t some_way_off(const matcher *m, size_t at, double share, size_t except)
{
	double farthest = 0.0, best = INFINITY;
	size_t found = at;
	for (size_t i = 0; i < m->count; i++)
		farthest = fmax(farthest, distance(m->fits[i].centre_mm, m->fits[at].centre_mm));
	for (size_t i = 0; i < m->count; i++) {
		const double off = fabs(distance(m->fits[i].centre_mm, m->fits[at].centre_mm) - share * farthest);
		if (i != at && i != except && off < best) {
			best = off;
			found = i;
		}
	}
	return found;
}

size_t spheres_match(const sphere_fit *fits, size_t count, const double (*known)[3], size_t known_count, size_t *out_known)
{
	matcher m = {.fits = fits, .count = count, .known = known, .known_count = known_count, .best = out_known};
	for (size_t i = 0; i < count; i++)
		out_known[i] = SIZE_MAX;
	if (known_count == 2)
		return match_two(&m);
	m.guess = malloc((count + 1) * sizeof *m.guess);
	const size_t stride = count / TRIPLES_MAX + 1;
	for (size_t i = 0; i < count && count >= 3 && m.guess && 2 * m.best_count < count; i += stride) {
		const size_t j = some_way_off(&m, i, 0.3, i), k = some_way_off(&m, i, 0.5, j), found[3] = {i, j, k};
		if (j != i && k != i && j != k)
			try_triple(&m, found);
	}
	free(m.guess);
	return m.best_count >= 3 ? m.best_count : 0;
}
