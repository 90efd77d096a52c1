/* SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <zstd.h>

#include "clock.h"
#include "pictures.h"

#define HEADER_EVERY 256 /* packets; so that a bad first sector costs no more than that sector */

struct writer {
	writer_def def;
	char *path;
	pictures *pictures;
	uint8_t *packet; /* head and payload of the packet under work */
	size_t capacity;
	uint8_t *begin; /* payload of the header, repeated now and then */
	size_t begin_bytes;
	uint8_t *index; /* entries as they will be written */
	size_t index_capacity;
	writer_stats stats;
	uint64_t sequence, next_begin;
	double synced_s;       /* clock */
	uint64_t synced_bytes; /* of the file, at that time */
	host_status failed;
	char failure[512];
};

writer_def writer_def_default(void)
{
	return (writer_def){.descriptor = -1, .path = "recording", .sync_s = 1.0, .level = 1};
}

static host_status grow(uint8_t **bytes, size_t *capacity, size_t wanted)
{
	if (wanted <= *capacity)
		return HOST_OK;
	size_t larger = wanted > 2 * *capacity ? wanted : 2 * *capacity;
	uint8_t *place = realloc(*bytes, larger);
	if (!place)
		return host_fail_memory("a recording's packets");
	*bytes = place;
	*capacity = larger;
	return HOST_OK;
}

/* What the disk refused to take is cut off again, so that the file ends with a whole packet. */
static host_status fail(writer *w, const char *what, int reason)
{
	(void)w->def.system->cut(w->def.descriptor, (off_t)w->stats.bytes);
	w->failed = host_fail_file(HOST_IO, w->path, "cannot %s after %llu frames: %s", what,
		(unsigned long long)w->stats.frames, reason ? strerror(reason) : "nothing more is taken");
	snprintf(w->failure, sizeof w->failure, "%s", host_error_reason());
	return w->failed;
}

static host_status fail_again(const writer *w)
{
	return host_fail_file(w->failed, w->path, "%s", w->failure);
}

static host_status sync_now(writer *w)
{
	double begun_s = clock_s();
	int code;
	do
		code = w->def.system->sync(w->def.descriptor);
	while (code && errno == EINTR);
	if (code)
		return fail(w, "sync", errno);
	w->synced_s = clock_s();
	w->synced_bytes = w->stats.bytes;
	w->stats.syncs++;
	w->stats.sync_max_s = fmax(w->stats.sync_max_s, w->synced_s - begun_s);
	return HOST_OK;
}

static host_status write_all(writer *w, size_t size)
{
	size_t done = 0;
	while (done < size) {
		ssize_t took = w->def.system->write_at(
			w->def.descriptor, w->packet + done, size - done, (off_t)(w->stats.bytes + done));
		if (took < 0 && errno == EINTR)
			continue;
		if (took <= 0)
			return fail(w, "write", took ? errno : 0);
		done += (size_t)took;
	}
	return HOST_OK;
}

static host_status note_packet(writer *w, const packet_head *head)
{
	size_t used = (size_t)w->stats.packets * ENTRY_BYTES;
	host_status status = grow(&w->index, &w->index_capacity, used + ENTRY_BYTES);
	if (status)
		return status;
	const packet_entry entry = {w->stats.bytes, head->sequence, head->time_s, head->type, head->flags};
	packet_entry_put(w->index + used, &entry);
	return HOST_OK;
}

static bool is_sync_due(const writer *w)
{
	return w->def.sync_s >= 0.0 && w->synced_bytes < w->stats.bytes && clock_s() - w->synced_s >= w->def.sync_s;
}

/* Writes what lies in w->packet behind the place of the head. */
static host_status write_packet(writer *w, uint32_t type, uint32_t flags, double time_s, size_t payload_bytes)
{
	if (payload_bytes > PACKET_PAYLOAD_MAX)
		return host_fail_file(HOST_USAGE, w->path, "a packet of %zu bytes is too large", payload_bytes);
	const packet_head head = {.session = w->def.session,
		.type = type,
		.flags = flags,
		.sequence = w->sequence,
		.time_s = time_s,
		.payload_bytes = payload_bytes,
		.payload_hash = packet_hash(w->packet + PACKET_HEAD_BYTES, payload_bytes)};
	packet_head_put(w->packet, &head);
	host_status status = note_packet(w, &head);
	if (!status)
		status = write_all(w, PACKET_HEAD_BYTES + payload_bytes);
	if (status)
		return status;
	w->stats.bytes += PACKET_HEAD_BYTES + payload_bytes;
	w->stats.packets++;
	w->sequence++;
	w->stats.frames += type == PACKET_FRAME;
	return is_sync_due(w) ? sync_now(w) : HOST_OK;
}

