/* SPDX-License-Identifier: Apache-2.0
 * DRM enumeration on mocked sysfs and device nodes. Runs under umockdev-wrapper. */
#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <umockdev.h>
#include <xf86drm.h>

#include "process.h"
#include "topology.h"

#define NODES_MAX 8

static const char first_card[] = "P: /devices/pci0000:00/0000:03:00.0\n"
				 "E: SUBSYSTEM=pci\n"
				 "E: PCI_SLOT_NAME=0000:03:00.0\n"
				 "E: DRIVER=sysfsgpu\n"
				 "L: driver=../../../bus/pci/drivers/sysfsgpu\n"
				 "A: vendor=0x1002\\n\n"
				 "A: device=0x744c\\n\n"
				 "A: subsystem_vendor=0x1002\\n\n"
				 "A: subsystem_device=0x0001\\n\n"
				 "\n"
				 "P: /devices/pci0000:00/0000:03:00.0/drm/card1\n"
				 "N: dri/card1\n"
				 "E: SUBSYSTEM=drm\n"
				 "E: DEVNAME=/dev/dri/card1\n"
				 "E: MAJOR=226\n"
				 "E: MINOR=1\n"
				 "A: dev=226:1\\n\n"
				 "L: device=../../../0000:03:00.0\n"
				 "\n"
				 "P: /devices/pci0000:00/0000:03:00.0/drm/renderD129\n"
				 "N: dri/renderD129\n"
				 "E: SUBSYSTEM=drm\n"
				 "E: DEVNAME=/dev/dri/renderD129\n"
				 "E: MAJOR=226\n"
				 "E: MINOR=129\n"
				 "A: dev=226:129\\n\n"
				 "L: device=../../../0000:03:00.0\n"
				 "\n";

/* Found later in the folder, but earlier on the bus, and without a render node. */
static const char second_card[] = "P: /devices/pci0000:00/0000:00:02.0\n"
				  "E: SUBSYSTEM=pci\n"
				  "E: PCI_SLOT_NAME=0000:00:02.0\n"
				  "A: vendor=0x8086\\n\n"
				  "A: device=0x46a6\\n\n"
				  "A: subsystem_vendor=0x8086\\n\n"
				  "A: subsystem_device=0x0002\\n\n"
				  "\n"
				  "P: /devices/pci0000:00/0000:00:02.0/drm/card7\n"
				  "N: dri/card7\n"
				  "E: SUBSYSTEM=drm\n"
				  "E: DEVNAME=/dev/dri/card7\n"
				  "E: MAJOR=226\n"
				  "E: MINOR=7\n"
				  "A: dev=226:7\\n\n"
				  "L: device=../../../0000:00:02.0\n"
				  "\n";

static UMockdevTestbed *bed;
static UMockdevIoctlBase *driver_answers;

/* Fills a length and, when the caller gave room, the text itself. Runs on umockdev's thread, hence g_assert. */
static void put_text(UMockdevIoctlData *version, size_t length_at, size_t pointer_at, const char *text)
{
	__kernel_size_t length;
	memcpy(&length, version->data + length_at, sizeof length);
	if (length) {
		UMockdevIoctlData *target = umockdev_ioctl_data_resolve(version, pointer_at, length, NULL);
		g_assert(target);
		guint8 copy[32];
		size_t count = strlen(text) < length ? strlen(text) : length;
		memcpy(copy, text, count);
		umockdev_ioctl_data_update(target, 0, copy, (gint)count);
		umockdev_ioctl_data_unref(target);
	}
	length = strlen(text);
	guint8 bytes[sizeof length];
	memcpy(bytes, &length, sizeof length);
	umockdev_ioctl_data_update(version, length_at, bytes, (gint)sizeof bytes);
}

/* DRM_IOCTL_VERSION comes twice: for the lengths, then for the texts. */
static gboolean answer(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer user)
{
	(void)base;
	(void)user;
	if (umockdev_ioctl_client_get_request(client) != DRM_IOCTL_VERSION)
		return FALSE;
	UMockdevIoctlData *version =
		umockdev_ioctl_data_resolve(umockdev_ioctl_client_get_arg(client), 0, sizeof(struct drm_version), NULL);
	g_assert(version);
	put_text(version, offsetof(struct drm_version, name_len), offsetof(struct drm_version, name), "mockgpu");
	put_text(version, offsetof(struct drm_version, date_len), offsetof(struct drm_version, date), "20260101");
	put_text(version, offsetof(struct drm_version, desc_len), offsetof(struct drm_version, desc), "a mock");
	umockdev_ioctl_client_complete(client, 0, 0);
	umockdev_ioctl_data_unref(version);
	return TRUE;
}

