/* SPDX-License-Identifier: Apache-2.0
 * The socket source's parts, each alone: messages, camera, numbers and times, ring, path, notices. */
#define _GNU_SOURCE /* F_GET_SEALS */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"
#include "clock.h"
#include "scratch.h"
#include "socket_hello.h"
#include "socket_listen.h"
#include "socket_notices.h"
#include "socket_peer.h"
#include "socket_rig.h"
#include "socket_ring.h"
#include "socket_sequence.h"
#include "socket_server.h"

/* ---- messages --------------------------------------------------------------------------------------------------- */

static void assert_refused(const rig_message *m, message_refusal code, const char *text)
{
	message out;
	char reason[SOURCE_REASON_BYTES] = "";
	assert_int_equal(message_get(m->bytes, m->size, &out, reason), code);
	if (!strstr(reason, text))
		fail_msg("\"%s\" does not hold \"%s\"", reason, text);
}

static void reads_a_hello(void **state)
{
	(void)state;
	message m;
	char reason[SOURCE_REASON_BYTES];
	const rig_message *hello = rig_hello(rig_camera);
	assert_int_equal(message_get(hello->bytes, hello->size, &m, reason), REFUSAL_NONE);
	assert_int_equal(m.type, MESSAGE_HELLO);
	assert_int_equal(m.hello.width, RIG_WIDTH);
	assert_int_equal(m.hello.height, RIG_HEIGHT);
	assert_true(m.hello.has_color);
	assert_true(m.hello.fps == 30.0);
	assert_int_equal(m.hello.slots, 4);
	assert_int_equal(m.hello.camera_bytes, strlen(rig_camera));
	assert_memory_equal(m.hello.camera, rig_camera, m.hello.camera_bytes);
}

static void reads_a_frame(void **state)
{
	(void)state;
	message m;
	char reason[SOURCE_REASON_BYTES];
	rig_message *frame = rig_frame_message(3, 9, UINT64_C(0x123456789a), 1.25);
	rig_put_f64(frame, 40, 77.5);
	assert_int_equal(message_get(frame->bytes, frame->size, &m, reason), REFUSAL_NONE);
	assert_int_equal(m.type, MESSAGE_FRAME);
	assert_int_equal(m.frame.slot, 3);
	assert_int_equal(m.frame.turn, 9);
	assert_int_equal(m.frame.number, UINT64_C(0x123456789a));
	assert_true(m.frame.has_color && m.frame.time_s == 1.25 && m.frame.submitted_s == 77.5);
	for (uint32_t type = MESSAGE_ALIVE; type <= MESSAGE_BYE; type++) {
		const rig_message *plain = rig_head(type, 8);
		assert_int_equal(message_get(plain->bytes, plain->size, &m, reason), REFUSAL_NONE);
		assert_int_equal(m.type, type);
	}
}

static void refuses_what_is_no_message(void **state)
{
	(void)state;
	rig_message *m;
	assert_refused(rig_head(3, 7), REFUSAL_PROTOCOL, "shorter than its head");
	m = rig_head(3, 8);
	rig_put_u32(m, 4, 9);
	assert_refused(m, REFUSAL_PROTOCOL, "not as long as it says");
	assert_refused(rig_head(0, 8), REFUSAL_PROTOCOL, "unknown type 0");
	assert_refused(rig_head(MESSAGE_WELCOME, 48), REFUSAL_PROTOCOL, "unknown type 16");
	assert_refused(rig_head(3, 9), REFUSAL_PROTOCOL, "wrong size");
	assert_refused(rig_head(4, 12), REFUSAL_PROTOCOL, "wrong size");
	assert_refused(rig_head(2, 47), REFUSAL_PROTOCOL, "FRAME: has a wrong size");
	assert_refused(rig_head(2, 49), REFUSAL_PROTOCOL, "FRAME: has a wrong size");
	m = rig_frame_message(0, 0, 1, 0.0);
	rig_put_u32(m, 16, 2);
	assert_refused(m, REFUSAL_PROTOCOL, "FRAME: flags");
	m = rig_frame_message(0, 0, 1, 0.0);
	rig_put_u32(m, 20, 1);
	assert_refused(m, REFUSAL_PROTOCOL, "FRAME: flags");
}

