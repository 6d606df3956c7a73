/* A series through time: what the chart shows, its figures in words, the readings as a table. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"
#include "view_figures.h"
#include "wording.h"

static const struct {
	const char *word, *key;
	int64_t span_ms;
} ranges[] = {
	{ "last", "range_last", 0 },
	{ "24h", "range_24h", INT64_C(86400000) },
	{ "7d", "range_7d", 7 * INT64_C(86400000) },
	{ "30d", "range_30d", 30 * INT64_C(86400000) },
	{ "1y", "range_1y", 365 * INT64_C(86400000) },
	{ "custom", "range_custom", INT64_C(86400000) },
};
enum { RANGE_COUNT = sizeof(ranges) / sizeof(ranges[0]), CUSTOM = RANGE_COUNT - 1 };

int view_range_parse(const char *range, const char *from, const char *to, int64_t now_ms, struct view_range *ret_range)
{
	int64_t from_ms, to_ms;

	*ret_range = (struct view_range){ .word = "last" };
	if (from || to) {
		if (!from || !to || wording_parse_local(from, &from_ms) < 0 || wording_parse_local(to, &to_ms) < 0 ||
		    from_ms >= to_ms)
			return -EINVAL;
		*ret_range = (struct view_range){ .word = "custom", .from_ms = from_ms, .to_ms = to_ms };
		return 0;
	}
	for (size_t i = 1; range && i < RANGE_COUNT; i++)
		if (!strcmp(range, ranges[i].word))
			*ret_range = (struct view_range){ .word = ranges[i].word,
							  .from_ms = now_ms - ranges[i].span_ms,
							  .to_ms = now_ms };
	return 0;
}

/* ---- the legend ----------------------------------------------------------------------------------------------------------------- */

static int by_quantity(const void *a, const void *b)
{
	const struct house_series *const *one = a, *const *two = b;
	enum quantity left = quantity_find((*one)->name.quantity), right = quantity_find((*two)->name.quantity);

	/* Unknown ones are 0, and come last. */
	return left != right ? (left - 1U < right - 1U ? -1 : 1) : strcmp((*one)->name.quantity, (*two)->name.quantity);
}

static bool is_drawn(const struct house_series *series)
{
	return series->quantity->kind != QUANTITY_KIND_TEXT && (!series->has_value || series->value.kind == VALUE_NUMBER);
}

void view_range_with(const struct house *house, const char *with, struct view_range *range)
{
	for (const char *at = with; at && range->with_count < VIEW_WITH_MAX; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		struct series name;
		const struct house_series *series =
			series_parse(at, strcspn(at, ","), &name) == 0 ? house_series(house, &name) : NULL;

		if (series && is_drawn(series))
			range->with[range->with_count++] = series;
	}
}

static void add_once(const struct house_series *list[VIEW_LEGEND_MAX], size_t *count, const struct house_series *series)
{
	for (size_t i = 0; i < *count; i++)
		if (list[i] == series)
			return;
	if (*count < VIEW_LEGEND_MAX)
		list[(*count)++] = series;
}

size_t view_chart_series(const struct house_series *series, const struct view_range *range,
			 const struct house_series *list[VIEW_LEGEND_MAX])
{
	size_t count = 0;

	list[count++] = series;
	for (const struct house_series *other = series->device->series; other; other = other->next)
		if (other->quantity->kind == QUANTITY_KIND_NUMBER && is_drawn(other) && count < VIEW_LEGEND_MAX - VIEW_WITH_MAX)
			add_once(list, &count, other);
	qsort(list + 1, count - 1, sizeof(list[0]), by_quantity);
	for (size_t i = 0; i < range->with_count; i++)
		add_once(list, &count, range->with[i]);
	return count;
}

/* What series share an axis by: their unit; states have their own. */
static const char *axis_of(const struct house_series *series)
{
	return series->quantity->kind == QUANTITY_KIND_BINARY ? "state" : view_unit(series);
}

static bool takes_axis(const char *axes[VIEW_AXES_MAX], size_t *count, const char *axis)
{
	for (size_t i = 0; i < *count; i++)
		if (!strcmp(axes[i], axis))
			return true;
	if (*count == VIEW_AXES_MAX)
		return false;
	axes[(*count)++] = axis;
	return true;
}

static const char *plain_label(const struct view *view, const struct house_series *series)
{
	const char *quantity = wording_quantity(view->language, series->quantity);

	return series->label[0] ? series->label : quantity[0] ? quantity : series->name.quantity;
}

