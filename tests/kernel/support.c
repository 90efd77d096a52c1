/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/pose.h"
#include "gpu/guard.h"

support test;
static uint64_t bytes_before;

static void print_log(void *user, enm_log_level level, const char *text)
{
	(void)user;
	(void)level;
	fprintf(stderr, "%s\n", text);
}

int support_open(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	const char *wish = getenv("ENAMEL_TEST_DEVICE"), *small = getenv("ENAMEL_TEST_SMALL");
	char *end = NULL;
	if (wish != NULL && wish[0] != '\0') {
		const long index = strtol(wish, &end, 10);
		if (*end == '\0')
			def.device_index = (int32_t)index;
		else
			def.device_name = wish;
	}
	def.log = print_log;
	test.small = small != NULL && small[0] == '1';
	if (gpu_device_open(&def, &test.device) != ENM_OK || gpu_queue_create(test.device, &test.queue) != ENM_OK) {
		fprintf(stderr, "%s\n", enm_last_error());
		return -1;
	}
	printf("# %s (%s)\n", gpu_device_get_info(test.device)->name, gpu_device_get_info(test.device)->platform);
	test.budget = (gpu_budget){.device = test.device};
	/* Oclgrind sees each write out of range itself, and loses track of what is initialised in sub-buffers */
	test.guards = strstr(gpu_device_get_info(test.device)->name, "Oclgrind") == NULL;
	gpu_guard_enable(test.guards);
	return 0;
}

int support_close(void **state)
{
	(void)state;
	gpu_queue_destroy(&test.queue);
	gpu_device_release(&test.device);
	return 0;
}

int support_begin(void **state)
{
	(void)state;
	bytes_before = test.budget.bytes;
	return 0;
}

int support_end(void **state)
{
	(void)state;
	const char *damaged = NULL;
	CHECK(gpu_finish(test.queue));
	CHECK(gpu_guard_check(test.device, &damaged));
	if (damaged != NULL) {
		fprintf(stderr, "written past an end of buffer: %s\n", damaged);
		return -1;
	}
	if (test.budget.bytes != bytes_before) {
		fprintf(stderr, "%llu bytes of device memory were not given back\n",
			(unsigned long long)(test.budget.bytes - bytes_before));
		return -1;
	}
	return 0;
}

void support_check(enm_result result, const char *call, const char *file, int line)
{
	if (result == ENM_OK)
		return;
	print_error("%s: %s (%s)\n", call, enm_result_name(result), enm_last_error());
	_fail(file, line);
}

void support_near(double a, double b, double tolerance, const char *what, const char *file, int line)
{
	if (fabs(a - b) <= tolerance)
		return;
	print_error("%s: %.9g is not %.9g within %.3g\n", what, a, b, tolerance);
	_fail(file, line);
}

uint32_t support_size(uint32_t full, uint32_t small)
{
	return test.small ? small : full;
}

void support_write(gpu_buffer *to, const void *from, size_t bytes)
{
	CHECK(gpu_write(test.queue, to, 0, from, bytes, NULL));
	CHECK(gpu_finish(test.queue));
}

void support_read(const gpu_buffer *from, void *to, size_t bytes)
{
	CHECK(gpu_read(test.queue, from, 0, to, bytes, NULL));
	CHECK(gpu_finish(test.queue));
}

void *support_alloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (memory == NULL)
		abort();
	return memory;
}

/* splitmix64 (Steele, Lea and Flood 2014) */
uint32_t random_bits(support_random *r)
{
	uint64_t z = (r->state += 0x9E3779B97F4A7C15u);
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return (uint32_t)((z ^ z >> 31) >> 32);
}

double random_in(support_random *r, double low, double high)
{
	return low + (high - low) * random_bits(r) / 4294967296.0;
}

double random_normal(support_random *r)
{
	const double u = 1.0 - random_in(r, 0.0, 1.0), v = random_in(r, 0.0, 2.0 * acos(-1.0));
	return sqrt(-2.0 * log(u)) * cos(v);
}

