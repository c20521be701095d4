/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that looks at what no operating system tries: SMRAM and its lock, that one processor has no MP
 * table, and the floppy disk in drive A from its first to its last sector. Says what it found on COM1 and
 * powers the machine off.
 */
	.code16
	.section .text
	.globl _start

#define COM1 0x3f8
#define SECTORS 8
#define SMRAM 0x72
#define BUFFER 0x9000

_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	sti
	cld
	movw	$0x0200 + SECTORS - 1, %ax
	movw	$0x7e00, %bx
	movw	$0x0002, %cx
	movb	$0, %dh
	int	$0x13
	jnc	loaded
	movw	$text_load, %si
	call	puts
	jmp	power_off

putc:	/* AL */
	pushw	%dx
	movb	%al, %ah
	movw	$COM1 + 5, %dx
1:	inb	%dx, %al
	testb	$0x20, %al
	jz	1b
	movw	$COM1, %dx
	movb	%ah, %al
	outb	%al, %dx
	popw	%dx
	ret

puts:	/* SI */
	lodsb
	testb	%al, %al
	jz	1f
	call	putc
	jmp	puts
1:	ret

put_number:	/* AX, decimal */
	pushw	%bx
	pushw	%cx
	pushw	%dx
	movw	$10, %bx
	xorw	%cx, %cx
1:	xorw	%dx, %dx
	divw	%bx
	pushw	%dx
	incw	%cx
	testw	%ax, %ax
	jnz	1b
2:	popw	%ax
	addb	$'0', %al
	call	putc
	loop	2b
	popw	%dx
	popw	%cx
	popw	%bx
	ret

power_off:
	movw	$COM1 + 5, %dx
1:	inb	%dx, %al
	testb	$0x40, %al
	jz	1b
	movw	$0x604, %dx	/* PMCNTRL: soft-off, SUS_EN */
	movw	$0x2000, %ax
	outw	%ax, %dx
2:	hlt
	jmp	2b

text_load:	.asciz "board: load FAILED\r\n"

	.org	510
	.word	0xaa55

/* --- behind the boot sector */

bridge_address:	/* of the host bridge's dword with SMRAM in it */
	pushl	%eax
	movl	$0x80000000 + (SMRAM & ~3), %eax
	movw	$0xcf8, %dx
	outl	%eax, %dx
	movw	$0xcfc + (SMRAM & 3), %dx
	popl	%eax
	ret

put_smram:	/* AL */
	call	bridge_address
	outb	%al, %dx
	ret

get_smram:
	call	bridge_address
	inb	%dx, %al
	ret

/* DX:SI ok, or the text at SI with FAILED. Carry set: failed. */
say:
	pushf
	call	puts
	popf
	movw	$text_ok, %si
	jnc	1f
	movw	$text_failed, %si
1:	call	puts
	ret

loaded:
	movw	$text_smram, %si
	call	check_smram
	call	say
	movw	$text_lock, %si
	call	check_lock
	call	say
	movw	$text_mp, %si
	call	check_mp
	call	say
	call	check_floppy
	movw	$text_done, %si
	call	puts
	jmp	power_off

/* With D_OPEN memory is at A0000h, which keeps what is written; without it is not seen. */
check_smram:
	movb	$0x4a, %al	/* D_OPEN, G_SMRAME, the fixed 2 */
	call	put_smram
	movw	$0xa000, %ax
	movw	%ax, %fs
	movl	$0x12345678, %fs:0x100
	movl	$0x9abcdef0, %fs:0xfffc
	cmpl	$0x12345678, %fs:0x100
	jne	1f
	cmpl	$0x9abcdef0, %fs:0xfffc
	jne	1f
	movb	$0x0a, %al	/* closed */
	call	put_smram
	cmpl	$0x12345678, %fs:0x100
	je	1f
	movb	$0x4a, %al
	call	put_smram
	cmpl	$0x12345678, %fs:0x100	/* still there */
	jne	1f
	clc
	ret
1:	stc
	ret

/* D_LCK clears D_OPEN and keeps it so until a reset. */
check_lock:
	movb	$0x5a, %al	/* D_LCK with D_OPEN */
	call	put_smram
	call	get_smram
	cmpb	$0x1a, %al
	jne	1f
	movb	$0x4a, %al
	call	put_smram
	call	get_smram
	cmpb	$0x1a, %al
	jne	1f
	cmpl	$0x12345678, %fs:0x100
	je	1f
	clc
	ret
