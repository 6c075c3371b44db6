/* test_trust.c - certificates, known_peers and what the user wants, come to a verdict, a name, and a sentence. */
#include "check.h"
#include "certs.h"
#include "helpers.h"
#include "known.h"
#include "trust.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- The cast ---- */

static struct cert ca, other_ca, intermediate;
static struct cert peer;          /* of the CA: names of each kind */
static struct cert by_intermediate;
static struct cert loner;         /* self-signed */
static struct cert expired, future;
static struct cert client_only, server_only, code_only;

/* The system's CAs, in the library's place: our CA, and how often they were loaded. */
static unsigned system_loads;

int gnutls_x509_trust_list_add_system_trust(gnutls_x509_trust_list_t list, unsigned tl_flags, unsigned tl_vflags)
{
    gnutls_x509_crt_t copy;

    (void)tl_flags;
    (void)tl_vflags;
    system_loads++;
    gnutls_x509_crt_init(&copy);
    gnutls_x509_crt_import(copy, &ca.der, GNUTLS_X509_FMT_DER);
    return gnutls_x509_trust_list_add_cas(list, &copy, 1, 0);
}

static struct cert *const cast[] = {&ca,     &other_ca, &intermediate, &peer,        &by_intermediate, &loner,
                                    &expired, &future,   &client_only,  &server_only, &code_only};

static int set_up(void **state)
{
    char *pem;

    if (scratch_setup(state))
        return -1;
    cert_make(&ca, &(struct cert_wish){.cn = "The CA", .ca = true});
    cert_make(&other_ca, &(struct cert_wish){.cn = "Another CA", .ca = true});
    cert_make(&intermediate, &(struct cert_wish){.issuer = &ca, .cn = "In between", .ca = true});
    cert_make(&peer, &(struct cert_wish){.issuer = &ca, .cn = "The Peer", .dns = {"peer.example", "*.wild.example"},
                                         .ip = "192.0.2.7", .email = "somebody@peer.example", .uri = "https://peer.example/"});
    cert_make(&by_intermediate, &(struct cert_wish){.issuer = &intermediate, .cn = "leaf", .dns = {"leaf.example"}});
    cert_make(&loner, &(struct cert_wish){.cn = "loner", .dns = {"loner.example"}, .ip = "2001:db8::7"});
    cert_make(&expired, &(struct cert_wish){.issuer = &ca, .dns = {"peer.example"}, .from_days = -9, .to_days = -2});
    cert_make(&future, &(struct cert_wish){.issuer = &ca, .dns = {"peer.example"}, .from_days = 2, .to_days = 9});
    cert_make(&client_only, &(struct cert_wish){.issuer = &ca, .dns = {"peer.example"}, .purpose = GNUTLS_KP_TLS_WWW_CLIENT});
    cert_make(&server_only, &(struct cert_wish){.issuer = &ca, .dns = {"peer.example"}, .purpose = GNUTLS_KP_TLS_WWW_SERVER});
    cert_make(&code_only, &(struct cert_wish){.issuer = &ca, .dns = {"peer.example"}, .purpose = GNUTLS_KP_CODE_SIGNING});
    pem = cert_pem(&ca);
    file_put(scratch_path("ca.pem"), pem, 0644);
    free(pem);
    pem = cert_pem(&other_ca);
    file_put(scratch_path("other.pem"), pem, 0644);
    free(pem);
    file_put(scratch_path("empty.pem"), "nothing\n", 0644);
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < COUNT(cast); i++)
        cert_free(cast[i]);
    return scratch_teardown(state);
}

/* ---- One examination ---- */

struct exam {
    struct trust_config config;
    struct trust_result result;
    struct error error;
};

/* With a known_peers of these lines (NULL: none). */
static void exam_init(struct exam *exam, const char *known)
{
    memset(exam, 0, sizeof *exam);
    exam->config.known_path = scratch_path("known_peers");
    remove(exam->config.known_path);
    if (known)
        file_put(exam->config.known_path, known, 0600);
    system_loads = 0;
}

static const char *const loners_pins[] = {loner.pin};
static const struct trust_occasion as_loner = {.our_pins = loners_pins, .our_pin_count = 1, .address = "198.51.100.9"},
                                   as_nobody = {.address = "198.51.100.9"};

static void examine(struct exam *exam, const struct cert *cert, const struct cert *second)
{
    struct presented chain;

    cert_present(&chain, cert, second);
    memset(&exam->error, 0, sizeof exam->error);
    trust_examine(&exam->config, &chain, &as_loner, &exam->result, &exam->error);
}

/* The name is that of somebody who is accepted. */
static void expect(const struct exam *exam, enum trust_answer answer, enum trust_because because, const char *name)
{
    check_row(exam->result.verdict.answer == answer, "answer %d: %s", exam->result.verdict.answer, exam->error.story);
    check_row(answer == TRUST_ASK || exam->result.verdict.because == because, "because %d: %s", exam->result.verdict.because, exam->error.story);
    check_row(answer != TRUST_ACCEPT || strcmp(exam->result.name, name) == 0, "the name is \"%s\", not \"%s\"", exam->result.name, name);
    check_row((exam->error.status != STATUS_OK) == (answer == TRUST_REFUSE), "%s", exam->error.story);
    if (answer == TRUST_ACCEPT)
        assert_true(*exam->result.reason);
    if (answer == TRUST_REFUSE)
        assert_int_equal(exam->error.status, exam->result.verdict.status);
}

static char *lines(const char *format, const char *one, const char *other)
{
    static char text[2048];

    snprintf(text, sizeof text, format, one, other);
    return text;
}

/* ---- Known peers ---- */

