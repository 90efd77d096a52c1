/* SPDX-License-Identifier: Apache-2.0 */
#include "tracking.h"

#include "enamel.h"
#include "file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VIEWS_BYTES_MAX ((size_t)64 << 20)
#define VIEW_NUMBERS 11
#define SAME_TIME_S 1e-3

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* False when the line does not hold what a view has. */
static bool scan_view(const char *line, tracking_view *out)
{
	double n[VIEW_NUMBERS];
	for (int i = 0; i < VIEW_NUMBERS; i++) {
		char *end;
		n[i] = strtod(line, &end);
		if (end == line || !isfinite(n[i]))
			return false;
		line = end;
	}
	*out = (tracking_view){n[0], n[1] / 100, n[2] / 100, n[3] / 100, n[4]};
	return line[strspn(line, " \t\r")] == '\0' && n[1] >= 0 && n[1] <= 100 && n[2] >= 0 && n[2] <= 100;
}

static host_status read_views(const char *folder, tracking_input *in)
{
	char path[FILE_PATH_MAX];
	uint8_t *bytes = NULL;
	size_t size, number = 0, room = 0;
	host_status status = path_join(folder, "views.txt", path);
	if (status != HOST_OK || !file_exists(path))
		return status;
	status = file_read(path, VIEWS_BYTES_MAX, &bytes, &size);
	for (size_t i = 0; status == HOST_OK && i < size; i++)
		room += bytes[i] == '\n';
	in->views = status == HOST_OK ? malloc((room + 1) * sizeof(*in->views)) : NULL;
	if (status == HOST_OK && in->views == NULL)
		status = host_fail_memory("the views");
	for (char *line = (char *)bytes; status == HOST_OK && line != NULL;) {
		char *end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		tracking_view *view = &in->views[in->view_count];
		number++;
		if (*line != '\0' && *line != '#') {
			if (!scan_view(line, view) || (in->view_count > 0 && view->time_s <= view[-1].time_s))
				status = host_fail_file(HOST_USAGE, path,
					"line %zu: expected a time that grows, three shares in percent, an eigenvalue "
					"and its direction",
					number);
			else
				in->view_count++;
		}
		line = end;
	}
	free(bytes);
	return status;
}

static host_status read_reentries(const char *folder, const json_t *truth, tracking_input *in)
{
	const json_t *list = json_object_get(truth, "reentries");
	if (list == NULL)
		return HOST_OK;
	if (!json_is_array(list))
		return host_fail_file(HOST_USAGE, folder, "truth.json: reentries: expected a list");
	in->reentries = calloc(json_array_size(list) + 1, sizeof(*in->reentries));
	if (in->reentries == NULL)
		return host_fail_memory("the re-entries");
	double last_s = -INFINITY;
	for (size_t i = 0; i < json_array_size(list); i++) {
		tracking_reentry *r = &in->reentries[i];
		const json_place place = {"truth.json", "reentries", json_array_get(list, i)};
		host_status status = json_read_number(place, "lifted_s", -1e11, 1e11, &r->lifted_s);
		if (status == HOST_OK)
			status = json_read_number(place, "back_s", -1e11, 1e11, &r->back_s);
		if (status == HOST_OK)
			status = json_read_text(place, "place", &r->place);
		if (status == HOST_OK && !(r->lifted_s > last_s && r->back_s > r->lifted_s))
			status = host_fail_file(
				HOST_USAGE, folder, "truth.json: reentries: entry %zu: times do not grow", i);
		if (status != HOST_OK)
			return status;
		r->right = strcmp(r->place, "scanned") == 0;
		r->until_s = INFINITY;
		if (i > 0)
			r[-1].until_s = r->lifted_s;
		last_s = r->back_s;
		in->reentry_count++;
	}
	return HOST_OK;
}

host_status tracking_read(const char *folder, const json_t *truth, tracking_input *out)
{
	*out = (tracking_input){0};
	const host_status status = read_views(folder, out);
	return status == HOST_OK && truth != NULL ? read_reentries(folder, truth, out) : status;
}

