/* SPDX-License-Identifier: Apache-2.0 */
#include "core/context.h"

#include <stdlib.h>
#include <string.h>

#include "core/constants.h"
#include "core/error.h"
#include "core/self_check.h"
#include "pipeline/self_check_scan.h"
#include "pipeline/tune.h"

#define COOKIE 0x656e6331u /* changes with the layout of enm_context_def */

#define TEXT_OF(number) #number
#define VERSION_TEXT(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

struct enm_context {
	gpu_device *device;
};

const char *enm_version(void)
{
	return VERSION_TEXT(ENM_VERSION_MAJOR, ENM_VERSION_MINOR, ENM_VERSION_PATCH);
}

const char *enm_result_name(enm_result result)
{
	switch (result) {
	case ENM_OK:
		return "ENM_OK";
	case ENM_EMPTY:
		return "ENM_EMPTY";
	case ENM_FULL:
		return "ENM_FULL";
	case ENM_CANCELLED:
		return "ENM_CANCELLED";
	case ENM_E_ARGUMENT:
		return "ENM_E_ARGUMENT";
	case ENM_E_NO_DEVICE:
		return "ENM_E_NO_DEVICE";
	case ENM_E_DEVICE:
		return "ENM_E_DEVICE";
	case ENM_E_BUILD:
		return "ENM_E_BUILD";
	case ENM_E_MEMORY:
		return "ENM_E_MEMORY";
	case ENM_E_CAPACITY:
		return "ENM_E_CAPACITY";
	case ENM_E_IO:
		return "ENM_E_IO";
	case ENM_E_FORMAT:
		return "ENM_E_FORMAT";
	}
	return "unknown result";
}

enm_result enm_devices(enm_device_info *out_devices, size_t capacity, size_t *out_count)
{
	if (out_count == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_devices: out_count is NULL");
	*out_count = 0;
	if (out_devices == NULL && capacity > 0)
		return error_set(ENM_E_ARGUMENT, "enm_devices: out_devices is NULL, with a capacity of %zu", capacity);
	return gpu_list(out_devices, capacity, out_count);
}

enm_context_def enm_context_def_default(void)
{
	return (enm_context_def){
		.cookie = COOKIE, .device_kind = ENM_DEVICE_ANY, .device_index = -1, .log_level = ENM_LOG_WARNING};
}

static enm_result check_def(const enm_context_def *def)
{
	if (def == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_context_create: def is NULL");
	if (def->cookie != COOKIE)
		return error_set(ENM_E_ARGUMENT,
			"enm_context_create: def.cookie: not from enm_context_def_default of this version");
	if ((int)def->device_kind < ENM_DEVICE_ANY || (int)def->device_kind > ENM_DEVICE_OTHER)
		return error_set(
			ENM_E_ARGUMENT, "enm_context_create: def.device_kind is %d, not 0 to 3", (int)def->device_kind);
	if (def->device_index < -1)
		return error_set(ENM_E_ARGUMENT, "enm_context_create: def.device_index is %d, not -1 or more",
			def->device_index);
	if ((int)def->log_level < ENM_LOG_ERROR || (int)def->log_level > ENM_LOG_DEBUG)
		return error_set(
			ENM_E_ARGUMENT, "enm_context_create: def.log_level is %d, not 0 to 3", (int)def->log_level);
	return ENM_OK;
}

enm_result enm_context_create(const enm_context_def *def, enm_context **out_context)
{
	if (out_context == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_context_create: out_context is NULL");
	*out_context = NULL;
	enm_result result = check_def(def);
	if (result != ENM_OK)
		return result;
	enm_context *context = calloc(1, sizeof(*context));
	if (context == NULL)
		return error_set(ENM_E_MEMORY, "context: no host memory (%zu bytes)", sizeof(*context));
	result = gpu_device_open(def, &context->device);
	if (result != ENM_OK) {
		free(context);
		return result;
	}
	*out_context = context;
	return ENM_OK;
}

void enm_context_destroy(enm_context **context)
{
	if (context == NULL || *context == NULL)
		return;
	gpu_device_release(&(*context)->device);
	free(*context);
	*context = NULL;
}

gpu_device *context_device(const enm_context *context)
{
	return context->device;
}

uint64_t context_bytes_allowed(uint64_t wish, const gpu_device *device)
{
	const uint64_t device_bytes = gpu_device_get_info(device)->memory_bytes / 4 * 3;
	if (wish != 0)
		return wish;
	return device_bytes < DEVICE_BYTES_DEFAULT ? device_bytes : DEVICE_BYTES_DEFAULT;
}

enm_result enm_context_device(const enm_context *context, enm_device_info *out_device)
{
	if (out_device == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_context_device: out_device is NULL");
	memset(out_device, 0, sizeof(*out_device));
	if (context == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_context_device: context is NULL");
	*out_device = *gpu_device_get_info(context->device);
	return ENM_OK;
}

enm_result enm_context_get_stats(const enm_context *context, enm_context_stats *out_stats)
{
	if (out_stats == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_context_get_stats: out_stats is NULL");
	memset(out_stats, 0, sizeof(*out_stats));
	if (context == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_context_get_stats: context is NULL");
	gpu_device_get_stats(context->device, out_stats);
	return ENM_OK;
}

enm_result enm_context_tune(enm_context *context)
{
	if (context == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_context_tune: context is NULL");
	return tune_run(context);
}

enm_result enm_device_tuning(
	uint32_t device_index, const char *cache_dir, enm_tuning *out_settings, size_t capacity, size_t *out_count)
{
	if (out_count == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_device_tuning: out_count is NULL");
	*out_count = 0;
	if (out_settings == NULL && capacity > 0)
		return error_set(
			ENM_E_ARGUMENT, "enm_device_tuning: out_settings is NULL, with a capacity of %zu", capacity);
	return gpu_tuning_peek(device_index, cache_dir, out_settings, capacity, out_count);
}

enm_result enm_context_self_check(enm_context *context, bool *out_passed)
{
	if (out_passed == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_context_self_check: out_passed is NULL");
	*out_passed = false;
	if (context == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_context_self_check: context is NULL");
	enm_result result = self_check_run(context->device, out_passed);
	if (result == ENM_OK && *out_passed)
		result = self_check_scan(context, out_passed);
	return result;
}
