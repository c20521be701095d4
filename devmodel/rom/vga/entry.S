/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Video BIOS of the S3 Trio64, the ROM's head: header, PCI data structure, entry points and the few
 * routines that C cannot say. See bios.h.
 */
	.code16
	.section .head, "ax"
	.globl	_start
_start:
	.word	0xaa55
	.byte	ROM_BLOCKS
	jmp	init_entry
	.org	6
	.byte	0		/* checksum, filled in when the ROM is handed to the firmware */
	.org	0x18
	.word	pci_data
	.org	0x1e
	.ascii	"IBM VGA compatible BIOS"
	.byte	0
	.ascii	"S3 86C764 "
	.asciz	"Mainstay video BIOS"

	.balign	4
pci_data:
	.ascii	"PCIR"
	.word	0x5333, 0x8811
	.word	0
	.word	0x18		/* length of this structure */
	.byte	0
	.byte	0, 0, 3		/* class: VGA */
	.word	ROM_BLOCKS
	.word	1
	.byte	0		/* code for PCs */
	.byte	0x80		/* the last image */
	.word	0

	.balign	4
	.globl	save_pointers
save_pointers:			/* the primary display's ROM is always seen at C0000h */
	.word	video_parameters, 0xc000
	.fill	24, 1, 0

	.text
/* The firmware calls it far, with bus, device and function in AX. */
init_entry:
	pushal
	pushw	%ds
	pushw	%es
	pushw	%fs
	pushw	%gs
	cld
	movw	%cs, %ax
	movw	%ax, %gs
	movw	%ss, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movzwl	%sp, %esp
	calll	initialise
	popw	%gs
	popw	%fs
	popw	%es
	popw	%ds
	popal
	lretw

	.globl	int10_entry
int10_entry:
	pushal			/* the frame is struct regs */
	pushw	%gs
	pushw	%fs
	pushw	%ds
	pushw	%es
	cld
	movw	%cs, %ax
	movw	%ax, %gs
	movw	%ss, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movzwl	%sp, %esp
	movl	%esp, %eax
	calll	int10
	popw	%es
	popw	%ds
	popw	%fs
	popw	%gs
	popal
	iretw

/* VBE's window function, called far: function 05h without AX. */
	.globl	vbe_window_entry
vbe_window_entry:
	pushw	%ax
	movw	$0x4f05, %ax
	int	$0x10
	popw	%ax
	lretw

/* Services nobody has: int 42h, the print screen of int 05h of old BIOSes. */
	.globl	iret_entry
iret_entry:
	iretw

/* far_copy(to_segment EAX, to EDX, from_segment ECX, from, bytes on the stack); regparm(3) */
	.macro	copy_body string
	pushl	%esi
	pushl	%edi
	pushw	%ds
	pushw	%es
	movw	%ax, %es
	movzwl	%dx, %edi
	movzwl	16(%esp), %esi		/* behind what was pushed and the return address */
	movl	20(%esp), %edx
	movw	%cx, %ds
	movzwl	%dx, %ecx
	\string
	popw	%es
	popw	%ds
	popl	%edi
	popl	%esi
	retl
	.endm

	.macro	up
	cld
	movw	%cx, %dx
	shrw	$2, %cx
	rep movsl
	movw	%dx, %cx
	andw	$3, %cx
	rep movsb
	.endm
	.macro	down
	std
	movw	%cx, %dx
	andw	$3, %cx
	rep movsb
	subw	$3, %si
	subw	$3, %di
	movw	%dx, %cx
	shrw	$2, %cx
	rep movsl
	cld
	.endm

	/* Each byte for itself: what a planar memory's latches need. */
	.globl	far_copy_latched
far_copy_latched:
	copy_body "rep movsb"
	.globl	far_copy
far_copy:
	copy_body up
	.globl	far_copy_down
far_copy_down:
	copy_body down

/* far_fill(segment EAX, to EDX, value ECX, words on the stack) */
	.globl	far_fill
far_fill:
	pushl	%edi
	pushw	%es
	movw	%ax, %es
	movzwl	%dx, %edi
	movw	%cx, %ax
	shll	$16, %eax
	movw	%cx, %ax
	movzwl	10(%esp), %ecx
	movw	%cx, %dx
	shrw	$1, %cx
	rep stosl
	andw	$1, %dx
	movw	%dx, %cx
	rep stosw
	popw	%es
	popl	%edi
	retl

	.section .note.GNU-stack, "", @progbits
