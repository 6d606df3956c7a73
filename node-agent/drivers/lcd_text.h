/* From a text to the cells of an HD44780 display: lines, and the characters that its font has or has not. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { LCD_ROWS_MAX = 4, LCD_COLS_MAX = 40, LCD_GLYPHS = 8, LCD_GLYPH_ROWS = 8 };

enum lcd_rom { LCD_ROM_A00 /* kana: the usual one */, LCD_ROM_A02 /* European */ };

struct lcd_screen {
	int rows, cols;
	enum lcd_rom rom;
	uint8_t cells[LCD_ROWS_MAX][LCD_COLS_MAX];
	uint32_t glyphs[LCD_GLYPHS]; /* which character each of the eight free ones shows; 0: none yet */
};

/* Lays out a text: words are kept together where they fit, '|' begins a new line, what is beyond the last line is left out. Accents that the
 * font lacks become free characters, eight at a time; then the letter without its accent, or '?'. screen->glyphs are changed
 * as needed, cells throughout. */
void lcd_lay_out(struct lcd_screen *screen, const char *text);

/* The dots of a free character: five bits a row, top first. */
void lcd_glyph(uint32_t character, uint8_t ret_rows[LCD_GLYPH_ROWS]);
