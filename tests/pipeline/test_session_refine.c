/* SPDX-License-Identifier: Apache-2.0
 * A scan refined as a whole: a residual that was put into its depth is found again, poses and surface get better, the
 * same frames give the same bits, and whoever cancels has what he had before. */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static enm_session_def kept_def(void)
{
	enm_session_def def = the_scan.def;
	def.color = false;
	def.keep_frames = true;
	return def;
}

static enm_refine_def wide_def(void)
{
	enm_refine_def def = enm_refine_def_default();
	def.level = ENM_REFINE_HIGH;
	def.prior_um.bow_um = def.prior_um.twist_um = 50;
	return def;
}

static enm_session *scanned(const enm_session_def *def, int frames)
{
	enm_session *s = scan_session(def);
	for (int n = 0; n < frames; n++) {
		const enm_frame frame = {.depth = scan_bent_frame(n), .time_ns = (int64_t)n * SCAN_PERIOD_NS};
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	}
	WANT(ENM_OK, enm_session_finish(s));
	return s;
}

/* How far the surface that cameras look at is from where it should be, root mean square of all frames: what a pose is
 * wrong by, felt at the middle of the view and 4 mm beside it. */
static double pose_error_mm(const enm_session *s)
{
	double sum = 0.0;
	for (int n = 0; n < SCAN_FRAMES; n++) {
		enm_pose pose;
		WANT(ENM_OK, enm_session_pose(s, (uint64_t)n, &pose, NULL));
		const ref_pose found = ref_pose_from(&pose), truth = ref_pose_from(&the_scan.truth[n]);
		for (int k = 0; k < 3; k++) {
			const double p[3] = {k == 1 ? 4.0 : 0.0, k == 2 ? 4.0 : 0.0, 13.0};
			double a[3], b[3];
			ref_pose_apply(&found, p, a);
			ref_pose_apply(&truth, p, b);
			for (int i = 0; i < 3; i++)
				sum += (a[i] - b[i]) * (a[i] - b[i]) / (3.0 * SCAN_FRAMES);
		}
	}
	return sqrt(sum);
}

static double surface_error_mm(enm_session *s)
{
	const enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh;
	enm_mesh_data m;
	double sum = 0.0;
	WANT(ENM_OK, enm_session_mesh(s, &def, &mesh));
	WANT(ENM_OK, enm_mesh_get(mesh, &m));
	assert_true(m.vertex_count > 1000);
	for (size_t i = 0; i < m.vertex_count; i++) {
		const double p[3] = {(double)m.positions_mm[3 * i], (double)m.positions_mm[3 * i + 1],
			(double)m.positions_mm[3 * i + 2]};
		const double d = ref_scene_distance(&the_scan.scene, p);
		sum += d * d;
	}
	sum = sqrt(sum / (double)m.vertex_count);
	enm_mesh_destroy(&mesh);
	return sum;
}

static void the_residual_is_found_and_taken_out(void **state)
{
	(void)state;
	const enm_session_def def = kept_def();
	const enm_refine_def how = wide_def();
	enm_refine_result r;
	enm_session *s = scanned(&def, SCAN_FRAMES);
	const double poses = pose_error_mm(s), surface = surface_error_mm(s);
	WANT(ENM_OK, enm_session_refine(s, &how, &r));
	print_message("poses %.4f -> %.4f mm, surface %.4f -> %.4f mm; bow %.2f +- %.2f, twist %.2f +- %.2f; misfit "
		      "%.2f -> %.2f, inliers %.3f -> %.3f\n",
		poses, pose_error_mm(s), surface, surface_error_mm(s), (double)r.residual.bow_um,
		sqrt(r.covariance_um2[0]), (double)r.residual.twist_um, sqrt(r.covariance_um2[14]), r.misfit_before,
		r.misfit_after, (double)r.inliers_before, (double)r.inliers_after);
	assert_true(fabs((double)r.residual.bow_um - SCAN_BOW_UM) < 4.0 * sqrt(r.covariance_um2[0]));
	assert_true(fabs((double)r.residual.twist_um - SCAN_TWIST_UM) < 4.0 * sqrt(r.covariance_um2[14]));
	assert_true(r.observed[0] && r.observed[2]);
	assert_true(pose_error_mm(s) < 0.6 * poses && surface_error_mm(s) < 0.6 * surface);
	assert_int_equal(r.frames, SCAN_FRAMES);
	assert_int_equal(r.frames_compared, SCAN_FRAMES);
	assert_int_equal(r.parts, 1);
	assert_int_equal(r.frames_left_out + r.frames_not_kept, 0);
	assert_true(r.misfit_after < r.misfit_before);
	enm_session_destroy(&s);
}

