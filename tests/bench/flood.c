/* The load of `make bench`: publishes as fast as the broker takes it, over raw sockets, since a client library would cost more than the broker
 * does. Prints when it began, when the broker had all, and (--receipt) when the collector said that all is stored, in nanoseconds of
 * CLOCK_MONOTONIC, and so for each receipt on the way how many hundredths of the load it covers:
 * {"begin":...,"receipts":[[HUNDREDTHS,NS],...],"sent":...,"stored":...}
 *
 *     flood PORT QOS bare|json COUNT [--receipt]
 *
 * MQTT 3.1.1 (OASIS Standard, 2014): section 2.2 packet types, 3.1 CONNECT, 3.3 PUBLISH, 3.8 SUBSCRIBE. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PUBLISHERS = 4,
	DEVICES = 20, /* of 5 quantities each: 100 series */
	QUANTITIES = 5,
	WINDOW = 2000,    /* QoS 1 messages of a publisher that the broker has not acknowledged */
	MILESTONES = 100, /* messages on the way that tell how far the collector is */
	MARKERS = 50,     /* at the end: more than any broker's window, so that the collector need not wait for company */
	OUT_MAX = 65536,
	IN_MAX = 65536,
	PACKET_MAX = 256,
	TIMEOUT_MS = 120000,
};

enum { CONNACK = 2, PUBLISH = 3, PUBACK = 4, SUBACK = 9, PINGRESP = 13 };

struct link {
	int fd;
	unsigned char out[OUT_MAX], in[IN_MAX];
	size_t out_len, out_at, in_len;
	uint16_t packet_id;
	long unacked;
	bool ponged;
};

static struct link links[PUBLISHERS];
static int qos;
static bool json;
static int64_t base_ms;
static int markers; /* put until now */
static struct {
	int marker;
	int64_t ns;
} receipts[4096]; /* in order of time */
static int receipt_count;

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- packets ------------------------------------------------------------------------------------------------------------------------ */

static unsigned char *put_text(unsigned char *p, const char *text)
{
	size_t len = strlen(text);

	*p++ = (unsigned char)(len >> 8);
	*p++ = (unsigned char)len;
	return (unsigned char *)memcpy(p, text, len) + len;
}

/* Head and body of a packet into the link's buffer; packets here are shorter than 16 KiB, so the length takes at most two bytes. */
static void put_packet(struct link *link, unsigned char head, const unsigned char *body, size_t len)
{
	link->out[link->out_len++] = head;
	if (len < 128) {
		link->out[link->out_len++] = (unsigned char)len;
	} else {
		link->out[link->out_len++] = (unsigned char)(len & 127) | 128;
		link->out[link->out_len++] = (unsigned char)(len >> 7);
	}
	if (len > 0)
		memcpy(link->out + link->out_len, body, len);
	link->out_len += len;
}

static void put_publish(struct link *link, int at_qos, const char *topic, const char *payload, size_t len)
{
	unsigned char body[PACKET_MAX], *p = put_text(body, topic);

	if (at_qos) {
		link->packet_id = link->packet_id == UINT16_MAX ? 1 : (uint16_t)(link->packet_id + 1);
		*p++ = (unsigned char)(link->packet_id >> 8);
		*p++ = (unsigned char)link->packet_id;
		link->unacked++;
	}
	memcpy(p, payload, len);
	put_packet(link, (unsigned char)(PUBLISH << 4 | at_qos << 1), body, (size_t)(p - body) + len);
}

/* {"seq":[[FIRST,LAST],...]}, in order: the last number counts. */
static void take_receipt(const char *text, size_t len)
{
	const char *comma = memrchr(text, ',', len);
	char number[32] = "";
	int limit = (int)(sizeof(receipts) / sizeof(*receipts)) - 1;

	if (!comma || receipt_count >= limit)
		return;
	memcpy(number, comma + 1,
	       len - (size_t)(comma + 1 - text) < sizeof(number) - 1 ? len - (size_t)(comma + 1 - text) : sizeof(number) - 1);
	receipts[receipt_count].marker = (int)(atoll(number) - base_ms * 1000);
	receipts[receipt_count++].ns = now_ns(CLOCK_MONOTONIC);
}

