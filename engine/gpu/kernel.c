/* SPDX-License-Identifier: Apache-2.0
 *
 * A kernel and its signature, which is written down at the place that launches it and checked against the kernel here,
 * so that an argument out of place is an error at the start and not a wrong picture later. */
#include "gpu/internal.h"

#include <stdio.h>
#include <string.h>

#include "layout_list.h"

typedef struct value_type {
	const char *name;
	size_t size;
} value_type;

#define STRUCT_TYPE(name) {#name, sizeof(name)},
static const value_type VALUE_TYPES[] = {{"char", 1}, {"uchar", 1}, {"short", 2}, {"ushort", 2}, {"int", 4},
	{"uint", 4}, {"long", 8}, {"ulong", 8}, {"float", 4}, {"int2", 8}, {"int4", 16}, {"uint2", 8}, {"uint4", 16},
	{"float2", 8}, {"float4", 16}, {"float8", 32}, {"float16", 64}, {"enm_k_i32", 4}, {"enm_k_u32", 4},
	ENM_K_STRUCTS(STRUCT_TYPE)};

/* Without blanks and qualifiers: "const enm_k_voxel *" becomes "enm_k_voxel*". */
static void normalise(const char *type, size_t length, char *out, size_t size)
{
	static const char *const dropped[] = {"const", "restrict", "volatile", "struct"};
	size_t used = 0;
	for (size_t i = 0; i < length;) {
		size_t word = strcspn(type + i, " \t*");
		word = word > length - i ? length - i : word;
		bool drop = false;
		for (size_t d = 0; d < sizeof(dropped) / sizeof(dropped[0]); d++)
			drop = drop || (word == strlen(dropped[d]) && memcmp(type + i, dropped[d], word) == 0);
		for (size_t k = 0; k < word && !drop && used + 1 < size; k++)
			out[used++] = type[i + k];
		i += word;
		if (i < length && type[i] == '*' && used + 1 < size)
			out[used++] = '*';
		i += i < length ? 1 : 0;
	}
	out[used] = '\0';
}

static enm_result parse_param(gpu_kernel *kernel, const char *type)
{
	size_t length = strlen(type);
	gpu_param *param = &kernel->params[kernel->arg_count];
	if (length > 0 && type[length - 1] == '*') {
		*param = (gpu_param){.kind = GPU_PARAM_POINTER};
		return ENM_OK;
	}
	for (size_t i = 0; i < sizeof(VALUE_TYPES) / sizeof(VALUE_TYPES[0]); i++)
		if (strcmp(VALUE_TYPES[i].name, type) == 0) {
			*param = (gpu_param){.kind = GPU_PARAM_VALUE, .size = (uint16_t)VALUE_TYPES[i].size};
			return ENM_OK;
		}
	return error_set(ENM_E_ARGUMENT,
		"kernel %s: argument %u: type '%s' is not known (a struct? kernels/layout_list.h)", kernel->name,
		kernel->arg_count, type);
}

/* What the driver says of argument `index`; a driver that says nothing is believed to agree. */
static enm_result check_param(gpu_kernel *kernel, uint32_t index, const char *type)
{
	cl_kernel_arg_address_qualifier address = 0;
	char raw[128] = "", told[128];
	gpu_param *param = &kernel->params[index];
	cl_int status =
		GPU_CL(clGetKernelArgInfo(kernel->handle, index, CL_KERNEL_ARG_TYPE_NAME, sizeof(raw) - 1, raw, NULL));
	if (status == CL_SUCCESS)
		status = GPU_CL(clGetKernelArgInfo(
			kernel->handle, index, CL_KERNEL_ARG_ADDRESS_QUALIFIER, sizeof(address), &address, NULL));
	if (status == CL_KERNEL_ARG_INFO_NOT_AVAILABLE || (status == CL_SUCCESS && raw[0] == '\0'))
		return ENM_OK;
	if (status != CL_SUCCESS)
		return gpu_error(status, "clGetKernelArgInfo", kernel->name);
	normalise(raw, strlen(raw), told, sizeof(told));
	if (strcmp(told, type) != 0)
		return error_set(ENM_E_ARGUMENT, "kernel %s: argument %u is '%s', the signature says '%s'",
			kernel->name, index, told, type);
	if (param->kind == GPU_PARAM_POINTER)
		param->kind = address == CL_KERNEL_ARG_ADDRESS_LOCAL ? GPU_PARAM_LOCAL : GPU_PARAM_GLOBAL;
	return ENM_OK;
}

static enm_result parse_signature(gpu_kernel *kernel, bool check)
{
	enm_result result = ENM_OK;
	char type[128];
	const char *at = kernel->signature;
	kernel->arg_count = 0;
	while (result == ENM_OK && *at != '\0') {
		size_t length = strcspn(at, ",");
		if (kernel->arg_count == GPU_ARGS_MAX)
			return error_set(
				ENM_E_ARGUMENT, "kernel %s: more than %d arguments", kernel->name, GPU_ARGS_MAX);
		normalise(at, length, type, sizeof(type));
		result = check ? check_param(kernel, kernel->arg_count, type) : parse_param(kernel, type);
		kernel->arg_count++;
		at += length + (at[length] == ',' ? 1 : 0);
	}
	return result;
}

static enm_result examine(gpu_kernel *kernel)
{
	cl_uint count = 0;
	cl_int status = GPU_CL(clGetKernelInfo(kernel->handle, CL_KERNEL_NUM_ARGS, sizeof(count), &count, NULL));
	if (status != CL_SUCCESS)
		return gpu_error(status, "clGetKernelInfo", kernel->name);
	enm_result result = parse_signature(kernel, false);
	if (result == ENM_OK && count != kernel->arg_count)
		result = error_set(ENM_E_ARGUMENT, "kernel %s: has %u arguments, the signature has %u", kernel->name,
			count, kernel->arg_count);
	if (result == ENM_OK)
		result = parse_signature(kernel, true);
	return result;
}

enm_result gpu_kernel_create(
	gpu_device *device, const char *program_name, const char *name, const char *signature, gpu_kernel *out_kernel)
{
	cl_int status = CL_SUCCESS;
	memset(out_kernel, 0, sizeof(*out_kernel));
	gpu_program *program = NULL;
	enm_result result = gpu_program_need(device, program_name, &program);
	if (result != ENM_OK)
		return result;
	out_kernel->name = name;
	out_kernel->signature = signature;
	out_kernel->device = device;
	out_kernel->program = program;
	out_kernel->handle = GPU_CL_MAKE(status, clCreateKernel(program->handle, name, &status));
	if (out_kernel->handle == NULL) {
		memset(out_kernel, 0, sizeof(*out_kernel));
		if (status == CL_INVALID_KERNEL_NAME)
			return error_set(ENM_E_BUILD, "%s.cl: has no kernel %s", program_name, name);
		return gpu_error(status, "clCreateKernel", name);
	}
	result = examine(out_kernel);
	if (result != ENM_OK)
		gpu_kernel_destroy(out_kernel);
	return result;
}

void gpu_kernel_destroy(gpu_kernel *kernel)
{
	if (kernel == NULL)
		return;
	if (kernel->handle != NULL)
		GPU_CL_RELEASE(clReleaseKernel(kernel->handle));
	memset(kernel, 0, sizeof(*kernel));
}
