/* trace_extensions.c - what is in the extensions of a handshake message, in words. */
#include "hello.h"
#include "trace_fields.h"
#include "trace_names.h"

#include <stdio.h>

/* Each reads the extension's data; what it leaves, or misses, is found wrong by its caller. */
typedef void extension_reader(struct trace_reader *reader, struct wire *data);

static void read_server_name(struct trace_reader *reader, struct wire *data)
{
    char text[128];
    struct wire names, name;

    if (data->left == 0)
        return; /* a server's: it has understood */
    names = wire_vector16(data);
    wire_u8(&names); /* host_name */
    name = wire_vector16(&names);
    data->failed = data->failed || !wire_done(&names);
    if (!name.failed)
        trace_say(reader->message, "server name", "%s", trace_message_quote(text, sizeof text, name.at, name.left));
}

static void read_versions(struct trace_reader *reader, struct wire *data)
{
    if (reader->place == TRACE_IN_CLIENT_HELLO) {
        struct wire versions = wire_vector8(data);

        trace_say_numbers(reader->message, reader->context, "versions", trace_version_name, &versions);
        data->failed = data->failed || versions.failed;
    } else {
        uint16_t version = wire_u16(data);

        if (data->failed)
            return;
        trace_say_number(reader->message, "version", trace_version_name(version), version);
        reader->context->version = version;
    }
}

static void read_groups(struct trace_reader *reader, struct wire *data)
{
    struct wire groups = wire_vector16(data);

    trace_say_numbers(reader->message, reader->context, "groups", trace_group_name, &groups);
    data->failed = data->failed || groups.failed;
}

static void read_signatures(struct trace_reader *reader, struct wire *data)
{
    struct wire schemes = wire_vector16(data);

    trace_say_numbers(reader->message, reader->context, "signatures", trace_signature_name, &schemes);
    data->failed = data->failed || schemes.failed;
}

static void read_client_shares(struct trace_reader *reader, struct wire *data)
{
    struct wire shares = wire_vector16(data);
    struct trace_list list = trace_list_begin(reader->message, reader->context, "key shares");

    while (shares.left && !shares.failed) {
        uint16_t group = wire_u16(&shares);
        struct wire share = wire_vector16(&shares);
        const char *name = trace_is_grease(group) ? "GREASE" : trace_group_name(group);
        char text[64];

        if (share.failed)
            break;
        if (name)
            snprintf(text, sizeof text, "%s (%zu bytes)", name, share.left);
        else
            snprintf(text, sizeof text, "0x%04x (%zu bytes)", group, share.left);
        trace_list_add(&list, text);
    }
    trace_list_end(&list);
    data->failed = data->failed || shares.failed;
}

static void read_key_share(struct trace_reader *reader, struct wire *data)
{
    uint16_t group;

    if (reader->place == TRACE_IN_CLIENT_HELLO) {
        read_client_shares(reader, data);
        return;
    }
    group = wire_u16(data);
    if (reader->place == TRACE_IN_SERVER_HELLO)
        wire_vector16(data);
    if (!data->failed)
        trace_say_number(reader->message, reader->place == TRACE_IN_RETRY ? "wants a key share of" : "group", trace_group_name(group), group);
}

static void read_alpn(struct trace_reader *reader, struct wire *data)
{
    struct wire protocols = wire_vector16(data);
    struct trace_list list = trace_list_begin(reader->message, reader->context, "ALPN");

    while (protocols.left && !protocols.failed) {
        struct wire protocol = wire_vector8(&protocols);
        char text[64];

        if (!protocol.failed)
            trace_list_add(&list, trace_message_quote(text, sizeof text, protocol.at, protocol.left));
    }
    trace_list_end(&list);
    data->failed = data->failed || protocols.failed;
}

static void read_cookie(struct trace_reader *reader, struct wire *data)
{
    size_t length = wire_vector16(data).left;

    if (!data->failed)
        trace_say(reader->message, "cookie", "%zu bytes", length);
}

static void read_certificate_types(struct trace_reader *reader, struct wire *data, const char *label)
{
    struct wire types = {0};
    struct trace_list list = trace_list_begin(reader->message, reader->context, label);

    if (reader->place == TRACE_IN_CLIENT_HELLO)
        types = wire_vector8(data);
    else
        types = wire_take(data, 1);
    while (types.left) { /* RFC 7250 section 3 */
        uint8_t type = wire_u8(&types);

        trace_list_add_number(&list, type == 0 ? "X.509" : type == 2 ? "bare key" : NULL, type);
    }
    trace_list_end(&list);
}

