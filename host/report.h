/* SPDX-License-Identifier: Apache-2.0
 * What `enamel replay` says about a scan: the JSON of host/REPORT.md, and a few lines for people. */
#ifndef ENM_HOST_REPORT_H
#define ENM_HOST_REPORT_H

#include <jansson.h>

#include "refine.h"
#include "quality.h"
#include "stitch.h"

/* All that is known at the end of a replay. */
typedef struct replay_facts {
	const dataset *data;
	const stitch_result *result;
	size_t first, end; /* frames that were asked for */
	enm_session_def session_def;
	enm_scale scale;
	enm_device_info device;
	enm_context_stats context;
	enm_session_stats session;
	enm_mesh_data mesh; /* counts only */
	refine_facts refine;
	quality surface;
	double mesh_ms;     /* 0 when no mesh was made */
	double startup_ms, wall_s;
} replay_facts;

/* A new reference, or NULL when memory ran out. */
json_t *report_json(const replay_facts *f);

/* A few lines on stdout. */
void report_print(const replay_facts *f);

/* Was the scan good enough? HOST_OK, or HOST_DATA with the reason. */
host_status report_judge(const replay_facts *f);

/* Frames by the wall time spent on them, reading files left out; 0 without frames. */
double report_fps(const replay_facts *f);

#endif
