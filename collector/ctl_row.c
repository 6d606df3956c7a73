#include "ctl_row.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/unit.h"
#include "../common/wire.h"
#include "../common/wire_json.h"

/* ---- writing -------------------------------------------------------------------------------------------------------------------- */

static void write_quoted(const char *text, struct buffer *out)
{
	buffer_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"')
			buffer_add_char(out, '"');
		buffer_add_char(out, *text);
	}
	buffer_add_char(out, '"');
}

static void write_csv(const struct reading *reading, struct buffer *out)
{
	const struct series *series = &reading->series;
	char text[SERIES_TEXT_MAX + 80], number[40];
	size_t len = strlen(wire_format_time(reading->time_ms, text));

	text[len++] = ',';
	len = (size_t)(stpcpy(stpcpy(stpcpy(stpcpy(stpcpy(text + len, series->node), ","), series->device), ","),
			      series->quantity) -
		       text);
	text[len++] = ',';
	buffer_add(out, text, len);
	if (reading->value.kind == VALUE_TEXT)
		write_quoted(reading->value.text, out);
	else
		buffer_add(out, number, value_format_number(reading->value.number, number));
	buffer_add_char(out, ',');
	buffer_add_text(out, quantity_info_of(series->quantity)->unit);
	buffer_add_char(out, '\n');
}

/* Texts hold no control characters: only these two need a word. */
static void write_string(const char *text, struct buffer *out)
{
	buffer_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buffer_add_char(out, '\\');
		buffer_add_char(out, *text);
	}
	buffer_add_char(out, '"');
}

static void write_json(const struct reading *reading, struct buffer *out)
{
	const char *unit = quantity_info_of(reading->series.quantity)->unit;
	char series[SERIES_TEXT_MAX + 1], text[SERIES_TEXT_MAX + 96], number[40];
	int len =
		snprintf(text, sizeof(text), "{\"series\":\"%s\",\"time\":%lld,\"value\":", series_format(&reading->series, series),
			 (long long)reading->time_ms);

	buffer_add(out, text, (size_t)len);
	if (reading->value.kind == VALUE_TEXT)
		write_string(reading->value.text, out);
	else
		buffer_add(out, number, value_format_number(reading->value.number, number));
	if (unit[0]) {
		buffer_add_text(out, ",\"unit\":\"");
		buffer_add_text(out, unit);
		buffer_add_char(out, '"');
	}
	buffer_add(out, "}\n", 2);
}

void ctl_row_write_header(enum ctl_row_form form, struct buffer *out)
{
	if (form == CTL_ROW_CSV)
		buffer_add_text(out, "time,node,device,quantity,value,unit\n");
}

void ctl_row_write(enum ctl_row_form form, const struct reading *reading, struct buffer *out)
{
	if (form == CTL_ROW_CSV)
		write_csv(reading, out);
	else
		write_json(reading, out);
}

/* ---- reading: what both forms share --------------------------------------------------------------------------------------------- */

static int refuse(char *reason, const char *what, const char *text, size_t len)
{
	char shown[48];

	snprintf(reason, READING_REASON_MAX, what, value_show(text, len, shown, sizeof(shown)));
	return -EINVAL;
}

static int set_series(const char *text, size_t len, struct series *series, char *reason)
{
	return series_parse(text, len, series) == 0
		       ? 0
		       : refuse(reason, "series \"%s\" is not NODE/DEVICE/QUANTITY (names are [a-z0-9][a-z0-9_-]{0,31})", text,
				len);
}

static int set_unit(const char *unit, size_t len, struct reading *reading, char *reason)
{
	enum quantity quantity = quantity_find(reading->series.quantity);
	char own[UNIT_MAX + 1], units[96], shown[UNIT_MAX + 1];

	if (len == 0 || reading->value.kind == VALUE_TEXT)
		return 0;
	if (len <= UNIT_MAX) {
		memcpy(own, unit, len);
		own[len] = '\0';
		/* Not even multiplied by one. */
		if (strcmp(own, quantity_info(quantity)->unit) == 0 || unit_convert(quantity, own, &reading->value.number) == 0)
			return 0;
	}
	snprintf(reason, READING_REASON_MAX, "unit \"%s\" is not known for %s; allowed: %s",
		 value_show(unit, len, shown, sizeof(shown)), reading->series.quantity, unit_list(quantity, units, sizeof(units)));
	return -EINVAL;
}

#define TIME_ALLOWED "allowed are whole milliseconds since 1970 and RFC 3339 with a zone"

static int set_time(const char *text, size_t len, int64_t *ret_ms, char *reason)
{
	char copy[48], *end;

	if (len > 0 && len < sizeof(copy)) {
		memcpy(copy, text, len);
		copy[len] = '\0';
		errno = 0;
		*ret_ms = strtoll(copy, &end, 10);
		if (!errno && copy[0] != ' ' && copy[0] != '+' && end != copy && !*end)
			return 0;
		if (wire_parse_time(copy, ret_ms) == 0)
			return 0;
	}
	return refuse(reason, "time \"%s\": " TIME_ALLOWED, text, len);
}

