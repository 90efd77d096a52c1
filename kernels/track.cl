/* SPDX-License-Identifier: Apache-2.0
 *
 * Frame-to-model alignment, all of it on the device: prediction, solve, stop.
 *
 *   track_predict   where the camera should be by now
 *   track_step      adds the partial sums of residuals.cl, solves, moves the pose, decides whether to go on
 */
#include "course.h"
#include "hold.h"
#include "sums.h"
#include "unknowns.h"

/* A prediction stands for as long as a hand keeps its course. */
#define REACH_S 0.2f

/* What the caller knows, as a matrix in the unknowns of the solve. */
static inline void prior_from_information(const enm_k_pose *pose, float pivot_mm, float share, __global const float *information,
					  __private float *prior)
{
	float map[36], product[36];
	unknowns_to_camera(pose, pivot_mm, map);
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			float sum = 0.0f;
			for (int k = 0; k < 6; k++)
				sum += information[i * 6 + k] * map[k * 6 + j];
			product[i * 6 + j] = sum * share;
		}
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++) {
			float sum = 0.0f;
			for (int k = 0; k < 6; k++)
				sum += map[k * 6 + i] * product[k * 6 + j];
			prior[i * 6 + j] = sum;
		}
}

/* The twist since the frame before: what the caller says, weighed against a motion that goes on as it was. `twist` holds the latter. */
static inline void join_motion(__global const enm_k_input *input, float pivot_mm, float since_s, __private float *twist)
{
	float off_mm = fmax(0.5f * ENM_K_HAND_ACCELERATION_MM_S2 * since_s * since_s, 1e-3f), off_rad = off_mm / (0.5f * pivot_mm);
	float h[36], b[6];
	for (int i = 0; i < 6; i++) {
		b[i] = 0.0f;
		for (int j = 0; j < 6; j++) {
			h[i * 6 + j] = input->information[i * 6 + j];
			b[i] += h[i * 6 + j] * (input->motion[j] - twist[j]);
		}
		h[i * 7] += i < 3 ? 1.0f / (off_rad * off_rad) : 1.0f / (off_mm * off_mm);
	}
	if (solve_6(h, b))
		for (int i = 0; i < 6; i++)
			twist[i] += b[i];
}

/* Where a hand is after a gap is not known any better than after as many lost frames. */
static inline void note_gap(float dt_s, __private enm_k_track *s)
{
	if (s->tracked > 1 && dt_s > ENM_K_GAP_S && dt_s > ENM_K_GAP_PERIODS * s->period_s) {
		s->events |= s->lost == 0 ? ENM_K_EVENT_LOST : 0;
		s->lost = max(s->lost, 1u);
		s->missed = max(s->missed, ENM_K_MISSED_FRAMES + 1u);
		s->probation = 0;
	}
	s->period_s = dt_s;
}

/* Whether the course goes on to the next frame: from a pose whose covariance is known, and which was the hand's. Of one that contradicts the model
 * a body may have had a part, and one with a direction held followed the course itself. What the caller tells goes before; where rows are exposed one
 * after the other the motion within the frame has such a prior of its own. */
static inline bool course_is_followed(__global const enm_k_track *track, __global const enm_k_input *input, float half_exposure_s)
{
	bool unsure = track->verdict == ENM_K_VERDICT_WEAK &&
		      (track->reason == ENM_K_REASON_FEW_READINGS || track->reason == ENM_K_REASON_RECOVERING);
	bool stands = track->tracked > 0 && (track->verdict == ENM_K_VERDICT_TRACKED || unsure) && track->held == 0 &&
		      track->since_last_s == 0.0f && track->information[0] > 0.0f;
	float told = 0.0f;
	for (int i = 0; i < 6; i++)
		told += input->has_motion * input->information[i * 7];
	return stands && told == 0.0f && input->dt_s >= ENM_K_VELOCITY_TELLS_S && input->dt_s <= ENM_K_GAP_S && half_exposure_s == 0.0f;
}

