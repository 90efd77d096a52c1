/* SPDX-License-Identifier: Apache-2.0
 *
 * Enamel: stitches the depth frames of a handheld intraoral scanner into one metric, coloured 3D model.
 *
 * This header is the whole contract of libenamel. The way through it:
 *
 *     enm_context_create     choose an OpenCL device, build or load its kernels
 *     enm_session_create     one scan: camera, voxel size, memory bound
 *     enm_session_push       once per depth frame, asynchronous
 *     enm_session_next_report  verdict, pose and timing of each frame, in order
 *     enm_session_mesh       the surface so far, at any moment
 *     enm_session_surface_update  what of it has changed, while scanning
 *     enm_mesh_save          PLY, STL or OBJ
 *     enm_drawing_render     pictures of meshes (enm_session_render: of the model)
 *
 * Conventions
 *   Lengths are millimetres, angles radians, times nanoseconds; a name says so where it can (`voxel_mm`).
 *   Transforms are named target_from_source. Frames are right-handed. The camera looks along +z, x to the right and y
 *   down the image; pixel centres are at integers; depth is the z coordinate, not the length of the ray.
 *
 * Results
 *   Every call that can fail returns an enm_result: zero is good, positive is good but worth a look, negative is a
 *   failure. After a failure enm_last_error() holds one line of text for the calling thread. A bad argument is an
 *   ENM_E_ARGUMENT in every build, never a crash: NULL where an object is needed, a definition that did not come from
 *   its defaults function, a value out of its stated range, NaN. A failed call leaves its objects as they were and sets
 *   out parameters to NULL or zero, unless its comment says otherwise. Where ENM_E_DEVICE may come back and the driver
 *   says that memory is what it lacks, it is ENM_E_MEMORY (the host's) or ENM_E_CAPACITY (the device's).
 *
 * Ownership
 *   *_create, *_load, enm_session_mesh and enm_session_surface_update hand an object to the caller, who gives it back with the *_destroy of its
 *   type; destroy takes the address, accepts NULL and the address of NULL, sets it to NULL and cannot fail. A context
 *   must outlive its sessions (destroying it earlier is safe: the sessions keep it alive). Definitions and frames are
 *   read during the call and may go away after it.
 *
 * Threads
 *   A context may be used from any thread, by several at once. A session may be used from any thread, by one at a time;
 *   different sessions are independent. The library has no global state beyond the text behind enm_last_error().
 *
 * Repeatability
 *   The same frames, definition, device and driver give the same poses and the same mesh, bit for bit, whatever else
 *   the machine does and from whichever threads the calls come.
 */
#ifndef ENAMEL_H
#define ENAMEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(ENM_STATIC)
#define ENM_API
#elif defined(__GNUC__)
#define ENM_API __attribute__((visibility("default")))
#else
#define ENM_API
#endif
#if defined(__GNUC__)
#define ENM_MUST_CHECK __attribute__((warn_unused_result))
#else
#define ENM_MUST_CHECK
#endif

#define ENM_VERSION_MAJOR 0
#define ENM_VERSION_MINOR 1
#define ENM_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/* ---- results ---------------------------------------------------------------------------------------------------- */

typedef enum enm_result {
	ENM_OK = 0,
	ENM_EMPTY = 1,          /* nothing there (yet): no report is ready, the model has no surface */
	ENM_FULL = 2,           /* the memory bound is reached: the model is kept, but no longer grows */
	ENM_CANCELLED = 3,      /* the caller's callback ended it: everything is as it was before the call */
	ENM_E_ARGUMENT = -1,    /* a bad argument; the text names it */
	ENM_E_NO_DEVICE = -2,   /* no OpenCL platform, or no device that fits the wish */
	ENM_E_DEVICE = -3,      /* an OpenCL call failed; where it ends a session, and what else does: see enm_session */
	ENM_E_BUILD = -4,       /* the kernels did not build on this device; the text holds the start of the log */
	ENM_E_MEMORY = -5,      /* no host memory */
	ENM_E_CAPACITY = -6,    /* the device memory asked for exceeds the bound or the device, or a mesh what 32 bits can number */
	ENM_E_IO = -7,          /* a file could not be read or written; the text names it */
	ENM_E_FORMAT = -8       /* a file was read but is not what it should be; the text names file, place and reason */
} enm_result;

/* The name of a result, such as "ENM_E_DEVICE". Never NULL. */
ENM_API const char *enm_result_name(enm_result result);

/* One line about the calling thread's last failure, "" before the first. Valid until that thread's next enm_ call. */
ENM_API const char *enm_last_error(void);

/* "0.1.0" of the library at run time (the macros above tell that of the header). */
ENM_API const char *enm_version(void);

/* ---- geometry --------------------------------------------------------------------------------------------------- */

/* A rigid transform: p_target = R(q) p_source + t. The quaternion is (x, y, z, w) of unit length (to 1e-3 where a call takes it). */
typedef struct enm_pose {
	double t_mm[3];
	double q_xyzw[4];
} enm_pose;

ENM_API enm_pose enm_pose_identity(void);

/* Systematic error of the depth readings over the field of view, in um, with x and y running from -1 to 1 over the
 * width and height: error = constant + tilt_x x + tilt_y y + bow (x2 + y2) + astigmatism (x2 - y2) + twist x y.
 * It is subtracted from each reading. */
typedef struct enm_depth_residual {
	float bow_um, astigmatism_um, twist_um, tilt_x_um, tilt_y_um, constant_um;
} enm_depth_residual;

/* Pinhole camera with OpenCV's five-parameter distortion (k1, k2, p1, p2, k3). */
typedef struct enm_camera {
	uint32_t width, height; /* 16 to 4096 pixels each */
	double fx, fy, cx, cy;  /* pixels; focal lengths 1 to 1e5, the principal point within three image sizes */
	double distortion[5];   /* -10 to 10 each; all zero for a rectified camera */
	enm_depth_residual residual; /* -1e4 to 1e4 um each; all zero where it is not known */
} enm_camera;

/* ---- devices ---------------------------------------------------------------------------------------------------- */

typedef enum enm_device_kind { ENM_DEVICE_ANY = 0, ENM_DEVICE_GPU = 1, ENM_DEVICE_CPU = 2, ENM_DEVICE_OTHER = 3 } enm_device_kind;

typedef struct enm_device_info {
	uint32_t index; /* position in the list; what enm_context_def.device_index means */
	enm_device_kind kind;
	char name[128], vendor[128], platform[128], driver[128], opencl_version[64], opencl_c_version[64];
	char pci_address[32]; /* "0000:01:00.0", or "" where the driver does not tell */
	uint64_t memory_bytes, largest_allocation_bytes, local_memory_bytes;
	uint32_t compute_units, work_group_max;
	bool fp16, fp64, command_buffers, sub_groups, unified_memory;
	bool usable;      /* meets the floor: OpenCL 1.2, a compiler, little endian, groups of 64 */
	char reason[128]; /* why it is not usable, or "" */
} enm_device_info;

/* Lists all devices of all platforms in the loader's order. Writes at most `capacity` of them to `out_devices` (may be
 * NULL with capacity 0) and the number there are to `out_count`. Platforms with no device are skipped. No platform at
 * all is ENM_OK with a count of 0. ENM_E_DEVICE, ENM_E_MEMORY: `out_count` is 0, and `out_devices` as it was. */
