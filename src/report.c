/* report.c - one struct of facts to sentences, and to JSON lines. */
#include "report.h"
#include "lock.h"
#include "progress.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SCHEMA = 1 };

bool report_init(struct report *report, const char *target, int verbosity, struct error *error)
{
    *report = (struct report){.fd = -1, .name = target, .verbosity = verbosity, .started = wait_now()};
    if (!target)
        return true;
    if (strncmp(target, "fd:", 3) == 0) {
        report->fd = atoi(target + 3); /* a number: options has looked */
        if (fcntl(report->fd, F_GETFD) >= 0)
            return true;
    } else {
        report->fd = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
        if (report->fd >= 0)
            return true;
    }
    error_set(error, STATUS_LOCAL, "cannot write the report to \"%s\": %s", target, strerror(errno));
    report->fd = -1;
    return false;
}

void report_free(struct report *report)
{
    if (report->fd > 2)
        close(report->fd);
    report->fd = -1;
    if (report->locks)
        close(report->locks);
    if (report->torn)
        munmap(report->torn, sizeof *report->torn);
    report->locks = 0;
    report->torn = NULL;
}

/* ---- Several processes ---- */

bool report_share(struct report *report)
{
    void *shared = mmap(NULL, sizeof *report->torn, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int locks = lock_open();

    if (shared == MAP_FAILED || locks < 0)
        return false;
    report->torn = shared;
    report->locks = locks;
    return true;
}

void report_enter(struct report *report, unsigned long session, int64_t started)
{
    report->session = session;
    report->started = started;
    report->closed = false;
    report->locked = 0;
    report->error.status = STATUS_OK;
}

void report_lock(struct report *report)
{
    if (report->locks && report->locked++ == 0)
        lock_take(report->locks, LOCK_REPORT, true);
}

void report_unlock(struct report *report)
{
    if (report->locks && --report->locked == 0)
        lock_release(report->locks, LOCK_REPORT);
}

/* ---- Sentences ---- */

void report_say(const struct report *report, enum report_verbosity verbosity, const char *format, ...)
{
    char text[2048];
    va_list arguments;

    if ((int)verbosity > report->verbosity)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* In one write(2): two ends may share a terminal. */
    if (report->session)
        dprintf(STDERR_FILENO, "symtls: session %lu: %s\n", report->session, text);
    else
        dprintf(STDERR_FILENO, "%ssymtls: %s\n", report->progress ? PROGRESS_CLEAR : "", text);
}

/* ---- JSON lines ---- */

static void stamp(char *text, size_t size)
{
    struct timespec now;
    struct tm utc;
    char seconds[32];

    clock_gettime(CLOCK_REALTIME, &now);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", gmtime_r(&now.tv_sec, &utc));
    snprintf(text, size, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
}

static bool write_all(struct report *report, const char *text, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t written = write(report->fd, text + done, length - done);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            error_set(&report->error, STATUS_LOCAL, "cannot write the report to \"%s\": %s", report->name, strerror(errno));
            report->fd = -1; /* half a line would not be JSON anyway */
            return false;
        }
        done += (size_t)written;
    }
    return true;
}

/* A whole line, even beside what somebody left who died in the middle of one. */
static void write_line(struct report *report, const char *line, size_t length)
{
    report_lock(report);
    if (!report->torn || !atomic_exchange(report->torn, true) || write_all(report, "\n", 1))
        write_all(report, line, length);
    if (report->torn)
        atomic_store(report->torn, false);
    report_unlock(report);
}

/* Somebody wants events. Else none is made: that would be a dozen page faults in a session that was forked off. */
static bool is_read(const struct report *report)
{
    return report->fd >= 0;
}

