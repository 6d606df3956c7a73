/* webd's own file: opening, and a statement run with its values. What is in it stands in store_site_rows.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_site.h"

enum { BUSY_MS = 2000, VERSION = 1 };

static const char schema[] =
	"CREATE TABLE user(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, role INTEGER NOT NULL, hash TEXT NOT "
	"NULL,"
	" made INTEGER NOT NULL);"
	"CREATE TABLE session(id INTEGER PRIMARY KEY, user INTEGER NOT NULL REFERENCES user(id) ON DELETE CASCADE, digest BLOB NOT "
	"NULL,"
	" keep INTEGER NOT NULL, made INTEGER NOT NULL, seen INTEGER NOT NULL, expires INTEGER NOT NULL, agent TEXT NOT NULL,"
	" address TEXT NOT NULL);"
	"CREATE TABLE token(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, role INTEGER NOT NULL, digest BLOB "
	"NOT NULL,"
	" made INTEGER NOT NULL, used INTEGER NOT NULL, by TEXT NOT NULL);"
	"CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE note(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, series TEXT NOT NULL, text TEXT NOT NULL, by TEXT NOT "
	"NULL);"
	"CREATE INDEX note_time ON note(time);"
	"CREATE TABLE event(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, what TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT "
	"NULL,"
	" address TEXT NOT NULL);"
	"CREATE INDEX event_time ON event(time);"
	"PRAGMA user_version = 1;";

int site_fail(struct site *site, int code)
{
	const char *what = sqlite3_errmsg(site->db);
	int error = -EIO;

	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		error = -ENOMEM;
		break;
	case SQLITE_FULL:
		error = -ENOSPC;
		what = "no space left: free some";
		break;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		error = -EROFS;
		what = "may not be written: see the owner and mode of the file and of its folder";
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		error = -EUCLEAN;
		what = "the file is damaged: move it away and put a backup in its place; without it there are no users and no "
		       "settings";
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		error = -EBUSY;
		what = "another program holds a lock on it";
		break;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	default:
		break;
	}
	snprintf(site->error, sizeof(site->error), "%s: %s", site->path, what);
	return error;
}

int site_prepare(struct site *site, const char *sql, const char *kinds, va_list *values, sqlite3_stmt **ret_statement)
{
	sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(site->db, sql, -1, &statement, NULL);

	for (int i = 1; r == SQLITE_OK && kinds[i - 1]; i++)
		if (kinds[i - 1] == 'i')
			r = sqlite3_bind_int64(statement, i, va_arg(*values, int64_t));
		else if (kinds[i - 1] == 't')
			r = sqlite3_bind_text(statement, i, va_arg(*values, const char *), -1, SQLITE_TRANSIENT);
		else
			r = sqlite3_bind_blob(statement, i, va_arg(*values, const void *), SITE_DIGEST, SQLITE_TRANSIENT);
	if (r != SQLITE_OK) {
		int error = site_fail(site, r);

		sqlite3_finalize(statement);
		return error;
	}
	*ret_statement = statement;
	return 0;
}

int site_run(struct site *site, const char *sql, const char *kinds, ...)
{
	sqlite3_stmt *statement;
	va_list values;
	int r, code;

	va_start(values, kinds);
	r = site_prepare(site, sql, kinds, &values, &statement);
	va_end(values);
	if (r < 0)
		return r;
	code = sqlite3_step(statement);
	r = site_fail(site, code);
	sqlite3_finalize(statement);
	return r < 0 ? r : sqlite3_changes(site->db);
}

int site_each(struct site *site, int (*row)(void *call, sqlite3_stmt *statement), void *call, const char *sql, const char *kinds,
	      ...)
{
	sqlite3_stmt *statement;
	va_list values;
	int r, code = SQLITE_DONE, result = 0;

	va_start(values, kinds);
	r = site_prepare(site, sql, kinds, &values, &statement);
	va_end(values);
	if (r < 0)
		return r;
	while (!result && (code = sqlite3_step(statement)) == SQLITE_ROW)
		result = row(call, statement);
	if (!result)
		result = site_fail(site, code);
	sqlite3_finalize(statement);
	return result;
}

void site_text(sqlite3_stmt *statement, int column, char *buf, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	snprintf(buf, size, "%s", text ? text : "");
}

/* ---- opening ------------------------------------------------------------------------------------------------------------------------ */

static int on_version(void *call, sqlite3_stmt *statement)
{
	*(int *)call = sqlite3_column_int(statement, 0);
	return 0;
}

static int migrate(struct site *site)
{
	int version = 0, r = site_each(site, on_version, &version, "PRAGMA user_version", "");

	if (r < 0)
		return r;
	if (version > VERSION) {
		snprintf(site->error, sizeof(site->error), "%s: made by a newer webd (version %d, this one knows %d)", site->path,
			 version, VERSION);
		return -EPROTO;
	}
	if (version == VERSION)
		return 0;
	r = site_fail(site, sqlite3_exec(site->db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	if (r == 0)
		r = site_fail(site, sqlite3_exec(site->db, schema, NULL, NULL, NULL));
	if (r == 0)
		r = site_fail(site, sqlite3_exec(site->db, "COMMIT", NULL, NULL, NULL));
	else
		sqlite3_exec(site->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int open_file(struct site *site)
{
	/* Written a few times a day: a small cache, and a log that goes with the last one who closes. */
	static const char pragmas[] =
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		"PRAGMA cache_size = -128; PRAGMA journal_size_limit = 65536; PRAGMA wal_autocheckpoint = 100;";
	bool in_memory = strcmp(site->path, SITE_IN_MEMORY) == 0;
	/* Passwords, though hashed, are nobody else's to read. */
	int fd = in_memory ? -1 : open(site->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), r;

	if (fd < 0 && !in_memory) {
		r = -errno;
		snprintf(site->error, sizeof(site->error), "%.200s: %s", site->path, strerror(-r));
		return r;
	}
	if (fd >= 0)
		close(fd);
	r = sqlite3_open_v2(site->path, &site->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (r == SQLITE_OK) {
		sqlite3_extended_result_codes(site->db, 1);
		sqlite3_busy_timeout(site->db, BUSY_MS);
		r = sqlite3_exec(site->db, pragmas, NULL, NULL, NULL);
	}
	return r == SQLITE_OK ? migrate(site) : site_fail(site, r);
}

int site_open(const char *path, struct site **ret_site, char *error)
{
	struct site *site = calloc(1, sizeof(*site));
	int r = -ENOMEM;

	if (site)
		site->path = strdup(path);
	if (site && site->path)
		r = open_file(site);
	if (r < 0) {
		snprintf(error, SITE_ERROR_MAX, "%s", site && site->error[0] ? site->error : strerror(-r));
		site_close(site);
		return r;
	}
	*ret_site = site;
	return 0;
}

void site_close(struct site *site)
{
	if (!site)
		return;
	sqlite3_close(site->db);
	free(site->path);
	free(site);
}

const char *site_error(const struct site *site)
{
	return site->error;
}
