/* SPDX-License-Identifier: Apache-2.0 */
#include "facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define CAMERA_BYTES_MAX ((size_t)1 << 20)

/* The recording of a scan must not say another rate than the scan had. */
static host_status put_fps(const char *name, char **text, double fps)
{
	json_t *root;
	host_status status = json_text_read(name, *text, strlen(*text), &root);
	if (status)
		return status;
	char *changed = NULL;
	bool ok = true;
	json_put(root, "fps", json_real(fps), &ok);
	status = ok ? json_text_write(root, &changed) : host_fail_memory("camera.json");
	json_decref(root);
	if (!status) {
		free(*text);
		*text = changed;
	}
	return status;
}

host_status facts_from_text(const char *name, char *text, double fps, source_facts *out)
{
	memset(out, 0, sizeof *out);
	camera_file camera;
	host_status status = camera_parse(name, text, &camera);
	if (!status && fps > 0.0 && fps != camera.fps) {
		status = put_fps(name, &text, fps);
		camera.fps = fps;
	}
	if (status) {
		free(text);
		return status;
	}
	out->camera = camera;
	out->camera_json = text;
	out->depth_mm_per_unit = camera.mm_per_unit / camera.depth_scale;
	return HOST_OK;
}

host_status facts_from_file(const char *path, double fps, source_facts *out)
{
	memset(out, 0, sizeof *out);
	uint8_t *bytes;
	size_t size;
	host_status status = file_read(path, CAMERA_BYTES_MAX, &bytes, &size);
	if (!status && memchr(bytes, 0, size)) {
		free(bytes);
		return host_fail_file(HOST_USAGE, path, "is no text");
	}
	return status ? status : facts_from_text(path, (char *)bytes, fps, out);
}

void facts_free(source_facts *facts)
{
	free(facts->camera_json);
	memset(facts, 0, sizeof *facts);
}

bool facts_fps_fits(double fps, double wanted_fps)
{
	return fabs(fps - wanted_fps) <= FACTS_FPS_TOLERANCE * wanted_fps;
}
