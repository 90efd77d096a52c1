/* SPDX-License-Identifier: Apache-2.0
 * Recordings: packing, layout, writing, the queue, and disks that fail while writing. */
#include "cmocka_all.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "pictures.h"
#include "recorded.h"
#include "recorder.h"
#include "scratch.h"

static const recorded plain = {.name = "a.enmrec", .width = 16, .height = 16, .frames = 7, .color = true};

static void assert_depth_survives(const uint16_t *depth, size_t pixels)
{
	pictures *p;
	uint8_t *packed = malloc(pictures_bound(pixels));
	uint16_t *back = malloc(pixels * sizeof *back);
	assert_int_equal(pictures_create(pixels, 1, &p), HOST_OK);
	size_t size = pictures_put_depth(p, depth, pixels, packed);
	assert_true(size > 0 && size <= pictures_bound(pixels));
	assert_int_equal(pictures_get_depth(packed, size, pixels, back), HOST_OK);
	assert_memory_equal(back, depth, pixels * sizeof *depth);
	assert_int_equal(
		pictures_get_depth(packed, size, pixels + 1, back = realloc(back, 2 * pixels + 2)), HOST_USAGE);
	if (pixels > 1)
		assert_int_equal(pictures_get_depth(packed, size, pixels - 1, back), HOST_USAGE);
	assert_int_equal(pictures_get_depth(packed, size - 1, pixels, back), HOST_USAGE);
	pictures_destroy(&p);
	free(packed);
	free(back);
}

/* Every reading after every kind of reading: the code wraps for one difference, which must not pass for a hole. */
static void depth_survives_packing(void **state)
{
	(void)state;
	static uint16_t depth[3 * 65536];
	static const uint16_t before[] = {0, 1, 2, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff, 14000};
	for (size_t b = 0; b < sizeof before / sizeof *before; b++) {
		for (size_t i = 0; i < 65536; i++) {
			depth[3 * i] = before[b];
			depth[3 * i + 1] = (uint16_t)i;
			depth[3 * i + 2] = i % 3 ? 0 : before[b];
		}
		assert_depth_survives(depth, 3 * 65536);
	}
	memset(depth, 0, sizeof depth);
	assert_depth_survives(depth, 1);
	assert_depth_survives(depth, 77);
	depth[0] = 0x8000; /* the wrapped code at the very beginning */
	assert_depth_survives(depth, 1);
	assert_depth_survives(depth, 3);
}

static void color_survives_packing(void **state)
{
	(void)state;
	static uint8_t rgb[3 * 4099], packed[20000], back[3 * 4099 + 3];
	uint32_t noise = 7;
	pictures *p;
	assert_int_equal(pictures_create(4099, 1, &p), HOST_OK);
	for (size_t i = 0; i < sizeof rgb; i++) {
		noise = 1664525u * noise + 1013904223u;
		rgb[i] = (uint8_t)(noise >> 24);
	}
	assert_true(pictures_bound(4099) <= sizeof packed);
	size_t size = pictures_put_rgb(p, rgb, 4099, packed);
	assert_int_equal(pictures_get_rgb(packed, size, 4099, back), HOST_OK);
	assert_memory_equal(back, rgb, sizeof rgb);
	assert_int_equal(pictures_get_rgb(packed, size, 4098, back), HOST_USAGE);
	assert_int_equal(pictures_get_rgb(packed, size, 4100, back), HOST_USAGE);
	assert_int_equal(pictures_get_rgb(packed, 0, 4099, back), HOST_USAGE);
	pictures_destroy(&p);
}

static uint64_t number(const uint8_t *at, int bytes)
{
	uint64_t value = 0;
	for (int i = bytes; i-- > 0;)
		value = value << 8 | at[i];
	return value;
}

