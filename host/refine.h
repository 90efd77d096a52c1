/* SPDX-License-Identifier: Apache-2.0
 * `enamel replay --refine`: the scan solved as a whole, after the last frame. */
#ifndef ENM_HOST_REFINE_H
#define ENM_HOST_REFINE_H

#include <jansson.h>

#include "stitch.h"

typedef struct refine_facts {
	bool wanted, done;
	bool nothing;   /* there was nothing to compare */
	bool cancelled; /* by the user: the scan is as it was stitched */
	enm_refine_level level;
	enm_refine_result result;
	double wall_s;
} refine_facts;

/* The choices of --refine, in the order of enm_refine_level. */
extern const char *const refine_levels[];

/* Refines, and takes the corrected poses into `scan`. */
host_status refine_scan(
	enm_session *session, const volatile sig_atomic_t *stop, refine_facts *facts, stitch_result *scan);

/* A new reference. */
json_t *refine_json(const refine_facts *facts, bool *ok);

/* A few lines on stdout. */
void refine_print(const refine_facts *facts);

#endif
