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

/* Pages that change places. */
#define BUFFER 0x30000		/* linear: what the program reads to */
#define BUFFER_BYTES 0x8000
#define BEHIND 0x60000		/* physical: what lies there */
#define WINDOW 0x40000		/* linear: shows the pages at BUFFER */

_start:
	BOOTED
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
	call	move_pages
	jmp	enter_virtual

#include "virtual8086.inc"

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

/* BUFFER shows BEHIND, and WINDOW shows what stands at BUFFER, which is marked AAh. */
move_pages:
	movw	$PAGE_DIRECTORY >> 4, %ax
	movw	%ax, %es
	movl	$BEHIND | 7, %eax
	movl	$BUFFER | 7, %ebx
	movw	$PAGE_TABLE - PAGE_DIRECTORY + (BUFFER >> 10), %di
	movw	$BUFFER_BYTES / 0x1000, %cx
1:	movl	%eax, %es:(%di)
	movl	%ebx, %es:((WINDOW - BUFFER) >> 10)(%di)
	addl	$0x1000, %eax
	addl	$0x1000, %ebx
	addw	$4, %di
	loop	1b
	movw	$BUFFER >> 4, %ax
	movw	%ax, %es
	xorw	%di, %di
	movw	$BUFFER_BYTES / 2, %cx
	movw	$0xaaaa, %ax
	rep stosw
	ret

	.balign	4
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
