/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option ROM of the bios_disk device: int 13h at the speed of the host.
 *
 * The firmware reads disks word by word through the IDE data port. This ROM hooks int 13h behind it and
 * hands reads and writes of IDE hard disks to the device (devmodel/bios_disk.c), which moves the sectors
 * straight into memory. It does so only where that is the same to the caller: a hard disk that the
 * firmware drives through IDE, the processor in real mode (buffer addresses are physical ones). In every
 * other case, and whenever the device reports anything but success, the firmware's own code runs.
 *
 * Reading and writing, with cylinder, head and sector (02h, 03h) or extended (42h, 43h), are all that moves
 * data. The firmware answers every other function, EDD's questions too, without going to the disk: those stay
 * its own, so that parameters, errors and their codes are the firmware's in any case.
 *
 * Which disk: the firmware is asked (int 13h, 48h) for the task file's port and the drive's unit, so that
 * its numbering of drives is the only one.
 *
 * Resident state: the firmware's vector, stored at initialisation, when shadow RAM is still writable.
 */
	.code16
	.section .text

#define PORT_PACKET 0x520	/* dword: address of the packet; starts */
#define PORT_STATUS 0x524	/* byte: 0 done, 1 busy, else failed */

/* Stack frame of the handler, from SP up, after all pushes. */
#define PACKET 0		/* 16 bytes, as struct packet in bios_disk.c */
#define PACKET_COMMAND (PACKET + 0)
#define PACKET_UNIT (PACKET + 1)
#define PACKET_SECTORS (PACKET + 2)
#define PACKET_BUFFER (PACKET + 4)
#define PACKET_LBA (PACKET + 8)
#define EDD 16			/* result of function 48h, 1Eh bytes are asked for */
#define EDD_SIZE 0x1e
#define EDD_DPTE 0x1a		/* far pointer to the device parameter table extension */
#define FRAME 48
/* Behind the frame: what was pushed, in pusha's order. */
#define SAVED_DS (FRAME + 2)
#define SAVED_ES (FRAME + 0)
#define SAVED_EDI (FRAME + 4)
#define SAVED_ESI (FRAME + 8)
#define SAVED_EBX (FRAME + 20)
#define SAVED_EDX (FRAME + 24)
#define SAVED_ECX (FRAME + 28)
#define SAVED_EAX (FRAME + 32)
#define SAVED_FLAGS (FRAME + 40)	/* of the interrupted program, behind IP and CS */

/* Device parameter table extension (EDD 1.1): */
#define DPTE_IOBASE 0
#define DPTE_UNIT 4

	.globl _start
_start:
	.word	0xaa55
	.byte	ROM_BLOCKS	/* of 512 bytes */
	jmp	initialise
	.org	6
	.byte	0		/* checksum, filled in when the ROM is handed to the firmware */
	.org	8
	.asciz	"Mainstay fast disk"

	.balign	4
firmware_vector:
	.long	0

initialise:
	pushw	%es
	pushl	%eax
	xorw	%ax, %ax
	movw	%ax, %es
	movl	%es:0x13*4, %eax
	movl	%eax, %cs:firmware_vector
	movw	$handler, %es:0x13*4
	movw	%cs, %es:0x13*4+2
	popl	%eax
	popw	%es
	/* No disk of its own to register. */
	xorw	%ax, %ax
	lretw

/* Calls the firmware's int 13h with the registers as they are. */
	.macro	call_firmware
	pushfw
	lcallw	*%cs:firmware_vector
	.endm

handler:
	testb	$0x80, %dl
	jz	chain
	cmpb	$0x42, %ah
	je	ours
	cmpb	$0x02, %ah
	je	ours
	cmpb	$0x43, %ah
	je	ours
	cmpb	$0x03, %ah
	je	ours
chain:
	ljmpw	*%cs:firmware_vector

