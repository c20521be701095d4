/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages to people: one line that names the object, what is wrong and what to do next.
 *
 * Lines go to standard error with systemd's "<N>" priority in front when it is a journal stream,
 * and with the program's name otherwise. A line is written by one write() and never contains
 * control characters: a guest or a file cannot forge another line.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* @program is printed before each message; kept by reference. Messages above @level are dropped. */
void log_init(const char *program, enum log_level level);

void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void log_vmessage(enum log_level level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Logs the error and ends the process with status 1. Only before a machine runs. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/*
 * A token bucket for messages that a guest can provoke: @burst lines at once, then one each
 * @interval_ns. Zero-initialise and set those two.
 */
struct log_limit {
	uint64_t interval_ns;
	uint32_t burst;
	uint32_t tokens_used;
	uint64_t refill_ns;
	uint64_t suppressed;
};

/* Whether a message may be written at @now_ns; counts the suppressed ones. */
bool log_limit_pass(struct log_limit *limit, uint64_t now_ns);

#endif
