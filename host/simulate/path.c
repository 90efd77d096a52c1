/* SPDX-License-Identifier: Apache-2.0
 * From stations (place along the arch, tilt to the side, distance) to a smooth motion, in five steps: a dense polyline
 * of poses, even spacing by a metric that counts turning as motion, smoothing, a cubic B-spline, and the law of time.
 */
#include "path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "path_stations.h"
#include "rng.h"

#define STEP_MM 0.25 /* between the spline's controls, in the metric */
#define METRIC_MM_PER_DEGREE 0.15
#define SMOOTH_MM 2.2
#define TURNING_RESERVE 0.70 /* the law of time uses this share of the limits, the check allows all */
#define CHECKS_PER_SECOND 240.0
#define SHORTEST_MM 2.0 /* of the part of the arch */
#define CLEARANCE_STEP_MM 1.0
#define CLEARANCE_SMOOTH_STEPS 3.0 /* the hand follows the row of teeth, not each cusp */
#define CLEARANCE_FROM_MM 18.0     /* rays start this far out: less than the way across an arch */
#define TARGET_LOWER_MM 1.6        /* side passes look below the crest */

typedef struct plan {
	const path_def *def;
	const curve *line;
	double *clearances;      /* the memory of the next three */
	double *clearance_mm[3]; /* how far the surface stands above the line, looked at from tongue, top and cheek, */
	size_t clearance_count;  /* at each CLEARANCE_STEP_MM of the line */
	station_list stations;
} plan;

/* Even samples while the motion is being made. */
typedef struct track {
	pose *poses;
	double *speed;
	int *visit;
	size_t count, room;
} track;

static v3 looking_from(const plan *p, const curve_place *place, double tilt, v3 *out_target)
{
	*out_target = v3_mad(place->point, p->line->up, -TARGET_LOWER_MM * fabs(sin(tilt)));
	return v3_add(v3_scale(p->line->up, cos(tilt)), v3_scale(place->buccal, sin(tilt)));
}

static bool probe_clearance(plan *p)
{
	if (!p->def->surface_mm)
		return true;
	size_t count = (size_t)(curve_length_mm(p->line) / CLEARANCE_STEP_MM) + 1;
	double *raw = p->clearances = calloc(4 * count, sizeof(double));
	if (!raw)
		return false;
	p->clearance_count = count;
	for (size_t k = 0; k < 3; k++) {
		double *out = p->clearance_mm[k] = raw + (k + 1) * count;
		for (size_t i = 0; i < count; i++) {
			curve_place place = curve_at(p->line, (double)i * CLEARANCE_STEP_MM);
			v3 target, away = looking_from(
					   p, &place, radians(((double)k - 1) * p->def->tilt_degrees), &target);
			double d = p->def->surface_mm(
				p->def->surface_user, v3_mad(target, away, CLEARANCE_FROM_MM), v3_scale(away, -1));
			raw[i] = d < 0 ? 0 : clamp(CLEARANCE_FROM_MM - d, -4, 12);
		}
		for (size_t i = 0; i < count; i++) {
			double weights = 0;
			for (size_t j = 0; j < count; j++) {
				double off = ((double)i - (double)j) / CLEARANCE_SMOOTH_STEPS,
				       w = exp(-0.5 * off * off);
				out[i] += w * raw[j], weights += w;
			}
			out[i] /= weights;
		}
	}
	return true;
}

static double clearance(const plan *p, double s_mm, double tilt_degrees)
{
	if (!p->clearance_count)
		return 0;
	double f = clamp(s_mm / CLEARANCE_STEP_MM, 0, (double)(p->clearance_count - 1)), at[3];
	size_t i = (size_t)f, j = i + 1 < p->clearance_count ? i + 1 : i;
	for (int k = 0; k < 3; k++)
		at[k] = p->clearance_mm[k][i] + (p->clearance_mm[k][j] - p->clearance_mm[k][i]) * (f - (double)i);
	double side = p->def->tilt_degrees > 0 ? clamp(tilt_degrees / p->def->tilt_degrees, -1, 1) : 0;
	return side < 0 ? at[1] + (at[0] - at[1]) * -side : at[1] + (at[2] - at[1]) * side;
}

