/* SPDX-License-Identifier: Apache-2.0 */
#include "calibration.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"

#define TERMS CALIBRATION_TERMS

/* A scanner warms up, is dropped, is cleaned: what each term may change by between two scans, beyond what is told. */
#define BETWEEN_SESSIONS_UM 0.5

/* A term that is off by so much, and by so many sigmas, has not drifted there. */
#define FOREIGN_UM 10.0
#define FOREIGN_SIGMAS 10.0

/* That chance exceeds once in a thousand, by the number of terms. */
static const double limits[TERMS + 1] = {0.0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46};
#define SIGMAS_WORTH_A_WORD 2.5

const char *const calibration_terms[TERMS] = {"bow", "astigmatism", "twist", "tilt_x", "tilt_y", "constant"};

double calibration_term_um(const enm_depth_residual *r, int term)
{
	const float all[] = {r->bow_um, r->astigmatism_um, r->twist_um, r->tilt_x_um, r->tilt_y_um, r->constant_um};
	return (double)all[term];
}

static void put_terms(enm_depth_residual *out, const double *um)
{
	*out = (enm_depth_residual){(float)um[0], (float)um[1], (float)um[2], (float)um[3], (float)um[4], (float)um[5]};
}

void calibration_prior(const camera_file *file, enm_refine_def *def)
{
	for (int i = 0; i < TERMS * TERMS && file->kept.known; i++)
		def->prior_covariance_um2[i] = file->kept.covariance_um2[i] + (i % 7 == 0 ? BETWEEN_SESSIONS_UM * BETWEEN_SESSIONS_UM : 0.0);
}

/* ---- small matrices, n x n ---- */

/* Gauss and Jordan, for matrices that are symmetric and positive. */
static bool invert(int n, const double *matrix, double *out)
{
	double m[TERMS * TERMS];
	memcpy(m, matrix, (size_t)(n * n) * sizeof *m);
	for (int i = 0; i < n * n; i++)
		out[i] = i % (n + 1) == 0;
	for (int i = 0; i < n; i++) {
		const double pivot = m[i * n + i];
		if (!(fabs(pivot) > 0.0))
			return false;
		for (int j = 0; j < n; j++) {
			m[i * n + j] /= pivot;
			out[i * n + j] /= pivot;
		}
		for (int k = 0; k < n; k++) {
			const double factor = m[k * n + i];
			for (int j = 0; j < n && k != i; j++) {
				m[k * n + j] -= factor * m[i * n + j];
				out[k * n + j] -= factor * out[i * n + j];
			}
		}
	}
	return true;
}

static void multiply(const double *matrix, const double *x, double *out)
{
	for (int i = 0; i < TERMS; i++) {
		out[i] = 0.0;
		for (int j = 0; j < TERMS; j++)
			out[i] += matrix[TERMS * i + j] * x[j];
	}
}

/* ---- this scan against the file ---- */

/* Chi squared of the terms told, whose differences have this covariance. */
static double chi_squared(const calibration_check *check, const double *covariance, int *out_count)
{
	double part[TERMS * TERMS], inverse[TERMS * TERMS], off[TERMS], sum = 0.0;
	int of[TERMS], n = 0;
	for (int i = 0; i < TERMS; i++)
		if (check->told[i])
			of[n++] = i;
	for (int i = 0; i < n; i++) {
		off[i] = check->drift_um[of[i]];
		for (int j = 0; j < n; j++)
			part[i * n + j] = covariance[TERMS * of[i] + of[j]];
	}
	*out_count = n;
	if (n == 0 || !invert(n, part, inverse))
		return 0.0;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			sum += off[i] * inverse[i * n + j] * off[j];
	return sum;
}

void calibration_compare(const camera_file *file, const enm_refine_def *def, const enm_refine_result *found, calibration_check *out)
{
	const double *prior = def->prior_covariance_um2;
	double before[TERMS * TERMS], after[TERMS * TERMS], own[TERMS * TERMS], alone[TERMS * TERMS], moved[TERMS], pull[TERMS];
	memset(out, 0, sizeof *out);
	if (!file->kept.known || !invert(TERMS, prior, before) || !invert(TERMS, found->covariance_um2, after))
		return;
	for (int i = 0; i < TERMS; i++)
		moved[i] = calibration_term_um(&found->residual, i) - calibration_term_um(&file->camera.residual, i);
	/* the scan's own information is what has come to that of before; where there is none, a millimetre is as good as any */
	for (int i = 0; i < TERMS * TERMS; i++)
		own[i] = after[i] - before[i] + (i % 7 == 0 ? 1e-6 : 0.0);
	multiply(after, moved, pull);
	if (!invert(TERMS, own, alone))
		return;
	multiply(alone, pull, out->drift_um);
	const enm_refine_def usual = enm_refine_def_default();
	bool foreign = false;
	for (int i = 0; i < TERMS; i++) {
		const double variance = alone[7 * i];
		out->told[i] = variance > 0.0 && sqrt(variance) < 0.5 * calibration_term_um(&usual.prior_um, i);
		out->drift_sigma[i] = out->told[i] ? out->drift_um[i] / sqrt(variance + prior[7 * i]) : 0.0;
		out->drift_um[i] = out->told[i] ? out->drift_um[i] : 0.0;
		foreign = foreign || (fabs(out->drift_um[i]) > FOREIGN_UM && fabs(out->drift_sigma[i]) > FOREIGN_SIGMAS);
	}
	for (int i = 0; i < TERMS * TERMS; i++)
		alone[i] += prior[i];
	int count;
	out->chi_squared = chi_squared(out, alone, &count);
	out->limit = limits[count];
	out->verdict = count == 0                      ? CALIBRATION_NONE
		       : foreign                       ? CALIBRATION_FOREIGN
		       : out->chi_squared > out->limit ? CALIBRATION_DRIFTED
						       : CALIBRATION_HOLDS;
}

