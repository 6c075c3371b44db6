/* trace.c - a ladder diagram of handshakes, drawn while they happen: events become rows, and rows go where they are wanted. */
#include "trace.h"
#include "hello.h"
#include "role_alert.h"
#include "trace_message.h"
#include "trace_names.h"
#include "trace_page.h"
#include "trace_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS_MAX = 9,  /* as many as --both may hold at a time, and one */
    STRANGE_MAX = 20,
    AGAIN_MAX = 100,      /* repetitions that are shown, of each connection */
    ITEMS_USUAL = 4,      /* of a list */
    ITEMS_ALL = 64,
    SHOW_RECORDS = 2,     /* verbosity */
    SHOW_BYTES = 3
};

struct connection {
    const void *session; /* NULL: the place is free */
    unsigned number;
    struct trace_context context;
    struct trace_stream streams[2];
    struct trace_seen seen;
    unsigned again;
    unsigned closed[2]; /* how often close_notify was told */
    uint32_t hello[2][TRACE_FIELDS_MAX]; /* what was in the last ClientHello, as hashes */
};

struct trace {
    struct trace_sink sink;
    trace_clock *clock;
    int64_t started; /* -1: not yet */
    struct trace_page page;
    int verbosity;
    unsigned connections;    /* that there have been */
    unsigned strange;        /* notes about strangers */
    struct connection at[CONNECTIONS_MAX];
    struct trace_message message; /* that is being read: too large for the stack */
};

/* ---- Rows ---- */

static int64_t elapsed_us(struct trace *trace)
{
    int64_t now = trace->clock();

    if (trace->started < 0)
        trace->started = now;
    return now - trace->started;
}

static void add_row(struct trace *trace, const struct trace_row *row)
{
    trace_page_add(&trace->page, row);
}

static struct trace_row row_of(struct trace *trace, enum trace_row_kind kind, const struct trace_event *event, const char *text)
{
    return (struct trace_row){.kind = kind, .direction = event->direction, .encrypted = event->encrypted, .us = elapsed_us(trace), .text = text};
}

static void add_field(struct trace *trace, const struct trace_event *event, const char *label, const char *text)
{
    struct trace_row row = row_of(trace, TRACE_ROW_FIELD, event, text);

    row.label = label;
    add_row(trace, &row);
}

/* With several connections: of which it is. */
static void number_text(const struct trace *trace, const struct connection *connection, char *text, size_t size)
{
    text[0] = '\0';
    if (connection && trace->connections > 1)
        snprintf(text, size, "[%u] ", connection->number);
}

/* ---- Connections ---- */

static struct connection *find(struct trace *trace, const struct trace_event *event)
{
    struct connection *free_place = NULL;

    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (trace->at[i].session == event->session)
            return &trace->at[i];
        if (!trace->at[i].session)
            free_place = &trace->at[i];
    }
    if (!free_place)
        return NULL;
    memset(free_place, 0, sizeof *free_place);
    free_place->session = event->session;
    free_place->number = trace->connections;
    free_place->context = (struct trace_context){.datagrams = event->datagrams,
                                                 .extension_id = event->extension_id,
                                                 .items_max = trace->verbosity >= SHOW_RECORDS ? ITEMS_ALL : ITEMS_USUAL};
    return free_place;
}

static void take_connection(struct trace *trace, const struct trace_event *event)
{
    char local[256], remote[256], label[64];
    struct trace_row row = row_of(trace, TRACE_ROW_TITLE, event, local);

    trace->connections++;
    trace_message_quote(local, sizeof local, event->texts[0], strlen(event->texts[0]));
    trace_message_quote(remote, sizeof remote, event->texts[1], strlen(event->texts[1]));
    row.more = remote;
    if (trace->connections > 1)
        snprintf(label, sizeof label, "[%u] %s", trace->connections, event->texts[2]);
    else
        snprintf(label, sizeof label, "%s", event->texts[2]);
    row.label = label;
    add_row(trace, &row);
}

/* ---- Messages and alerts ---- */

/* FNV-1a: which field it is, and what is in it. */
static uint32_t hash(const struct trace_field *field)
{
    uint32_t value = 2166136261U;

    for (const char *at = field->label; *at; at++)
        value = (value ^ (uint8_t)*at) * 16777619U;
    for (const char *at = field->value; *at; at++)
        value = (value ^ (uint8_t)*at) * 16777619U;
    return value;
}

