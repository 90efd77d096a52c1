/* SPDX-License-Identifier: Apache-2.0
 * What the viewer does on the owner thread: answers the window's questions and renders its pictures. */
#ifndef ENM_VIEWER_OWNER_H
#define ENM_VIEWER_OWNER_H

#include "exchange.h"
#include "pace.h"
#include "tools.h"

typedef struct owner {
	exchange *exchange; /* borrowed */
	exchange_picture back;
	pace pace;
	uint64_t served_serial, served_model;
	double served_scale;
	const void *drawn; /* by the last offer: the source's object */
	uint32_t hidden; /* bits: bodies of the source that are hidden now */
	tools tools;
} owner;

/* False when there is no memory for the marks. */
bool owner_init(owner *o, exchange *e, const mark_list *marks);
void owner_free(owner *o);

/* Does all that was asked, and renders when a picture is due; `out_made` says that the window has something new. `v` and `def` are for the
 * host's events. */
enm_result owner_offer(owner *o, viewer *v, const viewer_def *def, const viewer_source *source, bool *out_made);

/* Waits until there may be something to do or the window is closed, for `wait_s` at most. */
void owner_wait(owner *o, double wait_s);

#endif
