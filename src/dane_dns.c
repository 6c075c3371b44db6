/* dane_dns.c - TLSA records out of the DNS, by libgnutls-dane and the libunbound below it, which validate what DNSSEC signed.
 *
 * A child process does it: a look-up may take long and cannot be interrupted, and what parses answers of the network should be
 * far from our keys. The libraries are loaded there too, since to link them would cost every start about a millisecond. */
#include "dane.h"
#include "buffer.h"
#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>


#if HAVE_DANE

#include <gnutls/dane.h>

#define LIBRARY "libgnutls-dane.so.0"

enum { ANSWER_MOST = 1 << 18 }; /* 64 KiB of a DNS message, in hexadecimal, and names */

/* The first byte of what the child says; the records follow, as a zone file has them. */
enum outcome { VALIDATED = 'v', NOT_SIGNED = 'n', FORGED = 'f', NOTHING = 'e', NO_ANSWER = 'a', NO_LIBRARY = 'l' };

struct library {
    __typeof__(dane_state_init) *state_init;
    __typeof__(dane_query_tlsa) *query_tlsa;
    __typeof__(dane_query_status) *query_status;
    __typeof__(dane_query_entries) *query_entries;
    __typeof__(dane_query_data) *query_data;
};

static bool load(struct library *library)
{
    const struct library_function functions[] = {
        {"dane_state_init", &library->state_init},     {"dane_query_tlsa", &library->query_tlsa},
        {"dane_query_status", &library->query_status}, {"dane_query_entries", &library->query_entries},
        {"dane_query_data", &library->query_data}};

    return !library_load(LIBRARY, functions, sizeof functions / sizeof *functions);
}

static enum outcome outcome_of(int code)
{
    switch (code) {
    case DANE_E_SUCCESS:
        return VALIDATED;
    case DANE_E_NO_DNSSEC_SIG:
        return NOT_SIGNED;
    case DANE_E_INVALID_DNSSEC_SIG:
        return FORGED;
    case DANE_E_NO_DANE_DATA:
    case DANE_E_RECEIVED_CORRUPT_DATA: /* a record without data */
        return NOTHING;
    default:
        return NO_ANSWER;
    }
}

static void ask(const struct dane *dane, FILE *out)
{
    struct library library;
    dane_state_t state;
    dane_query_t query = NULL;
    gnutls_datum_t data;
    unsigned usage, selector, matching;
    enum outcome outcome;

    if (!load(&library)) {
        fputc(NO_LIBRARY, out);
        return;
    }
    if (library.state_init(&state, 0) < 0) {
        fputc(NO_ANSWER, out);
        return;
    }
    outcome = outcome_of(library.query_tlsa(state, &query, dane->host, dane->protocol, dane->port));
    if (outcome == VALIDATED && !(library.query_status(query) & DANE_QUERY_DNSSEC_VERIFIED))
        outcome = NOT_SIGNED;
    fputc((int)outcome, out);
    if (outcome != VALIDATED)
        return;
    for (unsigned i = 0; i < library.query_entries(query); i++) {
        if (library.query_data(query, i, &usage, &selector, &matching, &data) < 0 || data.size == 0)
            continue;
        fprintf(out, "%s IN TLSA %u %u %u ", dane->owner, usage & 255, selector & 255, matching & 255);
        for (unsigned j = 0; j < data.size; j++)
            fprintf(out, "%02x", data.data[j]);
        fputc('\n', out);
    }
}

/* The libraries may write about their troubles; our words about them are enough. */
static void be_the_child(const struct dane *dane, const struct wait *wait, int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    FILE *out;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &wait->before, NULL);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
    out = fdopen(fd, "w");
    if (out)
        ask(dane, out);
    _exit(!out || fflush(out) != 0);
}

/* All that the child says, until it ends. False with an error when time runs out. */
static bool hear(int fd, struct wait *wait, int64_t deadline, struct buffer *answer, struct error *error)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    ssize_t length = 1;

    while (length > 0 && buffer_used(answer) < ANSWER_MOST) {
        uint8_t *room = buffer_room(answer, 4096);
        enum wait_result result = wait_for(wait, &poll_fd, 1, deadline);

        if (result == WAIT_LATE)
            error_set(error, STATUS_TIME, "time ran out while asking the DNS for TLSA records");
        if (!room || result != WAIT_READY)
            return false;
        length = read(fd, room, 4096);
        if (length > 0)
            buffer_filled(answer, (size_t)length);
    }
    return length == 0 && buffer_used(answer) > 0;
}

static bool tell(const struct dane *dane, enum outcome outcome, struct error *error)
{
    switch (outcome) {
    case VALIDATED:
    case NOTHING:
        error_set(error, STATUS_UNKNOWN, "the DNS has no TLSA records of %s, or gave no answer, so --dane accepts nobody there",
                  dane->owner);
        break;
    case NOT_SIGNED:
        error_set(error, STATUS_UNKNOWN,
                  "the TLSA records of %s are not signed with DNSSEC: anybody may have put them there, so --dane does not "
                  "believe them", dane->owner);
        break;
    case FORGED:
        error_set(error, STATUS_WRONG,
                  "the TLSA records of %s are BOGUS: DNSSEC says that they are not what the owner of the name published",
                  dane->owner);
        break;
    case NO_LIBRARY:
        error_set(error, STATUS_LOCAL, "--dane needs the library " LIBRARY ", which cannot be loaded; --dane=FILE needs none");
        break;
    case NO_ANSWER:
        error_set(error, STATUS_UNKNOWN,
                  "the DNS cannot be asked for the TLSA records of %s: it takes a name server (/etc/resolv.conf) and the key of "
                  "the root (Debian: apt-get install dns-root-data)", dane->owner);
        break;
    }
    return false;
}

bool dane_ask(struct dane *dane, struct wait *wait, int64_t deadline, struct error *error)
{
    struct buffer answer = {0};
    enum outcome outcome = NO_ANSWER;
    int ends[2];
    pid_t child;
    bool heard;

    if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0) {
        error_set(error, STATUS_LOCAL, "cannot start a process for the DNS: %s", strerror(errno));
        return false;
    }
    if (child == 0)
        be_the_child(dane, wait, ends[1]);
    close(ends[1]);
    heard = hear(ends[0], wait, deadline, &answer, error);
    close(ends[0]);
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (heard)
        outcome = (enum outcome)*buffer_at(&answer);
    if (heard && outcome == VALIDATED)
        heard = dane_parse(dane, "DNSSEC", (const char *)buffer_at(&answer) + 1, buffer_used(&answer) - 1, error);
    buffer_free(&answer);
    if (wait->signal)
        return false;
    return (heard && dane->count > 0) || tell(dane, outcome, error);
}

#else

bool dane_ask(struct dane *dane, struct wait *wait, int64_t deadline, struct error *error)
{
    (void)dane;
    (void)wait;
    (void)deadline;
    error_set(error, STATUS_LOCAL, "looking for TLSA records in the DNS is not built in (configure --with-dane); --dane=FILE is");
    return false;
}

#endif
