/* SPDX-License-Identifier: Apache-2.0
 *
 * A work-item does LANES neighbours at once, in vectors: CPU compilers make vector code of them for certain, and GPUs have more
 * loads under way. Lanes never meet, so that their number changes no result. Rules that hold for
 * scalars and vectors alike: choose by select(), combine comparisons by & and |, ask all lanes by lanes_any(). */
#ifndef ENM_LANES_H
#define ENM_LANES_H

#ifndef LANES
#define LANES 1
#endif

#if LANES == 1
typedef float floatn;
typedef int intn;
typedef uint uintn;
#define LANE_NUMBERS 0
#define to_floatn(x) ((float)(x))
#define to_intn(x) ((int)(x))
#define as_intn(x) as_int(x)
#define as_uintn(x) as_uint(x)
#define as_floatn(x) as_float(x)
#define lanes_any(x) ((x) != 0)
#define lanes_load(p) (*(p))
#define lanes_store(x, p) (*(p) = (x))
#define lanes_first(x) (x)
#else
#define LANES_JOIN_(a, b) a##b
#define LANES_JOIN(a, b) LANES_JOIN_(a, b)
#define LANES_NAME(name) LANES_JOIN(name, LANES)
typedef LANES_NAME(float) floatn;
typedef LANES_NAME(int) intn;
typedef LANES_NAME(uint) uintn;
#define to_floatn(x) LANES_NAME(convert_float)(x)
#define to_intn(x) LANES_NAME(convert_int)(x)
#define as_intn(x) LANES_NAME(as_int)(x)
#define as_uintn(x) LANES_NAME(as_uint)(x)
#define as_floatn(x) LANES_NAME(as_float)(x)
#define lanes_load(p) LANES_NAME(vload)(0, (p))
#define lanes_store(x, p) LANES_NAME(vstore)((x), 0, (p))
#define lanes_first(x) ((x).s0)
#if LANES == 2
#define LANE_NUMBERS ((int2)(0, 1))
#elif LANES == 4
#define LANE_NUMBERS ((int4)(0, 1, 2, 3))
#elif LANES == 8
#define LANE_NUMBERS ((int8)(0, 1, 2, 3, 4, 5, 6, 7))
#else
#error "LANES is 1, 2, 4 or 8"
#endif

/* any() by halves: PoCL makes a chain of branches of the function. */
static inline bool lanes_any(intn x)
{
#if LANES == 8
	int4 half_of_x = x.lo | x.hi;
	int2 quarter = half_of_x.lo | half_of_x.hi;
	return (quarter.x | quarter.y) != 0;
#elif LANES == 4
	int2 half_of_x = x.lo | x.hi;
	return (half_of_x.x | half_of_x.y) != 0;
#else
	return (x.x | x.y) != 0;
#endif
}
#endif

/* a b + c, rounded once where the device has that for nothing: CPUs have had it since 2013, though PoCL does not say so. */
static inline floatn lanes_fma(floatn a, floatn b, floatn c)
{
#if defined(FP_FAST_FMAF) || defined(ENM_CPU)
	return fma(a, b, c);
#else
	return a * b + c;
#endif
}

/* To the nearest whole number, halves to even, for |x| < 2^22: the sum has no bits for less than one. */
static inline intn lanes_round(floatn x)
{
	return as_intn(x + 12582912.0f) - 0x4B400000;
}

#endif
