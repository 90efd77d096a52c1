/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "quality.h"
#include "scan_gaps.h"
#include "view_drawing.h"

#define PAUSE_LOOK_S 0.1     /* between looks at the wish to stop */
#define GAP_LEAST_MM 1.5     /* border of the smallest gap that is marked on a model */
#define KEPT_MAX 999

struct view {
	viewer *window;
	const view_options *options;
	enm_session *session;
	viewer_source source; /* of the session */
	view_drawing drawing; /* what is shown once the work is done */
	scan_gaps *gaps;      /* of the session; NULL: not looked for */
	host_status (*work)(void *user, view *v);
	void *user;
	bool warned, paused, renew;
	unsigned pictures; /* drawn of the session */
	double pixels;     /* of all of them */
	host_status status, screenshot_status;
	char text[1024]; /* of the work's failure, which was kept on the work's own thread */
};

bool view_is_built(void)
{
	return true;
}

/* ---- events, on the work's thread ---- */

static void save_marks(view *v)
{
	const mark_list *list = viewer_marks(v->window);
	if (!v->options->marks || !v->drawing.models.count)
		return;
	host_status status = marks_file_write(v->options->marks, &v->drawing.models, list);
	if (status)
		viewer_say(v->window, host_error_text());
}

/* "scan.ply" becomes "scan-kept-1.ply", with the first number that is free. */
static host_status find_name(const char *beside, char out[FILE_PATH_MAX])
{
	const char *dot = strrchr(beside, '.');
	int stem = dot && dot > path_base(beside) ? (int)(dot - beside) : (int)strlen(beside);
	for (int n = 1; n <= KEPT_MAX; n++) {
		int length = snprintf(out, FILE_PATH_MAX, "%.*s-kept-%d%s", stem, beside, n, beside + stem);
		if (length < 0 || length >= FILE_PATH_MAX)
			return host_fail_file(HOST_USAGE, beside, "the path is too long");
		if (!file_exists(out))
			return HOST_OK;
	}
	return host_fail_file(HOST_IO, beside, "%d models are kept beside it already", KEPT_MAX);
}

static host_status keep_model(view *v, char out_path[FILE_PATH_MAX])
{
	const enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	host_status status = find_name(v->options->keep, out_path);
	if (status)
		return status;
	enm_result result = enm_session_mesh(v->session, &def, &mesh);
	if (result == ENM_EMPTY)
		status = host_fail(HOST_DATA, "there is no surface yet to be kept");
	else if (result >= 0)
		result = enm_mesh_save(mesh, out_path, v->options->mm_per_unit > 0.0 ? v->options->mm_per_unit : 1.0);
	if (result < 0)
		status = host_fail_result(result, enm_last_error());
	enm_mesh_destroy(&mesh);
	return status;
}

static void keep(view *v)
{
	char path[FILE_PATH_MAX], text[FILE_PATH_MAX + 64];
	if (keep_model(v, path))
		snprintf(text, sizeof text, "not kept: %s", host_error_text());
	else
		snprintf(text, sizeof text, "kept as %s", path_base(path));
	viewer_say(v->window, text);
	host_say("%s", text);
}

static void on_event(void *user, viewer *window, viewer_event event)
{
	view *v = user;
	switch (event) {
	case VIEWER_EVENT_PAUSE:
		v->paused = !v->paused;
		viewer_paused(window, v->paused);
		break;
	case VIEWER_EVENT_KEEP:
		keep(v);
		break;
	case VIEWER_EVENT_MARKS:
		save_marks(v);
		break;
	case VIEWER_EVENT_NEW_SCAN:
		v->renew = true;
		break;
	}
}

/* ---- frames ---- */

static enm_result render(void *object, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes)
{
	view *v = object;
	v->pictures++;
	v->pixels += (double)def->width * def->height;
	return enm_session_render(v->session, def, out_rgba, out_bytes);
}

static enm_result bounds(void *object, double out_min_mm[3], double out_max_mm[3])
{
	return enm_session_bounds(((view *)object)->session, out_min_mm, out_max_mm);
}

static enm_result pick(void *object, const enm_view_def *def, double x, double y, enm_hit *out_hit)
{
	return enm_session_pick(((view *)object)->session, def, x, y, out_hit);
}

static void offer(view *v)
{
	enm_result result = viewer_offer(v->window, &v->source);
	if (result < 0 && !v->warned) {
		host_warn("viewer: %s", enm_last_error());
		v->warned = true;
	}
}

static void show_gaps(void *user, const enm_gap *gaps, size_t count)
{
	viewer_gaps(((view *)user)->window, gaps, count);
}

/* What cannot be had is a warning: the scan can go on without. */
static void follow_gaps(view *v)
{
	if (!v->gaps || viewer_closed(v->window))
		return;
	if (scan_gaps_follow(v->gaps, v->session, v->options->scan->voxel_mm))
		host_warn("gaps: %s", host_error_text());
}

