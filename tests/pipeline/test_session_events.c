/* SPDX-License-Identifier: Apache-2.0
 * What a session says of its frames: texts of reports, events in frame order and from within whose call, and the end of a scan. */
#include "scan.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

/* ---- texts ---- */

static const char *const verdicts[] = {"tracked", "weak", "lost"};

/* A word that no other reason's text has. */
static const char *const reasons[] = {"amiss", "first frame", "depth readings", "too little", "not agree", "fix the pose",
	"settle", "empty", "on trial"};
#define REASONS (sizeof(reasons) / sizeof(*reasons))

static void each_reason_has_a_text_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(REASONS, ENM_REASON_RECOVERING + 1);
	for (size_t i = 0; i < REASONS; i++)
		for (size_t k = 0; k < REASONS; k++)
			assert_int_equal(strstr(enm_reason_text((enm_reason)i), reasons[k]) != NULL, i == k);
	assert_string_equal(enm_reason_text((enm_reason)REASONS), "unknown reason");
	assert_string_equal(enm_reason_text((enm_reason)-1), "unknown reason");
}

static void texts_name_verdict_and_reason(void **state)
{
	(void)state;
	for (int verdict = 0; verdict <= ENM_VERDICT_LOST; verdict++) {
		for (size_t reason = 0; reason < REASONS; reason++) {
			const enm_report r = {.verdict = (enm_verdict)verdict, .reason = (enm_reason)reason};
			char text[200], wanted[200];
			if (reason == 0)
				snprintf(wanted, sizeof(wanted), "%s", verdicts[verdict]);
			else
				snprintf(wanted, sizeof(wanted), "%s: %s", verdicts[verdict], enm_reason_text((enm_reason)reason));
			enm_report_text(&r, text, sizeof(text));
			assert_string_equal(text, wanted);
		}
	}
}

/* Each axis, either way, as a turn and as a move; a turn counts ten times. */
static void texts_name_the_direction_that_is_open(void **state)
{
	(void)state;
	static const char *const axes[] = {"the view's x", "the view's y", "the line of sight"};
	for (int turns = 0; turns < 2; turns++) {
		for (int axis = 0; axis < 3; axis++) {
			for (int sign = -1; sign <= 1; sign += 2) {
				enm_report r = {.verdict = ENM_VERDICT_WEAK, .reason = ENM_REASON_DEGENERATE, .held = 1};
				char text[200], wanted[200];
				r.held_turn[axis] = (float)sign * (turns ? 0.06f : 0.04f);
				r.held_move[(axis + turns) % 3] = (float)sign * 0.5f;
				r.held_move[(axis + turns + 1) % 3] = (float)-sign * 0.1f;
				snprintf(wanted, sizeof(wanted), "weak: the surface does not fix the pose (%s %s is not determined)",
					turns ? "the turn about" : "the position along", axes[axis]);
				enm_report_text(&r, text, sizeof(text));
				assert_string_equal(text, wanted);
			}
		}
	}
}

/* ---- events ---- */

typedef enum calls { NONE, PUSH, FLUSH, NEXT_REPORT, RESET, FINISH, CALLS } calls;

/* What the callback was told, and where the program was. */
typedef struct told {
	enm_report reports[4 * SCAN_FRAMES];
	calls during[4 * SCAN_FRAMES];
	size_t count;
	calls now;
	pthread_t thread;
	bool elsewhere; /* it came on another thread, or when no call was running */
} told;

static void note(void *user, const enm_report *report)
{
	told *t = user;
	t->elsewhere = t->elsewhere || t->now == NONE || !pthread_equal(t->thread, pthread_self());
	if (t->count < 4 * SCAN_FRAMES) {
		t->reports[t->count] = *report;
		t->during[t->count] = t->now;
	}
	t->count++;
}

static enm_session *session_told(told *t)
{
	enm_session_def def = the_scan.def;
	memset(t, 0, sizeof(*t));
	t->thread = pthread_self();
	def.on_event = note;
	def.event_user = t;
	return scan_session(&def);
}

#define CALL(t, which, wanted, call)                                                                                   \
	do {                                                                                                           \
		(t)->now = (which);                                                                                    \
		WANT(wanted, call);                                                                                    \
		(t)->now = NONE;                                                                                       \
	} while (0)