/* A second ClientHello says little that the first did not: leave what it repeats out. Returns how many fields that were. */
static size_t drop_repeated(struct connection *connection, enum trace_direction direction, struct trace_message *message)
{
    uint32_t *last = connection->hello[direction], hashes[TRACE_FIELDS_MAX] = {0};
    size_t kept = 0, all = message->count;

    for (size_t i = 0; i < all; i++) {
        bool known = false;

        hashes[i] = hash(&message->fields[i]);
        for (size_t j = 0; j < TRACE_FIELDS_MAX; j++)
            known = known || last[j] == hashes[i];
        if (!known && kept++ < i)
            message->fields[kept - 1] = message->fields[i];
    }
    message->count = kept;
    memcpy(last, hashes, sizeof hashes);
    return all - kept;
}

static void take_message(struct trace *trace, struct connection *connection, const struct trace_event *event)
{
    struct trace_message *message = &trace->message;
    char head[96], number[16], seq[32] = "";
    size_t repeated = 0;
    struct trace_row row = row_of(trace, TRACE_ROW_ARROW, event, head);

    trace_message_read(message, &connection->context, event->number, event->bytes, event->length);
    if (event->number == HANDSHAKE_CLIENT_HELLO)
        repeated = drop_repeated(connection, event->direction, message);
    number_text(trace, connection, number, sizeof number);
    if (event->message_seq >= 0)
        snprintf(seq, sizeof seq, " #%d", event->message_seq);
    snprintf(head, sizeof head, "%s%s%s, %zu byte%s%s", number, message->name, seq, event->length, event->length == 1 ? "" : "s",
             event->struck ? ", STRUCK" : "");
    if (event->struck)
        row.mood = TRACE_STRUCK;
    add_row(trace, &row);
    for (size_t i = 0; i < message->count; i++)
        if (!message->fields[i].is_detail || trace->verbosity >= SHOW_RECORDS)
            add_field(trace, event, message->fields[i].label, message->fields[i].value);
    if (repeated)
        add_field(trace, event, NULL, "everything else as before");
    for (size_t i = 0; i < TRACE_TEXTS_MAX && event->texts[i]; i++)
        add_field(trace, event, NULL, event->texts[i]);
}

static void take_alert(struct trace *trace, struct connection *connection, const struct trace_event *event)
{
    char head[96], number[16];
    struct trace_row row = row_of(trace, TRACE_ROW_ARROW, event, head);
    bool closes = event->number == 0;

    /* Over datagrams it is said again and again. */
    if (closes && connection->closed[event->direction]++ > 1 && trace->verbosity < SHOW_RECORDS)
        return;
    number_text(trace, connection, number, sizeof number);
    if (closes)
        snprintf(head, sizeof head, "%sclose_notify%s", number, connection->closed[event->direction] > 1 ? ", again" : "");
    else
        snprintf(head, sizeof head, "%s%s alert: %s (%u)", number, event->fatal ? "fatal" : "warning", role_alert_name(event->number),
                 event->number);
    if (event->fatal && !closes)
        row.mood = TRACE_BAD;
    add_row(trace, &row);
}

static void add_note(struct trace *trace, const struct connection *connection, const struct trace_event *event, enum trace_mood mood,
                     const char *text)
{
    char words[1400], number[16];
    struct trace_row row = row_of(trace, TRACE_ROW_NOTE, event, words);

    number_text(trace, connection, number, sizeof number);
    snprintf(words, sizeof words, "%s%s", number, text);
    row.mood = mood;
    add_row(trace, &row);
}

/* ---- The wire ---- */

static void name_version(char text[16], uint16_t version)
{
    const char *name = trace_version_name(version);

    if (name)
        snprintf(text, 16, "%s", name);
    else
        snprintf(text, 16, "0x%04x", version);
}

static void name_type(char text[24], const char *name, uint8_t type)
{
    if (name)
        snprintf(text, 24, "%s", name);
    else
        snprintf(text, 24, "type %u", type);
}

static void add_record(struct trace *trace, const struct trace_event *event, const char *text)
{
    struct trace_row row = row_of(trace, TRACE_ROW_RECORD, event, text);

    if (trace->verbosity >= SHOW_RECORDS)
        add_row(trace, &row);
}

static void add_dump(struct trace *trace, const struct trace_event *event, struct wire bytes, size_t offset)
{
    struct trace_row row = row_of(trace, TRACE_ROW_DUMP, event, NULL);

    row.bytes = bytes.at;
    row.length = bytes.left;
    row.offset = offset;
    if (trace->verbosity >= SHOW_BYTES && bytes.left)
        add_row(trace, &row);
}

