/* SPDX-License-Identifier: Apache-2.0
 * From clicks to marks. On the owner thread, for it needs what is drawn; the window gets copies (tools_shown). */
#ifndef ENM_VIEWER_TOOLS_H
#define ENM_VIEWER_TOOLS_H

#include "cut.h"
#include "viewer.h"

#define TOOLS_UNDO_MAX 64
#define TOOLS_MESSAGE_BYTES 128
#define TOOL_NONE (-1)

/* What the window draws: a copy that nobody else holds. */
typedef struct tools_shown {
	int tool;     /* a mark_kind or TOOL_NONE */
	mark pending; /* its points so far */
	mark_list marks;
	cut_curve curves[MARKS_MAX]; /* of the marks in order: a path's polyline, a section's pieces as pairs; others have none */
	char message[TOOLS_MESSAGE_BYTES];
} tools_shown;

typedef struct tools_step {
	bool added; /* else removed */
	size_t index;
	mark mark;
} tools_step;

typedef struct tools {
	int tool;
	mark pending;
	mark_list marks;
	cut_curve curves[MARKS_MAX];
	tools_step undo[TOOLS_UNDO_MAX]; /* the last ones */
	size_t undo_count;
	uint32_t next_number;
	viewer_body bodies[VIEWER_BODIES_MAX]; /* of the source */
	uint32_t body_count, hidden;
	char message[TOOLS_MESSAGE_BYTES];
	bool changed; /* something that the window shows */
	bool edited;  /* the list itself: worth saving */
} tools;

bool tools_init(tools *t, const mark_list *marks);
void tools_free(tools *t);

/* Tells what there is to measure on; curves are made anew when that has changed. */
void tools_use(tools *t, const viewer_source *source, uint32_t hidden);

void tools_choose(tools *t, int tool);
/* A place was picked, looking along `ahead` (unit). */
void tools_point(tools *t, const enm_hit *hit, const double ahead[3]);
void tools_miss(tools *t);
void tools_finish(tools *t);
/* Takes back the last point, or the last mark that was made or erased. */
void tools_undo(tools *t);
void tools_erase(tools *t, uint32_t number);

/* NULL when there is no memory. */
tools_shown *tools_show(const tools *t);
void tools_shown_free(tools_shown **shown);

#endif
