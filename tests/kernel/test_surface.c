/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/session.h"
#include "reference/surface.h"
#include "surface/cases.h"

#define VOXEL_MM 0.1
#define TRUNCATION_MM 0.4
#define SIGMA_MM 0.02

/* The mesh of a volume, by a session that has nothing but a model. */
static enm_mesh *extract(const ref_volume *volume, uint32_t views_min, uint32_t island_min, enm_result wanted)
{
	enm_session session = {.budget = test.budget, .queue = test.queue};
	enm_mesh_def def = enm_mesh_def_default();
	enm_mesh *mesh = NULL;
	def.views_min = views_min;
	def.island_triangles_min = island_min;
	support_model_create(&session.model, volume->capacity, 256, VOXEL_MM, TRUNCATION_MM);
	support_model_load(&session.model, volume);
	session.depth.camera.sigma_ref_mm = (float)SIGMA_MM;
	const enm_result result = enm_session_mesh(&session, &def, &mesh);
	if (result != wanted)
		support_check(result, "enm_session_mesh", __FILE__, __LINE__);
	assert_int_equal(result, wanted);
	model_destroy(&session.model);
	return mesh;
}

static enm_mesh_data data_of(const enm_mesh *mesh)
{
	enm_mesh_data data;
	CHECK(enm_mesh_get(mesh, &data));
	return data;
}

static ref_volume volume_of(const ref_scene *scene, double reach_mm)
{
	ref_volume v;
	const double low[3] = {scene->a - reach_mm, scene->b - reach_mm, scene->c - reach_mm};
	const double high[3] = {scene->a + reach_mm, scene->b + reach_mm, scene->c + reach_mm};
	ref_volume_create(&v, 2048, VOXEL_MM, TRUNCATION_MM);
	ref_volume_fill(&v, scene, low, high, 9, 640);
	v.capacity = v.count;
	return v;
}

/* Across block borders and signs. */
static void sphere_is_closed_and_true(void **state)
{
	(void)state;
	const double radius = support_size(30, 7) * 0.1, pi = acos(-1.0);
	const ref_scene sphere = {REF_SPHERE, 0.03, -0.02, 0.05, radius};
	ref_volume v = volume_of(&sphere, radius + 1.5);
	enm_mesh *mesh = extract(&v, 1, 0, ENM_OK);
	const enm_mesh_data m = data_of(mesh);
	const ref_topology t = ref_mesh_topology(&m);
	const double bend = 0.1 * 0.1 / (8 * radius); /* of the sphere over a voxel */
	assert_int_equal(t.open, 0);
	assert_int_equal(t.crowded, 0);
	assert_int_equal((long)m.vertex_count - (long)t.edges + (long)m.triangle_count, 2);
	assert_near(t.area_mm2, 4 * pi * radius * radius, 0.01 * t.area_mm2 + 4 * bend * t.area_mm2);
	assert_near(t.volume_mm3, 4.0 / 3 * pi * radius * radius * radius, 2 * bend * t.area_mm2 + 1e-3);
	for (size_t i = 0; i < m.vertex_count; i++) {
		const double p[3] = {(double)m.positions_mm[3 * i], (double)m.positions_mm[3 * i + 1],
			(double)m.positions_mm[3 * i + 2]};
		const double n[3] = {
			(double)m.normals[3 * i], (double)m.normals[3 * i + 1], (double)m.normals[3 * i + 2]};
		double true_normal[3];
		assert_near(ref_scene_distance(&sphere, p), 0.0, bend + 1e-4);
		ref_scene_normal(&sphere, p, true_normal);
		assert_near(ref_length(n), 1.0, 1e-5);
		assert_true(ref_dot(n, true_normal) > (test.small ? 0.98 : 0.999));
		assert_int_equal(m.views[i], 9);
		assert_near(m.sigma_um[i], 1000 * SIGMA_MM / sqrt(640.0 / 64.0), 1e-3);
	}
	enm_mesh_destroy(&mesh);
	ref_volume_destroy(&v);
}

/* Each of the 256 patterns of eight voxels inside, around the corner of eight blocks. */
static void all_cases_are_closed(void **state)
{
	(void)state;
	for (int pattern = 1; pattern < 256; pattern += (int)support_size(1, 101)) {
		ref_volume v;
		ref_volume_create(&v, 8, VOXEL_MM, TRUNCATION_MM);
		for (int b = 0; b < 8; b++) {
			const uint32_t block = ref_volume_add(&v, ref_key((b & 1) - 1, (b >> 1 & 1) - 1, b >> 2));
			for (size_t i = 0; i < ENM_K_BLOCK_VOXELS; i++)
				v.voxels[block * ENM_K_BLOCK_VOXELS + i] =
					(enm_k_voxel){.sdf = 9000, .weight = 64, .views = 5};
		}
		for (int c = 0; c < 8; c++)
			if (pattern >> c & 1)
				ref_volume_at(&v, (c & 1) - 1, (c >> 1 & 1) - 1, (c >> 2) + 7)->sdf = -7000;
		enm_mesh *mesh = extract(&v, 1, 0, ENM_OK);
		const enm_mesh_data m = data_of(mesh);
		const ref_topology t = ref_mesh_topology(&m);
		assert_int_equal(t.open, 0);
		assert_int_equal(t.crowded, 0);
		assert_true(t.volume_mm3 > 0.0);
		enm_mesh_destroy(&mesh);
		ref_volume_destroy(&v);
	}
}

