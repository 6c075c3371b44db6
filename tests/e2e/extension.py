"""OpenSSL, below Python's ssl, and a role_preference in its hellos: for the independent peers."""
import _ssl
import ctypes

from hellos import ROLE_PREFERENCE

POINTER, INT, SIZE = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t

openssl = ctypes.CDLL(_ssl.__file__)
openssl.SSL_CTX_add_custom_ext.restype = INT
openssl.SSL_CTX_add_custom_ext.argtypes = (POINTER, ctypes.c_uint, ctypes.c_uint) + 5 * (POINTER,)
Add = ctypes.CFUNCTYPE(INT, POINTER, ctypes.c_uint, ctypes.c_uint, ctypes.POINTER(POINTER), ctypes.POINTER(SIZE), POINTER, SIZE,
                       POINTER, POINTER)


def add_extension(context, value, where):
    """Let messages of the SSL_CTX bear a role_preference; `where` is a sum of SSL_EXT_... Keep what is returned as long as the SSL_CTX."""
    text = ctypes.create_string_buffer(value, len(value))

    @Add
    def add(_ssl_object, _type, _where, out, length, _x509, _index, _alert, _arg):
        out[0], length[0] = ctypes.addressof(text), len(value)
        return 1

    if openssl.SSL_CTX_add_custom_ext(context, ROLE_PREFERENCE, where, add, None, None, None, None) != 1:
        raise ValueError("OpenSSL does not take the extension")
    return text, add
