// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Power management and SMBus host: function 3 of the Intel 82371EB (PIIX4E).
 *
 * Source: Intel 82371AB PCI-to-ISA/IDE Xcelerator datasheet, order 290562, chapters 7 and 11; ACPI
 * specification 1.0b for what an operating system makes of it; System Management Bus 1.0.
 *
 * The revision is that of the PIIX4M (03h), whose power management timer reads right the first
 * time: Linux reads the older ones' three times each.
 *
 * Not emulated: system management mode and with it traps of device accesses, whose registers keep
 * what is written; clock throttling and the processor's C states (the level registers read 0 and
 * stop nothing); thermal, lid, ring and USB events; the SMBus slave; suspend types but STR and
 * soft-off, which the board's ACPI tables do not offer either.
 *
 * Theory of operation
 *
 * What an SMI handler would do for ACPI is done here: the values that the ACPI tables give for port
 * B2h (APMC) set and clear SCI_EN. DEVACTB comes out of reset with APMC_EN set, which tells SeaBIOS
 * that SMM is in place already.
 *
 * The timer is computed from virtual time. TMROF_STS is set whenever bit 23 toggles; s.tmr_halves
 * counts the toggles that TMROF_STS knows of, so that the bit is made up for at every access and a
 * host timer is needed only while its interrupt can happen: enabled, SCI_EN set, status clear.
 *
 * An SMBus transaction ends within the write that starts it.
 */
#include "piix4_pm.h"

#include <errno.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "pci.h"
#include "spd_eeprom.h"

/* Configuration registers. */
#define PMBA 0x40
#define DEVACTB 0x58
#define PMREGMISC 0x80
#define SMBBA 0x90
#define SMBHSTCFG 0xd2

#define DEVACTB_APMC_EN BIT(25)
#define PMREGMISC_PMIOSE BIT(0)
#define SMBHSTCFG_HST_EN BIT(0)
#define SMBHSTCFG_INTRSEL 0x0eu
#define SMBHSTCFG_INTRSEL_IRQ9 0x08u

/* I/O registers at PMBA. */
#define PMSTS 0x00
#define PMEN 0x02
#define PMCNTRL 0x04
#define PMTMR 0x08
#define GPSTS 0x0c
#define GPEN 0x0e
#define PCNTRL 0x10
#define PLVL2 0x14
#define PLVL3 0x15
#define GLBSTS 0x18
#define DEVSTS 0x1c
#define GLBEN 0x20
#define GLBCTL 0x28
#define DEVCTL 0x2c
#define GPIREG 0x30
#define GPOREG 0x34
#define PM_PORTS 0x40

#define PMSTS_TMROF BIT(0)
#define PMSTS_GBL BIT(5)
#define PMSTS_PWRBTN BIT(8)
#define PMSTS_RTC BIT(10)
#define PMSTS_WAK BIT(15)
#define PMSTS_ALL 0x8d31
#define PMEN_ALL 0x0521
#define PMCNTRL_SCI_EN BIT(0)
#define PMCNTRL_GBL_RLS BIT(2)
#define PMCNTRL_SUS_TYP_SHIFT 10
#define PMCNTRL_SUS_TYP 0x1c00u
#define PMCNTRL_SUS_EN BIT(13)
#define PMCNTRL_KEPT 0x1c03u
#define GLBSTS_BIOS BIT(0)
#define GLBSTS_DEV BIT(4)
#define GLBSTS_PM1 BIT(6)
#define GLBSTS_GP BIT(7)
#define GLBSTS_SUMMARY (GLBSTS_DEV | GLBSTS_PM1 | GLBSTS_GP)
#define GLBCTL_BIOS_RLS BIT(1)

#define PMTMR_HZ 3579545u
#define PMTMR_MASK 0x00ffffffu
#define PMTMR_HALF_SHIFT 23

/* I/O registers at SMBBA. */
#define SMBHSTSTS 0x00
#define SMBSLVSTS 0x01
#define SMBHSTCNT 0x02
#define SMBHSTCMD 0x03
#define SMBHSTADD 0x04
#define SMBHSTDAT0 0x05
#define SMBHSTDAT1 0x06
#define SMBBLKDAT 0x07
#define SMBSLVCNT 0x08
#define SMBSHDWCMD 0x09
#define SMBSLVEVT 0x0a
#define SMBSLVDAT 0x0c
#define SMB_PORTS 0x10

