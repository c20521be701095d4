// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * A client is a pair of buffers. Bytes come in while no whole line is waiting; a line is carried
 * out in a callback of its own, so that a client with many requests waits for the guest and not the
 * guest for it; the reply goes out at once, or waits in the buffer for EPOLLOUT. A line or a reply
 * that does not fit ends the client. A ninth client takes the place of the one that has been silent
 * longest: people must be able to reach a machine whose clients have gone astray.
 *
 * Who may connect is the starter's decision, by the mode of the socket's file and its directory.
 * Peer credentials are not asked here: in this process's user namespace every user but its own has
 * the overflow number, root and the manager too. Descriptors that a peer sends along are dropped by
 * the kernel, since recvmsg() is given no room for them.
 */
#include "control.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "../base/parse.h"
#include "../devmodel/device.h"
#include "config.h"
#include "loop.h"
#include "machine.h"
#include "stats.h"

#define CLIENTS_MAX 8
#define LINE_BYTES 4096u
#define OUT_BYTES 65536u
#define JSON_DEPTH 8

struct client {
	struct control *control;
	int fd;
	struct loop_watch *watch;
	struct loop_post next_line; /* carries out the line that waits */
	uint64_t heard;		    /* when, in connections and requests */
	bool at_end;		    /* it will send no more */
	size_t in_count, out_at, out_count;
	char in[LINE_BYTES + 1];
	char out[OUT_BYTES];
};

struct control {
	struct loop *loop;
	struct machine *machine;
	int listen_fd;
	struct loop_watch *watch;
	enum sandbox_level sandbox;
	uint64_t started_ns, events;
	struct json_tokener *tokener;
	struct client *clients[CLIENTS_MAX];
};

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

/* --- replies' parts. What there is no memory for is missing from the reply. */

static void add(json_object *object, const char *name, json_object *value)
{
	if (json_object_object_add(object, name, value) < 0)
		json_object_put(value);
}

static void add_number(json_object *object, const char *name, uint64_t value)
{
	add(object, name, json_object_new_uint64(value));
}

static void add_text(json_object *object, const char *name, const char *text)
{
	if (utf8_is_valid(text, strlen(text)))
		add(object, name, json_object_new_string(text));
}

static void append(json_object *array, json_object *value)
{
	if (json_object_array_add(array, value) < 0)
		json_object_put(value);
}

/* --- commands */

struct command {
	const char *name;
	/* Fills @result; NULL, or one line that says why it cannot be done. */
	const char *(*run)(struct control *control, json_object *result);
};

static const char *const state_names[] = {
	[MACHINE_RUNNING] = "running",
	[MACHINE_PAUSED] = "paused",
	[MACHINE_SUSPENDED] = "suspended",
	[MACHINE_ENDED] = "ended",
};

static json_object *describe_disks(const struct vm_config *config)
{
	static const char *const formats[] = { [VM_DISK_VHD] = "vhd", [VM_DISK_RAW] = "raw" };
	json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < config->disk_count; i++) {
		const struct vm_disk *disk = &config->disks[i];
		json_object *row = json_object_new_object();

		add_number(row, "slot", disk->slot);
		add_text(row, "format", formats[disk->format]);
		add(row, "read_only", json_object_new_boolean(disk->read_only));
		add_text(row, "name", disk->name);
		append(array, row);
	}
	return array;
}

static json_object *describe_char(const struct vm_char *c)
{
	static const char *const kinds[] = {
		[VM_CHAR_NONE] = "none",
		[VM_CHAR_STREAM] = "stream",
		[VM_CHAR_LISTEN] = "listen",
		[VM_CHAR_WRITE] = "write",
	};
	json_object *row = json_object_new_object();

	add_text(row, "kind", kinds[c->kind]);
	if (c->kind != VM_CHAR_NONE)
		add_text(row, "name", c->name);
	return row;
}

