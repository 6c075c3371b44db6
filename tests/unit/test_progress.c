/* test_progress.c - a line that tells how far a session has come, and fits. */
#include "check.h"
#include "progress.h"

#include <string.h>

static void test_amounts(void **state)
{
    static const struct {
        uint64_t sent;
        const char *text;
    } cases[] = {
        {0, "sent 0 B, received 0 B in 0.0 s"}, {1, "sent 1 B,"}, {1023, "sent 1023 B,"}, {1024, "sent 1.0 KiB,"},
        {1536, "sent 1.5 KiB,"}, {1048575, "sent 1023.9 KiB,"}, {1048576, "sent 1.0 MiB,"}, {UINT64_C(1) << 30, "sent 1.0 GiB,"},
        {UINT64_C(17700) << 20, "sent 17.2 GiB,"}, {UINT64_C(1) << 40, "sent 1.0 TiB,"}, {UINT64_MAX, "sent 15.9 EiB,"},
    };
    char text[PROGRESS_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        progress_total(cases[i].sent, 0, 0, false, text);
        check_row(strncmp(text, cases[i].text, strlen(cases[i].text)) == 0, "%s", text);
    }
}

static void test_total(void **state)
{
    char text[PROGRESS_SIZE];

    (void)state;
    progress_total(UINT64_C(1) << 30, 0, 950, true, text);
    assert_string_equal(text, "sent 1.0 GiB, received 0 B in 0.9 s; the peer has it all");
    progress_total(5, 2048, 61000, false, text);
    assert_string_equal(text, "sent 5 B, received 2.0 KiB in 61.0 s");
}

static void test_line(void **state)
{
    struct progress progress = {.began = 1000};
    struct progress_state now = {.sent = 0};
    char text[PROGRESS_SIZE];

    (void)state;
    assert_true(progress_due(&progress) <= 1000); /* the first one at once */
    progress_line(&progress, 1000, &now, 80, text);
    assert_string_equal(text, "sent 0 B, received 0 B, 0 B/s, 0:00");
    assert_int_equal(progress_due(&progress), 1000 + PROGRESS_MS);
    now = (struct progress_state){.sent = 1 << 20, .received = 1 << 20};
    progress_line(&progress, 2000, &now, 80, text);
    assert_string_equal(text, "sent 1.0 MiB, received 1.0 MiB, 512.0 KiB/s, 0:01"); /* it has just begun */
    now.peer_closed = true;
    progress_line(&progress, 66000, &now, 80, text);
    assert_non_null(strstr(text, ", 1:05, the peer has ended"));
    now.we_closed = true;
    progress_line(&progress, 67000, &now, 80, text);
    assert_non_null(strstr(text, ", both have ended"));
    now.peer_closed = false;
    progress_line(&progress, 68000, &now, 80, text);
    assert_non_null(strstr(text, ", we have ended"));
    for (unsigned columns = 1; columns < 80; columns++) {
        progress_line(&progress, 68000, &now, columns, text);
        assert_true(strlen(text) < columns);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_total),
        cmocka_unit_test(test_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
