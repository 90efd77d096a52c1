/* SPDX-License-Identifier: Apache-2.0
 * A viewer on a display, with a toy session behind it, for tests that play its user. Include after cmocka_all.h. */
#ifndef ENM_TEST_VIEWER_STAND_H
#define ENM_TEST_VIEWER_STAND_H

#include "picture.h"
#include "toy.h"
#include "viewer_internal.h"

#define STAND_WIDTH 640u
#define STAND_HEIGHT 480u
#define STAND_BAR 44u
#define STAND_PATIENCE_S 20.0

typedef struct stand {
	viewer_def def;
	viewer *viewer;
	toy session;
	toy_scan scan;
	picture shot;
} stand;

/* Both in turn; between them a test may change what it likes. */
void stand_prepare(stand *s, unsigned frames);
void stand_show(stand *s);
void stand_open(stand *s, unsigned frames);
void stand_start(stand *s);
/* Ends as a user does. */
void stand_close(stand *s);

/* Runs until the window shows all there is in full size. */
void stand_settle(stand *s);
/* Runs until the window shows the first 20 frames of a scan that goes on. */
void stand_rest(stand *s);
/* What the window shows now, with or without what lies over the model; also in a file for people to look at. */
void stand_take(stand *s, const char *name, bool with_sheet);
void stand_see(stand *s, const char *name);
void stand_drag(stand *s, double from_x, double from_y, double to_x, double to_y, input_button button, unsigned held);

#endif
