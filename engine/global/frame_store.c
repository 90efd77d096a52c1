/* SPDX-License-Identifier: Apache-2.0 */
#include "global/frame_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "global/rigid.h"

static enm_result reserve(frame_store *s, size_t capacity)
{
	store_frame *frames = realloc(s->frames, capacity * sizeof(*frames));
	if (frames == NULL)
		return error_set(ENM_E_MEMORY, "frames kept: no host memory for %zu frames", capacity);
	s->frames = frames;
	s->capacity = capacity;
	return ENM_OK;
}

enm_result store_create(const enm_session_def *def, frame_store *out_store)
{
	frame_store *s = out_store;
	memset(s, 0, sizeof(*s));
	s->spill = -1;
	if (!def->keep_frames)
		return ENM_OK;
	s->bytes_max = def->frames_bytes_max;
	s->spill_name = def->frames_spill_path;
	if (s->spill_name != NULL) {
		s->spill = open(s->spill_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
		if (s->spill < 0)
			return error_set(ENM_E_IO, "frames_spill_path: %s: %s", s->spill_name, strerror(errno));
		(void)unlink(s->spill_name); /* it lives as long as it is open */
	}
	s->on = true;
	if (def->frames_expected == 0)
		return ENM_OK;
	enm_result result = reserve(s, def->frames_expected);
	if (result == ENM_OK) /* pages that nobody touched are not there yet */
		memset(s->frames, 1, s->capacity * sizeof(*s->frames));
	return result;
}

void store_clear(frame_store *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->frames[i].input);
	s->count = 0;
	s->bytes = s->spilled = s->not_kept = 0;
	if (s->spill >= 0 && ftruncate(s->spill, 0) != 0) {
		/* what is there is written over */
	}
}

void store_destroy(frame_store *s)
{
	store_clear(s);
	free(s->frames);
	if (s->spill >= 0 && s->on)
		close(s->spill);
	memset(s, 0, sizeof(*s));
	s->spill = -1;
}

/* ---- inputs ---- */

