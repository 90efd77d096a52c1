/* SPDX-License-Identifier: Apache-2.0 */
#include "measures.h"

#include <stdio.h>
#include <string.h>

#define NONE ((size_t)-1)

/* A place on the teeth: right or left, which tooth from the midline, which cusp. MOLAR stands for 6, else 7. */
typedef struct spot {
	char side; /* 'R' or 'L' */
	int tooth;
	const char *cusp;
} spot;

enum { MOLAR = -1 };

#define CANINE_R                                                                                                       \
	{                                                                                                              \
		'R', 3, "c"                                                                                            \
	}
#define CANINE_L                                                                                                       \
	{                                                                                                              \
		'L', 3, "c"                                                                                            \
	}
#define MOLAR_R                                                                                                        \
	{                                                                                                              \
		'R', MOLAR, "mb"                                                                                       \
	}
#define MOLAR_L                                                                                                        \
	{                                                                                                              \
		'L', MOLAR, "mb"                                                                                       \
	}

static const struct kind_of_measure {
	const char *name;
	measure_kind kind;
	size_t spot_count;
	spot spots[MEASURE_MARKS_MAX];
} KINDS[] = {
	{"inter_canine", MEASURE_DISTANCE, 2, {CANINE_R, CANINE_L}},
	{"inter_premolar", MEASURE_DISTANCE, 2, {{'R', 4, "b"}, {'L', 4, "b"}}},
	{"inter_molar", MEASURE_DISTANCE, 2, {MOLAR_R, MOLAR_L}},
	{"inter_second_molar", MEASURE_DISTANCE, 2, {{'R', 7, "mb"}, {'L', 7, "mb"}}},
	{"side_right", MEASURE_DISTANCE, 2, {CANINE_R, MOLAR_R}},
	{"side_left", MEASURE_DISTANCE, 2, {CANINE_L, MOLAR_L}},
	{"diagonal_right", MEASURE_DISTANCE, 2, {CANINE_L, MOLAR_R}},
	{"diagonal_left", MEASURE_DISTANCE, 2, {CANINE_R, MOLAR_L}},
	{"cross_arch", MEASURE_OPENING, 4, {CANINE_R, CANINE_L, MOLAR_R, MOLAR_L}},
	{"twist", MEASURE_TWIST, 4, {CANINE_R, CANINE_L, MOLAR_R, MOLAR_L}},
};

enum { KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]) };
_Static_assert(KIND_COUNT <= MEASURES_MAX, "measures need room");

/* ---- which there are -------------------------------------------------------------------------------------------- */

/* Right and left quadrant of the upper and of the lower jaw, by FDI. */
static const int QUADRANTS[2][2] = {{1, 2}, {4, 3}};

static size_t find_mark(const landmark *landmarks, size_t count, int quadrant, int tooth, const char *cusp)
{
	char name[32];
	snprintf(name, sizeof(name), "%d%d_%s", quadrant, tooth, cusp);
	for (size_t i = 0; i < count; i++)
		if (strcmp(landmarks[i].name, name) == 0)
			return i;
	return NONE;
}

static bool find_spots(const landmark *landmarks, size_t count, const struct kind_of_measure *kind, int jaw, int molar,
	size_t out_marks[MEASURE_MARKS_MAX])
{
	for (size_t i = 0; i < kind->spot_count; i++) {
		const spot *s = &kind->spots[i];
		const int tooth = s->tooth == MOLAR ? molar : s->tooth;
		out_marks[i] = find_mark(landmarks, count, QUADRANTS[jaw][s->side == 'L'], tooth, s->cusp);
		if (out_marks[i] == NONE)
			return false;
	}
	return true;
}

size_t measures_of(const landmark *landmarks, size_t count, measure out[MEASURES_MAX])
{
	static const struct kind_of_measure WIDTH = {"", MEASURE_DISTANCE, 2, {MOLAR_R, MOLAR_L}};
	size_t found = 0;
	for (int jaw = 0; jaw < 2; jaw++) {
		size_t marks[MEASURE_MARKS_MAX];
		const int molar = find_spots(landmarks, count, &WIDTH, jaw, 6, marks) ? 6 : 7;
		for (size_t k = 0; k < KIND_COUNT && found < MEASURES_MAX; k++) {
			measure m = {KINDS[k].name, KINDS[k].kind, {0}, KINDS[k].spot_count};
			if (molar == 7 && KINDS[k].spots[0].tooth == 7)
				continue; /* what stands for the first molars already */
			if (find_spots(landmarks, count, &KINDS[k], jaw, molar, m.marks))
				out[found++] = m;
		}
	}
	return found;
}

/* ---- what they are ---------------------------------------------------------------------------------------------- */

static double angle_between(const double a[3], const double b[3])
{
	double cross[3];
	vec_cross(a, b, cross);
	return atan2(vec_length(cross), vec_dot(a, b));
}

static double turn_about(const double axis[3], const double a[3], const double b[3])
{
	const double length2 = vec_dot(axis, axis);
	double u[3], v[3], cross[3];
	for (int i = 0; i < 3; i++) {
		u[i] = a[i] - axis[i] * vec_dot(a, axis) / length2;
		v[i] = b[i] - axis[i] * vec_dot(b, axis) / length2;
	}
	vec_cross(u, v, cross);
	return atan2(vec_dot(cross, axis) / sqrt(length2), vec_dot(u, v));
}

static double value_of(measure_kind kind, const double *const p[MEASURE_MARKS_MAX])
{
	double a[3], b[3], front[3], back[3], axis[3];
	if (kind == MEASURE_DISTANCE)
		return vec_distance(p[0], p[1]);
	for (int i = 0; i < 3; i++) {
		front[i] = 0.5 * (p[0][i] + p[1][i]);
		back[i] = 0.5 * (p[2][i] + p[3][i]);
	}
	vec_sub(back, front, axis);
	vec_sub(p[2], front, a);
	vec_sub(p[3], kind == MEASURE_OPENING ? front : p[2], b);
	if (kind == MEASURE_OPENING)
		return angle_between(a, b);
	vec_sub(p[1], p[0], a);
	return turn_about(axis, a, b);
}

double measure_true(const measure *m, const landmark *landmarks)
{
	const double *p[MEASURE_MARKS_MAX] = {0};
	for (size_t i = 0; i < m->mark_count; i++)
		p[i] = landmarks[m->marks[i]].truth;
	return value_of(m->kind, p);
}

bool measure_take(const measure *m, const landmark *landmarks, double *out)
{
	const double *p[MEASURE_MARKS_MAX] = {0};
	for (size_t i = 0; i < m->mark_count; i++) {
		if (!landmarks[m->marks[i]].found)
			return false;
		p[i] = landmarks[m->marks[i]].place;
	}
	*out = value_of(m->kind, p);
	return true;
}
