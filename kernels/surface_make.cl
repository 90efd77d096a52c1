/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the vertices and triangles that kernels/surface.cl has counted and placed.
 *
 *   surface_vertices    positions, normals, colours
 *   surface_triangles   indices within the block's piece
 */
#include "rows.h"

/* What a model without colour is painted with, so that colour views do not show it black: red lowest. */
#define CLAY (204u | 199u << 8 | 189u << 16)

/* Number of the first vertex of each row of each part within the piece: firsts[part * ROWS + r] after the part's base. Six
 * items do a part each; the bases are known after another barrier. */
static inline void number_parts(__local const uint *edges_of, __local ushort *firsts, __local uint *totals)
{
	int part = get_local_id(0);
	uint n = 0;
	if (part >= 6)
		return;
	for (int r = 0; r < ROWS; r++) {
		firsts[part * ROWS + r] = (ushort)n;
		if (edges_of[r] != 0)
			n += popcount(part_bits(edges_of[r], r, part));
	}
	totals[part] = n;
}

static inline uint part_base(__local const uint *totals, int part)
{
	uint n = 0;
	for (int p = 0; p < 5; p++)
		n += p < part ? totals[p] : 0;
	return n;
}

#define CODE(axis, x, r) ((ushort)((axis) | (x) << 2 | (r) << 6))
#define CODES_MAX (3 * EDGE * ROWS)

/* Change of the distance along an axis, by differences to the neighbours that were seen. */
static inline float slope(__local const uint *at, int step)
{
	uint up = at[step], down = at[-step];
	float own = word_sdf(*at), a = up > 0xFFFFu ? word_sdf(up) : own, b = down > 0xFFFFu ? word_sdf(down) : own;
	return (a - b) * (up > 0xFFFFu && down > 0xFFFFu ? 0.5f : 1.0f);
}

static inline float3 gradient(__local const uint *at)
{
	return (float3)(slope(at, 1), slope(at, WIDE), slope(at, WIDE * WIDE));
}

/* Colour word of the voxel at v, seen from the block in the middle. */
static inline uint color_at(__global const uint *voxels, __local const uint *near, int3 v)
{
	uint block = near[block_near(v.x >> 3, v.y >> 3, v.z >> 3)];
	return voxels[voxel_word(block, voxel_in_block(v)) + ENM_K_PLANE_COLOR];
}

static inline uint blend_byte(uint a, uint b, int shift, float t)
{
	return (uint)(mix((float)(a >> shift & 255u), (float)(b >> shift & 255u), t) + 0.5f) << shift;
}

static inline void make_vertex(const enm_k_volume *volume, float sigma_ref_mm, int3 corner, __local const uint *near,
				       __local const uint *tile, __global const uint *voxels, uint code, __global enm_k_vertex *out)
{
	int axis = code & 3;
	int3 v = (int3)(code >> 2 & 15u, (code >> 6) % SIDE, (code >> 6) / SIDE), step = (int3)(axis == 0, axis == 1, axis == 2);
	__local const uint *at = tile + (v.x + 1) + WIDE * (v.y + 1) + WIDE * WIDE * (v.z + 1);
	__local const uint *to = at + (axis == 0 ? 1 : axis == 1 ? WIDE : WIDE * WIDE);
	float t = word_sdf(*at) / (word_sdf(*at) - word_sdf(*to));
	float3 p = (convert_float3(corner + v) + convert_float3(step) * t) * volume->voxel_mm, g = mix(gradient(at), gradient(to), t);
	float size = length(g), weight = mix(word_weight(*at), word_weight(*to), t) / ENM_K_WEIGHT_ONE;
	float3 n = size > 0.0f ? g / size : convert_float3(step);
	uint a = color_at(voxels, near, v), b = color_at(voxels, near, v + step);
	uint color = blend_byte(a, b, 0, t) | blend_byte(a, b, 8, t) | blend_byte(a, b, 16, t);
	out->x = p.x;
	out->y = p.y;
	out->z = p.z;
	out->nx = n.x;
	out->ny = n.y;
	out->nz = n.z;
	out->sigma_um = 1000.0f * sigma_ref_mm / sqrt(weight);
	out->color_views = (color != 0 ? color : CLAY) | min(a >> 24, b >> 24) << 24;
}

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void surface_vertices(const enm_k_volume volume, float sigma_ref_mm, __global const enm_k_surface *state, __global const uint2 *table,
		      __global const uint *voxels, __global const uint2 *rows, __global const enm_k_piece *pieces,
		      __global const uint2 *firsts_of, __global enm_k_vertex *vertices)
{
	__local uint near[27], tile[WIDE * WIDE * WIDE], edges_of[ROWS], totals[6];
	__local ushort firsts[6 * ROWS], codes[CODES_MAX];
	uint entry = get_group_id(0);
	if (entry >= state->done || pieces[entry].vertices == 0)
		return;
	int item = get_local_id(0), count = pieces[entry].vertices;
	uint key = pieces[entry].key;
	int3 corner = block_of_key(key) * EDGE;
	find_near(table, volume.table_mask, key, near, 0);
	for (int r = item; r < ROWS; r += GROUP)
		edges_of[r] = rows[entry * ROWS + r].x;
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int r = item; r < WIDE * WIDE; r += GROUP) {
		int y = r % WIDE - 1, z = r / WIDE - 1;
		uint before = near[block_near(-1, y >> 3, z >> 3)];
		row9 w;
		row_load(voxels, near, y, z, &w);
		uint next = near[block_near(1, y >> 3, z >> 3)];
		tile[r * WIDE] = before == BLOCK_NONE ? 0 : voxels[voxel_word(before, row_start(y, z) | 7)];
		vstore8(w.low, 0, tile + r * WIDE + 1);
		tile[r * WIDE + 9] = w.last;
		tile[r * WIDE + 10] = next == BLOCK_NONE ? 0 : voxels[voxel_word(next, row_start(y, z) | 1)];
	}
	number_parts(edges_of, firsts, totals);
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int r = item; r < ROWS; r += GROUP) {
		for (int part = 0; part < 6 && edges_of[r] != 0; part++) {
			uint at = part_base(totals, part) + firsts[part * ROWS + r];
			for (uint bits = part_bits(edges_of[r], r, part); bits != 0; bits &= bits - 1)
				codes[at++] = CODE(part % 3, 31 - clz(bits & -bits), r);
		}
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	__global enm_k_vertex *out = vertices + firsts_of[entry].x;
	for (int v = item; v < count; v += GROUP)
		make_vertex(&volume, sigma_ref_mm, corner, near, tile, voxels, codes[v], out + v);
}

