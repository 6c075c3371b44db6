/* test_datagrams.c - a queue of datagrams: in order, each with its own length, whatever is in them. */
#include "check.h"
#include "datagrams.h"
#include "helpers.h"

#include <string.h>

static void check_first(const struct buffer *queue, const void *bytes, size_t length)
{
    size_t size = 1;
    const uint8_t *first = datagrams_first(queue, &size);

    assert_non_null(first);
    assert_int_equal(size, length);
    assert_memory_equal(first, bytes, length);
}

static void check_empty(struct buffer *queue)
{
    size_t size = 1;

    assert_null(datagrams_first(queue, &size));
    assert_int_equal(size, 0);
    datagrams_drop_first(queue); /* nothing happens */
    assert_int_equal(buffer_used(queue), 0);
}

static void test_order(void **state)
{
    struct buffer queue = {0};

    (void)state;
    check_empty(&queue);
    assert_true(datagrams_append(&queue, "one", 3));
    assert_true(datagrams_append(&queue, "second", 6));
    check_first(&queue, "one", 3);
    check_first(&queue, "one", 3); /* looking changes nothing */
    datagrams_drop_first(&queue);
    check_first(&queue, "second", 6);
    assert_true(datagrams_append(&queue, "3", 1));
    datagrams_drop_first(&queue);
    check_first(&queue, "3", 1);
    datagrams_drop_first(&queue);
    check_empty(&queue);
    buffer_free(&queue);
}

/* UDP has empty ones, too: not the same as none. */
static void test_empty_datagrams(void **state)
{
    struct buffer queue = {0};

    (void)state;
    assert_true(datagrams_append(&queue, NULL, 0));
    assert_true(datagrams_append(&queue, "x", 1));
    assert_true(datagrams_append(&queue, "", 0));
    check_first(&queue, "", 0);
    datagrams_drop_first(&queue);
    check_first(&queue, "x", 1);
    datagrams_drop_first(&queue);
    check_first(&queue, "", 0);
    datagrams_drop_first(&queue);
    check_empty(&queue);
    buffer_free(&queue);
}

static void test_lengths(void **state)
{
    static const size_t lengths[] = {1, 254, 255, 256, 257, 511, 512, 1400, 16384, 32767, 32768, 65279, 65280, DATAGRAM_MAX};
    static uint8_t bytes[DATAGRAM_MAX];
    struct buffer queue = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 253);
    for (size_t i = 0; i < COUNT(lengths); i++)
        assert_true(datagrams_append(&queue, bytes + sizeof bytes - lengths[i], lengths[i]));
    for (size_t i = 0; i < COUNT(lengths); i++) {
        check_first(&queue, bytes + sizeof bytes - lengths[i], lengths[i]);
        datagrams_drop_first(&queue);
    }
    check_empty(&queue);
    buffer_free(&queue);
}

static void test_append_all(void **state)
{
    struct buffer queue = {0}, others = {0};

    (void)state;
    assert_true(datagrams_append_all(&queue, &others));
    check_empty(&queue);
    assert_true(datagrams_append(&queue, "a", 1));
    assert_true(datagrams_append(&others, "gone", 4));
    assert_true(datagrams_append(&others, "bc", 2));
    assert_true(datagrams_append(&others, "", 0));
    datagrams_drop_first(&others);
    assert_true(datagrams_append_all(&queue, &others));
    check_first(&queue, "a", 1);
    datagrams_drop_first(&queue);
    check_first(&queue, "bc", 2);
    datagrams_drop_first(&queue);
    check_first(&queue, "", 0);
    datagrams_drop_first(&queue);
    check_empty(&queue);
    check_first(&others, "bc", 2); /* they stay where they were, too */
    buffer_free(&queue);
    buffer_free(&others);
}

static void test_extend_last(void **state)
{
    static uint8_t bytes[DATAGRAM_MAX];
    struct buffer queue = {0};

    (void)state;
    memset(bytes, 'z', sizeof bytes);
    assert_true(datagrams_append(&queue, "first", 5));
    assert_true(datagrams_append(&queue, "la", 2));
    assert_true(datagrams_extend_last(&queue, 2, "st", 2));
    check_first(&queue, "first", 5);
    datagrams_drop_first(&queue);
    check_first(&queue, "last", 4);
    assert_true(datagrams_extend_last(&queue, 4, bytes, DATAGRAM_MAX - 4)); /* into memory that has to be found */
    assert_true(datagrams_append(&queue, "", 0));
    assert_true(datagrams_extend_last(&queue, 0, "x", 1));
    memcpy(bytes, "last", 4);
    check_first(&queue, bytes, DATAGRAM_MAX);
    datagrams_drop_first(&queue);
    check_first(&queue, "x", 1);
    datagrams_drop_first(&queue);
    check_empty(&queue);
    buffer_free(&queue);
}

/* Anything in any order, against the plainest queue that there is. */
static void test_random(void **state)
{
    enum { MOST = 64 };
    static struct {
        uint8_t bytes[4096];
        size_t length;
    } model[MOST];
    struct buffer queue = {0};
    size_t count = 0;
    uint32_t random = 7;

    (void)state;
    for (unsigned turn = 0; turn < 20000; turn += (unsigned)stride(20)) {
        uint8_t bytes[1500];
        size_t length = next_random(&random) % (sizeof bytes + 1);
        unsigned what = next_random(&random) % 8;

        memset(bytes, (int)(turn % 251), sizeof bytes);
        if (what < 3 && count < MOST) {
            assert_true(datagrams_append(&queue, bytes, length));
            memcpy(model[count].bytes, bytes, length);
            model[count++].length = length;
        } else if (what < 4 && count && model[count - 1].length + length <= sizeof model->bytes) {
            assert_true(datagrams_extend_last(&queue, model[count - 1].length, bytes, length));
            memcpy(model[count - 1].bytes + model[count - 1].length, bytes, length);
            model[count - 1].length += length;
        } else if (count) {
            datagrams_drop_first(&queue);
            memmove(model, model + 1, --count * sizeof *model);
        }
        if (count)
            check_first(&queue, model[0].bytes, model[0].length);
        else
            check_empty(&queue);
    }
    buffer_free(&queue);
}

static void test_no_memory(void **state)
{
    uint8_t byte = 0;
    const struct buffer endless = {.bytes = &byte, .end = SIZE_MAX / 2, .capacity = SIZE_MAX / 2};
    struct buffer queue = {0};

    (void)state;
    assert_true(datagrams_append(&queue, "here", 4));
    assert_false(datagrams_append_all(&queue, &endless));
    check_first(&queue, "here", 4);
    datagrams_drop_first(&queue);
    check_empty(&queue);
    buffer_free(&queue);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),      cmocka_unit_test(test_empty_datagrams), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_append_all), cmocka_unit_test(test_extend_last),     cmocka_unit_test(test_random),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
