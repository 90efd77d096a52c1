/* SPDX-License-Identifier: Apache-2.0 */
#include "live/policy.h"

#include <math.h>

#define BURST_S 0.5
#define BURST_MIN 8.0
#define BURST_MAX 64.0
#define CALM 3u
#define PATIENCE_S 1.0
#define SHOW_AT_LEAST_EVERY_S 1.0

live_policy live_policy_for(double fps)
{
	return (live_policy){(uint32_t)fmin(fmax(ceil(BURST_S * fps), BURST_MIN), BURST_MAX), CALM, PATIENCE_S};
}

static void note_load(const live_policy *p, live_backlog *b, uint32_t waiting, double now_s)
{
	if (waiting <= 1) { /* the engine had nothing left to do */
		b->behind = b->overloaded = false;
	} else if (waiting > p->calm && !b->behind) {
		b->behind = true;
		b->since_s = now_s;
	} else if (waiting <= p->calm && !b->overloaded) {
		b->behind = false;
	}
	b->overloaded = b->overloaded || (b->behind && now_s - b->since_s > p->patience_s);
}

uint32_t live_policy_drop(const live_policy *p, live_backlog *b, uint32_t waiting, double now_s)
{
	uint32_t drop = 0;
	note_load(p, b, waiting, now_s);
	if (b->overloaded && waiting > p->calm)
		drop = waiting - p->calm < LIVE_DROP_MAX ? waiting - p->calm : LIVE_DROP_MAX;
	return waiting > p->burst + drop ? waiting - p->burst : drop;
}

bool live_policy_shows(uint32_t waiting, double since_shown_s)
{
	return waiting == 0 || since_shown_s >= SHOW_AT_LEAST_EVERY_S;
}
