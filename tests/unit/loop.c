// SPDX-License-Identifier: GPL-2.0-or-later
/* vmm/loop: the lock, posts from other threads, watches, signals. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "../../vmm/loop.h"

static struct loop *loop;

static void setup(void)
{
	cr_assert_eq(loop_new(&loop), 0);
}

static void teardown(void)
{
	loop_free(loop);
}

TestSuite(loop, .init = setup, .fini = teardown, .timeout = 20);

/* Whether another thread would have to wait for the lock. */
static void *try_lock(void *opaque)
{
	bool *got = opaque;

	loop_lock(loop);
	__atomic_store_n(got, true, __ATOMIC_SEQ_CST);
	loop_unlock(loop);
	return NULL;
}

static bool lock_is_held(void)
{
	pthread_t thread;
	bool got = false, held;

	cr_assert_eq(pthread_create(&thread, NULL, try_lock, &got), 0);
	/* Long enough for a thread on a busy machine to come to its turn. */
	for (int ms = 0; ms < 300 && !__atomic_load_n(&got, __ATOMIC_SEQ_CST); ms++)
		usleep(1000);
	held = !__atomic_load_n(&got, __ATOMIC_SEQ_CST);
	if (held)
		loop_unlock(loop);
	pthread_join(thread, NULL);
	if (held)
		loop_lock(loop);
	return held;
}

/* --- posts */

struct note {
	struct loop_post post;
	unsigned int id;
	unsigned int runs;
};

static unsigned int order[16], order_count;

static void note_run(struct loop_post *post)
{
	struct note *note = container_of(post, struct note, post);

	note->runs++;
	order[order_count++ % ARRAY_LEN(order)] = note->id;
}

static void quit_run(struct loop_post *post)
{
	(void)post;
	loop_quit(loop, 7);
}

Test(loop, posts_run_once_in_their_order_before_a_later_quit)
{
	struct note notes[3] = { { .id = 1 }, { .id = 2 }, { .id = 3 } };
	struct loop_post quit = { .run = quit_run };

	for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
		notes[i].post.run = note_run;
		loop_post(loop, &notes[i].post);
		loop_post(loop, &notes[0].post);
	}
	loop_post(loop, &quit);
	cr_assert_eq(loop_run(loop), 7);
	cr_assert_eq(order_count, 3);
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_eq(order[i], i + 1);
}

static void again_run(struct loop_post *post)
{
	struct note *note = container_of(post, struct note, post);

	if (++note->runs < 100)
		loop_post(loop, post);
	else
		loop_quit(loop, 0);
}

Test(loop, a_post_may_post_itself_again)
{
	struct note note = { .post.run = again_run };

	loop_post(loop, &note.post);
	cr_assert_eq(loop_run(loop), 0);
	cr_assert_eq(note.runs, 100);
}

static void held_run(struct loop_post *post)
{
	struct note *note = container_of(post, struct note, post);

	note->runs = lock_is_held();
	loop_quit(loop, 0);
}

Test(loop, a_post_runs_with_the_lock_held)
{
	struct note note = { .post.run = held_run };

	cr_assert_not(lock_is_held());
	loop_post(loop, &note.post);
	cr_assert_eq(loop_run(loop), 0);
	cr_assert_eq(note.runs, 1);
	cr_assert_not(lock_is_held());
}

Test(loop, a_post_can_be_taken_back_and_the_others_still_run)
{
	struct note notes[3] = { { .id = 1 }, { .id = 2 }, { .id = 3 } };
	struct loop_post quit = { .run = quit_run };

	for (size_t i = 0; i < ARRAY_LEN(notes); i++) {
		notes[i].post.run = note_run;
		loop_post(loop, &notes[i].post);
	}
	loop_post_cancel(loop, &notes[1].post);
	loop_post_cancel(loop, &notes[1].post);
	loop_post(loop, &quit);
	cr_assert_eq(loop_run(loop), 7);
	cr_assert_eq(notes[0].runs + notes[2].runs, 2);
	cr_assert_eq(notes[1].runs, 0);
}

