/* SPDX-License-Identifier: Apache-2.0
 *
 * Layouts and constants that host and device share. Fixed-width scalars only, explicit padding, sizes that are
 * multiples of 16; the self-check compares both sides' sizes.
 */
#ifndef ENM_LAYOUT_H
#define ENM_LAYOUT_H

#ifdef __OPENCL_C_VERSION__
typedef int enm_k_i32;
typedef uint enm_k_u32;
#else
#include <stdint.h>
typedef int32_t enm_k_i32;
typedef uint32_t enm_k_u32;
#endif

/* ---- volume ---- */

#define ENM_K_BLOCK_EDGE 8
#define ENM_K_BLOCK_VOXELS 512
#define ENM_K_KEY_EMPTY 0xFFFFFFFFu /* also the key of a block outside the address range */
#define ENM_K_KEY_BITS_XY 11        /* block coordinates -1024 .. 1023 */
#define ENM_K_KEY_BITS_Z 10         /* -512 .. 511; the topmost is not used, so that no key equals EMPTY */
#define ENM_K_SDF_ONE 32767.0f      /* 16-bit distance: one truncation */
#define ENM_K_WEIGHT_ONE 64.0f      /* 16-bit weight: one reading at reference noise */

/* A block's voxels are two planes of 512 32-bit words, x fastest: signed distance in truncations (low half) and sum of
 * weights (high half), then red (lowest), green, blue and the number of frames that saw it (saturating). Tracking and
 * ray casting need the first plane alone, and neighbours in x lie side by side in it. */
#define ENM_K_BLOCK_WORDS 1024
#define ENM_K_PLANE_COLOR 512

/* A voxel, unpacked. */
typedef struct enm_k_voxel {
#ifdef __OPENCL_C_VERSION__
	short sdf;
	ushort weight;
	uchar red, green, blue, views;
#else
	int16_t sdf;
	uint16_t weight;
	uint8_t red, green, blue, views;
#endif
} enm_k_voxel;

typedef struct enm_k_volume {
	float voxel_mm, truncation_mm;
	enm_k_u32 table_mask;    /* slots of the block table minus one */
	enm_k_u32 capacity;      /* blocks that the voxel buffer holds */
	enm_k_u32 grid_capacity; /* cells of the allocation grid */
	enm_k_i32 island_side;   /* of x on which islands lie: -1 or 1; 0: nowhere */
	enm_k_u32 pad[2];
} enm_k_volume;

/* Blocks in x where islands lie, and the middle of these; how many are open at a time at most, and the blocks in y that each has. */
#define ENM_K_ISLAND_FIRST 512
#define ENM_K_ISLAND_MIDDLE 768
#define ENM_K_ISLANDS 4
#define ENM_K_ISLAND_BLOCKS_Y 512

/* ---- camera and poses ---- */

typedef struct enm_k_camera {
	float fx, fy, cx, cy;
	float k1, k2, p1, p2;
	float k3, depth_min_mm, depth_max_mm, mm_per_unit;
	float sigma_per_mm2; /* axial sigma in mm over squared depth in mm2 */
	float sigma_ref_mm;  /* sigma at which a reading weighs 1 */
	enm_k_i32 width, height;
	float bow_mm, astigmatism_mm, twist_mm, tilt_x_mm;
	float tilt_y_mm, constant_mm;
	enm_k_i32 distorted; /* any of k1 .. k3 is not zero */
	enm_k_i32 rolling;   /* rows are exposed one after the other */
} enm_k_camera;

/* target_from_source, rotation row-major. */
typedef struct enm_k_pose {
	float r[9];
	float t[3];
	float pad[4];
} enm_k_pose;

/* ---- a frame ---- */

/* What is uploaded of a frame: this, at ENM_K_INPUT_DEPTH the readings, then the colours. */
typedef struct enm_k_input {
	float dt_s; /* since the frame before; 0 for the first */
	float has_motion; /* 0: the rest says nothing */
	float pad[4];
	float motion[6];  /* rotation vector (rad) and translation (mm) since the frame before, in that one's frame */
	float information[36]; /* inverse of its covariance */
} enm_k_input;

#define ENM_K_INPUT_DEPTH 192
#define ENM_K_DEPTH_U16 0 /* as enm_depth_format */
#define ENM_K_DEPTH_F32 1

/* Pixels of a work-group that prepares depth. */
#define ENM_K_PART_COLUMNS 32
#define ENM_K_PART_ROWS 16

