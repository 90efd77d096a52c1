/* SPDX-License-Identifier: Apache-2.0
 *
 * Every .cl file is one program, built when the device is opened or loaded from the cache. */
#include "gpu/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char STRICT[] = "-Werror ";

/* The build log, or "" where there is none to be had. free() it; NULL when there is no host memory. */
static char *get_build_log(const gpu_device *device, cl_program program)
{
	size_t size = 0;
	if (GPU_CL(clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size)) != CL_SUCCESS)
		size = 0;
	char *log = calloc(1, size + 1);
	if (log != NULL && size > 0 &&
		GPU_CL(clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, size, log, NULL)) != CL_SUCCESS)
		log[0] = '\0';
	return log;
}

static enm_result build_failed(gpu_device *device, const gpu_program *program, cl_int status)
{
	char *log = get_build_log(device, program->handle);
	const char *text = log != NULL && log[0] != '\0' ? log : "the driver gave no log";
	gpu_log(device, ENM_LOG_ERROR, "%s.cl: build log: %s", program->name, text);
	enm_result result = error_set(ENM_E_BUILD, "%s.cl: clBuildProgram: %s (%d): %s", program->name,
		gpu_status_name(status), status, text);
	free(log);
	return result;
}

static enm_result make_from_source(gpu_device *device, gpu_program *program, const gpu_text *source)
{
	cl_int status = CL_SUCCESS;
	const char *bytes = source->bytes;
	program->handle =
		GPU_CL_MAKE(status, clCreateProgramWithSource(device->context, 1, &bytes, &source->size, &status));
	if (program->handle == NULL)
		return gpu_error(status, "clCreateProgramWithSource", program->name);
	return ENM_OK;
}

static void drop(gpu_program *program)
{
	if (program->handle != NULL)
		GPU_CL_RELEASE(clReleaseProgram(program->handle));
	program->handle = NULL;
}

static void count_one(gpu_device *device, uint32_t *counter)
{
	pthread_mutex_lock(&device->lock);
	++*counter;
	pthread_mutex_unlock(&device->lock);
}

/* Some drivers warn about their own headers, which -Werror turns into a failure: then it is tried without. A source
 * that is wrong fails both times, and its second log is the one to read. */
static enm_result build_from_source(gpu_device *device, gpu_program *program, const gpu_text *source)
{
	char strict[sizeof(device->options) + sizeof(STRICT)];
	snprintf(strict, sizeof(strict), "%s%s", STRICT, device->options);
	enm_result result = make_from_source(device, program, source);
	if (result != ENM_OK)
		return result;
	cl_int status = GPU_CL(clBuildProgram(program->handle, 1, &device->id, strict, NULL, NULL));
	if (status != CL_SUCCESS) {
		char *log = get_build_log(device, program->handle);
		drop(program);
		result = make_from_source(device, program, source);
		if (result == ENM_OK) {
			status = GPU_CL(clBuildProgram(program->handle, 1, &device->id, device->options, NULL, NULL));
			if (status == CL_SUCCESS)
				gpu_log(device, ENM_LOG_INFO, "%s.cl: built without -Werror, which gave: %s",
					program->name, log != NULL ? log : "");
		}
		free(log);
	}
	if (result == ENM_OK && status != CL_SUCCESS) {
		result = build_failed(device, program, status);
		drop(program);
	}
	if (result == ENM_OK)
		count_one(device, &device->stats.programs_built);
	return result;
}

/* False on a miss, with nothing left behind. */
static bool load_from_cache(gpu_device *device, gpu_program *program)
{
	unsigned char *bytes = NULL;
	size_t size = 0;
	cl_int status = CL_SUCCESS, binary_status = CL_SUCCESS;

	gpu_cache_load(device, program, &bytes, &size);
	if (bytes == NULL)
		return false;
	const unsigned char *binary = bytes;
	program->handle = GPU_CL_MAKE(status,
		clCreateProgramWithBinary(device->context, 1, &device->id, &size, &binary, &binary_status, &status));
	if (program->handle != NULL && binary_status != CL_SUCCESS)
		status = binary_status;
	if (program->handle != NULL && status == CL_SUCCESS)
		status = GPU_CL(clBuildProgram(program->handle, 1, &device->id, device->options, NULL, NULL));
	free(bytes);
	if (status != CL_SUCCESS) {
		drop(program);
		gpu_cache_warn(device, "%s.cl: the driver refuses the cached binary: %s (%d)", program->name,
			gpu_status_name(status), status);
		return false;
	}
	program->saved = true;
	count_one(device, &device->stats.programs_cached);
	return true;
}