static void test_known_by_host(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, lines("# mine\nother %s\nserver %s\n", other_ca.pin, peer.pin));
    exam.config.host = "server";
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_KNOWN, "server");
    assert_int_equal(exam.result.verdict.how, TRUST_KNOWN);
    assert_true(has(exam.result.reason, "known_peers, line 3"));
    assert_string_equal(exam.result.pin, peer.pin);
    assert_int_equal(system_loads, 0);

    assert_string_equal(exam.result.elsewhere, "");

    exam.config.host = "elsewhere"; /* a key known under another name is not known here */
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ASK, 0, "");
}

/* But it is pointed out wherever it could change somebody's mind. */
static void test_known_elsewhere(void **state)
{
    static const struct {
        const char *file; /* carol has the key, in line 2 */
        enum trust_tofu tofu;
        const char *answer; /* with ASK: */
        bool changed;
    } table[] = {
        {"zoe %s\ncarol %s\n", TRUST_TOFU_NEVER, NULL, false},
        {"zoe %s\ncarol %s\n", TRUST_TOFU_ACCEPT_NEW, NULL, false},
        {"zoe %s\ncarol %s\n", TRUST_TOFU_ASK, "yes", false},
        {"zoe %s\ncarol %s\n", TRUST_TOFU_ASK, "no", false},
        {"zoe %s\ncarol %s\n", TRUST_TOFU_ASK, NULL, false},
        {"server %s\ncarol %s\n", TRUST_TOFU_ASK, NULL, true},
    };
    char wanted[512], question[2048];
    struct exam exam;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        for (int known = 0; known < 2; known++) {
            bool accepted = false;

            exam_init(&exam, lines(table[i].file, other_ca.pin, known ? peer.pin : loner.pin));
            snprintf(wanted, sizeof wanted, "this key is known as \"carol\" (%s, line 2)", exam.config.known_path);
            exam.config.host = "server";
            exam.config.tofu = table[i].tofu;
            examine(&exam, &peer, NULL);
            if (exam.result.verdict.answer == TRUST_ASK) {
                trust_question(&exam.result, "192.0.2.1:1", question, sizeof question);
                check_row(has(question, wanted) == known, "row %zu: %s", i, question);
                trust_answer(&exam.config, table[i].answer, &exam.result, &exam.error);
            }
            accepted = exam.result.verdict.answer == TRUST_ACCEPT;
            check_row(accepted == (table[i].tofu == TRUST_TOFU_ACCEPT_NEW || (table[i].answer && *table[i].answer == 'y')), "row %zu", i);
            check_row(accepted || exam.error.status == (table[i].changed ? STATUS_WRONG : STATUS_UNKNOWN), "row %zu: %s", i, exam.error.story);
            check_row(has(accepted ? exam.result.reason : exam.error.story, wanted) == known, "row %zu: %s%s", i,
                      exam.result.reason, exam.error.story);
        }
}

/* Where it changes nobody's mind, nothing is said. */
static void test_elsewhere_does_not_matter(void **state)
{
    const char *pins[] = {peer.pin};
    struct exam exam;

    (void)state;
    exam_init(&exam, lines("carol %s\nzoe %s\n", peer.pin, other_ca.pin));
    exam.config.host = "peer.example"; /* the system's CA knows it */
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_SYSTEM_CA, "peer.example");
    assert_string_equal(exam.result.elsewhere, "");
    exam.config.host = NULL; /* a listener: any name is as good */
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_KNOWN, "carol");
    assert_string_equal(exam.result.elsewhere, "");
    exam.config.pins = pins;
    exam.config.pin_count = 1;
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_PIN, "peer.example");
    assert_string_equal(exam.result.elsewhere, "");
}

static void test_known_to_a_listener(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, lines("other %s\nFriend %s\n", other_ca.pin, peer.pin));
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_KNOWN, "Friend");
    assert_true(has(exam.result.reason, "line 2"));
}

static void test_changed(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, lines("\nserver %s\nserver %s\n", other_ca.pin, loner.pin));
    exam.config.host = "SERVER";
    exam.config.tofu = TRUST_TOFU_ACCEPT_NEW;
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_CHANGED, "");
    assert_int_equal(exam.error.status, STATUS_WRONG);
    assert_true(has(exam.error.story, "HAS CHANGED"));
    assert_true(has(exam.error.story, "known_peers:2"));
    assert_true(has(exam.error.story, "and 1 more line of that name has others"));
    assert_true(has(exam.error.story, "symtls --known del server forgets all its keys, and symtls --known del server pin-sha256:"));
    assert_true(has(exam.error.story, other_ca.pin));
    assert_true(has(exam.error.story, " the one in line 2."));
    assert_true(has(exam.error.story, peer.pin));
    assert_int_equal(system_loads, 0);
}

/* One key, and a name that a shell would take for more than a name. */
static void test_changed_with_one_key(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, lines("bob's;box %s\nother %s\n", other_ca.pin, loner.pin));
    exam.config.host = "bob's;box";
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_CHANGED, "");
    assert_true(has(exam.error.story, "known_peers:1 has another one. Either"));
    assert_true(has(exam.error.story, "symtls --known del 'bob'\\''s;box' forgets the old one. The new pin is pin-sha256:"));
}

/* Whoever comes to us gets the name of its address; if that is another's, it must not take it over. */
static void test_changed_at_an_address(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, lines("198.51.100.9 %s\n%s", other_ca.pin, ""));
    exam.config.tofu = TRUST_TOFU_ACCEPT_NEW;
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_CHANGED, "");
}

static void test_bad_known_peers(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, "server is a nice name\n");
    exam.config.host = "peer.example";
    exam.config.tofu = TRUST_TOFU_ACCEPT_NEW;
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_FAILED, "");
    assert_int_equal(exam.error.status, STATUS_LOCAL);
    assert_true(has(exam.error.story, "known_peers:1"));
}

