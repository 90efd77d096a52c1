/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static option_def *find_option(options_def *def, const char *name, size_t length)
{
	for (size_t i = 0; i < def->option_count; i++)
		if (strlen(def->options[i].name) == length && !strncmp(def->options[i].name, name, length))
			return &def->options[i];
	return NULL;
}

static bool scan_integer(const char *text, const char **end, int64_t *out)
{
	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	char *stop;
	errno = 0;
	long long value = strtoll(text, &stop, 10);
	if (errno || stop == text)
		return false;
	*end = stop;
	*out = value;
	return true;
}

static host_status parse_integer(const option_def *o, const char *text)
{
	const char *end;
	int64_t value;
	if (!scan_integer(text, &end, &value) || *end)
		return host_fail(HOST_USAGE, "--%s: '%s' is not a whole number", o->name, text);
	if (!((double)value >= o->min && (double)value <= o->max))
		return host_fail(HOST_USAGE, "--%s: %s is not within %.15g to %.15g", o->name, text, o->min, o->max);
	*(int64_t *)o->target = value;
	return HOST_OK;
}

static host_status parse_number(const option_def *o, const char *text)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		return host_fail(HOST_USAGE, "--%s: '%s' is not a number", o->name, text);
	if (!(value >= o->min && value <= o->max))
		return host_fail(HOST_USAGE, "--%s: %s is not within %.15g to %.15g", o->name, text, o->min, o->max);
	*(double *)o->target = value;
	return HOST_OK;
}

static host_status parse_size(const option_def *o, const char *text)
{
	const char *end;
	int64_t width, height;
	if (!scan_integer(text, &end, &width) || *end != 'x' || !scan_integer(end + 1, &end, &height) || *end)
		return host_fail(HOST_USAGE, "--%s: '%s' is not of the form WxH, such as 320x240", o->name, text);
	double low = (double)(width < height ? width : height), high = (double)(width > height ? width : height);
	if (!(low >= o->min && high <= o->max))
		return host_fail(HOST_USAGE, "--%s: %s is not within %.0f to %.0f", o->name, text, o->min, o->max);
	uint32_t *size = o->target;
	size[0] = (uint32_t)width;
	size[1] = (uint32_t)height;
	return HOST_OK;
}

static host_status parse_range(const option_def *o, const char *text)
{
	int64_t first = 0, end = INT64_MAX;
	const char *at = text;
	bool good = *at == ':' || scan_integer(at, &at, &first);
	good = good && *at++ == ':';
	good = good && (!*at || (scan_integer(at, &at, &end) && !*at));
	if (!good)
		return host_fail(HOST_USAGE, "--%s: '%s' is not of the form A:B, such as 0:100", o->name, text);
	if (first < 0 || end <= first)
		return host_fail(HOST_USAGE, "--%s: %s is empty: wanted 0 <= A < B (B is not included)", o->name, text);
	int64_t *range = o->target;
	range[0] = first;
	range[1] = end;
	return HOST_OK;
}

static host_status parse_choice(const option_def *o, const char *text)
{
	char list[256] = "";
	for (int i = 0; o->choices[i]; i++) {
		if (!strcmp(o->choices[i], text)) {
			*(int *)o->target = i;
			return HOST_OK;
		}
		size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", o->choices[i]);
	}
	return host_fail(HOST_USAGE, "--%s: '%s' is none of %s", o->name, text, list);
}

static host_status parse_value(const option_def *o, const char *text)
{
	if (!*text)
		return host_fail(HOST_USAGE, "--%s: value is empty", o->name);
	switch (o->kind) {
	case OPTION_FLAG:
		break;
	case OPTION_TEXT:
		*(const char **)o->target = text;
		return HOST_OK;
	case OPTION_INTEGER:
		return parse_integer(o, text);
	case OPTION_NUMBER:
		return parse_number(o, text);
	case OPTION_SIZE:
		return parse_size(o, text);
	case OPTION_RANGE:
		return parse_range(o, text);
	case OPTION_CHOICE:
		return parse_choice(o, text);
	}
	return host_fail(HOST_USAGE, "--%s: takes no value", o->name);
}

/* Parses the option at argv[*at] and moves *at behind it and its value. */
static host_status parse_option(options_def *def, int argc, char **argv, int *at)
{
	const char *name = argv[*at] + 2;
	const char *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	option_def *o = argv[*at][1] == '-' ? find_option(def, name, length) : NULL;
	if (!o)
		return host_fail(HOST_USAGE, "unknown option '%s' (--help lists them)", argv[*at]);
	(*at)++;
	o->given = true;
	if (o->kind == OPTION_FLAG && !equals) {
		*(bool *)o->target = true;
		return HOST_OK;
	}
	if (equals)
		return parse_value(o, equals + 1);
	/* A following option is no value, but a negative number may be one. */
	bool number = o->kind == OPTION_INTEGER || o->kind == OPTION_NUMBER;
	if (*at >= argc || (argv[*at][0] == '-' && argv[*at][1] && !(number && argv[*at][1] != '-')))
		return host_fail(HOST_USAGE, "--%s: no value given (wanted %s)", o->name, o->value);
	return parse_value(o, argv[(*at)++]);
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	return false;
}

host_status options_parse(options_def *def, int argc, char **argv, options_result *out)
{
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < def->option_count; i++)
		def->options[i].given = false;
	out->help = wants_help(argc, argv);
	if (out->help)
		return HOST_OK;
	bool only_positional = false;
	for (int at = 1; at < argc;) {
		const char *word = argv[at];
		if (!only_positional && !strcmp(word, "--")) {
			only_positional = true;
			at++;
			continue;
		}
		if (!only_positional && word[0] == '-' && word[1]) {
			host_status status = parse_option(def, argc, argv, &at);
			if (status)
				return status;
			continue;
		}
		if (!*word)
			return host_fail(HOST_USAGE, "argument %d is empty", at);
		if (out->positional_count == def->positional_max)
			return host_fail(HOST_USAGE, "unexpected argument '%s' (usage: %s %s)", word, host_program(),
				def->usage);
		out->positional[out->positional_count++] = word;
		at++;
	}
	if (out->positional_count < def->positional_min)
		return host_fail(HOST_USAGE, "too few arguments (usage: %s %s)", host_program(), def->usage);
	return HOST_OK;
}

void options_print_help(const options_def *def, FILE *stream)
{
	fprintf(stream, "usage: %s %s\n\n%s\n\noptions:\n", host_program(), def->usage, def->about);
	for (size_t i = 0; i < def->option_count; i++) {
		const option_def *o = &def->options[i];
		char head[80];
		snprintf(head, sizeof head, "--%s%s%s", o->name, o->kind == OPTION_FLAG ? "" : " ",
			o->kind == OPTION_FLAG ? "" : o->value);
		fprintf(stream, "  %-24s %s\n", head, o->help);
	}
	fprintf(stream, "  %-24s %s\n", "--help", "this text");
}
