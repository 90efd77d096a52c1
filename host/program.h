/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENM_HOST_PROGRAM_H
#define ENM_HOST_PROGRAM_H

#include <signal.h>

#include "error.h"

/* Runs enamel-simulate or enamel-evaluate beside this process and waits for its end. argv[0] is free for its path, the rest are its
 * arguments, ended by NULL. HOST_USAGE when it is not there or refuses, HOST_DATA when the data is not good enough for it, HOST_IO when it cannot write,
 * HOST_INTERRUPTED. */
host_status program_simulate(char **argv, const volatile sig_atomic_t *stop);
host_status program_evaluate(char **argv, const volatile sig_atomic_t *stop);

#endif
