/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* SOCK_NONBLOCK with socket() */
#include "socket_rig.h"

#include "cmocka_all.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "scratch.h"

#define WAIT_S 60.0 /* on a loaded machine */
#define PASSED_MAX 16

const char rig_camera[] = "{\"width\": 48, \"height\": 32, \"intrinsic_matrix\": [40, 0, 0, 0, 40, 0, 23.5, 15.5, 1],\n"
			  " \"depth_scale\": 1000, \"depth_unit\": \"mm\"}\n";

void rig_frame_clear(rig_frame *f)
{
	memset(f, 0, sizeof *f);
	f->frame.depth = f->depth;
	f->frame.rgb = f->rgb;
}

static uint32_t mix(uint64_t number, size_t at)
{
	const uint64_t z = (number * 0x9E3779B97F4A7C15u + at + 1) * 0xBF58476D1CE4E5B9u;
	return (uint32_t)(z >> 32);
}

void rig_paint(uint64_t number, uint16_t *depth, uint8_t *rgb)
{
	for (size_t i = 0; i < RIG_PIXELS; i++) {
		const uint32_t value = mix(number, i);
		depth[i] = (uint16_t)value;
		for (size_t c = 0; rgb && c < 3; c++)
			rgb[3 * i + c] = (uint8_t)(value >> (8 + 8 * c));
	}
}

bool rig_is_painted(uint64_t number, const uint16_t *depth, const uint8_t *rgb)
{
	static uint16_t wanted[RIG_PIXELS];
	static uint8_t wanted_rgb[3 * RIG_PIXELS];
	rig_paint(number, wanted, wanted_rgb);
	return !memcmp(depth, wanted, sizeof wanted) && (!rgb || !memcmp(rgb, wanted_rgb, sizeof wanted_rgb));
}

/* ---- orderly ---------------------------------------------------------------------------------------------------- */

enm_driver_def rig_def(const char *path)
{
	return (enm_driver_def){.path = path,
		.camera_json = rig_camera,
		.width = RIG_WIDTH,
		.height = RIG_HEIGHT,
		.has_color = 1,
		.fps = 30.0,
		.slots = 4,
		.timeout_s = WAIT_S};
}

typedef struct opening {
	const enm_driver_def *def;
	enm_driver *driver;
	enm_driver_result result;
	char why[ENM_DRIVER_TEXT_BYTES];
	volatile int done;
} opening;

