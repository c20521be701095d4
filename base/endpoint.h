/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where somebody is to be met, as people write it: unix:PATH, connect:PATH or fd:N. */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

struct endpoint {
	int fd;		  /* close-on-exec */
	bool listening;	  /* clients are to be accepted; else @fd is the connection itself */
	const char *path; /* of the socket that was made; NULL: none was */
};

/*
 * Opens what @text says: unix:PATH makes a socket there, for its owner only, and listens;
 * connect:PATH connects to one; fd:N takes a descriptor that was inherited. @ret_endpoint->path
 * points into @text. 0, or -errno with one line in @error that begins with @text.
 */
int endpoint_open(const char *text, struct endpoint *ret_endpoint, char *error, size_t error_size);

#endif
