/* SPDX-License-Identifier: Apache-2.0
 * The system calls that recordings are written and read by, in a table, so that tests can let them fail. */
#ifndef ENM_RECORDING_SYSTEM_H
#define ENM_RECORDING_SYSTEM_H

#include <sys/types.h>

/* Each as the POSIX function: -1 and errno on failure, and no promise to do all at once. */
typedef struct recording_system {
	ssize_t (*write_at)(int descriptor, const void *bytes, size_t size, off_t offset);
	ssize_t (*read_at)(int descriptor, void *bytes, size_t size, off_t offset);
	int (*sync)(int descriptor);
	int (*cut)(int descriptor, off_t size);
} recording_system;

extern const recording_system recording_system_real;

#endif
