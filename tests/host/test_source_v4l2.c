/* SPDX-License-Identifier: Apache-2.0
 * The V4L2 source on a made-up camera: what it delivers, what it refuses, and every call failing once. */
#include "cmocka_all.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/videodev2.h>

#include "fake_v4l2.h"
#include "scratch.h"
#include "v4l2.h"

#define WIDTH 32
#define HEIGHT 24
#define WAIT_S 0.1

static uint16_t pixels[WIDTH * HEIGHT];
static source_frame frame;
static source opened;

static const char camera_text[] =
	"{\"width\": 32, \"height\": 24, \"intrinsic_matrix\": [40, 0, 0, 0, 40, 0, 15.5, 11.5, 1],\n"
	"\"depth_scale\": 50, \"depth_unit\": \"mm\", \"fps\": 30, \"maker\": \"ours\"}\n";

static int setup(void **state)
{
	int failed = scratch_setup(state);
	if (!failed)
		scratch_text("camera.json", camera_text);
	fake_reset(WIDTH, HEIGHT, 8);
	frame = (source_frame){.depth = pixels};
	memset(&opened, 0, sizeof opened);
	return failed;
}

static host_status open_text(const char *what, double fps)
{
	const source_open_def def = {what, fps, 1.0, 0.0, NULL};
	return source_open_v4l2_by(&fake_system, &def, &opened);
}

static host_status open_with(const char *options, double fps)
{
	char what[SCRATCH_PATH_MAX + 64];
	snprintf(what, sizeof what, "%s,camera=%s%s", FAKE_PATH, scratch_path("camera.json"), options);
	return open_text(what, fps);
}

static void must_open(void)
{
	if (open_with("", 0.0))
		fail_msg("%s", host_error_text());
}

/* Nothing of the camera may be left behind. */
static void close_source(void)
{
	if (opened.ops)
		opened.ops->destroy(opened.state);
	memset(&opened, 0, sizeof opened);
	assert_int_equal(fake.descriptors, 0);
	assert_int_equal(fake.mapped, 0);
}

static source_state next(void)
{
	return opened.ops->next(opened.state, WAIT_S, &frame);
}

/* The next frame is that of this place in fake.frames, with this number. */
static void assert_frame(uint32_t place, uint64_t number)
{
	source_state got = SOURCE_WAIT;
	for (int i = 0; i < 200 && got == SOURCE_WAIT; i++)
		got = next();
	assert_int_equal(got, SOURCE_FRAME);
	for (uint32_t i = 0; i < WIDTH * HEIGHT; i++)
		assert_int_equal(pixels[i], fake_pixel(place, i));
	assert_int_equal(frame.number, number);
	assert_false(frame.has_color);
}

static void assert_notice(const char *wanted)
{
	char text[SOURCE_REASON_BYTES];
	if (!opened.ops->notice(opened.state, text))
		fail_msg("no notice, expected \"%s\"", wanted);
	assert_string_equal(text, wanted);
}

static void assert_no_notice(void)
{
	char text[SOURCE_REASON_BYTES];
	if (opened.ops->notice(opened.state, text))
		fail_msg("notice \"%s\"", text);
}

static void drop_notices(void)
{
	char text[SOURCE_REASON_BYTES];
	while (opened.ops->notice(opened.state, text))
		assert_int_not_equal(*text, 0);
}

static void assert_report(const char *key, int64_t wanted)
{
	json_t *report = opened.ops->report(opened.state);
	assert_non_null(report);
	const json_t *value = json_object_get(report, key);
	assert_true(json_is_integer(value));
	assert_int_equal(json_integer_value(value), wanted);
	json_decref(report);
}

static void frames_come_as_they_are(void **state)
{
	(void)state;
	must_open();
	assert_string_equal(opened.ops->kind, "v4l2");
	assert_int_equal(opened.facts.camera.camera.width, WIDTH);
	assert_true(opened.facts.depth_mm_per_unit == 0.02);
	assert_true(opened.facts.camera.fps == 30.0);
	assert_string_equal(opened.facts.camera_json, camera_text);
	assert_true(opened.facts.paced);
	assert_false(opened.facts.has_color);
	double last_s = 0.0;
	for (uint32_t i = 0; i < 8; i++) {
		assert_frame(i, i);
		assert_true(frame.time_s > last_s);
		assert_true(frame.arrived_s > frame.time_s && frame.arrived_s < frame.time_s + 0.002);
		last_s = frame.time_s;
	}
	double before_s = fake.now_s;
	assert_int_equal(next(), SOURCE_WAIT);
	assert_true(fake.now_s > before_s + 0.99 * WAIT_S && fake.now_s < before_s + WAIT_S + 0.01);
	before_s = fake.now_s;
	assert_int_equal(opened.ops->next(opened.state, 0.0, &frame), SOURCE_WAIT);
	assert_true(fake.now_s < before_s + 0.002);
	assert_no_notice();
	assert_report("frames", 8);
	assert_report("lost_before", 0);
	close_source();
}

