/* ourselves.h - from the options to our identity: the straight line's part about who we are. */
#ifndef SYMTLS_OURSELVES_H
#define SYMTLS_OURSELVES_H

#include "error.h"
#include "identity.h"
#include "options.h"
#include "psk.h"
#include "report.h"
#include "wait.h"

#define OURSELVES_PASSPHRASE_SIZE 256

/* Read where the passphrase is, if --pass says so. Not yet under `wait`'s signals: it may be typed in. False with an error. */
bool ourselves_read_passphrase(const struct options *options, char passphrase[OURSELVES_PASSPHRASE_SIZE], struct error *error);

/* What the options name, or the user's own, made on first use. Wipes the passphrase, and sees to it that no core dump
 * will have our keys in it. NULL with an error; else what identity_free() takes. */
struct identity *ourselves_load(const struct options *options, char passphrase[OURSELVES_PASSPHRASE_SIZE], struct wait *wait,
                                const struct report *report, struct error *error);

/* The keys in --psk-file; *psk stays NULL without that option. `name` gets what we are called if the
 * options do not say it; it and the options are borrowed. False with an error. */
bool ourselves_load_psk(const struct options *options, char name[IDENTITY_NAME_SIZE], struct psk **psk, struct error *error);

/* The role that we want: who does not know whose key to use leaves that to the peer, and so is the server. */
enum role_want ourselves_want(const struct options *options, const struct psk *psk, const struct report *report);

/* --show-identity: a line "PIN NAME" for each. */
void ourselves_show(const struct identity *identity);

#endif
