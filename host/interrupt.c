/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupt.h"

#include <string.h>

static volatile sig_atomic_t stop_wanted;

/* The handler is gone by the second signal. */
static void want_stop(int signal_number)
{
	(void)signal_number;
	stop_wanted = 1;
}

static void watch(int signal_number)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = want_stop;
	action.sa_flags = (int)SA_RESETHAND;
	sigaction(signal_number, &action, NULL);
}

const volatile sig_atomic_t *interrupt_watch(void)
{
	watch(SIGINT);
	return &stop_wanted;
}

const volatile sig_atomic_t *interrupt_watch_both(void)
{
	watch(SIGTERM);
	return interrupt_watch();
}
