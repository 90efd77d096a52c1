/* SPDX-License-Identifier: Apache-2.0
 * Wavefront OBJ: "v x y z [r g b]" and "f" with corners a, a/b, a//c or a/b/c, from 1 or counted back from the last
 * vertex by negative numbers. Normals and texture coordinates belong to corners there, not to vertices: they are
 * written but not read. Other lines are skipped. */
#include "surface/mesh_file.h"

#include "core/error.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *line_end(const char *at)
{
	return at + strcspn(at, "\n");
}

static size_t words_left(const char *at)
{
	const char *word;
	size_t length, count = 0;
	while (mesh_read_word(&at, &word, &length))
		count++;
	return count;
}

bool mesh_obj_recognise(const mesh_input *in)
{
	if (memchr(in->text, '\0', in->size) != NULL)
		return false;
	for (const char *at = in->text; *at != '\0';) {
		const char *end = line_end(at);
		const char *word;
		size_t length;
		if (mesh_read_word(&at, &word, &length) &&
			(mesh_word_is(word, length, "v") || mesh_word_is(word, length, "f")))
			return words_left(at) >= 3;
		at = *end != '\0' ? end + 1 : end;
	}
	return false;
}

typedef struct obj_counts {
	size_t vertices, triangles;
	bool colored; /* every vertex has six numbers */
} obj_counts;

static obj_counts count_lines(const mesh_input *in)
{
	obj_counts counts = {.colored = true};
	for (const char *at = in->text; *at != '\0';) {
		const char *end = line_end(at);
		const char *word;
		size_t length;
		if (mesh_read_word(&at, &word, &length)) {
			if (length == 1 && *word == 'v') {
				counts.vertices++;
				counts.colored = counts.colored && words_left(at) == 6;
			} else if (length == 1 && *word == 'f') {
				const size_t corners = words_left(at);
				counts.triangles += corners >= 3 ? corners - 2 : 0;
			}
		}
		at = *end != '\0' ? end + 1 : end;
	}
	return counts;
}

typedef struct obj_reader {
	const mesh_input *in;
	enm_mesh *mesh;
	size_t vertices, triangles; /* read so far */
} obj_reader;

/* Each reads the rest of a line; NULL or what is wrong with it. */
static const char *read_vertex(obj_reader *r, const char *at)
{
	double value;
	for (size_t i = 0; i < 3; i++) {
		if (!mesh_read_number(&at, &value))
			return "v: expected three numbers";
		if (!mesh_to_mm(r->in, value, &r->mesh->positions_mm[3 * r->vertices + i]))
			return "v: a coordinate that is not finite";
	}
	for (size_t i = 0; i < 3 && r->mesh->colors_rgb != NULL; i++) {
		if (!mesh_read_number(&at, &value) || !(value >= 0 && value <= 1))
			return "v: expected a colour from 0 to 1";
		r->mesh->colors_rgb[3 * r->vertices + i] = (uint8_t)lround(value * 255);
	}
	r->vertices++;
	return NULL;
}

static const char *read_corner(const obj_reader *r, const char *word, uint32_t *out_vertex)
{
	char *behind = NULL;
	errno = 0;
	const long long number = strtoll(word, &behind, 10);
	if (behind == word || errno != 0)
		return "f: expected a vertex number";
	for (const char *c = behind; *c != '\0' && strchr(" \t\r\n\v\f", *c) == NULL; c++)
		if (strchr("/-0123456789", *c) == NULL || *behind != '/')
			return "f: expected a corner such as 1, 1/2, 1//3 or 1/2/3";
	const long long index = number > 0 ? number - 1 : (long long)r->vertices + number;
	if (number == 0 || index < 0 || (uint64_t)index >= r->mesh->vertex_count)
		return "f: a vertex number out of range";
	*out_vertex = (uint32_t)index;
	return NULL;
}

static const char *read_face(obj_reader *r, const char *at)
{
	uint32_t fan[3];
	size_t corners = 0, length;
	const char *word;
	for (; mesh_read_word(&at, &word, &length); corners++) {
		uint32_t *corner = &fan[corners < 2 ? corners : 2];
		const char *wrong = read_corner(r, word, corner);
		if (wrong != NULL)
			return wrong;
		if (corners >= 2) {
			memcpy(r->mesh->triangles + 3 * r->triangles++, fan, sizeof(fan));
			fan[1] = fan[2];
		}
	}
	return corners < 3 ? "f: a face with fewer than 3 corners" : NULL;
}

enm_result mesh_obj_read(const mesh_input *in, enm_mesh **out_mesh)
{
	const obj_counts counts = count_lines(in);
	obj_reader r = {.in = in};
	enm_result result = mesh_alloc(counts.vertices, counts.triangles, counts.colored ? MESH_COLORS : 0u, &r.mesh);
	if (result != ENM_OK)
		return result;
	const char *wrong = NULL;
	const char *start = in->text;
	while (*start != '\0') {
		const char *at = start;
		const char *end = line_end(at);
		const char *word;
		size_t length;
		if (mesh_read_word(&at, &word, &length) && length == 1) {
			if (*word == 'v')
				wrong = read_vertex(&r, at);
			else if (*word == 'f')
				wrong = read_face(&r, at);
		}
		if (wrong != NULL)
			break;
		start = *end != '\0' ? end + 1 : end;
	}
	if (wrong != NULL) {
		enm_mesh_destroy(&r.mesh);
		return error_set(ENM_E_FORMAT, "%s: line %zu: %s", in->path, mesh_line_of(in, start), wrong);
	}
	*out_mesh = r.mesh;
	return ENM_OK;
}

bool mesh_obj_write(FILE *file, const enm_mesh *mesh, double mm_per_unit)
{
	if (fprintf(file, "# Enamel: %zu vertices, %zu triangles\n", mesh->vertex_count, mesh->triangle_count) < 0)
		return false;
	for (size_t v = 0; v < mesh->vertex_count; v++) {
		const float *p = mesh->positions_mm + 3 * v;
		int printed = fprintf(file, "v %.9g %.9g %.9g", (double)p[0] / mm_per_unit, (double)p[1] / mm_per_unit,
			(double)p[2] / mm_per_unit);
		if (printed >= 0 && mesh->colors_rgb != NULL) {
			const uint8_t *c = mesh->colors_rgb + 3 * v;
			printed = fprintf(file, " %.4f %.4f %.4f", c[0] / 255.0, c[1] / 255.0, c[2] / 255.0);
		}
		if (printed < 0 || fputc('\n', file) == EOF)
			return false;
	}
	for (size_t v = 0; mesh->normals != NULL && v < mesh->vertex_count; v++) {
		const float *n = mesh->normals + 3 * v;
		if (fprintf(file, "vn %.6g %.6g %.6g\n", (double)n[0], (double)n[1], (double)n[2]) < 0)
			return false;
	}
	for (size_t t = 0; t < mesh->triangle_count; t++) {
		unsigned long c[3];
		for (size_t i = 0; i < 3; i++)
			c[i] = mesh->triangles[3 * t + i] + 1ul;
		const int printed = mesh->normals != NULL ? fprintf(file, "f %lu//%lu %lu//%lu %lu//%lu\n", c[0], c[0],
								    c[1], c[1], c[2], c[2])
							  : fprintf(file, "f %lu %lu %lu\n", c[0], c[1], c[2]);
		if (printed < 0)
			return false;
	}
	return true;
}
