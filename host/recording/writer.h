/* SPDX-License-Identifier: Apache-2.0
 * Appends packets to a recording. For one thread; recorder.h puts it on a thread of its own. */
#ifndef ENM_RECORDING_WRITER_H
#define ENM_RECORDING_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "packet.h"
#include "system.h"

/* What is the same for all frames. Texts end with a zero byte here and are copied. */
typedef struct recording_header {
	const char *camera;   /* camera.json, word for word */
	const char *settings; /* JSON: whatever the writing program wants to be remembered */
	const char *program;  /* "enamel 0.1.0" */
} recording_header;

typedef struct recording_frame {
	uint64_t number; /* the source's count, growing; gaps are frames that the source or the queue lost */
	double time_s, color_time_s; /* the latter is not looked at without colour */
	uint32_t width, height;
	const uint16_t *depth; /* 0 is no reading */
	const uint8_t *rgb;    /* or NULL */
} recording_frame;

typedef struct writer writer;

typedef struct writer_def {
	int descriptor;                 /* an empty file, open for writing; stays the caller's */
	const char *path;               /* for messages */
	const recording_system *system; /* NULL: the real one */
	recording_header header;
	uint64_t session;       /* 0: a new one, by chance */
	uint32_t width, height; /* of the largest picture */
	double sync_s;          /* the disk is waited for this often; 0: after each packet; below 0: only at the end */
	int level;              /* of zstd */
} writer_def;

typedef struct writer_stats {
	uint64_t frames, packets, bytes;
	uint64_t plain_bytes; /* of the pictures before they were packed */
	uint64_t syncs;
	double sync_max_s; /* the longest wait for the disk */
} writer_stats;

/* Level 1, a sync each second. */
writer_def writer_def_default(void);

/* All memory for frames is taken here. Writes the header. HOST_IO: the disk or memory. */
host_status writer_create(const writer_def *def, writer **out);

/* Each writes one packet. HOST_USAGE: a frame of no size, larger than the definition's, or with a time that is no
 * number; a name that is empty, longer than 255 bytes, or holds '/', control characters or a dot in front.
 * HOST_IO "PATH: cannot write after N frames: REASON" when the disk fails: the file is cut back to its last whole
 * packet, and every later call fails the same way. */
host_status writer_frame(writer *w, const recording_frame *frame);
host_status writer_file(writer *w, const char *name, const uint8_t *bytes, size_t size);
/* What became of `count` frames, 1 to FATES_MAX. */
host_status writer_fates(writer *w, const packet_fate *fates, uint32_t count);
/* A packet of another recording as it is, but for session and sequence. */
host_status writer_copy(writer *w, const packet_head *head, const uint8_t *payload);

/* Waits for the disk if that is due and something was written since: for a source that pauses. */
host_status writer_idle(writer *w);

/* Writes header, index and end, waits for the disk and frees the writer in any case. After a failure of the disk the
 * index is tried nevertheless; when that fails too, readers do without. `refused` is told to them. `out_stats` may be
 * NULL. Accepts the address of NULL. */
host_status writer_close(writer **w, uint64_t refused, writer_stats *out_stats);

const writer_stats *writer_so_far(const writer *w);

/* Why a carried file may not be called so, or NULL. */
const char *writer_name_fault(const char *name);

#endif
