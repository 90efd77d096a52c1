/* SPDX-License-Identifier: Apache-2.0
 * The layouts behind dataset.h. Only the dataset_*.c files include it, and those who list frames as they come. All return HOST_USAGE with one line. */
#ifndef ENM_HOST_DATASET_LAYOUT_H
#define ENM_HOST_DATASET_LAYOUT_H

#include "dataset.h"

/* Adds a frame without colour; `capacity` counts the places of d->frames. */
host_status dataset_add_frame(dataset *d, size_t *capacity, double time_s, const char *depth);

/* depth.txt, and rgb.txt where there is one: colour goes to the depth frame nearest in time within 0.02 s. */
host_status dataset_read_lists(dataset *d);

/* The frame-NNNNNN.* files, in the order of their numbers. */
host_status dataset_read_scenes(dataset *d);
host_status dataset_read_scenes_truth(const dataset *d, trajectory *out);

/* The number in "frame-NNNNNN.depth.png", or -1 for any other name. */
long dataset_scenes_number(const char *name);

/* The frames and the camera of a recording. */
host_status dataset_open_recording(dataset *d, const char *camera_path);
void dataset_load_recorded(const dataset *d, size_t index, uint16_t *out_depth, uint8_t *out_rgb, dataset_reading *out);
host_status dataset_read_recorded_truth(const dataset *d, trajectory *out);

/* Fills d->camera from --camera, the folder's own file, or what is published for the layout. */
host_status dataset_find_camera(dataset *d, const char *camera_path);

#endif
