/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "rng.h"

#define STEP_MM 0.5               /* neighbours this much farther make a pixel a mixed one */
#define CLUMP_PX 3.0              /* correlation length of dropouts */
#define COS_FLOOR 0.2             /* noise grows no further at more grazing incidence */
#define LIFT_OFF_SURFACE_MM 0.004 /* start of a shadow ray, so that it does not meet its own triangle */
#define MIRROR_BLIND 0.75         /* share of a mirror's pixels without reading */
#define CORE_SPREAD 0.5           /* highlights are this much larger or smaller from place to place */
#define GLOSS_FROM 0.98           /* cosine below which the gloss is less than a grey level */
#define DROPOUT_FIELD_MIN 1.0     /* a field value below this cannot lose a reading that is kept at 85 % or more */
#define DROPOUT_KEPT_MIN 0.85
#define EXPOSURE_S 1.3      /* in which the exposure changes its course */
#define HOLLOW_FULL_MM 0.12 /* a groove this deep holds all of the film */

/* Before anything is measured. */
typedef struct frame_pixel {
	double z_mm; /* infinity: nothing there */
	double cosine;
	double bias_mm; /* of the highlight's ring */
	double rgb[3];
	double facing; /* of the light from the camera, for colour */
	double gloss;
	bool blind; /* in shadow, or in a highlight's core */
} frame_pixel;

bool frame_work_create(const frame_scene *scene, frame_work *out_work)
{
	size_t count = (size_t)scene->width * scene->height;
	*out_work = (frame_work){
		.pixels = malloc(count * sizeof(frame_pixel)),
		.white = malloc(count * sizeof(float)),
		.correlated = malloc(count * sizeof(float)),
		.dropout = malloc(count * sizeof(float)),
		.scratch = malloc(error_field_scratch(scene->width, scene->height) * sizeof(float)),
		.depth_um = malloc(count * sizeof(uint16_t)),
		.color_rgb = malloc(3 * count),
	};
	frame_work *w = out_work;
	if (w->pixels && w->white && w->correlated && w->dropout && w->scratch && w->depth_um && w->color_rgb)
		return true;
	frame_work_free(out_work);
	return false;
}

void frame_work_free(frame_work *work)
{
	free(work->pixels);
	free(work->white);
	free(work->correlated);
	free(work->dropout);
	free(work->scratch);
	free(work->depth_um);
	free(work->color_rgb);
	*work = (frame_work){0};
}

/* Thickness of the saliva film over a point of the surface. */
static double film_mm(const frame_scene *s, v3 world, double hollow_mm, double time_s)
{
	if (!(s->errors->saliva_um > 0))
		return 0;
	uint64_t key = rng_key(s->seed, RNG_SALIVA, 0);
	double flow = 0.6 + 0.4 * noise_3d(key, v3_make(world.x / 3 + 0.05 * time_s, world.y / 3,
							world.z / 3 - 0.04 * time_s));
	return s->errors->saliva_um / 1000 * flow * smoothstep(0, HOLLOW_FULL_MM, hollow_mm);
}

/* The angle between the normal and the direction that mirrors the projector into the camera decides. */
static void add_highlight(const frame_scene *s, v3 world, v3 normal, v3 to_camera, v3 to_light, frame_pixel *out)
{
	double core = s->errors->highlight_degrees;
	double cosine = v3_dot(normal, v3_unit(v3_add(to_camera, to_light)));
	out->gloss = cosine > GLOSS_FROM ? pow(cosine, 400) : 0;
	if (!(core > 0) || cosine < cos(radians(2 * core * (1 + CORE_SPREAD))))
		return;
	double angle = acos(clamp(cosine, -1, 1)) * (180 / SIM_PI);
	uint64_t key = rng_key(s->seed, RNG_HIGHLIGHT, 0);
	core *= 1 + CORE_SPREAD * noise_3d(key, v3_scale(world, 1 / 0.8));
	if (angle < core)
		out->blind = true;
	else if (angle < 2 * core) {
		double k = 2 - angle / core;
		out->bias_mm = -s->errors->highlight_um / 1000 * k * k;
	}
}

bool frame_goes_wrong(const frame_scene *s, double time_s)
{
	int visit = s->wrong_visits ? path_visit_at(s->way, time_s) : 0;
	return visit >= 1 && visit <= s->wrong_visits;
}

