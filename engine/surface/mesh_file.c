/* SPDX-License-Identifier: Apache-2.0 */
#include "surface/mesh_file.h"

#include "core/error.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- shared by the formats -------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

void mesh_skip_blanks(const char **at)
{
	while (is_blank(**at))
		(*at)++;
}

bool mesh_read_number(const char **at, double *out_value)
{
	mesh_skip_blanks(at);
	if (**at == '\n' || **at == '\0')
		return false;
	char *behind = NULL;
	const double value = strtod(*at, &behind);
	if (behind == *at || !(is_blank(*behind) || *behind == '\n' || *behind == '\0'))
		return false;
	*out_value = value;
	*at = behind;
	return true;
}

bool mesh_read_word(const char **at, const char **out_word, size_t *out_length)
{
	mesh_skip_blanks(at);
	*out_word = *at;
	while (**at != '\0' && **at != '\n' && !is_blank(**at))
		(*at)++;
	*out_length = (size_t)(*at - *out_word);
	return *out_length > 0;
}

bool mesh_word_is(const char *word, size_t length, const char *what)
{
	return strlen(what) == length && strncasecmp(word, what, length) == 0;
}

size_t mesh_line_of(const mesh_input *in, const char *at)
{
	size_t line = 1;
	for (const char *c = in->text; c < at; c++)
		line += *c == '\n';
	return line;
}

bool mesh_to_mm(const mesh_input *in, double value, float *out_mm)
{
	*out_mm = (float)(value * in->mm_per_unit);
	return isfinite(*out_mm);
}

uint8_t *mesh_put_u16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
	return to + 2;
}

uint8_t *mesh_put_u32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> (8 * i));
	return to + 4;
}

uint8_t *mesh_put_f32(uint8_t *to, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return mesh_put_u32(to, bits);
}

static bool unit_is_good(double mm_per_unit)
{
	return mm_per_unit > 0 && isfinite(mm_per_unit);
}

/* ---- saving ----------------------------------------------------------------------------------------------------- */

typedef bool (*mesh_write_fn)(FILE *file, const enm_mesh *mesh, double mm_per_unit);

static mesh_write_fn writer_for(const char *path)
{
	const char *dot = strrchr(path, '.');
	if (dot == NULL)
		return NULL;
	if (strcasecmp(dot, ".ply") == 0)
		return mesh_ply_write;
	if (strcasecmp(dot, ".stl") == 0)
		return mesh_stl_write;
	if (strcasecmp(dot, ".obj") == 0)
		return mesh_obj_write;
	return NULL;
}

