/* SPDX-License-Identifier: Apache-2.0
 *
 * Is this device, with this driver, to be trusted with the kernels? Small sums whose answers are known, each kind of
 * thing that the kernels rely on once. */
#include "core/self_check.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "layout_list.h"

#define ITEMS 256u
#define GROUP 64u
#define OUTPUTS_MAX 8u
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

typedef struct check {
	gpu_device *device;
	gpu_queue *queue;
	gpu_budget budget;
	gpu_buffer in, out, more;
	bool passed;
} check;

static void wrong(check *c, const char *what, uint32_t item, double got, double expected)
{
	if (c->passed)
		error_set(ENM_E_DEVICE, "self-check: %s: item %u gave %.9g, not %.9g", what, item, got, expected);
	c->passed = false;
}

/* One launch of `items` items in groups of GROUP; then all of `buffer` is read. */
static enm_result run(check *c, const char *name, const char *signature, uint32_t items, const gpu_arg *args,
	uint32_t count, const gpu_buffer *buffer, void *out, size_t bytes)
{
	gpu_kernel kernel = {0};
	enm_result result = gpu_kernel_create(c->device, "selfcheck", name, signature, &kernel);
	if (result == ENM_OK)
		result = gpu_launch(c->queue, &kernel, GPU_RANGE_1D(items, GROUP), args, count);
	if (result == ENM_OK)
		result = gpu_read(c->queue, buffer, 0, out, bytes, NULL);
	if (result == ENM_OK)
		result = gpu_finish(c->queue);
	gpu_kernel_destroy(&kernel);
	return result;
}

static enm_result upload(check *c, gpu_buffer *to, const void *from, size_t bytes)
{
	enm_result result = gpu_write(c->queue, to, 0, from, bytes, NULL);
	return result == ENM_OK ? gpu_finish(c->queue) : result;
}

static uint32_t leading_zeros(uint32_t a)
{
	uint32_t count = 0;
	for (uint32_t bit = 0x80000000u; bit != 0 && (a & bit) == 0; bit >>= 1)
		count++;
	return count;
}

static void integer_answers(uint32_t a, uint32_t out[8])
{
	uint32_t ones = 0;
	for (uint32_t rest = a; rest != 0; rest &= rest - 1)
		ones++;
	out[0] = a * 2654435761u + 12345u;
	out[1] = a >> 7;
	out[2] = (a >> 7) | ((a & 0x80000000u) != 0 ? 0xFE000000u : 0u);
	out[3] = (uint32_t)(((uint64_t)a * 0x9E3779B9u) >> 32);
	out[4] = ones;
	out[5] = leading_zeros(a);
	out[6] = (a << 13) | (a >> 19);
	out[7] = (uint32_t)((int32_t)a / 7) ^ (a % 11u);
}

static enm_result check_integer(check *c)
{
	uint32_t in[ITEMS], out[ITEMS * 8], expected[8], count = ITEMS;
	for (uint32_t i = 0; i < ITEMS; i++)
		in[i] = i < 2 ? 0u - i : i * 0x9E3779B1u;
	const gpu_arg args[] = {GPU_BUFFER(&c->in), GPU_BUFFER(&c->out), GPU_VALUE(count)};
	enm_result result = upload(c, &c->in, in, sizeof(in));
	if (result == ENM_OK)
		result = run(c, "selfcheck_integer", "uint*,uint*,uint", ITEMS, args, COUNT_OF(args), &c->out, out,
			sizeof(out));
	for (uint32_t i = 0; i < ITEMS && result == ENM_OK; i++) {
		integer_answers(in[i], expected);
		for (uint32_t k = 0; k < 8; k++)
			if (out[8 * i + k] != expected[k])
				wrong(c, "integer arithmetic", i, out[8 * i + k], expected[k]);
	}
	return result;
}

static bool close_enough(float got, float expected, float ulps)
{
	return fabsf(got - expected) <= ulps * 1.2e-7f * fabsf(expected);
}

