// SPDX-License-Identifier: GPL-2.0-or-later
/* mainstay net: networks, their files, and what the running switch says of them. */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/bits.h"
#include "../base/fdio.h"
#include "../base/log.h"
#include "../base/parse.h"
#include "machine_config.h"
#include "machine_members.h"
#include "net_config.h"
#include "net_dhcp.h"
#include "net_plug.h"
#include "runtime_dir.h"
#include "switch_client.h"
#include "verbs.h"

struct net_options {
	struct net_config config;
	const char *kind, *notes, *host, *output, *port, *loss, *settings;
	bool json, schema, enable, disable, leases;
	uint32_t latency_ms, jitter_ms;
	uint64_t rate;
};

static struct net_options options;
static char error[1024];

static const char *name_of(char **argv)
{
	if (!name_is_valid(argv[0]) || strlen(argv[0]) > 64)
		die("%s: cannot name a network", argv[0]);
	return argv[0];
}

static void load(const char *name, struct net_config *config)
{
	int r = net_config_load(name, config, error, sizeof(error));

	if (r == -ENOENT)
		die("there is no network %s; mainstay net create makes it", name);
	if (r < 0)
		die("%s", error);
}

/* The running switch; -1: none runs. */
static int connect_running(void)
{
	struct runtime_base base;
	int fd = -1, r;

	if (runtime_base_open(&base, false, error, sizeof(error)) < 0)
		return -1;
	r = switch_connect(&base, false, &fd, error, sizeof(error));
	runtime_base_close(&base);
	if (r < 0 && r != -ENOENT)
		die("%s", error);
	return r < 0 ? -1 : fd;
}

static int connect_needed(void)
{
	int fd = connect_running();

	if (fd < 0)
		die("no switch runs: no machine is plugged into a network");
	return fd;
}

static json_object *ask(int fd, json_object *request, int send_fd)
{
	json_object *answer = NULL;

	if (switch_request(fd, request, send_fd, NULL, NULL, &answer, error, sizeof(error)) < 0)
		die("%s", error);
	return answer;
}

