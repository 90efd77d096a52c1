/* SPDX-License-Identifier: Apache-2.0
 * A session without an engine: an arch of balls, one more with each frame, drawn by a formula. */
#ifndef ENM_TEST_VIEWER_TOY_H
#define ENM_TEST_VIEWER_TOY_H

#include <pthread.h>
#include <stdatomic.h>

#include "viewer.h"

#define TOY_BALLS 14
#define TOY_RADIUS_MM 4.0
#define TOY_SIGMA_UM 8.0f

typedef struct toy {
	uint32_t balls;    /* shown so far */
	unsigned delay_ms; /* that a picture takes at least */
	enm_result fail;   /* what pictures fail with; ENM_OK for none */
	atomic_uint pictures, full_pictures;
	atomic_uint users;                /* threads inside at this moment */
	atomic_bool used_by_two;          /* that was ever more than one */
	uint32_t full_width, full_height; /* what counts as full */
	enm_view_def last;                /* of the last picture */
} toy;

void toy_center(uint32_t ball, double out[3]);
enm_result toy_render(void *object, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes);
viewer_source toy_source(toy *session);
enm_report toy_report(uint64_t frame, enm_verdict verdict, enm_reason reason);

/* An owner thread that pushes so many frames, then serves until the window is closed. */
typedef struct toy_scan {
	viewer *viewer;
	viewer_source source;
	unsigned frames, frame_ms;
	enm_verdict last_verdict;
	enm_reason last_reason;
	bool ends; /* calls viewer_end after the frames */
	atomic_uint frames_done;
	atomic_uint failed_offers;
	double longest_offer_ms;
	pthread_t thread;
} toy_scan;

bool toy_scan_start(toy_scan *scan);
void toy_scan_join(toy_scan *scan);

void toy_sleep_ms(unsigned ms);

#endif
