/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

#include <time.h>

#define STATUS(name)                                                                                                   \
	case name:                                                                                                     \
		return #name

const char *gpu_status_name(cl_int status)
{
	switch (status) {
		STATUS(CL_SUCCESS);
		STATUS(CL_DEVICE_NOT_FOUND);
		STATUS(CL_DEVICE_NOT_AVAILABLE);
		STATUS(CL_COMPILER_NOT_AVAILABLE);
		STATUS(CL_MEM_OBJECT_ALLOCATION_FAILURE);
		STATUS(CL_OUT_OF_RESOURCES);
		STATUS(CL_OUT_OF_HOST_MEMORY);
		STATUS(CL_PROFILING_INFO_NOT_AVAILABLE);
		STATUS(CL_MEM_COPY_OVERLAP);
		STATUS(CL_BUILD_PROGRAM_FAILURE);
		STATUS(CL_MAP_FAILURE);
		STATUS(CL_MISALIGNED_SUB_BUFFER_OFFSET);
		STATUS(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
		STATUS(CL_COMPILE_PROGRAM_FAILURE);
		STATUS(CL_LINKER_NOT_AVAILABLE);
		STATUS(CL_LINK_PROGRAM_FAILURE);
		STATUS(CL_KERNEL_ARG_INFO_NOT_AVAILABLE);
		STATUS(CL_INVALID_VALUE);
		STATUS(CL_INVALID_DEVICE_TYPE);
		STATUS(CL_INVALID_PLATFORM);
		STATUS(CL_INVALID_DEVICE);
		STATUS(CL_INVALID_CONTEXT);
		STATUS(CL_INVALID_QUEUE_PROPERTIES);
		STATUS(CL_INVALID_COMMAND_QUEUE);
		STATUS(CL_INVALID_HOST_PTR);
		STATUS(CL_INVALID_MEM_OBJECT);
		STATUS(CL_INVALID_BINARY);
		STATUS(CL_INVALID_BUILD_OPTIONS);
		STATUS(CL_INVALID_PROGRAM);
		STATUS(CL_INVALID_PROGRAM_EXECUTABLE);
		STATUS(CL_INVALID_KERNEL_NAME);
		STATUS(CL_INVALID_KERNEL_DEFINITION);
		STATUS(CL_INVALID_KERNEL);
		STATUS(CL_INVALID_ARG_INDEX);
		STATUS(CL_INVALID_ARG_VALUE);
		STATUS(CL_INVALID_ARG_SIZE);
		STATUS(CL_INVALID_KERNEL_ARGS);
		STATUS(CL_INVALID_WORK_DIMENSION);
		STATUS(CL_INVALID_WORK_GROUP_SIZE);
		STATUS(CL_INVALID_WORK_ITEM_SIZE);
		STATUS(CL_INVALID_GLOBAL_OFFSET);
		STATUS(CL_INVALID_EVENT_WAIT_LIST);
		STATUS(CL_INVALID_EVENT);
		STATUS(CL_INVALID_OPERATION);
		STATUS(CL_INVALID_BUFFER_SIZE);
		STATUS(CL_INVALID_GLOBAL_WORK_SIZE);
		STATUS(CL_INVALID_PROPERTY);
		STATUS(CL_INVALID_COMPILER_OPTIONS);
		STATUS(CL_INVALID_LINKER_OPTIONS);
	case -1001:
		return "CL_PLATFORM_NOT_FOUND_KHR";
	default:
		return "unknown status";
	}
}

enm_result gpu_error(cl_int status, const char *call, const char *what)
{
	enm_result result = ENM_E_DEVICE;
	if (status == CL_OUT_OF_HOST_MEMORY)
		result = ENM_E_MEMORY;
	else if (status == CL_MEM_OBJECT_ALLOCATION_FAILURE || status == CL_INVALID_BUFFER_SIZE)
		result = ENM_E_CAPACITY;
	return error_set(
		result, "%s%s%s: %s (%d)", call, what[0] != '\0' ? " " : "", what, gpu_status_name(status), status);
}

enm_result gpu_error_host_memory(const char *what, size_t bytes)
{
	return error_set(ENM_E_MEMORY, "%s: no host memory (%zu bytes)", what, bytes);
}

uint64_t gpu_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
