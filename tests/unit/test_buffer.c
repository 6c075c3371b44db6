/* test_buffer.c - a queue of bytes: what goes in comes out, in order, however it grows. */
#include "check.h"
#include "buffer.h"

#include <string.h>
#include <sys/resource.h>

/* More than any machine has: under a sanitizer, too, this is no memory and no crash. */
static const size_t too_much = SIZE_MAX / 8;
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void assert_holds(const struct buffer *buffer, const char *text)
{
    assert_int_equal(buffer_used(buffer), strlen(text));
    if (*text)
        assert_memory_equal(buffer_at(buffer), text, strlen(text));
}

static void test_empty(void **state)
{
    struct buffer buffer = {0};
    char byte = 'x';

    (void)state;
    assert_int_equal(buffer_used(&buffer), 0);
    (void)buffer_at(&buffer);
    assert_true(buffer_append(&buffer, NULL, 0));
    assert_int_equal(buffer_take(&buffer, &byte, 1), 0);
    assert_int_equal(byte, 'x');
    buffer_skip(&buffer, 0);
    assert_holds(&buffer, "");
    buffer_free(&buffer);
    buffer_free(&buffer); /* empty again, so this is nothing */
}

static void test_in_order(void **state)
{
    struct buffer buffer = {0};
    char bytes[8] = "";

    (void)state;
    assert_true(buffer_append(&buffer, "abc", 3));
    assert_true(buffer_append(&buffer, "def", 3));
    assert_holds(&buffer, "abcdef");
    buffer_skip(&buffer, 1);
    assert_holds(&buffer, "bcdef");
    assert_int_equal(buffer_take(&buffer, bytes, 2), 2);
    assert_string_equal(bytes, "bc");
    assert_holds(&buffer, "def");
    assert_int_equal(buffer_take(&buffer, bytes, sizeof bytes), 3); /* no more than there is */
    assert_memory_equal(bytes, "def", 3);
    assert_holds(&buffer, "");
    buffer_free(&buffer);
    assert_null(buffer.bytes);
    assert_int_equal(buffer.capacity, 0);
}

static void test_room(void **state)
{
    struct buffer buffer = {0};
    uint8_t *room;

    (void)state;
    assert_true(buffer_append(&buffer, "abc", 3));
    room = buffer_room(&buffer, 5000);
    assert_non_null(room);
    memset(room, 'x', 5000);
    assert_holds(&buffer, "abc"); /* not there before it is announced */
    memcpy(room, "de", 2);
    buffer_filled(&buffer, 2);
    assert_holds(&buffer, "abcde");
    buffer_free(&buffer);
}

/* A queue that is drained as fast as it is filled stays small, whatever passes through it. */
static void test_space_is_used_again(void **state)
{
    struct buffer buffer = {0};
    uint8_t in[700], out[700];
    unsigned written = 0, read = 0;

    (void)state;
    for (int round = 0; round < 1000; round++) {
        for (size_t i = 0; i < sizeof in; i++)
            in[i] = (uint8_t)written++;
        assert_true(buffer_append(&buffer, in, sizeof in));
        assert_int_equal(buffer_take(&buffer, out, round ? 700 : 600), round ? 700 : 600); /* never quite empty */
        for (size_t i = 0; i < (round ? 700 : 600); i++)
            assert_int_equal(out[i], (uint8_t)read++);
    }
    assert_int_equal(buffer_used(&buffer), 100);
    assert_in_range(buffer.capacity, 800, 4096);
    buffer_free(&buffer);
}

static void test_growing(void **state)
{
    struct buffer buffer = {0};
    uint8_t piece[337];

    (void)state;
    for (unsigned i = 0; i < 3000; i++) {
        memset(piece, (int)(i % 251), sizeof piece);
        assert_true(buffer_append(&buffer, piece, sizeof piece));
        if (i % 3 == 0)
            buffer_skip(&buffer, 1);
    }
    assert_int_equal(buffer_used(&buffer), 3000 * sizeof piece - 1000);
    for (size_t i = 0; i < buffer_used(&buffer); i++)
        check_row(buffer_at(&buffer)[i] == (i + 1000) / sizeof piece % 251, "byte %zu", i);
    buffer_free(&buffer);
}

