"""One session of symtls with another program, to its end."""
import contextlib
import subprocess

from ends import Failed, Process, Us


def our_arguments(work, case, port):
    arguments = ["--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{case.version}", "-w", "15s", "--handshake-timeout", "15s", "--linger", "15s", "--idle-timeout", "30s"]
    if case.psk:
        arguments += ["--psk-file", "us.psk", "--psk-identity", "us" if case.side == "we call" else "server"]
    elif case.side == "they call" and not case.peer.shows_certificate:
        arguments += ["--remote-id", "request", "--cert", "cert.pem", "--key", "key.pem"]
    else:
        arguments += ["--pin", work.their_pin] + (["--rawpk"] if case.raw else [])
    if case.peer.symmetric:
        arguments += ["--implicit"] if case.peer.implicit else ["--symmetric", "require"]
    return arguments + (["127.0.0.1", str(port)] if case.side == "we call" else ["-l", "127.0.0.1", "0"])


def begin(work, case, stack):
    """Both ends, after the handshake."""
    def start(process):
        stack.callback(process.kill)
        return process

    if case.side == "we call":
        them = start(Process(case.peer.program, case.peer.command(work, case, 0), work.folder))
        if case.peer.symmetric:
            them.say(case.peer.line(case, 0))
        us = start(Us(work, our_arguments(work, case, them.port())))
    else:
        us = start(Us(work, our_arguments(work, case, 0)))
        port = us.event("listening")["local"].rsplit(":", 1)[1]
        them = start(Process(case.peer.program, case.peer.command(work, case, port), work.folder))
        if case.peer.symmetric:
            them.say(case.peer.line(case, port))
    try:
        shaken = us.event("handshake")
    except Failed as failed:
        raise Failed(f"{failed}; {them.name}: {them.last_words()}") from failed
    decided = {"we call": "plain-server", "they call": "plain-client"}[case.side]
    if case.peer.symmetric:
        decided = "implicit" if case.peer.implicit else "extension"
    told = (shaken["version"], shaken["decided_by"])
    if told != ("TLS" + case.version, decided):
        raise Failed(f"the handshake was {told[0]}, by {told[1]}")
    kind = shaken["peer"]["type"]
    wanted = "psk" if case.psk else "rawpk" if case.raw else "x509" if case.side == "we call" or case.peer.shows_certificate else "none"
    if kind != wanted:
        raise Failed(f"the peer showed {kind}, not {wanted}")
    return us, them


def settle(us, them, case):
    """Both have ended; we are content with that."""
    us.end()
    status = us.ended()
    if status != 0:
        raise Failed(f"exit status {status}: {us.last_words()}")


def hold(work, case):
    with contextlib.ExitStack() as stack:
        us, them = begin(work, case, stack)
        kind = case.peer.kind[case.side]
        if kind == "web":
            us.hears("a_line_from_them")
            us.say("HTTP/1.0 200 OK\r\nContent-Length: 15\r\n\r\na line from us\n")
            them.hears("a line from us")
            return
        if kind == "web server":
            us.say("GET / HTTP/1.0\r\n\r\n")
            us.hears("HTTP/1.0 200")
            return
        talks = kind == "talks" and not case.peer.symmetric
        if talks and case.side == "they call":  # who calls speaks first, as is usual
            them.say("a line from them\n")
            us.hears("a line from them")
        us.say("a line from us\n")
        (us if kind == "echoes" else them).hears("a line from us")
        if talks and case.side == "we call":
            them.say("a line from them\n")
            us.hears("a line from them")
        if case.peer.symmetric:
            us.hears("a_line_from_them")
        if case.aspect == "talk":
            return
        if case.aspect == "we end":
            if kind == "echoes":
                us.say("the last line\n")
                us.end()
                us.hears("the last line")
            else:
                us.end()
                if not case.peer.symmetric:
                    them.say("the last line\n")
                    us.hears("the last line")
                    them.end()
        else:
            them.end()
            us.wait_until(us.closed["out"].is_set, "the peer's end does not come") # what it has said is over
            us.say("the last line\n")
            them.hears("the last line")
        settle(us, them, case)


def judge(work, case, try_all):
    """(sign, reason)"""
    reason = case.peer.reason(case)
    if reason and not try_all:
        return "-", reason
    try:
        hold(work, case)
    except Failed as failed:
        return ("-", f"{reason} ({failed})") if reason else ("x", str(failed))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        return "x", str(error)
    return ("x", f"it works, though the script says: {reason}") if reason else ("+", "")
