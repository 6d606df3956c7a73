/* The figures of a chart: what the store has of a span, in words. */
#pragma once

#include "view.h"

enum { VIEW_LAST = 100, VIEW_POINTS = 1000, VIEW_ROWS = 100 };

/* Adds a row (min, max, mean, readings, gaps) of a number or binary series. Returns 0 or the store's error. */
int figures_add_stats(const struct view *view, struct store *store, const struct house_series *series,
		      const struct view_range *range, cJSON *to);

/* Adds "figures": the newest readings of a span, the changes of a binary series, the texts of a text series. Newest first. */
int figures_add_table(const struct view *view, struct store *store, const struct house_series *series,
		      const struct view_range *range, cJSON *to);
