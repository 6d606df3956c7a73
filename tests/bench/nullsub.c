/* The limit that `make bench` measures against: a subscriber that does nothing but count, with the same library and broker as the collector.
 *
 *     nullsub PORT QOS COUNT
 *
 * Says "subscribed", then when the last of COUNT messages came, in nanoseconds of CLOCK_MONOTONIC: {"stored":...} */
#include <mosquitto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct counter {
	long wanted, seen;
	int qos;
};

static void on_connect(struct mosquitto *client, void *context, int status)
{
	const struct counter *counter = context;

	if (status != 0 || mosquitto_subscribe(client, NULL, "foyer/#", counter->qos) != MOSQ_ERR_SUCCESS)
		exit(EXIT_FAILURE);
}

static void on_subscribe(struct mosquitto *client, void *context, int id, int count, const int *granted)
{
	(void)client;
	(void)context;
	(void)id;
	(void)count;
	(void)granted;
	printf("subscribed\n");
	fflush(stdout);
}

static void on_message(struct mosquitto *client, void *context, const struct mosquitto_message *message)
{
	struct counter *counter = context;
	struct timespec now;

	(void)client;
	(void)message;
	if (++counter->seen != counter->wanted)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("{\"stored\":%lld}\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
	fflush(stdout); /* it stays until it is ended: so its CPU time and memory can be looked up */
}

int main(int argc, char **argv)
{
	struct counter counter = { 0 };
	struct mosquitto *client;

	if (argc != 4) {
		fprintf(stderr, "usage: nullsub PORT QOS COUNT\n");
		return 2;
	}
	counter.qos = atoi(argv[2]);
	counter.wanted = atol(argv[3]);
	mosquitto_lib_init();
	client = mosquitto_new("nullsub", true, &counter);
	if (!client)
		return EXIT_FAILURE;
	mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	mosquitto_connect_callback_set(client, on_connect);
	mosquitto_subscribe_callback_set(client, on_subscribe);
	mosquitto_message_callback_set(client, on_message);
	if (mosquitto_connect(client, "127.0.0.1", atoi(argv[1]), 60) != MOSQ_ERR_SUCCESS)
		return EXIT_FAILURE;
	mosquitto_loop_forever(client, -1, 1);
	return EXIT_FAILURE; /* the broker left before it was ended */
}
