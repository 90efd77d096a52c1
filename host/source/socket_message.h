/* SPDX-License-Identifier: Apache-2.0
 * The messages between this process and a scanner's driver, byte by byte as PROTOCOL.md has them. Pure functions: what
 * comes from a driver is read here and nowhere else. */
#ifndef ENM_HOST_SOCKET_MESSAGE_H
#define ENM_HOST_SOCKET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

#define MESSAGE_VERSION 1u
#define MESSAGE_HEAD_BYTES 8u
#define MESSAGE_BYTES_MAX 65536u /* of a whole message from a driver */
#define MESSAGE_ANSWER_BYTES_MAX (16u + SOURCE_REASON_BYTES)

typedef enum message_type {
	MESSAGE_HELLO = 1,
	MESSAGE_FRAME = 2,
	MESSAGE_ALIVE = 3,
	MESSAGE_BYE = 4,
	MESSAGE_WELCOME = 16,
	MESSAGE_RELEASE = 17,
	MESSAGE_REFUSED = 18
} message_type;

/* Why a connection is ended from here. */
typedef enum message_refusal {
	REFUSAL_NONE = 0,
	REFUSAL_VERSION = 1,
	REFUSAL_USER = 2,
	REFUSAL_BUSY = 3,
	REFUSAL_CAMERA = 4,
	REFUSAL_OTHER_CAMERA = 5,
	REFUSAL_PROTOCOL = 6,
	REFUSAL_LATE = 7,
	REFUSAL_SILENT = 8,
	REFUSAL_OVER = 9,
	REFUSAL_SYSTEM = 10,
	REFUSAL_COUNT = 11
} message_refusal;

/* "version", "user", ...; of all values below REFUSAL_COUNT. */
const char *message_refusal_name(message_refusal code);

typedef struct message_hello {
	uint32_t width, height; /* not yet checked against the camera */
	bool has_color;
	double fps;
	uint32_t slots;     /* wanted; 0: as the host likes */
	const char *camera; /* `camera_bytes` without a zero byte, in the message's memory */
	size_t camera_bytes;
} message_hello;

typedef struct message_frame {
	uint32_t slot, turn;
	bool has_color;
	uint64_t number;
	double time_s, submitted_s;
} message_frame;

typedef struct message {
	message_type type;
	message_hello hello; /* of MESSAGE_HELLO */
	message_frame frame; /* of MESSAGE_FRAME */
} message;

/* Reads one message of a driver. REFUSAL_VERSION or REFUSAL_PROTOCOL, with the reason, for what is none: `out` is
 * undefined then. */
message_refusal message_get(const uint8_t *bytes, size_t size, message *out, char reason[SOURCE_REASON_BYTES]);

typedef struct message_welcome {
	uint32_t slots;
	uint64_t slot_bytes, color_offset;
	double silence_s, wanted_fps;
} message_welcome;

/* What became of a frame whose slot is given back. */
typedef enum message_fate { FATE_TAKEN = 0, FATE_NUMBER = 1, FATE_TIME = 2 } message_fate;

/* Each writes one message for a driver and returns its bytes. */
size_t message_put_welcome(const message_welcome *welcome, uint8_t out[MESSAGE_ANSWER_BYTES_MAX]);
size_t message_put_release(uint32_t slot, uint32_t turn, message_fate fate, uint8_t out[MESSAGE_ANSWER_BYTES_MAX]);
size_t message_put_refused(message_refusal code, const char *text, uint8_t out[MESSAGE_ANSWER_BYTES_MAX]);

#endif
