/* SPDX-License-Identifier: Apache-2.0
 * What all stages do alike: make and drop their kernels and buffers from a table. */
#ifndef ENM_STAGE_H
#define ENM_STAGE_H

#include "gpu/gpu.h"

typedef struct stage_kernel {
	gpu_kernel *kernel;
	const char *name, *signature;
} stage_kernel;

typedef struct stage_buffer {
	gpu_buffer *buffer;
	const char *name;
	size_t bytes;
} stage_buffer;

#define STAGE_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Stops at the first failure; what was made so far is given back by the stage's destroy. */
ENM_MUST_CHECK enm_result stage_create_kernels(
	gpu_device *device, const char *program, const stage_kernel *table, size_t count);
ENM_MUST_CHECK enm_result stage_create_buffers(gpu_budget *budget, const stage_buffer *table, size_t count);

/* Keeps a buffer of at least `bytes`, made anew, and then of no known contents, where it is smaller. The queue must have done with it. */
ENM_MUST_CHECK enm_result stage_ensure(gpu_budget *budget, const char *name, size_t bytes, gpu_buffer *buffer);

#endif
