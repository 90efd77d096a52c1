/* SPDX-License-Identifier: Apache-2.0
 * PLY (Greg Turk's polygon format): ASCII and binary of either byte order, properties of any type in any order;
 * elements and properties that a mesh has no place for are skipped. Polygons become fans of triangles. */
#include "surface/mesh_file.h"

#include "core/error.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENTS_MAX = 32, PROPERTIES_MAX = 256 };

typedef enum ply_format { PLY_ASCII, PLY_LITTLE, PLY_BIG } ply_format;
typedef enum ply_type { PLY_I8, PLY_U8, PLY_I16, PLY_U16, PLY_I32, PLY_U32, PLY_F32, PLY_F64, PLY_NO_TYPE } ply_type;

static const size_t type_bytes[] = {1, 1, 2, 2, 4, 4, 4, 8};

/* What a vertex property means here. */
typedef enum ply_slot {
	X,
	Y,
	Z,
	NX,
	NY,
	NZ,
	RED,
	GREEN,
	BLUE,
	VIEWS,
	QUALITY,
	SLOT_COUNT,
	NO_SLOT = SLOT_COUNT
} ply_slot;

static const char *const slot_names[SLOT_COUNT] = {
	"x", "y", "z", "nx", "ny", "nz", "red", "green", "blue", "views", "quality"};

typedef struct ply_property {
	const char *name;
	size_t name_length;
	ply_type type, count_type; /* count_type: PLY_NO_TYPE unless it is a list */
	ply_slot slot;
} ply_property;

typedef struct ply_element {
	const char *name;
	size_t name_length;
	uint64_t count;
	uint32_t property_first, property_count;
} ply_element;

typedef struct ply_reader {
	const mesh_input *in;
	const char *at, *end;
	ply_format format;
	ply_element elements[ELEMENTS_MAX];
	ply_property properties[PROPERTIES_MAX];
	uint32_t element_count, property_count;
	bool has[SLOT_COUNT];
	double color_scale; /* to 0..255 */
	enm_mesh *mesh;
	size_t triangle_capacity;
} ply_reader;

/* ---- errors ----------------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static enm_result header_error(const ply_reader *r, const char *format, ...)
{
	char what[256];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return error_set(ENM_E_FORMAT, "%s: line %zu: %s", r->in->path, mesh_line_of(r->in, r->at), what);
}

static enm_result row_error(const ply_reader *r, const ply_element *e, uint64_t row, const char *what)
{
	const int length = (int)(e->name_length < 40 ? e->name_length : 40);
	if (r->format == PLY_ASCII)
		return error_set(ENM_E_FORMAT, "%s: line %zu: %.*s %llu: %s", r->in->path, mesh_line_of(r->in, r->at),
			length, e->name, (unsigned long long)row, what);
	return error_set(ENM_E_FORMAT, "%s: byte %zu: %.*s %llu: %s", r->in->path, (size_t)(r->at - r->in->text),
		length, e->name, (unsigned long long)row, what);
}

/* ---- header ----------------------------------------------------------------------------------------------------- */

static ply_type type_named(const char *word, size_t length)
{
	static const struct {
		const char *name;
		ply_type type;
	} names[] = {{"char", PLY_I8}, {"int8", PLY_I8}, {"uchar", PLY_U8}, {"uint8", PLY_U8}, {"short", PLY_I16},
		{"int16", PLY_I16}, {"ushort", PLY_U16}, {"uint16", PLY_U16}, {"int", PLY_I32}, {"int32", PLY_I32},
		{"uint", PLY_U32}, {"uint32", PLY_U32}, {"float", PLY_F32}, {"float32", PLY_F32}, {"double", PLY_F64},
		{"float64", PLY_F64}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mesh_word_is(word, length, names[i].name))
			return names[i].type;
	return PLY_NO_TYPE;
}

static enm_result read_format(ply_reader *r, const char *at)
{
	const char *word;
	size_t length;
	mesh_read_word(&at, &word, &length);
	if (mesh_word_is(word, length, "ascii"))
		r->format = PLY_ASCII;
	else if (mesh_word_is(word, length, "binary_little_endian"))
		r->format = PLY_LITTLE;
	else if (mesh_word_is(word, length, "binary_big_endian"))
		r->format = PLY_BIG;
	else
		return header_error(r, "unknown format");
	return ENM_OK;
}

