/* SPDX-License-Identifier: Apache-2.0
 * What a device does at best: copies and empty launches. */
#ifndef ENM_BENCH_RATES_H
#define ENM_BENCH_RATES_H

#include "enamel.h"

typedef struct device_rates {
	double copy_bytes_s;   /* read and written by copies of `copy_bytes`, which no cache holds */
	double cached_bytes_s; /* the same of `cached_bytes`, again and again */
	double launch_ms;      /* of an empty kernel among many in a queue */
	double round_trip_ms;  /* of an empty kernel that is waited for */
	uint64_t copy_bytes, cached_bytes;
} device_rates;

/* The fastest of several trials each, since a floor must lie below what the machine can do at its best. */
ENM_MUST_CHECK enm_result rates_measure(const enm_context *context, device_rates *out_rates);

#endif
