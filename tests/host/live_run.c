/* SPDX-License-Identifier: Apache-2.0 */
#include "live_run.h"

#include "cmocka_all.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reader.h"
#include "scratch.h"

char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

char *folder_source(const char *name)
{
	static char text[SCRATCH_PATH_MAX + 16];
	snprintf(text, sizeof text, "folder:%s", scratch_path(name));
	return text;
}

void wait_ms(long ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
	nanosleep(&t, NULL);
}

void assert_code(const process_result *r, int code)
{
	if (r->code != code)
		fail_msg("exit code %d instead of %d: %s%s", r->code, code, r->out, r->err);
}

void assert_done(const process_result *r)
{
	if (r->code > 1)
		fail_msg("exit code %d: %s%s", r->code, r->out, r->err);
}

void assert_same(const char *a, const char *b)
{
	const char *const names[2] = {a, b};
	char *bytes[2];
	for (int i = 0; i < 2; i++) {
		const size_t size = scratch_size(names[i]);
		FILE *f = fopen(scratch_path(names[i]), "rb");
		assert_non_null(f);
		bytes[i] = malloc(size + 1);
		assert_non_null(bytes[i]);
		assert_int_equal(fread(bytes[i], 1, size, f), size);
		fclose(f);
	}
	assert_int_equal(scratch_size(a), scratch_size(b));
	assert_true(!memcmp(bytes[0], bytes[1], scratch_size(a)));
	free(bytes[0]);
	free(bytes[1]);
}

json_t *read_json(const char *name)
{
	json_error_t error;
	json_t *root = json_load_file(scratch_path(name), 0, &error);
	if (!root)
		fail_msg("%s: %s", name, error.text);
	return root;
}

static const json_t *value_at(const json_t *root, const char *keys)
{
	char copy[128], *rest = NULL;
	snprintf(copy, sizeof copy, "%s", keys);
	for (char *key = strtok_r(copy, ".", &rest); key; key = strtok_r(NULL, ".", &rest))
		root = json_object_get(root, key);
	return root;
}

json_int_t integer_at(const json_t *root, const char *keys)
{
	const json_t *value = value_at(root, keys);
	if (!json_is_integer(value))
		fail_msg("%s is no integer", keys);
	return json_integer_value(value);
}

const char *text_at(const json_t *root, const char *keys)
{
	const json_t *value = value_at(root, keys);
	if (!json_is_string(value))
		fail_msg("%s is no text", keys);
	return json_string_value(value);
}

pid_t start_silent(char *const argv[])
{
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (!child) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	return child;
}

void wait_for_bytes(const char *name, size_t bytes)
{
	for (int i = 0; i < 120000; i++, wait_ms(1))
		if (!access(scratch_path(name), F_OK) && scratch_size(name) > bytes)
			return;
	fail_msg("%s does not grow beyond %zu bytes", name, bytes);
}

int wait_for_end(pid_t child)
{
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

size_t frames_of_whole(const char *name)
{
	recording *r;
	if (recording_open(scratch_path(name), RECORDING_CHECK, NULL, &r))
		fail_msg("%s", host_error_text());
	assert_true(r->closed && !r->damage_count);
	const size_t frames = r->frame_count;
	recording_close(&r);
	return frames;
}
