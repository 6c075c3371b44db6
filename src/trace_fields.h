/* trace_fields.h - the fields of a message in words. For trace_message. */
#ifndef SYMTLS_TRACE_FIELDS_H
#define SYMTLS_TRACE_FIELDS_H

#include "trace_message.h"

/* A new field; NULL when there is no place for one more, and that is said. */
struct trace_field *trace_fields_add(struct trace_message *message, const char *label);
void trace_say(struct trace_message *message, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The last one is for those who want to know everything. */
void trace_only_in_detail(struct trace_message *message);

/* The first `most` bytes (32 at most) in hex. */
void trace_say_hex(struct trace_message *message, const char *label, struct wire bytes, size_t most);

/* By its name, or as 0x1234 when that is NULL. */
void trace_say_number(struct trace_message *message, const char *label, const char *name, uint16_t number);

/* ---- A field that is a list ---- */

struct trace_list {
    struct trace_field *field; /* NULL: there was no place for it */
    size_t most;
    size_t used;
    size_t shown;
    size_t all;
};

struct trace_list trace_list_begin(struct trace_message *message, const struct trace_context *context, const char *label);
void trace_list_add(struct trace_list *list, const char *item);
void trace_list_add_number(struct trace_list *list, const char *name, uint16_t number);
void trace_list_end(struct trace_list *list); /* says "none", or how many more there are */

/* All of it, for a vector of 16-bit numbers. */
typedef const char *trace_name_of(uint16_t number);
void trace_say_numbers(struct trace_message *message, const struct trace_context *context, const char *label, trace_name_of *name,
                       struct wire *numbers);

/* ---- Extensions: trace_extensions.c ---- */

enum trace_place { TRACE_IN_CLIENT_HELLO, TRACE_IN_SERVER_HELLO, TRACE_IN_RETRY, TRACE_ELSEWHERE };

struct trace_reader {
    struct trace_message *message;
    struct trace_context *context;
    enum trace_place place;
};

/* A vector of them at the end of `body`. */
void trace_read_extensions(struct trace_reader *reader, struct wire *body);

#endif