#define PRODUCERS 4
#define ROUNDS 20000

struct producer {
	struct note note;
	unsigned int seen; /* by the loop thread, under the lock */
};

static unsigned int finished;

static void produced_run(struct loop_post *post)
{
	struct producer *producer =
		container_of(container_of(post, struct note, post), struct producer, note);

	producer->seen++;
	if (producer->note.runs == ROUNDS && ++finished == PRODUCERS)
		loop_quit(loop, 0);
}

/* Posts, and waits until that one has run: no wake-up may get lost. */
static void *produce(void *opaque)
{
	struct producer *producer = opaque;

	for (unsigned int i = 1; i <= ROUNDS; i++) {
		loop_lock(loop);
		producer->note.runs = i;
		loop_unlock(loop);
		loop_post(loop, &producer->note.post);
		if (i == ROUNDS)
			break;
		for (;;) {
			unsigned int seen;

			loop_lock(loop);
			seen = producer->seen;
			loop_unlock(loop);
			if (seen == i)
				break;
			sched_yield();
		}
	}
	return NULL;
}

Test(loop, no_post_of_several_threads_is_lost)
{
	struct producer producers[PRODUCERS] = { 0 };
	pthread_t threads[PRODUCERS];

	for (unsigned int i = 0; i < PRODUCERS; i++) {
		producers[i].note.post.run = produced_run;
		cr_assert_eq(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
	}
	cr_assert_eq(loop_run(loop), 0);
	for (unsigned int i = 0; i < PRODUCERS; i++) {
		pthread_join(threads[i], NULL);
		cr_assert_eq(producers[i].seen, ROUNDS);
	}
}

/* --- watches */

struct peer {
	int fds[2];
	struct loop_watch *watch;
	unsigned int calls;
	uint32_t events;
	unsigned int quit_after;
};

static void peer_open(struct peer *peer)
{
	*peer = (struct peer){ .quit_after = 1 };
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, peer->fds),
		     0);
}

static void peer_close(struct peer *peer)
{
	loop_watch_free(peer->watch);
	close(peer->fds[0]);
	close(peer->fds[1]);
}

static void peer_ready(void *opaque, uint32_t events)
{
	struct peer *peer = opaque;
	char byte;

	peer->calls++;
	peer->events |= events;
	if (read(peer->fds[0], &byte, 1) < 0)
		cr_assert_neq(errno, EBADF);
	if (peer->calls == peer->quit_after)
		loop_quit(loop, 0);
}

Test(loop, a_watch_hears_what_it_wants)
{
	struct peer peer;

	peer_open(&peer);
	cr_assert_eq(loop_watch_new(loop, peer.fds[0], EPOLLIN, peer_ready, &peer, &peer.watch), 0);
	cr_assert_eq(write(peer.fds[1], "xyz", 3), 3);
	peer.quit_after = 3;
	cr_assert_eq(loop_run(loop), 0);
	cr_assert_eq(peer.calls, 3);
	cr_assert_eq(peer.events, EPOLLIN, "writable, but nobody asked");
	peer_close(&peer);
}

static void later_run(struct loop_post *post)
{
	struct note *note = container_of(post, struct note, post);

	if (++note->runs == 50)
		loop_quit(loop, 0);
	else
		loop_post(loop, post);
}

Test(loop, an_idle_watch_does_not_spin_on_a_hang_up)
{
	struct peer peer;
	struct note note = { .post.run = later_run };

	peer_open(&peer);
	cr_assert_eq(loop_watch_new(loop, peer.fds[0], 0, peer_ready, &peer, &peer.watch), 0);
	shutdown(peer.fds[1], SHUT_RDWR);
	loop_post(loop, &note.post);
	cr_assert_eq(loop_run(loop), 0);
	cr_assert_eq(peer.calls, 0);
	peer_close(&peer);
}

