/* identity.c - who we are: our keys, and what is shown of them. */
#include "identity.h"
#include "file.h"
#include "identity_credential.h"
#include "identity_make.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void identity_tell(struct error *error, const char *what, const char *place, int code)
{
    error_set(error, STATUS_IDENTITY, "cannot use the %s in \"%s\": %s", what, place, gnutls_strerror(code));
}

static bool no_memory(struct error *error)
{
    error_set(error, STATUS_IDENTITY, "out of memory");
    return false;
}

struct identity *identity_none(struct error *error)
{
    struct identity *identity = calloc(1, sizeof *identity);

    if (identity && gnutls_certificate_allocate_credentials(&identity->library) == 0)
        return identity;
    free(identity);
    no_memory(error);
    return NULL;
}

static void free_credential(struct credential *credential)
{
    for (unsigned i = 0; i < credential->shown_count; i++)
        gnutls_pcert_deinit(&credential->shown[i]);
    for (unsigned i = 0; i < credential->chain_count; i++)
        gnutls_x509_crt_deinit(credential->chain[i]);
    gnutls_privkey_deinit(credential->key);
    gnutls_free(credential->status.response.data);
    identity_login_free(credential);
    free((char *)credential->place);
    free((char *)credential->peer);
}

void identity_free(struct identity *identity)
{
    if (!identity)
        return;
    for (size_t i = 0; i < identity->count; i++)
        free_credential(&identity->at[i]);
    gnutls_certificate_free_credentials(identity->library);
    free(identity->at);
    free(identity->pins);
    free(identity);
}

_Static_assert((int)IDENTITY_NAME_SIZE >= (int)IDENTITY_MAKE_NAME_SIZE, "it has room");

void identity_usual_name(char name[IDENTITY_NAME_SIZE])
{
    identity_make_name(name);
}

/* ---- Small views ---- */

size_t identity_count(const struct identity *identity)
{
    return identity->count;
}

const char *identity_pin(const struct identity *identity, size_t index)
{
    return index < identity->count ? identity->at[index].pin : "";
}

const char *identity_name(const struct identity *identity, size_t index)
{
    return index < identity->count ? identity->at[index].name : "";
}

const char *identity_place(const struct identity *identity, size_t index)
{
    return index < identity->count ? identity->at[index].place : "";
}

bool identity_is_bare(const struct identity *identity)
{
    return identity->bare;
}

const char *const *identity_pins(const struct identity *identity)
{
    return identity->pins;
}

int64_t identity_days_left(const struct identity *identity, size_t index)
{
    const struct credential *credential = &identity->at[index];
    time_t expiry;

    if (identity->bare || credential->chain_count == 0)
        return INT64_MAX;
    expiry = gnutls_x509_crt_get_expiration_time(credential->chain[0]);
    return expiry == (time_t)GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION ? INT64_MAX : (expiry - time(NULL) + 43200) / 86400;
}

/* ---- Putting a credential together ---- */

/* The pin of a key. A token may keep its public half to itself: *known is false then. */
static int pin_of_key(gnutls_privkey_t key, char pin[TEXT_PIN_SIZE], bool *known)
{
    gnutls_pubkey_t public = NULL;
    uint8_t hash[TEXT_PIN_HASH];
    size_t size = sizeof hash;
    int code = gnutls_pubkey_init(&public);

    *known = code >= 0 && gnutls_pubkey_import_privkey(public, key, 0, 0) >= 0;
    if (*known)
        code = gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, hash, &size);
    if (*known && code >= 0)
        text_from_pin(pin, hash);
    gnutls_pubkey_deinit(public);
    return code;
}

/* Nobody would accept a certificate out of its time; a bare key has none. */
static bool check_dates(const struct credential *credential, struct error *error)
{
    time_t now = time(NULL);

    if (gnutls_x509_crt_get_expiration_time(credential->chain[0]) < now)
        error_set(error, STATUS_IDENTITY, "our certificate in \"%s\" has expired, nobody would accept it", credential->place);
    else if (gnutls_x509_crt_get_activation_time(credential->chain[0]) > now)
        error_set(error, STATUS_IDENTITY, "our certificate in \"%s\" is not valid yet; is the clock right?", credential->place);
    else
        return true;
    return false;
}