/* `half_exposure_s`: from the middle row to the last, 0 where all are exposed at once. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_predict(__global enm_k_track *track, __global const enm_k_input *input, float pivot_guess_mm, float half_exposure_s)
{
	__local course_work work;
	course_carry_on(course_is_followed(track, input, half_exposure_s), input->dt_s, track->information, &track->course, &work);
	if (get_local_id(0) != 0)
		return;
	enm_k_track s = *track;
	if (s.frames == 0)
		s.pivot_mm = pivot_guess_mm;
	s.frames++;
	bool last_was_lost = s.since_last_s > 0.0f;
	s.since_last_s += input->dt_s;
	float reach_s = fmin(s.since_last_s, REACH_S), twist[6];
	bool told = input->has_motion != 0.0f && s.tracked > 0;
	/* a motion that the caller tells goes on from where the frame before was thought to be */
	enm_k_pose from = s.last;
	if (told && last_was_lost) {
		from = s.predicted;
		reach_s = fmin(reach_s, input->dt_s);
	}
	for (int i = 0; i < 6; i++)
		twist[i] = s.velocity[i] * reach_s;
	if (told)
		join_motion(input, s.pivot_mm, fmin(input->dt_s, REACH_S), twist);
	pose_compose_twist(&from, twist, twist + 3, &s.predicted);
	s.world_from_camera = s.predicted;
	for (int i = 0; i < 36; i++)
		s.prior[i] = s.hold[i] = s.information[i] = 0.0f;
	s.color_share = 0.0f;
	s.colored = 0; /* the frame may have none */
	if (told)
		prior_from_information(&s.predicted, s.pivot_mm, 1.0f / (s.missed + 1), input->information, s.prior);
	float per_s = told && input->dt_s > 0.0f ? 1.0f / input->dt_s : 0.0f;
	for (int i = 0; i < 6; i++)
		s.skew[i] = half_exposure_s * (told ? twist[i] * per_s : s.velocity[i]);
	s.done = s.tracked == 0 ? ENM_K_DONE_ALL : 0;
	s.iterations = s.samples = s.valid_readings = s.held = s.events = 0;
	note_gap(input->dt_s, &s);
	s.verdict = ENM_K_VERDICT_LOST;
	s.reason = ENM_K_REASON_NONE;
	s.sigma_mm = s.gate_mm = s.overlap = s.inliers = s.free_share = s.rms_mm = s.least_eigenvalue = s.step = 0.0f;
	*track = s;
}

/* Reach of the biweight in residuals. Narrower ones (5) were seen to bias the pose at edges, wider ones (20) to let edges in. */
#define GATE_RMS 7.0f
/* Finds what the data, a matrix per unit of weight, do not fix: along that the pose stays at the prediction (Zhang et al. 2016, who leave it out
 * of the step). */
static inline void hold_directions(__private float *h, const float *painted, __global enm_k_track *track)
{
	float hold[36], worst[6], color_share;
	bool doubtful;
	uint held = open_directions(
		track->wary > 0 && track->colored == 0 ? EIGENVALUE_WARY : 1.0f, h, hold, worst, &doubtful, painted, &color_share);
	track->color_share = color_share;
	for (int i = 0; i < 36; i++)
		track->hold[i] = hold[i];
	for (int i = 0; i < 6; i++)
		track->held_direction[i] = worst[i];
	track->held = held;
	track->doubtful = doubtful ? 1 : 0;
}

/* How well the motion within a frame is known from that between frames, once the change of course so far is carried on: as well as if a
 * hand changed it for this share of the time between them. With shares of 0.25 and 0.12 the readings' noise bent the frames by more, on
 * simulated hands and on one that trembles by 0.05 mm at 9 Hz (engine/README.md). */
#define SKEW_LAG_SHARE 0.06f
/* Where rows follow each other at once, there is no motion between them to be solved for. */
#define SKEW_SIGMA_LEAST_MM 1e-6f

/* The motion during half an exposure if the wand moves on as it has come here since the last frame, with the change since the motion before
 * that carried on. */
