/* SPDX-License-Identifier: Apache-2.0
 * What is made of the runs of enamel-frames: quantiles, the scan in parts, the stages' floors. */
#ifndef ENM_BENCH_FRAMES_SUMMARY_H
#define ENM_BENCH_FRAMES_SUMMARY_H

#include "floor.h"
#include "frames.h"
#include "statistic.h"

#define FRAMES_PARTS 20u
#define FRAMES_PERCENTILES 101u

/* Of one kind of run. */
typedef struct frames_times {
	double *least, *least_cpu; /* each frame's least time of all runs; of CPU time where it was measured */
	quantiles run;             /* of the run whose median is the middle one */
	double run_median_min, run_median_max; /* of the runs' medians */
	quantiles least_q;                     /* of `least` */
	double cpu_ms;                         /* CPU time of the process, a frame, in the run that took least of it */
	double p99_to_median;                  /* p99 of `least` over the median of `run` */
} frames_times;

/* Medians over a stretch of the scan. */
typedef struct frames_part {
	size_t first, end;        /* frames, `end` not included */
	double serial_ms, cpu_ms; /* of the least times */
	double blocks_used, blocks_in_view;
	double stage_ms[ENM_STAGE_COUNT];
} frames_part;

/* A frame's cost as a sum of its counts, each times a slope (least squares; frames that cost more than three medians,
 * because the model grew, left out). NaN where the frames do not tell. Slopes are ms per 1,000. */
typedef struct frames_fit {
	double base_ms;
	double in_view_ms, out_of_view_ms; /* blocks of the model */
	double added_ms;                   /* blocks that the frame added */
	double samples_ms;                 /* samples of the alignment, each as often as there were iterations */
	double out_of_view_share;          /* of the mean frame's cost */
} frames_fit;

typedef struct frames_floor {
	bool there; /* a stage that every frame has */
	floor_stage must;
	double floor_ms, cached_ms; /* by copies from memory, by copies in the cache */
	double measured_ms, ratio;  /* median; measured over floor_ms */
} frames_floor;

typedef struct frames_summary {
	double fps_median, fps_min, fps_max; /* of the pipelined runs */
	frames_times serial, latency;
	size_t tracked, weak, lost, fused;
	quantiles stages[ENM_STAGE_COUNT];
	floor_work work; /* medians */
	double blocks_used_last;
	frames_part parts[FRAMES_PARTS];
	size_t part_count;
	bool cost_is_cpu; /* the fit is of CPU times: on a CPU device, since they do not count what other programs take
			   */
	frames_fit fit;   /* of the least times of serial runs */
	frames_floor floors[ENM_STAGE_COUNT];
} frames_summary;

/* HOST_IO when memory runs out. */
host_status frames_summarize(const frames_input *in, const frames_result *r, frames_summary *out);
void frames_summary_free(frames_summary *s);

/* Of `count` frames with their costs, whose median is given. */
frames_fit frames_fit_make(const enm_report *reports, const double *costs, size_t count, double median_ms);

/* The percentiles 0 to 100 of `count` numbers, by nearest rank. */
host_status frames_percentiles(const double *values, size_t count, double out[FRAMES_PERCENTILES]);

void frames_print(const frames_options *o, const frames_input *in, const frames_result *r, const frames_summary *s);
/* NULL when memory ran out. */
json_t *frames_json(const frames_options *o, const frames_input *in, const frames_result *r, const frames_summary *s);

#endif
