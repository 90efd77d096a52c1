/* SPDX-License-Identifier: Apache-2.0
 *
 * Which blocks' surface has to be made anew while the scan goes on. A block changes with its 26 neighbours, since its cells and
 * gradients reach into them. `waiting`: of each block, the number of the first frame whose changes its surface does not hold, 0
 * for none. Lists are in the order of blocks, from where the last one ended, so that each gets its turn.
 *
 *   live_mark   blocks that have changed since the last look, and their neighbours, wait
 *   live_bits   a bit a block that waits
 *   live_list   as many of them as a slice takes
 *   live_done   those whose surface was made wait no more
 */
#include "scan.h"
#include "volume.h"

/* An item does a block. `changed`: number of the last frame that changed each. */
__kernel void live_mark(const enm_k_volume volume, __global const enm_k_blocks *blocks, __global const enm_k_surface *state,
			__global const uint *changed, __global const uint *keys, __global const uint2 *table, volatile __global uint *waiting)
{
	uint block = get_global_id(0), since = state->frames;
	if (block >= blocks->used || changed[block] <= since)
		return;
	int3 b = block_of_key(keys[block]);
	for (int i = 0; i < 27; i++) {
		uint n = block_find(table, volume.table_mask, b + (int3)(i % 3, i / 3 % 3, i / 9) - 1);
		if (n != BLOCK_NONE)
			atomic_cmpxchg(&waiting[n], 0, since + 1); /* whichever item comes first: all write the same */
	}
}

/* An item does 32 blocks. */
__kernel void live_bits(__global const enm_k_blocks *blocks, __global const uint *waiting, __global uint *bits)
{
	uint word = get_global_id(0), used = blocks->used, set = 0;
	if (32 * word >= used)
		return;
	for (uint i = 0; i < min(used - 32 * word, 32u); i++)
		set |= (waiting[32 * word + i] != 0 ? 1u : 0u) << i;
	bits[word] = set;
}

/* Takes the lower of the items' numbers into the first item's. */
static inline uint least_of(uint n, __local uint *shared)
{
	uint item = get_local_id(0), least = UINT_MAX;
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	shared[item] = n;
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	for (uint i = 0; i < SCAN_GROUP; i++)
		least = min(least, shared[i]);
	return least;
}

/* Bits of the i-th word, counted from the one with the block `cursor`, whose lower bits come last of all. */
static inline uint turned_bits(__global const uint *bits, uint words, uint cursor, uint i)
{
	uint below = (1u << cursor % 32) - 1u;
	return bits[(cursor / 32 + i) % words] & (i == 0 ? ~below : i == words ? below : UINT_MAX);
}

/* One group; each item has a stretch of words. `looked`: live_mark went before. */
__kernel __attribute__((reqd_work_group_size(SCAN_GROUP, 1, 1)))
void live_list(uint most, uint looked, __global const enm_k_track *track, __global const enm_k_blocks *blocks, __global const uint *bits,
	       __global const uint *waiting, __global enm_k_surface *state, __global uint *list)
{
	__local uint shared[SCAN_GROUP];
	uint item = get_local_id(0), words = (blocks->used + 31) / 32, start = state->cursor, end = words > 0 ? words + 1 : 0;
	uint share = (end + SCAN_GROUP - 1) / SCAN_GROUP, from = min(item * share, end), to = min(from + share, end);
	uint n = 0, total, oldest = UINT_MAX, cursor = UINT_MAX;
	for (uint i = from; i < to; i++)
		n += popcount(turned_bits(bits, words, start, i));
	uint number = scan_sums(n, shared, &total);
	for (uint i = from; i < to && n > 0; i++) {
		uint word = (start / 32 + i) % words;
		for (uint set = turned_bits(bits, words, start, i); set != 0; set &= set - 1, number++) {
			uint block = word * 32 + (31 - clz(set & -set));
			if (number < most) {
				list[number] = block;
				continue;
			}
			cursor = number == most ? block : cursor;
			oldest = min(oldest, waiting[block]);
		}
	}
	oldest = least_of(oldest, shared);
	cursor = least_of(cursor, shared);
	if (item == 0) {
		state->listed = min(total, most);
		state->left = total - min(total, most);
		state->oldest = oldest;
		if (looked)
			state->frames = track->frames;
		if (cursor != UINT_MAX)
			state->cursor = cursor;
	}
}

/* One group. What did not fit goes on waiting, and is the first of the next list. */
__kernel __attribute__((reqd_work_group_size(SCAN_GROUP, 1, 1)))
void live_done(__global enm_k_surface *state, __global const uint *list, __global uint *waiting)
{
	__local uint shared[SCAN_GROUP];
	uint item = get_local_id(0), listed = state->listed, done = state->done, oldest = state->oldest;
	for (uint e = item; e < listed; e += SCAN_GROUP) {
		if (e < done)
			waiting[list[e]] = 0;
		else
			oldest = min(oldest, waiting[list[e]]);
	}
	oldest = least_of(oldest, shared);
	if (item == 0) {
		state->oldest = oldest;
		state->left += listed - done;
		if (done < listed)
			state->cursor = list[done];
	}
}
