/* What an output may be asked for: the same for a command, a rule and a safe state. */
#pragma once

#include "driver.h"

enum { OUTPUT_WORDS_MAX = 160 };

/* Returns 0, or -ERANGE with the reason in `words` (OUTPUT_WORDS_MAX bytes): "over 180". */
int output_check(const struct channel *channel, const struct value *value, char *words);

/* A value as people write it for this channel: "1", "on", "open", "21.5 °C", "70 °F", "60%", a text. Of any channel, output or not.
 * Returns 0, or -EINVAL with the reason in `words` (OUTPUT_WORDS_MAX bytes). */
int output_parse(const struct channel *channel, const char *text, struct value *ret_value, char *words);

/* The same, then checked. */
int output_parse_checked(const struct channel *channel, const char *text, struct value *ret_value, char *words);
