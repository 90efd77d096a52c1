/* SPDX-License-Identifier: Apache-2.0
 * enamel-covariance: is the covariance that reports have honest? For pairs of frames some time apart, the error of the motion between them
 * against the true one, squared, in units of the covariance that both reports promise: 1 a degree of freedom where the promise is kept
 * (Bar-Shalom, Li and Kirubarajan 2001, section 5.4). */
#include "frames.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "json.h"
#include "options.h"

static const char about[] =
	"Compares the errors of motions between frames with the covariances that the engine reports for them. What the figures\n"
	"mean: bench/README.md.";

#define LAGS 4
static const size_t lags[LAGS] = {1, 10, 20, 30};

/* A rigid motion, rotation row by row. */
typedef struct motion {
	double r[9], t[3];
} motion;

/* Of a lag, all pairs together; `all`, the turn and the move alone. */
typedef struct score {
	size_t pairs;
	double *all; /* normalised error squared by pair, for the median */
	double sum_all, sum_turn, sum_move;
	double turn2, move2, turn2_promised, move2_promised; /* rad2, mm2 */
} score;

/* ---- motions ---- */

static motion from_pose(const enm_pose *p)
{
	const double x = p->q_xyzw[0], y = p->q_xyzw[1], z = p->q_xyzw[2], w = p->q_xyzw[3];
	return (motion){{1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), 2 * (x * y + z * w), 1 - 2 * (x * x + z * z),
				2 * (y * z - x * w), 2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)},
		{p->t_mm[0], p->t_mm[1], p->t_mm[2]}};
}

/* a^-1 b */
static motion between(const motion *a, const motion *b)
{
	motion out;
	for (int i = 0; i < 3; i++) {
		out.t[i] = 0.0;
		for (int j = 0; j < 3; j++) {
			out.t[i] += a->r[j * 3 + i] * (b->t[j] - a->t[j]);
			out.r[i * 3 + j] = 0.0;
			for (int k = 0; k < 3; k++)
				out.r[i * 3 + j] += a->r[k * 3 + i] * b->r[k * 3 + j];
		}
	}
	return out;
}

/* Small turn and move. */
static void twist(const motion *m, double out[6])
{
	out[0] = 0.5 * (m->r[7] - m->r[5]);
	out[1] = 0.5 * (m->r[2] - m->r[6]);
	out[2] = 0.5 * (m->r[3] - m->r[1]);
	for (int i = 0; i < 3; i++)
		out[3 + i] = m->t[i];
}

/* What a small motion of the first camera is for the second, in turn and move: six by six. */
static void carried(const motion *second_from_first, double out[36])
{
	const double *r = second_from_first->r, *t = second_from_first->t;
	const double cross[9] = {0, -t[2], t[1], t[2], 0, -t[0], -t[1], t[0], 0};
	memset(out, 0, 36 * sizeof(*out));
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++) {
			out[i * 6 + j] = out[(3 + i) * 6 + 3 + j] = r[i * 3 + j];
			for (int k = 0; k < 3; k++)
				out[(3 + i) * 6 + j] += cross[i * 3 + k] * r[k * 3 + j];
		}
}

/* second + map first map^T */
static void add_covariances(const float *first, const float *second, const double *map, double out[36])
{
	double half[36];
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			half[i * 6 + j] = 0.0;
			for (int k = 0; k < 6; k++)
				half[i * 6 + j] += map[i * 6 + k] * (double)first[k * 6 + j];
		}
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			out[i * 6 + j] = (double)second[i * 6 + j];
			for (int k = 0; k < 6; k++)
				out[i * 6 + j] += half[i * 6 + k] * map[j * 6 + k];
		}
}

/* e^T (part of c)^-1 e for the unknowns [from, to), by Cholesky; NAN where it is not positive. */
static double normalised(const double c[36], const double e[6], int from, int to)
{
	double l[36], y[6], sum = 0.0;
	for (int i = from; i < to; i++) {
		y[i] = e[i];
		for (int j = from; j <= i; j++) {
			double t = c[i * 6 + j];
			for (int k = from; k < j; k++)
				t -= l[i * 6 + k] * l[j * 6 + k];
			if (i == j && !(t > 0.0))
				return (double)NAN;
			l[i * 6 + j] = i == j ? sqrt(t) : t / l[j * 7];
		}
		for (int k = from; k < i; k++)
			y[i] -= l[i * 6 + k] * y[k];
		y[i] /= l[i * 7];
		sum += y[i] * y[i];
	}
	return sum;
}

