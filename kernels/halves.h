/* SPDX-License-Identifier: Apache-2.0
 *
 * Unit vectors as float4 or, where `halves` says so, as four 16-bit halves: half the bytes for a tilt of 0.4 mrad at most. To
 * store and load halves is part of every OpenCL 1.2; only arithmetic on them is cl_khr_fp16. */
#ifndef ENM_HALVES_H
#define ENM_HALVES_H

static inline void unit_store(__global void *units, int i, int halves, float3 unit)
{
	if (halves)
		vstore_half4_rte((float4)(unit, 0.0f), i, (__global half *)units);
	else
		((__global float4 *)units)[i] = (float4)(unit, 0.0f);
}

static inline float3 unit_load(__global const void *units, int i, int halves)
{
	return halves ? vload_half4(i, (__global const half *)units).xyz : ((__global const float4 *)units)[i].xyz;
}

#endif
