/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that calls int 13h where physical addresses are not what they seem: in virtual-8086 mode, behind
 * page tables that put another page under the buffer, as memory managers of the age do. What is read must lie
 * in the page that the program sees; the page whose physical address looks like the buffer's keeps its bytes.
 *
 * The program reads its own disk: sector 64 and those behind it begin with their number (see the end).
 * "v86: done" is the proof; anything unexpected says "FAILED".
 */
	.code16
	.section .text
	.globl _start

#include "console.inc"

#define SECTORS 24
#define DATA_SECTOR 64
#define DATA_SECTORS 16

/* Physical memory: tables, and the pages that change places. */
#define PAGE_DIRECTORY 0x50000
#define PAGE_TABLE 0x51000
#define IDT 0x52000
#define TSS 0x53000		/* with an I/O bitmap of zeros: every port is open */
#define TSS_BYTES (0x68 + 0x2001)
#define STACK_END 0x58000
#define BUFFER 0x30000		/* linear: what the program reads to */
#define BUFFER_BYTES 0x8000
#define BEHIND 0x60000		/* physical: what lies there */
#define WINDOW 0x40000		/* linear: shows the pages at BUFFER */

#define CODE32 0x08
#define DATA32 0x10
#define TASK 0x18
#define VECTOR_BASE 0x50	/* of the first interrupt controller, while exceptions must be told apart */

_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	sti
	cld
	movb	$0x42, %ah
	movb	$0x80, %dl
	movw	$own_packet, %si
	int	$0x13
	movw	$text_load, %si
	jc	fail
	jmp	loaded

	CONSOLE

own_packet:
	.byte	16, 0
	.word	SECTORS - 1, 0x7e00, 0
	.quad	1
text_failed:
	.asciz	"v86: FAILED "
text_load:
	.asciz	"loading\r\n"

	.org	510
	.word	0xaa55

/* --- the program */

loaded:
	movw	$COM1 + 3, %dx
	movb	$3, %al
	outb	%al, %dx
	/* First as everybody does. */
	movw	$text_real, %si
	call	read_and_check
	call	make_tables
	cli
	movb	$VECTOR_BASE, %al
	call	set_vector_base
	lgdtl	gdt_pointer
	lidtl	idt_pointer
	movl	$PAGE_DIRECTORY, %eax
	movl	%eax, %cr3
	movl	%cr0, %eax
	orl	$0x80000001, %eax
	movl	%eax, %cr0
	ljmpl	$CODE32, $protected

	.code32
protected:
	movw	$DATA32, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$STACK_END, %esp
	movw	$TASK, %ax
	ltr	%ax
	/* Into virtual-8086 mode: I/O privilege 3, interrupts on. */
	pushl	$0		/* GS, FS, DS, ES */
	pushl	$0
	pushl	$0
	pushl	$0
	pushl	$0		/* SS */
	pushl	$0x7c00
	pushl	$0x23202	/* EFLAGS: VM, IOPL, IF */
	pushl	$0		/* CS */
	pushl	$virtual
	iretl

/*
 * Every gate of the interrupt table leads here with its number on the stack. Exceptions end the program; all
 * others go on in virtual-8086 mode, as the processor itself would do it in real mode.
 */
interrupted:
	pushal
	movw	$DATA32, %ax
	movw	%ax, %ds
	movl	32(%esp), %ebx		/* number */
	cmpl	$VECTOR_BASE, %ebx
	jb	1f
	cmpl	$VECTOR_BASE + 8, %ebx
	jae	1f
	subl	$VECTOR_BASE - 8, %ebx
	jmp	2f
1:	cmpl	$0x10, %ebx
	jb	exception
	/* ESP + 36: EIP, CS, EFLAGS, ESP, SS of the interrupted program */
2:	movl	52(%esp), %edx
	shll	$4, %edx
	movzwl	48(%esp), %ecx
	subl	$6, %ecx
	movw	%cx, 48(%esp)
	addl	%ecx, %edx
	movl	36(%esp), %eax
	movw	%ax, (%edx)
	movl	40(%esp), %eax
	movw	%ax, 2(%edx)
	movl	44(%esp), %eax
	movw	%ax, 4(%edx)
	andl	$~0x300, 44(%esp)	/* IF, TF */
	movl	(,%ebx,4), %eax
	movzwl	%ax, %ecx
	movl	%ecx, 36(%esp)
	shrl	$16, %eax
	movl	%eax, 40(%esp)
	popal
	addl	$4, %esp
	iretl

