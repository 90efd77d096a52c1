/* SPDX-License-Identifier: Apache-2.0
 * Frames through the socket, by the client library: as they should come, with pauses, deaths and returns. */
#define _GNU_SOURCE /* setresuid */
#include "cmocka_all.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "scratch.h"
#include "socket_rig.h"

#define OTHER_USER 65534

static void sleep_s(double s)
{
	nanosleep(&(struct timespec){(time_t)s, (long)((s - floor(s)) * 1e9)}, NULL);
}

static void expect_wait(source *s, double timeout_s)
{
	rig_frame f;
	rig_frame_clear(&f);
	assert_int_equal(s->ops->next(s->state, timeout_s, &f.frame), SOURCE_WAIT);
}

static void expect_end(source *s)
{
	rig_frame f;
	rig_frame_clear(&f);
	assert_int_equal(s->ops->next(s->state, 1.0, &f.frame), SOURCE_END);
}

static void frames_come_to_the_bit(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	rig_open(rig_path(), &s, &d);
	assert_string_equal(s.ops->kind, "socket");
	assert_int_equal(s.facts.camera.camera.width, RIG_WIDTH);
	assert_string_equal(s.facts.camera_json, rig_camera);
	assert_true(s.facts.has_color && s.facts.paced && s.facts.camera.fps == 30.0);
	assert_int_equal(enm_driver_get_facts(d)->slots, 4);
	assert_true(enm_driver_get_facts(d)->silence_s == 5.0);
	for (uint64_t n = 0; n < 100; n++) {
		assert_int_equal(rig_submit(d, n, 0.1 * (double)n), ENM_DRIVER_OK);
		rig_expect(&s, n);
	}
	expect_wait(&s, 0.0);
	assert_int_equal(rig_submit(d, 200, 50.0), ENM_DRIVER_OK);
	enm_driver_close(&d, 1);
	assert_null(d);
	rig_expect(&s, 200); /* what was submitted before the goodbye counts */
	expect_end(&s);
	expect_end(&s);
	assert_int_equal(rig_count(&s, "", "frames"), 101);
	assert_int_equal(rig_count(&s, "", "missing_numbers"), 100);
	assert_int_equal(rig_count(&s, "", "drivers_lost"), 0);
	assert_non_null(strstr(rig_notices(&s), "ends the scan"));
	rig_close(&s);
	assert_int_equal(access(rig_path(), F_OK), -1);
}

/* Half a second of frames where the driver has no wish, 8 at least. */
static void slots_are_as_wanted(void **state)
{
	(void)state;
	static const struct {
		uint32_t wanted;
		double fps;
		uint32_t given;
	} cases[] = {{2, 100.0, 2}, {1, 5.0, 2}, {0, 5.0, 8}, {0, 41.0, 21}, {0, 1e5, 32}, {32, 5.0, 32}};
	source s;
	enm_driver *d;
	char why[ENM_DRIVER_TEXT_BYTES];
	rig_open(rig_path(), &s, &d);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enm_driver_close(&d, 0);
		expect_wait(&s, 0.0);
		enm_driver_def def = rig_def(rig_path());
		def.slots = cases[i].wanted;
		def.fps = cases[i].fps;
		assert_int_equal(rig_reopen(&s, &def, &d, why), ENM_DRIVER_OK);
		assert_int_equal(enm_driver_get_facts(d)->slots, cases[i].given);
	}
	enm_driver_close(&d, 1);
	rig_close(&s);
}

