/* SPDX-License-Identifier: Apache-2.0
 *
 * How a scanner's maker brings its frames into `enamel live` as a shared library (`--source plugin:FILE.so[,TEXT]`).
 *
 * This header is the whole contract; it needs nothing else of Enamel, and the library links nothing of it. The library
 * exports one function, enamel_plugin, which returns a table of three:
 *
 *     open     starts the scanner and says what it delivers
 *     next     waits for a frame and writes it into the host's memory
 *     close    stops the scanner
 *
 * Conventions
 *   Depth is 16 bits a pixel, rows from the top, no padding; 0 is no reading. A unit of it is what camera.json says:
 *   depth_scale units are one depth_unit. It is the z coordinate in the camera's frame (x right, y down, z along the
 *   view), not the length of the ray. Colour is 8 bits each of red, green, blue, seen by the same camera at the same
 *   pixels. Byte order is the machine's. Texts are UTF-8 and end with a zero byte. The form of camera.json is in
 *   DATASET.md: host/DATASET.md in Enamel's sources, installed as share/enamel/driver/DATASET.md.
 *
 * What the host checks
 *   Versions, sizes, the functions, camera.json, and that its size agrees with width and height; of every frame that
 *   its number and its time are above those of the frame before. A frame that fails is left out, counted and told to
 *   the user. What cannot be checked: a plugin is part of the process. If it crashes or writes behind the memory that it
 *   is given, so does the host; if it changes a frame after `next` has returned, what is recorded and what is stitched may
 *   differ. A driver that is to be kept apart connects to the socket source instead.
 *
 * Threads
 *   The host makes one call at a time, not always from the same thread. The plugin may have threads of its own; none
 *   may run code of it after `close` has returned, since the library is then unloaded. Leave signal handlers, locale
 *   and working folder as they are, print nothing, and never call exit or abort.
 *
 * Time
 *   `open` and `next` are told how long they may wait. Returning earlier is fine: they are asked again. The host cannot
 *   cut off a call that stays longer; it measures that and tells the user, and all else waits meanwhile.
 */
#ifndef ENAMEL_PLUGIN_H
#define ENAMEL_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ENAMEL_PLUGIN_VERSION 1u
#define ENAMEL_PLUGIN_ERROR_BYTES 256

/* What `open` and `next` return; anything else is taken for ENAMEL_PLUGIN_FAILED. Unless `open` returned
 * ENAMEL_PLUGIN_OK nothing is open, and close is not called. */
#define ENAMEL_PLUGIN_OK 0     /* open: it is open, the facts are filled. next: the frame is filled */
#define ENAMEL_PLUGIN_WAIT 1   /* nothing within the time: ask again */
#define ENAMEL_PLUGIN_END 2    /* next only: the scan is over, all is well; next is not called again */
#define ENAMEL_PLUGIN_FAILED 3 /* `error` says why; not called again */

/* What the plugin delivers, the same until `close`. The host sets `size` and zeroes the rest; the plugin fills that. */
typedef struct enamel_plugin_facts {
	uint32_t size;           /* of this struct, as the host knows it: write nothing behind it */
	uint32_t width, height;  /* pixels, 16 to 4096 */
	uint32_t has_color;      /* 0, or 1: frames may have colour */
	uint32_t paced;          /* 1: frames come by a clock and are lost when nobody takes them. 0: they wait */
	uint32_t reserved;       /* 0 */
	double fps;              /* frames a second, above 0 */
	const char *camera_json; /* the text of a camera.json (DATASET.md), at most 1 MiB; the plugin's memory, read before
	                          * the next call */
} enamel_plugin_facts;

/* A frame. The host fills `size`, `depth` and `rgb`, the plugin the rest and the memory behind the pointers. */
typedef struct enamel_plugin_frame {
	uint32_t size;      /* of this struct, as the host knows it */
	uint32_t has_color; /* 1: `rgb` is filled; 0 when the host calls */
	uint16_t *depth;    /* the host's: width * height numbers. Not to be touched after the call */
	uint8_t *rgb;       /* the host's: 3 * width * height bytes; NULL when facts say that there is no colour */
	uint64_t number;    /* of the plugin's own count, which goes on by one a frame; a gap says that some were lost */
	double time_s;      /* seconds by any one clock: when the exposure of the first row began */
} enamel_plugin_frame;

/* Stays where it is, unchanged, as long as the library is loaded. No function may be NULL. */
typedef struct enamel_plugin_table {
	uint32_t version; /* ENAMEL_PLUGIN_VERSION of the header it was compiled with */
	uint32_t size;    /* sizeof(enamel_plugin_table) */
	const char *name; /* of plugin and version, for reports: "Acme S3 driver 1.4.2" */

	/* `text` is what the user wrote behind the file's name, "" if nothing, of meaning to the plugin only; it is
	 * gone after the call. `fps` is the wanted rate, 0 for the scanner's own: a plugin that cannot do it fails.
	 * What `*out_handle` is set to comes back in the other calls. `error` has room for ENAMEL_PLUGIN_ERROR_BYTES,
	 * end included, and is "" before. */
	int32_t (*open)(const char *text, double fps, double timeout_s, void **out_handle,
		enamel_plugin_facts *out_facts, char *error);
	/* Waits for the next frame. What was written into the host's memory counts only with ENAMEL_PLUGIN_OK. */
	int32_t (*next)(void *handle, double timeout_s, enamel_plugin_frame *frame, char *error);
	/* Once for each `open` that returned ENAMEL_PLUGIN_OK. */
	void (*close)(void *handle);
} enamel_plugin_table;

#if defined(__GNUC__)
#define ENAMEL_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define ENAMEL_PLUGIN_EXPORT
#endif

/* What the library exports. `host_version` is the host's ENAMEL_PLUGIN_VERSION: a plugin that can serve several returns
 * the table of that version, one that cannot serve it returns NULL. Called once after loading, before all else. */
ENAMEL_PLUGIN_EXPORT const enamel_plugin_table *enamel_plugin(uint32_t host_version);

#ifdef __cplusplus
}
#endif

#endif
