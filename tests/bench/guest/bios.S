/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot sector of the guest that stays in real mode (bios.c): loads what is behind it, and has the calls that
 * need other registers or segments than a compiler uses.
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
	movl	$0x7c00, %esp
	ljmp	$0, $1f
1:	sti
	cld
	movb	%dl, boot_drive
	movb	$0x42, %ah
	movw	$packet, %si
	int	$0x13
	jc	stop
	/* The serial interrupt only wakes the processor up. */
	cli
	movl	$wake_up, 0x0c * 4
	sti
	calll	guest_main
stop:	hlt
	jmp	stop

wake_up:
	pushw	%ax
	movb	$0x20, %al
	outb	%al, $0x20
	popw	%ax
	iretw

	.globl	boot_drive
boot_drive:
	.byte	0
	.balign	4
packet:	/* EDD disk address packet */
	.byte	16, 0
	.word	rest_sectors
	.word	0x7e00, 0
	.quad	1

/* unsigned int bios_disk(struct bios_call *call): int 13h; the carry flag, call->eax afterwards AX */
	.globl	bios_disk
bios_disk:
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	20(%esp), %ebp
	pushl	%ebp
	movl	0(%bp), %eax
	movl	4(%bp), %ebx
	movl	8(%bp), %ecx
	movl	12(%bp), %edx
	movl	16(%bp), %esi
	movl	20(%bp), %edi
	movw	%di, %es
	int	$0x13
	popl	%ebp
	movzwl	%ax, %eax
	movl	%eax, 0(%bp)
	setc	%al
	movzbl	%al, %eax
	xorw	%dx, %dx
	movw	%dx, %es
	sti
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	retl

/* void read_words(uint16_t port, uint16_t segment, unsigned int count) */
	.globl	read_words
read_words:
	pushl	%edi
	movw	8(%esp), %dx
	movw	12(%esp), %ax
	movl	16(%esp), %ecx
	movw	%ax, %es
	xorl	%edi, %edi
	cld
	rep insw
	xorw	%ax, %ax
	movw	%ax, %es
	popl	%edi
	retl

	.org	510
	.word	0xaa55
