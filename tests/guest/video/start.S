/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot sector of the video guests: loads the rest, sets the segments to 0 and calls guest_main(); with VIRTUAL, in
 * virtual-8086 mode.
 */
	.code16
#include "../asm/console.inc"

	.section .boot, "ax"
	.globl	_start
_start:
	BOOTED
	ljmpw	$0, $1f
1:	movw	$packet, %si
	movb	$0x42, %ah
	int	$0x13
	jc	stop
#ifdef VIRTUAL
	call	make_tables
	jmp	enter_virtual
#endif
virtual:
	xorl	%esp, %esp
	movw	$0x7c00, %sp
	calll	guest_main
stop:
#ifndef VIRTUAL
	hlt	/* with privilege */
#endif
	jmp	stop

	.balign	4
packet:	.byte	16, 0
	.word	rest_sectors
	.word	0x7e00, 0
	.quad	1

	.org	510
	.word	0xaa55

	.text
#ifdef VIRTUAL
#define COM1 0x3f8
#include "../asm/virtual8086.inc"

text_exception:
	.asciz	"FAILED exception\r\n"
#endif

/* void int10(struct registers *EAX): ax, bx, cx, dx, si, di, bp, es as words, in and out. */
	.globl	int10
int10:
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	pushl	%ebp
	pushw	%es
	pushl	%eax
	movw	%ax, %si
	movw	14(%si), %es
	movw	(%si), %ax
	movw	2(%si), %bx
	movw	4(%si), %cx
	movw	6(%si), %dx
	movw	10(%si), %di
	movw	12(%si), %bp
	pushw	8(%si)
	popw	%si
	int	$0x10
	pushw	%si
	pushw	%bp
	movw	%sp, %bp
	movw	4(%bp), %si		/* the pointer */
	movw	%ax, (%si)
	movw	%bx, 2(%si)
	movw	%cx, 4(%si)
	movw	%dx, 6(%si)
	movw	%di, 10(%si)
	popw	12(%si)
	popw	8(%si)
	movw	%es, 14(%si)
	popl	%eax
	popw	%es
	popl	%ebp
	popl	%edi
	popl	%esi
	popl	%ebx
	retl

	.section .note.GNU-stack, "", @progbits
