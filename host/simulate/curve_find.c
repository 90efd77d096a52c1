/* SPDX-License-Identifier: Apache-2.0
 * Finds the scan line of an unknown jaw. The occlusal direction is the sum of the triangles' area vectors: over an open
 * surface it points away from the opening. Seen along it, the jaw is a map of heights. A whole arch is hollow in the
 * middle, and its crest is followed by polar angle around that hollow; a part of an arch is followed along its long
 * axis. In both cases: one bin after the other, the crest is the mean place of what is nearly as high as the bin's top.
 */
#include <stdlib.h>
#include <string.h>

#include "curve.h"

#define MAP_CELL_MM 0.5
#define MAP_CELLS_MAX 1000 /* a side */
#define BINS_MAX 720
#define CREST_BAND_MM 1.2 /* what lies this much below a bin's top counts a third */
#define OPEN_BELOW 0.15   /* share of the area that must face one way for the surface to be called open */
#define LINE_SMOOTH_MM 5.0
#define JUMP_MM 6.0

typedef struct height_map {
	v3 e1, e2, up;
	double min_a, min_b;
	int na, nb;
	float *height; /* -inf where there is nothing */
} height_map;

typedef struct bin {
	double top_mm, a_mm, b_mm; /* height of the crest and its place in the map */
	double weight;
} bin;

static v3 corner(const float *positions, unsigned index)
{
	const float *p = positions + 3 * (size_t)index;
	return v3_make((double)p[0], (double)p[1], (double)p[2]);
}

static v3 map_place(const height_map *map, v3 p)
{
	return v3_make(v3_dot(p, map->e1), v3_dot(p, map->e2), v3_dot(p, map->up));
}

static bool find_up(const float *positions, const unsigned *triangles, size_t count, v3 *out_up)
{
	v3 sum = {0, 0, 0};
	double area = 0;
	for (size_t t = 0; t < count; t++) {
		v3 a = corner(positions, triangles[3 * t]);
		v3 n = v3_cross(v3_sub(corner(positions, triangles[3 * t + 1]), a),
			v3_sub(corner(positions, triangles[3 * t + 2]), a));
		sum = v3_add(sum, n), area += v3_length(n);
	}
	*out_up = v3_unit(sum);
	return v3_length(sum) > OPEN_BELOW * area;
}

static void put(height_map *map, v3 place)
{
	int a = (int)((place.x - map->min_a) / MAP_CELL_MM), b = (int)((place.y - map->min_b) / MAP_CELL_MM);
	float *cell = &map->height[(size_t)b * (size_t)map->na + (size_t)a];
	if ((float)place.z > *cell)
		*cell = (float)place.z;
}

/* Puts points of the triangle about half a cell apart into the map. */
static void put_triangle(height_map *map, v3 a, v3 b, v3 c)
{
	double longest = fmax(v3_length(v3_sub(b, a)), fmax(v3_length(v3_sub(c, a)), v3_length(v3_sub(c, b))));
	int n = (int)ceil(longest / (MAP_CELL_MM / 2));
	for (int i = 0; i <= n; i++)
		for (int j = 0; i + j <= n; j++) {
			double u = n ? (double)i / n : 0, v = n ? (double)j / n : 0;
			put(map, v3_mad(v3_mad(a, v3_sub(b, a), u), v3_sub(c, a), v));
		}
}

