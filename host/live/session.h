/* SPDX-License-Identifier: Apache-2.0
 * The folder of a live scan: session.json, recordings, events and what was made of them. README.md lists its files. */
#ifndef ENM_HOST_LIVE_SESSION_H
#define ENM_HOST_LIVE_SESSION_H

#include <jansson.h>

#include "file.h"
#include "live/events.h"
#include "prepare.h"

#define LIVE_SESSION_VERSION 1
#define LIVE_RECORDINGS_MAX 99

/* Zero it before use. */
typedef struct live_session {
	char folder[FILE_PATH_MAX];
	int lock; /* of the process that uses the folder; with `locked` */
	bool locked;
	json_t *root; /* session.json */
	scan_settings settings;
	bool color;
	live_events events;
} live_session;

/* May there be a new session? HOST_USAGE: the folder is there and not empty, or no folder. */
host_status live_session_check(const char *folder);

/* A new one, whose folder must not be there, or empty. HOST_USAGE, HOST_IO. */
host_status live_session_create(const char *folder, const char *source, const char *device,
	const scan_settings *settings, bool color, live_session *out);

/* One that is there. HOST_USAGE: no session, of a later version, damaged, or in use by another process. */
host_status live_session_open(const char *folder, live_session *out);
void live_session_close(live_session *s);

/* SESSION/name. HOST_USAGE when that is too long. */
host_status live_session_path(const live_session *s, const char *name, char out[FILE_PATH_MAX]);

size_t live_session_recordings(const live_session *s);
host_status live_session_recording(const live_session *s, size_t index, char out[FILE_PATH_MAX]);

/* Writes down that there is one recording more, then says where it is to be. A further file, rather than the last one
 * continued: nothing that was written is touched again. HOST_USAGE when there are too many. */
host_status live_session_add_recording(live_session *s, char out[FILE_PATH_MAX]);

/* Writes session.json whole: state "running", "complete", "failed", "hung"; `more` (may be NULL; given away) goes into
 * it. */
host_status live_session_save(live_session *s, const char *state, json_t *more);

#endif
