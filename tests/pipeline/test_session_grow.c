/* SPDX-License-Identifier: Apache-2.0
 * Models that outgrow the memory they begin with: in place, on the device, by way of the host, up to the bound, and
 * where memory is refused before that. What comes out must not depend on any of it.
 */
#include "scan.h"

#include <math.h>

#include "core/constants.h"
#include "core/context.h"
#include "core/pose.h"
#include "gpu/internal.h"
#include "pipeline/session.h"

#define FRAMES 10
#define BYTES_PER_BLOCK (ENM_K_BLOCK_WORDS * 4)

/* Fine voxels seen from 20 mm, and a view that moves on by 0.45 mm a frame. */
static uint16_t *depth[FRAMES];
static const ref_scene ground = {REF_BUMPS, 20.0, 0.7, 1.1, 0.9};

static enm_pose pose_at(int i)
{
	return ref_pose_make(0.02 * sin(0.3 * i), 0.03 * sin(0.2 * i), 0.0, 0.45 * i, 0.1 * sin(0.4 * i), 0.0);
}

static enm_frame frame_at(int i)
{
	if (depth[i] == NULL) {
		const enm_pose pose = pose_at(i);
		float *exact = malloc(SCAN_PIXELS * sizeof(*exact));
		depth[i] = malloc(SCAN_PIXELS * sizeof(**depth));
		if (exact == NULL || depth[i] == NULL)
			abort();
		ref_scene_render(&ground, &the_scan.def.camera, &pose, 60.0, exact);
		for (uint32_t p = 0; p < SCAN_PIXELS; p++)
			depth[i][p] = (uint16_t)lrint(1000.0 * (double)exact[p]);
		free(exact);
	}
	return (enm_frame){.depth = depth[i], .time_ns = (int64_t)i * SCAN_PERIOD_NS};
}

static int drop_frames(void **state)
{
	(void)state;
	for (int i = 0; i < FRAMES; i++) {
		free(depth[i]);
		depth[i] = NULL;
	}
	return 0;
}

static enm_session_def fine_def(double voxel_mm, double band_voxels)
{
	enm_session_def def = the_scan.def;
	def.color = false;
	def.voxel_mm = voxel_mm;
	def.truncation_mm = band_voxels * voxel_mm;
	def.start_world_from_camera = pose_at(0);
	return def;
}

static enm_session_stats stats_of(const enm_session *s)
{
	enm_session_stats stats;
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	return stats;
}

/* How a model grew: without moving, by a copy on the device, by way of the host. */
typedef struct growths {
	int in_place, on_device, by_host;
} growths;

static void count_growth(const enm_session *s, const model *before, uint64_t waits, growths *counts)
{
	assert_true(s->model.volume.capacity >= before->volume.capacity);
	if (s->model.volume.capacity == before->volume.capacity)
		return;
	if (gpu_queue_waits(s->queue) != waits)
		counts->by_host++;
	else if (s->model.voxels.mem != before->voxels.mem)
		counts->on_device++;
	else
		counts->in_place++;
}

/* All frames and the mesh. */
static outcome run(enm_session *s, growths *out_counts)
{
	outcome o = {0};
	memset(out_counts, 0, sizeof(*out_counts));
	for (int i = 0; i < FRAMES; i++) {
		const enm_frame frame = frame_at(i);
		const model before = s->model;
		const uint64_t waits = gpu_queue_waits(s->queue);
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
		count_growth(s, &before, waits, out_counts);
	}
	WANT(ENM_OK, enm_session_flush(s));
	for (int i = 0; i < FRAMES; i++) {
		WANT(ENM_OK, enm_session_next_report(s, &o.reports[i]));
		assert_int_equal(o.reports[i].verdict, ENM_VERDICT_TRACKED);
		assert_false(o.reports[i].full);
	}
	outcome_mesh(s, &o);
	const enm_session_stats end = stats_of(s);
	assert_true(end.blocks_used > BLOCKS_AT_START);
	assert_true(end.device_bytes_peak <= end.device_bytes_max);
	return o;
}

