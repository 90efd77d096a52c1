/* SPDX-License-Identifier: Apache-2.0 */
#include "batch/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "options.h"

#define MANIFEST_BYTES_MAX ((size_t)16 << 20)
#define WORDS_MAX 64

/* A line under work. Its words point into the file's text, which loses its quotes. */
typedef struct line_words {
	const char *file;
	size_t number;
	char *words[WORDS_MAX + 1]; /* [0] stands for the program */
	int count;
} line_words;

static host_status fail_line(const line_words *l, const char *reason)
{
	char copy[800];
	snprintf(copy, sizeof copy, "%s", reason);
	return host_fail_file(HOST_USAGE, l->file, "line %zu: %s", l->number, copy);
}

/* ---- words ---- */

/* Moves one word to `*to`, ended by a zero byte, and `*at` behind it. False where a quote has no end. */
static bool take_word(char **at, char **to)
{
	bool quoted = false;
	char *from = *at, *out = *to;
	while (*from && (quoted || (*from != ' ' && *from != '\t'))) {
		if (*from == '"')
			quoted = !quoted;
		else
			*out++ = *from;
		from++;
	}
	if (*from)
		from++;
	*out++ = 0; /* what was read, the blank counted, is never shorter than what is written */
	*at = from;
	*to = out;
	return !quoted;
}

static host_status split_line(char *text, line_words *l)
{
	static char program[] = "batch";
	char *at = text, *to = text;
	l->words[0] = program;
	l->count = 1;
	for (at += strspn(at, " \t"); *at && *at != '#'; at += strspn(at, " \t")) {
		if (l->count == WORDS_MAX)
			return fail_line(l, "too many words");
		char *word = to;
		if (!take_word(&at, &to))
			return fail_line(l, "a double quote has no end");
		l->words[l->count++] = word;
	}
	l->words[l->count] = NULL;
	return HOST_OK;
}

/* ---- options ---- */

typedef struct line_options {
	const char *name, *camera;
	double voxel_mm, truncation_mm;
	int64_t frames[2];
	bool flags[4];
	int tracker;
} line_options;

static const char *const trackers[] = {"field", "raycast", NULL};

#define LINE_OPTIONS 10

static void make_table(line_options *o, option_def out[LINE_OPTIONS])
{
	const option_def table[LINE_OPTIONS] = {
		{.name = "name", .kind = OPTION_TEXT, .target = &o->name, .value = "NAME"},
		{.name = "camera", .kind = OPTION_TEXT, .target = &o->camera, .value = "FILE"},
		{.name = "voxel-mm",
			.kind = OPTION_NUMBER,
			.target = &o->voxel_mm,
			.min = 1e-3,
			.max = 1e3,
			.value = "MM"},
		{.name = "truncation-mm",
			.kind = OPTION_NUMBER,
			.target = &o->truncation_mm,
			.min = 2e-3,
			.max = 1.6e4,
			.value = "MM"},
		{.name = "frames", .kind = OPTION_RANGE, .target = o->frames, .value = "A:B"},
		{.name = "start-at-truth", .kind = OPTION_FLAG, .target = &o->flags[0]},
		{.name = "strict", .kind = OPTION_FLAG, .target = &o->flags[1]},
		{.name = "no-recover", .kind = OPTION_FLAG, .target = &o->flags[2]},
		{.name = "keep-foreign", .kind = OPTION_FLAG, .target = &o->flags[3]},
		{.name = "tracker", .kind = OPTION_CHOICE, .target = &o->tracker, .value = "NAME", .choices = trackers},
	};
	memcpy(out, table, sizeof table);
}

/* What the batch sets itself, or what needs somebody to look at it. */
static host_status refuse_own(const line_words *l)
{
	static const char *const own[] = {"out", "also", "trajectory", "frame-log", "report", "preview", "certificate",
		"device", "json", "view", "view-screenshot", "view-close-s", "view-size", "help"};
	for (int i = 1; i < l->count; i++) {
		const char *word = l->words[i];
		if (!strcmp(word, "--"))
			break;
		for (size_t k = 0; k < sizeof own / sizeof *own && !strncmp(word, "--", 2); k++) {
			if (strcspn(word + 2, "=") != strlen(own[k]) || strncmp(word + 2, own[k], strlen(own[k])) != 0)
				continue;
			char text[160];
			snprintf(text, sizeof text,
				"--%s: not allowed in a manifest (the batch names the outputs and gives out the "
				"device)",
				own[k]);
			return fail_line(l, text);
		}
	}
	return HOST_OK;
}

