/* SPDX-License-Identifier: Apache-2.0
 * The frames of a session that are kept: what becomes of them, which were tracked one after the other, and what does not fit. No device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "global/frame_store.h"

#define PERIOD_NS 33000000

typedef struct rig {
	frame_store store;
	int64_t time_ns;
	uint64_t id;
} rig;

static void begin(rig *r, uint64_t bytes_max)
{
	const enm_session_def def = {.keep_frames = true, .frames_bytes_max = bytes_max};
	memset(r, 0, sizeof(*r));
	assert_int_equal(store_create(&def, &r->store), ENM_OK);
}

/* The frame as it was noted. `gone`: island that is joined or dropped with it. */
static const store_frame *note_gone(rig *r, uint32_t verdict, uint32_t events, uint32_t island, uint32_t gone)
{
	const uint8_t input[16] = {(uint8_t)r->id};
	const store_input in = {.input = input, .bytes = sizeof(input), .id = r->id++, .time_ns = r->time_ns};
	enm_k_track t;
	bool full;
	memset(&t, 0, sizeof(t));
	t.verdict = verdict;
	t.events = events;
	t.island = island;
	t.joined = t.dropped = gone;
	t.world_from_camera.r[0] = t.world_from_camera.r[4] = t.world_from_camera.r[8] = 1.0f;
	t.first_from_island = t.world_from_camera;
	t.first_from_island.t[0] = 5.0f;
	assert_int_equal(store_note(&r->store, &t, &in, &full), ENM_OK);
	r->time_ns += PERIOD_NS;
	return &r->store.frames[r->store.count - 1];
}

static const store_frame *note(rig *r, uint32_t verdict, uint32_t events, uint32_t island)
{
	return note_gone(r, verdict, events, island, 0);
}

static uint32_t tracked(rig *r)
{
	return note(r, ENM_K_VERDICT_TRACKED, 0, 0)->chain;
}

static void chains_break_where_tracking_did(void **state)
{
	(void)state;
	rig r;
	begin(&r, 1 << 20);
	const uint32_t first = tracked(&r);
	assert_int_equal(tracked(&r), first);
	assert_int_equal(note(&r, ENM_K_VERDICT_WEAK, 0, 0)->chain, first); /* its pose is only less sure */
	assert_int_equal(tracked(&r), first);
	assert_int_not_equal(note(&r, ENM_K_VERDICT_LOST, ENM_K_EVENT_LOST, 0)->chain, first);
	const uint32_t back = note(&r, ENM_K_VERDICT_TRACKED, ENM_K_EVENT_RECOVERED, 0)->chain;
	assert_int_not_equal(back, first);
	assert_int_equal(tracked(&r), back);
	r.time_ns += 200000000; /* a burst without data */
	const uint32_t after_gap = tracked(&r);
	assert_int_not_equal(after_gap, back);
	const uint32_t island = note(&r, ENM_K_VERDICT_TRACKED, ENM_K_EVENT_ISLAND_BEGUN, 1)->chain;
	assert_int_not_equal(island, after_gap);
	assert_int_equal(note(&r, ENM_K_VERDICT_TRACKED, 0, 1)->chain, island);
	const uint32_t joined = note(&r, ENM_K_VERDICT_TRACKED, ENM_K_EVENT_ISLAND_JOINED, 0)->chain;
	assert_int_not_equal(joined, island);
	assert_int_equal(tracked(&r), joined);
	r.store.chain++; /* as a correction does */
	assert_int_not_equal(tracked(&r), joined);
	store_destroy(&r.store);
}

static void islands_join_or_stay_apart(void **state)
{
	(void)state;
	rig r;
	begin(&r, 1 << 20);
	(void)tracked(&r);
	(void)note(&r, ENM_K_VERDICT_TRACKED, ENM_K_EVENT_ISLAND_BEGUN, 1);
	(void)note(&r, ENM_K_VERDICT_TRACKED, ENM_K_EVENT_ISLAND_BEGUN, 2);
	assert_false(store_usable(&r.store.frames[1]));
	/* not the one that was seen last */
	(void)note_gone(&r, ENM_K_VERDICT_TRACKED, ENM_K_EVENT_ISLAND_JOINED, 0, 1);
	assert_true(store_usable(&r.store.frames[1]) && !store_usable(&r.store.frames[2]));
	assert_true(r.store.frames[1].world_from_camera.t[0] == 5.0f && r.store.frames[0].world_from_camera.t[0] == 0.0f);
	assert_true(r.store.frames[2].world_from_camera.t[0] == 0.0f);
	(void)note(&r, ENM_K_VERDICT_TRACKED, 0, 2);
	(void)note(&r, ENM_K_VERDICT_TRACKED, ENM_K_EVENT_ISLAND_BEGUN, 3);
	(void)note_gone(&r, ENM_K_VERDICT_TRACKED, ENM_K_EVENT_ISLAND_DROPPED, 0, 2);
	assert_true(r.store.frames[2].apart && r.store.frames[4].apart && !r.store.frames[5].apart);
	assert_true(store_usable(&r.store.frames[6]) && !store_usable(&r.store.frames[4]));
	(void)note(&r, ENM_K_VERDICT_TRACKED, ENM_K_EVENT_BEGUN_AGAIN, 0);
	for (size_t i = 0; i < 7; i++)
		assert_false(store_usable(&r.store.frames[i]));
	store_destroy(&r.store);
}

static void what_does_not_fit_is_counted(void **state)
{
	(void)state;
	rig r;
	uint8_t input[16];
	begin(&r, 40); /* two frames of 16 bytes */
	for (int i = 0; i < 4; i++)
		(void)tracked(&r);
	(void)note(&r, ENM_K_VERDICT_LOST, ENM_K_EVENT_LOST, 0); /* needs no room */
	assert_int_equal(r.store.not_kept, 2);
	assert_true(store_usable(&r.store.frames[1]) && !store_usable(&r.store.frames[2]) && !store_usable(&r.store.frames[4]));
	assert_int_equal(store_read(&r.store, &r.store.frames[1], 0, sizeof(input), input), ENM_OK);
	assert_int_equal(input[0], 1);
	store_clear(&r.store);
	assert_int_equal(r.store.count + r.store.not_kept + r.store.bytes, 0);
	(void)tracked(&r);
	assert_true(store_usable(&r.store.frames[0]));
	store_destroy(&r.store);
}

static void room_for_notes_is_taken_once(void **state)
{
	(void)state;
	const enm_session_def def = {.keep_frames = true, .frames_bytes_max = 1 << 20, .frames_expected = 300};
	rig r = {0};
	assert_int_equal(store_create(&def, &r.store), ENM_OK);
	const store_frame *const place = r.store.frames;
	for (int turn = 0; turn < 2; turn++) { /* a reset keeps it */
		for (int i = 0; i < 300; i++)
			(void)tracked(&r);
		assert_true(r.store.frames == place && r.store.capacity == 300);
		assert_true(r.store.frames[299].id == r.id - 1 && !r.store.frames[299].bent && !r.store.frames[299].left_out);
		store_clear(&r.store);
	}
	for (int i = 0; i < 301; i++)
		(void)tracked(&r);
	assert_true(r.store.capacity > 300 && store_usable(&r.store.frames[300]));
	store_destroy(&r.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_break_where_tracking_did),
		cmocka_unit_test(islands_join_or_stay_apart),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(room_for_notes_is_taken_once),
	};
	return cmocka_run_group_tests_name("frame_store", tests, NULL, NULL);
}
