/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_message.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

#define HELLO_BYTES 48u /* before the camera's text */
#define FRAME_BYTES 48u
#define WELCOME_BYTES 48u
#define RELEASE_BYTES 24u
#define REFUSED_BYTES 16u /* before the text */
#define VERSION_END 20u   /* of HELLO: so much is the same in every version */
#define FLAG_COLOR 1u
#define FPS_MIN 1e-3
#define FPS_MAX 1e5

static const uint8_t magic[8] = {0x89, 'E', 'N', 'M', 'D', 'R', 'V', 0x0a};

const char *message_refusal_name(message_refusal code)
{
	static const char *const names[REFUSAL_COUNT] = {"none", "version", "user", "busy", "camera", "other_camera",
		"protocol", "late", "silent", "over", "system"};
	return names[code];
}

static message_refusal fail(char reason[SOURCE_REASON_BYTES], const char *text)
{
	snprintf(reason, SOURCE_REASON_BYTES, "%s", text);
	return REFUSAL_PROTOCOL;
}

static message_refusal get_hello(const uint8_t *bytes, size_t size, message_hello *out, char *reason)
{
	if (size < VERSION_END || memcmp(bytes + 8, magic, sizeof magic))
		return fail(reason, "HELLO: magic: is no driver's");
	const uint32_t version = get_u32(bytes + 16);
	if (version != MESSAGE_VERSION) {
		snprintf(reason, SOURCE_REASON_BYTES, "HELLO: version: the driver speaks %u, this host %u",
			(unsigned)version, MESSAGE_VERSION);
		return REFUSAL_VERSION;
	}
	if (size < HELLO_BYTES)
		return fail(reason, "HELLO: is cut short");
	const uint32_t flags = get_u32(bytes + 20);
	*out = (message_hello){.width = get_u32(bytes + 24),
		.height = get_u32(bytes + 28),
		.has_color = flags & FLAG_COLOR,
		.fps = get_f64(bytes + 32),
		.slots = get_u32(bytes + 40),
		.camera = (const char *)bytes + HELLO_BYTES,
		.camera_bytes = get_u32(bytes + 44)};
	if (flags & ~FLAG_COLOR)
		return fail(reason, "HELLO: flags: has unknown ones");
	if (!(out->fps >= FPS_MIN && out->fps <= FPS_MAX))
		return fail(reason, "HELLO: fps: is not within 0.001 to 100000");
	if (out->camera_bytes != size - HELLO_BYTES)
		return fail(reason, "HELLO: camera: is not as long as it says");
	if (memchr(out->camera, 0, out->camera_bytes))
		return fail(reason, "HELLO: camera: is no text");
	return REFUSAL_NONE;
}

static message_refusal get_frame(const uint8_t *bytes, size_t size, message_frame *out, char *reason)
{
	if (size != FRAME_BYTES)
		return fail(reason, "FRAME: has a wrong size");
	const uint32_t flags = get_u32(bytes + 16);
	if (flags & ~FLAG_COLOR || get_u32(bytes + 20))
		return fail(reason, "FRAME: flags: has unknown ones");
	*out = (message_frame){.slot = get_u32(bytes + 8),
		.turn = get_u32(bytes + 12),
		.has_color = flags & FLAG_COLOR,
		.number = get_u64(bytes + 24),
		.time_s = get_f64(bytes + 32),
		.submitted_s = get_f64(bytes + 40)};
	return REFUSAL_NONE;
}

message_refusal message_get(const uint8_t *bytes, size_t size, message *out, char reason[SOURCE_REASON_BYTES])
{
	if (size < MESSAGE_HEAD_BYTES)
		return fail(reason, "a message is shorter than its head");
	if (get_u32(bytes + 4) != size)
		return fail(reason, "a message is not as long as it says");
	const uint32_t type = get_u32(bytes);
	out->type = (message_type)type;
	switch (type) {
	case MESSAGE_HELLO:
		return get_hello(bytes, size, &out->hello, reason);
	case MESSAGE_FRAME:
		return get_frame(bytes, size, &out->frame, reason);
	case MESSAGE_ALIVE:
	case MESSAGE_BYE:
		return size == MESSAGE_HEAD_BYTES ? REFUSAL_NONE : fail(reason, "ALIVE or BYE: has a wrong size");
	default:
		snprintf(reason, SOURCE_REASON_BYTES, "a message has the unknown type %u", (unsigned)type);
		return REFUSAL_PROTOCOL;
	}
}

static size_t put_head(uint8_t *out, message_type type, size_t size)
{
	put_u32(out, (uint32_t)type);
	put_u32(out + 4, (uint32_t)size);
	return size;
}

size_t message_put_welcome(const message_welcome *welcome, uint8_t out[MESSAGE_ANSWER_BYTES_MAX])
{
	put_u32(out + 8, MESSAGE_VERSION);
	put_u32(out + 12, welcome->slots);
	put_u64(out + 16, welcome->slot_bytes);
	put_u64(out + 24, welcome->color_offset);
	put_f64(out + 32, welcome->silence_s);
	put_f64(out + 40, welcome->wanted_fps);
	return put_head(out, MESSAGE_WELCOME, WELCOME_BYTES);
}

size_t message_put_release(uint32_t slot, uint32_t turn, message_fate fate, uint8_t out[MESSAGE_ANSWER_BYTES_MAX])
{
	put_u32(out + 8, slot);
	put_u32(out + 12, turn);
	put_u32(out + 16, (uint32_t)fate);
	put_u32(out + 20, 0);
	return put_head(out, MESSAGE_RELEASE, RELEASE_BYTES);
}

size_t message_put_refused(message_refusal code, const char *text, uint8_t out[MESSAGE_ANSWER_BYTES_MAX])
{
	const size_t length = strnlen(text, SOURCE_REASON_BYTES - 1);
	put_u32(out + 8, (uint32_t)code);
	put_u32(out + 12, (uint32_t)length);
	memcpy(out + REFUSED_BYTES, text, length);
	return put_head(out, MESSAGE_REFUSED, REFUSED_BYTES + length);
}
