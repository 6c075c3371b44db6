/* options_merge.h - the command line and the file of settings, made into one. For `options`.
 *
 * What is said first wins: on the command line, then in the peer's section, then in the defaults. An option on the command
 * line takes the place of all that the file says for it; what does not go with it has no say, without a word. But what limits
 * who is accepted never goes silently, and neither does what a section says against itself: these are errors that name the
 * line. */
#ifndef SYMTLS_OPTIONS_MERGE_H
#define SYMTLS_OPTIONS_MERGE_H

#include "options_file.h"

/* Fill and check the options. `words` are the arguments that are no options. False with an error of STATUS_LOCAL. */
bool options_merge(struct options *options, const struct options_said_list *typed, const struct options_list *words,
                   const struct options_file *file, struct error *error);

#endif
