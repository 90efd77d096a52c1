/* SPDX-License-Identifier: Apache-2.0
 * The refinement's maps, comparisons and solver (kernels/refine_map.cl, refine.cl, engine/global/refine_solve.c). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/pose.h"
#include "global/refine.h"
#include "global/refine_solve.h"
#include "pipeline/stage.h"
#include "reference/linear.h"
#include "reference/refine.h"
#include "support.h"

static const ref_scene bumps = {REF_BUMPS, 13.0, 0.7, 1.1, 0.9};

/* Two frames of a scene, their maps and what compares them. */
typedef struct rig {
	enm_session_def def;
	depth_stage depth;
	enm_k_refine sizes;
	gpu_kernel k_map, k_rays, k_overlap, k_sum;
	gpu_buffer maps, rays, nodes, pairs, sums, hidden;
	int tile; /* of what is hidden; 0: nothing is */
	bool in_units; /* readings of 16 bits */
	enm_k_node node[2];
	ref_pose second_from_first;
	double *map_depth[2], *map_normals[2];
} rig;

static size_t cells(const rig *r)
{
	return (size_t)r->sizes.columns * (size_t)r->sizes.rows;
}

static void rig_open(rig *r, uint32_t width, uint32_t height, int stride, int samples, double row_time_s)
{
	memset(r, 0, sizeof(*r));
	r->def = support_def(width, height);
	r->def.row_time_s = row_time_s;
	CHECK(depth_create(&test.budget, test.queue, &r->def, &r->depth));
	r->sizes = (enm_k_refine){
		.gate = 5.0f,
		.sigma_per_mm2 = 0.7f * r->depth.camera.sigma_per_mm2,
		.stride = stride,
		.columns = ((int)width + stride - 1) / stride,
		.rows = ((int)height + stride - 1) / stride,
		.samples = samples,
		.seed = 7,
		.residual_mm = {0.004f, -0.002f, 0.003f, -0.001f, 0.002f, 0.005f},
	};
	const stage_kernel map[] = {
		{&r->k_map, "refine_map", "enm_k_camera,enm_k_refine,int,uint,int,float2*,uchar*,uchar*,uint2*"},
		{&r->k_rays, "refine_rays", "enm_k_camera,enm_k_refine,float2*,float2*"},
	};
	const stage_kernel compare[] = {
		{&r->k_overlap, "refine_overlap",
			"enm_k_camera,enm_k_refine,float2*,uint2*,enm_k_node*,enm_k_pair*,float*"},
		{&r->k_sum, "refine_sum", "enm_k_camera,enm_k_refine,float2*,uint2*,enm_k_node*,enm_k_pair*,float*"},
	};
	const stage_buffer buffers[] = {
		{&r->maps, "maps", 2 * cells(r) * 8},
		{&r->rays, "rays", cells(r) * 8},
		{&r->nodes, "nodes", sizeof(r->node)},
		{&r->pairs, "pairs", sizeof(enm_k_pair)},
		{&r->sums, "sums", ENM_K_REFINE_SUMS * 4},
		{&r->hidden, "hidden tiles", 4096},
	};
	CHECK(stage_create_kernels(test.device, "refine_map", map, 2));
	CHECK(stage_create_kernels(test.device, "refine", compare, 2));
	CHECK(stage_create_buffers(&test.budget, buffers, STAGE_COUNT(buffers)));
}

static void rig_close(rig *r)
{
	gpu_buffer *buffers[] = {&r->maps, &r->rays, &r->nodes, &r->pairs, &r->sums, &r->hidden};
	gpu_kernel *kernels[] = {&r->k_map, &r->k_rays, &r->k_overlap, &r->k_sum};
	for (size_t i = 0; i < STAGE_COUNT(buffers); i++)
		gpu_buffer_destroy(buffers[i]);
	for (size_t i = 0; i < STAGE_COUNT(kernels); i++)
		gpu_kernel_destroy(kernels[i]);
	depth_destroy(&r->depth);
	for (int i = 0; i < 2; i++) {
		free(r->map_depth[i]);
		free(r->map_normals[i]);
	}
}