static void read_our_type(struct trace_reader *reader, struct wire *data)
{
    read_certificate_types(reader, data, "client's certificate");
}

static void read_their_type(struct trace_reader *reader, struct wire *data)
{
    read_certificate_types(reader, data, "server's certificate");
}

static void read_record_size(struct trace_reader *reader, struct wire *data)
{
    uint16_t size = wire_u16(data);

    if (!data->failed)
        trace_say(reader->message, "record size limit", "%u bytes", size);
}

/* RFC 6066 section 4. */
static void read_fragment_length(struct trace_reader *reader, struct wire *data)
{
    uint8_t code = wire_u8(data);

    if (!data->failed && code >= 1 && code <= 4)
        trace_say(reader->message, "max fragment length", "%u bytes", 256U << code);
    else if (!data->failed)
        trace_say(reader->message, "max fragment length", "code %u", code);
}

static void read_psk(struct trace_reader *reader, struct wire *data)
{
    struct wire identities;
    struct trace_list list;

    if (reader->place != TRACE_IN_CLIENT_HELLO) {
        uint16_t chosen = wire_u16(data);

        if (!data->failed)
            trace_say(reader->message, "pre-shared key", "the client's number %u", chosen);
        return;
    }
    identities = wire_vector16(data);
    list = trace_list_begin(reader->message, reader->context, "pre-shared keys");
    while (identities.left && !identities.failed) {
        struct wire identity = wire_vector16(&identities);
        char text[48];

        wire_take(&identities, 4); /* obfuscated_ticket_age */
        if (!identities.failed)
            trace_list_add(&list, trace_message_quote(text, sizeof text, identity.at, identity.left));
    }
    trace_list_end(&list);
    wire_vector16(data); /* binders */
    data->failed = data->failed || identities.failed;
}

static void read_psk_modes(struct trace_reader *reader, struct wire *data)
{
    struct wire modes = wire_vector8(data);
    struct trace_list list = trace_list_begin(reader->message, reader->context, "PSK modes");

    while (modes.left) {
        uint8_t mode = wire_u8(&modes);

        trace_list_add_number(&list, mode == 0 ? "psk_ke" : mode == 1 ? "psk_dhe_ke" : NULL, mode);
    }
    trace_list_end(&list);
    trace_only_in_detail(reader->message);
}

static void read_preference(struct trace_reader *reader, struct wire *data)
{
    char text[3 * HELLO_PREFERENCE_MAX];
    size_t length = data->left;
    struct wire value = wire_take(data, length);

    trace_say(reader->message, "role_preference", "\"%s\"", trace_message_quote(text, sizeof text, value.at, value.left));
}

static extension_reader *reader_of(uint16_t type, const struct trace_context *context)
{
    static const struct {
        uint16_t type;
        extension_reader *read;
    } table[] = {
        {0, read_server_name},       {1, read_fragment_length}, {10, read_groups},    {13, read_signatures},
        {16, read_alpn},             {19, read_our_type},       {20, read_their_type}, {28, read_record_size},
        {41, read_psk},              {43, read_versions},       {44, read_cookie},    {45, read_psk_modes},
        {51, read_key_share},
    };

    if (type == context->extension_id)
        return read_preference;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].type == type)
            return table[i].read;
    return NULL;
}

/* All of them: first what is in those that matter, and at the end all names, in their order. */
static void read_extensions(struct trace_reader *reader, struct wire *extensions)
{
    struct trace_message *message = reader->message;
    struct wire again = *extensions;
    struct trace_list names;

    while (extensions->left && !extensions->failed) {
        uint16_t type = wire_u16(extensions);
        struct wire data = wire_vector16(extensions);
        extension_reader *read = reader_of(type, reader->context);

        if (data.failed || !read)
            continue;
        read(reader, &data);
        if (!wire_done(&data))
            trace_say(message, trace_extension_name(type) ? trace_extension_name(type) : "role_preference", "malformed");
    }
    if (again.left == 0)
        return;
    names = trace_list_begin(message, reader->context, "extensions");
    names.most *= 4; /* their names are what one looks for */
    while (again.left && !again.failed) {
        uint16_t type = wire_u16(&again);

        wire_vector16(&again);
        if (!again.failed)
            trace_list_add_number(&names, type == reader->context->extension_id ? "role_preference" : trace_extension_name(type), type);
    }
    trace_list_end(&names);
}

/* A vector of extensions at the end of a message; where there may be none at all, nothing is there. */
void trace_read_extensions(struct trace_reader *reader, struct wire *body)
{
    struct wire extensions = wire_vector16(body);

    read_extensions(reader, &extensions);
    body->failed = body->failed || extensions.failed;
}
