/* SPDX-License-Identifier: Apache-2.0
 *
 * Tongue, cheek, lip, finger, cotton: what moves through the view stays out of the model. Space that has been looked through
 * for certain is remembered in a coarse grid; what appears in it is foreign (Schmid et al. 2023), and so is what lies in front of the
 * model in many places at once, and what hangs together with these in the picture (Keller et al. 2013), until it has stayed long
 * enough. While such a body is about, what stands alone has to stay as long. Then it is hidden (foreign_hide.cl), and what was fused all
 * the same is taken out when later frames look through it (foreign_learn.cl).
 *
 *   foreign_flood   which tiles are foreign, by what they hang together with, after what the model and the grid said to them (foreign_sort.cl)
 */
#include "foreign.h"
#include "pixel.h"
#include "volume.h"

/* Only what contradicts tells of a body: what merely stands alone is mostly jaw beyond a step, and was seen to shut whole scans out. */
#define ALERT_TILES 24u
#define ALERT_SEEDS 6u /* that are foreign by themselves: these tell at once */
#define ALERT_S 0.5f     /* after the last such frame; */
#define ALERT_KNOWN 0.4f /* then while this share of the tiles lies on the model: else tracking would lack what is shut out */
#define NO_ISLAND_S 0.8f /* after the last such frame lost frames do not count for an island, */
#define NO_ISLAND_SHARE 0.5f /* or, where a body is followed blindly, while it has this share of the readings */
#define HIDES_LEAST 12u    /* tiles of a body that have the model behind them, */
#define HIDES_SHARE 0.15f  /* and their share of it */
#define LATELY_S 1.0f      /* after the last frame that contradicted, what is followed stays a body anyway, */
#define LATELY_KNOWN 0.25f /* while this share of the tiles is left to track by; */
#define FOLLOWED_S 2.5f  /* after the last such frame a body itself is still known by where it was in the frame before, */
#define FOLLOWED_MM 0.4f /* to this depth, */
#define FOLLOWED_GAP_S 0.25f /* if that was so lately */

#define FLOOD_GROUP 64
#define FLOOD_ROUNDS 3
#define FAR 0xFFFFu /* never reached */
#define SMOOTH_SLOPE 0.5f
#define SMOOTH_COSINE 0.75f
/* While a body is about, which may touch the jaw. */
#define SMOOTH_SLOPE_ALERT 0.25f
#define SMOOTH_COSINE_ALERT 0.92f
#define REACH 2u
/* For how long the prediction is trusted, after lost and after weak frames. */
#define LOST_MOST_S 0.18f
#define MISSED_MOST_S 0.52f
#define KNOWN_LEAST 0.2f /* share of the tiles that must lie on the model; */
#define KNOWN_FEWEST 30u /* or, where the frame before was judged, so many tiles, */
#define KNOWN_KEPT 0.7f  /* and this share of those then */
#define SEEDS_MIN 3u /* fewer tiles are noise */
#define AIR_SEEDS 6u /* tiles in front of the model, in the frame before, that make those now foreign */

/* Of nine neighbours: fewer are noise. */
#define KNOWN_AROUND 5
#define AIR_LEAST 5
#define ALONE_LEAST 6

#define OPEN_X 1 /* the tile hangs together with the next in x, */
#define OPEN_Y 2 /* and in y */

/* Whether two tiles are parts of one smooth surface: neither lies far off the other's plane, nor is it turned away. A tile that
 * holds two surfaces has a mean normal that is short. */
static inline bool hangs_together(float8 a, float8 b, float slope, float cosine)
{
	float3 apart = b.lo.xyz - a.lo.xyz;
	float reach = slope * length(apart);
	return dot(a.hi.xyz, b.hi.xyz) > cosine && fabs(dot(a.hi.xyz, apart)) < reach && fabs(dot(b.hi.xyz, apart)) < reach;
}

static inline void spread(__local ushort *way_known, __local ushort *way_foreign, int to, int from, bool open)
{
	if (open) {
		if (way_known[to] != FAR)
			way_known[to] = (ushort)min((uint)way_known[to], min(way_known[from] + 1u, FAR - 1u));
		way_foreign[to] = (ushort)min((uint)way_foreign[to], min(way_foreign[from] + 1u, FAR - 1u));
	}
}

