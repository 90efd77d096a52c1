/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "device_choice.h"
#include "json.h"
#include "options.h"

#define TUNING_MAX 32
#define MIB (1024.0 * 1024.0)

typedef enum check_state { CHECK_NOT_RUN = 0, CHECK_PASSED, CHECK_FAILED } check_state;

typedef struct device_line {
	enm_device_info info;
	check_state check;
	char check_text[256]; /* why it failed */
	enm_tuning tuning[TUNING_MAX];
	size_t tuning_count;
} device_line;

typedef struct devices_options {
	bool check, tune, json;
	char *device; /* index or part of a name; NULL: all */
} devices_options;

typedef struct inventory {
	device_line *devices;
	size_t device_count;
	device_choice machine;
} inventory;

static const char *kind_name(enm_device_kind kind)
{
	switch (kind) {
	case ENM_DEVICE_GPU:
		return "GPU";
	case ENM_DEVICE_CPU:
		return "CPU";
	case ENM_DEVICE_ANY:
	case ENM_DEVICE_OTHER:
		break;
	}
	return "other";
}

static const char *check_name(check_state check)
{
	switch (check) {
	case CHECK_PASSED:
		return "passed";
	case CHECK_FAILED:
		return "failed";
	case CHECK_NOT_RUN:
		break;
	}
	return "not run";
}

static host_status list_devices(inventory *v)
{
	host_status status = device_choice_make(true, &v->machine);
	if (status)
		return status;
	v->devices = calloc(v->machine.device_count + 1, sizeof *v->devices);
	if (!v->devices)
		return host_fail_memory("the list of devices");
	v->device_count = v->machine.device_count;
	for (size_t i = 0; i < v->device_count; i++)
		v->devices[i].info = v->machine.devices[i];
	return HOST_OK;
}

static void check_device(device_line *line)
{
	enm_context_def def = enm_context_def_default();
	def.device_index = (int32_t)line->info.index;
	enm_context *context = NULL;
	bool passed = false;
	enm_result result = enm_context_create(&def, &context);
	if (result >= 0)
		result = enm_context_self_check(context, &passed);
	line->check = result >= 0 && passed ? CHECK_PASSED : CHECK_FAILED;
	if (line->check == CHECK_FAILED)
		snprintf(line->check_text, sizeof line->check_text, "%s", enm_last_error());
	enm_context_destroy(&context);
}

static host_status tune_device(const device_line *line)
{
	enm_context_def def = enm_context_def_default();
	def.device_index = (int32_t)line->info.index;
	enm_context *context = NULL;
	enm_result result = enm_context_create(&def, &context);
	if (result >= 0)
		result = enm_context_tune(context);
	host_status status = host_fail_result(result, enm_last_error());
	enm_context_destroy(&context);
	return status;
}

/* A device whose settings cannot be read shows none. */
static void read_tuning(device_line *line)
{
	size_t count = 0;
	if (enm_device_tuning(line->info.index, NULL, line->tuning, TUNING_MAX, &count) >= 0)
		line->tuning_count = count < TUNING_MAX ? count : TUNING_MAX;
}

static void print_tuning(const device_line *line)
{
	if (!line->tuning_count)
		return;
	printf("   %s:", line->tuning[0].measured ? "tuned" : "not tuned");
	for (size_t i = 0; i < line->tuning_count; i++) {
		const enm_tuning *t = &line->tuning[i];
		printf("%s %s %u", i ? "," : "", t->name, t->value);
		if (t->value != t->initial)
			printf(" (for %u)", t->initial);
	}
	putchar('\n');
}

static const char *yes(bool flag)
{
	return flag ? "yes" : "no";
}

