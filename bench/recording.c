/* SPDX-License-Identifier: Apache-2.0
 * enamel-recording: what it costs to record frames that lie in memory, at a scanner's rate, and what packing them by
 * other means would cost. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "clock.h"
#include "dataset.h"
#include "file.h"
#include "json.h"
#include "options.h"
#include "pictures.h"
#include "recorder.h"

static const char about[] =
	"Records frames that lie in memory at a given rate, and packs them by zstd alone and by differences and zstd.\n"
	"Ends with 1 when a frame found the queue full. What the figures mean: bench/README.md.";

typedef struct bench_options {
	const char *folder, *file, *json, *commit, *date;
	double fps, seconds, sync_s;
	int64_t frames, level;
} bench_options;

typedef struct bench_input {
	uint32_t width, height;
	size_t pixels, count;
	bool color;
	uint16_t *depth;
	uint8_t *rgb;
} bench_input;

/* Packing by one method: processor time of one thread. */
typedef struct packing {
	const char *name;
	bool color, delta;
	int level;
	double packed, plain, pack_s, unpack_s;
} packing;

static packing packings[] = {
	{.name = "depth_zstd_1", .level = 1},
	{.name = "depth_zstd_3", .level = 3},
	{.name = "depth_delta_1", .delta = true, .level = 1},
	{.name = "depth_delta_3", .delta = true, .level = 3},
	{.name = "color_zstd_1", .color = true, .level = 1},
	{.name = "color_zstd_3", .color = true, .level = 3},
	{.name = "color_delta_1", .color = true, .delta = true, .level = 1},
	{.name = "color_delta_3", .color = true, .delta = true, .level = 3},
};
#define PACKING_COUNT (sizeof packings / sizeof *packings)

