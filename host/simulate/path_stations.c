/* SPDX-License-Identifier: Apache-2.0 */
#include "path_stations.h"

#include "rng.h"

#define LIFTED_MM 40.0        /* distance while lifted off: out of the depth range */
#define LIFTED_SPEED 2.4      /* times the ordinary speed, at most */
#define VISITS_LIFTED_MM 35.0 /* between visits: what lies between them costs frames and shows nothing */
#define VISIT_MM 9.0          /* what a visit scans before the wand is lifted off again */
#define VISIT_TILT 10.0       /* degrees beyond the tilts scanned so far, at most */
#define VISIT_TURN 15.0       /* degrees about the viewing direction, at most */

/* A list while it is being filled. */
typedef struct tour {
	const path_def *def;
	double length_mm;
	double tilt_from, tilt_to; /* scanned so far */
	double at_mm, tilt, turn;  /* the last station near the teeth */
	int visit;
	uint64_t key; /* of the visits */
	station_list *out;
} tour;

static void go(tour *t, double s_mm, double tilt_degrees, double range_mm, double speed)
{
	if (t->out->count < STATIONS_MAX)
		t->out->at[t->out->count++] = (station){s_mm, tilt_degrees, range_mm, t->turn, speed, t->visit};
}

static void go_near(tour *t, double s_mm, double tilt_degrees)
{
	go(t, s_mm, tilt_degrees, t->def->stand_off_mm, 1);
	t->at_mm = s_mm, t->tilt = tilt_degrees;
	t->tilt_from = fmin(t->tilt_from, tilt_degrees), t->tilt_to = fmax(t->tilt_to, tilt_degrees);
}

/* Away from the teeth, over to another place and down again. */
static void lift(tour *t, double to_mm, double tilt_degrees, double turn_degrees)
{
	double from_mm = t->at_mm, left = t->tilt, half_way = 0.5 * (from_mm + to_mm);
	double far = t->def->reentry == REENTRY_ALONG ? LIFTED_MM : VISITS_LIFTED_MM;
	double fast = clamp(0.65 * t->def->limits.speed_mm_s / t->def->speed_mm_s, 1, LIFTED_SPEED);
	go(t, from_mm, left, t->def->stand_off_mm + 6, fmin(fast, 1.4));
	go(t, from_mm + 0.1 * (to_mm - from_mm), left * 0.6, far, fast);
	t->visit++, t->turn = turn_degrees;
	go(t, half_way, 0.25 * (left + tilt_degrees), far + 4, fast);
	go(t, to_mm - 0.1 * (to_mm - from_mm), tilt_degrees * 0.6, far, fast);
	go(t, to_mm, tilt_degrees, t->def->stand_off_mm + 6, fmin(fast, 1.4));
	go_near(t, to_mm, tilt_degrees);
}

/* One pass; `lifts` times it is left and taken up again somewhere between its beginning and where it was left. */
static void pass(tour *t, double from_mm, double to_mm, double tilt_degrees, int lifts, uint64_t key)
{
	go_near(t, from_mm, tilt_degrees);
	for (int i = 0; i < lifts; i++) {
		double at = (i + rng_between(key, (uint64_t)(2 * i), 0.45, 0.95)) / lifts;
		double left_mm = from_mm + (to_mm - from_mm) * at;
		double back_mm = from_mm + (left_mm - from_mm) * rng_between(key, (uint64_t)(2 * i + 1), 0.15, 0.85);
		go_near(t, left_mm, tilt_degrees);
		lift(t, back_mm, tilt_degrees, 0);
		go_near(t, left_mm, tilt_degrees);
	}
	go_near(t, to_mm, tilt_degrees);
}

bool stations_opposite(reentry_kind kind, int visit)
{
	switch (kind) {
	case REENTRY_OPPOSITE:
		return true;
	case REENTRY_OTHER_JAW:
		return visit % 2 == 1;
	case REENTRY_MIRRORED: /* there the image of what was scanned lies opposite */
		return visit % 2 == 0;
	default:
		return false;
	}
}

/* Lifts off `count` times. Each visit but a last one back to `home_mm` (where the next pass begins) scans a little. */
static void visits(tour *t, double from_mm, double to_mm, int count, bool home, double home_mm, double home_tilt)
{
	reentry_kind kind = t->def->reentry;
	double tilt_from = t->tilt_from, tilt_to = t->tilt_to, reach = fmin(VISIT_MM, 0.4 * (to_mm - from_mm));
	for (int i = 0; i < count; i++) {
		int number = t->visit;
		uint64_t key = rng_key(t->key, RNG_LIFT, (uint64_t)number);
		double at = rng_between(key, 0, from_mm, to_mm), way = at > 0.5 * (from_mm + to_mm) ? -reach : reach;
		double tilt = rng_between(key, 1, tilt_from - VISIT_TILT, tilt_to + VISIT_TILT);
		double turn = rng_between(key, 2, -VISIT_TURN, VISIT_TURN);
		if (home && i == count - 1) {
			lift(t, home_mm, home_tilt, 0);
			continue;
		}
		bool over = stations_opposite(kind, number);
		lift(t, over ? t->length_mm - at : at, tilt, turn);
		go_near(t, over ? t->length_mm - at - way : at + way, tilt);
	}
	t->tilt_from = tilt_from, t->tilt_to = tilt_to;
}