static inline void predict_skew(__global const enm_k_track *track, const enm_k_pose *pose, float half_exposure_s, __private float *skew)
{
	float twist[6];
	enm_k_pose last = track->last;
	pose_twist(pose, &last, twist, twist + 3);
	/* of frames that follow each other too soon the twist tells nothing, and the velocity is that of before (gate.cl) */
	float told = pown(fmin(track->since_last_s / ENM_K_VELOCITY_TELLS_S, 1.0f), 2), kept = (1.0f - told) * half_exposure_s;
	float half_per_s = track->since_last_s > 0.0f ? half_exposure_s / track->since_last_s : 0.0f;
	bool steady = track->missed == 0; /* else there is no motion before that */
	float now = steady ? 1.5f * half_per_s : half_per_s, before = steady ? 0.5f * half_exposure_s : 0.0f;
	/* a model of one frame alone is bent as that one was: so is the next, by nearly the same motion */
	if (track->tracked < 2)
		now = before = kept = 0.0f;
	for (int i = 0; i < 6; i++)
		skew[i] = told * (now * twist[i] - before * track->velocity[i]) + kept * track->velocity[i];
}

/* What the motion between frames says of that within the frame, per mm2. */
static inline float skew_information(__global const enm_k_track *track, float half_exposure_s)
{
	float lag_s = SKEW_LAG_SHARE * clamp(track->since_last_s, 0.005f, REACH_S);
	float sigma_mm = fmax(ENM_K_HAND_ACCELERATION_MM_S2 * lag_s * half_exposure_s, SKEW_SIGMA_LEAST_MM);
	return 1.0f / (sigma_mm * sigma_mm);
}

/* Takes the motion within the frame out of the system: what is left in `h` and `g` is for the pose alone. `to_skew` gets what tells the
 * motion from the step: motion = to_skew[6] - to_skew . step, a row of seven each. False where there is no solution. */
static inline bool reduce_skew(__local const float *total, __global const enm_k_track *track, const enm_k_pose *pose, float pivot_mm,
			       float half_exposure_s, float unit, __private float *h, __private float *g, __private float *to_skew)
{
	float now[6], then[6], skew[6], predicted[6];
	float per_sigma2 = unit * skew_information(track, half_exposure_s);
	for (int i = 0; i < 6; i++)
		skew[i] = track->skew[i];
	predict_skew(track, pose, half_exposure_s, predicted);
	motion_to_unknowns(pose, pivot_mm, skew, now);
	motion_to_unknowns(pose, pivot_mm, predicted, then);
	for (int column = 0; column < 7; column++) {
		float matrix[36], b[6];
		for (int i = 0; i < 6; i++) {
			for (int j = 0; j < 6; j++)
				matrix[i * 6 + j] = total[ENM_K_SUM_SKEW2(i, j)];
			matrix[i * 7] += per_sigma2;
			b[i] = column < 6 ? total[ENM_K_SUM_SKEW(i, column)] :
					    -(total[ENM_K_SUM_SKEW_GRADIENT(i)] + per_sigma2 * (now[i] - then[i]));
		}
		if (!solve_6(matrix, b))
			return false;
		for (int i = 0; i < 6; i++)
			to_skew[i * 7 + column] = b[i];
	}
	for (int i = 0; i < 6; i++) {
		for (int k = 0; k < 6; k++) {
			float cross_term = total[ENM_K_SUM_SKEW(k, i)];
			for (int j = 0; j < 6; j++)
				h[i * 6 + j] -= cross_term * to_skew[k * 7 + j];
			g[i] += cross_term * to_skew[k * 7 + 6];
		}
	}
	return true;
}

/* The matrices of the prediction and of what is held, and their pull. */
static inline void add_prior(__global const enm_k_track *track, float unit, float course_unit, float weight, float prediction, const float *e,
			     __private float *h, __private float *g)
{
	for (int a = 0; a < 6; a++)
		for (int b = 0; b < 6; b++) {
			float p = unit * track->prior[a * 6 + b] + course_unit * track->course.information[a * 6 + b] +
				  weight * track->hold[a * 6 + b] + (a == b ? prediction : 0.0f);
			h[a * 6 + b] += p;
			g[a] += p * e[b];
		}
}

/* What is told of a pose is less than what the solve takes for it: errors from frame to frame are those of so many readings counted as one
 * (engine/README.md). */
#define READINGS_ALIKE_TOLD 13.5f