#define FEW 12 /* frames, where the size of the scan does not matter */

/* All of a mesh and of the poses, as bytes added up in an order. */
static uint64_t digest(enm_session *s)
{
	const enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh;
	enm_mesh_data m;
	uint64_t h = 1469598103934665603u;
	WANT(ENM_OK, enm_session_mesh(s, &def, &mesh));
	WANT(ENM_OK, enm_mesh_get(mesh, &m));
	const struct {
		const void *bytes;
		size_t size;
	} parts[] = {{m.positions_mm, 12 * m.vertex_count}, {m.triangles, 12 * m.triangle_count},
		{m.views, 2 * m.vertex_count}};
	for (size_t k = 0; k < 3; k++)
		for (size_t i = 0; i < parts[k].size; i++)
			h = (h ^ ((const uint8_t *)parts[k].bytes)[i]) * 1099511628211u;
	for (uint64_t n = 0; n < SCAN_FRAMES; n++) {
		enm_pose pose;
		if (enm_session_pose(s, n, &pose, NULL) != ENM_OK)
			continue;
		for (size_t i = 0; i < sizeof(pose); i++)
			h = (h ^ ((const uint8_t *)&pose)[i]) * 1099511628211u;
	}
	enm_mesh_destroy(&mesh);
	return h;
}

static void the_same_scan_gives_the_same_bits(void **state)
{
	(void)state;
	enm_session_def def = kept_def();
	const enm_refine_def how = wide_def();
	enm_refine_result a, b, c;
	char path[] = "/tmp/enamel-refine-XXXXXX";
	enm_session *s = scanned(&def, FEW);
	WANT(ENM_OK, enm_session_refine(s, &how, &a));
	const uint64_t first = digest(s);
	/* a scan after a reset does not remember the residual found */
	WANT(ENM_OK, enm_session_reset(s));
	for (int n = 0; n < FEW; n++) {
		const enm_frame frame = {.depth = scan_bent_frame(n), .time_ns = (int64_t)n * SCAN_PERIOD_NS};
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	}
	WANT(ENM_OK, enm_session_refine(s, &how, &b));
	assert_true(digest(s) == first);
	assert_memory_equal(a.covariance_um2, b.covariance_um2, sizeof(a.covariance_um2));
	assert_memory_equal(&a.residual, &b.residual, sizeof(a.residual));
	enm_session_destroy(&s);
	/* nor does it matter where the frames are kept */
	assert_non_null(mkdtemp(path));
	char spill[64];
	snprintf(spill, sizeof(spill), "%s/spill", path);
	def.frames_bytes_max = 5 * SCAN_PIXELS * 2;
	def.frames_spill_path = spill;
	s = scanned(&def, FEW);
	enm_session_stats stats;
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_int_equal(stats.frames_kept, FEW);
	assert_true(stats.frames_bytes <= def.frames_bytes_max && stats.frames_spilled_bytes > (FEW - 5) * SCAN_PIXELS * 2);
	WANT(ENM_OK, enm_session_refine(s, &how, &c));
	assert_true(digest(s) == first);
	enm_session_destroy(&s);
	assert_int_equal(rmdir(path), 0); /* it is empty */
}

/* ---- cancelling ---- */

typedef struct patience {
	int calls, most;
	double last;
	char what[32];
} patience;

static bool lose_patience(void *user, const char *what, double done)
{
	patience *p = user;
	assert_true(done >= p->last - 0.2 && done >= 0.0 && done <= 1.0);
	p->last = done;
	snprintf(p->what, sizeof(p->what), "%s", what);
	return ++p->calls < p->most;
}

