/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memfd_create */
#include "cmocka_all.h"

#include "fake_v4l2.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/videodev2.h>

#define PAGE 4096
#define QUEUE_MAX 64

fake_camera fake;

static struct stream {
	int descriptor;          /* -1: closed */
	bool on, gone, told_off; /* VIDIOC_STREAMOFF came, also when it failed */
	uint32_t buffers, sequence;
	uint32_t queue[QUEUE_MAX], queued; /* buffers of the driver, in order */
} stream;

void fake_reset(uint32_t width, uint32_t height, uint32_t frame_count)
{
	assert_true(frame_count <= FAKE_FRAMES_MAX);
	memset(&fake, 0, sizeof fake);
	memset(&stream, 0, sizeof stream);
	stream.descriptor = -1;
	fake.capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	strcpy(fake.card, "Fake depth");
	fake.pixelformat = V4L2_PIX_FMT_Z16;
	fake.other_format = V4L2_PIX_FMT_YUYV;
	fake.width = width;
	fake.height = height;
	fake.stride = 2 * width + 64;
	fake.field = V4L2_FIELD_NONE;
	fake.interval_us = 33333;
	fake.buffers = 4;
	fake.buffer_bytes = fake.stride * height;
	fake.frame_count = frame_count;
	fake.unplug_events = POLLERR;
	fake.now_s = 1000.0;
}

uint16_t fake_pixel(uint32_t frame, uint32_t at)
{
	return (uint16_t)(frame * 7919 + at * 31 + 1);
}

static bool fails(const char *call)
{
	if (++fake.calls != fake.fail_at)
		return false;
	fake.failed_call = call;
	errno = fake.fail_errno;
	return true;
}

static int refuse(int reason)
{
	errno = reason;
	return -1;
}

static off_t buffer_at(uint32_t index)
{
	return (off_t)index * (off_t)((fake.buffer_bytes + PAGE - 1) / PAGE * PAGE);
}

static int fake_open(const char *path, int flags)
{
	assert_string_equal(path, FAKE_PATH);
	assert_int_equal(flags, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fails("open"))
		return -1;
	if (fake.open_errno)
		return refuse(fake.open_errno);
	if (stream.gone && fake.now_s < fake.back_s)
		return refuse(ENOENT);
	assert_int_equal(stream.descriptor, -1);
	stream = (struct stream){.descriptor = memfd_create("fake-v4l2", MFD_CLOEXEC), .sequence = fake.first_sequence};
	assert_true(stream.descriptor >= 0);
	fake.opens++;
	fake.descriptors++;
	return stream.descriptor;
}

/* As the kernel's, which closes also when it tells of a failure. */
static int fake_close(int descriptor)
{
	assert_int_equal(descriptor, stream.descriptor);
	assert_true(!stream.on || stream.told_off);
	bool failed = fails("close");
	assert_int_equal(v4l2_system_real.close(descriptor), 0);
	stream.descriptor = -1;
	stream.on = false;
	fake.descriptors--;
	return failed ? -1 : 0;
}

static void *fake_mmap(size_t size, int descriptor, off_t offset)
{
	assert_int_equal(descriptor, stream.descriptor);
	assert_int_equal(size, fake.buffer_bytes);
	assert_int_equal(offset % PAGE, 0);
	if (fails("mmap"))
		return MAP_FAILED;
	void *bytes = v4l2_system_real.mmap(size, descriptor, offset);
	assert_true(bytes != MAP_FAILED);
	fake.mapped++;
	return bytes;
}

static int fake_munmap(void *bytes, size_t size)
{
	bool failed = fails("munmap");
	assert_int_equal(v4l2_system_real.munmap(bytes, size), 0);
	fake.mapped--;
	return failed ? -1 : 0;
}

static bool frame_waits(void)
{
	return stream.on && stream.queued && fake.next_frame < fake.frame_count;
}

static int fake_poll(struct pollfd *waits, nfds_t count, int timeout_ms)
{
	assert_true(timeout_ms >= 0 && count <= 1);
	if (fails("poll"))
		return -1;
	double timeout_s = 1e-3 * timeout_ms, pause_s = 0.002;
	if (frame_waits() && !fake.frames[fake.next_frame].unplug) {
		double *left_s = &fake.frames[fake.next_frame].pause_s;
		pause_s += *left_s;
		*left_s = fmax(0.0, *left_s - timeout_s);
	} else if (frame_waits()) {
		stream.gone = true;
		fake.next_frame++;
	}
	if (count && stream.gone) {
		waits->revents = fake.unplug_events;
		return 1;
	}
	bool ready = count && frame_waits() && pause_s <= fmax(timeout_s, 0.002);
	fake.now_s += ready ? pause_s : timeout_s;
	if (count)
		waits->revents = ready ? POLLIN : 0;
	return ready;
}

static int describe(struct v4l2_capability *about)
{
	strcpy((char *)about->driver, "fake");
	memcpy(about->card, fake.card, sizeof fake.card);
	about->capabilities =
		V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING;
	about->device_caps = fake.capabilities; /* what this node of the camera can do */
	return 0;
}

static int name_format(struct v4l2_fmtdesc *format)
{
	if (format->index > 1)
		return refuse(EINVAL);
	format->pixelformat = format->index ? fake.other_format : fake.pixelformat;
	return 0;
}

static int set_format(struct v4l2_format *format)
{
	assert_int_equal(stream.buffers, 0);
	format->fmt.pix.width = fake.width;
	format->fmt.pix.height = fake.height;
	format->fmt.pix.pixelformat = fake.pixelformat;
	format->fmt.pix.bytesperline = fake.stride;
	format->fmt.pix.field = fake.field;
	return 0;
}

