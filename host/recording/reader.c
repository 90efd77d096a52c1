/* SPDX-License-Identifier: Apache-2.0 */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "pictures.h"

#define LATER_VERSION "is of format version %u, later than this program's %u"

static host_status add_damage(recording *r, const recording_damage *damage)
{
	recording_damage *list = realloc(r->damages, (r->damage_count + 1) * sizeof *list);
	if (!list)
		return host_fail_memory("a damaged recording");
	r->damages = list;
	list[r->damage_count++] = *damage;
	return HOST_OK;
}

/* `*capacity` counts the places of r->entries. */
static host_status add_entry(recording *r, size_t *capacity, const packet_entry *entry)
{
	if (r->entry_count == *capacity) {
		size_t wanted = *capacity ? 2 * *capacity : 256;
		packet_entry *list = realloc(r->entries, wanted * sizeof *list);
		if (!list)
			return host_fail_memory("the list of packets");
		r->entries = list;
		*capacity = wanted;
	}
	r->entries[r->entry_count++] = *entry;
	r->frame_count += entry->type == PACKET_FRAME;
	return HOST_OK;
}

static char *copy_text(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);
	if (!text)
		return NULL;
	memcpy(text, bytes, size);
	text[size] = 0;
	return text;
}

/* Takes the texts of the first header that is whole. */
static host_status take_begin(recording *r, const uint8_t *payload, size_t size)
{
	packet_begin b;
	if (r->camera || size < BEGIN_BYTES)
		return HOST_OK;
	bool whole = packet_begin_get(payload, size, &b);
	if (b.version != PACKET_VERSION)
		return host_fail_file(HOST_USAGE, r->path, LATER_VERSION, b.version, PACKET_VERSION);
	if (!whole)
		return HOST_OK;
	const uint8_t *at = payload + BEGIN_BYTES;
	r->camera = copy_text(at, b.camera_bytes);
	r->settings = copy_text(at + b.camera_bytes, b.settings_bytes);
	r->program = copy_text(at + b.camera_bytes + b.settings_bytes, b.program_bytes);
	return r->camera && r->settings && r->program ? HOST_OK : host_fail_memory("a recording's header");
}

static host_status take_packet(recording *r, size_t *capacity, const packet_scan *s)
{
	const packet_head *h = &s->head;
	const packet_entry entry = {s->offset, h->sequence, h->time_s, h->type, h->flags};
	r->session = h->session;
	r->closed = h->type == PACKET_END && h->payload_bytes == END_BYTES;
	if (r->closed)
		packet_end_get(s->payload, &r->end);
	host_status status = h->type == PACKET_BEGIN ? take_begin(r, s->payload, (size_t)h->payload_bytes) : HOST_OK;
	return status ? status : add_entry(r, capacity, &entry);
}

static host_status read_through(recording *r)
{
	packet_scan s = {.descriptor = r->descriptor, .system = r->system, .size = r->size};
	packet_found found = FOUND_PACKET;
	size_t capacity = 0;
	host_status status = HOST_OK;
	while (!status && found != FOUND_NOTHING) {
		status = packet_scan_next(&s, &found);
		if (!status && found == FOUND_PACKET)
			status = take_packet(r, &capacity, &s);
		if (!status && found == FOUND_DAMAGE)
			status = add_damage(r, &s.damage);
	}
	packet_scan_free(&s);
	if (!status && !r->entry_count)
		status = host_fail_file(HOST_USAGE, r->path, "is no recording: it holds no whole packet of one");
	return status;
}

/* Reads the packet at the offset; false for any fault at all. The payload is the caller's. */
static bool read_at(const recording *r, uint64_t offset, packet_head *out_head, uint8_t **out_payload)
{
	packet_scan s = {.descriptor = r->descriptor, .system = r->system, .size = r->size, .at = offset};
	packet_found found = FOUND_NOTHING;
	*out_payload = NULL;
	if (offset > r->size || packet_scan_one(&s, &found) || found != FOUND_PACKET) {
		packet_scan_free(&s);
		return false;
	}
	*out_head = s.head;
	*out_payload = s.payload;
	return true;
}

