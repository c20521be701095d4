// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mainstay run: starts a machine's process and stays with it.
 *
 * Theory of operation: everything that can be wrong is found first, disks and host before anything
 * is made. Then the machine's runtime folder is taken, which also makes its name ours, and the
 * process is started. From there on one poll() waits for its answer, its end, signals and the
 * terminal. The machine ends when its process does; we ask for that by the control socket, then by
 * SIGTERM, then by SIGKILL.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/endpoint.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "adapters.h"
#include "client.h"
#include "disk_files.h"
#include "incoming.h"
#include "machine_config.h"
#include "machine_files.h"
#include "machine_ports.h"
#include "machine_socket.h"
#include "signals.h"
#include "nvram_file.h"
#include "running_disks.h"
#include "runtime_dir.h"
#include "service.h"
#include "spawn.h"
#include "state_file.h"
#include "terminal.h"
#include "uid_pool.h"
#include "verbs.h"
#include "view.h"

#define QUIT_TIMEOUT_MS 10000
#define TERM_TIMEOUT_MS 60000
#define NAMES_MAX 1000
#define EXIT_BROKEN 2

/* Of one poll(): our own, and those of the ports; the terminal's follow. */
#define OWN_POLLFDS 3
#define FIXED_POLLFDS (OWN_POLLFDS + MACHINE_PORTS_POLLFDS)

struct run_options {
	struct machine_config config; /* first: MACHINE_OPTIONS fill it */
	bool headless;
	const char *config_file;
	const char *restore, *incoming;
	bool verify, keep_state, discard_state, disks_copied, service;
	const char *devtest; /* NULL: an ordinary machine */
};

enum run_state { RUN_STARTING, RUN_RUNNING, RUN_ENDED };
/* How the machine has been asked to end, each more urgent than the one before. */
enum run_ending { END_NOT, END_ASKED, END_QUIT, END_TERM, END_KILL };

struct run {
	struct service service;
	bool restores;
	const char *state_path; /* to be removed once the machine goes on from it; NULL: none */
	struct machine_config *config;
	const char *devtest;
	const char *devtest_path; /* of the socket that was made for it; NULL: none */
	char name[MACHINE_NAME_MAX + 1];
	struct runtime_base base;
	struct runtime_dir dir;
	struct machine_files files;
	struct machine_ports ports;
	struct spawn_process process;
	struct adapters adapters;
	int uid_lock_fd, signal_fd, quit_fd;
	bool nvram_made; /* by us, now */
	enum run_state state;
	enum run_ending ending;
	int64_t escalate_ms; /* when to ask more urgently */
	bool relaying, headless;
	int status;
	struct relay relay;
};

static const char help_text[] =
	"\r\nmainstay: Ctrl-A X ends the machine (its power plug is pulled), "
	"Ctrl-A Ctrl-A sends Ctrl-A\r\n";

/* --- preparing --- */

/* What machine_config_init() says of networks. */
static bool default_net(const struct machine_config *config)
{
	const struct machine_nic *nic = &config->nics[0];

	return config->nic_count == 1 && nic->kind == MACHINE_NIC_NAT && !nic->mac && !nic->model &&
	       !nic->tcp && !nic->udp;
}

/* A test drives devices without networks; $MAINSTAY_NET is what --net is where it is not given. */
static void read_default_net(struct run_options *options)
{
	const char *given = options->devtest ? "none" : getenv("MAINSTAY_NET");
	struct machine_config *config = &options->config;
	char error[256];

	if (given && *given && !config->nics_given && default_net(config) &&
	    machine_option_net(config, given, error, sizeof(error)) < 0)
		die("MAINSTAY_NET: %s", error);
	/* "none" alone: no adapter at all. */
	if (config->nic_count == 1 && config->nics[0].kind == MACHINE_NIC_NONE)
		config->nic_count = 0;
}