/* Of the table itself: at most five triangles, only edges that the pattern crosses, each of them used. */
static void table_uses_the_crossed_edges(void **state)
{
	(void)state;
	uint8_t table[CASES_BYTES];
	cases_make(table);
	for (int pattern = 0; pattern < 256; pattern++) {
		bool used[12] = {false};
		int n = 0;
		for (; n < CASES_ROW && table[pattern * CASES_ROW + n] != 255; n++)
			used[table[pattern * CASES_ROW + n]] = true;
		assert_true(n <= 15 && n % 3 == 0);
		assert_int_equal(table[CASES_COUNTS + pattern], n / 3);
		for (int e = 0; e < 12; e++) {
			/* an edge's lower end: its position fills the axes that are not its own, the lower axis first
			 */
			const int axis = e / 4, u = e & 1, w = e >> 1 & 1, first = axis == 0 ? 1 : 0,
				  second = axis == 2 ? 1 : 2;
			const int from = u << first | w << second, to = from | 1 << axis;
			assert_int_equal(used[e], (pattern >> from & 1) != (pattern >> to & 1));
		}
	}
}

static void random_volume_has_the_reference_vertices(void **state)
{
	(void)state;
	support_random random = {31};
	ref_volume v;
	ref_vertex *wanted = NULL;
	ref_volume_create(&v, 8, VOXEL_MM, TRUNCATION_MM);
	for (int b = 0; b < 8; b++) {
		const uint32_t block = ref_volume_add(&v, ref_key(5 + (b & 1), -3 + (b >> 1 & 1), -1 + (b >> 2)));
		for (size_t i = 0; i < ENM_K_BLOCK_VOXELS; i++)
			v.voxels[block * ENM_K_BLOCK_VOXELS + i] = (enm_k_voxel){
				.sdf = (int16_t)random_in(&random, -14000, 14000),
				.weight = (uint16_t)(1 + random_bits(&random) % 5000),
				.red = (uint8_t)(1 + random_bits(&random) % 255), /* black means no colour */
				.green = (uint8_t)random_bits(&random),
				.blue = (uint8_t)random_bits(&random),
				.views = (uint8_t)(3 + random_bits(&random) % 200),
			};
	}
	const uint32_t count = ref_surface_vertices(&v, 3, SIGMA_MM, &wanted);
	enm_mesh *mesh = extract(&v, 3, 0, ENM_OK), *again = extract(&v, 3, 0, ENM_OK);
	const enm_mesh_data m = data_of(mesh), n = data_of(again);
	assert_int_equal(m.vertex_count, count);
	for (size_t i = 0; i < m.vertex_count; i++) {
		/* the reference is sorted by position: the place of this vertex is found by bisection, then by looking
		 * around */
		size_t low = 0, high = count;
		while (low < high) {
			const size_t middle = (low + high) / 2;
			if (wanted[middle].p[0] < (double)m.positions_mm[3 * i] - 1e-5)
				low = middle + 1;
			else
				high = middle;
		}
		while (low < count && (fabs(wanted[low].p[1] - (double)m.positions_mm[3 * i + 1]) > 1e-5 ||
					      fabs(wanted[low].p[2] - (double)m.positions_mm[3 * i + 2]) > 1e-5))
			low++;
		assert_true(low < count);
		assert_near(m.positions_mm[3 * i], wanted[low].p[0], 1e-5);
		assert_near(m.sigma_um[i], wanted[low].sigma_um, 1e-4 * wanted[low].sigma_um);
		assert_int_equal(m.views[i], wanted[low].views);
		for (size_t c = 0; c < 3; c++)
			assert_near(m.colors_rgb[3 * i + c], wanted[low].rgb[c], 0.51);
	}
	assert_int_equal(n.vertex_count, m.vertex_count);
	assert_int_equal(n.triangle_count, m.triangle_count);
	assert_memory_equal(n.positions_mm, m.positions_mm, m.vertex_count * 12);
	assert_memory_equal(n.normals, m.normals, m.vertex_count * 12);
	assert_memory_equal(n.triangles, m.triangles, m.triangle_count * 12);
	enm_mesh_destroy(&mesh);
	enm_mesh_destroy(&again);
	free(wanted);
	ref_volume_destroy(&v);
}

