/* fuzz_door.c - anything knocks at the door of a datagram listener.
 *
 * It opens only to a cookie of its own, from where it was sent to. What it says is never longer than what it was asked, and
 * it says nothing to what is no hello. */
#include "dtls.h"
#include "fuzzing.h"
#include "hello.h"
#include "session.h"

#include <string.h>

enum { COOKIE_LENGTH_AT = 13 + 12 + 2 + HELLO_RANDOM_SIZE + 1 /* and the session id */ };

/* Keys that are the same each time, so that a cookie in the corpus stays good. */
static struct session_door door_of(uint8_t key)
{
    struct session_door door;

    memset(door.key, key, sizeof door.key);
    return door;
}

static enum session_door_verdict judge(uint8_t key, const char *who, const uint8_t *bytes, size_t length, uint8_t *answer,
                                       size_t *answer_length)
{
    struct session_door door = door_of(key);
    enum session_door_verdict verdict = session_door_judge(&door, who, bytes, length, answer, answer_length);

    must(*answer_length <= length && *answer_length <= SESSION_DOOR_ANSWER_MAX);
    must((*answer_length > 0) == (verdict == SESSION_DOOR_ANSWER));
    return verdict;
}

/* A datagram that begins with a ClientHello in the clear, as far as its cookie at least. */
static bool is_hello(const uint8_t *bytes, size_t length)
{
    struct wire wire = wire_from(bytes, length);
    struct dtls_record record;
    struct dtls_fragment fragment;
    size_t cookie_length;

    return dtls_next_record(&wire, &record) && record.type == DTLS_HANDSHAKE && record.epoch == 0 &&
           dtls_next_fragment(&record.body, &fragment) && fragment.type == HANDSHAKE_CLIENT_HELLO && fragment.offset == 0 &&
           hello_read_cookie(fragment.body.at, fragment.body.left, &cookie_length);
}

/* The cookie in a HelloVerifyRequest, which is all that the door ever says. */
static struct wire cookie_of(const uint8_t *answer, size_t length)
{
    struct wire wire = wire_from(answer, length), cookie;
    struct dtls_record record;
    struct dtls_fragment fragment;

    must(dtls_next_record(&wire, &record) && wire_done(&wire));
    must(record.type == DTLS_HANDSHAKE && record.epoch == 0);
    must(dtls_next_fragment(&record.body, &fragment) && wire_done(&record.body));
    must(fragment.type == HANDSHAKE_HELLO_VERIFY_REQUEST && fragment.body.left == fragment.size);
    wire_u16(&fragment.body);
    cookie = wire_vector8(&fragment.body);
    must(wire_done(&fragment.body) && cookie.left > 0);
    return cookie;
}

static void put(uint8_t *at, size_t width, size_t number)
{
    while (width--)
        *at++ = (uint8_t)(number >> 8 * width);
}

static size_t get(const uint8_t *at)
{
    return (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];
}

/* The same fragment of a hello with that cookie in the place of its own, and nothing behind it. 0: it gets too long, or ends
 * with the cookie: GnuTLS wants to see one byte more. */
static size_t with_cookie(uint8_t *out, size_t room, const uint8_t *hello, struct wire cookie)
{
    size_t cookie_at = COOKIE_LENGTH_AT + hello[COOKIE_LENGTH_AT - 1];
    size_t behind = cookie_at + 1 + hello[cookie_at];
    size_t left = 25 + get(hello + 22) - behind;
    size_t length = cookie_at + 1 + cookie.left + left;
    size_t size = get(hello + 14) - hello[cookie_at] + cookie.left;

    if (length > room || size > 0xffffff || left == 0)
        return 0;
    memcpy(out, hello, cookie_at);
    out[cookie_at] = (uint8_t)cookie.left;
    memcpy(out + cookie_at + 1, cookie.at, cookie.left);
    memcpy(out + cookie_at + 1 + cookie.left, hello + behind, left);
    put(out + 11, 2, length - 13);
    put(out + 14, 3, size);
    put(out + 22, 3, length - 25);
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    uint8_t answer[SESSION_DOOR_ANSWER_MAX], other[SESSION_DOOR_ANSWER_MAX];
    static uint8_t again[4096];
    enum session_door_verdict verdict;
    size_t answer_length, other_length, again_length;
    struct wire cookie;

    verdict = judge('k', "192.0.2.1:5000", bytes, length, answer, &answer_length);
    must((verdict != SESSION_DOOR_IGNORE) == is_hello(bytes, length));
    if (verdict == SESSION_DOOR_OPEN) { /* another door, or another address, sends it away */
        must(judge('K', "192.0.2.1:5000", bytes, length, other, &other_length) != SESSION_DOOR_OPEN);
        must(judge('k', "192.0.2.1:5001", bytes, length, other, &other_length) != SESSION_DOOR_OPEN);
        must(judge('k', "192.0.2.1:500", bytes, length, other, &other_length) != SESSION_DOOR_OPEN);
    }
    if (verdict != SESSION_DOOR_ANSWER)
        return 0;
    cookie = cookie_of(answer, answer_length);
    again_length = with_cookie(again, sizeof again, bytes, cookie);
    if (!again_length)
        return 0;
    must(judge('k', "192.0.2.1:5000", again, again_length, other, &other_length) == SESSION_DOOR_OPEN);
    must(judge('k', "192.0.2.1:5001", again, again_length, other, &other_length) == SESSION_DOOR_ANSWER);
    must(judge('K', "192.0.2.1:5000", again, again_length, other, &other_length) == SESSION_DOOR_ANSWER);
    for (size_t i = 0; i < cookie.left; i++) { /* nor does it like the cookie with a bit changed */
        uint8_t *at = again + COOKIE_LENGTH_AT + again[COOKIE_LENGTH_AT - 1] + 1;

        at[i] ^= 1;
        must(judge('k', "192.0.2.1:5000", again, again_length, other, &other_length) != SESSION_DOOR_OPEN);
        at[i] ^= 1;
    }
    return 0;
}