static void make_rays(rig *r)
{
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(r->sizes), GPU_BUFFER(&r->depth.rays), GPU_BUFFER(&r->rays)};
	CHECK(gpu_launch(test.queue, &r->k_rays, GPU_RANGE_2D((size_t)r->sizes.columns, (size_t)r->sizes.rows, 32, 2),
		args, STAGE_COUNT(args)));
}

/* Depths in mm to a map, which is read back: depths and normals of the samples. */
static void make_map(rig *r, uint32_t node, const float *depth_mm)
{
	const int format = r->in_units ? ENM_K_DEPTH_U16 : ENM_K_DEPTH_F32;
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(r->sizes), GPU_VALUE(format), GPU_VALUE(node),
		GPU_VALUE(r->tile), GPU_BUFFER(&r->depth.rays), GPU_BUFFER(&r->depth.input[0]), GPU_BUFFER(&r->hidden),
		GPU_BUFFER(&r->maps)};
	uint32_t *words = support_alloc(2 * cells(r), 8);
	uint16_t *units = support_alloc(r->depth.pixels, 2);
	for (uint32_t i = 0; i < r->depth.pixels && r->in_units; i++)
		units[i] = (uint16_t)lrintf(depth_mm[i] / r->depth.camera.mm_per_unit);
	const void *readings = r->in_units ? (const void *)units : (const void *)depth_mm;
	CHECK(gpu_write(test.queue, &r->depth.input[0], ENM_K_INPUT_DEPTH, readings, (size_t)r->depth.pixels * (r->in_units ? 2 : 4), NULL));
	CHECK(gpu_launch(test.queue, &r->k_map, GPU_RANGE_2D((size_t)r->sizes.columns, (size_t)r->sizes.rows, 32, 2),
		args, STAGE_COUNT(args)));
	support_read(&r->maps, words, 2 * cells(r) * 8);
	r->map_depth[node] = support_alloc(cells(r), sizeof(double));
	r->map_normals[node] = support_alloc(cells(r), 3 * sizeof(double));
	for (size_t i = 0; i < cells(r); i++) {
		const uint32_t *word = words + 2 * (node * cells(r) + i);
		float depth;
		memcpy(&depth, word, 4);
		double n[3] = {(int16_t)(uint16_t)word[1] / 32767.0, (int16_t)(uint16_t)(word[1] >> 16) / 32767.0, 0.0};
		n[2] = 1.0 - fabs(n[0]) - fabs(n[1]);
		const double fold = fmax(-n[2], 0.0);
		n[0] += n[0] < 0.0 ? fold : -fold;
		n[1] += n[1] < 0.0 ? fold : -fold;
		r->map_depth[node][i] = (double)depth;
		for (int k = 0; k < 3; k++)
			r->map_normals[node][3 * i + (size_t)k] = n[k] / ref_length(n);
	}
	free(units);
	free(words);
}

static const enm_pose eye_first = {.q_xyzw = {0, 0, 0, 1}};

/* Both frames of the bumps, the pose between them off by a little. */
static void make_pair(rig *r, double noise_mm)
{
	const enm_pose eye_second = ref_pose_make(0.04, -0.05, 0.08, 1.2, -0.7, 0.3),
		       off = ref_pose_make(0.001, -0.0007, 0.0012, 0.012, -0.016, 0.02);
	const enm_pose *eyes[] = {&eye_first, &eye_second};
	support_random random = {23};
	float *depth = support_alloc(r->depth.pixels, 4);
	make_rays(r);
	for (uint32_t n = 0; n < 2; n++) {
		ref_scene_render(&bumps, &r->def.camera, eyes[n], 60.0, depth);
		for (uint32_t i = 0; i < r->depth.pixels; i++)
			depth[i] += (float)(noise_mm * random_normal(&random));
		make_map(r, n, depth);
	}
	free(depth);
	const ref_pose second = ref_pose_from(&eye_second), moved = ref_pose_from(&off);
	ref_pose back = {{0}, {0}};
	const double zero[3] = {0};
	for (int i = 0; i < 9; i++)
		back.r[i] = second.r[i % 3 * 3 + i / 3];
	ref_pose_apply_back(&second, zero, back.t);
	r->second_from_first = ref_pose_multiply(&back, &moved);
	enm_k_pair pair = {.first = 0, .second = 1};
	for (int i = 0; i < 9; i++)
		pair.second_from_first.r[i] = (float)r->second_from_first.r[i];
	for (int i = 0; i < 3; i++)
		pair.second_from_first.t[i] = (float)r->second_from_first.t[i];
	support_write(&r->pairs, &pair, sizeof(pair));
	support_write(&r->nodes, r->node, sizeof(r->node));
}