/* Goes through the file by what FORMAT.md says, without the product's own reader. */
static void layout_is_as_documented(void **state)
{
	(void)state;
	static const uint64_t types[] = {1, 3, 2, 2, 2, 2, 2, 2, 2, 1, 4, 5};
	recorded_make(&plain);
	size_t size, at = 0, count = 0, offsets[16];
	uint8_t *bytes = recorded_bytes(plain.name, &size);
	for (; at < size; count++) {
		const uint8_t *head = bytes + at;
		assert_true(count < sizeof types / sizeof *types && size - at >= 64);
		assert_memory_equal(head, "\211ENMREC\n", 8);
		assert_int_equal(number(head + 8, 8), number(bytes + 8, 8));
		assert_int_equal(number(head + 16, 4), types[count]);
		assert_int_equal(number(head + 20, 4), types[count] == 2 && (count - 2) % 3 != 2);
		assert_int_equal(number(head + 24, 8), count);
		assert_int_equal(number(head + 48, 8), XXH3_64bits(head + 64, number(head + 40, 8)));
		assert_int_equal(number(head + 56, 8), XXH3_64bits(head, 56));
		offsets[count] = at;
		at += 64 + number(head + 40, 8);
	}
	assert_int_equal(at, size);
	assert_int_equal(count, 12);
	assert_true(number(bytes + 8, 8) != 0);
	const uint8_t *begin = bytes + 64, *second = bytes + offsets[9] + 64;
	assert_int_equal(number(begin, 4), 1);
	assert_memory_equal(begin + 16, "{\"width\": 16", 12);
	assert_memory_equal(begin, second, number(bytes + 40, 8));
	const uint8_t *file = bytes + offsets[1] + 64;
	assert_int_equal(number(file, 4), 15);
	assert_int_equal(number(file + 4, 4), 1);
	assert_int_equal(number(file + 8, 8), strlen(RECORDED_TRUTH));
	assert_memory_equal(file + 16, "groundtruth.txt", 15);
	const uint8_t *frame = bytes + offsets[3] + 64;
	double time_s;
	memcpy(&time_s, bytes + offsets[3] + 32, 8);
	assert_true(time_s == 0.25);
	assert_int_equal(number(frame, 4), 16);
	assert_int_equal(number(frame + 4, 4), 16);
	assert_int_equal(number(frame + 8, 8), 2);
	assert_int_equal(48 + number(frame + 28, 4) + number(frame + 36, 4), number(bytes + offsets[3] + 40, 8));
	const uint8_t *index = bytes + offsets[10] + 64, *end = bytes + offsets[11] + 64;
	assert_int_equal(number(bytes + offsets[10] + 40, 8), 10 * 32);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(number(index + 32 * i, 8), offsets[i]);
		assert_int_equal(number(index + 32 * i + 8, 8), i);
		assert_memory_equal(index + 32 * i + 16, bytes + offsets[i] + 32, 8);
		assert_int_equal(number(index + 32 * i + 24, 4), types[i]);
	}
	assert_int_equal(number(end, 8), offsets[10]);
	assert_int_equal(number(end + 8, 8), 12);
	assert_int_equal(number(end + 16, 8), 7);
	free(bytes);
}

static void reads_what_was_written(void **state)
{
	(void)state;
	recorded_make(&plain);
	for (int mode = RECORDING_BY_INDEX; mode <= RECORDING_CHECK; mode++) {
		recording *r = recorded_open(plain.name, (recording_open_mode)mode);
		assert_int_equal(r->by_index, mode == RECORDING_BY_INDEX);
		assert_true(r->closed);
		assert_int_equal(r->damage_count, 0);
		assert_int_equal(assert_recorded_frames(&plain, r), plain.frames);
		assert_non_null(strstr(r->camera, "\"bow_um\": 5"));
		assert_string_equal(r->settings, "{\"source\": \"test\"}");
		assert_string_equal(r->program, "test 1");
		uint8_t *bytes;
		size_t size;
		assert_int_equal(recording_find_file(r, "groundtruth.txt", &bytes, &size), HOST_OK);
		assert_string_equal((char *)bytes, RECORDED_TRUTH);
		assert_int_equal(size, strlen(RECORDED_TRUTH));
		free(bytes);
		assert_int_equal(recording_find_file(r, "truth.ply", &bytes, &size), HOST_USAGE);
		assert_failure_ends("a.enmrec: carries no truth.ply");
		recording_close(&r);
		recording_close(&r);
	}
}

static void header_comes_again(void **state)
{
	(void)state;
	recorded def = plain;
	def.frames = 600;
	def.width = def.height = 2;
	recorded_make(&def);
	recording *r = recorded_open(def.name, RECORDING_BY_INDEX);
	size_t headers = 0;
	for (size_t i = 0; i < r->entry_count; i++)
		headers += r->entries[i].type == PACKET_BEGIN;
	assert_int_equal(headers, 4); /* packets 0, 256, 512 and the last one */
	assert_int_equal(assert_recorded_frames(&def, r), 600);
	recording_close(&r);
}