/* ---- The system's CAs ---- */

static void test_system_ca(void **state)
{
    static const struct {
        const char *host;
        const struct cert *cert, *second;
        bool good;
    } table[] = {
        {"peer.example", &peer, NULL, true},
        {"PEER.example", &peer, NULL, true},
        {"a.wild.example", &peer, NULL, true},
        {"a.b.wild.example", &peer, NULL, false},
        {"192.0.2.7", &peer, NULL, true},
        {"192.0.2.8", &peer, NULL, false},
        {"example", &peer, NULL, false},
        {"The Peer", &peer, NULL, false},
        {"leaf.example", &by_intermediate, &intermediate, true},
        {"leaf.example", &by_intermediate, NULL, false},
        {"leaf.example", &by_intermediate, &ca, false},
        {"peer.example", &expired, NULL, false},
        {"peer.example", &future, NULL, false},
        {"loner.example", &loner, NULL, false},
        {"2001:db8::7", &loner, NULL, false},
    };
    struct exam exam;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++)
        for (int listen = 0; listen < 2; listen++) {
            struct presented chain;

            exam_init(&exam, NULL);
            exam.config.tofu = TRUST_TOFU_NEVER;
            if (listen) { /* --peer has the same effect to one who listens */
                exam.config.peers = &table[i].host;
                exam.config.peer_count = 1;
            } else {
                exam.config.host = table[i].host;
            }
            cert_present(&chain, table[i].cert, table[i].second);
            trust_examine(&exam.config, &chain, &as_nobody, &exam.result, &exam.error);
            check_row((exam.result.verdict.answer == TRUST_ACCEPT) == table[i].good, "row %zu, %s: %s", i, table[i].host, exam.error.story);
            if (table[i].good)
                expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_SYSTEM_CA, table[i].host);
            else
                expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_UNKNOWN, "");
        }
}

/* The system's CAs cost time: they are loaded when their word would decide, once, and not otherwise. */
static void test_system_cas_are_loaded_late(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, NULL);
    exam.config.host = "peer.example";
    examine(&exam, &peer, NULL);
    assert_int_equal(system_loads, 1);
    exam.config.host = "another.example";
    examine(&exam, &peer, NULL); /* the name is not even in it */
    assert_int_equal(system_loads, 1);
    exam.config.host = NULL;
    examine(&exam, &peer, NULL);
    assert_int_equal(system_loads, 1);
    exam.config.cacert = scratch_path("ca.pem");
    examine(&exam, &peer, NULL);
    assert_int_equal(system_loads, 1);
}

/* ---- --cacert ---- */

static void test_cacert(void **state)
{
    static const struct {
        const char *file, *host;
        const struct cert *cert, *second;
        enum trust_because because;
        const char *words; /* of the reason, or of the error */
    } table[] = {
        {"ca.pem", NULL, &peer, NULL, TRUST_BECAUSE_CACERT, "ca.pem vouches"},
        {"ca.pem", "peer.example", &peer, NULL, TRUST_BECAUSE_CACERT, "ca.pem vouches"},
        {"ca.pem", "somebody@peer.example", &peer, NULL, TRUST_BECAUSE_CACERT, "ca.pem vouches"},
        {"ca.pem", "nobody@peer.example", &peer, NULL, TRUST_BECAUSE_OTHER_NAME, "\"nobody@peer.example\", but \"peer.example\""},
        {"ca.pem", "another.example", &peer, NULL, TRUST_BECAUSE_OTHER_NAME, "does not bear the name \"another.example\""},
        {"ca.pem", NULL, &by_intermediate, &intermediate, TRUST_BECAUSE_CACERT, "vouches"},
        {"ca.pem", NULL, &by_intermediate, NULL, TRUST_BECAUSE_UNKNOWN_CA, "no CA in"},
        {"other.pem", NULL, &peer, NULL, TRUST_BECAUSE_UNKNOWN_CA, "other.pem"},
        {"other.pem", NULL, &peer, &ca, TRUST_BECAUSE_UNKNOWN_CA, "other.pem"},
        {"ca.pem", NULL, &other_ca, NULL, TRUST_BECAUSE_UNKNOWN_CA, "ca.pem"},
        {"ca.pem", NULL, &expired, NULL, TRUST_BECAUSE_EXPIRED, "out of its time"},
        {"ca.pem", NULL, &future, NULL, TRUST_BECAUSE_EXPIRED, "out of its time"},
        {"empty.pem", NULL, &peer, NULL, TRUST_BECAUSE_FAILED, "there is no CA certificate (PEM) in"},
        {"missing.pem", NULL, &peer, NULL, TRUST_BECAUSE_FAILED, "cannot open"},
        /* either end may have become either role: what a key is for decides nothing */
        {"ca.pem", "peer.example", &client_only, NULL, TRUST_BECAUSE_CACERT, "vouches"},
        {"ca.pem", "peer.example", &server_only, NULL, TRUST_BECAUSE_CACERT, "vouches"},
        {"ca.pem", "peer.example", &code_only, NULL, TRUST_BECAUSE_CACERT, "vouches"},
    };
    struct exam exam;

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        bool good = table[i].because == TRUST_BECAUSE_CACERT;

        exam_init(&exam, "the file is not read, so it may be nonsense\n");
        exam.config.cacert = scratch_path(table[i].file);
        exam.config.host = table[i].host;
        exam.config.tofu = TRUST_TOFU_ACCEPT_NEW;
        examine(&exam, table[i].cert, table[i].second);
        check_row(exam.result.verdict.because == table[i].because, "row %zu: because %d, %s", i, exam.result.verdict.because, exam.error.story);
        check_row(exam.result.verdict.answer == (good ? TRUST_ACCEPT : TRUST_REFUSE), "row %zu", i);
        check_row(strstr(good ? exam.result.reason : exam.error.story, table[i].words), "row %zu: %s", i,
                  good ? exam.result.reason : exam.error.story);
        check_row(exam.error.status == (good ? STATUS_OK : table[i].because == TRUST_BECAUSE_FAILED ? STATUS_LOCAL : STATUS_WRONG), "row %zu", i);
        assert_int_equal(system_loads, 0);
    }
}

