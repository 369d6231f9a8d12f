/* store_digest.c - XXH3, 128 bits, over typed values. It notices damage; it is no signature: who can
 * write the file can write a digest too.
 *
 * The bytes that are hashed for each value:
 *     integer   'i', 8 bytes                 real   'r', 8 bytes
 *     text      't', length as 8 bytes, the bytes in UTF-8
 *     blob      'b', length as 8 bytes, the bytes
 * numbers little-endian. A part begins with its name as a text; models/MODEL.md lists what follows. */
#include "model/store_internal.h"

#include <string.h>

const char *const store_parts[PART_COUNT] = {
    "config", "vocabulary", "state", "weight", "moment1", "moment2", "average", "best",
};

static void digest_begin(Digest *digest, const char *name)
{
    XXH3_128bits_reset(digest->state);
    digest->used = 0;
    digest_text(digest, name, strlen(name));
}

void digest_start(Digest *digest, Part part)
{
    digest_begin(digest, store_parts[part]);
}

static void flush(Digest *digest)
{
    XXH3_128bits_update(digest->state, digest->pending, digest->used);
    digest->used = 0;
}

void digest_bytes(Digest *digest, const void *bytes, size_t size)
{
    if (size > sizeof digest->pending - digest->used)
        flush(digest);
    if (size > sizeof digest->pending) {
        XXH3_128bits_update(digest->state, bytes, size);
    } else if (size) {
        memcpy(digest->pending + digest->used, bytes, size);
        digest->used += size;
    }
}

static void tagged(Digest *digest, char tag, const void *eight)
{
    unsigned char bytes[9] = {(unsigned char)tag};
    memcpy(bytes + 1, eight, 8);
    digest_bytes(digest, bytes, sizeof bytes);
}

void digest_integer(Digest *digest, int64_t value)
{
    tagged(digest, 'i', &value);
}

void digest_real(Digest *digest, double value)
{
    tagged(digest, 'r', &value);
}

void digest_text(Digest *digest, const char *text, size_t size)
{
    uint64_t length = size;
    tagged(digest, 't', &length);
    digest_bytes(digest, text, size);
}

void digest_blob(Digest *digest, size_t size)
{
    uint64_t length = size;
    tagged(digest, 'b', &length);
}

void digest_end(Digest *digest, char text[DIGEST_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    XXH128_canonical_t canonical;
    flush(digest);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(digest->state));
    for (size_t i = 0; i < sizeof canonical.digest; i++) {
        text[2 * i] = digits[canonical.digest[i] >> 4];
        text[2 * i + 1] = digits[canonical.digest[i] & 15];
    }
    text[DIGEST_TEXT - 1] = '\0';
}

void digest_file(Store *store, char text[DIGEST_TEXT])
{
    digest_begin(&store->digest, "file");
    for (int part = 0; part < PART_COUNT; part++) {
        if (!store->part[part][0])
            continue;
        digest_text(&store->digest, store_parts[part], strlen(store_parts[part]));
        digest_text(&store->digest, store->part[part], strlen(store->part[part]));
    }
    digest_end(&store->digest, text);
}
