/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

#ifdef ENM_FAULTS

static atomic_uint_least64_t calls;
static atomic_uint_least64_t fails_at;
static atomic_int_least64_t objects;

bool gpu_fault_hits(void)
{
	return atomic_fetch_add(&calls, 1) + 1 == atomic_load(&fails_at);
}

void gpu_fault_arm(uint64_t n)
{
	atomic_store(&fails_at, 0);
	atomic_store(&calls, 0);
	atomic_store(&fails_at, n);
}

uint64_t gpu_fault_calls(void)
{
	return atomic_load(&calls);
}

void *gpu_object_made(void *object)
{
	if (object != NULL)
		atomic_fetch_add(&objects, 1);
	return object;
}

void gpu_object_released(void)
{
	atomic_fetch_sub(&objects, 1);
}

int64_t gpu_fault_objects(void)
{
	return atomic_load(&objects);
}

#else

void gpu_fault_arm(uint64_t n)
{
	(void)n;
}

uint64_t gpu_fault_calls(void)
{
	return 0;
}

int64_t gpu_fault_objects(void)
{
	return 0;
}

#endif