static void refuses_a_wrong_hello(void **state)
{
	(void)state;
	rig_message *m;
	assert_refused(rig_head(1, 19), REFUSAL_PROTOCOL, "magic");
	assert_refused(rig_head(1, 48), REFUSAL_PROTOCOL, "magic");
	m = rig_hello("");
	rig_put_u32(m, 16, 2);
	assert_refused(m, REFUSAL_VERSION, "the driver speaks 2, this host 1");
	m = rig_hello("");
	m->size = 20; /* so much is the same in all versions */
	rig_put_u32(m, 4, 20);
	rig_put_u32(m, 16, 7);
	assert_refused(m, REFUSAL_VERSION, "speaks 7");
	m = rig_hello("");
	m->size = 47;
	rig_put_u32(m, 4, 47);
	assert_refused(m, REFUSAL_PROTOCOL, "cut short");
	m = rig_hello("");
	rig_put_u32(m, 20, 3);
	assert_refused(m, REFUSAL_PROTOCOL, "HELLO: flags");
	const double rates[] = {0.0, -1.0, 1e6, NAN, INFINITY};
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		m = rig_hello("");
		rig_put_f64(m, 32, rates[i]);
		assert_refused(m, REFUSAL_PROTOCOL, "HELLO: fps");
	}
	m = rig_hello("{}");
	rig_put_u32(m, 44, 1);
	assert_refused(m, REFUSAL_PROTOCOL, "not as long as it says");
	rig_put_u32(m, 44, UINT32_MAX);
	assert_refused(m, REFUSAL_PROTOCOL, "not as long as it says");
	m = rig_hello("{}");
	m->bytes[49] = 0;
	assert_refused(m, REFUSAL_PROTOCOL, "is no text");
}

/* Every message that was cut anywhere is refused, and nothing behind its end is read (the sanitizer watches). */
static void refuses_every_cut(void **state)
{
	(void)state;
	const rig_message *whole[] = {rig_hello(rig_camera), rig_frame_message(1, 2, 3, 4.0), rig_head(3, 8)};
	for (size_t i = 0; i < 3; i++) {
		for (size_t size = 0; size < whole[i]->size; size++) {
			message out;
			char reason[SOURCE_REASON_BYTES];
			uint8_t *cut = malloc(size + !size);
			assert_non_null(cut);
			memcpy(cut, whole[i]->bytes, size);
			assert_int_equal(message_get(cut, size, &out, reason), REFUSAL_PROTOCOL);
			if (size >= 8) { /* and if it says how long it is */
				put_u32(cut + 4, (uint32_t)size);
				assert_int_equal(message_get(cut, size, &out, reason), REFUSAL_PROTOCOL);
			}
			free(cut);
		}
	}
}

static void writes_answers(void **state)
{
	(void)state;
	uint8_t out[MESSAGE_ANSWER_BYTES_MAX];
	char text[2 * SOURCE_REASON_BYTES];
	const message_welcome welcome = {
		.slots = 8, .slot_bytes = 4096, .color_offset = 64, .silence_s = 5.0, .wanted_fps = 70.0};
	assert_int_equal(message_put_welcome(&welcome, out), 48);
	assert_int_equal(get_u32(out), 16);
	assert_int_equal(get_u32(out + 4), 48);
	assert_int_equal(get_u32(out + 8), 1);
	assert_int_equal(get_u32(out + 12), 8);
	assert_int_equal(get_u64(out + 16), 4096);
	assert_int_equal(get_u64(out + 24), 64);
	assert_true(get_f64(out + 32) == 5.0 && get_f64(out + 40) == 70.0);
	assert_int_equal(message_put_release(3, 5, FATE_TIME, out), 24);
	assert_int_equal(get_u32(out), 17);
	assert_int_equal(get_u32(out + 8), 3);
	assert_int_equal(get_u32(out + 12), 5);
	assert_int_equal(get_u32(out + 16), 2);
	assert_int_equal(get_u32(out + 20), 0);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	assert_int_equal(
		message_put_refused(REFUSAL_BUSY, text, out), 16 + SOURCE_REASON_BYTES - 1); /* cut, in bounds */
	assert_int_equal(get_u32(out), 18);
	assert_int_equal(get_u32(out + 8), 3);
	assert_int_equal(get_u32(out + 12), SOURCE_REASON_BYTES - 1);
}

/* ---- the camera ------------------------------------------------------------------------------------------------- */

