/* test_trust_dane.c - what a peer presents, against TLSA records: every usage, selector and matching type. */
#include "certs.h"
#include "check.h"
#include "helpers.h"
#include "trust_dane.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The cast ---- */

static struct cert root, between, bob;      /* root -> between -> bob.example */
static struct cert carol, late;             /* between -> carol.example; between -> bob.example, expired */
static struct cert old_ca, of_old;          /* an expired CA; its bob.example */
static struct cert loner, other;            /* self-signed: bob.example, and a stranger */
static struct cert twin;                    /* the key of bob, another certificate of another name */
static struct cert no_ca, of_no_ca;         /* bob.example, of somebody who is no CA */
static struct cert stray;                   /* a CA to which nothing leads */

static struct cert *const cast[] = {&root,  &between, &bob,  &carol, &late,     &old_ca, &of_old,
                                    &loner, &other,   &twin, &no_ca, &of_no_ca, &stray};

static int set_up(void **state)
{
    (void)state;
    cert_make(&root, &(struct cert_wish){.cn = "Root", .ca = true});
    cert_make(&between, &(struct cert_wish){.issuer = &root, .cn = "Between", .ca = true});
    cert_make(&bob, &(struct cert_wish){.issuer = &between, .dns = {"bob.example"}});
    cert_make(&carol, &(struct cert_wish){.issuer = &between, .dns = {"carol.example"}});
    cert_make(&late, &(struct cert_wish){.issuer = &between, .dns = {"bob.example"}, .from_days = -9, .to_days = -2});
    cert_make(&old_ca, &(struct cert_wish){.cn = "Old", .ca = true, .from_days = -9, .to_days = -2});
    cert_make(&of_old, &(struct cert_wish){.issuer = &old_ca, .dns = {"bob.example"}});
    cert_make(&loner, &(struct cert_wish){.dns = {"bob.example"}});
    cert_make(&other, &(struct cert_wish){.cn = "Other"});
    cert_make(&twin, &(struct cert_wish){.key_of = &bob, .dns = {"carol.example"}, .from_days = -9, .to_days = -2});
    cert_make(&no_ca, &(struct cert_wish){.issuer = &root, .cn = "No CA"});
    cert_make(&of_no_ca, &(struct cert_wish){.issuer = &no_ca, .dns = {"bob.example"}});
    cert_make(&stray, &(struct cert_wish){.cn = "Stray", .ca = true});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cast); i++)
        cert_free(cast[i]);
    return 0;
}

/* ---- Records ---- */

static void add_bytes(struct dane *dane, unsigned usage, unsigned selector, unsigned matching, const void *bytes, size_t size)
{
    struct dane_record *record;

    dane->records = realloc(dane->records, (dane->count + 1) * sizeof *record);
    record = &dane->records[dane->count++];
    *record = (struct dane_record){(uint8_t)usage, (uint8_t)selector, (uint8_t)matching, malloc(size), size};
    memcpy(record->data, bytes, size);
}

static gnutls_datum_t key_of(const struct cert *cert)
{
    gnutls_datum_t bytes;
    gnutls_pubkey_t key;

    gnutls_pubkey_init(&key);
    assert_int_equal(gnutls_pubkey_import_x509(key, cert->crt, 0), 0);
    assert_int_equal(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &bytes), 0);
    gnutls_pubkey_deinit(key);
    return bytes;
}

/* The record about that certificate. */
static void add(struct dane *dane, unsigned usage, unsigned selector, unsigned matching, const struct cert *cert)
{
    gnutls_datum_t key = key_of(cert), what = selector == DANE_KEY ? key : cert->der;
    uint8_t hash[64];

    if (matching == DANE_FULL) {
        add_bytes(dane, usage, selector, matching, what.data, what.size);
    } else {
        gnutls_hash_fast(matching == DANE_SHA512 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256, what.data, what.size, hash);
        add_bytes(dane, usage, selector, matching, hash, matching == DANE_SHA512 ? 64 : 32);
    }
    gnutls_free(key.data);
}

/* ---- Judging ---- */

/* Our CAs: one, or NULL for none that can be used; and how often they were loaded. */
static const struct cert *our_ca = &root;
static unsigned loads;