/* A CA that was named by the user speaks for any name; who it is, is then what its certificate says first. */
static void test_name_from_the_certificate(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, NULL);
    exam.config.cacert = scratch_path("ca.pem");
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_CACERT, "peer.example");
    exam.config.host = "192.0.2.7";
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_CACERT, "192.0.2.7");
}

/* With several --peer one is enough; HOST has no say then. */
static void test_several_peers(void **state)
{
    static const char *const peers[] = {"first.example", "peer.example"}, *const strangers[] = {"a.example", "b.example"};
    struct exam exam;

    (void)state;
    exam_init(&exam, NULL);
    exam.config.cacert = scratch_path("ca.pem");
    exam.config.host = "elsewhere.example";
    exam.config.peers = peers;
    exam.config.peer_count = 2;
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_CACERT, "peer.example");
    exam.config.peers = strangers;
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_OTHER_NAME, "");
    assert_true(has(exam.error.story, "\"a.example\" or \"b.example\""));
}

/* ---- Pins, ourselves, nobody ---- */

static void test_pins(void **state)
{
    const char *pins[] = {other_ca.pin, peer.pin};
    struct exam exam;

    (void)state;
    exam_init(&exam, NULL);
    exam.config.pins = pins;
    exam.config.pin_count = 2;
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_PIN, "peer.example");
    assert_true(has(exam.result.reason, "--pin"));
    examine(&exam, &expired, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_OTHER_PIN, "");
    assert_true(has(exam.error.story, expired.pin));
    assert_true(has(exam.error.story, "one of those"));
    exam.config.pin_count = 1;
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_OTHER_PIN, "");
    assert_true(has(exam.error.story, "not the one given"));
}

/* The pin is that of the key: a new certificate for it is as good as the old one, also an expired one. */
static void test_pin_is_the_keys(void **state)
{
    const char *pins[] = {peer.pin};
    struct cert renewed = {0};
    struct exam exam;

    (void)state;
    cert_make(&renewed, &(struct cert_wish){.key_of = &peer, .cn = "new", .from_days = -9, .to_days = -1});
    assert_string_equal(renewed.pin, peer.pin);
    exam_init(&exam, NULL);
    exam.config.pins = pins;
    exam.config.pin_count = 1;
    examine(&exam, &renewed, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_PIN, "new");
    cert_free(&renewed);
}

static void test_ourselves(void **state)
{
    const char *pins[] = {loner.pin};
    struct exam exam;

    (void)state;
    exam_init(&exam, lines("me %s\n%s", loner.pin, ""));
    exam.config.insecure = true;
    examine(&exam, &loner, NULL); /* `examine` is the loner */
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_OURSELVES, "");
    assert_int_equal(exam.error.status, STATUS_ROLE);
    assert_true(has(exam.error.story, "--allow-self"));
    exam.config.insecure = false;
    exam.config.allow_self = true;
    examine(&exam, &loner, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_KNOWN, "me");
    exam.config.allow_self = false;
    exam.config.pins = pins;
    exam.config.pin_count = 1;
    examine(&exam, &loner, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_PIN, "loner.example");
}

static void test_nobody(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, NULL);
    examine(&exam, NULL, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_NO_KEY, "");
    assert_int_equal(exam.error.status, STATUS_UNKNOWN);
    assert_true(has(exam.error.story, "--remote-id request"));
    assert_string_equal(exam.result.pin, "");
    exam.config.remote_id = TRUST_REMOTE_ID_REQUEST;
    examine(&exam, NULL, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_NOT_ASKED, "");
    exam.config.remote_id = TRUST_REMOTE_ID_REQUIRE;
    exam.config.insecure = true;
    examine(&exam, NULL, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_INSECURE, "");
}

/* We without a key, and the peer without one: that is nobody in common. */
static void test_nobody_is_not_ourselves(void **state)
{
    struct exam exam;
    struct presented chain = {.count = 0};

    (void)state;
    exam_init(&exam, NULL);
    exam.config.insecure = true;
    trust_examine(&exam.config, &chain, &as_nobody, &exam.result, &exam.error);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_INSECURE, "");
}

/* With --insecure nobody vouches for a name, so there is none; with --peer beside it there is. */
static void test_insecure(void **state)
{
    static const char *const peers[] = {"peer.example"};
    struct exam exam;

    (void)state;
    exam_init(&exam, "nonsense, not read\n");
    exam.config.insecure = true;
    exam.config.host = "peer.example";
    examine(&exam, &peer, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_INSECURE, "");
    assert_string_equal(exam.result.claimed, "peer.example");
    assert_true(has(exam.result.reason, "may be anybody"));
    exam.config.peers = peers;
    exam.config.peer_count = 1;
    examine(&exam, &peer, NULL);
    assert_int_equal(exam.result.verdict.answer, TRUST_ACCEPT);
    examine(&exam, &by_intermediate, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_OTHER_NAME, "");
}

/* ---- What cannot be read ---- */