/* The hand's unsteadiness, as a function of the way gone. */
static pose station_pose(const plan *p, const station *at, double way_mm)
{
	uint64_t key = rng_key(p->def->seed, RNG_WOBBLE, 0);
	double n[6], wobble = p->def->wobble;
	for (uint64_t i = 0; i < 6; i++)
		n[i] = wobble * (0.75 * noise_1d(key + i, way_mm / 17) + 0.25 * noise_1d(key + 8 + i, way_mm / 6));
	curve_place place = curve_at(p->line, at->s_mm + 1.2 * n[0]);
	double tilt = radians(at->tilt_degrees + 7 * n[1]);
	v3 target, away = looking_from(p, &place, tilt, &target);
	target = v3_mad(target, place.buccal, 0.8 * n[2]);
	double range_mm = at->range_mm + clearance(p, at->s_mm, at->tilt_degrees) + 1.3 * n[5];
	v3 z = v3_scale(away, -1), x = v3_unit(v3_mad(place.tangent, z, -v3_dot(place.tangent, z)));
	quat level = quat_from_axes(x, v3_cross(z, x), z);
	quat shake = quat_product(quat_axis_angle(v3_make(0, 1, 0), radians(6 * n[3])),
		quat_axis_angle(v3_make(0, 0, 1), radians(5 * n[4] + at->turn_degrees)));
	v3 t = v3_mad(target, away, range_mm);
	/* turned about the point looked at, as a hand does that watches the screen */
	quat q = quat_product(level, shake);
	v3 turned = quat_rotate(q, v3_make(0, 0, -range_mm));
	return (pose){v3_lerp(t, v3_add(target, turned), 0.7), q};
}

static double pose_step_mm(pose a, pose b)
{
	double turn = quat_angle_between(a.q, b.q) * (180 / SIM_PI) * METRIC_MM_PER_DEGREE;
	double move = v3_length(v3_sub(a.t_mm, b.t_mm));
	return sqrt(move * move + turn * turn);
}

static bool grow(track *t)
{
	size_t room = t->room ? 2 * t->room : 4096;
	pose *poses = realloc(t->poses, room * sizeof *poses);
	t->poses = poses ? poses : t->poses;
	double *speed = poses ? realloc(t->speed, room * sizeof *speed) : NULL;
	t->speed = speed ? speed : t->speed;
	int *visit = speed ? realloc(t->visit, room * sizeof *visit) : NULL;
	t->visit = visit ? visit : t->visit;
	t->room = visit ? room : t->room;
	return visit != NULL;
}

static bool push(track *t, pose p, double speed, int visit)
{
	if (t->count == t->room && !grow(t))
		return false;
	if (t->count && quat_dot(t->poses[t->count - 1].q, p.q) < 0)
		p.q = (quat){-p.q.x, -p.q.y, -p.q.z, -p.q.w};
	t->poses[t->count] = p;
	t->visit[t->count] = visit;
	t->speed[t->count++] = speed;
	return true;
}

static void track_free(track *t)
{
	free(t->poses);
	free(t->speed);
	free(t->visit);
	*t = (track){0};
}

static pose pose_between(pose a, pose b, double k)
{
	quat q = {a.q.x + (b.q.x - a.q.x) * k, a.q.y + (b.q.y - a.q.y) * k, a.q.z + (b.q.z - a.q.z) * k,
		a.q.w + (b.q.w - a.q.w) * k};
	return (pose){v3_lerp(a.t_mm, b.t_mm, k), quat_unit(q)};
}

