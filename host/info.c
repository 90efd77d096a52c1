/* SPDX-License-Identifier: Apache-2.0
 * `enamel info`: what a recording holds, and whether all of it is there. Reads every byte. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camera.h"
#include "command.h"
#include "json.h"
#include "options.h"
#include "reader.h"

static const char about[] =
	"Reads a whole recording and says what it holds and what is damaged: which bytes, how many packets.\n"
	"Ends with 1 when something is lost, or when it was not closed.";

typedef struct frames_found {
	size_t colored;
	uint64_t missing; /* numbers left out between the first and the last frame */
	double first_s, last_s;
} frames_found;

/* Of a packet whose head was checked when the file was opened. */
static bool frame_number(const recording *r, size_t entry, uint64_t *out)
{
	packet_head head;
	packet_frame f;
	uint8_t *payload;
	if (recording_read(r, entry, &head, &payload))
		return false;
	bool good = packet_frame_get(payload, (size_t)head.payload_bytes, &f);
	free(payload);
	*out = f.number;
	return good;
}

static frames_found look_at_frames(const recording *r)
{
	frames_found found = {.first_s = (double)NAN, .last_s = (double)NAN};
	uint64_t last = 0, number;
	bool begun = false;
	for (size_t i = 0; i < r->entry_count; i++) {
		const packet_entry *e = &r->entries[i];
		if (e->type != PACKET_FRAME)
			continue;
		found.colored += (e->flags & PACKET_HAS_COLOR) != 0;
		found.first_s = isnan(found.first_s) ? e->time_s : found.first_s;
		found.last_s = e->time_s;
		if (!frame_number(r, i, &number))
			continue;
		if (begun && number > last + 1)
			found.missing += number - last - 1;
		last = number;
		begun = true;
	}
	return found;
}

static json_t *damages_json(const recording *r, bool *ok)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->damage_count; i++) {
		const recording_damage *d = &r->damages[i];
		json_t *entry = json_object();
		json_put(entry, "offset", json_integer((json_int_t)d->offset), ok);
		json_put(entry, "bytes", json_integer((json_int_t)d->bytes), ok);
		json_put(entry, "packets_lost", json_integer((json_int_t)d->packets_lost), ok);
		json_put(entry, "at_end", json_boolean(d->at_end), ok);
		json_put(entry, "reason", json_string(d->reason), ok);
		*ok = !json_array_append_new(list, entry) && *ok;
	}
	return list;
}

static json_t *files_json(const recording *r, bool *ok)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->entry_count; i++) {
		char name[FILE_NAME_MAX + 1];
		uint8_t *bytes;
		size_t size;
		if (r->entries[i].type != PACKET_FILE || recording_read_file(r, i, name, &bytes, &size))
			continue;
		free(bytes);
		json_t *entry = json_object();
		json_put(entry, "name", json_foreign(name), ok);
		json_put(entry, "bytes", json_integer((json_int_t)size), ok);
		*ok = !json_array_append_new(list, entry) && *ok;
	}
	return list;
}

/* Header texts are JSON, but whoever wrote them may have got that wrong: then they are given as text. */
static json_t *header_json(const char *text)
{
	if (!text)
		return json_null();
	json_t *value = json_loads(text, 0, NULL);
	if (!value)
		value = json_foreign(text);
	return value ? value : json_null();
}

