/* Times in the test machine itself, on one clock: an edge at a line to its message at the broker beside it, a command at that broker to the line.
 *   bench edge LINE_FOLDER TOPIC COUNT      the folder of a gpio-sim line (its `pull` is written), the topic of its readings
 *   bench command LINE_FOLDER TOPIC COUNT   the folder of an output's line (its `value` is read), the topic of its commands
 * Prints "p50 P99 MAX" in microseconds. */
#include <fcntl.h>
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COUNT_MAX = 2000, PATIENCE_US = 5000000, PAUSE_US = 30000, LOOK_US = 100, PORT = 1883, SKIPPED = 3 };

static struct mosquitto *client;
static volatile long long heard_us; /* when the newest live message came */

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void on_message(struct mosquitto *mosquitto, void *context, const struct mosquitto_message *message)
{
	(void)mosquitto;
	(void)context;
	if (!message->retain)
		heard_us = now_us();
}

static void run_for(long long us)
{
	for (long long end = now_us() + us; now_us() < end;)
		mosquitto_loop(client, 1, 1);
}

static void put(int fd, const char *text)
{
	if (pwrite(fd, text, strlen(text), 0) < 0)
		perror("bench");
}

static long long edge(int fd, int i)
{
	long long begin = now_us();

	heard_us = 0;
	put(fd, i % 2 ? "pull-down" : "pull-up");
	while (!heard_us && now_us() - begin < PATIENCE_US)
		mosquitto_loop(client, 5, 1);
	return heard_us ? heard_us - begin : PATIENCE_US;
}

static long long command(int fd, const char *topic, int i)
{
	char wanted = i % 2 ? '0' : '1', value = 0;
	long long begin = now_us();

	mosquitto_publish(client, NULL, topic, 1, &wanted, 0, false);
	mosquitto_loop(client, 0, 1);
	/* Nobody says when a line has changed, so it is looked at; with pauses, for the agent and the broker share the processor with us. */
	while (now_us() - begin < PATIENCE_US && (pread(fd, &value, 1, 0) != 1 || value != wanted))
		usleep(LOOK_US);
	return now_us() - begin;
}

static int compare(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static long long times[COUNT_MAX];
	bool is_edge = argc > 1 && strcmp(argv[1], "edge") == 0;
	int count = argc > 4 ? atoi(argv[4]) : 0, fd;
	char path[256];

	if (argc != 5 || count < 1 || count > COUNT_MAX)
		return 2;
	snprintf(path, sizeof(path), "%s/%s", argv[2], is_edge ? "pull" : "value");
	fd = open(path, is_edge ? O_WRONLY : O_RDONLY);
	mosquitto_lib_init();
	client = mosquitto_new(NULL, true, NULL);
	mosquitto_message_callback_set(client, on_message);
	mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
	if (fd < 0 || mosquitto_connect(client, "127.0.0.1", PORT, 60) != MOSQ_ERR_SUCCESS)
		return 1;
	if (is_edge)
		mosquitto_subscribe(client, NULL, argv[3], 0);
	run_for(500000);
	for (int i = -SKIPPED; i < count; i++) { /* the first ones are cold */
		long long us = is_edge ? edge(fd, i + SKIPPED) : command(fd, argv[3], i + SKIPPED);

		if (i >= 0)
			times[i] = us;
		run_for(PAUSE_US);
	}
	qsort(times, (size_t)count, sizeof(*times), compare);
	printf("%lld %lld %lld\n", times[count / 2], times[count * 99 / 100], times[count - 1]);
	return 0;
}