/* ---- CSV ------------------------------------------------------------------------------------------------------------------------ */

struct field {
	char *text;
	size_t len;
};

/* Takes a line apart, quotes out in place. Returns the number of fields or -EINVAL. */
static int split(char separator, char *line, size_t len, struct field fields[CTL_ROW_FIELDS_MAX], char *reason)
{
	char *p = line, *end = line + len;
	int count = 0;

	for (;;) {
		struct field *field = &fields[count];

		if (count == CTL_ROW_FIELDS_MAX) {
			snprintf(reason, READING_REASON_MAX, "more than %d columns", CTL_ROW_FIELDS_MAX);
			return -EINVAL;
		}
		count++;
		field->text = p;
		if (p < end && *p == '"') {
			char *to = p;

			for (p++; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++) {
				p += *p == '"';
				*to++ = *p;
			}
			field->len = (size_t)(to - field->text);
			if (p == end || (p + 1 < end && p[1] != separator)) {
				snprintf(reason, READING_REASON_MAX,
					 p == end ? "a quote that is not closed on its line (texts have no line breaks)"
						  : "text after a closing quote");
				return -EINVAL;
			}
			p++;
		} else {
			char *stop = memchr(p, separator, (size_t)(end - p));

			p = stop ? stop : end;
			field->len = (size_t)(p - field->text);
		}
		if (p == end)
			return count;
		p++;
	}
}

static enum ctl_column column_of(const struct field *field)
{
	static const char *const names[CTL_COLUMNS] = {
		[CTL_COLUMN_OTHER] = "",      [CTL_COLUMN_TIME] = "time",     [CTL_COLUMN_SERIES] = "series",
		[CTL_COLUMN_NODE] = "node",   [CTL_COLUMN_DEVICE] = "device", [CTL_COLUMN_QUANTITY] = "quantity",
		[CTL_COLUMN_VALUE] = "value", [CTL_COLUMN_UNIT] = "unit",
	};

	for (int i = 1; i < CTL_COLUMNS; i++)
		if (strlen(names[i]) == field->len && strncasecmp(names[i], field->text, field->len) == 0)
			return (enum ctl_column)i;
	return CTL_COLUMN_OTHER;
}

static int read_header(struct ctl_reader *reader, char *line, size_t len, char *reason)
{
	struct field fields[CTL_ROW_FIELDS_MAX];
	int seen[CTL_COLUMNS] = { 0 }, count;

	reader->separator = memchr(line, ',', len) ? ',' : memchr(line, ';', len) ? ';' : '\t';
	count = split(reader->separator, line, len, fields, reason);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		reader->columns[i] = column_of(&fields[i]);
		seen[reader->columns[i]]++;
	}
	for (int i = 1; i < CTL_COLUMNS; i++)
		if (seen[i] > 1) {
			snprintf(reason, READING_REASON_MAX, "the first line names a column twice");
			return -EINVAL;
		}
	if (!seen[CTL_COLUMN_TIME] || !seen[CTL_COLUMN_VALUE] ||
	    !(seen[CTL_COLUMN_SERIES] || (seen[CTL_COLUMN_NODE] && seen[CTL_COLUMN_DEVICE] && seen[CTL_COLUMN_QUANTITY]))) {
		snprintf(reason, READING_REASON_MAX,
			 "the first line names the columns: time, value, and node, device, quantity or series; unit if you like");
		return -EINVAL;
	}
	reader->fields = (size_t)count;
	return 0;
}

static int words_to_series(const struct field found[CTL_COLUMNS], struct series *series, char *reason)
{
	char text[SERIES_TEXT_MAX + 1];
	const struct field *node = &found[CTL_COLUMN_NODE], *device = &found[CTL_COLUMN_DEVICE],
			   *quantity = &found[CTL_COLUMN_QUANTITY];
	size_t len = node->len + device->len + quantity->len + 2;

	if (found[CTL_COLUMN_SERIES].text)
		return set_series(found[CTL_COLUMN_SERIES].text, found[CTL_COLUMN_SERIES].len, series, reason);
	assert(node->text && device->text && quantity->text); /* read_header saw to it */
	if (len > SERIES_TEXT_MAX)
		return refuse(reason, "node \"%s\", its device or quantity: a name has at most 32 bytes", node->text, node->len);
	memcpy(text, node->text, node->len);
	text[node->len] = '/';
	memcpy(text + node->len + 1, device->text, device->len);
	text[node->len + 1 + device->len] = '/';
	memcpy(text + node->len + device->len + 2, quantity->text, quantity->len);
	return set_series(text, len, series, reason);
}

