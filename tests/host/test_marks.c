/* SPDX-License-Identifier: Apache-2.0
 * Marks in their file, and `enamel view --list`. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "marks_file.h"
#include "process.h"
#include "scratch.h"

static char program[] = ENAMEL_PROGRAM;

static char *path(const char *name)
{
	return (char *)(uintptr_t)scratch_path(name);
}

/* A triangle in a file, moved by `shift_mm`. */
static enm_mesh *make_model(const char *name, float shift_mm)
{
	const float positions[9] = {shift_mm, 0, 0, 10, 0, 0, 0, 10, 0};
	const uint32_t triangle[3] = {0, 1, 2};
	const enm_mesh_data data = {.vertex_count = 3, .triangle_count = 1, .positions_mm = positions, .triangles = triangle};
	enm_mesh *mesh = NULL;
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	assert_int_equal(enm_mesh_save(mesh, path(name), 1.0), ENM_OK);
	return mesh;
}

static mark make_mark(mark_kind kind, uint32_t number)
{
	mark m = {.kind = kind, .number = number, .point_count = mark_points_least(kind), .value = 1.25, .value_sigma = 0.004};
	for (uint32_t i = 0; i < m.point_count; i++)
		m.points[i] = (mark_point){{0.1 * i, 1.0 / 3.0, -2}, {0, 0, 1}, i ? 5.5 : (double)NAN, 7 + i, 0, 0};
	if (kind == MARK_SECTION)
		m.direction[1] = -1.0;
	return m;
}

/* A model "m.ply" with one mark of each kind. */
static marks_models make_marks(mark_list *list)
{
	marks_models models = {.count = 0};
	enm_mesh *mesh = make_model("m.ply", 0.0f);
	assert_int_equal(marks_models_add(&models, "m.ply", mesh), HOST_OK);
	enm_mesh_destroy(&mesh);
	memset(list, 0, sizeof *list);
	for (int k = 0; k < MARK_KINDS; k++) {
		mark m = make_mark((mark_kind)k, 2u * (unsigned)k + 1u);
		assert_true(mark_list_add(list, &m));
	}
	assert_int_equal(marks_file_write(path("m.ply.marks.json"), &models, list), HOST_OK);
	return models;
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	mark_list list, again;
	marks_models models = make_marks(&list);
	assert_int_equal(marks_file_read(path("m.ply.marks.json"), &models, &again), HOST_OK);
	assert_int_equal(again.count, list.count);
	for (size_t i = 0; i < list.count; i++) {
		const mark *a = &list.entries[i], *b = &again.entries[i];
		assert_true(a->kind == b->kind && a->number == b->number && a->point_count == b->point_count);
		assert_true(fabs(a->value - b->value) < 1e-9 && fabs(a->value_sigma - b->value_sigma) < 1e-9);
		assert_true(a->direction[1] == b->direction[1]);
		assert_true(isnan(b->points[0].sigma_um) && b->points[1].sigma_um == 5.5 && b->points[1].views == 8);
		assert_true(fabs(b->points[1].position_mm[1] - 1.0 / 3.0) < 1e-9);
	}
	free(list.entries);
	free(again.entries);
}

static void the_list_is_printed(void **state)
{
	(void)state;
	mark_list list;
	make_marks(&list);
	free(list.entries);
	char *const argv[] = {program, "view", path("m.ply"), "--list", NULL};
	const process_result *r = process_run(argv);
	assert_int_equal(r->code, 0);
	assert_non_null(strstr(r->out, "  1  distance    1.250 mm \302\261 0.004  (2 points, seen by 7 frames or more)\n"));
	assert_non_null(strstr(r->out, "  5  angle       71.62\302\260 \302\261 0.23  (3 points"));
	char *const as_json[] = {program, "view", path("m.ply"), "--list", "--json", NULL};
	r = process_run(as_json);
	assert_int_equal(r->code, 0);
	assert_non_null(strstr(r->out, "\"format\": \"enamel-marks\""));
	assert_non_null(strstr(r->out, "\"unit\": \"rad\""));
}

static void marks_of_another_model_are_refused(void **state)
{
	(void)state;
	mark_list list;
	make_marks(&list);
	free(list.entries);
	enm_mesh *other = make_model("other.ply", 0.5f);
	enm_mesh_destroy(&other);
	char *const argv[] = {program, "view", path("other.ply"), "--list", "--marks", path("m.ply.marks.json"), NULL};
	process_run(argv);
	assert_one_line(2, "models[0].hash: these marks belong to another model: 3 vertices");
	char *const two[] = {program, "view", path("m.ply"), path("other.ply"), "--list", NULL};
	process_run(two);
	assert_one_line(2, "models: these marks belong to 1 model, not to 2");
}

