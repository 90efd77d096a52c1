/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

#include <stdlib.h>

enm_result gpu_queue_create(gpu_device *device, gpu_queue **out_queue)
{
	cl_int status = CL_SUCCESS;
	*out_queue = NULL;
	gpu_queue *queue = calloc(1, sizeof(*queue));
	if (queue == NULL)
		return gpu_error_host_memory("queue", sizeof(*queue));
	const cl_command_queue_properties properties =
		device->stats.event_times_trusted ? CL_QUEUE_PROFILING_ENABLE : 0;
	queue->device = device;
	queue->handle = GPU_CL_MAKE(status, clCreateCommandQueue(device->context, device->id, properties, &status));
	if (queue->handle == NULL) {
		free(queue);
		return gpu_error(status, "clCreateCommandQueue", device->info.name);
	}
	*out_queue = queue;
	return ENM_OK;
}

void gpu_queue_destroy(gpu_queue **queue)
{
	if (queue == NULL || *queue == NULL)
		return;
	gpu_recording_destroy(&(*queue)->recording);
	(void)GPU_CL_ALWAYS(clFinish((*queue)->handle));
	GPU_CL_RELEASE(clReleaseCommandQueue((*queue)->handle));
	free(*queue);
	*queue = NULL;
}

/* ---- copies ---- */

static enm_result check_part(const char *what, const gpu_buffer *buffer, size_t offset, size_t bytes)
{
	if (buffer == NULL || buffer->mem == NULL)
		return error_set(ENM_E_ARGUMENT, "%s: no buffer", what);
	if (offset > buffer->bytes || bytes > buffer->bytes - offset)
		return error_set(ENM_E_ARGUMENT, "%s: %zu bytes at %zu exceed the buffer's %zu", what, bytes, offset,
			buffer->bytes);
	return ENM_OK;
}

/* Gives `event` to those who asked: the profile, the caller or both. */
static enm_result share_event(gpu_queue *queue, cl_event event, gpu_event **out_event)
{
	enm_result result = ENM_OK;
	if (gpu_object_made(event) == NULL)
		return ENM_OK;
	if (out_event != NULL && gpu_profile_wants_event(queue)) {
		cl_int status = GPU_CL(clRetainEvent(event));
		if (status != CL_SUCCESS)
			result = gpu_error(status, "clRetainEvent", "");
		else
			*out_event = gpu_object_made((void *)event);
		gpu_profile_keep(queue, event);
	} else if (out_event != NULL) {
		*out_event = (gpu_event *)event;
	} else {
		gpu_profile_keep(queue, event);
	}
	return result;
}

enm_result gpu_write(
	gpu_queue *queue, gpu_buffer *to, size_t offset, const void *host, size_t bytes, gpu_event **out_event)
{
	cl_event event = NULL;
	if (out_event != NULL)
		*out_event = NULL;
	enm_result result = check_part("write", to, offset, bytes);
	if (result == ENM_OK)
		result = gpu_record_refuse(queue, "write");
	if (result != ENM_OK || bytes == 0)
		return result;
	result = gpu_profile_reserve(queue);
	if (result != ENM_OK)
		return result;
	bool wanted = out_event != NULL || gpu_profile_wants_event(queue);
	cl_int status = GPU_CL(clEnqueueWriteBuffer(
		queue->handle, to->mem, CL_FALSE, offset, bytes, host, 0, NULL, wanted ? &event : NULL));
	if (status != CL_SUCCESS)
		return gpu_error(status, "clEnqueueWriteBuffer", "");
	return share_event(queue, event, out_event);
}

enm_result gpu_read(
	gpu_queue *queue, const gpu_buffer *from, size_t offset, void *host, size_t bytes, gpu_event **out_event)
{
	cl_event event = NULL;
	if (out_event != NULL)
		*out_event = NULL;
	enm_result result = check_part("read", from, offset, bytes);
	if (result == ENM_OK)
		result = gpu_record_refuse(queue, "read");
	if (result != ENM_OK || bytes == 0)
		return result;
	result = gpu_profile_reserve(queue);
	if (result != ENM_OK)
		return result;
	bool wanted = out_event != NULL || gpu_profile_wants_event(queue);
	cl_int status = GPU_CL(clEnqueueReadBuffer(
		queue->handle, from->mem, CL_FALSE, offset, bytes, host, 0, NULL, wanted ? &event : NULL));
	if (status != CL_SUCCESS)
		return gpu_error(status, "clEnqueueReadBuffer", "");
	return share_event(queue, event, out_event);
}

