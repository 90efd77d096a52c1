/* SPDX-License-Identifier: Apache-2.0
 * A live scan under way: all its parts. */
#ifndef ENM_HOST_LIVE_RUN_H
#define ENM_HOST_LIVE_RUN_H

#include "live/capture.h"
#include "live/live.h"
#include "live/model.h"
#include "live/pump.h"
#include "live/watch.h"

typedef struct live {
	const live_options *o;
	outputs_def files;          /* where this scan's outputs go */
	char folder[FILE_PATH_MAX]; /* of this scan */
	scan_settings settings;     /* of a new session */
	bool color;                 /* likewise */
	bool fresh;                 /* it follows another: frames that came in between are not its own */
	const feed_engine *engine;
	const volatile sig_atomic_t *stop;
	source source;
	live_session session;
	live_model model;
	live_policy policy;
	live_queue *queue;
	live_capture capture;
	live_pump pump;
	live_watch watch;
	bool finishing;  /* enm_session_finish is under way */
	double finished; /* how far it was when it told last */
	recorder *recorder;
	int descriptor; /* of the recording; 0: none */
	char recording[FILE_PATH_MAX];
	char mesh[FILE_PATH_MAX]; /* of the session's folder: copies that the user keeps are named after it */
	recorder_stats recorded;
	size_t frames_before; /* from earlier recordings of the session */
} live;

/* run.c: a command's state, with nothing begun; NULL without memory. */
live *live_create(const live_options *o, const feed_engine *engine);
void live_destroy(live *l);
host_status live_open_source(live *l);
/* Scans until the end, one scan after another, in a window where one is asked for. Source, session and device are at hand. */
host_status live_scan_all(live *l);

/* scan.c. Begins one scan: frames are recorded from then on, and the model can take them. */
host_status live_scan_begin(live *l);
/* All of it that uses the engine's session, and its outputs. */
host_status live_scan_run(live *l, view *v);
/* An enm_session_def.on_finish, of a `live`: that it calls is no progress, that it has got on is. */
bool live_scan_finishing(void *user, const char *what, double done);

/* What `report.json` has under "live", README.md says what it means. A new reference, or NULL when memory ran out. */
json_t *live_report_json(live *l);

/* A few lines on stdout, of that. */
void live_report_print(const live *l, const json_t *report);

extern const char *const live_ends[]; /* by live_end */

#endif
