/* A handle of libmosquitto, ready to connect. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bus_mosquitto.h"
#include "log.h"

int bus_errno_of(int rc)
{
	switch (rc) {
	case MOSQ_ERR_SUCCESS:
		return 0;
	case MOSQ_ERR_NOMEM:
		return -ENOMEM;
	case MOSQ_ERR_NO_CONN:
	case MOSQ_ERR_CONN_LOST:
		return -ENOTCONN;
	case MOSQ_ERR_PAYLOAD_SIZE:
	case MOSQ_ERR_OVERSIZE_PACKET:
		return -EMSGSIZE;
	default:
		return -EINVAL;
	}
}

const char *bus_explain(int rc)
{
	return rc == MOSQ_ERR_ERRNO ? strerror(errno) : mosquitto_strerror(rc);
}

static int read_password(const char *path, char *buf)
{
	FILE *file = fopen(path, "re");
	int r = 0;

	if (!file)
		return -errno;
	if (fgets(buf, PASSWORD_MAX + 1, file))
		buf[strcspn(buf, "\r\n")] = '\0';
	else
		r = -EINVAL;
	fclose(file);
	return r;
}

static int set_credentials(struct bus *bus)
{
	const struct bus_settings *settings = bus->settings;
	char password[PASSWORD_MAX + 1] = "";
	int rc = 0;

	if (settings->password_file) {
		int r = read_password(settings->password_file, password);

		if (r < 0) {
			log_error("mqtt: cannot read a password from %s: %s", settings->password_file,
				  r == -EINVAL ? "the file is empty" : strerror(-r));
			return r == -EINVAL ? -ENOENT : r;
		}
	}
	if (settings->username)
		rc = mosquitto_username_pw_set(bus->mosq, settings->username, settings->password_file ? password : NULL);
	explicit_bzero(password, sizeof(password));
	if (!rc && settings->ca_file) {
		rc = mosquitto_tls_set(bus->mosq, settings->ca_file, NULL, settings->cert_file, settings->key_file, NULL);
		if (rc) {
			log_error("mqtt: cannot use ca_file, cert_file or key_file: %s", bus_explain(rc));
			return -ENOENT;
		}
	}
	return bus_errno_of(rc);
}

static int set_options(struct bus *bus)
{
	const struct bus_options *options = &bus->options;
	struct mosquitto *mosq = bus->mosq;
	int rc = mosquitto_int_option(mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);

	if (!rc)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
	if (!rc && options->receive_max > 0)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_RECEIVE_MAXIMUM, options->receive_max);
	if (!rc) /* ours; the broker's own limit holds besides */
		rc = mosquitto_int_option(mosq, MOSQ_OPT_SEND_MAXIMUM, 1000);
	if (!rc && options->hold_acks) /* queue what is to be written, write only in loop_write */
		rc = mosquitto_threaded_set(mosq, true);
	if (!rc && options->will_topic)
		rc = mosquitto_will_set_v5(mosq, options->will_topic, (int)strlen(options->will_payload), options->will_payload, 1,
					   true, NULL);
	return bus_errno_of(rc);
}

/* Only the blocking call to connect takes properties, and it keeps them for all later ones before it looks at the port: asked with an
 * impossible port it does nothing else. */
static int keep_session(struct bus *bus)
{
	mosquitto_property *properties = NULL;
	int rc = mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, UINT32_MAX);

	if (!rc)
		mosquitto_connect_bind_v5(bus->mosq, bus->settings->host, -1, 60, NULL, properties);
	mosquitto_property_free_all(&properties);
	return bus_errno_of(rc);
}

int bus_make_handle(struct bus *bus)
{
	const char *id = bus->settings->client_id ? bus->settings->client_id : bus->options.client_id;
	int r;

	bus->mosq = mosquitto_new(id, !bus->options.persistent, bus);
	if (!bus->mosq)
		return -ENOMEM;
	r = set_options(bus);
	if (r == 0)
		r = set_credentials(bus);
	if (r == 0 && bus->options.persistent)
		r = keep_session(bus);
	return r;
}
