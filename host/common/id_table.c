/* SPDX-License-Identifier: Apache-2.0 */
#include "id_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 1024u

struct id_slot {
	uint32_t id, place; /* of the entry, and one more; 0: free */
};

static struct id_slot *find(struct id_slot *slots, size_t room, uint32_t id)
{
	size_t at = (size_t)(id * 2654435769u) & (room - 1); /* Knuth's multiplicative hash */
	while (slots[at].place && slots[at].id != id)
		at = (at + 1) & (room - 1);
	return &slots[at];
}

/* For one more; half of the slots stay free. */
static bool make_room(id_table *t)
{
	if (2 * (t->count + 1) <= t->room)
		return true;
	const size_t room = t->room ? 2 * t->room : ROOM_FIRST;
	struct id_slot *slots = calloc(room, sizeof *slots);
	void *entries = slots ? realloc(t->entries, room / 2 * t->bytes) : NULL;
	if (!entries) {
		free(slots);
		return false;
	}
	for (size_t i = 0; i < t->room; i++)
		if (t->slots[i].place)
			*find(slots, room, t->slots[i].id) = t->slots[i];
	free(t->slots);
	t->slots = slots;
	t->entries = entries;
	t->room = room;
	return true;
}

void *id_table_entry(id_table *t, uint32_t id)
{
	if (!make_room(t))
		return NULL;
	struct id_slot *slot = find(t->slots, t->room, id);
	const bool is_new = !slot->place;
	if (is_new)
		*slot = (struct id_slot){id, (uint32_t)++t->count};
	void *entry = (char *)t->entries + (slot->place - 1) * t->bytes;
	return is_new ? memset(entry, 0, t->bytes) : entry;
}

void id_table_clear(id_table *t)
{
	free(t->slots);
	free(t->entries);
	*t = (id_table){.bytes = t->bytes};
}
