/* SPDX-License-Identifier: Apache-2.0 */
#include "score.h"

#include "parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- trueness --------------------------------------------------------------------------------------------------- */

typedef struct scoring {
	const surface *recon, *truth;
	rigid truth_from_recon;
	float *signed_mm;
} scoring;

static void score_vertices(void *user, size_t first, size_t last)
{
	scoring *s = user;
	for (size_t v = first; v < last; v++) {
		double p[3], moved[3], d[3];
		surface_hit hit;
		s->signed_mm[v] = NAN;
		if (!s->recon->used[v])
			continue;
		surface_vertex(s->recon, v, p);
		rigid_point(&s->truth_from_recon, p, moved);
		s->signed_mm[v] = INFINITY;
		if (!surface_near(s->truth, moved, SCORE_DISTANCE_MAX_MM, &hit))
			continue;
		vec_sub(moved, hit.point, d);
		s->signed_mm[v] = (float)copysign(hit.distance_mm, vec_dot(d, hit.smooth_normal));
	}
}

static void summarise(const scoring *s, double *distances, trueness *out)
{
	size_t count = 0, over = 0;
	double sum = 0;
	for (size_t v = 0; v < s->recon->data.vertex_count; v++) {
		const double d = (double)s->signed_mm[v];
		if (isnan(d))
			continue;
		over += fabs(d) > SCORE_DISTANCE_MAX_MM ? 1 : 0;
		distances[count] = fmin(fabs(d), SCORE_DISTANCE_MAX_MM);
		sum += copysign(distances[count++], d);
	}
	*out = (trueness){.distance_mm = stats_of(distances, count), .truth_from_recon = s->truth_from_recon};
	if (count > 0) {
		out->bias_mm = sum / (double)count;
		out->over_max_share = (double)over / (double)count;
	}
}

host_status score_trueness(
	const surface *recon, const surface *truth, const rigid *truth_from_recon, float *out_signed_mm, trueness *out)
{
	const size_t count = recon->data.vertex_count;
	scoring s = {.recon = recon, .truth = truth, .truth_from_recon = *truth_from_recon, .signed_mm = out_signed_mm};
	float *own = out_signed_mm == NULL ? malloc((count + 1) * sizeof(float)) : NULL;
	double *distances = malloc((count + 1) * sizeof(double));
	if (s.signed_mm == NULL)
		s.signed_mm = own;
	host_status status = HOST_OK;
	if (s.signed_mm == NULL || distances == NULL) {
		status = host_fail_memory("the distances");
	} else {
		parallel_for(count, score_vertices, &s);
		summarise(&s, distances, out);
	}
	free(own);
	free(distances);
	return status;
}

/* ---- samples ---------------------------------------------------------------------------------------------------- */

static double triangle_area(const surface *s, size_t triangle, double out_corners[3][3], double out_normal[3])
{
	double a[3], b[3];
	for (size_t c = 0; c < 3; c++)
		surface_vertex(s, s->data.triangles[3 * triangle + c], out_corners[c]);
	vec_sub(out_corners[1], out_corners[0], a);
	vec_sub(out_corners[2], out_corners[0], b);
	vec_cross(a, b, out_normal);
	const double length = vec_length(out_normal);
	for (int i = 0; i < 3; i++)
		out_normal[i] = length > 0 ? out_normal[i] / length : 0;
	return 0.5 * length;
}

/* Every count-th part of the area gives one sample; where in its triangle, a sequence of low discrepancy says (Roberts'
 * R2, folded into the triangle). */
static void spread(const surface *truth, double area, samples *s)
{
	const double step = area / (double)s->count;
	double passed = 0;
	size_t k = 0;
	for (size_t t = 0; t < truth->data.triangle_count && k < s->count; t++) {
		double p[3][3], n[3];
		passed += triangle_area(truth, t, p, n);
		for (; k < s->count && ((double)k + 0.5) * step < passed; k++) {
			double u = fmod((double)k * 0.7548776662466927, 1), v = fmod((double)k * 0.5698402909980532, 1);
			if (u + v > 1) {
				u = 1 - u;
				v = 1 - v;
			}
			for (int i = 0; i < 3; i++)
				s->points[k][i] = (1 - u - v) * p[0][i] + u * p[1][i] + v * p[2][i];
			memcpy(s->normals[k], n, sizeof(n));
			s->seen[k] = true;
		}
	}
	s->count = s->seen_count = k;
}

host_status samples_create(const surface *truth, size_t count, samples *out)
{
	double area = 0, p[3][3], n[3];
	for (size_t t = 0; t < truth->data.triangle_count; t++)
		area += triangle_area(truth, t, p, n);
	*out = (samples){.count = count};
	out->points = malloc(count * sizeof(*out->points));
	out->normals = malloc(count * sizeof(*out->normals));
	out->seen = malloc(count * sizeof(*out->seen));
	if (out->points == NULL || out->normals == NULL || out->seen == NULL) {
		samples_destroy(out);
		return host_fail_memory("points of the truth");
	}
	spread(truth, area, out);
	return HOST_OK;
}

void samples_destroy(samples *s)
{
	free(s->points);
	free(s->normals);
	free(s->seen);
	*s = (samples){0};
}

/* ---- what was seen ---------------------------------------------------------------------------------------------- */

typedef struct look {
	samples *samples;
	const surface *truth;
	const viewing *view;
	rigid *camera_from_world; /* of the frames used, in an order that jumps about */
	double (*eye)[3];
	size_t frame_count;
} look;

