#include "ingest.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "../common/log.h"
#include "../common/wire.h"
#include "elements.h"
#include "refusals.h"

enum {
	LABEL_MAX = 64,
	LATE_MS = 600000, /* older than this: its five minutes are closed, and have to be done again */
};

struct ingest {
	const char *base;
	struct receipts *receipts;
	struct repeats *repeats;
	struct ingest_counts counts;
	struct refusals *refusals;

	/* of the message under way */
	struct store *store;
	const struct bus_message *message;
	int64_t now_ms;
	size_t element; /* of a batch: how many were given */
	int error;      /* of the store */
};

struct ingest *ingest_open(const char *base, struct receipts *receipts, struct repeats *repeats)
{
	struct ingest *ingest = calloc(1, sizeof(*ingest));

	if (!ingest)
		return NULL;
	ingest->base = base;
	ingest->receipts = receipts;
	ingest->repeats = repeats;
	ingest->refusals = refusals_open();
	if (ingest->refusals)
		return ingest;
	free(ingest);
	return NULL;
}

void ingest_close(struct ingest *ingest)
{
	if (!ingest)
		return;
	refusals_close(ingest->refusals);
	free(ingest);
}

const struct ingest_counts *ingest_counts(const struct ingest *ingest)
{
	return &ingest->counts;
}

/* ---- refusals --------------------------------------------------------------------------------------------------------------------- */

static void refuse(struct ingest *ingest, const void *payload, size_t len, const char *reason)
{
	const char *topic = ingest->message->topic;
	int r = store_reject(ingest->store, ingest->now_ms, topic, payload, len, reason);

	if (r < 0)
		ingest->error = r;
	ingest->counts.rejected++;
	refusals_tell(ingest->refusals, topic, reason, clock_boot_ms());
}

/* The element under way as it came: `given` is how many were given before it. */
static void refuse_element(struct ingest *ingest, size_t given, const char *reason)
{
	const struct bus_message *message = ingest->message;
	const char *element = message->payload;
	size_t at = 0, len = message->len;

	for (size_t i = 0; i <= given; i++)
		if (!elements_next(message->payload, message->len, &at, &element, &len))
			break;
	refuse(ingest, element, len, reason);
}

/* What can't be taken is settled too: without a receipt its node would send it for ever. */
static void receipt_for_element(struct ingest *ingest, const char *element, size_t len)
{
	cJSON *json = cJSON_ParseWithLength(element, len);
	const cJSON *seq = cJSON_GetObjectItemCaseSensitive(json, "seq");
	struct wire_topic topic;
	char reason[READING_REASON_MAX];

	if (cJSON_IsNumber(seq) && seq->valuedouble >= 1 && seq->valuedouble <= 9007199254740992.0 &&
	    wire_parse_topic(ingest->base, ingest->message->topic, &topic, reason) == 0)
		receipts_add(ingest->receipts, topic.series.node, (int64_t)seq->valuedouble);
	cJSON_Delete(json);
}

static void on_refused(void *context, const char *element, size_t len, const char *reason)
{
	struct ingest *ingest = context;

	if (element == ingest->message->payload)
		refuse(ingest, element, len, reason);
	else
		refuse_element(ingest, ingest->element, reason);
	ingest->element++;
	if (len > 0 && len <= WIRE_PAYLOAD_MAX && element[0] == '{')
		receipt_for_element(ingest, element, len);
}

/* ---- readings --------------------------------------------------------------------------------------------------------------------- */

static void count_stored(struct ingest *ingest, const struct reading *given)
{
	ingest->counts.stored++;
	if (given->time_ms != TIME_NONE && given->time_ms < ingest->now_ms - LATE_MS)
		ingest->counts.late++;
}

static int on_reading(void *context, const struct reading *given, const char *unit)
{
	struct ingest *ingest = context;
	char reason[READING_REASON_MAX];
	size_t element = ingest->element++;
	int r;

	(void)unit;
	if (reading_check(given, ingest->now_ms, reason) < 0) {
		refuse_element(ingest, element, reason);
	} else {
		if (given->time_ms == TIME_NONE) {
			struct reading reading = *given;

			reading.time_ms = ingest->now_ms;
			r = store_append_moved(ingest->store, &reading);
		} else {
			r = store_append(ingest->store, given);
		}
		if (r == -EEXIST)
			refuse_element(ingest, element, "another value stands at this time already");
		else if (r < 0)
			ingest->error = r;
		else if (r > 0)
			count_stored(ingest, given);
		else
			ingest->counts.known++;
	}
	if (ingest->error == 0 && given->seq > 0)
		receipts_add(ingest->receipts, given->series.node, given->seq);
	return ingest->error;
}

/* Whether any reading of the message would be stored at its time of arrival. A "time" that is hidden in another key's text costs only the guard. */
static bool timeless(const struct bus_message *message)
{
	const char *element;
	size_t at = 0, len;

	while (elements_next(message->payload, message->len, &at, &element, &len))
		if (memmem(element, len, "\"time\"", 6) == NULL)
			return true;
	return false;
}

