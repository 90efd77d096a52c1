/* SPDX-License-Identifier: Apache-2.0
 *
 * A scan: what is made for it, its frames and their reports, and how it ends or begins anew. What happens to a frame on the device
 * is in launch.c.
 */
#include "pipeline/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/constants.h"
#include "core/context.h"
#include "core/defaults.h"
#include "core/error.h"
#include "pipeline/frame.h"
#include "pipeline/launch.h"

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- create and destroy ---- */

static enm_result create_slots(enm_session *s, gpu_device *device)
{
	enm_result result = ENM_OK;
	const size_t bytes = depth_input_bytes(&s->depth, ENM_DEPTH_F32_MM, s->def.color);
	const size_t hidden_bytes = s->def.keep_frames || s->def.recover ? foreign_tiles(&s->foreign) : 0;
	for (int i = 0; i < ENM_FRAMES_IN_FLIGHT && result == ENM_OK; i++) {
		result = gpu_staging_create(device, bytes, &s->slots[i].staging);
		if (result == ENM_OK)
			result = gpu_staging_create(device, sizeof(enm_k_report) + hidden_bytes, &s->slots[i].received);
		if (result == ENM_OK)
			s->slots[i].report = memset(s->slots[i].received.host, 0, sizeof(enm_k_report) + hidden_bytes);
		if (result == ENM_OK && hidden_bytes > 0)
			s->slots[i].hidden = (uint8_t *)s->slots[i].report + sizeof(enm_k_report);
		if (result == ENM_OK && s->def.stage_times)
			result = gpu_profile_create(device, ENM_STAGE_COUNT, &s->slots[i].profile);
	}
	return result;
}

/* The environment is for tests and measurements. */
static session_ways choose_ways(gpu_device *device, const enm_session_def *def)
{
	enm_context_stats stats;
	gpu_device_get_stats(device, &stats);
	const char *serial = getenv("ENAMEL_SERIAL"), *record = getenv("ENAMEL_COMMAND_BUFFERS");
	session_ways ways = {
		.overlap = gpu_tuning_get(device, GPU_TUNING_UPLOAD_QUEUE) == 1,
		.record = gpu_tuning_get(device, GPU_TUNING_COMMAND_BUFFERS) == 1,
	};
	/* wall times of stages stand for events only where nothing overlaps */
	ways.overlap = ways.overlap && (!def->stage_times || stats.event_times_trusted);
	ways.serial = serial != NULL && strcmp(serial, "1") == 0;
	ways.overlap = ways.overlap && !ways.serial;
	if (record != NULL && strcmp(record, "1") == 0)
		ways.record = true;
	ways.record = ways.record && gpu_can_record(device);
	return ways;
}

/* Whether the raycast's normals are kept in halves: where the device converts them in hardware. The environment is for
 * tests and measurements. */
static bool choose_halves(gpu_device *device)
{
	const char *wish = getenv("ENAMEL_HALF");
	if (wish != NULL && (strcmp(wish, "0") == 0 || strcmp(wish, "1") == 0))
		return wish[0] == '1';
	return gpu_device_get_info(device)->fp16;
}

/* Device memory, besides the model's blocks, that stages made after the model take. The same with and without halves,
 * so that the model grows at the same frames. */
static uint64_t stage_bytes(const enm_session_def *def)
{
	const uint64_t keyframes = def->recover ? keyframes_bytes(def) : 0;
	uint64_t raycast =
		def->tracker == ENM_TRACKER_RAYCAST ? (uint64_t)def->camera.width * def->camera.height * 32 : 0;
	return raycast + keyframes + foreign_bytes(def) + GRID_CELLS + ((uint64_t)16 << 20);
}

/* Forgets all poses. */
static enm_result clear_tracking(enm_session *s)
{
	island_clear(&s->island);
	store_clear(&s->store);
	certainty_drop(&s->certainty);
	enm_result result = track_reset(&s->track, s->queue, &s->start);
	if (result == ENM_OK && s->def.recover)
		result = keyframes_clear(&s->keyframes, s->queue);
	return result;
}