static source_facts read_facts(const char *camera, message_refusal expected, const char *text)
{
	source_facts facts;
	message m;
	char reason[SOURCE_REASON_BYTES] = "";
	const rig_message *hello = rig_hello(camera);
	assert_int_equal(message_get(hello->bytes, hello->size, &m, reason), REFUSAL_NONE);
	assert_int_equal(hello_read(&m.hello, &facts, reason), expected);
	if (!strstr(reason, text))
		fail_msg("\"%s\" does not hold \"%s\"", reason, text);
	return facts;
}

#define CAMERA(size, matrix, rest) "{" size ", \"intrinsic_matrix\": [" matrix "], \"depth_unit\": \"mm\", " rest "}"
#define SIZE "\"width\": 48, \"height\": 32"
#define MATRIX "40, 0, 0, 0, 40, 0, 23.5, 15.5, 1"
#define SCALE "\"depth_scale\": 1000"

static void reads_a_camera(void **state)
{
	(void)state;
	source_facts facts = read_facts(rig_camera, REFUSAL_NONE, "");
	assert_string_equal(facts.camera_json, rig_camera);
	assert_true(facts.depth_mm_per_unit == 1e-3);
	assert_true(facts.has_color && facts.paced);
	assert_true(facts.camera.fps == 30.0); /* of HELLO */
	free(facts.camera_json);
	read_facts("", REFUSAL_CAMERA, "camera.json: line");
	read_facts("[]", REFUSAL_CAMERA, "camera.json: expected an object");
	read_facts("\xff{}", REFUSAL_CAMERA, "camera.json: ");
	read_facts(CAMERA(SIZE, "1, 2", SCALE), REFUSAL_CAMERA, "intrinsic_matrix: expected 9 numbers");
	read_facts(CAMERA("\"width\": 48, \"height\": 33", MATRIX, SCALE), REFUSAL_CAMERA,
		"HELLO: width, height: 48x32, but the camera.json says 48x33");
	read_facts(CAMERA("\"width\": 5000, \"height\": 32", MATRIX, SCALE), REFUSAL_CAMERA, "width");
}

static void compares_cameras(void **state)
{
	(void)state;
	static const struct {
		const char *camera, *difference; /* NULL: none */
	} cases[] = {
		{CAMERA(SIZE, MATRIX, SCALE), NULL},
		{CAMERA(SIZE, MATRIX, SCALE ", \"fps\": 12"), NULL},
		{CAMERA(SIZE, MATRIX, "\"depth_scale\": 999"), "depth_scale, depth_unit"},
		{CAMERA(SIZE, "40, 0, 0, 0, 41, 0, 23.5, 15.5, 1", SCALE), "intrinsic_matrix"},
		{CAMERA(SIZE, MATRIX, SCALE ", \"distortion\": [0, 0, 0, 0, 0.1]"), "distortion"},
		{CAMERA(SIZE, MATRIX, SCALE ", \"depth_residual\": {\"twist_um\": 1}"), "depth_residual"},
		{CAMERA(SIZE, MATRIX, SCALE ", \"row_time_s\": 1e-5"), "row_time_s"},
	};
	source_facts known = read_facts(rig_camera, REFUSAL_NONE, "");
	char reason[SOURCE_REASON_BYTES];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		source_facts other = read_facts(cases[i].camera, REFUSAL_NONE, "");
		const message_refusal refusal = hello_compare(&known, &other, reason);
		assert_int_equal(refusal, cases[i].difference ? REFUSAL_OTHER_CAMERA : REFUSAL_NONE);
		if (cases[i].difference)
			assert_true(strstr(reason, cases[i].difference) == reason);
		free(other.camera_json);
	}
	source_facts other = known;
	other.has_color = false;
	assert_int_equal(hello_compare(&known, &other, reason), REFUSAL_OTHER_CAMERA);
	other = known;
	other.camera.camera.width++;
	assert_int_equal(hello_compare(&known, &other, reason), REFUSAL_OTHER_CAMERA);
	free(known.camera_json);
}

/* ---- numbers and times ------------------------------------------------------------------------------------------ */

typedef struct placing {
	socket_sequence q;
	uint64_t number;
	double time_s;
} placing;

static message_fate place(placing *p, double arrived_s, uint64_t number, double time_s)
{
	p->number = number;
	p->time_s = time_s;
	return socket_sequence_place(&p->q, arrived_s, &p->number, &p->time_s);
}

