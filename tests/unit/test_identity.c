/* test_identity.c - who we are: made once, loaded from files of many kinds, and refused with a sentence. */
#include "check.h"
#include "certs.h"
#include "helpers.h"
#include "identity_credential.h"
#include "known.h"

#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *own_path(void)
{
    return scratch_path("config/symtls/identity.pem");
}

/* ---- Our own ---- */

static void assert_pin(const char *pin)
{
    char canonical[TEXT_PIN_SIZE];

    assert_true(text_pin(pin, canonical));
    assert_string_equal(pin, canonical);
}

static void test_first_use_and_second(void **state)
{
    struct error error = {0};
    struct identity *first, *second;
    bool made = false;
    char *before, *after;

    (void)state;
    scratch_clear();
    first = identity_own(own_path(), false, &made, &error);
    check_row(first, "%s", error.story);
    assert_true(made);
    assert_pin(identity_pin(first, 0));
    assert_true(known_is_name(identity_name(first, 0)));
    assert_int_equal(file_mode(own_path()), 0600);
    assert_int_equal(file_mode(scratch_path("config/symtls")), 0700);
    assert_int_equal(scratch_count("config/symtls"), 1);
    before = file_get(own_path());

    second = identity_own(own_path(), false, &made, &error);
    check_row(second, "%s", error.story);
    assert_false(made);
    assert_string_equal(identity_pin(first, 0), identity_pin(second, 0));
    assert_string_equal(identity_name(first, 0), identity_name(second, 0));
    after = file_get(own_path());
    assert_string_equal(before, after);
    free(before);
    free(after);
    identity_free(first);
    identity_free(second);
}