static void read_description(struct run_options *options, int argc, char **argv)
{
	struct machine_config *config = &options->config, untouched;
	char error[1024];

	if (options->config_file) {
		machine_config_init(&untouched);
		if (argc || memcmp(config, &untouched, sizeof(untouched)))
			die("--config %s: takes no other options of a machine; change the file, "
			    "or leave --config out",
			    options->config_file);
		if (machine_config_load(config, options->config_file, error, sizeof(error)) < 0)
			die("%s", error);
	} else if (argc && machine_config_add_disk(config, argv[0], error, sizeof(error)) < 0) {
		die("%s", error);
	}
	if (!options->config_file && !config->serial_count && !options->devtest)
		config->serial[config->serial_count++].kind = MACHINE_CHAR_STDIO;
	if (!machine_config_first_path(config) && !options->devtest && !config->kernel &&
	    !machine_boots_net(config))
		die("no disk: give a disk image, or --drive PATH; --help says more");
	read_default_net(options);
	if (machine_config_check(config, error, sizeof(error)) < 0)
		die("%s", error);
}

/* What a machine without a name is called after. */
static const char *named_after(const struct machine_config *config)
{
	const char *path = machine_config_first_path(config);

	return path ? path : config->kernel ? config->kernel : "devtest";
}

/* The given name, or the first free one that is made from the disk's. */
static void take_name(struct run *run)
{
	char error[1024];
	pid_t pid = 0;
	int r = -EEXIST;

	if (runtime_base_open(&run->base, true, error, sizeof(error)) < 0)
		die("%s", error);
	if (run->config->name) {
		snprintf(run->name, sizeof(run->name), "%s", run->config->name);
		r = runtime_dir_take(&run->base, run->name, &run->dir, &pid);
	}
	for (unsigned int i = 1; !run->config->name && r == -EEXIST && i <= NAMES_MAX; i++) {
		machine_name_from_path(named_after(run->config), i, run->name);
		r = runtime_dir_take(&run->base, run->name, &run->dir, &pid);
	}
	run->config->name = run->name;
	if (r == -EEXIST)
		die("%s: a machine of this name is running (process %d); stop it, or give --name",
		    run->name, (int)pid);
	if (r < 0)
		die("%s: runtime folder %s/%s: %s", run->name, run->base.path, run->name,
		    strerror(-r));
}

static void open_devtest(struct run *run)
{
	struct endpoint endpoint;
	char error[1024];

	if (!run->devtest)
		return;
	if (endpoint_open(run->devtest, &endpoint, error, sizeof(error)) < 0)
		die("--devtest %s", error);
	run->files.devtest = endpoint.fd;
	run->files.devtest_listens = endpoint.listening;
	run->devtest_path = endpoint.path;
}

static void release_all(struct run *run)
{
	if (run->devtest_path)
		unlink(run->devtest_path);
	adapters_close(&run->adapters);
	machine_files_close(&run->files);
	machine_ports_close(&run->ports, run->state != RUN_STARTING);
	if (run->nvram_made && run->state == RUN_STARTING)
		unlink(run->config->nvram);
	runtime_dir_release(&run->dir);
	runtime_base_close(&run->base);
	run->quit_fd = fd_close(run->quit_fd);
	run->uid_lock_fd = fd_close(run->uid_lock_fd);
}

static void fail_start(struct run *run, const char *error)
{
	log_error("%s", error);
	incoming_fail(error);
	disk_files_forget(&run->files);
	release_all(run);
	exit(EXIT_FAILURE);
}

/* From here on signals are events, so that the terminal and the folder are always put right. */
static void catch_signals(struct run *run)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT };

	run->signal_fd = signals_catch(signals, ARRAY_LEN(signals), NULL);
}

static void open_state(struct run *run, const struct run_options *options)
{
	char error[1024];

	machine_files_init(&run->files);
	run->files.discard_state = options->discard_state;
	run->files.state_verify = options->verify;
	run->files.state_path = options->incoming ? options->incoming : options->restore;
	run->files.service = options->service;
	run->files.state_waits = options->incoming;
	run->files.disks_copied = options->disks_copied;
	if (!options->restore)
		return;
	run->restores = true;
	run->files.state = state_file_lock(options->restore, error, sizeof(error));
	if (run->files.state < 0)
		die("%s", error);
	if (!options->keep_state)
		run->state_path = options->restore;
}

