/* SPDX-License-Identifier: Apache-2.0 */
#include "parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* Pieces small enough that the threads end together, large enough that taking one costs nothing. */
enum { PIECE_MAX = 256, PIECES_PER_THREAD = 16, THREADS_MAX = 8 };

typedef struct loop {
	atomic_size_t next;
	size_t count, piece;
	void (*work)(void *user, size_t first, size_t last);
	void *user;
} loop;

static void *run(void *argument)
{
	loop *l = argument;
	for (;;) {
		const size_t first = atomic_fetch_add(&l->next, l->piece);
		if (first >= l->count)
			return NULL;
		l->work(l->user, first, first + l->piece < l->count ? first + l->piece : l->count);
	}
}

void parallel_for(size_t count, void (*work)(void *user, size_t first, size_t last), void *user)
{
	loop l = {.count = count, .work = work, .user = user};
	pthread_t threads[THREADS_MAX];
	const long online = sysconf(_SC_NPROCESSORS_ONLN);
	const int wanted = online > THREADS_MAX ? THREADS_MAX : online < 1 ? 1 : (int)online;
	const size_t piece = count / ((size_t)wanted * PIECES_PER_THREAD);
	l.piece = piece < 1 ? 1 : piece > PIECE_MAX ? PIECE_MAX : piece;
	int started = 0;
	/* A thread that cannot be started is no error: the others, at least this one, do its share. */
	while (started < wanted - 1 && pthread_create(&threads[started], NULL, run, &l) == 0)
		started++;
	run(&l);
	for (int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}
