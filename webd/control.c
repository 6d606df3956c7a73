#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../common/clock.h"
#include "../common/wire.h"
#include "control_read.h"
#include "json.h"

enum {
	PENDING_MAX = 256, /* commands that wait for their node's word */
	OUTCOMES = 64,
	ANSWER_MS = 5000,
	EXPIRY_MS = 10000, /* a command that has not reached its node by then lapses */
};

/* A command on its way. They all wait equally long, so the list is in order of their deadlines. */
struct pending {
	struct pending *next;
	struct http_request *request; /* NULL when its client left */
	struct command command;
	int64_t start_ms; /* since boot */
	bool form;
	char back[CONTROL_BACK_MAX + 1];
};

struct control {
	sd_event_source *timer;
	const struct house *house;
	struct control_hooks hooks;
	void *context;
	struct pending *oldest, *newest;
	size_t count;
	uint64_t serial;
	char boot[12];
	struct control_outcome *outcomes; /* a ring of OUTCOMES */
	size_t outcome_count;
};

/* ---- answers ----------------------------------------------------------------------------------------------------------------- */

static void answer_api(struct http_request *request, const struct control_outcome *outcome, int64_t time_ms)
{
	struct buffer json = BUFFER_EMPTY;
	bool ok = outcome->status == 200;

	buffer_printf(&json, "{\"ok\":%s", ok ? "true" : "false");
	if (!ok)
		json_add_text_of(&json, "error", outcome->error);
	if (outcome->has_value) {
		json_add_key(&json, "value");
		json_add_value(&json, &outcome->value);
	}
	if (outcome->command.id[0])
		json_add_text_of(&json, "id", outcome->command.id);
	if (time_ms != TIME_NONE)
		json_add_whole_of(&json, "time", time_ms);
	if (outcome->latency_ms >= 0)
		json_add_whole_of(&json, "latency_ms", outcome->latency_ms);
	buffer_add_char(&json, '}');
	http_reply_buffer(request, outcome->status, "application/json", &json);
}

/* The page that the form stood on, with the id under which it finds what became of the command. */
static void redirect(struct http_request *request, const char *back, const char *id)
{
	char path[CONTROL_BACK_MAX + COMMAND_ID_MAX + 32];

	snprintf(path, sizeof(path), "%s%coutcome=%s", back, strchr(back, '?') ? '&' : '?', id);
	http_redirect(request, path);
}

static void answer_form(struct control *control, struct http_request *request, const struct control_outcome *outcome,
			const char *back)
{
	control->outcomes[control->outcome_count++ % OUTCOMES] = *outcome;
	redirect(request, back, outcome->command.id);
}

static void answer(struct control *control, const struct pending *pending, const struct control_outcome *outcome, int64_t time_ms)
{
	if (!pending->request)
		return;
	if (pending->form)
		answer_form(control, pending->request, outcome, pending->back);
	else
		answer_api(pending->request, outcome, time_ms);
}

