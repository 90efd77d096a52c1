/* SPDX-License-Identifier: Apache-2.0
 * Entries by ids: found again, in the order of their first sight, and gone when cleared. */
#include "cmocka_all.h"

#include "id_table.h"

#define IDS 5000u

typedef struct entry {
	uint32_t id, seen;
} entry;

static uint32_t id_of(uint32_t n)
{
	return n % 2 ? n * 2654435761u : n << 19; /* spread, and alike in their low bits */
}

static void entries_are_found_again(void **state)
{
	(void)state;
	id_table t = {.bytes = sizeof(entry)};
	for (int pass = 0; pass < 3; pass++)
		for (uint32_t n = 0; n < IDS; n++) {
			entry *e = id_table_entry(&t, id_of(n));
			assert_non_null(e);
			assert_int_equal(e->seen, pass); /* zeros at first */
			assert_int_equal(e->id, pass ? id_of(n) : 0);
			*e = (entry){id_of(n), e->seen + 1};
			assert_int_equal(t.count, pass ? IDS : n + 1);
		}
	for (uint32_t n = 0; n < IDS; n++)
		assert_int_equal(((entry *)t.entries)[n].id, id_of(n));
	id_table_clear(&t);
	assert_int_equal(t.count, 0);
	assert_int_equal(((entry *)id_table_entry(&t, id_of(7)))->seen, 0);
	assert_int_equal(t.count, 1);
	id_table_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(entries_are_found_again)};
	return cmocka_run_group_tests_name("id_table", tests, NULL, NULL);
}