static void numbers_and_times_grow(void **state)
{
	(void)state;
	placing p = {0};
	assert_int_equal(place(&p, 0.0, 5, -3.0), FATE_TAKEN);
	assert_true(p.number == 5 && p.time_s == -3.0);
	assert_int_equal(place(&p, 0.1, 5, 1.0), FATE_NUMBER);
	assert_int_equal(place(&p, 0.1, 4, 1.0), FATE_NUMBER);
	assert_int_equal(place(&p, 0.1, 6, -3.0), FATE_TIME);
	assert_int_equal(place(&p, 0.1, 6, -4.0), FATE_TIME);
	assert_int_equal(place(&p, 0.1, 6, (double)NAN), FATE_TIME);
	assert_int_equal(place(&p, 0.1, 6, (double)INFINITY), FATE_TIME);
	assert_int_equal(place(&p, 0.1, 6, 1.1e10), FATE_TIME);
	assert_int_equal(place(&p, 0.1, UINT64_MAX, 1.0), FATE_NUMBER);
	assert_int_equal(place(&p, 0.1, SEQUENCE_NUMBER_MAX + 1, 1.0), FATE_NUMBER);
	assert_int_equal(place(&p, 0.2, 9, 1.0), FATE_TAKEN); /* none of those above left a trace */
	assert_true(p.number == 9 && p.time_s == 1.0 && p.q.first == 5 && p.q.last == 9);
}

static void another_driver_goes_on(void **state)
{
	(void)state;
	placing p = {0};
	assert_int_equal(place(&p, 100.0, 70, 12.0), FATE_TAKEN);
	socket_sequence_change(&p.q);
	assert_int_equal(place(&p, 103.0, 0, 0.5), FATE_TAKEN); /* its clock and count begin anew */
	assert_true(p.number == 71 && p.time_s == 15.0);
	assert_int_equal(place(&p, 103.1, 2, 0.6), FATE_TAKEN);
	assert_true(p.number == 73 && fabs(p.time_s - 15.1) < 1e-12);
	assert_int_equal(place(&p, 103.2, 2, 0.7), FATE_NUMBER);
	socket_sequence_change(&p.q);
	assert_int_equal(place(&p, 104.0, 1000, 20.0), FATE_TAKEN); /* goes on by itself: as it is */
	assert_true(p.number == 1000 && p.time_s == 20.0);
	socket_sequence_change(&p.q);
	assert_int_equal(place(&p, 104.0, 1000, 1e9), FATE_TAKEN);
	assert_true(p.number == 1001 && p.time_s == 1e9);
	socket_sequence_change(&p.q);
	assert_int_equal(place(&p, 90.0, 2000, 0.0), FATE_TAKEN); /* even if it came before the last one */
	assert_true(p.number == 2000 && p.time_s > 1e9);
}

/* However often somebody begins anew at the highest number. */
static void numbers_do_not_run_over(void **state)
{
	(void)state;
	placing p = {0};
	uint64_t last = 0;
	int taken = 0;
	for (int i = 0; i < 3000; i++) {
		socket_sequence_change(&p.q);
		for (int k = 0; k < 2; k++) {
			if (place(&p, i, k ? SEQUENCE_NUMBER_MAX : 0, k) != FATE_TAKEN)
				continue;
			taken++;
			assert_true(p.number > last || taken == 1);
			assert_true(p.number <= INT64_MAX);
			last = p.number;
		}
	}
	assert_true(taken > 1000);
}

/* ---- a connection ------------------------------------------------------------------------------------------------ */

/* Where the kernel lets a driver pass descriptors at all, they are closed before they have a number here. */
static void descriptors_get_no_number(void **state)
{
	(void)state;
	static uint8_t bytes[MESSAGE_BYTES_MAX];
	char reason[SOURCE_REASON_BYTES];
	int ends[2], pipes[2], passed[16];
	size_t size;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(pipe(pipes), 0);
	for (int i = 0; i < 16; i++)
		passed[i] = pipes[1];
	socket_peer p = {.descriptor = ends[0]};
	const int descriptors = rig_descriptors();
	assert_true(rig_send_with_descriptors(ends[1], rig_head(3, 8), passed, 16));
	assert_int_equal(socket_peer_receive(&p, 1.0, bytes, &size, reason), PEER_BROKEN);
	assert_string_equal(reason, "a message brings a descriptor");
	assert_int_equal(rig_descriptors(), descriptors);
	close(pipes[1]);
	assert_int_equal(read(pipes[0], bytes, 1), 0); /* nobody else can write into it */
	assert_true(rig_send(ends[1], rig_head(3, 8)));
	assert_int_equal(socket_peer_receive(&p, 2.0, bytes, &size, reason), PEER_MESSAGE);
	assert_true(size == 8 && p.heard_s == 2.0);
	assert_int_equal(socket_peer_receive(&p, 3.0, bytes, &size, reason), PEER_NOTHING);
	assert_false(socket_peer_has_hung_up(&p));
	close(ends[1]);
	assert_true(socket_peer_has_hung_up(&p));
	assert_int_equal(socket_peer_receive(&p, 3.0, bytes, &size, reason), PEER_GONE);
	socket_peer_end(&p, REFUSAL_NONE, "");
	socket_peer_end(&p, REFUSAL_OVER, "");
	close(pipes[0]);
}

