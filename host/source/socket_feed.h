/* SPDX-License-Identifier: Apache-2.0
 * The driver that feeds: what it may say, and its frames. */
#ifndef ENM_HOST_SOCKET_FEED_H
#define ENM_HOST_SOCKET_FEED_H

#include "socket_peer.h"
#include "socket_ring.h"
#include "socket_sequence.h"

#define FEED_LEFT_OUT_MAX 16   /* frames in a row; then the driver has to begin anew */
#define FEED_CHATTER_MAX 1000u /* messages a second that are no frames */

typedef struct socket_feed {
	socket_peer peer; /* without descriptor: nobody feeds */
	socket_ring ring;
	double empty_s; /* clock_s() when last nothing was waiting to be read */
	double chatter_since_s;
	uint32_t chatter, left_out_in_a_row;
	bool deaf; /* does not read what it is sent */
} socket_feed;

typedef enum feed_answer {
	FEED_NOTHING,
	FEED_HEARD, /* a message without a frame */
	FEED_FRAME,
	FEED_LEFT_OUT, /* a frame that is none; `fate` and `reason` say why */
	FEED_BYE,
	FEED_GONE,
	FEED_BROKEN /* `refusal` and `reason` say why */
} feed_answer;

typedef struct feed_result {
	message_fate fate;
	message_refusal refusal;
	char reason[SOURCE_REASON_BYTES];
} feed_result;

/* Begins with a driver that was welcomed; peer and ring are the feed's from now on. */
void socket_feed_begin(socket_feed *f, const socket_peer *peer, const socket_ring *ring);

/* Reads one message, with `bytes` as room for it. A frame is copied into `frame` and its slot given back. */
feed_answer socket_feed_take(
	socket_feed *f, socket_sequence *q, uint8_t bytes[MESSAGE_BYTES_MAX], source_frame *frame, feed_result *out);

/* Ends the connection as socket_peer_end does, and frees the ring. */
void socket_feed_end(socket_feed *f, message_refusal code, const char *reason);

#endif