static void begin_gaps(view *v)
{
	if (v->options->scan && scan_gaps_create(show_gaps, v, &v->gaps))
		host_warn("gaps: %s", host_error_text());
}

void view_tell(view *v, const enm_report *report)
{
	if (v)
		viewer_report(v->window, report);
}

double view_pixels(const view *v)
{
	return v && v->pictures ? v->pixels / v->pictures : 0.0;
}

bool view_is_over(const view *v)
{
	return v && v->options->only && viewer_closed(v->window);
}

void view_depth(view *v, const enm_frame *frame)
{
	if (v && v->options->scan)
		viewer_depth(v->window, frame, &v->options->scan->camera, v->options->scan->depth_mm_per_unit);
}

bool view_frame(view *v, enm_session *session, const enm_report *report)
{
	if (!v)
		return false;
	v->session = session; /* a live scan may have begun another than that of view_run */
	const unsigned before = v->pictures;
	viewer_report(v->window, report);
	follow_gaps(v);
	offer(v);
	if (v->options->goes_on)
		return v->pictures != before;
	while (v->paused && !viewer_closed(v->window) && !*v->options->stop)
		viewer_idle(v->window, &v->source, PAUSE_LOOK_S);
	if (v->paused)
		viewer_paused(v->window, v->paused = false);
	return v->pictures != before;
}

bool view_waits(view *v)
{
	if (!v || !v->paused)
		return false;
	offer(v);
	if (viewer_closed(v->window))
		viewer_paused(v->window, v->paused = false);
	return v->paused;
}

bool view_wants_new(view *v)
{
	const bool wanted = v && v->renew && !viewer_closed(v->window);
	if (wanted)
		v->renew = false;
	return wanted;
}

void view_restart(view *v)
{
	if (!v)
		return;
	offer(v); /* what was asked since is about the scan that ends */
	scan_gaps_destroy(&v->gaps);
	begin_gaps(v);
	v->session = NULL;
	v->renew = v->paused = v->warned = false;
	v->pictures = 0;
	v->pixels = 0.0;
	viewer_paused(v->window, false);
	viewer_restart(v->window);
}

void view_say(view *v, const char *text)
{
	if (v)
		viewer_say(v->window, text);
}

/* ---- the window ---- */

/* The surface of the finished scan, where it can be had; else the session goes on being drawn. */
static void take_surface(view *v)
{
	const view_options *o = v->options;
	if (!o->context || !v->session || viewer_closed(v->window))
		return;
	if (view_drawing_of_session(o->context, v->session, o->keep ? o->keep : "the scan", &v->drawing)) {
		host_warn("%s: no measuring on the surface", host_error_text());
		view_drawing_free(&v->drawing);
		return;
	}
	if (!v->drawing.drawing)
		return;
	view_drawing_describe(&v->drawing, v->window, o->scan ? QUALITY_GAP_MIN_VOXELS * o->scan->voxel_mm : GAP_LEAST_MM);
	if (viewer_marks(v->window)->count)
		save_marks(v);
}

static void *run_work(void *user)
{
	view *v = user;
	begin_gaps(v);
	v->status = v->work ? v->work(v->user, v) : HOST_OK;
	scan_gaps_destroy(&v->gaps);
	snprintf(v->text, sizeof v->text, "%s", host_error_text());
	if ((v->status == HOST_OK || v->status == HOST_DATA) && (v->session || v->drawing.drawing)) {
		take_surface(v);
		viewer_end(v->window);
		viewer_serve(v->window, v->drawing.drawing ? &v->drawing.source : &v->source);
	} else {
		viewer_close(v->window); /* nothing is there to be seen, and a failure would be told only when its user closes it */
	}
	return NULL;
}

static const char *option_of(const view_options *o)
{
	return o->option ? o->option : "--view";
}

static void keep_screenshot(void *user, const uint8_t *rgba, uint32_t width, uint32_t height)
{
	view *v = user;
	v->screenshot_status = image_write_color(v->options->screenshot, width, height, 4, rgba, IMAGE_SMALL);
	if (v->screenshot_status)
		host_warn("%s", host_error_text());
}

static void define_scan(const view_options *o, viewer_def *def)
{
	def->scan = o->scan != NULL;
	if (!o->scan)
		return;
	def->wand = o->scan->camera;
	def->working_mm[0] = o->scan->depth_min_mm;
	def->working_mm[1] = o->scan->depth_max_mm;
	def->follow = VIEWER_FOLLOW_WAND;
}

