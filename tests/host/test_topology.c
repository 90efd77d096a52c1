/* SPDX-License-Identifier: Apache-2.0
 * Displays, matching and choice on made-up machines; the mode calls are a stand-in. */
#include "cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "topology.h"

/* ---- the stand-in ---- */

typedef struct fake_connector {
	uint32_t id, type, type_id;
	drmModeConnection connection;
	uint32_t encoder, crtc; /* encoder 0: none; crtc 0: it sends no picture */
	int failure;            /* errno of asking for it */
	int encoder_failure;
} fake_connector;

typedef struct fake_node {
	const char *path;
	int open_failure, resources_failure;
	const fake_connector *connectors;
	int connector_count;
} fake_node;

#define FIRST_DESCRIPTOR 900 /* none that is open */
static const fake_node *nodes;
static int node_count;
static int held; /* what was handed out and not given back */

static int fake_open(const char *path)
{
	for (int i = 0; i < node_count; i++) {
		if (strcmp(nodes[i].path, path) != 0)
			continue;
		errno = nodes[i].open_failure;
		held += !errno;
		return errno ? -1 : FIRST_DESCRIPTOR + i;
	}
	errno = ENOENT;
	return -1;
}

static void fake_close(int descriptor)
{
	assert_in_range(descriptor, FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + node_count - 1);
	held--;
}

static drmModeResPtr fake_resources(int descriptor)
{
	const fake_node *n = &nodes[descriptor - FIRST_DESCRIPTOR];
	errno = n->resources_failure;
	if (errno)
		return NULL;
	drmModeResPtr r = calloc(1, sizeof *r);
	r->count_connectors = n->connector_count;
	r->connectors = calloc((size_t)n->connector_count + 1, sizeof *r->connectors);
	for (int i = 0; i < n->connector_count; i++)
		r->connectors[i] = n->connectors[i].id;
	held++;
	return r;
}

static void fake_free_resources(drmModeResPtr r)
{
	free(r->connectors);
	free(r);
	held--;
}

static drmModeConnectorPtr fake_get_connector(int descriptor, uint32_t id)
{
	const fake_node *n = &nodes[descriptor - FIRST_DESCRIPTOR];
	for (int i = 0; i < n->connector_count; i++) {
		const fake_connector *c = &n->connectors[i];
		if (c->id != id)
			continue;
		errno = c->failure;
		if (errno)
			return NULL;
		drmModeConnectorPtr out = calloc(1, sizeof *out);
		out->connector_id = id;
		out->connector_type = c->type;
		out->connector_type_id = c->type_id;
		out->connection = c->connection;
		out->encoder_id = c->encoder;
		held++;
		return out;
	}
	fail_msg("asked for connector %u", id);
	return NULL;
}

static void fake_free_connector(drmModeConnectorPtr c)
{
	free(c);
	held--;
}

static drmModeEncoderPtr fake_get_encoder(int descriptor, uint32_t id)
{
	const fake_node *n = &nodes[descriptor - FIRST_DESCRIPTOR];
	for (int i = 0; i < n->connector_count; i++) {
		const fake_connector *c = &n->connectors[i];
		if (c->encoder != id)
			continue;
		errno = c->encoder_failure;
		if (errno)
			return NULL;
		drmModeEncoderPtr out = calloc(1, sizeof *out);
		out->encoder_id = id;
		out->crtc_id = c->crtc;
		held++;
		return out;
	}
	fail_msg("asked for encoder %u", id);
	return NULL;
}

static void fake_free_encoder(drmModeEncoderPtr e)
{
	free(e);
	held--;
}

static const topology_calls fake_calls = {
	.open_node = fake_open,
	.close_node = fake_close,
	.get_resources = fake_resources,
	.free_resources = fake_free_resources,
	.get_connector = fake_get_connector,
	.free_connector = fake_free_connector,
	.get_encoder = fake_get_encoder,
	.free_encoder = fake_free_encoder,
};

/* ---- made-up machines ---- */

#define ON DRM_MODE_CONNECTED
#define OFF DRM_MODE_DISCONNECTED