static void *open_on_thread(void *argument)
{
	opening *o = argument;
	o->result = enm_driver_open(o->def, &o->driver, o->why);
	__atomic_store_n(&o->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

const char *rig_path(void)
{
	static char path[SCRATCH_PATH_MAX];
	snprintf(path, sizeof path, "%s", scratch_path("socket"));
	return path;
}

void rig_open(const char *text, source *out_source, enm_driver **out_driver)
{
	const enm_driver_def def = rig_def(rig_path());
	opening o = {.def = &def};
	pthread_t thread;
	const source_open_def open_def = {.what = text, .timeout_s = WAIT_S};
	assert_int_equal(pthread_create(&thread, NULL, open_on_thread, &o), 0);
	const host_status status = source_open_socket(&open_def, out_source);
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (status || o.result)
		fail_msg("source: %s; driver: %s", status ? host_error_text() : "well", o.why);
	*out_driver = o.driver;
}

enm_driver_result rig_reopen(
	source *s, const enm_driver_def *def, enm_driver **out_driver, char why[ENM_DRIVER_TEXT_BYTES])
{
	opening o = {.def = def};
	pthread_t thread;
	rig_frame f;
	rig_frame_clear(&f);
	assert_int_equal(pthread_create(&thread, NULL, open_on_thread, &o), 0);
	while (!__atomic_load_n(&o.done, __ATOMIC_ACQUIRE))
		assert_int_equal(s->ops->next(s->state, 0.01, &f.frame), SOURCE_WAIT);
	assert_int_equal(pthread_join(thread, NULL), 0);
	*out_driver = o.driver;
	memcpy(why, o.why, sizeof o.why);
	return o.result;
}

enm_driver_result rig_submit(enm_driver *d, uint64_t number, double time_s)
{
	enm_driver_slot slot;
	const enm_driver_result result = enm_driver_acquire(d, 0.0, &slot);
	if (result != ENM_DRIVER_OK)
		return result;
	rig_paint(number, slot.depth, slot.rgb);
	return enm_driver_submit(d, &slot, number, time_s, 1);
}

void rig_expect(source *s, uint64_t number)
{
	rig_frame f;
	rig_frame_clear(&f);
	assert_int_equal(s->ops->next(s->state, 1.0, &f.frame), SOURCE_FRAME);
	assert_int_equal(f.frame.number, number);
	assert_true(f.frame.has_color);
	assert_true(rig_is_painted(number, f.depth, f.rgb));
}

const char *rig_notices(source *s)
{
	static char all[65536];
	char line[SOURCE_REASON_BYTES];
	size_t used = 0;
	*all = 0;
	while (s->ops->notice(s->state, line) && used < sizeof all - sizeof line - 1)
		used += (size_t)snprintf(all + used, sizeof all - used, "%s\n", line);
	return all;
}

int64_t rig_count(source *s, const char *where, const char *key)
{
	json_t *root = s->ops->report(s->state);
	assert_non_null(root);
	const json_t *value = json_object_get(*where ? json_object_get(root, where) : root, key);
	assert_true(json_is_integer(value));
	const int64_t count = json_integer_value(value);
	json_decref(root);
	return count;
}

void rig_close(source *s)
{
	s->ops->destroy(s->state);
	memset(s, 0, sizeof *s);
}

/* ---- raw -------------------------------------------------------------------------------------------------------- */

void rig_put_u32(rig_message *m, size_t at, uint32_t value)
{
	for (size_t i = 0; i < 4; i++)
		m->bytes[at + i] = (uint8_t)(value >> 8 * i);
}

void rig_put_u64(rig_message *m, size_t at, uint64_t value)
{
	rig_put_u32(m, at, (uint32_t)value);
	rig_put_u32(m, at + 4, (uint32_t)(value >> 32));
}

void rig_put_f64(rig_message *m, size_t at, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	rig_put_u64(m, at, bits);
}

rig_message *rig_head(uint32_t type, size_t size)
{
	static rig_message messages[32];
	static unsigned next;
	rig_message *m = &messages[next++ % 32];
	memset(m, 0, sizeof *m);
	m->size = size;
	rig_put_u32(m, 0, type);
	rig_put_u32(m, 4, (uint32_t)size);
	return m;
}

rig_message *rig_hello(const char *camera)
{
	const size_t length = strlen(camera);
	rig_message *m = rig_head(1, 48 + length);
	memcpy(m->bytes + 8, "\211ENMDRV\n", 8);
	rig_put_u32(m, 16, 1);
	rig_put_u32(m, 20, 1);
	rig_put_u32(m, 24, RIG_WIDTH);
	rig_put_u32(m, 28, RIG_HEIGHT);
	rig_put_f64(m, 32, 30.0);
	rig_put_u32(m, 40, 4);
	rig_put_u32(m, 44, (uint32_t)length);
	memcpy(m->bytes + 48, camera, length);
	return m;
}

rig_message *rig_frame_message(uint32_t slot, uint32_t turn, uint64_t number, double time_s)
{
	rig_message *m = rig_head(2, 48);
	rig_put_u32(m, 8, slot);
	rig_put_u32(m, 12, turn);
	rig_put_u32(m, 16, 1);
	rig_put_u64(m, 24, number);
	rig_put_f64(m, 32, time_s);
	return m;
}

int rig_try_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	const int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(descriptor >= 0);
	if (!connect(descriptor, (const struct sockaddr *)&address, sizeof address))
		return descriptor;
	close(descriptor);
	return -1;
}

int rig_connect(const char *path)
{
	const int descriptor = rig_try_connect(path);
	assert_true(descriptor >= 0);
	return descriptor;
}

bool rig_send_bytes(int descriptor, const void *bytes, size_t size)
{
	return send(descriptor, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

bool rig_send(int descriptor, const rig_message *m)
{
	return rig_send_bytes(descriptor, m->bytes, m->size);
}

bool rig_send_with_descriptors(int descriptor, const rig_message *m, const int *passed, int count)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	} control;
	struct iovec part = {(void *)(uintptr_t)m->bytes, m->size};
	const size_t bytes = (size_t)count * sizeof *passed;
	assert_true(count <= PASSED_MAX);
	memset(&control, 0, sizeof control);
	control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(bytes), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.head), passed, bytes);
	const struct msghdr h = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(bytes)};
	return sendmsg(descriptor, &h, MSG_NOSIGNAL) == (ssize_t)m->size;
}

