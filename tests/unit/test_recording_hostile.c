/* SPDX-License-Identifier: Apache-2.0
 * Recordings made to do harm: every hash is right, but what is hashed lies. Meant for the sanitizers. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "bytes.h"
#include "copy.h"
#include "dataset.h"
#include "pictures.h"
#include "recorded.h"
#include "scratch.h"

#define SESSION 0x1122334455667788ull
#define FILE_MAX ((size_t)4 << 20)

static const char camera[] =
	"{\"width\": 16, \"height\": 16, \"intrinsic_matrix\": [20, 0, 0, 0, 20, 0, 7.5, 7.5, 1],\n"
	" \"depth_scale\": 1000, \"depth_unit\": \"mm\"}";

/* A file under work. */
static uint8_t *file;
static size_t file_size;
static uint64_t next_sequence;

static int setup(void **state)
{
	file = malloc(FILE_MAX);
	file_size = 0;
	next_sequence = 0;
	return file ? scratch_setup(state) : -1;
}

static int teardown(void **state)
{
	free(file);
	return scratch_teardown(state);
}

static void append_head(packet_head head, const void *payload, size_t size)
{
	assert_true(file_size + PACKET_HEAD_BYTES + size <= FILE_MAX);
	packet_head_put(file + file_size, &head);
	if (size)
		memcpy(file + file_size + PACKET_HEAD_BYTES, payload, size);
	file_size += PACKET_HEAD_BYTES + size;
}

static void append(uint32_t type, double time_s, const void *payload, size_t size)
{
	const packet_head head = {.session = SESSION,
		.type = type,
		.sequence = next_sequence++,
		.time_s = time_s,
		.payload_bytes = size,
		.payload_hash = packet_hash(payload, size)};
	append_head(head, payload, size);
}

static void append_begin(uint32_t version)
{
	uint8_t payload[BEGIN_BYTES + sizeof camera + 16];
	const packet_begin begin = {version, sizeof camera - 1, 2, 0};
	packet_begin_put(payload, &begin);
	memcpy(payload + BEGIN_BYTES, camera, sizeof camera - 1);
	memcpy(payload + BEGIN_BYTES + sizeof camera - 1, "{}", 2);
	append(PACKET_BEGIN, 0.0, payload, BEGIN_BYTES + sizeof camera - 1 + 2);
}

/* A good frame of 16x16, changed by the caller's wish before it is hashed. */
static size_t make_frame(uint8_t *out, packet_frame wish)
{
	static uint16_t depth[256];
	static uint8_t rgb[768];
	pictures *p;
	assert_int_equal(pictures_create(256, 1, &p), HOST_OK);
	for (int i = 0; i < 256; i++)
		depth[i] = (uint16_t)(13000 + i);
	size_t depth_size = pictures_put_depth(p, depth, 256, out + FRAME_BYTES);
	size_t color_size = pictures_put_rgb(p, rgb, 256, out + FRAME_BYTES + depth_size);
	pictures_destroy(&p);
	packet_frame f = {.width = 16,
		.height = 16,
		.depth_codec = 1,
		.color_codec = 1,
		.depth_bytes = (uint32_t)depth_size,
		.color_bytes = (uint32_t)color_size,
		.color_time_s = 0.0,
		.number = next_sequence};
	f.width = wish.width ? wish.width : f.width;
	f.height = wish.height ? wish.height : f.height;
	f.depth_codec = wish.depth_codec ? wish.depth_codec : f.depth_codec;
	f.color_codec = wish.color_codec ? wish.color_codec : f.color_codec;
	f.depth_bytes += wish.depth_bytes;
	f.color_bytes += wish.color_bytes;
	packet_frame_put(out, &f);
	return FRAME_BYTES + depth_size + color_size;
}

static void append_frame(packet_frame wish, double time_s)
{
	uint8_t payload[8192];
	append(PACKET_FRAME, time_s, payload, make_frame(payload, wish));
}

static void save(void)
{
	scratch_write("a.enmrec", file, file_size);
}

