/* SPDX-License-Identifier: Apache-2.0 */
#include "foreign.h"

#include <stdlib.h>

#include "rng.h"

#define FIRST_S 1.0 /* a scan begins undisturbed */
#define VISIT_S 1.2 /* the longest visit */
/* Of bodies that may rest: */
#define REST_S 1.2   /* the longest rest; half of them do not rest */
#define SLOWEST 0.35 /* of the greatest speed */
#define APART_MM 2.0 /* from the view, at the ends of a visit */
#define SHORTEST_S 0.2
#define NEARER 1.1         /* what is nearer than the stand-off looks larger */
#define EDGE_OVER_MM 3.5   /* its edge comes to rest at most this far past the middle of the view, */
#define EDGE_SHORT_MM 2.0  /* and this far short of it */
#define IN_VIEW_SHARE 0.66 /* of a visit's time, on average */

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

/* How far a body reaches in the direction from which it comes. */
static double reach_mm(foreign_kind kind)
{
	return kind == FOREIGN_CHEEK ? KINDS[kind].half_axes_mm.y : KINDS[kind].half_axes_mm.x;
}

/* How far the border of the view is from its middle in a direction. */
static double border_mm(const foreign_def *def, v3 side, double depth_mm)
{
	double far = depth_mm / def->stand_off_mm;
	return far * fmin(def->view_mm[0] / fmax(fabs(side.x), 1e-6), def->view_mm[1] / fmax(fabs(side.y), 1e-6));
}

/* A visit from outside the view and back, with a rest. Times count from its beginning. */
static void make_long_visit(const foreign_def *def, foreign_visit *v, uint64_t key)
{
	make_visit(v, 0, 1, 0, def->stand_off_mm, key); /* which body, from where */
	v3 side = v3_unit(v3_make(v->inside_mm.x, v->inside_mm.y, 0));
	double depth = v->inside_mm.z, reach = reach_mm(v->kind);
	double stop_mm = reach + rng_between(key, 10, -EDGE_OVER_MM, EDGE_SHORT_MM);
	double way_mm = fmax(border_mm(def, side, depth) + NEARER * reach + APART_MM - stop_mm, 1);
	v->inside_mm = v3_make(side.x * stop_mm, side.y * stop_mm, depth);
	/* half a wave of sin^2: the greatest speed is pi / 2 times the way over the time */
	double travel_s = 0.5 * SIM_PI * way_mm / (def->speed_mm_s * rng_between(key, 8, SLOWEST, 1.0));
	double rest_s = fmax(rng_between(key, 9, -REST_S, REST_S), 0);
	v->rests = true;
	v->outside_mm = v3_mad(v->inside_mm, side, way_mm);
	v->from_s = 0;
	v->rest_from_s = travel_s, v->rest_to_s = travel_s + rest_s;
	v->to_s = 2 * travel_s + rest_s;
}

/* Visits one after the other, as long as each takes, with gaps between. */
static bool make_long_visits(const foreign_def *def, double total_s, foreign_plan *out)
{
	double busy_s = total_s * def->percent / 100 / IN_VIEW_SHARE, taken_s = 0;
	size_t room = (size_t)(busy_s / SHORTEST_S) + 1;
	out->visits = calloc(room, sizeof *out->visits);
	if (!out->visits)
		return false;
	for (uint64_t i = 0; i < room && taken_s < busy_s; i++) {
		foreign_visit v;
		make_long_visit(def, &v, rng_key(def->seed, RNG_FOREIGN, i));
		if (taken_s + v.to_s - busy_s > busy_s - taken_s || taken_s + v.to_s > total_s) /* nearer without it */
			break;
		taken_s += v.to_s;
		out->visits[out->count++] = v;
	}
	double gap_s = out->count ? (total_s - taken_s) / (double)out->count : 0, at_s = FIRST_S;
	for (size_t i = 0; i < out->count; i++) {
		foreign_visit *v = &out->visits[i];
		double before_s = gap_s * rng_between(rng_key(def->seed, RNG_FOREIGN, i), 11, 0.1, 0.9),
		       length_s = v->to_s;
		v->from_s = at_s + before_s;
		v->rest_from_s += v->from_s, v->rest_to_s += v->from_s, v->to_s += v->from_s;
		at_s += gap_s + length_s;
	}
	return true;
}

bool foreign_make(const foreign_def *def, foreign_plan *out_plan)
{
	double total = fmax(def->end_s - FIRST_S, 0), busy = total * def->percent / 100;
	size_t count = def->percent > 0 && total > 0 ? (size_t)ceil(busy / VISIT_S) : 0;
	*out_plan = (foreign_plan){.way = def->way};
	if (!count)
		return true;
	if (def->rests)
		return make_long_visits(def, total, out_plan);
	out_plan->visits = calloc(count, sizeof *out_plan->visits);
	if (!out_plan->visits)
		return false;
	out_plan->count = count;
	double slot_s = total / (double)count, length_s = busy / (double)count;
	for (size_t i = 0; i < count; i++) {
		foreign_visit *v = &out_plan->visits[i];
		make_visit(v, slot_s, length_s, def->speed_mm_s, def->stand_off_mm, rng_key(def->seed, RNG_FOREIGN, i));
		v->from_s += FIRST_S + slot_s * (double)i;
		v->to_s += FIRST_S + slot_s * (double)i;
		v->world_from_camera = path_at(def->way, 0.5 * (v->from_s + v->to_s));
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
		pose camera = v->world_from_camera;
		double s = sin(SIM_PI * (time_s - v->from_s) / (v->to_s - v->from_s));
		if (v->rests) {
			double rested_s = clamp(time_s - v->rest_from_s, 0, v->rest_to_s - v->rest_from_s);
			double moving_s = time_s - v->from_s - rested_s, travel_s = v->rest_from_s - v->from_s;
			camera = path_at(plan->way, time_s - rested_s);
			s = sin(SIM_PI / 2 * moving_s / travel_s);
		}
		v3 centre = v3_lerp(v->outside_mm, v->inside_mm, s * s);
		*out_body = (foreign_body){
			v->kind, pose_point(camera, centre), quat_product(camera.q, v->turned), v->half_axes_mm};
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