static void run_pair(rig *r, gpu_kernel *kernel, float *out, size_t count)
{
	const gpu_arg args[] = {GPU_VALUE(r->depth.camera), GPU_VALUE(r->sizes), GPU_BUFFER(&r->rays),
		GPU_BUFFER(&r->maps), GPU_BUFFER(&r->nodes), GPU_BUFFER(&r->pairs), GPU_BUFFER(&r->sums)};
	CHECK(gpu_launch(test.queue, kernel, GPU_RANGE_1D(ENM_K_REFINE_GROUP, ENM_K_REFINE_GROUP), args, 7));
	support_read(&r->sums, out, count * sizeof(*out));
}

/* ---- maps ---- */

static void check_map(int stride, bool in_units)
{
	rig r;
	const uint32_t w = support_size(162, 66), h = support_size(121, 50);
	/* the few pixels that Oclgrind gets lie three times as far apart */
	const ref_scene scene = test.small ? (ref_scene){REF_BUMPS, 13.0, 0.7, 0.4, 0.3} : bumps;
	rig_open(&r, w, h, stride, 64, 0.0);
	r.in_units = in_units;
	r.depth.camera.mm_per_unit = 0.0005f;
	float *depth = support_alloc(w * h, 4);
	ref_scene_render(&scene, &r.def.camera, &eye_first, 60.0, depth);
	make_map(&r, 0, depth);
	int found = 0;
	double off = 0.0, turned = 0.0;
	for (int y = 0; y < r.sizes.rows; y++)
		for (int x = 0; x < r.sizes.columns; x++) {
			const int at = y * r.sizes.columns + x, px = stride * x, py = stride * y;
			const bool inner = px >= 3 && py >= 3 && px < (int)w - 3 && py < (int)h - 3;
			assert_true(inner || r.map_depth[0][at] == 0.0);
			if (r.map_depth[0][at] == 0.0)
				continue;
			double ray[3] = {0, 0, 1}, p[3], n[3];
			ref_ray(&r.def.camera, px, py, ray);
			for (int i = 0; i < 3; i++)
				p[i] = ray[i] * (double)depth[py * (int)w + px];
			ref_scene_normal(&scene, p, n);
			assert_near(r.map_depth[0][at], depth[py * (int)w + px], 0.02);
			assert_true(ref_dot(n, r.map_normals[0] + 3 * at) > 0.98);
			found++;
			off += fabs(r.map_depth[0][at] - (double)depth[py * (int)w + px]);
			turned += 1.0 - ref_dot(n, r.map_normals[0] + 3 * at);
		}
	assert_true(found > (int)((test.small ? 0.6 : 0.8) * (double)cells(&r)));
	/* the readings' distances here are a third more than a scanner's, and the bumps are small */
	assert_true(off < 0.001 * found && turned < 0.0005 * found);
	free(depth);
	rig_close(&r);
}

static void a_map_is_the_surface(void **state)
{
	(void)state;
	check_map(2, false);
	check_map(3, true); /* and columns that are no multiple of lanes */
}

