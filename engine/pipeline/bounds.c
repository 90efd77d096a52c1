/* SPDX-License-Identifier: Apache-2.0
 *
 * The box around a model's blocks. */
#include <stdlib.h>

#include "core/error.h"
#include "pipeline/session.h"

/* The keys of all blocks, in a buffer that the caller frees. */
static enm_result read_keys(enm_session *s, uint32_t **out_keys, uint32_t *out_count)
{
	enm_k_blocks blocks;
	*out_keys = NULL;
	*out_count = 0;
	enm_result result = gpu_read(s->queue, &s->model.blocks, 0, &blocks, sizeof(blocks), NULL);
	if (result == ENM_OK)
		result = gpu_finish(s->queue);
	if (result != ENM_OK || blocks.used == 0)
		return result;
	uint32_t *keys = malloc((size_t)blocks.used * sizeof(*keys));
	if (keys == NULL)
		return error_set(ENM_E_MEMORY, "block keys: no host memory");
	result = gpu_read(s->queue, &s->model.keys, 0, keys, (size_t)blocks.used * sizeof(*keys), NULL);
	if (result == ENM_OK)
		result = gpu_finish(s->queue);
	if (result != ENM_OK) {
		free(keys);
		return result;
	}
	*out_keys = keys;
	*out_count = blocks.used;
	return ENM_OK;
}

/* Takes out the blocks where islands lie; returns how many are left. */
static uint32_t without_islands(const enm_k_volume *volume, uint32_t *keys, uint32_t count)
{
	uint32_t left = 0;
	for (uint32_t i = 0; i < count; i++) {
		const int x = (int)(keys[i] & ((1u << ENM_K_KEY_BITS_XY) - 1u)) - (1 << (ENM_K_KEY_BITS_XY - 1));
		if (volume->island_side == 0 || x * volume->island_side < ENM_K_ISLAND_FIRST)
			keys[left++] = keys[i];
	}
	return left;
}

enm_result enm_session_bounds(enm_session *session, double out_min_mm[3], double out_max_mm[3])
{
	for (int a = 0; a < 3 && out_min_mm != NULL; a++)
		out_min_mm[a] = 0.0;
	for (int a = 0; a < 3 && out_max_mm != NULL; a++)
		out_max_mm[a] = 0.0;
	if (session == NULL || out_min_mm == NULL || out_max_mm == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_bounds: session or an out parameter is NULL");
	uint32_t *keys, count;
	enm_result result = read_keys(session, &keys, &count);
	if (result != ENM_OK || count == 0)
		return result != ENM_OK ? result : ENM_EMPTY;
	count = without_islands(&session->model.volume, keys, count);
	if (count == 0) {
		free(keys);
		return ENM_EMPTY;
	}
	const double block_mm = session->def.voxel_mm * ENM_K_BLOCK_EDGE;
	const int shift[3] = {0, ENM_K_KEY_BITS_XY, 2 * ENM_K_KEY_BITS_XY};
	const int bits[3] = {ENM_K_KEY_BITS_XY, ENM_K_KEY_BITS_XY, ENM_K_KEY_BITS_Z};
	for (int a = 0; a < 3; a++) {
		int low = INT32_MAX, high = INT32_MIN;
		for (uint32_t i = 0; i < count; i++) {
			int b = (int)(keys[i] >> shift[a] & ((1u << bits[a]) - 1u)) - (1 << (bits[a] - 1));
			low = b < low ? b : low;
			high = b > high ? b : high;
		}
		out_min_mm[a] = low * block_mm;
		out_max_mm[a] = (high + 1) * block_mm;
	}
	free(keys);
	return ENM_OK;
}
