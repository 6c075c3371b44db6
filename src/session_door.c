/* session_door.c - the door of a datagram listener: a stateless answer to whoever comes without a cookie. */
#include "session.h"
#include "dtls.h"
#include "hello.h"

#include <gnutls/crypto.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <string.h>

bool session_door_init(struct session_door *door)
{
    return gnutls_rnd(GNUTLS_RND_KEY, door->key, sizeof door->key) == 0;
}

/* GnuTLS wants to see one byte behind the cookie, and a first fragment may end there. */
static bool has_our_cookie(struct session_door *door, const char *who, const uint8_t *bytes, size_t length)
{
    gnutls_datum_t key = {.data = door->key, .size = sizeof door->key};
    gnutls_dtls_prestate_st ignored;
    uint8_t head[512] = {0};

    if (length >= sizeof head)
        length = sizeof head - 1; /* all in front of the cookie and the longest one are less */
    memcpy(head, bytes, length);
    return gnutls_dtls_cookie_verify(&key, (void *)who, strlen(who), head, length + 1, &ignored) == 0;
}

struct answer {
    uint8_t *bytes;
    size_t length;
};

static ssize_t take_answer(gnutls_transport_ptr_t pointer, const void *bytes, size_t length)
{
    struct answer *answer = pointer;

    if (length > SESSION_DOOR_ANSWER_MAX)
        return -1;
    memcpy(answer->bytes, bytes, length);
    answer->length = length;
    return (ssize_t)length;
}

/* The beginning of a ClientHello: the cookie is in its first fragment, and the rest is for the session. */
static bool read_hello(const uint8_t *bytes, size_t length, struct dtls_record *record, size_t *cookie_length)
{
    struct wire wire = wire_from(bytes, length);
    struct dtls_fragment fragment;

    return dtls_next_record(&wire, record) && record->epoch == 0 && record->type == DTLS_HANDSHAKE &&
           dtls_next_fragment(&record->body, &fragment) && fragment.type == HANDSHAKE_CLIENT_HELLO &&
           fragment.offset == 0 && hello_read_cookie(fragment.body.at, fragment.body.left, cookie_length);
}

enum session_door_verdict session_door_judge(struct session_door *door, const char *who, const uint8_t *bytes, size_t length,
                                             uint8_t answer[SESSION_DOOR_ANSWER_MAX], size_t *answer_length)
{
    gnutls_datum_t key = {.data = door->key, .size = sizeof door->key};
    gnutls_dtls_prestate_st prestate;
    struct answer said = {.bytes = answer};
    struct dtls_record record;
    size_t cookie_length;

    *answer_length = 0;
    if (!read_hello(bytes, length, &record, &cookie_length))
        return SESSION_DOOR_IGNORE;
    if (cookie_length && has_our_cookie(door, who, bytes, length))
        return SESSION_DOOR_OPEN;
    prestate = (gnutls_dtls_prestate_st){.record_seq = (unsigned)(record.sequence & 0xff)};
    if (gnutls_dtls_cookie_send(&key, (void *)who, strlen(who), &prestate, &said, take_answer) < 0 || said.length > length)
        return SESSION_DOOR_IGNORE;
    *answer_length = said.length;
    return SESSION_DOOR_ANSWER;
}
