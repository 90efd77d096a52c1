/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "json.h"
#include "live/run.h"

const char *const live_ends[] = {"", "source", "duration", "signal", "failure", "new scan"};

static json_t *count_json(uint64_t count)
{
	return json_integer((json_int_t)count);
}

static void put_frames(json_t *root, const live *l, const live_queue_stats *q, bool *ok)
{
	const live_capture_counts *c = &l->capture.counts;
	const uint64_t written = l->recorded.written.frames;
	json_put(root, "captured", count_json(c->captured), ok);
	json_put(root, "recorded", count_json(written), ok);
	json_put(root, "refused", count_json(c->refused), ok);
	json_put(root, "without_time", count_json(c->no_time), ok);
	json_put(root, "not_written", count_json(c->captured - c->refused - c->no_time - written), ok);
	json_put(root, "left_out", count_json(c->left_out), ok);
	json_put(root, "skipped", count_json(q->skipped), ok);
	json_put(root, "paused", count_json(l->pump.paused), ok);
	json_put(root, "lost_before", count_json(c->lost_before), ok);
	json_put(root, "rebuilt", count_json(l->frames_before), ok);
}

static json_t *queues_json(const live *l, const live_queue_stats *q, bool *ok)
{
	json_t *root = json_object();
	json_put(root, "engine_max", json_integer(q->waiting_max), ok);
	json_put(root, "engine_bound", json_integer(l->policy.burst), ok);
	json_put(root, "engine_calm", json_integer(l->policy.calm), ok);
	json_put(root, "recording_max", json_integer(l->recorded.queue_max), ok);
	json_put(root, "recording_bound", json_integer(l->o->record_queue), ok);
	json_put(root, "fates_max", json_integer(l->recorded.notes_max), ok);
	json_put(root, "fates_bound", json_integer(RECORDER_NOTES), ok);
	return root;
}

static json_t *recording_json(const live *l, bool *ok)
{
	const writer_stats *w = &l->recorded.written;
	json_t *root = json_object();
	json_put(root, "file", json_string(path_base(l->recording)), ok);
	json_put(root, "frames", count_json(w->frames), ok);
	json_put(root, "bytes", count_json(w->bytes), ok);
	json_put(root, "picture_bytes", count_json(w->plain_bytes), ok);
	json_put(root, "sync_max_ms", json_finite(1e3 * w->sync_max_s), ok);
	json_put(root, "cpu_s", json_finite(l->recorded.cpu_s), ok);
	json_put(root, "fates_refused", count_json(l->recorded.notes_refused), ok);
	return root;
}

json_t *live_report_json(live *l)
{
	bool ok = true;
	const live_queue_stats q = live_queue_look(l->queue);
	json_t *root = json_object(), *latency = json_object();
	json_put(root, "source", json_foreign(l->o->source), &ok);
	json_put(root, "session", json_foreign(l->session.folder), &ok);
	json_put(root, "fps", json_finite(l->source.facts.camera.fps), &ok);
	json_put(root, "ended_by", json_string(live_ends[l->capture.counts.end]), &ok);
	put_frames(root, l, &q, &ok);
	json_put(latency, "pose", report_quantiles(&l->pump.pose_ms, &ok), &ok);
	json_put(latency, "screen", report_quantiles(&l->pump.screen_ms, &ok), &ok);
	json_put(root, "latency_ms", latency, &ok);
	json_put(root, "shows", count_json(l->pump.shows), &ok);
	json_put(root, "shows_skipped", count_json(l->pump.shows_skipped), &ok);
	json_put(root, "shown_pixels", json_finite(view_pixels(l->pump.view)), &ok);
	json_put(root, "queues", queues_json(l, &q, &ok), &ok);
	json_put(root, "recording", recording_json(l, &ok), &ok);
	json_put(root, "memory", live_watch_json(&l->watch, &ok), &ok);
	json_put(root, "capture_priority", json_string(l->capture.counts.priority), &ok);
	json_put(root, "hang_s", json_finite(l->o->hang_s), &ok);
	json_put(root, "source_counts", l->source.ops->report(l->source.state), &ok);
	if (ok)
		return root;
	json_decref(root);
	return NULL;
}

static void print_latency(const char *what, const json_t *latency)
{
	const json_t *median = json_object_get(latency, "median"), *p99 = json_object_get(latency, "p99"),
		     *max = json_object_get(latency, "max");
	if (json_is_number(median))
		printf("%s %.0f ms (median), %.0f ms (p99), %.0f ms (max)\n", what, json_number_value(median),
			json_number_value(p99), json_number_value(max));
}

void live_report_print(const live *l, const json_t *report)
{
	const live_capture_counts *c = &l->capture.counts;
	const json_t *latency = json_object_get(report, "latency_ms");
	printf("live:     %llu frames captured, %llu recorded, %llu refused, %llu lost before; ended by %s\n",
		(unsigned long long)c->captured, (unsigned long long)l->recorded.written.frames, (unsigned long long)c->refused,
		(unsigned long long)c->lost_before, live_ends[c->end]);
	print_latency("to pose: ", json_object_get(latency, "pose"));
	print_latency("to screen:", json_object_get(latency, "screen"));
}