static void rows_without_padding_and_y16(void **state)
{
	(void)state;
	fake.stride = 0; /* "zero if unused" */
	fake.buffer_bytes = 2 * WIDTH * HEIGHT;
	fake.pixelformat = V4L2_PIX_FMT_Y16;
	assert_int_equal(open_with(",format=Y16", 0.0), HOST_OK);
	fake.stride = 2 * WIDTH;
	assert_frame(0, 0);
	assert_frame(1, 1);
	close_source();
}

static void the_last_row_may_lack_its_padding(void **state)
{
	(void)state;
	fake.buffer_bytes = fake.stride * (HEIGHT - 1) + 2 * WIDTH;
	fake.frames[0].more_bytes = -64;
	must_open();
	for (uint32_t i = 0; i < WIDTH * (HEIGHT - 1); i++)
		pixels[i] = 0;
	assert_int_equal(next(), SOURCE_FRAME);
	for (uint32_t i = 0; i < WIDTH * (HEIGHT - 1); i++)
		assert_int_equal(pixels[i], fake_pixel(0, i));
	close_source();
}

static void bad_texts_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *what, *end;
	} cases[] = {
		{"", "v4l2: device: its name is empty"},
		{",camera=x", "v4l2: device: its name is empty"},
		{FAKE_PATH, FAKE_PATH ": camera=FILE is missing: V4L2 tells neither lens nor unit of depth"},
		{FAKE_PATH ",camera=", "v4l2: camera: its name is empty"},
		{FAKE_PATH ",camera", "v4l2: 'camera' has no value (camera=FILE, format=Z16 or format=Y16)"},
		{FAKE_PATH ",camera=a,camera=b",
			"v4l2: 'camera' is given twice (camera=FILE, format=Z16 or format=Y16)"},
		{FAKE_PATH ",camera=a,color=1", "v4l2: 'color' is no option (camera=FILE, format=Z16 or format=Y16)"},
		{FAKE_PATH ",camera=a,", "v4l2: '' is no option (camera=FILE, format=Z16 or format=Y16)"},
		{FAKE_PATH ",camera=a,format=Y16-BE",
			"v4l2: format: 'Y16-BE' is neither Z16 nor Y16 (16 bits a pixel, little-endian)"},
		{FAKE_PATH ",camera=/nowhere/camera.json", "/nowhere/camera.json: missing"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(open_text(cases[i].what, 0.0), HOST_USAGE);
		assert_failure_ends(cases[i].end);
		assert_null(opened.ops);
	}
	char *name = malloc(5001);
	memset(name, 'x', 5000);
	name[5000] = 0;
	assert_int_equal(open_text(name, 0.0), HOST_USAGE);
	assert_failure_ends("v4l2: device: its name is too long");
	free(name);
	assert_int_equal(fake.calls, 0);
}

static void bad_cameras_are_named(void **state)
{
	(void)state;
	scratch_text("camera.json", "{\"width\": 32, \"height\": 24}");
	assert_int_equal(open_with("", 0.0), HOST_USAGE);
	assert_failure_ends("camera.json: intrinsic_matrix: missing");
	scratch_write("camera.json", "{\0}", 3);
	assert_int_equal(open_with("", 0.0), HOST_USAGE);
	assert_failure_ends("camera.json: is no text");
	assert_int_equal(fake.calls, 0);
}

static void refuse_device(host_status status, const char *end)
{
	assert_int_equal(open_with("", 0.0), status);
	assert_int_equal(strncmp(host_error_text(), FAKE_PATH ": ", strlen(FAKE_PATH) + 2), 0);
	assert_failure_ends(end);
	assert_null(opened.ops);
	assert_int_equal(fake.descriptors, 0);
	assert_int_equal(fake.mapped, 0);
	fake_reset(WIDTH, HEIGHT, 8);
}