/* The linker leads free() here (--wrap). Keys and plaintext pass through buffers: of the K's nothing may be left in what is freed. */
static size_t freed, left_behind;
static const uint8_t *watched;
static size_t watched_size;
void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
    if (memory && memory == watched) {
        freed++;
        for (size_t i = 0; i < watched_size; i++)
            left_behind += watched[i] == 'K';
        watched = NULL;
    }
    __real_free(memory);
}

/* What is not in use yet may hold anything: with `all` it is cleared, and watched too. */
static void watch(const struct buffer *buffer, bool all)
{
    if (all)
        memset(buffer->bytes + buffer->end, 0, buffer->capacity - buffer->end);
    watched = buffer->bytes;
    watched_size = all ? buffer->capacity : buffer->end;
}

static void test_wiped(void **state)
{
    struct buffer buffer = {0};
    uint8_t key[600], taken[100];

    (void)state;
    memset(key, 'K', sizeof key);
    freed = left_behind = 0;

    assert_non_null(buffer_room(&buffer, 1000));
    watch(&buffer, true);
    assert_true(buffer_append(&buffer, key, 600));
    buffer_cut(&buffer, 400); /* what was cut off and what was taken is still there */
    assert_int_equal(buffer_take(&buffer, taken, 100), 100);
    assert_true(buffer_append(&buffer, key, 100));
    buffer_skip(&buffer, 200);
    assert_true(buffer_append(&buffer, "abc", 3));
    buffer_free(&buffer);
    assert_int_equal(freed, 1);
    assert_int_equal(left_behind, 0);

    /* So when it grows, for that is other memory. */
    assert_non_null(buffer_room(&buffer, 1000));
    watch(&buffer, true);
    assert_true(buffer_append(&buffer, key, 600));
    buffer_cut(&buffer, 300);
    assert_non_null(buffer_room(&buffer, 5000));
    assert_int_equal(freed, 2);
    watch(&buffer, false);
    buffer_free(&buffer);
    assert_int_equal(freed, 3);
    assert_int_equal(left_behind, 0);

    /* And after a move to the front. */
    assert_non_null(buffer_room(&buffer, 1000));
    watch(&buffer, true);
    assert_true(buffer_append(&buffer, key, 300));
    assert_true(buffer_append(&buffer, key, 300));
    buffer_skip(&buffer, 590);
    assert_non_null(buffer_room(&buffer, 1000));
    buffer_cut(&buffer, 9);
    buffer_free(&buffer);
    assert_int_equal(freed, 4);
    assert_int_equal(left_behind, 0);
}

/* A page that is touched first when it is wiped costs more than all the rest of a short session's buffers. */
static void test_room_that_nobody_uses_costs_nothing(void **state)
{
    struct rusage before, after;
    struct buffer buffer = {0};
    uint8_t *room;

    (void)state;
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    room = buffer_room(&buffer, 64 << 20); /* 16,384 pages of 4 KiB */
    assert_non_null(room);
    memcpy(room, "abc", 3);
    buffer_filled(&buffer, 3);
    buffer_free(&buffer);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_in_range(after.ru_minflt - before.ru_minflt, 0, 8192); /* sanitizers touch memory of their own for it */
}

static void test_no_memory(void **state)
{
    struct buffer buffer = {0};

    (void)state;
    assert_false(buffer_append(&buffer, "", too_much));
    assert_null(buffer_room(&buffer, too_much));
    assert_holds(&buffer, "");
    assert_true(buffer_append(&buffer, "abc", 3));
    buffer_skip(&buffer, 1);
    assert_false(buffer_append(&buffer, "", too_much));
    assert_null(buffer_room(&buffer, too_much));
    assert_holds(&buffer, "bc"); /* as it was */
    buffer_free(&buffer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),   cmocka_unit_test(test_in_order),
        cmocka_unit_test(test_room),    cmocka_unit_test(test_space_is_used_again),
        cmocka_unit_test(test_growing), cmocka_unit_test(test_wiped),
        cmocka_unit_test(test_room_that_nobody_uses_costs_nothing), cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
