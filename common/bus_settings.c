/* The [mqtt] section: its keys and what they must fit. */
#include <stddef.h>
#include <string.h>

#include "bus.h"
#include "wire.h"

const struct conf_item bus_items[] = {
	{ "host", CONF_STRING, offsetof(struct bus_settings, host), "127.0.0.1", .help = "the broker's name or address" },
	{ "port", CONF_INT, offsetof(struct bus_settings, port), "1883", .min = 1, .max = 65535,
	  .help = "its port; 8883 is usual with TLS" },
	{ "base", CONF_STRING, offsetof(struct bus_settings, base), "foyer", .help = "the topic that all others begin with" },
	{ "username", CONF_STRING, offsetof(struct bus_settings, username), NULL, .help = "without: anonymous" },
	{ "password_file", CONF_FILE, offsetof(struct bus_settings, password_file), NULL,
	  .help = "a file whose first line is the password" },
	{ "ca_file", CONF_FILE, offsetof(struct bus_settings, ca_file), NULL,
	  .help = "the authority that signed the broker's certificate; given: TLS" },
	{ "cert_file", CONF_FILE, offsetof(struct bus_settings, cert_file), NULL,
	  .help = "our own certificate, where the broker asks for one" },
	{ "key_file", CONF_FILE, offsetof(struct bus_settings, key_file), NULL, .help = "its private key" },
	{ "client_id", CONF_STRING, offsetof(struct bus_settings, client_id), NULL,
	  .help = "the name of the session; without: the daemon's own" },
	{ "keepalive", CONF_DURATION, offsetof(struct bus_settings, keepalive_ms), "60s", .min = 5000, .max = 3600000,
	  .help = "how long the connection may be silent" },
	{ 0 },
};

void bus_check_settings(struct conf *conf, const struct bus_settings *settings)
{
	const struct conf_section *section = conf_section(conf, "mqtt", NULL);
	const char *base = settings->base;
	size_t len = base ? strlen(base) : 0;

	if (len == 0 || len > WIRE_BASE_MAX || strpbrk(base, "+#$") || base[0] == '/' || base[len - 1] == '/')
		conf_mistake(conf, section, "base", "\"%s\": allowed are 1 to %d bytes without +, #, $ and without / at either end",
			     base ? base : "", WIRE_BASE_MAX);
	if (settings->password_file && !settings->username)
		conf_mistake(conf, section, "password_file", "a password needs a username beside it");
	if (!settings->cert_file != !settings->key_file)
		conf_mistake(conf, section, settings->cert_file ? "cert_file" : "key_file", "cert_file and key_file go together");
	if (settings->cert_file && !settings->ca_file)
		conf_mistake(conf, section, "cert_file", "a certificate needs ca_file beside it");
}
