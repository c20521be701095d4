/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a machine and the switch exchange frames: a memory that both map, with one ring of slots for
 * each direction, and two eventfds. A busy pair makes no system call.
 *
 * A ring has one producer and one consumer. The producer owns head, dropped and the slots from tail to
 * head's end; the consumer owns tail. Both count on and on; slot n is n modulo PORT_SLOTS. Who goes to
 * sleep says so in the ring (consumer_sleeps; producer_waits for room), looks once more, and waits for
 * its eventfd; the other side clears the word and writes the eventfd.
 *
 * Each side keeps its own index in memory of its own, and takes nothing that the other one can write
 * for true: an index that is too far away, or a frame of impossible size, is -EPROTO, and the port is
 * given up. Frames are copied out before they are looked at.
 *
 * The functions here are all that either side needs; they make no system call.
 */
#ifndef NET_PORT_H
#define NET_PORT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PORT_VERSION 1u
#define PORT_SLOTS 256u
#define PORT_FRAME_MIN 14u
#define PORT_FRAME_MAX 2044u

struct port_slot {
	uint32_t size;
	uint8_t frame[PORT_FRAME_MAX];
};

struct port_ring {
	_Alignas(64) uint32_t head; /* the producer's words */
	uint32_t producer_waits;
	uint32_t dropped;	    /* frames that found no room */
	_Alignas(64) uint32_t tail; /* the consumer's words */
	uint32_t consumer_sleeps;
	_Alignas(64) struct port_slot slots[PORT_SLOTS];
};

/* The whole shared memory. */
struct port_memory {
	struct port_ring to_switch, to_machine;
};

/* What comes with it, in this order, from the switch. */
enum port_fd {
	PORT_FD_MEMORY,
	PORT_FD_KICK_SWITCH,  /* eventfd: the machine writes, the switch reads */
	PORT_FD_KICK_MACHINE, /* eventfd: the switch writes, the machine reads */
	PORT_FDS,
};

/* --- producing */

struct port_producer {
	struct port_ring *ring;
	uint32_t head;	    /* next slot to fill */
	uint32_t tail_seen; /* the consumer was at least here */
	uint32_t published;
};

/* Free slots, looking at the consumer only when there seem to be none; -EPROTO. */
static inline int port_room(struct port_producer *p)
{
	uint32_t used = p->head - p->tail_seen;

	if (used >= PORT_SLOTS) {
		p->tail_seen = __atomic_load_n(&p->ring->tail, __ATOMIC_ACQUIRE);
		used = p->head - p->tail_seen;
		if (used > PORT_SLOTS)
			return -EPROTO;
	}
	return (int)(PORT_SLOTS - used);
}

/* Only with room, @size in range. Nobody sees it before port_publish(). */
static inline void port_put(struct port_producer *p, const void *frame, size_t size)
{
	struct port_slot *slot = &p->ring->slots[p->head % PORT_SLOTS];

	memcpy(slot->frame, frame, size);
	slot->size = (uint32_t)size;
	p->head++;
}

/* Shows what was put; true: the consumer sleeps, write its eventfd. */
static inline bool port_publish(struct port_producer *p)
{
	if (p->published == p->head)
		return false;
	p->published = p->head;
	__atomic_store_n(&p->ring->head, p->head, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&p->ring->consumer_sleeps, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&p->ring->consumer_sleeps, 0, __ATOMIC_SEQ_CST);
}

/* Asks to be told of room; true: there is some already. */
static inline bool port_wait_for_room(struct port_producer *p)
{
	__atomic_store_n(&p->ring->producer_waits, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (port_room(p) <= 0)
		return false;
	__atomic_store_n(&p->ring->producer_waits, 0, __ATOMIC_RELAXED);
	return true;
}

/* --- consuming */

struct port_consumer {
	struct port_ring *ring;
	uint32_t tail;	    /* next slot to take */
	uint32_t head_seen; /* the producer was at least here */
};

/* Frames that wait, looking at the producer only when there seem to be none; -EPROTO. */
static inline int port_pending(struct port_consumer *c)
{
	if (c->head_seen == c->tail) {
		uint32_t head = __atomic_load_n(&c->ring->head, __ATOMIC_ACQUIRE);

		if (head - c->tail > PORT_SLOTS)
			return -EPROTO;
		c->head_seen = head;
	}
	return (int)(c->head_seen - c->tail);
}

/* The next frame, only when one is pending; it may change under our hands. The size or -EPROTO. */
static inline int port_peek(struct port_consumer *c, const uint8_t **ret_frame)
{
	const struct port_slot *slot = &c->ring->slots[c->tail % PORT_SLOTS];
	uint32_t size = __atomic_load_n(&slot->size, __ATOMIC_RELAXED);

	if (size < PORT_FRAME_MIN || size > PORT_FRAME_MAX)
		return -EPROTO;
	*ret_frame = slot->frame;
	return (int)size;
}

static inline void port_take(struct port_consumer *c)
{
	c->tail++;
}

/* Gives taken slots back; true: the producer waits for room, write its eventfd. */
static inline bool port_release(struct port_consumer *c)
{
	__atomic_store_n(&c->ring->tail, c->tail, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&c->ring->producer_waits, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&c->ring->producer_waits, 0, __ATOMIC_SEQ_CST);
}

/* Says that we are about to sleep; false: a frame has come meanwhile. */
static inline bool port_sleep(struct port_consumer *c)
{
	__atomic_store_n(&c->ring->consumer_sleeps, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&c->ring->head, __ATOMIC_ACQUIRE) == c->tail)
		return true;
	__atomic_store_n(&c->ring->consumer_sleeps, 0, __ATOMIC_RELAXED);
	return false;
}

#endif
