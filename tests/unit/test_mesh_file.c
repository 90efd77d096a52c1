/* SPDX-License-Identifier: Apache-2.0
 * Meshes and their files: round trips, foreign dialects, and every way a file can be damaged. */
#include "enamel.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/enamel-mesh-XXXXXX";
static char path_text[256];

static const char *in_folder(const char *name)
{
	snprintf(path_text, sizeof(path_text), "%s/%s", folder, name);
	return path_text;
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
	(void)state;
	char command[300];
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
}

static void write_bytes(const char *name, const void *bytes, size_t size)
{
	remove(in_folder(name)); /* a new file: some file systems wait for the disk when an old one is cut to nothing */
	FILE *file = fopen(in_folder(name), "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static enm_mesh *load_text(const char *name, const char *text)
{
	enm_mesh *mesh = NULL;
	write_bytes(name, text, strlen(text));
	if (enm_mesh_load(in_folder(name), 1, &mesh) != ENM_OK)
		fail_msg("%s", enm_last_error());
	return mesh;
}

/* Loading must fail with a text that names the file and holds `place` and `reason`. */
static void refuse_bytes(const char *name, const void *bytes, size_t size, const char *place, const char *reason)
{
	enm_mesh *mesh = NULL;
	write_bytes(name, bytes, size);
	const enm_result result = enm_mesh_load(in_folder(name), 1, &mesh);
	if (result != ENM_E_FORMAT)
		fail_msg("%s: result %s", name, enm_result_name(result));
	assert_null(mesh);
	if (strstr(enm_last_error(), name) == NULL || strstr(enm_last_error(), place) == NULL ||
		strstr(enm_last_error(), reason) == NULL)
		fail_msg("wanted '%s' and '%s' in: %s", place, reason, enm_last_error());
}

static void refuse_text(const char *name, const char *text, const char *place, const char *reason)
{
	refuse_bytes(name, text, strlen(text), place, reason);
}

static enm_mesh_data get(const enm_mesh *mesh)
{
	enm_mesh_data data;
	assert_int_equal(enm_mesh_get(mesh, &data), ENM_OK);
	return data;
}

static const float square_positions[] = {0, 0, 0, 1.25f, 0, 0, 1.25f, 0.1f, -3e-7f, 0, 0.1f, 1e6f};
static const float square_normals[] = {0, 0, 1, 0, 0, 1, 0, 1, 0, 0.6f, 0, 0.8f};
static const uint8_t square_colors[] = {0, 1, 2, 127, 128, 129, 253, 254, 255, 10, 20, 30};
static const uint16_t square_views[] = {0, 3, 255, 65535};
static const float square_sigma[] = {0, 1.5f, 20, 300};
static const uint32_t square_triangles[] = {0, 1, 2, 0, 2, 3};

static enm_mesh_data square(void)
{
	return (enm_mesh_data){.vertex_count = 4,
		.triangle_count = 2,
		.positions_mm = square_positions,
		.normals = square_normals,
		.colors_rgb = square_colors,
		.views = square_views,
		.sigma_um = square_sigma,
		.triangles = square_triangles,
		.islands_removed = 7};
}

/* ---- create ----------------------------------------------------------------------------------------------------- */

static void test_create_copies(void **state)
{
	(void)state;
	enm_mesh *mesh = NULL;
	const enm_mesh_data data = square();
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	const enm_mesh_data copy = get(mesh);
	assert_int_equal(copy.vertex_count, 4);
	assert_int_equal(copy.islands_removed, 7);
	assert_ptr_not_equal(copy.positions_mm, data.positions_mm);
	assert_memory_equal(copy.positions_mm, data.positions_mm, sizeof(square_positions));
	assert_memory_equal(copy.views, data.views, sizeof(square_views));
	enm_mesh_destroy(&mesh);
	assert_null(mesh);
	enm_mesh_destroy(&mesh);
	enm_mesh_destroy(NULL);
}

static void test_create_refuses(void **state)
{
	(void)state;
	enm_mesh *mesh = NULL;
	enm_mesh_data out;
	enm_mesh_data data = square();
	assert_int_equal(enm_mesh_create(NULL, &mesh), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_create(&data, NULL), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_get(NULL, &out), ENM_E_ARGUMENT);
	data.positions_mm = NULL;
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_E_ARGUMENT);
	data = square();
	data.triangles = (const uint32_t[]){0, 1, 4, 0, 1, 2};
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_E_ARGUMENT);
	assert_non_null(strstr(enm_last_error(), "triangle 0 has vertex 4 of 4"));
	data = square();
	float bad[12] = {0};
	bad[7] = NAN;
	data.positions_mm = bad;
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_E_ARGUMENT);
	assert_non_null(strstr(enm_last_error(), "vertex 2 is not finite"));
	assert_null(mesh);
	data = (enm_mesh_data){0};
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	enm_mesh_destroy(&mesh);
}

