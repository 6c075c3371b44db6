"""The bytes of hellos, for all peers in Python: vectors and extensions, written and read. From symtls-protocol(7) and the RFCs."""

ROLE_PREFERENCE = 65363
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, VERIFY = 1, 2, 3

# ---- Written ----


def vector(width, body):
    return len(body).to_bytes(width, "big") + body


def extension(number, body):
    return number.to_bytes(2, "big") + vector(2, body)


def preference(value):
    return extension(ROLE_PREFERENCE, value)


def lie(data, lengths, field, difference):
    """The data with another length in that field; `lengths` has (name, offset, width) of each."""
    data = bytearray(data)
    offset, width = next((o, w) for name, o, w in lengths if name == field)
    length = int.from_bytes(data[offset:offset + width], "big")
    length = {"+": length + 1, "-": length - 1, "0": 0, "1": 1, "max": 256 ** width - 1}[difference] % 256 ** width
    data[offset:offset + width] = length.to_bytes(width, "big")
    return bytes(data)


# ---- Read ----


def read_vector(data, at, width):
    """The vector at `at`, and where it ends."""
    end = at + width + int.from_bytes(data[at:at + width], "big")
    if end > len(data):
        raise ValueError("the message is shorter than it says")
    return data[at + width:end], end


def read_preference(hello, at, *widths):
    """The role_preference of a ClientHello, or None. At `at` are vectors with lengths of these widths, and then the extensions."""
    for width in widths:
        _, at = read_vector(hello, at, width)
    extensions, _ = read_vector(hello, at, 2)
    at = 0
    while at < len(extensions):
        number = int.from_bytes(extensions[at:at + 2], "big")
        data, at = read_vector(extensions, at + 2, 2)
        if number == ROLE_PREFERENCE:
            return data
    return None
