/* SPDX-License-Identifier: Apache-2.0
 * The client library for drivers: what it says of its caller's mistakes, and of hosts that are none. */
#define _GNU_SOURCE /* memfd_create */
#include "cmocka_all.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"
#include "socket_rig.h"

/* ---- the caller ------------------------------------------------------------------------------------------------- */

static void checks_its_caller(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	enm_driver_slot slots[2];
	rig_open(rig_path(), &s, &d);
	assert_int_equal(enm_driver_acquire(d, 0.0, &slots[0]), ENM_DRIVER_OK);
	assert_int_equal(enm_driver_acquire(d, 0.0, &slots[1]), ENM_DRIVER_OK); /* several at once */
	assert_int_not_equal(slots[0].index, slots[1].index);
	assert_int_equal(enm_driver_submit(d, &slots[1], 5, 5.0, 1), ENM_DRIVER_OK);
	assert_int_equal(enm_driver_submit(d, &slots[1], 6, 6.0, 1), ENM_DRIVER_E_ARGUMENT);
	assert_string_equal(enm_driver_text(d), "slot: is not held");
	assert_int_equal(enm_driver_submit(d, &slots[0], 5, 6.0, 1), ENM_DRIVER_E_ARGUMENT);
	assert_non_null(strstr(enm_driver_text(d), "number:"));
	assert_int_equal(enm_driver_submit(d, &slots[0], UINT64_MAX, 6.0, 1), ENM_DRIVER_E_ARGUMENT);
	assert_int_equal(enm_driver_submit(d, &slots[0], 6, 5.0, 1), ENM_DRIVER_E_ARGUMENT);
	assert_non_null(strstr(enm_driver_text(d), "time_s:"));
	assert_int_equal(enm_driver_submit(d, &slots[0], 6, (double)NAN, 1), ENM_DRIVER_E_ARGUMENT);
	assert_int_equal(enm_driver_submit(d, &slots[0], 6, 6.0, 1), ENM_DRIVER_OK);
	assert_int_equal(enm_driver_submit(d, NULL, 7, 7.0, 1), ENM_DRIVER_E_ARGUMENT);
	assert_int_equal(enm_driver_submit(NULL, &slots[0], 7, 7.0, 1), ENM_DRIVER_E_ARGUMENT);
	assert_int_equal(enm_driver_acquire(NULL, 0.0, &slots[0]), ENM_DRIVER_E_ARGUMENT);
	assert_int_equal(enm_driver_alive(NULL), ENM_DRIVER_E_ARGUMENT);
	enm_driver_close(NULL, 1);
	enm_driver_close(&d, 1);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

static void checks_its_definition(void **state)
{
	(void)state;
	char why[ENM_DRIVER_TEXT_BYTES], long_text[70000];
	enm_driver *d;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = 0;
	const enm_driver_def good = rig_def(rig_path());
	const struct {
		enm_driver_def def;
		const char *text;
	} cases[] = {
		{{.path = NULL}, "path:"},
		{{.path = ""}, "path:"},
		{{.path = long_text}, "path: wanted 1 to 107 bytes"},
		{{.path = good.path, .camera_json = NULL}, "camera_json:"},
		{{.path = good.path, .camera_json = long_text}, "camera_json:"},
		{{.path = good.path, .camera_json = rig_camera, .width = 15, .height = 32}, "width, height:"},
		{{.path = good.path, .camera_json = rig_camera, .width = 48, .height = 4097}, "width, height:"},
		{{.path = good.path, .camera_json = rig_camera, .width = 48, .height = 32, .fps = 0}, "fps:"},
		{{.path = good.path, .camera_json = rig_camera, .width = 48, .height = 32, .fps = 30, .slots = 33},
			"slots:"},
		{{.path = good.path, .camera_json = rig_camera, .width = 48, .height = 32, .fps = 30, .timeout_s = -1},
			"timeout_s:"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(enm_driver_open(&cases[i].def, &d, why), ENM_DRIVER_E_ARGUMENT);
		assert_null(d);
		if (strstr(why, cases[i].text) != why)
			fail_msg("\"%s\" does not begin with \"%s\"", why, cases[i].text);
	}
	assert_int_equal(enm_driver_open(NULL, &d, why), ENM_DRIVER_E_ARGUMENT);
	assert_int_equal(enm_driver_open(&good, NULL, why), ENM_DRIVER_E_ARGUMENT);
	enm_driver_def nobody = good;
	nobody.timeout_s = 0.2;
	const double begun_s = clock_s();
	assert_int_equal(enm_driver_open(&nobody, &d, why), ENM_DRIVER_E_NO_HOST);
	assert_true(clock_s() - begun_s >= 0.2);
	assert_non_null(strstr(why, "path: no host at"));
	assert_int_equal(enm_driver_open(&nobody, &d, NULL), ENM_DRIVER_E_NO_HOST);
}

/* ---- hosts that are none ---------------------------------------------------------------------------------------- */

/* Takes one connection and says these words, whatever it hears. */
typedef struct fake_host {
	int listener;
	const rig_message *words[2]; /* up to the first NULL */
	off_t ring_bytes;            /* passed with the first word; -1: no descriptor */
	bool stays;                  /* until fake_end */
	int descriptor;
	pthread_t thread;
} fake_host;

static void *answer_one(void *argument)
{
	fake_host *h = argument;
	uint8_t heard[RIG_MESSAGE_MAX];
	h->descriptor = accept(h->listener, NULL, NULL);
	(void)recv(h->descriptor, heard, sizeof heard, 0);
	const int ring = h->ring_bytes < 0 ? -1 : memfd_create("ring", MFD_CLOEXEC);
	if (ring >= 0 && ftruncate(ring, h->ring_bytes))
		return NULL;
	for (int i = 0; i < 2 && h->words[i]; i++) {
		if (!i && ring >= 0)
			(void)rig_send_with_descriptors(h->descriptor, h->words[i], &ring, 1);
		else
			(void)rig_send(h->descriptor, h->words[i]);
	}
	if (ring >= 0)
		close(ring);
	if (!h->stays)
		close(h->descriptor);
	return NULL;
}

static void fake_begin(fake_host *h, int kind)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", rig_path());
	h->listener = socket(AF_UNIX, kind | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(h->listener, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(h->listener, 4), 0);
	if (kind == SOCK_SEQPACKET)
		assert_int_equal(pthread_create(&h->thread, NULL, answer_one, h), 0);
}

static void fake_end(fake_host *h)
{
	close(h->listener);
	assert_int_equal(unlink(rig_path()), 0);
}

#define SLOT_BYTES 8192u
#define COLOR_OFFSET 3072u /* 48 * 32 * 2 */

static rig_message *make_welcome(void)
{
	rig_message *m = rig_head(16, 48);
	rig_put_u32(m, 8, 1);
	rig_put_u32(m, 12, 2);
	rig_put_u64(m, 16, SLOT_BYTES);
	rig_put_u64(m, 24, COLOR_OFFSET);
	rig_put_f64(m, 32, 5.0);
	return m;
}

static rig_message *change_u32(size_t at, uint32_t value)
{
	rig_message *m = make_welcome();
	rig_put_u32(m, at, value);
	return m;
}

static rig_message *make_release(uint32_t slot, uint32_t turn)
{
	rig_message *m = rig_head(17, 24);
	rig_put_u32(m, 8, slot);
	rig_put_u32(m, 12, turn);
	return m;
}

/* Opens a driver at a host that says `word`. */
static enm_driver_result open_at_fake(
	const rig_message *word, off_t ring_bytes, enm_driver **out_driver, char why[ENM_DRIVER_TEXT_BYTES])
{
	fake_host h = {.words = {word}, .ring_bytes = ring_bytes};
	const enm_driver_def def = rig_def(rig_path());
	fake_begin(&h, SOCK_SEQPACKET);
	const enm_driver_result result = enm_driver_open(&def, out_driver, why);
	assert_int_equal(pthread_join(h.thread, NULL), 0);
	fake_end(&h);
	return result;
}

/* Opens a driver at a host that stays; both are the caller's to end. */
static enm_driver *be_welcomed(fake_host *h)
{
	enm_driver *d;
	const enm_driver_def def = rig_def(rig_path());
	fake_begin(h, SOCK_SEQPACKET);
	assert_int_equal(enm_driver_open(&def, &d, NULL), ENM_DRIVER_OK);
	assert_int_equal(pthread_join(h->thread, NULL), 0);
	return d;
}

static void refuses_a_welcome_without_sense(void **state)
{
	(void)state;
	rig_message *no_silence = make_welcome(), *no_number = make_welcome(), *wide = make_welcome();
	rig_put_f64(no_silence, 32, 0.0);
	rig_put_f64(no_number, 32, (double)NAN);
	rig_put_u64(wide, 24, UINT64_MAX - 100); /* runs over */
	const rig_message *words[] = {change_u32(8, 2), change_u32(12, 0), change_u32(12, 33), change_u32(16, 7679),
		change_u32(20, 2), change_u32(24, COLOR_OFFSET - 2), change_u32(24, 3585), no_silence, no_number, wide};
	const int descriptors = rig_descriptors();
	enm_driver *d;
	char why[ENM_DRIVER_TEXT_BYTES];
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		assert_int_equal(open_at_fake(words[i], 2 * SLOT_BYTES, &d, why), ENM_DRIVER_E_LOST);
		assert_string_equal(why, "the host's WELCOME makes no sense");
		assert_null(d);
	}
	assert_int_equal(open_at_fake(make_welcome(), 2 * SLOT_BYTES - 1, &d, why), ENM_DRIVER_E_LOST);
	assert_string_equal(why, "the host's memory is smaller than it says");
	assert_int_equal(open_at_fake(make_welcome(), -1, &d, why), ENM_DRIVER_E_LOST);
	assert_string_equal(why, "the host sends an unknown message");
	assert_int_equal(open_at_fake(rig_head(16, 7), 0, &d, why), ENM_DRIVER_E_LOST);
	assert_string_equal(why, "what comes from the host is no message");
	assert_int_equal(open_at_fake(rig_head(18, 15), 0, &d, why), ENM_DRIVER_E_LOST);
	assert_int_equal(open_at_fake(NULL, -1, &d, why), ENM_DRIVER_E_LOST);
	assert_string_equal(why, "the host is gone before it answered");
	assert_int_equal(rig_descriptors(), descriptors);
}

static void refuses_a_socket_of_another_kind(void **state)
{
	(void)state;
	fake_host h = {.listener = -1};
	enm_driver *d;
	char why[ENM_DRIVER_TEXT_BYTES];
	const enm_driver_def def = rig_def(rig_path());
	fake_begin(&h, SOCK_STREAM);
	assert_int_equal(enm_driver_open(&def, &d, why), ENM_DRIVER_E_LOST);
	assert_non_null(strstr(why, "is a socket of another kind"));
	fake_end(&h);
}

/* A refusal whose text would break a line. */
static void passes_on_a_refusal(void **state)
{
	(void)state;
	rig_message *m = rig_head(18, 21);
	enm_driver *d;
	char why[ENM_DRIVER_TEXT_BYTES];
	rig_put_u32(m, 8, 2);
	rig_put_u32(m, 12, 5);
	memcpy(m->bytes + 16, "a\nb\tc", 5);
	assert_int_equal(open_at_fake(m, -1, &d, why), ENM_DRIVER_E_REFUSED);
	assert_string_equal(why, "refused: a b c");
}

/* Welcomed, and then told what cannot be. */
static void refuses_slots_that_cannot_come_back(void **state)
{
	(void)state;
	const rig_message *second[] = {
		make_release(0, 1), make_release(2, 1), make_release(UINT32_MAX, 0), rig_head(99, 8), rig_head(17, 8)};
	for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
		fake_host h = {.words = {make_welcome(), second[i]}, .ring_bytes = 2 * SLOT_BYTES, .stays = true};
		enm_driver_slot slot;
		enm_driver *d = be_welcomed(&h);
		assert_int_equal(enm_driver_acquire(d, 0.0, &slot), ENM_DRIVER_E_LOST);
		assert_int_equal(enm_driver_alive(d), ENM_DRIVER_E_LOST); /* and remains so */
		enm_driver_close(&d, 1);
		close(h.descriptor);
		fake_end(&h);
	}
}