ENM_API ENM_MUST_CHECK enm_result enm_devices(enm_device_info *out_devices, size_t capacity, size_t *out_count);

/* ---- context: a device with its kernels ------------------------------------------------------------------------- */

typedef enum enm_log_level { ENM_LOG_ERROR = 0, ENM_LOG_WARNING = 1, ENM_LOG_INFO = 2, ENM_LOG_DEBUG = 3 } enm_log_level;

/* Called on the thread that runs the enm_ call the text is about. */
typedef void (*enm_log_fn)(void *user, enm_log_level level, const char *text);

typedef struct enm_context_def {
	uint32_t cookie; /* set by enm_context_def_default; do not touch */
	enm_device_kind device_kind; /* ENM_DEVICE_ANY: the first usable GPU, else CPU, else anything */
	int32_t device_index;        /* position in enm_devices, or -1 to choose by name and kind */
	const char *device_name;     /* part of the device's or platform's name, case ignored; NULL for any */
	const char *cache_dir;       /* where built kernels are kept; NULL: $ENAMEL_CACHE_DIR, else $XDG_CACHE_HOME/enamel,
	                              * else ~/.cache/enamel; "" for no cache. A cache that cannot be read or written is
	                              * logged as a warning and otherwise ignored. */
	const char *kernel_dir;      /* for work on kernels: read their sources from here; NULL: $ENAMEL_KERNEL_DIR, else
	                              * the ones inside the library */
	enm_log_fn log;              /* NULL (default) for silence */
	void *log_user;
	enm_log_level log_level;     /* what is less grave is not told; ENM_LOG_WARNING by default */
} enm_context_def;

typedef struct enm_context enm_context;

ENM_API enm_context_def enm_context_def_default(void);

/* Opens the device and builds all kernels (or loads them from the cache). Takes seconds without a cache.
 * ENM_E_NO_DEVICE, ENM_E_BUILD, ENM_E_DEVICE, ENM_E_MEMORY. */
ENM_API ENM_MUST_CHECK enm_result enm_context_create(const enm_context_def *def, enm_context **out_context);
ENM_API void enm_context_destroy(enm_context **context);

ENM_API ENM_MUST_CHECK enm_result enm_context_device(const enm_context *context, enm_device_info *out_device);

typedef struct enm_context_stats {
	double startup_ms;       /* wall time of enm_context_create */
	uint32_t programs_built; /* compiled from source */
	uint32_t programs_cached; /* loaded from the cache */
	bool event_times_trusted; /* false where the driver's event times mean nothing and wall times stand in */
	uint64_t device_bytes, device_bytes_peak; /* of all sessions of the context */
} enm_context_stats;

ENM_API ENM_MUST_CHECK enm_result enm_context_get_stats(const enm_context *context, enm_context_stats *out_stats);

/* Runs the kernels on small made-up data with known answers (about a second) and says in `out_passed` whether all were
 * right; what went wrong is in enm_last_error(). A failure to run is a negative result: as those of a session, and
 * ENM_E_BUILD, since kernels that only this call needs are built now. */
ENM_API ENM_MUST_CHECK enm_result enm_context_self_check(enm_context *context, bool *out_passed);

/* Measures on made-up frames which of a few settings is fastest on the device (about 20 seconds; longer where a
 * frame takes more than a tenth of one; nothing else should be running), and keeps them in the cache's folder for
 * this device, driver and version. Sessions created from then on use them, in contexts opened later too. Where the
 * gain is within the noise, a setting stays what it is without. No setting changes a result. A cache that cannot be
 * written is logged as a warning: then they last as long as the context. Fails as a session does, with ENM_E_DEVICE
 * also where the same frames come out otherwise: the settings are as they were. */
ENM_API ENM_MUST_CHECK enm_result enm_context_tune(enm_context *context);

typedef struct enm_tuning {
	char name[32];
	uint32_t value;   /* that sessions use */
	uint32_t initial; /* that they use where nothing was measured */
	bool measured;    /* by enm_context_tune, and kept */
} enm_tuning;

/* The settings of a device of enm_devices as a context opened now would have them, without opening it. `cache_dir`
 * is that of enm_context_def. Writes at most `capacity` and tells in `out_count` how many there are. ENM_E_ARGUMENT
 * when there is no such device, ENM_E_DEVICE, ENM_E_MEMORY: `out_count` is 0, and `out_settings` as it was. */
ENM_API ENM_MUST_CHECK enm_result enm_device_tuning(
	uint32_t device_index, const char *cache_dir, enm_tuning *out_settings, size_t capacity, size_t *out_count);

/* ---- session: one scan ------------------------------------------------------------------------------------------ */

/* Two sets of defaults: a jaw seen from 2 to 40 mm, or a room from 0.3 to 5 m. */
typedef enum enm_scale { ENM_SCALE_TOOTH = 0, ENM_SCALE_ROOM = 1 } enm_scale;

typedef enum enm_tracker {
	ENM_TRACKER_FIELD = 0,  /* direct alignment to the distance field (the default) */
	ENM_TRACKER_RAYCAST = 1 /* projective point-to-plane against a raycast; kept for comparison */
} enm_tracker;

/* What happened with a frame, as bits. */
typedef enum enm_event {
	ENM_EVENT_LOST = 1,           /* the frames before were tracked or weak; this one is lost */
	ENM_EVENT_RECOVERED = 2,      /* tracked again after a loss */
	ENM_EVENT_KEYFRAME = 4,       /* kept as a place to come back to */
	ENM_EVENT_ISLAND_BEGUN = 8,   /* the way back was not found: another model is built apart from the first, one of up to four */
	ENM_EVENT_ISLAND_JOINED = 16, /* overlaps proved where an island belongs: its frames are part of the model */
	ENM_EVENT_ISLAND_DROPPED = 32, /* no such proof was found, and another island takes its place or the scan has gone on without it for long */
	ENM_EVENT_BEGUN_AGAIN = 64,    /* a model of a few frames, which no other agreed with, is forgotten: the scan begins with this one */
	ENM_EVENT_CORRECTED = 128      /* with close_loops_every: before this frame all poses and the model were corrected (enm_session_pose) */
} enm_event;

/* Called for a frame with events, in frame order, on the thread and from within the enm_ call that finds the frame done (push, flush, next_report,
 * finish, refine, reset). It may not call the session. */
struct enm_report;
typedef void (*enm_event_fn)(void *user, const struct enm_report *report);

/* Called on the thread of enm_session_refine or enm_session_finish, several times a second, with what is being done ("islands", "maps", "overlaps", "comparing",
 * "fusing") and the share of it that is done, 0 to 1, which begins again where one thing follows another. Returns false to cancel. It may not call the session. */
typedef bool (*enm_refine_fn)(void *user, const char *what, double done);

/* Of enm_session_def.close_loops_every: in enm_session_finish alone, as where no time is left beside the frames. */
#define ENM_CLOSE_LOOPS_AT_END 0xFFFFFFFFu

