/* HTTPS: the certificate and its key, read anew when the files change. Alone with secret.c knows GnuTLS. */
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <systemd/sd-event.h>

/* TLS 1.2 and newer, ciphers with forward secrecy. */
#define HTTP_TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:%SERVER_PRECEDENCE"

struct http_tls;

/* Reads both (PEM; the certificate with its chain). -EKEYREJECTED: told in the log. One at a time. */
int http_tls_open(sd_event *event, const char *cert_file, const char *key_file, struct http_tls **ret_tls);
void http_tls_close(struct http_tls *tls);

/* What libmicrohttpd asks at each handshake (gnutls_certificate_retrieve_function2). */
int http_tls_choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
		    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_certs,
		    unsigned *ret_cert_count, gnutls_privkey_t *ret_key);
