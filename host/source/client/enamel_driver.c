/* SPDX-License-Identifier: Apache-2.0
 * The driver's side of PROTOCOL.md. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "enamel_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define VERSION 1u
#define SLOTS_MAX 32u
#define CAMERA_BYTES_MAX 65000u
#define NUMBER_MAX ((uint64_t)1 << 53)
#define TIME_MAX_S 1e10
#define WAIT_MAX_S 1e6
#define RING_BYTES_MAX ((uint64_t)256 << 20)
#define ANSWER_BYTES_MAX 1024u
#define ANSWER_S 5.0 /* for the host's first answer, at least */
#define RETRY_FIRST_S 0.05
#define RETRY_MAX_S 1.0
#define GOODBYE_MS 1000

#define HELLO 1u
#define FRAME 2u
#define ALIVE 3u
#define BYE 4u
#define WELCOME 16u
#define RELEASE 17u
#define REFUSED 18u

#define HEAD_BYTES 8u
#define HELLO_BYTES 48u
#define FRAME_BYTES 48u
#define WELCOME_BYTES 48u
#define RELEASE_BYTES 24u
#define REFUSED_BYTES 16u

typedef enum slot_state { SLOT_FREE, SLOT_HELD, SLOT_SENT } slot_state;

struct enm_driver {
	int socket;
	unsigned char *memory;
	size_t memory_bytes, slot_bytes, color_offset;
	int has_color;
	slot_state slots[SLOTS_MAX];
	uint32_t turns[SLOTS_MAX];
	uint32_t next; /* slot to try first, so that all take their turn */
	int begun;
	uint64_t last_number;
	double last_time_s, spoke_s;
	enm_driver_result ended; /* not OK: the connection is of no use any more, and why */
	enm_driver_facts facts;
	char text[ENM_DRIVER_TEXT_BYTES];
};

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double limit(double s)
{
	return s > 0.0 ? (s < WAIT_MAX_S ? s : WAIT_MAX_S) : 0.0;
}

static void pause_s(double s)
{
	struct timespec t;
	t.tv_sec = (time_t)s;
	t.tv_nsec = (long)((s - (double)t.tv_sec) * 1e9);
	nanosleep(&t, NULL);
}

/* Waits for events until a moment; an interrupted wait ends early. */
static void wait_for(int descriptor, short events, double until_s)
{
	struct pollfd p;
	const double wait_s = limit(until_s - now_s());
	p.fd = descriptor;
	p.events = events;
	p.revents = 0;
	(void)poll(&p, 1, (int)(1e3 * wait_s + 0.999));
}