static int make_bed(void **state)
{
	(void)state;
	const char *preloaded = getenv("LD_PRELOAD");
	if (!preloaded || !strstr(preloaded, "libumockdev-preload")) {
		print_error("run this under umockdev-wrapper\n");
		return -1;
	}
	bed = umockdev_testbed_new();
	driver_answers = umockdev_ioctl_base_new();
	g_signal_connect(driver_answers, "handle-ioctl", G_CALLBACK(answer), NULL);
	return 0;
}

static int drop_bed(void **state)
{
	(void)state;
	g_clear_object(&bed);
	g_clear_object(&driver_answers);
	return 0;
}

static void no_nodes_is_no_error(void **state)
{
	(void)state;
	drm_node nodes[NODES_MAX];
	size_t count = 99;
	assert_int_equal(drm_list(nodes, NODES_MAX, &count), HOST_OK);
	assert_int_equal(count, 0);
}

static void node_and_driver_are_told(void **state)
{
	(void)state;
	drm_node nodes[NODES_MAX];
	size_t count;
	assert_true(umockdev_testbed_add_from_string(bed, first_card, NULL));
	assert_true(umockdev_testbed_attach_ioctl(bed, "/dev/dri/renderD129", driver_answers, NULL));
	assert_int_equal(drm_list(nodes, NODES_MAX, &count), HOST_OK);
	assert_int_equal(count, 1);
	assert_string_equal(nodes[0].primary, "/dev/dri/card1");
	assert_string_equal(nodes[0].render, "/dev/dri/renderD129");
	assert_string_equal(nodes[0].pci_address, "0000:03:00.0");
	assert_int_equal(nodes[0].pci_vendor, 0x1002);
	assert_int_equal(nodes[0].pci_device, 0x744c);
	assert_string_equal(nodes[0].driver, "mockgpu");
}

/* Without leave to ask the node, sysfs tells the driver; where it does not either, it is said to be unknown. */
static void driver_falls_back(void **state)
{
	(void)state;
	drm_node nodes[NODES_MAX];
	size_t count;
	assert_true(umockdev_testbed_add_from_string(bed, first_card, NULL));
	assert_true(umockdev_testbed_add_from_string(bed, second_card, NULL));
	assert_int_equal(drm_list(nodes, NODES_MAX, &count), HOST_OK);
	assert_int_equal(count, 2);
	assert_string_equal(nodes[0].pci_address, "0000:00:02.0");
	assert_string_equal(nodes[0].primary, "/dev/dri/card7");
	assert_string_equal(nodes[0].render, "");
	assert_string_equal(nodes[0].driver, "unknown");
	assert_string_equal(nodes[1].pci_address, "0000:03:00.0");
	assert_string_equal(nodes[1].driver, "sysfsgpu");
}

static void counts_what_does_not_fit(void **state)
{
	(void)state;
	drm_node node;
	size_t count;
	assert_true(umockdev_testbed_add_from_string(bed, first_card, NULL));
	assert_true(umockdev_testbed_add_from_string(bed, second_card, NULL));
	assert_int_equal(drm_list(&node, 1, &count), HOST_OK);
	assert_int_equal(count, 2);
	assert_string_equal(node.pci_address, "0000:00:02.0");
	assert_int_equal(drm_list(NULL, 0, &count), HOST_OK);
	assert_int_equal(count, 2);
}

/* Each asked node says that it has one display; what is enumerated is the mocked hardware. */
static int open_any(const char *path)
{
	return !strcmp(path, "/dev/dri/card1") ? 1000 : 1001;
}

static void close_any(int descriptor)
{
	assert_true(descriptor == 1000 || descriptor == 1001);
}

static drmModeResPtr one_connector(int descriptor)
{
	static uint32_t ids[] = {5};
	static drmModeRes card1 = {.count_connectors = 1, .connectors = ids}, others;
	return descriptor == 1000 ? &card1 : &others;
}

static drmModeConnectorPtr a_display(int descriptor, uint32_t id)
{
	static drmModeConnector connector = {.connector_type = DRM_MODE_CONNECTOR_HDMIA,
		.connector_type_id = 1,
		.connection = DRM_MODE_CONNECTED,
		.encoder_id = 6};
	assert_int_equal(descriptor, 1000);
	assert_int_equal(id, 5);
	return &connector;
}

