/* SPDX-License-Identifier: Apache-2.0
 * The program itself: what it writes can be read and is true, the same seed gives the same bytes, and every bad input
 * is refused with one line. SIMULATE_PROGRAM is its path. */
#include "test_simulate.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "dataset.h"
#include "json.h"

#define ARGUMENTS_MAX 24
#define TEXT_MAX_BYTES 65536

#define PATH_BYTES 512

static char scratch[256];

/* A file in the scratch folder; the text stays until four calls later, or where `keep_in_scratch` puts it. */
static const char *in_scratch(const char *name)
{
	static char paths[4][PATH_BYTES];
	static int turn;
	turn = (turn + 1) % 4;
	snprintf(paths[turn], sizeof paths[turn], "%s/%s", scratch, name);
	return paths[turn];
}

static void keep_in_scratch(const char *name, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/%s", scratch, name);
}

static void read_text(const char *path, char *out)
{
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	out[fread(out, 1, TEXT_MAX_BYTES - 1, file)] = '\0';
	fclose(file);
}

static pid_t start(const char *const *arguments, long file_bytes_max)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child)
		return child;
	char *argv[ARGUMENTS_MAX + 2] = {(char *)(uintptr_t)SIMULATE_PROGRAM};
	for (int i = 0; arguments[i]; i++)
		argv[i + 1] = (char *)(uintptr_t)arguments[i];
	if (!freopen(in_scratch("stdout"), "w", stdout) || !freopen(in_scratch("stderr"), "w", stderr))
		_exit(99);
	if (file_bytes_max) {
		struct rlimit limit = {(rlim_t)file_bytes_max, (rlim_t)file_bytes_max};
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
	}
	execv(SIMULATE_PROGRAM, argv);
	_exit(98);
}

