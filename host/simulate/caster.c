/* SPDX-License-Identifier: Apache-2.0 */
#include "caster.h"

#include <embree3/rtcore.h>
#include <stdio.h>
#include <stdlib.h>

struct caster {
	const body *b;
	RTCDevice device;
	RTCScene scene;
};

static RTCGeometry triangles(RTCDevice device, const body *b)
{
	RTCGeometry geometry = rtcNewGeometry(device, RTC_GEOMETRY_TYPE_TRIANGLE);
	float *points = rtcSetNewGeometryBuffer(
		geometry, RTC_BUFFER_TYPE_VERTEX, 0, RTC_FORMAT_FLOAT3, 3 * sizeof(float), b->vertex_count);
	uint32_t *indices = rtcSetNewGeometryBuffer(
		geometry, RTC_BUFFER_TYPE_INDEX, 0, RTC_FORMAT_UINT3, 3 * sizeof(uint32_t), b->triangle_count);
	for (size_t i = 0; points && i < 3 * b->vertex_count; i++)
		points[i] = b->positions_mm[i];
	for (size_t i = 0; indices && i < 3 * b->triangle_count; i++)
		indices[i] = b->triangles[i];
	return geometry;
}

static RTCGeometry spheres(RTCDevice device, const body *b)
{
	RTCGeometry geometry = rtcNewGeometry(device, RTC_GEOMETRY_TYPE_SPHERE_POINT);
	float *out = rtcSetNewGeometryBuffer(
		geometry, RTC_BUFFER_TYPE_VERTEX, 0, RTC_FORMAT_FLOAT4, 4 * sizeof(float), b->sphere_count);
	for (size_t i = 0; out && i < 4 * b->sphere_count; i++)
		out[i] = b->spheres_mm[i];
	return geometry;
}

caster *caster_create(const body *b, char *out_error)
{
	caster *c = calloc(1, sizeof *c);
	if (!c) {
		snprintf(out_error, BODY_ERROR_BYTES, "ray caster: no memory");
		return NULL;
	}
	c->b = b;
	c->device = rtcNewDevice("threads=2");
	if (c->device) {
		RTCGeometry geometry = b->sphere_count ? spheres(c->device, b) : triangles(c->device, b);
		rtcCommitGeometry(geometry);
		c->scene = rtcNewScene(c->device);
		rtcSetSceneFlags(c->scene, RTC_SCENE_FLAG_ROBUST);
		rtcSetSceneBuildQuality(c->scene, RTC_BUILD_QUALITY_HIGH);
		rtcAttachGeometry(c->scene, geometry);
		rtcReleaseGeometry(geometry);
		rtcCommitScene(c->scene);
	}
	enum RTCError error = rtcGetDeviceError(c->device);
	if (!c->device || error != RTC_ERROR_NONE) {
		snprintf(out_error, BODY_ERROR_BYTES, "ray caster: Embree failed with error %d%s", (int)error,
			error == RTC_ERROR_OUT_OF_MEMORY ? " (no memory)" : "");
		caster_destroy(c);
		return NULL;
	}
	return c;
}

void caster_destroy(caster *c)
{
	if (!c)
		return;
	if (c->scene)
		rtcReleaseScene(c->scene);
	if (c->device)
		rtcReleaseDevice(c->device);
	free(c);
}

const body *caster_body(const caster *c)
{
	return c->b;
}

static struct RTCRay make_ray(v3 origin, v3 direction, double t_min, double t_max)
{
	return (struct RTCRay){.org_x = (float)origin.x,
		.org_y = (float)origin.y,
		.org_z = (float)origin.z,
		.dir_x = (float)direction.x,
		.dir_y = (float)direction.y,
		.dir_z = (float)direction.z,
		.tnear = (float)t_min,
		.tfar = (float)t_max,
		.mask = UINT32_MAX};
}

/* Solves the ray against the one sphere that Embree named. */
static void solve_sphere(const caster *c, uint32_t index, v3 origin, v3 direction, caster_hit *out)
{
	const float *s = c->b->spheres_mm + 4 * (size_t)index;
	v3 to = v3_sub(origin, v3_make((double)s[0], (double)s[1], (double)s[2]));
	double a = v3_dot(direction, direction), half = v3_dot(to, direction);
	double k = v3_dot(to, to) - (double)s[3] * (double)s[3], root = half * half - a * k;
	if (root > 0) /* a ray that only just touches keeps Embree's answer */
		out->t = (-half - sqrt(root)) / a;
	out->normal = v3_unit(v3_mad(to, direction, out->t));
	out->smooth = out->normal;
	out->hollow_mm = 0;
	for (int i = 0; i < 3; i++)
		out->rgb[i] = 208;
}

static void interpolate(const caster *c, const struct RTCHit *hit, v3 direction, caster_hit *out)
{
	const body *b = c->b;
	const uint32_t *index = b->triangles + 3 * (size_t)hit->primID;
	double w[3] = {1 - (double)hit->u - (double)hit->v, (double)hit->u, (double)hit->v};
	v3 smooth = {0, 0, 0};
	out->hollow_mm = 0;
	out->rgb[0] = out->rgb[1] = out->rgb[2] = 0;
	for (int k = 0; k < 3; k++) {
		const float *n = b->normals + 3 * (size_t)index[k];
		const uint8_t *rgb = b->colors_rgb + 3 * (size_t)index[k];
		smooth = v3_mad(smooth, v3_make((double)n[0], (double)n[1], (double)n[2]), w[k]);
		out->hollow_mm += w[k] * (double)b->hollow_mm[index[k]];
		for (int i = 0; i < 3; i++)
			out->rgb[i] += w[k] * rgb[i];
	}
	out->normal = v3_unit(v3_make((double)hit->Ng_x, (double)hit->Ng_y, (double)hit->Ng_z));
	if (v3_dot(out->normal, direction) > 0)
		out->normal = v3_scale(out->normal, -1);
	out->smooth = v3_unit(smooth);
	if (!(v3_dot(out->smooth, direction) < 0))
		out->smooth = out->normal;
}