/* Pixels of a tile of the nearest/farthest depth picture: near the size of a block in the picture. */
#define DEPTH_TILE 16

/* ---- tracking ---- */

#define ENM_K_VERDICT_TRACKED 0
#define ENM_K_VERDICT_WEAK 1
#define ENM_K_VERDICT_LOST 2
#define ENM_K_VERDICT_NONE 3 /* of no frame: the one in hand has been fused, or never will be, and its counts stand */

#define ENM_K_REASON_NONE 0
#define ENM_K_REASON_FIRST 1
#define ENM_K_REASON_FEW_READINGS 2
#define ENM_K_REASON_NO_OVERLAP 3
#define ENM_K_REASON_FEW_INLIERS 4
#define ENM_K_REASON_DEGENERATE 5
#define ENM_K_REASON_DIVERGED 6
#define ENM_K_REASON_FREE_SPACE 7
#define ENM_K_REASON_RECOVERING 8

/* Events of a frame, as enm_event. */
#define ENM_K_EVENT_LOST 1u
#define ENM_K_EVENT_RECOVERED 2u
#define ENM_K_EVENT_KEYFRAME 4u
#define ENM_K_EVENT_ISLAND_BEGUN 8u
#define ENM_K_EVENT_ISLAND_JOINED 16u
#define ENM_K_EVENT_ISLAND_DROPPED 32u
#define ENM_K_EVENT_BEGUN_AGAIN 64u
#define ENM_K_EVENT_BEGUN_ANEW 0x10000u /* no business of the caller's: what was fused before is to be forgotten, on an island that alone */

/* Sums of one alignment step. Six rows of eight: w j_a j_b, then w j_a r, then w j_a; and a row of scalars. */
#define ENM_K_SUM_H(a, b) (8 * (a) + (b))
#define ENM_K_SUM_GRADIENT(a) (8 * (a) + 6)
#define ENM_K_SUM_WEIGHT 48  /* w */
#define ENM_K_SUM_COST 49    /* w r^2 */
#define ENM_K_SUM_QUALITY 50 /* confidence of the samples on the model, before robust weighting */
#define ENM_K_SUM_DEPTH 51   /* depth of the samples offered, for the pivot of rotation */
#define ENM_K_SUM_OFFERED 52 /* samples with a reading */
#define ENM_K_SUM_MODEL 53   /* of these, on the model */
#define ENM_K_SUM_INLIER 54  /* of these, with a residual that counts */
#define ENM_K_SUM_FREE 55    /* samples in space known to be empty */
#define ENM_K_SUM_ROWS 7
#define ENM_K_SUMS 56
/* Where rows are exposed one after the other, two more matrices for the motion within the frame, with every sample's time from the
 * middle row, in half frames, as a factor: once (its columns 6 and 7 as those of the first), and squared. */
#define ENM_K_SUM_SKEW(a, b) (ENM_K_SUMS + 8 * (a) + (b))
#define ENM_K_SUM_SKEW_GRADIENT(a) (ENM_K_SUMS + 8 * (a) + 6)
#define ENM_K_SUM_SKEW2(a, b) (ENM_K_SUMS + 48 + 8 * (a) + (b))
#define ENM_K_SUM_ROWS_ROLLING 19
#define ENM_K_SUMS_ROLLING 152

#define ENM_K_HAND_ACCELERATION_MM_S2 300.0f /* how fast a hand changes its course, 1 sigma */
/* Frames that follow each other sooner, as one delivered twice or stamped late, tell little of the velocity. */
#define ENM_K_VELOCITY_TELLS_S 5e-3f

/* After more lost frames than this the prediction vouches for nothing; nor after a time without any frames, if it is as many usual periods. */
#define ENM_K_MISSED_FRAMES 5
#define ENM_K_GAP_S 0.12f
#define ENM_K_GAP_PERIODS 2.5f

/* A first model of no more frames is not worth an island beside it, since it may be of what lay in the way: the scan begins again. */
#define ENM_K_YOUNG_FRAMES 5

#define ENM_K_READINGS_ALIKE 10.0f /* readings are correlated: so many count as one */

/* A direction with a smaller eigenvalue, of the matrix per unit of weight, is not fixed by the data. */
#define ENM_K_EIGENVALUE_LEAST 1.5e-3f

