/* SPDX-License-Identifier: Apache-2.0
 * Where a dataset's camera comes from. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_layout.h"
#include "file.h"
#include "image.h"

#define INTRINSICS_BYTES_MAX 4096
#define PROBED_FRAMES 5

/* Colour camera of the published sequences, to which their depth is registered; 640x480, 5000 units a metre.
 * https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats */
typedef struct published_camera {
	const char *short_name, *long_name;
	double fx, fy, cx, cy, distortion[5];
} published_camera;

static const published_camera published[3] = {
	{"fr1", "freiburg1", 517.3, 516.5, 318.6, 255.3, {0.2624, -0.9531, -0.0054, 0.0026, 1.1633}},
	{"fr2", "freiburg2", 520.9, 521.0, 325.1, 249.7, {0.2312, -0.7849, -0.0033, -0.0001, 0.9172}},
	{"fr3", "freiburg3", 535.4, 539.2, 320.1, 247.6, {0.0, 0.0, 0.0, 0.0, 0.0}},
};

static void set_metric(dataset *d, double depth_scale)
{
	d->camera.depth_scale = depth_scale;
	d->camera.mm_per_unit = 1000.0;
	d->camera.fps = 30.0;
}

static host_status find_published(dataset *d)
{
	char *real = realpath(d->folder, NULL);
	const char *name = path_base(real ? real : d->folder);
	const published_camera *found = NULL;
	for (int i = 0; i < 3; i++)
		if (strstr(name, published[i].short_name) || strstr(name, published[i].long_name))
			found = &published[i];
	free(real);
	if (!found)
		return host_fail_file(HOST_USAGE, d->folder,
			"camera.json: missing, no --camera FILE given, and the folder's name says none of fr1, fr2, "
			"fr3");
	enm_camera *c = &d->camera.camera;
	c->width = 640;
	c->height = 480;
	c->fx = found->fx;
	c->fy = found->fy;
	c->cx = found->cx;
	c->cy = found->cy;
	memcpy(c->distortion, found->distortion, sizeof c->distortion);
	set_metric(d, 5000.0);
	snprintf(d->note, sizeof d->note, "camera: the published intrinsics of TUM RGB-D %s", found->long_name);
	return HOST_OK;
}

/* Three lines of three numbers: fx 0 cx, 0 fy cy, 0 0 1. */
static host_status read_intrinsics(const char *path, enm_camera *c)
{
	uint8_t *bytes;
	size_t size;
	host_status status = file_read(path, INTRINSICS_BYTES_MAX, &bytes, &size);
	if (status)
		return status;
	double k[9];
	int count = 0;
	char *at = (char *)bytes, *end = at;
	for (; count < 9; count++, at = end) {
		k[count] = strtod(at, &end);
		if (end == at || !isfinite(k[count]))
			break;
	}
	bool whole = count == 9 && !at[strspn(at, " \t\r\n")];
	free(bytes);
	if (!whole)
		return host_fail_file(HOST_USAGE, path, "expected 9 numbers (3x3, row by row)");
	if (!(k[0] > 0.0 && k[4] > 0.0))
		return host_fail_file(HOST_USAGE, path, "focal length must be above 0");
	if (k[1] != 0.0 || k[3] != 0.0 || k[6] != 0.0 || k[7] != 0.0 || k[8] != 1.0)
		return host_fail_file(HOST_USAGE, path, "expected fx 0 cx, 0 fy cy, 0 0 1");
	c->fx = k[0];
	c->fy = k[4];
	c->cx = k[2];
	c->cy = k[5];
	return HOST_OK;
}

/* The size of the first pictures that can be read. */
static host_status probe_size(const dataset *d, uint32_t *out_width, uint32_t *out_height)
{
	host_status status = HOST_OK;
	for (size_t i = 0; i < d->frame_count && i < PROBED_FRAMES; i++) {
		char path[FILE_PATH_MAX];
		status = path_join(d->folder, d->frames[i].depth, path);
		if (!status)
			status = image_read_size(path, out_width, out_height);
		if (!status)
			return HOST_OK;
	}
	return status;
}

static host_status find_scenes_camera(dataset *d)
{
	enm_camera *c = &d->camera.camera;
	char path[FILE_PATH_MAX];
	set_metric(d, 1000.0);
	host_status status = probe_size(d, &c->width, &c->height);
	if (!status)
		status = path_join(d->folder, "camera-intrinsics.txt", path);
	if (status)
		return status;
	if (file_exists(path))
		return read_intrinsics(path, c);
	if (c->width != 640 || c->height != 480)
		return host_fail_file(HOST_USAGE, d->folder,
			"camera-intrinsics.txt: missing, no --camera FILE given, and pictures of %ux%u have no default",
			c->width, c->height);
	c->fx = c->fy = 585.0;
	c->cx = 320.0;
	c->cy = 240.0;
	snprintf(d->note, sizeof d->note, "camera: no camera-intrinsics.txt: assumed f 585, centre 320/240");
	return HOST_OK;
}

host_status dataset_find_camera(dataset *d, const char *camera_path)
{
	char path[FILE_PATH_MAX];
	if (camera_path) {
		host_status status = camera_read(camera_path, &d->camera);
		if (!status && d->layout != DATASET_TUM)
			snprintf(d->note, sizeof d->note, "camera: that of --camera, not the folder's own");
		return status;
	}
	switch (d->layout) {
	case DATASET_FOLDER: {
		host_status status = path_join(d->folder, "camera.json", path);
		return status ? status : camera_read(path, &d->camera);
	}
	case DATASET_TUM:
		return find_published(d);
	case DATASET_SEVEN_SCENES:
		return find_scenes_camera(d);
	case DATASET_RECORDING: /* carries its own */
		break;
	}
	return HOST_USAGE;
}
