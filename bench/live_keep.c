/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a */
static uint64_t hash_bytes(const void *bytes, size_t count)
{
	const unsigned char *at = bytes;
	uint64_t h = 0xCBF29CE484222325u;
	for (size_t i = 0; i < count; i++)
		h = (h ^ at[i]) * 0x100000001B3u;
	return h;
}

/* The same for all three ways to begin a triangle, but not for its back. */
static uint64_t hash_triangle(const float *a, const float *b, const float *c)
{
	const float *p[3] = {a, b, c};
	float all[9];
	int least = 0;
	for (int i = 1; i < 3; i++)
		if (memcmp(p[i], p[least], 3 * sizeof(float)) < 0)
			least = i;
	for (int i = 0; i < 3; i++)
		memcpy(all + 3 * i, p[(least + i) % 3], 3 * sizeof(float));
	return hash_bytes(all, sizeof(all));
}

static uint64_t hash_patch(const enm_surface_data *d, const enm_patch *p)
{
	uint64_t sum = 0;
	const enm_patch_vertex *v = d->vertices + p->vertex_first;
	const uint16_t *t = d->triangles + 3 * (size_t)p->triangle_first;
	for (size_t i = 0; i < p->triangle_count; i++)
		sum += hash_triangle(v[t[3 * i]].position_mm, v[t[3 * i + 1]].position_mm, v[t[3 * i + 2]].position_mm);
	return sum;
}

host_status live_keep_take(live_keep *k, const enm_surface_data *d)
{
	uint64_t bytes = 0;
	k->patches.bytes = sizeof(live_patch);
	if (d->cleared) {
		id_table_clear(&k->patches);
		k->bytes = 0;
	}
	for (size_t i = 0; i < d->patch_count; i++) {
		const enm_patch *p = &d->patches[i];
		live_patch *to = id_table_entry(&k->patches, p->id);
		if (!to)
			return host_fail_memory("the patches");
		k->bytes -= to->bytes;
		*to = (live_patch){.triangles = p->triangle_count,
			.bytes = p->vertex_count * (uint32_t)sizeof(*d->vertices) + 6 * p->triangle_count,
			.hash = k->hashed ? hash_patch(d, p) : 0};
		k->bytes += to->bytes;
		bytes += to->bytes + sizeof(*p);
	}
	k->blocks += d->patch_count;
	k->frames_complete = d->frames_complete;
	if (bytes > k->update_bytes_peak)
		k->update_bytes_peak = bytes;
	if (k->bytes > k->bytes_peak)
		k->bytes_peak = k->bytes;
	return HOST_OK;
}

void live_keep_free(live_keep *k)
{
	id_table_clear(&k->patches);
	memset(k, 0, sizeof(*k));
}

bool live_keep_is_mesh(const live_keep *k, const enm_mesh_data *m)
{
	const live_patch *patches = k->patches.entries;
	uint64_t sum = 0, triangles = 0;
	for (size_t i = 0; i < k->patches.count; i++) {
		sum += patches[i].hash;
		triangles += patches[i].triangles;
	}
	for (size_t i = 0; i < m->triangle_count; i++) {
		const uint32_t *t = m->triangles + 3 * i;
		sum -= hash_triangle(m->positions_mm + 3 * (size_t)t[0], m->positions_mm + 3 * (size_t)t[1],
			m->positions_mm + 3 * (size_t)t[2]);
	}
	return sum == 0 && triangles == m->triangle_count;
}
