/* test_dtls.c - records and fragments in a datagram, whole, cut and lying, and messages put together again. */
#include "check.h"
#include "dtls.h"
#include "hellos_dtls.h"
#include "helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Records ---- */

static const struct {
    uint8_t type;
    uint64_t number; /* with the epoch */
    const char *body;
    size_t length;
} records[] = {
    {DTLS_HANDSHAKE, 0, "hello", 5},
    {DTLS_ALERT, 0xfffefdfcfbfa, "\2\50", 2},
    {DTLS_APPLICATION_DATA, 0x0001000000000007, "", 0},
    {DTLS_CHANGE_CIPHER_SPEC, 0xffffffffffffffff, "\1", 1},
};

/* All of them behind one another; `ends` has where each ends. */
static size_t make_records(uint8_t *out, size_t *ends)
{
    size_t length = 0;

    for (size_t i = 0; i < COUNT(records); i++) {
        length += hellos_dtls_record(out + length, records[i].type, records[i].number, records[i].body, records[i].length);
        ends[i] = length;
    }
    return length;
}

/* How many records there are before what is none. */
static size_t count_records(const uint8_t *bytes, size_t length)
{
    uint8_t *exactly = hellos_exactly(bytes, length);
    struct wire wire = wire_from(exactly, length);
    struct dtls_record record;
    size_t count = 0;

    while (dtls_next_record(&wire, &record))
        count++;
    free(exactly);
    return count;
}

static void test_records(void **state)
{
    uint8_t bytes[256];
    size_t ends[COUNT(records)], length = make_records(bytes, ends), start = 0;
    struct wire wire = wire_from(bytes, length);
    struct dtls_record record;

    (void)state;
    for (size_t i = 0; i < COUNT(records); start = ends[i++]) {
        check_row(dtls_next_record(&wire, &record), "record %zu", i);
        check_row(record.type == records[i].type, "record %zu", i);
        check_row(record.epoch == records[i].number >> 48, "record %zu", i);
        check_row(record.sequence == (records[i].number & 0xffffffffffff), "record %zu", i);
        check_row(record.whole.at == bytes + start && record.whole.left == ends[i] - start, "record %zu", i);
        check_row(record.body.left == records[i].length, "record %zu", i);
        check_row(memcmp(record.body.at, records[i].body, record.body.left) == 0, "record %zu", i);
        check_row(!record.body.failed && !record.whole.failed, "record %zu", i);
    }
    assert_false(dtls_next_record(&wire, &record));
    assert_true(wire_done(&wire));
}

static void test_records_cut(void **state)
{
    uint8_t bytes[256];
    size_t ends[COUNT(records)], length = make_records(bytes, ends);

    (void)state;
    for (size_t cut = 0; cut <= length; cut++) {
        size_t whole = 0;

        while (whole < COUNT(records) && ends[whole] <= cut)
            whole++;
        check_row(count_records(bytes, cut) == whole, "%zu bytes", cut);
    }
}

/* What a length says too little is the next record, and that is none. */
static void test_record_lengths_lie(void **state)
{
    uint8_t bytes[RECORD_HEADER + 20];

    (void)state;
    memset(bytes, 0xaa, sizeof bytes);
    for (size_t said = 0; said < 65536; said += said < 300 ? 1 : 97) {
        const uint8_t header[] = {DTLS_HANDSHAKE, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)(said >> 8), (uint8_t)said};

        memcpy(bytes, header, sizeof header);
        check_row(count_records(bytes, sizeof bytes) == (said <= 20), "%zu bytes said", said);
    }
}

/* DTLS 1.0, 1.2 and what comes after them; TLS and everything else is none. */
static void test_record_version(void **state)
{
    uint8_t bytes[256];
    size_t ends[COUNT(records)], length = make_records(bytes, ends);

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        bytes[ends[0] + 1] = (uint8_t)byte;
        check_row(count_records(bytes, length) == (byte == 254 ? COUNT(records) : 1), "major %u", byte);
        bytes[ends[0] + 1] = 254;
        bytes[ends[0] + 2] = (uint8_t)byte;
        check_row(count_records(bytes, length) == COUNT(records), "minor %u", byte);
    }
}