static enm_result read_element(ply_reader *r, const char *at)
{
	ply_element e = {.property_first = r->property_count};
	const char *word;
	size_t length;
	if (!mesh_read_word(&at, &e.name, &e.name_length) || !mesh_read_word(&at, &word, &length))
		return header_error(r, "expected: element NAME COUNT");
	for (size_t i = 0; i < length; i++) {
		if (word[i] < '0' || word[i] > '9')
			return header_error(r, "the count of an element is not a whole number");
		if (e.count > UINT64_MAX / 16)
			return header_error(r, "the count of an element is absurd");
		e.count = 10 * e.count + (uint64_t)(word[i] - '0');
	}
	if (r->element_count == ELEMENTS_MAX)
		return header_error(r, "more than %d elements", ELEMENTS_MAX);
	for (uint32_t i = 0; i < r->element_count; i++)
		if (e.name_length == r->elements[i].name_length &&
			memcmp(e.name, r->elements[i].name, e.name_length) == 0)
			return header_error(r, "an element is given twice");
	r->elements[r->element_count++] = e;
	return ENM_OK;
}

static enm_result read_property(ply_reader *r, const char *at)
{
	ply_property p = {.type = PLY_NO_TYPE, .count_type = PLY_NO_TYPE, .slot = NO_SLOT};
	const char *word;
	size_t length;
	if (r->element_count == 0)
		return header_error(r, "a property before the first element");
	if (r->property_count == PROPERTIES_MAX)
		return header_error(r, "more than %d properties", PROPERTIES_MAX);
	bool good = mesh_read_word(&at, &word, &length);
	if (good && mesh_word_is(word, length, "list")) {
		good = mesh_read_word(&at, &word, &length);
		p.count_type = good ? type_named(word, length) : PLY_NO_TYPE;
		good = p.count_type < PLY_F32 && mesh_read_word(&at, &word, &length);
	}
	p.type = good ? type_named(word, length) : PLY_NO_TYPE;
	if (p.type == PLY_NO_TYPE || !mesh_read_word(&at, &p.name, &p.name_length))
		return header_error(r, "expected: property TYPE NAME or property list COUNT_TYPE TYPE NAME");
	ply_element *e = &r->elements[r->element_count - 1];
	if (mesh_word_is(e->name, e->name_length, "vertex") && p.count_type == PLY_NO_TYPE)
		for (int s = 0; s < SLOT_COUNT; s++)
			if (mesh_word_is(p.name, p.name_length, slot_names[s])) {
				if (r->has[s])
					return header_error(r, "property %s is given twice", slot_names[s]);
				p.slot = (ply_slot)s;
				r->has[s] = true;
			}
	if (p.slot == RED && p.type >= PLY_F32)
		r->color_scale = 255;
	else if (p.slot == RED && p.type == PLY_U16)
		r->color_scale = 255.0 / 65535.0;
	r->properties[r->property_count++] = p;
	e->property_count++;
	return ENM_OK;
}

static enm_result read_header(ply_reader *r)
{
	bool formatted = false;
	for (;;) {
		const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
		if (newline == NULL)
			return header_error(r, "truncated: the header has no end_header");
		const char *at = r->at;
		const char *word;
		size_t length;
		enm_result result = ENM_OK;
		mesh_read_word(&at, &word, &length);
		if (mesh_word_is(word, length, "end_header")) {
			if (!formatted)
				return header_error(r, "the header names no format");
			r->at = newline + 1;
			return ENM_OK;
		}
		if (mesh_word_is(word, length, "format")) {
			result = read_format(r, at);
			formatted = true;
		} else if (mesh_word_is(word, length, "element")) {
			result = read_element(r, at);
		} else if (mesh_word_is(word, length, "property")) {
			result = read_property(r, at);
		} else if (length > 0 && !mesh_word_is(word, length, "ply") && !mesh_word_is(word, length, "comment") &&
			   !mesh_word_is(word, length, "obj_info")) {
			result = header_error(r, "unknown keyword in the header");
		}
		if (result != ENM_OK)
			return result;
		r->at = newline + 1;
	}
}

/* ---- body ------------------------------------------------------------------------------------------------------- */

static uint64_t get_bytes(const char *from, size_t bytes, bool big)
{
	uint64_t value = 0;
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | (uint8_t)from[big ? i : bytes - 1 - i];
	return value;
}

