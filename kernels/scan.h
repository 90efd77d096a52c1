/* SPDX-License-Identifier: Apache-2.0
 * Exclusive scan by one work-group: the way by which lists are made in a repeatable order. */
#ifndef ENM_SCAN_H
#define ENM_SCAN_H

#define SCAN_GROUP 64

/* Sum of `n` over the items before this one, and over all. All items of the group must call it. */
static inline uint scan_sums(uint n, __local uint *sums, uint *out_total)
{
	uint item = get_local_id(0), size = get_local_size(0), first = 0, total = 0;
	sums[item] = n;
	barrier(CLK_LOCAL_MEM_FENCE);
	for (uint i = 0; i < size; i++) {
		first += i < item ? sums[i] : 0;
		total += sums[i];
	}
	*out_total = total;
	return first;
}

#endif
