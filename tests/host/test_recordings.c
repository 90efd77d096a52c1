/* SPDX-License-Identifier: Apache-2.0
 * The commands for recordings: record, info, recover, convert, cut; and replay of what they write. */
#define _DEFAULT_SOURCE /* mount */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "dataset.h"
#include "file.h"
#include "json.h"
#include "process.h"
#include "reader.h"
#include "scan.h"
#include "scratch.h"

#define FRAMES 12
#define PIXELS ((size_t)SCAN_WIDTH * SCAN_HEIGHT)

static char program[] = ENAMEL_PROGRAM;

#define RUN(...) process_run((char *[]){program, __VA_ARGS__, NULL})

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

static void assert_code(const process_result *r, int code)
{
	if (r->code != code)
		fail_msg("exit code %d instead of %d: %s%s", r->code, code, r->out, r->err);
}

static void make_scan(void)
{
	const scan_def def = {.folder = "scan", .pictures = FRAMES, .frames = FRAMES, .color = true};
	scan_make(&def);
	scratch_text("scan/truth.json", "{\"landmarks\": {}}\n");
	scratch_write("scan/truth.ply", "ply\0\377\211ENMREC\n", 13);
}

static json_t *json_of(const process_result *r)
{
	json_t *root = json_loads(r->out, 0, NULL);
	if (!root)
		fail_msg("no JSON: %s", r->out);
	return root;
}

static json_int_t count_of(const json_t *root, const char *key)
{
	const json_t *value = json_object_get(root, key);
	if (!json_is_integer(value))
		fail_msg("there is no whole number %s", key);
	return json_integer_value(value);
}

static void every_command_has_help(void **state)
{
	(void)state;
	static char *const commands[] = {"record", "info", "recover", "convert", "cut"};
	const process_result *all = RUN("--help");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		assert_non_null(strstr(all->out, commands[i]));
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const process_result *r = RUN(commands[i], "--help");
		assert_code(r, 0);
		assert_non_null(strstr(r->out, "--json"));
		assert_non_null(strstr(r->out, ".enmrec"));
		assert_string_equal(r->err, "");
	}
}

static void wrong_usage(void **state)
{
	(void)state;
	make_scan();
	scratch_text("no.enmrec",
		"this is no recording at all, but long enough to look like one that has a packet's head in it");
	scratch_text("empty.enmrec", "");
	RUN("record", path("scan"));
	assert_one_line(2, "enamel record: --out: missing");
	RUN("record", path("scan"), "--out", path("a.rec"));
	assert_one_line(2, "does not end in .enmrec");
	RUN("record", path("none"), "--out", path("a.enmrec"));
	assert_one_line(2, "none: missing");
	RUN("record", path("no.enmrec"), "--out", path("a.enmrec"));
	assert_one_line(2, "is no recording");
	RUN("record", path("scan"), "--out", path("a.enmrec"), "--fps", "0");
	assert_one_line(2, "--fps: 0 is not within");
	RUN("record", path("scan"), "--out", path("a.enmrec"), "--queue", "0");
	assert_one_line(2, "--queue: 0 is not within");
	RUN("record", path("scan"), "--out", path("a.enmrec"), "--frames", "12:13");
	assert_one_line(2, "--frames: begins at 12");
	RUN("record", path("scan"), "--out", path("none/a.enmrec"));
	assert_one_line(4, "cannot write");
	RUN("record", path("scan"), "--out", path("no.enmrec"));
	assert_one_line(4, "is there already, and a recording is never written over");
	RUN("info", path("none.enmrec"));
	assert_one_line(2, "none.enmrec: missing");
	RUN("info", path("scan"));
	assert_one_line(2, "scan: is not a file");
	RUN("info", path("no.enmrec"));
	assert_one_line(2, "is no recording: it holds no whole packet of one");
	RUN("info", path("empty.enmrec"));
	assert_one_line(2, "empty.enmrec: is empty");
	RUN("recover", path("no.enmrec"));
	assert_one_line(2, "too few arguments");
	RUN("recover", path("no.enmrec"), path("no.enmrec"));
	assert_one_line(2, "is given twice");
	RUN("recover", path("no.enmrec"), path("a"));
	assert_one_line(2, "does not end in .enmrec");
	RUN("recover", path("no.enmrec"), path("none/a.enmrec"));
	assert_one_line(4, "cannot write");
	RUN("recover", path("no.enmrec"), path("a.enmrec"), "--camera", path("none.json"));
	assert_one_line(2, "none.json: missing");
	RUN("cut", path("no.enmrec"), path("a.enmrec"), "--from", "3", "--to", "3");
	assert_one_line(2, "--from, --to: nothing lies");
	RUN("convert", path("none"), path("a.enmrec"));
	assert_one_line(2, "none: missing");
	RUN("convert", path("scan"), path("a"));
	assert_one_line(2, "does not end in .enmrec");
	RUN("convert", path("no.enmrec"), path("a.enmrec"));
	assert_one_line(2, "is no folder");
	RUN("convert", path("no.enmrec"), path("a"));
	assert_one_line(2, "is no recording");
	RUN("replay", path("no.enmrec"), "--out", path("m.ply"));
	assert_one_line(2, "is no recording");
	assert_int_equal(scratch_count("."), 3); /* nothing was left behind */
}

