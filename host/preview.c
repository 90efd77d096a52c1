/* SPDX-License-Identifier: Apache-2.0 */
#include "preview.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

#define COLUMNS 2u
#define TILES 4u
#define MARGIN 0.94  /* share of the tile that the body fills */
#define GAP 0.1      /* between eye and body, in the sum of the body's sizes */
#define TILT_RAD 0.6 /* side views look down a little, so that cusps show */
#define MIDDLE 0.2   /* of the width: what counts as the middle of a horseshoe */
#define JACOBI_SWEEPS 32
#define FOCAL_PER_SIDE 2.0 /* focal length over the larger side of a picture in perspective: 28 degrees */

static double dot(const double a[3], const double b[3])
{
	return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void cross(const double a[3], const double b[3], double out[3])
{
	out[0] = a[1] * b[2] - a[2] * b[1];
	out[1] = a[2] * b[0] - a[0] * b[2];
	out[2] = a[0] * b[1] - a[1] * b[0];
}

static void combine(double s, const double a[3], double t, const double b[3], double out[3])
{
	for (int i = 0; i < 3; i++)
		out[i] = s * a[i] + t * b[i];
}

static void vertex(const enm_mesh_data *mesh, size_t i, double out[3])
{
	for (int k = 0; k < 3; k++)
		out[k] = (double)mesh->positions_mm[3 * i + (size_t)k];
}

/* One Jacobi rotation that makes m[p][q] zero; the columns of v become eigenvectors. */
static void rotate(double m[3][3], double v[3][3], int p, int q)
{
	if (m[p][q] == 0.0)
		return;
	double theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
	double t = (theta >= 0.0 ? 1.0 : -1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
	double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
	for (int k = 0; k < 3; k++) {
		double a = m[k][p], b = m[k][q];
		m[k][p] = c * a - s * b;
		m[k][q] = s * a + c * b;
	}
	for (int k = 0; k < 3; k++) {
		double a = m[p][k], b = m[q][k];
		m[p][k] = c * a - s * b;
		m[q][k] = s * a + c * b;
		a = v[k][p], b = v[k][q];
		v[k][p] = c * a - s * b;
		v[k][q] = s * a + c * b;
	}
}

/* Eigenvectors of the vertices' covariance as rows, the widest first. */
static void find_spread(const enm_mesh_data *mesh, const double mean[3], double out[3][3])
{
	double m[3][3] = {{0}}, v[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
	for (size_t i = 0; i < mesh->vertex_count; i++) {
		double p[3];
		vertex(mesh, i, p);
		combine(1.0, p, -1.0, mean, p);
		for (int r = 0; r < 3; r++)
			for (int c = 0; c < 3; c++)
				m[r][c] += p[r] * p[c];
	}
	for (int sweep = 0; sweep < JACOBI_SWEEPS; sweep++) {
		rotate(m, v, 0, 1);
		rotate(m, v, 0, 2);
		rotate(m, v, 1, 2);
	}
	int order[3] = {0, 1, 2};
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < 2; i++) {
			if (m[order[i]][order[i]] < m[order[i + 1]][order[i + 1]]) {
				int swap = order[i];
				order[i] = order[i + 1];
				order[i + 1] = swap;
			}
		}
	}
	for (int r = 0; r < 3; r++)
		for (int k = 0; k < 3; k++)
			out[r][k] = v[k][order[r]];
}

static void find_extent(const enm_mesh_data *mesh, const double axis[3], double *out_low, double *out_high)
{
	*out_low = INFINITY;
	*out_high = -INFINITY;
	for (size_t i = 0; i < mesh->vertex_count; i++) {
		double p[3];
		vertex(mesh, i, p);
		*out_low = fmin(*out_low, dot(p, axis));
		*out_high = fmax(*out_high, dot(p, axis));
	}
}

/* How far what lies in the middle across is off the middle along, as a share of the extent: at the closed side of a
 * horseshoe the middle is full, at its open side empty. */
static double find_closed_side(const enm_mesh_data *mesh, const double along[3], const double across[3])
{
	double low, high, left, right, sum = 0.0;
	size_t count = 0;
	find_extent(mesh, along, &low, &high);
	find_extent(mesh, across, &left, &right);
	for (size_t i = 0; i < mesh->vertex_count; i++) {
		double p[3];
		vertex(mesh, i, p);
		if (fabs(dot(p, across) - 0.5 * (left + right)) > 0.5 * MIDDLE * (right - left))
			continue;
		sum += dot(p, along);
		count++;
	}
	return count && high > low ? (sum / (double)count - 0.5 * (low + high)) / (high - low) : 0.0;
}

/* Sum of the normals: of the vertices where there are any, else of the triangles by their area. */
static void sum_normals(const enm_mesh_data *mesh, double out[3])
{
	for (size_t i = 0; mesh->normals && i < 3 * mesh->vertex_count; i++)
		out[i % 3] += (double)mesh->normals[i];
	for (size_t t = 0; !mesh->normals && t < mesh->triangle_count; t++) {
		double p[3][3], u[3], v[3], n[3];
		for (size_t k = 0; k < 3; k++)
			vertex(mesh, mesh->triangles[3 * t + k], p[k]);
		combine(1.0, p[1], -1.0, p[0], u);
		combine(1.0, p[2], -1.0, p[0], v);
		cross(u, v, n);
		combine(1.0, out, 1.0, n, out);
	}
}

/* Two unit vectors across `up`: the widest spread as far as it is, else the next. */
static void flatten(const double up[3], double spread[3][3])
{
	double first[3];
	for (int i = 0; i < 2; i++) {
		combine(1.0, spread[i], -dot(spread[i], up), up, first);
		const double length = sqrt(dot(first, first));
		if (length > 0.5 || i == 1) { /* of two that are square to each other one is */
			combine(1.0 / length, first, 0.0, first, spread[0]);
			break;
		}
	}
	cross(up, spread[0], spread[1]);
}

host_status preview_find_axes(const enm_mesh_data *mesh, const double given_up[3], preview_axes *out)
{
	if (!mesh->vertex_count)
		return host_fail(HOST_DATA, "the model has no surface to show");
	double mean[3] = {0}, normal[3] = {0}, spread[3][3];
	for (size_t i = 0; i < mesh->vertex_count; i++) {
		double p[3];
		vertex(mesh, i, p);
		combine(1.0, mean, 1.0 / (double)mesh->vertex_count, p, mean);
	}
	sum_normals(mesh, normal);
	find_spread(mesh, mean, spread);
	double *right = out->axis[0], *front = out->axis[1], *up = out->axis[2];
	combine(dot(normal, spread[2]) < 0.0 ? -1.0 : 1.0, spread[2], 0.0, spread[2], up);
	if (given_up) {
		combine(1.0, given_up, 0.0, given_up, up);
		flatten(up, spread);
	}
	double sides[2] = {find_closed_side(mesh, spread[0], spread[1]), find_closed_side(mesh, spread[1], spread[0])};
	int midline = fabs(sides[0]) > fabs(sides[1]) ? 0 : 1;
	combine(sides[midline] < 0.0 ? -1.0 : 1.0, spread[midline], 0.0, spread[midline], front);
	cross(front, up, right);
	return HOST_OK;
}

/* The direction from the body to the eye, and what is up in the picture. */
static void aim(const preview_axes *axes, preview_side side, double out_eye[3], double out_up[3])
{
	const double *right = axes->axis[0], *front = axes->axis[1], *up = axes->axis[2];
	double flat[3];
	switch (side) {
	case PREVIEW_FRONT:
		memcpy(flat, front, sizeof flat);
		break;
	case PREVIEW_LEFT:
		combine(-1.0, right, 0.0, right, flat);
		break;
	case PREVIEW_RIGHT:
		memcpy(flat, right, sizeof flat);
		break;
	case PREVIEW_LINGUAL:
		combine(-1.0, front, 0.0, front, flat);
		break;
	case PREVIEW_OCCLUSAL:
	case PREVIEW_SIDES:
		memcpy(out_eye, up, 3 * sizeof *up);
		memcpy(out_up, front, 3 * sizeof *front);
		return;
	}
	combine(cos(TILT_RAD), flat, sin(TILT_RAD), up, out_eye);
	combine(cos(TILT_RAD), up, -sin(TILT_RAD), flat, out_up);
}

/* The quaternion of the rotation whose columns are the three axes (Shepperd). */
static void quaternion_of_axes(const double x[3], const double y[3], const double z[3], double q[4])
{
	const double m[3][3] = {{x[0], y[0], z[0]}, {x[1], y[1], z[1]}, {x[2], y[2], z[2]}};
	double four[4] = {1 + m[0][0] - m[1][1] - m[2][2], 1 - m[0][0] + m[1][1] - m[2][2],
		1 - m[0][0] - m[1][1] + m[2][2], 1 + m[0][0] + m[1][1] + m[2][2]};
	const double mixed[4][4] = {
		{four[0], m[1][0] + m[0][1], m[0][2] + m[2][0], m[2][1] - m[1][2]},
		{m[1][0] + m[0][1], four[1], m[2][1] + m[1][2], m[0][2] - m[2][0]},
		{m[0][2] + m[2][0], m[2][1] + m[1][2], four[2], m[1][0] - m[0][1]},
		{m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1], four[3]},
	};
	int best = 0;
	for (int i = 1; i < 4; i++)
		if (four[i] > four[best])
			best = i;
	double length = 0.0;
	for (int i = 0; i < 4; i++)
		length += mixed[best][i] * mixed[best][i];
	for (int i = 0; i < 4; i++)
		q[i] = mixed[best][i] / sqrt(length);
}

