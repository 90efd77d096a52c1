/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"

#define MILLI 1e3
#define STAGE_RUNS_MAX 3

typedef struct runner {
	const frames_options *o;
	const frames_input *in;
	frames_result *r;
	enm_context *context;
	enm_session *session;        /* of the run in hand; with --reset of all runs without stage times */
	const enm_report *reference; /* reports of the first run, which all others must repeat */
} runner;

static host_status engine_status(enm_result result)
{
	return host_fail_result(result, enm_last_error());
}

/* ---- the engine ---- */

static void print_engine_log(void *user, enm_log_level level, const char *text)
{
	(void)user;
	if (level <= ENM_LOG_WARNING)
		host_warn("%s", text);
}

/* "--device 1" is an index, "--device pocl" part of a name. */
static host_status open_context(const char *wish, enm_context **out)
{
	enm_context_def def = enm_context_def_default();
	def.log = print_engine_log;
	def.log_level = ENM_LOG_WARNING;
	if (wish && strspn(wish, "0123456789") != strlen(wish))
		def.device_name = wish;
	else if (wish && strlen(wish) > 6)
		return host_fail(HOST_DEVICE, "--device: there is no device %s", wish);
	else if (wish)
		def.device_index = (int32_t)strtol(wish, NULL, 10);
	return engine_status(enm_context_create(&def, out));
}

/* A new scan: a session of its own, so that growing the model and touching its memory for the first time count as they
 * do for a user; or the old one emptied. */
static host_status begin_scan(runner *u, bool stage_times)
{
	enm_session_def def = u->in->def;
	def.stage_times = stage_times;
	if (u->session && u->o->reset && !stage_times)
		return engine_status(enm_session_reset(u->session));
	enm_session_destroy(&u->session);
	return engine_status(enm_session_create(u->context, &def, &u->session));
}

static enm_result push(const runner *u, size_t i)
{
	const frames_input *in = u->in;
	const enm_frame frame = {
		.depth = in->depth + i * in->pixels,
		.depth_format = ENM_DEPTH_U16,
		.color_rgb = in->has_color[i] ? in->rgb + 3 * i * in->pixels : NULL,
		.time_ns = in->time_ns[i],
	};
	return enm_session_push(u->session, &frame, NULL);
}

/* ---- one run ---- */

static host_status pass_create(size_t count, frames_pass *out)
{
	memset(out, 0, sizeof(*out));
	out->ms = calloc(count, sizeof(*out->ms));
	out->cpu_ms = calloc(count, sizeof(*out->cpu_ms));
	out->reports = calloc(count, sizeof(*out->reports));
	return out->ms && out->cpu_ms && out->reports ? HOST_OK : host_fail_memory("the reports");
}

static void pass_free(frames_pass *p)
{
	free(p->ms);
	free(p->cpu_ms);
	free(p->reports);
	memset(p, 0, sizeof(*p));
}

/* Time that the process has spent on all cores. */
static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Takes the reports that are there. */
static enm_result drain(const runner *u, frames_pass *p, size_t *reported)
{
	enm_result result = ENM_OK;
	while (result == ENM_OK && *reported < u->in->count) {
		enm_report *report = &p->reports[*reported];
		result = enm_session_next_report(u->session, report);
		if (result == ENM_OK)
			p->ms[(*reported)++] = (double)report->latency_ms;
	}
	return result;
}

/* Push waits for the oldest frame where two are under way, so that the loop runs as fast as reports come. Polling for
 * them instead would take a core from a device that is the CPU. */
static enm_result run_pipelined(const runner *u, size_t count, frames_pass *p)
{
	enm_result result = ENM_OK;
	size_t reported = 0;
	for (size_t i = 0; i < count && result >= 0; i++) {
		result = push(u, i);
		if (result >= 0)
			result = drain(u, p, &reported);
	}
	if (result >= 0)
		result = enm_session_flush(u->session);
	return result >= 0 ? drain(u, p, &reported) : result;
}

static enm_result run_serial(const runner *u, size_t count, frames_pass *p)
{
	enm_result result = ENM_OK;
	for (size_t i = 0; i < count && result >= 0; i++) {
		double begun_s = clock_s(), cpu_begun_s = cpu_s();
		result = push(u, i);
		if (result >= 0)
			result = enm_session_flush(u->session);
		if (result >= 0)
			result = enm_session_next_report(u->session, &p->reports[i]);
		p->ms[i] = MILLI * (clock_s() - begun_s);
		p->cpu_ms[i] = MILLI * (cpu_s() - cpu_begun_s);
	}
	return result;
}

static host_status run_pass(runner *u, bool pipelined, bool stage_times, size_t count, frames_pass *out)
{
	host_status status = begin_scan(u, stage_times);
	if (!status)
		status = pass_create(u->in->count, out);
	if (status)
		return status;
	double begun_s = clock_s(), cpu_begun_s = cpu_s();
	enm_result result = (pipelined ? run_pipelined : run_serial)(u, count, out);
	out->wall_s = clock_s() - begun_s;
	out->cpu_s = cpu_s() - cpu_begun_s;
	if (result >= 0)
		result = enm_session_get_stats(u->session, &out->stats);
	return engine_status(result);
}

