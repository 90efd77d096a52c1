/* SPDX-License-Identifier: Apache-2.0
 * The device that a command computes on: the wish of --device, or what displays and memory speak for. */
#ifndef ENM_HOST_DEVICE_CHOICE_H
#define ENM_HOST_DEVICE_CHOICE_H

#include "topology.h"

/* The devices of this machine, what they are connected to, and the one that is taken where none is asked for. */
typedef struct device_choice {
	enm_device_info *devices;
	int *gpus; /* position in topology.gpus of each, or TOPOLOGY_NO_GPU */
	size_t device_count;
	topology topology;
	topology_choice choice;
} device_choice;

/* `all` asks for the connectors also where they decide nothing, on a machine with fewer than two usable GPUs. What the
 * kernel does not tell is a warning. device_choice_free() accepts a zeroed one. */
host_status device_choice_make(bool all, device_choice *out);
void device_choice_free(device_choice *c);

/* Whether a device is the one that --device asks for: by its index, or by part of its or its platform's name. Every
 * device is for NULL. */
bool device_is_meant(const enm_device_info *d, const char *wish);

/* Sets what enm_context_create is to take. "1" is an index, "pocl" part of a name, NULL the machine's choice, whose
 * reason is then in `out_reason`, or "" where there was nothing to choose. `wish` must stay. */
host_status device_wish(const char *wish, enm_context_def *def, char out_reason[320]);

#endif