enm_session_def support_def(uint32_t width, uint32_t height)
{
	const enm_camera camera = {
		.width = width,
		.height = height,
		.fx = 1.1 * width,
		.fy = 1.1 * width,
		.cx = 0.5 * (width - 1) + 0.3,
		.cy = 0.5 * (height - 1) - 0.2,
	};
	return enm_session_def_default(&camera, ENM_SCALE_TOOTH);
}

void support_model_create(model *m, uint32_t capacity, uint32_t grid_cells, double voxel_mm, double truncation_mm)
{
	uint32_t slots = 2;
	while (slots < 2 * capacity)
		slots *= 2;
	memset(m, 0, sizeof(*m));
	m->volume = (enm_k_volume){
		.voxel_mm = (float)voxel_mm,
		.truncation_mm = (float)truncation_mm,
		.table_mask = slots - 1,
		.capacity = capacity,
		.grid_capacity = grid_cells,
	};
	m->blocks_max = capacity;
	CHECK(gpu_kernel_create(
		test.device, "allocate", "allocate_rehash", "enm_k_volume,enm_k_blocks*,uint*,uint*", &m->k_rehash));
	CHECK(gpu_buffer_create(&test.budget, "block table", slots * 8, &m->table));
	CHECK(gpu_buffer_create(&test.budget, "block keys", capacity * 4, &m->keys));
	CHECK(gpu_buffer_create(&test.budget, "block changes", capacity * 4, &m->changed));
	CHECK(gpu_buffer_create(&test.budget, "voxels", (size_t)capacity * ENM_K_BLOCK_WORDS * 4, &m->voxels));
	CHECK(gpu_buffer_create(&test.budget, "block counts", sizeof(enm_k_blocks), &m->blocks));
	CHECK(model_clear(m, test.queue));
	CHECK(gpu_finish(test.queue));
}

/* The blocks' voxels as the device keeps them. */
static uint32_t *packed(const ref_volume *from)
{
	uint32_t *words = support_alloc((size_t)from->count * ENM_K_BLOCK_WORDS + 1, 4);
	for (uint32_t b = 0; b < from->count; b++) {
		for (uint32_t i = 0; i < ENM_K_BLOCK_VOXELS; i++) {
			const enm_k_voxel *v = from->voxels + (size_t)b * ENM_K_BLOCK_VOXELS + i;
			uint32_t *word = words + (size_t)b * ENM_K_BLOCK_WORDS + i;
			word[0] = (uint32_t)(uint16_t)v->sdf | (uint32_t)v->weight << 16;
			word[ENM_K_PLANE_COLOR] =
				v->red | (uint32_t)v->green << 8 | (uint32_t)v->blue << 16 | (uint32_t)v->views << 24;
		}
	}
	return words;
}

static void unpack(const uint32_t *words, ref_volume *to)
{
	for (uint32_t b = 0; b < to->count; b++) {
		for (uint32_t i = 0; i < ENM_K_BLOCK_VOXELS; i++) {
			const uint32_t *word = words + (size_t)b * ENM_K_BLOCK_WORDS + i;
			const uint32_t color = word[ENM_K_PLANE_COLOR];
			to->voxels[(size_t)b * ENM_K_BLOCK_VOXELS + i] = (enm_k_voxel){
				.sdf = (int16_t)(uint16_t)word[0],
				.weight = (uint16_t)(word[0] >> 16),
				.red = (uint8_t)color,
				.green = (uint8_t)(color >> 8),
				.blue = (uint8_t)(color >> 16),
				.views = (uint8_t)(color >> 24),
			};
		}
	}
}

