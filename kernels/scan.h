/* SPDX-License-Identifier: Apache-2.0
 * Exclusive scan of per-chunk counts by one work-group: the way by which lists are made in a repeatable order. */
#ifndef ENM_SCAN_H
#define ENM_SCAN_H

#define SCAN_GROUP 64

/* Turns counts[0 .. chunks) into first numbers and returns their total. All items of the group must call it. */
static inline uint scan_group(__global uint *counts, uint chunks, __local uint *sums)
{
	uint item = get_local_id(0), share = (chunks + SCAN_GROUP - 1) / SCAN_GROUP;
	uint from = min(item * share, chunks), to = min(from + share, chunks), n = 0;
	for (uint i = from; i < to; i++)
		n += counts[i];
	sums[item] = n;
	barrier(CLK_LOCAL_MEM_FENCE);
	uint first = 0, total = 0;
	for (uint i = 0; i < SCAN_GROUP; i++) {
		first += i < item ? sums[i] : 0;
		total += sums[i];
	}
	for (uint i = from; i < to; i++) {
		uint c = counts[i];
		counts[i] = first;
		first += c;
	}
	return total;
}

#endif
