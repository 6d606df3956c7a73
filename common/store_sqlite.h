/* What the rooms of the store share: the only door to SQLite. Nobody outside common/store*.c includes this. */
#pragma once

#include <sqlite3.h>

#include "store.h"

enum {
	SERIES_BUCKETS = 512,
	FIVE_MIN_MS = 300000,
	HOUR_MS = 3600000,
};

/* Statements that name no quantity; the text of each stands in store_schema.c. */
enum statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_SNAPSHOT,
	SQL_ADD_NODE,
	SQL_ADD_SERIES,
	SQL_FIND_TABLE,
	SQL_FIND_SERIES,
	SQL_SET_STATUS,
	SQL_GET_STATUS,
	SQL_SET_INFO,
	SQL_GET_INFO,
	SQL_ADD_EVENT,
	SQL_REJECT,
	SQL_TRIM_REJECTED,
	SQL_ADD_COMMAND,
	SQL_FIND_COMMAND,
	SQL_SET_RESULT,
	SQL_ADD_RESULT,
	SQL_SAVE_STATE,
	SQL_DELETE_STATE,
	SQL_LOAD_STATE,
	SQL_SET_ROLLUP,
	SQL_GET_ROLLUP,
	SQL_MARK_LATE,
	SQL_NEXT_LATE,
	SQL_CLEAR_LATE,
	SQL_LATE_BEFORE,
	SQL_COUNT
};

/* Statements for each quantity's table. */
enum table_statement {
	TABLE_INSERT,
	TABLE_VALUE_AT,
	TABLE_ROWS,       /* of a series, a span, oldest first */
	TABLE_ROWS_DOWN,  /* newest first */
	TABLE_COUNT_ROWS, /* of all series in a span, bounded */
	TABLE_NEXT_TIME,
	TABLE_SPANS_DOWN, /* five-minute spans of a series that have rows, newest first */
	TABLE_FIVE_MIN,
	TABLE_HOUR,
	TABLE_MAKE_FIVE_MIN,
	TABLE_MAKE_HOUR,
	TABLE_CLEAR_FIVE_MIN,
	TABLE_MERGE_FIVE_MIN,
	TABLE_MERGE_HOUR,
	TABLE_STATE_BEFORE, /* of a series: what the rollups before a moment ended with */
	TABLE_SPAN_STATES,  /* raw rows of all series, by series */
	TABLE_HOUR_STATES,  /* five-minute rows of all series, by series */
	TABLE_SHARE_FIVE_MIN,
	TABLE_SHARE_HOUR,
	TABLE_MARK_NEXT,
	TABLE_DELETE_SPAN,
	TABLE_DELETE_RAW,
	TABLE_DELETE_FIVE_MIN,
	TABLE_STATEMENTS
};

struct table {
	struct table *next;
	char name[QUANTITY_NAME_MAX + 1];
	const struct quantity_info *info;
	sqlite3_stmt *statements[TABLE_STATEMENTS];
	int64_t closed_ms;                     /* spans before it are rolled up; TIME_NONE: no row yet */
	int64_t raw_from_ms, five_min_from_ms; /* older ones were deleted by their keep time; 0: none */
	int64_t late_ms;                       /* the late span marked last, so that a run of late readings marks it once */
};

struct known_series {
	struct known_series *next;
	struct series name;
	int64_t id;
	struct table *table;
	int64_t moved_ms; /* where store_append_moved put the last one */
};

struct store {
	sqlite3 *db;
	enum store_mode mode;
	char *path;
	int lock_fd;
	unsigned long long device, inode; /* of the file that is open */
	bool open_transaction;
	unsigned holds;     /* of one snapshot, by a reader */
	bool changed_names; /* series or tables were made in the open transaction */
	sqlite3_stmt *statements[SQL_COUNT];
	struct table *tables;
	struct known_series *series[SERIES_BUCKETS];
	struct store_keep *keeps;
	size_t keep_count;
	char error[STORE_ERROR_MAX];
};

/* store.c: a SQLite code as our errno, explained in store->error. SQLITE_OK, _ROW and _DONE are 0. */
int store_fail(struct store *store, int code);
int store_begin(struct store *store);
/* A reader's queries between the two see one state of the file, and lock it once instead of each; may be nested. Nothing to do for the writer. */
void store_hold(struct store *store);
void store_release(struct store *store);

/* store_schema.c */
int store_migrate(struct store *store);
int store_prepare(struct store *store, enum statement which, sqlite3_stmt **ret_statement);
int store_table_statement(struct store *store, struct table *table, enum table_statement which, sqlite3_stmt **ret_statement);
/* Makes the tables and the view of a quantity. */
int store_make_table(struct store *store, const char *quantity);

/* store_series.c: names to rows. create: make what is missing. -ENOENT without create. */
int store_find_table(struct store *store, const char *quantity, bool create, struct table **ret_table);
int store_find_series(struct store *store, const struct series *name, bool create, struct known_series **ret_series);
void store_forget_names(struct store *store);

/* Writes closed_ms, raw_from_ms and five_min_from_ms of a table. */
int store_save_rollup(struct store *store, struct table *table);

/* store_share.c: of a binary quantity the mean is the share of time on: of the five minutes, or of the hour, that begin at `from_ms`. */
int store_make_shares(struct store *store, struct table *table, int64_t from_ms, int64_t length_ms);
/* The state that a series brings into a moment; -1: unknown. */
int store_state_before(struct store *store, struct table *table, int64_t series, int64_t time_ms, double *ret_state);

/* store_schema.c: the version of the file. */
int store_read_version(struct store *store, int *ret_version);

/* Runs a statement that returns nothing, and resets it. */
int store_run(struct store *store, sqlite3_stmt *statement);
int store_bind_value(sqlite3_stmt *statement, int index, const struct value *value);
void store_column_value(sqlite3_stmt *statement, int index, const struct quantity_info *info, struct value *ret_value);
/* Copies a text column, "" for NULL. */
void store_column_text(sqlite3_stmt *statement, int index, char *buf, size_t size);
