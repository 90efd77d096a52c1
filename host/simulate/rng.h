/* SPDX-License-Identifier: Apache-2.0
 * Random numbers by counter, not by state: a number is a hash of (seed, stream, index), so that it does not matter
 * which thread asks for it or in which order. The hash is two rounds of the finaliser of splitmix64 (Steele, Lea and
 * Flood 2014; constants by Stafford, variant 13), which passes the usual batteries when fed with counters. */
#ifndef ENM_SIMULATE_RNG_H
#define ENM_SIMULATE_RNG_H

#include <stdint.h>

#include "vec.h"

/* One stream per use, so that switching one error term off leaves the numbers of the others as they were. */
enum rng_stream {
	RNG_TEETH = 1,
	RNG_GUM,
	RNG_WOBBLE,
	RNG_SPEED,
	RNG_LIFT,
	RNG_RESIDUAL,
	RNG_TIME,
	RNG_BURST,
	RNG_WHITE,
	RNG_CORRELATED,
	RNG_CORRELATION_LENGTH,
	RNG_DROPOUT,
	RNG_MIXED,
	RNG_HIGHLIGHT,
	RNG_SALIVA,
	RNG_FOREIGN,
	RNG_COLOR,
	RNG_OTHER_JAW,
	RNG_LISTED,
	RNG_EXPOSURE,
	RNG_TREMOR
};

static inline uint64_t rng_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* A key for one stream and one frame (or tooth, or body); numbers are drawn from it by index. */
static inline uint64_t rng_key(uint64_t seed, enum rng_stream stream, uint64_t item)
{
	uint64_t key = rng_mix(seed + 0x9e3779b97f4a7c15u * (uint64_t)(stream + 1));
	return rng_mix(key ^ rng_mix(item + 0x632be59bd9b4e019u));
}

static inline uint64_t rng_bits(uint64_t key, uint64_t index)
{
	return rng_mix(rng_mix(key + 0x9e3779b97f4a7c15u * (index + 1)) ^ key);
}

/* In (0, 1), never an end. */
static inline double rng_uniform(uint64_t key, uint64_t index)
{
	return ((double)(rng_bits(key, index) >> 11) + 0.5) * (1.0 / 9007199254740992.0);
}

static inline double rng_between(uint64_t key, uint64_t index, double lo, double hi)
{
	return lo + (hi - lo) * rng_uniform(key, index);
}

/* Standard normal, by Box and Muller, from the uniforms 2 index and 2 index + 1. */
static inline double rng_normal(uint64_t key, uint64_t index)
{
	double radius = sqrt(-2 * log(rng_uniform(key, 2 * index)));
	return radius * cos(2 * SIM_PI * rng_uniform(key, 2 * index + 1));
}

/* Smooth noise with continuous second derivatives: random values in [-1, 1] at whole numbers, quintic between. */
double noise_1d(uint64_t key, double x);
double noise_3d(uint64_t key, v3 p);

#endif
