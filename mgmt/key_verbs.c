// SPDX-License-Identifier: GPL-2.0-or-later
/* The verbs that press a machine's keys: type and key. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/log.h"
#include "../base/parse.h"
#include "client.h"
#include "verbs.h"

/* So many bytes of text go into a request, whatever JSON makes of them. */
#define CHUNK_BYTES 500

static void add_text(json_object *to, const char *name, const char *text, size_t length)
{
	json_object_object_add(to, name, json_object_new_string_len(text, (int)length));
}

/* Returns when the machine has typed what it was given, as far as its guest reads. */
static void ask(struct client *client, json_object *request)
{
	json_object *result = NULL, *busy;
	char error[1024];

	if (client_request(client, request, -1, &result, error, sizeof(error)) < 0)
		die("%s", error);
	json_object_put(request);
	if (json_object_is_type(result, json_type_object) &&
	    json_object_object_get_ex(result, "busy_ms", &busy)) {
		const int64_t ms = json_object_get_int64(busy);
		const struct timespec wait = { .tv_sec = ms / 1000,
					       .tv_nsec = ms % 1000 * 1000000 };

		if (ms > 0 && ms < 600000)
			nanosleep(&wait, NULL);
	}
	json_object_put(result);
}

/* The length of the next request's part of @text, which ends with a whole character. */
static size_t next_chunk(const char *text)
{
	size_t length = strlen(text);

	if (length <= CHUNK_BYTES)
		return length;
	length = CHUNK_BYTES;
	while ((text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

/* --- type --- */

struct type_options {
	const char *layout;
};

static const struct opt type_options[] = {
	{ .name = "layout",
	  .kind = OPT_STRING,
	  .argument = "LAYOUT",
	  .help = "the guest's keyboard layout: us, uk, de or jp106 (default: the machine's)",
	  .offset = offsetof(struct type_options, layout) },
	{ .name = NULL },
};

static int type_run(const struct verb *verb, int argc, char **argv)
{
	struct type_options options = { 0 };
	struct runtime_base base;
	struct client client;

	verb_parse(verb, &options, argc, argv, 2, 2);
	if (!utf8_is_valid(argv[1], strlen(argv[1])))
		die("type: the text is not UTF-8");
	verb_open_machine(&base, &client, argv[0]);
	for (const char *text = argv[1]; *text;) {
		const size_t length = next_chunk(text);
		json_object *request = json_object_new_object();

		add_text(request, "command", "type", strlen("type"));
		add_text(request, "text", text, length);
		if (options.layout)
			add_text(request, "layout", options.layout, strlen(options.layout));
		ask(&client, request);
		text += length;
	}
	client_close(&client);
	runtime_base_close(&base);
	return EXIT_SUCCESS;
}

const struct verb type_verb = {
	.name = "type",
	.arguments = "NAME TEXT [--layout LAYOUT]",
	.summary = "type a text on a machine's keyboard",
	.details =
		"At a speed that a BIOS or DOS can follow. A line's end in the text is the Enter "
		"key,\na tab the Tab key. LAYOUT must be the one that the guest has set.\n",
	.examples = "  mainstay type nt4 'net start'; mainstay key nt4 enter\n"
		    "  mainstay type nt4 $'dir c:\\\\\\n' --layout jp106\n",
	.options = type_options,
	.run = type_run,
};

/* --- key --- */

static int key_run(const struct verb *verb, int argc, char **argv)
{
	struct runtime_base base;
	struct client client;
	int others = verb_parse(verb, NULL, argc, argv, 2, argc > 2 ? argc : 2);

	verb_open_machine(&base, &client, argv[0]);
	for (int i = 1; i < others; i++) {
		json_object *request = json_object_new_object();

		if (!utf8_is_valid(argv[i], strlen(argv[i])))
			die("key: %s: not UTF-8", argv[i]);
		add_text(request, "command", "key", strlen("key"));
		add_text(request, "keys", argv[i], strlen(argv[i]));
		ask(&client, request);
	}
	client_close(&client);
	runtime_base_close(&base);
	return EXIT_SUCCESS;
}

const struct verb key_verb = {
	.name = "key",
	.arguments = "NAME KEY[+KEY]...",
	.summary = "press keys on a machine's keyboard",
	.details =
		"Keys joined by + are held together; several such groups are pressed one after the "
		"other.\nA key is a character, or one of ctrl, shift, alt, altgr, win, menu, "
		"rightctrl, "
		"rightshift,\nrightwin, enter, esc, tab, space, backspace, insert, delete, home, "
		"end, "
		"pageup, pagedown,\nleft, right, up, down, f1 to f12, print, pause, capslock, "
		"numlock, "
		"scrolllock, kp0 to kp9,\nkpdot, kpplus, kpminus, kptimes, kpslash, kpenter, "
		"henkan, "
		"muhenkan, katakana, hankaku.\n",
	.examples = "  mainstay key nt4 ctrl+alt+del\n"
		    "  mainstay key nt4 alt+f4 enter\n",
	.run = key_run,
};
