// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * One timer of the host's drives everything that is not an answer: at each tick the picture is
 * pulled if a viewer could be sent one, and compared; viewers that have been silent too long are
 * dropped. It runs only while somebody is connected, quickly while the picture changes or somebody
 * types, and slower the longer nothing happens; slower still when nobody can take a picture.
 *
 * What viewers are to be sent is encoded a rectangle at a time, by a post that comes back as long
 * as there is more: so the loop serves disks, timers and other viewers between two rectangles, and
 * one that is slow has a full buffer and is passed over. The machine lock is open meanwhile, since
 * pictures and viewers are the loop thread's alone.
 */
#include "rfb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "../devmodel/input.h"
#include "../devmodel/timer.h"
#include "clock.h"
#include "loop.h"
#include "pointer.h"
#include "rfb_viewer.h"
#include "surface.h"
#include "typist.h"

#define VIEWERS_MAX 8
#define GREETING_NS (10 * NSEC_PER_SEC)
/* Ticks: at most 30 pictures a second, and 5 when nothing has changed for some time. */
#define TICK_FAST_NS (33 * NSEC_PER_MSEC)
#define TICK_SLOW_NS (200 * NSEC_PER_MSEC)
#define TICK_IDLE_NS NSEC_PER_SEC
#define TICKS_UNTIL_SLOW 30u
/* A guest has read its mouse after that time. */
#define POINTER_REST_NS (150 * NSEC_PER_MSEC)
#define LOG_BURST 5
#define LOG_INTERVAL_NS (10 * NSEC_PER_SEC)

struct client {
	struct rfb *rfb;
	int fd;
	struct loop_watch *watch;
	struct rfb_viewer *viewer;
	uint64_t since_ns; /* connected */
	uint64_t heard_ns; /* of keys or motion */
	uint64_t events;   /* of the viewer, when looked at last */
	bool hung_up;	   /* it will send no more */
};

struct rfb {
	struct rfb_machine machine;
	struct rfb_settings settings;
	struct loop_watch *watch;
	int timer_fd;
	struct loop_watch *timer_watch;
	uint64_t tick_ns;	  /* the timer's; 0: it stands */
	unsigned int quiet_ticks; /* without any change */
	uint64_t pointed_ns;	  /* when the pointer moved last */
	struct loop_post encode_post;
	unsigned int next; /* the client whose turn it is */
	struct log_limit log_limit;
	struct rfb_stats stats;
	struct rfb_cursor cursor; /* the guest's pointer, where viewers draw it */
	struct client *clients[VIEWERS_MAX];
};

static void set_tick(struct rfb *rfb, uint64_t ns)
{
	const struct timespec every = { .tv_sec = (time_t)(ns / NSEC_PER_SEC),
					.tv_nsec = (long)(ns % NSEC_PER_SEC) };
	const struct itimerspec when = { .it_interval = every, .it_value = every };

	if (rfb->tick_ns == ns)
		return;
	rfb->tick_ns = ns;
	(void)timerfd_settime(rfb->timer_fd, 0, &when, NULL);
}

/* Something happens: people want to see it soon. */
static void hurry(struct rfb *rfb)
{
	rfb->quiet_ticks = 0;
	set_tick(rfb, TICK_FAST_NS);
}

/* --- what viewers do */

static struct rfb *rfb_of(struct rfb_viewer *viewer);

static const char *admit(struct rfb_viewer *viewer)
{
	struct rfb *rfb = rfb_of(viewer);

	if (rfb->settings.sharing != RFB_EXCLUSIVE || viewer->observer)
		return NULL;
	for (unsigned int i = 0; i < VIEWERS_MAX; i++) {
		const struct client *client = rfb->clients[i];

		if (client && client->viewer != viewer && !client->viewer->observer &&
		    client->viewer->state != RFB_VERSION && client->viewer->state != RFB_CLOSING)
			return "somebody else looks at this machine, which is set to one viewer at "
			       "a time";
	}
	return NULL;
}

static bool may_type(const struct rfb *rfb, const struct rfb_viewer *viewer)
{
	return !rfb->settings.view_only && !viewer->observer;
}

static bool press(struct rfb_viewer *viewer, uint8_t key, bool down)
{
	struct rfb *rfb = rfb_of(viewer);

	hurry(rfb);
	return !may_type(rfb, viewer) || typist_key(rfb->machine.typist, key, down);
}

