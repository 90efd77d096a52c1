/* SPDX-License-Identifier: Apache-2.0
 *
 * What tracking says of where successive frames are from one another, which it saw against the whole model. It serves frames that are hardly compared, as when a
 * cheek fills the view: where there are enough comparisons they know better, since they know the depth residual that bent what was tracked. */
#include "global/refine.h"

#include <math.h>

#include "global/refine_matrix.h"
#include "pipeline/motion.h"

/* Of the usual number of samples compared, that a frame has less of. */
#define FEW_COMPARED 0.5
/* Tracking used the readings that are compared too, and the model was bent. Comparisons are more than a frame has independent readings (refine_terms.c), and so
 * this counts for a small part of what they say where there are as many as usual. */
#define SIGMAS 3.0

/* The covariance of a frame's pose as it was tracked, seen from its camera. */
static bool tracked_covariance(const store_frame *f, double *out)
{
	enm_k_track t = store_track(f);
	t.world_from_camera = f->as_tracked;
	return motion_covariance(&t, out);
}

/* out += a m a' */
static void add_turned(const double *a, const double *m, double *out)
{
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++)
			for (int k = 0; k < 6; k++)
				for (int l = 0; l < 6; l++)
					out[6 * i + j] += a[6 * i + k] * m[6 * k + l] * a[6 * j + l];
}

static void add_motion(const refine_run *run, uint32_t n, solve_system *system)
{
	const refine_node *a = &run->node[n], *b = a + 1;
	const store_frame *first = &run->store->frames[a->frame], *second = &run->store->frames[b->frame];
	double of_first[36], covariance[36], seen[36], information[36], off[6];
	if (a->out || b->out || first->chain != second->chain || !tracked_covariance(first, of_first) || !tracked_covariance(second, covariance))
		return;
	const rigid was = rigid_from_device(&first->as_tracked), is = rigid_from_device(&second->as_tracked);
	const rigid was_back = rigid_inverse(&was), told = rigid_after(&was_back, &is);
	const rigid first_back = rigid_inverse(&a->pose), now = rigid_after(&first_back, &b->pose), back = rigid_inverse(&now);
	solve_step_seen(&back, seen);
	add_turned(seen, of_first, covariance);
	for (int i = 0; i < 36; i++)
		covariance[i] *= SIGMAS * SIGMAS;
	rigid_step_between(&told, &now, off);
	if (matrix_invert(6, covariance, information))
		solve_add_motion(system, n, n + 1, seen, off, information);
}

void refine_add_motions(const refine_run *run, solve_system *system)
{
	double offered = 0.0;
	for (uint32_t n = 0; n < run->node_count; n++)
		offered += run->node[n].offered; /* nothing of those that are out */
	const double few = FEW_COMPARED * offered / fmax(refine_nodes_in(run), 1.0);
	for (uint32_t n = 0; n + 1 < run->node_count; n++)
		if (run->node[n].offered < few || run->node[n + 1].offered < few)
			add_motion(run, n, system);
}
