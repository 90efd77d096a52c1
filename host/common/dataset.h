/* SPDX-License-Identifier: Apache-2.0
 * Recorded datasets: recordings (*.enmrec), and folders of the folder form, TUM RGB-D and 7-Scenes, told apart by what
 * lies in them. */
#ifndef ENM_HOST_DATASET_H
#define ENM_HOST_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "camera.h"
#include "error.h"
#include "trajectory.h"

typedef enum dataset_layout {
	DATASET_FOLDER = 0,
	DATASET_TUM = 1,
	DATASET_SEVEN_SCENES = 2,
	DATASET_RECORDING = 3
} dataset_layout;

#define DATASET_REASON_BYTES 200
#define DATASET_TIME_MAX_S 4.5e9 /* either way, as the texts say: between any two, nanoseconds fit into 64 bits */
#define DATASET_STEP_MIN_S 2e-9 /* between two frames: the engine counts nanoseconds, and times must grow */

typedef enum dataset_fault {
	DATASET_FAULT_NONE = 0,
	DATASET_FAULT_TIME,  /* NaN, infinite or beyond DATASET_TIME_MAX_S */
	DATASET_FAULT_ORDER, /* it repeats or runs backward */
} dataset_fault;

typedef struct dataset_frame {
	double time_s;
	char *depth;                         /* file name relative to the folder; of a recording "packet 7" */
	char *color;                         /* the same, or NULL: the frame has no colour */
	double color_time_s;                 /* of a list; a recording tells it with the picture */
	size_t entry;                        /* of a recording */
	bool skipped;                        /* of a live recording: the scan left it untracked for want of time */
	dataset_fault fault;                 /* why the frame cannot be used, known from the lists alone */
	double after_s;                      /* with DATASET_FAULT_ORDER: time of the last frame before it that can be used */
} dataset_frame;

typedef struct dataset {
	dataset_layout layout;
	char *folder;                /* or the recording's file */
	struct recording *recording; /* NULL for folders */
	camera_file camera;
	double depth_mm_per_unit;  /* of the integer depth */
	const char *unit;          /* "mm" or "m": of groundtruth.txt and truth.ply, and so of all that goes out */
	bool max_is_no_reading;    /* depth 65535 */
	bool has_color, has_truth; /* at least one frame names colour; there is a ground truth to read */
	dataset_frame *frames;
	size_t frame_count;
	char note[256]; /* what the user should know, such as assumed intrinsics or damage; or "" */
	bool damaged;   /* parts of a recording are lost: the note says which */
} dataset;

/* Opens a folder or a recording. Reads lists and camera, no pictures. `camera_path` (of --camera) replaces the folder's
 * own camera; NULL for none. HOST_USAGE: missing or unreadable, a file that is no recording, no known layout, camera
 * missing or malformed, a malformed list, no frames, depth pictures of another size than the camera's. Times that
 * repeat or run backward leave only their frame out. */
host_status dataset_open(const char *folder, const char *camera_path, dataset *out);
void dataset_close(dataset *d);

const char *dataset_layout_name(dataset_layout layout);

/* What came of reading a frame. */
typedef struct dataset_reading {
	bool usable;                             /* depth was read */
	bool has_color;                          /* colour was read */
	char reason[DATASET_REASON_BYTES];       /* why it is not usable */
	char color_reason[DATASET_REASON_BYTES]; /* why its colour is not, though the frame names one */
} dataset_reading;

/* Reads one frame into width * height values of the caller; 0 is "no reading" in all layouts. `out_rgb` may be NULL
 * when colour is not wanted. Safe on several threads. */
void dataset_read_frame(const dataset *d, size_t index, uint16_t *out_depth, uint8_t *out_rgb, dataset_reading *out);

/* The same without a judgement: also frames that dataset_read_frame leaves out for their time, or because they hold no
 * reading. For those who keep what was recorded rather than use it. */
void dataset_load_frame(const dataset *d, size_t index, uint16_t *out_depth, uint8_t *out_rgb, dataset_reading *out);

/* The time that a scan of the frames from `first` on begins at: of the first of them that has one. */
double dataset_zero_s(const dataset *d, size_t first);

/* Forgets which frames a live scan skipped, so that they are taken as all others. */
void dataset_take_skipped(dataset *d);

/* In words; "" where there is none. */
void dataset_fault_text(const dataset_frame *frame, char out_text[DATASET_REASON_BYTES]);

/* Why a depth picture of `count` values holds no reading, or NULL when it holds one. */
const char *dataset_no_reading(const uint16_t *depth, size_t count);

/* The true poses, in mm. HOST_USAGE when there are none or they are malformed. */
host_status dataset_read_truth(const dataset *d, trajectory *out);

#endif