static enm_result create_program(gpu_device *device, gpu_program *program)
{
	gpu_text source = {0};
	enm_result result = gpu_source_get(device->kernel_dir, program->name, &source);
	if (result == ENM_OK)
		result = gpu_cache_key(device, &source, program->key);
	if (result == ENM_OK && !(device->cache_dir != NULL && load_from_cache(device, program)))
		result = build_from_source(device, program, &source);
	free(source.bytes);
	return result;
}

/* The self-check's kernels and those that draw meshes, which would cost every start what only few users want. */
static bool is_for_later(const char *name)
{
	return strcmp(name, "selfcheck") == 0 || strcmp(name, "draw") == 0;
}

enm_result gpu_programs_create(gpu_device *device)
{
	char(*names)[GPU_NAME_MAX] = NULL;
	uint32_t count = 0;
	enm_result result = gpu_source_names(device->kernel_dir, &names, &count);
	if (result != ENM_OK)
		return result;
	device->programs = calloc(count > 0 ? count : 1, sizeof(device->programs[0]));
	if (device->programs == NULL)
		result = gpu_error_host_memory("programs", count * sizeof(device->programs[0]));
	for (uint32_t i = 0; i < count && result == ENM_OK; i++) {
		gpu_program *program = &device->programs[device->program_count++];
		memcpy(program->name, names[i], sizeof(program->name));
		if (!is_for_later(program->name))
			result = create_program(device, program);
	}
	free(names);
	return result;
}

void gpu_programs_destroy(gpu_device *device)
{
	for (uint32_t i = 0; i < device->program_count; i++)
		drop(&device->programs[i]);
	free(device->programs);
	device->programs = NULL;
	device->program_count = 0;
}

gpu_program *gpu_program_find(const gpu_device *device, const char *name)
{
	for (uint32_t i = 0; i < device->program_count; i++)
		if (strcmp(device->programs[i].name, name) == 0)
			return &device->programs[i];
	return NULL;
}

enm_result gpu_program_need(gpu_device *device, const char *name, gpu_program **out_program)
{
	enm_result result = ENM_OK;
	gpu_program *program = gpu_program_find(device, name);
	*out_program = NULL;
	if (program == NULL)
		return error_set(ENM_E_BUILD, "there is no program %s.cl", name);
	pthread_mutex_lock(&device->build_lock);
	if (program->handle == NULL)
		result = create_program(device, program);
	pthread_mutex_unlock(&device->build_lock);
	if (result == ENM_OK)
		*out_program = program;
	return result;
}

/* ---- into the cache ---- */

/* What goes wrong here costs the next start some time and nothing else. */
static void save(gpu_device *device, gpu_program *program)
{
	size_t size = 0;
	unsigned char *bytes = NULL;
	cl_int status = GPU_CL(clGetProgramInfo(program->handle, CL_PROGRAM_BINARY_SIZES, sizeof(size), &size, NULL));
	if (status == CL_SUCCESS && size == 0)
		status = CL_INVALID_BINARY;
	if (status == CL_SUCCESS) {
		bytes = malloc(size);
		if (bytes == NULL)
			status = CL_OUT_OF_HOST_MEMORY;
		else
			status = GPU_CL(
				clGetProgramInfo(program->handle, CL_PROGRAM_BINARIES, sizeof(bytes), &bytes, NULL));
	}
	if (status == CL_SUCCESS)
		gpu_cache_save(device, program, bytes, size);
	else
		gpu_cache_warn(
			device, "%s.cl: clGetProgramInfo: %s (%d)", program->name, gpu_status_name(status), status);
	free(bytes);
}

void gpu_programs_save(gpu_device *device)
{
	if (device->cache_dir == NULL)
		return;
	pthread_mutex_lock(&device->build_lock);
	for (uint32_t i = 0; i < device->program_count; i++) {
		gpu_program *program = &device->programs[i];
		if (program->handle == NULL || program->saved)
			continue;
		program->saved = true;
		save(device, program);
	}
	pthread_mutex_unlock(&device->build_lock);
}
