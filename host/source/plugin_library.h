/* SPDX-License-Identifier: Apache-2.0
 * A plugin's shared library, loaded and looked at. */
#ifndef ENM_HOST_SOURCE_PLUGIN_LIBRARY_H
#define ENM_HOST_SOURCE_PLUGIN_LIBRARY_H

#include "error.h"
#include "plugin/enamel_plugin.h"

typedef struct plugin_library {
	void *handle;              /* of dlopen; NULL when closed */
	enamel_plugin_table table; /* a copy */
	char name[128];            /* of the table, fit for print */
} plugin_library;

/* HOST_USAGE: "FILE: reason" when it is no library, or none with a table that this host can use. */
host_status plugin_library_open(const char *path, plugin_library *out);
/* Accepts one that is all zero, and leaves it so. */
void plugin_library_close(plugin_library *l);

#endif