/* How far before the nearest point the eye must be for all of it to be seen; `low` and `high` are of the vertices in `basis`. */
static double find_distance(const enm_mesh_data *mesh, double basis[3][3], const double low[3], const double high[3], const enm_view_def *view)
{
	const double slope[2] = {0.5 * MARGIN * view->width / view->focal_pixels, 0.5 * MARGIN * view->height / view->focal_pixels};
	double distance_mm = 1e-3;
	for (size_t i = 0; i < mesh->vertex_count; i++) {
		double p[3];
		vertex(mesh, i, p);
		for (int k = 0; k < 2; k++)
			distance_mm = fmax(distance_mm, fabs(dot(p, basis[k]) - 0.5 * (low[k] + high[k])) / slope[k] - (dot(p, basis[2]) - low[2]));
	}
	return distance_mm;
}

enm_view_def preview_view(const enm_mesh_data *mesh, const preview_axes *axes, preview_side side, const uint32_t size[2], bool orthographic)
{
	enm_view_def view = enm_view_def_default(size[0], size[1]);
	double eye[3], up[3], basis[3][3]; /* x right, y down, z away from the eye */
	aim(axes, side, eye, up);
	combine(-1.0, up, 0.0, up, basis[1]);
	combine(-1.0, eye, 0.0, eye, basis[2]);
	cross(basis[1], basis[2], basis[0]);
	double low[3], high[3];
	for (int k = 0; k < 3; k++)
		find_extent(mesh, basis[k], &low[k], &high[k]);
	double mm_per_pixel = fmax((high[0] - low[0]) / size[0], (high[1] - low[1]) / size[1]);
	view.orthographic = orthographic;
	view.focal_pixels = orthographic ? fmin(MARGIN / fmax(mm_per_pixel, 1e-9), 1e6) : FOCAL_PER_SIDE * (size[0] > size[1] ? size[0] : size[1]);
	double gap = orthographic ? GAP * (high[0] - low[0] + high[1] - low[1] + high[2] - low[2]) : find_distance(mesh, basis, low, high, &view);
	double at[3] = {0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), low[2] - gap};
	for (int k = 0; k < 3; k++)
		view.world_from_eye.t_mm[k] = at[0] * basis[0][k] + at[1] * basis[1][k] + at[2] * basis[2][k];
	quaternion_of_axes(basis[0], basis[1], basis[2], view.world_from_eye.q_xyzw);
	return view;
}

