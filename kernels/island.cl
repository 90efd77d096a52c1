/* SPDX-License-Identifier: Apache-2.0
 *
 * Islands: where the way back is not found, frames build another model apart from the first, far away in the same volume. Frames of an island
 * are searched for on the first model, and frames of the first model on the islands that wait: when several are found there, and agree on
 * where an island lies, it is joined.
 *
 *   island_begin    the frame in hand becomes the first of an island, or of the scan
 *   island_settle   joins an island
 *   island_forget   takes islands out of the volume
 */
#include "recovery.h"
#include "volume.h"

/* Frames that must agree on where an island lies, and how well: in mean depths, and in rad. */
#define JOIN_FRAMES 3
#define JOIN_OVERLAP_SUM 1.0f /* the less each sees of both, the more are asked */
/* A frame with twice the readings that are asked for counts as three: on the way back to the jaw views are far off and small, and the place is found
 * before long; what is not found at work lies elsewhere. */
#define VIEW_FULL 2
#define VIEW_FULL_COUNTS 3
/* An island of which nothing is proved while so many frames are tracked on the first model is given up: as many as this, and the more the larger it is.
 * While it waits no loop is closed. */
#define AWAY_LEAST 300u
#define AWAY_A_FRAME 10u
/* Where no place is free, a loss that lasts as many times as one that begins an island ends the one with the fewest frames. */
#define ISLAND_PATIENCE 3

static inline void close_island(__private enm_k_track *s, __global enm_k_recovery *recovery, uint place, uint event)
{
	s->events |= event;
	s->islands_open--;
	recovery->islands[place].id = recovery->islands[place].joined = 0;
	recovery->forget |= 1u << place;
}

/* Notes how many frames each island has, and how long it has been left; one that has been left for too long is given up. */
static inline void look_after(__private enm_k_track *s, __global enm_k_recovery *recovery)
{
	bool closed = false, on_first = s->island == 0 && s->verdict == ENM_K_VERDICT_TRACKED; /* from another island none is searched for */
	for (uint i = 0; i < ENM_K_ISLANDS; i++) {
		__global enm_k_island *island = &recovery->islands[i];
		bool here = s->island != 0 && s->island == island->id;
		if (island->id == 0 || closed)
			continue;
		island->frames = here ? s->island_frames : island->frames;
		island->away = here ? 0 : island->away + (on_first ? 1 : 0);
		if (on_first && island->away > AWAY_LEAST + AWAY_A_FRAME * island->frames) {
			s->dropped = island->id;
			close_island(s, recovery, i, ENM_K_EVENT_ISLAND_DROPPED);
			closed = true;
		}
	}
}

/* Where the next island would lie. One of few frames, as of a body that covered the view, gives way first, though others be free: it would lead
 * astray. */
static inline uint next_place(__global const enm_k_recovery *recovery)
{
	uint best = 0, least = UINT_MAX;
	for (uint i = 0; i < ENM_K_ISLANDS; i++) {
		__global const enm_k_island *island = &recovery->islands[i];
		bool young = island->id != 0 && island->frames <= ENM_K_YOUNG_FRAMES;
		uint worth = young ? 0 : island->id == 0 ? 1 : island->frames;
		best = worth < least ? i : best;
		least = min(least, worth);
	}
	return best;
}

static inline void begin_island(const enm_k_volume *volume, uint place, __private enm_k_track *s, __global enm_k_recovery *recovery)
{
	float block_mm = ENM_K_BLOCK_EDGE * volume->voxel_mm;
	for (int i = 0; i < 9; i++)
		s->world_from_camera.r[i] = i % 4 == 0 ? 1.0f : 0.0f;
	s->world_from_camera.t[0] = volume->island_side * (ENM_K_ISLAND_MIDDLE * block_mm);
	s->world_from_camera.t[1] = ((place + 0.5f) * ENM_K_ISLAND_BLOCKS_Y - (1 << (ENM_K_KEY_BITS_XY - 1))) * block_mm;
	s->world_from_camera.t[2] = 0.0f;
	s->held = 0; /* a direction in the world that was */
	s->islands++;
	s->islands_open++;
	s->island = s->islands;
	s->island_place = place;
	s->island_frames = 1;
	s->events |= ENM_K_EVENT_ISLAND_BEGUN;
	recovery->islands[place].id = s->island;
	recovery->islands[place].frames = 1;
	recovery->islands[place].away = recovery->islands[place].joined = recovery->agreed = 0;
}

/* The scan begins again at the last pose: what was fused is forgotten. */
static inline void begin_scan(__private enm_k_track *s, __global enm_k_recovery *recovery)
{
	s->tracked = 1;
	s->events |= ENM_K_EVENT_BEGUN_AGAIN | ENM_K_EVENT_BEGUN_ANEW | ENM_K_EVENT_RECOVERED;
	recovery->keyframes = recovery->agreed = 0;
}

/* One item. `after`: lost frames with readings, or a third of that with many. `smooth_too`: where the shape in view fixes no pose, colour may. `placed` gets the state by which
 * the frame is fused: that of no frame if nothing begins with it. */
