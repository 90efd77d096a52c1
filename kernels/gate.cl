/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepts a pose or says why not. Nothing doubtful is fused: a frame is tracked only if enough of it falls on the
 * model, agrees with it, does not contradict space known to be empty, and the surface fixes all six degrees of freedom.
 */
#include "unknowns.h"

/* Shares below which a frame is weak, and lost. */
#define OVERLAP_LOST 0.15f
#define OVERLAP_WEAK 0.25f
#define INLIERS_LOST 0.40f
#define INLIERS_WEAK 0.65f
#define FREE_LOST 0.35f
/* Residuals of a good alignment are the noise of the readings and of the model: simulated and real scans stay below 1.3 sigma. */
#define RMS_WEAK_SIGMAS 1.6f
#define RMS_WEAK_VOXELS 0.3f /* where readings are finer than the model */
/* And they change little from frame to frame, up to 1.5 times in simulated scans: more is a frame that holds on to something else, as when
 * the wand is jerked away. It takes a part of what comes after to be usual again. Less than the filtered readings' own noise is no measure. */
#define RMS_WEAK_USUAL 1.65f
#define USUAL_SHARE 0.25f
#define USUAL_LEAST_SIGMAS 0.7f
/* Few readings, or noisy ones from far away as when the wand is lifted off, may leave the camera's place open by this much, as the covariance
 * says (1 sigma, all axes): frames less sure would blur what is there. Those from beyond the stand-off, where the noise is sigma_ref_mm, add little to
 * the model, so they must be surer, by as much as they are farther. The frame that ends a loss may be less sure, since hands wait for it. A frame is
 * sure enough by itself, or, by a little more, with the course of the hand (engine/README.md). */
#define SIGMA_WEAK_VOXELS 0.4f
#define SIGMA_WEAK_NOISES 2.0f /* where the model is finer than readings, in the noise of one at the stand-off */
#define SIGMA_AFTER_LOSS 0.95f /* as many times as much for the frame that ends a loss, from wherever it is */
#define SIGMA_WITH_COURSE 0.8f /* as many times as much with the course, 0.88 after a loss */
#define SIGMA_WITH_COURSE_AFTER_LOSS 0.88f
/* And how well its turn must be known, without the course: about the line of sight it does not move the camera. A pose is wrong at 8.7 mrad. */
#define SIGMA_TURN_WEAK 3e-3f
#define SIGMA_WEAK_ROWS 2.0f   /* as many times as much where the pose told is that of the first of many rows, which errs by half of that */
#define STEP_LOST_VOXELS 1.0f
#define STEP_WEAK_VOXELS 0.1f
/* Where the prediction vouches for nothing, since teeth look alike, the surface itself must agree over most of the view, and several frames in a
 * row must say so before one is believed. */
#define WEAK_FRAMES 15 /* as ENM_K_MISSED_FRAMES, where none of them was lost */
#define PROBATION_FRAMES 4
#define OVERLAP_AFTER_LOSS 0.5f
#define OVERLAP_ON_TRIAL 0.35f /* the first has shown more, or the search has seen to it that no other place fits ... */
#define OVERLAP_KEPT 0.75f     /* ... where this share of what it has found is enough */
#define INLIERS_AFTER_LOSS 0.85f

static inline bool prediction_is_old(const enm_k_track *s)
{
	return s->missed > (s->lost > 0 ? ENM_K_MISSED_FRAMES : WEAK_FRAMES);
}

/* Reason why the frame is no better than `verdict`; sets the verdict. A residual of over `rms_weak_mm` is weak, of twice that
 * lost; weak is too what is far above `usual_mm`, and a pose that is not `sure`. */