const caster *frame_rays(const frame_scene *s, double time_s)
{
	return s->other_rays && frame_goes_wrong(s, time_s) ? s->other_rays : s->rays;
}

/* What all pixels of a row share. */
typedef struct row_view {
	const frame_scene *scene;
	const caster *rays;
	pose camera;
	v3 light; /* where the projector is */
	bool visited;
	foreign_body guest;
	double v, time_s;
} row_view;

static row_view row_at(const frame_scene *s, uint32_t v, double frame_s)
{
	row_view row = {.scene = s, .v = v, .time_s = frame_s + v * s->row_time_s};
	row.camera = path_at(s->way, s->row_time_s > 0 ? row.time_s : frame_s);
	row.light = pose_point(row.camera, v3_make(s->errors->projector_mm, 0, 0));
	row.visited = foreign_at(s->foreign, row.time_s, &row.guest);
	row.rays = frame_rays(s, row.time_s);
	return row;
}

/* A pixel from what its ray meets, but for the shadow: that needs a ray from `out_start` unless the pixel is blind.
 * False when it meets nothing. */
static bool see(const row_view *row, double u, v3 direction, const caster_hit *hit, frame_pixel *out, v3 *out_start)
{
	const frame_scene *s = row->scene;
	double length = v3_length(direction), reach = s->errors->far_mm + 1;
	foreign_hit other;
	*out = (frame_pixel){.z_mm = INFINITY};
	bool covered =
		row->visited && foreign_meets(&row->guest, row->camera.t_mm, direction, hit ? hit->t : reach, &other);
	if (!hit && !covered)
		return false;
	v3 normal = covered ? other.normal : hit->smooth;
	out->z_mm = covered ? other.t : hit->t;
	out->cosine = -v3_dot(normal, direction) / length;
	v3 point = v3_mad(row->camera.t_mm, direction, out->z_mm);
	if (covered)
		foreign_color(other.kind, out->rgb);
	else {
		for (int i = 0; i < 3; i++)
			out->rgb[i] = hit->rgb[i];
		out->z_mm -= film_mm(s, point, hit->hollow_mm, row->time_s) / (length * fmax(out->cosine, 0.3));
	}
	v3 to_light = v3_sub(row->light, point);
	*out_start = v3_mad(point, covered ? other.normal : hit->normal, LIFT_OFF_SURFACE_MM);
	out->facing = fmax(v3_dot(normal, v3_unit(to_light)), 0);
	out->blind = s->errors->projector_mm > 0 && v3_dot(normal, to_light) <= 0;
	add_highlight(s, point, normal, v3_scale(direction, -1 / length), v3_unit(to_light), out);
	if (covered && other.kind == FOREIGN_MIRROR) {
		uint64_t key = rng_key(s->seed, RNG_FOREIGN, 1u << 20), place = (uint64_t)(row->v * 8192 + u);
		out->blind = out->blind || rng_uniform(key, place + (uint64_t)(row->time_s * 1e6)) < MIRROR_BLIND;
	}
	return true;
}

/* Neighbouring pixels from `first` on. False when none of them meets anything. */
static bool see_group(const row_view *row, uint32_t first, frame_pixel *pixels)
{
	const frame_scene *s = row->scene;
	bool wanted[CASTER_GROUP], met[CASTER_GROUP], blocked[CASTER_GROUP], any = false;
	v3 directions[CASTER_GROUP], starts[CASTER_GROUP];
	caster_hit hits[CASTER_GROUP];
	for (uint32_t k = 0; k < CASTER_GROUP; k++) {
		double u = first + k;
		wanted[k] = first + k < s->width;
		directions[k] = quat_rotate(row->camera.q, v3_make((u - s->cx) / s->fx, (row->v - s->cy) / s->fy, 1));
	}
	caster_meets_group(row->rays, row->camera.t_mm, directions, wanted, s->errors->far_mm + 1, hits, met);
	for (uint32_t k = 0; k < CASTER_GROUP && first + k < s->width; k++) {
		bool there = see(row, first + k, directions[k], met[k] ? &hits[k] : NULL, &pixels[k], &starts[k]);
		wanted[k] = there && !pixels[k].blind && s->errors->projector_mm > 0;
		any = any || there;
	}
	if (!any)
		return false;
	caster_blocked_group(row->rays, starts, row->light, wanted, blocked);
	for (uint32_t k = 0; k < CASTER_GROUP; k++) {
		foreign_hit ignored;
		if (wanted[k])
			pixels[k].blind =
				blocked[k] || (row->visited && foreign_meets(&row->guest, starts[k],
								       v3_sub(row->light, starts[k]), 1, &ignored));
	}
	return true;
}

