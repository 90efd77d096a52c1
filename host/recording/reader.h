/* SPDX-License-Identifier: Apache-2.0
 * Reads recordings: by their index, or, when that is missing or wrong, by going through the file. */
#ifndef ENM_RECORDING_READER_H
#define ENM_RECORDING_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "packet.h"
#include "packet_scan.h"
#include "system.h"

typedef struct recording {
	char *path;
	int descriptor;
	const recording_system *system;
	uint64_t size, session;
	char *camera, *settings, *program; /* of the header; NULL when every copy of it is lost */
	packet_entry *entries;             /* every packet that is there, in order */
	size_t entry_count, frame_count;
	bool by_index;  /* opened by the index: damage shows when a packet is read */
	bool closed;    /* the end is there */
	packet_end end; /* zero unless closed */
	recording_damage *damages;
	size_t damage_count;
} recording;

typedef enum recording_open_mode {
	RECORDING_BY_INDEX = 0, /* go through the file only without a good index */
	RECORDING_CHECK = 1     /* read and check every byte */
} recording_open_mode;

/* `system` NULL: the real one. HOST_USAGE: no file, unreadable, holds no packet, of a later version of the format.
 * HOST_IO: no memory. Damage is no failure. */
host_status recording_open(const char *path, recording_open_mode mode, const recording_system *system, recording **out);
/* Accepts the address of NULL. */
void recording_close(recording **r);

/* What follows may run on several threads at once. HOST_USAGE with the reason, without the file's name, when the
 * packet is damaged. */

/* free() gives the payload back. */
host_status recording_read(const recording *r, size_t entry, packet_head *out_head, uint8_t **out_payload);

typedef struct recording_picture {
	uint64_t number;
	double time_s, color_time_s;
	bool has_color;                         /* and it was read */
	char color_reason[DAMAGE_REASON_BYTES]; /* why it was not, though there is some */
} recording_picture;

/* A frame of exactly this size into the caller's memory. `out_rgb` may be NULL. */
host_status recording_read_frame(const recording *r, size_t entry, uint32_t width, uint32_t height, uint16_t *out_depth,
	uint8_t *out_rgb, recording_picture *out);

/* A carried file; free() gives the bytes back, behind which stands a zero. */
host_status recording_read_file(
	const recording *r, size_t entry, char out_name[FILE_NAME_MAX + 1], uint8_t **out_bytes, size_t *out_size);

/* The last carried file of this name that can be read; HOST_USAGE when there is none. */
host_status recording_find_file(const recording *r, const char *name, uint8_t **out_bytes, size_t *out_size);

/* Frames and other packets that are known to be lost, and bytes that hold no packet. */
uint64_t recording_lost_packets(const recording *r);
uint64_t recording_lost_bytes(const recording *r);

/* One line: "bytes 512 to 1023: the packet's content is damaged, 1 packet lost". */
void recording_damage_text(const recording_damage *damage, char *out, size_t size);

#endif
