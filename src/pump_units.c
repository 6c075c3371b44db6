/* pump_units.c - the pump's data where it is more than a stream of bytes: units (--framing), and lines that end with CR LF. */
#include "pump_parts.h"

static void tell_no_memory(struct pump *pump)
{
    error_set(pump->error, STATUS_LOCAL, "out of memory");
}

void pump_take_in(struct pump *pump, const uint8_t *bytes, size_t length)
{
    if (pump->config->local->crlf ? !framing_crlf(&pump->after_cr, bytes, length, &pump->in)
                                  : !buffer_append(&pump->in, bytes, length))
        tell_no_memory(pump);
}

static void tell_wrong(struct pump *pump, enum framing_result result, size_t most)
{
    static const char *const words[] = {
        [FRAMING_READ] = "read", [FRAMING_LINE] = "line", [FRAMING_NUL] = "nul", [FRAMING_LEN16] = "len16"};
    const char *kind = words[pump->config->local->framing];
    const char *vessel = channel_is_datagrams(pump->channel) ? "datagram" : "record";

    if (result == FRAMING_EMPTY)
        error_set(pump->error, STATUS_LOCAL, "--framing %s: a unit of no bytes cannot be sent", kind);
    else if (result == FRAMING_CUT)
        error_set(pump->error, STATUS_LOCAL, "--framing %s: the input ended in the middle of a unit", kind);
    else
        error_set(pump->error, STATUS_LOCAL, "--framing %s: a unit of more than %zu bytes does not go into one %s", kind, most, vessel);
}

void pump_send_units(struct pump *pump)
{
    enum framing_kind kind = pump->config->local->framing;

    for (;;) {
        size_t most = session_record_size(pump->session);
        struct framing_unit unit;
        enum framing_result result =
            framing_next(kind, buffer_at(&pump->in), buffer_used(&pump->in), pump->in_ended, most, &unit);

        pump->needs_more = result == FRAMING_MORE;
        if (result != FRAMING_UNIT) {
            if (result != FRAMING_MORE)
                tell_wrong(pump, result, most);
            return;
        }
        if (session_send(pump->session, buffer_at(&pump->in) + unit.skip, unit.length) == 0)
            return;
        buffer_skip(&pump->in, unit.skip + unit.length);
        pump->result.sent += unit.length;
        pump->last_data = wait_now();
    }
}

size_t pump_receive_unit(struct pump *pump)
{
    uint8_t unit[SESSION_RECORD_MAX];
    size_t length = session_receive(pump->session, unit, sizeof unit);

    if (length > 0 && !framing_put(pump->config->local->framing, unit, length, &pump->out))
        tell_no_memory(pump);
    return length;
}
