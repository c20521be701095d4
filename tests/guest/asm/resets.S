/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that resets its processor and its machine in every way there is, and then misbehaves.
 *
 * A boot sector and the sectors behind it. The step that it has reached is kept in CMOS byte 50h, which every
 * reset leaves alone. Each step says its name on COM1 when it has led where it should; the last one powers
 * the machine off. "resets: done" is the proof; anything unexpected says "FAILED" and powers off too.
 */
	.code16
	.section .text
	.globl _start

#include "console.inc"

#define STEP 0x50	/* CMOS */
#define SHUTDOWN 0x0f	/* CMOS: how the firmware goes on */
#define SECTORS 8

_start:
	BOOTED
	/* The rest of the program, behind the boot sector. */
	movw	$0x0200 + SECTORS - 1, %ax
	movw	$0x7e00, %bx
	movw	$0x0002, %cx
	movb	$0, %dh
	int	$0x13
	jc	load_failed
	jmp	loaded

load_failed:
	movw	$text_load, %si
	jmp	fail

/* --- helpers: in the boot sector, so that a failed load can speak */

	CONSOLE

cmos_read:	/* AL index, AL value */
	outb	%al, $0x70
	inb	$0x71, %al
	ret

cmos_write:	/* AL index, AH value */
	outb	%al, $0x70
	xchgb	%al, %ah
	outb	%al, $0x71
	ret

text_failed:
	.asciz	"resets: FAILED "
text_load:
	.asciz	"loading\r\n"

	.org	510
	.word	0xaa55

/* --- the program */

loaded:
	/* Eight bits, no parity; the speed does not matter. */
	movw	$COM1 + 3, %dx
	movb	$3, %al
	outb	%al, %dx
	movb	$STEP, %al
	call	cmos_read
	cmpb	$STEPS, %al
	ja	bad_step
	movzbw	%al, %bx
	/* After a full POST: the step before must have been one that ends in one. */
	cmpb	$0, after_post(%bx)
	je	bad_step
arrived:	/* BX: the step to come; says the name of the one that is done */
	pushw	%bx
	testw	%bx, %bx
	jz	1f
	movw	$text_prefix, %si
	call	puts
	popw	%bx
	pushw	%bx
	addw	%bx, %bx
	movw	names-2(%bx), %si
	call	puts
	movw	$text_ok, %si
	call	puts
1:	popw	%bx
	movb	$STEP, %al
	movb	%bl, %ah
	incb	%ah
	call	cmos_write
	addw	%bx, %bx
	jmp	*steps(%bx)

bad_step:
	movw	$text_step, %si
	jmp	fail

/* The firmware jumps here after a reset of the processor alone. */
resumed:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	cld
	cmpl	$0x600dcafe, 0x600	/* memory is as it was */
	jne	bad_memory
	movb	$STEP, %al
	call	cmos_read
	movzbw	%al, %bx
	cmpb	$0, after_post(%bx)
	jne	bad_step
	jmp	arrived

bad_memory:
	movw	$text_memory, %si
	jmp	fail

/* Makes the firmware come to resumed; AH is the shutdown code. */
prepare:
	movb	$SHUTDOWN, %al
	call	cmos_write
	movw	$resumed, 0x467
	movw	$0, 0x469
	movl	$0x600dcafe, 0x600
	ret

step_kbc:
	movb	$0x0a, %ah
	call	prepare
kbc_reset:
	movb	$0xfe, %al
	outb	%al, $0x64
1:	hlt
	jmp	1b

step_port92:
	movb	$0x05, %ah
	call	prepare
port92_reset:
	inb	$0x92, %al
	andb	$0xfe, %al
	outb	%al, $0x92
	orb	$1, %al
	outb	%al, $0x92
1:	hlt
	jmp	1b

step_triple:
	movb	$0x0a, %ah
	call	prepare
	lidt	no_idt
	int3
1:	hlt
	jmp	1b

step_cf9_soft:
	movb	$0x0a, %ah
	call	prepare
	movw	$0xcf9, %dx
	movb	$0, %al
	outb	%al, %dx
	movb	$4, %al
	outb	%al, %dx
1:	hlt
	jmp	1b

step_kbc_hard:
	movw	$SHUTDOWN, %ax
	call	cmos_write
	jmp	kbc_reset

step_port92_hard:
	movw	$SHUTDOWN, %ax
	call	cmos_write
	jmp	port92_reset

step_cf9_hard:
	movw	$0xcf9, %dx
	movb	$2, %al
	outb	%al, %dx
	movb	$6, %al
	outb	%al, %dx
1:	hlt
	jmp	1b

/* --- misbehaviour: nothing of it may stop the machine */

