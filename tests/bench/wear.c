/* links: collector/elements.c collector/ingest.c collector/pace.c collector/receipts.c collector/refusals.c collector/repeats.c collector/repeats_store.c */
/* What the store writes for a house at its usual pace, in virtual time: the collector's own ingest, pace, store and housekeeping, with a clock
 * that jumps from event to event. Every byte that this process hands to write() counts: rows, rollups, write-ahead log, checkpoints.
 *
 *     wear FOLDER READINGS_PER_SECOND HOURS COMMIT_INTERVAL_MS bare|json
 *
 * 50 series: 10 devices of 5 quantities. The first hour makes the file and is not counted. Prints
 * {"readings":...,"written":...,"commits":...,"file":...,"stored":...}: bytes of the file hold the first hour's readings too ("stored"). */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../collector/ingest.h"
#include "../../collector/pace.h"
#include "../../collector/repeats_store.h"
#include "../../common/clock.h"
#include "../../common/wire.h"

enum {
	DEVICES = 10,
	QUANTITIES = 5,
	BATCH = 20000,
	MAINTAIN_MS = 60000, /* as in collector/collector.c */
	MAINTAIN_BUDGET_MS = 20,
	HEALTH_MS = 60000,
	HOUR_MS = 3600000,
};

#define BEGIN_MS 1767225600000 /* 2026-01-01T00:00:00Z */

static struct {
	int64_t now_ms;
	struct store *store;
	struct ingest *ingest;
	struct receipts *receipts;
	struct repeats *repeats;
	struct pace pace;
	int64_t maintain_ms; /* when it is due */
	long commits;
	uint16_t packet_id;
	bool json;
} house;

/* In place of common/clock.c. */
int64_t clock_wall_ms(void)
{
	return house.now_ms;
}

int64_t clock_boot_ms(void)
{
	return house.now_ms;
}

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "wear: %s: %s (%s)\n", what, strerror(-r), house.store ? store_error(house.store) : "");
	exit(EXIT_FAILURE);
}

static int64_t written(void)
{
	FILE *file = fopen("/proc/self/io", "re");
	long long bytes = -1;
	char line[64];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "wchar: %lld", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	check(bytes < 0 ? -EIO : 0, "/proc/self/io");
	return bytes;
}

/* ---- the collector's manners -------------------------------------------------------------------------------------------------------- */

static void forget(void *context, const char *node, const struct wire_range *ranges, size_t count)
{
	(void)context;
	(void)node;
	(void)ranges;
	(void)count;
}

static void maintain_when_due(void)
{
	if (house.now_ms < house.maintain_ms || store_dirty(house.store))
		return;
	for (int r = 1; r > 0;) {
		r = store_maintain(house.store, house.now_ms, MAINTAIN_BUDGET_MS);
		check(r, "housekeeping");
	}
	house.maintain_ms = house.now_ms + MAINTAIN_MS;
}

static void commit(void)
{
	check(repeats_save(house.repeats, house.store), "the packet ids");
	check(store_commit(house.store), "commit");
	house.commits++;
	receipts_send(house.receipts, forget, NULL);
	pace_committed(&house.pace, house.now_ms, house.now_ms);
	repeats_committed(house.repeats, 1);
	repeats_acknowledged(house.repeats, 1); /* the broker answers at once */
	maintain_when_due();
}

/* ---- the house's readings ----------------------------------------------------------------------------------------------------------- */