static void print_device(const device_line *line, bool checked)
{
	const enm_device_info *d = &line->info;
	printf("%u  %s: %s (%s)\n", d->index, kind_name(d->kind), d->name, d->platform);
	printf("   driver %s, %s, %s\n", d->driver, d->opencl_version, d->opencl_c_version);
	printf("   memory %.0f MiB (largest buffer %.0f MiB, local %.0f KiB), %u compute units, groups of up to %u\n",
		(double)d->memory_bytes / MIB, (double)d->largest_allocation_bytes / MIB,
		(double)d->local_memory_bytes / 1024.0, d->compute_units, d->work_group_max);
	printf("   PCI %s, fp16 %s, fp64 %s, command buffers %s, sub-groups %s, unified memory %s\n",
		*d->pci_address ? d->pci_address : "address unknown", yes(d->fp16), yes(d->fp64),
		yes(d->command_buffers), yes(d->sub_groups), yes(d->unified_memory));
	if (!d->usable)
		printf("   not usable: %s\n", d->reason);
	if (d->usable)
		print_tuning(line);
	if (checked && d->usable)
		printf("   self-check %s%s%s\n", check_name(line->check), *line->check_text ? ": " : "",
			line->check_text);
}

static const char *connection_name(drmModeConnection connection)
{
	switch (connection) {
	case DRM_MODE_CONNECTED:
		return "connected";
	case DRM_MODE_DISCONNECTED:
		return "not connected";
	case DRM_MODE_UNKNOWNCONNECTION:
		break;
	}
	return "unknown";
}

static void print_node(const device_choice *m, size_t index)
{
	const topology_gpu *gpu = &m->topology.gpus[index];
	const drm_node *n = &gpu->node;
	printf("   %s%s%s: PCI %s", n->primary, *n->primary && *n->render ? ", " : "", n->render,
		*n->pci_address ? n->pci_address : "none");
	if (n->pci_vendor)
		printf(" (%04x:%04x)", n->pci_vendor, n->pci_device);
	printf(", driver %s", n->driver);
	for (size_t i = 0, shown = 0; i < m->device_count; i++)
		if (m->gpus[i] == (int)index)
			printf("%s%u", shown++ ? ", " : ", OpenCL device ", m->devices[i].index);
	const bool drives = topology_drives(&m->topology, index);
	printf("\n      %s", drives          ? "drives the display"
			     : *gpu->trouble ? "displays not known"
					     : "drives no display");
	for (size_t i = 0; i < gpu->connector_count; i++) {
		const topology_connector *c = &gpu->connectors[i];
		printf("%s %s %s", i ? "," : ":", c->name, c->lit ? "lit" : connection_name(c->connection));
	}
	printf("%s%s\n", *gpu->trouble ? "; " : "", gpu->trouble);
}

static void print_table(const inventory *v, bool checked)
{
	const device_choice *m = &v->machine;
	puts(v->device_count ? "OpenCL devices:" : "OpenCL devices: none");
	for (size_t i = 0; i < v->device_count; i++)
		print_device(&v->devices[i], checked);
	puts(m->topology.gpu_count ? "\nDRM nodes:"
				   : "\nno DRM nodes (/dev/dri): which GPU drives a display is not known");
	for (size_t i = 0; i < m->topology.gpu_count; i++)
		print_node(m, i);
	if (m->choice.device >= 0)
		printf("\ncomputes, unless --device says otherwise: %u, %s\n", m->devices[m->choice.device].index,
			m->choice.reason);
}

static json_t *tuning_json(const device_line *line, bool *ok)
{
	json_t *object = json_object();
	json_put(object, "measured", json_boolean(line->tuning[0].measured), ok);
	for (size_t i = 0; i < line->tuning_count; i++)
		json_put(object, line->tuning[i].name, json_integer(line->tuning[i].value), ok);
	return object;
}