/* Of two defaults, the first is that of ENM_SCALE_TOOTH, the second that of ENM_SCALE_ROOM. */
typedef struct enm_session_def {
	uint32_t cookie; /* set by enm_session_def_default; do not touch */
	enm_camera camera;
	double depth_mm_per_unit;      /* of 16-bit depth: 0.001 for 1 um steps; 1e-6 to 1e3. 0.001 or 1 by default */
	double depth_min_mm, depth_max_mm; /* readings outside are no readings (enm_report.valid_readings tells how many are left);
	                                * 1e-3 to 1e6, min < max. 2 to 40, or 300 to 5000 by default */
	double depth_sigma_mm;         /* axial noise at depth_sigma_at_mm and normal incidence; grows with depth squared. 1e-5 to
	                                * 1e3; 0.02 or 2 by default */
	double depth_sigma_at_mm;      /* the stand-off: frames from farther must be surer of their pose to be tracked. 1e-3 to 1e6;
	                                * 13 or 1000 by default */
	double voxel_mm;               /* edge of a voxel; 1e-3 to 1e3. 0.1 or 10 by default */
	double truncation_mm;          /* half width of the band around the surface; 2 to 16 voxels. 0.4 or 40 by default, which does
	                                * not follow voxel_mm: set both */
	uint64_t device_bytes_max;     /* the session's bound on device memory; 0 (default): three quarters of the device's, at most
	                                * 4 GiB */
	enm_pose start_world_from_camera; /* pose of the first frame; the identity by default */
	double row_time_s;             /* between the exposures of two rows; 0 (default): all at once. A frame's time and pose are
	                                * those of its first row. 0 to 0.1 s for the whole frame. ENM_TRACKER_RAYCAST takes all rows
	                                * as exposed at once */
	enm_tracker tracker;
	bool color;                    /* frames bring colour: the model keeps it, and tracking uses it. Off by default: what colour
	                                * frames bring is not looked at */
	bool recover;                  /* look for the way back after a loss (default); else wait where it was lost */
	bool foreign_bodies;           /* keep what moves through the view (tongue, cheek, finger) out of the model; default at
	                                * ENM_SCALE_TOOTH. In a library that was built without it off, and ENM_E_ARGUMENT */
	bool stage_times;              /* measure device time per stage (enm_report.stage_ms). On by default, though it costs a few
	                                * percent on some drivers, and command buffers (enm_context_tune) are not used with it. Where
	                                * event times cannot be trusted, enm_session_push waits for the device at every stage */
	bool keep_frames;              /* keep the tracked frames as they came, so that the scan can be refined (enm_session_refine); off by default */
	uint64_t frames_bytes_max;     /* bound on the host memory for that, 1 GiB by default: 7,000 frames of 320 x 240 without colour */
	const char *frames_spill_path; /* frames beyond the bound go to this file, which must not exist (ENM_E_IO); it has no name from when the session is
	                                * created, and leaves nothing behind. NULL, or a disk that is full: they are left out of refinement and of the
	                                * model that is fused by it, and are counted. Must live as long as the session */
	uint32_t frames_expected;      /* with keep_frames: what is noted of so many frames (400 bytes each) gets its memory when the session is created and keeps
	                                * it, so that a scan takes no more as it goes on; beyond, more is taken in steps. 0 (default) to 10,000,000 */
	uint32_t close_loops_every;    /* with keep_frames: each time that so many frames were tracked (or a third more than the last time, if that is more), solve
	                                * for all poses so far together with the depth residual of the session, on a thread of the library, and correct poses
	                                * and model (ENM_EVENT_CORRECTED) at frames that are the same in every run; the last time in enm_session_finish.
	                                * 0: never (default), ENM_CLOSE_LOOPS_AT_END, else 20 to 100000; 200 suits a jaw. A second model is made meanwhile;
	                                * where there is no room for it or for a frame, while an island waits to be joined (enm_session_finish gives up one
	                                * that nothing has joined, and its frames stay apart), and where colour holds what the shape does not, loops stay
	                                * open (enm_session_stats) */
	double close_loops_moved_mm;   /* while the scan goes on, all frames are fused again only if that moves the places they look at by more (root mean
	                                * square); less is left to the next time. 0 to 100; a quarter of the default's voxel by default */
	enm_refine_fn on_finish;       /* NULL: none. Called by enm_session_finish while it fuses the frames of joined islands, and while it closes loops, which may take
	                                * minutes after a long scan: where it returns false then they stay as they are until the next time, and
	                                * enm_session_finish returns as if there were none */
	void *finish_user;
	enm_event_fn on_event;         /* NULL: events are in the reports only */
	void *event_user;
} enm_session_def;

/* What ends a session: any error of enm_session_push, enm_session_next_report, enm_session_flush, enm_session_finish and
 * enm_session_reset but ENM_E_ARGUMENT; of enm_session_refine ENM_E_DEVICE, and any error by the frames and islands that it
 * finishes first; of enm_session_surface_update ENM_E_DEVICE. Other calls end none. From then on push, finish, reset, refine and
 * surface_update fail with that error. The reports, poses, surface and pictures of what was done before can still be asked for,
 * as far as the device answers. */
typedef struct enm_session enm_session;

/* Defaults for a camera and a scale, each said at its field: with ENM_SCALE_TOOTH 0.1 mm voxels and readings from 2 to 40 mm,
 * with ENM_SCALE_ROOM 10 mm and 300 to 5000 mm. The camera is copied unchecked; enm_session_create checks it. */
ENM_API enm_session_def enm_session_def_default(const enm_camera *camera, enm_scale scale);

/* ENM_E_ARGUMENT names the field and its range; ENM_E_CAPACITY says what the least would be where device_bytes_max is too small.
 * ENM_E_IO: the file of frames_spill_path exists, or cannot be made. ENM_E_MEMORY, ENM_E_DEVICE. */
ENM_API ENM_MUST_CHECK enm_result enm_session_create(enm_context *context, const enm_session_def *def, enm_session **out_session);
ENM_API void enm_session_destroy(enm_session **session);

/* Forgets model, poses, unread reports and what a refinement found; keeps memory and definition. Frame ids begin at 0 again.
 * Waits. ENM_E_DEVICE, ENM_E_MEMORY: the session has ended. */
ENM_API ENM_MUST_CHECK enm_result enm_session_reset(enm_session *session);

typedef enum enm_depth_format { ENM_DEPTH_U16 = 0, ENM_DEPTH_F32_MM = 1 } enm_depth_format;

/* What the caller knows of the camera's motion since the frame before: a gyroscope, an arm, a tracker of his own. Where it tells anything the engine
 * leaves out what it has learned itself of how steady the hand is. */
typedef struct enm_motion {
	double turn_rad[3]; /* rotation vector (-3.2 to 3.2 each) and translation (-1e6 to 1e6) of previous_from_camera */
	double move_mm[3];
	double information[36]; /* inverse of the covariance of (turn, move), row by row; symmetric, not negative, -1e15 to 1e15. Rows
	                         * of zeros: not known (a gyroscope has no rows of the move) */
} enm_motion;

/* One frame in the caller's memory. Depth of 0, NaN, infinite or out of range means "no reading". */
typedef struct enm_frame {
	const void *depth; /* height rows of width values */
	enm_depth_format depth_format;
	size_t depth_stride_bytes; /* between rows; 0: packed */
	const uint8_t *color_rgb;  /* height rows of width R, G, B bytes, same camera; NULL: this frame has none. Only with
	                            * enm_session_def.color */
	size_t color_stride_bytes; /* 0: packed */
	int64_t time_ns;           /* strictly increasing; gaps are understood */
	const enm_motion *motion;  /* NULL: nothing is known, and the motion before goes on */
} enm_frame;

