/* SPDX-License-Identifier: Apache-2.0
 *
 * A small scan of an analytic surface, each frame rendered once a process, and what a session makes of it. Public
 * interface only. */
#ifndef ENM_TEST_SCAN_H
#define ENM_TEST_SCAN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reference/scene.h"

#define SCAN_WIDTH 160u
#define SCAN_HEIGHT 120u
#define SCAN_PIXELS (SCAN_WIDTH * SCAN_HEIGHT)
#define SCAN_FRAMES 24
#define SCAN_PERIOD_NS 33333333

typedef struct scan {
	ref_scene scene;
	enm_session_def def; /* u16 in steps of 1 um, colour on */
	enm_pose truth[SCAN_FRAMES];
	uint16_t *depth[SCAN_FRAMES]; /* with noise of 10 um; NULL until scan_frame asks for it */
	uint8_t *color;
} scan;

extern scan the_scan;
extern enm_context *the_context; /* on the device that $ENAMEL_TEST_DEVICE names */

int scan_open(void **state); /* cmocka group set-up: makes the scan, opens the context */
int scan_close(void **state);
#define SCAN_TEST_MAIN(...)                                                                                            \
	int main(void)                                                                                                 \
	{                                                                                                              \
		const struct CMUnitTest tests[] = {__VA_ARGS__};                                                       \
		if (getenv("ENAMEL_TEST_FILTER") != NULL)                                                              \
			cmocka_set_test_filter(getenv("ENAMEL_TEST_FILTER"));                                          \
		return cmocka_run_group_tests(tests, scan_open, scan_close);                                           \
	}

/* Fails the test with the engine's text unless the result is the one wanted. */
#define WANT(wanted, call) scan_want((wanted), (call), #call, __FILE__, __LINE__)
void scan_want(enm_result wanted, enm_result got, const char *call, const char *file, int line);

enm_session *scan_session(const enm_session_def *def);
enm_frame scan_frame(int index);
/* The frame's depth as a scanner with a bow and a twist would give it. Without colour. */
#define SCAN_BOW_UM 25.0
#define SCAN_TWIST_UM -15.0
const uint16_t *scan_bent_frame(int index);
/* Pushes a frame at the index's time and returns its report. */
enm_report scan_push(enm_session *session, const enm_frame *frame);

/* All that a scan gives, in memory of its own. */
typedef struct outcome {
	enm_report reports[SCAN_FRAMES];
	enm_mesh *mesh;
} outcome;

/* Pushes frames [from, to) and files their reports; no waiting between frames. */
void scan_run(enm_session *session, int from, int to, outcome *out);
void outcome_mesh(enm_session *session, outcome *out);
void outcome_drop(outcome *o);
/* Poses, verdicts and every array of the mesh, bit for bit. */
void assert_same_outcome(const outcome *a, const outcome *b);

#endif
