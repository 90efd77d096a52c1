/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate.h"

#include "file.h"
#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- surfaces --------------------------------------------------------------------------------------------------- */

host_status inputs_read_surface(const char *path, double mm_per_unit, surface *out)
{
	enm_mesh *mesh = NULL;
	const enm_result result = enm_mesh_load(path, mm_per_unit, &mesh);
	/* A path that does not lead to a readable file is wrong usage here, not a failing disk. */
	if (result == ENM_E_IO)
		return host_fail(HOST_USAGE, "%s", enm_last_error());
	if (result != ENM_OK)
		return host_fail_result(result, enm_last_error());
	host_status status = surface_open(mesh, path, out);
	if (status == HOST_OK && !(out->size_mm > 0)) {
		surface_close(out);
		status = host_fail_file(HOST_DATA, path, "all triangles lie in one point");
	}
	return status;
}

/* ---- truth.json ------------------------------------------------------------------------------------------------- */

static host_status read_landmarks(const char *path, json_t *root, inputs *in)
{
	json_t *list = json_object_get(root, "landmarks");
	if (list == NULL)
		return HOST_OK;
	if (!json_is_object(list))
		return host_fail_file(HOST_USAGE, path, "landmarks: expected an object {name: [x, y, z]}");
	in->landmarks = calloc(json_object_size(list) + 1, sizeof(*in->landmarks));
	if (in->landmarks == NULL)
		return host_fail_memory("the landmarks");
	const char *name;
	json_t *value;
	json_object_foreach(list, name, value)
	{
		landmark *mark = &in->landmarks[in->landmark_count++];
		host_status status = json_read_numbers(
			(json_place){.file = path, .where = "landmarks", .object = list}, name, 3, mark->truth);
		if (status != HOST_OK)
			return status;
		mark->name = name;
		for (int i = 0; i < 3; i++)
			mark->truth[i] *= in->mm_per_unit;
	}
	return HOST_OK;
}

static host_status read_spheres(const char *path, json_t *root, inputs *in)
{
	const json_t *list = json_object_get(root, "spheres");
	if (list == NULL)
		return HOST_OK;
	if (!json_is_array(list))
		return host_fail_file(HOST_USAGE, path, "spheres: expected a list [[x, y, z, r], ...]");
	in->spheres = calloc(json_array_size(list) + 1, sizeof(*in->spheres));
	if (in->spheres == NULL)
		return host_fail_memory("the spheres");
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *row = json_array_get(list, k);
		double v[4] = {0};
		for (size_t i = 0; i < 4; i++)
			v[i] = json_number_value(json_array_get(row, i)) * in->mm_per_unit;
		if (json_array_size(row) != 4 || !isfinite(v[0] + v[1] + v[2]) || !(v[3] > 0 && isfinite(v[3])))
			return host_fail_file(
				HOST_USAGE, path, "spheres: entry %zu: expected [x, y, z, r] with r above 0", k);
		memcpy(in->spheres[k].centre, v, 3 * sizeof(double));
		in->spheres[k].radius_mm = v[3];
		in->sphere_count++;
	}
	return HOST_OK;
}

static host_status read_margin(const char *path, json_t *root, inputs *in)
{
	const json_t *list = json_object_get(root, "margin");
	if (list == NULL)
		return HOST_OK;
	if (!json_is_array(list))
		return host_fail_file(HOST_USAGE, path, "margin: expected a list [[x, y, z], ...]");
	in->margin = calloc(json_array_size(list) + 1, sizeof(*in->margin));
	if (in->margin == NULL)
		return host_fail_memory("the margin");
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *row = json_array_get(list, k);
		double *v = in->margin[k];
		for (size_t i = 0; i < 3; i++)
			v[i] = json_is_number(json_array_get(row, i))
				       ? json_number_value(json_array_get(row, i)) * in->mm_per_unit
				       : (double)NAN;
		if (json_array_size(row) != 3 || !isfinite(v[0] + v[1] + v[2]))
			return host_fail_file(HOST_USAGE, path, "margin: entry %zu: expected [x, y, z]", k);
		in->margin_count++;
	}
	return HOST_OK;
}