static bool load_cas(void *context, gnutls_x509_trust_list_t list)
{
    gnutls_x509_crt_t copy;

    (void)context;
    loads++;
    if (!our_ca)
        return false;
    gnutls_x509_crt_init(&copy);
    gnutls_x509_crt_import(copy, &our_ca->der, GNUTLS_X509_FMT_DER);
    return gnutls_x509_trust_list_add_cas(list, &copy, 1, 0) == 1;
}

/* The chain ends with NULL. */
static enum trust_dane judge(const struct dane *dane, const struct cert *const chain[4], struct trust_dane_finding *finding)
{
    struct presented presented = {.kind = PRESENTED_X509, .psk_name = ""};
    gnutls_x509_crt_t certificates[4];
    struct trust_dane_case about = {.dane = dane, .presented = &presented, .certificates = certificates, .load_cas = load_cas};
    enum trust_dane verdict;

    loads = 0;
    for (; about.count < 4 && chain[about.count]; about.count++) {
        const struct cert *cert = chain[about.count];

        gnutls_x509_crt_init(&certificates[about.count]); /* what was made is not what was read */
        assert_int_equal(gnutls_x509_crt_import(certificates[about.count], &cert->der, GNUTLS_X509_FMT_DER), 0);
        presented.at[about.count].der = cert->der.data;
        presented.at[about.count].size = cert->der.size;
    }
    presented.count = about.count;
    verdict = trust_dane_judge(&about, finding);
    while (about.count > 0)
        gnutls_x509_crt_deinit(certificates[--about.count]);
    return verdict;
}

static enum trust_dane judge_key(const struct dane *dane, const struct cert *cert, struct trust_dane_finding *finding)
{
    gnutls_datum_t key = key_of(cert);
    struct presented presented = {.kind = PRESENTED_RAWPK, .at = {{key.data, key.size}}, .count = 1, .psk_name = ""};
    struct trust_dane_case about = {.dane = dane, .presented = &presented, .load_cas = load_cas};
    enum trust_dane verdict;

    loads = 0;
    verdict = trust_dane_judge(&about, finding);
    gnutls_free(key.data);
    return verdict;
}

static struct dane bobs(void)
{
    struct dane dane;
    struct error error = {0};

    assert_true(dane_init(&dane, "bob.example", "4433", "tcp", &error));
    return dane;
}

/* ---- The tables ---- */

enum { G = TRUST_DANE_GOOD, C = TRUST_DANE_CONTRADICTED, U = TRUST_DANE_UNUSABLE, F = TRUST_DANE_FAILED };

/* For usages 0 to 3, whatever selector and matching type. The record is about `about`. */
static const struct row {
    const char *what;
    const struct cert *about, *chain[4], *our_ca;
    int verdicts[4];
} rows[] = {
    {"its own certificate", &bob, {&bob, &between}, &root, {C, G, C, G}},
    {"its own, and no chain", &bob, {&bob}, &root, {C, C, C, G}},
    {"its own, and not our CA", &bob, {&bob, &between}, &stray, {C, C, C, G}},
    {"self-signed", &loner, {&loner}, &root, {C, C, C, G}},
    {"its own, sent twice", &bob, {&bob, &bob, &between}, &root, {C, G, C, G}},
    {"another one", &other, {&bob, &between}, &root, {C, C, C, C}},
    {"another name", &carol, {&carol, &between}, &root, {C, C, C, G}},
    {"expired", &late, {&late, &between}, &root, {C, C, C, G}},
    {"the CA that signed it", &between, {&bob, &between}, &root, {G, C, G, C}},
    {"the CA that signed it, and not our CA", &between, {&bob, &between}, &stray, {C, C, G, C}},
    {"the CA that signed it, another name", &between, {&carol, &between}, &root, {C, C, C, C}},
    {"the CA that signed it, expired", &between, {&late, &between}, &root, {C, C, C, C}},
    {"the CA above that, sent", &root, {&bob, &between, &root}, &root, {G, C, G, C}},
    {"the CA above that, sent, not ours", &root, {&bob, &between, &root}, &stray, {C, C, G, C}},
    {"the CA above that, in another order", &root, {&bob, &root, &between}, &root, {G, C, G, C}},
    {"a CA that expired", &old_ca, {&of_old, &old_ca}, &old_ca, {C, C, C, C}},
    {"a CA sent along, to which nothing leads", &stray, {&bob, &between, &stray}, &root, {C, C, C, C}},
    {"a CA sent along, ours, to which nothing leads", &stray, {&bob, &between, &stray}, &stray, {C, C, C, C}},
    {"somebody who is no CA", &no_ca, {&of_no_ca, &no_ca}, &root, {C, C, C, C}},
    {"our CAs cannot be used", &bob, {&bob, &between}, NULL, {F, F, C, G}},
};

