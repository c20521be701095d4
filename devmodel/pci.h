/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI bus 0: configuration space, base address registers, interrupt pins, bus mastering.
 *
 * Source: PCI Local Bus Specification 2.1, chapter 6. A function's configuration space is a
 * register bank whose rows store into s.config; PCI_ROW() and PCI_COMMON_ROWS() make them. The
 * bus-master bit is checked here and nowhere else.
 */
#ifndef DEVMODEL_PCI_H
#define DEVMODEL_PCI_H

#include "device.h"

#define PCI_CONFIG_SIZE 256
#define PCI_DEVFN(slot, function) ((uint8_t)((slot) << 3 | (function)))

/* Configuration header, type 0. */
#define PCI_VID 0x00
#define PCI_DID 0x02
#define PCI_CMD 0x04
#define PCI_STS 0x06
#define PCI_RID 0x08
#define PCI_CLASS 0x09
#define PCI_CLS 0x0c
#define PCI_MLT 0x0d
#define PCI_HEADT 0x0e
#define PCI_BIST 0x0f
#define PCI_BAR0 0x10
#define PCI_SVID 0x2c
#define PCI_SID 0x2e
#define PCI_CAPPTR 0x34
#define PCI_INTLN 0x3c
#define PCI_INTPN 0x3d

#define PCI_CMD_IOSE BIT(0)
#define PCI_CMD_MSE BIT(1)
#define PCI_CMD_BME BIT(2)

#define PCI_BAR_IO 0x1u

/* A base address register: which region of the class it places. */
struct pci_bar {
	uint8_t config_offset; /* 10h, 14h, ... */
	uint8_t region;	       /* index into class->regions */
};

struct pci_class {
	const struct reg_bank *config; /* 256 bytes, open 00h */
	uint32_t config_offset;	       /* of s.config[256] in the instance */
	const struct pci_bar *bars;    /* ends with config_offset 0; may be NULL */
	/* The guest's write is stored, once per access: for what several registers decide together.
	 */
	void (*config_written)(struct device *dev);
};

struct pci_bus;

struct pci_function {
	struct device dev;
	struct pci_bus *bus;
	uint8_t devfn;
	bool intx; /* level of the interrupt pin */
};

/* Where INTA# of slot n goes: PIRQ (n - 1 + pin - 1) & 3, as SeaBIOS and the usual boards rotate.
 */
#define PCI_PIRQS 4

struct pci_bus {
	struct pci_function *functions[256]; /* by devfn */
	/* Functions that pull each PIRQ line. */
	uint16_t pirq_asserted[PCI_PIRQS];
	irq_sink_fn *pirq_sink;
	void *pirq_opaque;
};

void pci_bus_init(struct pci_bus *bus);
/* Called by a function's init(): -EBUSY when @devfn is taken. */
int pci_attach(struct pci_function *function, struct pci_bus *bus, uint8_t devfn);
void pci_detach(struct pci_function *function);

/* Type 1 accesses, @size 1, 2 or 4 within one dword. An absent function reads as all ones. */
uint32_t pci_config_read(struct pci_bus *bus, uint8_t devfn, uint8_t offset, unsigned int size);
void pci_config_write(struct pci_bus *bus, uint8_t devfn, uint8_t offset, unsigned int size,
		      uint32_t value);

/*
 * For a function's reset(): config registers to their reset values, regions unmapped, INTx low. A board's
 * own firmware saves and restores the registers over suspend to RAM; the stock SeaBIOS, made for devices
 * that do not need it, does not, so here they live through RESET_SLEEP.
 */
void pci_reset(struct pci_function *function, enum reset_kind kind);
/* For post_load(): maps the regions that the loaded configuration space says. */
void pci_post_load(struct pci_function *function);

/* The function's interrupt pin (INTA# to INTD# by its INTPN register). */
void pci_set_intx(struct pci_function *function, bool level);

/* DMA of the function: -EACCES without the bus-master bit, -EFAULT outside RAM. */
int pci_dma_read(struct pci_function *function, uint64_t gpa, void *data, size_t size);
int pci_dma_write(struct pci_function *function, uint64_t gpa, const void *data, size_t size);
/* NULL without the bus-master bit or outside RAM. */
void *pci_dma_map(struct pci_function *function, uint64_t gpa, size_t size);
void pci_dma_written(struct pci_function *function, const void *mapped, size_t size);

/* Hooks for rows that place regions: the command register and base address registers. */
void pci_on_decode(struct device *dev, const struct reg *reg, uint32_t old, uint32_t value);

/* A row of the configuration bank of @type. */
#define PCI_ROW(type, off, wid, nam, res, wr, ...)                                                 \
	{                                                                                          \
		.offset = (off), .width = (wid), .name = (nam), .reset = (res), .writable = (wr),  \
		.storage = offsetof(type, s.config) + (off), __VA_ARGS__                           \
	}
/*
 * Rows 00h to 0Fh: ids, command (@cmd reset, @cmd_wr writable), status (@sts reset, @sts_w1c),
 * revision, class code (24 bits), cache line, latency (@mlt writable), header type.
 */
#define PCI_COMMON_ROWS(type, vid, did, cmd, cmd_wr, sts, sts_w1c, rid, class, mlt, headt)         \
	PCI_ROW(type, PCI_VID, 2, "VID", vid, 0), PCI_ROW(type, PCI_DID, 2, "DID", did, 0),        \
		PCI_ROW(type, PCI_CMD, 2, "PCICMD", cmd, cmd_wr, .on_write = pci_on_decode),       \
		PCI_ROW(type, PCI_STS, 2, "PCISTS", sts, 0, .w1c = (sts_w1c)),                     \
		PCI_ROW(type, PCI_RID, 1, "RID", rid, 0),                                          \
		PCI_ROW(type, 0x09, 1, "PI", (class) & 0xff, 0),                                   \
		PCI_ROW(type, 0x0a, 1, "SUBC", (class) >> 8 & 0xff, 0),                            \
		PCI_ROW(type, 0x0b, 1, "BCC", (class) >> 16 & 0xff, 0),                            \
		PCI_ROW(type, PCI_CLS, 1, "CLS", 0, 0), PCI_ROW(type, PCI_MLT, 1, "MLT", 0, mlt),  \
		PCI_ROW(type, PCI_HEADT, 1, "HEADT", headt, 0)

#endif
