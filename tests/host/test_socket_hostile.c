/* SPDX-License-Identifier: Apache-2.0
 * Drivers that lie, flood, stall and die at each step: the source says so, and frames of a good driver come as they
 * should. */
#define _GNU_SOURCE /* memfd_create */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"
#include "socket_rig.h"

static source_state step(source *s, double timeout_s)
{
	rig_frame f;
	rig_frame_clear(&f);
	return s->ops->next(s->state, timeout_s, &f.frame);
}

/* A source that a good driver has opened and left, so that its place is free. */
static void open_free(source *s)
{
	enm_driver *d;
	rig_open(rig_path(), s, &d);
	enm_driver_close(&d, 0);
	assert_int_equal(step(s, 0.0), SOURCE_WAIT);
	(void)rig_notices(s);
}

/* Says it is refused with this code, and that the connection is closed then. */
static void expect_refusal(source *s, int descriptor, uint32_t code, const char *text)
{
	rig_answer answer = rig_wait_answer(s, descriptor);
	while (answer.type == 17) /* slots given back before */
		answer = rig_wait_answer(s, descriptor);
	if (answer.type != 18 || answer.code != code || !strstr(answer.text, text))
		fail_msg("type %u, code %u, \"%s\", expected a refusal %u with \"%s\"", (unsigned)answer.type,
			(unsigned)answer.code, answer.text, (unsigned)code, text);
	assert_int_equal(rig_receive(descriptor).type, UINT32_MAX);
	const char *notices = rig_notices(s);
	if (!strstr(notices, text))
		fail_msg("the notices do not say \"%s\": %s", text, notices);
	close(descriptor);
}

/* ---- in the handshake ------------------------------------------------------------------------------------------- */

static void first_words_that_are_wrong(void **state)
{
	(void)state;
	source s;
	open_free(&s);
	const int descriptors = rig_descriptors();
	rig_message *m = rig_hello(rig_camera);
	rig_put_u32(m, 16, 2);
	int c = rig_connect(rig_path());
	assert_true(rig_send(c, m));
	expect_refusal(&s, c, 1, "version: the driver speaks 2, this host 1");
	for (size_t size = 1; size < rig_hello(rig_camera)->size; size += 7) { /* truncated */
		c = rig_connect(rig_path());
		assert_true(rig_send_bytes(c, rig_hello(rig_camera)->bytes, size));
		expect_refusal(&s, c, 6, "a message is ");
	}
	c = rig_connect(rig_path());
	assert_true(rig_send_bytes(c, "", 0));
	expect_refusal(&s, c, 6, "a message is empty");
	static uint8_t large[65537];
	memcpy(large, rig_hello(rig_camera)->bytes, 48);
	c = rig_connect(rig_path());
	assert_true(rig_send_bytes(c, large, sizeof large));
	expect_refusal(&s, c, 6, "longer than 65536");
	c = rig_connect(rig_path());
	assert_true(rig_send(c, rig_frame_message(0, 0, 1, 1.0)));
	expect_refusal(&s, c, 6, "HELLO: is not what came first");
	c = rig_connect(rig_path());
	assert_true(rig_send(c, rig_head(99, 8)));
	expect_refusal(&s, c, 6, "unknown type 99");
	assert_int_equal(rig_descriptors(), descriptors);
	rig_close(&s);
}

static void lies_about_the_size(void **state)
{
	(void)state;
	static const uint32_t sizes[][2] = {{0, 0}, {48, 33}, {4096, 4096}, {UINT32_MAX, UINT32_MAX}, {32, 48}};
	source s;
	open_free(&s);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		rig_message *m = rig_hello(rig_camera);
		rig_put_u32(m, 24, sizes[i][0]);
		rig_put_u32(m, 28, sizes[i][1]);
		const int c = rig_connect(rig_path());
		assert_true(rig_send(c, m));
		expect_refusal(&s, c, 4, "HELLO: width, height:");
	}
	rig_close(&s);
}

