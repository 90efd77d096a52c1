/* SPDX-License-Identifier: Apache-2.0
 *
 * What a frame's colour says against the model's at a pose, for the directions that the shape does not fix.
 *
 *   track_need_color    whether the shape leaves something for colour to fix
 *   track_sum_color     partial sums of a part of the picture, behind those of residuals.cl
 *
 * Light comes from the wand: brightness changes with distance, incidence and exposure, smoothly over the picture. So the grey of a
 * part of the picture is taken for a factor times the model's, plus an offset, plus a slope in x and y, all four of them unknowns of that
 * part; they are taken out of the system (Schur complement) before the pose is solved for. What could as well be a change of light then
 * fixes no direction: only texture finer than a part does.
 */
#include "pixel.h"
#include "sums.h"
#include "volume.h"

/* Grey levels. Cameras' noise and the model's, which is kept in whole levels and comes from nearest pixels: no colour is trusted more. */
#define GREY_NOISE 3.0f
/* Brighter ones may be cut off, or be highlights, which move with the wand. */
#define GREY_MOST 245.0f
#define GREY_MIDDLE 128.0f
/* A slope that noise alone would make between neighbouring voxels, in its sigmas. */
#define NOISE_SLOPE 0.3f
/* Biweights' reach, in sigmas: of the first fit, which what does not belong here has stretched, and of the second. */
#define REACH_FIRST 2.5f
#define REACH_SECOND 4.7f
/* Fewer samples than this, or a factor beyond these, say nothing. */
#define SAMPLES_LEAST 24.0f
#define FACTOR_LEAST 0.2f
#define FACTOR_MOST 5.0f

#define SAMPLES_OF_ITEM (ENM_K_COLOR_SAMPLES / ENM_K_TRACK_GROUP)

/* What is known of a sample, in the order of the system: what the light is made of (1, x, y, the model's grey), the frame's grey, and what
 * the six unknowns of the pose do to it. */
#define LIGHT 4
#define GREY_MODEL 3
#define GREY_FRAME 4
#define UNKNOWNS 5
#define SYSTEM 11
#define WIDTH 16 /* of a row of the system */

/* A reading with a colour, on a model with a colour. */
typedef struct color_sample {
	float v[WIDTH];
	float3 slope; /* of the model's grey in the tangent plane, per mm, in the world */
	float3 arm_mm; /* from the pivot */
	float weight;  /* 0: says nothing */
} color_sample;

static inline float grey_of(uint red, uint green, uint blue)
{
	return 0.25f * (float)(red + 2 * green + blue);
}

/* Greys of a cell's corners. */
static inline float8 cell_greys(uint8 corner)
{
	return 0.25f * convert_float8((corner & 255u) + 2u * (corner >> 8 & 255u) + (corner >> 16 & 255u));
}