#define SMBHSTSTS_INTER BIT(1)
#define SMBHSTSTS_DEV_ERR BIT(2)
#define SMBHSTSTS_FAILED BIT(4)
#define SMBHSTSTS_ALL 0x1eu
#define SMBHSTCNT_INTEREN BIT(0)
#define SMBHSTCNT_KILL BIT(1)
#define SMBHSTCNT_PROT 0x1cu
#define SMBHSTCNT_START BIT(6)
#define SMBHSTADD_READ BIT(0)
#define SMB_BLOCK_BYTES 32

/* SMBHSTCNT bits 4:2. */
enum smb_protocol {
	SMB_QUICK,
	SMB_BYTE,
	SMB_BYTE_DATA,
	SMB_WORD_DATA,
	SMB_BLOCK = 5,
};

#define SPD_ADDRESS 0x50

/* I/O registers at B2h. */
#define APMC 0
#define APMS 1

/* class->regions. */
enum { REGION_PM, REGION_SMB, REGION_APM };

struct piix4_pm_state {
	uint64_t tmr_start_ns; /* when PMTMR was 0 */
	uint64_t tmr_halves;   /* toggles of bit 23 that TMROF_STS knows of */
	uint64_t deadline_ns;
	uint32_t pcntrl, devsts, glbctl, devctl, gporeg;
	uint16_t pmsts, pmen, pmcntrl, gpsts, gpen, glbsts, glben;
	uint16_t smbslvevt, smbslvdat;
	uint16_t smbblk_index;
	uint8_t smbblkdat[SMB_BLOCK_BYTES];
	uint8_t spd_pointer[SPD_MODULES_MAX]; /* where a module's EEPROM reads next */
	uint8_t smbhststs, smbslvsts, smbhstcnt, smbhstcmd, smbhstadd, smbhstdat0, smbhstdat1;
	uint8_t smbslvcnt, smbshdwcmd;
	uint8_t apmc, apms;
	uint8_t rtc_irq; /* level of the RTC's interrupt */
	uint8_t config[PCI_CONFIG_SIZE];
};

struct piix4_pm {
	struct pci_function pci;
	struct piix4_pm_state s;
	struct vtimer timer;
	struct irq_line irq;
	unsigned int modules;
	uint8_t spd[SPD_MODULES_MAX][SPD_BYTES];
};

static const struct state_field piix4_pm_fields[] = {
	STATE_FIELD(struct piix4_pm, tmr_start_ns),
	STATE_FIELD(struct piix4_pm, tmr_halves),
	STATE_FIELD(struct piix4_pm, deadline_ns),
	STATE_FIELD(struct piix4_pm, pcntrl),
	STATE_FIELD(struct piix4_pm, devsts),
	STATE_FIELD(struct piix4_pm, glbctl),
	STATE_FIELD(struct piix4_pm, devctl),
	STATE_FIELD(struct piix4_pm, gporeg),
	STATE_FIELD(struct piix4_pm, pmsts, .max = PMSTS_ALL),
	STATE_FIELD(struct piix4_pm, pmen, .max = PMEN_ALL),
	STATE_FIELD(struct piix4_pm, pmcntrl, .max = PMCNTRL_KEPT),
	STATE_FIELD(struct piix4_pm, gpsts),
	STATE_FIELD(struct piix4_pm, gpen),
	STATE_FIELD(struct piix4_pm, glbsts),
	STATE_FIELD(struct piix4_pm, glben),
	STATE_FIELD(struct piix4_pm, smbslvevt),
	STATE_FIELD(struct piix4_pm, smbslvdat),
	STATE_FIELD(struct piix4_pm, smbblk_index, .max = SMB_BLOCK_BYTES - 1),
	STATE_ARRAY(struct piix4_pm, smbblkdat),
	STATE_ARRAY(struct piix4_pm, spd_pointer),
	STATE_FIELD(struct piix4_pm, smbhststs),
	STATE_FIELD(struct piix4_pm, smbslvsts),
	STATE_FIELD(struct piix4_pm, smbhstcnt),
	STATE_FIELD(struct piix4_pm, smbhstcmd),
	STATE_FIELD(struct piix4_pm, smbhstadd),
	STATE_FIELD(struct piix4_pm, smbhstdat0),
	STATE_FIELD(struct piix4_pm, smbhstdat1),
	STATE_FIELD(struct piix4_pm, smbslvcnt),
	STATE_FIELD(struct piix4_pm, smbshdwcmd),
	STATE_FIELD(struct piix4_pm, apmc),
	STATE_FIELD(struct piix4_pm, apms),
	STATE_FIELD(struct piix4_pm, rtc_irq, .max = 1),
	STATE_ARRAY(struct piix4_pm, config),
	STATE_END,
};

