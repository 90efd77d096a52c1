/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_server.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "socket_hello.h"

#define ACCEPTS_A_ROUND 4
#define MESSAGES_A_ROUND 64
#define ACCEPT_PAUSE_S 0.5 /* after the system had no descriptor left */
#define STOP_LOOK_S 0.1
#define OTHERS_S 0.1 /* at least so often */
#define POLL_MOST_S 60.0
#define SLOTS_UNASKED_S 0.5
#define SLOTS_UNASKED_MIN 8.0

bool socket_server_allows(const socket_server_def *def, uid_t user, uid_t own)
{
	bool allowed = user == own || user == 0;
	for (size_t i = 0; i < def->user_count; i++)
		allowed = allowed || user == def->users[i];
	return allowed;
}

static void tell(socket_server *s, const socket_peer *p, const char *what, const char *reason)
{
	socket_notices_add(&s->notices, "driver of process %ld, user %lu: %s%s%s", (long)p->process,
		(unsigned long)p->user, what, *reason ? ": " : "", reason);
}

static void refuse(socket_server *s, socket_peer *p, message_refusal code, const char *reason)
{
	s->counts.refused[code]++;
	tell(s, p, "refused", reason);
	socket_peer_end(p, code, reason);
}

static void end_feed(socket_server *s, message_refusal code, const char *reason)
{
	if (code != REFUSAL_NONE)
		s->counts.refused[code]++;
	tell(s, &s->feed.peer, code == REFUSAL_NONE ? "gone without a goodbye" : "disconnected", reason);
	socket_feed_end(&s->feed, code, reason);
}

/* Takes the connection out of the handshake. */
static void forget(socket_server *s, size_t at)
{
	s->waiting_count--;
	memmove(s->waiting + at, s->waiting + at + 1, (s->waiting_count - at) * sizeof *s->waiting);
}

/* ---- the handshake ---------------------------------------------------------------------------------------------- */

static int send_welcome(const socket_server *s, const socket_peer *p, const socket_ring *ring)
{
	uint8_t bytes[MESSAGE_ANSWER_BYTES_MAX];
	const message_welcome welcome = {.slots = ring->slots,
		.slot_bytes = ring->slot_bytes,
		.color_offset = ring->color_offset,
		.silence_s = s->def.silence_s,
		.wanted_fps = s->def.wanted_fps};
	return socket_peer_send(p, bytes, message_put_welcome(&welcome, bytes), ring->descriptor);
}

static void begin_feed(socket_server *s, const socket_peer *p, const socket_ring *ring, source_facts *facts)
{
	socket_feed_begin(&s->feed, p, ring);
	socket_sequence_change(&s->sequence);
	if (s->known)
		free(facts->camera_json);
	else
		s->facts = *facts;
	s->known = true;
	s->counts.drivers++;
	tell(s, p, "feeds", "");
}

/* As the driver wants it, else so many that the host may be away for half a second. */
static uint32_t choose_slots(const message_hello *hello)
{
	return hello->slots ? hello->slots : (uint32_t)fmax(SLOTS_UNASKED_MIN, ceil(SLOTS_UNASKED_S * hello->fps));
}

/* Makes the connection the one that feeds, or says why not. */
static message_refusal welcome(socket_server *s, socket_peer *p, const message_hello *hello, char *reason)
{
	source_facts facts = {0};
	socket_ring ring = {.descriptor = -1};
	if (s->feed.peer.descriptor >= 0) {
		snprintf(reason, SOURCE_REASON_BYTES, "another driver feeds");
		return REFUSAL_BUSY;
	}
	message_refusal refusal = hello_read(hello, &facts, reason);
	if (!refusal && s->known)
		refusal = hello_compare(&s->facts, &facts, reason);
	if (!refusal && socket_ring_make(hello->width, hello->height, hello->has_color, choose_slots(hello), &ring)) {
		snprintf(reason, SOURCE_REASON_BYTES, "%s", host_error_text());
		refusal = REFUSAL_SYSTEM;
	}
	const int failure = refusal ? 0 : send_welcome(s, p, &ring);
	if (failure) {
		snprintf(reason, SOURCE_REASON_BYTES, "WELCOME: cannot be sent: %s", strerror(failure));
		refusal = REFUSAL_SYSTEM;
	}
	if (!refusal) {
		begin_feed(s, p, &ring, &facts);
		return REFUSAL_NONE;
	}
	free(facts.camera_json);
	socket_ring_free(&ring);
	return refusal;
}

