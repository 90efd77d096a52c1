/* SPDX-License-Identifier: Apache-2.0
 * The memory in which a driver leaves its frames: a memfd of equal slots, mapped here for reading only. Its size is
 * sealed, so that no page can be taken from under a copy. A page that the driver gives back to the system is read as
 * zeros, and costs no more than it did before. */
#ifndef ENM_HOST_SOCKET_RING_H
#define ENM_HOST_SOCKET_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

#define RING_SLOTS_MIN 2u
#define RING_SLOTS_MAX 32u
#define RING_BYTES_MAX ((size_t)256 << 20)

typedef struct socket_ring {
	int descriptor; /* -1: none */
	const uint8_t *memory;
	uint32_t slots;
	size_t depth_bytes, color_bytes, color_offset, slot_bytes;
	uint32_t turns[RING_SLOTS_MAX]; /* how often each slot was given back */
} socket_ring;

/* Makes a ring for frames of this size (16 to 4096 pixels each way), with as many of the wanted slots as the
 * bounds allow. Its memory is there from now on, and its size sealed. HOST_IO. */
host_status socket_ring_make(uint32_t width, uint32_t height, bool has_color, uint32_t wanted, socket_ring *out);
void socket_ring_free(socket_ring *ring);

/* Copies a slot that there is; colour too unless `rgb` is NULL. */
void socket_ring_copy(const socket_ring *ring, uint32_t slot, uint16_t *depth, uint8_t *rgb);

#endif
