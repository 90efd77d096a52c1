/* SPDX-License-Identifier: Apache-2.0
 * The system calls that a V4L2 device is driven by, in a table, so that tests can stand in for a camera. */
#ifndef ENM_HOST_SOURCE_V4L2_SYSTEM_H
#define ENM_HOST_SOURCE_V4L2_SYSTEM_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

/* Each as the system's function of that name: -1 (MAP_FAILED) and errno on failure. */
typedef struct v4l2_system {
	int (*open)(const char *path, int flags);
	int (*close)(int descriptor);
	int (*ioctl)(int descriptor, unsigned long request, void *argument);
	void *(*mmap)(size_t size, int descriptor, off_t offset); /* shared, to read */
	int (*munmap)(void *bytes, size_t size);
	int (*poll)(struct pollfd *waits, nfds_t count, int timeout_ms); /* without any: sleeps */
	double (*now_s)(void);                                           /* clock_s() */
} v4l2_system;

extern const v4l2_system v4l2_system_real;

#endif