static void take_reading(long number)
{
	static const char *const quantities[QUANTITIES] = { "temperature", "humidity", "pressure", "illuminance", "power" };
	static const int bases[QUANTITIES] = { 200, 400, 9900, 3000, 1500 };
	long series = number % (DEVICES * QUANTITIES), which = series % QUANTITIES;
	long value = bases[which] + (number * 7919) % 97;
	char topic[64], payload[128];
	struct bus_message message = { .topic = topic, .payload = payload, .qos = 1 };
	int len;

	snprintf(topic, sizeof(topic), "foyer/salon/d%ld/%s", series / QUANTITIES, quantities[which]);
	if (house.json)
		len = snprintf(payload, sizeof(payload), "{\"value\":%ld.%ld,\"time\":%lld,\"seq\":%ld}", value / 10, value % 10,
			       (long long)house.now_ms, number + 1);
	else
		len = snprintf(payload, sizeof(payload), "%ld.%ld", value / 10, value % 10);
	message.len = (size_t)len;
	house.packet_id = house.packet_id == UINT16_MAX ? 1 : (uint16_t)(house.packet_id + 1);
	message.packet_id = house.packet_id;
	check(ingest_message(house.ingest, house.store, &message, house.now_ms), "ingest");
	pace_message(&house.pace, house.now_ms, true);
}

/* What is due before the next reading comes, in its order. */
static void pass_time(int64_t until_ms)
{
	for (;;) {
		int64_t due_ms = pace_due_ms(&house.pace);
		bool idle = !store_dirty(house.store);

		if (idle && house.maintain_ms < due_ms)
			due_ms = house.maintain_ms;
		if (due_ms > until_ms)
			break;
		if (due_ms > house.now_ms)
			house.now_ms = due_ms;
		if (store_dirty(house.store))
			commit();
		else
			maintain_when_due();
	}
	house.now_ms = until_ms;
}

static long live(int64_t from_ms, int64_t to_ms, double per_second, long number)
{
	for (;; number++) {
		int64_t at_ms = BEGIN_MS + (int64_t)((double)number * 1000 / per_second);

		if (at_ms >= to_ms)
			break;
		pass_time(at_ms < from_ms ? from_ms : at_ms);
		take_reading(number);
	}
	pass_time(to_ms);
	return number;
}

static void open_house(const char *path, int64_t commit_interval_ms)
{
	char error[STORE_ERROR_MAX];
	int r;

	house.now_ms = BEGIN_MS;
	house.maintain_ms = BEGIN_MS + MAINTAIN_MS / 10;
	r = store_open(path, STORE_WRITE, &house.store, error);
	if (r < 0) {
		fprintf(stderr, "wear: %s\n", error);
		exit(EXIT_FAILURE);
	}
	house.receipts = receipts_open();
	house.repeats = repeats_open();
	house.ingest = ingest_open("foyer", house.receipts, house.repeats);
	pace_init(&house.pace, commit_interval_ms, BATCH);
}

static void close_house(void)
{
	commit();
	store_close(house.store);
	ingest_close(house.ingest);
	repeats_close(house.repeats);
	receipts_close(house.receipts);
}

int main(int argc, char **argv)
{
	char path[4096];
	struct stat file;
	int64_t before, hours;
	long first, last, commits;
	double per_second;

	if (argc != 6) {
		fprintf(stderr, "usage: wear FOLDER READINGS_PER_SECOND HOURS COMMIT_INTERVAL_MS bare|json\n");
		return 2;
	}
	per_second = atof(argv[2]);
	hours = atoi(argv[3]);
	house.json = strcmp(argv[5], "json") == 0;
	snprintf(path, sizeof(path), "%s/wear.db", argv[1]);
	open_house(path, atoll(argv[4]));
	first = live(BEGIN_MS, BEGIN_MS + HOUR_MS, per_second, 0);
	before = written();
	commits = house.commits;
	last = live(BEGIN_MS + HOUR_MS, BEGIN_MS + (hours + 1) * HOUR_MS, per_second, first);
	before = written() - before;
	commits = house.commits - commits;
	close_house();
	check(stat(path, &file) < 0 ? -errno : 0, path);
	printf("{\"readings\":%ld,\"written\":%lld,\"commits\":%ld,\"file\":%lld,\"stored\":%ld}\n", last - first,
	       (long long)before, commits, (long long)file.st_size, last);
	return EXIT_SUCCESS;
}
