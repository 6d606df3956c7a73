/* Opening, errors and transactions. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_errno.h"
#include "store_sqlite.h"

enum {
	BUSY_MS = 2000,              /* readers hold nothing for long */
	CHECK_BYTES_MAX = 256 << 20, /* a larger file is not looked through at start */
};

/* ---- errors --------------------------------------------------------------------------------------------------------------------- */

static int explain(struct store *store, int error, const char *what)
{
	snprintf(store->error, sizeof(store->error), "%s: %s", store->path ? store->path : "store", what);
	return error;
}

static int system_error(struct store *store, int error)
{
	const char *what, *advice = "";
	int r = store_errno(error, &what);

	if (r == -ENOSPC)
		advice = ": free some, it goes on by itself";
	else if (error == EROFS)
		advice = ": mount it writable, it goes on by itself";
	else if (r == -EROFS)
		advice = ": see the file's and the folder's owner and mode";
	snprintf(store->error, sizeof(store->error), "%s: %s%s", store->path ? store->path : "store", what, advice);
	return r;
}

int store_fail(struct store *store, int code)
{
	int at_commit = errno; /* of a COMMIT that fails SQLite does not keep it */
	int error = store->db ? sqlite3_system_errno(store->db) : 0;

	if (!error)
		error = at_commit;
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return explain(store, -ENOMEM, "out of memory");
	case SQLITE_FULL:
		return system_error(store, ENOSPC);
	case SQLITE_READONLY: /* of the file, or of all its file system */
		return system_error(store,
				    faccessat(AT_FDCWD, store->path, W_OK, AT_EACCESS) < 0 && errno == EROFS ? EROFS : EACCES);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return explain(store, -EUCLEAN,
			       "the file is damaged: move it away and put a backup in its place, or try "
			       "\"sqlite3 FILE .recover\"");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return explain(store, -EBUSY, "another program holds a lock on it");
	case SQLITE_CANTOPEN:
		return system_error(store, error ? error : ENOENT);
	case SQLITE_IOERR:
		return system_error(store, error ? error : EIO);
	default:
		return explain(store, -EIO, store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code));
	}
}

const char *store_error(const struct store *store)
{
	return store->error;
}

/* ---- opening -------------------------------------------------------------------------------------------------------------------- */

static const char *path_of(const char *url)
{
	static const char scheme[] = "sqlite://";

	if (strncmp(url, scheme, sizeof(scheme) - 1) == 0)
		return url[sizeof(scheme) - 1] == '/' ? url + sizeof(scheme) - 1 : NULL;
	return strstr(url, "://") || !url[0] ? NULL : url;
}

int store_check_url(const char *url, char *error)
{
	if (url && path_of(url))
		return 0;
	snprintf(error, STORE_ERROR_MAX, "\"%.100s\": allowed is sqlite:///ABSOLUTE/PATH or a file's path", url ? url : "");
	return -EINVAL;
}

static int take_lock(struct store *store)
{
	char *path = NULL;

	if (asprintf(&path, "%s.lock", store->path) < 0)
		return -ENOMEM;
	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	free(path);
	if (store->lock_fd < 0)
		return system_error(store, errno);
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return explain(store, -EBUSY, "another collector writes to it");
	return 0;
}

static int configure(struct store *store)
{
	static const char writer[] = "PRAGMA page_size = 1024; PRAGMA auto_vacuum = INCREMENTAL;"
				     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				     "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 8388608;"
				     "PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;";
	static const char reader[] = "PRAGMA query_only = ON; PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;";
	int on = 1, r;

	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_MS);
	r = sqlite3_exec(store->db, store->mode == STORE_WRITE ? writer : reader, NULL, NULL, NULL);
	if (r != SQLITE_OK)
		return store_fail(store, r);
	/* The WAL stays when the writer goes, so that one who may not write can still read. */
	if (store->mode == STORE_WRITE)
		sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
	return 0;
}

