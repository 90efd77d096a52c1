/* SPDX-License-Identifier: Apache-2.0
 * Drivers for the socket source: orderly ones by the client library, and raw ones that can say anything, written from
 * PROTOCOL.md alone. Frames carry a pattern that tells which frame they are. */
#ifndef ENM_TEST_SOCKET_RIG_H
#define ENM_TEST_SOCKET_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enamel_driver.h"
#include "source.h"

#define RIG_WIDTH 48u
#define RIG_HEIGHT 32u
#define RIG_PIXELS (RIG_WIDTH * RIG_HEIGHT)
#define RIG_MESSAGE_MAX 70000u

/* camera.json of RIG_WIDTH x RIG_HEIGHT, 1000 units a mm. */
extern const char rig_camera[];

/* Memory for a frame of this size. */
typedef struct rig_frame {
	source_frame frame;
	uint16_t depth[RIG_PIXELS];
	uint8_t rgb[3 * RIG_PIXELS];
} rig_frame;
void rig_frame_clear(rig_frame *f);

/* The pattern of frame `number`, and whether the pixels are it to the bit. */
void rig_paint(uint64_t number, uint16_t *depth, uint8_t *rgb);
bool rig_is_painted(uint64_t number, const uint16_t *depth, const uint8_t *rgb);

/* ---- orderly ---------------------------------------------------------------------------------------------------- */

/* The client's definition for RIG_WIDTH x RIG_HEIGHT with colour. */
enm_driver_def rig_def(const char *path);

/* Opens the source `text` (its path is rig_path()) while a client opens on another thread; both must succeed. */
const char *rig_path(void);
void rig_open(const char *text, source *out_source, enm_driver **out_driver);

/* Another client for a source that is open already: `next` is called until the handshake is through. Returns what
 * enm_driver_open did. */
enm_driver_result rig_reopen(
	source *s, const enm_driver_def *def, enm_driver **out_driver, char why[ENM_DRIVER_TEXT_BYTES]);

/* Delivers the painted frame. */
enm_driver_result rig_submit(enm_driver *d, uint64_t number, double time_s);

/* Takes a frame within a second and fails the test unless it is this one to the bit. */
void rig_expect(source *s, uint64_t number);

/* All notices so far, a line each. The text is overwritten by the next call. */
const char *rig_notices(source *s);

/* An integer of the source's report; `where` is "" or "refused". */
int64_t rig_count(source *s, const char *where, const char *key);

void rig_close(source *s);

/* ---- raw -------------------------------------------------------------------------------------------------------- */

typedef struct rig_message {
	uint8_t bytes[RIG_MESSAGE_MAX];
	size_t size;
} rig_message;

rig_message *rig_head(uint32_t type, size_t size); /* 32 results stay valid at a time */
rig_message *rig_hello(const char *camera);
rig_message *rig_frame_message(uint32_t slot, uint32_t turn, uint64_t number, double time_s);
void rig_put_u32(rig_message *m, size_t at, uint32_t value);
void rig_put_u64(rig_message *m, size_t at, uint64_t value);
void rig_put_f64(rig_message *m, size_t at, double value);

/* A connection, which does not block; fails the test when there is none to be had. */
int rig_connect(const char *path);
/* The same, or -1. */
int rig_try_connect(const char *path);
/* False when it was not taken. */
bool rig_send(int descriptor, const rig_message *m);
bool rig_send_bytes(int descriptor, const void *bytes, size_t size);
bool rig_send_with_descriptors(int descriptor, const rig_message *m, const int *passed, int count);

/* What a raw driver has been told. */
typedef struct rig_answer {
	uint32_t type;             /* 0: nothing yet, UINT32_MAX: the connection is closed and all is read */
	uint32_t code;             /* of REFUSED */
	uint32_t slot, turn, fate; /* of RELEASE */
	uint32_t slots;
	uint64_t slot_bytes, color_offset;
	int ring; /* of WELCOME, -1 else; the caller's to close */
	char text[512];
} rig_answer;
rig_answer rig_receive(int descriptor);

/* Lets the source work until the raw driver is told something, a second at most. */
rig_answer rig_wait_answer(source *s, int descriptor);

/* A raw driver that was welcomed: connection and mapped ring. */
typedef struct rig_raw {
	int descriptor;
	uint8_t *ring;
	size_t ring_bytes;
	rig_answer welcome;
} rig_raw;
void rig_raw_open(source *s, rig_raw *out);
void rig_raw_close(rig_raw *r);

/* How many descriptors this process has open. */
int rig_descriptors(void);

#endif