static void growth_does_not_show(void **state)
{
	(void)state;
	enm_session_def def = fine_def(0.03, 6.0);
	growths how;

	enm_session *s = scan_session(&def);
	assert_int_equal(stats_of(s).blocks_capacity, BLOCKS_AT_START);
	outcome first = run(s, &how);
	assert_true(how.in_place + how.on_device >= 2 && how.by_host == 0);
	const enm_session_stats grown = stats_of(s);

	/* once more in memory that has grown already */
	WANT(ENM_OK, enm_session_reset(s));
	outcome second = run(s, &how);
	assert_int_equal(how.in_place + how.on_device + how.by_host, 0);
	assert_int_equal(stats_of(s).blocks_capacity, grown.blocks_capacity);
	assert_same_outcome(&first, &second);
	enm_session_destroy(&s);
	outcome_drop(&first);
	outcome_drop(&second);
}

/* As a lost hand may have left it: an island is open, though frames are tracked on the first model. */
static void open_island(enm_session *s)
{
	enm_k_track track;
	enm_k_recovery recovery;
	WANT(ENM_OK, enm_session_flush(s));
	WANT(ENM_OK, gpu_read(s->queue, &s->track.state, 0, &track, sizeof(track), NULL));
	WANT(ENM_OK, gpu_read(s->queue, &s->keyframes.recovery, 0, &recovery, sizeof(recovery), NULL));
	WANT(ENM_OK, gpu_finish(s->queue));
	track.islands_open = track.islands = recovery.islands[0].id = 1;
	WANT(ENM_OK, gpu_write(s->queue, &s->track.state, 0, &track, sizeof(track), NULL));
	WANT(ENM_OK, gpu_write(s->queue, &s->keyframes.recovery, 0, &recovery, sizeof(recovery), NULL));
	WANT(ENM_OK, gpu_finish(s->queue));
}

/* The model grows as ever while an island waits. */
static void growth_goes_on_while_an_island_waits(void **state)
{
	(void)state;
	enm_session_def def = fine_def(0.03, 6.0);
	outcome o[2];
	uint64_t capacity[2];
	memset(o, 0, sizeof(o));
	for (int waits = 0; waits < 2; waits++) {
		enm_session *s = scan_session(&def);
		for (int i = 0; i < FRAMES; i++) {
			const enm_frame frame = frame_at(i);
			o[waits].reports[i] = scan_push(s, &frame);
			assert_int_equal(o[waits].reports[i].verdict, ENM_VERDICT_TRACKED);
			assert_int_equal(o[waits].reports[i].blocks_in_view, o[0].reports[i].blocks_in_view);
			assert_int_equal(o[waits].reports[i].blocks_added, o[0].reports[i].blocks_added);
			if (i == 0 && waits)
				open_island(s);
		}
		capacity[waits] = stats_of(s).blocks_capacity;
		outcome_mesh(s, &o[waits]);
		enm_session_destroy(&s);
	}
	assert_true(capacity[0] > BLOCKS_AT_START);
	assert_int_equal(capacity[1], capacity[0]);
	assert_same_outcome(&o[0], &o[1]);
	outcome_drop(&o[0]);
	outcome_drop(&o[1]);
}

/* Frames of an island, which is joined before frame `next` so that they lie `shift_mm` aside. `blocks`: what each touched there; `hidden`: what was hidden
 * in each, if anything was. */
