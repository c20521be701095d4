/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The certificate and the password that "mainstay view --listen" meets viewers with. */
#ifndef MGMT_VIEW_CREDENTIALS_H
#define MGMT_VIEW_CREDENTIALS_H

#include <gnutls/gnutls.h>
#include <stddef.h>

#define VIEW_FINGERPRINT_BYTES 96

/*
 * Loads certificate and key from the PEM file @path; a file that does not exist is made, with a
 * certificate of our own for ten years. @path NULL: "view.pem" in $XDG_STATE_HOME/mainstay, or
 * ~/.local/state/mainstay, for root /var/lib/mainstay. *ret_fingerprint is its SHA-256, as viewers
 * show it. 0, or -errno with one line in @error.
 */
int view_certificate(const char *path, gnutls_certificate_credentials_t *ret_credentials,
		     char ret_fingerprint[VIEW_FINGERPRINT_BYTES], char *error, size_t error_size);

/*
 * The password: the first line of @path, or with NULL a random one. 0, or -errno with one line in
 * @error.
 */
int view_password(const char *path, char *ret_password, size_t password_size, char *error,
		  size_t error_size);

#endif