static struct piix4_pm *piix4_pm_of(struct device *dev)
{
	return container_of(dev, struct piix4_pm, pci.dev);
}

/* --- the timer */

/* Ticks since PMTMR was 0, not cut to its 24 bits. */
static uint64_t pm_ticks(const struct piix4_pm *pm)
{
	return mul_div_u64(timer_now(&pm->timer) - pm->s.tmr_start_ns, PMTMR_HZ, NSEC_PER_SEC);
}

/* The first nanosecond at which bit 23 has toggled @halves times. */
static uint64_t half_ns(const struct piix4_pm *pm, uint64_t halves)
{
	uint64_t ns = mul_div_u64(halves << PMTMR_HALF_SHIFT, NSEC_PER_SEC, PMTMR_HZ);

	/* The division rounds down, the counter's own does too: the moment is one later. */
	return pm->s.tmr_start_ns + ns + 1;
}

/* Makes up for what the timer did since the last access. */
static void catch_up(struct piix4_pm *pm)
{
	uint64_t halves = pm_ticks(pm) >> PMTMR_HALF_SHIFT;

	if (halves == pm->s.tmr_halves)
		return;
	pm->s.tmr_halves = halves;
	pm->s.pmsts |= PMSTS_TMROF;
}

static void restart_timer(struct piix4_pm *pm)
{
	pm->s.tmr_start_ns = timer_now(&pm->timer);
	pm->s.tmr_halves = 0;
}

/* --- interrupts */

static bool sci_level(const struct piix4_pm *pm)
{
	return (pm->s.pmcntrl & PMCNTRL_SCI_EN) &&
	       ((pm->s.pmsts & pm->s.pmen) || (pm->s.gpsts & pm->s.gpen));
}

static bool smbus_level(const struct piix4_pm *pm)
{
	return (pm->s.smbhststs & SMBHSTSTS_ALL) && (pm->s.smbhstcnt & SMBHSTCNT_INTEREN) &&
	       (pm->s.config[SMBHSTCFG] & SMBHSTCFG_INTRSEL) == SMBHSTCFG_INTRSEL_IRQ9;
}

/* Derives the interrupt and the host timer. */
static void piix4_pm_update_irq(struct piix4_pm *pm)
{
	catch_up(pm);
	if ((pm->s.pmen & PMSTS_TMROF) && (pm->s.pmcntrl & PMCNTRL_SCI_EN) &&
	    !(pm->s.pmsts & PMSTS_TMROF))
		timer_arm(&pm->timer, half_ns(pm, pm->s.tmr_halves + 1));
	else
		timer_cancel(&pm->timer);
	irq_set(&pm->irq, sci_level(pm) || smbus_level(pm));
}

static void piix4_pm_expired(struct device *dev)
{
	piix4_pm_update_irq(piix4_pm_of(dev));
}

/* --- SMBus */

/* The module at the address in SMBHSTADD; modules when nobody answers there. */
static unsigned int addressed_module(const struct piix4_pm *pm)
{
	unsigned int n = (unsigned int)(pm->s.smbhstadd >> 1) - SPD_ADDRESS;

	return n < pm->modules ? n : pm->modules;
}

static uint8_t spd_next(struct piix4_pm *pm, unsigned int module)
{
	return pm->spd[module][pm->s.spd_pointer[module]++];
}

