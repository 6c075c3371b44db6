"""What cannot be beaten: the cipher alone, measured in the TLS library itself."""
import ctypes
import ctypes.util
import time

RECORD = 16384


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]


def cipher_rate(name, seconds):
    """Bytes per second of sealing records, on one core; 0: the library cannot be asked."""
    try:
        library = ctypes.CDLL("libgnutls.so.30")
    except OSError:
        return 0
    library.gnutls_cipher_get_id.argtypes = [ctypes.c_char_p]
    number = library.gnutls_cipher_get_id(name.encode())
    size = library.gnutls_cipher_get_key_size(number)
    key_bytes = ctypes.create_string_buffer(bytes(range(size)), size)
    key = Datum(ctypes.addressof(key_bytes), size)
    handle = ctypes.c_void_p()
    if library.gnutls_aead_cipher_init(ctypes.byref(handle), number, ctypes.byref(key)) < 0:
        return 0
    nonce = ctypes.create_string_buffer(12)
    plain = ctypes.create_string_buffer(RECORD)
    sealed = ctypes.create_string_buffer(RECORD + 16)
    room = ctypes.c_size_t()
    library.gnutls_aead_cipher_encrypt.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p,
                                                   ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t,
                                                   ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)]
    done, since = 0, time.process_time()
    while time.process_time() - since < seconds:
        for _ in range(256):
            room.value = RECORD + 16
            library.gnutls_aead_cipher_encrypt(handle, nonce, 12, None, 0, 16, plain, RECORD, sealed, ctypes.byref(room))
        done += 256 * RECORD
    rate = done / (time.process_time() - since)
    library.gnutls_aead_cipher_deinit(handle)
    return rate