static int read_csv(const struct ctl_reader *reader, char *line, size_t len, struct reading *reading, char *reason)
{
	struct field fields[CTL_ROW_FIELDS_MAX], found[CTL_COLUMNS] = { 0 };
	int count = split(reader->separator, line, len, fields, reason), r;

	if (count < 0)
		return count;
	if ((size_t)count != reader->fields) {
		snprintf(reason, READING_REASON_MAX, "%d columns, the first line names %zu", count, reader->fields);
		return -EINVAL;
	}
	for (int i = 0; i < count; i++)
		if (reader->columns[i] != CTL_COLUMN_OTHER)
			found[reader->columns[i]] = fields[i];
	r = words_to_series(found, &reading->series, reason);
	if (r == 0)
		r = set_time(found[CTL_COLUMN_TIME].text, found[CTL_COLUMN_TIME].len, &reading->time_ms, reason);
	if (r == 0)
		r = wire_bare_value(&reading->series, found[CTL_COLUMN_VALUE].text, found[CTL_COLUMN_VALUE].len, &reading->value,
				    reason);
	return r == 0 ? set_unit(found[CTL_COLUMN_UNIT].text, found[CTL_COLUMN_UNIT].len, reading, reason) : r;
}

/* ---- JSON lines ----------------------------------------------------------------------------------------------------------------- */

static const char *string_of(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static int json_series(const cJSON *json, struct series *series, char *reason)
{
	const char *text = string_of(json, "series");

	if (text[0])
		return set_series(text, strlen(text), series, reason);
	if (series_make(string_of(json, "node"), string_of(json, "device"), string_of(json, "quantity"), series) == 0)
		return 0;
	snprintf(reason, READING_REASON_MAX, "no \"series\":\"NODE/DEVICE/QUANTITY\" (nor \"node\", \"device\" and \"quantity\")");
	return -EINVAL;
}

static int json_time(const cJSON *item, int64_t *ret_ms, char *reason)
{
	if (cJSON_IsString(item))
		return set_time(item->valuestring, strlen(item->valuestring), ret_ms, reason);
	if (cJSON_IsNumber(item) && fabs(item->valuedouble) <= 9007199254740992.0 &&
	    !(floor(item->valuedouble) < item->valuedouble)) {
		*ret_ms = (int64_t)item->valuedouble;
		return 0;
	}
	snprintf(reason, READING_REASON_MAX, "no time: " TIME_ALLOWED);
	return -EINVAL;
}

static int read_object(const cJSON *json, struct reading *reading, char *reason)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, "value");
	const char *unit = string_of(json, "unit");
	int r = json_series(json, &reading->series, reason);

	if (r == 0)
		r = json_time(cJSON_GetObjectItemCaseSensitive(json, "time"), &reading->time_ms, reason);
	if (r == 0 && !value) {
		snprintf(reason, READING_REASON_MAX, "no \"value\"");
		r = -EINVAL;
	}
	if (r == 0)
		r = wire_json_value(&reading->series, value, &reading->value, reason);
	return r == 0 ? set_unit(unit, strlen(unit), reading, reason) : r;
}

static int read_json(const char *line, size_t len, struct reading *reading, char *reason)
{
	const char *end = NULL;
	cJSON *json;
	int r;

	if (memmem(line, len, "\\u0000", 6)) { /* the parser would end the text there */
		snprintf(reason, READING_REASON_MAX, "a text has no control characters");
		return -EINVAL;
	}
	json = cJSON_ParseWithLengthOpts(line, len, &end, false);
	while (end && end < line + len && (*end == ' ' || *end == '\t'))
		end++;
	if (!cJSON_IsObject(json) || end != line + len) {
		snprintf(reason, READING_REASON_MAX,
			 "not a JSON object on a line of its own: {\"series\":..,\"time\":..,\"value\":..}");
		r = -EINVAL;
	} else {
		r = read_object(json, reading, reason);
	}
	cJSON_Delete(json);
	return r;
}

/* ---- lines ---------------------------------------------------------------------------------------------------------------------- */

int ctl_row_read(struct ctl_reader *reader, char *line, size_t len, int64_t now_ms, struct reading *ret_reading, char *reason)
{
	int r;

	if (len == 0)
		return 0;
	if (memchr(line, '\0', len)) {
		snprintf(reason, READING_REASON_MAX, "a zero byte: this is no text");
		return -EINVAL;
	}
	ret_reading->seq = 0;
	if (reader->form == CTL_ROW_CSV && reader->fields == 0)
		return read_header(reader, line, len, reason);
	if (reader->form == CTL_ROW_CSV)
		r = read_csv(reader, line, len, ret_reading, reason);
	else
		r = read_json(line, len, ret_reading, reason);
	if (r == 0)
		r = reading_check(ret_reading, now_ms, reason);
	return r < 0 ? r : 1;
}
