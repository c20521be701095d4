// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DSDT of the 440BX board: 82443BX host bridge, PIIX4 with its ISA devices, PCI interrupt links.
 *
 * ACPI 1.0b, for Windows 98 to 2003 as well as today's systems: 32-bit integers, small resource
 * descriptors, no opcode newer than 1.0. The firmware reads this table too (it looks for the keyboard's
 * _HID), with a parser that knows names, scopes, devices, packages, regions, fields and methods at the
 * outer levels and nothing else: keep executable code inside methods.
 *
 * What differs from machine to machine: PMLO, the start of the PCI memory window, which vmm/acpi.c
 * patches; the processors are in an SSDT that it writes. Left out: USB, sleep states but S3 and
 * soft-off.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 1, "MNSTAY", "MS440BX ", 1)
{
	/* Where the firmware begins to place PCI memory; see acpi_pci_window(). */
	Name (PMLO, 0xE0000000)

	/*
	 * PMCNTRL SUS_TYP: 101b is the working state, 001b suspend to RAM, 000b soft-off (82371AB,
	 * 11.2.3).
	 */
	Name (\_S0, Package () { 5, 5, 0, 0 })
	Name (\_S3, Package () { 1, 1, 0, 0 })
	Name (\_S5, Package () { 0, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_BBN, 0)

			Name (WIN, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0x00, 0xFF, 0, 0x100)
				IO (Decode16, 0xCF8, 0xCF8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x0000, 0x0CF7, 0, 0x0CF8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x0D00, 0xFFFF, 0, 0xF300)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0, 0x000A0000, 0x000BFFFF, 0, 0x00020000)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0, 0xE0000000, 0xFEBFFFFF, 0, 0x1EC00000,,, PMEM)
			})

			Method (_CRS, 0, Serialized)
			{
				CreateDWordField (WIN, \_SB.PCI0.PMEM._MIN, PMIN)
				CreateDWordField (WIN, \_SB.PCI0.PMEM._MAX, PMAX)
				CreateDWordField (WIN, \_SB.PCI0.PMEM._LEN, PLEN)
				Store (PMLO, PMIN)
				Add (Subtract (PMAX, PMIN), 1, PLEN)
				Return (WIN)
			}

			/*
			 * Pin p of slot s is led to PIRQ (s - 1 + p) mod 4, in PIC and in APIC mode: the
			 * I/O APIC's pins 5 to 11 carry the lines of the same numbers.
			 */
			Name (_PRT, Package ()
			{
				Package () { 0x0001FFFF, 0, \_SB.LNKA, 0 },
				Package () { 0x0001FFFF, 1, \_SB.LNKB, 0 },
				Package () { 0x0001FFFF, 2, \_SB.LNKC, 0 },
				Package () { 0x0001FFFF, 3, \_SB.LNKD, 0 },

				Package () { 0x0002FFFF, 0, \_SB.LNKB, 0 },
				Package () { 0x0002FFFF, 1, \_SB.LNKC, 0 },
				Package () { 0x0002FFFF, 2, \_SB.LNKD, 0 },
				Package () { 0x0002FFFF, 3, \_SB.LNKA, 0 },

				Package () { 0x0003FFFF, 0, \_SB.LNKC, 0 },
				Package () { 0x0003FFFF, 1, \_SB.LNKD, 0 },
				Package () { 0x0003FFFF, 2, \_SB.LNKA, 0 },
				Package () { 0x0003FFFF, 3, \_SB.LNKB, 0 },

				Package () { 0x0004FFFF, 0, \_SB.LNKD, 0 },
				Package () { 0x0004FFFF, 1, \_SB.LNKA, 0 },
				Package () { 0x0004FFFF, 2, \_SB.LNKB, 0 },
				Package () { 0x0004FFFF, 3, \_SB.LNKC, 0 },

				Package () { 0x0005FFFF, 0, \_SB.LNKA, 0 },
				Package () { 0x0005FFFF, 1, \_SB.LNKB, 0 },
				Package () { 0x0005FFFF, 2, \_SB.LNKC, 0 },
				Package () { 0x0005FFFF, 3, \_SB.LNKD, 0 },

				Package () { 0x0006FFFF, 0, \_SB.LNKB, 0 },
				Package () { 0x0006FFFF, 1, \_SB.LNKC, 0 },
				Package () { 0x0006FFFF, 2, \_SB.LNKD, 0 },
				Package () { 0x0006FFFF, 3, \_SB.LNKA, 0 }
			})

			/* PIIX4 function 0, the ISA bridge. */
			Device (ISA)
			{
				Name (_ADR, 0x00010000)

				OperationRegion (PIRQ, PCI_Config, 0x60, 4)
				Field (PIRQ, ByteAcc, NoLock, Preserve)
				{
					PIRA, 8,
					PIRB, 8,
					PIRC, 8,
					PIRD, 8
				}

				Device (PIC)
				{
					Name (_HID, EisaId ("PNP0000"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x20, 0x20, 1, 2)
						IO (Decode16, 0xA0, 0xA0, 1, 2)
						IO (Decode16, 0x4D0, 0x4D0, 1, 2)
						IRQNoFlags () { 2 }
					})
				}

				Device (PIT)
				{
					Name (_HID, EisaId ("PNP0100"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x40, 0x40, 1, 4)
						IRQNoFlags () { 0 }
					})
				}

				Device (DMAC)
				{
					Name (_HID, EisaId ("PNP0200"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x00, 0x00, 1, 0x10)
						IO (Decode16, 0x81, 0x81, 1, 0x0F)
						IO (Decode16, 0xC0, 0xC0, 1, 0x20)
						DMA (Compatibility, NotBusMaster, Transfer8) { 4 }
					})
				}

				Device (RTC)
				{
					Name (_HID, EisaId ("PNP0B00"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x70, 0x70, 1, 4)
						IRQNoFlags () { 8 }
					})
				}

				Device (FPU)
				{
					Name (_HID, EisaId ("PNP0C04"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0xF0, 0xF0, 1, 1)
						IRQNoFlags () { 13 }
					})
				}

				Device (SPKR)
				{
					Name (_HID, EisaId ("PNP0800"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x61, 0x61, 1, 1)
					})
				}

				Device (KBD)
				{
					Name (_HID, EisaId ("PNP0303"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x60, 0x60, 1, 1)
						IO (Decode16, 0x64, 0x64, 1, 1)
						IRQNoFlags () { 1 }
					})
				}

				Device (MOU)
				{
					Name (_HID, EisaId ("PNP0F13"))
					Name (_CRS, ResourceTemplate ()
					{
						IRQNoFlags () { 12 }
					})
				}

				/* Which drives there are is in CMOS, as on every PC. */
				Device (FDC0)
				{
					Name (_HID, EisaId ("PNP0700"))
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x3F2, 0x3F2, 1, 4)
						IO (Decode16, 0x3F7, 0x3F7, 1, 1)
						IRQNoFlags () { 6 }
						DMA (Compatibility, NotBusMaster, Transfer8) { 2 }
					})
				}

				Device (COM1)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 1)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x3F8, 0x3F8, 1, 8)
						IRQNoFlags () { 4 }
					})
				}

				Device (COM2)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 2)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x2F8, 0x2F8, 1, 8)
						IRQNoFlags () { 3 }
					})
				}

				Device (LPT1)
				{
					Name (_HID, EisaId ("PNP0400"))
					Name (_UID, 1)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x378, 0x378, 1, 8)
						IRQNoFlags () { 7 }
					})
				}

				/* Ports of the board that no driver may be given: POST code, port 92h, SMI
				   command, configuration port of the firmware, PM and SMBus registers. */
				Device (MBRD)
				{
					Name (_HID, EisaId ("PNP0C02"))
					Name (_UID, 1)
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x80, 0x80, 1, 1)
						IO (Decode16, 0x92, 0x92, 1, 1)
						IO (Decode16, 0xB2, 0xB2, 1, 2)
						IO (Decode16, 0x510, 0x510, 1, 12)
						IO (Decode16, 0x600, 0x600, 1, 0x40)
						IO (Decode16, 0x700, 0x700, 1, 0x10)
					})
				}
			}
		}

		/*
		 * Interrupt links: PIRQRC of the PIIX4, bit 7 set: not routed. Interrupts 3, 4, 6, 7, 12, 14
		 * and 15 belong to the devices above and the drives.
		 */
		Name (LCUR, ResourceTemplate ()
		{
			IRQ (Level, ActiveLow, Shared) { }
		})

		/* _STA, _CRS and what _SRS wants, of all four links. */
		Method (LSTA, 1, NotSerialized)
		{
			If (And (Arg0, 0x80))
			{
				Return (0x09)
			}
			Return (0x0B)
		}

		Method (LCRS, 1, Serialized)
		{
			CreateWordField (LCUR, 1, LMSK)
			Store (0, LMSK)
			If (LNot (And (Arg0, 0x80)))
			{
				Store (ShiftLeft (1, And (Arg0, 0x0F)), LMSK)
			}
			Return (LCUR)
		}

		Method (LSRS, 1, Serialized)
		{
			CreateWordField (Arg0, 1, WANT)
			FindSetRightBit (WANT, Local0)
			If (Local0)
			{
				Return (Subtract (Local0, 1))
			}
			Return (0x80)
		}

		Device (LNKA)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 1)
			Name (_PRS, ResourceTemplate () { IRQ (Level, ActiveLow, Shared) { 5, 9, 10, 11 } })
			Method (_STA, 0, NotSerialized) { Return (LSTA (\_SB.PCI0.ISA.PIRA)) }
			Method (_CRS, 0, NotSerialized) { Return (LCRS (\_SB.PCI0.ISA.PIRA)) }
			Method (_SRS, 1, NotSerialized) { Store (LSRS (Arg0), \_SB.PCI0.ISA.PIRA) }
			Method (_DIS, 0, NotSerialized)
			{
				Or (\_SB.PCI0.ISA.PIRA, 0x80, \_SB.PCI0.ISA.PIRA)
			}
		}

		Device (LNKB)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 2)
			Name (_PRS, ResourceTemplate () { IRQ (Level, ActiveLow, Shared) { 5, 9, 10, 11 } })
			Method (_STA, 0, NotSerialized) { Return (LSTA (\_SB.PCI0.ISA.PIRB)) }
			Method (_CRS, 0, NotSerialized) { Return (LCRS (\_SB.PCI0.ISA.PIRB)) }
			Method (_SRS, 1, NotSerialized) { Store (LSRS (Arg0), \_SB.PCI0.ISA.PIRB) }
			Method (_DIS, 0, NotSerialized)
			{
				Or (\_SB.PCI0.ISA.PIRB, 0x80, \_SB.PCI0.ISA.PIRB)
			}
		}

		Device (LNKC)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 3)
			Name (_PRS, ResourceTemplate () { IRQ (Level, ActiveLow, Shared) { 5, 9, 10, 11 } })
			Method (_STA, 0, NotSerialized) { Return (LSTA (\_SB.PCI0.ISA.PIRC)) }
			Method (_CRS, 0, NotSerialized) { Return (LCRS (\_SB.PCI0.ISA.PIRC)) }
			Method (_SRS, 1, NotSerialized) { Store (LSRS (Arg0), \_SB.PCI0.ISA.PIRC) }
			Method (_DIS, 0, NotSerialized)
			{
				Or (\_SB.PCI0.ISA.PIRC, 0x80, \_SB.PCI0.ISA.PIRC)
			}
		}

		Device (LNKD)
		{
			Name (_HID, EisaId ("PNP0C0F"))
			Name (_UID, 4)
			Name (_PRS, ResourceTemplate () { IRQ (Level, ActiveLow, Shared) { 5, 9, 10, 11 } })
			Method (_STA, 0, NotSerialized) { Return (LSTA (\_SB.PCI0.ISA.PIRD)) }
			Method (_CRS, 0, NotSerialized) { Return (LCRS (\_SB.PCI0.ISA.PIRD)) }
			Method (_SRS, 1, NotSerialized) { Store (LSRS (Arg0), \_SB.PCI0.ISA.PIRD) }
			Method (_DIS, 0, NotSerialized)
			{
				Or (\_SB.PCI0.ISA.PIRD, 0x80, \_SB.PCI0.ISA.PIRD)
			}
		}
	}
}