/* The EEPROM of @module is asked for @protocol: false when it does not acknowledge. */
static bool spd_read(struct piix4_pm *pm, unsigned int module, enum smb_protocol protocol)
{
	struct piix4_pm_state *s = &pm->s;

	if (protocol == SMB_BYTE_DATA || protocol == SMB_WORD_DATA)
		s->spd_pointer[module] = s->smbhstcmd;
	switch (protocol) {
	case SMB_QUICK:
		return true;
	case SMB_BYTE:
	case SMB_BYTE_DATA:
		s->smbhstdat0 = spd_next(pm, module);
		return true;
	case SMB_WORD_DATA:
		s->smbhstdat0 = spd_next(pm, module);
		s->smbhstdat1 = spd_next(pm, module);
		return true;
	default:
		return false;
	}
}

/* The EEPROM is write-protected: only the byte that sets its pointer is acknowledged. */
static bool spd_write(struct piix4_pm *pm, unsigned int module, enum smb_protocol protocol)
{
	if (protocol == SMB_BYTE)
		pm->s.spd_pointer[module] = pm->s.smbhstcmd;
	return protocol == SMB_QUICK || protocol == SMB_BYTE;
}

static void smb_start(struct piix4_pm *pm)
{
	enum smb_protocol protocol = (enum smb_protocol)((pm->s.smbhstcnt & SMBHSTCNT_PROT) >> 2);
	unsigned int module = addressed_module(pm);
	bool acknowledged = false;

	if (module < pm->modules)
		acknowledged = pm->s.smbhstadd & SMBHSTADD_READ ? spd_read(pm, module, protocol)
								: spd_write(pm, module, protocol);
	pm->s.smbhststs |= acknowledged ? SMBHSTSTS_INTER : SMBHSTSTS_DEV_ERR;
}

static void smbhstcnt_on_write(struct device *dev, const struct reg *reg, uint32_t old,
			       uint32_t value)
{
	struct piix4_pm *pm = piix4_pm_of(dev);

	(void)reg;
	(void)old;
	/* Nothing is ever under way for KILL to end, but it says that it did. */
	if (value & SMBHSTCNT_KILL)
		pm->s.smbhststs |= SMBHSTSTS_FAILED;
	else if (value & SMBHSTCNT_START)
		smb_start(pm);
}

static uint32_t smbhstcnt_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	piix4_pm_of(dev)->s.smbblk_index = 0;
	return value;
}

static uint8_t *next_block_byte(struct piix4_pm *pm)
{
	uint8_t *byte = &pm->s.smbblkdat[pm->s.smbblk_index];

	pm->s.smbblk_index = (uint16_t)((pm->s.smbblk_index + 1) % SMB_BLOCK_BYTES);
	return byte;
}

static uint32_t smbblkdat_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	(void)value;
	return *next_block_byte(piix4_pm_of(dev));
}

static void smbblkdat_on_write(struct device *dev, const struct reg *reg, uint32_t old,
			       uint32_t value)
{
	(void)reg;
	(void)old;
	*next_block_byte(piix4_pm_of(dev)) = (uint8_t)value;
}

#define PM_REG(member, off, wid, nam, res, wr, ...)                                                \
	REG(struct piix4_pm, s.member, off, wid, nam, res, wr, __VA_ARGS__)

static const struct reg smb_regs[] = {
	PM_REG(smbhststs, SMBHSTSTS, 1, "SMBHSTSTS", 0, 0, .w1c = SMBHSTSTS_ALL),
	PM_REG(smbslvsts, SMBSLVSTS, 1, "SMBSLVSTS", 0, 0, .w1c = 0x3c),
	PM_REG(smbhstcnt, SMBHSTCNT, 1, "SMBHSTCNT", 0,
	       SMBHSTCNT_INTEREN | SMBHSTCNT_KILL | SMBHSTCNT_PROT, .command = SMBHSTCNT_START,
	       .on_read = smbhstcnt_on_read, .on_write = smbhstcnt_on_write),
	PM_REG(smbhstcmd, SMBHSTCMD, 1, "SMBHSTCMD", 0, 0xff),
	PM_REG(smbhstadd, SMBHSTADD, 1, "SMBHSTADD", 0, 0xff),
	PM_REG(smbhstdat0, SMBHSTDAT0, 1, "SMBHSTDAT0", 0, 0xff),
	PM_REG(smbhstdat1, SMBHSTDAT1, 1, "SMBHSTDAT1", 0, 0xff),
	REG_HOOKED(SMBBLKDAT, 1, "SMBBLKDAT", .on_read = smbblkdat_on_read,
		   .on_write = smbblkdat_on_write),
	PM_REG(smbslvcnt, SMBSLVCNT, 1, "SMBSLVCNT", 0, 0x0f),
	PM_REG(smbshdwcmd, SMBSHDWCMD, 1, "SMBSHDWCMD", 0, 0),
	PM_REG(smbslvevt, SMBSLVEVT, 2, "SMBSLVEVT", 0, 0xffff),
	PM_REG(smbslvdat, SMBSLVDAT, 2, "SMBSLVDAT", 0, 0),
};

