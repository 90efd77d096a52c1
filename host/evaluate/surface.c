/* SPDX-License-Identifier: Apache-2.0 */
#include "surface.h"

#include <embree3/rtcore.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void surface_vertex(const surface *s, size_t vertex, double out[3])
{
	for (size_t i = 0; i < 3; i++)
		out[i] = (double)s->data.positions_mm[3 * vertex + i];
}

static void corners_of(const surface *s, size_t triangle, double out[3][3])
{
	for (size_t c = 0; c < 3; c++)
		surface_vertex(s, s->data.triangles[3 * triangle + c], out[c]);
}

/* Area vector: along the normal, as long as twice the area. */
static void area_vector(double p[3][3], double out[3])
{
	double a[3], b[3];
	vec_sub(p[1], p[0], a);
	vec_sub(p[2], p[0], b);
	vec_cross(a, b, out);
}

static void normalise(double v[3])
{
	const double length = vec_length(v);
	for (int i = 0; i < 3; i++)
		v[i] = length > 0 ? v[i] / length : 0;
}

/* Weighting by the angle at the corner makes the sign of a distance right at edges and corners (Baerentzen, Aanaes). */
static void gather_normals(surface *s)
{
	for (size_t t = 0; t < s->data.triangle_count; t++) {
		double p[3][3], n[3];
		corners_of(s, t, p);
		area_vector(p, n);
		normalise(n);
		for (size_t c = 0; c < 3; c++) {
			const size_t v = s->data.triangles[3 * t + c];
			double a[3], b[3], cross[3];
			vec_sub(p[(c + 1) % 3], p[c], a);
			vec_sub(p[(c + 2) % 3], p[c], b);
			vec_cross(a, b, cross);
			const double angle = atan2(vec_length(cross), vec_dot(a, b));
			for (int i = 0; i < 3; i++)
				s->normals[v][i] += angle * n[i];
			s->used_count += s->used[v] ? 0 : 1;
			s->used[v] = true;
		}
	}
	for (size_t v = 0; v < s->data.vertex_count; v++)
		normalise(s->normals[v]);
}

static void measure_box(surface *s)
{
	double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
	for (size_t v = 0; v < s->data.vertex_count; v++) {
		double p[3];
		surface_vertex(s, v, p);
		for (int i = 0; i < 3 && s->used[v]; i++) {
			low[i] = fmin(low[i], p[i]);
			high[i] = fmax(high[i], p[i]);
		}
	}
	for (int i = 0; i < 3; i++)
		s->centre[i] = 0.5 * (low[i] + high[i]);
	s->size_mm = vec_distance(low, high);
}

static bool build_scene(surface *s)
{
	RTCDevice device = rtcNewDevice(NULL);
	if (device == NULL)
		return false;
	s->device = device;
	RTCScene scene = rtcNewScene(device);
	s->scene = scene;
	rtcSetSceneFlags(scene, RTC_SCENE_FLAG_ROBUST);
	RTCGeometry geometry = rtcNewGeometry(device, RTC_GEOMETRY_TYPE_TRIANGLE);
	float *vertices = rtcSetNewGeometryBuffer(
		geometry, RTC_BUFFER_TYPE_VERTEX, 0, RTC_FORMAT_FLOAT3, 3 * sizeof(float), s->data.vertex_count);
	uint32_t *triangles = rtcSetNewGeometryBuffer(
		geometry, RTC_BUFFER_TYPE_INDEX, 0, RTC_FORMAT_UINT3, 3 * sizeof(uint32_t), s->data.triangle_count);
	const bool good = vertices != NULL && triangles != NULL;
	if (good) {
		memcpy(vertices, s->data.positions_mm, 3 * sizeof(float) * s->data.vertex_count);
		memcpy(triangles, s->data.triangles, 3 * sizeof(uint32_t) * s->data.triangle_count);
		rtcCommitGeometry(geometry);
		rtcAttachGeometry(scene, geometry);
		rtcCommitScene(scene);
	}
	rtcReleaseGeometry(geometry);
	return good && rtcGetDeviceError(device) == RTC_ERROR_NONE;
}

