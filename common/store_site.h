/* What the two files of webd's own store share. Nobody outside common/store*.c includes this. */
#pragma once

#include <sqlite3.h>
#include <stdarg.h>

#include "site.h"

struct site {
	sqlite3 *db;
	char *path;
	char error[SITE_ERROR_MAX];
};

/* A SQLite code as our errno, explained in site->error; a broken constraint is -EEXIST. SQLITE_OK, _ROW and _DONE are 0. */
int site_fail(struct site *site, int code);
/* kinds: a letter for each value that follows: i int64_t, t text, d digest. */
int site_prepare(struct site *site, const char *sql, const char *kinds, va_list *values, sqlite3_stmt **ret_statement);
/* Runs one statement. Returns the number of rows that it changed, or an error. */
int site_run(struct site *site, const char *sql, const char *kinds, ...);
/* Calls row for each row; a non-zero return ends and comes back. */
int site_each(struct site *site, int (*row)(void *call, sqlite3_stmt *statement), void *call, const char *sql, const char *kinds,
	      ...);
/* A text column, cut to the buffer. */
void site_text(sqlite3_stmt *statement, int column, char *buf, size_t size);