/* The host may die between a machine that goes on and the end of its state's file: no service stumbles over that. */
static void drop_used_state(struct run *run)
{
	if (!run->service.on || !run->restores || !disk_files_unmarked(run->config, &run->files))
		return;
	log_warning("%s: saved state %s was used up: its disks have been written to since; the "
		    "machine starts afresh",
		    run->config->name, run->files.state_path);
	(void)state_file_remove(run->files.state_path);
	run->files.state = fd_close(run->files.state);
	run->files.state_path = run->state_path = NULL;
	run->files.discard_state = true;
	run->restores = false;
}

/* What the battery has kept comes before what is derived: the identity is in it. */
static void open_nvram(struct run *run)
{
	char error[1024];

	if (run->config->nvram) {
		run->files.nvram =
			nvram_file_open(run->config, &run->nvram_made, error, sizeof(error));
		if (run->files.nvram < 0)
			fail_start(run, error);
	}
	machine_config_derive(run->config);
}

static void start(struct run *run, const struct run_options *run_options)
{
	struct spawn_options options = {
		.degraded = run->config->sandbox == MACHINE_SANDBOX_DEGRADED,
	};
	char error[1024];
	int r;

	open_state(run, run_options);
	if (machine_files_open(run->config, !run->devtest, &run->files, error, sizeof(error)) < 0) {
		disk_files_forget(&run->files);
		incoming_fail(error);
		die("%s", error);
	}
	drop_used_state(run);
	open_devtest(run);
	catch_signals(run);
	take_name(run);
	if (machine_ports_open(run->config, run->dir.fd, &run->files, &run->ports, error,
			       sizeof(error)) < 0)
		fail_start(run, error);
	open_nvram(run);
	r = running_disks_write(run->dir.fd, run->config);
	if (r < 0)
		log_warning("%s: no checkpoints: what is known of its disks cannot be written: %s",
			    run->name, strerror(-r));
	adapters_open(&run->adapters, run->config, &run->base, run->dir.fd, run->name, &run->files);
	r = runtime_socket_listen(run->dir.fd, RUNTIME_CONTROL, &run->files.control);
	if (r == 0)
		r = runtime_socket_listen(run->dir.fd, RUNTIME_DISPLAY, &run->files.display);
	if (r < 0) {
		snprintf(error, sizeof(error), "%s: control and display sockets: %s", run->name,
			 strerror(-r));
		fail_start(run, error);
	}
	if (geteuid() == 0 && uid_pool_take(&run->base, run->name, &options.uid, &run->uid_lock_fd,
					    error, sizeof(error)) < 0)
		fail_start(run, error);
	if (spawn_machine(run->config, &run->files, &options, &run->process, error, sizeof(error)) <
	    0)
		fail_start(run, error);
}

/* --- ending --- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void signal_machine(struct run *run, int number)
{
	if (kill(run->process.pid, number) < 0 && errno != ESRCH)
		log_error("%s: process %d cannot be ended: %s", run->name, (int)run->process.pid,
			  strerror(errno));
}

/* The connection is kept: a request whose sender is gone might not be read. */
static int ask_to_quit(struct run *run)
{
	if (run->state != RUN_RUNNING ||
	    runtime_socket_connect(run->dir.fd, RUNTIME_CONTROL, &run->quit_fd) < 0)
		return -ENOTCONN;
	return client_send(run->quit_fd, "quit");
}

static void end_by(struct run *run, enum run_ending ending)
{
	if (ending == END_QUIT && ask_to_quit(run) < 0)
		ending = END_TERM;
	run->ending = ending;
	run->escalate_ms = now_ms() + (ending == END_QUIT ? QUIT_TIMEOUT_MS : TERM_TIMEOUT_MS);
	if (ending == END_TERM)
		signal_machine(run, SIGTERM);
	if (ending == END_KILL) {
		log_warning("%s: does not end; killing process %d", run->name,
			    (int)run->process.pid);
		signal_machine(run, SIGKILL);
	}
}

