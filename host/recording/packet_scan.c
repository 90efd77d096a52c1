/* SPDX-License-Identifier: Apache-2.0 */
#include "packet_scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR_BYTES 4096u
#define WINDOW_BYTES ((size_t)1 << 18)
#define WASTE_FILES_MAX 8 /* file sizes; a disk does not damage a file so that every byte is part of many packets */

/* Reads all or tells the reason; `*out_done` bytes were read in any case. */
static const char *read_all(const packet_scan *s, uint64_t offset, uint8_t *out, size_t size, size_t *out_done)
{
	*out_done = 0;
	while (*out_done < size) {
		ssize_t got = s->system->read_at(
			s->descriptor, out + *out_done, size - *out_done, (off_t)(offset + *out_done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? strerror(errno) : "the file is shorter than it was";
		*out_done += (size_t)got;
	}
	return NULL;
}

/* Is there a head at the offset that belongs here: of this recording, and later than what was read? */
static const char *read_head(const packet_scan *s, uint64_t offset, packet_head *out)
{
	uint8_t bytes[PACKET_HEAD_BYTES];
	size_t done;
	if (s->size - offset < PACKET_HEAD_BYTES)
		return "a packet is cut off";
	const char *reason = read_all(s, offset, bytes, sizeof bytes, &done);
	if (reason)
		return reason;
	if (memcmp(bytes, packet_magic, PACKET_MAGIC_BYTES))
		return "no packet begins here";
	if (!packet_head_get(bytes, out))
		return "the packet's head is damaged";
	if (s->begun && out->session != s->session)
		return "a packet of another recording";
	if (s->begun && out->sequence < s->next_sequence)
		return "a packet that was there before";
	return NULL;
}

static host_status make_room(packet_scan *s, uint64_t bytes)
{
	if (bytes <= s->payload_capacity)
		return HOST_OK;
	uint8_t *payload = realloc(s->payload, (size_t)bytes);
	if (!payload)
		return host_fail_memory("a packet");
	s->payload = payload;
	s->payload_capacity = bytes;
	return HOST_OK;
}

/* Reads and checks the payload behind s->head at s->offset; *out_reason NULL when it is good. */
static host_status read_payload(packet_scan *s, const char **out_reason)
{
	size_t size = (size_t)s->head.payload_bytes, done;
	*out_reason = NULL;
	if (s->head.payload_bytes > s->size - s->offset - PACKET_HEAD_BYTES) {
		*out_reason = "a packet is cut off";
		return HOST_OK;
	}
	host_status status = make_room(s, size ? size : 1);
	if (status)
		return status;
	*out_reason = read_all(s, s->offset + PACKET_HEAD_BYTES, s->payload, size, &done);
	if (!*out_reason && packet_hash(s->payload, size) != s->head.payload_hash)
		*out_reason = "the packet's content is damaged";
	s->wasted += *out_reason ? size : 0;
	return HOST_OK;
}

/* Makes the window begin at `from`. False when not even a magic can be read there. */
static bool load_window(packet_scan *s, uint64_t from)
{
	size_t wanted = s->size - from < WINDOW_BYTES ? (size_t)(s->size - from) : WINDOW_BYTES;
	s->window_at = from;
	(void)read_all(s, from, s->window, wanted, &s->window_size);
	return s->window_size >= PACKET_MAGIC_BYTES;
}

/* Where the next magic is in the window from `from` on, or NULL. */
static const uint8_t *find_magic(const packet_scan *s, uint64_t from)
{
	const uint8_t *at = s->window + (from - s->window_at), *end = s->window + s->window_size;
	while ((at = memchr(at, packet_magic[0], (size_t)(end - at)))) {
		if ((size_t)(end - at) < PACKET_MAGIC_BYTES)
			return NULL;
		if (!memcmp(at, packet_magic, PACKET_MAGIC_BYTES))
			return at;
		at++;
	}
	return NULL;
}

/* The next head that belongs here, from `from` on; s->size when there is none. Every byte is read once, however often
 * the search is taken up again. */
static uint64_t find_head(packet_scan *s, uint64_t from)
{
	while (from < s->size && s->size - from >= PACKET_HEAD_BYTES) {
		uint64_t end = s->window_at + s->window_size;
		bool inside = from >= s->window_at && from + PACKET_MAGIC_BYTES <= end;
		if (!inside && !load_window(s, from)) { /* step over the sector that cannot be read */
			from = (from + s->window_size) / SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES;
			continue;
		}
		const uint8_t *magic = find_magic(s, from);
		packet_head head;
		if (!magic) { /* one may lie across the window's end */
			from = s->window_at + s->window_size - (PACKET_MAGIC_BYTES - 1);
			continue;
		}
		from = s->window_at + (uint64_t)(magic - s->window);
		if (s->size - from >= PACKET_HEAD_BYTES && !read_head(s, from, &head))
			return from;
		from++;
	}
	return s->size;
}

/* Looks for the packet behind a damage that begins at s->at; fills s->damage but for what was lost. */
static host_status find_good(packet_scan *s, const char *reason, uint64_t search_from, bool *out_found)
{
	if (!s->window)
		s->window = malloc(WINDOW_BYTES);
	if (!s->window)
		return host_fail_memory("a damaged recording");
	snprintf(s->damage.reason, sizeof s->damage.reason, "%s", reason);
	host_status status = HOST_OK;
	*out_found = false;
	s->offset = search_from - 1;
	while (!status && !*out_found && s->offset < s->size) {
		bool hopeless = s->wasted / WASTE_FILES_MAX > s->size;
		s->offset = hopeless ? s->size : find_head(s, s->offset + 1);
		const char *fault = "nothing follows";
		if (s->offset < s->size)
			fault = read_head(s, s->offset, &s->head);
		if (!fault)
			status = read_payload(s, &fault);
		*out_found = !status && !fault;
	}
	s->damage.offset = s->at;
	s->damage.bytes = s->offset - s->at;
	return status;
}

static void accept(packet_scan *s)
{
	s->session = s->head.session;
	s->begun = true;
	s->ended = s->head.type == PACKET_END;
	s->next_sequence = s->head.sequence + 1;
	s->at = s->offset + PACKET_HEAD_BYTES + s->head.payload_bytes;
}

/* Reads the packet at s->at; *out_reason NULL when it is whole. */
static host_status read_packet(packet_scan *s, const char **out_reason)
{
	s->offset = s->at;
	*out_reason = read_head(s, s->at, &s->head);
	return *out_reason ? HOST_OK : read_payload(s, out_reason);
}

host_status packet_scan_one(packet_scan *s, packet_found *out)
{
	const char *reason;
	host_status status = read_packet(s, &reason);
	*out = reason ? FOUND_DAMAGE : FOUND_PACKET;
	if (!status && reason)
		snprintf(s->damage.reason, sizeof s->damage.reason, "%s", reason);
	return status;
}

/* Tells the damage at s->at, and keeps the packet behind it for the next call. */
static host_status tell_damage(packet_scan *s, const char *reason)
{
	memset(&s->damage, 0, sizeof s->damage);
	bool found = !reason; /* a good packet, but others are missing before it */
	host_status status = HOST_OK;
	if (found) {
		s->damage.offset = s->at;
		snprintf(s->damage.reason, sizeof s->damage.reason, "packets are missing");
	} else {
		packet_head head;
		bool good_head = !read_head(s, s->at, &head);
		status = find_good(s, reason, s->at + (good_head ? PACKET_HEAD_BYTES : 1), &found);
	}
	s->pending = found;
	s->damage.at_end = !found && !s->ended;
	s->damage.packets_lost = found ? s->head.sequence - s->next_sequence : !s->ended;
	if (!found)
		s->at = s->size;
	return status;
}

host_status packet_scan_next(packet_scan *s, packet_found *out)
{
	*out = FOUND_PACKET;
	if (s->pending) {
		s->pending = false;
		accept(s);
		return HOST_OK;
	}
	if (s->at >= s->size) {
		*out = FOUND_NOTHING;
		return HOST_OK;
	}
	const char *reason;
	host_status status = read_packet(s, &reason);
	if (status)
		return status;
	if (!reason && s->head.sequence == s->next_sequence) {
		accept(s);
		return HOST_OK;
	}
	*out = FOUND_DAMAGE;
	return tell_damage(s, reason);
}

void packet_scan_free(packet_scan *s)
{
	free(s->payload);
	free(s->window);
	s->payload = s->window = NULL;
	s->payload_capacity = 0;
}