host_status surface_open(enm_mesh *mesh, const char *name, surface *out)
{
	*out = (surface){.mesh = mesh};
	host_status status = host_fail_result(enm_mesh_get(mesh, &out->data), enm_last_error());
	if (status == HOST_OK) {
		out->normals = calloc(out->data.vertex_count + 1, sizeof(*out->normals));
		out->used = calloc(out->data.vertex_count + 1, sizeof(*out->used));
		if (out->normals == NULL || out->used == NULL)
			status = host_fail_file(HOST_IO, name, "no memory for %zu vertices", out->data.vertex_count);
	}
	if (status == HOST_OK) {
		gather_normals(out);
		measure_box(out);
		if (!build_scene(out))
			status = host_fail_file(
				HOST_IO, name, "the ray caster cannot take %zu triangles", out->data.triangle_count);
	}
	if (status != HOST_OK)
		surface_close(out);
	return status;
}

void surface_close(surface *s)
{
	if (s->scene != NULL)
		rtcReleaseScene(s->scene);
	if (s->device != NULL)
		rtcReleaseDevice(s->device);
	free(s->normals);
	free(s->used);
	enm_mesh_destroy(&s->mesh);
	*s = (surface){0};
}

rigid surface_flat_frame(const surface *s)
{
	double middle[3] = {0}, c[9] = {0}, values[3], vectors[9];
	for (size_t v = 0; v < s->data.vertex_count; v++)
		for (size_t i = 0; s->used[v] && i < 3; i++)
			middle[i] += (double)s->data.positions_mm[3 * v + i] / (double)s->used_count;
	for (size_t v = 0; v < s->data.vertex_count; v++) {
		double d[3];
		if (!s->used[v])
			continue;
		surface_vertex(s, v, d);
		vec_sub(d, middle, d);
		for (int i = 0; i < 9; i++)
			c[i] += d[i / 3] * d[i % 3];
	}
	symmetric_eigen(3, c, values, vectors);
	const double z[3] = {vectors[0], vectors[3], vectors[6]}, x[3] = {vectors[2], vectors[5], vectors[8]};
	double y[3];
	vec_cross(z, x, y);
	rigid frame = {.t = {middle[0], middle[1], middle[2]}};
	for (int i = 0; i < 3; i++) {
		frame.r[3 * i] = x[i];
		frame.r[3 * i + 1] = y[i];
		frame.r[3 * i + 2] = z[i];
	}
	return frame;
}

/* ---- closest point ---------------------------------------------------------------------------------------------- */

