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

const volatile sig_atomic_t *interrupt_watch(void)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = want_stop;
	action.sa_flags = (int)SA_RESETHAND;
	sigaction(SIGINT, &action, NULL);
	return &stop_wanted;
}
