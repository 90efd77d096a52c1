/* SPDX-License-Identifier: Apache-2.0
 *
 * Tongue, cheek, lip, finger, cotton: what moves through the view stays out of the model. Space that has been looked through
 * for certain is remembered in a coarse grid; what appears in it is foreign (Schmid et al. 2023), and so is what hangs together
 * with it in the picture (Keller et al. 2013), until it has stayed long enough. While such a body is about, what stands alone has to
 * stay as long. What was fused all the same is taken out when later frames look through it (Schauer and Nuechter
 * 2018). Evidence is counted as occupancy grids do (Moravec and Elfes 1985).
 *
 *   foreign_sort    what the model and the grid say to each tile of the picture
 *   foreign_flood   which tiles are foreign, by what they hang together with
 *   foreign_hide    takes them out of the pixel map, and notes where they were
 *   foreign_learn   which cells are empty, and takes out of the model what was fused there
 *
 * The grid wraps around: a cell's word says which of the cells that share its place it is.
 */
#include "pixel.h"
#include "volume.h"

/* ---- cells ---- */

/* From the lowest bit on: looks through it, frames in which something was there, the last of these, and whose it is. */
#define CELL_FREE(word) ((word) & 7u)
#define CELL_STAYED(word) ((word) >> 3 & 63u)
#define CELL_FRAME(word) ((word) >> 9 & 255u)
#define CELL_TAG 0xFFFE0000u

static inline uint cell_make(uint tag, uint looks, uint stayed, uint frame)
{
	return tag | (frame & 255u) << 9 | min(stayed, 63u) << 3 | min(looks, 7u);
}

/* Looks through a cell before it counts as empty. */
#define FREE_SURE 2u
/* Frames that something must stay to be believed: in a cell known to be empty; and where nothing is known, while a body may be about. */
#define STAY_IN_FREE 62u
#define STAY_ALERT 60u
/* Only what lies in empty space tells of a body: what merely stands alone is mostly jaw beyond a step, and was seen to shut whole scans out. */
#define ALERT_TILES 24u
#define ALERT_SEEDS 6u   /* that are foreign by themselves: these tell at once */
#define AIR_SEEDS 6u
#define ALERT_FRAMES 90u /* after the last such frame */

static inline uint cell_place(int3 cell)
{
	int3 c = cell & (ENM_K_FOREIGN_GRID - 1);
	return (uint)((c.z * ENM_K_FOREIGN_GRID + c.y) * ENM_K_FOREIGN_GRID + c.x);
}

/* Every island begins with nothing known, though it lies where another has been. */
static inline uint cell_tag(int3 cell, uint island)
{
	int3 t = cell >> ENM_K_FOREIGN_GRID_BITS & (int3)(15, 15, 7);
	return ((uint)(t.x | t.y << 4 | t.z << 8) | (island & 15u) << 11) << 17;
}

/* A cell's word, emptied where another cell has had its place. */
static inline uint cell_word(__global const uint *grid, int3 cell, uint island)
{
	uint word = grid[cell_place(cell)], tag = cell_tag(cell, island);
	return (word & CELL_TAG) == tag ? word : tag;
}

/* ---- sort ---- */

#define SAYS_NOTHING 0
#define SAYS_KNOWN 1   /* on the model */
#define SAYS_FOREIGN 2 /* where there was nothing */
#define SAYS_STAYED 3  /* new, but there for some time */
#define SAYS_AIR 4     /* before the model, nearer than a cell */

/* Readings lie on the model to within this share of the truncation: noise, and half a voxel. */
#define BAND_KNOWN (0.5f * ENM_K_SDF_ONE)

#define AIR_WEIGHT 64u /* that it must have been looked through with */

#define SAMPLES 4 /* across a tile, and down */

static inline int3 cell_of(const enm_k_foreign *f, float3 point_mm)
{
	return convert_int3(floor(point_mm * f->per_cell));
}

static inline int judge_point(const enm_k_volume *volume, const enm_k_foreign *f, __global const uint2 *table, __global const uint *voxels,
			      __global const uint *grid, uint island, float3 point_mm)
{
	uint word = cell_word(grid, cell_of(f, point_mm), island);
	if (CELL_FREE(word) >= FREE_SURE)
		return SAYS_FOREIGN;
	int3 v = convert_int3(floor(point_mm / volume->voxel_mm + 0.5f));
	uint block = block_find(table, volume->table_mask, v >> 3);
	if (block != BLOCK_NONE) {
		uint voxel = voxels[voxel_word(block, voxel_in_block(v))];
		float distance = word_sdf(voxel);
		if (voxel > 0xFFFFu && fabs(distance) < BAND_KNOWN)
			return SAYS_KNOWN;
		if (CELL_STAYED(word) < STAY_ALERT && voxel > AIR_WEIGHT << 16 && distance > 0.0f)
			return SAYS_AIR;
	}
	return CELL_STAYED(word) >= STAY_ALERT ? SAYS_STAYED : SAYS_NOTHING;
}

