/* What the test machine needs and busybox does not have. Linked statically, so that it runs in any guest.
 *   tool serve PORT                    each connection sends a shell command and closes its half; it gets the output, a line feed and the exit status
 *   tool now                           milliseconds since 1970
 *   tool synced                        tells the kernel that its clock is right, as an NTP daemon would
 *   tool pulse FILE COUNT HALF_US      so many pulses on a gpio-sim line: "pull-up" and "pull-down", HALF_US microseconds each
 *   tool spi DEVICE BYTES              sends bytes (hexadecimal) by the agent's own door to SPI, and prints those that came meanwhile
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../node-agent/spi.h"

enum { COMMAND_MAX = 65536 };

static void run_command(int connection)
{
	static char command[COMMAND_MAX + 1];
	size_t len = 0;
	ssize_t count;
	int status = 0;
	pid_t child;

	while (len < COMMAND_MAX && (count = read(connection, command + len, COMMAND_MAX - len)) > 0)
		len += (size_t)count;
	child = fork();
	if (child == 0) {
		int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

		dup2(nothing, 0);
		dup2(connection, 1);
		dup2(connection, 2);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	dprintf(connection, "\n%d", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int serve(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), connection;

	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 16) < 0) {
		perror("tool serve");
		return 1;
	}
	printf("FOYER-VM ready\n"); /* not before: a connection would be reset */
	fflush(stdout);
	while ((connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (fork() == 0) {
			run_command(connection);
			_exit(0);
		}
		close(connection);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	return 1;
}

static int synced(void)
{
	struct timex timex = { .modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR };

	return adjtimex(&timex) < 0;
}

static int now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	printf("%lld\n", (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	return 0;
}

static int pulse(const char *path, long count, long half_us)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	for (long i = 0; i < 2 * count; i++) {
		const char *word = i % 2 ? "pull-down" : "pull-up";

		if (pwrite(fd, word, strlen(word), 0) < 0) {
			perror(path);
			return 1;
		}
		next.tv_nsec += half_us * 1000;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	return 0;
}

static int transfer(const char *device, const char *text)
{
	uint8_t out[64], in[64];
	size_t len = 0;
	struct spi *spi;
	int r = spi_open(device, 0, 1000000, &spi);

	for (; len < sizeof(out) && sscanf(text + 2 * len, "%2hhx", &out[len]) == 1; len++)
		;
	if (r >= 0) {
		r = spi_transfer(spi, out, in, len);
		spi_close(spi);
	}
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", device, strerror(-r));
		return 1;
	}
	for (size_t i = 0; i < len; i++)
		printf("%02x", in[i]);
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (strcmp(word, "serve") == 0 && argc == 3)
		return serve(atoi(argv[2]));
	if (strcmp(word, "now") == 0)
		return now();
	if (strcmp(word, "synced") == 0)
		return synced();
	if (strcmp(word, "pulse") == 0 && argc == 5)
		return pulse(argv[2], atol(argv[3]), atol(argv[4]));
	if (strcmp(word, "spi") == 0 && argc == 4)
		return transfer(argv[2], argv[3]);
	fprintf(stderr, "tool: serve PORT, now, synced, pulse FILE COUNT HALF_US, or spi DEVICE BYTES\n");
	return 2;
}
