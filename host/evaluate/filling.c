/* SPDX-License-Identifier: Apache-2.0 */
#include "filling.h"

#include <stdio.h>

filling fill(const filling *parent)
{
	filling f = *parent;
	f.object = json_object();
	return f;
}

void put(const filling *f, const char *key, json_t *value)
{
	json_put(f->object, key, value, f->ok);
}

void put_number(const filling *f, const char *key, double value)
{
	put(f, key, json_finite(value));
}

void put_count(const filling *f, const char *key, size_t value)
{
	put(f, key, json_integer((json_int_t)value));
}

void put_text(const filling *f, const char *key, const char *value)
{
	put(f, key, value != NULL ? json_string(value) : json_null());
}

void put_length(const filling *f, const char *name, double mm)
{
	char key[64];
	snprintf(key, sizeof(key), "%s_um", name);
	put_number(f, key, mm * 1e3);
	if (f->room) {
		snprintf(key, sizeof(key), "%s_mm", name);
		put_number(f, key, mm);
	}
}

void put_lengths(const filling *f, const stats *s)
{
	put_length(f, "mean", s->mean);
	put_length(f, "median", s->median);
	put_length(f, "rms", s->rms);
	put_length(f, "p95", s->p95);
	put_length(f, "p99", s->p99);
	put_length(f, "max", s->max);
}

static json_t *matrix_json(const rigid *a)
{
	double m[16] = {0};
	for (int i = 0; i < 12; i++)
		m[i] = i % 4 < 3 ? a->r[3 * (i / 4) + i % 4] : a->t[i / 4];
	m[15] = 1;
	return json_numbers(m, 16);
}

void put_trueness(const filling *parent, const char *key, const trueness *t)
{
	if (t == NULL) {
		put(parent, key, json_null());
		return;
	}
	const filling f = fill(parent);
	put_lengths(&f, &t->distance_mm);
	put_length(&f, "bias", t->bias_mm);
	put_number(&f, "over_2mm_percent", 100 * t->over_max_share);
	put_number(&f, "false_area_percent", 100 * t->false_share);
	put(&f, "truth_from_recon_mm", matrix_json(&t->truth_from_recon));
	put(parent, key, f.object);
}

void put_last(const filling *f, json_t *list, json_t *value)
{
	if (json_array_append_new(list, value) != 0)
		*f->ok = false;
}