/* Sum, product and their difference are exact by the standard; quotient and root within 3 ulp of it. */
static enm_result check_float(check *c)
{
	float in[2 * ITEMS], out[6 * ITEMS];
	uint32_t count = ITEMS;
	for (uint32_t i = 0; i < 2 * ITEMS; i++)
		in[i] = 0.01f + (float)((i * 7919u) % 4096u) / 3.0f;
	const gpu_arg args[] = {GPU_BUFFER(&c->in), GPU_BUFFER(&c->out), GPU_VALUE(count)};
	enm_result result = upload(c, &c->in, in, sizeof(in));
	if (result == ENM_OK)
		result = run(c, "selfcheck_float", "float*,float*,uint", ITEMS, args, COUNT_OF(args), &c->out, out,
			sizeof(out));
	for (uint32_t i = 0; i < ITEMS && result == ENM_OK; i++) {
		const float a = in[2 * i], b = in[2 * i + 1], product = a * b;
		const float expected[6] = {a + b, product, product - b, a / b, sqrtf(a), (float)(int)(a * 1000.0f)};
		for (uint32_t k = 0; k < 6; k++)
			if (k == 3 || k == 4 ? !close_enough(out[6 * i + k], expected[k], 3.0f)
					     : out[6 * i + k] != expected[k])
				wrong(c, "floating-point arithmetic", i, (double)out[6 * i + k], (double)expected[k]);
	}
	return result;
}

static enm_result check_classify(check *c)
{
	/* 0, -0, 1, -1, 2, infinities, quiet and signalling NaN of both signs, largest, least normal */
	static const uint32_t in[] = {0, 0x80000000u, 0x3f800000u, 0xbf800000u, 0x40000000u, 0x7f800000u, 0xff800000u,
		0x7fc00000u, 0xffc00000u, 0x7fa00000u, 0x7f7fffffu, 0x00800000u};
	static const uint32_t expected[] = {4, 4, 4, 4, 12, 10, 10, 25, 25, 25, 12, 4};
	uint32_t out[COUNT_OF(in)], count = COUNT_OF(in);
	const gpu_arg args[] = {GPU_BUFFER(&c->in), GPU_BUFFER(&c->out), GPU_VALUE(count)};
	enm_result result = upload(c, &c->in, in, sizeof(in));
	if (result == ENM_OK)
		result = run(c, "selfcheck_classify", "uint*,uint*,uint", count, args, COUNT_OF(args), &c->out, out,
			sizeof(out));
	for (uint32_t i = 0; i < count && result == ENM_OK; i++)
		if (out[i] != expected[i])
			wrong(c, "NaN and infinity", i, out[i], expected[i]);
	return result;
}

static enm_result check_atomic(check *c)
{
	const int32_t start[3] = {INT32_MAX, 0, 0};
	const int32_t expected[3] = {1000 - (int32_t)ITEMS + 1, 16, (int32_t)ITEMS};
	int32_t out[3];
	uint32_t slots = 16;
	const gpu_arg args[] = {GPU_BUFFER(&c->out), GPU_BUFFER(&c->more), GPU_VALUE(slots)};
	enm_result result = upload(c, &c->out, start, sizeof(start));
	if (result == ENM_OK)
		result = gpu_fill(c->queue, &c->more, 0, 0xFFFFFFFFu, slots * sizeof(int32_t));
	if (result == ENM_OK)
		result = run(c, "selfcheck_atomic", "int*,int*,uint", ITEMS, args, COUNT_OF(args), &c->out, out,
			sizeof(out));
	for (uint32_t i = 0; i < COUNT_OF(out) && result == ENM_OK; i++)
		if (out[i] != expected[i])
			wrong(c, "atomics", i, out[i], expected[i]);
	return result;
}

static enm_result check_local(check *c)
{
	int32_t in[ITEMS], out[ITEMS / GROUP];
	for (uint32_t i = 0; i < ITEMS; i++)
		in[i] = (int32_t)(i * i) - 1000;
	const gpu_arg args[] = {GPU_BUFFER(&c->in), GPU_BUFFER(&c->out), GPU_LOCAL(GROUP * sizeof(int32_t))};
	enm_result result = upload(c, &c->in, in, sizeof(in));
	if (result == ENM_OK)
		result = run(
			c, "selfcheck_local", "int*,int*,int*", ITEMS, args, COUNT_OF(args), &c->out, out, sizeof(out));
	for (uint32_t g = 0; g < ITEMS / GROUP && result == ENM_OK; g++) {
		int32_t sum = 0;
		for (uint32_t i = 0; i < GROUP; i++)
			sum += in[g * GROUP + i];
		if (out[g] != sum)
			wrong(c, "local memory", g, out[g], sum);
	}
	return result;
}

