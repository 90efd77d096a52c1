/* SPDX-License-Identifier: Apache-2.0 */
#include "floor.h"

#include <math.h>

/* ---- layout: bytes ---- */

#define COLOR_BYTES 3.0 /* of a pixel */
#define MAP_BYTES 16.0  /* of a pixel in what depth makes of it */
#define RAY_BYTES 8.0   /* of a pixel */
#define TILE_BYTES 16.0
#define TILE_PIXELS 256.0
#define DISTANCE_BYTES 4.0 /* of a voxel: distance and weight, all that alignment reads */
#define LOOK_BYTES 4.0     /* of a voxel: colour and number of views */
#define BLOCK_VOXELS 512.0
#define SLOT_BYTES 8.0    /* of the block table */
#define KEY_BYTES 4.0     /* of a block */
#define LIST_BYTES 4.0    /* of a block in view */
#define CHUNK_BLOCKS 64.0 /* blocks that are judged together */
#define CHUNK_BYTES 40.0  /* of a chunk: its box 32, the bits of its blocks 8 */

/* ---- what a stage does to an element ---- */

#define DEPTH_WINDOW 25.0            /* readings that a pixel's fit takes */
#define DEPTH_WINDOW_OPERATIONS 16.0 /* a reading */
#define DEPTH_OPERATIONS 170.0       /* a pixel, beside its window: calibration, plane, quadratic, normal, weight */
#define TRACK_CORNERS 8.0            /* voxels that a sample reads */
#define TRACK_OPERATIONS 190.0       /* a sample: transform, cell, gradient, weight, products and their sums */
/* Share of the last level's samples that a step has on average: about half of the steps are on the level before, with
 * strides of 4 pixels to 2. */
#define TRACK_LEVEL_SHARE 0.625
#define ALLOCATE_STRIDE 2.0        /* pixels between those that ask for blocks */
#define ALLOCATE_LOOKUPS 4.0       /* a pixel that asks */
#define ALLOCATE_OPERATIONS 60.0   /* a pixel that asks: transform, places along the normal, hash */
#define CHUNK_OPERATIONS 60.0      /* a chunk of the model that is judged */
#define FUSE_LOOK_SHARE 0.5        /* of the voxels of a block in view: near the surface, so that their looks change */
#define FUSE_OPERATIONS 55.0       /* a voxel: projection, distance, weight, average */
#define FUSE_COLOR_OPERATIONS 15.0 /* a voxel, more */

/* ---- launches of a frame, copies included ---- */

#define UPLOAD_LAUNCHES 1.0
#define DEPTH_LAUNCHES 1.0
#define TRACK_LAUNCHES 30.0   /* prediction, 14 times sums and step, gate */
#define ALLOCATE_LAUNCHES 3.0 /* box, mark, number */
#define FUSE_LAUNCHES 3.0     /* select, list, integrate */

/* The reading is read from the host's memory and written to the device's. */
floor_stage floor_upload(const floor_work *w)
{
	return (floor_stage){
		.bytes = 2.0 * w->pixels * (w->raw_bytes + (w->color ? COLOR_BYTES : 0.0)),
		.launches = UPLOAD_LAUNCHES,
	};
}

floor_stage floor_depth(const floor_work *w)
{
	return (floor_stage){
		.bytes = w->pixels * (w->raw_bytes + RAY_BYTES + MAP_BYTES + TILE_BYTES / TILE_PIXELS),
		.operations = w->pixels * (DEPTH_WINDOW * DEPTH_WINDOW_OPERATIONS + DEPTH_OPERATIONS),
		.launches = DEPTH_LAUNCHES,
	};
}

floor_stage floor_track(const floor_work *w)
{
	const double offered = TRACK_LEVEL_SHARE * w->samples * w->iterations;
	return (floor_stage){
		.bytes = offered * (MAP_BYTES + RAY_BYTES + SLOT_BYTES + TRACK_CORNERS * DISTANCE_BYTES),
		.operations = offered * TRACK_OPERATIONS,
		.launches = TRACK_LAUNCHES,
	};
}

floor_stage floor_allocate(const floor_work *w)
{
	const double asking = w->pixels / (ALLOCATE_STRIDE * ALLOCATE_STRIDE);
	return (floor_stage){
		.bytes = asking * (MAP_BYTES + RAY_BYTES + ALLOCATE_LOOKUPS * SLOT_BYTES) +
			 w->blocks_added * (SLOT_BYTES + KEY_BYTES),
		.operations = asking * ALLOCATE_OPERATIONS,
		.launches = ALLOCATE_LAUNCHES,
	};
}

/* Every voxel of a block in view is written and, where the block is not new, read; every pixel is read once. Of the
 * rest of the model the chunks are judged. */
floor_stage floor_fuse(const floor_work *w)
{
	const double chunks = w->blocks_used / CHUNK_BLOCKS, voxels = w->blocks_in_view * BLOCK_VOXELS;
	const double read = fmax(voxels - w->blocks_added * BLOCK_VOXELS, 0.0);
	return (floor_stage){
		.bytes = (voxels + read) * (DISTANCE_BYTES + FUSE_LOOK_SHARE * LOOK_BYTES) +
			 w->pixels * (MAP_BYTES + (w->color ? COLOR_BYTES : 0.0)) + chunks * CHUNK_BYTES +
			 w->blocks_in_view * (KEY_BYTES + 2.0 * LIST_BYTES),
		.operations = voxels * (FUSE_OPERATIONS + (w->color ? FUSE_COLOR_OPERATIONS : 0.0)) +
			      chunks * CHUNK_OPERATIONS,
		.launches = FUSE_LAUNCHES,
	};
}

bool floor_of(enm_stage stage, const floor_work *w, floor_stage *out)
{
	switch (stage) {
	case ENM_STAGE_UPLOAD:
		*out = floor_upload(w);
		return true;
	case ENM_STAGE_DEPTH:
		*out = floor_depth(w);
		return true;
	case ENM_STAGE_TRACK:
		*out = floor_track(w);
		return true;
	case ENM_STAGE_ALLOCATE:
		*out = floor_allocate(w);
		return true;
	case ENM_STAGE_FUSE:
		*out = floor_fuse(w);
		return true;
	case ENM_STAGE_VIEW:
	case ENM_STAGE_COUNT:
		break;
	}
	return false;
}

double floor_ms(const floor_stage *s, double copy_bytes_s, double launch_ms)
{
	return 1e3 * s->bytes / copy_bytes_s + s->launches * launch_ms;
}
