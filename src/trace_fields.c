/* trace_fields.c - the fields of a message in words: how they are written, and how long lists are kept short. */
#include "trace_fields.h"
#include "trace_names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Fields ---- */

struct trace_field *trace_fields_add(struct trace_message *message, const char *label)
{
    if (message->count >= TRACE_FIELDS_MAX - 1) { /* a hello with everything in it has fewer */
        message->fields[TRACE_FIELDS_MAX - 1] = (struct trace_field){.label = "and", .value = "more than fits here"};
        message->count = TRACE_FIELDS_MAX;
        return NULL;
    }
    message->fields[message->count] = (struct trace_field){.label = label};
    return &message->fields[message->count++];
}

void trace_say(struct trace_message *message, const char *label, const char *format, ...)
{
    struct trace_field *field = trace_fields_add(message, label);
    va_list arguments;

    if (!field)
        return;
    va_start(arguments, format);
    vsnprintf(field->value, sizeof field->value, format, arguments);
    va_end(arguments);
}

/* The last one is for those who want to know everything. */
void trace_only_in_detail(struct trace_message *message)
{
    if (message->count)
        message->fields[message->count - 1].is_detail = true;
}

const char *trace_message_quote(char *text, size_t size, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    size_t used = 0;

    for (size_t i = 0; i < length; i++) {
        bool plain = at[i] >= 0x20 && at[i] < 0x7f && at[i] != '\\';

        if (used + 4 + sizeof "..." > size) {
            snprintf(text + used, size - used, "...");
            return text;
        }
        used += (size_t)snprintf(text + used, size - used, plain ? "%c" : "\\x%02x", at[i]);
    }
    text[used] = '\0';
    return text;
}

/* Bytes that nobody reads but compares: the first ones in hex. */
void trace_say_hex(struct trace_message *message, const char *label, struct wire bytes, size_t most)
{
    char text[2 * 32 + sizeof "..."];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < bytes.left && i < most && i < 32; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%02x", bytes.at[i]);
    if (bytes.left > most)
        snprintf(text + used, sizeof text - used, "...");
    trace_say(message, label, "%s", text);
}

/* ---- Lists ---- */

struct trace_list trace_list_begin(struct trace_message *message, const struct trace_context *context, const char *label)
{
    return (struct trace_list){.field = trace_fields_add(message, label), .most = context->items_max};
}

void trace_list_add(struct trace_list *list, const char *item)
{
    enum { ROOM_FOR_MORE = 32 };
    size_t length = strlen(item);

    list->all++;
    if (!list->field || list->shown == list->most || list->shown + 1 < list->all ||
        list->used + 2 + length + ROOM_FOR_MORE > sizeof list->field->value)
        return;
    list->used += (size_t)sprintf(list->field->value + list->used, "%s%s", list->shown ? ", " : "", item);
    list->shown++;
}

void trace_list_add_number(struct trace_list *list, const char *name, uint16_t number)
{
    char text[16];

    snprintf(text, sizeof text, trace_is_grease(number) ? "GREASE" : "0x%04x", number);
    trace_list_add(list, name ? name : text);
}

void trace_list_end(struct trace_list *list)
{
    if (!list->field)
        return;
    if (list->all == 0)
        strcpy(list->field->value, "none");
    else if (list->all > list->shown)
        sprintf(list->field->value + list->used, "%sand %zu more", list->shown ? ", " : "", list->all - list->shown);
}

/* A vector of 16-bit numbers. */
void trace_say_numbers(struct trace_message *message, const struct trace_context *context, const char *label, trace_name_of *name,
                        struct wire *numbers)
{
    struct trace_list list = trace_list_begin(message, context, label);

    while (numbers->left && !numbers->failed) {
        uint16_t number = wire_u16(numbers);

        if (!numbers->failed)
            trace_list_add_number(&list, name(number), number);
    }
    trace_list_end(&list);
}

void trace_say_number(struct trace_message *message, const char *label, const char *name, uint16_t number)
{
    if (name)
        trace_say(message, label, "%s", name);
    else
        trace_say(message, label, "0x%04x", number);
}