static void other_nodes_are_refused(void **state)
{
	(void)state;
	fake.capabilities = V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_STREAMING;
	refuse_device(HOST_USAGE, "VIDIOC_QUERYCAP: 'Fake depth' is no capture device");
	fake.capabilities = V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING;
	refuse_device(HOST_USAGE, "VIDIOC_QUERYCAP: 'Fake depth' is multi-planar, which is not read: such a camera "
				  "needs a driver program or a plugin");
	fake.capabilities = V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING;
	refuse_device(HOST_USAGE, "VIDIOC_QUERYCAP: 'Fake depth' delivers what goes with pictures, not pictures: the "
				  "camera has another node for those");
	fake.capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_READWRITE;
	strcpy(fake.card, "Esc\033[31m\xff");
	refuse_device(HOST_USAGE, "VIDIOC_QUERYCAP: 'Esc [31m?' cannot stream");
	fake.open_errno = EACCES;
	refuse_device(HOST_USAGE, "open: Permission denied (is this user in the group that owns it?)");
	fake.open_errno = EBUSY;
	refuse_device(HOST_USAGE, "open: Device or resource busy (another program uses it)");
	fake.open_errno = EMFILE;
	refuse_device(HOST_IO, "open: Too many open files");
}

static void other_formats_are_refused(void **state)
{
	(void)state;
	fake.pixelformat = V4L2_PIX_FMT_YUYV;
	fake.other_format = V4L2_PIX_FMT_Y16_BE;
	refuse_device(HOST_USAGE, "VIDIOC_S_FMT: delivers YUYV instead of Z16; it offers YUYV, Y16 big-endian");
	fake.pixelformat = V4L2_PIX_FMT_Z16 | 1u << 31;
	refuse_device(HOST_USAGE, "VIDIOC_S_FMT: delivers Z16 big-endian, which is not read");
	fake.pixelformat = 0xff0a0102;
	fake.other_format = 0;
	refuse_device(HOST_USAGE, "VIDIOC_S_FMT: delivers ???? big-endian instead of Z16; it offers ???? big-endian, ");
	fake.width = 64;
	assert_int_equal(open_with("", 0.0), HOST_USAGE);
	assert_non_null(strstr(host_error_text(), FAKE_PATH ": VIDIOC_S_FMT: delivers 64x24 pixels, /"));
	refuse_device(HOST_USAGE, "camera.json says 32x24");
	fake.field = V4L2_FIELD_INTERLACED;
	refuse_device(HOST_USAGE, "VIDIOC_S_FMT: delivers interlaced pictures");
	fake.stride = 63;
	refuse_device(HOST_USAGE, "VIDIOC_S_FMT: has 63 bytes a row, 32 pixels need 64");
}

static void other_rates_and_buffers_are_refused(void **state)
{
	(void)state;
	fake.interval_us = 16667;
	assert_int_equal(open_with("", 0.0), HOST_USAGE);
	assert_non_null(strstr(host_error_text(), FAKE_PATH ": VIDIOC_S_PARM: delivers 59.9988 frames/s, /"));
	refuse_device(HOST_USAGE, "camera.json says 30");
	assert_int_equal(open_with("", 60.0), HOST_USAGE);
	assert_failure_ends("VIDIOC_S_PARM: delivers 30.0003 frames/s, --fps says 60");
	fake.buffers = 1;
	refuse_device(HOST_USAGE, "VIDIOC_REQBUFS: gives 1 buffers, expected 2 to 32");
	fake.buffers = 33;
	refuse_device(HOST_USAGE, "VIDIOC_REQBUFS: gives 33 buffers, expected 2 to 32");
	fake.buffer_bytes = fake.stride * HEIGHT - 65;
	refuse_device(HOST_USAGE, "VIDIOC_QUERYBUF: has buffers of 3007 bytes, a picture needs 3008");
}

