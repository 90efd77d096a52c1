/* SPDX-License-Identifier: Apache-2.0 */
#include "parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { PIECE = 256, THREADS_MAX = 8 };

typedef struct loop {
	atomic_size_t next;
	size_t count;
	void (*work)(void *user, size_t first, size_t last);
	void *user;
} loop;

static void *run(void *argument)
{
	loop *l = argument;
	for (;;) {
		const size_t first = atomic_fetch_add(&l->next, PIECE);
		if (first >= l->count)
			return NULL;
		l->work(l->user, first, first + PIECE < l->count ? first + PIECE : l->count);
	}
}

void parallel_for(size_t count, void (*work)(void *user, size_t first, size_t last), void *user)
{
	loop l = {.count = count, .work = work, .user = user};
	pthread_t threads[THREADS_MAX];
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	const int wanted = online > THREADS_MAX ? THREADS_MAX : (int)online;
	int started = 0;
	/* A thread that cannot be started is no error: the others, at least this one, do its share. */
	while (started < wanted - 1 && pthread_create(&threads[started], NULL, run, &l) == 0)
		started++;
	run(&l);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}
