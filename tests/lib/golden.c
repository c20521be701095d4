// SPDX-License-Identifier: GPL-2.0-or-later
#include "golden.h"

#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int golden_load(const char *path, struct golden_picture *ret_picture, char *ret_error,
		size_t error_size)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	uint8_t *bytes = NULL;
	uint32_t *pixels = NULL;

	if (!png_image_begin_read_from_file(&image, path))
		goto failed;
	image.format = PNG_FORMAT_RGB;
	bytes = malloc(PNG_IMAGE_SIZE(image));
	pixels = calloc((size_t)image.width * image.height, sizeof(*pixels));
	if (!bytes || !pixels || !png_image_finish_read(&image, NULL, bytes, 0, NULL))
		goto failed;
	for (size_t i = 0; i < (size_t)image.width * image.height; i++)
		pixels[i] = (uint32_t)bytes[3 * i] << 16 | (uint32_t)bytes[3 * i + 1] << 8 |
			    bytes[3 * i + 2];
	free(bytes);
	*ret_picture = (struct golden_picture){ image.width, image.height, pixels };
	return 0;
failed:
	snprintf(ret_error, error_size, "%s: %s", path,
		 image.message[0] ? image.message : "no memory");
	png_image_free(&image);
	free(bytes);
	free(pixels);
	return -1;
}

/* The bytes of @picture, as numbers of @palette's colours when there are no more than 256. */
static bool to_palette(const struct golden_picture *picture, uint8_t *bytes, uint32_t *palette,
		       uint32_t *ret_count)
{
	uint32_t count = 0, n = 0;

	for (size_t i = 0; i < (size_t)picture->width * picture->height; i++) {
		if (!count || palette[n] != picture->pixels[i]) {
			for (n = 0; n < count && palette[n] != picture->pixels[i]; n++)
				;
			if (n == 256)
				return false;
			if (n == count)
				palette[count++] = picture->pixels[i];
		}
		bytes[i] = (uint8_t)n;
	}
	*ret_count = count;
	return true;
}

static void to_rgb(const uint32_t *pixels, size_t count, uint8_t *bytes)
{
	for (size_t i = 0; i < count; i++) {
		bytes[3 * i] = (uint8_t)(pixels[i] >> 16);
		bytes[3 * i + 1] = (uint8_t)(pixels[i] >> 8);
		bytes[3 * i + 2] = (uint8_t)pixels[i];
	}
}

int golden_save(const char *path, const struct golden_picture *picture, char *ret_error,
		size_t error_size)
{
	png_image image = { .version = PNG_IMAGE_VERSION,
			    .width = picture->width,
			    .height = picture->height };
	const size_t count = (size_t)picture->width * picture->height;
	uint32_t palette[256] = { 0 };
	uint8_t colours[256 * 3], *bytes = malloc(count * 3);
	int written = 0;

	if (bytes && to_palette(picture, bytes, palette, &image.colormap_entries)) {
		image.format = PNG_FORMAT_RGB_COLORMAP;
		to_rgb(palette, 256, colours);
	} else if (bytes) {
		image.format = PNG_FORMAT_RGB;
		to_rgb(picture->pixels, count, bytes);
	}
	if (bytes)
		written = png_image_write_to_file(&image, path, 0, bytes, 0, colours);
	free(bytes);
	if (written)
		return 0;
	snprintf(ret_error, error_size, "%s: %s", path,
		 image.message[0] ? image.message : "no memory");
	return -1;
}

static bool within(const struct golden_area *areas, size_t count, uint32_t x, uint32_t y)
{
	for (size_t i = 0; i < count; i++) {
		if (x - areas[i].x < areas[i].width && y - areas[i].y < areas[i].height)
			return true;
	}
	return false;
}

uint64_t golden_differences(const struct golden_picture *a, const struct golden_picture *b,
			    const struct golden_area *areas, size_t count)
{
	uint64_t differ = 0;

	if (a->width != b->width || a->height != b->height)
		return (uint64_t)a->width * a->height;
	for (uint32_t y = 0; y < a->height; y++) {
		for (uint32_t x = 0; x < a->width; x++) {
			const size_t at = (size_t)y * a->width + x;

			differ += a->pixels[at] != b->pixels[at] && !within(areas, count, x, y);
		}
	}
	return differ;
}
