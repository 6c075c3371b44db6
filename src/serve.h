/* serve.h - many sessions: each in a process of its own, forked off for whoever comes.
 *
 * This process listens, and parses nothing that a peer sends. It keeps an eye on how far each session has come, so that too many
 * that never get anywhere take nobody's place (crowd.h).
 *
 *   SIGTERM, SIGINT   nobody comes in any more; the sessions end by themselves, and then we do, by that signal. A second one ends the
 *                     sessions in order
 *   SIGHUP            keys, CAs and the like are loaded anew for the sessions to come; unless the terminal has gone: then as SIGTERM */
#ifndef SYMTLS_SERVE_H
#define SYMTLS_SERVE_H

#include "life.h"

/* Go on for as long as there may be somebody to serve. `life` is prepared here. Returns the exit status of this process, which may be one
 * of those that were forked off. */
int serve(struct life *life);

#endif
