/* SPDX-License-Identifier: Apache-2.0
 * camera.json of a recorded dataset. */
#ifndef ENM_HOST_CAMERA_H
#define ENM_HOST_CAMERA_H

#include <stdbool.h>

#include "error.h"

/* What a calibration that was kept of a refined scan says besides the camera (`enamel replay --keep-calibration`). */
typedef struct camera_kept {
	bool known;                 /* the file has the covariance */
	double covariance_um2[36];  /* of the depth residual, in the order of enm_depth_residual */
	char date[24];              /* UTC, "2026-05-17T09:30:00Z"; "" where the file does not say */
	int64_t frames;             /* that it was found with; 0 where the file does not say */
	double gain_percent;        /* error of the depth readings that depth_scale has been corrected by */
	double gain_sigma_percent;  /* of that, by a reference of known size; 0: there was none */
} camera_kept;

typedef struct camera_file {
	enm_camera camera;
	double depth_scale; /* integer depth units per depth_unit */
	double mm_per_unit; /* of depth_unit: 1 for mm, 1000 for m */
	double fps;         /* 30 where the file does not say */
	double row_time_s;  /* between two rows' exposures; 0 for all at once */
	camera_kept kept;
} camera_file;

/* HOST_USAGE with "FILE: field: reason". */
host_status camera_read(const char *path, camera_file *out);

/* The same from text in memory; `name` stands for the file in messages. */
host_status camera_parse(const char *name, const char *text, camera_file *out);

/* Are readings of both to be taken alike? Size, lens, residual, unit and row time; not what was kept, nor the frame rate. */
bool camera_is_same(const camera_file *a, const camera_file *b);

/* The text of camera.json; free() gives it back. HOST_IO. */
host_status camera_to_text(const camera_file *file, char **out_text);

/* Writes whole or not at all; distortion, residual and what was kept only where there is any. HOST_IO. */
host_status camera_write(const char *path, const camera_file *file);

#endif
