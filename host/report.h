/* SPDX-License-Identifier: Apache-2.0
 * What `enamel replay` says about a scan: the JSON of host/REPORT.md, and a few lines for people. */
#ifndef ENM_HOST_REPORT_H
#define ENM_HOST_REPORT_H

#include <jansson.h>

#include "refine.h"
#include "quality.h"
#include "statistic.h"
#include "stitch.h"

/* All that is known at the end of a replay. */
typedef struct replay_facts {
	const dataset *data;
	stitch_result *result;
	size_t first, end; /* frames that were asked for */
	enm_session_def session_def;
	enm_scale scale;
	enm_device_info device;
	enm_context_stats context;
	enm_session_stats session;
	enm_mesh_data mesh; /* counts only */
	refine_facts refine;
	quality surface;
	json_t *live;       /* what a live scan adds; the caller's, NULL for none */
	double mesh_ms;     /* 0 when no mesh was made */
	double startup_ms, wall_s;
} replay_facts;

/* The events that are told to people; keyframes are not. */
typedef struct report_event {
	uint32_t bit; /* of enm_event */
	const char *name;
} report_event;
#define REPORT_EVENTS 7
extern const report_event report_events[REPORT_EVENTS];

/* {median, p95, p99, max} of samples, which are freed. A new reference. */
json_t *report_quantiles(samples *s, bool *ok);

/* A new reference, or NULL when memory ran out. */
json_t *report_json(const replay_facts *f);

/* A few lines on stdout. */
void report_print(const replay_facts *f);

/* Was the scan good enough? HOST_OK, or HOST_DATA with the reason. */
host_status report_judge(const replay_facts *f);

/* Frames by the wall time spent on them, reading files left out; 0 without frames. */
double report_fps(const replay_facts *f);

#endif