/* ---- round trips ------------------------------------------------------------------------------------------------ */

static enm_mesh *save_and_load(const enm_mesh_data *data, const char *name, double mm_per_unit)
{
	enm_mesh *mesh = NULL;
	assert_int_equal(enm_mesh_create(data, &mesh), ENM_OK);
	if (enm_mesh_save(mesh, in_folder(name), mm_per_unit) != ENM_OK)
		fail_msg("%s", enm_last_error());
	enm_mesh_destroy(&mesh);
	if (enm_mesh_load(in_folder(name), mm_per_unit, &mesh) != ENM_OK)
		fail_msg("%s", enm_last_error());
	return mesh;
}

static void test_ply_round_trip(void **state)
{
	(void)state;
	const enm_mesh_data data = square();
	enm_mesh *mesh = save_and_load(&data, "square.ply", 1);
	const enm_mesh_data back = get(mesh);
	assert_int_equal(back.vertex_count, 4);
	assert_int_equal(back.triangle_count, 2);
	assert_memory_equal(back.positions_mm, square_positions, sizeof(square_positions));
	assert_memory_equal(back.normals, square_normals, sizeof(square_normals));
	assert_memory_equal(back.colors_rgb, square_colors, sizeof(square_colors));
	assert_memory_equal(back.views, square_views, sizeof(square_views));
	assert_memory_equal(back.sigma_um, square_sigma, sizeof(square_sigma));
	assert_memory_equal(back.triangles, square_triangles, sizeof(square_triangles));
	enm_mesh_destroy(&mesh);

	enm_mesh_data bare = square();
	bare.normals = NULL;
	bare.colors_rgb = NULL;
	bare.views = NULL;
	bare.sigma_um = NULL;
	mesh = save_and_load(&bare, "bare.PLY", 1000);
	const enm_mesh_data bare_back = get(mesh);
	assert_null(bare_back.normals);
	assert_null(bare_back.colors_rgb);
	assert_null(bare_back.views);
	assert_null(bare_back.sigma_um);
	for (int i = 0; i < 12; i++)
		assert_true(
			fabsf(bare_back.positions_mm[i] - square_positions[i]) <= 1e-7f * fabsf(square_positions[i]));
	enm_mesh_destroy(&mesh);
}

static void test_obj_round_trip(void **state)
{
	(void)state;
	const enm_mesh_data data = square();
	enm_mesh *mesh = save_and_load(&data, "square.obj", 1);
	const enm_mesh_data back = get(mesh);
	assert_int_equal(back.vertex_count, 4);
	assert_memory_equal(back.positions_mm, square_positions, sizeof(square_positions));
	assert_memory_equal(back.colors_rgb, square_colors, sizeof(square_colors));
	assert_memory_equal(back.triangles, square_triangles, sizeof(square_triangles));
	enm_mesh_destroy(&mesh);
}

static void test_stl_round_trip(void **state)
{
	(void)state;
	const enm_mesh_data data = square();
	enm_mesh *mesh = save_and_load(&data, "square.stl", 1);
	const enm_mesh_data back = get(mesh);
	assert_int_equal(back.vertex_count, 4); /* welded */
	assert_memory_equal(back.positions_mm, square_positions, sizeof(square_positions));
	assert_memory_equal(back.triangles, square_triangles, sizeof(square_triangles));
	enm_mesh_destroy(&mesh);
}

/* ---- dialects --------------------------------------------------------------------------------------------------- */