static void rates_are_wished_or_not_told(void **state)
{
	(void)state;
	fake.interval_us = 16667;
	assert_int_equal(open_with("", 60.0), HOST_OK);
	assert_true(opened.facts.camera.fps == 60.0);
	camera_file camera;
	assert_int_equal(camera_parse("kept", opened.facts.camera_json, &camera), HOST_OK);
	assert_true(camera.fps == 60.0);
	assert_non_null(strstr(opened.facts.camera_json, "\"maker\": \"ours\""));
	assert_no_notice();
	close_source();
	fake_reset(WIDTH, HEIGHT, 1);
	fake.interval_us = 0;
	assert_int_equal(open_with("", 12.5), HOST_OK);
	assert_notice(FAKE_PATH ": does not tell its frame rate; taken to be 12.5 as --fps says");
	assert_frame(0, 0);
	close_source();
}

static void bad_pictures_are_left_out(void **state)
{
	(void)state;
	fake.frames[1].flags = fake.frames[2].flags = V4L2_BUF_FLAG_ERROR;
	fake.frames[4].more_bytes = -65;
	fake.frames[6].more_bytes = 1;
	must_open();
	assert_frame(0, 0);
	assert_frame(3, 3);
	assert_notice(FAKE_PATH ": frame 1 is left out: it is damaged, by the driver's word");
	assert_notice(FAKE_PATH ": 2 frames in a row were left out");
	assert_frame(5, 5);
	assert_notice(FAKE_PATH ": frame 4 is left out: it is not whole");
	assert_frame(7, 7);
	assert_notice(FAKE_PATH ": frame 6 is left out: it says that it is larger than its buffer");
	assert_no_notice();
	assert_report("damaged", 2);
	assert_report("not_whole", 2);
	assert_report("frames", 4);
	close_source();
}

static void times_only_run_forward(void **state)
{
	(void)state;
	fake.frames[1].stamp_later_s = -0.5;  /* before frame 0 */
	fake.frames[2].stamp_later_s = 5.0;   /* not yet */
	fake.frames[3].stamp_later_s = -2000; /* below 0 */
	fake.frames[5].unstamped = true;
	fake.frames[6].unstamped = true;
	must_open();
	assert_frame(0, 0);
	double last_s = frame.time_s;
	assert_frame(4, 4);
	assert_true(frame.time_s > last_s);
	assert_notice(FAKE_PATH ": frame 1 is left out: it is not later than the one before");
	assert_notice(FAKE_PATH ": 3 frames in a row were left out");
	assert_no_notice();
	assert_frame(5, 5);
	assert_true(frame.time_s == frame.arrived_s);
	assert_notice(FAKE_PATH ": the driver gives no usable times: those of arrival are taken");
	assert_frame(6, 6);
	assert_frame(7, 7);
	assert_no_notice();
	assert_report("bad_time", 3);
	close_source();
}

static void lost_frames_are_gaps(void **state)
{
	(void)state;
	fake.first_sequence = UINT32_MAX - 1; /* so that the count goes round */
	fake.frames[1].skipped = 3;
	fake.frames[3].skipped = 1u << 21; /* no frame rate loses that many */
	must_open();
	assert_frame(0, 0);
	assert_frame(1, 4);
	assert_frame(2, 5);
	assert_no_notice();
	assert_frame(3, 6);
	assert_notice(FAKE_PATH ": the driver does not count its frames: lost ones may go unnoticed");
	assert_frame(4, 7);
	assert_report("lost_before", 3);
	close_source();
	fake_reset(WIDTH, HEIGHT, 3);
	fake.never_counts = true;
	must_open();
	for (uint32_t i = 0; i < 3; i++)
		assert_frame(i, i);
	assert_notice(FAKE_PATH ": the driver does not count its frames: lost ones may go unnoticed");
	assert_no_notice();
	close_source();
}

static void unplugged_and_back(void **state)
{
	(void)state;
	for (int hangup = 0; hangup < 3; hangup++) {
		fake_reset(WIDTH, HEIGHT, 5);
		fake.frames[2].unplug = true;
		fake.back_s = fake.now_s + 3.2;
		fake.unplug_events = hangup == 2 ? POLLIN | POLLERR : hangup ? POLLHUP : POLLERR;
		must_open();
		assert_frame(0, 0);
		assert_frame(1, 1);
		assert_int_equal(next(), SOURCE_WAIT);
		assert_int_equal(fake.descriptors, 0);
		assert_int_equal(fake.mapped, 0);
		assert_notice(
			hangup == 2 ? FAKE_PATH ": VIDIOC_DQBUF: No such device; waiting for the device to come back"
			: hangup    ? FAKE_PATH ": poll: the device was taken away; waiting for the device to come back"
				    : FAKE_PATH
				": poll: the device reports an error; waiting for the device to come back");
		assert_frame(3, 2);
		assert_frame(4, 3);
		assert_int_equal(fake.opens, 2);
		assert_notice(FAKE_PATH ": open: No such file or directory");
		assert_notice(FAKE_PATH ": the device is back after 3.5 s");
		assert_no_notice();
		assert_report("reopened", 1);
		close_source();
	}
}

