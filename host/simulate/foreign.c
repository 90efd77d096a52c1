/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign.h"

#include <stdlib.h>

#include "rng.h"

#define FIRST_S 1.0 /* a scan begins undisturbed */
#define VISIT_S 1.2 /* the longest visit */

static const struct {
	v3 half_axes_mm;
	double depth_share; /* of the stand-off, of the centre */
	double inside_mm;   /* how far from the view's middle the centre stops */
	double rgb[3];
} KINDS[FOREIGN_KINDS] = {
	[FOREIGN_TONGUE] = {{15, 9, 6}, 1.05, 8.0, {196, 96, 100}},
	[FOREIGN_CHEEK] = {{26, 16, 5}, 0.95, 15.0, {206, 116, 108}},
	[FOREIGN_FINGER] = {{24, 7, 7}, 0.90, 6.0, {120, 170, 214}},
	[FOREIGN_MIRROR] = {{10, 10, 0.8}, 0.75, 7.0, {150, 154, 158}},
};

/* Times count from the slot's beginning. */
static void make_visit(
	foreign_visit *v, double slot_s, double length_s, double speed_mm_s, double stand_off_mm, uint64_t key)
{
	v->kind = (foreign_kind)(rng_bits(key, 0) % FOREIGN_KINDS);
	double depth = KINDS[v->kind].depth_share * stand_off_mm, angle = rng_between(key, 1, 0, 2 * SIM_PI);
	v3 side = {cos(angle), sin(angle), 0};
	double stop = KINDS[v->kind].inside_mm * rng_between(key, 2, 0.7, 1.1);
	/* in and out as sin^2: the greatest speed is pi times the way over the time */
	double way_mm = speed_mm_s * rng_between(key, 3, 0.5, 1.0) * length_s / SIM_PI;
	v->from_s = fmax(slot_s - length_s, 0) * rng_uniform(key, 4);
	v->to_s = v->from_s + length_s;
	v->half_axes_mm = KINDS[v->kind].half_axes_mm;
	v->inside_mm = v3_make(side.x * stop, side.y * stop, depth);
	v->outside_mm = v3_mad(v->inside_mm, side, way_mm);
	quat along = quat_axis_angle(v3_make(0, 0, 1), angle + (v->kind == FOREIGN_CHEEK ? SIM_PI / 2 : 0));
	v3 lean = v3_unit(v3_make(rng_between(key, 5, -1, 1), rng_between(key, 6, -1, 1), 0.2));
	v->turned = quat_product(along, quat_axis_angle(lean, radians(rng_between(key, 7, -25, 25))));
}

bool foreign_make(const wand_path *way, double end_s, double percent, double speed_mm_s, double stand_off_mm,
	uint64_t seed, foreign_plan *out_plan)
{
	double total = fmax(end_s - FIRST_S, 0), busy = total * percent / 100;
	size_t count = percent > 0 && total > 0 ? (size_t)ceil(busy / VISIT_S) : 0;
	*out_plan = (foreign_plan){0};
	if (!count)
		return true;
	out_plan->visits = calloc(count, sizeof *out_plan->visits);
	if (!out_plan->visits)
		return false;
	out_plan->count = count;
	double slot_s = total / (double)count, length_s = busy / (double)count;
	for (size_t i = 0; i < count; i++) {
		foreign_visit *v = &out_plan->visits[i];
		make_visit(v, slot_s, length_s, speed_mm_s, stand_off_mm, rng_key(seed, RNG_FOREIGN, i));
		v->from_s += FIRST_S + slot_s * (double)i;
		v->to_s += FIRST_S + slot_s * (double)i;
		v->world_from_camera = path_at(way, 0.5 * (v->from_s + v->to_s));
	}
	return true;
}

void foreign_free(foreign_plan *plan)
{
	free(plan->visits);
	*plan = (foreign_plan){0};
}

bool foreign_at(const foreign_plan *plan, double time_s, foreign_body *out_body)
{
	for (size_t i = 0; i < plan->count; i++) {
		const foreign_visit *v = &plan->visits[i];
		if (!(time_s >= v->from_s && time_s < v->to_s))
			continue;
		double s = sin(SIM_PI * (time_s - v->from_s) / (v->to_s - v->from_s));
		v3 centre = v3_lerp(v->outside_mm, v->inside_mm, s * s);
		*out_body = (foreign_body){v->kind, pose_point(v->world_from_camera, centre),
			quat_product(v->world_from_camera.q, v->turned), v->half_axes_mm};
		return true;
	}
	return false;
}

bool foreign_meets(const foreign_body *body, v3 origin, v3 direction, double t_max, foreign_hit *out_hit)
{
	quat back = {
		-body->world_from_body.x, -body->world_from_body.y, -body->world_from_body.z, body->world_from_body.w};
	v3 o = quat_rotate(back, v3_sub(origin, body->centre_mm)), d = quat_rotate(back, direction),
	   h = body->half_axes_mm;
	o = v3_make(o.x / h.x, o.y / h.y, o.z / h.z), d = v3_make(d.x / h.x, d.y / h.y, d.z / h.z);
	double a = v3_dot(d, d), half = v3_dot(o, d), root = half * half - a * (v3_dot(o, o) - 1);
	if (!(root > 0))
		return false;
	double t = (-half - sqrt(root)) / a;
	if (!(t > 0 && t < t_max))
		return false;
	v3 p = v3_mad(o, d, t), n = v3_make(p.x / h.x, p.y / h.y, p.z / h.z);
	*out_hit = (foreign_hit){t, v3_unit(quat_rotate(body->world_from_body, n)), body->kind};
	return true;
}

void foreign_color(foreign_kind kind, double out_rgb[3])
{
	for (int i = 0; i < 3; i++)
		out_rgb[i] = KINDS[kind].rgb[i];
}
