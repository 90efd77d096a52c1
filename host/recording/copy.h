/* SPDX-License-Identifier: Apache-2.0
 * Takes whole packets of one recording into another, as they are: nothing is packed anew. */
#ifndef ENM_RECORDING_COPY_H
#define ENM_RECORDING_COPY_H

#include "reader.h"
#include "writer.h"

typedef struct copy_def {
	const char *path;    /* what to write; appears whole or not at all */
	const char *camera;  /* in place of the header's; NULL: the header's */
	double from_s, to_s; /* frames within [from, to) seconds of the first; all with -INFINITY and INFINITY */
} copy_def;

typedef struct copy_stats {
	uint64_t frames, packets, bytes; /* written */
	uint64_t unreadable;             /* packets that were damaged after all, and are left out */
} copy_stats;

/* The copy has the same session, new sequence numbers, a header and an index. Packets of unknown types go along.
 * HOST_USAGE: the header is lost and no camera given. HOST_DATA: no frame is left, or none lies within the times.
 * HOST_IO: cannot be written. */
host_status recording_copy(const recording *r, const copy_def *def, copy_stats *out);

#endif