/* ---- Fragments ---- */

static void test_fragments(void **state)
{
    static const uint8_t message[70000] = "A message";
    const struct hellos_fragment fragments[] = {
        {1, 0, message, 9, 0, 9},     {2, 0xfedc, message, 9, 2, 7}, {3, 1, message, 9, 9, 0},
        {4, 2, message, 0, 0, 0},     {255, 3, message, 65000, 1, 1}, {16, 4, message, 0xfedcba, 0xfedc, 5},
    };
    uint8_t bytes[512];
    size_t length = 0;
    struct wire wire;
    struct dtls_fragment fragment;

    (void)state;
    for (size_t i = 0; i < COUNT(fragments); i++)
        length += hellos_dtls_fragment(bytes + length, &fragments[i]);
    wire = wire_from(bytes, length);
    for (size_t i = 0; i < COUNT(fragments); i++) {
        check_row(dtls_next_fragment(&wire, &fragment), "fragment %zu", i);
        check_row(fragment.type == fragments[i].type && fragment.message_seq == fragments[i].message_seq, "fragment %zu", i);
        check_row(fragment.size == fragments[i].size && fragment.offset == fragments[i].offset, "fragment %zu", i);
        check_row(fragment.body.left == fragments[i].length, "fragment %zu", i);
        check_row(memcmp(fragment.body.at, message + fragment.offset, fragment.body.left) == 0, "fragment %zu", i);
    }
    assert_false(dtls_next_fragment(&wire, &fragment));
    assert_true(wire_done(&wire));
}

static void test_fragments_cut(void **state)
{
    static const uint8_t message[20] = "message";
    const struct hellos_fragment one = {1, 0, message, 20, 3, 7};
    uint8_t bytes[64];
    size_t length = hellos_dtls_fragment(bytes, &one), both = length + hellos_dtls_fragment(bytes + length, &one);

    (void)state;
    for (size_t cut = 0; cut <= both; cut++) {
        uint8_t *exactly = hellos_exactly(bytes, cut);
        struct wire wire = wire_from(exactly, cut);
        struct dtls_fragment fragment;
        size_t count = 0;

        while (dtls_next_fragment(&wire, &fragment))
            count++;
        check_row(count == cut / length, "%zu bytes", cut);
        free(exactly);
    }
}

