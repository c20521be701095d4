// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/bits.h"
#include "../../base/bytes.h"

/* --- what the devices get */

static uint64_t bench_now(struct timer_queue *queue)
{
	return container_of(queue, struct bench, timers)->now_ns;
}

static bool in_ram(uint64_t gpa, size_t size)
{
	return gpa <= BENCH_RAM_BYTES && size <= BENCH_RAM_BYTES - gpa;
}

static int bench_dma_read(struct dma *dma, uint64_t gpa, void *data, size_t size)
{
	if (!in_ram(gpa, size))
		return -EFAULT;
	memcpy(data, container_of(dma, struct bench, dma)->ram + gpa, size);
	return 0;
}

static int bench_dma_write(struct dma *dma, uint64_t gpa, const void *data, size_t size)
{
	if (!in_ram(gpa, size))
		return -EFAULT;
	memcpy(container_of(dma, struct bench, dma)->ram + gpa, data, size);
	return 0;
}

static void *bench_dma_map(struct dma *dma, uint64_t gpa, size_t size)
{
	return in_ram(gpa, size) ? container_of(dma, struct bench, dma)->ram + gpa : NULL;
}

static struct bench *bench_of(struct device_env *env)
{
	return container_of(env, struct bench, env);
}

static void bench_request(struct device_env *env, enum machine_request request)
{
	bench_of(env)->requests[request]++;
}

static void bench_memory_changed(struct device_env *env)
{
	bench_of(env)->memory_changes++;
}

static void bench_a20_changed(struct device_env *env, struct device *dev, bool enabled)
{
	(void)dev;
	bench_of(env)->a20 = enabled;
}

static void bench_guest_log(struct device_env *env, const struct device *dev, const char *format,
			    ...)
{
	struct bench *b = bench_of(env);
	va_list args;

	(void)dev;
	b->guest_logs++;
	va_start(args, format);
	vsnprintf(b->last_log, sizeof(b->last_log), format, args);
	va_end(args);
}

static int64_t bench_wall_clock(struct device_env *env)
{
	struct bench *b = bench_of(env);

	return b->wall_clock_s + (int64_t)(b->now_ns / NSEC_PER_SEC);
}

static void bench_poll_wait(struct device_env *env, struct device *dev)
{
	(void)dev;
	bench_of(env)->poll_waits++;
}

static void bench_poll_done(struct device_env *env, struct device *dev)
{
	(void)dev;
	bench_of(env)->poll_dones++;
}

static void bench_irq(void *opaque, unsigned int n, bool level)
{
	struct bench *b = opaque;

	b->irq[n] = level;
	b->irq_edges[n] += level;
}

static void bench_pirq(void *opaque, unsigned int n, bool level)
{
	((struct bench *)opaque)->pirq[n] = level;
}

/* --- life */

struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	cr_assert_not_null(b);
	b->ram = calloc(1, BENCH_RAM_BYTES);
	cr_assert_not_null(b->ram);
	io_bus_init(&b->io);
	timer_queue_init(&b->timers, bench_now, NULL);
	b->dma = (struct dma){ .read = bench_dma_read,
			       .write = bench_dma_write,
			       .map = bench_dma_map };
	b->hub = (struct irq_hub){ .sink = bench_irq, .opaque = b };
	pci_bus_init(&b->pci);
	b->pci.pirq_sink = bench_pirq;
	b->pci.pirq_opaque = b;
	b->env = (struct device_env){
		.io = &b->io,
		.timers = &b->timers,
		.dma = &b->dma,
		.request = bench_request,
		.memory_changed = bench_memory_changed,
		.a20_changed = bench_a20_changed,
		.guest_log = bench_guest_log,
		.poll_wait = bench_poll_wait,
		.poll_done = bench_poll_done,
		.wall_clock = bench_wall_clock,
	};
	b->now_ns = NSEC_PER_SEC; /* deadlines of 0 would hide errors */
	return b;
}

void bench_free(struct bench *b)
{
	bench_complete_block(b);
	while (b->device_count)
		device_free(b->devices[--b->device_count]);
	while (b->disk_count) {
		struct bench_disk *disk = b->disks[--b->disk_count];

		free(disk->data);
		free(disk);
	}
	free(b->ram);
	free(b);
}

struct device *bench_add(struct bench *b, const struct device_class *class, const void *config)
{
	struct device *dev;
	int r = device_new(class, class->name, &b->env, config, &dev);