/* Everything a program does with a file that it does not trust. */
static void use_all(void)
{
	static uint16_t depth[64 * 64];
	static uint8_t rgb[3 * 64 * 64];
	for (int mode = RECORDING_BY_INDEX; mode <= RECORDING_CHECK; mode++) {
		recording *r;
		if (recording_open(scratch_path("a.enmrec"), (recording_open_mode)mode, NULL, &r))
			continue;
		for (size_t i = 0; i < r->entry_count; i++) {
			recording_picture p;
			char name[FILE_NAME_MAX + 1];
			uint8_t *bytes;
			size_t size;
			(void)!recording_read_frame(r, i, 16, 16, depth, rgb, &p);
			if (!recording_read_file(r, i, name, &bytes, &size))
				free(bytes);
		}
		const copy_def copy = {
			.path = scratch_path("b.enmrec"), .from_s = (double)-INFINITY, .to_s = (double)INFINITY};
		copy_stats stats;
		(void)!recording_copy(r, &copy, &stats);
		recording_close(&r);
	}
	dataset d;
	if (dataset_open(scratch_path("a.enmrec"), NULL, &d))
		return;
	trajectory t;
	for (size_t i = 0; i < d.frame_count; i++) {
		dataset_reading reading;
		if (d.camera.camera.width == 16 && d.camera.camera.height == 16)
			dataset_read_frame(&d, i, depth, rgb, &reading);
	}
	if (!dataset_read_truth(&d, &t))
		trajectory_free(&t);
	dataset_close(&d);
}

static void assert_frame_refused(packet_frame wish, const char *reason)
{
	static uint16_t depth[256];
	file_size = 0;
	next_sequence = 0;
	append_begin(1);
	append_frame((packet_frame){0}, 0.0);
	append_frame(wish, 1.0);
	append_frame((packet_frame){0}, 2.0);
	save();
	recording *r = recorded_open("a.enmrec", RECORDING_CHECK);
	recording_picture p;
	assert_int_equal(r->damage_count, 0);
	assert_int_equal(recording_read_frame(r, 1, 16, 16, depth, NULL, &p), HOST_OK);
	assert_int_equal(recording_read_frame(r, 2, 16, 16, depth, NULL, &p), HOST_USAGE);
	assert_failure_ends(reason);
	assert_int_equal(recording_read_frame(r, 3, 16, 16, depth, NULL, &p), HOST_OK);
	recording_close(&r);
	use_all();
}

static void frames_that_lie(void **state)
{
	(void)state;
	static const char form[] = "is no frame as the format wants it";
	assert_frame_refused((packet_frame){.width = 17}, "is 17x16 pixels instead of 16x16");
	assert_frame_refused((packet_frame){.width = 8193}, form);
	assert_frame_refused((packet_frame){.height = UINT32_MAX}, form);
	assert_frame_refused((packet_frame){.depth_bytes = 1}, form);
	assert_frame_refused((packet_frame){.depth_bytes = UINT32_MAX - 4}, form);
	assert_frame_refused((packet_frame){.depth_bytes = UINT32_MAX, .color_bytes = 2}, form);
	assert_frame_refused((packet_frame){.color_bytes = UINT32_MAX}, form);
	assert_frame_refused((packet_frame){.depth_codec = 7}, "its depth is packed by a later program (codec 7)");
}

static void color_of_a_later_program(void **state)
{
	(void)state;
	static uint16_t depth[256];
	static uint8_t rgb[768];
	append_begin(1);
	append_frame((packet_frame){.color_codec = 9}, 0.0);
	save();
	recording *r = recorded_open("a.enmrec", RECORDING_CHECK);
	recording_picture p;
	assert_int_equal(recording_read_frame(r, 1, 16, 16, depth, rgb, &p), HOST_OK);
	assert_false(p.has_color);
	assert_string_equal(p.color_reason, "is packed by a later program (codec 9)");
	recording_close(&r);
}

static void empty_and_odd_payloads(void **state)
{
	(void)state;
	append_begin(1);
	uint8_t bytes[256] = {0};
	for (uint32_t type = 0; type < 8; type++)
		for (size_t size = 0; size < 80; size += 7)
			append(type, 0.0, bytes, size);
	save();
	use_all();
	recording *r = recorded_open("a.enmrec", RECORDING_CHECK);
	assert_int_equal(r->damage_count, 0);
	assert_int_equal(r->entry_count, 1 + 8 * 12);
	recording_close(&r);
}

/* A later program's packets are passed over by readers and kept by copies. */
static void unknown_packets_are_kept(void **state)
{
	(void)state;
	append_begin(1);
	append(77, 3.0, "pose", 4);
	append_frame((packet_frame){0}, 1.0);
	save();
	dataset d;
	assert_int_equal(dataset_open(scratch_path("a.enmrec"), NULL, &d), HOST_OK);
	assert_int_equal(d.frame_count, 1);
	dataset_close(&d);
	recording *r = recorded_open("a.enmrec", RECORDING_CHECK);
	const copy_def copy = {.path = scratch_path("b.enmrec"), .from_s = 0.0, .to_s = 2.0};
	copy_stats stats;
	assert_int_equal(recording_copy(r, &copy, &stats), HOST_OK);
	recording_close(&r);
	r = recorded_open("b.enmrec", RECORDING_BY_INDEX);
	packet_head head;
	uint8_t *payload;
	assert_int_equal(r->entries[1].type, 77);
	assert_int_equal(recording_read(r, 1, &head, &payload), HOST_OK);
	assert_memory_equal(payload, "pose", 4);
	assert_true(head.time_s == 3.0);
	free(payload);
	recording_close(&r);
}

