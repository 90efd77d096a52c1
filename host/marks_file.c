/* SPDX-License-Identifier: Apache-2.0 */
#include "marks_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "packet.h"

#define FORMAT "enamel-marks"
#define VERSION 1
#define FAR_MM 1e6 /* no place is farther away */
#define HASH_DIGITS 16

host_status marks_models_add(marks_models *models, const char *file, const enm_mesh *mesh)
{
	enm_mesh_data data;
	host_status status = host_fail_result(enm_mesh_get(mesh, &data), enm_last_error());
	if (status || models->count == MARKS_MODELS_MAX)
		return status;
	const uint64_t parts[2] = {packet_hash(data.positions_mm, 3 * data.vertex_count * sizeof *data.positions_mm),
		packet_hash(data.triangles, 3 * data.triangle_count * sizeof *data.triangles)};
	models->models[models->count++] =
		(marks_model){file, data.vertex_count, data.triangle_count, packet_hash(parts, sizeof parts)};
	return HOST_OK;
}

host_status marks_file_beside(const char *model, char out_path[FILE_PATH_MAX])
{
	int length = snprintf(out_path, FILE_PATH_MAX, "%s.marks.json", model);
	if (length < 0 || length >= FILE_PATH_MAX)
		return host_fail_file(HOST_USAGE, model, "the path is too long");
	return HOST_OK;
}

/* ---- out ---- */

static json_t *point_json(const mark_point *p, bool *ok)
{
	json_t *o = json_object();
	json_put(o, "position_mm", json_numbers(p->position_mm, 3), ok);
	json_put(o, "normal", json_numbers(p->normal, 3), ok);
	json_put(o, "sigma_um", json_finite(p->sigma_um), ok);
	json_put(o, "views", json_integer(p->views), ok);
	json_put(o, "model", json_integer(p->body), ok);
	json_put(o, "triangle", json_integer(p->triangle), ok);
	return o;
}

static json_t *mark_json(const mark *m, bool *ok)
{
	char text[MARK_TEXT_BYTES];
	json_t *o = json_object(), *points = json_array();
	mark_text(m, text);
	json_put(o, "number", json_integer(m->number), ok);
	json_put(o, "kind", json_string(mark_kind_name(m->kind)), ok);
	json_put(o, "value", json_finite(m->value), ok);
	json_put(o, "unit", json_string(m->kind == MARK_ANGLE ? "rad" : "mm"), ok);
	json_put(o, "value_sigma", json_finite(m->value_sigma), ok);
	json_put(o, "text", json_string(text), ok);
	if (m->kind == MARK_SECTION)
		json_put(o, "direction", json_numbers(m->direction, 3), ok);
	for (uint32_t i = 0; i < m->point_count; i++)
		if (json_array_append_new(points, point_json(&m->points[i], ok)))
			*ok = false;
	json_put(o, "points", points, ok);
	return o;
}

static json_t *models_json(const marks_models *models, bool *ok)
{
	json_t *array = json_array();
	for (size_t i = 0; models && i < models->count; i++) {
		const marks_model *m = &models->models[i];
		char hash[HASH_DIGITS + 1];
		snprintf(hash, sizeof hash, "%016" PRIx64, m->hash);
		json_t *o = json_object();
		json_put(o, "file", json_foreign(path_base(m->file)), ok);
		json_put(o, "vertices", json_integer((json_int_t)m->vertices), ok);
		json_put(o, "triangles", json_integer((json_int_t)m->triangles), ok);
		json_put(o, "hash", json_string(hash), ok);
		if (json_array_append_new(array, o))
			*ok = false;
	}
	return array;
}

/* NULL without memory. */
static json_t *root_json(const marks_models *models, const mark_list *list)
{
	bool ok = true;
	json_t *root = json_object(), *marks = json_array();
	json_put(root, "format", json_string(FORMAT), &ok);
	json_put(root, "version", json_integer(VERSION), &ok);
	json_put(root, "models", models_json(models, &ok), &ok);
	for (size_t i = 0; i < list->count; i++)
		if (json_array_append_new(marks, mark_json(&list->entries[i], &ok)))
			ok = false;
	json_put(root, "marks", marks, &ok);
	if (!ok) {
		json_decref(root);
		return NULL;
	}
	return root;
}

