/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "interrupt.h"
#include "live/live.h"
#include "live/model.h"
#include "progress.h"

typedef struct refining {
	const live_refine_options *o;
	const volatile sig_atomic_t *stop;
	live_session session;
	live_model model;
	char place[FILE_PATH_MAX]; /* of what comes out */
	char state[FILE_PATH_MAX]; /* where a refinement that was interrupted goes on from */
} refining;

static host_status choose_place(refining *r)
{
	char name[64];
	snprintf(name, sizeof name, "refined-%s", refine_levels[r->o->level]);
	host_status status = live_session_path(&r->session, name, r->place);
	if (!status && file_exists(r->place))
		status = host_fail_file(
			HOST_USAGE, r->place, "is there already, and a refinement is never written over");
	snprintf(name, sizeof name, "refined-%s.state", refine_levels[r->o->level]);
	return status ? status : live_session_path(&r->session, name, r->state);
}

static host_status refine(refining *r)
{
	live_model *m = &r->model;
	refine_facts *facts = &m->facts.refine;
	host_status status = live_model_device(m, r->o->device);
	progress_begin(!r->o->json);
	if (!status)
		status = live_model_rebuild(m, &r->session, &feed_engine_real, true, r->stop);
	if (!status && !m->session)
		status = host_fail_file(HOST_DATA, r->o->session, "no frame of the session can be used");
	if (!status)
		status = feed_finish(&m->feed);
	if (!status)
		feed_settle(&m->result);
	facts->wanted = true;
	facts->level = (enm_refine_level)r->o->level;
	if (!status)
		status = refine_scan(m->session, &m->data.camera, r->state, r->stop, facts);
	progress_end();
	if (!status && facts->cancelled)
		status = host_fail(HOST_INTERRUPTED, "interrupted: nothing is written%s", file_exists(r->state) ? "; the next time it goes on from here" : "");
	return status;
}

static host_status write(refining *r)
{
	folder_output folder;
	char text[1024], certificate[FILE_PATH_MAX];
	host_status status = folder_begin(r->place, false, &folder);
	if (status)
		return status;
	outputs_def files = {.json = r->o->json};
	if (r->o->certificate) {
		status = path_join(folder.temporary, "certificate.png", certificate);
		files.certificate = certificate;
	}
	if (!status)
		status = live_model_write(&r->model, &files, folder.temporary, NULL);
	if (!status)
		return folder_commit(&folder);
	snprintf(text, sizeof text, "%s", host_error_text());
	folder_abandon(&folder);
	return host_fail(status, "%s", text);
}

host_status live_refine(const live_refine_options *o)
{
	refining *r = calloc(1, sizeof *r);
	if (!r)
		return host_fail_memory("the refinement");
	r->o = o;
	r->stop = interrupt_watch_both();
	host_status status = live_session_open(o->session, &r->session);
	if (!status)
		status = choose_place(r);
	if (!status)
		status = refine(r);
	if (!status)
		status = write(r);
	if (!status)
		(void)remove(r->state); /* where it never was, too */
	if (!status)
		live_event_text(&r->session.events, "refined", path_base(r->place));
	if (!status)
		status = report_judge(&r->model.facts);
	live_model_free(&r->model);
	live_session_close(&r->session);
	free(r);
	return status;
}