void support_model_load(model *m, const ref_volume *from)
{
	assert_true(from->count <= m->volume.capacity);
	const enm_k_blocks blocks = {.used = from->count, .base = from->count}; /* none is new */
	CHECK(model_clear(m, test.queue));
	CHECK(gpu_write(test.queue, &m->keys, 0, from->keys, from->count * 4, NULL));
	uint32_t *words = packed(from);
	CHECK(gpu_write(test.queue, &m->voxels, 0, words, (size_t)from->count * ENM_K_BLOCK_WORDS * 4, NULL));
	CHECK(gpu_write(test.queue, &m->blocks, 0, &blocks, sizeof(blocks), NULL));
	const gpu_arg args[] = {
		GPU_VALUE(m->volume), GPU_BUFFER(&m->blocks), GPU_BUFFER(&m->keys), GPU_BUFFER(&m->table)};
	CHECK(gpu_launch(test.queue, &m->k_rehash, GPU_RANGE_1D(from->count, 64), args, 4));
	CHECK(gpu_finish(test.queue));
	free(words);
}

void support_model_read(const model *m, ref_volume *to)
{
	enm_k_blocks blocks;
	support_read(&m->blocks, &blocks, sizeof(blocks));
	assert_true(blocks.used <= to->capacity);
	to->count = blocks.used;
	support_read(&m->keys, to->keys, blocks.used * 4);
	const size_t bytes = (size_t)blocks.used * ENM_K_BLOCK_WORDS * 4;
	uint32_t *words = support_alloc(1, bytes + 4);
	support_read(&m->voxels, words, bytes);
	unpack(words, to);
	free(words);
}

void support_depth(depth_stage *stage, const enm_session_def *def, const float *depth_mm)
{
	CHECK(depth_create(&test.budget, test.queue, def, stage));
	CHECK(gpu_write(test.queue, &stage->input[0], ENM_K_INPUT_DEPTH, depth_mm, (size_t)stage->pixels * 4, NULL));
	CHECK(depth_run(stage, test.queue, 0, ENM_DEPTH_F32_MM));
	CHECK(gpu_finish(test.queue));
}

void support_pixels(const depth_stage *stage, float *out_filtered, float *out_normals)
{
	const size_t n = stage->pixels;
	uint32_t *map = support_alloc(n, 16);
	support_read(&stage->pixel_map, map, n * 16);
	for (size_t i = 0; i < n; i++) {
		const uint32_t *p = map + 4 * i;
		const uint16_t parts[4] = {
			(uint16_t)p[2], (uint16_t)(p[2] >> 16), (uint16_t)p[3], (uint16_t)(p[3] >> 16)};
		memcpy(&out_filtered[i], &p[0], 4);
		for (int k = 0; k < 3; k++)
			out_normals[4 * i + (size_t)k] = (float)(int16_t)parts[k] / 32767.0f;
		out_normals[4 * i + 3] = (float)parts[3] / 16384.0f;
	}
	free(map);
}

/* IEEE 754 binary16; every value of it is a float. */
static float from_half(uint16_t bits)
{
	const int exponent = bits >> 10 & 31, fraction = bits & 1023;
	double value = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
	if (exponent == 31)
		value = fraction == 0 ? INFINITY : NAN;
	return (float)(bits >> 15 ? -value : value);
}

void support_normals(const view_stage *stage, float *out_normals)
{
	const size_t n = 4 * (size_t)stage->width * stage->height;
	if (!stage->halves) {
		support_read(&stage->normals, out_normals, n * 4);
		return;
	}
	uint16_t *halves = support_alloc(n, 2);
	support_read(&stage->normals, halves, n * 2);
	for (size_t i = 0; i < n; i++)
		out_normals[i] = from_half(halves[i]);
	free(halves);
}

enm_k_track support_state(const enm_pose *pose, uint32_t verdict)
{
	enm_k_track state;
	memset(&state, 0, sizeof(state));
	state.world_from_camera = state.predicted = state.last = pose_to_device(pose);
	state.verdict = verdict;
	state.frames = state.tracked = 1;
	return state;
}

void support_state_create(gpu_buffer *out_buffer, const enm_k_track *state)
{
	CHECK(gpu_buffer_create(&test.budget, "track state", sizeof(*state), out_buffer));
	support_write(out_buffer, state, sizeof(*state));
}