static const fake_connector two_lit[] = {
	{31, DRM_MODE_CONNECTOR_eDP, 1, ON, 41, 51, 0, 0},
	{32, DRM_MODE_CONNECTOR_HDMIA, 1, ON, 42, 52, 0, 0},
	{33, DRM_MODE_CONNECTOR_DisplayPort, 2, OFF, 0, 0, 0, 0},
};
static const fake_connector one_dark[] = {{34, DRM_MODE_CONNECTOR_DisplayPort, 1, ON, 0, 0, 0, 0}};
static const fake_connector none_there[] = {
	{35, DRM_MODE_CONNECTOR_DVID, 1, OFF, 0, 0, 0, 0}, {36, 9999, 3, DRM_MODE_UNKNOWNCONNECTION, 0, 0, 0, 0}};

static topology machine;

static void add_gpu(const char *primary, const char *address)
{
	topology_gpu *gpu = &machine.gpus[machine.gpu_count++];
	memset(gpu, 0, sizeof *gpu);
	snprintf(gpu->node.primary, sizeof gpu->node.primary, "%s", primary);
	snprintf(gpu->node.pci_address, sizeof gpu->node.pci_address, "%s", address);
}

static void ask(const fake_node *table, int count)
{
	nodes = table;
	node_count = count;
	for (size_t i = 0; i < machine.gpu_count; i++)
		topology_read_connectors(&fake_calls, &machine.gpus[i]);
	assert_int_equal(held, 0);
}

/* Card 0 at 00:02.0 with `first`, card 1 at 01:00.0 with `second`. */
static void make_two(const fake_connector *first, int first_count, const fake_connector *second, int second_count)
{
	const fake_node table[] = {
		{"/dev/dri/card0", 0, 0, first, first_count}, {"/dev/dri/card1", 0, 0, second, second_count}};
	add_gpu("/dev/dri/card0", "0000:00:02.0");
	add_gpu("/dev/dri/card1", "0000:01:00.0");
	ask(table, 2);
}

static int start(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof machine);
	held = 0;
	return 0;
}

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))
#define DISPLAYS(array) array, COUNT(array)

static void assert_names(size_t gpu, const char *names)
{
	char text[128];
	topology_display_names(&machine, gpu, text, sizeof text);
	assert_string_equal(text, names);
}

/* ---- connectors ---- */

static void two_displays_on_one_of_two_gpus(void **state)
{
	(void)state;
	make_two(DISPLAYS(none_there), DISPLAYS(two_lit));
	assert_false(topology_drives(&machine, 0));
	assert_true(topology_drives(&machine, 1));
	assert_names(0, "");
	assert_names(1, "eDP-1, HDMI-A-1");
	const topology_gpu *second = &machine.gpus[1];
	assert_int_equal(second->connector_count, 3);
	assert_string_equal(second->connectors[2].name, "DP-2");
	assert_int_equal(second->connectors[2].connection, DRM_MODE_DISCONNECTED);
	assert_false(second->connectors[2].lit);
	assert_string_equal(machine.gpus[0].connectors[1].name, "Unknown-3");
	assert_int_equal(machine.gpus[0].connectors[1].connection, DRM_MODE_UNKNOWNCONNECTION);
	assert_string_equal(second->trouble, "");
}

/* A screen that is plugged in and gets no picture counts only where no other one does. */
static void dark_displays_count_where_none_is_lit(void **state)
{
	(void)state;
	make_two(DISPLAYS(one_dark), DISPLAYS(two_lit));
	assert_false(topology_drives(&machine, 0));
	assert_true(topology_drives(&machine, 1));
	memset(&machine, 0, sizeof machine);
	make_two(DISPLAYS(one_dark), DISPLAYS(none_there));
	assert_true(topology_drives(&machine, 0));
	assert_names(0, "DP-1");
	assert_false(topology_drives(&machine, 1));
}

static void none_is_connected(void **state)
{
	(void)state;
	make_two(DISPLAYS(none_there), NULL, 0);
	assert_false(topology_drives(&machine, 0));
	assert_false(topology_drives(&machine, 1));
	assert_int_equal(machine.gpus[1].connector_count, 0);
}

