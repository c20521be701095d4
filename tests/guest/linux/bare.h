/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program for a guest's Linux (i386) needs where it has no C library: its start, system calls, words. The
 * program has a function start(), which is given the stack that the kernel made and does not return.
 */
#ifndef TESTS_GUEST_BARE_H
#define TESTS_GUEST_BARE_H

#include <stdint.h>

#define SYS_exit 1
#define SYS_read 3
#define SYS_write 4
#define SYS_open 5
#define SYS_pause 29
#define SYS_ioctl 54
#define SYS_mmap 90
#define SYS_socket 359
#define SYS_connect 362
#define O_RDWR 2
#define PROT_READ_WRITE 3
#define MAP_SHARED 1

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

void start(uint32_t *stack);

__asm__(".globl _start\n"
	"_start:\n"
	"	movl %esp, %eax\n"
	"	andl $-16, %esp\n"
	"	subl $12, %esp\n"
	"	pushl %eax\n"
	"	call start\n");

static inline int syscall3(int number, uint32_t a, uint32_t b, uint32_t c)
{
	int result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(number), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return result;
}

static inline void print(const char *text)
{
	uint32_t length = 0;

	while (text[length])
		length++;
	syscall3(SYS_write, 1, (uint32_t)text, length);
}

static inline void finish(int status)
{
	syscall3(SYS_exit, (uint32_t)status, 0, 0);
	__builtin_unreachable();
}

/* Ends the program when @result is an error, and says what could not be done. */
static inline void must(int result, const char *what)
{
	if (result >= 0 || result < -4095) /* an address is no error */
		return;
	print("failed: ");
	print(what);
	print("\n");
	finish(1);
}

/* The @count arguments of the program; without them it ends with @usage. */
static inline char **arguments_of(uint32_t *stack, uint32_t count, const char *usage)
{
	must(stack[0] == count + 1 ? 0 : -1, usage);
	return (char **)(stack + 2);
}

static inline uint32_t number_of(const char *text)
{
	uint32_t number = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (uint32_t)(*text - '0');
	return number;
}

#endif