static void whoever_cancels_has_what_he_had(void **state)
{
	(void)state;
	const enm_session_def def = kept_def();
	enm_refine_def how = wide_def();
	enm_refine_result r;
	patience all = {.most = 1 << 30};
	how.on_progress = lose_patience;
	how.user = &all;
	enm_session *s = scanned(&def, FEW);
	const uint64_t before = digest(s);
	for (int n = 1;; n += 2) {
		patience p = {.most = n};
		how.user = &p;
		const enm_result result = enm_session_refine(s, &how, &r);
		if (result == ENM_OK)
			break;
		assert_int_equal(result, ENM_CANCELLED);
		assert_int_equal(p.calls, n);
		assert_true(r.frames == 0 && digest(s) == before);
		enm_session_stats stats;
		WANT(ENM_OK, enm_session_get_stats(s, &stats));
		assert_true(stats.frames_fused == FEW);
	}
	assert_true(digest(s) != before);
	const uint64_t after = digest(s);
	/* all of that has left no trace */
	enm_session *other = scanned(&def, FEW);
	how.user = &all;
	WANT(ENM_OK, enm_session_refine(other, &how, &r));
	assert_true(digest(other) == after);
	assert_true(all.calls > 10 && strcmp(all.what, "fusing") == 0);
	enm_session_destroy(&s);
	enm_session_destroy(&other);
}

/* ---- going on ---- */

#define STATES 8

typedef struct kept_states {
	uint8_t *bytes[STATES];
	size_t size[STATES];
	int count, most; /* after that many it is cancelled */
} kept_states;

static void keep_state(void *user, const void *bytes, size_t size)
{
	kept_states *k = user;
	assert_in_range(k->count, 0, STATES - 1);
	k->bytes[k->count] = malloc(size);
	assert_non_null(k->bytes[k->count]);
	memcpy(k->bytes[k->count], bytes, size);
	k->size[k->count++] = size;
}

static bool until_enough(void *user, const char *what, double done)
{
	const kept_states *k = user;
	(void)what;
	(void)done;
	return k->count < k->most;
}

static void free_states(kept_states *k)
{
	for (int i = 0; i < k->count; i++)
		free(k->bytes[i]);
	memset(k, 0, sizeof(*k));
}

/* A state of a session that is gone serves another one that has seen the same. */
static void whoever_goes_on_finds_the_same(void **state)
{
	(void)state;
	const enm_session_def def = kept_def();
	enm_refine_def how = wide_def();
	enm_refine_result whole, r;
	kept_states all = {.most = STATES + 1}, some = {.most = 2};
	how.on_state = keep_state;
	how.on_progress = until_enough;
	how.user = &all;
	enm_session *s = scanned(&def, SCAN_FRAMES);
	WANT(ENM_OK, enm_session_refine(s, &how, &whole));
	const uint64_t wanted = digest(s);
	assert_int_equal(all.count, whole.rounds - 1);
	enm_session_destroy(&s);
	s = scanned(&def, SCAN_FRAMES);
	how.user = &some;
	WANT(ENM_CANCELLED, enm_session_refine(s, &how, &r));
	assert_int_equal(some.count, 2);
	assert_int_equal(some.size[1], all.size[1]);
	assert_memory_equal(some.bytes[1], all.bytes[1], all.size[1]);
	how.state = some.bytes[1];
	how.state_bytes = some.size[1];
	kept_states rest = {.most = STATES + 1};
	how.user = &rest;
	WANT(ENM_OK, enm_session_refine(s, &how, &r));
	assert_int_equal(rest.count, all.count - 2);
	assert_true(digest(s) == wanted);
	assert_memory_equal(&r.residual, &whole.residual, sizeof(r.residual));
	assert_memory_equal(r.covariance_um2, whole.covariance_um2, sizeof(r.covariance_um2));
	assert_int_equal(r.iterations, whole.iterations);
	assert_int_equal(r.rounds, whole.rounds);
	assert_true(r.misfit_before == whole.misfit_before && r.misfit_after == whole.misfit_after);
	enm_session_destroy(&s);
	free_states(&all);
	free_states(&some);
	free_states(&rest);
}