/* Opens a new file beside `path`, so that a rename can put it in place. Writes its name to `out_name`. */
static FILE *open_beside(const char *path, char *out_name, size_t name_size)
{
	for (unsigned attempt = 0; attempt < 1000; attempt++) {
		snprintf(out_name, name_size, "%s.%ld-%u.tmp", path, (long)getpid(), attempt);
		const int fd = open(out_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return NULL;
		FILE *file = fdopen(fd, "wb");
		if (file == NULL) {
			const int why = errno;
			close(fd);
			unlink(out_name);
			errno = why;
		}
		return file;
	}
	return NULL;
}

/* Writes, flushes to the disk and renames; 0 or an errno. Leaves nothing behind when it fails. */
static int write_whole(
	const char *path, char *name, size_t name_size, mesh_write_fn write, const enm_mesh *mesh, double mm_per_unit)
{
	FILE *file = open_beside(path, name, name_size);
	if (file == NULL)
		return errno;
	int why = 0;
	errno = 0;
	if (!write(file, mesh, mm_per_unit) || fflush(file) != 0 || fsync(fileno(file)) != 0)
		why = errno != 0 ? errno : EIO;
	if (fclose(file) != 0 && why == 0)
		why = errno;
	if (why == 0 && rename(name, path) != 0)
		why = errno;
	if (why != 0)
		unlink(name);
	return why;
}

enm_result enm_mesh_save(const enm_mesh *mesh, const char *path, double mm_per_unit)
{
	if (mesh == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_save: mesh is NULL");
	if (path == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_save: path is NULL");
	if (!unit_is_good(mm_per_unit))
		return error_set(
			ENM_E_ARGUMENT, "enm_mesh_save: mm_per_unit %g is not above 0 and finite", mm_per_unit);
	const mesh_write_fn write = writer_for(path);
	if (write == NULL)
		return error_set(ENM_E_ARGUMENT, "%s: the name must end in .ply, .stl or .obj", path);

	const size_t name_size = strlen(path) + 64;
	char *name = malloc(name_size);
	const locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	enm_result result = ENM_OK;
	if (name == NULL || c_locale == (locale_t)0) {
		result = error_set(ENM_E_MEMORY, "%s: no memory to write it", path);
	} else {
		const locale_t before = uselocale(c_locale);
		const int why = write_whole(path, name, name_size, write, mesh, mm_per_unit);
		uselocale(before);
		if (why != 0)
			result = error_set(ENM_E_IO, "%s: cannot write the mesh: %s", path, strerror(why));
	}
	if (c_locale != (locale_t)0)
		freelocale(c_locale);
	free(name);
	return result;
}

/* ---- loading ---------------------------------------------------------------------------------------------------- */

static bool read_all(int fd, char *to, size_t size, size_t *out_got)
{
	size_t got = 0;
	while (got < size) {
		const ssize_t n = read(fd, to + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*out_got = got;
	return true;
}

/* The file's bytes with a 0 behind them, to be freed by the caller. */
static enm_result read_file(const char *path, char **out_text, size_t *out_size)
{
	*out_text = NULL;
	enm_result result = ENM_OK;
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(ENM_E_IO, "%s: cannot open the mesh: %s", path, strerror(errno));
	struct stat status;
	char *text = NULL;
	if (fstat(fd, &status) != 0) {
		result = error_set(ENM_E_IO, "%s: cannot read the mesh: %s", path, strerror(errno));
	} else if (!S_ISREG(status.st_mode)) {
		result = error_set(ENM_E_IO, "%s: cannot read the mesh: %s", path,
			S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
	} else if ((text = malloc((size_t)status.st_size + 1)) == NULL) {
		result = error_set(ENM_E_MEMORY, "%s: no memory for its %lld bytes", path, (long long)status.st_size);
	} else if (!read_all(fd, text, (size_t)status.st_size, out_size)) {
		result = error_set(ENM_E_IO, "%s: cannot read the mesh: %s", path, strerror(errno));
	} else {
		text[*out_size] = '\0';
		*out_text = text;
		text = NULL;
	}
	free(text);
	close(fd);
	return result;
}

static enm_result read_by_content(const mesh_input *in, enm_mesh **out_mesh)
{
	if (in->size == 0)
		return error_set(ENM_E_FORMAT, "%s: the file is empty", in->path);
	if (mesh_ply_recognise(in))
		return mesh_ply_read(in, out_mesh);
	if (mesh_stl_recognise(in))
		return mesh_stl_read(in, out_mesh);
	if (mesh_obj_recognise(in))
		return mesh_obj_read(in, out_mesh);
	return error_set(ENM_E_FORMAT, "%s: byte 0: neither PLY, STL nor OBJ", in->path);
}

enm_result enm_mesh_load(const char *path, double mm_per_unit, enm_mesh **out_mesh)
{
	if (out_mesh == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_load: out_mesh is NULL");
	*out_mesh = NULL;
	if (path == NULL)
		return error_set(ENM_E_ARGUMENT, "enm_mesh_load: path is NULL");
	if (!unit_is_good(mm_per_unit))
		return error_set(
			ENM_E_ARGUMENT, "enm_mesh_load: mm_per_unit %g is not above 0 and finite", mm_per_unit);

	char *text = NULL;
	size_t size = 0;
	enm_result result = read_file(path, &text, &size);
	if (result != ENM_OK)
		return result;
	const locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (c_locale == (locale_t)0) {
		free(text);
		return error_set(ENM_E_MEMORY, "%s: no memory to read it", path);
	}
	const locale_t before = uselocale(c_locale);
	enm_mesh *mesh = NULL;
	const mesh_input in = {.path = path, .text = text, .size = size, .mm_per_unit = mm_per_unit};
	result = read_by_content(&in, &mesh);
	uselocale(before);
	freelocale(c_locale);
	free(text);
	if (result == ENM_OK && mesh->triangle_count == 0)
		result = error_set(ENM_E_FORMAT, "%s: holds no triangles (%zu vertices)", path, mesh->vertex_count);
	if (result != ENM_OK)
		enm_mesh_destroy(&mesh);
	*out_mesh = mesh;
	return result;
}