/* Along what is held only what was known before counts: `prediction` and the prior, of which `information` has both and the data. */
static inline void leave_out_held(__global const enm_k_track *track, float prediction, __private float *information)
{
	float p[36], half_left[36];
	for (int i = 0; i < 36; i++)
		p[i] = track->hold[i] * (1.0f / HOLD_WEIGHT);
	for (int i = 0; i < 36; i++) {
		information[i] -= track->prior[i] + (i % 7 == 0 ? prediction : 0.0f);
		half_left[i] = information[i];
	}
	for (int i = 0; i < 36; i++)
		for (int k = 0; k < 6; k++)
			half_left[i] -= p[i / 6 * 6 + k] * information[k * 6 + i % 6];
	for (int i = 0; i < 36; i++) {
		information[i] = half_left[i] + track->prior[i] + (i % 7 == 0 ? prediction : 0.0f);
		for (int k = 0; k < 6; k++)
			information[i] -= half_left[i / 6 * 6 + k] * p[k * 6 + i % 6];
	}
}

/* The pose that is told is that of the first row: the middle row's less the motion from there. In these two unknowns a reading at a moment
 * depends on the pose once and on the motion 1 + moment times; the motion is taken out. Adds to `information`, which has what was known
 * before; false where nothing can be told. */
static inline bool add_rows(__local const float *total, float per_reading, float per_sigma2, __private float *information)
{
	float cross_terms[36], within[36];
	for (int i = 0; i < 36; i++) {
		int a = i / 6, b = i % 6;
		float none = total[ENM_K_SUM_H(a, b)] * per_reading + information[i], once = total[ENM_K_SUM_SKEW(a, b)] * per_reading;
		information[i] = none;
		cross_terms[i] = none + once;
		within[i] = none + 2.0f * once + total[ENM_K_SUM_SKEW2(a, b)] * per_reading + (a == b ? per_sigma2 : 0.0f);
	}
	bool good = true;
	for (int column = 0; column < 6 && good; column++) {
		float b[6];
		for (int i = 0; i < 6; i++)
			b[i] = cross_terms[i * 6 + column];
		good = solve_copy_6(within, b);
		for (int i = 0; i < 6 && good; i++)
			for (int k = 0; k < 6; k++)
				information[i * 6 + column] -= cross_terms[k * 6 + i] * b[k];
	}
	return good;
}

/* What the frame, and the caller, say of the pose after this step, per mm2. */
static inline void keep_information(__local const float *total, float half_exposure_s, float sigma_ref_mm, float prior_sigma_mm,
				    __global enm_k_track *track)
{
	/* of a reading that weighs 1: as many count as the robust weights leave */
	float counted = total[ENM_K_SUM_INLIER] * total[ENM_K_SUM_WEIGHT] / total[ENM_K_SUM_QUALITY];
	float noise2 = fmax(sigma_ref_mm * sigma_ref_mm, total[ENM_K_SUM_COST] / counted);
	float per_reading = 1.0f / (READINGS_ALIKE_TOLD * noise2), prediction = 1.0f / (prior_sigma_mm * prior_sigma_mm);
	float information[36];
	bool good = true;
	for (int i = 0; i < 36; i++)
		information[i] = track->prior[i] + (i % 7 == 0 ? prediction : 0.0f);
	if (half_exposure_s > 0.0f) {
		good = add_rows(total, per_reading, skew_information(track, half_exposure_s), information);
	} else {
		for (int i = 0; i < 36; i++)
			information[i] += total[ENM_K_SUM_H(i / 6, i % 6)] * per_reading;
	}
	if (track->held > 0)
		leave_out_held(track, prediction, information);
	for (int i = 0; i < 36; i++)
		track->information[i] = good ? information[i] : 0.0f;
}

static inline void stop_aligning(__global enm_k_track *track)
{
	track->done = ENM_K_DONE_ALL; /* nothing to hold on to: the gate will say why, or that it did not settle */
	track->step = INFINITY;
}

/* What the hand's course weighs in this step, from the one that the frame alone would take; of a jerk the first ones tell too little. `unit`: variance
 * that a reading of reference noise adds to the solve; that of residuals would let the course win where they are great because it is wrong.
 * Where the shape hardly fixes a direction it would go on by itself there, and colour tells less of a step than it should the farther the pose
 * is off: such frames stand alone. */
