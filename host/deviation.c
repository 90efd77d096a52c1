/* SPDX-License-Identifier: Apache-2.0 */
#include "deviation.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "program.h"

/* A file of no name yet in the folder for such. */
static host_status make_file(char out[FILE_PATH_MAX])
{
	const char *folder = getenv("TMPDIR");
	snprintf(out, FILE_PATH_MAX, "%s/enamel-deviation-XXXXXX", folder && *folder ? folder : "/tmp");
	const int file = mkstemp(out);
	if (file < 0)
		return host_fail_file(HOST_IO, out, "cannot be made: %s", strerror(errno));
	close(file);
	return HOST_OK;
}

static host_status measure(const char *model, const char *other, double mm_per_unit, const char *into, const volatile sig_atomic_t *stop)
{
	char unit[32];
	snprintf(unit, sizeof unit, "%.17g", mm_per_unit);
	char *const text[] = {(char *)(uintptr_t)model, (char *)(uintptr_t)other, (char *)(uintptr_t)into};
	char *argv[] = {NULL, "--deviation", text[2], "--mm-per-unit", unit, "--", text[0], text[1], NULL};
	return program_evaluate(argv, stop);
}

host_status deviation_measure(const char *model, const char *other, double mm_per_unit, size_t count, const volatile sig_atomic_t *stop, float **out_um)
{
	char path[FILE_PATH_MAX];
	uint8_t *bytes = NULL;
	size_t size = 0;
	*out_um = NULL;
	host_status status = make_file(path);
	if (status)
		return status;
	status = measure(model, other, mm_per_unit, path, stop);
	if (!status)
		status = file_read(path, count * sizeof **out_um + 1, &bytes, &size);
	unlink(path);
	if (!status && size != count * sizeof **out_um)
		status = host_fail_file(HOST_USAGE, model, "has %zu vertices now, and had %zu: the file is being changed", size / sizeof **out_um, count);
	if (status) {
		free(bytes);
		return status;
	}
	*out_um = (float *)(void *)bytes; /* malloc's, so aligned */
	return HOST_OK;
}
