/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memfd_create, F_ADD_SEALS */
#include "socket_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define COLOR_ALIGN 64u
#define SLOT_ALIGN 4096u

static size_t round_up(size_t bytes, size_t unit)
{
	return (bytes + unit - 1) / unit * unit;
}

static uint32_t choose_slots(uint32_t wanted, size_t slot_bytes)
{
	const size_t fit = RING_BYTES_MAX / slot_bytes;
	uint32_t slots = wanted > RING_SLOTS_MAX ? RING_SLOTS_MAX : wanted;
	slots = slots > fit ? (uint32_t)fit : slots;
	return slots < RING_SLOTS_MIN ? RING_SLOTS_MIN : slots;
}

/* 0, or errno. What is there from the start cannot run out under a driver's hands. */
static int fill(socket_ring *r, size_t bytes)
{
	int failure;
	do
		failure = posix_fallocate(r->descriptor, 0, (off_t)bytes);
	while (failure == EINTR);
	if (failure)
		return failure;
	if (fcntl(r->descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return errno;
	void *memory = mmap(NULL, bytes, PROT_READ, MAP_SHARED, r->descriptor, 0);
	if (memory == MAP_FAILED)
		return errno;
	r->memory = memory;
	return 0;
}

host_status socket_ring_make(uint32_t width, uint32_t height, bool has_color, uint32_t wanted, socket_ring *out)
{
	const size_t pixels = (size_t)width * height;
	memset(out, 0, sizeof *out);
	out->depth_bytes = 2 * pixels;
	out->color_bytes = has_color ? 3 * pixels : 0;
	out->color_offset = has_color ? round_up(out->depth_bytes, COLOR_ALIGN) : 0;
	out->slot_bytes = round_up(has_color ? out->color_offset + out->color_bytes : out->depth_bytes, SLOT_ALIGN);
	out->slots = choose_slots(wanted, out->slot_bytes);
	const size_t bytes = out->slot_bytes * out->slots;
	out->descriptor = memfd_create("enamel-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const int failure = out->descriptor < 0 ? errno : fill(out, bytes);
	if (!failure)
		return HOST_OK;
	socket_ring_free(out);
	return host_fail(HOST_IO, "no memory for a ring of %u slots of %zu bytes: %s", out->slots, out->slot_bytes,
		strerror(failure));
}

void socket_ring_free(socket_ring *ring)
{
	if (ring->memory)
		munmap((void *)(uintptr_t)ring->memory, ring->slot_bytes * ring->slots);
	if (ring->descriptor >= 0)
		close(ring->descriptor);
	ring->memory = NULL;
	ring->descriptor = -1;
}

void socket_ring_copy(const socket_ring *ring, uint32_t slot, uint16_t *depth, uint8_t *rgb)
{
	const uint8_t *at = ring->memory + slot * ring->slot_bytes;
	memcpy(depth, at, ring->depth_bytes);
	if (rgb)
		memcpy(rgb, at + ring->color_offset, ring->color_bytes);
}
