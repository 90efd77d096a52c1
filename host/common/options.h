/* SPDX-License-Identifier: Apache-2.0
 * Long options for all programs: a table says what there is, the parser checks it, --help is made from it. */
#ifndef ENM_HOST_OPTIONS_H
#define ENM_HOST_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

typedef enum option_kind {
	OPTION_FLAG = 0, /* bool: true when given */
	OPTION_TEXT,     /* const char *: not empty, points into argv */
	OPTION_INTEGER,  /* int64_t within [min, max] */
	OPTION_NUMBER,   /* double within [min, max], finite */
	OPTION_SIZE,     /* uint32_t[2]: "320x240", both within [min, max] */
	OPTION_RANGE,    /* int64_t[2]: "A:B" with 0 <= A < B; either may be left out (0 and INT64_MAX) */
	OPTION_CHOICE    /* int: index into `choices` */
} option_kind;

typedef struct option_def {
	const char *name; /* "voxel-mm", without dashes */
	option_kind kind;
	void *target;               /* keeps what it holds when the option is not given */
	double min, max;            /* inclusive */
	const char *value;          /* what --help calls the value: "MM" */
	const char *help;           /* one line */
	const char *const *choices; /* of OPTION_CHOICE, ended by NULL */
	bool given;                 /* set by options_parse */
} option_def;

typedef struct options_def {
	const char *usage; /* "DATASET --out FILE [options]"; the program's name is put before it */
	const char *about; /* a few lines for --help */
	option_def *options;
	size_t option_count;
	size_t positional_min, positional_max; /* at most OPTIONS_POSITIONAL_MAX */
} options_def;

#define OPTIONS_POSITIONAL_MAX 32

typedef struct options_result {
	const char *positional[OPTIONS_POSITIONAL_MAX];
	size_t positional_count;
	bool help; /* --help was given: nothing else was checked */
} options_result;

/* Parses argv[1] and on: "--name value", "--name=value", "--name" for flags, "--" before names that begin with a dash.
 * The last one counts when an option is repeated. HOST_USAGE with one line that names the option and the reason. */
host_status options_parse(options_def *def, int argc, char **argv, options_result *out);

void options_print_help(const options_def *def, FILE *stream);

#endif