static void a_frame_may_lack_colour(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	enm_driver_slot slot;
	rig_frame f;
	rig_open(rig_path(), &s, &d);
	rig_frame_clear(&f);
	assert_int_equal(enm_driver_acquire(d, 0.0, &slot), ENM_DRIVER_OK);
	rig_paint(1, slot.depth, slot.rgb);
	assert_int_equal(enm_driver_submit(d, &slot, 1, 1.0, 0), ENM_DRIVER_OK);
	assert_int_equal(s.ops->next(s.state, 1.0, &f.frame), SOURCE_FRAME);
	assert_false(f.frame.has_color);
	assert_true(rig_is_painted(1, f.depth, NULL));
	assert_int_equal(f.rgb[0] | f.rgb[1] | f.rgb[2], 0);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

/* A driver without colour gives slots and frames without. */
static void a_scan_may_lack_colour(void **state)
{
	(void)state;
	source s;
	enm_driver *d, *first;
	enm_driver_slot slot;
	rig_frame f;
	char why[ENM_DRIVER_TEXT_BYTES];
	rig_open(rig_path(), &s, &first);
	enm_driver_def def = rig_def(rig_path());
	def.has_color = 0;
	enm_driver_close(&first, 0);
	expect_wait(&s, 0.0);
	assert_int_equal(rig_reopen(&s, &def, &d, why), ENM_DRIVER_E_REFUSED);
	assert_string_equal(why, "refused: colour: not as in the scan that is under way");
	rig_close(&s);

	rig_frame_clear(&f);
	f.frame.rgb = NULL;
	const pid_t child = fork();
	if (!child) {
		const bool good = enm_driver_open(&def, &d, why) == ENM_DRIVER_OK &&
				  enm_driver_acquire(d, 0.0, &slot) == ENM_DRIVER_OK && !slot.rgb &&
				  enm_driver_submit(d, &slot, 1, 1.0, 1) == ENM_DRIVER_E_ARGUMENT;
		if (good) {
			rig_paint(1, slot.depth, NULL);
			(void)enm_driver_submit(d, &slot, 1, 1.0, 0);
		}
		enm_driver_close(&d, 1);
		_exit(!good);
	}
	const source_open_def open_def = {.what = rig_path(), .timeout_s = 60.0};
	int status;
	assert_int_equal(source_open_socket(&open_def, &s), HOST_OK);
	assert_false(s.facts.has_color);
	assert_int_equal(s.ops->next(s.state, 60.0, &f.frame), SOURCE_FRAME);
	assert_true(rig_is_painted(1, f.depth, NULL));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	rig_close(&s);
}

/* When the host does not take frames, the driver runs out of slots, and says so; what it submitted is not lost. */
static void slots_run_out(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	enm_driver_slot slot;
	rig_open(rig_path(), &s, &d);
	for (uint64_t n = 0; n < 4; n++)
		assert_int_equal(rig_submit(d, n, (double)n), ENM_DRIVER_OK);
	assert_int_equal(enm_driver_acquire(d, 0.0, &slot), ENM_DRIVER_NO_SLOT);
	assert_non_null(strstr(enm_driver_text(d), "has not given back"));
	const double begun_s = clock_s();
	assert_int_equal(enm_driver_acquire(d, 0.1, &slot), ENM_DRIVER_NO_SLOT);
	assert_true(clock_s() - begun_s >= 0.1);
	rig_expect(&s, 0);
	assert_int_equal(rig_submit(d, 9, 9.0), ENM_DRIVER_OK);
	rig_expect(&s, 1);
	rig_expect(&s, 2);
	rig_expect(&s, 3);
	rig_expect(&s, 9);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

/* A driver that dies leaves the source waiting; what it submitted still comes, and another goes on behind it. */
static void drivers_die_and_come_back(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	rig_frame f;
	char why[ENM_DRIVER_TEXT_BYTES];
	rig_open(rig_path(), &s, &d);
	assert_int_equal(rig_submit(d, 10, 100.0), ENM_DRIVER_OK);
	assert_int_equal(rig_submit(d, 11, 100.5), ENM_DRIVER_OK);
	enm_driver_close(&d, 0);
	rig_expect(&s, 10);
	rig_expect(&s, 11);
	expect_wait(&s, 0.0);
	assert_non_null(strstr(rig_notices(&s), "gone without a goodbye"));
	assert_int_equal(rig_count(&s, "", "drivers_lost"), 1);
	const enm_driver_def def = rig_def(rig_path());
	assert_int_equal(rig_reopen(&s, &def, &d, why), ENM_DRIVER_OK);
	assert_int_equal(rig_submit(d, 0, 0.0), ENM_DRIVER_OK);
	rig_frame_clear(&f);
	assert_int_equal(s.ops->next(s.state, 1.0, &f.frame), SOURCE_FRAME);
	assert_true(rig_is_painted(0, f.depth, f.rgb));
	assert_int_equal(f.frame.number, 12); /* its count and clock are moved behind the last one's */
	assert_true(f.frame.time_s > 100.5);
	enm_driver_close(&d, 1);
	expect_end(&s);
	rig_close(&s);
}

/* The rest of a dead driver is read before another one is judged: a quick return does not find the place taken. */
static void a_return_overtakes_nothing(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	rig_open(rig_path(), &s, &d);
	for (int round = 0; round < 3; round++) {
		for (uint64_t n = 1; n <= 4; n++)
			assert_int_equal(rig_submit(d, 100 * (uint64_t)round + n, (double)round + 0.1 * (double)n),
				ENM_DRIVER_OK);
		enm_driver_close(&d, 0);
		const int next = rig_connect(rig_path());
		assert_true(rig_send(next, rig_hello(rig_camera)));
		for (uint64_t n = 1; n <= 4; n++) {
			sleep_s(0.15); /* so that others are looked after between the frames, too */
			rig_expect(&s, 100 * (uint64_t)round + n);
		}
		const rig_answer answer = rig_wait_answer(&s, next);
		assert_int_equal(answer.type, 16);
		close(answer.ring);
		close(next);
		expect_wait(&s, 0.0);
		char why[ENM_DRIVER_TEXT_BYTES];
		const enm_driver_def def = rig_def(rig_path());
		assert_int_equal(rig_reopen(&s, &def, &d, why), ENM_DRIVER_OK);
	}
	assert_int_equal(rig_count(&s, "refused", "busy"), 0);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

/* A process that is killed at any moment of its work. */
static void killed_drivers_do_no_harm(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	rig_frame f;
	uint64_t last = 0;
	rig_open(rig_path(), &s, &d);
	assert_int_equal(rig_submit(d, 1, 1.0), ENM_DRIVER_OK);
	rig_expect(&s, 1);
	enm_driver_close(&d, 0);
	rig_frame_clear(&f);
	for (int round = 0; round < 10; round++) {
		const pid_t child = fork();
		if (!child) {
			const enm_driver_def def = rig_def(rig_path());
			if (enm_driver_open(&def, &d, NULL) != ENM_DRIVER_OK)
				_exit(1);
			for (uint64_t n = 1;; n++) {
				enm_driver_slot slot;
				if (enm_driver_acquire(d, 10.0, &slot) != ENM_DRIVER_OK)
					_exit(2);
				rig_paint(n, slot.depth, slot.rgb);
				if (enm_driver_submit(d, &slot, n, 0.1 * (double)n, 1) != ENM_DRIVER_OK)
					_exit(3);
			}
		}
		uint64_t base = 0;
		for (uint64_t n = 1; n <= 5 + (uint64_t)round; n++) {
			assert_int_equal(s.ops->next(s.state, 60.0, &f.frame), SOURCE_FRAME);
			assert_true(rig_is_painted(n, f.depth, f.rgb));
			base = n == 1 ? f.frame.number - 1 : base;
			assert_int_equal(f.frame.number, base + n);
			assert_true(f.frame.number > last);
			last = f.frame.number;
		}
		kill(child, SIGKILL);
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (s.ops->next(s.state, 0.0, &f.frame) == SOURCE_FRAME) {
			assert_true(
				rig_is_painted(f.frame.number - base, f.depth, f.rgb)); /* whole, though it was dying */
			last = f.frame.number;
		}
	}
	assert_int_equal(rig_count(&s, "", "drivers"), 11);
	assert_int_equal(rig_count(&s, "", "drivers_lost"), 11);
	rig_close(&s);
}

static void another_camera_is_refused(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	char why[ENM_DRIVER_TEXT_BYTES];
	rig_open(rig_path(), &s, &d);
	enm_driver_close(&d, 0);
	expect_wait(&s, 0.0);
	enm_driver_def def = rig_def(rig_path());
	def.camera_json = "{\"width\": 48, \"height\": 32, \"intrinsic_matrix\": [40, 0, 0, 0, 40, 0, 23.5, 15.5, 1],\n"
			  " \"depth_scale\": 100, \"depth_unit\": \"mm\"}\n";
	assert_int_equal(rig_reopen(&s, &def, &d, why), ENM_DRIVER_E_REFUSED);
	assert_string_equal(why, "refused: depth_scale, depth_unit: not as in the scan that is under way");
	def.camera_json = "{\"width\": 64, \"height\": 32, \"intrinsic_matrix\": [40, 0, 0, 0, 40, 0, 23.5, 15.5, 1],\n"
			  " \"depth_scale\": 1000, \"depth_unit\": \"mm\"}\n";
	def.width = 64;
	assert_int_equal(rig_reopen(&s, &def, &d, why), ENM_DRIVER_E_REFUSED);
	assert_string_equal(why, "refused: width, height: not as in the scan that is under way");
	def.camera_json = "nonsense";
	assert_int_equal(rig_reopen(&s, &def, &d, why), ENM_DRIVER_E_REFUSED);
	assert_non_null(strstr(why, "refused: camera.json: line 1"));
	assert_int_equal(rig_count(&s, "refused", "other_camera"), 2);
	assert_int_equal(rig_count(&s, "refused", "camera"), 1);
	assert_non_null(strstr(rig_notices(&s), "refused: width, height: not as in the scan"));
	rig_close(&s);
}

static void only_one_feeds(void **state)
{
	(void)state;
	source s;
	enm_driver *d, *second;
	char why[ENM_DRIVER_TEXT_BYTES];
	rig_open(rig_path(), &s, &d);
	enm_driver_def def = rig_def(rig_path());
	def.timeout_s = 0.3;
	assert_int_equal(rig_reopen(&s, &def, &second, why), ENM_DRIVER_E_REFUSED);
	assert_string_equal(why, "refused: another driver feeds");
	assert_true(rig_count(&s, "refused", "busy") >= 2); /* the client tried again */
	assert_int_equal(rig_submit(d, 1, 1.0), ENM_DRIVER_OK);
	rig_expect(&s, 1);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

/* A pause is kept alive by word; without one the driver is taken to hang. */
static void pauses_and_hangs(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	char text[SCRATCH_PATH_MAX + 32];
	snprintf(text, sizeof text, "%s,silence=1.5", rig_path());
	rig_open(text, &s, &d);
	const double begun_s = clock_s();
	while (clock_s() - begun_s < 3.0) {
		assert_int_equal(enm_driver_alive(d), ENM_DRIVER_OK);
		expect_wait(&s, 0.1);
	}
	assert_int_equal(rig_submit(d, 1, 1.0), ENM_DRIVER_OK);
	rig_expect(&s, 1);
	/* the host may be away for longer: what it finds then was said in time */
	assert_int_equal(enm_driver_alive(d), ENM_DRIVER_OK);
	sleep_s(2.0);
	assert_int_equal(rig_submit(d, 2, 2.0), ENM_DRIVER_OK);
	rig_expect(&s, 2);
	const double silent_s = clock_s();
	expect_wait(&s, 3.0);
	assert_true(clock_s() - silent_s >= 3.0);
	assert_int_equal(rig_count(&s, "refused", "silent"), 1);
	assert_non_null(strstr(rig_notices(&s), "disconnected: hangs: has said nothing for 1.5 s"));
	assert_int_equal(enm_driver_alive(d), ENM_DRIVER_E_REFUSED);
	assert_string_equal(enm_driver_text(d), "refused: hangs: has said nothing for 1.5 s");
	assert_int_equal(enm_driver_get_facts(d)->refusal, ENM_DRIVER_REFUSAL_SILENT);
	enm_driver_close(&d, 1); /* too late to end the scan */
	expect_wait(&s, 0.0);
	rig_close(&s);
}

/* While a client waits for a slot it lets the host know that it lives. */
static void waiting_for_a_slot_is_no_silence(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	enm_driver_slot slot;
	char text[SCRATCH_PATH_MAX + 32];
	snprintf(text, sizeof text, "%s,silence=1", rig_path());
	rig_open(text, &s, &d);
	for (uint64_t n = 0; n < 4; n++)
		assert_int_equal(rig_submit(d, n, (double)n), ENM_DRIVER_OK);
	assert_int_equal(enm_driver_acquire(d, 1.5, &slot), ENM_DRIVER_NO_SLOT);
	for (uint64_t n = 0; n < 4; n++)
		rig_expect(&s, n);
	expect_wait(&s, 0.0); /* reads the signs of life */
	assert_int_equal(enm_driver_acquire(d, 0.0, &slot), ENM_DRIVER_OK);
	assert_int_equal(rig_count(&s, "refused", "silent"), 0);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

static void the_host_ends_the_scan(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	enm_driver_slot slot;
	rig_open(rig_path(), &s, &d);
	assert_int_equal(rig_submit(d, 1, 1.0), ENM_DRIVER_OK);
	rig_expect(&s, 1);
	assert_int_equal(rig_submit(d, 2, 2.0), ENM_DRIVER_OK); /* remains unread */
	assert_int_equal(enm_driver_acquire(d, 0.0, &slot), ENM_DRIVER_OK);
	rig_close(&s);
	assert_int_equal(enm_driver_submit(d, &slot, 3, 3.0, 1), ENM_DRIVER_OVER);
	assert_string_equal(enm_driver_text(d), "over: the host ends the scan");
	assert_int_equal(enm_driver_acquire(d, 10.0, &slot), ENM_DRIVER_OVER);
	slot.depth = NULL;
	enm_driver_close(&d, 1);
}

/* Not when it was taken, so that latencies tell the truth. */
static void arrival_is_when_it_was_submitted(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	rig_frame f;
	rig_open(rig_path(), &s, &d);
	rig_frame_clear(&f);
	expect_wait(&s, 0.0);
	const double before_s = clock_s();
	assert_int_equal(rig_submit(d, 1, 1.0), ENM_DRIVER_OK);
	const double after_s = clock_s();
	sleep_s(0.2);
	assert_int_equal(s.ops->next(s.state, 1.0, &f.frame), SOURCE_FRAME);
	assert_true(f.frame.arrived_s >= before_s && f.frame.arrived_s <= after_s);
	enm_driver_close(&d, 1);
	rig_close(&s);
}

static void opening_gives_up(void **state)
{
	(void)state;
	source s = {0};
	volatile sig_atomic_t stop = 1;
	const double begun_s = clock_s();
	const source_open_def def = {.what = rig_path(), .timeout_s = 0.3};
	assert_int_equal(source_open_socket(&def, &s), HOST_USAGE);
	assert_failure_ends("no driver within 0.3 s");
	assert_true(clock_s() - begun_s >= 0.3);
	assert_null(s.ops);
	assert_int_equal(access(rig_path(), F_OK), -1);
	const source_open_def endless = {.what = rig_path(), .stop = &stop};
	assert_int_equal(source_open_socket(&endless, &s), HOST_INTERRUPTED);
	assert_int_equal(access(rig_path(), F_OK), -1);
}

/* Says why the driver that did come was none, too. */
static void opening_names_the_last_refusal(void **state)
{
	(void)state;
	const pid_t child = fork();
	if (!child) {
		enm_driver *d;
		enm_driver_def def = rig_def(rig_path());
		def.width = 64;
		_exit(enm_driver_open(&def, &d, NULL) != ENM_DRIVER_E_REFUSED);
	}
	source s = {0};
	int status;
	const source_open_def def = {.what = rig_path(), .timeout_s = 2.0};
	assert_int_equal(source_open_socket(&def, &s), HOST_USAGE);
	assert_failure_ends("refused: HELLO: width, height: 64x32, but the camera.json says 48x32");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* The wanted rate reaches the driver. */
static void the_wish_for_a_rate_is_passed_on(void **state)
{
	(void)state;
	const pid_t child = fork();
	if (!child) {
		enm_driver *d = NULL;
		const enm_driver_def def = rig_def(rig_path());
		const bool good =
			enm_driver_open(&def, &d, NULL) == ENM_DRIVER_OK && enm_driver_get_facts(d)->wanted_fps == 20.0;
		enm_driver_close(&d, 1);
		_exit(!good);
	}
	source s = {0};
	int status;
	const source_open_def def = {.what = rig_path(), .timeout_s = 60.0, .fps = 20.0};
	assert_int_equal(source_open_socket(&def, &s), HOST_OK);
	assert_true(s.facts.camera.fps == 30.0); /* what the driver promises, whatever was wished */
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	rig_close(&s);
}

/* Becomes another user and opens a driver. 0 when it was welcomed, 1 when refused, 2 when it could not even connect. */
static pid_t open_as_other_user(const char *path)
{
	const pid_t child = fork();
	if (child)
		return child;
	enm_driver *d;
	enm_driver_def def = rig_def(path);
	def.timeout_s = 5.0;
	if (setresuid(OTHER_USER, OTHER_USER, OTHER_USER))
		_exit(3);
	const enm_driver_result result = enm_driver_open(&def, &d, NULL);
	_exit(result == ENM_DRIVER_OK ? 0 : result == ENM_DRIVER_E_REFUSED ? 1 : 2);
}

static int wait_for_other_user(source *s, pid_t child)
{
	rig_frame f;
	int status;
	rig_frame_clear(&f);
	while (!waitpid(child, &status, WNOHANG))
		(void)s->ops->next(s->state, 0.01, &f.frame);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void users_are_told_apart(void **state)
{
	(void)state;
	source s;
	enm_driver *d;
	struct stat there;
	char text[SCRATCH_PATH_MAX + 32];
	if (geteuid())
		skip(); /* only root can become somebody else */
	assert_int_equal(chmod(scratch_folder(), 0755), 0);
	rig_open(rig_path(), &s, &d);
	enm_driver_close(&d, 0);
	assert_int_equal(wait_for_other_user(&s, open_as_other_user(rig_path())), 2);
	rig_close(&s);
	snprintf(text, sizeof text, "%s,uid=12345", rig_path());
	rig_open(text, &s, &d);
	enm_driver_close(&d, 0);
	assert_int_equal(stat(rig_path(), &there), 0);
	assert_int_equal(there.st_mode & 07777, 0666);
	assert_int_equal(wait_for_other_user(&s, open_as_other_user(rig_path())), 1);
	assert_int_equal(rig_count(&s, "refused", "user"), 1);
	assert_non_null(strstr(rig_notices(&s), "user 65534: refused: user: may not feed this host"));
	rig_close(&s);
	snprintf(text, sizeof text, "%s,uid=12345,uid=%d", rig_path(), OTHER_USER);
	rig_open(text, &s, &d);
	enm_driver_close(&d, 0);
	assert_int_equal(wait_for_other_user(&s, open_as_other_user(rig_path())), 0);
	rig_close(&s);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(frames_come_to_the_bit),
		IN_FOLDER(slots_are_as_wanted),
		IN_FOLDER(a_frame_may_lack_colour),
		IN_FOLDER(a_scan_may_lack_colour),
		IN_FOLDER(slots_run_out),
		IN_FOLDER(drivers_die_and_come_back),
		IN_FOLDER(a_return_overtakes_nothing),
		IN_FOLDER(killed_drivers_do_no_harm),
		IN_FOLDER(another_camera_is_refused),
		IN_FOLDER(only_one_feeds),
		IN_FOLDER(pauses_and_hangs),
		IN_FOLDER(waiting_for_a_slot_is_no_silence),
		IN_FOLDER(the_host_ends_the_scan),
		IN_FOLDER(arrival_is_when_it_was_submitted),
		IN_FOLDER(opening_gives_up),
		IN_FOLDER(opening_names_the_last_refusal),
		IN_FOLDER(the_wish_for_a_rate_is_passed_on),
		IN_FOLDER(users_are_told_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
