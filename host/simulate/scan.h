/* SPDX-License-Identifier: Apache-2.0
 * A whole simulated scan: body, path, frames on two threads, and the folder with all of it. */
#ifndef ENM_SIMULATE_SCAN_H
#define ENM_SIMULATE_SCAN_H

#include <signal.h>

#include "config.h"

/* What was written, for the summary. */
typedef struct scan_summary {
	size_t frames, missing, duplicates, late, reentries;
	double duration_s, readings_percent, foreign_frames_percent;
	double length_mm, mean_speed_mm_s;
	path_limits peaks;
	size_t triangles, spheres, landmarks, margin_points, skipped_triangles;
	v3 up;
	enm_depth_residual residual;
	double prepare_s, frames_s; /* wall time: the body and path, the frames */
} scan_summary;

/* Writes the folder config->out. `stop` set to non-zero ends it early with HOST_INTERRUPTED and leaves nothing. */
host_status scan_run(const sim_config *config, const volatile sig_atomic_t *stop, scan_summary *out_summary);

#endif