static const option_def *find_option(const option_def *table, const char *word)
{
	for (size_t i = 0; i < LINE_OPTIONS; i++)
		if (!strncmp(word, table[i].name, strcspn(word, "=")) && strlen(table[i].name) == strcspn(word, "="))
			return &table[i];
	return NULL;
}

static char *join_text(const char *first, const char *second, const char *third)
{
	size_t size = strlen(first) + strlen(second) + strlen(third) + 1;
	char *text = malloc(size);
	if (text)
		snprintf(text, size, "%s%s%s", first, second, third);
	return text;
}

/* The option as the line has it, and as the replay gets it. */
static bool add_option(manifest_item *item, const option_def *o, const char *value, const char *camera)
{
	const bool flag = o->kind == OPTION_FLAG, path = !strcmp(o->name, "camera");
	char *kept = flag ? join_text("--", o->name, "") : NULL, *given = flag ? join_text("--", o->name, "") : NULL;
	char head[64];
	snprintf(head, sizeof head, "--%s=", o->name);
	if (!flag) {
		kept = join_text(head, value, "");
		given = join_text(head, path ? camera : value, "");
	}
	item->options[item->option_count++] = kept;
	item->arguments[item->argument_count++] = given;
	return kept && given;
}

/* Walks the words once more, now that they are known to be right. */
static host_status add_options(const line_words *l, const option_def *table, const char *folder, manifest_item *item)
{
	char path[FILE_PATH_MAX];
	item->options = calloc((size_t)l->count + 1, sizeof *item->options);
	item->arguments = calloc((size_t)l->count + 3, sizeof *item->arguments);
	bool ok = item->options && item->arguments;
	host_status status = HOST_OK;
	for (int i = 1; ok && !status && i < l->count && strcmp(l->words[i], "--") != 0; i++) {
		if (strncmp(l->words[i], "--", 2) != 0)
			continue;
		const option_def *o = find_option(table, l->words[i] + 2);
		const char *value = strchr(l->words[i], '=');
		if (o->kind != OPTION_FLAG)
			value = value ? value + 1 : l->words[++i];
		if (!strcmp(o->name, "name"))
			continue;
		status = path_join(folder, value ? value : "", path);
		ok = status || add_option(item, o, value, path);
	}
	if (!status)
		status = path_join(folder, item->dataset, path);
	if (ok && !status) {
		item->arguments[item->argument_count++] = join_text("--", "", "");
		item->arguments[item->argument_count++] = join_text(path, "", "");
		ok = item->arguments[item->argument_count - 2] && item->arguments[item->argument_count - 1];
	}
	return ok ? status : host_fail_memory("the manifest");
}

/* ---- names ---- */

static host_status check_name(const line_words *l, const char *name)
{
	static const char *const taken[] = {"batch.json", "batch.txt", "failed"};
	char text[320];
	bool good = *name && *name != '.' && strlen(name) <= MANIFEST_NAME_MAX && !strchr(name, '/');
	for (const char *c = name; *c; c++)
		good = good && (unsigned char)*c >= 0x20 && *c != 0x7f;
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		good = good && strcmp(name, taken[i]) != 0;
	if (good)
		return HOST_OK;
	snprintf(text, sizeof text, "'%.100s' cannot be the name of a result (--name gives another)", name);
	return fail_line(l, text);
}

static char *name_of(const char *given, const char *dataset)
{
	if (given)
		return join_text(given, "", "");
	char *name = join_text(path_base(dataset), "", "");
	if (!name)
		return NULL;
	size_t length = strlen(name);
	while (length > 1 && name[length - 1] == '/')
		name[--length] = 0;
	if (path_has_extension(name, ".enmrec"))
		name[length - strlen(".enmrec")] = 0;
	return name;
}

static host_status read_item(line_words *l, const char *folder, manifest_item *item)
{
	line_options o = {0};
	option_def table[LINE_OPTIONS];
	make_table(&o, table);
	options_def def = {"DATASET [options]", "", table, LINE_OPTIONS, 0, OPTIONS_POSITIONAL_MAX};
	options_result parsed;
	host_status status = refuse_own(l);
	if (status)
		return status;
	if (options_parse(&def, l->count, l->words, &parsed))
		return fail_line(l, host_error_text());
	if (parsed.positional_count != 1)
		return fail_line(l, parsed.positional_count ? "more than one dataset" : "no dataset");
	item->line = l->number;
	item->dataset = join_text(parsed.positional[0], "", "");
	item->name = item->dataset ? name_of(o.name, item->dataset) : NULL;
	if (!item->name)
		return host_fail_memory("the manifest");
	status = check_name(l, item->name);
	return status ? status : add_options(l, table, folder, item);
}

