/* Readings that wait, on disk. Stands by itself: a node links this and nothing else of the store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_errno.h"
#include "store_outbox_sqlite.h"

enum {
	VERSION = 1,
	CHECK_BYTES_MAX = 8 << 20, /* a larger file is not looked through at start */
	ASIDE_MAX = 99,
};

static const char *const texts[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_ADD] = "INSERT OR REPLACE INTO reading(seq, series, boot, time, value) SELECT ?1, id,"
		    " CASE WHEN ?4 IS NULL THEN 0 ELSE (SELECT id FROM boot WHERE name = ?4) END, ?5, ?6"
		    " FROM series WHERE device = ?2 AND quantity = ?3",
	[SQL_ADD_SERIES] = "INSERT INTO series(device, quantity) VALUES(?1, ?2)",
	[SQL_ADD_BOOT] = "INSERT INTO boot(name, newest) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET newest = max(newest, ?2)",
	[SQL_MARK] = "INSERT OR REPLACE INTO mark(seq, time) SELECT max(seq), ?1 FROM reading HAVING max(seq) IS NOT NULL",
	[SQL_FORGET] = "DELETE FROM reading WHERE seq >= ?1 AND seq <= ?2",
	[SQL_OLDEST_OF] = "SELECT max(seq) FROM (SELECT seq FROM reading ORDER BY seq LIMIT ?1)",
	[SQL_MARKED_BEFORE] = "SELECT max(seq) FROM mark WHERE time < ?1",
	[SQL_UNMARK] = "DELETE FROM mark WHERE seq < (SELECT coalesce(min(seq), 0) FROM reading)",
	[SQL_COUNT_ROWS] = "SELECT count(*) FROM reading",
	[SQL_SAVE_COUNT] = "INSERT OR REPLACE INTO meta(name, value) VALUES('readings', ?1)",
	[SQL_LOAD_COUNT] = "SELECT value FROM meta WHERE name = 'readings'",
	[SQL_KNOW_BOOT] = "UPDATE boot SET begin = ?2 WHERE name = ?1 AND begin IS NULL",
	[SQL_OLD_BOOTS] = "SELECT id, newest, begin FROM boot WHERE name <> ?1 ORDER BY id DESC",
	[SQL_COUNT_BOOT] = "SELECT count(*) FROM reading WHERE boot = ?1",
	[SQL_SET_BOOT] = "UPDATE boot SET begin = ?2 WHERE id = ?1",
	[SQL_READ] = ("SELECT r.seq, s.device, s.quantity, r.time, r.value, r.boot, b.begin FROM reading AS r"
		      " JOIN series AS s ON s.id = r.series LEFT JOIN boot AS b ON b.id = r.boot"
		      " WHERE r.seq > ?1 ORDER BY r.seq LIMIT ?2"),
	[SQL_OLDEST] = ("SELECT r.seq, r.time, r.boot, b.begin FROM reading AS r LEFT JOIN boot AS b ON b.id = r.boot"
			" ORDER BY r.seq LIMIT 1"),
	[SQL_NEWEST] = "SELECT max(seq) FROM reading",
	[SQL_PAGE_SIZE] = "PRAGMA page_size",
	[SQL_PAGES] = "PRAGMA page_count",
	[SQL_FREE_PAGES] = "PRAGMA freelist_count",
	[SQL_VERSION] = "PRAGMA user_version",
	[SQL_CHECK] = "PRAGMA quick_check(1)",
};

/* boot 0: the time is UTC. begin: when a boot began, NULL while nobody knows. */
static const char schema[] =
	"CREATE TABLE series(id INTEGER PRIMARY KEY, device TEXT NOT NULL, quantity TEXT NOT NULL,"
	"  UNIQUE(device, quantity));"
	"CREATE TABLE boot(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, newest INTEGER NOT NULL, begin INTEGER);"
	"CREATE TABLE reading(seq INTEGER PRIMARY KEY, series INTEGER NOT NULL, boot INTEGER NOT NULL,"
	"  time INTEGER NOT NULL, value);"
	"CREATE TABLE mark(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL);"
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"PRAGMA user_version = 1;";

/* ---- errors --------------------------------------------------------------------------------------------------------------------- */

static int explain(struct store_outbox *outbox, int error, const char *what)
{
	snprintf(outbox->error, sizeof(outbox->error), "%s: %s", outbox->path, what);
	return error;
}

static int system_error(struct store_outbox *outbox, int error)
{
	const char *what;
	int r = store_errno(error, &what);

	return explain(outbox, r, what);
}

