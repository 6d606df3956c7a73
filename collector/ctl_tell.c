#include "ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../common/clock.h"

enum { BAR_WIDTH = 30, BAR_EVERY_MS = 100, BAR_AFTER_MS = 300 };

/* ---- words ---------------------------------------------------------------------------------------------------------------------- */

void ctl_say(const char *format, ...)
{
	va_list args;

	fputs("foyerctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static const char *advice(int error)
{
	switch (error) {
	case -EBUSY:
		return "Is the collector running? Stop it first (systemctl stop foyer-collector) and start it again afterwards:\n"
		       "the broker keeps for it what the nodes send meanwhile.";
	case -EROFS:
		return "Run it as the user who owns the store (sudo -u foyer foyerctl ...) or as root.";
	case -EUCLEAN:
		return "foyerctl restore puts a backup in its place; foyerctl check --full tells what is damaged.";
	default:
		return NULL;
	}
}

int ctl_failed(int error, const char *message)
{
	const char *what = advice(error);

	ctl_say("%s", error == -EINTR ? "interrupted" : message);
	if (what)
		fprintf(stderr, "%s\n", what);
	return CTL_FAILED;
}

const char *ctl_count(int64_t count, char *buf)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)count), at = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0)
			buf[at++] = ' ';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

const char *ctl_bytes(int64_t bytes, char *buf)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
	double shown = (double)bytes;
	size_t unit = 0;

	while (shown >= 999.95 && unit + 1 < sizeof(units) / sizeof(*units)) {
		shown /= 1000;
		unit++;
	}
	snprintf(buf, 32, unit ? "%.1f %s" : "%.0f %s", shown, units[unit]);
	return buf;
}

const char *ctl_moment(int64_t time_ms, char *buf)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm tm;

	if (time_ms == TIME_NONE || !localtime_r(&seconds, &tm) || strftime(buf, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return strcpy(buf, "-");
	return buf;
}

/* ---- signals -------------------------------------------------------------------------------------------------------------------- */

volatile sig_atomic_t ctl_stopped;

static void on_signal(int number)
{
	(void)number;
	ctl_stopped = 1;
}

void ctl_catch_signals(void)
{
	/* No restart: a read that waits for a pipe ends too. */
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* ---- the bar -------------------------------------------------------------------------------------------------------------------- */

void ctl_bar_begin(struct ctl_bar *bar, const char *what, bool quiet)
{
	*bar = (struct ctl_bar){ .what = what, .shown = !quiet && isatty(STDERR_FILENO), .begin_ms = clock_boot_ms() };
}

static void draw(struct ctl_bar *bar, int64_t now_ms)
{
	char cells[BAR_WIDTH * 3 + 1] = "", left[40] = "";
	int full = (int)(bar->share * BAR_WIDTH);
	double spent_s = (double)(now_ms - bar->begin_ms) / 1000;

	for (int i = 0; i < BAR_WIDTH; i++)
		strcat(cells, i < full ? "█" : "░");
	if (bar->share > 0.02 && spent_s > 2)
		snprintf(left, sizeof(left), ", %.0f s left", spent_s / bar->share - spent_s);
	fprintf(stderr, "\r%s %s %3.0f %%%s\x1b[K", bar->what, cells, bar->share * 100, left);
	fflush(stderr);
	bar->drawn = true;
	bar->drawn_ms = now_ms;
}

bool ctl_bar_go_on(void *context, double share)
{
	struct ctl_bar *bar = context;
	int64_t now_ms;

	if (ctl_stopped)
		return false;
	if (share > bar->share)
		bar->share = share < 1 ? share : 1;
	if (!bar->shown)
		return true;
	now_ms = clock_boot_ms();
	if (now_ms - bar->drawn_ms >= BAR_EVERY_MS && now_ms - bar->begin_ms >= BAR_AFTER_MS)
		draw(bar, now_ms);
	return true;
}

void ctl_bar_end(struct ctl_bar *bar)
{
	if (bar->drawn)
		fputs("\r\x1b[K", stderr);
	bar->drawn = false;
}