static const struct reg_bank smb_bank = {
	.name = "piix4-smb",
	.regs = smb_regs,
	.count = ARRAY_LEN(smb_regs),
	.size = SMB_PORTS,
	.open = 0x00,
};

static uint32_t smb_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&smb_bank, dev, offset, size);
}

static void smb_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&smb_bank, dev, offset, size, value);
	piix4_pm_update_irq(piix4_pm_of(dev));
}

/* --- power management registers */

static void pmsts_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if (old & ~value & PMSTS_GBL)
		piix4_pm_of(dev)->s.glbctl &= ~GLBCTL_BIOS_RLS;
}

static void suspend(struct device *dev, unsigned int type)
{
	struct piix4_pm *pm = piix4_pm_of(dev);

	switch (type) {
	case PIIX4_PM_SUS_TYP_SOFF:
		dev->env->request(dev->env, REQUEST_POWER_OFF);
		break;
	case PIIX4_PM_SUS_TYP_STR:
		dev->env->request(dev->env, REQUEST_SUSPEND);
		break;
	default:
		device_log(dev, "suspend type %u is not offered: awake again at once", type);
		pm->s.pmsts |= PMSTS_WAK;
		break;
	}
}

static void pmcntrl_on_write(struct device *dev, const struct reg *reg, uint32_t old,
			     uint32_t value)
{
	(void)reg;
	(void)old;
	if (value & PMCNTRL_GBL_RLS)
		piix4_pm_of(dev)->s.glbsts |= GLBSTS_BIOS;
	if (value & PMCNTRL_SUS_EN)
		suspend(dev, (value & PMCNTRL_SUS_TYP) >> PMCNTRL_SUS_TYP_SHIFT);
}

static uint32_t pmtmr_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)reg;
	(void)value;
	return (uint32_t)pm_ticks(piix4_pm_of(dev)) & PMTMR_MASK;
}

static uint32_t glbsts_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	const struct piix4_pm_state *s = &piix4_pm_of(dev)->s;

	(void)reg;
	value &= ~GLBSTS_SUMMARY;
	return value | (s->pmsts ? GLBSTS_PM1 : 0) | (s->gpsts ? GLBSTS_GP : 0) |
	       (s->devsts ? GLBSTS_DEV : 0);
}

static void glbctl_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)reg;
	if (~old & value & GLBCTL_BIOS_RLS)
		piix4_pm_of(dev)->s.pmsts |= PMSTS_GBL;
}

/* No pin is wired: pull-ups. */
static uint32_t gpireg_on_read(struct device *dev, const struct reg *reg, uint32_t value)
{
	(void)dev;
	(void)value;
	return reg->offset == GPIREG + 2 ? 0x3f : 0xff;
}

