/* A reading as a line of text, and back: CSV (RFC 4180) and JSON lines. Knows no file and no store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/buffer.h"
#include "../common/reading.h"

enum ctl_row_form { CTL_ROW_CSV, CTL_ROW_JSONL };

/* The first line of CSV; nothing for JSON lines. */
void ctl_row_write_header(enum ctl_row_form form, struct buffer *out);
/* A line with its end. Numbers have the digits that read back as the same double. */
void ctl_row_write(enum ctl_row_form form, const struct reading *reading, struct buffer *out);

enum ctl_column {
	CTL_COLUMN_OTHER, /* not ours */
	CTL_COLUMN_TIME,
	CTL_COLUMN_SERIES,
	CTL_COLUMN_NODE,
	CTL_COLUMN_DEVICE,
	CTL_COLUMN_QUANTITY,
	CTL_COLUMN_VALUE,
	CTL_COLUMN_UNIT,
	CTL_COLUMNS
};

enum { CTL_ROW_FIELDS_MAX = 64 };

struct ctl_reader {
	enum ctl_row_form form;
	char separator; /* of CSV */
	size_t fields;  /* columns of CSV; 0: the line with their names has not come */
	enum ctl_column columns[CTL_ROW_FIELDS_MAX];
};

/* Reads a line (without its end; CSV's quotes are taken out in place). Returns 1 a reading, 0 none (CSV's first line, an empty line), or
 * -EINVAL with the reason: what is wrong, and what is allowed (READING_REASON_MAX bytes).
 * now_ms   readings of more than a day ahead are refused, as all that reading_check refuses */
int ctl_row_read(struct ctl_reader *reader, char *line, size_t len, int64_t now_ms, struct reading *ret_reading, char *reason);
