/* SPDX-License-Identifier: Apache-2.0
 * The engine's constants with unit and reason. Those that kernels share are in kernels/layout.h. */
#ifndef ENM_CONSTANTS_H
#define ENM_CONSTANTS_H

/* Blocks that a new session has memory for (64 MiB of voxels): half an arch at 0.1 mm. It grows by half of itself when
 * only a quarter is free, more than any two frames were seen to add. */
#define BLOCKS_AT_START 16384u
#define BLOCKS_FREE_SHARE 4u
#define BLOCKS_GROWTH_PERCENT 150u
/* Voxels to grow into in place, on devices that take memory when it is touched: more than an arch has at 0.05 mm. Not
 * all that the bound may allow, since addresses are counted by some drivers, and sessions can be many. */
#define VOXEL_BYTES_RESERVED ((uint64_t)1 << 30)

/* Bound on device memory when the caller states none, besides three quarters of the device. */
#define DEVICE_BYTES_DEFAULT ((uint64_t)4 << 30)

/* Cells of the grid in which a frame's missing blocks are flagged: 128 blocks cubed, 100 mm at 0.1 mm voxels. */
#define GRID_CELLS (1u << 21)

/* A frame with fewer readings than this share of its pixels says nothing. */
#define READINGS_MIN_SHARE 0.02

/* Memory for a slice of the live surface. The least is enough for whatever one block may have; the most is what the bound on
 * device memory leaves beside a mesh in the making; by default 700 blocks, under 3 ms of work for two CPU cores. */
#define SURFACE_BYTES_LEAST ((uint64_t)256 << 10)
#define SURFACE_BYTES_MOST ((uint64_t)8 << 20)
#define SURFACE_BYTES_DEFAULT ((uint64_t)2 << 20)

/* Pixels of a tile of the raycast's range picture. */
#define VIEW_TILE 8

/* Keyframes: the view shifted by 2 mm at 14 mm, or turned by 8 degrees, is another place; an arch has some 300. A grid of 40
 * pixels across (half a millimetre apart at 14 mm) is enough to find a shift and a turn, since each has its plane. */
#define KEYFRAME_REACH 0.14f
#define KEYFRAME_REACH_RAD 0.14f
#define KEYFRAMES 512u
#define KEYFRAME_ACROSS 40u
/* Pixels across the picture by which places are found, aligned to the model and judged. */
#define RELOCATE_FIND_ACROSS 20u
#define RELOCATE_ALIGN_ACROSS 40u
#define RELOCATE_JUDGE_ACROSS 80u
/* A frame with fewer readings is not looked for: what a corner of the picture shows may be anywhere. */
#define RELOCATE_READINGS_SHARE 0.1
/* Weak frames in a row before the way back is looked for; at once where a frame is lost. */
#define RELOCATE_AFTER_MISSED 3u

/* An island is begun when this many frames in a row were lost that had readings for this share of their pixels; the frames of each are kept in host
 * memory up to this: half a minute of 320 x 240 at 30 a second. */
#define ISLAND_AFTER_LOST 25u
#define ISLAND_READINGS_SHARE 0.15
#define ISLAND_BYTES_MAX ((uint64_t)160 << 20)
/* Frames of a joined island that are fused before each new one: a hitch of half a frame. */
#define ISLAND_FUSED_AT_ONCE 2u

/* Frames that are compared while scanning, about, at the most. */
#define MEND_NODES 400u
/* Frames that are fused again before each new one. */
#define MEND_FUSED_CPU 3u
#define MEND_FUSED_GPU 8u

/* Host memory for the frames of a session that keeps them. */
#define FRAMES_BYTES_DEFAULT ((uint64_t)1 << 30)
#define FRAMES_EXPECTED_MOST 10000000u

#endif
