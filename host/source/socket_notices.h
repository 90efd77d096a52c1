/* SPDX-License-Identifier: Apache-2.0
 * Lines for people that wait to be taken, a bounded number. */
#ifndef ENM_HOST_SOCKET_NOTICES_H
#define ENM_HOST_SOCKET_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

#define NOTICES_MAX 32
#define NOTICES_A_SECOND 100 /* a crowd of nonsense must not become a flood of lines */

/* Zero it before use. */
typedef struct socket_notices {
	char lines[NOTICES_MAX][SOURCE_REASON_BYTES];
	size_t first, count;
	uint64_t untold; /* found no room, or were too many, since the last that was taken */
	double since_s;  /* of the second that is counted */
	uint32_t added;  /* in it */
} socket_notices;

void socket_notices_add(socket_notices *n, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The oldest; behind the last one the count of those that were not kept, if any. False when there is none. */
bool socket_notices_take(socket_notices *n, char text[SOURCE_REASON_BYTES]);

#endif
