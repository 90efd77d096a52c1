/* SPDX-License-Identifier: Apache-2.0 */
#include "device_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static host_status list_devices(device_choice *c)
{
	size_t count = 0, there = 0;
	enm_result result = enm_devices(NULL, 0, &count);
	if (result < 0)
		return host_fail_result(result, enm_last_error());
	c->devices = calloc(count + 1, sizeof *c->devices);
	c->gpus = calloc(count + 1, sizeof *c->gpus);
	if (!c->devices || !c->gpus)
		return host_fail_memory("the list of devices");
	result = enm_devices(c->devices, count, &there);
	c->device_count = there < count ? there : count;
	return host_fail_result(result, enm_last_error());
}

host_status device_choice_make(bool all, device_choice *out)
{
	memset(out, 0, sizeof *out);
	host_status status = list_devices(out);
	if (status)
		return status;
	const bool matters = topology_usable_gpus(out->devices, out->device_count) > 1;
	if ((all || matters) && topology_read(&topology_libdrm, &out->topology))
		host_warn("%s", host_error_text());
	topology_match(&out->topology, out->devices, out->device_count, out->gpus);
	out->choice = topology_choose(&out->topology, out->devices, out->gpus, out->device_count);
	return HOST_OK;
}

void device_choice_free(device_choice *c)
{
	free(c->devices);
	free(c->gpus);
	memset(c, 0, sizeof *c);
}

static bool has_part(const char *text, const char *part)
{
	const size_t length = strlen(part);
	for (; strlen(text) >= length; text++)
		if (!strncasecmp(text, part, length))
			return true;
	return false;
}

bool device_is_meant(const enm_device_info *d, const char *wish)
{
	char *end = NULL;
	if (!wish)
		return true;
	const unsigned long index = strtoul(wish, &end, 10);
	return *wish && !*end ? index == d->index : has_part(d->name, wish) || has_part(d->platform, wish);
}

/* The library is left to itself where displays do not decide: it tells best why nothing is usable. */
static host_status choose(enm_context_def *def, char out_reason[320])
{
	device_choice *c = calloc(1, sizeof *c);
	if (!c)
		return host_fail_memory("the list of devices");
	host_status status = device_choice_make(false, c);
	if (!status && c->choice.by_display)
		def->device_index = c->choice.device;
	if (!status && topology_usable_gpus(c->devices, c->device_count) > 1)
		snprintf(out_reason, 320, "%s", c->choice.reason);
	device_choice_free(c);
	free(c);
	return status;
}

host_status device_wish(const char *wish, enm_context_def *def, char out_reason[320])
{
	out_reason[0] = 0;
	if (!wish)
		return choose(def, out_reason);
	if (strspn(wish, "0123456789") != strlen(wish)) {
		def->device_name = wish;
		return HOST_OK;
	}
	if (strlen(wish) > 6)
		return host_fail(HOST_DEVICE, "--device: there is no device %s", wish);
	def->device_index = (int32_t)strtol(wish, NULL, 10);
	return HOST_OK;
}
