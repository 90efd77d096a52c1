/* SPDX-License-Identifier: Apache-2.0
 *
 * What every kernel test needs: one device a process (the one that $ENAMEL_TEST_DEVICE names by index or part of a
 * name, else the default choice), guard bands around all buffers, the model moved to and from the host, random numbers
 * by seed. */
#ifndef ENM_TEST_SUPPORT_H
#define ENM_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gpu/gpu.h"
#include "layout.h"
#include "pipeline/depth.h"
#include "pipeline/model.h"
#include "pipeline/view.h"
#include "reference/volume.h"

typedef struct support {
	gpu_device *device;
	gpu_queue *queue;
	gpu_budget budget;
	bool guards; /* bands around buffers */
	bool small;  /* $ENAMEL_TEST_SMALL: sizes for Oclgrind */
} support;

extern support test;

/* cmocka's group and test fixtures; $ENAMEL_TEST_FILTER (a pattern) picks tests. support_end fails when a guard band
 * was written to or memory was not given back. */
int support_open(void **state);
int support_close(void **state);
int support_begin(void **state);
int support_end(void **state);
#define KERNEL_TEST(name) cmocka_unit_test_setup_teardown(name, support_begin, support_end)
#define KERNEL_TEST_MAIN(...)                                                                                          \
	int main(void)                                                                                                 \
	{                                                                                                              \
		const struct CMUnitTest tests[] = {__VA_ARGS__};                                                       \
		if (getenv("ENAMEL_TEST_FILTER") != NULL)                                                              \
			cmocka_set_test_filter(getenv("ENAMEL_TEST_FILTER"));                                          \
		return cmocka_run_group_tests(tests, support_open, support_close);                                     \
	}

/* Fails the test with the engine's text unless the call is good. */
#define CHECK(call) support_check((call), #call, __FILE__, __LINE__)
void support_check(enm_result result, const char *call, const char *file, int line);

#define assert_near(a, b, tolerance) support_near((double)(a), (double)(b), (tolerance), #a, __FILE__, __LINE__)
void support_near(double a, double b, double tolerance, const char *what, const char *file, int line);

/* One of two sizes: for a device, and for Oclgrind. */
uint32_t support_size(uint32_t full, uint32_t small);

/* Copies that wait. */
void support_write(gpu_buffer *to, const void *from, size_t bytes);
void support_read(const gpu_buffer *from, void *to, size_t bytes);
void *support_alloc(size_t count, size_t size); /* zeroed; aborts without memory */

/* Repeatable random numbers. */
typedef struct support_random {
	uint64_t state;
} support_random;
uint32_t random_bits(support_random *random);
double random_in(support_random *random, double low, double high);
double random_normal(support_random *random);

/* A session's definition at tooth scale: fx = fy = 1.1 widths, principal point a little off the middle. */
enm_session_def support_def(uint32_t width, uint32_t height);

/* An empty model of `capacity` blocks, which the engine itself would make larger. */
void support_model_create(model *model, uint32_t capacity, uint32_t grid_cells, double voxel_mm, double truncation_mm);
/* Host to device: keys, voxels, number of blocks, and the table by allocate_rehash. */
void support_model_load(model *model, const ref_volume *from);
/* Device to host; `to` must have the capacity. */
void support_model_read(const model *model, ref_volume *to);

/* The depth stage with a depth picture (mm, float) run through, and what it made of it: filtered depth, and normal with weight, four
 * floats a pixel. */
void support_depth(depth_stage *stage, const enm_session_def *def, const float *depth_mm);
void support_pixels(const depth_stage *stage, float *out_filtered, float *out_normals);

/* A raycast's normals (kernels/halves.h), decoded, four floats a pixel. */
void support_normals(const view_stage *stage, float *out_normals);

/* A tracker's state for a tracked frame at a pose, in a buffer of its own. */
enm_k_track support_state(const enm_pose *pose, uint32_t verdict);
void support_state_create(gpu_buffer *out_buffer, const enm_k_track *state);

#endif
