/* SPDX-License-Identifier: Apache-2.0
 * Mesh files: mesh_file.c opens, recognises and replaces files; mesh_file_ply.c, _stl.c and _obj.c know one format
 * each.
 *
 * The readers see the whole file in memory and trust nothing in it: a count is checked against the bytes that remain
 * before anything is allocated for it. They run in the "C" locale. */
#ifndef ENM_SURFACE_MESH_FILE_H
#define ENM_SURFACE_MESH_FILE_H

#include "surface/mesh.h"

#include <stdio.h>

typedef struct mesh_input {
	const char *path; /* for error texts */
	const char *text; /* the file; text[size] is 0 */
	size_t size;
	double mm_per_unit;
} mesh_input;

ENM_MUST_CHECK enm_result mesh_ply_read(const mesh_input *in, enm_mesh **out_mesh);
ENM_MUST_CHECK enm_result mesh_stl_read(const mesh_input *in, enm_mesh **out_mesh);
ENM_MUST_CHECK enm_result mesh_obj_read(const mesh_input *in, enm_mesh **out_mesh);

bool mesh_ply_recognise(const mesh_input *in);
bool mesh_stl_recognise(const mesh_input *in);
bool mesh_obj_recognise(const mesh_input *in);

/* False: a write failed and errno says why. */
ENM_MUST_CHECK bool mesh_ply_write(FILE *file, const enm_mesh *mesh, double mm_per_unit);
ENM_MUST_CHECK bool mesh_stl_write(FILE *file, const enm_mesh *mesh, double mm_per_unit);
ENM_MUST_CHECK bool mesh_obj_write(FILE *file, const enm_mesh *mesh, double mm_per_unit);

/* ---- shared by the formats -------------------------------------------------------------------------------------- */

/* Text up to but not over the end of a line. Each moves `*at` behind what it read and says whether there was any. */
void mesh_skip_blanks(const char **at);
bool mesh_read_number(const char **at, double *out_value);
bool mesh_read_word(const char **at, const char **out_word, size_t *out_length);
bool mesh_word_is(const char *word, size_t length, const char *what); /* case ignored */

/* The line (from 1) that `at` lies in. */
size_t mesh_line_of(const mesh_input *in, const char *at);

/* `value` times mm_per_unit as a float; false when that is not finite. */
bool mesh_to_mm(const mesh_input *in, double value, float *out_mm);

/* Little-endian bytes, returning the place behind them. */
uint8_t *mesh_put_u16(uint8_t *to, uint16_t value);
uint8_t *mesh_put_u32(uint8_t *to, uint32_t value);
uint8_t *mesh_put_f32(uint8_t *to, float value);

#endif
