/* SPDX-License-Identifier: Apache-2.0 */
#include "patch.h"

#include <stdlib.h>
#include <string.h>

const char *const patch_state_names[] = {
	[PATCH_NOT_SEEN] = "not seen", [PATCH_SLIDES] = "slides", [PATCH_PLACED] = "placed"};

host_status patch_create(size_t capacity, patch *out)
{
	*out = (patch){.capacity = capacity};
	out->points = malloc((capacity + 1) * sizeof(*out->points));
	out->normals = malloc((capacity + 1) * sizeof(*out->normals));
	if (out->points != NULL && out->normals != NULL)
		return HOST_OK;
	patch_destroy(out);
	return host_fail_memory("patches of the truth");
}

void patch_destroy(patch *p)
{
	free(p->points);
	free(p->normals);
	*p = (patch){0};
}

void patch_clear(patch *p)
{
	p->count = p->whole = 0;
}

void patch_add(patch *p, const samples *s, size_t sample)
{
	p->whole++;
	if (!s->seen[sample] || p->count == p->capacity)
		return;
	memcpy(p->points[p->count], s->points[sample], sizeof(p->points[0]));
	memcpy(p->normals[p->count++], s->normals[sample], sizeof(p->normals[0]));
}

patch_place patch_find(const patch *p, const surface *recon, const rigid *recon_from_truth)
{
	patch_place out = {.fit = {.onto_from_points = *recon_from_truth}};
	const double(*points)[3] = (const double(*)[3])p->points, (*normals)[3] = (const double(*)[3])p->normals;
	if (2 * p->count < p->whole || p->count == 0)
		return out;
	patch_fit first;
	if (!align_patch(points, normals, p->count, p->anchor, recon, recon_from_truth, PATCH_REACH_FIRST_MM, &first) ||
		!align_patch(
			points, normals, p->count, p->anchor, recon, &first.onto_from_points, PATCH_REACH_MM, &out.fit))
		return out;
	out.state = out.fit.firmness >= PATCH_FIRMNESS_MIN ? PATCH_PLACED : PATCH_SLIDES;
	return out;
}