#define ENM_K_TRACK_GROUPS 32
#define ENM_K_TRACK_GROUP 64
/* Groups of partial sums: the shape's, colour's, and what tells how well the shape fixes the pose. */
#define ENM_K_PARTIALS_COLOR ENM_K_TRACK_GROUPS
#define ENM_K_PARTIALS_FIXED (2 * ENM_K_TRACK_GROUPS)
#define ENM_K_PARTIALS (3 * ENM_K_TRACK_GROUPS)

/* Colour: the picture in parts, a group each, whose light is taken for alike; the row in whose last column each group says something. */
#define ENM_K_COLOR_PARTS_X 8
#define ENM_K_COLOR_PARTS_Y 4 /* ENM_K_TRACK_GROUPS parts */
#define ENM_K_COLOR_SAMPLES 128 /* of a part at most */
#define ENM_K_COLOR_EXPLAINED 0 /* squares of the frame's grey that the model's explains, weighed as the geometry's */
#define ENM_K_COLOR_RESIDUAL 1  /* that nothing explains */
#define ENM_K_COLOR_SAMPLES_USED 2 /* sum of weights */
#define ENM_K_COLOR_MODEL 3 /* sum of greys */
#define ENM_K_COLOR_FRAME 4
#define ENM_K_COLOR_ROWS 5

#define ENM_K_DONE_ALL 1u
#define ENM_K_DONE_LEVEL 2u /* shifted by the level's index */

/* How a steady hand goes on, by a filter over the poses so far: a motion of constant velocity but for accelerations as rough as this hand's. In the
 * unknowns of the solve; matrices and weight are 0 where nothing is known of it, as after a loss. */
typedef struct enm_k_course {
	float information[36];  /* of the prediction, per mm2 */
	float gain[36];         /* its transpose turns how far the pose is off the prediction into what the velocity is off by, in mm/s per mm */
	float left[36];         /* covariance of the velocity once the pose is known, (mm/s)2 */
	float variance_mm2[6];  /* of the prediction; 0 where the course has just begun */
	float off_mm[6];        /* that the pose is off the prediction */
	float roughness[6];     /* squared acceleration of the hand, (mm/s2)2 */
	float weight;           /* of the prediction in the solve: less than 1 of a jerk, 0 where it has no say */
	float pad;
} enm_k_course;

/* What the tracker carries from launch to launch and frame to frame; lives on the device. */
typedef struct enm_k_track {
	enm_k_pose world_from_camera; /* the estimate of the frame in hand */
	enm_k_pose predicted;
	enm_k_pose last;        /* last frame that was tracked or weak */
	float velocity[6];      /* rotation vector (rad/s) and translation (mm/s), in the camera's frame */
	float since_last_s;     /* time since that frame */
	float period_s;         /* time between the frame in hand and the one before, lost or not */
	float gate_mm;          /* residuals beyond count for nothing; 0 before the first step */
	float pivot_mm;         /* depth about which rotations are taken */
	float step;             /* size of the last step in voxels */
	float overlap, inliers, free_share, rms_mm, least_eigenvalue;
	enm_k_u32 frames;       /* frames seen */
	enm_k_u32 tracked;      /* frames tracked so far */
	enm_k_u32 iterations;   /* of the frame in hand */
	enm_k_u32 done;         /* ENM_K_DONE_: launches that need do nothing any more */
	enm_k_u32 verdict, reason;
	enm_k_u32 valid_readings, samples;
	enm_k_u32 missed;       /* frames since the last tracked one */
	enm_k_u32 lost;         /* frames without a pose since the last tracked one */
	enm_k_u32 probation;    /* frames that have agreed since a place was found again; 0: none is on trial */
	float found_overlap;    /* by which the search found the frame that began the trial to lie on the model; 1 where none did */
	enm_k_u32 held;         /* directions in which the pose is the prediction, since the surface does not fix it; of a frame that was
	                         * aligned to nothing: that its shape would leave open */
	enm_k_u32 events;
	float skew[6];          /* motion during half a frame's exposure: rotation vector, translation, in the camera's frame; the
	                         * pose is that of the middle row */
	float system_pivot_mm;  /* of `information` */
	float held_direction[6]; /* unit vector in the unknowns of the solve, the worst fixed of those held */
	float information[36];  /* of the last step, in its unknowns, per mm2 */
	float prior[36];        /* what is known before the readings, likewise */
	float hold[36];         /* what keeps the pose to the prediction in the directions held, per unit of weight */
	float exposure;         /* how much brighter the frame is than the model, when colour had a say last */
	enm_k_u32 colored;      /* colour has a say in this level */
	enm_k_u32 doubtful;     /* some direction may not be fixed by the shape */
	float usual_rms_mm;     /* of the frames before; 0 after a loss */
	float sigma_mm;         /* how well the camera's place is known */
	enm_k_pose first_from_island; /* of the frame that joins an island */
	enm_k_u32 island;       /* that the frame in hand belongs to; 0: the first model */
	enm_k_u32 islands_open; /* that are being built, or wait to be joined */
	enm_k_u32 islands;      /* begun so far */
	enm_k_u32 joined;       /* with ENM_K_EVENT_ISLAND_JOINED: which one */
	enm_k_u32 joined_from;  /* likewise: the island where the frame in hand was fused; 0: it was on the first model */
	enm_k_u32 dropped;      /* with ENM_K_EVENT_ISLAND_DROPPED: which one */
	enm_k_u32 searched;     /* lost frames with readings since the last that was not lost, those with many three times */
	enm_k_u32 island_place; /* of the island that the frame in hand belongs to, among those that are open */
	enm_k_u32 island_frames; /* tracked so far on that island, its first one too */
	enm_k_u32 wary;         /* frames to be tracked before limits are as usual again after one that left a direction open */
	float color_share;      /* of what fixes the direction that is fixed worst */
	float predicted_off_mm; /* how far predictions have been off of late, anywhere in view */
	enm_k_course course;
} enm_k_track;

