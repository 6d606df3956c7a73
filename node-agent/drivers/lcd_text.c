/* Fonts: Hitachi HD44780U data sheet (ADE-207-272), tables 4 (A00) and 5 (A02). */
#include "lcd_text.h"

#include <stdbool.h>
#include <string.h>

enum accent { ACUTE, GRAVE, CIRCUMFLEX, DIAERESIS, TILDE, CEDILLA };

/* A letter with an accent, drawn from both. */
static const struct {
	uint32_t character;
	char base;
	enum accent accent;
} accented[] = {
	{ 0xe0, 'a', GRAVE },      { 0xe1, 'a', ACUTE },      { 0xe2, 'a', CIRCUMFLEX }, { 0xe3, 'a', TILDE },
	{ 0xe4, 'a', DIAERESIS },  { 0xe7, 'c', CEDILLA },    { 0xe8, 'e', GRAVE },      { 0xe9, 'e', ACUTE },
	{ 0xea, 'e', CIRCUMFLEX }, { 0xeb, 'e', DIAERESIS },  { 0xec, 'i', GRAVE },      { 0xed, 'i', ACUTE },
	{ 0xee, 'i', CIRCUMFLEX }, { 0xef, 'i', DIAERESIS },  { 0xf1, 'n', TILDE },      { 0xf2, 'o', GRAVE },
	{ 0xf3, 'o', ACUTE },      { 0xf4, 'o', CIRCUMFLEX }, { 0xf5, 'o', TILDE },      { 0xf6, 'o', DIAERESIS },
	{ 0xf9, 'u', GRAVE },      { 0xfa, 'u', ACUTE },      { 0xfb, 'u', CIRCUMFLEX }, { 0xfc, 'u', DIAERESIS },
	{ 0xc0, 'A', GRAVE },      { 0xc2, 'A', CIRCUMFLEX }, { 0xc4, 'A', DIAERESIS },  { 0xc7, 'C', CEDILLA },
	{ 0xc8, 'E', GRAVE },      { 0xc9, 'E', ACUTE },      { 0xca, 'E', CIRCUMFLEX }, { 0xcb, 'E', DIAERESIS },
	{ 0xce, 'I', CIRCUMFLEX }, { 0xcf, 'I', DIAERESIS },  { 0xd4, 'O', CIRCUMFLEX }, { 0xd6, 'O', DIAERESIS },
	{ 0xd9, 'U', GRAVE },      { 0xdb, 'U', CIRCUMFLEX }, { 0xdc, 'U', DIAERESIS },
};

/* Five rows of a letter, under two of its accent. */
static const struct {
	char letter;
	uint8_t rows[5];
} letters[] = {
	{ 'a', { 0x0e, 0x01, 0x0f, 0x11, 0x0f } }, { 'c', { 0x0e, 0x10, 0x10, 0x11, 0x0e } },
	{ 'e', { 0x0e, 0x11, 0x1f, 0x10, 0x0e } }, { 'i', { 0x0c, 0x04, 0x04, 0x04, 0x0e } },
	{ 'n', { 0x16, 0x19, 0x11, 0x11, 0x11 } }, { 'o', { 0x0e, 0x11, 0x11, 0x11, 0x0e } },
	{ 'u', { 0x11, 0x11, 0x11, 0x13, 0x0d } }, { 'A', { 0x0e, 0x11, 0x1f, 0x11, 0x11 } },
	{ 'C', { 0x0f, 0x10, 0x10, 0x10, 0x0f } }, { 'E', { 0x1f, 0x10, 0x1e, 0x10, 0x1f } },
	{ 'I', { 0x0e, 0x04, 0x04, 0x04, 0x0e } }, { 'O', { 0x0e, 0x11, 0x11, 0x11, 0x0e } },
	{ 'U', { 0x11, 0x11, 0x11, 0x11, 0x0e } },
};

static const uint8_t accents[][2] = {
	[ACUTE] = { 0x02, 0x04 },     [GRAVE] = { 0x08, 0x04 }, [CIRCUMFLEX] = { 0x04, 0x0a },
	[DIAERESIS] = { 0x00, 0x0a }, [TILDE] = { 0x0d, 0x16 }, [CEDILLA] = { 0x00, 0x00 },
};

/* Signs that are drawn as a whole. */
static const struct {
	uint32_t character;
	char instead;
	uint8_t rows[LCD_GLYPH_ROWS];
} signs[] = {
	{ 0x20ac, 'E', { 0x06, 0x09, 0x1c, 0x08, 0x1c, 0x09, 0x06, 0x00 } }, /* euro */
	{ 0x153, 'o', { 0x00, 0x00, 0x0a, 0x15, 0x17, 0x14, 0x0b, 0x00 } },  /* oe */
	{ 0x5c, '/', { 0x00, 0x10, 0x08, 0x04, 0x02, 0x01, 0x00, 0x00 } },   /* A00 has a yen there */
	{ 0xb2, '2', { 0x0c, 0x12, 0x04, 0x08, 0x1e, 0x00, 0x00, 0x00 } },
	{ 0xb3, '3', { 0x1c, 0x02, 0x0c, 0x02, 0x1c, 0x00, 0x00, 0x00 } },
};

/* What is in the font, elsewhere than in Unicode. */
static const struct {
	uint32_t character;
	uint8_t code;
} in_a00[] = {
	{ 0xa5, 0x5c },  { 0x2192, 0x7e }, { 0x2190, 0x7f }, { 0xb0, 0xdf }, { 0xb7, 0xa5 }, { 0xe4, 0xe1 },
	{ 0xdf, 0xe2 },  { 0xb5, 0xe4 },   { 0x3bc, 0xe4 },  { 0xf1, 0xee }, { 0xf6, 0xef }, { 0xfc, 0xf5 },
	{ 0x3a9, 0xf4 }, { 0x3b1, 0xe0 },  { 0x3c0, 0xf7 },  { 0xf7, 0xfd },
};

