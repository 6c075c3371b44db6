/* commands.c - what a user at the terminal can ask of a session that is open. */
#include "commands.h"
#include "tty.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SUSPEND = 0x1a /* Control-Z */ };

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    char text[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tty_tell(text);
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* ---- Looking ---- */

static void tell_directions(const struct session *session)
{
    bool ours = session_we_closed(session), theirs = session_peer_closed(session);

    if (ours == theirs)
        say("both directions are %s", ours ? "closed" : "open");
    else
        say("%s closed %s direction; the other one is open", ours ? "we have" : "the peer has", ours ? "our" : "its");
}

static bool tell_round_trip(const struct channel *channel)
{
    unsigned us;
    bool known = transport_round_trip(&channel->transport, &us);

    if (known)
        say("there and back it takes TCP %.2f ms", us / 1000.0);
    return known;
}

static void tell_waiting(const struct channel *channel, uint64_t typed)
{
    size_t encrypted, unacknowledged = transport_unacknowledged(&channel->transport);

    session_output(channel->session, &encrypted);
    if (typed + encrypted + unacknowledged > 0)
        say("not with the peer yet: %llu byte%s of data, %zu of records, and %zu that its system has not acknowledged",
            (unsigned long long)typed, plural(typed), encrypted, unacknowledged);
}

static enum commands_wish status(struct commands *commands, const struct commands_numbers *numbers)
{
    const struct channel *channel = commands->channel;
    const struct session_counts *counts = session_counts(channel->session);
    const struct facts *facts = commands->facts;
    char remote[ADDRESS_TEXT_SIZE];

    say("for %.1f s we are the TLS %s of %s: %s, %s", (double)(wait_now() - commands->since) / 1000,
        facts->role == ROLE_CLIENT ? "client" : "server", address_text(&channel->transport.remote, remote), facts->version, facts->cipher);
    say("sent: %llu byte%s in %llu record%s; received: %llu in %llu", (unsigned long long)numbers->sent, plural(numbers->sent),
        (unsigned long long)counts->records_sent, plural(counts->records_sent), (unsigned long long)numbers->received,
        (unsigned long long)counts->records_received);
    if (counts->key_updates_sent + counts->key_updates_received > 0)
        say("new keys since the handshake: %u of ours, %u of the peer's", counts->key_updates_sent, counts->key_updates_received);
    tell_directions(channel->session);
    if (channel_is_datagrams(channel))
        say("%llu of the peer's datagrams never came", (unsigned long long)session_lost(channel->session));
    tell_waiting(channel, numbers->waiting);
    tell_round_trip(channel);
    return COMMANDS_NOTHING;
}

static enum commands_wish show_peer(struct commands *commands, const struct commands_numbers *numbers)
{
    const struct facts *facts = commands->facts;

    (void)numbers;
    switch (facts->peer.kind) {
    case PRESENTED_NONE:
        say("the peer did not show who it is");
        break;
    case PRESENTED_PSK:
        say("the peer is %s", facts->peer.name);
        break;
    case PRESENTED_X509:
    case PRESENTED_RAWPK:
        say("the peer is %s, %s", *facts->peer.name ? facts->peer.name : "somebody", facts->peer.pin);
        break;
    }
    if (facts->peer.kind == PRESENTED_X509)
        say("its certificate: subject %s, issuer %s", facts->peer.subject, facts->peer.issuer);
    for (size_t i = 0; i < facts->peer.name_count; i++)
        say("a name in it: %s", facts->peer.names[i]);
    say("it is accepted because %s", facts->trust_reason);
    if (!session_is_accepted(commands->channel->session))
        say("whether it accepts us it has not said yet");
    return COMMANDS_NOTHING;
}

static enum commands_wish show_exporter(struct commands *commands, const struct commands_numbers *numbers)
{
    uint8_t binding[SESSION_BINDING_SIZE];
    char hex[2 * sizeof binding + 1];

    (void)numbers;
    if (commands->facts->export_hex)
        say("--export: %s", commands->facts->export_hex);
    if (commands->facts->binding == FACTS_BINDING_TLS_UNIQUE)
        say("tls-unique (RFC 5929): %s", commands->facts->binding_hex);
    if (session_channel_binding(commands->channel->session, binding)) {
        for (size_t i = 0; i < sizeof binding; i++)
            snprintf(hex + 2 * i, 3, "%02x", binding[i]);
        say("tls-exporter (RFC 9266): %s", hex);
    } else {
        say("there is no tls-exporter (RFC 9266): %s without extended master secret has none", commands->facts->version);
    }
    return COMMANDS_NOTHING;
}

/* ---- Acting ---- */

/* Both are KeyUpdate: whoever gets one that asks for its own has to answer, and a symmetric peer does so at once. */
static void ask(struct commands *commands, bool ping)
{
    struct session *session = commands->channel->session;
    unsigned answers = session_rekey_answers(session);
    int64_t now = now_us();

    switch (session_rekey(session)) {
    case SESSION_REKEY_BOTH:
        commands->asked = ping ? COMMANDS_PINGED : COMMANDS_ASKED_FOR_KEYS;
        commands->asked_at_us = now;
        commands->answers = answers;
        if (!ping)
            say("our direction has new keys; the peer is asked for its own");
        if (!commands->facts->symmetric)
            say("(many TLS libraries answer ahead of the next data that they send, and not before)");
        break;
    case SESSION_REKEY_OURS:
        say("our direction has new keys; the peer has closed its own%s", ping ? ", and answers no more" : "");
        break;
    case SESSION_REKEY_WAITING:
        say("the peer has not answered the last one yet, for %.0f ms", (double)(now - commands->asked_at_us) / 1000);
        break;
    case SESSION_REKEY_TOO_SOON:
        say("too soon: some peers hang up on more than a few new keys in a second");
        break;
    case SESSION_REKEY_NOT_ACCEPTED:
        say("not yet: the peer has not accepted us so far");
        break;
    case SESSION_REKEY_UNKNOWN:
        /* TCP asks all the time. */
        if (!ping || !tell_round_trip(commands->channel))
            say("%s has %s", commands->facts->version,
                ping ? "no ping" : "no new keys without negotiating anew, and that never happens here");
        break;
    case SESSION_REKEY_CLOSED:
        say("our direction is closed: nothing more goes out");
        break;
    }
}

static enum commands_wish rekey(struct commands *commands, const struct commands_numbers *numbers)
{
    (void)numbers;
    ask(commands, false);
    return COMMANDS_NOTHING;
}

static enum commands_wish ping(struct commands *commands, const struct commands_numbers *numbers)
{
    (void)numbers;
    ask(commands, true);
    return COMMANDS_NOTHING;
}

void commands_look(struct commands *commands)
{
    double ms = (double)(now_us() - commands->asked_at_us) / 1000;

    if (commands->asked == COMMANDS_NOT_ASKED)
        return;
    if (session_rekey_answers(commands->channel->session) != commands->answers) {
        if (commands->asked == COMMANDS_PINGED)
            say("the peer has answered: there and back in %.2f ms", ms);
        else
            say("the peer's direction has new keys too, after %.2f ms", ms);
    } else if (session_peer_closed(commands->channel->session)) {
        say("the peer has closed its direction, and will not answer any more");
    } else {
        return;
    }
    commands->asked = COMMANDS_NOT_ASKED;
}

static enum commands_wish send_break(struct commands *commands, const struct commands_numbers *numbers)
{
    if (session_we_closed(commands->channel->session))
        say("our direction is closed: nothing more goes out");
    else if (strcmp(commands->facts->version, "TLS1.3") != 0)
        say("no empty record: that takes TLS 1.3. But every line goes in a record of its own");
    else if (numbers->waiting > 0 || !session_break(commands->channel->session))
        say("no empty record: the peer does not take what was typed before it");
    else
        say("an empty record is on its way");
    return COMMANDS_NOTHING;
}

static enum commands_wish close_direction(struct commands *commands, const struct commands_numbers *numbers)
{
    (void)numbers;
    if (session_we_closed(commands->channel->session)) {
        say("our direction is closed already");
        return COMMANDS_NOTHING;
    }
    say("our direction is closed; commands are still taken");
    return COMMANDS_CLOSE;
}

static enum commands_wish quit(struct commands *commands, const struct commands_numbers *numbers)
{
    (void)commands;
    (void)numbers;
    return COMMANDS_QUIT;
}

static enum commands_wish suspend(struct commands *commands, const struct commands_numbers *numbers)
{
    (void)numbers;
    tty_suspend(commands->raw);
    return COMMANDS_NOTHING;
}

static enum commands_wish list(struct commands *commands, const struct commands_numbers *numbers);

/* ---- The table ---- */

static const struct {
    char letter;
    const char *key, *does;
    enum commands_wish (*command)(struct commands *, const struct commands_numbers *);
} all[] = {
    {'.', ".", "end the session at once", quit},
    {'d', "d", "close our direction; the peer's goes on", close_direction},
    {'s', "s", "status: what we are, and what has gone each way", status},
    {'i', "i", "who the peer is, and why it is accepted", show_peer},
    {'x', "x", "exported values, to compare with the peer's", show_exporter},
    {'k', "k", "new keys for both directions (TLS 1.3)", rekey},
    {'p', "p", "ping: how long it takes there and back (TLS 1.3; else as TCP has it)", ping},
    {'b', "b", "a break: an empty record (TLS 1.3)", send_break},
    {SUSPEND, "^Z", "suspend symtls", suspend},
    {'?', "?", "this list", list},
};

static const char letters[] = {'.', 'd', 's', 'i', 'x', 'k', 'p', 'b', SUSPEND, '?', '\0'};

_Static_assert(sizeof letters == sizeof all / sizeof *all + 1, "every command has its letter");

static const char *name_of(uint8_t character, char text[3])
{
    if (character >= ' ')
        snprintf(text, 3, "%c", character);
    else
        snprintf(text, 3, "^%c", character + '@');
    return text;
}

static enum commands_wish list(struct commands *commands, const struct commands_numbers *numbers)
{
    char character[3];

    (void)numbers;
    name_of(commands->escape.character, character);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        say("%s%-2s  %s", character, all[i].key, all[i].does);
    say("%s%-2s  to send one %s at the beginning of a line", character, character, character);
    return COMMANDS_NOTHING;
}

void commands_init(struct commands *commands, uint8_t character, struct channel *channel, const struct facts *facts)
{
    char name[3];

    *commands = (struct commands){.channel = channel, .facts = facts, .since = wait_now()};
    escape_init(&commands->escape, character, letters);
    name_of(character, name);
    say("at the beginning of a line %s begins a command; %s? lists them", name, name);
}

enum commands_wish commands_do(struct commands *commands, char letter, const struct commands_numbers *numbers)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].letter == letter)
            return all[i].command(commands, numbers);
    return COMMANDS_NOTHING;
}

void commands_tell_closed(const struct commands *commands)
{
    char name[3];

    say("our direction is closed: what is typed goes nowhere (%s? lists the commands)", name_of(commands->escape.character, name));
}