/* Looks a pixel up in the model; a weight of 0: it says nothing. */
static inline void color_look_up(const enm_k_camera *camera, const enm_k_volume *volume, const enm_k_pose *pose, float3 pivot_mm,
				 float gate_mm, int pixel, uint4 seen, __global const float2 *rays, __global const uchar *colors,
				 __global const uint2 *table, __global const uint *voxels, __global const enm_k_track *track,
				 __private color_sample *s)
{
	float z = pixel_depth_mm(seen);
	__global const uchar *c = colors + 3 * (size_t)pixel;
	float brightest = (float)max((uint)c[0], max((uint)c[1], (uint)c[2]));
	if (z == 0.0f || brightest > GREY_MOST)
		return;
	float3 point_mm = (float3)(rays[pixel] * z, z);
	if (camera->rolling) {
		float skew[6];
		for (int i = 0; i < 6; i++)
			skew[i] = track->skew[i];
		point_mm = skew_apply(skew, row_moment(camera, pixel / camera->width), point_mm);
	}
	point_mm = pose_apply(pose, point_mm);
	float per_voxel = 1.0f / volume->voxel_mm;
	float3 v = point_mm * per_voxel, low = floor(v), gradient, slope;
	block_last last = {ENM_K_KEY_EMPTY, BLOCK_NONE};
	uint8 corner, painted;
	if (!cell_load(table, voxels, volume->table_mask, convert_int3(low), &last, &corner) || !cell_seen(corner) ||
	    !cell_load(table, voxels + ENM_K_PLANE_COLOR, volume->table_mask, convert_int3(low), &last, &painted) ||
	    any((painted & 0xFFFFFFu) == 0u))
		return;
	float distance = cell_value(cell_distances(corner), v - low, &gradient);
	float steep = sqrt(dot(gradient, gradient));
	/* as in residuals.cl: only a surface that faces the same way, within the gate */
	if (!(steep * volume->truncation_mm * per_voxel > 0.3f * ENM_K_SDF_ONE) ||
	    !(fabs(distance) < gate_mm * per_voxel * steep) || dot(gradient, pose_rotate(pose, pixel_normal(seen))) < 0.3f * steep)
		return;
	float3 normal = gradient / steep;
	float grey = cell_value(cell_greys(painted), v - low, &slope);
	slope *= per_voxel;
	s->slope = slope - dot(slope, normal) * normal;
	s->v[GREY_MODEL] = grey - GREY_MIDDLE;
	s->v[GREY_FRAME] = grey_of(c[0], c[1], c[2]) - GREY_MIDDLE;
	s->arm_mm = point_mm - pivot_mm;
	s->weight = 1.0f;
}

/* Rows of the system that are added at a time: those that tell the light, and the others. */
#define ROWS_AT_ONCE 6

/* Items that add an eighth of a row each, and those that add the eighths. */
#define EIGHTHS 8

/* Adds rows [first, first + ROWS_AT_ONCE) of the system over a group's samples, in a fixed order. */
static inline void add_rows(__private const color_sample *samples, int first, __local float16 *shared, __local float16 *matrix)
{
	int item = get_local_id(0);
	float16 sum[ROWS_AT_ONCE];
	for (int q = 0; q < ROWS_AT_ONCE; q++)
		sum[q] = (float16)(0.0f);
	for (int k = 0; k < SAMPLES_OF_ITEM; k++) {
		/* in halves: a call that takes or gives 16 floats is refused by compilers for CPUs without AVX-512 */
		float16 v = (float16)(vload8(0, samples[k].v), vload8(1, samples[k].v)), weighed = samples[k].weight * v;
		for (int q = 0; q < ROWS_AT_ONCE; q++)
			sum[q] += samples[k].v[first + q] * weighed;
	}
	for (int q = 0; q < ROWS_AT_ONCE; q++)
		shared[q * ENM_K_TRACK_GROUP + item] = sum[q];
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item < ROWS_AT_ONCE * EIGHTHS) {
		int start = item * (ENM_K_TRACK_GROUP / EIGHTHS);
		float16 total = shared[start];
		for (int i = 1; i < ENM_K_TRACK_GROUP / EIGHTHS; i++)
			total += shared[start + i];
		shared[start] = total;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item < ROWS_AT_ONCE) {
		float16 total = (float16)(0.0f);
		for (int i = 0; i < EIGHTHS; i++)
			total += shared[item * ENM_K_TRACK_GROUP + i * (ENM_K_TRACK_GROUP / EIGHTHS)];
		matrix[first + item] = total;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
}

/* Takes the light out of the system, one unknown after the other; an item has a row. */
static inline void take_light_out(__local float16 *rows)
{
	__local const float *matrix = (__local const float *)rows;
	int item = get_local_id(0);
	for (int p = 0; p < LIGHT; p++) {
		if (item > p && item < SYSTEM) {
			float pivot = matrix[p * WIDTH + p];
			rows[item] -= rows[p] * (pivot > 0.0f ? matrix[item * WIDTH + p] / pivot : 0.0f);
		}
		barrier(CLK_LOCAL_MEM_FENCE);
	}
}

