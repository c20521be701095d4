// SPDX-License-Identifier: GPL-2.0-or-later
/* The verbs that look at a machine's screen without a viewer: screenshot and record. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "../base/parse.h"
#include "machine_socket.h"
#include "observer.h"
#include "picture.h"
#include "signals.h"
#include "verbs.h"

#define SECONDS_MAX 86400
/* A recording's canvas has room for what a text mode becomes. */
#define CANVAS_WIDTH_MIN 1024u
#define CANVAS_HEIGHT_MIN 768u

static void open_screen(const char *name, struct observer *observer)
{
	char error[1024];
	int fd = machine_socket_connect(name, RUNTIME_DISPLAY);

	if (fd < 0)
		die("%s: screen: %s; the machine is starting or ending, or of an older version",
		    name, strerror(-fd));
	if (observer_open(observer, fd, error, sizeof(error)) < 0)
		die("%s: screen: %s", name, error);
}

/* Nothing that exists is overwritten. */
static int create_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666);

	if (fd < 0)
		die("%s: %s; %s", path, strerror(errno),
		    errno == EEXIST ? "remove it, or give another path"
				    : "give a path in a folder that exists and is yours");
	return fd;
}

static void write_failed(const char *path, int r)
{
	unlink(path);
	die("%s: %s", path, strerror(-r));
}

/* --- screenshot --- */

struct screenshot_options {
	bool thumbnail;
};

static const struct opt screenshot_options[] = {
	{ .name = "thumbnail",
	  .kind = OPT_FLAG,
	  .help = "make it 160x120, with the screen's shape kept",
	  .offset = offsetof(struct screenshot_options, thumbnail) },
	{ .name = NULL },
};

static int screenshot_run(const struct verb *verb, int argc, char **argv)
{
	static uint32_t small[THUMBNAIL_WIDTH * THUMBNAIL_HEIGHT];
	struct screenshot_options options = { 0 };
	struct observer observer;
	size_t size = 0;
	void *png = NULL;
	int fd, r;

	verb_parse(verb, &options, argc, argv, 2, 2);
	open_screen(argv[0], &observer);
	r = observer_look(&observer);
	if (r < 0)
		die("%s: screen: %s", argv[0], strerror(-r));
	if (options.thumbnail) {
		picture_thumbnail(observer.pixels, observer.width, observer.height, small);
		r = picture_png(small, THUMBNAIL_WIDTH, THUMBNAIL_HEIGHT, &png, &size);
	} else {
		r = picture_png(observer.pixels, observer.width, observer.height, &png, &size);
	}
	if (r < 0)
		die("%s: screenshot: %s", argv[0], strerror(-r));
	fd = create_file(argv[1]);
	r = fd_write_full(fd, png, size);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		write_failed(argv[1], r);
	free(png);
	observer_close(&observer);
	return EXIT_SUCCESS;
}

const struct verb screenshot_verb = {
	.name = "screenshot",
	.arguments = "NAME FILE.png [--thumbnail]",
	.summary = "save what a machine's screen shows",
	.details = "The file is a PNG image and must not exist yet. Viewers that are connected do "
		   "not\nnotice.\n",
	.examples = "  mainstay screenshot nt4 nt4.png\n"
		    "  mainstay screenshot nt4 small.png --thumbnail\n",
	.options = screenshot_options,
	.run = screenshot_run,
};

/* --- record --- */

struct record_options {
	uint32_t seconds;
};

static const struct opt record_options[] = {
	{ .name = "seconds",
	  .kind = OPT_U32,
	  .argument = "N",
	  .help = "stop after so many seconds (default: at Ctrl-C, or when the machine ends)",
	  .offset = offsetof(struct record_options, seconds),
	  .min = 1,
	  .max = SECONDS_MAX },
	{ .name = NULL },
};

struct record {
	const char *name, *path;
	char *next_path; /* of a further file; NULL while the first is written */
	unsigned int number;
	int fd;
	uint32_t *canvas;
	struct recording recording;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void check_written(const struct record *record, int r)
{
	if (r < 0)
		die("%s: %s; what was recorded until now is there",
		    record->next_path ? record->next_path : record->path, strerror(-r));
}

/* "boot.png", "boot-2.png", ... */
static char *numbered_path(const char *path, unsigned int number)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	int stem = (int)(dot && dot != path ? dot - path : (ptrdiff_t)strlen(path));
	char *result;

	if (asprintf(&result, "%.*s-%u%s", stem, path, number, path + stem) < 0)
		die("not enough memory");
	return result;
}

