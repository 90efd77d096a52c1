/* SPDX-License-Identifier: Apache-2.0
 * enamel-frames: times of the frame loop on frames that lie in memory, what the device could do at best, and whether
 * all runs gave the same poses. The files: frames.c options, frames_input.c the frames, frames_run.c the runs,
 * frames_summary.c, frames_fit.c and frames_figures.c what is made of them, rates.c the device's rates, floor.c what a
 * stage must do. */
#ifndef ENM_BENCH_FRAMES_H
#define ENM_BENCH_FRAMES_H

#include <jansson.h>

#include "dataset.h"
#include "error.h"
#include "rates.h"

/* Numbers that were not given are 0, texts NULL. */
typedef struct frames_options {
	const char *folder, *device, *json, *label;
	double voxel_mm, truncation_mm;
	int64_t frames[2], repeats, warm_up;
	int color, stage_times, rates; /* indices into "off", "on"; color also "auto" */
	bool reset;
} frames_options;

enum { FRAMES_OFF = 0, FRAMES_ON = 1, FRAMES_AUTO = 2 };

/* ---- input: the frames of a dataset, read before anything is measured ---- */

typedef struct frames_input {
	enm_session_def def; /* without stage times */
	uint16_t *depth;     /* `pixels` values a frame */
	uint8_t *rgb;        /* three bytes a pixel, or NULL: no colour wanted */
	bool *has_color;
	int64_t *time_ns;
	size_t count, pixels, left_out; /* frames; those that could not be read are left out */
	uint64_t bytes;                 /* of host memory taken */
} frames_input;

/* HOST_USAGE, HOST_DATA when no frame can be used. */
host_status frames_input_load(const frames_options *o, frames_input *out);
void frames_input_free(frames_input *in);

/* ---- runs ---- */

/* One run over the frames. */
typedef struct frames_pass {
	double *ms; /* of each frame: serial, wall time from push to report in hand; pipelined, the report's latency */
	double *cpu_ms;      /* of each frame, serial only: CPU time of the process on all cores */
	enm_report *reports; /* of each frame */
	double wall_s;       /* from the first push to the last report */
	double cpu_s;        /* of the process meanwhile, on all cores: with a CPU device, the device's work too */
	enm_session_stats stats;
} frames_pass;

typedef struct frames_result {
	size_t repeats;
	frames_pass *pipelined, *serial; /* `repeats` of each */
	frames_pass stages; /* serial with stage times, each the least of its runs; empty when not wanted */
	bool has_stages, has_rates;
	device_rates rates;
	uint64_t host_bytes_peak; /* of the process with the frames in memory, without what the rates take */
	enm_device_info device;
	enm_context_stats context;
} frames_result;

/* HOST_DATA when two runs disagree about a frame: same frames, same device, other bits. */
host_status frames_run(const frames_options *o, const frames_input *in, frames_result *out);
/* The first thing in which two runs' reports of a frame differ, or NULL. Bits are compared, not numbers; times are left
 * out. */
const char *frames_difference(const enm_report *a, const enm_report *b);
void frames_result_free(frames_result *r);

/* ---- figures ---- */

/* Prints the tables and gives the same as JSON; NULL when memory ran out. */
json_t *frames_figures(const frames_options *o, const frames_input *in, const frames_result *r);

#endif
