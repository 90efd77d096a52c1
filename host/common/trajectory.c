/* SPDX-License-Identifier: Apache-2.0 */
#include "trajectory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define TRAJECTORY_BYTES_MAX ((size_t)256 << 20)
#define RIGID_TOLERANCE 1e-3
#define COLUMNS 8

host_status trajectory_append(trajectory *t, double time_s, const enm_pose *world_from_camera)
{
	if (t->count == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 256;
		trajectory_pose *poses = realloc(t->poses, capacity * sizeof *poses);
		if (!poses)
			return host_fail_memory("a trajectory");
		t->poses = poses;
		t->capacity = capacity;
	}
	t->poses[t->count].time_s = time_s;
	t->poses[t->count].world_from_camera = *world_from_camera;
	t->count++;
	return HOST_OK;
}

void trajectory_free(trajectory *t)
{
	free(t->poses);
	memset(t, 0, sizeof *t);
}

/* Splits a line into numbers; NULL when it was read, else why not. */
static const char *scan_line(const char *line, double out[COLUMNS])
{
	const char *at = line;
	for (int i = 0; i < COLUMNS; i++) {
		char *end;
		out[i] = strtod(at, &end);
		if (end == at)
			return *(at + strspn(at, " \t\r")) ? "not a number"
							   : "expected 8 columns: time tx ty tz qx qy qz qw";
		if (*end && !strchr(" \t\r", *end))
			return "not a number";
		if (!isfinite(out[i]))
			return "NaN or infinity";
		at = end;
	}
	return at[strspn(at, " \t\r")] ? "expected 8 columns: time tx ty tz qx qy qz qw" : NULL;
}

static bool normalize(double q[4])
{
	double length = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
	if (!(fabs(length - 1.0) <= RIGID_TOLERANCE))
		return false;
	for (int i = 0; i < 4; i++)
		q[i] /= length;
	return true;
}

static host_status read_line(const char *path, size_t number, const char *line, double mm_per_unit, trajectory *t)
{
	line += strspn(line, " \t\r");
	if (!*line || *line == '#')
		return HOST_OK;
	double v[COLUMNS];
	const char *reason = scan_line(line, v);
	enm_pose pose;
	if (!reason) {
		for (int i = 0; i < 3; i++)
			pose.t_mm[i] = v[1 + i] * mm_per_unit;
		memcpy(pose.q_xyzw, v + 4, sizeof pose.q_xyzw);
		if (!normalize(pose.q_xyzw))
			reason = "quaternion is not of unit length";
		else if (t->count && v[0] < t->poses[t->count - 1].time_s)
			reason = "time runs backward";
	}
	if (reason)
		return host_fail_file(HOST_USAGE, path, "line %zu: %s", number, reason);
	return trajectory_append(t, v[0], &pose);
}

host_status trajectory_parse(const char *name, char *text, size_t size, double mm_per_unit, trajectory *out)
{
	memset(out, 0, sizeof *out);
	size_t number = 0;
	host_status status = HOST_OK;
	if (memchr(text, 0, size))
		status = host_fail_file(HOST_USAGE, name, "is no text");
	for (char *line = text; !status && line;) {
		char *end = strchr(line, '\n');
		if (end)
			*end++ = 0;
		status = read_line(name, ++number, line, mm_per_unit, out);
		line = end;
	}
	if (!status && !out->count)
		status = host_fail_file(HOST_USAGE, name, "holds no pose");
	if (status)
		trajectory_free(out);
	return status;
}

host_status trajectory_read(const char *path, double mm_per_unit, trajectory *out)
{
	memset(out, 0, sizeof *out);
	uint8_t *bytes;
	size_t size;
	host_status status = file_read(path, TRAJECTORY_BYTES_MAX, &bytes, &size);
	if (status)
		return status;
	status = trajectory_parse(path, (char *)bytes, size, mm_per_unit, out);
	free(bytes);
	return status;
}

