/* What the rooms of the store share: the only door to SQLite. Nobody outside common/store*.c includes this. */
#pragma once

#include <sqlite3.h>

#include "store.h"

/* How rows lie (schema version 3). A quantity's rows stand in "_raw_QUANTITY", clustered by time; those of the newest commits, of all quantities,
 * in "_recent" until there are RECENT_MAX, an hour is over or one of them is late: a commit then touches two or three pages, not some of each
 * quantity. The view QUANTITY is both together: who asks with SQL names that, and nothing else. Of "_recent" the rows of the turn that meta
 * names '_turn' count; the others are left from before and their places are used again, so that no page is made or given back for them.
 * A number is kept as a whole number of 1/scale where that is exact (21.4 as 2140: two bytes instead of eight), otherwise as it is.
 * Above the rows stand three levels of rollups: "QUANTITY_5min", "QUANTITY_hour" and, for charts of years, "QUANTITY_8hour": see store_blocks.c. */
enum {
	SERIES_BUCKETS = 512,
	RECENT_MAX = 1024,
	FIVE_MIN_MS = 300000,
	HOUR_MS = 3600000,
	BLOCK_MS = 8 * HOUR_MS,
	DAY_MS = 86400000,
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
	SQL_LATE_WITHIN,
	SQL_STATUS_AT,
	SQL_WENT_AWAY,
	SQL_PUT_RECENT,
	SQL_LOAD_RECENT,
	SQL_GET_TURN,
	SQL_SET_TURN,
	SQL_DATA_VERSION,
	SQL_COUNT
};

/* Statements for each quantity's table; their text stands in store_tables.c. */
enum table_statement {
	TABLE_INSERT,
	TABLE_VALUE_AT,
	TABLE_SETTLE,     /* rows of _recent into their table */
	TABLE_ROWS,       /* of a series, a span, oldest first */
	TABLE_ROWS_DOWN,  /* newest first */
	TABLE_SPAN_DOWN,  /* likewise, of a span of which no row is recent */
	TABLE_COUNT_ROWS, /* of all series in a span, bounded */
	TABLE_NEXT_TIME,
	TABLE_NEWEST,
	TABLE_SPANS_DOWN, /* five-minute spans of a series that have rows, newest first */
	TABLE_FIVE_MIN,
	TABLE_HOUR,
	TABLE_BLOCK,
	TABLE_MAKE_FIVE_MIN,
	TABLE_MAKE_HOUR,
	TABLE_CLEAR_FIVE_MIN,
	TABLE_MERGE_FIVE_MIN,
	TABLE_MERGE_HOUR,
	TABLE_STATE_BEFORE, /* of a series: what the rollups before a moment ended with */
	TABLE_HOUR_BEFORE,  /* likewise, what the hours ended with */
	TABLE_SPAN_STATES,  /* raw rows of all series, by series */
	TABLE_HOUR_STATES,  /* five-minute rows of all series, by series */
	TABLE_BLOCK_STATES, /* likewise, of hours */
	TABLE_SHARE_FIVE_MIN,
	TABLE_SHARE_HOUR,
	TABLE_SHARE_BLOCK,
	TABLE_MAKE_BLOCK,
	TABLE_CLEAR_HOUR,
	TABLE_CLEAR_BLOCK,
	TABLE_NEXT_HOUR,
	TABLE_NEXT_BLOCK, /* after ?3, of those that are their series' first after ?1 */
	TABLE_MARK_NEXT,
	TABLE_DELETE_SPAN,
	TABLE_DELETE_RAW,
	TABLE_OLDEST_FIVE_MIN,
	TABLE_DELETE_FIVE_MIN,
	TABLE_STATEMENTS
};

struct table {
	struct table *next;
	char name[QUANTITY_NAME_MAX + 1];
	const struct quantity_info *info;
	sqlite3_stmt *statements[TABLE_STATEMENTS];
	int scale;
	bool unsettled;                        /* within store_settle */
	int64_t newest_ms;                     /* no row of "_raw_..." is newer; the writer's */
	int64_t closed_ms;                     /* spans before it are rolled up; TIME_NONE: no row yet */
	int64_t raw_from_ms, five_min_from_ms; /* older ones were deleted by their keep time; 0: none */
	int64_t blocks_ms;                     /* blocks before it are made; TIME_NONE: none yet */
	int64_t looked_ms;                     /* the hour in which five-minute rows were last found young enough */
	int64_t late_ms;                       /* the late span marked last, so that a run of late readings marks it once */
};

struct known_series {
	struct known_series *next;
	struct series name;
	int64_t id;
	struct table *table;
	int64_t moved_ms;  /* where store_append_moved put the last one */
	int64_t newest_ms; /* no row of it in "_raw_..." is newer; the writer's */
};

/* The writer's memory of what stands in "_recent" and of what is not written yet, in order of arrival. */
struct recent_row {
	struct known_series *series;
	int64_t time_ms;
	double number;
};