static enm_result check_narrow(check *c)
{
	int16_t in[ITEMS], negated[ITEMS];
	uint8_t low[ITEMS];
	uint32_t count = ITEMS - 1; /* odd, so that the last item must stay away */
	for (uint32_t i = 0; i < ITEMS; i++)
		in[i] = (int16_t)((int32_t)(i * 257u) - 32767);
	const gpu_arg args[] = {GPU_BUFFER(&c->in), GPU_BUFFER(&c->out), GPU_BUFFER(&c->more), GPU_VALUE(count)};
	enm_result result = upload(c, &c->in, in, sizeof(in));
	if (result == ENM_OK)
		result = gpu_fill(c->queue, &c->more, 0, 0x77777777u, ITEMS);
	if (result == ENM_OK)
		result = run(c, "selfcheck_narrow", "short*,short*,uchar*,uint", ITEMS, args, COUNT_OF(args), &c->out,
			negated, sizeof(negated));
	if (result == ENM_OK)
		result = gpu_read(c->queue, &c->more, 0, low, sizeof(low), NULL);
	if (result == ENM_OK)
		result = gpu_finish(c->queue);
	for (uint32_t i = 0; i < count && result == ENM_OK; i++) {
		if (negated[i] != -in[i])
			wrong(c, "16-bit buffers", i, negated[i], -in[i]);
		if (low[i] != (uint8_t)(in[i] & 0xff))
			wrong(c, "8-bit buffers", i, low[i], in[i] & 0xff);
	}
	if (result == ENM_OK && low[count] != 0x77)
		wrong(c, "8-bit buffers: beyond the end", count, low[count], 0x77);
	return result;
}

#define SIZE_OF(name) (uint32_t)sizeof(name),

static enm_result check_layout(check *c)
{
	static const uint32_t expected[] = {ENM_K_STRUCTS(SIZE_OF)};
	uint32_t out[COUNT_OF(expected)];
	const gpu_arg args[] = {GPU_BUFFER(&c->out)};
	enm_result result = run(c, "selfcheck_layout", "uint*", 1, args, COUNT_OF(args), &c->out, out, sizeof(out));
	for (uint32_t i = 0; i < COUNT_OF(out) && result == ENM_OK; i++)
		if (out[i] != expected[i])
			wrong(c, "size of a struct of kernels/layout_list.h", i, out[i], expected[i]);
	return result;
}

static enm_result check_struct(check *c)
{
	const enm_k_voxel expected = {.sdf = -12345, .weight = 54321, .red = 1, .green = 2, .blue = 3, .views = 255};
	enm_k_pose pose = {0};
	enm_k_voxel voxel = {0};
	float out[12];
	for (int i = 0; i < 9; i++)
		pose.r[i] = (float)i + 0.5f;
	for (int i = 0; i < 3; i++)
		pose.t[i] = -(float)i - 0.25f;
	const gpu_arg args[] = {GPU_VALUE(pose), GPU_BUFFER(&c->more), GPU_BUFFER(&c->out)};
	enm_result result = run(c, "selfcheck_struct", "enm_k_pose,enm_k_voxel*,float*", 1, args, COUNT_OF(args),
		&c->out, out, sizeof(out));
	if (result == ENM_OK)
		result = gpu_read(c->queue, &c->more, 0, &voxel, sizeof(voxel), NULL);
	if (result == ENM_OK)
		result = gpu_finish(c->queue);
	for (uint32_t i = 0; i < 12 && result == ENM_OK; i++) {
		const float sent = i < 9 ? pose.r[i] : pose.t[i - 9];
		if (out[i] != sent)
			wrong(c, "struct by value", i, (double)out[i], (double)sent);
	}
	if (result == ENM_OK && memcmp(&voxel, &expected, sizeof(voxel)) != 0)
		wrong(c, "struct in a buffer (distance)", 0, voxel.sdf, expected.sdf);
	return result;
}

enm_result self_check_run(gpu_device *device, bool *out_passed)
{
	static enm_result (*const checks[])(check *) = {check_integer, check_float, check_classify, check_atomic,
		check_local, check_narrow, check_layout, check_struct};
	check c = {.device = device, .budget = {.device = device}, .passed = true};
	const size_t bytes = ITEMS * OUTPUTS_MAX * sizeof(uint32_t);

	*out_passed = false;
	enm_result result = gpu_queue_create(device, &c.queue);
	if (result == ENM_OK)
		result = gpu_buffer_create(&c.budget, "self-check input", bytes, &c.in);
	if (result == ENM_OK)
		result = gpu_buffer_create(&c.budget, "self-check output", bytes, &c.out);
	if (result == ENM_OK)
		result = gpu_buffer_create(&c.budget, "self-check scratch", bytes, &c.more);
	for (size_t i = 0; i < COUNT_OF(checks) && result == ENM_OK; i++)
		result = checks[i](&c);
	gpu_queue_destroy(&c.queue);
	gpu_buffer_destroy(&c.more);
	gpu_buffer_destroy(&c.out);
	gpu_buffer_destroy(&c.in);
	*out_passed = result == ENM_OK && c.passed;
	return result;
}
