/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and pointer motion from a person to the keyboard and pointer of a machine, and LEDs back.
 *
 * The machine owns a struct input and hands it to the devices in their configuration; they attach
 * to it. All calls happen under the machine lock.
 */
#ifndef DEVMODEL_INPUT_H
#define DEVMODEL_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

/*
 * A key is named by its set 1 make code (01h to 7Fh), plus INPUT_EXTENDED when E0h goes before it.
 * The keyboard knows the longer sequences of these two and their forms under Ctrl, Shift and Alt.
 */
#define INPUT_EXTENDED 0x80
#define INPUT_KEY_PRINT_SCREEN (INPUT_EXTENDED | 0x37)
#define INPUT_KEY_PAUSE (INPUT_EXTENDED | 0x46)

#define INPUT_BUTTON_LEFT 0x01u
#define INPUT_BUTTON_RIGHT 0x02u
#define INPUT_BUTTON_MIDDLE 0x04u
#define INPUT_BUTTON_SIDE 0x08u
#define INPUT_BUTTON_EXTRA 0x10u

#define INPUT_LED_SCROLL 0x01u
#define INPUT_LED_NUM 0x02u
#define INPUT_LED_CAPS 0x04u

struct input_keyboard_ops {
	/*
	 * A key goes down or up; repeating while it is down is the device's business, so that a
	 * second "down" of a key that is down means nothing. False: the buffer is full; try again
	 * later. A key that was taken down is always taken up.
	 */
	bool (*key)(struct device *dev, uint8_t key, bool down);
	/* Lets go of every key: whoever typed has left. */
	void (*release_all)(struct device *dev);
};

struct input_pointer_ops {
	/*
	 * Motion since the last call, right and down being positive, wheel towards the user
	 * positive, and the buttons that are now down. Motion is summed up when the guest is slow.
	 */
	void (*move)(struct device *dev, int32_t dx, int32_t dy, int32_t wheel, uint32_t buttons);
};

/* A pointer that can take positions, besides or in place of the one above. */
#define INPUT_POSITION_MAX 65535u

struct input_absolute_ops {
	/* Whether the guest has asked for positions, and gets no motion meanwhile. */
	bool (*wanted)(struct device *dev);
	/*
	 * The pointer is at (@x, @y), 0 to INPUT_POSITION_MAX being the picture's width and height;
	 * wheel and buttons as above.
	 */
	void (*move_to)(struct device *dev, uint32_t x, uint32_t y, int32_t wheel,
			uint32_t buttons);
};

struct input {
	/* Told when the keyboard's LEDs change; may be NULL. */
	void (*leds_changed)(struct input *input, uint8_t leds);
	/* Set by the devices. */
	uint8_t leds;
	struct device *keyboard, *pointer, *absolute;
	const struct input_keyboard_ops *keyboard_ops;
	const struct input_pointer_ops *pointer_ops;
	const struct input_absolute_ops *absolute_ops;
};

/* Devices call these four; @input may be NULL. */
static inline void input_attach_keyboard(struct input *input, struct device *dev,
					 const struct input_keyboard_ops *ops)
{
	if (!input)
		return;
	input->keyboard = dev;
	input->keyboard_ops = ops;
}

static inline void input_attach_pointer(struct input *input, struct device *dev,
					const struct input_pointer_ops *ops)
{
	if (!input)
		return;
	input->pointer = dev;
	input->pointer_ops = ops;
}

static inline void input_attach_absolute(struct input *input, struct device *dev,
					 const struct input_absolute_ops *ops)
{
	if (!input)
		return;
	input->absolute = dev;
	input->absolute_ops = ops;
}

static inline void input_set_leds(struct input *input, uint8_t leds)
{
	if (!input || input->leds == leds)
		return;
	input->leds = leds;
	if (input->leds_changed)
		input->leds_changed(input, leds);
}

/* The machine calls these; without a device the event is taken and lost. */
static inline bool input_key(struct input *input, uint8_t key, bool down)
{
	return !input->keyboard || input->keyboard_ops->key(input->keyboard, key, down);
}

static inline void input_release_all(struct input *input)
{
	if (input->keyboard)
		input->keyboard_ops->release_all(input->keyboard);
}

static inline void input_move(struct input *input, int32_t dx, int32_t dy, int32_t wheel,
			      uint32_t buttons)
{
	if (input->pointer)
		input->pointer_ops->move(input->pointer, dx, dy, wheel, buttons);
}

/* Whether input_move_to() reaches the guest, and input_move() does not. */
static inline bool input_wants_positions(const struct input *input)
{
	return input->absolute && input->absolute_ops->wanted(input->absolute);
}

static inline void input_move_to(struct input *input, uint32_t x, uint32_t y, int32_t wheel,
				 uint32_t buttons)
{
	if (input->absolute)
		input->absolute_ops->move_to(input->absolute, x, y, wheel, buttons);
}

#endif
