/* SPDX-License-Identifier: Apache-2.0
 * A thousand wrong places are offered to a lost scan, and none is taken: frames of the same kind of surface that are another, its mirror image or its cast. What
 * belongs to the scan is still found after each of them. */
#include "scan.h"

#include <math.h>
#include <stdio.h>

#define WAVES 9
#define SCANNED 36      /* frames of the model */
#define STEP_MM 0.33
#define FALSE_PLACES 1000
#define HELD 3          /* frames at each, since frames in a row that say the same are believed sooner */
#define KINDS 4
#define ASK_EVERY 100   /* of these, a frame that belongs there is offered */
#define TRIES 12        /* frames within which it must be found: some are on trial */
#define LIFTED_NS 700000000

/* A height over the plane without a period: what teeth are to a scanner, all alike and none the same. */
typedef struct relief {
	double kx[WAVES], ky[WAVES], phase[WAVES], amplitude;
	bool mirrored;
} relief;

static double random_of(uint64_t *state)
{
	uint64_t z = (*state += 0x9E3779B97F4A7C15u); /* splitmix64 (Steele, Lea and Flood 2014) */
	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static relief make_relief(uint64_t seed, double amplitude)
{
	relief r = {.amplitude = amplitude};
	for (int i = 0; i < WAVES; i++) {
		const double turn = 6.2831853 * random_of(&seed), per_mm = 0.5 + 1.1 * random_of(&seed);
		r.kx[i] = per_mm * cos(turn);
		r.ky[i] = per_mm * sin(turn);
		r.phase[i] = 6.2831853 * random_of(&seed);
	}
	return r;
}

static double height(const relief *r, double x, double y)
{
	double sum = 0.0;
	for (int i = 0; i < WAVES; i++)
		sum += sin(r->kx[i] * (r->mirrored ? -x : x) + r->ky[i] * y + r->phase[i]);
	return 13.0 + r->amplitude * sum;
}

/* Seen along z from (x, y, 0), with noise. */
static void render(const relief *r, double x, double y, uint64_t seed, uint16_t *out_depth)
{
	const enm_camera *c = &the_scan.def.camera;
	for (uint32_t i = 0; i < SCAN_PIXELS; i++) {
		double ray[2], z = 13.0;
		ref_ray(c, (double)(i % SCAN_WIDTH), (double)(i / SCAN_WIDTH), ray);
		for (int k = 0; k < 10; k++)
			z = height(r, x + ray[0] * z, y + ray[1] * z);
		const double noise = random_of(&seed) + random_of(&seed) + random_of(&seed) - 1.5; /* sigma 0.5 */
		out_depth[i] = (uint16_t)lrint(1000.0 * (z + 0.02 * noise));
	}
}

static double at_x(double share)
{
	return STEP_MM * (SCANNED - 1) * share;
}

static enm_report push(enm_session *s, const uint16_t *depth, int64_t *time_ns, int64_t after_ns)
{
	*time_ns += after_ns;
	const enm_frame f = {.depth = depth, .time_ns = *time_ns};
	return scan_push(s, &f);
}

/* Held still somewhere over the model, the wand is on it again within a few frames, and where it is. */
static void assert_found(enm_session *s, const relief *r, uint64_t *random, int64_t *time_ns, uint16_t *depth)
{
	const double x = at_x(0.15 + 0.7 * random_of(random));
	enm_report got = {.verdict = ENM_VERDICT_LOST};
	for (int i = 0; i < TRIES && got.verdict != ENM_VERDICT_TRACKED; i++) {
		render(r, x, 0.0, *random + (uint64_t)i, depth);
		got = push(s, depth, time_ns, i == 0 ? LIFTED_NS : SCAN_PERIOD_NS);
	}
	assert_int_equal(got.verdict, ENM_VERDICT_TRACKED);
	assert_int_equal(got.island, 0);
	assert_true(fabs(got.world_from_camera.t_mm[0] - x) < 0.1);
}

static void none_of_a_thousand_false_places_is_taken(void **state)
{
	(void)state;
	uint64_t random = 5;
	int64_t time_ns = 0;
	uint16_t *depth = malloc(SCAN_PIXELS * sizeof(*depth));
	assert_non_null(depth);
	enm_session_def def = the_scan.def;
	def.color = def.foreign_bodies = false;
	def.start_world_from_camera = enm_pose_identity();
	enm_session *s = scan_session(&def);
	const relief own = make_relief(11, 0.16);
	relief others[KINDS] = {own, own, make_relief(12, 0.16), make_relief(13, 0.16)};
	others[0].mirrored = true;
	others[1].amplitude = -others[1].amplitude; /* what an impression shows */
	for (int n = 0; n < SCANNED; n++) {
		render(&own, STEP_MM * n, 0.0, (uint64_t)n, depth);
		assert_int_equal(push(s, depth, &time_ns, SCAN_PERIOD_NS).verdict, ENM_VERDICT_TRACKED);
	}
	int taken = 0, joined = 0, begun = 0, kind_of_island[FALSE_PLACES * HELD] = {0};
	for (int n = 0; n < FALSE_PLACES; n++) {
		if (n % ASK_EVERY == 0)
			assert_found(s, &own, &random, &time_ns, depth);
		const relief *r = &others[n % KINDS];
		const double x = at_x(random_of(&random)) * (r->mirrored ? -1.0 : 1.0), y = 6.0 * random_of(&random) - 3.0;
		for (int i = 0; i < HELD; i++) {
			render(r, x, y, (uint64_t)(HELD * n + i) + 5000, depth);
			const enm_report got = push(s, depth, &time_ns, i == 0 ? LIFTED_NS : SCAN_PERIOD_NS);
			if ((got.events & ENM_EVENT_ISLAND_BEGUN) != 0) {
				kind_of_island[got.island] = n % KINDS;
				begun++;
			}
			/* to come back to an island of its own kind is right */
			const bool at_home = got.island != 0 && kind_of_island[got.island] == n % KINDS;
			taken += got.verdict != ENM_VERDICT_LOST && !at_home;
			joined += (got.events & ENM_EVENT_ISLAND_JOINED) != 0;
		}
	}
	assert_found(s, &own, &random, &time_ns, depth);
	print_message("%d places offered, %d taken, %d joined; %d islands begun\n", FALSE_PLACES, taken, joined, begun);
	assert_int_equal(taken + joined, 0);
	enm_session_destroy(&s);
	free(depth);
}

SCAN_TEST_MAIN(cmocka_unit_test(none_of_a_thousand_false_places_is_taken))
