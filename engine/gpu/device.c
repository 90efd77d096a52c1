/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- log and small things ---- */

void gpu_log(const gpu_device *device, enm_log_level level, const char *format, ...)
{
	char text[2048];
	if (device->log == NULL || level > device->log_level)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	device->log(device->log_user, level, text);
}

const enm_device_info *gpu_device_get_info(const gpu_device *device)
{
	return &device->info;
}

uint32_t gpu_device_get_lanes(const gpu_device *device)
{
	return device->lanes;
}

bool gpu_device_is_lazy(const gpu_device *device)
{
	return device->lazy;
}

bool gpu_device_is_cpu(const gpu_device *device)
{
	return device->info.kind == ENM_DEVICE_CPU;
}

void gpu_device_get_stats(gpu_device *device, enm_context_stats *out_stats)
{
	pthread_mutex_lock(&device->lock);
	*out_stats = device->stats;
	pthread_mutex_unlock(&device->lock);
}

bool gpu_device_count(gpu_device *device, uint64_t bytes)
{
	enm_context_stats *stats = &device->stats;
	pthread_mutex_lock(&device->lock);
	bool room = bytes <= device->info.memory_bytes && stats->device_bytes <= device->info.memory_bytes - bytes;
	if (room)
		stats->device_bytes += bytes;
	if (stats->device_bytes > stats->device_bytes_peak)
		stats->device_bytes_peak = stats->device_bytes;
	pthread_mutex_unlock(&device->lock);
	return room;
}

void gpu_device_uncount(gpu_device *device, uint64_t bytes)
{
	pthread_mutex_lock(&device->lock);
	device->stats.device_bytes -= bytes;
	pthread_mutex_unlock(&device->lock);
}

/* ---- are the driver's event times to be trusted? ---- */

#define TRIAL_BYTES (1u << 20)
#define TRIAL_NS_MIN 100u     /* 1 MiB in less is 10 TB/s: rusticl gives the same 1 ns to everything */
#define TRIAL_SLACK_NS 20000u /* the clocks of host and device need not agree to the tick */

/* Device time of one fill of `buffer`, and the wall time around it. */
static enm_result time_fill(gpu_device *device, cl_mem buffer, uint64_t *out_device_ns, uint64_t *out_wall_ns)
{
	const cl_uint pattern = 0x5aa55aa5u;
	cl_event event = NULL;
	cl_ulong start = 0, end = 0;
	enm_result result = ENM_OK;
	const char *call = "clEnqueueFillBuffer";
	uint64_t before_ns = gpu_now_ns();
	cl_int status = GPU_CL(
		clEnqueueFillBuffer(device->queue, buffer, &pattern, sizeof(pattern), 0, TRIAL_BYTES, 0, NULL, &event));
	if (status == CL_SUCCESS) {
		gpu_object_made(event);
		call = "clFinish";
		status = GPU_CL_ALWAYS(clFinish(device->queue));
	}
	*out_wall_ns = gpu_now_ns() - before_ns;
	if (status != CL_SUCCESS)
		result = gpu_error(status, call, "(trial)");
	/* A driver without times is one whose times are not trusted, no error. */
	else if (GPU_CL(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof(start), &start, NULL)) !=
			 CL_SUCCESS ||
		 GPU_CL(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof(end), &end, NULL)) !=
			 CL_SUCCESS)
		start = end = 0;
	*out_device_ns = start != 0 && end > start ? end - start : 0;
	if (event != NULL)
		GPU_CL_RELEASE(clReleaseEvent(event));
	return result;
}

/* Twice, since a first command may hide a set-up; each must take some time, and no more than passed on the wall. */
static enm_result try_event_times(gpu_device *device)
{
	cl_int status = CL_SUCCESS;
	enm_result result = ENM_OK;
	bool trusted = true;
	cl_mem buffer =
		GPU_CL_MAKE(status, clCreateBuffer(device->context, CL_MEM_READ_WRITE, TRIAL_BYTES, NULL, &status));
	if (buffer == NULL)
		return gpu_error(status, "clCreateBuffer", "(trial)");
	for (int i = 0; i < 2 && result == ENM_OK; i++) {
		uint64_t device_ns = 0, wall_ns = 0;
		result = time_fill(device, buffer, &device_ns, &wall_ns);
		trusted = trusted && device_ns >= TRIAL_NS_MIN && device_ns <= wall_ns + TRIAL_SLACK_NS;
	}
	GPU_CL_RELEASE(clReleaseMemObject(buffer));
	if (result == ENM_OK && !trusted)
		gpu_log(device, ENM_LOG_INFO, "%s (%s): event times mean nothing, wall times stand in",
			device->info.name, device->info.platform);
	device->stats.event_times_trusted = trusted;
	return result;
}

/* ---- open ---- */

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);
	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

/* ENAMEL_LANES is for tests and for work on kernels: no number of lanes changes a result. */
static uint32_t choose_lanes(const gpu_entry *entry)
{
	const char *wish = getenv("ENAMEL_LANES");
	if (wish != NULL && strlen(wish) == 1 && strchr("1248", wish[0]) != NULL)
		return (uint32_t)(wish[0] - '0');
	return entry->info.kind == ENM_DEVICE_CPU ? 8 : 4;
}

