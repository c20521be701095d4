// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mainstay-switch: joins machines, the host and the world, one process for each user.
 *
 * It is started with a listening control socket at descriptor 3 (control.h) and ends by itself when
 * nobody has been connected for a while.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include <json-c/json.h>

#include "../base/log.h"
#include "sandbox.h"
#include "switch.h"

#define LISTEN_FD 3

int main(int argc, char **argv)
{
	static struct switch_state sw;
	int listening = 0, r;
	socklen_t length = sizeof(listening);

	log_init("mainstay-switch", LOG_LEVEL_INFO);
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		log_info("version %s", MAINSTAY_VERSION);
		return 0;
	}
	if (getsockopt(LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0 || !listening)
		die("needs a listening socket at descriptor 3; 'mainstay net' and 'mainstay run' "
		    "start it");
	signal(SIGPIPE, SIG_IGN);
	/* The JSON library takes its hash seed from a file that will be out of reach. */
	json_object_put(json_tokener_parse("{\"warm\":1}"));
	r = switch_init(&sw, LISTEN_FD);
	if (r < 0)
		die("cannot wait for events: %s", strerror(-r));
	switch_sandbox();
	switch_run(&sw);
	switch_fini(&sw);
	return 0;
}
