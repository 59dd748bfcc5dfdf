#include "base/utf8.h"

/* By the number of bytes of the character: the bits of its first byte that say so, and the smallest code point that
 * needs that many. */
static const struct {
    unsigned char mask, mark;
    uint32_t least;
} forms[] = {
    {0, 0, 0}, {0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000},
};

size_t utf8_decode(const char *text, size_t length, uint32_t *code) {
    unsigned char first = length > 0 ? (unsigned char)text[0] : 0x80;
    size_t bytes = 1;
    while (bytes <= 4 && (first & forms[bytes].mask) != forms[bytes].mark)
        bytes++;
    if (bytes > 4 || bytes > length)
        return 0;
    uint32_t value = first & (unsigned char)~forms[bytes].mask;
    for (size_t i = 1; i < bytes; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (byte & 0x3F);
    }
    if (value < forms[bytes].least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *code = value;
    return bytes;
}
