/* SPDX-License-Identifier: Apache-2.0 */
#include "camera.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"

#define SIZE_MIN 16
#define SIZE_MAX_PIXELS 4096
#define FOCAL_MAX 1e6
#define CAMERA_BYTES_MAX ((size_t)64 << 20)
#define VARIANCE_MAX_UM2 1e12

static const char *const residual_names[6] = {
	"bow_um", "astigmatism_um", "twist_um", "tilt_x_um", "tilt_y_um", "constant_um"};

static float *residual_field(enm_depth_residual *r, int i)
{
	float *const fields[6] = {
		&r->bow_um, &r->astigmatism_um, &r->twist_um, &r->tilt_x_um, &r->tilt_y_um, &r->constant_um};
	return fields[i];
}

static host_status read_intrinsics(json_place root, enm_camera *c)
{
	int64_t width, height;
	double m[9];
	host_status status = json_read_integer(root, "width", SIZE_MIN, SIZE_MAX_PIXELS, &width);
	if (!status)
		status = json_read_integer(root, "height", SIZE_MIN, SIZE_MAX_PIXELS, &height);
	if (!status)
		status = json_read_numbers(root, "intrinsic_matrix", 9, m);
	if (status)
		return status;
	c->width = (uint32_t)width;
	c->height = (uint32_t)height;
	c->fx = m[0];
	c->fy = m[4];
	c->cx = m[6];
	c->cy = m[7];
	const char *reason = NULL;
	if (!(m[0] > 0.0 && m[4] > 0.0))
		reason = "focal length must be above 0";
	else if (!(m[0] <= FOCAL_MAX && m[4] <= FOCAL_MAX))
		reason = "focal length is above 1000000 pixels";
	else if (m[1] != 0.0 || m[3] != 0.0 || m[2] != 0.0 || m[5] != 0.0 || m[8] != 1.0)
		reason = "expected [fx,0,0, 0,fy,0, cx,cy,1] (column-major)";
	else if (!(fabs(c->cx) <= 3.0 * (double)width && fabs(c->cy) <= 3.0 * (double)height))
		reason = "principal point is more than three image sizes off";
	return reason ? host_fail_file(HOST_USAGE, root.file, "intrinsic_matrix: %s", reason) : HOST_OK;
}

static host_status read_residual(json_place root, enm_depth_residual *out)
{
	json_place place;
	host_status status = json_read_object_if(root, "depth_residual", &place);
	for (int i = 0; !status && place.object && i < 6; i++) {
		double um = 0.0;
		status = json_read_number_if(place, residual_names[i], -1e6, 1e6, &um);
		*residual_field(out, i) = (float)um;
	}
	return status;
}

/* Whether a symmetric matrix has a factor of Cholesky. */
static bool is_positive(const double *matrix)
{
	double l[36];
	for (int i = 0; i < 6; i++)
		for (int j = 0; j <= i; j++) {
			double t = matrix[6 * i + j];
			for (int k = 0; k < j; k++)
				t -= l[6 * i + k] * l[6 * j + k];
			if (i == j && !(t > 1e-12 * matrix[7 * i]))
				return false;
			l[6 * i + j] = i == j ? sqrt(t) : t / l[7 * j];
		}
	return true;
}

static host_status read_covariance(json_place root, camera_kept *out)
{
	static const char key[] = "depth_residual_covariance_um2";
	double *c = out->covariance_um2;
	out->known = json_has(root, key);
	if (!out->known)
		return HOST_OK;
	if (!json_has(root, "depth_residual"))
		return host_fail_file(HOST_USAGE, root.file, "%s: there is no depth_residual that it could be of", key);
	host_status status = json_read_numbers(root, key, 36, c);
	for (int i = 0; !status && i < 36; i++) {
		const double other = c[6 * (i % 6) + i / 6];
		if (!(fabs(c[i]) <= VARIANCE_MAX_UM2))
			status = host_fail_file(HOST_USAGE, root.file, "%s: row %d, column %d: %g is no variance of a scanner", key, i / 6, i % 6, c[i]);
		else if (fabs(c[i] - other) > 1e-6 * (fabs(c[i]) + fabs(other)))
			status = host_fail_file(HOST_USAGE, root.file, "%s: not symmetric in row %d, column %d", key, i / 6, i % 6);
	}
	if (!status && !is_positive(c))
		status = host_fail_file(HOST_USAGE, root.file, "%s: not positive, which a covariance is", key);
	return status;
}

static host_status read_kept(json_place root, camera_kept *out)
{
	json_place place;
	const char *date = "";
	int64_t frames = 0;
	host_status status = read_covariance(root, out);
	if (!status)
		status = json_read_object_if(root, "calibration", &place);
	if (status || !place.object)
		return status;
	if (json_has(place, "date"))
		status = json_read_text(place, "date", &date);
	if (!status && json_has(place, "frames"))
		status = json_read_integer(place, "frames", 0, INT64_C(1) << 40, &frames);
	if (!status)
		status = json_read_number_if(place, "gain_percent", -10.0, 10.0, &out->gain_percent);
	if (!status)
		status = json_read_number_if(place, "gain_sigma_percent", 0.0, 10.0, &out->gain_sigma_percent);
	snprintf(out->date, sizeof out->date, "%s", date);
	out->frames = frames;
	return status;
}