static inline uint judge(const enm_k_track *s, float rms_weak_mm, float usual_mm, bool sure, uint readings_min, uint *verdict)
{
	*verdict = ENM_K_VERDICT_LOST;
	if (s->valid_readings < readings_min)
		return ENM_K_REASON_FEW_READINGS;
	if (!(s->overlap >= OVERLAP_LOST))
		return ENM_K_REASON_NO_OVERLAP;
	if (!(s->free_share <= FREE_LOST))
		return ENM_K_REASON_FREE_SPACE;
	if (!(s->inliers >= INLIERS_LOST))
		return ENM_K_REASON_FEW_INLIERS;
	if (!(s->rms_mm <= 2.0f * rms_weak_mm) || !(s->step <= STEP_LOST_VOXELS))
		return ENM_K_REASON_DIVERGED;
	/* where frames have been lost, a poor pose is no hint of where this one is */
	*verdict = s->lost > 0 || prediction_is_old(s) ? ENM_K_VERDICT_LOST : ENM_K_VERDICT_WEAK;
	bool after_loss = prediction_is_old(s) || s->probation > 0;
	float on_trial = fmin(OVERLAP_ON_TRIAL, OVERLAP_KEPT * s->found_overlap);
	if (s->overlap < (s->probation > 0 ? on_trial : after_loss ? OVERLAP_AFTER_LOSS : OVERLAP_WEAK))
		return ENM_K_REASON_NO_OVERLAP;
	if (s->inliers < (after_loss ? INLIERS_AFTER_LOSS : INLIERS_WEAK) || s->rms_mm > rms_weak_mm)
		return ENM_K_REASON_FEW_INLIERS;
	*verdict = ENM_K_VERDICT_WEAK;
	if (s->held > 0 || !(s->least_eigenvalue >= (1.0f - s->color_share) * ENM_K_EIGENVALUE_LEAST))
		return ENM_K_REASON_DEGENERATE;
	if (!sure)
		return ENM_K_REASON_FEW_READINGS;
	if (!(s->step <= STEP_WEAK_VOXELS))
		return ENM_K_REASON_DIVERGED;
	if (s->usual_rms_mm > 0.0f && s->rms_mm > RMS_WEAK_USUAL * usual_mm)
		return ENM_K_REASON_FEW_INLIERS;
	*verdict = ENM_K_VERDICT_TRACKED;
	return ENM_K_REASON_NONE;
}

/* Verdict of a frame before there is a model: made from its readings alone. */
static inline void start_model(__private enm_k_track *s, uint readings_min)
{
	bool good = s->valid_readings >= readings_min;
	s->verdict = good ? ENM_K_VERDICT_TRACKED : ENM_K_VERDICT_LOST;
	s->reason = good ? ENM_K_REASON_FIRST : ENM_K_REASON_FEW_READINGS;
	s->world_from_camera = s->last;
	s->tracked = good ? 1 : 0;
	s->since_last_s = 0.0f;
}

/* Shares and conditioning from the sums of the last step. */
static inline void measure(__private enm_k_track *s, __global const float *sums)
{
	float offered = sums[ENM_K_SUM_OFFERED], model = sums[ENM_K_SUM_MODEL], weight = sums[ENM_K_SUM_WEIGHT];
	s->samples = (uint)offered;
	s->overlap = offered > 0.0f ? model / offered : 0.0f;
	s->free_share = offered > 0.0f ? sums[ENM_K_SUM_FREE] / offered : 0.0f;
	s->inliers = sums[ENM_K_SUM_QUALITY] > 0.0f ? weight / sums[ENM_K_SUM_QUALITY] : 0.0f;
	if (weight > 0.0f) {
		float h[36];
		for (int a = 0; a < 6; a++)
			for (int b = 0; b < 6; b++)
				h[a * 6 + b] = sums[ENM_K_SUM_H(a, b)] / weight;
		s->least_eigenvalue = least_eigenvalue_6(h);
	}
}

/* Variance of a sum of the unknowns, `row` of each, by what is known of them. */
static inline float variance_of(__private const enm_k_track *s, float course_weight, const float *row)
{
	float x[6], information[36], variance = 0.0f;
	for (int i = 0; i < 36; i++)
		information[i] = s->information[i] + course_weight * s->course.information[i];
	for (int i = 0; i < 6; i++)
		x[i] = row[i];
	bool good = solve_6(information, x);
	for (int i = 0; i < 6; i++)
		variance += good ? row[i] * x[i] : INFINITY;
	return variance;
}

/* How well the camera's place is known: the root of its variances' sum. The camera moves by what the pivot does, and on the lever of its turns. */
static inline float camera_sigma_mm(__private const enm_k_track *s, float course_weight)
{
	float3 sight = (float3)(s->world_from_camera.r[2], s->world_from_camera.r[5], s->world_from_camera.r[8]);
	float variance = 0.0f;
	for (int axis = 0; axis < 3; axis++) {
		float3 along = (float3)(axis == 0, axis == 1, axis == 2), turned = 2.0f * cross(along, sight);
		float row[6] = {turned.x, turned.y, turned.z, along.x, along.y, along.z};
		variance += variance_of(s, course_weight, row);
	}
	return sqrt(variance);
}

/* How well the turn is known without the course, likewise, in rad. */
static inline float turn_sigma(__private const enm_k_track *s)
{
	float variance = 0.0f;
	for (int axis = 0; axis < 3; axis++) {
		float row[6] = {axis == 0, axis == 1, axis == 2, 0.0f, 0.0f, 0.0f};
		variance += variance_of(s, 0.0f, row);
	}
	return sqrt(variance) * 2.0f / s->system_pivot_mm;
}

/* After a loss, frames that agree are on trial first; one that does not ends it. Those that agree but are unsure, as far from the jaw, count,
 * and never end it well. */
