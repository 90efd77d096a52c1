/* SPDX-License-Identifier: Apache-2.0
 * Connected pieces: a forest over vertices. */
#ifndef ENM_SURFACE_PIECES_H
#define ENM_SURFACE_PIECES_H

#include <stdint.h>

/* Root of a vertex's piece, halving the path on the way. */
static inline uint32_t pieces_root(uint32_t *parent, uint32_t v)
{
	while (parent[v] != v) {
		parent[v] = parent[parent[v]];
		v = parent[v];
	}
	return v;
}

/* The lower root wins, so that the outcome does not depend on the order of the edges. */
static inline void pieces_join(uint32_t *parent, uint32_t a, uint32_t b)
{
	a = pieces_root(parent, a);
	b = pieces_root(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

#endif
