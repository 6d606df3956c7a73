/* A program as a sensor: what it prints are readings, in the house's notation. It runs once in each turn, or stays and prints lines
 * as it has news. Whatever goes wrong with it, it is started again at its turn. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../common/wire.h"
#include "../driver.h"
#include "../program.h"

enum { MODE_EACH, MODE_STREAM };
enum { TIMEOUT_MS = 10000 };

struct exec_config {
	const char *command, *quantities;
	int mode;
	int64_t timeout_ms;
};

struct exec {
	struct program *program;
	char failed[DEVICE_ERROR_MAX]; /* what was wrong with the last run or line; "" when nothing was */
};

static const struct conf_item items[] = {
	{ "command", CONF_STRING, offsetof(struct exec_config, command), .required = true,
	  .help = "the program and its words; no shell is between: quotes keep white space, nothing else is special" },
	{ "quantities", CONF_STRING, offsetof(struct exec_config, quantities), .required = true,
	  .help = "what it tells, in this order: \"21.4 48\", or by name: {\"temperature\":21.4,\"humidity\":48}" },
	{ "mode", CONF_CHOICE, offsetof(struct exec_config, mode), "each", .choices = "each|stream",
	  .help = "it runs in each turn, or it stays and prints a line when it has news" },
	{ "timeout", CONF_DURATION, offsetof(struct exec_config, timeout_ms), "0", .max = 86400000,
	  .help = "it is killed when it takes, or as a stream is silent, for longer; 0: 10s for each, never for stream" },
	{ 0 },
};

/* ---- configuration --------------------------------------------------------------------------------------------------------------- */

static void exec_configure(struct device *device, struct conf *conf, const struct conf_section *section)
{
	struct exec_config *config = device->config;
	char *words, *rest = NULL, *command[PROGRAM_WORDS_MAX];

	if (!config->command || !config->quantities)
		return;
	device->sporadic = config->mode == MODE_STREAM;
	if (config->timeout_ms == 0 && config->mode == MODE_EACH)
		config->timeout_ms = TIMEOUT_MS;
	words = strdup(config->command);
	if (words && program_split(words, command) < 0)
		conf_mistake(conf, section, "command", "allowed are 1 to %d words, quotes closed", PROGRAM_WORDS_MAX - 1);
	free(words);
	words = strdup(config->quantities);
	for (char *word = words ? strtok_r(words, " ,\t", &rest) : NULL; word; word = strtok_r(NULL, " ,\t", &rest))
		if (!device_add_channel(device, word, OUTPUT_NONE))
			conf_mistake(conf, section, "quantities",
				     "\"%s\": allowed are at most %d names [a-z][a-z0-9_]{0,31}, each once", word, CHANNELS_MAX);
	free(words);
}

/* ---- what it says ---------------------------------------------------------------------------------------------------------------- */

struct parsing {
	struct device *device;
	size_t channel;
	char *reason; /* READING_REASON_MAX */
};

static int on_reading(void *context, const struct reading *reading, const char *unit)
{
	const struct parsing *parsing = context;

	(void)unit; /* converted already */
	device_tell(parsing->device, parsing->channel, 0, &reading->value);
	return 0;
}

static void on_refused(void *context, const char *element, size_t len, const char *reason)
{
	const struct parsing *parsing = context;

	(void)element;
	(void)len;
	snprintf(parsing->reason, READING_REASON_MAX, "%s", reason);
}

/* One value of the notation. */
static int tell(struct device *device, size_t channel, const char *text, size_t len)
{
	struct exec *exec = device->state;
	char reason[READING_REASON_MAX] = "";
	struct parsing parsing = { .device = device, .channel = channel, .reason = reason };
	const struct series *series = &device->channels[channel].series;
	int r = wire_parse_readings(series, text, len, on_reading, on_refused, &parsing);

	if (r > 0 && !reason[0])
		return 0;
	snprintf(exec->failed, sizeof(exec->failed), "%.24s: %.90s", series->quantity, reason[0] ? reason : "no value");
	return -ERANGE;
}

/* An item of {"temperature":21.4,"humidity":{"value":48}}: the value alone, or as the notation has it with its unit. */
static int tell_item(struct device *device, size_t channel, const cJSON *item)
{
	char *json = cJSON_PrintUnformatted(item), *whole = NULL;
	int r = -ENOMEM;

	if (json && cJSON_IsObject(item))
		r = tell(device, channel, json, strlen(json));
	else if (json && asprintf(&whole, "{\"value\":%s}", json) >= 0)
		r = tell(device, channel, whole, strlen(whole));
	free(whole);
	cJSON_free(json);
	return r;
}

static int tell_object(struct device *device, const cJSON *json)
{
	struct exec *exec = device->state;
	int known = 0, r = 0;

	for (size_t i = 0; i < device->channel_count; i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, device->channels[i].series.quantity);

		known += item != NULL;
		if (item && !cJSON_IsNull(item) && tell_item(device, i, item) < 0)
			r = -ERANGE;
	}
	if (known == 0) {
		snprintf(exec->failed, sizeof(exec->failed), "none of its quantities is in what it said");
		return -ERANGE;
	}
	return r;
}

/* The next word of a text without NUL, which is then moved behind it and the white space that follows. */
static size_t next_word(const char **text, const char *end)
{
	size_t len = strcspn(*text, " \t\r\n");

	if (len > (size_t)(end - *text))
		len = (size_t)(end - *text);
	*text += len;
	*text += strspn(*text, " \t\r\n");
	return len;
}