/* Dense poses over all stations, then even steps of STEP_MM. */
static bool lay_out(const plan *p, track *out)
{
	track dense = {0};
	double way_mm = 0;
	bool good = true;
	for (int i = 0; i + 1 < p->stations.count && good; i++) {
		const station *a = &p->stations.at[i], *b = &p->stations.at[i + 1];
		double reach = fabs(b->s_mm - a->s_mm) * 1.5 + fabs(b->range_mm - a->range_mm) +
			       fabs(b->tilt_degrees - a->tilt_degrees) * 0.4;
		int steps = (int)ceil(reach / (STEP_MM / 4));
		for (int k = 0; k < steps && good; k++) {
			double f = (double)k / steps;
			station at = {a->s_mm + (b->s_mm - a->s_mm) * f,
				a->tilt_degrees + (b->tilt_degrees - a->tilt_degrees) * f,
				a->range_mm + (b->range_mm - a->range_mm) * f,
				a->turn_degrees + (b->turn_degrees - a->turn_degrees) * f, 0, 0};
			good = push(
				&dense, station_pose(p, &at, way_mm), a->speed + (b->speed - a->speed) * f, a->visit);
			way_mm += reach / steps;
		}
	}
	double carry = 0;
	for (size_t i = 0; i + 1 < dense.count && good; i++) {
		double length = pose_step_mm(dense.poses[i], dense.poses[i + 1]);
		for (; carry <= length && length > 0 && good; carry += STEP_MM)
			good = push(out, pose_between(dense.poses[i], dense.poses[i + 1], carry / length),
				dense.speed[i], dense.visit[i]);
		carry -= length;
	}
	track_free(&dense);
	return good;
}

/* Gaussian mean of poses and speeds over neighbours; the ends are held. */
static bool smooth(track *t, double sigma_steps)
{
	pose *poses = malloc((t->count + 1) * sizeof(pose));
	double *speed = malloc((t->count + 1) * sizeof(double));
	long n = (long)t->count, reach = (long)ceil(3.5 * sigma_steps);
	for (long i = 0; i < n && poses && speed; i++) {
		v3 sum = {0, 0, 0};
		quat q = {0, 0, 0, 0};
		double weights = 0, pace = 0;
		for (long k = -reach; k <= reach; k++) {
			const pose *p = &t->poses[i + k < 0 ? 0 : i + k >= n ? n - 1 : i + k];
			double w = exp(-0.5 * (double)(k * k) / (sigma_steps * sigma_steps));
			sum = v3_mad(sum, p->t_mm, w);
			q = (quat){q.x + w * p->q.x, q.y + w * p->q.y, q.z + w * p->q.z, q.w + w * p->q.w};
			pace += w * t->speed[i + k < 0 ? 0 : i + k >= n ? n - 1 : i + k];
			weights += w;
		}
		poses[i] = (pose){v3_scale(sum, 1 / weights), quat_unit(q)};
		speed[i] = pace / weights;
	}
	bool good = poses && speed;
	if (good) {
		memcpy(t->poses, poses, t->count * sizeof(pose));
		memcpy(t->speed, speed, t->count * sizeof(double));
	}
	free(poses);
	free(speed);
	return good;
}

static pose spline(const wand_path *p, size_t i, double f)
{
	double w[4] = {(1 - f) * (1 - f) * (1 - f) / 6, (3 * f * f * f - 6 * f * f + 4) / 6,
		(-3 * f * f * f + 3 * f * f + 3 * f + 1) / 6, f * f * f / 6};
	v3 t = {0, 0, 0};
	quat q = {0, 0, 0, 0};
	for (size_t k = 0; k < 4; k++) {
		const pose *c = &p->controls[i + k ? i + k - 1 < p->count ? i + k - 1 : p->count - 1 : 0];
		t = v3_mad(t, c->t_mm, w[k]);
		q = (quat){q.x + w[k] * c->q.x, q.y + w[k] * c->q.y, q.z + w[k] * c->q.z, q.w + w[k] * c->q.w};
	}
	return (pose){t, quat_unit(q)};
}

double path_duration_s(const wand_path *p)
{
	return p->count ? p->time_s[p->count - 1] : 0;
}

/* The control before a time, never the last one. */
static size_t control_at(const wand_path *p, double time_s)
{
	size_t lo = 0, hi = p->count - 1;
	while (hi - lo > 1) {
		size_t middle = (lo + hi) / 2;
		if (p->time_s[middle] <= time_s)
			lo = middle;
		else
			hi = middle;
	}
	return lo;
}

int path_visit_at(const wand_path *p, double time_s)
{
	return p->visit ? p->visit[control_at(p, time_s)] : 0;
}