static int set_interval(struct v4l2_streamparm *parameters)
{
	assert_false(stream.on);
	if (!fake.interval_us)
		return refuse(ENOTTY);
	parameters->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
	parameters->parm.capture.timeperframe = (struct v4l2_fract){fake.interval_us, 1000000};
	return 0;
}

static int make_buffers(struct v4l2_requestbuffers *request)
{
	assert_int_equal(request->memory, V4L2_MEMORY_MMAP);
	assert_true(request->count > 1);
	request->count = stream.buffers = fake.buffers;
	assert_int_equal(ftruncate(stream.descriptor, buffer_at(fake.buffers)), 0);
	return 0;
}

static int describe_buffer(struct v4l2_buffer *buffer)
{
	assert_true(buffer->index < stream.buffers);
	buffer->length = fake.buffer_bytes;
	buffer->m.offset = (uint32_t)buffer_at(buffer->index);
	return 0;
}

static int queue(const struct v4l2_buffer *buffer)
{
	assert_true(buffer->index < stream.buffers);
	for (uint32_t i = 0; i < stream.queued; i++)
		assert_int_not_equal(stream.queue[i], buffer->index);
	stream.queue[stream.queued++] = buffer->index;
	return 0;
}

/* Rows with their padding, which holds what must not come out. */
static void fill(uint32_t index, uint32_t frame)
{
	static uint8_t bytes[1 << 16];
	assert_true(fake.buffer_bytes <= sizeof bytes);
	memset(bytes, 0xee, sizeof bytes);
	for (uint32_t y = 0; y < fake.height && (y + 1) * fake.stride <= fake.buffer_bytes; y++)
		for (uint32_t x = 0; x < fake.width; x++) {
			uint16_t pixel = fake_pixel(frame, y * fake.width + x);
			memcpy(bytes + y * fake.stride + 2 * x, &pixel, sizeof pixel);
		}
	assert_int_equal(pwrite(stream.descriptor, bytes, fake.buffer_bytes, buffer_at(index)), fake.buffer_bytes);
}

static int dequeue(struct v4l2_buffer *buffer)
{
	if (!frame_waits())
		return refuse(EAGAIN);
	const fake_frame *frame = &fake.frames[fake.next_frame++];
	if (frame->dequeue_errno)
		return refuse(frame->dequeue_errno);
	uint32_t index = stream.queue[0];
	memmove(stream.queue, stream.queue + 1, --stream.queued * sizeof stream.queue[0]);
	fill(index, fake.next_frame - 1);
	stream.sequence += frame->skipped;
	buffer->index = frame->wrong_index ? frame->wrong_index : index;
	buffer->bytesused = (uint32_t)((int32_t)(fake.stride * fake.height) + frame->more_bytes);
	buffer->flags = frame->flags | (frame->unstamped ? 0 : V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC);
	buffer->sequence = fake.never_counts ? 0 : stream.sequence++;
	double stamp_s = fake.now_s - 0.001 + frame->stamp_later_s;
	buffer->timestamp.tv_sec = (time_t)floor(stamp_s);
	buffer->timestamp.tv_usec = (suseconds_t)(1e6 * (stamp_s - floor(stamp_s)));
	return 0;
}

static int switch_on(bool on)
{
	assert_true(!on || stream.queued);
	stream.on = on;
	return 0;
}

static const struct request {
	unsigned long code;
	const char *name;
} requests[] = {
	{VIDIOC_QUERYCAP, "VIDIOC_QUERYCAP"},
	{VIDIOC_ENUM_FMT, "VIDIOC_ENUM_FMT"},
	{VIDIOC_S_FMT, "VIDIOC_S_FMT"},
	{VIDIOC_S_PARM, "VIDIOC_S_PARM"},
	{VIDIOC_REQBUFS, "VIDIOC_REQBUFS"},
	{VIDIOC_QUERYBUF, "VIDIOC_QUERYBUF"},
	{VIDIOC_QBUF, "VIDIOC_QBUF"},
	{VIDIOC_DQBUF, "VIDIOC_DQBUF"},
	{VIDIOC_STREAMON, "VIDIOC_STREAMON"},
	{VIDIOC_STREAMOFF, "VIDIOC_STREAMOFF"},
};

static int answer(unsigned long request, void *argument)
{
	switch (request) {
	case VIDIOC_QUERYCAP:
		return describe(argument);
	case VIDIOC_ENUM_FMT:
		return name_format(argument);
	case VIDIOC_S_FMT:
		return set_format(argument);
	case VIDIOC_S_PARM:
		return set_interval(argument);
	case VIDIOC_REQBUFS:
		return make_buffers(argument);
	case VIDIOC_QUERYBUF:
		return describe_buffer(argument);
	case VIDIOC_QBUF:
		return queue(argument);
	case VIDIOC_DQBUF:
		return dequeue(argument);
	default:
		return switch_on(request == VIDIOC_STREAMON);
	}
}

static int fake_ioctl(int descriptor, unsigned long request, void *argument)
{
	assert_int_equal(descriptor, stream.descriptor);
	size_t at = 0;
	while (at < sizeof requests / sizeof *requests && requests[at].code != request)
		at++;
	assert_true(at < sizeof requests / sizeof *requests);
	stream.told_off = stream.told_off || request == VIDIOC_STREAMOFF;
	if (fails(requests[at].name))
		return -1;
	return stream.gone ? refuse(ENODEV) : answer(request, argument);
}

static double fake_now(void)
{
	return fake.now_s;
}

const v4l2_system fake_system = {fake_open, fake_close, fake_ioctl, fake_mmap, fake_munmap, fake_poll, fake_now};
