/* identity.c - who we are: our certificate and its key. */
#include "identity.h"
#include "identity_make.h"
#include "buffer.h"
#include "file.h"
#include "text.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct identity {
    gnutls_certificate_credentials_t credentials;
    char pin[TEXT_PIN_SIZE];
    char name[256];
    const char *pins[1];
};

static void tell(struct error *error, const char *what, const char *path, int code)
{
    error_set(error, STATUS_IDENTITY, "cannot use the %s in \"%s\": %s", what, path, gnutls_strerror(code));
}

static bool contains(const struct buffer *text, const char *words)
{
    return buffer_used(text) && memmem(buffer_at(text), buffer_used(text), words, strlen(words)) != NULL;
}

static gnutls_datum_t datum(const struct buffer *buffer)
{
    return (gnutls_datum_t){.data = (unsigned char *)buffer_at(buffer), .size = (unsigned)buffer_used(buffer)};
}

struct identity *identity_none(struct error *error)
{
    struct identity *identity = calloc(1, sizeof *identity);

    if (identity && gnutls_certificate_allocate_credentials(&identity->credentials) == 0)
        return identity;
    free(identity);
    error_set(error, STATUS_IDENTITY, "out of memory");
    return NULL;
}

void identity_free(struct identity *identity)
{
    if (identity)
        gnutls_certificate_free_credentials(identity->credentials);
    free(identity);
}

const char *identity_pin(const struct identity *identity)
{
    return identity->pin;
}

const char *const *identity_pins(const struct identity *identity, size_t *count)
{
    *count = *identity->pin ? 1 : 0;
    return identity->pins;
}

const char *identity_name(const struct identity *identity)
{
    return identity->name;
}

struct gnutls_certificate_credentials_st *identity_credentials(const struct identity *identity)
{
    return identity->credentials;
}

/* Our own certificate out of the credentials: its pin, its name, and whether its time is now. */
static bool look_at(struct identity *identity, const char *path, struct error *error)
{
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    uint8_t hash[TEXT_PIN_HASH];
    size_t size = sizeof hash;
    char name[sizeof identity->name];
    size_t name_size = sizeof name;
    time_t now = time(NULL);
    bool usable = false;
    int code = gnutls_certificate_get_x509_crt(identity->credentials, 0, &list, &count);

    if (code < 0 || count == 0) {
        tell(error, "certificate", path, code);
        return false;
    }
    code = gnutls_x509_crt_get_key_id(list[0], GNUTLS_KEYID_USE_SHA256, hash, &size);
    if (code < 0)
        tell(error, "certificate", path, code);
    else if (gnutls_x509_crt_get_expiration_time(list[0]) < now)
        error_set(error, STATUS_IDENTITY, "our certificate in \"%s\" has expired, nobody would accept it", path);
    else if (gnutls_x509_crt_get_activation_time(list[0]) > now)
        error_set(error, STATUS_IDENTITY, "our certificate in \"%s\" is not valid yet; is the clock right?", path);
    else
        usable = true;
    text_from_pin(identity->pin, hash);
    identity->pins[0] = identity->pin;
    if (gnutls_x509_crt_get_dn_by_oid(list[0], GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &name_size) == 0)
        text_escape(identity->name, sizeof identity->name, name, name_size);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return usable;
}

/* Put certificate and key to use together; they have to match. */
static struct identity *assemble(const struct buffer *certificate, const char *certificate_path,
                                 const struct buffer *key, const char *key_path, const char *passphrase,
                                 struct error *error)
{
    struct identity *identity = identity_none(error);
    gnutls_datum_t certificate_pem = datum(certificate), key_pem = datum(key);
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    int code;

    if (!identity)
        return NULL;
    /* GnuTLS 3.7.9 leaks when it is the one to find out that there is no certificate in it. */
    code = gnutls_x509_crt_list_import2(&list, &count, &certificate_pem, GNUTLS_X509_FMT_PEM, 0);
    for (unsigned i = 0; code >= 0 && i < count; i++)
        gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    if (code >= 0)
        code = gnutls_certificate_set_x509_key_mem2(identity->credentials, &certificate_pem, &key_pem, GNUTLS_X509_FMT_PEM,
                                                passphrase, 0);
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        error_set(error, STATUS_IDENTITY, "the key in \"%s\" is not the key of the certificate in \"%s\"", key_path,
                  certificate_path);
    else if (code == GNUTLS_E_DECRYPTION_FAILED)
        error_set(error, STATUS_IDENTITY, "the passphrase for the key in \"%s\" is wrong", key_path);
    else if (code < 0)
        tell(error, "certificate or key", strcmp(certificate_path, key_path) ? certificate_path : key_path, code);
    if (code >= 0 && look_at(identity, certificate_path, error))
        return identity;
    identity_free(identity);
    return NULL;
}

