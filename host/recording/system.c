/* SPDX-License-Identifier: Apache-2.0 */
#include "system.h"

#include <unistd.h>

const recording_system recording_system_real = {pwrite, pread, fdatasync, ftruncate};