static host_status write_begin(writer *w)
{
	host_status status = grow(&w->packet, &w->capacity, PACKET_HEAD_BYTES + w->begin_bytes);
	if (status)
		return status;
	memcpy(w->packet + PACKET_HEAD_BYTES, w->begin, w->begin_bytes);
	w->next_begin = w->sequence + HEADER_EVERY;
	return write_packet(w, PACKET_BEGIN, 0, 0.0, w->begin_bytes);
}

/* What every packet does first. */
static host_status prepare(writer *w)
{
	if (w->failed)
		return fail_again(w);
	return w->sequence >= w->next_begin ? write_begin(w) : HOST_OK;
}

static host_status make_begin(writer *w, const recording_header *h)
{
	const char *texts[3] = {h->camera, h->settings, h->program};
	size_t sizes[3], at = BEGIN_BYTES;
	for (int i = 0; i < 3; i++)
		at += sizes[i] = strlen(texts[i]);
	if (at > PACKET_PAYLOAD_MAX)
		return host_fail_file(HOST_USAGE, w->path, "header: %zu bytes are too many", at);
	w->begin_bytes = at;
	w->begin = malloc(at);
	if (!w->begin)
		return host_fail_memory("a recording's header");
	const packet_begin begin = {PACKET_VERSION, (uint32_t)sizes[0], (uint32_t)sizes[1], (uint32_t)sizes[2]};
	packet_begin_put(w->begin, &begin);
	at = BEGIN_BYTES;
	for (int i = 0; i < 3; at += sizes[i++])
		memcpy(w->begin + at, texts[i], sizes[i]);
	return HOST_OK;
}

static host_status choose_session(writer *w)
{
	while (!w->def.session)
		if (getrandom(&w->def.session, sizeof w->def.session, 0) < 0 && errno != EINTR)
			return host_fail(HOST_IO, "no random number to be had: %s", strerror(errno));
	return HOST_OK;
}

static host_status set_up(writer *w)
{
	size_t pixels = (size_t)w->def.width * w->def.height;
	host_status status = choose_session(w);
	if (!status)
		status = make_begin(w, &w->def.header);
	if (!status)
		status = pictures_create(pixels, w->def.level, &w->pictures);
	if (!status)
		status = grow(&w->packet, &w->capacity, PACKET_HEAD_BYTES + FRAME_BYTES + 2 * pictures_bound(pixels));
	w->synced_s = clock_s();
	return status ? status : write_begin(w);
}

static void destroy(writer *w)
{
	pictures_destroy(&w->pictures);
	free(w->packet);
	free(w->begin);
	free(w->index);
	free(w->path);
	free(w);
}

host_status writer_create(const writer_def *def, writer **out)
{
	*out = NULL;
	writer *w = calloc(1, sizeof *w);
	if (!w)
		return host_fail_memory("a recording");
	w->def = *def;
	w->path = strdup(def->path);
	if (!w->def.system)
		w->def.system = &recording_system_real;
	host_status status = w->path ? set_up(w) : host_fail_memory("a recording");
	w->def.header = (recording_header){NULL, NULL, NULL}; /* the caller's texts may go now */
	if (status)
		destroy(w);
	else
		*out = w;
	return status;
}

static host_status check_frame(const writer *w, const recording_frame *f)
{
	const char *reason = NULL;
	if (!f->width || !f->height || !f->depth)
		reason = "has no depth";
	else if (f->width > w->def.width || f->height > w->def.height)
		reason = "is larger than the recording's pictures";
	else if (!isfinite(f->time_s) || (f->rgb && !isfinite(f->color_time_s)))
		reason = "has a time that is no number";
	return reason ? host_fail_file(HOST_USAGE, w->path, "frame %llu: %s", (unsigned long long)f->number, reason)
		      : HOST_OK;
}

host_status writer_frame(writer *w, const recording_frame *f)
{
	host_status status = check_frame(w, f);
	if (!status)
		status = prepare(w);
	if (status)
		return status;
	size_t pixels = (size_t)f->width * f->height;
	uint8_t *payload = w->packet + PACKET_HEAD_BYTES;
	size_t depth = pictures_put_depth(w->pictures, f->depth, pixels, payload + FRAME_BYTES);
	size_t color = f->rgb ? pictures_put_rgb(w->pictures, f->rgb, pixels, payload + FRAME_BYTES + depth) : 0;
	if (!depth || (f->rgb && !color))
		return host_fail_memory("packing pictures");
	const packet_frame frame = {.width = f->width,
		.height = f->height,
		.number = f->number,
		.color_time_s = f->rgb ? f->color_time_s : (double)NAN,
		.depth_codec = PICTURES_DELTA,
		.depth_bytes = (uint32_t)depth,
		.color_codec = f->rgb ? PICTURES_DELTA : PICTURES_NONE,
		.color_bytes = (uint32_t)color};
	packet_frame_put(payload, &frame);
	w->stats.plain_bytes += pixels * (f->rgb ? 5 : 2);
	return write_packet(w, PACKET_FRAME, f->rgb ? PACKET_HAS_COLOR : 0, f->time_s, FRAME_BYTES + depth + color);
}