static void place_tile(const uint8_t *rgba, unsigned side, uint8_t *rgb)
{
	size_t left = (side % COLUMNS) * PREVIEW_TILE_WIDTH, top = (side / COLUMNS) * PREVIEW_TILE_HEIGHT;
	for (size_t y = 0; y < PREVIEW_TILE_HEIGHT; y++) {
		const uint8_t *from = rgba + y * PREVIEW_TILE_WIDTH * 4;
		uint8_t *to = rgb + ((top + y) * COLUMNS * PREVIEW_TILE_WIDTH + left) * 3;
		for (size_t x = 0; x < PREVIEW_TILE_WIDTH; x++)
			memcpy(to + 3 * x, from + 4 * x, 3);
	}
}

static host_status render_sides(
	enm_session *session, const enm_mesh_data *mesh, bool color, uint8_t *rgba, uint8_t *rgb)
{
	static const uint32_t size[2] = {PREVIEW_TILE_WIDTH, PREVIEW_TILE_HEIGHT};
	preview_axes axes;
	host_status status = preview_find_axes(mesh, NULL, &axes);
	for (unsigned side = 0; !status && side < TILES; side++) {
		enm_view_def view = preview_view(mesh, &axes, (preview_side)side, size, true);
		view.shade = color ? ENM_SHADE_COLOR : ENM_SHADE_CLAY;
		enm_result result =
			enm_session_render(session, &view, rgba, (size_t)PREVIEW_TILE_WIDTH * PREVIEW_TILE_HEIGHT * 4);
		status = host_fail_result(result, enm_last_error());
		if (!status)
			place_tile(rgba, side, rgb);
	}
	return status;
}

host_status preview_write(const char *path, enm_session *session, const enm_mesh_data *mesh, bool color)
{
	const uint32_t width = COLUMNS * PREVIEW_TILE_WIDTH, height = 2 * PREVIEW_TILE_HEIGHT;
	uint8_t *rgba = malloc((size_t)PREVIEW_TILE_WIDTH * PREVIEW_TILE_HEIGHT * 4);
	uint8_t *rgb = malloc((size_t)width * height * 3);
	host_status status = rgba && rgb ? HOST_OK : host_fail_memory("the preview");
	if (!status)
		status = render_sides(session, mesh, color, rgba, rgb);
	if (!status)
		status = image_write_color(path, width, height, 3, rgb, IMAGE_SMALL);
	free(rgba);
	free(rgb);
	return status;
}
