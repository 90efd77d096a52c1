/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of engine/gpu/ share. Every OpenCL call goes through one of the GPU_CL macros, so that a test can make
 * any of them fail. */
#ifndef ENM_GPU_INTERNAL_H
#define ENM_GPU_INTERNAL_H

#define CL_USE_DEPRECATED_OPENCL_1_2_APIS /* clCreateCommandQueue: the floor is OpenCL 1.2 */
#include <CL/cl.h>
#include <CL/cl_ext.h>

#include <pthread.h>
#include <stdatomic.h>

#include "core/error.h"
#include "gpu/gpu.h"

/* ---- calls and their failures ---- */

#ifdef ENM_FAULTS
bool gpu_fault_hits(void);
/* Count the objects that OpenCL has given and got back: a leak checker cannot tell ours from the driver's own. */
void *gpu_object_made(void *object); /* returns it; NULL is none */
void gpu_object_released(void);
#else
#define gpu_fault_hits() false
static inline void *gpu_object_made(void *object)
{
	return object;
}
static inline void gpu_object_released(void)
{
}
#endif

/* Memory between guard bands, in builds for tests (gpu/guard.h). */
#ifdef ENM_FAULTS
cl_mem gpu_guard_create(gpu_device *device, const char *name, size_t bytes, size_t reserved, cl_int *status);
cl_int gpu_guard_extend(gpu_device *device, cl_mem part, size_t bytes);
void gpu_guard_release(gpu_device *device, cl_mem part);
#else
#define gpu_guard_create(device, name, bytes, reserved, status) \
	clCreateBuffer((device)->context, CL_MEM_READ_WRITE, (reserved), NULL, (status))
#define gpu_guard_extend(device, part, bytes) ((void)(part), CL_SUCCESS)
#define gpu_guard_release(device, part) ((void)(part))
#endif

#define GPU_FAULT_STATUS CL_OUT_OF_RESOURCES

/* A call that returns a status. A fault stands in for it. */
#define GPU_CL(call) (gpu_fault_hits() ? GPU_FAULT_STATUS : (call))
/* A call that returns an object and writes `status`. */
#define GPU_CL_MAKE(status, call) (gpu_fault_hits() ? ((status) = GPU_FAULT_STATUS, NULL) : gpu_object_made(call))
/* A wait: it happens even if a fault makes it report a failure, or the fault itself would leave the device writing to
 * freed memory. */
#define GPU_CL_ALWAYS(call) (gpu_fault_hits() ? ((void)(call), GPU_FAULT_STATUS) : (call))
/* A release, which happens likewise. What it reports helps nobody. */
#define GPU_CL_RELEASE(call) ((void)GPU_CL_ALWAYS(call), gpu_object_released())

/* "CL_OUT_OF_RESOURCES"; never NULL. */
const char *gpu_status_name(cl_int status);

/* Keeps "CALL WHAT: NAME (number)" and returns the result that fits the status. `what` may be "". */
enm_result gpu_error(cl_int status, const char *call, const char *what);
enm_result gpu_error_host_memory(const char *what, size_t bytes);

uint64_t gpu_now_ns(void);

/* ---- devices that there are ---- */

typedef struct gpu_entry {
	cl_platform_id platform;
	cl_device_id id;
	enm_device_info info;
	char platform_version[128];
	bool rounded_divide; /* knows -cl-fp32-correctly-rounded-divide-sqrt */
} gpu_entry;

typedef struct gpu_entries {
	gpu_entry *items; /* free() */
	uint32_t count;
	char trouble[256]; /* why a platform was left out, or "" */
} gpu_entries;

ENM_MUST_CHECK enm_result gpu_entries_get(gpu_entries *out_entries);
/* The one that a definition asks for; ENM_E_NO_DEVICE says what there is. */
ENM_MUST_CHECK enm_result gpu_entries_choose(
	const gpu_entries *entries, const enm_context_def *def, const gpu_entry **out_entry);

/* Fills `info` (index and platform excepted), `usable` and `reason`. Never fails: a device that does not answer is not
 * usable. */
void gpu_info_get(cl_device_id id, gpu_entry *entry);

/* ---- sources ---- */

#define GPU_NAME_MAX 64 /* of a file of kernels/, with its zero */

typedef struct gpu_text {
	char *bytes; /* free(); zero-terminated */
	size_t size, capacity;
} gpu_text;

/* Names of the programs (without ".cl"), sorted, from `folder` or, when NULL, from the library. free() them. */
ENM_MUST_CHECK enm_result gpu_source_names(const char *folder, char (**out_names)[GPU_NAME_MAX], uint32_t *out_count);
/* A program's whole text, its own includes put in place. */
ENM_MUST_CHECK enm_result gpu_source_get(const char *folder, const char *program, gpu_text *out_text);

/* ---- recordings ---- */

/* The extension's calls; all NULL where the device has none that is known here. */
typedef struct gpu_command_buffers {
	clCreateCommandBufferKHR_fn create;
	clReleaseCommandBufferKHR_fn release;
	clFinalizeCommandBufferKHR_fn finalize;
	clEnqueueCommandBufferKHR_fn enqueue;
	clCommandNDRangeKernelKHR_fn launch;
	clCommandCopyBufferKHR_fn copy;
	clCommandFillBufferKHR_fn fill;
	bool simultaneous; /* a recording may be run again before its last run has ended */
} gpu_command_buffers;

/* Fills the device's own from its platform; leaves it empty in every doubt. */
void gpu_record_find(gpu_device *device, cl_platform_id platform);

