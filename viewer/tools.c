/* SPDX-License-Identifier: Apache-2.0 */
#include "tools.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

static void say(tools *t, const char *text)
{
	snprintf(t->message, sizeof t->message, "%s", text);
	t->changed = true;
}

/* What to do next with the tool in hand. */
static void say_next(tools *t)
{
	static const char *const first[MARK_KINDS] = {
		[MARK_DISTANCE] = "distance: click two points",
		[MARK_SURFACE] = "to surface: click where to begin",
		[MARK_ANGLE] = "angle: click three points, the corner second",
		[MARK_PATH] = "path: click points along it, Enter or a double click ends it",
		[MARK_SECTION] = "section: click two points; the plane holds them and the direction of view",
	};
	char text[TOOLS_MESSAGE_BYTES] = "";
	if (t->tool != TOOL_NONE && !t->pending.point_count)
		snprintf(text, sizeof text, "%s (Esc: done)", first[t->tool]);
	else if (t->tool != TOOL_NONE)
		snprintf(text, sizeof text, "%s: %u point%s (Backspace takes one back)", mark_kind_name((mark_kind)t->tool),
			t->pending.point_count, t->pending.point_count == 1 ? "" : "s");
	say(t, text);
}

static void free_curve(cut_curve *curve)
{
	free(curve->points);
	memset(curve, 0, sizeof *curve);
}

static bool get_mesh(const tools *t, uint32_t body, enm_mesh_data *out)
{
	return body < t->body_count && enm_mesh_get(t->bodies[body].mesh, out) == ENM_OK;
}

/* ---- figures; each gives the reason why there is none, or NULL ---- */

static const char *reason_of(cut_result result)
{
	return result == CUT_APART ? "the surface ends between the points: click one in between"
	       : result == CUT_MEMORY ? "no host memory for the curve"
				      : NULL;
}

static const char *take_path(const tools *t, mark *m, cut_curve *curve)
{
	enm_mesh_data mesh;
	const char *wrong = NULL;
	for (uint32_t i = 0; !wrong && i + 1 < m->point_count; i++) {
		const mark_point *a = &m->points[i], *b = &m->points[i + 1];
		wrong = a->body != b->body ? "a path stays on one model" : NULL;
		if (!wrong && !get_mesh(t, a->body, &mesh))
			wrong = "there is no mesh yet: a path can be measured once the scan is over";
		wrong = wrong ? wrong : reason_of(cut_path(&mesh, a, b, curve));
	}
	if (!wrong) {
		measure_figure f = measure_length(curve->points, curve->count);
		m->value = f.value;
		m->value_sigma = f.sigma;
	}
	return wrong;
}

static const char *take_section(const tools *t, mark *m, cut_curve *curve)
{
	cut_plane plane;
	if (!t->body_count)
		return "there is no mesh yet: a section can be taken once the scan is over";
	if (!cut_plane_through(m->points[0].position_mm, m->points[1].position_mm, m->direction, &plane))
		return "the points lie behind one another: turn the model";
	const char *wrong = NULL;
	for (uint32_t b = 0; !wrong && b < t->body_count; b++) {
		enm_mesh_data mesh;
		if (!(t->hidden >> b & 1u) && get_mesh(t, b, &mesh))
			wrong = reason_of(cut_profile(&mesh, &plane, curve));
	}
	measure_figure f = measure_distance(&m->points[0], &m->points[1]);
	m->value = f.value;
	m->value_sigma = f.sigma;
	return wrong;
}

/* From the one point to where the surface is reached. */
static const char *take_surface(const tools *t, mark *m)
{
	mark_point *from = &m->points[0], *to = &m->points[1];
	uint32_t other = 1u - from->body;
	enm_mesh_data mesh;
	bool two = other < t->body_count && !(t->hidden >> other & 1u);
	if (!get_mesh(t, two ? other : from->body, &mesh))
		return "there is no mesh yet: this can be measured once the scan is over";
	if (two ? !measure_nearest(&mesh, from->position_mm, to) : !measure_through(&mesh, from, to))
		return two ? "the other model has no surface" : "behind this point there is no other side of the model";
	to->body = two ? other : from->body;
	m->point_count = 2;
	measure_figure f = measure_distance(from, to);
	m->value = f.value;
	m->value_sigma = f.sigma;
	return NULL;
}