static void assert_same_files(const char *a, const char *b)
{
	uint8_t *left, *right;
	size_t left_size, right_size;
	if (file_read(scratch_path(a), SIZE_MAX / 2, &left, &left_size) ||
		file_read(scratch_path(b), SIZE_MAX / 2, &right, &right_size))
		fail_msg("%s", host_error_text());
	assert_int_equal(left_size, right_size);
	assert_memory_equal(left, right, left_size);
	free(left);
	free(right);
}

/* Frames, times, colours and judgements of two datasets are the same, to the bit. */
static void assert_same_data(const char *a, const char *b, size_t frames)
{
	static uint16_t depth[2][PIXELS];
	static uint8_t rgb[2][3 * PIXELS];
	dataset d[2];
	const char *const names[2] = {a, b};
	for (int k = 0; k < 2; k++)
		if (dataset_open(scratch_path(names[k]), NULL, &d[k]))
			fail_msg("%s", host_error_text());
	assert_int_equal(d[0].frame_count, frames);
	assert_int_equal(d[1].frame_count, frames);
	assert_memory_equal(&d[0].camera, &d[1].camera, sizeof d[0].camera);
	assert_int_equal(d[0].has_color, d[1].has_color);
	assert_int_equal(d[0].has_truth, d[1].has_truth);
	for (size_t i = 0; i < frames; i++) {
		dataset_reading reading[2];
		assert_true(d[0].frames[i].time_s == d[1].frames[i].time_s);
		if (!d[0].recording && !d[1].recording)
			assert_true(d[0].frames[i].color_time_s == d[1].frames[i].color_time_s);
		for (int k = 0; k < 2; k++)
			dataset_read_frame(&d[k], i, depth[k], d[0].has_color ? rgb[k] : NULL, &reading[k]);
		assert_int_equal(reading[0].usable, reading[1].usable);
		assert_int_equal(reading[0].has_color, reading[1].has_color);
		if (reading[0].usable)
			assert_memory_equal(depth[0], depth[1], sizeof depth[0]);
		else
			assert_string_equal(reading[0].reason, reading[1].reason);
		if (reading[0].has_color)
			assert_memory_equal(rgb[0], rgb[1], sizeof rgb[0]);
	}
	dataset_close(&d[0]);
	dataset_close(&d[1]);
}