static void test_usages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned usage = 0; usage < 4; usage++)
            for (unsigned selector = 0; selector < 2; selector++)
                for (unsigned matching = 0; matching < 3; matching++) {
                    struct dane dane = bobs();
                    struct trust_dane_finding finding;
                    enum trust_dane verdict;

                    our_ca = rows[i].our_ca;
                    add(&dane, usage, selector, matching, rows[i].about);
                    verdict = judge(&dane, rows[i].chain, &finding);
                    check_row((int)verdict == rows[i].verdicts[usage], "%s, %u %u %u: %d, %s", rows[i].what, usage, selector, matching,
                              verdict, finding.why);
                    check_row((finding.record == &dane.records[0]) == (verdict == TRUST_DANE_GOOD), "%s", rows[i].what);
                    check_row(loads == (usage < 2), "%s, %u: %u loads", rows[i].what, usage, loads);
                    dane_free(&dane);
                }
    our_ca = &root;
}

/* Our own CA need not be sent: PKIX-TA finds it in the store, DANE-TA only what is sent or in the record. */
static void test_ca_not_sent(void **state)
{
    const struct cert *const chain[4] = {&bob, &between};

    (void)state;
    for (unsigned usage = 0; usage < 4; usage++)
        for (unsigned selector = 0; selector < 2; selector++)
            for (unsigned matching = 0; matching < 3; matching++) {
                struct dane dane = bobs();
                struct trust_dane_finding finding;
                bool good = usage == DANE_PKIX_TA ||
                            (usage == DANE_TA && selector == DANE_CERTIFICATE && matching == DANE_FULL);

                add(&dane, usage, selector, matching, &root);
                check_row((judge(&dane, chain, &finding) == TRUST_DANE_GOOD) == good, "%u %u %u: %s", usage, selector, matching,
                          finding.why);
                dane_free(&dane);
            }
}

/* The selector says what has to be the same: the key of a certificate, or all of it. */
static void test_same_key(void **state)
{
    const struct cert *const chain[4] = {&twin};

    (void)state;
    for (unsigned selector = 0; selector < 2; selector++)
        for (unsigned matching = 0; matching < 3; matching++) {
            struct dane dane = bobs();
            struct trust_dane_finding finding;

            add(&dane, DANE_EE, selector, matching, &bob);
            check_row((judge(&dane, chain, &finding) == TRUST_DANE_GOOD) == (selector == DANE_KEY), "%u %u", selector, matching);
            dane_free(&dane);
        }
}

static void test_bare_keys(void **state)
{
    (void)state;
    for (unsigned usage = 0; usage < 4; usage++)
        for (unsigned selector = 0; selector < 2; selector++)
            for (unsigned matching = 0; matching < 3; matching++) {
                struct dane dane = bobs();
                struct trust_dane_finding finding;
                bool good = usage == DANE_EE && selector == DANE_KEY;

                add(&dane, usage, selector, matching, &bob);
                check_row(judge_key(&dane, &bob, &finding) == (good ? TRUST_DANE_GOOD : TRUST_DANE_CONTRADICTED), "%u %u %u", usage,
                          selector, matching);
                check_row(judge_key(&dane, &other, &finding) == TRUST_DANE_CONTRADICTED, "%u %u %u", usage, selector, matching);
                assert_int_equal(loads, 0);
                dane_free(&dane);
            }
}

/* Selector 0 is about a certificate: a hash of the key there means nothing. */
static void test_bare_key_is_no_certificate(void **state)
{
    struct dane dane = bobs();
    struct trust_dane_finding finding;

    (void)state;
    add(&dane, DANE_EE, DANE_KEY, DANE_SHA256, &bob);
    dane.records[0].selector = DANE_CERTIFICATE;
    assert_int_equal(judge_key(&dane, &bob, &finding), TRUST_DANE_CONTRADICTED);
    dane_free(&dane);
}

/* ---- What cannot be used ---- */

