/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that keeps the adapter's engine at work without an end: one copy of 2048 by 2048 pixels, each of which is
 * compared and mixed, after the other. Nothing of what it writes leaves the processor for itself.
 */
	.code16
	.section .text
	.globl _start

#include "console.inc"

	.macro	engine port, value
	movw	$\port, %dx
	movw	$\value, %ax
	outw	%ax, %dx
	.endm

_start:
	BOOTED
	movw	$COM1 + 3, %dx
	movb	$3, %al
	outb	%al, %dx
	movw	$0x4f02, %ax
	movw	$0x0101, %bx
	int	$0x10
	movw	$text_mode, %si
	cmpw	$0x004f, %ax
	jne	fail
	engine	0xbee8, 0xa000	/* the foreground's mix for all pixels: source xor what is there */
	engine	0xbae8, 0x0065
	engine	0xbee8, 0xe100	/* colours are compared */
	engine	0xb2e8, 0x0055
	engine	0xaae8, 0xffff
	engine	0xbee8, 0x1000	/* no clipping */
	engine	0xbee8, 0x2000
	engine	0xbee8, 0x3fff
	engine	0xbee8, 0x4fff
	engine	0x86e8, 0
	engine	0x82e8, 0
	engine	0x8ee8, 1
	engine	0x8ae8, 1
	engine	0x96e8, 2047
	engine	0xbee8, 2047
	movw	$text_ready, %si
	call	puts
	movw	$0x9ae8, %dx
	movw	$0xc0b1, %ax
1:	outw	%ax, %dx
	jmp	1b

	CONSOLE

text_failed:
	.asciz	"engine: FAILED "
text_mode:
	.asciz	"mode by VBE\r\n"
text_ready:
	.asciz	"engine: ready\r\n"

	.org	510
	.word	0xaa55
