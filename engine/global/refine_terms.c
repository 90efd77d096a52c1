/* SPDX-License-Identifier: Apache-2.0
 * What is known of the residual's terms before a refinement, and what is kept of it afterwards. */
#include "global/refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "global/refine_matrix.h"

/* Readings that stand for one that owes nothing to its neighbours: a window of the fit. */
#define READINGS_ALIKE 49.0

static void list_terms(const enm_depth_residual *r, double *out)
{
	const float terms[] = {r->bow_um, r->astigmatism_um, r->twist_um, r->tilt_x_um, r->tilt_y_um, r->constant_um};
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++)
		out[i] = (double)terms[i];
}

enm_result refine_choose_prior(refine_run *run)
{
	const double *full = run->def->prior_covariance_um2;
	double sigma[ENM_K_RESIDUAL_TERMS], weight[36];
	bool any = false;
	list_terms(&run->def->prior_um, sigma);
	for (int i = 0; i < 36; i++)
		any = any || full[i] != 0.0;
	for (int i = 0; i < 36; i++) {
		const double sigma_mm = i % 7 == 0 ? fmax(1e-3 * sigma[i / 7], 1e-9) : 0.0;
		run->prior[i] = any ? 1e-6 * full[i] : sigma_mm * sigma_mm;
		if (!isfinite(full[i]) || fabs(full[i]) > 1e6)
			return error_set(ENM_E_ARGUMENT, "prior_covariance_um2: row %d, column %d is not in -1e6 to 1e6", i / 6, i % 6);
		if (fabs(full[i] - full[6 * (i % 6) + i / 6]) > 1e-9 * (fabs(full[i]) + 1e-9))
			return error_set(ENM_E_ARGUMENT, "prior_covariance_um2: not symmetric in row %d, column %d", i / 6, i % 6);
	}
	if (!matrix_invert(6, run->prior, weight))
		return error_set(ENM_E_ARGUMENT, "prior_covariance_um2: not positive");
	return ENM_OK;
}

void refine_set_prior(const refine_run *run, const solve_system *system, solve_prior *out)
{
	const enm_session *s = run->session;
	double known[ENM_K_RESIDUAL_TERMS];
	list_terms(&s->def.camera.residual, known);
	(void)matrix_invert(6, run->prior, out->weight); /* it has one: refine_choose_prior */
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++)
		out->off_mm[i] = run->residual_mm[i] - 1e-3 * known[i];
	/* A frame has so many readings that owe nothing to one another, and no more, however often it is compared; and
	 * what they differ by may be more than noise. */
	const double readings = 0.6 * s->def.camera.width * s->def.camera.height / READINGS_ALIKE;
	const uint32_t nodes = refine_nodes_in(run);
	const double uses = nodes > 0 ? 2.0 * system->inliers / nodes : 0.0,
		     variance = system->inliers > 0.0 ? system->cost / system->inliers : 1.0;
	out->information = fmin(1.0, uses > 0.0 ? readings / uses : 1.0) / fmax(variance, 0.25);
}

enm_result refine_keep_known(refine_run *run, solve_system *system)
{
	certainty *k = run->known;
	k->poses = malloc(run->node_count * sizeof(*k->poses));
	k->frames = malloc(run->node_count * sizeof(*k->frames));
	k->joined = malloc(run->node_count * sizeof(*k->joined));
	if (k->poses == NULL || k->frames == NULL || k->joined == NULL)
		return error_set(ENM_E_MEMORY, "refinement: no host memory for %u frames", run->node_count);
	while (k->first + 1 < run->node_count && run->node[k->first].out)
		k->first++;
	for (uint32_t i = 0; i < run->node_count; i++) {
		k->poses[i] = run->node[i].pose;
		k->frames[i] = run->node[i].frame;
		k->joined[i] = !run->node[i].out && run->node[i].part == run->node[k->first].part;
	}
	k->system = *system;
	memset(system, 0, sizeof(*system));
	return ENM_OK;
}

void refine_tell_residual(const refine_run *run, enm_refine_result *out)
{
	float um[ENM_K_RESIDUAL_TERMS];
	for (int i = 0; i < ENM_K_RESIDUAL_TERMS; i++) {
		um[i] = (float)(1e3 * run->residual_mm[i]);
		out->observed[i] = out->covariance_um2[7 * i] < 0.25e6 * run->prior[7 * i];
	}
	out->residual = (enm_depth_residual){um[0], um[1], um[2], um[3], um[4], um[5]};
}
