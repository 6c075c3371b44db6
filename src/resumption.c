/* resumption.c - going on from earlier sessions. */
#include "resumption.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { KEY_SECONDS = 7 * 24 * 60 * 60 /* then our tickets get another key */ };

_Static_assert(TICKETS_KEY_SIZE == SESSION_TICKET_KEY_SIZE && TICKETS_CONTEXT_SIZE == SESSION_CONTEXT_SIZE, "the file holds what sessions need");

void resumption_free(struct resumption *resumption)
{
    tickets_free(&resumption->tickets);
    session_ticket_free(&resumption->offer);
    explicit_bzero(resumption->key, sizeof resumption->key);
}

/* ---- As server ---- */

static bool prepare_key(struct resumption *resumption, struct session_config *session, struct error *error)
{
    struct tickets *tickets = &resumption->tickets;
    int64_t now = time(NULL);

    if (!resumption->gives_tickets)
        return true;
    if (!tickets->has_key) {
        if (!session_make_ticket_key(tickets->key)) {
            error_set(error, STATUS_LOCAL, "no random numbers");
            return false;
        }
        tickets->has_key = true;
        tickets->key_until = now + KEY_SECONDS;
        if (resumption->path && !tickets_write(resumption->path, now, TICKETS_KEY, tickets, error))
            return false;
    }
    memcpy(resumption->key, tickets->key, sizeof resumption->key);
    session->ticket_key = resumption->key;
    return true;
}

/* ---- As client ---- */

/* Somebody whom we would refuse by now, or would have to ask about, is not who a ticket is for: a full handshake shows who is
 * there. */
static bool would_accept(const struct resumption *resumption, const struct trust_config *trust, const struct trust_occasion *us)
{
    struct trust_occasion occasion = *us;
    struct presented presented;
    struct trust_result result;
    struct error ignored = {0};

    occasion.address = "";
    occasion.peer_is_server = true;
    tickets_presented(&resumption->tickets, &presented);
    trust_examine(trust, &presented, &occasion, &result, &ignored);
    return result.verdict.answer == TRUST_ACCEPT;
}

static bool prepare_offer(struct resumption *resumption, const struct trust_config *trust, const struct trust_occasion *us,
                          struct session_config *session, struct error *error)
{
    const struct tickets *tickets = &resumption->tickets;
    struct session_ticket *offer = &resumption->offer;
    uint8_t context[SESSION_CONTEXT_SIZE];

    if (!tickets->has_ticket)
        return true;
    if (!session_context(session, context) || !buffer_append(&offer->data, buffer_at(&tickets->data), buffer_used(&tickets->data))) {
        error_set(error, STATUS_LOCAL, "out of memory");
        return false;
    }
    snprintf(offer->our_pin, sizeof offer->our_pin, "%s", tickets->our_pin);
    if (memcmp(context, tickets->context, sizeof context) != 0)
        report_say(resumption->report, REPORT_NORMAL,
                   "the session in \"%s\" is with somebody else, or as somebody else; a new one begins", resumption->path);
    else if (!would_accept(resumption, trust, us))
        report_say(resumption->report, REPORT_NORMAL,
                   "the peer of the session in \"%s\" would not be accepted any more; a new one begins", resumption->path);
    else
        session->resume = offer;
    return true;
}

bool resumption_prepare(struct resumption *resumption, const struct trust_config *trust, const struct trust_occasion *us,
                        struct session_config *session, struct error *error)
{
    char doubt[TICKETS_DOUBT_SIZE] = "";
    int64_t now = time(NULL);

    session->keep_tickets = resumption->path != NULL;
    if (resumption->path && (!tickets_read(resumption->path, now, &resumption->tickets, doubt, error) ||
                             !tickets_write(resumption->path, now, TICKETS_NOTHING, &resumption->tickets, error)))
        return false;
    if (*doubt)
        report_say(resumption->report, REPORT_NORMAL, "%s", doubt);
    return prepare_key(resumption, session, error) && prepare_offer(resumption, trust, us, session, error);
}

/* ---- What comes of a session ---- */

void resumption_forget(const struct resumption *resumption, const struct session *session)
{
    struct tickets none = {.has_ticket = false};
    struct error ignored = {0};

    if (session_is_resumed(session) && session_role(session) == ROLE_CLIENT && !session_is_accepted(session))
        tickets_write(resumption->path, time(NULL), TICKETS_TICKET, &none, &ignored);
}

bool resumption_keep(const struct resumption *resumption, struct session *session, struct error *error)
{
    struct tickets fresh = {.has_ticket = true};
    struct session_ticket ticket = {.seconds = 0};
    struct presented presented;
    int64_t now = time(NULL);
    bool kept = true;

    if (!resumption->path || !session_take_ticket(session, &ticket))
        return true;
    session_presented(session, &presented);
    fresh.until = now + ticket.seconds;
    fresh.kind = presented.kind;
    fresh.data = ticket.data;
    snprintf(fresh.our_pin, sizeof fresh.our_pin, "%s", ticket.our_pin);
    if (presented.kind == PRESENTED_PSK)
        snprintf(fresh.psk_name, sizeof fresh.psk_name, "%s", presented.psk_name);
    kept = session_context(resumption->config, fresh.context);
    for (; kept && fresh.shown_count < presented.count; fresh.shown_count++)
        kept = buffer_append(&fresh.shown[fresh.shown_count], presented.at[fresh.shown_count].der, presented.at[fresh.shown_count].size);
    if (!kept)
        error_set(error, STATUS_LOCAL, "out of memory");
    kept = kept && tickets_write(resumption->path, now, TICKETS_TICKET, &fresh, error);
    tickets_free(&fresh);
    return kept;
}