/* Certificate and key have to match. */
static bool check_pair(struct credential *credential, const struct identity_source *source, struct error *error)
{
    char pin[TEXT_PIN_SIZE];
    uint8_t hash[TEXT_PIN_HASH];
    size_t size = sizeof hash;
    bool known;
    int code = pin_of_key(credential->key, pin, &known);

    if (code >= 0)
        code = gnutls_x509_crt_get_key_id(credential->chain[0], GNUTLS_KEYID_USE_SHA256, hash, &size);
    if (code < 0) {
        identity_tell(error, "certificate", credential->place, code);
        return false;
    }
    text_from_pin(credential->pin, hash);
    if (!known || strcmp(pin, credential->pin) == 0)
        return true;
    error_set(error, STATUS_IDENTITY, "the key in \"%s\" is not the key of the certificate in \"%s\"",
              source->key ? source->key : credential->place, credential->place);
    return false;
}

static void take_name(struct credential *credential)
{
    char name[sizeof credential->name];
    size_t size = sizeof name;

    if (gnutls_x509_crt_get_dn_by_oid(credential->chain[0], GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) == 0)
        text_escape(credential->name, sizeof credential->name, name, size);
}

static bool show_bare(struct credential *credential, struct error *error)
{
    gnutls_pubkey_t public = NULL;
    int code = gnutls_pubkey_init(&public);

    if (code >= 0)
        code = gnutls_pubkey_import_x509(public, credential->chain[0], 0);
    if (code >= 0)
        code = gnutls_pcert_import_rawpk(&credential->shown[0], public, 0); /* takes it over */
    if (code >= 0)
        credential->shown_count = 1;
    else {
        gnutls_pubkey_deinit(public);
        identity_tell(error, "public key", credential->place, code);
    }
    return code >= 0;
}

static bool show_chain(struct credential *credential, struct error *error)
{
    unsigned count = credential->chain_count;
    int code = gnutls_pcert_import_x509_list(credential->shown, credential->chain, &count, 0);

    if (code < 0)
        identity_tell(error, "certificate", credential->place, code);
    else
        credential->shown_count = count;
    return code >= 0;
}

static bool load(const struct identity_config *config, const struct identity_source *source, struct credential *credential,
                 struct error *error)
{
    const char *place = source->certificate ? source->certificate : source->key;

    credential->place = strdup(place);
    credential->peer = source->peer ? strdup(source->peer) : NULL;
    if (!credential->place || (source->peer && !credential->peer))
        return no_memory(error);
    if (!identity_read_files(config, source, credential, error))
        return false;
    if (credential->chain_count == 0 && !identity_make_certificate(credential->key, place, &credential->chain[0], error))
        return false;
    credential->chain_count += credential->chain_count == 0;
    identity_login_end(credential);
    take_name(credential);
    return check_pair(credential, source, error) && (config->bare || check_dates(credential, error)) &&
           (config->bare ? show_bare(credential, error) : show_chain(credential, error));
}

struct identity *identity_load(const struct identity_config *config, struct error *error)
{
    struct identity *identity = identity_none(error);
    bool usable = identity != NULL;

    if (!usable)
        return NULL;
    identity->bare = config->bare;
    identity->at = calloc(config->source_count, sizeof *identity->at);
    identity->pins = calloc(config->source_count, sizeof *identity->pins);
    if (!identity->at || !identity->pins)
        usable = no_memory(error);
    for (size_t i = 0; usable && i < config->source_count; i++) {
        identity->count++;
        usable = load(config, &config->sources[i], &identity->at[i], error);
        identity->pins[i] = identity->at[i].pin;
    }
    if (usable)
        return identity;
    identity_free(identity);
    return NULL;
}

struct identity *identity_own(const char *path, bool bare, bool *made, struct error *error)
{
    const struct identity_source source = {.certificate = path};
    const struct identity_config config = {.sources = &source, .source_count = 1, .bare = bare};
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