exception:
	movl	$text_exception, %esi
1:	lodsb
	testb	%al, %al
	jz	2f
	movw	$COM1, %dx
	outb	%al, %dx
	jmp	1b
2:	hlt
	jmp	2b

	.altmacro
	.macro	stub number
	pushl	$\number
	jmp	interrupted
	.balign	16
	.endm
	.balign	16
stubs:
	number = 0
	.rept	256
	stub	%number
	number = number + 1
	.endr

	.code16
	/* The buffer is another page now; both are marked, to see which one is written. */
virtual:
	movw	$text_virtual, %si
	call	read_and_check
	movw	$WINDOW >> 4, %ax
	movw	%ax, %fs
	xorw	%di, %di
	movw	$text_window, %si
1:	cmpb	$0xaa, %fs:(%di)
	jne	fail
	incw	%di
	cmpw	$BUFFER_BYTES, %di
	jb	1b
	call	check_video
	movw	$text_done, %si
	call	puts
	jmp	power_off

/* The video BIOS works here as in real mode: drivers of the age call it so. */
check_video:
	movw	$0x0012, %ax
	int	$0x10
	movw	$0x0c05, %ax
	xorw	%bx, %bx
	movw	$100, %cx
	movw	$50, %dx
	int	$0x10
	movb	$0x0d, %ah
	int	$0x10
	movw	$text_pixel, %si
	cmpb	$5, %al
	jne	fail
	movw	$0x4f02, %ax
	movw	$0x0101, %bx
	int	$0x10
	movw	$text_vbe, %si
	cmpw	$0x004f, %ax
	jne	fail
	movw	$0x4f03, %ax
	int	$0x10
	cmpw	$0x0101, %bx
	jne	fail
	movw	$0x0003, %ax
	int	$0x10
	movw	$0x0e41, %ax
	movw	$7, %bx
	int	$0x10
	movw	$0xb800, %ax
	movw	%ax, %fs
	movw	$text_text, %si
	cmpw	$0x0741, %fs:0
	jne	fail
	movw	$text_video, %si
	jmp	puts

/* Marks the buffer, reads DATA_SECTORS to it in both ways, and compares; SI: what to say then. */
read_and_check:
	pushw	%si
	call	mark
	movb	$0x42, %ah
	movb	$0x80, %dl
	movw	$data_packet, %si
	int	$0x13
	movw	$text_edd, %si
	jc	fail
	call	check
	call	mark
	/* The same by cylinder, head and sector, for a disk of 63 sectors a track. */
	movw	$BUFFER >> 4, %ax
	movw	%ax, %es
	xorw	%bx, %bx
	movw	$0x0200 + DATA_SECTORS, %ax
	movw	$DATA_SECTOR % 63 + 1, %cx
	movw	$(DATA_SECTOR / 63) << 8 | 0x80, %dx
	int	$0x13
	movw	$text_chs, %si
	jc	fail
	cmpb	$0, %ah
	jne	fail
	call	check
	popw	%si
	jmp	puts

mark:	/* FFh into all of the buffer */
	movw	$BUFFER >> 4, %ax
	movw	%ax, %es
	xorw	%di, %di
	movw	$BUFFER_BYTES / 2, %cx
	movw	$0xffff, %ax
	rep stosw
	ret

check:	/* each sector begins with its number; what lies behind them is still marked */
	pushw	%si
	movw	$BUFFER >> 4, %ax
	movw	%ax, %fs
	xorw	%di, %di
	movw	$DATA_SECTOR, %cx
1:	cmpw	%cx, %fs:(%di)
	jne	2f
	cmpw	%cx, %fs:510(%di)
	jne	2f
	addw	$512, %di
	incw	%cx
	cmpw	$DATA_SECTOR + DATA_SECTORS, %cx
	jb	1b
	cmpw	$0xffff, %fs:(%di)
	jne	2f
	popw	%si
	ret
