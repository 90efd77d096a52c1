/* SPDX-License-Identifier: Apache-2.0
 * Insides of the refinement: the frames compared with one another (kernels/refine.cl), and the way back into the model.
 */
#ifndef ENM_REFINE_RUN_H
#define ENM_REFINE_RUN_H

#include "global/certainty.h"
#include "gpu/gpu.h"
#include "pipeline/session.h"

/* What a level of enm_refine_level asks for. */
typedef struct refine_effort {
	uint32_t step;     /* of the frames kept, one in so many is compared */
	uint32_t partners; /* that a frame chooses; it is chosen by as many */
	int32_t samples;   /* that two frames are compared by, in each direction */
	uint32_t batch;    /* pairs of a launch, up to REFINE_BATCH */
} refine_effort;

/* A frame that is compared: a node of the graph. */
typedef struct refine_node {
	rigid pose;              /* world_from_camera, of the middle row */
	rigid before;            /* that it came with */
	float skew[6];           /* motion while half of its rows were exposed, as that of enm_k_track */
	size_t frame;            /* in the store */
	double inliers, offered; /* in the last round, of all its pairs */
	uint32_t part;           /* that it hangs together with */
	bool out;                /* agrees too little with the others */
} refine_node;

typedef struct refine_run {
	enm_session *session;     /* of which only what stays the same while a scan goes on may be looked at */
	gpu_queue *queue;         /* all work is in */
	const frame_store *store; /* the frames, as they were when the run began */
	enm_k_camera camera;      /* and the camera */
	const enm_refine_def *def;
	refine_effort effort;
	gpu_kernel k_map, k_rays, k_overlap, k_sum;
	gpu_buffer maps;                         /* uint2 a sample */
	gpu_buffer rays;                         /* float2 a sample of any of them */
	gpu_buffer nodes;                        /* enm_k_node */
	gpu_buffer batch;                        /* enm_k_pair of those in hand */
	gpu_buffer input[ENM_FRAMES_IN_FLIGHT];  /* of a frame, as it was uploaded */
	gpu_buffer hidden[ENM_FRAMES_IN_FLIGHT]; /* tiles of a frame in which something moved */
	uint8_t *input_bytes[ENM_FRAMES_IN_FLIGHT], *hidden_tiles[ENM_FRAMES_IN_FLIGHT];
	gpu_buffer sums; /* ENM_K_REFINE_SUMS floats for each of these */
	enm_k_refine sizes;
	size_t *usable; /* frames of the store that can be fused, in order */
	size_t usable_count;
	refine_node *node;
	uint32_t node_count;
	enm_k_pair *pairs; /* their poses are those of the batch in hand */
	uint32_t pair_count, parts;
	double residual_mm[ENM_K_RESIDUAL_TERMS]; /* all of it */
	double prior[36];                         /* covariance of what is known of it before, mm2 */
	certainty *known;                         /* what will be asked of afterwards */
} refine_run;

/* Pairs of a launch. */
#define REFINE_BATCH 512u
_Static_assert(ENM_K_REFINE_SUMS * sizeof(float) * REFINE_BATCH <= (1u << 20), "a batch is small");

/* Says how far it is; false where the caller wants to end. */
bool refine_goes_on(const refine_run *run, const char *what, double done);

/* Of a run with a session, queue, store, camera, definition and effort: chooses the frames to be compared and takes memory, on the thread that uses the
 * session. ENM_EMPTY: there are none. */
ENM_MUST_CHECK enm_result refine_open(refine_run *run, enm_refine_result *out);
/* Solves for their poses and the residual, in the run's queue alone, so on any thread. ENM_EMPTY: none of them overlap. */
ENM_MUST_CHECK enm_result refine_solve(refine_run *run, enm_refine_result *out);
void refine_release_device(refine_run *run); /* on the thread of refine_open */
void refine_tell(const refine_run *run, enm_refine_result *out);
void refine_close(refine_run *run);

#define REFINE_ROUNDS 5u

/* Compares and solves, round by round, from where def->state left off. */
ENM_MUST_CHECK enm_result refine_run_rounds(refine_run *run, enm_refine_result *out);
/* Differences count up to so many sigmas, by the residual as it is now. */
void refine_set_gate(refine_run *run, double sigmas);
/* The motions of the nodes' rows, to the device. Waits. */
ENM_MUST_CHECK enm_result refine_write_nodes(refine_run *run);
double refine_clock_s(void);
/* Of the nodes, those that are not out. */
uint32_t refine_nodes_in(const refine_run *run);
/* The upper one of an even number, of which there must be one; sorts them. */
double refine_median(double *values, size_t count);

/* Chooses who is compared with whom, and finds what hangs together. */
ENM_MUST_CHECK enm_result refine_choose_pairs(refine_run *run);

