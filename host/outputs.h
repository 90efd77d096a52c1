/* SPDX-License-Identifier: Apache-2.0
 * What is left of a scan, recorded or live: mesh, poses, report, pictures. */
#ifndef ENM_HOST_OUTPUTS_H
#define ENM_HOST_OUTPUTS_H

#include "report.h"

typedef struct outputs_def {
	const char *out, *also, *trajectory, *frame_log, *report, *preview, *certificate,
		*calibration; /* files; NULL: not this one */
	bool json;            /* the report on stdout, rather than a few lines */
} outputs_def;

typedef struct outputs {
	const outputs_def *def;
	enm_context *context;
	enm_session *session;
	replay_facts *facts; /* data, result, session_def, scale and device are known; the rest is filled in */
	const scale_reference *reference; /* of a refined scan; NULL: none */
} outputs;

/* Writes all it can, also after a failure of the engine (`stitched`): what was stitched until then is worth keeping.
 * Returns the first failure, that of the engine before its own, and says the others. No mesh is written where there is
 * no surface. */
host_status outputs_write(const outputs *o, host_status stitched);

#endif
