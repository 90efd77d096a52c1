/* SPDX-License-Identifier: Apache-2.0
 * Runs the program under test and keeps what it says. */
#ifndef ENM_TEST_PROCESS_H
#define ENM_TEST_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#define PROCESS_TEXT_MAX (1 << 18)

typedef struct process_result {
	int code; /* exit code, or 128 plus the signal that ended it */
	char out[PROCESS_TEXT_MAX], err[PROCESS_TEXT_MAX];
} process_result;

/* Runs argv (ended by NULL) to its end. */
const process_result *process_run(char *const argv[]);

/* Starts it, waits until its stderr holds `sign`, sends the signal `delay_ms` later, and waits for the end. */
const process_result *process_run_and_signal(char *const argv[], const char *sign, int delay_ms, int signal_number);

/* The same in two steps, for one program at a time: its pipes are read in the second, so it should say little before. */
pid_t process_start(char *const argv[]);
const process_result *process_finish(void);

/* Fails unless the last run ended with the code and said exactly one line on stderr, which holds `text`. */
void assert_one_line(int code, const char *text);

#endif
