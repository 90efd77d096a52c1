/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"

static double first_time_s(const recording *r)
{
	for (size_t i = 0; i < r->entry_count; i++)
		if (r->entries[i].type == PACKET_FRAME)
			return r->entries[i].time_s;
	return 0.0;
}

/* Header, index and end are made anew. */
static bool is_wanted(const packet_entry *e, const copy_def *def, double first_s)
{
	if (e->type == PACKET_BEGIN || e->type == PACKET_INDEX || e->type == PACKET_END)
		return false;
	double time_s = e->time_s - first_s;
	return e->type != PACKET_FRAME || (time_s >= def->from_s && time_s < def->to_s);
}

static host_status copy_packets(const recording *r, const copy_def *def, writer *w, copy_stats *out)
{
	double first_s = first_time_s(r);
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < r->entry_count; i++) {
		packet_head head;
		uint8_t *payload;
		if (!is_wanted(&r->entries[i], def, first_s))
			continue;
		host_status read = recording_read(r, i, &head, &payload);
		if (read == HOST_IO)
			return read;
		if (read) {
			host_warn("%s: packet %llu is left out: %s", r->path,
				(unsigned long long)r->entries[i].sequence, host_error_text());
			out->unreadable++;
			continue;
		}
		status = writer_copy(w, &head, payload);
		free(payload);
	}
	if (!status && !writer_so_far(w)->frames)
		status = host_fail_file(
			HOST_DATA, r->path, r->frame_count ? "no frame lies within the times" : "no frame is left");
	return status;
}

host_status recording_copy(const recording *r, const copy_def *def, copy_stats *out)
{
	memset(out, 0, sizeof *out);
	if (!r->camera && !def->camera)
		return host_fail_file(HOST_USAGE, r->path, "every copy of the header is lost: give --camera FILE");
	file_output output = {0};
	host_status status = file_begin(def->path, &output);
	if (status)
		return status;
	writer_def wanted = writer_def_default();
	wanted.descriptor = fileno(output.stream);
	wanted.path = def->path;
	wanted.header = (recording_header){
		def->camera ? def->camera : r->camera, r->settings ? r->settings : "{}", r->program ? r->program : ""};
	wanted.session = r->session;
	wanted.width = wanted.height = 1; /* no picture is packed */
	wanted.sync_s = -1.0;
	writer *w = NULL;
	writer_stats stats = {0};
	status = writer_create(&wanted, &w);
	if (!status)
		status = copy_packets(r, def, w, out);
	if (status) {
		char text[512];
		snprintf(text, sizeof text, "%s", host_error_text());
		(void)writer_close(&w, 0, NULL);
		file_abandon(&output);
		return host_fail(status, "%s", text);
	}
	status = writer_close(&w, r->end.refused, &stats);
	out->frames = stats.frames;
	out->packets = stats.packets;
	out->bytes = stats.bytes;
	if (status)
		file_abandon(&output);
	return status ? status : file_commit(&output);
}