/* One alignment level. */
typedef struct enm_k_level {
	enm_k_i32 stride;     /* pixels between samples */
	float gate_start_mm;  /* first step's gate; later ones follow the residual down to gate_floor_mm */
	float gate_floor_mm;
	float step_done;      /* settled when a step moves the view by less, in voxels */
	enm_k_i32 index;      /* 0 for the coarsest */
	float prior_sigma_mm; /* how far the prediction may be off (1 sigma) */
	enm_k_i32 pad[2];
} enm_k_level;

/* ---- the way back after a loss ---- */

#define ENM_K_KEYFRAME_NONE 0xFFFFFFFFu
#define ENM_K_CANDIDATES 512 /* keyframes and starts that a frame is aligned to, at most; no fewer than keyframes */
#define ENM_K_PICKS 24       /* candidates that are aligned to the model */

/* A place to come back to; its readings lie in a map beside it, as pixels of the pixel map on a coarse grid. */
typedef struct enm_k_keyframe {
	enm_k_pose world_from_camera;
	float pivot_mm;  /* mean depth */
	enm_k_u32 frame; /* that it was */
	enm_k_u32 island; /* that it belongs to */
	enm_k_u32 pad;
} enm_k_keyframe;

/* A pose that the frame in hand may have. */
typedef struct enm_k_candidate {
	enm_k_pose world_from_camera;
	float support;  /* share of the frame's readings that agree, robust weights counted; once the model has rated it less those in empty space, and
	                 * once it is aligned less those that do not agree; 0: none */
	float overlap, inliers, free_share, rms_mm, least_eigenvalue, step; /* as those of enm_k_track */
	enm_k_u32 island;   /* that it lies on; 0: the first model */
	float patch_mm;     /* residual that patches of the picture have in the mean: of the shape, not of the noise */
	float pad[3];
} enm_k_candidate;

/* An island that is open: its place in the volume is that in the list. */
typedef struct enm_k_island {
	enm_k_pose first_from_island; /* where it lies, by the frames in `joined` */
	enm_k_pose told;              /* where that puts the frame in hand, on the other side */
	enm_k_u32 id;                 /* 0: there is none */
	enm_k_u32 frames;             /* tracked on it so far, its first one too */
	enm_k_u32 joined;             /* frames that agree on where it lies, none that was found in between otherwise */
	float join_overlap;           /* of these, added, of poor ones a part */
	float join_weight;            /* of these, in the mean of what they say */
	enm_k_u32 away;               /* frames tracked on the first model since the last one on it, or that proved something of it */
	float pad[2];
	enm_k_pose counted;           /* on the island, of the last frame that spoke for it or against it */
} enm_k_island;