/* How the frame's grey is made of the light's four unknowns. */
static inline void find_light(__local const float *matrix, __local float *light)
{
	if (get_local_id(0) == 0) {
		for (int p = LIGHT - 1; p >= 0; p--) {
			float sum = matrix[p * WIDTH + GREY_FRAME], pivot = matrix[p * WIDTH + p];
			for (int q = p + 1; q < LIGHT; q++)
				sum -= matrix[p * WIDTH + q] * light[q];
			light[p] = pivot > 0.0f ? sum / pivot : 0.0f;
		}
	}
	barrier(CLK_LOCAL_MEM_FENCE);
}

/* Weighs the samples by how far they are from the light's fit; false where they say nothing. `sigma`: of the residuals. */
static inline bool fit_light(float reach, __local const float *matrix, __private color_sample *samples, __local const float *light,
			     __private float *sigma)
{
	/* the first row of the system has the weights in its first column */
	float count = matrix[0], squares = matrix[GREY_FRAME * WIDTH + GREY_FRAME];
	*sigma = fmax(sqrt(fmax(squares, 0.0f) / fmax(count, 1.0f)), GREY_NOISE);
	float per_reach = 1.0f / (reach * *sigma);
	for (int k = 0; k < SAMPLES_OF_ITEM; k++) {
		float fit = 0.0f;
		for (int p = 0; p < LIGHT; p++)
			fit += light[p] * samples[k].v[p];
		float q = (samples[k].v[GREY_FRAME] - fit) * per_reach, robust = fmax(1.0f - q * q, 0.0f);
		samples[k].weight = samples[k].weight > 0.0f ? robust * robust : 0.0f;
	}
	return count >= SAMPLES_LEAST && light[GREY_MODEL] >= FACTOR_LEAST && light[GREY_MODEL] <= FACTOR_MOST;
}

/* What the pose does to the samples' grey. */
static inline void fill_unknowns(float factor, float sigma, float voxel_mm, float per_lever, __private color_sample *samples)
{
	float noise = NOISE_SLOPE * sigma / voxel_mm;
	for (int k = 0; k < SAMPLES_OF_ITEM; k++) {
		float steep2 = dot(samples[k].slope, samples[k].slope);
		float3 slope = samples[k].slope * (factor * (steep2 > noise * noise ? 1.0f - noise * noise / steep2 : 0.0f));
		float3 turn = cross(samples[k].arm_mm, slope) * per_lever;
		samples[k].v[UNKNOWNS] = turn.x;
		samples[k].v[UNKNOWNS + 1] = turn.y;
		samples[k].v[UNKNOWNS + 2] = turn.z;
		samples[k].v[UNKNOWNS + 3] = slope.x;
		samples[k].v[UNKNOWNS + 4] = slope.y;
		samples[k].v[UNKNOWNS + 5] = slope.z;
	}
}

/* The samples of a part of the picture, a group each: ENM_K_COLOR_PARTS_X x _Y of them. Its items take samples in turns. */
static inline void color_look(const enm_k_camera *camera, const enm_k_volume *volume, float gate_mm, int stride, uint color_offset,
			      __global const float2 *rays, __global const uint4 *pixel_map, __global const uchar *input,
			      __global const uint2 *table, __global const uint *voxels, __global const enm_k_track *track,
			      __private color_sample *samples)
{
	enm_k_pose pose = track->world_from_camera;
	float3 pivot_mm = pose_apply(&pose, (float3)(0.0f, 0.0f, track->pivot_mm));
	int columns = (camera->width / stride + ENM_K_COLOR_PARTS_X - 1) / ENM_K_COLOR_PARTS_X;
	int rows = (camera->height / stride + ENM_K_COLOR_PARTS_Y - 1) / ENM_K_COLOR_PARTS_Y;
	int left = get_group_id(0) % ENM_K_COLOR_PARTS_X * columns, top = get_group_id(0) / ENM_K_COLOR_PARTS_X * rows;
	for (int k = 0; k < SAMPLES_OF_ITEM; k++) {
		int i = k * ENM_K_TRACK_GROUP + get_local_id(0), x = i % columns, y = i / columns;
		int u = (left + x) * stride + stride / 2, v = (top + y) * stride + stride / 2;
		for (int c = 0; c < WIDTH; c++)
			samples[k].v[c] = 0.0f;
		samples[k].v[0] = 1.0f;
		samples[k].v[1] = (2.0f * x - (columns - 1)) / columns;
		samples[k].v[2] = (2.0f * y - (rows - 1)) / rows;
		samples[k].slope = samples[k].arm_mm = (float3)(0.0f);
		samples[k].weight = 0.0f;
		if (y < rows && u < camera->width && v < camera->height)
			color_look_up(camera, volume, &pose, pivot_mm, gate_mm, v * camera->width + u,
				      pixel_map[v * camera->width + u], rays, input + color_offset, table, voxels, track, samples + k);
	}
}

