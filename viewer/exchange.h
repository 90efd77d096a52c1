/* SPDX-License-Identifier: Apache-2.0
 * Where the two threads meet: wishes for pictures and questions go one way, pictures, answers and the state of the scan the other.
 * Nothing is done under its lock but copying a few bytes and swapping pointers. */
#ifndef ENM_VIEWER_EXCHANGE_H
#define ENM_VIEWER_EXCHANGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "axes.h"
#include "depth_picture.h"
#include "look.h"
#include "tools.h"
#include "viewer.h"

#define RATE_FRAMES 32 /* reports over which frames a second are taken */
#define ASKS_MAX 32u   /* questions under way; a power of two */
#define SAY_BYTES 160

/* What the window wants to show. */
typedef struct exchange_wish {
	uint32_t width, height; /* full size; 0: nothing */
	look look;
	bool moving;     /* speed matters more than size */
	uint64_t serial; /* grows with each change of what is to be seen */
} exchange_wish;

typedef struct exchange_picture {
	uint8_t *rgba;
	size_t capacity;
	uint32_t width, height;
	double scale;    /* of the wish's size; 1 is full */
	look look;       /* what it shows */
	uint64_t serial; /* the wish's */
	uint64_t model;  /* the model's version */
} exchange_picture;

/* What the window asks the owner to do. */
typedef enum ask_kind {
	ASK_PLACE = 0, /* what is seen at x, y: answered */
	ASK_POINT,     /* the same, for the tool in hand */
	ASK_TOOL,      /* value: a mark_kind, or -1 for none */
	ASK_FINISH,    /* the mark has all its points */
	ASK_UNDO,
	ASK_ERASE,     /* the mark nearest to x, y */
	ASK_EVENT      /* value: a viewer_event */
} ask_kind;

typedef struct exchange_ask {
	ask_kind kind;
	exchange_wish wish; /* the picture that x and y are in */
	double x, y;
	int value;
	uint64_t serial; /* of ASK_PLACE: what the answer is known by */
} exchange_ask;

/* To the latest ASK_PLACE. */
typedef struct exchange_answer {
	uint64_t serial; /* 0: none yet */
	bool hit;
	double position_mm[3];
} exchange_answer;

/* What the reports said, and what else the window shows in words. */
typedef struct exchange_state {
	bool any, full, ended, paused;
	enm_verdict verdict;
	enm_reason reason;
	enm_report last;  /* once there is any */
	bool has_wand;    /* `wand` was measured */
	enm_pose wand;    /* world_from_camera of the last frame that was tracked */
	double depth_mm;  /* median of the last depth picture; 0: unknown */
	uint64_t frames, tracked, weak, lost;
	uint64_t model;                  /* version: grows with each report, and when something else is drawn */
	double frames_per_s;             /* over the last reports; 0: unknown */
	double ended_s;                  /* clock */
	char error[VIEWER_REASON_BYTES]; /* of the last picture asked for; "" */
	char said[SAY_BYTES];
	double said_s; /* clock */
	enm_gap gaps[VIEWER_GAPS_MAX];
	uint32_t gap_count;
	uint64_t gap_version; /* grows with each list of them */
	bool can_hide; /* the source has bodies that can be hidden; false before it was offered */
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
	bool fresh; /* `ready` was not taken yet */
	double report_s[RATE_FRAMES];
	exchange_ask asks[ASKS_MAX];
	uint32_t ask_first, ask_count;
	exchange_answer answer;
	tools_shown *shown; /* the newest marks; NULL once taken */
	depth_picture depth;
	bool has_axes;
	double axes[9]; /* right, front, up, from the host */

	depth_picture depth_made; /* by the one thread that hands over frames */

	atomic_bool closed; /* the window is gone */
	atomic_bool leave;  /* and this is the wish for it, from any thread */
} exchange;

double exchange_clock_s(void);

/* False when there is no memory or no lock. */
bool exchange_init(exchange *e);
void exchange_free(exchange *e);

/* main thread */
void exchange_set_wish(exchange *e, const exchange_wish *wish);
/* False, and nothing is done, when too many are under way. */
bool exchange_send(exchange *e, const exchange_ask *ask);
/* Swaps the newest picture into `front`; false when there is none that was not taken. */
bool exchange_take(exchange *e, exchange_picture *front);
/* The newest marks, which are the caller's then (tools_shown_free); NULL when there are no newer ones. */
tools_shown *exchange_take_shown(exchange *e);
/* Copies the newest depth into `out`; false when `out` has it. */
bool exchange_take_depth(exchange *e, depth_picture *out);
void exchange_get_state(exchange *e, exchange_state *out);
exchange_answer exchange_get_answer(exchange *e);
bool exchange_get_box(exchange *e, camera_box *out);
/* Did the host tell the model's axes? */
bool exchange_has_axes(exchange *e);
void exchange_find_side(exchange *e, axes_side side, double out_eye[3], double out_up[3]);
/* The rotation of the first tracked camera; unchanged before there was one. */
void exchange_get_first_view(exchange *e, double q_xyzw[4]);
void exchange_close(exchange *e);

/* any thread */
/* True when people should hear of it at once: the first report, or another verdict than the last. */
bool exchange_report(exchange *e, const enm_report *report);
void exchange_end(exchange *e);
void exchange_restart(exchange *e);
void exchange_say(exchange *e, const char *text);
void exchange_set_paused(exchange *e, bool paused);
void exchange_set_depth(exchange *e, const enm_frame *frame, const enm_camera *wand, double mm_per_unit);
void exchange_set_gaps(exchange *e, const enm_gap *gaps, size_t count);
void exchange_set_axes(exchange *e, const double axes[9]);

#endif
