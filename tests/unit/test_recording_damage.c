/* SPDX-License-Identifier: Apache-2.0
 * What is left of a recording that was cut, flipped, punched or overwritten: every packet that was not touched, to the
 * bit, and a name for the rest. ENAMEL_TEST_SLOW=1 tries many more damages. */
#include "cmocka_all.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "copy.h"
#include "recorded.h"
#include "scratch.h"

static const recorded little = {.name = "a.enmrec", .width = 6, .height = 5, .frames = 5, .color = true};
static const recorded longer = {.name = "a.enmrec", .width = 12, .height = 9, .frames = 400, .color = true};

static uint32_t random_state;

static uint32_t draw(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

static size_t rounds(size_t usual, size_t slow)
{
	const char *wish = getenv("ENAMEL_TEST_SLOW");
	return wish && *wish == '1' ? slow : usual;
}

/* The packets of a whole recording, for comparison. */
static recording *whole;

static uint8_t *make_whole(const recorded *def, size_t *out_size)
{
	recorded_make(def);
	whole = recorded_open(def->name, RECORDING_CHECK);
	return recorded_bytes(def->name, out_size);
}

static uint64_t end_of(size_t entry)
{
	return entry + 1 < whole->entry_count ? whole->entries[entry + 1].offset : whole->size;
}

/* Opens the file by both ways, and fails unless both give the same packets. */
static recording *open_damaged(const char *name)
{
	recording *quick = recorded_open(name, RECORDING_BY_INDEX), *checked = recorded_open(name, RECORDING_CHECK);
	if (!quick->by_index) {
		assert_int_equal(quick->entry_count, checked->entry_count);
		assert_int_equal(quick->damage_count, checked->damage_count);
	}
	recording_close(&quick);
	return checked;
}

/* All packets outside [from, to) are there, and no other; what is lost is named. */
static void assert_lost_only(const recorded *def, const recording *r, uint64_t from, uint64_t to)
{
	size_t at = 0, lost = 0;
	for (size_t i = 0; i < whole->entry_count; i++) {
		const packet_entry *e = &whole->entries[i];
		if (e->offset < to && end_of(i) > from) {
			lost++;
			continue;
		}
		assert_true(at < r->entry_count);
		assert_int_equal(r->entries[at].sequence, e->sequence);
		at++;
	}
	assert_int_equal(at, r->entry_count);
	assert_true(lost > 0 && r->damage_count == 1);
	assert_int_equal(recording_lost_packets(r), r->damages[0].at_end ? 1 : lost);
	assert_true(r->damages[0].offset <= from && r->damages[0].offset + r->damages[0].bytes >= to);
	assert_true(strlen(r->damages[0].reason) > 0);
	assert_recorded_frames(def, r);
}

/* The repaired copy holds the same frames, and nothing of it is damaged. Without a header a camera is needed. */
static void assert_recovers(const recorded *def, const recording *r)
{
	copy_def copy = {.path = scratch_path("b.enmrec"), .from_s = (double)-INFINITY, .to_s = (double)INFINITY};
	copy_stats stats;
	host_status status = recording_copy(r, &copy, &stats);
	if (!r->frame_count || !r->camera) {
		assert_int_equal(status, r->camera ? HOST_DATA : HOST_USAGE);
		assert_int_equal(scratch_count("."), 1);
		copy.camera = whole->camera;
		status = r->frame_count ? recording_copy(r, &copy, &stats) : HOST_DATA;
	}
	if (!r->frame_count)
		return;
	assert_int_equal(status, HOST_OK);
	assert_int_equal(stats.unreadable, 0);
	recording *mended = recorded_open("b.enmrec", RECORDING_BY_INDEX);
	assert_true(mended->by_index && mended->session == whole->session);
	assert_int_equal(assert_recorded_frames(def, mended), r->frame_count);
	assert_string_equal(mended->camera, whole->camera);
	recording_close(&mended);
	mended = recorded_open("b.enmrec", RECORDING_CHECK);
	assert_int_equal(mended->damage_count, 0);
	recording_close(&mended);
	assert_int_equal(unlink(scratch_path("b.enmrec")), 0);
}

static void cut_at_every_byte(void **state)
{
	(void)state;
	size_t size;
	uint8_t *bytes = make_whole(&little, &size);
	for (size_t cut = 1; cut < size; cut++) {
		scratch_write("a.enmrec", bytes, cut);
		size_t packets = 0, frames = 0;
		bool between = false;
		for (size_t i = 0; i < whole->entry_count && end_of(i) <= cut; i++) {
			packets++;
			frames += whole->entries[i].type == PACKET_FRAME;
			between = end_of(i) == cut;
		}
		recording *r;
		host_status status = recording_open(scratch_path("a.enmrec"), RECORDING_BY_INDEX, NULL, &r);
		assert_int_equal(status, packets ? HOST_OK : HOST_USAGE);
		if (status) {
			assert_failure_ends("a.enmrec: is no recording: it holds no whole packet of one");
			continue;
		}
		assert_false(r->by_index || r->closed);
		assert_int_equal(r->entry_count, packets);
		assert_int_equal(assert_recorded_frames(&little, r), frames);
		assert_int_equal(r->damage_count, between ? 0 : 1);
		if (!between) {
			assert_true(r->damages[0].at_end);
			assert_int_equal(r->damages[0].offset + r->damages[0].bytes, cut);
			assert_string_equal(r->damages[0].reason, "a packet is cut off");
		}
		if (between || cut % 64 == 0) /* each of them waits for the disk */
			assert_recovers(&little, r);
		recording_close(&r);
	}
	free(bytes);
	recording_close(&whole);
}

static void every_byte_flipped(void **state)
{
	(void)state;
	size_t size;
	random_state = 11;
	uint8_t *bytes = make_whole(&little, &size);
	for (size_t at = 0; at < size; at++) {
		uint8_t kept = bytes[at];
		bytes[at] ^= (uint8_t)(1u << draw(8));
		scratch_write("a.enmrec", bytes, size);
		bytes[at] = kept;
		recording *r = open_damaged("a.enmrec");
		assert_lost_only(&little, r, at, at + 1);
		recording_close(&r);
	}
	free(bytes);
	recording_close(&whole);
}

/* Stretches of a long recording are flipped, zeroed, made noise, or filled with an older part of it. */
static void spoil(uint8_t *bytes, const uint8_t *original, size_t from, size_t to, uint32_t how)
{
	for (size_t i = from; i < to; i++)
		bytes[i] = (uint8_t)(how == 0   ? 255u - bytes[i]
				     : how == 1 ? 0u
				     : how == 2 ? draw(256)
						: original[i - from]);
}

static void stretches_spoiled(void **state)
{
	(void)state;
	size_t size, count = rounds(300, 5000);
	uint8_t *bytes = make_whole(&longer, &size), *spoiled = malloc(size);
	for (size_t round = 0; round < count; round++) {
		random_state = (uint32_t)round + 1;
		draw(2);
		uint32_t how = draw(4);
		size_t from = draw((uint32_t)size), longest = draw(2) ? 4096 : 40,
		       to = from + 1 + draw((uint32_t)longest);
		to = to < size ? to : size;
		memcpy(spoiled, bytes, size);
		spoil(spoiled, bytes, from, to, how);
		/* what happens to be the same is no damage */
		while (from < to && spoiled[from] == bytes[from])
			from++;
		while (from < to && spoiled[to - 1] == bytes[to - 1])
			to--;
		if (from == to)
			continue;
		scratch_write("a.enmrec", spoiled, size);
		recording *r = open_damaged("a.enmrec");
		size_t lost = 0, expected = 0;
		for (size_t i = 0; i < whole->entry_count; i++)
			expected += whole->entries[i].offset < to && end_of(i) > from;
		lost = whole->entry_count - r->entry_count;
		/* inside a long stretch of zeros may lie one that is still the same, so that fewer are lost */
		assert_true(lost >= 1 && lost <= expected && r->damage_count >= 1);
		assert_true(recording_lost_bytes(r) >= 1);
		assert_recorded_frames(&longer, r);
		if (round % 50 == 0)
			assert_recovers(&longer, r);
		recording_close(&r);
	}
	free(bytes);
	free(spoiled);
	recording_close(&whole);
}

static void cut_at_random(void **state)
{
	(void)state;
	size_t size, count = rounds(200, 3000);
	uint8_t *bytes = make_whole(&longer, &size);
	for (size_t round = 0; round < count; round++) {
		random_state = (uint32_t)round + 77;
		draw(2);
		size_t cut = 1 + draw((uint32_t)size - 1), frames = 0;
		if (cut < end_of(0))
			continue;
		scratch_write("a.enmrec", bytes, cut);
		for (size_t i = 0; i < whole->entry_count && end_of(i) <= cut; i++)
			frames += whole->entries[i].type == PACKET_FRAME;
		recording *r = open_damaged("a.enmrec");
		assert_int_equal(assert_recorded_frames(&longer, r), frames);
		recording_close(&r);
	}
	free(bytes);
	recording_close(&whole);
}

/* Bytes that fell out, or came in: what follows is found though it lies elsewhere. */
static void bytes_missing_and_added(void **state)
{
	(void)state;
	size_t size;
	uint8_t *bytes = make_whole(&longer, &size), *changed = malloc(size + 1000);
	for (uint32_t round = 0; round < 60; round++) {
		random_state = round + 5;
		draw(2);
		size_t at = (size_t)whole->entries[2].offset + draw((uint32_t)whole->entries[300].offset);
		size_t length = 1 + draw(900);
		bool added = round % 2;
		memcpy(changed, bytes, at);
		if (added)
			memset(changed + at, 0x89, length);
		memcpy(changed + at + (added ? length : 0), bytes + at + (added ? 0 : length),
			size - at - (added ? 0 : length));
		scratch_write("a.enmrec", changed, added ? size + length : size - length);
		recording *r = recorded_open("a.enmrec", RECORDING_BY_INDEX);
		size_t expected = 0;
		for (size_t i = 0; i < whole->entry_count; i++)
			expected += whole->entries[i].offset < at + (added ? 1 : length) && end_of(i) > at;
		assert_false(r->by_index);
		assert_in_range(whole->entry_count - r->entry_count, added ? 0 : 1, expected);
		assert_int_equal(r->damage_count, 1);
		assert_recorded_frames(&longer, r);
		recording_close(&r);
	}
	free(bytes);
	free(changed);
	recording_close(&whole);
}

static uint64_t bad_from, bad_to;
static size_t bad_reads;

/* A disk with a bad stretch, which reads in pieces and is interrupted now and then. */
static ssize_t read_bad(int descriptor, void *bytes, size_t size, off_t offset)
{
	uint64_t at = (uint64_t)offset;
	if (++bad_reads % 5 == 0) {
		errno = EINTR;
		return -1;
	}
	if (at >= bad_from && at < bad_to) {
		errno = EIO;
		return -1;
	}
	if (at < bad_from && at + size > bad_from)
		size = (size_t)(bad_from - at);
	return pread(descriptor, bytes, size > 700 ? 700 : size, offset);
}

static void bad_sectors_are_stepped_over(void **state)
{
	(void)state;
	size_t size;
	free(make_whole(&longer, &size));
	recording_system bad = recording_system_real;
	bad.read_at = read_bad;
	for (uint64_t sector = 0; sector * 4096 < size; sector += 7) {
		bad_from = sector * 4096;
		bad_to = bad_from + (sector % 2 ? 4096 : 8192);
		recording *r;
		assert_int_equal(recording_open(scratch_path("a.enmrec"), RECORDING_CHECK, &bad, &r), HOST_OK);
		assert_lost_only(&longer, r, bad_from, bad_to < size ? bad_to : size);
		assert_string_equal(r->damages[0].reason, "Input/output error");
		assert_recovers(&longer, r);
		recording_close(&r);
	}
	recording_close(&whole);
}

/* By the index, damage shows when the packet is read, and costs only that. */
static void damage_behind_a_good_index(void **state)
{
	(void)state;
	size_t size;
	uint8_t *bytes = make_whole(&longer, &size);
	bytes[whole->entries[17].offset + 100] ^= 4;
	bytes[whole->entries[30].offset + 3] ^= 4;
	scratch_write("a.enmrec", bytes, size);
	recording *r = recorded_open("a.enmrec", RECORDING_BY_INDEX);
	assert_true(r->by_index);
	uint16_t depth[108];
	recording_picture p;
	for (size_t i = 2; i < 100; i++) {
		if (i != 17 && i != 30) {
			assert_recorded_frame(&longer, r, i, i - 2);
			continue;
		}
		assert_int_equal(recording_read_frame(r, i, 12, 9, depth, NULL, &p), HOST_USAGE);
		assert_failure_ends(i == 17 ? "the packet's content is damaged" : "no packet begins here");
	}
	copy_def copy = {.path = scratch_path("b.enmrec"), .from_s = (double)-INFINITY, .to_s = (double)INFINITY};
	copy_stats stats;
	assert_int_equal(recording_copy(r, &copy, &stats), HOST_OK);
	assert_int_equal(stats.unreadable, 2);
	assert_int_equal(stats.frames, 398);
	recording_close(&r);
	free(bytes);
	recording_close(&whole);
}

static void assert_lost_only_before(const recording *r, uint64_t offset)
{
	size_t lost = 0;
	while (whole->entries[lost].offset < offset)
		lost++;
	assert_int_equal(r->damage_count, 1);
	assert_int_equal(r->damages[0].packets_lost, lost);
}

static void first_sector_lost(void **state)
{
	(void)state;
	size_t size;
	recorded def = longer;
	uint8_t *bytes = make_whole(&def, &size);
	memset(bytes, 0, 512);
	scratch_write("a.enmrec", bytes, size);
	recording *r = open_damaged("a.enmrec");
	assert_string_equal(r->camera, whole->camera); /* a later copy of the header */
	assert_recovers(&def, r);
	recording_close(&r);
	scratch_write("a.enmrec", bytes, (size_t)whole->entries[100].offset); /* before the next copy */
	r = open_damaged("a.enmrec");
	assert_null(r->camera);
	assert_lost_only_before(r, 512);
	assert_recovers(&def, r);
	copy_def copy = {.path = scratch_path("b.enmrec"), .from_s = (double)-INFINITY, .to_s = (double)INFINITY};
	copy_stats stats;
	assert_int_equal(recording_copy(r, &copy, &stats), HOST_USAGE);
	assert_failure_ends("a.enmrec: every copy of the header is lost: give --camera FILE");
	recording_close(&r);
	free(bytes);
	recording_close(&whole);
}

/* Blocks of an older recording that the file system gave to this one: whole packets, but not of this scan. */
static void packets_of_another_recording(void **state)
{
	(void)state;
	size_t size, older_size;
	recorded older = longer;
	older.name = "older.enmrec";
	recorded_make(&older);
	uint8_t *older_bytes = recorded_bytes("older.enmrec", &older_size);
	uint8_t *bytes = make_whole(&longer, &size);
	size_t cut = (size_t)end_of(200);
	memcpy(bytes + cut, older_bytes + cut, older_size - cut);
	scratch_write("a.enmrec", bytes, older_size);
	recording *r = recorded_open("a.enmrec", RECORDING_CHECK);
	assert_int_equal(r->entry_count, 201);
	assert_string_equal(r->damages[0].reason, "a packet of another recording");
	assert_int_equal(r->damages[0].offset, cut);
	recording_close(&r);
	free(bytes);
	free(older_bytes);
	recording_close(&whole);
}

static void what_stands_behind_the_end(void **state)
{
	(void)state;
	size_t size;
	uint8_t *bytes = make_whole(&little, &size), *more = calloc(1, size + 5000);
	memcpy(more, bytes, size);
	scratch_write("a.enmrec", more, size + 5000);
	recording *r = open_damaged("a.enmrec");
	char text[200];
	recording_damage_text(&r->damages[0], text, sizeof text);
	assert_non_null(strstr(text, "no packet begins here, 0 packets lost"));
	assert_true(r->closed);
	assert_int_equal(assert_recorded_frames(&little, r), little.frames);
	recording_close(&r);
	free(bytes);
	free(more);
	recording_close(&whole);
}

static void cuts_by_time(void **state)
{
	(void)state;
	free(make_whole(&longer, &(size_t){0}));
	static const struct {
		double from_s, to_s;
		size_t first, count;
	} cases[] = {{0, 0.25, 0, 1}, {0.25, 5.0, 1, 19}, {99.0, 1e9, 396, 4}, {-5, 1e9, 0, 400}, {0.1, 0.6, 1, 2}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const copy_def copy = {scratch_path("b.enmrec"), NULL, cases[i].from_s, cases[i].to_s};
		copy_stats stats;
		assert_int_equal(recording_copy(whole, &copy, &stats), HOST_OK);
		recording *r = recorded_open("b.enmrec", RECORDING_CHECK);
		assert_int_equal(assert_recorded_frames(&longer, r), cases[i].count);
		assert_int_equal(stats.frames, cases[i].count);
		assert_int_equal(recorded_frame_of(r, 2), cases[i].first);
		assert_int_equal(r->entries[1].type, PACKET_FILE);
		recording_close(&r);
	}
	const copy_def none = {scratch_path("c.enmrec"), NULL, 500.0, 600.0};
	copy_stats stats;
	assert_int_equal(recording_copy(whole, &none, &stats), HOST_DATA);
	assert_failure_ends("a.enmrec: no frame lies within the times");
	assert_int_equal(scratch_count("."), 2);
	recording_close(&whole);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(cut_at_every_byte),
		WITH_FOLDER(every_byte_flipped),
		WITH_FOLDER(stretches_spoiled),
		WITH_FOLDER(cut_at_random),
		WITH_FOLDER(bytes_missing_and_added),
		WITH_FOLDER(bad_sectors_are_stepped_over),
		WITH_FOLDER(damage_behind_a_good_index),
		WITH_FOLDER(first_sector_lost),
		WITH_FOLDER(packets_of_another_recording),
		WITH_FOLDER(what_stands_behind_the_end),
		WITH_FOLDER(cuts_by_time),
	};
	return cmocka_run_group_tests_name("recording_damage", tests, NULL, NULL);
}