/* ENM_OK when the queue is not recording. */
ENM_MUST_CHECK enm_result gpu_record_refuse(const gpu_queue *queue, const char *what);
ENM_MUST_CHECK enm_result gpu_record_launch(gpu_queue *queue, const gpu_kernel *kernel, cl_uint dimensions,
	const gpu_range *range, const gpu_arg *args, uint32_t count);
/* Checks the arguments of `kernel` and sets them in `handle`, which is its own or one made like it. */
ENM_MUST_CHECK enm_result gpu_set_args(const gpu_kernel *kernel, void *handle, const gpu_arg *args, uint32_t count);
ENM_MUST_CHECK enm_result gpu_record_copy(
	gpu_queue *queue, cl_mem from, size_t from_offset, cl_mem to, size_t to_offset, size_t bytes);
ENM_MUST_CHECK enm_result gpu_record_fill(gpu_queue *queue, cl_mem to, size_t offset, uint32_t pattern, size_t bytes);

/* ---- programs ---- */

typedef struct gpu_program {
	char name[GPU_NAME_MAX];
	char key[33]; /* of the cache, in hexadecimal */
	cl_program handle;
	bool saved; /* in the cache, or not to be tried again */
} gpu_program;

struct gpu_device {
	atomic_uint references;
	enm_device_info info;
	char platform_version[128];
	cl_device_id id;
	cl_context context;
	cl_command_queue queue; /* maps staging memory and times the trial launch */
	char options[192];
	uint32_t lanes;
	char *kernel_dir; /* NULL: the sources inside the library */
	char *cache_dir;  /* NULL: none */
	gpu_command_buffers command_buffers;
	atomic_uint tuning[GPU_TUNING_COUNT];
	atomic_bool tuning_measured;
	bool lazy; /* takes memory when it is touched */
	gpu_program *programs;
	uint32_t program_count;
	enm_log_fn log;
	void *log_user;
	enm_log_level log_level;
	pthread_mutex_t build_lock; /* of the programs' handles, once the device is open; taken before `lock` */
	pthread_mutex_t lock; /* of what follows */
	bool cache_warned;
	enm_context_stats stats;
};

/* Builds or loads all programs. What it has made is released by gpu_programs_destroy, also after a failure. */
ENM_MUST_CHECK enm_result gpu_programs_create(gpu_device *device);
void gpu_programs_destroy(gpu_device *device);
/* Writes into the cache what is not there yet. When the device is closed and not during a scan: it takes seconds on
 * PoCL, which compiles every kernel once more for any size of group, and a crash before costs the next start about
 * one. */
void gpu_programs_save(gpu_device *device);
/* NULL when there is none. */
gpu_program *gpu_program_find(const gpu_device *device, const char *name);
/* The same, ready to make kernels of: a program that no scan needs is only built or loaded when it is asked for here. */
ENM_MUST_CHECK enm_result gpu_program_need(gpu_device *device, const char *name, gpu_program **out_program);

/* ---- cache of built programs ---- */

/* The folder that a definition means, made if need be; NULL in `out_folder` when there is none. */
ENM_MUST_CHECK enm_result gpu_cache_folder(gpu_device *device, const char *wish, char **out_folder);
/* Hash of all that a binary depends on, in hexadecimal. */
ENM_MUST_CHECK enm_result gpu_cache_key(const gpu_device *device, const gpu_text *source, char out_key[33]);
/* `out_bytes` is NULL on a miss; a file that there is but cannot be used is a miss with a warning. free() it. */
void gpu_cache_load(gpu_device *device, const gpu_program *program, unsigned char **out_bytes, size_t *out_size);
void gpu_cache_save(gpu_device *device, const gpu_program *program, const unsigned char *bytes, size_t size);
/* Text of a file of the folder, with its zero; false on a miss, which any doubt about the file is. */
bool gpu_cache_read_text(gpu_device *device, const char *path, char *out, size_t size);
/* Whole or not at all: head, then body. Trouble is a warning. */
bool gpu_cache_write_file(gpu_device *device, const char *path, const void *head, size_t head_bytes, const void *body,
	size_t body_bytes);
/* Logs the first trouble with the cache and no other. */
void gpu_cache_warn(gpu_device *device, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- settings ---- */

/* Sets the device's from what fits its kind, the cache's folder and the environment. */
ENM_MUST_CHECK enm_result gpu_tuning_load(gpu_device *device);
/* Of the file's text before its last line. */
uint64_t gpu_tuning_sum(const char *text, size_t bytes);
/* What of a device can be said without opening it: all that a cache key depends on. */
void gpu_device_describe(gpu_device *device, const gpu_entry *entry);

/* ---- memory, queue, profile ---- */

/* Finds out whether the device is lazy; "no" in every doubt. */
void gpu_memory_try(gpu_device *device);

/* Counts bytes of the whole device; false when they exceed it. */
bool gpu_device_count(gpu_device *device, uint64_t bytes);
void gpu_device_uncount(gpu_device *device, uint64_t bytes);

struct gpu_queue {
	gpu_device *device;
	cl_command_queue handle;
	gpu_profile *profile; /* NULL: not measured */
	uint32_t stage;
	uint64_t waits;
	gpu_recording *recording; /* that commands go into; NULL: they are enqueued */
};

/* Where the next command's event is to be written, NULL when nobody asks for it. Room for it is made first, so that
 * keeping it cannot fail. */
ENM_MUST_CHECK enm_result gpu_profile_reserve(gpu_queue *queue);
bool gpu_profile_wants_event(const gpu_queue *queue);
void gpu_profile_keep(gpu_queue *queue, cl_event event); /* takes it over */

#endif