void trajectory_print(FILE *f, double mm_per_unit, const trajectory *t)
{
	fprintf(f, "# timestamp_s tx ty tz qx qy qz qw (camera to world, %s)\n",
		mm_per_unit == 1.0      ? "mm"
		: mm_per_unit == 1000.0 ? "m"
					: "units of the dataset");
	for (size_t i = 0; i < t->count; i++) {
		const enm_pose *p = &t->poses[i].world_from_camera;
		fprintf(f, "%.6f %.10f %.10f %.10f %.10f %.10f %.10f %.10f\n", t->poses[i].time_s,
			p->t_mm[0] / mm_per_unit, p->t_mm[1] / mm_per_unit, p->t_mm[2] / mm_per_unit, p->q_xyzw[0],
			p->q_xyzw[1], p->q_xyzw[2], p->q_xyzw[3]);
	}
}

host_status trajectory_write(const char *path, double mm_per_unit, const trajectory *t)
{
	file_output output = {0};
	host_status status = file_begin(path, &output);
	if (status)
		return status;
	trajectory_print(output.stream, mm_per_unit, t);
	return file_commit(&output);
}

const trajectory_pose *trajectory_nearest(const trajectory *t, double time_s, double tolerance_s)
{
	size_t low = 0, high = t->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->poses[middle].time_s < time_s)
			low = middle + 1;
		else
			high = middle;
	}
	const trajectory_pose *best = NULL;
	for (size_t i = low ? low - 1 : 0; i < t->count && i <= low; i++) {
		double gap = fabs(t->poses[i].time_s - time_s);
		if (gap <= tolerance_s && (!best || gap < fabs(best->time_s - time_s)))
			best = &t->poses[i];
	}
	return best;
}

static bool is_rotation(const double m[16])
{
	for (int i = 0; i < 3; i++) {
		for (int j = i; j < 3; j++) {
			double dot = m[i] * m[j] + m[4 + i] * m[4 + j] + m[8 + i] * m[8 + j];
			if (!(fabs(dot - (i == j)) <= RIGID_TOLERANCE))
				return false;
		}
	}
	double determinant = m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) +
			     m[2] * (m[4] * m[9] - m[5] * m[8]);
	return determinant > 0.0;
}

/* Shepperd's method: divides by the largest of the four components. */
static void quaternion_from_rows(const double m[16], double q[4])
{
	double trace = m[0] + m[5] + m[10];
	if (trace > 0.0) {
		double s = 2.0 * sqrt(1.0 + trace);
		q[0] = (m[9] - m[6]) / s;
		q[1] = (m[2] - m[8]) / s;
		q[2] = (m[4] - m[1]) / s;
		q[3] = 0.25 * s;
		return;
	}
	int i = m[5] > m[0] ? 1 : 0;
	if (m[10] > m[5 * i])
		i = 2;
	int j = (i + 1) % 3, k = (i + 2) % 3;
	double s = 2.0 * sqrt(fmax(0.0, 1.0 + m[5 * i] - m[5 * j] - m[5 * k]));
	q[i] = 0.25 * s;
	q[j] = (m[4 * j + i] + m[4 * i + j]) / s;
	q[k] = (m[4 * k + i] + m[4 * i + k]) / s;
	q[3] = (m[4 * k + j] - m[4 * j + k]) / s;
}

bool pose_from_matrix(const double row_major[16], double mm_per_unit, enm_pose *out_pose)
{
	const double *m = row_major;
	for (int i = 0; i < 16; i++)
		if (!isfinite(m[i]))
			return false;
	if (!is_rotation(m) || m[12] != 0.0 || m[13] != 0.0 || m[14] != 0.0 || m[15] != 1.0)
		return false;
	for (int i = 0; i < 3; i++)
		out_pose->t_mm[i] = m[4 * i + 3] * mm_per_unit;
	quaternion_from_rows(m, out_pose->q_xyzw);
	double *q = out_pose->q_xyzw;
	double length = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
	for (int i = 0; i < 4; i++)
		q[i] /= length;
	return true;
}
