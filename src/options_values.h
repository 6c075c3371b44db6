/* options_values.h - how the values of options are read. For `options`.
 *
 * Those that return bool: false with an error that names the option and says what it has to be (or, without one: no memory). */
#ifndef SYMTLS_OPTIONS_VALUES_H
#define SYMTLS_OPTIONS_VALUES_H

#include "options.h"

/* What options with an optional value are without one. */
#define OPTIONS_COMMANDS_TILDE "~"
#define OPTIONS_DANE_DNS       "dns"
#define OPTIONS_RETRY_FOREVER  "forever"

/* ---- Texts ---- */

bool options_append(struct options_list *list, const char *text);

/* A text of ours that lives as long as the options. NULL only without memory. */
const char *options_own(struct options *options, const char *text);

/* The same for a name, as it goes over the wire. NULL with an error. */
const char *options_own_name(struct options *options, const char *option, const char *value, struct error *error);

/* ---- Values of a kind ---- */

/* Always false, for `return`. */
bool options_wrong(struct error *error, const char *option, const char *value, const char *wanted);

/* One of "a|b|c", by its index. */
bool options_choose(const char *option, const char *value, const char *choices, int *index, struct error *error);

/* 0 is no limit where there can be one. */
bool options_take_time(const char *option, const char *value, bool zero_is_none, int *ms, struct error *error);

bool options_take_number(const char *option, const char *value, long least, long most, long *number, struct error *error);

/* ---- Values of one option ---- */

/* Is it one for a UNIX socket? */
bool options_check_path(const char *option, const char *path, struct error *error);

bool options_take_from(struct options *options, const char *value, struct error *error);
bool options_take_exec(struct options *options, const char *value, struct error *error);
bool options_take_sh_exec(struct options *options, const char *value);
bool options_take_to(struct options *options, const char *value, struct error *error);
bool options_take_pin(struct options *options, const char *value, struct error *error);
bool options_take_alpn(struct options *options, const char *value, struct error *error);
bool options_take_sni(struct options *options, const char *value, struct error *error);
bool options_take_export(struct options *options, const char *value, struct error *error);
bool options_take_peer(struct options *options, const char *value, struct error *error);
bool options_take_identity(struct options *options, const char *value, struct error *error);
bool options_take_commands(struct options *options, const char *value, struct error *error);
bool options_take_known(struct options *options, const char *value, struct error *error);
bool options_take_sctp_udp(struct options *options, const char *value, struct error *error);
bool options_take_dane(struct options *options, const char *value, struct error *error);
bool options_take_retry(struct options *options, const char *value, struct error *error);

#endif
