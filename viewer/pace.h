/* SPDX-License-Identifier: Apache-2.0
 * How large a picture may be and when the next is due, so that the scan goes on beside it. */
#ifndef ENM_VIEWER_PACE_H
#define ENM_VIEWER_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Zero it before use. */
typedef struct pace {
	double ms_per_pixel; /* of the last picture; 0 before */
	double next_s;       /* clock: not before this while the scan runs */
	double scale;        /* of the last picture; 0 before */
} pace;

/* Share of the full width and height for the next picture of `pixels` at full size: 1 when the scan has ended and the
 * view rests. */
double pace_scale(const pace *p, uint64_t pixels, bool moving, bool ended);

/* Notes what a picture took, which ended at `now_s`. */
void pace_note(pace *p, double scale, uint64_t pixels, double ms, bool moving, double now_s);

#endif
