/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the device layer and of the kernels share. cmocka's headers come with it. */
#ifndef ENM_TEST_FIXTURE_H
#define ENM_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gpu/internal.h"

#define FIXTURE_PATH_MAX 512

/* ---- a folder for the test's files ---- */

/* cmocka set-up and tear-down: makes the folder, removes it with all it holds. */
int fixture_folder_setup(void **state);
int fixture_folder_teardown(void **state);
/* The path of a name in the folder ("" for the folder itself); eight results stay valid at a time. */
const char *fixture_path(const char *name);
void fixture_make_folder(const char *name);
void fixture_write(const char *name, const void *bytes, size_t size);
void fixture_text(const char *name, const char *text);
size_t fixture_read(const char *name, unsigned char *out_bytes, size_t size);
/* How many entries of `folder` end with `end`; the last one's name goes to `out_name` (NULL: not wanted). */
size_t fixture_count(const char *folder, const char *end, char out_name[256]);

/* ---- the log of a context ---- */

typedef struct fixture_log {
	int counts[4]; /* lines per enm_log_level */
	char first_warning[1024];
	bool without_werror; /* some program had to be built without -Werror */
} fixture_log;

/* Defaults, but for the log and the device: $ENAMEL_TEST_DEVICE (part of a name) chooses it. */
enm_context_def fixture_def(fixture_log *log);

/* ---- checks ---- */

#define assert_ok(call) fixture_assert_result((call), ENM_OK, #call, __FILE__, __LINE__)
#define assert_result(call, expected) fixture_assert_result((call), (expected), #call, __FILE__, __LINE__)
void fixture_assert_result(enm_result result, enm_result expected, const char *call, const char *file, int line);
/* Fails unless enm_last_error() holds `part`. */
#define assert_error_has(part) fixture_assert_has(enm_last_error(), (part), __FILE__, __LINE__)
void fixture_assert_has(const char *text, const char *part, const char *file, int line);

#endif
