/* SPDX-License-Identifier: Apache-2.0 */
#include "rng.h"

static double fade(double t)
{
	return t * t * t * (t * (t * 6 - 15) + 10);
}

static double at_node(uint64_t key, int64_t x, int64_t y, int64_t z)
{
	uint64_t packed = (uint64_t)(x & 0x1fffff) << 42 | (uint64_t)(y & 0x1fffff) << 21 | (uint64_t)(z & 0x1fffff);
	return rng_between(key, packed, -1, 1);
}

double noise_1d(uint64_t key, double x)
{
	double floor_x = floor(x), t = fade(x - floor_x);
	int64_t i = (int64_t)floor_x;
	return at_node(key, i, 0, 0) * (1 - t) + at_node(key, i + 1, 0, 0) * t;
}

double noise_3d(uint64_t key, v3 p)
{
	double fx = floor(p.x), fy = floor(p.y), fz = floor(p.z);
	double tx = fade(p.x - fx), ty = fade(p.y - fy), tz = fade(p.z - fz);
	int64_t i = (int64_t)fx, j = (int64_t)fy, k = (int64_t)fz;
	double sum = 0;
	for (int corner = 0; corner < 8; corner++) {
		int dx = corner & 1, dy = corner >> 1 & 1, dz = corner >> 2;
		double weight = (dx ? tx : 1 - tx) * (dy ? ty : 1 - ty) * (dz ? tz : 1 - tz);
		sum += weight * at_node(key, i + dx, j + dy, k + dz);
	}
	return sum;
}
