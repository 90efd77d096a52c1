/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* accept4, struct ucred, POLLRDHUP */
#include "socket_peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int socket_peer_accept(int listener, double now_s, socket_peer *out)
{
	struct ucred who;
	socklen_t size = sizeof who;
	*out = (socket_peer){.descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)};
	if (out->descriptor < 0)
		return errno;
	if (getsockopt(out->descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size)) {
		const int failure = errno;
		socket_peer_end(out, REFUSAL_NONE, NULL);
		return failure;
	}
	out->process = who.pid;
	out->user = who.uid;
	out->since_s = out->heard_s = now_s;
	return 0;
}

static peer_answer broken(char reason[SOURCE_REASON_BYTES], const char *text)
{
	snprintf(reason, SOURCE_REASON_BYTES, "%s", text);
	return PEER_BROKEN;
}

bool socket_peer_has_hung_up(const socket_peer *p)
{
	struct pollfd ask = {p->descriptor, POLLRDHUP, 0};
	return poll(&ask, 1, 0) > 0 && (ask.revents & (POLLHUP | POLLRDHUP | POLLERR));
}

peer_answer socket_peer_receive(socket_peer *p, double now_s, uint8_t bytes[MESSAGE_BYTES_MAX], size_t *out_size,
	char reason[SOURCE_REASON_BYTES])
{
	struct iovec part = {bytes, MESSAGE_BYTES_MAX};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1}; /* no room for descriptors: none gets in */
	ssize_t got;
	do /* ECONNRESET comes once, before what was sent by a driver that did not read our last messages */
		got = recvmsg(p->descriptor, &m, MSG_DONTWAIT);
	while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got < 0)
		return errno == EAGAIN ? PEER_NOTHING : PEER_GONE;
	if (!got) /* the end looks like an empty message */
		return socket_peer_has_hung_up(p) ? PEER_GONE : broken(reason, "a message is empty");
	p->heard_s = now_s;
	*out_size = (size_t)got;
	if (m.msg_flags & MSG_CTRUNC)
		return broken(reason, "a message brings a descriptor");
	if (m.msg_flags & MSG_TRUNC)
		return broken(reason, "a message is longer than 65536 bytes");
	return PEER_MESSAGE;
}

int socket_peer_send(const socket_peer *p, const uint8_t *bytes, size_t size, int descriptor)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {(void *)(uintptr_t)bytes, size};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	if (descriptor >= 0) {
		memset(&control, 0, sizeof control);
		m.msg_control = &control;
		m.msg_controllen = sizeof control.room;
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof descriptor);
		memcpy(CMSG_DATA(&control.head), &descriptor, sizeof descriptor);
	}
	ssize_t sent;
	do
		sent = sendmsg(p->descriptor, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? errno : 0;
}

void socket_peer_end(socket_peer *p, message_refusal code, const char *reason)
{
	uint8_t bytes[MESSAGE_ANSWER_BYTES_MAX];
	if (p->descriptor < 0)
		return;
	if (code != REFUSAL_NONE) /* whoever does not read it has lost nothing else */
		(void)socket_peer_send(p, bytes, message_put_refused(code, reason, bytes), -1);
	close(p->descriptor);
	p->descriptor = -1;
}
