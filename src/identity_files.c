/* identity_files.c - a key and its certificates out of files: PEM, or PKCS#12. */
#include "file.h"
#include "identity_credential.h"

#include <gnutls/pkcs12.h>
#include <stdio.h>
#include <string.h>

static bool contains(const struct buffer *text, const char *words)
{
    return buffer_used(text) && memmem(buffer_at(text), buffer_used(text), words, strlen(words)) != NULL;
}

static gnutls_datum_t datum(const struct buffer *buffer)
{
    return (gnutls_datum_t){.data = (unsigned char *)buffer_at(buffer), .size = (unsigned)buffer_used(buffer)};
}

static bool keep_chain(struct credential *credential, gnutls_x509_crt_t *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (credential->chain_count < CREDENTIAL_CHAIN_MAX)
            credential->chain[credential->chain_count++] = list[i];
        else
            gnutls_x509_crt_deinit(list[i]);
    }
    gnutls_free(list);
    return true;
}

/* What came along with a key, when the certificate is elsewhere. */
static void drop_chain(struct credential *credential)
{
    while (credential->chain_count)
        gnutls_x509_crt_deinit(credential->chain[--credential->chain_count]);
}

/* ---- Passphrases ---- */

struct passphrase {
    const char *text; /* NULL: none is needed */
    char answer[256];
};

static bool get_passphrase(const struct identity_config *config, const char *path, struct passphrase *passphrase,
                           struct error *error)
{
    char question[512];

    passphrase->text = config->passphrase;
    if (passphrase->text)
        return true;
    snprintf(question, sizeof question, "Passphrase for the key in %s: ", path);
    if (config->ask && config->ask(config->ask_context, question, passphrase->answer, sizeof passphrase->answer)) {
        passphrase->text = passphrase->answer;
        return true;
    }
    error_set(error, STATUS_IDENTITY, "the key in \"%s\" is encrypted, and nobody could be asked for its passphrase; use --pass",
              path);
    return false;
}

static void tell_key(struct error *error, const char *path, int code)
{
    if (code == GNUTLS_E_DECRYPTION_FAILED || code == GNUTLS_E_MAC_VERIFY_FAILED)
        error_set(error, STATUS_IDENTITY, "the passphrase for the key in \"%s\" is wrong", path);
    else
        identity_tell(error, "certificate or key", path, code);
}

/* ---- PKCS#12 ---- */

static bool is_pkcs12(const struct buffer *contents)
{
    return buffer_used(contents) > 1 && buffer_at(contents)[0] == 0x30 && !contains(contents, "-----BEGIN");
}

static bool is_protected(gnutls_pkcs12_t file)
{
    return gnutls_pkcs12_verify_mac(file, NULL) < 0 && gnutls_pkcs12_verify_mac(file, "") < 0;
}

static bool read_pkcs12(const struct identity_config *config, const char *path, const struct buffer *contents,
                        struct credential *credential, struct error *error)
{
    gnutls_datum_t der = datum(contents);
    gnutls_pkcs12_t file = NULL;
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    struct passphrase passphrase = {.text = ""};
    bool usable = false;
    int code = gnutls_pkcs12_init(&file);

    if (code >= 0)
        code = gnutls_pkcs12_import(file, &der, GNUTLS_X509_FMT_DER, 0);
    if (code < 0) {
        error_set(error, STATUS_IDENTITY, "\"%s\" is neither PEM nor PKCS#12", path);
        goto out;
    }
    if (is_protected(file) && !get_passphrase(config, path, &passphrase, error))
        goto out;
    if (gnutls_pkcs12_verify_mac(file, *passphrase.text ? passphrase.text : NULL) < 0)
        code = gnutls_pkcs12_verify_mac(file, passphrase.text);
    if (code >= 0)
        code = gnutls_pkcs12_simple_parse(file, passphrase.text, &key, &list, &count, NULL, NULL, NULL, 0);
    if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) /* a key alone, perhaps */
        code = gnutls_pkcs12_simple_parse(file, passphrase.text, &key, NULL, NULL, NULL, NULL, NULL, 0);
    if (code >= 0 && key) {
        code = gnutls_privkey_init(&credential->key);
        if (code >= 0)
            code = gnutls_privkey_import_x509(credential->key, key, GNUTLS_PRIVKEY_IMPORT_COPY);
    }
    if (code < 0 && code != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        tell_key(error, path, code);
    else if (!key)
        error_set(error, STATUS_IDENTITY, "there is no private key in \"%s\"", path);
    else
        usable = keep_chain(credential, list, count);
    gnutls_x509_privkey_deinit(key);
out:
    gnutls_pkcs12_deinit(file);
    explicit_bzero(&passphrase, sizeof passphrase);
    return usable;
}

/* ---- PEM ---- */

static bool read_pem_key(const struct identity_config *config, const char *path, const struct buffer *contents,
                         struct credential *credential, struct error *error)
{
    gnutls_datum_t pem = datum(contents);
    struct passphrase passphrase = {.text = NULL};
    int code;

