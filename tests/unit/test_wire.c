/* test_wire.c - a cursor that never leaves its bytes, and never recovers from having tried to. */
#include "check.h"
#include "hellos.h"
#include "wire.h"

#include <stdlib.h>

/* Every reader of the cursor, as one kind of function: how many bytes it took, as a number. */
static size_t u8(struct wire *wire)
{
    return wire_u8(wire);
}

static size_t u16(struct wire *wire)
{
    return wire_u16(wire);
}

static size_t u24(struct wire *wire)
{
    return wire_u24(wire);
}

static size_t take4(struct wire *wire)
{
    return wire_take(wire, 4).left;
}

static size_t take_all(struct wire *wire)
{
    return wire_take(wire, SIZE_MAX).left;
}

static size_t vector8(struct wire *wire)
{
    return wire_vector8(wire).left;
}

static size_t vector16(struct wire *wire)
{
    return wire_vector16(wire).left;
}

static const struct reader {
    const char *name;
    size_t (*read)(struct wire *wire);
    const char *bytes; /* exactly what it needs, ... */
    size_t length;
    size_t value;      /* ... and what it then gives */
} readers[] = {
    {"u8", u8, "\xfe", 1, 0xfe},
    {"u16", u16, "\xfe\xdc", 2, 0xfedc},
    {"u24", u24, "\xfe\xdc\xba", 3, 0xfedcba},
    {"take", take4, "abcd", 4, 4},
    {"empty vector8", vector8, "\0", 1, 0},
    {"vector8", vector8, "\3abc", 4, 3},
    {"empty vector16", vector16, "\0\0", 2, 0},
    {"vector16", vector16, "\0\3abc", 5, 3},
};

static void test_exactly_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(readers); i++) {
        const struct reader *reader = &readers[i];
        uint8_t *bytes = hellos_exactly((const uint8_t *)reader->bytes, reader->length);
        struct wire wire = wire_from(bytes, reader->length);

        check_row(!wire_done(&wire), "%s", reader->name);
        check_row(reader->read(&wire) == reader->value, "%s", reader->name);
        check_row(!wire.failed && wire_done(&wire), "%s", reader->name);
        check_row(wire.at == bytes + reader->length, "%s", reader->name);
        free(bytes);
    }
}

static void test_cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(readers); i++) {
        for (size_t length = 0; length < readers[i].length; length++) {
            uint8_t *bytes = hellos_exactly((const uint8_t *)readers[i].bytes, length);
            struct wire wire = wire_from(bytes, length);

            check_row(readers[i].read(&wire) == 0, "%s of %zu bytes", readers[i].name, length);
            check_row(wire.failed && !wire_done(&wire), "%s of %zu bytes", readers[i].name, length);
            free(bytes);
        }
    }
}

/* Whatever failed once gives zeros for ever, though bytes were left for something shorter. */
static void test_failed_stays_failed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(readers); i++) {
        const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
        struct wire wire = wire_from(bytes, sizeof bytes);

        assert_int_equal(take_all(&wire), 0);
        assert_true(wire.failed);
        assert_true(wire_take(&wire, 0).failed);
        check_row(readers[i].read(&wire) == 0, "%s", readers[i].name);
        check_row(wire.failed && wire.left == 0 && !wire_done(&wire), "%s", readers[i].name);
    }
}

static void test_parts(void **state)
{
    const uint8_t bytes[] = {0, 3, 0xa, 0xb, 0xc, 0xd};
    struct wire wire = wire_from(bytes, sizeof bytes);
    struct wire part = wire_vector16(&wire);
    struct wire none;

    (void)state;
    assert_int_equal(wire_u8(&part), 0xa);
    assert_int_equal(wire_u16(&part), 0xb0c);
    assert_true(wire_done(&part));
    assert_int_equal(wire_u8(&part), 0); /* its own end, though the whole goes on */
    assert_true(part.failed);
    assert_false(wire.failed);
    assert_int_equal(wire_u8(&wire), 0xd);
    assert_true(wire_done(&wire));

    none = wire_take(&wire, 0);
    assert_true(wire_done(&none));
    none = wire_take(&wire, 1);
    assert_true(none.failed); /* of a cursor that fails the part has failed, too */
    assert_int_equal(wire_u24(&none), 0);
}

/* A vector that promises more than there is takes nothing. */
static void test_lying_vector(void **state)
{
    const uint8_t bytes[] = {0, 4, 1, 2, 3};
    struct wire wire = wire_from(bytes, sizeof bytes);

    (void)state;
    assert_true(wire_vector16(&wire).failed);
    assert_true(wire.failed);
    wire = wire_from(bytes + 1, 4);
    assert_true(wire_vector8(&wire).failed);
    assert_true(wire.failed);
}

static void test_nothing(void **state)
{
    struct wire wire = wire_from(NULL, 0);

    (void)state;
    assert_true(wire_done(&wire));
    assert_int_equal(wire_u24(&wire), 0);
    assert_true(wire.failed);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exactly_there), cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_failed_stays_failed), cmocka_unit_test(test_parts),
        cmocka_unit_test(test_lying_vector), cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
