/* SPDX-License-Identifier: Apache-2.0 */
#include "v4l2_device.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

#include <linux/videodev2.h>

#include "facts.h"
#include "notices.h"

#define BIG_ENDIAN_BIT (1u << 31) /* of a pixel format, see v4l2_fourcc_be */

static const char *hint(int reason)
{
	switch (reason) {
	case EACCES:
	case EPERM:
		return " (is this user in the group that owns it?)";
	case EBUSY:
		return " (another program uses it)";
	case ENOTTY:
		return " (it is no V4L2 device, or one that cannot do this)";
	default:
		return "";
	}
}

static host_status fail_call(const char *path, const char *call, int reason)
{
	bool system = reason == EIO || reason == ENOMEM || reason == ENOBUFS || reason == EMFILE || reason == ENFILE;
	return host_fail_file(system ? HOST_IO : HOST_USAGE, path, "%s: %s%s", call, strerror(reason), hint(reason));
}

static int ask(const v4l2_device *d, unsigned long request, void *argument)
{
	int result;
	do {
		result = d->system->ioctl(d->descriptor, request, argument);
	} while (result < 0 && errno == EINTR);
	return result;
}

const char *v4l2_format_name(uint32_t pixelformat)
{
	static _Thread_local char names[4][32];
	static _Thread_local unsigned at;
	char *name = names[at++ % 4], code[5] = "";
	for (int i = 0; i < 4; i++)
		code[i] = (char)((pixelformat & ~BIG_ENDIAN_BIT) >> (8 * i) & 0xff);
	for (int i = 3; i >= 0 && code[i] == ' '; i--)
		code[i] = 0;
	for (char *c = code; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	snprintf(name, sizeof names[0], "%s%s", code, pixelformat & BIG_ENDIAN_BIT ? " big-endian" : "");
	return name;
}

static void keep_text(const __u8 *text, size_t size, char *out, size_t out_size)
{
	snprintf(out, out_size, "%.*s", (int)size, (const char *)text);
	notices_clean(out);
}

static host_status open_node(const v4l2_wish *wish, v4l2_device *d)
{
	do {
		d->descriptor = d->system->open(wish->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	} while (d->descriptor < 0 && errno == EINTR);
	return d->descriptor < 0 ? fail_call(wish->path, "open", errno) : HOST_OK;
}

static host_status check_kind(v4l2_device *d)
{
	struct v4l2_capability about = {0};
	if (ask(d, VIDIOC_QUERYCAP, &about) < 0)
		return fail_call(d->path, "VIDIOC_QUERYCAP", errno);
	keep_text(about.driver, sizeof about.driver, d->driver, sizeof d->driver);
	keep_text(about.card, sizeof about.card, d->card, sizeof d->card);
	keep_text(about.bus_info, sizeof about.bus_info, d->bus_info, sizeof d->bus_info);
	uint32_t can = about.capabilities & V4L2_CAP_DEVICE_CAPS ? about.device_caps : about.capabilities;
	const char *reason = NULL;
	if (!(can & V4L2_CAP_VIDEO_CAPTURE)) {
		if (can & (V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_VIDEO_M2M_MPLANE))
			reason = "is multi-planar, which is not read: such a camera needs a driver program or a plugin";
		else if (can & V4L2_CAP_META_CAPTURE)
			reason =
				"delivers what goes with pictures, not pictures: the camera has another node for those";
		else
			reason = "is no capture device";
	} else if (!(can & V4L2_CAP_STREAMING)) {
		reason = "cannot stream";
	}
	return reason ? host_fail_file(HOST_USAGE, d->path, "VIDIOC_QUERYCAP: '%s' %s", d->card, reason) : HOST_OK;
}

/* What the device could deliver instead, as far as it fits. */
static void list_formats(const v4l2_device *d, char *out, size_t size)
{
	size_t at = 0;
	out[0] = 0;
	for (uint32_t i = 0; i < 16; i++) {
		struct v4l2_fmtdesc format = {.index = i, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
		if (ask(d, VIDIOC_ENUM_FMT, &format) < 0)
			return;
		int more = snprintf(out + at, size - at, "%s%s", i ? ", " : "", v4l2_format_name(format.pixelformat));
		if (more < 0 || (size_t)more >= size - at) {
			out[at] = 0;
			return;
		}
		at += (size_t)more;
	}
}

static host_status fail_format(const v4l2_device *d, const v4l2_wish *wish, uint32_t answered)
{
	char offered[160];
	if (answered == (wish->pixelformat | BIG_ENDIAN_BIT))
		return host_fail_file(HOST_USAGE, d->path, "VIDIOC_S_FMT: delivers %s, which is not read",
			v4l2_format_name(answered));
	list_formats(d, offered, sizeof offered);
	return host_fail_file(HOST_USAGE, d->path, "VIDIOC_S_FMT: delivers %s instead of %s%s%s",
		v4l2_format_name(answered), v4l2_format_name(wish->pixelformat), *offered ? "; it offers " : "",
		offered);
}

static host_status set_format(const v4l2_wish *wish, v4l2_device *d)
{
	struct v4l2_format format = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
	struct v4l2_pix_format *picture = &format.fmt.pix;
	picture->width = wish->width;
	picture->height = wish->height;
	picture->pixelformat = wish->pixelformat;
	picture->field = V4L2_FIELD_NONE;
	if (ask(d, VIDIOC_S_FMT, &format) < 0)
		return fail_call(d->path, "VIDIOC_S_FMT", errno);
	if (picture->pixelformat != wish->pixelformat)
		return fail_format(d, wish, picture->pixelformat);
	if (picture->width != wish->width || picture->height != wish->height)
		return host_fail_file(HOST_USAGE, d->path, "VIDIOC_S_FMT: delivers %ux%u pixels, %s says %ux%u",
			picture->width, picture->height, wish->size_from, wish->width, wish->height);
	if (picture->field != V4L2_FIELD_NONE && picture->field != V4L2_FIELD_ANY)
		return host_fail_file(HOST_USAGE, d->path, "VIDIOC_S_FMT: delivers interlaced pictures");
	d->row_bytes = 2 * wish->width;
	d->height = wish->height;
	d->stride_bytes = picture->bytesperline ? picture->bytesperline : d->row_bytes;
	if (d->stride_bytes < d->row_bytes)
		return host_fail_file(HOST_USAGE, d->path, "VIDIOC_S_FMT: has %u bytes a row, %u pixels need %u",
			d->stride_bytes, wish->width, d->row_bytes);
	return HOST_OK;
}

/* A device without this call has one frame rate and does not tell it. */
static host_status set_interval(const v4l2_wish *wish, v4l2_device *d)
{
	struct v4l2_streamparm parameters = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE};
	struct v4l2_fract *interval = &parameters.parm.capture.timeperframe;
	interval->numerator = 1000;
	interval->denominator = (uint32_t)lround(1000.0 * wish->fps);
	if (ask(d, VIDIOC_S_PARM, &parameters) < 0)
		return errno == ENOTTY || errno == EINVAL ? HOST_OK : fail_call(d->path, "VIDIOC_S_PARM", errno);
	if (!(parameters.parm.capture.capability & V4L2_CAP_TIMEPERFRAME) || !interval->numerator ||
		!interval->denominator)
		return HOST_OK;
	d->fps = (double)interval->denominator / (double)interval->numerator;
	if (!facts_fps_fits(d->fps, wish->fps))
		return host_fail_file(HOST_USAGE, d->path, "VIDIOC_S_PARM: delivers %.6g frames/s, %s says %.6g",
			d->fps, wish->fps_from, wish->fps);
	return HOST_OK;
}

static uint64_t picture_bytes(const v4l2_device *d)
{
	return (uint64_t)d->stride_bytes * (d->height - 1) + d->row_bytes; /* the last row may lack its padding */
}

static host_status map_one(v4l2_device *d, uint32_t index)
{
	struct v4l2_buffer buffer = {.index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
	if (ask(d, VIDIOC_QUERYBUF, &buffer) < 0)
		return fail_call(d->path, "VIDIOC_QUERYBUF", errno);
	if (buffer.length < picture_bytes(d))
		return host_fail_file(HOST_USAGE, d->path,
			"VIDIOC_QUERYBUF: has buffers of %u bytes, a picture needs %llu", buffer.length,
			(unsigned long long)picture_bytes(d));
	void *bytes = d->system->mmap(buffer.length, d->descriptor, (off_t)buffer.m.offset);
	if (bytes == MAP_FAILED)
		return fail_call(d->path, "mmap", errno);
	d->mappings[d->mapping_count++] = (v4l2_mapping){bytes, buffer.length};
	return HOST_OK;
}

static host_status map_buffers(v4l2_device *d)
{
	struct v4l2_requestbuffers request = {
		.count = V4L2_DEVICE_BUFFERS, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
	if (ask(d, VIDIOC_REQBUFS, &request) < 0)
		return fail_call(d->path, "VIDIOC_REQBUFS", errno);
	if (request.count < 2 || request.count > V4L2_DEVICE_BUFFERS_MAX)
		return host_fail_file(HOST_USAGE, d->path, "VIDIOC_REQBUFS: gives %u buffers, expected 2 to %d",
			request.count, V4L2_DEVICE_BUFFERS_MAX);
	host_status status = HOST_OK;
	for (uint32_t i = 0; !status && i < request.count; i++)
		status = map_one(d, i);
	return status;
}

static host_status queue_buffer(v4l2_device *d, uint32_t index)
{
	struct v4l2_buffer buffer = {.index = index, .type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
	return ask(d, VIDIOC_QBUF, &buffer) < 0 ? fail_call(d->path, "VIDIOC_QBUF", errno) : HOST_OK;
}

static host_status start(v4l2_device *d)
{
	host_status status = HOST_OK;
	for (uint32_t i = 0; !status && i < d->mapping_count; i++)
		status = queue_buffer(d, i);
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	if (!status && ask(d, VIDIOC_STREAMON, &type) < 0)
		status = fail_call(d->path, "VIDIOC_STREAMON", errno);
	d->streams = !status;
	return status;
}

host_status v4l2_device_open(const v4l2_system *system, const v4l2_wish *wish, v4l2_device *out)
{
	*out = (v4l2_device){.system = system, .path = wish->path, .descriptor = -1};
	host_status status = open_node(wish, out);
	if (!status)
		status = check_kind(out);
	if (!status)
		status = set_format(wish, out);
	if (!status)
		status = set_interval(wish, out);
	if (!status)
		status = map_buffers(out);
	if (!status)
		status = start(out);
	if (status)
		v4l2_device_close(out);
	return status;
}

void v4l2_device_close(v4l2_device *d)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	if (d->streams)
		(void)ask(d, VIDIOC_STREAMOFF, &type);
	for (uint32_t i = 0; i < d->mapping_count; i++)
		(void)d->system->munmap(d->mappings[i].bytes, d->mappings[i].size);
	if (d->descriptor >= 0)
		(void)d->system->close(d->descriptor);
	*d = (v4l2_device){.descriptor = -1};
}

/* V4L2_TAKEN: there is something to dequeue. */
static v4l2_answer wait_for_frame(const v4l2_device *d, double deadline_s)
{
	double left_ms = ceil(1000.0 * (deadline_s - d->system->now_s()));
	struct pollfd wait = {.fd = d->descriptor, .events = POLLIN};
	int ready = d->system->poll(&wait, 1, (int)fmin(fmax(left_ms, 0.0), 1e9));
	if (ready < 0 && errno != EINTR) {
		(void)fail_call(d->path, "poll", errno);
		return V4L2_LOST;
	}
	if (ready <= 0)
		return V4L2_NONE;
	if (wait.revents & POLLIN)
		return V4L2_TAKEN; /* with an error beside it: dequeueing tells more of that */
	(void)host_fail_file(HOST_IO, d->path, "poll: %s",
		wait.revents & POLLHUP ? "the device was taken away" : "the device reports an error");
	return V4L2_LOST;
}

v4l2_answer v4l2_device_take(v4l2_device *d, double deadline_s, v4l2_taken *out)
{
	v4l2_answer answer = wait_for_frame(d, deadline_s);
	if (answer != V4L2_TAKEN)
		return answer;
	struct v4l2_buffer buffer = {.type = V4L2_BUF_TYPE_VIDEO_CAPTURE, .memory = V4L2_MEMORY_MMAP};
	if (ask(d, VIDIOC_DQBUF, &buffer) < 0) {
		if (errno == EAGAIN) {
			(void)d->system->poll(NULL, 0, 1); /* a device that cries wolf must not cost a core */
			return V4L2_NONE;
		}
		(void)fail_call(d->path, "VIDIOC_DQBUF", errno);
		return V4L2_LOST;
	}
	if (buffer.index >= d->mapping_count) {
		(void)host_fail_file(HOST_IO, d->path, "VIDIOC_DQBUF: gives buffer %u, there are %u", buffer.index,
			d->mapping_count);
		return V4L2_LOST;
	}
	*out = (v4l2_taken){.index = buffer.index,
		.bytes_used = buffer.bytesused,
		.sequence = buffer.sequence,
		.damaged = buffer.flags & V4L2_BUF_FLAG_ERROR,
		.stamped = (buffer.flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
		.stamped_at_start = (buffer.flags & V4L2_BUF_FLAG_TSTAMP_SRC_MASK) == V4L2_BUF_FLAG_TSTAMP_SRC_SOE,
		.stamp_s = (double)buffer.timestamp.tv_sec + 1e-6 * (double)buffer.timestamp.tv_usec};
	return V4L2_TAKEN;
}

const char *v4l2_device_check(const v4l2_device *d, const v4l2_taken *taken)
{
	if (taken->damaged)
		return "is damaged, by the driver's word";
	if (taken->bytes_used < picture_bytes(d))
		return "is not whole";
	if (taken->bytes_used > d->mappings[taken->index].size)
		return "says that it is larger than its buffer";
	return NULL;
}

void v4l2_device_copy(const v4l2_device *d, const v4l2_taken *taken, uint16_t *out_pixels)
{
	const uint8_t *row = d->mappings[taken->index].bytes;
	uint8_t *out = (uint8_t *)out_pixels;
	for (uint32_t y = 0; y < d->height; y++, row += d->stride_bytes, out += d->row_bytes)
		memcpy(out, row, d->row_bytes);
}

bool v4l2_device_give_back(v4l2_device *d, const v4l2_taken *taken)
{
	return queue_buffer(d, taken->index) == HOST_OK;
}