    /* "BEGIN ENCRYPTED PRIVATE KEY", or OpenSSL's "Proc-Type: 4,ENCRYPTED" */
    if (contains(contents, "ENCRYPTED") && !get_passphrase(config, path, &passphrase, error))
        return false;
    code = gnutls_privkey_init(&credential->key);
    if (code >= 0)
        code = gnutls_privkey_import_x509_raw(credential->key, &pem, GNUTLS_X509_FMT_PEM, passphrase.text, 0);
    explicit_bzero(&passphrase, sizeof passphrase);
    if (code < 0)
        tell_key(error, path, code);
    return code >= 0;
}

static bool read_pem_chain(const char *path, const struct buffer *contents, struct credential *credential, struct error *error)
{
    gnutls_datum_t pem = datum(contents);
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    int code = gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);

    if (code >= 0)
        return keep_chain(credential, list, count);
    identity_tell(error, "certificate", path, code);
    return false;
}

/* A certificate may be public; that is no reason to say that it is, when what is missing is the key. */
static bool read_key_file(const struct identity_source *source, const char *path, struct buffer *contents, struct error *error)
{
    struct error unreadable = {0};
    bool read = file_read(path, FILE_PRIVATE, contents, STATUS_IDENTITY, &unreadable);

    if ((read || contains(contents, "CERTIFICATE-----")) && !is_pkcs12(contents) && !contains(contents, "PRIVATE KEY-----")) {
        error_set(error, STATUS_IDENTITY, "there is no private key (PEM) in \"%s\"%s", path,
                  contains(contents, "CERTIFICATE-----") && !source->key ? "; --key names the file that has it" : "");
        return false;
    }
    if (!read)
        error_set(error, unreadable.status, "%s", unreadable.story);
    return read;
}

/* The key; and the certificates, if they are in the same place. */
static bool read_key(const struct identity_config *config, const struct identity_source *source, struct credential *credential,
                     struct error *error)
{
    const char *path = source->key ? source->key : source->certificate;
    struct buffer contents = {0};
    bool read;

    if (identity_is_token(path))
        return identity_read_token_key(config, path, credential, error) &&
               (source->certificate || identity_read_token_chain(config, path, credential, true, error));
    read = read_key_file(source, path, &contents, error);
    if (read && is_pkcs12(&contents))
        read = read_pkcs12(config, path, &contents, credential, error);
    else if (read)
        read = read_pem_key(config, path, &contents, credential, error) &&
               ((source->key && source->certificate) || !contains(&contents, "CERTIFICATE-----") ||
                read_pem_chain(path, &contents, credential, error));
    buffer_free(&contents);
    return read;
}

static bool read_chain(const struct identity_config *config, const char *path, bool may_be_missing, struct credential *credential,
                       struct error *error)
{
    struct buffer contents = {0};
    bool read;

    if (identity_is_token(path))
        return identity_read_token_chain(config, path, credential, may_be_missing, error);
    read = file_read(path, FILE_PUBLIC, &contents, STATUS_IDENTITY, error) && read_pem_chain(path, &contents, credential, error);
    buffer_free(&contents);
    return read;
}

static bool read_status(const char *path, struct credential *credential, struct error *error)
{
    struct buffer contents = {0};
    gnutls_ocsp_resp_t response = NULL;
    bool read = file_read(path, FILE_PUBLIC, &contents, STATUS_IDENTITY, error);
    gnutls_datum_t bytes = datum(&contents);
    gnutls_datum_t *kept = &credential->status.response;
    int code = read ? gnutls_ocsp_resp_init(&response) : 0;

    if (read && code >= 0)
        code = gnutls_ocsp_resp_import2(response, &bytes,
                                        contains(&contents, "-----BEGIN") ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER);
    if (read && code >= 0)
        code = gnutls_ocsp_resp_export2(response, kept, GNUTLS_X509_FMT_DER);
    if (read && code >= 0 && credential->chain_count && gnutls_ocsp_resp_check_crt(response, 0, credential->chain[0]) < 0) {
        error_set(error, STATUS_IDENTITY, "the OCSP response in \"%s\" is not about the certificate in \"%s\"", path, credential->place);
        read = false;
    }
    if (code < 0)
        identity_tell(error, "OCSP response", path, code);
    credential->status.version = 0;
    credential->status.exptime = 0;
    gnutls_ocsp_resp_deinit(response);
    buffer_free(&contents);
    return read && code >= 0;
}

bool identity_read_files(const struct identity_config *config, const struct identity_source *source,
                         struct credential *credential, struct error *error)
{
    if (!read_key(config, source, credential, error))
        return false;
    if (source->certificate && (source->key || identity_is_token(source->certificate))) {
        drop_chain(credential);
        if (!read_chain(config, source->certificate, !source->key, credential, error))
            return false;
    }
    return !source->status || read_status(source->status, credential, error);
}
