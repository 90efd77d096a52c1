/* SPDX-License-Identifier: Apache-2.0
 * Pure functions over the tables of devices and GPUs: who is who, and who should compute. */
#include "topology.h"

#include <stdio.h>
#include <string.h>

/* ---- displays ---- */

static bool any_lit(const topology *t)
{
	for (size_t i = 0; i < t->gpu_count; i++)
		for (size_t k = 0; k < t->gpus[i].connector_count; k++)
			if (t->gpus[i].connectors[k].lit)
				return true;
	return false;
}

static bool is_display(const topology_connector *c, bool some_lit)
{
	return some_lit ? c->lit : c->connection == DRM_MODE_CONNECTED;
}

bool topology_drives(const topology *t, size_t index)
{
	const bool some_lit = any_lit(t);
	const topology_gpu *gpu = &t->gpus[index];
	for (size_t k = 0; k < gpu->connector_count; k++)
		if (is_display(&gpu->connectors[k], some_lit))
			return true;
	return false;
}

void topology_display_names(const topology *t, size_t index, char *out, size_t size)
{
	const bool some_lit = any_lit(t);
	const topology_gpu *gpu = &t->gpus[index];
	size_t at = 0;
	out[0] = 0;
	for (size_t k = 0; k < gpu->connector_count && at < size; k++)
		if (is_display(&gpu->connectors[k], some_lit))
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? ", " : "", gpu->connectors[k].name);
}

/* ---- which device is which GPU ---- */

typedef struct pci_address {
	unsigned domain, rest; /* bus, device and function in one */
	bool known;
} pci_address;

static pci_address parse_address(const char *text)
{
	pci_address a = {0};
	unsigned bus, device, function;
	int end = 0;
	a.known = sscanf(text, "%8x:%2x:%2x.%1x%n", &a.domain, &bus, &device, &function, &end) == 4 && !text[end];
	if (a.known)
		a.rest = bus << 16 | device << 8 | function;
	return a;
}

/* The first GPU at the address; two at one address (parts of a device) are one for our purposes. */
static int find_exact(const topology *t, pci_address wanted)
{
	for (size_t i = 0; i < t->gpu_count; i++) {
		pci_address a = parse_address(t->gpus[i].node.pci_address);
		if (a.known && a.domain == wanted.domain && a.rest == wanted.rest)
			return (int)i;
	}
	return TOPOLOGY_NO_GPU;
}

static int find_without_domain(const topology *t, pci_address wanted)
{
	int found = TOPOLOGY_NO_GPU;
	for (size_t i = 0; i < t->gpu_count; i++) {
		pci_address a = parse_address(t->gpus[i].node.pci_address);
		if (!a.known || a.rest != wanted.rest)
			continue;
		if (found != TOPOLOGY_NO_GPU)
			return TOPOLOGY_NO_GPU;
		found = (int)i;
	}
	return found;
}

void topology_match(const topology *t, const enm_device_info *devices, size_t device_count, int *out_gpus)
{
	for (size_t i = 0; i < device_count; i++) {
		pci_address wanted = parse_address(devices[i].pci_address);
		out_gpus[i] = TOPOLOGY_NO_GPU;
		if (!wanted.known || devices[i].kind == ENM_DEVICE_CPU)
			continue;
		out_gpus[i] = find_exact(t, wanted);
		if (out_gpus[i] == TOPOLOGY_NO_GPU && !wanted.domain)
			out_gpus[i] = find_without_domain(t, wanted);
	}
}

/* ---- who should compute ---- */

static bool is_usable_gpu(const enm_device_info *d)
{
	return d->usable && d->kind == ENM_DEVICE_GPU;
}

size_t topology_usable_gpus(const enm_device_info *devices, size_t device_count)
{
	size_t count = 0;
	for (size_t i = 0; i < device_count; i++)
		count += is_usable_gpu(&devices[i]);
	return count;
}

size_t topology_each_gpu(const enm_device_info *devices, const int *gpus, size_t device_count, size_t *out_devices)
{
	size_t count = 0;
	for (size_t i = 0; i < device_count; i++) {
		bool wanted = is_usable_gpu(&devices[i]);
		for (size_t k = 0; wanted && k < count; k++)
			wanted = gpus[i] == TOPOLOGY_NO_GPU || gpus[i] != gpus[out_devices[k]];
		if (wanted)
			out_devices[count++] = i;
	}
	return count;
}

/* The library's own order. */
static int32_t first_usable(const enm_device_info *devices, size_t count)
{
	static const enm_device_kind order[] = {ENM_DEVICE_GPU, ENM_DEVICE_CPU, ENM_DEVICE_ANY};
	for (size_t k = 0; k < sizeof order / sizeof *order; k++)
		for (size_t i = 0; i < count; i++)
			if (devices[i].usable && (order[k] == ENM_DEVICE_ANY || devices[i].kind == order[k]))
				return (int32_t)i;
	return -1;
}

