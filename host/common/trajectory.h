/* SPDX-License-Identifier: Apache-2.0
 * Camera paths in TUM form: "timestamp_s tx ty tz qx qy qz qw" a line, camera to world, '#' comments. */
#ifndef ENM_HOST_TRAJECTORY_H
#define ENM_HOST_TRAJECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "error.h"

typedef struct trajectory_pose {
	double time_s;
	enm_pose world_from_camera; /* mm, unit quaternion */
} trajectory_pose;

/* Poses in the order of time. Zero it before use. */
typedef struct trajectory {
	trajectory_pose *poses;
	size_t count, capacity;
} trajectory;

/* Reads a file whose lengths are in units of `mm_per_unit`. HOST_USAGE with "FILE: line N: reason": another number of
 * columns, no number, NaN or infinity, a quaternion whose length is off 1 by more than 1e-3 (smaller errors are
 * normalised away), time running backward. A file without poses is an error too. */
host_status trajectory_read(const char *path, double mm_per_unit, trajectory *out);

/* The same from text in memory, which is changed; a zero byte stands behind its `size` bytes. */
host_status trajectory_parse(const char *name, char *text, size_t size, double mm_per_unit, trajectory *out);

/* The lines that trajectory_write writes. The stream's errors are the caller's. */
void trajectory_print(FILE *stream, double mm_per_unit, const trajectory *t);
/* Writes whole or not at all; times with 6 decimals, the rest with 10. HOST_IO. */
host_status trajectory_write(const char *path, double mm_per_unit, const trajectory *t);

host_status trajectory_append(trajectory *t, double time_s, const enm_pose *world_from_camera);
void trajectory_free(trajectory *t);

/* The pose nearest in time, or NULL when none is within the tolerance. */
const trajectory_pose *trajectory_nearest(const trajectory *t, double time_s, double tolerance_s);

/* A pose from a row-major 4x4 matrix. False when it is not finite or not rigid within 1e-3. */
bool pose_from_matrix(const double row_major[16], double mm_per_unit, enm_pose *out_pose);

#endif
