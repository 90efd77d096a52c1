/* SPDX-License-Identifier: Apache-2.0
 * Works upwards in layers of BLOCK cells, so that two slices of values and vertex numbers are all the grid there ever
 * is in memory. A block whose middle is too far from the surface gets that sign everywhere and is not evaluated. */
#include "nets.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 8
#define NO_VERTEX UINT32_MAX

typedef struct sweep {
	const nets_def *def;
	int nx, ny, nz;        /* grid points */
	int bx, by;            /* blocks in a layer */
	uint8_t *near_surface; /* of the blocks of this layer: 1 to be evaluated */
	uint8_t *near_before;  /* of the layer below */
	float *block_value;    /* at the middles of the blocks of this layer */
	float *values[2];      /* slices z and z + 1 */
	uint32_t *vertices[2]; /* of the cell slices z - 1 and z */
	nets_mesh mesh;
	size_t vertex_room, triangle_room;
	bool failed;
} sweep;

static v3 grid_point(const sweep *s, double x, double y, double z)
{
	return v3_mad(s->def->min_mm, v3_make(x, y, z), s->def->cell_mm);
}

static bool grow(void **array, size_t *room, size_t wanted, size_t item_bytes)
{
	if (wanted <= *room)
		return true;
	size_t next = *room ? *room * 2 : 4096;
	void *bigger = realloc(*array, next * item_bytes);
	if (!bigger)
		return false;
	*array = bigger;
	*room = next;
	return true;
}

static uint32_t add_vertex(sweep *s, v3 p)
{
	nets_mesh *m = &s->mesh;
	void *array = m->positions_mm;
	bool good = grow(&array, &s->vertex_room, m->vertex_count + 1, 3 * sizeof(float));
	m->positions_mm = array;
	if (!good) {
		s->failed = true;
		return NO_VERTEX;
	}
	float *out = m->positions_mm + 3 * m->vertex_count;
	out[0] = (float)p.x, out[1] = (float)p.y, out[2] = (float)p.z;
	return (uint32_t)m->vertex_count++;
}

static void add_triangle(sweep *s, uint32_t a, uint32_t b, uint32_t c)
{
	nets_mesh *m = &s->mesh;
	void *array = m->triangles;
	bool good = grow(&array, &s->triangle_room, m->triangle_count + 1, 3 * sizeof(uint32_t));
	m->triangles = array;
	if (!good) {
		s->failed = true;
		return;
	}
	uint32_t *out = m->triangles + 3 * m->triangle_count++;
	out[0] = a, out[1] = b, out[2] = c;
}

/* Two triangles over a, b, c, d (in turn), cut along the shorter diagonal. */
static void add_quad(sweep *s, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	if (a == NO_VERTEX || b == NO_VERTEX || c == NO_VERTEX || d == NO_VERTEX)
		return;
	const float *p = s->mesh.positions_mm;
	double ac = 0, bd = 0;
	for (int i = 0; i < 3; i++) {
		double u = (double)p[3 * a + (uint32_t)i] - (double)p[3 * c + (uint32_t)i];
		double v = (double)p[3 * b + (uint32_t)i] - (double)p[3 * d + (uint32_t)i];
		ac += u * u, bd += v * v;
	}
	if (ac <= bd) {
		add_triangle(s, a, b, c);
		add_triangle(s, a, c, d);
	} else {
		add_triangle(s, a, b, d);
		add_triangle(s, b, c, d);
	}
}

static void classify_layer(sweep *s, int z0)
{
	double reach = s->def->slope_max * s->def->cell_mm * (BLOCK / 2.0 * sqrt(3.0) + 1);
	uint8_t *swap = s->near_before;
	s->near_before = s->near_surface;
	s->near_surface = swap;
	for (int j = 0; j < s->by; j++)
		for (int i = 0; i < s->bx; i++) {
			v3 middle = grid_point(s, (i + 0.5) * BLOCK, (j + 0.5) * BLOCK, z0 + BLOCK / 2.0);
			double d = s->def->distance(s->def->user, middle);
			s->block_value[j * s->bx + i] = (float)d;
			s->near_surface[j * s->bx + i] = fabs(d) < reach;
		}
}

/* A grid point belongs to up to eight blocks; it is evaluated when any of them is near the surface. */
static bool wanted(const sweep *s, int x, int y, bool below_too)
{
	int i1 = x / BLOCK < s->bx ? x / BLOCK : s->bx - 1, i0 = x % BLOCK || !x ? i1 : x / BLOCK - 1;
	int j1 = y / BLOCK < s->by ? y / BLOCK : s->by - 1, j0 = y % BLOCK || !y ? j1 : y / BLOCK - 1;
	for (int j = j0; j <= j1; j++)
		for (int i = i0; i <= i1; i++)
			if (s->near_surface[j * s->bx + i] || (below_too && s->near_before[j * s->bx + i]))
				return true;
	return false;
}

static void fill_slice(sweep *s, int z, float *values)
{
	bool boundary = z % BLOCK == 0 && z > 0;
	for (int y = 0; y < s->ny; y++)
		for (int x = 0; x < s->nx; x++) {
			int i = x / BLOCK < s->bx ? x / BLOCK : s->bx - 1,
			    j = y / BLOCK < s->by ? y / BLOCK : s->by - 1;
			values[y * s->nx + x] = wanted(s, x, y, boundary)
							? (float)s->def->distance(s->def->user, grid_point(s, x, y, z))
							: s->block_value[j * s->bx + i];
		}
}