/* The user's wish, at most up to SIGTERM, after which disks are still flushed. */
static void end_wanted(struct run *run)
{
	if (run->ending < END_QUIT)
		end_by(run, END_QUIT);
	else if (run->ending < END_TERM)
		end_by(run, run->ending + 1);
}

/* --- events --- */

/* Opens a viewer where people have a display, and tells those at a terminal how to get one. */
static void show_screen(const struct run *run)
{
	struct view_command command;
	char socket[1024];

	if (run->headless)
		return;
	machine_socket_path(run->name, RUNTIME_DISPLAY, socket, sizeof(socket));
	if (view_has_display() && view_find_viewer(&command) && view_spawn(&command, socket) == 0)
		return;
	if (isatty(STDERR_FILENO))
		log_info("%s: 'mainstay view %s' shows the screen", run->name, run->name);
}

/* Restored: the one that it comes from ends now, and then it runs. Or it ends here. */
static void take_over(struct run *run)
{
	char error[1024];

	if (incoming_take_over(run->name, error, sizeof(error)) == 0 &&
	    spawn_send_word(run->process.start_fd) == 0)
		return;
	log_error("%s: did not take over: %s", run->name, error);
	end_by(run, END_TERM);
}

static void take_answer(struct run *run)
{
	char sandbox[32];
	int r = spawn_receive_running(run->process.start_fd, sandbox, sizeof(sandbox));

	if (r == 2) {
		take_over(run);
		return;
	}
	run->process.start_fd = fd_close(run->process.start_fd);
	if (r < 0) {
		log_error("%s: the machine's process gave no answer: %s; is it of this version?",
			  run->name, strerror(-r));
		end_by(run, END_TERM);
	}
	if (r != 1)
		return;
	run->state = RUN_RUNNING;
	incoming_runs();
	if (run->service.on)
		service_started(&run->service, &run->dir, run->restores);
	/* The machine holds the file open; nobody can go on from it a second time. */
	if (run->state_path) {
		int removed = state_file_remove(run->state_path);

		if (removed < 0)
			log_warning("%s: saved state: %s; it is used up, remove it",
				    run->state_path, strerror(-removed));
	}
	if (strcmp(sandbox, "full"))
		log_warning("%s: sandbox is only %s: this host lacks what locks a machine in fully",
			    run->name, sandbox);
	show_screen(run);
	if (run->relaying)
		terminal_raw();
}

static void take_end(struct run *run)
{
	siginfo_t info = { 0 };
	bool told;

	if (waitid(P_PIDFD, (id_t)run->process.pid_fd, &info, WEXITED) < 0)
		return;
	run->process.pid_fd = fd_close(run->process.pid_fd);
	run->process.start_fd = fd_close(run->process.start_fd);
	run->status =
		info.si_code == CLD_EXITED && info.si_status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	/* Systemd starts what broke anew, but not what could not be started at all. */
	if (run->status && run->service.on && run->state == RUN_RUNNING)
		run->status = EXIT_BROKEN;
	terminal_restore();
	/* One that has lost the file of its memory has said so. */
	told = info.si_status == SIGBUS && run->restores;
	if (info.si_code != CLD_EXITED && run->ending < END_TERM && !told)
		log_error("%s: the machine's process was ended by signal %d (%s)%s", run->name,
			  info.si_status, strsignal(info.si_status),
			  info.si_status == SIGKILL ? "; out of memory? The host's kernel log says"
						    : "; please report it with the lines above");
	else if (run->state == RUN_STARTING && run->status == EXIT_SUCCESS && !run->ending)
		log_error("%s: the machine's process ended without running it", run->name);
	if (run->state == RUN_STARTING && !run->ending)
		run->status = EXIT_FAILURE;
	if (run->state == RUN_STARTING)
		incoming_fail("it cannot go on here, and the messages there say why");
	if (run->state == RUN_RUNNING)
		run->state = RUN_ENDED;
}