/* Typography that has a plain form in any font. */
static const struct {
	uint32_t character;
	char plain;
} plain[] = {
	{ 0x2019, '\'' }, { 0x2018, '\'' }, { 0x201c, '"' }, { 0x201d, '"' }, { 0xab, '"' },   { 0xbb, '"' },
	{ 0x2013, '-' },  { 0x2014, '-' },  { 0x2026, '.' }, { 0xa0, ' ' },   { 0x202f, ' ' }, { 0x2009, ' ' },
};

/* ---- characters ----------------------------------------------------------------------------------------------------------------- */

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const uint8_t *letter_rows(char letter)
{
	for (size_t i = 0; i < COUNT(letters); i++)
		if (letters[i].letter == letter)
			return letters[i].rows;
	return letters[0].rows;
}

void lcd_glyph(uint32_t character, uint8_t ret_rows[LCD_GLYPH_ROWS])
{
	memset(ret_rows, 0, LCD_GLYPH_ROWS);
	for (size_t i = 0; i < COUNT(signs); i++)
		if (signs[i].character == character)
			memcpy(ret_rows, signs[i].rows, LCD_GLYPH_ROWS);
	for (size_t i = 0; i < COUNT(accented); i++) {
		bool cedilla = accented[i].accent == CEDILLA;

		if (accented[i].character != character)
			continue;
		if (!cedilla)
			memcpy(ret_rows, accents[accented[i].accent], 2);
		memcpy(ret_rows + (cedilla ? 1 : 2), letter_rows(accented[i].base), 5);
		if (cedilla)
			ret_rows[6] = 0x04, ret_rows[7] = 0x0c;
	}
}

/* A free character that shows it; one that no cell of the new text needs gives way. Negative: all eight are needed. */
static int free_character(struct lcd_screen *screen, uint32_t character, unsigned *used)
{
	int slot = -1;

	for (int i = 0; i < LCD_GLYPHS; i++)
		if (screen->glyphs[i] == character)
			slot = i;
	for (int i = 0; i < LCD_GLYPHS && slot < 0; i++)
		if (screen->glyphs[i] == 0)
			slot = i;
	for (int i = 0; i < LCD_GLYPHS && slot < 0; i++)
		if (!(*used & 1u << i))
			slot = i;
	if (slot >= 0) {
		screen->glyphs[slot] = character;
		*used |= 1u << slot;
	}
	return slot;
}

/* The letter or sign that stands for a drawn one; 0: it is not drawn. */
static char drawn(uint32_t character)
{
	for (size_t i = 0; i < COUNT(accented); i++)
		if (accented[i].character == character)
			return accented[i].base;
	for (size_t i = 0; i < COUNT(signs); i++)
		if (signs[i].character == character)
			return signs[i].instead;
	return 0;
}

/* A02 has Latin-1's letters, and of its signs these, where Unicode has them. */
static bool in_a02(uint32_t character)
{
	static const uint8_t has[] = { 0xa1, 0xa2, 0xa3, 0xa5, 0xa7, 0xa9, 0xab, 0xae,
				       0xb0, 0xb1, 0xb2, 0xb3, 0xb5, 0xb7, 0xbb, 0xbf };

	return character >= 0xc0 ? character <= 0xff : character > 0x7f && memchr(has, (int)character, sizeof(has));
}

static uint8_t code_of(struct lcd_screen *screen, uint32_t character, unsigned *used)
{
	bool a02 = screen->rom == LCD_ROM_A02;
	int slot;

	if (character >= 0x20 && character < 0x7f && (a02 || (character != '\\' && character != '~')))
		return (uint8_t)character;
	if (a02 && in_a02(character))
		return (uint8_t)character;
	for (size_t i = 0; !a02 && i < COUNT(in_a00); i++)
		if (in_a00[i].character == character)
			return in_a00[i].code;
	for (size_t i = 0; i < COUNT(plain); i++)
		if (plain[i].character == character)
			return (uint8_t)plain[i].plain;
	if (!drawn(character))
		return character == '~' ? '-' : '?';
	slot = free_character(screen, character, used);
	return (uint8_t)(slot < 0 ? drawn(character) : slot);
}

/* ---- lines ---------------------------------------------------------------------------------------------------------------------- */

/* One character of valid UTF-8. */
static uint32_t next_character(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	int more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
	uint32_t character = more == 3 ? p[0] & 0x07 : more == 2 ? p[0] & 0x0f : more == 1 ? p[0] & 0x1f : p[0];

	for (int i = 1; i <= more && p[i]; i++)
		character = character << 6 | (p[i] & 0x3f);
	*text += 1 + more;
	return character;
}

static int word_length(const char *text)
{
	int length = 0;

	while (*text && *text != ' ' && *text != '|') {
		next_character(&text);
		length++;
	}
	return length;
}

void lcd_lay_out(struct lcd_screen *screen, const char *text)
{
	unsigned used = 0;
	int row = 0, col = 0;
	bool begins = true; /* a word */

	memset(screen->cells, ' ', sizeof(screen->cells));
	while (*text && row < screen->rows) {
		if (begins && *text != ' ' && col > 0 && col + word_length(text) > screen->cols &&
		    word_length(text) <= screen->cols)
			col = screen->cols;
		if (*text == '|' || col == screen->cols) {
			text += *text == '|' || *text == ' '; /* a space at the break is not shown */
			row++;
			col = 0;
			begins = true;
			continue;
		}
		begins = *text == ' ';
		screen->cells[row][col++] = code_of(screen, next_character(&text), &used);
	}
}