/* OpenCV's lens model, from normalised coordinates to pixels. */
static bool in_picture(const enm_camera *c, double x, double y)
{
	const double *k = c->distortion;
	const double r2 = x * x + y * y;
	const double radial = 1 + r2 * (k[0] + r2 * (k[1] + r2 * k[4]));
	const double u = c->fx * (x * radial + 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x)) + c->cx;
	const double v = c->fy * (y * radial + k[2] * (r2 + 2 * y * y) + 2 * k[3] * x * y) + c->cy;
	return u >= -0.5 && v >= -0.5 && u < c->width - 0.5 && v < c->height - 0.5;
}

static bool frame_sees(const look *l, size_t frame, size_t sample)
{
	const double *p = l->samples->points[sample];
	double q[3], ray[3];
	rigid_point(&l->camera_from_world[frame], p, q);
	if (!(q[2] >= l->view->depth_min_mm && q[2] <= l->view->depth_max_mm))
		return false;
	if (!in_picture(&l->view->camera, q[0] / q[2], q[1] / q[2]))
		return false;
	vec_sub(l->eye[frame], p, ray);
	if (!(fabs(vec_dot(ray, l->samples->normals[sample])) > SEEN_COSINE_MIN * vec_length(ray)))
		return false;
	return !surface_blocks(l->truth, p, l->eye[frame], 1e-4 * l->truth->size_mm);
}

static void look_at_samples(void *user, size_t first, size_t last)
{
	look *l = user;
	for (size_t i = first; i < last; i++) {
		int frames = 0;
		for (size_t f = 0; f < l->frame_count && frames < SEEN_FRAMES_MIN; f++)
			frames += frame_sees(l, f, i) ? 1 : 0;
		l->samples->seen[i] = frames >= SEEN_FRAMES_MIN;
	}
}

/* Orders the frames by steps of the golden section, so that a point meets three that see it soon. */
static void order_frames(look *l)
{
	const size_t n = l->view->frame_count;
	const size_t used = l->frame_count;
	size_t stride = (size_t)(0.618 * (double)used) | 1;
	for (size_t a = stride, b = used; b != 0;) { /* coprime to `used` */
		const size_t rest = a % b;
		a = b;
		b = rest;
		if (b == 0 && a != 1) {
			a = stride += 2;
			b = used;
		}
	}
	for (size_t k = 0; k < used; k++) {
		const size_t place = (size_t)((uint64_t)k * stride % used);
		const rigid *pose = &l->view->world_from_camera[(uint64_t)place * n / used];
		l->camera_from_world[k] = rigid_inverse(pose);
		memcpy(l->eye[k], pose->t, sizeof(pose->t));
	}
}

host_status samples_mark_seen(samples *s, const surface *truth, const viewing *v, size_t *out_frames_used)
{
	look l = {.samples = s, .truth = truth, .view = v, .frame_count = v->frame_count};
	if (l.frame_count > SEEN_FRAMES_USED_MAX)
		l.frame_count = SEEN_FRAMES_USED_MAX;
	l.camera_from_world = malloc((l.frame_count + 1) * sizeof(rigid));
	l.eye = malloc((l.frame_count + 1) * sizeof(*l.eye));
	host_status status = HOST_OK;
	if (l.camera_from_world == NULL || l.eye == NULL) {
		status = host_fail_memory("the true frames");
	} else {
		if (l.frame_count > 0)
			order_frames(&l);
		parallel_for(s->count, look_at_samples, &l);
		s->seen_count = 0;
		for (size_t i = 0; i < s->count; i++)
			s->seen_count += s->seen[i] ? 1 : 0;
		*out_frames_used = l.frame_count;
	}
	free(l.camera_from_world);
	free(l.eye);
	return status;
}

/* ---- completeness ----------------------------------------------------------------------------------------------- */

typedef struct covering {
	const samples *samples;
	const surface *recon;
	rigid recon_from_truth;
	uint8_t *level; /* per sample: 0 neither, 1 within 100 um, 2 within 50 um */
} covering;

static void cover_samples(void *user, size_t first, size_t last)
{
	covering *c = user;
	for (size_t i = first; i < last; i++) {
		double p[3];
		surface_hit hit;
		c->level[i] = 0;
		if (!c->samples->seen[i])
			continue;
		rigid_point(&c->recon_from_truth, c->samples->points[i], p);
		/* A nanometre more, so that the last digit does not decide. */
		if (surface_closest(c->recon, p, 0.1 + 1e-6, &hit))
			c->level[i] = hit.distance_mm <= 0.05 + 1e-6 ? 2 : 1;
	}
}

host_status score_completeness(const samples *s, const surface *recon, const rigid *truth_from_recon, completeness *out)
{
	*out = (completeness){0};
	covering c = {.samples = s, .recon = recon, .recon_from_truth = rigid_inverse(truth_from_recon)};
	c.level = malloc(s->count + 1);
	if (c.level == NULL)
		return host_fail_memory("the completeness");
	parallel_for(s->count, cover_samples, &c);
	size_t within_50 = 0, within_100 = 0;
	for (size_t i = 0; i < s->count; i++) {
		within_50 += c.level[i] == 2 ? 1 : 0;
		within_100 += c.level[i] >= 1 ? 1 : 0;
	}
	if (s->seen_count > 0) {
		out->share_50um = (double)within_50 / (double)s->seen_count;
		out->share_100um = (double)within_100 / (double)s->seen_count;
	}
	free(c.level);
	return HOST_OK;
}
