/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the 440BX board's interrupts are wired: what ACPI, MP and $PIR tables tell must agree with
 * each other, with devmodel/pci.h (rotation of the PCI pins), the firmware (which programs the PIRQ
 * lines) and KVM's routing (kvm.c).
 */
#ifndef VMM_BOARD_IRQS_H
#define VMM_BOARD_IRQS_H

#include <stdint.h>

#define BOARD_LAPIC_ADDRESS 0xfee00000u
#define BOARD_IOAPIC_ADDRESS 0xfec00000u
#define BOARD_IOAPIC_ID 8 /* behind the ids of the processors, VM_CPUS_MAX */

/* The interval timer goes to pin 2 of the IOAPIC, every other interrupt to the pin of its number.
 */
#define BOARD_IRQ0_PIN 2

#define BOARD_SCI_IRQ 9

/* PCI slots with interrupts: 1 is the PIIX4, 2 to 6 take cards. */
#define BOARD_PCI_SLOT_FIRST 1
#define BOARD_PCI_SLOT_LAST 6
#define BOARD_PCI_PINS 4

/* The display adapter. */
#define BOARD_VGA_DEVFN 0x10

/* PIIX4 function 0 at 00:01.0, and the first of its PIRQ registers. */
#define BOARD_PIIX4_DEVFN 0x08
#define BOARD_PIRQRC 0x60

/* The PIRQ line, 0 to 3, of pin @pin (0: INTA#) of slot @slot. */
static inline unsigned int board_pirq(unsigned int slot, unsigned int pin)
{
	return (slot - 1 + pin) % BOARD_PCI_PINS;
}

/* The interrupt to which the firmware leads a PIRQ line. */
static inline uint8_t board_pirq_irq(unsigned int pirq)
{
	return pirq < 2 ? 10 : 11;
}

#endif