static void join_frames(enm_session *s, int from, int to, float shift_mm, uint32_t blocks, uint64_t next, const uint8_t *hidden)
{
	const size_t bytes = depth_input_bytes(&s->depth, ENM_DEPTH_U16, false);
	char *input = calloc(1, bytes);
	assert_non_null(input);
	for (int i = from; i < to; i++) {
		const enm_pose pose = pose_at(i);
		const enm_k_track track = {.world_from_camera = pose_to_device(&pose), .verdict = ENM_K_VERDICT_TRACKED, .island = 1};
		const island_frame frame = {.input = input, .bytes = bytes, .format = ENM_DEPTH_U16, .blocks = blocks,
			.hidden = hidden, .hidden_bytes = foreign_tiles(&s->foreign)};
		memcpy(input + ENM_K_INPUT_DEPTH, frame_at(i).depth, SCAN_PIXELS * sizeof(uint16_t));
		WANT(ENM_OK, island_note(&s->island, &track, next, &frame));
	}
	const enm_k_track joins = {.events = ENM_K_EVENT_ISLAND_JOINED,
		.joined = 1,
		.first_from_island = {.r = {1, 0, 0, 0, 1, 0, 0, 0, 1}, .t = {shift_mm, 0, 0}}};
	WANT(ENM_OK, island_note(&s->island, &joins, next - ENM_FRAMES_IN_FLIGHT, NULL));
	free(input);
}

/* Two frames, two islands to either side, and what is left of them while frames go on, or at the end. */
static outcome scan_with_islands(enm_session *s, int frames_after, enm_result wanted)
{
	outcome o = {0};
	for (int i = 0; i < 2; i++) {
		const enm_frame frame = frame_at(i);
		o.reports[i] = scan_push(s, &frame);
	}
	const uint32_t blocks = o.reports[0].blocks_in_view;
	join_frames(s, 0, 3, 20.0f, blocks, 2, NULL);
	join_frames(s, 0, 3, -20.0f, blocks, 2, NULL);
	for (int i = 2; i < 2 + frames_after; i++) {
		enm_frame frame = frame_at(1);
		frame.time_ns = i * (int64_t)SCAN_PERIOD_NS;
		o.reports[i] = scan_push(s, &frame);
		assert_int_equal(o.reports[i].verdict, ENM_VERDICT_TRACKED);
	}
	WANT(wanted, enm_session_finish(s));
	return o;
}

/* Nothing of a joined island is refused while there is memory to grow into. */
static void joined_islands_get_their_room(void **state)
{
	(void)state;
	enm_session_def def = fine_def(0.03, 6.0);
	for (int frames_after = 0; frames_after <= 4; frames_after += 4) {
		enm_session *s = scan_session(&def);
		outcome first = scan_with_islands(s, frames_after, ENM_OK);
		outcome_mesh(s, &first);
		const uint64_t grown = stats_of(s).blocks_capacity;
		assert_true(grown > BLOCKS_AT_START);
		/* once more in memory that has grown already */
		WANT(ENM_OK, enm_session_reset(s));
		outcome second = scan_with_islands(s, frames_after, ENM_OK);
		outcome_mesh(s, &second);
		assert_int_equal(stats_of(s).blocks_capacity, grown);
		assert_same_outcome(&first, &second);
		outcome_drop(&first);
		outcome_drop(&second);
		enm_session_destroy(&s);
	}
}

/* Vertices of the model when an island that lies 20 mm aside has been joined, of whose frames the first `hidden_tiles` tiles were hidden. */
static size_t vertices_with_island(enm_session *s, size_t hidden_tiles)
{
	outcome o = {0};
	uint8_t *hidden = calloc(foreign_tiles(&s->foreign), 1);
	assert_non_null(hidden);
	memset(hidden, 1, hidden_tiles);
	WANT(ENM_OK, enm_session_reset(s));
	for (int i = 0; i < 4; i++) {
		const enm_frame frame = frame_at(i);
		o.reports[i] = scan_push(s, &frame);
	}
	join_frames(s, 0, 4, 20.0f, o.reports[0].blocks_in_view, 4, hidden);
	WANT(ENM_OK, enm_session_finish(s));
	outcome_mesh(s, &o);
	enm_mesh_data mesh;
	WANT(ENM_OK, enm_mesh_get(o.mesh, &mesh));
	outcome_drop(&o);
	free(hidden);
	return mesh.vertex_count;
}

