/* SPDX-License-Identifier: Apache-2.0
 * The text behind enm_last_error(), one per thread. */
#ifndef ENM_ERROR_H
#define ENM_ERROR_H

#include "enamel.h"

/* Keeps one line (newlines become spaces, at most 1,023 bytes) for the calling thread and returns `result`. */
enm_result error_set(enm_result result, const char *format, ...) __attribute__((format(printf, 2, 3)));
void error_clear(void);

#endif