pose path_at(const wand_path *p, double time_s)
{
	double t = clamp(time_s, 0, path_duration_s(p));
	size_t lo = control_at(p, t);
	/* cubic Hermite from parameter lo to lo + 1 with the given rates at both ends */
	double h = p->time_s[lo + 1] - p->time_s[lo], f = (t - p->time_s[lo]) / h;
	double u =
		f * f * (3 - 2 * f) + h * (f * (1 - f) * (1 - f) * p->rate_s[lo] - f * f * (1 - f) * p->rate_s[lo + 1]);
	return tremor_at(&p->tremor, spline(p, lo, clamp(u, 0, 1)), t);
}

/* Now and then the hand hurries over a few millimetres, but never to near the limit for that reason alone. */
static double haste(const path_def *def, uint64_t key, double way_mm, double plain_mm_s)
{
	double most = 1 + 1.6 * fmin(def->wobble, 1) * smoothstep(0.35, 0.75, noise_1d(key, way_mm / 13));
	return clamp(0.72 * def->limits.speed_mm_s / plain_mm_s, 1, most);
}

/* The wished pace at each control, held below what the turning allows, then limited in its change from both sides. */
static void make_pace(const wand_path *p, const track *t, const path_def *def, double speed_mm_s, double *pace)
{
	uint64_t key = rng_key(def->seed, RNG_SPEED, 0);
	double spread = fmin(def->wobble, 1) * 0.35, most = def->limits.acceleration_mm_s2 * 0.25;
	for (size_t i = 0; i < p->count; i++) {
		size_t a = i ? i - 1 : 0, b = i + 1 < p->count ? i + 1 : i;
		double way = v3_length(v3_sub(p->controls[b].t_mm, p->controls[a].t_mm));
		double turn = quat_angle_between(p->controls[a].q, p->controls[b].q) * (180 / SIM_PI);
		double share = way / (STEP_MM * (double)(b - a)); /* of the metric's speed that is motion */
		double plain = speed_mm_s * t->speed[i] * (1 + spread * noise_1d(key, (double)i * STEP_MM / 23));
		double wished = plain * haste(def, key + 1, (double)i * STEP_MM, plain) / fmax(share, 0.35);
		double allowed =
			TURNING_RESERVE * def->limits.turning_deg_s * STEP_MM * (double)(b - a) / fmax(turn, 1e-9);
		pace[i] = fmin(wished, allowed);
	}
	pace[0] = fmin(pace[0], 0.4 * speed_mm_s);
	for (size_t i = 1; i < p->count; i++)
		pace[i] = fmin(pace[i], sqrt(pace[i - 1] * pace[i - 1] + 2 * most * STEP_MM));
	for (size_t i = p->count - 1; i-- > 0;)
		pace[i] = fmin(pace[i], sqrt(pace[i + 1] * pace[i + 1] + 2 * most * STEP_MM));
}

static void smooth_pace(double *pace, double *room, size_t count)
{
	enum { REACH = 12, ROUNDS = 2 };
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < count; i++) {
			double sum = 0;
			for (long k = -REACH; k <= REACH; k++) {
				long j = (long)i + k;
				sum += pace[j < 0 ? 0 : j >= (long)count ? (long)count - 1 : j];
			}
			room[i] = sum / (2 * REACH + 1);
		}
		memcpy(pace, room, count * sizeof *pace);
	}
}

/* Times at the controls from the pace. Returns the mean speed in mm/s while the jaw is in view. */
static double make_times(wand_path *p, const track *t, const double *pace)
{
	double seen_mm = 0, seen_s = 0;
	p->length_mm = 0;
	p->time_s[0] = 0;
	for (size_t i = 0; i < p->count; i++)
		p->rate_s[i] = pace[i] / STEP_MM;
	for (size_t i = 0; i + 1 < p->count; i++) {
		double dt = 2 * STEP_MM / (pace[i] + pace[i + 1]);
		double way = v3_length(v3_sub(spline(p, i + 1, 0).t_mm, spline(p, i, 0).t_mm));
		p->time_s[i + 1] = p->time_s[i] + dt;
		p->length_mm += way;
		if (t->speed[i] < 1.2)
			seen_mm += way, seen_s += dt;
	}
	return seen_s > 0 ? seen_mm / seen_s : 0;
}