static enm_result create_stages(enm_session *s)
{
	gpu_budget *budget = &s->budget;
	/* the bound is for the model to judge, which can say what the least one is */
	const uint64_t bytes_max = budget->bytes_max;
	budget->bytes_max = 0;
	enm_result result = depth_create(budget, s->queue, &s->def, &s->depth);
	budget->bytes_max = bytes_max;
	if (result == ENM_OK)
		result = model_create(budget, s->queue, &s->def, stage_bytes(&s->def), &s->model);
	if (result == ENM_OK)
		result = track_create(budget, &s->def, &s->track);
	if (result == ENM_OK)
		result = allocate_create(budget, s->queue, &s->def, &s->model, &s->allocate);
	if (result == ENM_OK)
		result = fuse_create(budget, s->queue, &s->model, &s->fuse);
	if (result == ENM_OK)
		result = foreign_create(budget, s->queue, &s->def, &s->foreign);
	if (result == ENM_OK)
		result = view_create(budget, s->queue, &s->def, choose_halves(budget->device), &s->view);
	if (result == ENM_OK && s->def.recover)
		result = keyframes_create(budget, &s->def, &s->keyframes);
	if (result == ENM_OK && s->def.recover)
		result = relocate_create(budget, &s->def, &s->relocate);
	if (result == ENM_OK && s->def.recover)
		result = island_create(budget, &s->def, &s->island);
	if (result == ENM_OK)
		result = clear_tracking(s);
	if (result == ENM_OK)
		result = gpu_finish(s->queue);
	return result;
}

