/* SPDX-License-Identifier: Apache-2.0
 * Preloaded under the sanitizers: nothing is unloaded, so that what Mesa's driver leaks has a name by which
 * tests/lsan.supp can tell it from ours. */
int dlclose(void *library);

int dlclose(void *library)
{
	(void)library;
	return 0;
}
