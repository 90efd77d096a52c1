/* SPDX-License-Identifier: Apache-2.0 */
#include "deviation.h"

#include "evaluate.h"
#include "file.h"
#include "score.h"

#include <math.h>
#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are written as they are in memory");

host_status deviation_write(const char *model, const char *other, double mm_per_unit, const char *path)
{
	surface on = {0}, off = {0};
	float *values = NULL;
	trueness whole;
	const rigid as_they_lie = rigid_identity();
	host_status status = inputs_read_surface(model, mm_per_unit, &on);
	if (status == HOST_OK)
		status = inputs_read_surface(other, mm_per_unit, &off);
	const size_t count = on.data.vertex_count;
	if (status == HOST_OK) {
		values = malloc(count * sizeof(*values));
		status = values != NULL ? score_trueness(&on, &off, &as_they_lie, values, &whole) : host_fail_memory("the deviation");
	}
	for (size_t v = 0; status == HOST_OK && v < count; v++)
		values[v] = fabsf(values[v]) <= (float)SCORE_DISTANCE_MAX_MM ? 1e3f * values[v] : NAN;
	if (status == HOST_OK)
		status = file_write(path, values, count * sizeof(*values));
	free(values);
	surface_close(&on);
	surface_close(&off);
	return status;
}