static json_t *device_json(const device_line *line, int gpu, bool checked, bool *ok)
{
	const enm_device_info *d = &line->info;
	json_t *object = json_object();
	json_put(object, "index", json_integer(d->index), ok);
	json_put(object, "kind", json_string(kind_name(d->kind)), ok);
	json_put(object, "name", json_foreign(d->name), ok);
	json_put(object, "vendor", json_foreign(d->vendor), ok);
	json_put(object, "platform", json_foreign(d->platform), ok);
	json_put(object, "driver", json_foreign(d->driver), ok);
	json_put(object, "opencl_version", json_string(d->opencl_version), ok);
	json_put(object, "opencl_c_version", json_string(d->opencl_c_version), ok);
	json_put(object, "pci_address", *d->pci_address ? json_string(d->pci_address) : json_null(), ok);
	json_put(object, "drm_node", gpu == TOPOLOGY_NO_GPU ? json_null() : json_integer(gpu), ok);
	json_put(object, "memory_bytes", json_integer((json_int_t)d->memory_bytes), ok);
	json_put(object, "largest_allocation_bytes", json_integer((json_int_t)d->largest_allocation_bytes), ok);
	json_put(object, "local_memory_bytes", json_integer((json_int_t)d->local_memory_bytes), ok);
	json_put(object, "compute_units", json_integer(d->compute_units), ok);
	json_put(object, "work_group_max", json_integer(d->work_group_max), ok);
	json_put(object, "fp16", json_boolean(d->fp16), ok);
	json_put(object, "fp64", json_boolean(d->fp64), ok);
	json_put(object, "command_buffers", json_boolean(d->command_buffers), ok);
	json_put(object, "sub_groups", json_boolean(d->sub_groups), ok);
	json_put(object, "unified_memory", json_boolean(d->unified_memory), ok);
	json_put(object, "usable", json_boolean(d->usable), ok);
	json_put(object, "reason", *d->reason ? json_string(d->reason) : json_null(), ok);
	if (d->usable && line->tuning_count)
		json_put(object, "tuning", tuning_json(line, ok), ok);
	if (checked && d->usable) {
		json_put(object, "self_check", json_string(check_name(line->check)), ok);
		if (*line->check_text)
			json_put(object, "self_check_reason", json_foreign(line->check_text), ok);
	}
	return object;
}

static json_t *connectors_json(const topology_gpu *gpu, bool *ok)
{
	json_t *array = json_array();
	for (size_t i = 0; i < gpu->connector_count; i++) {
		const topology_connector *c = &gpu->connectors[i];
		json_t *object = json_object();
		json_put(object, "name", json_string(c->name), ok);
		json_put(object, "state", json_string(connection_name(c->connection)), ok);
		json_put(object, "lit", json_boolean(c->lit), ok);
		*ok = !json_array_append_new(array, object) && *ok;
	}
	return array;
}

static json_t *node_json(const topology *t, size_t index, bool *ok)
{
	const topology_gpu *gpu = &t->gpus[index];
	const drm_node *n = &gpu->node;
	json_t *object = json_object();
	json_put(object, "primary", *n->primary ? json_string(n->primary) : json_null(), ok);
	json_put(object, "render", *n->render ? json_string(n->render) : json_null(), ok);
	json_put(object, "pci_address", *n->pci_address ? json_string(n->pci_address) : json_null(), ok);
	json_put(object, "pci_vendor", n->pci_vendor ? json_integer(n->pci_vendor) : json_null(), ok);
	json_put(object, "pci_device", n->pci_vendor ? json_integer(n->pci_device) : json_null(), ok);
	json_put(object, "driver", json_string(n->driver), ok);
	const bool drives = topology_drives(t, index);
	json_put(object, "drives_display", !drives && *gpu->trouble ? json_null() : json_boolean(drives), ok);
	json_put(object, "connectors", connectors_json(gpu, ok), ok);
	json_put(object, "trouble", *gpu->trouble ? json_string(gpu->trouble) : json_null(), ok);
	return object;
}

static json_t *choice_json(const device_choice *m, bool *ok)
{
	json_t *object = json_object();
	json_put(object, "device",
		m->choice.device < 0 ? json_null() : json_integer(m->devices[m->choice.device].index), ok);
	json_put(object, "by_display", json_boolean(m->choice.by_display), ok);
	json_put(object, "reason", json_string(m->choice.reason), ok);
	return object;
}