#define BLIND_FROM 10 /* the frame of the scan that shows nothing, and the one after it: the last two under way */
#define BLIND_TO 11
#define FRAMES 12

static enm_frame frame_with_a_gap(int index)
{
	static const uint16_t nothing[SCAN_PIXELS];
	enm_frame frame = scan_frame(index);
	if (index >= BLIND_FROM && index < BLIND_TO)
		frame.depth = nothing;
	return frame;
}

/* The callback had all reports with events, each once, in their order, and the same that are read. */
static void assert_told(const told *t, const enm_report *reports, size_t count)
{
	size_t at = 0;
	assert_false(t->elsewhere);
	for (size_t i = 0; i < count; i++) {
		if (reports[i].events == 0)
			continue;
		assert_true(at < t->count);
		const enm_report *r = &t->reports[at++];
		assert_int_equal(r->frame_id, reports[i].frame_id);
		assert_int_equal(r->time_ns, reports[i].time_ns);
		assert_int_equal(r->events, reports[i].events);
		assert_int_equal(r->verdict, reports[i].verdict);
		assert_int_equal(r->reason, reports[i].reason);
		assert_memory_equal(&r->world_from_camera, &reports[i].world_from_camera, sizeof(enm_pose));
		assert_memory_equal(r->covariance, reports[i].covariance, sizeof(r->covariance));
		assert_true(r->latency_ms == reports[i].latency_ms);
	}
	assert_int_equal(t->count, at);
}

static void events_come_in_frame_order(void **state)
{
	(void)state;
	told t;
	enm_report reports[FRAMES];
	enm_session *s = session_told(&t);
	for (int i = 0; i < FRAMES; i++) {
		const enm_frame frame = frame_with_a_gap(i);
		CALL(&t, PUSH, ENM_OK, enm_session_push(s, &frame, NULL));
	}
	CALL(&t, FLUSH, ENM_OK, enm_session_flush(s));
	const size_t before = t.count;
	for (int i = 0; i < FRAMES; i++)
		CALL(&t, NEXT_REPORT, ENM_OK, enm_session_next_report(s, &reports[i]));
	assert_int_equal(t.count, before); /* who reads a report later does not hear of it again */
	assert_told(&t, reports, FRAMES);
	/* what there was to tell */
	assert_int_equal(reports[0].events, ENM_EVENT_KEYFRAME);
	int lost = 0, recovered = 0;
	for (int i = 0; i < FRAMES; i++) {
		lost += (reports[i].events & ENM_EVENT_LOST) != 0;
		recovered += (reports[i].events & ENM_EVENT_RECOVERED) != 0;
		assert_true(i == BLIND_FROM || (reports[i].events & ENM_EVENT_LOST) == 0);
		assert_true((reports[i].events & ENM_EVENT_KEYFRAME) == 0 || reports[i].verdict == ENM_VERDICT_TRACKED);
	}
	assert_int_equal(lost, 1);
	assert_int_equal(recovered, 1);
	assert_int_equal(reports[BLIND_TO].events & ENM_EVENT_RECOVERED, ENM_EVENT_RECOVERED);
	/* the first frame is found done by the push that needs its slot again, the last two, with events both, by flush */
	assert_int_equal(t.reports[0].frame_id, 0);
	assert_int_equal(t.during[0], PUSH);
	assert_int_equal(t.reports[t.count - 2].frame_id, FRAMES - 2);
	assert_int_equal(t.during[t.count - 2], FLUSH);
	assert_int_equal(t.during[t.count - 1], FLUSH);
	enm_session_destroy(&s);
}

/* Every call that may find a frame done tells of it; the others do not. */
static void each_call_that_finds_a_frame_done_tells(void **state)
{
	(void)state;
	told t;
	enm_report report;
	enm_session_stats stats;
	const enm_frame frame = scan_frame(0);
	enm_session *s = session_told(&t);
	for (calls which = FLUSH; which <= FINISH; which++) { /* a first frame is a keyframe, after each reset anew */
		const size_t before = t.count;
		CALL(&t, PUSH, ENM_OK, enm_session_push(s, &frame, NULL));
		WANT(ENM_OK, enm_session_get_stats(s, &stats));
		assert_int_equal(t.count, before);
		t.now = which;
		if (which == FLUSH)
			WANT(ENM_OK, enm_session_flush(s));
		else if (which == FINISH)
			WANT(ENM_OK, enm_session_finish(s));
		else if (which == RESET)
			WANT(ENM_OK, enm_session_reset(s));
		else
			while (enm_session_next_report(s, &report) == ENM_EMPTY)
				continue;
		t.now = NONE;
		assert_int_equal(t.count, before + 1);
		assert_int_equal(t.during[before], which);
		assert_int_equal(t.reports[before].frame_id, 0);
		assert_int_equal(t.reports[before].events, ENM_EVENT_KEYFRAME);
		CALL(&t, NONE, ENM_OK, enm_session_reset(s));
		assert_int_equal(t.count, before + 1);
	}
	assert_false(t.elsewhere);
	enm_session_destroy(&s);
}