/* Hands a frame to the device and returns. The frame's memory is free again on return. Waits only when
 * ENM_FRAMES_IN_FLIGHT frames are already under way, and where the model grows close to its memory bound; with close_loops_every also for these where a
 * correction begins or takes effect, and for its solution where that is late; with stage_times on some drivers. ENM_FULL: pushed, but the model has reached its memory bound.
 * ENM_E_ARGUMENT (NULL depth, stride too small, time not after the previous frame's, a motion out of its ranges or whose information is no such matrix):
 * the frame was not taken, and the session goes on. Any other error, of this frame or of one before it, ends the session: ENM_E_MEMORY (no host memory
 * for a frame of an island, or for what keep_frames notes of it), ENM_E_CAPACITY (the model has grown, and what fusion needs beside it has no room), ENM_E_DEVICE. */
#define ENM_FRAMES_IN_FLIGHT 2
ENM_API ENM_MUST_CHECK enm_result enm_session_push(enm_session *session, const enm_frame *frame, uint64_t *out_frame_id);

typedef enum enm_verdict {
	ENM_VERDICT_TRACKED = 0, /* the pose was measured and the frame may be fused */
	ENM_VERDICT_WEAK = 1,    /* aligned, but too poorly to be fused: the pose is a hint */
	ENM_VERDICT_LOST = 2     /* no alignment: the pose is the last good one */
} enm_verdict;

typedef enum enm_reason {
	ENM_REASON_NONE = 0,
	ENM_REASON_FIRST = 1,        /* the first frame defines the pose */
	ENM_REASON_FEW_READINGS = 2, /* too few valid depth readings */
	ENM_REASON_NO_OVERLAP = 3,   /* too little of the frame falls on the model */
	ENM_REASON_FEW_INLIERS = 4,  /* what falls on the model does not agree with it */
	ENM_REASON_DEGENERATE = 5,   /* the surface does not fix the pose (smooth, flat) */
	ENM_REASON_DIVERGED = 6,     /* the alignment ran away from the prediction or did not settle */
	ENM_REASON_FREE_SPACE = 7,   /* the frame contradicts space known to be empty */
	ENM_REASON_RECOVERING = 8    /* a place was found again; the next frames must agree before it is trusted */
} enm_reason;

/* A short text for people, such as "too little of the frame falls on the model". Never NULL. */
ENM_API const char *enm_reason_text(enm_reason reason);

typedef enum enm_stage {
	ENM_STAGE_UPLOAD = 0,
	ENM_STAGE_DEPTH = 1,
	ENM_STAGE_TRACK = 2,
	ENM_STAGE_ALLOCATE = 3,
	ENM_STAGE_FUSE = 4,
	ENM_STAGE_VIEW = 5,
	ENM_STAGE_COUNT = 6
} enm_stage;

ENM_API const char *enm_stage_name(enm_stage stage);

typedef struct enm_report {
	uint64_t frame_id; /* 0 for the first frame pushed */
	int64_t time_ns;
	enm_verdict verdict;
	enm_reason reason;
	bool fused;
	bool full; /* blocks were wanted that the memory bound did not allow */
	enm_pose world_from_camera; /* measured where verdict is TRACKED; else a hint */
	uint32_t valid_readings;    /* of the frame */
	uint32_t samples;           /* points offered to the last alignment step */
	float overlap;              /* share of the samples that fall on the model */
	float inliers;              /* share of those that agree with it, robust weights counted */
	float rms_mm;               /* weighted residual of the last step */
	float least_eigenvalue;     /* of the normalised 6x6 system: 0 is degenerate, about 1 well fixed */
	uint32_t held;              /* directions that the data do not fix; along them the pose keeps to the prediction. Of a frame that was
	                             * aligned to nothing, as the first one, or poorly: that its shape would leave open on any model */
	float held_turn[3], held_move[3]; /* the worst fixed of these in the camera's frame, about the middle of the view: the axis
	                             * and the direction of a motion that the data do not tell; 0 where held is 0 */
	float covariance[36];       /* of (turn in rad, move in mm) of the camera in its own frame, row by row: what the noise of the readings
	                             * and what the caller told leave open. The pose is surer, since the course of a steady hand counts too.
	                             * It holds neither the model's own errors nor those of the depth readings that are the same in each
	                             * frame, and so no drift: errors between poses a second apart are two to four times its square root. 0 where nothing was measured */
	float velocity_turn[3], velocity_move[3]; /* of the camera in its own frame, rad/s and mm/s */
	uint32_t events;            /* bits of enm_event */
	uint32_t island;            /* 0: the first model. Else the pose is that on an island, a model of its own, which is no part of meshes
	                             * and surface until it is joined */
	uint32_t joined_island;     /* with ENM_EVENT_ISLAND_JOINED: which one, wherever this frame is; else 0 */
	uint32_t dropped_island;    /* with ENM_EVENT_ISLAND_DROPPED: likewise */
	enm_pose first_from_island; /* with ENM_EVENT_ISLAND_JOINED: takes the poses of the island's frames into the first model */
	uint32_t iterations;
	uint32_t blocks_used, blocks_added, blocks_in_view;
	float stage_ms[ENM_STAGE_COUNT]; /* device time (wall time where events cannot be trusted); 0 if not measured */
	float latency_ms;                /* from push to report */
} enm_report;

/* Writes what a report says in words, such as "weak: the surface does not fix the pose (the position along the view's x is
 * not determined)", cut to `capacity` bytes with the closing zero. */
ENM_API void enm_report_text(const enm_report *report, char *out_text, size_t capacity);

/* The next report in frame order. ENM_EMPTY when the next frame is still under way or none is. At most
 * ENM_REPORTS_KEPT unread reports are kept; older ones are dropped. ENM_E_MEMORY (as enm_session_push), ENM_E_DEVICE: the
 * session has ended. */
#define ENM_REPORTS_KEPT 4096
ENM_API ENM_MUST_CHECK enm_result enm_session_next_report(enm_session *session, enm_report *out_report);

/* Waits until every pushed frame is done and its report can be read. ENM_E_MEMORY (as enm_session_push), ENM_E_DEVICE: the
 * session has ended. */
ENM_API ENM_MUST_CHECK enm_result enm_session_flush(enm_session *session);

/* For the end of a scan: flushes, and does what is put off while frames come (the frames of an island that was joined lately are fused; loops are
 * closed, see close_loops_every and on_finish). Frames may follow. ENM_FULL when the memory bound did not allow all blocks that those frames wanted.
 * ENM_E_MEMORY, ENM_E_CAPACITY (both as enm_session_push), ENM_E_DEVICE: the session has ended. That a loop cannot be closed is no error
 * (enm_session_stats.corrections_dropped). */
ENM_API ENM_MUST_CHECK enm_result enm_session_finish(enm_session *session);

/* ---- refinement of a scan ---------------------------------------------------------------------------------------- */

/* How much work: each third frame is compared with others, or every one, at more places and with more others. The frames in between follow
 * their neighbours. */
typedef enum enm_refine_level { ENM_REFINE_LOW = 0, ENM_REFINE_STANDARD = 1, ENM_REFINE_HIGH = 2 } enm_refine_level;

/* Called on the thread of enm_session_refine, after each round but the last, with what a later call can go on from. The bytes are not there any more when it
 * returns. It may not call the session. */
typedef void (*enm_refine_state_fn)(void *user, const void *state, size_t bytes);