/* ---- triangles ---- */

/* Number of the vertex on an edge of the cell at (x, row r). */
static inline uint vertex_number(__local const uint *edges_of, __local const ushort *firsts, __local const uint *bases, int r, int x, int edge)
{
	int axis = edge >> 2, u = edge & 1, v = edge >> 1 & 1;
	x += axis == 0 ? 0 : u;
	r += axis == 0 ? u + SIDE * v : axis == 1 ? SIDE * v : v;
	bool inner = row_is_inner(r);
	int part = inner && x < EDGE ? axis : axis + 3;
	uint bits = edges_of[r] >> ROW_SHIFT(axis) & (inner && x == EDGE ? 0u : (1u << x) - 1u);
	return bases[part] + firsts[part * ROWS + r] + popcount(bits);
}

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void surface_triangles(__global const uchar *cases, __global const enm_k_surface *state, __global const uint2 *rows,
		       __global const enm_k_piece *pieces, __global const uint2 *firsts_of, __global ushort *triangles)
{
	__local uint edges_of[ROWS], totals[6], bases[6], triangle_firsts[GROUP];
	__local ushort firsts[6 * ROWS], inside[ROWS], cells_of[ROWS];
	uint entry = get_group_id(0);
	if (entry >= state->done || pieces[entry].triangles == 0)
		return;
	int item = get_local_id(0), own_row = item % EDGE + SIDE * (item / EDGE);
	for (int r = item; r < ROWS; r += GROUP) {
		uint2 row = rows[entry * ROWS + r];
		edges_of[r] = row.x;
		inside[r] = (ushort)(row.y & 0x1FFu);
		cells_of[r] = (ushort)(row.y >> SIDE);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	number_parts(edges_of, firsts, totals);
	triangle_firsts[item] = row_triangles(cases, inside, own_row, cells_of[own_row]);
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item < 6)
		bases[item] = part_base(totals, item);
	if (item == 0) {
		uint sum = 0;
		for (int i = 0; i < GROUP; i++) {
			uint n = triangle_firsts[i];
			triangle_firsts[i] = sum;
			sum += n;
		}
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	__global ushort *out = triangles + 3 * (size_t)(firsts_of[entry].y + triangle_firsts[item]);
	for (uint cells = cells_of[own_row]; cells != 0; cells &= cells - 1) {
		int x = 31 - clz(cells & -cells);
		__global const uchar *edge = cases + 16 * cell_case(inside, own_row, x);
		int end = 3 * cases[256 * 16 + cell_case(inside, own_row, x)];
		for (int i = 0; i < end; i++)
			*out++ = (ushort)vertex_number(edges_of, firsts, bases, own_row, x, edge[i]);
	}
}