static double clamp01(double x)
{
	return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Closest point of the edge from corner i to j as weights of the corners; gives the squared distance. */
static double closest_on_edge(double p[3][3], int i, int j, const double q[3], double w[3])
{
	double edge[3], to[3];
	vec_sub(p[j], p[i], edge);
	vec_sub(q, p[i], to);
	const double length2 = vec_dot(edge, edge);
	const double share = length2 > 0 ? clamp01(vec_dot(to, edge) / length2) : 0;
	w[0] = w[1] = w[2] = 0;
	w[i] = 1 - share;
	w[j] = share;
	double d2 = 0;
	for (int k = 0; k < 3; k++) {
		const double d = to[k] - share * edge[k];
		d2 += d * d;
	}
	return d2;
}

/* Weights of the triangle's point closest to q: its foot when that lies inside, else the best of the edges. */
static double closest_on_triangle(double p[3][3], const double q[3], double w[3])
{
	double n[3], to[3];
	area_vector(p, n);
	const double n2 = vec_dot(n, n);
	if (n2 > 0) {
		bool inside = true;
		for (int c = 0; c < 3; c++) {
			double edge[3], cross[3];
			vec_sub(p[(c + 2) % 3], p[(c + 1) % 3], edge);
			vec_sub(q, p[(c + 1) % 3], to);
			vec_cross(edge, to, cross);
			w[c] = vec_dot(cross, n) / n2;
			inside = inside && w[c] >= 0;
		}
		if (inside) {
			vec_sub(q, p[0], to);
			const double height = vec_dot(to, n);
			return height * height / n2;
		}
	}
	double best = INFINITY;
	for (int c = 0; c < 3; c++) {
		double edge_w[3];
		const double d2 = closest_on_edge(p, c, (c + 1) % 3, q, edge_w);
		if (d2 < best) {
			best = d2;
			memcpy(w, edge_w, sizeof(edge_w));
		}
	}
	return best;
}

#define FAR_SHARE 1.1

typedef struct closest_query {
	const surface *s;
	double p[3], best2, weights[3];
	double exact_mm; /* beyond, a point up to FAR_SHARE farther than the closest will do */
	uint32_t triangle;
} closest_query;

static bool visit_triangle(struct RTCPointQueryFunctionArguments *args)
{
	closest_query *q = args->userPtr;
	double corners[3][3], weights[3];
	corners_of(q->s, args->primID, corners);
	const double d2 = closest_on_triangle(corners, q->p, weights);
	if (!(d2 < q->best2))
		return false;
	q->best2 = d2;
	q->triangle = args->primID;
	memcpy(q->weights, weights, sizeof(weights));
	/* A little more than the distance, since the tree is in single precision. */
	const double distance = sqrt(d2), rough = distance / FAR_SHARE;
	const double wanted = distance <= q->exact_mm ? distance : rough > q->exact_mm ? rough : q->exact_mm;
	const double radius = wanted + 1e-6 * q->s->size_mm;
	if (radius < (double)args->query->radius) {
		args->query->radius = (float)radius;
		return true;
	}
	return false;
}

static bool query_closest(const surface *s, double radius_mm, closest_query *q, surface_hit *out)
{
	struct RTCPointQuery query = {.x = (float)q->p[0],
		.y = (float)q->p[1],
		.z = (float)q->p[2],
		.radius = isfinite(radius_mm) ? (float)(radius_mm + 1e-6 * s->size_mm) : FLT_MAX};
	struct RTCPointQueryContext context;
	rtcInitPointQueryContext(&context);
	rtcPointQuery(s->scene, &query, &context, visit_triangle, q);
	if (q->triangle == UINT32_MAX)
		return false;
	double corners[3][3];
	corners_of(s, q->triangle, corners);
	*out = (surface_hit){.distance_mm = sqrt(q->best2), .triangle = q->triangle};
	area_vector(corners, out->normal);
	normalise(out->normal);
	for (size_t c = 0; c < 3; c++)
		for (int i = 0; i < 3; i++) {
			out->point[i] += q->weights[c] * corners[c][i];
			out->smooth_normal[i] += q->weights[c] * s->normals[s->data.triangles[3 * q->triangle + c]][i];
		}
	return true;
}

bool surface_closest(const surface *s, const double p[3], double radius_mm, surface_hit *out)
{
	closest_query q = {.s = s,
		.p = {p[0], p[1], p[2]},
		.best2 = radius_mm * radius_mm,
		.exact_mm = INFINITY,
		.triangle = UINT32_MAX};
	return query_closest(s, radius_mm, &q, out);
}

bool surface_near(const surface *s, const double p[3], double exact_mm, surface_hit *out)
{
	closest_query q = {
		.s = s, .p = {p[0], p[1], p[2]}, .best2 = INFINITY, .exact_mm = exact_mm, .triangle = UINT32_MAX};
	return query_closest(s, INFINITY, &q, out);
}

/* ---- rays ------------------------------------------------------------------------------------------------------- */

static struct RTCRay ray_from(const double from[3], const double direction[3])
{
	return (struct RTCRay){.org_x = (float)from[0],
		.org_y = (float)from[1],
		.org_z = (float)from[2],
		.dir_x = (float)direction[0],
		.dir_y = (float)direction[1],
		.dir_z = (float)direction[2],
		.tfar = INFINITY,
		.mask = UINT32_MAX};
}

bool surface_blocks(const surface *s, const double from[3], const double to[3], double margin_mm)
{
	double direction[3];
	vec_sub(to, from, direction);
	const double length = vec_length(direction);
	if (!(length > 2 * margin_mm))
		return false;
	struct RTCRay ray = ray_from(from, direction);
	ray.tnear = (float)(margin_mm / length);
	ray.tfar = (float)(1 - margin_mm / length);
	struct RTCIntersectContext context;
	rtcInitIntersectContext(&context);
	rtcOccluded1(s->scene, &context, &ray);
	return ray.tfar < 0;
}

bool surface_cast(const surface *s, const double from[3], const double direction[3], uint32_t *out_triangle,
	double out_weights[3])
{
	struct RTCRayHit hit = {.ray = ray_from(from, direction), .hit = {.geomID = RTC_INVALID_GEOMETRY_ID}};
	struct RTCIntersectContext context;
	rtcInitIntersectContext(&context);
	rtcIntersect1(s->scene, &context, &hit);
	if (hit.hit.geomID == RTC_INVALID_GEOMETRY_ID)
		return false;
	*out_triangle = hit.hit.primID;
	out_weights[1] = (double)hit.hit.u;
	out_weights[2] = (double)hit.hit.v;
	out_weights[0] = 1 - out_weights[1] - out_weights[2];
	return true;
}