/* Reads what one connection says first. True when it is no longer in the handshake. */
static bool answer(socket_server *s, socket_peer *p)
{
	char reason[SOURCE_REASON_BYTES];
	size_t size;
	message m;
	message_refusal refusal = REFUSAL_PROTOCOL;
	switch (socket_peer_receive(p, clock_s(), s->message, &size, reason)) {
	case PEER_NOTHING:
		return false;
	case PEER_GONE:
		tell(s, p, "gone before it said anything", "");
		socket_peer_end(p, REFUSAL_NONE, "");
		return true;
	case PEER_BROKEN:
		break;
	case PEER_MESSAGE:
		refusal = message_get(s->message, size, &m, reason);
		if (!refusal && m.type != MESSAGE_HELLO) {
			snprintf(reason, sizeof reason, "HELLO: is not what came first");
			refusal = REFUSAL_PROTOCOL;
		}
		if (!refusal)
			refusal = welcome(s, p, &m.hello, reason);
		break;
	}
	if (refusal)
		refuse(s, p, refusal, reason);
	return true;
}

/* While the rest of a driver that died is still to be read, nobody is told that another one feeds. */
static void answer_waiting(socket_server *s)
{
	const bool held = s->waiting_count && s->feed.peer.descriptor >= 0 && socket_peer_has_hung_up(&s->feed.peer);
	for (size_t i = 0; !held && i < s->waiting_count;) {
		if (answer(s, &s->waiting[i]))
			forget(s, i);
		else
			i++;
	}
}

static void admit(socket_server *s, socket_peer *p)
{
	s->counts.connections++;
	if (!socket_server_allows(&s->def, p->user, geteuid())) {
		refuse(s, p, REFUSAL_USER, "user: may not feed this host");
		return;
	}
	if (s->waiting_count == SERVER_WAITING_MAX) {
		refuse(s, &s->waiting[0], REFUSAL_BUSY, "said nothing while others connected");
		forget(s, 0);
	}
	s->waiting[s->waiting_count++] = *p;
}

static void accept_some(socket_server *s, double now_s)
{
	for (int i = 0; i < ACCEPTS_A_ROUND && now_s >= s->accept_again_s; i++) {
		socket_peer p;
		const int failure = socket_peer_accept(s->listener.descriptor, now_s, &p);
		if (failure == EAGAIN)
			return;
		if (!failure) {
			admit(s, &p);
		} else if (failure != ECONNABORTED && failure != EINTR) {
			socket_notices_add(&s->notices, "a driver cannot connect: %s", strerror(failure));
			s->accept_again_s = now_s + ACCEPT_PAUSE_S;
		}
	}
}

