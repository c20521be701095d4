// SPDX-License-Identifier: GPL-2.0-or-later
#include "picture.h"

#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *pack_rgb(const uint32_t *pixels, size_t count)
{
	uint8_t *bytes = malloc(3 * count);

	for (size_t i = 0; bytes && i < count; i++) {
		bytes[3 * i] = (uint8_t)(pixels[i] >> 16);
		bytes[3 * i + 1] = (uint8_t)(pixels[i] >> 8);
		bytes[3 * i + 2] = (uint8_t)pixels[i];
	}
	return bytes;
}

int picture_png(const uint32_t *pixels, uint32_t width, uint32_t height, void **ret_data,
		size_t *ret_size)
{
	png_image image = { .version = PNG_IMAGE_VERSION,
			    .width = width,
			    .height = height,
			    .format = PNG_FORMAT_RGB };
	uint8_t *bytes = pack_rgb(pixels, (size_t)width * height);
	png_alloc_size_t size = 0;
	void *data = NULL;
	int r = -ENOMEM;

	/* Asked for the size first, it compresses twice; a picture is small. */
	if (bytes && png_image_write_to_memory(&image, NULL, &size, 0, bytes, 0, NULL))
		data = malloc(size);
	if (data && png_image_write_to_memory(&image, data, &size, 0, bytes, 0, NULL)) {
		*ret_data = data;
		*ret_size = size;
		data = NULL;
		r = 0;
	}
	png_image_free(&image);
	free(data);
	free(bytes);
	return r;
}

static uint32_t mean(const uint32_t *pixels, uint32_t stride, uint32_t left, uint32_t top,
		     uint32_t right, uint32_t bottom)
{
	uint64_t red = 0, green = 0, blue = 0, count = 0;

	for (uint32_t y = top; y < bottom; y++) {
		for (uint32_t x = left; x < right; x++, count++) {
			const uint32_t pixel = pixels[(size_t)y * stride + x];

			red += pixel >> 16 & 0xff;
			green += pixel >> 8 & 0xff;
			blue += pixel & 0xff;
		}
	}
	return (uint32_t)((red + count / 2) / count << 16 | (green + count / 2) / count << 8 |
			  (blue + count / 2) / count);
}

static uint32_t at_least_one(uint64_t n)
{
	return n ? (uint32_t)n : 1;
}

void picture_thumbnail(const uint32_t *pixels, uint32_t width, uint32_t height,
		       uint32_t ret_pixels[THUMBNAIL_WIDTH * THUMBNAIL_HEIGHT])
{
	uint32_t small_width = THUMBNAIL_WIDTH, small_height = THUMBNAIL_HEIGHT, left, top;

	if ((uint64_t)width * THUMBNAIL_HEIGHT > (uint64_t)height * THUMBNAIL_WIDTH)
		small_height = at_least_one((uint64_t)height * THUMBNAIL_WIDTH / width);
	else
		small_width = at_least_one((uint64_t)width * THUMBNAIL_HEIGHT / height);
	left = (THUMBNAIL_WIDTH - small_width) / 2;
	top = (THUMBNAIL_HEIGHT - small_height) / 2;
	memset(ret_pixels, 0, THUMBNAIL_WIDTH * THUMBNAIL_HEIGHT * sizeof(*ret_pixels));
	for (uint32_t y = 0; y < small_height; y++) {
		const uint32_t from_y = (uint32_t)((uint64_t)y * height / small_height);
		uint32_t to_y = (uint32_t)((uint64_t)(y + 1) * height / small_height);

		to_y = to_y > from_y ? to_y : from_y + 1;
		for (uint32_t x = 0; x < small_width; x++) {
			const uint32_t from_x = (uint32_t)((uint64_t)x * width / small_width);
			uint32_t to_x = (uint32_t)((uint64_t)(x + 1) * width / small_width);

			to_x = to_x > from_x ? to_x : from_x + 1;
			ret_pixels[(top + y) * THUMBNAIL_WIDTH + left + x] =
				mean(pixels, width, from_x, from_y, to_x, to_y);
		}
	}
}