static const char *run_status(struct control *control, json_object *result)
{
	const struct vm_config *config = machine_config(control->machine);
	json_object *serial = json_object_new_array();
	char uuid[UUID_TEXT_SIZE];

	format_uuid(config->uuid, uuid);
	add_text(result, "name", config->name);
	add_text(result, "uuid", uuid);
	add_text(result, "state", state_names[machine_state(control->machine)]);
	add_number(result, "memory_bytes", config->memory_bytes);
	add_number(result, "cpus", config->cpus);
	add_text(result, "cpu", config->cpu_model);
	add_number(result, "board", VM_BOARD);
	add_text(result, "sandbox", sandbox_level_name(control->sandbox));
	add_number(result, "pid", (uint64_t)getpid());
	add_number(result, "uptime_ns", host_ns() - control->started_ns);
	add_number(result, "clock_ns", machine_clock_ns(control->machine));
	add_number(result, "resets", machine_reset_count(control->machine));
	add(result, "disks", describe_disks(config));
	for (unsigned int i = 0; i < VM_SERIAL_MAX; i++)
		append(serial, describe_char(&config->serial[i]));
	add(result, "serial", serial);
	add(result, "parallel", describe_char(&config->parallel));
	return NULL;
}

static const char *run_pause(struct control *control, json_object *result)
{
	machine_pause(control->machine);
	add_text(result, "state", state_names[machine_state(control->machine)]);
	return NULL;
}

static const char *run_resume(struct control *control, json_object *result)
{
	machine_resume(control->machine);
	add_text(result, "state", state_names[machine_state(control->machine)]);
	return NULL;
}

static const char *run_reset(struct control *control, json_object *result)
{
	(void)result;
	machine_reset(control->machine);
	return NULL;
}

static const char *run_power_button(struct control *control, json_object *result)
{
	(void)result;
	if (machine_state(control->machine) == MACHINE_PAUSED)
		return "the machine is paused and cannot notice its power button; resume it first";
	machine_power_button(control->machine);
	return NULL;
}

static const char *run_quit(struct control *control, json_object *result)
{
	(void)result;
	machine_quit(control->machine);
	return NULL;
}

static json_object *describe_vcpu(const struct vcpu_stats *stats)
{
	json_object *row = json_object_new_object();
	json_object *exits = json_object_new_object();

	/* Their thread counts on meanwhile. */
	for (unsigned int kind = 0; kind < EXIT_KINDS; kind++)
		add_number(exits, exit_kind_name(kind),
			   __atomic_load_n(&stats->exits[kind], __ATOMIC_RELAXED));
	add(row, "exits", exits);
	return row;
}

static json_object *describe_device(const struct device *dev)
{
	json_object *row = json_object_new_object();
	json_object *regions = json_object_new_array();

	add_text(row, "name", dev->name);
	add_text(row, "class", dev->class->name);
	for (unsigned int i = 0; i < DEVICE_REGIONS_MAX && dev->regions[i].desc; i++) {
		json_object *region = json_object_new_object();

		add_text(region, "name", dev->regions[i].desc->name);
		add_number(region, "reads", dev->regions[i].reads);
		add_number(region, "writes", dev->regions[i].writes);
		append(regions, region);
	}
	add(row, "regions", regions);
	return row;
}

static const char *run_stats(struct control *control, json_object *result)
{
	json_object *vcpus = json_object_new_array(), *devices = json_object_new_array();
	const struct vcpu_stats *stats;
	const struct device *dev;

	for (unsigned int i = 0; (stats = machine_vcpu_stats(control->machine, i)); i++)
		append(vcpus, describe_vcpu(stats));
	for (unsigned int i = 0; (dev = machine_device(control->machine, i)); i++)
		append(devices, describe_device(dev));
	add_number(result, "clock_ns", machine_clock_ns(control->machine));
	add(result, "vcpus", vcpus);
	add(result, "devices", devices);
	return NULL;
}

