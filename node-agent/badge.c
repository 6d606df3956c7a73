#include "badge.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *badge_text(const uint8_t *uid, size_t len, char *buf)
{
	buf[0] = '\0';
	for (size_t i = 0; i < len && i < BADGE_UID_MAX; i++)
		sprintf(buf + 2 * i, "%02x", uid[i]);
	return buf;
}

int badge_read_salt(const char *path, char *ret_salt)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./+=";
	char line[128] = "";
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return -errno;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	len = strcspn(line, "\r\n");
	if (len < BADGE_SALT_MIN || strspn(line, allowed) < len)
		return -EINVAL;
	if (len > BADGE_SALT_MAX)
		len = BADGE_SALT_MAX;
	memcpy(ret_salt, line, len);
	ret_salt[len] = '\0';
	explicit_bzero(line, sizeof(line));
	return 0;
}

int badge_hash(const char *text, const char *salt, char *ret_hash)
{
	struct crypt_data *data = calloc(1, sizeof(*data)); /* 32 KiB */
	char setting[64];
	const char *hash = NULL, *last;

	snprintf(setting, sizeof(setting), "$5$rounds=1000$%.*s$", BADGE_SALT_MAX, salt);
	if (data)
		hash = crypt_rn(text, setting, data, sizeof(*data));
	last = hash ? strrchr(hash, '$') : NULL;
	if (last && strlen(last) < BADGE_TEXT_MAX)
		strcpy(ret_hash, last + 1);
	explicit_bzero(setting, sizeof(setting));
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return last ? 0 : -EIO;
}
