/* SPDX-License-Identifier: Apache-2.0 */
#include "unfold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camera.h"
#include "file.h"
#include "image.h"
#include "progress.h"
#include "writer.h"

#define TIME_BYTES 40

typedef struct unfolding {
	const recording *r;
	const char *folder;
	uint32_t width, height;
	uint16_t *depth;
	uint8_t *rgb;
	file_output depth_list, color_list; /* the latter is begun with the first colour */
	uint64_t next_number;               /* numbers grow, so that no picture is written over */
	unfold_stats *stats;
} unfolding;

/* As few digits as give the same number again. */
static const char *time_text(double time_s, char out[TIME_BYTES])
{
	snprintf(out, TIME_BYTES, "%.6f", time_s);
	if (strtod(out, NULL) != time_s)
		snprintf(out, TIME_BYTES, "%.9f", time_s);
	if (strtod(out, NULL) != time_s)
		snprintf(out, TIME_BYTES, "%.17g", time_s);
	return out;
}

static host_status begin_list(const unfolding *u, const char *name, file_output *out)
{
	char path[FILE_PATH_MAX];
	host_status status = path_join(u->folder, name, path);
	if (!status)
		status = file_begin(path, out);
	if (!status)
		fprintf(out->stream, "# timestamp filename\n");
	return status;
}

static host_status make_subfolder(const unfolding *u, const char *name)
{
	char path[FILE_PATH_MAX];
	host_status status = path_join(u->folder, name, path);
	return status ? status : file_make_folder(path);
}

static host_status write_depth(unfolding *u, const recording_picture *p)
{
	char name[48], path[FILE_PATH_MAX], time[TIME_BYTES];
	snprintf(name, sizeof name, "depth/%06llu.png", (unsigned long long)p->number);
	fprintf(u->depth_list.stream, "%s %s\n", time_text(p->time_s, time), name);
	host_status status = path_join(u->folder, name, path);
	return status ? status : image_write_depth(path, u->width, u->height, u->depth, IMAGE_FAST);
}

static host_status write_color(unfolding *u, const recording_picture *p)
{
	char name[48], path[FILE_PATH_MAX], time[TIME_BYTES];
	host_status status = HOST_OK;
	if (!u->color_list.stream)
		status = make_subfolder(u, "color");
	if (!status && !u->color_list.stream)
		status = begin_list(u, "rgb.txt", &u->color_list);
	if (status)
		return status;
	snprintf(name, sizeof name, "color/%06llu.png", (unsigned long long)p->number);
	fprintf(u->color_list.stream, "%s %s\n", time_text(p->color_time_s, time), name);
	u->stats->colors++;
	status = path_join(u->folder, name, path);
	return status ? status : image_write_color(path, u->width, u->height, 3, u->rgb, IMAGE_FAST);
}

static void leave_out(unfolding *u, size_t entry, const char *reason)
{
	host_warn("packet %llu: left out: %s", (unsigned long long)u->r->entries[entry].sequence, reason);
	u->stats->left_out++;
}

static host_status unfold_frame(unfolding *u, size_t entry)
{
	recording_picture p;
	host_status status = recording_read_frame(u->r, entry, u->width, u->height, u->depth, u->rgb, &p);
	if (status == HOST_IO)
		return status;
	if (status || p.number < u->next_number) {
		leave_out(u, entry, status ? host_error_text() : "its number was there before");
		return HOST_OK;
	}
	if (*p.color_reason)
		leave_out(u, entry, p.color_reason);
	u->next_number = p.number + 1;
	u->stats->frames++;
	status = write_depth(u, &p);
	return status || !p.has_color ? status : write_color(u, &p);
}

static bool is_ours(const char *name)
{
	static const char *const names[] = {"camera.json", "depth.txt", "rgb.txt", "depth", "color"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static host_status unfold_file(unfolding *u, size_t entry)
{
	char name[FILE_NAME_MAX + 1], path[FILE_PATH_MAX];
	uint8_t *bytes;
	size_t size;
	host_status status = recording_read_file(u->r, entry, name, &bytes, &size);
	if (status == HOST_IO)
		return status;
	const char *fault = status ? host_error_text() : writer_name_fault(name);
	if (!fault && is_ours(name))
		fault = "a carried file has the name of a list";
	if (fault) {
		leave_out(u, entry, fault);
		free(bytes);
		return HOST_OK;
	}
	status = path_join(u->folder, name, path);
	if (!status)
		status = file_write(path, bytes, size);
	free(bytes);
	u->stats->files++;
	return status;
}

static host_status unfold_packets(unfolding *u, const volatile sig_atomic_t *stop)
{
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < u->r->entry_count; i++) {
		if (*stop)
			status = host_fail(HOST_INTERRUPTED, "interrupted; nothing is written");
		else if (u->r->entries[i].type == PACKET_FRAME)
			status = unfold_frame(u, i);
		else if (u->r->entries[i].type == PACKET_FILE)
			status = unfold_file(u, i);
		progress_show("%zu of %zu frames", u->stats->frames, u->r->frame_count);
	}
	return status;
}

static host_status write_camera(unfolding *u, const char *camera)
{
	camera_file parsed;
	char path[FILE_PATH_MAX], name[512];
	snprintf(name, sizeof name, "%s: header: camera", u->r->path);
	host_status status = camera_parse(name, camera, &parsed);
	if (!status)
		status = path_join(u->folder, "camera.json", path);
	if (!status)
		status = file_write(path, camera, strlen(camera));
	u->width = parsed.camera.width;
	u->height = parsed.camera.height;
	return status;
}

static host_status set_up(unfolding *u, const char *camera)
{
	if (!camera)
		return host_fail_file(HOST_USAGE, u->r->path, "every copy of the header is lost: give --camera FILE");
	host_status status = write_camera(u, camera);
	if (!status)
		status = make_subfolder(u, "depth");
	if (!status)
		status = begin_list(u, "depth.txt", &u->depth_list);
	size_t pixels = (size_t)u->width * u->height;
	u->depth = status ? NULL : malloc(pixels * sizeof *u->depth);
	u->rgb = status ? NULL : malloc(3 * pixels);
	if (!status && !(u->depth && u->rgb))
		status = host_fail_memory("a frame");
	return status;
}

host_status unfold(const recording *r, const char *camera, const char *folder, const volatile sig_atomic_t *stop,
	unfold_stats *out)
{
	memset(out, 0, sizeof *out);
	unfolding *u = calloc(1, sizeof *u);
	if (!u)
		return host_fail_memory("a folder");
	u->r = r;
	u->folder = folder;
	u->stats = out;
	host_status status = set_up(u, camera ? camera : r->camera);
	if (!status)
		status = unfold_packets(u, stop);
	if (!status)
		status = file_commit(&u->depth_list);
	if (!status)
		status = file_commit(&u->color_list);
	file_abandon(&u->depth_list);
	file_abandon(&u->color_list);
	free(u->depth);
	free(u->rgb);
	free(u);
	return status;
}