static const struct reg pm_regs[] = {
	PM_REG(pmsts, PMSTS, 2, "PMSTS", 0, 0, .w1c = PMSTS_ALL, .on_write = pmsts_on_write),
	PM_REG(pmen, PMEN, 2, "PMEN", 0, PMEN_ALL),
	PM_REG(pmcntrl, PMCNTRL, 2, "PMCNTRL", 0, PMCNTRL_KEPT,
	       .command = PMCNTRL_GBL_RLS | PMCNTRL_SUS_EN, .on_write = pmcntrl_on_write),
	REG_HOOKED(PMTMR, 4, "PMTMR", .on_read = pmtmr_on_read),
	PM_REG(gpsts, GPSTS, 2, "GPSTS", 0, 0, .w1c = 0x0f81),
	PM_REG(gpen, GPEN, 2, "GPEN", 0, 0x0f01),
	PM_REG(pcntrl, PCNTRL, 4, "PCNTRL", 0, 0x00023e1e),
	REG_HOOKED(PLVL2, 1, "PLVL2"),
	REG_HOOKED(PLVL3, 1, "PLVL3"),
	PM_REG(glbsts, GLBSTS, 2, "GLBSTS", 0, 0, .w1c = 0x0d27, .on_read = glbsts_on_read),
	PM_REG(devsts, DEVSTS, 4, "DEVSTS", 0, 0, .w1c = 0x3fff0fff),
	PM_REG(glben, GLBEN, 2, "GLBEN", 0, 0x8d1f),
	PM_REG(glbctl, GLBCTL, 4, "GLBCTL", 0, 0x0701ff07, .on_write = glbctl_on_write),
	PM_REG(devctl, DEVCTL, 4, "DEVCTL", 0, 0x0fffffff),
	REG_HOOKED(GPIREG, 1, "GPIREG0", .on_read = gpireg_on_read),
	REG_HOOKED(GPIREG + 1, 1, "GPIREG1", .on_read = gpireg_on_read),
	REG_HOOKED(GPIREG + 2, 1, "GPIREG2", .on_read = gpireg_on_read),
	PM_REG(gporeg, GPOREG, 4, "GPOREG", 0x7fffbfff, 0x7fffffff),
};

static const struct reg_bank pm_bank = {
	.name = "piix4-pm",
	.regs = pm_regs,
	.count = ARRAY_LEN(pm_regs),
	.size = PM_PORTS,
	.open = 0x00,
};

static uint32_t pm_read(struct device *dev, uint32_t offset, unsigned int size)
{
	catch_up(piix4_pm_of(dev));
	return reg_bank_read(&pm_bank, dev, offset, size);
}

static void pm_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	catch_up(piix4_pm_of(dev));
	reg_bank_write(&pm_bank, dev, offset, size, value);
	piix4_pm_update_irq(piix4_pm_of(dev));
}

/* --- ports B2h and B3h */

static void apmc_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct piix4_pm *pm = piix4_pm_of(dev);

	(void)reg;
	(void)old;
	if (value == PIIX4_PM_ACPI_ENABLE)
		pm->s.pmcntrl |= PMCNTRL_SCI_EN;
	else if (value == PIIX4_PM_ACPI_DISABLE)
		pm->s.pmcntrl &= (uint16_t)~PMCNTRL_SCI_EN;
}

static const struct reg apm_regs[] = {
	PM_REG(apmc, APMC, 1, "APMC", 0, 0xff, .on_write = apmc_on_write),
	PM_REG(apms, APMS, 1, "APMS", 0, 0xff),
};

static const struct reg_bank apm_bank = {
	.name = "piix4-apm",
	.regs = apm_regs,
	.count = ARRAY_LEN(apm_regs),
	.size = 2,
	.open = 0xff,
};

static uint32_t apm_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&apm_bank, dev, offset, size);
}

static void apm_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&apm_bank, dev, offset, size, value);
	piix4_pm_update_irq(piix4_pm_of(dev));
}

/* --- configuration registers */

#define ROW(off, wid, nam, res, wr, ...)                                                           \
	PCI_ROW(struct piix4_pm, off, wid, nam, res, wr, __VA_ARGS__)