static void refuse_state(enm_session *s, const enm_refine_def *how, const char *why)
{
	enm_refine_result r;
	WANT(ENM_E_ARGUMENT, enm_session_refine(s, how, &r));
	if (strstr(enm_last_error(), why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", enm_last_error(), why);
}

/* With the checksum that fits. */
static void put_into_state(uint8_t *bytes, size_t size, size_t at, const void *value, size_t value_size)
{
	memcpy(bytes + at, value, value_size);
	const uint64_t sum = XXH64(bytes, size - sizeof(sum), 0);
	memcpy(bytes + size - sizeof(sum), &sum, sizeof(sum));
}

/* Whoever can write the file can make a checksum that fits. */
static void refuse_forgeries(enm_session *s, enm_refine_def how, const uint8_t *good, size_t size)
{
	const uint32_t none = 0, five = 5, all = UINT32_MAX;
	const double nan = (double)NAN, inf = (double)INFINITY, mirror = -1.0;
	const float far = INFINITY;
	const size_t nodes = 80, second = nodes + 128;
	const struct {
		size_t at;
		const void *value;
		size_t size;
		const char *why;
	} forgeries[] = {{16, &none, 4, "after round 0"}, {16, &five, 4, "after round 5"}, {16, &all, 4, "after round 4294967295"},
		{24, &none, 4, "state: 0 frames"}, {24, &all, 4, "state: 4294967295 frames"}, {32, &nan, 8, "a residual"},
		{nodes, &nan, 8, "frame 0: a pose"}, {nodes, &mirror, 8, "frame 0: a pose"}, {second + 72, &inf, 8, "frame 1: a pose"},
		{second + 96, &far, 4, "frame 1: a pose"}};
	uint8_t *bytes = malloc(size);
	assert_non_null(bytes);
	how.state = bytes;
	how.state_bytes = size;
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		memcpy(bytes, good, size);
		put_into_state(bytes, size, forgeries[i].at, forgeries[i].value, forgeries[i].size);
		refuse_state(s, &how, forgeries[i].why);
	}
	free(bytes);
}

static void a_state_of_something_else_is_refused(void **state)
{
	(void)state;
	const enm_session_def def = kept_def();
	const enm_refine_def plain = wide_def();
	enm_refine_def how = plain;
	enm_refine_result r;
	kept_states k = {.most = 1};
	how.on_state = keep_state;
	how.on_progress = until_enough;
	how.user = &k;
	enm_session *s = scanned(&def, SCAN_FRAMES);
	WANT(ENM_CANCELLED, enm_session_refine(s, &how, &r));
	const uint64_t before = digest(s);
	uint8_t *bytes = k.bytes[0];
	const size_t size = k.size[0];
	how = plain;
	how.state = bytes;
	for (size_t i = 0; i < size; i += i < 100 ? 7 : 997) {
		bytes[i] ^= 0x10;
		how.state_bytes = size;
		refuse_state(s, &how, "state: ");
		bytes[i] ^= 0x10;
	}
	const size_t sizes[] = {0, 1, 87, 88, size - 128, size - 1};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		how.state_bytes = sizes[i];
		refuse_state(s, &how, "state: ");
	}
	refuse_forgeries(s, plain, bytes, size);
	how.state_bytes = size;
	how.seed++;
	refuse_state(s, &how, "another definition");
	how.seed--;
	how.level = how.level == ENM_REFINE_LOW ? ENM_REFINE_STANDARD : ENM_REFINE_LOW;
	refuse_state(s, &how, "another definition");
	how.level = plain.level;
	how.prior_um.bow_um *= 0.5f;
	refuse_state(s, &how, "another definition");
	assert_true(digest(s) == before);
	enm_session_destroy(&s);
	s = scanned(&def, SCAN_FRAMES - 1);
	how.prior_um = plain.prior_um;
	refuse_state(s, &how, "other frames");
	enm_session_destroy(&s);
	free_states(&k);
}

/* ---- afterwards ---- */

/* Frames that come later find their place on the model as it is now, and are read with the residual found. */
static void a_scan_goes_on_after_it(void **state)
{
	(void)state;
	const enm_session_def def = kept_def();
	const enm_refine_def how = wide_def();
	enm_refine_result r;
	enm_session *s = scanned(&def, 18);
	enm_pose first, again;
	WANT(ENM_OK, enm_session_pose(s, 0, &first, NULL));
	WANT(ENM_OK, enm_session_refine(s, &how, &r));
	WANT(ENM_OK, enm_session_pose(s, 0, &again, NULL));
	for (int i = 0; i < 3; i++)
		assert_true(fabs(first.t_mm[i] - again.t_mm[i]) < 1e-4); /* the first frame stays */
	for (int n = 18; n < SCAN_FRAMES; n++) {
		const enm_frame frame = {.depth = scan_bent_frame(n), .time_ns = (int64_t)n * SCAN_PERIOD_NS};
		enm_report report;
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
		WANT(ENM_OK, enm_session_flush(s));
		do
			WANT(ENM_OK, enm_session_next_report(s, &report));
		while (report.frame_id != (uint64_t)n);
		assert_int_equal(report.verdict, ENM_VERDICT_TRACKED);
		assert_true(report.rms_mm < 0.02f);
	}
	WANT(ENM_OK, enm_session_refine(s, &how, &r)); /* and once more */
	assert_int_equal(r.frames, SCAN_FRAMES);
	assert_true(fabs((double)r.residual.bow_um - SCAN_BOW_UM) < 4.0 * sqrt(r.covariance_um2[0]));
	enm_session_destroy(&s);
}

