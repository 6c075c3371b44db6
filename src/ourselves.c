/* ourselves.c - from the options to our identity. */
#include "ourselves.h"
#include "file.h"
#include "pass.h"
#include "tty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum { WARNING_DAYS = 14 };

bool ourselves_read_passphrase(const struct options *options, char passphrase[OURSELVES_PASSPHRASE_SIZE], struct error *error)
{
    return !options->pass || pass_read(options->pass, passphrase, OURSELVES_PASSPHRASE_SIZE, error);
}

static bool ask_passphrase(void *context, const char *question, char *answer, size_t size)
{
    return tty_ask_secret(context, question, answer, size);
}

static struct identity *load_named(const struct options *options, const char *passphrase, struct wait *wait, struct error *error)
{
    size_t count = options->identities.count ? options->identities.count : 1;
    struct identity_source *sources = calloc(count, sizeof *sources);
    struct identity_config config = {.sources = sources,
                                     .source_count = count,
                                     .bare = options->rawpk,
                                     .passphrase = options->pass ? passphrase : NULL,
                                     .ask = ask_passphrase,
                                     .ask_context = wait};
    struct identity *identity;

    if (!sources) {
        error_set(error, STATUS_IDENTITY, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < options->identities.count; i++)
        sources[i] = (struct identity_source){.peer = options->identity_peers.at[i], .certificate = options->identities.at[i]};
    if (options->identities.count == 0)
        sources[0] = (struct identity_source){.certificate = options->certificate, .key = options->key};
    sources[0].status = options->ocsp_response;
    identity = identity_load(&config, error);
    free(sources);
    return identity;
}

static struct identity *load_own(const struct options *options, const struct report *report, struct error *error)
{
    char *path = file_path("XDG_CONFIG_HOME", ".config", "identity.pem");
    struct identity *identity = NULL;
    bool made = false;

    if (path)
        identity = identity_own(path, options->rawpk, &made, error);
    else
        error_set(error, STATUS_IDENTITY, "there is no home folder to keep our identity in; -i names another place");
    if (made)
        report_say(report, REPORT_NORMAL, "made an identity for you: %s, in %s", identity_pin(identity, 0), path);
    free(path);
    return identity;
}

static void warn_of_expiry(const struct identity *identity, const struct report *report)
{
    for (size_t i = 0; i < identity_count(identity); i++) {
        int64_t days = identity_days_left(identity, i);

        if (days < WARNING_DAYS)
            report_say(report, REPORT_NORMAL, "our certificate in %s expires in %lld day%s", identity_place(identity, i),
                       (long long)days, days == 1 ? "" : "s");
    }
}

struct identity *ourselves_load(const struct options *options, char passphrase[OURSELVES_PASSPHRASE_SIZE], struct wait *wait,
                                const struct report *report, struct error *error)
{
    struct identity *identity;

    prctl(PR_SET_DUMPABLE, 0);
    if (options->no_identity || options->psk_file)
        identity = identity_none(error);
    else if (options->certificate || options->key || options->identities.count)
        identity = load_named(options, passphrase, wait, error);
    else
        identity = load_own(options, report, error);
    explicit_bzero(passphrase, OURSELVES_PASSPHRASE_SIZE);
    if (identity)
        warn_of_expiry(identity, report);
    return identity;
}

/* As a TLS client we would have to know whom we shall meet, and do not. */
static bool can_be_server_only(const struct options *options, struct error *error)
{
    if (options->want != ROLE_WANT_CLIENT && !options->implicit && !options->preference)
        return true;
    error_set(error, STATUS_IDENTITY,
              "as TLS client we would not know whose key in \"%s\" to use; --peer says whose, or --role server leaves it to the peer",
              options->psk_file);
    return false;
}

bool ourselves_load_psk(const struct options *options, char name[IDENTITY_NAME_SIZE], struct psk **psk, struct error *error)
{
    const char *whose;
    struct psk_config config = {.path = options->psk_file,
                                .our_name = options->psk_identity ? options->psk_identity : name,
                                .peers = options->peers.at,
                                .peer_count = options->peers.count,
                                .host = options->task == OPTIONS_LISTEN ? NULL : options->host,
                                .allow_self = options->allow_self};

    if (!options->psk_file)
        return true;
    identity_usual_name(name);
    *psk = psk_load(&config, error);
    return *psk && (psk_of_client(*psk, &whose) || can_be_server_only(options, error));
}

enum role_want ourselves_want(const struct options *options, const struct psk *psk, const struct report *report)
{
    const char *whose;

    if (!psk || psk_of_client(psk, &whose))
        return options->want;
    report_say(report, REPORT_NORMAL,
               "several keys in \"%s\", and nobody is expected, so the peer has to be the TLS client; --peer says whose key it is",
               options->psk_file);
    return ROLE_WANT_SERVER;
}

void ourselves_show(const struct identity *identity)
{
    for (size_t i = 0; i < identity_count(identity); i++)
        printf("%s %s\n", identity_pin(identity, i), identity_name(identity, i));
}
