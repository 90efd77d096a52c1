/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void picture_keep(void *user, const uint8_t *rgba, uint32_t width, uint32_t height)
{
	picture *p = user;
	size_t bytes = (size_t)width * height * 4;
	free(p->rgba);
	p->rgba = malloc(bytes);
	p->taken++;
	p->width = p->rgba ? width : 0;
	p->height = p->rgba ? height : 0;
	if (p->rgba)
		memcpy(p->rgba, rgba, bytes);
}

void picture_free(picture *p)
{
	free(p->rgba);
	memset(p, 0, sizeof *p);
}

static const uint8_t *pixel(const picture *p, uint32_t x, uint32_t y)
{
	return p->rgba + 4 * ((size_t)y * p->width + x);
}

static bool is_bright(const uint8_t *c, unsigned limit)
{
	return (unsigned)c[0] + c[1] + c[2] > 3 * limit;
}

size_t picture_count_bright(const picture *p, uint32_t top, uint32_t end, unsigned limit)
{
	size_t count = 0;
	for (uint32_t y = top; y < end && y < p->height; y++)
		for (uint32_t x = 0; x < p->width; x++)
			count += is_bright(pixel(p, x, y), limit);
	return count;
}

size_t picture_count_color(const picture *p, uint32_t top, uint32_t end, const uint8_t rgb[3])
{
	size_t count = 0;
	for (uint32_t y = top; y < end && y < p->height; y++) {
		for (uint32_t x = 0; x < p->width; x++) {
			const uint8_t *c = pixel(p, x, y);
			count += abs(c[0] - rgb[0]) <= 12 && abs(c[1] - rgb[1]) <= 12 && abs(c[2] - rgb[2]) <= 12;
		}
	}
	return count;
}

void picture_find_bright(
	const picture *p, uint32_t top, uint32_t end, unsigned limit, double out_middle[2], uint32_t out_box[4])
{
	size_t count = 0;
	double sum[2] = {0};
	out_box[0] = out_box[1] = UINT32_MAX;
	out_box[2] = out_box[3] = 0;
	for (uint32_t y = top; y < end && y < p->height; y++) {
		for (uint32_t x = 0; x < p->width; x++) {
			if (!is_bright(pixel(p, x, y), limit))
				continue;
			count++;
			sum[0] += x;
			sum[1] += y;
			out_box[0] = x < out_box[0] ? x : out_box[0];
			out_box[1] = y < out_box[1] ? y : out_box[1];
			out_box[2] = x > out_box[2] ? x : out_box[2];
			out_box[3] = y > out_box[3] ? y : out_box[3];
		}
	}
	for (int k = 0; k < 2; k++)
		out_middle[k] = count ? sum[k] / (double)count : -1.0;
}

void picture_save(const picture *p, const char *name)
{
	const char *folder = getenv("ENAMEL_TEST_PICTURES");
	char path[4096];
	if (!folder || !*folder || !p->rgba)
		return;
	snprintf(path, sizeof path, "%s/%s.ppm", folder, name);
	FILE *file = fopen(path, "wb");
	if (!file)
		return;
	fprintf(file, "P6\n%u %u\n255\n", p->width, p->height);
	for (size_t i = 0; i < (size_t)p->width * p->height; i++)
		fwrite(p->rgba + 4 * i, 1, 3, file);
	fclose(file);
}
