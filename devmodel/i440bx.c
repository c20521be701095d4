// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Host bridge: Intel 82443BX, in its form with AGP strapped off (device id 7192h).
 *
 * Source: Intel 440BX AGPset: 82443BX Host Bridge/Controller datasheet, order 290633, chapter 3.
 *
 * Not emulated: DRAM timing, ECC, power management of the DRAM and thermal throttling, whose
 * registers keep what is written; errors, which never happen, so the status bits stay 0; AGP, which
 * this form of the chip lacks, and with it APBASE and the AGP capability.
 *
 * Theory of operation
 *
 * The bridge does two things: it makes configuration cycles from ports CF8h and CFCh, and it
 * decides what memory the processor sees below 1 MiB and in the fixed hole. The second is a pure
 * function of the registers, i440bx_memory(). After each configuration write the map is derived
 * anew and compared with the one last announced; so a dword that changes four PAM registers is one
 * change, and one that changes nothing is none.
 *
 * SeaBIOS can unlock the memory under its shadow only on bridges it knows: the 440FX (1237h) is
 * one, the 440BX is not. PAM0 to PAM6 and SMRAM are the same in both. So the device id reads 1237h
 * from reset until POST's closing write to PAM0, which makes it 10h, and the 440BX's from then on.
 * Nothing reads the id between that write and the operating system. A reset and a wake from sleep
 * show 1237h again, as the firmware runs first then.
 */
#include "i440bx.h"

#include <errno.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/bytes.h"
#include "pci.h"

/* Configuration registers. */
#define NBXCFG 0x50
#define DRAMC 0x57
#define DRAMT 0x58
#define PAM0 0x59
#define DRB0 0x60
#define FDHC 0x68
#define MBSC 0x69
#define SMRAM 0x72
#define ESMRAMC 0x73
#define RPS 0x74
#define SDRAMC 0x76
#define PGPOL 0x78
#define PMCR 0x7a
#define SCRR 0x7b
#define EAP 0x80
#define ERRCMD 0x90
#define ERRSTS 0x91
#define AMTT 0xbc
#define LPTT 0xbd
#define MBFS 0xca
#define BSPAD 0xd0
#define DWTC 0xe0
#define DRTC 0xe8
#define BUFFC 0xf0

#define DID_440FX 0x1237
#define DID_440BX 0x7192
#define PAM0_POST_ENDS 0x10

#define PAM0_WRITABLE 0x30
#define PAM_WRITABLE 0x33
#define SMRAM_D_OPEN BIT(6)
#define SMRAM_D_CLS BIT(5)
#define SMRAM_D_LCK BIT(4)
#define SMRAM_G_SMRAME BIT(3)
#define ESMRAMC_H_SMRAME BIT(7)
#define ESMRAMC_E_SMERR BIT(6)
#define ESMRAMC_TSEG_SZ_SHIFT 1
#define ESMRAMC_T_EN BIT(0)
#define PMCR_SCRE BIT(6)
#define PMCR_AGP_DIS BIT(1)

#define DRB_COUNT 8
#define DRB_UNIT MIB(8)
#define DRAM_ROW_MAX MIB(128) /* of 128-Mbit parts, eight of which make the chip's 1 GiB */

/* CONFADD. */
#define CONE BIT(31)
#define CONFADD_WRITABLE 0x80fffffcu

/* class->regions. */
enum { REGION_CONFADD, REGION_CONFDATA, REGION_PM2_CTL };

#define PM2_CTL_PORT 0x22

struct i440bx_state {
	uint32_t confadd;
	uint32_t pm2_ctl; /* 8 bits */
	uint8_t config[PCI_CONFIG_SIZE];
};

struct i440bx {
	struct pci_function pci;
	struct i440bx_state s;
	uint64_t memory_bytes;
	bool no_post_identity;
	struct i440bx_memory announced; /* what memory_changed() was last called for */
};

static const struct state_field i440bx_fields[] = {
	STATE_FIELD(struct i440bx, confadd),
	STATE_FIELD(struct i440bx, pm2_ctl, .max = 0xff),
	STATE_ARRAY(struct i440bx, config),
	STATE_END,
};

static struct i440bx *i440bx_of(struct device *dev)
{
	return container_of(dev, struct i440bx, pci.dev);
}

/* --- the map */

