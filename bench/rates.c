/* SPDX-License-Identifier: Apache-2.0 */
#include "rates.h"

#include <string.h>

#include "clock.h"
#include "core/context.h"

#define COPY_BYTES_MAX ((uint64_t)256 << 20)
#define CACHED_BYTES ((uint64_t)1 << 20) /* source and target fit the second-level caches of two cores, or a GPU's */
#define QUEUES_MAX 16
#define TRIALS 32 /* over a second or two, so that a moment of quiet is among them */
#define CACHED_COPIES 64
#define LAUNCHES 1000
#define ROUND_TRIPS 100
#define MILLI 1e3

typedef struct bench {
	gpu_budget budget;
	gpu_queue *queues[QUEUES_MAX];
	uint32_t queue_count;
	gpu_buffer from, to;
	gpu_kernel empty;
} bench;

static enm_result create(gpu_device *device, size_t bytes, bench *b)
{
	const enm_device_info *info = gpu_device_get_info(device);
	enm_result result = ENM_OK;
	b->budget = (gpu_budget){.device = device};
	/* A CPU driver gives a copy to one core: as many queues as cores. A GPU's copies fill the bus from one. */
	b->queue_count = gpu_device_is_cpu(device) ? info->compute_units : 1;
	if (b->queue_count > QUEUES_MAX)
		b->queue_count = QUEUES_MAX;
	for (uint32_t i = 0; i < b->queue_count && result == ENM_OK; i++)
		result = gpu_queue_create(device, &b->queues[i]);
	if (result == ENM_OK)
		result = gpu_buffer_create(&b->budget, "copy source", bytes, &b->from);
	if (result == ENM_OK)
		result = gpu_buffer_create(&b->budget, "copy target", bytes, &b->to);
	if (result == ENM_OK)
		result = gpu_kernel_create(device, "selfcheck", "selfcheck_classify", "uint*,uint*,uint", &b->empty);
	/* memory that was never written may stand for nothing at all */
	if (result == ENM_OK)
		result = gpu_fill(b->queues[0], &b->from, 0, 1, bytes);
	if (result == ENM_OK)
		result = gpu_fill(b->queues[0], &b->to, 0, 2, bytes);
	return result == ENM_OK ? gpu_finish(b->queues[0]) : result;
}

static void destroy(bench *b)
{
	for (uint32_t i = 0; i < b->queue_count; i++)
		gpu_queue_destroy(&b->queues[i]);
	gpu_kernel_destroy(&b->empty);
	gpu_buffer_destroy(&b->from);
	gpu_buffer_destroy(&b->to);
}

/* `times` copies of `bytes`, each in equal parts over the first `queue_count` queues. */
static enm_result copy(bench *b, uint32_t queue_count, size_t bytes, uint32_t times, double *out_s)
{
	const size_t part = bytes / queue_count / 64 * 64;
	enm_result result = ENM_OK;
	double begun_s = clock_s();
	for (uint32_t n = 0; n < times && result == ENM_OK; n++)
		for (uint32_t i = 0; i < queue_count && result == ENM_OK; i++)
			result = gpu_copy(b->queues[i], &b->from, i * part, &b->to, i * part,
				i + 1 < queue_count ? part : bytes - i * part);
	for (uint32_t i = 0; i < queue_count && result == ENM_OK; i++)
		result = gpu_flush(b->queues[i]);
	for (uint32_t i = 0; i < queue_count && result == ENM_OK; i++)
		result = gpu_finish(b->queues[i]);
	*out_s = clock_s() - begun_s;
	return result;
}

/* Bytes read and written a second, by one queue or by all, whichever is faster. */
static enm_result copy_rate(bench *b, size_t bytes, uint32_t times, double *out_bytes_s)
{
	enm_result result = ENM_OK;
	*out_bytes_s = 0.0;
	for (uint32_t trial = 0; trial < TRIALS && result == ENM_OK; trial++) {
		double took_s;
		result = copy(b, trial % 2 != 0 ? b->queue_count : 1, bytes, times, &took_s);
		double rate = 2.0 * (double)bytes * times / took_s;
		*out_bytes_s = rate > *out_bytes_s ? rate : *out_bytes_s;
	}
	return result;
}

/* A kernel that finds nothing to do; `waited`: each is waited for. */
static enm_result launch(bench *b, uint32_t launches, bool waited, double *out_ms)
{
	const uint32_t nothing = 0;
	const gpu_arg args[] = {GPU_BUFFER(&b->from), GPU_BUFFER(&b->to), GPU_VALUE(nothing)};
	enm_result result = ENM_OK;
	double begun_s = clock_s();
	for (uint32_t i = 0; i < launches && result == ENM_OK; i++) {
		result = gpu_launch(b->queues[0], &b->empty, GPU_RANGE_1D(64, 64), args, 3);
		if (waited && result == ENM_OK)
			result = gpu_finish(b->queues[0]);
	}
	if (result == ENM_OK)
		result = gpu_finish(b->queues[0]);
	*out_ms = MILLI * (clock_s() - begun_s) / launches;
	return result;
}

static enm_result launch_rates(bench *b, device_rates *out)
{
	enm_result result = ENM_OK;
	for (uint32_t trial = 0; trial < TRIALS && result == ENM_OK; trial++) {
		double queued_ms, waited_ms;
		result = launch(b, LAUNCHES, false, &queued_ms);
		if (result == ENM_OK)
			result = launch(b, ROUND_TRIPS, true, &waited_ms);
		if (result != ENM_OK || trial == 0) /* the first one compiles, and wakes the device */
			continue;
		out->launch_ms = trial == 1 || queued_ms < out->launch_ms ? queued_ms : out->launch_ms;
		out->round_trip_ms = trial == 1 || waited_ms < out->round_trip_ms ? waited_ms : out->round_trip_ms;
	}
	return result;
}

enm_result rates_measure(const enm_context *context, device_rates *out_rates)
{
	bench b = {0};
	gpu_device *device = context_device(context);
	const enm_device_info *info = gpu_device_get_info(device);
	memset(out_rates, 0, sizeof(*out_rates));
	uint64_t bytes = COPY_BYTES_MAX;
	if (bytes > info->largest_allocation_bytes)
		bytes = info->largest_allocation_bytes;
	if (bytes > info->memory_bytes / 8)
		bytes = info->memory_bytes / 8;
	bytes = bytes / 4096 * 4096;
	out_rates->copy_bytes = bytes;
	out_rates->cached_bytes = CACHED_BYTES < bytes ? CACHED_BYTES : bytes;
	enm_result result = create(device, (size_t)bytes, &b);
	if (result == ENM_OK)
		result = copy_rate(&b, (size_t)bytes, 1, &out_rates->copy_bytes_s);
	if (result == ENM_OK)
		result = copy_rate(&b, (size_t)out_rates->cached_bytes, CACHED_COPIES, &out_rates->cached_bytes_s);
	if (result == ENM_OK)
		result = launch_rates(&b, out_rates);
	destroy(&b);
	return result;
}