/* A hole takes its own samples out and leaves those beside it as they were; a step leaves none along it. */
static void holes_and_steps_are_left_out(void **state)
{
	(void)state;
	rig r;
	rig_open(&r, 66, 50, 2, 64, 0.0);
	float *depth = support_alloc(66 * 50, 4);
	for (int i = 0; i < 66 * 50; i++)
		depth[i] = i % 66 < 33 ? 13.0f : 14.5f;
	depth[24 * 66 + 14] = 0.0f;
	depth[24 * 66 + 15] = NAN;
	depth[24 * 66 + 16] = 1e9f;
	make_map(&r, 0, depth);
	const double *row = r.map_depth[0] + 12 * r.sizes.columns;
	assert_true(row[7] == 0.0 && row[8] == 0.0);
	assert_near(row[6], 13.0, 1e-5);
	assert_near(row[9], 13.0, 1e-5);
	assert_near(row[25], 14.5, 1e-5);
	for (int x = 15; x <= 17; x++)
		assert_true(row[x] == 0.0); /* pixels 30 to 34, the step being between 32 and 33 */
	free(depth);
	rig_close(&r);
}

static void hidden_tiles_say_nothing(void **state)
{
	(void)state;
	rig r;
	uint8_t hidden[9 * 7] = {0}; /* tiles of 8 pixels */
	rig_open(&r, 66, 50, 2, 64, 0.0);
	float *depth = support_alloc(66 * 50, 4);
	for (int i = 0; i < 66 * 50; i++)
		depth[i] = 13.0f;
	hidden[2 * 9 + 3] = 1;
	hidden[4 * 9 + 8] = 3;
	r.tile = 8;
	support_write(&r.hidden, hidden, sizeof(hidden));
	make_map(&r, 0, depth);
	for (int y = 2; y < r.sizes.rows - 2; y++)
		for (int x = 2; x < r.sizes.columns - 2; x++) {
			const bool there = hidden[y / 4 * 9 + x / 4] == 0;
			assert_true((r.map_depth[0][y * r.sizes.columns + x] > 0.0) == there);
		}
	free(depth);
	rig_close(&r);
}

/* ---- pairs ---- */

static void check_sums(rig *r)
{
	const ref_refine how = {.camera = &r->def.camera,
		.residual_mm = {0.004, -0.002, 0.003, -0.001, 0.002, 0.005},
		.gate = 5.0,
		.sigma_per_mm2 = (double)r->sizes.sigma_per_mm2,
		.stride = r->sizes.stride,
		.columns = r->sizes.columns,
		.rows = r->sizes.rows,
		.samples = r->sizes.samples,
		.seed = r->sizes.seed};
	double skew[2][6], wanted[ENM_K_REFINE_SUMS], scale[19];
	float got[ENM_K_REFINE_SUMS];
	ref_refine_map maps[2];
	int unsure;
	for (uint32_t n = 0; n < 2; n++) {
		for (int i = 0; i < 6; i++)
			skew[n][i] = (double)r->node[n].skew[i];
		maps[n] = (ref_refine_map){
			r->map_depth[n], r->map_normals[n], r->depth.camera.rolling ? skew[n] : NULL, n};
	}
	ref_refine_pair(&how, &maps[0], &maps[1], &r->second_from_first, wanted, &unsure);
	run_pair(r, &r->k_sum, got, ENM_K_REFINE_SUMS);
	const double samples = wanted[ENM_K_REFINE_OFFERED];
	assert_true(samples > 0.6 * r->sizes.samples && wanted[ENM_K_REFINE_INLIERS] > 0.5 * samples);
	assert_near(got[ENM_K_REFINE_OFFERED], samples, unsure + 0.1);
	assert_near(got[ENM_K_REFINE_INLIERS], wanted[ENM_K_REFINE_INLIERS], unsure + 2e-3 * samples);
	for (int a = 0, at = 0; a < 19; at += 19 - a, a++)
		scale[a] = sqrt(wanted[at]);
	/* rows at moments of their own turn rays by up to a hundredth, which the terms' derivatives leave out */
	const double tolerance = (r->depth.camera.rolling ? 0.012 : 0.002) + 1.5 * unsure / samples;
	for (int a = 0, at = 0; a < 19; a++)
		for (int b = a; b < 19; b++, at++)
			if (fabs((double)got[at] - wanted[at]) > tolerance * scale[a] * scale[b])
				fail_msg("columns %d and %d: %g, not %g (scale %g, %d unsure)", a, b, (double)got[at],
					wanted[at], scale[a] * scale[b], unsure);
}

