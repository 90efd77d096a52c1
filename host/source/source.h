/* SPDX-License-Identifier: Apache-2.0
 * Where the frames of a live scan come from. A kind of source is a table of functions and one state behind it; nothing
 * else of the host knows which kind it is.
 *
 * A frame is copied once, into memory of the caller, and everything that follows (checks, recording, engine) uses that copy:
 * whoever delivers frames cannot change one after it was looked at.
 */
#ifndef ENM_HOST_SOURCE_H
#define ENM_HOST_SOURCE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "camera.h"
#include "error.h"
#include "json.h"

#define SOURCE_REASON_BYTES 256

/* What a source delivers, known as soon as it is open and the same until it is closed. */
typedef struct source_facts {
	camera_file camera;       /* its fps is what the source promises, for queues and displays */
	char *camera_json;        /* camera.json as recordings keep it; the source's memory */
	double depth_mm_per_unit; /* of the 16-bit depth */
	bool has_color;
	bool paced; /* frames come by a clock of their own and are lost when nobody takes them; else they wait */
} source_facts;

/* Memory for one frame, `camera.width * camera.height` pixels, and what the source says of it. */
typedef struct source_frame {
	uint16_t *depth; /* the caller's; 0 is no reading */
	uint8_t *rgb;    /* the caller's: 3 bytes a pixel; NULL when facts say that there is no colour */
	bool has_color;  /* this frame has some */
	uint64_t number; /* the source's count, growing; gaps are frames that were lost before they came here */
	double time_s;   /* exposure of the first row, by the source's clock, growing */
	double arrived_s; /* clock_s() when the frame was whole in this process's reach */
} source_frame;

typedef enum source_state {
	SOURCE_FRAME = 0, /* `frame` is filled */
	SOURCE_WAIT,      /* none within the time; the source may be gone and come back, as its notice says */
	SOURCE_END,       /* no more will come; all is well */
	SOURCE_FAILED     /* no more will come; host_error_text() of the calling thread says why */
} source_state;

typedef struct source_ops {
	const char *kind; /* "folder", "simulator", "socket", "v4l2", "plugin" */
	/* Copies the next frame into the memory of `frame`, waiting for it up to `timeout_s`. A frame that is damaged or lies
	 * about its size is left out, counted and told in a notice, never given out. */
	source_state (*next)(void *state, double timeout_s, source_frame *frame);
	/* Takes one line for people about what happened (a driver that connected, stalled, sent nonsense), oldest first; false
	 * when there is none. */
	bool (*notice)(void *state, char text[SOURCE_REASON_BYTES]);
	/* The source's own counts for the report; NULL without memory. */
	json_t *(*report)(void *state);
	void (*destroy)(void *state);
} source_ops;

/* All but `ops->destroy` on one thread at a time; destroy when no other call is under way. */
typedef struct source {
	const source_ops *ops;
	void *state;
	source_facts facts;
} source;

/* What --source names, before its first colon the kind, behind it what that kind wants. Each opens within `timeout_s` or fails
 * (0: waits until `stop` is not zero, which is HOST_INTERRUPTED), and fills `out` only when it does not. HOST_USAGE: bad text, file or device;
 * HOST_IO: the system. */
typedef struct source_open_def {
	const char *what;                  /* behind the colon */
	double fps;                        /* wanted; 0: the source's own */
	double timeout_s;
	double duration_s;                 /* how long frames will be taken; 0: not known */
	const volatile sig_atomic_t *stop; /* the user's wish to end */
} source_open_def;

host_status source_open_folder(const source_open_def *def, source *out);    /* folder:DATASET, also a recording, in real time */
host_status source_open_simulator(const source_open_def *def, source *out); /* sim[:ARGUMENTS of enamel simulate] */
host_status source_open_socket(const source_open_def *def, source *out);    /* socket:PATH, made here; a driver connects */
host_status source_open_v4l2(const source_open_def *def, source *out);      /* v4l2:/dev/videoN,camera=FILE */
host_status source_open_plugin(const source_open_def *def, source *out);    /* plugin:FILE.so[,TEXT for the plugin] */

/* Any of them, by what stands before the first colon of `text`, as --source gives it; `def->what` is not looked at. HOST_USAGE also for a
 * kind that is not known, and names those that are. */
host_status source_open(const char *text, const source_open_def *def, source *out);

/* Accepts a source that is all zero, and leaves it so. */
void source_close(source *s);

#endif
