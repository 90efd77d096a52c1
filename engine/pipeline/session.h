/* SPDX-License-Identifier: Apache-2.0
 * Insides of a session, for the surface stage and for tests. */
#ifndef ENM_SESSION_H
#define ENM_SESSION_H

#include "global/certainty.h"
#include "global/frame_store.h"
#include "global/keyframes.h"
#include "global/relocate.h"
#include "global/island.h"
#include "global/mend.h"
#include "pipeline/allocate.h"
#include "pipeline/depth.h"
#include "pipeline/foreign.h"
#include "pipeline/fuse.h"
#include "pipeline/model.h"
#include "pipeline/track.h"
#include "pipeline/view.h"
#include "surface/live.h"

/* A frame under way. */
typedef struct session_slot {
	gpu_staging staging;  /* depth, then colour, copied from the caller */
	gpu_staging received; /* behind `report` and `hidden` */
	gpu_profile *profile; /* NULL when stage times are off */
	gpu_event *event;     /* of the last read */
	enm_k_report *report; /* written by the device */
	gpu_recording *recordings[2][2]; /* a frame's launches, by format and colour; NULL: not recorded yet */
	uint64_t generation;             /* of the model that they were recorded for */
	uint64_t frame_id;
	int64_t time_ns, pushed_ns;
	bool busy;
	bool may_grow; /* the model had not reached its bound when the frame was pushed */
	uint32_t kept_blocks; /* that frames of an island may have wanted which were fused before this one */
	size_t input_bytes, color_offset; /* of the frame as it is staged; no colour: 0 */
	enm_depth_format format;
	uint8_t *hidden; /* tiles of the frame in which something moved, for the store and for an island; NULL: not kept */
	bool corrected; /* poses and model were, before this frame */
	bool may_begin_anew; /* the frame may be the second one of a scan, begun again perhaps, or of an island, whose rows are exposed one after the other */
} session_slot;

/* How the same commands reach the device; none changes a result. */
typedef struct session_ways {
	bool overlap; /* uploads have their own queue; else all is in one */
	bool record;  /* a frame's launches are recorded once and submitted as one */
	bool serial;  /* for tests: wait for each frame */
} session_ways;

struct enm_session {
	gpu_budget budget;
	gpu_queue *queue;
	gpu_queue *uploads; /* of its own, so that a frame arrives while the one before is worked on */
	session_ways ways;
	enm_session_def def;
	enm_k_track start; /* state of the tracker before the first frame */
	depth_stage depth;
	model model;
	track_stage track;
	allocate_stage allocate;
	fuse_stage fuse;
	foreign_stage foreign;
	view_stage view;
	keyframes_stage keyframes; /* with `recover` alone */
	relocate_stage relocate;
	island_stage island;
	frame_store store; /* with `keep_frames` alone */
	mend *mend;        /* with `close_loops_every` alone */
	certainty *certainty; /* what the last refinement found; NULL: none */
	session_slot slots[ENM_FRAMES_IN_FLIGHT];
	enm_report *reports; /* ring of ENM_REPORTS_KEPT */
	uint64_t reports_read, reports_written;
	uint64_t frames_pushed;
	int64_t last_time_ns;
	const char *told; /* to on_finish last, and when */
	int64_t told_ns;
	enm_session_stats stats;
	enm_result failed; /* a device failure ends the session */
	live_surface *live; /* NULL until somebody asks for the surface while scanning */
};

/* What enm_session_finish does but for closing loops; `finishing`: its caller is told of it. */
ENM_MUST_CHECK enm_result session_settle(enm_session *session, bool finishing);

/* Calls on_finish if that is due: some ten times a second, and with each other `what`, a text that stays. False where the caller gives it up. */
bool session_tell_finish(enm_session *session, const char *what, double done);

#endif
