/* SPDX-License-Identifier: Apache-2.0 */
#include "likeness.h"

#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "file.h"
#include "image.h"

#define REACH 4 /* pixels */
#define BLUR_PIXELS 1.4 /* one standard deviation: 1.5' of arc where 40 pixels fill a degree */

typedef struct plane {
	double (*of)[3];
	uint32_t width, height;
} plane;

static double to_linear(uint8_t level)
{
	const double c = level / 255.0;
	return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static plane make_plane(const uint8_t *rgb, uint32_t width, uint32_t height)
{
	plane p = {malloc((size_t)width * height * sizeof *p.of), width, height};
	assert_non_null(p.of);
	for (size_t i = 0; i < (size_t)width * height; i++)
		for (size_t k = 0; k < 3; k++)
			p.of[i][k] = to_linear(rgb[3 * i + k]);
	return p;
}

/* Along rows (`step` 1) or columns; beyond the edge it goes on as at the edge. */
static void blur(plane *p, size_t step, size_t length, size_t lines, size_t line_step)
{
	double weights[2 * REACH + 1], sum = 0.0;
	double(*line)[3] = malloc(length * sizeof *line);
	assert_non_null(line);
	for (int d = -REACH; d <= REACH; d++)
		sum += weights[d + REACH] = exp(-0.5 * d * d / (BLUR_PIXELS * BLUR_PIXELS));
	for (size_t l = 0; l < lines; l++) {
		for (size_t i = 0; i < length; i++)
			for (size_t k = 0; k < 3; k++)
				line[i][k] = p->of[l * line_step + i * step][k];
		for (size_t i = 0; i < length * 3; i++) {
			double mean = 0.0;
			for (int d = -REACH; d <= REACH; d++) {
				const long at = (long)(i / 3) + d, last = (long)length - 1;
				mean += weights[d + REACH] * line[at < 0 ? 0 : at > last ? last : at][i % 3];
			}
			p->of[l * line_step + i / 3 * step][i % 3] = mean / sum;
		}
	}
	free(line);
}

static double lab_curve(double t)
{
	const double knee = 6.0 / 29.0;
	return t > knee * knee * knee ? cbrt(t) : t / (3.0 * knee * knee) + 4.0 / 29.0;
}

/* From linear sRGB, in place. */
static void to_lab(double c[3])
{
	const double x = lab_curve((0.4124 * c[0] + 0.3576 * c[1] + 0.1805 * c[2]) / 0.9505);
	const double y = lab_curve(0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]);
	const double z = lab_curve((0.0193 * c[0] + 0.1192 * c[1] + 0.9505 * c[2]) / 1.0890);
	c[0] = 116.0 * y - 16.0;
	c[1] = 500.0 * (x - y);
	c[2] = 200.0 * (y - z);
}

static plane see(const uint8_t *rgb, uint32_t width, uint32_t height)
{
	plane p = make_plane(rgb, width, height);
	blur(&p, 1, width, height, width);
	blur(&p, width, height, width, 1);
	for (size_t i = 0; i < (size_t)width * height; i++)
		to_lab(p.of[i]);
	return p;
}

likeness likeness_of(const uint8_t *a_rgb, const uint8_t *b_rgb, uint32_t width, uint32_t height)
{
	plane a = see(a_rgb, width, height), b = see(b_rgb, width, height);
	const size_t pixels = (size_t)width * height;
	likeness l = {0.0, 0.0};
	for (size_t i = 0; i < pixels; i++) {
		const double dl = a.of[i][0] - b.of[i][0], da = a.of[i][1] - b.of[i][1], db = a.of[i][2] - b.of[i][2];
		const double difference = sqrt(dl * dl + da * da + db * db);
		l.mean += difference / (double)pixels;
		l.clear += difference > LIKENESS_CLEAR ? 1.0 / (double)pixels : 0.0;
	}
	free(a.of);
	free(b.of);
	return l;
}

bool likeness_is_same(likeness l)
{
	return l.mean <= LIKENESS_MEAN_MAX && l.clear <= LIKENESS_CLEAR_MAX;
}

uint8_t *likeness_read(const char *path, uint32_t *out_width, uint32_t *out_height)
{
	if (image_read_size(path, out_width, out_height))
		fail_msg("%s", host_error_text());
	uint8_t *rgb = malloc((size_t)*out_width * *out_height * 3);
	assert_non_null(rgb);
	if (image_read_rgb(path, *out_width, *out_height, rgb))
		fail_msg("%s", host_error_text());
	return rgb;
}

void likeness_check(const char *path, const char *name)
{
	char reference[FILE_PATH_MAX];
	uint32_t width, height, wanted[2];
	uint8_t *rgb = likeness_read(path, &width, &height);
	snprintf(reference, sizeof reference, "%s/%s.png", REFERENCE_FOLDER, name);
	if (getenv("ENAMEL_RENEW_REFERENCES")) {
		assert_int_equal(image_write_color(reference, width, height, 3, rgb, IMAGE_SMALL), HOST_OK);
		free(rgb);
		return;
	}
	uint8_t *known = likeness_read(reference, &wanted[0], &wanted[1]);
	if (width != wanted[0] || height != wanted[1])
		fail_msg("%s: %ux%u pixels instead of %ux%u", name, width, height, wanted[0], wanted[1]);
	const likeness l = likeness_of(rgb, known, width, height);
	free(rgb);
	free(known);
	print_message("%s: mean %.3f, clear %.2g\n", name, l.mean, l.clear);
	if (!likeness_is_same(l))
		fail_msg("%s does not look as its reference: mean difference %.3f (at most %g), %.2f %% clearly other (at most %g)", name, l.mean,
			LIKENESS_MEAN_MAX, 100.0 * l.clear, 100.0 * LIKENESS_CLEAR_MAX);
}