/* Neighbours of a tile, and itself, that have a flag. */
static inline int count_around(__local const uchar *flags, int columns, int rows, int x, int y, uint flag)
{
	int found = 0;
	for (int j = max(y - 1, 0); j <= min(y + 1, rows - 1); j++)
		for (int i = max(x - 1, 0); i <= min(x + 1, columns - 1); i++)
			found += flags[j * columns + i] == flag;
	return found;
}

/* Those beside what is alone go too: they hold some of it. */
static inline uchar flag_of(__local const uchar *flags, int columns, int rows, int x, int y)
{
	uint flag = flags[y * columns + x];
	if (flag == 0 && count_around(flags, columns, rows, x, y, 0) < (min(x + 1, columns - 1) - max(x - 1, 0) + 1) * (min(y + 1, rows - 1) - max(y - 1, 0) + 1))
		flag = FLAG_BESIDE;
	return (uchar)flag;
}

/* Of a frame's tiles: those that are foreign by themselves, on the model, with readings, in front of the model together,
 * and where a body was in the frame before. */
#define COUNT_SEEDS 0
#define COUNT_KNOWN 1
#define COUNT_FILLED 2
#define COUNT_AIR 3
#define COUNT_FOLLOWS 4
#define COUNT_HIDES 5
#define COUNT_THERE 6 /* the same, whatever the model says to them */
#define COUNTS 7
/* Of what was made of them: readings in all, those that are foreign, and tiles that are hidden for it. */
#define FOUND_READINGS 0
#define FOUND_FOREIGN 1
#define FOUND_HIDDEN 2
#define FOUNDS 3

/* Adds up what the items of a group have counted, in rows of `counts`, for all to read in the first of each; what they have read of the frame until
 * then may be written. */
static inline void counts_add(__local uint *counts, int rows)
{
	barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
	if (get_local_id(0) == 0)
		for (int r = 0; r < rows; r++)
			for (int i = 1; i < FLOOD_GROUP; i++)
				counts[r * FLOOD_GROUP] += counts[r * FLOOD_GROUP + i];
	barrier(CLK_LOCAL_MEM_FENCE);
}

/* The time, and for how long no frame was tracked. */
static inline void keep_time(__global enm_k_foreign_frame *frame, __global const enm_k_track *track, float dt_s)
{
	float clock_s = frame->clock_s + clamp(dt_s, 0.0f, 1.0f);
	frame->clock_s = clock_s >= 256.0f / TICKS_PER_S ? clock_s - 256.0f / TICKS_PER_S : clock_s;
	frame->calm_s += fmax(dt_s, 0.0f);
	frame->missed_s = track->missed > 0 ? frame->missed_s + fmax(dt_s, 0.0f) : 0.0f;
}

/* Whether the model lies behind what is followed: a body does not go when it covers most of the view, but jaw that was taken for one has nothing behind it. */
static inline bool hides_model(__local const uint *counts)
{
	uint hides = counts[COUNT_HIDES * FLOOD_GROUP];
	return hides >= HIDES_LEAST && (float)hides >= HIDES_SHARE * (float)counts[COUNT_FOLLOWS * FLOOD_GROUP];
}

/* Whether the prediction is good enough to judge by. Where it is wrong, nothing agrees; but a body that covers almost all leaves less
 * and less, where a wrong prediction leaves little at once. */
static inline bool may_judge(__global const enm_k_foreign_frame *frame, __global const enm_k_track *track, __local const uint *counts)
{
	uint known = counts[COUNT_KNOWN * FLOOD_GROUP], filled = counts[COUNT_FILLED * FLOOD_GROUP];
	float trusted_s = track->lost > 0 ? LOST_MOST_S : hides_model(counts) ? FOLLOWED_S : MISSED_MOST_S;
	bool recent = frame->missed_s <= trusted_s || track->probation > 0;
	bool going_on = frame->known > 0 && known >= KNOWN_FEWEST && (float)known >= KNOWN_KEPT * (float)frame->known;
	return track->tracked > 0 && recent && ((float)known >= KNOWN_LEAST * (float)filled || going_on);
}

