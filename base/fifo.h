/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte queue of fixed size, part of a device's saved state.
 *
 * FIFO_STORAGE(n) declares it; the functions take a view of it, so that one set of functions serves
 * every size. The indices cannot leave the buffer whatever they hold: a loaded state is made sane
 * by fifo_valid().
 */
#ifndef BASE_FIFO_H
#define BASE_FIFO_H

#include <stdbool.h>
#include <stdint.h>

/* Members of a saved struct: @n bytes of room, @n from 1 to 255. No padding is left. */
#define FIFO_STORAGE(name, n)                                                                      \
	uint8_t name##_head;                                                                       \
	uint8_t name##_count;                                                                      \
	uint8_t name##_data[n]

/* A view of the FIFO @name in struct @s. */
#define FIFO(s, name)                                                                              \
	((struct fifo){ &(s)->name##_head, &(s)->name##_count, (s)->name##_data,                   \
			sizeof((s)->name##_data) })

struct fifo {
	uint8_t *head;
	uint8_t *count;
	uint8_t *data;
	uint8_t size;
};

static inline bool fifo_valid(struct fifo f)
{
	return *f.head < f.size && *f.count <= f.size;
}

static inline void fifo_clear(struct fifo f)
{
	*f.head = 0;
	*f.count = 0;
}

static inline unsigned int fifo_count(struct fifo f)
{
	return *f.count;
}

static inline unsigned int fifo_room(struct fifo f)
{
	return (unsigned int)(f.size - *f.count);
}

/* Appends @byte; false and nothing changed when full. */
static inline bool fifo_push(struct fifo f, uint8_t byte)
{
	if (*f.count >= f.size)
		return false;
	f.data[(*f.head + *f.count) % f.size] = byte;
	(*f.count)++;
	return true;
}

/* Takes the oldest byte into @ret_byte; false and nothing changed when empty. */
static inline bool fifo_pop(struct fifo f, uint8_t *ret_byte)
{
	if (!*f.count)
		return false;
	*ret_byte = f.data[*f.head % f.size];
	*f.head = (uint8_t)((*f.head + 1) % f.size);
	(*f.count)--;
	return true;
}

/* The oldest byte without taking it; 0 when empty. */
static inline uint8_t fifo_peek(struct fifo f)
{
	return *f.count ? f.data[*f.head % f.size] : 0;
}

#endif