static inline void judge_recovery(__private enm_k_track *s)
{
	bool agrees = s->verdict == ENM_K_VERDICT_TRACKED, on_trial = s->probation > 0;
	bool unsure = on_trial && s->verdict == ENM_K_VERDICT_WEAK && s->reason == ENM_K_REASON_FEW_READINGS;
	if (on_trial && !agrees && !unsure) {
		s->probation = 0;
		s->verdict = ENM_K_VERDICT_LOST;
	} else if (unsure) {
		s->probation = min(s->probation + 1u, PROBATION_FRAMES - 1u);
		s->reason = ENM_K_REASON_RECOVERING;
	} else if (agrees && (on_trial || prediction_is_old(s))) {
		s->found_overlap = on_trial ? s->found_overlap : 1.0f;
		s->probation++;
		if (s->probation < PROBATION_FRAMES) {
			s->verdict = ENM_K_VERDICT_WEAK;
			s->reason = ENM_K_REASON_RECOVERING;
		} else {
			s->probation = 0;
		}
	}
}

/* A hand goes no faster than this. In view depths, so that it holds for rooms too. */
#define TURN_MOST_RAD_S 4.0f
#define MOVE_MOST_DEPTHS_S 10.0f

static inline void limit_velocity(float pivot_mm, __private float *v)
{
	float turn = length((float3)(v[0], v[1], v[2])), move = length((float3)(v[3], v[4], v[5]));
	float turn_share = fmin(1.0f, TURN_MOST_RAD_S / fmax(turn, 1e-6f)), move_share = fmin(1.0f, MOVE_MOST_DEPTHS_S * pivot_mm / fmax(move, 1e-6f));
	for (int i = 0; i < 6; i++)
		v[i] *= i < 3 ? turn_share : move_share;
}

/* Velocity of the motion from the last pose to this one. */
static inline void measure_velocity(__private enm_k_track *s)
{
	float velocity[6];
	pose_twist(&s->world_from_camera, &s->last, velocity, velocity + 3);
	float per_s = s->since_last_s > 0.0f ? 1.0f / s->since_last_s : 0.0f;
	float kept = 1.0f - pown(fmin(s->since_last_s / ENM_K_VELOCITY_TELLS_S, 1.0f), 2);
	for (int i = 0; i < 6; i++)
		velocity[i] *= per_s;
	limit_velocity(s->pivot_mm, velocity);
	for (int i = 0; i < 6; i++)
		s->velocity[i] = kept * s->velocity[i] + (1.0f - kept) * velocity[i];
}

/* Notes how far the pose is off what the hand's course said, and what that tells of its velocity. */
static inline void follow_course(__private enm_k_track *s)
{
	float off[6], velocity[6] = {0.0f}, twist[6];
	deviation(&s->world_from_camera, &s->predicted, s->system_pivot_mm, off);
	for (int i = 0; i < 36; i++)
		velocity[i % 6] += s->course.gain[i] * off[i / 6];
	motion_from_unknowns(&s->world_from_camera, s->system_pivot_mm, velocity, twist);
	for (int i = 0; i < 6; i++) {
		s->course.off_mm[i] = off[i];
		s->velocity[i] += twist[i];
	}
	limit_velocity(s->pivot_mm, s->velocity);
}

/* The second frame of a scan, or of an island, whose rows are exposed one after the other tells how fast the first one moved: the model begins anew with it,
 * since the first was fused as if it had stood still. From the first row of the first frame to its own middle row it is a time between
 * frames and half an exposure. */
static inline void begin_anew(__private enm_k_track *s, float half_exposure_s)
{
	enm_k_pose moved;
	for (int i = 0; i < 6; i++)
		s->skew[i] = s->velocity[i] * half_exposure_s;
	pose_compose_twist(&s->world_from_camera, s->skew, s->skew + 3, &moved);
	s->world_from_camera = moved;
	s->events |= ENM_K_EVENT_BEGUN_ANEW;
}

static inline void note_usual(__private enm_k_track *s)
{
	if (s->verdict == ENM_K_VERDICT_LOST)
		s->usual_rms_mm = 0.0f;
	else
		s->usual_rms_mm += (s->usual_rms_mm > 0.0f ? USUAL_SHARE : 1.0f) * (s->rms_mm - s->usual_rms_mm);
}

/* Frames that must have been tracked since one left a direction open before the usual limits hold again. */
#define WARY_FRAMES 30u

static inline void note_open(__private enm_k_track *s)
{
	if (s->held > 0)
		s->wary = WARY_FRAMES;
	else if (s->verdict == ENM_K_VERDICT_TRACKED && s->wary > 0)
		s->wary--;
}

/* What is left of it from frame to frame: a hand that trembles is predicted well twice a period. */
#define OFF_KEPT 0.8f
#define OFF_VIEW 0.5f /* of its depth, to where a turn about its middle moves it by most */