static void test_unreadable(void **state)
{
    static const uint8_t garbage[] = {0x30, 0x82, 0x01, 0x00, 0x42};
    struct exam exam;
    struct presented chain;

    (void)state;
    for (int i = 0; i < 3; i++) {
        exam_init(&exam, NULL);
        exam.config.insecure = true;
        cert_present(&chain, &peer, NULL);
        if (i == 0) {
            chain.at[0].der = garbage;
            chain.at[0].size = sizeof garbage;
        } else if (i == 1) {
            chain.at[0].size -= 1; /* cut short */
        } else {
            chain.at[1].der = garbage; /* the second is bad: so is the chain */
            chain.at[1].size = sizeof garbage;
            chain.count = 2;
        }
        trust_examine(&exam.config, &chain, &as_loner, &exam.result, &exam.error);
        expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_BAD_CHAIN, "");
        assert_int_equal(exam.error.status, STATUS_WRONG);
        assert_true(has(exam.error.story, "cannot be read"));
    }
}

/* A certificate whose signature was made by somebody else than it says. */
static void test_forged(void **state)
{
    struct exam exam;
    struct presented chain;
    uint8_t *der = malloc(peer.der.size);

    (void)state;
    assert_non_null(der);
    memcpy(der, peer.der.data, peer.der.size);
    der[peer.der.size - 5] ^= 1;
    exam_init(&exam, NULL);
    exam.config.cacert = scratch_path("ca.pem");
    cert_present(&chain, &peer, NULL);
    chain.at[0].der = der;
    trust_examine(&exam.config, &chain, &as_loner, &exam.result, &exam.error);
    assert_int_equal(exam.result.verdict.answer, TRUST_REFUSE);
    assert_int_equal(exam.error.status, STATUS_WRONG);
    free(der);
}

/* ---- What the peer says of itself ---- */

static void test_control_characters(void **state)
{
    static const char nul[] = "peer.example\0.evil.example";
    struct cert nasty = {0}, split = {0};
    struct facts facts = {0};
    struct presented chain;
    struct exam exam;
    char question[2048];

    (void)state;
    cert_make(&nasty, &(struct cert_wish){.cn = "root\x1b[2J\nsymtls: it is accepted\xff"});
    exam_init(&exam, NULL);
    examine(&exam, &nasty, NULL);
    expect(&exam, TRUST_ASK, 0, "");
    assert_string_equal(exam.result.claimed, "root\\x1b[2J\\x0asymtls: it is accepted\\xff");
    trust_question(&exam.result, "198.51.100.9:4433", question, sizeof question);
    assert_true(has(question, "It calls itself \"root\\x1b[2J\\x0a"));
    assert_null(strchr(question, 0x1b));
    cert_present(&chain, &nasty, NULL);
    trust_describe(&chain, &exam.result, &facts);
    assert_null(strchr(facts.peer.subject, 0x1b));
    assert_null(strchr(facts.peer.subject, '\n'));
    facts_free(&facts);

    /* A name that a careless reader takes for a shorter one. */
    cert_make(&split, &(struct cert_wish){.issuer = &ca, .raw_dns = nul, .raw_length = sizeof nul - 1});
    exam.config.cacert = scratch_path("ca.pem");
    exam.config.host = "peer.example";
    examine(&exam, &split, NULL);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_OTHER_NAME, "");
    assert_string_equal(exam.result.claimed, "peer.example\\x00.evil.example");
    cert_free(&nasty);
    cert_free(&split);
}

static void test_long_names(void **state)
{
    char name[1500], label[64];
    struct cert big = {0};
    struct facts facts = {0};
    struct presented chain;
    struct exam exam;

    (void)state;
    for (int longer = 0; longer < 2; longer++) {
        memset(name, 'a', sizeof name);
        name[longer ? 1499 : 400] = '\0';
        memset(label, 'b', 63);
        label[63] = '\0';
        cert_make(&big, &(struct cert_wish){.cn = label, .dns = {name, "short.example"}});
        exam_init(&exam, NULL);
        exam.config.insecure = true;
        examine(&exam, &big, NULL);
        expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_INSECURE, "");
        assert_true(strlen(exam.result.claimed) < FACTS_NAME_SIZE);
        cert_present(&chain, &big, NULL);
        trust_describe(&chain, &exam.result, &facts);
        assert_int_equal(facts.peer.name_count, 2);
        assert_string_equal(facts.peer.names[1], "short.example");
        facts_free(&facts);
        cert_free(&big);
    }
}

static void test_describe(void **state)
{
    struct facts facts = {0};
    struct presented chain;
    struct exam exam;
    static const char *const names[] = {"peer.example", "*.wild.example", "somebody@peer.example", "https://peer.example/", "192.0.2.7"};

    (void)state;
    exam_init(&exam, NULL);
    exam.config.cacert = scratch_path("ca.pem");
    examine(&exam, &peer, NULL);
    cert_present(&chain, &peer, NULL);
    trust_describe(&chain, &exam.result, &facts);
    assert_int_equal(facts.peer.kind, PRESENTED_X509);
    assert_string_equal(facts.peer.name, "peer.example");
    assert_string_equal(facts.peer.subject, "CN=The Peer");
    assert_string_equal(facts.peer.issuer, "CN=The CA");
    assert_string_equal(facts.peer.pin, peer.pin);
    assert_int_equal(facts.peer.name_count, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(facts.peer.names[i], names[i]);
    assert_int_equal(facts.peer.not_after, gnutls_x509_crt_get_expiration_time(peer.crt));
    assert_int_equal(facts.trust, TRUST_CA);
    assert_string_equal(facts.trust_reason, exam.result.reason);
    facts_free(&facts);

    /* Nobody. */
    exam.config.cacert = NULL;
    exam.config.insecure = true;
    examine(&exam, NULL, NULL);
    cert_present(&chain, NULL, NULL);
    trust_describe(&chain, &exam.result, &facts);
    assert_int_equal(facts.peer.kind, PRESENTED_NONE);
    assert_int_equal(facts.peer.name_count, 0);
    assert_string_equal(facts.peer.pin, "");
    assert_int_equal(facts.trust, TRUST_INSECURE);
    facts_free(&facts);
}

static void test_no_names_at_all(void **state)
{
    struct cert blank = {0};
    struct facts facts = {0};
    struct presented chain;
    struct exam exam;

    (void)state;
    cert_make(&blank, &(struct cert_wish){.ca = false});
    exam_init(&exam, NULL);
    exam.config.tofu = TRUST_TOFU_ACCEPT_NEW;
    examine(&exam, &blank, NULL);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_NEW, "198.51.100.9");
    assert_string_equal(exam.result.claimed, "");
    cert_present(&chain, &blank, NULL);
    trust_describe(&chain, &exam.result, &facts);
    assert_string_equal(facts.peer.subject, "");
    assert_int_equal(facts.peer.name_count, 0);
    facts_free(&facts);
    cert_free(&blank);
}

