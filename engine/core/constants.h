/* SPDX-License-Identifier: Apache-2.0
 * The engine's constants with unit and reason. Those that kernels share are in kernels/layout.h. */
#ifndef ENM_CONSTANTS_H
#define ENM_CONSTANTS_H

/* Blocks that a new session has memory for (64 MiB of voxels): half an arch at 0.1 mm. It grows by half of itself when
 * only a quarter is free, more than any two frames were seen to add. */
#define BLOCKS_AT_START 16384u
#define BLOCKS_FREE_SHARE 4u
#define BLOCKS_GROWTH_PERCENT 150u
/* Old and new voxels stand on the device side by side up to here; beyond, the model moves by way of the host, so that
 * an arch peaks at the size it needs instead of at twice that. */
#define GROWTH_BYTES_ON_DEVICE ((uint64_t)160 << 20)

/* Bound on device memory when the caller states none, besides three quarters of the device. */
#define DEVICE_BYTES_DEFAULT ((uint64_t)4 << 30)

/* Cells of the grid in which a frame's missing blocks are flagged: 128 blocks cubed, 100 mm at 0.1 mm voxels. */
#define GRID_CELLS (1u << 21)

/* A frame with fewer readings than this share of its pixels says nothing. */
#define READINGS_MIN_SHARE 0.02

/* Pixels of a tile of the raycast's range picture. */
#define VIEW_TILE 8

#endif
