/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_notices.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

void socket_notices_add(socket_notices *n, const char *format, ...)
{
	const double now_s = clock_s();
	if (now_s - n->since_s > 1.0) {
		n->since_s = now_s;
		n->added = 0;
	}
	if (n->count == NOTICES_MAX || n->added == NOTICES_A_SECOND) {
		n->untold++;
		return;
	}
	n->added++;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(n->lines[(n->first + n->count++) % NOTICES_MAX], SOURCE_REASON_BYTES, format, arguments);
	va_end(arguments);
}

bool socket_notices_take(socket_notices *n, char text[SOURCE_REASON_BYTES])
{
	if (n->count) {
		memcpy(text, n->lines[n->first], SOURCE_REASON_BYTES);
		n->first = (n->first + 1) % NOTICES_MAX;
		n->count--;
		return true;
	}
	if (!n->untold)
		return false;
	snprintf(text, SOURCE_REASON_BYTES, "%" PRIu64 " more notices were not kept", n->untold);
	n->untold = 0;
	return true;
}