typedef struct enm_refine_def {
	uint32_t cookie; /* set by enm_refine_def_default; do not touch */
	enm_refine_level level; /* ENM_REFINE_STANDARD by default */
	uint32_t seed; /* of the choice of what is compared with what; 1 by default */
	enm_depth_residual prior_um; /* how far the depth residual may be off that of the camera (1 sigma): 10 (bow, astigmatism, twist), 2
	                              * (tilts) and 5 um (constant) by default; less where a calibration is trusted, 0: keep the term. 0 to 1000 */
	double prior_covariance_um2[36]; /* the same with what the terms have in common, in the order of enm_depth_residual, row by row, as an earlier
	                              * enm_refine_result has it: symmetric and positive, -1e6 to 1e6. Takes the place of prior_um; all 0 (default): prior_um
	                              * is used */
	enm_refine_fn on_progress; /* NULL: none */
	void *user;                /* of both callbacks */
	/* To go on after a cancelled call, a crash or on another machine of the same byte order: what on_state was given by a refinement of the same frames, pushed and
	 * tracked alike, with the same definition otherwise. The result is the same as without the interruption. Anything else is refused with ENM_E_ARGUMENT. */
	enm_refine_state_fn on_state; /* NULL: none */
	const void *state;            /* the caller's, for the time of the call; NULL: from the beginning */
	size_t state_bytes;
} enm_refine_def;

ENM_API enm_refine_def enm_refine_def_default(void);

typedef struct enm_refine_result {
	enm_depth_residual residual; /* of the session's depth readings, with what the camera had before */
	double covariance_um2[36];   /* of its terms, in the order of enm_depth_residual, row by row */
	bool observed[6];            /* which of them the scan tells: it has at least halved their sigma */
	uint64_t frames;             /* tracked on the first model and kept */
	uint64_t frames_compared;    /* of these, with others */
	uint64_t frames_left_out;    /* of these, what they show agrees too little with others: not in the model any more */
	uint64_t frames_not_kept;    /* tracked, but neither memory nor file had room: not in the model any more */
	uint32_t pairs;              /* of frames */
	uint32_t parts;              /* that have nothing in common with one another, and keep their places; 1 is good */
	uint32_t rounds, iterations; /* of comparison; of the solver, in all rounds */
	double misfit_before, misfit_after; /* root mean square of the differences between frames, in sigmas of what noise they have */
	float inliers_before, inliers_after; /* share of the comparisons that agree, robust weights counted */
	uint32_t seed;
	double compare_s, solve_s, fuse_s; /* wall time */
	uint64_t device_bytes;             /* taken meanwhile, besides the model */
} enm_refine_result;

/* Solves for the poses of all frames kept and for the depth residual of the session, and fuses the model again by what was found; frames pushed later
 * use the residual too. To be called when the scan is complete, after enm_session_finish: an island that is not joined is forgotten, with
 * its frames. Turns of successive frames are tied to one another as far as the scan shows that the hand was steady. Poses come from enm_session_pose; reports
 * keep the old ones. The first frame stays where it is. Scale is not found by comparing frames with one
 * another: an error of gain stays what it is.
 *
 * Takes device memory within the session's bound: 8 bytes for every second pixel each way of each frame compared (150 KB of 320 x 240; fewer frames are compared where the
 * bound is too small), then a second model, which takes the first one's place when it is complete. Where there is no room for two, the model is emptied
 * and fused in place. From then on there is no way back: what on_progress returns is not looked at, and any error, also that the spill file cannot be read
 * or that host memory lacks, comes back as ENM_E_DEVICE, with its own text in enm_last_error(), and ends the session, which is left with the part of the
 * model that was fused. What the bound has no room for then is not in the model, which is no error.
 *
 * ENM_EMPTY: nothing to compare (fewer than two frames, or none that overlap): nothing is changed. ENM_CANCELLED. ENM_E_ARGUMENT (NULL, a definition
 * not made by its defaults function or out of range, a session without keep_frames), ENM_E_CAPACITY (no room for two frames to compare), ENM_E_MEMORY, ENM_E_IO (the
 * spill file cannot be read): the session goes on, unless they are of frames that were still under way (see enm_session). ENM_E_DEVICE: it has ended. */
ENM_API ENM_MUST_CHECK enm_result enm_session_refine(enm_session *session, const enm_refine_def *def, enm_refine_result *out_result);

/* The pose of a frame as it is known by now: corrected where the scan was refined, in the first model where its island was joined. `out_fused`: whether it is
 * part of the model (may be NULL). ENM_EMPTY where the frame was not tracked, or lies apart from the first model. ENM_E_ARGUMENT: no such frame, one that is not
 * done yet, or a session without keep_frames. Whatever is not ENM_OK leaves the identity, and false. */
ENM_API ENM_MUST_CHECK enm_result enm_session_pose(const enm_session *session, uint64_t frame_id, enm_pose *out_pose, bool *out_fused);

/* ---- how well a refined scan is known ---- */

/* Where the model is held: errors are told relative to it. */
typedef enum enm_pin {
	ENM_PIN_FIRST = 0,    /* at the first frame; its own noise, turned over the arch, is in every error */
	ENM_PIN_FIRST_30 = 1, /* at the first 30 frames together */
	ENM_PIN_WHOLE = 2     /* at all frames together: for what does not depend on how it is held, such as a distance. Single frames have no part in
	                       * that, and their own noise is not counted */
} enm_pin;

/* Something that depends on places of the model, such as the distance between two. */
typedef struct enm_quantity {
	const double *points_mm; /* 3 a point, on the model */
	const double *gradients; /* 3 a point: by how much the quantity changes per mm that the point moves */
	size_t count;            /* of points, 1 and more */
} enm_quantity;

/* Covariance of `count` quantities (1 to 256) of the model as the last refinement made it, count x count, in the squares of their units: what the
 * noise of the readings leaves open in the poses of the frames that saw the points, and in the depth residual. Not in it: an error of gain (scale), and what
 * the surface around a point is uncertain by in itself (sigma_um of enm_mesh_data). `out_frames`, one a quantity, is how many of the frames compared
 * saw the point of it that the fewest saw (may be NULL). Takes as long as a round's solve for each eight quantities (enm_refine_result.solve_s tells that of
 * all rounds), and 48 bytes of host memory a frame and quantity, twice. A refined session keeps what this needs: 300 bytes a pair of frames.
 *
 * ENM_EMPTY (and zeros): no frame that hangs together with the first one saw one of the points; `out_frames` tells of which quantity. ENM_E_ARGUMENT (NULL, a pin that is
 * none, a count out of range, a quantity without points, numbers that are not finite, a scan that was not refined), ENM_E_MEMORY, ENM_E_IO (the spill file cannot be read).
 * After an error both are zeros, and as they were where count is out of range. */
ENM_API ENM_MUST_CHECK enm_result enm_session_covariance(const enm_session *session, enm_pin pin, const enm_quantity *quantities, size_t count,
	double *out_covariance, uint32_t *out_frames);

/* The distance between two points on the model, and its standard deviation by that (ENM_PIN_WHOLE). Results as above. */
ENM_API ENM_MUST_CHECK enm_result enm_session_distance(
	const enm_session *session, const double from_mm[3], const double to_mm[3], double *out_mm, double *out_sigma_um);

/* Covariance of a frame's pose relative to where the model is held: of a turn (rad) and a move (mm) in the frame's own camera frame, row by row. Takes as
 * long as six quantities. ENM_EMPTY where the frame was not compared with others. Other results as above. */
