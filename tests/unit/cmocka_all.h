/* SPDX-License-Identifier: Apache-2.0
 * cmocka with the headers it wants before it. */
#ifndef ENM_TEST_CMOCKA_ALL_H
#define ENM_TEST_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