static bool press_keysym(struct rfb_viewer *viewer, uint32_t keysym, bool down)
{
	struct rfb *rfb = rfb_of(viewer);
	uint8_t key;

	hurry(rfb);
	if (!may_type(rfb, viewer))
		return true;
	if (!typist_keysym(rfb->machine.typist, keysym, down, &key))
		return false;
	rfb_viewer_note_key(viewer, key, down);
	return true;
}

static void point(struct rfb_viewer *viewer, uint32_t x, uint32_t y, int32_t wheel,
		  uint32_t buttons)
{
	struct rfb *rfb = rfb_of(viewer);

	hurry(rfb);
	if (!may_type(rfb, viewer))
		return;
	pointer_point(rfb->machine.pointer, x, y, wheel, buttons);
	rfb->pointed_ns = monotonic_ns();
}

static void motion(struct rfb_viewer *viewer, int32_t dx, int32_t dy, int32_t wheel,
		   uint32_t buttons)
{
	struct rfb *rfb = rfb_of(viewer);

	hurry(rfb);
	if (may_type(rfb, viewer))
		pointer_motion(rfb->machine.pointer, dx, dy, wheel, buttons);
}

static const struct rfb_viewer_ops viewer_ops = {
	.admit = admit,
	.key = press,
	.keysym = press_keysym,
	.point = point,
	.motion = motion,
};

/* --- clients */

static void log_client(struct rfb *rfb, const char *format, const char *what)
	__attribute__((format(printf, 2, 0)));

static void log_client(struct rfb *rfb, const char *format, const char *what)
{
	if (log_limit_pass(&rfb->log_limit, monotonic_ns()))
		log_message(LOG_LEVEL_WARNING, format, rfb->settings.title, what);
}

/* Whatever a viewer held, nobody holds any more. */
static void let_go(struct client *client)
{
	struct rfb *rfb = client->rfb;
	const struct rfb_viewer *viewer = client->viewer;

	if (!may_type(rfb, viewer))
		return;
	for (unsigned int key = 0; key < 256; key++) {
		if (viewer->down[key / 8] >> (key % 8) & 1 &&
		    !typist_key(rfb->machine.typist, (uint8_t)key, false)) {
			typist_release_all(rfb->machine.typist);
			break;
		}
	}
	if (viewer->buttons)
		pointer_motion(rfb->machine.pointer, 0, 0, 0, 0);
}

static void client_free(struct client *client)
{
	struct rfb *rfb = client->rfb;

	for (unsigned int i = 0; i < VIEWERS_MAX; i++) {
		if (rfb->clients[i] == client)
			rfb->clients[i] = NULL;
	}
	if (client->viewer) {
		let_go(client);
		rfb->stats.viewers--;
	}
	loop_watch_free(client->watch);
	rfb_viewer_free(client->viewer, &rfb->machine.surface->screen);
	fd_close(client->fd);
	free(client);
	loop_watch_set(rfb->watch, EPOLLIN);
}

/* Sends what waits, without the lock; false when the client has gone. */
static bool send_out(struct client *client)
{
	struct rfb *rfb = client->rfb;
	bool there = true;

	loop_unlock(rfb->machine.loop);
	for (;;) {
		size_t count;
		const uint8_t *bytes = rfb_viewer_output(client->viewer, &count);
		struct iovec iov = { (void *)bytes, count };
		struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n;

		if (!count)
			break;
		n = sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			there = errno == EAGAIN;
			break;
		}
		rfb_viewer_sent(client->viewer, (size_t)n);
	}
	loop_lock(rfb->machine.loop);
	return there;
}

/* What to wait for; false: the client is done with. */
static bool client_go_on(struct client *client)
{
	struct rfb_viewer *viewer = client->viewer;
	uint32_t events = 0;
	size_t room, waiting;

	rfb_viewer_output(viewer, &waiting);
	rfb_viewer_room(viewer, &room);
	if ((viewer->state == RFB_CLOSING && !waiting) || client->hung_up)
		return false;
	if (room)
		events |= EPOLLIN;
	/* It can take pictures again. */
	if (client->rfb->tick_ns == TICK_IDLE_NS && rfb_viewer_wants_picture(viewer))
		set_tick(client->rfb, TICK_FAST_NS);
	if (waiting)
		events |= EPOLLOUT;
	loop_watch_set(client->watch, events);
	return true;
}