/* ---- do the runs agree? ---- */

const char *frames_difference(const enm_report *a, const enm_report *b)
{
	if (a->frame_id != b->frame_id)
		return "id";
	if (a->verdict != b->verdict || a->reason != b->reason || a->fused != b->fused)
		return "verdict";
	if (memcmp(&a->world_from_camera, &b->world_from_camera, sizeof(a->world_from_camera)))
		return "pose";
	if (a->iterations != b->iterations || a->samples != b->samples)
		return "iterations";
	if (a->blocks_used != b->blocks_used || a->blocks_in_view != b->blocks_in_view)
		return "blocks";
	return NULL;
}

static host_status check_repeats(runner *u, const char *mode, int64_t run, const frames_pass *p)
{
	if (!u->reference)
		u->reference = p->reports;
	for (size_t i = 0; i < u->in->count; i++) {
		const char *what = frames_difference(&u->reference[i], &p->reports[i]);
		if (what)
			return host_fail(HOST_DATA, "frame %zu: its %s is not that of the first run (%s run %lld)", i,
				what, mode, (long long)run + 1);
	}
	return HOST_OK;
}

/* ---- all runs ---- */

/* Drivers compile kernels at their first launch, and devices wake up. */
static host_status warm_up(runner *u)
{
	frames_pass p = {0};
	size_t count = (size_t)u->o->warm_up < u->in->count ? (size_t)u->o->warm_up : u->in->count;
	host_status status = count ? run_pass(u, false, false, count, &p) : HOST_OK;
	pass_free(&p);
	return status;
}

static host_status measured_pass(runner *u, bool pipelined, int64_t run)
{
	frames_pass *p = pipelined ? &u->r->pipelined[run] : &u->r->serial[run];
	host_status status = run_pass(u, pipelined, false, u->in->count, p);
	return status ? status : check_repeats(u, pipelined ? "pipelined" : "serial", run, p);
}

/* Runs with stage times; of each frame and stage the least is kept. */
static host_status measure_stages(runner *u)
{
	frames_result *r = u->r;
	host_status status = HOST_OK;
	for (int64_t run = 0; run < u->o->repeats && run < STAGE_RUNS_MAX && !status; run++) {
		frames_pass more = {0}, *p = run == 0 ? &r->stages : &more;
		status = run_pass(u, false, true, u->in->count, p);
		if (!status)
			status = check_repeats(u, "stages", run, p);
		for (size_t i = 0; i < u->in->count && run > 0 && !status; i++)
			for (int k = 0; k < ENM_STAGE_COUNT; k++)
				r->stages.reports[i].stage_ms[k] =
					fminf(r->stages.reports[i].stage_ms[k], more.reports[i].stage_ms[k]);
		pass_free(&more);
	}
	return status;
}

static uint64_t host_bytes_peak(void)
{
	struct rusage usage;
	return getrusage(RUSAGE_SELF, &usage) ? 0 : (uint64_t)usage.ru_maxrss * 1024;
}

static host_status run_all(runner *u)
{
	frames_result *r = u->r;
	host_status status = warm_up(u);
	for (int64_t i = 0; i < u->o->repeats && !status; i++) {
		/* in turns, and the first of a pair changes: what the machine does besides hits both */
		status = measured_pass(u, i % 2 == 0, i);
		if (!status)
			status = measured_pass(u, i % 2 != 0, i);
	}
	if (!status && u->o->stage_times == FRAMES_ON) {
		r->has_stages = true;
		status = measure_stages(u);
	}
	r->host_bytes_peak = host_bytes_peak();
	if (!status && u->o->rates == FRAMES_ON) { /* last: the copies' memory is none of the scan's */
		enm_session_destroy(&u->session);
		r->has_rates = true;
		status = engine_status(rates_measure(u->context, &r->rates));
	}
	return status;
}

host_status frames_run(const frames_options *o, const frames_input *in, frames_result *out)
{
	runner u = {.o = o, .in = in, .r = out};
	memset(out, 0, sizeof(*out));
	out->repeats = (size_t)o->repeats;
	out->pipelined = calloc(out->repeats, sizeof(*out->pipelined));
	out->serial = calloc(out->repeats, sizeof(*out->serial));
	host_status status = out->pipelined && out->serial ? HOST_OK : host_fail_memory("the runs");
	if (!status)
		status = open_context(o->device, &u.context);
	if (!status)
		status = engine_status(enm_context_device(u.context, &out->device));
	if (!status)
		status = run_all(&u);
	if (!status)
		status = engine_status(enm_context_get_stats(u.context, &out->context));
	enm_session_destroy(&u.session);
	enm_context_destroy(&u.context);
	return status;
}

void frames_result_free(frames_result *r)
{
	for (size_t i = 0; i < r->repeats; i++) {
		if (r->pipelined)
			pass_free(&r->pipelined[i]);
		if (r->serial)
			pass_free(&r->serial[i]);
	}
	pass_free(&r->stages);
	free(r->pipelined);
	free(r->serial);
	memset(r, 0, sizeof(*r));
}
