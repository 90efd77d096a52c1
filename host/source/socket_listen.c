/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* SOCK_NONBLOCK with socket() */
#include "socket_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 32
#ifndef SO_PASSRIGHTS /* since Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif
#define LOCK_TRIES 20
#define LOCK_PAUSE_NS 50000000L

static host_status fail(host_status status, const char *path, const char *reason)
{
	return host_fail_file(status, "socket", "path: %s: %s", path, reason);
}

/* The folder is locked while it is found out whether a socket there is dead, so that two processes that start at once
 * cannot remove each other's. */
static host_status lock_folder(const char *path, int *out)
{
	char folder[SOCKET_PATH_BYTES + 1];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	*out = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out < 0)
		return fail(HOST_USAGE, path, strerror(errno));
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(*out, LOCK_EX | LOCK_NB))
			return HOST_OK;
		nanosleep(&(struct timespec){0, LOCK_PAUSE_NS}, NULL);
	}
	close(*out);
	return fail(HOST_IO, path, "another process keeps its folder locked");
}

/* HOST_OK when nothing is at the path any more. */
static host_status clear_path(const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	struct stat there;
	if (lstat(path, &there))
		return errno == ENOENT ? HOST_OK : fail(HOST_USAGE, path, strerror(errno));
	if (!S_ISSOCK(there.st_mode))
		return fail(HOST_USAGE, path, "is there already and is no socket");
	const int probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return fail(HOST_IO, path, strerror(errno));
	const int failure = connect(probe, (const struct sockaddr *)address, sizeof *address) ? errno : 0;
	close(probe);
	if (failure == EACCES || failure == EPERM)
		return fail(HOST_USAGE, path, "is a socket of somebody else");
	if (failure && failure != EAGAIN && failure != EPROTOTYPE && failure != ECONNREFUSED)
		return fail(HOST_IO, path, strerror(failure));
	if (failure != ECONNREFUSED)
		return fail(HOST_USAGE, path, "is in use by another process");
	return unlink(path) ? fail(HOST_USAGE, path, strerror(errno)) : HOST_OK;
}

static host_status make_socket(mode_t mode, socket_listener *l)
{
	const char *path = l->address.sun_path;
	struct stat there;
	l->descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Connections inherit that nobody can pass them a descriptor: to let go of one may take as long as its owner
	 * likes (SO_LINGER). Kernels that do not know this close it with the message. */
	(void)setsockopt(l->descriptor, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int));
	/* bind() gives the file the rights of the socket itself, so that there is no moment with wider ones */
	if (l->descriptor < 0 || fchmod(l->descriptor, mode))
		return fail(HOST_IO, path, strerror(errno));
	if (bind(l->descriptor, (const struct sockaddr *)&l->address, sizeof l->address))
		return fail(HOST_USAGE, path, strerror(errno));
	if (lstat(path, &there))
		return fail(HOST_IO, path, strerror(errno));
	l->device = there.st_dev;
	l->file = there.st_ino;
	/* the caller's mask took its share */
	if (chmod(path, mode) || listen(l->descriptor, BACKLOG))
		return fail(HOST_IO, path, strerror(errno));
	return HOST_OK;
}

host_status socket_listen(const char path[SOCKET_PATH_BYTES], mode_t mode, socket_listener *out)
{
	int folder;
	*out = (socket_listener){.descriptor = -1, .address = {.sun_family = AF_UNIX}};
	strcpy(out->address.sun_path, path);
	host_status status = lock_folder(path, &folder);
	if (status)
		return status;
	status = clear_path(&out->address);
	if (!status)
		status = make_socket(mode, out);
	if (status)
		socket_listen_end(out);
	close(folder);
	return status;
}

void socket_listen_end(socket_listener *l)
{
	struct stat there;
	const char *path = l->address.sun_path;
	if (l->descriptor < 0)
		return;
	if (l->file && !lstat(path, &there) && there.st_dev == l->device && there.st_ino == l->file)
		unlink(path);
	close(l->descriptor);
	l->descriptor = -1;
}
