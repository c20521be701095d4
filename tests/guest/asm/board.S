/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that looks at what no operating system tries: SMRAM and its lock, that one processor has no MP
 * table and the one PIR table is the machine's own, whether the interrupts of the timer and the clock are made up when
 * they could not be taken for a while, registers that no processor has, the printer, and the floppy disk in drive A from
 * its first to its last sector. Says what it found on COM1, asks there for another disk as often as it is answered 'n',
 * and powers the machine off.
 */
	.code16
	.section .text
	.globl _start

#include "console.inc"

#define SECTORS 8
#define PIRQ_CHOICES 0x0e20	/* interrupts 5, 9, 10 and 11, which no device of the board owns */
#define SMRAM 0x72
#define BUFFER 0x9000
#define NO_MSR 0x4d41494e	/* far from those of processors and hypervisors */

_start:
	BOOTED
	movw	$0x0200 + SECTORS - 1, %ax
	movw	$0x7e00, %bx
	movw	$0x0002, %cx
	movb	$0, %dh
	int	$0x13
	jnc	loaded
	movw	$text_load, %si
	jmp	fail

	CONSOLE

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

text_failed:	.asciz "board: FAILED "
text_load:	.asciz "loading\r\n"

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

/* The text at SI, and how it went: carry set is a failure, which ends the guest. */
say:
	jc	fail
	call	puts
	movw	$text_ok, %si
	call	puts
	ret

loaded:
	/* Eight bits, no parity; the speed does not matter. */
	movw	$COM1 + 3, %dx
	movb	$3, %al
	outb	%al, %dx
	call	check_smram
	movw	$text_smram, %si
	call	say
	call	check_lock
	movw	$text_lock, %si
	call	say
	movl	$0x5f504d5f, %ebx	/* "_MP_" */
	call	count_tables
	cmpw	$1, %bp			/* carry: below */
	cmc
	movw	$text_mp, %si
	call	say
	call	check_pir
	movw	$text_pir, %si
	call	say
	call	count_timer
	call	count_clock
	call	ask_processor
	movw	$text_msr, %si
	call	say
	call	print
	movw	$text_printer, %si
	call	say
another:
	call	check_floppy
	movw	$text_next, %si
	call	puts
	movw	$COM1 + 5, %dx
1:	inb	%dx, %al
	testb	$1, %al
	jz	1b
	movw	$COM1, %dx
	inb	%dx, %al
	cmpb	$'n', %al
	je	another
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

/*
 * BP: how many tables begin with the four letters in EBX, and GS the segment of the last: where systems look, in the
 * first KiB of the EBDA, the last of base memory and the BIOS, at each 16 bytes.
 */
count_tables:
	xorw	%bp, %bp
	movw	$0x40, %ax
	movw	%ax, %fs
	movw	%fs:0x0e, %ax	/* the EBDA's segment */
	movw	$64, %cx
	call	scan
	movw	$0x9fc0, %ax
	cmpw	%fs:0x0e, %ax	/* often the same place */
	je	1f
	movw	$64, %cx
	call	scan
1:	movw	$0xf000, %ax
	movw	$4096, %cx
	call	scan
	movw	found, %gs
	ret

scan:	/* CX paragraphs from segment AX */
	movw	%ax, %gs
	cmpl	%ebx, %gs:0
	jne	1f
	incw	%bp
	movw	%ax, found
1:	incw	%ax
	loop	scan
	ret

/*
 * One PIR table, whose checksum is right, whose router is the PIIX4 (devfn 08h), and which leads interrupts where
 * this board lets them go: the one that the firmware would make has other choices.
 */
check_pir:
	movl	$0x52495024, %ebx	/* "$PIR" */
	call	count_tables
	cmpw	$1, %bp
	jne	1f
	movw	%gs:6, %cx	/* size */
	cmpw	$32, %cx
	jb	1f
	cmpw	$512, %cx
	ja	1f
	xorw	%si, %si
	xorb	%al, %al
2:	addb	%gs:(%si), %al
	incw	%si
	loop	2b
	testb	%al, %al
	jnz	1f
	cmpw	$0x0800, %gs:8	/* router's bus and devfn */
	jne	1f
	cmpw	$PIRQ_CHOICES, %gs:35	/* first slot, first pin */
	jne	1f
	clc
	ret
1:	stc
	ret

/* --- ticks that are lost */

#define DEAF 200 * 3580		/* of the ACPI timer's counts: with interrupts off */
#define PATIENCE 10000 * 3580	/* for the ticks to be made up: the host may be busy */
#define TIMER_VECTOR 0x08 * 4
#define CLOCK_VECTOR 0x70 * 4
#define PM_TIMER 0x608		/* 3579545 Hz, 24 bits */

pass:	/* Adds to EBP, the counts in all, those since the last call, and leaves the counter in EDI. */
	movw	$PM_TIMER, %dx
	inl	%dx, %eax
	movl	%eax, %edx
	subl	%edi, %eax
	movl	%edx, %edi
	andl	$0xffffff, %eax
	addl	%eax, %ebp
	ret

timer_tick:
	pushw	%ax
	incw	%cs:ticks
	movb	$0x20, %al
	outb	%al, $0x20
	popw	%ax
	iret

