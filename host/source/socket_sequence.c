/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_sequence.h"

#include <math.h>

#define STEP_MIN_S 1e-3 /* between the last frame of one driver and the first of the next */

void socket_sequence_change(socket_sequence *q)
{
	q->joined = false;
}

static void join(socket_sequence *q, double arrived_s, uint64_t number, double time_s)
{
	const double passed_s = fmax(arrived_s - q->last_arrived_s, STEP_MIN_S);
	q->number_shift = q->begun && number <= q->last ? q->last + 1 - number : 0;
	q->time_shift_s = q->begun && time_s <= q->last_time_s ? q->last_time_s + passed_s - time_s : 0.0;
	q->joined = true;
}

message_fate socket_sequence_place(socket_sequence *q, double arrived_s, uint64_t *number, double *time_s)
{
	if (*number > SEQUENCE_NUMBER_MAX)
		return FATE_NUMBER;
	if (!(fabs(*time_s) <= SEQUENCE_TIME_MAX_S))
		return FATE_TIME;
	if (!q->joined)
		join(q, arrived_s, *number, *time_s);
	const uint64_t placed = *number + q->number_shift;
	const double placed_s = *time_s + q->time_shift_s;
	if ((q->begun && placed <= q->last) || placed > INT64_MAX)
		return FATE_NUMBER;
	if (q->begun && !(placed_s > q->last_time_s))
		return FATE_TIME;
	if (!q->begun)
		q->first = placed;
	q->begun = true;
	q->last = *number = placed;
	q->last_time_s = *time_s = placed_s;
	q->last_arrived_s = arrived_s;
	return FATE_TAKEN;
}