/* Rows of the geometry's sums; where those have w j, what colour says of itself (ENM_K_COLOR_). */
static inline void color_store(bool good, float sigma, float sigma_ref_mm, float moment, __local const float *matrix,
			       __global float8 *partials)
{
	int item = get_local_id(0);
	if (item >= ENM_K_SUM_ROWS_ROLLING)
		return;
	float unit = good ? sigma_ref_mm * sigma_ref_mm / (sigma * sigma) : 0.0f;
	bool twice = item >= ENM_K_SUM_ROWS + 6, once = item >= ENM_K_SUM_ROWS && !twice, plain = item < 6;
	int row = plain ? item : once ? item - ENM_K_SUM_ROWS : twice ? item - ENM_K_SUM_ROWS - 6 : 0;
	float share = plain ? unit : once ? unit * moment : twice ? unit * moment * moment : 0.0f;
	__local const float *m = matrix + (UNKNOWNS + row) * WIDTH + GREY_FRAME;
	float8 sums = share * (float8)(m[1], m[2], m[3], m[4], m[5], m[6], -m[0], 0.0f);
	__local const float *grey = matrix + GREY_MODEL * WIDTH;
	float contrast = grey[GREY_MODEL], explained = contrast > 0.0f ? grey[GREY_FRAME] * grey[GREY_FRAME] / contrast : 0.0f;
	if (item == ENM_K_COLOR_EXPLAINED)
		sums.s7 = unit * explained;
	else if (item == ENM_K_COLOR_RESIDUAL)
		sums.s7 = unit * fmax(matrix[GREY_FRAME * WIDTH + GREY_FRAME], 0.0f);
	else if (item == ENM_K_COLOR_SAMPLES_USED)
		sums.s7 = good ? matrix[0] : 0.0f;
	else if (item == ENM_K_COLOR_MODEL)
		sums.s7 = good ? matrix[GREY_MODEL] + GREY_MIDDLE * matrix[0] : 0.0f;
	else if (item == ENM_K_COLOR_FRAME)
		sums.s7 = good ? matrix[GREY_FRAME] + GREY_MIDDLE * matrix[0] : 0.0f;
	partials[(ENM_K_PARTIALS_COLOR + get_group_id(0)) * ENM_K_SUM_ROWS_ROLLING + item] = sums;
}

