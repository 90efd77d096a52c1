/* SPDX-License-Identifier: Apache-2.0
 * The graphics devices that the kernel knows (DRM nodes), by libdrm. Not called drm.h,
 * since xf86drm.h wants to include its own of that name. */
#ifndef ENM_HOST_DRM_NODES_H
#define ENM_HOST_DRM_NODES_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

typedef struct drm_node {
	char primary[64], render[64];    /* "/dev/dri/card0", "/dev/dri/renderD128", or "" */
	char pci_address[32];            /* "0000:01:00.0", or "" for a device that is not on a PCI bus */
	uint16_t pci_vendor, pci_device; /* 0 without PCI */
	char driver[64];                 /* "amdgpu"; "unknown" where neither the node nor sysfs tells */
} drm_node;

/* Lists the devices, ordered by PCI address, then name. Writes at most `capacity` and the number there are to
 * `out_count`. A machine without DRM nodes is HOST_OK with a count of 0. */
host_status drm_list(drm_node *out_nodes, size_t capacity, size_t *out_count);

#endif
