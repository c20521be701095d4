/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A viewer from the network: RFB over TLS with a password (VeNCrypt, kind X509Plain), relayed to the
 * machine's display socket. Each session is a process of its own that has given up everything but
 * its two sockets before it reads the first byte.
 */
#ifndef MGMT_VIEW_SESSION_H
#define MGMT_VIEW_SESSION_H

#include <gnutls/gnutls.h>
#include <stddef.h>

#define VIEW_PASSWORD_MAX 128

struct view_session {
	int client_fd;	     /* connected, non-blocking */
	int folder_fd;	     /* the machine's runtime folder, with its display socket */
	const char *machine; /* its name, for the log */
	const char *peer;    /* the viewer's address, for the log */
	const char *password;
	gnutls_certificate_credentials_t credentials;
};

/* Runs the session to its end; the process' exit status. */
int view_session_run(const struct view_session *session);

/*
 * Leaves the calling process, which must have one thread, only what a session needs: no file, no
 * network but what is open, and unix sockets. Dies when that cannot be had.
 */
void view_sandbox(void);

#endif
