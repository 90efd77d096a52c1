/* SPDX-License-Identifier: Apache-2.0 */
#include "notices.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

void notices_clean(char *text)
{
	json_t *valid = json_string(text); /* NULL for what is no UTF-8 */
	for (char *c = text; *c; c++) {
		unsigned char byte = (unsigned char)*c;
		if (byte < 0x20 || byte == 0x7f)
			*c = ' ';
		else if (byte >= 0x80 && !valid)
			*c = '?';
	}
	json_decref(valid);
}

void notices_add(notices *n, const char *format, ...)
{
	if (n->count == NOTICES_MAX) {
		n->left_out++;
		return;
	}
	char *line = n->lines[(n->first + n->count++) % NOTICES_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, SOURCE_REASON_BYTES, format, arguments);
	va_end(arguments);
	notices_clean(line);
}

bool notices_take(notices *n, char out_text[SOURCE_REASON_BYTES])
{
	if (!n->count && n->left_out) {
		uint64_t left_out = n->left_out;
		n->left_out = 0;
		snprintf(
			out_text, SOURCE_REASON_BYTES, "%llu more notices were left out", (unsigned long long)left_out);
		return true;
	}
	if (!n->count)
		return false;
	memcpy(out_text, n->lines[n->first], SOURCE_REASON_BYTES);
	n->first = (n->first + 1) % NOTICES_MAX;
	n->count--;
	return true;
}
