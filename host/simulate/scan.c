/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "camera.h"
#include "caster.h"
#include "file.h"
#include "folder.h"
#include "frame.h"
#include "image.h"
#include "progress.h"
#include "rng.h"
#include "timing.h"
#include "trajectory.h"
#include "truth.h"
#include "views.h"

#define THREADS 2
#define DEPTH_UNITS_PER_MM 1000

typedef struct scan {
	const sim_config *config;
	const volatile sig_atomic_t *stop;
	body b, other;
	wand_path way;
	caster *rays, *other_rays;
	foreign_plan foreign;
	timed_frames timed;
	view_list seen;
	frame_scene scene;
	folder_output folder;
	/* what the threads share */
	pthread_mutex_t lock;
	size_t next, done, readings;
	host_status status;
	char error[1024]; /* of the thread that failed first */
} scan;

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static arch_def arch_of(const sim_config *c, uint64_t seed)
{
	return (arch_def){.seed = seed,
		.prepared_fdi = (int)c->prepared_fdi,
		.toothless = c->toothless,
		.smooth = c->smooth,
		.cell_mm = c->cell_mm};
}

static host_status load_body(scan *s)
{
	const sim_config *c = s->config;
	char error[BODY_ERROR_BYTES] = "";
	bool good;
	progress_show("making the surface");
	if (!strcmp(c->body, "arch")) {
		arch_def def = arch_of(c, c->seed);
		good = body_from_arch(&def, &s->b, error);
	} else if (!strcmp(c->body, "phantom")) {
		good = body_from_phantom(&s->b, error);
	} else {
		good = body_from_file(c->body, c->up, &s->b, error);
	}
	return good ? HOST_OK : host_fail(HOST_USAGE, "%s", error);
}

/* The body that is visited by mistake, in the place of the first: the jaw of somebody else, of the same size and make,
 * which is harder to tell apart than an upper jaw, or the mirror image. */
static host_status load_other_body(scan *s)
{
	const sim_config *c = s->config;
	char error[BODY_ERROR_BYTES] = "";
	if (c->path.reentry != REENTRY_OTHER_JAW && c->path.reentry != REENTRY_MIRRORED)
		return HOST_OK;
	arch_def def = arch_of(c, rng_key(c->seed, RNG_OTHER_JAW, 0));
	if (c->path.reentry == REENTRY_MIRRORED && !body_mirror(&s->b, &s->other))
		return host_fail_memory("the mirrored arch");
	if (c->path.reentry == REENTRY_OTHER_JAW && !body_from_arch(&def, &s->other, error))
		return host_fail(HOST_USAGE, "%s", error);
	s->other_rays = caster_create(&s->other, error);
	return s->other_rays ? HOST_OK : host_fail(HOST_IO, "%s", error);
}

static double surface_distance(const void *user, v3 from, v3 direction)
{
	caster_hit hit;
	return caster_meets(user, from, direction, 1e3, &hit) ? hit.t : -1;
}

static host_status prepare(scan *s)
{
	const sim_config *c = s->config;
	char error[BODY_ERROR_BYTES] = "";
	host_status status = load_body(s);
	if (status != HOST_OK)
		return status;
	s->rays = caster_create(&s->b, error);
	if (!s->rays)
		return host_fail(HOST_IO, "%s", error);
	status = load_other_body(s);
	if (status != HOST_OK)
		return status;
	path_def way = c->path;
	way.surface_mm = surface_distance, way.surface_user = s->rays;
	if (!path_build(&way, &s->b.line, &s->way, error))
		return host_fail(HOST_USAGE, "%s", error);
	if (!timing_make(c, path_duration_s(&s->way), &s->timed))
		return host_fail_memory("the list of frames");
	foreign_def guests = {.way = &s->way,
		.end_s = s->timed.frames[s->timed.count - 1].time_s,
		.percent = c->errors.foreign_percent,
		.speed_mm_s = c->errors.foreign_speed_mm_s,
		.stand_off_mm = c->path.stand_off_mm,
		.view_mm = {0.5 * c->size[0] / c->focal_px * c->path.stand_off_mm,
			0.5 * c->size[1] / c->focal_px * c->path.stand_off_mm},
		.rests = c->errors.foreign_rests,
		.seed = c->seed};
	if (!foreign_make(&guests, &s->foreign))
		return host_fail_memory("the list of foreign bodies");
	s->scene = (frame_scene){.rays = s->rays,
		.other_rays = s->other_rays,
		.wrong_visits = path_goes_wrong(c->path.reentry) ? c->path.lift_offs - 1 : 0,
		.way = &s->way,
		.foreign = &s->foreign,
		.errors = &c->errors,
		.residual = error_residual(&c->errors, c->scanner_seed),
		.seed = c->seed,
		.width = c->size[0],
		.height = c->size[1],
		.fx = c->focal_px,
		.fy = c->focal_px,
		.cx = (c->size[0] - 1) / 2.0,
		.cy = (c->size[1] - 1) / 2.0,
		.stand_off_mm = c->path.stand_off_mm,
		.row_time_s = c->row_time_us * 1e-6,
		.exposure = c->exposure,
		.color = c->color};
	return views_make(&s->scene, &s->timed, &s->seen) ? HOST_OK : host_fail_memory("the list of views");
}

