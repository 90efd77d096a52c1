/* SPDX-License-Identifier: Apache-2.0
 * A loop over the machine's processors. */
#ifndef EVALUATE_PARALLEL_H
#define EVALUATE_PARALLEL_H

#include <stddef.h>

/* Calls `work(user, first, last)` for pieces of [0, count) on several threads and waits. Each item must write only what
 * is its own; then the result does not depend on the threads. */
void parallel_for(size_t count, void (*work)(void *user, size_t first, size_t last), void *user);

#endif
