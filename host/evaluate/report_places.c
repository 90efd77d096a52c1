/* SPDX-License-Identifier: Apache-2.0
 * Of the report: the error along the arch, and the measures between landmarks. */
#include "evaluate.h"

#include "filling.h"

#include <math.h>

#define MRAD 1e3
#define DEGREES (180 / 3.14159265358979323846)

/* ---- along the arch --------------------------------------------------------------------------------------------- */

static json_t *piece_json(const filling *parent, const evaluation *e, const along_piece *piece)
{
	const filling f = fill(parent);
	put_number(&f, "from_mm", piece->from_mm);
	put_number(&f, "to_mm", piece->to_mm);
	put_count(&f, "samples", piece->seen);
	put_text(&f, "state", patch_state_names[piece->patch.state]);
	put_number(&f, "firmness", piece->patch.fit.firmness);
	for (size_t p = 0; p < e->placing_count; p++) {
		const filling g = fill(&f);
		const double *shift = piece->shift_mm[p];
		put_length(&g, "mean", piece->distance_mm[p].mean);
		put_length(&g, "p95", piece->distance_mm[p].p95);
		if (piece->patch.state == PATCH_PLACED) {
			const double um[3] = {1e3 * shift[0], 1e3 * shift[1], 1e3 * shift[2]};
			put_length(&g, "shift", vec_length(shift));
			put(&g, "along_buccal_up_um", json_numbers(um, 3));
			put_number(&g, "turn_mrad", piece->turn_rad[p] * MRAD);
		}
		put(&f, e->placings[p].key, g.object);
	}
	return f.object;
}

static json_t *ends_json(const filling *parent, const arch_error *a)
{
	if (!a->has_ends)
		return json_null();
	const along_piece *first = &a->pieces[a->ends[0]], *last = &a->pieces[a->ends[1]];
	const filling f = fill(parent);
	put_number(&f, "from_mm", 0.5 * (first->from_mm + first->to_mm));
	put_number(&f, "to_mm", 0.5 * (last->from_mm + last->to_mm));
	put_number(&f, "true_mm", a->ends_true_mm);
	put_length(&f, "error", a->ends_error_mm);
	put_number(&f, "turn_mrad", a->ends_turn_rad * MRAD);
	return f.object;
}

static json_t *worst_json(const filling *parent, const arch_error *a, size_t placement)
{
	size_t piece;
	double shift_mm;
	if (!along_worst(a, placement, &piece, &shift_mm))
		return json_null();
	const filling f = fill(parent);
	put_number(&f, "at_mm", 0.5 * (a->pieces[piece].from_mm + a->pieces[piece].to_mm));
	put_length(&f, "shift", shift_mm);
	return f.object;
}

json_t *along_json(const filling *parent, const evaluation *e)
{
	const arch_error *a = &e->along;
	const filling f = fill(parent);
	json_t *pieces = json_array();
	put_number(&f, "length_mm", a->length_mm);
	put(&f, "start_mm", a->has_start ? json_finite(a->start_mm) : json_null());
	put(&f, "ends", ends_json(&f, a));
	const filling worst = fill(&f);
	for (size_t p = 0; p < e->placing_count; p++)
		put(&worst, e->placings[p].key, worst_json(&f, a, p));
	put(&f, "worst", worst.object);
	for (size_t k = 0; k < a->count; k++)
		put_last(&f, pieces, piece_json(&f, e, &a->pieces[k]));
	put(&f, "pieces", pieces);
	return f.object;
}

enum { COLUMNS = 8 };

/* The shift at a place of the arch: of the placed piece that holds it, else nothing. */
static void print_shift(const arch_error *a, size_t placement, double at_mm, double scale)
{
	const size_t k = (size_t)fmin(at_mm / a->length_mm * (double)a->count, (double)(a->count - 1));
	if (a->pieces[k].patch.state == PATCH_PLACED)
		printf(" %7.0f", vec_length(a->pieces[k].shift_mm[placement]) * scale);
	else
		printf(" %7s", "-");
}

