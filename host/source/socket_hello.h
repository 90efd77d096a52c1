/* SPDX-License-Identifier: Apache-2.0
 * What a driver says of its camera, and whether frames of it may come. */
#ifndef ENM_HOST_SOCKET_HELLO_H
#define ENM_HOST_SOCKET_HELLO_H

#include "socket_message.h"

/* Reads the camera of a HELLO into `out`, whose `camera_json` is then the caller's to free(). REFUSAL_CAMERA, or
 * REFUSAL_SYSTEM when memory runs out, with the reason; `out` is all zero then. */
message_refusal hello_read(const message_hello *hello, source_facts *out, char reason[SOURCE_REASON_BYTES]);

/* REFUSAL_OTHER_CAMERA, and what differs, unless frames by `other` can go on where those by `known` ended. The rate may
 * differ. */
message_refusal hello_compare(const source_facts *known, const source_facts *other, char reason[SOURCE_REASON_BYTES]);

#endif
