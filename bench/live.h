/* SPDX-License-Identifier: Apache-2.0
 * enamel-live: what it costs to follow the surface while scanning, and how far the surface is behind. The files: live.c
 * options and figures, live_run.c the runs, live_keep.c what a viewer would keep. Frames come from frames_input.c. */
#ifndef ENM_BENCH_LIVE_H
#define ENM_BENCH_LIVE_H

#include "frames.h"
#include "id_table.h"

/* ---- what a viewer would keep: the last patch of each id ---- */

typedef struct live_patch {
	uint32_t triangles, bytes;
	uint64_t hash; /* of its triangles' positions, whatever their order; 0 when not wanted */
} live_patch;

typedef struct live_keep {
	id_table patches; /* live_patch */
	uint64_t bytes, bytes_peak;       /* of the arrays of all patches */
	uint64_t update_bytes_peak;       /* of one update's arrays */
	uint64_t frames_complete, blocks; /* patches brought so far */
	bool hashed;
} live_keep;

/* HOST_OK, or out of memory. */
host_status live_keep_take(live_keep *k, const enm_surface_data *update);
void live_keep_free(live_keep *k);
/* Whether the patches' triangles are those of the mesh; only where hashes were kept. */
bool live_keep_is_mesh(const live_keep *k, const enm_mesh_data *mesh);

/* ---- runs ---- */

typedef struct live_run {
	double *frame_ms;  /* of each frame: push to report */
	double *behind_ms; /* of each fused frame: from its report to the update with which the surface holds it */
	size_t behind_count;
	double wall_s, cpu_s; /* until the last report */
	uint64_t updates, full, patches;
	uint64_t bytes_peak, update_bytes_peak; /* of live_keep */
	uint64_t device_bytes;
	bool same; /* as the mesh; only of the run that checks */
} live_run;

/* At `rate` frames/s, 0: as fast as they go. `follow`: NULL for none. */
host_status live_run_once(enm_context *context, const frames_input *in, double rate, const enm_surface_def *follow,
	bool check, live_run *out);
void live_run_free(live_run *r);

#endif