/* False when nothing is in view. */
static bool see_all(const frame_scene *s, double time_s, frame_work *w)
{
	bool any = false;
	for (uint32_t v = 0; v < s->height; v++) {
		const row_view row = row_at(s, v, time_s);
		for (uint32_t u = 0; u < s->width; u += CASTER_GROUP)
			any |= see_group(&row, u, &w->pixels[(size_t)v * s->width + u]);
	}
	return any;
}

static void make_fields(const frame_scene *s, uint64_t index, frame_work *w)
{
	const error_def *e = s->errors;
	if (e->noise_um > 0) {
		double length = rng_between(rng_key(s->seed, RNG_CORRELATION_LENGTH, index), 0, 3, 7);
		error_field(rng_key(s->seed, RNG_WHITE, index), s->width, s->height, 0, w->white, w->scratch);
		error_field(rng_key(s->seed, RNG_CORRELATED, index), s->width, s->height, length, w->correlated,
			w->scratch);
	}
	if (e->dropout_percent > 0 || e->grazing_degrees < 90)
		error_field(
			rng_key(s->seed, RNG_DROPOUT, index), s->width, s->height, CLUMP_PX, w->dropout, w->scratch);
}

/* Whether a pixel's reading is lost by chance: the field, made uniform, against the chance. */
static bool drops_out(const error_def *e, const frame_pixel *p, float field)
{
	double kept = 1 - e->dropout_percent / 100;
	if (e->grazing_degrees < 90) {
		double angle = acos(clamp(p->cosine, -1, 1)) * (180 / SIM_PI);
		kept *= 1 - 1 / (1 + exp(-(angle - e->grazing_degrees) / e->grazing_width_degrees));
	}
	if (kept >= DROPOUT_KEPT_MIN && (double)field < DROPOUT_FIELD_MIN) /* most pixels, without the function below */
		return false;
	return kept < 1 && 0.5 * erfc(-(double)field / sqrt(2)) > kept;
}

/* Depth of a pixel in front of a step: lost, or anywhere between front and back. False when it is lost. */
static bool mix(const frame_scene *s, const frame_work *w, uint32_t u, uint32_t v, uint64_t key, double *z_mm)
{
	size_t at = (size_t)v * s->width + u;
	double front = w->pixels[at].z_mm, back = front;
	bool edge = false;
	const size_t near_by[4] = {u ? at - 1 : at, u + 1 < s->width ? at + 1 : at, v ? at - s->width : at,
		v + 1 < s->height ? at + s->width : at};
	for (int i = 0; i < 4; i++) {
		double z = w->pixels[near_by[i]].z_mm;
		edge = edge || z - front > STEP_MM;
		if (isfinite(z))
			back = fmax(back, z);
	}
	if (!edge)
		return true;
	if (rng_uniform(key, 2 * at) * 100 < s->errors->mixed_percent)
		return false;
	if (back - front > STEP_MM)
		*z_mm = front + (back - front) * rng_uniform(key, 2 * at + 1);
	return true;
}

/* A reading whose footprint holds a step is lost, or the mean of what is lit in it, which rounds the step and curls its
 * edge (Curless and Levoy 1995). False when it is lost. */
