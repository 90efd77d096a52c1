/* SPDX-License-Identifier: Apache-2.0
 * The loop of the thread that owns the engine: frames in, reports out, and the display in between. */
#ifndef ENM_HOST_LIVE_PUMP_H
#define ENM_HOST_LIVE_PUMP_H

#include "feed.h"
#include "live/capture.h"
#include "live/events.h"
#include "live/queue.h"
#include "live/watch.h"
#include "recorder.h"
#include "statistic.h"
#include "view.h"

#define LIVE_ARRIVALS 16 /* more than there can be frames with the engine */

/* Set what comes first, zero the rest. */
typedef struct live_pump {
	feed *feed;
	live_queue *queue;
	live_capture *capture; /* is asked to end where the window's user wants a new scan */
	recorder *recorder;
	live_events *events;
	live_watch *watch;
	view *view;      /* NULL: no window */
	bool color;      /* hand colour to the session */
	bool shares_cpu; /* the engine computes on the CPU */
	/* What came of it: */
	samples pose_ms, screen_ms; /* from a frame's arrival to its pose, and to the picture that shows it */
	uint64_t shows, shows_skipped;
	uint64_t paused; /* frames that came while the user had paused */
	/* Inside: */
	struct {
		double arrived_s, time_s;
		uint64_t number;
	} arrivals[LIVE_ARRIVALS]; /* of the frames with the engine, by id */
	double shown_s;
} live_pump;

/* Until no more frames come and all are done. HOST_DEVICE, HOST_IO. Frames that wait when it fails are left untracked.
 */
host_status live_pump_run(live_pump *p);
void live_pump_free(live_pump *p);

#endif