static void *set_from_elsewhere(void *opaque)
{
	struct peer *peer = opaque;

	loop_lock(loop);
	loop_watch_set(peer->watch, EPOLLOUT);
	loop_unlock(loop);
	return NULL;
}

Test(loop, another_thread_may_change_a_watch)
{
	struct peer peer;
	pthread_t thread;

	peer_open(&peer);
	cr_assert_eq(loop_watch_new(loop, peer.fds[0], 0, peer_ready, &peer, &peer.watch), 0);
	cr_assert_eq(pthread_create(&thread, NULL, set_from_elsewhere, &peer), 0);
	cr_assert_eq(loop_run(loop), 0);
	cr_assert_eq(peer.events, EPOLLOUT);
	pthread_join(thread, NULL);
	peer_close(&peer);
}

/* A watch whose change, made elsewhere, still waits in the queue when it goes. */
static void free_changed_watch(void)
{
	struct peer peer;
	pthread_t thread;

	peer_open(&peer);
	cr_assert_eq(loop_watch_new(loop, peer.fds[0], 0, peer_ready, &peer, &peer.watch), 0);
	cr_assert_eq(pthread_create(&thread, NULL, set_from_elsewhere, &peer), 0);
	pthread_join(thread, NULL);
	peer_close(&peer);
	cr_assert_eq(peer.calls, 0);
}

Test(loop, a_watch_with_a_waiting_change_can_be_freed_before_the_loop_runs)
{
	struct loop_post quit = { .run = quit_run };

	free_changed_watch();
	loop_post(loop, &quit);
	cr_assert_eq(loop_run(loop), 7);
}

Test(loop, a_watch_with_a_waiting_change_can_be_freed_without_the_loop_ever_running)
{
	free_changed_watch();
}

static void free_both(void *opaque, uint32_t events)
{
	struct peer *peers = opaque;

	(void)events;
	peers[0].calls++;
	loop_watch_free(peers[0].watch);
	loop_watch_free(peers[1].watch);
	peers[0].watch = peers[1].watch = NULL;
	loop_quit(loop, 0);
}

Test(loop, a_callback_may_free_its_watch_and_another_that_is_ready)
{
	struct peer peers[2];

	for (unsigned int i = 0; i < 2; i++) {
		peer_open(&peers[i]);
		cr_assert_eq(loop_watch_new(loop, peers[i].fds[0], EPOLLIN, free_both, peers,
					    &peers[i].watch),
			     0);
		cr_assert_eq(write(peers[i].fds[1], "x", 1), 1);
	}
	cr_assert_eq(loop_run(loop), 0);
	cr_assert_eq(peers[0].calls, 1);
	for (unsigned int i = 0; i < 2; i++)
		peer_close(&peers[i]);
}

Test(loop, what_epoll_cannot_watch_is_refused)
{
	struct loop_watch *watch = NULL;
	FILE *file = tmpfile();

	cr_assert_eq(loop_watch_new(loop, fileno(file), EPOLLIN, peer_ready, NULL, &watch), -EPERM);
	cr_assert_null(watch);
	fclose(file);
}

/* --- signals and the end */

static void terminated(void *opaque)
{
	struct loop *quit = opaque;

	loop_quit(quit, lock_is_held() ? 15 : 1);
}

Test(loop, a_signal_arrives_under_the_lock)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	cr_assert_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	cr_assert_eq(loop_signal(loop, SIGTERM, terminated, loop), 0);
	raise(SIGTERM);
	cr_assert_eq(loop_run(loop), 15);
}

static void *quit_from_elsewhere(void *opaque)
{
	usleep(20000);
	loop_lock(loop);
	loop_quit(loop, 3);
	loop_quit(loop, 4);
	loop_unlock(loop);
	return opaque;
}