bool caster_meets(const caster *c, v3 origin, v3 direction, double t_max, caster_hit *out_hit)
{
	struct RTCRayHit query = {.ray = make_ray(origin, direction, 0, t_max)};
	struct RTCIntersectContext context;
	query.hit.geomID = RTC_INVALID_GEOMETRY_ID;
	query.hit.instID[0] = RTC_INVALID_GEOMETRY_ID;
	rtcInitIntersectContext(&context);
	context.flags = RTC_INTERSECT_CONTEXT_FLAG_COHERENT;
	rtcIntersect1(c->scene, &context, &query);
	if (query.hit.geomID == RTC_INVALID_GEOMETRY_ID)
		return false;
	out_hit->t = (double)query.ray.tfar;
	if (c->b->sphere_count)
		solve_sphere(c, query.hit.primID, origin, direction, out_hit);
	else
		interpolate(c, &query.hit, direction, out_hit);
	return true;
}

bool caster_blocked(const caster *c, v3 from, v3 to)
{
	struct RTCRay ray = make_ray(from, v3_sub(to, from), 0, 1);
	struct RTCIntersectContext context;
	rtcInitIntersectContext(&context);
	context.flags = RTC_INTERSECT_CONTEXT_FLAG_COHERENT;
	rtcOccluded1(c->scene, &context, &ray);
	return ray.tfar < 0;
}

#define GROUP_ALIGNED __attribute__((aligned(32)))

static void put_ray(struct RTCRay8 *rays, int k, v3 origin, v3 direction, double t_max)
{
	rays->org_x[k] = (float)origin.x, rays->org_y[k] = (float)origin.y, rays->org_z[k] = (float)origin.z;
	rays->dir_x[k] = (float)direction.x, rays->dir_y[k] = (float)direction.y, rays->dir_z[k] = (float)direction.z;
	rays->tnear[k] = 0, rays->tfar[k] = (float)t_max;
	rays->mask[k] = UINT32_MAX;
}

static struct RTCHit hit_of(const struct RTCHit8 *hits, int k)
{
	return (struct RTCHit){.Ng_x = hits->Ng_x[k],
		.Ng_y = hits->Ng_y[k],
		.Ng_z = hits->Ng_z[k],
		.u = hits->u[k],
		.v = hits->v[k],
		.primID = hits->primID[k]};
}

void caster_meets_group(const caster *c, v3 origin, const v3 directions[CASTER_GROUP], const bool wanted[CASTER_GROUP],
	double t_max, caster_hit out_hits[CASTER_GROUP], bool out_met[CASTER_GROUP])
{
	GROUP_ALIGNED int valid[CASTER_GROUP];
	GROUP_ALIGNED struct RTCRayHit8 query = {0};
	struct RTCIntersectContext context;
	for (int k = 0; k < CASTER_GROUP; k++) {
		valid[k] = wanted[k] ? -1 : 0;
		put_ray(&query.ray, k, origin, directions[k], t_max);
		query.hit.geomID[k] = query.hit.instID[0][k] = RTC_INVALID_GEOMETRY_ID;
	}
	rtcInitIntersectContext(&context);
	context.flags = RTC_INTERSECT_CONTEXT_FLAG_COHERENT;
	rtcIntersect8(valid, c->scene, &context, &query);
	for (int k = 0; k < CASTER_GROUP; k++) {
		out_met[k] = wanted[k] && query.hit.geomID[k] != RTC_INVALID_GEOMETRY_ID;
		if (!out_met[k])
			continue;
		const struct RTCHit hit = hit_of(&query.hit, k);
		out_hits[k].t = (double)query.ray.tfar[k];
		if (c->b->sphere_count)
			solve_sphere(c, hit.primID, origin, directions[k], &out_hits[k]);
		else
			interpolate(c, &hit, directions[k], &out_hits[k]);
	}
}

void caster_blocked_group(const caster *c, const v3 from[CASTER_GROUP], v3 to, const bool wanted[CASTER_GROUP],
	bool out_blocked[CASTER_GROUP])
{
	GROUP_ALIGNED int valid[CASTER_GROUP];
	GROUP_ALIGNED struct RTCRay8 rays = {0};
	struct RTCIntersectContext context;
	for (int k = 0; k < CASTER_GROUP; k++) {
		valid[k] = wanted[k] ? -1 : 0;
		if (wanted[k])
			put_ray(&rays, k, from[k], v3_sub(to, from[k]), 1);
	}
	rtcInitIntersectContext(&context);
	context.flags = RTC_INTERSECT_CONTEXT_FLAG_COHERENT;
	rtcOccluded8(valid, c->scene, &context, &rays);
	for (int k = 0; k < CASTER_GROUP; k++)
		out_blocked[k] = wanted[k] && rays.tfar[k] < 0;
}