/* An index that could send a reader astray is no index: entries begin at 0, lie one behind the other before the index,
 * and are counted through. */
static bool take_index(recording *r, const uint8_t *payload, size_t count)
{
	size_t capacity = 0;
	uint64_t least_offset = 0;
	bool good = count > 0;
	for (size_t i = 0; good && i < count; i++) {
		packet_entry e;
		packet_entry_get(payload + i * ENTRY_BYTES, &e);
		good = e.sequence == i && (i ? e.offset >= least_offset : e.offset == 0) && isfinite(e.time_s) &&
		       e.offset < r->end.index_offset && r->end.index_offset - e.offset >= PACKET_HEAD_BYTES &&
		       (i || e.type == PACKET_BEGIN) && !add_entry(r, &capacity, &e);
		least_offset = e.offset + PACKET_HEAD_BYTES;
	}
	return good;
}

static void forget_entries(recording *r)
{
	free(r->entries);
	r->entries = NULL;
	r->entry_count = r->frame_count = 0;
	memset(&r->end, 0, sizeof r->end);
}

static bool read_end(recording *r)
{
	packet_head head;
	uint8_t *payload;
	if (r->size < PACKET_HEAD_BYTES + END_BYTES ||
		!read_at(r, r->size - PACKET_HEAD_BYTES - END_BYTES, &head, &payload))
		return false;
	bool good = head.type == PACKET_END && head.payload_bytes == END_BYTES;
	if (good)
		packet_end_get(payload, &r->end);
	r->session = head.session;
	free(payload);
	return good;
}

static bool read_index(recording *r)
{
	packet_head head;
	uint8_t *payload;
	if (!read_end(r) || !read_at(r, r->end.index_offset, &head, &payload))
		return false;
	bool good = head.type == PACKET_INDEX && head.session == r->session && head.payload_bytes % ENTRY_BYTES == 0 &&
		    take_index(r, payload, (size_t)head.payload_bytes / ENTRY_BYTES);
	free(payload);
	return good && r->frame_count == r->end.frames;
}

/* False when there is no good index; HOST_USAGE only for a later version. */
static host_status open_by_index(recording *r, bool *out_good)
{
	packet_head head;
	uint8_t *payload = NULL;
	host_status status = HOST_OK;
	*out_good = read_index(r) && read_at(r, 0, &head, &payload) && head.session == r->session &&
		    head.type == PACKET_BEGIN;
	if (*out_good)
		status = take_begin(r, payload, (size_t)head.payload_bytes);
	free(payload);
	*out_good = *out_good && (status || r->camera);
	if (!*out_good)
		forget_entries(r);
	r->by_index = r->closed = *out_good;
	return status;
}

static host_status open_file(recording *r, const char *path)
{
	struct stat info;
	r->path = strdup(path);
	if (!r->path)
		return host_fail_memory("a recording");
	r->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (r->descriptor < 0 && errno == ENOENT)
		return host_fail_file(HOST_USAGE, path, "missing");
	if (r->descriptor < 0 || fstat(r->descriptor, &info))
		return host_fail_file(HOST_USAGE, path, "cannot read: %s", strerror(errno));
	if (!S_ISREG(info.st_mode))
		return host_fail_file(HOST_USAGE, path, "is not a file");
	r->size = (uint64_t)info.st_size;
	return r->size ? HOST_OK : host_fail_file(HOST_USAGE, path, "is empty");
}

host_status recording_open(const char *path, recording_open_mode mode, const recording_system *system, recording **out)
{
	*out = NULL;
	recording *r = calloc(1, sizeof *r);
	if (!r)
		return host_fail_memory("a recording");
	r->descriptor = -1;
	r->system = system ? system : &recording_system_real;
	bool good = false;
	host_status status = open_file(r, path);
	if (!status && mode == RECORDING_BY_INDEX)
		status = open_by_index(r, &good);
	if (!status && !good)
		status = read_through(r);
	if (status)
		recording_close(&r);
	*out = r;
	return status;
}

