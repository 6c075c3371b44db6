/* fuzz_role.c - anything arrives on a stream, in any pieces, for any configuration.
 *
 * The first byte is the configuration, the second the size of the pieces (0: all at once); the rest
 * is what arrives. */
#include "fuzzing.h"
#include "../unit/hellos.h"

#include <stdlib.h>
#include <string.h>

static void give_hello(struct role_stream *stream)
{
    const struct hellos hellos = hellos_ours(&stream->config, 'U');
    uint8_t record[512];

    must(role_our_hello(stream, record, hellos_make(record, &hellos)));
    must(stream->step == ROLE_STEP_MORE);
}

/* Returns how many bytes it wanted to see. */
static size_t play(struct role_stream *stream, const struct role_config *config, const uint8_t *bytes, size_t length,
                   size_t piece)
{
    size_t fed = 0;
    unsigned asked = 0;

    role_init(stream, config);
    for (;;) {
        size_t size = length - fed < piece ? length - fed : piece;

        if (stream->step == ROLE_STEP_HELLO) {
            must(++asked == 1);
            give_hello(stream);
            role_next(stream);
        }
        if (stream->step != ROLE_STEP_MORE || fed == length)
            break;
        role_feed(stream, bytes + fed, size);
        fed += size;
    }
    if (stream->step == ROLE_STEP_MORE)
        role_end(stream);
    return fed;
}

/* The bodies of records, joined; the last record may be cut. */
static size_t join(uint8_t *out, const uint8_t *records, size_t length)
{
    size_t joined = 0;

    while (length > 5) {
        size_t size = (size_t)records[3] << 8 | records[4];

        if (size > length - 5)
            size = length - 5;
        memcpy(out + joined, records + 5, size);
        joined += size;
        records += 5 + size;
        length -= 5 + size;
    }
    return joined;
}

/* A client's input is the peer's less its ClientHello; everybody else's is the peer's. */
static void check_rest(const struct role_stream *stream, const uint8_t *bytes, size_t length)
{
    struct buffer rest = {0};

    must(role_rest(stream, &rest));
    if (stream->step == ROLE_STEP_SERVER || !stream->symmetric) {
        must(buffer_used(&rest) == length && memcmp(buffer_at(&rest), bytes, length) == 0);
    } else {
        uint8_t *whole = malloc(length), *kept = malloc(length);
        size_t whole_length = join(whole, bytes, length);
        size_t kept_length = buffer_used(&rest) ? join(kept, buffer_at(&rest), buffer_used(&rest)) : 0;
        size_t struck = ((size_t)whole[1] << 16 | (size_t)whole[2] << 8 | whole[3]) + 4;

        must(whole[0] == HANDSHAKE_CLIENT_HELLO);
        must(whole_length == struck + kept_length);
        must(memcmp(whole + struck, kept, kept_length) == 0);
        free(whole);
        free(kept);
    }
    buffer_free(&rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct role_config config;
    struct role_stream stream, whole;
    size_t fed;

    if (length < 2)
        return 0;
    config = config_of(bytes[0]);
    fed = play(&stream, &config, bytes + 2, length - 2, bytes[1] ? bytes[1] : SIZE_MAX);
    if (stream.step == ROLE_STEP_REFUSE)
        check_refusal(&stream);
    else
        check_rest(&stream, bytes + 2, fed);

    /* How the bytes are cut changes nothing. */
    play(&whole, &config, bytes + 2, length - 2, SIZE_MAX);
    must(whole.step == stream.step && whole.reason == stream.reason && whole.alert == stream.alert);
    must(whole.symmetric == stream.symmetric && whole.decided_by == stream.decided_by);
    must(role_preference_compare(&whole.peer, &stream.peer) == 0);
    role_free(&stream);
    role_free(&whole);
    return 0;
}
