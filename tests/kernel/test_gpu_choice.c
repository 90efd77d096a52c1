/* SPDX-License-Identifier: Apache-2.0
 * Which device a definition means, on a made-up machine. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

static gpu_entry items[5];
static gpu_entries machine;

static void add(enm_device_kind kind, const char *name, const char *platform, const char *reason)
{
	enm_device_info *info = &items[machine.count].info;
	info->index = machine.count++;
	info->kind = kind;
	snprintf(info->name, sizeof(info->name), "%s", name);
	snprintf(info->platform, sizeof(info->platform), "%s", platform);
	snprintf(info->reason, sizeof(info->reason), "%s", reason);
	info->usable = reason[0] == '\0';
}

static int make_machine(void **state)
{
	(void)state;
	memset(items, 0, sizeof(items));
	memset(&machine, 0, sizeof(machine));
	machine.items = items;
	add(ENM_DEVICE_OTHER, "Board 7", "Acme", "");
	add(ENM_DEVICE_CPU, "EPYC", "Portable Computing Language", "");
	add(ENM_DEVICE_GPU, "Old GPU", "Acme", "older than OpenCL 1.2");
	add(ENM_DEVICE_GPU, "H200", "NVIDIA CUDA", "");
	add(ENM_DEVICE_GPU, "RX 7900", "AMD", "");
	return 0;
}

static int chosen(const enm_context_def *def)
{
	const gpu_entry *entry = NULL;
	enm_result result = gpu_entries_choose(&machine, def, &entry);
	assert_true((result == ENM_OK) == (entry != NULL));
	return result == ENM_OK ? (int)entry->info.index : (int)result;
}

static void prefers_the_first_usable_gpu_then_cpu_then_any(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	assert_int_equal(chosen(&def), 3);
	items[3].info.usable = false;
	assert_int_equal(chosen(&def), 4);
	items[4].info.usable = false;
	assert_int_equal(chosen(&def), 1);
	items[1].info.usable = false;
	assert_int_equal(chosen(&def), 0);
	items[0].info.usable = false;
	assert_int_equal(chosen(&def), ENM_E_NO_DEVICE);
}

static void chooses_by_kind(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	def.device_kind = ENM_DEVICE_CPU;
	assert_int_equal(chosen(&def), 1);
	def.device_kind = ENM_DEVICE_OTHER;
	assert_int_equal(chosen(&def), 0);
	items[0].info.kind = ENM_DEVICE_CPU;
	assert_int_equal(chosen(&def), ENM_E_NO_DEVICE);
	assert_error_has("no OpenCL other device among the 5 there are");
}

static void chooses_by_part_of_a_name_whatever_the_case(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	def.device_name = "epyc";
	assert_int_equal(chosen(&def), 1);
	def.device_name = "RX";
	assert_int_equal(chosen(&def), 4);
	def.device_name = "portable COMPUTING"; /* the platform's */
	assert_int_equal(chosen(&def), 1);
	def.device_name = "";
	assert_int_equal(chosen(&def), 3);
	def.device_name = "h2000";
	assert_int_equal(chosen(&def), ENM_E_NO_DEVICE);
	assert_error_has("no OpenCL device 'h2000' among the 5 there are");
}

static void chooses_by_name_and_kind_together(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	def.device_name = "acme";
	assert_int_equal(chosen(&def), 0); /* its GPU is not usable */
	def.device_kind = ENM_DEVICE_GPU;
	assert_int_equal(chosen(&def), ENM_E_NO_DEVICE);
	assert_error_has("no usable OpenCL GPU 'acme': Old GPU (Acme): older than OpenCL 1.2");
}

static void an_index_stands_above_name_and_kind(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	def.device_index = 1;
	def.device_name = "H200";
	def.device_kind = ENM_DEVICE_GPU;
	assert_int_equal(chosen(&def), 1);
	def.device_index = 5;
	assert_int_equal(chosen(&def), ENM_E_NO_DEVICE);
	assert_error_has("device_index 5: there are 5 OpenCL devices, counted from 0");
	def.device_index = 2;
	assert_int_equal(chosen(&def), ENM_E_NO_DEVICE);
	assert_error_has("device_index 2: Old GPU (Acme) is not usable: older than OpenCL 1.2");
}

static void says_which_platform_gave_trouble(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	machine.count = 0;
	snprintf(machine.trouble, sizeof(machine.trouble), "platform Acme: clGetDeviceIDs: no");
	assert_int_equal(chosen(&def), ENM_E_NO_DEVICE);
	assert_error_has("platform Acme: clGetDeviceIDs: no");
}

#define TEST(name) cmocka_unit_test_setup(name, make_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(prefers_the_first_usable_gpu_then_cpu_then_any),
		TEST(chooses_by_kind),
		TEST(chooses_by_part_of_a_name_whatever_the_case),
		TEST(chooses_by_name_and_kind_together),
		TEST(an_index_stands_above_name_and_kind),
		TEST(says_which_platform_gave_trouble),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
