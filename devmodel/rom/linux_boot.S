/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option ROM that starts a Linux kernel which the machine was given from outside (--kernel).
 *
 * To the firmware it is a boot device (a PnP expansion header with a bootstrap entry vector, Plug and
 * Play BIOS Specification 1.0A, section 3.2). The entry fetches four things from the firmware
 * configuration device by DMA, each to the address that goes with it, and jumps to the kernel's
 * real-mode code as the Linux boot protocol wants it. What they are and where they go is decided in
 * vmm/linux_boot.c, which has checked and filled in the kernel's header.
 *
 * Keys of the device: for each item its address, its size and its bytes.
 */
	.code16
	.section .text

#define SELECTOR 0x510
#define DATA 0x511
#define DMA_HIGH 0x514
#define DMA_LOW 0x518

#define DMA_ERROR 0x01
#define DMA_READ_SELECT 0x0a

/* The DMA command, big-endian, and what is kept beside it, from SS:BP up. */
#define COMMAND 0	/* dword: key in the upper half */
#define LENGTH 4
#define ADDRESS 8	/* qword */
#define FRAME 16


	.globl _start
_start:
	.word	0xaa55
	.byte	ROM_BLOCKS	/* of 512 bytes */
	jmp	initialise
	.org	6
	.byte	0		/* checksum, filled in when the ROM is handed to the firmware */
	.org	0x1a
	.word	pnp

	.balign	16
pnp:
	.ascii	"$PnP"
	.byte	1		/* revision */
	.byte	2		/* length in paragraphs */
	.word	0		/* no further header */
	.byte	0
	.byte	0		/* checksum; the firmware does not ask for it, see below */
	.long	0		/* device identifier */
	.word	manufacturer
	.word	product
	.byte	2, 1, 0		/* device type: mass storage, as boot devices are */
	.byte	0x14		/* indicators: may be shadowed, is a boot device */
	.word	0		/* no boot connection vector */
	.word	0		/* no disconnect vector */
	.word	boot		/* bootstrap entry vector */
	.word	0
	.word	0

manufacturer:
	.asciz	"Mainstay"
product:
	.asciz	"Linux kernel"

initialise:
	/* A boot device that the firmware may call. */
	movw	$0x20, %ax
	lretw

/* The keys of each item, as words: address, size, bytes. */
	.balign	2
items:
	.word	0x16, 0x17, 0x18	/* real-mode code */
	.word	0x13, 0x14, 0x15	/* command line */
	.word	0x07, 0x08, 0x11	/* protected-mode code */
	.word	0x0a, 0x0b, 0x12	/* initial RAM disk */
items_end:

boot:
	cli
	cld
	/* A stack in memory that nobody has yet, below the real-mode code. */
	xorw	%ax, %ax
	movw	%ax, %ss
	movl	$0x7c00 - FRAME, %esp
	movl	%esp, %ebp
	movw	$items, %si

next:
	movw	%cs:(%si), %ax
	call	read_dword
	bswapl	%eax
	movl	$0, ADDRESS(%bp)
	movl	%eax, ADDRESS+4(%bp)
	movw	%cs:2(%si), %ax
	call	read_dword
	testl	%eax, %eax
	jz	skip
	bswapl	%eax
	movl	%eax, LENGTH(%bp)
	movzwl	%cs:4(%si), %eax
	shll	$16, %eax
	orl	$DMA_READ_SELECT, %eax
	bswapl	%eax
	movl	%eax, COMMAND(%bp)

	/* SS is 0: the offset is the address. */
	movw	$DMA_HIGH, %dx
	xorl	%eax, %eax
	outl	%eax, %dx
	movw	$DMA_LOW, %dx
	movl	%ebp, %eax
	bswapl	%eax
	outl	%eax, %dx
	/* The device has answered when the instruction is over, but is allowed to take longer. */
1:	movl	COMMAND(%bp), %eax
	bswapl	%eax
	testl	$DMA_ERROR, %eax
	jnz	failed
	testl	%eax, %eax
	jnz	1b
skip:
	addw	$6, %si
	cmpw	$items_end, %si
	jb	next

	/* Into the kernel: all segments at its first byte, the entry 512 bytes further. */
	movw	$0x16, %ax
	call	read_dword
	shrl	$4, %eax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
	movl	$HEAP_END, %esp
	addw	$0x20, %ax
	pushw	%ax
	pushw	$0
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	lretw

/* EAX: the dword of key AX; changes DX and CX. */
read_dword:
	movw	$SELECTOR, %dx
	outw	%ax, %dx
	movw	$DATA, %dx
	movw	$4, %cx
1:	inb	%dx, %al
	rorl	$8, %eax
	loop	1b
	ret

failed:
	movw	$message, %si
1:	movb	%cs:(%si), %al
	testb	%al, %al
	jz	2f
	movb	$0x0e, %ah
	movw	$7, %bx
	int	$0x10
	incw	%si
	jmp	1b
2:	sti
	hlt
	jmp	2b
message:
	.asciz	"\r\nThe Linux kernel does not fit the machine's memory.\r\n"

	.balign	512
_end:
	.set	ROM_BLOCKS, (_end - _start) / 512
	.set	HEAP_END, 0xfffc