static host_status read_unit(json_place root, double *out_mm_per_unit)
{
	const char *unit;
	host_status status = json_read_text(root, "depth_unit", &unit);
	if (status)
		return status;
	if (!strcmp(unit, "mm"))
		*out_mm_per_unit = 1.0;
	else if (!strcmp(unit, "m"))
		*out_mm_per_unit = 1000.0;
	else
		return host_fail_file(HOST_USAGE, root.file, "depth_unit: '%s' is neither \"mm\" nor \"m\"", unit);
	return HOST_OK;
}

static host_status read_fields(json_place root, camera_file *out)
{
	host_status status = read_intrinsics(root, &out->camera);
	if (!status)
		status = json_read_number(root, "depth_scale", 1e-6, 1e9, &out->depth_scale);
	if (!status)
		status = read_unit(root, &out->mm_per_unit);
	if (!status)
		status = json_read_number_if(root, "fps", 1e-3, 1e5, &out->fps);
	if (!status)
		status = json_read_number_if(root, "row_time_s", 0.0, 1.0, &out->row_time_s);
	if (!status)
		status = json_read_numbers_if(root, "distortion", 5, out->camera.distortion);
	if (!status)
		status = read_residual(root, &out->camera.residual);
	return status ? status : read_kept(root, &out->kept);
}

host_status camera_parse(const char *name, const char *text, camera_file *out)
{
	memset(out, 0, sizeof *out);
	out->fps = 30.0;
	json_t *root;
	host_status status = json_text_read(name, text, strlen(text), &root);
	if (status)
		return status;
	const json_place place = {name, "", root};
	status = read_fields(place, out);
	json_decref(root);
	return status;
}

host_status camera_read(const char *path, camera_file *out)
{
	memset(out, 0, sizeof *out);
	uint8_t *bytes;
	size_t size;
	host_status status = file_read(path, CAMERA_BYTES_MAX, &bytes, &size);
	if (status)
		return status;
	if (memchr(bytes, 0, size))
		status = host_fail_file(HOST_USAGE, path, "is no text");
	else
		status = camera_parse(path, (const char *)bytes, out);
	free(bytes);
	return status;
}

static json_t *residual_json(const enm_depth_residual *residual, bool *ok)
{
	enm_depth_residual copy = *residual;
	json_t *object = json_object();
	for (int i = 0; i < 6; i++)
		json_put(object, residual_names[i], json_finite((double)*residual_field(&copy, i)), ok);
	return object;
}

static void put_kept(json_t *root, const camera_kept *kept, bool *ok)
{
	json_t *calibration = json_object();
	if (kept->known)
		json_put(root, "depth_residual_covariance_um2", json_numbers(kept->covariance_um2, 36), ok);
	if (*kept->date)
		json_put(calibration, "date", json_string(kept->date), ok);
	if (kept->frames)
		json_put(calibration, "frames", json_integer((json_int_t)kept->frames), ok);
	if (kept->gain_sigma_percent > 0.0) {
		json_put(calibration, "gain_percent", json_finite(kept->gain_percent), ok);
		json_put(calibration, "gain_sigma_percent", json_finite(kept->gain_sigma_percent), ok);
	}
	if (json_object_size(calibration))
		json_put(root, "calibration", calibration, ok);
	else
		json_decref(calibration);
}

static host_status make_json(const camera_file *file, json_t **out_root)
{
	static const enm_depth_residual no_residual;
	static const double no_distortion[5];
	const enm_camera *c = &file->camera;
	const double m[9] = {c->fx, 0.0, 0.0, 0.0, c->fy, 0.0, c->cx, c->cy, 1.0};
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "width", json_integer(c->width), &ok);
	json_put(root, "height", json_integer(c->height), &ok);
	json_put(root, "intrinsic_matrix", json_numbers(m, 9), &ok);
	json_put(root, "depth_scale", json_finite(file->depth_scale), &ok);
	json_put(root, "depth_unit", json_string(file->mm_per_unit == 1.0 ? "mm" : "m"), &ok);
	json_put(root, "fps", json_finite(file->fps), &ok);
	json_put(root, "row_time_s", json_finite(file->row_time_s), &ok);
	if (memcmp(c->distortion, no_distortion, sizeof no_distortion))
		json_put(root, "distortion", json_numbers(c->distortion, 5), &ok);
	if (file->kept.known || memcmp(&c->residual, &no_residual, sizeof no_residual))
		json_put(root, "depth_residual", residual_json(&c->residual, &ok), &ok);
	put_kept(root, &file->kept, &ok);
	if (!ok) {
		json_decref(root);
		return host_fail_memory("camera.json");
	}
	*out_root = root;
	return HOST_OK;
}

host_status camera_to_text(const camera_file *file, char **out_text)
{
	json_t *root;
	*out_text = NULL;
	host_status status = make_json(file, &root);
	if (status)
		return status;
	status = json_text_write(root, out_text);
	json_decref(root);
	return status;
}

bool camera_is_same(const camera_file *a, const camera_file *b)
{
	return !memcmp(&a->camera, &b->camera, sizeof a->camera) && a->depth_scale == b->depth_scale &&
	       a->mm_per_unit == b->mm_per_unit && a->row_time_s == b->row_time_s;
}

host_status camera_write(const char *path, const camera_file *file)
{
	json_t *root;
	host_status status = make_json(file, &root);
	if (status)
		return status;
	status = json_file_write(path, root);
	json_decref(root);
	return status;
}
