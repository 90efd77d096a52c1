/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void drivers_keep(void)
{
	char line[4096];
	FILE *maps = fopen("/proc/self/maps", "r");
	while (maps && fgets(line, sizeof line, maps)) {
		char *path = strchr(line, '/');
		line[strcspn(line, "\n")] = '\0';
		/* The handle is never closed, on purpose. */
		if (path && strstr(path, "/dri/") && !dlopen(path, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE))
			fprintf(stderr, "%s\n", dlerror());
	}
	if (maps)
		fclose(maps);
}
