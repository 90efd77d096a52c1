/* SPDX-License-Identifier: Apache-2.0
 * Everything a run of the simulator is told: the command line, on top of a scenario, on top of the defaults. */
#ifndef ENM_SIMULATE_CONFIG_H
#define ENM_SIMULATE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "errors.h"
#include "path.h"

/* What the clock does. All zero: a frame at each 1/fps. */
typedef struct timing_def {
	double missing_percent;                 /* of the frames, here and there */
	int64_t bursts;                         /* gaps of 0.2 to 2 s without any frame */
	double jitter_ms;                       /* sigma of a frame's moment; its stamp tells the true one */
	double duplicate_percent, late_percent; /* of the frames: listed twice; listed or stamped late */
} timing_def;

typedef struct sim_config {
	const char *body; /* "arch", "phantom" or a mesh file */
	const char *out;
	bool force, json, help, color;
	uint64_t seed;
	uint64_t scanner_seed; /* of the depth residual but for its bow */
	int64_t frames_max; /* 0: to the end of the path */
	uint32_t size[2];
	double fps, focal_px; /* focal length in pixels; 0: by the width, as 240 at 320 */
	double row_time_us;
	double exposure; /* the pictures' brightness wanders between this times and one over this times */
	v3 up;           /* of a mesh; zero: found */
	double cell_mm;  /* of the built-in arch */
	int64_t prepared_fdi;
	bool toothless, smooth;
	int scenario; /* index into sim_scenarios, 0 is none */
	path_def path;
	error_def errors;
	timing_def timing;
} sim_config;

/* Names, ended by NULL. The first is "none". */
extern const char *const sim_scenarios[];

/* HOST_USAGE with one line about the option or argument. With --help it prints and sets `help`. */
host_status config_parse(int argc, char **argv, sim_config *out);

/* The defaults with a scenario's changes, as before any other option. */
sim_config config_of_scenario(int scenario);

#endif
