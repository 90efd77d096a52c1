/* SPDX-License-Identifier: Apache-2.0
 * STL: triangles with their own corners. Equal corners are welded when reading, in the order of first appearance. */
#include "surface/mesh_file.h"

#include "core/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADER_BYTES = 84, TRIANGLE_BYTES = 50 };

static uint32_t get_u32(const char *from)
{
	uint8_t b[4];
	memcpy(b, from, 4);
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Binary files may begin with "solid" too: the size decides, then bytes that no text has. */
static bool is_binary(const mesh_input *in)
{
	if (in->size >= HEADER_BYTES &&
		in->size == HEADER_BYTES + (uint64_t)TRIANGLE_BYTES * get_u32(in->text + HEADER_BYTES - 4))
		return true;
	const size_t look = in->size < 512 ? in->size : 512;
	for (size_t i = 0; i < look; i++) {
		const unsigned char c = (unsigned char)in->text[i];
		if (c < 9 || (c > 13 && c < 32))
			return true;
	}
	return false;
}

static bool starts_solid(const mesh_input *in)
{
	const char *at = in->text;
	while (*at == '\n' || *at == ' ' || *at == '\t' || *at == '\r')
		at++;
	return strncasecmp(at, "solid", 5) == 0;
}

bool mesh_stl_recognise(const mesh_input *in)
{
	if (starts_solid(in))
		return true;
	const size_t length = strlen(in->path);
	const bool named_stl = length >= 4 && strcasecmp(in->path + length - 4, ".stl") == 0;
	const bool right_size =
		in->size >= HEADER_BYTES &&
		in->size == HEADER_BYTES + (uint64_t)TRIANGLE_BYTES * get_u32(in->text + HEADER_BYTES - 4);
	return is_binary(in) && (named_stl || right_size);
}

/* ---- welding ---------------------------------------------------------------------------------------------------- */

typedef struct welder {
	enm_mesh *mesh;    /* its vertex_count grows */
	uint32_t *slots;   /* open addressing: vertex + 1, 0 is free */
	size_t slot_count; /* a power of two above twice the corners, so that it never fills */
} welder;

static enm_result welder_open(const mesh_input *in, size_t triangle_count, welder *out_welder)
{
	*out_welder = (welder){0};
	if (triangle_count > UINT32_MAX / 6)
		return error_set(ENM_E_CAPACITY, "%s: %zu triangles are too many", in->path, triangle_count);
	enm_result result = mesh_alloc(3 * triangle_count, triangle_count, 0, &out_welder->mesh);
	if (result != ENM_OK)
		return result;
	out_welder->mesh->vertex_count = 0;
	out_welder->slot_count = 16;
	while (out_welder->slot_count < 6 * triangle_count)
		out_welder->slot_count *= 2;
	out_welder->slots = calloc(out_welder->slot_count, sizeof(uint32_t));
	if (out_welder->slots != NULL)
		return ENM_OK;
	enm_mesh_destroy(&out_welder->mesh);
	return error_set(ENM_E_MEMORY, "%s: no memory for %zu triangles", in->path, triangle_count);
}

static uint32_t weld(welder *w, const float position_mm[3])
{
	float key[3];
	uint32_t bits[3];
	for (int i = 0; i < 3; i++)
		key[i] = position_mm[i] + 0.0f; /* -0 becomes 0 */
	memcpy(bits, key, sizeof(bits));
	uint64_t hash = 0;
	for (int i = 0; i < 3; i++)
		hash = (hash ^ bits[i]) * 0x9E3779B97F4A7C15u;
	for (size_t slot = (size_t)(hash >> 20) & (w->slot_count - 1);; slot = (slot + 1) & (w->slot_count - 1)) {
		if (w->slots[slot] == 0) {
			memcpy(w->mesh->positions_mm + 3 * w->mesh->vertex_count, key, sizeof(key));
			w->slots[slot] = (uint32_t)++w->mesh->vertex_count;
		} else if (memcmp(w->mesh->positions_mm + 3 * (size_t)(w->slots[slot] - 1), key, sizeof(key)) != 0) {
			continue;
		}
		return w->slots[slot] - 1;
	}
}

/* Gives the welded mesh and frees the rest. */
static enm_mesh *welder_close(welder *w)
{
	free(w->slots);
	float *fitting = realloc(w->mesh->positions_mm, (w->mesh->vertex_count + 1) * 3 * sizeof(float));
	if (fitting != NULL)
		w->mesh->positions_mm = fitting;
	return w->mesh;
}

static void welder_abandon(welder *w)
{
	free(w->slots);
	enm_mesh_destroy(&w->mesh);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static enm_result read_binary(const mesh_input *in, enm_mesh **out_mesh)
{
	if (in->size < HEADER_BYTES)
		return error_set(ENM_E_FORMAT, "%s: byte %zu: truncated in the STL header", in->path, in->size);
	const uint32_t count = get_u32(in->text + HEADER_BYTES - 4);
	if (count > (in->size - HEADER_BYTES) / TRIANGLE_BYTES)
		return error_set(ENM_E_FORMAT, "%s: byte 80: truncated: %u triangles need %llu bytes, the file has %zu",
			in->path, (unsigned)count, HEADER_BYTES + (unsigned long long)TRIANGLE_BYTES * count, in->size);
	welder w;
	enm_result result = welder_open(in, count, &w);
	if (result != ENM_OK)
		return result;
	for (size_t t = 0; t < count; t++) {
		const char *corner = in->text + HEADER_BYTES + t * TRIANGLE_BYTES + 12;
		for (size_t c = 0; c < 3; c++, corner += 12) {
			float p[3];
			bool finite = true;
			for (int i = 0; i < 3; i++) {
				const uint32_t bits = get_u32(corner + 4 * i);
				memcpy(&p[i], &bits, 4);
				finite = mesh_to_mm(in, (double)p[i], &p[i]) && finite;
			}
			if (!finite) {
				welder_abandon(&w);
				return error_set(ENM_E_FORMAT,
					"%s: byte %zu: triangle %zu has a corner that is not finite", in->path,
					(size_t)(corner - in->text), t);
			}
			w.mesh->triangles[3 * t + c] = weld(&w, p);
		}
	}
	*out_mesh = welder_close(&w);
	return ENM_OK;
}

static size_t count_facets(const mesh_input *in)
{
	size_t count = 0;
	for (const char *at = in->text; at != NULL && *at != '\0'; at = strchr(at, '\n')) {
		const char *word;
		size_t length;
		at += *at == '\n';
		if (mesh_read_word(&at, &word, &length))
			count += mesh_word_is(word, length, "facet");
	}
	return count;
}

typedef struct ascii_state {
	size_t triangle;  /* the one being read */
	unsigned corners; /* of it so far */
	bool in_facet, ended;
} ascii_state;

/* One line of an ASCII file; NULL or what is wrong with it. */
static const char *read_line(const mesh_input *in, const char *at, ascii_state *s, welder *w)
{
	const char *word;
	size_t length;
	if (!mesh_read_word(&at, &word, &length))
		return NULL;
	s->ended = false;
	if (mesh_word_is(word, length, "vertex")) {
		float p[3];
		double v;
		if (!s->in_facet || s->corners == 3)
			return s->in_facet ? "a facet with more than 3 corners" : "a vertex outside a facet";
		for (int i = 0; i < 3; i++) {
			if (!mesh_read_number(&at, &v))
				return "expected three numbers after vertex";
			if (!mesh_to_mm(in, v, &p[i]))
				return "a coordinate that is not finite";
		}
		w->mesh->triangles[3 * s->triangle + s->corners++] = weld(w, p);
	} else if (mesh_word_is(word, length, "facet")) {
		if (s->in_facet)
			return "a facet inside a facet";
		s->in_facet = true;
		s->corners = 0;
	} else if (mesh_word_is(word, length, "endfacet")) {
		if (!s->in_facet || s->corners != 3)
			return "the end of a facet that does not have 3 corners";
		s->in_facet = false;
		s->triangle++;
	} else if (mesh_word_is(word, length, "endsolid")) {
		if (s->in_facet)
			return "the end of the solid inside a facet";
		s->ended = true;
	} else if (!mesh_word_is(word, length, "solid") && !mesh_word_is(word, length, "outer") &&
		   !mesh_word_is(word, length, "endloop")) {
		return "not a line of an ASCII STL";
	}
	return NULL;
}

static enm_result read_ascii(const mesh_input *in, enm_mesh **out_mesh)
{
	welder w;
	enm_result result = welder_open(in, count_facets(in), &w);
	if (result != ENM_OK)
		return result;
	ascii_state state = {0};
	const char *at = in->text;
	const char *wrong = NULL;
	for (const char *end; wrong == NULL && *at != '\0'; at = *end != '\0' ? end + 1 : end) {
		end = at + strcspn(at, "\n");
		if ((wrong = read_line(in, at, &state, &w)) != NULL)
			break;
	}
	if (wrong == NULL && !state.ended)
		wrong = "truncated: the file does not close with endsolid";
	if (wrong != NULL) {
		welder_abandon(&w);
		return error_set(ENM_E_FORMAT, "%s: line %zu: %s", in->path, mesh_line_of(in, at), wrong);
	}
	*out_mesh = welder_close(&w);
	return ENM_OK;
}

enm_result mesh_stl_read(const mesh_input *in, enm_mesh **out_mesh)
{
	return is_binary(in) ? read_binary(in, out_mesh) : read_ascii(in, out_mesh);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void facet_normal(float p[3][3], float out_normal[3])
{
	double a[3], b[3], n[3];
	for (int i = 0; i < 3; i++) {
		a[i] = (double)p[1][i] - (double)p[0][i];
		b[i] = (double)p[2][i] - (double)p[0][i];
	}
	for (int i = 0; i < 3; i++)
		n[i] = a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3];
	const double length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
	for (int i = 0; i < 3; i++)
		out_normal[i] = length > 0 ? (float)(n[i] / length) : 0.0f;
}

bool mesh_stl_write(FILE *file, const enm_mesh *mesh, double mm_per_unit)
{
	uint8_t header[HEADER_BYTES] = "Enamel, binary STL"; /* must not begin with "solid" */
	mesh_put_u32(header + 80, (uint32_t)mesh->triangle_count);
	if (fwrite(header, sizeof(header), 1, file) != 1)
		return false;
	for (size_t t = 0; t < mesh->triangle_count; t++) {
		float corners[3][3], normal[3];
		for (size_t c = 0; c < 3; c++)
			for (size_t i = 0; i < 3; i++)
				corners[c][i] =
					(float)((double)mesh->positions_mm[3 * (size_t)mesh->triangles[3 * t + c] + i] /
						mm_per_unit);
		facet_normal(corners, normal);
		uint8_t row[TRIANGLE_BYTES] = {0};
		uint8_t *to = row;
		for (int i = 0; i < 3; i++)
			to = mesh_put_f32(to, normal[i]);
		for (int i = 0; i < 9; i++)
			to = mesh_put_f32(to, corners[i / 3][i % 3]);
		if (fwrite(row, sizeof(row), 1, file) != 1)
			return false;
	}
	return true;
}
