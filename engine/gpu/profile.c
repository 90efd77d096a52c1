/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_AT_FIRST 64u

typedef struct measured {
	cl_event event;
	uint32_t stage;
} measured;

struct gpu_profile {
	gpu_device *device;
	uint32_t stage_count;
	measured *items;
	uint32_t count, capacity;
	double *wall_ms; /* per stage, where event times are not trusted */
	uint64_t wall_begin_ns;
};

enm_result gpu_profile_create(gpu_device *device, uint32_t stage_count, gpu_profile **out_profile)
{
	*out_profile = NULL;
	gpu_profile *profile = calloc(1, sizeof(*profile));
	if (profile == NULL)
		return gpu_error_host_memory("profile", sizeof(*profile));
	profile->device = device;
	profile->stage_count = stage_count;
	profile->capacity = EVENTS_AT_FIRST;
	profile->wall_ms = calloc(stage_count > 0 ? stage_count : 1, sizeof(profile->wall_ms[0]));
	profile->items = calloc(profile->capacity, sizeof(profile->items[0]));
	if (profile->wall_ms == NULL || profile->items == NULL) {
		gpu_profile_destroy(&profile);
		return gpu_error_host_memory("profile", EVENTS_AT_FIRST * sizeof(measured));
	}
	*out_profile = profile;
	return ENM_OK;
}

static void empty(gpu_profile *profile)
{
	for (uint32_t i = 0; i < profile->count; i++)
		GPU_CL_RELEASE(clReleaseEvent(profile->items[i].event));
	profile->count = 0;
	memset(profile->wall_ms, 0, profile->stage_count * sizeof(profile->wall_ms[0]));
}

void gpu_profile_destroy(gpu_profile **profile)
{
	if (profile == NULL || *profile == NULL)
		return;
	if ((*profile)->items != NULL && (*profile)->wall_ms != NULL)
		empty(*profile);
	free((*profile)->items);
	free((*profile)->wall_ms);
	free(*profile);
	*profile = NULL;
}

/* ---- recording ---- */

bool gpu_profile_wants_event(const gpu_queue *queue)
{
	return queue->profile != NULL && queue->device->stats.event_times_trusted;
}

enm_result gpu_profile_reserve(gpu_queue *queue)
{
	gpu_profile *profile = queue->profile;
	if (!gpu_profile_wants_event(queue) || profile->count < profile->capacity)
		return ENM_OK;
	measured *grown = realloc(profile->items, 2 * profile->capacity * sizeof(grown[0]));
	if (grown == NULL)
		return gpu_error_host_memory("profile", 2 * profile->capacity * sizeof(grown[0]));
	profile->items = grown;
	profile->capacity *= 2;
	return ENM_OK;
}

void gpu_profile_keep(gpu_queue *queue, cl_event event)
{
	gpu_profile *profile = queue->profile;
	profile->items[profile->count++] = (measured){.event = event, .stage = queue->stage};
}

/* Without event times: what has passed since the last change belongs to the stage that ends here. */
static enm_result end_wall_stage(gpu_queue *queue)
{
	enm_result result = gpu_finish(queue);
	gpu_profile *profile = queue->profile;
	if (profile != NULL)
		profile->wall_ms[queue->stage] += (double)(gpu_now_ns() - profile->wall_begin_ns) * 1e-6;
	return result;
}

enm_result gpu_profile_stage(gpu_queue *queue, gpu_profile *profile, uint32_t stage)
{
	enm_result result = ENM_OK;
	if (profile != NULL && stage >= profile->stage_count)
		return error_set(ENM_E_ARGUMENT, "profile: stage %u of %u", stage, profile->stage_count);
	if (profile != NULL && queue->recording != NULL)
		return gpu_record_refuse(queue, "profile");
	if (!queue->device->stats.event_times_trusted && (queue->profile != NULL || profile != NULL)) {
		result = end_wall_stage(queue);
		if (profile != NULL)
			profile->wall_begin_ns = gpu_now_ns();
	}
	queue->profile = profile;
	queue->stage = stage;
	return result;
}

/* ---- reading ---- */

static enm_result get_ms(cl_event event, double *out_ms)
{
	cl_ulong start = 0, end = 0;
	*out_ms = 0.0;
	cl_int status = GPU_CL_ALWAYS(clWaitForEvents(1, &event));
	if (status != CL_SUCCESS)
		return gpu_error(status, "clWaitForEvents", "(profile)");
	status = GPU_CL(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof(start), &start, NULL));
	if (status == CL_SUCCESS)
		status = GPU_CL(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof(end), &end, NULL));
	if (status != CL_SUCCESS)
		return gpu_error(status, "clGetEventProfilingInfo", "");
	if (end > start)
		*out_ms = (double)(end - start) * 1e-6;
	return ENM_OK;
}

enm_result gpu_profile_collect(gpu_profile *profile, float *out_ms)
{
	enm_result result = ENM_OK;
	for (uint32_t i = 0; i < profile->count && result == ENM_OK; i++) {
		double event_ms;
		result = get_ms(profile->items[i].event, &event_ms);
		profile->wall_ms[profile->items[i].stage] += event_ms;
	}
	for (uint32_t i = 0; i < profile->stage_count; i++)
		out_ms[i] = result == ENM_OK ? (float)profile->wall_ms[i] : 0.0f;
	empty(profile);
	return result;
}