static int print_json(json_object *json)
{
	printf("%s\n", json_object_to_json_string_ext(
			       json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return EXIT_SUCCESS;
}

/* --- create, show, delete */

/* "10.0.0.1/24" */
static void parse_host(const char *text, struct net_config *config)
{
	char copy[64], *slash;
	uint64_t bits;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (!slash || net_parse_address(copy, &config->host_address) < 0 ||
	    parse_u64(slash + 1, 1, 30, &bits) < 0)
		die("--host-address %s: give an address with its mask's bits, like 10.0.0.1/24",
		    text);
	config->netmask = UINT32_MAX << (32 - bits);
}

static int run_create(const struct verb *verb, int argc, char **argv)
{
	struct net_config config;
	int kind = MACHINE_NIC_INTERNAL;

	verb_parse(verb, &options, argc, argv, 0, 1);
	if (options.schema)
		return print_json(net_config_schema());
	if (!argv[0])
		die("net create: needs NAME");
	if (options.kind)
		kind = machine_find_name(machine_nic_names, options.kind, strlen(options.kind));
	if (kind < MACHINE_NIC_INTERNAL)
		die("--kind %s: give internal, loopback or external", options.kind);
	net_config_init(&config, name_of(argv), (unsigned int)kind);
	if (options.host)
		parse_host(options.host, &config);
	snprintf(config.notes, sizeof(config.notes), "%s", options.notes ? options.notes : "");
	if (net_config_save(&config, true, error, sizeof(error)) < 0)
		die("%s", error);
	return EXIT_SUCCESS;
}

static int run_list(const struct verb *verb, int argc, char **argv)
{
	json_object *list = json_object_new_array();
	char **names;

	verb_parse(verb, &options, argc, argv, 0, 0);
	if (net_config_list(&names) < 0)
		die("networks: out of memory");
	for (size_t i = 0; names[i]; i++) {
		struct net_config config;
		json_object *json;

		if (net_config_load(names[i], &config, error, sizeof(error)) < 0) {
			log_warning("%s", error);
			continue;
		}
		json = net_config_json(&config);
		json_object_object_add(json, "name", json_object_new_string(names[i]));
		json_object_array_add(list, json);
		if (!options.json)
			printf("%-24s %-10s %s%s\n", names[i], machine_nic_names[config.kind],
			       config.dhcp.enabled ? "dhcp " : "", config.notes);
	}
	runtime_names_free(names);
	if (options.json)
		return print_json(list);
	json_object_put(list);
	return EXIT_SUCCESS;
}

static int run_show(const struct verb *verb, int argc, char **argv)
{
	struct net_config config;

	verb_parse(verb, &options, argc, argv, 1, 1);
	load(name_of(argv), &config);
	return print_json(net_config_json(&config));
}

static int run_delete(const struct verb *verb, int argc, char **argv)
{
	int fd;

	verb_parse(verb, &options, argc, argv, 1, 1);
	if (net_config_remove(name_of(argv), error, sizeof(error)) < 0)
		die("%s", error);
	/* Its ports are unplugged, as if the cables were pulled. */
	fd = connect_running();
	if (fd >= 0)
		(void)switch_request(fd, switch_message("delete", argv[0]), -1, NULL, NULL, NULL,
				     error, sizeof(error));
	fd_close(fd);
	return EXIT_SUCCESS;
}

/* --- connect, disconnect */

static unsigned int adapter_of(const char *text)
{
	uint64_t number;

	if (parse_u64(text, 0, MACHINE_NICS_MAX - 1, &number) < 0)
		die("%s: is no adapter; give 0 to %d", text, MACHINE_NICS_MAX - 1);
	return (unsigned int)number;
}

static int run_connect(const struct verb *verb, int argc, char **argv)
{
	verb_parse(verb, &options, argc, argv, 3, 3);
	if (net_plug_ask(argv[0], adapter_of(argv[1]), argv[2], error, sizeof(error)) < 0)
		die("%s", error);
	return EXIT_SUCCESS;
}

static int run_disconnect(const struct verb *verb, int argc, char **argv)
{
	verb_parse(verb, &options, argc, argv, 2, 2);
	if (net_plug_ask(argv[0], adapter_of(argv[1]), "none", error, sizeof(error)) < 0)
		die("%s", error);
	return EXIT_SUCCESS;
}

/* --- stats */

static int64_t number_in(json_object *json, const char *name)
{
	json_object *value;

	return json_object_object_get_ex(json, name, &value) ? json_object_get_int64(value) : 0;
}

static int64_t sum_of_drops(json_object *json)
{
	json_object *drops;
	int64_t sum = 0;

	if (!json_object_object_get_ex(json, "drops", &drops))
		return 0;
	json_object_object_foreach(drops, key, value)
	{
		(void)key;
		sum += json_object_get_int64(value);
	}
	return sum;
}

static void print_counters(json_object *json, const char *what)
{
	json_object *name;

	if (!json_object_object_get_ex(json, what, &name))
		return;
	printf("%-24s %12lld %14lld %12lld %14lld %10lld\n", json_object_get_string(name),
	       (long long)number_in(json, "rx_frames"), (long long)number_in(json, "rx_bytes"),
	       (long long)number_in(json, "tx_frames"), (long long)number_in(json, "tx_bytes"),
	       (long long)sum_of_drops(json));
}

static int run_stats(const struct verb *verb, int argc, char **argv)
{
	json_object *answer, *list, *ports, *request;
	int fd, count = verb_parse(verb, &options, argc, argv, 0, 2);

	fd = connect_needed();
	request = switch_message("stats", count ? argv[0] : NULL);
	if (count == 2)
		json_object_object_add(request, "port", json_object_new_string(argv[1]));
	answer = ask(fd, request, -1);
	close(fd);
	if (!json_object_object_get_ex(answer, "networks", &list))
		die("the switch's answer cannot be read");
	if (options.json)
		return print_json(answer);
	printf("%-24s %12s %14s %12s %14s %10s\n", "", "IN FRAMES", "IN BYTES", "OUT FRAMES",
	       "OUT BYTES", "DROPPED");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *network = json_object_array_get_idx(list, i);

		print_counters(network, "network");
		if (!json_object_object_get_ex(network, "port_list", &ports))
			continue;
		for (size_t j = 0; j < json_object_array_length(ports); j++)
			print_counters(json_object_array_get_idx(ports, j), "port");
	}
	json_object_put(answer);
	return EXIT_SUCCESS;
}

/* --- capture */

static int open_output(void)
{
	FILE *file;

	if (!options.output && isatty(STDOUT_FILENO))
		die("net capture: standard output is a terminal; give --output FILE, or pipe it");
	if (!options.output)
		return STDOUT_FILENO;
	file = fopen(options.output, "wxe");
	if (!file)
		die("%s: %s", options.output, strerror(errno));
	return fileno(file);
}

static int run_capture(const struct verb *verb, int argc, char **argv)
{
	json_object *request;
	uint8_t buffer[65536];
	int pair[2], fd, output, room = 4 << 20;
	ssize_t n;

	verb_parse(verb, &options, argc, argv, 1, 1);
	fd = connect_needed();
	request = switch_message("capture", name_of(argv));
	if (options.port)
		json_object_object_add(request, "port", json_object_new_string(options.port));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		die("socketpair: %s", strerror(errno));
	/* What a busy network brings while we write. */
	(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	json_object_put(ask(fd, request, pair[1]));
	close(pair[1]);
	output = open_output();
	while ((n = read(pair[0], buffer, sizeof(buffer))) > 0) {
		if (fd_write_full(output, buffer, (size_t)n) < 0)
			die("the capture cannot be written: %s", strerror(errno));
	}
	return EXIT_SUCCESS;
}

/* --- wan, port */

/* "2.5" percent as parts of a million. */
static int64_t parse_loss(const char *text)
{
	char *end;
	double percent = strtod(text, &end);

	if (*end || !*text || !(percent >= 0 && percent <= 100))
		die("--loss %s: give a percentage from 0 to 100", text);
	return (int64_t)(percent * 10000 + 0.5);
}

static int run_wan(const struct verb *verb, int argc, char **argv)
{
	json_object *request;
	int fd;

	verb_parse(verb, &options, argc, argv, 1, 1);
	fd = connect_needed();
	request = switch_message("wan", name_of(argv));
	json_object_object_add(request, "latency_ms", json_object_new_int64(options.latency_ms));
	json_object_object_add(request, "jitter_ms", json_object_new_int64(options.jitter_ms));
	json_object_object_add(request, "loss_ppm",
			       json_object_new_int64(options.loss ? parse_loss(options.loss) : 0));
	json_object_object_add(request, "bytes_per_s",
			       json_object_new_int64((int64_t)options.rate));
	json_object_put(ask(fd, request, -1));
	close(fd);
	return EXIT_SUCCESS;
}

/* One "mirror=web/1" of a port's settings, as net/control.h has them. */
static void add_setting(json_object *request, char *word)
{
	char *value = strchr(word, '=');
	uint64_t number;

	if (value)
		*value++ = '\0';
	if (!value || !strcmp(value, "on") || !strcmp(value, "off"))
		json_object_object_add(request, word,
				       json_object_new_boolean(!value || !strcmp(value, "on")));
	else if (parse_u64(value, 0, INT64_MAX, &number) == 0)
		json_object_object_add(request, word, json_object_new_int64((int64_t)number));
	else
		json_object_object_add(request, word, json_object_new_string(value));
}

static int run_port(const struct verb *verb, int argc, char **argv)
{
	int fd, count = verb_parse(verb, &options, argc, argv, 3, 16);
	json_object *request;

	fd = connect_needed();
	request = switch_message("set", name_of(argv));
	json_object_object_add(request, "port", json_object_new_string(argv[1]));
	for (int i = 2; i < count; i++)
		add_setting(request, argv[i]);
	json_object_put(ask(fd, request, -1));
	close(fd);
	return EXIT_SUCCESS;
}

/* --- dhcp */

static int set_address(void *field, const char *value, const char *option, char *why, size_t size)
{
	if (net_parse_address(value, field) == 0)
		return 0;
	snprintf(why, size, "--%s %s: is no address", option, value);
	return -1;
}

static int set_servers(struct net_server_list *list, const char *value, const char *option,
		       char *why, size_t size)
{
	char copy[256], *rest = copy;

	snprintf(copy, sizeof(copy), "%s", value);
	list->count = 0;
	for (char *one = strsep(&rest, ","); one; one = strsep(&rest, ",")) {
		if (list->count == NET_SERVERS_MAX ||
		    net_parse_address(one, &list->address[list->count++]) < 0) {
			snprintf(why, size, "--%s %s: give at most %d addresses with commas",
				 option, value, NET_SERVERS_MAX);
			return -1;
		}
	}
	return 0;
}

/* The setters run twice: first on what a file holds, so that a wrong one is known before. */
#define ADDRESS_SETTER(member, option)                                                             \
	static int set_##member(void *target, const char *value, char *why, size_t size)           \
	{                                                                                          \
		return set_address(&((struct net_options *)target)->config.dhcp.member, value,     \
				   option, why, size);                                             \
	}
ADDRESS_SETTER(network, "network")
ADDRESS_SETTER(netmask, "netmask")
ADDRESS_SETTER(start, "start")
ADDRESS_SETTER(end, "end")
ADDRESS_SETTER(server, "server")
ADDRESS_SETTER(gateway, "gateway")

#define SERVERS_SETTER(member)                                                                     \
	static int set_##member(void *target, const char *value, char *why, size_t size)           \
	{                                                                                          \
		return set_servers(&((struct net_options *)target)->config.dhcp.member, value,     \
				   #member, why, size);                                            \
	}
SERVERS_SETTER(dns)
SERVERS_SETTER(wins)

/* "00:03:ff:00:00:01=10.237.0.20" */
static int set_lease(void *target, const char *value, char *why, size_t size)
{
	struct net_dhcp *dhcp = &((struct net_options *)target)->config.dhcp;
	struct net_lease *lease = &dhcp->leases[dhcp->lease_count];
	char copy[64], *equals;

	snprintf(copy, sizeof(copy), "%s", value);
	equals = strchr(copy, '=');
	if (equals)
		*equals = '\0';
	if (dhcp->lease_count == NET_LEASES_MAX || !equals || parse_mac(copy, lease->mac) < 0 ||
	    net_parse_address(equals + 1, &lease->address) < 0) {
		snprintf(why, size, "--static %s: give MAC=ADDRESS, at most %d of them", value,
			 NET_LEASES_MAX);
		return -1;
	}
	dhcp->lease_count++;
	return 0;
}

static int set_boot_file(void *target, const char *value, char *why, size_t size)
{
	struct net_dhcp *dhcp = &((struct net_options *)target)->config.dhcp;

	if (snprintf(dhcp->boot_file, sizeof(dhcp->boot_file), "%s", value) <
	    (int)sizeof(dhcp->boot_file))
		return 0;
	snprintf(why, size, "--boot-file %s: is too long", value);
	return -1;
}

static int set_tftp_root(void *target, const char *value, char *why, size_t size)
{
	struct net_dhcp *dhcp = &((struct net_options *)target)->config.dhcp;

	if (*value == '/' && snprintf(dhcp->tftp_root, sizeof(dhcp->tftp_root), "%s", value) <
				     (int)sizeof(dhcp->tftp_root))
		return 0;
	snprintf(why, size, "--tftp-root %s: give a folder's whole path", value);
	return -1;
}

static int run_dhcp(const struct verb *verb, int argc, char **argv)
{
	const char *name = argc ? argv[0] : "";

	/* The name comes first, since options change what its file says. */
	if (argc && name_is_valid(name))
		load(name, &options.config);
	verb_parse(verb, &options, argc, argv, 1, 1);
	if (strcmp(name, argv[0]))
		die("net dhcp: the network's name comes before the options");
	if (options.leases)
		return net_dhcp_print_leases(name);
	if (options.enable || options.disable)
		options.config.dhcp.enabled = options.enable;
	if (net_config_save(&options.config, false, error, sizeof(error)) < 0)
		die("%s", error);
	net_dhcp_changed(name);
	return EXIT_SUCCESS;
}

static int run_serve_dhcp(const struct verb *verb, int argc, char **argv)
{
	verb_parse(verb, &options, argc, argv, 1, 1);
	return net_dhcp_serve(name_of(argv));
}

/* --- the rows */

#define OPTION(nam, knd, arg, text, member)                                                        \
	{                                                                                          \
		.name = (nam), .kind = (knd), .argument = (arg), .help = (text),                   \
		.offset = offsetof(struct net_options, member)                                     \
	}
#define SETTER(nam, arg, text, function)                                                           \
	{                                                                                          \
		.name = (nam), .kind = OPT_CALL, .argument = (arg), .help = (text),                \
		.set = (function)                                                                  \
	}

static const struct opt create_options[] = {
	OPTION("kind", OPT_STRING, "KIND", "internal (default), loopback or external", kind),
	OPTION("host-address", OPT_STRING, "ADDRESS/BITS", "loopback: the host's own address",
	       host),
	OPTION("notes", OPT_STRING, "TEXT", "for people", notes),
	OPTION("schema", OPT_FLAG, NULL, "print the JSON schema of a network's file", schema),
	{ .name = NULL },
};

static const struct opt json_options[] = {
	OPTION("json", OPT_FLAG, NULL, "print JSON", json),
	{ .name = NULL },
};

static const struct opt dhcp_options[] = {
	OPTION("enable", OPT_FLAG, NULL, "give addresses from now on", enable),
	OPTION("disable", OPT_FLAG, NULL, "do not", disable),
	SETTER("network", "ADDRESS", "the network (default 10.237.0.0)", set_network),
	SETTER("netmask", "MASK", "its mask (default 255.255.0.0)", set_netmask),
	SETTER("start", "ADDRESS", "first address to give: the 16th or later", set_start),
	SETTER("end", "ADDRESS", "last address to give", set_end),
	SETTER("server", "ADDRESS", "the server's own, before the first", set_server),
	SETTER("gateway", "ADDRESS", "default gateway (default none)", set_gateway),
	SETTER("dns", "ADDRESS,...", "DNS servers", set_dns),
	SETTER("wins", "ADDRESS,...", "WINS servers", set_wins),
	OPTION("lease", OPT_U32, "SECONDS", "how long (default 129600)", config.dhcp.lease_s),
	OPTION("renewal", OPT_U32, "SECONDS", "when to ask again (default 86400)",
	       config.dhcp.renewal_s),
	OPTION("rebinding", OPT_U32, "SECONDS", "when to ask anybody (default 108000)",
	       config.dhcp.rebinding_s),
	SETTER("static", "MAC=ADDRESS", "a fixed address; may be given many times", set_lease),
	SETTER("boot-file", "FILE", "what machines boot from the network", set_boot_file),
	SETTER("tftp-root", "FOLDER", "files for them to fetch", set_tftp_root),
	OPTION("leases", OPT_FLAG, NULL, "show what was given to whom", leases),
	{ .name = NULL },
};

static const struct opt capture_options[] = {
	OPTION("port", OPT_STRING, "PORT", "one port, such as web/0 (default: the whole network)",
	       port),
	OPTION("output", OPT_STRING, "FILE", "a new file (default: standard output)", output),
	{ .name = NULL },
};

static const struct opt wan_options[] = {
	OPTION("latency", OPT_U32, "MS", "milliseconds on the way", latency_ms),
	OPTION("jitter", OPT_U32, "MS", "up to so many more, at random", jitter_ms),
	OPTION("loss", OPT_STRING, "PERCENT", "frames that do not arrive", loss),
	OPTION("rate", OPT_SIZE, "BYTES", "bytes per second", rate),
	{ .name = NULL },
};

static const struct verb net_verbs[] = {
	{ .name = "create",
	  .arguments = "NAME [OPTION]...",
	  .summary = "make a network",
	  .options = create_options,
	  .run = run_create,
	  .examples = "  mainstay net create lab\n"
		      "  mainstay net create office --kind loopback --host-address 10.0.0.1/24\n"
		      "  mainstay net create eth0 --kind external\n" },
	{ .name = "list",
	  .arguments = "[--json]",
	  .summary = "show the networks",
	  .options = json_options,
	  .run = run_list,
	  .examples = "  mainstay net list\n" },
	{ .name = "show",
	  .arguments = "NAME",
	  .summary = "print a network's settings",
	  .run = run_show,
	  .examples = "  mainstay net show lab\n" },
	{ .name = "delete",
	  .arguments = "NAME",
	  .summary = "unplug all and forget a network",
	  .run = run_delete,
	  .examples = "  mainstay net delete lab\n" },
	{ .name = "connect",
	  .arguments = "MACHINE ADAPTER NETWORK",
	  .summary = "plug a running machine's cable in",
	  .details = "NETWORK is as with mainstay run --net; its mac and model stay as they are.\n",
	  .run = run_connect,
	  .examples = "  mainstay net connect web 0 internal:lab\n" },
	{ .name = "disconnect",
	  .arguments = "MACHINE ADAPTER",
	  .summary = "pull the cable out",
	  .run = run_disconnect,
	  .examples = "  mainstay net disconnect web 0\n" },
	{ .name = "dhcp",
	  .arguments = "NAME [OPTION]...",
	  .summary = "set up the DHCP server",
	  .details = "Off by default. It serves while machines are plugged in; changes count at "
		     "once.\n",
	  .options = dhcp_options,
	  .run = run_dhcp,
	  .examples = "  mainstay net dhcp lab --enable --dns 10.237.0.2\n"
		      "  mainstay net dhcp lab --leases\n" },
	{ .name = "stats",
	  .arguments = "[NAME [PORT]] [--json]",
	  .summary = "show the switch's counters",
	  .options = json_options,
	  .run = run_stats,
	  .examples = "  mainstay net stats lab\n"
		      "  mainstay net stats lab web/0 --json\n" },
	{ .name = "capture",
	  .arguments = "NAME [OPTION]...",
	  .summary = "write frames as pcapng until stopped",
	  .options = capture_options,
	  .run = run_capture,
	  .examples = "  mainstay net capture lab --output lab.pcapng\n"
		      "  mainstay net capture lab --port web/0 | tcpdump -nr -\n" },
	{ .name = "wan",
	  .arguments = "NAME [OPTION]...",
	  .summary = "put a long line into a network",
	  .details = "Without options: takes it out again.\n",
	  .options = wan_options,
	  .run = run_wan,
	  .examples = "  mainstay net wan lab --latency 150 --loss 0.5 --rate 64K\n"
		      "  mainstay net wan lab\n" },
	{ .name = "port",
	  .arguments = "NAME PORT SETTING...",
	  .summary = "change a port that is in use",
	  .details = "Settings: link=on|off, lock=on|off, promiscuous=on|off, "
		     "vlan=open|access|trunk,\n"
		     "vlan_id=N, rate_bytes_per_s=N, mirror=PORT.\n",
	  .run = run_port,
	  .examples = "  mainstay net port lab web/0 vlan=access vlan_id=10\n"
		      "  mainstay net port lab web/0 mirror=monitor/0\n" },
	{ .name = "serve-dhcp",
	  .arguments = "NAME",
	  .summary = "serve addresses (started by itself)",
	  .run = run_serve_dhcp,
	  .examples = "  mainstay net serve-dhcp lab\n" },
};

static int run_net(const struct verb *verb, int argc, char **argv)
{
	(void)verb;
	if (!argc)
		die("net: what? 'mainstay net --help' lists it");
	for (size_t i = 0; i < ARRAY_LEN(net_verbs); i++) {
		if (!strcmp(net_verbs[i].name, argv[0]))
			return net_verbs[i].run(&net_verbs[i], argc - 1, argv + 1);
	}
	die("net %s: no such verb; 'mainstay net --help' lists them", argv[0]);
}

const struct verb net_verb = {
	.name = "net",
	.arguments = "create|list|show|delete|connect|disconnect|dhcp|stats|capture|wan|port ...",
	.summary = "networks between machines, host and world",
	.details =
		"  create NAME [--kind KIND]      make a network: internal, loopback or external\n"
		"  list, show NAME, delete NAME\n"
		"  connect MACHINE ADAPTER NETWORK, disconnect MACHINE ADAPTER\n"
		"  dhcp NAME --enable [...]       addresses for its machines\n"
		"  stats [NAME [PORT]], capture NAME  what goes through\n"
		"  wan NAME --latency MS [...]    a long line in the middle\n"
		"  port NAME PORT SETTING...      VLANs, locks, limits, mirrors\n"
		"'mainstay net VERB --help' says more about each.\n",
	.examples = "  mainstay net create lab\n"
		    "  mainstay run nt4.vhd --net internal:lab\n"
		    "  mainstay net capture lab --output lab.pcapng\n",
	.run = run_net,
};