static void derivatives_are_those_of_differences(void **state)
{
	(void)state;
	rig r;
	rig_open(&r, support_size(160, 80), support_size(120, 60), 2, (int)support_size(512, 64), 0.0);
	make_pair(&r, 0.004);
	check_sums(&r);
	rig_close(&r);
}

static void derivatives_with_distortion(void **state)
{
	(void)state;
	rig r;
	enm_session_def def;
	rig_open(&r, support_size(160, 80), support_size(120, 60), 1, (int)support_size(512, 64), 0.0);
	def = r.def;
	def.camera.distortion[0] = -0.12;
	def.camera.distortion[1] = 0.03;
	def.camera.distortion[2] = 0.002;
	depth_destroy(&r.depth);
	r.def = def;
	CHECK(depth_create(&test.budget, test.queue, &def, &r.depth));
	make_pair(&r, 0.0);
	check_sums(&r);
	rig_close(&r);
}

static void derivatives_with_rows_at_moments_of_their_own(void **state)
{
	(void)state;
	rig r;
	rig_open(&r, support_size(160, 80), support_size(120, 60), 2, (int)support_size(512, 64), 1e-4);
	for (int i = 0; i < 6; i++) {
		r.node[0].skew[i] = (float)(i < 3 ? 0.002 * (i - 1) : 0.01 * (i - 4));
		r.node[1].skew[i] = (float)(i < 3 ? -0.001 * i : 0.008 * (i - 3));
	}
	make_pair(&r, 0.0);
	check_sums(&r);
	rig_close(&r);
}

static void overlap_is_the_share_that_both_see(void **state)
{
	(void)state;
	rig r;
	float share;
	rig_open(&r, 160, 120, 2, 64, 0.0);
	make_pair(&r, 0.0);
	run_pair(&r, &r.k_overlap, &share, 1);
	assert_true(share > 0.7f && share <= 1.0f);
	enm_k_pair pair = {.first = 0, .second = 1};
	pair.second_from_first.r[0] = pair.second_from_first.r[4] = pair.second_from_first.r[8] = 1.0f;
	pair.second_from_first.t[0] = 300.0f;
	support_write(&r.pairs, &pair, sizeof(pair));
	run_pair(&r, &r.k_overlap, &share, 1);
	assert_true(share == 0.0f);
	rig_close(&r);
}

/* ---- the solver ---- */

#define NODES 23
#define PAIRS 90

/* What random comparisons of two frames would say: sums of products of random columns. */
static void random_pair(support_random *random, float *sums)
{
	double columns[19], totals[ENM_K_REFINE_SUMS] = {0};
	for (int n = 0; n < 40; n++) {
		for (int i = 0; i < 19; i++)
			columns[i] = random_normal(random);
		for (int a = 0, at = 0; a < 19; a++)
			for (int b = a; b < 19; b++)
				totals[at++] += columns[a] * columns[b];
	}
	for (int i = 0; i < ENM_K_REFINE_SUMS; i++)
		sums[i] = (float)totals[i];
}

/* The same as one dense matrix of all unknowns. */
static void add_dense(double *h, double *g, size_t first, size_t second, const float *sums)
{
	const size_t n = 6 * NODES + 6;
	size_t of[18];
	for (size_t i = 0; i < 6; i++) {
		of[i] = 6 * first + i;
		of[6 + i] = 6 * second + i;
		of[12 + i] = 6 * NODES + i;
	}
	for (size_t a = 0, at = 0; a < 19; a++)
		for (size_t b = a; b < 19; b++, at++) {
			if (b == 18 && a < 18)
				g[of[a]] += (double)sums[at];
			if (b == 18)
				continue;
			h[of[a] * n + of[b]] += (double)sums[at];
			if (a != b)
				h[of[b] * n + of[a]] += (double)sums[at];
		}
}

