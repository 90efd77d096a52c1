/* SPDX-License-Identifier: Apache-2.0
 * `enamel live`, `resume` and `refine` behind their options. README.md tells of threads and queues. */
#ifndef ENM_HOST_LIVE_H
#define ENM_HOST_LIVE_H

#include "feed.h"
#include "outputs.h"
#include "prepare.h"

typedef struct live_options {
	const char *source;  /* --source; NULL with resume: only build the model again */
	const char *session; /* the folder */
	const char *device, *view_screenshot;
	double fps, duration_s, wait_s, hang_s, view_close_s; /* 0: not given, but for hang_s */
	uint32_t view_size[2];                                /* 0: not given */
	uint32_t record_queue;                                /* frames */
	scan_settings settings;                               /* of a new session */
	outputs_def files;
	bool view;
} live_options;

#define LIVE_HANG_S 10.0
#define LIVE_RECORD_QUEUE 64

/* A new session, from the source to the last output. The source's end, the duration and SIGINT or SIGTERM all end it in
 * order. HOST_DATA: the scan was not good enough. HOST_IO: frames are missing in the recording, or an output could not
 * be written. HOST_DEVICE: the device failed. Where it hangs, the recording is closed and the process ends with
 * HOST_DEVICE. */
host_status live_run(const live_options *o, const feed_engine *engine);

/* A session that is there: its model is built again from its recordings, and the scan goes on where there is a source.
 */
host_status live_resume(const live_options *o, const feed_engine *engine);

typedef struct live_refine_options {
	const char *session, *device;
	int level; /* enm_refine_level */
	bool json, certificate;
} live_refine_options;

/* SESSION/refined-LEVEL appears whole or not at all; what was interrupted goes on from SESSION/refined-LEVEL.state. */
host_status live_refine(const live_refine_options *o);

#endif