static void take_packet(struct link *link, unsigned char head, const unsigned char *body, size_t len)
{
	switch (head >> 4) {
	case PUBACK:
		link->unacked--;
		break;
	case PINGRESP:
	case CONNACK:
	case SUBACK:
		link->ponged = true;
		break;
	case PUBLISH:
		take_receipt((const char *)body, len);
		break;
	default:
		errno = EPROTO;
		fail("the broker");
	}
}

static void take_input(struct link *link)
{
	size_t at = 0;

	for (;;) {
		size_t left = link->in_len - at, len = 0, head = 1;

		while (head < left && head < 5 && link->in[at + head] & 128)
			head++;
		if (left < 2 || head >= left)
			break;
		for (size_t i = head; i > 0; i--)
			len = len << 7 | (link->in[at + i] & 127);
		if (left < 1 + head + len)
			break;
		take_packet(link, link->in[at], link->in + at + 1 + head, len);
		at += 1 + head + len;
	}
	memmove(link->in, link->in + at, link->in_len - at);
	link->in_len -= at;
}

/* ---- sockets ------------------------------------------------------------------------------------------------------------------------ */

static void write_some(struct link *link)
{
	ssize_t n = write(link->fd, link->out + link->out_at, link->out_len - link->out_at);

	if (n < 0 && errno != EAGAIN)
		fail("write");
	link->out_at += n > 0 ? (size_t)n : 0;
	if (link->out_at == link->out_len)
		link->out_at = link->out_len = 0;
}

static void read_some(struct link *link)
{
	ssize_t n = read(link->fd, link->in + link->in_len, sizeof(link->in) - link->in_len);

	if (n == 0)
		errno = ECONNRESET;
	if (n == 0 || (n < 0 && errno != EAGAIN))
		fail("read");
	link->in_len += n > 0 ? (size_t)n : 0;
	take_input(link);
}

/* Waits for the sockets once, and serves them. */
static void serve(void)
{
	struct pollfd fds[PUBLISHERS];

	for (int i = 0; i < PUBLISHERS; i++)
		fds[i] = (struct pollfd){ .fd = links[i].fd, .events = (short)(POLLIN | (links[i].out_len ? POLLOUT : 0)) };
	if (poll(fds, PUBLISHERS, TIMEOUT_MS) == 0) {
		errno = ETIMEDOUT;
		fail("the broker");
	}
	for (int i = 0; i < PUBLISHERS; i++) {
		if (fds[i].revents & (POLLIN | POLLHUP | POLLERR))
			read_some(&links[i]);
		if (fds[i].revents & POLLOUT)
			write_some(&links[i]);
	}
}

static void await_pong(struct link *link)
{
	while (!link->ponged)
		serve();
	link->ponged = false;
}

static void join_broker(struct link *link, int port, int number)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	unsigned char body[PACKET_MAX], *p = put_text(body, "MQTT");
	char name[32];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link->fd < 0 || connect(link->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail("connect");
	fcntl(link->fd, F_SETFL, O_NONBLOCK);
	setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	snprintf(name, sizeof(name), "flood-%d", number);
	memcpy(p, "\x04\x02\x00\x00", 4); /* level 4, clean session, no keep-alive */
	p = put_text(p + 4, name);
	put_packet(link, 0x10, body, (size_t)(p - body));
}

/* ---- what is published -------------------------------------------------------------------------------------------------------------- */

static void put_reading(struct link *link, long number)
{
	static const struct {
		const char *name, *unit;
		int base, span; /* hundredths */
	} quantities[QUANTITIES] = {
		{ "temperature", "°C", 1500, 1000 },  { "humidity", "%", 3000, 4000 }, { "pressure", "hPa", 98000, 5000 },
		{ "illuminance", "lx", 1000, 90000 }, { "voltage", "V", 310, 40 },
	};
	long series = number % (DEVICES * QUANTITIES), turn = number / (DEVICES * QUANTITIES);
	long which = series % QUANTITIES, value = quantities[which].base + (number * 7919 + turn) % quantities[which].span;
	char topic[64], payload[128];
	int len;

	snprintf(topic, sizeof(topic), "foyer/bench/d%02ld/%s", series / QUANTITIES, quantities[which].name);
	if (json)
		len = snprintf(payload, sizeof(payload), "{\"value\":%ld.%02ld,\"time\":%lld,\"unit\":\"%s\",\"seq\":%lld}",
			       value / 100, value % 100, (long long)(base_ms + turn), quantities[which].unit,
			       (long long)(base_ms * 1000 + number));
	else
		len = snprintf(payload, sizeof(payload), "%ld.%02ld", value / 100, value % 100);
	put_publish(link, qos, topic, payload, (size_t)len);
}