/* Times of TUM RGB-D, which doubles hold to 0.2 us only; one runs backward, one picture is all holes. */
static void make_awkward_scan(void)
{
	make_scan();
	scratch_depth("scan/depth/3.png", SCAN_WIDTH, SCAN_HEIGHT, 0, 0);
	scratch_text("scan/depth.txt", "1305031102.160407 depth/0.png\n1305031102.194330 depth/1.png\n"
				       "1305031102.194330 depth/2.png\n1305031102.262886 depth/3.png\n"
				       "1305031102.2628861 depth/4.png\n1305031102.3 depth/5.png\n");
	scratch_text("scan/rgb.txt", "1305031102.175304 color.png\n1305031102.295279 color.png\n");
}

static void folder_and_back(void **state)
{
	(void)state;
	make_awkward_scan();
	const process_result *r = RUN("convert", path("scan"), path("a.enmrec"), "--json");
	assert_code(r, 0);
	json_t *json = json_of(r);
	assert_int_equal(count_of(json, "frames"), 6);
	assert_int_equal(count_of(json, "files"), 4); /* groundtruth.txt, color.png, truth.* */
	json_decref(json);
	assert_code(RUN("info", path("a.enmrec")), 0);
	assert_same_data("scan", "a.enmrec", 6);
	assert_code(RUN("convert", path("a.enmrec"), path("back")), 0);
	assert_same_data("scan", "back", 6);
	static const char *const files[] = {"camera.json", "groundtruth.txt", "truth.json", "truth.ply"};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char a[64], b[64];
		snprintf(a, sizeof a, "scan/%s", files[i]);
		snprintf(b, sizeof b, "back/%s", files[i]);
		assert_same_files(a, b);
	}
	assert_code(RUN("convert", path("a.enmrec"), path("back")), 2); /* is there */
	assert_code(RUN("convert", path("a.enmrec"), path("back"), "--force"), 0);
	assert_code(RUN("convert", path("back"), path("again.enmrec")), 0);
	assert_same_data("again.enmrec", "a.enmrec", 6);
	assert_int_equal(scratch_count("."), 4);
}

static void unreadable_frames_are_named(void **state)
{
	(void)state;
	make_scan();
	scratch_text("scan/depth/5.png", "no picture");
	const process_result *r = RUN("convert", path("scan"), path("a.enmrec"));
	assert_code(r, 1);
	assert_non_null(strstr(r->err, "depth/5.png: left out: is no PNG"));
	assert_non_null(strstr(r->err, "left out and named above: 1"));
	assert_code(RUN("convert", path("scan"), path("b.enmrec"), "--strict"), 2);
	assert_int_equal(scratch_count("."), 2);
	r = RUN("info", path("a.enmrec"), "--json");
	assert_code(r, 0);
	json_t *json = json_of(r);
	assert_int_equal(count_of(json, "frames"), FRAMES - 1);
	assert_int_equal(count_of(json, "frames_missing"), 1);
	json_decref(json);
	r = RUN("record", path("scan"), "--out", path("c.enmrec"));
	assert_code(r, 1);
	assert_non_null(strstr(r->err, "unreadable frames 1,"));
	assert_code(RUN("record", path("scan"), "--out", path("d.enmrec"), "--strict"), 2);
}

