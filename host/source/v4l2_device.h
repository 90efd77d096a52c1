/* SPDX-License-Identifier: Apache-2.0
 * One V4L2 capture device that streams pictures of 16 bits a pixel through memory-mapped buffers (the kernel's "Video
 * for Linux API").
 *
 * Single-planar devices only: Z16 and Y16 have one plane, and the drivers of depth cameras that are plugged in offer
 * them so. What is multi-planar (the image pipelines of embedded boards) wants its media graph set up first, which is
 * for who built the board; such a camera goes through the socket or a plugin. */
#ifndef ENM_HOST_SOURCE_V4L2_DEVICE_H
#define ENM_HOST_SOURCE_V4L2_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "v4l2_system.h"

#define V4L2_DEVICE_BUFFERS 8 /* asked for: 114 ms at 70 frames/s, in which nobody takes a frame and none is lost */
#define V4L2_DEVICE_BUFFERS_MAX 32 /* VIDEO_MAX_FRAME of the interface */

/* What a device has to deliver. */
typedef struct v4l2_wish {
	const char *path;
	const char *size_from, *fps_from; /* who says so, for messages: the name of a file, "--fps" */
	uint32_t width, height;
	uint32_t pixelformat; /* V4L2_PIX_FMT_Z16, V4L2_PIX_FMT_Y16 */
	double fps;
} v4l2_wish;

typedef struct v4l2_mapping {
	uint8_t *bytes;
	size_t size;
} v4l2_mapping;

/* An open device that streams; all zero (but for `descriptor`) when closed. */
typedef struct v4l2_device {
	const v4l2_system *system;
	const char *path; /* of the wish */
	int descriptor;   /* -1 when closed */
	bool streams;
	v4l2_mapping mappings[V4L2_DEVICE_BUFFERS_MAX];
	uint32_t mapping_count;
	uint32_t row_bytes, stride_bytes, height;
	double fps;                              /* by its own word; 0 when it does not tell */
	char driver[16], card[32], bus_info[32]; /* fit for print */
} v4l2_device;

/* A frame in a buffer, which has to be given back. */
typedef struct v4l2_taken {
	uint32_t index;      /* of the buffer */
	uint32_t bytes_used; /* as the driver says, unchecked */
	uint32_t sequence;
	bool damaged;          /* V4L2_BUF_FLAG_ERROR */
	bool stamped;          /* `stamp_s` is one of CLOCK_MONOTONIC */
	bool stamped_at_start; /* of the exposure, else when the frame was complete */
	double stamp_s;
} v4l2_taken;

typedef enum v4l2_answer { V4L2_TAKEN = 0, V4L2_NONE, V4L2_LOST } v4l2_answer;

/* Opens, negotiates, maps and starts. Fails when the device cannot do exactly what is wished (the frame rate within
 * FACTS_FPS_TOLERANCE); then nothing is left of it. HOST_USAGE or HOST_IO: "PATH: CALL: reason". */
host_status v4l2_device_open(const v4l2_system *system, const v4l2_wish *wish, v4l2_device *out);
/* Accepts a closed one. */
void v4l2_device_close(v4l2_device *d);

/* Waits for a frame until `deadline_s` of the system's clock; V4L2_NONE also when a signal came. V4L2_LOST: the device
 * is gone or does not go on, host_error_text() says why, and nothing but v4l2_device_close is left to do. */
v4l2_answer v4l2_device_take(v4l2_device *d, double deadline_s, v4l2_taken *out);
/* NULL, or why the buffer's bytes are no whole picture. */
const char *v4l2_device_check(const v4l2_device *d, const v4l2_taken *taken);
/* Copies a checked picture without the padding of its rows. */
void v4l2_device_copy(const v4l2_device *d, const v4l2_taken *taken, uint16_t *out_pixels);
/* False: as V4L2_LOST. */
bool v4l2_device_give_back(v4l2_device *d, const v4l2_taken *taken);

/* "Z16", "Y16 big-endian". Valid until the fourth call after. */
const char *v4l2_format_name(uint32_t pixelformat);

#endif
