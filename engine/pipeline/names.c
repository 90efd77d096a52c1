/* SPDX-License-Identifier: Apache-2.0
 * What people read of results. */
#include "enamel.h"

#include <math.h>
#include <stdio.h>

const char *enm_reason_text(enm_reason reason)
{
	switch (reason) {
	case ENM_REASON_NONE:
		return "nothing amiss";
	case ENM_REASON_FIRST:
		return "the first frame defines the pose";
	case ENM_REASON_FEW_READINGS:
		return "too few depth readings";
	case ENM_REASON_NO_OVERLAP:
		return "too little of the frame falls on the model";
	case ENM_REASON_FEW_INLIERS:
		return "what falls on the model does not agree with it";
	case ENM_REASON_DEGENERATE:
		return "the surface does not fix the pose";
	case ENM_REASON_DIVERGED:
		return "the alignment did not settle";
	case ENM_REASON_FREE_SPACE:
		return "the frame contradicts space known to be empty";
	case ENM_REASON_RECOVERING:
		return "a place was found again and is on trial";
	}
	return "unknown reason";
}

const char *enm_stage_name(enm_stage stage)
{
	static const char *const names[ENM_STAGE_COUNT] = {"upload", "depth", "track", "allocate", "fuse", "view"};
	return (int)stage >= 0 && stage < ENM_STAGE_COUNT ? names[stage] : "unknown stage";
}

/* What of a direction counts more: a motion of the view's middle, or a turn about it. A turn of 0.1 rad moves the rim of a
 * tooth-sized view by a millimetre. */
static void describe_held(const enm_report *r, char *out, size_t capacity)
{
	static const char *const axes[] = {"the view's x", "the view's y", "the line of sight"};
	const float turn = 10.0f * hypotf(hypotf(r->held_turn[0], r->held_turn[1]), r->held_turn[2]);
	const float move = hypotf(hypotf(r->held_move[0], r->held_move[1]), r->held_move[2]);
	const bool turns = turn > move;
	const float *direction = turns ? r->held_turn : r->held_move;
	int axis = 0;
	for (int i = 1; i < 3; i++)
		if (fabsf(direction[i]) > fabsf(direction[axis]))
			axis = i;
	snprintf(out, capacity, " (%s %s is not determined)", turns ? "the turn about" : "the position along", axes[axis]);
}

void enm_report_text(const enm_report *report, char *out_text, size_t capacity)
{
	static const char *const verdicts[] = {"tracked", "weak", "lost"};
	char held[96] = "";
	if (out_text == NULL || capacity == 0)
		return;
	out_text[0] = '\0';
	if (report == NULL)
		return;
	const bool known = (int)report->verdict >= 0 && report->verdict <= ENM_VERDICT_LOST;
	if (report->held > 0)
		describe_held(report, held, sizeof(held));
	snprintf(out_text, capacity, "%s%s%s%s", known ? verdicts[report->verdict] : "unknown verdict",
		report->reason != ENM_REASON_NONE ? ": " : "",
		report->reason != ENM_REASON_NONE ? enm_reason_text(report->reason) : "", held);
}