/* A host that dies at work: the slots in hand are still memory, and each call says that nobody is there. */
static void outlives_its_host(void **state)
{
	(void)state;
	fake_host h = {.words = {make_welcome()}, .ring_bytes = 2 * SLOT_BYTES, .stays = true};
	enm_driver_slot slot, none;
	enm_driver *d = be_welcomed(&h);
	assert_int_equal(enm_driver_acquire(d, 0.0, &slot), ENM_DRIVER_OK);
	close(h.descriptor);
	rig_paint(1, slot.depth, slot.rgb);
	assert_int_equal(enm_driver_submit(d, &slot, 1, 1.0, 1), ENM_DRIVER_E_LOST);
	assert_string_equal(enm_driver_text(d), "the host is gone");
	assert_int_equal(enm_driver_acquire(d, 1.0, &none), ENM_DRIVER_E_LOST);
	assert_int_equal(enm_driver_alive(d), ENM_DRIVER_E_LOST);
	enm_driver_close(&d, 1);
	fake_end(&h);
}

/* One that never reads cannot make the driver wait, nor take its slot from it. */
static void does_not_wait_for_a_deaf_host(void **state)
{
	(void)state;
	rig_message *m = make_welcome();
	rig_put_f64(m, 32, 1e-3); /* so that every call may say something */
	fake_host h = {.words = {m}, .ring_bytes = 2 * SLOT_BYTES, .stays = true};
	enm_driver_slot slot;
	enm_driver *d = be_welcomed(&h);
	assert_int_equal(enm_driver_acquire(d, 0.0, &slot), ENM_DRIVER_OK);
	const double begun_s = clock_s();
	while (!strstr(enm_driver_text(d), "does not read") && clock_s() - begun_s < 60.0)
		assert_int_equal(enm_driver_alive(d), ENM_DRIVER_OK);
	assert_int_equal(enm_driver_submit(d, &slot, 1, 1.0, 1), ENM_DRIVER_NO_SLOT);
	uint8_t heard[64];
	while (recv(h.descriptor, heard, sizeof heard, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(enm_driver_submit(d, &slot, 1, 1.0, 1), ENM_DRIVER_OK); /* the same, now that it listens */
	enm_driver_close(&d, 1);
	close(h.descriptor);
	fake_end(&h);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(checks_its_caller),
		IN_FOLDER(checks_its_definition),
		IN_FOLDER(refuses_a_welcome_without_sense),
		IN_FOLDER(refuses_a_socket_of_another_kind),
		IN_FOLDER(passes_on_a_refusal),
		IN_FOLDER(refuses_slots_that_cannot_come_back),
		IN_FOLDER(outlives_its_host),
		IN_FOLDER(does_not_wait_for_a_deaf_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