/* ---- what cannot be ---- */

static void too_little_is_said_to_be(void **state)
{
	(void)state;
	const enm_session_def def = kept_def();
	const enm_refine_def how = enm_refine_def_default();
	enm_refine_result r;
	enm_pose pose;
	bool fused = true;
	enm_session *s = scan_session(&def);
	WANT(ENM_EMPTY, enm_session_refine(s, &how, &r));
	WANT(ENM_E_ARGUMENT, enm_session_pose(s, 0, &pose, &fused));
	const enm_frame frame = {.depth = scan_bent_frame(0), .time_ns = 0};
	WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	WANT(ENM_EMPTY, enm_session_refine(s, &how, &r));
	assert_int_equal(r.frames, 0);
	WANT(ENM_OK, enm_session_pose(s, 0, &pose, &fused));
	assert_true(fused);
	/* a frame that sees nothing */
	uint16_t *nothing = calloc(SCAN_PIXELS, sizeof(*nothing));
	assert_non_null(nothing);
	const enm_frame empty = {.depth = nothing, .time_ns = SCAN_PERIOD_NS};
	WANT(ENM_OK, enm_session_push(s, &empty, NULL));
	WANT(ENM_EMPTY, enm_session_refine(s, &how, &r));
	WANT(ENM_EMPTY, enm_session_pose(s, 1, &pose, &fused));
	assert_false(fused);
	free(nothing);
	enm_session_destroy(&s);
}

static void bad_arguments_are_named(void **state)
{
	(void)state;
	enm_session_def def = kept_def();
	const enm_refine_def good = enm_refine_def_default();
	enm_refine_def bad = good;
	enm_refine_result r;
	enm_pose pose;
	enm_session *s = scanned(&def, 2);
	WANT(ENM_E_ARGUMENT, enm_session_refine(NULL, &good, &r));
	WANT(ENM_E_ARGUMENT, enm_session_refine(s, &good, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_refine(s, NULL, &r));
	memset(&bad, 0, sizeof(bad));
	WANT(ENM_E_ARGUMENT, enm_session_refine(s, &bad, &r));
	assert_non_null(strstr(enm_last_error(), "enm_refine_def_default"));
	bad = good;
	bad.level = (enm_refine_level)3;
	WANT(ENM_E_ARGUMENT, enm_session_refine(s, &bad, &r));
	assert_non_null(strstr(enm_last_error(), "level"));
	const float values[] = {-1.0f, NAN, INFINITY, 1001.0f};
	for (int i = 0; i < 4; i++) {
		bad = good;
		bad.prior_um.twist_um = values[i];
		WANT(ENM_E_ARGUMENT, enm_session_refine(s, &bad, &r));
		assert_non_null(strstr(enm_last_error(), "prior_um.twist_um"));
	}
	WANT(ENM_E_ARGUMENT, enm_session_pose(NULL, 0, &pose, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_pose(s, 0, NULL, NULL));
	WANT(ENM_E_ARGUMENT, enm_session_pose(s, 2, &pose, NULL));
	enm_session_destroy(&s);
	def.keep_frames = false;
	s = scanned(&def, 2);
	WANT(ENM_E_ARGUMENT, enm_session_refine(s, &good, &r));
	assert_non_null(strstr(enm_last_error(), "keep_frames"));
	WANT(ENM_E_ARGUMENT, enm_session_pose(s, 0, &pose, NULL));
	enm_session_destroy(&s);
}

/* ---- frames kept ---- */

static void frames_beyond_the_bound_are_counted(void **state)
{
	(void)state;
	enm_session_def def = kept_def();
	const enm_refine_def how = wide_def();
	enm_refine_result r;
	enm_session_stats stats;
	def.frames_bytes_max = 10 * (SCAN_PIXELS * 2 + 4096);
	enm_session *s = scanned(&def, SCAN_FRAMES);
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_true(stats.frames_kept >= 10 && stats.frames_kept < SCAN_FRAMES);
	assert_int_equal(stats.frames_kept + stats.frames_not_kept, SCAN_FRAMES);
	assert_true(stats.frames_bytes <= def.frames_bytes_max);
	WANT(ENM_OK, enm_session_refine(s, &how, &r));
	assert_int_equal(r.frames, stats.frames_kept);
	assert_int_equal(r.frames_not_kept, stats.frames_not_kept);
	enm_pose pose;
	bool fused;
	WANT(ENM_OK, enm_session_pose(s, SCAN_FRAMES - 1, &pose, &fused)); /* its pose follows the others */
	assert_false(fused);
	enm_session_destroy(&s);
}

static void a_spill_file_must_be_new_and_in_a_folder(void **state)
{
	(void)state;
	char path[] = "/tmp/enamel-refine-XXXXXX", file[64], deep[96];
	enm_session_def def = kept_def();
	enm_session *s = NULL;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/there", path);
	snprintf(deep, sizeof(deep), "%s/no/such/folder", path);
	const int there = open(file, O_CREAT | O_WRONLY, 0600);
	assert_true(there >= 0 && write(there, "mine", 4) == 4 && close(there) == 0);
	const char *bad[] = {file, deep, path, ""};
	for (int i = 0; i < 4; i++) {
		def.frames_spill_path = bad[i];
		WANT(ENM_E_IO, enm_session_create(the_context, &def, &s));
		assert_null(s);
		assert_non_null(strstr(enm_last_error(), "frames_spill_path"));
	}
	struct stat after;
	assert_true(stat(file, &after) == 0 && after.st_size == 4);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(path), 0);
}

static void a_full_disk_costs_frames_and_nothing_else(void **state)
{
	(void)state;
	char path[] = "/tmp/enamel-refine-XXXXXX", file[64];
	enm_session_def def = kept_def();
	const enm_refine_def how = wide_def();
	enm_refine_result r;
	enm_session_stats stats;
	struct rlimit old, small;
	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/spill", path);
	def.frames_bytes_max = 0;
	def.frames_spill_path = file;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	enm_session *s = scan_session(&def);
	small = old;
	small.rlim_cur = 12 * (SCAN_PIXELS * 2 + 1000);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int n = 0; n < SCAN_FRAMES; n++) {
		const enm_frame frame = {.depth = scan_bent_frame(n), .time_ns = (int64_t)n * SCAN_PERIOD_NS};
		WANT(ENM_OK, enm_session_push(s, &frame, NULL));
	}
	WANT(ENM_OK, enm_session_finish(s));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_true(stats.frames_kept >= 10 && stats.frames_not_kept >= 10 && stats.frames_bytes == 0);
	WANT(ENM_OK, enm_session_refine(s, &how, &r));
	assert_int_equal(r.frames_not_kept, stats.frames_not_kept);
	enm_session_destroy(&s);
	assert_int_equal(rmdir(path), 0);
}