static int check_file(struct store *store)
{
	sqlite3_stmt *statement = NULL;
	struct stat st;
	int r;

	if (stat(store->path, &st) < 0)
		return system_error(store, errno);
	store->device = st.st_dev;
	store->inode = st.st_ino;
	if (store->mode == STORE_READ || st.st_size > CHECK_BYTES_MAX)
		return 0;
	r = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_step(statement);
	if (r == SQLITE_ROW && strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
		r = SQLITE_CORRUPT;
	sqlite3_finalize(statement);
	return store_fail(store, r);
}

static int open_file(struct store *store)
{
	int flags = store->mode == STORE_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	int r;

	if (store->mode == STORE_READ && access(store->path, F_OK) < 0)
		return explain(store, -ENOENT, "not there yet: the collector makes it");
	if (store->mode == STORE_WRITE) {
		r = take_lock(store);
		if (r < 0)
			return r;
	}
	r = sqlite3_open_v2(store->path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (r != SQLITE_OK)
		return store_fail(store, r);
	r = configure(store);
	if (r == 0)
		r = check_file(store);
	return r == 0 ? store_migrate(store) : r;
}

int store_open(const char *url, enum store_mode mode, struct store **ret_store, char *error)
{
	struct store *store;
	int r = store_check_url(url, error);

	if (r < 0)
		return r;
	store = calloc(1, sizeof(*store));
	if (!store) {
		snprintf(error, STORE_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	store->lock_fd = -1;
	store->mode = mode;
	store->path = strdup(path_of(url));
	r = store->path ? open_file(store) : -ENOMEM;
	if (r < 0) {
		snprintf(error, STORE_ERROR_MAX, "%s", store->error);
		store_close(store);
		return r;
	}
	*ret_store = store;
	return 0;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->db)
		store_rollback(store);
	store_forget_names(store);
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->keeps);
	free(store->path);
	free(store);
}

/* ---- transactions --------------------------------------------------------------------------------------------------------------- */

int store_run(struct store *store, sqlite3_stmt *statement)
{
	int r;

	errno = 0;
	r = store_fail(store, sqlite3_step(statement));
	sqlite3_reset(statement);
	return r;
}

static int run(struct store *store, enum statement which)
{
	sqlite3_stmt *statement;
	int r = store_prepare(store, which, &statement);

	return r < 0 ? r : store_run(store, statement);
}

int store_begin(struct store *store)
{
	int r;

	if (store->open_transaction)
		return 0;
	r = run(store, SQL_BEGIN);
	if (r == 0)
		store->open_transaction = true;
	return r;
}

/* A failure is met again by the query that follows. */
void store_hold(struct store *store)
{
	if (store->mode == STORE_READ && store->holds++ == 0)
		run(store, SQL_SNAPSHOT);
}

void store_release(struct store *store)
{
	if (store->mode == STORE_READ && --store->holds == 0 && !sqlite3_get_autocommit(store->db)) {
		char error[STORE_ERROR_MAX];

		memcpy(error, store->error, sizeof(error)); /* of the query, if it failed */
		run(store, SQL_COMMIT);
		memcpy(store->error, error, sizeof(error));
	}
}

bool store_dirty(const struct store *store)
{
	return store->open_transaction;
}

void store_rollback(struct store *store)
{
	if (!store->open_transaction)
		return;
	if (!sqlite3_get_autocommit(store->db)) /* a full disk has rolled back by itself */
		run(store, SQL_ROLLBACK);
	store->open_transaction = false;
	store_forget_recent(store);
	if (store->changed_names)
		store_forget_names(store);
	store->changed_names = false;
}

/* A file that somebody deleted goes on being written by those who have it open, and is gone with them. */
static int still_there(struct store *store)
{
	struct stat st;

	if (stat(store->path, &st) < 0)
		return system_error(store, errno);
	if (st.st_dev != store->device || st.st_ino != store->inode)
		return explain(store, -ENOENT, "the file was replaced by another");
	return 0;
}

int store_commit(struct store *store)
{
	int r;

	if (!store->open_transaction)
		return 0;
	r = still_there(store);
	if (r == 0)
		r = store_write_recent(store);
	if (r == 0)
		r = run(store, SQL_COMMIT);
	if (r < 0) {
		char error[STORE_ERROR_MAX];

		memcpy(error, store->error, sizeof(error));
		store_rollback(store);
		memcpy(store->error, error, sizeof(error));
		return r;
	}
	store->open_transaction = false;
	store->changed_names = false;
	return 0;
}