static void later_versions_are_refused(void **state)
{
	(void)state;
	append_begin(2);
	append_frame((packet_frame){0}, 1.0);
	save();
	recording *r;
	assert_int_equal(recording_open(scratch_path("a.enmrec"), RECORDING_BY_INDEX, NULL, &r), HOST_USAGE);
	assert_failure_ends("a.enmrec: is of format version 2, later than this program's 1");
	assert_null(r);
}

static void huge_lengths(void **state)
{
	(void)state;
	static const uint64_t lengths[] = {
		1000, PACKET_PAYLOAD_MAX, PACKET_PAYLOAD_MAX + 1, UINT64_MAX, UINT64_MAX - 63, 1ull << 63};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		file_size = 0;
		next_sequence = 0;
		append_begin(1);
		append_head((packet_head){.session = SESSION,
				    .type = PACKET_FRAME,
				    .sequence = next_sequence++,
				    .payload_bytes = lengths[i]},
			NULL, 0);
		append_frame((packet_frame){0}, 1.0);
		save();
		recording *r = recorded_open("a.enmrec", RECORDING_BY_INDEX);
		assert_int_equal(r->frame_count, 1); /* the one behind it */
		assert_int_equal(r->damage_count, 1);
		assert_int_equal(r->damages[0].bytes, PACKET_HEAD_BYTES);
		assert_int_equal(recording_lost_packets(r), 1);
		recording_close(&r);
		use_all();
	}
}

/* Kilobytes that claim or hold a gigabyte. */
static void bombs(void **state)
{
	(void)state;
	static uint8_t zeros[32 << 20];
	static uint8_t payload[1 << 20];
	size_t packed = ZSTD_compress(payload + FRAME_BYTES, sizeof payload - FRAME_BYTES, zeros, sizeof zeros, 1);
	assert_false(ZSTD_isError(packed));
	append_begin(1);
	packet_frame_put(
		payload, &(packet_frame){.width = 16, .height = 16, .depth_codec = 1, .depth_bytes = (uint32_t)packed});
	append(PACKET_FRAME, 0.0, payload, FRAME_BYTES + packed);
	static const uint64_t claims[] = {0, 1, 511, 513, 1 << 20, FILE_PLAIN_MAX, FILE_PLAIN_MAX + 1, UINT64_MAX};
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		packet_file_put(payload, &(packet_file){1, 1, claims[i]});
		payload[FILE_BYTES] = 'x';
		size_t size = ZSTD_compress(payload + FILE_BYTES + 1, 1000, zeros, 512, 1);
		append(PACKET_FILE, 0.0, payload, FILE_BYTES + 1 + size);
	}
	save();
	use_all();
	recording *r = recorded_open("a.enmrec", RECORDING_CHECK);
	uint16_t depth[256];
	recording_picture p;
	assert_int_equal(recording_read_frame(r, 1, 16, 16, depth, NULL, &p), HOST_USAGE);
	for (size_t i = 2; i < r->entry_count; i++) {
		char name[FILE_NAME_MAX + 1];
		uint8_t *bytes;
		size_t size;
		assert_int_equal(recording_read_file(r, i, name, &bytes, &size), HOST_USAGE);
		assert_null(bytes);
	}
	recording_close(&r);
}

/* An index and an end with right hashes, spoiled by the caller. */
static void append_index(size_t count, const packet_entry *entries, packet_end end)
{
	uint8_t payload[4096];
	uint64_t index = file_size;
	for (size_t i = 0; i < count; i++)
		packet_entry_put(payload + i * ENTRY_BYTES, &entries[i]);
	append(PACKET_INDEX, 0.0, payload, count * ENTRY_BYTES);
	if (!end.index_offset)
		end.index_offset = index;
	packet_end_put(payload, &end);
	append(PACKET_END, 0.0, payload, END_BYTES);
}

