/* escape.h - commands among what is typed at a terminal: a letter behind the escape character, at the beginning of a line.
 * Pure: bytes in, data and commands out.
 *
 * Where the terminal hands over whole lines, a command is a line of its own, and its end belongs to it; a longer line is data. Where
 * it hands over each key, the letter is enough. The escape character twice is one of it, as data; what is no command is data as
 * it was typed. */
#ifndef SYMTLS_ESCAPE_H
#define SYMTLS_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct escape {
    uint8_t character;
    const char *letters; /* of the commands */
    enum { ESCAPE_AT_START, ESCAPE_IN_LINE, ESCAPE_SEEN, ESCAPE_NAMED } state;
    uint8_t letter; /* with NAMED: what the end of the line makes a command */
};

/* Borrows `letters`. The first byte is at the beginning of a line. */
void escape_init(struct escape *escape, uint8_t character, const char *letters);

/* What comes of a byte that was typed: `length` bytes of data, and after them a command, or 0. */
#define ESCAPE_DATA_MAX 3
struct escape_result {
    uint8_t data[ESCAPE_DATA_MAX];
    size_t length;
    char command;
};
struct escape_result escape_take(struct escape *escape, bool by_line, uint8_t byte);

/* Nothing more will be typed: what was held back is data. */
struct escape_result escape_end(struct escape *escape);

#endif