static cJSON *legend_entry(const struct view *view, const struct house_series *series, const struct house_series *first, bool on)
{
	cJSON *entry = cJSON_CreateObject();
	char text[VALUE_TEXT_MAX + 1], name[SERIES_TEXT_MAX + 1], near[VIEW_LABEL_MAX], far[VIEW_LABEL_MAX + HOUSE_LABEL_MAX + 8];
	bool binary = series->quantity->kind == QUANTITY_KIND_BINARY, french = view->language == LANGUAGE_FR;

	cJSON_AddStringToObject(entry, "series", series_format(&series->name, name));
	cJSON_AddStringToObject(entry, "tint", view_tint(series));
	if (series->device == first->device) {
		cJSON_AddStringToObject(entry, "label", plain_label(view, series));
	} else {
		snprintf(far, sizeof(far), "%s · %s", view_node_label(series->device->node), view_series_label(view, series, near));
		cJSON_AddStringToObject(entry, "label", far);
	}
	view_add_unit(series, entry);
	cJSON_AddStringToObject(entry, "value",
				series->has_value ? wording_value(view->language, series->quantity, &series->value, text) : "–");
	cJSON_AddNumberToObject(entry, "dec", wording_decimals(series->quantity));
	cJSON_AddBoolToObject(entry, "on", on);
	cJSON_AddBoolToObject(entry, "binary", binary);
	if (binary && series->quantity->on_fr) {
		cJSON_AddStringToObject(entry, "on_word", french ? series->quantity->on_fr : series->quantity->on_en);
		cJSON_AddStringToObject(entry, "off_word", french ? series->quantity->off_fr : series->quantity->off_en);
	}
	return entry;
}

/* A quantity's name within a sentence: "Éclairement" becomes "éclairement", "CO₂" stays. */
static void write_small(char *word)
{
	unsigned char *first = (unsigned char *)word;

	if (first[0] >= 'A' && first[0] <= 'Z' && !(first[1] >= 'A' && first[1] <= 'Z'))
		first[0] = (unsigned char)(first[0] + ('a' - 'A'));
	else if (first[0] == 0xc3 && first[1] >= 0x80 && first[1] <= 0x9e) /* U+00C0 to U+00DE */
		first[1] = (unsigned char)(first[1] + 0x20);
}

/* "Température et humidité": what the chart shows at first. */
static void add_title(const struct view *view, cJSON *to, const struct house_series *const list[], const bool on[], size_t count)
{
	char title[VIEW_LEGEND_MAX * (HOUSE_LABEL_MAX + 8)];
	char alone[VIEW_LABEL_MAX];
	size_t len = 0, shown = 0, all = 0;

	/* Those to compare with are in the legend. */
	while (count && list[count - 1]->device != list[0]->device)
		count--;
	for (size_t i = 0; i < count; i++)
		all += on[i];
	for (size_t i = 0; i < count; i++) {
		const char *label = count == 1 ? view_series_label(view, list[i], alone) : plain_label(view, list[i]);
		const char *between = shown == 0 ? "" : shown + 1 == all ? view_text(view, "and") : ", ";

		if (!on[i])
			continue;
		len += (size_t)snprintf(title + len, sizeof(title) - len, "%s%s", between, label);
		if (shown++ > 0 && !list[i]->label[0])
			write_small(title + len - strlen(label));
	}
	cJSON_AddStringToObject(to, "headline", title);
	view_fill(view, to, "chart_label", "chart_label", (struct strings_word[]){ { "names", title }, { 0 } });
}

static void add_ranges(const struct view *view, const struct view_range *range, cJSON *to)
{
	cJSON *list = cJSON_AddArrayToObject(to, "ranges");
	char text[WORDING_MAX];

	for (size_t i = 0; i < RANGE_COUNT; i++) {
		cJSON *one = cJSON_CreateObject();

		cJSON_AddItemToArray(list, one);
		cJSON_AddStringToObject(one, "word", ranges[i].word);
		cJSON_AddStringToObject(one, "text", view_text(view, ranges[i].key));
		cJSON_AddBoolToObject(one, "current", !strcmp(range->word, ranges[i].word));
		cJSON_AddBoolToObject(one, "is_custom", i == CUSTOM);
		cJSON_AddBoolToObject(one, "open", i == CUSTOM && !strcmp(range->word, ranges[i].word));
	}
	cJSON_AddBoolToObject(to, "is_custom", !strcmp(range->word, "custom"));
	cJSON_AddStringToObject(to, "range_word", range->word);
	cJSON_AddStringToObject(to, "from_local",
				wording_local(range->to_ms ? range->from_ms : view->now_ms - ranges[CUSTOM].span_ms, text));
	cJSON_AddStringToObject(to, "to_local", wording_local(range->to_ms ? range->to_ms : view->now_ms, text));
	if (!strcmp(range->word, "custom")) {
		cJSON_AddNumberToObject(to, "from_ms", (double)range->from_ms);
		cJSON_AddNumberToObject(to, "to_ms", (double)range->to_ms);
	}
}

