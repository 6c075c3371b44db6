/* role_story.c - why no roles came out, for the user: the sentence and the exit status. */
#include "role.h"
#include "role_alert.h"
#include "text.h"

#include <stdio.h>

enum { EXCERPT_SIZE = 48 };

enum status role_status(const struct role_stream *stream)
{
    switch (stream->reason) {
    case ROLE_REASON_NONE:
        return STATUS_OK;
    case ROLE_REASON_TIE:
    case ROLE_REASON_PLAIN_CLIENT:
    case ROLE_REASON_CLIENT_UNWANTED:
    case ROLE_REASON_SERVER_UNWANTED:
    case ROLE_REASON_TWO_CLIENTS:
        return STATUS_ROLE;
    case ROLE_REASON_SILENT_END:
        return STATUS_NETWORK;
    case ROLE_REASON_ALERT:
        return role_alert_rejects_identity(stream->peer_alert) ? STATUS_REFUSED : STATUS_TLS;
    case ROLE_REASON_MEMORY:
        return STATUS_LOCAL;
    default:
        return STATUS_TLS;
    }
}

static void tell_tie(const struct role_stream *stream, char *text, size_t size)
{
    switch (stream->config.want) {
    case ROLE_WANT_CLIENT:
        snprintf(text, size,
                 "both ends insist on being the TLS client (--role client, or --no-identity, which implies it); one of "
                 "them has to give way");
        break;
    case ROLE_WANT_SERVER:
        snprintf(text, size, "both ends insist on being the TLS server (--role server); one of them has to give way");
        break;
    default:
        snprintf(text, size,
                 "the peer's role_preference is our own, byte for byte: we are talking to ourselves, to somebody who "
                 "sends back what we send, or both ends were given the same --role-preference");
    }
}

static void tell_client_unwanted(const struct role_stream *stream, char *text, size_t size)
{
    if (stream->config.symmetric == ROLE_SYMMETRIC_REQUIRE)
        snprintf(text, size,
                 "the peer speaks plain TLS as a client, and --symmetric require (--both implies it) accepts "
                 "symmetric peers only; --symmetric allow%s would serve it",
                 stream->said_hello ? " --hello wait" : "");
    else
        snprintf(text, size,
                 "the peer speaks plain TLS as a client, and we insist on being the client (--role client, or "
                 "--no-identity, which implies it)");
}

static void tell_server_unwanted(const struct role_stream *stream, char *text, size_t size)
{
    if (stream->config.symmetric == ROLE_SYMMETRIC_REQUIRE)
        snprintf(text, size,
                 "the peer is a plain TLS server, and --symmetric require (--both implies it) accepts symmetric "
                 "peers only; --symmetric allow would use it");
    else
        snprintf(text, size, "the peer is a plain TLS server, and we insist on being the server (--role server)");
}

static void tell_alert(const struct role_stream *stream, char *text, size_t size)
{
    const char *meaning = role_alert_meaning(stream->peer_alert);

    snprintf(text, size, "the peer ended the handshake with alert %d, %s%s%s", stream->peer_alert,
             role_alert_name(stream->peer_alert), meaning ? ": " : "", meaning ? meaning : "");
}

void role_story(const struct role_stream *stream, char *text, size_t size)
{
    char excerpt[EXCERPT_SIZE];

    switch (stream->reason) {
    case ROLE_REASON_NONE:
        snprintf(text, size, "nothing is wrong");
        break;
    case ROLE_REASON_TIE:
        tell_tie(stream, text, size);
        break;
    case ROLE_REASON_PLAIN_CLIENT:
        snprintf(text, size, "the peer speaks plain TLS as a client, as we did; --hello wait would serve it");
        break;
    case ROLE_REASON_CLIENT_UNWANTED:
        tell_client_unwanted(stream, text, size);
        break;
    case ROLE_REASON_SERVER_UNWANTED:
        tell_server_unwanted(stream, text, size);
        break;
    case ROLE_REASON_TWO_CLIENTS:
        snprintf(text, size,
                 "the peer began as a TLS client, as we did with --symmetric never; without that option we would "
                 "have found out who is who");
        break;
    case ROLE_REASON_TWO_SERVERS:
        snprintf(text, size, "the peer sent a ServerHello in answer to a ClientHello that we never sent");
        break;
    case ROLE_REASON_BAD_PREFERENCE:
        snprintf(text, size,
                 "the peer's role_preference is malformed: it has to be 1 to 32 printable characters, once");
        break;
    case ROLE_REASON_BAD_HELLO:
        snprintf(text, size, "the peer's ClientHello is malformed");
        break;
    case ROLE_REASON_HELLO_TOO_LARGE:
        snprintf(text, size, "the peer's ClientHello is larger than 64 KiB");
        break;
    case ROLE_REASON_RECORD_TOO_LONG:
        snprintf(text, size, "the peer's first TLS record is longer than a record can be");
        break;
    case ROLE_REASON_UNEXPECTED:
        snprintf(text, size, "the peer's first TLS message is neither a ClientHello nor a ServerHello");
        break;
    case ROLE_REASON_ALERT:
        tell_alert(stream, text, size);
        break;
    case ROLE_REASON_HTTP:
        snprintf(text, size, "the peer speaks HTTP without TLS");
        break;
    case ROLE_REASON_SSH:
        snprintf(text, size, "the peer speaks SSH, not TLS");
        break;
    case ROLE_REASON_SSLV2:
        snprintf(text, size, "the peer begins with an SSLv2 hello; TLS 1.2 is the oldest that is spoken here");
        break;
    case ROLE_REASON_NOT_TLS: {
        const size_t used = buffer_used(&stream->raw);

        text_escape(excerpt, sizeof excerpt, buffer_at(&stream->raw), used < EXCERPT_SIZE ? used : EXCERPT_SIZE);
        snprintf(text, size, "the peer does not speak TLS; it begins with \"%s\"", excerpt);
        break;
    }
    case ROLE_REASON_SILENT_END:
        snprintf(text, size, "the peer closed the connection without a word");
        break;
    case ROLE_REASON_CUT:
        snprintf(text, size, "the peer closed the connection in the middle of its first message");
        break;
    case ROLE_REASON_MEMORY:
        snprintf(text, size, "out of memory");
        break;
    }
}