static bool make_map(
	const float *positions, size_t vertex_count, const unsigned *triangles, size_t count, height_map *map)
{
	v3 helper = fabs(map->up.x) < 0.7 ? v3_make(1, 0, 0) : v3_make(0, 1, 0);
	map->e1 = v3_unit(v3_cross(helper, map->up));
	map->e2 = v3_cross(map->up, map->e1);
	double max_a = -1e30, max_b = -1e30;
	map->min_a = map->min_b = 1e30;
	for (size_t i = 0; i < vertex_count; i++) {
		v3 p = map_place(map, corner(positions, (unsigned)i));
		map->min_a = fmin(map->min_a, p.x), max_a = fmax(max_a, p.x);
		map->min_b = fmin(map->min_b, p.y), max_b = fmax(max_b, p.y);
	}
	map->na = (int)((max_a - map->min_a) / MAP_CELL_MM) + 2,
	map->nb = (int)((max_b - map->min_b) / MAP_CELL_MM) + 2;
	if (map->na < 2 || map->nb < 2 || map->na > MAP_CELLS_MAX || map->nb > MAP_CELLS_MAX)
		return false;
	size_t cells = (size_t)map->na * (size_t)map->nb;
	map->height = malloc(cells * sizeof(float));
	if (!map->height)
		return false;
	for (size_t i = 0; i < cells; i++)
		map->height[i] = -INFINITY;
	for (size_t t = 0; t < count; t++)
		put_triangle(map, map_place(map, corner(positions, triangles[3 * t])),
			map_place(map, corner(positions, triangles[3 * t + 1])),
			map_place(map, corner(positions, triangles[3 * t + 2])));
	return true;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* Height below which a share of the map's filled cells lies. */
static bool height_quantile(const height_map *map, double share, double *out_height)
{
	size_t cells = (size_t)map->na * (size_t)map->nb, count = 0;
	float *sorted = malloc(cells * sizeof(float));
	if (!sorted)
		return false;
	for (size_t i = 0; i < cells; i++)
		if (isfinite(map->height[i]))
			sorted[count++] = map->height[i];
	qsort(sorted, count, sizeof(float), by_value);
	*out_height = (double)sorted[(size_t)(share * (double)(count - 1))];
	free(sorted);
	return true;
}

/* Centroid of the cells above a height, and the direction in which they spread most. */
static void high_spread(const height_map *map, double above, v3 *out_middle, v3 *out_axis)
{
	double n = 0, sa = 0, sb = 0, saa = 0, sab = 0, sbb = 0;
	for (int b = 0; b < map->nb; b++)
		for (int a = 0; a < map->na; a++)
			if ((double)map->height[(size_t)b * (size_t)map->na + (size_t)a] >= above) {
				double x = map->min_a + (a + 0.5) * MAP_CELL_MM,
				       y = map->min_b + (b + 0.5) * MAP_CELL_MM;
				n++, sa += x, sb += y, saa += x * x, sab += x * y, sbb += y * y;
			}
	n = fmax(n, 1);
	double ma = sa / n, mb = sb / n;
	double angle = 0.5 * atan2(2 * (sab / n - ma * mb), (saa / n - ma * ma) - (sbb / n - mb * mb));
	*out_middle = v3_make(ma, mb, 0);
	*out_axis = v3_make(cos(angle), sin(angle), 0);
}

/* Which bin a place falls into, by angle around the middle or along the axis. Negative for none. */
static int bin_of(bool polar, v3 middle, v3 axis, double x, double y, int bins)
{
	double dx = x - middle.x, dy = y - middle.y;
	if (polar) {
		double turn = atan2(dy, dx) / (2 * SIM_PI) + 0.5;
		int at = (int)(turn * bins);
		return dx * dx + dy * dy < 64 ? -1 : at < bins ? at : bins - 1;
	}
	int at = (int)floor(dx * axis.x + dy * axis.y) + bins / 2;
	return at >= 0 && at < bins ? at : -1;
}

static void fill_bins(const height_map *map, bool polar, v3 middle, v3 axis, bin *bins, int count)
{
	for (int i = 0; i < count; i++)
		bins[i] = (bin){.top_mm = -1e30};
	for (int pass = 0; pass < 2; pass++)
		for (int b = 0; b < map->nb; b++)
			for (int a = 0; a < map->na; a++) {
				double h = (double)map->height[(size_t)b * (size_t)map->na + (size_t)a];
				double x = map->min_a + (a + 0.5) * MAP_CELL_MM,
				       y = map->min_b + (b + 0.5) * MAP_CELL_MM;
				int at = isfinite(h) ? bin_of(polar, middle, axis, x, y, count) : -1;
				if (at < 0)
					continue;
				if (!pass) {
					bins[at].top_mm = fmax(bins[at].top_mm, h);
					continue;
				}
				double w = exp((h - bins[at].top_mm) / CREST_BAND_MM);
				bins[at].weight += w, bins[at].a_mm += w * x, bins[at].b_mm += w * y;
			}
	for (int i = 0; i < count; i++)
		if (bins[i].weight > 0)
			bins[i].a_mm /= bins[i].weight, bins[i].b_mm /= bins[i].weight;
}

/* First bin after the widest gap of bins whose top does not reach `above`; the others follow it round. */
static int after_gap(const bin *bins, int count, double above, bool polar, int *out_used)
{
	int best_start = 0, best_length = 0, run = 0;
	for (int i = 0; i < 2 * count; i++) {
		run = bins[i % count].top_mm < above && run < count ? run + 1 : 0;
		if (run > best_length)
			best_length = run, best_start = (i + 1) % count;
	}
	if (polar) {
		*out_used = count - best_length;
		return best_start;
	}
	int first = 0, last = count - 1;
	while (first < count && bins[first].top_mm < above)
		first++;
	while (last > first && bins[last].top_mm < above)
		last--;
	*out_used = last - first + 1;
	return first;
}

static double median5(const bin *bins, int count, int first, int used, int i, int what)
{
	float around[9];
	int n = 0;
	for (int k = -4; k <= 4; k++) {
		int j = i + k < 0 ? 0 : i + k >= used ? used - 1 : i + k;
		const bin *at = &bins[(first + j) % count];
		if (at->weight > 0)
			around[n++] = (float)(what == 0 ? at->a_mm : what == 1 ? at->b_mm : at->top_mm);
	}
	if (!n)
		return NAN;
	qsort(around, (size_t)n, sizeof(float), by_value);
	return (double)around[n / 2];
}

/* Cuts off what lies beyond a jump near an end: there it is another thing's edge that stands highest, such as the rim
 * of a cast. Jumps further in are missing teeth, and are smoothed over. Returns the points left, from `out_first` on.
 */
static int trim_ends(const v3 *points, int count, int *out_first)
{
	int first = 0, last = count - 1;
	for (int i = 0; i + 1 < count; i++) {
		bool jump = v3_length(v3_sub(points[i + 1], points[i])) > JUMP_MM;
		if (jump && i < count / 4)
			first = i + 1;
		else if (jump && i >= count - count / 4 && last == count - 1)
			last = i;
	}
	*out_first = first;
	return last - first + 1;
}

static bool follow_crest(const height_map *map, double low, double high, curve *out_line)
{
	bin bins[BINS_MAX];
	v3 middle, axis, points[BINS_MAX];
	high_spread(map, high, &middle, &axis);
	int a = (int)((middle.x - map->min_a) / MAP_CELL_MM), b = (int)((middle.y - map->min_b) / MAP_CELL_MM),
	    filled = 0;
	for (int j = -8; j <= 8; j++) /* hollow: nothing high within 4 mm of the middle */
		for (int i = -8; i <= 8; i++)
			if (a + i >= 0 && a + i < map->na && b + j >= 0 && b + j < map->nb)
				filled += (double)map->height[(size_t)(b + j) * (size_t)map->na + (size_t)(a + i)] >=
					  high;
	bool polar = filled < 20;
	int count = polar ? 180 : BINS_MAX, used, made = 0;
	fill_bins(map, polar, middle, axis, bins, count);
	int first = after_gap(bins, count, low, polar, &used);
	for (int i = 0; i < used; i++) {
		double x = median5(bins, count, first, used, i, 0), y = median5(bins, count, first, used, i, 1);
		double h = median5(bins, count, first, used, i, 2);
		if (isnan(x))
			continue;
		points[made++] = v3_add(v3_add(v3_scale(map->e1, x), v3_scale(map->e2, y)), v3_scale(map->up, h - 1.0));
	}
	v3 inside = v3_add(v3_scale(map->e1, middle.x), v3_scale(map->e2, middle.y));
	int start = 0;
	made = made > 2 ? trim_ends(points, made, &start) : 0;
	if (made > 2 && !polar)
		inside = v3_scale(v3_add(points[start], points[start + made - 1]), 0.5);
	return made > 2 && curve_from_polyline(points + start, (size_t)made, map->up, inside, LINE_SMOOTH_MM, out_line);
}

bool curve_from_surface(const float *positions_mm, size_t vertex_count, const unsigned *triangles,
	size_t triangle_count, v3 up, curve *out_line, const char **out_reason)
{
	height_map map = {.up = v3_unit(up)};
	*out_line = (curve){0};
	if (!(v3_length(up) > 0) && !find_up(positions_mm, triangles, triangle_count, &map.up)) {
		*out_reason = "the surface is closed, so its shape does not tell which way the teeth point: give --up";
		return false;
	}
	double low, high;
	bool good = false;
	if (!make_map(positions_mm, vertex_count, triangles, triangle_count, &map))
		*out_reason = "no memory for its map of heights, or the surface is over 500 mm long";
	else if (!height_quantile(&map, 0.45, &low) || !height_quantile(&map, 0.80, &high))
		*out_reason = "no memory";
	else if (!follow_crest(&map, low, high, out_line))
		*out_reason = "no crest of at least 2 mm to scan along was found";
	else
		good = true;
	free(map.height);
	return good;
}
