/* Pulses of a meter: energy (the S0 output of IEC 62053-31, or the lamp that blinks), water, rain. Counts rising edges of the logical level and
 * keeps the count in the node's state folder, so that the meter goes on where it was.
 *
 * Few writes: two records of one line each in one file, written in turn without waiting for the disk; the newest whole one counts.
 * A power cut costs what was counted since `save_every`, and the kernel's half minute. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../driver.h"
#include "../gpio.h"

enum { RECORD_LEN = 32, READS_MAX = 4, CHECK_MS = 10000 };

#define MS ((int64_t)1000000)
#define HOUR_S 3600.0

struct pulse {
	struct gpio_place place;
	int quantity; /* index of `quantities` */
	double per_unit, start;
	int64_t debounce_ms, save_every_ms;
	const char *state_dir;
};

struct pulse_state {
	struct gpio *gpio;
	int64_t count, saved;
	int64_t newest_ns, apart_ns; /* of the newest pulse; from the one before to it, 0: unknown */
	int64_t save_ns;             /* when the count is written next; 0: it has not changed */
	int record;                  /* written next */
};

static const char *const quantities[] = { "energy", "volume", "rain", "counter" };
/* Reed contacts of water meters and rain gauges bounce; electronic outputs do not. */
static const int64_t usual_debounce_ms[] = { 0, 20, 20, 0 };

#define AT(field) offsetof(struct pulse, field)

static const struct conf_item items[] = {
	GPIO_ITEM_LINE(AT(place)),
	GPIO_ITEM_BIAS(AT(place), "pull-up"),
	GPIO_ITEM_ACTIVE_LOW(AT(place), "yes"),
	{ "quantity", CONF_CHOICE, AT(quantity), "counter", .choices = "energy|volume|rain|counter",
	  .help = "kWh (and power in W), m³, mm, or just pulses" },
	{ "per_unit", CONF_NUMBER, AT(per_unit), "1", .min = 1e-6, .max = 1e9, .help = "pulses of one kWh, m³ or mm" },
	{ "start", CONF_NUMBER, AT(start), "0", .max = 1e9, .help = "what the meter showed when the counting began" },
	{ "debounce", CONF_DURATION, AT(debounce_ms), NULL, .max = 10000,
	  .help = "a pulse so soon after another is none; 20ms for volume and rain, otherwise 0" },
	{ "save_every", CONF_DURATION, AT(save_every_ms), "10m", .min = 1000, .max = 86400000,
	  .help = "how often the count is written to [node] state_dir" },
	{ 0 },
};

static void pulse_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	struct pulse *pulse = device->config;
	const char *state_dir = conf_text(conf, conf_section(conf, "node", NULL), "state_dir");

	pulse->state_dir = state_dir ? state_dir : getenv("STATE_DIRECTORY");
	if (!conf_text(conf, section, "debounce"))
		pulse->debounce_ms = usual_debounce_ms[pulse->quantity];
	device_add_channel(device, quantities[pulse->quantity], OUTPUT_NONE);
	if (pulse->quantity == 0)
		device_add_channel(device, "power", OUTPUT_NONE);
}

/* ---- the count on disk ---------------------------------------------------------------------------------------------------------- */

/* So that a torn or half-written record is not taken for a count. */
static unsigned checksum(int64_t count)
{
	uint64_t hash = (uint64_t)count * 0x9e3779b97f4a7c15U;

	return (unsigned)(hash >> 32) | 1;
}

static int open_file(const struct device *device, int flags)
{
	const struct pulse *pulse = device->config;
	char path[512];

	if (!pulse->state_dir || snprintf(path, sizeof(path), "%s/pulse-%s", pulse->state_dir, device->name) >= (int)sizeof(path))
		return -1;
	return open(path, flags | O_CLOEXEC, 0640);
}

static int64_t remembered(const struct device *device, int *ret_record)
{
	char text[2 * RECORD_LEN + 1] = { 0 };
	int64_t newest = 0;
	int fd = open_file(device, O_RDONLY);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	for (int i = 0; i < 2 && len >= (i + 1) * RECORD_LEN; i++) {
		long long count;
		unsigned sum;

		if (sscanf(text + (ptrdiff_t)i * RECORD_LEN, "%20lld %8x", &count, &sum) == 2 && count > newest &&
		    checksum(count) == sum) {
			newest = count;
			*ret_record = !i;
		}
	}
	return newest;
}

static void save(struct device *device, bool wait)
{
	struct pulse_state *state = device->state;
	char text[RECORD_LEN + 1];
	int fd;

	state->save_ns = 0;
	if (state->count == state->saved)
		return;
	fd = open_file(device, O_WRONLY | O_CREAT);
	if (fd < 0)
		return; /* without a folder the count begins anew */
	snprintf(text, sizeof(text), "%20lld %8x  \n", (long long)state->count, checksum(state->count));
	if (pwrite(fd, text, RECORD_LEN, (off_t)state->record * RECORD_LEN) == RECORD_LEN) {
		state->record = !state->record;
		state->saved = state->count;
	}
	if (wait)
		fdatasync(fd);
	close(fd);
}