	cr_assert_eq(r, 0, "%s: %s", class->name, strerror(-r));
	cr_assert_lt(b->device_count, BENCH_DEVICES_MAX);
	b->devices[b->device_count++] = dev;
	for (unsigned int i = 0; class->irqs && class->irqs[i].name; i++)
		irq_connect(device_irq_line(dev, i), irq_hub_set, &b->hub, class->irqs[i].isa_irq);
	return dev;
}

/* --- accesses */

uint8_t inb(struct bench *b, uint16_t port)
{
	return (uint8_t)io_port_read(&b->io, port, 1);
}

uint16_t inw(struct bench *b, uint16_t port)
{
	return (uint16_t)io_port_read(&b->io, port, 2);
}

uint32_t inl(struct bench *b, uint16_t port)
{
	return io_port_read(&b->io, port, 4);
}

void outb(struct bench *b, uint16_t port, uint8_t value)
{
	io_port_write(&b->io, port, 1, value);
}

void outw(struct bench *b, uint16_t port, uint16_t value)
{
	io_port_write(&b->io, port, 2, value);
}

void outl(struct bench *b, uint16_t port, uint32_t value)
{
	io_port_write(&b->io, port, 4, value);
}

uint32_t bench_config_read(struct bench *b, uint8_t devfn, uint8_t offset, unsigned int size)
{
	return pci_config_read(&b->pci, devfn, offset, size);
}

void bench_config_write(struct bench *b, uint8_t devfn, uint8_t offset, unsigned int size,
			uint32_t value)
{
	pci_config_write(&b->pci, devfn, offset, size, value);
}

void advance(struct bench *b, uint64_t ns)
{
	uint64_t end = b->now_ns + ns;

	bench_complete_block(b);
	for (;;) {
		uint64_t next = timer_queue_next(&b->timers);

		if (next > end)
			break;
		if (next > b->now_ns)
			b->now_ns = next;
		timer_queue_run(&b->timers, b->now_ns);
		bench_complete_block(b);
	}
	b->now_ns = end;
}

bool irq_level(struct bench *b, unsigned int n)
{
	return b->irq[n];
}

/* --- disks */

static void disk_submit(struct block_backend *backend, struct block_request *request)
{
	struct bench_disk *disk = container_of(backend, struct bench_disk, backend);

	request->next = NULL;
	request->error = 0;
	if (disk->last)
		disk->last->next = request;
	else
		disk->first = request;
	disk->last = request;
}

static void disk_cancel(struct block_backend *backend, struct block_request *request)
{
	(void)backend;
	request->error = -ECANCELED;
}

static void disk_info(struct block_backend *backend, struct block_info *ret_info)
{
	struct bench_disk *disk = container_of(backend, struct bench_disk, backend);

	*ret_info = (struct block_info){
		.size_bytes = disk->size_bytes,
		.read_only = disk->read_only,
		.serial = "BENCH-1",
	};
}

static const struct block_ops disk_ops = { disk_submit, disk_cancel, disk_info };

struct bench_disk *bench_disk_new(struct bench *b, uint64_t sectors)
{
	struct bench_disk *disk = calloc(1, sizeof(*disk));

	cr_assert_not_null(disk);
	cr_assert_lt(b->disk_count, ARRAY_LEN(b->disks));
	disk->backend.ops = &disk_ops;
	disk->size_bytes = sectors * BLOCK_SECTOR_BYTES;
	disk->data = calloc(1, disk->size_bytes);
	cr_assert_not_null(disk->data);
	for (uint64_t i = 0; i < sectors; i++) {
		put_le64(disk->data + i * BLOCK_SECTOR_BYTES, i);
		memset(disk->data + i * BLOCK_SECTOR_BYTES + 8, (int)(i & 0xff),
		       BLOCK_SECTOR_BYTES - 8);
	}
	b->disks[b->disk_count++] = disk;
	return disk;
}

