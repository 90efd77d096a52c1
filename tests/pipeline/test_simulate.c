/* SPDX-License-Identifier: Apache-2.0 */
#include "test_simulate.h"

static void still_path(wand_path *way, pose camera)
{
	enum { CONTROLS = 8 };
	*way = (wand_path){.count = CONTROLS,
		.controls = malloc(CONTROLS * sizeof(pose)),
		.time_s = malloc(CONTROLS * sizeof(double)),
		.rate_s = malloc(CONTROLS * sizeof(double))};
	assert_true(way->controls && way->time_s && way->rate_s);
	for (size_t i = 0; i < CONTROLS; i++) {
		way->controls[i] = camera;
		way->time_s[i] = 10.0 * (double)i;
		way->rate_s[i] = 0.1;
	}
}

void stage_body(stage *s, pose camera, const error_def *errors)
{
	char error[BODY_ERROR_BYTES];
	s->rays = caster_create(&s->b, error);
	assert_non_null(s->rays);
	still_path(&s->way, camera);
	s->errors = *errors;
	s->scene = (frame_scene){.rays = s->rays,
		.way = &s->way,
		.foreign = &s->foreign,
		.errors = &s->errors,
		.residual = error_residual(errors, 7),
		.seed = 7,
		.width = WIDTH,
		.height = HEIGHT,
		.fx = 240,
		.fy = 240,
		.cx = 159.5,
		.cy = 119.5,
		.stand_off_mm = 13};
	assert_true(frame_work_create(&s->scene, &s->work));
}

void stage_plane(stage *s, double degrees, const error_def *errors)
{
	static const uint32_t TRIANGLES[6] = {0, 1, 2, 0, 2, 3};
	v3 across = {cos(radians(degrees)), 0, sin(radians(degrees))};
	*s = (stage){0};
	s->b.vertex_count = 4, s->b.triangle_count = 2;
	s->b.positions_mm = malloc(12 * sizeof(float));
	s->b.colors_rgb = malloc(12);
	s->b.triangles = malloc(sizeof TRIANGLES);
	assert_true(s->b.positions_mm && s->b.colors_rgb && s->b.triangles);
	memcpy(s->b.triangles, TRIANGLES, sizeof TRIANGLES);
	memset(s->b.colors_rgb, 200, 12);
	for (int i = 0; i < 4; i++) {
		double a = i == 1 || i == 2 ? 60 : -60, b = i >= 2 ? -60 : 60;
		float *p = s->b.positions_mm + 3 * i;
		p[0] = (float)(across.x * a), p[1] = (float)b, p[2] = (float)(across.z * a);
	}
	assert_true(body_finish_surface(&s->b));
	stage_body(s, (pose){{0, 0, -13}, {0, 0, 0, 1}}, errors);
}

void stage_close(stage *s)
{
	frame_work_free(&s->work);
	foreign_free(&s->foreign);
	caster_destroy(s->rays);
	path_free(&s->way);
	body_free(&s->b);
}

double plane_depth_mm(double degrees, double u, double v)
{
	/* points (x, y, -13 + z) with z = depth: sin x - cos (z - 13) = 0 */
	double x = (u - 159.5) / 240, s = sin(radians(degrees)), c = cos(radians(degrees));
	(void)v;
	return 13 * c / (c - s * x);
}
