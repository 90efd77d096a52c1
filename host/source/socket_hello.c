/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static message_refusal check_size(const message_hello *hello, const enm_camera *c, char reason[SOURCE_REASON_BYTES])
{
	if (hello->width == c->width && hello->height == c->height)
		return REFUSAL_NONE;
	snprintf(reason, SOURCE_REASON_BYTES, "HELLO: width, height: %ux%u, but the camera.json says %ux%u",
		(unsigned)hello->width, (unsigned)hello->height, (unsigned)c->width, (unsigned)c->height);
	return REFUSAL_CAMERA;
}

message_refusal hello_read(const message_hello *hello, source_facts *out, char reason[SOURCE_REASON_BYTES])
{
	message_refusal refusal = REFUSAL_NONE;
	memset(out, 0, sizeof *out);
	out->camera_json = malloc(hello->camera_bytes + 1);
	if (!out->camera_json) {
		snprintf(reason, SOURCE_REASON_BYTES, "out of memory");
		return REFUSAL_SYSTEM;
	}
	memcpy(out->camera_json, hello->camera, hello->camera_bytes);
	out->camera_json[hello->camera_bytes] = 0;
	if (camera_parse("camera.json", out->camera_json, &out->camera)) {
		snprintf(reason, SOURCE_REASON_BYTES, "%s", host_error_text());
		refusal = REFUSAL_CAMERA;
	} else {
		refusal = check_size(hello, &out->camera.camera, reason);
	}
	if (refusal) {
		free(out->camera_json);
		memset(out, 0, sizeof *out);
		return refusal;
	}
	out->camera.fps = hello->fps;
	out->depth_mm_per_unit = out->camera.mm_per_unit / out->camera.depth_scale;
	out->has_color = hello->has_color;
	out->paced = true;
	return REFUSAL_NONE;
}

/* NULL when nothing does. Files that say the same in other words are the same camera. */
static const char *find_difference(const source_facts *a, const source_facts *b)
{
	const enm_camera *c = &a->camera.camera, *d = &b->camera.camera;
	const enm_depth_residual *r = &c->residual, *q = &d->residual;
	if (c->width != d->width || c->height != d->height)
		return "width, height";
	if (a->has_color != b->has_color)
		return "colour";
	if (a->depth_mm_per_unit != b->depth_mm_per_unit)
		return "depth_scale, depth_unit";
	if (c->fx != d->fx || c->fy != d->fy || c->cx != d->cx || c->cy != d->cy)
		return "intrinsic_matrix";
	for (int i = 0; i < 5; i++)
		if (c->distortion[i] != d->distortion[i])
			return "distortion";
	if (r->bow_um != q->bow_um || r->astigmatism_um != q->astigmatism_um || r->twist_um != q->twist_um ||
		r->tilt_x_um != q->tilt_x_um || r->tilt_y_um != q->tilt_y_um || r->constant_um != q->constant_um)
		return "depth_residual";
	return a->camera.row_time_s != b->camera.row_time_s ? "row_time_s" : NULL;
}

message_refusal hello_compare(const source_facts *known, const source_facts *other, char reason[SOURCE_REASON_BYTES])
{
	const char *difference = find_difference(known, other);
	if (!difference)
		return REFUSAL_NONE;
	snprintf(reason, SOURCE_REASON_BYTES, "%s: not as in the scan that is under way", difference);
	return REFUSAL_OTHER_CAMERA;
}