static const struct command commands[] = {
	{ "pause", run_pause },	  { "power-button", run_power_button },
	{ "quit", run_quit },	  { "reset", run_reset },
	{ "resume", run_resume }, { "stats", run_stats },
	{ "status", run_status },
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

/* --- requests */

/* NULL with one line in *ret_error when @request is none. */
static const struct command *check_request(json_object *request, const char **ret_error)
{
	const struct command *command;
	json_object *name;

	*ret_error = "a request is an object with the member \"command\"";
	if (!json_object_is_type(request, json_type_object) ||
	    !json_object_object_get_ex(request, "command", &name) ||
	    !json_object_is_type(name, json_type_string))
		return NULL;
	*ret_error = "unknown command; there are pause, power-button, quit, reset, resume, stats "
		     "and status";
	/* The length too: a NUL can hide in a JSON string. */
	command = find_command(json_object_get_string(name));
	if (!command || strlen(command->name) != (size_t)json_object_get_string_len(name))
		return NULL;
	*ret_error = "this command takes no arguments; a request has only \"command\" and \"id\"";
	json_object_object_foreach(request, key, value)
	{
		(void)value;
		if (strcmp(key, "command") && strcmp(key, "id"))
			return NULL;
	}
	*ret_error = NULL;
	return command;
}

/* The parser takes NaN and Infinity, which are not JSON and must not be echoed. */
static bool is_finite(json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_double:
		return isfinite(json_object_get_double(value));
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			if (!is_finite(json_object_array_get_idx(value, i)))
				return false;
		}
		return true;
	case json_type_object: {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			if (!is_finite(member))
				return false;
		}
		return true;
	}
	default:
		return true;
	}
}

/* NULL with *ret_error set: no JSON text, or one deeper than JSON_DEPTH. */
static json_object *parse_request(struct control *control, const char *line, size_t size,
				  const char **ret_error)
{
	json_object *request;

	*ret_error = NULL;
	json_tokener_reset(control->tokener);
	request = json_tokener_parse_ex(control->tokener, line, (int)size);
	if (json_tokener_get_error(control->tokener) == json_tokener_success &&
	    json_tokener_get_parse_end(control->tokener) == size && is_finite(request))
		return request;
	json_object_put(request);
	*ret_error = "not a line of JSON";
	return NULL;
}

/* The reply to @line, the caller's to put away. */
static json_object *answer(struct control *control, const char *line, size_t size)
{
	json_object *reply = json_object_new_object(), *result = json_object_new_object();
	const struct command *command = NULL;
	json_object *request, *id;
	const char *error;

	request = parse_request(control, line, size, &error);
	if (!error)
		command = check_request(request, &error);
	if (command && machine_state(control->machine) == MACHINE_ENDED)
		error = "the machine has ended";
	else if (command)
		error = command->run(control, result);
	if (json_object_is_type(request, json_type_object) &&
	    json_object_object_get_ex(request, "id", &id))
		add(reply, "id", json_object_get(id));
	add(reply, "ok", json_object_new_boolean(!error));
	if (error) {
		add_text(reply, "error", error);
		json_object_put(result);
	} else {
		add(reply, "result", result);
	}
	json_object_put(request);
	return reply;
}

/* --- clients */

static void client_free(struct client *client)
{
	struct control *control = client->control;

	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		if (control->clients[i] == client)
			control->clients[i] = NULL;
	}
	loop_post_cancel(control->loop, &client->next_line);
	loop_watch_free(client->watch);
	fd_close(client->fd);
	free(client);
	loop_watch_set(control->watch, EPOLLIN);
}

static const char *line_end(const struct client *client)
{
	return memchr(client->in, '\n', client->in_count);
}

/* Sends what waits; false when the client has gone. */
static bool send_out(struct client *client)
{
	while (client->out_count) {
		struct iovec iov = { client->out + client->out_at, client->out_count };
		struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n = sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		client->out_at += (size_t)n;
		client->out_count -= (size_t)n;
	}
	client->out_at = 0;
	return true;
}

/* False when it does not fit, or the client has gone. */
static bool send_reply(struct client *client, json_object *reply)
{
	size_t size = 0;
	const char *text = json_object_to_json_string_length(
		reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);

	memmove(client->out, client->out + client->out_at, client->out_count);
	client->out_at = 0;
	if (!text || size + 1 > OUT_BYTES - client->out_count)
		return false;
	memcpy(client->out + client->out_count, text, size);
	client->out[client->out_count + size] = '\n';
	client->out_count += size + 1;
	return send_out(client);
}

/* Carries out the first line of the buffer; false: the client is to be dropped. */
static bool take_line(struct client *client)
{
	const size_t taken = (size_t)(line_end(client) + 1 - client->in);
	const char *line = client->in;
	size_t size = taken - 1;
	bool ok = true;

	while (size && strchr(" \t\r", line[size - 1]))
		size--;
	client->heard = ++client->control->events;
	if (size) {
		json_object *reply = answer(client->control, line, size);

		ok = send_reply(client, reply);
		json_object_put(reply);
	}
	client->in_count -= taken;
	memmove(client->in, client->in + taken, client->in_count);
	return ok;
}