static void take_stream(struct trace *trace, struct connection *connection, const struct trace_event *event)
{
    struct wire bytes = wire_from(event->bytes, event->length);
    struct trace_piece piece;

    while (trace->verbosity >= SHOW_RECORDS && trace_stream_next(&connection->streams[event->direction], &bytes, &piece)) {
        char text[96], type[24], version[16];

        name_type(type, trace_record_name(piece.type), piece.type);
        name_version(version, piece.version);
        if (piece.begins && piece.is_record)
            snprintf(text, sizeof text, "record: %s, %s, %zu bytes", type, version, piece.length);
        else if (piece.begins)
            snprintf(text, sizeof text, "no record, and none can follow");
        if (piece.begins)
            add_record(trace, event, text);
        add_dump(trace, event, piece.bytes, piece.offset);
    }
}

/* The messages in a datagram that were said before: the first ones by name. */
struct repeats {
    char text[120];
    size_t named;
    size_t count;
};

static void repeat(struct repeats *repeats, const char *name, int message_seq)
{
    enum { NAMED = 2 };
    size_t used = strlen(repeats->text);

    if (repeats->count++ >= NAMED)
        return;
    used += (size_t)snprintf(repeats->text + used, sizeof repeats->text - used, "%s%s", used ? ", " : "", name);
    if (message_seq >= 0)
        snprintf(repeats->text + used, sizeof repeats->text - used, " #%d", message_seq);
    repeats->named = repeats->count;
}

/* What a fragment is; and, in `again`, its message's name if it was said before. */
static void note_fragment(struct connection *connection, const struct trace_event *event, const struct dtls_fragment *fragment,
                          char *text, size_t size, struct repeats *again)
{
    bool whole = fragment->offset == 0 && fragment->body.left == fragment->size;
    bool known = trace_seen_note(&connection->seen, event->direction, fragment) == TRACE_AGAIN;
    size_t used = strlen(text);
    char name[24];

    name_type(name, trace_handshake_name(fragment->type), fragment->type);
    snprintf(text + used, size - used, "; %s #%u", name, fragment->message_seq);
    used = strlen(text);
    if (!whole)
        snprintf(text + used, size - used, ", bytes %u to %zu of %u", fragment->offset, fragment->offset + fragment->body.left, fragment->size);
    if (known && fragment->offset == 0)
        repeat(again, name, fragment->message_seq);
}

static void note_record(struct trace *trace, struct connection *connection, const struct trace_event *event,
                        const struct dtls_record *record, struct repeats *again)
{
    struct wire body = record->body;
    struct dtls_fragment fragment;
    char text[256], type[24], fragments[64] = "";

    name_type(type, trace_record_name(record->type), record->type);
    snprintf(text, sizeof text, "record: %s, epoch %u, number %llu, %zu bytes", type, record->epoch, (unsigned long long)record->sequence,
             record->body.left);
    if (record->type == DTLS_HANDSHAKE && record->epoch > 0 && trace_seen_note(&connection->seen, event->direction, NULL) == TRACE_AGAIN)
        repeat(again, "Finished", -1);
    while (record->type == DTLS_HANDSHAKE && record->epoch == 0 && dtls_next_fragment(&body, &fragment)) {
        note_fragment(connection, event, &fragment, text, sizeof text, again);
        if (fragment.offset > 0 && fragment.offset + fragment.body.left == fragment.size) {
            name_type(type, trace_handshake_name(fragment.type), fragment.type);
            snprintf(fragments, sizeof fragments, "%s #%u in %zu fragments", type, fragment.message_seq,
                     trace_seen_fragments(&connection->seen, event->direction, &fragment));
        }
    }
    add_record(trace, event, text);
    if (*fragments && again->count == 0 && trace->verbosity < SHOW_RECORDS)
        add_field(trace, event, NULL, fragments);
}

/* A flight is repeated with its first message first. */
static void add_again(struct trace *trace, struct connection *connection, const struct trace_event *event, const struct repeats *again)
{
    char head[256], number[16];
    struct trace_row row = row_of(trace, TRACE_ROW_ARROW, event, head);

    if (connection->again > AGAIN_MAX)
        return;
    number_text(trace, connection, number, sizeof number);
    if (again->count > again->named)
        snprintf(head, sizeof head, "%sagain: %s, and %zu more", number, again->text, again->count - again->named);
    else
        snprintf(head, sizeof head, "%sagain: %s", number, again->text);
    row.mood = TRACE_STRESSED;
    add_row(trace, &row);
    if (++connection->again > AGAIN_MAX)
        add_note(trace, connection, event, TRACE_PLAIN, "further repetitions are not shown");
}

