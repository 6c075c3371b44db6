/* identity_token.c - keys and certificates that a token holds (PKCS#11). The key never leaves it. */
#include "identity_credential.h"

#include <gnutls/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a token asks while it is opened, and again for each signature if the key wants that: so it lives as long as the key. */
struct identity_login {
    const struct identity_config *config; /* NULL once everything is loaded */
    char pin[GNUTLS_PKCS11_MAX_PIN_LEN];
    bool wrong; /* it did not */
    bool last;  /* it would take only one more */
    bool nobody;
};

bool identity_is_token(const char *place)
{
    return strncmp(place, "pkcs11:", 7) == 0;
}

/* A PIN is tried once: a token that gets too many wrong ones locks itself. */
static int give_pin(void *userdata, int attempt, const char *url, const char *label, unsigned flags, char *pin, size_t size)
{
    struct identity_login *login = userdata;
    const char *passphrase = login->config ? login->config->passphrase : NULL;
    char question[512];

    (void)url;
    login->wrong = login->wrong || attempt > 0 || (flags & GNUTLS_PIN_WRONG);
    if (login->wrong)
        return -1;
    if (*login->pin) {
        /* the token has taken this one already */
    } else if (passphrase) {
        login->last = (flags & GNUTLS_PIN_FINAL_TRY) != 0;
        if (login->last || strlen(passphrase) >= sizeof login->pin)
            return -1;
        strcpy(login->pin, passphrase);
    } else {
        snprintf(question, sizeof question, "%sPIN for the token \"%s\": ",
                 flags & GNUTLS_PIN_FINAL_TRY ? "This is the last try before the token locks.\n" : "", label);
        login->nobody = !login->config || !login->config->ask ||
                        !login->config->ask(login->config->ask_context, question, login->pin, sizeof login->pin);
        if (login->nobody)
            return -1;
    }
    if (strlen(login->pin) >= size)
        return -1;
    strcpy(pin, login->pin);
    return 0;
}

static void tell(struct error *error, const struct identity_login *login, const char *what, const char *uri, int code)
{
    if (code == GNUTLS_E_PKCS11_PIN_LOCKED)
        error_set(error, STATUS_IDENTITY, "the token of \"%s\" is locked: too many wrong PINs", uri);
    else if (login->nobody)
        error_set(error, STATUS_IDENTITY, "the token of \"%s\" wants a PIN, and nobody could be asked for it; use --pass", uri);
    else if (!login->last && (login->wrong || code == GNUTLS_E_PKCS11_PIN_ERROR))
        error_set(error, STATUS_IDENTITY, "the token of \"%s\" did not take the PIN; it was tried once", uri);
    else if (login->last)
        error_set(error, STATUS_IDENTITY,
                  "the token of \"%s\" takes only one more PIN before it locks: that one is not for --pass, but for a person", uri);
    else if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || code == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE)
        error_set(error, STATUS_IDENTITY, "there is no %s at \"%s\"; p11tool --list-all lists what there is", what, uri);
    else
        identity_tell(error, what, uri, code);
}

static struct identity_login *login_of(const struct identity_config *config, struct credential *credential)
{
    if (!credential->login)
        credential->login = calloc(1, sizeof *credential->login);
    if (credential->login)
        credential->login->config = config;
    return credential->login;
}

void identity_login_end(struct credential *credential)
{
    if (credential->login)
        credential->login->config = NULL;
}

void identity_login_free(struct credential *credential)
{
    if (credential->login)
        explicit_bzero(credential->login, sizeof *credential->login);
    free(credential->login);
}

bool identity_read_token_key(const struct identity_config *config, const char *uri, struct credential *credential,
                             struct error *error)
{
    struct identity_login *login = login_of(config, credential);
    int code = login ? gnutls_privkey_init(&credential->key) : GNUTLS_E_MEMORY_ERROR;

    if (code < 0) {
        identity_tell(error, "key", uri, code);
        return false;
    }
    gnutls_privkey_set_pin_function(credential->key, give_pin, login);
    code = gnutls_privkey_import_pkcs11_url(credential->key, uri);
    if (code < 0)
        tell(error, login, "private key", uri, code);
    return code >= 0;
}

bool identity_read_token_chain(const struct identity_config *config, const char *uri, struct credential *credential,
                               bool may_be_missing, struct error *error)
{
    struct identity_login *login = login_of(config, credential);
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    char *typed = NULL;
    int code;

    /* One URI for both: with its type it is the certificate of that name. */
    if (!login || (!strstr(uri, "type=") && asprintf(&typed, "%s%stype=cert", uri, uri[strlen(uri) - 1] == ':' ? "" : ";") < 0)) {
        error_set(error, STATUS_IDENTITY, "out of memory");
        return false;
    }
    code = gnutls_x509_crt_list_import_url(&list, &count, typed ? typed : uri, give_pin, login, 0);
    free(typed);
    for (unsigned i = 0; code >= 0 && i < count; i++) {
        if (credential->chain_count < CREDENTIAL_CHAIN_MAX)
            credential->chain[credential->chain_count++] = list[i];
        else
            gnutls_x509_crt_deinit(list[i]);
    }
    gnutls_free(list);
    if (code >= 0 || (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE && may_be_missing))
        return true;
    tell(error, login, "certificate", uri, code);
    return false;
}
