/* SPDX-License-Identifier: Apache-2.0
 * Entries of one size by ids that come in any order, in the order in which the ids were first seen. */
#ifndef ENM_HOST_ID_TABLE_H
#define ENM_HOST_ID_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Set `bytes`, of an entry, and zero the rest before use. */
typedef struct id_table {
	size_t bytes;
	void *entries; /* `count` of them */
	size_t count;
	/* Inside: */
	struct id_slot *slots; /* open addressing; a power of two */
	size_t room;
} id_table;

/* The entry of an id, of zeros where it is new; there until the next call. NULL: no memory, and nothing has changed. */
void *id_table_entry(id_table *table, uint32_t id);
/* Forgets all entries, and gives their memory back; what they point to is the caller's. */
void id_table_clear(id_table *table);

#endif