static void indexes_that_lie(void **state)
{
	(void)state;
	append_begin(1);
	uint64_t first = file_size;
	append_frame((packet_frame){0}, 1.0);
	uint64_t second = file_size;
	append_frame((packet_frame){0}, 2.0);
	size_t plain = file_size;
	const packet_entry good[3] = {
		{0, 0, 0.0, PACKET_BEGIN, 0}, {first, 1, 1.0, PACKET_FRAME, 0}, {second, 2, 2.0, PACKET_FRAME, 0}};
	packet_entry bad[12][3];
	for (int i = 0; i < 12; i++)
		memcpy(bad[i], good, sizeof good);
	bad[1][2].offset = first;       /* twice the same */
	bad[2][2].offset = first + 10;  /* inside another */
	bad[3][2].offset = UINT64_MAX;  /* outside */
	bad[4][2].offset = plain;       /* the index itself */
	bad[5][0].offset = first;       /* begins late */
	bad[6][1].sequence = 7;         /* counts wrongly */
	bad[7][1].time_s = (double)NAN; /* no time */
	bad[8][0].type = PACKET_FRAME;  /* begins with a frame */
	bad[9][2].offset = second + 1;  /* beside it */
	bad[10][1].time_s = 5.0;        /* another time than the packet's */
	bad[11][1].flags = 1;
	for (int i = 0; i < 12; i++) {
		file_size = plain;
		next_sequence = 3;
		append_index(3, bad[i], (packet_end){.packets = 5, .frames = 2});
		save();
		recording *r = recorded_open("a.enmrec", RECORDING_BY_INDEX);
		assert_int_equal(r->by_index, i == 0 || i >= 9); /* the last three show when the packet is read */
		assert_int_equal(r->frame_count, 2);
		size_t readable = 0;
		for (size_t k = 0; k < r->entry_count; k++) {
			uint16_t depth[256];
			recording_picture p;
			readable += !recording_read_frame(r, k, 16, 16, depth, NULL, &p);
		}
		assert_int_equal(readable, i < 9 ? 2 : 1);
		recording_close(&r);
		use_all();
	}
	static const packet_end ends[] = {{.index_offset = 1, .frames = 2}, {.index_offset = UINT64_MAX, .frames = 2},
		{.index_offset = 64, .frames = 2}, {.frames = 3}, {.frames = UINT64_MAX}};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		file_size = plain;
		next_sequence = 3;
		append_index(3, good, ends[i]);
		save();
		recording *r = recorded_open("a.enmrec", RECORDING_BY_INDEX);
		assert_false(r->by_index);
		assert_int_equal(r->frame_count, 2);
		recording_close(&r);
		use_all();
	}
}

static void sequences_that_jump(void **state)
{
	(void)state;
	append_begin(1);
	append_frame((packet_frame){0}, 1.0);
	next_sequence = UINT64_MAX - 1;
	append_frame((packet_frame){0}, 2.0);
	append_frame((packet_frame){0}, 3.0); /* UINT64_MAX: the next would be 0 */
	next_sequence = 2;
	append_frame((packet_frame){0}, 4.0);
	save();
	recording *r = recorded_open("a.enmrec", RECORDING_CHECK);
	assert_true(r->frame_count >= 3 && r->damage_count >= 1);
	recording_close(&r);
	use_all();
}

/* A scan begins at the first time that is one. */
static void the_first_time_may_be_none(void **state)
{
	(void)state;
	append_begin(1);
	append_frame((packet_frame){0}, (double)NAN);
	append_frame((packet_frame){0}, 2e10);
	append_frame((packet_frame){0}, 3.0);
	append_frame((packet_frame){0}, 3.5);
	save();
	dataset d;
	assert_int_equal(dataset_open(scratch_path("a.enmrec"), NULL, &d), HOST_OK);
	assert_true(dataset_zero_s(&d, 0) == 3.0);
	assert_true(dataset_zero_s(&d, 3) == 3.5);
	dataset_close(&d);
	use_all();
}

static void times_that_are_none(void **state)
{
	(void)state;
	static const double times[] = {1.0, (double)NAN, (double)INFINITY, 1e300, 0.5, -1e300, 2.0};
	append_begin(1);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		append_frame((packet_frame){0}, times[i]);
	save();
	dataset d;
	assert_int_equal(dataset_open(scratch_path("a.enmrec"), NULL, &d), HOST_OK);
	size_t usable = 0;
	for (size_t i = 0; i < d.frame_count; i++)
		usable += !d.frames[i].fault;
	assert_int_equal(d.frame_count, 7);
	assert_int_equal(usable, 2);
	char fault[DATASET_REASON_BYTES];
	dataset_fault_text(&d.frames[1], fault);
	assert_string_equal(fault, "timestamp is NaN, infinite or beyond 4.5e9 s");
	dataset_close(&d);
	use_all();
}

