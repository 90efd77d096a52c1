/* SPDX-License-Identifier: Apache-2.0
 * Small recordings in the test's scratch folder, whose frames can be told from each other and made again. */
#ifndef ENM_TEST_RECORDED_H
#define ENM_TEST_RECORDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader.h"
#include "writer.h"

#define RECORDED_WIDTH_MAX 64u
#define RECORDED_PIXELS_MAX ((size_t)RECORDED_WIDTH_MAX * RECORDED_WIDTH_MAX)
#define RECORDED_TRUTH "0 0 0 0 0 0 0 1\n"

typedef struct recorded {
	const char *name; /* in the scratch folder */
	uint32_t width, height;
	size_t frames;
	bool color; /* in every frame but each third */
	bool open;  /* left without index and end, as by a process that was killed */
	const recording_system *system;
	double sync_s;
} recorded;

/* Frame i: pictures of noise over a slope with holes, at time 0.25 * i, its number 2 * i. */
void recorded_picture(const recorded *def, size_t frame, uint16_t *depth, uint8_t *rgb);
recording_frame recorded_frame(const recorded *def, size_t frame, const uint16_t *depth, const uint8_t *rgb);

/* Header, the file groundtruth.txt, the frames. Fails the test when it cannot. */
void recorded_make(const recorded *def);
/* An empty file and a definition for it. The caller closes def->descriptor. */
writer_def recorded_begin(const recorded *def);

/* All bytes of a file; free() gives them back. */
uint8_t *recorded_bytes(const char *name, size_t *out_size);

/* Opens it, or fails the test. */
recording *recorded_open(const char *name, recording_open_mode mode);
/* Fails unless the entry is frame `frame`, to the bit. */
void assert_recorded_frame(const recorded *def, const recording *r, size_t entry, size_t frame);
/* The frame that the entry holds, by its time. */
size_t recorded_frame_of(const recording *r, size_t entry);
/* Checks all frames that are there, each against the one its time says, and returns their number. */
size_t assert_recorded_frames(const recorded *def, const recording *r);

#endif