static void refuses_bad_frames_and_files(void **state)
{
	(void)state;
	uint16_t depth[256] = {1};
	uint8_t rgb[768] = {1};
	writer_def def = recorded_begin(&plain);
	writer *w;
	assert_int_equal(writer_create(&def, &w), HOST_OK);
	const recording_frame good = recorded_frame(&plain, 3, depth, rgb);
	recording_frame bad = good;
	bad.width = 17;
	assert_int_equal(writer_frame(w, &bad), HOST_USAGE);
	assert_failure_ends("a.enmrec: frame 6: is larger than the recording's pictures");
	bad = good;
	bad.height = 0;
	assert_int_equal(writer_frame(w, &bad), HOST_USAGE);
	assert_failure_ends("frame 6: has no depth");
	bad = good;
	bad.depth = NULL;
	assert_int_equal(writer_frame(w, &bad), HOST_USAGE);
	bad = good;
	bad.time_s = (double)NAN;
	assert_int_equal(writer_frame(w, &bad), HOST_USAGE);
	assert_failure_ends("frame 6: has a time that is no number");
	bad = good;
	bad.color_time_s = (double)INFINITY;
	assert_int_equal(writer_frame(w, &bad), HOST_USAGE);
	static const char *const names[] = {"", "..", ".x", "a/b", "/etc/passwd", "line\nbreak"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(writer_file(w, names[i], rgb, 3), HOST_USAGE);
	char name[300];
	memset(name, 'x', sizeof name);
	name[299] = 0;
	assert_int_equal(writer_file(w, name, rgb, 3), HOST_USAGE);
	name[255] = 0;
	assert_int_equal(writer_file(w, name, rgb, 0), HOST_OK);
	assert_int_equal(writer_frame(w, &good), HOST_OK);
	assert_int_equal(writer_close(&w, 5, NULL), HOST_OK);
	close(def.descriptor);
	recording *r = recorded_open(plain.name, RECORDING_BY_INDEX);
	assert_int_equal(r->frame_count, 1); /* nothing of the bad ones */
	assert_int_equal(r->end.refused, 5);
	recording_close(&r);
}

/* A disk whose calls fail as the test wishes. */
static struct {
	size_t writes, cuts;
	size_t fail_write_from; /* this call and those after it; SIZE_MAX: none */
	size_t take_bytes;      /* of the first failing call, before the failure */
	int reason;
	size_t fail_sync; /* this call */
	size_t piece;     /* at most so many bytes a call; 0: all */
	bool interrupt;   /* every other call fails with EINTR */
	bool blocked;     /* writing waits */
} disk;
static atomic_size_t disk_syncs;
static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t disk_changed = PTHREAD_COND_INITIALIZER;

static ssize_t disk_write(int descriptor, const void *bytes, size_t size, off_t offset)
{
	pthread_mutex_lock(&disk_lock);
	while (disk.blocked)
		pthread_cond_wait(&disk_changed, &disk_lock);
	pthread_mutex_unlock(&disk_lock);
	size_t call = disk.writes++;
	if (disk.interrupt && call % 2) {
		errno = EINTR;
		return -1;
	}
	if (call == disk.fail_write_from && disk.take_bytes)
		return pwrite(descriptor, bytes, disk.take_bytes < size ? disk.take_bytes : size, offset);
	if (call >= disk.fail_write_from) {
		errno = disk.reason;
		return disk.reason ? -1 : 0;
	}
	return pwrite(descriptor, bytes, disk.piece && disk.piece < size ? disk.piece : size, offset);
}

static int disk_sync(int descriptor)
{
	size_t call = atomic_fetch_add(&disk_syncs, 1);
	if ((disk.interrupt && call % 2) || call == disk.fail_sync) {
		errno = call == disk.fail_sync ? EIO : EINTR;
		return -1;
	}
	return fdatasync(descriptor);
}

static int disk_cut(int descriptor, off_t size)
{
	disk.cuts++;
	return ftruncate(descriptor, size);
}

static const recording_system failing = {disk_write, pread, disk_sync, disk_cut};

static void reset_disk(void)
{
	memset(&disk, 0, sizeof disk);
	atomic_store(&disk_syncs, 0);
	disk.fail_write_from = disk.fail_sync = SIZE_MAX;
	disk.reason = ENOSPC;
}

static void short_and_interrupted_writes_are_none(void **state)
{
	(void)state;
	recorded def = plain;
	recorded_make(&def);
	reset_disk();
	disk.piece = 37;
	disk.interrupt = true;
	def.name = "b.enmrec";
	def.system = &failing;
	recorded_make(&def);
	recording *r = recorded_open(def.name, RECORDING_CHECK);
	assert_int_equal(r->damage_count, 0);
	assert_true(r->closed && disk.cuts == 0 && atomic_load(&disk_syncs) > 10);
	assert_int_equal(assert_recorded_frames(&def, r), def.frames);
	recording_close(&r);
	assert_int_equal(scratch_size("a.enmrec"), scratch_size("b.enmrec"));
}

/* Writes until a call fails; returns the frames that were accepted. */
static size_t write_until_failure(writer *w, size_t frames)
{
	uint16_t depth[RECORDED_PIXELS_MAX];
	uint8_t rgb[3 * RECORDED_PIXELS_MAX];
	for (size_t i = 0; i < frames; i++) {
		recorded_picture(&plain, i, depth, rgb);
		const recording_frame frame = recorded_frame(&plain, i, depth, rgb);
		if (writer_frame(w, &frame)) {
			assert_int_equal(writer_frame(w, &frame), HOST_IO); /* and again */
			return i;
		}
	}
	return frames;
}

static void disk_errors_keep_what_was_written(void **state)
{
	(void)state;
	static const struct {
		size_t at, take;
		int reason;
		const char *text;
	} cases[] = {
		{1, 0, ENOSPC, "cannot write after 0 frames: No space left on device"},
		{4, 0, ENOSPC, "cannot write after 3 frames: No space left on device"},
		{4, 1, ENOSPC, "cannot write after 3 frames: No space left on device"},
		{4, 100, ENOSPC, "cannot write after 3 frames: No space left on device"},
		{6, 63, EIO, "cannot write after 5 frames: Input/output error"},
		{6, 64, 0, "cannot write after 5 frames: nothing more is taken"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		reset_disk();
		disk.fail_write_from = cases[i].at;
		disk.take_bytes = cases[i].take;
		disk.reason = cases[i].reason;
		recorded def = plain;
		def.system = &failing;
		writer_def wanted = recorded_begin(&def);
		writer *w;
		assert_int_equal(writer_create(&wanted, &w), HOST_OK);
		size_t written = write_until_failure(w, 10);
		assert_int_equal(written, cases[i].at - 1);
		assert_failure_ends(cases[i].text);
		assert_int_equal(writer_close(&w, 0, NULL), HOST_IO);
		assert_failure_ends(cases[i].text);
		close(wanted.descriptor);
		assert_true(disk.cuts > 0);
		recording *r = recorded_open(def.name, RECORDING_BY_INDEX);
		assert_int_equal(r->damage_count, 0); /* cut back to the last whole packet */
		assert_false(r->closed);
		assert_int_equal(assert_recorded_frames(&def, r), written);
		recording_close(&r);
	}
}

static void index_is_written_when_room_comes_back(void **state)
{
	(void)state;
	reset_disk();
	disk.fail_write_from = 4;
	recorded def = plain;
	def.system = &failing;
	writer_def wanted = recorded_begin(&def);
	writer *w;
	assert_int_equal(writer_create(&wanted, &w), HOST_OK);
	assert_int_equal(write_until_failure(w, 10), 3);
	disk.fail_write_from = SIZE_MAX;
	assert_int_equal(writer_close(&w, 0, NULL), HOST_IO); /* not all was recorded */
	close(wanted.descriptor);
	recording *r = recorded_open(def.name, RECORDING_BY_INDEX);
	assert_true(r->by_index);
	assert_int_equal(assert_recorded_frames(&def, r), 3);
	recording_close(&r);
}

static void disk_that_fails_at_once(void **state)
{
	(void)state;
	reset_disk();
	disk.fail_write_from = 0;
	recorded def = plain;
	def.system = &failing;
	writer_def wanted = recorded_begin(&def);
	writer *w;
	assert_int_equal(writer_create(&wanted, &w), HOST_IO);
	assert_failure_ends("cannot write after 0 frames: No space left on device");
	assert_null(w);
	close(wanted.descriptor);
	assert_int_equal(scratch_size(def.name), 0);
}

static void failed_sync_is_told(void **state)
{
	(void)state;
	reset_disk();
	disk.fail_sync = 3;
	recorded def = plain;
	def.system = &failing;
	writer_def wanted = recorded_begin(&def);
	writer *w;
	assert_int_equal(writer_create(&wanted, &w), HOST_OK);
	assert_int_equal(write_until_failure(w, 10), 2);
	assert_failure_ends("cannot sync after 3 frames: Input/output error");
	assert_int_equal(writer_close(&w, 0, NULL), HOST_IO);
	close(wanted.descriptor);
	recording *r = recorded_open(def.name, RECORDING_CHECK);
	assert_int_equal(assert_recorded_frames(&def, r), 3);
	recording_close(&r);
}

static void syncs_as_often_as_told(void **state)
{
	(void)state;
	static const struct {
		double sync_s;
		size_t least, most;
	} cases[] = {{0.0, 10, 10}, {-1.0, 1, 1}, {1000.0, 1, 1}};
	for (size_t i = 0; i < 3; i++) {
		reset_disk();
		recorded def = plain;
		def.system = &failing;
		def.sync_s = cases[i].sync_s;
		recorded_make(&def);
		assert_in_range(atomic_load(&disk_syncs), cases[i].least, cases[i].most);
	}
}

static recorder *make_syncing_recorder(uint32_t queue_frames, double sync_s, int *out_descriptor)
{
	recorded def = plain;
	def.system = &failing;
	def.sync_s = sync_s;
	writer_def wanted = recorded_begin(&def);
	recorder_def queue = {.width = 16, .height = 16, .color = true, .queue_frames = queue_frames};
	recorder *r;
	assert_int_equal(writer_create(&wanted, &queue.writer), HOST_OK);
	assert_int_equal(recorder_create(&queue, &r), HOST_OK);
	*out_descriptor = wanted.descriptor;
	return r;
}

static recorder *make_recorder(uint32_t queue_frames, int *out_descriptor)
{
	return make_syncing_recorder(queue_frames, -1.0, out_descriptor);
}

static void set_blocked(bool blocked)
{
	pthread_mutex_lock(&disk_lock);
	disk.blocked = blocked;
	pthread_cond_broadcast(&disk_changed);
	pthread_mutex_unlock(&disk_lock);
}

static recorder_answer push(recorder *r, size_t i, double wait_s)
{
	uint16_t depth[RECORDED_PIXELS_MAX];
	uint8_t rgb[3 * RECORDED_PIXELS_MAX];
	recorded_picture(&plain, i, depth, rgb);
	const recording_frame frame = recorded_frame(&plain, i, depth, rgb);
	return recorder_push(r, &frame, wait_s);
}

static void full_queue_is_counted(void **state)
{
	(void)state;
	reset_disk();
	int descriptor;
	recorder *r = make_recorder(3, &descriptor);
	set_blocked(true);
	size_t taken = 0;
	for (size_t i = 0; i < 10; i++) {
		recorder_answer answer = push(r, i, i == 9 ? 0.02 : 0.0);
		assert_true(answer == RECORDER_TAKEN || answer == RECORDER_FULL);
		taken += answer == RECORDER_TAKEN;
		assert_true(answer == (i < 3 ? RECORDER_TAKEN : RECORDER_FULL));
	}
	set_blocked(false);
	assert_int_equal(push(r, 10, 60.0), RECORDER_TAKEN);
	recorder_stats stats;
	assert_int_equal(recorder_close(&r, &stats), HOST_OK);
	close(descriptor);
	assert_int_equal(stats.taken, 4);
	assert_int_equal(stats.refused, 7);
	assert_int_equal(stats.queue_max, 3);
	assert_int_equal(stats.written.frames, 4);
	recording *file = recorded_open(plain.name, RECORDING_BY_INDEX);
	assert_int_equal(file->end.refused, 7);
	assert_int_equal(assert_recorded_frames(&plain, file), 4);
	assert_int_equal(recorded_frame_of(file, 4), 10);
	recording_close(&file);
}

static void many_frames_pass_the_queue(void **state)
{
	(void)state;
	reset_disk();
	int descriptor;
	recorder *r = make_recorder(2, &descriptor);
	for (size_t i = 0; i < 500; i++)
		assert_int_equal(push(r, i, 60.0), RECORDER_TAKEN);
	recorder_stats stats;
	assert_int_equal(recorder_close(&r, &stats), HOST_OK);
	close(descriptor);
	assert_int_equal(stats.refused, 0);
	assert_in_range(stats.queue_max, 1, 2);
	recording *file = recorded_open(plain.name, RECORDING_CHECK);
	assert_int_equal(assert_recorded_frames(&plain, file), 500);
	recording_close(&file);
}

/* The last frame before a pause gets to the disk without another one behind it, and then there is nothing to wait for.
 */
static void pauses_reach_the_disk(void **state)
{
	(void)state;
	reset_disk();
	int descriptor;
	recorder *r = make_syncing_recorder(2, 0.2, &descriptor);
	const struct timespec tick = {0, 10000000};
	for (int i = 0; i < 3000 && !atomic_load(&disk_syncs); i++)
		nanosleep(&tick, NULL);
	size_t before = atomic_load(&disk_syncs); /* the header's */
	assert_int_equal(push(r, 0, 60.0), RECORDER_TAKEN);
	for (int i = 0; i < 3000 && atomic_load(&disk_syncs) == before; i++)
		nanosleep(&tick, NULL);
	assert_int_equal(atomic_load(&disk_syncs), before + 1);
	for (int i = 0; i < 50; i++)
		nanosleep(&tick, NULL);
	assert_int_equal(atomic_load(&disk_syncs), before + 1);
	assert_int_equal(recorder_close(&r, NULL), HOST_OK);
	close(descriptor);
}

static void failing_disk_reaches_the_pusher(void **state)
{
	(void)state;
	reset_disk();
	disk.fail_write_from = 5;
	int descriptor;
	recorder *r = make_recorder(2, &descriptor);
	recorder_answer answer = RECORDER_TAKEN;
	for (size_t i = 0; i < 20 && answer == RECORDER_TAKEN; i++)
		answer = push(r, i, 60.0);
	assert_int_equal(answer, RECORDER_FAILED);
	assert_failure_ends("cannot write after 4 frames: No space left on device");
	assert_int_equal(push(r, 21, 0.0), RECORDER_FAILED);
	assert_int_equal(recorder_written(r), 4);
	recorder_stats stats;
	assert_int_equal(recorder_close(&r, &stats), HOST_IO);
	assert_failure_ends("cannot write after 4 frames: No space left on device");
	close(descriptor);
	assert_int_equal(stats.written.frames, 4);
	recording *file = recorded_open(plain.name, RECORDING_CHECK);
	assert_int_equal(assert_recorded_frames(&plain, file), 4);
	recording_close(&file);
}

static void refuses_bad_queues(void **state)
{
	(void)state;
	reset_disk();
	recorder *r;
	recorder_def queue = {.width = 16, .height = 16, .queue_frames = 0};
	assert_int_equal(recorder_create(&queue, &r), HOST_USAGE);
	queue.queue_frames = 4097;
	assert_int_equal(recorder_create(&queue, &r), HOST_USAGE);
	assert_failure_ends("queue: 4097 frames are not within 1 to 4096");
	queue = (recorder_def){.width = 0, .height = 16, .queue_frames = 2};
	assert_int_equal(recorder_create(&queue, &r), HOST_USAGE);
	int descriptor;
	r = make_recorder(2, &descriptor);
	uint16_t depth[256] = {1};
	recording_frame bad = recorded_frame(&plain, 2, depth, NULL);
	bad.width = 8;
	assert_int_equal(recorder_push(r, &bad, 0.0), RECORDER_FAILED);
	assert_failure_ends("frame 4: is 8x16 instead of 16x16");
	bad.width = 16;
	bad.time_s = (double)NAN;
	assert_int_equal(recorder_push(r, &bad, 0.0), RECORDER_FAILED);
	assert_failure_ends("frame 4: its time is no number");
	assert_int_equal(push(r, 0, 0.0), RECORDER_TAKEN); /* the queue lives on */
	assert_int_equal(recorder_close(&r, NULL), HOST_OK);
	close(descriptor);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depth_survives_packing),
		cmocka_unit_test(color_survives_packing),
		WITH_FOLDER(layout_is_as_documented),
		WITH_FOLDER(reads_what_was_written),
		WITH_FOLDER(header_comes_again),
		WITH_FOLDER(refuses_bad_frames_and_files),
		WITH_FOLDER(short_and_interrupted_writes_are_none),
		WITH_FOLDER(disk_errors_keep_what_was_written),
		WITH_FOLDER(index_is_written_when_room_comes_back),
		WITH_FOLDER(disk_that_fails_at_once),
		WITH_FOLDER(failed_sync_is_told),
		WITH_FOLDER(syncs_as_often_as_told),
		WITH_FOLDER(full_queue_is_counted),
		WITH_FOLDER(many_frames_pass_the_queue),
		WITH_FOLDER(pauses_reach_the_disk),
		WITH_FOLDER(failing_disk_reaches_the_pusher),
		WITH_FOLDER(refuses_bad_queues),
	};
	return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