static void unobserved_gives_no_surface(void **state)
{
	(void)state;
	const ref_scene sphere = {REF_SPHERE, 0.4, 0.4, 0.4, 1.0};
	ref_volume v = volume_of(&sphere, 2.5);
	for (uint32_t b = 0; b < v.count; b++) {
		int at[3];
		ref_block_of_key(v.keys[b], at);
		for (int i = 0; i < ENM_K_BLOCK_VOXELS; i++)
			if (8 * at[2] + i / 64 > 4) /* z above 0.4 mm */
				v.voxels[b * ENM_K_BLOCK_VOXELS + (uint32_t)i].weight = 0;
	}
	enm_mesh *mesh = extract(&v, 1, 0, ENM_OK);
	const enm_mesh_data m = data_of(mesh);
	const ref_topology t = ref_mesh_topology(&m);
	assert_true(m.triangle_count > 50);
	assert_true(t.open > 0);
	for (size_t i = 0; i < m.vertex_count; i++)
		assert_true(m.positions_mm[3 * i + 2] <= 0.4001f);
	assert_near(t.area_mm2, 2 * acos(-1.0), 0.5);
	enm_mesh_destroy(&mesh);
	mesh = extract(&v, 10, 0, ENM_EMPTY); /* nine views are not ten */
	assert_int_equal(data_of(mesh).triangle_count, 0);
	enm_mesh_destroy(&mesh);
	ref_volume_destroy(&v);
}

static void islands_are_removed_and_counted(void **state)
{
	(void)state;
	const ref_scene large = {REF_SPHERE, 0, 0, 0, support_size(12, 6) * 0.1}, small = {REF_SPHERE, 6, 0, 0, 0.3};
	ref_volume v = volume_of(&large, 2.2), other = volume_of(&small, 1.2), both;
	ref_volume_create(&both, v.count + other.count, VOXEL_MM, TRUNCATION_MM);
	for (uint32_t b = 0; b < v.count + other.count; b++) {
		const ref_volume *from = b < v.count ? &v : &other;
		const uint32_t k = b < v.count ? b : b - v.count;
		ref_volume_add(&both, from->keys[k]);
		memcpy(both.voxels + b * ENM_K_BLOCK_VOXELS, from->voxels + k * ENM_K_BLOCK_VOXELS,
			ENM_K_BLOCK_VOXELS * sizeof(*v.voxels));
	}
	enm_mesh *all = extract(&both, 1, 0, ENM_OK), *most = extract(&both, 1, 300, ENM_OK),
		 *one = extract(&v, 1, 0, ENM_OK);
	const enm_mesh_data a = data_of(all), m = data_of(most), o = data_of(one);
	assert_int_equal(a.islands_removed, 0);
	assert_int_equal(m.islands_removed, 1);
	assert_true(a.triangle_count > m.triangle_count);
	assert_int_equal(m.triangle_count, o.triangle_count);
	assert_int_equal(m.vertex_count, o.vertex_count);
	assert_memory_equal(m.positions_mm, o.positions_mm, m.vertex_count * 12);
	enm_mesh_destroy(&all);
	enm_mesh_destroy(&most);
	enm_mesh_destroy(&one);
	most = extract(&both, 1, 1000000, ENM_EMPTY);
	assert_int_equal(data_of(most).islands_removed, 2);
	enm_mesh_destroy(&most);
	ref_volume_destroy(&v);
	ref_volume_destroy(&other);
	ref_volume_destroy(&both);
}

/* From far before one surface to far behind another within a voxel: not a surface. */
static void step_between_surfaces_is_left_open(void **state)
{
	(void)state;
	ref_volume v;
	ref_volume_create(&v, 1, VOXEL_MM, TRUNCATION_MM);
	ref_volume_add(&v, ref_key(0, 0, 0));
	for (int i = 0; i < ENM_K_BLOCK_VOXELS; i++)
		v.voxels[i] = (enm_k_voxel){.sdf = i / 64 < 4 ? 20000 : -20000, .weight = 64, .views = 5};
	enm_mesh *mesh = extract(&v, 1, 0, ENM_EMPTY);
	enm_mesh_destroy(&mesh);
	for (int i = 0; i < ENM_K_BLOCK_VOXELS; i++)
		v.voxels[i].sdf = i / 64 < 4 ? 4000 : -4000;
	mesh = extract(&v, 1, 0, ENM_OK);
	assert_int_equal(data_of(mesh).triangle_count, 2 * 49);
	enm_mesh_destroy(&mesh);
	ref_volume_destroy(&v);
}

KERNEL_TEST_MAIN(KERNEL_TEST(sphere_is_closed_and_true), KERNEL_TEST(all_cases_are_closed),
	KERNEL_TEST(table_uses_the_crossed_edges), KERNEL_TEST(random_volume_has_the_reference_vertices),
	KERNEL_TEST(unobserved_gives_no_surface), KERNEL_TEST(islands_are_removed_and_counted),
	KERNEL_TEST(step_between_surfaces_is_left_open))
