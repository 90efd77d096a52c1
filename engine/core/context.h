/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENM_CONTEXT_H
#define ENM_CONTEXT_H

#include "gpu/gpu.h"

/* The context's device, borrowed: a session takes its own reference by gpu_device_retain. */
gpu_device *context_device(const enm_context *context);

/* The bound on device memory for a caller's wish, where 0 is none. */
uint64_t context_bytes_allowed(uint64_t wish, const gpu_device *device);

#endif