static bool mix_footprint(const frame_scene *s, const frame_work *w, uint32_t u, uint32_t v, uint64_t key, double *z_mm)
{
	const int64_t reach = s->errors->mixed_px, width = s->width, height = s->height;
	double sum = 0, count = 0;
	bool edge = false;
	for (int64_t y = v - reach; y <= v + reach; y++)
		for (int64_t x = u - reach; x <= u + reach; x++) {
			int64_t dx = x - u, dy = y - v;
			if (dx * dx + dy * dy > reach * reach || x < 0 || y < 0 || x >= width || y >= height)
				continue;
			const frame_pixel *p = &w->pixels[y * width + x];
			edge = edge || (x < u + reach && x + 1 < width && fabs(p[1].z_mm - p->z_mm) > STEP_MM) ||
			       (y < v + reach && y + 1 < height && fabs(p[width].z_mm - p->z_mm) > STEP_MM);
			if (isfinite(p->z_mm) && !p->blind)
				sum += p->z_mm, count++;
		}
	if (!edge)
		return true;
	if (rng_uniform(key, 2 * ((uint64_t)v * s->width + u)) * 100 < s->errors->mixed_percent)
		return false;
	*z_mm = sum / count;
	return true;
}

static uint16_t measure(const frame_scene *s, const frame_work *w, uint32_t u, uint32_t v, uint64_t mixed_key)
{
	const error_def *e = s->errors;
	size_t at = (size_t)v * s->width + u;
	const frame_pixel *p = &w->pixels[at];
	double z = p->z_mm;
	if (!isfinite(z) || p->blind || drops_out(e, p, w->dropout[at]))
		return 0;
	if (e->mixed_px > 0 && !mix_footprint(s, w, u, v, mixed_key, &z))
		return 0;
	if (e->mixed_px == 0 && e->mixed_percent >= 0 && !mix(s, w, u, v, mixed_key, &z))
		return 0;
	if (e->noise_um > 0) {
		double share = e->correlated_percent / 100, far = z / s->stand_off_mm;
		double sigma_mm = e->noise_um / 1000 * far * far / fmax(p->cosine, COS_FLOOR);
		z += sigma_mm * (sqrt(1 - share) * (double)w->white[at] + sqrt(share) * (double)w->correlated[at]);
	}
	z += p->bias_mm + p->z_mm * e->gain_percent / 100 + error_residual_mm(&s->residual, s->width, s->height, u, v);
	if (!(z >= e->near_mm && z <= e->far_mm))
		return 0;
	return (uint16_t)lround(z * 1000);
}

/* How much brighter than usual a frame is exposed. */
static double exposure_at(const frame_scene *s, double time_s)
{
	if (!(s->exposure > 1))
		return 1;
	double way = 1.6 * noise_1d(rng_key(s->seed, RNG_EXPOSURE, 0), time_s / EXPOSURE_S);
	return exp(log(s->exposure) * clamp(way, -1, 1));
}

static void paint(const frame_scene *s, uint64_t index, double time_s, frame_work *w)
{
	uint64_t key = rng_key(s->seed, RNG_COLOR, index + 1);
	size_t count = (size_t)s->width * s->height;
	double exposure = exposure_at(s, time_s);
	for (size_t i = 0; i < count; i++) {
		const frame_pixel *p = &w->pixels[i];
		uint64_t bits = rng_bits(key, i);
		double near = isfinite(p->z_mm) ? pow(s->stand_off_mm / p->z_mm, 2) : 0;
		double light = fmin(near, 2) * (0.12 + 0.80 * p->facing),
		       grain = (double)(bits & 255) / 255 + (double)(bits >> 8 & 255) / 255 - 1;
		for (size_t c = 0; c < 3; c++)
			w->color_rgb[3 * i + c] =
				(uint8_t)clamp((p->rgb[c] * light + 150 * p->gloss) * exposure + 3 * grain + 2, 0, 255);
	}
}

size_t frame_make(const frame_scene *scene, uint64_t index, double time_s, frame_work *work)
{
	uint64_t mixed_key = rng_key(scene->seed, RNG_MIXED, index);
	size_t readings = 0;
	bool empty = !see_all(scene, time_s, work);
	if (empty && !scene->color) { /* as while lifted off */
		memset(work->depth_um, 0, (size_t)scene->width * scene->height * sizeof *work->depth_um);
		return 0;
	}
	make_fields(scene, index, work);
	for (uint32_t v = 0; v < scene->height; v++)
		for (uint32_t u = 0; u < scene->width; u++) {
			uint16_t depth = measure(scene, work, u, v, mixed_key);
			work->depth_um[(size_t)v * scene->width + u] = depth;
			readings += depth != 0;
		}
	if (scene->color)
		paint(scene, index, time_s, work);
	return readings;
}