void i440bx_memory(const struct device *dev, struct i440bx_memory *ret_memory)
{
	const uint8_t *config = ((const struct i440bx *)(const void *)dev)->s.config;
	uint8_t smram = config[SMRAM], esmramc = config[ESMRAMC], hole = config[FDHC] >> 6;

	memset(ret_memory, 0, sizeof(*ret_memory));
	ret_memory->pam[0] = config[PAM0] >> 4 & 3;
	for (unsigned int i = 1; i < I440BX_PAM_REGIONS; i++)
		ret_memory->pam[i] = config[PAM0 + (i + 1) / 2] >> ((i - 1) % 2 * 4) & 3;
	ret_memory->fdhc = hole <= I440BX_HOLE_15M_16M ? hole : I440BX_HOLE_NONE;
	ret_memory->smram_enabled = smram & SMRAM_G_SMRAME;
	ret_memory->smram_open = smram & SMRAM_D_OPEN;
	ret_memory->smram_closed = smram & SMRAM_D_CLS;
	ret_memory->locked = smram & SMRAM_D_LCK;
	ret_memory->smram_high = esmramc & ESMRAMC_H_SMRAME;
	if (esmramc & ESMRAMC_T_EN)
		ret_memory->tseg = (uint8_t)(1u << (esmramc >> ESMRAMC_TSEG_SZ_SHIFT & 3));
}

static void announce_memory(struct i440bx *b)
{
	struct device *dev = &b->pci.dev;
	struct i440bx_memory now;

	i440bx_memory(dev, &now);
	if (!memcmp(&now, &b->announced, sizeof(now)))
		return;
	b->announced = now;
	dev->env->memory_changed(dev->env);
}

/* --- what depends on the machine */

static void show_identity(struct i440bx *b, uint16_t did)
{
	put_le16(b->s.config + PCI_DID, b->no_post_identity ? DID_440BX : did);
}

/* Rows of DIMMs that make up the memory, as a BIOS would have found them. */
static void size_dram(struct i440bx *b)
{
	uint64_t left = max_u64(round_down(b->memory_bytes, DRB_UNIT), DRB_UNIT), top = 0;

	for (unsigned int i = 0; i < DRB_COUNT; i++) {
		uint64_t row = DRAM_ROW_MAX;

		while (row > left && row > DRB_UNIT)
			row /= 2;
		/* The last row takes what no power of two is left for. */
		if (row > left || i == DRB_COUNT - 1)
			row = min_u64(left, DRAM_ROW_MAX);
		top += row;
		left -= row;
		b->s.config[DRB0 + i] = (uint8_t)(top / DRB_UNIT);
	}
}

static void place_pm2_ctl(struct i440bx *b)
{
	bool enabled = b->s.config[PMCR] & PMCR_SCRE;

	device_move_region(&b->pci.dev, REGION_PM2_CTL, enabled ? PM2_CTL_PORT : IO_UNMAPPED);
}

/* --- configuration registers */

static void pam0_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	struct i440bx *b = i440bx_of(dev);

	(void)reg;
	(void)old;
	/* On resume from sleep POST writes 10h over 10h: the write counts, not the change. */
	if (value == PAM0_POST_ENDS)
		show_identity(b, DID_440BX);
}

/* Once D_LCK is set, only D_CLS can be written until a reset. */
static void smram_on_write(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	if (old & SMRAM_D_LCK)
		value = blend32(old, SMRAM_D_CLS, value);
	if (value & SMRAM_D_LCK)
		value &= ~SMRAM_D_OPEN;
	reg_store(dev, reg, value);
}

static void esmramc_on_write(struct device *dev, const struct reg *reg, uint32_t old,
			     uint32_t value)
{
	if (i440bx_of(dev)->s.config[SMRAM] & SMRAM_D_LCK)
		reg_store(dev, reg, blend32(old, ESMRAMC_E_SMERR, value));
}

static void write_once(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value)
{
	(void)value;
	if (old)
		reg_store(dev, reg, old);
}

#define ROW(off, wid, nam, res, wr, ...) PCI_ROW(struct i440bx, off, wid, nam, res, wr, __VA_ARGS__)

