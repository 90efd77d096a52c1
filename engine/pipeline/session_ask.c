/* SPDX-License-Identifier: Apache-2.0
 * What a session tells of itself, and its pictures. */
#include <string.h>

#include "core/defaults.h"
#include "core/error.h"
#include "pipeline/session.h"

enm_result enm_session_get_stats(const enm_session *session, enm_session_stats *out_stats)
{
	if (out_stats != NULL)
		memset(out_stats, 0, sizeof(*out_stats));
	if (session == NULL || out_stats == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_get_stats: session or out_stats is NULL");
	*out_stats = session->stats;
	out_stats->frames_pushed = session->frames_pushed;
	out_stats->device_bytes = session->budget.bytes;
	out_stats->device_bytes_peak = session->budget.bytes_peak;
	out_stats->device_bytes_max = session->budget.bytes_max;
	out_stats->device_allocations = session->budget.allocations;
	for (size_t i = 0; i < session->store.count; i++)
		out_stats->frames_kept += session->store.frames[i].bytes > 0;
	out_stats->frames_not_kept = session->store.not_kept;
	out_stats->frames_bytes = session->store.bytes;
	out_stats->frames_spilled_bytes = session->store.spilled;
	out_stats->blocks_capacity = session->model.volume.capacity;
	if (session->reports_written > 0)
		out_stats->blocks_used =
			session->reports[(session->reports_written - 1) % ENM_REPORTS_KEPT].blocks_used;
	return ENM_OK;
}

enm_result enm_session_render(enm_session *session, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes)
{
	if (session == NULL || out_rgba == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_render: session or out_rgba is NULL");
	enm_result result = view_def_check(def);
	if (result != ENM_OK)
		return result;
	size_t need = (size_t)def->width * def->height * 4;
	if (out_bytes < need)
		return error_set(ENM_E_ARGUMENT, "out_bytes: %zu is less than the %zu of the picture", out_bytes, need);
	return view_render(&session->view, &session->budget, session->queue, &session->model, &session->track.state,
		def, out_rgba);
}
