// SPDX-License-Identifier: GPL-2.0-or-later
#include "view_credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"

#define PEM_BYTES_MAX 65536u
#define TEN_YEARS_S (10 * 365 * 86400L)
#define SERIAL_BYTES 16
#define PASSWORD_LENGTH 12
#define PASSWORD_MIN 8

/* --- where the certificate is */

static int make_folder(const char *path)
{
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int default_path(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char folder[PATH_MAX];
	int r = 0;

	if (geteuid() == 0) {
		snprintf(folder, sizeof(folder), "/var/lib/mainstay");
	} else if (state && *state == '/') {
		snprintf(folder, sizeof(folder), "%s/mainstay", state);
	} else if (home && *home == '/') {
		snprintf(folder, sizeof(folder), "%s/.local", home);
		r = make_folder(folder);
		snprintf(folder, sizeof(folder), "%s/.local/state", home);
		if (r == 0)
			r = make_folder(folder);
		snprintf(folder, sizeof(folder), "%s/.local/state/mainstay", home);
	} else {
		return -ENOENT;
	}
	if (r == 0)
		r = make_folder(folder);
	if (r == 0 && snprintf(path, size, "%s/view.pem", folder) >= (int)size)
		r = -ENAMETOOLONG;
	return r;
}

/* --- making one */

/* Names under which viewers may reach it: those that can be known. */
static int add_names(gnutls_x509_crt_t certificate)
{
	static const uint8_t v4[4] = { 127, 0, 0, 1 }, v6[16] = { [15] = 1 };
	char host[256] = "localhost";
	int r = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, host,
						     (unsigned int)strlen(host), GNUTLS_FSAN_SET);

	if (r == 0)
		r = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, v4,
							 sizeof(v4), GNUTLS_FSAN_APPEND);
	if (r == 0)
		r = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, v6,
							 sizeof(v6), GNUTLS_FSAN_APPEND);
	if (r == 0 && gethostname(host, sizeof(host) - 1) == 0 && *host)
		r = gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, host,
							 (unsigned int)strlen(host),
							 GNUTLS_FSAN_APPEND);
	return r;
}

static int fill_certificate(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
	static const char name[] = "Mainstay remote console";
	uint8_t serial[SERIAL_BYTES];
	const time_t now = time(NULL);
	int r = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] &= 0x7f;
	if (r == 0)
		r = gnutls_x509_crt_set_version(certificate, 3);
	if (r == 0)
		r = gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial));
	if (r == 0)
		r = gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
						  sizeof(name) - 1);
	if (r == 0)
		r = add_names(certificate);
	/* Clocks differ. */
	if (r == 0)
		r = gnutls_x509_crt_set_activation_time(certificate, now - 86400);
	if (r == 0)
		r = gnutls_x509_crt_set_expiration_time(certificate, now + TEN_YEARS_S);
	if (r == 0)
		r = gnutls_x509_crt_set_key(certificate, key);
	if (r == 0)
		r = gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0);
	return r;
}

/* The key and the certificate one after the other, freed by the caller. A GnuTLS error or 0. */
static int make_pem(char **ret_pem)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t certificate = NULL;
	gnutls_datum_t key_pem = { NULL, 0 }, certificate_pem = { NULL, 0 };
	int r = gnutls_x509_privkey_init(&key);

	if (r == 0)
		r = gnutls_x509_crt_init(&certificate);
	if (r == 0)
		r = gnutls_x509_privkey_generate(
			key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (r == 0)
		r = fill_certificate(certificate, key);
	if (r == 0)
		r = gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_pem);
	if (r == 0)
		r = gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &certificate_pem);
	if (r == 0 && asprintf(ret_pem, "%.*s%.*s", (int)key_pem.size, (char *)key_pem.data,
			       (int)certificate_pem.size, (char *)certificate_pem.data) < 0)
		r = GNUTLS_E_MEMORY_ERROR;
	gnutls_free(key_pem.data);
	gnutls_free(certificate_pem.data);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_privkey_deinit(key);
	return r;
}

/* 0, or -errno with one line in @error. */
static int create_pem(const char *path, char *error, size_t error_size)
{
	char *pem = NULL;
	int r = make_pem(&pem);

	if (r < 0) {
		snprintf(error, error_size, "%s: certificate: %s", path, gnutls_strerror(r));
		return -EIO;
	}
	r = file_replace(path, pem, strlen(pem), 0600);
	free(pem);
	if (r < 0)
		snprintf(error, error_size,
			 "%s: certificate: %s; give --certificate FILE in a folder that is yours",
			 path, strerror(-r));
	return r;
}