/* Turns of successive nodes tied to one another, some by far more than comparisons fix them. */
static void tie_turns(support_random *random, solve_system *system, double *h, double *g)
{
	const size_t n = 6 * NODES + 6;
	for (size_t first = 0; first + SOLVE_TURNS < NODES - 2; first++) {
		double share[SOLVE_TURNS], off[3], weight[3];
		for (size_t i = 0; i < SOLVE_TURNS; i++)
			share[i] = random_in(random, -3, 3);
		for (size_t axis = 0; axis < 3; axis++) {
			off[axis] = random_in(random, -1e-4, 1e-4);
			weight[axis] = pow(10.0, random_in(random, 0, 6));
		}
		solve_add_turns(system, (uint32_t)first, share, off, weight);
		for (size_t a = 0; a < 3 * SOLVE_TURNS; a++) {
			const size_t axis = a % 3, row = 6 * (first + a / 3) + axis;
			g[row] += share[a / 3] * weight[axis] * off[axis];
			for (size_t b = 0; b < SOLVE_TURNS; b++)
				h[row * n + 6 * (first + b) + axis] += share[a / 3] * share[b] * weight[axis];
		}
	}
}

static void dense_solve(size_t n, double *h, double *g)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++) {
			const double factor = h[k * n + i] / h[i * n + i];
			for (size_t j = i; j < n; j++)
				h[k * n + j] -= factor * h[i * n + j];
			g[k] -= factor * g[i];
		}
	for (size_t i = n; i-- > 0;) {
		for (size_t j = i + 1; j < n; j++)
			g[i] -= h[i * n + j] * g[j];
		g[i] /= h[i * n + i];
	}
}

/* Covariances of quantities that some frames and terms make up, against the whole inverse; `h` is that of all unknowns. */
static void check_covariance(const solve_system *system, rigid *poses, const solve_answer *answer, double information,
	size_t n, const double *h)
{
	const size_t count = 11; /* more than are solved for at a time */
	support_random random = {3};
	certainty of = {.system = *system, .poses = poses, .information = information};
	double *whole = support_alloc(count * n, sizeof(double)), *x = support_alloc(count * n, sizeof(double)),
	       *copy = support_alloc(n * n, sizeof(double)), found[11 * 11], halved[11 * 11], terms[11 * 11];
	certainty_columns columns = {.count = count, .rows = n - 6, .information = 1.0};
	columns.nodes = support_alloc(count * n, sizeof(double));
	columns.terms = columns.nodes + count * columns.rows;
	memcpy(of.terms, answer->covariance, sizeof(of.terms));
	for (size_t q = 0; q < count; q++) {
		for (size_t i = 0; i < n; i++)
			whole[q * n + i] = x[q * n + i] = i / 6 % 3 == q % 3 || i >= n - 6 ? random_normal(&random) : 0.0;
		memcpy(columns.nodes + q * columns.rows, whole + q * n, columns.rows * sizeof(double));
		memcpy(columns.terms + 6 * q, whole + q * n + columns.rows, 6 * sizeof(double));
		memcpy(copy, h, n * n * sizeof(double));
		dense_solve(n, copy, x + q * n);
	}
	CHECK(certainty_solve(&of, &columns, found));
	for (size_t a = 0; a < count; a++)
		for (size_t b = 0; b < count; b++) {
			double wanted = 0.0;
			for (size_t i = 0; i < n; i++)
				wanted += whole[a * n + i] * x[b * n + i] / information;
			assert_near(found[a * count + b], wanted, 1e-6);
		}
	/* more information for the poses leaves what the terms are uncertain by */
	columns.information = 2.0;
	CHECK(certainty_solve(&of, &columns, halved));
	columns.information = 1e30;
	CHECK(certainty_solve(&of, &columns, terms));
	for (size_t i = 0; i < count * count; i++)
		assert_near(halved[i], 0.5 * (found[i] + terms[i]), 1e-12 + 1e-9 * fabs(found[i]));
	assert_true(terms[0] > 0.0 && terms[0] < found[0]);
	free(whole);
	free(x);
	free(copy);
	free(columns.nodes);
}

