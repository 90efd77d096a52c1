/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

static enm_result mismatch(const gpu_kernel *kernel, uint32_t index, const char *given)
{
	static const char *const wanted[] = {"a value", "a buffer", "local memory", "a buffer or local memory"};
	return error_set(ENM_E_ARGUMENT, "launch %s: argument %u of (%s): %s given, %s wanted", kernel->name, index,
		kernel->signature, given, wanted[kernel->params[index].kind]);
}

static enm_result check_arg(const gpu_kernel *kernel, uint32_t index, const gpu_arg *arg)
{
	const gpu_param *param = &kernel->params[index];
	switch (arg->kind) {
	case GPU_ARG_BUFFER:
		if (param->kind != GPU_PARAM_GLOBAL && param->kind != GPU_PARAM_POINTER)
			return mismatch(kernel, index, "a buffer");
		if (arg->buffer != NULL && arg->buffer->mem == NULL)
			return mismatch(kernel, index, "a buffer without memory");
		return ENM_OK;
	case GPU_ARG_LOCAL:
		if (param->kind != GPU_PARAM_LOCAL && param->kind != GPU_PARAM_POINTER)
			return mismatch(kernel, index, "local memory");
		if (arg->size == 0)
			return mismatch(kernel, index, "local memory of no bytes");
		return ENM_OK;
	case GPU_ARG_BYTES:
		if (param->kind != GPU_PARAM_VALUE)
			return mismatch(kernel, index, "a value");
		if (arg->size != param->size)
			return error_set(ENM_E_ARGUMENT, "launch %s: argument %u of (%s): %zu bytes given, %u wanted",
				kernel->name, index, kernel->signature, arg->size, param->size);
		return ENM_OK;
	}
	return mismatch(kernel, index, "an unknown kind");
}

enm_result gpu_set_args(const gpu_kernel *kernel, void *handle, const gpu_arg *args, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const gpu_arg *arg = &args[i];
		const void *value = arg->kind == GPU_ARG_BYTES ? arg->bytes : NULL;
		size_t size = arg->size;
		enm_result result = check_arg(kernel, i, arg);
		if (result != ENM_OK)
			return result;
		if (arg->kind == GPU_ARG_BUFFER) {
			value = arg->buffer != NULL ? &arg->buffer->mem : NULL;
			size = sizeof(cl_mem);
		}
		cl_int status = GPU_CL(clSetKernelArg(handle, i, size, value));
		if (status != CL_SUCCESS)
			return gpu_error(status, "clSetKernelArg", kernel->name);
	}
	return ENM_OK;
}

static enm_result round_up(const gpu_kernel *kernel, gpu_range *range, cl_uint *out_dimensions)
{
	cl_uint dimensions = range->global[1] == 0 && range->local[1] == 0 ? 1 : 2;
	/* The driver's own word on the kernel would be less than the truth on rusticl; where the group does not fit the
	 * kernel (registers, local memory), enqueueing fails. */
	const uint32_t group_max = kernel->device->info.work_group_max;
	size_t group = 1;
	for (cl_uint d = 0; d < dimensions; d++) {
		if (range->global[d] == 0 || range->local[d] == 0 || range->global[d] > SIZE_MAX - range->local[d])
			return error_set(ENM_E_ARGUMENT, "launch %s: range of %zu in groups of %zu", kernel->name,
				range->global[d], range->local[d]);
		range->global[d] = (range->global[d] + range->local[d] - 1) / range->local[d] * range->local[d];
		group *= range->local[d];
	}
	if (group > group_max)
		return error_set(ENM_E_ARGUMENT, "launch %s: groups of %zu, the device allows %u", kernel->name, group,
			group_max);
	*out_dimensions = dimensions;
	return ENM_OK;
}

enm_result gpu_launch(gpu_queue *queue, gpu_kernel *kernel, gpu_range range, const gpu_arg *args, uint32_t count)
{
	cl_event event = NULL;
	cl_uint dimensions = 1;
	if (kernel->handle == NULL)
		return error_set(ENM_E_ARGUMENT, "launch: no kernel");
	if (count != kernel->arg_count)
		return error_set(ENM_E_ARGUMENT, "launch %s: %u arguments given, (%s) wanted", kernel->name, count,
			kernel->signature);
	enm_result result = round_up(kernel, &range, &dimensions);
	if (result == ENM_OK && queue->recording != NULL)
		return gpu_record_launch(queue, kernel, dimensions, &range, args, count);
	if (result == ENM_OK)
		result = gpu_set_args(kernel, kernel->handle, args, count);
	if (result == ENM_OK)
		result = gpu_profile_reserve(queue);
	if (result != ENM_OK)
		return result;
	cl_int status = GPU_CL(clEnqueueNDRangeKernel(queue->handle, kernel->handle, dimensions, NULL, range.global,
		range.local, 0, NULL, gpu_profile_wants_event(queue) ? &event : NULL));
	if (status != CL_SUCCESS)
		return gpu_error(status, "clEnqueueNDRangeKernel", kernel->name);
	if (gpu_object_made(event) != NULL)
		gpu_profile_keep(queue, event);
	return ENM_OK;
}
