/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The register map: all device classes as their tables have them, for people and for programs. */
#ifndef VMM_DESCRIBE_H
#define VMM_DESCRIBE_H

#include <stdbool.h>
#include <stdio.h>

/* Markdown, or one JSON object. 0, or -ENOMEM with nothing written. */
int describe_devices(bool json, FILE *to);

#endif
