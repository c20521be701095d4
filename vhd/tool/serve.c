// SPDX-License-Identifier: GPL-2.0-or-later
/* serve: a disk over NBD, by nbdkit with our plugin. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../base/bits.h"
#include "tool.h"

#define PLUGIN "nbdkit-mainstay-vhd-plugin.so"

struct serve_target {
	struct disk_words words; /* first, see disk_add_folder() */
	const char *socket, *address, *run, *undo, *format;
	uint32_t port;
	bool read_only;
};

static const struct opt serve_options[] = {
	{ "socket", 's', OPT_STRING, "PATH", "listen on this Unix socket",
	  offsetof(struct serve_target, socket), 0, 0, NULL },
	{ "port", 'p', OPT_U32, "PORT", "listen on this TCP port",
	  offsetof(struct serve_target, port), 1, 65535, NULL },
	{ "address", 0, OPT_STRING, "ADDRESS", "of the TCP port (default 127.0.0.1)",
	  offsetof(struct serve_target, address), 0, 0, NULL },
	{ "run", 0, OPT_STRING, "COMMAND",
	  "serve while this shell command runs; $uri is where (default: until a signal)",
	  offsetof(struct serve_target, run), 0, 0, NULL },
	{ "read-only", 'r', OPT_FLAG, NULL, "clients cannot write",
	  offsetof(struct serve_target, read_only), 0, 0, NULL },
	{ "undo", 'u', OPT_STRING, "END",
	  "write to an undo disk, and keep, commit or discard it at the end",
	  offsetof(struct serve_target, undo), 0, 0, NULL },
	{ "format", 0, OPT_STRING, "FORMAT", "vhd (default) or raw",
	  offsetof(struct serve_target, format), 0, 0, NULL },
	DISK_OPTIONS(struct serve_target, words),
	OPT_END,
};

/* Beside this program, as it is built and installed; else where nbdkit looks. */
static const char *find_plugin(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		snprintf(slash, (size_t)(PATH_MAX - (slash - path)), "/../lib/nbdkit/plugins/%s",
			 PLUGIN);
	return slash && access(path, R_OK) == 0 ? path : "mainstay-vhd";
}

int nbdkit_command(struct nbdkit_command *command, const struct disk_words *words,
		   const char *format, bool read_only, const char *path)
{
	unsigned int n = command->count;

	if (!have_program("nbdkit"))
		return fail("nbdkit is not installed; its Debian package is nbdkit");
	if (words->size_rule)
		return fail_usage("--size-rule: is not for what is served");
	/* Each is "name=value" or a word. */
	snprintf(command->texts[0], sizeof(command->texts[0]), "file=%s", path);
	snprintf(command->texts[1], sizeof(command->texts[1]), "parent=%s",
		 words->parent ? words->parent : "");
	if (read_only)
		command->argv[n++] = "-r";
	command->argv[n++] = find_plugin(command->plugin);
	command->argv[n++] = command->texts[0];
	if (words->parent)
		command->argv[n++] = command->texts[1];
	if (read_only)
		command->argv[n++] = "readonly=true";
	if (format && !strcmp(format, "raw"))
		command->argv[n++] = "format=raw";
	if (words->accept_parent)
		command->argv[n++] = "accept-parent=true";
	for (unsigned int i = 0; words->folders[i]; i++) {
		char *text = command->texts[2 + i];

		snprintf(text, sizeof(command->texts[0]), "search=%s", words->folders[i]);
		command->argv[n++] = text;
	}
	command->argv[n] = NULL;
	command->count = n;
	return 0;
}

static int serve(const struct serve_target *target, const char *path)
{
	struct nbdkit_command *command = calloc(1, sizeof(*command));
	const char **argv;
	unsigned int n = 0;
	char port[16];
	int status;

	if (!command)
		return fail("out of memory");
	argv = command->argv;
	snprintf(port, sizeof(port), "%u", target->port);
	argv[n++] = "nbdkit";
	argv[n++] = "--foreground";
	argv[n++] = "--exit-with-parent";
	if (target->socket || !target->port) {
		argv[n++] = "--unix";
		argv[n++] = target->socket ? target->socket : "-";
	} else {
		argv[n++] = "--port";
		argv[n++] = port;
		argv[n++] = "--ipaddr";
		argv[n++] = target->address ? target->address : "127.0.0.1";
	}
	if (target->run) {
		argv[n++] = "--run";
		argv[n++] = target->run;
	}
	command->count = n;
	status = nbdkit_command(command, &target->words, target->format, target->read_only, path);
	if (status == 0)
		status = run_program(argv);
	free(command);
	return status;
}

static int check_target(const struct serve_target *target, enum undo_end end)
{
	const char *format = target->format;

	if (!target->socket && !target->port && !target->run)
		return fail_usage("serve: give --socket, --port or --run");
	if (target->socket && target->port)
		return fail_usage("--socket and --port: give one of them");
	if (target->address && !target->port)
		return fail_usage("--address: is for --port");
	if (format && strcmp(format, "raw") && strcmp(format, "vhd"))
		return fail_usage("--format %s: give vhd or raw", format);
	if (end != UNDO_NONE && target->read_only)
		return fail_usage("--undo and --read-only: give one of them");
	if (end != UNDO_NONE && (target->words.parent || target->words.accept_parent))
		return fail_usage("--undo: leave out --parent and --accept-parent; relink the disk "
				  "first");
	if (end != UNDO_NONE && format && !strcmp(format, "raw"))
		return fail_usage("--undo: is for VHD only");
	return 0;
}

static int run_serve(void *opaque, int count, char **arguments)
{
	const struct serve_target *target = opaque;
	char undo[VHD_PATH_BYTES];
	const char *path = arguments[0];
	enum undo_end end;
	int served, status = undo_end_of(target->undo, &end);

	(void)count;
	if (status == 0)
		status = check_target(target, end);
	if (status == 0 && end != UNDO_NONE)
		status = undo_open(path, undo, sizeof(undo));
	if (status != 0)
		return status;
	/* A signal ends nbdkit, and then what was written is settled. */
	cancel_defer(true);
	served = serve(target, end == UNDO_NONE ? path : undo);
	cancel_defer(false);
	/* What a failed command leaves is not committed. */
	if (end == UNDO_COMMIT && served != 0 && !cancel_asked())
		end = UNDO_KEEP;
	status = undo_settle(undo, end);
	return cancel_asked() ? status : served ? served : status;
}

const struct verb verb_serve = {
	.name = "serve",
	.arguments = "FILE",
	.summary = "offer a disk over NBD, for nbd-client, libguestfs, qemu-img and others",
	.details = "Runs nbdkit with the plugin of mainstay-vhd until a signal, or while a command "
		   "runs.\n"
		   "NBD knows no passwords: use a socket, or an address that only friends reach.\n",
	.examples = "  mainstay-vhd serve --socket /tmp/nt4.sock nt4.vhd\n"
		    "  mainstay-vhd serve --read-only --port 10809 nt4.vhd\n"
		    "  mainstay-vhd serve --undo discard --run 'nbdinfo \"$uri\"' nt4.vhd\n",
	.options = serve_options,
	.target_bytes = sizeof(struct serve_target),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_serve,
};