/* Write the event, whose keys are in `keys` (taken over). */
static void emit(struct report *report, const char *event, json_t *keys)
{
    char time[64];
    json_t *line;
    char *text = NULL, *newline = NULL;

    stamp(time, sizeof time);
    line = json_pack("{s:i, s:s, s:s}", "schema", SCHEMA, "event", event, "time", time);
    if (line && report->session)
        json_object_set_new(line, "session", json_integer((json_int_t)report->session));
    if (line && json_object_update(line, keys) == 0)
        text = json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    if (!text || asprintf(&newline, "%s\n", text) < 0)
        error_set(&report->error, STATUS_LOCAL, "cannot write the report: out of memory");
    else
        write_line(report, newline, strlen(newline));
    free(newline);
    free(text);
    json_decref(line);
    json_decref(keys);
}

/* null for an empty text. What is no UTF-8, a file's name perhaps, is escaped: JSON has nothing else. */
static json_t *text_or_null(const char *text)
{
    char escaped[4 * sizeof(((struct error *)0)->story)];
    json_t *value = *text ? json_string(text) : json_null();

    if (value)
        return value;
    text_escape(escaped, sizeof escaped, text, strlen(text));
    return json_string(escaped);
}

static json_t *address_json(const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];

    return json_string(address_text(address, text));
}

static json_t *addresses_json(const struct address_list *addresses)
{
    json_t *array = json_array();

    for (size_t i = 0; i < addresses->count; i++)
        json_array_append_new(array, address_json(&addresses->at[i]));
    return array;
}

static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

/* ---- Events ---- */

static const char *const transport_names[] = {[TRANSPORT_TCP] = "tcp",
                                              [TRANSPORT_UDP] = "udp",
                                              [TRANSPORT_UNIX] = "unix",
                                              [TRANSPORT_SCTP] = "sctp",
                                              [TRANSPORT_SCTP_IN_UDP] = "sctp"};

static const char *const transport_words[] = {[TRANSPORT_TCP] = "TCP",
                                              [TRANSPORT_UDP] = "UDP",
                                              [TRANSPORT_UNIX] = "a UNIX socket",
                                              [TRANSPORT_SCTP] = "the kernel's SCTP",
                                              [TRANSPORT_SCTP_IN_UDP] = "SCTP in UDP"};

static void set_transport(json_t *keys, enum transport_kind kind)
{
    set(keys, "transport", json_string(transport_names[kind]));
    if (kind == TRANSPORT_SCTP || kind == TRANSPORT_SCTP_IN_UDP)
        set(keys, "sctp", json_string(kind == TRANSPORT_SCTP ? "kernel" : "user"));
}

static json_t *listening_json(enum transport_kind kind, const struct address *local, bool for_local)
{
    json_t *keys = json_object();

    set_transport(keys, kind);
    set(keys, "local", address_json(local));
    if (for_local)
        set(keys, "side", json_string("local"));
    return keys;
}

void report_listening(struct report *report, enum transport_kind kind, const struct address *local, bool for_local)
{
    char text[ADDRESS_TEXT_SIZE];

    if (is_read(report))
        emit(report, "listening", listening_json(kind, local, for_local));
    report_say(report, REPORT_NORMAL, for_local ? "listening on %s, for what goes to the peer" : "listening on %s",
               address_text(local, text));
}

static const char *const setups[] = {"active", "passive", "simultaneous"};

static json_t *connected_json(const struct transport *transport)
{
    json_t *keys = json_object();

    set_transport(keys, transport->kind);
    set(keys, "local", address_json(&transport->local));
    set(keys, "remote", address_json(&transport->remote));
    if (transport->locals.count > 1 || transport->remotes.count > 1) {
        set(keys, "locals", addresses_json(&transport->locals));
        set(keys, "remotes", addresses_json(&transport->remotes));
    }
    set(keys, "setup", json_string(setups[transport->setup]));
    return keys;
}

void report_connected(struct report *report, const struct transport *transport)
{
    char local[ADDRESS_TEXT_SIZE], remote[ADDRESS_TEXT_SIZE];

    if (is_read(report))
        emit(report, "connected", connected_json(transport));
    report_say(report, REPORT_NORMAL, transport->setup == TRANSPORT_PASSIVE ? "%s connected" : "connected to %s",
               address_text(&transport->remote, remote));
    report_say(report, REPORT_VERBOSE, "the connection is %s to %s over %s, set up %s",
               address_text(&transport->local, local), remote, transport_words[transport->kind], setups[transport->setup]);
}