static inline void note_prediction(__private enm_k_track *s)
{
	float twist[6];
	pose_twist(&s->world_from_camera, &s->predicted, twist, twist + 3);
	float3 turn = (float3)(twist[0], twist[1], twist[2]), middle = (float3)(0.0f, 0.0f, s->pivot_mm);
	float off_mm = length((float3)(twist[3], twist[4], twist[5]) + cross(turn, middle)) + OFF_VIEW * s->pivot_mm * length(turn);
	s->predicted_off_mm = fmax(OFF_KEPT * s->predicted_off_mm, off_mm);
}

/* The pose is kept, or taken back. */
static inline void conclude(__private enm_k_track *s, float half_exposure_s)
{
	if (s->verdict == ENM_K_VERDICT_LOST) {
		s->events |= s->lost == 0 ? ENM_K_EVENT_LOST : 0;
		s->world_from_camera = s->last;
		for (int i = 0; i < 6; i++) {
			s->skew[i] = s->velocity[i] * half_exposure_s; /* nothing was measured */
			s->velocity[i] *= 0.5f;
		}
		s->lost++;
		s->missed++;
		return;
	}
	if (s->course.weight > 0.0f)
		follow_course(s);
	else
		measure_velocity(s);
	if (s->verdict == ENM_K_VERDICT_TRACKED) {
		note_prediction(s); /* of a weak frame a body may have had the pose */
		if ((s->tracked == 1 || (s->island != 0 && s->island_frames == 1)) && half_exposure_s > 0.0f)
			begin_anew(s, half_exposure_s);
		s->events |= s->lost > 0 ? ENM_K_EVENT_RECOVERED : 0;
		s->missed = s->lost = 0;
		s->tracked++;
		s->island_frames += s->island != 0 ? 1 : 0;
	} else {
		s->missed++;
	}
	/* the next prediction goes on from a weak pose too: it is better than an old one */
	s->last = s->world_from_camera;
	s->since_last_s = 0.0f;
}

/* One group, which counts the readings. `readings_min` is the least number of readings a frame needs. */
#define GATE_GROUP 64
__kernel __attribute__((reqd_work_group_size(GATE_GROUP, 1, 1)))
void track_gate(float voxel_mm, float sigma_ref_mm, float sigma_per_mm2, float half_exposure_s, uint readings_min, int tile_count,
		__global const float4 *tiles, __global const float *sums, __global enm_k_track *track)
{
	__local uint readings[GATE_GROUP];
	int item = get_local_id(0);
	uint n = 0;
	for (int i = item; i < tile_count; i += GATE_GROUP)
		n += (uint)tiles[i].z;
	readings[item] = n;
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item != 0)
		return;
	enm_k_track s = *track;
	s.valid_readings = 0;
	for (int i = 0; i < GATE_GROUP; i++)
		s.valid_readings += readings[i];
	if (s.tracked == 0) {
		start_model(&s, readings_min);
	} else {
		measure(&s, sums);
		float noise_mm = sigma_per_mm2 * s.pivot_mm * s.pivot_mm;
		float rms_weak_mm = fmax(RMS_WEAK_VOXELS * voxel_mm, RMS_WEAK_SIGMAS * noise_mm);
		float usual_mm = fmax(s.usual_rms_mm, USUAL_LEAST_SIGMAS * noise_mm);
		s.sigma_mm = camera_sigma_mm(&s, s.course.weight);
		float alone_mm = s.course.weight > 0.0f ? camera_sigma_mm(&s, 0.0f) : s.sigma_mm;
		float sigma_weak_mm = fmax(SIGMA_WEAK_VOXELS * voxel_mm, SIGMA_WEAK_NOISES * sigma_ref_mm);
		float rows = half_exposure_s > 0.0f ? SIGMA_WEAK_ROWS : 1.0f;
		sigma_weak_mm *= rows;
		float standoff_share = fmin(1.0f, sqrt(sigma_ref_mm / noise_mm)); /* of the distance: noise grows with its square */
		float with_course_mm = sigma_weak_mm * (s.lost > 0 ? SIGMA_WITH_COURSE_AFTER_LOSS : SIGMA_WITH_COURSE * standoff_share);
		sigma_weak_mm *= s.lost > 0 ? SIGMA_AFTER_LOSS : standoff_share;
		bool sure = alone_mm <= sigma_weak_mm || (s.course.weight > 0.0f && s.sigma_mm <= with_course_mm);
		sure = sure && turn_sigma(&s) <= rows * SIGMA_TURN_WEAK;
		s.reason = judge(&s, rms_weak_mm, usual_mm, sure, readings_min, &s.verdict);
		judge_recovery(&s);
		note_usual(&s);
		note_open(&s);
		conclude(&s, half_exposure_s);
	}
	*track = s;
}