static bool time_law(wand_path *p, const track *t, const path_def *def)
{
	double *pace = malloc(2 * p->count * sizeof(double)), *room = pace ? pace + p->count : NULL;
	double speed = def->speed_mm_s;
	for (int round = 0; round < 6 && pace; round++) {
		make_pace(p, t, def, speed, pace);
		smooth_pace(pace, room, p->count);
		p->mean_speed_mm_s = make_times(p, t, pace);
		speed *= clamp(def->speed_mm_s / p->mean_speed_mm_s, 0.7, 1.4);
	}
	free(pace);
	return pace != NULL;
}

static void measure(wand_path *p)
{
	double h = 1 / CHECKS_PER_SECOND, end = path_duration_s(p);
	p->peaks = (path_limits){0};
	for (double t = h; t + h < end; t += h) {
		pose a = path_at(p, t - h), b = path_at(p, t), c = path_at(p, t + h);
		v3 first = v3_scale(v3_sub(b.t_mm, a.t_mm), 1 / h), second = v3_scale(v3_sub(c.t_mm, b.t_mm), 1 / h);
		p->peaks.speed_mm_s = fmax(p->peaks.speed_mm_s, v3_length(second));
		p->peaks.acceleration_mm_s2 = fmax(p->peaks.acceleration_mm_s2, v3_length(v3_sub(second, first)) / h);
		p->peaks.turning_deg_s =
			fmax(p->peaks.turning_deg_s, quat_angle_between(b.q, c.q) * (180 / SIM_PI) / h);
	}
}

static bool check(const wand_path *p, const path_limits *limits, char *out_error)
{
	const struct {
		const char *what, *unit, *option;
		double peak, limit;
	} rows[3] = {{"speed", "mm/s", "speed-mm-s", p->peaks.speed_mm_s, limits->speed_mm_s},
		{"acceleration", "mm/s2", "acceleration-mm-s2", p->peaks.acceleration_mm_s2,
			limits->acceleration_mm_s2},
		{"turning", "degrees/s", "turning-deg-s", p->peaks.turning_deg_s, limits->turning_deg_s}};
	for (int i = 0; i < 3; i++)
		if (!(rows[i].peak <= rows[i].limit)) {
			snprintf(out_error, PATH_ERROR_BYTES,
				"path: its %s reaches %.1f %s, the limit is %g (slow down, or raise --max-%s)",
				rows[i].what, rows[i].peak, rows[i].unit, rows[i].limit, rows[i].option);
			return false;
		}
	return true;
}

bool path_build(const path_def *def, const curve *line, wand_path *out_path, char *out_error)
{
	plan *p = calloc(1, sizeof *p);
	track t = {0};
	*out_path = (wand_path){0};
	bool good = p != NULL;
	if (good && (def->to_share - def->from_share) * curve_length_mm(line) >= SHORTEST_MM) {
		p->def = def, p->line = line;
		stations_make(def, curve_length_mm(line), &p->stations);
		good = probe_clearance(p) && lay_out(p, &t) && smooth(&t, SMOOTH_MM / STEP_MM);
	}
	if (good && t.count >= 16) {
		out_path->count = t.count;
		out_path->tremor = (tremor){def->tremor_mrad, def->tremor_hz, def->seed};
		out_path->controls = t.poses, t.poses = NULL;
		out_path->visit = t.visit, t.visit = NULL;
		out_path->time_s = malloc(t.count * sizeof(double));
		out_path->rate_s = malloc(t.count * sizeof(double));
		good = out_path->time_s && out_path->rate_s && time_law(out_path, &t, def);
	}
	if (!good) {
		snprintf(out_error, PATH_ERROR_BYTES, "path: no memory");
	} else if (!out_path->count) {
		snprintf(
			out_error, PATH_ERROR_BYTES, "path: the part of the arch asked for is too short to move along");
		good = false;
	} else {
		measure(out_path);
		good = check(out_path, &def->limits, out_error);
	}
	if (p)
		free(p->clearances);
	free(p);
	track_free(&t);
	if (!good)
		path_free(out_path);
	return good;
}

void path_free(wand_path *p)
{
	free(p->controls);
	free(p->visit);
	free(p->time_s);
	free(p->rate_s);
	*p = (wand_path){0};
}
