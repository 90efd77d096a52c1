/* SPDX-License-Identifier: Apache-2.0 */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char error_text[1024];

enm_result error_set(enm_result result, const char *format, ...)
{
	char text[sizeof(error_text)];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '\n' || *c == '\r' || *c == '\t')
			*c = ' ';
	memcpy(error_text, text, sizeof(text));
	return result;
}

void error_clear(void)
{
	error_text[0] = '\0';
}

const char *enm_last_error(void)
{
	return error_text;
}