/* A recording inside a recording: the inner packets are right in themselves, but not of this session. */
static void recording_within_a_recording(void **state)
{
	(void)state;
	const recorded inner = {.name = "inner.enmrec", .width = 6, .height = 6, .frames = 20};
	recorded_make(&inner);
	size_t size;
	uint8_t *bytes = recorded_bytes(inner.name, &size);
	append_begin(1);
	append(99, 0.0, bytes, size);
	size_t spoiled = file_size - 3;
	append_frame((packet_frame){0}, 1.0);
	file[spoiled] ^= 1;
	save();
	free(bytes);
	recording *r = recorded_open("a.enmrec", RECORDING_CHECK);
	assert_int_equal(r->frame_count, 1);
	assert_int_equal(r->damage_count, 1);
	assert_int_equal(r->damages[0].packets_lost, 1);
	recording_close(&r);
}

/* Heads by the ten thousand, each of which claims much or nothing of what follows: reading that, or searching on, for each
 * anew would take hours. */
static void heads_that_waste_time(void **state)
{
	(void)state;
	for (int claims_all = 0; claims_all < 2; claims_all++) {
		file_size = 0;
		next_sequence = 0;
		append_begin(1);
		while (file_size < FILE_MAX - 200)
			append_head(
				(packet_head){.session = SESSION,
					.type = PACKET_FRAME,
					.sequence = next_sequence++,
					.payload_bytes = claims_all ? FILE_MAX - 200 - file_size : 0,
					.payload_hash = 1},
				NULL, 0);
		save();
		clock_t begun = clock();
		recording *r = recorded_open("a.enmrec", RECORDING_CHECK);
		assert_int_equal(r->frame_count, 0);
		assert_true(r->damages[r->damage_count - 1].at_end);
		recording_close(&r);
		assert_true((double)(clock() - begun) / CLOCKS_PER_SEC < 20.0);
	}
}

/* Random changes with every hash put right again, so that they reach what lies behind the hashes. */
static void rehashed_changes(void **state)
{
	(void)state;
	const recorded def = {.name = "good.enmrec", .width = 16, .height = 16, .frames = 6, .color = true};
	recorded_make(&def);
	recording *whole = recorded_open(def.name, RECORDING_CHECK);
	size_t size;
	uint8_t *bytes = recorded_bytes(def.name, &size);
	const char *wish = getenv("ENAMEL_TEST_SLOW");
	uint32_t rounds = wish && *wish == '1' ? 5000 : 300, noise = 1;
	for (uint32_t round = 0; round < rounds; round++) {
		memcpy(file, bytes, size);
		for (int change = 0; change < 1 + (int)(round % 4); change++) {
			noise = 1664525u * noise + 1013904223u;
			size_t entry = (noise >> 8) % whole->entry_count;
			uint8_t *at = file + whole->entries[entry].offset;
			uint64_t length = get_u64(bytes + whole->entries[entry].offset + 40);
			noise = 1664525u * noise + 1013904223u;
			/* mostly the first bytes, where the sizes are */
			size_t where = (noise >> 8) % (noise >> 31 ? 64 : (size_t)length + 64);
			where = where < 8 ? 8 : where; /* the magic is tested elsewhere */
			at[where] = (uint8_t)(noise >> 16);
			uint64_t now = get_u64(at + 40);
			if (now <= size - whole->entries[entry].offset - 64)
				put_u64(at + 48, packet_hash(at + 64, (size_t)now));
			put_u64(at + 56, packet_hash(at, 56));
		}
		file_size = size;
		save();
		use_all();
	}
	free(bytes);
	recording_close(&whole);
}

#define HOSTILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(frames_that_lie),
		HOSTILE(color_of_a_later_program),
		HOSTILE(empty_and_odd_payloads),
		HOSTILE(unknown_packets_are_kept),
		HOSTILE(later_versions_are_refused),
		HOSTILE(huge_lengths),
		HOSTILE(bombs),
		HOSTILE(indexes_that_lie),
		HOSTILE(sequences_that_jump),
		HOSTILE(the_first_time_may_be_none), HOSTILE(times_that_are_none),
		HOSTILE(recording_within_a_recording),
		HOSTILE(heads_that_waste_time),
		HOSTILE(rehashed_changes),
	};
	return cmocka_run_group_tests_name("recording_hostile", tests, NULL, NULL);
}
