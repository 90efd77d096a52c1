/* SPDX-License-Identifier: Apache-2.0 */
#include "refine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "json.h"
#include "progress.h"
#include "statistic.h"

const char *const refine_levels[] = {"low", "standard", "high", NULL};

#define TERMS CALIBRATION_TERMS

/* Bow, astigmatism and twist bend an arch: by some 60 um a um of bow. Three tilted passes tell them to half a um and better, a flat one does not. */
#define BENDING_TERMS 3
#define KNOWN_WELL_UM 0.8

/* What a scanner's gain is taken to be good for where nothing has told it. */
#define SCALE_ASSUMED_PERCENT 0.05

#define STATE_BYTES_MOST (256u << 20)

typedef struct refining {
	const volatile sig_atomic_t *stop;
	const char *state_path;
} refining;

static bool show_progress(void *user, const char *what, double done)
{
	const refining *r = user;
	progress_show("refining: %.0f %%, %s", 100.0 * done, what);
	return !*r->stop;
}

/* A state that cannot be written costs the way back into this refinement, and nothing else. */
static void write_state(void *user, const void *state, size_t bytes)
{
	refining *r = user;
	if (r->state_path && file_write(r->state_path, state, bytes)) {
		host_warn("%s; an interruption will begin anew", host_error_text());
		r->state_path = NULL;
	}
}

static enm_result run(enm_session *session, enm_refine_def *def, const char *state_path, refine_facts *facts)
{
	uint8_t *state = NULL;
	enm_result result = ENM_E_ARGUMENT;
	if (state_path && file_exists(state_path) && file_read(state_path, STATE_BYTES_MOST, &state, &def->state_bytes))
		host_warn("%s; the refinement begins anew", host_error_text());
	def->state = state;
	if (state)
		result = enm_session_refine(session, def, &facts->result);
	facts->gone_on = state && result != ENM_E_ARGUMENT;
	if (state && !facts->gone_on)
		host_warn("%s: %s; the refinement begins anew", state_path, enm_last_error());
	def->state = NULL;
	if (!facts->gone_on)
		result = enm_session_refine(session, def, &facts->result);
	free(state);
	return result;
}

host_status refine_scan(enm_session *session, const camera_file *camera, const char *state_path, const volatile sig_atomic_t *stop, refine_facts *facts)
{
	refining r = {stop, state_path};
	enm_refine_def def = enm_refine_def_default();
	if (facts->poses_only)
		def.prior_um = (enm_depth_residual){0};
	else
		calibration_prior(camera, &def);
	def.level = facts->level;
	def.on_progress = show_progress;
	def.on_state = state_path ? write_state : NULL;
	def.user = &r;
	const double begun_s = clock_s();
	enm_result result = run(session, &def, state_path, facts);
	facts->wall_s = clock_s() - begun_s;
	facts->done = result == ENM_OK;
	facts->nothing = result == ENM_EMPTY;
	facts->cancelled = result == ENM_CANCELLED;
	if (facts->nothing)
		host_warn("--refine: fewer than two frames see the same place: the scan stays as it was stitched");
	if (result == ENM_OK && !facts->poses_only)
		calibration_compare(camera, &def, &facts->result, &facts->calibration);
	return host_fail_result(result, enm_last_error());
}

/* ---- how sure it is ---- */

double refine_sigma_um(const rating_facts *r, size_t place)
{
	const double *c = r->places[place].covariance_um2;
	return sqrt(fmax(c[0] + c[4] + c[8], 0.0));
}

