/* The chart of the series page as a picture, for browsers without script: lines with gaps, a band from minimum to maximum, at most two axes. */
#pragma once

#include "../common/buffer.h"
#include "view.h"

/* Draws what view_chart would show at first. Adds an SVG document to out. Returns 0 or the store's error. */
int chart_svg(const struct view *view, struct store *store, const struct house_series *series, const struct view_range *range,
	      bool dark, struct buffer *out);
