/* SPDX-License-Identifier: Apache-2.0
 * The socket's place in the file system. */
#ifndef ENM_HOST_SOCKET_LISTEN_H
#define ENM_HOST_SOCKET_LISTEN_H

#include <sys/stat.h>
#include <sys/un.h>

#include "error.h"

#define SOCKET_PATH_BYTES sizeof(((struct sockaddr_un *)0)->sun_path)

typedef struct socket_listener {
	int descriptor; /* -1: none */
	struct sockaddr_un address;
	dev_t device; /* of the file that was made, so that no other is removed: the kernel gives its number to no */
	ino_t file;   /* other file while the socket is open */
} socket_listener;

/* Makes a socket (SOCK_SEQPACKET, never waiting) at the path with these rights of access. A socket file that nobody
 * listens at is replaced. HOST_USAGE: the path is in use by a process, is no socket, its folder is missing or closed to
 * us; HOST_IO. Does not block longer than a second. */
host_status socket_listen(const char path[SOCKET_PATH_BYTES], mode_t mode, socket_listener *out);

/* Removes the file, unless another process has put its own there meanwhile. */
void socket_listen_end(socket_listener *l);

#endif
