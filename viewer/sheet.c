/* SPDX-License-Identifier: Apache-2.0 */
#include "sheet.h"

#include <string.h>

#define SIDE_LEAST 240.0 /* a smaller window has no room for anything but the model */

bool sheet_project(const sheet_content *s, const double world_mm[3], double out[2])
{
	if (!look_project(s->look, s->width, s->height, world_mm, out))
		return false;
	out[0] = (out[0] + 0.5) / s->scale;
	out[1] = (out[1] + 0.5) / s->scale;
	return true;
}

static sheet_key key_of(const sheet_content *c)
{
	sheet_key k;
	memset(&k, 0, sizeof k);
	k.theme = c->theme;
	k.width = c->width;
	k.height = c->height;
	k.scale = c->scale;
	k.look = *c->look;
	k.shown = c->shown;
	k.depth_version = c->depth->version;
	k.frames = c->state->frames;
	k.gap_version = c->state->gap_version;
	k.help = c->help;
	k.legend = c->legend;
	k.show_depth = c->show_depth;
	k.gaps = c->gaps;
	k.say = c->say;
	k.paused = c->state->paused;
	k.ended = c->state->ended;
	k.can_hide = c->state->can_hide;
	memcpy(k.said, c->state->said, sizeof k.said);
	return k;
}

static bool is_same(const sheet_key *a, const sheet_key *b)
{
	return a->theme == b->theme && a->width == b->width && a->height == b->height && a->scale == b->scale &&
	       look_is_same(&a->look, &b->look) && a->shown == b->shown && a->depth_version == b->depth_version &&
	       a->frames == b->frames && a->gap_version == b->gap_version && a->help == b->help && a->legend == b->legend &&
	       a->show_depth == b->show_depth && a->gaps == b->gaps && a->say == b->say && a->paused == b->paused && a->ended == b->ended &&
	       a->can_hide == b->can_hide && !strcmp(a->said, b->said);
}

static bool prepare(sheet *s, const sheet_content *content)
{
	bool fits = s->surface && cairo_image_surface_get_width(s->surface) == (int)content->width &&
		    cairo_image_surface_get_height(s->surface) == (int)content->height;
	if (!fits) {
		if (s->surface)
			cairo_surface_destroy(s->surface);
		s->surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)content->width, (int)content->height);
	}
	return cairo_surface_status(s->surface) == CAIRO_STATUS_SUCCESS;
}

static void draw_all(cairo_t *c, const sheet_content *s)
{
	cairo_set_operator(c, CAIRO_OPERATOR_CLEAR);
	cairo_paint(c);
	cairo_set_operator(c, CAIRO_OPERATOR_OVER);
	cairo_scale(c, s->scale, s->scale);
	if ((double)s->width / s->scale < SIDE_LEAST || (double)s->height / s->scale < SIDE_LEAST)
		return;
	sheet_draw_gaps(c, s);
	sheet_draw_wand(c, s);
	sheet_draw_marks(c, s);
	sheet_draw_ruler(c, s);
	sheet_draw_depth(c, s);
	sheet_draw_legend(c, s);
	sheet_draw_section(c, s);
	sheet_draw_words(c, s);
	sheet_draw_help(c, s);
}

bool sheet_draw(sheet *s, const sheet_content *content)
{
	sheet_key key = key_of(content);
	if (s->valid && is_same(&key, &s->key))
		return false;
	s->key = key;
	s->valid = content->width && content->height && prepare(s, content);
	if (!s->valid)
		return false;
	cairo_t *c = cairo_create(s->surface);
	draw_all(c, content);
	s->valid = cairo_status(c) == CAIRO_STATUS_SUCCESS;
	cairo_destroy(c);
	cairo_surface_flush(s->surface);
	return s->valid;
}

const uint8_t *sheet_pixels(const sheet *s)
{
	return s->valid ? cairo_image_surface_get_data(s->surface) : NULL;
}

void sheet_free(sheet *s)
{
	if (s->surface)
		cairo_surface_destroy(s->surface);
	memset(s, 0, sizeof *s);
}
