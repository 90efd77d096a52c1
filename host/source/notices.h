/* SPDX-License-Identifier: Apache-2.0
 * What a source tells people of its doings, line by line, kept until it is asked for them. */
#ifndef ENM_HOST_SOURCE_NOTICES_H
#define ENM_HOST_SOURCE_NOTICES_H

#include <stdbool.h>
#include <stdint.h>

#include "source.h"

#define NOTICES_MAX 16

/* Zero it before use. */
typedef struct notices {
	char lines[NOTICES_MAX][SOURCE_REASON_BYTES];
	uint32_t first, count;
	uint64_t left_out; /* since the queue was last empty */
} notices;

/* One more line. Lines that find the queue full are left out and counted; the count becomes the last line. */
void notices_add(notices *n, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The oldest line; false when there is none. */
bool notices_take(notices *n, char out_text[SOURCE_REASON_BYTES]);

/* Makes foreign text fit for one line of a terminal and for JSON: no control characters, no bytes that are no UTF-8. */
void notices_clean(char *text);

#endif
