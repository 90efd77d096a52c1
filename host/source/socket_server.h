/* SPDX-License-Identifier: Apache-2.0
 * The socket's connections: one driver feeds, others are in the handshake or refused. All on the thread that calls, and
 * nothing waits but as long as it is told to. */
#ifndef ENM_HOST_SOCKET_SERVER_H
#define ENM_HOST_SOCKET_SERVER_H

#include "socket_feed.h"
#include "socket_listen.h"
#include "socket_notices.h"

#define SERVER_WAITING_MAX 8 /* connections in the handshake; one more takes the place of the oldest */
#define SERVER_HANDSHAKE_S 2.0
#define SERVER_USERS_MAX 8

typedef struct socket_server_def {
	char path[SOCKET_PATH_BYTES];  /* where the socket is made */
	uid_t users[SERVER_USERS_MAX]; /* that may feed, besides root and this process's own */
	size_t user_count;
	double silence_s;  /* a driver that says nothing for so long hangs */
	double wanted_fps; /* told to drivers; 0: none */
} socket_server_def;

typedef struct socket_counts {
	uint64_t connections, drivers, drivers_lost; /* lost: fed, and went without a word */
	uint64_t refused[REFUSAL_COUNT];
	uint64_t frames, left_out_number, left_out_time;
} socket_counts;

typedef struct socket_server {
	socket_server_def def;
	socket_listener listener;
	double served_s;                         /* when those that do not feed were last looked after */
	double accept_again_s;                   /* no connection is taken before */
	socket_peer waiting[SERVER_WAITING_MAX]; /* the oldest first */
	size_t waiting_count;
	socket_feed feed;
	socket_sequence sequence;
	bool known; /* a driver was welcomed: `facts` hold */
	bool over;  /* the driver said that the scan is */
	source_facts facts;
	socket_counts counts;
	socket_notices notices;
	uint8_t message[MESSAGE_BYTES_MAX];
} socket_server;

/* May this user feed a process of user `own`? */
bool socket_server_allows(const socket_server_def *def, uid_t user, uid_t own);

/* Makes the socket: with rights for its owner alone, or for all when `def` names users, who are then told apart by what
 * the kernel says of them. The server is zeroed first. As socket_listen. */
host_status socket_server_open(socket_server *s, const socket_server_def *def);

/* Waits for a first driver. HOST_USAGE when none was welcomed within the time (0: however long), HOST_INTERRUPTED when
 * `stop` became true, HOST_IO. */
host_status socket_server_meet(socket_server *s, double timeout_s, const volatile sig_atomic_t *stop);

/* As source_ops.next. */
source_state socket_server_next(socket_server *s, double timeout_s, source_frame *frame);

/* Tells all that it is over, closes everything and removes the socket. */
void socket_server_close(socket_server *s);

#endif