step_rude:
	/* The firmware's shadow is locked; writes go nowhere. */
	pushw	%ds
	movw	$0xf000, %ax
	movw	%ax, %ds
	movw	0xfff0, %bx
	notw	%bx
	movw	%bx, 0xfff0
	cmpw	%bx, 0xfff0
	popw	%ds
	movw	$text_rom, %si
	je	fail
	/* Registers that no processor has. */
	movl	$0x1234, %ecx
	movl	$-1, %eax
	rdmsr
	testl	%eax, %eax
	movw	$text_msr, %si
	jnz	fail
	movl	$0xdeadbeef, %eax
	wrmsr
	/* Every port below 1000h is read, in bytes and dwords, but the data ports that would block. */
	xorw	%dx, %dx
1:	inb	%dx, %al
	inl	%dx, %eax
	incw	%dx
	cmpw	$0x1000, %dx
	jb	1b
	/* A command that no drive has: aborted. */
	movw	$0x1f6, %dx
	movb	$0xa0, %al
	outb	%al, %dx
	movw	$0x3f6, %dx
	movb	$2, %al
	outb	%al, %dx
	movw	$0x1f7, %dx
2:	inb	%dx, %al
	testb	$0x80, %al
	jnz	2b
	movb	$0xff, %al
	outb	%al, %dx
3:	inb	%dx, %al
	testb	$0x80, %al
	jnz	3b
	testb	$1, %al
	movw	$text_ata, %si
	jz	fail
	/* DMA with a descriptor table outside of memory: a bus error, and life goes on. */
	movl	$0x80000920, %eax	/* base of the bus master */
	movw	$0xcf8, %dx
	outl	%eax, %dx
	movw	$0xcfc, %dx
	inl	%dx, %eax
	andw	$0xfff0, %ax
	movw	%ax, %bx
	leaw	4(%bx), %dx
	movl	$0xfffffff0, %eax
	outl	%eax, %dx
	leaw	2(%bx), %dx
	movb	$0x66, %al
	outb	%al, %dx
	movw	%bx, %dx
	movb	$8, %al
	outb	%al, %dx
	movw	$0x1f2, %dx
	movb	$1, %al
	outb	%al, %dx
	movw	$0x1f6, %dx
	movb	$0xe0, %al
	outb	%al, %dx
	movw	$0x1f7, %dx
	movb	$0xc8, %al
	outb	%al, %dx
	movw	%bx, %dx
	movb	$9, %al
	outb	%al, %dx
	movw	$0x1f7, %dx
4:	inb	%dx, %al
	testb	$0x80, %al
	jnz	4b
	leaw	2(%bx), %dx
	inb	%dx, %al
	testb	$2, %al
	movw	$text_dma, %si
	jz	fail
	movw	%bx, %dx
	movb	$0, %al
	outb	%al, %dx
	/* Video memory that text mode leaves out. */
	movw	$0xa000, %ax
	movw	%ax, %es
	movw	$0x5aa5, %es:0
	cmpw	$-1, %es:0
	movw	$text_hole, %si
	jne	fail
	movb	$STEP, %al
	movb	$0, %ah
	call	cmos_write
	movw	$text_done, %si
	call	puts
	jmp	power_off

steps:
	.word	step_kbc, step_port92, step_triple, step_cf9_soft
	.word	step_kbc_hard, step_port92_hard, step_cf9_hard, step_rude
steps_end:
	.set	STEPS, (steps_end - steps) / 2

/* Whether step n begins after a full POST, n from 0 on. */
after_post:
	.byte	1, 0, 0, 0, 0, 1, 1, 1, 0

names:
	.word	name_kbc, name_port92, name_triple, name_cf9_soft
	.word	name_kbc_hard, name_port92_hard, name_cf9_hard
name_kbc:
	.asciz	"i8042 FEh, shutdown code 0Ah"
name_port92:
	.asciz	"port 92h, shutdown code 05h"
name_triple:
	.asciz	"triple fault, shutdown code 0Ah"
name_cf9_soft:
	.asciz	"CF9h soft, shutdown code 0Ah"
name_kbc_hard:
	.asciz	"i8042 FEh, shutdown code 0"
name_port92_hard:
	.asciz	"port 92h, shutdown code 0"
name_cf9_hard:
	.asciz	"CF9h hard"

text_prefix:
	.asciz	"resets: "
text_ok:
	.asciz	": ok\r\n"
text_done:
	.asciz	"resets: done\r\n"
text_step:
	.asciz	"the way back was another\r\n"
text_memory:
	.asciz	"memory was lost\r\n"
text_rom:
	.asciz	"ROM was written\r\n"
text_msr:
	.asciz	"an unknown register is not 0\r\n"
text_ata:
	.asciz	"an unknown command was not aborted\r\n"
text_dma:
	.asciz	"DMA outside of memory went unnoticed\r\n"
text_hole:
	.asciz	"something is where text mode has no memory\r\n"

	.balign	4
no_idt:
	.word	0
	.long	0

	.org	SECTORS * 512