/* An item has a tile. `tiles`: nearest reading, 0 for none; how many samples were asked; what they say, a byte each; readings among
 * the samples. `planes`: mean point and normal of those asked, in the camera's frame. */
__kernel void foreign_sort(const enm_k_camera camera, const enm_k_volume volume, const enm_k_foreign f, __global const float2 *rays,
			   __global const uint4 *pixel_map, __global const uint2 *table, __global const uint *voxels,
			   __global const uint *grid, __global const enm_k_track *track, __global uint4 *tiles,
			   __global float8 *planes)
{
	int n = get_global_id(0);
	if (n >= f.columns * f.rows)
		return;
	enm_k_pose pose = track->world_from_camera;
	int stride = f.tile / SAMPLES, left = n % f.columns * f.tile + stride / 2, top = n / f.columns * f.tile + stride / 2;
	float nearest = INFINITY;
	float3 point_sum = (float3)(0.0f), normal_sum = (float3)(0.0f);
	float skew[6];
	for (int i = 0; i < 6; i++)
		skew[i] = track->skew[i];
	uint votes = 0, readings = 0, asked = 0;
	for (int r = 0; r < SAMPLES; r++) {
		for (int c = 0; c < SAMPLES; c++) {
			int x = left + c * stride, y = top + r * stride, pixel = y * camera.width + x;
			bool inside = x < camera.width && y < camera.height;
			uint4 seen = inside ? pixel_map[pixel] : (uint4)(0);
			float z = pixel_depth_mm(seen);
			if (z == 0.0f)
				continue;
			nearest = fmin(nearest, z);
			readings++;
			if ((r & c & 1) == 0)
				continue;
			float3 point = (float3)(rays[pixel] * z, z);
			float3 placed = camera.rolling ? skew_apply(skew, row_moment(&camera, y), point) : point;
			int says = judge_point(&volume, &f, table, voxels, grid, track->island, pose_apply(&pose, placed));
			votes += says != SAYS_NOTHING ? 1u << 8 * (says - 1) : 0;
			point_sum += point;
			normal_sum += pixel_normal(seen);
			asked++;
		}
	}
	tiles[n] = (uint4)(as_uint(readings > 0 ? nearest : 0.0f), asked, votes, readings);
	float share = asked > 0 ? 1.0f / (float)asked : 0.0f;
	planes[n] = (float8)(point_sum * share, 0.0f, normal_sum * share, 0.0f);
}

/* ---- flood ---- */

#define FLOOD_GROUP 64
#define FLOOD_ROUNDS 3
#define FAR 0xFFFFu /* never reached */
#define SMOOTH_SLOPE 0.5f
#define SMOOTH_COSINE 0.75f
#define REACH 2u
#define LOST_MOST 5u
#define MISSED_MOST 15u
#define SURE_LEAST 0.2f
#define KNOWN_KEPT 0.7f
#define KNOWN_FEWEST 30u
#define SEEDS_MIN 3u /* fewer tiles are noise */

#define FLAG_FOREIGN 1u
#define FLAG_ALONE 2u
#define FLAG_BESIDE 4u /* one of these */
#define FLAG_KNOWN 8u
#define FLAG_AIR 16u
/* Of nine neighbours: fewer are noise. */
#define KNOWN_LEAST 5
#define AIR_LEAST 5
#define ALONE_LEAST 6

#define OPEN_X 1 /* the tile hangs together with the next in x, */
#define OPEN_Y 2 /* and in y */

/* Whether two tiles are parts of one smooth surface: neither lies far off the other's plane, nor is it turned away. A tile that
 * holds two surfaces has a mean normal that is short. */
static inline bool hangs_together(float8 a, float8 b)
{
	float3 apart = b.lo.xyz - a.lo.xyz;
	float reach = SMOOTH_SLOPE * length(apart);
	return dot(a.hi.xyz, b.hi.xyz) > SMOOTH_COSINE && fabs(dot(a.hi.xyz, apart)) < reach && fabs(dot(b.hi.xyz, apart)) < reach;
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
	if (flag == 0 && count_around(flags, columns, rows, x, y, FLAG_FOREIGN) + count_around(flags, columns, rows, x, y, FLAG_ALONE) > 0)
		flag = FLAG_BESIDE;
	return (uchar)flag;
}

