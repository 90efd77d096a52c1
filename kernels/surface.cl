/* SPDX-License-Identifier: Apache-2.0
 *
 * Marching cubes (Lorensen and Cline 1987) on the observed part of the model, for a list of blocks: which edges and cells carry
 * vertices and triangles, and how many. A block's piece of surface stands for itself: its 8x8x8 cells reach to the first voxels
 * of the seven blocks above, and it has vertices on that far side too, after those on its own edges. Who joins pieces to a mesh
 * takes the far ones from the blocks that own them.
 *
 *   surface_count   edges and cells by rows; counts of each block
 *   surface_place   where each block's vertices and triangles begin, and how many blocks fit
 *
 * The table of cases is made by the host: 16 edge numbers a case, 255 ends; then the number of triangles of each case.
 */
#include "rows.h"
#include "scan.h"

/* Neighbouring distances of one surface differ by about a voxel; a greater step, 0.9 of a truncation, lies between two. */
#define STEP_MAX 29490

/* A bit an element that is not 0. */
static inline uint bits_of(int8 c)
{
	int8 b = c & (int8)(1, 2, 4, 8, 16, 32, 64, 128);
	int4 half_of = b.lo | b.hi;
	int2 quarter = half_of.lo | half_of.hi;
	return (uint)(quarter.x | quarter.y);
}

static inline uint steps_between(uint8 a, uint8 b)
{
	int8 x = as_int8(a << 16) >> 16, y = as_int8(b << 16) >> 16;
	return bits_of(convert_int8(abs(x - y)) > STEP_MAX);
}

/* Edges of a row along one axis: `differ` are those between observed voxels of two signs. Too long a step is no vertex, and
 * spoils the cells around it. */
typedef struct edges {
	uint good, bad;
} edges;

static inline void add_edges(edges *e, __local const uint *from, __local const uint *to, uint differ, int axis)
{
	if (differ == 0)
		return;
	uint steps = steps_between(vload8(0, from), vload8(0, to));
	if (differ & 256u)
		steps |= steps_between(vload8(0, from + 1), vload8(0, to + 1)) >> 7 << 8;
	e->good |= (differ & ~steps) << ROW_SHIFT(axis);
	e->bad |= (differ & steps) << ROW_SHIFT(axis);
}

static inline void row_edges(__local const uint *tile, __local const ushort *inside, __local const ushort *seen, int r, edges *e)
{
	e->good = e->bad = 0;
	uint in = inside[r], ok = seen[r];
	add_edges(e, tile + r * SIDE, tile + r * SIDE + 1, (in ^ in >> 1) & ok & ok >> 1 & 0xFFu, 0);
	if (r % SIDE < EDGE)
		add_edges(e, tile + r * SIDE, tile + (r + 1) * SIDE, (in ^ inside[r + 1]) & ok & seen[r + 1], 1);
	if (r / SIDE < EDGE)
		add_edges(e, tile + r * SIDE, tile + (r + SIDE) * SIDE, (in ^ inside[r + SIDE]) & ok & seen[r + SIDE], 2);
}

/* Cells of a row with triangles: all corners observed, of both signs, and no bad edge. */
static inline uint row_cells(__local const ushort *inside, __local const ushort *seen, __local const uint *bad, int r)
{
	uint ok = seen[r] & seen[r + 1] & seen[r + SIDE] & seen[r + SIDE + 1];
	uint any_in = inside[r] | inside[r + 1] | inside[r + SIDE] | inside[r + SIDE + 1];
	uint all_in = inside[r] & inside[r + 1] & inside[r + SIDE] & inside[r + SIDE + 1];
	uint bad_x = bad[r] | bad[r + 1] | bad[r + SIDE] | bad[r + SIDE + 1];
	uint bad_yz = (bad[r] | bad[r + SIDE]) >> ROW_SHIFT(1) & 0x1FFu;
	bad_yz |= (bad[r] | bad[r + 1]) >> ROW_SHIFT(2);
	return ok & ok >> 1 & (any_in | any_in >> 1) & ~(all_in & all_in >> 1) & ~bad_x & ~(bad_yz | bad_yz >> 1) & 0xFFu;
}