/* What is known of keyframes, and of the search for the frame in hand. */
typedef struct enm_k_recovery {
	enm_k_pose found; /* place found last */
	enm_k_u32 keyframes, chosen; /* how many there are; where the frame in hand is kept, or ENM_K_KEYFRAME_NONE */
	enm_k_u32 wanted;            /* the frame in hand looks for its place */
	enm_k_u32 searches;          /* so far */
	enm_k_u32 found_frame;       /* that `found` is of */
	enm_k_u32 agreed;            /* frames in a row that were found near each other */
	float agreed_overlap;        /* of these, added */
	enm_k_u32 joining;           /* the frame in hand is tracked on an island, and is searched for on the first model; or on that, and is on the islands */
	enm_k_u32 at_island;         /* where the frame in hand is tracked; 0: on the first model */
	enm_k_u32 candidates;        /* of the frame in hand */
	float pivot_mm;              /* mean depth of the frame in hand */
	enm_k_u32 forget;            /* bits of places of which all is to be taken out of the volume */
	enm_k_u32 told;              /* islands that tell where the frame in hand lies on the other side ... */
	enm_k_u32 told_at[ENM_K_ISLANDS]; /* ... at these places */
	enm_k_u32 serve;             /* keyframes that the frame in hand is aligned to ... */
	enm_k_u32 serving[ENM_K_CANDIDATES]; /* ... which */
	enm_k_u32 pad[2];
	enm_k_island islands[ENM_K_ISLANDS]; /* keyframes of others are free to be replaced */
} enm_k_recovery;

/* ---- blocks in the frame ---- */

/* Counts that stay on the device. */
typedef struct enm_k_blocks {
	enm_k_i32 grid_low[3]; /* first block of the grid of those that the frame may want */
	enm_k_u32 cells;       /* of the grid; 0 where the frame is not fused or no layer of it fits */
	enm_k_i32 grid_size[4];
	enm_k_u32 used;    /* blocks in the model */
	enm_k_u32 base;    /* used before this frame */
	enm_k_u32 added;   /* by this frame */
	enm_k_u32 wanted;  /* new blocks that the frame asked for */
	enm_k_u32 in_view; /* blocks to integrate */
	enm_k_u32 full;    /* some wanted blocks were refused */
	enm_k_u32 pad[2];
} enm_k_blocks;

#define ENM_K_SELECT_CHUNK 64 /* blocks that are judged together */
#define ENM_K_SELECT_CHUNKS 8 /* of a work-group at most */

/* What the host reads of a frame. */
typedef struct enm_k_report {
	enm_k_track track;
	enm_k_blocks blocks;
} enm_k_report;

/* ---- foreign bodies ---- */

#define ENM_K_FOREIGN_GRID_BITS 7
#define ENM_K_FOREIGN_GRID (1 << ENM_K_FOREIGN_GRID_BITS) /* cells along an edge of the grid, which wraps around */
#define ENM_K_FOREIGN_TILES 1600 /* of the picture at most, 40 along an edge */

typedef struct enm_k_foreign {
	float cell_mm, per_cell;
	float radius_mm;          /* of a cell's sphere */
	float margin_mm;          /* by which readings must lie behind what they look through */
	enm_k_i32 blocks_across;  /* blocks along a cell's edge */
	enm_k_i32 tile;           /* pixels along a tile's edge */
	enm_k_i32 columns, rows;  /* of tiles */
	float per_tile;           /* tiles a pixel */
	enm_k_i32 pad[3];
} enm_k_foreign;

/* Of the frame in hand, and what is carried on to the next. */
typedef struct enm_k_foreign_frame {
	float farthest_mm; /* of the tiles' nearest readings */
	float share;       /* of the readings, that are foreign */
	float clock_s;     /* wraps around */
	float calm_s;      /* since a body was last about */
	float missed_s;    /* since the last tracked frame */
	enm_k_u32 air;     /* tiles that lie together in front of the model; 0 where nothing was judged */
	enm_k_u32 known;   /* tiles on the model; 0 where nothing was judged */
	enm_k_u32 body;    /* one was about, and since then tracking could spare it, the model lay behind it, or it was followed blindly */
} enm_k_foreign_frame;

/* ---- refinement ---- */

/* Terms of the session's depth residual, in the order of enm_depth_residual. */
#define ENM_K_RESIDUAL_TERMS 6

/* How frames are compared with one another. */
typedef struct enm_k_refine {
	float residual_mm[ENM_K_RESIDUAL_TERMS]; /* of the depth, so far */
	float gate;             /* residuals beyond so many of their sigmas count for nothing */
	float sigma_per_mm2;    /* of a fitted reading, along its normal, over squared depth */
	enm_k_i32 stride;       /* pixels between samples of a map */
	enm_k_i32 columns, rows; /* of a map */
	enm_k_i32 samples;      /* that a frame is compared by in each direction: a multiple of ENM_K_REFINE_GROUP */
	enm_k_u32 seed;
	enm_k_i32 pad[3];
} enm_k_refine;

