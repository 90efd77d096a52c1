/* SPDX-License-Identifier: Apache-2.0
 *
 * Marching cubes (Lorensen and Cline 1987) on the observed part of the model. Vertices lie on voxel edges; a bit per
 * edge says whether it carries one, and the vertex's number is its block's first number plus the bits before it, so that
 * cells share vertices without a search.
 *
 *   surface_masks      the edge bits of each block
 *   surface_counts     vertices per block, triangles per slice of a block
 *   surface_vertices   positions, normals, colours of a range of blocks
 *   surface_triangles  indices of a range of blocks
 *
 * The table of cases is made by the host: 16 edge numbers a case, 255 ends.
 */
#include "volume.h"

#define SLICES 8 /* of a block, one per z */

/* Neighbouring distances of one surface differ by about a voxel; a greater step lies between two surfaces. */
#define STEP_MAX (0.9f * ENM_K_SDF_ONE)

static inline bool voxel_seen(const enm_k_voxel *v, uint views_min)
{
	return v->weight > 0 && v->views >= views_min;
}

static inline bool edge_crossed(const enm_k_voxel *a, const enm_k_voxel *b)
{
	return (a->sdf < 0) != (b->sdf < 0) && fabs((float)a->sdf - (float)b->sdf) < STEP_MAX;
}

static inline bool voxel_at(__global const uint2 *table, __global const uint *voxels, uint mask, int3 v, enm_k_voxel *out)
{
	uint index = block_find(table, mask, v >> 3);
	if (index == BLOCK_NONE)
		return false;
	*out = voxel_get(voxels, index, voxel_in_block(v));
	return true;
}

static inline int3 axis_step(int axis)
{
	return (int3)(axis == 0, axis == 1, axis == 2);
}

static inline int3 voxel_of(uint key, int local_index)
{
	return block_of_key(key) * ENM_K_BLOCK_EDGE + (int3)(local_index & 7, local_index >> 3 & 7, local_index >> 6);
}

/* An item makes one word: 32 edges of one axis. */
__kernel void surface_masks(const enm_k_volume volume, uint block_count, uint views_min, __global const uint *keys,
			    __global const uint2 *table, __global const uint *voxels, __global uint *masks)
{
	uint block = get_global_id(0) / ENM_K_MASK_WORDS, word = get_global_id(0) % ENM_K_MASK_WORDS;
	if (block >= block_count)
		return;
	int axis = word / 16, first = (word % 16) * 32;
	uint bits = 0;
	for (int i = 0; i < 32; i++) {
		int local_index = first + i;
		enm_k_voxel a = voxel_get(voxels, block, local_index), b;
		if (!voxel_seen(&a, views_min))
			continue;
		int along = local_index >> (3 * axis) & 7;
		if (along < 7)
			b = voxel_get(voxels, block, local_index + (1 << (3 * axis)));
		else if (!voxel_at(table, voxels, volume.table_mask, voxel_of(keys[block], local_index) + axis_step(axis), &b))
			continue;
		if (voxel_seen(&b, views_min) && edge_crossed(&a, &b))
			bits |= 1u << i;
	}
	masks[block * ENM_K_MASK_WORDS + word] = bits;
}

/* Ends of the twelve edges of a cell: lowest corner and axis. Edge = axis * 4 + position in the plane across it. */
static inline int edge_corner(int edge)
{
	int axis = edge >> 2, u = edge & 1, v = edge >> 1 & 1;
	return axis == 0 ? u << 1 | v << 2 : axis == 1 ? u | v << 2 : u | v << 1;
}

/* The case of the cell at `low`, 0 where it is not wholly observed or steps between surfaces. */
static inline int cell_case(const enm_k_volume *volume, uint views_min, __global const uint2 *table,
		     __global const uint *voxels, int3 low)
{
	enm_k_voxel corner[8];
	int inside = 0;
	for (int c = 0; c < 8; c++) {
		if (!voxel_at(table, voxels, volume->table_mask, low + (int3)(c & 1, c >> 1 & 1, c >> 2), &corner[c]) ||
		    !voxel_seen(&corner[c], views_min))
			return 0;
		inside |= corner[c].sdf < 0 ? 1 << c : 0;
	}
	if (inside == 0 || inside == 255)
		return 0;
	for (int e = 0; e < 12; e++) {
		int a = edge_corner(e), b = a | 1 << (e >> 2);
		if ((inside >> a & 1) != (inside >> b & 1) && !edge_crossed(&corner[a], &corner[b]))
			return 0;
	}
	return inside;
}

/* An item counts a slice's triangles; slice 0 counts the block's vertices too. */
__kernel void surface_counts(const enm_k_volume volume, uint block_count, uint views_min,
			     __global const uchar *cases, __global const uint *keys, __global const uint2 *table,
			     __global const uint *voxels, __global const uint *masks,
			     __global uint *vertex_counts, __global uint *triangle_counts)
{
	uint block = get_global_id(0) / SLICES, slice = get_global_id(0) % SLICES;
	if (block >= block_count)
		return;
	uint vertices = 0;
	for (int w = 0; w < ENM_K_MASK_WORDS; w++)
		vertices += popcount(masks[block * ENM_K_MASK_WORDS + w]);
	if (slice == 0)
		vertex_counts[block] = vertices;
	uint triangles = 0;
	int3 low = voxel_of(keys[block], slice * 64);
	for (int i = 0; i < 64; i++) {
		int k = cell_case(&volume, views_min, table, voxels, low + (int3)(i & 7, i >> 3, 0));
		for (int t = 0; t < 15 && cases[k * 16 + t] != 255; t += 3)
			triangles++;
	}
	triangle_counts[block * SLICES + slice] = triangles;
}