/* Guards a message that is not idempotent by itself against being delivered twice. 1: it was taken before. */
static int guard(struct ingest *ingest)
{
	const struct bus_message *message = ingest->message;

	if (message->qos == 0)
		return 0;
	if (repeats_known(ingest->repeats, message->packet_id, message->topic, message->payload, message->len))
		return 1;
	return repeats_add(ingest->repeats, message->packet_id, message->topic, message->payload, message->len) < 0 ? -ENOBUFS : 0;
}

static int take_readings(struct ingest *ingest, const struct series *series)
{
	const struct bus_message *message = ingest->message;

	if (message->len == 0)
		return 0; /* this is how a retained message is deleted, not a reading */
	if (message->len <= WIRE_PAYLOAD_MAX && timeless(message)) {
		int r;

		if (message->retain)
			return 0; /* an old bare value has no time that we could believe */
		r = guard(ingest);
		if (r != 0) {
			ingest->counts.known += r > 0;
			return r < 0 ? r : 0;
		}
	}
	wire_parse_readings(series, message->payload, message->len, on_reading, on_refused, ingest);
	return 0;
}

/* ---- what else is told ------------------------------------------------------------------------------------------------------------ */

static void take_info(struct ingest *ingest, const char *node)
{
	const struct bus_message *message = ingest->message;
	char label[LABEL_MAX + 1] = "";
	cJSON *json;
	char *text;
	int r;

	if (message->len == 0)
		return;
	json = message->len <= WIRE_PAYLOAD_MAX ? cJSON_ParseWithLength(message->payload, message->len) : NULL;
	text = cJSON_IsObject(json) ? cJSON_PrintUnformatted(json) : NULL;
	if (text) {
		const char *given = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "label"));
		struct value checked;

		if (given && strlen(given) <= LABEL_MAX && value_of_text(given, strlen(given), &checked) == 0)
			strcpy(label, given);
		r = store_node_info(ingest->store, node, label, text, ingest->now_ms);
		if (r < 0)
			ingest->error = r;
	} else {
		refuse(ingest, message->payload, message->len, "$info is no JSON object of at most 64 KiB");
	}
	cJSON_free(text);
	cJSON_Delete(json);
}

static void take_status(struct ingest *ingest, const char *node)
{
	const struct bus_message *message = ingest->message;
	bool online;
	int r;

	if (message->len == 0)
		return;
	if (wire_parse_status(message->payload, message->len, &online) < 0) {
		refuse(ingest, message->payload, message->len, "$status is online or offline");
		return;
	}
	r = store_node_status(ingest->store, node, online, ingest->now_ms);
	if (r < 0)
		ingest->error = r;
}

static int take_command(struct ingest *ingest, const struct series *series)
{
	const struct bus_message *message = ingest->message;
	struct command command;
	char reason[READING_REASON_MAX];
	int r;

	if (message->retain || message->len == 0)
		return 0; /* never obeyed, so it is no command */
	if (wire_parse_command(series, message->payload, message->len, &command, reason) < 0) {
		refuse(ingest, message->payload, message->len, reason);
		return 0;
	}
	r = guard(ingest);
	if (r != 0)
		return r < 0 ? r : 0;
	r = store_log_command(ingest->store, &command, ingest->now_ms);
	if (r < 0)
		ingest->error = r;
	return 0;
}

static void take_result(struct ingest *ingest, const struct series *series)
{
	const struct bus_message *message = ingest->message;
	struct command_result result;
	int r;

	if (message->retain || message->len == 0)
		return;
	if (wire_parse_result(series, message->payload, message->len, &result) < 0) {
		refuse(ingest, message->payload, message->len, "not a command's result");
		return;
	}
	r = store_log_result(ingest->store, &result, ingest->now_ms);
	if (r < 0)
		ingest->error = r;
}

int ingest_message(struct ingest *ingest, struct store *store, const struct bus_message *message, int64_t now_ms)
{
	struct wire_topic topic;
	char reason[READING_REASON_MAX];
	int r = 0;

	ingest->store = store;
	ingest->message = message;
	ingest->now_ms = now_ms;
	ingest->element = 0;
	ingest->error = 0;
	switch (wire_parse_topic(ingest->base, message->topic, &topic, reason)) {
	case 0:
		break;
	case -ENOENT:
		if (message->len > 0 && !message->retain)
			refuse(ingest, message->payload, message->len,
			       "no topic of the notation; a reading's is "
			       "BASE/NODE/DEVICE/QUANTITY");
		return ingest->error;
	default:
		if (message->len > 0 && !message->retain)
			refuse(ingest, message->payload, message->len, reason);
		return ingest->error;
	}
	switch (topic.kind) {
	case WIRE_READING:
		r = take_readings(ingest, &topic.series);
		break;
	case WIRE_SET:
		r = take_command(ingest, &topic.series);
		break;
	case WIRE_RESULT:
		take_result(ingest, &topic.series);
		break;
	case WIRE_STATUS:
		take_status(ingest, topic.series.node);
		break;
	case WIRE_INFO:
		take_info(ingest, topic.series.node);
		break;
	case WIRE_OTHER:
	case WIRE_HEALTH:
	case WIRE_STORED:
	case WIRE_COLLECTOR_STATUS:
	case WIRE_COLLECTOR_HEALTH:
		break;
	}
	return ingest->error ? ingest->error : r;
}
