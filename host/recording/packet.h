/* SPDX-License-Identifier: Apache-2.0
 * The bytes of a recording: packets, each a head of 64 bytes and a payload. FORMAT.md tells the whole of it. */
#ifndef ENM_RECORDING_PACKET_H
#define ENM_RECORDING_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_VERSION 1u
#define PACKET_MAGIC_BYTES 8u
#define PACKET_HEAD_BYTES 64u
#define PACKET_PAYLOAD_MAX ((uint64_t)1 << 30)

typedef enum packet_type {
	PACKET_BEGIN = 1, /* camera, settings, program */
	PACKET_FRAME = 2,
	PACKET_FILE = 3,  /* a file that goes with the scan, such as groundtruth.txt */
	PACKET_INDEX = 4, /* where the packets before it are */
	PACKET_END = 5,   /* where the index is; the last packet of a file that was closed */
	PACKET_FATES = 6  /* what a live scan made of its frames */
} packet_type;

#define PACKET_HAS_COLOR 1u /* flag of PACKET_FRAME */

typedef struct packet_head {
	uint64_t
		session; /* the same in all packets of a recording: tells them from those of another on the same disk */
	uint32_t type, flags;
	uint64_t sequence; /* 0, 1, 2, ... */
	double time_s;     /* of a frame; else 0 */
	uint64_t payload_bytes, payload_hash;
} packet_head;

extern const uint8_t packet_magic[PACKET_MAGIC_BYTES];

uint64_t packet_hash(const void *bytes, size_t size);
void packet_head_put(uint8_t out[PACKET_HEAD_BYTES], const packet_head *head);
/* False when magic or the head's own hash is wrong, or the payload longer than the format allows. */
bool packet_head_get(const uint8_t in[PACKET_HEAD_BYTES], packet_head *out);

/* BEGIN: these 16 bytes, then the three texts without zero bytes. */
#define BEGIN_BYTES 16u
typedef struct packet_begin {
	uint32_t version, camera_bytes, settings_bytes, program_bytes;
} packet_begin;
void packet_begin_put(uint8_t out[BEGIN_BYTES], const packet_begin *begin);
/* False unless the lengths add up to the payload's. The version is the caller's to judge. */
bool packet_begin_get(const uint8_t *payload, size_t size, packet_begin *out);

/* FRAME: these 48 bytes, then depth, then colour. */
#define FRAME_BYTES 48u
typedef struct packet_frame {
	uint32_t width, height;
	uint64_t number;     /* the source's count, so that frames it lost can be told */
	double color_time_s; /* NaN without colour */
	uint32_t depth_codec, depth_bytes, color_codec, color_bytes;
} packet_frame;
void packet_frame_put(uint8_t out[FRAME_BYTES], const packet_frame *frame);
/* False unless sizes are within 1 to 8192 pixels and the lengths add up. */
bool packet_frame_get(const uint8_t *payload, size_t size, packet_frame *out);

/* FILE: these 16 bytes, the name, then the bytes as one zstd frame. */
#define FILE_BYTES 16u
#define FILE_NAME_MAX 255u
#define FILE_PLAIN_MAX ((uint64_t)1 << 30)
typedef struct packet_file {
	uint32_t name_bytes, codec;
	uint64_t plain_bytes;
} packet_file;
void packet_file_put(uint8_t out[FILE_BYTES], const packet_file *file);
bool packet_file_get(const uint8_t *payload, size_t size, packet_file *out);

/* INDEX: an entry for each packet before it. */
#define ENTRY_BYTES 32u
typedef struct packet_entry {
	uint64_t offset, sequence;
	double time_s;
	uint32_t type, flags;
} packet_entry;
void packet_entry_put(uint8_t out[ENTRY_BYTES], const packet_entry *entry);
void packet_entry_get(const uint8_t in[ENTRY_BYTES], packet_entry *out);

/* END */
#define END_BYTES 32u
typedef struct packet_end {
	uint64_t index_offset, packets, frames;
	uint64_t refused; /* frames that the source delivered and that found the queue full */
} packet_end;
void packet_end_put(uint8_t out[END_BYTES], const packet_end *end);
void packet_end_get(const uint8_t in[END_BYTES], packet_end *out);

/* FATES: these 8 bytes, then an entry for each frame. */
#define FATES_BYTES 8u
#define FATE_BYTES 96u
#define FATES_MAX 4096u /* in one packet */

typedef enum frame_fate {
	FATE_PUSHED = 1,  /* given to the engine */
	FATE_SKIPPED = 2, /* not, for want of time or since the user had paused */
	FATE_LEFT_OUT = 3 /* not, because it holds nothing to be used */
} frame_fate;

typedef struct packet_fate {
	uint64_t number; /* of the frame, and its time: by that it is found */
	double time_s;
	uint32_t fate;                     /* frame_fate */
	uint32_t verdict, reason, events, island; /* of enm_report, where it was pushed; else 0 */
	double t_mm[3], q_xyzw[4];         /* world_from_camera as it was reported */
} packet_fate;

/* `out` has room for FATES_BYTES + count * FATE_BYTES. */
void packet_fates_put(uint8_t *out, const packet_fate *fates, uint32_t count);
/* How many entries there are; false unless the lengths add up. */
bool packet_fates_count(const uint8_t *payload, size_t size, uint32_t *out_count);
/* Entry `index` of a payload that was counted. */
void packet_fates_get(const uint8_t *payload, uint32_t index, packet_fate *out);

#endif