/* What it is made of: an ECDSA key, and a certificate without an end that may take either role. */
static void test_what_is_made(void **state)
{
    struct error error = {0};
    struct identity *own;
    gnutls_x509_crt_t *list;
    unsigned critical, usage;
    char oid[64];
    size_t size = sizeof oid;
    bool made;

    (void)state;
    scratch_clear();
    own = identity_own(own_path(), false, &made, &error);
    assert_int_equal(own->at[0].chain_count, 1);
    list = own->at[0].chain;
    assert_int_equal(gnutls_x509_crt_get_pk_algorithm(list[0], NULL), GNUTLS_PK_ECDSA);
    assert_int_equal(gnutls_x509_crt_get_expiration_time(list[0]), (time_t)GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION);
    assert_true(gnutls_x509_crt_get_activation_time(list[0]) < time(NULL) - 3600);
    assert_int_equal(gnutls_x509_crt_get_key_purpose_oid(list[0], 0, oid, &size, &critical), GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
    assert_int_equal(gnutls_x509_crt_get_key_usage(list[0], &usage, &critical), 0);
    assert_int_equal(usage, GNUTLS_KEY_DIGITAL_SIGNATURE);
    assert_int_equal(gnutls_x509_crt_get_ca_status(list[0], &critical), 0);
    identity_free(own);
}

static void test_two_are_different(void **state)
{
    struct error error = {0};
    struct identity *one, *other;
    bool made;

    (void)state;
    scratch_clear();
    one = identity_own(scratch_path("one.pem"), false, &made, &error);
    other = identity_own(scratch_path("other.pem"), false, &made, &error);
    assert_true(strcmp(identity_pin(one, 0), identity_pin(other, 0)) != 0);
    identity_free(one);
    identity_free(other);
}

/* Of many that use it for the first time at once, all have the same. */
static int use_own(void *argument)
{
    struct error error = {0};
    bool made;
    struct identity *own = identity_own(own_path(), false, &made, &error);

    if (!own)
        return 1;
    file_put(scratch_path(argument), identity_pin(own, 0), 0600);
    identity_free(own);
    return 0;
}

static void test_first_use_at_once(void **state)
{
    static char names[6][8] = {"1", "2", "3", "4", "5", "6"};
    int children[COUNT(names)];
    char *first;

    (void)state;
    for (size_t round = 0; round < 5; round += stride(5)) {
        scratch_clear();
        for (size_t i = 0; i < COUNT(names); i++)
            children[i] = child_start(use_own, names[i]);
        for (size_t i = 0; i < COUNT(names); i++)
            assert_int_equal(child_end(children[i]), 0);
        first = file_get(scratch_path(names[0]));
        assert_pin(first);
        for (size_t i = 1; i < COUNT(names); i++) {
            char *pin = file_get(scratch_path(names[i]));

            assert_string_equal(pin, first);
            free(pin);
        }
        free(first);
        assert_int_equal(scratch_count("config/symtls"), 1);
    }
}

/* What is there and no good stays as it is, and is not replaced by a new one. */
static void check_bad_own(const char *text, unsigned mode, const char *story)
{
    struct error error = {0};
    bool made = true;
    char *after;

    scratch_clear();
    assert_int_equal(mkdir(scratch_path("config"), 0755) | mkdir(scratch_path("config/symtls"), 0755), 0);
    file_put(own_path(), text, mode);
    assert_null(identity_own(own_path(), false, &made, &error));
    assert_false(made);
    assert_int_equal(error.status, STATUS_IDENTITY);
    assert_true(has(error.story, story));
    after = file_get(own_path());
    assert_string_equal(after, text);
    free(after);
    assert_int_equal(scratch_count("config/symtls"), 1);
}

static void test_bad_own(void **state)
{
    char *good;

    (void)state;
    scratch_clear();
    assert_int_equal(use_own("pin"), 0);
    good = file_get(own_path());
    check_bad_own(good, 0644, "can be read by others");
    check_bad_own("", 0600, "there is no private key (PEM) in");
    check_bad_own("garbage\n", 0600, "there is no private key (PEM) in");
    good[strlen(good) / 2] = '\0'; /* half of it */
    check_bad_own(good, 0600, "identity.pem");
    good[100] = '\0'; /* in the middle of the key */
    check_bad_own(good, 0600, "identity.pem");
    free(good);
}

static int make_in_forbidden_folder(void *argument)
{
    struct error error = {0};
    bool made = true;

    if (argument)
        become_nobody();
    else
        limit_file_size(100);
    if (identity_own(own_path(), false, &made, &error))
        return 1;
    if (made || error.status != STATUS_IDENTITY)
        return 2;
    return !has(error.story, argument ? "Permission denied" : "File too large");
}

static void test_cannot_be_made(void **state)
{
    (void)state;
    scratch_clear();
    assert_int_equal(mkdir(scratch_path("config"), 0755) | mkdir(scratch_path("config/symtls"), 0755), 0);
    assert_int_equal(in_child(make_in_forbidden_folder, "as nobody"), 0);
    assert_int_equal(in_child(make_in_forbidden_folder, NULL), 0);
    assert_int_equal(scratch_count("config/symtls"), 0);
}

/* A link that leads nowhere: nothing is made, so nobody is told that something was. */
static void test_dangling_link(void **state)
{
    struct error error = {0};
    struct identity *own;
    bool made = true;

    (void)state;
    scratch_clear();
    assert_int_equal(mkdir(scratch_path("config"), 0755) | mkdir(scratch_path("config/symtls"), 0755), 0);
    assert_int_equal(symlink("nowhere", own_path()), 0);
    own = identity_own(own_path(), false, &made, &error);
    assert_true(own || (!made && error.status == STATUS_IDENTITY));
    identity_free(own);
}

static void test_none(void **state)
{
    struct error error = {0};
    struct identity *none = identity_none(&error);

    (void)state;
    assert_non_null(none);
    assert_string_equal(identity_pin(none, 0), "");
    assert_string_equal(identity_name(none, 0), "");
    identity_free(none);
    identity_free(NULL);
}

/* ---- Loading ---- */

static struct cert good, other, expired, future, issuer, issued, nasty;

static struct identity *load(const char *certificate, const char *key, const char *passphrase, struct error *error)
{
    struct identity_source source = {.certificate = certificate ? scratch_path(certificate) : NULL,
                                     .key = key ? scratch_path(key) : NULL};
    struct identity_config config = {.sources = &source, .source_count = 1, .passphrase = passphrase};

    memset(error, 0, sizeof *error);
    return identity_load(&config, error);
}

static void put(const char *name, unsigned mode, char *one, char *two)
{
    char *both = NULL;

    assert_true(asprintf(&both, "%s%s", one, two ? two : "") >= 0);
    file_put(scratch_path(name), both, mode);
    free(both);
    free(one);
    free(two);
}

/* A key of nobody, made for this test, with the passphrase "pass". One round of PBKDF2: it is opened often. */
static const char secret[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                             "MIHrMFYGCSqGSIb3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAi6EOJkPJRi5AIBATAM\n"
                             "BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQlgmokeSFlequy8HUWYO+sASBkBVd\n"
                             "CvePigCwvSw0fE3jFhPby+6l57yhSpM/dEFftDy+fLtVXRbzUjxuTJHOf7C6D+LU\n"
                             "4duFzrs1IShpy4WllscoSuuJH5sjSQ4WrjVXuBTGi1E/DWAoTA63Ng1bhmEpVl8Z\n"
                             "nPFi+joIq7Kkb60CJBd5mu5MpXezrp5css5WUcDimd41GtGx8fpiH+tC2xXH+Q==\n"
                             "-----END ENCRYPTED PRIVATE KEY-----\n";

static int make_files(void **state)
{
    gnutls_datum_t pem = {.data = (unsigned char *)secret, .size = sizeof secret - 1};
    struct cert key = {.crt = NULL};

    if (scratch_setup(state) || gnutls_x509_privkey_init(&key.key) < 0 ||
        gnutls_x509_privkey_import2(key.key, &pem, GNUTLS_X509_FMT_PEM, "pass", 0) < 0)
        return -1;
    cert_make(&good, &(struct cert_wish){.key_of = &key, .cn = "me"});
    gnutls_x509_privkey_deinit(key.key);
    cert_make(&other, &(struct cert_wish){.cn = "somebody else"});
    cert_make(&expired, &(struct cert_wish){.cn = "old", .from_days = -9, .to_days = -1});
    cert_make(&future, &(struct cert_wish){.cn = "new", .from_days = 1, .to_days = 9});
    cert_make(&issuer, &(struct cert_wish){.cn = "CA", .ca = true});
    cert_make(&issued, &(struct cert_wish){.issuer = &issuer, .cn = "issued"});
    cert_make(&nasty, &(struct cert_wish){.cn = "me\x1b[2J\n"});
    return 0;
}

static int free_files(void **state)
{
    cert_free(&good);
    cert_free(&other);
    cert_free(&expired);
    cert_free(&future);
    cert_free(&issuer);
    cert_free(&issued);
    cert_free(&nasty);
    return scratch_teardown(state);
}

static void put_files(void)
{
    scratch_clear();
    put("both", 0600, cert_pem(&good), cert_key_pem(&good));
    put("key first", 0600, cert_key_pem(&good), cert_pem(&good));
    put("cert", 0644, cert_pem(&good), NULL);
    put("key", 0600, cert_key_pem(&good), NULL);
    put("open key", 0644, cert_key_pem(&good), NULL);
    put("other key", 0600, cert_key_pem(&other), NULL);
    put("secret", 0600, strdup(secret), NULL);
    put("both secret", 0600, cert_pem(&good), strdup(secret));
    put("mismatch", 0600, cert_pem(&good), cert_key_pem(&other));
    put("expired", 0600, cert_pem(&expired), cert_key_pem(&expired));
    put("future", 0600, cert_pem(&future), cert_key_pem(&future));
    put("issued", 0644, cert_pem(&issued), cert_pem(&issuer));
    put("issued key", 0600, cert_key_pem(&issued), NULL);
    put("nasty", 0600, cert_pem(&nasty), cert_key_pem(&nasty));
    file_put(scratch_path("empty"), "", 0600);
    file_put(scratch_path("bad cert"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0600);
    file_put(scratch_path("bad key"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0600);
}

static const struct load_case {
    const char *certificate, *key, *passphrase;
    const char *name;  /* what comes of it */
    const char *story; /* or why not */
} loads[] = {
    {"both", NULL, NULL, "me", NULL},
    {"key first", NULL, NULL, "me", NULL},
    {"both", NULL, "not needed", "me", NULL},
    {"cert", "key", NULL, "me", NULL},
    {"both", "key", NULL, "me", NULL},
    {"cert", "both", NULL, "me", NULL},
    {"both", "both", NULL, "me", NULL},
    {"cert", "secret", "pass", "me", NULL},
    {"both secret", NULL, "pass", "me", NULL},
    {"issued", "issued key", NULL, "issued", NULL},
    {"nasty", NULL, NULL, "me\\x1b[2J\\x0a", NULL},
    {"cert", NULL, NULL, NULL, "; --key names the file that has it"},
    {"cert", "cert", NULL, NULL, "there is no private key (PEM) in"},
    {"cert", "empty", NULL, NULL, "there is no private key (PEM) in"},
    {"empty", NULL, NULL, NULL, "there is no private key (PEM) in"},
    {"empty", "key", NULL, NULL, "cannot use the certificate in"},
    {"bad cert", "key", NULL, NULL, "bad cert"},
    {"cert", "bad key", NULL, NULL, "cannot use the certificate or key in"},
    {NULL, "bad key", NULL, NULL, "bad key"},
    {"cert", "other key", NULL, NULL, "is not the key of the certificate in"},
    {"mismatch", NULL, NULL, NULL, "is not the key of the certificate in"},
    {"cert", "open key", NULL, NULL, "can be read by others"},
    {NULL, "open key", NULL, NULL, "can be read by others"},
    {"missing", "key", NULL, NULL, "missing\": No such file"},
    {"cert", "missing", NULL, NULL, "missing\": No such file"},
    {"missing", NULL, NULL, NULL, "missing\": No such file"},
    {"expired", NULL, NULL, NULL, "has expired"},
    {"future", NULL, NULL, NULL, "not valid yet"},
    {"cert", "secret", "wrong", NULL, "the passphrase for the key in"},
    {NULL, "secret", "wrong", NULL, "the passphrase for the key in"},
    {"cert", "secret", "", NULL, "the passphrase for the key in"},
    {"cert", "secret", NULL, NULL, "use --pass"},
    {"both secret", NULL, NULL, NULL, "use --pass"},
};

static void test_load(void **state)
{
    (void)state;
    put_files();
    for (size_t i = 0; i < COUNT(loads); i++) {
        const struct load_case *at = &loads[i];
        struct error error;
        struct identity *identity = load(at->certificate, at->key, at->passphrase, &error);

        check_row(!identity == !at->name, "row %zu: %s", i, error.story);
        if (identity) {
            check_row(strcmp(identity_name(identity, 0), at->name) == 0, "row %zu: %s", i, identity_name(identity, 0));
            if (strcmp(at->name, "me") == 0)
                assert_string_equal(identity_pin(identity, 0), good.pin);
        } else {
            check_row(error.status == STATUS_IDENTITY, "row %zu: %d", i, error.status);
            check_row(strstr(error.story, at->story), "row %zu: %s", i, error.story);
        }
        identity_free(identity);
    }
}

/* All that is in the file goes to the peer, its own certificate first. */
static void test_chain(void **state)
{
    struct error error;
    struct identity *identity;
    const struct credential *credential;
    gnutls_x509_crt_t shown;

    (void)state;
    put_files();
    identity = load("issued", "issued key", NULL, &error);
    assert_string_equal(identity_pin(identity, 0), issued.pin);
    credential = &identity->at[0];
    assert_int_equal(credential->shown_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(credential->shown[i].type, GNUTLS_CRT_X509);
        assert_int_equal(gnutls_x509_crt_init(&shown), 0);
        assert_int_equal(gnutls_x509_crt_import(shown, &credential->shown[i].cert, GNUTLS_X509_FMT_DER), 0);
        assert_int_equal(gnutls_x509_crt_equals(shown, i ? issuer.crt : issued.crt), 1);
        gnutls_x509_crt_deinit(shown);
    }
    identity_free(identity);
}

/* ---- A key alone ---- */

static void check_key_alone(const char *key, const char *certificate, const char *passphrase, const char *pin)
{
    struct error error;
    struct identity *identity = load(certificate, key, passphrase, &error);

    check_row(identity, "%s", error.story);
    assert_string_equal(identity_pin(identity, 0), pin);
    assert_true(known_is_name(identity_name(identity, 0)));
    identity_free(identity);
}

static void test_key_alone(void **state)
{
    (void)state;
    put_files();
    check_key_alone("key", NULL, NULL, good.pin);
    check_key_alone("secret", NULL, "pass", good.pin);
    check_key_alone(NULL, "key", NULL, good.pin); /* -i FILE */
    check_key_alone(NULL, "secret", "pass", good.pin);
}

static void check_algorithm(gnutls_pk_algorithm_t algorithm, unsigned bits)
{
    gnutls_x509_privkey_t key;
    gnutls_datum_t pem;
    struct error error;
    struct identity *identity;

    gnutls_x509_privkey_init(&key);
    assert_int_equal(gnutls_x509_privkey_generate(key, algorithm, bits, 0), 0);
    assert_int_equal(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem), 0);
    put("any key", 0600, strndup((char *)pem.data, pem.size), NULL);
    identity = load(NULL, "any key", NULL, &error);
    check_row(identity, "%s: %s", gnutls_pk_get_name(algorithm), error.story);
    assert_pin(identity_pin(identity, 0));
    identity_free(identity);
    gnutls_free(pem.data);
    gnutls_x509_privkey_deinit(key);
}

static void test_other_algorithms(void **state)
{
    (void)state;
    scratch_clear();
    if (stride(2) == 1) /* a slow one to make */
        check_algorithm(GNUTLS_PK_RSA, 2048);
    check_algorithm(GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP384R1));
    check_algorithm(GNUTLS_PK_EDDSA_ED25519, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519));
}

/* As OpenSSL once wrote them: a key of nobody, made for this test, with the passphrase "secret". */
static const char traditional[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                  "Proc-Type: 4,ENCRYPTED\n"
                                  "DEK-Info: AES-128-CBC,A2137062393DD3EA829E794703517F27\n"
                                  "\n"
                                  "dN4biYa21enUOfz9kMtDRQaUnQSeLms/seZl2niENQesUylC8hNwcKvGTzZfJZtW\n"
                                  "eIPS+jFavfKOm/w8sUBrDTcfMQeES6CdJrVKiVxvzYT1i2DD/SnblUY2p3MCNr3s\n"
                                  "/3iCgZOiVUCWgvFb9uTlxwiTAkW/fpdVLWutvLKFlPg=\n"
                                  "-----END EC PRIVATE KEY-----\n";

static void test_traditional_encryption(void **state)
{
    struct error error;
    struct identity *identity;

    (void)state;
    scratch_clear();
    file_put(scratch_path("old"), traditional, 0600);
    identity = load(NULL, "old", "secret", &error);
    check_row(identity, "%s", error.story);
    identity_free(identity);
    assert_null(load(NULL, "old", "wrong", &error));
    assert_true(has(error.story, "the passphrase for the key in"));
    assert_null(load(NULL, "old", NULL, &error));
    assert_true(has(error.story, "use --pass"));
}

/* ---- Asking for the passphrase ---- */

static unsigned times_asked;

static bool answer_with(void *context, const char *question, char *answer, size_t size)
{
    times_asked++;
    assert_true(has(question, "Passphrase for the key in "));
    assert_true(has(question, "secret"));
    if (!context)
        return false;
    snprintf(answer, size, "%s", (const char *)context);
    return true;
}

static struct identity *load_asking(const char *key, const char *passphrase, const char *answer, struct error *error)
{
    struct identity_source source = {.key = scratch_path(key)};
    struct identity_config config = {.sources = &source, .source_count = 1, .passphrase = passphrase, .ask = answer_with,
                                     .ask_context = (void *)answer};

    memset(error, 0, sizeof *error);
    times_asked = 0;
    return identity_load(&config, error);
}

static void test_asking(void **state)
{
    struct error error;
    struct identity *identity;

    (void)state;
    put_files();
    identity = load_asking("secret", NULL, "pass", &error);
    assert_non_null(identity);
    assert_int_equal(times_asked, 1);
    identity_free(identity);
    assert_null(load_asking("secret", NULL, "wrong", &error));
    assert_int_equal(times_asked, 1);
    assert_true(has(error.story, "wrong"));
    assert_null(load_asking("secret", NULL, NULL, &error));
    assert_true(has(error.story, "nobody could be asked"));
    identity = load_asking("secret", "pass", "wrong", &error);
    assert_non_null(identity);
    assert_int_equal(times_asked, 0); /* --pass was given */
    identity_free(identity);
    identity = load_asking("key", NULL, "wrong", &error);
    assert_non_null(identity);
    assert_int_equal(times_asked, 0); /* none is needed */
    identity_free(identity);
}

/* ---- Which of several ---- */

static gnutls_datum_t name_of(const struct cert *cert)
{
    gnutls_datum_t name;

    assert_int_equal(gnutls_x509_crt_get_raw_dn(cert->crt, &name), 0);
    return name;
}

/* Three: "issued" by a CA, for anybody; "both", whose name is "me", for anybody; "nasty", for bob. */
static void test_choose(void **state)
{
    static const gnutls_sign_algorithm_t ecdsa[] = {GNUTLS_SIGN_RSA_SHA256, GNUTLS_SIGN_ECDSA_SHA256}, rsa[] = {GNUTLS_SIGN_RSA_SHA256};
    const char *bob[] = {"carol", "BOB"}, *carol[] = {"carol"};
    struct identity_source sources[3] = {{.peer = NULL}};
    struct identity_config config = {.sources = sources, .source_count = 3};
    gnutls_datum_t names[2];
    const struct {
        struct identity_wish wish;
        int chosen; /* -1: none */
        const char *why;
    } table[] = {
        {{.peers = NULL}, 0, "it is the first that the peer can verify"},
        {{.peers = carol, .peer_count = 1}, 0, "it is the first"},
        {{.peers = bob, .peer_count = 2}, 2, "it is meant for this peer"},
        {{.server_name = "me"}, 1, "it bears the name"},
        {{.server_name = "nobody"}, 0, "it is the first"},
        {{.peers = bob, .peer_count = 2, .server_name = "me"}, 2, "it is meant for this peer"},
        {{.issuers = names, .issuer_count = 1}, 0, "it is the first"}, /* other's */
        {{.issuers = names, .issuer_count = 2}, 0, "a CA that the peer accepts"},
        {{.issuers = names, .issuer_count = 2, .server_name = "me"}, 1, "it bears the name"},
        {{.signatures = ecdsa, .signature_count = 2}, 0, "it is the first"},
        {{.signatures = rsa, .signature_count = 1}, -1, ""},
        {{.peers = bob, .peer_count = 2, .signatures = rsa, .signature_count = 1}, -1, ""},
    };
    struct error error = {0};
    struct identity *identity;
    const char *why;

    (void)state;
    put_files();
    sources[0].certificate = strdup(scratch_path("issued"));
    sources[0].key = strdup(scratch_path("issued key"));
    sources[1].certificate = strdup(scratch_path("both"));
    sources[2] = (struct identity_source){.certificate = strdup(scratch_path("nasty")), .peer = "bob"};
    names[0] = name_of(&other);
    names[1] = name_of(&issuer);
    identity = identity_load(&config, &error);
    check_row(identity, "%s", error.story);
    assert_int_equal(identity_count(identity), 3);
    assert_string_equal(identity_pins(identity)[1], good.pin);
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct credential *chosen = identity_choose(identity, &table[i].wish, &why);

        check_row(chosen == (table[i].chosen < 0 ? NULL : &identity->at[table[i].chosen]), "row %zu: %s", i, chosen ? chosen->place : "none");
        check_row(!chosen || has(why, table[i].why), "row %zu: %s", i, why);
    }
    identity_free(identity);
    for (size_t i = 0; i < 2; i++)
        gnutls_free(names[i].data);
    for (size_t i = 0; i < COUNT(sources); i++) {
        free((char *)sources[i].certificate);
        free((char *)sources[i].key);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_use_and_second),
        cmocka_unit_test(test_what_is_made),
        cmocka_unit_test(test_two_are_different),
        cmocka_unit_test(test_first_use_at_once),
        cmocka_unit_test(test_bad_own),
        cmocka_unit_test(test_cannot_be_made),
        cmocka_unit_test(test_dangling_link),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_key_alone),
        cmocka_unit_test(test_other_algorithms),
        cmocka_unit_test(test_traditional_encryption),
        cmocka_unit_test(test_asking),
        cmocka_unit_test(test_choose),
    };

    return cmocka_run_group_tests(tests, make_files, free_files);
}