static const char *take(const tools *t, mark *m, cut_curve *curve)
{
	measure_figure f;
	switch (m->kind) {
	case MARK_PATH:
		return take_path(t, m, curve);
	case MARK_SECTION:
		return take_section(t, m, curve);
	case MARK_SURFACE:
		return take_surface(t, m);
	case MARK_DISTANCE:
		f = measure_distance(&m->points[0], &m->points[1]);
		break;
	case MARK_ANGLE:
		f = measure_angle(&m->points[0], &m->points[1], &m->points[2]);
		break;
	default:
		return "there is no such tool";
	}
	m->value = f.value;
	m->value_sigma = f.sigma;
	return NULL;
}

/* ---- the list ---- */

static void insert(tools *t, size_t index, const mark *m, cut_curve curve)
{
	if (!mark_list_add(&t->marks, m)) {
		free_curve(&curve);
		say(t, "no room for another mark");
		return;
	}
	for (size_t i = t->marks.count - 1; i > index; i--) {
		t->marks.entries[i] = t->marks.entries[i - 1];
		t->curves[i] = t->curves[i - 1];
	}
	t->marks.entries[index] = *m;
	t->curves[index] = curve;
	t->edited = t->changed = true;
}

static void remove_at(tools *t, size_t index)
{
	free_curve(&t->curves[index]);
	mark_list_remove(&t->marks, index);
	for (size_t i = index; i < t->marks.count; i++)
		t->curves[i] = t->curves[i + 1];
	memset(&t->curves[t->marks.count], 0, sizeof t->curves[0]);
	t->edited = t->changed = true;
}

static void remember(tools *t, bool added, size_t index, const mark *m)
{
	if (t->undo_count == TOOLS_UNDO_MAX) {
		t->undo_count--;
		memmove(&t->undo[0], &t->undo[1], t->undo_count * sizeof t->undo[0]);
	}
	t->undo[t->undo_count++] = (tools_step){added, index, *m};
}

bool tools_init(tools *t, const mark_list *marks)
{
	memset(t, 0, sizeof *t);
	t->tool = TOOL_NONE;
	t->next_number = 1;
	for (size_t i = 0; marks && i < marks->count; i++) {
		if (!mark_list_add(&t->marks, &marks->entries[i]))
			return false;
		if (marks->entries[i].number >= t->next_number)
			t->next_number = marks->entries[i].number + 1;
	}
	t->changed = t->marks.count > 0;
	return true;
}

void tools_free(tools *t)
{
	for (size_t i = 0; i < t->marks.count; i++)
		free_curve(&t->curves[i]);
	free(t->marks.entries);
	memset(t, 0, sizeof *t);
}

/* Curves are not saved: they follow from points and mesh. The figures stay what they were. */
static void make_curve(tools *t, size_t index)
{
	mark copy = t->marks.entries[index];
	free_curve(&t->curves[index]);
	if (copy.kind != MARK_PATH && copy.kind != MARK_SECTION)
		return;
	if (take(t, &copy, &t->curves[index]))
		free_curve(&t->curves[index]);
}

void tools_use(tools *t, const viewer_source *source, uint32_t hidden)
{
	bool same = t->body_count == source->body_count && t->hidden == hidden &&
		    !memcmp(t->bodies, source->bodies, t->body_count * sizeof t->bodies[0]);
	if (same)
		return;
	t->body_count = source->body_count;
	t->hidden = hidden;
	memcpy(t->bodies, source->bodies, sizeof t->bodies);
	for (size_t i = 0; i < t->marks.count; i++)
		make_curve(t, i);
	t->changed = true;
}

