/* SPDX-License-Identifier: Apache-2.0
 * Numbers and times of frames, growing over one scan whoever delivers them. */
#ifndef ENM_HOST_SOCKET_SEQUENCE_H
#define ENM_HOST_SOCKET_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "socket_message.h"

#define SEQUENCE_NUMBER_MAX (UINT64_C(1) << 53)
#define SEQUENCE_TIME_MAX_S 1e10

/* Zero it before use. */
typedef struct socket_sequence {
	bool begun;            /* a frame was placed */
	bool joined;           /* one of the present driver */
	uint64_t first, last;  /* numbers as given out */
	double last_time_s;    /* as given out */
	double last_arrived_s; /* of that frame */
	uint64_t number_shift; /* of the present driver */
	double time_shift_s;
} socket_sequence;

/* From now on frames come from another driver. */
void socket_sequence_change(socket_sequence *q);

/* Takes a frame in, or says why it is left out. A new driver whose numbers or times do not go on behind the last one's
 * is moved there: the time by what has passed meanwhile. */
message_fate socket_sequence_place(socket_sequence *q, double arrived_s, uint64_t *number, double *time_s);

#endif
