/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

#ifdef ENM_FAULTS

static atomic_uint_least64_t calls;
static atomic_uint_least64_t fails_at;

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

#else

void gpu_fault_arm(uint64_t n)
{
	(void)n;
}

uint64_t gpu_fault_calls(void)
{
	return 0;
}

#endif