/* A body that was hidden while an island was scanned is not fused when that is joined. */
static void joined_islands_lack_what_was_hidden(void **state)
{
	(void)state;
	enm_session_def def = fine_def(0.1, 6.0);
	enm_session *s = scan_session(&def);
	const size_t tiles = foreign_tiles(&s->foreign);
	if (tiles == 0) { /* a library without */
		enm_session_destroy(&s);
		skip();
	}
	const size_t all = vertices_with_island(s, 0), half = vertices_with_island(s, tiles / 2), none = vertices_with_island(s, tiles);
	assert_true(none > 1000 && half > none + 500 && all > half + 500);
	assert_in_range(all, 2 * none - none / 50, 2 * none + none / 50); /* none: the first model alone */
	enm_session_destroy(&s);
}

/* Where there is none, the end of the scan says so, and the next frame. */
static void islands_beyond_the_bound_are_told(void **state)
{
	(void)state;
	enm_session_def def = fine_def(0.03, 6.0);
	def.device_bytes_max = (uint64_t)100 << 20;
	enm_session *s = scan_session(&def);
	scan_with_islands(s, 0, ENM_FULL);
	const enm_frame frame = frame_at(3);
	assert_int_equal(enm_session_push(s, &frame, NULL), ENM_FULL);
	WANT(ENM_OK, enm_session_flush(s));
	enm_session_destroy(&s);
}

/* The three ways give the same, and the two that need not wait do not. */
static void ways_to_grow_give_the_same(void **state)
{
	(void)state;
	gpu_device *device = context_device(the_context);
	const bool lazy = device->lazy;
	enm_session_def def = fine_def(0.03, 6.0);
	growths how;

	device->lazy = true; /* it works on any device; only what it costs differs */
	enm_session *s = scan_session(&def);
	outcome in_place = run(s, &how);
	assert_true(how.in_place >= 2 && how.on_device == 0 && how.by_host == 0);
	const enm_session_stats stats = stats_of(s);
	/* never both sizes at once */
	assert_true(stats.device_bytes_peak < stats.device_bytes + stats.blocks_capacity * BYTES_PER_BLOCK / 2);
	enm_session_destroy(&s);

	device->lazy = false;
	s = scan_session(&def);
	outcome copied = run(s, &how);
	assert_true(how.in_place == 0 && how.on_device >= 2 && how.by_host == 0);
	enm_session_destroy(&s);
	assert_same_outcome(&in_place, &copied);

	def.device_bytes_max = (uint64_t)150 << 20; /* leaves no room for two copies */
	s = scan_session(&def);
	const uint64_t waits = stats_of(s).device_calls_blocking;
	outcome moved = run(s, &how);
	assert_true(how.in_place == 0 && how.on_device == 0 && how.by_host >= 1);
	assert_true(stats_of(s).device_calls_blocking >= waits + 2);
	assert_true(stats_of(s).blocks_capacity != stats.blocks_capacity);
	enm_session_destroy(&s);
	assert_same_outcome(&in_place, &moved);
	device->lazy = lazy;
	outcome_drop(&in_place);
	outcome_drop(&copied);
	outcome_drop(&moved);
}

/* A first frame that wants more blocks than a new model has is not full: the next frames get them. Looking at the model
 * in between changes nothing. */