/* One group. Each tile is what it is nearest to along ways in the picture: known, or foreign; or it stands alone. */
__kernel __attribute__((reqd_work_group_size(FLOOD_GROUP, 1, 1)))
void foreign_flood(const enm_k_foreign f, __global const uint4 *tiles, __global const float8 *planes, __global const enm_k_track *track,
		   __global enm_k_foreign_frame *frame, __global uchar *flags)
{
	__local ushort way_known[ENM_K_FOREIGN_TILES], way_foreign[ENM_K_FOREIGN_TILES];
	__local uchar open[ENM_K_FOREIGN_TILES], flag[ENM_K_FOREIGN_TILES];
	__local uint counts[4 * FLOOD_GROUP];
	__local float farthest_of[FLOOD_GROUP];
	int item = get_local_id(0), count = f.columns * f.rows;
	uint seeds = 0, sure = 0, filled = 0;
	float farthest = 0.0f;
	for (int n = item; n < count; n += FLOOD_GROUP) {
		uint4 t = tiles[n];
		uint known = t.z & 255u, foreign = t.z >> 8 & 255u, stayed = t.z >> 16 & 255u;
		flag[n] = known + stayed >= 2u && foreign == 0 ? FLAG_KNOWN : t.z >> 24 >= 2u ? FLAG_AIR : 0;
		way_foreign[n] = foreign >= 3u ? 0 : FAR - 1u;
		seeds += foreign >= 3u;
		sure += known >= 2u;
		filled += t.w > 0;
		farthest = fmax(farthest, as_float(t.x));
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	bool airy = frame->air >= AIR_SEEDS;
	uint air = 0;
	for (int n = item; n < count; n += FLOOD_GROUP) {
		int x = n % f.columns, y = n / f.columns;
		bool before = flag[n] == FLAG_AIR && count_around(flag, f.columns, f.rows, x, y, FLAG_AIR) >= AIR_LEAST;
		air += before;
		if (before && airy) {
			way_foreign[n] = 0;
			seeds++;
		}
		bool known = flag[n] == FLAG_KNOWN && count_around(flag, f.columns, f.rows, x, y, FLAG_KNOWN) >= KNOWN_LEAST;
		/* the model does not go on through air */
		way_known[n] = known ? 0 : tiles[n].z >> 24 >= 2u ? FAR : FAR - 1u;
		bool right = x + 1 < f.columns && hangs_together(planes[n], planes[n + 1]);
		bool down = y + 1 < f.rows && hangs_together(planes[n], planes[n + f.columns]);
		open[n] = (uchar)((right ? OPEN_X : 0) | (down ? OPEN_Y : 0));
	}
	counts[item] = seeds;
	counts[FLOOD_GROUP + item] = sure;
	counts[2 * FLOOD_GROUP + item] = filled;
	counts[3 * FLOOD_GROUP + item] = air;
	farthest_of[item] = farthest;
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int round = 0; round < FLOOD_ROUNDS; round++) {
		if (item < f.rows) {
			int first = item * f.columns, last = first + f.columns - 1;
			for (int n = first; n < last; n++)
				spread(way_known, way_foreign, n + 1, n, (open[n] & OPEN_X) != 0);
			for (int n = last; n > first; n--)
				spread(way_known, way_foreign, n - 1, n, (open[n - 1] & OPEN_X) != 0);
		}
		barrier(CLK_LOCAL_MEM_FENCE);
		if (item < f.columns) {
			int last = item + (f.rows - 1) * f.columns;
			for (int n = item; n < last; n += f.columns)
				spread(way_known, way_foreign, n + f.columns, n, (open[n] & OPEN_Y) != 0);
			for (int n = last; n > item; n -= f.columns)
				spread(way_known, way_foreign, n - f.columns, n, (open[n - f.columns] & OPEN_Y) != 0);
		}
		barrier(CLK_LOCAL_MEM_FENCE);
	}
	seeds = sure = filled = air = 0;
	for (int i = 0; i < FLOOD_GROUP; i++) {
		seeds += counts[i];
		sure += counts[FLOOD_GROUP + i];
		filled += counts[2 * FLOOD_GROUP + i];
		air += counts[3 * FLOOD_GROUP + i];
		farthest = fmax(farthest, farthest_of[i]);
	}
	/* where the prediction is wrong, nothing agrees: then nothing is judged by it */
	bool recent = track->tracked > 0 && (track->missed <= (track->lost > 0 ? LOST_MOST : MISSED_MOST) || track->probation > 0);
	/* a body that covers almost all leaves less and less, where a wrong prediction leaves little at once */
	bool going_on = frame->known > 0 && sure >= KNOWN_FEWEST && (float)sure >= KNOWN_KEPT * (float)frame->known;
	bool judged = recent && ((float)sure >= SURE_LEAST * (float)filled || going_on);
	/* where a body is about, what touches the model is taken step by step only */
	bool alert = seeds >= ALERT_SEEDS || frame->alert > 0;
	uint foreign = 0, readings = 0, hidden = 0;
	for (int n = item; n < count; n += FLOOD_GROUP) {
		uint given = tiles[n].w;
		bool far_off = alert && way_known[n] > REACH;
		bool is_foreign = seeds >= SEEDS_MIN && given > 0 && (way_foreign[n] < way_known[n] || (far_off && way_known[n] < FAR - 1u));
		bool is_alone = alert && tiles[n].y > 0 && !is_foreign && (far_off || way_known[n] >= FAR - 1u);
		flag[n] = (uchar)(!judged ? 0 : is_foreign ? FLAG_FOREIGN : is_alone ? FLAG_ALONE : 0);
		readings += given;
		foreign += flag[n] == FLAG_FOREIGN ? given : 0;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	for (int n = item; n < count; n += FLOOD_GROUP) {
		bool noise = flag[n] == FLAG_ALONE && count_around(flag, f.columns, f.rows, n % f.columns, n / f.columns, FLAG_ALONE) < ALONE_LEAST;
		open[n] = noise ? 0 : flag[n];
		hidden += open[n] == FLAG_FOREIGN;
	}
	barrier(CLK_LOCAL_MEM_FENCE);
	counts[item] = foreign;
	counts[FLOOD_GROUP + item] = readings;
	counts[2 * FLOOD_GROUP + item] = hidden;
	for (int n = item; n < count; n += FLOOD_GROUP)
		flags[n] = flag_of(open, f.columns, f.rows, n % f.columns, n / f.columns);
	barrier(CLK_LOCAL_MEM_FENCE);
	if (item != 0)
		return;
	foreign = readings = hidden = 0;
	for (int i = 0; i < FLOOD_GROUP; i++) {
		foreign += counts[i];
		readings += counts[FLOOD_GROUP + i];
		hidden += counts[2 * FLOOD_GROUP + i];
	}
	frame->farthest_mm = farthest;
	frame->air = judged ? air : 0;
	frame->known = judged ? sure : 0;
	frame->alert = hidden > ALERT_TILES ? ALERT_FRAMES : frame->alert - min(frame->alert, 1u);
	frame->share = readings > 0 ? (float)foreign / (float)readings : 0.0f;
}

/* ---- hide ---- */

/* Counts a frame in which something was at a cell: once, whichever item comes first. */
static inline void note_cell(__global uint *grid, int3 cell, uint island, uint frame)
{
	uint word = cell_word(grid, cell, island);
	if (CELL_FRAME(word) == (frame & 255u) && CELL_STAYED(word) > 0)
		return;
	uint stayed = CELL_STAYED(word) + 1u;
	uint looks = stayed >= STAY_IN_FREE ? 0 : CELL_FREE(word);
	grid[cell_place(cell)] = cell_make(word & CELL_TAG, looks, stayed, frame);
}

/* An item has a tile. */
__kernel void foreign_hide(const enm_k_camera camera, const enm_k_foreign f, __global const float2 *rays, __global const uchar *flags,
			   __global const enm_k_track *track, __global uint4 *pixel_map, __global uint *grid)
{
	int n = get_global_id(0);
	if (n >= f.columns * f.rows || flags[n] == 0)
		return;
	enm_k_pose pose = track->world_from_camera;
	int left = n % f.columns * f.tile, top = n / f.columns * f.tile, stride = f.tile / SAMPLES;
	int right = min(left + f.tile, camera.width), bottom = min(top + f.tile, camera.height);
	for (int y = top; y < bottom; y++) {
		for (int x = left; x < right; x++) {
			int pixel = y * camera.width + x;
			float z = pixel_depth_mm(pixel_map[pixel]);
			bool noted = (x - left) % stride == stride / 2 && (y - top) % stride == stride / 2;
			if (noted && z > 0.0f && flags[n] != FLAG_BESIDE)
				note_cell(grid, cell_of(&f, pose_apply(&pose, (float3)(rays[pixel] * z, z))), track->island, track->frames);
			pixel_map[pixel] = (uint4)(0);
		}
	}
}

/* ---- learn ---- */

/* Frames among which the cells of the view are shared out. */
#define SLICES 4

/* Takes the surface out of a cell's blocks. */
static inline void clear_cell(const enm_k_volume *volume, const enm_k_foreign *f, __global const uint2 *table, __global uint *voxels,
			      __global uint *changed, int3 cell, uint frame)
{
	int across = f->blocks_across;
	for (int i = 0; i < across * across * across; i++) {
		uint block = block_find(table, volume->table_mask, cell * across + (int3)(i % across, i / across % across, i / across / across));
		bool any_surface = false;
		for (int v = 0; v < ENM_K_BLOCK_VOXELS && block != BLOCK_NONE; v++) {
			size_t at = voxel_word(block, v);
			uint word = voxels[at];
			if (word > 0xFFFFu && word_sdf(word) < ENM_K_SDF_ONE) {
				voxels[at] = (word & 0xFFFF0000u) | (uint)ENM_K_SDF_ONE;
				voxels[at + ENM_K_PLANE_COLOR] = 0;
				any_surface = true;
			}
		}
		if (any_surface)
			changed[block] = frame;
	}
}

/* Whether all readings around a sphere's place in the picture lie well behind it. */
static inline bool seen_through(const enm_k_camera *camera, const enm_k_foreign *f, __global const uint4 *tiles, float3 p)
{
	float nearest = p.z - f->radius_mm;
	if (!(nearest > 0.5f * camera->depth_min_mm))
		return false;
	float2 at = camera_project(camera, p);
	float reach = f->radius_mm * fmax(camera->fx, camera->fy) / nearest;
	/* the whole place must lie in the picture */
	if (!(at.x - reach >= 0.0f && at.y - reach >= 0.0f && at.x + reach < camera->width && at.y + reach < camera->height))
		return false;
	int x0 = (int)(at.x - reach) / f->tile, x1 = (int)(at.x + reach) / f->tile;
	int y0 = (int)(at.y - reach) / f->tile, y1 = (int)(at.y + reach) / f->tile;
	float behind_mm = p.z + f->radius_mm + f->margin_mm;
	bool through = true;
	for (int y = y0; y <= y1 && through; y++)
		for (int x = x0; x <= x1 && through; x++) {
			uint4 t = tiles[y * f->columns + x];
			through = t.w >= SAMPLES * SAMPLES / 2 && as_float(t.x) > behind_mm;
		}
	return through;
}

__kernel void foreign_learn(const enm_k_camera camera, const enm_k_volume volume, const enm_k_foreign f, __global const float2 *rays,
			    __global const uint4 *tiles, __global const enm_k_track *track, __global const enm_k_foreign_frame *frame,
			    __global const uint2 *table, __global uint *voxels, __global uint *changed, __global uint *grid)
{
	if (track->verdict != ENM_K_VERDICT_TRACKED)
		return;
	enm_k_pose pose = track->world_from_camera;
	float farthest = frame->farthest_mm;
	float3 low = pose_translation(&pose), high = low;
	for (int i = 0; i < 4; i++) {
		int x = (i & 1) * (camera.width - 1), y = (i >> 1) * (camera.height - 1);
		float3 p = pose_apply(&pose, (float3)(rays[y * camera.width + x], 1.0f) * farthest);
		low = fmin(low, p);
		high = fmax(high, p);
	}
	int3 first = cell_of(&f, low), size = min(cell_of(&f, high) - first + 1, ENM_K_FOREIGN_GRID);
	int slice = (int)(track->frames % SLICES), layers = (size.z + SLICES - 1) / SLICES, count = size.x * size.y * layers;
	for (int n = get_global_id(0); n < count; n += get_global_size(0)) {
		int3 cell = first + (int3)(n % size.x, n / size.x % size.y, n / size.x / size.y * SLICES);
		cell.z += (slice - cell.z) & (SLICES - 1);
		float3 p = pose_apply_back(&pose, (convert_float3(cell) + 0.5f) * f.cell_mm);
		if (!seen_through(&camera, &f, tiles, p))
			continue;
		uint word = cell_word(grid, cell, track->island), looks = min(CELL_FREE(word) + 1u, 7u);
		grid[cell_place(cell)] = cell_make(word & CELL_TAG, looks, 0, 0);
		if (looks == FREE_SURE || (CELL_STAYED(word) > 0 && looks > FREE_SURE))
			clear_cell(&volume, &f, table, voxels, changed, cell, track->frames);
	}
}