/* The passphrase, if the key needs one. False: it does, and there is none. */
static bool get_passphrase(const struct identity_config *config, const struct buffer *key, const char *path, char *answer,
                           size_t size, const char **passphrase, struct error *error)
{
    char question[512];

    *passphrase = NULL;
    if (!contains(key, "ENCRYPTED")) /* "BEGIN ENCRYPTED PRIVATE KEY", or OpenSSL's "Proc-Type: 4,ENCRYPTED" */
        return true;
    *passphrase = config->passphrase;
    if (*passphrase)
        return true;
    snprintf(question, sizeof question, "Passphrase for the key in %s: ", path);
    if (config->ask && config->ask(config->ask_context, question, answer, size)) {
        *passphrase = answer;
        return true;
    }
    error_set(error, STATUS_IDENTITY, "the key in \"%s\" is encrypted, and nobody could be asked for its passphrase; use --pass",
              path);
    return false;
}

/* A certificate may be public; that is no reason to say that it is, when what is missing is the key. */
static bool read_key(const struct identity_config *config, const char *path, struct buffer *key, struct error *error)
{
    struct error unreadable = {0};
    bool read = file_read(path, FILE_PRIVATE, key, STATUS_IDENTITY, &unreadable);

    if ((read || contains(key, "CERTIFICATE-----")) && !contains(key, "PRIVATE KEY-----")) {
        error_set(error, STATUS_IDENTITY, "there is no private key (PEM) in \"%s\"%s", path,
                  contains(key, "CERTIFICATE-----") && !config->key ? "; --key names the file that has it" : "");
        return false;
    }
    if (!read)
        error_set(error, unreadable.status, "%s", unreadable.story);
    return read;
}

struct identity *identity_load(const struct identity_config *config, struct error *error)
{
    struct buffer certificate = {0}, key = {0};
    const char *key_path = config->key ? config->key : config->certificate;
    const char *certificate_path = config->certificate ? config->certificate : key_path;
    struct identity *identity = NULL;
    char answer[256] = "";
    const char *passphrase;

    if (!read_key(config, key_path, &key, error))
        goto out;
    if (!get_passphrase(config, &key, key_path, answer, sizeof answer, &passphrase, error))
        goto out;
    if (certificate_path != key_path) {
        if (!file_read(certificate_path, FILE_PUBLIC, &certificate, STATUS_IDENTITY, error))
            goto out;
    } else if (contains(&key, "CERTIFICATE-----")) {
        if (!buffer_append(&certificate, buffer_at(&key), buffer_used(&key)))
            goto out;
    } else if (!identity_make_certificate(&key, passphrase, key_path, &certificate, error)) {
        goto out;
    }
    identity = assemble(&certificate, certificate_path, &key, key_path, passphrase, error);
out:
    explicit_bzero(answer, sizeof answer);
    buffer_free(&certificate);
    buffer_free(&key);
    return identity;
}

struct identity *identity_own(const char *path, bool *made, struct error *error)
{
    struct identity_config config = {.certificate = path};
    struct buffer pem = {0}, existing = {0};
    struct error unreadable = {0};
    struct identity *identity = NULL;
    bool missing = !file_read(path, FILE_PRIVATE, &existing, STATUS_IDENTITY, &unreadable) && errno == ENOENT;

    if (!missing ||
        (file_make_folder(path, STATUS_IDENTITY, error) && identity_make(&pem, error) &&
         file_write(path, FILE_KEEP, buffer_at(&pem), buffer_used(&pem), STATUS_IDENTITY, error)))
        identity = identity_load(&config, error);
    *made = missing && identity;
    buffer_free(&pem);
    buffer_free(&existing);
    return identity;
}