ENM_API ENM_MUST_CHECK enm_result enm_session_pose_covariance(
	const enm_session *session, uint64_t frame_id, enm_pin pin, double out_covariance[36]);

typedef struct enm_session_stats {
	uint64_t frames_pushed, frames_tracked, frames_weak, frames_lost, frames_fused;
	uint64_t device_bytes, device_bytes_peak, device_bytes_max;
	uint64_t blocks_used, blocks_capacity; /* of 8x8x8 voxels */
	uint64_t device_calls_blocking; /* times the library waited for the device inside enm_session_push */
	uint64_t device_allocations;    /* device buffers made since the session was created */
	uint64_t frames_kept, frames_not_kept; /* with keep_frames: tracked frames that there was room for, and others */
	uint64_t frames_bytes, frames_spilled_bytes; /* in host memory, in the spill file */
	uint64_t corrections, corrections_dropped; /* with close_loops_every: of poses and model; those that had no room, or did not make frames agree better */
} enm_session_stats;

ENM_API ENM_MUST_CHECK enm_result enm_session_get_stats(const enm_session *session, enm_session_stats *out_stats);

/* ---- pictures of the model -------------------------------------------------------------------------------------- */

/* What the colour of a place tells. Clay and colour are lit with full contrast; the others but NORMAL are lit faintly, so that a place keeps
 * the hue that enm_legend gives it. Maps are told apart by colour-blind eyes. A place of which the value is not known (a mesh without views, a
 * vertex without deviation) is clay. */
typedef enum enm_shade {
	ENM_SHADE_CLAY = 0,      /* grey, lit from the viewer: shows stitching faults that colour hides */
	ENM_SHADE_COLOR = 1,     /* the model's colour, lit; clay where there is none */
	ENM_SHADE_VIEWS = 2,     /* how many frames saw each place: orange few, blue many */
	ENM_SHADE_NORMAL = 3,    /* the normal in the eye's frame as red, green, blue */
	ENM_SHADE_QUALITY = 4,   /* formal standard deviation along the normal, um: yellow small, violet large */
	ENM_SHADE_INCIDENCE = 5, /* angle between the normal and the direction to this picture's eye, degrees: from a scanner's pose, how
	                          * obliquely it sees a place. The model does not keep how places were seen; sigma does count it */
	ENM_SHADE_FLAGS = 6,     /* bits of enm_flag, as colours of enm_legend */
	ENM_SHADE_DEVIATION = 7  /* values of the caller, um: blue below, white 0, orange above; drawings only: a session's model has none */
} enm_shade;

/* What makes a place doubtful, or not as it was measured, as bits. Values 4 and up are kept for places that were filled, locked or scanned again. */
typedef enum enm_flag {
	ENM_FLAG_FEW_VIEWS = 1,     /* seen by fewer than 5 frames */
	ENM_FLAG_LOW_CONFIDENCE = 2 /* a formal standard deviation above 10 um */
} enm_flag;

typedef struct enm_view_def {
	uint32_t cookie; /* set by enm_view_def_default; do not touch */
	uint32_t width, height; /* 1 to 8192 */
	enm_pose world_from_eye; /* looks along +z, x right, y down */
	double focal_pixels;     /* perspective: focal length; orthographic: pixels per mm. 1e-3 to 1e6. The eye's axis is in the middle
	                          * of the picture, at ((width - 1) / 2, (height - 1) / 2) */
	bool orthographic;       /* nothing behind the plane z = 0 of the eye is drawn either way */
	enm_shade shade;
	double shade_low, shade_high; /* of VIEWS, QUALITY, INCIDENCE, DEVIATION: what the ends of the map stand for; values beyond have the end's
	                               * colour. 0 and 0 (default): 1 to 30 views, 0 to 20 um, 0 to 90 degrees, -100 to 100 um. -1e9 to 1e9, low < high */
	uint8_t background_rgb[3];
	bool cut;                /* leave out what lies on one side of a plane in the world, and draw a line along the cut. Nothing is filled: through
	                          * the cut one sees the surface from behind */
	double cut_normal[3];    /* points with dot(cut_normal, p) > cut_mm are left out; unit length (to 1e-6) */
	double cut_mm;           /* -1e9 to 1e9 */
} enm_view_def;

/* From the world's origin, in perspective, `width` pixels of focal length (53 degrees across), clay on (24, 26, 30), no cut. */
ENM_API enm_view_def enm_view_def_default(uint32_t width, uint32_t height);

typedef enum enm_legend_kind {
	ENM_LEGEND_NONE = 0, /* the shade has no values: clay, colour, normal */
	ENM_LEGEND_RAMP = 1, /* a value for each colour, from low to high */
	ENM_LEGEND_KINDS = 2 /* a few colours with a name each */
} enm_legend_kind;

#define ENM_LEGEND_ENTRIES_MAX 8

/* What the colours of a picture stand for. */
typedef struct enm_legend {
	enm_legend_kind kind;
	char title[32];   /* "frames that saw it", "noise (1 sigma)": short, for people; "" for ENM_LEGEND_NONE */
	char unit[16];    /* UTF-8: "\302\265m", "\302\260" or "" */
	double low, high; /* of a ramp */
	uint32_t entry_count; /* of kinds */
	struct {
		char name[32];
		uint32_t flags; /* bits of enm_flag that such a place has; 0: none */
		uint8_t rgb[3];
	} entries[ENM_LEGEND_ENTRIES_MAX];
} enm_legend;

/* The legend of pictures by a definition: by the same tables that the device draws with. ENM_E_ARGUMENT as enm_session_render. Any thread. */
ENM_API ENM_MUST_CHECK enm_result enm_view_legend(const enm_view_def *def, enm_legend *out_legend);

/* The colour of a value before it is lit: of a ramp that of the value, of kinds that of the flags (a whole number). NaN, and shades without values:
 * the clay. ENM_E_ARGUMENT as enm_session_render. Any thread. */
ENM_API ENM_MUST_CHECK enm_result enm_view_legend_color(const enm_view_def *def, double value, uint8_t out_rgb[3]);

/* What a ray through a picture meets first. */
typedef struct enm_hit {
	uint32_t mesh;         /* id in the drawing; 0 for a session's model */
	uint32_t triangle;     /* of the mesh; UINT32_MAX for a session's model */
	double barycentric[3]; /* weights of the triangle's vertices, 0 to 1, sum 1; 0 for a session's model */
	double position_mm[3]; /* in the world */
	double normal[3];      /* in the world, unit, outward: as the picture is lit by */
	double depth_mm;       /* along the eye's axis */
	float sigma_um;        /* NaN: not known */
	uint32_t views;        /* frames that saw the place, at most 255; 0: not known */
	bool from_behind;      /* the surface is seen from its inner side */
} enm_hit;

/* Raycasts the model as it is after the frames pushed so far into `out_rgba`: height rows of width R, G, B, A bytes
 * (A is 255 on the model, 0 on the background), packed. `out_bytes` is the size of the caller's buffer. Surfaces seen from behind are darker.
 * Waits. ENM_E_ARGUMENT (NULL, a definition not made by its defaults function or out of range, a buffer too small), ENM_E_CAPACITY, ENM_E_DEVICE: what is
 * in the buffer then is no picture. */
ENM_API ENM_MUST_CHECK enm_result enm_session_render(enm_session *session, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes);

