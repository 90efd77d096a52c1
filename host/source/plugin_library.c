/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "notices.h"

#define ENTRY "enamel_plugin"

typedef const enamel_plugin_table *entry_function(uint32_t host_version);

/* A name without a slash is a file here, not a library that the loader would search for elsewhere. */
static host_status load(const char *path, plugin_library *l)
{
	char here[FILE_PATH_MAX];
	struct stat info;
	if (stat(path, &info))
		return host_fail_file(HOST_USAGE, path, "%s", errno == ENOENT ? "missing" : strerror(errno));
	if (!S_ISREG(info.st_mode))
		return host_fail_file(HOST_USAGE, path, "is no file");
	host_status status = path_join(strchr(path, '/') ? "" : ".", path, here);
	if (status)
		return status;
	l->handle = dlopen(here, RTLD_NOW | RTLD_LOCAL);
	return l->handle ? HOST_OK : host_fail_file(HOST_USAGE, path, "cannot be loaded: %s", dlerror());
}

static host_status check_table(const char *path, const enamel_plugin_table *table)
{
	if (!table)
		return host_fail_file(
			HOST_USAGE, path, "does not serve version %u of the plugin interface", ENAMEL_PLUGIN_VERSION);
	if (table->version != ENAMEL_PLUGIN_VERSION)
		return host_fail_file(HOST_USAGE, path, "is for version %u of the plugin interface, not %u",
			table->version, ENAMEL_PLUGIN_VERSION);
	if (table->size < sizeof *table)
		return host_fail_file(HOST_USAGE, path, "its table has %u bytes, version %u has %zu", table->size,
			ENAMEL_PLUGIN_VERSION, sizeof *table);
	const char *missing = !table->name    ? "name"
			      : !table->open  ? "open"
			      : !table->next  ? "next"
			      : !table->close ? "close"
					      : NULL;
	return missing ? host_fail_file(HOST_USAGE, path, "its table has no %s", missing) : HOST_OK;
}

host_status plugin_library_open(const char *path, plugin_library *out)
{
	memset(out, 0, sizeof *out);
	host_status status = load(path, out);
	if (status)
		return status;
	/* C knows no cast from an object's address to a function's; POSIX says that both are of one kind. */
	entry_function *entry = NULL;
	void *symbol = dlsym(out->handle, ENTRY);
	memcpy(&entry, &symbol, sizeof entry);
	const enamel_plugin_table *table = NULL;
	if (symbol) {
		table = entry(ENAMEL_PLUGIN_VERSION);
		status = check_table(path, table);
	} else {
		status = host_fail_file(HOST_USAGE, path, "is no plugin: it exports no function " ENTRY);
	}
	if (status) {
		plugin_library_close(out);
		return status;
	}
	out->table = *table;
	snprintf(out->name, sizeof out->name, "%s", table->name);
	notices_clean(out->name);
	return HOST_OK;
}

void plugin_library_close(plugin_library *l)
{
	if (l->handle)
		dlclose(l->handle);
	memset(l, 0, sizeof *l);
}