static host_status print_json(const recording *r, const frames_found *f)
{
	bool ok = true;
	char session[20];
	snprintf(session, sizeof session, "%016llx", (unsigned long long)r->session);
	json_t *root = json_object();
	json_put(root, "file", json_foreign(r->path), &ok);
	json_put(root, "bytes", json_integer((json_int_t)r->size), &ok);
	json_put(root, "session", json_string(session), &ok);
	json_put(root, "program", r->program ? json_foreign(r->program) : json_null(), &ok);
	json_put(root, "camera", header_json(r->camera), &ok);
	json_put(root, "settings", header_json(r->settings), &ok);
	json_put(root, "closed", json_boolean(r->closed), &ok);
	json_put(root, "packets", json_integer((json_int_t)r->entry_count), &ok);
	json_put(root, "frames", json_integer((json_int_t)r->frame_count), &ok);
	json_put(root, "frames_with_color", json_integer((json_int_t)f->colored), &ok);
	json_put(root, "frames_missing", json_integer((json_int_t)f->missing), &ok);
	json_put(root, "frames_refused", r->closed ? json_integer((json_int_t)r->end.refused) : json_null(), &ok);
	json_put(root, "first_s", json_finite(f->first_s), &ok);
	json_put(root, "last_s", json_finite(f->last_s), &ok);
	json_put(root, "files", files_json(r, &ok), &ok);
	json_put(root, "packets_lost", json_integer((json_int_t)recording_lost_packets(r)), &ok);
	json_put(root, "bytes_lost", json_integer((json_int_t)recording_lost_bytes(r)), &ok);
	json_put(root, "damages", damages_json(r, &ok), &ok);
	host_status status = ok ? json_print(root, stdout) : host_fail_memory("the report");
	json_decref(root);
	return status;
}

static void print_text(const recording *r, const frames_found *f)
{
	camera_file camera;
	printf("%s: %.1f MB, session %016llx, written by %s\n", r->path, 1e-6 * (double)r->size,
		(unsigned long long)r->session, r->program && *r->program ? r->program : "(unknown)");
	if (!r->camera)
		printf("camera: lost\n");
	else if (camera_parse(r->path, r->camera, &camera))
		printf("camera: %s\n", host_error_reason());
	else
		printf("camera: %ux%u, %.6g units a %s, rows %.3g s apart\n", camera.camera.width, camera.camera.height,
			camera.depth_scale, camera.mm_per_unit == 1.0 ? "mm" : "m", camera.row_time_s);
	printf("frames: %zu, %zu with colour", r->frame_count, f->colored);
	if (r->frame_count)
		printf(", from %.6f to %.6f s", f->first_s, f->last_s);
	printf("\n");
	if (f->missing)
		printf("missing between them: %llu, of which %llu found the queue full\n",
			(unsigned long long)f->missing, (unsigned long long)r->end.refused);
	for (size_t i = 0; i < r->entry_count; i++) {
		char name[FILE_NAME_MAX + 1];
		uint8_t *bytes;
		size_t size;
		if (r->entries[i].type != PACKET_FILE || recording_read_file(r, i, name, &bytes, &size))
			continue;
		free(bytes);
		printf("carries %s, %zu bytes\n", name, size);
	}
	for (size_t i = 0; i < r->damage_count; i++) {
		char text[256];
		recording_damage_text(&r->damages[i], text, sizeof text);
		printf("%s\n", text);
	}
}

static host_status info_run(const char *path, bool json)
{
	recording *r;
	host_status status = recording_open(path, RECORDING_CHECK, NULL, &r);
	if (status)
		return status;
	const frames_found frames = look_at_frames(r);
	if (json)
		status = print_json(r, &frames);
	else
		print_text(r, &frames);
	if (!status && r->damage_count)
		status = host_fail_file(HOST_DATA, path,
			"damaged: %llu bytes hold no packet, packets lost: %llu ('enamel recover')",
			(unsigned long long)recording_lost_bytes(r), (unsigned long long)recording_lost_packets(r));
	else if (!status && !r->closed)
		status =
			host_fail_file(HOST_DATA, path, "was not closed: it has no index ('enamel recover' makes one)");
	recording_close(&r);
	return status;
}

int command_info(int argc, char **argv)
{
	bool json = false;
	option_def table[] = {
		{"json", OPTION_FLAG, &json, 0, 0, NULL, "print it as JSON on stdout", NULL, false},
	};
	options_def def = {"FILE.enmrec [options]", about, table, sizeof table / sizeof *table, 1, 1};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	if (!status)
		status = info_run(parsed.positional[0], json);
	return status ? host_report_failure(status) : HOST_OK;
}
