/* role_decide.h - the decisions that are the same for streams and datagrams, for the role*.c files. Each returns the step
 * that follows, and has written it into `stream`. */
#ifndef SYMTLS_ROLE_DECIDE_H
#define SYMTLS_ROLE_DECIDE_H

#include "role.h"

enum role_step role_refuse(struct role_stream *stream, enum role_reason reason, int alert);
enum role_step role_decide(struct role_stream *stream, enum role role, enum role_decided_by by);

/* A whole ClientHello of the peer, as hello_read() found it. */
enum role_step role_heard_hello(struct role_stream *stream, enum hello_result result, const struct hello *hello);

/* The same again, after ROLE_STEP_HELLO: ours is out now. */
enum role_step role_compare(struct role_stream *stream);

/* A ServerHello of the peer. */
enum role_step role_heard_server(struct role_stream *stream);

/* The same with --symmetric never, where the first message decides. */
enum role_step role_never_symmetric(struct role_stream *stream, enum role peer);

/* Our own ClientHello has been made. */
void role_said_hello(struct role_stream *stream, const struct hello *hello);

/* The preference in a hello of the peer: a role_preference, or with --implicit its Random. Length 0: none. */
void role_preference_of(const struct role_config *config, enum hello_result result, const struct hello *hello,
                        struct role_preference *preference);

#endif