static double scalar_from_bits(ply_type type, uint64_t bits)
{
	const uint32_t low = (uint32_t)bits;
	float single;
	double value;
	switch (type) {
	case PLY_I8:
		return (int8_t)low;
	case PLY_I16:
		return (int16_t)low;
	case PLY_I32:
		return (int32_t)low;
	case PLY_F32:
		memcpy(&single, &low, sizeof(single));
		return (double)single;
	case PLY_F64:
		memcpy(&value, &bits, sizeof(value));
		return value;
	default:
		return low;
	}
}

/* NULL or what is wrong. */
static const char *read_scalar(ply_reader *r, ply_type type, double *out_value)
{
	if (r->format == PLY_ASCII) {
		while (r->at < r->end && (*r->at == '\n' || *r->at == ' ' || *r->at == '\t' || *r->at == '\r'))
			r->at++;
		if (r->at == r->end)
			return "truncated";
		return mesh_read_number(&r->at, out_value) ? NULL : "expected a number";
	}
	const size_t bytes = type_bytes[type];
	if ((size_t)(r->end - r->at) < bytes)
		return "truncated";
	*out_value = scalar_from_bits(type, get_bytes(r->at, bytes, r->format == PLY_BIG));
	r->at += bytes;
	return NULL;
}

/* The number of entries of a list, at most as many as the rest of the file can hold. */
static const char *read_list_count(ply_reader *r, const ply_property *p, size_t *out_count)
{
	double count;
	const char *wrong = read_scalar(r, p->count_type, &count);
	if (wrong != NULL)
		return wrong;
	const size_t entry_bytes = r->format == PLY_ASCII ? 2 : type_bytes[p->type];
	if (!(count >= 0) || count != floor(count))
		return "the length of a list is not a whole number";
	if (count > ((double)(r->end - r->at) + 1) / (double)entry_bytes)
		return "truncated: a list is longer than the rest of the file";
	*out_count = (size_t)count;
	return NULL;
}

static const char *skip_list(ply_reader *r, const ply_property *p)
{
	size_t count = 0;
	double ignored;
	const char *wrong = read_list_count(r, p, &count);
	for (size_t i = 0; i < count && wrong == NULL; i++)
		wrong = read_scalar(r, p->type, &ignored);
	return wrong;
}

/* Refuses counts that the rest of the file cannot hold, before anything is allocated for them. */
static enm_result check_count(ply_reader *r, const ply_element *e)
{
	uint64_t row_bytes = 0;
	for (uint32_t i = 0; i < e->property_count; i++) {
		const ply_property *p = &r->properties[e->property_first + i];
		const ply_type type = p->count_type != PLY_NO_TYPE ? p->count_type : p->type;
		row_bytes += r->format == PLY_ASCII ? 2 : type_bytes[type];
	}
	const uint64_t left = (uint64_t)(r->end - r->at) + (r->format == PLY_ASCII);
	if (row_bytes > 0 && e->count > left / row_bytes)
		return error_set(ENM_E_FORMAT,
			"%s: byte %zu: truncated: element %.*s has %llu rows of at least %llu bytes, %llu bytes are "
			"left",
			r->in->path, (size_t)(r->at - r->in->text), (int)(e->name_length < 40 ? e->name_length : 40),
			e->name, (unsigned long long)e->count, (unsigned long long)row_bytes, (unsigned long long)left);
	return ENM_OK;
}

static uint8_t to_color(const ply_reader *r, double value)
{
	const double c = value * r->color_scale;
	return (uint8_t)(c <= 0 ? 0 : c >= 255 ? 255 : lround(c));
}

static const char *store_vertex(ply_reader *r, size_t v, const double slots[SLOT_COUNT])
{
	enm_mesh *m = r->mesh;
	for (size_t i = 0; i < SLOT_COUNT; i++)
		if (r->has[i] && !isfinite(slots[i]))
			return i <= Z ? "a coordinate that is not finite" : "a property that is not finite";
	for (size_t i = 0; i < 3; i++) {
		if (!mesh_to_mm(r->in, slots[i], &m->positions_mm[3 * v + i]))
			return "a coordinate that is too large";
		if (m->normals != NULL)
			m->normals[3 * v + i] = (float)slots[NX + i];
		if (m->colors_rgb != NULL)
			m->colors_rgb[3 * v + i] = to_color(r, slots[RED + i]);
	}
	if (m->views != NULL)
		m->views[v] = (uint16_t)(slots[VIEWS] < 0 ? 0 : slots[VIEWS] > 65535 ? 65535 : slots[VIEWS]);
	if (m->sigma_um != NULL)
		m->sigma_um[v] = (float)slots[QUALITY];
	return NULL;
}

