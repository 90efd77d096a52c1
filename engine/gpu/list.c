/* SPDX-License-Identifier: Apache-2.0
 *
 * Which devices there are, and which of them a definition means. */
#include "gpu/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLATFORM_NOT_FOUND (-1001) /* what the loader says when no driver is installed */

static void get_platform_text(cl_platform_id platform, cl_platform_info what, char *out, size_t size)
{
	char text[512] = "";
	if (GPU_CL(clGetPlatformInfo(platform, what, sizeof(text) - 1, text, NULL)) != CL_SUCCESS)
		text[0] = '\0';
	snprintf(out, size, "%s", text);
}

static enm_result add_platform(cl_platform_id platform, gpu_entries *entries)
{
	enm_result result = ENM_OK;
	cl_device_id *ids = NULL;
	cl_uint count = 0;
	char name[128], version[128];

	get_platform_text(platform, CL_PLATFORM_NAME, name, sizeof(name));
	get_platform_text(platform, CL_PLATFORM_VERSION, version, sizeof(version));
	cl_int status = GPU_CL(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count));
	if (status == CL_DEVICE_NOT_FOUND || (status == CL_SUCCESS && count == 0))
		goto done;
	if (status == CL_SUCCESS && (ids = calloc(count, sizeof(ids[0]))) == NULL) {
		result = gpu_error_host_memory("device list", count * sizeof(ids[0]));
		goto done;
	}
	if (status == CL_SUCCESS)
		status = GPU_CL(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, ids, NULL));
	if (status != CL_SUCCESS) { /* one driver's trouble must not hide the others */
		snprintf(entries->trouble, sizeof(entries->trouble), "platform %s: clGetDeviceIDs: %s (%d)", name,
			gpu_status_name(status), status);
		goto done;
	}
	gpu_entry *items = realloc(entries->items, (entries->count + count) * sizeof(items[0]));
	if (items == NULL) {
		result = gpu_error_host_memory("device list", (entries->count + count) * sizeof(items[0]));
		goto done;
	}
	entries->items = items;
	for (cl_uint i = 0; i < count; i++) {
		gpu_entry *entry = &items[entries->count];
		memset(entry, 0, sizeof(*entry));
		entry->platform = platform;
		entry->info.index = entries->count++;
		memcpy(entry->info.platform, name, sizeof(name));
		memcpy(entry->platform_version, version, sizeof(version));
		gpu_info_get(ids[i], entry);
	}
done:
	free(ids);
	return result;
}

enm_result gpu_entries_get(gpu_entries *out_entries)
{
	enm_result result = ENM_OK;
	cl_platform_id *platforms = NULL;
	cl_uint count = 0;

	memset(out_entries, 0, sizeof(*out_entries));
	cl_int status = GPU_CL(clGetPlatformIDs(0, NULL, &count));
	if (status == PLATFORM_NOT_FOUND || (status == CL_SUCCESS && count == 0))
		return ENM_OK;
	if (status != CL_SUCCESS)
		return gpu_error(status, "clGetPlatformIDs", "");
	platforms = calloc(count, sizeof(platforms[0]));
	if (platforms == NULL)
		return gpu_error_host_memory("platform list", count * sizeof(platforms[0]));
	status = GPU_CL(clGetPlatformIDs(count, platforms, NULL));
	if (status != CL_SUCCESS)
		result = gpu_error(status, "clGetPlatformIDs", "");
	for (cl_uint i = 0; i < count && result == ENM_OK; i++)
		result = add_platform(platforms[i], out_entries);
	if (result != ENM_OK) {
		free(out_entries->items);
		memset(out_entries, 0, sizeof(*out_entries));
	}
	free(platforms);
	return result;
}

enm_result gpu_list(enm_device_info *out_devices, size_t capacity, size_t *out_count)
{
	gpu_entries entries;
	*out_count = 0;
	enm_result result = gpu_entries_get(&entries);
	if (result != ENM_OK)
		return result;
	for (size_t i = 0; i < entries.count && i < capacity; i++)
		out_devices[i] = entries.items[i].info;
	*out_count = entries.count;
	free(entries.items);
	return ENM_OK;
}

