/* Where the elements of a batch stand in its bytes, so that what is refused can be kept as it came. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The next element of a JSON array that the parser has taken. *at is 0 at first; it moves on. False when there is none (any more).
 * What is no array has one element: itself. */
bool elements_next(const char *payload, size_t len, size_t *at, const char **ret_element, size_t *ret_len);
