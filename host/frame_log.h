/* SPDX-License-Identifier: Apache-2.0
 * A line for each frame that was pushed: what the engine found, for plots and for the search of causes. */
#ifndef ENM_HOST_FRAME_LOG_H
#define ENM_HOST_FRAME_LOG_H

#include "stitch.h"

/* Columns: host/REPORT.md. Written whole or not at all. HOST_IO. */
host_status frame_log_write(const char *path, const dataset *d, const stitch_result *r);

#endif