static void another_camera_is_not_the_one_back(void **state)
{
	(void)state;
	fake.frames[1].unplug = true;
	must_open();
	assert_frame(0, 0);
	strcpy(fake.card, "Other depth");
	for (int i = 0; i < 50; i++)
		assert_int_equal(next(), SOURCE_WAIT);
	assert_int_equal(fake.descriptors, 0);
	assert_true(fake.opens > 8 && fake.opens < 13); /* every half second */
	assert_notice(FAKE_PATH ": poll: the device reports an error; waiting for the device to come back");
	assert_notice(FAKE_PATH ": is 'Other depth' now and was 'Fake depth'");
	strcpy(fake.card, "Fake depth");
	fake.width = 64;
	for (int i = 0; i < 10; i++)
		assert_int_equal(next(), SOURCE_WAIT);
	char text[SOURCE_REASON_BYTES];
	assert_true(opened.ops->notice(opened.state, text));
	assert_int_equal(strncmp(text, FAKE_PATH ": VIDIOC_S_FMT: delivers 64x24 pixels, ", 40), 0);
	assert_no_notice();
	close_source();
}

static void silence_is_told_once(void **state)
{
	(void)state;
	fake.frame_count = 3;
	fake.frames[1].pause_s = 12.0;
	must_open();
	assert_frame(0, 0);
	assert_frame(1, 1);
	assert_notice(FAKE_PATH ": no frame for 5.0 s");
	assert_no_notice();
	for (int i = 0; i < 60; i++)
		(void)next();
	assert_notice(FAKE_PATH ": no frame for 5.0 s");
	assert_no_notice();
	close_source();
}

static void drivers_that_lie_do_no_harm(void **state)
{
	(void)state;
	fake.frames[1].wrong_index = 4;
	fake.frames[3].dequeue_errno = EAGAIN;
	fake.frames[5].dequeue_errno = EPIPE;
	must_open();
	assert_frame(0, 0);
	assert_frame(2, 1);
	assert_notice(FAKE_PATH ": VIDIOC_DQBUF: gives buffer 4, there are 4; waiting for the device to come back");
	assert_notice(FAKE_PATH ": the device is back after 0.0 s");
	double before_s = fake.now_s;
	assert_int_equal(next(), SOURCE_WAIT);
	assert_true(fake.now_s > before_s + 0.0025); /* not asked again at once, for ever */
	assert_frame(4, 2);
	assert_no_notice();
	assert_frame(6, 3);
	assert_notice(FAKE_PATH ": VIDIOC_DQBUF: Broken pipe; waiting for the device to come back");
	assert_notice(FAKE_PATH ": the device is back after 0.5 s");
	close_source();
}

static void many_notices_are_counted(void **state)
{
	(void)state;
	fake_reset(WIDTH, HEIGHT, 60);
	for (int i = 0; i < 60; i += 2)
		fake.frames[i].flags = V4L2_BUF_FLAG_ERROR;
	must_open();
	for (uint32_t i = 1; i < 60; i += 2)
		assert_frame(i, i);
	for (int i = 0; i < 32; i += 2) {
		char wanted[SOURCE_REASON_BYTES];
		snprintf(wanted, sizeof wanted, FAKE_PATH ": frame %d is left out: it is damaged, by the driver's word",
			i);
		assert_notice(wanted);
	}
	assert_notice("14 more notices were left out");
	assert_no_notice();
	close_source();
}