static void end_client(struct client *client)
{
	if (client->viewer->error)
		log_client(client->rfb, "%s: a viewer was turned away: %s", client->viewer->error);
	client_free(client);
}

/* Output, and input that waited for it. */
static void serve(struct client *client)
{
	bool there = send_out(client);

	if (there) {
		rfb_viewer_parse(client->viewer);
		there = send_out(client) && client_go_on(client);
	}
	if (!there) {
		end_client(client);
		return;
	}
	loop_post(client->rfb->machine.loop, &client->rfb->encode_post);
}

/* False when the client has gone. */
static bool receive(struct client *client)
{
	size_t room;
	uint8_t *to = rfb_viewer_room(client->viewer, &room);
	struct iovec iov = { to, room };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (!room)
		return true;
	n = recvmsg(client->fd, &message, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	rfb_viewer_received(client->viewer, (size_t)n);
	return true;
}

static void client_ready(void *opaque, uint32_t events)
{
	struct client *client = opaque;

	if ((events & EPOLLIN) && !receive(client))
		client->hung_up = true;
	if ((events & (EPOLLHUP | EPOLLERR)) && !(events & EPOLLIN))
		client->hung_up = true;
	if (client->hung_up) {
		end_client(client);
		return;
	}
	serve(client);
}

/* --- pictures */

/* One rectangle for each viewer that can take one. */
static void encode_posted(struct loop_post *post)
{
	struct rfb *rfb = container_of(post, struct rfb, encode_post);
	bool more = false;

	for (unsigned int i = 0; i < VIEWERS_MAX; i++) {
		struct client *client = rfb->clients[i];
		size_t waiting;

		if (!client)
			continue;
		rfb_viewer_parse(client->viewer);
		loop_unlock(rfb->machine.loop);
		more |= rfb_viewer_encode(client->viewer);
		loop_lock(rfb->machine.loop);
		rfb_viewer_output(client->viewer, &waiting);
		if (waiting && !send_out(client))
			client->hung_up = true;
		if (!client_go_on(client))
			end_client(client);
	}
	if (more)
		loop_post(rfb->machine.loop, &rfb->encode_post);
}

static bool anybody_wants_picture(const struct rfb *rfb)
{
	for (unsigned int i = 0; i < VIEWERS_MAX; i++) {
		if (rfb->clients[i] && rfb_viewer_wants_picture(rfb->clients[i]->viewer))
			return true;
	}
	return false;
}

static void correct_pointer(struct rfb *rfb, uint64_t now)
{
	const struct surface *surface = rfb->machine.surface;

	if (!rfb->pointed_ns || now - rfb->pointed_ns < POINTER_REST_NS || !surface->cursor.visible)
		return;
	if (pointer_observe(rfb->machine.pointer, surface->cursor.x, surface->cursor.y))
		rfb->pointed_ns = now;
}

static bool has_inverted_pixels(const struct display_cursor *cursor)
{
	for (unsigned int y = 0; y < DISPLAY_CURSOR_SIZE; y++) {
		if (cursor->invert[y])
			return true;
	}
	return false;
}

static bool everybody_draws_cursors(const struct rfb *rfb)
{
	for (unsigned int i = 0; i < VIEWERS_MAX; i++) {
		if (rfb->clients[i] && !rfb_viewer_can_draw_cursor(rfb->clients[i]->viewer))
			return false;
	}
	return true;
}

static uint32_t hot_spot(int32_t pointer, int32_t image)
{
	const int64_t hot = (int64_t)pointer - image;

	return hot < 0 ? 0 : (uint32_t)min_u64((uint64_t)hot, DISPLAY_CURSOR_SIZE - 1);
}

/*
 * The shape as the adapter has it now. No adapter knows a hot spot: it is where the pointer is while
 * that rests.
 */
static void take_shape(struct rfb *rfb, bool at_rest)
{
	const struct display_cursor *cursor = &rfb->machine.surface->cursor;
	const struct pointer *pointer = rfb->machine.pointer;
	struct rfb_cursor *shape = &rfb->cursor;
	uint32_t hot_x = shape->hot_x, hot_y = shape->hot_y;

	if (at_rest) {
		hot_x = hot_spot(pointer->want_x, cursor->x);
		hot_y = hot_spot(pointer->want_y, cursor->y);
	}
	if (shape->hot_x == hot_x && shape->hot_y == hot_y &&
	    !memcmp(shape->argb, cursor->image, sizeof(shape->argb)))
		return;
	shape->serial++;
	shape->hot_x = hot_x;
	shape->hot_y = hot_y;
	shape->width = shape->height = DISPLAY_CURSOR_SIZE;
	memcpy(shape->argb, cursor->image, sizeof(shape->argb));
}

/*
 * A guest that takes positions has its pointer where the viewer's is: then the viewer draws it, and
 * it never lags. Otherwise it is in the picture.
 */
static void choose_cursor(struct rfb *rfb, uint64_t now)
{
	struct surface *surface = rfb->machine.surface;
	const bool at_rest = rfb->pointed_ns && now - rfb->pointed_ns >= POINTER_REST_NS;
	const bool elsewhere = input_wants_positions(rfb->machine.input) &&
			       surface->cursor.visible && !has_inverted_pixels(&surface->cursor) &&
			       everybody_draws_cursors(rfb);

	surface->cursor_elsewhere = elsewhere;
	if (elsewhere)
		take_shape(rfb, at_rest);
	for (unsigned int i = 0; i < VIEWERS_MAX; i++) {
		if (rfb->clients[i])
			rfb_viewer_set_cursor(rfb->clients[i]->viewer,
					      elsewhere ? &rfb->cursor : NULL);
	}
}

static void pull(struct rfb *rfb, uint64_t now)
{
	struct surface *surface = rfb->machine.surface;
	bool changed;

	if (surface_pull(surface) < 0)
		return;
	pointer_resize(rfb->machine.pointer, surface->screen.width, surface->screen.height);
	correct_pointer(rfb, now);
	choose_cursor(rfb, now);
	loop_unlock(rfb->machine.loop);
	changed = screen_publish(&surface->screen);
	loop_lock(rfb->machine.loop);
	rfb->stats.pulls++;
	rfb->stats.changes += changed;
	if (changed)
		hurry(rfb);
	else
		rfb->quiet_ticks++;
}

/* True when the client was dropped. */
static bool check_patience(struct client *client, uint64_t now)
{
	struct rfb *rfb = client->rfb;
	struct rfb_viewer *viewer = client->viewer;
	const uint64_t timeout = rfb->settings.idle_timeout_s * NSEC_PER_SEC;

	if (viewer->events != client->events) {
		client->events = viewer->events;
		client->heard_ns = now;
	}
	if (viewer->state != RFB_RUNNING && now - client->since_ns > GREETING_NS)
		viewer->error = "it did not finish its greeting";
	else if (timeout && !viewer->observer && now - client->heard_ns > timeout)
		viewer->error = "it has been idle for too long";
	else
		return false;
	end_client(client);
	return true;
}

/* What of the machine's keyboard and pointer a viewer may want to know. */
static void tell_input(struct rfb_viewer *viewer, const struct input *input)
{
	rfb_viewer_set_leds(viewer, input->leds);
	rfb_viewer_set_absolute(viewer, input_wants_positions(input));
}

static bool anybody_there(const struct rfb *rfb)
{
	return rfb->stats.viewers;
}

static void tick(void *opaque, uint32_t events)
{
	struct rfb *rfb = opaque;
	const uint64_t now = monotonic_ns();
	uint64_t expirations;

	(void)events;
	if (read(rfb->timer_fd, &expirations, sizeof(expirations)) < 0)
		return;
	for (unsigned int i = 0; i < VIEWERS_MAX; i++) {
		struct client *client = rfb->clients[i];

		if (client && !check_patience(client, now))
			tell_input(client->viewer, rfb->machine.input);
	}
	if (anybody_wants_picture(rfb)) {
		pull(rfb, now);
		if (rfb->quiet_ticks >= TICKS_UNTIL_SLOW)
			set_tick(rfb, TICK_SLOW_NS);
	} else {
		set_tick(rfb, TICK_IDLE_NS);
	}
	if (!anybody_there(rfb))
		set_tick(rfb, 0);
	else
		loop_post(rfb->machine.loop, &rfb->encode_post);
}

/* --- new viewers */

static unsigned int free_place(const struct rfb *rfb)
{
	unsigned int place = 0;

	while (place < VIEWERS_MAX && rfb->clients[place])
		place++;
	return place;
}

static int client_new(struct rfb *rfb, int fd)
{
	const unsigned int place = free_place(rfb);
	struct client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	client->rfb = rfb;
	client->fd = -1;
	client->since_ns = client->heard_ns = monotonic_ns();
	/* A viewer is told the picture's size first of all. */
	r = surface_pull(rfb->machine.surface);
	screen_publish(&rfb->machine.surface->screen);
	if (r == 0)
		r = loop_watch_new(rfb->machine.loop, fd, EPOLLIN | EPOLLOUT, client_ready, client,
				   &client->watch);
	if (r == 0) {
		client->viewer = rfb_viewer_new(&rfb->machine.surface->screen, &viewer_ops,
						rfb->settings.title);
		r = client->viewer ? 0 : -ENOMEM;
	}
	if (r < 0) {
		loop_watch_free(client->watch);
		free(client);
		return r;
	}
	client->viewer->opaque = rfb;
	tell_input(client->viewer, rfb->machine.input);
	client->fd = fd;
	rfb->clients[place] = client;
	rfb->stats.viewers++;
	pointer_resize(rfb->machine.pointer, rfb->machine.surface->screen.width,
		       rfb->machine.surface->screen.height);
	hurry(rfb);
	return 0;
}

static struct rfb *rfb_of(struct rfb_viewer *viewer)
{
	return viewer->opaque;
}

/* With all places taken the next waits in the socket's queue until one leaves. */
static void client_waits(void *opaque, uint32_t events)
{
	struct rfb *rfb = opaque;
	int fd, r;

	(void)events;
	if (free_place(rfb) == VIEWERS_MAX) {
		log_client(rfb, "%s: viewers wait: %s", "all places are taken");
		loop_watch_set(rfb->watch, 0);
		return;
	}
	fd = accept4(rfb->settings.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		/* Asking again at once would not help: wait until a viewer goes. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_client(rfb, "%s: viewers cannot connect for now: %s", strerror(errno));
			loop_watch_set(rfb->watch, 0);
		}
		return;
	}
	r = client_new(rfb, fd);
	if (r < 0) {
		log_client(rfb, "%s: a viewer was turned away: %s", strerror(-r));
		close(fd);
	}
}

/* The keyboard has room: keys that viewers pressed meanwhile wait in their buffers until then. */
static void room_for_keys(void *opaque)
{
	struct rfb *rfb = opaque;

	loop_post(rfb->machine.loop, &rfb->encode_post);
}

/* --- life */

int rfb_new(const struct rfb_machine *machine, const struct rfb_settings *settings,
	    struct rfb **ret_rfb)
{
	struct rfb *rfb = calloc(1, sizeof(*rfb));
	int r;

	if (!rfb)
		return -ENOMEM;
	rfb->machine = *machine;
	rfb->settings = *settings;
	rfb->settings.listen_fd = -1;
	rfb->encode_post.run = encode_posted;
	rfb->log_limit = (struct log_limit){ .burst = LOG_BURST, .interval_ns = LOG_INTERVAL_NS };
	rfb->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r = rfb->timer_fd < 0 ? -errno
			      : loop_watch_new(machine->loop, rfb->timer_fd, EPOLLIN, tick, rfb,
					       &rfb->timer_watch);
	if (r == 0)
		r = loop_watch_new(machine->loop, settings->listen_fd, EPOLLIN, client_waits, rfb,
				   &rfb->watch);
	if (r < 0) {
		rfb_free(rfb);
		return r;
	}
	rfb->settings.listen_fd = settings->listen_fd;
	typist_on_room(machine->typist, room_for_keys, rfb);
	*ret_rfb = rfb;
	return 0;
}

void rfb_free(struct rfb *rfb)
{
	if (!rfb)
		return;
	typist_on_room(rfb->machine.typist, NULL, NULL);
	for (unsigned int i = 0; i < VIEWERS_MAX; i++) {
		if (rfb->clients[i])
			client_free(rfb->clients[i]);
	}
	loop_post_cancel(rfb->machine.loop, &rfb->encode_post);
	loop_watch_free(rfb->watch);
	loop_watch_free(rfb->timer_watch);
	fd_close(rfb->timer_fd);
	fd_close(rfb->settings.listen_fd);
	free(rfb);
}

void rfb_get_stats(const struct rfb *rfb, struct rfb_stats *ret_stats)
{
	*ret_stats = rfb->stats;
}
