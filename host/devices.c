/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "drm_nodes.h"
#include "json.h"
#include "options.h"

#define NODES_MAX 64
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
	drm_node nodes[NODES_MAX];
	size_t node_count;
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
	size_t count = 0;
	enm_result result = enm_devices(NULL, 0, &count);
	if (result < 0)
		return host_fail_result(result, enm_last_error());
	enm_device_info *infos = calloc(count + 1, sizeof *infos);
	v->devices = calloc(count + 1, sizeof *v->devices);
	if (!infos || !v->devices) {
		free(infos);
		return host_fail_memory("the list of devices");
	}
	size_t there = 0;
	result = enm_devices(infos, count, &there);
	v->device_count = there < count ? there : count;
	for (size_t i = 0; result >= 0 && i < v->device_count; i++)
		v->devices[i].info = infos[i];
	free(infos);
	return host_fail_result(result, enm_last_error());
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

/* Whether `text` has `part` in it, case ignored. */
static bool has_part(const char *text, const char *part)
{
	const size_t length = strlen(part);
	for (; strlen(text) >= length; text++)
		if (!strncasecmp(text, part, length))
			return true;
	return false;
}

/* By its index, or by part of its or its platform's name. */
static bool is_meant(const enm_device_info *d, const char *wish)
{
	char *end = NULL;
	if (!wish)
		return true;
	const unsigned long index = strtoul(wish, &end, 10);
	return *wish && !*end ? index == d->index : has_part(d->name, wish) || has_part(d->platform, wish);
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

static void print_table(const inventory *v, bool checked)
{
	puts(v->device_count ? "OpenCL devices:" : "OpenCL devices: none");
	for (size_t i = 0; i < v->device_count; i++)
		print_device(&v->devices[i], checked);
	puts(v->node_count ? "\nDRM nodes:" : "\nno DRM nodes");
	for (size_t i = 0; i < v->node_count; i++) {
		const drm_node *n = &v->nodes[i];
		printf("   %s%s%s: PCI %s", n->primary, *n->primary && *n->render ? ", " : "", n->render,
			*n->pci_address ? n->pci_address : "none");
		if (n->pci_vendor)
			printf(" (%04x:%04x)", n->pci_vendor, n->pci_device);
		printf(", driver %s\n", n->driver);
	}
}

static json_t *tuning_json(const device_line *line, bool *ok)
{
	json_t *object = json_object();
	json_put(object, "measured", json_boolean(line->tuning[0].measured), ok);
	for (size_t i = 0; i < line->tuning_count; i++)
		json_put(object, line->tuning[i].name, json_integer(line->tuning[i].value), ok);
	return object;
}

static json_t *device_json(const device_line *line, bool checked, bool *ok)
{
	const enm_device_info *d = &line->info;
	json_t *object = json_object();
	json_put(object, "index", json_integer(d->index), ok);
	json_put(object, "kind", json_string(kind_name(d->kind)), ok);
	json_put(object, "name", json_string(d->name), ok);
	json_put(object, "vendor", json_string(d->vendor), ok);
	json_put(object, "platform", json_string(d->platform), ok);
	json_put(object, "driver", json_string(d->driver), ok);
	json_put(object, "opencl_version", json_string(d->opencl_version), ok);
	json_put(object, "opencl_c_version", json_string(d->opencl_c_version), ok);
	json_put(object, "pci_address", *d->pci_address ? json_string(d->pci_address) : json_null(), ok);
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
			json_put(object, "self_check_reason", json_string(line->check_text), ok);
	}
	return object;
}

static json_t *node_json(const drm_node *n, bool *ok)
{
	json_t *object = json_object();
	json_put(object, "primary", *n->primary ? json_string(n->primary) : json_null(), ok);
	json_put(object, "render", *n->render ? json_string(n->render) : json_null(), ok);
	json_put(object, "pci_address", *n->pci_address ? json_string(n->pci_address) : json_null(), ok);
	json_put(object, "pci_vendor", n->pci_vendor ? json_integer(n->pci_vendor) : json_null(), ok);
	json_put(object, "pci_device", n->pci_vendor ? json_integer(n->pci_device) : json_null(), ok);
	json_put(object, "driver", json_string(n->driver), ok);
	return object;
}

static host_status print_json(const inventory *v, bool checked)
{
	bool ok = true;
	json_t *root = json_object(), *devices = json_array(), *nodes = json_array();
	for (size_t i = 0; i < v->device_count; i++)
		ok = !json_array_append_new(devices, device_json(&v->devices[i], checked, &ok)) && ok;
	for (size_t i = 0; i < v->node_count; i++)
		ok = !json_array_append_new(nodes, node_json(&v->nodes[i], &ok)) && ok;
	json_put(root, "version", json_string(enm_version()), &ok);
	json_put(root, "devices", devices, &ok);
	json_put(root, "drm_nodes", nodes, &ok);
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
		if (!line->info.usable || !is_meant(&line->info, o->device))
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
	if (!status && drm_list(v->nodes, NODES_MAX, &v->node_count))
		host_warn("%s", host_error_text());
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
		"Lists the OpenCL devices and the DRM nodes of this machine.", table, sizeof table / sizeof *table, 0,
		0};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	inventory v = {0};
	if (!status)
		status = take_inventory(&v, &o);
	free(v.devices);
	return status ? host_report_failure(status) : HOST_OK;
}
