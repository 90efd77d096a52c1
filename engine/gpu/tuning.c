/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings that change how fast a device is and never what it computes, and the file that keeps what was measured: a
 * few lines of text with a checksum, beside the cache of programs. Any doubt about it is a miss. */
#include "gpu/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "layout.h"

#define TITLE "enamel tuning 1\n"
#define TEXT_MAX 2048
#define PATH_MAX_BYTES 4096

typedef struct setting {
	const char *name;
	uint32_t initial_cpu, initial_other;
	uint32_t candidates[GPU_TUNING_CANDIDATES_MAX];
	uint32_t count;
} setting;

static const setting SETTINGS[GPU_TUNING_COUNT] = {
	[GPU_TUNING_UPLOAD_QUEUE] = {"upload_queue", 1, 1, {0, 1}, 2},
	[GPU_TUNING_COMMAND_BUFFERS] = {"command_buffers", 0, 0, {0, 1}, 2},
	[GPU_TUNING_FUSE_GROUPS] = {"fuse_groups", 16, 32, {4, 8, 16, 32, 64}, 5},
	[GPU_TUNING_SELECT_CHUNKS] = {"select_chunks", ENM_K_SELECT_CHUNKS, 2, {1, 2, 4, ENM_K_SELECT_CHUNKS}, 4},
};

const char *gpu_tuning_name(gpu_tuning which)
{
	return SETTINGS[which].name;
}

uint32_t gpu_tuning_initial(const gpu_device *device, gpu_tuning which)
{
	return gpu_device_is_cpu(device) ? SETTINGS[which].initial_cpu : SETTINGS[which].initial_other;
}

uint32_t gpu_tuning_candidates(
	const gpu_device *device, gpu_tuning which, uint32_t out_values[GPU_TUNING_CANDIDATES_MAX])
{
	const bool settled = which == GPU_TUNING_COMMAND_BUFFERS && !gpu_can_record(device);
	memcpy(out_values, SETTINGS[which].candidates, sizeof(SETTINGS[which].candidates));
	return settled ? 1 : SETTINGS[which].count;
}

static bool is_candidate(gpu_tuning which, uint32_t value)
{
	for (uint32_t i = 0; i < SETTINGS[which].count; i++)
		if (SETTINGS[which].candidates[i] == value)
			return true;
	return false;
}

uint32_t gpu_tuning_get(const gpu_device *device, gpu_tuning which)
{
	return atomic_load_explicit(&device->tuning[which], memory_order_relaxed);
}

bool gpu_tuning_measured(const gpu_device *device)
{
	return atomic_load_explicit(&device->tuning_measured, memory_order_relaxed);
}

void gpu_tuning_set(gpu_device *device, gpu_tuning which, uint32_t value)
{
	if (is_candidate(which, value))
		atomic_store_explicit(&device->tuning[which], value, memory_order_relaxed);
}

/* ---- text ---- */

static gpu_tuning find(const char *name, size_t length)
{
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		if (strlen(SETTINGS[i].name) == length && memcmp(SETTINGS[i].name, name, length) == 0)
			return (gpu_tuning)i;
	return GPU_TUNING_COUNT;
}

/* "NAME" `between` "NUMBER" up to `end`; false when it is no such thing or no setting's value. */
static bool parse(const char *begin, const char *end, char between, gpu_tuning *out_which, uint32_t *out_value)
{
	const char *split = memchr(begin, between, (size_t)(end - begin));
	uint32_t value = 0;
	if (split == NULL || split + 1 == end || end - split > 6)
		return false;
	for (const char *at = split + 1; at < end; at++) {
		if (*at < '0' || *at > '9')
			return false;
		value = 10 * value + (uint32_t)(*at - '0');
	}
	*out_which = find(begin, (size_t)(split - begin));
	*out_value = value;
	return *out_which != GPU_TUNING_COUNT && is_candidate(*out_which, value);
}

/* NULL when every setting is there once with one of its values, else the doubt. */
static const char *read_lines(const char *at, const char *end, uint32_t out_values[GPU_TUNING_COUNT])
{
	bool seen[GPU_TUNING_COUNT] = {false};
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		gpu_tuning which;
		uint32_t value;
		if (line_end == NULL || !parse(at, line_end, ' ', &which, &value) || seen[which])
			return "damaged";
		seen[which] = true;
		out_values[which] = value;
		at = line_end + 1;
	}
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		if (!seen[i])
			return "incomplete";
	return NULL;
}

uint64_t gpu_tuning_sum(const char *text, size_t bytes)
{
	return XXH3_64bits(text, bytes);
}

static int put_sum(const char *text, size_t bytes, char out[32])
{
	return snprintf(out, 32, "sum %016llx\n", (unsigned long long)gpu_tuning_sum(text, bytes));
}