void gpu_device_describe(gpu_device *device, const gpu_entry *entry)
{
	device->id = entry->id;
	device->info = entry->info;
	memcpy(device->platform_version, entry->platform_version, sizeof(device->platform_version));
	device->lanes = choose_lanes(entry);
	snprintf(device->options, sizeof(device->options), "-cl-std=CL1.2 -cl-kernel-arg-info%s%s -D LANES=%u",
		entry->rounded_divide ? " -cl-fp32-correctly-rounded-divide-sqrt" : "",
		entry->info.kind == ENM_DEVICE_CPU ? " -D ENM_CPU=1" : "", device->lanes);
}

static enm_result create_context(gpu_device *device, const gpu_entry *entry)
{
	const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)entry->platform, 0};
	cl_int status = CL_SUCCESS;
	gpu_device_describe(device, entry);
	device->context = GPU_CL_MAKE(status, clCreateContext(properties, 1, &device->id, NULL, NULL, &status));
	if (device->context == NULL)
		return gpu_error(status, "clCreateContext", entry->info.name);
	device->queue = GPU_CL_MAKE(
		status, clCreateCommandQueue(device->context, device->id, CL_QUEUE_PROFILING_ENABLE, &status));
	if (device->queue == NULL)
		return gpu_error(status, "clCreateCommandQueue", entry->info.name);
	gpu_record_find(device, entry->platform);
	return ENM_OK;
}

static enm_result set_up(gpu_device *device, const enm_context_def *def, const gpu_entry *entry)
{
	const char *kernel_dir = def->kernel_dir != NULL ? def->kernel_dir : getenv("ENAMEL_KERNEL_DIR");
	enm_result result = create_context(device, entry);
	if (result == ENM_OK && kernel_dir != NULL && kernel_dir[0] != '\0') {
		device->kernel_dir = copy_text(kernel_dir);
		if (device->kernel_dir == NULL)
			result = gpu_error_host_memory("kernel_dir", strlen(kernel_dir) + 1);
	}
	if (result == ENM_OK)
		result = gpu_cache_folder(device, def->cache_dir, &device->cache_dir);
	if (result == ENM_OK)
		result = gpu_tuning_load(device);
	if (result == ENM_OK)
		result = gpu_programs_create(device);
	if (result == ENM_OK)
		result = try_event_times(device);
	if (result == ENM_OK)
		gpu_memory_try(device);
	return result;
}

enm_result gpu_device_open(const enm_context_def *def, gpu_device **out_device)
{
	gpu_entries entries = {0};
	const gpu_entry *entry = NULL;
	gpu_device *device = NULL;
	uint64_t begin_ns = gpu_now_ns();

	*out_device = NULL;
	enm_result result = gpu_entries_get(&entries);
	if (result == ENM_OK)
		result = gpu_entries_choose(&entries, def, &entry);
	if (result != ENM_OK)
		goto done;
	device = calloc(1, sizeof(*device));
	if (device == NULL) {
		result = gpu_error_host_memory("device", sizeof(*device));
		goto done;
	}
	pthread_mutex_init(&device->build_lock, NULL);
	pthread_mutex_init(&device->lock, NULL); /* cannot fail on Linux with default attributes */
	atomic_init(&device->references, 1);
	device->log = def->log;
	device->log_user = def->log_user;
	device->log_level = def->log_level;
	if (entries.trouble[0] != '\0')
		gpu_log(device, ENM_LOG_WARNING, "left out: %s", entries.trouble);
	result = set_up(device, def, entry);
	if (result != ENM_OK)
		goto done;
	device->stats.startup_ms = (double)(gpu_now_ns() - begin_ns) * 1e-6;
	gpu_log(device, ENM_LOG_INFO, "%s (%s, driver %s): %u programs built, %u from the cache, %.0f ms",
		device->info.name, device->info.platform, device->info.driver, device->stats.programs_built,
		device->stats.programs_cached, device->stats.startup_ms);
	*out_device = device;
	device = NULL;
done:
	gpu_device_release(&device);
	free(entries.items);
	return result;
}

gpu_device *gpu_device_retain(gpu_device *device)
{
	atomic_fetch_add(&device->references, 1);
	return device;
}

void gpu_device_release(gpu_device **device_address)
{
	if (device_address == NULL || *device_address == NULL)
		return;
	gpu_device *device = *device_address;
	*device_address = NULL;
	if (atomic_fetch_sub(&device->references, 1) != 1)
		return;
	gpu_programs_save(device);
	gpu_programs_destroy(device);
	if (device->queue != NULL)
		GPU_CL_RELEASE(clReleaseCommandQueue(device->queue));
	if (device->context != NULL)
		GPU_CL_RELEASE(clReleaseContext(device->context));
	pthread_mutex_destroy(&device->lock);
	pthread_mutex_destroy(&device->build_lock);
	free(device->kernel_dir);
	free(device->cache_dir);
	free(device);
}
