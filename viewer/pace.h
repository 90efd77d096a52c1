/* SPDX-License-Identifier: Apache-2.0
 * How large a picture may be and when the next is due, so that the scan goes on beside it. */
#ifndef ENM_VIEWER_PACE_H
#define ENM_VIEWER_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Zero it before use. */
typedef struct pace {
	double s_per_pixel; /* of the last picture; 0 before */
	double took_s;      /* the last picture */
	double done_s;      /* clock: when it was finished */
	double scale;       /* of the last picture; 0 before */
} pace;

/* Share of the full width and height for the next picture of `pixels` at full size: 1 when the scan has ended and the
 * view rests. */
double pace_scale(const pace *p, uint64_t pixels, bool moving, bool ended);

/* False while the scan, which runs, is to have the device for itself. */
bool pace_is_due(const pace *p, bool moving, double now_s);

/* Notes what a picture of `pixels` took, which was finished at `now_s`. */
void pace_note(pace *p, double scale, uint64_t pixels, double took_s, double now_s);

#endif
