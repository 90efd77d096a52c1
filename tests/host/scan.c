/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camera.h"
#include "image.h"
#include "scratch.h"
#include "trajectory.h"

#define PIXELS ((size_t)SCAN_WIDTH * SCAN_HEIGHT)
#define FOCAL 120.0
#define STEP_X_MM 0.12
#define STEP_Y_MM 0.05
#define RAY_STEPS 60
#define PICTURES_MAX 64
#define FPS 30.0

static double surface_mm(double x, double y)
{
	return 13.0 + 0.5 * sin(1.1 * x) + 0.4 * cos(1.3 * y + 0.4) + 0.2 * sin(0.9 * x + 1.7 * y);
}

/* The camera looks along +z from (x, y, 0); the slopes are small enough for the iteration to converge. */
static double depth_mm(double x, double y, double u, double v)
{
	double z = 13.0, before = 0.0;
	for (int i = 0; i < RAY_STEPS && fabs(z - before) > 1e-10; i++) {
		before = z;
		z = surface_mm(x + u * z, y + v * z);
	}
	return z;
}

/* Of every scan; each is rendered once a process. */
static const uint16_t *picture_depth(size_t picture)
{
	static uint16_t *kept[PICTURES_MAX];
	const double x = STEP_X_MM * (double)picture, y = STEP_Y_MM * (double)picture;
	assert_true(picture < PICTURES_MAX);
	if (kept[picture] != NULL)
		return kept[picture];
	uint16_t *depth = malloc(PIXELS * sizeof *depth);
	assert_non_null(depth);
	for (uint32_t row = 0; row < SCAN_HEIGHT; row++) {
		for (uint32_t column = 0; column < SCAN_WIDTH; column++) {
			double u = (column - 0.5 * (SCAN_WIDTH - 1)) / FOCAL,
			       v = (row - 0.5 * (SCAN_HEIGHT - 1)) / FOCAL;
			depth[row * SCAN_WIDTH + column] = (uint16_t)lround(1000.0 * depth_mm(x, y, u, v));
		}
	}
	kept[picture] = depth;
	return depth;
}

static void make_picture(const scan_def *def, size_t picture)
{
	char name[128];
	snprintf(name, sizeof name, "%s/depth/%zu.png", def->folder, picture);
	assert_int_equal(image_write_depth(scratch_path(name), SCAN_WIDTH, SCAN_HEIGHT, picture_depth(picture), IMAGE_FAST), HOST_OK);
}

static void make_color(const scan_def *def, uint8_t *rgb)
{
	char name[128];
	for (size_t i = 0; i < PIXELS; i++) {
		rgb[3 * i] = 200;
		rgb[3 * i + 1] = 100;
		rgb[3 * i + 2] = 50;
	}
	snprintf(name, sizeof name, "%s/color.png", def->folder);
	assert_int_equal(image_write_color(scratch_path(name), SCAN_WIDTH, SCAN_HEIGHT, 3, rgb, IMAGE_FAST), HOST_OK);
}

/* 0 1 2 3 2 1 0 1 ... */
static size_t picture_of(const scan_def *def, size_t frame)
{
	if (def->pictures < 2)
		return 0;
	size_t period = 2 * (def->pictures - 1), at = frame % period;
	return at < def->pictures ? at : period - at;
}

static void make_lists(const scan_def *def)
{
	char name[128];
	trajectory truth = {0};
	snprintf(name, sizeof name, "%s/depth.txt", def->folder);
	FILE *depths = fopen(scratch_path(name), "w");
	snprintf(name, sizeof name, "%s/rgb.txt", def->folder);
	FILE *colors = def->color ? fopen(scratch_path(name), "w") : NULL;
	assert_non_null(depths);
	for (size_t i = 0; i < def->frames; i++) {
		size_t picture = picture_of(def, i);
		enm_pose pose = {{STEP_X_MM * (double)picture, STEP_Y_MM * (double)picture, 0.0}, {0.0, 0.0, 0.0, 1.0}};
		double time_s = (double)i / FPS;
		fprintf(depths, "%.6f depth/%zu.png\n", time_s, picture);
		if (colors)
			fprintf(colors, "%.6f color.png\n", time_s);
		assert_int_equal(trajectory_append(&truth, time_s, &pose), HOST_OK);
	}
	fclose(depths);
	if (colors)
		fclose(colors);
	snprintf(name, sizeof name, "%s/groundtruth.txt", def->folder);
	assert_int_equal(trajectory_write(scratch_path(name), def->metres ? 1000.0 : 1.0, &truth), HOST_OK);
	trajectory_free(&truth);
}

void scan_make(const scan_def *def)
{
	char name[128];
	uint8_t *rgb = malloc(PIXELS * 3);
	camera_file file = {
		.fps = FPS, .mm_per_unit = def->metres ? 1000.0 : 1.0, .depth_scale = def->metres ? 1e6 : 1e3};
	file.camera = (enm_camera){.width = SCAN_WIDTH,
		.height = SCAN_HEIGHT,
		.fx = FOCAL,
		.fy = FOCAL,
		.cx = 0.5 * (SCAN_WIDTH - 1),
		.cy = 0.5 * (SCAN_HEIGHT - 1)};
	scratch_make_folder(def->folder);
	snprintf(name, sizeof name, "%s/depth", def->folder);
	scratch_make_folder(name);
	snprintf(name, sizeof name, "%s/camera.json", def->folder);
	assert_int_equal(camera_write(scratch_path(name), &file), HOST_OK);
	for (size_t i = 0; i < def->pictures; i++)
		make_picture(def, i);
	if (def->color)
		make_color(def, rgb);
	make_lists(def);
	free(rgb);
}

void scan_spoil(const char *folder, size_t picture, unsigned seed)
{
	char name[128];
	uint16_t *depth = malloc(PIXELS * sizeof *depth);
	uint32_t state = 2654435761u * (seed + 1);
	for (size_t i = 0; i < PIXELS; i++) {
		state = 1664525u * state + 1013904223u;
		depth[i] = (uint16_t)(8000 + (state >> 16) % 12000);
	}
	snprintf(name, sizeof name, "%s/depth/%zu.png", folder, picture);
	assert_int_equal(image_write_depth(scratch_path(name), SCAN_WIDTH, SCAN_HEIGHT, depth, IMAGE_FAST), HOST_OK);
	free(depth);
}