static host_status frame_path(const scan *s, const char *folder, uint64_t number, char out[FILE_PATH_MAX])
{
	char name[64];
	snprintf(name, sizeof name, "%s/%06llu.png", folder, (unsigned long long)number);
	return path_join(s->folder.temporary, name, out);
}

static host_status write_frame(const scan *s, uint64_t number, const frame_work *work)
{
	char path[FILE_PATH_MAX];
	host_status status = frame_path(s, "depth", number, path);
	if (status == HOST_OK)
		status = image_write_depth(path, s->scene.width, s->scene.height, work->depth_um, IMAGE_FAST);
	if (status != HOST_OK || !s->config->color)
		return status;
	status = frame_path(s, "color", number, path);
	if (status == HOST_OK)
		status = image_write_color(path, s->scene.width, s->scene.height, 3, work->color_rgb, IMAGE_FAST);
	return status;
}

/* The next frame for a thread; false when there is none or the work is to end. */
static bool take(scan *s, size_t *out_index)
{
	pthread_mutex_lock(&s->lock);
	bool more = s->status == HOST_OK && s->next < s->timed.count && !*s->stop;
	if (more)
		*out_index = s->next++;
	pthread_mutex_unlock(&s->lock);
	return more;
}

static void give(scan *s, host_status status, size_t readings)
{
	pthread_mutex_lock(&s->lock);
	s->readings += readings;
	s->done++;
	if (status != HOST_OK && s->status == HOST_OK) {
		s->status = status;
		snprintf(s->error, sizeof s->error, "%s", host_error_text());
	}
	progress_show("frame %zu of %zu", s->done, s->timed.count);
	pthread_mutex_unlock(&s->lock);
}

static void *work_on_frames(void *user)
{
	scan *s = user;
	frame_work work;
	size_t index, readings = 0;
	if (!frame_work_create(&s->scene, &work)) {
		give(s, host_fail_memory("a frame"), 0);
		return NULL;
	}
	while (take(s, &index)) {
		const timed_frame *f = &s->timed.frames[index];
		readings = frame_make(&s->scene, f->number, f->time_s, &work);
		give(s, write_frame(s, f->number, &work), readings);
	}
	frame_work_free(&work);
	return NULL;
}

static host_status make_folder(const scan *s, const char *name)
{
	char path[FILE_PATH_MAX];
	host_status status = path_join(s->folder.temporary, name, path);
	return status == HOST_OK ? file_make_folder(path) : status;
}

static host_status make_frames(scan *s)
{
	host_status status = make_folder(s, "depth");
	if (status == HOST_OK && s->config->color)
		status = make_folder(s, "color");
	if (status != HOST_OK)
		return status;
	pthread_t threads[THREADS];
	int started = 0;
	while (started < THREADS && !pthread_create(&threads[started], NULL, work_on_frames, s))
		started++;
	if (!started)
		work_on_frames(s);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	if (*s->stop)
		return host_fail(HOST_INTERRUPTED, "interrupted: nothing was written");
	return s->status == HOST_OK ? HOST_OK : host_fail(s->status, "%s", s->error);
}

/* depth.txt or rgb.txt. */
static host_status write_list(const scan *s, const char *list, const char *folder)
{
	char path[FILE_PATH_MAX];
	file_output output = {0};
	host_status status = path_join(s->folder.temporary, list, path);
	if (status == HOST_OK)
		status = file_begin(path, &output);
	if (status != HOST_OK)
		return status;
	fprintf(output.stream, "# timestamp_s file\n");
	for (size_t i = 0; i < s->timed.line_count; i++) {
		const timed_line *line = &s->timed.lines[i];
		fprintf(output.stream, "%.6f %s/%06llu.png\n", line->stamp_s, folder,
			(unsigned long long)s->timed.frames[line->frame].number);
	}
	return file_commit(&output);
}

