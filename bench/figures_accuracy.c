/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <math.h>
#include <stdio.h>

#include "file.h"
#include "json.h"

/* A column of the table: from the replay's report or from the evaluation. */
typedef struct column {
	const char *key; /* in the result file */
	bool evaluation;
	const char *path;
	const char *head[2];
	int decimals;
} column;

static const column columns[] = {
	{"frames", false, "frames", {"", "frames"}, 0},
	{"tracked", false, "tracked", {"", "tracked"}, 0},
	{"weak", false, "weak", {"", "weak"}, 0},
	{"lost", false, "lost", {"", "lost"}, 0},
	{"wrong_poses", true, "trajectory.wrong_poses", {"wrong", "poses"}, 0},
	{"best_fit_mean_um", true, "surface.best_fit.mean_um", {"best-fit", "mean um"}, 1},
	{"best_fit_p95_um", true, "surface.best_fit.p95_um", {"", "p95"}, 1},
	{"pinned_mean_um", true, "surface.pinned_first.mean_um", {"pinned", "mean um"}, 1},
	{"pinned_30_mean_um", true, "surface.pinned_first_30.mean_um", {"pinned 30", "mean um"}, 1},
	{"within_100um_percent", true, "completeness.within_100um_percent", {"in 100um", "%"}, 1},
	{"trajectory_end_um", true, "trajectory.pinned_first.translation.end_um", {"poses um", "end"}, 0},
	{"trajectory_median_um", true, "trajectory.pinned_first.translation.median_um", {"", "median"}, 0},
	{"fps", false, "fps", {"", "frames/s"}, 1},
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(*columns))

/* NULL where the file is not there or cannot be read; the reason is printed. */
static json_t *read_part(const char *folder, const char *name)
{
	char path[FILE_PATH_MAX];
	json_t *root = NULL;
	if (path_join(folder, name, path) || json_file_read(path, &root))
		host_warn("%s", host_error_text());
	return root;
}

static void print_head(void)
{
	for (int line = 0; line < 2; line++) {
		printf("%-24s", line ? "scenario" : "");
		for (size_t i = 0; i < COLUMN_COUNT; i++)
			printf(" %9s", columns[i].head[line]);
		printf("\n");
	}
}

static json_t *row(const char *name, const json_t *replay, const json_t *evaluation, bool *ok)
{
	json_t *object = json_object();
	json_put(object, "scenario", json_string(name), ok);
	printf("%-24s", name);
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		const column *c = &columns[i];
		const json_t *source = c->evaluation ? evaluation : replay, *there = figures_at(source, c->path);
		double value = figures_number(source, c->path);
		json_put(object, c->key, isnan(value) ? json_null() : json_deep_copy(there), ok);
		if (isnan(value))
			printf(" %9s", "-");
		else
			printf(" %9.*f", c->decimals, value);
	}
	printf("\n");
	return object;
}

host_status figures_accuracy(const figures_origin *origin, const char *out_path, char *const *folders, size_t count)
{
	bool ok = true;
	json_t *rows = json_array(), *head = NULL;
	print_head();
	for (size_t i = 0; i < count; i++) {
		json_t *replay = read_part(folders[i], "replay.json"),
		       *evaluation = read_part(folders[i], "evaluate.json");
		if (head == NULL && replay != NULL)
			head = figures_head(origin, replay, &ok);
		if (json_array_append_new(rows, row(path_base(folders[i]), replay, evaluation, &ok)) != 0)
			ok = false;
		json_decref(replay);
		json_decref(evaluation);
	}
	if (head == NULL) {
		json_decref(rows);
		return host_fail(HOST_DATA, "accuracy: no scenario has a report");
	}
	json_put(head, "scenarios", rows, &ok);
	host_status status = ok ? json_file_write(out_path, head) : host_fail_memory("the result");
	json_decref(head);
	return status;
}