struct recent {
	struct recent_row *rows;
	size_t count, room;
	size_t written; /* of them, the first so many are in the file or the open transaction */
	int64_t slot;   /* of the next one written */
	int64_t turn;
	uint32_t *places; /* index + 1 by hash of series and time; 0: free */
	size_t place_count;
	bool loaded;
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
	struct table *tables, *next_table; /* which has the next turn of the housekeeping; NULL: the first */
	struct known_series *series[SERIES_BUCKETS];
	struct recent recent;
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
/* A text into a slot that is empty; a full one is taken as it is. */
int store_prepare_text(struct store *store, const char *text, sqlite3_stmt **slot, sqlite3_stmt **ret_statement);

/* store_tables.c */
int store_table_statement(struct store *store, struct table *table, enum table_statement which, sqlite3_stmt **ret_statement);
/* The same for a query whose rows a caller's function gets: one of its own while the shared one is under way. Ends with store_table_done. */
int store_table_query(struct store *store, struct table *table, enum table_statement which, sqlite3_stmt **ret_statement);
void store_table_done(struct table *table, enum table_statement which, sqlite3_stmt *statement);
/* Makes the tables and the views of a quantity. */
int store_make_table(struct store *store, const char *quantity, int scale);
/* Those of version 1 become tables with views. */
int store_move_tables(struct store *store);
/* Those of version 2 get a table of blocks, empty. */
int store_add_block_tables(struct store *store);
/* Of a new table. */
int store_scale_of(const struct quantity_info *info);

/* store_series.c: names to rows. create: make what is missing. -ENOENT without create. */
int store_find_table(struct store *store, const char *quantity, bool create, struct table **ret_table);
int store_find_series(struct store *store, const struct series *name, bool create, struct known_series **ret_series);
void store_forget_names(struct store *store);

/* store_recent.c: the newest rows of all quantities. The row of an instant, NULL when it is not among them. */
int store_find_recent(struct store *store, const struct known_series *series, int64_t time_ms, const struct recent_row **ret_row);
int store_add_recent(struct store *store, struct known_series *series, int64_t time_ms, double number);
/* Writes what is not written yet into the open transaction; nothing to do for a reader. Every query of rows begins with it. */
int store_write_recent(struct store *store);
/* Moves all to their tables. */
int store_settle(struct store *store);
/* Forgets what is in memory: it is read again when it is needed. */
void store_forget_recent(struct store *store);
/* A row straight into its table. 1 inserted, 0 the instant is taken. */
int store_insert_raw(struct store *store, struct known_series *series, int64_t time_ms, const struct value *value);

/* Writes closed_ms, raw_from_ms, five_min_from_ms and blocks_ms of a table. */
int store_save_rollup(struct store *store, struct table *table);

/* store_blocks.c: makes the next block that is over. 1 done one, 0 none is over. */
int store_close_block(struct store *store, struct table *table);
/* Makes the block of a late span again, once none of its spans waits to be. */
int store_redo_block(struct store *store, struct table *table, int64_t span_ms);

/* store_share.c: of a binary quantity the mean is the share of time on: of the five minutes, the hour or the block that begins at `from_ms`. */
int store_make_shares(struct store *store, struct table *table, int64_t from_ms, int64_t length_ms);
/* The state that a series brings into a moment; -1: unknown. */
int store_state_before(struct store *store, struct table *table, int64_t series, int64_t time_ms, double *ret_state);

/* store_bucket.c: buckets of a chart. Lengths are those of store.h; of whole days, the start is a midnight of the process's zone. */
int64_t store_floor(int64_t time_ms, int64_t step_ms);
/* The shortest of at least `least_ms`. */
int64_t store_bucket_length(int64_t least_ms);
/* Where the bucket of a moment begins, and where the next one does. */
int64_t store_bucket_of(int64_t time_ms, int64_t bucket_ms);
int64_t store_bucket_after(int64_t start_ms, int64_t bucket_ms);

/* store_gaps.c: puts points without a value where a hole of more than 2.5 steps begins, at most `most`, for which there is room behind `count`.
 * interval_ms 0: told from the points. bucket_ms 0: single readings. Returns how many were put in. */
int store_add_gaps(struct store *store, const struct known_series *series, int64_t interval_ms, int64_t bucket_ms,
		   struct point *points, size_t count, size_t most);

/* store_schema.c: the version of the file. */
int store_read_version(struct store *store, int *ret_version);

/* Runs a statement that returns nothing, and resets it. */
int store_run(struct store *store, sqlite3_stmt *statement);
int store_bind_value(sqlite3_stmt *statement, int index, const struct value *value);
/* A number as a column "value" of a table keeps it. */
int store_bind_number(sqlite3_stmt *statement, int index, double number, int scale);
void store_column_value(sqlite3_stmt *statement, int index, const struct quantity_info *info, struct value *ret_value);
/* Copies a text column, "" for NULL. */
void store_column_text(sqlite3_stmt *statement, int index, char *buf, size_t size);