static void test_fragments_lie(void **state)
{
    static const struct {
        uint32_t size, offset, length;
        bool truth;
    } rows[] = {
        {20, 0, 20, true},        {20, 0, 21, false},        {20, 20, 0, true},          {20, 21, 0, false},
        {20, 1, 19, true},        {20, 1, 20, false},        {20, 0xffffff, 1, false},   {19, 0, 20, false},
        {0, 0, 0, true},          {0, 0, 1, false},          {0, 1, 0, false},           {0xffffff, 0xffffe0, 20, true},
        {0xffffff, 0, 0xffffff, false}, {0xffffff, 0, 30, true}, {0xffffff, 0, 31, false}, /* 30 bytes are there */
        {10, 0xfffff6, 20, false}, /* and not 10 by going round */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const uint32_t size = rows[i].size, offset = rows[i].offset, length = rows[i].length;
        const uint8_t bytes[FRAGMENT_HEADER + 30] = {
            1, (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size, 0, 0, (uint8_t)(offset >> 16),
            (uint8_t)(offset >> 8), (uint8_t)offset, (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
        uint8_t *exactly = hellos_exactly(bytes, sizeof bytes);
        struct wire wire = wire_from(exactly, sizeof bytes);
        struct dtls_fragment fragment;

        check_row(dtls_next_fragment(&wire, &fragment) == rows[i].truth, "row %zu", i);
        free(exactly);
    }
}

/* ---- Putting together ---- */

enum { SIZE = 60 };

static const uint8_t text[SIZE + 1] = "Whoever comes in pieces is one again when all of them came.!";

static bool give(struct dtls_assembly *assembly, const uint8_t *message, size_t offset, size_t length)
{
    uint8_t *exactly = hellos_exactly(message + offset, length);
    const struct dtls_fragment fragment = {
        .type = 1, .size = SIZE, .message_seq = 3, .offset = (uint32_t)offset, .body = wire_from(exactly, length)};
    bool whole = dtls_assemble(assembly, &fragment);

    free(exactly);
    return whole;
}

static bool is_text(const struct dtls_assembly *assembly)
{
    return assembly->size == SIZE && assembly->missing == 0 && assembly->message_seq == 3 &&
           buffer_used(&assembly->bytes) == SIZE && memcmp(buffer_at(&assembly->bytes), text, SIZE) == 0;
}

/* One of four. */
static bool give_piece(struct dtls_assembly *assembly, unsigned piece)
{
    static const size_t starts[] = {0, 1, 20, 59, SIZE};

    return give(assembly, text, starts[piece], starts[piece + 1] - starts[piece]);
}

/* In each of 24 orders, once and twice; it is whole with the last, and with what is repeated after it. */
static void test_all_orders(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 256; order++)
        for (int doubled = 0; doubled < 2; doubled++) {
            const unsigned turns[] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6};
            struct dtls_assembly assembly = {0};

            if ((1U << turns[0] | 1U << turns[1] | 1U << turns[2] | 1U << turns[3]) != 15)
                continue;
            for (unsigned i = 0; i < 4; i++)
                for (int again = 0; again <= doubled; again++)
                    check_row(give_piece(&assembly, turns[i]) == (i == 3), "order %u, piece %u", order, i);
            check_row(is_text(&assembly), "order %u", order);
            check_row(give(&assembly, text, 0, 10) && is_text(&assembly), "order %u", order);
            dtls_assembly_free(&assembly);
            check_row(assembly.size == 0 && !assembly.bytes.bytes && !assembly.there.bytes, "order %u", order);
        }
}

static void test_every_split(void **state)
{
    (void)state;
    for (size_t split = 0; split <= SIZE; split++)
        for (int later_first = 0; later_first < 2; later_first++) {
            struct dtls_assembly assembly = {0};
            const size_t starts[] = {0, split}, lengths[] = {split, SIZE - split};
            bool at_once = lengths[later_first] == SIZE;

            check_row(give(&assembly, text, starts[later_first], lengths[later_first]) == at_once, "%zu", split);
            check_row(give(&assembly, text, starts[!later_first], lengths[!later_first]), "%zu", split);
            check_row(is_text(&assembly), "%zu", split);
            dtls_assembly_free(&assembly);
        }
}

/* Pieces from anywhere to anywhere: whole exactly when each byte has come. */
static void test_overlaps(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (unsigned run = 0; run < 1000; run += (unsigned)stride(20)) {
        struct dtls_assembly assembly = {0};
        bool come[SIZE] = {false};
        size_t missing = SIZE;

        for (unsigned i = 0; missing && i < 10000; i++) {
            size_t offset = next_random(&random) % (SIZE + 1), length = next_random(&random) % (SIZE - offset + 1);
            bool whole = give(&assembly, text, offset, length);

            for (size_t at = offset; at < offset + length; at++) {
                missing -= !come[at];
                come[at] = true;
            }
            check_row(whole == (missing == 0), "run %u", run);
            check_row(assembly.missing == missing, "run %u", run);
        }
        check_row(is_text(&assembly), "run %u", run);
        dtls_assembly_free(&assembly);
    }
}

static void test_contradiction_begins_anew(void **state)
{
    (void)state;
    for (size_t changed = 0; changed < SIZE; changed++) {
        struct dtls_assembly assembly = {0};
        uint8_t other[SIZE];

        memcpy(other, text, SIZE);
        other[changed] ^= 1;
        assert_false(give(&assembly, other, 0, 40));
        check_row(give(&assembly, text, 20, 40) == (changed < 20 || changed >= 40), "byte %zu", changed);
        if (changed < 20) { /* nobody can tell */
            check_row(!is_text(&assembly), "byte %zu", changed);
        } else if (changed < 40) { /* nothing is left of what came first */
            check_row(assembly.missing == 20, "byte %zu", changed);
            check_row(give(&assembly, text, 0, 20) && is_text(&assembly), "byte %zu", changed);
        } else {
            check_row(is_text(&assembly), "byte %zu", changed);
        }
        dtls_assembly_free(&assembly);
    }
}

/* A message of another size or number is another message, whole or not. */
static void test_another_message_begins_anew(void **state)
{
    static const struct dtls_fragment others[] = {
        {.type = 1, .size = SIZE - 1, .message_seq = 3, .body = {.at = text, .left = 20}},
        {.type = 1, .size = SIZE + 1, .message_seq = 3, .body = {.at = text, .left = 20}},
        {.type = 1, .size = SIZE, .message_seq = 4, .body = {.at = text, .left = 20}},
        {.type = 1, .size = SIZE, .message_seq = 0x0103, .body = {.at = text, .left = 20}},
        {.type = 1, .size = SIZE, .message_seq = 2},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        for (size_t had = 20; had <= SIZE; had += 20) {
            struct dtls_assembly assembly = {0};

            assert_true(give(&assembly, text, 0, had) == (had == SIZE));
            check_row(!dtls_assemble(&assembly, &others[i]), "row %zu", i);
            check_row(assembly.size == others[i].size && assembly.message_seq == others[i].message_seq, "row %zu", i);
            check_row(assembly.missing == others[i].size - others[i].body.left, "row %zu", i);
            check_row(!give(&assembly, text, 20, 40), "row %zu", i);
            check_row(give(&assembly, text, 0, 20) && is_text(&assembly), "row %zu", i);
            dtls_assembly_free(&assembly);
        }
}

static void test_too_large(void **state)
{
    static const uint8_t zeros[DTLS_MESSAGE_MAX + 1];
    struct dtls_fragment fragment = {.type = 1, .size = DTLS_MESSAGE_MAX, .body = wire_from(zeros, DTLS_MESSAGE_MAX)};
    struct dtls_assembly assembly = {0};

    (void)state;
    assert_true(dtls_assemble(&assembly, &fragment));
    assert_int_equal(buffer_used(&assembly.bytes), DTLS_MESSAGE_MAX);
    fragment.size = DTLS_MESSAGE_MAX + 1;
    fragment.body = wire_from(zeros, DTLS_MESSAGE_MAX + 1);
    assert_false(dtls_assemble(&assembly, &fragment));
    fragment.size = 0xffffff;
    fragment.offset = 0xfffff0;
    fragment.body = wire_from(zeros, 15);
    assert_false(dtls_assemble(&assembly, &fragment));
    assert_true(assembly.bytes.capacity + assembly.there.capacity <= (size_t)4 * DTLS_MESSAGE_MAX); /* nor room for it */
    assert_true(give(&assembly, text, 0, SIZE) && is_text(&assembly));
    dtls_assembly_free(&assembly);
}

static void test_size_zero(void **state)
{
    const struct dtls_fragment nothing = {.type = 1, .message_seq = 3};
    struct dtls_assembly assembly = {0};

    (void)state;
    assert_false(dtls_assemble(&assembly, &nothing));
    assert_false(give(&assembly, text, 0, 20));
    assert_false(dtls_assemble(&assembly, &nothing));
    assert_true(give(&assembly, text, 20, 40) && is_text(&assembly));
    assert_false(dtls_assemble(&assembly, &nothing)); /* a hello of no bytes is none, even now */
    dtls_assembly_free(&assembly);
}

/* ---- Writing ---- */

static void test_whole_record(void **state)
{
    static const uint8_t expected[RECORD_HEADER + FRAGMENT_HEADER] = {
        22, 254, 253, 0, 0, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, 0, FRAGMENT_HEADER + SIZE, /* the record's, ... */
        1,  0,   0,   SIZE, 0, 3, 0, 0, 0, 0, 0, SIZE};                                    /* ... the message's */
    struct dtls_assembly assembly = {0};
    struct buffer datagram = {0};

    (void)state;
    assert_true(give(&assembly, text, 0, SIZE));
    assert_true(buffer_append(&datagram, "ahead", 5));
    assert_true(dtls_whole_record(&assembly, 1, 0xfafbfcfdfeff, &datagram));
    assert_int_equal(buffer_used(&datagram), 5 + sizeof expected + SIZE);
    assert_memory_equal(buffer_at(&datagram), "ahead", 5);
    assert_memory_equal(buffer_at(&datagram) + 5, expected, sizeof expected);
    assert_memory_equal(buffer_at(&datagram) + 5 + sizeof expected, text, SIZE);
    assert_true(is_text(&assembly));
    buffer_free(&datagram);
    dtls_assembly_free(&assembly);
}

/* The largest fits the length fields, and reads as what it was. */
static void test_largest_whole_record(void **state)
{
    static uint8_t message[DTLS_MESSAGE_MAX];
    const struct dtls_fragment fragment = {
        .type = 1, .size = sizeof message, .message_seq = 0xfedc, .body = wire_from(message, sizeof message)};
    struct dtls_assembly assembly = {0};
    struct buffer datagram = {0};
    struct dtls_fragment read;
    struct dtls_record record;
    struct wire wire;

    (void)state;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i % 251);
    assert_true(dtls_assemble(&assembly, &fragment));
    assert_true(dtls_whole_record(&assembly, 7, 9, &datagram));
    wire = wire_from(buffer_at(&datagram), buffer_used(&datagram));
    assert_true(dtls_next_record(&wire, &record) && wire_done(&wire));
    assert_int_equal(record.sequence, 9);
    assert_true(dtls_next_fragment(&record.body, &read) && wire_done(&record.body));
    assert_true(read.type == 7 && read.message_seq == 0xfedc && read.size == sizeof message && read.offset == 0);
    assert_int_equal(read.body.left, sizeof message);
    assert_memory_equal(read.body.at, message, sizeof message);
    buffer_free(&datagram);
    dtls_assembly_free(&assembly);
}

static void test_alert_record(void **state)
{
    static const uint8_t expected[] = {21, 254, 253, 0, 0, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0xff, 0, 2, 2, 40};
    uint8_t record[DTLS_ALERT_RECORD_SIZE];

    (void)state;
    dtls_alert_record(record, 0xfafbfcfdfeff, 40);
    assert_int_equal(sizeof expected, sizeof record);
    assert_memory_equal(record, expected, sizeof record);
}

/* Nothing but the numbers changes, and nothing behind what is no record any more. */
static void test_renumber(void **state)
{
    static const uint64_t firsts[] = {0, 1, 0xfe, 0xfafbfcfdfe, 0xfffffffffff0};

    (void)state;
    for (size_t first = 0; first < COUNT(firsts); first++)
        for (size_t behind = 0; behind < 40; behind++) {
            uint8_t bytes[256], expected[256];
            size_t ends[COUNT(records)], length = make_records(bytes, ends), start = 0;
            uint64_t sequence = firsts[first];
            uint8_t *exactly;

            memset(bytes + length, 22, behind);
            memcpy(expected, bytes, length + behind);
            for (size_t i = 0; i < COUNT(records); start = ends[i++])
                for (unsigned byte = 0; byte < 6; byte++)
                    expected[start + 5 + byte] = (uint8_t)((firsts[first] + i) >> (40 - 8 * byte));
            exactly = hellos_exactly(bytes, length + behind);
            dtls_renumber(exactly, length + behind, &sequence);
            check_row(sequence == firsts[first] + COUNT(records), "from row %zu, %zu behind", first, behind);
            check_row(memcmp(exactly, expected, length + behind) == 0, "from row %zu, %zu behind", first, behind);
            free(exactly);
        }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_records_cut),
        cmocka_unit_test(test_record_lengths_lie),
        cmocka_unit_test(test_record_version),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_fragments_cut),
        cmocka_unit_test(test_fragments_lie),
        cmocka_unit_test(test_all_orders),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_contradiction_begins_anew),
        cmocka_unit_test(test_another_message_begins_anew),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_size_zero),
        cmocka_unit_test(test_whole_record),
        cmocka_unit_test(test_largest_whole_record),
        cmocka_unit_test(test_alert_record),
        cmocka_unit_test(test_renumber),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
