/* SPDX-License-Identifier: Apache-2.0 */
#include "v4l2_system.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"

static int open_device(const char *path, int flags)
{
	return open(path, flags);
}

static int ask_device(int descriptor, unsigned long request, void *argument)
{
	return ioctl(descriptor, request, argument);
}

static void *map_buffer(size_t size, int descriptor, off_t offset)
{
	return mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, offset);
}

const v4l2_system v4l2_system_real = {open_device, close, ask_device, map_buffer, munmap, poll, clock_s};
