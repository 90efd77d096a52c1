/* SPDX-License-Identifier: Apache-2.0 */
#include "surface/cases.h"

#include <string.h>

/* The edge between two corners that differ in one bit. */
static int edge_between(int a, int b)
{
	int low = a < b ? a : b, bit = a ^ b;
	int axis = bit == 1 ? 0 : bit == 2 ? 1 : 2;
	int position = axis == 0 ? low >> 1 : axis == 1 ? (low & 1) | (low >> 2 & 1) << 1 : low & 3;
	return axis * 4 + position;
}

/* Corners of a face in counter-clockwise order seen from outside the cell. */
static void face_corners(int axis, int side, int out[4])
{
	int u = 1 << (axis + 1) % 3, v = 1 << (axis + 2) % 3, base = side << axis;
	const int forward[4] = {base, base | u, base | u | v, base | v};
	for (int i = 0; i < 4; i++)
		out[i] = side ? forward[i] : forward[3 - i];
}

/* Cuts off each run of inside corners of a face by a segment from the edge where the walk around the face comes in to
 * the edge where it goes out; next[e] is the edge that follows e on the outline of the surface. */
static void cut_face(int inside, const int corners[4], int next[12])
{
	for (int i = 0; i < 4; i++) {
		int before = corners[(i + 3) % 4], first = corners[i];
		if ((inside >> before & 1) || !(inside >> first & 1))
			continue;
		int last = i;
		while (inside >> corners[(last + 1) % 4] & 1)
			last = (last + 1) % 4;
		int entry = edge_between(before, first), leave = edge_between(corners[last], corners[(last + 1) % 4]);
		next[leave] = entry;
	}
}

static void make_case(int inside, uint8_t row[CASES_ROW])
{
	int next[12], count = 0;
	for (int e = 0; e < 12; e++)
		next[e] = -1;
	if (inside != 255) {
		for (int axis = 0; axis < 3; axis++) {
			for (int side = 0; side < 2; side++) {
				int corners[4];
				face_corners(axis, side, corners);
				cut_face(inside, corners, next);
			}
		}
	}
	memset(row, 255, CASES_ROW);
	for (int e = 0; e < 12; e++) {
		int start = e;
		if (next[e] < 0)
			continue;
		/* a fan over the loop that begins here; visited edges are taken out */
		int second = next[start], third = next[second];
		next[start] = -1;
		next[second] = -1;
		while (third != start) {
			row[count++] = (uint8_t)start;
			row[count++] = (uint8_t)third;
			row[count++] = (uint8_t)second;
			int after = next[third];
			next[third] = -1;
			second = third;
			third = after;
		}
	}
}

void cases_make(uint8_t table[CASES_BYTES])
{
	for (int inside = 0; inside < 256; inside++) {
		const uint8_t *row = table + inside * CASES_ROW;
		uint8_t edges = 0;
		make_case(inside, table + inside * CASES_ROW);
		while (edges < CASES_ROW && row[edges] != 255)
			edges++;
		table[CASES_COUNTS + inside] = edges / 3;
	}
}
