/* A row per URL, and what the rows lead to. */
#pragma once

#include "../common/bus.h"
#include "account.h"
#include "archive.h"
#include "camera.h"
#include "control.h"
#include "house.h"
#include "http.h"
#include "live.h"
#include "pages.h"
#include "static.h"
#include "throttle.h"

struct parts { /* the context of all handlers */
	struct site *site;
	struct access *access;
	struct account *account;
	struct cameras *cameras;
	struct house *house;
	struct archive *archive;
	struct live *live;
	struct control *control;
	struct static_files *files;
	struct pages *pages;
	struct throttle *throttle; /* of requests; NULL: none */
	struct http *http;
	struct bus *bus;
};

extern const struct http_route routes[];