/* What is seen at a place of that picture, `x` and `y` in pixels (centres at integers, fractions are understood, places outside too). ENM_EMPTY, and
 * `out_hit` all zero: the background. Waits. ENM_E_ARGUMENT (also: x or y not finite or beyond 1e6), ENM_E_CAPACITY, ENM_E_DEVICE. */
ENM_API ENM_MUST_CHECK enm_result enm_session_pick(enm_session *session, const enm_view_def *def, double x, double y, enm_hit *out_hit);

/* Axis-aligned box around the model's blocks. ENM_EMPTY, and zeros, when there is none. Waits. ENM_E_ARGUMENT, ENM_E_MEMORY, ENM_E_DEVICE. */
ENM_API ENM_MUST_CHECK enm_result enm_session_bounds(enm_session *session, double out_min_mm[3], double out_max_mm[3]);

/* ---- surface ---------------------------------------------------------------------------------------------------- */

typedef struct enm_mesh_def {
	uint32_t cookie; /* set by enm_mesh_def_default; do not touch */
	uint32_t views_min;         /* a place seen by fewer frames has no surface; 1 to 255. 3 by default: one or two frames have no mesh */
	uint32_t island_triangles_min; /* connected pieces of fewer triangles are removed (enm_mesh_data.islands_removed); 0 keeps all. 200 by default */
} enm_mesh_def;

ENM_API enm_mesh_def enm_mesh_def_default(void);

typedef struct enm_mesh enm_mesh;

/* Arrays of a mesh. Colours, normals, views and sigmas may be NULL. */
typedef struct enm_mesh_data {
	size_t vertex_count, triangle_count;
	const float *positions_mm;  /* 3 per vertex */
	const float *normals;       /* 3 per vertex, unit, outward */
	const uint8_t *colors_rgb;  /* 3 per vertex; a plaster grey where the model has no colour */
	const uint16_t *views;      /* frames that saw the vertex, at most 255 */
	const float *sigma_um;      /* formal standard deviation along the normal from the frames' noise */
	const uint32_t *triangles;  /* 3 indices per triangle, counter-clockwise seen from outside */
	uint32_t islands_removed;   /* pieces left out by island_triangles_min */
	const float *placed_sigma_um; /* sigma_um with what poses and depth residual are uncertain by, from enm_session_rate_mesh; else NULL. Files have
	                               * no place for it */
} enm_mesh_data;

/* The surface after the frames pushed so far: marching cubes on the observed part only, vertices shared, no hole is
 * filled. ENM_EMPTY (and a mesh without triangles) when nothing has been observed, or the definition leaves nothing of it. Waits. ENM_E_ARGUMENT,
 * ENM_E_CAPACITY (no room for up to 6.5 MB within the bound; more vertices or triangles than can be numbered), ENM_E_MEMORY, ENM_E_DEVICE. */
ENM_API ENM_MUST_CHECK enm_result enm_session_mesh(enm_session *session, const enm_mesh_def *def, enm_mesh **out_mesh);

/* A place of a model that was refined. */
typedef struct enm_place {
	double at_mm[3];          /* a vertex */
	double covariance_um2[9]; /* of where it lies, x, y, z, row by row, by poses and depth residual */
	uint32_t frames;          /* of those compared, that saw it */
} enm_place;

/* Rates a mesh of a refined session: at up to `capacity` places (1 to 64) spread over it, the first where the scan began, it is worked out how far they may lie from
 * where they belong, the model being held as `pin` says (see enm_session_covariance; three quantities a place), and each vertex gets its placed_sigma_um from the
 * places nearest to it. 16 places are enough for an arch. What enm_mesh_get told before stays valid, but for the
 * placed_sigma_um of an earlier rating. ENM_EMPTY: no place was seen by frames that were compared: the mesh stays as it is.
 * ENM_E_ARGUMENT (NULL but for `out_count`, a pin that is none, a capacity out of range, a mesh without normals or sigmas, a scan that was not refined), ENM_E_MEMORY,
 * ENM_E_IO (the spill file cannot be read). Whatever is not ENM_OK leaves zeros, and `out_places` as it was where capacity is out of range. */
ENM_API ENM_MUST_CHECK enm_result enm_session_rate_mesh(const enm_session *session, enm_pin pin, enm_mesh *mesh, enm_place *out_places,
	size_t capacity, size_t *out_count);

/* ---- the surface while scanning ------------------------------------------------------------------------------------ */

/* The surface in patches, one for each cube of 8x8x8 voxels that has any. A caller keeps them by id and is told which have
 * changed: those of an update take the place of the patches with the same ids; one without triangles has gone. All patches
 * together have the triangles of enm_session_mesh with an island_triangles_min of 0; vertices on the border of two patches are
 * in both. Poses and model do not depend on whether anybody follows the surface. */

typedef struct enm_surface_def {
	uint32_t cookie;    /* set by enm_surface_def_default; do not touch */
	uint32_t views_min; /* a place seen by fewer frames has no surface; 1 to 255, 3 by default */
	uint64_t bytes_max; /* of the device's memory, and again of the host's, for one update; 256 KiB to 8 MiB, 2 MiB by default. It bounds the
	                     * blocks that are made anew at a time, and by that how long a frame may have to wait: about
	                     * 350 blocks a MiB. To know what has changed, a session takes 5 bytes more for each block that it
	                     * has room for. */
	double apart_ms;    /* least time between looks for what has changed, 0 to 1000, 40 by default; twice that where no frame is pushed. All
	                     * that is in view changes with every frame: looking at each of them costs most and is the soonest
	                     * shown. */
} enm_surface_def;

ENM_API enm_surface_def enm_surface_def_default(void);

/* As a vertex buffer wants it: 32 bytes. */
typedef struct enm_patch_vertex {
	float position_mm[3];
	float normal[3]; /* unit, outward */
	float sigma_um;  /* as in enm_mesh_data */
	uint8_t rgb[3];  /* a plaster grey where the model has no colour */
	uint8_t views;   /* frames that saw the vertex, at most 255 */
} enm_patch_vertex;

typedef struct enm_patch {
	uint32_t id; /* of its cube; the same throughout the session */
	uint32_t vertex_first, vertex_count;     /* in the update's vertices */
	uint32_t triangle_first, triangle_count; /* in the update's triangles; 0: the patch has gone */
} enm_patch;

typedef struct enm_surface_data {
	bool cleared; /* all patches of earlier updates are void: the first update, or the first after enm_session_reset, a change of
	               * definition, a correction (close_loops_every) or enm_session_refine */
	uint64_t frames;          /* these patches hold the frames with ids below */
	uint64_t frames_complete; /* with this update the whole surface holds the frames with ids below */
	size_t patch_count, vertex_count, triangle_count;
	const enm_patch *patches;
	const enm_patch_vertex *vertices;
	const uint16_t *triangles; /* 3 indices per triangle, from the patch's first vertex; counter-clockwise seen from outside */
} enm_surface_data;

typedef struct enm_surface enm_surface;

/* The patches that an earlier call has had made anew, if they are ready, and has the next ones made. Never waits, save that a
 * change of definition does; meant to be called after each push, and as often as one likes: calls in between have more than one
 * slice made a frame, unless the next frame is near. What is made comes after the frames pushed so far and before the next one. ENM_EMPTY (and NULL): nothing is ready, or nothing has changed. ENM_FULL: an update that
 * bytes_max has cut short; the rest comes with the next ones, each block in its turn. ENM_E_ARGUMENT (NULL, a
 * definition not made by its defaults function or out of range), ENM_E_CAPACITY, ENM_E_MEMORY: there is no room for an update, and the
 * session goes on, unless it was a command on the device that failed so. ENM_E_DEVICE: it has ended. */
