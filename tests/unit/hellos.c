/* hellos.c - ClientHellos made in memory, right and wrong, cut into records in any way. */
#include "hellos.h"
#include "hello.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUPPORTED_VERSIONS = 43, FILLER = 0xfe00, RECORD_MAX = 16384 };

const struct hellos hellos_of_client = {.preference = "!", .preference_length = 1};
const struct hellos hellos_of_server = {.preference = "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~", .preference_length = 32};
const struct hellos hellos_plain;

struct hellos hellos_ours(const struct role_config *config, uint8_t random)
{
    return (struct hellos){.preference = config->implicit ? NULL : config->ours.value,
                           .preference_length = config->ours.length, .random = random};
}

struct writer {
    uint8_t *at;
    const struct hellos *hellos;
};

static void put(struct writer *writer, size_t width, size_t number)
{
    while (width--)
        *writer->at++ = (uint8_t)(number >> 8 * width);
}

static void fill(struct writer *writer, uint8_t byte, size_t count)
{
    memset(writer->at, byte, count);
    writer->at += count;
}

/* A length field of `width` bytes is left open, ... */
static uint8_t *open_vector(struct writer *writer, size_t width)
{
    uint8_t *field = writer->at;

    writer->at += width;
    return field;
}

/* ... and filled in when what it measures is there: with the truth, or with what the test wants. */
static void close_vector(struct writer *writer, uint8_t *field, size_t width, enum hellos_field name)
{
    struct writer back = {.at = field};
    size_t length = (size_t)(writer->at - field) - width;

    if (writer->hellos->field == name && name != FIELD_NONE)
        length = (size_t)((long)length + writer->hellos->lie);
    put(&back, width, length);
}

static void put_preference(struct writer *writer)
{
    const struct hellos *hellos = writer->hellos;
    uint8_t *field;

    if (!hellos->preference)
        return;
    put(writer, 2, hellos->extension_id ? hellos->extension_id : HELLO_EXTENSION_ID);
    field = open_vector(writer, 2);
    memcpy(writer->at, hellos->preference, hellos->preference_length);
    writer->at += hellos->preference_length;
    close_vector(writer, field, 2, FIELD_PREFERENCE);
}

static void put_versions(struct writer *writer)
{
    uint8_t *field;

    put(writer, 2, SUPPORTED_VERSIONS);
    field = open_vector(writer, 2);
    put(writer, 1, 4);
    put(writer, 2, 0x0304);
    put(writer, 2, 0x0303);
    close_vector(writer, field, 2, FIELD_VERSIONS);
}

static void put_extensions(struct writer *writer, const uint8_t *message)
{
    const struct hellos *hellos = writer->hellos;
    uint8_t *block = open_vector(writer, 2);
    size_t size;

    if (hellos->preference_first)
        put_preference(writer);
    put_versions(writer);
    if (!hellos->preference_first)
        put_preference(writer);
    if (hellos->twice)
        put_preference(writer);
    size = (size_t)(writer->at - message);
    if (hellos->size >= size + 4) {
        put(writer, 2, FILLER);
        put(writer, 2, hellos->size - size - 4);
        fill(writer, 0xff, hellos->size - size - 4); /* zeros would read as extensions when a length lies */
    }
    close_vector(writer, block, 2, FIELD_EXTENSIONS);
}

size_t hellos_message(uint8_t *out, const struct hellos *hellos)
{
    struct writer writer = {.at = out, .hellos = hellos};
    uint8_t *whole, *field;

    put(&writer, 1, HANDSHAKE_CLIENT_HELLO);
    whole = open_vector(&writer, 3);
    put(&writer, 2, 0x0303);
    fill(&writer, hellos->random, HELLO_RANDOM_SIZE);
    field = open_vector(&writer, 1);
    fill(&writer, 0xaa, 32);
    close_vector(&writer, field, 1, FIELD_SESSION_ID);
    field = open_vector(&writer, 2);
    put(&writer, 2, 0x1301);
    put(&writer, 2, 0xc02b);
    close_vector(&writer, field, 2, FIELD_CIPHER_SUITES);
    field = open_vector(&writer, 1);
    put(&writer, 1, 0);
    close_vector(&writer, field, 1, FIELD_COMPRESSION);
    if (!hellos->bare)
        put_extensions(&writer, out);
    close_vector(&writer, whole, 3, FIELD_MESSAGE);
    return (size_t)(writer.at - out);
}

size_t hellos_records(uint8_t *out, const uint8_t *message, size_t length, size_t piece)
{
    struct writer writer = {.at = out};

    while (length) {
        size_t size = length < piece ? length : piece;

        put(&writer, 1, 22);
        put(&writer, 2, 0x0301);
        put(&writer, 2, size);
        memcpy(writer.at, message, size);
        writer.at += size;
        message += size;
        length -= size;
    }
    return (size_t)(writer.at - out);
}

size_t hellos_make(uint8_t *out, const struct hellos *hellos)
{
    static uint8_t message[HELLOS_SIZE];

    return hellos_records(out, message, hellos_message(message, hellos), RECORD_MAX);
}

size_t hellos_vector(uint8_t *out, const char *name)
{
    const char *srcdir = getenv("srcdir");
    char path[4096];
    size_t length = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s/tests/vectors/%s", srcdir ? srcdir : ".", name);
    file = fopen(path, "rb");
    if (file) {
        length = fread(out, 1, HELLOS_SIZE, file);
        fclose(file);
    }
    return length;
}

uint8_t *hellos_exactly(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length);

    if (!copy && length)
        abort();
    if (length)
        memcpy(copy, bytes, length);
    return copy;
}