/* A frame that is compared with others; its map lies in the buffer of maps. */
typedef struct enm_k_node {
	float skew[6]; /* as that of enm_k_track */
	enm_k_u32 pad[2];
} enm_k_node;

/* Two frames that see the same place. */
typedef struct enm_k_pair {
	enm_k_pose second_from_first;
	enm_k_u32 first, second; /* nodes */
	enm_k_u32 pad[2];
} enm_k_pair;

/* What a pair says: the products of all pairs of columns a <= b of its weighted samples, row by row: the derivatives of a residual by the
 * first frame's turn and move in its own camera's frame, by the second's, by the residual's terms, and the residual itself. Then the
 * sum of robust weights, and how many samples there were to compare. */
#define ENM_K_REFINE_COLUMNS 19
#define ENM_K_REFINE_PRODUCTS 190
#define ENM_K_REFINE_INLIERS 190
#define ENM_K_REFINE_OFFERED 191
#define ENM_K_REFINE_SUMS 192
#define ENM_K_REFINE_GROUP 64

/* ---- pictures ---- */

#define ENM_K_CUT_PIXELS 1.5f /* width of the line along a cut */

typedef struct enm_k_view {
	enm_k_pose world_from_eye;
	float focal, cx, cy;
	float near_mm, far_mm;
	enm_k_i32 orthographic, width, height;
	enm_k_i32 shade;      /* ENM_K_SHADE_ */
	enm_k_u32 background; /* RGBA, red lowest */
	enm_k_i32 tile;       /* pixels of a cell of the range image */
	enm_k_i32 tiles_x, tiles_y;
	float shade_low, shade_high; /* ends of the shade's map */
	enm_k_i32 cut;
	float cut_normal[3], cut_mm; /* in the eye's frame */
	float sigma_ref_mm;          /* as that of enm_k_camera */
	enm_k_i32 pad[3];
} enm_k_view;

/* What a ray meets first. */
typedef struct enm_k_hit {
	float point_mm[3], depth_mm; /* in the eye's frame */
	float normal[3], sigma_um;
	enm_k_u32 found, from_behind, views, pad;
} enm_k_hit;

/* A mesh in a picture. */
typedef struct enm_k_draw {
	enm_k_pose eye_from_mesh;
	enm_k_u32 vertices, triangles;
	enm_k_u32 first; /* number of its first triangle among those of all meshes */
	enm_k_u32 has;   /* ENM_K_HAS_ */
} enm_k_draw;

#define ENM_K_HAS_NORMALS 1u
#define ENM_K_HAS_COLORS 2u
#define ENM_K_HAS_VIEWS 4u
#define ENM_K_HAS_SIGMA 8u
#define ENM_K_HAS_VALUES 16u

#define ENM_K_DRAW_GROUP 64
#define ENM_K_DRAW_NONE 0xFFFFFFFFu      /* no triangle */
#define ENM_K_DRAW_INFINITE 0x7F800000u /* bits of a depth that is farther than all others */

/* ---- surface ---- */

/* A vertex as the device writes it. */
typedef struct enm_k_vertex {
	float x, y, z; /* mm */
	float nx, ny, nz;
	float sigma_um;
	enm_k_u32 color_views; /* red, green, blue, views; red lowest */
} enm_k_vertex;

/* Surface of a block of the list in hand. */
typedef struct enm_k_piece {
	enm_k_u32 key, block;
	enm_k_u32 own, vertices; /* on the block's own edges, and with those on its far side */
	enm_k_u32 triangles;
	enm_k_u32 pad[3];
	enm_k_u32 near[8]; /* the block itself and those above it: + 1 in x, + 2 in y, + 4 in z */
} enm_k_piece;

/* Counts of the list in hand, and of what waits for its turn. */
typedef struct enm_k_surface {
	enm_k_u32 listed;   /* blocks */
	enm_k_u32 done;     /* of these, those that fitted */
	enm_k_u32 vertices; /* of those done */
	enm_k_u32 triangles;
	enm_k_u32 frames; /* seen when blocks were last looked over for changes */
	enm_k_u32 cursor; /* block at which the next list begins */
	enm_k_u32 left;   /* changed blocks that are not done */
	enm_k_u32 oldest; /* number of the first frame that is not in all of these */
} enm_k_surface;

#endif