/* ---- The question and its answer ---- */

static void test_question(void **state)
{
    struct exam exam;
    struct presented chain;
    char text[2048], small[32];

    (void)state;
    exam_init(&exam, NULL);
    exam.config.host = "loner.example";
    cert_present(&chain, &loner, NULL);
    trust_examine(&exam.config, &chain, &(struct trust_occasion){.address = "2001:db8::7"},
                  &exam.result, &exam.error);
    expect(&exam, TRUST_ASK, 0, "");
    assert_string_equal(exam.result.remember_as, "loner.example");
    trust_question(&exam.result, "[2001:db8::7]:4433", text, sizeof text);
    assert_true(has(text, "[2001:db8::7]:4433"));
    assert_true(has(text, loner.pin));
    assert_true(has(text, "no CA vouches for it: "));
    assert_true(has(text, "remember it as \"loner.example\""));
    assert_true(has(text, "It calls itself \"loner.example\""));
    assert_true(has(text, "--show-identity"));
    trust_question(&exam.result, "[2001:db8::7]:4433", small, sizeof small);
    assert_int_equal(strlen(small), sizeof small - 1);
}

/* While it is a question nobody vouches for anything: what the peer calls itself is no name yet. */
static void test_no_name_before_the_answer(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, NULL);
    exam.config.host = "loner.example";
    examine(&exam, &by_intermediate, NULL);
    expect(&exam, TRUST_ASK, 0, "");
    assert_string_equal(exam.result.claimed, "leaf.example");
    assert_string_equal(exam.result.name, "");
    assert_string_equal(exam.result.reason, "");
}

/* A new peer is whom we remember it as, also when its certificate, for which nobody vouches, has another of the --peer names. */
static void test_new_among_several_peers(void **state)
{
    static const char *const peers[] = {"first.example", "peer.example"};
    struct exam exam;

    (void)state;
    exam_init(&exam, NULL);
    exam.config.peers = peers;
    exam.config.peer_count = 2;
    exam.config.tofu = TRUST_TOFU_ACCEPT_NEW;
    examine(&exam, &expired, NULL); /* it says that it is peer.example */
    assert_string_equal(exam.result.remember_as, "first.example");
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_NEW, "first.example");
}

static void test_answers(void **state)
{
    char curl[TEXT_PIN_SIZE + 8];
    const struct {
        const char *answer;
        bool accepts;
    } table[] = {
        {"yes", true},  {"YES", true},      {"y", true},          {peer.pin, true},  {curl, true},
        {"no", false},  {"n", false},       {"", false},          {"yes please", false},
        {" yes", false}, {"ye", false},     {loner.pin, false},   {"pin-sha256:", false}, {NULL, false},
    };
    struct exam exam;

    (void)state;
    snprintf(curl, sizeof curl, "sha256//%s", peer.pin + strlen("pin-sha256:"));
    for (size_t i = 0; i < COUNT(table); i++) {
        exam_init(&exam, NULL);
        exam.config.host = "server";
        examine(&exam, &peer, NULL);
        expect(&exam, TRUST_ASK, 0, "");
        trust_answer(&exam.config, table[i].answer, &exam.result, &exam.error);
        if (table[i].accepts) {
            expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_NEW, "server");
            assert_int_equal(exam.result.verdict.how, TRUST_NEW);
            assert_true(has(exam.result.reason, "you accepted it"));
        } else {
            check_row(exam.result.verdict.answer == TRUST_REFUSE, "answer %zu", i);
            assert_int_equal(exam.error.status, STATUS_UNKNOWN);
            assert_true(has(exam.error.story, table[i].answer ? "you did not accept" : "--pin "));
        }
    }
    assert_true(has(exam.error.story, peer.pin)); /* nobody could be asked: what to type */
}

/* ---- Remembering ---- */

static void test_remember(void **state)
{
    struct exam exam;
    char *text;

    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        exam_init(&exam, "# mine");
        exam.config.host = "server";
        exam.config.tofu = asked ? TRUST_TOFU_ASK : TRUST_TOFU_ACCEPT_NEW;
        examine(&exam, &peer, NULL);
        if (asked)
            trust_answer(&exam.config, "yes", &exam.result, &exam.error);
        expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_NEW, "server");
        text = file_get(exam.config.known_path);
        assert_string_equal(text, "# mine"); /* not before the handshake is over */
        free(text);
        assert_true(trust_remember(&exam.config, &exam.result, &exam.error));
        text = file_get(exam.config.known_path);
        assert_true(has(text, "# mine\nserver pin-sha256:"));
        assert_true(has(text, asked ? " asked\n" : " accept-new\n"));
        free(text);
        examine(&exam, &peer, NULL);
        expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_KNOWN, "server");
        examine(&exam, &by_intermediate, NULL);
        expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_CHANGED, "");
    }
}

