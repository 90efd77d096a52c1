/* SPDX-License-Identifier: Apache-2.0 */
#include "scale_reference.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "spheres.h"

/* A gain beyond this is no gain: the object is another one, or in another unit. */
#define GAIN_MAX 0.01

#define OFF_MOST 3.0
#define DISTANCES_DIFFER_UM 12.0 /* root mean square, at least: as on phantoms; a few spheres tell too little of it, two nothing */
#define METHOD_PERCENT 0.02 /* what surfaces of spheres and their fits are off by: 0.023 in both of two simulated phantoms */

/* ---- the file ---- */

static host_status read_sphere(const char *file, const json_t *row, size_t index, scale_reference *out)
{
	double n[4];
	if (!json_is_array(row) || json_array_size(row) != 4)
		return host_fail_file(HOST_USAGE, file, "spheres: sphere %zu: expected [x, y, z, radius]", index);
	for (size_t i = 0; i < 4; i++) {
		const json_t *number = json_array_get(row, i);
		n[i] = json_is_number(number) ? json_number_value(number) : (double)NAN;
		if (!(fabs(n[i]) <= 1e4))
			return host_fail_file(HOST_USAGE, file, "spheres: sphere %zu: number %zu is none within 10000 mm", index, i);
	}
	if (!(n[3] >= 0.1))
		return host_fail_file(HOST_USAGE, file, "spheres: sphere %zu: a radius of %g mm is below 0.1 mm", index, n[3]);
	if (index > 0 && fabs(n[3] - out->radius_mm) > 1e-3)
		return host_fail_file(HOST_USAGE, file, "spheres: sphere %zu: its radius is %g mm, that of the first %g: one radius is wanted", index, n[3],
			out->radius_mm);
	out->radius_mm = n[3];
	memcpy(out->centres_mm[index], n, 3 * sizeof *n);
	for (size_t i = 0; i < index; i++)
		if (hypot(hypot(out->centres_mm[i][0] - n[0], out->centres_mm[i][1] - n[1]), out->centres_mm[i][2] - n[2]) < 1e-3)
			return host_fail_file(HOST_USAGE, file, "spheres: sphere %zu is the same as sphere %zu", index, i);
	return HOST_OK;
}

static host_status read_spheres(const char *path, const json_t *root, scale_reference *out)
{
	const json_t *spheres = json_object_get(root, "spheres");
	if (!json_is_array(spheres))
		return host_fail_file(HOST_USAGE, path, "spheres: missing, or no list");
	out->count = json_array_size(spheres);
	if (out->count < 2 || out->count > REFERENCE_SPHERES_MAX)
		return host_fail_file(HOST_USAGE, path, "spheres: %zu are not 2 to %d", out->count, REFERENCE_SPHERES_MAX);
	out->centres_mm = malloc(out->count * sizeof *out->centres_mm);
	host_status status = out->centres_mm ? HOST_OK : host_fail_memory("the scale reference");
	for (size_t i = 0; i < out->count && !status; i++)
		status = read_sphere(path, json_array_get(spheres, i), i, out);
	const json_place place = {path, "", root};
	return status ? status : json_read_number_if(place, "sigma_um", 0.0, 1000.0, &out->sigma_um);
}

host_status reference_read(const char *path, scale_reference *out)
{
	json_t *root;
	memset(out, 0, sizeof *out);
	host_status status = json_file_read(path, &root);
	if (status)
		return status;
	status = read_spheres(path, root, out);
	json_decref(root);
	if (status)
		reference_free(out);
	return status;
}

void reference_free(scale_reference *r)
{
	free(r->centres_mm);
	memset(r, 0, sizeof *r);
}

/* ---- the gain ---- */

/* Spheres that are known: where they were found and where they are on the object. */
typedef struct matched {
	size_t count;
	const sphere_fit **fits;
	const double **known;
	double *gradients, *places; /* of the gain, by each place */
} matched;

/* How far two spheres are apart as they were found, and as they are. */
static void distances_of(const matched *m, size_t a, size_t b, double *out_is, double *out_should)
{
	double is = 0.0, should = 0.0;
	for (int i = 0; i < 3; i++) {
		is += pow(m->fits[a]->centre_mm[i] - m->fits[b]->centre_mm[i], 2);
		should += pow(m->known[a][i] - m->known[b][i], 2);
	}
	*out_is = sqrt(is);
	*out_should = sqrt(should);
}

/* Distances as a straight line through zero: the gain, and its gradient. */
static void fit_gain(const matched *m, scale_facts *out)
{
	double product = 0.0, square = 0.0, rest = 0.0, is, should;
	const double pairs = 0.5 * (double)m->count * (double)(m->count - 1);
	out->longest_mm = 0.0;
	memset(m->gradients, 0, 3 * m->count * sizeof *m->gradients);
	for (size_t a = 0; a < m->count; a++)
		for (size_t b = a + 1; b < m->count; b++) {
			distances_of(m, a, b, &is, &should);
			product += is * should;
			square += should * should;
			out->longest_mm = fmax(out->longest_mm, should);
		}
	for (size_t a = 0; a < m->count; a++)
		for (size_t b = a + 1; b < m->count; b++) {
			distances_of(m, a, b, &is, &should);
			rest += pow(is - product / square * should, 2);
			for (size_t i = 0; i < 3; i++) {
				const double along = (m->fits[a]->centre_mm[i] - m->fits[b]->centre_mm[i]) / is * should / square;
				m->gradients[3 * a + i] += along;
				m->gradients[3 * b + i] -= along;
			}
		}
	out->gain_percent = 100.0 * (product / square - 1.0);
	out->rms_um = 1e3 * sqrt(rest / pairs);
}