void recording_close(recording **address)
{
	recording *r = *address;
	if (!r)
		return;
	if (r->descriptor >= 0)
		close(r->descriptor);
	free(r->path);
	free(r->camera);
	free(r->settings);
	free(r->program);
	free(r->entries);
	free(r->damages);
	free(r);
	*address = NULL;
}

host_status recording_read(const recording *r, size_t entry, packet_head *out_head, uint8_t **out_payload)
{
	const packet_entry *e = &r->entries[entry];
	packet_scan s = {.descriptor = r->descriptor, .system = r->system, .size = r->size, .at = e->offset};
	packet_found found = FOUND_NOTHING;
	*out_payload = NULL;
	host_status status = packet_scan_one(&s, &found);
	const packet_head *h = &s.head;
	if (!status && found != FOUND_PACKET)
		status =
			host_fail(HOST_USAGE, "bytes from %llu on: %s", (unsigned long long)e->offset, s.damage.reason);
	else if (!status && (h->session != r->session || h->sequence != e->sequence || h->type != e->type ||
				    h->flags != e->flags || memcmp(&h->time_s, &e->time_s, sizeof e->time_s)))
		status = host_fail(HOST_USAGE, "the index names another packet than the one at byte %llu",
			(unsigned long long)e->offset);
	if (status) {
		packet_scan_free(&s);
		return status;
	}
	*out_head = s.head;
	*out_payload = s.payload;
	return HOST_OK;
}

static host_status read_pictures(
	const packet_frame *f, const uint8_t *bytes, uint16_t *out_depth, uint8_t *out_rgb, recording_picture *out)
{
	size_t pixels = (size_t)f->width * f->height;
	if (f->depth_codec != PICTURES_DELTA)
		return host_fail(HOST_USAGE, "its depth is packed by a later program (codec %u)", f->depth_codec);
	host_status status = pictures_get_depth(bytes, f->depth_bytes, pixels, out_depth);
	if (status || !out_rgb || f->color_codec == PICTURES_NONE)
		return status;
	host_status color = HOST_USAGE;
	if (f->color_codec == PICTURES_DELTA)
		color = pictures_get_rgb(bytes + f->depth_bytes, f->color_bytes, pixels, out_rgb);
	else
		host_fail(HOST_USAGE, "is packed by a later program (codec %u)", f->color_codec);
	out->has_color = !color;
	if (color)
		snprintf(out->color_reason, sizeof out->color_reason, "%.*s", DAMAGE_REASON_BYTES - 1,
			host_error_text());
	return color == HOST_IO ? color : HOST_OK;
}

host_status recording_read_frame(const recording *r, size_t entry, uint32_t width, uint32_t height, uint16_t *out_depth,
	uint8_t *out_rgb, recording_picture *out)
{
	packet_head head;
	packet_frame f;
	uint8_t *payload;
	memset(out, 0, sizeof *out);
	host_status status = recording_read(r, entry, &head, &payload);
	if (status)
		return status;
	if (head.type != PACKET_FRAME || !packet_frame_get(payload, (size_t)head.payload_bytes, &f))
		status = host_fail(HOST_USAGE, "is no frame as the format wants it");
	else if (f.width != width || f.height != height)
		status = host_fail(HOST_USAGE, "is %ux%u pixels instead of %ux%u", f.width, f.height, width, height);
	if (!status) {
		out->number = f.number;
		out->time_s = head.time_s;
		out->color_time_s = f.color_time_s;
		status = read_pictures(&f, payload + FRAME_BYTES, out_depth, out_rgb, out);
	}
	free(payload);
	return status;
}