static enm_driver_result fail(enm_driver *d, enm_driver_result result, const char *format, ...)
{
	va_list arguments;
	char *c;
	va_start(arguments, format);
	vsnprintf(d->text, sizeof d->text, format, arguments);
	va_end(arguments);
	for (c = d->text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return result;
}

/* The same for what ends the connection. */
static enm_driver_result end(enm_driver *d, enm_driver_result result, const char *text)
{
	d->ended = result;
	return fail(d, result, "%s", text);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static void put_u32(unsigned char *out, uint32_t value)
{
	int i;
	for (i = 0; i < 4; i++)
		out[i] = (unsigned char)(value >> 8 * i);
}

static void put_u64(unsigned char *out, uint64_t value)
{
	put_u32(out, (uint32_t)value);
	put_u32(out + 4, (uint32_t)(value >> 32));
}

static void put_f64(unsigned char *out, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	put_u64(out, bits);
}

static uint32_t get_u32(const unsigned char *in)
{
	return in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static uint64_t get_u64(const unsigned char *in)
{
	return get_u32(in) | (uint64_t)get_u32(in + 4) << 32;
}

static double get_f64(const unsigned char *in)
{
	const uint64_t bits = get_u64(in);
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static void put_head(unsigned char *out, uint32_t type, size_t size)
{
	put_u32(out, type);
	put_u32(out + 4, (uint32_t)size);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static void take_release(enm_driver *d, const unsigned char *bytes)
{
	const uint32_t slot = get_u32(bytes + 8);
	if (slot >= d->facts.slots || d->slots[slot] != SLOT_SENT || get_u32(bytes + 12) != d->turns[slot] + 1) {
		end(d, ENM_DRIVER_E_LOST, "the host gives back a slot that it does not have");
		return;
	}
	d->turns[slot]++;
	d->slots[slot] = SLOT_FREE;
	d->facts.left_out += get_u32(bytes + 16) != 0;
}

static void take_refused(enm_driver *d, const unsigned char *bytes, size_t size)
{
	char text[ENM_DRIVER_TEXT_BYTES];
	const size_t length = size - REFUSED_BYTES;
	const uint32_t code = get_u32(bytes + 8);
	snprintf(text, sizeof text, "%s: %.*s", code == ENM_DRIVER_REFUSAL_OVER ? "over" : "refused", (int)length,
		(const char *)bytes + REFUSED_BYTES);
	d->facts.refusal = (enm_driver_refusal)code;
	end(d, code == ENM_DRIVER_REFUSAL_OVER ? ENM_DRIVER_OVER : ENM_DRIVER_E_REFUSED, text);
}

static void take_answer(enm_driver *d, const unsigned char *bytes, size_t size)
{
	const uint32_t type = size >= HEAD_BYTES ? get_u32(bytes) : 0;
	if (size < HEAD_BYTES || get_u32(bytes + 4) != size)
		end(d, ENM_DRIVER_E_LOST, "what comes from the host is no message");
	else if (type == RELEASE && size == RELEASE_BYTES)
		take_release(d, bytes);
	else if (type == REFUSED && size >= REFUSED_BYTES && get_u32(bytes + 12) == size - REFUSED_BYTES)
		take_refused(d, bytes, size);
	else
		end(d, ENM_DRIVER_E_LOST, "the host sends an unknown message");
}

/* Reads all that the host has sent. */
static enm_driver_result hear(enm_driver *d)
{
	unsigned char bytes[ANSWER_BYTES_MAX];
	while (d->ended == ENM_DRIVER_OK) {
		const ssize_t got = recv(d->socket, bytes, sizeof bytes, 0);
		if (got > 0)
			take_answer(d, bytes, (size_t)got);
		else if (got < 0 && errno == EAGAIN)
			break;
		else if (!got ||
			 (errno != EINTR && errno != ECONNRESET)) /* which comes once, before the last message */
			return end(d, ENM_DRIVER_E_LOST, "the host is gone");
	}
	return d->ended;
}

/* Sends one message. NO_SLOT when the kernel takes no more because the host does not read. */
static enm_driver_result say(enm_driver *d, const unsigned char *bytes, size_t size)
{
	ssize_t sent;
	do
		sent = send(d->socket, bytes, size, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0) {
		d->spoke_s = now_s();
		return ENM_DRIVER_OK;
	}
	if (errno == EAGAIN)
		return fail(d, ENM_DRIVER_NO_SLOT, "the host does not read");
	return hear(d) != ENM_DRIVER_OK ? d->ended : end(d, ENM_DRIVER_E_LOST, "the host is gone");
}

/* ---- the handshake ---------------------------------------------------------------------------------------------- */

static int set_flags(int descriptor)
{
	return fcntl(descriptor, F_SETFD, FD_CLOEXEC) || fcntl(descriptor, F_SETFL, O_NONBLOCK);
}

static enm_driver_result connect_once(enm_driver *d, const char *path)
{
	struct sockaddr_un address;
	memset(&address, 0, sizeof address);
	address.sun_family = AF_UNIX;
	strcpy(address.sun_path, path);
	d->socket = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (d->socket < 0 || set_flags(d->socket))
		return fail(d, ENM_DRIVER_E_SYSTEM, "cannot make a socket: %s", strerror(errno));
	if (!connect(d->socket, (const struct sockaddr *)&address, sizeof address))
		return ENM_DRIVER_OK;
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
	case EAGAIN:
	case EINTR:
		return fail(d, ENM_DRIVER_E_NO_HOST, "path: no host at %s: %s", path, strerror(errno));
	case EPROTOTYPE:
		return fail(d, ENM_DRIVER_E_LOST, "path: %s is a socket of another kind", path);
	default:
		return fail(d, ENM_DRIVER_E_SYSTEM, "path: cannot connect to %s: %s", path, strerror(errno));
	}
}

static enm_driver_result send_hello(enm_driver *d, const enm_driver_def *def)
{
	static const unsigned char magic[8] = {0x89, 'E', 'N', 'M', 'D', 'R', 'V', 0x0a};
	const size_t length = strlen(def->camera_json), size = HELLO_BYTES + length;
	unsigned char *bytes = malloc(size);
	enm_driver_result result;
	if (!bytes)
		return fail(d, ENM_DRIVER_E_SYSTEM, "out of memory");
	put_head(bytes, HELLO, size);
	memcpy(bytes + 8, magic, sizeof magic);
	put_u32(bytes + 16, VERSION);
	put_u32(bytes + 20, def->has_color != 0);
	put_u32(bytes + 24, def->width);
	put_u32(bytes + 28, def->height);
	put_f64(bytes + 32, def->fps);
	put_u32(bytes + 40, def->slots);
	put_u32(bytes + 44, (uint32_t)length);
	memcpy(bytes + HELLO_BYTES, def->camera_json, length);
	result = say(d, bytes, size);
	free(bytes);
	return result == ENM_DRIVER_NO_SLOT ? fail(d, ENM_DRIVER_E_SYSTEM, "the socket takes no message so long")
					    : result;
}

/* Reads one message and the descriptor that came with it, -1 for none. */
static ssize_t receive_with_descriptor(int from, unsigned char *bytes, size_t room, int *out_descriptor)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part;
	struct msghdr m;
	const struct cmsghdr *c;
	ssize_t got;
	part.iov_base = bytes;
	part.iov_len = room;
	memset(&m, 0, sizeof m);
	m.msg_iov = &part;
	m.msg_iovlen = 1;
	m.msg_control = &control;
	m.msg_controllen = sizeof control.room;
	*out_descriptor = -1;
	got = recvmsg(from, &m, 0);
	c = got > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int))) {
		memcpy(out_descriptor, CMSG_DATA(c), sizeof(int));
		(void)fcntl(*out_descriptor, F_SETFD, FD_CLOEXEC);
	}
	return got;
}