static viewer_def define(view *v, const mark_list *marks)
{
	const view_options *o = v->options;
	viewer_def def = viewer_def_default();
	def.title = v->drawing.models.count ? path_base(v->drawing.models.models[0].file) : "Enamel";
	def.shade = o->shade ? *o->shade : o->color ? ENM_SHADE_COLOR : ENM_SHADE_CLAY;
	def.orthographic = o->orthographic;
	def.light = o->light;
	def.frames_expected = o->frames_expected;
	def.stop = o->stop;
	def.exit_after_s = o->close_after_s;
	define_scan(o, &def);
	if (o->size[0]) {
		def.width = o->size[0];
		def.height = o->size[1];
	}
	if (o->screenshot) {
		def.screenshot = keep_screenshot;
		def.screenshot_user = v;
	}
	def.on_event = on_event;
	def.event_user = v;
	def.events = VIEWER_EVENT_MARKS | (o->pausable ? VIEWER_EVENT_PAUSE : 0u) | (o->renewable ? VIEWER_EVENT_NEW_SCAN : 0u) |
		      (o->keep && v->session ? VIEWER_EVENT_KEEP : 0u);
	def.marks = marks;
	return def;
}

static host_status open_window(view *v, const mark_list *marks)
{
	char reason[VIEWER_REASON_BYTES];
	const viewer_def def = define(v, marks);
	switch (viewer_create(&def, &v->window, reason)) {
	case VIEWER_OK:
		return HOST_OK;
	case VIEWER_E_MEMORY:
		return host_fail_memory("the viewer");
	case VIEWER_E_ARGUMENT:
	case VIEWER_E_DISPLAY:
		break;
	}
	return host_fail(HOST_DEVICE, "%s: %s", option_of(v->options), reason);
}

/* The window, with the work beside it. Where one of the two cannot be had, neither is there and nothing was done. */
static host_status begin(view *v, const mark_list *marks, pthread_t *out_thread)
{
	host_status status = open_window(v, marks);
	const int error = status ? 0 : pthread_create(out_thread, NULL, run_work, v);
	if (!error)
		return status;
	viewer_destroy(&v->window);
	return host_fail(HOST_IO, "%s: cannot start a thread: %s", option_of(v->options), strerror(error));
}

static host_status run_window(view *v, pthread_t thread)
{
	viewer_run(v->window);
	const char *lost = viewer_lost(v->window);
	if (lost && !v->options->only)
		host_warn("%s: %s: going on without a window", option_of(v->options), lost);
	pthread_join(thread, NULL);
	viewer_destroy(&v->window);
	if (v->status)
		return host_fail(v->status, "%s", v->text);
	if (lost && v->options->only)
		return host_fail(HOST_DEVICE, "%s: %s", option_of(v->options), lost);
	return v->screenshot_status ? host_fail(v->screenshot_status, "the screenshot cannot be written") : HOST_OK;
}

host_status view_run(const view_options *o, enm_session *session, host_status (*work)(void *user, view *v), void *user)
{
	pthread_t thread;
	view *v = calloc(1, sizeof *v);
	host_status status = v ? HOST_OK : host_fail_memory("the viewer");
	if (v) {
		*v = (view){.options = o, .session = session, .work = work, .user = user};
		v->source = (viewer_source){.object = v, .render = render, .bounds = bounds, .pick = pick};
		status = begin(v, NULL, &thread);
	}
	if (status && o->only) {
		free(v);
		return status;
	}
	if (status) {
		host_warn("%s: going on without a window", host_error_text());
		free(v);
		return work(user, NULL);
	}
	status = run_window(v, thread);
	view_drawing_free(&v->drawing);
	free(v);
	return status;
}

/* ---- models ---- */

static host_status describe(void *user, view *v)
{
	(void)user;
	view_drawing_describe(&v->drawing, v->window, GAP_LEAST_MM);
	return HOST_OK;
}

static host_status check_shade(const view *v)
{
	const viewer_source *s = &v->drawing.source;
	for (uint32_t b = 0; v->options->shade && b < s->body_count; b++) {
		bool has = false;
		enm_result result = enm_drawing_has(v->drawing.drawing, s->bodies[b].id, *v->options->shade, &has);
		if (result < 0)
			return host_fail_result(result, enm_last_error());
		if (!has)
			return host_fail_file(HOST_USAGE, v->drawing.models.models[b].file, "has no values for this --shade");
	}
	return HOST_OK;
}

host_status view_models(const view_options *o, const view_model *models, size_t count)
{
	pthread_t thread;
	view *v = calloc(1, sizeof *v);
	mark_list marks = {0};
	if (!v)
		return host_fail_memory("the viewer");
	*v = (view){.options = o, .work = describe};
	host_status status = view_drawing_make(o->context, models, count, &v->drawing);
	if (!status)
		status = check_shade(v);
	if (!status && o->marks && file_exists(o->marks))
		status = marks_file_read(o->marks, &v->drawing.models, &marks);
	if (!status)
		status = begin(v, &marks, &thread);
	if (!status)
		status = run_window(v, thread);
	view_drawing_free(&v->drawing);
	free(marks.entries);
	free(v);
	return status;
}