static void the_solver_agrees_with_a_dense_one(void **state)
{
	(void)state;
	const size_t n = 6 * NODES + 6;
	support_random random = {99};
	solve_system system;
	rigid poses[NODES];
	bool anchor[NODES] = {true};
	double steps[6 * NODES], *h = support_alloc(n * n, sizeof(double)), *g = support_alloc(n, sizeof(double));
	solve_answer answer = {.steps = steps};
	solve_prior prior = {.information = 0.5};
	CHECK(solve_create(NODES, PAIRS, &system));
	for (size_t i = 0; i < NODES; i++) {
		const enm_pose pose = ref_pose_make(
			random_in(&random, -1, 1), 0.3, -0.2, random_in(&random, -9, 9), 2, random_in(&random, -9, 9));
		const enm_k_pose k = pose_to_device(&pose);
		poses[i] = rigid_from_device(&k);
	}
	for (size_t p = 0; p < PAIRS; p++) {
		float sums[ENM_K_REFINE_SUMS];
		const size_t a = p % (NODES - 2),
			     b = a + 1 + p / (NODES - 2) % (NODES - 2 - a); /* the last node is compared with none */
		random_pair(&random, sums);
		solve_add(&system, (uint32_t)a, (uint32_t)b, sums);
		add_dense(h, g, a, b, sums);
	}
	tie_turns(&random, &system, h, g);
	for (int i = 0; i < 6; i++) {
		prior.off_mm[i] = 0.01 * i;
		for (int j = 0; j < 6; j++)
			prior.weight[6 * i + j] = i == j ? 100.0 * (i + 1) : 10.0;
	}
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < 6; j++) {
			h[(6 * NODES + i) * n + 6 * NODES + j] += prior.weight[6 * i + j] / prior.information;
			g[6 * NODES + i] += prior.weight[6 * i + j] * prior.off_mm[j] / prior.information;
		}
	for (size_t i = 0; i < 6; i++) { /* the anchor */
		for (size_t j = 0; j < 6; j++)
			h[i * n + j] += system.diagonal[6 * i + j];
	}
	for (size_t i = 0; i < 6 * NODES; i++) /* places are known before to 0.02 rad and 0.3 mm: all that holds the last one */
		h[i * (n + 1)] += i % 6 < 3 ? 1.0 / (0.02 * 0.02) : 1.0 / (0.3 * 0.3);
	CHECK(solve_run(&system, poses, anchor, &prior, &answer));
	check_covariance(&system, poses, &answer, prior.information, n, h);
	dense_solve(n, h, g);
	for (size_t i = 0; i < 6 * NODES; i++)
		assert_near(steps[i], -g[i], 1e-8);
	for (size_t i = 0; i < 6; i++)
		assert_near(answer.terms_mm[i], -g[6 * NODES + i], 1e-8);
	for (size_t i = 6 * (NODES - 1); i < 6 * NODES; i++)
		assert_near(steps[i], 0.0, 1e-9); /* nothing moves it */
	assert_true(answer.iterations > 1 && answer.iterations < 100);
	for (int i = 0; i < 6; i++)
		assert_true(answer.covariance[7 * i] > 0.0 && answer.covariance[7 * i] < 1.0 / (prior.weight[7 * i] - 50.0));
	solve_destroy(&system);
	free(h);
	free(g);
}

