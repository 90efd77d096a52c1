/* SPDX-License-Identifier: Apache-2.0
 *
 * Recordings by cl_khr_command_buffer. The extension is provisional: its recording calls changed with version 0.9.5,
 * so that only those before it, of which PoCL's 0.9.0 is the one that could be tried, count as there.
 *
 * A recorded launch has a kernel object of its own, because PoCL 3.1 takes the arguments when the recording is run, not
 * when it is made. */
#include "gpu/internal.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_LEAST CL_MAKE_VERSION_KHR(0, 9, 0)
#define VERSION_BEYOND CL_MAKE_VERSION_KHR(0, 9, 5)

struct gpu_recording {
	gpu_device *device;
	cl_command_queue queue; /* that it was made for */
	cl_command_buffer_khr handle;
	cl_kernel *kernels; /* one a launch */
	uint32_t count, capacity;
};

/* ---- does the device have them? ---- */

static cl_version version_of(const gpu_device *device)
{
	size_t bytes = 0;
	cl_version version = 0;
	const cl_device_info what = CL_DEVICE_EXTENSIONS_WITH_VERSION;
	/* a property since OpenCL 3.0: who does not know it has no version that is known here */
	if (GPU_CL(clGetDeviceInfo(device->id, what, 0, NULL, &bytes)) != CL_SUCCESS)
		return 0;
	cl_name_version *all = calloc(1, bytes + 1);
	if (all != NULL && GPU_CL(clGetDeviceInfo(device->id, what, bytes, all, NULL)) == CL_SUCCESS)
		for (size_t i = 0; i < bytes / sizeof(all[0]); i++)
			if (strcmp(all[i].name, "cl_khr_command_buffer") == 0)
				version = all[i].version;
	free(all);
	return version;
}

void gpu_record_find(gpu_device *device, cl_platform_id platform)
{
	gpu_command_buffers c = {0};
	cl_device_command_buffer_capabilities_khr abilities = 0;
	const char *wish = getenv("ENAMEL_COMMAND_BUFFERS");
	if (!device->info.command_buffers || (wish != NULL && strcmp(wish, "0") == 0))
		return;
	const cl_version version = version_of(device);
	if (version < VERSION_LEAST || version >= VERSION_BEYOND)
		return;
	const struct {
		void *to;
		const char *name;
	} calls[] = {
		{&c.create, "clCreateCommandBufferKHR"},
		{&c.release, "clReleaseCommandBufferKHR"},
		{&c.finalize, "clFinalizeCommandBufferKHR"},
		{&c.enqueue, "clEnqueueCommandBufferKHR"},
		{&c.launch, "clCommandNDRangeKernelKHR"},
		{&c.copy, "clCommandCopyBufferKHR"},
		{&c.fill, "clCommandFillBufferKHR"},
	};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		void *address = clGetExtensionFunctionAddressForPlatform(platform, calls[i].name);
		if (address == NULL)
			return;
		memcpy(calls[i].to, &address, sizeof(address)); /* C has no cast from an object's to a function's */
	}
	if (GPU_CL(clGetDeviceInfo(device->id, CL_DEVICE_COMMAND_BUFFER_CAPABILITIES_KHR, sizeof(abilities), &abilities,
		    NULL)) == CL_SUCCESS)
		c.simultaneous = (abilities & CL_COMMAND_BUFFER_CAPABILITY_SIMULTANEOUS_USE_KHR) != 0;
	device->command_buffers = c;
}

bool gpu_can_record(const gpu_device *device)
{
	return device->command_buffers.create != NULL;
}

/* ---- recording ---- */

enm_result gpu_record_refuse(const gpu_queue *queue, const char *what)
{
	return queue->recording == NULL ? ENM_OK : error_set(ENM_E_ARGUMENT, "%s: not while recording", what);
}

enm_result gpu_record_begin(gpu_queue *queue)
{
	gpu_device *device = queue->device;
	const gpu_command_buffers *c = &device->command_buffers;
	const cl_command_buffer_properties_khr properties[] = {
		CL_COMMAND_BUFFER_FLAGS_KHR, CL_COMMAND_BUFFER_SIMULTANEOUS_USE_KHR, 0};
	cl_int status = CL_SUCCESS;
	enm_result result = gpu_record_refuse(queue, "recording");
	if (result != ENM_OK)
		return result;
	if (queue->profile != NULL)
		return error_set(ENM_E_ARGUMENT, "recording: not while stages are measured");
	if (!gpu_can_record(device))
		return error_set(
			ENM_E_DEVICE, "recording: %s has no command buffers that are known here", device->info.name);
	gpu_recording *recording = calloc(1, sizeof(*recording));
	if (recording == NULL)
		return gpu_error_host_memory("recording", sizeof(*recording));
	recording->device = device;
	recording->handle =
		GPU_CL_MAKE(status, c->create(1, &queue->handle, c->simultaneous ? properties : NULL, &status));
	if (recording->handle == NULL) {
		free(recording);
		return gpu_error(status, "clCreateCommandBufferKHR", "");
	}
	status = GPU_CL(clRetainCommandQueue(queue->handle)); /* nobody says that the extension does */
	if (status != CL_SUCCESS) {
		gpu_recording_destroy(&recording);
		return gpu_error(status, "clRetainCommandQueue", "");
	}
	recording->queue = queue->handle;
	(void)gpu_object_made(queue->handle);
	queue->recording = recording;
	return ENM_OK;
}