/* Takes the ring that WELCOME describes into this process's memory. */
static enm_driver_result take_welcome(enm_driver *d, const unsigned char *bytes, int ring, const enm_driver_def *def)
{
	const size_t pixels = (size_t)def->width * def->height;
	const uint64_t slot = get_u64(bytes + 16), color = get_u64(bytes + 24);
	struct stat about;
	d->facts.slots = get_u32(bytes + 12);
	d->facts.silence_s = get_f64(bytes + 32);
	d->facts.wanted_fps = get_f64(bytes + 40);
	if (get_u32(bytes + 8) != VERSION || d->facts.slots < 1 || d->facts.slots > SLOTS_MAX ||
		slot > RING_BYTES_MAX / d->facts.slots || slot < 2 * pixels || !(d->facts.silence_s > 0.0) ||
		(def->has_color && (color < 2 * pixels || color > slot || slot - color < 3 * pixels)))
		return fail(d, ENM_DRIVER_E_LOST, "the host's WELCOME makes no sense");
	d->slot_bytes = (size_t)slot;
	d->color_offset = (size_t)color;
	d->memory_bytes = d->slot_bytes * d->facts.slots;
	if (fstat(ring, &about) || (uint64_t)about.st_size < d->memory_bytes)
		return fail(d, ENM_DRIVER_E_LOST, "the host's memory is smaller than it says");
	d->memory = mmap(NULL, d->memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0);
	if (d->memory == MAP_FAILED) {
		d->memory = NULL;
		return fail(d, ENM_DRIVER_E_SYSTEM, "cannot map the host's memory: %s", strerror(errno));
	}
	return ENM_DRIVER_OK;
}

static enm_driver_result wait_for_welcome(enm_driver *d, const enm_driver_def *def, double until_s)
{
	unsigned char bytes[ANSWER_BYTES_MAX];
	enm_driver_result result;
	ssize_t got;
	int ring;
	do {
		wait_for(d->socket, POLLIN, until_s);
		got = receive_with_descriptor(d->socket, bytes, sizeof bytes, &ring);
	} while (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET) && now_s() < until_s);
	if (got < 0 && errno == EAGAIN)
		return fail(d, ENM_DRIVER_E_LOST, "the host does not answer");
	if (got <= 0)
		return fail(d, ENM_DRIVER_E_LOST, "the host is gone before it answered");
	if ((size_t)got == WELCOME_BYTES && get_u32(bytes) == WELCOME && get_u32(bytes + 4) == WELCOME_BYTES &&
		ring >= 0) {
		result = take_welcome(d, bytes, ring, def);
	} else {
		take_answer(d, bytes, (size_t)got);
		result = d->ended != ENM_DRIVER_OK ? d->ended
						   : fail(d, ENM_DRIVER_E_LOST, "the host did not answer in order");
	}
	if (ring >= 0)
		close(ring); /* the mapping stays */
	return result;
}

static enm_driver_result try_once(enm_driver *d, const enm_driver_def *def, double until_s)
{
	const double answer_s = now_s() + ANSWER_S;
	enm_driver_result result = connect_once(d, def->path);
	if (result == ENM_DRIVER_OK)
		result = send_hello(d, def);
	if (result == ENM_DRIVER_OK)
		result = wait_for_welcome(d, def, until_s > answer_s ? until_s : answer_s);
	if (result != ENM_DRIVER_OK && d->socket >= 0) {
		close(d->socket);
		d->socket = -1;
	}
	return result;
}