static bool tells_degenerate(const json_t *entry)
{
	const char *reason = json_string_value(json_object_get(entry, "reason"));
	return json_integer_value(json_object_get(entry, "held")) > 0 ||
	       (reason != NULL && strcmp(reason, enm_reason_text(ENM_REASON_DEGENERATE)) == 0);
}

static int compare_times(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

host_status tracking_read_held(const char *path, const json_t *report, tracking_input *in)
{
	static const char *const LISTS[] = {"frames_not_tracked", "frames_held"};
	size_t room = 1;
	for (int l = 0; l < 2; l++)
		room += json_array_size(json_object_get(report, LISTS[l]));
	in->held_s = malloc(room * sizeof(*in->held_s));
	if (in->held_s == NULL)
		return host_fail_memory("the frames with held directions");
	for (int l = 0; l < 2; l++) {
		size_t i;
		const json_t *entry, *list = json_object_get(report, LISTS[l]);
		json_array_foreach(list, i, entry)
		{
			const json_t *time_s = json_object_get(entry, "time_s");
			if (!tells_degenerate(entry))
				continue;
			if (!json_is_number(time_s))
				return host_fail_file(
					HOST_USAGE, path, "%s: entry %zu: expected time_s in seconds", LISTS[l], i);
			in->held_s[in->held_count++] = json_number_value(time_s);
		}
	}
	if (in->held_count > 0)
		qsort(in->held_s, in->held_count, sizeof(double), compare_times);
	return HOST_OK;
}

void tracking_free(tracking_input *in)
{
	free(in->views);
	free(in->reentries);
	free(in->held_s);
	*in = (tracking_input){0};
}

/* ---- judging ---------------------------------------------------------------------------------------------------- */

/* The first of the views not before a time. */
static size_t view_from(const tracking_input *in, double time_s)
{
	size_t low = 0, high = in->view_count;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (in->views[middle].time_s < time_s - SAME_TIME_S)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What became of each view. */
typedef struct fate {
	bool tracked, wrong, told;
	bool misplaced; /* wrong against the frame nearest in viewpoint */
} fate;

static fate *fates_make(const tracking_input *in, const trajectory *measured, const wrong_poses *wrong)
{
	fate *f = calloc(in->view_count + 1, sizeof(*f));
	for (size_t i = 0; f != NULL && i < measured->count; i++)
		f[view_from(in, measured->poses[i].time_s)].tracked = true;
	for (size_t i = 0; f != NULL && i < wrong->count; i++) {
		fate *of = &f[view_from(in, wrong->poses[i].time_s)];
		of->wrong = true;
		of->misplaced = wrong->poses[i].by_viewpoint;
	}
	for (size_t i = 0; f != NULL && i < in->held_count; i++)
		f[view_from(in, in->held_s[i])].told = true;
	return f;
}

static void count_views(const tracking_input *in, const fate *fates, tracking *out)
{
	for (size_t i = 0; i < in->view_count; i++) {
		const tracking_view *v = &in->views[i];
		const bool foreign = v->foreign >= TRACKING_FOREIGN_SHARE;
		out->views++;
		if (v->in_range < TRACKING_VIEW_SHARE)
			continue;
		const bool degenerate = v->eigenvalue < TRACKING_DEGENERATE;
		out->in_view++;
		out->tracked += fates[i].tracked;
		out->foreign += foreign;
		out->foreign_tracked += foreign && fates[i].tracked;
		out->degenerate += degenerate;
		out->degenerate_told += degenerate && fates[i].told;
	}
}

static void judge_reentry(const tracking_input *in, const fate *fates, tracking_reentry *r)
{
	const size_t first = view_from(in, r->back_s), lifted = view_from(in, r->lifted_s);
	size_t from = first; /* what comes after the last frame that was shown nothing belongs to the new place */
	while (from > lifted && in->views[from - 1].in_range > 0)
		from--;
	r->after_s = r->after_shown_s = NAN;
	for (size_t i = from; i < in->view_count && in->views[i].time_s < r->until_s; i++) {
		if (!fates[i].tracked)
			continue;
		/* the frame before the first one lies at another place, and the drift from there to here is no wrong guess */
		const bool wrong = r->tracked == 0 ? fates[i].misplaced : fates[i].wrong;
		r->tracked++;
		r->wrong += wrong;
		if (isnan(r->after_shown_s) && !wrong)
			r->after_shown_s = in->views[i].time_s - in->views[from].time_s;
		if (i >= first && !r->recovered && !wrong) {
			r->recovered = true;
			r->after_s = in->views[i].time_s - r->back_s;
			r->after_frames = i - first;
		}
	}
}

/* Gaps in the frames that the dataset has, whatever they show. */
static void count_gaps(const tracking_input *in, const fate *fates, tracking *out)
{
	bool waiting = false;
	double since_s = 0;
	for (size_t i = 1; i < in->view_count; i++) {
		if (in->views[i].time_s - in->views[i - 1].time_s >= TRACKING_GAP_S) {
			out->gaps++;
			waiting = true;
			since_s = in->views[i].time_s;
		}
		if (waiting && fates[i].tracked && !fates[i].wrong) {
			waiting = false;
			out->gaps_resumed++;
			out->resumed_after_s = fmax(out->resumed_after_s, in->views[i].time_s - since_s);
		}
	}
	if (waiting && in->views[in->view_count - 1].time_s - since_s < TRACKING_GAP_END_S)
		out->gaps--;
}

/* `values` has room for three numbers a re-entry. */
static void count_reentries(const tracking_input *in, double *values, tracking *out)
{
	double *after_s = values, *after_frames = values + in->reentry_count,
	       *shown_s = after_frames + in->reentry_count;
	size_t n = 0;
	for (size_t i = 0; i < in->reentry_count; i++) {
		const tracking_reentry *r = &in->reentries[i];
		out->false_accepts += r->right ? r->wrong : r->tracked;
		out->reentries += r->right;
		out->recovered += r->right && r->recovered;
		out->wrong_places += !r->right;
		out->wrong_accepted += !r->right && r->tracked > 0;
		if (r->right && r->recovered) {
			after_frames[n] = (double)r->after_frames;
			shown_s[n] = r->after_shown_s;
			after_s[n++] = r->after_s;
		}
	}
	const stats seconds = stats_of(after_s, n), frames = stats_of(after_frames, n), shown = stats_of(shown_s, n);
	out->after_median_s = n > 0 ? seconds.median : (double)NAN;
	out->after_max_s = n > 0 ? seconds.max : (double)NAN;
	out->after_median_frames = n > 0 ? frames.median : (double)NAN;
	out->after_shown_median_s = n > 0 ? shown.median : (double)NAN;
}

host_status tracking_judge(tracking_input *in, const trajectory *measured, const wrong_poses *wrong, tracking *out)
{
	*out = (tracking){0};
	fate *fates = fates_make(in, measured, wrong);
	double *after = malloc((3 * in->reentry_count + 1) * sizeof(double));
	if (fates == NULL || after == NULL) {
		free(fates);
		free(after);
		return host_fail_memory("the tracking");
	}
	count_views(in, fates, out);
	count_gaps(in, fates, out);
	for (size_t i = 0; i < in->reentry_count; i++)
		judge_reentry(in, fates, &in->reentries[i]);
	count_reentries(in, after, out);
	free(fates);
	free(after);
	return HOST_OK;
}

/* ---- what comes out --------------------------------------------------------------------------------------------- */

static void put_count(json_t *object, const char *key, size_t value, bool *ok)
{
	json_put(object, key, json_integer((json_int_t)value), ok);
}

static json_t *reentries_json(const tracking_input *in, bool *ok)
{
	json_t *list = json_array();
	for (size_t i = 0; i < in->reentry_count; i++) {
		const tracking_reentry *r = &in->reentries[i];
		json_t *object = json_object();
		json_put(object, "back_s", json_finite(r->back_s), ok);
		json_put(object, "place", json_string(r->place), ok);
		put_count(object, "tracked", r->tracked, ok);
		put_count(object, "wrong", r->wrong, ok);
		json_put(object, "after_s", json_finite(r->after_s), ok);
		json_put(object, "after_frames", r->recovered ? json_integer((json_int_t)r->after_frames) : json_null(),
			ok);
		json_put(object, "after_shown_s", json_finite(r->after_shown_s), ok);
		*ok = json_array_append_new(list, object) == 0 && *ok;
	}
	return list;
}

json_t *tracking_json(const tracking_input *in, const tracking *t, bool *ok)
{
	json_t *object = json_object();
	put_count(object, "views", t->views, ok);
	put_count(object, "in_view", t->in_view, ok);
	put_count(object, "tracked", t->tracked, ok);
	put_count(object, "foreign", t->foreign, ok);
	put_count(object, "foreign_tracked", t->foreign_tracked, ok);
	put_count(object, "degenerate", t->degenerate, ok);
	put_count(object, "degenerate_told", t->degenerate_told, ok);
	put_count(object, "gaps", t->gaps, ok);
	put_count(object, "gaps_resumed", t->gaps_resumed, ok);
	json_put(object, "resumed_after_s", json_finite(t->resumed_after_s), ok);
	put_count(object, "reentries", t->reentries, ok);
	put_count(object, "recovered", t->recovered, ok);
	json_put(object, "after_median_s", json_finite(t->after_median_s), ok);
	json_put(object, "after_max_s", json_finite(t->after_max_s), ok);
	json_put(object, "after_median_frames", json_finite(t->after_median_frames), ok);
	json_put(object, "after_shown_median_s", json_finite(t->after_shown_median_s), ok);
	put_count(object, "wrong_places", t->wrong_places, ok);
	put_count(object, "wrong_accepted", t->wrong_accepted, ok);
	put_count(object, "false_accepts", t->false_accepts, ok);
	json_put(object, "visits", reentries_json(in, ok), ok);
	return object;
}

static double percent(size_t part, size_t of)
{
	return of > 0 ? 100 * (double)part / (double)of : 0.0;
}

void tracking_print(const tracking *t)
{
	printf("tracking: %zu of %zu frames with the jaw in view (%.2f %%)\n", t->tracked, t->in_view,
		percent(t->tracked, t->in_view));
	if (t->foreign > 0)
		printf("  a foreign body in %zu of them (%.1f %%), of which %.2f %% were tracked\n", t->foreign,
			percent(t->foreign, t->in_view), percent(t->foreign_tracked, t->foreign));
	if (t->degenerate > 0)
		printf("  degenerate: %zu of them, %.1f %% reported\n", t->degenerate,
			percent(t->degenerate_told, t->degenerate));
	if (t->gaps > 0)
		printf("  gaps of %g s and more: %zu, %zu resumed, after %.0f ms at most\n", TRACKING_GAP_S, t->gaps,
			t->gaps_resumed, 1e3 * t->resumed_after_s);
	if (t->reentries > 0)
		printf("  re-entries to what was scanned: %zu, %zu recovered", t->reentries, t->recovered);
	if (t->recovered > 0)
		printf(", after %.0f ms (%.0f frames) in the median, %.0f ms at most; %.0f ms after anything was in "
		       "range",
			1e3 * t->after_median_s, t->after_median_frames, 1e3 * t->after_max_s,
			1e3 * t->after_shown_median_s);
	printf("%s", t->reentries > 0 ? "\n" : "");
	if (t->wrong_places > 0)
		printf("  visits to wrong places: %zu, %zu accepted\n", t->wrong_places, t->wrong_accepted);
	if (t->reentries + t->wrong_places > 0)
		printf("  frames falsely accepted: %zu\n", t->false_accepts);
}