/* A message of a node of its own, whose receipts are heard. */
static void put_marker(void)
{
	char payload[128];
	int len;

	markers++;
	len = snprintf(payload, sizeof(payload), "{\"value\":%d,\"time\":%lld,\"seq\":%lld}", markers,
		       (long long)(base_ms + markers), (long long)(base_ms * 1000 + markers));

	put_publish(&links[0], 1, "foyer/mark/flood/counter", payload, (size_t)len);
}

static bool all_receipted(void)
{
	return receipt_count > 0 && receipts[receipt_count - 1].marker == markers;
}

static void print_receipts(void)
{
	const char *comma = "";

	printf("\"receipts\":[");
	for (int i = 0; i < receipt_count; i++)
		if (receipts[i].marker <= MILESTONES) {
			printf("%s[%d,%lld]", comma, receipts[i].marker, (long long)receipts[i].ns);
			comma = ",";
		}
	printf("],");
}

static void flood(long count)
{
	for (long sent = 0; sent < count;) {
		bool stuck = true;

		for (int i = 0; i < PUBLISHERS; i++)
			while (sent < count && links[i].out_len < OUT_MAX - PACKET_MAX && links[i].unacked < WINDOW) {
				put_reading(&links[i], sent++);
				stuck = false;
			}
		while (markers < sent * MILESTONES / count && links[0].out_len < OUT_MAX - PACKET_MAX)
			put_marker();
		if (!stuck || sent < count)
			serve();
	}
	for (int i = 0; i < PUBLISHERS; i++)
		put_packet(&links[i], 0xc0, NULL, 0); /* a ping: its answer says that the broker has read all */
	for (int i = 0; i < PUBLISHERS; i++) {
		await_pong(&links[i]);
		while (links[i].unacked > 0)
			serve();
	}
}

int main(int argc, char **argv)
{
	bool receipt = argc == 6 && strcmp(argv[5], "--receipt") == 0;
	int64_t begin, sent;

	if (argc < 5 || (argc > 5 && !receipt)) {
		fprintf(stderr, "usage: flood PORT QOS bare|json COUNT [--receipt]\n");
		return 2;
	}
	qos = atoi(argv[2]);
	json = strcmp(argv[3], "json") == 0;
	base_ms = now_ns(CLOCK_REALTIME) / 1000000;
	for (int i = 0; i < PUBLISHERS; i++)
		join_broker(&links[i], atoi(argv[1]), i);
	for (int i = 0; i < PUBLISHERS; i++)
		await_pong(&links[i]);
	if (receipt) {
		unsigned char body[PACKET_MAX], *p = put_text(body + 2, "foyer/mark/$stored");

		memcpy(body, "\x00\x01", 2);
		*p++ = 0; /* at QoS 0: nothing of them to acknowledge */
		put_packet(&links[0], 0x82, body, (size_t)(p - body));
		await_pong(&links[0]);
	}
	begin = now_ns(CLOCK_MONOTONIC);
	flood(atol(argv[4]));
	sent = now_ns(CLOCK_MONOTONIC);
	while (markers < MILESTONES + MARKERS)
		put_marker();
	while (links[0].unacked > 0 || links[0].out_len > 0 || (receipt && !all_receipted()))
		serve();
	printf("{\"begin\":%lld,", (long long)begin);
	print_receipts();
	printf("\"sent\":%lld,\"stored\":%lld}\n", (long long)sent, (long long)now_ns(CLOCK_MONOTONIC));
	return EXIT_SUCCESS;
}