static host_status read_features(const char *path, json_t *root, inputs *in)
{
	host_status status = read_landmarks(path, root, in);
	if (status == HOST_OK)
		status = read_spheres(path, root, in);
	if (status == HOST_OK)
		status = read_margin(path, root, in);
	return status;
}

static host_status read_truth_json(const char *folder, inputs *in)
{
	char path[FILE_PATH_MAX];
	host_status status = path_join(folder, "truth.json", path);
	if (status != HOST_OK || !file_exists(path))
		return status;
	status = json_file_read(path, &in->truth_json);
	if (status == HOST_OK && in->request->features_path == NULL)
		status = read_features(path, in->truth_json, in);
	return status;
}

/* The file of --landmarks, in place of what truth.json has of the kind. */
static host_status read_own_features(inputs *in)
{
	const char *path = in->request->features_path;
	if (path == NULL)
		return HOST_OK;
	host_status status = json_file_read(path, &in->features_json);
	if (status == HOST_OK)
		status = read_features(path, in->features_json, in);
	if (status == HOST_OK && in->landmark_count + in->sphere_count + in->margin_count == 0)
		status = host_fail_file(HOST_USAGE, path, "holds neither landmarks nor spheres nor a margin");
	return status;
}

/* ---- what the camera can measure -------------------------------------------------------------------------------- */

enum { RANGE_FRAMES = 24 };

static int compare_u16(const void *a, const void *b)
{
	const uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;
	return (x > y) - (x < y);
}

/* No file states the depth range of the camera, so the readings of some frames do: all but the outermost 0.5 % on
 * either side, widened by a tenth. */
static host_status measure_depth_range(inputs *in)
{
	const dataset *d = &in->dataset;
	const size_t pixels = (size_t)d->camera.camera.width * d->camera.camera.height;
	uint16_t *depth = malloc(pixels * (RANGE_FRAMES + 1) * sizeof(uint16_t));
	if (depth == NULL)
		return host_fail_memory("depth frames");
	size_t count = 0;
	for (size_t k = 0; k < RANGE_FRAMES; k++) {
		const size_t index = d->frame_count * k / RANGE_FRAMES;
		dataset_reading reading;
		if (d->frames[index].fault)
			continue;
		dataset_read_frame(d, index, depth + count, NULL, &reading);
		const size_t end = reading.usable ? count + pixels : count;
		for (size_t i = count; i < end; i++)
			if (depth[i] > 0)
				depth[count++] = depth[i];
	}
	if (count == 0) {
		free(depth);
		return host_fail_file(HOST_DATA, d->folder, "no frame looked at has a depth reading");
	}
	qsort(depth, count, sizeof(uint16_t), compare_u16);
	const double low = depth[count / 200] * d->depth_mm_per_unit;
	const double high = depth[count - 1 - count / 200] * d->depth_mm_per_unit;
	in->depth_min_mm = in->request->depth_min_mm > 0 ? in->request->depth_min_mm : 0.9 * low;
	in->depth_max_mm = in->request->depth_max_mm > 0 ? in->request->depth_max_mm : 1.1 * high;
	free(depth);
	return HOST_OK;
}

