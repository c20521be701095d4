// SPDX-License-Identifier: GPL-2.0-or-later
#include "table_loader.h"

#include <assert.h>
#include <string.h>

#include "../base/bytes.h"

/* A command: its number at 0, then by kind. File names take 56 bytes. */
#define COMMAND_ALLOCATE 1
#define COMMAND_ADD_POINTER 2
#define COMMAND_ADD_CHECKSUM 3

#define ALLOCATE_FILE 4
#define ALLOCATE_ALIGN 60
#define ALLOCATE_ZONE 64

#define POINTER_FILE 4
#define POINTER_SOURCE 60
#define POINTER_OFFSET 116
#define POINTER_SIZE 120

#define CHECKSUM_FILE 4
#define CHECKSUM_OFFSET 60
#define CHECKSUM_START 64
#define CHECKSUM_LENGTH 68

/* Scripts are ours alone: their length depends on no guest. */
static uint8_t *add_command(struct table_loader *loader, uint32_t number)
{
	uint8_t *command;

	assert(loader->count < TABLE_LOADER_COMMANDS_MAX);
	command = loader->commands[loader->count++];
	put_le32(command, number);
	return command;
}

static void put_name(uint8_t *at, const char *name)
{
	size_t length = strlen(name);

	assert(length <= TABLE_LOADER_NAME_MAX);
	memcpy(at, name, length);
}

void table_loader_allocate(struct table_loader *loader, const char *file, uint32_t align,
			   enum table_loader_zone zone)
{
	uint8_t *command = add_command(loader, COMMAND_ALLOCATE);

	put_name(command + ALLOCATE_FILE, file);
	put_le32(command + ALLOCATE_ALIGN, align);
	command[ALLOCATE_ZONE] = (uint8_t)zone;
}

void table_loader_pointer(struct table_loader *loader, const char *file, const char *source,
			  uint32_t offset, uint8_t size)
{
	uint8_t *command = add_command(loader, COMMAND_ADD_POINTER);

	put_name(command + POINTER_FILE, file);
	put_name(command + POINTER_SOURCE, source);
	put_le32(command + POINTER_OFFSET, offset);
	command[POINTER_SIZE] = size;
}

void table_loader_checksum(struct table_loader *loader, const char *file, uint32_t offset,
			   uint32_t start, uint32_t length)
{
	uint8_t *command = add_command(loader, COMMAND_ADD_CHECKSUM);

	put_name(command + CHECKSUM_FILE, file);
	put_le32(command + CHECKSUM_OFFSET, offset);
	put_le32(command + CHECKSUM_START, start);
	put_le32(command + CHECKSUM_LENGTH, length);
}