/* `stride`: pixels between samples, such that a part has ENM_K_COLOR_SAMPLES at most. `color_offset`: of the colours in `input`. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_sum_color(const enm_k_camera camera, const enm_k_volume volume, const enm_k_level level, int stride, uint color_offset,
		     __global const float2 *rays, __global const uint4 *pixel_map, __global const uchar *input,
		     __global const uint2 *table, __global const uint *voxels, __global const enm_k_track *track, __global float8 *partials)
{
	__local float16 shared[ROWS_AT_ONCE * ENM_K_TRACK_GROUP], rows_of_matrix[2 * ROWS_AT_ONCE];
	__local float *matrix = (__local float *)rows_of_matrix;
	color_sample samples[SAMPLES_OF_ITEM];
	__local float light[LIGHT];
	float sigma;
	if (level_skipped(track, &level) || track->colored == 0)
		return;
	color_look(&camera, &volume, level_gate_mm(track, &level), stride, color_offset, rays, pixel_map, input, table, voxels, track, samples);
	bool good = true;
	/* two fits of the light alone, then the sums */
	for (int pass = 0; pass < 3; pass++) {
		for (int first = 0; first < (pass < 2 ? 1 : SYSTEM); first += ROWS_AT_ONCE)
			add_rows(samples, first, shared, rows_of_matrix);
		take_light_out(rows_of_matrix);
		find_light(matrix, light);
		if (pass < 2)
			good = fit_light(pass == 0 ? REACH_FIRST : REACH_SECOND, matrix, samples, light, &sigma) && good;
		if (pass == 1)
			fill_unknowns(light[GREY_MODEL], sigma, volume.voxel_mm, 2.0f / track->pivot_mm, samples);
	}
	int rows = (camera.height / stride + ENM_K_COLOR_PARTS_Y - 1) / ENM_K_COLOR_PARTS_Y * stride;
	/* of the rows' moments in a part only their mean counts: the residuals have each its own, so that the solution is the same */
	float moment = camera.rolling ? row_moment(&camera, (get_group_id(0) / ENM_K_COLOR_PARTS_X + 0.5f) * rows) : 0.0f;
	color_store(good, sigma, camera.sigma_ref_mm, moment, matrix, partials);
}

/* Trace of the inverse of a 6x6 matrix in rows of WIDTH, beside it the identity (Gauss and Jordan); between 1 and 6 times the inverse of
 * its least eigenvalue. By all items, and without the unrolled loops of solve.h, of which compilers bear few in a program. */
static inline float trace_of_inverse(__local float *matrix)
{
	for (int p = 0; p < 6; p++) {
		float per_pivot = 1.0f / matrix[p * WIDTH + p];
		barrier(CLK_LOCAL_MEM_FENCE);
		for (int e = get_local_id(0); e < 6 * WIDTH; e += ENM_K_TRACK_GROUP) {
			int row = e / WIDTH, column = e % WIDTH;
			if (row != p && column > p)
				matrix[e] -= matrix[row * WIDTH + p] * matrix[p * WIDTH + column] * per_pivot;
		}
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	float trace = 0.0f;
	for (int i = 0; i < 6; i++)
		trace += matrix[i * WIDTH + 6 + i] / matrix[i * WIDTH + i];
	return trace;
}

/* Colour has a say where the shape fixes some direction less than this many times as well as a direction has to be: elsewhere it adds a
 * few hundredths to what is known of a pose, and takes as long as the shape does. */
#define FIXED_WELL 4.0f

/* Before the first step of a level. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_need_color(const enm_k_level level, __global const float8 *partials, __global enm_k_track *track)
{
	__local float matrix[6 * WIDTH], weight;
	int item = get_local_id(0);
	if (level_skipped(track, &level))
		return;
	if (item < 7) {
		float8 total = (float8)(0.0f);
		for (int g = 0; g < ENM_K_TRACK_GROUPS; g++)
			total += partials[g * ENM_K_SUM_ROWS_ROLLING + item];
		if (item < 6) {
			vstore8(total, 2 * item, matrix);
			for (int i = 6; i < WIDTH; i++)
				matrix[item * WIDTH + i] = i == 6 + item ? 1.0f : 0.0f;
		} else {
			weight = total.s0;
		}
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	float trace = trace_of_inverse(matrix);
	/* NaN and infinity need colour too; a pivot below zero is rounding where nothing is fixed */
	if (item == 0)
		track->colored = trace > 0.0f && trace * weight * (FIXED_WELL * ENM_K_EIGENVALUE_LEAST) <= 1.0f ? 0 : 1;
}