static const struct reg i440bx_config_regs[] = {
	PCI_COMMON_ROWS(struct i440bx, 0x8086, DID_440FX, 0x0006, 0x0142, 0x0200, 0xf000, 0x02,
			0x060000, 0xf8, 0x00),
	ROW(PCI_SVID, 2, "SVID", 0, 0xffff, .on_write = write_once),
	ROW(PCI_SID, 2, "SID", 0, 0xffff, .on_write = write_once),
	ROW(PCI_CAPPTR, 1, "CAPPTR", 0, 0),
	ROW(NBXCFG, 4, "NBXCFG", 0, 0xff078fa8),
	ROW(DRAMC, 1, "DRAMC", 0x28, 0x3f),
	ROW(DRAMT, 1, "DRAMT", 0x03, 0xff),
	ROW(PAM0, 1, "PAM0", 0, PAM0_WRITABLE, .on_write = pam0_on_write),
	ROW(PAM0 + 1, 1, "PAM1", 0, PAM_WRITABLE),
	ROW(PAM0 + 2, 1, "PAM2", 0, PAM_WRITABLE),
	ROW(PAM0 + 3, 1, "PAM3", 0, PAM_WRITABLE),
	ROW(PAM0 + 4, 1, "PAM4", 0, PAM_WRITABLE),
	ROW(PAM0 + 5, 1, "PAM5", 0, PAM_WRITABLE),
	ROW(PAM0 + 6, 1, "PAM6", 0, PAM_WRITABLE),
	ROW(DRB0, 1, "DRB0", 0x01, 0xff),
	ROW(DRB0 + 1, 1, "DRB1", 0x01, 0xff),
	ROW(DRB0 + 2, 1, "DRB2", 0x01, 0xff),
	ROW(DRB0 + 3, 1, "DRB3", 0x01, 0xff),
	ROW(DRB0 + 4, 1, "DRB4", 0x01, 0xff),
	ROW(DRB0 + 5, 1, "DRB5", 0x01, 0xff),
	ROW(DRB0 + 6, 1, "DRB6", 0x01, 0xff),
	ROW(DRB0 + 7, 1, "DRB7", 0x01, 0xff),
	ROW(FDHC, 1, "FDHC", 0, 0xc0),
	ROW(MBSC, 4, "MBSC", 0, 0xffffffff),
	ROW(MBSC + 4, 2, "MBSC[47:32]", 0, 0xffff),
	ROW(SMRAM, 1, "SMRAM", 0x02, 0x78, .on_write = smram_on_write),
	ROW(ESMRAMC, 1, "ESMRAMC", 0x38, 0x87, .w1c = ESMRAMC_E_SMERR,
	    .on_write = esmramc_on_write),
	ROW(RPS, 2, "RPS", 0, 0xffff),
	ROW(SDRAMC, 2, "SDRAMC", 0, 0x03ff),
	ROW(PGPOL, 2, "PGPOL", 0, 0xff1f),
	ROW(PMCR, 1, "PMCR", PMCR_AGP_DIS, 0xf5),
	ROW(SCRR, 2, "SCRR", 0x0038, 0x1fff),
	ROW(EAP, 4, "EAP", 0, 0, .w1c = 0x3),
	ROW(ERRCMD, 1, "ERRCMD", 0x80, 0xff),
	ROW(ERRSTS, 2, "ERRSTS", 0, 0, .w1c = 0x1fff),
	ROW(AMTT, 1, "AMTT", 0, 0xf8),
	ROW(LPTT, 1, "LPTT", 0, 0xf8),
	ROW(MBFS, 2, "MBFS", 0, 0xffff),
	ROW(MBFS + 2, 1, "MBFS[23:16]", 0, 0xff),
	ROW(BSPAD, 4, "BSPAD[31:0]", 0, 0xffffffff),
	ROW(BSPAD + 4, 4, "BSPAD[63:32]", 0, 0xffffffff),
	ROW(DWTC, 4, "DWTC[31:0]", 0, 0xffffffff),
	ROW(DWTC + 4, 4, "DWTC[63:32]", 0, 0xffffffff),
	ROW(DRTC, 4, "DRTC[31:0]", 0, 0xffffffff),
	ROW(DRTC + 4, 4, "DRTC[63:32]", 0, 0xffffffff),
	ROW(BUFFC, 2, "BUFFC", 0, 0xffff),
};

static const struct reg_bank i440bx_config_bank = {
	.name = "i440bx-config",
	.regs = i440bx_config_regs,
	.count = ARRAY_LEN(i440bx_config_regs),
	.size = PCI_CONFIG_SIZE,
	.open = 0x00,
};

static void i440bx_config_written(struct device *dev)
{
	struct i440bx *b = i440bx_of(dev);

	place_pm2_ctl(b);
	announce_memory(b);
}

/* --- ports */

static const struct reg confadd_regs[] = {
	REG(struct i440bx, s.confadd, 0, 4, "CONFADD", 0, CONFADD_WRITABLE),
};

static const struct reg_bank confadd_bank = {
	.name = "i440bx-confadd",
	.regs = confadd_regs,
	.count = ARRAY_LEN(confadd_regs),
	.size = 4,
	.open = 0xff,
};

static uint32_t confadd_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&confadd_bank, dev, offset, size);
}

static void confadd_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&confadd_bank, dev, offset, size, value);
}

/* Whether CONFADD makes a configuration cycle on bus 0, the only one there is. */
static bool config_cycle(const struct i440bx *b)
{
	return (b->s.confadd & CONE) && !(b->s.confadd >> 16 & 0xff);
}

static uint32_t confdata_read(struct device *dev, uint32_t offset, unsigned int size)
{
	struct i440bx *b = i440bx_of(dev);

	if (!config_cycle(b))
		return mask32(size * 8);
	return pci_config_read(b->pci.bus, (uint8_t)(b->s.confadd >> 8),
			       (uint8_t)((b->s.confadd & 0xfc) + offset), size);
}

