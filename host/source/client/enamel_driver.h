/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivers the frames of a scanner to Enamel, from a process of your own: the driver.
 *
 * Two files, enamel_driver.h and enamel_driver.c; C99 or later and POSIX.1-2008 on Linux, nothing else. Add them to
 * your program. What goes over the socket is PROTOCOL.md, for those who would rather write it themselves.
 *
 *     enm_driver_open      connect to `enamel live --source socket:PATH`, which makes the socket
 *     enm_driver_acquire   get a slot, which is memory for one frame, shared with the host
 *     enm_driver_submit    hand the filled slot over
 *     enm_driver_alive     now and then while the scanner delivers nothing
 *     enm_driver_close     go away; says whether the scan is over
 *
 *     char why[ENM_DRIVER_TEXT_BYTES];
 *     enm_driver_def def = {"/run/user/1000/enamel", camera_json, 640, 480, 1, 30.0, 0, 10.0};
 *     enm_driver *driver;
 *     enm_driver_slot slot;
 *     enm_driver_result result = enm_driver_open(&def, &driver, why);
 *     while (result == ENM_DRIVER_OK && scanner_has_a_frame()) {
 *         result = enm_driver_acquire(driver, 0.0, &slot);
 *         if (result == ENM_DRIVER_NO_SLOT) {  // the host is behind: this frame is lost
 *             scanner_skip_frame();
 *             result = ENM_DRIVER_OK;
 *             continue;
 *         }
 *         if (result == ENM_DRIVER_OK) {
 *             scanner_read(slot.depth, slot.rgb);
 *             result = enm_driver_submit(driver, &slot, scanner_frame_number(), scanner_time_s(), 1);
 *         }
 *     }
 *     if (result < 0)
 *         fprintf(stderr, "%s\n", driver ? enm_driver_text(driver) : why);
 *     enm_driver_close(&driver, 1);
 *
 * Frames
 *   Depth is width * height values of 16 bits in the machine's byte order, top row first, in the unit that camera.json
 *   states (`depth_scale` a `depth_unit`), 0 where there is no reading. Colour is R, G, B, a byte each, of the same
 *   pixels. Numbers count the frames that the scanner took, those that were lost too, so that gaps are seen. The time
 *   is when the first row was exposed, in seconds of any clock that only runs forward. Both must grow from frame to
 *   frame.
 *
 * The camera
 *   The text of a camera.json: width, height, intrinsic_matrix, depth_scale, depth_unit, and, where known, fps,
 *   row_time_s, distortion, depth_residual. What each is and may be stands in DATASET.md, which is installed beside
 *   this file (host/DATASET.md in Enamel's sources). One scan has one camera: a driver that comes back with another is
 *   refused.
 *
 * Life
 *   The host ends the connection of a driver of which it has heard nothing for some seconds (`silence_s` of the facts).
 *   A pause of the scan is kept alive with enm_driver_alive, a third of that apart or less; while enm_driver_acquire
 *   waits, it does so itself. A driver that dies costs nothing but the frames that it did not submit: the host waits
 *   for the next one.
 *
 * Threads and processes
 *   A driver may be used from any thread, by one at a time. It is not for use on both sides of a fork(). No signal is
 *   raised; descriptors are closed on exec.
 */
#ifndef ENAMEL_DRIVER_H
#define ENAMEL_DRIVER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENM_DRIVER_TEXT_BYTES 512

typedef enum enm_driver_result {
	ENM_DRIVER_OK = 0,
	ENM_DRIVER_NO_SLOT = 1,     /* none was free in time: the host is behind */
	ENM_DRIVER_OVER = 2,        /* the host has ended the scan: close */
	ENM_DRIVER_E_ARGUMENT = -1, /* nothing was done */
	ENM_DRIVER_E_NO_HOST = -2,  /* nobody made the socket in time */
	ENM_DRIVER_E_REFUSED = -3,  /* the host does not want this driver, or ended the connection; the text says why */
	ENM_DRIVER_E_LOST = -4,     /* the connection broke, or who is there is no Enamel */
	ENM_DRIVER_E_SYSTEM = -5    /* out of memory or descriptors, no right to open the socket */
} enm_driver_result;

/* Why the host refused; the text says it in words. */
typedef enum enm_driver_refusal {
	ENM_DRIVER_REFUSAL_NONE = 0,
	ENM_DRIVER_REFUSAL_VERSION = 1,      /* the host speaks another version of the protocol */
	ENM_DRIVER_REFUSAL_USER = 2,         /* this process's user may not feed it */
	ENM_DRIVER_REFUSAL_BUSY = 3,         /* another driver feeds */
	ENM_DRIVER_REFUSAL_CAMERA = 4,       /* camera.json is malformed, or disagrees with the size */
	ENM_DRIVER_REFUSAL_OTHER_CAMERA = 5, /* the scan was begun with another camera */
	ENM_DRIVER_REFUSAL_PROTOCOL = 6,
	ENM_DRIVER_REFUSAL_LATE = 7,   /* the first message did not come in time */
	ENM_DRIVER_REFUSAL_SILENT = 8, /* nothing was heard for too long */
	ENM_DRIVER_REFUSAL_OVER = 9,   /* the scan is over */
	ENM_DRIVER_REFUSAL_SYSTEM = 10 /* the host is out of memory */
} enm_driver_refusal;

typedef struct enm_driver enm_driver;

/* Read during enm_driver_open only. */
typedef struct enm_driver_def {
	const char *path;        /* of the socket, at most 107 bytes */
	const char *camera_json; /* at most 65,000 bytes, UTF-8 */
	uint32_t width, height;  /* pixels, 16 to 4096 each, as in camera_json */
	int has_color;           /* not 0: slots have room for colour, which a frame may still lack */
	double fps;              /* frames a second that will come at most; 0.001 to 100000 */
	uint32_t slots;   /* wanted, 0 to 32; 0: as the host likes. The host may give another number, 2 at least. */
	double timeout_s; /* waits so long for the host, 0 or more; for its answer once connected 5 s at least */
} enm_driver_def;

/* The same from enm_driver_open to enm_driver_close, but for the last two. */
typedef struct enm_driver_facts {
	uint32_t slots;
	double silence_s;  /* the host gives up on a driver that says nothing for so long */
	double wanted_fps; /* the host's wish, 0 for none; only the driver knows whether it can be fulfilled */
	enm_driver_refusal refusal;
	uint64_t left_out; /* frames that the host left out for their number or time */
} enm_driver_facts;

/* Memory for one frame. What lies in it before it is filled is an older frame. */
typedef struct enm_driver_slot {
	uint16_t *depth;
	uint8_t *rgb; /* NULL without colour */
	uint32_t index;
} enm_driver_slot;

/* Connects, trying again while nobody is there or another driver still feeds, until the time is over. `*out_driver` is
 * NULL after a failure, and `why` (NULL: not wanted) holds one line of text. ENM_DRIVER_OK, or an ENM_DRIVER_E_. */
enm_driver_result enm_driver_open(const enm_driver_def *def, enm_driver **out_driver, char why[ENM_DRIVER_TEXT_BYTES]);

/* Of the last failure of this driver, one line; "" before the first. Valid until the next call. */
const char *enm_driver_text(const enm_driver *driver);
const enm_driver_facts *enm_driver_get_facts(const enm_driver *driver);

/* Gets a free slot, waiting for one up to `timeout_s` (0: not at all). It stays the caller's until it is submitted;
 * several may be held at once, and one that was not filled may be kept for a later frame. After OVER, E_REFUSED and
 * E_LOST nothing but enm_driver_close is of use. ENM_DRIVER_OK, NO_SLOT, OVER, E_ARGUMENT, E_REFUSED, E_LOST. */
enm_driver_result enm_driver_acquire(enm_driver *driver, double timeout_s, enm_driver_slot *out_slot);

/* Hands a slot that was acquired to the host; its memory must not be touched from now on. `number` (at most 2^53) and
 * `time_s` (at most 1e10 either way) as said above. E_ARGUMENT when they have not grown or the slot is not held: it can
 * be submitted again then; so it can after NO_SLOT, which here means that the host has not read anything for long.
 * Never waits. ENM_DRIVER_OK, NO_SLOT, OVER, E_ARGUMENT, E_REFUSED, E_LOST. */
enm_driver_result enm_driver_submit(
	enm_driver *driver, const enm_driver_slot *slot, uint64_t number, double time_s, int has_color);

/* Says that the driver lives though no frame comes, and hears whether the host does. Never waits. ENM_DRIVER_OK, OVER,
 * E_ARGUMENT, E_REFUSED, E_LOST. */
enm_driver_result enm_driver_alive(enm_driver *driver);

/* Ends the connection; frames that were submitted still count. `scan_is_over`: not 0 ends the scan, 0 leaves the host
 * waiting for a driver to come back. Waits up to a second when the host does not read. Accepts NULL and the address of
 * NULL, and sets it to NULL. */
void enm_driver_close(enm_driver **driver, int scan_is_over);

#ifdef __cplusplus
}
#endif

#endif