1:	stc
	ret

/* In the last KiB of base memory, the first of the EBDA, and the BIOS: at each 16 bytes. */
check_mp:
	movw	$0x40, %ax
	movw	%ax, %gs
	movw	%gs:0x0e, %ax	/* the EBDA's segment */
	movw	$64, %cx
	call	scan
	jc	1f
	movw	$0x9fc0, %ax
	movw	$64, %cx
	call	scan
	jc	1f
	movw	$0xf000, %ax
	movw	$4096, %cx
	call	scan
1:	ret

scan:	/* CX paragraphs from segment AX; carry: found */
	movw	%ax, %gs
	cmpl	$0x5f504d5f, %gs:0
	je	1f
	incw	%ax
	loop	scan
	clc
	ret
1:	stc
	ret

/* Says drive A's geometry, and the first four bytes of the first and the last sector. */
check_floppy:
	movw	$text_floppy, %si
	call	puts
	movb	$0x08, %ah
	movb	$0x00, %dl
	pushw	%es
	int	$0x13
	popw	%es
	jc	no_floppy
	testb	%dl, %dl
	jz	no_floppy
	movb	%ch, last_cylinder
	movb	%dh, last_head
	andb	$0x3f, %cl
	movb	%cl, last_sector
	/* As the disk says, which may have fewer than its drive could. */
	movb	$0, %ch
	movb	$0, %dh
	movb	$1, %cl
	call	read_sector
	jc	floppy_failed
	movw	BUFFER + 24, %ax
	movb	%al, last_sector
	movw	BUFFER + 26, %ax
	decw	%ax
	movb	%al, last_head
	/* cylinders = sectors / (sectors per track * heads) */
	movb	last_sector, %al
	movb	last_head, %bl
	incb	%bl
	mulb	%bl
	movw	%ax, %bx
	movw	BUFFER + 19, %ax
	xorw	%dx, %dx
	divw	%bx
	decw	%ax
	movb	%al, last_cylinder
	movzbw	last_cylinder, %ax
	incw	%ax
	call	put_number
	movb	$'/', %al
	call	putc
	movzbw	last_head, %ax
	incw	%ax
	call	put_number
	movb	$'/', %al
	call	putc
	movzbw	last_sector, %ax
	call	put_number
	movb	$' ', %al
	call	putc
	movb	last_cylinder, %ch
	movb	last_head, %dh
	movb	last_sector, %cl
	call	read_sector
	jc	floppy_failed
	cmpl	$0x4154534c, BUFFER	/* "LSTA": the case has put it there */
	jne	floppy_failed
	/* And back with a change, for the case to find. */
	movl	$0x4e545257, BUFFER	/* "WRTN" */
	movw	$0x0301, %ax
	movw	$BUFFER, %bx
	movb	last_cylinder, %ch
	movb	last_head, %dh
	movb	last_sector, %cl
	movb	$0, %dl
	int	$0x13
	jc	floppy_failed
	movw	$text_read, %si
	call	puts
	ret
floppy_failed:
	pushw	%ax
	movw	$text_failed, %si
	call	puts
	popw	%ax
	movb	%ah, %al
	xorb	%ah, %ah
	call	put_number
	movw	$text_end, %si
	call	puts
	ret
no_floppy:
	movw	$text_none, %si
	call	puts
	ret

read_sector:	/* CH, DH, CL of drive A; tried three times, as the disk may be new in its drive */
	movw	$3, %di
1:	movw	$0x0201, %ax
	movw	$BUFFER, %bx
	movb	$0, %dl
	int	$0x13
	jnc	2f
	pushw	%ax
	movb	$0, %ah
	movb	$0, %dl
	int	$0x13
	popw	%ax
	decw	%di
	jnz	1b
	stc
2:	ret

last_cylinder:	.byte 0
last_head:	.byte 0
last_sector:	.byte 0

text_smram:	.asciz "board: SMRAM opens and closes: "
text_lock:	.asciz "board: SMRAM locks: "
text_mp:	.asciz "board: no MP table for one processor: "
text_floppy:	.asciz "board: floppy "
text_read:	.asciz "read and written"
text_none:	.asciz "none"
text_ok:	.asciz "ok\r\n"
text_failed:	.asciz "FAILED "
text_end:	.asciz "\r\n"
text_done:	.asciz "\r\nboard: done\r\n"

	.org	SECTORS * 512
