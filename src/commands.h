/* commands.h - what a user at the terminal can ask of a session that is open, and how it is told (symtls(1), COMMANDS AT THE TERMINAL).
 *
 * commands_init() once the peer is accepted; commands_do() for each letter that `escape` has found; commands_look() whenever
 * the peer may have been heard. Answers go to the terminal, never to stdout. */
#ifndef SYMTLS_COMMANDS_H
#define SYMTLS_COMMANDS_H

#include "channel.h"
#include "escape.h"
#include "facts.h"

struct commands {
    struct escape escape;
    struct channel *channel;
    const struct facts *facts;
    const struct tty_raw *raw; /* NULL: we did not make the terminal so */
    int64_t since; /* wait_now() */
    enum { COMMANDS_NOT_ASKED, COMMANDS_ASKED_FOR_KEYS, COMMANDS_PINGED } asked;
    int64_t asked_at_us;
    unsigned answers; /* of the session, when we asked */
};

/* Everything is borrowed. */
void commands_init(struct commands *commands, uint8_t character, struct channel *channel, const struct facts *facts);

/* What only the caller knows. */
struct commands_numbers {
    uint64_t sent, received; /* bytes of data */
    uint64_t waiting;        /* typed, and not sent yet */
};

/* What is left to the caller. */
enum commands_wish {
    COMMANDS_NOTHING,
    COMMANDS_CLOSE, /* our direction; what is typed from now on goes nowhere, but for commands */
    COMMANDS_QUIT   /* the session, at once */
};
enum commands_wish commands_do(struct commands *commands, char letter, const struct commands_numbers *numbers);

/* Has the peer answered what we asked? */
void commands_look(struct commands *commands);

/* What was typed has nowhere to go. */
void commands_tell_closed(const struct commands *commands);

#endif
