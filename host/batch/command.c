/* SPDX-License-Identifier: Apache-2.0
 * `enamel batch`: options, devices, what is finished already, and the exit code. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "batch/batch.h"
#include "command.h"
#include "device_choice.h"
#include "options.h"

#define DEVICES_MAX 64

static const char about[] =
	"Replays each dataset of a list, and makes one table of the results. A line of MANIFEST is a dataset, with some\n"
	"options of 'enamel replay' if wanted (host/BATCH.md names them), and --name NAME; '#' begins a comment,\n"
	"\"double quotes\" hold blanks, paths begin at the manifest's folder. FOLDER gets a folder of results for each, and\n"
	"batch.json and batch.txt.\n"
	"One failure does not stop the rest. What is finished is not done again: after an interrupt, or to try "
	"failures\n"
	"once more, give the same command. Exit code 1 when some datasets failed or were not good enough.";

typedef struct batch_options {
	const char *out, *device;
	int64_t workers;
	bool again, json;
} batch_options;

/* --device, word by word: each is given to every so many-th item, so that who computes what does not hang on chance. */
typedef struct device_list {
	struct {
		char word[128]; /* "": the replay chooses */
		char computes[BATCH_DEVICE_BYTES];
	} each[DEVICES_MAX];
	size_t count;
} device_list;

/* ---- devices ---- */

static host_status add_device(const char *word, const enm_device_info *computes, device_list *out)
{
	if (out->count == DEVICES_MAX)
		return host_fail(HOST_USAGE, "--device: more than %d devices", DEVICES_MAX);
	snprintf(out->each[out->count].word, sizeof out->each->word, "%s", word);
	snprintf(out->each[out->count].computes, sizeof out->each->computes, "%s, %s", computes->name, computes->driver);
	out->count++;
	return HOST_OK;
}

/* What a replay alone would take. Where displays speak for a device they are asked once: a screen that is plugged in later must not send items elsewhere. */
static host_status add_choice(const device_choice *c, device_list *out)
{
	char number[16] = "";
	const enm_device_info *chosen = &c->devices[c->choice.device];
	if (c->choice.by_display) {
		snprintf(number, sizeof number, "%d", c->choice.device);
		host_say("device: %s (%s)", chosen->name, c->choice.reason);
	}
	return add_device(number, chosen, out);
}

/* Where there is no GPU, a replay takes what it would take alone. */
static host_status add_all(const device_choice *c, device_list *out)
{
	size_t *each = calloc(c->device_count + 1, sizeof *each);
	if (!each)
		return host_fail_memory("the list of devices");
	const size_t count = topology_each_gpu(c->devices, c->gpus, c->device_count, each);
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < count; i++) {
		char number[16];
		snprintf(number, sizeof number, "%u", c->devices[each[i]].index);
		status = add_device(number, &c->devices[each[i]], out);
	}
	free(each);
	return status || count ? status : add_choice(c, out);
}

/* The one that a replay would take for this word, in the library's order, or NULL. */
static const enm_device_info *find_meant(const device_choice *c, const char *word)
{
	static const enm_device_kind order[] = {ENM_DEVICE_GPU, ENM_DEVICE_CPU, ENM_DEVICE_ANY};
	for (size_t k = 0; k < sizeof order / sizeof *order; k++)
		for (size_t i = 0; i < c->device_count; i++) {
			const enm_device_info *d = &c->devices[i];
			if (d->usable && (order[k] == ENM_DEVICE_ANY || d->kind == order[k]) && device_is_meant(d, word))
				return d;
		}
	return NULL;
}

static host_status split_devices(const device_choice *c, const char *list, device_list *out)
{
	host_status status = HOST_OK;
	for (const char *at = list; !status && at; at = strchr(at, ','), at = at ? at + 1 : NULL) {
		char name[128];
		at += strspn(at, " ");
		size_t length = strcspn(at, ",");
		while (length && at[length - 1] == ' ')
			length--;
		if (!length || length >= sizeof name)
			return host_fail(HOST_USAGE, "--device: '%s' holds an empty or an overlong name", list);
		snprintf(name, sizeof name, "%.*s", (int)length, at);
		const enm_device_info *meant = find_meant(c, name);
		status = meant ? add_device(name, meant, out) : host_fail(HOST_DEVICE, "--device: no usable device is called '%s'", name);
	}
	return status;
}

static host_status find_devices(const char *wish, device_list *out)
{
	device_choice *c = calloc(1, sizeof *c);
	const bool all = wish && !strcmp(wish, "all");
	host_status status = c ? device_choice_make(all, c) : host_fail_memory("the devices");
	if (!status && c->choice.device < 0)
		status = host_fail(HOST_DEVICE, "no usable OpenCL device ('enamel devices' tells more)");
	else if (!status && all)
		status = add_all(c, out);
	else if (!status)
		status = wish ? split_devices(c, wish, out) : add_choice(c, out);
	if (c)
		device_choice_free(c);
	free(c);
	return status;
}

