/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <string.h>
#include <xxhash.h>

#include "bytes.h"

#define PICTURE_SIZE_MAX 8192u

/* As with PNG: no text begins with a byte above 127, and a copy in text mode changes the line break. */
const uint8_t packet_magic[PACKET_MAGIC_BYTES] = {0x89, 'E', 'N', 'M', 'R', 'E', 'C', '\n'};

uint64_t packet_hash(const void *bytes, size_t size)
{
	return XXH3_64bits(bytes, size);
}

void packet_head_put(uint8_t out[PACKET_HEAD_BYTES], const packet_head *head)
{
	memcpy(out, packet_magic, PACKET_MAGIC_BYTES);
	put_u64(out + 8, head->session);
	put_u32(out + 16, head->type);
	put_u32(out + 20, head->flags);
	put_u64(out + 24, head->sequence);
	put_f64(out + 32, head->time_s);
	put_u64(out + 40, head->payload_bytes);
	put_u64(out + 48, head->payload_hash);
	put_u64(out + 56, packet_hash(out, 56));
}

bool packet_head_get(const uint8_t in[PACKET_HEAD_BYTES], packet_head *out)
{
	if (memcmp(in, packet_magic, PACKET_MAGIC_BYTES) || get_u64(in + 56) != packet_hash(in, 56))
		return false;
	out->session = get_u64(in + 8);
	out->type = get_u32(in + 16);
	out->flags = get_u32(in + 20);
	out->sequence = get_u64(in + 24);
	out->time_s = get_f64(in + 32);
	out->payload_bytes = get_u64(in + 40);
	out->payload_hash = get_u64(in + 48);
	return out->payload_bytes <= PACKET_PAYLOAD_MAX;
}

void packet_begin_put(uint8_t out[BEGIN_BYTES], const packet_begin *begin)
{
	put_u32(out, begin->version);
	put_u32(out + 4, begin->camera_bytes);
	put_u32(out + 8, begin->settings_bytes);
	put_u32(out + 12, begin->program_bytes);
}

bool packet_begin_get(const uint8_t *payload, size_t size, packet_begin *out)
{
	if (size < BEGIN_BYTES)
		return false;
	out->version = get_u32(payload);
	out->camera_bytes = get_u32(payload + 4);
	out->settings_bytes = get_u32(payload + 8);
	out->program_bytes = get_u32(payload + 12);
	return (uint64_t)BEGIN_BYTES + out->camera_bytes + out->settings_bytes + out->program_bytes == size;
}

void packet_frame_put(uint8_t out[FRAME_BYTES], const packet_frame *frame)
{
	put_u32(out, frame->width);
	put_u32(out + 4, frame->height);
	put_u64(out + 8, frame->number);
	put_f64(out + 16, frame->color_time_s);
	put_u32(out + 24, frame->depth_codec);
	put_u32(out + 28, frame->depth_bytes);
	put_u32(out + 32, frame->color_codec);
	put_u32(out + 36, frame->color_bytes);
	put_u64(out + 40, 0);
}

bool packet_frame_get(const uint8_t *payload, size_t size, packet_frame *out)
{
	if (size < FRAME_BYTES)
		return false;
	out->width = get_u32(payload);
	out->height = get_u32(payload + 4);
	out->number = get_u64(payload + 8);
	out->color_time_s = get_f64(payload + 16);
	out->depth_codec = get_u32(payload + 24);
	out->depth_bytes = get_u32(payload + 28);
	out->color_codec = get_u32(payload + 32);
	out->color_bytes = get_u32(payload + 36);
	return out->width >= 1 && out->width <= PICTURE_SIZE_MAX && out->height >= 1 &&
	       out->height <= PICTURE_SIZE_MAX && (uint64_t)FRAME_BYTES + out->depth_bytes + out->color_bytes == size;
}

void packet_file_put(uint8_t out[FILE_BYTES], const packet_file *file)
{
	put_u32(out, file->name_bytes);
	put_u32(out + 4, file->codec);
	put_u64(out + 8, file->plain_bytes);
}

