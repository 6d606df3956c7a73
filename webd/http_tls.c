#include "http_tls.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

#include "../common/log.h"

enum { CHAIN_MAX = 8, GENERATIONS = 4, SETTLE_MS = 500 };

struct pair {
	gnutls_pcert_st certs[CHAIN_MAX];
	unsigned cert_count;
	gnutls_privkey_t key;
};

struct http_tls {
	const char *cert_file, *key_file;
	/* The newest first. Handshakes may hold the one before: it stays while a few more come. */
	struct pair *pairs[GENERATIONS];
	sd_event_source *watches[2], *timer;
};

static struct http_tls *the_tls; /* the library hands no context to the chooser */

static void free_pair(struct pair *pair)
{
	if (!pair)
		return;
	for (unsigned i = 0; i < pair->cert_count; i++)
		gnutls_pcert_deinit(&pair->certs[i]);
	if (pair->key)
		gnutls_privkey_deinit(pair->key);
	free(pair);
}

static int complain(const char *path, int code)
{
	log_error("%s: %s", path, gnutls_strerror(code));
	return -EKEYREJECTED;
}

/* Whether the key is the certificate's. */
static int check(const struct pair *pair, const struct http_tls *tls)
{
	unsigned char of_cert[64], of_key[64];
	size_t cert_len = sizeof(of_cert), key_len = sizeof(of_key);
	gnutls_pubkey_t public = NULL;
	int r = gnutls_pubkey_init(&public);

	if (r == 0)
		r = gnutls_pubkey_import_privkey(public, pair->key, 0, 0);
	if (r == 0)
		r = gnutls_pubkey_get_key_id(public, 0, of_key, &key_len);
	if (r == 0)
		r = gnutls_pubkey_get_key_id(pair->certs[0].pubkey, 0, of_cert, &cert_len);
	gnutls_pubkey_deinit(public);
	if (r < 0)
		return complain(tls->key_file, r);
	if (key_len == cert_len && memcmp(of_cert, of_key, key_len) == 0)
		return 0;
	log_error("%s is not the key of %s", tls->key_file, tls->cert_file);
	return -EKEYREJECTED;
}

static int load_key(const struct http_tls *tls, struct pair *pair)
{
	gnutls_datum_t data;
	int r = gnutls_load_file(tls->key_file, &data);

	if (r < 0)
		return complain(tls->key_file, r);
	r = gnutls_privkey_init(&pair->key);
	if (r == 0)
		r = gnutls_privkey_import_x509_raw(pair->key, &data, GNUTLS_X509_FMT_PEM, NULL, 0);
	explicit_bzero(data.data, data.size);
	gnutls_free(data.data);
	return r < 0 ? complain(tls->key_file, r) : 0;
}

static int load_certs(const struct http_tls *tls, struct pair *pair)
{
	gnutls_datum_t data;
	int r = gnutls_load_file(tls->cert_file, &data);

	if (r < 0)
		return complain(tls->cert_file, r);
	pair->cert_count = CHAIN_MAX;
	r = gnutls_pcert_list_import_x509_raw(pair->certs, &pair->cert_count, &data, GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(data.data);
	if (r >= 0 && pair->cert_count)
		return 0;
	pair->cert_count = 0;
	return complain(tls->cert_file, r < 0 ? r : GNUTLS_E_NO_CERTIFICATE_FOUND);
}

static int load(struct http_tls *tls)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int r = pair ? load_certs(tls, pair) : -ENOMEM;

	if (r == 0)
		r = load_key(tls, pair);
	if (r == 0)
		r = check(pair, tls);
	if (r < 0) {
		free_pair(pair);
		return r;
	}
	free_pair(tls->pairs[GENERATIONS - 1]);
	memmove(tls->pairs + 1, tls->pairs, sizeof(tls->pairs) - sizeof(tls->pairs[0]));
	tls->pairs[0] = pair;
	return 0;
}

int http_tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
		    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_certs,
		    unsigned *ret_cert_count, gnutls_privkey_t *ret_key)
{
	(void)session;
	(void)authorities;
	(void)authority_count;
	(void)algorithms;
	(void)algorithm_count;
	if (!the_tls)
		return -1;
	*ret_certs = the_tls->pairs[0]->certs;
	*ret_cert_count = the_tls->pairs[0]->cert_count;
	*ret_key = the_tls->pairs[0]->key;
	return 0;
}

/* ---- changes ----------------------------------------------------------------------------------------------------------------------------- */

static int on_settled(sd_event_source *source, uint64_t now_us, void *context)
{
	struct http_tls *tls = context;

	(void)source;
	(void)now_us;
	if (load(tls) == 0)
		log_info("the certificate in %s is read anew", tls->cert_file);
	else
		log_warning("the certificate that was there before stays in use");
	return 0;
}

/* The folder is watched, since files are replaced rather than written; the certificate and its key come one after the other. */
static int on_change(sd_event_source *source, const struct inotify_event *event, void *context)
{
	struct http_tls *tls = context;

	(void)source;
	(void)event;
	sd_event_source_set_time_relative(tls->timer, SETTLE_MS * 1000);
	sd_event_source_set_enabled(tls->timer, SD_EVENT_ONESHOT);
	return 0;
}

static int watch(sd_event *event, struct http_tls *tls, const char *file, sd_event_source **ret_watch)
{
	char *copy = strdup(file);
	int r = copy ? sd_event_add_inotify(event, ret_watch, dirname(copy), IN_CLOSE_WRITE | IN_MOVED_TO, on_change, tls)
		     : -ENOMEM;

	free(copy);
	return r < 0 ? r : 0;
}

int http_tls_open(sd_event *event, const char *cert_file, const char *key_file, struct http_tls **ret_tls)
{
	struct http_tls *tls = calloc(1, sizeof(*tls));
	int r;

	if (!tls)
		return -ENOMEM;
	tls->cert_file = cert_file;
	tls->key_file = key_file;
	r = load(tls);
	if (r == 0)
		r = sd_event_add_time_relative(event, &tls->timer, CLOCK_BOOTTIME, 0, 100000, on_settled, tls);
	if (r >= 0)
		r = sd_event_source_set_enabled(tls->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = watch(event, tls, cert_file, &tls->watches[0]);
	if (r >= 0)
		r = watch(event, tls, key_file, &tls->watches[1]);
	if (r < 0) {
		http_tls_close(tls);
		return r;
	}
	the_tls = tls;
	*ret_tls = tls;
	return 0;
}

void http_tls_close(struct http_tls *tls)
{
	if (!tls)
		return;
	the_tls = NULL;
	for (int i = 0; i < 2; i++)
		sd_event_source_disable_unref(tls->watches[i]);
	sd_event_source_disable_unref(tls->timer);
	for (int i = 0; i < GENERATIONS; i++)
		free_pair(tls->pairs[i]);
	free(tls);
}