/* One that says nothing is sent away after 2 s, whatever others do meanwhile. */
static void silent_from_the_start(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	rig_open(rig_path(), &s, &d);
	const int c = rig_connect(rig_path());
	const double begun_s = clock_s();
	uint64_t n = 0;
	rig_answer answer = {0};
	while (!answer.type && clock_s() - begun_s < 30.0) {
		assert_int_equal(rig_submit(d, n, (double)n), ENM_DRIVER_OK);
		rig_expect(&s, n++);
		assert_int_equal(step(&s, 0.01), SOURCE_WAIT);
		answer = rig_receive(c);
	}
	assert_int_equal(answer.type, 18);
	assert_int_equal(answer.code, 7);
	assert_true(clock_s() - begun_s >= 1.9);
	close(c);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

/* Not even one that has shut half of its connection. */
static void half_open(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	rig_open(rig_path(), &s, &d);
	const int descriptors = rig_descriptors();
	for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
		const int c = rig_connect(rig_path());
		assert_int_equal(shutdown(c, how), 0);
		(void)rig_send(c, rig_hello(rig_camera));
		assert_int_equal(step(&s, 0.05), SOURCE_WAIT);
		close(c);
	}
	assert_int_equal(step(&s, 0.05), SOURCE_WAIT);
	assert_int_equal(rig_descriptors(), descriptors);
	assert_int_equal(rig_submit(d, 1, 1.0), ENM_DRIVER_OK);
	rig_expect(&s, 1);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

/* A hundred at once, silent, talking or gone again, while a good driver feeds: bounded, and no frame suffers. */
static void a_hundred_at_once(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	int crowd[100], connected = 0;
	rig_open(rig_path(), &s, &d);
	const int descriptors = rig_descriptors();
	uint64_t n = 0;
	for (int i = 0; i < 100; i++)
		crowd[i] = -1;
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 100; i++) {
			if (crowd[i] < 0)
				crowd[i] = rig_try_connect(rig_path());
			if (crowd[i] >= 0 && i % 3 == 0)
				(void)rig_send(crowd[i], rig_hello(rig_camera));
			connected += crowd[i] >= 0;
			if (i % 5 == 4 && crowd[i] >= 0) {
				close(crowd[i]);
				crowd[i] = -1;
			}
		}
		assert_int_equal(rig_submit(d, n, (double)n), ENM_DRIVER_OK);
		rig_expect(&s, n++);
		(void)step(&s, 0.0);
		int open = 0;
		for (int i = 0; i < 100; i++)
			open += crowd[i] >= 0;
		assert_true(rig_descriptors() - open <= descriptors + 8); /* those in the handshake */
	}
	assert_true(connected > 100);
	for (int i = 0; i < 100; i++)
		if (crowd[i] >= 0)
			close(crowd[i]);
	while (step(&s, 0.0) == SOURCE_WAIT && rig_descriptors() != descriptors)
		;
	assert_true(rig_count(&s, "refused", "busy") > 50);
	assert_int_equal(rig_count(&s, "", "frames"), 60);
	assert_int_equal(rig_count(&s, "", "missing_numbers"), 0);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