int store_outbox_describe(struct store_outbox *outbox, int code)
{
	int error = outbox->db ? outbox->sqlite.system_errno(outbox->db) : 0;

	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return explain(outbox, -ENOMEM, "out of memory");
	case SQLITE_FULL:
		return system_error(outbox, ENOSPC);
	case SQLITE_READONLY:
		return system_error(outbox, error == EROFS ? EROFS : EACCES);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table that is not there: not a file of ours */
		return explain(outbox, -EUCLEAN, "the file is damaged");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return explain(outbox, -EBUSY, "another program uses it");
	case SQLITE_CANTOPEN:
		return system_error(outbox, error ? error : ENOENT);
	case SQLITE_IOERR:
		return system_error(outbox, error ? error : EIO);
	default:
		return explain(outbox, -EIO, outbox->db ? outbox->sqlite.errmsg(outbox->db) : outbox->sqlite.errstr(code));
	}
}

const char *store_outbox_error(const struct store_outbox *outbox)
{
	return outbox->error;
}

/* ---- statements ------------------------------------------------------------------------------------------------------------------ */

int store_outbox_prepare(struct store_outbox *outbox, enum statement which, sqlite3_stmt **ret_statement)
{
	sqlite3_stmt **slot = &outbox->statements[which];
	int r = 0;

	if (!*slot)
		r = store_outbox_describe(
			outbox, outbox->sqlite.prepare_v3(outbox->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, slot, NULL));
	if (r < 0)
		store_outbox_undo(outbox);
	*ret_statement = *slot;
	return r;
}

void store_outbox_undo(struct store_outbox *outbox)
{
	sqlite3_stmt *statement;

	outbox->count = outbox->saved_count;
	if (!outbox->changing)
		return;
	outbox->changing = false;
	if (outbox->sqlite.get_autocommit(outbox->db)) /* a full disk has rolled back by itself */
		return;
	if (outbox->sqlite.prepare_v2(outbox->db, texts[SQL_ROLLBACK], -1, &statement, NULL) == SQLITE_OK)
		outbox->sqlite.step(statement);
	outbox->sqlite.finalize(statement);
}

int store_outbox_run(struct store_outbox *outbox, sqlite3_stmt *statement, int64_t *ret_number)
{
	int code = outbox->sqlite.step(statement);
	bool value = code == SQLITE_ROW && outbox->sqlite.column_type(statement, 0) != SQLITE_NULL;
	int r;

	if (value && ret_number)
		*ret_number = outbox->sqlite.column_int64(statement, 0);
	r = store_outbox_describe(outbox, code);
	outbox->sqlite.reset(statement);
	if (r < 0)
		store_outbox_undo(outbox);
	return r < 0 ? r : value;
}

int store_outbox_run_with(struct store_outbox *outbox, enum statement which, int64_t first, int64_t second, int64_t *ret_number)
{
	sqlite3_stmt *statement;
	int r = store_outbox_prepare(outbox, which, &statement);

	if (r < 0)
		return r;
	if (outbox->sqlite.bind_parameter_count(statement) > 0)
		outbox->sqlite.bind_int64(statement, 1, first);
	if (outbox->sqlite.bind_parameter_count(statement) > 1)
		outbox->sqlite.bind_int64(statement, 2, second);
	return store_outbox_run(outbox, statement, ret_number);
}

int store_outbox_begin(struct store_outbox *outbox)
{
	int r = outbox->changing ? 0 : store_outbox_run_with(outbox, SQL_BEGIN, 0, 0, NULL);

	if (r >= 0)
		outbox->changing = true;
	return r;
}

int store_outbox_commit(struct store_outbox *outbox)
{
	int r;

	if (!outbox->changing)
		return 0;
	r = outbox->count == outbox->saved_count ? 0 : store_outbox_run_with(outbox, SQL_SAVE_COUNT, outbox->count, 0, NULL);
	if (r >= 0)
		r = store_outbox_run_with(outbox, SQL_UNMARK, 0, 0, NULL);
	if (r >= 0)
		r = store_outbox_run_with(outbox, SQL_COMMIT, 0, 0, NULL);
	if (r < 0)
		return r;
	outbox->changing = false;
	outbox->saved_count = outbox->count;
	return 0;
}

/* ---- opening --------------------------------------------------------------------------------------------------------------------- */

static int configure(struct store_outbox *outbox)
{
	/* Exclusive: a second process must not send the same readings, and no shared memory file is needed. Small pages: a spill is small. */
	static const char text[] =
		"PRAGMA page_size = 1024; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 1048576;"
		"PRAGMA cache_size = -256; PRAGMA temp_store = MEMORY;";

	outbox->sqlite.extended_result_codes(outbox->db, 1);
	return store_outbox_describe(outbox, outbox->sqlite.exec(outbox->db, text, NULL, NULL, NULL));
}

