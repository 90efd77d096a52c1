/* SPDX-License-Identifier: Apache-2.0 */
#include "views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define RAYS_X 20u
#define RAYS_Y 15u
#define RAYS (RAYS_X * RAYS_Y)
#define CELL_MM 1.0     /* places closer than this are one */
#define LEVER_SHARE 0.5 /* turns count as the motion this share of the mean depth away, as they do in the engine */
#define SWEEPS 24

/* How often each cell around the body was shown. */
typedef struct cells {
	v3 origin_mm;
	size_t n[3];
	uint8_t *shown;   /* by how many frames, up to one more than makes it known */
	uint32_t *latest; /* the frame that counted last, plus one */
} cells;

typedef struct met {
	v3 point, normal; /* camera */
	v3 world;
} met;

static bool cells_make(const body *b, cells *out)
{
	v3 lo = {1e9, 1e9, 1e9}, hi = {-1e9, -1e9, -1e9};
	for (size_t i = 0; i < b->vertex_count; i++) {
		const float *p = b->positions_mm + 3 * i;
		lo = v3_make(fmin(lo.x, (double)p[0]), fmin(lo.y, (double)p[1]), fmin(lo.z, (double)p[2]));
		hi = v3_make(fmax(hi.x, (double)p[0]), fmax(hi.y, (double)p[1]), fmax(hi.z, (double)p[2]));
	}
	v3 size = v3_scale(v3_sub(hi, lo), 1 / CELL_MM);
	*out = (cells){.origin_mm = v3_sub(lo, v3_make(CELL_MM, CELL_MM, CELL_MM)),
		.n = {(size_t)fmax(size.x, 0) + 3, (size_t)fmax(size.y, 0) + 3, (size_t)fmax(size.z, 0) + 3}};
	size_t count = out->n[0] * out->n[1] * out->n[2];
	out->shown = calloc(count, 1);
	out->latest = calloc(count, sizeof *out->latest);
	return out->shown && out->latest;
}

static void cells_free(cells *c)
{
	free(c->shown);
	free(c->latest);
}

/* Whether the place was known; with `scan` it was shown by `frame` too from now on. */
static bool cells_show(cells *c, v3 world, uint32_t frame, bool scan)
{
	v3 p = v3_scale(v3_sub(world, c->origin_mm), 1 / CELL_MM);
	size_t x = (size_t)clamp(p.x, 0, (double)(c->n[0] - 1)), y = (size_t)clamp(p.y, 0, (double)(c->n[1] - 1)),
	       z = (size_t)clamp(p.z, 0, (double)(c->n[2] - 1)), at = (z * c->n[1] + y) * c->n[0] + x;
	bool counted = c->latest[at] == frame + 1, known = c->shown[at] - (counted ? 1 : 0) >= VIEW_KNOWN_FRAMES;
	if (scan && !counted && c->shown[at] <= VIEW_KNOWN_FRAMES) {
		c->shown[at]++;
		c->latest[at] = frame + 1;
	}
	return known;
}

/* The rays of a frame that meet a body within the range of depth. */
static size_t cast(const frame_scene *s, double time_s, met *out, double *out_foreign)
{
	size_t count = 0, covered = 0;
	for (uint32_t j = 0; j < RAYS_Y; j++) {
		double v = (j + 0.5) * s->height / RAYS_Y - 0.5, row_s = time_s + v * s->row_time_s;
		pose camera = path_at(s->way, row_s);
		const caster *rays = frame_rays(s, row_s);
		foreign_body guest;
		bool visited = foreign_at(s->foreign, row_s, &guest);
		for (uint32_t i = 0; i < RAYS_X; i++) {
			double u = (i + 0.5) * s->width / RAYS_X - 0.5;
			v3 ray = v3_make((u - s->cx) / s->fx, (v - s->cy) / s->fy, 1);
			v3 direction = quat_rotate(camera.q, ray);
			caster_hit hit;
			foreign_hit other;
			bool meets = caster_meets(rays, camera.t_mm, direction, s->errors->far_mm, &hit);
			if (visited && foreign_meets(&guest, camera.t_mm, direction, meets ? hit.t : s->errors->far_mm,
					       &other)) {
				covered++;
				continue;
			}
			if (!meets || hit.t < s->errors->near_mm)
				continue;
			quat back = {-camera.q.x, -camera.q.y, -camera.q.z, camera.q.w};
			out[count++] = (met){v3_scale(ray, hit.t), quat_rotate(back, hit.smooth),
				v3_mad(camera.t_mm, direction, hit.t)};
		}
	}
	*out_foreign = (double)covered / RAYS;
	return count;
}

/* Turns row and column p against q so that a[p][q] becomes zero; `v` gathers the turns. */
static void rotate(double a[6][6], double v[6][6], int p, int q)
{
	double theta = 0.5 * (a[q][q] - a[p][p]) / a[p][q];
	double t = copysign(1, theta) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
	for (int k = 0; k < 6; k++) {
		double kp = a[k][p], kq = a[k][q], vp = v[k][p], vq = v[k][q];
		a[k][p] = c * kp - s * kq, a[k][q] = s * kp + c * kq;
		v[k][p] = c * vp - s * vq, v[k][q] = s * vp + c * vq;
	}
	for (int k = 0; k < 6; k++) {
		double pk = a[p][k], qk = a[q][k];
		a[p][k] = c * pk - s * qk, a[q][k] = s * pk + c * qk;
	}
}