static void test_ply_ascii_dialect(void **state)
{
	(void)state;
	enm_mesh *mesh = load_text("a.ply",
		"ply\r\nformat ascii 1.0\r\ncomment made by hand\r\nobj_info x\r\nelement camera 1\r\nproperty float "
		"view\r\n"
		"property list uchar float more\r\nelement vertex 5\r\nproperty uchar red\r\nproperty double z\r\n"
		"property list uchar int neighbours\r\nproperty int8 x\r\nproperty uchar green\r\nproperty float32 "
		"y\r\n"
		"property uchar blue\r\nelement face 2\r\nproperty float area\r\nproperty list uint8 uint32 "
		"vertex_index\r\n"
		"property list uchar float texcoord\r\nend_header\r\n"
		"3.5 2 1 2\r\n"
		"9 0.5 0 -1 8 0 7\r\n9 0.5 2 4 5 1 8 0 7\r\n9 0.5 0 1 8 1 7\r\n9 0.5 0 0 8 2 7\r\n9 0.5 0 -1 8 1.5 "
		"7\r\n"
		"1.0 5 0 1 2 3 4 0\r\n2.0 3 0 1 2 2 0.5 0.5\r\n");
	const enm_mesh_data d = get(mesh);
	assert_int_equal(d.vertex_count, 5);
	assert_int_equal(d.triangle_count, 4); /* a pentagon and a triangle */
	assert_memory_equal(d.triangles, ((const uint32_t[]){0, 1, 2, 0, 2, 3, 0, 3, 4, 0, 1, 2}), 48);
	assert_memory_equal(d.positions_mm, ((const float[]){-1, 0, 0.5f, 1, 0, 0.5f}), 24);
	assert_memory_equal(d.colors_rgb, ((const uint8_t[]){9, 8, 7}), 3);
	enm_mesh_destroy(&mesh);
}