__kernel void island_begin(const enm_k_volume volume, uint after, uint readings_min, int smooth_too, __global enm_k_track *track,
			   __global enm_k_recovery *recovery, __global enm_k_track *placed)
{
	if (get_global_id(0) != 0)
		return;
	enm_k_track s = *track;
	bool lost = s.verdict == ENM_K_VERDICT_LOST && s.tracked > 0 && s.probation == 0 && s.valid_readings >= readings_min;
	recovery->forget = 0;
	look_after(&s, recovery);
	uint place = next_place(recovery);
	bool taken = recovery->islands[place].id != 0, worth = taken && recovery->islands[place].frames > ENM_K_YOUNG_FRAMES;
	uint patience = worth ? after * ISLAND_PATIENCE : after; /* what is there is not given up as soon */
	uint counts = !worth && s.valid_readings >= VIEW_FULL * readings_min ? VIEW_FULL_COUNTS : 1;
	s.searched = s.verdict != ENM_K_VERDICT_LOST ? 0 : s.searched + (lost ? counts : 0);
	bool begins = lost && s.searched >= patience && volume.island_side != 0 && (s.held == 0 || smooth_too != 0);
	if (begins && taken) {
		s.dropped = recovery->islands[place].id;
		close_island(&s, recovery, place, ENM_K_EVENT_ISLAND_DROPPED);
	}
	if (begins) {
		if (s.tracked <= ENM_K_YOUNG_FRAMES)
			begin_scan(&s, recovery);
		else
			begin_island(&volume, place, &s, recovery);
		s.last = s.predicted = s.world_from_camera;
		for (int i = 0; i < 6; i++)
			s.velocity[i] = s.skew[i] = 0.0f;
		for (int i = 0; i < 36; i++)
			s.information[i] = 0.0f; /* was of another pose */
		s.since_last_s = s.usual_rms_mm = 0.0f;
		s.missed = s.lost = 0;
		s.verdict = ENM_K_VERDICT_TRACKED;
		s.reason = ENM_K_REASON_FIRST;
		s.searched = 0;
	}
	*track = s;
	s.verdict = begins ? ENM_K_VERDICT_TRACKED : ENM_K_VERDICT_NONE;
	s.events = begins ? s.events : 0;
	*placed = s;
}

/* Place of an island that is proved to lie where its frames say; ENM_K_ISLANDS: none is, or the frame in hand is on another. */
static inline uint proved_place(const enm_k_track *s, __global const enm_k_recovery *recovery)
{
	uint place = ENM_K_ISLANDS;
	for (uint i = 0; i < ENM_K_ISLANDS; i++) {
		__global const enm_k_island *island = &recovery->islands[i];
		bool proved = island->id != 0 && island->joined >= JOIN_FRAMES && island->join_overlap >= JOIN_OVERLAP_SUM;
		place = proved && (s->island == 0 || s->island == island->id) ? i : place;
	}
	return place;
}

/* One item. Where tracking has come back without an island, that waits for frames that prove where it lies. */
__kernel void island_settle(__global enm_k_track *track, __global enm_k_recovery *recovery)
{
	if (get_global_id(0) != 0 || track->islands_open == 0)
		return;
	enm_k_track s = *track;
	uint place = proved_place(&s, recovery);
	if (s.verdict != ENM_K_VERDICT_TRACKED || place == ENM_K_ISLANDS)
		return;
	s.first_from_island = recovery->islands[place].first_from_island;
	s.joined = recovery->islands[place].id;
	s.joined_from = s.island;
	if (s.island != 0) {
		enm_k_pose moved, first_from_island = s.first_from_island, pose = s.world_from_camera;
		pose_multiply(&first_from_island, &pose, &moved);
		s.world_from_camera = s.last = moved;
		for (int i = 0; i < 36; i++)
			s.information[i] = 0.0f; /* was in the island's axes */
		s.island = 0;
		s.events |= ENM_K_EVENT_RECOVERED;
	}
	close_island(&s, recovery, place, ENM_K_EVENT_ISLAND_JOINED);
	*track = s;
}

/* A group walks over the blocks. They stay in the table: another island will lie there. */
#define FORGET_GROUP 64
__kernel __attribute__((reqd_work_group_size(FORGET_GROUP, 1, 1)))
void island_forget(const enm_k_volume volume, __global const enm_k_track *track, __global const enm_k_recovery *recovery,
		   __global const enm_k_blocks *blocks, __global const uint *keys, __global uint *voxels, __global uint *changed)
{
	uint used = recovery->forget != 0 ? blocks->used : 0;
	for (uint index = get_group_id(0); index < used; index += get_num_groups(0)) {
		uint place = island_of_key(&volume, keys[index]);
		if (place == ENM_K_ISLANDS || (recovery->forget >> place & 1u) == 0)
			continue;
		for (uint i = get_local_id(0); i < ENM_K_BLOCK_WORDS; i += FORGET_GROUP)
			voxels[voxel_word(index, i)] = 0;
		if (get_local_id(0) == 0)
			changed[index] = track->frames;
	}
}
