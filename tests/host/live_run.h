/* SPDX-License-Identifier: Apache-2.0
 * What the tests of live scans share: scans that end by themselves or by a signal, and what they leave behind. */
#ifndef ENM_TEST_LIVE_RUN_H
#define ENM_TEST_LIVE_RUN_H

#include <jansson.h>
#include <sys/types.h>

#include "process.h"

/* A path in the scratch folder, as argv wants it. */
char *path(const char *name);
/* "folder:SCRATCH/name"; valid until the next. */
char *folder_source(const char *name);

void wait_ms(long ms);
void assert_code(const process_result *r, int code);
/* Done in order, whatever came of the scan: on a machine with other work frames are skipped, and it may be a poor one. */
void assert_done(const process_result *r);
/* Fails unless both files hold the same bytes. */
void assert_same(const char *a, const char *b);

/* A JSON file of the scratch folder; json_decref gives it back. */
json_t *read_json(const char *name);
/* The integer under "a.b.c". */
json_int_t integer_at(const json_t *root, const char *keys);
const char *text_at(const json_t *root, const char *keys);

/* Starts the program without its output; waits until the file holds more than `bytes`. */
pid_t start_silent(char *const argv[]);
void wait_for_bytes(const char *name, size_t bytes);
/* Waits for the end: the exit code, or 128 plus the signal. */
int wait_for_end(pid_t child);

/* Frames in a recording, which must be closed and whole. */
size_t frames_of_whole(const char *name);

#endif