static void take_datagram(struct trace *trace, struct connection *connection, const struct trace_event *event)
{
    struct wire bytes = wire_from(event->bytes, event->length);
    struct dtls_record record;
    struct repeats again = {.count = 0};
    char text[64];

    snprintf(text, sizeof text, "datagram: %zu bytes", event->length);
    add_record(trace, event, text);
    while (dtls_next_record(&bytes, &record))
        note_record(trace, connection, event, &record, &again);
    add_dump(trace, event, wire_from(event->bytes, event->length), 0);
    if (again.count)
        add_again(trace, connection, event, &again);
}

/* ---- Events ---- */

static void take_data(struct trace *trace, struct connection *connection, const struct trace_event *event)
{
    char head[64], number[16];
    struct trace_row row = row_of(trace, TRACE_ROW_ARROW, event, head);

    number_text(trace, connection, number, sizeof number);
    snprintf(head, sizeof head, "%sdata begins, %zu byte%s", number, event->length, event->length == 1 ? "" : "s");
    add_row(trace, &row);
}

static void take_gone(struct trace *trace, struct connection *connection, const struct trace_event *event)
{
    bool others = false;

    connection->session = NULL;
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        others = others || trace->at[i].session;
    if (others)
        add_note(trace, connection, event, TRACE_PLAIN, "this connection is given up for another one");
}

/* Anybody may ask without end. */
static void take_strange_note(struct trace *trace, const struct trace_event *event)
{
    if (trace->strange > STRANGE_MAX)
        return;
    add_note(trace, NULL, event, TRACE_PLAIN, event->texts[0]);
    if (++trace->strange > STRANGE_MAX)
        add_note(trace, NULL, event, TRACE_PLAIN, "further ones like that are not shown");
}

static void take(void *context, const struct trace_event *event)
{
    struct trace *trace = context;
    struct connection *connection;

    if (!trace_page_is_open(&trace->page))
        return;
    if (event->kind == TRACE_CONNECTION) {
        take_connection(trace, event);
    } else if (!event->session) {
        take_strange_note(trace, event);
    } else if ((connection = find(trace, event))) {
        switch (event->kind) {
        case TRACE_CONNECTION:
            break;
        case TRACE_MESSAGE:
            take_message(trace, connection, event);
            break;
        case TRACE_ALERT:
            take_alert(trace, connection, event);
            break;
        case TRACE_WIRE:
            if (event->datagrams)
                take_datagram(trace, connection, event);
            else
                take_stream(trace, connection, event);
            break;
        case TRACE_DATA:
            take_data(trace, connection, event);
            break;
        case TRACE_NOTE:
            add_note(trace, connection, event, event->important ? TRACE_STRESSED : TRACE_PLAIN, event->texts[0]);
            break;
        case TRACE_GONE:
            take_gone(trace, connection, event);
            break;
        }
    }
    trace_page_flush(&trace->page);
}

struct trace *trace_new(const char *target, int verbosity, trace_clock *clock, struct error *error)
{
    struct trace *trace = calloc(1, sizeof *trace);

    if (!trace) {
        error_set(error, STATUS_LOCAL, "out of memory");
        return NULL;
    }
    trace->sink = (struct trace_sink){.take = take, .context = trace};
    trace->clock = clock;
    trace->verbosity = verbosity;
    trace->started = -1;
    if (trace_page_open(&trace->page, target, error))
        return trace;
    free(trace);
    return NULL;
}

const struct trace_sink *trace_sink(struct trace *trace)
{
    return trace ? &trace->sink : NULL;
}

void trace_number(struct trace *trace, unsigned long number)
{
    if (!trace)
        return;
    trace->page.number = number;
    trace->started = -1;
}

void trace_end(struct trace *trace, bool well, const char *why)
{
    struct trace_event event = {.kind = TRACE_NOTE};
    char words[1400];

    if (!trace || !trace_page_is_open(&trace->page))
        return;
    trace_message_quote(words, sizeof words, why, strlen(why));
    add_note(trace, NULL, &event, well ? TRACE_PLAIN : TRACE_BAD, *words ? words : "both directions have ended");
    trace_page_end(&trace->page);
}

const struct error *trace_error(const struct trace *trace)
{
    static const struct error none;

    return trace ? &trace->page.error : &none;
}

void trace_free(struct trace *trace)
{
    if (!trace)
        return;
    trace_page_free(&trace->page);
    free(trace);
}
