/* SPDX-License-Identifier: Apache-2.0
 *
 * The only door to OpenCL: device, programs, binary cache, memory, launches, profiling, faults. No other folder includes
 * CL/cl.h. Every function that can fail leaves one line of text through error_set() and returns a result.
 */
#ifndef ENM_GPU_H
#define ENM_GPU_H

#include "enamel.h"

/* ---- device: an OpenCL device with the programs of kernels/ ------------------------------------------------------ */

typedef struct gpu_device gpu_device;

ENM_MUST_CHECK enm_result gpu_list(enm_device_info *out_devices, size_t capacity, size_t *out_count);

/* Chooses, opens, and builds (or loads) every program but those of the self-check and of drawings, which are when they are first asked for. Counted
 * references: open gives the first. */
ENM_MUST_CHECK enm_result gpu_device_open(const enm_context_def *def, gpu_device **out_device);
gpu_device *gpu_device_retain(gpu_device *device);
void gpu_device_release(gpu_device **device);

const enm_device_info *gpu_device_get_info(const gpu_device *device);
void gpu_device_get_stats(gpu_device *device, enm_context_stats *out_stats);
bool gpu_device_is_cpu(const gpu_device *device);
/* Neighbouring pixels or voxels that a work-item does at once (kernels/lanes.h): 1, 2, 4 or 8. */
uint32_t gpu_device_get_lanes(const gpu_device *device);

/* ---- settings that change how fast a device is, never what it computes ------------------------------------------- */

typedef enum gpu_tuning {
	GPU_TUNING_UPLOAD_QUEUE,    /* 1: uploads have a queue of their own */
	GPU_TUNING_COMMAND_BUFFERS, /* 1: a frame's launches are recorded */
	GPU_TUNING_FUSE_GROUPS,     /* groups a compute unit that share the blocks in view */
	GPU_TUNING_SELECT_CHUNKS,   /* chunks of blocks that a group looks through for those in view */
	GPU_TUNING_COUNT
} gpu_tuning;
#define GPU_TUNING_CANDIDATES_MAX 5

const char *gpu_tuning_name(gpu_tuning which);
/* What was measured on this device (enm_context_tune), else what fits its kind. */
uint32_t gpu_tuning_get(const gpu_device *device, gpu_tuning which);
uint32_t gpu_tuning_initial(const gpu_device *device, gpu_tuning which);
bool gpu_tuning_measured(const gpu_device *device);
/* The values worth trying; returns how many. */
uint32_t gpu_tuning_candidates(
	const gpu_device *device, gpu_tuning which, uint32_t out_values[GPU_TUNING_CANDIDATES_MAX]);
/* For what is created from now on; nothing happens when it is no candidate. */
void gpu_tuning_set(gpu_device *device, gpu_tuning which, uint32_t value);
/* Keeps the values in the cache's folder, for contexts opened later. A folder that cannot be written is a warning. */
ENM_MUST_CHECK enm_result gpu_tuning_save(gpu_device *device);
/* enm_device_tuning, its arguments checked. */
ENM_MUST_CHECK enm_result gpu_tuning_peek(
	uint32_t index, const char *cache_dir, enm_tuning *out_settings, size_t capacity, size_t *out_count);

