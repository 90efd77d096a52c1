/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/stage.h"

enm_result stage_create_kernels(gpu_device *device, const char *program, const stage_kernel *table, size_t count)
{
	enm_result result = ENM_OK;
	for (size_t i = 0; i < count && result == ENM_OK; i++)
		result = gpu_kernel_create(device, program, table[i].name, table[i].signature, table[i].kernel);
	return result;
}

enm_result stage_create_buffers(gpu_budget *budget, const stage_buffer *table, size_t count)
{
	enm_result result = ENM_OK;
	for (size_t i = 0; i < count && result == ENM_OK; i++)
		result = gpu_buffer_create(budget, table[i].name, table[i].bytes, table[i].buffer);
	return result;
}

enm_result stage_ensure(gpu_budget *budget, const char *name, size_t bytes, gpu_buffer *buffer)
{
	if (buffer->bytes >= bytes)
		return ENM_OK;
	gpu_buffer_destroy(buffer);
	return gpu_buffer_create(budget, name, bytes, buffer);
}
