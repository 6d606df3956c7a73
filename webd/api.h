/* What scripts and monitors ask: nodes, the newest values, figures for Prometheus, health. */
#pragma once

#include "house.h"
#include "http.h"

/* {"nodes":[{"name","label","status":"online|offline|unknown","since","seen","devices":[{"name",...,"quantities":[{...}]}]}]} */
void api_nodes(const struct house *house, struct http_request *request);
/* {"series":[{"node","device","quantity","unit","time","value"}]}: those that have a value, all or the ones of `series=A,B`. */
void api_latest(const struct house *house, struct http_request *request);

struct api_state {
	bool broker_up;
	const char *store_error;     /* "" when it can be read */
	const char *collector_error; /* "" when it stores, or never said anything */
	unsigned connections, listeners;
	uint64_t requests;
};

/* Prometheus text format 0.0.4. */
void api_metrics(const struct house *house, const struct api_state *state, struct http_request *request);
/* 200 "ok", or 503 with what is wrong, a line each. */
void api_health(const struct api_state *state, struct http_request *request);