/* Of another body than the true surface there is no true pose. A stamp that is late still has the pose of its frame. */
static host_status write_poses(const scan *s)
{
	char path[FILE_PATH_MAX];
	trajectory poses = {0};
	host_status status = path_join(s->folder.temporary, "groundtruth.txt", path);
	for (size_t i = 0; i < s->timed.moment_count && status == HOST_OK; i++) {
		const timed_line *m = &s->timed.moments[i];
		if (s->seen.views[m->frame].other)
			continue;
		pose p = path_at(&s->way, s->timed.frames[m->frame].time_s);
		enm_pose out = {{p.t_mm.x, p.t_mm.y, p.t_mm.z}, {p.q.x, p.q.y, p.q.z, p.q.w}};
		status = trajectory_append(&poses, m->stamp_s, &out);
	}
	if (status == HOST_OK)
		status = trajectory_write(path, 1, &poses);
	trajectory_free(&poses);
	return status;
}

static host_status write_camera(const scan *s)
{
	char path[FILE_PATH_MAX];
	const frame_scene *f = &s->scene;
	camera_file file = {
		.camera = {.width = f->width, .height = f->height, .fx = f->fx, .fy = f->fy, .cx = f->cx, .cy = f->cy},
		.depth_scale = DEPTH_UNITS_PER_MM,
		.mm_per_unit = 1,
		.fps = s->config->fps,
		.row_time_s = f->row_time_s};
	host_status status = path_join(s->folder.temporary, "camera.json", path);
	return status == HOST_OK ? camera_write(path, &file) : status;
}

static host_status write_views(const scan *s)
{
	char path[FILE_PATH_MAX];
	host_status status = path_join(s->folder.temporary, "views.txt", path);
	return status == HOST_OK ? views_write(path, &s->timed, &s->seen) : status;
}

static host_status write_rest(const scan *s)
{
	host_status status = write_camera(s);
	if (status == HOST_OK)
		status = write_list(s, "depth.txt", "depth");
	if (status == HOST_OK && s->config->color)
		status = write_list(s, "rgb.txt", "color");
	if (status == HOST_OK)
		status = write_poses(s);
	if (status == HOST_OK)
		status = write_views(s);
	if (status == HOST_OK) {
		progress_show("writing the truth");
		status = truth_write(s->folder.temporary, s->config, &s->b, &s->scene.residual, &s->seen);
	}
	return status;
}

static void summarise(const scan *s, scan_summary *out)
{
	size_t pixels = (size_t)s->scene.width * s->scene.height * s->timed.count, visited = 0;
	foreign_body ignored;
	for (size_t i = 0; i < s->timed.count; i++)
		visited += foreign_at(&s->foreign, s->timed.frames[i].time_s, &ignored);
	out->frames = s->timed.count, out->missing = s->timed.missing;
	out->duplicates = s->timed.duplicates, out->late = s->timed.late;
	out->reentries = s->seen.reentry_count;
	out->duration_s = s->timed.frames[s->timed.count - 1].time_s;
	out->readings_percent = 100.0 * (double)s->readings / (double)pixels;
	out->foreign_frames_percent = 100.0 * (double)visited / (double)s->timed.count;
	out->length_mm = s->way.length_mm, out->mean_speed_mm_s = s->way.mean_speed_mm_s;
	out->peaks = s->way.peaks;
	out->triangles = s->b.triangle_count, out->spheres = s->b.sphere_count, out->landmarks = s->b.landmark_count;
	out->margin_points = s->b.margin_count, out->skipped_triangles = s->b.skipped_triangles;
	out->up = s->b.line.up;
	out->residual = s->scene.residual;
}

static void clean_up(scan *s)
{
	folder_abandon(&s->folder);
	views_free(&s->seen);
	timing_free(&s->timed);
	foreign_free(&s->foreign);
	caster_destroy(s->rays);
	caster_destroy(s->other_rays);
	path_free(&s->way);
	body_free(&s->b);
	body_free(&s->other);
	pthread_mutex_destroy(&s->lock);
}

host_status scan_run(const sim_config *config, const volatile sig_atomic_t *stop, scan_summary *out_summary)
{
	scan s = {.config = config, .stop = stop};
	*out_summary = (scan_summary){0};
	pthread_mutex_init(&s.lock, NULL);
	double start_s = now_s();
	host_status status = folder_begin(config->out, config->force, &s.folder);
	if (status == HOST_OK)
		status = prepare(&s);
	double frames_from_s = now_s();
	if (status == HOST_OK)
		status = make_frames(&s);
	double frames_to_s = now_s();
	if (status == HOST_OK)
		status = write_rest(&s);
	if (status == HOST_OK)
		status = folder_commit(&s.folder);
	if (status == HOST_OK) {
		summarise(&s, out_summary);
		out_summary->prepare_s = frames_from_s - start_s;
		out_summary->frames_s = frames_to_s - frames_from_s;
	}
	clean_up(&s);
	return status;
}