static const struct reg piix4_pm_config_regs[] = {
	PCI_COMMON_ROWS(struct piix4_pm, 0x8086, 0x7113, 0x0000, 0x0001, 0x0280, 0x0800, 0x03,
			0x068000, 0, 0x00),
	ROW(PCI_INTLN, 1, "INTLN", 0, 0xff),
	/* The SCI is wired to IRQ 9 and uses no PCI interrupt pin. */
	ROW(PCI_INTPN, 1, "INTPN", 0, 0),
	ROW(PMBA, 4, "PMBA", 0x1, 0xffc0),
	ROW(0x44, 4, "CNTA", 0, 0xffffffff),
	ROW(0x48, 4, "CNTB", 0, 0xffffffff),
	ROW(0x4c, 4, "GPICTL", 0, 0xffffffff),
	ROW(0x50, 4, "DEVRESD", 0, 0x00ffffff),
	ROW(0x54, 4, "DEVACTA", 0, 0xffffffff),
	ROW(DEVACTB, 4, "DEVACTB", DEVACTB_APMC_EN, 0x03ffffff),
	ROW(0x5c, 4, "DEVRESA", 0, 0xffffffff),
	ROW(0x60, 4, "DEVRESB", 0, 0xffffffff),
	ROW(0x64, 4, "DEVRESC", 0, 0xffffffff),
	ROW(0x68, 4, "DEVRESE", 0, 0xffffffff),
	ROW(0x6c, 4, "DEVRESF", 0, 0xffffffff),
	ROW(0x70, 4, "DEVRESG", 0, 0xffffffff),
	ROW(0x74, 4, "DEVRESH", 0, 0xffffffff),
	ROW(0x78, 4, "DEVRESI", 0, 0xffffffff),
	ROW(0x7c, 4, "DEVRESJ", 0, 0xffffffff),
	ROW(PMREGMISC, 1, "PMREGMISC", 0, PMREGMISC_PMIOSE),
	ROW(SMBBA, 4, "SMBBA", 0x1, 0xfff0),
	ROW(SMBHSTCFG, 1, "SMBHSTCFG", 0, 0x0f),
	ROW(0xd3, 1, "SMBSLVC", 0, 0xff),
	ROW(0xd4, 1, "SMBSHDW1", 0, 0xff),
	ROW(0xd5, 1, "SMBSHDW2", 0, 0xff),
	ROW(0xd6, 1, "SMBREV", 0, 0),
};

static const struct reg_bank piix4_pm_config_bank = {
	.name = "piix4-pm-config",
	.regs = piix4_pm_config_regs,
	.count = ARRAY_LEN(piix4_pm_config_regs),
	.size = PCI_CONFIG_SIZE,
	.open = 0x00,
};

/* The base in the register at @offset, whose bits are @mask; nothing decodes address 0. */
static uint64_t io_base(const struct piix4_pm *pm, unsigned int offset, uint16_t mask)
{
	uint16_t base = get_le16(pm->s.config + offset) & mask;

	return base ? base : IO_UNMAPPED;
}

/* The two bases are no BARs: the power management's has an enable of its own. */
static void place_regions(struct piix4_pm *pm)
{
	const uint8_t *config = pm->s.config;
	bool pm_on = config[PMREGMISC] & PMREGMISC_PMIOSE;
	bool smb_on = (config[PCI_CMD] & PCI_CMD_IOSE) && (config[SMBHSTCFG] & SMBHSTCFG_HST_EN);

	device_move_region(&pm->pci.dev, REGION_PM,
			   pm_on ? io_base(pm, PMBA, 0xffc0) : IO_UNMAPPED);
	device_move_region(&pm->pci.dev, REGION_SMB,
			   smb_on ? io_base(pm, SMBBA, 0xfff0) : IO_UNMAPPED);
}

static void piix4_pm_config_written(struct device *dev)
{
	place_regions(piix4_pm_of(dev));
	piix4_pm_update_irq(piix4_pm_of(dev));
}

/* --- events from the machine */

void piix4_pm_power_button(struct device *dev)
{
	struct piix4_pm *pm = piix4_pm_of(dev);

	pm->s.pmsts |= PMSTS_PWRBTN;
	piix4_pm_update_irq(pm);
}

void piix4_pm_rtc_irq(void *dev, unsigned int n, bool level)
{
	struct piix4_pm *pm = piix4_pm_of(dev);

	(void)n;
	/* After a load the RTC raises its line again: that is no new event. */
	if (pm->s.rtc_irq == level)
		return;
	pm->s.rtc_irq = level;
	if (level)
		pm->s.pmsts |= PMSTS_RTC;
	piix4_pm_update_irq(pm);
}

bool piix4_pm_wake_pending(const struct device *dev)
{
	const struct piix4_pm_state *s = &((const struct piix4_pm *)(const void *)dev)->s;

	/* The power button wakes whether its interrupt is enabled or not. */
	return (s->pmsts & PMSTS_PWRBTN) || (s->pmsts & s->pmen & PMSTS_RTC);
}

/* --- life */

