/* SPDX-License-Identifier: Apache-2.0 */
#include "distances.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

host_status distances_read(const char *path, distance_facts *out)
{
	json_t *root, *landmarks, *row;
	const char *name;
	memset(out, 0, sizeof *out);
	host_status status = json_file_read(path, &root);
	if (status)
		return status;
	landmarks = json_object_get(root, "landmarks");
	const json_place place = {path, "landmarks", landmarks};
	if (!json_is_object(landmarks))
		status = host_fail_file(HOST_USAGE, path, "landmarks: missing, or no object");
	else if (json_object_size(landmarks) < 2 || json_object_size(landmarks) > DISTANCE_POINTS_MAX)
		status = host_fail_file(HOST_USAGE, path, "landmarks: %zu are not 2 to %d", json_object_size(landmarks), DISTANCE_POINTS_MAX);
	json_object_foreach(landmarks, name, row) {
		distance_point *p = &out->points[out->count];
		if (status)
			break;
		if (strlen(name) >= sizeof p->name)
			status = host_fail_file(HOST_USAGE, path, "landmarks: '%s' is longer than %d letters", name, DISTANCE_NAME_BYTES - 1);
		else
			status = json_read_numbers(place, name, 3, p->at_mm);
		memcpy(p->name, name, strlen(name) < sizeof p->name ? strlen(name) : 0);
		out->count++;
	}
	json_decref(root);
	return status;
}

/* Their covariance, or ENM_EMPTY and how many frames saw each. */
static enm_result ask(const enm_session *session, distance_facts *f, uint32_t *frames)
{
	static const double axes[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
	enm_quantity q[3 * DISTANCE_POINTS_MAX];
	for (size_t i = 0; i < 3 * f->count; i++)
		q[i] = (enm_quantity){f->points[i / 3].at_mm, axes + 3 * (i % 3), 1};
	return enm_session_covariance(session, ENM_PIN_FIRST_30, q, 3 * f->count, f->covariance_mm2, frames);
}

host_status distances_measure(const enm_session *session, distance_facts *f)
{
	uint32_t frames[3 * DISTANCE_POINTS_MAX];
	const size_t wanted = f->count;
	f->covariance_mm2 = malloc(9 * f->count * f->count * sizeof *f->covariance_mm2);
	if (!f->covariance_mm2)
		return host_fail_memory("the distances");
	enm_result result = ask(session, f, frames);
	if (result == ENM_EMPTY) {
		size_t seen = 0;
		for (size_t i = 0; i < f->count; i++)
			if (frames[3 * i] > 0)
				f->points[seen++] = f->points[i];
		f->count = seen;
		result = seen > 0 ? ask(session, f, frames) : ENM_OK;
	}
	f->not_seen = wanted - f->count;
	return host_fail_result(result, enm_last_error());
}

void distances_free(distance_facts *f)
{
	free(f->covariance_mm2);
	f->covariance_mm2 = NULL;
}

double distance_between(const distance_facts *f, size_t a, size_t b, double *out_sigma_um)
{
	const size_t of[2] = {3 * a, 3 * b}, n = 3 * f->count;
	double along[3], length = 0.0, variance = 0.0;
	for (int i = 0; i < 3; i++) {
		along[i] = f->points[b].at_mm[i] - f->points[a].at_mm[i];
		length += along[i] * along[i];
	}
	length = sqrt(length);
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < 6; k++)
			variance += (i / 3 == k / 3 ? 1.0 : -1.0) * along[i % 3] * along[k % 3] * f->covariance_mm2[(of[i / 3] + i % 3) * n + of[k / 3] + k % 3];
	*out_sigma_um = length > 0.0 ? 1e3 * sqrt(fmax(variance, 0.0)) / length : 0.0;
	return length;
}

json_t *distances_json(const distance_facts *f, double scale_sigma_percent, bool *ok)
{
	json_t *root = json_object(), *list = json_array();
	for (size_t a = 0; a < f->count; a++)
		for (size_t b = a + 1; b < f->count; b++) {
			json_t *entry = json_object();
			double sigma_um;
			const double mm = distance_between(f, a, b, &sigma_um);
			json_put(entry, "from", json_string(f->points[a].name), ok);
			json_put(entry, "to", json_string(f->points[b].name), ok);
			json_put(entry, "mm", json_finite(mm), ok);
			json_put(entry, "sigma_um", json_finite(sigma_um), ok);
			json_put(entry, "sigma_with_scale_um", json_finite(hypot(sigma_um, 10.0 * mm * scale_sigma_percent)), ok);
			*ok = !json_array_append_new(list, entry) && *ok;
		}
	json_put(root, "not_seen", json_integer((json_int_t)f->not_seen), ok);
	json_put(root, "list", list, ok);
	return root;
}