/* Logs through the context's callback. */
void gpu_log(const gpu_device *device, enm_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- memory: every byte on the device is counted in a budget ---------------------------------------------------- */

typedef struct gpu_budget {
	gpu_device *device; /* borrowed; its own totals are kept too */
	uint64_t bytes, bytes_peak;
	uint64_t bytes_max; /* 0: only the device's own memory bounds it */
	uint64_t allocations; /* buffers made so far */
} gpu_budget;

typedef struct gpu_buffer {
	void *mem; /* cl_mem; NULL when there is none */
	size_t bytes;    /* that may be used, which is what the budget counts */
	size_t reserved; /* that it can be extended to */
	gpu_budget *budget;
} gpu_buffer;

/* Contents are undefined. ENM_E_CAPACITY when the budget or the device does not allow it; the text names `name`. */
ENM_MUST_CHECK enm_result gpu_buffer_create(gpu_budget *budget, const char *name, size_t bytes, gpu_buffer *out_buffer);
void gpu_buffer_destroy(gpu_buffer *buffer); /* accepts a zeroed one */

/* Whether the device takes memory when it is first touched, so that it costs nothing to reserve what is not used yet:
 * tried out when a CPU is opened. */
bool gpu_device_is_lazy(const gpu_device *device);
/* The same with addresses for `reserved` bytes, where the device is lazy, can do that and `reserved` is more;
 * elsewhere gpu_buffer_create. */
ENM_MUST_CHECK enm_result gpu_buffer_reserve(
	gpu_budget *budget, const char *name, size_t bytes, size_t reserved, gpu_buffer *out_buffer);
/* To `bytes`, not fewer than now, in place and without waiting: what it holds stays, also under way. ENM_E_CAPACITY
 * as above, or when more than what was reserved is asked for; then nothing has changed. */
ENM_MUST_CHECK enm_result gpu_buffer_extend(gpu_buffer *buffer, const char *name, size_t bytes);

/* Host memory that the device can read or write by DMA where it has such (CL_MEM_ALLOC_HOST_PTR, mapped for good);
 * counted as host memory, not in the budget. */
typedef struct gpu_staging {
	void *mem;  /* cl_mem */
	void *host; /* the mapped bytes */
	size_t bytes;
	gpu_device *device;
} gpu_staging;
ENM_MUST_CHECK enm_result gpu_staging_create(gpu_device *device, size_t bytes, gpu_staging *out_staging);
void gpu_staging_destroy(gpu_staging *staging);

/* ---- queue: in order ----------------------------------------------------------------------------------------------- */

typedef struct gpu_queue gpu_queue;
typedef struct gpu_event gpu_event; /* something to wait for; NULL is done */

ENM_MUST_CHECK enm_result gpu_queue_create(gpu_device *device, gpu_queue **out_queue);
void gpu_queue_destroy(gpu_queue **queue); /* waits for what is under way */

/* Non-blocking copies; `host` must live until the work is done. `out_event` may be NULL. */
ENM_MUST_CHECK enm_result gpu_write(gpu_queue *queue, gpu_buffer *to, size_t offset, const void *host, size_t bytes, gpu_event **out_event);
ENM_MUST_CHECK enm_result gpu_read(gpu_queue *queue, const gpu_buffer *from, size_t offset, void *host, size_t bytes, gpu_event **out_event);
ENM_MUST_CHECK enm_result gpu_copy(gpu_queue *queue, const gpu_buffer *from, size_t from_offset, gpu_buffer *to, size_t to_offset, size_t bytes);
/* Repeats a 32-bit pattern over `bytes` (a multiple of 4). */
ENM_MUST_CHECK enm_result gpu_fill(gpu_queue *queue, gpu_buffer *to, size_t offset, uint32_t pattern, size_t bytes);

ENM_MUST_CHECK enm_result gpu_flush(gpu_queue *queue);  /* sends the work on its way */
ENM_MUST_CHECK enm_result gpu_finish(gpu_queue *queue); /* waits for all of it */
uint64_t gpu_queue_waits(const gpu_queue *queue);       /* how often that was */
/* Done when all that the queue was given so far is. */
ENM_MUST_CHECK enm_result gpu_queue_mark(gpu_queue *queue, gpu_event **out_event);
/* What the queue is given from here on starts when `event` is done (NULL: it is). The host does not wait. An event of
 * another queue, which must have been flushed since, or both may wait for ever. */
ENM_MUST_CHECK enm_result gpu_queue_wait(gpu_queue *queue, gpu_event *event);
ENM_MUST_CHECK enm_result gpu_event_wait(gpu_event *event);
ENM_MUST_CHECK enm_result gpu_event_done(gpu_event *event, bool *out_done);
void gpu_event_release(gpu_event **event);

/* ---- kernels ------------------------------------------------------------------------------------------------------- */

#define GPU_ARGS_MAX 32

/* What a kernel's argument is; the size is 0 for pointers. */
typedef enum gpu_param_kind { GPU_PARAM_VALUE, GPU_PARAM_GLOBAL, GPU_PARAM_LOCAL, GPU_PARAM_POINTER } gpu_param_kind;
typedef struct gpu_param {
	uint8_t kind; /* gpu_param_kind; POINTER: the driver does not tell to which memory */
	uint16_t size;
} gpu_param;

typedef struct gpu_kernel {
	void *handle; /* cl_kernel, of one session: arguments are state */
	const char *name;      /* borrowed: a literal */
	const char *signature; /* borrowed: a literal */
	gpu_device *device;
	uint32_t arg_count;
	void *program;      /* that it is of */
	gpu_param params[GPU_ARGS_MAX];
} gpu_kernel;

/* `program` is the file's name in kernels/ without ".cl". `signature` lists the arguments' types as the kernel declares
 * them, without address space and const, separated by commas: "enm_k_voxel*,uint*,float,int,enm_k_camera". It is checked against
 * the kernel when loaded: number always, types where the driver tells. Structs are those of kernels/layout_list.h. */
ENM_MUST_CHECK enm_result gpu_kernel_create(gpu_device *device, const char *program, const char *name, const char *signature, gpu_kernel *out_kernel);
void gpu_kernel_destroy(gpu_kernel *kernel);

typedef enum gpu_arg_kind { GPU_ARG_BUFFER, GPU_ARG_BYTES, GPU_ARG_LOCAL } gpu_arg_kind;
typedef struct gpu_arg {
	gpu_arg_kind kind;
	const gpu_buffer *buffer;
	const void *bytes;
	size_t size;
} gpu_arg;
#define GPU_BUFFER(b) ((gpu_arg){.kind = GPU_ARG_BUFFER, .buffer = (b)}) /* GPU_BUFFER(NULL): a null pointer */
#define GPU_LOCAL(n) ((gpu_arg){.kind = GPU_ARG_LOCAL, .size = (n)})       /* n bytes of local memory */
/* An lvalue passed by value: int, uint, float or a struct of kernels/layout.h. */
#define GPU_VALUE(v) ((gpu_arg){.kind = GPU_ARG_BYTES, .bytes = &(v), .size = sizeof(v)})

typedef struct gpu_range {
	size_t global[2], local[2]; /* one-dimensional when global[1] is 0; global is rounded up to local */
} gpu_range;
#define GPU_RANGE_1D(items, group) ((gpu_range){.global = {(items), 0}, .local = {(group), 0}})
#define GPU_RANGE_2D(w, h, gw, gh) ((gpu_range){.global = {(w), (h)}, .local = {(gw), (gh)}})

/* Checks the number, kind and size of the arguments against the signature (ENM_E_ARGUMENT on a mismatch, a bug here). */
ENM_MUST_CHECK enm_result gpu_launch(gpu_queue *queue, gpu_kernel *kernel, gpu_range range, const gpu_arg *args, uint32_t count);

/* ---- recordings: launches submitted all at once, where the device has command buffers ------------------------------ */

typedef struct gpu_recording gpu_recording;

/* Whether the device can: cl_khr_command_buffer of a version known here. ENAMEL_COMMAND_BUFFERS=0 in the environment
 * says no. */
bool gpu_can_record(const gpu_device *device);

/* From here to gpu_record_end the queue keeps what gpu_launch, gpu_copy and gpu_fill are given, arguments and all,
 * and runs nothing of it; every other command in between is ENM_E_ARGUMENT, and so is a queue that is being
 * profiled. ENM_E_DEVICE where the device cannot. */
ENM_MUST_CHECK enm_result gpu_record_begin(gpu_queue *queue);
/* Must follow every gpu_record_begin that was good. NULL for `out_recording` drops what was kept, for instance after
 * a failure. */
ENM_MUST_CHECK enm_result gpu_record_end(gpu_queue *queue, gpu_recording **out_recording);
/* Runs it after what the queue was given before, once or often; results are those of the plain commands. The buffers
 * must be those of the time of recording, and live. */
ENM_MUST_CHECK enm_result gpu_replay(gpu_queue *queue, gpu_recording *recording);
/* No run of it may be under way. */
void gpu_recording_destroy(gpu_recording **recording);

/* ---- profiling: device time per stage of a frame ---------------------------------------------------------------- */

typedef struct gpu_profile gpu_profile; /* of one frame; holds events, allocates nothing once it has grown */

ENM_MUST_CHECK enm_result gpu_profile_create(gpu_device *device, uint32_t stage_count, gpu_profile **out_profile);
void gpu_profile_destroy(gpu_profile **profile);
/* From here on the queue's commands count for `stage` of `profile` (NULL: not measured). Where event times mean nothing
 * the wall time between changes of stage is taken, which waits for the queue at each change. */
ENM_MUST_CHECK enm_result gpu_profile_stage(gpu_queue *queue, gpu_profile *profile, uint32_t stage);
/* Sums the finished commands into `out_ms[stage_count]` and empties the profile. Call when the frame is done. */
ENM_MUST_CHECK enm_result gpu_profile_collect(gpu_profile *profile, float *out_ms);

/* ---- faults, for tests ----------------------------------------------------------------------------------------------- */

/* Makes the n-th OpenCL call from now fail (1: the next), once; 0 disarms. The count of calls since it was last armed
 * comes from gpu_fault_calls. Only in builds with ENM_FAULTS (the internal test library); elsewhere it does nothing. */
void gpu_fault_arm(uint64_t n);
uint64_t gpu_fault_calls(void);
/* OpenCL objects (events too) that have been made and not released. */
int64_t gpu_fault_objects(void);

#endif
