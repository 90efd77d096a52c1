/* SPDX-License-Identifier: Apache-2.0
 * Goes through a recording from its first byte to its last, whatever happened to it: gives each whole packet, and each
 * stretch that holds none. Streaming: nothing but the packet at hand is in memory. */
#ifndef ENM_RECORDING_PACKET_SCAN_H
#define ENM_RECORDING_PACKET_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "packet.h"
#include "system.h"

#define DAMAGE_REASON_BYTES 96

/* A stretch without a whole packet. */
typedef struct recording_damage {
	uint64_t offset, bytes; /* no bytes: packets are missing between two that touch */
	uint64_t packets_lost;  /* by the sequence numbers around it */
	bool at_end;            /* nothing follows: `packets_lost` is a least number */
	char reason[DAMAGE_REASON_BYTES];
} recording_damage;

typedef enum packet_found { FOUND_PACKET = 0, FOUND_DAMAGE, FOUND_NOTHING } packet_found;

/* Zero it, then set descriptor, system and size. */
typedef struct packet_scan {
	int descriptor;
	const recording_system *system;
	uint64_t size; /* bytes of the file */
	/* What was found: */
	uint64_t offset; /* of the packet */
	packet_head head;
	uint8_t *payload;
	recording_damage damage;
	/* Inside: */
	uint64_t at, payload_capacity;
	uint8_t *window; /* of the file, while it is searched */
	uint64_t window_at;
	size_t window_size;
	uint64_t session, next_sequence;
	uint64_t wasted; /* bytes of packets that were read for nothing; bounds the time that a hostile file takes */
	bool begun, pending; /* a packet was seen; one was found that comes after the damage just told */
	bool ended;          /* the last packet was the end */
} packet_scan;

/* HOST_IO when memory runs out. Damage is no failure, nor are sectors that cannot be read. */
host_status packet_scan_next(packet_scan *s, packet_found *out);
/* Only the packet at s->at, which stays there: no search when it is none, and no question whether it belongs here. */
host_status packet_scan_one(packet_scan *s, packet_found *out);
void packet_scan_free(packet_scan *s);

#endif
