/* SPDX-License-Identifier: Apache-2.0
 * Which GPU of this machine drives its displays, which OpenCL device is which GPU, and which of them should compute. */
#ifndef ENM_HOST_TOPOLOGY_H
#define ENM_HOST_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xf86drmMode.h>

#include "drm_nodes.h"

#define TOPOLOGY_GPUS_MAX 64
#define TOPOLOGY_CONNECTORS_MAX 32

typedef struct topology_connector {
	char name[40];                /* as the kernel has it: "eDP-1", "HDMI-A-1" */
	drmModeConnection connection; /* what the kernel found when it last looked */
	bool lit;                     /* a picture is being sent to it */
} topology_connector;

typedef struct topology_gpu {
	drm_node node;
	topology_connector connectors[TOPOLOGY_CONNECTORS_MAX];
	size_t connector_count;
	char trouble[160]; /* why the connectors, or some of them, are not known; else "" */
} topology_gpu;

typedef struct topology {
	topology_gpu gpus[TOPOLOGY_GPUS_MAX];
	size_t gpu_count;
} topology;

/* The calls that ask a node for its connectors, so that tests can put others in their place. They fail as libdrm's
 * do: -1 or NULL with errno. */
typedef struct topology_calls {
	int (*open_node)(const char *path);
	void (*close_node)(int descriptor);
	drmModeResPtr (*get_resources)(int descriptor);
	void (*free_resources)(drmModeResPtr resources);
	drmModeConnectorPtr (*get_connector)(int descriptor, uint32_t id);
	void (*free_connector)(drmModeConnectorPtr connector);
	drmModeEncoderPtr (*get_encoder)(int descriptor, uint32_t id);
	void (*free_encoder)(drmModeEncoderPtr encoder);
} topology_calls;

/* libdrm's own. */
extern const topology_calls topology_libdrm;

/* Lists the GPUs with their connectors. What cannot be asked stands in `trouble` and is no failure; neither is a
 * machine without GPUs. */
host_status topology_read(const topology_calls *calls, topology *out);
/* The connectors of one GPU, whose `node` is filled in. */
void topology_read_connectors(const topology_calls *calls, topology_gpu *gpu);

/* ---- pure functions over tables ---- */

/* Whether GPU `index` drives a display: one is lit, or where none is lit in the whole machine, one is connected. */
bool topology_drives(const topology *t, size_t index);
/* "eDP-1, HDMI-A-1" of those displays, or "". */
void topology_display_names(const topology *t, size_t index, char *out, size_t size);

#define TOPOLOGY_NO_GPU (-1)

/* The GPU of each OpenCL device, by PCI address, or TOPOLOGY_NO_GPU. Drivers that leave out the domain (they say 0)
 * are believed where only one GPU has the rest of the address. CPU devices are no GPU, whatever address they give. */
void topology_match(const topology *t, const enm_device_info *devices, size_t device_count, int *out_gpus);

typedef struct topology_choice {
	int32_t device;   /* position in `devices`, or -1: none is usable */
	bool by_display;  /* the displays decided; else it is the one the library takes by itself */
	char reason[320]; /* a clause without a full stop */
} topology_choice;

/* Which device should compute:
 * - the GPU that drives the display, where it shares its memory with the host: what it computes is shown and what it
 *   reads is uploaded without a copy;
 * - else a GPU that drives no display;
 * - else, and where it is not known who drives what, the first usable GPU, then CPU, then any device, as the library.
 */
topology_choice topology_choose(
	const topology *t, const enm_device_info *devices, const int *gpus, size_t device_count);

/* How many usable GPUs there are, those of several OpenCL platforms counted each. With fewer than two, displays do
 * not matter and need not be asked for. */
size_t topology_usable_gpus(const enm_device_info *devices, size_t device_count);

/* The positions of the usable GPUs, each once, by the first of its platforms; those whose GPU is not known are taken
 * to be each another. `out_devices` has room for all. */
size_t topology_each_gpu(const enm_device_info *devices, const int *gpus, size_t device_count, size_t *out_devices);

#endif
