/* SPDX-License-Identifier: Apache-2.0
 * Drivers that say anything, mutated and random, while a good one feeds and while none does: frames of the good one
 * come to the bit and in order, numbers and times grow whoever delivers, and neither descriptors nor memory grow.
 * fuzz_socket [SECONDS [SEED]], 3 and 1. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"
#include "socket_rig.h"

#define TEXT_MAX 1024
#define CROWD 24
#define ACTS_A_FRAME 8
#define FRAMES_A_CYCLE 30
#define CYCLES_TO_SETTLE 5 /* until memory counts */
#define MEMORY_GROWTH_MAX (8L << 20)
#define FRAME_S 30.0 /* within which a good frame must come, on a loaded machine */

typedef struct fuzz {
	source s;
	enm_driver *good;
	uint64_t number;      /* of the good one's next frame */
	uint64_t last_number; /* as given out */
	double last_time_s;
	int crowd[CROWD];
	rig_raw raw; /* one that is welcomed for certain, while there is one */
	uint32_t turns[4];
	uint64_t cycles, messages, frames, hostile_frames, scans;
	double late_max_s, work_max_s; /* of a good frame: wall time, and this thread's */
	long memory;                   /* bytes after the first cycles */
} fuzz;

static double wanted_s = 3.0;
static uint64_t seed = 1;
static uint64_t state_of_random;