static host_status unpack_file(
	const packet_file *f, const uint8_t *packed, size_t size, uint8_t **out_bytes, size_t *out_size)
{
	if (f->codec != PICTURES_DELTA)
		return host_fail(HOST_USAGE, "is packed by a later program (codec %u)", f->codec);
	uint8_t *bytes = malloc((size_t)f->plain_bytes + 1);
	if (!bytes)
		return host_fail_memory("a carried file");
	size_t got = ZSTD_decompress(bytes, (size_t)f->plain_bytes, packed, size);
	if (ZSTD_isError(got) || got != f->plain_bytes) {
		free(bytes);
		return host_fail(HOST_USAGE, "damaged file: %s",
			ZSTD_isError(got) ? ZSTD_getErrorName(got) : "shorter than it says");
	}
	bytes[got] = 0;
	*out_bytes = bytes;
	*out_size = got;
	return HOST_OK;
}

/* The packet of a carried file, its name with a zero behind it. */
static host_status read_file_packet(const recording *r, size_t entry, char out_name[FILE_NAME_MAX + 1],
	packet_head *out_head, packet_file *out_file, uint8_t **out_payload)
{
	host_status status = recording_read(r, entry, out_head, out_payload);
	if (status)
		return status;
	if (out_head->type != PACKET_FILE ||
		!packet_file_get(*out_payload, (size_t)out_head->payload_bytes, out_file)) {
		free(*out_payload);
		*out_payload = NULL;
		return host_fail(HOST_USAGE, "is no carried file as the format wants it");
	}
	memcpy(out_name, *out_payload + FILE_BYTES, out_file->name_bytes);
	out_name[out_file->name_bytes] = 0;
	return HOST_OK;
}

/* `wanted` NULL: whatever its name is; *out_bytes stays NULL when it has another. */
static host_status read_file(const recording *r, size_t entry, const char *wanted, char out_name[FILE_NAME_MAX + 1],
	uint8_t **out_bytes, size_t *out_size)
{
	packet_head head;
	packet_file f;
	uint8_t *payload;
	*out_bytes = NULL;
	host_status status = read_file_packet(r, entry, out_name, &head, &f, &payload);
	if (!status && (!wanted || !strcmp(wanted, out_name))) {
		size_t at = FILE_BYTES + f.name_bytes;
		status = unpack_file(&f, payload + at, (size_t)head.payload_bytes - at, out_bytes, out_size);
	}
	free(payload);
	return status;
}

host_status recording_read_file(
	const recording *r, size_t entry, char out_name[FILE_NAME_MAX + 1], uint8_t **out_bytes, size_t *out_size)
{
	return read_file(r, entry, NULL, out_name, out_bytes, out_size);
}

host_status recording_find_file(const recording *r, const char *name, uint8_t **out_bytes, size_t *out_size)
{
	char found[FILE_NAME_MAX + 1];
	*out_bytes = NULL;
	for (size_t i = r->entry_count; i-- > 0 && !*out_bytes;)
		if (r->entries[i].type == PACKET_FILE)
			(void)read_file(r, i, name, found, out_bytes, out_size);
	return *out_bytes ? HOST_OK : host_fail_file(HOST_USAGE, r->path, "carries no %s", name);
}

uint64_t recording_lost_packets(const recording *r)
{
	uint64_t lost = 0;
	for (size_t i = 0; i < r->damage_count; i++)
		lost += r->damages[i].packets_lost;
	return lost;
}

uint64_t recording_lost_bytes(const recording *r)
{
	uint64_t lost = 0;
	for (size_t i = 0; i < r->damage_count; i++)
		lost += r->damages[i].bytes;
	return lost;
}

void recording_damage_text(const recording_damage *d, char *out, size_t size)
{
	char place[64];
	if (d->bytes)
		snprintf(place, sizeof place, "bytes %llu to %llu", (unsigned long long)d->offset,
			(unsigned long long)(d->offset + d->bytes - 1));
	else
		snprintf(place, sizeof place, "before byte %llu", (unsigned long long)d->offset);
	snprintf(out, size, "%s: %s, %s%llu packet%s lost", place, d->reason, d->at_end ? "at least " : "",
		(unsigned long long)d->packets_lost, d->packets_lost == 1 ? "" : "s");
}