bool packet_file_get(const uint8_t *payload, size_t size, packet_file *out)
{
	if (size < FILE_BYTES)
		return false;
	out->name_bytes = get_u32(payload);
	out->codec = get_u32(payload + 4);
	out->plain_bytes = get_u64(payload + 8);
	return out->name_bytes >= 1 && out->name_bytes <= FILE_NAME_MAX && out->name_bytes <= size - FILE_BYTES &&
	       out->plain_bytes <= FILE_PLAIN_MAX;
}

void packet_entry_put(uint8_t out[ENTRY_BYTES], const packet_entry *entry)
{
	put_u64(out, entry->offset);
	put_u64(out + 8, entry->sequence);
	put_f64(out + 16, entry->time_s);
	put_u32(out + 24, entry->type);
	put_u32(out + 28, entry->flags);
}

void packet_entry_get(const uint8_t in[ENTRY_BYTES], packet_entry *out)
{
	out->offset = get_u64(in);
	out->sequence = get_u64(in + 8);
	out->time_s = get_f64(in + 16);
	out->type = get_u32(in + 24);
	out->flags = get_u32(in + 28);
}

void packet_end_put(uint8_t out[END_BYTES], const packet_end *end)
{
	put_u64(out, end->index_offset);
	put_u64(out + 8, end->packets);
	put_u64(out + 16, end->frames);
	put_u64(out + 24, end->refused);
}

void packet_end_get(const uint8_t in[END_BYTES], packet_end *out)
{
	out->index_offset = get_u64(in);
	out->packets = get_u64(in + 8);
	out->frames = get_u64(in + 16);
	out->refused = get_u64(in + 24);
}

static void fate_put(uint8_t *out, const packet_fate *fate)
{
	put_u64(out, fate->number);
	put_f64(out + 8, fate->time_s);
	put_u32(out + 16, fate->fate);
	put_u32(out + 20, fate->verdict);
	put_u32(out + 24, fate->reason);
	put_u32(out + 28, fate->events);
	put_u32(out + 32, fate->island);
	put_u32(out + 36, 0);
	for (unsigned i = 0; i < 3; i++)
		put_f64(out + 40 + 8 * i, fate->t_mm[i]);
	for (unsigned i = 0; i < 4; i++)
		put_f64(out + 64 + 8 * i, fate->q_xyzw[i]);
}

void packet_fates_put(uint8_t *out, const packet_fate *fates, uint32_t count)
{
	put_u32(out, count);
	put_u32(out + 4, FATE_BYTES);
	for (uint32_t i = 0; i < count; i++)
		fate_put(out + FATES_BYTES + (size_t)i * FATE_BYTES, &fates[i]);
}

/* A later version may have longer entries, which begin as these do. */
bool packet_fates_count(const uint8_t *payload, size_t size, uint32_t *out_count)
{
	if (size < FATES_BYTES || get_u32(payload + 4) < FATE_BYTES)
		return false;
	*out_count = get_u32(payload);
	return *out_count <= FATES_MAX && FATES_BYTES + (uint64_t)*out_count * get_u32(payload + 4) == size;
}

void packet_fates_get(const uint8_t *payload, uint32_t index, packet_fate *out)
{
	const uint8_t *in = payload + FATES_BYTES + (size_t)index * get_u32(payload + 4);
	out->number = get_u64(in);
	out->time_s = get_f64(in + 8);
	out->fate = get_u32(in + 16);
	out->verdict = get_u32(in + 20);
	out->reason = get_u32(in + 24);
	out->events = get_u32(in + 28);
	out->island = get_u32(in + 32);
	for (unsigned i = 0; i < 3; i++)
		out->t_mm[i] = get_f64(in + 40 + 8 * i);
	for (unsigned i = 0; i < 4; i++)
		out->q_xyzw[i] = get_f64(in + 64 + 8 * i);
}
