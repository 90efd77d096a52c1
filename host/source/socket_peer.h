/* SPDX-License-Identifier: Apache-2.0
 * One connection to a driver. Nothing here waits. */
#ifndef ENM_HOST_SOCKET_PEER_H
#define ENM_HOST_SOCKET_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "socket_message.h"

typedef struct socket_peer {
	int descriptor; /* -1: none */
	pid_t process;
	uid_t user;
	double since_s, heard_s; /* clock_s() of the connection and of the last message */
} socket_peer;

typedef enum peer_answer {
	PEER_MESSAGE,
	PEER_NOTHING,
	PEER_GONE,
	PEER_BROKEN /* what came is no message; the reason says why */
} peer_answer;

/* Takes one connection from a listening descriptor and asks the kernel whose it is. 0, or errno: EAGAIN when nobody
 * waits. */
int socket_peer_accept(int listener, double now_s, socket_peer *out);

/* Reads one message of at most MESSAGE_BYTES_MAX bytes. A descriptor that comes with it is closed by the kernel before
 * it has a number here. After the other side has gone, what it had sent before still comes. */
peer_answer socket_peer_receive(socket_peer *p, double now_s, uint8_t bytes[MESSAGE_BYTES_MAX], size_t *out_size,
	char reason[SOURCE_REASON_BYTES]);

/* Sends one message, with a descriptor unless that is -1. 0, or errno: EAGAIN when the driver has not read so many
 * that the kernel takes no more. */
int socket_peer_send(const socket_peer *p, const uint8_t *bytes, size_t size, int descriptor);

bool socket_peer_has_hung_up(const socket_peer *p);

/* Says why (unless REFUSAL_NONE) and closes. Accepts a peer that is none. */
void socket_peer_end(socket_peer *p, message_refusal code, const char *reason);

#endif
