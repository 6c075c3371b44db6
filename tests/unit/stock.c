/* stock.c - a session, and the TLS library itself as its peer. */
#include "check.h"
#include "helpers.h"
#include "stock.h"

#include <errno.h>
#include <string.h>

static ssize_t stock_pull(gnutls_transport_ptr_t pointer, void *bytes, size_t length)
{
    struct stock *stock = pointer;
    size_t taken = buffer_take(&stock->in, bytes, length);

    if (taken)
        return (ssize_t)taken;
    gnutls_transport_set_errno(stock->tls, EAGAIN);
    return -1;
}

static ssize_t stock_push(gnutls_transport_ptr_t pointer, const void *bytes, size_t length)
{
    struct stock *stock = pointer;

    assert_true(buffer_append(&stock->out, bytes, length));
    return (ssize_t)length;
}

void stock_to_session(struct stock *stock)
{
    if (buffer_used(&stock->out))
        session_feed(stock->session, buffer_at(&stock->out), buffer_used(&stock->out));
    buffer_skip(&stock->out, buffer_used(&stock->out));
    if (session_advance(stock->session) == SESSION_VERDICT)
        session_accept(stock->session);
    session_advance(stock->session);
}

void stock_from_session(struct stock *stock)
{
    size_t length;
    const uint8_t *bytes = session_output(stock->session, &length);

    buffer_append(&stock->in, bytes, length);
    session_sent(stock->session, length);
}

void stock_open(struct stock *stock, enum role role, const char *version)
{
    int code = GNUTLS_E_AGAIN;

    memset(stock, 0, sizeof *stock);
    assert_int_equal(gnutls_init(&stock->tls, (role == ROLE_CLIENT ? GNUTLS_CLIENT : GNUTLS_SERVER) | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(&stock->credentials), 0);
    assert_true(gnutls_certificate_set_x509_key_file(stock->credentials, scratch_path("bob.pem"), scratch_path("bob.pem"), GNUTLS_X509_FMT_PEM) >= 0);
    gnutls_credentials_set(stock->tls, GNUTLS_CRD_CERTIFICATE, stock->credentials);
    assert_int_equal(gnutls_priority_set_direct(stock->tls, version, NULL), 0);
    gnutls_transport_set_ptr(stock->tls, stock);
    gnutls_transport_set_pull_function(stock->tls, stock_pull);
    gnutls_transport_set_push_function(stock->tls, stock_push);

    pair_init(&stock->pair);
    stock->pair.at[A].config.role.active = role == ROLE_SERVER;
    stock->session = session_new(&stock->pair.at[A].config, 0, &stock->pair.at[A].error);
    for (int i = 0; i < 10 && code == GNUTLS_E_AGAIN; i++) {
        stock_to_session(stock);
        stock_from_session(stock);
        code = gnutls_handshake(stock->tls);
    }
    assert_int_equal(code, 0);
    stock_to_session(stock);
    stock_from_session(stock);
    assert_int_equal(session_state(stock->session), SESSION_OPEN);
}

void stock_free(struct stock *stock)
{
    gnutls_deinit(stock->tls);
    gnutls_certificate_free_credentials(stock->credentials);
    buffer_free(&stock->in);
    buffer_free(&stock->out);
    session_free(stock->session);
    pair_free(&stock->pair);
}