double refine_from_start_mm(const rating_facts *r, size_t i)
{
	const double *a = r->places[0].at_mm, *b = r->places[i].at_mm;
	return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

/* By distance from where the scan began. */
static void sort_places(rating_facts *r)
{
	for (size_t i = 2; i < r->count; i++)
		for (size_t k = i; k > 1 && refine_from_start_mm(r, k) < refine_from_start_mm(r, k - 1); k--) {
			const enm_place other = r->places[k];
			r->places[k] = r->places[k - 1];
			r->places[k - 1] = other;
		}
}

static host_status rate_surface(const enm_session *session, enm_mesh *mesh, rating_facts *r)
{
	enm_mesh_data data;
	samples of = {0};
	enm_result result = enm_session_rate_mesh(session, ENM_PIN_FIRST_30, mesh, r->places, REFINE_PLACES, &r->count);
	if (result == ENM_OK)
		result = enm_mesh_get(mesh, &data);
	host_status status = host_fail_result(result, enm_last_error());
	if (status || result == ENM_EMPTY)
		return status;
	for (size_t v = 0; v < data.vertex_count && !status; v++)
		status = samples_add(&of, (double)data.placed_sigma_um[v]);
	const quantiles q = samples_quantiles(&of);
	samples_free(&of);
	r->surface_um_median = q.median;
	r->surface_um_p95 = q.p95;
	sort_places(r);
	r->done = !status;
	return status;
}

host_status refine_rate(const enm_session *session, const camera_file *camera, const scale_reference *reference, enm_mesh *mesh, refine_facts *f)
{
	enm_mesh_data data;
	rating_facts *r = &f->rating;
	host_status status = HOST_OK;
	if (!f->done || !mesh)
		return HOST_OK;
	const double begun_s = clock_s();
	status = host_fail_result(enm_mesh_get(mesh, &data), enm_last_error());
	f->scale.wanted = reference != NULL;
	if (!status && reference)
		status = reference_measure(reference, session, &data, &f->scale);
	const double known = f->scale.done ? f->scale.sigma_percent : camera->kept.gain_sigma_percent;
	r->scale_referenced = known > 0.0;
	r->scale_sigma_percent = known > 0.0 ? known : SCALE_ASSUMED_PERCENT;
	const host_status rated = rate_surface(session, mesh, r);
	status = status ? status : rated;
	if (!status && f->distances.count)
		status = distances_measure(session, &f->distances);
	r->wall_s = clock_s() - begun_s;
	return status;
}

void refine_warning(const refine_facts *f, char *text, size_t size)
{
	char terms[128] = "";
	int count = 0;
	if (f->done && f->poses_only) {
		snprintf(text, size, "the depth readings' error was taken to be what the camera file says (--poses-only): nothing tells whether it bends the arch");
		return;
	}
	for (int i = 0; f->done && i < BENDING_TERMS; i++) {
		const double sigma = sqrt(f->result.covariance_um2[7 * i]);
		const size_t length = strlen(terms);
		if (sigma <= KNOWN_WELL_UM)
			continue;
		snprintf(terms + length, sizeof terms - length, "%s%s to +-%.1f um", count ? ", " : "", calibration_terms[i], sigma);
		count++;
	}
	text[0] = 0;
	if (count)
		snprintf(text, size, "of the depth readings' error %s known only so well: %s; tilt the wand over one quadrant to fix %s", count > 1 ? "these terms are" : "this term is",
			terms, count > 1 ? "them" : "it");
}

/* ---- what is said ---- */

static json_t *residual_json(const enm_refine_result *r, bool *ok)
{
	json_t *residual = json_object();
	for (int i = 0; i < TERMS; i++) {
		char name[32];
		json_t *term = json_object();
		snprintf(name, sizeof name, "%s_um", calibration_terms[i]);
		json_put(term, "value", json_finite(calibration_term_um(&r->residual, i)), ok);
		json_put(term, "sigma", json_finite(sqrt(r->covariance_um2[7 * i])), ok);
		json_put(term, "observed", json_boolean(r->observed[i]), ok);
		json_put(residual, name, term, ok);
	}
	return residual;
}

static json_t *rating_json(const rating_facts *r, bool *ok)
{
	json_t *root = json_object(), *places = json_array();
	for (size_t i = 0; i < r->count; i++) {
		json_t *place = json_object();
		json_put(place, "at_mm", json_numbers(r->places[i].at_mm, 3), ok);
		json_put(place, "from_start_mm", json_finite(refine_from_start_mm(r, i)), ok);
		json_put(place, "sigma_um", json_finite(refine_sigma_um(r, i)), ok);
		json_put(place, "frames", json_integer(r->places[i].frames), ok);
		*ok = !json_array_append_new(places, place) && *ok;
	}
	json_put(root, "places", places, ok);
	json_put(root, "surface_um_median", json_finite(r->surface_um_median), ok);
	json_put(root, "surface_um_p95", json_finite(r->surface_um_p95), ok);
	json_put(root, "scale_sigma_percent", json_finite(r->scale_sigma_percent), ok);
	json_put(root, "scale_referenced", json_boolean(r->scale_referenced), ok);
	json_put(root, "wall_s", json_finite(r->wall_s), ok);
	return root;
}

static void put_certainty(json_t *root, const refine_facts *f, bool *ok)
{
	char text[512];
	json_t *calibration = calibration_json(&f->calibration, ok);
	if (calibration)
		json_put(root, "calibration", calibration, ok);
	refine_warning(f, text, sizeof text);
	json_put(root, "warning", json_foreign(text), ok);
	if (f->scale.wanted)
		json_put(root, "scale_reference", reference_json(&f->scale, ok), ok);
	if (f->rating.done)
		json_put(root, "certainty", rating_json(&f->rating, ok), ok);
	if (f->distances.covariance_mm2)
		json_put(root, "distances", distances_json(&f->distances, f->rating.scale_sigma_percent, ok), ok);
}

json_t *refine_json(const refine_facts *f, bool *ok)
{
	const enm_refine_result *r = &f->result;
	json_t *root = json_object();
	json_put(root, "level", json_string(refine_levels[f->level]), ok);
	json_put(root, "poses_only", json_boolean(f->poses_only), ok);
	json_put(root, "outcome",
		json_string(f->done        ? "refined"
			    : f->cancelled ? "cancelled"
			    : f->nothing   ? "nothing to compare"
			    : f->interrupted ? "interrupted"
					   : "failed"),
		ok);
	json_put(root, "wall_s", json_finite(f->wall_s), ok);
	json_put(root, "gone_on", json_boolean(f->gone_on), ok);
	if (!f->done)
		return root;
	json_put(root, "residual", residual_json(r, ok), ok);
	json_t *covariance = json_array();
	for (size_t i = 0; i < TERMS * TERMS; i++)
		*ok = !json_array_append_new(covariance, json_finite(r->covariance_um2[i])) && *ok;
	json_put(root, "covariance_um2", covariance, ok);
	json_put(root, "frames", json_integer((json_int_t)r->frames), ok);
	json_put(root, "frames_compared", json_integer((json_int_t)r->frames_compared), ok);
	json_put(root, "frames_left_out", json_integer((json_int_t)r->frames_left_out), ok);
	json_put(root, "frames_not_kept", json_integer((json_int_t)r->frames_not_kept), ok);
	json_put(root, "pairs", json_integer(r->pairs), ok);
	json_put(root, "parts", json_integer(r->parts), ok);
	json_put(root, "rounds", json_integer(r->rounds), ok);
	json_put(root, "iterations", json_integer(r->iterations), ok);
	json_put(root, "misfit_before", json_finite(r->misfit_before), ok);
	json_put(root, "misfit_after", json_finite(r->misfit_after), ok);
	json_put(root, "inliers_before", json_finite((double)r->inliers_before), ok);
	json_put(root, "inliers_after", json_finite((double)r->inliers_after), ok);
	json_put(root, "seed", json_integer(r->seed), ok);
	json_put(root, "compare_s", json_finite(r->compare_s), ok);
	json_put(root, "solve_s", json_finite(r->solve_s), ok);
	json_put(root, "fuse_s", json_finite(r->fuse_s), ok);
	json_put(root, "device_bytes", json_integer((json_int_t)r->device_bytes), ok);
	put_certainty(root, f, ok);
	return root;
}

static void say_calibration(const refine_facts *f)
{
	char text[512];
	calibration_text(&f->calibration, text, sizeof text);
	if (*text && f->calibration.verdict != CALIBRATION_HOLDS)
		host_warn("%s", text);
	else if (*text)
		printf("%s\n", text);
	refine_warning(f, text, sizeof text);
	if (*text)
		host_warn("%s", text);
}

static void print_rating(const rating_facts *r)
{
	if (!r->done)
		return;
	printf("certain:  places to +- %.0f um where the scan began, +- %.0f um %.0f mm from there (3D, one sigma, held by the first 30 frames); scale to %.3g %%, %s\n",
		refine_sigma_um(r, 0), refine_sigma_um(r, r->count - 1), refine_from_start_mm(r, r->count - 1), r->scale_sigma_percent,
		r->scale_referenced ? "by a reference" : "which is assumed");
}

/* A few, the others are in the report. */
static void print_distances(const refine_facts *f)
{
	const distance_facts *d = &f->distances;
	if (!d->covariance_mm2)
		return;
	for (size_t a = 0, shown = 0; a < d->count; a++)
		for (size_t b = a + 1; b < d->count && shown < 10; b++, shown++) {
			double sigma;
			const double mm = distance_between(d, a, b, &sigma);
			printf("distance: %s to %s %.3f +- %.3f mm (95 %%)\n", d->points[a].name, d->points[b].name, mm,
				1.96e-3 * hypot(sigma, 10.0 * mm * f->rating.scale_sigma_percent));
		}
}

void refine_print(const refine_facts *f)
{
	const enm_refine_result *r = &f->result;
	if (!f->done)
		return;
	printf("refined:  %llu of %llu frames compared in %u pairs, %llu left out, %u part%s; misfit %.2f -> %.2f "
	       "sigma; %.1f s (%.1f comparing, "
	       "%.1f solving, %.1f fusing)\n",
		(unsigned long long)r->frames_compared, (unsigned long long)r->frames, r->pairs,
		(unsigned long long)r->frames_left_out, r->parts, r->parts == 1 ? "" : "s", r->misfit_before,
		r->misfit_after, f->wall_s, r->compare_s, r->solve_s, r->fuse_s);
	printf("residual:");
	for (int i = 0; i < TERMS; i++)
		printf(" %s %.2f +- %.2f", calibration_terms[i], calibration_term_um(&r->residual, i), sqrt(r->covariance_um2[7 * i]));
	printf(" um\n");
	say_calibration(f);
	if (f->scale.done)
		printf("scale:    %zu spheres: depth readings are %.4f +- %.4f %% too long\n", f->scale.matched, f->scale.gain_percent, f->scale.sigma_percent);
	print_rating(&f->rating);
	print_distances(f);
}