/* Silent ones fill the handshake, and a good driver gets through all the same. */
static void a_good_one_gets_through_the_crowd(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	int crowd[30];
	char why[ENM_DRIVER_TEXT_BYTES];
	open_free(&s);
	for (int i = 0; i < 30; i++)
		crowd[i] = rig_connect(rig_path());
	const enm_driver_def def = rig_def(rig_path());
	assert_int_equal(rig_reopen(&s, &def, &d, why), ENM_DRIVER_OK);
	assert_int_equal(rig_submit(d, 1, 1.0), ENM_DRIVER_OK);
	rig_expect(&s, 1);
	for (int i = 0; i < 30; i++)
		close(crowd[i]);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

/* A driver that is always ahead, so that there is always a frame to read: others are answered all the same. */
static void others_are_answered_under_load(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	uint64_t sent = 0, taken = 0;
	rig_answer answer = {0};
	rig_open(rig_path(), &s, &d);
	const int c = rig_connect(rig_path());
	assert_true(rig_send(c, rig_hello(rig_camera)));
	while (sent < 3) {
		assert_int_equal(rig_submit(d, sent, (double)sent), ENM_DRIVER_OK);
		sent++;
	}
	for (const double begun_s = clock_s(); !answer.type && clock_s() - begun_s < 30.0;) {
		assert_int_equal(rig_submit(d, sent, (double)sent), ENM_DRIVER_OK);
		sent++;
		rig_expect(&s, taken++);
		answer = rig_receive(c);
	}
	assert_int_equal(answer.type, 18);
	assert_int_equal(answer.code, 3);
	close(c);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

/* ---- while feeding ---------------------------------------------------------------------------------------------- */

/* One frame of a raw driver, painted as its number. */
static bool raw_submit(rig_raw *r, uint32_t slot, uint32_t turn, uint64_t number, double time_s)
{
	uint8_t *memory = r->ring + slot * r->welcome.slot_bytes;
	rig_paint(number, (uint16_t *)(void *)memory, memory + r->welcome.color_offset);
	return rig_send(r->descriptor, rig_frame_message(slot, turn, number, time_s));
}

static void broken_words(void **state)
{
	(void)state;
	source s;
	open_free(&s);
	rig_message *wrong_flags = rig_frame_message(0, 0, 5, 5.0), *wrong_length = rig_head(3, 8);
	rig_put_u32(wrong_flags, 16, 0xff);
	rig_put_u32(wrong_length, 4, 9);
	const struct {
		const rig_message *m;
		const char *text;
	} cases[] = {
		{rig_frame_message(4, 0, 5, 5.0), "FRAME: slot: there is none of this number"},
		{rig_frame_message(UINT32_MAX, 0, 5, 5.0), "FRAME: slot: there is none of this number"},
		{rig_frame_message(0, 1, 5, 5.0), "FRAME: turn: the slot was used already"},
		{wrong_flags, "FRAME: flags"},
		{wrong_length, "not as long as it says"},
		{rig_hello(rig_camera), "HELLO: was said already"},
	};
	const int descriptors = rig_descriptors();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		rig_raw r;
		rig_raw_open(&s, &r);
		(void)rig_notices(&s);
		assert_true(rig_send(r.descriptor, cases[i].m));
		expect_refusal(&s, dup(r.descriptor), 6, cases[i].text);
		rig_raw_close(&r);
	}
	assert_int_equal(rig_descriptors(), descriptors);
	assert_int_equal(rig_count(&s, "refused", "protocol"), (int64_t)(sizeof cases / sizeof *cases));
	rig_close(&s);
}

/* A slot that is handed over again before it came back is no new frame. */
static void slot_used_twice(void **state)
{
	(void)state;
	source s;
	rig_raw r;
	open_free(&s);
	rig_raw_open(&s, &r);
	assert_true(raw_submit(&r, 2, 0, 1, 1.0));
	rig_expect(&s, 1);
	rig_answer answer = rig_receive(r.descriptor);
	assert_int_equal(answer.type, 17);
	assert_true(answer.slot == 2 && answer.turn == 1 && answer.fate == 0);
	assert_true(raw_submit(&r, 2, 1, 2, 2.0)); /* its turn now */
	assert_true(raw_submit(&r, 2, 1, 3, 3.0)); /* and not once more, nor any wait for the host */
	assert_int_equal(step(&s, 1.0), SOURCE_FRAME);
	expect_refusal(&s, dup(r.descriptor), 6, "FRAME: turn: the slot was used already");
	rig_raw_close(&r);
	rig_close(&s);
}

/* All that counts is the copy. */
static void changes_after_the_copy(void **state)
{
	(void)state;
	source s;
	rig_raw r;
	rig_frame f;
	open_free(&s);
	rig_raw_open(&s, &r);
	rig_frame_clear(&f);
	assert_true(raw_submit(&r, 0, 0, 1, 1.0));
	assert_int_equal(s.ops->next(s.state, 1.0, &f.frame), SOURCE_FRAME);
	memset(r.ring, 0xee, r.ring_bytes);
	assert_true(rig_is_painted(1, f.depth, f.rgb));
	/* nor can the memory be taken away */
	assert_int_equal(ftruncate(r.welcome.ring, 0), -1);
	assert_int_equal(fcntl(r.welcome.ring, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(
		fallocate(r.welcome.ring, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)r.ring_bytes), 0);
	assert_true(rig_send(r.descriptor, rig_frame_message(1, 0, 2, 2.0)));
	assert_int_equal(s.ops->next(s.state, 1.0, &f.frame), SOURCE_FRAME);
	assert_int_equal(f.depth[0], 0);
	rig_raw_close(&r);
	rig_close(&s);
}

/* Numbers and times that do not grow are left out, told and counted; the driver stays. */
static void times_and_numbers(void **state)
{
	(void)state;
	static const struct {
		uint64_t number;
		double time_s;
		uint32_t fate;
	} frames[] = {
		{10, 5.0, 0},
		{10, 6.0, 1},
		{9, 6.0, 1},
		{11, 5.0, 2},
		{11, 4.0, 2},
		{11, -1e300, 2},
		{UINT64_MAX, 7.0, 1},
		{12, 5.5, 0},
		{13, 1e11, 2},
		{13, 5.6, 0},
	};
	source s;
	rig_raw r;
	open_free(&s);
	rig_raw_open(&s, &r);
	(void)rig_notices(&s);
	for (uint32_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		assert_true(raw_submit(&r, i % 4, i / 4, frames[i].number, frames[i].time_s));
		if (frames[i].fate)
			assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
		else
			rig_expect(&s, frames[i].number);
		const rig_answer answer = rig_receive(r.descriptor);
		assert_int_equal(answer.type, 17);
		assert_int_equal(answer.fate, frames[i].fate);
	}
	assert_true(raw_submit(&r, 2, 2, 14, (double)NAN));
	assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
	assert_int_equal(rig_receive(r.descriptor).fate, 2);
	assert_int_equal(rig_count(&s, "", "left_out_number"), 3);
	assert_int_equal(rig_count(&s, "", "left_out_time"), 5);
	const char *notices = rig_notices(&s);
	assert_non_null(
		strstr(notices, "a frame is left out: FRAME: number: 10 is too large, or not above the last one"));
	assert_non_null(strstr(notices, "a frame is left out: FRAME: time: 4 s of frame 11 is no time, or not behind"));
	rig_raw_close(&r);
	rig_close(&s);
}

/* But not one whose clock or count never recovers. */
static void sixteen_in_a_row(void **state)
{
	(void)state;
	source s;
	rig_raw r;
	open_free(&s);
	rig_raw_open(&s, &r);
	assert_true(raw_submit(&r, 0, 0, 100, 100.0));
	rig_expect(&s, 100);
	assert_int_equal(rig_receive(r.descriptor).fate, 0);
	for (uint32_t i = 1; i < 16; i++) {
		assert_true(raw_submit(&r, 0, i, i, i));
		assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
		assert_int_equal(rig_receive(r.descriptor).fate, 1);
	}
	assert_true(raw_submit(&r, 0, 16, 16, 16.0));
	expect_refusal(&s, dup(r.descriptor), 6, "number, time: have not grown for 16 frames");
	rig_raw_close(&r);
	/* it may begin anew, and goes on behind what there was */
	rig_raw_open(&s, &r);
	assert_true(raw_submit(&r, 0, 0, 5, 5.0));
	assert_int_equal(step(&s, 1.0), SOURCE_FRAME);
	assert_int_equal(rig_count(&s, "", "frames"), 2);
	rig_raw_close(&r);
	rig_close(&s);
}

static bool kernel_can_refuse_descriptors(void)
{
	const int any = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const int failure = setsockopt(any, SOL_SOCKET, 83 /* SO_PASSRIGHTS */, &(int){0}, sizeof(int));
	close(any);
	return !failure;
}

/* Sends a message with descriptors, which the kernel does not take where it can refuse them, and else the host. */
static void pass_descriptors(source *s, int descriptor, const rig_message *m, const int *passed, int count)
{
	const bool sent = rig_send_with_descriptors(descriptor, m, passed, count);
	if (sent) {
		expect_refusal(s, descriptor, 6, "a message brings a descriptor");
	} else {
		assert_int_equal(errno, EPERM);
		close(descriptor);
	}
	assert_int_equal(sent, !kernel_can_refuse_descriptors());
}

static void passed_descriptors(void **state)
{
	(void)state;
	source s;
	rig_raw r;
	int passed[16], ends[2];
	char byte;
	open_free(&s);
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < 16; i++)
		passed[i] = ends[1];
	const int before = rig_descriptors();
	pass_descriptors(&s, rig_connect(rig_path()), rig_hello(rig_camera), passed, 16);
	rig_raw_open(&s, &r);
	pass_descriptors(&s, dup(r.descriptor), rig_frame_message(0, 0, 1, 1.0), passed, 1);
	rig_raw_close(&r);
	for (int i = 0; i < 3; i++)
		assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
	assert_int_equal(rig_descriptors(), before);
	/* nor is any kept open: the pipe has no writer but ours */
	close(ends[1]);
	struct pollfd p = {ends[0], POLLIN, 0};
	assert_int_equal(poll(&p, 1, 1000), 1);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	rig_close(&s);
}

/* Nobody gets more time here than `next` was given. */
static void floods(void **state)
{
	(void)state;
	source s;
	rig_raw r;
	open_free(&s);
	rig_raw_open(&s, &r);
	const double begun_s = clock_s();
	uint64_t sent = 0;
	rig_answer answer = {0};
	while (!answer.type && sent < 1000000) {
		while (rig_send(r.descriptor, rig_head(3, 8)))
			sent++;
		assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
		answer = rig_receive(r.descriptor);
	}
	/* told how long it took: a slow machine may take more than a second for as many as are borne in one */
	if (answer.type != 18 || answer.code != 6)
		fail_msg("%llu messages in %.1f s were borne", (unsigned long long)sent, clock_s() - begun_s);
	assert_non_null(strstr(answer.text, "ALIVE: more than 1000 in a second"));
	rig_raw_close(&r);
	rig_close(&s);
}

/* Frames without end, of a driver that reads nothing: as many answers as the kernel takes, and then no more. */
static void never_reads(void **state)
{
	(void)state;
	source s;
	rig_raw r;
	open_free(&s);
	rig_raw_open(&s, &r);
	uint32_t n = 0;
	while (n < 100000 && raw_submit(&r, 0, n, n + 1, n + 1.0)) {
		if (step(&s, 0.0) != SOURCE_FRAME)
			break;
		n++;
	}
	assert_true(n > 10 && n < 100000);
	assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
	assert_int_equal(rig_count(&s, "refused", "protocol"), 1);
	assert_non_null(strstr(rig_notices(&s), "disconnected: does not read what it is sent"));
	rig_raw_close(&r);
	rig_close(&s);
}

/* Each step of a driver's life may be its last. */
static void dying_at_each_step(void **state)
{
	(void)state;
	source s;
	open_free(&s);
	const int descriptors = rig_descriptors();
	for (int reached = 0; reached < 7; reached++) {
		rig_raw r;
		int c = -1;
		switch (reached) {
		case 0: /* connected */
			c = rig_connect(rig_path());
			break;
		case 1: /* and was accepted */
			c = rig_connect(rig_path());
			assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
			break;
		case 2: /* said HELLO, which nobody read */
			c = rig_connect(rig_path());
			assert_true(rig_send(c, rig_hello(rig_camera)));
			break;
		case 3: /* was welcomed, did not read it */
			c = rig_connect(rig_path());
			assert_true(rig_send(c, rig_hello(rig_camera)));
			assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
			assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
			break;
		default:
			rig_raw_open(&s, &r);
			if (reached >= 5) /* submitted */
				assert_true(raw_submit(&r, 0, 0, (uint64_t)reached, reached));
			if (reached >= 6) /* and it was taken, but not that the slot came back */
				assert_int_equal(step(&s, 1.0), SOURCE_FRAME);
			rig_raw_close(&r);
		}
		if (c >= 0)
			close(c);
		assert_int_equal(step(&s, 0.0), reached == 5 ? SOURCE_FRAME : SOURCE_WAIT);
		for (int i = 0; i < 3; i++)
			assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
		assert_int_equal(rig_descriptors(), descriptors);
	}
	assert_int_equal(rig_count(&s, "", "frames"), 2);
	rig_close(&s);
}

/* No descriptor left, at any step of a handshake: told, and over as soon as there is one again. */
static void descriptors_run_out(void **state)
{
	(void)state;
	source s;
	struct rlimit before, less;
	open_free(&s);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (int spare = 0; spare < 2; spare++) { /* 0: no connection, 1: a connection, but no ring */
		const int c = rig_connect(rig_path());
		const int next = dup(c); /* the lowest number that is free */
		close(next);
		less = before;
		less.rlim_cur = (rlim_t)(next + spare);
		assert_true(rig_send(c, rig_hello(rig_camera)));
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
		for (int i = 0; i < 3; i++)
			assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		if (spare) {
			expect_refusal(&s, c, 10, "no memory for a ring of 4 slots of");
			continue;
		}
		assert_non_null(strstr(rig_notices(&s), "a driver cannot connect: Too many open files"));
		const rig_answer answer = rig_wait_answer(&s, c);
		assert_int_equal(answer.type, 16);
		close(answer.ring);
		close(c);
		assert_int_equal(step(&s, 0.0), SOURCE_WAIT);
	}
	rig_close(&s);
}

/* `next` does not take longer than it may, whatever there is to read. */
static void keeps_its_time(void **state)
{
	(void)state;
	source s;
	rig_raw r;
	open_free(&s);
	rig_raw_open(&s, &r);
	for (int i = 0; i < 50; i++) {
		while (rig_send(r.descriptor, rig_head(3, 8)) && i < 3)
			;
		const int c = rig_try_connect(rig_path());
		const double begun_s = clock_s();
		(void)step(&s, 0.02);
		assert_true(clock_s() - begun_s < 10.0); /* on a loaded machine, too */
		if (c >= 0)
			close(c);
	}
	rig_raw_close(&r);
	rig_close(&s);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(first_words_that_are_wrong),
		IN_FOLDER(lies_about_the_size),
		IN_FOLDER(silent_from_the_start),
		IN_FOLDER(half_open),
		IN_FOLDER(a_hundred_at_once),
		IN_FOLDER(a_good_one_gets_through_the_crowd),
		IN_FOLDER(others_are_answered_under_load),
		IN_FOLDER(broken_words),
		IN_FOLDER(slot_used_twice),
		IN_FOLDER(changes_after_the_copy),
		IN_FOLDER(times_and_numbers),
		IN_FOLDER(sixteen_in_a_row),
		IN_FOLDER(passed_descriptors),
		IN_FOLDER(floods),
		IN_FOLDER(never_reads),
		IN_FOLDER(dying_at_each_step),
		IN_FOLDER(descriptors_run_out),
		IN_FOLDER(keeps_its_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
