/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <cairo.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paint.h"
#include "preview.h"

#define PAGE_WIDTH 1240
#define PAGE_HEIGHT 1754
#define MARGIN 70.0
#define COLUMN 535.0 /* of two */
#define GAPS_SHOWN 8u
#define INTERRUPTION_S 0.12 /* as the engine takes a gap for a loss */


/* Told apart by those who see no red or green, too (Okabe and Ito 2008). */
static const paint_color ink = {0.13, 0.13, 0.15}, faint = {0.45, 0.45, 0.48}, rule = {0.8, 0.8, 0.82};
static const paint_color tracked = {0.0, 0.45, 0.70}, weak = {0.94, 0.78, 0.15}, lost = {0.84, 0.37, 0.0}, missing = {0.75, 0.75, 0.77};

typedef struct page {
	cairo_t *c;
	double y;
} page;

/* ---- what is drawn with ---- */

static void heading(page *p, const char *text)
{
	p->y += 44.0;
	paint_set(p->c, rule);
	cairo_rectangle(p->c, MARGIN, p->y - 30.0, PAGE_WIDTH - 2.0 * MARGIN, 1.5);
	cairo_fill(p->c);
	paint_text(p->c, MARGIN, p->y, 20.0, true, ink, "%s", text);
	p->y += 12.0;
}

