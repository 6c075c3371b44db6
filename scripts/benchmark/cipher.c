/* cipher.c - CIPHER SECONDS: how many bytes a second GnuTLS seals as records, on one core, and nothing else. For scripts/bench. */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RECORD = 16384, TAG = 16, NONCE = 12, KEY_MAX = 32, AT_ONCE = 256 };

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static unsigned char key_bytes[KEY_MAX], nonce[NONCE], plain[RECORD], sealed[RECORD + TAG];
    gnutls_cipher_algorithm_t cipher = argc == 3 ? gnutls_cipher_get_id(argv[1]) : GNUTLS_CIPHER_UNKNOWN;
    gnutls_datum_t key = {key_bytes, (unsigned)gnutls_cipher_get_key_size(cipher)};
    gnutls_aead_cipher_hd_t handle;
    double bytes = 0, since, taken = 0;

    if (key.size == 0 || key.size > KEY_MAX || gnutls_aead_cipher_init(&handle, cipher, &key) < 0) {
        fputs("cipher CIPHER SECONDS, such as AES-256-GCM 0.5\n", stderr);
        return 2;
    }
    for (since = cpu_s(); taken < atof(argv[2]); taken = cpu_s() - since) {
        for (int i = 0; i < AT_ONCE; i++) {
            size_t size = sizeof sealed;

            if (gnutls_aead_cipher_encrypt(handle, nonce, NONCE, NULL, 0, TAG, plain, RECORD, sealed, &size) < 0)
                return 1;
        }
        bytes += (double)AT_ONCE * RECORD;
    }
    printf("%.0f\n", bytes / taken);
    gnutls_aead_cipher_deinit(handle);
    return 0;
}
