/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "json.h"

#define KEY_MAX 64
#define REPORTS_MAX 64

static const char usage[] =
	"usage: enamel-figures get FILE KEY.KEY...\n"
	"       enamel-figures speed COMMIT DATE DATASET OUT.json COLD.json WARM.json REPLAY.json...\n"
	"       enamel-figures accuracy COMMIT DATE OUT.json FOLDER...\n"
	"       enamel-figures changes BEFORE.json AFTER.json\n"
	"       enamel-figures tracking COMMIT DATE SOURCES OUT.json|- FOLDER|RESULT.json...\n"
	"       enamel-figures arches COMMIT DATE SOURCES OUT.json|- FOLDER|RESULT.json...\n"
	"       enamel-figures certainty COMMIT DATE SOURCES OUT.json|- FOLDER|RESULT.json...\n"
	"       enamel-figures runs RESULT.json\n"
	"       enamel-figures frames COMMIT DATE OUT.json RUN.json...\n"
	"       enamel-figures scaling COMMIT DATE OUT.json RUN.json...\n\n"
	"get prints one value of a JSON file. speed and accuracy print a table of the reports of enamel replay and\n"
	"enamel evaluate, and write it as JSON. A FOLDER is named after its scenario and holds replay.json and\n"
	"evaluate.json; for tracking and arches its name ends in -SEED, and runs of earlier results of the same SOURCES are added.\n"
	"runs prints which a result holds. frames puts results of enamel-frames into one file; "
	"scaling holds those of several cases, told "
	"apart\n"
	"by their labels, against the first one's.\n";

const json_t *figures_at(const json_t *root, const char *path)
{
	while (root != NULL && *path != '\0') {
		char key[KEY_MAX];
		size_t length = strcspn(path, ".");
		if (length >= sizeof(key))
			return NULL;
		memcpy(key, path, length);
		key[length] = '\0';
		root = json_object_get(root, key);
		path += length + (path[length] == '.' ? 1 : 0);
	}
	return root;
}

