/* SPDX-License-Identifier: Apache-2.0
 * `enamel batch` behind its options. In its folder stand
 *
 *   NAME/             a finished item: mesh.ply, trajectory.txt, report.json, log.txt, result.json; whole or not there
 *   failed/NAME.log   what the last try of an item said that could not be finished
 *   batch.json, .txt  the table
 *   .NAME.part        an item under work, or what a batch that was killed left of it; .lock: only one batch at a time
 */
#ifndef ENM_HOST_BATCH_BATCH_H
#define ENM_HOST_BATCH_BATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "batch/manifest.h"
#include "file.h"

#define BATCH_WORKERS_MAX 64
#define BATCH_DEVICE_BYTES 264 /* of a device's name and driver */
#define BATCH_TRIES 2 /* of an item whose worker was killed */

typedef enum batch_state {
	BATCH_WAITING = 0, /* not begun, or interrupted */
	BATCH_RUNNING,
	BATCH_DONE,
	BATCH_POOR,  /* finished, and the data was not good enough */
	BATCH_FAILED /* not finished */
} batch_state;

typedef struct batch_item {
	const manifest_item *source;
	const char *device; /* for --device, or NULL: the replay chooses */
	const char *computed_on; /* the device that then does, with its driver */
	batch_state state;
	bool kept;      /* finished by an earlier run */
	int code;       /* exit code of the replay, or 128 and the signal that ended it */
	unsigned tries; /* of this run */
	double wall_s;
	char reason[512]; /* why it is not BATCH_DONE, or "" */
} batch_item;

typedef struct batch {
	const char *manifest_path, *out;
	bool again, json; /* redo what is finished; print the table as JSON */
	size_t workers;
	batch_item *items;
	size_t count;
	bool interrupted;
	sigset_t inherited; /* the signal mask for the workers */
} batch;

const char *batch_state_name(batch_state state);
size_t batch_count(const batch *b, batch_state state);

/* ---- result.c: the folders of one item ---- */

/* "OUT/NAME" and "OUT/.NAME.part" (or another ending). HOST_USAGE when it is too long. */
host_status batch_folder(const batch *b, const batch_item *item, char out[FILE_PATH_MAX]);
host_status batch_part_folder(const batch *b, const batch_item *item, const char *ending, char out[FILE_PATH_MAX]);

/* Sets the state of an item that an earlier run finished, and leaves others as they are. HOST_USAGE when the folder is
 * that of something else: another dataset, other options, another device, driver or version. With `again`, only folders that are no
 * result at all are refused. */
host_status batch_find_finished(const batch *b, batch_item *item);
/* Makes an empty folder to work in. */
host_status batch_begin_item(const batch *b, const batch_item *item);
/* Writes result.json and gives the folder its name. */
host_status batch_keep_item(const batch *b, const batch_item *item);
/* Removes the folder; with `keep_log`, its log goes to failed/. */
void batch_drop_item(const batch *b, const batch_item *item, bool keep_log);

/* ---- workers.c ---- */

/* Blocks the signals that batch_work waits for. To be called before anything starts a thread, as drivers do: a thread
 * that does not block them too would take them away and die of them, or drop them. */
void batch_watch_signals(batch *b);

/* Replays all items that wait, `workers` at a time, until all have ended or SIGINT or SIGTERM came. */
host_status batch_work(batch *b);

/* ---- table.c ---- */

/* Writes batch.json and batch.txt, and prints one of them. */
host_status batch_report(const batch *b);

#endif