void tools_choose(tools *t, int tool)
{
	t->tool = tool >= 0 && tool < MARK_KINDS ? tool : TOOL_NONE;
	memset(&t->pending, 0, sizeof t->pending);
	say_next(t);
}

void tools_finish(tools *t)
{
	if (t->tool == TOOL_NONE)
		return;
	mark *m = &t->pending;
	cut_curve curve = {0};
	uint32_t least = t->tool == MARK_SURFACE ? 1 : mark_points_least((mark_kind)t->tool);
	if (m->point_count < least)
		return;
	m->kind = (mark_kind)t->tool;
	m->number = t->next_number;
	if (m->kind != MARK_SECTION)
		memset(m->direction, 0, sizeof m->direction);
	const char *wrong = take(t, m, &curve);
	if (wrong) {
		free_curve(&curve);
		m->point_count--; /* the last point is the one to choose anew */
		say(t, wrong);
		return;
	}
	size_t before = t->marks.count;
	insert(t, before, m, curve);
	if (t->marks.count > before) {
		t->next_number++;
		remember(t, true, before, m);
	}
	memset(m, 0, sizeof *m);
	say_next(t);
}

static uint32_t body_of(const tools *t, uint32_t id)
{
	for (uint32_t b = 0; b < t->body_count; b++)
		if (t->bodies[b].id == id)
			return b;
	return 0;
}

void tools_point(tools *t, const enm_hit *hit, const double ahead[3])
{
	mark *m = &t->pending;
	if (t->tool == TOOL_NONE || m->point_count == MARK_POINTS_MAX)
		return;
	mark_point *p = &m->points[m->point_count++];
	*p = (mark_point){.sigma_um = hit->sigma_um >= 0.0f ? (double)hit->sigma_um : (double)NAN,
		.views = hit->views,
		.body = body_of(t, hit->mesh),
		.triangle = hit->triangle};
	memcpy(p->position_mm, hit->position_mm, sizeof p->position_mm);
	memcpy(p->normal, hit->normal, sizeof p->normal);
	memcpy(m->direction, ahead, sizeof m->direction);
	say_next(t);
	uint32_t most = t->tool == MARK_SURFACE ? 1 : mark_points_most((mark_kind)t->tool);
	if (m->point_count == most)
		tools_finish(t);
}

void tools_miss(tools *t)
{
	if (t->tool != TOOL_NONE)
		say(t, "there is no surface at that place");
}

void tools_undo(tools *t)
{
	if (t->pending.point_count) {
		t->pending.point_count--;
		say_next(t);
		return;
	}
	if (!t->undo_count)
		return;
	const tools_step step = t->undo[--t->undo_count];
	if (step.added) {
		remove_at(t, step.index);
		return;
	}
	insert(t, step.index, &step.mark, (cut_curve){0});
	make_curve(t, step.index);
}

void tools_erase(tools *t, uint32_t number)
{
	for (size_t i = 0; i < t->marks.count; i++) {
		if (t->marks.entries[i].number != number)
			continue;
		remember(t, false, i, &t->marks.entries[i]);
		remove_at(t, i);
		return;
	}
}

/* ---- copies for the window ---- */

tools_shown *tools_show(const tools *t)
{
	tools_shown *s = calloc(1, sizeof *s);
	bool good = s != NULL;
	for (size_t i = 0; good && i < t->marks.count; i++) {
		good = mark_list_add(&s->marks, &t->marks.entries[i]);
		for (size_t k = 0; good && k < t->curves[i].count; k++)
			good = cut_curve_add(&s->curves[i], &t->curves[i].points[k]);
	}
	if (!good) {
		tools_shown_free(&s);
		return NULL;
	}
	s->tool = t->tool;
	s->pending = t->pending;
	memcpy(s->message, t->message, sizeof s->message);
	return s;
}

void tools_shown_free(tools_shown **shown)
{
	tools_shown *s = *shown;
	if (!s)
		return;
	for (size_t i = 0; i < MARKS_MAX; i++)
		free(s->curves[i].points);
	free(s->marks.entries);
	free(s);
	*shown = NULL;
}