/* ---- pairs ---- */

static void add_pair(const enm_report *first, const enm_report *second, const enm_pose *first_true, const enm_pose *second_true, score *s)
{
	const motion a = from_pose(&first->world_from_camera), b = from_pose(&second->world_from_camera);
	const motion a_true = from_pose(first_true), b_true = from_pose(second_true);
	const motion found = between(&a, &b), wanted = between(&a_true, &b_true), error = between(&wanted, &found), back = between(&b, &a);
	double e[6], map[36], c[36];
	twist(&error, e);
	carried(&back, map);
	add_covariances(first->covariance, second->covariance, map, c);
	const double all = normalised(c, e, 0, 6);
	if (!isfinite(all))
		return;
	s->all[s->pairs++] = all;
	s->sum_all += all;
	s->sum_turn += normalised(c, e, 0, 3);
	s->sum_move += normalised(c, e, 3, 6);
	for (int i = 0; i < 3; i++) {
		s->turn2 += e[i] * e[i];
		s->move2 += e[3 + i] * e[3 + i];
		s->turn2_promised += c[i * 7];
		s->move2_promised += c[(3 + i) * 7];
	}
}

/* The first frame and its followers define the poses, and have no covariance that could be judged. */
static bool judged(const enm_report *r)
{
	return r->verdict == ENM_VERDICT_TRACKED && r->samples > 0 && r->covariance[0] > 0.0f;
}

static void add_pairs(const frames_input *in, const enm_report *reports, const trajectory *truth, double first_s, size_t lag, score *s)
{
	for (size_t i = 0; i + lag < in->count; i++) {
		const enm_report *first = &reports[i], *second = &reports[i + lag];
		const trajectory_pose *a = trajectory_nearest(truth, first_s + 1e-9 * (double)in->time_ns[i], 1e-3),
				      *b = trajectory_nearest(truth, first_s + 1e-9 * (double)in->time_ns[i + lag], 1e-3);
		if (judged(first) && judged(second) && a != NULL && b != NULL)
			add_pair(first, second, &a->world_from_camera, &b->world_from_camera, s);
	}
}

/* ---- figures ---- */

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Median of chi squared with six degrees of freedom. */
#define MEDIAN_6 5.348

static json_t *figures(score *s, size_t lag, bool *ok)
{
	const double n = (double)s->pairs;
	json_t *root = json_object();
	qsort(s->all, s->pairs, sizeof(*s->all), compare);
	const double median = s->pairs > 0 ? s->all[s->pairs / 2] / MEDIAN_6 : (double)NAN;
	printf("%7zu %7zu %9.2f %9.2f %9.2f %9.2f %10.4f %10.4f %9.2f %9.2f\n", lag, s->pairs, s->sum_all / n / 6.0, median,
		s->sum_turn / n / 3.0, s->sum_move / n / 3.0, 1e3 * sqrt(s->turn2 / n), 1e3 * sqrt(s->turn2_promised / n),
		1e3 * sqrt(s->move2 / n), 1e3 * sqrt(s->move2_promised / n));
	json_put(root, "lag_frames", json_integer((json_int_t)lag), ok);
	json_put(root, "pairs", json_integer((json_int_t)s->pairs), ok);
	json_put(root, "mean", json_finite(s->sum_all / n / 6.0), ok);
	json_put(root, "median", json_finite(median), ok);
	json_put(root, "turn", json_finite(s->sum_turn / n / 3.0), ok);
	json_put(root, "move", json_finite(s->sum_move / n / 3.0), ok);
	json_put(root, "turn_rms_mrad", json_finite(1e3 * sqrt(s->turn2 / n)), ok);
	json_put(root, "turn_promised_mrad", json_finite(1e3 * sqrt(s->turn2_promised / n)), ok);
	json_put(root, "move_rms_um", json_finite(1e3 * sqrt(s->move2 / n)), ok);
	json_put(root, "move_promised_um", json_finite(1e3 * sqrt(s->move2_promised / n)), ok);
	return root;
}