static void test_ply_big_endian(void **state)
{
	(void)state;
	static const char header[] =
		"ply\nformat binary_big_endian 1.0\nelement face 1\nproperty list ushort short vertex_indices\n"
		"element vertex 3\nproperty float x\nproperty double y\nproperty ushort z\nend_header\n";
	static const uint8_t body[] = {0, 3, 0, 2, 0, 1, 0, 0,              /* the faces come first */
		0x3F, 0xC0, 0, 0, 0xBF, 0xF0, 0, 0, 0, 0, 0, 0, 0x01, 0x02, /* 1.5, -1, 258 */
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	uint8_t file[512];
	const size_t header_size = sizeof(header) - 1;
	memcpy(file, header, header_size);
	memcpy(file + header_size, body, sizeof(body));
	write_bytes("big.ply", file, header_size + sizeof(body));
	enm_mesh *mesh = NULL;
	if (enm_mesh_load(in_folder("big.ply"), 2, &mesh) != ENM_OK)
		fail_msg("%s", enm_last_error());
	const enm_mesh_data d = get(mesh);
	assert_memory_equal(d.positions_mm, ((const float[]){3, -2, 516, 0, 0, 0, 4, 0, 2}), 36);
	assert_memory_equal(d.triangles, ((const uint32_t[]){2, 1, 0}), 12);
	enm_mesh_destroy(&mesh);
}

static void test_obj_dialect(void **state)
{
	(void)state;
	enm_mesh *mesh =
		load_text("d.obj", "# a comment\nmtllib x.mtl\no thing\nv 0 0 0\nv 1 0 0 1.0\nvt 0 0\nvn 0 0 1\nv\t1 1 "
				   "0\nusemtl m\ns off\n"
				   "f 1/1 2/1 3/1\nf -3//-1 -1//-1 4//1\nv 0 1 0\nf 1/1/1 2/1/1 3/1/1 4/1/1\nf 1 2 3");
	const enm_mesh_data d = get(mesh);
	assert_int_equal(d.vertex_count, 4);
	assert_int_equal(d.triangle_count, 5);
	assert_memory_equal(d.triangles, ((const uint32_t[]){0, 1, 2, 0, 2, 3, 0, 1, 2, 0, 2, 3, 0, 1, 2}), 60);
	assert_null(d.colors_rgb);
	enm_mesh_destroy(&mesh);
}

static void test_stl_ascii(void **state)
{
	(void)state;
	enm_mesh *mesh = load_text("t.stl",
		"solid a b c\n facet normal 0 0 1\n  outer loop\n   vertex 0 0 0\n   vertex 1 0 0\n   vertex 0 1 0\n"
		"  endloop\n endfacet\n FACET NORMAL 0 0 1\n  OUTER LOOP\n   VERTEX -0 1 0\n   VERTEX 1e0 0 0\n"
		"   VERTEX 1 1 0\n  ENDLOOP\n ENDFACET\nendsolid a b c\n");
	const enm_mesh_data d = get(mesh);
	assert_int_equal(d.vertex_count, 4);
	assert_memory_equal(d.triangles, ((const uint32_t[]){0, 1, 2, 2, 1, 3}), 24);
	enm_mesh_destroy(&mesh);
}

static void test_stl_binary_that_says_solid(void **state)
{
	(void)state;
	uint8_t file[84 + 50] = "solid but binary";
	memset(file + 16, ' ', 64); /* what some exporters do */
	file[80] = 1;
	const float corners[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
	memcpy(file + 84 + 12, corners, sizeof(corners));
	write_bytes("solid.stl", file, sizeof(file));
	enm_mesh *mesh = NULL;
	assert_int_equal(enm_mesh_load(in_folder("solid.stl"), 1, &mesh), ENM_OK);
	assert_int_equal(get(mesh).triangle_count, 1);
	enm_mesh_destroy(&mesh);
	refuse_bytes("solid.stl", file, sizeof(file) - 1, "byte 80", "truncated");
	const float nan_corner = NAN;
	memcpy(file + 84 + 24, &nan_corner, 4);
	refuse_bytes("nan.stl", file, sizeof(file), "triangle 0", "not finite");
}

static void test_content_decides(void **state)
{
	(void)state;
	enm_mesh *mesh = load_text("in-truth-an-obj.ply", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n");
	assert_int_equal(get(mesh).triangle_count, 1);
	enm_mesh_destroy(&mesh);
}

/* ---- damage ----------------------------------------------------------------------------------------------------- */

#define PLY_TOP "ply\nformat ascii 1.0\n"
#define PLY_XYZ "property float x\nproperty float y\nproperty float z\n"
#define PLY_FACE "property list uchar int vertex_indices\nend_header\n"
#define PLY_BODY(v, f) PLY_TOP "element vertex " v "\n" PLY_XYZ "element face " f "\n" PLY_FACE

static void test_ply_damage(void **state)
{
	(void)state;
	refuse_text("e.ply", "", "", "empty");
	refuse_text("e.ply", "ply\n", "line 2", "no end_header");
	refuse_text("e.ply", "ply\nend_header\n", "line 2", "names no format");
	refuse_text("e.ply", "ply\nformat binary 1.0\nend_header\n", "line 2", "unknown format");
	refuse_text("e.ply", PLY_TOP "end_header\n", "header", "no element vertex");
	refuse_text("e.ply", PLY_TOP "element vertex -3\n", "line 3", "whole number");
	refuse_text("e.ply", PLY_TOP "element vertex 99999999999999999999999\n", "line 3", "absurd");
	refuse_text("e.ply", PLY_TOP "property float x\n", "line 3", "before the first element");
	refuse_text("e.ply", PLY_TOP "element vertex 1\nproperty real x\n", "line 4", "expected");
	refuse_text("e.ply", PLY_TOP "element vertex 1\nproperty list float int x\n", "line 4", "expected");
	refuse_text("e.ply", PLY_TOP "element vertex 1\nproperty float x\nproperty float x\n", "line 5", "twice");
	refuse_text("e.ply", PLY_TOP "element vertex 1\nelement vertex 1\n", "line 4", "twice");
	refuse_text("e.ply", PLY_TOP "elephant vertex 1\n", "line 3", "unknown keyword");
	refuse_text(
		"e.ply", PLY_TOP "element vertex 1\nproperty float x\nend_header\n1\n", "header", "lacks x, y or z");
	refuse_text("e.ply", PLY_BODY("4000000000", "1") "0 0 0\n", "header", "4000000000 rows");
	refuse_text("e.ply", PLY_BODY("3", "4000000000") "0 0 0 1 0 0 0 1 0\n3 0 1 2\n", "face", "4000000000 rows");
	refuse_text("e.ply", PLY_BODY("2", "0") "0 0 0\n0 x 0\n", "line 11: vertex 1", "expected a number");
	refuse_text("e.ply", PLY_BODY("2", "0") "0 0 0 1 1     \n", "vertex 1", "truncated");
	refuse_text("e.ply", PLY_BODY("1", "0") "0 nan 0\n", "vertex 0", "not finite");
	refuse_text("e.ply", PLY_BODY("1", "0") "0 1e300 0\n", "vertex 0", "too large");
	refuse_text("e.ply", PLY_BODY("1", "0") "0 1 0\n", "1 vertices", "no triangles");
	refuse_text("e.ply", PLY_BODY("3", "1") "0 0 0 1 0 0 0 1 0\n3 0 1 3\n", "face 0", "out of range");
	refuse_text("e.ply", PLY_BODY("3", "1") "0 0 0 1 0 0 0 1 0\n3 0 1 -1\n", "face 0", "out of range");
	refuse_text("e.ply", PLY_BODY("3", "1") "0 0 0 1 0 0 0 1 0\n3 0 1 1.5\n", "face 0", "out of range");
	refuse_text("e.ply", PLY_BODY("3", "1") "0 0 0 1 0 0 0 1 0\n2 0 1\n", "face 0", "fewer than 3");
	refuse_text("e.ply", PLY_BODY("3", "1") "0 0 0 1 0 0 0 1 0\n200 0 1 2\n", "face 0", "longer than the rest");
}

static void test_every_truncation_is_refused(void **state)
{
	(void)state;
	const enm_mesh_data data = square();
	static const char *const names[] = {"t.ply", "t.stl"};
	for (int n = 0; n < 2; n++) {
		enm_mesh *mesh = save_and_load(&data, names[n], 1);
		enm_mesh_destroy(&mesh);
		uint8_t bytes[1024];
		FILE *file = fopen(in_folder(names[n]), "rb");
		assert_non_null(file);
		const size_t size = fread(bytes, 1, sizeof(bytes), file);
		assert_int_equal(fclose(file), 0);
		for (size_t cut = 0; cut < size; cut++)
			refuse_bytes(names[n], bytes, cut, "", "");
	}
}

/* Any single damaged byte is either harmless or refused; under the sanitizers this is where a bad check would show. */
static void test_damaged_bytes(void **state)
{
	(void)state;
	const enm_mesh_data data = square();
	static const char *const names[] = {"b.ply", "b.stl", "b.obj"};
	for (int n = 0; n < 3; n++) {
		enm_mesh *mesh = save_and_load(&data, names[n], 1);
		enm_mesh_destroy(&mesh);
		uint8_t bytes[1024];
		FILE *file = fopen(in_folder(names[n]), "rb");
		assert_non_null(file);
		const size_t size = fread(bytes, 1, sizeof(bytes), file);
		assert_int_equal(fclose(file), 0);
		static const uint8_t damage[] = {0, 0xFF, '9', ' '};
		for (size_t at = 0; at < size; at++)
			for (size_t d = 0; d < sizeof(damage); d++) {
				const uint8_t kept = bytes[at];
				bytes[at] = damage[d];
				write_bytes(names[n], bytes, size);
				const enm_result result = enm_mesh_load(in_folder(names[n]), 1, &mesh);
				assert_true(result == ENM_OK || result == ENM_E_FORMAT);
				enm_mesh_destroy(&mesh);
				bytes[at] = kept;
			}
	}
}

static void test_obj_damage(void **state)
{
	(void)state;
	refuse_text("e.obj", "hello\nworld\n", "byte 0", "neither");
	refuse_text("e.obj", "v 0 0 0\n", "1 vertices", "no triangles");
	refuse_text("e.obj", "v 0 0 0\nv 1 x 0\n", "line 2", "three numbers");
	refuse_text("e.obj", "v 0 0 0\nv 1 0\n", "line 2", "three numbers");
	refuse_text("e.obj", "v 0 0 0\nv 1 inf 0\n", "line 2", "not finite");
	refuse_text("e.obj", "v 0 0 0 0 0 7\n", "line 1", "colour");
	refuse_text("e.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "line 4", "out of range");
	refuse_text("e.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n", "line 4", "out of range");
	refuse_text("e.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 -4\n", "line 4", "out of range");
	refuse_text("e.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99999999999999999999\n", "line 4", "vertex number");
	refuse_text("e.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2\n", "line 4", "fewer than 3");
	refuse_text("e.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3,5\n", "line 4", "expected a corner");
	refuse_text("e.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf a b c\n", "line 4", "vertex number");
}

static void test_stl_damage(void **state)
{
	(void)state;
	refuse_text("e.stl", "solid x\n", "line 2", "endsolid");
	refuse_text("e.stl", "solid x\nendsolid x\n", "0 vertices", "no triangles");
	refuse_text("e.stl", "solid x\nvertex 1 2 3\n", "line 2", "outside a facet");
	refuse_text("e.stl", "solid x\nfacet\nvertex 1 2\n", "line 3", "three numbers");
	refuse_text("e.stl", "solid x\nfacet\nvertex 1 2 inf\n", "line 3", "not finite");
	refuse_text("e.stl", "solid x\nfacet\nvertex 1 2 3\nendfacet\n", "line 4", "does not have 3");
	refuse_text("e.stl", "solid x\nfacet\nfacet\n", "line 3", "inside a facet");
	refuse_text("e.stl", "solid x\nrubbish\n", "line 2", "not a line");
	uint8_t huge[84] = {0};
	memset(huge + 80, 0xFF, 4);
	refuse_bytes("huge.stl", huge, sizeof(huge), "byte 80", "4294967295 triangles");
	refuse_bytes("short.stl", huge, 10, "byte 10", "truncated");
}

/* ---- the file system -------------------------------------------------------------------------------------------- */

static void test_io_errors(void **state)
{
	(void)state;
	enm_mesh *mesh = NULL;
	assert_int_equal(enm_mesh_load(in_folder("none.ply"), 1, &mesh), ENM_E_IO);
	assert_non_null(strstr(enm_last_error(), "none.ply"));
	assert_int_equal(enm_mesh_load(folder, 1, &mesh), ENM_E_IO);
	assert_non_null(strstr(enm_last_error(), "folder"));
	assert_int_equal(enm_mesh_load("/dev/null", 1, &mesh), ENM_E_IO);
	assert_int_equal(enm_mesh_load(NULL, 1, &mesh), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_load("x", 0, &mesh), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_load("x", NAN, &mesh), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_load("x", 1, NULL), ENM_E_ARGUMENT);

	const enm_mesh_data data = square();
	assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
	assert_int_equal(enm_mesh_save(NULL, "x.ply", 1), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_save(mesh, NULL, 1), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_save(mesh, "x.ply", -1), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_save(mesh, in_folder("x.xyz"), 1), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_save(mesh, in_folder("noextension"), 1), ENM_E_ARGUMENT);
	assert_int_equal(enm_mesh_save(mesh, in_folder("missing/x.ply"), 1), ENM_E_IO);
	assert_non_null(strstr(enm_last_error(), "missing/x.ply"));
	assert_int_equal(mkdir(in_folder("folder.ply"), 0700), 0);
	assert_int_equal(enm_mesh_save(mesh, in_folder("folder.ply"), 1), ENM_E_IO);
	enm_mesh_destroy(&mesh);
}

static int count_named(const char *part)
{
	char command[300], line[16] = "";
	snprintf(command, sizeof(command), "ls '%s' | grep -c '%s'", folder, part);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(line, sizeof(line), pipe));
	pclose(pipe);
	return atoi(line);
}

/* A limit on the size of files stands in for a full disk: the write fails in the same place. */
static void test_no_room_leaves_the_old_file(void **state)
{
	(void)state;
	const enm_mesh_data data = square();
	static const char *const names[] = {"full.ply", "full.stl", "full.obj"};
	for (int n = 0; n < 3; n++) {
		enm_mesh *mesh = NULL;
		write_bytes(names[n], "old", 3);
		assert_int_equal(enm_mesh_create(&data, &mesh), ENM_OK);
		struct rlimit before;
		assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
		const struct rlimit tiny = {.rlim_cur = 100, .rlim_max = before.rlim_max};
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
		const enm_result result = enm_mesh_save(mesh, in_folder(names[n]), 1);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		assert_int_equal(result, ENM_E_IO);
		assert_non_null(strstr(enm_last_error(), names[n]));
		assert_non_null(strstr(enm_last_error(), strerror(EFBIG)));
		struct stat status;
		assert_int_equal(stat(in_folder(names[n]), &status), 0);
		assert_int_equal(status.st_size, 3);
		assert_int_equal(enm_mesh_save(mesh, in_folder(names[n]), 1), ENM_OK); /* over an existing file */
		enm_mesh_destroy(&mesh);
	}
	assert_int_equal(count_named("tmp"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_copies),
		cmocka_unit_test(test_create_refuses),
		cmocka_unit_test(test_ply_round_trip),
		cmocka_unit_test(test_obj_round_trip),
		cmocka_unit_test(test_stl_round_trip),
		cmocka_unit_test(test_ply_ascii_dialect),
		cmocka_unit_test(test_ply_big_endian),
		cmocka_unit_test(test_obj_dialect),
		cmocka_unit_test(test_stl_ascii),
		cmocka_unit_test(test_stl_binary_that_says_solid),
		cmocka_unit_test(test_content_decides),
		cmocka_unit_test(test_ply_damage),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_damaged_bytes),
		cmocka_unit_test(test_obj_damage),
		cmocka_unit_test(test_stl_damage),
		cmocka_unit_test(test_io_errors),
		cmocka_unit_test(test_no_room_leaves_the_old_file),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