/* Where two models have no room, the one there is is fused anew in place. */
static void a_small_bound_does_with_one_model(void **state)
{
	(void)state;
	enm_session_def def = kept_def();
	const enm_refine_def how = wide_def();
	enm_refine_result r;
	enm_session *s = scanned(&def, SCAN_FRAMES);
	WANT(ENM_OK, enm_session_refine(s, &how, &r));
	const uint64_t wanted = digest(s);
	enm_session_stats stats;
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	enm_session_destroy(&s);
	def.device_bytes_max = ((uint64_t)80 << 20);
	s = scanned(&def, SCAN_FRAMES);
	WANT(ENM_OK, enm_session_refine(s, &how, &r));
	WANT(ENM_OK, enm_session_get_stats(s, &stats));
	assert_true(stats.device_bytes_peak <= def.device_bytes_max);
	assert_true(digest(s) == wanted);
	enm_session_destroy(&s);
}

SCAN_TEST_MAIN(cmocka_unit_test(the_residual_is_found_and_taken_out),
	cmocka_unit_test(the_same_scan_gives_the_same_bits), cmocka_unit_test(whoever_cancels_has_what_he_had),
	cmocka_unit_test(whoever_goes_on_finds_the_same), cmocka_unit_test(a_state_of_something_else_is_refused),
	cmocka_unit_test(a_scan_goes_on_after_it), cmocka_unit_test(too_little_is_said_to_be),
	cmocka_unit_test(bad_arguments_are_named), cmocka_unit_test(frames_beyond_the_bound_are_counted),
	cmocka_unit_test(a_spill_file_must_be_new_and_in_a_folder),
	cmocka_unit_test(a_full_disk_costs_frames_and_nothing_else),
	cmocka_unit_test(a_small_bound_does_with_one_model))
