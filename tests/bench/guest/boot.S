/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot sector of the bare guest: loads what is behind it on the disk, goes to protected mode with flat
 * segments and calls ports.c. The interrupt entries are here as well.
 */
	.section .boot, "ax"
	.code16
	.globl	start
start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	ljmp	$0, $1f
1:	sti
	movb	$0x42, %ah
	movw	$packet, %si
	int	$0x13
	cli
	jc	stop
	lgdtl	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmp	$8, $protected
stop:	hlt
	jmp	stop

	.code32
protected:
	movw	$16, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x7c000, %esp
	movl	$bss_start, %edi
	movl	$bss_end, %ecx
	subl	%edi, %ecx
	xorl	%eax, %eax
	cld
	rep stosb
	call	guest_main
1:	hlt
	jmp	1b

	.balign	4
packet:	/* EDD disk address packet */
	.byte	16, 0
	.word	rest_sectors
	.word	0x7e00, 0
	.quad	1

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9a000000ffff
	.quad	0x00cf92000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	510
	.word	0xaa55

	.text
	.macro	entry name handler
	.globl	\name
\name:
	pushal
	cld
	call	\handler
	popal
	iretl
	.endm
	entry	timer_entry timer_tick
	entry	serial_entry serial_input
	entry	rtc_entry rtc_tick
	entry	other_entry other_interrupt

	.section .note.GNU-stack, "", @progbits