host_status marks_file_write(const char *path, const marks_models *models, const mark_list *list)
{
	json_t *root = root_json(models, list);
	if (!root)
		return host_fail_memory("the marks");
	host_status status = json_file_write(path, root);
	json_decref(root);
	return status;
}

host_status marks_print_json(const marks_models *models, const mark_list *list, FILE *stream)
{
	json_t *root = root_json(models, list);
	if (!root)
		return host_fail_memory("the marks");
	host_status status = json_print(root, stream);
	json_decref(root);
	return status;
}

host_status marks_print(const mark_list *list, FILE *stream)
{
	for (size_t i = 0; i < list->count; i++) {
		const mark *m = &list->entries[i];
		char text[MARK_TEXT_BYTES];
		uint32_t views = UINT32_MAX;
		mark_text(m, text);
		for (uint32_t k = 0; k < m->point_count; k++)
			views = m->points[k].views < views ? m->points[k].views : views;
		fprintf(stream, "%3u  %-10s  %s", m->number, mark_kind_name(m->kind), text);
		if (views)
			fprintf(stream, "  (%u points, seen by %u frames or more)\n", m->point_count, views);
		else
			fprintf(stream, "  (%u points)\n", m->point_count);
	}
	return fflush(stream) ? host_fail(HOST_IO, "standard output: cannot write") : HOST_OK;
}

/* ---- in ---- */

/* A number, or null for one that is not known. */
static host_status read_sigma(json_place place, const char *key, double *out)
{
	if (json_is_null(json_object_get(place.object, key))) {
		*out = (double)NAN;
		return HOST_OK;
	}
	return json_read_number(place, key, 0.0, FAR_MM, out);
}

static host_status read_unit(json_place place, const char *key, double out[3])
{
	host_status status = json_read_numbers(place, key, 3, out);
	if (status)
		return status;
	double length2 = out[0] * out[0] + out[1] * out[1] + out[2] * out[2];
	if (!(fabs(length2 - 1.0) < 1e-3))
		return host_fail_file(HOST_USAGE, place.file, "%s.%s: is not of unit length", place.where, key);
	return HOST_OK;
}

static host_status read_position(json_place place, double out[3])
{
	host_status status = json_read_numbers(place, "position_mm", 3, out);
	for (int k = 0; !status && k < 3; k++)
		if (!(fabs(out[k]) <= FAR_MM))
			status = host_fail_file(HOST_USAGE, place.file, "%s.position_mm: %g is not within -1e6 to 1e6", place.where, out[k]);
	return status;
}

static host_status read_point(json_place place, mark_point *out)
{
	int64_t views = 0, model = 0, triangle = 0;
	host_status status = read_position(place, out->position_mm);
	if (!status)
		status = read_unit(place, "normal", out->normal);
	if (!status)
		status = read_sigma(place, "sigma_um", &out->sigma_um);
	if (!status)
		status = json_read_integer(place, "views", 0, UINT16_MAX, &views);
	if (!status)
		status = json_read_integer(place, "model", 0, MARKS_MODELS_MAX - 1, &model);
	if (!status)
		status = json_read_integer(place, "triangle", 0, UINT32_MAX, &triangle);
	out->views = (uint32_t)views;
	out->body = (uint32_t)model;
	out->triangle = (uint32_t)triangle;
	return status;
}

/* The objects of an array one by one. `where` has room for the place's name. */
static host_status element(json_place parent, const char *key, size_t i, char where[64], json_place *out)
{
	const json_t *array = json_object_get(parent.object, key);
	snprintf(where, 64, "%s%s%s[%zu]", parent.where, *parent.where ? "." : "", key, i);
	*out = (json_place){parent.file, where, json_array_get(array, i)};
	if (!json_is_object(out->object))
		return host_fail_file(HOST_USAGE, parent.file, "%s: expected an object {...}", where);
	return HOST_OK;
}

static host_status read_count(json_place place, const char *key, size_t least, size_t most, size_t *out)
{
	const json_t *array = json_object_get(place.object, key);
	const char *dot = *place.where ? "." : "";
	if (!json_is_array(array))
		return host_fail_file(HOST_USAGE, place.file, "%s%s%s: expected a list [...]", place.where, dot, key);
	*out = json_array_size(array);
	if (*out < least || *out > most)
		return host_fail_file(HOST_USAGE, place.file, "%s%s%s: has %zu entries, wanted %zu to %zu", place.where, dot, key,
			*out, least, most);
	return HOST_OK;
}

