/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

void socket_feed_begin(socket_feed *f, const socket_peer *peer, const socket_ring *ring)
{
	memset(f, 0, sizeof *f);
	f->peer = *peer;
	f->ring = *ring;
	f->empty_s = f->chatter_since_s = peer->heard_s;
}

void socket_feed_end(socket_feed *f, message_refusal code, const char *reason)
{
	socket_peer_end(&f->peer, code, reason);
	socket_ring_free(&f->ring);
}

static feed_answer refuse(feed_result *out, message_refusal code, const char *text)
{
	out->refusal = code;
	snprintf(out->reason, sizeof out->reason, "%s", text);
	return FEED_BROKEN;
}

/* NULL when the frame may be looked at. */
static const char *find_fault(const socket_feed *f, const message_frame *m)
{
	if (m->slot >= f->ring.slots)
		return "FRAME: slot: there is none of this number";
	if (m->turn != f->ring.turns[m->slot])
		return "FRAME: turn: the slot was used already";
	if (m->has_color && !f->ring.color_bytes)
		return "FRAME: flags: colour, which HELLO did not promise";
	return NULL;
}

/* When the frame was there: as the driver says, within what was seen here. */
static double arrival(const socket_feed *f, double submitted_s, double now_s)
{
	if (!(submitted_s <= now_s))
		return now_s;
	return submitted_s >= f->empty_s ? submitted_s : f->empty_s;
}

static void give_back(socket_feed *f, uint32_t slot, message_fate fate)
{
	uint8_t bytes[MESSAGE_ANSWER_BYTES_MAX];
	const size_t size = message_put_release(slot, ++f->ring.turns[slot], fate, bytes);
	if (socket_peer_send(&f->peer, bytes, size, -1) == EAGAIN)
		f->deaf = true;
}

static feed_answer leave_out(socket_feed *f, const message_frame *m, feed_result *out)
{
	if (++f->left_out_in_a_row >= FEED_LEFT_OUT_MAX)
		return refuse(out, REFUSAL_PROTOCOL, "FRAME: number, time: have not grown for 16 frames");
	if (out->fate == FATE_NUMBER)
		snprintf(out->reason, sizeof out->reason,
			"FRAME: number: %" PRIu64 " is too large, or not above the last one", m->number);
	else
		snprintf(out->reason, sizeof out->reason,
			"FRAME: time: %.9g s of frame %" PRIu64 " is no time, or not behind the last one", m->time_s,
			m->number);
	return FEED_LEFT_OUT;
}

static feed_answer take_frame(
	socket_feed *f, socket_sequence *q, const message_frame *m, source_frame *frame, feed_result *out)
{
	const char *fault = find_fault(f, m);
	if (fault)
		return refuse(out, REFUSAL_PROTOCOL, fault);
	frame->number = m->number;
	frame->time_s = m->time_s;
	frame->has_color = m->has_color;
	frame->arrived_s = arrival(f, m->submitted_s, clock_s());
	out->fate = socket_sequence_place(q, frame->arrived_s, &frame->number, &frame->time_s);
	if (out->fate == FATE_TAKEN)
		socket_ring_copy(&f->ring, m->slot, frame->depth, m->has_color ? frame->rgb : NULL);
	give_back(f, m->slot, out->fate);
	if (out->fate != FATE_TAKEN)
		return leave_out(f, m, out);
	f->left_out_in_a_row = 0;
	return FEED_FRAME;
}

static feed_answer hear_chatter(socket_feed *f, double now_s, feed_result *out)
{
	if (now_s - f->chatter_since_s > 1.0) {
		f->chatter_since_s = now_s;
		f->chatter = 0;
	}
	if (++f->chatter > FEED_CHATTER_MAX)
		return refuse(out, REFUSAL_PROTOCOL, "ALIVE: more than 1000 in a second");
	return FEED_HEARD;
}

feed_answer socket_feed_take(
	socket_feed *f, socket_sequence *q, uint8_t bytes[MESSAGE_BYTES_MAX], source_frame *frame, feed_result *out)
{
	const double now_s = clock_s();
	size_t size;
	message m;
	if (f->deaf)
		return refuse(out, REFUSAL_PROTOCOL, "does not read what it is sent");
	switch (socket_peer_receive(&f->peer, now_s, bytes, &size, out->reason)) {
	case PEER_NOTHING:
		f->empty_s = now_s;
		return FEED_NOTHING;
	case PEER_GONE:
		return FEED_GONE;
	case PEER_BROKEN:
		out->refusal = REFUSAL_PROTOCOL;
		return FEED_BROKEN;
	case PEER_MESSAGE:
		break;
	}
	out->refusal = message_get(bytes, size, &m, out->reason);
	if (out->refusal)
		return FEED_BROKEN;
	switch (m.type) {
	case MESSAGE_FRAME:
		return take_frame(f, q, &m.frame, frame, out);
	case MESSAGE_BYE:
		return FEED_BYE;
	case MESSAGE_ALIVE:
		return hear_chatter(f, now_s, out);
	default:
		return refuse(out, REFUSAL_PROTOCOL, "HELLO: was said already");
	}
}