static drmModeEncoderPtr an_encoder(int descriptor, uint32_t id)
{
	static drmModeEncoder encoder = {.crtc_id = 7};
	assert_int_equal(descriptor, 1000);
	assert_int_equal(id, 6);
	return &encoder;
}

static void keep_resources(drmModeResPtr r)
{
	(void)r;
}

static void keep_connector(drmModeConnectorPtr c)
{
	(void)c;
}

static void keep_encoder(drmModeEncoderPtr e)
{
	(void)e;
}

static topology machine;

static void displays_belong_to_their_card(void **state)
{
	(void)state;
	const topology_calls calls = {open_any, close_any, one_connector, keep_resources, a_display, keep_connector,
		an_encoder, keep_encoder};
	assert_true(umockdev_testbed_add_from_string(bed, first_card, NULL));
	assert_true(umockdev_testbed_add_from_string(bed, second_card, NULL));
	assert_int_equal(topology_read(&calls, &machine), HOST_OK);
	assert_int_equal(machine.gpu_count, 2);
	assert_string_equal(machine.gpus[0].node.pci_address, "0000:00:02.0");
	assert_false(topology_drives(&machine, 0));
	assert_string_equal(machine.gpus[1].node.pci_address, "0000:03:00.0");
	assert_true(topology_drives(&machine, 1));
	assert_int_equal(machine.gpus[1].connector_count, 1);
	assert_string_equal(machine.gpus[1].connectors[0].name, "HDMI-A-1");
	assert_true(machine.gpus[1].connectors[0].lit);
}

/* libdrm's own calls on a node that answers nothing, and on a machine without nodes. */
static void silent_nodes_are_named(void **state)
{
	(void)state;
	assert_int_equal(topology_read(&topology_libdrm, &machine), HOST_OK);
	assert_int_equal(machine.gpu_count, 0);
	assert_true(umockdev_testbed_add_from_string(bed, first_card, NULL));
	assert_int_equal(topology_read(&topology_libdrm, &machine), HOST_OK);
	assert_int_equal(machine.gpu_count, 1);
	assert_int_equal(machine.gpus[0].connector_count, 0);
	assert_int_equal(strncmp(machine.gpus[0].trouble, "cannot ask /dev/dri/card1 for its outputs: ", 43), 0);
}

/* What the user sees of it. Without OpenCL drivers, which would look for their own hardware in the mocked folders. */
static void devices_shows_the_cards(void **state)
{
	(void)state;
	static char program[] = ENAMEL_PROGRAM, devices[] = "devices", json[] = "--json";
	setenv("OCL_ICD_VENDORS", "/proc/self/none", 1);
	const process_result *r = process_run((char *[]){program, devices, NULL});
	assert_int_equal(r->code, 3);
	assert_non_null(strstr(r->out, "\nno DRM nodes (/dev/dri): which GPU drives a display is not known\n"));
	assert_true(umockdev_testbed_add_from_string(bed, first_card, NULL));
	r = process_run((char *[]){program, devices, NULL});
	assert_int_equal(r->code, 3);
	assert_non_null(
		strstr(r->out, "\nDRM nodes:\n   /dev/dri/card1, /dev/dri/renderD129: PCI 0000:03:00.0 (1002:744c), "
			       "driver sysfsgpu\n      displays not known; cannot ask "
			       "/dev/dri/card1 for its outputs: "));
	r = process_run((char *[]){program, devices, json, NULL});
	unsetenv("OCL_ICD_VENDORS");
	assert_int_equal(r->code, 3);
	assert_non_null(strstr(r->out, "\"primary\": \"/dev/dri/card1\""));
	assert_non_null(strstr(r->out, "\"drives_display\": null"));
	assert_non_null(strstr(r->out, "\"connectors\": []"));
	assert_non_null(strstr(r->out, "\"trouble\": \"cannot ask /dev/dri/card1"));
}

#define BED_TEST(name) cmocka_unit_test_setup_teardown(name, make_bed, drop_bed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BED_TEST(no_nodes_is_no_error),
		BED_TEST(node_and_driver_are_told),
		BED_TEST(driver_falls_back),
		BED_TEST(counts_what_does_not_fit),
		BED_TEST(displays_belong_to_their_card),
		BED_TEST(silent_nodes_are_named),
		BED_TEST(devices_shows_the_cards),
	};
	return cmocka_run_group_tests_name("drm", tests, NULL, NULL);
}
