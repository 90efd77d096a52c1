/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* readlink beside major and minor */
#define _DEFAULT_SOURCE   /* major, minor */
#include "drm_nodes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <xf86drm.h>

#include "file.h"

#define DRM_DEVICES_MAX 64

/* Needs leave to open the node, which a user outside the groups video and render has not. */
static bool driver_by_node(const char *path, char out[64])
{
	int descriptor = *path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (descriptor < 0)
		return false;
	drmVersionPtr version = drmGetVersion(descriptor);
	bool found = version && version->name && *version->name;
	if (found)
		snprintf(out, 64, "%s", version->name);
	drmFreeVersion(version);
	close(descriptor);
	return found;
}

static bool driver_by_sysfs(const char *path, char out[64])
{
	struct stat info;
	if (!*path || stat(path, &info) || !S_ISCHR(info.st_mode))
		return false;
	char link[96], target[FILE_PATH_MAX];
	snprintf(link, sizeof link, "/sys/dev/char/%u:%u/device/driver", major(info.st_rdev), minor(info.st_rdev));
	ssize_t length = readlink(link, target, sizeof target - 1);
	if (length <= 0)
		return false;
	target[length] = 0;
	snprintf(out, 64, "%.63s", path_base(target));
	return true;
}

static void describe(const drmDevice *device, drm_node *out)
{
	memset(out, 0, sizeof *out);
	if (device->available_nodes & (1 << DRM_NODE_PRIMARY))
		snprintf(out->primary, sizeof out->primary, "%s", device->nodes[DRM_NODE_PRIMARY]);
	if (device->available_nodes & (1 << DRM_NODE_RENDER))
		snprintf(out->render, sizeof out->render, "%s", device->nodes[DRM_NODE_RENDER]);
	if (device->bustype == DRM_BUS_PCI) {
		const drmPciBusInfo *bus = device->businfo.pci;
		snprintf(out->pci_address, sizeof out->pci_address, "%04x:%02x:%02x.%u", bus->domain, bus->bus,
			bus->dev, bus->func);
		out->pci_vendor = device->deviceinfo.pci->vendor_id;
		out->pci_device = device->deviceinfo.pci->device_id;
	}
	if (!driver_by_node(out->render, out->driver) && !driver_by_node(out->primary, out->driver) &&
		!driver_by_sysfs(out->render, out->driver) && !driver_by_sysfs(out->primary, out->driver))
		snprintf(out->driver, sizeof out->driver, "unknown");
}

static int compare_nodes(const void *a, const void *b)
{
	const drm_node *left = a, *right = b;
	int order = strcmp(left->pci_address, right->pci_address);
	if (!order)
		order = strcmp(left->primary, right->primary);
	return order ? order : strcmp(left->render, right->render);
}

host_status drm_list(drm_node *out_nodes, size_t capacity, size_t *out_count)
{
	*out_count = 0;
	if (!file_is_folder("/dev/dri"))
		return HOST_OK;
	drmDevicePtr devices[DRM_DEVICES_MAX];
	int found = drmGetDevices2(0, devices, DRM_DEVICES_MAX);
	if (found < 0)
		return host_fail(HOST_DEVICE, "/dev/dri: cannot list DRM nodes: %s", strerror(-found));
	/* libdrm tells how many there are, also when they do not all fit. */
	int filled = found < DRM_DEVICES_MAX ? found : DRM_DEVICES_MAX;
	drm_node *all = calloc((size_t)filled + 1, sizeof *all);
	for (int i = 0; all && i < filled; i++)
		describe(devices[i], &all[i]);
	drmFreeDevices(devices, filled);
	if (!all)
		return host_fail_memory("the list of DRM nodes");
	qsort(all, (size_t)filled, sizeof *all, compare_nodes);
	for (size_t i = 0; i < (size_t)filled && i < capacity; i++)
		out_nodes[i] = all[i];
	free(all);
	*out_count = (size_t)filled;
	return HOST_OK;
}
