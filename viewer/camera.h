/* SPDX-License-Identifier: Apache-2.0
 * The viewpoint: an eye that looks at a pivot. Pure arithmetic; pixels are of the picture, y down. */
#ifndef ENM_VIEWER_CAMERA_H
#define ENM_VIEWER_CAMERA_H

#include "enamel.h"

typedef struct camera {
	double pivot_mm[3]; /* the point in the middle of the view, in world */
	double q_xyzw[4];   /* rotation of world_from_eye; the eye looks along +z, x right, y down */
	double distance_mm; /* from eye to pivot */
} camera;

typedef struct camera_box {
	double min_mm[3], max_mm[3];
} camera_box;

/* Looks along +z at the origin from a hand's breadth. */
camera camera_default(void);

enm_pose camera_world_from_eye(const camera *c);
double camera_focal_pixels(uint32_t width, uint32_t height);

/* Turns the model as if a ball that fills the picture were dragged from one point to the other. Points are relative to
 * the middle, with 1 being half of the smaller side. */
void camera_turn(camera *c, const double from[2], const double to[2]);

/* Moves the model by so many pixels. */
void camera_pan(camera *c, double dx, double dy, double focal_pixels);

/* Multiplies the distance; the point at `x`, `y` pixels from the middle stays where it is. */
void camera_zoom(camera *c, double factor, double x, double y, double focal_pixels);

/* Multiplies the distance from eye and pivot to a point of the world, which stays where it is in the picture. */
void camera_zoom_about(camera *c, double factor, const double world_mm[3]);

/* Moves the eye, without turning it, until the box fills the picture. */
void camera_frame(camera *c, const camera_box *box, uint32_t width, uint32_t height);

/* Turns the eye so that it looks against `eye` (unit, from the model to the eye) with `up` upward in the picture. */
void camera_look(camera *c, const double eye[3], const double up[3]);

/* Goes a share (0 to 1) of the way to `target`. */
void camera_approach(camera *c, const camera *target, double share);

/* True when no one could see the difference. */
bool camera_is_close(const camera *a, const camera *b);

#endif