static void test_unusable(void **state)
{
    static const struct {
        unsigned usage, selector, matching;
        int more; /* bytes that are too many */
    } table[] = {
        {4, 1, 1, 0},   {255, 1, 1, 0}, {3, 2, 1, 0},  {3, 255, 1, 0}, {3, 1, 3, 0},  {3, 1, 255, 0},
        {3, 1, 1, -1},  {3, 1, 1, 1},   {3, 1, 2, -1}, {3, 1, 2, 1},   {3, 0, 1, -1}, {3, 0, 2, 1},
        {3, 1, 0, -1},  {3, 0, 0, -1},  {2, 0, 0, -1}, {2, 1, 0, -1},  {0, 1, 1, -1}, {1, 0, 2, -1},
    };
    const struct cert *const chain[4] = {&bob, &between}, *const stranger[4] = {&other};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct dane dane = bobs();
        struct trust_dane_finding finding;
        struct dane_record *record;

        add(&dane, table[i].usage, table[i].selector, table[i].matching == 2 ? 2 : table[i].matching == 0 ? 0 : 1, &bob);
        record = &dane.records[0];
        record->matching = (uint8_t)table[i].matching;
        record->data = realloc(record->data, record->size + 1);
        record->data[record->size] = 0;
        record->size = record->size + (size_t)table[i].more;
        check_row(judge(&dane, chain, &finding) == TRUST_DANE_UNUSABLE, "row %zu", i);
        check_row(judge_key(&dane, &bob, &finding) == TRUST_DANE_UNUSABLE, "row %zu", i);
        assert_true(has(finding.why, "none of them can be used"));
        assert_int_equal(loads, 0);
        add(&dane, DANE_EE, DANE_KEY, DANE_SHA256, &bob); /* it keeps no other from its word */
        check_row(judge(&dane, chain, &finding) == TRUST_DANE_GOOD, "row %zu", i);
        check_row(finding.record == &dane.records[1], "row %zu", i);
        check_row(judge(&dane, stranger, &finding) == TRUST_DANE_CONTRADICTED, "row %zu", i);
        dane_free(&dane);
    }
}

static void test_none(void **state)
{
    const struct cert *const chain[4] = {&bob, &between};
    struct dane dane = bobs();
    struct trust_dane_finding finding;

    (void)state;
    assert_int_equal(judge(&dane, chain, &finding), TRUST_DANE_UNUSABLE);
}

/* One that vouches is enough, wherever it is; and our CAs are not loaded for it, nor twice. */
static void test_several(void **state)
{
    const struct cert *const chain[4] = {&bob, &between};
    struct dane dane = bobs();
    struct trust_dane_finding finding;

    (void)state;
    add(&dane, DANE_PKIX_EE, DANE_KEY, DANE_SHA256, &other);
    add(&dane, DANE_PKIX_TA, DANE_KEY, DANE_SHA256, &other);
    add(&dane, DANE_EE, DANE_KEY, DANE_SHA256, &other);
    assert_int_equal(judge(&dane, chain, &finding), TRUST_DANE_CONTRADICTED);
    assert_int_equal(loads, 1);
    add(&dane, DANE_EE, DANE_KEY, DANE_SHA512, &bob);
    assert_int_equal(judge(&dane, chain, &finding), TRUST_DANE_GOOD);
    assert_ptr_equal(finding.record, &dane.records[3]);
    assert_int_equal(loads, 0);
    dane_free(&dane);
}

/* What is said of one that does not vouch. */
static void test_why(void **state)
{
    static const struct {
        const struct cert *about, *chain[4];
        unsigned usage;
        const char *words;
    } table[] = {
        {&other, {&bob}, DANE_EE, "its key is not among them"},
        {&between, {&carol, &between}, DANE_TA, "does not bear the name \"bob.example\""},
        {&between, {&late, &between}, DANE_TA, "expired"},
        {&bob, {&bob}, DANE_PKIX_EE, "issuer is unknown"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct dane dane = bobs();
        struct trust_dane_finding finding;

        add(&dane, table[i].usage, DANE_KEY, DANE_SHA256, table[i].about);
        check_row(judge(&dane, table[i].chain, &finding) == TRUST_DANE_CONTRADICTED, "row %zu", i);
        check_row(has(finding.why, table[i].words), "row %zu: %s", i, finding.why);
        dane_free(&dane);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usages),    cmocka_unit_test(test_ca_not_sent), cmocka_unit_test(test_same_key),
        cmocka_unit_test(test_bare_keys), cmocka_unit_test(test_unusable),    cmocka_unit_test(test_none),
        cmocka_unit_test(test_bare_key_is_no_certificate), cmocka_unit_test(test_several),   cmocka_unit_test(test_why),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
