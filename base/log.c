// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	const char *program;
	enum log_level level;
	bool journal;
} log_target = { .program = "mainstay", .level = LOG_LEVEL_INFO };

void log_init(const char *program, enum log_level level)
{
	log_target.program = program;
	log_target.level = level;
	/* systemd sets it when standard error is a journal stream. */
	log_target.journal = getenv("JOURNAL_STREAM") != NULL;
}

/* syslog(3) priorities, which the journal reads in front of a line. */
static const char log_priority[] = {
	[LOG_LEVEL_ERROR] = '3',
	[LOG_LEVEL_WARNING] = '4',
	[LOG_LEVEL_INFO] = '6',
	[LOG_LEVEL_DEBUG] = '7',
};

void log_vmessage(enum log_level level, const char *format, va_list args)
{
	char line[1024];
	size_t length, i, start;

	if (level > log_target.level)
		return;
	if (log_target.journal)
		snprintf(line, sizeof(line), "<%c>", log_priority[level]);
	else
		snprintf(line, sizeof(line), "%s: ", log_target.program);
	start = strlen(line);
	vsnprintf(line + start, sizeof(line) - start - 1, format, args);
	length = strlen(line);
	for (i = start; i < length; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	}
	line[length++] = '\n';
	/* Nobody can be told that telling failed. */
	if (write(STDERR_FILENO, line, length) < 0)
		return;
}

void log_message(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vmessage(level, format, args);
	va_end(args);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vmessage(LOG_LEVEL_ERROR, format, args);
	va_end(args);
	exit(EXIT_FAILURE);
}

bool log_limit_pass(struct log_limit *limit, uint64_t now_ns)
{
	if (now_ns >= limit->refill_ns) {
		uint64_t refilled = 1 + (now_ns - limit->refill_ns) / limit->interval_ns;

		limit->tokens_used = refilled >= limit->tokens_used
					     ? 0
					     : limit->tokens_used - (uint32_t)refilled;
		limit->refill_ns = now_ns + limit->interval_ns;
	}
	if (limit->tokens_used >= limit->burst) {
		limit->suppressed++;
		return false;
	}
	limit->tokens_used++;
	return true;
}