const char *writer_name_fault(const char *name)
{
	size_t length = strlen(name);
	if (!length || length > FILE_NAME_MAX)
		return length ? "is longer than 255 bytes" : "is empty";
	if (name[0] == '.' || strchr(name, '/'))
		return "begins with a dot or holds a slash";
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return "holds control characters";
	return NULL;
}

host_status writer_file(writer *w, const char *name, const uint8_t *bytes, size_t size)
{
	const char *fault = writer_name_fault(name);
	if (fault || size > FILE_PLAIN_MAX)
		return host_fail_file(
			HOST_USAGE, w->path, "a file to carry, '%s', %s", name, fault ? fault : "is larger than 1 GiB");
	host_status status = prepare(w);
	size_t length = strlen(name), head = PACKET_HEAD_BYTES + FILE_BYTES + length;
	if (!status)
		status = grow(&w->packet, &w->capacity, head + ZSTD_compressBound(size));
	if (status)
		return status;
	const packet_file file = {(uint32_t)length, PICTURES_DELTA, size};
	packet_file_put(w->packet + PACKET_HEAD_BYTES, &file);
	memcpy(w->packet + PACKET_HEAD_BYTES + FILE_BYTES, name, length);
	size_t packed = ZSTD_compress(w->packet + head, ZSTD_compressBound(size), bytes, size, w->def.level);
	if (ZSTD_isError(packed))
		return host_fail_file(HOST_IO, w->path, "'%s' cannot be packed: %s", name, ZSTD_getErrorName(packed));
	return write_packet(w, PACKET_FILE, 0, 0.0, FILE_BYTES + length + packed);
}

host_status writer_fates(writer *w, const packet_fate *fates, uint32_t count)
{
	const size_t payload = FATES_BYTES + (size_t)count * FATE_BYTES;
	host_status status = prepare(w);
	if (!status)
		status = grow(&w->packet, &w->capacity, PACKET_HEAD_BYTES + payload);
	if (status)
		return status;
	packet_fates_put(w->packet + PACKET_HEAD_BYTES, fates, count);
	return write_packet(w, PACKET_FATES, 0, 0.0, payload);
}

host_status writer_copy(writer *w, const packet_head *head, const uint8_t *payload)
{
	host_status status = prepare(w);
	if (!status)
		status = grow(&w->packet, &w->capacity, PACKET_HEAD_BYTES + (size_t)head->payload_bytes);
	if (status)
		return status;
	memcpy(w->packet + PACKET_HEAD_BYTES, payload, (size_t)head->payload_bytes);
	return write_packet(w, head->type, head->flags, head->time_s, (size_t)head->payload_bytes);
}

host_status writer_idle(writer *w)
{
	if (w->failed)
		return fail_again(w);
	return is_sync_due(w) ? sync_now(w) : HOST_OK;
}

static host_status write_index(writer *w)
{
	size_t size = (size_t)w->stats.packets * ENTRY_BYTES;
	host_status status = grow(&w->packet, &w->capacity, PACKET_HEAD_BYTES + size);
	if (status)
		return status;
	memcpy(w->packet + PACKET_HEAD_BYTES, w->index, size);
	return write_packet(w, PACKET_INDEX, 0, 0.0, size);
}

/* The index is of use only with the end that says where it is: both or neither. */
static host_status write_end(writer *w, uint64_t refused)
{
	w->def.sync_s = -1.0;
	host_status status = write_begin(w);
	packet_end end = {.index_offset = w->stats.bytes, .frames = w->stats.frames, .refused = refused};
	if (!status)
		status = write_index(w);
	if (!status) {
		end.packets = w->stats.packets + 1;
		packet_end_put(w->packet + PACKET_HEAD_BYTES, &end);
		status = write_packet(w, PACKET_END, 0, 0.0, END_BYTES);
	}
	return status ? status : sync_now(w);
}

host_status writer_close(writer **address, uint64_t refused, writer_stats *out_stats)
{
	writer *w = *address;
	if (!w)
		return HOST_OK;
	host_status failed = w->failed;
	char failure[sizeof w->failure];
	memcpy(failure, w->failure, sizeof failure);
	host_status status = write_end(w, refused);
	if (failed) /* the first failure is the one to tell */
		status = host_fail_file(failed, w->path, "%s", failure);
	if (out_stats)
		*out_stats = w->stats;
	destroy(w);
	*address = NULL;
	return status;
}

const writer_stats *writer_so_far(const writer *w)
{
	return &w->stats;
}
