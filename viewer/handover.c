/* SPDX-License-Identifier: Apache-2.0
 * What other threads tell the viewer, and what the owner thread does for it. */
#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include "viewer_internal.h"

#define SERVE_S 0.25

bool viewer_closed(const viewer *v)
{
	return atomic_load(&v->exchange.closed);
}

void viewer_report(viewer *v, const enm_report *report)
{
	if (exchange_report(&v->exchange, report))
		glfwPostEmptyEvent();
}

void viewer_depth(viewer *v, const enm_frame *frame, const enm_camera *wand, double mm_per_unit)
{
	exchange_set_depth(&v->exchange, frame, wand, mm_per_unit);
}

void viewer_gaps(viewer *v, const enm_gap *gaps, size_t count)
{
	exchange_set_gaps(&v->exchange, gaps, count);
	glfwPostEmptyEvent();
}

void viewer_axes(viewer *v, const double right_front_up[9])
{
	exchange_set_axes(&v->exchange, right_front_up);
}

void viewer_say(viewer *v, const char *text)
{
	exchange_say(&v->exchange, text);
	glfwPostEmptyEvent();
}

void viewer_paused(viewer *v, bool paused)
{
	exchange_set_paused(&v->exchange, paused);
	glfwPostEmptyEvent();
}

void viewer_restart(viewer *v)
{
	exchange_restart(&v->exchange);
	glfwPostEmptyEvent();
}

enm_result viewer_offer(viewer *v, const viewer_source *source)
{
	bool made;
	enm_result result = owner_offer(&v->owner, v, &v->def, source, &made);
	if (made)
		glfwPostEmptyEvent();
	return result;
}

void viewer_idle(viewer *v, const viewer_source *source, double wait_s)
{
	enm_result shown_in_the_window = viewer_offer(v, source);
	(void)shown_in_the_window;
	owner_wait(&v->owner, wait_s);
}

const mark_list *viewer_marks(const viewer *v)
{
	return &v->owner.tools.marks;
}

void viewer_end(viewer *v)
{
	exchange_end(&v->exchange);
	glfwPostEmptyEvent();
}

void viewer_close(viewer *v)
{
	atomic_store(&v->exchange.leave, true);
	glfwPostEmptyEvent();
}

void viewer_serve(viewer *v, const viewer_source *source)
{
	while (!viewer_closed(v))
		viewer_idle(v, source, SERVE_S);
}