/* Frames under way when the session goes are not told of: nobody waits for them. */
static void who_listens_changes_nothing(void **state)
{
	(void)state;
	told t;
	static outcome with, without;
	enm_session *s = session_told(&t), *plain = scan_session(&the_scan.def);
	t.now = PUSH;
	scan_run(s, 0, SCAN_FRAMES, &with);
	outcome_mesh(s, &with);
	scan_run(plain, 0, SCAN_FRAMES, &without);
	outcome_mesh(plain, &without);
	assert_same_outcome(&with, &without);
	assert_told(&t, with.reports, SCAN_FRAMES);
	const enm_frame frame = {.depth = scan_frame(0).depth, .time_ns = (int64_t)SCAN_FRAMES * SCAN_PERIOD_NS};
	const size_t before = t.count;
	WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	enm_session_destroy(&s);
	assert_int_equal(t.count, before);
	outcome_drop(&with);
	outcome_drop(&without);
	enm_session_destroy(&plain);
}

/* ---- the end of a scan ---- */

static void assert_same_stats(const enm_session *s, const enm_session_stats *wanted)
{
	enm_session_stats stats;
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_int_equal(stats.frames_pushed, wanted->frames_pushed);
	assert_int_equal(stats.frames_tracked, wanted->frames_tracked);
	assert_int_equal(stats.frames_fused, wanted->frames_fused);
	assert_int_equal(stats.blocks_used, wanted->blocks_used);
	assert_int_equal(stats.device_bytes, wanted->device_bytes);
	assert_int_equal(stats.device_allocations, wanted->device_allocations);
}

/* Before the first frame, in the middle with frames under way, and twice at the end. */
static void finishing_is_no_end(void **state)
{
	(void)state;
	static outcome finished, plain;
	enm_session *s = scan_session(&the_scan.def), *t = scan_session(&the_scan.def);
	enm_report report;
	enm_session_stats stats;
	WANT(ENM_E_ARGUMENT, enm_session_finish(NULL));
	WANT(ENM_OK, enm_session_finish(s));
	WANT(ENM_EMPTY, enm_session_next_report(s, &report));
	for (int i = 0; i < SCAN_FRAMES; i++) {
		const enm_frame frame = scan_frame(i);
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
		if (i == SCAN_FRAMES / 2)
			WANT(ENM_OK, enm_session_finish(s));
	}
	WANT(ENM_OK, enm_session_finish(s));
	for (int i = 0; i < SCAN_FRAMES; i++) /* all are done, and none has been read for the caller */
		WANT(ENM_OK, enm_session_next_report(s, &finished.reports[i]));
	WANT(ENM_EMPTY, enm_session_next_report(s, &report));
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_int_equal(stats.frames_tracked, SCAN_FRAMES);
	WANT(ENM_OK, enm_session_finish(s));
	assert_same_stats(s, &stats);
	outcome_mesh(s, &finished);
	scan_run(t, 0, SCAN_FRAMES, &plain);
	outcome_mesh(t, &plain);
	assert_same_outcome(&finished, &plain);
	outcome_drop(&finished);
	outcome_drop(&plain);
	enm_session_destroy(&s);
	enm_session_destroy(&t);
}

SCAN_TEST_MAIN(cmocka_unit_test(each_reason_has_a_text_of_its_own), cmocka_unit_test(texts_name_verdict_and_reason),
	cmocka_unit_test(texts_name_the_direction_that_is_open), cmocka_unit_test(events_come_in_frame_order),
	cmocka_unit_test(each_call_that_finds_a_frame_done_tells), cmocka_unit_test(who_listens_changes_nothing),
	cmocka_unit_test(finishing_is_no_end))