/* "21.4 48" for two quantities; "-" tells nothing of one. With one too few nobody knows which. */
static int tell_words(struct device *device, const char *text, size_t len)
{
	struct exec *exec = device->state;
	const char *end = text + len;
	size_t count = 0;
	int r = 0;

	for (const char *at = text; at < end; count++)
		next_word(&at, end);
	if (count != device->channel_count) {
		snprintf(exec->failed, sizeof(exec->failed), "it said %zu values for %zu quantities", count, device->channel_count);
		return -ERANGE;
	}
	for (size_t i = 0; i < count; i++) {
		const char *word = text;
		size_t word_len = next_word(&text, end);

		if (!(word_len == 1 && *word == '-') && tell(device, i, word, word_len) < 0)
			r = -ERANGE;
	}
	return r;
}

/* One utterance: a whole output, or a line of a stream. text is NUL-terminated somewhere after len. */
static int understand(struct device *device, const char *text, size_t len)
{
	struct exec *exec = device->state;
	cJSON *json;
	int r;

	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	while (len > 0 && strchr(" \t\r\n", *text)) {
		text++;
		len--;
	}
	exec->failed[0] = '\0';
	if (len == 0) {
		snprintf(exec->failed, sizeof(exec->failed), "it said nothing");
		return -ERANGE;
	}
	json = *text == '{' ? cJSON_ParseWithLength(text, len) : NULL;
	if (json && (device->channel_count > 1 || !cJSON_HasObjectItem(json, "value")))
		r = tell_object(device, json);
	else if (json || device->channel_count == 1)
		r = tell(device, 0, text, len);
	else
		r = tell_words(device, text, len);
	cJSON_Delete(json);
	return r;
}

/* ---- its runs -------------------------------------------------------------------------------------------------------------------- */

/* The fault stays told at every turn until something good was heard. */
static int say_failed(struct device *device)
{
	const struct exec *exec = device->state;

	if (!exec->failed[0])
		return 0;
	snprintf(device->error, sizeof(device->error), "%s", exec->failed);
	return -ERANGE;
}

static void start(struct device *device)
{
	const struct exec_config *config = device->config;
	struct exec *exec = device->state;
	char *text = strdup(config->command), *words[PROGRAM_WORDS_MAX];
	int r = text ? program_split(text, words) : -ENOMEM;

	if (r >= 0)
		r = program_start(exec->program, words);
	free(text);
	if (r < 0)
		snprintf(exec->failed, sizeof(exec->failed), "cannot run %.60s: %.40s", config->command, strerror(-r));
	else if (config->timeout_ms > 0)
		device_wake(device, config->timeout_ms);
}

static int exec_read(struct device *device, int64_t now_ms, struct value ret_values[], bool ret_fresh[])
{
	const struct exec *exec = device->state;

	(void)now_ms;
	(void)ret_values;
	for (size_t i = 0; i < device->channel_count; i++)
		ret_fresh[i] = false; /* notice() tells */
	if (!program_runs(exec->program))
		start(device);
	return say_failed(device);
}

/* The lines that are whole. Returns -ERANGE when the last of them was none. */
static int take_lines(struct device *device)
{
	const struct exec_config *config = device->config;
	const struct exec *exec = device->state;
	struct buffer *output = program_output(exec->program);
	const char *text = buffer_text(output), *end;
	bool heard = false;
	int r = 0;

	while ((end = strchr(text, '\n'))) {
		r = understand(device, text, (size_t)(end - text));
		text = end + 1;
		heard = true;
	}
	buffer_drop(output, (size_t)(text - buffer_text(output)));
	if (heard && config->timeout_ms > 0 && program_runs(exec->program))
		device_wake(device, config->timeout_ms);
	return r;
}

/* It ended, by itself (1) or because it said too much. */
static int ended(struct device *device, int how)
{
	const struct exec_config *config = device->config;
	struct exec *exec = device->state;
	const struct buffer *output = program_output(exec->program);

	device_wake(device, -1);
	if (how < 0)
		snprintf(exec->failed, sizeof(exec->failed), "it said more than %d bytes and was ended", PROGRAM_OUTPUT_MAX);
	else if (program_fault(exec->program)[0])
		snprintf(exec->failed, sizeof(exec->failed), "%.110s", program_fault(exec->program));
	else if (config->mode == MODE_STREAM)
		snprintf(exec->failed, sizeof(exec->failed), "it ended");
	else
		return understand(device, buffer_text(output), output->len);
	return -ERANGE;
}

static int exec_notice(struct device *device)
{
	const struct exec_config *config = device->config;
	struct exec *exec = device->state;
	int how = program_take(exec->program);
	int r = config->mode == MODE_STREAM ? take_lines(device) : 0;

	if (how != 0)
		r = ended(device, how);
	return r < 0 ? say_failed(device) : 0;
}

static int exec_wake(struct device *device)
{
	const struct exec_config *config = device->config;
	struct exec *exec = device->state;

	if (!program_runs(exec->program))
		return 0;
	program_stop(exec->program);
	snprintf(exec->failed, sizeof(exec->failed), "no answer within %g s: it was ended", (double)config->timeout_ms / 1000);
	return say_failed(device);
}

static int exec_open(struct device *device)
{
	struct exec *exec = device->state;

	exec->failed[0] = '\0';
	return program_open(&exec->program);
}

static int exec_watch(struct device *device)
{
	return program_fd(((const struct exec *)device->state)->program);
}

static void exec_close(struct device *device)
{
	struct exec *exec = device->state;

	program_close(exec->program);
	exec->program = NULL;
}

const struct driver exec_driver = {
	.name = "exec",
	.help = "a program whose output are readings",
	.items = items,
	.config_size = sizeof(struct exec_config),
	.state_size = sizeof(struct exec),
	.interval = "60s",
	.configure = exec_configure,
	.open = exec_open,
	.watch = exec_watch,
	.read = exec_read,
	.notice = exec_notice,
	.wake = exec_wake,
	.close = exec_close,
};
