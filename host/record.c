/* SPDX-License-Identifier: Apache-2.0
 * `enamel record`: a dataset folder into a recording, through the queue and the thread that a live scan uses. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carry.h"
#include "clock.h"
#include "command.h"
#include "file.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "progress.h"
#include "recorder.h"

#define WAIT_FOR_ROOM_S 3600.0

static const char about[] =
	"Writes the frames of a dataset folder into a recording, which must not be there yet. It grows as frames\n"
	"arrive, so that whatever ends the process leaves all but the last packet. With --fps frames are offered at\n"
	"that rate, and those that find the queue full are refused, counted and named; else all are waited for.";

typedef struct record_options {
	const char *folder, *out, *camera;
	double fps, sync_s;
	int64_t queue, level, frames[2];
	bool strict, json;
} record_options;

typedef struct record {
	const record_options *o;
	dataset data;
	carry_header header;
	carry_buffer buffer;
	recorder *recorder;
	const volatile sig_atomic_t *stop;
	size_t end, offered, left_out, colors_left_out;
	double wall_s, late_max_s;
	recorder_stats stats;
} record;

/* Never over an existing file: it may be the only copy of a scan. */
static host_status open_output(const char *path, int *out)
{
	*out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (*out < 0 && errno == EEXIST)
		return host_fail_file(HOST_IO, path, "is there already, and a recording is never written over");
	return *out < 0 ? host_fail_file(HOST_IO, path, "cannot write: %s", strerror(errno)) : HOST_OK;
}

static host_status open_data(record *r)
{
	const record_options *o = r->o;
	host_status status = dataset_open(o->folder, o->camera, &r->data);
	if (!status && r->data.recording)
		status = host_fail_file(
			HOST_USAGE, o->folder, "is a recording already ('enamel cut' takes a part of it)");
	if (!status && (uint64_t)o->frames[0] >= r->data.frame_count)
		status = host_fail(HOST_USAGE, "--frames: begins at %lld, but %s has %zu frames",
			(long long)o->frames[0], o->folder, r->data.frame_count);
	r->end = (uint64_t)o->frames[1] < r->data.frame_count ? (size_t)o->frames[1] : r->data.frame_count;
	if (!status)
		status = carry_header_make(&r->data, o->camera, &r->header);
	if (!status)
		status = carry_buffer_make(&r->data, &r->buffer);
	if (!status && *r->data.note)
		host_say("%s", r->data.note);
	return status;
}

static host_status start(record *r, int descriptor)
{
	writer_def def = carry_writer_def(&r->data, &r->header);
	def.descriptor = descriptor;
	def.path = r->o->out;
	def.sync_s = r->o->sync_s;
	def.level = (int)r->o->level;
	recorder_def queue = {.width = def.width,
		.height = def.height,
		.color = r->data.has_color,
		.queue_frames = (uint32_t)r->o->queue};
	host_status status = writer_create(&def, &queue.writer);
	if (!status)
		status = carry_files(&r->data, queue.writer);
	if (!status)
		status = recorder_create(&queue, &r->recorder);
	if (status) {
		char text[512];
		snprintf(text, sizeof text, "%s", host_error_text());
		(void)writer_close(&queue.writer, 0, NULL);
		return host_fail(status, "%s", text);
	}
	return HOST_OK;
}

/* Waits for the moment at which the frame is due. Reading files may make it late. */
static void keep_pace(record *r, size_t frame, double begun_s)
{
	if (r->o->fps <= 0.0)
		return;
	double ahead_s = begun_s + (double)frame / r->o->fps - clock_s();
	r->late_max_s = -ahead_s > r->late_max_s ? -ahead_s : r->late_max_s;
	if (ahead_s <= 0.0)
		return;
	const struct timespec t = {(time_t)ahead_s, (long)((ahead_s - (double)(time_t)ahead_s) * 1e9)};
	nanosleep(&t, NULL);
}

static host_status push_frames(record *r)
{
	double begun_s = clock_s();
	size_t first = (size_t)r->o->frames[0];
	for (size_t i = first; i < r->end && !*r->stop; i++) {
		recording_frame frame;
		bool read = carry_frame(&r->data, i, &r->buffer, &frame, &r->colors_left_out);
		r->left_out += !read;
		if (r->o->strict && r->left_out + r->colors_left_out)
			return host_fail_file(HOST_USAGE, r->data.frames[i].depth, "cannot be read whole (--strict)");
		keep_pace(r, i - first, begun_s);
		if (!read)
			continue;
		r->offered++;
		recorder_answer answer = recorder_push(r->recorder, &frame, r->o->fps > 0.0 ? 0.0 : WAIT_FOR_ROOM_S);
		if (answer == RECORDER_FAILED)
			return HOST_IO;
		if (answer == RECORDER_FULL)
			host_warn("frame %zu is not recorded: the queue is full", i);
		progress_show("%zu of %zu frames", i + 1 - first, r->end - first);
	}
	return HOST_OK;
}

static double megabytes(uint64_t bytes)
{
	return 1e-6 * (double)bytes;
}