static host_status read_points(json_place place, mark *m)
{
	size_t count;
	host_status status = read_count(place, "points", mark_points_least(m->kind), mark_points_most(m->kind), &count);
	for (size_t i = 0; !status && i < count; i++) {
		char where[64];
		json_place at;
		status = element(place, "points", i, where, &at);
		if (!status)
			status = read_point(at, &m->points[i]);
		m->point_count = (uint32_t)i + 1;
	}
	return status;
}

static host_status read_mark(json_place place, mark *m)
{
	const char *kind;
	int64_t number = 0;
	memset(m, 0, sizeof *m);
	host_status status = json_read_text(place, "kind", &kind);
	if (!status && !mark_kind_of(kind, &m->kind))
		return host_fail_file(HOST_USAGE, place.file, "%s.kind: '%s' is no kind of mark", place.where, kind);
	if (!status)
		status = json_read_integer(place, "number", 1, UINT32_MAX, &number);
	if (!status)
		status = json_read_number(place, "value", 0.0, FAR_MM, &m->value);
	if (!status)
		status = read_sigma(place, "value_sigma", &m->value_sigma);
	if (!status && m->kind == MARK_SECTION)
		status = read_unit(place, "direction", m->direction);
	if (!status)
		status = read_points(place, m);
	m->number = (uint32_t)number;
	return status;
}

static host_status check_model(json_place root, size_t i, const marks_model *wanted)
{
	char where[64], hash[HASH_DIGITS + 1];
	json_place at;
	const char *told = "";
	int64_t vertices = 0;
	host_status status = element(root, "models", i, where, &at);
	if (!status)
		status = json_read_integer(at, "vertices", 0, INT32_MAX, &vertices);
	if (!status)
		status = json_read_text(at, "hash", &told);
	if (status || !wanted)
		return status;
	snprintf(hash, sizeof hash, "%016" PRIx64, wanted->hash);
	if (!strcmp(told, hash))
		return HOST_OK;
	return host_fail_file(HOST_USAGE, root.file,
		"%s.hash: these marks belong to another model: %lld vertices and hash %s, while %s has %llu and %s", where,
		(long long)vertices, told, wanted->file, (unsigned long long)wanted->vertices, hash);
}

static host_status check_head(json_place root, const marks_models *models)
{
	const char *format;
	int64_t version;
	size_t count;
	host_status status = json_read_text(root, "format", &format);
	if (!status && strcmp(format, FORMAT))
		return host_fail_file(HOST_USAGE, root.file, "format: '%s' is not '" FORMAT "'", format);
	if (!status)
		status = json_read_integer(root, "version", VERSION, VERSION, &version);
	if (!status)
		status = read_count(root, "models", 0, MARKS_MODELS_MAX, &count);
	if (!status && models && models->count != count)
		return host_fail_file(HOST_USAGE, root.file, "models: these marks belong to %zu model%s, not to %zu", count,
			count == 1 ? "" : "s", models->count);
	for (size_t i = 0; !status && i < count; i++)
		status = check_model(root, i, models ? &models->models[i] : NULL);
	return status;
}

host_status marks_file_read(const char *path, const marks_models *models, mark_list *out)
{
	json_t *object;
	size_t count = 0;
	memset(out, 0, sizeof *out);
	host_status status = json_file_read(path, &object);
	if (status)
		return status;
	const json_place root = {path, "", object};
	status = check_head(root, models);
	if (!status)
		status = read_count(root, "marks", 0, MARKS_MAX, &count);
	for (size_t i = 0; !status && i < count; i++) {
		char where[64];
		json_place at;
		mark m;
		status = element(root, "marks", i, where, &at);
		if (!status)
			status = read_mark(at, &m);
		if (!status && out->count && m.number <= out->entries[out->count - 1].number)
			status = host_fail_file(HOST_USAGE, path, "%s.number: %u does not come after the one before", where, m.number);
		if (!status && !mark_list_add(out, &m))
			status = host_fail_memory("the marks");
	}
	json_decref(object);
	if (status) {
		free(out->entries);
		memset(out, 0, sizeof *out);
	}
	return status;
}