/* The terms that are off, the most of them first being no concern; at least the one that is off most. */
static void list_drifts(const calibration_check *c, char *text, size_t size)
{
	int worst = 0;
	for (int i = 1; i < TERMS; i++)
		worst = fabs(c->drift_sigma[i]) > fabs(c->drift_sigma[worst]) ? i : worst;
	for (int i = 0; i < TERMS; i++) {
		const size_t length = strlen(text);
		if (i == worst || fabs(c->drift_sigma[i]) > SIGMAS_WORTH_A_WORD)
			snprintf(text + length, size - length, "%s%s %+.1f um (%.1f sigma)", length ? ", " : "", calibration_terms[i], c->drift_um[i],
				fabs(c->drift_sigma[i]));
	}
}

void calibration_text(const calibration_check *c, char *text, size_t size)
{
	char drifts[256] = "";
	text[0] = 0;
	list_drifts(c, drifts, sizeof drifts);
	if (c->verdict == CALIBRATION_HOLDS)
		snprintf(text, size, "calibration holds: chi squared %.1f of %.1f", c->chi_squared, c->limit);
	else if (c->verdict == CALIBRATION_DRIFTED)
		snprintf(text, size, "calibration drifted by %s", drifts);
	else if (c->verdict == CALIBRATION_FOREIGN)
		snprintf(text, size, "the camera file's residual is not this scanner's, or is wrong: off by %s; refine without it", drifts);
}

json_t *calibration_json(const calibration_check *c, bool *ok)
{
	static const char *const verdicts[] = {"none", "holds", "drifted", "not this scanner's"};
	if (c->verdict == CALIBRATION_NONE)
		return NULL;
	json_t *root = json_object(), *drifts = json_object();
	for (int i = 0; i < TERMS; i++) {
		char name[32];
		if (!c->told[i])
			continue;
		json_t *drift = json_object();
		snprintf(name, sizeof name, "%s_um", calibration_terms[i]);
		json_put(drift, "value", json_finite(c->drift_um[i]), ok);
		json_put(drift, "sigmas", json_finite(fabs(c->drift_sigma[i])), ok);
		json_put(drifts, name, drift, ok);
	}
	json_put(root, "verdict", json_string(verdicts[c->verdict]), ok);
	json_put(root, "chi_squared", json_finite(c->chi_squared), ok);
	json_put(root, "limit", json_finite(c->limit), ok);
	json_put(root, "drift", drifts, ok);
	return root;
}

/* ---- keeping it ---- */

host_status calibration_keep(const char *path, const camera_file *camera, const enm_refine_result *found, double gain_percent, double gain_sigma_percent)
{
	camera_file kept = *camera;
	double um[TERMS];
	for (int i = 0; i < TERMS; i++) {
		um[i] = calibration_term_um(&found->residual, i);
		if (!isfinite(um[i]))
			return host_fail_file(HOST_DATA, path, "depth_residual: %s_um is not finite: not written", calibration_terms[i]);
	}
	const time_t now = time(NULL);
	struct tm utc;
	put_terms(&kept.camera.residual, um);
	kept.kept.known = true;
	memcpy(kept.kept.covariance_um2, found->covariance_um2, sizeof kept.kept.covariance_um2);
	kept.kept.frames = (int64_t)found->frames_compared;
	if (!gmtime_r(&now, &utc) || !strftime(kept.kept.date, sizeof kept.kept.date, "%Y-%m-%dT%H:%M:%SZ", &utc))
		kept.kept.date[0] = 0;
	if (gain_sigma_percent > 0.0) {
		/* a reading that is too long by the gain has so many units more to the millimetre */
		kept.depth_scale *= 1.0 + 0.01 * gain_percent;
		kept.kept.gain_percent = 100.0 * ((1.0 + 0.01 * camera->kept.gain_percent) * (1.0 + 0.01 * gain_percent) - 1.0);
		kept.kept.gain_sigma_percent = gain_sigma_percent;
	}
	return camera_write(path, &kept);
}