static void first_frame_may_want_more_than_there_is(void **state)
{
	(void)state;
	const enm_session_def def = fine_def(0.02, 8.0);
	enm_session *s = scan_session(&def);
	const enm_view_def view = enm_view_def_default(320, 240);
	uint8_t *rgba = malloc((size_t)4 * view.width * view.height);
	assert_non_null(rgba);
	enm_report report;
	for (int i = 0; i < 4; i++) {
		enm_frame frame = frame_at(0); /* again and again: a camera held still */
		frame.time_ns = i * (int64_t)SCAN_PERIOD_NS;
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
		WANT(ENM_OK, enm_session_render(s, &view, rgba, (size_t)4 * view.width * view.height));
		WANT(ENM_OK, enm_session_flush(s));
		WANT(ENM_OK, enm_session_next_report(s, &report));
		assert_false(report.full);
		if (i == 0)
			assert_int_equal(report.blocks_used, BLOCKS_AT_START);
	}
	assert_true(report.blocks_used > BLOCKS_AT_START);
	assert_true(stats_of(s).blocks_capacity > report.blocks_used);
	free(rgba);
	enm_session_destroy(&s);
}

/* The bound leaves the room that extracting the surface takes, also to a model that is full and was looked at. */
static void full_model_has_a_mesh(void **state)
{
	(void)state;
	enm_session_def def = fine_def(0.02, 12.0);
	def.device_bytes_max = (uint64_t)128 << 20;
	enm_session *s = scan_session(&def);
	const enm_view_def view = enm_view_def_default(1920, 1080);
	uint8_t *rgba = malloc((size_t)4 * view.width * view.height);
	assert_non_null(rgba);
	bool full = false;
	for (int i = 0; i < 5; i++) {
		enm_frame frame = frame_at(0);
		frame.time_ns = i * (int64_t)SCAN_PERIOD_NS;
		const enm_result result = enm_session_push(s, &frame, NULL);
		assert_true(result == ENM_OK || result == ENM_FULL);
		full = full || result == ENM_FULL;
	}
	assert_true(full);
	WANT(ENM_OK, enm_session_flush(s));
	WANT(ENM_OK, enm_session_render(s, &view, rgba, (size_t)4 * view.width * view.height));
	const enm_session_stats stats = stats_of(s);
	assert_true(stats.blocks_used == stats.blocks_capacity && stats.blocks_capacity > BLOCKS_AT_START);
	outcome o = {0};
	outcome_mesh(s, &o);
	assert_true(stats_of(s).device_bytes_peak <= def.device_bytes_max);
	outcome_drop(&o);
	free(rgba);
	enm_session_destroy(&s);
}

/* Another process may have taken what the bound promised: the scan goes on with the memory it has. */
static void refused_growth_keeps_the_session(void **state)
{
	(void)state;
	const enm_session_def def = fine_def(0.03, 8.0);
	enm_session *s = scan_session(&def);
	const uint64_t bytes_max = s->budget.bytes_max;
	s->budget.bytes_max = s->budget.bytes + 65536; /* not even a larger table */
	enm_report report;
	bool full = false;
	for (int i = 0; i < 5; i++) {
		const enm_frame frame = frame_at(i);
		const enm_result result = enm_session_push(s, &frame, NULL);
		assert_true(result == ENM_OK || result == ENM_FULL);
		full = full || result == ENM_FULL;
	}
	assert_true(full);
	WANT(ENM_OK, enm_session_flush(s));
	for (int i = 0; i < 5; i++)
		WANT(ENM_OK, enm_session_next_report(s, &report));
	assert_true(report.full && report.blocks_used == BLOCKS_AT_START);
	s->budget.bytes_max = bytes_max;
	outcome o = {0};
	outcome_mesh(s, &o);
	outcome_drop(&o);
	enm_session_destroy(&s);
}

SCAN_TEST_MAIN(cmocka_unit_test(growth_does_not_show), cmocka_unit_test(growth_goes_on_while_an_island_waits),
	cmocka_unit_test(joined_islands_get_their_room), cmocka_unit_test(joined_islands_lack_what_was_hidden),
	cmocka_unit_test(islands_beyond_the_bound_are_told),
	cmocka_unit_test(ways_to_grow_give_the_same),
	cmocka_unit_test(first_frame_may_want_more_than_there_is), cmocka_unit_test(full_model_has_a_mesh),
	cmocka_unit_test_teardown(refused_growth_keeps_the_session, drop_frames))
