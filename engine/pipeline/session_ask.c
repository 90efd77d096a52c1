/* SPDX-License-Identifier: Apache-2.0
 * What a session tells of itself, and its pictures. */
#include <string.h>

#include "core/error.h"
#include "core/picture.h"
#include "core/pose.h"
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
	enm_result result = picture_check_bytes(def, out_bytes);
	if (result != ENM_OK)
		return result;
	return view_render(&session->view, &session->budget, session->queue, &session->model, &session->track.state,
		def, out_rgba);
}

/* From the eye's frame into the world. */
static void tell_hit(const enm_view_def *def, const enm_k_hit *hit, enm_hit *out)
{
	double point[3], normal[3];
	for (int i = 0; i < 3; i++) {
		point[i] = (double)hit->point_mm[i];
		normal[i] = (double)hit->normal[i];
	}
	pose_turn(&def->world_from_eye, point, out->position_mm);
	pose_turn(&def->world_from_eye, normal, out->normal);
	for (int i = 0; i < 3; i++)
		out->position_mm[i] += def->world_from_eye.t_mm[i];
	out->triangle = UINT32_MAX;
	out->depth_mm = (double)hit->depth_mm;
	out->sigma_um = hit->sigma_um;
	out->views = hit->views;
	out->from_behind = hit->from_behind != 0;
}

enm_result enm_session_pick(enm_session *session, const enm_view_def *def, double x, double y, enm_hit *out_hit)
{
	if (out_hit != NULL)
		memset(out_hit, 0, sizeof(*out_hit));
	if (session == NULL || out_hit == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_session_pick: session or out_hit is NULL");
	enm_result result = picture_check_place("enm_session_pick", def, x, y);
	if (result != ENM_OK)
		return result;
	const double at[2] = {x, y};
	enm_k_hit hit;
	result = view_pick(&session->view, &session->budget, session->queue, &session->model, &session->track.state, def, at, &hit);
	if (result != ENM_OK)
		return result;
	if (!hit.found)
		return ENM_EMPTY;
	tell_hit(def, &hit, out_hit);
	return ENM_OK;
}