static enm_driver_result check_def(enm_driver *d, const enm_driver_def *def)
{
	struct sockaddr_un address;
	if (!def->path || !*def->path || strlen(def->path) >= sizeof address.sun_path)
		return fail(
			d, ENM_DRIVER_E_ARGUMENT, "path: wanted 1 to %u bytes", (unsigned)sizeof address.sun_path - 1);
	if (!def->camera_json || strlen(def->camera_json) > CAMERA_BYTES_MAX)
		return fail(
			d, ENM_DRIVER_E_ARGUMENT, "camera_json: wanted a text of at most %u bytes", CAMERA_BYTES_MAX);
	if (def->width < 16 || def->width > 4096 || def->height < 16 || def->height > 4096)
		return fail(d, ENM_DRIVER_E_ARGUMENT, "width, height: not within 16 to 4096");
	if (!(def->fps >= 1e-3 && def->fps <= 1e5))
		return fail(d, ENM_DRIVER_E_ARGUMENT, "fps: not within 0.001 to 100000");
	if (def->slots > SLOTS_MAX)
		return fail(d, ENM_DRIVER_E_ARGUMENT, "slots: above %u", SLOTS_MAX);
	if (!(def->timeout_s >= 0.0))
		return fail(d, ENM_DRIVER_E_ARGUMENT, "timeout_s: below 0");
	return ENM_DRIVER_OK;
}

static enm_driver_result open_driver(enm_driver *d, const enm_driver_def *def)
{
	const double until_s = now_s() + limit(def->timeout_s);
	double retry_s = RETRY_FIRST_S;
	for (;;) {
		const enm_driver_result result = try_once(d, def, until_s);
		const double left_s = until_s - now_s();
		if (left_s <= 0.0 || (result != ENM_DRIVER_E_NO_HOST && d->facts.refusal != ENM_DRIVER_REFUSAL_BUSY))
			return result;
		memset(&d->facts, 0, sizeof d->facts);
		d->ended = ENM_DRIVER_OK;
		pause_s(left_s < retry_s ? left_s : retry_s);
		retry_s = 2.0 * retry_s < RETRY_MAX_S ? 2.0 * retry_s : RETRY_MAX_S;
	}
}

static void free_driver(enm_driver *d)
{
	if (d->memory)
		munmap(d->memory, d->memory_bytes);
	if (d->socket >= 0)
		close(d->socket);
	free(d);
}

