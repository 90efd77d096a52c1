/* SPDX-License-Identifier: Apache-2.0 */
#include "marks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEGREES_PER_RAD 57.29577951308232
#define PLUS_MINUS " \302\261 "
#define DEGREE "\302\260"

static const struct {
	const char *name;
	uint32_t least, most;
} kinds[MARK_KINDS] = {
	[MARK_DISTANCE] = {"distance", 2, 2},
	[MARK_SURFACE] = {"to surface", 2, 2},
	[MARK_ANGLE] = {"angle", 3, 3},
	[MARK_PATH] = {"path", 2, MARK_POINTS_MAX},
	[MARK_SECTION] = {"section", 2, 2},
};

static bool is_kind(mark_kind kind)
{
	return (unsigned)kind < MARK_KINDS;
}

const char *mark_kind_name(mark_kind kind)
{
	return is_kind(kind) ? kinds[kind].name : "";
}

bool mark_kind_of(const char *name, mark_kind *out_kind)
{
	for (int k = 0; k < MARK_KINDS; k++) {
		if (!strcmp(name, kinds[k].name)) {
			*out_kind = (mark_kind)k;
			return true;
		}
	}
	return false;
}

uint32_t mark_points_least(mark_kind kind)
{
	return is_kind(kind) ? kinds[kind].least : 0;
}

uint32_t mark_points_most(mark_kind kind)
{
	return is_kind(kind) ? kinds[kind].most : 0;
}

void mark_text(const mark *m, char out_text[MARK_TEXT_BYTES])
{
	bool angle = m->kind == MARK_ANGLE;
	int digits = angle ? 2 : 3;
	double factor = angle ? DEGREES_PER_RAD : 1.0;
	int used = snprintf(out_text, MARK_TEXT_BYTES, "%.*f%s", digits, factor * m->value, angle ? DEGREE : " mm");
	if (!isfinite(m->value_sigma) || used <= 0 || used >= MARK_TEXT_BYTES)
		return;
	double shown = factor * m->value_sigma, least = angle ? 0.01 : 0.001;
	snprintf(out_text + used, MARK_TEXT_BYTES - (size_t)used, shown < least ? PLUS_MINUS "<%.*f" : PLUS_MINUS "%.*f", digits,
		fmax(shown, least));
}

bool mark_list_add(mark_list *list, const mark *m)
{
	if (list->count == MARKS_MAX)
		return false;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 8;
		mark *entries = realloc(list->entries, capacity * sizeof *entries);
		if (!entries)
			return false;
		list->entries = entries;
		list->capacity = capacity;
	}
	list->entries[list->count++] = *m;
	return true;
}

void mark_list_remove(mark_list *list, size_t index)
{
	if (index >= list->count)
		return;
	list->count--;
	memmove(&list->entries[index], &list->entries[index + 1], (list->count - index) * sizeof *list->entries);
}