static enm_result read_vertices(ply_reader *r, const ply_element *e)
{
	for (uint64_t row = 0; row < e->count; row++) {
		double slots[SLOT_COUNT + 1] = {0};
		const char *wrong = NULL;
		for (uint32_t i = 0; i < e->property_count && wrong == NULL; i++) {
			const ply_property *p = &r->properties[e->property_first + i];
			wrong = p->count_type != PLY_NO_TYPE ? skip_list(r, p)
							     : read_scalar(r, p->type, &slots[p->slot]);
		}
		if (wrong == NULL)
			wrong = store_vertex(r, (size_t)row, slots);
		if (wrong != NULL)
			return row_error(r, e, row, wrong);
	}
	return ENM_OK;
}

/* Room for one triangle more; NULL when there is no memory. */
static uint32_t *next_triangle(ply_reader *r)
{
	enm_mesh *m = r->mesh;
	if (m->triangle_count == r->triangle_capacity) {
		const size_t capacity = r->triangle_capacity + r->triangle_capacity / 2 + 64;
		uint32_t *grown = realloc(m->triangles, capacity * 3 * sizeof(uint32_t));
		if (grown == NULL)
			return NULL;
		m->triangles = grown;
		r->triangle_capacity = capacity;
	}
	return m->triangles + 3 * m->triangle_count++;
}

static const char *read_polygon(ply_reader *r, const ply_property *p, bool *out_no_memory)
{
	size_t corners = 0;
	const char *wrong = read_list_count(r, p, &corners);
	if (wrong != NULL)
		return wrong;
	if (corners < 3)
		return "a face with fewer than 3 corners";
	uint32_t fan[3];
	for (size_t c = 0; c < corners; c++) {
		double index;
		if ((wrong = read_scalar(r, p->type, &index)) != NULL)
			return wrong;
		if (!(index >= 0 && index < (double)r->mesh->vertex_count) || index != floor(index))
			return "a vertex index out of range";
		fan[c < 2 ? c : 2] = (uint32_t)index;
		if (c < 2)
			continue;
		uint32_t *triangle = next_triangle(r);
		if (triangle == NULL) {
			*out_no_memory = true;
			return "no memory";
		}
		memcpy(triangle, fan, sizeof(fan));
		fan[1] = fan[2];
	}
	return NULL;
}

static bool is_corner_list(const ply_property *p)
{
	return p->count_type != PLY_NO_TYPE && (mesh_word_is(p->name, p->name_length, "vertex_indices") ||
						       mesh_word_is(p->name, p->name_length, "vertex_index"));
}

/* Faces, or (with no place for what they hold) any element that is skipped. */
static enm_result read_rows(ply_reader *r, const ply_element *e, bool faces)
{
	if (e->property_count == 0)
		return ENM_OK;
	for (uint64_t row = 0; row < e->count; row++) {
		const char *wrong = NULL;
		bool no_memory = false;
		double ignored;
		for (uint32_t i = 0; i < e->property_count && wrong == NULL; i++) {
			const ply_property *p = &r->properties[e->property_first + i];
			if (faces && is_corner_list(p))
				wrong = read_polygon(r, p, &no_memory);
			else
				wrong = p->count_type != PLY_NO_TYPE ? skip_list(r, p)
								     : read_scalar(r, p->type, &ignored);
		}
		if (no_memory)
			return error_set(ENM_E_MEMORY, "%s: no memory for its triangles", r->in->path);
		if (wrong != NULL)
			return row_error(r, e, row, wrong);
	}
	return ENM_OK;
}

/* Checked against the file's size before, so that a damaged count cannot ask for memory that the file does not fill. */
static enm_result alloc_vertices(ply_reader *r, const ply_element *e)
{
	if (!r->has[X] || !r->has[Y] || !r->has[Z])
		return error_set(ENM_E_FORMAT, "%s: header: element vertex lacks x, y or z", r->in->path);
	if (e->count > r->in->size)
		return error_set(ENM_E_FORMAT, "%s: header: element vertex has %llu rows in a file of %zu bytes",
			r->in->path, (unsigned long long)e->count, r->in->size);
	unsigned arrays = 0;
	arrays |= r->has[NX] && r->has[NY] && r->has[NZ] ? MESH_NORMALS : 0u;
	arrays |= r->has[RED] && r->has[GREEN] && r->has[BLUE] ? MESH_COLORS : 0u;
	arrays |= r->has[VIEWS] ? MESH_VIEWS : 0u;
	arrays |= r->has[QUALITY] ? MESH_SIGMA : 0u;
	return mesh_alloc((size_t)e->count, 0, arrays, &r->mesh);
}