enm_driver_result enm_driver_open(const enm_driver_def *def, enm_driver **out_driver, char why[ENM_DRIVER_TEXT_BYTES])
{
	enm_driver_result result;
	enm_driver *d;
	if (why)
		*why = 0;
	if (!out_driver)
		return ENM_DRIVER_E_ARGUMENT;
	*out_driver = NULL;
	d = def ? calloc(1, sizeof *d) : NULL;
	if (!d)
		return def ? ENM_DRIVER_E_SYSTEM : ENM_DRIVER_E_ARGUMENT;
	d->socket = -1;
	d->has_color = def->has_color != 0;
	result = check_def(d, def);
	if (result == ENM_DRIVER_OK)
		result = open_driver(d, def);
	if (result == ENM_DRIVER_OK) {
		*out_driver = d;
		return result;
	}
	if (why)
		memcpy(why, d->text, sizeof d->text);
	free_driver(d);
	return result == ENM_DRIVER_OVER ? ENM_DRIVER_E_REFUSED : result;
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

const char *enm_driver_text(const enm_driver *d)
{
	return d ? d->text : "";
}

const enm_driver_facts *enm_driver_get_facts(const enm_driver *d)
{
	return d ? &d->facts : NULL;
}

/* Says that the driver lives, if it has not said anything for a share of the silence that the host bears. */
static enm_driver_result keep_alive(enm_driver *d, double share)
{
	unsigned char bytes[HEAD_BYTES];
	enm_driver_result result;
	if (now_s() - d->spoke_s < share * d->facts.silence_s)
		return ENM_DRIVER_OK;
	put_head(bytes, ALIVE, sizeof bytes);
	result = say(d, bytes, sizeof bytes);
	return result == ENM_DRIVER_NO_SLOT ? ENM_DRIVER_OK : result; /* the host has enough to read */
}

enm_driver_result enm_driver_alive(enm_driver *d)
{
	if (!d)
		return ENM_DRIVER_E_ARGUMENT;
	return hear(d) != ENM_DRIVER_OK ? d->ended : keep_alive(d, 0.1);
}

/* The free slot whose turn it is, or `slots`. */
static uint32_t find_free(const enm_driver *d)
{
	uint32_t i;
	for (i = 0; i < d->facts.slots; i++)
		if (d->slots[(d->next + i) % d->facts.slots] == SLOT_FREE)
			return (d->next + i) % d->facts.slots;
	return d->facts.slots;
}

enm_driver_result enm_driver_acquire(enm_driver *d, double timeout_s, enm_driver_slot *out_slot)
{
	const double until_s = now_s() + limit(timeout_s);
	enm_driver_result result;
	uint32_t slot;
	if (!d || !out_slot)
		return ENM_DRIVER_E_ARGUMENT;
	memset(out_slot, 0, sizeof *out_slot);
	while ((result = hear(d)) == ENM_DRIVER_OK && (slot = find_free(d)) == d->facts.slots) {
		const double speak_s = now_s() + d->facts.silence_s / 4;
		if (now_s() >= until_s)
			return fail(d, ENM_DRIVER_NO_SLOT, "the host has not given back a slot");
		result = keep_alive(d, 0.25);
		if (result != ENM_DRIVER_OK)
			return result;
		wait_for(d->socket, POLLIN, until_s < speak_s ? until_s : speak_s);
	}
	if (result != ENM_DRIVER_OK)
		return result;
	d->slots[slot] = SLOT_HELD;
	d->next = (slot + 1) % d->facts.slots;
	out_slot->index = slot;
	out_slot->depth = (uint16_t *)(void *)(d->memory + slot * d->slot_bytes);
	out_slot->rgb = d->has_color ? d->memory + slot * d->slot_bytes + d->color_offset : NULL;
	return ENM_DRIVER_OK;
}

static enm_driver_result check_frame(
	enm_driver *d, const enm_driver_slot *slot, uint64_t number, double time_s, int has_color)
{
	if (slot->index >= d->facts.slots || d->slots[slot->index] != SLOT_HELD)
		return fail(d, ENM_DRIVER_E_ARGUMENT, "slot: is not held");
	if (has_color && !d->has_color)
		return fail(d, ENM_DRIVER_E_ARGUMENT, "has_color: was not asked for when the driver was opened");
	if (number > NUMBER_MAX || (d->begun && number <= d->last_number))
		return fail(d, ENM_DRIVER_E_ARGUMENT, "number: has not grown, or is above 2^53");
	if (!(time_s >= -TIME_MAX_S && time_s <= TIME_MAX_S) || (d->begun && time_s <= d->last_time_s))
		return fail(d, ENM_DRIVER_E_ARGUMENT, "time_s: has not grown, or is no time");
	return ENM_DRIVER_OK;
}

enm_driver_result enm_driver_submit(
	enm_driver *d, const enm_driver_slot *slot, uint64_t number, double time_s, int has_color)
{
	unsigned char bytes[FRAME_BYTES];
	enm_driver_result result;
	if (!d || !slot)
		return ENM_DRIVER_E_ARGUMENT;
	if (hear(d) != ENM_DRIVER_OK)
		return d->ended;
	result = check_frame(d, slot, number, time_s, has_color);
	if (result != ENM_DRIVER_OK)
		return result;
	put_head(bytes, FRAME, sizeof bytes);
	put_u32(bytes + 8, slot->index);
	put_u32(bytes + 12, d->turns[slot->index]);
	put_u32(bytes + 16, has_color != 0);
	put_u32(bytes + 20, 0);
	put_u64(bytes + 24, number);
	put_f64(bytes + 32, time_s);
	put_f64(bytes + 40, now_s());
	result = say(d, bytes, sizeof bytes);
	if (result != ENM_DRIVER_OK)
		return result;
	d->slots[slot->index] = SLOT_SENT;
	d->begun = 1;
	d->last_number = number;
	d->last_time_s = time_s;
	return ENM_DRIVER_OK;
}

void enm_driver_close(enm_driver **driver, int scan_is_over)
{
	enm_driver *d = driver ? *driver : NULL;
	unsigned char bytes[HEAD_BYTES];
	if (!d)
		return;
	put_head(bytes, BYE, sizeof bytes);
	if (scan_is_over && d->ended == ENM_DRIVER_OK && say(d, bytes, sizeof bytes) == ENM_DRIVER_NO_SLOT) {
		wait_for(d->socket, POLLOUT, now_s() + 1e-3 * GOODBYE_MS);
		(void)say(d, bytes, sizeof bytes);
	}
	free_driver(d);
	*driver = NULL;
}