/* What the model and the grid say to the tiles, as far as they say it by themselves. Depth of the farthest. */
static inline float read_tiles(int tile_count, __global const uint4 *tiles, __local uchar *flag, __local ushort *way_foreign, __private uint *counted)
{
	float farthest = 0.0f;
	for (int n = get_local_id(0); n < tile_count; n += FLOOD_GROUP) {
		uint4 t = tiles[n];
		uint known = t.z & (VOTES_HIDES - 1u), foreign = t.z >> 8 & 255u, stayed = t.z >> 16 & 255u;
		flag[n] = known + stayed >= 2u && foreign == 0 ? FLAG_KNOWN : t.z >> 24 >= 2u ? FLAG_AIR : 0;
		way_foreign[n] = foreign >= 3u ? 0 : FAR - 1u;
		counted[COUNT_SEEDS] += foreign >= 3u;
		counted[COUNT_KNOWN] += known >= 2u;
		counted[COUNT_FILLED] += t.y > 0;
		farthest = fmax(farthest, as_float(t.x));
	}
	return farthest;
}

/* Whether a body was at a tile in the frame before, and still is as deep. */
static inline bool still_there(uint4 tile, uint flag_before)
{
	return (flag_before == FLAG_FOREIGN || flag_before == FLAG_FOLLOWED) && tile.y > 0 && fabs(as_float(tile.x) - as_float(tile.w)) < FOLLOWED_MM;
}

/* The tiles where that is so, and are not on the model. */
static inline void follow_body(int tile_count, __global const uint4 *tiles, __global const uchar *flags_before, __local const uchar *flag,
			       __local ushort *way_foreign, __private uint *counted)
{
	for (int n = get_local_id(0); n < tile_count; n += FLOOD_GROUP) {
		uint4 t = tiles[n];
		bool there = still_there(t, flags_before[n]), same = flag[n] != FLAG_KNOWN && there;
		way_foreign[n] = same ? 0 : way_foreign[n];
		counted[COUNT_THERE] += there;
		counted[COUNT_FOLLOWS] += same;
		counted[COUNT_HIDES] += same && (t.z & VOTES_HIDES) != 0;
	}
}

/* Where no pose is known to judge by, a body goes on by its place in the picture alone, and nothing else is told. */
static inline void follow_blindly(int tile_count, __global const uint4 *tiles, __global const uchar *flags_before, __local uchar *flag,
				  __local ushort *way_foreign)
{
	for (int n = get_local_id(0); n < tile_count; n += FLOOD_GROUP) {
		flag[n] = 0;
		way_foreign[n] = still_there(tiles[n], flags_before[n]) ? 0 : FAR - 1u;
	}
}

/* The tiles in front of the model that lie together. `airy`: such were there in the frame before too: a prediction that is off puts readings in
 * front of the model, but not twice in a row. */
static inline void find_air(const enm_k_foreign *f, bool airy, __local const uchar *flag, __local ushort *way_foreign, __private uint *counted)
{
	for (int n = get_local_id(0); n < f->columns * f->rows; n += FLOOD_GROUP) {
		if (flag[n] != FLAG_AIR || count_around(flag, f->columns, f->rows, n % f->columns, n / f->columns, FLAG_AIR) < AIR_LEAST)
			continue;
		counted[COUNT_AIR]++;
		counted[COUNT_SEEDS] += airy;
		way_foreign[n] = airy ? 0 : way_foreign[n];
	}
}

