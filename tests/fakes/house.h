/* A store in a folder of its own, with the few words in which tests talk to it; and SQL beside it, to see what a person with sqlite3 would see. */
#pragma once

#include "../../common/store.h"

/* 2026-01-01T10:00:00Z (date -u -d @1767261600). */
#define TEN_OCLOCK INT64_C(1767261600000)
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

extern struct store *house; /* opened for writing by house_open */

/* For cmocka: a new empty store, and its end. */
int house_open(void **state);
int house_close(void **state);

/* Closes the store and opens it again. */
void house_reopen(void);
/* The file's path. */
const char *house_path(void);

struct series house_series(const char *text);
/* store_append of a number. */
int house_append(const char *series, int64_t time_ms, double number);
int house_append_text(const char *series, int64_t time_ms, const char *text);
/* store_commit, which must work. */
void house_commit(void);
/* Commits, and does all the housekeeping that is due. */
void house_maintain(int64_t now_ms);

/* The first column of the first row as text ("" without a row), read by a connection of its own; valid until the next call. */
const char *house_query(const char *sql);
/* Runs SQL by a connection of its own. */
void house_execute(const char *sql);
/* Another program's write lock on the file, and its end. */
void house_hold(void);
void house_let_go(void);
