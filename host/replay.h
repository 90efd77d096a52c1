/* SPDX-License-Identifier: Apache-2.0
 * `enamel replay` behind its options. */
#ifndef ENM_HOST_REPLAY_H
#define ENM_HOST_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* Numbers that were not given are 0, texts NULL. */
typedef struct replay_options {
	const char *folder, *out, *also, *trajectory, *frame_log, *report, *preview, *certificate, *device, *camera, *view_screenshot;
	uint32_t view_size[2]; /* of the window; 0: the viewer's own */
	double voxel_mm, truncation_mm, view_close_s;
	int64_t frames[2];
	int tracker; /* enm_tracker; -1: as recorded, else field */
	bool start_at_truth, strict, view, json;
	int close_loops; /* loops_when; 0: as recorded */
	bool no_recover, keep_foreign, all_frames;
	int refine; /* enm_refine_level, or -1 */
	bool poses_only;
	const char *spill, *keep_calibration, *scale_reference, *distances;
	const struct view_options *look; /* of `enamel view`: how the window begins; `out` may be NULL then */
	const struct render_options *render; /* instead of all other outputs, `out` too: a picture; NULL: none */
} replay_options;

/* Opens, stitches, writes. HOST_INTERRUPTED after SIGINT, with all outputs of what was stitched until then. */
host_status replay_run(const replay_options *o);

#endif
