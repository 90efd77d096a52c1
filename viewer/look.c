/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include <string.h>

#include "vector.h"

#define BEFORE_EYE_MM 1e-3

bool look_is_same(const look *a, const look *b)
{
	return !memcmp(&a->from, &b->from, sizeof a->from) && a->shade == b->shade && a->orthographic == b->orthographic &&
	       a->cut == b->cut && a->hidden == b->hidden &&
	       (!a->cut || (!memcmp(a->cut_normal, b->cut_normal, sizeof a->cut_normal) && a->cut_mm == b->cut_mm));
}

double look_pixels_per_mm(const look *l, uint32_t width, uint32_t height)
{
	return camera_focal_pixels(width, height) / l->from.distance_mm;
}

/* How far the eye of a picture without perspective goes back: behind the farthest corner that the box can have. */
static double step_back(const look *l, const camera_box *box)
{
	double far2 = 0.0;
	for (int k = 0; box && k < 3; k++) {
		double off = fmax(fabs(box->min_mm[k] - l->from.pivot_mm[k]), fabs(box->max_mm[k] - l->from.pivot_mm[k]));
		far2 += off * off;
	}
	return fmax(sqrt(far2) - l->from.distance_mm, 0.0);
}

enm_view_def look_view(const look *l, uint32_t width, uint32_t height, const camera_box *box)
{
	enm_view_def view = enm_view_def_default(width, height);
	camera eye = l->from;
	if (l->orthographic)
		eye.distance_mm += step_back(l, box);
	view.world_from_eye = camera_world_from_eye(&eye);
	view.orthographic = l->orthographic;
	view.focal_pixels = l->orthographic ? look_pixels_per_mm(l, width, height) : camera_focal_pixels(width, height);
	view.shade = l->shade;
	view.cut = l->cut;
	if (l->cut) {
		memcpy(view.cut_normal, l->cut_normal, sizeof view.cut_normal);
		view.cut_mm = l->cut_mm;
	}
	/* Black where there is no model: the colours are then premultiplied, also after they were interpolated. */
	memset(view.background_rgb, 0, sizeof view.background_rgb);
	return view;
}

bool look_project(const look *l, uint32_t width, uint32_t height, const double world_mm[3], double out_pixel[2])
{
	enm_pose pose = camera_world_from_eye(&l->from);
	double to[3], eye[3];
	vector_combine(1.0, world_mm, -1.0, pose.t_mm, to);
	quaternion_rotate_back(pose.q_xyzw, to, eye);
	double scale = look_pixels_per_mm(l, width, height);
	if (!l->orthographic) {
		if (eye[2] < BEFORE_EYE_MM)
			return false;
		scale = camera_focal_pixels(width, height) / eye[2];
	}
	out_pixel[0] = 0.5 * ((double)width - 1.0) + scale * eye[0];
	out_pixel[1] = 0.5 * ((double)height - 1.0) + scale * eye[1];
	return true;
}
