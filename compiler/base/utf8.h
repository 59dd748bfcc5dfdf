/* utf8.h: characters of UTF-8. */
#ifndef NNC_BASE_UTF8_H
#define NNC_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of the character that starts at text[0], of which `length` bytes are there; 0 when it is not valid (overlong, a
 * surrogate, above U+10FFFF, cut off). *code receives the code point. */
size_t utf8_decode(const char *text, size_t length, uint32_t *code);

#endif