static host_status print_json(const inventory *v, bool checked)
{
	bool ok = true;
	json_t *root = json_object(), *devices = json_array(), *nodes = json_array();
	for (size_t i = 0; i < v->device_count; i++)
		ok = !json_array_append_new(devices, device_json(&v->devices[i], v->machine.gpus[i], checked, &ok)) &&
		     ok;
	for (size_t i = 0; i < v->machine.topology.gpu_count; i++)
		ok = !json_array_append_new(nodes, node_json(&v->machine.topology, i, &ok)) && ok;
	json_put(root, "version", json_string(enm_version()), &ok);
	json_put(root, "devices", devices, &ok);
	json_put(root, "drm_nodes", nodes, &ok);
	json_put(root, "choice", choice_json(&v->machine, &ok), &ok);
	host_status status = ok ? json_print(root, stdout) : host_fail_memory("the list of devices");
	json_decref(root);
	return status;
}

/* No usable device is a failure, and so is one whose kernels compute something wrong. */
static host_status judge(const inventory *v)
{
	size_t usable = 0;
	for (size_t i = 0; i < v->device_count; i++) {
		usable += v->devices[i].info.usable;
		if (v->devices[i].check == CHECK_FAILED)
			return host_fail(HOST_DEVICE, "device %u: self-check failed: %s", v->devices[i].info.index,
				v->devices[i].check_text);
	}
	if (!v->device_count)
		return host_fail(HOST_DEVICE, "no OpenCL device (is a driver installed, such as pocl-opencl-icd?)");
	return usable ? HOST_OK : host_fail(HOST_DEVICE, "no usable OpenCL device");
}

/* Checks, tunes and describes the usable devices that are meant. */
static host_status look_at_devices(inventory *v, const devices_options *o)
{
	host_status status = HOST_OK;
	size_t meant = 0;
	for (size_t i = 0; i < v->device_count && !status; i++) {
		device_line *line = &v->devices[i];
		if (!line->info.usable || !device_is_meant(&line->info, o->device))
			continue;
		meant++;
		if (o->check)
			check_device(line);
		if (o->tune)
			status = tune_device(line);
		read_tuning(line);
	}
	if (!status && o->device && !meant)
		status = host_fail(HOST_DEVICE, "no usable device is called '%s'", o->device);
	return status;
}

static host_status take_inventory(inventory *v, const devices_options *o)
{
	host_status status = list_devices(v);
	if (!status)
		status = look_at_devices(v, o);
	if (status)
		return status;
	if (o->json)
		status = print_json(v, o->check);
	else
		print_table(v, o->check);
	return status ? status : judge(v);
}

int command_devices(int argc, char **argv)
{
	devices_options o = {0};
	option_def table[] = {
		{"check", OPTION_FLAG, &o.check, 0, 0, NULL, "run the kernels' self-check on each usable device", NULL,
			false},
		{"tune", OPTION_FLAG, &o.tune, 0, 0, NULL,
			"measure which settings are fastest, and keep them: 20 s a device, best with nothing else "
			"running",
			NULL, false},
		{"device", OPTION_TEXT, &o.device, 0, 0, "N|NAME",
			"check and tune this one only: its number in the list, or part of a name", NULL, false},
		{"json", OPTION_FLAG, &o.json, 0, 0, NULL, "print JSON for machines", NULL, false},
	};
	options_def def = {"[--check] [--tune] [--device N|NAME] [--json]",
		"Lists the OpenCL devices of this machine, its graphics cards with their displays, and which device "
		"computes.",
		table, sizeof table / sizeof *table, 0, 0};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	inventory *v = calloc(1, sizeof *v);
	if (!status)
		status = v ? take_inventory(v, &o) : host_fail_memory("the list of devices");
	if (v) {
		device_choice_free(&v->machine);
		free(v->devices);
	}
	free(v);
	return status ? host_report_failure(status) : HOST_OK;
}
