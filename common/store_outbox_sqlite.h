/* What the rooms of the node's outbox file share. Nobody outside common/store_outbox*.c includes this. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

#include "store_outbox.h"

enum statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_ADD,
	SQL_ADD_SERIES,
	SQL_ADD_BOOT,
	SQL_MARK,
	SQL_FORGET,
	SQL_OLDEST_OF,
	SQL_MARKED_BEFORE,
	SQL_UNMARK,
	SQL_COUNT_ROWS,
	SQL_SAVE_COUNT,
	SQL_LOAD_COUNT,
	SQL_KNOW_BOOT,
	SQL_OLD_BOOTS,
	SQL_COUNT_BOOT,
	SQL_SET_BOOT,
	SQL_READ,
	SQL_OLDEST,
	SQL_NEWEST,
	SQL_PAGE_SIZE,
	SQL_PAGES,
	SQL_FREE_PAGES,
	SQL_VERSION,
	SQL_CHECK,
	SQL_COUNT
};

/* What is used of SQLite. The library is loaded when a file is opened, and let go with it: the many nodes that never spill a reading do not pay for
 * it (300 KiB of memory). */
#define STORE_OUTBOX_FUNCTIONS(X)                                                                                                  \
	X(bind_double)                                                                                                             \
	X(bind_int64)                                                                                                              \
	X(bind_parameter_count)                                                                                                    \
	X(bind_text)                                                                                                               \
	X(changes)                                                                                                                 \
	X(clear_bindings)                                                                                                          \
	X(close)                                                                                                                   \
	X(column_double)                                                                                                           \
	X(column_int64)                                                                                                            \
	X(column_text)                                                                                                             \
	X(column_type)                                                                                                             \
	X(errmsg)                                                                                                                  \
	X(errstr)                                                                                                                  \
	X(exec)                                                                                                                    \
	X(extended_result_codes)                                                                                                   \
	X(finalize)                                                                                                                \
	X(get_autocommit)                                                                                                          \
	X(open_v2)                                                                                                                 \
	X(prepare_v2)                                                                                                              \
	X(prepare_v3)                                                                                                              \
	X(reset)                                                                                                                   \
	X(shutdown)                                                                                                                \
	X(step)                                                                                                                    \
	X(system_errno)

struct store_outbox_library {
	void *handle;
#define X(name) __typeof__(sqlite3_##name) *(name);
	STORE_OUTBOX_FUNCTIONS(X)
#undef X
};

struct store_outbox {
	struct store_outbox_library sqlite;
	sqlite3 *db;
	sqlite3_stmt *statements[SQL_COUNT];
	char *path;
	bool changing;              /* a transaction is open */
	int64_t count, saved_count; /* readings in the file, now and at the last commit */
	char error[STORE_OUTBOX_ERROR_MAX];
};

/* A statement, made at its first use; it stays the outbox's. On failure the open transaction is undone. */
int store_outbox_prepare(struct store_outbox *outbox, enum statement which, sqlite3_stmt **ret_statement);
/* A SQLite code as our errno, explained in outbox->error; SQLITE_OK, _ROW and _DONE are 0. */
int store_outbox_describe(struct store_outbox *outbox, int code);
/* Runs a statement to its first row or its end, and resets it. ret_number: the first column of that row, NULL for who does not care.
 * Returns 1 for a row with a value, 0 without, or an error, after which nothing of the transaction is left. */
int store_outbox_run(struct store_outbox *outbox, sqlite3_stmt *statement, int64_t *ret_number);
/* The same for a statement with up to two numbers. */
int store_outbox_run_with(struct store_outbox *outbox, enum statement which, int64_t first, int64_t second, int64_t *ret_number);
/* store_outbox_library.c: -ENOENT when the library is not there. Unloading what was not loaded is fine. */
int store_outbox_load(struct store_outbox_library *ret_library);
void store_outbox_unload(struct store_outbox_library *library);
int store_outbox_begin(struct store_outbox *outbox);
void store_outbox_undo(struct store_outbox *outbox);