static double cpu_s(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static host_status load(const bench_options *o, bench_input *in)
{
	dataset d;
	host_status status = dataset_open(o->folder, NULL, &d);
	if (status)
		return status;
	in->width = d.camera.camera.width;
	in->height = d.camera.camera.height;
	in->pixels = (size_t)in->width * in->height;
	in->color = d.has_color;
	size_t wanted = d.frame_count < (size_t)o->frames ? d.frame_count : (size_t)o->frames;
	in->depth = malloc(wanted * in->pixels * sizeof *in->depth);
	in->rgb = malloc(wanted * in->pixels * 3);
	if (!in->depth || !in->rgb)
		status = host_fail_memory("the frames");
	for (size_t i = 0; !status && i < d.frame_count && in->count < wanted; i++) {
		dataset_reading reading;
		uint8_t *rgb = in->color ? in->rgb + 3 * in->count * in->pixels : NULL;
		dataset_read_frame(&d, i, in->depth + in->count * in->pixels, rgb, &reading);
		in->count += reading.usable && reading.has_color == in->color;
	}
	dataset_close(&d);
	if (!status && !in->count)
		status = host_fail_file(HOST_DATA, o->folder, "no frame can be used");
	return status;
}

static host_status run_packing(const bench_input *in, packing *p)
{
	size_t plain = in->pixels * (p->color ? 3 : 2), bound = pictures_bound(in->pixels);
	uint8_t *packed = malloc(bound), *back = malloc(plain);
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	pictures *delta = NULL;
	host_status status = pictures_create(in->pixels, p->level, &delta);
	if (!status && (!packed || !back || !zstd))
		status = host_fail_memory("packing");
	for (size_t i = 0; !status && i < in->count; i++) {
		const uint16_t *depth = in->depth + i * in->pixels;
		const uint8_t *rgb = in->rgb + 3 * i * in->pixels;
		const void *bytes = p->color ? (const void *)rgb : (const void *)depth;
		double begun_s = cpu_s(CLOCK_THREAD_CPUTIME_ID);
		size_t size;
		if (!p->delta)
			size = ZSTD_compressCCtx(zstd, packed, bound, bytes, plain, p->level);
		else if (p->color)
			size = pictures_put_rgb(delta, rgb, in->pixels, packed);
		else
			size = pictures_put_depth(delta, depth, in->pixels, packed);
		double packed_s = cpu_s(CLOCK_THREAD_CPUTIME_ID);
		if (!p->delta)
			(void)ZSTD_decompress(back, plain, packed, size);
		else if (p->color)
			status = pictures_get_rgb(packed, size, in->pixels, back);
		else
			status = pictures_get_depth(packed, size, in->pixels, (uint16_t *)(void *)back);
		p->unpack_s += cpu_s(CLOCK_THREAD_CPUTIME_ID) - packed_s;
		p->pack_s += packed_s - begun_s;
		p->packed += (double)size;
		p->plain += (double)plain;
		if (!status && memcmp(back, bytes, plain))
			status = host_fail(HOST_DATA, "%s: frame %zu does not come back as it was", p->name, i);
	}
	pictures_destroy(&delta);
	ZSTD_freeCCtx(zstd);
	free(packed);
	free(back);
	return status;
}

static host_status start(const bench_options *o, const bench_input *in, int descriptor, recorder **out)
{
	writer_def def = writer_def_default();
	def.descriptor = descriptor;
	def.path = o->file;
	def.header = (recording_header){"{}", "{}", "enamel-recording"};
	def.width = in->width;
	def.height = in->height;
	def.sync_s = o->sync_s;
	def.level = (int)o->level;
	recorder_def queue = {.width = in->width, .height = in->height, .color = in->color, .queue_frames = 64};
	host_status status = writer_create(&def, &queue.writer);
	if (!status && (status = recorder_create(&queue, out)) != HOST_OK)
		(void)writer_close(&queue.writer, 0, NULL);
	return status;
}

typedef struct bench_run {
	recorder_stats stats;
	double wall_s, push_cpu_s; /* the latter: of the thread that hands frames over */
	size_t offered;
} bench_run;

/* Frames are offered when they are due, whatever became of the one before. */
static host_status record(const bench_options *o, const bench_input *in, bench_run *out)
{
	recorder *r = NULL;
	int descriptor = open(o->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (descriptor < 0)
		return host_fail_file(HOST_IO, o->file, "cannot write");
	host_status status = start(o, in, descriptor, &r);
	double begun_s = clock_s(), begun_cpu_s = cpu_s(CLOCK_THREAD_CPUTIME_ID);
	out->offered = (size_t)(o->fps * o->seconds);
	for (size_t i = 0; !status && i < out->offered; i++) {
		size_t k = i % in->count;
		const recording_frame frame = {.number = i,
			.time_s = (double)i / o->fps,
			.color_time_s = (double)i / o->fps,
			.width = in->width,
			.height = in->height,
			.depth = in->depth + k * in->pixels,
			.rgb = in->color ? in->rgb + 3 * k * in->pixels : NULL};
		double ahead_s = begun_s + (double)i / o->fps - clock_s();
		if (ahead_s > 0.0)
			nanosleep(&(struct timespec){0, (long)(ahead_s * 1e9)}, NULL);
		if (recorder_push(r, &frame, 0.0) == RECORDER_FAILED)
			status = HOST_IO;
	}
	out->push_cpu_s = cpu_s(CLOCK_THREAD_CPUTIME_ID) - begun_cpu_s;
	host_status closed = recorder_close(&r, &out->stats);
	out->wall_s = clock_s() - begun_s;
	close(descriptor);
	unlink(o->file);
	return closed ? closed : status;
}

static double rate(double bytes, double seconds)
{
	return seconds > 0.0 ? 1e-6 * bytes / seconds : 0.0;
}

static void print_table(const bench_options *o, const bench_input *in, const bench_run *r)
{
	const writer_stats *w = &r->stats.written;
	printf("%s: %zu frames of %ux%u%s, again and again at %.0f frames/s for %.0f s\n", path_base(o->folder),
		in->count, in->width, in->height, in->color ? " with colour" : "", o->fps, o->seconds);
	printf("%-15s %7s %12s %12s\n", "packing", "ratio", "pack MB/s", "unpack MB/s");
	for (size_t i = 0; i < PACKING_COUNT; i++)
		if (packings[i].plain > 0.0)
			printf("%-15s %7.3f %12.0f %12.0f\n", packings[i].name, packings[i].plain / packings[i].packed,
				rate(packings[i].plain, packings[i].pack_s),
				rate(packings[i].plain, packings[i].unpack_s));
	printf("recorded %llu of %zu frames, %llu refused; queue %u of 64 at most; %llu waits for the disk, %.1f ms at "
	       "most\n",
		(unsigned long long)w->frames, r->offered, (unsigned long long)r->stats.refused, r->stats.queue_max,
		(unsigned long long)w->syncs, 1e3 * w->sync_max_s);
	printf("%.1f MB/s of pictures become %.1f MB/s on the disk (ratio %.2f); of one core, writing takes %.1f %%, "
	       "handing over %.1f %%\n",
		rate((double)w->plain_bytes, r->wall_s), rate((double)w->bytes, r->wall_s),
		(double)w->plain_bytes / (double)w->bytes, 100.0 * r->stats.cpu_s / r->wall_s,
		100.0 * r->push_cpu_s / r->wall_s);
}

static json_t *packings_json(bool *ok)
{
	json_t *root = json_object();
	for (size_t i = 0; i < PACKING_COUNT; i++) {
		const packing *p = &packings[i];
		if (p->plain <= 0.0)
			continue;
		json_t *entry = json_object();
		json_put(entry, "ratio", json_finite(p->plain / p->packed), ok);
		json_put(entry, "pack_mb_s", json_finite(rate(p->plain, p->pack_s)), ok);
		json_put(entry, "unpack_mb_s", json_finite(rate(p->plain, p->unpack_s)), ok);
		json_put(root, p->name, entry, ok);
	}
	return root;
}

/* Recording needs no device, but results are kept by it. */
static void find_device(char out[sizeof((enm_device_info *)0)->name])
{
	const enm_context_def def = enm_context_def_default();
	enm_context *context = NULL;
	enm_device_info device;
	strcpy(out, "none");
	if (enm_context_create(&def, &context) >= 0 && enm_context_device(context, &device) >= 0)
		memcpy(out, device.name, sizeof device.name);
	enm_context_destroy(&context);
}

static host_status write_json(const bench_options *o, const bench_input *in, const bench_run *r)
{
	bool ok = true;
	const writer_stats *w = &r->stats.written;
	json_t *root = json_object();
	char device[sizeof((enm_device_info *)0)->name];
	find_device(device);
	json_put(root, "device", json_string(device), &ok);
	json_put(root, "commit", json_string(o->commit), &ok);
	json_put(root, "date", json_string(o->date), &ok);
	json_put(root, "dataset", json_string(path_base(o->folder)), &ok);
	json_put(root, "width", json_integer(in->width), &ok);
	json_put(root, "height", json_integer(in->height), &ok);
	json_put(root, "color", json_boolean(in->color), &ok);
	json_put(root, "different_frames", json_integer((json_int_t)in->count), &ok);
	json_put(root, "fps", json_finite(o->fps), &ok);
	json_put(root, "level", json_integer(o->level), &ok);
	json_put(root, "sync_s", json_finite(o->sync_s), &ok);
	json_put(root, "offered", json_integer((json_int_t)r->offered), &ok);
	json_put(root, "recorded", json_integer((json_int_t)w->frames), &ok);
	json_put(root, "refused", json_integer((json_int_t)r->stats.refused), &ok);
	json_put(root, "queue_max", json_integer(r->stats.queue_max), &ok);
	json_put(root, "wall_s", json_finite(r->wall_s), &ok);
	json_put(root, "picture_mb_s", json_finite(rate((double)w->plain_bytes, r->wall_s)), &ok);
	json_put(root, "disk_mb_s", json_finite(rate((double)w->bytes, r->wall_s)), &ok);
	json_put(root, "ratio", json_finite((double)w->plain_bytes / (double)w->bytes), &ok);
	json_put(root, "writer_cpu_share", json_finite(r->stats.cpu_s / r->wall_s), &ok);
	json_put(root, "push_cpu_share", json_finite(r->push_cpu_s / r->wall_s), &ok);
	json_put(root, "writer_cpu_ms_a_frame", json_finite(1e3 * r->stats.cpu_s / (double)w->frames), &ok);
	json_put(root, "syncs", json_integer((json_int_t)w->syncs), &ok);
	json_put(root, "sync_max_ms", json_finite(1e3 * w->sync_max_s), &ok);
	json_put(root, "packing", packings_json(&ok), &ok);
	host_status status = ok ? json_file_write(o->json, root) : host_fail_memory("the figures");
	json_decref(root);
	return status;
}

static host_status run(const bench_options *o)
{
	bench_input in = {0};
	bench_run r = {0};
	host_status status = load(o, &in);
	for (size_t i = 0; !status && i < PACKING_COUNT; i++)
		if (in.color || !packings[i].color)
			status = run_packing(&in, &packings[i]);
	if (!status)
		status = record(o, &in, &r);
	if (!status)
		print_table(o, &in, &r);
	if (!status && o->json)
		status = write_json(o, &in, &r);
	if (!status && r.stats.refused)
		status = host_fail(HOST_DATA, "%llu frames found the queue full", (unsigned long long)r.stats.refused);
	free(in.depth);
	free(in.rgb);
	return status;
}

int main(int argc, char **argv)
{
	bench_options o = {.fps = 70.0,
		.seconds = 20.0,
		.sync_s = 1.0,
		.frames = 60,
		.level = 1,
		.commit = "unknown",
		.date = "unknown",
		.file = "bench.enmrec"};
	option_def table[] = {
		{"fps", OPTION_NUMBER, &o.fps, 1, 1e4, "HZ", "frames a second (default 70)", NULL, false},
		{"seconds", OPTION_NUMBER, &o.seconds, 0.1, 3600, "S", "how long (default 20)", NULL, false},
		{"frames", OPTION_INTEGER, &o.frames, 1, 1000, "N", "different frames in memory (default 60)", NULL,
			false},
		{"level", OPTION_INTEGER, &o.level, -7, 19, "L", "of zstd (default 1)", NULL, false},
		{"sync-s", OPTION_NUMBER, &o.sync_s, 0, 3600, "S", "wait for the disk this often (default 1)", NULL,
			false},
		{"file", OPTION_TEXT, &o.file, 0, 0, "FILE", "where to record to; removed at the end", NULL, false},
		{"json", OPTION_TEXT, &o.json, 0, 0, "FILE", "the figures", NULL, false},
		{"commit", OPTION_TEXT, &o.commit, 0, 0, "ID", "goes into the figures", NULL, false},
		{"date", OPTION_TEXT, &o.date, 0, 0, "DATE", "goes into the figures", NULL, false},
	};
	options_def def = {"DATASET [options]", about, table, sizeof table / sizeof *table, 1, 1};
	options_result parsed;
	host_set_program("enamel-recording");
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	o.folder = parsed.positional[0];
	if (!status && o.json)
		status = file_check_output(o.json);
	if (!status)
		status = run(&o);
	return status ? host_report_failure(status) : HOST_OK;
}