static bool write_all(int file, const char *bytes, size_t count, uint64_t offset)
{
	while (count > 0) {
		const ssize_t n = pwrite(file, bytes, count, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		count -= (size_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

/* False where there is no room. */
static bool keep_input(frame_store *s, const store_input *from, store_frame *to)
{
	const size_t bytes = from->bytes + from->hidden_bytes;
	if (s->bytes + bytes <= s->bytes_max)
		to->input = malloc(bytes);
	if (to->input != NULL) {
		memcpy(to->input, from->input, from->bytes);
		if (from->hidden_bytes > 0)
			memcpy((char *)to->input + from->bytes, from->hidden, from->hidden_bytes);
		s->bytes += bytes;
	} else {
		if (s->spill < 0 || !write_all(s->spill, from->input, from->bytes, s->spilled) ||
			!write_all(s->spill, from->hidden, from->hidden_bytes, s->spilled + from->bytes))
			return false;
		to->offset = s->spilled;
		s->spilled += bytes;
	}
	to->bytes = bytes;
	to->hidden_offset = from->hidden_bytes > 0 ? from->bytes : 0;
	return true;
}

size_t store_input_bytes(const store_frame *f)
{
	return f->hidden_offset > 0 ? f->hidden_offset : f->bytes;
}

enm_result store_read(const frame_store *s, const store_frame *f, size_t offset, size_t bytes, void *out_input)
{
	if (f->input != NULL) {
		memcpy(out_input, (const char *)f->input + offset, bytes);
		return ENM_OK;
	}
	for (size_t done = 0; done < bytes;) {
		const ssize_t n =
			pread(s->spill, (char *)out_input + done, bytes - done, (off_t)(f->offset + offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set(ENM_E_IO, "frames_spill_path: %s: frame %llu: %s", s->spill_name,
				(unsigned long long)f->id, n < 0 ? strerror(errno) : "the file ends too early");
		done += (size_t)n;
	}
	return ENM_OK;
}

/* ---- what became of frames ---- */

static void set_apart(frame_store *s, uint32_t island)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->frames[i].island == island)
			s->frames[i].apart = true;
}

/* Takes the poses of a joined island's frames into the first model. */
static void join(frame_store *s, uint32_t island, const enm_k_pose *first_from_island)
{
	for (size_t i = 0; i < s->count; i++) {
		store_frame *f = &s->frames[i];
		if (f->island != island || f->apart)
			continue;
		const rigid moved = rigid_from_device(&f->world_from_camera),
			    first = rigid_from_device(first_from_island);
		const rigid joined = rigid_after(&first, &moved);
		f->world_from_camera = rigid_to_device(&joined);
		f->island = 0;
	}
}

#define BREAKING (ENM_K_EVENT_LOST | ENM_K_EVENT_RECOVERED | ENM_K_EVENT_ISLAND_JOINED | ENM_K_EVENT_BEGUN_AGAIN | ENM_K_EVENT_BEGUN_ANEW)

static bool breaks_chain(const frame_store *s, const enm_k_track *track, int64_t time_ns)
{
	if (s->count == 0)
		return false;
	const store_frame *last = &s->frames[s->count - 1];
	return (track->events & BREAKING) != 0 || track->island != last->island || (double)((uint64_t)time_ns - (uint64_t)last->time_ns) > 1e9 * (double)ENM_K_GAP_S;
}

enm_result store_note(frame_store *s, const enm_k_track *track, const store_input *frame, bool *out_full)
{
	*out_full = false;
	if (!s->on)
		return ENM_OK;
	enm_result result = s->count < s->capacity ? ENM_OK : reserve(s, s->capacity > 0 ? 2 * s->capacity : 256);
	if (result != ENM_OK)
		return result;
	if ((track->events & ENM_K_EVENT_BEGUN_AGAIN) != 0)
		set_apart(s, 0);
	for (size_t i = 0; i < s->count && (track->events & ENM_K_EVENT_BEGUN_ANEW) != 0; i++)
		s->frames[i].bent = s->frames[i].bent || s->frames[i].island == track->island;
	if ((track->events & ENM_K_EVENT_ISLAND_DROPPED) != 0)
		set_apart(s, track->dropped);
	if ((track->events & ENM_K_EVENT_ISLAND_JOINED) != 0)
		join(s, track->joined, &track->first_from_island);
	s->chain += breaks_chain(s, track, frame->time_ns);
	store_frame *f = &s->frames[s->count];
	*f = (store_frame){.id = frame->id,
		.time_ns = frame->time_ns,
		.world_from_camera = track->world_from_camera,
		.as_tracked = track->last,
		.system_pivot_mm = track->system_pivot_mm,
		.pivot_mm = track->pivot_mm,
		.frames = track->frames,
		.tracked = track->tracked,
		.verdict = track->verdict,
		.samples = track->samples,
		.colored = track->colored,
		.island = track->island,
		.format = frame->format,
		.color_offset = frame->color_offset,
		.chain = s->chain};
	memcpy(f->skew, track->skew, sizeof(f->skew));
	memcpy(f->information, track->information, sizeof(f->information));
	if (track->verdict == ENM_K_VERDICT_TRACKED && !keep_input(s, frame, f))
		*out_full = s->not_kept++ == 0;
	s->count++;
	return ENM_OK;
}

enm_k_track store_track(const store_frame *f)
{
	enm_k_track t;
	memset(&t, 0, sizeof(t));
	t.world_from_camera = f->world_from_camera;
	t.system_pivot_mm = f->system_pivot_mm;
	t.pivot_mm = f->pivot_mm;
	t.frames = f->frames;
	t.tracked = f->tracked;
	t.verdict = f->verdict;
	t.samples = f->samples;
	memcpy(t.skew, f->skew, sizeof(t.skew));
	memcpy(t.information, f->information, sizeof(t.information));
	return t;
}

bool store_usable(const store_frame *f)
{
	return f->bytes > 0 && !f->apart && f->island == 0;
}