static int check_file(struct store_outbox *outbox)
{
	sqlite3_stmt *statement;
	struct stat st;
	int r, code;

	if (stat(outbox->path, &st) < 0)
		return system_error(outbox, errno);
	if (st.st_size > CHECK_BYTES_MAX)
		return 0;
	r = store_outbox_prepare(outbox, SQL_CHECK, &statement);
	if (r < 0)
		return r;
	code = outbox->sqlite.step(statement);
	if (code == SQLITE_ROW && strcmp((const char *)outbox->sqlite.column_text(statement, 0), "ok") != 0)
		code = SQLITE_CORRUPT;
	r = store_outbox_describe(outbox, code);
	outbox->sqlite.reset(statement);
	return r;
}

static int make_schema(struct store_outbox *outbox)
{
	int64_t version = 0;
	int r = store_outbox_run_with(outbox, SQL_VERSION, 0, 0, &version);

	if (r < 0)
		return r;
	if (version > VERSION)
		return explain(outbox, -EPROTO, "of a newer version of this program");
	if (version == VERSION)
		return 0;
	r = store_outbox_begin(outbox);
	if (r >= 0)
		r = store_outbox_describe(outbox, outbox->sqlite.exec(outbox->db, schema, NULL, NULL, NULL));
	if (r < 0)
		store_outbox_undo(outbox);
	return r < 0 ? r : store_outbox_commit(outbox);
}

static int load_count(struct store_outbox *outbox)
{
	int r = store_outbox_run_with(outbox, SQL_LOAD_COUNT, 0, 0, &outbox->count);

	if (r == 0)
		r = store_outbox_run_with(outbox, SQL_COUNT_ROWS, 0, 0, &outbox->count);
	outbox->saved_count = outbox->count;
	return r < 0 ? r : 0;
}

static int open_file(struct store_outbox *outbox)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int r = store_outbox_describe(outbox, outbox->sqlite.open_v2(outbox->path, &outbox->db, flags, NULL));

	if (r == 0)
		r = configure(outbox);
	if (r == 0)
		r = check_file(outbox);
	if (r == 0)
		r = make_schema(outbox);
	return r == 0 ? load_count(outbox) : r;
}

int store_outbox_open(const char *path, struct store_outbox **ret_outbox, char *error)
{
	struct store_outbox *outbox = calloc(1, sizeof(*outbox));
	int r;

	snprintf(error, STORE_OUTBOX_ERROR_MAX, "out of memory");
	if (!outbox)
		return -ENOMEM;
	outbox->path = strdup(path);
	r = outbox->path ? store_outbox_load(&outbox->sqlite) : -ENOMEM;
	if (r == -ENOENT)
		explain(outbox, r, "libsqlite3.so.0 is not installed");
	if (r == 0)
		r = open_file(outbox);
	if (r < 0) {
		if (outbox->error[0])
			snprintf(error, STORE_OUTBOX_ERROR_MAX, "%s", outbox->error);
		store_outbox_close(outbox);
		return r;
	}
	*ret_outbox = outbox;
	return 0;
}

void store_outbox_close(struct store_outbox *outbox)
{
	if (!outbox)
		return;
	if (outbox->db)
		store_outbox_undo(outbox);
	for (int i = 0; outbox->db && i < SQL_COUNT; i++)
		outbox->sqlite.finalize(outbox->statements[i]);
	if (outbox->db)
		outbox->sqlite.close(outbox->db);
	store_outbox_unload(&outbox->sqlite);
	free(outbox->path);
	free(outbox);
}

static void append(char *buf, size_t size, const char *path, const char *end)
{
	snprintf(buf, size, "%s%s", path, end);
}

void store_outbox_remove(struct store_outbox *outbox)
{
	char *path = strdup(outbox->path), beside[512];

	store_outbox_close(outbox); /* it takes the log along */
	if (!path)
		return;
	unlink(path);
	append(beside, sizeof(beside), path, "-wal");
	unlink(beside);
	free(path);
}

int store_outbox_set_aside(const char *path, char *ret_path, size_t size)
{
	char from[512], to[576];
	struct stat st;
	int number = 1;

	do
		snprintf(ret_path, size, "%s.damaged-%d", path, number++);
	while (lstat(ret_path, &st) == 0 && number <= ASIDE_MAX);
	if (rename(path, ret_path) < 0)
		return -errno;
	/* Under the name that SQLite looks for, so that it can be recovered from both. */
	append(from, sizeof(from), path, "-wal");
	append(to, sizeof(to), ret_path, "-wal");
	if (rename(from, to) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}