/* ---- choice ---- */

static bool contains(const char *text, const char *part)
{
	size_t length = strlen(part);
	for (; strlen(text) >= length; text++) {
		size_t i = 0;
		while (i < length && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
			i++;
		if (i == length)
			return true;
	}
	return false;
}

static bool fits(const enm_device_info *info, const enm_context_def *def, enm_device_kind kind)
{
	if (kind != ENM_DEVICE_ANY && info->kind != kind)
		return false;
	return def->device_name == NULL || contains(info->name, def->device_name) ||
	       contains(info->platform, def->device_name);
}

static const gpu_entry *first_usable(const gpu_entries *entries, const enm_context_def *def, enm_device_kind kind)
{
	for (uint32_t i = 0; i < entries->count; i++)
		if (entries->items[i].info.usable && fits(&entries->items[i].info, def, kind))
			return &entries->items[i];
	return NULL;
}

static const char *kind_text(enm_device_kind kind)
{
	switch (kind) {
	case ENM_DEVICE_GPU:
		return "GPU";
	case ENM_DEVICE_CPU:
		return "CPU";
	case ENM_DEVICE_OTHER:
		return "other device";
	default:
		return "device";
	}
}

/* Says what stood in the way: no match, or one that is below the floor. */
static enm_result refuse(const gpu_entries *entries, const enm_context_def *def)
{
	char wish[160];
	if (def->device_name != NULL)
		snprintf(wish, sizeof(wish), "%s '%.120s'", kind_text(def->device_kind), def->device_name);
	else
		snprintf(wish, sizeof(wish), "%s", kind_text(def->device_kind));
	for (uint32_t i = 0; i < entries->count; i++) {
		const enm_device_info *info = &entries->items[i].info;
		if (fits(info, def, def->device_kind))
			return error_set(ENM_E_NO_DEVICE, "no usable OpenCL %s: %s (%s): %s", wish, info->name,
				info->platform, info->reason);
	}
	return error_set(ENM_E_NO_DEVICE, "no OpenCL %s among the %u there are%s%s", wish, entries->count,
		entries->trouble[0] != '\0' ? "; " : "", entries->trouble);
}

static enm_result choose_index(const gpu_entries *entries, uint32_t index, const gpu_entry **out_entry)
{
	if (index >= entries->count)
		return error_set(ENM_E_NO_DEVICE, "device_index %u: there are %u OpenCL devices, counted from 0", index,
			entries->count);
	const gpu_entry *entry = &entries->items[index];
	if (!entry->info.usable)
		return error_set(ENM_E_NO_DEVICE, "device_index %u: %s (%s) is not usable: %s", index, entry->info.name,
			entry->info.platform, entry->info.reason);
	*out_entry = entry;
	return ENM_OK;
}

enm_result gpu_entries_choose(const gpu_entries *entries, const enm_context_def *def, const gpu_entry **out_entry)
{
	static const enm_device_kind order[] = {ENM_DEVICE_GPU, ENM_DEVICE_CPU, ENM_DEVICE_ANY};
	*out_entry = NULL;
	if (entries->count == 0)
		return error_set(ENM_E_NO_DEVICE, "no OpenCL device: is a driver (ICD) installed?%s%s",
			entries->trouble[0] != '\0' ? " " : "", entries->trouble);
	if (def->device_index >= 0)
		return choose_index(entries, (uint32_t)def->device_index, out_entry);
	if (def->device_kind != ENM_DEVICE_ANY)
		*out_entry = first_usable(entries, def, def->device_kind);
	else
		for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && *out_entry == NULL; i++)
			*out_entry = first_usable(entries, def, order[i]);
	return *out_entry != NULL ? ENM_OK : refuse(entries, def);
}
