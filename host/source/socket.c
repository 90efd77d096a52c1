/* SPDX-License-Identifier: Apache-2.0
 * socket:PATH, the source whose frames a driver in a process of its own delivers (PROTOCOL.md). */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "socket_server.h"

#define SILENCE_S 5.0
#define SILENCE_MIN_S 0.1
#define SILENCE_MAX_S 3600.0

/* ---- what stands behind "socket:" ------------------------------------------------------------------------------- */

static host_status read_user(const char *text, socket_server_def *out)
{
	char *end;
	const unsigned long long user = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : ULLONG_MAX;
	if (user >= UINT32_MAX || *end) /* the largest stands for nobody */
		return host_fail_file(HOST_USAGE, "socket", "uid: '%s' is no user's number", text);
	if (out->user_count == SERVER_USERS_MAX)
		return host_fail_file(HOST_USAGE, "socket", "uid: more than %d", SERVER_USERS_MAX);
	out->users[out->user_count++] = (uid_t)user;
	return HOST_OK;
}

static host_status read_silence(const char *text, socket_server_def *out)
{
	char *end;
	out->silence_s = strtod(text, &end);
	if (end == text || *end || !(out->silence_s >= SILENCE_MIN_S && out->silence_s <= SILENCE_MAX_S))
		return host_fail_file(HOST_USAGE, "socket", "silence: '%s' is not within %g to %g seconds", text,
			SILENCE_MIN_S, SILENCE_MAX_S);
	return HOST_OK;
}

static host_status read_word(const char *word, socket_server_def *out)
{
	if (!strncmp(word, "uid=", 4))
		return read_user(word + 4, out);
	if (!strncmp(word, "silence=", 8))
		return read_silence(word + 8, out);
	return host_fail_file(HOST_USAGE, "socket", "'%s' is neither uid=NUMBER nor silence=SECONDS", word);
}

static host_status read_path(const char *path, socket_server_def *out)
{
	if (!*path)
		return host_fail_file(HOST_USAGE, "socket", "path: is missing (wanted socket:PATH)");
	if (strlen(path) >= SOCKET_PATH_BYTES)
		return host_fail_file(HOST_USAGE, "socket", "path: %s: is longer than the %zu bytes of a socket's",
			path, SOCKET_PATH_BYTES - 1);
	strcpy(out->path, path);
	return HOST_OK;
}

/* PATH[,uid=NUMBER]...[,silence=SECONDS] */
static host_status read_text(const char *text, socket_server_def *out)
{
	memset(out, 0, sizeof *out);
	out->silence_s = SILENCE_S;
	char *words = strdup(text), *rest;
	if (!words)
		return host_fail_memory("the source's text");
	const bool has_path = *words && *words != ',';
	const char *word = strtok_r(words, ",", &rest);
	host_status status = read_path(has_path ? word : "", out);
	while (!status && (word = strtok_r(NULL, ",", &rest)))
		status = read_word(word, out);
	free(words);
	return status;
}

/* ---- the source ------------------------------------------------------------------------------------------------- */

static source_state next_frame(void *state, double timeout_s, source_frame *frame)
{
	return socket_server_next(state, timeout_s, frame);
}

static bool next_notice(void *state, char text[SOURCE_REASON_BYTES])
{
	return socket_notices_take(&((socket_server *)state)->notices, text);
}

static json_t *report_refused(const socket_counts *c, bool *ok)
{
	json_t *refused = json_object();
	for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
		json_put(
			refused, message_refusal_name((message_refusal)i), json_integer((json_int_t)c->refused[i]), ok);
	return refused;
}

static json_t *report(void *state)
{
	const socket_server *s = state;
	const socket_counts *c = &s->counts;
	const uint64_t span = s->sequence.begun ? s->sequence.last - s->sequence.first + 1 : 0;
	bool ok = true;
	json_t *root = json_object();
	json_put(root, "path", json_foreign(s->def.path), &ok);
	json_put(root, "connections", json_integer((json_int_t)c->connections), &ok);
	json_put(root, "drivers", json_integer((json_int_t)c->drivers), &ok);
	json_put(root, "drivers_lost", json_integer((json_int_t)c->drivers_lost), &ok);
	json_put(root, "frames", json_integer((json_int_t)c->frames), &ok);
	json_put(root, "missing_numbers", json_integer((json_int_t)(span - c->frames)), &ok);
	json_put(root, "left_out_number", json_integer((json_int_t)c->left_out_number), &ok);
	json_put(root, "left_out_time", json_integer((json_int_t)c->left_out_time), &ok);
	json_put(root, "refused", report_refused(c, &ok), &ok);
	if (ok)
		return root;
	json_decref(root);
	return NULL;
}

static void destroy(void *state)
{
	socket_server_close(state);
	free(state);
}

static const source_ops ops = {
	.kind = "socket", .next = next_frame, .notice = next_notice, .report = report, .destroy = destroy};

host_status source_open_socket(const source_open_def *def, source *out)
{
	socket_server_def text;
	host_status status = read_text(def->what, &text);
	if (status)
		return status;
	text.wanted_fps = def->fps;
	socket_server *s = malloc(sizeof *s);
	if (!s)
		return host_fail_memory("a source");
	status = socket_server_open(s, &text);
	if (!status)
		host_say("waits for a driver at %s", text.path);
	if (!status)
		status = socket_server_meet(s, def->timeout_s, def->stop);
	if (status) {
		destroy(s);
		return status;
	}
	*out = (source){.ops = &ops, .state = s, .facts = s->facts};
	return HOST_OK;
}