/* What is next for the client: a line, more bytes, or its end. */
static void client_go_on(struct client *client)
{
	const bool line = line_end(client);
	uint32_t events = 0;

	if ((client->at_end && !line && !client->out_count) ||
	    (!line && client->in_count == sizeof(client->in))) {
		client_free(client);
		return;
	}
	if (line)
		loop_post(client->control->loop, &client->next_line);
	else if (!client->at_end)
		events |= EPOLLIN;
	if (client->out_count)
		events |= EPOLLOUT;
	loop_watch_set(client->watch, events);
}

static void next_line_posted(struct loop_post *post)
{
	struct client *client = container_of(post, struct client, next_line);

	if (line_end(client) && !take_line(client))
		client_free(client);
	else
		client_go_on(client);
}

/* False when the client has gone. */
static bool receive(struct client *client)
{
	struct iovec iov = { client->in + client->in_count, sizeof(client->in) - client->in_count };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(client->fd, &message, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	client->in_count += (size_t)n;
	client->at_end = n == 0;
	return true;
}

static void client_ready(void *opaque, uint32_t events)
{
	struct client *client = opaque;
	bool ok = send_out(client);

	if (ok && (events & EPOLLIN) && !line_end(client))
		ok = receive(client);
	/* It has hung up, and nothing is left to read: nobody takes a reply either. */
	if ((events & (EPOLLHUP | EPOLLERR)) && !(events & EPOLLIN))
		ok = false;
	if (ok && line_end(client))
		ok = take_line(client);
	if (ok)
		client_go_on(client);
	else
		client_free(client);
}

/* A free place, made by ending the client that has been silent longest if need be. */
static unsigned int make_place(struct control *control)
{
	unsigned int oldest = 0;

	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		if (!control->clients[i])
			return i;
		if (control->clients[i]->heard < control->clients[oldest]->heard)
			oldest = i;
	}
	client_free(control->clients[oldest]);
	return oldest;
}

static int client_new(struct control *control, int fd)
{
	const unsigned int place = make_place(control);
	struct client *client = malloc(sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	/* All but the buffers. */
	memset(client, 0, offsetof(struct client, in));
	client->control = control;
	client->fd = fd;
	client->next_line.run = next_line_posted;
	client->heard = ++control->events;
	r = loop_watch_new(control->loop, fd, EPOLLIN, client_ready, client, &client->watch);
	if (r < 0) {
		free(client);
		return r;
	}
	control->clients[place] = client;
	return 0;
}

static void client_waits(void *opaque, uint32_t events)
{
	struct control *control = opaque;
	int fd, r;

	(void)events;
	fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		/* Asking again at once would not help: wait until a client goes. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warning("control clients cannot connect for now: %s", strerror(errno));
			loop_watch_set(control->watch, 0);
		}
		return;
	}
	r = client_new(control, fd);
	if (r < 0) {
		log_warning("a control client was turned away: %s", strerror(-r));
		close(fd);
	}
}

/* --- making and ending */

int control_new(struct loop *loop, struct machine *machine, int listen_fd,
		enum sandbox_level sandbox, struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	control->loop = loop;
	control->machine = machine;
	control->sandbox = sandbox;
	control->started_ns = host_ns();
	control->listen_fd = -1;
	control->tokener = json_tokener_new_ex(JSON_DEPTH);
	if (!control->tokener) {
		r = -ENOMEM;
		goto failed;
	}
	json_tokener_set_flags(control->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	r = loop_watch_new(loop, listen_fd, EPOLLIN, client_waits, control, &control->watch);
	if (r < 0)
		goto failed;
	control->listen_fd = listen_fd;
	*ret_control = control;
	return 0;

failed:
	control_free(control);
	return r;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	for (unsigned int i = 0; i < CLIENTS_MAX; i++) {
		if (control->clients[i])
			client_free(control->clients[i]);
	}
	loop_watch_free(control->watch);
	fd_close(control->listen_fd);
	if (control->tokener)
		json_tokener_free(control->tokener);
	free(control);
}
