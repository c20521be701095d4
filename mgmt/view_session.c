// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation
 *
 * The greeting is done step by step with a deadline for all of it: version, VeNCrypt (the
 * protocol's registry, security type 19), TLS, name and password. Only then the machine is
 * connected, greeted in the viewer's place, and told to the viewer as accepted. From there on bytes
 * pass through two buffers of fixed size, one for each direction; whoever does not read is not
 * read from.
 */
#include "view_session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "runtime_dir.h"

#define GREETING_MS 30000
/* Whoever guesses gets so many guesses in a minute. */
#define WRONG_PASSWORD_MS 3000
#define SECURITY_VENCRYPT 19
#define SECURITY_NONE 1
#define VENCRYPT_X509_PLAIN 262u
#define TEXT_MAX 256u
#define BUFFER_BYTES 65536u

struct session {
	const struct view_session *setup;
	gnutls_session_t tls;
	bool encrypted;
	int64_t deadline_ms;
	int machine_fd;
};

struct pipe {
	uint8_t bytes[BUFFER_BYTES];
	size_t at, count;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until @fd is ready for @events, or the greeting's time is over. */
static int wait_for(const struct session *s, int fd, short events)
{
	for (;;) {
		struct pollfd wait = { fd, events, 0 };
		const int64_t left = s->deadline_ms - now_ms();
		int n = left > 0 ? poll(&wait, 1, (int)left) : 0;

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* --- the viewer's bytes, in clear and through TLS: a count, 0 at the end, or -errno */

static ssize_t client_read(struct session *s, void *to, size_t room)
{
	ssize_t n;

	if (!s->encrypted) {
		n = recv(s->setup->client_fd, to, room, MSG_DONTWAIT);
		return n < 0 ? -errno : n;
	}
	n = gnutls_record_recv(s->tls, to, room);
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		return -EAGAIN;
	/* Viewers often leave without a word. */
	return n == GNUTLS_E_PREMATURE_TERMINATION ? 0 : n < 0 ? -EPROTO : n;
}

static ssize_t client_write(struct session *s, const void *from, size_t count)
{
	ssize_t n;

	if (!s->encrypted) {
		n = send(s->setup->client_fd, from, count, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n < 0 ? -errno : n;
	}
	n = gnutls_record_send(s->tls, from, count);
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		return -EAGAIN;
	return n < 0 ? -EPIPE : n;
}

static int hear(struct session *s, void *ret_bytes, size_t count)
{
	uint8_t *to = ret_bytes;

	while (count) {
		ssize_t n = client_read(s, to, count);

		if (n == -EAGAIN || n == -EINTR) {
			int r = wait_for(s, s->setup->client_fd, POLLIN);

			if (r < 0)
				return r;
			continue;
		}
		if (n <= 0)
			return n < 0 ? (int)n : -ECONNRESET;
		to += n;
		count -= (size_t)n;
	}
	return 0;
}

static int say(struct session *s, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;

	while (count) {
		ssize_t n = client_write(s, from, count);

		if (n == -EAGAIN || n == -EINTR) {
			int r = wait_for(s, s->setup->client_fd, POLLOUT);

			if (r < 0)
				return r;
			continue;
		}
		if (n < 0)
			return (int)n;
		from += n;
		count -= (size_t)n;
	}
	return 0;
}

/* --- greeting */

static int agree_on_version(struct session *s)
{
	char version[12];
	int r = say(s, "RFB 003.008\n", sizeof(version));

	if (r == 0)
		r = hear(s, version, sizeof(version));
	if (r == 0 && memcmp(version, "RFB 003.008\n", sizeof(version)))
		r = -EPROTONOSUPPORT;
	return r;
}

static int agree_on_security(struct session *s)
{
	static const uint8_t kinds[] = { 1, SECURITY_VENCRYPT }, version[] = { 0, 2 };
	uint8_t kind, wanted[2], sub_kinds[6] = { 0, 1 }, chosen[4], yes = 1;
	int r = say(s, kinds, sizeof(kinds));

	if (r == 0)
		r = hear(s, &kind, 1);
	if (r == 0 && kind != SECURITY_VENCRYPT)
		r = -EPROTONOSUPPORT;
	if (r == 0)
		r = say(s, version, sizeof(version));
	if (r == 0)
		r = hear(s, wanted, sizeof(wanted));
	if (r == 0 && memcmp(wanted, version, sizeof(version)))
		r = -EPROTONOSUPPORT;
	put_be32(sub_kinds + 2, VENCRYPT_X509_PLAIN);
	if (r == 0)
		r = say(s, sub_kinds, sizeof(sub_kinds));
	if (r == 0)
		r = hear(s, chosen, sizeof(chosen));
	if (r == 0 && get_be32(chosen) != VENCRYPT_X509_PLAIN)
		r = -EPROTONOSUPPORT;
	return r < 0 ? r : say(s, &yes, 1);
}

static int start_tls(struct session *s)
{
	int r;

	if (gnutls_init(&s->tls, GNUTLS_SERVER | GNUTLS_NONBLOCK) < 0 ||
	    gnutls_set_default_priority(s->tls) < 0 ||
	    gnutls_credentials_set(s->tls, GNUTLS_CRD_CERTIFICATE, s->setup->credentials) < 0)
		return -ENOMEM;
	gnutls_transport_set_int(s->tls, s->setup->client_fd);
	for (;;) {
		r = gnutls_handshake(s->tls);
		if (r == GNUTLS_E_SUCCESS)
			break;
		if (gnutls_error_is_fatal(r))
			return -EPROTO;
		r = wait_for(s, s->setup->client_fd,
			     gnutls_record_get_direction(s->tls) ? POLLOUT : POLLIN);
		if (r < 0)
			return r;
	}
	s->encrypted = true;
	return 0;
}

static int refuse(struct session *s, const char *why)
{
	uint8_t result[8 + TEXT_MAX] = { 0, 0, 0, 1 };
	const size_t length = strnlen(why, TEXT_MAX);

	put_be32(result + 4, (uint32_t)length);
	memcpy(result + 8, why, length);
	return say(s, result, 8 + length);
}

/* Takes as long for a wrong password as for a right one. */
static bool same_password(const uint8_t *given, size_t length, const char *password)
{
	const size_t password_length = strlen(password);
	uint8_t differs = length != password_length;

	for (size_t i = 0; i < password_length; i++)
		differs |= (uint8_t)(given[i < length ? i : 0] ^ (uint8_t)password[i]);
	return !differs;
}

/* The name is nobody's business: the machine has one owner. */
static int check_password(struct session *s)
{
	uint8_t lengths[8], text[2 * TEXT_MAX];
	uint32_t name_length, password_length;
	int r = hear(s, lengths, sizeof(lengths));

	if (r < 0)
		return r;
	name_length = get_be32(lengths);
	password_length = get_be32(lengths + 4);
	if (name_length > TEXT_MAX || password_length > TEXT_MAX)
		return -EPROTO;
	r = hear(s, text, name_length + password_length);
	if (r < 0)
		return r;
	if (same_password(text + name_length, password_length, s->setup->password))
		return 0;
	(void)poll(NULL, 0, WRONG_PASSWORD_MS);
	refuse(s, "the password is wrong");
	return -EACCES;
}

/* --- the machine */

static int machine_hear(const struct session *s, void *ret_bytes, size_t count)
{
	uint8_t *to = ret_bytes;
	ssize_t n = 0;
	int r = 0;

	for (; r == 0 && count; to += n, count -= (size_t)n) {
		r = wait_for(s, s->machine_fd, POLLIN);
		n = r < 0 ? 0 : recv(s->machine_fd, to, count, MSG_DONTWAIT);
		if (r == 0 && n <= 0)
			r = n < 0 ? -errno : -ECONNRESET;
		if (r < 0)
			n = 0;
	}
	return r;
}

static int machine_say(const struct session *s, const void *bytes, size_t count)
{
	ssize_t n = send(s->machine_fd, bytes, count, MSG_NOSIGNAL);

	return n == (ssize_t)count ? 0 : n < 0 ? -errno : -EIO;
}

/* The machine's own words on why it wants no viewer are the viewer's answer. */
static int pass_reason_on(struct session *s)
{
	uint8_t length[4], text[TEXT_MAX + 1];
	int r = machine_hear(s, length, sizeof(length));

	if (r == 0 && get_be32(length) > TEXT_MAX)
		r = -EPROTO;
	if (r == 0)
		r = machine_hear(s, text, get_be32(length));
	if (r < 0)
		return r;
	text[get_be32(length)] = '\0';
	refuse(s, (const char *)text);
	return -EBUSY;
}

static int greet_machine(struct session *s)
{
	uint8_t version[12], kinds[2], none = SECURITY_NONE, result[4];
	int r = runtime_socket_connect(s->setup->folder_fd, RUNTIME_DISPLAY, &s->machine_fd);

	if (r < 0)
		return r;
	r = machine_hear(s, version, sizeof(version));
	if (r == 0)
		r = machine_say(s, "RFB 003.008\n", sizeof(version));
	if (r == 0)
		r = machine_hear(s, kinds, 1);
	if (r == 0 && !kinds[0])
		return pass_reason_on(s);
	if (r == 0)
		r = machine_hear(s, kinds + 1, 1);
	if (r == 0 && (kinds[0] != 1 || kinds[1] != SECURITY_NONE))
		r = -EPROTO;
	if (r == 0)
		r = machine_say(s, &none, 1);
	if (r == 0)
		r = machine_hear(s, result, sizeof(result));
	return r < 0 ? r : get_be32(result) ? -EACCES : 0;
}

/* --- relaying */

/* False at the end of either side. */
static bool fill(struct pipe *pipe, ssize_t n)
{
	if (n == -EAGAIN || n == -EINTR)
		return true;
	if (n <= 0)
		return false;
	pipe->count = (size_t)n;
	pipe->at = 0;
	return true;
}

static bool drain(struct pipe *pipe, ssize_t n)
{
	if (n == -EAGAIN || n == -EINTR)
		return true;
	if (n < 0)
		return false;
	pipe->at += (size_t)n;
	pipe->count -= (size_t)n;
	return true;
}

static ssize_t machine_read(const struct session *s, struct pipe *pipe)
{
	ssize_t n = recv(s->machine_fd, pipe->bytes, BUFFER_BYTES, MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

static ssize_t machine_write(const struct session *s, const struct pipe *pipe)
{
	ssize_t n = send(s->machine_fd, pipe->bytes + pipe->at, pipe->count,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

/* One round of what can be done at once. */
static bool relay_once(struct session *s, struct pipe *up, struct pipe *down)
{
	if (!up->count && !fill(up, client_read(s, up->bytes, BUFFER_BYTES)))
		return false;
	if (up->count && !drain(up, machine_write(s, up)))
		return false;
	if (!down->count && !fill(down, machine_read(s, down)))
		return false;
	return !down->count || drain(down, client_write(s, down->bytes + down->at, down->count));
}

static void relay(struct session *s)
{
	static struct pipe up, down;

	while (relay_once(s, &up, &down)) {
		struct pollfd fds[] = {
			{ s->setup->client_fd, 0, 0 },
			{ s->machine_fd, 0, 0 },
		};

		/* What TLS has decrypted already wakes nobody. */
		if (!up.count && gnutls_record_check_pending(s->tls))
			continue;
		fds[0].events = (short)((up.count ? 0 : POLLIN) | (down.count ? POLLOUT : 0));
		fds[1].events = (short)((down.count ? 0 : POLLIN) | (up.count ? POLLOUT : 0));
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return;
		if (fds[1].revents & (POLLHUP | POLLERR) && !down.count &&
		    !(fds[1].revents & POLLIN))
			return;
	}
}

static const char *reason_of(int error)
{
	switch (error) {
	case -EPROTONOSUPPORT:
		return "it cannot do VeNCrypt with X509Plain; TigerVNC can";
	case -EPROTO:
		return "it broke the protocol, or does not trust the certificate";
	case -EACCES:
		return "wrong password";
	case -EBUSY:
		return "the machine takes no more viewers";
	default:
		return strerror(-error);
	}
}

int view_session_run(const struct view_session *session)
{
	struct session s = {
		.setup = session,
		.deadline_ms = now_ms() + GREETING_MS,
		.machine_fd = -1,
	};
	uint8_t accepted[4] = { 0 };
	int r = agree_on_version(&s);

	if (r == 0)
		r = agree_on_security(&s);
	if (r == 0)
		r = start_tls(&s);
	if (r == 0)
		r = check_password(&s);
	if (r == 0)
		r = greet_machine(&s);
	if (r == 0)
		r = say(&s, accepted, sizeof(accepted));
	if (r < 0) {
		log_warning("%s: a viewer from %s was turned away: %s", session->machine,
			    session->peer, reason_of(r));
	} else {
		log_info("%s: a viewer from %s is connected", session->machine, session->peer);
		relay(&s);
		log_info("%s: the viewer from %s has left", session->machine, session->peer);
	}
	if (s.encrypted)
		gnutls_bye(s.tls, GNUTLS_SHUT_WR);
	if (s.tls)
		gnutls_deinit(s.tls);
	fd_close(s.machine_fd);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