static void failures_are_named(void **state)
{
	(void)state;
	static const fake_connector gone[] = {{31, DRM_MODE_CONNECTOR_eDP, 1, ON, 41, 51, 0, 0},
		{32, DRM_MODE_CONNECTOR_HDMIA, 1, ON, 42, 52, EINVAL, 0},
		{33, DRM_MODE_CONNECTOR_HDMIA, 2, ON, 43, 53, 0, ENOENT}};
	static const fake_node table[] = {{"/dev/dri/card0", EACCES, 0, NULL, 0},
		{"/dev/dri/card1", 0, ENODEV, NULL, 0}, {"/dev/dri/card2", 0, EOPNOTSUPP, NULL, 0},
		{"/dev/dri/card3", 0, 0, DISPLAYS(gone)}};
	for (int i = 0; i < 4; i++)
		add_gpu(table[i].path, "");
	add_gpu("", ""); /* a render node alone */
	add_gpu("/dev/dri/card9", "");
	ask(table, 4);
	assert_string_equal(machine.gpus[0].trouble, "cannot open /dev/dri/card0: Permission denied");
	assert_string_equal(machine.gpus[1].trouble, "cannot ask /dev/dri/card1 for its outputs: No such device");
	assert_string_equal(machine.gpus[2].trouble, "");
	assert_string_equal(machine.gpus[3].trouble, "connector 32: Invalid argument");
	assert_int_equal(machine.gpus[3].connector_count, 2);
	assert_true(machine.gpus[3].connectors[0].lit);
	assert_false(machine.gpus[3].connectors[1].lit);
	assert_string_equal(machine.gpus[4].trouble, "");
	assert_string_equal(machine.gpus[5].trouble, "cannot open /dev/dri/card9: No such file or directory");
}

static void more_connectors_than_room(void **state)
{
	(void)state;
	fake_connector many[TOPOLOGY_CONNECTORS_MAX + 3];
	for (int i = 0; i < COUNT(many); i++)
		many[i] = (fake_connector){(uint32_t)(100 + i), DRM_MODE_CONNECTOR_DisplayPort, (uint32_t)i, ON,
			(uint32_t)(200 + i), 1, 0, 0};
	const fake_node table[] = {{"/dev/dri/card0", 0, 0, many, COUNT(many)}};
	add_gpu("/dev/dri/card0", "");
	ask(table, 1);
	assert_int_equal(machine.gpus[0].connector_count, TOPOLOGY_CONNECTORS_MAX);
	assert_string_equal(machine.gpus[0].trouble, "more than 32 connectors");
	char names[20];
	topology_display_names(&machine, 0, names, sizeof names);
	assert_int_equal(strlen(names), sizeof names - 1);
}

/* ---- matching ---- */

#define DEVICES_MAX 8
static enm_device_info devices[DEVICES_MAX];
static int gpus[DEVICES_MAX];

static void set_device(size_t at, enm_device_kind kind, const char *address, bool unified)
{
	memset(&devices[at], 0, sizeof devices[at]);
	devices[at].index = (uint32_t)at;
	devices[at].kind = kind;
	devices[at].usable = true;
	devices[at].unified_memory = unified;
	snprintf(devices[at].pci_address, sizeof devices[at].pci_address, "%s", address);
}

static int match_one(enm_device_kind kind, const char *address)
{
	set_device(0, kind, address, false);
	gpus[0] = 77;
	topology_match(&machine, devices, 1, gpus);
	return gpus[0];
}

static void devices_are_matched_by_address(void **state)
{
	(void)state;
	add_gpu("/dev/dri/card0", "0000:00:02.0");
	add_gpu("/dev/dri/card1", "0000:01:00.0");
	add_gpu("/dev/dri/card2", ""); /* on no PCI bus */
	assert_int_equal(match_one(ENM_DEVICE_GPU, "0000:01:00.0"), 1);
	assert_int_equal(match_one(ENM_DEVICE_GPU, "0000:00:02.0"), 0);
	assert_int_equal(match_one(ENM_DEVICE_OTHER, "0000:00:02.0"), 0);
	assert_int_equal(match_one(ENM_DEVICE_CPU, "0000:00:02.0"), TOPOLOGY_NO_GPU);
	const char *const none[] = {"", "0000:01:00.1", "0000:02:00.0", "0001:01:00.0", "01:00.0", "0000:01:00.0x",
		"0000:01:00", "nonsense", "0000:01:00.0 "};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_int_equal(match_one(ENM_DEVICE_GPU, none[i]), TOPOLOGY_NO_GPU);
}

