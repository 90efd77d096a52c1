/* SPDX-License-Identifier: Apache-2.0
 * The bar at the foot of the window: how the tracking goes, in colour, shape and words. */
#ifndef ENM_VIEWER_OVERLAY_H
#define ENM_VIEWER_OVERLAY_H

#include "canvas.h"
#include "exchange.h"

#define OVERLAY_HEIGHT 44.0 /* at a content scale of 1 */

typedef struct overlay_text {
	exchange_state state;
	uint64_t frames_expected;
	const theme *theme;
	bool scan;         /* frames are to come, or came */
	const char *title; /* said where none are */
} overlay_text;

/* Zero it before use. */
typedef struct overlay {
	uint8_t *rgba; /* packed rows, opaque */
	uint32_t width, height;
	size_t capacity;
	overlay_text shown;
	bool valid;
} overlay;

/* Height in pixels that the bar takes of a framebuffer; 0 when there is no room for it. */
uint32_t overlay_height(uint32_t framebuffer_height, double content_scale);

/* Draws the bar anew if something in it has changed; true when it did. */
bool overlay_draw(overlay *o, uint32_t width, uint32_t height, const overlay_text *text);
void overlay_free(overlay *o);

#endif