/* Two frames, each turned and away from the other, of which tracking says for certain how they lie. */
static void a_known_motion_is_kept(void **state)
{
	(void)state;
	support_random random = {17};
	solve_system system;
	rigid poses[2], found[2];
	const bool anchor[2] = {true};
	double steps[12], off[6], left[6], seen[36], information[36] = {0};
	solve_answer answer = {.steps = steps};
	solve_prior prior = {.information = 1.0};
	for (int i = 0; i < 6; i++) {
		information[7 * i] = 1e9;
		prior.weight[7 * i] = 1.0;
	}
	for (int n = 0; n < 2; n++) {
		const enm_pose pose = ref_pose_make(random_in(&random, -1, 1), 0.4, -0.7, random_in(&random, -9, 9), 5, random_in(&random, -9, 9));
		const enm_k_pose k = pose_to_device(&pose);
		poses[n] = rigid_from_device(&k);
	}
	for (int i = 0; i < 6; i++)
		off[i] = random_in(&random, -1e-3, 1e-3);
	const rigid first_back = rigid_inverse(&poses[0]), now = rigid_after(&first_back, &poses[1]), back = rigid_inverse(&now);
	double undo[6];
	for (int i = 0; i < 6; i++)
		undo[i] = -off[i];
	const rigid told = rigid_moved(&now, undo); /* told . off is now, but for the square of a step */
	solve_step_seen(&back, seen);
	CHECK(solve_create(2, 1, &system));
	solve_add_motion(&system, 0, 1, seen, off, information);
	CHECK(solve_run(&system, poses, anchor, &prior, &answer));
	for (int n = 0; n < 2; n++)
		found[n] = rigid_moved(&poses[n], steps + 6 * n);
	const rigid found_back = rigid_inverse(&found[0]), between = rigid_after(&found_back, &found[1]);
	rigid_step_between(&told, &between, left);
	for (int i = 0; i < 6; i++) {
		assert_near(left[i], 0.0, 2e-5); /* the anchor is held by as much as the motion */
		assert_true(fabs(steps[i]) + fabs(steps[6 + i]) > 1e-6);
	}
	solve_destroy(&system);
}

static void steps_lead_from_pose_to_pose(void **state)
{
	(void)state;
	support_random random = {5};
	for (int n = 0; n < 100; n++) {
		double step[6], found[6];
		const enm_pose pose = ref_pose_make(
			random_in(&random, -1, 1), random_in(&random, -1, 1), 0.5, 3, random_in(&random, -50, 50), 2);
		const enm_k_pose k = pose_to_device(&pose);
		const rigid from = rigid_from_device(&k);
		for (int i = 0; i < 6; i++)
			step[i] = random_in(&random, -1.2, 1.2) * (n % 2 ? 1.0 : 1e-5);
		const rigid to = rigid_moved(&from, step);
		rigid_step_between(&from, &to, found);
		for (int i = 0; i < 6; i++)
			assert_near(found[i], step[i], 1e-12);
	}
}

/* A camera whose motion is known before and after: half of its exposure's, at a speed that changes. */
static void motions_within_frames_follow_the_path(void **state)
{
	(void)state;
	const int64_t start = INT64_C(5000000000), times[] = {start, start + 30000000, start + 75000000},
		      late[] = {start, start + 30000000, start + 140000000};
	const rigid middle = {{0, -1, 0, 1, 0, 0, 0, 0, 1}, {5, -3, 2}};
	rigid poses[3] = {middle, middle, middle};
	float skew[6] = {9, 9, 9, 9, 9, 9};
	for (int n = 0; n < 3; n += 2) {
		const double t = 1e-9 * (double)(times[n] - times[1]);
		const double step[6] = {0.3 * t, -0.2 * t, 0.1 * t, 8 * t + 100 * t * t, -5 * t, 3 * t - 60 * t * t};
		poses[n] = rigid_moved(&middle, step);
	}
	assert_false(refine_skew(0.01, poses, late, skew));
	assert_true(skew[0] == 9.0f);
	assert_true(refine_skew(0.01, poses, times, skew));
	const double wanted[6] = {0.003, -0.002, 0.001, 0.08, -0.05, 0.03};
	for (int i = 0; i < 6; i++)
		assert_near(skew[i], wanted[i], 1e-6);
}

KERNEL_TEST_MAIN(KERNEL_TEST(a_map_is_the_surface), KERNEL_TEST(holes_and_steps_are_left_out),
	KERNEL_TEST(hidden_tiles_say_nothing), KERNEL_TEST(derivatives_are_those_of_differences),
	KERNEL_TEST(derivatives_with_distortion), KERNEL_TEST(derivatives_with_rows_at_moments_of_their_own),
	KERNEL_TEST(overlap_is_the_share_that_both_see), KERNEL_TEST(the_solver_agrees_with_a_dense_one),
	KERNEL_TEST(steps_lead_from_pose_to_pose), KERNEL_TEST(a_known_motion_is_kept), KERNEL_TEST(motions_within_frames_follow_the_path))