/* What the links of the page keep: "&with=...&prev=1". */
static void add_kept(const struct view_range *range, cJSON *to)
{
	char text[VIEW_WITH_MAX * (SERIES_TEXT_MAX + 1) + 32] = "", name[SERIES_TEXT_MAX + 1], with[sizeof(text)] = "";
	size_t len = 0;

	for (size_t i = 0; i < range->with_count; i++)
		len += (size_t)snprintf(with + len, sizeof(with) - len, "%s%s", i ? "," : "",
					series_format(&range->with[i]->name, name));
	snprintf(text, sizeof(text), "%s%.*s%s", len ? "&with=" : "", (int)sizeof(text) - 24, with,
		 range->previous ? "&prev=1" : "");
	cJSON_AddStringToObject(to, "kept", text);
	cJSON_AddStringToObject(to, "with", with);
	cJSON_AddBoolToObject(to, "previous", range->previous);
	cJSON_AddBoolToObject(to, "has_with", range->with_count > 0);
	cJSON_AddBoolToObject(to, "has_span", range->to_ms != 0);
}

static void add_csv(const struct house_series *const list[], size_t count, const struct view_range *range, cJSON *to)
{
	char text[VIEW_LEGEND_MAX * (SERIES_TEXT_MAX + 1) + 128], name[SERIES_TEXT_MAX + 1];
	size_t len = (size_t)snprintf(text, sizeof(text), "/api/v1/history.csv?series=");

	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : "", series_format(&list[i]->name, name));
	if (range->to_ms)
		snprintf(text + len, sizeof(text) - len, "&from=%" PRId64 "&to=%" PRId64, range->from_ms, range->to_ms);
	else
		snprintf(text + len, sizeof(text) - len, "&last=%d", VIEW_LAST);
	cJSON_AddStringToObject(to, "csv", text);
}

int view_chart(const struct view *view, struct store *store, const struct house_series *series, const struct view_range *range,
	       cJSON *to)
{
	cJSON *legend = cJSON_AddArrayToObject(to, "legend"), *stats = cJSON_AddArrayToObject(to, "stats");
	bool text = series->quantity->kind == QUANTITY_KIND_TEXT || (series->has_value && series->value.kind == VALUE_TEXT);
	const struct house_series *list[VIEW_LEGEND_MAX];
	bool on[VIEW_LEGEND_MAX] = { false };
	const char *axes[VIEW_AXES_MAX] = { 0 };
	size_t count = text ? 1 : view_chart_series(series, range, list), axis_count = 0;
	int r = 0;

	list[0] = series;
	for (size_t i = 0; i < count; i++) {
		on[i] = takes_axis(axes, &axis_count, axis_of(list[i]));
		cJSON_AddItemToArray(legend, legend_entry(view, list[i], series, on[i]));
		if (store && !text && r == 0)
			r = figures_add_stats(view, store, list[i], range, stats);
		if (list[i]->device != series->device && r == 0 && cJSON_GetArraySize(stats) == (int)i + 1)
			cJSON_AddStringToObject(cJSON_GetArrayItem(stats, (int)i), "room", view_node_label(list[i]->device->node));
	}
	add_title(view, to, list, on, count);
	add_ranges(view, range, to);
	add_kept(range, to);
	add_csv(list, count, range, to);
	cJSON_AddBoolToObject(to, "is_text", text);
	cJSON_AddBoolToObject(to, "has_stats", stats->child != NULL);
	cJSON_AddBoolToObject(to, "has_numbers", count > 1 || series->quantity->kind == QUANTITY_KIND_NUMBER);
	view_fill(view, to, "stats_title",
		  range->to_ms                                     ? "stats"
		  : series->quantity->kind == QUANTITY_KIND_BINARY ? "stats_changes"
								   : "stats_last",
		  NULL);
	return store && r == 0 ? figures_add_table(view, store, series, range, to) : r;
}
