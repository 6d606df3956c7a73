/* The three words that name a series everywhere: one quantity of one device on one node. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "quantity.h"

enum {
	NAME_MAX_LEN = 32,                                          /* of a node's or device's name */
	SERIES_TEXT_MAX = NAME_MAX_LEN * 2 + QUANTITY_NAME_MAX + 2, /* of "node/device/quantity" */
};

struct series {
	char node[NAME_MAX_LEN + 1];
	char device[NAME_MAX_LEN + 1];
	char quantity[QUANTITY_NAME_MAX + 1];
};

/* Whether `len` bytes are a node's or device's name: [a-z0-9][a-z0-9_-]{0,31}. */
bool series_name_valid(const char *name, size_t len);

/* Reads "node/device/quantity" (exactly `len` bytes). Returns 0, or -EINVAL with *ret_series untouched. */
int series_parse(const char *text, size_t len, struct series *ret_series);

/* Fills a series from three words. Returns 0, or -EINVAL when one is no valid name (*ret_series untouched). */
int series_make(const char *node, const char *device, const char *quantity, struct series *ret_series);

/* Writes "node/device/quantity"; buf holds at least SERIES_TEXT_MAX + 1 bytes. Returns buf. */
const char *series_format(const struct series *series, char *buf);

bool series_equal(const struct series *a, const struct series *b);

/* A hash for tables of series (FNV-1a over the three words); never written to disk. */
unsigned series_hash(const struct series *series);