static host_status print_json(const record *r)
{
	bool ok = true;
	const writer_stats *w = &r->stats.written;
	json_t *root = json_object();
	json_put(root, "file", json_foreign(r->o->out), &ok);
	json_put(root, "frames", json_integer((json_int_t)w->frames), &ok);
	json_put(root, "refused", json_integer((json_int_t)r->stats.refused), &ok);
	json_put(root, "left_out", json_integer((json_int_t)r->left_out), &ok);
	json_put(root, "colors_left_out", json_integer((json_int_t)r->colors_left_out), &ok);
	json_put(root, "interrupted", json_boolean(*r->stop), &ok);
	json_put(root, "bytes", json_integer((json_int_t)w->bytes), &ok);
	json_put(root, "picture_bytes", json_integer((json_int_t)w->plain_bytes), &ok);
	json_put(root, "queue_max", json_integer(r->stats.queue_max), &ok);
	json_put(root, "syncs", json_integer((json_int_t)w->syncs), &ok);
	json_put(root, "sync_max_ms", json_finite(1e3 * w->sync_max_s), &ok);
	json_put(root, "late_max_ms", json_finite(1e3 * r->late_max_s), &ok);
	json_put(root, "writer_cpu_s", json_finite(r->stats.cpu_s), &ok);
	json_put(root, "wall_s", json_finite(r->wall_s), &ok);
	host_status status = ok ? json_print(root, stdout) : host_fail_memory("the report");
	json_decref(root);
	return status;
}

static void print_text(const record *r)
{
	const writer_stats *w = &r->stats.written;
	printf("%s: %llu frames, %.1f MB of %.1f MB of pictures, in %.2f s (%.2f s of processor time to write)\n",
		r->o->out, (unsigned long long)w->frames, megabytes(w->bytes), megabytes(w->plain_bytes), r->wall_s,
		r->stats.cpu_s);
	printf("queue: %u frames at most, %llu refused; %llu waits for the disk, %.1f ms at most\n", r->stats.queue_max,
		(unsigned long long)r->stats.refused, (unsigned long long)w->syncs, 1e3 * w->sync_max_s);
}

static host_status judge(const record *r)
{
	if (*r->stop)
		return host_fail(HOST_INTERRUPTED, "interrupted after %llu frames, which are recorded",
			(unsigned long long)r->stats.written.frames);
	if (r->stats.refused || r->left_out || r->colors_left_out)
		return host_fail(HOST_DATA,
			"not all is recorded: refused frames %llu, unreadable frames %zu, unreadable colours %zu",
			(unsigned long long)r->stats.refused, r->left_out, r->colors_left_out);
	return HOST_OK;
}

static host_status record_frames(record *r, int descriptor)
{
	double begun_s = clock_s();
	host_status status = start(r, descriptor);
	if (status) { /* nothing of the scan is in it */
		unlink(r->o->out);
		return status;
	}
	progress_begin(!r->o->json);
	status = push_frames(r);
	progress_end();
	char text[512];
	snprintf(text, sizeof text, "%s", host_error_text());
	host_status closed = recorder_close(&r->recorder, &r->stats);
	r->wall_s = clock_s() - begun_s;
	if (status == HOST_USAGE || (status && !closed))
		return host_fail(status, "%s", text);
	return closed;
}

static host_status record_run(const record_options *o)
{
	record r = {.o = o, .stop = interrupt_watch()};
	int descriptor = -1;
	host_status status = open_data(&r);
	if (!status)
		status = open_output(o->out, &descriptor);
	if (!status)
		file_sync_folder(o->out);
	if (!status)
		status = record_frames(&r, descriptor);
	if (!status && o->json)
		status = print_json(&r);
	else if (!status)
		print_text(&r);
	if (!status)
		status = judge(&r);
	if (descriptor >= 0)
		close(descriptor);
	carry_buffer_free(&r.buffer);
	carry_header_free(&r.header);
	dataset_close(&r.data);
	return status;
}

int command_record(int argc, char **argv)
{
	record_options o = {.sync_s = 1.0, .queue = 64, .level = 1, .frames = {0, INT64_MAX}};
	option_def table[] = {
		{"out", OPTION_TEXT, &o.out, 0, 0, "FILE", "the recording: *.enmrec", NULL, false},
		{"fps", OPTION_NUMBER, &o.fps, 0.01, 1e5, "HZ", "offer frames at this rate, as a scanner would", NULL,
			false},
		{"frames", OPTION_RANGE, o.frames, 0, 0, "A:B", "frames A to B only, from 0, B not included", NULL,
			false},
		{"queue", OPTION_INTEGER, &o.queue, 1, 4096, "N", "frames that may wait to be written (default 64)",
			NULL, false},
		{"sync-s", OPTION_NUMBER, &o.sync_s, 0, 3600, "S",
			"wait for the disk this often (default 1; 0: after each packet)", NULL, false},
		{"level", OPTION_INTEGER, &o.level, -7, 19, "L", "of zstd, the larger the slower (default 1)", NULL,
			false},
		{"camera", OPTION_TEXT, &o.camera, 0, 0, "FILE", "this camera.json instead of the dataset's", NULL,
			false},
		{"strict", OPTION_FLAG, &o.strict, 0, 0, NULL, "stop at a frame that cannot be read", NULL, false},
		{"json", OPTION_FLAG, &o.json, 0, 0, NULL, "print the figures as JSON on stdout", NULL, false},
	};
	options_def def = {"FOLDER --out FILE.enmrec [options]", about, table, sizeof table / sizeof *table, 1, 1};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	o.folder = parsed.positional[0];
	if (!status && !o.out)
		status = host_fail(HOST_USAGE, "--out: missing (wanted FILE ending in .enmrec)");
	if (!status && !path_has_extension(o.out, ".enmrec"))
		status = host_fail(HOST_USAGE, "--out: '%s' does not end in .enmrec", o.out);
	if (!status)
		status = record_run(&o);
	return status ? host_report_failure(status) : HOST_OK;
}
