/* SPDX-License-Identifier: Apache-2.0
 * Lays repeats on each other whose worlds may have nothing in common. */
#include "repeats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An arch is about as wide as it is deep, so that its axes within its plane say little: turns about its normal, either
 * side up. */
enum { TURNS = 12, GUESSES = 2 * TURNS, TRIED = 3, GUESS_POINTS = 300, LOOK_POINTS = 4000, REFINE_POINTS = 10000 };
#define GUESS_LIMIT_MM 4.0

/* Lays the middle and plane of one surface on the other's. */
static rigid guess(const rigid *from, const rigid *onto, int k)
{
	const double angle = 2 * 3.14159265358979323846 * (k % TURNS) / TURNS, side = k < TURNS ? 1 : -1;
	const rigid turn = {.r = {cos(angle), -sin(angle) * side, 0, sin(angle), cos(angle) * side, 0, 0, 0, side}};
	const rigid back = rigid_inverse(from), turned = rigid_compose(&turn, &back);
	return rigid_compose(onto, &turned);
}

/* Mean distance of some of the vertices, GUESS_LIMIT_MM at most. */
static double guess_distance(const surface *from, const surface *onto, const rigid *onto_from)
{
	const size_t every = from->data.vertex_count / GUESS_POINTS + 1;
	double sum = 0, looked = 0;
	for (size_t v = 0; v < from->data.vertex_count; v += every) {
		double p[3];
		surface_hit hit;
		if (!from->used[v])
			continue;
		surface_vertex(from, v, p);
		rigid_point(onto_from, p, p);
		looked++;
		sum += surface_closest(onto, p, GUESS_LIMIT_MM, &hit) ? hit.distance_mm : GUESS_LIMIT_MM;
	}
	return sum / fmax(looked, 1);
}

/* Share of some of the vertices that lie within REPEATS_SAME_MM of the other surface. */
static double share_on(const surface *from, const surface *onto, const rigid *onto_from)
{
	const size_t every = from->data.vertex_count / LOOK_POINTS + 1;
	double looked = 0, near = 0;
	for (size_t v = 0; v < from->data.vertex_count; v += every) {
		double p[3];
		surface_hit hit;
		if (!from->used[v])
			continue;
		surface_vertex(from, v, p);
		rigid_point(onto_from, p, p);
		looked++;
		near += surface_closest(onto, p, REPEATS_SAME_MM, &hit);
	}
	return near / fmax(looked, 1);
}

/* The guesses in the order of their distance, the best first. */
static void sort_guesses(const surface *from, const surface *onto, rigid out[GUESSES])
{
	const rigid a = surface_flat_frame(from), b = surface_flat_frame(onto);
	double distance[GUESSES];
	for (int k = 0; k < GUESSES; k++) {
		const rigid one = guess(&a, &b, k);
		const double here = guess_distance(from, onto, &one);
		int at = k;
		for (; at > 0 && distance[at - 1] > here; at--) {
			distance[at] = distance[at - 1];
			out[at] = out[at - 1];
		}
		distance[at] = here;
		out[at] = one;
	}
}

/* Moves the points of one surface onto another, from where it is nearly right. */
static bool refine(const surface *from, const surface *onto, rigid *onto_from)
{
	static const double REACH_MM[2] = {PATCH_REACH_FIRST_MM, PATCH_REACH_MM};
	const size_t every = from->data.vertex_count / REFINE_POINTS + 1;
	double(*points)[3] = malloc((REFINE_POINTS + 1) * sizeof(*points));
	double(*normals)[3] = malloc((REFINE_POINTS + 1) * sizeof(*normals));
	size_t count = 0;
	bool good = points != NULL && normals != NULL;
	for (size_t v = 0; good && v < from->data.vertex_count; v += every) {
		if (!from->used[v])
			continue;
		memcpy(normals[count], from->normals[v], sizeof(normals[0]));
		surface_vertex(from, v, points[count++]);
	}
	for (int k = 0; good && k < 2; k++) {
		patch_fit fit;
		good = align_patch((const double(*)[3])points, (const double(*)[3])normals, count, from->centre, onto,
			onto_from, REACH_MM[k], &fit);
		*onto_from = good ? fit.onto_from_points : *onto_from;
	}
	free(points);
	free(normals);
	return good;
}

bool repeats_refine(const surface *a, const surface *b, rigid *b_from_a)
{
	if (a->used_count <= b->used_count)
		return refine(a, b, b_from_a);
	rigid a_from_b = rigid_inverse(b_from_a);
	const bool good = refine(b, a, &a_from_b);
	*b_from_a = rigid_inverse(&a_from_b);
	return good;
}

host_status repeats_align(const surface *from, const surface *onto, const rigid *starts, size_t count,
	rigid *out_onto_from, double *out_share)
{
	alignment a;
	rigid guesses[GUESSES];
	host_status status = align_best_fit(from, onto, starts, count, &a);
	double best = status == HOST_OK ? share_on(from, onto, &a.truth_from_recon) : 0;
	*out_onto_from = a.truth_from_recon;
	*out_share = best;
	if (best >= REPEATS_SAME_SHARE || status == HOST_IO)
		return status;
	sort_guesses(from, onto, guesses);
	for (int k = 0; k < TRIED && best < REPEATS_SAME_SHARE; k++) {
		const host_status other = align_best_fit(from, onto, &guesses[k], 1, &a);
		if (other == HOST_IO)
			return other;
		const double share = other == HOST_OK ? share_on(from, onto, &a.truth_from_recon) : 0;
		if (share <= best)
			continue;
		status = HOST_OK;
		*out_share = best = share;
		*out_onto_from = a.truth_from_recon;
	}
	return status;
}
