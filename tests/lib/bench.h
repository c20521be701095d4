/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bench on which devices are tested without a machine: a fake clock, memory, interrupt
 * recorder, block and character backends. A test reads like a driver:
 *
 *	struct bench *b = bench_new();
 *	struct device *rtc = bench_add(b, &mc146818_class, NULL);
 *	outb(b, 0x70, 0x0a);
 *	advance(b, 10 * NSEC_PER_MSEC);
 *	cr_assert(irq_level(b, 8));
 *	bench_free(b);
 */
#ifndef TESTS_LIB_BENCH_H
#define TESTS_LIB_BENCH_H

#include "../../devmodel/block.h"
#include "../../devmodel/chario.h"
#include "../../devmodel/device.h"
#include "../../devmodel/nic.h"
#include "../../devmodel/pci.h"

#define BENCH_RAM_BYTES (4u << 20)
#define BENCH_DEVICES_MAX 48

/* A disk in memory. Requests wait until bench_complete_block() or advance() finishes them. */
struct bench_disk {
	struct block_backend backend;
	uint8_t *data;
	uint64_t size_bytes;
	bool read_only;
	int fail_with;	      /* every request completes with this error when not 0 */
	uint64_t bad_lba;     /* requests with this sector complete with -EIO when not 0 */
	unsigned int flushes; /* FLUSH requests that completed */
	unsigned int reads;   /* READ requests */
	struct block_request *first, *last;
};

/* A character backend that keeps what the device writes; bench_chario_feed() is the other way. */
struct bench_chario {
	struct chario chario;
	uint8_t out[65536];
	size_t out_count;
	size_t accept;	       /* how many more bytes it takes; SIZE_MAX from the start */
	unsigned int rx_ready; /* calls */
};

/* A cable that keeps what the device sends; bench_nic_feed() is the other way. */
#define BENCH_NIC_FRAMES 512
struct bench_nic {
	struct nic nic;
	unsigned int count; /* frames that were sent */
	size_t sizes[BENCH_NIC_FRAMES];
	uint8_t frames[BENCH_NIC_FRAMES][NIC_FRAME_MAX];
	unsigned int room;		/* how many more it takes; UINT_MAX from the start */
	unsigned int flushes, rx_ready; /* calls */
};

struct bench {
	struct device_env env;
	struct io_bus io;
	struct timer_queue timers;
	struct dma dma;
	struct irq_hub hub;
	struct pci_bus pci;
	uint64_t now_ns;
	int64_t wall_clock_s; /* at virtual time 0 */
	uint8_t *ram;
	bool irq[ISA_IRQS];
	unsigned int irq_edges[ISA_IRQS]; /* rising */
	bool pirq[PCI_PIRQS];
	unsigned int requests[4]; /* by enum machine_request */
	unsigned int memory_changes;
	unsigned int poll_waits, poll_dones;
	bool a20;
	unsigned int guest_logs;
	char last_log[256];
	unsigned int device_count;
	struct device *devices[BENCH_DEVICES_MAX];
	struct bench_disk *disks[8];
	unsigned int disk_count;
};

struct bench *bench_new(void);
void bench_free(struct bench *b);

/* A device of @class, its interrupts led to their ISA numbers. Fails the test when it cannot be
 * made. */
struct device *bench_add(struct bench *b, const struct device_class *class, const void *config);

uint8_t inb(struct bench *b, uint16_t port);
uint16_t inw(struct bench *b, uint16_t port);
uint32_t inl(struct bench *b, uint16_t port);
void outb(struct bench *b, uint16_t port, uint8_t value);
void outw(struct bench *b, uint16_t port, uint16_t value);
void outl(struct bench *b, uint16_t port, uint32_t value);

uint32_t bench_config_read(struct bench *b, uint8_t devfn, uint8_t offset, unsigned int size);
void bench_config_write(struct bench *b, uint8_t devfn, uint8_t offset, unsigned int size,
			uint32_t value);

/*
 * Lets @ns of virtual time pass: timers expire at their moments, and pending block requests
 * complete at the first moment.
 */
void advance(struct bench *b, uint64_t ns);
bool irq_level(struct bench *b, unsigned int n);

/* Owned by the bench; filled with a pattern that names each sector in its first 8 bytes. */
struct bench_disk *bench_disk_new(struct bench *b, uint64_t sectors);
/* Completes what is pending, in order; how many. */
unsigned int bench_complete_block(struct bench *b);

void bench_chario_init(struct bench_chario *chario);
/* Offers bytes to the device; how many it had room for. */
size_t bench_chario_feed(struct bench_chario *chario, const void *bytes, size_t count);

/* With the cable plugged in. */
void bench_nic_init(struct bench_nic *nic);
bool bench_nic_feed(struct bench_nic *nic, const void *frame, size_t size);
void bench_nic_plug(struct bench_nic *nic, bool up);

#endif