Test(loop, any_thread_may_quit_and_the_first_status_counts)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, quit_from_elsewhere, NULL), 0);
	cr_assert_eq(loop_run(loop), 3);
	pthread_join(thread, NULL);
}

/* --- the timer */

struct ticks {
	int fd;
	unsigned int count, wanted;
	bool locked;
	uint32_t events;
};

static void tick(void *opaque, uint32_t events)
{
	struct ticks *ticks = opaque;
	struct itimerspec soon = { .it_value.tv_nsec = 1000000 };

	ticks->events = events;
	ticks->count++;
	ticks->locked = lock_is_held();
	if (ticks->count == ticks->wanted)
		loop_quit(loop, 3);
	else
		timerfd_settime(ticks->fd, 0, &soon, NULL);
}

Test(loop, edge_is_told_once_for_each_time_and_nobody_reads)
{
	struct loop_watch *watch;
	struct ticks ticks = { .wanted = 5 };
	struct itimerspec now = { .it_value.tv_nsec = 1 };
	struct note note = { .post.run = note_run, .id = 1 };

	ticks.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	cr_assert_eq(loop_watch_new(loop, ticks.fd, EPOLLIN | EPOLLET, tick, &ticks, &watch), 0);
	timerfd_settime(ticks.fd, 0, &now, NULL);
	loop_post(loop, &note.post);
	cr_assert_eq(loop_run(loop), 3);
	cr_assert_eq(ticks.count, 5);
	cr_assert(ticks.locked);
	cr_assert_eq(ticks.events, EPOLLIN);
	cr_assert_eq(note.runs, 1, "the rest goes on beside it");
	loop_watch_free(watch);
	close(ticks.fd);
}

static void count_tick(void *opaque, uint32_t events)
{
	(void)events;
	++*(unsigned int *)opaque;
}

static void *quit_a_little_later(void *opaque)
{
	usleep(50000);
	loop_post(loop, opaque);
	return NULL;
}

Test(loop, edge_that_was_told_is_not_told_again_when_left_alone)
{
	struct loop_watch *watch;
	struct loop_post quit = { .run = quit_run };
	struct itimerspec now = { .it_value.tv_nsec = 1 };
	unsigned int count = 0;
	pthread_t thread;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	cr_assert_eq(loop_watch_new(loop, fd, EPOLLIN | EPOLLET, count_tick, &count, &watch), 0);
	timerfd_settime(fd, 0, &now, NULL);
	cr_assert_eq(pthread_create(&thread, NULL, quit_a_little_later, &quit), 0);
	cr_assert_eq(loop_run(loop), 7);
	pthread_join(thread, NULL);
	cr_assert_eq(count, 1);
	loop_watch_free(watch);
	close(fd);
}

/* --- watches that go while their events are on the way */

struct twins {
	struct loop_watch *watches[2];
	unsigned int count;
};

static void end_the_twin(void *opaque, uint32_t events)
{
	struct twins *twins = opaque;

	(void)events;
	twins->count++;
	for (unsigned int i = 0; i < 2; i++) {
		loop_watch_free(twins->watches[i]);
		twins->watches[i] = NULL;
	}
}

Test(loop, freed_watch_is_not_told_what_came_in_the_same_turn)
{
	struct loop_post quit = { .run = quit_run };
	struct twins twins = { 0 };
	pthread_t thread;
	int fds[2] = { eventfd(1, EFD_NONBLOCK), eventfd(1, EFD_NONBLOCK) };

	for (unsigned int i = 0; i < 2; i++)
		cr_assert_eq(loop_watch_new(loop, fds[i], EPOLLIN, end_the_twin, &twins,
					    &twins.watches[i]),
			     0);
	cr_assert_eq(pthread_create(&thread, NULL, quit_a_little_later, &quit), 0);
	cr_assert_eq(loop_run(loop), 7);
	pthread_join(thread, NULL);
	cr_assert_eq(twins.count, 1);
	close(fds[0]);
	close(fds[1]);
}
