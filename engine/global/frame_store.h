/* SPDX-License-Identifier: Apache-2.0
 * The frames of a session as they were uploaded, with what became of them: in host memory up to a bound, beyond it in a
 * spill file. */
#ifndef ENM_FRAME_STORE_H
#define ENM_FRAME_STORE_H

#include "enamel.h"
#include "layout.h"

/* Of what the device told, what is asked for again: a long scan keeps one for each frame. */
typedef struct store_frame {
	uint64_t id;
	int64_t time_ns;
	enm_k_pose world_from_camera; /* replaced when the scan is refined */
	enm_k_pose as_tracked;        /* the same on the model that the frame was aligned to */
	float skew[6];                /* these as in enm_k_track */
	float information[36], system_pivot_mm, pivot_mm;
	enm_k_u32 frames, tracked, verdict, samples, colored, island;
	size_t bytes;         /* of the input, with what was hidden of it; 0: not kept */
	size_t hidden_offset; /* of a byte for each of the tiles of foreign.h, not 0 where something moved through the
				 view; 0: there are none */
	void *input;          /* NULL: in the spill file, or not kept */
	uint64_t offset;      /* in the spill file */
	size_t color_offset;  /* 0: no colour */
	enm_depth_format format;
	uint32_t chain; /* frames of one were tracked without a loss on a model whose poses stayed as they were */
	bool apart;    /* on an island that nothing joined, or of a model that was forgotten */
	bool bent;     /* a scan's first, whose motion while its rows were exposed was not known: not in the model */
	bool left_out; /* of the model, by the last refinement */
} store_frame;

typedef struct frame_store {
	bool on;
	store_frame *frames; /* in the order they were pushed: that of id n is frames[n] */
	size_t count, capacity;
	uint64_t bytes, bytes_max; /* of inputs in memory */
	int spill;                 /* file descriptor; -1: none */
	const char *spill_name;    /* borrowed, for texts; NULL: none */
	uint64_t spilled;          /* bytes of the spill file */
	uint64_t not_kept;         /* tracked frames for which there was no room */
	uint32_t chain;            /* of the last frame */
} frame_store;

/* A frame as it stands in its slot. */
typedef struct store_input {
	const void *input;
	size_t bytes, color_offset;
	const void *hidden;  /* see store_frame */
	size_t hidden_bytes; /* 0: none */
	enm_depth_format format;
	uint64_t id;
	int64_t time_ns;
} store_input;

/* Nothing where `def` does not keep frames. ENM_E_IO where the spill file cannot be made: it must not exist, and has no
 * name from then on, so that nothing of it is left behind. `def` must outlive the store. */
ENM_MUST_CHECK enm_result store_create(const enm_session_def *def, frame_store *out_store);
void store_destroy(frame_store *store);

/* Forgets all frames. */
void store_clear(frame_store *store);

/* Follows what the device reports of a frame; its input is copied if it was tracked. A frame that neither memory nor
 * file has room for is noted without. `out_full`: this was the first such frame. */
ENM_MUST_CHECK enm_result store_note(
	frame_store *store, const enm_k_track *track, const store_input *frame, bool *out_full);

/* Whether the frame belongs to the first model and can be fused again. */
bool store_usable(const store_frame *frame);

/* The tracker's state as far as a frame that is fused again and its covariance need it; the rest is 0. */
enm_k_track store_track(const store_frame *frame);

/* Copies `bytes` of a frame's input from `offset` on. ENM_E_IO. */
ENM_MUST_CHECK enm_result store_read(
	const frame_store *store, const store_frame *frame, size_t offset, size_t bytes, void *out_input);

/* Bytes of the input itself. */
size_t store_input_bytes(const store_frame *frame);

#endif
