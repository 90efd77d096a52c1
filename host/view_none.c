/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

bool view_is_built(void)
{
	return false;
}

host_status view_run(const view_options *o, enm_session *session, host_status (*work)(void *user, view *v), void *user)
{
	(void)o;
	(void)session;
	(void)work;
	(void)user;
	return host_fail(HOST_USAGE, "--view: this enamel was built without the viewer");
}

bool view_frame(view *v, enm_session *session, const enm_report *report)
{
	(void)v;
	(void)session;
	(void)report;
	return false;
}

bool view_waits(view *v)
{
	(void)v;
	return false;
}

bool view_wants_new(view *v)
{
	(void)v;
	return false;
}

void view_restart(view *v)
{
	(void)v;
}

void view_say(view *v, const char *text)
{
	(void)v;
	(void)text;
}

double view_pixels(const view *v)
{
	(void)v;
	return 0.0;
}

bool view_is_over(const view *v)
{
	(void)v;
	return false;
}

void view_tell(view *v, const enm_report *report)
{
	(void)v;
	(void)report;
}

void view_depth(view *v, const enm_frame *frame)
{
	(void)v;
	(void)frame;
}

host_status view_models(const view_options *o, const view_model *models, size_t count)
{
	(void)o;
	(void)models;
	(void)count;
	return host_fail(HOST_USAGE, "this enamel was built without the viewer");
}
