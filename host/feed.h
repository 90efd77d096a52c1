/* SPDX-License-Identifier: Apache-2.0
 * Frames into a session and reports out of it: what recorded and live scans share. For the thread that owns the
 * session. */
#ifndef ENM_HOST_FEED_H
#define ENM_HOST_FEED_H

#include "stitch.h"

/* The engine as a feed uses it: the library's functions, unless a test puts its own in their place. */
typedef struct feed_engine {
	enm_result (*push)(enm_session *session, const enm_frame *frame, uint64_t *out_frame_id);
	enm_result (*next_report)(enm_session *session, enm_report *out_report);
	enm_result (*flush)(enm_session *session);
	enm_result (*finish)(enm_session *session);
} feed_engine;

extern const feed_engine feed_engine_real;

/* Set the first three, and the callback where one is wanted; zero the rest. */
typedef struct feed {
	const feed_engine *engine;
	enm_session *session;
	stitch_result *r;
	/* Called after each report, which is that of the latest of the frames tracked, weak and lost. Returns false to
	 * stop. May be NULL. */
	bool (*after_frame)(void *user, enm_session *session, const stitch_result *so_far);
	void *user;
	size_t reported;     /* frames whose report was read */
	double busy_since_s; /* clock; of a stretch in which frames are with the engine */
} feed;

/* Are frames with the engine? */
bool feed_is_busy(const feed *s);

/* All that follow: HOST_DEVICE, HOST_IO (no memory). */
host_status feed_push(feed *s, size_t index, const enm_frame *frame);
/* Reads the reports that are ready. */
host_status feed_collect(feed *s);
/* Waits until all are. */
host_status feed_wait(feed *s);
/* The same, and what the engine has put off until the end of a scan. */
host_status feed_finish(feed *s);

host_status feed_leave_out(stitch_left_out_list *list, size_t index, const char *reason);

/* Once, after the last frame: takes the poses of joined islands into the first model, and marks the frames of those
 * that were not, and of a model that was forgotten. */
void feed_settle(stitch_result *r);

#endif