static enm_result read_body(ply_reader *r)
{
	const ply_element *vertex = NULL;
	for (uint32_t i = 0; i < r->element_count; i++)
		if (mesh_word_is(r->elements[i].name, r->elements[i].name_length, "vertex"))
			vertex = &r->elements[i];
	if (vertex == NULL)
		return error_set(ENM_E_FORMAT, "%s: header: no element vertex", r->in->path);
	enm_result result = alloc_vertices(r, vertex);
	for (uint32_t i = 0; i < r->element_count && result == ENM_OK; i++) {
		const ply_element *e = &r->elements[i];
		result = check_count(r, e);
		if (result == ENM_OK && e == vertex)
			result = read_vertices(r, e);
		else if (result == ENM_OK)
			result = read_rows(r, e, mesh_word_is(e->name, e->name_length, "face"));
	}
	return result;
}

bool mesh_ply_recognise(const mesh_input *in)
{
	return strncmp(in->text, "ply\n", 4) == 0 || strncmp(in->text, "ply\r", 4) == 0;
}

enm_result mesh_ply_read(const mesh_input *in, enm_mesh **out_mesh)
{
	*out_mesh = NULL;
	ply_reader *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return error_set(ENM_E_MEMORY, "%s: no memory to read it", in->path);
	r->in = in;
	r->at = in->text;
	r->end = in->text + in->size;
	r->color_scale = 1;
	enm_result result = read_header(r);
	if (result == ENM_OK)
		result = read_body(r);
	if (result == ENM_OK)
		*out_mesh = r->mesh;
	else
		enm_mesh_destroy(&r->mesh);
	free(r);
	return result;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static bool write_header(FILE *file, const enm_mesh *m)
{
	int printed = fprintf(file,
		"ply\nformat binary_little_endian 1.0\ncomment Enamel\nelement vertex %zu\n"
		"property float x\nproperty float y\nproperty float z\n",
		m->vertex_count);
	if (printed >= 0 && m->normals != NULL)
		printed = fprintf(file, "property float nx\nproperty float ny\nproperty float nz\n");
	if (printed >= 0 && m->colors_rgb != NULL)
		printed = fprintf(file, "property uchar red\nproperty uchar green\nproperty uchar blue\n");
	if (printed >= 0 && m->views != NULL)
		printed = fprintf(file, "property ushort views\n");
	if (printed >= 0 && m->sigma_um != NULL)
		printed = fprintf(
			file, "comment quality: standard deviation along the normal, um\nproperty float quality\n");
	if (printed >= 0)
		printed = fprintf(file, "element face %zu\nproperty list uchar int vertex_indices\nend_header\n",
			m->triangle_count);
	return printed >= 0;
}

bool mesh_ply_write(FILE *file, const enm_mesh *m, double mm_per_unit)
{
	if (!write_header(file, m))
		return false;
	for (size_t v = 0; v < m->vertex_count; v++) {
		uint8_t row[3 * 4 + 3 * 4 + 3 + 2 + 4];
		uint8_t *to = row;
		for (size_t i = 0; i < 3; i++)
			to = mesh_put_f32(to, (float)((double)m->positions_mm[3 * v + i] / mm_per_unit));
		for (size_t i = 0; i < 3 && m->normals != NULL; i++)
			to = mesh_put_f32(to, m->normals[3 * v + i]);
		for (size_t i = 0; i < 3 && m->colors_rgb != NULL; i++)
			*to++ = m->colors_rgb[3 * v + i];
		if (m->views != NULL)
			to = mesh_put_u16(to, m->views[v]);
		if (m->sigma_um != NULL)
			to = mesh_put_f32(to, m->sigma_um[v]);
		if (fwrite(row, (size_t)(to - row), 1, file) != 1)
			return false;
	}
	for (size_t t = 0; t < m->triangle_count; t++) {
		uint8_t row[1 + 3 * 4] = {3};
		uint8_t *to = row + 1;
		for (size_t i = 0; i < 3; i++)
			to = mesh_put_u32(to, m->triangles[3 * t + i]);
		if (fwrite(row, sizeof(row), 1, file) != 1)
			return false;
	}
	return true;
}
