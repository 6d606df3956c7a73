#include "house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "folder.h"

struct store *house;

const char *house_path(void)
{
	return folder_path("foyer.db");
}

static void open_it(void)
{
	char error[STORE_ERROR_MAX] = "", url[300];

	snprintf(url, sizeof(url), "sqlite://%s", house_path());
	if (store_open(url, STORE_WRITE, &house, error) < 0)
		fail_msg("%s", error);
}

int house_open(void **state)
{
	(void)state;
	folder_make();
	open_it();
	return 0;
}

int house_close(void **state)
{
	(void)state;
	store_close(house);
	house = NULL;
	folder_remove();
	return 0;
}

void house_reopen(void)
{
	store_close(house);
	open_it();
}

struct series house_series(const char *text)
{
	struct series series;

	assert_int_equal(0, series_parse(text, strlen(text), &series));
	return series;
}

int house_append(const char *series, int64_t time_ms, double number)
{
	struct reading reading = { .series = house_series(series), .time_ms = time_ms, .value = value_of_number(number) };

	return store_append(house, &reading);
}

int house_append_text(const char *series, int64_t time_ms, const char *text)
{
	struct reading reading = { .series = house_series(series), .time_ms = time_ms };

	assert_int_equal(0, value_of_text(text, strlen(text), &reading.value));
	return store_append(house, &reading);
}

void house_commit(void)
{
	if (store_commit(house) < 0)
		fail_msg("%s", store_error(house));
}

void house_maintain(int64_t now_ms)
{
	int r;

	house_commit();
	while ((r = store_maintain(house, now_ms, 1000)) > 0)
		;
	if (r < 0)
		fail_msg("%s", store_error(house));
}

static sqlite3 *connect_beside(void)
{
	sqlite3 *db;

	assert_int_equal(SQLITE_OK, sqlite3_open(house_path(), &db));
	sqlite3_busy_timeout(db, 2000);
	return db;
}

const char *house_query(const char *sql)
{
	static char text[2048];
	sqlite3 *db = connect_beside();
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	text[0] = '\0';
	if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0))
		snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return text;
}

void house_execute(const char *sql)
{
	sqlite3 *db = connect_beside();
	char *error = NULL;

	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	sqlite3_close(db);
}

static sqlite3 *holder;

void house_hold(void)
{
	holder = connect_beside();
	assert_int_equal(SQLITE_OK, sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL));
}

void house_let_go(void)
{
	sqlite3_close(holder);
}