ENM_API ENM_MUST_CHECK enm_result enm_session_surface_update(
	enm_session *session, const enm_surface_def *def, enm_surface **out_surface);
ENM_API void enm_surface_destroy(enm_surface **surface);

/* Pointers into the update, valid as long as it lives; it may outlive its session. */
ENM_API ENM_MUST_CHECK enm_result enm_surface_get(const enm_surface *surface, enm_surface_data *out_data);

/* ---- meshes and their files ---------------------------------------------------------------------------------------- */

/* A mesh from the caller's arrays, which are copied. Indices out of range, non-finite positions and more than 4,294,967,295 vertices are ENM_E_ARGUMENT.
 * ENM_E_MEMORY. */
ENM_API ENM_MUST_CHECK enm_result enm_mesh_create(const enm_mesh_data *data, enm_mesh **out_mesh);
ENM_API void enm_mesh_destroy(enm_mesh **mesh);

/* Pointers into the mesh, valid as long as it lives. */
ENM_API ENM_MUST_CHECK enm_result enm_mesh_get(const enm_mesh *mesh, enm_mesh_data *out_data);

/* A closed border of the surface. Borders that touch in a vertex count as one. */
typedef struct enm_gap {
	double centre_mm[3]; /* mean of the border, by its length */
	double normal[3];    /* unit, outward, of a lid on it; 0 where it spans no area */
	double length_mm;    /* of the border */
	double width_mm;     /* twice the distance from the centre to its farthest point */
	double area_mm2;     /* of that lid, seen along the normal */
	bool rim;            /* the longest border of a connected piece, where the scan ends; else a gap in it */
} enm_gap;

/* The borders of a mesh of at least `length_min_mm`, gaps before rims, the longest first, into `out_gaps`, which has room for `capacity` (0: NULL will
 * do). `out_count` is how many there are; ENM_FULL when that is more. Vertices must be shared, as those of enm_session_mesh are. ENM_E_ARGUMENT (NULL, a
 * length that is negative or NaN), ENM_E_CAPACITY (more than 1,431,655,765 triangles), ENM_E_MEMORY: `out_count` is 0, and `out_gaps` as it was. */
ENM_API ENM_MUST_CHECK enm_result enm_mesh_gaps(
	const enm_mesh *mesh, double length_min_mm, enm_gap *out_gaps, size_t capacity, size_t *out_count);

/* Writes by extension .ply (binary: x y z nx ny nz red green blue views quality, quality being the sigma in um), .stl
 * (binary) or .obj. Coordinates are divided by `mm_per_unit` (1 for millimetres, 1000 for metres; above 0). The file appears
 * whole or not at all. ENM_E_ARGUMENT (also for another extension), ENM_E_IO, ENM_E_MEMORY. */
ENM_API ENM_MUST_CHECK enm_result enm_mesh_save(const enm_mesh *mesh, const char *path, double mm_per_unit);

/* Reads .ply (ascii or binary), .stl (binary or ascii; equal vertices are welded) or .obj by what the file holds.
 * Polygons are split into triangles. Coordinates are multiplied by `mm_per_unit`, which is above 0. ENM_E_IO when it cannot be
 * read, ENM_E_FORMAT when it is damaged or holds no triangles (a point cloud): the text names file, place and reason.
 * ENM_E_ARGUMENT, ENM_E_CAPACITY (more vertices than 32 bits can number), ENM_E_MEMORY. */
ENM_API ENM_MUST_CHECK enm_result enm_mesh_load(const char *path, double mm_per_unit, enm_mesh **out_mesh);

/* ---- pictures of meshes -------------------------------------------------------------------------------------------- */

/* Meshes on the device, drawn triangle by triangle: exactly where their vertices are, several in one picture. Pictures, cuts, shades and
 * legends are those of enm_session_render. A drawing may be used from any thread, by one at a time; it keeps its context alive. The same meshes, in
 * the same order, and definition give the same bits. */
typedef struct enm_drawing enm_drawing;

/* `device_bytes_max` bounds its device memory; 0: three quarters of the device's, at most 4 GiB. An empty drawing gives a picture of the background.
 * ENM_E_ARGUMENT, ENM_E_BUILD (the kernels that draw are built with the context's first drawing), ENM_E_DEVICE, ENM_E_MEMORY. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_create(enm_context *context, uint64_t device_bytes_max, enm_drawing **out_drawing);
ENM_API void enm_drawing_destroy(enm_drawing **drawing);

/* Copies a mesh to the device; it may be destroyed afterwards. `world_from_mesh` says where it is; NULL: as it is. `out_id`, from 1, is its name in the
 * drawing and is never used again. Without normals it is lit by its triangles. A mesh without triangles is fine and shows nothing. Waits.
 * ENM_E_CAPACITY, with how much is wanted: the bound, the device, or more than 4,294,967,294 triangles in all; the drawing is as it was.
 * ENM_E_ARGUMENT (NULL, a pose that is not finite or whose quaternion is not of unit length), ENM_E_MEMORY, ENM_E_DEVICE. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_add(
	enm_drawing *drawing, const enm_mesh *mesh, const enm_pose *world_from_mesh, uint32_t *out_id);

/* Of these five, ENM_E_ARGUMENT: NULL, or no mesh of the drawing has that id. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_remove(enm_drawing *drawing, uint32_t id);
/* Puts it elsewhere. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_place(enm_drawing *drawing, uint32_t id, const enm_pose *world_from_mesh);
/* Shows or hides it: what is hidden is neither drawn nor picked nor in the bounds. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_show(enm_drawing *drawing, uint32_t id, bool visible);
/* Values for ENM_SHADE_DEVIATION, one a vertex in the mesh's order, which are copied; NaN: none. `count` must be the mesh's vertices. NULL and 0: takes
 * them away. ENM_E_CAPACITY as above. Waits. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_set_deviation(
	enm_drawing *drawing, uint32_t id, const float *deviation_um, size_t count);
/* What it has besides positions, so that a caller can say so before he draws clay. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_has(
	const enm_drawing *drawing, uint32_t id, enm_shade shade, bool *out_has);

/* Draws all that is visible. As enm_session_render. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_render(
	enm_drawing *drawing, const enm_view_def *def, uint8_t *out_rgba, size_t out_bytes);

/* As enm_session_pick. The position is where the ray through the place meets the plane of the triangle, in double precision. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_pick(
	enm_drawing *drawing, const enm_view_def *def, double x, double y, enm_hit *out_hit);

/* Axis-aligned box, in the world, around the triangles of all that is visible; of a mesh that is turned, around its own box, which is larger. ENM_EMPTY,
 * and zeros, when there is nothing. */
ENM_API ENM_MUST_CHECK enm_result enm_drawing_bounds(const enm_drawing *drawing, double out_min_mm[3], double out_max_mm[3]);

typedef struct enm_drawing_stats {
	uint32_t meshes, meshes_visible;
	uint64_t vertices, triangles; /* of all */
	uint64_t device_bytes, device_bytes_max;
} enm_drawing_stats;

ENM_API ENM_MUST_CHECK enm_result enm_drawing_get_stats(const enm_drawing *drawing, enm_drawing_stats *out_stats);

#ifdef __cplusplus
}
#endif
#endif