enm_result enm_session_create(enm_context *context, const enm_session_def *def, enm_session **out_session)
{
	if (out_session == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_create: out_session is NULL");
	*out_session = NULL;
	if (context == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_create: context is NULL");
	enm_result result = session_def_check(def);
	if (result != ENM_OK)
		return result;
	enm_session *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return error_set(ENM_E_MEMORY, "enm_session_create: no host memory");
	gpu_device *device = gpu_device_retain(context_device(context));
	s->def = *def;
	s->start = track_start_state(&def->start_world_from_camera);
	s->budget = (gpu_budget){.device = device, .bytes_max = context_bytes_allowed(def->device_bytes_max, device)};
	s->ways = choose_ways(device, def);
	s->last_time_ns = INT64_MIN;
	s->reports = malloc(ENM_REPORTS_KEPT * sizeof(*s->reports));
	if (s->reports == NULL)
		result = error_set(ENM_E_MEMORY, "enm_session_create: no host memory");
	if (result == ENM_OK)
		result = store_create(&s->def, &s->store);
	if (result == ENM_OK)
		result = gpu_queue_create(device, &s->queue);
	if (result == ENM_OK)
		result = gpu_queue_create(device, &s->uploads);
	if (result == ENM_OK)
		result = create_stages(s);
	if (result == ENM_OK)
		result = create_slots(s, device);
	if (result == ENM_OK)
		result = mend_create(s, &s->mend);
	if (result != ENM_OK)
		enm_session_destroy(&s);
	*out_session = s;
	return result;
}

void enm_session_destroy(enm_session **session)
{
	if (session == NULL || *session == NULL)
		return;
	enm_session *s = *session;
	gpu_device *device = s->budget.device;
	mend_destroy(s, &s->mend);
	gpu_queue_destroy(&s->uploads); /* both wait, so that nothing below is in use */
	gpu_queue_destroy(&s->queue);
	for (int i = 0; i < ENM_FRAMES_IN_FLIGHT; i++) {
		gpu_event_release(&s->slots[i].event);
		launch_drop_recordings(&s->slots[i]);
		gpu_profile_destroy(&s->slots[i].profile);
		gpu_staging_destroy(&s->slots[i].staging);
		gpu_staging_destroy(&s->slots[i].received);
	}
	live_destroy(&s->live);
	store_destroy(&s->store);
	certainty_drop(&s->certainty);
	island_destroy(&s->island);
	relocate_destroy(&s->relocate);
	keyframes_destroy(&s->keyframes);
	view_destroy(&s->view);
	foreign_destroy(&s->foreign);
	fuse_destroy(&s->fuse);
	allocate_destroy(&s->allocate);
	track_destroy(&s->track);
	model_destroy(&s->model);
	depth_destroy(&s->depth);
	gpu_device_release(&device);
	free(s->reports);
	free(s);
	*session = NULL;
}

/* ---- reports ---- */

/* Keeps the frame for a refinement. */
static enm_result store_slot(enm_session *s, const session_slot *slot)
{
	const store_input input = {.input = slot->staging.host,
		.bytes = slot->input_bytes,
		.color_offset = slot->color_offset,
		.hidden = slot->hidden,
		.hidden_bytes = slot->hidden != NULL ? foreign_tiles(&s->foreign) : 0,
		.format = slot->format,
		.id = slot->frame_id,
		.time_ns = slot->time_ns};
	bool full;
	enm_result result = store_note(&s->store, &slot->report->track, &input, &full);
	if (result == ENM_OK && full)
		gpu_log(s->budget.device, ENM_LOG_WARNING, "frame %llu and later ones are not kept for refinement: no room in %s",
			(unsigned long long)slot->frame_id, s->store.spill_name != NULL ? s->store.spill_name : "frames_bytes_max");
	return result;
}

/* Waits for a slot's frame and files its report. */
static enm_result collect(enm_session *s, session_slot *slot)
{
	if (!slot->busy)
		return ENM_OK;
	slot->busy = false;
	enm_result result = gpu_event_wait(slot->event);
	gpu_event_release(&slot->event);
	if (result != ENM_OK)
		return s->failed = result;
	enm_report report = report_of_slot(slot);
	report.events |= slot->corrected ? ENM_EVENT_CORRECTED : 0;
	report.latency_ms = (float)(now_ns() - slot->pushed_ns) * 1e-6f;
	if (slot->profile != NULL)
		result = gpu_profile_collect(slot->profile, report.stage_ms);
	if (result != ENM_OK)
		return s->failed = result;
	const enm_k_blocks *blocks = &slot->report->blocks;
	const island_frame input = {.input = slot->staging.host,
		.bytes = slot->input_bytes,
		.format = slot->format,
		.color_offset = slot->color_offset,
		.hidden = slot->hidden,
		.hidden_bytes = slot->hidden != NULL ? foreign_tiles(&s->foreign) : 0,
		.blocks = blocks->in_view + blocks->wanted - blocks->added};
	if (s->def.recover)
		result = island_note(&s->island, &slot->report->track, slot->frame_id, &input);
	if (result == ENM_OK)
		result = store_slot(s, slot);
	if (result != ENM_OK)
		return s->failed = result;
	mend_note(s->mend, slot->frame_id, &slot->report->track);
	s->stats.frames_tracked += report.verdict == ENM_VERDICT_TRACKED;
	s->stats.frames_weak += report.verdict == ENM_VERDICT_WEAK;
	s->stats.frames_lost += report.verdict == ENM_VERDICT_LOST;
	s->stats.frames_fused += report.fused;
	if (report.events != 0 && s->def.on_event != NULL)
		s->def.on_event(s->def.event_user, &report);
	s->reports[s->reports_written++ % ENM_REPORTS_KEPT] = report;
	if (s->reports_written - s->reports_read > ENM_REPORTS_KEPT)
		s->reports_read = s->reports_written - ENM_REPORTS_KEPT;
	return ENM_OK;
}

static session_slot *slot_of(enm_session *s, uint64_t frame_id)
{
	return &s->slots[frame_id % ENM_FRAMES_IN_FLIGHT];
}

enm_result enm_session_flush(enm_session *session)
{
	if (session == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_flush: session is NULL");
	enm_result result = ENM_OK;
	for (uint64_t i = 0; i < ENM_FRAMES_IN_FLIGHT && result == ENM_OK; i++) /* the oldest first */
		result = collect(session, slot_of(session, session->frames_pushed + i));
	return result;
}

enm_result enm_session_next_report(enm_session *session, enm_report *out_report)
{
	if (out_report != NULL)
		memset(out_report, 0, sizeof(*out_report));
	if (session == NULL || out_report == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_next_report: session or out_report is NULL");
	if (session->reports_read == session->reports_written) {
		session_slot *oldest = slot_of(session, session->reports_written);
		bool done = false;
		if (oldest->busy) {
			enm_result result = gpu_event_done(oldest->event, &done);
			if (result == ENM_OK && done)
				result = collect(session, oldest);
			if (result != ENM_OK)
				return session->failed = result;
		}
		if (!done)
			return ENM_EMPTY;
	}
	*out_report = session->reports[session->reports_read++ % ENM_REPORTS_KEPT];
	return ENM_OK;
}

/* ---- push ---- */

/* Blocks that the model may hold when the frame to come in `slot` has been asked for its own: by what the frame ENM_FRAMES_IN_FLIGHT before
 * it reported, whatever else has been collected by now, so that the model grows at the same frame in every run; and by what frames of an
 * island may have wanted since. */
static uint32_t blocks_expected(const enm_session *s, const session_slot *slot)
{
	if (s->frames_pushed < ENM_FRAMES_IN_FLIGHT)
		return 0;
	uint32_t blocks = slot->report->blocks.base + slot->report->blocks.wanted;
	for (int i = 0; i < ENM_FRAMES_IN_FLIGHT; i++)
		blocks += s->slots[i].kept_blocks;
	return blocks;
}

static enm_result make_room(enm_session *s, uint32_t wanted)
{
	if (!model_is_short(&s->model, wanted))
		return ENM_OK;
	view_drop_picture(&s->view); /* how far the model grows must not hang on what was looked at */
	const uint32_t most = s->model.blocks_max;
	enm_result result = model_grow(&s->model, s->queue, wanted);
	if (result == ENM_OK && s->model.blocks_max < most && mend_yield(s)) {
		s->model.blocks_max = most;
		result = model_grow(&s->model, s->queue, wanted);
	}
	if (result == ENM_OK)
		result = fuse_resize(&s->fuse, &s->budget, s->queue, &s->model);
	if (result == ENM_E_CAPACITY && mend_yield(s))
		result = fuse_resize(&s->fuse, &s->budget, s->queue, &s->model);
	return result;
}

/* Fuses a frame of a joined island. */
static enm_result fuse_kept(enm_session *s)
{
	return island_fuse(&s->island, s->queue, &s->depth, &s->model, &s->foreign, &s->allocate, &s->fuse, &s->keyframes, s->frames_pushed);
}

/* 0 for the first frame. */
static float seconds_since_last(const enm_session *s, const enm_frame *f)
{
	/* unsigned, since between two int64 there may be more than one of them holds */
	const uint64_t dt_ns = (uint64_t)f->time_ns - (uint64_t)s->last_time_ns;
	return s->frames_pushed > 0 ? (float)((double)dt_ns * 1e-9) : 0.0f;
}

enm_result enm_session_push(enm_session *session, const enm_frame *frame, uint64_t *out_frame_id)
{
	if (out_frame_id != NULL)
		*out_frame_id = 0;
	if (session == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_push: session is NULL");
	if (session->failed != ENM_OK)
		return error_set(session->failed, "the session has failed before and cannot go on");
	enm_result result = input_check(session, frame);
	if (result != ENM_OK)
		return result;
	session_slot *slot = slot_of(session, session->frames_pushed);
	const uint64_t waits = gpu_queue_waits(session->queue);
	session->stats.device_calls_blocking += slot->busy;
	result = collect(session, slot);
	if (result == ENM_OK)
		result = mend_step(session, &slot->report->track, &slot->corrected);
	slot->kept_blocks = island_expects(&session->island, session->frames_pushed, ISLAND_FUSED_AT_ONCE);
	if (result == ENM_OK)
		result = make_room(session, blocks_expected(session, slot));
	if (result != ENM_OK)
		return session->failed = result;
	bool full = session->frames_pushed >= ENM_FRAMES_IN_FLIGHT && report_is_full(slot);
	slot->frame_id = session->frames_pushed;
	slot->time_ns = frame->time_ns;
	slot->pushed_ns = now_ns();
	slot->may_grow = session->model.volume.capacity < session->model.blocks_max;
	/* by what the frame ENM_FRAMES_IN_FLIGHT before this one reported */
	slot->may_begin_anew = session->def.row_time_s > 0.0 &&
			       (session->frames_pushed < ENM_FRAMES_IN_FLIGHT || slot->report->track.tracked <= ENM_K_YOUNG_FRAMES ||
				       launch_may_be_lost(session, slot));
	/* at the same frames in every run */
	for (uint32_t n = 0; n < ISLAND_FUSED_AT_ONCE && result == ENM_OK && island_waits(&session->island, session->frames_pushed); n++)
		result = fuse_kept(session);
	if (result == ENM_OK)
		result = launch_frame(session, slot, frame, seconds_since_last(session, frame));
	if (result != ENM_OK) {
		gpu_event_release(&slot->event);
		return session->failed = result;
	}
	session->stats.device_calls_blocking += gpu_queue_waits(session->queue) - waits;
	slot->busy = true;
	session->last_time_ns = frame->time_ns;
	if (out_frame_id != NULL)
		*out_frame_id = session->frames_pushed;
	session->frames_pushed++;
	return full ? ENM_FULL : ENM_OK;
}

#define TELL_EVERY_NS 100000000

bool session_tell_finish(enm_session *s, const char *what, double done)
{
	const int64_t now = now_ns();
	if (s->def.on_finish == NULL || (what == s->told && now - s->told_ns < TELL_EVERY_NS))
		return true;
	s->told = what;
	s->told_ns = now;
	return s->def.on_finish(s->def.finish_user, what, done);
}

/* Fuses all frames of joined islands that are left. Nothing is under way, and one may wait: room is made for each by what the model holds. What
 * the last of them left is what the frames to come grow it by. */
static enm_result fuse_all_kept(enm_session *s, bool finishing, bool *out_full)
{
	enm_result result = ENM_OK;
	enm_k_blocks *now = &slot_of(s, s->frames_pushed + ENM_FRAMES_IN_FLIGHT - 1)->report->blocks;
	bool any = false;
	while (result == ENM_OK && island_waits(&s->island, UINT64_MAX)) {
		result = make_room(s, now->used + island_expects(&s->island, UINT64_MAX, 1));
		if (result == ENM_OK)
			result = fuse_kept(s);
		if (result == ENM_OK)
			result = gpu_read(s->queue, &s->model.blocks, 0, now, sizeof(*now), NULL);
		if (result == ENM_OK)
			result = gpu_finish(s->queue);
		*out_full = *out_full || now->full != 0;
		any = true;
		if (finishing) /* what was proved is part of the model, and is not asked for */
			(void)session_tell_finish(s, "islands", (double)s->island.fused / (double)s->island.joined.count);
	}
	for (int i = 0; i < ENM_FRAMES_IN_FLIGHT && any; i++)
		s->slots[i].report->blocks = *now;
	return result;
}

enm_result session_settle(enm_session *s, bool finishing)
{
	bool full = false;
	enm_result result = enm_session_flush(s);
	if (result == ENM_OK)
		result = fuse_all_kept(s, finishing, &full);
	if (result == ENM_OK)
		result = gpu_finish(s->queue);
	if (result != ENM_OK)
		return s->failed = result;
	return full ? ENM_FULL : ENM_OK;
}

enm_result enm_session_finish(enm_session *session)
{
	if (session == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_finish: session is NULL");
	if (session->failed != ENM_OK)
		return error_set(session->failed, "the session has failed before and cannot go on");
	enm_result settled = session_settle(session, true);
	enm_result result = settled >= 0 ? mend_finish(session) : settled;
	if (result < 0)
		return session->failed = result;
	return settled;
}

enm_result enm_session_reset(enm_session *session)
{
	if (session == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_reset: session is NULL");
	if (session->failed != ENM_OK)
		return error_set(session->failed, "the session has failed before and cannot go on");
	enm_result result = enm_session_flush(session);
	mend_cancel(session);
	if (result == ENM_OK)
		result = model_clear(&session->model, session->queue);
	if (result == ENM_OK)
		result = fuse_clear(&session->fuse, session->queue);
	if (result == ENM_OK)
		result = foreign_clear(&session->foreign, session->queue);
	if (result == ENM_OK)
		result = clear_tracking(session);
	session->depth.camera = depth_camera_to_device(&session->def); /* without what a refinement found */
	if (result == ENM_OK)
		result = gpu_finish(session->queue);
	if (result == ENM_OK) /* with nothing under way */
		result = live_reset(session->live, session->queue);
	if (result != ENM_OK)
		return session->failed = result;
	session->reports_read = session->reports_written = session->frames_pushed = 0;
	session->last_time_ns = INT64_MIN;
	session->model.generation++; /* the camera may have changed: launches recorded before are stale */
	memset(&session->stats, 0, sizeof(session->stats));
	return ENM_OK;
}