static void confdata_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	struct i440bx *b = i440bx_of(dev);

	if (config_cycle(b))
		pci_config_write(b->pci.bus, (uint8_t)(b->s.confadd >> 8),
				 (uint8_t)((b->s.confadd & 0xfc) + offset), size, value);
}

static const struct reg pm2_ctl_regs[] = {
	REG(struct i440bx, s.pm2_ctl, 0, 1, "PM2_CTL", 0, 0x01),
};

static const struct reg_bank pm2_ctl_bank = {
	.name = "i440bx-pm2",
	.regs = pm2_ctl_regs,
	.count = ARRAY_LEN(pm2_ctl_regs),
	.size = 1,
	.open = 0xff,
};

static uint32_t pm2_ctl_read(struct device *dev, uint32_t offset, unsigned int size)
{
	return reg_bank_read(&pm2_ctl_bank, dev, offset, size);
}

static void pm2_ctl_write(struct device *dev, uint32_t offset, unsigned int size, uint32_t value)
{
	reg_bank_write(&pm2_ctl_bank, dev, offset, size, value);
}

/* --- life */

static int i440bx_init(struct device *dev, const void *config)
{
	const struct i440bx_config *i440bx_config = config;
	struct i440bx *b = i440bx_of(dev);

	if (!i440bx_config->bus || !i440bx_config->memory_bytes)
		return -EINVAL;
	b->memory_bytes = i440bx_config->memory_bytes;
	b->no_post_identity = i440bx_config->no_post_identity;
	return pci_attach(&b->pci, i440bx_config->bus, PCI_DEVFN(0, 0));
}

static void i440bx_reset(struct device *dev, enum reset_kind kind)
{
	struct i440bx *b = i440bx_of(dev);

	reg_bank_reset(&confadd_bank, dev);
	/*
	 * The firmware must find its shadow and the DRAM as they were before sleep, or it would
	 * take the wake for a start and wipe the guest.
	 */
	if (kind != RESET_SLEEP) {
		pci_reset(&b->pci, kind);
		reg_bank_reset(&pm2_ctl_bank, dev);
		size_dram(b);
	}
	show_identity(b, DID_440FX);
	place_pm2_ctl(b);
	announce_memory(b);
}

static bool i440bx_check(const void *state)
{
	const struct i440bx_state *s = state;
	uint16_t did = get_le16(s->config + PCI_DID);

	return (did == DID_440FX || did == DID_440BX) &&
	       !((s->config[SMRAM] & SMRAM_D_LCK) && (s->config[SMRAM] & SMRAM_D_OPEN));
}

static void i440bx_post_load(struct device *dev)
{
	struct i440bx *b = i440bx_of(dev);

	pci_post_load(&b->pci);
	place_pm2_ctl(b);
	announce_memory(b);
}

static void i440bx_fini(struct device *dev)
{
	pci_detach(&i440bx_of(dev)->pci);
}

static const struct io_region_desc i440bx_regions[] = {
	[REGION_CONFADD] = {
		.name = "confadd",
		.space = IO_PORT,
		.base = 0xcf8,
		.length = 4,
		.flags = IO_EXACT, /* smaller accesses are other devices': CF9h */
		.read = confadd_read,
		.write = confadd_write,
	},
	[REGION_CONFDATA] = {
		.name = "confdata",
		.space = IO_PORT,
		.base = 0xcfc,
		.length = 4,
		.read = confdata_read,
		.write = confdata_write,
	},
	[REGION_PM2_CTL] = {
		.name = "pm2-ctl",
		.space = IO_PORT,
		.base = IO_UNMAPPED,
		.length = 1,
		.read = pm2_ctl_read,
		.write = pm2_ctl_write,
	},
	{ .name = NULL },
};

static const struct reg_bank *const i440bx_banks[] = { &i440bx_config_bank, &confadd_bank,
						       &pm2_ctl_bank, NULL };

static const struct pci_class i440bx_pci = {
	.config = &i440bx_config_bank,
	.config_offset = offsetof(struct i440bx, s.config),
	.config_written = i440bx_config_written,
};

/* The board must give the bus. */
static const struct i440bx_config i440bx_default = { .memory_bytes = DRB_UNIT };

const struct device_class i440bx_class = {
	.name = "i440bx",
	.summary = "82443BX host bridge and memory controller",
	DEVICE_STATE(struct i440bx),
	.regions = i440bx_regions,
	.banks = i440bx_banks,
	.fields = i440bx_fields,
	.pci = &i440bx_pci,
	.default_config = &i440bx_default,
	.init = i440bx_init,
	.reset = i440bx_reset,
	.check = i440bx_check,
	.post_load = i440bx_post_load,
	.fini = i440bx_fini,
};