/* What the centres are uncertain by in themselves: as the distances differ from one another, which counts some of what poses are uncertain by twice. */
static double variance_of_centres(const matched *m, double rms_um, double sigma_um)
{
	double sum = 0.0;
	for (size_t i = 0; i < 3 * m->count; i++)
		sum += m->gradients[i] * m->gradients[i];
	rms_um = fmax(rms_um, DISTANCES_DIFFER_UM);
	return 1e-6 * sum * (0.5 * rms_um * rms_um + sigma_um * sigma_um);
}

static double off_um(const matched *m, size_t a, size_t b, double gain_percent)
{
	double is, should;
	distances_of(m, a, b, &is, &should);
	return 1e3 * (is - (1.0 + 0.01 * gain_percent) * should);
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Takes out spheres that are off all others by more than OFF_MOST times what is usual: they were fitted to something else besides. False where
 * there are none. */
static bool leave_out(matched *m, double gain_percent, double *scratch)
{
	double *off = scratch, *sorted = scratch + m->count;
	size_t kept = 0;
	for (size_t a = 0; a < m->count; a++) {
		off[a] = 0.0;
		for (size_t b = 0; b < m->count; b++)
			off[a] += b != a ? pow(off_um(m, a, b, gain_percent), 2) : 0.0;
		sorted[a] = off[a] = sqrt(off[a] / (double)m->count);
	}
	qsort(sorted, m->count, sizeof *sorted, by_size);
	const double most = OFF_MOST * sorted[m->count / 2];
	for (size_t a = 0; a < m->count; a++)
		if (off[a] <= most) {
			m->fits[kept] = m->fits[a];
			m->known[kept++] = m->known[a];
		}
	const bool any = kept < m->count;
	m->count = kept;
	return any;
}

static host_status measure(const enm_session *session, double sigma_um, matched *m, scale_facts *out)
{
	double variance;
	do
		fit_gain(m, out);
	while (m->count > 3 && leave_out(m, out->gain_percent, m->places));
	out->matched = m->count;
	for (size_t i = 0; i < 3 * m->count; i++)
		m->places[i] = m->fits[i / 3]->top_mm[i % 3];
	const enm_quantity gain = {m->places, m->gradients, m->count};
	const enm_result result = enm_session_covariance(session, ENM_PIN_WHOLE, &gain, 1, &variance, NULL);
	if (result == ENM_EMPTY)
		return host_fail(HOST_DATA, "--scale-reference: a sphere was seen by no frame that was compared");
	if (result != ENM_OK)
		return host_fail_result(result, enm_last_error());
	out->sigma_percent = hypot(100.0 * sqrt(fmax(variance, 0.0) + variance_of_centres(m, out->rms_um, sigma_um)), METHOD_PERCENT);
	if (!(fabs(out->gain_percent) < 100.0 * GAIN_MAX))
		return host_fail(HOST_DATA, "--scale-reference: distances are %+.2f %% off, which is no gain: is it another object, or in another unit?",
			out->gain_percent);
	out->done = true;
	return HOST_OK;
}

host_status reference_measure(const scale_reference *r, const enm_session *session, const enm_mesh_data *mesh, scale_facts *out)
{
	sphere_fit *fits = NULL;
	matched m = {0};
	host_status status = spheres_find(mesh, r->radius_mm, &fits, &out->found);
	size_t *known = malloc((out->found + 1) * sizeof *known);
	m.fits = malloc((out->found + 1) * sizeof *m.fits);
	m.known = malloc((out->found + 1) * sizeof *m.known);
	m.gradients = calloc(6 * (out->found + 1), sizeof *m.gradients);
	m.places = m.gradients + 3 * out->found;
	if (!status && (!known || !m.fits || !m.known || !m.gradients))
		status = host_fail_memory("the scale reference");
	if (!status)
		out->matched = spheres_match(fits, out->found, (const double(*)[3])r->centres_mm, r->count, known);
	if (!status && !out->matched)
		status = host_fail(HOST_DATA, "--scale-reference: of %zu spheres of %g mm radius in the model no %d are placed as on the object", out->found,
			r->radius_mm, r->count > 2 ? 3 : 2);
	for (size_t i = 0; i < out->found && !status; i++)
		if (known[i] != SIZE_MAX) {
			m.fits[m.count] = &fits[i];
			m.known[m.count++] = r->centres_mm[known[i]];
		}
	if (!status)
		status = measure(session, r->sigma_um, &m, out);
	free(fits);
	free(known);
	free(m.fits);
	free(m.known);
	free(m.gradients);
	return status;
}

json_t *reference_json(const scale_facts *f, bool *ok)
{
	json_t *root = json_object();
	json_put(root, "spheres_found", json_integer((json_int_t)f->found), ok);
	json_put(root, "spheres_matched", json_integer((json_int_t)f->matched), ok);
	json_put(root, "gain_percent", json_finite(f->done ? f->gain_percent : (double)NAN), ok);
	json_put(root, "sigma_percent", json_finite(f->done ? f->sigma_percent : (double)NAN), ok);
	json_put(root, "rms_um", json_finite(f->done ? f->rms_um : (double)NAN), ok);
	json_put(root, "longest_mm", json_finite(f->longest_mm), ok);
	return root;
}
