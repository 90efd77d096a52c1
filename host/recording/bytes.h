/* SPDX-License-Identifier: Apache-2.0
 * Little-endian numbers in bytes, whatever the machine's own order. */
#ifndef ENM_RECORDING_BYTES_H
#define ENM_RECORDING_BYTES_H

#include <stdint.h>
#include <string.h>

static inline void put_u32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

static inline void put_u64(uint8_t *out, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> 8 * i);
}

static inline void put_f64(uint8_t *out, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	put_u64(out, bits);
}

static inline uint32_t get_u32(const uint8_t *in)
{
	uint32_t value = 0;
	for (int i = 0; i < 4; i++)
		value |= (uint32_t)in[i] << 8 * i;
	return value;
}

static inline uint64_t get_u64(const uint8_t *in)
{
	uint64_t value = 0;
	for (int i = 0; i < 8; i++)
		value |= (uint64_t)in[i] << 8 * i;
	return value;
}

static inline double get_f64(const uint8_t *in)
{
	uint64_t bits = get_u64(in);
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

#endif