/* --- using it */

static int fingerprint(const gnutls_datum_t *pem, char ret_text[VIEW_FINGERPRINT_BYTES])
{
	gnutls_x509_crt_t certificate;
	uint8_t hash[32];
	size_t size = sizeof(hash);
	int r = gnutls_x509_crt_init(&certificate);

	if (r < 0)
		return r;
	r = gnutls_x509_crt_import(certificate, pem, GNUTLS_X509_FMT_PEM);
	if (r == 0)
		r = gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, hash, &size);
	gnutls_x509_crt_deinit(certificate);
	for (size_t i = 0; r == 0 && i < sizeof(hash); i++)
		snprintf(ret_text + 3 * i, 4, "%02X%s", hash[i], i + 1 < sizeof(hash) ? ":" : "");
	return r;
}

static int load_pem(const char *path, gnutls_certificate_credentials_t *ret_credentials,
		    char ret_fingerprint[VIEW_FINGERPRINT_BYTES], char *error, size_t error_size)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t pem;
	size_t size;
	char *text;
	int r = file_read(path, PEM_BYTES_MAX, &text, &size);

	if (r < 0) {
		snprintf(error, error_size, "%s: certificate: %s", path, strerror(-r));
		return r;
	}
	pem = (gnutls_datum_t){ (unsigned char *)text, (unsigned int)size };
	r = gnutls_certificate_allocate_credentials(&credentials);
	if (r == 0) {
		r = gnutls_certificate_set_x509_key_mem2(credentials, &pem, &pem,
							 GNUTLS_X509_FMT_PEM, NULL, 0);
		if (r >= 0)
			r = fingerprint(&pem, ret_fingerprint);
		if (r < 0)
			gnutls_certificate_free_credentials(credentials);
	}
	memset(text, 0, size);
	free(text);
	if (r < 0) {
		snprintf(error, error_size,
			 "%s: certificate: %s; the file must have a key and a certificate in PEM",
			 path, gnutls_strerror(r));
		return -EINVAL;
	}
	*ret_credentials = credentials;
	return 0;
}

int view_certificate(const char *path, gnutls_certificate_credentials_t *ret_credentials,
		     char ret_fingerprint[VIEW_FINGERPRINT_BYTES], char *error, size_t error_size)
{
	char own[PATH_MAX];
	int r;

	if (!path) {
		r = default_path(own, sizeof(own));
		if (r < 0) {
			snprintf(error, error_size,
				 "certificate: no folder for it (%s); give --certificate FILE",
				 strerror(-r));
			return r;
		}
		path = own;
	}
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		r = create_pem(path, error, error_size);
		if (r < 0)
			return r;
	}
	return load_pem(path, ret_credentials, ret_fingerprint, error, error_size);
}

/* --- password */

static int random_password(char *password)
{
	/* 32 letters and digits that nobody takes for each other: five bits each. */
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t bytes[PASSWORD_LENGTH];

	if (gnutls_rnd(GNUTLS_RND_KEY, bytes, sizeof(bytes)) < 0)
		return -EIO;
	for (size_t i = 0; i < PASSWORD_LENGTH; i++)
		password[i] = letters[bytes[i] % 32];
	password[PASSWORD_LENGTH] = '\0';
	return 0;
}

int view_password(const char *path, char *ret_password, size_t password_size, char *error,
		  size_t error_size)
{
	size_t size, length;
	char *text;
	int r;

	if (!path) {
		r = random_password(ret_password);
		if (r < 0)
			snprintf(error, error_size, "password: %s; give --password-file FILE",
				 strerror(-r));
		return r;
	}
	r = file_read(path, 4096, &text, &size);
	if (r < 0) {
		snprintf(error, error_size, "%s: password: %s", path, strerror(-r));
		return r;
	}
	length = strcspn(text, "\r\n");
	if (length < PASSWORD_MIN || length >= password_size) {
		snprintf(error, error_size,
			 "%s: password: the first line must have %d to %zu bytes", path,
			 PASSWORD_MIN, password_size - 1);
		r = -EINVAL;
	} else {
		memcpy(ret_password, text, length);
		ret_password[length] = '\0';
	}
	memset(text, 0, size);
	free(text);
	return r;
}
