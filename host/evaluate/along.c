/* SPDX-License-Identifier: Apache-2.0 */
#include "along.h"

#include "curve.h"
#include "parallel.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PATCH_POINTS_WANTED = 2000, NO_PIECE = 255 };
_Static_assert(ALONG_PIECES_MAX < NO_PIECE, "a piece's number is a byte");

typedef struct cutting {
	const along_def *def;
	curve line;
	bool backward;  /* the scan began nearer to the line's far end */
	uint8_t *piece; /* per sample */
	patch patches[ALONG_PIECES_MAX];
	arch_error *out;
} cutting;

/* ---- the line --------------------------------------------------------------------------------------------------- */

static v3 v3_of(const double p[3])
{
	return v3_make(p[0], p[1], p[2]);
}

/* Seen from above: how far beside the line a place is, and where along it. Beyond the ends the line goes on straight.
 */
static double place_on_line(const curve *line, v3 p, double *out_s_mm)
{
	size_t best = 0;
	double least = INFINITY;
	for (size_t i = 0; i < line->count; i++) {
		const v3 d = v3_sub(p, line->points[i]);
		const double height = v3_dot(d, line->up), beside2 = v3_dot(d, d) - height * height;
		if (beside2 < least) {
			least = beside2;
			best = i;
		}
	}
	const v3 d = v3_sub(p, line->points[best]);
	*out_s_mm = CURVE_STEP_MM * (double)best + v3_dot(d, line->tangents[best]);
	return sqrt(fmax(least, 0));
}

static bool follow(cutting *c, v3 up)
{
	const enm_mesh_data *mesh = &c->def->truth->data;
	return curve_from_surface(mesh->positions_mm, mesh->vertex_count, mesh->triangles, mesh->triangle_count, up,
		&c->line, &c->out->reason);
}

/* A scan of one side looks from that side on average, so that sight tells only which way the plane's normal points. */
static v3 level_up(const along_def *def)
{
	const rigid frame = surface_flat_frame(def->truth);
	const v3 normal = v3_make(frame.r[2], frame.r[5], frame.r[8]);
	return v3_scale(normal, v3_dot(normal, v3_of(def->looking)) > 0 ? -1 : 1);
}

static bool find_line(cutting *c)
{
	const along_def *def = c->def;
	arch_error *out = c->out;
	if (!follow(c, v3_make(0, 0, 0))) {
		if (def->looking == NULL && strstr(out->reason, "closed") != NULL)
			out->reason = "the true surface is closed, and no true frames tell which way is up";
		if (def->looking == NULL || !follow(c, level_up(def)))
			return false;
	}
	out->reason = NULL;
	out->length_mm = curve_length_mm(&c->line);
	out->has_start = def->start != NULL;
	if (out->has_start)
		place_on_line(&c->line, v3_of(def->start), &out->start_mm);
	out->start_mm = fmin(fmax(out->start_mm, 0), out->length_mm);
	c->backward = out->start_mm > 0.5 * out->length_mm;
	if (c->backward)
		out->start_mm = out->length_mm - out->start_mm;
	const double count = fmin(fmax(round(out->length_mm / ALONG_PIECE_MM), 1), ALONG_PIECES_MAX);
	out->count = (size_t)count;
	for (size_t k = 0; k < out->count; k++) {
		out->pieces[k].from_mm = out->length_mm * (double)k / count;
		out->pieces[k].to_mm = out->length_mm * (double)(k + 1) / count;
	}
	return true;
}

/* ---- the pieces ------------------------------------------------------------------------------------------------- */

static void assign_samples(void *user, size_t first, size_t last)
{
	cutting *c = user;
	for (size_t i = first; i < last; i++) {
		double s_mm;
		c->piece[i] = NO_PIECE;
		if (place_on_line(&c->line, v3_of(c->def->samples->points[i]), &s_mm) > ALONG_REACH_MM)
			continue;
		const double at = (c->backward ? c->out->length_mm - s_mm : s_mm) / c->out->length_mm;
		if (at >= 0 && at < 1)
			c->piece[i] = (uint8_t)(at * (double)c->out->count);
	}
}

/* Fills the patch of a piece with some of its samples that were seen, evenly taken. How much of the truth there was not
 * seen says nothing: it may reach down to a cast's base. */
static host_status gather_piece(cutting *c, size_t k)
{
	const samples *s = c->def->samples;
	along_piece *piece = &c->out->pieces[k];
	size_t all = 0, nth = 0;
	for (size_t i = 0; i < s->count; i++)
		all += c->piece[i] == k && s->seen[i];
	if ((double)all * s->each_mm2 < ALONG_SEEN_MM2)
		all = 0;
	piece->seen = all;
	if (all == 0)
		return HOST_OK;
	const size_t every = all / PATCH_POINTS_WANTED + 1;
	const host_status status = patch_create(all / every + 1, &c->patches[k]);
	if (status != HOST_OK)
		return status;
	for (size_t i = 0; i < s->count; i++) {
		if (c->piece[i] != k || !s->seen[i])
			continue;
		if (nth++ % every == 0)
			patch_add(&c->patches[k], s, i);
		for (int a = 0; a < 3; a++)
			piece->centre[a] += s->points[i][a];
	}
	for (int a = 0; a < 3; a++)
		piece->centre[a] /= (double)all;
	memcpy(c->patches[k].anchor, piece->centre, sizeof(piece->centre));
	return HOST_OK;
}