2:	popw	%si
	jmp	fail

/* Page tables, interrupt table and task state; the pages that look like the buffer are marked AAh. */
make_tables:
	movw	$PAGE_DIRECTORY >> 4, %ax
	movw	%ax, %es
	xorw	%di, %di
	movw	$0x4000, %cx
	xorw	%ax, %ax
	rep stosw			/* 32 KiB: all of the tables */
	movl	$PAGE_TABLE | 7, %es:0
	movl	$7, %eax
	movw	$PAGE_TABLE - PAGE_DIRECTORY, %di
	movw	$1024, %cx
1:	stosl
	addl	$0x1000, %eax
	loop	1b
	/* BUFFER shows BEHIND, and WINDOW shows what stands at BUFFER. */
	movl	$BEHIND | 7, %eax
	movl	$BUFFER | 7, %ebx
	movw	$PAGE_TABLE - PAGE_DIRECTORY + (BUFFER >> 10), %di
	movw	$BUFFER_BYTES / 0x1000, %cx
2:	movl	%eax, %es:(%di)
	movl	%ebx, %es:((WINDOW - BUFFER) >> 10)(%di)
	addl	$0x1000, %eax
	addl	$0x1000, %ebx
	addw	$4, %di
	loop	2b
	/* Gates for ring 3, each to its stub. */
	movl	$stubs, %eax
	movw	$IDT - PAGE_DIRECTORY, %di
	movw	$256, %cx
3:	movw	%ax, %es:(%di)
	movw	$CODE32, %es:2(%di)
	movw	$0xee00, %es:4(%di)
	movw	$0, %es:6(%di)
	addw	$16, %ax
	addw	$8, %di
	loop	3b
	movw	$TSS - PAGE_DIRECTORY, %di
	movl	$STACK_END, %es:4(%di)
	movw	$DATA32, %es:8(%di)
	movw	$0x68, %es:0x66(%di)
	movb	$0xff, %es:(0x68 + 0x2000)(%di)
	movw	$BUFFER >> 4, %ax
	movw	%ax, %es
	xorw	%di, %di
	movw	$BUFFER_BYTES / 2, %cx
	movw	$0xaaaa, %ax
	rep stosw
	ret

set_vector_base: /* AL, of the first controller; which interrupts are masked stays */
	movb	%al, %ah
	inb	$0x21, %al
	movb	%al, %bl
	movb	$0x11, %al
	outb	%al, $0x20
	movb	%ah, %al
	outb	%al, $0x21
	movb	$4, %al
	outb	%al, $0x21
	movb	$1, %al
	outb	%al, $0x21
	movb	%bl, %al
	outb	%al, $0x21
	ret

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9a000000ffff
	.quad	0x00cf92000000ffff
	.word	TSS_BYTES - 1, TSS & 0xffff
	.byte	TSS >> 16, 0x89, 0, 0
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt
idt_pointer:
	.word	256 * 8 - 1
	.long	IDT

data_packet:
	.byte	16, 0
	.word	DATA_SECTORS, 0, BUFFER >> 4
	.quad	DATA_SECTOR

text_real:
	.asciz	"v86: real mode: ok\r\n"
text_virtual:
	.asciz	"v86: remapped buffer: ok\r\n"
text_video:
	.asciz	"v86: int 10h: ok\r\n"
text_pixel:
	.asciz	"pixel by int 10h\r\n"
text_vbe:
	.asciz	"mode by VBE\r\n"
text_text:
	.asciz	"text by int 10h\r\n"
text_done:
	.asciz	"v86: done\r\n"
text_edd:
	.asciz	"extended read\r\n"
text_chs:
	.asciz	"read by cylinder, head, sector\r\n"
text_window:
	.asciz	"the page that was not asked for was written\r\n"
text_exception:
	.asciz	"v86: FAILED exception\r\n"

	/* The data: each sector's number at both of its ends. */
	.org	DATA_SECTOR * 512
	sector = DATA_SECTOR
	.rept	DATA_SECTORS
	.word	sector
	.fill	508, 1, 0x5a
	.word	sector
	sector = sector + 1
	.endr