/* Where ways lead from tile to tile, and those that begin on the model. */
static inline void open_ways(const enm_k_foreign *f, int tile_count, __global const uint4 *tiles, __global const float8 *planes, bool alert,
			     __local const uchar *flag, __local ushort *way_known, __local uchar *open)
{
	float slope = alert ? SMOOTH_SLOPE_ALERT : SMOOTH_SLOPE, cosine = alert ? SMOOTH_COSINE_ALERT : SMOOTH_COSINE;
	for (int n = get_local_id(0); n < tile_count; n += FLOOD_GROUP) {
		int x = n % f->columns, y = n / f->columns;
		bool known = flag[n] == FLAG_KNOWN && count_around(flag, f->columns, f->rows, x, y, FLAG_KNOWN) >= KNOWN_AROUND;
		/* the model does not go on through air */
		way_known[n] = known ? 0 : tiles[n].z >> 24 >= 2u ? FAR : FAR - 1u;
		bool right = x + 1 < f->columns && hangs_together(planes[n], planes[n + 1], slope, cosine);
		bool down = y + 1 < f->rows && hangs_together(planes[n], planes[n + f->columns], slope, cosine);
		open[n] = (uchar)((right ? OPEN_X : 0) | (down ? OPEN_Y : 0));
	}
}

/* To and fro along a row, and down and up a column. */
static inline void spread_row(const enm_k_foreign *f, int row, __local const uchar *open, __local ushort *way_known, __local ushort *way_foreign)
{
	int first = row * f->columns, last = first + f->columns - 1;
	for (int n = first; n < last; n++)
		spread(way_known, way_foreign, n + 1, n, (open[n] & OPEN_X) != 0);
	for (int n = last; n > first; n--)
		spread(way_known, way_foreign, n - 1, n, (open[n - 1] & OPEN_X) != 0);
}

static inline void spread_column(const enm_k_foreign *f, int column, __local const uchar *open, __local ushort *way_known, __local ushort *way_foreign)
{
	int last = column + (f->rows - 1) * f->columns;
	for (int n = column; n < last; n += f->columns)
		spread(way_known, way_foreign, n + f->columns, n, (open[n] & OPEN_Y) != 0);
	for (int n = last; n > column; n -= f->columns)
		spread(way_known, way_foreign, n - f->columns, n, (open[n - f->columns] & OPEN_Y) != 0);
}

/* What the ways make of the tiles. `contradicted`: something is foreign at all. */
static inline void judge_tiles(int tile_count, __global const uint4 *tiles, bool contradicted, bool alert, __local const ushort *way_known,
			       __local const ushort *way_foreign, __local uchar *flag, __private uint *found)
{
	for (int n = get_local_id(0); n < tile_count; n += FLOOD_GROUP) {
		uint given = tiles[n].y;
		/* where a body is about, what touches the model is taken step by step only */
		bool far_off = alert && way_known[n] > REACH;
		bool is_foreign = contradicted && given > 0 && way_foreign[n] < way_known[n];
		bool is_far = contradicted && given > 0 && far_off && way_known[n] < FAR - 1u;
		bool is_alone = alert && given > 0 && (far_off || way_known[n] >= FAR - 1u);
		flag[n] = (uchar)(is_foreign ? FLAG_FOREIGN : is_far ? FLAG_FAR : is_alone ? FLAG_ALONE : 0);
		found[FOUND_READINGS] += given;
		found[FOUND_FOREIGN] += is_foreign || is_far ? given : 0;
	}
}

/* The same for what is followed blindly: its tiles, and those near that hang together with them and have another depth than before: it moves, what it
 * touches does not. */
static inline void judge_blindly(int tile_count, __global const uint4 *tiles, __global const float8 *planes, __local const ushort *way_foreign,
				 __local uchar *flag, __private uint *found)
{
	for (int n = get_local_id(0); n < tile_count; n += FLOOD_GROUP) {
		uint given = tiles[n].y;
		bool came = fabs(planes[n].s2 - planes[n].s3) >= FOLLOWED_MM;
		bool is_foreign = given > 0 && (way_foreign[n] == 0 || (came && way_foreign[n] <= REACH));
		flag[n] = is_foreign ? FLAG_FOLLOWED : 0;
		found[FOUND_READINGS] += given;
		found[FOUND_FOREIGN] += is_foreign ? given : 0;
	}
}