static const char *read_text(const char *text, uint32_t out_values[GPU_TUNING_COUNT])
{
	char sum[32];
	const size_t size = strlen(text), title = strlen(TITLE);
	if (strncmp(text, TITLE, title) != 0)
		return "not of this version";
	put_sum(text, 0, sum); /* for its length */
	if (size < title + strlen(sum))
		return "truncated";
	const char *end = text + size - strlen(sum);
	put_sum(text, (size_t)(end - text), sum);
	if (strcmp(end, sum) != 0)
		return "damaged (checksum)";
	return read_lines(text + title, end, out_values);
}

/* ---- file ---- */

/* "" when there is no folder. */
static enm_result file_path(gpu_device *device, char out[PATH_MAX_BYTES])
{
	char key[33];
	char title[] = TITLE;
	const gpu_text source = {.bytes = title, .size = strlen(title)};
	out[0] = '\0';
	if (device->cache_dir == NULL)
		return ENM_OK;
	enm_result result = gpu_cache_key(device, &source, key);
	if (result == ENM_OK)
		snprintf(out, PATH_MAX_BYTES, "%s/tuning-%s.txt", device->cache_dir, key);
	return result;
}

/* ENAMEL_TUNING=name=value,... is for tests and measurements. */
static void obey_environment(gpu_device *device)
{
	const char *wish = getenv("ENAMEL_TUNING");
	while (wish != NULL && *wish != '\0') {
		const char *end = wish + strcspn(wish, ",");
		gpu_tuning which;
		uint32_t value;
		if (parse(wish, end, '=', &which, &value))
			gpu_tuning_set(device, which, value);
		else
			gpu_log(device, ENM_LOG_WARNING, "ENAMEL_TUNING: '%.*s' is not understood", (int)(end - wish),
				wish);
		wish = *end == ',' ? end + 1 : end;
	}
}

enm_result gpu_tuning_load(gpu_device *device)
{
	char path[PATH_MAX_BYTES], text[TEXT_MAX];
	uint32_t values[GPU_TUNING_COUNT];
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		atomic_init(&device->tuning[i], gpu_tuning_initial(device, (gpu_tuning)i));
	atomic_init(&device->tuning_measured, false);
	enm_result result = file_path(device, path);
	if (result == ENM_OK && path[0] != '\0' && gpu_cache_read_text(device, path, text, sizeof(text))) {
		const char *doubt = read_text(text, values);
		if (doubt != NULL)
			gpu_cache_warn(device, "%s: %s; the device counts as not tuned", path, doubt);
		for (int i = 0; i < GPU_TUNING_COUNT && doubt == NULL; i++)
			gpu_tuning_set(device, (gpu_tuning)i, values[i]);
		atomic_store(&device->tuning_measured, doubt == NULL);
	}
	obey_environment(device);
	return result;
}

enm_result gpu_tuning_save(gpu_device *device)
{
	char path[PATH_MAX_BYTES], text[TEXT_MAX] = TITLE;
	size_t size = strlen(text);
	enm_result result = file_path(device, path);
	atomic_store(&device->tuning_measured, true);
	if (result != ENM_OK || path[0] == '\0')
		return result;
	for (int i = 0; i < GPU_TUNING_COUNT; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s %u\n", SETTINGS[i].name,
			gpu_tuning_get(device, (gpu_tuning)i));
	size += (size_t)put_sum(text, size, text + size);
	gpu_cache_write_file(device, path, NULL, 0, text, size);
	return ENM_OK;
}

/* ---- without opening ---- */

enm_result gpu_tuning_peek(uint32_t index, const char *cache_dir, enm_tuning *out, size_t capacity, size_t *out_count)
{
	gpu_entries entries = {0};
	enm_result result = gpu_entries_get(&entries);
	if (result != ENM_OK)
		return result;
	if (index >= entries.count) {
		result = error_set(
			ENM_E_ARGUMENT, "enm_device_tuning: device_index %u, there are %u", index, entries.count);
		free(entries.items);
		return result;
	}
	gpu_device *device = calloc(1, sizeof(*device));
	if (device == NULL) {
		free(entries.items);
		return gpu_error_host_memory("device", sizeof(*device));
	}
	pthread_mutex_init(&device->lock, NULL);
	gpu_device_describe(device, &entries.items[index]);
	result = gpu_cache_folder(device, cache_dir, &device->cache_dir);
	if (result == ENM_OK)
		result = gpu_tuning_load(device);
	for (size_t i = 0; i < GPU_TUNING_COUNT && i < capacity && result == ENM_OK; i++) {
		out[i] = (enm_tuning){.value = gpu_tuning_get(device, (gpu_tuning)i),
			.initial = gpu_tuning_initial(device, (gpu_tuning)i),
			.measured = gpu_tuning_measured(device)};
		snprintf(out[i].name, sizeof(out[i].name), "%s", SETTINGS[i].name);
	}
	*out_count = result == ENM_OK ? GPU_TUNING_COUNT : 0;
	pthread_mutex_destroy(&device->lock);
	free(device->cache_dir);
	free(device);
	free(entries.items);
	return result;
}
