/* SPDX-License-Identifier: Apache-2.0
 * A recording as a dataset. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset_layout.h"
#include "reader.h"

static host_status add_frames(dataset *d)
{
	size_t capacity = 0;
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < d->recording->entry_count; i++) {
		const packet_entry *e = &d->recording->entries[i];
		char name[48];
		if (e->type != PACKET_FRAME)
			continue;
		snprintf(name, sizeof name, "packet %llu", (unsigned long long)e->sequence);
		status = dataset_add_frame(d, &capacity, e->time_s, name);
		if (status)
			break;
		dataset_frame *f = &d->frames[d->frame_count - 1];
		f->entry = i;
		if (!(fabs(e->time_s) <= DATASET_TIME_MAX_S))
			f->fault = DATASET_FAULT_TIME;
		if (!(e->flags & PACKET_HAS_COLOR))
			continue;
		d->has_color = true;
		f->color = strdup(name);
		status = f->color ? HOST_OK : host_fail_memory("the list of frames");
	}
	return status;
}

static int compare_times(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Adds the times of the frames that one packet tells to be skipped. A damaged one is passed over: its frames are taken as
 * pushed. */
static host_status add_skipped(const recording *r, size_t entry, double **times, size_t *count, size_t *capacity)
{
	packet_head head;
	uint8_t *payload;
	uint32_t fates;
	host_status status = recording_read(r, entry, &head, &payload);
	if (status)
		return status == HOST_IO ? status : HOST_OK;
	if (!packet_fates_count(payload, (size_t)head.payload_bytes, &fates))
		fates = 0;
	if (*count + fates > *capacity) {
		size_t wanted = 2 * *capacity + fates;
		double *larger = realloc(*times, wanted * sizeof *larger);
		if (!larger) {
			free(payload);
			return host_fail_memory("the list of frames");
		}
		*times = larger;
		*capacity = wanted;
	}
	for (uint32_t i = 0; i < fates; i++) {
		packet_fate fate;
		packet_fates_get(payload, i, &fate);
		if (fate.fate == FATE_SKIPPED && isfinite(fate.time_s))
			(*times)[(*count)++] = fate.time_s;
	}
	free(payload);
	return HOST_OK;
}

static host_status mark_skipped(dataset *d)
{
	double *times = NULL;
	size_t count = 0, capacity = 0;
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < d->recording->entry_count; i++)
		if (d->recording->entries[i].type == PACKET_FATES)
			status = add_skipped(d->recording, i, &times, &count, &capacity);
	if (count)
		qsort(times, count, sizeof *times, compare_times);
	for (size_t i = 0; count && i < d->frame_count; i++)
		d->frames[i].skipped = isfinite(d->frames[i].time_s) &&
			bsearch(&d->frames[i].time_s, times, count, sizeof *times, compare_times) != NULL;
	free(times);
	return status;
}

static void say_what_is_lost(dataset *d)
{
	const recording *r = d->recording;
	char first[160] = "";
	if (r->damage_count)
		recording_damage_text(&r->damages[0], first, sizeof first);
	d->damaged = r->damage_count > 0;
	if (r->damage_count > 1)
		snprintf(d->note, sizeof d->note, "recording: %zu damaged places, %llu packets lost; the first: %s",
			r->damage_count, (unsigned long long)recording_lost_packets(r), first);
	else if (r->damage_count)
		snprintf(d->note, sizeof d->note, "recording: %s", first);
	else if (!r->closed)
		snprintf(d->note, sizeof d->note, "recording: it was not closed; read without an index");
}

static host_status find_camera(dataset *d, const char *camera_path)
{
	if (camera_path)
		return camera_read(camera_path, &d->camera);
	if (!d->recording->camera)
		return host_fail_file(HOST_USAGE, d->folder, "every copy of the header is lost: give --camera FILE");
	char name[512];
	snprintf(name, sizeof name, "%s: header: camera", d->folder);
	return camera_parse(name, d->recording->camera, &d->camera);
}

/* Is there a carried file of this name? Its damage is told when it is read. */
static bool carries(const recording *r, const char *name)
{
	uint8_t *bytes;
	size_t size;
	bool found = !recording_find_file(r, name, &bytes, &size);
	free(bytes);
	return found;
}

host_status dataset_open_recording(dataset *d, const char *camera_path)
{
	host_status status = recording_open(d->folder, RECORDING_BY_INDEX, NULL, &d->recording);
	if (!status)
		status = find_camera(d, camera_path);
	if (!status)
		status = add_frames(d);
	if (!status)
		status = mark_skipped(d);
	if (status)
		return status;
	d->has_truth = carries(d->recording, "groundtruth.txt");
	say_what_is_lost(d);
	return HOST_OK;
}

void dataset_load_recorded(const dataset *d, size_t index, uint16_t *out_depth, uint8_t *out_rgb, dataset_reading *out)
{
	const enm_camera *c = &d->camera.camera;
	recording_picture picture;
	if (recording_read_frame(
		    d->recording, d->frames[index].entry, c->width, c->height, out_depth, out_rgb, &picture)) {
		snprintf(out->reason, sizeof out->reason, "%.*s", DATASET_REASON_BYTES - 1, host_error_text());
		return;
	}
	out->usable = true;
	out->has_color = picture.has_color;
	snprintf(out->color_reason, sizeof out->color_reason, "%s", picture.color_reason);
}

host_status dataset_read_recorded_truth(const dataset *d, trajectory *out)
{
	uint8_t *bytes;
	size_t size;
	char name[512];
	host_status status = recording_find_file(d->recording, "groundtruth.txt", &bytes, &size);
	if (status)
		return status;
	snprintf(name, sizeof name, "%s: groundtruth.txt", d->folder);
	status = trajectory_parse(name, (char *)bytes, size, d->camera.mm_per_unit, out);
	free(bytes);
	return status;
}
