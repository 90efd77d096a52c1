/* SPDX-License-Identifier: Apache-2.0 */
#include "pictures.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define PLANES_DEPTH 2
#define PLANES_RGB 3

struct pictures {
	ZSTD_CCtx *zstd;
	uint8_t *planes;
	size_t pixels;
	int level;
};

host_status pictures_create(size_t pixels, int level, pictures **out)
{
	pictures *p = *out = calloc(1, sizeof *p);
	if (p) {
		p->pixels = pixels;
		p->level = level;
		p->planes = malloc(PLANES_RGB * pixels);
		p->zstd = ZSTD_createCCtx();
	}
	if (p && p->planes && p->zstd)
		return HOST_OK;
	pictures_destroy(out);
	return host_fail_memory("packing pictures");
}

void pictures_destroy(pictures **address)
{
	pictures *p = *address;
	if (!p)
		return;
	ZSTD_freeCCtx(p->zstd);
	free(p->planes);
	free(p);
	*address = NULL;
}

size_t pictures_bound(size_t pixels)
{
	return ZSTD_compressBound(PLANES_RGB * pixels);
}

static size_t pack(pictures *p, size_t size, uint8_t *out)
{
	size_t packed = ZSTD_compressCCtx(p->zstd, out, ZSTD_compressBound(size), p->planes, size, p->level);
	return ZSTD_isError(packed) ? 0 : packed;
}

/* Small differences of either sign become small numbers. */
static uint16_t fold(uint16_t difference)
{
	return (uint16_t)(difference << 1) ^ (uint16_t)(difference & 0x8000 ? 0xffff : 0);
}

static uint16_t unfold(uint16_t folded)
{
	return (uint16_t)(folded >> 1) ^ (uint16_t)(folded & 1 ? 0xffff : 0);
}

/* 0 is a hole; other codes are 1 + the folded difference to the last reading. The one difference whose code would wrap
 * to 0 takes the code of the difference that would give 0, which no reading has. */
static uint16_t encode_reading(uint16_t reading, uint16_t last)
{
	if (!reading)
		return 0;
	uint16_t code = (uint16_t)(fold((uint16_t)(reading - last)) + 1);
	return code ? code : (uint16_t)(fold((uint16_t)-last) + 1);
}

static uint16_t decode_reading(uint16_t code, uint16_t last)
{
	if (!code)
		return 0;
	uint16_t reading = (uint16_t)(last + unfold((uint16_t)(code - 1)));
	return reading ? reading : (uint16_t)(last + unfold(UINT16_MAX));
}

size_t pictures_put_depth(pictures *p, const uint16_t *depth, size_t pixels, uint8_t *out)
{
	uint8_t *low = p->planes, *high = p->planes + pixels;
	uint16_t last = 0;
	for (size_t i = 0; i < pixels; i++) {
		uint16_t code = encode_reading(depth[i], last);
		low[i] = (uint8_t)(code & 0xff);
		high[i] = (uint8_t)(code >> 8);
		last = depth[i] ? depth[i] : last;
	}
	return pack(p, PLANES_DEPTH * pixels, out);
}

/* Green as it is, red and blue as what they differ from it: that is nearly constant on teeth and gums. */
size_t pictures_put_rgb(pictures *p, const uint8_t *rgb, size_t pixels, uint8_t *out)
{
	uint8_t last[PLANES_RGB] = {0, 0, 0};
	for (size_t i = 0; i < pixels; i++) {
		const uint8_t *c = rgb + PLANES_RGB * i;
		const uint8_t now[PLANES_RGB] = {c[1], (uint8_t)(c[0] - c[1]), (uint8_t)(c[2] - c[1])};
		for (size_t k = 0; k < PLANES_RGB; k++) {
			p->planes[k * pixels + i] = (uint8_t)(now[k] - last[k]);
			last[k] = now[k];
		}
	}
	return pack(p, PLANES_RGB * pixels, out);
}

/* Exactly `size` bytes or a failure, however much the packed bytes claim to hold. */
static host_status unpack(const uint8_t *bytes, size_t packed, size_t size, uint8_t **out_planes)
{
	*out_planes = NULL;
	uint8_t *planes = malloc(size);
	if (!planes)
		return host_fail_memory("a picture");
	size_t got = ZSTD_decompress(planes, size, bytes, packed);
	if (got != size) {
		free(planes);
		return host_fail(HOST_USAGE, "damaged picture: %s",
			ZSTD_isError(got) ? ZSTD_getErrorName(got) : "too few pixels");
	}
	*out_planes = planes;
	return HOST_OK;
}

host_status pictures_get_depth(const uint8_t *bytes, size_t size, size_t pixels, uint16_t *out_depth)
{
	uint8_t *planes;
	host_status status = unpack(bytes, size, PLANES_DEPTH * pixels, &planes);
	if (status)
		return status;
	uint16_t last = 0;
	for (size_t i = 0; i < pixels; i++) {
		out_depth[i] = decode_reading((uint16_t)(planes[i] | planes[pixels + i] << 8), last);
		last = out_depth[i] ? out_depth[i] : last;
	}
	free(planes);
	return HOST_OK;
}

host_status pictures_get_rgb(const uint8_t *bytes, size_t size, size_t pixels, uint8_t *out_rgb)
{
	uint8_t *planes;
	host_status status = unpack(bytes, size, PLANES_RGB * pixels, &planes);
	if (status)
		return status;
	uint8_t green = 0, red = 0, blue = 0; /* the latter two against green */
	for (size_t i = 0; i < pixels; i++) {
		green = (uint8_t)(green + planes[i]);
		red = (uint8_t)(red + planes[pixels + i]);
		blue = (uint8_t)(blue + planes[2 * pixels + i]);
		out_rgb[3 * i] = (uint8_t)(red + green);
		out_rgb[3 * i + 1] = green;
		out_rgb[3 * i + 2] = (uint8_t)(blue + green);
	}
	free(planes);
	return HOST_OK;
}