static void seven_scenes_become_seconds(void **state)
{
	(void)state;
	scratch_make_folder("room");
	static const char pose[] = "1 0 0 0.5\n0 1 0 0\n0 0 1 0\n0 0 0 1\n";
	for (int i = 0; i < 3; i++) {
		char name[64];
		snprintf(name, sizeof name, "room/frame-%06d.depth.png", 150 + 6 * i);
		scratch_depth(name, 640, 480, 65535, (uint16_t)(1000 + i));
		snprintf(name, sizeof name, "room/frame-%06d.pose.txt", 150 + 6 * i);
		scratch_text(name, pose);
	}
	const process_result *r = RUN("convert", path("room"), path("a.enmrec"));
	assert_code(r, 0);
	assert_non_null(strstr(r->err, "assumed f 585"));
	dataset d;
	assert_int_equal(dataset_open(scratch_path("a.enmrec"), NULL, &d), HOST_OK);
	assert_int_equal(d.frame_count, 3);
	static uint16_t depth[640 * 480];
	trajectory truth;
	assert_int_equal(dataset_read_truth(&d, &truth), HOST_OK);
	assert_int_equal(truth.count, 3);
	for (size_t i = 0; i < 3; i++) {
		dataset_reading reading;
		assert_true(fabs(d.frames[i].time_s - (5.0 + 0.2 * (double)i)) < 1e-12);
		assert_true(fabs(truth.poses[i].time_s - d.frames[i].time_s) < 1e-5);
		assert_true(fabs(truth.poses[i].world_from_camera.t_mm[0] - 500.0) < 1e-9);
		dataset_read_frame(&d, i, depth, NULL, &reading);
		assert_true(reading.usable && depth[0] == 0 && depth[1] == 1000 + i);
	}
	assert_string_equal(d.unit, "m");
	assert_true(d.camera.camera.fx == 585.0 && d.camera.camera.cx == 320.0);
	trajectory_free(&truth);
	dataset_close(&d);
}

static void records_and_tells(void **state)
{
	(void)state;
	make_scan();
	const process_result *r = RUN("record", path("scan"), "--out", path("a.enmrec"), "--json", "--sync-s", "0");
	assert_code(r, 0);
	json_t *json = json_of(r);
	assert_int_equal(count_of(json, "frames"), FRAMES);
	assert_int_equal(count_of(json, "refused"), 0);
	assert_int_equal(count_of(json, "picture_bytes"), FRAMES * PIXELS * 5);
	assert_int_equal(count_of(json, "bytes"), scratch_size("a.enmrec"));
	assert_true(count_of(json, "syncs") >= FRAMES);
	json_decref(json);
	r = RUN("info", path("a.enmrec"), "--json");
	assert_code(r, 0);
	json = json_of(r);
	assert_int_equal(count_of(json, "frames"), FRAMES);
	assert_int_equal(count_of(json, "frames_with_color"), FRAMES);
	assert_int_equal(count_of(json, "frames_missing"), 0);
	assert_int_equal(count_of(json, "packets_lost"), 0);
	assert_true(json_is_true(json_object_get(json, "closed")));
	assert_int_equal(count_of(json_object_get(json, "camera"), "width"), SCAN_WIDTH);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "settings"), "source")), "folder form");
	assert_int_equal(json_array_size(json_object_get(json, "files")), 4);
	json_decref(json);
	assert_same_data("scan", "a.enmrec", FRAMES);
	assert_code(RUN("record", path("scan"), "--out", path("b.enmrec"), "--frames", "3:5", "--fps", "200"), 0);
	assert_code(RUN("info", path("b.enmrec")), 0);
}

/* Packing at the highest level takes many times as long as reading the next frame. */
static void refused_frames_are_named(void **state)
{
	(void)state;
	make_scan();
	const process_result *r = RUN("record", path("scan"), "--out", path("a.enmrec"), "--json", "--fps", "100000",
		"--queue", "1", "--level", "19");
	assert_code(r, 1);
	assert_non_null(strstr(r->err, " is not recorded: the queue is full"));
	assert_non_null(strstr(r->err, "not all is recorded: refused frames "));
	json_t *json = json_of(r);
	json_int_t refused = count_of(json, "refused");
	assert_true(refused > 0 && refused < FRAMES);
	assert_int_equal(count_of(json, "frames") + refused, FRAMES);
	json_decref(json);
	r = RUN("info", path("a.enmrec"), "--json");
	assert_code(r, 0);
	json = json_of(r);
	assert_int_equal(count_of(json, "frames_refused"), refused);
	assert_true(count_of(json, "frames_missing") <= refused); /* not those behind the last one */
	json_decref(json);
}