static int compare_names(const void *a, const void *b)
{
	const manifest_item *const *left = a, *const *right = b;
	int order = strcmp((*left)->name, (*right)->name);
	return order ? order : (*left)->line < (*right)->line ? -1 : 1;
}

static bool same_line(const manifest_item *a, const manifest_item *b)
{
	bool same = !strcmp(a->dataset, b->dataset) && a->option_count == b->option_count;
	for (size_t i = 0; same && i < a->option_count; i++)
		same = !strcmp(a->options[i], b->options[i]);
	return same;
}

static host_status check_twice(const char *file, const manifest *m)
{
	const manifest_item **sorted = calloc(m->count + 1, sizeof *sorted);
	if (!sorted)
		return host_fail_memory("the manifest");
	for (size_t i = 0; i < m->count; i++)
		sorted[i] = &m->items[i];
	qsort(sorted, m->count, sizeof *sorted, compare_names);
	host_status status = HOST_OK;
	for (size_t i = 1; !status && i < m->count; i++) {
		const manifest_item *a = sorted[i - 1], *b = sorted[i];
		if (strcmp(a->name, b->name) != 0)
			continue;
		status = same_line(a, b)
				 ? host_fail_file(HOST_USAGE, file, "line %zu: repeats line %zu", b->line, a->line)
				 : host_fail_file(HOST_USAGE, file,
					   "line %zu: the name '%s' is that of line %zu (--name gives another)",
					   b->line, b->name, a->line);
	}
	free(sorted);
	return status;
}

/* ---- the file ---- */

static host_status add_line(const char *file, size_t number, char *text, const char *folder, manifest *out)
{
	line_words l = {.file = file, .number = number};
	const size_t length = strlen(text);
	if (length && text[length - 1] == '\r')
		text[length - 1] = 0;
	host_status status = split_line(text, &l);
	if (status || l.count == 1)
		return status;
	if (!(out->count & (out->count + 1))) { /* 0, 1, 3, 7 ... are full: room for one more than twice that */
		manifest_item *more = realloc(out->items, (2 * out->count + 1) * sizeof *more);
		if (!more)
			return host_fail_memory("the manifest");
		out->items = more;
	}
	memset(&out->items[out->count], 0, sizeof *out->items);
	return read_item(&l, folder, &out->items[out->count++]);
}

static host_status read_lines(const char *path, char *text, size_t size, manifest *out)
{
	char folder[FILE_PATH_MAX];
	snprintf(folder, sizeof folder, "%.*s", (int)(path_base(path) - path), path);
	host_status status = HOST_OK;
	size_t number = 1;
	for (char *at = text; !status && at < text + size; number++) {
		char *end = memchr(at, '\n', (size_t)(text + size - at));
		char *next = end ? end + 1 : text + size;
		if (end)
			*end = 0;
		if (at + strlen(at) != (end ? end : next))
			return host_fail_file(HOST_USAGE, path, "line %zu: holds a zero byte: is this a text?", number);
		status = add_line(path, number, at, folder, out);
		at = next;
	}
	if (!status && !out->count)
		status = host_fail_file(HOST_USAGE, path, "names no dataset");
	return status ? status : check_twice(path, out);
}

host_status manifest_read(const char *path, manifest *out)
{
	memset(out, 0, sizeof *out);
	uint8_t *bytes;
	size_t size;
	host_status status = file_read(path, MANIFEST_BYTES_MAX, &bytes, &size);
	if (!status)
		status = read_lines(path, (char *)bytes, size, out);
	free(bytes);
	return status;
}

void manifest_free(manifest *m)
{
	for (size_t i = 0; i < m->count; i++) {
		manifest_item *item = &m->items[i];
		for (size_t k = 0; k < item->option_count; k++)
			free(item->options[k]);
		for (size_t k = 0; k < item->argument_count; k++)
			free(item->arguments[k]);
		free(item->options);
		free(item->arguments);
		free(item->name);
		free(item->dataset);
	}
	free(m->items);
	memset(m, 0, sizeof *m);
}