/* A file, and its first frame: all of the picture, black around it. */
static void begin_file(struct record *record, const struct observer *observer)
{
	struct recording *recording = &record->recording;
	uint32_t width = observer->width, height = observer->height;

	if (width < CANVAS_WIDTH_MIN)
		width = CANVAS_WIDTH_MIN;
	if (height < CANVAS_HEIGHT_MIN)
		height = CANVAS_HEIGHT_MIN;
	if (record->number++) {
		free(record->next_path);
		record->next_path = numbered_path(record->path, record->number);
		check_written(record, recording_end(recording, now_ms()));
		close(record->fd);
		log_info("%s: the picture has become larger; the recording goes on in %s",
			 record->name, record->next_path);
		free(record->canvas);
	}
	record->fd = create_file(record->next_path ? record->next_path : record->path);
	record->canvas = calloc((size_t)width * height, sizeof(*record->canvas));
	if (!record->canvas)
		die("not enough memory");
	check_written(record, recording_begin(recording, record->fd, width, height));
}

static void copy_to_canvas(struct record *record, const struct observer *observer)
{
	for (uint32_t y = observer->top; y < observer->bottom; y++)
		memcpy(record->canvas + (size_t)y * record->recording.width + observer->left,
		       observer->pixels + (size_t)y * observer->width + observer->left,
		       (observer->right - observer->left) * sizeof(*record->canvas));
}

/* What the last update changed, as a frame. */
static void add_frame(struct record *record, struct observer *observer)
{
	struct recording *recording = &record->recording;
	bool all = false;
	int r;

	if (!record->number || observer->width > recording->width ||
	    observer->height > recording->height) {
		begin_file(record, observer);
		all = true;
	} else if (observer->resized) {
		memset(record->canvas, 0,
		       (size_t)recording->width * recording->height * sizeof(*record->canvas));
		all = true;
	}
	if (observer->left >= observer->right)
		return;
	copy_to_canvas(record, observer);
	if (all)
		r = recording_frame(recording, record->canvas, recording->width, 0, 0,
				    recording->width, recording->height, now_ms());
	else
		r = recording_frame(recording, record->canvas, recording->width, observer->left,
				    observer->top, observer->right - observer->left,
				    observer->bottom - observer->top, now_ms());
	check_written(record, r);
}

static int catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	return signals_catch(signals, ARRAY_LEN(signals), NULL);
}

/* Until told to stop: 0, or -errno when the screen is gone. */
static int record_frames(struct record *record, struct observer *observer, uint32_t seconds)
{
	const int64_t end = seconds ? now_ms() + seconds * INT64_C(1000) : INT64_MAX;
	const int signal_fd = catch_signals();
	int r = observer_request(observer, false);

	while (r == 0) {
		struct pollfd fds[] = { { observer->fd, POLLIN, 0 }, { signal_fd, POLLIN, 0 } };
		const int64_t left = end - now_ms();

		if (left <= 0 || (poll(fds, 2, seconds ? (int)left : -1) > 0 && fds[1].revents))
			break;
		if (!fds[0].revents)
			continue;
		r = observer_take(observer);
		if (r < 0)
			break;
		add_frame(record, observer);
		r = observer_request(observer, !observer->resized);
	}
	close(signal_fd);
	return r;
}

static int record_run(const struct verb *verb, int argc, char **argv)
{
	struct record_options options = { 0 };
	struct record record = { .fd = -1 };
	struct observer observer;
	int r;

	verb_parse(verb, &options, argc, argv, 2, 2);
	record.name = argv[0];
	record.path = argv[1];
	if (access(record.path, F_OK) == 0)
		die("%s: %s; remove it, or give another path", record.path, strerror(EEXIST));
	open_screen(record.name, &observer);
	r = record_frames(&record, &observer, options.seconds);
	if (r < 0 && (r != -ECONNRESET || !record.number))
		die("%s: screen: %s", record.name, strerror(-r));
	check_written(&record, recording_end(&record.recording, now_ms()));
	close(record.fd);
	free(record.canvas);
	free(record.next_path);
	observer_close(&observer);
	return EXIT_SUCCESS;
}

const struct verb record_verb = {
	.name = "record",
	.arguments = "NAME FILE.png [--seconds N]",
	.summary = "record what happens on a machine's screen",
	.details = "The file is an animated PNG, which browsers show: a frame for each change, and "
		   "how\nlong it was there. It must not exist yet, and is whole at every moment. "
		   "When the\npicture grows beyond the first one (and 1024x768) the recording goes "
		   "on in FILE-2.png.\n",
	.examples = "  mainstay record nt4 crash.png\n"
		    "  mainstay record nt4 boot.png --seconds 60\n",
	.options = record_options,
	.run = record_run,
};