typedef enum gpu_role { ROLE_UNKNOWN = 0, ROLE_DISPLAY, ROLE_FREE } gpu_role;

/* Free is only who was asked and answered: a GPU whose node could not be opened may well drive the display. */
static gpu_role role_of(const topology *t, int gpu)
{
	if (gpu == TOPOLOGY_NO_GPU)
		return ROLE_UNKNOWN;
	if (topology_drives(t, (size_t)gpu))
		return ROLE_DISPLAY;
	return *t->gpus[gpu].trouble ? ROLE_UNKNOWN : ROLE_FREE;
}

static int32_t first_in_role(
	const topology *t, const enm_device_info *devices, const int *gpus, size_t count, gpu_role role)
{
	for (size_t i = 0; i < count; i++)
		if (is_usable_gpu(&devices[i]) && role_of(t, gpus[i]) == role)
			return (int32_t)i;
	return -1;
}

/* More than one GPU, several platforms' devices for one of them counted once. */
static bool are_several(const enm_device_info *devices, const int *gpus, size_t count)
{
	int32_t first = -1;
	for (size_t i = 0; i < count; i++) {
		if (!is_usable_gpu(&devices[i]))
			continue;
		if (first >= 0 && (gpus[i] == TOPOLOGY_NO_GPU || gpus[i] != gpus[first]))
			return true;
		first = first < 0 ? (int32_t)i : first;
	}
	return false;
}

static bool all_answered(const topology *t, const enm_device_info *devices, const int *gpus, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_usable_gpu(&devices[i]) && role_of(t, gpus[i]) == ROLE_UNKNOWN)
			return false;
	return true;
}

/* Why the library's own choice stands. */
static const char *why_first(
	const topology *t, const enm_device_info *devices, const int *gpus, size_t count, const topology_choice *c)
{
	size_t usable = 0;
	for (size_t i = 0; i < count; i++)
		usable += devices[i].usable;
	if (c->device < 0)
		return "no device is usable";
	if (usable == 1)
		return "the only usable device";
	if (!topology_usable_gpus(devices, count))
		return devices[c->device].kind == ENM_DEVICE_CPU
			       ? "the first usable CPU; there is no usable GPU"
			       : "the first usable device; there is no usable GPU or CPU";
	if (!are_several(devices, gpus, count))
		return "the only usable GPU";
	if (!all_answered(t, devices, gpus, count))
		return "the first usable GPU; which GPU drives the display is not known";
	return topology_drives(t, (size_t)gpus[c->device]) ? "the first usable GPU; each drives a display"
							   : "the first usable GPU; no display is connected";
}

/* Some GPU drives a display. `shows` is that, where it can compute, and `rests` one that drives none; or -1. */
static void choose_by_display(const topology *t, const enm_device_info *devices, const int *gpus, int32_t shows,
	int32_t rests, topology_choice *c)
{
	char names[128] = "";
	if (shows >= 0)
		topology_display_names(t, (size_t)gpus[shows], names, sizeof names);
	c->by_display = true;
	if (shows >= 0 && devices[shows].unified_memory) {
		c->device = shows;
		snprintf(c->reason, sizeof c->reason,
			"drives the display (%s) and shares its memory with the host, so that nothing is copied",
			names);
		if (rests >= 0)
			snprintf(c->reason + strlen(c->reason), sizeof c->reason - strlen(c->reason),
				"; --device %u computes beside the display", devices[rests].index);
	} else if (shows >= 0) {
		c->device = rests;
		snprintf(c->reason, sizeof c->reason, "drives no display; device %u does (%s)", devices[shows].index,
			names);
	} else {
		c->device = rests;
		snprintf(c->reason, sizeof c->reason, "drives no display; a GPU that cannot compute does");
	}
}

topology_choice topology_choose(const topology *t, const enm_device_info *devices, const int *gpus, size_t device_count)
{
	topology_choice c = {.device = first_usable(devices, device_count)};
	bool shown = false;
	for (size_t i = 0; i < t->gpu_count; i++)
		shown = shown || topology_drives(t, i);
	const int32_t shows = first_in_role(t, devices, gpus, device_count, ROLE_DISPLAY);
	const int32_t rests = first_in_role(t, devices, gpus, device_count, ROLE_FREE);
	const bool shares = shows >= 0 && devices[shows].unified_memory;
	if (shown && are_several(devices, gpus, device_count) && (shares || rests >= 0))
		choose_by_display(t, devices, gpus, shows, rests, &c);
	else
		snprintf(c.reason, sizeof c.reason, "%s", why_first(t, devices, gpus, device_count, &c));
	return c;
}