static int piix4_pm_init(struct device *dev, const void *config)
{
	const struct piix4_pm_config *pm_config = config;
	struct piix4_pm *pm = piix4_pm_of(dev);
	uint16_t mib[SPD_MODULES_MAX];
	int r;

	if (!pm_config->bus)
		return -EINVAL;
	r = pci_attach(&pm->pci, pm_config->bus, pm_config->devfn);
	if (r < 0)
		return r;
	timer_init(&pm->timer, dev->env->timers, dev, &pm->s.deadline_ns, piix4_pm_expired);
	pm->modules = spd_modules(pm_config->memory_bytes, mib);
	for (unsigned int i = 0; i < pm->modules; i++)
		spd_fill(mib[i], pm->spd[i]);
	return 0;
}

static void piix4_pm_reset(struct device *dev, enum reset_kind kind)
{
	struct piix4_pm *pm = piix4_pm_of(dev);
	uint16_t pmsts, pmen;

	catch_up(pm);
	pmsts = pm->s.pmsts;
	pmen = pm->s.pmen;
	pci_reset(&pm->pci, kind);
	reg_bank_reset(&pm_bank, dev);
	reg_bank_reset(&smb_bank, dev);
	reg_bank_reset(&apm_bank, dev);
	memset(pm->s.smbblkdat, 0, sizeof(pm->s.smbblkdat));
	memset(pm->s.spd_pointer, 0, sizeof(pm->s.spd_pointer));
	pm->s.smbblk_index = 0;
	restart_timer(pm);
	/* The resume well has power in sleep: it knows what woke the machine. */
	if (kind == RESET_SLEEP) {
		pm->s.pmsts = pmsts | PMSTS_WAK;
		pm->s.pmen = pmen;
	}
	place_regions(pm);
	piix4_pm_update_irq(pm);
}

static void piix4_pm_post_load(struct device *dev)
{
	struct piix4_pm *pm = piix4_pm_of(dev);

	/* Never from our own states: virtual time cannot lie before the reset. */
	if (pm->s.tmr_start_ns > timer_now(&pm->timer))
		restart_timer(pm);
	pci_post_load(&pm->pci);
	place_regions(pm);
	piix4_pm_update_irq(pm);
}

static void piix4_pm_fini(struct device *dev)
{
	struct piix4_pm *pm = piix4_pm_of(dev);

	timer_fini(&pm->timer);
	pci_detach(&pm->pci);
}

static const struct io_region_desc piix4_pm_regions[] = {
	[REGION_PM] = {
		.name = "pm",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = PM_PORTS,
		.read = pm_read,
		.write = pm_write,
	},
	[REGION_SMB] = {
		.name = "smb",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = SMB_PORTS,
		.read = smb_read,
		.write = smb_write,
	},
	[REGION_APM] = {
		.name = "apm",
		.space = IO_PORT,
		.base = PIIX4_PM_APMC_PORT,
		.length = 2,
		.read = apm_read,
		.write = apm_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const piix4_pm_banks[] = { &piix4_pm_config_bank, &pm_bank, &smb_bank,
							 &apm_bank, NULL };

static const struct device_irq piix4_pm_irqs[] = {
	DEVICE_IRQ(struct piix4_pm, irq, "sci", 9),
	{ .name = NULL },
};

static const struct pci_class piix4_pm_pci = {
	.config = &piix4_pm_config_bank,
	.config_offset = offsetof(struct piix4_pm, s.config),
	.config_written = piix4_pm_config_written,
};

/* The board must give the bus. */
static const struct piix4_pm_config piix4_pm_default = {
	.devfn = PCI_DEVFN(1, 3),
	.memory_bytes = MIB(64),
};

const struct device_class piix4_pm_class = {
	.name = "piix4_pm",
	.summary = "PIIX4 power management and SMBus",
	DEVICE_STATE(struct piix4_pm),
	.regions = piix4_pm_regions,
	.banks = piix4_pm_banks,
	.fields = piix4_pm_fields,
	.irqs = piix4_pm_irqs,
	.pci = &piix4_pm_pci,
	.default_config = &piix4_pm_default,
	.init = piix4_pm_init,
	.reset = piix4_pm_reset,
	.post_load = piix4_pm_post_load,
	.fini = piix4_pm_fini,
};