/*
 * Interrupts are off, and ticks begin now, one each ECX counts of the ACPI timer. Says the text at SI, and whether in
 * the end there were as many as there should be, although they could not be taken at first. Leaves interrupts off.
 */
count_ticks:
	movw	$0, ticks
	xorl	%edi, %edi
	call	pass
	xorl	%ebp, %ebp
1:	call	pass
	cmpl	$DEAF, %ebp
	jb	1b
	sti
2:	call	pass
	cmpl	$PATIENCE, %ebp
	movw	$text_lost, %bx
	jae	3f
	movw	$text_made_up, %bx
	movl	%ebp, %eax
	xorl	%edx, %edx
	divl	%ecx
	subl	$2, %eax
	movzwl	ticks, %edx
	cmpl	%eax, %edx
	jb	2b
3:	cli
	call	puts
	movw	%bx, %si
	call	puts
	ret

count_timer:	/* 100 Hz */
	cli
	pushl	TIMER_VECTOR
	movl	$timer_tick, TIMER_VECTOR
	movb	$0x34, %al
	outb	%al, $0x43
	movw	$11932, %ax
	outb	%al, $0x40
	movb	%ah, %al
	outb	%al, $0x40
	movw	$text_timer, %si
	movl	$35796, %ecx
	call	count_ticks
	movb	$0x36, %al
	outb	%al, $0x43
	xorb	%al, %al
	outb	%al, $0x40
	outb	%al, $0x40
	popl	TIMER_VECTOR
	sti
	ret

clock_tick:
	pushw	%ax
	incw	%cs:ticks
	movb	$0x0c, %al	/* lets the next interrupt come */
	outb	%al, $0x70
	inb	$0x71, %al
	movb	$0x20, %al
	outb	%al, $0xa0
	outb	%al, $0x20
	popw	%ax
	iret

swap_cmos:	/* register AH gets AL, and its value before is AL */
	xchgb	%ah, %al
	outb	%al, $0x70
	inb	$0x71, %al
	xchgb	%ah, %al
	outb	%al, $0x71
	movb	%ah, %al
	ret

count_clock:	/* 256 Hz of the clock's periodic interrupt */
	cli
	pushl	CLOCK_VECTOR
	movl	$clock_tick, CLOCK_VECTOR
	inb	$0x21, %al
	movb	%al, %ah
	inb	$0xa1, %al
	pushw	%ax		/* both masks */
	andb	$0xfe, %al	/* IRQ 8 */
	outb	%al, $0xa1
	movb	%ah, %al
	andb	$0xfb, %al	/* IRQ 2, the cascade */
	outb	%al, $0x21
	movw	$0x0a28, %ax
	call	swap_cmos
	pushw	%ax
	movw	$0x0b42, %ax	/* PIE, 24 hours */
	call	swap_cmos
	pushw	%ax
	movb	$0x0c, %al
	outb	%al, $0x70
	inb	$0x71, %al
	movw	$text_clock, %si
	movl	$13983, %ecx
	call	count_ticks
	popw	%ax
	movb	$0x0b, %ah
	call	swap_cmos
	popw	%ax
	movb	$0x0a, %ah
	call	swap_cmos
	popw	%ax
	outb	%al, $0xa1
	movb	%ah, %al
	outb	%al, $0x21
	popl	CLOCK_VECTOR
	sti
	ret

/* A register that no processor has is read as 0, twice, and written: the machine tells it once. */
ask_processor:
	movw	$2, %si
1:	movl	$NO_MSR, %ecx
	movl	$-1, %eax
	movl	%eax, %edx
	rdmsr
	orl	%edx, %eax
	jnz	2f
	wrmsr
	decw	%si
	jnz	1b
	clc
	ret
2:	stc
	ret

print:	/* by the BIOS */
	movw	$text_page, %si
1:	lodsb
	testb	%al, %al
	jz	2f
	movb	$0, %ah
	xorw	%dx, %dx
	int	$0x17
	testb	$0x29, %ah	/* time-out, error, out of paper */
	jz	1b
	stc
	ret
2:	clc
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
	movw	$text_error, %si
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

found:		.word 0
ticks:		.word 0

text_smram:	.asciz "board: SMRAM opens and closes"
text_lock:	.asciz "board: SMRAM locks"
text_mp:	.asciz "board: no MP table for one processor"
text_pir:	.asciz "board: one PIR table, of this machine"
text_timer:	.asciz "board: ticks of the timer"
text_clock:	.asciz "board: ticks of the clock"
text_msr:	.asciz "board: a register of no processor"
text_printer:	.asciz "board: printer"
text_page:	.asciz "printed by the board\r\n"
text_made_up:	.asciz " are made up\r\n"
text_lost:	.asciz " are lost\r\n"
text_floppy:	.asciz "board: floppy "
text_read:	.asciz "read and written"
text_none:	.asciz "none"
text_ok:	.asciz ": ok\r\n"
text_error:	.asciz "FAILED, status "
text_end:	.asciz "\r\n"
text_next:	.asciz "\r\nboard: next?\r\n"
text_done:	.asciz "board: done\r\n"

	.org	SECTORS * 512
