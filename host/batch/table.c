/* SPDX-License-Identifier: Apache-2.0
 * One table of all results, as text and as JSON. Both are made from the JSON. */
#include "batch/batch.h"

#include <stdio.h>
#include <string.h>

#include "json.h"

const char *batch_state_name(batch_state state)
{
	switch (state) {
	case BATCH_DONE:
		return "done";
	case BATCH_POOR:
		return "poor";
	case BATCH_FAILED:
		return "failed";
	case BATCH_WAITING:
	case BATCH_RUNNING:
		break;
	}
	return "not run";
}

size_t batch_count(const batch *b, batch_state state)
{
	size_t count = 0;
	for (size_t i = 0; i < b->count; i++)
		count += b->items[i].state == state;
	return count;
}

/* What the table shows of an item's own report; null where there is none, as when no frame could be read. */
static void put_figures(const batch *b, const batch_item *item, json_t *object, bool *ok)
{
	static const char *const keys[] = {
		"device", "frames", "tracked", "weak", "lost", "left_out", "fused", "triangles", "fps", "engine_s"};
	char folder[FILE_PATH_MAX], path[FILE_PATH_MAX];
	json_t *report = NULL;
	const bool finished = item->state == BATCH_DONE || item->state == BATCH_POOR;
	if (finished && !batch_folder(b, item, folder) && !path_join(folder, "report.json", path) &&
		file_exists(path) && json_file_read(path, &report))
		host_warn("%s", host_error_text());
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		json_t *value = report ? json_object_get(report, keys[i]) : NULL;
		json_put(object, keys[i], value ? json_incref(value) : json_null(), ok);
	}
	json_decref(report);
}

static json_t *item_json(const batch *b, const batch_item *item, bool *ok)
{
	json_t *object = json_object(), *options = json_array();
	const bool run = item->state != BATCH_WAITING;
	for (size_t i = 0; i < item->source->option_count; i++)
		*ok = !json_array_append_new(options, json_foreign(item->source->options[i])) && *ok;
	json_put(object, "name", json_foreign(item->source->name), ok);
	json_put(object, "line", json_integer((json_int_t)item->source->line), ok);
	json_put(object, "dataset", json_foreign(item->source->dataset), ok);
	json_put(object, "options", options, ok);
	json_put(object, "state", json_string(batch_state_name(item->state)), ok);
	json_put(object, "code", run ? json_integer(item->code) : json_null(), ok);
	json_put(object, "reason", run && *item->reason ? json_foreign(item->reason) : json_null(), ok);
	json_put(object, "earlier", json_boolean(item->kept), ok);
	json_put(object, "tries", json_integer((json_int_t)item->tries), ok);
	json_put(object, "wall_s", run ? json_finite(item->wall_s) : json_null(), ok);
	put_figures(b, item, object, ok);
	return object;
}

static json_t *table_json(const batch *b)
{
	bool ok = true;
	json_t *root = json_object(), *items = json_array();
	json_put(root, "version", json_string(enm_version()), &ok);
	json_put(root, "manifest", json_foreign(b->manifest_path), &ok);
	json_put(root, "interrupted", json_boolean(b->interrupted), &ok);
	json_put(root, "done", json_integer((json_int_t)batch_count(b, BATCH_DONE)), &ok);
	json_put(root, "poor", json_integer((json_int_t)batch_count(b, BATCH_POOR)), &ok);
	json_put(root, "failed", json_integer((json_int_t)batch_count(b, BATCH_FAILED)), &ok);
	json_put(root, "not_run", json_integer((json_int_t)batch_count(b, BATCH_WAITING)), &ok);
	for (size_t i = 0; i < b->count; i++)
		ok = !json_array_append_new(items, item_json(b, &b->items[i], &ok)) && ok;
	json_put(root, "items", items, &ok);
	if (ok)
		return root;
	json_decref(root);
	return NULL;
}

/* ---- as text ---- */

static void print_cell(FILE *out, const json_t *item, const char *key, int width)
{
	const json_t *value = json_object_get(item, key);
	if (json_is_integer(value))
		fprintf(out, "  %*lld", width, (long long)json_integer_value(value));
	else if (json_is_real(value))
		fprintf(out, "  %*.1f", width, json_real_value(value));
	else
		fprintf(out, "  %*s", width, "-");
}

static void print_text(const json_t *root, FILE *out)
{
	static const char *const keys[] = {
		"frames", "tracked", "weak", "lost", "left_out", "triangles", "fps", "wall_s"};
	const size_t key_count = sizeof keys / sizeof *keys;
	const json_t *items = json_object_get(root, "items");
	int width = 4;
	for (size_t i = 0; i < json_array_size(items); i++) {
		const int length = (int)json_string_length(json_object_get(json_array_get(items, i), "name"));
		width = length > width ? length : width;
	}
	fprintf(out, "%-*s  %-7s", width, "name", "state");
	for (size_t k = 0; k < key_count; k++)
		fprintf(out, "  %9s", keys[k]);
	fprintf(out, "  reason\n");
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *reason = json_string_value(json_object_get(item, "reason"));
		fprintf(out, "%-*s  %-7s", width, json_string_value(json_object_get(item, "name")),
			json_string_value(json_object_get(item, "state")));
		for (size_t k = 0; k < key_count; k++)
			print_cell(out, item, keys[k], 9);
		fprintf(out, "  %s\n", reason ? reason : "-");
	}
	fprintf(out, "%lld done, %lld poor, %lld failed, %lld not run%s\n",
		(long long)json_integer_value(json_object_get(root, "done")),
		(long long)json_integer_value(json_object_get(root, "poor")),
		(long long)json_integer_value(json_object_get(root, "failed")),
		(long long)json_integer_value(json_object_get(root, "not_run")),
		json_is_true(json_object_get(root, "interrupted")) ? "; interrupted" : "");
}

static host_status write_text(const batch *b, const json_t *root)
{
	char path[FILE_PATH_MAX];
	file_output output = {0};
	host_status status = path_join(b->out, "batch.txt", path);
	if (!status)
		status = file_begin(path, &output);
	if (status)
		return status;
	print_text(root, output.stream);
	return file_commit(&output);
}

host_status batch_report(const batch *b)
{
	char path[FILE_PATH_MAX];
	json_t *root = table_json(b);
	if (!root)
		return host_fail_memory("the table");
	host_status printed = HOST_OK;
	if (b->json)
		printed = json_print(root, stdout);
	else
		print_text(root, stdout);
	if (!b->json && (fflush(stdout) || ferror(stdout)))
		printed = host_fail(HOST_IO, "standard output: cannot write");
	host_status status = path_join(b->out, "batch.json", path);
	if (!status)
		status = json_file_write(path, root);
	if (!status)
		status = write_text(b, root);
	json_decref(root);
	return status ? status : printed;
}