static uint32_t get_u32(const uint8_t *in)
{
	return in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static uint64_t get_u64(const uint8_t *in)
{
	return get_u32(in) | (uint64_t)get_u32(in + 4) << 32;
}

static void read_answer(const uint8_t *bytes, size_t size, rig_answer *out)
{
	assert_true(size >= 8 && get_u32(bytes + 4) == size);
	out->type = get_u32(bytes);
	switch (out->type) {
	case 16:
		assert_int_equal(size, 48);
		assert_int_equal(get_u32(bytes + 8), 1);
		out->slots = get_u32(bytes + 12);
		out->slot_bytes = get_u64(bytes + 16);
		out->color_offset = get_u64(bytes + 24);
		break;
	case 17:
		assert_int_equal(size, 24);
		out->slot = get_u32(bytes + 8);
		out->turn = get_u32(bytes + 12);
		out->fate = get_u32(bytes + 16);
		break;
	case 18:
		out->code = get_u32(bytes + 8);
		assert_int_equal(size, 16 + get_u32(bytes + 12));
		snprintf(out->text, sizeof out->text, "%.*s", (int)(size - 16), (const char *)bytes + 16);
		break;
	default:
		fail_msg("the host sent the unknown type %u", (unsigned)out->type);
	}
}

rig_answer rig_receive(int descriptor)
{
	uint8_t bytes[1024];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	rig_answer answer = {.ring = -1};
	struct iovec part = {bytes, sizeof bytes};
	struct msghdr h = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.room};
	ssize_t got;
	do
		got = recvmsg(descriptor, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && (errno == ECONNRESET || errno == EINTR));
	if (got < 0 && errno == EAGAIN)
		return answer;
	answer.type = UINT32_MAX;
	const struct cmsghdr *c = got > 0 ? CMSG_FIRSTHDR(&h) : NULL;
	if (c)
		memcpy(&answer.ring, CMSG_DATA(c), sizeof answer.ring);
	if (got > 0)
		read_answer(bytes, (size_t)got, &answer);
	return answer;
}

rig_answer rig_wait_answer(source *s, int descriptor)
{
	rig_frame f;
	rig_answer answer = rig_receive(descriptor);
	rig_frame_clear(&f);
	for (int i = 0; !answer.type && i < 100; i++) {
		(void)s->ops->next(s->state, 0.01, &f.frame);
		answer = rig_receive(descriptor);
	}
	return answer;
}

void rig_raw_open(source *s, rig_raw *out)
{
	out->descriptor = rig_connect(rig_path());
	assert_true(rig_send(out->descriptor, rig_hello(rig_camera)));
	out->welcome = rig_wait_answer(s, out->descriptor);
	assert_int_equal(out->welcome.type, 16);
	out->ring_bytes = (size_t)out->welcome.slot_bytes * out->welcome.slots;
	out->ring = mmap(NULL, out->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, out->welcome.ring, 0);
	assert_true(out->ring != MAP_FAILED);
}

void rig_raw_close(rig_raw *r)
{
	munmap(r->ring, r->ring_bytes);
	close(r->welcome.ring);
	close(r->descriptor);
}

int rig_descriptors(void)
{
	int count = 0;
	DIR *folder = opendir("/proc/self/fd");
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}