/* Opens and takes all frames while the call `at` fails. False when there was no such call. */
static bool survive_failure(uint64_t at, int reason)
{
	fake_reset(WIDTH, HEIGHT, 6);
	fake.fail_at = at;
	fake.fail_errno = reason;
	host_status status = open_with("", 0.0);
	if (status) {
		char named[64];
		assert_non_null(fake.failed_call);
		snprintf(named, sizeof named, FAKE_PATH ": %s: %s", fake.failed_call, strerror(reason));
		if (strncmp(host_error_text(), named, strlen(named)))
			fail_msg("\"%s\" does not begin with \"%s\"", host_error_text(), named);
		assert_null(opened.ops);
	} else {
		uint64_t last = 0;
		for (int i = 0; i < 30; i++) {
			if (next() != SOURCE_FRAME)
				continue;
			for (uint32_t p = 0; p < WIDTH * HEIGHT; p++)
				assert_int_equal(pixels[p], fake_pixel(fake.next_frame - 1, p));
			assert_true(!last || frame.number > last - 1);
			last = frame.number + 1;
		}
		assert_int_equal(last, 6); /* no call's failure costs a frame that the camera had not lost */
		assert_report("frames", 6);
		drop_notices();
	}
	close_source();
	return fake.failed_call;
}

static size_t open_descriptors(void)
{
	size_t count = 0;
	DIR *folder = opendir("/proc/self/fd");
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void each_call_fails_once(void **state)
{
	(void)state;
	static const int reasons[] = {EIO, ENODEV, EINTR, EAGAIN, ENOMEM, EBUSY, EINVAL, ENOTTY};
	size_t before = open_descriptors();
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
		uint64_t at = 1;
		while (survive_failure(at, reasons[i]))
			at++;
		assert_true(at > 40);
	}
	assert_int_equal(open_descriptors(), before);
}

static void signals_cost_nothing(void **state)
{
	(void)state;
	for (uint64_t at = 1; at < 30; at++) {
		fake_reset(WIDTH, HEIGHT, 4);
		fake.fail_at = at;
		fake.fail_errno = EINTR;
		if (open_with("", 0.0)) {
			assert_string_equal(fake.failed_call, "mmap"); /* which no signal ends */
			continue;
		}
		for (uint32_t i = 0; i < 4; i++)
			assert_frame(i, i);
		assert_no_notice();
		assert_int_equal(fake.opens, 1);
		close_source();
	}
}

/* The system's own calls, on what is there on every machine. */
static void files_are_no_cameras(void **state)
{
	(void)state;
	char what[2 * SCRATCH_PATH_MAX];
	const source_open_def def = {what, 0.0, 1.0, 0.0, NULL};
	const char *camera = scratch_path("camera.json");
	snprintf(what, sizeof what, "/dev/null,camera=%s", camera);
	assert_int_equal(source_open_v4l2(&def, &opened), HOST_USAGE);
	assert_failure_ends("/dev/null: VIDIOC_QUERYCAP: Inappropriate ioctl for device (it is no V4L2 device, or one "
			    "that cannot do this)");
	snprintf(what, sizeof what, "/dev/no-video,camera=%s", camera);
	assert_int_equal(source_open_v4l2(&def, &opened), HOST_USAGE);
	assert_failure_ends("/dev/no-video: open: No such file or directory");
	assert_null(opened.ops);
	double before_s = v4l2_system_real.now_s();
	assert_int_equal(v4l2_system_real.poll(NULL, 0, 5), 0);
	assert_true(v4l2_system_real.now_s() >= before_s + 0.004);
}

#define SOURCE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SOURCE_TEST(frames_come_as_they_are),
		SOURCE_TEST(rows_without_padding_and_y16),
		SOURCE_TEST(the_last_row_may_lack_its_padding),
		SOURCE_TEST(bad_texts_are_named),
		SOURCE_TEST(bad_cameras_are_named),
		SOURCE_TEST(other_nodes_are_refused),
		SOURCE_TEST(other_formats_are_refused),
		SOURCE_TEST(other_rates_and_buffers_are_refused),
		SOURCE_TEST(rates_are_wished_or_not_told),
		SOURCE_TEST(bad_pictures_are_left_out),
		SOURCE_TEST(times_only_run_forward),
		SOURCE_TEST(lost_frames_are_gaps),
		SOURCE_TEST(unplugged_and_back),
		SOURCE_TEST(another_camera_is_not_the_one_back),
		SOURCE_TEST(silence_is_told_once),
		SOURCE_TEST(drivers_that_lie_do_no_harm),
		SOURCE_TEST(many_notices_are_counted),
		SOURCE_TEST(each_call_fails_once),
		SOURCE_TEST(signals_cost_nothing),
		SOURCE_TEST(files_are_no_cameras),
	};
	return cmocka_run_group_tests_name("v4l2", tests, NULL, NULL);
}
