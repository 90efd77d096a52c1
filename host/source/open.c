/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <stdio.h>
#include <string.h>

typedef struct source_kind {
	const char *name;
	host_status (*open)(const source_open_def *def, source *out);
	bool what_wanted; /* something must stand behind the colon */
} source_kind;

static const source_kind kinds[] = {
	{"folder", source_open_folder, true},
	{"sim", source_open_simulator, false},
	{"socket", source_open_socket, true},
	{"v4l2", source_open_v4l2, true},
	{"plugin", source_open_plugin, true},
};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

static host_status fail_kind(const char *text)
{
	char names[128] = "";
	for (size_t i = 0; i < KIND_COUNT; i++) {
		size_t at = strlen(names);
		snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "", kinds[i].name);
	}
	return host_fail(HOST_USAGE, "--source: '%s' begins with none of the kinds %s", text, names);
}

host_status source_open(const char *text, const source_open_def *def, source *out)
{
	const char *colon = strchr(text, ':');
	const size_t length = colon ? (size_t)(colon - text) : strlen(text);
	source_open_def with = *def;
	with.what = colon ? colon + 1 : "";
	for (size_t i = 0; i < KIND_COUNT; i++) {
		if (strlen(kinds[i].name) != length || strncmp(kinds[i].name, text, length))
			continue;
		if (kinds[i].what_wanted && !*with.what)
			return host_fail(HOST_USAGE, "--source: '%s': nothing stands behind the colon", text);
		return kinds[i].open(&with, out);
	}
	return fail_kind(text);
}

void source_close(source *s)
{
	if (s->ops)
		s->ops->destroy(s->state);
	memset(s, 0, sizeof *s);
}