static void end_overdue(socket_server *s, double now_s)
{
	while (s->waiting_count && now_s - s->waiting[0].since_s > SERVER_HANDSHAKE_S) {
		refuse(s, &s->waiting[0], REFUSAL_LATE, "HELLO: did not come in time");
		forget(s, 0);
	}
	if (s->feed.peer.descriptor < 0 || now_s - s->feed.peer.heard_s <= s->def.silence_s)
		return;
	char reason[SOURCE_REASON_BYTES];
	snprintf(reason, sizeof reason, "hangs: has said nothing for %.3g s", s->def.silence_s);
	end_feed(s, REFUSAL_SILENT, reason);
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

/* A frame, the end, or SOURCE_WAIT when for now all is read that the driver has said. */
static source_state read_feed(socket_server *s, source_frame *frame)
{
	feed_result result;
	for (int i = 0; i < MESSAGES_A_ROUND && s->feed.peer.descriptor >= 0; i++) {
		switch (socket_feed_take(&s->feed, &s->sequence, s->message, frame, &result)) {
		case FEED_NOTHING:
			return SOURCE_WAIT;
		case FEED_HEARD:
			break;
		case FEED_FRAME:
			s->counts.frames++;
			return SOURCE_FRAME;
		case FEED_LEFT_OUT:
			*(result.fate == FATE_NUMBER ? &s->counts.left_out_number : &s->counts.left_out_time) += 1;
			tell(s, &s->feed.peer, "a frame is left out", result.reason);
			break;
		case FEED_BYE:
			s->over = true;
			tell(s, &s->feed.peer, "ends the scan", "");
			socket_feed_end(&s->feed, REFUSAL_NONE, "");
			return SOURCE_END;
		case FEED_GONE:
			s->counts.drivers_lost++;
			end_feed(s, REFUSAL_NONE, "");
			return SOURCE_WAIT;
		case FEED_BROKEN:
			end_feed(s, result.refusal, result.reason);
			return SOURCE_WAIT;
		}
	}
	return SOURCE_WAIT;
}

/* When there is something to do, whoever says nothing until then. */
static double find_next_due(const socket_server *s, double until_s)
{
	double due_s = until_s;
	if (s->waiting_count)
		due_s = fmin(due_s, s->waiting[0].since_s + SERVER_HANDSHAKE_S);
	if (s->feed.peer.descriptor >= 0)
		due_s = fmin(due_s, s->feed.peer.heard_s + s->def.silence_s);
	return s->accept_again_s > clock_s() ? fmin(due_s, s->accept_again_s) : due_s;
}

static host_status wait_for_news(socket_server *s, double until_s)
{
	struct pollfd watched[SERVER_WAITING_MAX + 2];
	nfds_t count = 0;
	const double now_s = clock_s();
	const double wait_s = fmin(fmax(find_next_due(s, until_s) - now_s, 0.0), POLL_MOST_S);
	watched[count++] = (struct pollfd){now_s >= s->accept_again_s ? s->listener.descriptor : -1, POLLIN, 0};
	watched[count++] = (struct pollfd){s->feed.peer.descriptor, POLLIN, 0};
	for (size_t i = 0; i < s->waiting_count; i++)
		watched[count++] = (struct pollfd){s->waiting[i].descriptor, POLLIN, 0};
	if (poll(watched, count, (int)ceil(1e3 * wait_s)) < 0 && errno != EINTR)
		return host_fail_file(HOST_IO, "socket", "path: %s: %s", s->def.path, strerror(errno));
	return HOST_OK;
}

static void serve_others(socket_server *s)
{
	s->served_s = clock_s();
	answer_waiting(s);
	accept_some(s, clock_s());
	end_overdue(s, clock_s());
}

source_state socket_server_next(socket_server *s, double timeout_s, source_frame *frame)
{
	const double until_s = clock_s() + fmax(timeout_s, 0.0);
	for (;;) {
		const source_state state = s->over ? SOURCE_END : read_feed(s, frame);
		/* a driver that is always ahead of us must not keep others waiting for an answer */
		if (state == SOURCE_WAIT || (state == SOURCE_FRAME && clock_s() - s->served_s >= OTHERS_S))
			serve_others(s);
		if (state != SOURCE_WAIT)
			return state;
		if (clock_s() >= until_s)
			return SOURCE_WAIT;
		if (wait_for_news(s, until_s))
			return SOURCE_FAILED;
	}
}

host_status socket_server_meet(socket_server *s, double timeout_s, const volatile sig_atomic_t *stop)
{
	const double until_s = timeout_s > 0.0 ? clock_s() + timeout_s : (double)INFINITY;
	host_status status = HOST_OK;
	while (!status && !s->known) {
		char last[SOURCE_REASON_BYTES] = "";
		if (stop && *stop)
			return host_fail(HOST_INTERRUPTED, "interrupted while waiting for a driver at %s", s->def.path);
		status = wait_for_news(s, fmin(until_s, clock_s() + STOP_LOOK_S));
		serve_others(s);
		if (s->known || status || clock_s() < until_s)
			continue;
		while (socket_notices_take(&s->notices, last))
			;
		status = host_fail_file(HOST_USAGE, "socket", "path: %s: no driver within %.3g s%s%s", s->def.path,
			timeout_s, *last ? "; the last notice: " : "", last);
	}
	return status;
}

host_status socket_server_open(socket_server *s, const socket_server_def *def)
{
	memset(s, 0, sizeof *s);
	s->def = *def;
	s->feed.peer.descriptor = s->feed.ring.descriptor = -1;
	return socket_listen(s->def.path, def->user_count ? 0666 : 0600, &s->listener);
}

void socket_server_close(socket_server *s)
{
	for (size_t i = 0; i < s->waiting_count; i++)
		socket_peer_end(&s->waiting[i], REFUSAL_OVER, "the host ends the scan");
	socket_feed_end(&s->feed, REFUSAL_OVER, "the host ends the scan");
	socket_listen_end(&s->listener);
	free(s->facts.camera_json);
}
