#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The video BIOS's fonts, from GNU Unifont (Debian's package unifont, GPL-2+ with the font exception), as
# assembler source on standard output. Unifont's cells are 8x16; the two smaller fonts are made from them:
# 8x14 leaves out the two upper lines, 8x8 keeps a line of every stroke and joins what lies close together.
set -euo pipefail

unifont=${1:-/usr/share/unifont/unifont.hex}
# Code page 437: what it has for control codes, then ASCII, then what iconv knows.
low="0020 263A 263B 2665 2666 2663 2660 2022 25D8 25CB 25D9 2642 2640 266A 266B 263C
	25BA 25C4 2195 203C 00B6 00A7 25AC 21A8 2191 2193 2192 2190 221F 2194 25B2 25BC"
{
	tr -s '[:space:]' '\n' <<<"$low"
	for ((i = 32; i < 127; i++)); do printf '%04X\n' "$i"; done
	echo 2302
	for ((i = 128; i < 256; i++)); do
		printf "\\x$(printf %x "$i")" | iconv -f CP437 -t UTF-16BE | od -An -tx1 | tr -d ' ' |
			tr '[:lower:]' '[:upper:]'
	done
} | awk '
	function number(hex,   i, n) {
		n = 0
		for (i = 1; i <= length(hex); i++)
			n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
		return n
	}
	# Bit by bit, for awks without the functions.
	function or(a, b,   bit, n) {
		n = 0
		for (bit = 1; bit <= 128; bit *= 2)
			if (int(a / bit) % 2 || int(b / bit) % 2)
				n += bit
		return n
	}
	function bytes(name, height,   c, line) {
		print "\t.globl\t" name "\n" name ":"
		for (c = 0; c < 256; c++) {
			printf "\t.byte\t"
			for (line = 0; line < height; line++)
				printf "%s%d", line ? ", " : "", glyph[c, line]
			print ""
		}
	}
	function smaller(c,   line, rows) {
		for (line = 0; line < 16; line++)
			rows[line] = full[c, line]
		if (c >= 176 && c <= 178 || c == 219 || c >= 220 && c <= 223) {
			for (line = 0; line < 8; line++)
				glyph[c, line] = c <= 178 ? rows[line] : rows[2 * line]
		} else if (c >= 179 && c <= 218) {
			for (line = 0; line < 8; line++)
				glyph[c, line] = or(rows[2 * line], rows[2 * line + 1])
		} else {
			glyph[c, 0] = or(or(rows[1], rows[2]), or(rows[3], rows[4]))
			glyph[c, 1] = rows[5]
			glyph[c, 2] = rows[6]
			glyph[c, 3] = rows[8]
			glyph[c, 4] = or(rows[9], rows[10])
			glyph[c, 5] = rows[11]
			glyph[c, 6] = rows[13]
			glyph[c, 7] = or(rows[14], rows[15])
			# What stands on the line that is left out must not vanish.
			if (!glyph[c, 5])
				glyph[c, 5] = rows[12]
			if (!glyph[c, 3])
				glyph[c, 3] = rows[7]
		}
	}
	NR == FNR { if (split($0, part, ":") == 2) shape[part[1]] = part[2]; next }
	{
		c = FNR - 1
		hex = shape[$1]
		if (length(hex) != 32) {
			print "font.sh: unifont has no narrow character " $1 >"/dev/stderr"
			failed = 1
			exit 1
		}
		for (line = 0; line < 16; line++)
			full[c, line] = number(substr(hex, 2 * line + 1, 2))
	}
	END {
		if (failed)
			exit 1
		print "/* Made by font.sh from GNU Unifont. */\n\t.section .rodata.fonts, \"a\""
		for (c = 0; c < 256; c++)
			for (line = 0; line < 16; line++)
				glyph[c, line] = full[c, line]
		bytes("font_8x16", 16)
		print "\t.byte\t0"
		for (c = 0; c < 256; c++)
			for (line = 0; line < 14; line++)
				glyph[c, line] = full[c, line + 2]
		bytes("font_8x14", 14)
		for (c = 0; c < 256; c++)
			smaller(c)
		bytes("font_8x8", 8)
		print "\t.section .note.GNU-stack, \"\", @progbits"
	}' "$unifont" -
