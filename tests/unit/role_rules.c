/* role_rules.c - what arrives, and what we do. */
#include "check.h"
#include "role_rules.h"

enum { ARRIVES_MOST = 16, CASES = 2 * 5 * 2 /* of each thing that arrives */ };

static const struct role_rule rules_of_hellos[] = {
    {HELLO_OF_CLIENT, BOTH, ALL - CLIENT, EITHER, ROLE_STEP_SERVER, ROLE_BY_EXTENSION, 0, -1, 0},
    {HELLO_OF_CLIENT, BOTH, CLIENT, EITHER, ROLE_STEP_REFUSE, 0, ROLE_REASON_TIE, 40, 5},
    {HELLO_OF_SERVER, BOTH, ALL - SERVER, EITHER, ROLE_STEP_CLIENT, ROLE_BY_EXTENSION, 0, -1, 0},
    {HELLO_OF_SERVER, BOTH, SERVER, EITHER, ROLE_STEP_REFUSE, 0, ROLE_REASON_TIE, 40, 5},

    {HELLO_PLAIN, ACTIVE, ALL - CLIENT, ALLOW, ROLE_STEP_REFUSE, 0, ROLE_REASON_PLAIN_CLIENT, 40, 5},
    {HELLO_PLAIN, ACTIVE, CLIENT, ALLOW, ROLE_STEP_REFUSE, 0, ROLE_REASON_CLIENT_UNWANTED, 40, 5},
    {HELLO_PLAIN, ACTIVE, ALL, REQUIRE, ROLE_STEP_REFUSE, 0, ROLE_REASON_CLIENT_UNWANTED, 40, 5},
    {HELLO_PLAIN, PASSIVE, ALL - CLIENT, ALLOW, ROLE_STEP_SERVER, ROLE_BY_PLAIN_CLIENT, 0, -1, 0},
    {HELLO_PLAIN, PASSIVE, CLIENT, ALLOW, ROLE_STEP_REFUSE, 0, ROLE_REASON_CLIENT_UNWANTED, 40, 5},
    {HELLO_PLAIN, PASSIVE, ALL, REQUIRE, ROLE_STEP_REFUSE, 0, ROLE_REASON_CLIENT_UNWANTED, 40, 5},
};

static void check_rule(const struct role_rule *rule, role_rule_check *check, unsigned seen[2][5][2])
{
    for (unsigned end = 0; end < 2; end++)
        for (unsigned want = 0; want < 5; want++)
            for (unsigned symmetric = 0; symmetric < 2; symmetric++) {
                if (!(rule->ends >> end & rule->wants >> want & rule->symmetric >> symmetric & 1))
                    continue;
                seen[end][want][symmetric]++;
                check(rule, end == 0, (enum role_want)want, (enum role_symmetric)symmetric);
            }
}

void role_rules_check(const struct role_rule *rules, size_t count, unsigned arrives_count, role_rule_check *check)
{
    unsigned seen[ARRIVES_MOST][2][5][2] = {0};

    assert_true(arrives_count <= ARRIVES_MOST);
    for (size_t i = 0; i < COUNT(rules_of_hellos); i++)
        check_rule(&rules_of_hellos[i], check, seen[rules_of_hellos[i].arrives]);
    for (size_t i = 0; i < count; i++)
        check_rule(&rules[i], check, seen[rules[i].arrives]);
    for (size_t i = 0; i < CASES * arrives_count; i++)
        check_row((&seen[0][0][0][0])[i] == 1, "case %zu", i);
}

const struct role_implicit role_implicits[ROLE_IMPLICITS] = {
    {{.random = 0x54}, ROLE_STEP_SERVER, false},
    {{.random = 0x56}, ROLE_STEP_CLIENT, false},
    {{.random = 0xff}, ROLE_STEP_CLIENT, false},
    {{.random = 0x55}, ROLE_STEP_REFUSE, false},
    {{.random = 0xff, .preference = "!", .preference_length = 1}, ROLE_STEP_SERVER, true},
    {{.random = 0, .preference = "~", .preference_length = 1}, ROLE_STEP_CLIENT, true},
    {{.preference = "UUUUUUUUUUUUUUUUUUUUUUUUUUU", .preference_length = 27}, ROLE_STEP_SERVER, true},
    {{.preference = "UUUUUUUUUUUUUUUUUUUUUUUUUUUU", .preference_length = 28}, ROLE_STEP_REFUSE, true},
    {{.preference = "UUUUUUUUUUUUUUUUUUUUUUUUUUUUU", .preference_length = 29}, ROLE_STEP_CLIENT, true},
};

void role_implicit_check(const struct role_stream *stream, size_t row)
{
    bool is_explicit = role_implicits[row].is_explicit;

    check_row(stream->step == role_implicits[row].step, "row %zu", row);
    check_row(stream->config.ours.length == 28, "row %zu", row);
    check_row(stream->peer_is_explicit == is_explicit, "row %zu", row);
    check_row(is_explicit || stream->peer.length == 28, "row %zu", row);
    if (stream->step == ROLE_STEP_REFUSE)
        check_row(stream->reason == ROLE_REASON_TIE && stream->alert == 40, "row %zu", row);
    else
        check_row(stream->symmetric && stream->decided_by == ROLE_BY_IMPLICIT, "row %zu", row);
}
