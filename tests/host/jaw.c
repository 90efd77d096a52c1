/* SPDX-License-Identifier: Apache-2.0 */
#include "jaw.h"

#include "cmocka_all.h"

#include <math.h>
#include <string.h>

#define ALONG 180u
#define ACROSS 28u
#define COUNT (ALONG * ACROSS)

static const double half_turn = 3.14159265358979323846;

void jaw_place(double u, double v, double out_mm[3])
{
	const double turn = (2.0 * u - 1.0) * 1.45, roll = (2.0 * v - 1.0) * 1.4, tooth = fabs(sin(7.0 * turn));
	const double off = (3.2 + tooth) * sin(roll);
	out_mm[0] = (21.0 + off) * sin(turn);
	out_mm[1] = (25.0 + off) * cos(turn);
	out_mm[2] = (6.5 + 1.6 * sqrt(tooth) - 0.8 * tooth * cos(4.0 * roll)) * cos(roll);
}

static bool is_in_gap(uint32_t along, uint32_t across)
{
	return along > 56 && along < 68 && across > 8 && across < 18;
}

static uint32_t net(uint32_t *triangles, bool gap)
{
	uint32_t count = 0;
	for (uint32_t a = 0; a + 1 < ALONG; a++) {
		for (uint32_t b = 0; b + 1 < ACROSS; b++) {
			const uint32_t i = a * ACROSS + b, j = i + ACROSS;
			const uint32_t two[6] = {i, j, i + 1, i + 1, j, j + 1};
			if (gap && is_in_gap(a, b))
				continue;
			memcpy(triangles + 3 * (size_t)count, two, sizeof two);
			count += 2;
		}
	}
	return count;
}

enm_mesh *jaw_create(double raised_um, bool gap)
{
	static float positions[3 * COUNT], sigma_um[COUNT];
	static uint8_t colors[3 * COUNT];
	static uint16_t views[COUNT];
	static uint32_t triangles[6 * COUNT];
	for (uint32_t i = 0; i < COUNT; i++) {
		const double u = (double)(i / ACROSS) / (ALONG - 1.0), v = (double)(i % ACROSS) / (ACROSS - 1.0), top = sin(half_turn * v);
		const uint8_t tooth[3] = {232, 222, 196}, gum[3] = {214, 118, 112};
		double p[3];
		jaw_place(u, v, p);
		p[2] += 1e-3 * raised_um * u * top;
		for (uint32_t k = 0; k < 3; k++) {
			positions[3 * i + k] = (float)p[k];
			colors[3 * i + k] = top > 0.6 ? tooth[k] : gum[k];
		}
		views[i] = (uint16_t)lround(1.0 + 32.0 * u);
		sigma_um[i] = (float)(18.0 - 15.0 * top);
	}
	const enm_mesh_data data = {.vertex_count = COUNT, .triangle_count = net(triangles, gap), .positions_mm = positions,
		.colors_rgb = colors, .views = views, .sigma_um = sigma_um, .triangles = triangles};
	enm_mesh *mesh = NULL;
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	return mesh;
}
