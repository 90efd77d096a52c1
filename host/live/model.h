/* SPDX-License-Identifier: Apache-2.0
 * The model of a session with all that belongs to it, be it built from frames as they come or from recordings. */
#ifndef ENM_HOST_LIVE_MODEL_H
#define ENM_HOST_LIVE_MODEL_H

#include "feed.h"
#include "live/session.h"
#include "outputs.h"

/* Zero it before use. */
typedef struct live_model {
	dataset data;    /* camera, and the list of all frames recorded; its pictures are in the recordings */
	size_t capacity; /* of the list */
	bool has_camera;
	enm_context *context;
	enm_session *session; /* NULL until there is a usable frame */
	stitch_result result;
	feed feed;
	replay_facts facts;
	enm_refine_fn on_finish;   /* takes the place of what only shows how far the end of the scan is; NULL: none */
	void *finish_user;
	char spill[FILE_PATH_MAX]; /* for frames kept beyond a bound of memory */
} live_model;

/* Takes all memory that what is noted of a scan's frames will need, for twenty minutes at 30 frames/s (33 MB); beyond, more is taken in steps. For a model that is
 * still zero. HOST_IO. */
host_status live_model_expect_frames(live_model *m);

/* Opens the device and says which. HOST_USAGE, HOST_DEVICE. */
host_status live_model_device(live_model *m, const char *wish);

/* HOST_USAGE: `text` is no camera.json; `name` stands for it in messages, `folder` names the scan. */
host_status live_model_camera(live_model *m, const char *folder, const char *name, const char *text, bool color);

/* Creates the session before the first frame, as it will be if that shows teeth: it takes a second on some devices, in
 * which frames would have to wait. */
host_status live_model_expect(live_model *m, const live_session *s, const feed_engine *engine);

/* Creates the session, unless it was expected as it is to be, for a scan whose first usable frame has this median.
 * HOST_DEVICE. */
host_status live_model_begin(
	live_model *m, const live_session *s, double median_mm, const feed_engine *engine, bool keep_frames);

/* The frames of all recordings of the session, as they were pushed then. A recording that cannot be read, or is of another camera than those
 * before it, is told and passed over; the damage of others is told. Leaves m->session NULL when no frame can be used. HOST_INTERRUPTED. */
host_status live_model_rebuild(live_model *m, const live_session *s, const feed_engine *engine, bool keep_frames,
	const volatile sig_atomic_t *stop);

/* Writes what is wanted, of a result that is settled; what is NULL in `o` but json goes into `folder` under its usual
 * name: mesh.ply, trajectory.txt, report.json. `live` is the report's, and may be NULL. */
host_status live_model_write(live_model *m, const outputs_def *o, const char *folder, json_t *live);

/* Forgets all of a scan but device and context. */
void live_model_renew(live_model *m);
void live_model_free(live_model *m);

#endif
