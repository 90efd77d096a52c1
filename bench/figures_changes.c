/* SPDX-License-Identifier: Apache-2.0 */
#include "figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

/* What is compared. */
typedef struct compared {
	const char *key, *head;
	int decimals;
} compared;

static const compared figures[] = {
	{"tracked", "tracked", 0},
	{"wrong_poses", "wrong", 0},
	{"best_fit_mean_um", "best-fit mean um", 1},
	{"best_fit_p95_um", "p95", 1},
	{"pinned_mean_um", "pinned mean um", 1},
	{"pinned_30_mean_um", "pinned 30", 1},
	{"within_100um_percent", "in 100um %", 1},
	{"trajectory_median_um", "poses median um", 0},
	{"trajectory_end_um", "poses end um", 0},
};
#define FIGURE_COUNT (sizeof(figures) / sizeof(*figures))

static const json_t *scenario_of(const json_t *root, const char *name)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(root, "scenarios"), i, row)
	{
		const char *other = json_string_value(json_object_get(row, "scenario"));
		if (other != NULL && strcmp(other, name) == 0)
			return row;
	}
	return NULL;
}

static void print_value(double value, int decimals)
{
	if (isnan(value))
		printf("-");
	else
		printf("%.*f", decimals, value);
}

static void print_row(const char *name, const json_t *before, const json_t *after)
{
	printf("| %s |", name);
	for (size_t i = 0; i < FIGURE_COUNT; i++) {
		printf(" ");
		print_value(figures_number(before, figures[i].key), figures[i].decimals);
		printf(" → ");
		print_value(figures_number(after, figures[i].key), figures[i].decimals);
		printf(" |");
	}
	printf("\n");
}

host_status figures_changes(const char *before_path, const char *after_path)
{
	json_t *before = NULL, *after = NULL, *row;
	size_t k;
	host_status status = json_file_read(before_path, &before);
	if (!status)
		status = json_file_read(after_path, &after);
	if (!status && (!json_is_array(json_object_get(before, "scenarios")) ||
			       !json_is_array(json_object_get(after, "scenarios"))))
		status = host_fail(HOST_USAGE, "changes: %s and %s must be results of accuracy.sh", before_path, after_path);
	if (!status) {
		printf("| scenario |");
		for (size_t i = 0; i < FIGURE_COUNT; i++)
			printf(" %s |", figures[i].head);
		printf("\n|---|");
		for (size_t i = 0; i < FIGURE_COUNT; i++)
			printf("---|");
		printf("\n");
		json_array_foreach(json_object_get(after, "scenarios"), k, row)
		{
			const char *name = json_string_value(json_object_get(row, "scenario"));
			print_row(name != NULL ? name : "-", scenario_of(before, name != NULL ? name : ""), row);
		}
	}
	json_decref(before);
	json_decref(after);
	return status;
}