static void take_stop(struct run *run)
{
	terminal_restore();
	raise(SIGSTOP);
	if (run->relaying && run->state == RUN_RUNNING)
		terminal_raw();
}

static void service_step(struct run *run, enum service_step step)
{
	if (step == SERVICE_QUIT)
		end_wanted(run);
	if (step != SERVICE_SHUTDOWN)
		return;
	/* The next rung of the ladder is quit. */
	run->ending = END_ASKED;
	run->escalate_ms = now_ms() + 1000 * (int64_t)run->config->stop_seconds;
}

static void take_signal(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTSTP) {
			take_stop(run);
		} else if (info.ssi_signo == SIGCONT) {
			if (run->relaying && run->state == RUN_RUNNING)
				terminal_raw();
			relay_continue(&run->relay);
		} else if (run->process.pid_fd < 0) {
			/* The machine is gone already: its last output is not wanted. */
			run->relay.broken = true;
		} else if (run->service.on && !run->service.stopping && run->state == RUN_RUNNING) {
			service_step(run, service_stop(&run->service));
		} else {
			end_wanted(run);
		}
	}
}

static int wait_ms(const struct run *run)
{
	int64_t left;

	if (!run->ending || run->ending == END_KILL || run->process.pid_fd < 0)
		return -1;
	left = run->escalate_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

/* Of two time limits, -1 meaning none. */
static int earlier(int a, int b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static void wait_once(struct run *run)
{
	struct pollfd fds[FIXED_POLLFDS + RELAY_POLLFDS + ADAPTERS_POLLFDS + SERVICE_POLLFDS] = {
		{ run->process.start_fd, POLLIN, 0 },
		{ run->process.pid_fd, POLLIN, 0 },
		{ run->signal_fd, POLLIN, 0 },
	};
	struct pollfd *relay = fds + FIXED_POLLFDS;
	struct pollfd *net, *service;
	nfds_t count = FIXED_POLLFDS;
	int n, service_ms;

	machine_ports_prepare(&run->ports, fds + OWN_POLLFDS);

	if (run->relaying) {
		relay_prepare(&run->relay, relay);
		count += RELAY_POLLFDS;
		/* Keys that are typed early wait in the terminal. */
		if (run->state != RUN_RUNNING)
			relay[0].fd = -1;
	}
	net = fds + count;
	count += ADAPTERS_POLLFDS;
	adapters_prepare(&run->adapters, net);
	service = fds + count;
	count += SERVICE_POLLFDS;
	service_ms = service_prepare(&run->service, service);
	n = poll(fds, count,
		 earlier(wait_ms(run), earlier(service_ms, adapters_wait_ms(&run->adapters))));
	service_step(run, service_run(&run->service, service));
	if (n == 0 && wait_ms(run) == 0)
		end_by(run, run->ending + 1);
	if (n >= 0 && run->process.pid_fd >= 0)
		adapters_run(&run->adapters, net);
	if (n <= 0)
		return;
	if (fds[0].revents)
		take_answer(run);
	if (run->relaying)
		relay_run(&run->relay, relay);
	if (run->relaying && run->relay.leave) {
		run->relay.leave = false;
		end_wanted(run);
	}
	machine_ports_run(&run->ports, fds + OWN_POLLFDS);
	if (fds[2].revents)
		take_signal(run);
	if (fds[1].revents)
		take_end(run);
}

/* --- undo disks --- */

/* The answer on a terminal; what is not understood, or cannot be asked, keeps them. */
static enum machine_undo ask_undo(struct run *run)
{
	char line[64];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		log_info("%s: undo disks are kept: there is no terminal to ask", run->name);
		return MACHINE_UNDO_KEEP;
	}
	fprintf(stderr, "%s: undo disks: (k)eep, (c)ommit to the disks or (d)iscard? [keep] ",
		run->name);
	if (!fgets(line, sizeof(line), stdin))
		return MACHINE_UNDO_KEEP;
	return (line[0] | 0x20) == 'c'	 ? MACHINE_UNDO_COMMIT
	       : (line[0] | 0x20) == 'd' ? MACHINE_UNDO_DISCARD
					 : MACHINE_UNDO_KEEP;
}

/* What a machine that failed has written may be half of something: that is for its owner to decide. */
static void end_undo(struct run *run)
{
	enum machine_undo what = run->config->undo;
	char error[1024];

	if (!disk_files_have_undo(&run->files))
		return;
	if (run->state == RUN_STARTING) {
		disk_files_forget(&run->files);
		return;
	}
	if (run->status != EXIT_SUCCESS && what != MACHINE_UNDO_KEEP) {
		log_warning("%s: undo disks are kept, since the machine failed", run->name);
		return;
	}
	if (disk_files_are_saved(&run->files))
		return;
	if (what == MACHINE_UNDO_ASK)
		what = ask_undo(run);
	if (what == MACHINE_UNDO_KEEP)
		return;
	if (disk_files_end_undo(run->config, &run->files, what == MACHINE_UNDO_COMMIT, error,
				sizeof(error)) == 0)
		return;
	log_error("%s; the undo disk is kept", error);
	run->status = EXIT_FAILURE;
}

/* Until the process is gone and all that it sent is written. */
static int stay(struct run *run)
{
	if (run->ports.stdio >= 0) {
		relay_init(&run->relay, run->ports.stdio, help_text);
		run->relaying = true;
	}
	while (run->process.pid_fd >= 0)
		wait_once(run);
	while (run->relaying && !relay_is_drained(&run->relay))
		wait_once(run);
	if (run->relaying)
		relay_fini(&run->relay);
	terminal_restore();
	end_undo(run);
	release_all(run);
	/* Last: whoever saves the machine waits for its name to be free. */
	service_ended(&run->service, run->status != EXIT_SUCCESS);
	return run->status;
}

/* --- the verb --- */

/* Its state is where its unit keeps states. */
static void prepare_service(struct run *run, struct run_options *options)
{
	if (!options->config_file || !options->config.name || options->restore)
		die("--service: needs --config FILE with a name in it, and no --restore");
	options->restore = service_init(&run->service, &options->config);
	options->discard_state = !options->restore && service_was_cut_short(&run->service);
	if (options->discard_state)
		log_warning("%s: the host died while the machine was being saved; it starts afresh",
			    options->config.name);
}

static void receive_machine(struct run_options *options)
{
	char error[1024];

	options->restore =
		incoming_receive(&options->config, options->incoming, error, sizeof(error));
	if (!options->restore)
		die("--incoming %s", error);
	options->keep_state = true;
}

/* restore is run whose first argument is the state. */
static int run_machine(const struct verb *verb, int argc, char **argv)
{
	bool restores = verb == &restore_verb;
	static struct run run = { .uid_lock_fd = -1,
				  .quit_fd = -1,
				  .service = { .control_fd = -1, .saver_fd = -1 } };
	struct run_options options;
	int others, status;

	memset(&options, 0, sizeof(options));
	machine_config_init(&options.config);
	others = verb_parse(verb, &options, argc, argv, restores, 1 + restores);
	if (restores) {
		options.restore = *argv++;
		others--;
	}
	if (!options.restore && (options.verify || options.keep_state))
		die("--verify and --keep-state are for a machine that is restored; give --restore");
	if (options.incoming && (options.restore || options.service || options.discard_state))
		die("--incoming excludes --restore, --discard-state and --service");
	if (options.disks_copied && !options.incoming)
		die("--disks-copied is for a machine that comes from elsewhere; give --incoming");
	if (options.restore && options.discard_state)
		die("--restore and --discard-state exclude each other");
	read_description(&options, others, argv);
	run.config = &options.config;
	run.headless = options.headless || options.service;
	if (options.service)
		prepare_service(&run, &options);
	run.devtest = options.devtest;
	if (options.incoming)
		receive_machine(&options);
	start(&run, &options);
	status = stay(&run);
	machine_config_fini(&options.config);
	return status;
}

static const struct opt run_options[] = {
	MACHINE_OPTIONS,
	{ .name = "restore",
	  .kind = OPT_STRING,
	  .argument = "STATE",
	  .help = "go on from the saved state in the file STATE, which is used up by that",
	  .offset = offsetof(struct run_options, restore) },
	{ .name = "incoming",
	  .kind = OPT_STRING,
	  .argument = "WHERE",
	  .help = "wait at unix:PATH or fd:N for a machine that 'mainstay migrate' sends, and go "
		  "on with it",
	  .offset = offsetof(struct run_options, incoming) },
	{ .name = "disks-copied",
	  .kind = OPT_FLAG,
	  .help = "with --incoming: the disks are copies, equal to those there when the machine "
		  "has "
		  "stopped",
	  .offset = offsetof(struct run_options, disks_copied) },
	{ .name = "verify",
	  .kind = OPT_FLAG,
	  .help = "with --restore: test the saved memory before the guest runs",
	  .offset = offsetof(struct run_options, verify) },
	{ .name = "keep-state",
	  .kind = OPT_FLAG,
	  .help = "with --restore: leave the file where it is",
	  .offset = offsetof(struct run_options, keep_state) },
	{ .name = "discard-state",
	  .kind = OPT_FLAG,
	  .help = "start although the disks belong to a saved state, which is of no use then",
	  .offset = offsetof(struct run_options, discard_state) },
	{ .name = "headless",
	  .kind = OPT_FLAG,
	  .help = "do not open a viewer of the screen (mainstay view does later)",
	  .offset = offsetof(struct run_options, headless) },
	{ .name = "service",
	  .kind = OPT_FLAG,
	  .help = "be the service mainstay-vm@NAME: notify systemd, save when stopped",
	  .offset = offsetof(struct run_options, service) },
	{ .name = "config",
	  .kind = OPT_STRING,
	  .argument = "FILE",
	  .help = "run the machine that FILE describes (see mainstay config)",
	  .offset = offsetof(struct run_options, config_file) },
	{ .name = "devtest",
	  .kind = OPT_STRING,
	  .argument = "WHERE",
	  .help = "no processor: a test program drives the devices, at unix:PATH (we listen), "
		  "connect:PATH or fd:N",
	  .offset = offsetof(struct run_options, devtest) },
	{ .name = NULL },
};

const struct verb run_verb = {
	.name = "run",
	.arguments = "DISK.vhd [OPTION]...",
	.summary = "start a machine and stay with it until it ends",
	.details = MACHINE_OPTIONS_DETAILS
	"\n"
	"DISK.vhd is the machine's first disk. A raw image is only taken when it is "
	"called\n"
	"one: --drive PATH,format=raw. Without --serial, COM1 is the terminal: Ctrl-A X "
	"ends\n"
	"the machine, Ctrl-A ? shows the other keys. The exit status is 0 when the guest\n"
	"powered off or was told to quit, and 1 after an error.\n",
	.examples = "  mainstay run nt4.vhd --memory 256M\n"
		    "  mainstay run linux.vhd --name web --serial console\n"
		    "  mainstay run --drive boot.img,format=raw --drive data.vhd,readonly\n"
		    "  mainstay run --config nt4.json\n",
	.options = run_options,
	.run = run_machine,
};

const struct verb restore_verb = {
	.name = "restore",
	.arguments = "STATE [DISK.vhd] [OPTION]...",
	.summary = "let a saved machine go on, and stay with it",
	.details =
		"The same as 'mainstay run --restore STATE'; takes all its options, which must "
		"describe\n"
		"the machine that was saved. The guest runs at once: its memory is read from STATE "
		"as it\n"
		"is used. A state whose disks were changed since is refused.\n",
	.examples = "  mainstay restore nt4.state nt4.vhd --memory 256M --name nt4\n"
		    "  mainstay restore nt4.state --config nt4.json --verify\n",
	.options = run_options,
	.run = run_machine,
};