/* ---- counting ------------------------------------------------------------------------------------------------------------------- */

static void arm(struct device *device)
{
	const struct pulse_state *state = device->state;
	int64_t left_ms = state->save_ns ? (state->save_ns - gpio_now_ns()) / MS + 1 : CHECK_MS;

	device_wake(device, left_ms < CHECK_MS ? (left_ms > 0 ? left_ms : 0) : CHECK_MS);
}

static void count(struct device *device, const struct gpio_edge *edge)
{
	const struct pulse *pulse = device->config;
	struct pulse_state *state = device->state;
	int64_t apart_ns = edge->ns - state->newest_ns;

	if (state->newest_ns && apart_ns < pulse->debounce_ms * MS)
		return;
	state->apart_ns = state->newest_ns ? apart_ns : 0;
	state->newest_ns = edge->ns;
	state->count++;
	if (state->save_ns)
		return;
	state->save_ns = edge->ns + pulse->save_every_ms * MS;
	arm(device);
}

static int pulse_notice(struct device *device)
{
	struct pulse_state *state = device->state;
	struct gpio_edge edges[GPIO_EDGES_MAX];
	unsigned lost, all_lost = 0;
	int r = 1;

	/* Some rounds at most: others have their turn on the loop, too. */
	for (int round = 0; r > 0 && round < READS_MAX; round++) {
		r = gpio_read_edges(state->gpio, edges, &lost);
		for (int i = 0; i < r; i++)
			count(device, &edges[i]);
		all_lost += lost;
	}
	if (all_lost) {
		snprintf(device->error, sizeof(device->error), "pulses came faster than they were read: %s%u lost",
			 gpio_filters(state->gpio) ? "" : "at least ", all_lost);
		return -ERANGE;
	}
	return r < 0 ? r : 0;
}

/* ---- hooks ---------------------------------------------------------------------------------------------------------------------- */

static int pulse_open(struct device *device)
{
	const struct pulse *pulse = device->config;
	struct pulse_state *state = device->state;
	int r;

	*state = (struct pulse_state){ 0 };
	r = gpio_open(&pulse->place, GPIO_EDGES_RISING, 0, 0, &state->gpio, device->error, sizeof(device->error));
	if (r < 0)
		return r;
	state->count = state->saved = remembered(device, &state->record);
	arm(device);
	return 0;
}

static void pulse_close(struct device *device)
{
	struct pulse_state *state = device->state;

	if (state->gpio)
		save(device, true);
	gpio_close(state->gpio);
	*state = (struct pulse_state){ 0 };
}

static int pulse_watch(struct device *device)
{
	return gpio_fd(((struct pulse_state *)device->state)->gpio);
}

static int pulse_wake(struct device *device)
{
	struct pulse_state *state = device->state;
	int r = gpio_alive(state->gpio);

	if (r < 0) {
		snprintf(device->error, sizeof(device->error), "the GPIO chip is gone");
		return r;
	}
	if (state->save_ns && state->save_ns <= gpio_now_ns())
		save(device, false);
	arm(device);
	return 0;
}

/* What one pulse is worth, over the time since the one before; and less, when the next one is overdue. */
static double power_now(const struct pulse *pulse, const struct pulse_state *state)
{
	int64_t since_ns = gpio_now_ns() - state->newest_ns;

	if (state->apart_ns == 0)
		return NAN;
	return 1000 / pulse->per_unit * HOUR_S / ((double)(since_ns > state->apart_ns ? since_ns : state->apart_ns) / 1e9);
}

static int pulse_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	const struct pulse *pulse = device->config;
	const struct pulse_state *state = device->state;
	int r = pulse_notice(device);

	(void)now_ms;
	ret_values[0] = value_of_number(pulse->start + (double)state->count / pulse->per_unit);
	ret_fresh[0] = true;
	if (pulse->quantity == 0) {
		double watts = power_now(pulse, state);

		ret_fresh[1] = !isnan(watts);
		ret_values[1] = value_of_number(isnan(watts) ? 0 : watts);
	}
	return r;
}

const struct driver pulse_driver = {
	.name = "pulse",
	.help = "pulses of a meter: energy, water, rain",
	.items = items,
	.config_size = sizeof(struct pulse),
	.state_size = sizeof(struct pulse_state),
	.interval = "60s",
	.configure = pulse_configure,
	.open = pulse_open,
	.read = pulse_read,
	.watch = pulse_watch,
	.notice = pulse_notice,
	.wake = pulse_wake,
	.close = pulse_close,
};
