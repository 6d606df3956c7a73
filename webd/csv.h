/* Cells of a CSV (RFC 4180). */
#pragma once

#include "../common/buffer.h"

/* Quoted where it must be. A text that a spreadsheet would take for a formula gets an apostrophe before it: texts come from anybody. */
void csv_add_text(struct buffer *out, const char *text);
