/* SPDX-License-Identifier: Apache-2.0
 * What happens to a frame on the device. */
#ifndef ENM_LAUNCH_H
#define ENM_LAUNCH_H

#include "pipeline/session.h"

/* Sends the frame and launches its stages, without waiting; the slot's event tells when its report is there. `dt_s`: since the frame
 * before, 0 for the first. */
ENM_MUST_CHECK enm_result launch_frame(enm_session *session, session_slot *slot, const enm_frame *frame, float dt_s);

/* Whether to look for the frame's place: by what the frame ENM_FRAMES_IN_FLIGHT before this one reported, in every run
 * the same. The device knows better whether this frame still needs it. */
bool launch_may_be_lost(const enm_session *session, const session_slot *slot);

/* Forgets the commands that were recorded of a slot. */
void launch_drop_recordings(session_slot *slot);

#endif