static inline void weigh_course(__private const float *h, __private const float *g, const float *e, float unit, __global enm_k_track *track)
{
	float alone[6], information[36];
	for (int i = 0; i < 6; i++)
		alone[i] = -g[i];
	for (int i = 0; i < 36; i++)
		information[i] = h[i] / unit;
	bool usable = track->course.weight > 0.0f && track->held == 0 && track->doubtful == 0 && track->colored == 0 && solve_copy_6(h, alone);
	for (int i = 0; i < 6; i++)
		alone[i] += e[i];
	track->course.weight = usable ? course_weight(&track->course, information, alone) : 0.0f;
}

/* Solves for the step from the sums in `total`, and takes it; before the first one finds from rows in `fixed`, to which colour has added those in `painted`, what
 * has to be held. */
static inline void take_step(const enm_k_level *level, float voxel_mm, float sigma_ref_mm, float half_exposure_s, bool first,
			     __local const float *total, __local const float *fixed, __local const float *painted, __global enm_k_track *track)
{
	float inliers = total[ENM_K_SUM_INLIER], weight = total[ENM_K_SUM_WEIGHT];
	track->iterations++;
	if (!(inliers >= 30.0f && weight > 0.0f)) {
		stop_aligning(track);
		return;
	}
	enm_k_pose pose = track->world_from_camera, predicted = track->predicted;
	float pivot_depth_mm = track->pivot_mm, lever_mm = 0.5f * pivot_depth_mm;
	bool rolling = half_exposure_s > 0.0f;
	float h[36], g[6], e[6], step[6], to_skew[42];
	for (int a = 0; a < 6; a++) {
		g[a] = total[ENM_K_SUM_GRADIENT(a)];
		for (int b = 0; b < 6; b++)
			h[a * 6 + b] = total[ENM_K_SUM_H(a, b)];
	}
	if (first) {
		float data[36], paint[36];
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < 6; b++) {
				data[a * 6 + b] = 0.5f * (fixed[a * 8 + b] + fixed[b * 8 + a]) / weight;
				paint[a * 6 + b] = painted[a * 8 + b] / weight;
			}
		hold_directions(data, paint, track);
	}
	/* a reading at reference noise weighs 1: what is known before is brought to that unit */
	float unit = ENM_K_READINGS_ALIKE * sigma_ref_mm * sigma_ref_mm;
	bool solvable = !rolling || reduce_skew(total, track, &pose, pivot_depth_mm, half_exposure_s, unit, h, g, to_skew);
	deviation(&pose, &predicted, pivot_depth_mm, e);
	/* The prediction as a prior: it holds what the surface does not fix and is drowned by any surface that fixes the pose. */
	float rms_mm = sqrt(total[ENM_K_SUM_COST] / weight);
	keep_information(total, half_exposure_s, sigma_ref_mm, level->prior_sigma_mm, track);
	float course_unit = READINGS_ALIKE_TOLD * sigma_ref_mm * sigma_ref_mm;
	weigh_course(h, g, e, course_unit, track);
	add_prior(track, unit, course_unit * track->course.weight, weight, unit / (level->prior_sigma_mm * level->prior_sigma_mm), e, h, g);
	for (int a = 0; a < 6; a++)
		step[a] = -g[a];
	if (!solvable || !solve_6(h, step)) {
		stop_aligning(track);
		return;
	}
	float change[6] = {0.0f}, size = 0.0f; /* of the motion within the frame */
	for (int a = 0; a < 6 && rolling; a++) {
		change[a] = to_skew[a * 7 + 6];
		for (int b = 0; b < 6; b++)
			change[a] -= to_skew[a * 7 + b] * step[b];
	}
	for (int a = 0; a < 6; a++)
		size = fmax(size, fmax(fabs(step[a]), fabs(change[a])));
	float reach_mm = 2.0f * level->gate_start_mm;
	float shorten = size > reach_mm ? reach_mm / size : 1.0f;
	float turn[3] = {step[0] * shorten / lever_mm, step[1] * shorten / lever_mm, step[2] * shorten / lever_mm};
	float move[3] = {step[3] * shorten, step[4] * shorten, step[5] * shorten};
	enm_k_pose moved;
	pose_turn_about(&pose, pose_apply(&pose, (float3)(0.0f, 0.0f, pivot_depth_mm)), turn, move, &moved);
	if (rolling) {
		float skew_change[6];
		motion_from_unknowns(&pose, pivot_depth_mm, change, skew_change);
		for (int i = 0; i < 6; i++)
			track->skew[i] += shorten * skew_change[i];
	}
	track->world_from_camera = moved;
	track->rms_mm = rms_mm;
	track->gate_mm = clamp(GATE_RMS * rms_mm, level->gate_floor_mm, level->gate_start_mm);
	track->step = size * shorten / voxel_mm;
	track->system_pivot_mm = pivot_depth_mm;
	track->pivot_mm = total[ENM_K_SUM_DEPTH] / total[ENM_K_SUM_OFFERED];
	if (track->step < level->step_done)
		track->done |= ENM_K_DONE_LEVEL << level->index;
}

