/* sctp_library.h - libusrsctp, loaded by whoever wants SCTP in UDP: to link it would cost every start 7 % of its CPU. */
#ifndef SYMTLS_SCTP_LIBRARY_H
#define SYMTLS_SCTP_LIBRARY_H

#include <stdbool.h>
#include <usrsctp.h>

#include "error.h"

/* What we call: usrsctp_bind() is usrsctp.bind(), and so on. */
#define SCTP_LIBRARY_FUNCTIONS(FUNCTION)               \
    FUNCTION(bind)                                     \
    FUNCTION(close)                                    \
    FUNCTION(connect)                                  \
    FUNCTION(conninput)                                \
    FUNCTION(deregister_address)                       \
    FUNCTION(freepaddrs)                               \
    FUNCTION(getpaddrs)                                \
    FUNCTION(getsockopt)                               \
    FUNCTION(handle_timers)                            \
    FUNCTION(init_nothreads)                           \
    FUNCTION(listen)                                   \
    FUNCTION(peeloff)                                  \
    FUNCTION(recvv)                                    \
    FUNCTION(register_address)                         \
    FUNCTION(sendv)                                    \
    FUNCTION(set_non_blocking)                         \
    FUNCTION(setsockopt)                               \
    FUNCTION(shutdown)                                 \
    FUNCTION(socket)                                   \
    FUNCTION(sysctl_set_sctp_asconf_enable)            \
    FUNCTION(sysctl_set_sctp_auth_enable)              \
    FUNCTION(sysctl_set_sctp_ecn_enable)               \
    FUNCTION(sysctl_set_sctp_no_csum_on_loopback)      \
    FUNCTION(sysctl_set_sctp_nrsack_enable)            \
    FUNCTION(sysctl_set_sctp_pktdrop_enable)           \
    FUNCTION(sysctl_set_sctp_pr_enable)                \
    FUNCTION(sysctl_set_sctp_reconfig_enable)          \
    FUNCTION(sysctl_set_sctp_shutdown_guard_time_default)

struct sctp_library {
#define SCTP_LIBRARY_FIELD(name) __typeof__(usrsctp_##name) *name;
    SCTP_LIBRARY_FUNCTIONS(SCTP_LIBRARY_FIELD)
#undef SCTP_LIBRARY_FIELD
};

/* For who has loaded it. There is one, as there is one stack in a process. */
extern struct sctp_library usrsctp;

/* Load it; once more is nothing. False with an error (STATUS_LOCAL), which says what is to be installed. */
bool sctp_library_load(struct error *error);

#endif