/* Of two whom we meet at once under one name, only one gets it. */
static void test_remembered_meanwhile(void **state)
{
    struct exam exam;

    (void)state;
    for (int asked = 0; asked < 2; asked++) {
        exam_init(&exam, NULL);
        exam.config.host = "server";
        exam.config.tofu = asked ? TRUST_TOFU_ASK : TRUST_TOFU_ACCEPT_NEW;
        examine(&exam, &peer, NULL);
        if (asked)
            trust_answer(&exam.config, "yes", &exam.result, &exam.error);
        assert_true(known_add(exam.config.known_path, "server", other_ca.pin, "asked", &exam.error));
        assert_false(trust_remember(&exam.config, &exam.result, &exam.error));
        assert_int_equal(exam.error.status, STATUS_WRONG);
        assert_true(has(exam.error.story, "\"server\" has got another key meanwhile"));
        examine(&exam, &peer, NULL);
        expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_CHANGED, "");
    }
}

static void test_nothing_to_remember(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, NULL);
    exam.config.cacert = scratch_path("ca.pem");
    examine(&exam, &peer, NULL);
    assert_true(trust_remember(&exam.config, &exam.result, &exam.error));
    exam.config.cacert = NULL;
    exam.config.insecure = true;
    examine(&exam, &peer, NULL);
    assert_true(trust_remember(&exam.config, &exam.result, &exam.error));
    assert_null(file_get(exam.config.known_path));
}

static void test_cannot_remember(void **state)
{
    struct exam exam;

    (void)state;
    exam_init(&exam, NULL);
    exam.config.known_path = "/proc/self/nowhere/known_peers";
    exam.config.tofu = TRUST_TOFU_ACCEPT_NEW;
    examine(&exam, &peer, NULL);
    assert_false(trust_remember(&exam.config, &exam.result, &exam.error));
    assert_int_equal(exam.error.status, STATUS_LOCAL);
    assert_true(has(exam.error.story, "/proc/self/nowhere"));
}

/* ---- Revocation ---- */

/* DER that grows. */
struct der {
    uint8_t at[1024];
    size_t size;
};

/* An element of `content`, behind what is there already. */
static void der_add(struct der *der, uint8_t tag, const void *content, size_t size)
{
    assert_true(size < 1000 && der->size + size + 4 <= sizeof der->at);
    der->at[der->size++] = tag;
    if (size >= 128) {
        der->at[der->size++] = 0x82;
        der->at[der->size++] = (uint8_t)(size >> 8);
    }
    der->at[der->size++] = (uint8_t)size;
    if (size)
        memcpy(der->at + der->size, content, size);
    der->size += size;
}

static void der_date(struct der *der, int days)
{
    time_t when = time(NULL) + days * 86400;
    char text[16];
    struct tm parts;

    assert_int_equal(strftime(text, sizeof text, "%Y%m%d%H%M%SZ", gmtime_r(&when, &parts)), 15);
    der_add(der, 0x18, text, 15);
}

/* What the CA answers about the peer's certificate (RFC 6960 section 4.2.1): good, or revoked yesterday. */
static void make_response(struct der *response, bool revoked)
{
    static const uint8_t sha1[] = {0x30, 9, 6, 5, 0x2b, 14, 3, 2, 0x1a, 5, 0}, ecdsa_sha256[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2},
                         basic_type[] = {6, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1}, successful[] = {10, 1, 0};
    struct der id = {0}, single = {0}, part = {0}, data = {0}, basic = {0}, bytes = {0};
    uint8_t hash[20], serial[20], signature[128];
    size_t serial_size = sizeof serial;
    gnutls_datum_t name, signed_data, made;
    gnutls_privkey_t key;

    assert_int_equal(gnutls_x509_crt_get_raw_issuer_dn(peer.crt, &name), 0);
    assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA1, name.data, name.size, hash), 0);
    gnutls_free(name.data);
    assert_int_equal(gnutls_x509_crt_get_serial(peer.crt, serial, &serial_size), 0);
    memcpy(id.at, sha1, id.size = sizeof sha1);
    der_add(&id, 4, hash, sizeof hash);
    der_add(&id, 4, hash, sizeof hash);
    der_add(&id, 2, serial, serial_size);
    der_add(&single, 0x30, id.at, id.size);
    if (revoked)
        der_date(&part, -1);
    der_add(&single, revoked ? 0xa1 : 0x80, part.at, part.size);
    der_date(&single, -1);
    part.size = 0;
    der_date(&part, 1);
    der_add(&single, 0xa0, part.at, part.size);

    part.size = 0;
    der_add(&part, 4, hash, sizeof hash);
    der_add(&data, 0xa2, part.at, part.size);
    der_date(&data, -1);
    part.size = 0;
    der_add(&part, 0x30, single.at, single.size);
    der_add(&data, 0x30, part.at, part.size);
    der_add(&basic, 0x30, data.at, data.size);

    signed_data = (gnutls_datum_t){.data = basic.at, .size = (unsigned)basic.size};
    assert_int_equal(gnutls_privkey_init(&key), 0);
    assert_int_equal(gnutls_privkey_import_x509(key, ca.key, 0), 0);
    assert_int_equal(gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &signed_data, &made), 0);
    gnutls_privkey_deinit(key);
    assert_in_range(made.size, 1, sizeof signature - 1);
    signature[0] = 0; /* no unused bits */
    memcpy(signature + 1, made.data, made.size);
    der_add(&basic, 0x30, ecdsa_sha256, sizeof ecdsa_sha256);
    der_add(&basic, 3, signature, made.size + 1);
    gnutls_free(made.data);

    part.size = 0;
    der_add(&part, 0x30, basic.at, basic.size);
    memcpy(bytes.at, basic_type, bytes.size = sizeof basic_type);
    der_add(&bytes, 4, part.at, part.size);
    part.size = 0;
    der_add(&part, 0x30, bytes.at, bytes.size);
    memcpy(data.at, successful, data.size = sizeof successful);
    der_add(&data, 0xa0, part.at, part.size);
    response->size = 0;
    der_add(response, 0x30, data.at, data.size);
}