/* Older queries do not tell the domain, and 0 stands for it. */
static void domains_may_be_left_out(void **state)
{
	(void)state;
	add_gpu("/dev/dri/card0", "0000:41:00.0");
	add_gpu("/dev/dri/card1", "0001:41:00.0");
	add_gpu("/dev/dri/card2", "0002:05:00.0");
	add_gpu("/dev/dri/card3", "10003:07:00.0");
	add_gpu("/dev/dri/card4", "0004:08:00.0");
	add_gpu("/dev/dri/card5", "0005:08:00.0");
	assert_int_equal(match_one(ENM_DEVICE_GPU, "0000:41:00.0"), 0);
	assert_int_equal(match_one(ENM_DEVICE_GPU, "0001:41:00.0"), 1);
	assert_int_equal(match_one(ENM_DEVICE_GPU, "0000:05:00.0"), 2);
	assert_int_equal(match_one(ENM_DEVICE_GPU, "10003:07:00.0"), 3);
	assert_int_equal(match_one(ENM_DEVICE_GPU, "0000:07:00.0"), 3);
	assert_int_equal(match_one(ENM_DEVICE_GPU, "0000:08:00.0"), TOPOLOGY_NO_GPU); /* either */
	assert_int_equal(match_one(ENM_DEVICE_GPU, "0003:41:00.0"), TOPOLOGY_NO_GPU); /* told, and another */
}

static void one_address_may_come_twice(void **state)
{
	(void)state;
	add_gpu("/dev/dri/card0", "0000:01:00.0");
	add_gpu("/dev/dri/card1", "0000:01:00.0");
	set_device(0, ENM_DEVICE_GPU, "0000:01:00.0", false);
	set_device(1, ENM_DEVICE_GPU, "0000:01:00.0", false);
	set_device(2, ENM_DEVICE_CPU, "", true);
	topology_match(&machine, devices, 3, gpus);
	assert_int_equal(gpus[0], 0);
	assert_int_equal(gpus[1], 0);
	assert_int_equal(gpus[2], TOPOLOGY_NO_GPU);
	topology_match(&machine, NULL, 0, NULL);
}

/* ---- choice ---- */

static void assert_choice(size_t count, int32_t device, bool by_display, const char *reason)
{
	topology_match(&machine, devices, count, gpus);
	topology_choice c = topology_choose(&machine, devices, gpus, count);
	assert_string_equal(c.reason, reason);
	assert_int_equal(c.device, device);
	assert_int_equal(c.by_display, by_display);
}

static void without_choice_the_library_decides(void **state)
{
	(void)state;
	assert_choice(0, -1, false, "no device is usable");
	set_device(0, ENM_DEVICE_CPU, "", true);
	assert_choice(1, 0, false, "the only usable device");
	set_device(1, ENM_DEVICE_CPU, "", true);
	assert_choice(2, 0, false, "the first usable CPU; there is no usable GPU");
	set_device(2, ENM_DEVICE_GPU, "", false);
	assert_choice(3, 2, false, "the only usable GPU");
	devices[2].usable = false;
	assert_choice(3, 0, false, "the first usable CPU; there is no usable GPU");
	devices[0].usable = devices[1].usable = false;
	assert_choice(3, -1, false, "no device is usable");
	set_device(0, ENM_DEVICE_OTHER, "", false);
	set_device(1, ENM_DEVICE_OTHER, "", false);
	assert_choice(2, 0, false, "the first usable device; there is no usable GPU or CPU");
}

/* Device 0 is the card at 00:02.0, device 1 that at 01:00.0, device 2 a CPU. */
static void set_two_gpus(bool first_unified)
{
	set_device(0, ENM_DEVICE_GPU, "0000:00:02.0", first_unified);
	set_device(1, ENM_DEVICE_GPU, "0000:01:00.0", false);
	set_device(2, ENM_DEVICE_CPU, "", true);
}

static void computes_beside_the_display(void **state)
{
	(void)state;
	make_two(DISPLAYS(two_lit), DISPLAYS(none_there));
	set_two_gpus(false);
	assert_choice(3, 1, true, "drives no display; device 0 does (eDP-1, HDMI-A-1)");
	memset(&machine, 0, sizeof machine);
	make_two(DISPLAYS(none_there), DISPLAYS(two_lit));
	assert_choice(3, 0, true, "drives no display; device 1 does (eDP-1, HDMI-A-1)");
	devices[1].usable = false;
	assert_choice(3, 0, false, "the only usable GPU");
}

static void shared_memory_is_worth_more(void **state)
{
	(void)state;
	make_two(DISPLAYS(two_lit), DISPLAYS(none_there));
	set_two_gpus(true);
	assert_choice(3, 0, true,
		"drives the display (eDP-1, HDMI-A-1) and shares its memory with the host, so that nothing is copied; "
		"--device 1 computes beside the display");
	memset(&machine, 0, sizeof machine);
	make_two(DISPLAYS(none_there), DISPLAYS(two_lit)); /* it shares memory, but shows nothing */
	assert_choice(3, 0, true, "drives no display; device 1 does (eDP-1, HDMI-A-1)");
}

