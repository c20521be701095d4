/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the static programs of measured Linux guests share: system calls of i386, and the terminal. */
#ifndef TESTS_BENCH_GUEST_NOLIBC_H
#define TESTS_BENCH_GUEST_NOLIBC_H

#include <stdint.h>

#define SYS_exit 1
#define SYS_read 3
#define SYS_write 4
#define SYS_open 5
#define SYS_ioctl 54
#define O_RDONLY 0
#define O_RDWR 2

void _start(void);

static int syscall5(int number, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e)
{
	int result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return result;
}

static void print(const char *text)
{
	uint32_t length = 0;

	while (text[length])
		length++;
	syscall5(SYS_write, 1, (uint32_t)text, length, 0, 0);
}

static void finish(const char *text)
{
	print(text);
	syscall5(SYS_exit, *text != 0, 0, 0, 0, 0);
	__builtin_unreachable();
}

static char next_input(void)
{
	static char line[64];
	static int at, size;

	if (at == size) {
		at = 0;
		size = syscall5(SYS_read, 0, (uint32_t)line, sizeof(line), 0, 0);
		if (size <= 0)
			finish("");
	}
	return line[at++];
}

/* "a000100\n": what to do, and how often. */
static char next_command(uint32_t *ret_count)
{
	char letter = next_input(), digit;

	*ret_count = 0;
	while ((digit = next_input()) >= '0' && digit <= '9')
		*ret_count = *ret_count * 10 + (uint32_t)(digit - '0');
	return letter;
}

#endif
