/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENM_HOST_INTERRUPT_H
#define ENM_HOST_INTERRUPT_H

#include <signal.h>

/* From now on the first SIGINT only sets what this points to, so that the work can end in order. The second one ends
 * the process at once. */
const volatile sig_atomic_t *interrupt_watch(void);
/* The same for SIGTERM too: for scans, which nothing should end out of order. */
const volatile sig_atomic_t *interrupt_watch_both(void);

#endif
