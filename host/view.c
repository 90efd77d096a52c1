/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "image.h"
#include "viewer.h"

struct view {
	viewer *window;
	const view_options *options;
	enm_session *session;
	host_status (*work)(void *user, view *v);
	void *user;
	bool warned;
	host_status status, screenshot_status;
	char text[1024]; /* of the work's failure, which was kept on the work's own thread */
};

bool view_is_built(void)
{
	return true;
}

static unsigned pictures; /* drawn; of the thread that owns the session */

static enm_result render(enm_session *session, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes)
{
	pictures++;
	return enm_session_render(session, def, out_rgba, out_bytes);
}

void view_tell(view *v, const enm_report *report)
{
	if (v)
		viewer_report(v->window, report);
}

bool view_frame(view *v, enm_session *session, const enm_report *report)
{
	if (!v)
		return false;
	const unsigned before = pictures;
	viewer_report(v->window, report);
	enm_result result = viewer_offer(v->window, session);
	if (result < 0 && !v->warned) {
		host_warn("viewer: %s", enm_last_error());
		v->warned = true;
	}
	return pictures != before;
}

static void *run_work(void *user)
{
	view *v = user;
	v->status = v->work(v->user, v);
	snprintf(v->text, sizeof v->text, "%s", host_error_text());
	if (v->status == HOST_OK || v->status == HOST_DATA) {
		viewer_end(v->window);
		viewer_serve(v->window, v->session);
	} else {
		viewer_close(v->window); /* else the failure would be told only when its user closes it */
	}
	return NULL;
}

static void keep_screenshot(void *user, const uint8_t *rgba, uint32_t width, uint32_t height)
{
	view *v = user;
	v->screenshot_status = image_write_color(v->options->screenshot, width, height, 4, rgba, IMAGE_SMALL);
	if (v->screenshot_status)
		host_warn("%s", host_error_text());
}

static host_status open_window(view *v)
{
	const view_options *o = v->options;
	viewer_def def = viewer_def_default();
	char reason[VIEWER_REASON_BYTES];
	def.title = "Enamel";
	def.render = render;
	def.shade = o->color ? ENM_SHADE_COLOR : ENM_SHADE_CLAY;
	def.frames_expected = o->frames_expected;
	def.stop = o->stop;
	def.exit_after_s = o->close_after_s;
	if (o->screenshot) {
		def.screenshot = keep_screenshot;
		def.screenshot_user = v;
	}
	switch (viewer_create(&def, &v->window, reason)) {
	case VIEWER_OK:
		return HOST_OK;
	case VIEWER_E_MEMORY:
		return host_fail_memory("the viewer");
	case VIEWER_E_ARGUMENT:
	case VIEWER_E_DISPLAY:
		break;
	}
	return host_fail(HOST_DEVICE, "--view: %s", reason);
}

host_status view_run(const view_options *o, enm_session *session, host_status (*work)(void *user, view *v), void *user)
{
	view v = {.options = o, .session = session, .work = work, .user = user};
	host_status status = open_window(&v);
	if (status) {
		host_warn("%s: going on without a window", host_error_text());
		return work(user, NULL);
	}
	pthread_t thread;
	int error = pthread_create(&thread, NULL, run_work, &v);
	if (error) {
		viewer_destroy(&v.window);
		return host_fail(HOST_IO, "cannot start the stitching thread: %s", strerror(error));
	}
	viewer_run(v.window);
	pthread_join(thread, NULL);
	viewer_destroy(&v.window);
	if (v.status)
		return host_fail(v.status, "%s", v.text);
	return v.screenshot_status ? host_fail(v.screenshot_status, "--view-screenshot: cannot be written") : HOST_OK;
}