double figures_number(const json_t *root, const char *path)
{
	const json_t *value = figures_at(root, path);
	return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

const char *figures_text(const json_t *root, const char *path)
{
	const json_t *value = figures_at(root, path);
	return json_is_string(value) ? json_string_value(value) : "?";
}

json_t *figures_read_part(const char *folder, const char *name)
{
	char path[FILE_PATH_MAX];
	json_t *root = NULL;
	if (path_join(folder, name, path) || !file_exists(path))
		return NULL;
	if (json_file_read(path, &root))
		host_warn("%s", host_error_text());
	return root;
}

json_t *figures_head(const figures_origin *origin, const json_t *report, bool *ok)
{
	static const char *const keys[] = {"version", "device", "platform", "driver"};
	json_t *head = json_object();
	json_put(head, "date", json_string(origin->date), ok);
	json_put(head, "commit", json_string(origin->commit), ok);
	if (origin->sources != NULL)
		json_put(head, "sources", json_string(origin->sources), ok);
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		json_put(head, keys[i], json_string(figures_text(report, keys[i])), ok);
	return head;
}

host_status figures_read_result(const char *file, const figures_origin *origin, json_t **out)
{
	host_status status = json_file_read(file, out);
	if (status)
		return status;
	if (!json_is_array(json_object_get(*out, "scenarios")) || !json_is_string(json_object_get(*out, "sources")))
		status = host_fail_file(HOST_USAGE, file, "is no result whose runs can be added");
	else if (strcmp(figures_text(*out, "sources"), origin->sources) != 0)
		status = host_fail_file(HOST_USAGE, file, "is of other sources: %s, and not %s", figures_text(*out, "sources"), origin->sources);
	if (status) {
		json_decref(*out);
		*out = NULL;
	}
	return status;
}

host_status figures_close(host_status status, bool ok, json_t *head, json_t *rows, const char *out_path)
{
	if (status == HOST_OK) {
		json_put(head, "scenarios", json_incref(rows), &ok);
		status = !ok ? host_fail_memory("the result") : out_path[0] ? json_file_write(out_path, head) : HOST_OK;
	}
	json_decref(rows);
	json_decref(head);
	return status;
}

host_status figures_runs(const char *file)
{
	json_t *root = NULL, *row, *run;
	size_t i, k;
	host_status status = json_file_read(file, &root);
	json_array_foreach(json_object_get(root, "scenarios"), i, row)
	{
		json_array_foreach(json_object_get(row, "runs"), k, run)
			printf("%s-%s\n", figures_text(row, "scenario"), figures_text(run, "seed"));
		json_array_foreach(json_object_get(row, "seeds"), k, run)
			printf("%s-%s\n", figures_text(row, "scenario"), json_string_value(run));
	}
	json_decref(root);
	return status;
}

static host_status get(const char *file, const char *path)
{
	json_t *root = NULL;
	host_status status = json_file_read(file, &root);
	if (status)
		return status;
	const json_t *value = figures_at(root, path);
	if (json_is_string(value))
		printf("%s\n", json_string_value(value));
	else if (json_is_number(value))
		printf("%.12g\n", json_number_value(value));
	else if (json_is_boolean(value))
		printf("%s\n", json_is_true(value) ? "true" : "false");
	else
		status = host_fail_file(HOST_USAGE, file, "%s: no such value", path);
	json_decref(root);
	return status;
}

/* Reads all files and hands them on. */
static host_status with_reports(const figures_origin *origin, const char *what, const char *dataset,
	const char *out_path, char **files, size_t count)
{
	json_t *reports[REPORTS_MAX] = {NULL};
	host_status status = HOST_OK;
	if (count > REPORTS_MAX)
		return host_fail(HOST_USAGE, "%s: more than %d reports", what, REPORTS_MAX);
	for (size_t i = 0; !status && i < count; i++)
		status = json_file_read(files[i], &reports[i]);
	if (!status && dataset)
		status = figures_speed(origin, dataset, out_path, reports, count);
	else if (!status && !strcmp(what, "frames"))
		status = figures_frames(origin, out_path, reports, count);
	else if (!status)
		status = figures_scaling(origin, out_path, reports, count);
	for (size_t i = 0; i < count; i++)
		json_decref(reports[i]);
	return status;
}

int main(int argc, char **argv)
{
	host_status status;
	host_set_program("enamel-figures");
	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return HOST_OK;
	}
	if (argc == 4 && !strcmp(argv[1], "get"))
		status = get(argv[2], argv[3]);
	else if (argc >= 9 && !strcmp(argv[1], "speed"))
		status = with_reports(
			&(figures_origin){argv[2], argv[3], NULL}, argv[1], argv[4], argv[5], argv + 6, (size_t)argc - 6);
	else if (argc == 4 && !strcmp(argv[1], "changes"))
		status = figures_changes(argv[2], argv[3]);
	else if (argc >= 6 && !strcmp(argv[1], "accuracy"))
		status = figures_accuracy(&(figures_origin){argv[2], argv[3], NULL}, argv[4], argv + 5, (size_t)argc - 5);
	else if (argc >= 7 && !strcmp(argv[1], "tracking"))
		status = figures_tracking(&(figures_origin){argv[2], argv[3], argv[4]}, strcmp(argv[5], "-") ? argv[5] : "",
			argv + 6, (size_t)argc - 6);
	else if (argc >= 7 && !strcmp(argv[1], "arches"))
		status = figures_arches(&(figures_origin){argv[2], argv[3], argv[4]}, strcmp(argv[5], "-") ? argv[5] : "", argv + 6,
			(size_t)argc - 6);
	else if (argc >= 7 && !strcmp(argv[1], "certainty"))
		status = figures_certainty(&(figures_origin){argv[2], argv[3], argv[4]}, strcmp(argv[5], "-") ? argv[5] : "", argv + 6,
			(size_t)argc - 6);
	else if (argc == 3 && !strcmp(argv[1], "runs"))
		status = figures_runs(argv[2]);
	else if (argc >= 6 && (!strcmp(argv[1], "frames") || !strcmp(argv[1], "scaling")))
		status = with_reports(
			&(figures_origin){argv[2], argv[3], NULL}, argv[1], NULL, argv[4], argv + 5, (size_t)argc - 5);
	else
		status = host_fail(HOST_USAGE, "wrong arguments ('enamel-figures --help' lists them)");
	return status ? host_report_failure(status) : HOST_OK;
}