double view_least_eigenvalue(double a[6][6], double out_direction[6])
{
	double v[6][6] = {{0}};
	int least = 0;
	for (int i = 0; i < 6; i++)
		v[i][i] = 1;
	for (int sweep = 0; sweep < SWEEPS; sweep++)
		for (int p = 0; p < 5; p++)
			for (int q = p + 1; q < 6; q++)
				if (fabs(a[p][q]) > 1e-14)
					rotate(a, v, p, q);
	for (int i = 1; i < 6; i++)
		least = a[i][i] < a[least][least] ? i : least;
	for (int k = 0; k < 6; k++)
		out_direction[k] = v[k][least];
	return a[least][least];
}

/* As sums_add and track_gate do it: about the mean depth, turns by the lever, weights by the noise, which grows with
 * the square of the depth, sums over the sum of the weights. */
static void judge(const met *rays, size_t count, frame_view *out)
{
	double depth = 0, weights = 0, h[6][6] = {{0}};
	if (count < 6)
		return;
	for (size_t i = 0; i < count; i++)
		depth += rays[i].point.z / (double)count;
	for (size_t i = 0; i < count; i++) {
		v3 arm = v3_scale(v3_sub(rays[i].point, v3_make(0, 0, depth)), 1 / (LEVER_SHARE * depth));
		v3 n = rays[i].normal, turn = v3_cross(arm, n);
		double j[6] = {turn.x, turn.y, turn.z, n.x, n.y, n.z}, w = pow(depth / rays[i].point.z, 4);
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < 6; b++)
				h[a][b] += w * j[a] * j[b];
		weights += w;
	}
	for (int a = 0; a < 6; a++)
		for (int b = 0; b < 6; b++)
			h[a][b] /= weights;
	out->eigenvalue = view_least_eigenvalue(h, out->weakest);
}

static bool add_reentries(const timed_frames *timed, view_list *list)
{
	int last = list->count ? list->views[list->count - 1].visit : 0;
	list->reentries = calloc((size_t)last + 1, sizeof *list->reentries);
	if (!list->reentries)
		return false;
	bool away = false, began = false;
	double lifted_s = 0;
	for (size_t i = 0; i < list->count; i++) {
		bool there = list->views[i].in_range >= VIEW_BACK_SHARE;
		if (began && !there && !away)
			lifted_s = timed->frames[i].time_s;
		if (began && there && away && list->reentry_count <= (size_t)last &&
			list->views[i].visit >
				(list->reentry_count ? list->reentries[list->reentry_count - 1].visit : 0))
			list->reentries[list->reentry_count++] =
				(reentry){lifted_s, timed->frames[i].time_s, list->views[i].visit};
		away = !there, began = began || there;
	}
	return true;
}

bool views_make(const frame_scene *scene, const timed_frames *timed, view_list *out_list)
{
	cells known = {0};
	met *rays = malloc(RAYS * sizeof *rays);
	*out_list = (view_list){.views = calloc(timed->count + 1, sizeof(frame_view)), .count = timed->count};
	bool good = rays && out_list->views && cells_make(caster_body(scene->rays), &known);
	for (size_t i = 0; i < timed->count && good; i++) {
		frame_view *view = &out_list->views[i];
		double time_s = timed->frames[i].time_s;
		size_t count = cast(scene, time_s, rays, &view->foreign), again = 0;
		view->visit = path_visit_at(scene->way, time_s);
		view->other = frame_rays(scene, time_s) != scene->rays;
		bool scan = !frame_goes_wrong(scene, time_s);
		for (size_t k = 0; k < count && !view->other; k++)
			again += cells_show(&known, rays[k].world, (uint32_t)i, scan);
		view->in_range = (double)count / RAYS;
		view->known = count ? (double)again / (double)count : 0;
		judge(rays, count, view);
	}
	good = good && add_reentries(timed, out_list);
	cells_free(&known);
	free(rays);
	return good;
}

void views_free(view_list *list)
{
	free(list->views);
	free(list->reentries);
	*list = (view_list){0};
}

host_status views_write(const char *path, const timed_frames *timed, const view_list *list)
{
	file_output output = {0};
	host_status status = file_begin(path, &output);
	if (status != HOST_OK)
		return status;
	fprintf(output.stream,
		"# without errors, by %u rays a frame: timestamp_s, %% of the rays that meet the jaw within the range "
		"of depth, %% that\n"
		"# meet a foreign body, %% of the former on what %d earlier frames were shown, least eigenvalue of "
		"their normal\n"
		"# matrix, its direction (turn x y z, move x y z, camera)\n",
		RAYS, VIEW_KNOWN_FRAMES);
	for (size_t i = 0; i < timed->moment_count; i++) {
		const frame_view *v = &list->views[timed->moments[i].frame];
		fprintf(output.stream, "%.6f %.1f %.1f %.1f %.6f", timed->moments[i].stamp_s, 100 * v->in_range,
			100 * v->foreign, 100 * v->known, v->eigenvalue);
		for (int k = 0; k < 6; k++)
			fprintf(output.stream, " %.3f", v->weakest[k]);
		fputc('\n', output.stream);
	}
	return file_commit(&output);
}
