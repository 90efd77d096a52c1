/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* mount */
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "scratch.h"

static void appears_whole(void **state)
{
	(void)state;
	uint8_t *bytes;
	size_t size;
	const char *path = scratch_path("a.bin");
	assert_int_equal(file_check_output(path), HOST_OK);
	assert_int_equal(scratch_count("."), 0);
	assert_int_equal(file_write(path, "first", 5), HOST_OK);
	file_output output;
	assert_int_equal(file_begin(path, &output), HOST_OK);
	fputs("second", output.stream);
	assert_int_equal(file_read(path, 100, &bytes, &size), HOST_OK);
	assert_string_equal((char *)bytes, "first");
	free(bytes);
	assert_int_equal(file_commit(&output), HOST_OK);
	assert_int_equal(file_read(path, 100, &bytes, &size), HOST_OK);
	assert_string_equal((char *)bytes, "second");
	assert_int_equal(size, 6);
	free(bytes);
	assert_int_equal(scratch_count("."), 1);
	struct stat info;
	assert_int_equal(stat(path, &info), 0);
	mode_t mask = umask(0);
	umask(mask);
	assert_int_equal(info.st_mode & 0777, 0666 & ~mask);
}

static void abandoned_leaves_nothing(void **state)
{
	(void)state;
	file_output output;
	assert_int_equal(file_begin(scratch_path("a.bin"), &output), HOST_OK);
	fputs("half", output.stream);
	file_abandon(&output);
	file_abandon(&output);
	assert_int_equal(file_commit(&output), HOST_OK);
	assert_int_equal(scratch_count("."), 0);
}

static void refuses_bad_places(void **state)
{
	(void)state;
	assert_int_equal(file_check_output(scratch_path("none/a.ply")), HOST_IO);
	assert_failure_ends("No such file or directory");
	scratch_text("plain", "x");
	assert_int_equal(file_check_output(scratch_path("plain/a.ply")), HOST_IO);
	scratch_make_folder("folder.ply");
	assert_int_equal(file_check_output(scratch_path("folder.ply")), HOST_IO);
	assert_failure_ends("folder.ply: cannot write: is a folder");
	assert_int_equal(file_check_output(""), HOST_IO);
	assert_int_equal(file_make_folder(scratch_path("folder.ply")), HOST_OK);
	assert_int_equal(file_make_folder(scratch_path("plain")), HOST_IO);
	assert_failure_ends("plain: cannot make folder: a file is there");
	if (geteuid() == 0)
		return; /* root writes anywhere; a read-only mount is tested below */
	scratch_make_folder("locked");
	chmod(scratch_path("locked"), 0555);
	assert_int_equal(file_check_output(scratch_path("locked/a.ply")), HOST_IO);
	assert_failure_ends("Permission denied");
}

static void mounted_places(void **state)
{
	(void)state;
	scratch_make_folder("tiny");
	const char *tiny = scratch_path("tiny");
	if (mount("tmpfs", tiny, "tmpfs", 0, "size=16k,mode=0777")) {
		print_message("skipped: no tmpfs can be mounted here\n");
		skip();
	}
	static const uint8_t bytes[256 << 10];
	host_status small = file_write(scratch_path("tiny/a.bin"), bytes, 1000);
	host_status large = file_write(scratch_path("tiny/a.bin"), bytes, sizeof bytes);
	bool worded = strstr(host_error_text(), "No space left on device") || strstr(host_error_text(), "disk full");
	size_t left = scratch_count("tiny"), kept = scratch_size("tiny/a.bin");
	int remounted = mount("tmpfs", tiny, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=16k");
	host_status locked = file_check_output(scratch_path("tiny/b.bin"));
	bool locked_worded = strstr(host_error_text(), "Read-only file system") != NULL;
	umount(tiny);
	assert_int_equal(small, HOST_OK);
	assert_int_equal(large, HOST_IO);
	assert_true(worded);
	assert_int_equal(left, 1); /* the earlier file, untouched, and no temporary one */
	assert_int_equal(kept, 1000);
	if (!remounted) {
		assert_int_equal(locked, HOST_IO);
		assert_true(locked_worded);
	}
}

static void reads_only_plain_files(void **state)
{
	(void)state;
	uint8_t *bytes;
	size_t size;
	assert_int_equal(file_read(scratch_path("none"), 10, &bytes, &size), HOST_USAGE);
	assert_failure_ends("none: missing");
	assert_int_equal(file_read(scratch_folder(), 10, &bytes, &size), HOST_USAGE);
	assert_failure_ends("is not a file");
	assert_int_equal(mkfifo(scratch_path("pipe"), 0600), 0);
	assert_int_equal(file_read(scratch_path("pipe"), 10, &bytes, &size), HOST_USAGE);
	scratch_text("big", "12345678901");
	assert_int_equal(file_read(scratch_path("big"), 10, &bytes, &size), HOST_USAGE);
	assert_failure_ends("big: is larger than 10 bytes");
	assert_null(bytes);
}

static void paths(void **state)
{
	(void)state;
	char out[FILE_PATH_MAX];
	assert_int_equal(path_join("a", "b", out), HOST_OK);
	assert_string_equal(out, "a/b");
	assert_int_equal(path_join("a/", "b", out), HOST_OK);
	assert_string_equal(out, "a/b");
	assert_int_equal(path_join("a", "/b", out), HOST_OK);
	assert_string_equal(out, "/b");
	assert_int_equal(path_join("", "b", out), HOST_OK);
	assert_string_equal(out, "b");
	assert_string_equal(path_base("x/fr1_desk/"), "fr1_desk/");
	assert_string_equal(path_base("scan.ply"), "scan.ply");
	assert_true(path_has_extension("a/scan.PLY", ".ply"));
	assert_false(path_has_extension(".ply", ".ply"));
	assert_false(path_has_extension("scan.stl", ".ply"));
	assert_int_equal(path_of_program(out), HOST_OK);
	assert_true(file_is_folder(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(appears_whole, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(abandoned_leaves_nothing, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(refuses_bad_places, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(mounted_places, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(reads_only_plain_files, scratch_setup, scratch_teardown),
		cmocka_unit_test(paths),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