/* The share of the frame's contrast that the model's colour must explain to vouch for a pose. */
#define COLOR_AGREES 0.3f

/* Adds the groups of a row from `first` on. */
static inline float8 groups_total(__global const float8 *partials, int first, int row)
{
	float8 total = (float8)(0.0f);
#pragma unroll 8
	for (int g = 0; g < ENM_K_TRACK_GROUPS; g++)
		total += partials[(first + g) * ENM_K_SUM_ROWS_ROLLING + row];
	return total;
}

/* `sums` receives the totals for track_gate. `half_exposure_s`: from the middle row to the last, 0 where all are exposed at once. `first`:
 * this is the first step of its level. `checked`: where the fit is in doubt, there are sums of track_sum_fixed. `color`: there are sums of track_sum_color too. They fix directions, and vouch for them where they
 * agree; how well the shape agrees is not for them to say. */
__kernel __attribute__((reqd_work_group_size(ENM_K_TRACK_GROUP, 1, 1)))
void track_step(const enm_k_level level, float voxel_mm, float sigma_ref_mm, float half_exposure_s, int first, int checked, int color,
		__global const float8 *partials, __global float8 *sums, __global enm_k_track *track)
{
	__local float total[ENM_K_SUMS_ROLLING], fixed[ENM_K_SUMS], vouched[ENM_K_SUMS], said[ENM_K_COLOR_ROWS];
	int item = get_local_id(0), rows = half_exposure_s > 0.0f ? ENM_K_SUM_ROWS_ROLLING : ENM_K_SUM_ROWS;
	bool skipped = level_skipped(track, &level);
	bool vouches = false, colored = color != 0 && track->colored != 0, doubtful = checked != 0 && track->doubtful != 0;
	float8 shape = (float8)(0.0f), painted = (float8)(0.0f);
	if (item < rows && !skipped) {
		shape = groups_total(partials, 0, item);
		if (colored)
			painted = groups_total(partials, ENM_K_PARTIALS_COLOR, item);
		if (item < ENM_K_COLOR_ROWS)
			said[item] = painted.s7;
		painted.s7 = 0.0f;
		vstore8(colored ? shape + painted : shape, item, total);
		if (item < ENM_K_SUM_ROWS)
			vstore8(doubtful && item < 6 ? groups_total(partials, ENM_K_PARTIALS_FIXED, item) : shape, item, fixed);
	}
	/* of global memory too: the others have read `done`, which item 0 is about to write */
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	if (item < ENM_K_SUM_ROWS && !skipped) {
		float explained = said[ENM_K_COLOR_EXPLAINED], residual = said[ENM_K_COLOR_RESIDUAL];
		vouches = colored && explained > COLOR_AGREES * (explained + residual);
		sums[item] = vouches ? shape + painted : shape;
		if (vouches)
			vstore8(vload8(item, fixed) + painted, item, fixed);
		vstore8(vouches ? painted : (float8)(0.0f), item, vouched);
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item == 0 && !skipped) {
		if (colored && said[ENM_K_COLOR_MODEL] > 0.0f)
			track->exposure = said[ENM_K_COLOR_FRAME] / said[ENM_K_COLOR_MODEL];
		take_step(&level, voxel_mm, sigma_ref_mm, half_exposure_s, first != 0, total, fixed, vouched, track);
		track->color_share = vouches ? track->color_share : 0.0f; /* what it said at the first step is void */
	}
}