const struct control_outcome *control_outcome(const struct control *control, const char *id)
{
	size_t kept = control->outcome_count < OUTCOMES ? control->outcome_count : OUTCOMES;

	for (size_t i = 0; i < kept; i++)
		if (strcmp(control->outcomes[i].command.id, id) == 0)
			return &control->outcomes[i];
	return NULL;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------------------- */

static void arm(struct control *control)
{
	int64_t delay_ms;

	if (!control->oldest) {
		sd_event_source_set_enabled(control->timer, SD_EVENT_OFF);
		return;
	}
	delay_ms = control->oldest->start_ms + ANSWER_MS - clock_boot_ms();
	sd_event_source_set_time_relative(control->timer, (uint64_t)(delay_ms > 0 ? delay_ms : 0) * 1000);
	sd_event_source_set_enabled(control->timer, SD_EVENT_ONESHOT);
}

static void wait_for(struct control *control, struct pending *pending)
{
	if (control->newest)
		control->newest->next = pending;
	else
		control->oldest = pending;
	control->newest = pending;
	if (control->count++ == 0)
		arm(control);
}

/* Takes the pending at `link` out of the list; `before` is the one before it. */
static struct pending *take_out(struct control *control, struct pending *pending, struct pending *before)
{
	if (before)
		before->next = pending->next;
	else
		control->oldest = pending->next;
	if (control->newest == pending)
		control->newest = before;
	control->count--;
	return pending;
}

static int on_timer(sd_event_source *source, uint64_t now_us, void *data)
{
	struct control *control = data;
	int64_t now_ms = clock_boot_ms();

	(void)source;
	(void)now_us;
	while (control->oldest && now_ms - control->oldest->start_ms >= ANSWER_MS) {
		struct pending *pending = take_out(control, control->oldest, NULL);
		struct control_outcome outcome = { .command = pending->command, .status = 504, .latency_ms = -1 };

		snprintf(outcome.error, sizeof(outcome.error), "no answer from %s within %d s", pending->command.series.node,
			 ANSWER_MS / 1000);
		answer(control, pending, &outcome, TIME_NONE);
		free(pending);
	}
	arm(control);
	return 0;
}

static void on_cancelled(struct http_request *request, void *data)
{
	struct pending *pending = data;

	(void)request;
	pending->request = NULL;
}

void control_result(struct control *control, const struct command_result *result)
{
	struct pending *pending = control->oldest, *before = NULL;
	struct control_outcome outcome;
	int64_t latency_ms;

	while (pending &&
	       (strcmp(pending->command.id, result->id) != 0 || !series_equal(&pending->command.series, &result->series))) {
		before = pending;
		pending = pending->next;
	}
	if (!pending) {
		control->hooks.result(control->context, result, -1);
		return;
	}
	take_out(control, pending, before);
	latency_ms = clock_boot_ms() - pending->start_ms;
	outcome = (struct control_outcome){ .command = pending->command,
					    .status = result->ok ? 200 : 400,
					    .has_value = result->has_value,
					    .value = result->value,
					    .latency_ms = latency_ms };
	if (!result->ok)
		snprintf(outcome.error, sizeof(outcome.error), "%s", result->error[0] ? result->error : "the node refuses it");
	answer(control, pending, &outcome, result->time_ms);
	free(pending);
	arm(control);
	control->hooks.result(control->context, result, latency_ms);
}

/* ---- asking ------------------------------------------------------------------------------------------------------------------ */

static unsigned refuse_offline(struct control_outcome *outcome, const struct house_node *node)
{
	char since[32];

	outcome->status = 409;
	snprintf(outcome->error, sizeof(outcome->error), "%s is offline since %s", node->name,
		 wire_format_time(node->status_ms, since));
	return 409;
}

static unsigned refuse_unknown(struct control_outcome *outcome)
{
	char name[SERIES_TEXT_MAX + 1];

	outcome->status = 404;
	snprintf(outcome->error, sizeof(outcome->error), "no such output: %s", series_format(&outcome->command.series, name));
	return 404;
}

/* Whether the command may go out, and sends it. Returns 0, or the status of what hinders. */
static unsigned send(struct control *control, struct control_outcome *outcome)
{
	struct command *command = &outcome->command;
	const struct house_node *node = house_node(control->house, command->series.node);
	char reason[READING_REASON_MAX];
	int r = house_check_command(control->house, command, reason);

	if (r == -ENOENT)
		return refuse_unknown(outcome);
	if (r < 0)
		return control_refuse(outcome, 400, reason);
	if (!control->hooks.broker_up(control->context))
		return control_refuse(outcome, 503, "the broker does not answer");
	if (node && node->known_status && !node->online)
		return refuse_offline(outcome, node);
	if (control->count >= PENDING_MAX)
		return control_refuse(outcome, 503, "too many commands wait for an answer already");
	command->expires_ms = clock_wall_ms() + EXPIRY_MS;
	r = control->hooks.send(control->context, command);
	if (r < 0)
		return control_refuse(outcome, 503, "the broker does not take it now");
	return 0;
}

static void name_command(struct control *control, struct command *command, const char *by)
{
	snprintf(command->id, sizeof(command->id), "web-%s-%llu", control->boot, (unsigned long long)++control->serial);
	snprintf(command->by, sizeof(command->by), "%s", by);
}

/* Sends, and lets the request wait; what hinders is answered at once. back NULL: the API asked. */
static void ask(struct control *control, struct http_request *request, struct control_outcome *outcome, const char *back)
{
	struct pending *pending;

	outcome->latency_ms = -1;
	if (!outcome->status && send(control, outcome) == 0) {
		pending = calloc(1, sizeof(*pending));
		if (pending) {
			pending->request = request;
			pending->command = outcome->command;
			pending->start_ms = clock_boot_ms();
			pending->form = back != NULL;
			snprintf(pending->back, sizeof(pending->back), "%s", back ? back : "");
			http_later(request, on_cancelled, pending);
			wait_for(control, pending);
			return;
		}
		control_refuse(outcome, 503, "out of memory");
	}
	if (back)
		answer_form(control, request, outcome, back);
	else
		answer_api(request, outcome, TIME_NONE);
}

/* ---- HTTP -------------------------------------------------------------------------------------------------------------------- */

static bool is_json(const char *type)
{
	static const char json[] = "application/json";

	return type && strncasecmp(type, json, sizeof(json) - 1) == 0 && strchr("; \t", type[sizeof(json) - 1]);
}

void control_api(struct control *control, struct http_request *request, const char *by)
{
	struct control_outcome outcome = { 0 };
	const char *body;
	size_t len;

	if (!is_json(http_header(request, "Content-Type"))) { /* what a form of another site can't send */
		http_error(request, 415, "Content-Type must be application/json");
		return;
	}
	body = http_body(request, &len);
	if (control_read_json(body, len, &outcome) == 0)
		name_command(control, &outcome.command, by);
	ask(control, request, &outcome, NULL);
}

void control_form(struct control *control, struct http_request *request, const char *by)
{
	struct control_outcome outcome = { 0 };
	char back[CONTROL_BACK_MAX + 1];

	control_read_back(request, back);
	control_read_form(request, &outcome);
	name_command(control, &outcome.command, by);
	ask(control, request, &outcome, back);
}

/* ---- life -------------------------------------------------------------------------------------------------------------------- */

int control_open(sd_event *event, const struct house *house, const struct control_hooks *hooks, void *context,
		 struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));
	uint32_t word = 0;
	int r = -ENOMEM;

	if (!control)
		return r;
	control->outcomes = calloc(OUTCOMES, sizeof(*control->outcomes));
	if (!control->outcomes)
		goto fail;
	control->house = house;
	control->hooks = *hooks;
	control->context = context;
	if (getrandom(&word, sizeof(word), GRND_NONBLOCK) < 0)
		word = (uint32_t)clock_wall_ms();
	snprintf(control->boot, sizeof(control->boot), "%08x", word);
	r = sd_event_add_time_relative(event, &control->timer, CLOCK_BOOTTIME, 0, 10000, on_timer, control);
	if (r < 0)
		goto fail;
	sd_event_source_set_enabled(control->timer, SD_EVENT_OFF);
	*ret_control = control;
	return 0;
fail:
	control_close(control);
	return r;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	while (control->oldest)
		free(take_out(control, control->oldest, NULL));
	sd_event_source_disable_unref(control->timer);
	free(control->outcomes);
	free(control);
}