static void recovers_and_cuts(void **state)
{
	(void)state;
	make_scan();
	assert_code(RUN("convert", path("scan"), path("a.enmrec")), 0);
	uint8_t *bytes;
	size_t size;
	assert_int_equal(file_read(scratch_path("a.enmrec"), SIZE_MAX / 2, &bytes, &size), HOST_OK);
	recording *whole;
	assert_int_equal(recording_open(scratch_path("a.enmrec"), RECORDING_CHECK, NULL, &whole), HOST_OK);
	size_t at = (size_t)whole->entries[9].offset + 500, end = (size_t)whole->entries[14].offset + 10;
	recording_close(&whole);
	bytes[at] ^= 1;
	scratch_write("b.enmrec", bytes, end);
	free(bytes);
	const process_result *r = RUN("info", path("b.enmrec"));
	assert_code(r, 1);
	assert_non_null(strstr(r->out, "the packet's content is damaged, 1 packet lost"));
	assert_non_null(strstr(r->out, "a packet is cut off, at least 1 packet lost"));
	assert_non_null(strstr(r->err, "packets lost: 2"));
	r = RUN("recover", path("b.enmrec"), path("c.enmrec"), "--json");
	assert_code(r, 0);
	json_t *json = json_of(r);
	assert_int_equal(count_of(json, "frames"), 8);
	assert_int_equal(count_of(json, "packets_lost"), 2);
	assert_true(json_is_false(json_object_get(json, "was_closed")));
	json_decref(json);
	assert_code(RUN("info", path("c.enmrec")), 0);
	r = RUN("convert", path("b.enmrec"), path("folder"));
	assert_code(r, 1);
	assert_non_null(strstr(r->err, "the packet's content is damaged"));
	assert_same_data("folder", "c.enmrec", 8);
	assert_code(RUN("convert", path("b.enmrec"), path("strict"), "--strict"), 2);
	assert_code(RUN("cut", path("c.enmrec"), path("d.enmrec"), "--from", "0.05", "--to", "0.18"), 0);
	r = RUN("info", path("d.enmrec"), "--json");
	assert_code(r, 0);
	json = json_of(r);
	assert_int_equal(count_of(json, "frames"), 3); /* at 2, 3 and 5 thirtieths of a second; 4 is lost */
	json_decref(json);
	RUN("cut", path("c.enmrec"), path("e.enmrec"), "--from", "1000");
	assert_one_line(1, "no frame lies within the times");
	assert_int_equal(scratch_count("."), 6);
}

static void lost_header_takes_a_camera(void **state)
{
	(void)state;
	make_scan();
	assert_code(RUN("convert", path("scan"), path("a.enmrec")), 0);
	uint8_t *bytes;
	size_t size;
	assert_int_equal(file_read(scratch_path("a.enmrec"), SIZE_MAX / 2, &bytes, &size), HOST_OK);
	bytes[70] ^= 1;
	scratch_write("b.enmrec", bytes, size * 3 / 4); /* without the header's later copy */
	free(bytes);
	RUN("recover", path("b.enmrec"), path("c.enmrec"));
	assert_one_line(2, "every copy of the header is lost: give --camera FILE");
	RUN("convert", path("b.enmrec"), path("folder"));
	assert_int_equal(scratch_count("."), 3);
	assert_code(RUN("recover", path("b.enmrec"), path("c.enmrec"), "--camera", path("scan/camera.json")), 0);
	assert_code(RUN("info", path("c.enmrec")), 0);
	assert_code(RUN("convert", path("b.enmrec"), path("folder"), "--camera", path("scan/camera.json")), 1);
	assert_same_files("scan/camera.json", "folder/camera.json");
	dataset d;
	assert_int_equal(dataset_open(scratch_path("b.enmrec"), NULL, &d), HOST_USAGE);
	assert_failure_ends("every copy of the header is lost: give --camera FILE");
	assert_int_equal(dataset_open(scratch_path("b.enmrec"), scratch_path("scan/camera.json"), &d), HOST_OK);
	assert_true(d.damaged && d.frame_count >= 6);
	dataset_close(&d);
}

