#include "series.h"

#include <errno.h>
#include <string.h>

static bool name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool series_name_valid(const char *name, size_t len)
{
	if (len < 1 || len > NAME_MAX_LEN || !name_character(name[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!name_character(name[i]) && name[i] != '_' && name[i] != '-')
			return false;
	return true;
}

static void take(char *word, const char *text, size_t len)
{
	memcpy(word, text, len);
	word[len] = '\0';
}

int series_parse(const char *text, size_t len, struct series *ret_series)
{
	const char *end = text + len;
	const char *device = memchr(text, '/', len);
	const char *quantity = device ? memchr(device + 1, '/', (size_t)(end - device - 1)) : NULL;

	if (!quantity || !series_name_valid(text, (size_t)(device - text)) ||
	    !series_name_valid(device + 1, (size_t)(quantity - device - 1)) ||
	    !quantity_name_valid(quantity + 1, (size_t)(end - quantity - 1)))
		return -EINVAL;
	take(ret_series->node, text, (size_t)(device - text));
	take(ret_series->device, device + 1, (size_t)(quantity - device - 1));
	take(ret_series->quantity, quantity + 1, (size_t)(end - quantity - 1));
	return 0;
}

int series_make(const char *node, const char *device, const char *quantity, struct series *ret_series)
{
	if (!series_name_valid(node, strlen(node)) || !series_name_valid(device, strlen(device)) ||
	    !quantity_name_valid(quantity, strlen(quantity)))
		return -EINVAL;
	take(ret_series->node, node, strlen(node));
	take(ret_series->device, device, strlen(device));
	take(ret_series->quantity, quantity, strlen(quantity));
	return 0;
}

const char *series_format(const struct series *series, char *buf)
{
	char *end = stpcpy(buf, series->node);

	*end++ = '/';
	end = stpcpy(end, series->device);
	*end++ = '/';
	strcpy(end, series->quantity);
	return buf;
}

bool series_equal(const struct series *a, const struct series *b)
{
	return strcmp(a->quantity, b->quantity) == 0 && strcmp(a->device, b->device) == 0 && strcmp(a->node, b->node) == 0;
}

static unsigned hash_word(unsigned hash, const char *word)
{
	do
		hash = (hash ^ (unsigned char)*word) * 16777619U;
	while (*word++);
	return hash;
}

unsigned series_hash(const struct series *series)
{
	return hash_word(hash_word(hash_word(2166136261U, series->node), series->device), series->quantity);
}
