/* SPDX-License-Identifier: Apache-2.0
 * What goes without when the device cannot keep up: first the display, then the tracking of single frames, never the
 * recording. Pure functions of what waits and of the time. */
#ifndef ENM_HOST_LIVE_POLICY_H
#define ENM_HOST_LIVE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define LIVE_DROP_MAX 2u /* frames at a time, so that the gaps between tracked frames stay small */

typedef struct live_policy {
	uint32_t burst;    /* most frames that may wait for the engine: what a hiccup of the device may take */
	uint32_t calm;     /* most that wait once the device is known not to keep up; below burst */
	double patience_s; /* how long more than `calm` may wait until it is known */
} live_policy;

/* Zero it before use. */
typedef struct live_backlog {
	bool behind;     /* more than `calm` have waited since */
	double since_s;  /* clock */
	bool overloaded; /* frames are skipped until the engine has caught up */
} live_backlog;

/* Half a second of frames as burst, 8 to 64. */
live_policy live_policy_for(double fps);

/* A frame has just joined those that wait, `waiting` with it. How many of the oldest to skip: at most LIVE_DROP_MAX
 * where one joins at a time. A queue that stands is worth nothing, so it is kept short while the load lasts (as Nichols
 * and Jacobson 2012, "Controlling queue delay", do with packets); a short burst is not skipped. */
uint32_t live_policy_drop(const live_policy *p, live_backlog *b, uint32_t waiting, double now_s);

/* May the display use the engine? Not while frames wait, save once a second, so that its user sees that the scan goes
 * on. */
bool live_policy_shows(uint32_t waiting, double since_shown_s);

#endif
