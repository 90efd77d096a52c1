/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

#include <inttypes.h>
#include <string.h>

#define MIB(bytes) ((double)(bytes) / 1048576.0)

static enm_result check_room(const gpu_budget *budget, const char *name, size_t bytes)
{
	const enm_device_info *info = &budget->device->info;
	if (bytes == 0)
		return error_set(ENM_E_ARGUMENT, "buffer %s: of no bytes", name);
	if (bytes > info->largest_allocation_bytes)
		return error_set(ENM_E_CAPACITY,
			"buffer %s: %.1f MiB exceed the device's largest allocation of %.1f MiB", name, MIB(bytes),
			MIB(info->largest_allocation_bytes));
	if (budget->bytes_max != 0 && (bytes > budget->bytes_max || budget->bytes > budget->bytes_max - bytes))
		return error_set(ENM_E_CAPACITY,
			"buffer %s: %.1f MiB more than the %.1f MiB in use exceed the bound of %.1f MiB", name,
			MIB(bytes), MIB(budget->bytes), MIB(budget->bytes_max));
	return ENM_OK;
}

enm_result gpu_buffer_create(gpu_budget *budget, const char *name, size_t bytes, gpu_buffer *out_buffer)
{
	gpu_device *device = budget->device;
	cl_int status = CL_SUCCESS;
	memset(out_buffer, 0, sizeof(*out_buffer));
	enm_result result = check_room(budget, name, bytes);
	if (result != ENM_OK)
		return result;
	if (!gpu_device_count(device, bytes))
		return error_set(ENM_E_CAPACITY, "buffer %s: %.1f MiB exceed the device's memory of %.1f MiB", name,
			MIB(bytes), MIB(device->info.memory_bytes));
	cl_mem mem = GPU_CL_MAKE(status, gpu_guard_create(device, name, bytes, &status));
	if (mem == NULL) {
		gpu_device_uncount(device, bytes);
		return gpu_error(status, "clCreateBuffer", name);
	}
	budget->bytes += bytes;
	if (budget->bytes > budget->bytes_peak)
		budget->bytes_peak = budget->bytes;
	budget->allocations++;
	*out_buffer = (gpu_buffer){.mem = mem, .bytes = bytes, .budget = budget};
	return ENM_OK;
}

void gpu_buffer_destroy(gpu_buffer *buffer)
{
	if (buffer == NULL || buffer->mem == NULL)
		return;
	gpu_guard_release(buffer->budget->device, buffer->mem);
	GPU_CL_RELEASE(clReleaseMemObject(buffer->mem));
	buffer->budget->bytes -= buffer->bytes;
	gpu_device_uncount(buffer->budget->device, buffer->bytes);
	memset(buffer, 0, sizeof(*buffer));
}

enm_result gpu_staging_create(gpu_device *device, size_t bytes, gpu_staging *out_staging)
{
	const cl_mem_flags flags = CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR;
	cl_int status = CL_SUCCESS;
	memset(out_staging, 0, sizeof(*out_staging));
	if (bytes == 0)
		return error_set(ENM_E_ARGUMENT, "staging memory: of no bytes");
	cl_mem mem = GPU_CL_MAKE(status, clCreateBuffer(device->context, flags, bytes, NULL, &status));
	if (mem == NULL)
		return gpu_error(status, "clCreateBuffer", "staging memory");
	void *host = GPU_CL_MAKE(status, clEnqueueMapBuffer(device->queue, mem, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
						 bytes, 0, NULL, NULL, &status));
	if (host == NULL) {
		GPU_CL_RELEASE(clReleaseMemObject(mem));
		return gpu_error(status, "clEnqueueMapBuffer", "staging memory");
	}
	*out_staging = (gpu_staging){.mem = mem, .host = host, .bytes = bytes, .device = device};
	return ENM_OK;
}

void gpu_staging_destroy(gpu_staging *staging)
{
	if (staging == NULL || staging->mem == NULL)
		return;
	GPU_CL_RELEASE(clEnqueueUnmapMemObject(staging->device->queue, staging->mem, staging->host, 0, NULL, NULL));
	(void)GPU_CL_ALWAYS(clFinish(staging->device->queue));
	GPU_CL_RELEASE(clReleaseMemObject(staging->mem));
	memset(staging, 0, sizeof(*staging));
}
