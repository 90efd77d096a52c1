/* SPDX-License-Identifier: Apache-2.0
 * A V4L2 camera made of a memfd, a list of frames and a clock that runs only when somebody waits. It fails the test
 * that uses it otherwise than the kernel allows. */
#ifndef ENM_TEST_FAKE_V4L2_H
#define ENM_TEST_FAKE_V4L2_H

#include <stdbool.h>
#include <stdint.h>

#include "v4l2_system.h"

#define FAKE_FRAMES_MAX 256
#define FAKE_PATH "/dev/video-fake"

/* What comes next. All zero: a good frame. */
typedef struct fake_frame {
	uint32_t skipped;     /* that the driver's count goes on by, beyond one */
	uint32_t flags;       /* V4L2_BUF_FLAG_ERROR */
	int32_t more_bytes;   /* than a picture has */
	double stamp_later_s; /* than the truth */
	bool unstamped;
	uint32_t wrong_index; /* of the buffer, when not 0 */
	bool unplug;          /* no frame: the cable is pulled */
	int dequeue_errno;    /* no frame: VIDIOC_DQBUF fails once though poll says that there is one */
	double pause_s;       /* before it */
} fake_frame;

typedef struct fake_camera {
	/* what it is */
	uint32_t capabilities;
	char card[32];
	uint32_t pixelformat, other_format; /* what it delivers; one more that it offers */
	uint32_t width, height, stride, field;
	uint32_t interval_us; /* 0: VIDIOC_S_PARM is unknown to it */
	uint32_t buffers, buffer_bytes;
	uint32_t first_sequence;
	bool never_counts;
	/* what it does */
	fake_frame frames[FAKE_FRAMES_MAX];
	uint32_t frame_count;
	double back_s;       /* after the cable was pulled, when it is there again */
	short unplug_events; /* of poll */
	int open_errno;      /* always */
	/* which of all calls fails, once: 0 for none */
	uint64_t fail_at;
	int fail_errno;
	/* what happened */
	double now_s;
	uint64_t calls;
	const char *failed_call; /* by fail_at */
	uint32_t next_frame;     /* in `frames` */
	uint32_t opens, descriptors, mapped;
} fake_camera;

extern fake_camera fake;
extern const v4l2_system fake_system;

/* A Z16 camera of this size with padded rows, 30 frames/s and `frame_count` good frames. */
void fake_reset(uint32_t width, uint32_t height, uint32_t frame_count);
/* What pixel `at` of the frame with this place in `frames` holds. */
uint16_t fake_pixel(uint32_t frame, uint32_t at);

#endif