static void no_display_or_one_on_each(void **state)
{
	(void)state;
	make_two(DISPLAYS(none_there), DISPLAYS(none_there));
	set_two_gpus(false);
	assert_choice(3, 0, false, "the first usable GPU; no display is connected");
	memset(&machine, 0, sizeof machine);
	make_two(DISPLAYS(two_lit), DISPLAYS(two_lit));
	assert_choice(3, 0, false, "the first usable GPU; each drives a display");
}

/* Who could not be asked may drive the display, and is not taken for one that does not. */
static void not_knowing_is_said(void **state)
{
	(void)state;
	const fake_node table[] = {{"/dev/dri/card0", 0, 0, DISPLAYS(two_lit)}, {"/dev/dri/card1", EACCES, 0, NULL, 0}};
	set_two_gpus(false);
	assert_choice(3, 0, false, "the first usable GPU; which GPU drives the display is not known");
	add_gpu("/dev/dri/card0", "0000:00:02.0");
	add_gpu("/dev/dri/card1", "0000:01:00.0");
	ask(table, 2);
	assert_choice(3, 0, false, "the first usable GPU; which GPU drives the display is not known");
	*devices[1].pci_address = 0;
	assert_choice(3, 0, false, "the first usable GPU; which GPU drives the display is not known");
}

/* Two platforms for one GPU are no choice between GPUs; a display on a card without OpenCL (a server's) is none of
 * ours. */
static void platforms_and_other_cards(void **state)
{
	(void)state;
	make_two(DISPLAYS(two_lit), DISPLAYS(none_there));
	set_device(0, ENM_DEVICE_GPU, "0000:00:02.0", false);
	set_device(1, ENM_DEVICE_GPU, "0000:00:02.0", false);
	assert_choice(2, 0, false, "the only usable GPU");
	set_device(2, ENM_DEVICE_GPU, "0000:01:00.0", false);
	set_device(3, ENM_DEVICE_GPU, "0000:01:00.0", false);
	assert_choice(4, 2, true, "drives no display; device 0 does (eDP-1, HDMI-A-1)");
	add_gpu("/dev/dri/card2", "0000:02:00.0");
	set_device(0, ENM_DEVICE_GPU, "0000:02:00.0", false);
	set_device(1, ENM_DEVICE_GPU, "0000:01:00.0", false);
	assert_choice(2, 0, true, "drives no display; a GPU that cannot compute does");
}

static void each_gpu_is_listed_once(void **state)
{
	(void)state;
	size_t each[DEVICES_MAX];
	add_gpu("/dev/dri/card0", "0000:00:02.0");
	add_gpu("/dev/dri/card1", "0000:01:00.0");
	set_device(0, ENM_DEVICE_CPU, "", true);
	set_device(1, ENM_DEVICE_GPU, "0000:01:00.0", false);
	set_device(2, ENM_DEVICE_GPU, "0000:00:02.0", false);
	set_device(3, ENM_DEVICE_GPU, "0000:01:00.0", false);
	set_device(4, ENM_DEVICE_GPU, "", false);
	set_device(5, ENM_DEVICE_GPU, "", false);
	devices[2].usable = false;
	topology_match(&machine, devices, 6, gpus);
	assert_int_equal(topology_each_gpu(devices, gpus, 6, each), 3);
	assert_int_equal(each[0], 1);
	assert_int_equal(each[1], 4);
	assert_int_equal(each[2], 5);
	devices[1].usable = false; /* the other platform stands in */
	assert_int_equal(topology_each_gpu(devices, gpus, 4, each), 1);
	assert_int_equal(each[0], 3);
	assert_int_equal(topology_each_gpu(devices, gpus, 1, each), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_displays_on_one_of_two_gpus),
		TEST(dark_displays_count_where_none_is_lit),
		TEST(none_is_connected),
		TEST(failures_are_named),
		TEST(more_connectors_than_room),
		TEST(devices_are_matched_by_address),
		TEST(domains_may_be_left_out),
		TEST(one_address_may_come_twice),
		TEST(without_choice_the_library_decides),
		TEST(computes_beside_the_display),
		TEST(shared_memory_is_worth_more),
		TEST(no_display_or_one_on_each),
		TEST(not_knowing_is_said),
		TEST(platforms_and_other_cards),
		TEST(each_gpu_is_listed_once),
	};
	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
