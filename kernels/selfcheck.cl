/* SPDX-License-Identifier: Apache-2.0
 *
 * Small sums with known answers, for enm_context_self_check(): does this device, with this driver, do what the kernels
 * of the other files take for granted? engine/core/self_check.c knows the answers.
 */
#include "layout_list.h"

__kernel void selfcheck_integer(__global const uint *in, __global uint *out, uint count)
{
	uint i = get_global_id(0);
	if (i >= count)
		return;
	uint a = in[i];
	__global uint *o = out + 8 * i;
	o[0] = a * 2654435761u + 12345u;
	o[1] = a >> 7;
	o[2] = (uint)((int)a >> 7);
	o[3] = mul_hi(a, 0x9E3779B9u);
	o[4] = popcount(a);
	o[5] = clz(a);
	o[6] = rotate(a, 13u);
	o[7] = (uint)((int)a / 7) ^ (a % 11u);
}

/* Written so that contraction into a fused multiply-add would change the result. */
__kernel void selfcheck_float(__global const float *in, __global float *out, uint count)
{
	uint i = get_global_id(0);
	if (i >= count)
		return;
	float a = in[2 * i], b = in[2 * i + 1];
	__global float *o = out + 6 * i;
	o[0] = a + b;
	o[1] = a * b;
	o[2] = a * b - b;
	o[3] = a / b;
	o[4] = sqrt(a);
	o[5] = (float)((int)(a * 1000.0f));
}

__kernel void selfcheck_classify(__global const uint *bits, __global uint *out, uint count)
{
	uint i = get_global_id(0);
	if (i >= count)
		return;
	float x = as_float(bits[i]);
	uint flags = isnan(x) ? 1u : 0u;
	flags |= isinf(x) ? 2u : 0u;
	flags |= isfinite(x) ? 4u : 0u;
	flags |= !(x >= -1.0f && x <= 1.0f) ? 8u : 0u;
	flags |= x != x ? 16u : 0u;
	out[i] = flags;
}

/* out[0]: least of the items' numbers; out[1]: number of items that found the slot empty; out[2]: sum of 1. */
__kernel void selfcheck_atomic(__global int *out, __global int *slots, uint slot_count)
{
	int i = (int)get_global_id(0);
	atomic_min(&out[0], 1000 - i);
	if (atomic_cmpxchg(&slots[(uint)i % slot_count], -1, i) == -1)
		atomic_inc(&out[1]);
	atomic_add(&out[2], 1);
}

/* Sums each group's numbers through local memory, in a fixed tree. */
__kernel void selfcheck_local(__global const int *in, __global int *out, __local int *sums)
{
	uint i = get_local_id(0), size = get_local_size(0);
	sums[i] = in[get_global_id(0)];
	barrier(CLK_LOCAL_MEM_FENCE);
	for (uint half_size = size / 2; half_size > 0; half_size /= 2) {
		if (i < half_size)
			sums[i] += sums[i + half_size];
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	if (i == 0)
		out[get_group_id(0)] = sums[0];
}

__kernel void selfcheck_narrow(__global const short *in, __global short *negated, __global uchar *low, uint count)
{
	uint i = get_global_id(0);
	if (i >= count)
		return;
	negated[i] = (short)(-in[i]);
	low[i] = (uchar)(in[i] & 0xff);
}

#define SIZE_OF(name) (uint)sizeof(name),

__kernel void selfcheck_layout(__global uint *sizes)
{
	if (get_global_id(0) != 0)
		return;
	const uint all[] = {ENM_K_STRUCTS(SIZE_OF) 0};
	for (uint i = 0; all[i] != 0; i++)
		sizes[i] = all[i];
}

/* A struct passed by value, and one written through a pointer, field by field. */
__kernel void selfcheck_struct(const enm_k_pose pose, __global enm_k_voxel *voxel, __global float *out)
{
	if (get_global_id(0) != 0)
		return;
	for (int i = 0; i < 9; i++)
		out[i] = pose.r[i];
	for (int i = 0; i < 3; i++)
		out[9 + i] = pose.t[i];
	voxel->sdf = -12345;
	voxel->weight = 54321;
	voxel->red = 1;
	voxel->green = 2;
	voxel->blue = 3;
	voxel->views = 255;
}
