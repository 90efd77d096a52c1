/* SPDX-License-Identifier: Apache-2.0 */
#include "live/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "json.h"

#define FORMAT "enamel session"

host_status live_session_path(const live_session *s, const char *name, char out[FILE_PATH_MAX])
{
	return path_join(s->folder, name, out);
}

/* A lock goes with its process: a session that says "running" and is not locked has crashed. */
static host_status take_lock(live_session *s)
{
	char path[FILE_PATH_MAX];
	host_status status = live_session_path(s, "lock", path);
	if (!status)
		status = file_open_plain(path, O_RDWR | O_CREAT, &s->lock);
	if (status)
		return status;
	s->locked = true;
	if (!flock(s->lock, LOCK_EX | LOCK_NB))
		return HOST_OK;
	return errno == EWOULDBLOCK
		       ? host_fail_file(HOST_USAGE, s->folder, "the session is running: another process uses it")
		       : host_fail_file(HOST_IO, path, "cannot be locked: %s", strerror(errno));
}

host_status live_session_check(const char *folder)
{
	if (!file_exists(folder))
		return HOST_OK;
	if (!file_is_folder(folder))
		return host_fail_file(HOST_USAGE, folder, "exists and is no folder");
	DIR *stream = opendir(folder);
	if (!stream)
		return host_fail_file(HOST_USAGE, folder, "cannot read folder: %s", strerror(errno));
	bool empty = true;
	for (const struct dirent *e; empty && (e = readdir(stream));)
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	closedir(stream);
	return empty ? HOST_OK
		     : host_fail_file(HOST_USAGE, folder, "is not empty: a new session wants a folder of its own");
}

static void put_now(json_t *root, const char *key, bool *ok)
{
	char text[32];
	const time_t now = time(NULL);
	struct tm utc;
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	json_put(root, key, json_string(text), ok);
}

static host_status open_events(live_session *s)
{
	char path[FILE_PATH_MAX];
	host_status status = live_session_path(s, "events.jsonl", path);
	return status ? status : live_events_open(path, &s->events);
}

static host_status set_folder(live_session *s, const char *folder)
{
	memset(s, 0, sizeof *s);
	if (strlen(folder) >= FILE_PATH_MAX - 64)
		return host_fail(HOST_USAGE, "session: its name is too long");
	snprintf(s->folder, sizeof s->folder, "%s", folder);
	return HOST_OK;
}

host_status live_session_create(const char *folder, const char *source, const char *device,
	const scan_settings *settings, bool color, live_session *out)
{
	bool ok = true;
	char program[64];
	host_status status = set_folder(out, folder);
	if (!status)
		status = live_session_check(folder);
	if (!status)
		status = file_make_folder(folder);
	if (!status)
		status = take_lock(out);
	if (status)
		return status;
	out->settings = *settings;
	out->color = color;
	snprintf(program, sizeof program, "enamel %s", enm_version());
	out->root = json_object();
	json_put(out->root, "format", json_string(FORMAT), &ok);
	json_put(out->root, "version", json_integer(LIVE_SESSION_VERSION), &ok);
	json_put(out->root, "state", json_string("running"), &ok);
	json_put(out->root, "program", json_string(program), &ok);
	json_put(out->root, "source", json_foreign(source), &ok);
	json_put(out->root, "device", json_foreign(device), &ok);
	put_now(out->root, "begun", &ok);
	json_put(out->root, "settings", scan_settings_json(settings, color, &ok), &ok);
	json_put(out->root, "recordings", json_array(), &ok);
	if (!ok)
		return host_fail_memory("the session");
	status = live_session_save(out, "running", NULL);
	return status ? status : open_events(out);
}

