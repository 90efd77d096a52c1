/* SPDX-License-Identifier: Apache-2.0
 * How the programs of host/ fail: a status that is also the exit code, and one line of text for the calling thread. */
#ifndef ENM_HOST_ERROR_H
#define ENM_HOST_ERROR_H

#include "enamel.h"

typedef enum host_status {
	HOST_OK = 0,
	HOST_DATA = 1,   /* the data was not good enough; the text says why */
	HOST_USAGE = 2,  /* wrong usage or unreadable input */
	HOST_DEVICE = 3, /* no usable device, or it failed */
	HOST_IO = 4,     /* an output could not be written, memory ran out */
	HOST_INTERRUPTED = 130
} host_status;

/* Keeps the text as the thread's last failure and returns `status`, so that one can write `return host_fail(...)`. */
host_status host_fail(host_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with the text "FILE: ..."; host_error_reason() then gives the text without the file. */
host_status host_fail_file(host_status status, const char *file, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Keeps enm_last_error() and returns the status that fits the result. HOST_OK for results that are no failure. */
host_status host_fail_result(enm_result result, const char *library_text);
host_status host_status_of(enm_result result);

/* HOST_IO with "out of memory for WHAT". */
host_status host_fail_memory(const char *what);

/* The calling thread's last failure, "" before the first. Valid until the next. Without line breaks. */
const char *host_error_text(void);
const char *host_error_reason(void);

/* Of several failures keeps the first, with its text, and says the others at once. HOST_OK is none. Begin with HOST_OK and "". */
#define HOST_TEXT_BYTES 1024
void host_keep_first(host_status *first, char text[HOST_TEXT_BYTES], host_status status);

/* The name that starts each line on stderr, such as "enamel replay". Kept by pointer; set once at the start. */
void host_set_program(const char *name);
const char *host_program(void);

/* Prints "PROGRAM: last failure" on stderr and returns the exit code of `status`. */
int host_report_failure(host_status status);

/* One line on stderr: "PROGRAM: TEXT" and "PROGRAM: warning: TEXT". A progress line is wiped first. */
void host_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void host_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