/* `kept` gets the flags without those of few tiles that stand alone. */
static inline void drop_noise(const enm_k_foreign *f, __local const uchar *flag, __local uchar *kept, __private uint *found)
{
	for (int n = get_local_id(0); n < f->columns * f->rows; n += FLOOD_GROUP) {
		bool noise = flag[n] == FLAG_ALONE && count_around(flag, f->columns, f->rows, n % f->columns, n / f->columns, FLAG_ALONE) < ALONE_LEAST;
		kept[n] = noise ? 0 : flag[n];
		found[FOUND_HIDDEN] += kept[n] == FLAG_FOREIGN || kept[n] == FLAG_FAR;
	}
}

/* Whether a body is about, for the frames to come. `stays`: what is followed still is one; `blind`: by its place in the picture alone. */
static inline void keep_body(__global enm_k_foreign_frame *frame, __global enm_k_track *track, __local const uint *found, uint seeds, bool stays,
			     bool blind)
{
	bool body = seeds >= SEEDS_MIN && found[FOUND_HIDDEN * FLOOD_GROUP] > ALERT_TILES && track->probation == 0;
	frame->calm_s = body ? 0.0f : frame->calm_s;
	frame->body = body || (frame->body != 0 && stays);
	uint readings = found[FOUND_READINGS * FLOOD_GROUP], foreign = found[FOUND_FOREIGN * FLOOD_GROUP];
	frame->share = readings > 0 ? (float)foreign / (float)readings : 0.0f;
	/* an island that begins with a body in it goes along with that */
	bool body_in = blind && track->tracked > ENM_K_YOUNG_FRAMES ? frame->share >= NO_ISLAND_SHARE : frame->calm_s < NO_ISLAND_S;
	if (track->lost > 0 && body_in)
		track->searched = 0;
}

/* What the counts of a frame's tiles say of it. */
typedef struct flood {
	bool judged; /* the prediction is good enough to judge by */
	bool stays;  /* what is followed is a body still, whether anything contradicts or not */
	bool alert;  /* a body is about */
	bool blind;  /* no pose is known to judge by, but a body that was in the view still is: neither a search nor an island should have it */
	bool calm;   /* nothing contradicts, and no body is about: then nothing is foreign */
	bool contradicted; /* something is foreign at all */
} flood;

static inline flood weigh(__global const enm_k_foreign_frame *frame, __global const enm_k_track *track, bool followed, __local const uint *counts)
{
	uint seeds = counts[COUNT_SEEDS * FLOOD_GROUP], follows = counts[COUNT_FOLLOWS * FLOOD_GROUP];
	uint known = counts[COUNT_KNOWN * FLOOD_GROUP], filled = counts[COUNT_FILLED * FLOOD_GROUP];
	bool some = seeds + follows >= SEEDS_MIN, enough = (float)known >= ALERT_KNOWN * (float)filled;
	flood w;
	w.judged = may_judge(frame, track, counts);
	w.alert = seeds >= ALERT_SEEDS || (frame->body != 0 && frame->calm_s < ALERT_S && enough);
	w.blind = !w.judged && followed && counts[COUNT_THERE * FLOOD_GROUP] > ALERT_TILES;
	w.calm = !w.blind && (!w.judged || (!some && !w.alert));
	w.contradicted = !w.calm && some;
	bool lately = frame->calm_s < LATELY_S && (float)known >= LATELY_KNOWN * (float)filled;
	w.stays = w.blind || enough || hides_model(counts) || lately;
	return w;
}

/* Along rows and columns in turns. For all items of the group. */
static inline void spread_all(const enm_k_foreign *f, int rounds, __local const uchar *open, __local ushort *way_known, __local ushort *way_foreign)
{
	int item = get_local_id(0);
	for (int round = 0; round < rounds; round++) {
		if (item < f->rows)
			spread_row(f, item, open, way_known, way_foreign);
		barrier(CLK_LOCAL_MEM_FENCE);
		if (item < f->columns)
			spread_column(f, item, open, way_known, way_foreign);
		barrier(CLK_LOCAL_MEM_FENCE);
	}
}