static void full_disk(void **state)
{
	(void)state;
	make_scan();
	scratch_make_folder("tiny");
	const char *tiny = scratch_path("tiny");
	if (mount("tmpfs", tiny, "tmpfs", 0, "size=128k,mode=0777")) {
		print_message("skipped: no tmpfs can be mounted here\n");
		skip();
	}
	char out[SCRATCH_PATH_MAX], other[SCRATCH_PATH_MAX];
	snprintf(out, sizeof out, "%s/a.enmrec", tiny);
	snprintf(other, sizeof other, "%s/b.enmrec", tiny);
	const process_result *r = RUN("record", path("scan"), "--out", out);
	int code = r->code;
	bool worded = strstr(r->err, "No space left on device") && strstr(r->err, "a.enmrec: cannot write after ");
	recording *left;
	host_status opened = recording_open(out, RECORDING_CHECK, NULL, &left);
	size_t frames = opened ? 0 : left->frame_count, damages = opened ? 1 : left->damage_count;
	recording_close(&left);
	int recovered = RUN("recover", out, path("c.enmrec"))->code;
	int converted = RUN("convert", path("scan"), other)->code;
	size_t count = scratch_count("tiny");
	umount(scratch_path("tiny"));
	assert_int_equal(code, 4);
	assert_true(worded);
	assert_int_equal(opened, HOST_OK);
	assert_true(frames >= 1 && frames < FRAMES);
	assert_int_equal(damages, 0);
	assert_int_equal(recovered, 0);
	assert_int_equal(converted, 4);
	assert_int_equal(count, 1); /* of the conversion nothing is left */
	assert_code(RUN("info", path("c.enmrec")), 0);
}

static void replays_to_the_same_bits(void **state)
{
	(void)state;
	make_scan();
	assert_code(RUN("convert", path("scan"), path("a.enmrec")), 0);
	assert_code(RUN("record", path("scan"), "--out", path("b.enmrec"), "--level", "5"), 0);
	scratch_cut("b.enmrec", scratch_size("b.enmrec") - 40); /* so that there is no end to find the index by */
	static char *const inputs[] = {"scan", "a.enmrec", "b.enmrec"};
	static char *const meshes[] = {"0.ply", "1.ply", "2.ply"}, *const paths[] = {"0.txt", "1.txt", "2.txt"};
	for (int i = 0; i < 3; i++) {
		const process_result *r = RUN("replay", path(inputs[i]), "--out", path(meshes[i]), "--trajectory",
			path(paths[i]), "--voxel-mm", "0.2", "--start-at-truth");
		assert_code(r, 0);
		assert_true((i == 2) == (strstr(r->err, "recording: bytes") != NULL));
	}
	for (int i = 1; i < 3; i++) {
		assert_same_files(meshes[0], meshes[i]);
		assert_same_files(paths[0], paths[i]);
	}
	RUN("replay", path("b.enmrec"), "--out", path("3.ply"), "--strict");
	assert_one_line(2, "(--strict)");
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_help),
		WITH_FOLDER(wrong_usage),
		WITH_FOLDER(folder_and_back),
		WITH_FOLDER(unreadable_frames_are_named),
		WITH_FOLDER(seven_scenes_become_seconds),
		WITH_FOLDER(records_and_tells),
		WITH_FOLDER(refused_frames_are_named),
		WITH_FOLDER(recovers_and_cuts),
		WITH_FOLDER(lost_header_takes_a_camera),
		WITH_FOLDER(full_disk),
		WITH_FOLDER(replays_to_the_same_bits),
	};
	return cmocka_run_group_tests_name("recordings", tests, NULL, NULL);
}
