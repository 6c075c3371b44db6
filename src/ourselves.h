/* ourselves.h - from the options to our identity: the straight line's part about who we are. */
#ifndef SYMTLS_OURSELVES_H
#define SYMTLS_OURSELVES_H

#include "error.h"
#include "identity.h"
#include "options.h"
#include "report.h"
#include "wait.h"

#define OURSELVES_PASSPHRASE_SIZE 256

/* Read where the passphrase is, if --pass says so. Not yet under `wait`'s signals: it may be typed in. False with an error. */
bool ourselves_read_passphrase(const struct options *options, char passphrase[OURSELVES_PASSPHRASE_SIZE], struct error *error);

/* What the options name, or the user's own, made on first use. Wipes the passphrase, and sees to it that no core dump
 * will have our keys in it. NULL with an error; else what identity_free() takes. */
struct identity *ourselves_load(const struct options *options, char passphrase[OURSELVES_PASSPHRASE_SIZE], struct wait *wait,
                                const struct report *report, struct error *error);

/* --show-identity: a line "PIN NAME" for each. */
void ourselves_show(const struct identity *identity);

#endif
