/* SPDX-License-Identifier: Apache-2.0
 * Loop closure while scanning (`close_loops_every`): every so often all poses so far are solved for together with the session's depth residual, on a thread
 * of its own; then all frames are fused again, a few before each new one, into a second model, which takes the first one's place as soon as it has
 * caught up. Every step happens at a frame that is the same in every run. */
#ifndef ENM_MEND_H
#define ENM_MEND_H

#include "enamel.h"
#include "layout.h"

struct enm_session;
typedef struct mend mend;

/* NULL where `def` does not close loops. */
ENM_MUST_CHECK enm_result mend_create(struct enm_session *session, mend **out_mend);
/* Ends the thread, and gives up what was not finished. */
void mend_destroy(struct enm_session *session, mend **m);
/* Gives up what is under way and forgets what came before: the scan begins again. */
void mend_cancel(struct enm_session *session);
/* Gives up what is under way, for the room that it takes; the next one has all that it had. False where nothing was. */
bool mend_yield(struct enm_session *session);
/* What came so far has been solved for by others. */
void mend_is_done(struct enm_session *session);

/* Follows what the device reports, frame by frame. */
void mend_note(mend *m, uint64_t frame_id, const enm_k_track *track);

/* Before a frame is launched, with those collected that must be: does what is due now. `out_corrected`: poses and model have been corrected. */
ENM_MUST_CHECK enm_result mend_step(struct enm_session *session, const enm_k_track *two_before, bool *out_corrected);

/* At the end of a scan, with nothing under way: finishes what was begun, and closes the loops of what came since. */
ENM_MUST_CHECK enm_result mend_finish(struct enm_session *session);

#endif
