// PCRE2's header wants to know the width of a code unit before it is read; its functions then end in _8.
#pragma once
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
