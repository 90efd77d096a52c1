/* SPDX-License-Identifier: Apache-2.0 */
#include "seen.h"

#include "parallel.h"

#include <math.h>
#include <stdlib.h>

/* Frames whose depth pictures are in memory at a time. */
enum { BATCH = 16 };

typedef struct look_frame {
	const view_frame *frame;
	rigid camera_from_world;
	uint16_t *depth;
	bool readable;
} look_frame;

typedef struct look {
	samples *samples;
	const surface *truth;
	const viewing *view;
	uint8_t *in_view, *saw; /* per sample: how many frames, up to SEEN_FRAMES_MIN */
	look_frame batch[BATCH];
	size_t batch_count;
} look;

/* OpenCV's lens model: the pixel nearest to a point given in camera axes. False when it is outside the picture. */
static bool pixel_of(const enm_camera *c, const double q[3], size_t *out_pixel)
{
	const double *k = c->distortion;
	const double x = q[0] / q[2], y = q[1] / q[2], r2 = x * x + y * y;
	const double radial = 1 + r2 * (k[0] + r2 * (k[1] + r2 * k[4]));
	const double u = c->fx * (x * radial + 2 * k[2] * x * y + k[3] * (r2 + 2 * x * x)) + c->cx;
	const double v = c->fy * (y * radial + k[2] * (r2 + 2 * y * y) + 2 * k[3] * x * y) + c->cy;
	if (!(u >= -0.5 && v >= -0.5 && u < c->width - 0.5 && v < c->height - 0.5))
		return false;
	*out_pixel = (size_t)(v + 0.5) * c->width + (size_t)(u + 0.5);
	return true;
}

static bool has_reading(const look *l, const look_frame *f, size_t pixel, double depth_mm)
{
	if (!f->readable || f->depth[pixel] == 0)
		return false;
	const double reading_mm = f->depth[pixel] * l->view->depth_mm_per_unit;
	return fabs(reading_mm - depth_mm) <= fmax(SEEN_AGREES_MM, SEEN_AGREES_SHARE * depth_mm);
}

/* Counts what one frame makes of a sample. The ray comes last, and only where it can change something. */
static void look_at(look *l, const look_frame *f, size_t sample)
{
	const double *p = l->samples->points[sample], *eye = f->frame->world_from_camera.t;
	double q[3], ray[3];
	size_t pixel;
	rigid_point(&f->camera_from_world, p, q);
	if (!(q[2] >= l->view->depth_min_mm && q[2] <= l->view->depth_max_mm))
		return;
	if (!pixel_of(&l->view->camera, q, &pixel))
		return;
	vec_sub(eye, p, ray);
	if (!(fabs(vec_dot(ray, l->samples->normals[sample])) > SEEN_COSINE_MIN * vec_length(ray)))
		return;
	const bool reading = has_reading(l, f, pixel, q[2]), enough = l->in_view[sample] == SEEN_FRAMES_MIN;
	if ((enough && !reading) || surface_blocks(l->truth, p, eye, 1e-4 * l->truth->size_mm))
		return;
	if (!enough)
		l->in_view[sample]++;
	if (reading)
		l->saw[sample]++;
}

static void look_at_samples(void *user, size_t first, size_t last)
{
	look *l = user;
	for (size_t i = first; i < last; i++)
		for (size_t f = 0; f < l->batch_count && l->saw[i] < SEEN_FRAMES_MIN; f++)
			look_at(l, &l->batch[f], i);
}

static void read_frames(void *user, size_t first, size_t last)
{
	look *l = user;
	for (size_t i = first; i < last; i++) {
		look_frame *f = &l->batch[i];
		f->camera_from_world = rigid_inverse(&f->frame->world_from_camera);
		f->readable = l->view->read_depth(l->view->user, f->frame->index, f->depth);
	}
}

static void look_by_frames(look *l, seen_frames *out)
{
	const viewing *v = l->view;
	for (size_t first = 0; first < out->used; first += BATCH) {
		l->batch_count = out->used - first < BATCH ? out->used - first : BATCH;
		for (size_t i = 0; i < l->batch_count; i++)
			l->batch[i].frame = &v->frames[(uint64_t)(first + i) * v->frame_count / out->used];
		parallel_for(l->batch_count, read_frames, l);
		for (size_t i = 0; i < l->batch_count; i++)
			out->unread += l->batch[i].readable ? 0 : 1;
		parallel_for(l->samples->count, look_at_samples, l);
	}
}

static void mark(const look *l)
{
	samples *s = l->samples;
	s->seen_count = s->in_view_count = 0;
	for (size_t i = 0; i < s->count; i++) {
		s->in_view[i] = l->in_view[i] >= SEEN_FRAMES_MIN;
		s->seen[i] = l->saw[i] >= SEEN_FRAMES_MIN;
		s->in_view_count += s->in_view[i] ? 1 : 0;
		s->seen_count += s->seen[i] ? 1 : 0;
	}
}

host_status samples_mark_seen(samples *s, const surface *truth, const viewing *v, seen_frames *out)
{
	look l = {.samples = s, .truth = truth, .view = v};
	const size_t pixels = (size_t)v->camera.width * v->camera.height;
	uint16_t *depth = malloc((pixels * BATCH + 1) * sizeof(uint16_t));
	l.in_view = calloc(s->count + 1, 1);
	l.saw = calloc(s->count + 1, 1);
	host_status status = HOST_OK;
	*out = (seen_frames){.used = v->frame_count < SEEN_FRAMES_USED_MAX ? v->frame_count : SEEN_FRAMES_USED_MAX};
	if (depth == NULL || l.in_view == NULL || l.saw == NULL) {
		status = host_fail_memory("the true frames");
	} else {
		for (size_t i = 0; i < BATCH; i++)
			l.batch[i].depth = depth + i * pixels;
		look_by_frames(&l, out);
		mark(&l);
	}
	free(depth);
	free(l.in_view);
	free(l.saw);
	return status;
}