/* ---- the ring --------------------------------------------------------------------------------------------------- */

static void ring_is_sealed(void **state)
{
	(void)state;
	socket_ring r;
	assert_int_equal(socket_ring_make(RIG_WIDTH, RIG_HEIGHT, true, 5, &r), HOST_OK);
	assert_int_equal(r.slots, 5);
	assert_int_equal(r.slot_bytes % 4096, 0);
	assert_true(r.color_offset >= r.depth_bytes && r.color_offset + r.color_bytes <= r.slot_bytes);
	assert_int_equal(fcntl(r.descriptor, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	const off_t bytes = (off_t)(r.slot_bytes * r.slots);
	assert_int_equal(lseek(r.descriptor, 0, SEEK_END), bytes);
	assert_int_equal(ftruncate(r.descriptor, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(r.descriptor, bytes + 1), -1);
	assert_int_equal(fcntl(r.descriptor, F_ADD_SEALS, F_SEAL_WRITE), -1);
	socket_ring_free(&r);
	assert_int_equal(r.descriptor, -1);
	socket_ring_free(&r);
}

static void ring_copies_a_slot(void **state)
{
	(void)state;
	socket_ring r;
	rig_frame f;
	rig_frame_clear(&f);
	assert_int_equal(socket_ring_make(RIG_WIDTH, RIG_HEIGHT, true, 3, &r), HOST_OK);
	uint8_t *memory = mmap(NULL, r.slot_bytes * r.slots, PROT_READ | PROT_WRITE, MAP_SHARED, r.descriptor, 0);
	assert_true(memory != MAP_FAILED);
	for (uint32_t i = 0; i < r.slots; i++)
		rig_paint(
			i, (uint16_t *)(void *)(memory + i * r.slot_bytes), memory + i * r.slot_bytes + r.color_offset);
	for (uint32_t i = 0; i < r.slots; i++) {
		socket_ring_copy(&r, i, f.depth, f.rgb);
		assert_true(rig_is_painted(i, f.depth, f.rgb));
	}
	memset(f.rgb, 0, sizeof f.rgb);
	socket_ring_copy(&r, 1, f.depth, NULL);
	assert_true(rig_is_painted(1, f.depth, NULL));
	assert_int_equal(f.rgb[0] | f.rgb[1] | f.rgb[2], 0);
	/* pages that the driver has given back are read as no reading */
	assert_int_equal(
		fallocate(r.descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)r.slot_bytes), 0);
	socket_ring_copy(&r, 0, f.depth, f.rgb);
	assert_int_equal(f.depth[7], 0);
	socket_ring_copy(&r, 2, f.depth, f.rgb);
	assert_true(rig_is_painted(2, f.depth, f.rgb));
	munmap(memory, r.slot_bytes * r.slots);
	socket_ring_free(&r);
}

static void ring_is_bounded(void **state)
{
	(void)state;
	static const struct {
		uint32_t width, height, wanted, slots;
	} cases[] = {{16, 16, 1, 2}, {16, 16, 2, 2}, {16, 16, 32, 32}, {16, 16, 33, 32}, {16, 16, UINT32_MAX, 32},
		{1024, 4096, 32, 12}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		socket_ring r;
		assert_int_equal(socket_ring_make(cases[i].width, cases[i].height, true, cases[i].wanted, &r), HOST_OK);
		assert_int_equal(r.slots, cases[i].slots);
		assert_true(r.slots * r.slot_bytes <= RING_BYTES_MAX);
		socket_ring_free(&r);
	}
}

/* ---- the path --------------------------------------------------------------------------------------------------- */

static void listen_at(const char *path, host_status expected, socket_listener *out)
{
	char room[SOCKET_PATH_BYTES];
	snprintf(room, sizeof room, "%s", path);
	const host_status status = socket_listen(room, 0600, out);
	if (status != expected)
		fail_msg("%d, expected %d: %s", status, expected, host_error_text());
}

static void makes_and_removes_the_socket(void **state)
{
	(void)state;
	socket_listener l;
	struct stat there;
	const mode_t mask = umask(0);
	listen_at(rig_path(), HOST_OK, &l);
	umask(mask);
	assert_int_equal(lstat(rig_path(), &there), 0);
	assert_true(S_ISSOCK(there.st_mode));
	assert_int_equal(there.st_mode & 07777, 0600);
	socket_listen_end(&l);
	assert_int_equal(lstat(rig_path(), &there), -1);
	assert_int_equal(l.descriptor, -1);
	socket_listen_end(&l);
}

static void replaces_a_dead_socket_only(void **state)
{
	(void)state;
	socket_listener live, second;
	listen_at(rig_path(), HOST_OK, &live);
	listen_at(rig_path(), HOST_USAGE, &second);
	assert_failure_ends("is in use by another process");
	assert_int_equal(second.descriptor, -1);
	close(live.descriptor); /* as when its process dies: the file stays */
	assert_int_equal(access(rig_path(), F_OK), 0);
	listen_at(rig_path(), HOST_OK, &second);
	assert_int_equal(unlink(rig_path()), 0); /* somebody tidies up, and another process takes the path */
	listen_at(rig_path(), HOST_OK, &live);
	socket_listen_end(&second);
	assert_int_equal(access(rig_path(), F_OK), 0);
	socket_listen_end(&live);
	assert_int_equal(access(rig_path(), F_OK), -1);
}

/* A socket of another kind that somebody listens at. */
static void refuses_a_foreign_socket(void **state)
{
	(void)state;
	socket_listener l;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", rig_path());
	const int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(other, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(other, 1), 0);
	listen_at(rig_path(), HOST_USAGE, &l);
	assert_failure_ends("is in use by another process");
	close(other);
}

static void refuses_other_files(void **state)
{
	(void)state;
	socket_listener l;
	scratch_text("socket", "precious");
	listen_at(rig_path(), HOST_USAGE, &l);
	assert_failure_ends("is there already and is no socket");
	assert_int_equal(scratch_size("socket"), 8);
	assert_int_equal(symlink(scratch_path("socket"), scratch_path("link")), 0);
	listen_at(scratch_path("link"), HOST_USAGE, &l);
	assert_failure_ends("is no socket");
	scratch_make_folder("folder");
	listen_at(scratch_path("folder"), HOST_USAGE, &l);
	assert_failure_ends("is no socket");
	listen_at(scratch_path("none/socket"), HOST_USAGE, &l);
	assert_failure_ends("No such file or directory");
}

/* Two that start at once find out one after the other whether there is a dead socket. */
static void waits_for_the_folder(void **state)
{
	(void)state;
	socket_listener l;
	const int folder = open(scratch_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(folder, LOCK_EX), 0);
	listen_at(rig_path(), HOST_IO, &l);
	assert_failure_ends("another process keeps its folder locked");
	assert_int_equal(access(rig_path(), F_OK), -1);
	close(folder);
	listen_at(rig_path(), HOST_OK, &l);
	socket_listen_end(&l);
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */

static void notices_are_bounded(void **state)
{
	(void)state;
	char text[SOURCE_REASON_BYTES], long_text[2 * SOURCE_REASON_BYTES], wanted[16];
	memset(long_text, 'y', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = 0;
	socket_notices *n = calloc(1, sizeof *n);
	assert_non_null(n);
	assert_false(socket_notices_take(n, text));
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < NOTICES_MAX + 5; i++)
			socket_notices_add(n, "%d", i);
		for (int i = 0; i < NOTICES_MAX; i++) {
			snprintf(wanted, sizeof wanted, "%d", i);
			assert_true(socket_notices_take(n, text));
			assert_string_equal(text, wanted);
		}
		assert_true(socket_notices_take(n, text));
		assert_string_equal(text, "5 more notices were not kept");
		assert_false(socket_notices_take(n, text));
		socket_notices_add(n, "%s", long_text);
		assert_true(socket_notices_take(n, text));
		assert_int_equal(strlen(text), SOURCE_REASON_BYTES - 1);
	}
	free(n);
}

/* However fast they are taken. */
static void notices_are_rare(void **state)
{
	(void)state;
	char text[SOURCE_REASON_BYTES];
	socket_notices *n = calloc(1, sizeof *n);
	assert_non_null(n);
	const double begun_s = clock_s();
	int kept = 0;
	for (int i = 0; i < 1000; i++) {
		socket_notices_add(n, "x");
		kept += n->count == 1;
		assert_true(socket_notices_take(n, text));
	}
	assert_true(kept >= NOTICES_A_SECOND);
	assert_true(kept <= NOTICES_A_SECOND * (2 + (int)(clock_s() - begun_s)));
	free(n);
}

static void users_are_allowed(void **state)
{
	(void)state;
	const socket_server_def def = {.users = {1000, 1002}, .user_count = 2};
	assert_true(socket_server_allows(&def, 0, 7));
	assert_true(socket_server_allows(&def, 7, 7));
	assert_true(socket_server_allows(&def, 1002, 7));
	assert_false(socket_server_allows(&def, 1001, 7));
	assert_false(socket_server_allows(&def, 1000, 7) && def.user_count == 0);
	const socket_server_def none = {.user_count = 0};
	assert_false(socket_server_allows(&none, 1000, 7));
}

static void refuses_wrong_texts(void **state)
{
	(void)state;
	static const struct {
		const char *text, *end;
	} cases[] = {
		{"", "path: is missing (wanted socket:PATH)"},
		{",uid=1", "path: is missing (wanted socket:PATH)"},
		{"/nowhere/at/all/socket", "No such file or directory"},
		{"x,uid=", "uid: '' is no user's number"},
		{"x,uid=root", "uid: 'root' is no user's number"},
		{"x,uid=-1", "uid: '-1' is no user's number"},
		{"x,uid=1 ", "uid: '1 ' is no user's number"},
		{"x,uid=4294967295", "uid: '4294967295' is no user's number"},
		{"x,uid=1,uid=2,uid=3,uid=4,uid=5,uid=6,uid=7,uid=8,uid=9", "uid: more than 8"},
		{"x,silence=0", "silence: '0' is not within 0.1 to 3600 seconds"},
		{"x,silence=nan", "silence: 'nan' is not within 0.1 to 3600 seconds"},
		{"x,silence=5s", "silence: '5s' is not within 0.1 to 3600 seconds"},
		{"x,fast", "'fast' is neither uid=NUMBER nor silence=SECONDS"},
	};
	char long_path[300];
	source s = {0};
	memset(long_path, 'a', sizeof long_path - 1);
	long_path[sizeof long_path - 1] = 0;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const source_open_def def = {.what = cases[i].text, .timeout_s = 0.1};
		assert_int_equal(source_open_socket(&def, &s), HOST_USAGE);
		assert_failure_ends(cases[i].end);
		assert_null(s.ops);
	}
	const source_open_def def = {.what = long_path, .timeout_s = 0.1};
	assert_int_equal(source_open_socket(&def, &s), HOST_USAGE);
	assert_failure_ends("is longer than the 107 bytes of a socket's");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_hello),
		cmocka_unit_test(reads_a_frame),
		cmocka_unit_test(refuses_what_is_no_message),
		cmocka_unit_test(refuses_a_wrong_hello),
		cmocka_unit_test(refuses_every_cut),
		cmocka_unit_test(writes_answers),
		cmocka_unit_test(reads_a_camera),
		cmocka_unit_test(compares_cameras),
		cmocka_unit_test(numbers_and_times_grow),
		cmocka_unit_test(another_driver_goes_on),
		cmocka_unit_test(numbers_do_not_run_over),
		cmocka_unit_test(descriptors_get_no_number),
		cmocka_unit_test(ring_is_sealed),
		cmocka_unit_test(ring_copies_a_slot),
		cmocka_unit_test(ring_is_bounded),
		cmocka_unit_test_setup_teardown(makes_and_removes_the_socket, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(replaces_a_dead_socket_only, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(refuses_a_foreign_socket, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(refuses_other_files, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(waits_for_the_folder, scratch_setup, scratch_teardown),
		cmocka_unit_test(notices_are_bounded),
		cmocka_unit_test(notices_are_rare),
		cmocka_unit_test(users_are_allowed),
		cmocka_unit_test(refuses_wrong_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