static host_status choose_depth_range(inputs *in)
{
	in->depth_min_mm = in->request->depth_min_mm;
	in->depth_max_mm = in->request->depth_max_mm;
	host_status status = HOST_OK;
	if (!(in->depth_min_mm > 0 && in->depth_max_mm > 0))
		status = measure_depth_range(in);
	if (status == HOST_OK && !(in->depth_min_mm < in->depth_max_mm))
		status = host_fail(HOST_USAGE, "--depth-min-mm: %g is not below the far end of the depth range, %g mm",
			in->depth_min_mm, in->depth_max_mm);
	return status;
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static host_status read_dataset(inputs *in)
{
	const request *r = in->request;
	char path[FILE_PATH_MAX];
	host_status status = dataset_open(r->dataset_path, r->camera_path, &in->dataset);
	if (status != HOST_OK)
		return status;
	in->has_dataset = true;
	in->unit = in->dataset.unit;
	in->mm_per_unit = strcmp(in->unit, "m") == 0 ? 1000 : 1;
	in->has_true_frames = in->dataset.has_truth;
	if (in->has_true_frames && (status = dataset_read_truth(&in->dataset, &in->true_frames)) != HOST_OK)
		return status;
	if ((status = path_join(r->dataset_path, "truth.ply", path)) != HOST_OK)
		return status;
	if (file_exists(path)) {
		in->has_truth = true;
		snprintf(in->truth_path, sizeof(in->truth_path), "%s", path);
		if ((status = read_truth_json(r->dataset_path, in)) != HOST_OK)
			return status;
	}
	if ((status = tracking_read(r->dataset_path, in->truth_json, &in->tracking)) != HOST_OK)
		return status;
	if (!in->has_truth && !in->has_true_frames)
		return host_fail_file(HOST_DATA, r->dataset_path,
			"nothing to compare with: neither truth.ply nor true poses are there");
	return in->has_truth && in->has_true_frames ? choose_depth_range(in) : HOST_OK;
}

static int compare_times(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The key "fused_times_s" of a report of `enamel replay`. */
static host_status read_fused(const char *path, inputs *in)
{
	json_t *root = NULL;
	host_status status = json_file_read(path, &root);
	if (status != HOST_OK)
		return status;
	const json_t *list = json_object_get(root, "fused_times_s");
	if (!json_is_array(list)) {
		status = host_fail_file(
			HOST_USAGE, path, "fused_times_s: %s", list == NULL ? "missing" : "expected a list");
		goto done;
	}
	in->fused_times_s = malloc((json_array_size(list) + 1) * sizeof(double));
	if (in->fused_times_s == NULL) {
		status = host_fail_memory("fused_times_s");
		goto done;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *time = json_array_get(list, i);
		if (!json_is_number(time)) {
			status = host_fail_file(HOST_USAGE, path, "fused_times_s: entry %zu: expected a number", i);
			goto done;
		}
		in->fused_times_s[in->fused_count++] = json_number_value(time);
	}
	qsort(in->fused_times_s, in->fused_count, sizeof(double), compare_times);
	in->has_fused = true;
	status = tracking_read_held(path, root, &in->tracking);
done:
	json_decref(root);
	return status;
}

host_status inputs_read_reference(const request *r, inputs *in)
{
	*in = (inputs){.request = r, .unit = "mm", .mm_per_unit = 1};
	host_status status = HOST_OK;
	if (r->dataset_path != NULL)
		status = read_dataset(in);
	if (status == HOST_OK && r->truth_path != NULL) {
		in->has_truth = true;
		snprintf(in->truth_path, sizeof(in->truth_path), "%s", r->truth_path);
	}
	if (status == HOST_OK)
		status = read_own_features(in);
	return status;
}

host_status inputs_read(const request *r, inputs *in)
{
	host_status status = inputs_read_reference(r, in);
	if (status == HOST_OK && r->features_path != NULL && !in->has_truth)
		return host_fail_file(HOST_DATA, r->dataset_path, "has no true surface on which --landmarks could lie");
	if (status == HOST_OK && r->trajectory_path != NULL) {
		if (!in->has_true_frames)
			return host_fail_file(
				HOST_DATA, r->dataset_path, "has no true poses to compare --trajectory with");
		in->has_trajectory = true;
		status = trajectory_read(r->trajectory_path, in->mm_per_unit, &in->measured);
	}
	if (status == HOST_OK && r->fused_path != NULL)
		status = read_fused(r->fused_path, in);
	if (status == HOST_OK)
		status = inputs_read_surface(r->recon_path, in->mm_per_unit, &in->recon);
	if (status == HOST_OK && in->has_truth)
		status = inputs_read_surface(in->truth_path, in->mm_per_unit, &in->truth);
	return status;
}

void inputs_free(inputs *in)
{
	surface_close(&in->recon);
	surface_close(&in->truth);
	if (in->has_dataset)
		dataset_close(&in->dataset);
	trajectory_free(&in->true_frames);
	trajectory_free(&in->measured);
	free(in->fused_times_s);
	free(in->landmarks);
	free(in->spheres);
	free(in->margin);
	tracking_free(&in->tracking);
	json_decref(in->truth_json);
	json_decref(in->features_json);
	*in = (inputs){0};
}
