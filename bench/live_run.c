/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "clock.h"

#define POLL_S 0.0005 /* between looks while nothing is due */

/* A run under way. */
typedef struct stream {
	enm_session *session;
	const enm_surface_def *follow;
	live_run *run;
	live_keep keep;
	double *reported_s; /* when each frame's report was in hand */
	bool *fused;
	uint64_t reports, shown; /* frames reported; frames that the surface holds */
} stream;

static double cpu_s(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static host_status take_reports(stream *s)
{
	enm_report report;
	enm_result result;
	while ((result = enm_session_next_report(s->session, &report)) == ENM_OK) {
		s->reported_s[s->reports] = clock_s();
		s->fused[s->reports] = report.fused;
		s->run->frame_ms[s->reports++] = (double)report.latency_ms;
	}
	return host_fail_result(result, enm_last_error());
}

/* Frames that the surface holds now, and did not before. */
static void count_shown(stream *s)
{
	const double now = clock_s();
	for (; s->shown < s->keep.frames_complete; s->shown++)
		if (s->shown >= s->reports) /* shown before its report was looked at */
			s->run->behind_ms[s->run->behind_count++] = 0.0;
		else if (s->fused[s->shown])
			s->run->behind_ms[s->run->behind_count++] = 1e3 * (now - s->reported_s[s->shown]);
}

static host_status take_update(stream *s)
{
	enm_surface *surface = NULL;
	enm_surface_data data;
	host_status status = HOST_OK;
	enm_result result = enm_session_surface_update(s->session, s->follow, &surface);
	if (result < 0)
		return host_fail_result(result, enm_last_error());
	if (result == ENM_EMPTY)
		return HOST_OK;
	s->run->updates++;
	s->run->full += result == ENM_FULL;
	if (enm_surface_get(surface, &data) != ENM_OK)
		status = host_fail(HOST_DEVICE, "enm_surface_get: %s", enm_last_error());
	if (!status)
		status = live_keep_take(&s->keep, &data);
	if (!status)
		count_shown(s);
	enm_surface_destroy(&surface);
	return status;
}

static host_status look(stream *s)
{
	host_status status = take_reports(s);
	return status || !s->follow ? status : take_update(s);
}

static host_status wait_until(stream *s, double due_s)
{
	host_status status = look(s);
	for (double left = due_s - clock_s(); !status && left > 0.0; left = due_s - clock_s()) {
		const struct timespec nap = {0, (long)(1e9 * fmin(left, POLL_S))};
		nanosleep(&nap, NULL);
		status = look(s);
	}
	return status;
}

static host_status push_all(stream *s, const frames_input *in, double rate)
{
	const double begin_s = clock_s(), begin_cpu_s = cpu_s();
	host_status status = HOST_OK;
	for (size_t i = 0; i < in->count && !status; i++) {
		const enm_frame frame = {.depth = in->depth + i * in->pixels,
			.color_rgb = in->rgb && in->has_color[i] ? in->rgb + 3 * i * in->pixels : NULL,
			.time_ns = in->time_ns[i]};
		if (rate > 0.0)
			status = wait_until(s, begin_s + (double)i / rate);
		if (!status && enm_session_push(s->session, &frame, NULL) < 0)
			status = host_fail(HOST_DEVICE, "enm_session_push: %s", enm_last_error());
		if (!status)
			status = look(s);
	}
	while (!status && s->reports < in->count)
		status = wait_until(s, clock_s() + POLL_S);
	s->run->wall_s = clock_s() - begin_s;
	s->run->cpu_s = cpu_s() - begin_cpu_s;
	while (!status && s->follow && s->shown < in->count)
		status = wait_until(s, clock_s() + POLL_S);
	return status;
}

static host_status check_mesh(stream *s)
{
	enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	enm_mesh_data data;
	def.views_min = s->follow->views_min;
	def.island_triangles_min = 0;
	if (enm_session_mesh(s->session, &def, &mesh) < 0 || enm_mesh_get(mesh, &data) != ENM_OK)
		return host_fail(HOST_DEVICE, "enm_session_mesh: %s", enm_last_error());
	s->run->same = live_keep_is_mesh(&s->keep, &data);
	enm_mesh_destroy(&mesh);
	return HOST_OK;
}

static host_status allocate(stream *s, size_t frames)
{
	s->reported_s = calloc(frames, sizeof(*s->reported_s));
	s->fused = calloc(frames, sizeof(*s->fused));
	s->run->frame_ms = calloc(frames, sizeof(*s->run->frame_ms));
	s->run->behind_ms = calloc(frames, sizeof(*s->run->behind_ms));
	bool good = s->reported_s && s->fused && s->run->frame_ms && s->run->behind_ms;
	return good ? HOST_OK : host_fail_memory("a run");
}

host_status live_run_once(enm_context *context, const frames_input *in, double rate, const enm_surface_def *follow,
	bool check, live_run *out)
{
	memset(out, 0, sizeof(*out));
	stream s = {.follow = follow, .run = out, .keep = {.hashed = check}};
	enm_session_stats stats;
	host_status status = allocate(&s, in->count);
	if (!status && enm_session_create(context, &in->def, &s.session) != ENM_OK)
		status = host_fail(HOST_DEVICE, "enm_session_create: %s", enm_last_error());
	if (!status)
		status = push_all(&s, in, rate);
	if (!status && enm_session_get_stats(s.session, &stats) != ENM_OK)
		status = host_fail(HOST_DEVICE, "enm_session_get_stats: %s", enm_last_error());
	if (!status) {
		out->device_bytes = stats.device_bytes;
		out->bytes_peak = s.keep.bytes_peak;
		out->update_bytes_peak = s.keep.update_bytes_peak;
		out->patches = s.keep.blocks;
	}
	if (!status && check)
		status = check_mesh(&s);
	enm_session_destroy(&s.session);
	live_keep_free(&s.keep);
	free(s.reported_s);
	free(s.fused);
	if (status)
		live_run_free(out);
	return status;
}

void live_run_free(live_run *r)
{
	free(r->frame_ms);
	free(r->behind_ms);
	memset(r, 0, sizeof(*r));
}