static const char *const decisions[] = {[ROLE_BY_EXTENSION] = "extension",
                                        [ROLE_BY_IMPLICIT] = "implicit",
                                        [ROLE_BY_PLAIN_CLIENT] = "plain-client",
                                        [ROLE_BY_PLAIN_SERVER] = "plain-server",
                                        [ROLE_BY_OPTION] = "option"};

static const char *const because[] = {[ROLE_BY_EXTENSION] = "the role preferences decided",
                                      [ROLE_BY_IMPLICIT] = "the random numbers in the hellos decided",
                                      [ROLE_BY_PLAIN_CLIENT] = "the peer is a plain TLS client",
                                      [ROLE_BY_PLAIN_SERVER] = "the peer is a plain TLS server",
                                      [ROLE_BY_OPTION] = "--symmetric never decided"};

static const char *const kinds[] = {[PRESENTED_NONE] = "none",
                                    [PRESENTED_X509] = "x509",
                                    [PRESENTED_RAWPK] = "rawpk",
                                    [PRESENTED_PSK] = "psk"};

static json_t *not_after_json(const struct facts *facts)
{
    char text[64];
    struct tm utc;
    time_t moment = (time_t)facts->peer.not_after;

    if (facts->peer.kind != PRESENTED_X509 || facts->peer.not_after == FACTS_NO_EXPIRY || !gmtime_r(&moment, &utc))
        return json_null();
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

static json_t *peer_json(const struct facts *facts)
{
    json_t *peer = json_object(), *names = json_array();

    for (size_t i = 0; i < facts->peer.name_count; i++)
        json_array_append_new(names, json_string(facts->peer.names[i]));
    set(peer, "name", text_or_null(facts->peer.name));
    set(peer, "subject", text_or_null(facts->peer.subject));
    set(peer, "issuer", text_or_null(facts->peer.issuer));
    set(peer, "names", names);
    set(peer, "pin", text_or_null(facts->peer.pin));
    set(peer, "type", json_string(kinds[facts->peer.kind]));
    set(peer, "not_after", not_after_json(facts));
    return peer;
}

static json_t *binding_json(const struct facts *facts)
{
    json_t *binding = json_object();

    set(binding, "type", json_string(facts->binding == FACTS_BINDING_TLS_EXPORTER ? "tls-exporter" : "tls-unique"));
    set(binding, "value", json_string(facts->binding_hex));
    return binding;
}

static void say_handshake(const struct report *report, const struct facts *facts)
{
    const char *who = *facts->peer.name ? facts->peer.name : "somebody";

    report_say(report, REPORT_NORMAL, "we are the TLS %s: %s (%s, %s)", facts_role(facts->role),
               facts->symmetric_unknown ? "the peer answered as a TLS server, plain, or symmetric with a hello that was lost"
                                        : because[facts->decided_by],
               facts->version, facts->cipher);
    switch (facts->peer.kind) {
    case PRESENTED_NONE:
        report_say(report, REPORT_NORMAL, "the peer did not show who it is");
        break;
    case PRESENTED_PSK:
        report_say(report, REPORT_NORMAL, "the peer is %s", who);
        break;
    case PRESENTED_X509:
    case PRESENTED_RAWPK:
        report_say(report, REPORT_NORMAL, "the peer is %s, %s", who, facts->peer.pin);
        break;
    }
    report_say(report, REPORT_NORMAL, "it is accepted because %s", facts->trust_reason);
    if (facts->resumed)
        report_say(report, REPORT_VERBOSE, "an earlier session was resumed");
    report_say(report, REPORT_VERBOSE, "preferences: ours %s, the peer's %s", *facts->our_preference ? facts->our_preference : "none",
               *facts->peer_preference ? facts->peer_preference : "none");
    report_say(report, REPORT_VERBOSE, "group %s, the peer's signature %s, ALPN %s", *facts->group ? facts->group : "none",
               *facts->signature ? facts->signature : "none", *facts->alpn ? facts->alpn : "none");
    if (facts->peer.kind == PRESENTED_X509)
        report_say(report, REPORT_VERBOSE, "its certificate: subject %s, issuer %s", facts->peer.subject, facts->peer.issuer);
    for (size_t i = 0; i < facts->peer.name_count; i++)
        report_say(report, REPORT_VERBOSE, "a name in it: %s", facts->peer.names[i]);
    report_say(report, REPORT_VERBOSE, "our own pin: %s%s%s%s", *facts->our_pin ? facts->our_pin : "none",
               *facts->our_choice ? " (we showed " : "", facts->our_choice, *facts->our_choice ? ")" : "");
}

static json_t *handshake_json(const struct facts *facts)
{
    json_t *keys = json_object();

    set(keys, "role", json_string(facts_role(facts->role)));
    set(keys, "symmetric", facts->symmetric_unknown ? json_null() : json_boolean(facts->symmetric));
    set(keys, "decided_by", json_string(decisions[facts->decided_by]));
    set(keys, "our_preference", text_or_null(facts->our_preference));
    set(keys, "peer_preference", text_or_null(facts->peer_preference));
    set(keys, "version", json_string(facts->version));
    set(keys, "cipher", json_string(facts->cipher));
    set(keys, "group", text_or_null(facts->group));
    set(keys, "signature", text_or_null(facts->signature));
    set(keys, "alpn", text_or_null(facts->alpn));
    set(keys, "resumed", json_boolean(facts->resumed));
    set(keys, "our_pin", text_or_null(facts->our_pin));
    set(keys, "peer", peer_json(facts));
    set(keys, "trust", json_string(facts_trust(facts->trust)));
    if (facts->export_hex)
        set(keys, "export", json_string(facts->export_hex));
    if (facts->binding_hex)
        set(keys, "channel_binding", binding_json(facts));
    return keys;
}

void report_handshake(struct report *report, const struct facts *facts)
{
    if (is_read(report))
        emit(report, "handshake", handshake_json(facts));
    say_handshake(report, facts);
}

void report_accepted(struct report *report)
{
    if (is_read(report))
        emit(report, "accepted", json_object());
    report_say(report, REPORT_VERBOSE, "the peer has accepted us");
}

static json_t *closed_json(const struct report *report, const struct report_end *end)
{
    json_t *keys = json_object();

    set(keys, "exit", json_integer(end->exit));
    set(keys, "sent", json_integer((json_int_t)end->sent));
    set(keys, "received", json_integer((json_int_t)end->received));
    set(keys, "peer_closed", json_boolean(end->peer_closed));
    if (end->datagrams)
        set(keys, "lost", json_integer((json_int_t)end->lost));
    set(keys, "seconds", json_real((double)(wait_now() - report->started) / 1000));
    set(keys, "cause", text_or_null(end->error->story));
    return keys;
}

void report_closed(struct report *report, const struct report_end *end)
{
    const char *cause = end->error->story;
    char total[PROGRESS_SIZE];

    if (report->closed)
        return;
    report->closed = true;
    if (is_read(report))
        emit(report, "closed", closed_json(report, end));
    if (report->progress && end->moving_ms > 0) {
        progress_total(end->sent, end->received, end->moving_ms, end->peer_has_all, total);
        report_say(report, REPORT_QUIET, "%s", total);
    }
    if (end->lost)
        report_say(report, REPORT_NORMAL, "%llu of the peer's datagrams never came", (unsigned long long)end->lost);
    if (*cause)
        report_say(report, end->error->status == STATUS_OK ? REPORT_NORMAL : REPORT_QUIET, "%s", cause);
    else
        report_say(report, REPORT_VERBOSE, "closed; %llu bytes sent, %llu received", (unsigned long long)end->sent,
                   (unsigned long long)end->received);
}
