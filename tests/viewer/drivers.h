/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENM_TEST_VIEWER_DRIVERS_H
#define ENM_TEST_VIEWER_DRIVERS_H

/* Keeps the OpenGL drivers that are loaded now until the process ends: what they leak has a name then, by which the
 * leak checker can tell it from ours (tests/lsan.supp). */
void drivers_keep(void);

#endif