enm_result gpu_copy(
	gpu_queue *queue, const gpu_buffer *from, size_t from_offset, gpu_buffer *to, size_t to_offset, size_t bytes)
{
	cl_event event = NULL;
	enm_result result = check_part("copy from", from, from_offset, bytes);
	if (result == ENM_OK)
		result = check_part("copy to", to, to_offset, bytes);
	if (result != ENM_OK || bytes == 0)
		return result;
	if (queue->recording != NULL)
		return gpu_record_copy(queue, from->mem, from_offset, to->mem, to_offset, bytes);
	result = gpu_profile_reserve(queue);
	if (result != ENM_OK)
		return result;
	cl_int status = GPU_CL(clEnqueueCopyBuffer(queue->handle, from->mem, to->mem, from_offset, to_offset, bytes, 0,
		NULL, gpu_profile_wants_event(queue) ? &event : NULL));
	if (status != CL_SUCCESS)
		return gpu_error(status, "clEnqueueCopyBuffer", "");
	return share_event(queue, event, NULL);
}

enm_result gpu_fill(gpu_queue *queue, gpu_buffer *to, size_t offset, uint32_t pattern, size_t bytes)
{
	cl_event event = NULL;
	enm_result result = check_part("fill", to, offset, bytes);
	if (result == ENM_OK && (offset % 4 != 0 || bytes % 4 != 0))
		result = error_set(ENM_E_ARGUMENT, "fill: %zu bytes at %zu are no multiples of 4", bytes, offset);
	if (result != ENM_OK || bytes == 0)
		return result;
	if (queue->recording != NULL)
		return gpu_record_fill(queue, to->mem, offset, pattern, bytes);
	result = gpu_profile_reserve(queue);
	if (result != ENM_OK)
		return result;
	cl_int status = GPU_CL(clEnqueueFillBuffer(queue->handle, to->mem, &pattern, sizeof(pattern), offset, bytes, 0,
		NULL, gpu_profile_wants_event(queue) ? &event : NULL));
	if (status != CL_SUCCESS)
		return gpu_error(status, "clEnqueueFillBuffer", "");
	return share_event(queue, event, NULL);
}

/* ---- order between queues ---- */

enm_result gpu_queue_mark(gpu_queue *queue, gpu_event **out_event)
{
	cl_event event = NULL;
	*out_event = NULL;
	enm_result result = gpu_record_refuse(queue, "mark");
	if (result != ENM_OK)
		return result;
	cl_int status = GPU_CL(clEnqueueMarkerWithWaitList(queue->handle, 0, NULL, &event));
	if (status != CL_SUCCESS)
		return gpu_error(status, "clEnqueueMarkerWithWaitList", "");
	*out_event = gpu_object_made((void *)event);
	return ENM_OK;
}

enm_result gpu_queue_wait(gpu_queue *queue, gpu_event *event)
{
	cl_event handle = (cl_event)event;
	enm_result result = gpu_record_refuse(queue, "wait");
	if (result != ENM_OK || event == NULL)
		return result;
	cl_int status = GPU_CL(clEnqueueBarrierWithWaitList(queue->handle, 1, &handle, NULL));
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clEnqueueBarrierWithWaitList", "");
}

/* ---- waiting ---- */

enm_result gpu_flush(gpu_queue *queue)
{
	cl_int status = GPU_CL(clFlush(queue->handle));
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clFlush", "");
}

uint64_t gpu_queue_waits(const gpu_queue *queue)
{
	return queue->waits;
}

enm_result gpu_finish(gpu_queue *queue)
{
	queue->waits++;
	cl_int status = GPU_CL_ALWAYS(clFinish(queue->handle));
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clFinish", "");
}

enm_result gpu_event_wait(gpu_event *event)
{
	cl_event handle = (cl_event)event;
	if (event == NULL)
		return ENM_OK;
	cl_int status = GPU_CL_ALWAYS(clWaitForEvents(1, &handle));
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clWaitForEvents", "");
}

enm_result gpu_event_done(gpu_event *event, bool *out_done)
{
	cl_int state = CL_COMPLETE;
	*out_done = true;
	if (event == NULL)
		return ENM_OK;
	cl_int status =
		GPU_CL(clGetEventInfo((cl_event)event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state), &state, NULL));
	if (status == CL_SUCCESS && state < 0)
		status = state; /* the command itself failed */
	*out_done = status == CL_SUCCESS && state == CL_COMPLETE;
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clGetEventInfo", "");
}

void gpu_event_release(gpu_event **event)
{
	if (event == NULL || *event == NULL)
		return;
	GPU_CL_RELEASE(clReleaseEvent((cl_event)*event));
	*event = NULL;
}
