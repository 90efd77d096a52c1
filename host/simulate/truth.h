/* SPDX-License-Identifier: Apache-2.0
 * What is known about a simulated scan: truth.ply and truth.json. */
#ifndef ENM_SIMULATE_TRUTH_H
#define ENM_SIMULATE_TRUTH_H

#include "body.h"
#include "config.h"
#include "views.h"

/* Into the folder. HOST_IO. */
host_status truth_write(const char *folder, const sim_config *config, const body *b, const enm_depth_residual *residual,
	const view_list *seen);

#endif
