/* SPDX-License-Identifier: Apache-2.0 */
#include "enamel.h"

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
	}
	return "unknown reason";
}

const char *enm_stage_name(enm_stage stage)
{
	static const char *const names[ENM_STAGE_COUNT] = {"upload", "depth", "track", "allocate", "fuse", "view"};
	return (int)stage >= 0 && stage < ENM_STAGE_COUNT ? names[stage] : "unknown stage";
}
