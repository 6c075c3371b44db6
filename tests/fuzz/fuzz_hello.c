/* fuzz_hello.c - hello_read() of anything: what it says about bytes is true, and does not change when more come. */
#include "fuzzing.h"
#include "hello.h"

#include <string.h>

static void check_found(const uint8_t *bytes, const struct hello *hello)
{
    must(hello->preference >= bytes && hello->preference + hello->preference_length <= bytes + hello->size);
    must(hello->preference_length >= 1 && hello->preference_length <= HELLO_PREFERENCE_MAX);
    for (size_t i = 0; i < hello->preference_length; i++)
        must(hello->preference[i] >= 33 && hello->preference[i] <= 126);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct hello hello, again;
    enum hello_result result = hello_read(bytes, length, HELLO_EXTENSION_ID, &hello);

    if (result == HELLO_MORE || hello.size > HELLO_SIZE_MAX)
        return 0;
    must(hello.size >= 4 && length >= 4);
    if (result == HELLO_FOUND)
        check_found(bytes, &hello);
    if (result == HELLO_FOUND || result == HELLO_ABSENT)
        must(hello.random == bytes + 6 && hello.size >= 6 + HELLO_RANDOM_SIZE);
    if (bytes[0] != HANDSHAKE_CLIENT_HELLO) {
        must(result == HELLO_MALFORMED);
        return 0;
    }
    /* A byte less is not enough; what is behind does not matter. */
    must(hello_read(bytes, hello.size - 1, HELLO_EXTENSION_ID, &again) == HELLO_MORE);
    must(hello_read(bytes, hello.size, HELLO_EXTENSION_ID, &again) == result);
    must(memcmp(&hello, &again, sizeof hello) == 0);
    return 0;
}
