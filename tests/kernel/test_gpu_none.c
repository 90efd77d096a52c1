/* SPDX-License-Identifier: Apache-2.0
 * A machine without an OpenCL driver. Run with OCL_ICD_VENDORS naming an empty folder. */
#include "fixture.h"

static void lists_nothing(void **state)
{
	(void)state;
	enm_device_info device;
	size_t count = 99;
	assert_ok(enm_devices(&device, 1, &count));
	assert_int_equal(count, 0);
}

static void opens_nothing(void **state)
{
	(void)state;
	enm_context_def def = enm_context_def_default();
	enm_context *context = (enm_context *)&def;
	assert_result(enm_context_create(&def, &context), ENM_E_NO_DEVICE);
	assert_null(context);
	assert_error_has("no OpenCL device");
	def.device_index = 0;
	assert_result(enm_context_create(&def, &context), ENM_E_NO_DEVICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lists_nothing), cmocka_unit_test(opens_nothing)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