/* `rows`: of each block of the list, ROWS words of edges, and of signs (low nine bits) and cells. */
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void surface_count(const enm_k_volume volume, uint views_min, __global const uchar *cases, __global const enm_k_surface *state,
		   __global const uint *list, __global const uint *keys, __global const uint2 *table,
		   __global const uint *voxels, __global uint2 *rows, __global enm_k_piece *pieces)
{
	__local uint near[27], tile[ROWS * SIDE], bad[ROWS], triangles[GROUP], edges_of[ROWS], row_end;
	__local ushort inside[ROWS], seen[ROWS], weighed[ROWS];
	uint entry = get_group_id(0);
	if (entry >= state->listed)
		return;
	int item = get_local_id(0);
	uint block = list[entry], key = keys[block];
	/* an island is no part of the surface: nothing there has been seen often enough */
	uint views_least = key_in_island(&volume, key) ? 256 : views_min;
	find_near(table, volume.table_mask, key, near, 13); /* those above */
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int r = item; r < ROWS; r += GROUP) {
		row9 w;
		row_load(voxels, near, r % SIDE, r / SIDE, &w);
		vstore8(w.low, 0, tile + r * SIDE);
		tile[r * SIDE + EDGE] = w.last;
		inside[r] = (ushort)(bits_of(as_int8(w.low << 16) < 0) | (w.last >> 15 & 1u) << 8);
		weighed[r] = (ushort)(bits_of(w.low > 0xFFFFu) | (w.last > 0xFFFFu) << 8);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item == 0) { /* a block with one sign alone has no more to do */
		uint in = 0, out = 0;
		for (int r = 0; r < ROWS; r++) {
			in |= inside[r] & weighed[r];
			out |= ~inside[r] & weighed[r];
		}
		row_end = in != 0 && out != 0 ? ROWS : 0;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int r = item; r < (int)row_end; r += GROUP) {
		row9 c;
		row_load(voxels + ENM_K_PLANE_COLOR, near, r % SIDE, r / SIDE, &c);
		seen[r] = (ushort)(weighed[r] & (bits_of(c.low >> 24 >= views_least) | (c.last >> 24 >= views_least) << 8));
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int r = item; r < (int)row_end; r += GROUP) {
		edges e;
		row_edges(tile, inside, seen, r, &e);
		edges_of[r] = e.good;
		bad[r] = e.bad;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	triangles[item] = 0;
	for (int r = item; r < (int)row_end; r += GROUP) {
		uint cells = row_is_inner(r) ? row_cells(inside, seen, bad, r) : 0;
		triangles[item] += row_triangles(cases, inside, r, cells);
		rows[entry * ROWS + r] = (uint2)(edges_of[r], inside[r] | cells << SIDE);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item == 0) {
		uint own = 0, vertices = 0, sum = 0;
		for (int r = 0; r < (int)row_end; r++) {
			vertices += popcount(edges_of[r]);
			for (int part = 0; part < 3 && edges_of[r] != 0; part++)
				own += popcount(part_bits(edges_of[r], r, part));
		}
		for (int i = 0; i < GROUP; i++)
			sum += triangles[i];
		for (int i = 0; i < 8; i++)
			pieces[entry].near[i] = near[block_near(i & 1, i >> 1 & 1, i >> 2)];
		pieces[entry].key = key;
		pieces[entry].block = block;
		pieces[entry].own = own;
		pieces[entry].vertices = vertices;
		pieces[entry].triangles = sum;
	}
}

/* One group. Blocks are placed in the order of the list until one does not fit. */
__kernel __attribute__((reqd_work_group_size(SCAN_GROUP, 1, 1)))
void surface_place(uint vertices_max, uint triangles_max, __global enm_k_surface *state, __global const enm_k_piece *pieces,
		   __global uint2 *firsts)
{
	__local uint sums[SCAN_GROUP];
	uint item = get_local_id(0), listed = state->listed, share = (listed + SCAN_GROUP - 1) / SCAN_GROUP;
	uint from = min(item * share, listed), to = min(from + share, listed), fit = 0;
	uint2 n = (uint2)(0), first, held = (uint2)(0), most = (uint2)(vertices_max, triangles_max);
	uint total;
	for (uint e = from; e < to; e++)
		n += (uint2)(pieces[e].vertices, pieces[e].triangles);
	first.x = scan_sums(n.x, sums, &total);
	barrier(CLK_LOCAL_MEM_FENCE);
	first.y = scan_sums(n.y, sums, &total);
	barrier(CLK_LOCAL_MEM_FENCE);
	for (uint e = from; e < to; e++) {
		firsts[e] = first;
		first += (uint2)(pieces[e].vertices, pieces[e].triangles);
		if (first.x <= most.x && first.y <= most.y) {
			fit++;
			held = first;
		}
	}
	uint done;
	scan_sums(fit, sums, &done);
	if (item == 0)
		state->done = done;
	if (fit > 0 && from + fit == done) {
		state->vertices = held.x;
		state->triangles = held.y;
	}
	if (item == 0 && done == 0)
		state->vertices = state->triangles = 0;
}