/* The mean of the places where the cell's twelve edges cross the surface. */
static uint32_t cell_vertex(sweep *s, int x, int y, int z)
{
	float corner[8];
	int inside = 0;
	for (int c = 0; c < 8; c++) {
		corner[c] = s->values[c >> 2][(y + (c >> 1 & 1)) * s->nx + x + (c & 1)];
		inside += corner[c] < 0;
	}
	if (inside == 0 || inside == 8)
		return NO_VERTEX;
	v3 sum = {0, 0, 0};
	int count = 0;
	for (int c = 0; c < 8; c++)
		for (int axis = 0; axis < 3; axis++) {
			int d = c | 1 << axis;
			if (d == c || (corner[c] < 0) == (corner[d] < 0))
				continue;
			double t = (double)corner[c] / ((double)corner[c] - (double)corner[d]);
			v3 p = {c & 1, c >> 1 & 1, c >> 2};
			v3 step = {axis == 0, axis == 1, axis == 2};
			sum = v3_add(sum, v3_mad(p, step, t));
			count++;
		}
	v3 p = v3_scale(sum, 1.0 / count);
	v3 world = grid_point(s, x + p.x, y + p.y, z + p.z);
	return s->def->keep(s->def->user, world) ? add_vertex(s, world) : NO_VERTEX;
}

/* Quads over the crossed edges that start at the grid points of slice z and go along x, y and z. */
static void slice_quads(sweep *s, int z)
{
	const float *lo = s->values[0], *hi = s->values[1];
	const uint32_t *under = s->vertices[0], *at = s->vertices[1];
	for (int y = 0; y < s->ny - 1; y++)
		for (int x = 0; x < s->nx - 1; x++) {
			int g = y * s->nx + x, row = s->nx;
			bool in = lo[g] < 0;
			if (z > 0 && y > 0 && in != (lo[g + 1] < 0)) {
				uint32_t a = under[g - row], b = under[g], c = at[g], d = at[g - row];
				in ? add_quad(s, a, b, c, d) : add_quad(s, a, d, c, b);
			}
			if (z > 0 && x > 0 && in != (lo[g + row] < 0)) {
				uint32_t a = under[g - 1], b = at[g - 1], c = at[g], d = under[g];
				in ? add_quad(s, a, b, c, d) : add_quad(s, a, d, c, b);
			}
			if (x > 0 && y > 0 && in != (hi[g] < 0)) {
				uint32_t a = at[g - row - 1], b = at[g - row], c = at[g], d = at[g - 1];
				in ? add_quad(s, a, b, c, d) : add_quad(s, a, d, c, b);
			}
		}
}

static void run(sweep *s)
{
	size_t slice = (size_t)s->nx * (size_t)s->ny;
	for (int z = 0; z < s->nz - 1 && !s->failed; z++) {
		if (z % BLOCK == 0) {
			classify_layer(s, z);
			fill_slice(s, z, s->values[0]);
		}
		fill_slice(s, z + 1, s->values[1]);
		memset(s->vertices[1], 0xff, slice * sizeof(uint32_t));
		for (int y = 0; y < s->ny - 1; y++)
			for (int x = 0; x < s->nx - 1; x++)
				s->vertices[1][y * s->nx + x] = cell_vertex(s, x, y, z);
		slice_quads(s, z);
		float *values = s->values[0];
		s->values[0] = s->values[1], s->values[1] = values;
		uint32_t *vertices = s->vertices[0];
		s->vertices[0] = s->vertices[1], s->vertices[1] = vertices;
	}
}

bool nets_build(const nets_def *def, nets_mesh *out_mesh)
{
	v3 size = v3_scale(v3_sub(def->max_mm, def->min_mm), 1 / def->cell_mm);
	sweep s = {.def = def, .bx = (int)ceil(size.x / BLOCK), .by = (int)ceil(size.y / BLOCK)};
	s.nx = s.bx * BLOCK + 1, s.ny = s.by * BLOCK + 1, s.nz = (int)ceil(size.z / BLOCK) * BLOCK + 1;
	size_t slice = (size_t)s.nx * (size_t)s.ny, blocks = (size_t)s.bx * (size_t)s.by;
	s.near_surface = calloc(blocks, 1);
	s.near_before = calloc(blocks, 1);
	s.block_value = calloc(blocks, sizeof(float));
	for (int i = 0; i < 2; i++) {
		s.values[i] = calloc(slice, sizeof(float));
		s.vertices[i] = malloc(slice * sizeof(uint32_t));
	}
	s.failed = !s.near_surface || !s.near_before || !s.block_value || !s.values[0] || !s.values[1] ||
		   !s.vertices[0] || !s.vertices[1];
	if (!s.failed)
		run(&s);
	for (int i = 0; i < 2; i++) {
		free(s.values[i]);
		free(s.vertices[i]);
	}
	free(s.near_surface);
	free(s.near_before);
	free(s.block_value);
	if (s.failed)
		nets_free(&s.mesh);
	*out_mesh = s.mesh;
	return !s.failed;
}

void nets_free(nets_mesh *mesh)
{
	free(mesh->positions_mm);
	free(mesh->triangles);
	*mesh = (nets_mesh){0};
}