static void find_pieces(void *user, size_t first, size_t last)
{
	cutting *c = user;
	const rigid recon_from_truth = rigid_inverse(&c->def->placements[0]);
	for (size_t k = first; k < last; k++)
		c->out->pieces[k].patch = patch_find(&c->patches[k], c->def->recon, &recon_from_truth);
}

/* What each placement makes of where the piece lies in the reconstruction. */
static void measure_shift(const cutting *c, along_piece *piece)
{
	double s_mm;
	place_on_line(&c->line, v3_of(piece->centre), &s_mm);
	const curve_place at = curve_at(&c->line, s_mm);
	for (size_t k = 0; k < c->def->placement_count; k++) {
		double to[3], d[3];
		const rigid moved = rigid_compose(&c->def->placements[k], &piece->patch.fit.onto_from_points);
		rigid_point(&moved, piece->centre, to);
		vec_sub(to, piece->centre, d);
		piece->shift_mm[k][0] = (c->backward ? -1 : 1) * v3_dot(v3_of(d), at.tangent);
		piece->shift_mm[k][1] = v3_dot(v3_of(d), at.buccal);
		piece->shift_mm[k][2] = v3_dot(v3_of(d), c->line.up);
		piece->turn_rad[k] = rigid_angle(&moved);
	}
}

static void measure_distances(const cutting *c, size_t k, double *values)
{
	const samples *s = c->def->samples;
	for (size_t placement = 0; placement < c->def->placement_count; placement++) {
		size_t count = 0;
		for (size_t i = 0; i < s->count; i++) {
			const double d = (double)c->def->signed_mm[placement][i];
			if (c->piece[i] == k && !isnan(d))
				values[count++] = fabs(d);
		}
		c->out->pieces[k].distance_mm[placement] = stats_of(values, count);
	}
}

static void measure_ends(arch_error *a)
{
	const along_piece *first = NULL, *last = NULL;
	for (size_t k = 0; k < a->count; k++) {
		if (a->pieces[k].patch.state != PATCH_PLACED)
			continue;
		if (first == NULL)
			a->ends[0] = k;
		first = &a->pieces[a->ends[0]];
		a->ends[1] = k;
		last = &a->pieces[k];
	}
	a->has_ends = first != last;
	if (!a->has_ends)
		return;
	double from[3], to[3];
	const rigid *one = &first->patch.fit.onto_from_points, *other = &last->patch.fit.onto_from_points;
	rigid_point(one, first->centre, from);
	rigid_point(other, last->centre, to);
	a->ends_true_mm = vec_distance(first->centre, last->centre);
	a->ends_error_mm = vec_distance(from, to) - a->ends_true_mm;
	const rigid back = rigid_inverse(one), between = rigid_compose(&back, other);
	a->ends_turn_rad = rigid_angle(&between);
}

host_status along_measure(const along_def *def, arch_error *out)
{
	cutting c = {.def = def, .out = out};
	*out = (arch_error){.reason = NULL};
	if (!find_line(&c))
		return HOST_OK;
	double *values = malloc((def->samples->count + 1) * sizeof(double));
	c.piece = malloc(def->samples->count + 1);
	host_status status = HOST_OK;
	if (values == NULL || c.piece == NULL)
		status = host_fail_memory("the pieces of the arch");
	if (status == HOST_OK)
		parallel_for(def->samples->count, assign_samples, &c);
	for (size_t k = 0; status == HOST_OK && k < out->count; k++)
		status = gather_piece(&c, k);
	if (status == HOST_OK)
		parallel_for(out->count, find_pieces, &c);
	for (size_t k = 0; status == HOST_OK && k < out->count; k++) {
		if (out->pieces[k].patch.state == PATCH_PLACED)
			measure_shift(&c, &out->pieces[k]);
		measure_distances(&c, k, values);
	}
	if (status == HOST_OK)
		measure_ends(out);
	for (size_t k = 0; k < out->count; k++)
		patch_destroy(&c.patches[k]);
	curve_free(&c.line);
	free(c.piece);
	free(values);
	return status;
}

bool along_worst(const arch_error *a, size_t placement, size_t *out_piece, double *out_shift_mm)
{
	*out_shift_mm = -1;
	for (size_t k = 0; k < a->count; k++) {
		const double shift_mm = vec_length(a->pieces[k].shift_mm[placement]);
		if (a->pieces[k].patch.state != PATCH_PLACED || shift_mm <= *out_shift_mm)
			continue;
		*out_shift_mm = shift_mm;
		*out_piece = k;
	}
	return *out_shift_mm >= 0;
}
