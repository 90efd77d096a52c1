/* SPDX-License-Identifier: Apache-2.0
 * Where the two threads meet: wishes for pictures go one way, pictures and the state of the scan the other. Nothing is
 * done under its lock but copying a few bytes and swapping pointers. */
#ifndef ENM_VIEWER_EXCHANGE_H
#define ENM_VIEWER_EXCHANGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "axes.h"
#include "camera.h"
#include "pace.h"
#include "viewer.h"

#define RATE_FRAMES 32 /* reports over which frames a second are taken */

/* What the window wants to show. */
typedef struct exchange_wish {
	uint32_t width, height; /* full size; 0: nothing */
	camera from;
	enm_shade shade;
	bool moving;     /* speed matters more than size */
	uint64_t serial; /* grows with each change of what is to be seen */
} exchange_wish;

typedef struct exchange_picture {
	uint8_t *rgba;
	size_t capacity;
	uint32_t width, height;
	double scale;    /* of the wish's size; 1 is full */
	uint64_t serial; /* the wish's */
	uint64_t model;  /* the model's version */
} exchange_picture;

/* What the reports said. */
typedef struct exchange_state {
	bool any, full, ended;
	enm_verdict verdict;
	enm_reason reason;
	uint64_t frames, tracked, weak, lost;
	double frames_per_s;             /* over the last reports; 0: unknown */
	double ended_s;                  /* clock */
	char error[VIEWER_REASON_BYTES]; /* of the last picture asked for; "" */
} exchange_state;

typedef struct exchange {
	/* under `lock` */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* wakes the owner thread */
	exchange_wish wish;
	exchange_state state;
	axes_way way;
	camera_box box;
	bool has_box;
	exchange_picture ready;
	bool fresh;     /* `ready` was not taken yet */
	uint64_t model; /* grows with each report */
	double report_s[RATE_FRAMES];

	/* owner thread only */
	exchange_picture back;
	pace pace;
	uint64_t served_serial, served_model;
	double served_scale;

	atomic_bool closed; /* the window is gone */
	atomic_bool leave;  /* and this is the wish for it, from any thread */
} exchange;

double exchange_clock_s(void);

/* False when there is no memory or no lock. */
bool exchange_init(exchange *e);
void exchange_free(exchange *e);

/* main thread */
void exchange_set_wish(exchange *e, const exchange_wish *wish);
/* Swaps the newest picture into `front`; false when there is none that was not taken. */
bool exchange_take(exchange *e, exchange_picture *front);
void exchange_get_state(exchange *e, exchange_state *out);
bool exchange_get_box(exchange *e, camera_box *out);
void exchange_find_side(exchange *e, axes_side side, double out_eye[3], double out_up[3]);
/* The rotation of the first tracked camera; unchanged before there was one. */
void exchange_get_first_view(exchange *e, double q_xyzw[4]);
void exchange_close(exchange *e);

/* any thread */
/* True when people should hear of it at once: the first report, or another verdict than the last. */
bool exchange_report(exchange *e, const enm_report *report);
void exchange_end(exchange *e);

/* Owner thread: renders when a picture is due; `out_made` says so. */
enm_result exchange_offer(exchange *e, const viewer_def *def, enm_session *session, bool *out_made);
/* Owner thread: waits until a picture may be due or the window is closed, for `wait_s` at most. */
void exchange_wait(exchange *e, double wait_s);

#endif