/* The flags of this frame. A place on trial may be wrong, and all is foreign there: it is hidden, but goes on as a body only if one was about before. */
static inline void write_flags(const enm_k_foreign *f, bool calm, bool on_trial, bool followed, __local const uchar *kept, __global uchar *flags)
{
	for (int n = get_local_id(0); n < f->columns * f->rows; n += FLOOD_GROUP) {
		uchar made = calm ? 0 : flag_of(kept, f->columns, f->rows, n % f->columns, n / f->columns);
		flags[n] = made == FLAG_FOREIGN && on_trial ? (followed ? FLAG_FOLLOWED : FLAG_BESIDE) : made;
	}
}

/* One group. Each tile is what it is nearest to along ways in the picture: known, or foreign; or it stands alone. */
__kernel __attribute__((reqd_work_group_size(FLOOD_GROUP, 1, 1)))
void foreign_flood(const enm_k_foreign f, __global const enm_k_input *input, __global const uint4 *tiles, __global const float8 *planes,
		   __global enm_k_track *track, __global enm_k_foreign_frame *frame, __global uchar *flags)
{
	__local ushort way_known[ENM_K_FOREIGN_TILES], way_foreign[ENM_K_FOREIGN_TILES];
	__local uchar open[ENM_K_FOREIGN_TILES], flag[ENM_K_FOREIGN_TILES];
	__local uint counts[COUNTS * FLOOD_GROUP];
	__local float farthest_of[FLOOD_GROUP];
	int item = get_local_id(0), count = f.columns * f.rows;
	uint counted[COUNTS] = {0, 0, 0, 0, 0, 0, 0}, found[FOUNDS] = {0, 0, 0};
	float farthest = read_tiles(count, tiles, flag, way_foreign, counted);
	farthest_of[item] = farthest;
	barrier(CLK_LOCAL_MEM_FENCE);
	bool followed = frame->body != 0 && frame->calm_s < FOLLOWED_S && input->dt_s < FOLLOWED_GAP_S;
	follow_body(followed ? count : 0, tiles, flags, flag, way_foreign, counted);
	find_air(&f, frame->air >= AIR_SEEDS, flag, way_foreign, counted);
	for (int c = 0; c < COUNTS; c++)
		counts[c * FLOOD_GROUP + item] = counted[c];
	counts_add(counts, COUNTS);
	if (item == 0)
		keep_time(frame, track, input->dt_s);
	barrier(CLK_GLOBAL_MEM_FENCE);
	const flood w = weigh(frame, track, followed, counts);
	uint seeds = counts[COUNT_SEEDS * FLOOD_GROUP], air = counts[COUNT_AIR * FLOOD_GROUP], known = counts[COUNT_KNOWN * FLOOD_GROUP];
	follow_blindly(w.blind ? count : 0, tiles, flags, flag, way_foreign);
	barrier(CLK_LOCAL_MEM_FENCE);
	open_ways(&f, w.calm ? 0 : count, tiles, planes, w.alert || w.blind, flag, way_known, open);
	barrier(CLK_LOCAL_MEM_FENCE);
	spread_all(&f, w.calm ? 0 : FLOOD_ROUNDS, open, way_known, way_foreign);
	judge_tiles(w.blind ? 0 : count, tiles, w.contradicted, !w.calm && w.alert, way_known, way_foreign, flag, found);
	judge_blindly(w.blind ? count : 0, tiles, planes, way_foreign, flag, found);
	barrier(CLK_LOCAL_MEM_FENCE);
	drop_noise(&f, flag, open, found);
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int c = 0; c < FOUNDS; c++)
		counts[c * FLOOD_GROUP + item] = found[c];
	write_flags(&f, w.calm, track->probation > 0, followed, open, flags);
	counts_add(counts, FOUNDS);
	if (item != 0)
		return;
	for (int i = 1; i < FLOOD_GROUP; i++)
		farthest = fmax(farthest, farthest_of[i]);
	frame->farthest_mm = farthest;
	frame->air = w.judged ? air : 0;
	frame->known = w.judged ? known : 0;
	keep_body(frame, track, counts, w.blind ? 0 : seeds, w.stays, w.blind);
}
