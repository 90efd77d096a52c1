/* SPDX-License-Identifier: Apache-2.0
 * What goes in with a frame and what comes out of it. */
#ifndef ENM_FRAME_H
#define ENM_FRAME_H

#include "pipeline/session.h"

typedef struct frame_kind {
	enm_depth_format format;
	bool color;
} frame_kind;

/* ENM_E_ARGUMENT names the field. */
ENM_MUST_CHECK enm_result input_check(const enm_session *session, const enm_frame *frame);

/* Copies the frame into the slot's staging memory, as its input is laid out. */
void input_stage(enm_session *session, session_slot *slot, const frame_kind *kind, const enm_frame *frame, float dt_s);

/* Whether blocks were refused for good. Those that there was only no room for yet are asked for again by the next
 * frames, when the model has grown. */
bool report_is_full(const session_slot *slot);

/* What the device reported of a slot's frame. */
enm_report report_of_slot(const session_slot *slot);

#endif
