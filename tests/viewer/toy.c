/* SPDX-License-Identifier: Apache-2.0 */
#include "toy.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "exchange.h"
#include "vector.h"

void toy_sleep_ms(unsigned ms)
{
	struct timespec t = {(time_t)(ms / 1000u), (long)(ms % 1000u) * 1000000L};
	nanosleep(&t, NULL);
}

/* A horseshoe in the plane z = 60, seen from z = 0. */
void toy_center(uint32_t ball, double out[3])
{
	double angle = 3.14159265 * (-0.08 + 1.16 * (double)ball / (TOY_BALLS - 1));
	out[0] = 24.0 * cos(angle);
	out[1] = -30.0 * sin(angle);
	out[2] = 60.0;
}

static void enter(toy *s)
{
	if (atomic_fetch_add(&s->users, 1u) > 0)
		atomic_store(&s->used_by_two, true);
}

static void leave(toy *s)
{
	atomic_fetch_sub(&s->users, 1u);
}

/* Distance along the unit ray to the nearest ball, or infinity. */
static double hit(const toy *s, const double from[3], const double ray[3], uint32_t *out_ball)
{
	double nearest = INFINITY;
	for (uint32_t i = 0; i < s->balls; i++) {
		double center[3], to[3];
		toy_center(i, center);
		vector_combine(1.0, center, -1.0, from, to);
		double along = vector_dot(to, ray);
		double off2 = vector_dot(to, to) - along * along;
		double depth2 = TOY_RADIUS_MM * TOY_RADIUS_MM - off2;
		if (depth2 > 0.0 && along - sqrt(depth2) > 0.0 && along - sqrt(depth2) < nearest) {
			nearest = along - sqrt(depth2);
			*out_ball = i;
		}
	}
	return nearest;
}

/* The first hit of the ray through a pixel, and what of the picture's definition this stand-in understands. */
static bool cast(const toy *s, const enm_view_def *def, double x, double y, double ray[3], enm_hit *out)
{
	const double axis[3] = {0, 0, 1};
	double slope[2] = {x - 0.5 * (double)(def->width - 1), y - 0.5 * (double)(def->height - 1)}, from[3] = {0};
	for (int k = 0; k < 2; k++) {
		from[k] = def->orthographic ? slope[k] / def->focal_pixels : 0.0;
		ray[k] = def->orthographic ? 0.0 : slope[k] / def->focal_pixels;
	}
	ray[2] = axis[2];
	vector_normalize(ray);
	quaternion_rotate(def->world_from_eye.q_xyzw, ray, ray);
	quaternion_rotate(def->world_from_eye.q_xyzw, from, from);
	vector_combine(1.0, from, 1.0, def->world_from_eye.t_mm, from);
	uint32_t ball = 0;
	double along = hit(s, from, ray, &ball), center[3];
	memset(out, 0, sizeof *out);
	if (isinf(along))
		return false;
	toy_center(ball, center);
	vector_combine(1.0, from, along, ray, out->position_mm);
	vector_combine(1.0 / TOY_RADIUS_MM, out->position_mm, -1.0 / TOY_RADIUS_MM, center, out->normal);
	out->sigma_um = TOY_SIGMA_UM;
	out->views = 12;
	return !(def->cut && vector_dot(def->cut_normal, out->position_mm) > def->cut_mm);
}

static void shade(const toy *s, const enm_view_def *def, double x, double y, uint8_t out[4])
{
	double ray[3];
	enm_hit at;
	memcpy(out, def->background_rgb, 3);
	out[3] = 0;
	if (!cast(s, def, x, y, ray, &at))
		return;
	double light = 0.25 + 0.75 * fabs(vector_dot(at.normal, ray));
	bool green = def->shade == ENM_SHADE_COLOR;
	out[0] = (uint8_t)(215.0 * light * (green ? 0.5 : 1.0));
	out[1] = (uint8_t)(210.0 * light);
	out[2] = (uint8_t)(200.0 * light * (green ? 0.5 : 1.0));
	out[3] = 255;
}