/* Number of a vertex within its block: the bits before its own. */
static inline uint vertex_rank(__global const uint *masks, uint block, int axis, int local_index)
{
	__global const uint *m = masks + block * ENM_K_MASK_WORDS;
	int word = axis * 16 + (local_index >> 5);
	uint rank = 0;
	for (int w = 0; w < word; w++)
		rank += popcount(m[w]);
	return rank + popcount(m[word] & ((1u << (local_index & 31)) - 1u));
}

/* Gradient of the distance at a voxel by differences to the neighbours that were seen. */
static inline float3 voxel_gradient(__global const uint2 *table, __global const uint *voxels, uint mask, int3 v, float own)
{
	float g[3];
	for (int axis = 0; axis < 3; axis++) {
		enm_k_voxel n;
		float up = own, down = own, steps = 0.0f;
		if (voxel_at(table, voxels, mask, v + axis_step(axis), &n) && n.weight > 0) {
			up = n.sdf;
			steps += 1.0f;
		}
		if (voxel_at(table, voxels, mask, v - axis_step(axis), &n) && n.weight > 0) {
			down = n.sdf;
			steps += 1.0f;
		}
		g[axis] = steps > 0.0f ? (up - down) / steps : 0.0f;
	}
	return (float3)(g[0], g[1], g[2]);
}

static inline uint mix_byte(uchar a, uchar b, float t)
{
	return (uint)(a + ((float)b - a) * t + 0.5f);
}

static inline enm_k_vertex make_vertex(const enm_k_volume *volume, float sigma_ref_mm, __global const uint2 *table,
				__global const uint *voxels, int3 v, int axis)
{
	enm_k_voxel a, b;
	voxel_at(table, voxels, volume->table_mask, v, &a);
	voxel_at(table, voxels, volume->table_mask, v + axis_step(axis), &b);
	float t = a.sdf / ((float)a.sdf - (float)b.sdf);
	float3 p = (convert_float3(v) + convert_float3(axis_step(axis)) * t) * volume->voxel_mm;
	float3 g = mix(voxel_gradient(table, voxels, volume->table_mask, v, a.sdf),
		       voxel_gradient(table, voxels, volume->table_mask, v + axis_step(axis), b.sdf), t);
	float size = length(g);
	float3 n = size > 0.0f ? g / size : convert_float3(axis_step(axis));
	float weight = mix((float)a.weight, (float)b.weight, t) / ENM_K_WEIGHT_ONE;
	enm_k_vertex out;
	out.x = p.x;
	out.y = p.y;
	out.z = p.z;
	out.nx = n.x;
	out.ny = n.y;
	out.nz = n.z;
	out.sigma_um = 1000.0f * sigma_ref_mm / sqrt(weight);
	out.color_views = mix_byte(a.red, b.red, t) | mix_byte(a.green, b.green, t) << 8 |
			  mix_byte(a.blue, b.blue, t) << 16 | (uint)min(a.views, b.views) << 24;
	return out;
}

/* Blocks [first_block, first_block + block_count) into `vertices`, whose first element is vertex `first_vertex` of the mesh. */
__kernel void surface_vertices(const enm_k_volume volume, float sigma_ref_mm, uint first_block, uint block_count,
			       uint first_vertex, __global const uint *keys, __global const uint2 *table,
			       __global const uint *voxels, __global const uint *masks,
			       __global const uint *vertex_firsts, __global enm_k_vertex *vertices)
{
	uint block = first_block + get_global_id(0) / ENM_K_MASK_WORDS, word = get_global_id(0) % ENM_K_MASK_WORDS;
	if (block >= first_block + block_count)
		return;
	uint bits = masks[block * ENM_K_MASK_WORDS + word];
	int axis = word / 16;
	if (bits == 0)
		return;
	uint at = vertex_firsts[block] - first_vertex + vertex_rank(masks, block, axis, (word % 16) * 32);
	for (int i = 0; i < 32; i++) {
		if (bits >> i & 1u) {
			int3 v = voxel_of(keys[block], (word % 16) * 32 + i);
			vertices[at++] = make_vertex(&volume, sigma_ref_mm, table, voxels, v, axis);
		}
	}
}

__kernel void surface_triangles(const enm_k_volume volume, uint first_block, uint block_count, uint first_triangle,
				uint views_min, __global const uchar *cases, __global const uint *keys,
				__global const uint2 *table, __global const uint *voxels,
				__global const uint *masks, __global const uint *vertex_firsts,
				__global const uint *triangle_firsts, __global uint *triangles)
{
	uint block = first_block + get_global_id(0) / SLICES, slice = get_global_id(0) % SLICES;
	if (block >= first_block + block_count)
		return;
	size_t at = 3 * (size_t)(triangle_firsts[block * SLICES + slice] - first_triangle);
	int3 low = voxel_of(keys[block], slice * 64);
	for (int i = 0; i < 64; i++) {
		int3 v = low + (int3)(i & 7, i >> 3, 0);
		int k = cell_case(&volume, views_min, table, voxels, v);
		for (int t = 0; t < 15 && cases[k * 16 + t] != 255; t++) {
			int edge = cases[k * 16 + t], corner = edge_corner(edge);
			int3 w = v + (int3)(corner & 1, corner >> 1 & 1, corner >> 2);
			uint owner = block_find(table, volume.table_mask, w >> 3);
			triangles[at++] = vertex_firsts[owner] + vertex_rank(masks, owner, edge >> 2, voxel_in_block(w));
		}
	}
}