ours:
	pushal
	pushw	%ds
	pushw	%es
	cld
	subw	$FRAME, %sp
	movw	%sp, %bp
	/* Virtual-8086 mode and protected mode have PE set: buffers may lie elsewhere than they seem to. */
	smsww	%ax
	testb	$1, %al
	jnz	decline

	/* --- the disk: port and unit as the firmware knows them */
	pushw	%ss
	popw	%ds
	leaw	EDD(%bp), %si
	movw	$EDD_SIZE, (%si)
	movb	$0x48, %ah
	movb	SAVED_EDX(%bp), %dl
	call_firmware
	jc	decline
	cmpw	$EDD_SIZE, EDD(%bp)
	jb	decline
	cmpl	$-1, EDD+EDD_DPTE(%bp)
	je	decline
	ldsw	EDD+EDD_DPTE(%bp), %si
	movw	DPTE_IOBASE(%si), %ax
	movb	DPTE_UNIT(%si), %bl
	shrb	$4, %bl
	andb	$1, %bl
	cmpw	$0x1f0, %ax
	je	1f
	cmpw	$0x170, %ax
	jne	decline
	orb	$2, %bl
1:	movb	%bl, PACKET_UNIT(%bp)

	/* --- the blocks: a disk address packet, or cylinder, head and sector */
	movb	SAVED_EAX+1(%bp), %ah
	movb	%ah, %al
	andb	$1, %al		/* 42h, 02h: 0; 43h, 03h: 1 */
	testb	$0x40, %ah
	jz	chs
	movb	%al, PACKET_COMMAND(%bp)
	movw	SAVED_DS(%bp), %ds
	movw	SAVED_ESI(%bp), %si
	cmpb	$0x10, (%si)
	jb	decline
	movw	2(%si), %cx
	cmpw	$0x7f, %cx
	ja	decline
	movl	4(%si), %eax
	cmpl	$-1, %eax	/* a flat 64-bit address follows: leave it to the firmware */
	je	decline
	movl	8(%si), %edx
	movl	12(%si), %ebx
	jmp	transfer

chs:
	xorb	$2, %ah		/* 02h: 0, 03h: 1 */
	movb	%ah, PACKET_COMMAND(%bp)
	movb	SAVED_EDX(%bp), %dl
	movb	$0x08, %ah
	call_firmware		/* CL: sectors, DH: last head; ES:DI changes */
	jc	decline
	movzbl	%dh, %edi
	incw	%di		/* heads */
	andl	$0x3f, %ecx	/* sectors of a track */
	jz	decline
	movw	SAVED_ECX(%bp), %ax
	movb	%al, %bl
	andb	$0x3f, %bl	/* sector, from 1 */
	jz	decline
	cmpb	%cl, %bl
	ja	decline
	shrb	$6, %al
	xchgb	%al, %ah	/* cylinder */
	movzwl	%ax, %eax
	mull	%edi
	movzbl	SAVED_EDX+1(%bp), %edx
	cmpl	%edi, %edx
	jae	decline
	addl	%edx, %eax
	mull	%ecx
	movzbl	%bl, %ebx
	decl	%ebx
	addl	%ebx, %eax
	movl	%eax, %edx
	xorl	%ebx, %ebx
	movzbw	SAVED_EAX(%bp), %cx
	movw	SAVED_ES(%bp), %ax
	shll	$16, %eax
	movw	SAVED_EBX(%bp), %ax

	/* EBX:EDX block, CX sectors, EAX buffer as segment and offset */
transfer:
	jcxz	decline
	movl	%edx, PACKET_LBA(%bp)
	movl	%ebx, PACKET_LBA+4(%bp)
	movw	%cx, PACKET_SECTORS(%bp)
	movzwl	%ax, %edx
	shrl	$16, %eax
	shll	$4, %eax
	addl	%edx, %eax
	movl	%eax, PACKET_BUFFER(%bp)
	movw	%ss, %ax
	movzwl	%ax, %eax
	shll	$4, %eax
	movzwl	%bp, %edx
	addl	%edx, %eax
	movw	$PORT_PACKET, %dx
	outl	%eax, %dx
	movw	$PORT_STATUS, %dx
2:	inb	%dx, %al
	cmpb	$1, %al
	je	2b
	testb	%al, %al
	jnz	decline

	/* --- done: AH 0, carry clear, and the status where the firmware keeps it */
	movb	$0, SAVED_EAX+1(%bp)
	andw	$0xfffe, SAVED_FLAGS(%bp)
	movw	$0x40, %ax
	movw	%ax, %ds
	movb	$0, 0x74
	addw	$FRAME, %sp
	popw	%es
	popw	%ds
	popal
	iretw

decline:
	addw	$FRAME, %sp
	popw	%es
	popw	%ds
	popal
	jmp	chain

	.balign	512
_end:
	.set	ROM_BLOCKS, (_end - _start) / 512
