/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices: a class (const, the tables and operations of a chip) and its instances.
 *
 * A device is a pure state machine. In: register access, timer expiry, backend completion, input
 * event, reset. Out: register values, interrupt levels, DMA copies, backend requests, timer arms.
 * It has no clock, thread, lock, system call or global, and allocates nothing after init.
 *
 * An instance embeds struct device first (PCI functions: struct pci_function, which does so), then
 * struct foo_state s, all that the guest can observe, then what belongs to the host.
 */
#ifndef DEVMODEL_DEVICE_H
#define DEVMODEL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dma.h"
#include "io.h"
#include "irq.h"
#include "regs.h"
#include "state.h"
#include "timer.h"

#define DEVICE_REGIONS_MAX 40
#define DEVICE_NAME_MAX 24

enum reset_kind {
	RESET_POWER, /* power-on: everything, memory contents of the chip too */
	RESET_HARD,  /* CF9h hard, PCI RST#: as power-on for the guest's eyes but what a battery
			holds */
	RESET_SLEEP, /* wake from suspend to RAM: what the resume well keeps stays */
};

/* What a device may ask of the machine. Carried out after the access that asks. */
enum machine_request {
	REQUEST_RESET_HARD, /* all devices and processors */
	REQUEST_RESET_INIT, /* INIT of the processors only: i8042 FEh, port 92h, CF9h soft */
	REQUEST_POWER_OFF,
	REQUEST_SUSPEND, /* S3 */
};

/* What a machine, or the test bench, offers to its devices. */
struct device_registers {
	uint32_t eax, ebx, ecx, edx, esi, edi;
};

struct device_env {
	struct io_bus *io;
	struct timer_queue *timers;
	struct dma *dma;
	void (*request)(struct device_env *env, enum machine_request request);
	/* Tells that what memory the processor sees changed (PAM, SMRAM). */
	void (*memory_changed)(struct device_env *env);
	/* The A20 gate's level, from port 92h or the keyboard controller; the machine ORs its
	 * sources. */
	void (*a20_changed)(struct device_env *env, struct device *dev, bool enabled);
	/* One rate-limited line about something odd that the guest did. */
	void (*guest_log)(struct device_env *env, const struct device *dev, const char *format, ...)
		__attribute__((format(printf, 3, 4)));
	/*
	 * The guest does nothing but ask @dev whether it is ready: its processor may rest until the
	 * device says poll_done(), or for a moment. A hint; the guest sees nothing of it.
	 */
	void (*poll_wait)(struct device_env *env, struct device *dev);
	void (*poll_done)(struct device_env *env, struct device *dev);
	/*
	 * General registers of the processor whose port access is being handled, for the one
	 * interface that passes arguments in them (vmmouse.c). False, or NULL: there is none.
	 */
	bool (*get_registers)(struct device_env *env, struct device_registers *ret_registers);
	void (*set_registers)(struct device_env *env, const struct device_registers *registers);
	/* Seconds since 1970-01-01 of the guest's wall clock (time zone applied) at virtual time
	 * now. */
	int64_t (*wall_clock)(struct device_env *env);
};

struct device {
	const struct device_class *class;
	struct device_env *env;
	char name[DEVICE_NAME_MAX];		      /* of the instance: "uart0" */
	struct io_region regions[DEVICE_REGIONS_MAX]; /* one for each row of class->regions */
};

/* An interrupt output of a class. */
struct device_irq {
	const char *name;     /* NULL ends a table */
	uint32_t offset;      /* of the struct irq_line in the instance */
	unsigned int isa_irq; /* where the board leads it unless it says otherwise */
};

struct pci_class;

struct device_class {
	const char *name;		   /* "ns16550" */
	const char *summary;		   /* one line for --describe-devices */
	size_t size;			   /* of an instance */
	uint32_t state_offset, state_size; /* of struct foo_state s */
	const struct io_region_desc *regions;
	const struct reg_bank *const *banks; /* NULL-terminated; for tests and people */
	const struct state_field *fields;
	const struct device_irq *irqs;
	const struct pci_class *pci; /* NULL: not a PCI function */
	/* What init() gets when the board gives nothing; sized by the class's own struct. */
	const void *default_config;
	/*
	 * @config: the class's own configuration struct. 0 or a negative errno. The core has mapped
	 * nothing yet: it maps the regions that have a base afterwards, then resets with
	 * RESET_POWER.
	 */
	int (*init)(struct device *dev, const void *config);
	void (*reset)(struct device *dev, enum reset_kind kind);
	/* Checks a decoded @state (a struct foo_state) before it is committed; false: refused. */
	bool (*check)(const void *state);
	/*
	 * Large memory that belongs to the device (video RAM), for which a field table is no place:
	 * block @index from 0, NULL behind the last. Its bytes, a multiple of 4096, are saved and
	 * loaded as pages, between the fields and post_load(). @ret_name tells blocks of one device
	 * apart. It lies at the same place for the device's whole life.
	 */
	void *(*memory)(struct device *dev, unsigned int index, const char **ret_name,
			uint64_t *ret_bytes);
	/* The state was loaded: derive everything else from it. */
	void (*post_load)(struct device *dev);
	void (*fini)(struct device *dev);
};

/* Rows of a class's tables. */
#define DEVICE_STATE(type)                                                                         \
	.size = sizeof(type), .state_offset = offsetof(type, s),                                   \
	.state_size = sizeof(((type *)0)->s)
#define DEVICE_IRQ(type, member, nam, irq)                                                         \
	{                                                                                          \
		.name = (nam), .offset = offsetof(type, member), .isa_irq = (irq)                  \
	}

/* All classes, sorted by name; NULL-terminated. */
extern const struct device_class *const device_classes[];
const struct device_class *device_class_find(const char *name);

/*
 * Makes an instance, maps its regions and resets it. @config NULL: the class's default. 0 with the
 * device in *ret_dev, or a negative errno (-EBUSY: its ports are taken).
 */
int device_new(const struct device_class *class, const char *name, struct device_env *env,
	       const void *config, struct device **ret_dev);
void device_free(struct device *dev);

void device_reset(struct device *dev, enum reset_kind kind);

/* Moves region @index to @base (IO_UNMAPPED: nowhere). What cannot be mapped there stays unmapped.
 */
void device_move_region(struct device *dev, unsigned int index, uint64_t base);

/* The class's interrupt output @index. */
struct irq_line *device_irq_line(struct device *dev, unsigned int index);

#define device_log(dev, ...) ((dev)->env->guest_log((dev)->env, (dev), __VA_ARGS__))

#endif
