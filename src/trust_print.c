/* trust_print.c - what a peer presented, for people and for other programs. */
#include "trust.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

static gnutls_datum_t datum_of(const struct presented_der *der)
{
    return (gnutls_datum_t){.data = (unsigned char *)der->der, .size = (unsigned)der->size};
}

bool trust_write_pem(const struct presented *presented, struct buffer *pem)
{
    const char *what = presented->kind == PRESENTED_RAWPK ? "PUBLIC KEY" : "CERTIFICATE";
    bool written = true;

    for (size_t i = 0; written && i < presented->count; i++) {
        gnutls_datum_t der = datum_of(&presented->at[i]), text = {NULL, 0};

        written = gnutls_pem_base64_encode2(what, &der, &text) >= 0 && buffer_append(pem, text.data, text.size);
        gnutls_free(text.data);
    }
    return written;
}

/* The library's words; NULL: they are none. */
static gnutls_datum_t words_of(enum presented_kind kind, const struct presented_der *at)
{
    gnutls_datum_t der = datum_of(at), words = {NULL, 0};
    gnutls_x509_crt_t certificate = NULL;
    gnutls_pubkey_t key = NULL;

    if (kind == PRESENTED_X509 && gnutls_x509_crt_init(&certificate) >= 0 &&
        gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER) >= 0)
        gnutls_x509_crt_print(certificate, GNUTLS_CRT_PRINT_FULL, &words);
    if (kind == PRESENTED_RAWPK && gnutls_pubkey_init(&key) >= 0 && gnutls_pubkey_import(key, &der, GNUTLS_X509_FMT_DER) >= 0)
        gnutls_pubkey_print(key, GNUTLS_CRT_PRINT_FULL, &words);
    gnutls_x509_crt_deinit(certificate);
    gnutls_pubkey_deinit(key);
    return words;
}

/* It is indented with tabs, which are no business of the peer's. */
static void print_line(const char *start, size_t length, void (*line)(void *context, const char *text), void *context)
{
    char text[1024];
    size_t tabs = 0;

    for (; tabs < length && tabs < 8 && start[tabs] == '\t'; tabs++)
        memcpy(text + 2 * tabs, "  ", 2);
    text_escape(text + 2 * tabs, sizeof text - 2 * tabs, start + tabs, length - tabs);
    line(context, text);
}

void trust_print(const struct presented *presented, void (*line)(void *context, const char *text), void *context)
{
    for (size_t i = 0; i < presented->count; i++) {
        gnutls_datum_t words = words_of(presented->kind, &presented->at[i]);

        for (size_t at = 0; at < words.size;) {
            const char *start = (const char *)words.data + at;
            const char *end = memchr(start, '\n', words.size - at);
            size_t length = end ? (size_t)(end - start) : words.size - at;

            if (length)
                print_line(start, length, line, context);
            at += length + 1;
        }
        gnutls_free(words.data);
    }
}