/* Launches `kernel` (k_overlap or k_sum) for the pairs from `first` on and reads `bytes_each` for each of them. Waits.
 */
ENM_MUST_CHECK enm_result refine_run_batch(
	refine_run *run, gpu_kernel *kernel, enm_k_pair *pairs, uint32_t count, size_t bytes_each, void *out);

/* What hangs together by pairs of nodes that are not out; counts the parts. */
void refine_find_parts(refine_run *run);

/* Adds what tracking says of where nodes are that follow each other. */
void refine_add_motions(const refine_run *run, solve_system *system);

/* Adds that a hand turns smoothly, as far as the nodes' poses, which comparisons alone have found, show it. `information`: that of solve_prior. */
ENM_MUST_CHECK enm_result refine_add_smoothness(const refine_run *run, double information, solve_system *system);

/* The motion while half of a frame's rows were exposed, by where the frames before and after it are; false, and
 * nothing, where they are too far off in time. */
bool refine_skew(double half_exposure_s, const rigid poses[3], const int64_t times_ns[3], float out_skew[6]);

/* ---- to go on from ---- */

/* Hands what has been found after `rounds` to def->on_state. ENM_E_MEMORY. */
ENM_MUST_CHECK enm_result refine_give_state(const refine_run *run, uint32_t rounds, uint32_t iterations);
/* Whether def->state can be gone on from: of these frames and this definition, whole, and with numbers that are poses. ENM_E_ARGUMENT. */
ENM_MUST_CHECK enm_result refine_check_state(const refine_run *run);
/* Takes up what it holds; 0 rounds where there is none. */
void refine_take_state(refine_run *run, uint32_t *out_rounds, uint32_t *out_iterations);

/* ---- the terms of the residual ---- */

/* Checks what the definition says of them before. */
ENM_MUST_CHECK enm_result refine_choose_prior(refine_run *run);
void refine_set_prior(const refine_run *run, const solve_system *system, solve_prior *out);

/* Takes the system that was solved last, which is zeroed, with what it is about. */
ENM_MUST_CHECK enm_result refine_keep_known(refine_run *run, solve_system *system);
void refine_tell_residual(const refine_run *run, enm_refine_result *out);

/* ---- the model, again ---- */

/* A frame as it is to be fused. */
typedef struct refit_frame {
	size_t frame; /* in the store */
	enm_k_pose world_from_camera;
	float skew[6];
	bool fused;
	bool as_tracked; /* its readings are taken as they were when it was tracked: its place beside its neighbours goes with them */
} refit_frame;

/* Where all frames of a store belong, those that are not usable too: frames between those compared have gone with their neighbours in time; what came
 * later than the run, tracked on the model as it was, goes with whatever sees the same. `store` is the run's, or has more. */
ENM_MUST_CHECK enm_result refine_place(const refine_run *run, const frame_store *store, refit_frame *out_frames);
/* The latter alone, for the frames from `first` to `end`; those before are placed. */
ENM_MUST_CHECK enm_result refine_place_later(const refine_run *run, const frame_store *store, size_t first, size_t end, refit_frame *frames);
enm_k_camera refine_camera(const refine_run *run); /* with the residual found */
/* Returns how many are left out of the model. */
uint64_t refine_keep_poses(frame_store *store, const refit_frame *frames);

/* Places all frames by those compared, fuses them again and keeps their poses; counts those left out of the model. */
ENM_MUST_CHECK enm_result refine_fuse_again(const refine_run *run, uint64_t *out_left_out);

/* ---- a second model, of the frames as they are placed ---- */

typedef struct refit refit;

/* In a model beside the session's with room for `blocks`. ENM_E_CAPACITY. */
ENM_MUST_CHECK enm_result refit_create(enm_session *session, const enm_k_camera *camera, uint32_t blocks, refit **out_refit);
void refit_destroy(enm_session *session, refit **r);
/* Whether no block was refused for good. Waits. */
ENM_MUST_CHECK enm_result refit_is_whole(enm_session *session, refit *r, bool *out_whole);

/* Fuses one of them behind what the session's queue holds; waits for the last but one at most. */
ENM_MUST_CHECK enm_result refit_fuse(enm_session *session, refit *r, const refit_frame *frame);

/* Puts the model in the place of the session's, and the tracker where its last frame is by now. Nothing may be under way. `r` is gone when it is good. */
ENM_MUST_CHECK enm_result refit_take(enm_session *session, refit **r, const refit_frame *frames, size_t count);

/* All of that; where memory has no room for two models, in the session's own, emptied. `run` is for progress. ENM_CANCELLED: nothing has changed. */
ENM_MUST_CHECK enm_result refit_run(enm_session *session, const refine_run *run, const refit_frame *frames,
	size_t count, const enm_k_camera *camera);

#endif