void along_print(const evaluation *e, double scale, const char *unit)
{
	const arch_error *a = &e->along;
	printf("shift along the arch, %s, at mm   ", unit);
	for (int c = 0; c < COLUMNS; c++)
		printf(" %7.0f", a->length_mm * (c + 0.5) / COLUMNS);
	printf("   worst\n");
	for (size_t p = 0; p < e->placing_count; p++) {
		size_t piece;
		double worst_mm;
		printf("  %-32s", e->placings[p].title);
		for (int c = 0; c < COLUMNS; c++)
			print_shift(a, p, a->length_mm * (c + 0.5) / COLUMNS, scale);
		if (along_worst(a, p, &piece, &worst_mm))
			printf(" %7.0f", worst_mm * scale);
		printf("\n");
	}
	if (a->has_ends)
		printf("  between its ends: %.3f mm, off by %+.1f %s, turned by %.2f mrad\n", a->ends_true_mm,
			a->ends_error_mm * scale, unit, a->ends_turn_rad * MRAD);
}

/* ---- measures --------------------------------------------------------------------------------------------------- */

static json_t *measure_json(const filling *parent, const inputs *in, const measure *m)
{
	const filling f = fill(parent);
	const bool is_distance = m->kind == MEASURE_DISTANCE;
	const double should = measure_true(m, in->landmarks);
	double is = NAN;
	json_t *marks = json_array(), *missing = json_array();
	const bool taken = measure_take(m, in->landmarks, &is);
	for (size_t i = 0; i < m->mark_count; i++) {
		const landmark *mark = &in->landmarks[m->marks[i]];
		put_last(&f, marks, json_string(mark->name));
		if (!mark->found)
			put_last(&f, missing, json_string(mark->name));
	}
	put_text(&f, "name", m->name);
	put_text(&f, "kind", is_distance ? "distance" : "angle");
	put(&f, "landmarks", marks);
	put(&f, "missing", missing);
	put_number(&f, is_distance ? "true_mm" : "true_degrees", is_distance ? should : should * DEGREES);
	put_number(&f, is_distance ? "measured_mm" : "measured_degrees", is_distance ? is : is * DEGREES);
	if (is_distance && taken)
		put_length(&f, "error", is - should);
	else if (taken)
		put_number(&f, "error_mrad", (is - should) * MRAD);
	else
		put(&f, is_distance ? "error_um" : "error_mrad", json_null());
	return f.object;
}

json_t *measures_json(const filling *parent, const inputs *in, const evaluation *e)
{
	json_t *list = json_array();
	for (size_t k = 0; k < e->measure_count; k++)
		put_last(parent, list, measure_json(parent, in, &e->measures[k]));
	return list;
}

static void print_measure(const inputs *in, const measure *m, double scale, const char *unit)
{
	const double should = measure_true(m, in->landmarks);
	double is;
	printf("  %-20s", m->name);
	if (m->kind == MEASURE_DISTANCE)
		printf(" %10.3f mm ", should);
	else
		printf(" %10.3f deg", should * DEGREES);
	if (measure_take(m, in->landmarks, &is) && m->kind == MEASURE_DISTANCE)
		printf("  off by %+8.1f %s", (is - should) * scale, unit);
	else if (measure_take(m, in->landmarks, &is))
		printf("  off by %+8.2f mrad", (is - should) * MRAD);
	for (size_t i = 0; i < m->mark_count; i++) {
		const landmark *mark = &in->landmarks[m->marks[i]];
		if (!mark->found)
			printf("  %s %s", mark->name, patch_state_names[mark->patch.state]);
	}
	printf("\n");
}

void measures_print(const inputs *in, const evaluation *e, double scale, const char *unit)
{
	for (size_t k = 0; k < e->measure_count; k++)
		print_measure(in, &e->measures[k], scale, unit);
	for (size_t k = 0; k < in->landmark_count && e->measure_count == 0; k++)
		if (!in->landmarks[k].found)
			printf("  %s %s\n", in->landmarks[k].name, patch_state_names[in->landmarks[k].patch.state]);
}