/* splitmix64 (Steele, Lea and Flood 2014) */
static uint64_t bits(void)
{
	uint64_t z = (state_of_random += 0x9E3779B97F4A7C15u);
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static size_t below(size_t n)
{
	return (size_t)(bits() % n);
}

static bool one_in(size_t n)
{
	return !below(n);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static uint64_t odd_number(void)
{
	static const uint64_t odd[] = {0, 1, 2, 7, 8, 15, 16, 31, 32, 47, 48, 49, 255, 4095, 4096, 4097, 65535, 65536,
		0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(1) << 53, INT64_MAX, UINT64_MAX};
	return one_in(4) ? bits() : odd[below(sizeof odd / sizeof *odd)];
}

static double odd_time(void)
{
	static const double odd[] = {0.0, -0.0, 1e-310, 1e10, -1e10, 1.0000001e10, 1e300, -1e300};
	if (one_in(8))
		return one_in(2) ? (double)NAN : (double)INFINITY;
	return one_in(2) ? odd[below(sizeof odd / sizeof *odd)] : (double)below(1000000) * 1e-3;
}

/* Camera texts from which here and there something was taken, doubled or replaced. */
static void mutate_text(char text[TEXT_MAX])
{
	static const char *const pieces[] = {"[", "]", "{", "}", ",", ":", "\"", "\\u0000", "1e999", "-", "null",
		"\xff", "\n", "\"width\": 48,", "[[[[[[[[", "0.0000000000000000000000001"};
	char copy[TEXT_MAX];
	for (size_t i = below(4); i > 0; i--) {
		const char *piece = pieces[below(sizeof pieces / sizeof *pieces)];
		const size_t length = strlen(text), at = below(length + 1),
			     gone = one_in(2) ? below(length - at + 1) : 0;
		snprintf(copy, sizeof copy, "%.*s%s%s", (int)at, text, one_in(4) ? "" : piece, text + at + gone);
		memcpy(text, copy, sizeof copy);
	}
}

static rig_message *hello(void)
{
	char text[TEXT_MAX];
	snprintf(text, sizeof text, "%s", rig_camera);
	if (one_in(2))
		mutate_text(text);
	rig_message *m = rig_hello(text);
	if (one_in(3))
		rig_put_u32(m, 40, (uint32_t)odd_number());
	if (one_in(6))
		rig_put_f64(m, 32, odd_time());
	return m;
}

static rig_message *frame(const fuzz *f)
{
	const uint32_t slot = one_in(12) ? (uint32_t)odd_number() : (uint32_t)below(4);
	rig_message *m = rig_frame_message(slot, one_in(3) ? (uint32_t)below(8) : 0,
		one_in(3) ? odd_number() : f->last_number + below(4), one_in(3) ? odd_time() : f->last_time_s + 0.01);
	if (one_in(3))
		rig_put_u32(m, 16, (uint32_t)below(3));
	if (one_in(3))
		rig_put_f64(m, 40, one_in(2) ? odd_time() : clock_s());
	return m;
}

static void spoil(rig_message *m)
{
	for (size_t i = 1 + below(4); i > 0 && m->size; i--) {
		switch (below(4)) {
		case 0:
			m->bytes[below(m->size)] ^= (uint8_t)(1u << below(8));
			break;
		case 1:
			rig_put_u32(m, below(16) * 4, (uint32_t)odd_number());
			break;
		case 2:
			m->size = below(m->size + 1);
			break;
		default:
			m->size = one_in(50) ? below(RIG_MESSAGE_MAX) : m->size + below(64);
		}
	}
	if (one_in(2) && m->size >= 8) /* so that what is inside is looked at */
		rig_put_u32(m, 4, (uint32_t)m->size);
}

static rig_message *any_message(const fuzz *f)
{
	rig_message *m;
	switch (below(8)) {
	case 0:
		m = rig_head(3, 8);
		break;
	case 1:
		m = rig_head(one_in(20) ? 4 : (uint32_t)odd_number(), 8 + below(64));
		break;
	case 2:
	case 3:
		m = hello();
		break;
	default:
		m = frame(f);
	}
	if (one_in(2))
		spoil(m);
	return m;
}

/* Of one that knows its slots: mostly in order, so that it gets far. */
static rig_message *well_formed(fuzz *f)
{
	if (one_in(40))
		return any_message(f);
	if (one_in(300))
		return rig_head(4, 8);
	if (one_in(8))
		return rig_head(3, 8);
	const uint32_t slot = (uint32_t)below(4);
	return rig_frame_message(slot, f->turns[slot]++, one_in(10) ? odd_number() : f->last_number + 1 + below(100),
		one_in(10) ? odd_time() : f->last_time_s + 0.01 * (double)(1 + below(100)));
}

/* ---- the crowd -------------------------------------------------------------------------------------------------- */

static void say_something(fuzz *f, int descriptor)
{
	const rig_message *m = any_message(f);
	f->messages++;
	if (one_in(10)) {
		const int passed[3] = {descriptor, STDERR_FILENO, f->crowd[0] >= 0 ? f->crowd[0] : descriptor};
		(void)rig_send_with_descriptors(descriptor, m, passed, 1 + (int)below(3));
	} else {
		(void)rig_send(descriptor, m);
	}
}

static void listen_to_host(int descriptor)
{
	rig_answer answer;
	do {
		answer = rig_receive(descriptor);
		if (answer.ring >= 0)
			close(answer.ring);
	} while (answer.type && answer.type != UINT32_MAX && !one_in(4));
}

/* One act of one of the crowd. */
static void act(fuzz *f)
{
	int *c = &f->crowd[below(CROWD)];
	if (*c < 0) {
		*c = rig_try_connect(rig_path());
		if (*c >= 0 && one_in(2))
			say_something(f, *c);
		return;
	}
	switch (below(8)) {
	case 0:
		close(*c);
		*c = -1;
		break;
	case 1:
		(void)shutdown(*c, (int)below(3));
		break;
	case 2:
		listen_to_host(*c);
		break;
	case 3: /* a flood */
		for (size_t i = below(300); i > 0; i--)
			say_something(f, *c);
		break;
	default:
		say_something(f, *c);
	}
}

static void send_crowd_home(fuzz *f)
{
	for (int i = 0; i < CROWD; i++) {
		if (f->crowd[i] >= 0)
			close(f->crowd[i]);
		f->crowd[i] = -1;
	}
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

static void begin_scan(fuzz *f)
{
	rig_open(rig_path(), &f->s, &f->good);
	f->number = f->last_number = 0;
	f->last_time_s = -1.0;
	f->scans++;
}

static source_state take(fuzz *f, double timeout_s, rig_frame *out)
{
	char line[SOURCE_REASON_BYTES];
	rig_frame_clear(out);
	const source_state state = f->s.ops->next(f->s.state, timeout_s, &out->frame);
	while (f->s.ops->notice(f->s.state, line))
		assert_true(strlen(line) > 0);
	if (state == SOURCE_FRAME) {
		assert_true(out->frame.number > f->last_number || f->last_time_s < 0.0);
		assert_true(out->frame.time_s > f->last_time_s);
		f->last_number = out->frame.number;
		f->last_time_s = out->frame.time_s;
	}
	return state;
}

static double work_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A good driver feeds; whatever the crowd does meanwhile, each of its frames is the next to come. */
static void feed_in_the_crowd(fuzz *f)
{
	rig_frame out;
	for (int i = 0; i < FRAMES_A_CYCLE; i++) {
		for (size_t k = below(ACTS_A_FRAME); k > 0; k--)
			act(f);
		f->number += 1 + below(3);
		assert_int_equal(rig_submit(f->good, f->number, 0.01 * (double)f->number), ENM_DRIVER_OK);
		if (one_in(2))
			act(f);
		const double begun_s = clock_s(), begun_work_s = work_s();
		assert_int_equal(take(f, FRAME_S, &out), SOURCE_FRAME);
		f->late_max_s = fmax(f->late_max_s, clock_s() - begun_s);
		f->work_max_s = fmax(f->work_max_s, work_s() - begun_work_s);
		assert_true(out.frame.has_color && rig_is_painted(f->number, out.depth, out.rgb));
		f->frames++;
		if (one_in(3))
			assert_int_equal(take(f, 0.0, &out), SOURCE_WAIT);
	}
}

/* Reads what the crowd has left; true when that ends the scan. */
static bool clean_up(fuzz *f)
{
	rig_frame out;
	source_state state = SOURCE_WAIT;
	if (f->raw.ring)
		rig_raw_close(&f->raw);
	memset(&f->raw, 0, sizeof f->raw);
	send_crowd_home(f);
	for (int quiet = 0; quiet < 20 && state != SOURCE_END;) {
		state = take(f, 0.0, &out);
		f->hostile_frames += state == SOURCE_FRAME;
		quiet = state == SOURCE_WAIT ? quiet + 1 : 0;
	}
	return state == SOURCE_END;
}

/* The place is free, and one of the crowd takes it if it can. True when it ended the scan. */
static bool let_the_crowd_feed(fuzz *f)
{
	rig_frame out;
	if (one_in(2)) { /* one that is welcomed for certain */
		if (clean_up(f))
			return true;
		rig_raw_open(&f->s, &f->raw);
		memset(f->turns, 0, sizeof f->turns);
	}
	for (size_t i = below(200); i > 0; i--) {
		if (f->raw.ring && !one_in(3)) {
			f->messages++;
			(void)rig_send(f->raw.descriptor, well_formed(f));
			if (one_in(2))
				listen_to_host(f->raw.descriptor);
		} else {
			act(f);
		}
		if (f->raw.ring && one_in(4))
			memset(f->raw.ring, (int)below(256), f->raw.ring_bytes);
		if (one_in(3))
			continue;
		const source_state state = take(f, 0.0, &out);
		f->hostile_frames += state == SOURCE_FRAME;
		if (state == SOURCE_END)
			return true;
		assert_true(state == SOURCE_FRAME || state == SOURCE_WAIT);
	}
	return false;
}

static void come_back(fuzz *f)
{
	char why[ENM_DRIVER_TEXT_BYTES];
	const enm_driver_def def = rig_def(rig_path());
	if (rig_reopen(&f->s, &def, &f->good, why) != ENM_DRIVER_OK)
		fail_msg("the good driver cannot come back: %s", why);
}

static long measure_memory(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static void check_memory(fuzz *f)
{
	const long memory = measure_memory();
	if (f->cycles == CYCLES_TO_SETTLE)
		f->memory = memory;
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory, and looks for leaks itself */
	if (f->cycles > CYCLES_TO_SETTLE && memory - f->memory > MEMORY_GROWTH_MAX)
		fail_msg("%ld bytes of memory after %llu cycles, %ld after %d", memory, (unsigned long long)f->cycles,
			f->memory, CYCLES_TO_SETTLE);
#endif
}

static void cycle(fuzz *f, int descriptors)
{
	feed_in_the_crowd(f);
	enm_driver_close(&f->good, 0);
	const bool ended = let_the_crowd_feed(f);
	if (clean_up(f) || ended) {
		rig_close(&f->s);
		begin_scan(f);
	} else {
		assert_int_equal(
			rig_descriptors(), descriptors - 3); /* all but the good driver's: two connections and a ring */
		come_back(f);
		f->number = 0;
	}
	assert_int_equal(rig_descriptors(), descriptors);
	f->cycles++;
	check_memory(f);
}

static void goes_on_whatever_they_say(void **state)
{
	(void)state;
	static fuzz f;
	state_of_random = seed;
	for (int i = 0; i < CROWD; i++)
		f.crowd[i] = -1;
	begin_scan(&f);
	const int descriptors = rig_descriptors();
	const double begun_s = clock_s();
	while (clock_s() - begun_s < wanted_s || f.cycles < 2)
		cycle(&f, descriptors);
	enm_driver_close(&f.good, 1);
	rig_close(&f.s);
	printf("seed %llu, %.1f s: %llu cycles, %llu scans, %llu messages, %llu good frames (the slowest taken in %.1f "
	       "ms, "
	       "%.2f of them at work), %llu others, %+.2f MB\n",
		(unsigned long long)seed, clock_s() - begun_s, (unsigned long long)f.cycles,
		(unsigned long long)f.scans, (unsigned long long)f.messages, (unsigned long long)f.frames,
		1e3 * f.late_max_s, 1e3 * f.work_max_s, (unsigned long long)f.hostile_frames,
		f.memory ? 1e-6 * (double)(measure_memory() - f.memory) : 0.0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(goes_on_whatever_they_say, scratch_setup, scratch_teardown)};
	if (argc > 1)
		wanted_s = strtod(argv[1], NULL);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	if (argc > 3 || !(wanted_s > 0.0)) {
		fprintf(stderr, "usage: fuzz_socket [SECONDS [SEED]]\n");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