static json_t *all_figures(const frames_input *in, const enm_report *reports, const trajectory *truth, double first_s)
{
	bool ok = true;
	json_t *array = json_array();
	printf("%7s %7s %9s %9s %9s %9s %10s %10s %9s %9s\n", "frames", "pairs", "mean", "median", "turn", "move", "turn mrad", "promised",
		"move um", "promised");
	for (int k = 0; k < LAGS; k++) {
		score s = {.all = calloc(in->count, sizeof(double))};
		if (s.all == NULL) {
			json_decref(array);
			return NULL;
		}
		add_pairs(in, reports, truth, first_s, lags[k], &s);
		ok = !json_array_append_new(array, figures(&s, lags[k], &ok)) && ok;
		free(s.all);
	}
	if (!ok) {
		json_decref(array);
		array = NULL;
	}
	return array;
}

/* ---- the scan ---- */

static enm_result scan(enm_session *s, const frames_input *in, enm_report *out_reports)
{
	enm_result result = ENM_OK;
	for (size_t i = 0; i < in->count && result >= 0; i++) {
		const enm_frame frame = {.depth = in->depth + i * in->pixels,
			.color_rgb = in->has_color[i] ? in->rgb + 3 * i * in->pixels : NULL,
			.time_ns = in->time_ns[i]};
		result = enm_session_push(s, &frame, NULL);
	}
	if (result >= 0)
		result = enm_session_flush(s);
	for (size_t i = 0; i < in->count && result >= 0; i++)
		result = enm_session_next_report(s, &out_reports[i]);
	return result;
}

static host_status run_session(const frames_options *o, const frames_input *in, enm_report *out_reports)
{
	enm_context_def def = enm_context_def_default();
	enm_context *context = NULL;
	enm_session *session = NULL;
	def.device_name = o->device;
	enm_result result = enm_context_create(&def, &context);
	if (result >= 0)
		result = enm_session_create(context, &in->def, &session);
	if (result >= 0)
		result = scan(session, in, out_reports);
	host_status status = result < 0 ? host_fail(HOST_DATA, "%s", enm_last_error()) : HOST_OK;
	enm_session_destroy(&session);
	enm_context_destroy(&context);
	return status;
}

static host_status read_truth(const frames_options *o, trajectory *out_truth, double *out_first_s)
{
	dataset d;
	host_status status = dataset_open(o->folder, NULL, &d);
	if (!status)
		status = dataset_read_truth(&d, out_truth);
	*out_first_s = status ? 0.0 : d.frames[o->frames[0]].time_s;
	dataset_close(&d);
	return status;
}

static host_status run(const frames_options *o)
{
	frames_input in;
	trajectory truth = {0};
	double first_s;
	json_t *root = NULL;
	enm_report *reports = NULL;
	host_status status = frames_input_load(o, &in);
	if (status)
		return status;
	if (in.count > ENM_REPORTS_KEPT)
		status = host_fail(HOST_USAGE, "--frames: at most %d at a time", ENM_REPORTS_KEPT);
	if (!status)
		status = read_truth(o, &truth, &first_s);
	reports = calloc(in.count + 1, sizeof(*reports));
	if (!status && reports == NULL)
		status = host_fail_memory("the reports");
	if (!status)
		status = run_session(o, &in, reports);
	if (!status) {
		root = all_figures(&in, reports, &truth, first_s);
		status = root ? HOST_OK : host_fail_memory("the figures");
	}
	if (!status && o->json)
		status = json_file_write(o->json, root);
	json_decref(root);
	free(reports);
	trajectory_free(&truth);
	frames_input_free(&in);
	return status;
}

int main(int argc, char **argv)
{
	frames_options o = {.frames = {0, INT64_MAX}};
	option_def table[] = {
		{"frames", OPTION_RANGE, o.frames, 0, 0, "A:B", "frames A to B only, from 0, B not included", NULL, false},
		{"voxel-mm", OPTION_NUMBER, &o.voxel_mm, 1e-3, 1e3, "MM", "edge of a voxel (0.1 for teeth, 10 for rooms)", NULL, false},
		{"device", OPTION_TEXT, &o.device, 0, 0, "NAME", "part of a device's name", NULL, false},
		{"json", OPTION_TEXT, &o.json, 0, 0, "FILE", "the figures as JSON", NULL, false},
	};
	options_def def = {"DATASET [options]", about, table, sizeof(table) / sizeof(*table), 1, 1};
	options_result parsed;
	host_set_program("enamel-covariance");
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	if (!status) {
		o.folder = parsed.positional[0];
		status = run(&o);
	}
	return status ? host_report_failure(status) : HOST_OK;
}