static void three_passes(tour *t, double a_mm, double b_mm, int lifts, uint64_t key)
{
	double tilt = t->def->tilt_degrees, in = b_mm > a_mm ? 1 : -1;
	int share = lifts / 3, rest = lifts % 3;
	pass(t, a_mm, b_mm, 0, share + (rest > 0), key);
	go_near(t, b_mm - in * 2, -0.5 * tilt);
	pass(t, b_mm - in * 1, a_mm + in * 1, -tilt, share + (rest > 1), key + 1);
	go_near(t, a_mm + in * 1, 0);
	pass(t, a_mm, b_mm, tilt, share, key + 2);
}

/* The three passes with visits after each: on a model of one side, of two, and of all. */
static void passes_with_visits(tour *t, double a_mm, double b_mm)
{
	double tilt = t->def->tilt_degrees;
	int lifts = t->def->lift_offs, share = lifts / 3, rest = lifts % 3;
	bool first = share + (rest > 0) > 0, second = share + (rest > 1) > 0;
	pass(t, a_mm, b_mm, 0, 0, 0);
	visits(t, a_mm, b_mm, share + (rest > 0), true, b_mm - 1, -tilt);
	if (!first)
		go_near(t, b_mm - 2, -0.5 * tilt);
	pass(t, b_mm - 1, a_mm + 1, -tilt, 0, 0);
	visits(t, a_mm, b_mm, share + (rest > 1), true, a_mm, tilt);
	if (!second)
		go_near(t, a_mm + 1, 0);
	pass(t, a_mm, b_mm, tilt, 0, 0);
	visits(t, a_mm, b_mm, share, false, 0, 0);
}

static void wave(tour *t, double a_mm, double b_mm)
{
	double tilt = 0.85 * t->def->tilt_degrees;
	int swings = (int)fmax(2, round((b_mm - a_mm) / 7));
	for (int i = 0; i <= swings; i++) {
		double s = a_mm + (b_mm - a_mm) * i / swings;
		go_near(t, s, i % 2 ? tilt : -tilt);
		go_near(t, s + 0.9, i % 2 ? tilt : -tilt);
	}
}

/* The path's own kind, with its lift-offs where they are on the same pass. */
static void tour_of_kind(tour *t, double a, double b, int lifts, uint64_t key)
{
	const path_def *def = t->def;
	double middle = 0.5 * (a + b);
	switch (def->kind) {
	case PATH_WAVE:
		wave(t, a, b);
		break;
	case PATH_HALVES:
		three_passes(t, middle, a, lifts / 2, key);
		pass(t, a, middle, 0, 0, key + 8);
		three_passes(t, middle, b, lifts - lifts / 2, key + 16);
		break;
	case PATH_OCCLUSAL:
		pass(t, a, b, 0, lifts, key);
		break;
	case PATH_LINGUAL:
		pass(t, a, b, -def->tilt_degrees, lifts, key);
		break;
	case PATH_BUCCAL:
		pass(t, a, b, def->tilt_degrees, lifts, key);
		break;
	default:
		three_passes(t, a, b, lifts, key);
		break;
	}
}

void stations_make(const path_def *def, double length_mm, station_list *out)
{
	double a = def->from_share * length_mm, b = def->to_share * length_mm;
	tour t = {.def = def,
		.length_mm = length_mm,
		.tilt_from = 90,
		.tilt_to = -90,
		.key = rng_key(def->seed, RNG_LIFT, 1),
		.out = out};
	out->count = 0;
	if (def->reentry == REENTRY_SCANNED && def->kind == PATH_PASSES) {
		passes_with_visits(&t, a, b);
		return;
	}
	bool along = def->reentry == REENTRY_ALONG, wrong = path_goes_wrong(def->reentry);
	tour_of_kind(&t, a, b, along ? def->lift_offs : 0, rng_key(def->seed, RNG_LIFT, 0));
	double home_mm = t.at_mm, home_tilt = t.tilt;
	if (!along)
		visits(&t, a, b, def->lift_offs, wrong, home_mm, home_tilt);
	if (wrong)
		go_near(&t, home_mm > 0.5 * (a + b) ? home_mm - VISIT_MM : home_mm + VISIT_MM, home_tilt);
}