static host_status check_recordings(const char *path, const json_t *list)
{
	if (!json_is_array(list) || json_array_size(list) > LIVE_RECORDINGS_MAX)
		return host_fail_file(HOST_USAGE, path, "recordings: wanted a list of at most %d", LIVE_RECORDINGS_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_object_get(json_array_get(list, i), "file"));
		if (!name || !*name || strchr(name, '/'))
			return host_fail_file(
				HOST_USAGE, path, "recordings: entry %zu: file: wanted a name without a slash", i);
	}
	return HOST_OK;
}

static host_status read_session(live_session *s)
{
	char path[FILE_PATH_MAX];
	const char *format;
	int64_t version;
	json_place settings;
	host_status status = live_session_path(s, "session.json", path);
	if (status)
		return status;
	if (!file_is_folder(s->folder) || !file_exists(path))
		return host_fail_file(HOST_USAGE, s->folder, "is no session: it has no session.json");
	status = json_file_read(path, &s->root);
	const json_place root = {path, "", s->root};
	if (!status)
		status = json_read_text(root, "format", &format);
	if (!status && strcmp(format, FORMAT))
		status = host_fail_file(HOST_USAGE, path, "format: '%s' is not '" FORMAT "'", format);
	if (!status)
		status = json_read_integer(root, "version", 1, INT64_MAX, &version);
	if (!status && version > LIVE_SESSION_VERSION)
		status = host_fail_file(HOST_USAGE, path,
			"version: %lld is later than %d, the latest that this program reads", (long long)version,
			LIVE_SESSION_VERSION);
	if (!status)
		status = check_recordings(path, json_object_get(s->root, "recordings"));
	if (!status)
		status = json_read_object_if(root, "settings", &settings);
	if (!status && !settings.object)
		status = host_fail_file(HOST_USAGE, path, "settings: missing");
	return status ? status : scan_settings_read(settings, &s->settings, &s->color);
}

host_status live_session_open(const char *folder, live_session *out)
{
	host_status status = set_folder(out, folder);
	if (!status)
		status = read_session(out);
	if (!status)
		status = take_lock(out);
	return status ? status : open_events(out);
}

void live_session_close(live_session *s)
{
	live_events_close(&s->events);
	json_decref(s->root);
	if (s->locked)
		close(s->lock);
	memset(s, 0, sizeof *s);
}

size_t live_session_recordings(const live_session *s)
{
	return json_array_size(json_object_get(s->root, "recordings"));
}

host_status live_session_recording(const live_session *s, size_t index, char out[FILE_PATH_MAX])
{
	const json_t *entry = json_array_get(json_object_get(s->root, "recordings"), index);
	return live_session_path(s, json_string_value(json_object_get(entry, "file")), out);
}

host_status live_session_add_recording(live_session *s, char out[FILE_PATH_MAX])
{
	bool ok = true;
	char name[32] = "scan.enmrec";
	const size_t count = live_session_recordings(s);
	if (count >= LIVE_RECORDINGS_MAX)
		return host_fail_file(HOST_USAGE, s->folder, "has %zu recordings already, and takes no more", count);
	if (count)
		snprintf(name, sizeof name, "scan-%zu.enmrec", count + 1);
	json_t *entry = json_object();
	json_put(entry, "file", json_string(name), &ok);
	put_now(entry, "begun", &ok);
	ok = !json_array_append_new(json_object_get(s->root, "recordings"), entry) && ok;
	host_status status = ok ? live_session_save(s, "running", NULL) : host_fail_memory("the session");
	return status ? status : live_session_path(s, name, out);
}

host_status live_session_save(live_session *s, const char *state, json_t *more)
{
	bool ok = true;
	char path[FILE_PATH_MAX];
	json_put(s->root, "state", json_string(state), &ok);
	if (strcmp(state, "running"))
		put_now(s->root, "ended", &ok);
	else
		json_object_del(s->root, "ended");
	if (more)
		ok = !json_object_update(s->root, more) && ok;
	json_decref(more);
	host_status status = ok ? live_session_path(s, "session.json", path) : host_fail_memory("the session");
	return status ? status : json_file_write(path, s->root);
}
