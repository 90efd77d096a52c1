/* SPDX-License-Identifier: Apache-2.0
 * What comes before the first frame, of a recorded and of a live scan: the device, and the session's definition. */
#ifndef ENM_HOST_PREPARE_H
#define ENM_HOST_PREPARE_H

#include <jansson.h>

#include "camera.h"
#include "json.h"

#define PREPARE_REASON_BYTES 320
#define PREPARE_FINISH_FORMAT "finishing: %.0f %%, %s" /* of what enm_session_def.on_finish tells: percent, and what is done */

/* When poses and the depth's systematic error are solved for together. */
typedef enum loops_when {
	LOOPS_AUTO = 0, /* while scanning; live, on a CPU, which has no time for it beside the frames, at the end */
	LOOPS_SCANNING,
	LOOPS_END,
	LOOPS_NEVER
} loops_when;

extern const char *const loops_names[]; /* in this order, ended by NULL */

/* What a user may wish of a scan. A recording made live keeps it, so that a replay is defined alike. */
typedef struct scan_settings {
	double voxel_mm, truncation_mm; /* 0: by the scale */
	int tracker;                    /* enm_tracker */
	int close_loops;                /* loops_when */
	bool no_recover, keep_foreign;
} scan_settings;

/* Takes the scale from the median depth of the first usable frame, and fills `out_def`. */
void prepare_session(const scan_settings *s, const camera_file *camera, double depth_mm_per_unit, bool color,
	double median_mm, enm_scale *out_scale, enm_session_def *out_def);

loops_when prepare_loops(const enm_session_def *def);

/* One line about it. */
void prepare_say(enm_scale scale, double median_mm, const enm_session_def *def);

/* Opens the device that is wished for (NULL: the machine's choice). HOST_USAGE, HOST_DEVICE. */
host_status prepare_device(
	const char *wish, enm_context **out_context, enm_device_info *out_device, char out_reason[PREPARE_REASON_BYTES]);
/* One line about it, and why it was chosen. */
void prepare_say_device(const enm_device_info *device, const char *reason);

/* As they stand in a recording's settings and in a session's file. */
json_t *scan_settings_json(const scan_settings *s, bool color, bool *ok);
/* HOST_USAGE "FILE: WHERE: FIELD: reason". */
host_status scan_settings_read(json_place place, scan_settings *out, bool *out_color);
/* Those in the settings of a recording's header; others than a live scan's hold none, and leave the last two as they
 * are. */
host_status recorded_settings(const char *file, const char *text, bool *out_live, scan_settings *out, bool *out_color);

#endif