enm_result toy_render(void *object, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes)
{
	toy *s = object;
	if (s->fail < 0)
		return s->fail;
	if (out_bytes != (size_t)def->width * def->height * 4)
		return ENM_E_ARGUMENT;
	enter(s);
	for (uint32_t y = 0; y < def->height; y++)
		for (uint32_t x = 0; x < def->width; x++)
			shade(s, def, (double)x, (double)y, out_rgba + 4 * ((size_t)y * def->width + x));
	if (s->delay_ms)
		toy_sleep_ms(s->delay_ms);
	s->last = *def;
	atomic_fetch_add(&s->pictures, 1u);
	if (def->width == s->full_width && def->height == s->full_height)
		atomic_fetch_add(&s->full_pictures, 1u);
	leave(s);
	return ENM_OK;
}

static enm_result toy_pick(void *object, const enm_view_def *def, double x, double y, enm_hit *out_hit)
{
	toy *s = object;
	double ray[3];
	enter(s);
	bool seen = cast(s, def, x, y, ray, out_hit);
	leave(s);
	return seen ? ENM_OK : ENM_EMPTY;
}

static enm_result toy_bounds(void *object, double out_min_mm[3], double out_max_mm[3])
{
	const toy *s = object;
	for (int k = 0; k < 3; k++) {
		out_min_mm[k] = (double)INFINITY;
		out_max_mm[k] = (double)-INFINITY;
	}
	for (uint32_t i = 0; i < s->balls; i++) {
		double center[3];
		toy_center(i, center);
		for (int k = 0; k < 3; k++) {
			out_min_mm[k] = fmin(out_min_mm[k], center[k] - TOY_RADIUS_MM);
			out_max_mm[k] = fmax(out_max_mm[k], center[k] + TOY_RADIUS_MM);
		}
	}
	return s->balls ? ENM_OK : ENM_EMPTY;
}

viewer_source toy_source(toy *session)
{
	return (viewer_source){.object = session, .render = toy_render, .bounds = toy_bounds, .pick = toy_pick};
}

enm_report toy_report(uint64_t frame, enm_verdict verdict, enm_reason reason)
{
	enm_report report = {
		.frame_id = frame, .time_ns = (int64_t)frame * 33333333, .verdict = verdict, .reason = reason};
	report.world_from_camera = enm_pose_identity();
	toy_center((uint32_t)(frame % TOY_BALLS), report.world_from_camera.t_mm);
	report.world_from_camera.t_mm[2] = 40.0;
	report.fused = verdict == ENM_VERDICT_TRACKED;
	return report;
}

static void offer(toy_scan *scan)
{
	double began_s = exchange_clock_s();
	if (viewer_offer(scan->viewer, &scan->source) < 0)
		atomic_fetch_add(&scan->failed_offers, 1u);
	scan->longest_offer_ms = fmax(scan->longest_offer_ms, 1e3 * (exchange_clock_s() - began_s));
}

static void *run_scan(void *user)
{
	toy_scan *scan = user;
	for (unsigned i = 0; i < scan->frames; i++) {
		toy_sleep_ms(scan->frame_ms);
		((toy *)scan->source.object)->balls = 1 + i * (TOY_BALLS - 1) / (scan->frames > 1 ? scan->frames - 1 : 1);
		bool last = i + 1 == scan->frames;
		enm_report report = toy_report(
			i, last ? scan->last_verdict : ENM_VERDICT_TRACKED, last ? scan->last_reason : ENM_REASON_NONE);
		viewer_report(scan->viewer, &report);
		offer(scan);
		atomic_fetch_add(&scan->frames_done, 1u);
	}
	if (scan->ends)
		viewer_end(scan->viewer);
	viewer_serve(scan->viewer, &scan->source);
	return NULL;
}

bool toy_scan_start(toy_scan *scan)
{
	return !pthread_create(&scan->thread, NULL, run_scan, scan);
}

void toy_scan_join(toy_scan *scan)
{
	pthread_join(scan->thread, NULL);
}
