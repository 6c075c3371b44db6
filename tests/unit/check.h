/* check.h - cmocka, and a check that names the row of the table that failed. */
#ifndef SYMTLS_TEST_CHECK_H
#define SYMTLS_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* printf-like words after the condition say which row it was. */
#define check_row(condition, ...)                                                     \
    do {                                                                              \
        if (!(condition)) {                                                           \
            print_error("# " __VA_ARGS__);                                            \
            print_error(": not so: %s\n", #condition);                                \
            fail();                                                                   \
        }                                                                             \
    } while (0)

#endif
