/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static void count(gpu_budget *budget, size_t bytes)
{
	budget->bytes += bytes;
	if (budget->bytes > budget->bytes_peak)
		budget->bytes_peak = budget->bytes;
}

static enm_result count_on_device(gpu_device *device, const char *name, size_t bytes)
{
	if (gpu_device_count(device, bytes))
		return ENM_OK;
	return error_set(ENM_E_CAPACITY, "buffer %s: %.1f MiB exceed the device's memory of %.1f MiB", name, MIB(bytes),
		MIB(device->info.memory_bytes));
}

enm_result gpu_buffer_reserve(
	gpu_budget *budget, const char *name, size_t bytes, size_t reserved, gpu_buffer *out_buffer)
{
	gpu_device *device = budget->device;
	const uint64_t largest = device->info.largest_allocation_bytes;
	cl_int status = CL_SUCCESS;
	memset(out_buffer, 0, sizeof(*out_buffer));
	enm_result result = check_room(budget, name, bytes);
	if (result == ENM_OK)
		result = count_on_device(device, name, bytes);
	if (result != ENM_OK)
		return result;
	reserved = !device->lazy || reserved < bytes ? bytes : reserved > largest ? (size_t)largest : reserved;
	cl_mem mem = GPU_CL_MAKE(status, gpu_guard_create(device, name, bytes, reserved, &status));
	if (mem == NULL && reserved > bytes) { /* without the room to grow, then */
		reserved = bytes;
		mem = GPU_CL_MAKE(status, gpu_guard_create(device, name, bytes, bytes, &status));
	}
	if (mem == NULL) {
		gpu_device_uncount(device, bytes);
		return gpu_error(status, "clCreateBuffer", name);
	}
	count(budget, bytes);
	budget->allocations++;
	*out_buffer = (gpu_buffer){.mem = mem, .bytes = bytes, .reserved = reserved, .budget = budget};
	return ENM_OK;
}

enm_result gpu_buffer_create(gpu_budget *budget, const char *name, size_t bytes, gpu_buffer *out_buffer)
{
	return gpu_buffer_reserve(budget, name, bytes, bytes, out_buffer);
}

enm_result gpu_buffer_extend(gpu_buffer *buffer, const char *name, size_t bytes)
{
	if (buffer == NULL || buffer->mem == NULL)
		return error_set(ENM_E_ARGUMENT, "buffer %s: extended, but there is none", name);
	if (bytes < buffer->bytes)
		return error_set(
			ENM_E_ARGUMENT, "buffer %s: extended from %zu bytes to %zu", name, buffer->bytes, bytes);
	if (bytes > buffer->reserved)
		return error_set(ENM_E_CAPACITY, "buffer %s: %.1f MiB exceed the %.1f MiB reserved", name, MIB(bytes),
			MIB(buffer->reserved));
	const size_t more = bytes - buffer->bytes;
	if (more == 0)
		return ENM_OK;
	gpu_device *device = buffer->budget->device;
	enm_result result = check_room(buffer->budget, name, more);
	if (result == ENM_OK)
		result = count_on_device(device, name, more);
	if (result != ENM_OK)
		return result;
	cl_int status = gpu_guard_extend(device, buffer->mem, bytes);
	if (status != CL_SUCCESS) {
		gpu_device_uncount(device, more);
		return gpu_error(status, "clEnqueueFillBuffer", name);
	}
	count(buffer->budget, more);
	buffer->bytes = bytes;
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

/* ---- does reserving cost memory? ---- */

#define TRY_BYTES ((size_t)64 << 20)
#define TRY_TOUCHED ((size_t)4096)

#if defined(__SANITIZE_ADDRESS__)
#define SHADOWED true /* the sanitizer's shadow of what is reserved is touched whole when it is given back */
#else
#define SHADOWED false
#endif

/* Bytes of the process that are in memory; 0: not known. */
static uint64_t resident_bytes(void)
{
	unsigned long long all = 0, resident = 0;
	const long page = sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/statm", "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu %llu", &all, &resident) != 2 || page <= 0)
		resident = 0;
	fclose(file);
	return resident * (uint64_t)page;
}

/* Makes a buffer and writes to both its ends, for a driver that puts everything off. */
static bool touch_ends(gpu_device *device, cl_mem buffer)
{
	const cl_uint pattern = 0;
	cl_int status = GPU_CL(
		clEnqueueFillBuffer(device->queue, buffer, &pattern, sizeof(pattern), 0, TRY_TOUCHED, 0, NULL, NULL));
	if (status == CL_SUCCESS)
		status = GPU_CL(clEnqueueFillBuffer(device->queue, buffer, &pattern, sizeof(pattern),
			TRY_BYTES - TRY_TOUCHED, TRY_TOUCHED, 0, NULL, NULL));
	return GPU_CL_ALWAYS(clFinish(device->queue)) == CL_SUCCESS && status == CL_SUCCESS;
}

void gpu_memory_try(gpu_device *device)
{
	cl_int status = CL_SUCCESS;
	if (SHADOWED || !gpu_device_is_cpu(device) || device->info.largest_allocation_bytes < 2 * TRY_BYTES)
		return;
	const uint64_t before = resident_bytes();
	cl_mem buffer =
		GPU_CL_MAKE(status, clCreateBuffer(device->context, CL_MEM_READ_WRITE, TRY_BYTES, NULL, &status));
	if (buffer == NULL)
		return;
	const bool touched = touch_ends(device, buffer);
	const uint64_t after = resident_bytes();
	GPU_CL_RELEASE(clReleaseMemObject(buffer));
	/* what else the process does meanwhile is far less than half of it */
	device->lazy = touched && before != 0 && after != 0 && after < before + TRY_BYTES / 2;
}

/* ---- staging ---- */

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