enm_result gpu_record_end(gpu_queue *queue, gpu_recording **out_recording)
{
	gpu_recording *recording = queue->recording;
	queue->recording = NULL;
	if (out_recording == NULL) {
		gpu_recording_destroy(&recording);
		return ENM_OK;
	}
	*out_recording = NULL;
	if (recording == NULL)
		return error_set(ENM_E_ARGUMENT, "recording: ended, but never begun");
	cl_int status = GPU_CL(queue->device->command_buffers.finalize(recording->handle));
	if (status != CL_SUCCESS) {
		gpu_recording_destroy(&recording);
		return gpu_error(status, "clFinalizeCommandBufferKHR", "");
	}
	*out_recording = recording;
	return ENM_OK;
}

/* A kernel object like `kernel`, kept by the recording. */
static enm_result copy_kernel(gpu_recording *recording, const gpu_kernel *kernel, cl_kernel *out_copy)
{
	gpu_program *program = kernel->program;
	cl_int status = CL_SUCCESS;
	*out_copy = NULL;
	if (recording->count == recording->capacity) {
		const uint32_t capacity = 2 * recording->capacity + 32;
		cl_kernel *grown = realloc(recording->kernels, capacity * sizeof(grown[0]));
		if (grown == NULL)
			return gpu_error_host_memory("recording", capacity * sizeof(grown[0]));
		recording->kernels = grown;
		recording->capacity = capacity;
	}
	cl_kernel copy = GPU_CL_MAKE(status, clCreateKernel(program->handle, kernel->name, &status));
	if (copy == NULL)
		return gpu_error(status, "clCreateKernel", kernel->name);
	recording->kernels[recording->count++] = copy;
	*out_copy = copy;
	return ENM_OK;
}

enm_result gpu_record_launch(gpu_queue *queue, const gpu_kernel *kernel, cl_uint dimensions, const gpu_range *range,
	const gpu_arg *args, uint32_t count)
{
	cl_kernel copy = NULL;
	enm_result result = copy_kernel(queue->recording, kernel, &copy);
	if (result == ENM_OK)
		result = gpu_set_args(kernel, copy, args, count);
	if (result != ENM_OK)
		return result;
	cl_int status = GPU_CL(queue->device->command_buffers.launch(queue->recording->handle, NULL, NULL, copy,
		dimensions, NULL, range->global, range->local, 0, NULL, NULL, NULL));
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clCommandNDRangeKernelKHR", kernel->name);
}

enm_result gpu_record_copy(gpu_queue *queue, cl_mem from, size_t from_offset, cl_mem to, size_t to_offset, size_t bytes)
{
	cl_int status = GPU_CL(queue->device->command_buffers.copy(
		queue->recording->handle, NULL, from, to, from_offset, to_offset, bytes, 0, NULL, NULL, NULL));
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clCommandCopyBufferKHR", "");
}

enm_result gpu_record_fill(gpu_queue *queue, cl_mem to, size_t offset, uint32_t pattern, size_t bytes)
{
	cl_int status = GPU_CL(queue->device->command_buffers.fill(
		queue->recording->handle, NULL, to, &pattern, sizeof(pattern), offset, bytes, 0, NULL, NULL, NULL));
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clCommandFillBufferKHR", "");
}

/* ---- running ---- */

enm_result gpu_replay(gpu_queue *queue, gpu_recording *recording)
{
	enm_result result = gpu_record_refuse(queue, "replay");
	if (result != ENM_OK)
		return result;
	if (recording == NULL || recording->queue != queue->handle)
		return error_set(ENM_E_ARGUMENT, "replay: %s", recording == NULL ? "no recording" : "of another queue");
	if (queue->profile != NULL)
		return error_set(ENM_E_ARGUMENT, "replay: not while stages are measured");
	cl_int status = GPU_CL(queue->device->command_buffers.enqueue(0, NULL, recording->handle, 0, NULL, NULL));
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clEnqueueCommandBufferKHR", "");
}

void gpu_recording_destroy(gpu_recording **recording)
{
	if (recording == NULL || *recording == NULL)
		return;
	GPU_CL_RELEASE((*recording)->device->command_buffers.release((*recording)->handle));
	for (uint32_t i = 0; i < (*recording)->count; i++)
		GPU_CL_RELEASE(clReleaseKernel((*recording)->kernels[i]));
	free((*recording)->kernels);
	if ((*recording)->queue != NULL)
		GPU_CL_RELEASE(clReleaseCommandQueue((*recording)->queue));
	free(*recording);
	*recording = NULL;
}