static int finish(pid_t child)
{
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define RUN(...) finish(start((const char *const[]){__VA_ARGS__, NULL}, 0))

/* No leftovers of an output under its temporary name. */
static void assert_nothing_left(void)
{
	DIR *folder = opendir(scratch);
	assert_non_null(folder);
	for (const struct dirent *e; (e = readdir(folder));)
		assert_null(strstr(e->d_name, ".tmp-"));
	closedir(folder);
}

static void assert_refused(int code, int wanted, const char *first, const char *second)
{
	char text[TEXT_MAX_BYTES];
	read_text(in_scratch("stderr"), text);
	if (code != wanted || !strstr(text, first) || !strstr(text, second))
		print_error("exit %d, stderr: %s\n", code, text);
	assert_int_equal(code, wanted);
	assert_non_null(strstr(text, first));
	assert_non_null(strstr(text, second));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
	assert_nothing_left();
}

static void write_text(const char *name, const char *text)
{
	FILE *file = fopen(in_scratch(name), "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static uint64_t hash_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	uint64_t hash = 14695981039346656037u;
	for (int c; (c = fgetc(file)) != EOF;)
		hash = (hash ^ (uint64_t)c) * 1099511628211u;
	fclose(file);
	return hash;
}

/* Over names and bytes, whatever the order in which the folder lists them. */
static uint64_t hash_folder(const char *path)
{
	DIR *folder = opendir(path);
	assert_non_null(folder);
	uint64_t sum = 0;
	for (const struct dirent *e; (e = readdir(folder));) {
		char child[1024];
		struct stat info;
		if (e->d_name[0] == '.')
			continue;
		snprintf(child, sizeof child, "%s/%s", path, e->d_name);
		assert_int_equal(stat(child, &info), 0);
		uint64_t name = 5381;
		for (const char *c = e->d_name; *c; c++)
			name = name * 33 + (uint64_t)*c;
		sum += (S_ISDIR(info.st_mode) ? hash_folder(child) : hash_file(child)) * (2 * name + 1);
	}
	closedir(folder);
	return sum;
}

static void same_seed_same_bytes(void **state)
{
	(void)state;
#define TINY "--frames", "1", "--size", "16x16", "--cell-mm", "1"
#define SAME                                                                                                           \
	"--frames", "6", "--size", "80x60", "--cell-mm", "0.5", "--color", "--foreign-percent", "30", "--saliva-um",   \
		"200"
	assert_int_equal(RUN("arch", in_scratch("a"), SAME, "--seed", "5"), 0);
	assert_int_equal(RUN("arch", in_scratch("b"), SAME, "--seed", "5"), 0);
	assert_int_equal(RUN("arch", in_scratch("c"), SAME, "--seed", "6"), 0);
	assert_true(hash_folder(in_scratch("a")) == hash_folder(in_scratch("b")));
	assert_true(hash_folder(in_scratch("a")) != hash_folder(in_scratch("c")));
}

/* The residual, as truth.json has it. */
static json_t *residual_of(const char *folder)
{
	char name[PATH_BYTES + 16];
	json_t *root;
	snprintf(name, sizeof name, "%s/truth.json", folder);
	assert_int_equal(json_file_read(name, &root), HOST_OK);
	json_t *residual = json_incref(json_object_get(root, "residual"));
	json_decref(root);
	return residual;
}

/* Scans by one scanner have its residual in common and nothing else; without the option each scan has its own. */
static void a_scanner_may_be_told_from_its_scans(void **state)
{
	(void)state;
	static const char *const names[] = {"s5", "s6", "s6-by-5"};
	json_t *residuals[3];
	assert_int_equal(RUN("arch", in_scratch("s5"), TINY, "--seed", "5"), 0);
	assert_int_equal(RUN("arch", in_scratch("s6"), TINY, "--seed", "6"), 0);
	assert_int_equal(RUN("arch", in_scratch("s6-by-5"), TINY, "--seed", "6", "--scanner-seed", "5"), 0);
	for (int i = 0; i < 3; i++)
		residuals[i] = residual_of(in_scratch(names[i]));
	assert_true(json_equal(residuals[0], residuals[2]));
	assert_false(json_equal(residuals[0], residuals[1]));
	assert_true(hash_folder(in_scratch("s5")) != hash_folder(in_scratch("s6-by-5")));
	for (int i = 0; i < 3; i++)
		json_decref(residuals[i]);
}

/* What made a dataset stands in it and in the summary, so that it can be made again: the largest seed there is, and the one that is used
 * where none is given. */
static void the_seed_is_told(void **state)
{
	(void)state;
	static const char *const seeds[] = {"9007199254740992", "0", NULL};
	for (int i = 0; i < 3; i++) {
		const json_int_t wanted = seeds[i] ? strtoll(seeds[i], NULL, 10) : 1;
		char out[PATH_BYTES], truth[PATH_BYTES + 16];
		json_error_t error;
		json_t *root;
		keep_in_scratch(seeds[i] ? seeds[i] : "seedless", out);
		/* without the pair, the arguments end there */
		assert_int_equal(RUN("arch", out, "--json", TINY, seeds[i] ? "--seed" : NULL, seeds[i]), 0);
		json_t *printed = json_load_file(in_scratch("stdout"), 0, &error);
		assert_non_null(printed);
		assert_int_equal(json_integer_value(json_object_get(printed, "seed")), wanted);
		snprintf(truth, sizeof truth, "%s/truth.json", out);
		assert_int_equal(json_file_read(truth, &root), HOST_OK);
		const json_t *origin = json_object_get(root, "simulated"), *seed = json_object_get(origin, "seed");
		assert_true(json_is_integer(seed));
		assert_int_equal(json_integer_value(seed), wanted);
		assert_int_equal(json_integer_value(json_object_get(origin, "scanner_seed")), wanted);
		assert_string_equal(json_string_value(json_object_get(origin, "scenario")),
			json_string_value(json_object_get(printed, "scenario")));
		json_decref(printed);
		json_decref(root);
	}
}

/* `missing` of the frames may be absent. */
static void open_and_read(const char *folder, size_t frames, size_t missing, bool color)
{
	dataset d;
	trajectory truth = {0};
	assert_int_equal(dataset_open(folder, NULL, &d), HOST_OK);
	assert_int_equal(d.layout, DATASET_FOLDER);
	assert_in_range(d.frame_count, frames - missing, frames);
	assert_true(d.has_color == color && d.has_truth);
	uint16_t *depth = malloc(sizeof(uint16_t) * d.camera.camera.width * d.camera.camera.height);
	uint8_t *rgb = malloc((size_t)3 * d.camera.camera.width * d.camera.camera.height);
	for (size_t i = 0; i < d.frame_count; i++) {
		dataset_reading reading;
		dataset_read_frame(&d, i, depth, color ? rgb : NULL, &reading);
		assert_true(reading.usable && reading.has_color == color);
	}
	assert_int_equal(dataset_read_truth(&d, &truth), HOST_OK);
	assert_int_equal(truth.count, d.frame_count);
	trajectory_free(&truth);
	free(depth);
	free(rgb);
	dataset_close(&d);
}

static void check_truth(const char *folder, int scenario)
{
	char name[1024];
	json_t *root;
	enm_mesh *mesh;
	enm_mesh_data data;
	snprintf(name, sizeof name, "%s/truth.json", folder);
	assert_int_equal(json_file_read(name, &root), HOST_OK);
	sim_config c = config_of_scenario(scenario);
	assert_int_equal(json_array_size(json_object_get(root, "margin")), c.prepared_fdi ? 120 : 0);
	assert_int_equal(json_object_size(json_object_get(root, "landmarks")), c.toothless      ? 0
									       : c.prepared_fdi ? 29
												: 34);
	assert_true(json_number_value(json_object_get(json_object_get(root, "residual"), "bow_um")) == 5);
	json_decref(root);
	snprintf(name, sizeof name, "%s/truth.ply", folder);
	assert_int_equal(enm_mesh_load(name, 1, &mesh), ENM_OK);
	assert_int_equal(enm_mesh_get(mesh, &data), ENM_OK);
	assert_true(data.triangle_count > 5000 && data.colors_rgb && data.normals);
	enm_mesh_destroy(&mesh);
}

static void every_scenario_writes_a_readable_folder(void **state)
{
	(void)state;
	for (int i = 0; sim_scenarios[i]; i++) {
		char folder[600];
		snprintf(folder, sizeof folder, "%s/scenario-%s", scratch, sim_scenarios[i]);
		assert_int_equal(RUN("arch", folder, "--scenario", sim_scenarios[i], "--frames", "3", "--size", "80x60",
					 "--cell-mm", "1"),
			0);
		sim_config c = config_of_scenario(i);
		open_and_read(folder, 3, c.timing.bursts ? 2 : 0, c.color);
		check_truth(folder, i);
	}
}

/* A vertex of truth.ply that a clean frame sees lies at the depth of the picture there. */
static void truth_projects_into_the_frames(void **state)
{
	(void)state;
	char folder[PATH_BYTES];
	keep_in_scratch("clean", folder);
	char name[1024];
	assert_int_equal(RUN("arch", folder, "--clean", "--frames", "10", "--cell-mm", "0.3", "--color"), 0);
	open_and_read(folder, 10, 0, true);
	dataset d;
	trajectory truth = {0};
	enm_mesh *mesh;
	enm_mesh_data data;
	dataset_reading reading;
	assert_int_equal(dataset_open(folder, NULL, &d), HOST_OK);
	assert_int_equal(dataset_read_truth(&d, &truth), HOST_OK);
	snprintf(name, sizeof name, "%s/truth.ply", folder);
	assert_int_equal(enm_mesh_load(name, 1, &mesh), ENM_OK);
	assert_int_equal(enm_mesh_get(mesh, &data), ENM_OK);
	uint16_t *depth = malloc(sizeof(uint16_t) * PIXELS);
	dataset_read_frame(&d, 9, depth, NULL, &reading);
	assert_true(reading.usable);
	const enm_pose *p = &truth.poses[9].world_from_camera;
	quat back = {-p->q_xyzw[0], -p->q_xyzw[1], -p->q_xyzw[2], p->q_xyzw[3]};
	size_t met = 0, right = 0;
	for (size_t i = 0; i < data.vertex_count; i++) {
		const float *f = data.positions_mm + 3 * i, *n = data.normals + 3 * i;
		v3 at = quat_rotate(
			back, v3_make((double)f[0] - p->t_mm[0], (double)f[1] - p->t_mm[1], (double)f[2] - p->t_mm[2]));
		v3 normal = quat_rotate(back, v3_make((double)n[0], (double)n[1], (double)n[2]));
		double u = 240 * at.x / at.z + 159.5, v = 240 * at.y / at.z + 119.5;
		if (!(at.z > 4 && at.z < 26 && u > 1 && v > 1 && u < WIDTH - 2 && v < HEIGHT - 2 &&
			    v3_dot(normal, v3_unit(at)) < -0.6))
			continue;
		const uint16_t *c = depth + (size_t)v * WIDTH + (size_t)u;
		double low = fmin(fmin(c[0], c[1]), fmin(c[WIDTH], c[WIDTH + 1])),
		       high = fmax(fmax(c[0], c[1]), fmax(c[WIDTH], c[WIDTH + 1]));
		if (low < 1 || high - low > 150 || 1000 * at.z > high + 300)
			continue; /* an edge, or hidden behind something nearer */
		met++;
		right += 1000 * at.z > low - 12 && 1000 * at.z < high + 12;
	}
	assert_true(met > 1000);
	assert_true(right * 1000 >= met * 995);
	free(depth);
	enm_mesh_destroy(&mesh);
	trajectory_free(&truth);
	dataset_close(&d);
}

/* Re-entries stand in truth.json, and frames of another body have no true pose. */
static void re_entries_are_told(void **state)
{
	(void)state;
	char folder[PATH_BYTES], name[1024];
	trajectory truth = {0};
	json_t *root;
	keep_in_scratch("other-jaw", folder);
	assert_int_equal(RUN("arch", folder, "--scenario", "other-jaw", "--size", "16x16", "--cell-mm", "1"), 0);
	snprintf(name, sizeof name, "%s/truth.json", folder);
	assert_int_equal(json_file_read(name, &root), HOST_OK);
	const json_t *list = json_object_get(root, "reentries");
	size_t count = json_array_size(list);
	assert_int_equal(count, 5);
	double lifted_s = 0, back_s = 0;
	for (size_t i = 0; i < count; i++) {
		const json_t *r = json_array_get(list, i);
		lifted_s = json_number_value(json_object_get(r, "lifted_s"));
		assert_true(lifted_s > back_s);
		back_s = json_number_value(json_object_get(r, "back_s"));
		assert_true(back_s > lifted_s);
		assert_string_equal(
			json_string_value(json_object_get(r, "place")), i + 1 < count ? "other-jaw" : "scanned");
	}
	snprintf(name, sizeof name, "%s/groundtruth.txt", folder);
	assert_int_equal(trajectory_read(name, 1, &truth), HOST_OK);
	double first_back_s = json_number_value(json_object_get(json_array_get(list, 0), "back_s"));
	size_t between = 0;
	for (size_t i = 0; i < truth.count; i++)
		between += truth.poses[i].time_s >= first_back_s && truth.poses[i].time_s < lifted_s;
	assert_int_equal(between, 0);
	assert_true(truth.poses[truth.count - 1].time_s > back_s);
	trajectory_free(&truth);
	json_decref(root);
}

static void meshes_of_all_kinds_are_scanned(void **state)
{
	(void)state;
	assert_int_equal(RUN("phantom", in_scratch("phantom"), "--frames", "2", "--size", "40x30"), 0);
	json_t *root;
	assert_int_equal(json_file_read(in_scratch("phantom/truth.json"), &root), HOST_OK);
	assert_int_equal(json_array_size(json_object_get(root, "spheres")), 330);
	json_decref(root);
	assert_int_equal(RUN(in_scratch("phantom/truth.ply"), in_scratch("of-mesh"), "--up", "z", "--frames", "2",
				 "--size", "40x30"),
		0);
	open_and_read(in_scratch("of-mesh"), 2, 0, false);
	const char *jaw = SHARED_DATA "/jaws/cast.ply";
	if (access(jaw, R_OK))
		print_message("%s is absent: its part is skipped\n", jaw);
	else {
		assert_refused(RUN(jaw, in_scratch("cast")), 2, "cast.ply", "give --up");
		assert_int_equal(RUN(jaw, in_scratch("cast"), "--up", "y", "--frames", "2", "--size", "40x30"), 0);
	}
}

static void bad_options_are_refused(void **state)
{
	(void)state;
	char out[PATH_BYTES];
	keep_in_scratch("refused", out);
	const struct {
		const char *option, *value, *reason;
	} cases[] = {{"--wrong", NULL, "unknown option"}, {"--seed", NULL, "no value"},
		{"--seed", "x", "not a whole number"}, {"--size", "0x0", "16 to 4096"}, {"--size", "320", "WxH"},
		{"--fps", "0", "1 to 1000"}, {"--fps", "nan", "not a number"}, {"--speed-mm-s", "0", "0.1 to 1000"},
		{"--speed-mm-s", "200", "its speed reaches"}, {"--scenario", "none-such", "none of"},
		{"--path", "zigzag", "none of"}, {"--noise-um", "-1", "0 to 1000"},
		{"--dropout-percent", "101", "0 to 100"}, {"--mixed-px", "7", "0 to 6"}, {"--frames", "0", "1 to"},
		{"--row-time-us", "500", "longer than a frame"}, {"--jitter-ms", "50", "between frames"},
		{"--prepared", "39", "is no tooth"}, {"--up", "y", "mesh files"}, {"--from-percent", "99", "too short"},
		{"--near-mm", "40", "below --far-mm"}, {"--max-turning-deg-s", "1", "turning"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_refused(RUN("arch", out, "--cell-mm", "1", cases[i].option, cases[i].value), 2,
			cases[i].option[2] == 's' && cases[i].reason[0] == 'i' ? "path" : "simulate", cases[i].reason);
	assert_refused(RUN("--json"), 2, "too few arguments", "OUT");
	assert_refused(RUN("a", "b", "c"), 2, "unexpected argument", "'c'");
	assert_refused(RUN("arch", out, "--noise-um", "3", "--no-noise"), 2, "--noise-um", "together");
	assert_refused(RUN("arch", out, "--mixed-px", "2", "--no-mixed"), 2, "--mixed-px", "together");
	assert_refused(RUN("phantom", out, "--scenario", "wet"), 2, "--scenario", "phantom");
	assert_refused(RUN("arch", out, "--from-percent", "60", "--to-percent", "40"), 2, "--from-percent", "below");
	assert_refused(RUN("arch", out, "--path", "wave", "--lift-offs", "2"), 2, "--lift-offs", "wave");
	assert_refused(RUN("arch", out, "--smooth"), 2, "--smooth", "toothless");
	assert_refused(RUN("phantom", out, "--scenario", "smooth-ridge"), 2, "--scenario", "phantom");
	assert_refused(RUN("arch", out, "--exposure", "1.4"), 2, "--exposure", "--color");
	assert_refused(RUN("arch", out, "--exposure", "0.5", "--color"), 2, "--exposure", "1 to 4");
	assert_refused(RUN("arch", out, "--late-percent", "60"), 2, "--late-percent", "0 to 50");
	assert_refused(RUN("arch", out, "--duplicate-percent", "-1"), 2, "--duplicate-percent", "0 to 50");
	assert_refused(RUN("arch", out, "--reentry", "scanned"), 2, "--reentry", "--lift-offs");
	assert_refused(RUN("arch", out, "--reentry", "elsewhere", "--lift-offs", "2"), 2, "--reentry", "none of");
	assert_refused(RUN("arch", out, "--reentry", "mirrored", "--lift-offs", "1"), 2, "--lift-offs", "at least 2");
	assert_refused(RUN("arch", out, "--reentry", "opposite", "--lift-offs", "2"), 2, "--reentry", "40 %");
	assert_refused(RUN("phantom", out, "--reentry", "other-jaw", "--lift-offs", "2"), 2, "--reentry", "phantom");
	assert_refused(RUN("phantom", out, "--scenario", "toothless"), 2, "--scenario", "phantom");
	assert_refused(RUN("phantom", out, "--saliva-um", "100"), 2, "--saliva-um", "dry");
	assert_refused(RUN("phantom", out, "--toothless"), 2, "--toothless", "phantom");
	assert_refused(RUN("arch", out, "--toothless", "--prepared", "36"), 2, "--prepared", "toothless");
	assert_int_equal(access(out, F_OK), -1);
}

static void bad_meshes_are_refused(void **state)
{
	(void)state;
	char out[PATH_BYTES];
	keep_in_scratch("refused", out);
	static const char HEAD[] =
		"ply\nformat ascii 1.0\nelement vertex %s\nproperty float x\nproperty float y\nproperty float z\n"
		"element face %s\nproperty list uchar int vertex_indices\nend_header\n%s";
	const struct {
		const char *vertices, *faces, *body, *reason;
	} cases[] = {{"3", "1", "0 0 0\n10 0 0\n0 10 0\n3 0 1 7\n", "bad.ply"},
		{"3", "1", "0 0 0\n10 0 0\n", "bad.ply"}, {"4000000000", "1", "0 0 0\n", "bad.ply"},
		{"3", "0", "0 0 0\n10 0 0\n0 10 0\n", "triangles"},
		{"3", "1", "0 0 0\n10 0 0\n0 nan 0\n3 0 1 2\n", "bad.ply"},
		{"3", "1", "0 0 0\n10 0 0\n20 0 0\n3 0 1 2\n", "area"},
		{"3", "1", "0 0 0\n.05 0 0\n0 .05 0\n3 0 1 2\n", "millimetres"},
		{"3", "1", "0 0 0\n9e5 0 0\n0 9e5 0\n3 0 1 2\n", "300"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024];
		snprintf(text, sizeof text, HEAD, cases[i].vertices, cases[i].faces, cases[i].body);
		write_text("bad.ply", text);
		assert_refused(RUN(in_scratch("bad.ply"), out), 2, "bad.ply", cases[i].reason);
	}
	write_text("empty.stl", "");
	assert_refused(RUN(in_scratch("empty.stl"), out), 2, "empty.stl", "empty");
	assert_refused(RUN(in_scratch("missing.obj"), out), 2, "missing.obj", "No such file");
	assert_refused(RUN(scratch, out), 2, scratch, "");
	assert_int_equal(access(out, F_OK), -1);
}

static void outputs_in_the_way_are_kept(void **state)
{
	(void)state;
	char out[PATH_BYTES];
	keep_in_scratch("taken", out);
	assert_int_equal(mkdir(out, 0777), 0);
	assert_int_equal(RUN("arch", out, TINY), 0); /* an empty folder is filled */
	assert_refused(RUN("arch", out, TINY), 2, "taken", "not empty");
	uint64_t before = hash_folder(out);
	assert_int_equal(RUN("arch", out, TINY, "--force", "--seed", "9"), 0);
	assert_true(hash_folder(out) != before);
	assert_nothing_left();
	assert_int_equal(mkdir(in_scratch("other"), 0777), 0);
	write_text("other/letter.txt", "keep me");
	assert_refused(RUN("arch", in_scratch("other"), TINY, "--force"), 2, "other", "no dataset");
	assert_int_equal(access(in_scratch("other/letter.txt"), R_OK), 0);
	write_text("file", "x");
	assert_refused(RUN("arch", in_scratch("file"), TINY), 2, "file", "no folder");
	assert_refused(RUN("arch", in_scratch("no/such/place"), TINY), 4, "no/such/place", "cannot be made");
	assert_refused(RUN("arch", "/proc/enamel-out", TINY), 4, "/proc/enamel-out", "cannot be made");
}

static void a_full_disk_leaves_nothing(void **state)
{
	(void)state;
	char out[PATH_BYTES];
	keep_in_scratch("full", out);
	/* a limit on the size of files stops writing as a full disk does */
	const char *const pictures[] = {"arch", out, "--frames", "4", "--cell-mm", "1", NULL};
	assert_refused(finish(start(pictures, 20000)), 4, "depth/", "");
	assert_int_equal(access(out, F_OK), -1);
	const char *const surface[] = {"arch", out, TINY, NULL};
	assert_refused(finish(start(surface, 100000)), 4, "truth.ply", "");
	assert_int_equal(access(out, F_OK), -1);
}

static void a_full_file_system_leaves_nothing(void **state)
{
	(void)state;
	char place[PATH_BYTES], out[PATH_BYTES];
	keep_in_scratch("tiny", place);
	keep_in_scratch("tiny/out", out);
	assert_int_equal(mkdir(place, 0777), 0);
	if (mount("tmpfs", place, "tmpfs", 0, "size=1m")) {
		print_message("no right to mount a tmpfs here: skipped\n");
		return;
	}
	int code = RUN("arch", out, "--frames", "60", "--cell-mm", "1");
	bool left = !access(out, F_OK);
	umount(place);
	assert_refused(code, 4, "depth/", "");
	assert_false(left);
}

static void an_interrupt_leaves_nothing(void **state)
{
	(void)state;
	char out[PATH_BYTES];
	keep_in_scratch("stopped", out);
	const char *const arguments[] = {"phantom", out, NULL};
	pid_t child = start(arguments, 0);
	nanosleep(&(struct timespec){2, 500000000}, NULL);
	kill(child, SIGINT);
	assert_refused(finish(child), 130, "interrupted", "");
	assert_int_equal(access(out, F_OK), -1);
}

static void help_and_json_are_for_people_and_machines(void **state)
{
	(void)state;
	char text[TEXT_MAX_BYTES];
	json_error_t error;
	assert_int_equal(RUN("--help"), 0);
	read_text(in_scratch("stdout"), text);
	assert_non_null(strstr(text, "--scenario"));
	assert_non_null(strstr(text, "full-passes"));
	assert_int_equal(RUN("arch", in_scratch("json"), "--json", TINY), 0);
	json_t *root = json_load_file(in_scratch("stdout"), 0, &error);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_object_get(root, "frames")), 1);
	assert_true(json_number_value(json_object_get(root, "peak_speed_mm_s")) > 5);
	assert_true(json_number_value(json_object_get(root, "peak_turning_deg_s")) < 90);
	json_decref(root);
}

static int make_scratch(void **state)
{
	(void)state;
	const char *base = getenv("TMPDIR");
	snprintf(scratch, sizeof scratch, "%s/enamel-simulate-XXXXXX", base && *base ? base : "/tmp");
	return mkdtemp(scratch) ? 0 : -1;
}

static int remove_scratch(void **state)
{
	(void)state;
	pid_t child = fork();
	if (!child) {
		execlp("rm", "rm", "-rf", scratch, (char *)NULL);
		_exit(1);
	}
	return finish(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_bytes),
		cmocka_unit_test(the_seed_is_told), cmocka_unit_test(a_scanner_may_be_told_from_its_scans),
		cmocka_unit_test(every_scenario_writes_a_readable_folder),
		cmocka_unit_test(truth_projects_into_the_frames),
		cmocka_unit_test(re_entries_are_told),
		cmocka_unit_test(meshes_of_all_kinds_are_scanned),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(bad_meshes_are_refused),
		cmocka_unit_test(outputs_in_the_way_are_kept),
		cmocka_unit_test(a_full_disk_leaves_nothing),
		cmocka_unit_test(a_full_file_system_leaves_nothing),
		cmocka_unit_test(an_interrupt_leaves_nothing),
		cmocka_unit_test(help_and_json_are_for_people_and_machines),
	};
	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
