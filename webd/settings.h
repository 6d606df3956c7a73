/* webd's configuration. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../common/bus.h"
#include "../common/conf.h"
#include "../common/log.h"
#include "camera.h"

struct settings {
	struct bus_settings bus;
	const char *listen;               /* numeric address; NULL: all, IPv6 and IPv4 */
	uint16_t port;                    /* 0: the kernel chooses */
	bool open;                        /* nobody logs in: a loopback address alone */
	unsigned rate;                    /* requests a second of one address; 0: any number */
	const char *cert_file, *key_file; /* NULL: plain HTTP */
	const char *trusted_proxy;        /* addresses; NULL: none */
	const char *web_dir;              /* holds templates/, static/, strings/, javascript/ */
	const char *store_url;
	struct camera_settings *cameras;
	const char *site_file; /* webd's own; NULL: by the state folder or the store */
	const char *timezone;  /* NULL: the machine's */
	const char *title;
	const char *language; /* "auto", "fr", "en" */
	enum log_level log_level;
};

/* Reads all sections. Mistakes are for conf_finish to tell. Strings belong to conf, or live as long as the program. */
void settings_read(struct conf *conf, struct settings *ret_settings);

/* Frees the list of cameras; strings are the conf's. */
void settings_done(struct settings *settings);

/* Prints the keys for --help. */
void settings_print(void);