static int disk_carry_out(struct bench_disk *disk, struct block_request *request)
{
	uint64_t at = request->offset_bytes;

	if (request->error)
		return request->error;
	if (disk->fail_with)
		return disk->fail_with;
	disk->reads += request->op == BLOCK_READ;
	if (disk->bad_lba && request->offset_bytes / BLOCK_SECTOR_BYTES <= disk->bad_lba &&
	    disk->bad_lba < (request->offset_bytes + request->size_bytes) / BLOCK_SECTOR_BYTES)
		return -EIO;
	if (request->op == BLOCK_FLUSH) {
		disk->flushes++;
		return 0;
	}
	cr_assert(at <= disk->size_bytes && request->size_bytes <= disk->size_bytes - at,
		  "the device checks ranges");
	if (request->op == BLOCK_DISCARD) {
		memset(disk->data + at, 0, request->size_bytes);
		return 0;
	}
	if (request->op == BLOCK_WRITE && disk->read_only)
		return -EROFS;
	for (unsigned int i = 0; i < request->iov_count; i++) {
		const struct iovec *iov = &request->iov[i];

		if (request->op == BLOCK_READ)
			memcpy(iov->iov_base, disk->data + at, iov->iov_len);
		else
			memcpy(disk->data + at, iov->iov_base, iov->iov_len);
		at += iov->iov_len;
	}
	cr_assert_eq(at - request->offset_bytes, request->size_bytes);
	return 0;
}

unsigned int bench_complete_block(struct bench *b)
{
	unsigned int completed = 0;

	for (unsigned int i = 0; i < b->disk_count; i++) {
		struct bench_disk *disk = b->disks[i];

		while (disk->first) {
			struct block_request *request = disk->first;

			disk->first = request->next;
			if (!disk->first)
				disk->last = NULL;
			request->complete(request, disk_carry_out(disk, request));
			completed++;
		}
	}
	return completed;
}

/* --- characters */

static size_t bench_chario_write(struct chario *chario, const uint8_t *bytes, size_t count)
{
	struct bench_chario *bench = container_of(chario, struct bench_chario, chario);
	size_t n = min_u64(min_u64(count, bench->accept), sizeof(bench->out) - bench->out_count);

	memcpy(bench->out + bench->out_count, bytes, n);
	bench->out_count += n;
	if (bench->accept != SIZE_MAX)
		bench->accept -= n;
	return n;
}

static void bench_chario_rx_ready(struct chario *chario)
{
	container_of(chario, struct bench_chario, chario)->rx_ready++;
}

static const struct chario_ops bench_chario_ops = {
	.write = bench_chario_write,
	.rx_ready = bench_chario_rx_ready,
};

void bench_chario_init(struct bench_chario *chario)
{
	memset(chario, 0, sizeof(*chario));
	chario->chario.ops = &bench_chario_ops;
	chario->accept = SIZE_MAX;
}

size_t bench_chario_feed(struct bench_chario *bench, const void *bytes, size_t count)
{
	struct device *dev = bench->chario.dev;
	size_t n;

	cr_assert_not_null(dev, "no device is attached");
	n = min_u64(count, bench->chario.dev_ops->room(dev));
	if (n)
		bench->chario.dev_ops->receive(dev, bytes, n);
	return n;
}

/* --- network */

static bool bench_nic_can_send(struct nic *nic)
{
	return container_of(nic, struct bench_nic, nic)->room > 0;
}

static void bench_nic_send(struct nic *nic, const uint8_t *frame, size_t size)
{
	struct bench_nic *bench = container_of(nic, struct bench_nic, nic);

	cr_assert(bench->room && size <= NIC_FRAME_MAX, "the device asks before it sends");
	if (bench->room != UINT_MAX)
		bench->room--;
	if (bench->count < BENCH_NIC_FRAMES) {
		memcpy(bench->frames[bench->count], frame, size);
		bench->sizes[bench->count] = size;
	}
	bench->count++;
}

static void bench_nic_flush(struct nic *nic)
{
	container_of(nic, struct bench_nic, nic)->flushes++;
}

static void bench_nic_rx_ready(struct nic *nic)
{
	container_of(nic, struct bench_nic, nic)->rx_ready++;
}

static const struct nic_ops bench_nic_ops = {
	.can_send = bench_nic_can_send,
	.send = bench_nic_send,
	.flush = bench_nic_flush,
	.rx_ready = bench_nic_rx_ready,
};

void bench_nic_init(struct bench_nic *bench)
{
	memset(bench, 0, sizeof(*bench));
	bench->nic.ops = &bench_nic_ops;
	bench->nic.link_up = true;
	bench->room = UINT_MAX;
}

bool bench_nic_feed(struct bench_nic *bench, const void *frame, size_t size)
{
	cr_assert_not_null(bench->nic.dev, "no device is attached");
	return bench->nic.dev_ops->receive(bench->nic.dev, frame, size);
}

void bench_nic_plug(struct bench_nic *bench, bool up)
{
	bench->nic.link_up = up;
	bench->nic.dev_ops->link_changed(bench->nic.dev, up);
}