/* Each case puts one text in place of another in a good file. */
static void damaged_files_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *wanted;
	} cases[] = {
		{"{", "[", "line "},
		{"enamel-marks", "other-marks", "format: 'other-marks' is not 'enamel-marks'"},
		{"\"version\": 1", "\"version\": 2", "version: 2 is not within 1 to 1"},
		{"\"version\": 1", "\"version\": \"1\"", "version: expected a number"},
		{"\"marks\": [", "\"marke\": [", "marks: expected a list"},
		{"\"kind\": \"angle\"", "\"kind\": \"angel\"", "marks[2].kind: 'angel' is no kind of mark"},
		{"\"kind\": \"angle\"", "\"kind\": \"distance\"", "marks[2].points: has 3 entries, wanted 2 to 2"},
		{"\"number\": 3", "\"number\": 1", "marks[1].number: 1 does not come after the one before"},
		{"\"value\": 1.25", "\"value\": -1", "marks[0].value: -1 is not within 0 to 1000000"},
		{"\"value\": 1.25", "\"walue\": 1.25", "marks[0].value: missing"},
		{"\"views\": 7", "\"views\": 7.5", "marks[0].points[0].views: expected a whole number"},
		{"\"sigma_um\": 5.5", "\"sigma_um\": -1", "marks[0].points[1].sigma_um: -1 is not within"},
		{"\"position_mm\": [", "\"position_mm\": [ 4,", "marks[0].points[0].position_mm: expected 3 numbers"},
		{"-1.0,", "-3.0,", "marks[4].direction: is not of unit length"},
	};
	mark_list list;
	marks_models models = make_marks(&list);
	free(list.entries);
	uint8_t *good;
	size_t size;
	assert_int_equal(file_read(path("m.ply.marks.json"), 1 << 20, &good, &size), HOST_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = (const char *)good, *at = strstr(text, cases[i].from);
		assert_non_null(at);
		char *bad = malloc(size + 64);
		assert_non_null(bad);
		snprintf(bad, size + 64, "%.*s%s%s", (int)(at - text), text, cases[i].to, at + strlen(cases[i].from));
		scratch_text("bad.json", bad);
		free(bad);
		mark_list read;
		assert_int_equal(marks_file_read(path("bad.json"), &models, &read), HOST_USAGE);
		if (!strstr(host_error_text(), cases[i].wanted) || !strstr(host_error_text(), "bad.json: "))
			fail_msg("case %zu: '%s' lacks '%s'", i, host_error_text(), cases[i].wanted);
		assert_null(read.entries);
	}
	free(good);
}

static void bad_usage_is_one_line(void **state)
{
	(void)state;
	enm_mesh *mesh = make_model("m.ply", 0.0f);
	enm_mesh_destroy(&mesh);
	scratch_text("broken.ply", "ply\nformat ascii 1.0\nelement vertex 3\n");
	static const struct {
		const char *file, *option, *value;
		const char *wanted;
	} cases[] = {
		{"none.ply", "--list", NULL, "none.ply: no such file"},
		{"broken.ply", "--list", NULL, "broken.ply"},
		{"m.ply", "--list", NULL, "m.ply.marks.json: "},
		{"m.ply", "--json", NULL, "--json: wanted only with --list"},
		{"m.ply", "--size", "0x10", "--size: "},
		{"m.ply", "--size", "9000x10", "--size: "},
		{"m.ply", "--shade", "pink", "--shade: 'pink' is none of clay, color, views, "},
		{"m.ply", "--screenshot", "x.jpg", "--screenshot: 'x.jpg' does not end in .png"},
		{"m.ply", "--exit-after", "nan", "--exit-after: 'nan' is not a number"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *const argv[] = {program, "view", path(cases[i].file), (char *)(uintptr_t)cases[i].option,
			(char *)(uintptr_t)cases[i].value, NULL};
		process_run(argv);
		assert_one_line(2, cases[i].wanted);
	}
	scratch_make_folder("scan");
	char *const two[] = {program, "view", path("m.ply"), path("scan"), NULL};
	process_run(two);
	assert_one_line(2, "a scan is looked at alone");
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_is_written_is_read),
		SCRATCH_TEST(the_list_is_printed),
		SCRATCH_TEST(marks_of_another_model_are_refused),
		SCRATCH_TEST(damaged_files_are_named),
		SCRATCH_TEST(bad_usage_is_one_line),
	};
	return cmocka_run_group_tests_name("marks", tests, NULL, NULL);
}