/* ---- the folder ---- */

/* Held until the process ends, by whatever means. */
static host_status lock_folder(const char *folder)
{
	char path[FILE_PATH_MAX];
	host_status status = path_join(folder, ".lock", path);
	if (status)
		return status;
	int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (descriptor < 0)
		return host_fail_file(HOST_IO, folder, "cannot write: %s", strerror(errno));
	if (flock(descriptor, LOCK_EX | LOCK_NB))
		return host_fail_file(
			HOST_IO, folder, errno == EWOULDBLOCK ? "another batch is at work in it" : "cannot be locked");
	return HOST_OK;
}

static host_status open_folder(const char *folder)
{
	char path[FILE_PATH_MAX];
	host_status status = file_make_folder(folder);
	if (!status)
		status = lock_folder(folder);
	if (!status)
		status = path_join(folder, "batch.json", path);
	if (!status)
		status = file_check_output(path);
	if (!status)
		status = path_join(folder, "batch.txt", path);
	return status ? status : file_check_output(path);
}

/* ---- all of it ---- */

static host_status make_items(const manifest *m, const device_list *devices, batch *b)
{
	b->items = calloc(m->count, sizeof *b->items);
	if (!b->items)
		return host_fail_memory("the batch");
	b->count = m->count;
	host_status status = HOST_OK;
	for (size_t i = 0; !status && i < b->count; i++) {
		b->items[i].source = &m->items[i];
		const size_t turn = i % devices->count;
		b->items[i].device = *devices->each[turn].word ? devices->each[turn].word : NULL;
		b->items[i].computed_on = devices->each[turn].computes;
		status = batch_find_finished(b, &b->items[i]);
	}
	return status;
}

static host_status judge(const batch *b)
{
	const size_t failed = batch_count(b, BATCH_FAILED), poor = batch_count(b, BATCH_POOR),
		     waiting = batch_count(b, BATCH_WAITING);
	if (waiting)
		return host_fail(HOST_INTERRUPTED,
			"interrupted: %zu of %zu datasets are left; the same command goes on", waiting, b->count);
	if (failed || poor)
		return host_fail(
			HOST_DATA, "of %zu datasets %zu failed and %zu were not good enough", b->count, failed, poor);
	return HOST_OK;
}

static host_status run(const char *path, const batch_options *o)
{
	manifest list;
	device_list devices = {0};
	batch b = {.manifest_path = path, .out = o->out, .again = o->again, .json = o->json};
	batch_watch_signals(&b);
	host_status status = manifest_read(path, &list);
	if (!status)
		status = find_devices(o->device, &devices);
	b.workers = o->workers ? (size_t)o->workers : devices.count;
	if (!status)
		status = open_folder(o->out);
	if (!status)
		status = make_items(&list, &devices, &b);
	if (!status)
		status = batch_work(&b);
	if (!status)
		status = batch_report(&b);
	if (!status)
		status = judge(&b);
	free(b.items);
	manifest_free(&list);
	return status;
}

int command_batch(int argc, char **argv)
{
	batch_options o = {0};
	option_def table[] = {
		{"out", OPTION_TEXT, &o.out, 0, 0, "FOLDER", "where the results go; made if it is not there", NULL,
			false},
		{"workers", OPTION_INTEGER, &o.workers, 1, BATCH_WORKERS_MAX, "N",
			"replays at a time (as many as devices)", NULL, false},
		{"device", OPTION_TEXT, &o.device, 0, 0, "LIST",
			"numbers or names of 'enamel devices' by commas, to take turns, or 'all' GPUs", NULL, false},
		{"again", OPTION_FLAG, &o.again, 0, 0, NULL, "do again what is finished", NULL, false},
		{"json", OPTION_FLAG, &o.json, 0, 0, NULL, "print the table as JSON and nothing else", NULL, false},
	};
	options_def def = {"MANIFEST --out FOLDER [options]", about, table, sizeof table / sizeof *table, 1, 1};
	options_result parsed;
	host_status status = options_parse(&def, argc, argv, &parsed);
	if (!status && parsed.help) {
		options_print_help(&def, stdout);
		return HOST_OK;
	}
	if (!status && !o.out)
		status = host_fail(HOST_USAGE, "--out: missing (wanted FOLDER)");
	if (!status)
		status = run(parsed.positional[0], &o);
	return status ? host_report_failure(status) : HOST_OK;
}