/* A finding: a filled dot where all is well, a triangle where somebody should look. */
static void finding(page *p, bool well, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void finding(page *p, bool well, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	p->y += 28.0;
	const double x = MARGIN + 9.0, y = p->y - 6.0;
	paint_set(p->c, well ? tracked : lost);
	cairo_new_path(p->c);
	if (well) {
		cairo_arc(p->c, x, y, 7.0, 0.0, 2.0 * 3.14159265358979);
	} else {
		cairo_move_to(p->c, x, y - 8.0);
		cairo_line_to(p->c, x + 9.0, y + 7.0);
		cairo_line_to(p->c, x - 9.0, y + 7.0);
		cairo_close_path(p->c);
	}
	cairo_fill(p->c);
	paint_text(p->c, MARGIN + 30.0, p->y, 18.0, false, ink, "%s", text);
}

/* ---- findings ---- */

typedef struct interruptions {
	size_t losses, bursts;
	double lost_s, longest_burst_s;
} interruptions;

/* Time without a pose, and time without frames. */
static interruptions find_interruptions(const replay_facts *f)
{
	interruptions out = {0};
	double last_s = NAN;
	for (size_t i = 0; i < f->result->frame_count; i++) {
		const stitch_frame *frame = &f->result->frames[i];
		const double time_s = f->data->frames[frame->index].time_s, apart_s = i ? time_s - last_s : 0.0;
		last_s = time_s;
		if (!frame->reported)
			continue;
		out.losses += (frame->report.events & ENM_EVENT_LOST) != 0;
		out.bursts += apart_s > INTERRUPTION_S;
		out.longest_burst_s = fmax(out.longest_burst_s, apart_s);
		out.lost_s += frame->report.verdict == ENM_VERDICT_LOST && apart_s <= INTERRUPTION_S ? apart_s : 0.0;
	}
	return out;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* How sure places and scale are. */
static void say_rating(page *p, const refine_facts *f)
{
	const rating_facts *r = &f->rating;
	if (f->scale.done)
		finding(p, true, "%zu spheres of known places: depth readings are %.3f \302\261 %.3f %% too long", f->scale.matched, f->scale.gain_percent,
			f->scale.sigma_percent);
	if (!r->done)
		return;
	const size_t last = r->count - 1;
	finding(p, true, "Places lie within \302\261%.0f \302\265m where the scan began, within \302\261%.0f \302\265m %.0f mm from there", refine_sigma_um(r, 0), refine_sigma_um(r, last),
		refine_from_start_mm(r, last));
	finding(p, r->scale_referenced, "Scale to %.3g %%, %.0f \302\265m in 50 mm: %s", r->scale_sigma_percent, 500.0 * r->scale_sigma_percent,
		r->scale_referenced ? "by a reference" : "assumed, no reference was scanned");
}

/* What the refinement found, or that there was none. */
static void say_refined(page *p, const refine_facts *f)
{
	const enm_refine_result *r = &f->result;
	if (!f->done) {
		finding(p, false, "Not refined: how far the arch is bent is not known");
		return;
	}
	finding(p, r->parts == 1, "Refined: %llu frames compared in %u pairs, %u part%s; what they differ by went from %.2f to %.2f sigma",
		(unsigned long long)r->frames_compared, r->pairs, r->parts, plural(r->parts), r->misfit_before, r->misfit_after);
	if (r->frames_left_out || r->frames_not_kept)
		finding(p, false, "Not in the model: %llu frame%s that agree too little with others, %llu without room",
			(unsigned long long)r->frames_left_out, plural(r->frames_left_out), (unsigned long long)r->frames_not_kept);
	char text[512];
	if (f->poses_only) {
		finding(p, false, "Poses alone were solved for: the depth readings' systematic error is taken to be what the camera file says");
		say_rating(p, f);
		return;
	}
	refine_warning(f, text, sizeof text);
	finding(p, !*text, "Bow of the depth readings %.1f \302\261 %.1f \302\265m%s", (double)r->residual.bow_um, sqrt(r->covariance_um2[0]),
		*text ? "; tilt the wand over one quadrant to know what bends the arch" : "");
	calibration_text(&f->calibration, text, sizeof text);
	if (*text)
		finding(p, f->calibration.verdict == CALIBRATION_HOLDS, "C%s", text + 1);
	say_rating(p, f);
}

static void say_findings(page *p, const replay_facts *f, const quality *q)
{
	const stitch_result *r = f->result;
	const interruptions gaps = find_interruptions(f);
	const size_t frames = r->tracked + r->weak + r->lost + r->left_out.count;
	heading(p, "Findings");
	finding(p, 10 * r->tracked >= 9 * frames, "%zu of %zu frames tracked, %zu fused; %zu weak, %zu lost, %zu left out", r->tracked, frames,
		r->fused - r->apart, r->weak, r->lost, r->left_out.count);
	if (gaps.losses)
		finding(p, false, "Tracking was lost %zu time%s, for %.1f s in all", gaps.losses, plural(gaps.losses), gaps.lost_s);
	else
		finding(p, true, "Tracking was never lost");
	if (gaps.bursts)
		finding(p, false, "Frames stopped coming %zu time%s, for %.1f s at most", gaps.bursts, plural(gaps.bursts), gaps.longest_burst_s);
	if (r->apart)
		finding(p, false, "%zu frame%s scanned apart, not in the model", r->apart, plural(r->apart));
	finding(p, !q->gap_count, "%zu gap%s with a border of %.1f mm and more, %.1f mm\302\262 in all", q->gap_count, plural(q->gap_count), q->gap_min_mm, q->gap_area_mm2);
	finding(p, q->piece_count == 1, "The surface is of %zu piece%s, %.0f mm\302\262", q->piece_count, plural(q->piece_count), q->area_mm2);
	const double few = q->area_mm2 > 0.0 ? 100.0 * q->area_few_mm2 / q->area_mm2 : 0.0;
	finding(p, few <= 5.0, "%.1f %% of it seen by fewer than %u frames; noise of the surface %.1f \302\265m (median), %.1f \302\265m (95 %%)", few,
		QUALITY_VIEWS_FEW, q->sigma_um_median, q->sigma_um_p95);
	say_refined(p, &f->refine);
	finding(p, true, "Nothing was filled, smoothed or edited");
	if (r->full)
		finding(p, false, "The memory bound was reached: the model is not complete");
	if (r->interrupted)
		finding(p, false, "Stopped before the end");
}

/* ---- pictures ---- */

/* The engine's picture; NULL, with the reason in `status`, when it cannot be had. */
static cairo_surface_t *picture(enm_session *session, const enm_view_def *view, host_status *status)
{
	cairo_surface_t *surface = NULL;
	const size_t bytes = (size_t)view->width * view->height * 4;
	uint8_t *rgba = malloc(bytes);
	*status = rgba ? host_fail_result(enm_session_render(session, view, rgba, bytes), enm_last_error()) : host_fail_memory("a picture of the certificate");
	if (!*status)
		*status = paint_surface(rgba, view->width, view->height, &surface);
	free(rgba);
	return surface;
}

/* Where a point of the world is in an orthographic picture, in pixels. */
static void project(const enm_view_def *view, const double world_mm[3], double out[2])
{
	const double *q = view->world_from_eye.q_xyzw, *t = view->world_from_eye.t_mm;
	const double d[3] = {world_mm[0] - t[0], world_mm[1] - t[1], world_mm[2] - t[2]};
	/* the inverse rotation: v + 2 u x (u x v - w v), u the vector part */
	const double a[3] = {q[1] * d[2] - q[2] * d[1] - q[3] * d[0], q[2] * d[0] - q[0] * d[2] - q[3] * d[1], q[0] * d[1] - q[1] * d[0] - q[3] * d[2]};
	const double x = d[0] + 2.0 * (q[1] * a[2] - q[2] * a[1]), y = d[1] + 2.0 * (q[2] * a[0] - q[0] * a[2]);
	out[0] = 0.5 * (view->width - 1.0) + view->focal_pixels * x;
	out[1] = 0.5 * (view->height - 1.0) + view->focal_pixels * y;
}

static void mark_gaps(cairo_t *c, const enm_view_def *view, const quality *q)
{
	for (size_t i = 0; i < q->gap_count && i < GAPS_SHOWN; i++) {
		double at[2];
		project(view, q->borders[i].centre_mm, at);
		const double radius = fmax(6.0, 0.5 * q->borders[i].width_mm * view->focal_pixels);
		paint_set(c, lost);
		cairo_set_line_width(c, 2.0);
		cairo_new_path(c);
		cairo_arc(c, at[0], at[1], radius, 0.0, 2.0 * 3.14159265358979);
		cairo_stroke(c);
		paint_text(c, at[0] + radius + 3.0, at[1] - 3.0, 20.0, true, lost, "%zu", i + 1);
	}
}

static host_status draw_picture(page *p, double x, enm_session *session, const enm_view_def *view, const quality *marks)
{
	host_status status;
	cairo_surface_t *surface = picture(session, view, &status);
	if (status)
		return status;
	cairo_save(p->c);
	cairo_translate(p->c, x, p->y);
	cairo_scale(p->c, COLUMN / view->width, COLUMN / view->width);
	cairo_set_source_surface(p->c, surface, 0.0, 0.0);
	cairo_paint(p->c);
	if (marks)
		mark_gaps(p->c, view, marks);
	cairo_restore(p->c);
	cairo_surface_destroy(surface);
	return HOST_OK;
}

/* From above: as clay with the gaps' numbers, and by how often each place was seen. */
static host_status draw_pictures(page *p, const quality *q, enm_session *session, const enm_mesh_data *mesh)
{
	static const uint32_t size[2] = {PREVIEW_TILE_WIDTH, PREVIEW_TILE_HEIGHT};
	preview_axes axes;
	host_status status = preview_find_axes(mesh, NULL, &axes);
	if (status)
		return status;
	enm_view_def view = preview_view(mesh, &axes, PREVIEW_OCCLUSAL, size, true);
	memset(view.background_rgb, 255, sizeof view.background_rgb);
	heading(p, "Surface");
	p->y += 8.0;
	view.shade = ENM_SHADE_CLAY;
	status = draw_picture(p, MARGIN, session, &view, q);
	view.shade = ENM_SHADE_VIEWS;
	if (!status)
		status = draw_picture(p, PAGE_WIDTH - MARGIN - COLUMN, session, &view, NULL);
	p->y += COLUMN * view.height / view.width + 22.0;
	paint_text(p->c, MARGIN, p->y, 16.0, false, faint, "From above; gaps are numbered, the longest border first");
	paint_text(p->c, PAGE_WIDTH - MARGIN - COLUMN, p->y, 16.0, false, faint, "How often each place was seen: orange few times, blue many");
	return status;
}

/* ---- lists ---- */

static void list_gaps(page *p, const quality *q)
{
	if (!q->gap_count)
		return;
	heading(p, "Gaps");
	for (size_t i = 0; i < q->gap_count && i < GAPS_SHOWN; i++) {
		const enm_gap *g = &q->borders[i];
		const double x = i % 2 ? PAGE_WIDTH - MARGIN - COLUMN : MARGIN;
		p->y += i % 2 ? 0.0 : 25.0;
		paint_text(p->c, x, p->y, 16.0, false, ink, "%zu: border %.1f mm, %.1f mm across, %.2f mm\302\262", i + 1, g->length_mm, g->width_mm, g->area_mm2);
	}
	if (q->gap_count > GAPS_SHOWN) {
		p->y += 25.0;
		paint_text(p->c, MARGIN, p->y, 16.0, false, faint, "and %zu smaller ones", q->gap_count - GAPS_SHOWN);
	}
}

static paint_color color_of(const stitch_frame *frame)
{
	if (!frame->reported)
		return missing;
	return frame->report.verdict == ENM_VERDICT_TRACKED ? tracked : frame->report.verdict == ENM_VERDICT_WEAK ? weak : lost;
}

/* A bar along the time of the scan. */
static void draw_time(page *p, const replay_facts *f)
{
	const stitch_result *r = f->result;
	if (!r->frame_count)
		return;
	const double from_s = f->data->frames[r->frames[0].index].time_s, to_s = f->data->frames[r->frames[r->frame_count - 1].index].time_s;
	const double width = PAGE_WIDTH - 2.0 * MARGIN, per_s = to_s > from_s ? width / (to_s - from_s) : 0.0;
	static const struct {
		const char *name;
		const paint_color *of;
	} legend[] = {{"tracked", &tracked}, {"weak", &weak}, {"lost", &lost}, {"no frames", &missing}};
	heading(p, "Time");
	p->y += 8.0;
	paint_set(p->c, missing);
	cairo_rectangle(p->c, MARGIN, p->y, width, 26.0);
	cairo_fill(p->c);
	for (size_t i = 0; i < r->frame_count; i++) {
		const double s = f->data->frames[r->frames[i].index].time_s - from_s;
		const double next_s = i + 1 < r->frame_count ? f->data->frames[r->frames[i + 1].index].time_s - from_s : s;
		paint_set(p->c, color_of(&r->frames[i]));
		cairo_rectangle(p->c, MARGIN + s * per_s, p->y, fmax(1.0, fmin(next_s - s, INTERRUPTION_S) * per_s), 26.0);
		cairo_fill(p->c);
	}
	p->y += 48.0;
	double x = MARGIN;
	for (size_t i = 0; i < sizeof legend / sizeof *legend; i++, x += 140.0) {
		paint_set(p->c, *legend[i].of);
		cairo_rectangle(p->c, x, p->y - 12.0, 14.0, 14.0);
		cairo_fill(p->c);
		paint_text(p->c, x + 22.0, p->y, 16.0, false, faint, "%s", legend[i].name);
	}
	paint_text(p->c, PAGE_WIDTH - MARGIN - 160.0, p->y, 16.0, false, faint, "%.1f s of scanning", to_s - from_s);
}

/* A bar for each place that was rated, by its distance from where the scan began. */
static void draw_rating(page *p, const rating_facts *r)
{
	const double width = (PAGE_WIDTH - 2.0 * MARGIN) / REFINE_PLACES, height = 90.0;
	double most = 1.0;
	if (!r->done)
		return;
	heading(p, "Expected error along the scan");
	for (size_t i = 0; i < r->count; i++)
		most = fmax(most, refine_sigma_um(r, i));
	p->y += height + 30.0;
	for (size_t i = 0; i < r->count; i++) {
		const double x = MARGIN + width * (double)i, tall = height * refine_sigma_um(r, i) / most;
		paint_set(p->c, tracked);
		cairo_rectangle(p->c, x, p->y - tall, width - 12.0, tall);
		cairo_fill(p->c);
		paint_text(p->c, x, p->y - tall - 5.0, 16.0, false, ink, "%.0f", refine_sigma_um(r, i));
		paint_text(p->c, x, p->y + 20.0, 16.0, false, faint, "%.0f mm", refine_from_start_mm(r, i));
	}
	p->y += 42.0;
	paint_text(p->c, MARGIN, p->y, 16.0, false, faint, "\302\265m, one sigma in space, the first 30 frames held, without scale; by the distance from where the scan began");
}

static void say_settings(page *p, const replay_facts *f)
{
	heading(p, "How it was made");
	p->y += 25.0;
	paint_text(p->c, MARGIN, p->y, 16.0, false, ink, "Enamel %s on %s (%s, %s)", enm_version(), f->device.name, f->device.platform, f->device.driver);
	p->y += 25.0;
	paint_text(p->c, MARGIN, p->y, 16.0, false, ink, "Voxel %.3g mm, truncation %.3g mm, tracker %s, way back %s, foreign bodies %s, rows %s", f->session_def.voxel_mm,
		f->session_def.truncation_mm, f->session_def.tracker == ENM_TRACKER_RAYCAST ? "raycast" : "field", f->session_def.recover ? "on" : "off",
		f->session_def.foreign_bodies ? "kept out" : "kept in", f->session_def.row_time_s > 0.0 ? "one after the other" : "at once");
}

host_status certificate_write(
	const char *path, const replay_facts *f, const quality *q, enm_session *session, const enm_mesh_data *mesh)
{
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, PAGE_WIDTH, PAGE_HEIGHT);
	page p = {cairo_create(surface), MARGIN + 24.0};
	host_status status = HOST_OK;
	cairo_set_source_rgb(p.c, 1.0, 1.0, 1.0);
	cairo_paint(p.c);
	paint_text(p.c, MARGIN, p.y, 34.0, true, ink, "Scan certificate");
	p.y += 34.0;
	paint_text(p.c, MARGIN, p.y, 18.0, false, faint, "%s", f->data->folder);
	say_findings(&p, f, q);
	draw_time(&p, f);
	if (mesh->triangle_count)
		status = draw_pictures(&p, q, session, mesh);
	list_gaps(&p, q);
	draw_rating(&p, &f->refine.rating);
	say_settings(&p, f);
	if (!status)
		status = paint_write(path, p.c, surface);
	cairo_destroy(p.c);
	cairo_surface_destroy(surface);
	return status;
}
