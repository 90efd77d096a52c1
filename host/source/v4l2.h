/* SPDX-License-Identifier: Apache-2.0
 * source_open_v4l2 with its system calls named, for tests. */
#ifndef ENM_HOST_SOURCE_V4L2_H
#define ENM_HOST_SOURCE_V4L2_H

#include "source.h"
#include "v4l2_system.h"

/* `system` must outlive the source. */
host_status source_open_v4l2_by(const v4l2_system *system, const source_open_def *def, source *out);

#endif
