/* fuzz_trace.c - what --trace makes of anything: few fields, printable ASCII, lines that are no wider than they may be, and records
 * that are the same however the bytes of a stream come. */
#include "fuzzing.h"
#include "trace_message.h"
#include "trace_row.h"
#include "trace_wire.h"

#include <string.h>

static void check_words(const char *words, size_t most)
{
    size_t length = strlen(words);

    must(length < most);
    for (size_t i = 0; i < length; i++)
        must(words[i] >= 0x20 && words[i] < 0x7f);
}

static void check_lines(const struct buffer *lines, size_t width)
{
    size_t column = 0;

    for (size_t i = 0; i < buffer_used(lines); i++) {
        column = buffer_at(lines)[i] == '\n' ? 0 : column + 1;
        must(column <= width);
    }
    must(column == 0);
}

static void check_message(uint8_t type, uint8_t bits, const uint8_t *body, size_t length)
{
    static const uint16_t versions[] = {0, 0x0303, 0x0304, 0xfefd}, suites[] = {0xc02c, 0xc035, 0x009e, 0x1301};
    static struct trace_message message;
    struct trace_context context = {.datagrams = bits & 1,
                                    .extension_id = HELLO_EXTENSION_ID,
                                    .items_max = bits & 2 ? 4 : 64,
                                    .version = versions[bits >> 2 & 3],
                                    .suite = suites[bits >> 4 & 3]};
    struct wire certificates[3];
    size_t count = trace_message_certificates(bits & 4, body, length, certificates, bits >> 6);
    struct trace_style style = {.width = 20 + length % 101};
    struct buffer lines = {0};

    must(count <= bits >> 6);
    for (size_t i = 0; i < count; i++)
        must(certificates[i].at >= body && certificates[i].at + certificates[i].left <= body + length);
    trace_message_read(&message, &context, type, body, length);
    must(message.count <= TRACE_FIELDS_MAX);
    check_words(message.name, 32);
    for (size_t i = 0; i < message.count; i++) {
        check_words(message.fields[i].value, TRACE_FIELD_SIZE);
        must(trace_text_append(&lines, &style,
                               &(struct trace_row){.kind = TRACE_ROW_FIELD, .label = message.fields[i].label, .text = message.fields[i].value}));
    }
    check_lines(&lines, style.width);
    buffer_free(&lines);
}

/* The records of a stream: a sum over all that is said of them. */
static uint64_t records(const uint8_t *bytes, size_t length, size_t piece)
{
    struct trace_stream stream = {.have = 0};
    uint64_t sum = 0, all = 0;

    for (size_t at = 0; at < length; at += piece) {
        struct wire wire = wire_from(bytes + at, length - at < piece ? length - at : piece);
        struct trace_piece found;

        while (trace_stream_next(&stream, &wire, &found)) {
            all += found.bytes.left;
            if (found.begins)
                sum = sum * 31 + found.type + 256U * found.version + found.length * 65536U;
        }
        must(wire.left == 0);
    }
    must(all <= length && length - all < 5); /* but for the beginning of a header */
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 2)
        return 0;
    must(records(bytes, length, length) == records(bytes, length, 1 + bytes[0] % 7));
    check_message(bytes[0], bytes[1], bytes + 2, length - 2);
    return 0;
}