static void examine_with(struct exam *exam, const struct der *response)
{
    struct presented chain;

    cert_present(&chain, &peer, NULL);
    chain.status = (struct presented_der){.der = response->at, .size = response->size};
    memset(&exam->error, 0, sizeof exam->error);
    trust_examine(&exam->config, &chain, &as_loner, &exam->result, &exam->error);
}

/* The system's CAs vouch for a name as long as they have not taken it back; then their word is as good as none. */
static void test_staple_and_system_ca(void **state)
{
    struct der good, revoked, cut;
    char question[2048];
    struct exam exam;

    (void)state;
    make_response(&good, false);
    make_response(&revoked, true);
    cut = good;
    cut.size--;
    exam_init(&exam, NULL);
    exam.config.host = "peer.example";
    examine_with(&exam, &good);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_SYSTEM_CA, "peer.example");
    examine_with(&exam, &revoked);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_REVOKED, "");
    assert_true(has(exam.error.story, "its certificate is revoked, since "));
    examine_with(&exam, &cut);
    expect(&exam, TRUST_ASK, 0, "");
    trust_question(&exam.result, "192.0.2.7", question, sizeof question);
    assert_true(has(question, "no CA vouches for it: the OCSP response that came with it is none"));

    exam.config.tofu = TRUST_TOFU_NEVER;
    examine_with(&exam, &cut);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_UNKNOWN, "");
    exam.config.ocsp = TRUST_OCSP_NEVER;
    examine_with(&exam, &revoked);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_SYSTEM_CA, "peer.example");
    exam.config.ocsp = TRUST_OCSP_REQUIRE;
    examine_with(&exam, &revoked);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_REVOKED, "");
    examine_with(&exam, &good);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_SYSTEM_CA, "peer.example");
    assert_int_equal(system_loads, 7);
}

/* A key that is known is nobody's business but ours; unless we asked for a CA that stands by its word. */
static void test_revoked_but_known(void **state)
{
    struct der good, revoked;
    struct exam exam;

    (void)state;
    make_response(&good, false);
    make_response(&revoked, true);
    exam_init(&exam, lines("peer.example %s\n%s", peer.pin, ""));
    exam.config.host = "peer.example";
    examine_with(&exam, &revoked);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_KNOWN, "peer.example");
    exam.config.ocsp = TRUST_OCSP_REQUIRE;
    examine_with(&exam, &revoked);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_REVOKED, "");
    examine_with(&exam, &good);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_KNOWN, "peer.example");
}

/* The peer may show whatever it likes as its CA's certificate: the word of that one does not count. */
static void test_staple_of_no_ca(void **state)
{
    struct der response;
    struct cert fake;
    struct exam exam;
    struct presented chain;

    (void)state;
    make_response(&response, false);
    cert_make(&fake, &(struct cert_wish){.cn = "The CA", .ca = true});
    exam_init(&exam, NULL);
    exam.config.cacert = scratch_path("ca.pem");
    exam.config.ocsp = TRUST_OCSP_REQUIRE;
    cert_present(&chain, &peer, &fake);
    chain.status = (struct presented_der){.der = response.at, .size = response.size};
    trust_examine(&exam.config, &chain, &as_loner, &exam.result, &exam.error);
    expect(&exam, TRUST_ACCEPT, TRUST_BECAUSE_CACERT, "peer.example");
    response.at[response.size - 1] ^= 1; /* tampered with */
    trust_examine(&exam.config, &chain, &as_loner, &exam.result, &exam.error);
    expect(&exam, TRUST_REFUSE, TRUST_BECAUSE_NO_STATUS, "");
    assert_true(has(exam.error.story, "not signed by its CA"));
    cert_free(&fake);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_by_host),
        cmocka_unit_test(test_known_elsewhere),
        cmocka_unit_test(test_elsewhere_does_not_matter),
        cmocka_unit_test(test_known_to_a_listener),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_changed_with_one_key),
        cmocka_unit_test(test_changed_at_an_address),
        cmocka_unit_test(test_bad_known_peers),
        cmocka_unit_test(test_system_ca),
        cmocka_unit_test(test_system_cas_are_loaded_late),
        cmocka_unit_test(test_cacert),
        cmocka_unit_test(test_name_from_the_certificate),
        cmocka_unit_test(test_several_peers),
        cmocka_unit_test(test_pins),
        cmocka_unit_test(test_pin_is_the_keys),
        cmocka_unit_test(test_ourselves),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_nobody_is_not_ourselves),
        cmocka_unit_test(test_insecure),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_no_names_at_all),
        cmocka_unit_test(test_question),
        cmocka_unit_test(test_no_name_before_the_answer),
        cmocka_unit_test(test_new_among_several_peers),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_remember),
        cmocka_unit_test(test_remembered_meanwhile),
        cmocka_unit_test(test_nothing_to_remember),
        cmocka_unit_test(test_cannot_remember),
        cmocka_unit_test(test_staple_and_system_ca),
        cmocka_unit_test(test_revoked_but_known),
        cmocka_unit_test(test_staple_of_no_ca),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
