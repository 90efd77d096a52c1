/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "progress.h"

static _Thread_local char failure_text[HOST_TEXT_BYTES];
static _Thread_local size_t failure_reason_at;
static const char *program_name = "enamel";

/* One failure is one line, whatever a file name or a library's text holds. */
static void flatten(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
}

/* The arguments may point into the text that is being replaced, hence the copy. */
static void keep(const char *head, const char *format, va_list arguments)
{
	char text[HOST_TEXT_BYTES];
	size_t at = strlen(head);
	memcpy(text, head, at);
	vsnprintf(text + at, sizeof text - at, format, arguments);
	flatten(text);
	memcpy(failure_text, text, sizeof text);
	failure_reason_at = at;
}

host_status host_fail(host_status status, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	keep("", format, arguments);
	va_end(arguments);
	return status;
}

host_status host_fail_file(host_status status, const char *file, const char *format, ...)
{
	char head[HOST_TEXT_BYTES / 2];
	snprintf(head, sizeof head - 2, "%s", file);
	strcat(head, ": ");
	va_list arguments;
	va_start(arguments, format);
	keep(head, format, arguments);
	va_end(arguments);
	return status;
}

host_status host_status_of(enm_result result)
{
	switch (result) {
	case ENM_OK:
	case ENM_EMPTY:
	case ENM_FULL:
	case ENM_CANCELLED:
		return HOST_OK;
	case ENM_E_ARGUMENT:
	case ENM_E_FORMAT:
	case ENM_E_CAPACITY:
		return HOST_USAGE;
	case ENM_E_NO_DEVICE:
	case ENM_E_DEVICE:
	case ENM_E_BUILD:
		return HOST_DEVICE;
	case ENM_E_MEMORY:
	case ENM_E_IO:
		return HOST_IO;
	}
	return HOST_IO;
}

host_status host_fail_result(enm_result result, const char *library_text)
{
	host_status status = host_status_of(result);
	return status == HOST_OK ? HOST_OK : host_fail(status, "%s", library_text);
}

host_status host_fail_memory(const char *what)
{
	return host_fail(HOST_IO, "out of memory for %s", what);
}

const char *host_error_text(void)
{
	return failure_text;
}

const char *host_error_reason(void)
{
	return failure_text + failure_reason_at;
}

void host_keep_first(host_status *first, char text[HOST_TEXT_BYTES], host_status status)
{
	if (!status)
		return;
	if (*first) {
		host_warn("%s", host_error_text());
		return;
	}
	*first = status;
	snprintf(text, HOST_TEXT_BYTES, "%s", host_error_text());
}

void host_set_program(const char *name)
{
	program_name = name;
}

const char *host_program(void)
{
	return program_name;
}

int host_report_failure(host_status status)
{
	progress_wipe();
	fprintf(stderr, "%s: %s\n", program_name, failure_text);
	return (int)status;
}

static void print_line(const char *head, const char *format, va_list arguments)
{
	char text[HOST_TEXT_BYTES];
	vsnprintf(text, sizeof text, format, arguments);
	flatten(text);
	progress_wipe();
	fprintf(stderr, "%s: %s%s\n", program_name, head, text);
}

void host_say(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	print_line("", format, arguments);
	va_end(arguments);
}

void host_warn(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	print_line("warning: ", format, arguments);
	va_end(arguments);
}
