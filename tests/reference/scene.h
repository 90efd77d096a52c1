/* SPDX-License-Identifier: Apache-2.0
 *
 * Scenes given by a formula, and the camera that looks at them, in double precision: what tests know to be true. Knows
 * the engine's public types and nothing else of it. */
#ifndef ENM_REFERENCE_SCENE_H
#define ENM_REFERENCE_SCENE_H

#include "enamel.h"

/* A pose as a matrix; the rotation row-major. */
typedef struct ref_pose {
	double r[9], t[3];
} ref_pose;

ref_pose ref_pose_from(const enm_pose *pose);
/* Of a rotation vector (rad) and a translation. */
enm_pose ref_pose_make(double wx, double wy, double wz, double tx, double ty, double tz);
void ref_pose_apply(const ref_pose *pose, const double p[3], double out[3]);
void ref_pose_apply_back(const ref_pose *pose, const double p[3], double out[3]);
void ref_pose_rotate(const ref_pose *pose, const double v[3], double out[3]);
/* a after b, and how far two poses are apart. */
ref_pose ref_pose_multiply(const ref_pose *a, const ref_pose *b);
double ref_pose_angle(const ref_pose *a, const ref_pose *b);
double ref_pose_shift(const ref_pose *a, const ref_pose *b);

double ref_dot(const double a[3], const double b[3]);
void ref_cross(const double a[3], const double b[3], double out[3]);
double ref_length(const double a[3]);

typedef enum ref_shape {
	REF_PLANE,  /* a b c d: a x + b y + c z = d, (a b c) of unit length and outward */
	REF_SPHERE, /* a b c: centre; d: radius */
	REF_CYLINDER, /* a c: x and z of the axis, which runs along y; d: radius */
	REF_CORNER, /* a b c: tip of a cube's corner that points to -z; d: yaw of the cube (rad) */
	REF_BUMPS   /* the height z = a + b (sin(c x) cos(d y) + ...), solid above in z, seen from -z */
} ref_shape;

typedef struct ref_scene {
	ref_shape shape;
	double a, b, c, d;
} ref_scene;

/* Signed distance in mm, positive outside; to first order for the bumps, and inexact outside the corner's edges. */
double ref_scene_distance(const ref_scene *scene, const double p[3]);
void ref_scene_normal(const ref_scene *scene, const double p[3], double out[3]);

/* Pixel of a point in the camera's frame, and the point on z = 1 that a pixel sees. */
void ref_project(const enm_camera *camera, const double p[3], double out_pixel[2]);
void ref_ray(const enm_camera *camera, double px, double py, double out_xy[2]);

/* Depth in mm of each pixel; 0 where the ray leaves without a hit before `far_mm`. */
void ref_scene_render(const ref_scene *scene, const enm_camera *camera, const enm_pose *world_from_camera,
	double far_mm, float *out_depth);

/* The same with a pose for each row, in `world_from_camera[height]`: rows exposed one after the other. */
void ref_scene_render_rows(const ref_scene *scene, const enm_camera *camera, const enm_pose *world_from_camera,
	double far_mm, float *out_depth);

#endif
