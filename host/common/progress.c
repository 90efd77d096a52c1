/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define REDRAW_S 0.1

static bool active, drawn;
static double drawn_s;

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(bool wanted)
{
	active = wanted && isatty(STDERR_FILENO);
	drawn = false;
	drawn_s = -1.0;
}

void progress_show(const char *format, ...)
{
	flockfile(stderr); /* lines of other threads wipe it */
	if (active && now_s() - drawn_s >= REDRAW_S) {
		va_list arguments;
		va_start(arguments, format);
		fputs("\r\033[K", stderr);
		vfprintf(stderr, format, arguments);
		va_end(arguments);
		fflush(stderr);
		drawn = true;
		drawn_s = now_s();
	}
	funlockfile(stderr);
}

void progress_wipe(void)
{
	flockfile(stderr);
	if (drawn) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
		drawn = false;
		drawn_s = -1.0;
	}
	funlockfile(stderr);
}

void progress_end(void)
{
	progress_wipe();
	active = false;
}
