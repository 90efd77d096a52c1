/* SPDX-License-Identifier: Apache-2.0 */
#include "gpu/guard.h"

#include <string.h>

#include "gpu/internal.h"

#ifdef ENM_FAULTS

#define BAND_BYTES 4096u /* no device aligns sub-buffers more coarsely */
#define BAND_BYTE 0xA5
#define GUARDED_MAX 256

typedef struct guarded {
	cl_mem whole, part;
	const char *name;
	size_t bytes;
} guarded;

static bool is_enabled;
static guarded all[GUARDED_MAX];
static const char *damaged;

void gpu_guard_enable(bool enabled)
{
	is_enabled = enabled;
}

/* Never the same twice, and NaN among them: what is read before it is written differs from run to run. */
static cl_uchar next_fill(void)
{
	static const cl_uchar fills[] = {0xFF, 0x00, 0x3F, 0xA5, 0x7F};
	static size_t next;
	return fills[next++ % sizeof(fills)];
}

/* Fills from `from` to `to` of what may be used, and puts the band behind it. */
static cl_int dress(gpu_device *device, cl_mem whole, size_t from, size_t to)
{
	const cl_uchar band = BAND_BYTE, fill = next_fill();
	cl_int status =
		clEnqueueFillBuffer(device->queue, whole, &fill, 1, BAND_BYTES + from, to - from, 0, NULL, NULL);
	if (status == CL_SUCCESS)
		status =
			clEnqueueFillBuffer(device->queue, whole, &band, 1, BAND_BYTES + to, BAND_BYTES, 0, NULL, NULL);
	if (status == CL_SUCCESS)
		status = clFinish(device->queue);
	return status;
}

cl_mem gpu_guard_create(gpu_device *device, const char *name, size_t bytes, size_t reserved, cl_int *status)
{
	const cl_uchar band = BAND_BYTE;
	guarded *g = all;
	while (g < all + GUARDED_MAX && g->part != NULL)
		g++;
	if (!is_enabled || g == all + GUARDED_MAX)
		return clCreateBuffer(device->context, CL_MEM_READ_WRITE, reserved, NULL, status);
	const size_t total = reserved + 2 * BAND_BYTES;
	const cl_buffer_region region = {.origin = BAND_BYTES, .size = reserved};
	cl_mem whole = clCreateBuffer(device->context, CL_MEM_READ_WRITE, total, NULL, status);
	if (whole == NULL)
		return NULL;
	*status = clEnqueueFillBuffer(device->queue, whole, &band, 1, 0, BAND_BYTES, 0, NULL, NULL);
	if (*status == CL_SUCCESS)
		*status = dress(device, whole, 0, bytes);
	cl_mem part = NULL;
	if (*status == CL_SUCCESS)
		part = clCreateSubBuffer(whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, status);
	if (part == NULL)
		clReleaseMemObject(whole);
	else
		*g = (guarded){.whole = whole, .part = part, .name = name, .bytes = bytes};
	return part;
}

static cl_int look_at(gpu_device *device, const guarded *g)
{
	cl_uchar bands[2 * BAND_BYTES];
	cl_int status = clEnqueueReadBuffer(device->queue, g->whole, CL_TRUE, 0, BAND_BYTES, bands, 0, NULL, NULL);
	if (status == CL_SUCCESS)
		status = clEnqueueReadBuffer(device->queue, g->whole, CL_TRUE, BAND_BYTES + g->bytes, BAND_BYTES,
			bands + BAND_BYTES, 0, NULL, NULL);
	for (size_t i = 0; i < sizeof(bands) && status == CL_SUCCESS; i++)
		if (bands[i] != BAND_BYTE)
			damaged = g->name;
	return status;
}

cl_int gpu_guard_extend(gpu_device *device, cl_mem part, size_t bytes)
{
	for (guarded *g = all; g < all + GUARDED_MAX; g++) {
		if (g->part != part)
			continue;
		cl_int status = look_at(device, g);
		if (status == CL_SUCCESS)
			status = dress(device, g->whole, g->bytes, bytes);
		if (status == CL_SUCCESS)
			g->bytes = bytes;
		return status;
	}
	return CL_SUCCESS;
}

void gpu_guard_release(gpu_device *device, cl_mem part)
{
	for (guarded *g = all; g < all + GUARDED_MAX; g++) {
		if (g->part != part)
			continue;
		(void)look_at(device, g);
		clReleaseMemObject(g->whole); /* the part holds on to it */
		memset(g, 0, sizeof(*g));
	}
}

enm_result gpu_guard_check(gpu_device *device, const char **out_name)
{
	cl_int status = CL_SUCCESS;
	for (guarded *g = all; g < all + GUARDED_MAX && status == CL_SUCCESS; g++)
		if (g->part != NULL)
			status = look_at(device, g);
	*out_name = damaged;
	damaged = NULL;
	return status == CL_SUCCESS ? ENM_OK : gpu_error(status, "clEnqueueReadBuffer", "guard band");
}

#else

void gpu_guard_enable(bool enabled)
{
	(void)enabled;
}

enm_result gpu_guard_check(gpu_device *device, const char **out_name)
{
	(void)device;
	*out_name = NULL;
	return ENM_OK;
}

#endif
